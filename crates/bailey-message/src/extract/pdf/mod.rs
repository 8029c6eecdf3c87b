//! The text of PDF documents (ISO 32000-1): pages in their order, each letter that its font says, words and lines by where they stand.
//!
//! What a document may cost is bounded: objects, bytes that are read as values, bytes that streams unpack to, pages, depth. Nothing in it is
//! run or fetched. The table of objects is not believed; objects are looked for, so that documents with damaged ones are read too.

mod filter;
mod font;
mod page;
mod value;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use font::Font;
use page::Writer;
use value::{Dict, Reader, Value, Work};

/// Most objects that are known of.
const MAX_OBJECTS: usize = 200_000;
/// Most that is done over all: bytes that are read as values or looked through, forms that are shown again included, and what is kept.
const MAX_WORK: usize = 96 * 1024 * 1024;
/// Most bytes of streams over all, as they are packed and as each filter gives them: a copy of each is made.
const MAX_UNPACKED: usize = 48 * 1024 * 1024;
/// Most filters of one stream, and what each takes of what may be done: its tables.
const MAX_FILTERS: usize = 8;
const FILTER_WORK: usize = 1_024;
/// Most blanks before the word that ends a stream.
const MAX_BLANKS: usize = 64;
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
    let mut writer = Writer::new(&document);
    let pages = document.pages(&mut writer);
    let (text, mut cut) = writer.done();
    if pages > MAX_PAGES {
        cut.push(format!("it has more than {MAX_PAGES} pages; the others were left out"));
    }
    if document.is_spent() {
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
    left: Work,
    unpack_left: Work,
    unread: RefCell<BTreeSet<String>>,
    fonts: RefCell<BTreeMap<u32, Rc<Font>>>,
}

