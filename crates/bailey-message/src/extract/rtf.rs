//! Rich text (RTF, Microsoft's specification 1.9.1): its words, with lines, cells and letters of its code page.

use crate::charset;

/// How deep groups may nest; what lies deeper counts as part of the group around it.
const MAX_NESTED: usize = 500;
/// Most bytes of text.
const MAX_TEXT: usize = 4 * 1024 * 1024;
/// Groups that hold no text of the document, by the word they begin with.
const NO_TEXT: [&str; 24] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "themedata",
    "datastore",
    "listtable",
    "listoverridetable",
    "rsidtbl",
    "generator",
    "xmlnstbl",
    "latentstyles",
    "colorschememapping",
    "fldinst",
    "filetbl",
    "revtbl",
    "bkmkstart",
    "bkmkend",
    "private",
    "pgdsctbl",
    "mmathPr",
    "userprops",
];

/// What is in force in a group.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// It is no text of the document.
    skips: bool,
    /// A reader does not see it (`\v`).
    is_hidden: bool,
    /// Letters that stand behind one of Unicode for programs that know none (`\uc`).
    stand_ins: usize,
}

/// Reads a document's text, and says what was left out.
pub(super) fn text(bytes: &[u8]) -> (String, Vec<String>) {
    let mut reader = Reading {
        rest: bytes,
        out: String::new(),
        raw: Vec::new(),
        page: "windows-1252".into(),
        groups: vec![Group { skips: false, is_hidden: false, stand_ins: 1 }],
        deeper: 0,
        passes: 0,
        hidden: 0,
    };
    while reader.step().is_some() && reader.out.len() < MAX_TEXT {}
    reader.flush();
    let mut cut = Vec::new();
    if !reader.rest.is_empty() {
        cut.push("it is longer than is read of one file".into());
    }
    if reader.hidden > 0 {
        cut.push(format!("{} letters of it that a reader does not see were left out", reader.hidden));
    }
    let lines: Vec<&str> = reader.out.lines().map(str::trim_end).collect();
    (lines.join("\n").trim().to_owned(), cut)
}

struct Reading<'a> {
    rest: &'a [u8],
    out: String,
    /// Letters in the code page that were not read yet.
    raw: Vec<u8>,
    page: String,
    groups: Vec<Group>,
    /// Groups that are too deep to be kept.
    deeper: usize,
    /// Letters to pass over.
    passes: usize,
    hidden: usize,
}

