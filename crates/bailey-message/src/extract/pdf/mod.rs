//! The text of PDF documents (ISO 32000-1): pages in their order, each letter that its font says, words and lines by where they stand.
//!
//! What a document may cost is bounded: objects, bytes that are read as values, bytes that streams unpack to, pages, depth. Nothing in it is
//! run or fetched. The table of objects is not believed; objects are looked for, so that documents with damaged ones are read too.

mod filter;
mod font;
mod page;
mod value;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use font::Font;
use page::Writer;
use value::{Dict, Reader, Value};

/// Most objects that are known of.
const MAX_OBJECTS: usize = 200_000;
/// Most bytes that are read as values or looked through, over all, forms that are shown again included.
const MAX_READ: usize = 96 * 1024 * 1024;
/// Most bytes that streams unpack to, over all.
const MAX_UNPACKED: usize = 48 * 1024 * 1024;
/// Most pages that are read, and how deep their tree may be.
const MAX_PAGES: usize = 2_000;
const MAX_TREE: usize = 32;
/// How often a reference may lead to a reference.
const MAX_REFERENCES: usize = 8;
/// Bytes before `obj` that hold an object's number.
const NUMBER_BYTES: usize = 24;
/// Bytes of an object by which it is known to hold others.
const TELLING_BYTES: usize = 400;

/// Reads a document's text, and says what was left out.
pub(super) fn text(bytes: &[u8]) -> Result<(String, Vec<String>), String> {
    if last(bytes, b"/Encrypt").is_some_and(|at| bytes.get(at + 8).is_some_and(|byte| !byte.is_ascii_alphanumeric())) {
        return Err(
            "it is a PDF that is encrypted, so its text cannot be read here; name and size are all that is known"
                .into(),
        );
    }
    let document = Document::new(bytes);
    let pages = document.pages();
    let mut writer = Writer::new(&document);
    for (page, resources) in pages.iter().take(MAX_PAGES) {
        writer.page(page, resources);
    }
    let (text, mut cut) = writer.done();
    if pages.len() > MAX_PAGES {
        cut.push(format!("it has more than {MAX_PAGES} pages; the others were left out"));
    }
    if document.left.get() == 0 || document.unpack_left.get() == 0 {
        cut.push("it is larger, or more entangled, than is read of one file".into());
    }
    if let Some(filter) = document.unread.borrow().first() {
        cut.push(format!("parts of it are packed in a way that is not read here ({})", crate::address::clean(filter)));
    }
    if text.trim().is_empty() {
        let why = cut.first().map(|cut| format!(": {cut}")).unwrap_or_default();
        return Err(format!("it is a PDF in which no text can be read here{why}; its pages may be pictures"));
    }
    Ok((text, cut))
}

/// Where an object is written.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the file.
    At(usize),
    /// In an unpacked stream.
    Within(usize, usize),
}

/// An object: its value, and the bytes of its stream as they are packed.
struct Object<'a> {
    value: Value,
    stream: Option<&'a [u8]>,
}

struct Document<'a> {
    bytes: &'a [u8],
    objects: BTreeMap<u32, Place>,
    unpacked: Vec<Vec<u8>>,
    left: Cell<usize>,
    unpack_left: Cell<usize>,
    unread: RefCell<BTreeSet<String>>,
    fonts: RefCell<BTreeMap<u32, Rc<Font>>>,
}

