//! Header fields (RFC 5322, 2.2) as they stand in a message, and their values as text.

use std::borrow::Cow;

use mail_parser::HeaderValue;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;

use crate::charset;

/// Most bytes of one header that are read, and most of one field: the library takes a time for them that may grow with the square.
pub(crate) const MAX_HEADER: usize = 64 * 1024;
const MAX_FIELD: usize = 16 * 1024;
/// Most fields of one header that are read.
const MAX_FIELDS: usize = 1_000;

/// Header fields in the order they stand in.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    all: Vec<(String, Vec<u8>)>,
    /// Charset that raw letters are taken to be in.
    charset: Option<String>,
    cut: bool,
}

impl Fields {
    /// Splits a message, or a part, into its header fields and its body.
    #[must_use]
    pub fn split(bytes: &[u8]) -> (Self, &[u8]) {
        let mut fields = Self::default();
        let mut rest = bytes;
        let mut read = 0;
        // A line of a mailbox file before the first field.
        if let Some((line, after)) = next_line(rest)
            && (line.starts_with(b"From ") || line.starts_with(b">From "))
        {
            rest = after;
        }
        while let Some((line, after)) = next_line(rest) {
            if line.is_empty() {
                return (fields, after);
            }
            read += line.len();
            let folded = matches!(line.first(), Some(b' ' | b'\t'));
            let fits = read <= MAX_HEADER && fields.all.len() < MAX_FIELDS;
            match (folded, field(line)) {
                (true, _) => match fields.all.last_mut() {
                    Some((_, value)) if fits && value.len() + line.len() <= MAX_FIELD => {
                        value.extend_from_slice(b"\r\n");
                        value.extend_from_slice(line);
                    }
                    // A line of blanks alone ends no header; text without a field does.
                    Some(_) => fields.cut = true,
                    None if line.iter().all(u8::is_ascii_whitespace) => {}
                    None => return (fields, rest),
                },
                (false, Some((name, value))) => {
                    fields.cut |= !fits || value.len() > MAX_FIELD;
                    if fits {
                        fields.all.push((name, value.get(..MAX_FIELD).unwrap_or(value).to_vec()));
                    }
                }
                // No field: the body has begun without a blank line.
                (false, None) => return (fields, rest),
            }
            rest = after;
        }
        (fields, &[])
    }

    /// Sets the charset that raw letters are taken to be in, where they are not UTF-8.
    #[must_use]
    pub fn with_charset(mut self, charset: Option<&str>) -> Self {
        self.charset = charset.map(str::to_owned);
        self
    }

    /// Tells whether some of it was too long, and left out.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Returns names and raw values, in order; names in lower case.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.all.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Returns the raw value of the first field of a name.
    pub(crate) fn raw(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns the first field of a name as one line of text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(|value| self.line(value))
    }

    pub(crate) fn line(&self, value: &[u8]) -> String {
        let readable = self.readable(value);
        let text = match MessageStream::new(readable.as_bytes()).parse_unstructured() {
            HeaderValue::Text(text) => text.into_owned(),
            _ => String::new(),
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Returns a value for the library to read: UTF-8, each encoded word whole, ended by a line break.
    pub(crate) fn readable(&self, value: &[u8]) -> String {
        let text = charset::header(value, self.charset.as_deref());
        let mut out = whole_words(&text).into_owned();
        out.push_str("\r\n");
        out
    }
}

/// Returns the next line without its end, and what follows it.
pub(crate) fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

fn field(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    let name = name.trim_ascii_end();
    let plain = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic());
    plain.then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.trim_ascii_start()))
}

/// Most encoded words of one field that are read.
const MAX_WORDS: usize = 500;

