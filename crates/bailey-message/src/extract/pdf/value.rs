//! What a PDF is written in (ISO 32000-1, 7.3): values, read one by one, as many bytes of them as a document may cost.

use std::cell::Cell;
use std::collections::BTreeMap;

/// How deep arrays and dictionaries may nest.
const MAX_NESTED: usize = 24;
/// Most values in arrays and dictionaries up to the next word, those that nest included: what is beyond is passed over.
const MAX_ITEMS: usize = 65_536;
/// What a value in an array or a dictionary, an array, and a dictionary take of what may be done, beside their bytes: about their memory.
const ITEM_WORK: usize = 8;
const LIST_WORK: usize = 16;
const DICT_WORK: usize = 256;

/// What may still be done for a document: each byte that is looked at or copied takes one, and what is kept takes its share.
#[derive(Debug)]
pub(super) struct Work(Cell<usize>);

impl Work {
    pub(super) const fn new(most: usize) -> Self {
        Self(Cell::new(most))
    }

    pub(super) const fn left(&self) -> usize {
        self.0.get()
    }

    /// Takes a part of it; where less is left, nothing is left from then on, so that all that draws from it ends.
    pub(super) fn take(&self, part: usize) -> Option<()> {
        let left = self.0.get().checked_sub(part);
        self.0.set(left.unwrap_or_default());
        left.map(|_| ())
    }
}

/// The entries of a dictionary.
pub(super) type Dict = BTreeMap<String, Value>;

/// A value, or a word between values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Text(Vec<u8>),
    Name(String),
    Array(Vec<Value>),
    Dict(Dict),
    /// An object by its number.
    Reference(u32),
    /// `obj`, `stream`, `Tj`, `true`, …
    Word(Vec<u8>),
}

impl Value {
    pub(super) const fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Returns a number that counts something.
    pub(super) fn count(&self) -> Option<usize> {
        let number = self.number().filter(|number| *number >= 0.0 && *number < 4_294_967_296.0)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was looked at above")]
        Some(number as usize)
    }

    pub(super) fn name(&self) -> Option<&str> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    pub(super) fn text(&self) -> Option<&[u8]> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn array(&self) -> Option<&[Self]> {
        if let Self::Array(all) = self { Some(all) } else { None }
    }

    pub(super) const fn dict(&self) -> Option<&Dict> {
        if let Self::Dict(dict) = self { Some(dict) } else { None }
    }

    pub(super) fn is_word(&self, word: &[u8]) -> bool {
        matches!(self, Self::Word(found) if found == word)
    }
}

/// Reads values from bytes. Every byte that is looked at is taken from what may be read in all.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    left: &'a Work,
    /// Values in arrays and dictionaries since the last word.
    items: usize,
}

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