impl<'a> Document<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut document = Self {
            bytes,
            objects: objects(bytes),
            unpacked: Vec::new(),
            left: Cell::new(MAX_READ),
            unpack_left: Cell::new(MAX_UNPACKED),
            unread: RefCell::default(),
            fonts: RefCell::default(),
        };
        document.unpack_objects();
        document
    }

    /// Finds the objects that lie in streams (ISO 32000-1, 7.5.7).
    fn unpack_objects(&mut self) {
        let tells = |at: usize| {
            let begins = self.bytes.get(at..).map(|rest| rest.get(..TELLING_BYTES).unwrap_or(rest)).unwrap_or_default();
            find(begins, b"/ObjStm", 0).is_some()
        };
        let holders: Vec<u32> = self
            .objects
            .iter()
            .filter_map(|(number, place)| matches!(place, Place::At(at) if tells(*at)).then_some(*number))
            .collect();
        for holder in holders {
            let Some(object) = self.object(holder) else { continue };
            let Some(dict) = object.value.dict() else { continue };
            let count = |name: &str| dict.get(name).and_then(Value::count).unwrap_or_default();
            let (many, first) = (count("N").min(MAX_OBJECTS), count("First"));
            let Some(data) = self.data(&object) else { continue };
            let mut reader = Reader::new(&data, 0, &self.left);
            let mut found = Vec::new();
            for _ in 0..many {
                let (Some(number), Some(offset)) = (reader.value(), reader.value()) else { break };
                let (Some(number), Some(offset)) = (number.count(), offset.count()) else { break };
                found.push((number, first.saturating_add(offset)));
            }
            let stream = self.unpacked.len();
            for (number, offset) in found {
                let Ok(number) = u32::try_from(number) else { continue };
                if self.objects.len() < MAX_OBJECTS {
                    self.objects.entry(number).or_insert(Place::Within(stream, offset));
                }
            }
            self.unpacked.push(data);
        }
    }

    fn object(&self, number: u32) -> Option<Object<'a>> {
        let at = match *self.objects.get(&number)? {
            Place::At(at) => at,
            Place::Within(stream, at) => {
                let value = Reader::new(self.unpacked.get(stream)?, at, &self.left).value()?;
                return Some(Object { value, stream: None });
            }
        };
        let mut reader = Reader::new(self.bytes, at, &self.left);
        let value = reader.value()?;
        let packed = value.dict().is_some() && reader.value().is_some_and(|word| word.is_word(b"stream"));
        let stream = if packed { self.stream(value.dict()?, reader.at()) } else { None };
        Some(Object { value, stream })
    }

    /// Returns the bytes of a stream that begins behind its word: as many as it says, if it ends there, else up to its end.
    fn stream(&self, dict: &Dict, at: usize) -> Option<&'a [u8]> {
        let rest = self.bytes.get(at..)?;
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        let said = match dict.get("Length") {
            Some(Value::Reference(number)) => match self.objects.get(number) {
                Some(Place::At(at)) => Reader::new(self.bytes, *at, &self.left).value(),
                _ => None,
            },
            other => other.cloned(),
        };
        let ends = |length: &usize| {
            rest.get(*length..).is_some_and(|after| after.trim_ascii_start().starts_with(b"endstream"))
        };
        let length = said.and_then(|said| said.count()).filter(ends).or_else(|| {
            let length = find(rest, b"endstream", 0).unwrap_or(rest.len());
            self.left.set(self.left.get().checked_sub(length)?);
            Some(length)
        })?;
        rest.get(..length)
    }

    /// Unpacks a stream; `None` where there is none, or one of its filters is not undone here.
    fn data(&self, object: &Object<'_>) -> Option<Vec<u8>> {
        let mut bytes = object.stream?.to_vec();
        let filters = object.value.dict()?.get("Filter").and_then(|filter| self.resolved(filter));
        let filters = match filters {
            Some(Value::Array(all)) => all,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        for filter in filters.iter().filter_map(Value::name) {
            let Some(undone) = filter::undo(filter, &bytes, self.unpack_left.get()) else {
                self.unread.borrow_mut().insert(filter.to_owned());
                return None;
            };
            self.unpack_left.set(self.unpack_left.get().saturating_sub(undone.len()));
            bytes = undone;
        }
        Some(bytes)
    }

    /// Follows references to what they lead to.
    fn resolved(&self, value: &Value) -> Option<Value> {
        let mut value = value.clone();
        for _ in 0..MAX_REFERENCES {
            let Value::Reference(number) = value else { return Some(value) };
            value = self.object(number)?.value;
        }
        None
    }

    fn dict(&self, value: Option<&Value>) -> Option<Dict> {
        match self.resolved(value?)? {
            Value::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    fn array(&self, value: Option<&Value>) -> Vec<Value> {
        match value.and_then(|value| self.resolved(value)) {
            Some(Value::Array(all)) => all,
            Some(one) => vec![one],
            None => Vec::new(),
        }
    }

    /// Lists the pages in order, each with the resources that are in force for it; one more than are read.
    fn pages(&self) -> Vec<(Dict, Dict)> {
        let mut out = Vec::new();
        let root = last(self.bytes, b"/Root").and_then(|at| Reader::new(self.bytes, at + 5, &self.left).value());
        if let Some(tree) = self.dict(root.as_ref()).and_then(|catalog| self.dict(catalog.get("Pages"))) {
            self.pages_of(tree, &Dict::new(), 0, &mut BTreeSet::new(), &mut out);
        }
        if out.is_empty() {
            // Where the tree cannot be found, the pages are read in the order of their numbers.
            let all = self.objects.keys().filter_map(|number| self.dict(Some(&Value::Reference(*number))));
            let pages = all.filter(|dict| dict.get("Type").and_then(Value::name) == Some("Page"));
            out.extend(pages.take(MAX_PAGES).map(|page| {
                let resources = self.dict(page.get("Resources")).unwrap_or_default();
                (page, resources)
            }));
        }
        out
    }

    fn pages_of(
        &self,
        node: Dict,
        resources: &Dict,
        depth: usize,
        seen: &mut BTreeSet<u32>,
        out: &mut Vec<(Dict, Dict)>,
    ) {
        let resources = self.dict(node.get("Resources")).unwrap_or_else(|| resources.clone());
        if !node.contains_key("Kids") {
            out.push((node, resources));
            return;
        }
        for kid in self.array(node.get("Kids")) {
            let fresh = !matches!(kid, Value::Reference(number) if !seen.insert(number));
            if !fresh || depth >= MAX_TREE || out.len() > MAX_PAGES {
                continue;
            }
            if let Some(kid) = self.dict(Some(&kid)) {
                self.pages_of(kid, &resources, depth + 1, seen, out);
            }
        }
    }

    /// Returns a font by its name among resources.
    fn font(&self, resources: &Dict, name: &str) -> Option<Rc<Font>> {
        let fonts = self.dict(resources.get("Font"))?;
        let font = fonts.get(name)?;
        let Value::Reference(number) = font else { return Some(Rc::new(self.make_font(&self.dict(Some(font))?))) };
        if let Some(known) = self.fonts.borrow().get(number) {
            return Some(Rc::clone(known));
        }
        let made = Rc::new(self.make_font(&self.dict(Some(font))?));
        self.fonts.borrow_mut().insert(*number, Rc::clone(&made));
        Some(made)
    }

    fn make_font(&self, dict: &Dict) -> Font {
        let kind = dict.get("Subtype").and_then(Value::name).unwrap_or_default();
        let font = if kind == "Type0" {
            let below = self.array(dict.get("DescendantFonts")).first().and_then(|below| self.dict(Some(below)));
            let below = below.unwrap_or_default();
            Font::composite(below.get("DW").and_then(Value::number), &self.array(below.get("W")))
        } else {
            let encoding = dict.get("Encoding").and_then(|encoding| self.resolved(encoding));
            // Widths of letters that are drawn (Type 3) are in a measure of their own.
            let widths = if kind == "Type3" { Vec::new() } else { self.array(dict.get("Widths")) };
            Font::simple(encoding.as_ref(), Font::first_char(dict), &widths)
        };
        let table = match dict.get("ToUnicode") {
            Some(Value::Reference(number)) => self.object(*number).and_then(|object| self.data(&object)),
            _ => None,
        };
        match table {
            Some(table) => font.with_table(&table, &self.left),
            None => font,
        }
    }
}

/// Finds the objects of a file by how they begin: `12 0 obj`. What was written later counts.
fn objects(bytes: &[u8]) -> BTreeMap<u32, Place> {
    let (mut out, mut at) = (BTreeMap::new(), 0);
    while let Some(found) = find(bytes, b"obj", at) {
        at = found + 3;
        if let Some(number) = number_before(bytes, found).filter(|_| out.len() < MAX_OBJECTS) {
            out.insert(number, Place::At(at));
        }
    }
    out
}

fn number_before(bytes: &[u8], end: usize) -> Option<u32> {
    let before = bytes.get(end.saturating_sub(NUMBER_BYTES)..end)?;
    let mut words = before.rsplit(|byte| byte.is_ascii_whitespace());
    // Nothing stands between the blank and the word.
    words.next().filter(|word| word.is_empty())?;
    let mut digits = words.filter(|word| !word.is_empty());
    let (generation, number) = (digits.next()?, digits.next()?);
    let from = number.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
    let number = std::str::from_utf8(number.get(from..)?).ok()?;
    if generation.iter().all(u8::is_ascii_digit) { number.parse().ok() } else { None }
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}

fn last(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut end = bytes.len();
    loop {
        end = bytes.get(..end)?.iter().rposition(|byte| Some(byte) == wanted.first())?;
        if bytes.get(end..)?.starts_with(wanted) {
            return Some(end);
        }
    }
}

#[cfg(test)]
mod tests;