/// Decodes encoded words (RFC 2047) with the charset they are in, not the one they claim, and letters that were cut in two between
/// them put together; then writes them anew, each run of them as one word of UTF-8, so that commas within stay within.
fn whole_words(text: &str) -> Cow<'_, str> {
    if !text.contains("=?") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut run: Option<Run> = None;
    let mut rest = text;
    let mut words = 0;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let read = if words < MAX_WORDS { word(from) } else { None };
        let Some((word, after)) = read else {
            flush(&mut run, &mut out);
            out.push_str(before);
            out.push_str("=?");
            rest = from.get(2..).unwrap_or_default();
            continue;
        };
        words += 1;
        match &mut run {
            Some(run) if before.trim().is_empty() && run.charset == word.charset => run.bytes.extend(word.bytes),
            // Blanks between encoded words are not part of the text.
            Some(_) if before.trim().is_empty() => {
                flush(&mut run, &mut out);
                out.push(' ');
                run = Some(word);
            }
            _ => {
                flush(&mut run, &mut out);
                out.push_str(before);
                run = Some(word);
            }
        }
        rest = after;
    }
    flush(&mut run, &mut out);
    out.push_str(rest);
    Cow::Owned(out)
}

struct Run {
    charset: String,
    bytes: Vec<u8>,
}

fn word(text: &str) -> Option<(Run, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (content, after) = rest.split_once("?=")?;
    let plain = !charset.is_empty() && charset.len() < 64 && charset.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || content.len() > MAX_FIELD {
        return None;
    }
    let bytes = match encoding {
        "b" | "B" => {
            let letters: Vec<u8> = content.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            base64_decode(&letters)?
        }
        "q" | "Q" => quoted_printable_decode(content.replace(['_', ' '], "=20").as_bytes())?,
        _ => return None,
    };
    Some((Run { charset: charset.to_ascii_lowercase(), bytes }, after))
}

fn flush(run: &mut Option<Run>, out: &mut String) {
    let Some(run) = run.take() else { return };
    let text = charset::decode(&run.bytes, Some(&run.charset));
    // Quoted-printable, every byte of it: no letter is left that could mean something to who reads the field.
    out.push_str("=?utf-8?Q?");
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)) {
        out.push_str(&format!("={byte:02X}"));
    }
    out.push_str("?=");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(value: &[u8]) -> String {
        let mail = [b"Subject: ".as_slice(), value, b"\r\n\r\nbody"].concat();
        let (fields, body) = Fields::split(&mail);
        assert_eq!(body, b"body");
        fields.text("subject").unwrap_or_default()
    }

    #[test]
    fn subjects_are_read_in_whatever_charset_they_are() {
        for (value, text) in [
            (b"Gr\xfc\xdfe".as_slice(), "Grüße"),
            ("Grüße".as_bytes(), "Grüße"),
            (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"=?us-ascii?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"=?iso-8859-1?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"=?utf-8?Q?Gr=FC=DFe?=", "Grüße"),
            // A letter cut in two between the words.
            (b"=?utf-8?B?R3LD?=\r\n =?utf-8?B?vMOfZQ==?=", "Grüße"),
            (b"=?utf-8?Q?a?= =?iso-8859-1?Q?=FC?= b", "aü b"),
            (b"=?utf-8?Q?one two?= three", "one two three"),
            (b"=?broken =?utf-8?Q?x?=", "=?broken x"),
            (b"a =?utf-8?X?x?= b", "a =?utf-8?X?x?= b"),
            (b"folded\r\n  twice\r\n\tover", "folded twice over"),
        ] {
            assert_eq!(subject(value), text, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn a_header_ends_where_no_field_stands() {
        let (fields, body) = Fields::split(b"From x y\r\nA: 1\nB : 2\r\nno field\r\n\r\nx");
        assert_eq!(fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
        assert!(body.starts_with(b"no field"));
        assert_eq!(Fields::split(b"\r\nbody").1, b"body");
        let long = [b"A: ".as_slice(), &b"x".repeat(MAX_FIELD * 2), b"\r\n\r\nbody"].concat();
        assert!(Fields::split(&long).0.is_cut());
        assert_eq!(Fields::split(&long).1, b"body");
    }

    #[test]
    fn a_header_without_end_is_cut() {
        let long = [b"A: ".as_slice(), &b"x".repeat(1024 * 1024), b"\r\n\r\nbody"].concat();
        let many =
            [b"A: 0123456789\r\n".repeat(900).as_slice(), b"B: ", &b"x".repeat(90 * 1024), b"\r\n\r\nbody"].concat();
        for mail in [long, many] {
            let (fields, body) = Fields::split(&mail);
            let kept: usize = fields.iter().map(|(_, value)| value.len()).sum();
            assert!(fields.is_cut() && kept <= 64 * 1024, "{kept}");
            assert_eq!(body, b"body");
        }
    }
}
