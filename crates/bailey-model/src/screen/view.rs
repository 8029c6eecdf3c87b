//! A text as a reader sees it: without the encoding it came in, and with the place of every character in it.
//!
//! What is looked for is looked for here, and cut out of the source: strings of JSON, tags and entities of HTML, letters
//! that cannot be seen and letters that look alike are read first, and matched then.

use std::ops::Range;

use super::json::{Literal, literals};

/// Longest entity of HTML, in characters without `&` and `;`: `#x10ffff` and the names below are shorter.
const MAX_ENTITY: usize = 9;

/// A character as it is read, and the bytes of the source it stands for: none, where it only separates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sign {
    pub(super) c: char,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A text to look into.
#[derive(Debug)]
pub(super) struct View {
    /// The words, folded: no accents, no blanks but spaces, tabs and line breaks.
    pub(super) text: String,
    /// The same in lower case, byte for byte at the same places.
    pub(super) lower: String,
    /// For every character of the text: where it stands there, and which bytes of the source it is.
    places: Vec<(usize, usize, usize)>,
}

impl View {
    /// Reads a source, whose JSON literals are given where it is JSON.
    pub(super) fn of(source: &str, json: Option<&[Literal]>) -> Self {
        let signs = match json {
            Some(literals) => super::json::signs(source, literals),
            None => source.char_indices().map(|(at, c)| Sign { c, from: at, to: at + c.len_utf8() }).collect(),
        };
        Self::made_of(&read(&signs))
    }

    /// Reads a source that stands alone.
    pub(super) fn alone(source: &str) -> Self {
        Self::of(source, literals(source).as_deref())
    }

    fn made_of(signs: &[Sign]) -> Self {
        let (mut text, mut places) = (String::with_capacity(signs.len()), Vec::with_capacity(signs.len()));
        for sign in signs {
            places.push((text.len(), sign.from, sign.to));
            text.push(sign.c);
        }
        Self { lower: text.to_ascii_lowercase(), text, places }
    }

    /// Returns the bytes of the source that a part of the text stands for.
    pub(super) fn source(&self, part: &Range<usize>) -> Range<usize> {
        let first = self.places.partition_point(|(at, _, _)| *at < part.start);
        let behind = self.places.partition_point(|(at, _, _)| *at < part.end);
        let within = self.places.get(first..behind).unwrap_or_default().iter().filter(|(_, from, to)| from < to);
        let start = within.clone().map(|(_, from, _)| *from).min().unwrap_or(0);
        start..within.map(|(_, _, to)| *to).max().unwrap_or(start)
    }

    /// Returns the text with `%3A` and the like decoded (RFC 3986, 2.1); nothing where there is none.
    pub(super) fn percent_decoded(&self) -> Option<Self> {
        let signs: Vec<Sign> = self.signs();
        let (mut out, mut at, mut any) = (Vec::with_capacity(signs.len()), 0, false);
        while let Some(sign) = signs.get(at) {
            let digits = signs.get(at + 1..at + 3).unwrap_or_default();
            let hex: String = digits.iter().map(|sign| sign.c).collect();
            let byte = (sign.c == '%' && hex.len() == 2).then(|| u8::from_str_radix(&hex, 16).ok()).flatten();
            match (byte, digits.last()) {
                (Some(byte), Some(last)) if byte.is_ascii_graphic() || byte == b' ' || byte == b'\n' => {
                    out.push(Sign { c: char::from(byte), from: sign.from, to: last.to });
                    (at, any) = (at + 3, true);
                }
                _ => {
                    out.push(*sign);
                    at += 1;
                }
            }
        }
        any.then(|| Self::made_of(&out))
    }

    fn signs(&self) -> Vec<Sign> {
        self.text.chars().zip(&self.places).map(|(c, (_, from, to))| Sign { c, from: *from, to: *to }).collect()
    }
}