impl<'a> Document<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut document = Self {
            bytes,
            objects: objects(bytes),
            unpacked: Vec::new(),
            left: Work::new(MAX_WORK),
            unpack_left: Work::new(MAX_UNPACKED),
            unread: RefCell::default(),
            fonts: RefCell::default(),
        };
        document.unpack_objects();
        document
    }

    /// Tells whether all was done that is done for one document.
    const fn is_spent(&self) -> bool {
        self.left.left() == 0 || self.unpack_left.left() == 0
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
            let after = rest.get(*length..).map(|after| after.get(..MAX_BLANKS).unwrap_or(after));
            after.is_some_and(|after| after.trim_ascii_start().starts_with(b"endstream"))
        };
        let length = said.and_then(|said| said.count()).filter(ends).or_else(|| {
            let length = find(rest, b"endstream", 0).unwrap_or(rest.len());
            self.left.take(length)?;
            Some(length)
        })?;
        rest.get(..length)
    }

    /// Unpacks a stream; `None` where there is none, or one of its filters is not undone here.
    fn data(&self, object: &Object<'_>) -> Option<Vec<u8>> {
        let packed = object.stream?;
        self.unpack_left.take(packed.len())?;
        let filters = self.array(object.value.dict()?.get("Filter"));
        if filters.len() > MAX_FILTERS {
            self.unread.borrow_mut().insert(format!("{} filters", filters.len()));
            return None;
        }
        let mut bytes = Cow::Borrowed(packed);
        for filter in filters.iter().filter_map(Value::name) {
            self.left.take(FILTER_WORK)?;
            let Some(undone) = filter::undo(filter, &bytes, self.unpack_left.left()) else {
                self.unread.borrow_mut().insert(filter.to_owned());
                return None;
            };
            self.unpack_left.take(undone.len())?;
            bytes = Cow::Owned(undone);
        }
        Some(bytes.into_owned())
    }

    /// Follows references to what they lead to; what is none is not copied.
    fn resolved<'v>(&self, value: &'v Value) -> Option<Cow<'v, Value>> {
        let mut value = Cow::Borrowed(value);
        for _ in 0..MAX_REFERENCES {
            let Value::Reference(number) = *value else { return Some(value) };
            value = Cow::Owned(self.object(number)?.value);
        }
        None
    }

    fn dict<'v>(&self, value: Option<&'v Value>) -> Option<Cow<'v, Dict>> {
        match self.resolved(value?)? {
            Cow::Borrowed(Value::Dict(dict)) => Some(Cow::Borrowed(dict)),
            Cow::Owned(Value::Dict(dict)) => Some(Cow::Owned(dict)),
            _ => None,
        }
    }

    fn array<'v>(&self, value: Option<&'v Value>) -> Cow<'v, [Value]> {
        match value.and_then(|value| self.resolved(value)) {
            Some(Cow::Borrowed(Value::Array(all))) => Cow::Borrowed(all),
            Some(Cow::Borrowed(one)) => Cow::Borrowed(std::slice::from_ref(one)),
            Some(Cow::Owned(Value::Array(all))) => Cow::Owned(all),
            Some(Cow::Owned(one)) => Cow::Owned(vec![one]),
            None => Cow::Borrowed(&[]),
        }
    }

    /// Writes the pages in order, each with the resources that are in force for it, and returns how many there are; one more than are read.
    fn pages(&self, writer: &mut Writer<'_, '_>) -> usize {
        let mut pages = 0;
        let root = last(self.bytes, b"/Root").and_then(|at| Reader::new(self.bytes, at + 5, &self.left).value());
        let catalog = self.dict(root.as_ref());
        if let Some(tree) = catalog.as_ref().and_then(|catalog| self.dict(catalog.get("Pages"))) {
            self.pages_of(&tree, &Dict::new(), 0, &mut BTreeSet::new(), &mut pages, writer);
        }
        if pages == 0 {
            // Where the tree cannot be found, the pages are read in the order of their numbers.
            for number in self.objects.keys() {
                if pages > MAX_PAGES || writer.is_over() {
                    break;
                }
                let Some(page) = self.object(*number).map(|object| object.value) else { continue };
                let Some(page) = page.dict().filter(|dict| dict.get("Type").and_then(Value::name) == Some("Page"))
                else {
                    continue;
                };
                self.pages_of(page, &Dict::new(), MAX_TREE, &mut BTreeSet::new(), &mut pages, writer);
            }
        }
        pages
    }

    fn pages_of(
        &self,
        node: &Dict,
        resources: &Dict,
        depth: usize,
        seen: &mut BTreeSet<u32>,
        pages: &mut usize,
        writer: &mut Writer<'_, '_>,
    ) {
        let own = self.dict(node.get("Resources"));
        let resources = own.as_deref().unwrap_or(resources);
        if !node.contains_key("Kids") {
            *pages += 1;
            if *pages <= MAX_PAGES {
                writer.page(node, resources);
            }
            return;
        }
        for kid in self.array(node.get("Kids")).iter() {
            if depth >= MAX_TREE || *pages > MAX_PAGES || writer.is_over() {
                return;
            }
            if matches!(kid, Value::Reference(number) if !seen.insert(*number)) {
                continue;
            }
            if let Some(kid) = self.dict(Some(kid)) {
                self.pages_of(&kid, resources, depth + 1, seen, pages, writer);
            }
        }
    }

    /// Returns a font by its name among resources.
    fn font(&self, resources: &Dict, name: &str) -> Option<Rc<Font>> {
        let fonts = self.dict(resources.get("Font"))?;
        let font = fonts.get(name)?;
        let make = || Some(Rc::new(self.make_font(self.dict(Some(font))?.as_ref())));
        let Value::Reference(number) = font else { return make() };
        if let Some(known) = self.fonts.borrow().get(number) {
            return Some(Rc::clone(known));
        }
        let made = make()?;
        self.fonts.borrow_mut().insert(*number, Rc::clone(&made));
        Some(made)
    }

    fn make_font(&self, dict: &Dict) -> Font {
        let kind = dict.get("Subtype").and_then(Value::name).unwrap_or_default();
        let font = if kind == "Type0" {
            let all = self.array(dict.get("DescendantFonts"));
            let below = all.first().and_then(|below| self.dict(Some(below)));
            let said = |name: &str| below.as_ref().and_then(|below| below.get(name));
            Font::composite(said("DW").and_then(Value::number), &self.array(said("W")), &self.left)
        } else {
            let encoding = dict.get("Encoding").and_then(|encoding| self.resolved(encoding));
            // Widths of letters that are drawn (Type 3) are in a measure of their own.
            let widths = self.array(dict.get("Widths").filter(|_| kind != "Type3"));
            Font::simple(encoding.as_deref(), Font::first_char(dict), &widths, &self.left)
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
