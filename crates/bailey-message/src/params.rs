//! A field's value with parameters: `multipart/mixed; boundary=x`, continued and in any charset (RFC 2045, 5.1; RFC 2231).

use std::collections::BTreeMap;

use crate::charset;
use crate::fields::Fields;

/// Most parameters of one field that are read.
const MAX_PARAMETERS: usize = 100;

/// Returns the value before the first semicolon, lower case and without blanks, and the parameters, their names in lower case.
pub(crate) fn parameters(value: &str) -> (String, Vec<(String, String)>) {
    let mut pieces = split(value).into_iter();
    let kind: String = pieces.next().unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
    let mut plain: Vec<(String, String)> = Vec::new();
    let mut continued: BTreeMap<String, BTreeMap<u32, (String, bool)>> = BTreeMap::new();
    for piece in pieces.take(MAX_PARAMETERS) {
        let Some((name, value)) = piece.split_once('=') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), unquoted(value.trim()));
        match section(&name) {
            Some((base, number, encoded)) => {
                continued.entry(base.to_owned()).or_default().insert(number, (value, encoded));
            }
            None => plain.push((name, encoded_words(value))),
        }
    }
    // The extended form goes before the plain one (RFC 6266, 4.3, as mail programs do it too).
    let extended = continued.into_iter().map(|(name, parts)| (name, joined(parts.into_values().collect())));
    (kind.to_ascii_lowercase(), extended.chain(plain).collect())
}

/// `filename*1*` is the second piece of `filename`, percent-encoded.
fn section(name: &str) -> Option<(&str, u32, bool)> {
    let (base, rest) = name.split_once('*')?;
    if rest.is_empty() {
        return Some((base, 0, true));
    }
    let (number, encoded) = rest.strip_suffix('*').map_or((rest, false), |number| (number, true));
    Some((base, number.parse().ok()?, encoded))
}

fn joined(parts: Vec<(String, bool)>) -> String {
    let mut bytes = Vec::new();
    let mut label = None;
    for (index, (value, encoded)) in parts.iter().enumerate() {
        let mut value = value.as_str();
        if index == 0
            && *encoded
            && let Some((charset, rest)) = value.split_once('\'')
        {
            label = Some(charset);
            value = rest.split_once('\'').map_or(rest, |(_, rest)| rest);
        }
        if *encoded { bytes.extend(percent_decoded(value)) } else { bytes.extend_from_slice(value.as_bytes()) }
    }
    charset::decode(&bytes, label.filter(|label| !label.is_empty()))
}

pub(crate) fn percent_decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes().iter();
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    while let Some(byte) = bytes.next() {
        let ahead = bytes.as_slice();
        match (*byte, digit(ahead.first()), digit(ahead.get(1))) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                let _ = (bytes.next(), bytes.next());
            }
            _ => out.push(*byte),
        }
    }
    out
}

/// Encoded words stand within quotation marks, where they should not (RFC 2047, 5).
fn encoded_words(value: String) -> String {
    if value.contains("=?") { Fields::default().line(value.as_bytes()) } else { value }
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            // A path of Windows is written with signs that should be escaped, and are not.
            '\\' => match chars.next() {
                Some(next @ ('"' | '\\')) => out.push(next),
                Some(next) => out.extend(['\\', next]),
                None => {}
            },
            '\r' | '\n' => {}
            other => out.push(other),
        }
    }
    out
}

/// Splits at semicolons outside of quotation marks, and leaves out comments before them.
fn split(value: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_u32);
    for c in value.chars() {
        let was_escaped = escaped;
        escaped = c == '\\' && quoted && !was_escaped;
        if c == '"' && !was_escaped && depth == 0 {
            quoted = !quoted;
        }
        if !quoted && c == '(' {
            depth += 1;
        }
        match out.last_mut() {
            _ if !quoted && c == ';' && depth == 0 => out.push(String::new()),
            Some(last) if depth == 0 => last.push(c),
            _ => {}
        }
        if !quoted && c == ')' {
            depth = depth.saturating_sub(1);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_every_form() {
        let of = |value: &str| {
            parameters(value).1.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(parameters("Multipart/Mixed ; Boundary=\"a;b\" (a; comment)").0, "multipart/mixed");
        assert_eq!(
            of("multipart/mixed; Boundary=\"a;b\" (a; comment)"),
            ["boundary=a;b "].map(|text| text.trim_end().to_owned())
        );
        assert_eq!(of("x/y; a=1;; b = 2 ;c"), ["a=1", "b=2"]);
        assert_eq!(of(r#"x/y; name="C:\dir\a.pdf""#), [r"name=C:\dir\a.pdf"]);
        assert_eq!(of(r#"x/y; name="say \"hi\".txt""#), ["name=say \"hi\".txt"]);
        assert_eq!(of("x/y; n*1=b; n*0=a"), ["n=ab"]);
        assert_eq!(of("x/y; n=plain; n*=utf-8'en'%E2%82%AC"), ["n=€", "n=plain"]);
        assert_eq!(of("x/y; n*=broken%ZZ"), ["n=broken%ZZ"]);
        assert_eq!(of("x/y; n=\"no end"), ["n=no end"]);
    }
}
