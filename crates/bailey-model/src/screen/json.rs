//! The literals of a JSON text, so that what they say is screened and their encoding stays as it was.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::view::Sign;

/// A string or a number in a JSON text (RFC 8259).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    /// Its bytes in the text; of a string, those between the quotation marks.
    pub(super) bytes: Range<usize>,
    /// Tells whether it is a string.
    pub(super) string: bool,
    /// Tells whether it names a member.
    pub(super) name: bool,
}

/// Returns the literals of a text, in order, where it is a JSON object, array or string; nothing where it is not.
pub(super) fn literals(text: &str) -> Option<Vec<Literal>> {
    if !text.trim_start().starts_with(['{', '[', '"']) || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return None;
    }
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = string_end(bytes, at + 1);
                let behind = bytes.get(end + 1..).unwrap_or_default().iter().find(|byte| !byte.is_ascii_whitespace());
                out.push(Literal { bytes: at + 1..end, string: true, name: behind == Some(&b':') });
                at = end + 1;
            }
            b'-' | b'0'..=b'9' => {
                let rest = bytes.get(at..).unwrap_or_default();
                let number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
                let end = at + rest.iter().take_while(|byte| number(byte)).count();
                out.push(Literal { bytes: at..end, string: false, name: false });
                at = end;
            }
            _ => at += 1,
        }
    }
    Some(out)
}

/// Tells where a string ends: at the first quotation mark that is not escaped.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Returns what the literals say, names before their values, one line for each.
pub(super) fn signs(text: &str, literals: &[Literal]) -> Vec<Sign> {
    let mut out = Vec::with_capacity(text.len());
    for literal in literals {
        let inside = text.get(literal.bytes.clone()).unwrap_or_default();
        let behind = literal.bytes.end;
        let mut chars = inside.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let (c, taken) = if c == '\\' && literal.string {
                let said = unescaped(inside.get(at..).unwrap_or_default());
                for _ in 1..said.1 {
                    chars.next();
                }
                said
            } else {
                (c, c.len_utf8())
            };
            let from = literal.bytes.start + at;
            out.push(Sign { c, from, to: from + taken });
        }
        let separator: &[char] = if literal.name { &[':', ' '] } else { &['\n'] };
        out.extend(separator.iter().map(|c| Sign { c: *c, from: behind, to: behind }));
    }
    out
}

/// Returns the character an escape stands for, and its length in bytes.
fn unescaped(text: &str) -> (char, usize) {
    let unit = |from: usize| text.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match text.as_bytes().get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => match (unit(2), text.get(6..8).filter(|next| *next == "\\u").and_then(|_| unit(8))) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                let joined = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
            }
            (Some(one), _) => (char::from_u32(one).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            (None, _) => (char::REPLACEMENT_CHARACTER, 6),
        },
        Some(other) => (char::from(*other), 2),
        None => ('\\', 1),
    }
}