/// Reads tags, entities and escapes, and folds what is left.
fn read(signs: &[Sign]) -> Vec<Sign> {
    let (mut out, mut at) = (Vec::with_capacity(signs.len()), 0);
    while let Some(sign) = signs.get(at) {
        let taken = match sign.c {
            '<' => tag(signs, at, &mut out),
            '&' => entity(signs, at, &mut out),
            '\\' => escape(signs, at, &mut out),
            '=' => soft_break(signs, at, &mut out),
            _ => 0,
        };
        if taken == 0 {
            put(&mut out, sign.c, sign.from, sign.to);
        }
        at += taken.max(1);
    }
    out
}

/// Puts a character as it is read.
fn put(out: &mut Vec<Sign>, c: char, from: usize, to: usize) {
    if let Some(c) = fold(c) {
        out.push(Sign { c, from, to });
    }
}

/// Tags that only dress words.
const DRESS: [&str; 18] = [
    "b", "strong", "i", "em", "u", "span", "font", "code", "small", "big", "mark", "tt", "kbd", "s", "sub", "sup",
    "wbr", "samp",
];
/// Tags that begin a line.
const LINES: [&str; 16] =
    ["br", "p", "div", "tr", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "table", "pre", "hr"];

/// Other tags: what stands before and behind them are two words.
const OTHERS: [&str; 24] = [
    "a",
    "img",
    "html",
    "head",
    "body",
    "style",
    "meta",
    "title",
    "center",
    "blockquote",
    "tbody",
    "thead",
    "tfoot",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "button",
    "label",
    "svg",
    "dd",
    "dt",
    "dl",
];

/// Returns a tag of HTML: how many characters it takes, or 0 where there is none. What it says of a place stays to be read.
fn tag(signs: &[Sign], at: usize, out: &mut Vec<Sign>) -> usize {
    let rest = signs.get(at + 1..).unwrap_or_default();
    if !rest.first().is_some_and(|sign| sign.c.is_ascii_alphabetic() || matches!(sign.c, '/' | '!')) {
        return 0;
    }
    let Some(length) = rest.iter().position(|sign| matches!(sign.c, '<' | '>')) else { return 0 };
    if rest.get(length).is_none_or(|sign| sign.c == '<') {
        return 0;
    }
    let inside = rest.get(..length).unwrap_or_default();
    let name: String = inside.iter().map(|sign| sign.c.to_ascii_lowercase()).skip_while(|c| *c == '/').collect();
    let behind = rest.get(length).map_or(0, |sign| sign.to);
    if name.contains("://") {
        put(out, ' ', behind, behind);
        out.extend(read(inside));
        put(out, ' ', behind, behind);
        return length + 2;
    }
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if LINES.contains(&name) {
        put(out, '\n', behind, behind);
    } else if matches!(name, "td" | "th") {
        for c in [' ', '|', ' '] {
            put(out, c, behind, behind);
        }
    } else if OTHERS.contains(&name) || rest.first().is_some_and(|sign| sign.c == '!') {
        put(out, ' ', behind, behind);
    } else if !DRESS.contains(&name) {
        return 0;
    }
    length + 2
}

/// Entities of HTML by name, as far as words of the five languages need them.
const ENTITIES: [(&str, char); 30] = [
    ("nbsp", ' '),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("rsquo", '\''),
    ("lsquo", '\''),
    ("ldquo", '"'),
    ("rdquo", '"'),
    ("laquo", '"'),
    ("raquo", '"'),
    ("shy", '\u{ad}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("ndash", '-'),
    ("mdash", '-'),
    ("auml", 'a'),
    ("ouml", 'o'),
    ("uuml", 'u'),
    ("eacute", 'e'),
    ("egrave", 'e'),
    ("ecirc", 'e'),
    ("agrave", 'a'),
    ("aacute", 'a'),
    ("oacute", 'o'),
    ("iacute", 'i'),
    ("uacute", 'u'),
    ("ntilde", 'n'),
    ("ccedil", 'c'),
];

fn entity(signs: &[Sign], at: usize, out: &mut Vec<Sign>) -> usize {
    let rest = signs.get(at + 1..).unwrap_or_default();
    let Some(length) = rest.iter().take(MAX_ENTITY + 1).position(|sign| sign.c == ';') else { return 0 };
    let name: String = rest.iter().take(length).map(|sign| sign.c).collect();
    let number = match name.strip_prefix('#').map(|digits| (digits, digits.strip_prefix(['x', 'X']))) {
        Some((_, Some(hex))) => u32::from_str_radix(hex, 16).ok(),
        Some((digits, None)) => digits.parse().ok(),
        None => ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, c)| u32::from(*c)),
    };
    let (Some(c), Some(sign)) = (number.and_then(char::from_u32), signs.get(at)) else { return 0 };
    put(out, c, sign.from, rest.get(length).map_or(sign.to, |last| last.to));
    length + 2
}

