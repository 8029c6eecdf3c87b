//! Which letters the codes of a font stand for (ISO 32000-1, 9.10): by its own table, else by the encoding it names.

use std::collections::BTreeMap;

use super::value::{Dict, Reader, Value, Work};

/// Most codes of one font that are kept, and most codes of one range: all that two bytes can say.
const MAX_CODES: usize = 65_536;
/// What a code takes of what may be done for a document: about the memory of its letters.
const CODE_WORK: usize = 64;
/// Most bytes of the letters of one code.
const MAX_LETTERS: usize = 32;
/// Width of a letter whose font does not say it, in thousandths of the size.
const USUAL_WIDTH: f64 = 500.0;

/// What is known of a font.
#[derive(Debug, Default)]
pub(super) struct Font {
    /// Bytes of one code.
    pub(super) code_bytes: usize,
    letters: BTreeMap<u32, String>,
    /// The charset that codes are in where no table says more.
    charset: Option<&'static encoding_rs::Encoding>,
    widths: BTreeMap<u32, f64>,
    usual_width: f64,
}

impl Font {
    /// Makes a font of one byte for each letter.
    pub(super) fn simple(encoding: Option<&Value>, first: usize, widths: &[Value], left: &Work) -> Self {
        let named = encoding.and_then(|value| value.name().or_else(|| value.dict()?.get("BaseEncoding")?.name()));
        let charset =
            if named == Some("MacRomanEncoding") { encoding_rs::MACINTOSH } else { encoding_rs::WINDOWS_1252 };
        let differences = encoding.and_then(|value| value.dict()?.get("Differences")?.array()).unwrap_or_default();
        let (mut letters, mut code) = (BTreeMap::new(), 0_usize);
        for value in differences {
            match value {
                Value::Number(_) => code = value.count().unwrap_or_default(),
                Value::Name(name) => {
                    if left.take(CODE_WORK).is_none() {
                        break;
                    }
                    if let Some(letter) = glyph(name) {
                        letters.insert(u32::try_from(code).unwrap_or(u32::MAX), letter);
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
        let width = |(at, value): (usize, &Value)| {
            left.take(CODE_WORK)?;
            Some((u32::try_from(first + at).ok()?, value.number()?))
        };
        let widths = widths.iter().take(256).enumerate().filter_map(width).collect();
        Self { code_bytes: 1, letters, charset: Some(charset), widths, usual_width: USUAL_WIDTH }
    }

    /// Makes a font whose letters have codes of two bytes; `widths` is the array `W` (ISO 32000-1, 9.7.4.3).
    pub(super) fn composite(usual_width: Option<f64>, widths: &[Value], left: &Work) -> Self {
        let (mut known, mut codes) = (BTreeMap::new(), 0);
        let mut keep = |code: usize, width: f64| {
            codes += 1;
            left.take(CODE_WORK).filter(|()| codes <= MAX_CODES)?;
            known.insert(u32::try_from(code).ok()?, width);
            Some(())
        };
        let mut rest = widths;
        while let [Value::Number(_), after @ ..] = rest {
            let first = rest.first().and_then(Value::count).unwrap_or_default();
            let kept = match after {
                [Value::Array(all), behind @ ..] => {
                    rest = behind;
                    all.iter().enumerate().try_for_each(|(at, width)| keep(first + at, width.number()?))
                }
                [last @ Value::Number(_), Value::Number(width), behind @ ..] => {
                    rest = behind;
                    (first..=last.count().unwrap_or_default()).try_for_each(|code| keep(code, *width))
                }
                _ => None,
            };
            if kept.is_none() {
                break;
            }
        }
        let usual_width = usual_width.unwrap_or(1_000.0);
        Self { code_bytes: 2, letters: BTreeMap::new(), charset: None, widths: known, usual_width }
    }

    /// Takes the letters that a table of the font says (`ToUnicode`; ISO 32000-1, 9.10.3).
    pub(super) fn with_table(mut self, table: &[u8], left: &Work) -> Self {
        let mut reader = Reader::new(table, 0, left);
        let mut before: Vec<Value> = Vec::new();
        while let Some(value) = reader.value() {
            let Value::Word(word) = &value else {
                if before.len() < MAX_CODES {
                    before.push(value);
                }
                continue;
            };
            let kept = match word.as_slice() {
                b"endcodespacerange" => {
                    if let Some(code) = before.first().and_then(Value::text) {
                        self.code_bytes = code.len().clamp(1, 2);
                    }
                    Some(())
                }
                b"endbfchar" => before.chunks(2).try_for_each(|pair| self.one(pair, left)),
                b"endbfrange" => before.chunks(3).try_for_each(|range| self.range(range, left)),
                _ => Some(()),
            };
            if kept.is_none() {
                break;
            }
            before.clear();
        }
        self
    }

    fn one(&mut self, pair: &[Value], left: &Work) -> Option<()> {
        match pair {
            [Value::Text(code), Value::Text(letters)] => self.put(number(code), letters, left),
            _ => Some(()),
        }
    }

    fn range(&mut self, range: &[Value], left: &Work) -> Option<()> {
        let [Value::Text(first), Value::Text(last), to] = range else { return Some(()) };
        let mut codes = number(first)..=number(last);
        match to {
            Value::Array(all) => {
                codes.zip(all.iter().filter_map(Value::text)).try_for_each(|(code, to)| self.put(code, to, left))
            }
            Value::Text(start) => {
                // The last unit counts on.
                let start = start.get(..MAX_LETTERS).unwrap_or(start);
                let (fixed, last_unit) = start.split_at(start.len().saturating_sub(2));
                let first = *codes.start();
                codes.try_for_each(|code| {
                    let unit = number(last_unit).saturating_add(code - first);
                    let unit = u16::try_from(unit).unwrap_or(u16::MAX);
                    self.put(code, &[fixed, &unit.to_be_bytes()].concat(), left)
                })
            }
            _ => Some(()),
        }
    }

    /// Keeps the letters of a code; `None` where no more are kept, of this font or at all.
    fn put(&mut self, code: u32, letters: &[u8], left: &Work) -> Option<()> {
        left.take(CODE_WORK).filter(|()| self.letters.len() < MAX_CODES)?;
        self.letters.insert(code, utf16(letters));
        Some(())
    }

    /// Splits a text into its codes.
    pub(super) fn codes<'t>(&self, text: &'t [u8]) -> impl Iterator<Item = u32> + use<'t> {
        text.chunks(self.code_bytes.max(1)).map(number)
    }

    /// Returns the letters of a code; `None` where nothing says which.
    pub(super) fn letters(&self, code: u32) -> Option<String> {
        let by_charset = || {
            let byte = u8::try_from(code).ok().filter(|byte| *byte >= 0x20)?;
            self.charset.map(|charset| charset.decode_without_bom_handling(&[byte]).0.into_owned())
        };
        self.letters.get(&code).cloned().or_else(by_charset)
    }

    /// Returns how far a code moves on, in thousandths of the size.
    pub(super) fn width(&self, code: u32) -> f64 {
        self.widths.get(&code).copied().unwrap_or(self.usual_width)
    }
}

impl Font {
    /// Reads the array `Widths` and where it begins.
    pub(super) fn first_char(font: &Dict) -> usize {
        font.get("FirstChar").and_then(Value::count).unwrap_or_default().min(MAX_CODES)
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    let unit = |pair: &[u8]| pair.iter().fold(0_u16, |sum, byte| sum << 8 | u16::from(*byte));
    String::from_utf16_lossy(&bytes.chunks(2).take(MAX_LETTERS / 2).map(unit).collect::<Vec<_>>())
}

/// Names of signs that fonts name their glyphs by, beside letters that are their own names (Adobe Glyph List).
const SIGNS: [(&str, &str); 60] = [
    ("space", " "),
    ("exclam", "!"),
    ("quotedbl", "\""),
    ("numbersign", "#"),
    ("dollar", "$"),
    ("percent", "%"),
    ("ampersand", "&"),
    ("quotesingle", "'"),
    ("quoteright", "’"),
    ("quoteleft", "‘"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("asterisk", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("hyphen", "-"),
    ("minus", "−"),
    ("period", "."),
    ("slash", "/"),
    ("zero", "0"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("colon", ":"),
    ("semicolon", ";"),
    ("less", "<"),
    ("equal", "="),
    ("greater", ">"),
    ("question", "?"),
    ("at", "@"),
    ("bracketleft", "["),
    ("backslash", "\\"),
    ("bracketright", "]"),
    ("underscore", "_"),
    ("braceleft", "{"),
    ("bar", "|"),
    ("braceright", "}"),
    ("quotedblleft", "“"),
    ("quotedblright", "”"),
    ("endash", "–"),
    ("emdash", "—"),
    ("bullet", "•"),
    ("ellipsis", "…"),
    ("Euro", "€"),
    ("sterling", "£"),
    ("section", "§"),
    ("degree", "°"),
    ("germandbls", "ß"),
    ("ae", "æ"),
    ("oslash", "ø"),
    ("ff", "ff"),
    ("fi", "fi"),
    ("fl", "fl"),
    ("ffi", "ffi"),
];
/// Endings of names of letters with marks, and the marks (put behind the letter, as Unicode combines them).
const MARKS: [(&str, &str, &str); 8] = [
    ("dieresis", "aeiouyAEIOU", "äëïöüÿÄËÏÖÜ"),
    ("acute", "aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ"),
    ("grave", "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
    ("circumflex", "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
    ("tilde", "anoANO", "ãñõÃÑÕ"),
    ("ring", "aA", "åÅ"),
    ("cedilla", "cC", "çÇ"),
    ("caron", "cszCSZ", "čšžČŠŽ"),
];

/// Returns what a glyph's name stands for.
fn glyph(name: &str) -> Option<String> {
    let base = name.split('.').next().unwrap_or(name);
    if base.len() == 1 {
        return Some(base.to_owned());
    }
    if let Some((_, sign)) = SIGNS.iter().find(|(known, _)| *known == base) {
        return Some((*sign).to_owned());
    }
    if let Some(code) = base.strip_prefix("uni").or_else(|| base.strip_prefix('u')) {
        let code = Some(code).filter(|code| (4..=6).contains(&code.len()));
        if let Some(letter) = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            return Some(letter.to_string());
        }
    }
    MARKS.iter().find_map(|(ending, plain, marked)| {
        let letter = base.strip_suffix(ending)?;
        plain.chars().zip(marked.chars()).find(|(plain, _)| letter == plain.to_string()).map(|(_, it)| it.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_the_fonts_table_or_of_its_encoding() {
        let left = Work::new(100_000);
        let table = b"1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0003> <0020> <0004> <00660069> endbfchar 2 beginbfrange <0010> <0012> <0041> <0020> <0021> [<00E4> <D83DDE00>] endbfrange";
        let font = Font::composite(None, &[], &left).with_table(table, &left);
        let all: String = [3, 4, 0x10, 0x12, 0x20, 0x21].iter().filter_map(|code| font.letters(*code)).collect();
        assert_eq!(all, " fiACä😀");
        assert_eq!(font.codes(&[0, 3, 0, 4]).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(font.letters(0x99), None);
        let names = ["Adieresis", "fi", "uni20AC", "a.alt", "nothing-known"].map(|name| Value::Name(name.into()));
        let differences = std::iter::once(Value::Number(1.0)).chain(names).collect();
        let encoding = Value::Dict([("Differences".to_owned(), Value::Array(differences))].into());
        let font = Font::simple(Some(&encoding), 0, &[], &left);
        let all: Vec<Option<String>> = (1..=5).map(|code| font.letters(code)).collect();
        assert_eq!(all, [Some("Ä"), Some("fi"), Some("€"), Some("a"), None].map(|letter| letter.map(str::to_owned)));
        assert_eq!(font.letters(0xfc).as_deref(), Some("ü"));
    }

    #[test]
    fn ranges_without_an_end_are_bounded() {
        let most = 100_000_000;
        let left = Work::new(most);
        let long = "0041".repeat(1_000);
        let table = format!("1 beginbfrange <00000000> <FFFFFFFF> <{long}> endbfrange ").repeat(50);
        let font = Font::composite(None, &[], &left).with_table(table.as_bytes(), &left);
        assert_eq!(font.letters.len(), MAX_CODES);
        assert_eq!(font.letters(0).map(|letters| letters.len()), Some(16));
        // Nothing is done for the ranges behind the one that filled it.
        assert!(most - left.left() < (MAX_CODES + 1) * CODE_WORK + 5_000, "{}", left.left());
        let left = Work::new(most);
        let again: Vec<Value> = [0.0, 65_000.0, 1.0].repeat(6_666).into_iter().map(Value::Number).collect();
        let wide = Font::composite(None, &again, &left);
        assert_eq!((wide.widths.len(), most - left.left()), (65_001, (MAX_CODES + 1) * CODE_WORK));
        let wide = Font::composite(None, &[0.0, 4e9, 1.0].map(Value::Number), &left);
        assert_eq!(wide.widths.len(), MAX_CODES);
        // What may be done in all bounds every font.
        let left = Work::new(1_000 * CODE_WORK);
        assert_eq!(Font::composite(None, &again, &left).widths.len(), 1_000);
        assert_eq!(left.left(), 0);
    }
}