pub(super) const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize, left: &'a Work) -> Self {
        Self { bytes, at, left, items: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Passes over bytes.
    pub(super) fn skip_to(&mut self, at: usize) {
        self.at = at.max(self.at);
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        self.left.take(1)?;
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn pass_blanks(&mut self) -> Option<()> {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while !matches!(self.next()?, b'\n' | b'\r') {}
            } else if is_blank(byte) {
                self.next()?;
            } else {
                break;
            }
        }
        Some(())
    }

    /// Returns the next value; `None` at the end, and where no more may be read.
    pub(super) fn value(&mut self) -> Option<Value> {
        let value = self.nested(0)?;
        if matches!(value, Value::Word(_)) {
            self.items = 0;
        }
        Some(value)
    }

    /// Takes what one more value in an array or a dictionary costs, and tells whether it is kept.
    fn keeps_item(&mut self) -> Option<bool> {
        self.left.take(ITEM_WORK)?;
        self.items += 1;
        Some(self.items <= MAX_ITEMS)
    }

    fn nested(&mut self, depth: usize) -> Option<Value> {
        self.pass_blanks()?;
        match self.peek()? {
            b'/' => {
                self.next()?;
                self.named().map(Value::Name)
            }
            b'(' => {
                self.next()?;
                self.literal().map(Value::Text)
            }
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') && depth < MAX_NESTED => {
                self.at += 2;
                self.dictionary(depth).map(Value::Dict)
            }
            b'<' => {
                self.next()?;
                self.hexadecimal().map(Value::Text)
            }
            b'[' if depth < MAX_NESTED => {
                self.next()?;
                self.list(depth).map(Value::Array)
            }
            b'+' | b'-' | b'.' | b'0'..=b'9' => Some(self.number_or_reference()?),
            byte if is_delimiter(byte) => {
                self.next()?;
                Some(Value::Word(vec![byte]))
            }
            _ => self.word().map(Value::Word),
        }
    }

    fn word(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| !is_blank(*byte) && !is_delimiter(*byte)) {
            self.next()?;
            out.push(byte);
        }
        Some(out)
    }

    fn named(&mut self) -> Option<String> {
        let word = self.word()?;
        let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
        let (mut out, mut rest) = (Vec::new(), word.as_slice());
        while let Some((byte, after)) = rest.split_first() {
            match (byte, digit(after.first()), digit(after.get(1))) {
                (b'#', Some(high), Some(low)) => {
                    out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    rest = after.get(2..).unwrap_or_default();
                }
                _ => {
                    out.push(*byte);
                    rest = after;
                }
            }
        }
        Some(String::from_utf8_lossy(&out).into_owned())
    }

    fn literal(&mut self) -> Option<Vec<u8>> {
        let (mut out, mut open) = (Vec::new(), 1_u32);
        loop {
            match self.next()? {
                b'(' => {
                    open += 1;
                    out.push(b'(');
                }
                b')' if open == 1 => return Some(out),
                b')' => {
                    open -= 1;
                    out.push(b')');
                }
                b'\\' => self.escaped(&mut out)?,
                byte => out.push(byte),
            }
        }
    }

    fn escaped(&mut self, out: &mut Vec<u8>) -> Option<()> {
        match self.next()? {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(0x0c),
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.next()?;
                }
            }
            b'\n' => {}
            first @ b'0'..=b'7' => {
                let mut number = u32::from(first - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    self.next()?;
                    number = number * 8 + u32::from(digit - b'0');
                }
                out.push(u8::try_from(number & 0xff).unwrap_or_default());
            }
            byte => out.push(byte),
        }
        Some(())
    }

    fn hexadecimal(&mut self) -> Option<Vec<u8>> {
        let (mut out, mut high): (Vec<u8>, Option<u32>) = (Vec::new(), None);
        loop {
            let byte = self.next()?;
            let digit = char::from(byte).to_digit(16);
            match (digit, high.take()) {
                (Some(low), Some(high)) => out.push(u8::try_from(high * 16 + low).unwrap_or_default()),
                (Some(digit), None) => high = Some(digit),
                (None, Some(high)) if byte == b'>' => out.push(u8::try_from(high * 16).unwrap_or_default()),
                (None, before) => high = before,
            }
            if byte == b'>' {
                return Some(out);
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Value>> {
        self.left.take(LIST_WORK)?;
        let mut out = Vec::new();
        loop {
            let value = self.nested(depth + 1)?;
            if value.is_word(b"]") || value.is_word(b"endobj") {
                return Some(out);
            }
            if self.keeps_item()? {
                out.push(value);
            }
        }
    }

    fn dictionary(&mut self, depth: usize) -> Option<Dict> {
        self.left.take(DICT_WORK)?;
        let mut out = Dict::new();
        loop {
            let key = self.nested(depth + 1)?;
            if key.is_word(b">") || key.is_word(b"endobj") {
                // The second of the two.
                if self.peek() == Some(b'>') {
                    self.next()?;
                }
                return Some(out);
            }
            let Value::Name(key) = key else { continue };
            let value = self.nested(depth + 1)?;
            if value.is_word(b">") {
                continue;
            }
            if self.keeps_item()? {
                out.insert(key, value);
            }
        }
    }

    fn number_or_reference(&mut self) -> Option<Value> {
        let number = parsed(&self.word()?);
        let after = self.at;
        if let Some(object) = whole(number) {
            self.pass_blanks()?;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                let generation = self.word()?;
                self.pass_blanks()?;
                let ends = self.bytes.get(self.at + 1).is_none_or(|byte| is_blank(*byte) || is_delimiter(*byte));
                if generation.iter().all(u8::is_ascii_digit) && self.peek() == Some(b'R') && ends {
                    self.next()?;
                    return Some(Value::Reference(object));
                }
            }
        }
        self.at = after;
        Some(Value::Number(number))
    }
}

/// Reads a number; what is none is nought, as readers take it.
fn parsed(word: &[u8]) -> f64 {
    let text = std::str::from_utf8(word).unwrap_or_default();
    text.parse::<f64>().ok().filter(|number| number.is_finite()).unwrap_or_default()
}

fn whole(number: f64) -> Option<u32> {
    let plain = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was looked at above")]
    plain.then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Value> {
        let left = Work::new(10_000);
        let mut reader = Reader::new(text.as_bytes(), 0, &left);
        std::iter::from_fn(|| reader.value()).collect()
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        let text = |bytes: &[u8]| Value::Text(bytes.to_vec());
        assert_eq!(
            read("12 -3.5 +.5 7 0 R"),
            [12.0, -3.5, 0.5].map(Value::Number).into_iter().chain([Value::Reference(7)]).collect::<Vec<_>>()
        );
        assert_eq!(read(r"(a(b)\)\n\101\7)"), [text(b"a(b))\nA\x07")]);
        assert_eq!(read("<48 656C6c6F7>"), [text(b"Hellop")]);
        assert_eq!(read("/A#20b % remark\n/C"), [Value::Name("A b".into()), Value::Name("C".into())]);
        let all = read("<< /Kids [1 0 R 2 0 R] /Count 2 /D << /E (x) >> >> stream");
        let dict = all[0].dict().unwrap();
        assert_eq!(dict["Kids"].array().unwrap(), [Value::Reference(1), Value::Reference(2)]);
        assert_eq!(dict["D"].dict().unwrap()["E"], text(b"x"));
        assert!(all[1].is_word(b"stream"));
    }

    #[test]
    fn reading_has_an_end_whatever_is_written() {
        for text in
            ["[".repeat(50_000), "<<".repeat(50_000), "(".repeat(50_000), "1 ".repeat(50_000), "<< /A ".repeat(9_000)]
        {
            let _ = read(&text);
        }
        assert_eq!(read("<< /A 1"), []);
        assert_eq!(read(")"), [Value::Word(b")".to_vec())]);
    }

    #[test]
    fn reading_keeps_as_many_values_as_are_allowed_however_they_nest() {
        let left = Work::new(100_000_000);
        let text = format!("[{}] word [1]", "[<</A 1>>]".repeat(50_000));
        let mut reader = Reader::new(text.as_bytes(), 0, &left);
        let value = reader.value().unwrap();
        let kept: usize = value.array().unwrap().iter().map(|one| 1 + one.array().unwrap().len()).sum();
        assert!((MAX_ITEMS / 2..=MAX_ITEMS).contains(&kept), "{kept}");
        assert!(reader.value().unwrap().is_word(b"word"));
        assert_eq!(reader.value(), Some(Value::Array(vec![Value::Number(1.0)])));
        // Each that is kept takes its share of what may be done.
        let left = Work::new(100 * DICT_WORK);
        assert_eq!(Reader::new(text.as_bytes(), 0, &left).value(), None);
        assert_eq!(left.left(), 0);
    }
}