/// Returns what stands escaped once more, as in a JSON text within a text.
fn escape(signs: &[Sign], at: usize, out: &mut Vec<Sign>) -> usize {
    let (Some(sign), Some(next)) = (signs.get(at), signs.get(at + 1)) else { return 0 };
    let c = match next.c {
        'n' | 'r' => '\n',
        't' => '\t',
        '"' | '/' => next.c,
        'u' => {
            let digits = signs.get(at + 2..at + 6).unwrap_or_default();
            let hex: String = digits.iter().map(|sign| sign.c).collect();
            let Some(c) = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32) else { return 0 };
            put(out, c, sign.from, digits.last().map_or(next.to, |last| last.to));
            return 6;
        }
        _ => return 0,
    };
    put(out, c, sign.from, next.to);
    2
}

/// Reads soft line breaks and equals signs of quoted-printable text (RFC 2045, 6.7).
fn soft_break(signs: &[Sign], at: usize, out: &mut Vec<Sign>) -> usize {
    let next = |n: usize| signs.get(at + n).map(|sign| sign.c);
    match (next(1), next(2)) {
        (Some('\r'), Some('\n')) => 3,
        // An empty value ends a line too; a soft break stands within a longer one.
        (Some('\n'), Some(after)) if after.is_ascii_alphanumeric() && line_before(signs, at) > 60 => 2,
        (Some('3'), Some('D')) => {
            if let (Some(sign), Some(last)) = (signs.get(at), signs.get(at + 2)) {
                put(out, '=', sign.from, last.to);
            }
            3
        }
        _ => 0,
    }
}

/// Characters of the line before this place, up to 76.
fn line_before(signs: &[Sign], at: usize) -> usize {
    signs.get(..at).unwrap_or_default().iter().rev().take(76).take_while(|sign| sign.c != '\n').count()
}

/// Returns a character as it is matched: nothing for what cannot be seen, a space for blanks, ASCII for what looks like it.
fn fold(c: char) -> Option<char> {
    Some(match c {
        '\n' | '\t' | ' '..='~' => c,
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{20e3}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => return None,
        '\u{2800}' => ' ',
        _ if c.is_whitespace() => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => '\'',
        '\u{201c}'..='\u{201e}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}' => '"',
        '\u{ff01}'..='\u{ff5e}' => moved(c, 0xff01, '!'),
        '\u{660}'..='\u{669}' => moved(c, 0x660, '0'),
        '\u{6f0}'..='\u{6f9}' => moved(c, 0x6f0, '0'),
        '\u{966}'..='\u{96f}' => moved(c, 0x966, '0'),
        '\u{2460}'..='\u{2468}' => moved(c, 0x2460, '1'),
        '\u{1d7ce}'..='\u{1d7ff}' => char::from_digit((u32::from(c) - 0x1d7ce) % 10, 10).unwrap_or(c),
        'À'..='Å' => 'A',
        'à'..='å' => 'a',
        'Ç' => 'C',
        'ç' => 'c',
        'È'..='Ë' => 'E',
        'è'..='ë' => 'e',
        'Ì'..='Ï' => 'I',
        'ì'..='ï' => 'i',
        'Ñ' => 'N',
        'ñ' => 'n',
        'Ò'..='Ö' | 'Ø' => 'O',
        'ò'..='ö' | 'ø' => 'o',
        'Ù'..='Ü' => 'U',
        'ù'..='ü' => 'u',
        _ => c,
    })
}

/// Returns the character as far from `to` as this one is from `base`.
fn moved(c: char, base: u32, to: char) -> char {
    char::from_u32(u32::from(c) - base + u32::from(to)).unwrap_or(c)
}