impl Reading<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn group(&mut self) -> Option<&mut Group> {
        self.groups.last_mut()
    }

    fn step(&mut self) -> Option<()> {
        match self.next()? {
            b'{' => {
                self.passes = 0;
                match self.groups.last().copied() {
                    Some(group) if self.groups.len() < MAX_NESTED => self.groups.push(group),
                    _ => self.deeper += 1,
                }
            }
            b'}' => {
                self.passes = 0;
                if self.deeper > 0 {
                    self.deeper -= 1;
                } else if self.groups.len() > 1 {
                    self.groups.pop();
                }
            }
            b'\\' => self.control()?,
            b'\r' | b'\n' => {}
            byte => self.letter(byte),
        }
        Some(())
    }

    /// Takes a letter of the code page.
    fn letter(&mut self, byte: u8) {
        if self.passes > 0 {
            self.passes -= 1;
            return;
        }
        match self.groups.last() {
            Some(group) if group.skips => {}
            Some(group) if group.is_hidden => self.hidden += 1,
            _ => self.raw.push(byte),
        }
    }

    fn flush(&mut self) {
        if !self.raw.is_empty() {
            let text = charset::decode(&self.raw, Some(&self.page));
            self.out.extend(text.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }));
            self.raw.clear();
        }
    }

    /// Writes what is no letter of the code page.
    fn write(&mut self, text: &str) {
        match self.groups.last() {
            Some(group) if group.skips => {}
            Some(group) if group.is_hidden => self.hidden += text.chars().count(),
            _ => {
                self.flush();
                self.out.push_str(text);
            }
        }
    }

    fn control(&mut self) -> Option<()> {
        let first = *self.rest.first()?;
        if first.is_ascii_alphabetic() {
            let (word, number) = self.word();
            self.act(&word, number);
            return Some(());
        }
        self.next()?;
        match first {
            b'\'' => {
                let digits = [self.next()?, self.next()?].map(|digit| char::from(digit).to_digit(16));
                if let [Some(high), Some(low)] = digits {
                    self.letter(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                }
            }
            b'\\' | b'{' | b'}' => self.letter(first),
            b'~' => self.write("\u{a0}"),
            b'_' => self.write("-"),
            b'*' => {
                if let Some(group) = self.group() {
                    group.skips = true;
                }
            }
            b'\r' | b'\n' => self.write("\n"),
            _ => {}
        }
        Some(())
    }

    /// Reads a word and the number behind it; a blank behind both belongs to them.
    fn word(&mut self) -> (String, Option<i64>) {
        let take = |rest: &mut &[u8], fits: fn(&u8) -> bool, most: usize| {
            let count = rest.iter().take(most).take_while(|byte| fits(byte)).count();
            let (taken, after) = rest.split_at(count);
            *rest = after;
            String::from_utf8_lossy(taken).into_owned()
        };
        let word = take(&mut self.rest, u8::is_ascii_alphabetic, 32);
        let minus = self.rest.strip_prefix(b"-").filter(|rest| rest.first().is_some_and(u8::is_ascii_digit));
        if let Some(rest) = minus {
            self.rest = rest;
        }
        let digits = take(&mut self.rest, u8::is_ascii_digit, 10);
        self.rest = self.rest.strip_prefix(b" ").unwrap_or(self.rest);
        let number = digits.parse::<i64>().ok().map(|number| if minus.is_some() { -number } else { number });
        (word, number)
    }

    fn act(&mut self, word: &str, number: Option<i64>) {
        match word {
            "par" | "line" | "sect" | "page" => self.write("\n"),
            "row" => self.write("\n"),
            "cell" | "nestcell" => self.write(" | "),
            "tab" => self.write("\t"),
            "emdash" => self.write("\u{2014}"),
            "endash" => self.write("\u{2013}"),
            "bullet" => self.write("\u{2022}"),
            "lquote" => self.write("\u{2018}"),
            "rquote" => self.write("\u{2019}"),
            "ldblquote" => self.write("\u{201c}"),
            "rdblquote" => self.write("\u{201d}"),
            "ansicpg" => {
                self.page = match number {
                    Some(932) => "shift_jis".into(),
                    Some(936) => "gbk".into(),
                    Some(949) => "euc-kr".into(),
                    Some(950) => "big5".into(),
                    Some(65001) => "utf-8".into(),
                    Some(page) => format!("windows-{page}"),
                    None => return,
                };
            }
            "u" => {
                // Numbers above 32767 are written as negative ones; pairs stand for letters beyond.
                let unit = number.and_then(|number| u16::try_from(number.rem_euclid(65_536)).ok()).unwrap_or(0xfffd);
                self.unit(unit);
                self.passes = self.groups.last().map_or(1, |group| group.stand_ins);
            }
            "uc" => {
                if let Some(group) = self.group() {
                    group.stand_ins = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(1).min(16);
                }
            }
            "v" => {
                if let Some(group) = self.group() {
                    group.is_hidden = number != Some(0);
                }
            }
            "plain" => {
                if let Some(group) = self.group() {
                    group.is_hidden = false;
                }
            }
            "bin" => {
                let count = number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
                self.rest = self.rest.get(count..).unwrap_or_default();
            }
            _ if NO_TEXT.contains(&word) => {
                if let Some(group) = self.group() {
                    group.skips = true;
                }
            }
            _ => {}
        }
    }

    /// Writes one unit of UTF-16; the two halves of a letter come one after the other.
    fn unit(&mut self, unit: u16) {
        match char::decode_utf16([unit]).next() {
            Some(Ok(letter)) => self.write(letter.encode_utf8(&mut [0; 4])),
            _ if (0xd800..0xdc00).contains(&unit) => {
                let plain = char::from_u32(0xf_0000 + u32::from(unit & 0x3ff)).unwrap_or('\u{fffd}');
                self.write(plain.encode_utf8(&mut [0; 4]));
            }
            _ => {
                // The second half, behind the first, which waits as a letter of the private area.
                let high =
                    self.out.chars().next_back().map(u32::from).filter(|high| (0xf_0000..0xf_0400).contains(high));
                let letter = high.map(|high| 0x1_0000 + ((high - 0xf_0000) << 10) + u32::from(unit & 0x3ff));
                if let Some(letter) = letter.and_then(char::from_u32) {
                    self.out.pop();
                    self.write(letter.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_without_what_steers_them() {
        let rtf = br"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}{\*\generator x;}\f0\fs20 Gr\'fc\'dfe, \b all\b0e\par
second\line {\i it}\tab \u8364?5 \u-10179?\u-8704? \{x\}\par\trowd a\cell b\cell\row {\v secret}{\field{\*\fldinst HYPERLINK x}{\fldrslt shown}}{\pict\bin3 }}}}after}";
        let (read, cut) = text(rtf);
        assert_eq!(read, "Gr\u{fc}\u{df}e, alle\nsecond\nit\t\u{20ac}5 \u{1f600} {x}\na | b |\nshownafter");
        assert_eq!(cut, ["6 letters of it that a reader does not see were left out"]);
        assert_eq!(text(br"{\rtf1\ansicpg1251 \'cf\'f0}").0, "\u{41f}\u{440}");
        assert_eq!(text(br"{\rtf1\ansicpg932 \'93\'fa}").0, "\u{65e5}");
    }

    #[test]
    fn what_is_no_rich_text_ends() {
        for odd in [
            "{".repeat(100_000),
            "}".repeat(1_000),
            r"\'".into(),
            r"\bin99999999999 x".into(),
            r"{\rtf\u".into(),
            r"\u-1".into(),
            "\\".into(),
        ] {
            let _ = text(odd.as_bytes());
        }
        assert!(text(br"{\rtf1 \u-9000?x}").0.contains('x'));
    }
}
