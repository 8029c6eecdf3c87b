//! The tree of a message's parts (RFC 2045, RFC 2046), with the numbers that IMAP gives them (RFC 3501, 6.4.5).

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

use crate::address::clean;
use crate::fields::{Fields, next_line};
use crate::params::parameters;

/// How deep parts may lie within parts. Nobody writes such mail by hand.
pub(crate) const MAX_DEPTH: usize = 32;
/// Most parts of one message that are looked at.
pub(crate) const MAX_PARTS: usize = 10_000;

/// One part.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    /// The number that IMAP gives it; empty for the whole message.
    pub(crate) path: String,
    pub(crate) about: About,
    pub(crate) body: Body<'a>,
}

/// What a part says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    /// `type/subtype`, lower case.
    pub(crate) media: String,
    pub(crate) charset: Option<String>,
    pub(crate) boundary: Option<String>,
    /// The part that a `multipart/related` begins with.
    pub(crate) start: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) flowed: bool,
    pub(crate) delsp: bool,
    pub(crate) name: Option<String>,
    pub(crate) is_attachment: bool,
    pub(crate) content_id: Option<String>,
    /// The transfer encoding, lower case.
    pub(crate) encoding: String,
}

#[derive(Debug, Clone)]
pub(crate) enum Body<'a> {
    /// As it was sent, still in its transfer encoding; `whole` where nothing was left out.
    Bytes {
        bytes: Cow<'a, [u8]>,
        whole: bool,
    },
    /// Not fetched; so many bytes in its transfer encoding.
    Absent(u64),
    Parts(Vec<Part<'a>>),
    Message(Box<Inner<'a>>),
    /// Deeper, or more, than is looked at.
    TooDeep,
}

/// A message, whole or within another.
#[derive(Debug, Clone)]
pub(crate) struct Inner<'a> {
    pub(crate) fields: Fields,
    pub(crate) root: Part<'a>,
}

impl About {
    pub(crate) fn of(fields: &Fields, in_digest: bool) -> Self {
        let mut about =
            Self { media: if in_digest { "message/rfc822" } else { "text/plain" }.into(), ..Self::default() };
        if let Some(value) = fields.raw("content-type") {
            about.take_type(&fields.readable(value));
        }
        if let Some(value) = fields.raw("content-disposition") {
            let (kind, attributes) = parameters(&fields.readable(value));
            // Anything that is not known is an attachment (RFC 2183, 2.8).
            about.is_attachment = !kind.is_empty() && kind != "inline";
            about.name =
                attributes.into_iter().find(|(name, _)| name == "filename").map(|(_, value)| value).or(about.name);
        }
        about.content_id = fields.text("content-id").map(|id| bare(&id));
        let encoding = fields.text("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase();
        about.encoding = encoding.split([' ', ';']).next().unwrap_or_default().to_owned();
        about.name = about.name.map(|name| clean(&name)).filter(|name| !name.is_empty());
        about
    }

    fn take_type(&mut self, value: &str) {
        let (kind, attributes) = parameters(value);
        let media = match kind.as_str() {
            // RFC 2045, 5.2: what is no type is plain text; and what programs write for short.
            "text" => "text/plain".to_owned(),
            "html" => "text/html".to_owned(),
            "" => self.media.clone(),
            other => other.to_owned(),
        };
        self.media = media;
        for (name, value) in attributes {
            self.take(&name, value);
        }
    }

    /// Takes a parameter of the type.
    pub(crate) fn take(&mut self, name: &str, value: String) {
        match name {
            "charset" => self.charset = Some(value),
            "boundary" => self.boundary = Some(value),
            "start" => self.start = Some(bare(&value)),
            "method" => self.method = Some(value.to_ascii_uppercase()),
            "format" => self.flowed = value.eq_ignore_ascii_case("flowed"),
            "delsp" => self.delsp = value.eq_ignore_ascii_case("yes"),
            "name" | "filename" => self.name = self.name.take().or(Some(value)),
            _ => {}
        }
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        self.media.split('/').next() == Some(kind)
    }
}

fn bare(id: &str) -> String {
    id.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

impl Part<'_> {
    /// Returns the bytes of a part, its transfer encoding undone.
    pub(crate) fn decoded(&self) -> Option<(Cow<'_, [u8]>, bool)> {
        match &self.body {
            Body::Bytes { bytes, whole } => Some((decode(bytes, &self.about.encoding), *whole)),
            Body::Absent(_) | Body::Parts(_) | Body::Message(_) | Body::TooDeep => None,
        }
    }
}

/// Undoes a transfer encoding; what is not written by it is taken as it is.
pub(crate) fn decode<'b>(bytes: &'b [u8], encoding: &str) -> Cow<'b, [u8]> {
    let decoded = match encoding {
        "base64" => decode_base64(bytes),
        "quoted-printable" => quoted_printable_decode(bytes),
        _ => None,
    };
    decoded.map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// Base64 as programs read it: what is no letter of it is passed over (RFC 2045, 6.8), and what is cut gives what came.
fn decode_base64(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let letters: Vec<u8> = bytes.iter().filter(|byte| is_letter(byte)).copied().collect();
    // Blanks between words are no base64, whatever the letters are; line breaks are.
    let passed_over = |byte: &&u8| matches!(**byte, b'\r' | b'\n' | b'\t' | b'=');
    let foreign = bytes.iter().filter(|byte| !is_letter(byte) && !passed_over(byte)).count();
    if foreign > letters.len() / 8 {
        return None;
    }
    let whole = letters.len() - letters.len() % 4;
    let mut out = base64_decode(letters.get(..whole)?)?;
    let mut last = letters.get(whole..)?.to_vec();
    if last.len() > 1 {
        last.resize(4, b'=');
        out.extend(base64_decode(&last)?);
    }
    Some(out)
}

/// Takes a message apart.
pub(crate) fn message(bytes: &[u8], whole: bool) -> Inner<'_> {
    let mut left = MAX_PARTS;
    inner(Cow::Borrowed(bytes), whole, "", 0, &mut left)
}

fn inner<'a>(bytes: Cow<'a, [u8]>, whole: bool, path: &str, depth: usize, left: &mut usize) -> Inner<'a> {
    let (fields, body) = split(bytes);
    let about = About::of(&fields, false);
    let fields = fields.with_charset(about.charset.as_deref());
    let multipart = about.is("multipart");
    // The text of a message that has one part is its part 1; the parts of a multipart are its parts.
    let own = if multipart { path.to_owned() } else { join(path, 1) };
    let root = part(about, body, whole, own, depth, left);
    Inner { fields, root }
}

fn split(bytes: Cow<'_, [u8]>) -> (Fields, Cow<'_, [u8]>) {
    match bytes {
        Cow::Borrowed(bytes) => {
            let (fields, body) = Fields::split(bytes);
            (fields, Cow::Borrowed(body))
        }
        Cow::Owned(bytes) => {
            let (fields, body) = Fields::split(&bytes);
            let body = body.to_vec();
            (fields, Cow::Owned(body))
        }
    }
}

pub(crate) fn join(path: &str, number: usize) -> String {
    if path.is_empty() { number.to_string() } else { format!("{path}.{number}") }
}

fn part<'a>(about: About, body: Cow<'a, [u8]>, whole: bool, path: String, depth: usize, left: &mut usize) -> Part<'a> {
    let deep = depth >= MAX_DEPTH || *left == 0;
    *left = left.saturating_sub(1);
    let is_message = matches!(about.media.as_str(), "message/rfc822" | "message/global" | "message/news");
    if about.is("multipart")
        && let Some(boundary) = about.boundary.clone().filter(|boundary| !boundary.is_empty())
    {
        if deep {
            return Part { path, about, body: Body::TooDeep };
        }
        // A transfer encoding of a multipart is forbidden (RFC 2045, 6.4), and met.
        let pieces = match body {
            Cow::Borrowed(body) => pieces(body, &boundary)
                .map(|all| all.into_iter().map(|(piece, ended)| (Cow::Borrowed(piece), ended)).collect::<Vec<_>>()),
            Cow::Owned(ref body) => pieces(body, &boundary)
                .map(|all| all.into_iter().map(|(piece, ended)| (Cow::Owned(piece.to_vec()), ended)).collect()),
        };
        if let Some(pieces) = pieces {
            let digest = about.media == "multipart/digest";
            let mut parts = Vec::new();
            for (index, (piece, ended)) in pieces.into_iter().enumerate() {
                if *left == 0 {
                    parts.push(Part { path: join(&path, index + 1), about: About::default(), body: Body::TooDeep });
                    break;
                }
                let (fields, body) = split(piece);
                let about = About::of(&fields, digest);
                parts.push(part(about, body, whole || ended, join(&path, index + 1), depth + 1, left));
            }
            return Part { path, about, body: Body::Parts(parts) };
        }
        // No part at all: what stands there is text, as programs show it.
        let path = if path.is_empty() { "1".to_owned() } else { path };
        let about = About { media: "text/plain".into(), ..about };
        return Part { path, about, body: Body::Bytes { bytes: body, whole } };
    }
    if about.is("multipart") {
        // No boundary is named: the same.
        let path = if path.is_empty() { "1".to_owned() } else { path };
        return Part {
            path,
            about: About { media: "text/plain".into(), ..about },
            body: Body::Bytes { bytes: body, whole },
        };
    }
    if is_message {
        if deep {
            return Part { path, about, body: Body::TooDeep };
        }
        let decoded = match (&body, about.encoding.as_str()) {
            (_, "base64" | "quoted-printable") => Cow::Owned(decode(&body, &about.encoding).into_owned()),
            _ => body,
        };
        let inner = inner(decoded, whole, &path, depth + 1, left);
        return Part { path, about, body: Body::Message(Box::new(inner)) };
    }
    Part { path, about, body: Body::Bytes { bytes: body, whole } }
}

/// Returns the parts between a boundary's lines, each with whether it was ended by one. `None` where no such line stands.
fn pieces<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<(&'a [u8], bool)>> {
    let boundary = boundary.as_bytes();
    let mut out = Vec::new();
    let mut begun: Option<usize> = None;
    let mut at = 0;
    let mut rest = body;
    while let Some((line, after)) = next_line(rest) {
        let here = at;
        at += rest.len() - after.len();
        rest = after;
        let Some(tail) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)) else { continue };
        let last = tail.starts_with(b"--");
        let blank = tail.strip_prefix(b"--").unwrap_or(tail).iter().all(u8::is_ascii_whitespace);
        if !blank {
            continue;
        }
        if let Some(from) = begun {
            out.push((without_break(body.get(from..here).unwrap_or_default()), true));
        }
        begun = (!last).then_some(at);
        if last {
            break;
        }
        if out.len() > MAX_PARTS {
            return Some(out);
        }
    }
    if let Some(from) = begun.filter(|from| *from < body.len()) {
        out.push((body.get(from..).unwrap_or_default(), false));
    }
    (!out.is_empty() || begun.is_some()).then_some(out)
}

/// Returns the line break before a boundary belongs to it (RFC 2046, 5.1.1).
fn without_break(piece: &[u8]) -> &[u8] {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.strip_suffix(b"\r").unwrap_or(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(part: &Part<'_>, out: &mut Vec<String>) {
        match &part.body {
            Body::Parts(parts) => parts.iter().for_each(|part| paths(part, out)),
            Body::Message(inner) => {
                out.push(part.path.clone());
                paths(&inner.root, out);
            }
            _ => out.push(format!("{} {}", part.path, part.about.media)),
        }
    }

    #[test]
    fn parts_have_the_numbers_that_imap_gives_them() {
        let mail = b"Content-Type: multipart/mixed; boundary=\"abc\"\r\n\r\npreamble\r\n--abc\r\n\r\nfirst\r\n--abc\r\n\
            Content-Type: multipart/alternative; boundary=abc-1\r\n\r\n--abc-1\r\n\r\na\r\n--abc-1\r\nContent-Type: text/html\r\n\r\nb\r\n--abc-1--\r\n--abc\r\n\
            Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner\r\n--abc\r\n\
            Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n\r\none\r\n--z\r\n\r\ntwo\r\n--z--\r\n--abc--\r\nepilogue";
        let mut found = Vec::new();
        paths(&message(mail, true).root, &mut found);
        assert_eq!(
            found,
            [
                "1 text/plain",
                "2.1 text/plain",
                "2.2 text/html",
                "3",
                "3.1 text/plain",
                "4",
                "4.1 text/plain",
                "4.2 text/plain"
            ]
        );
        let mut found = Vec::new();
        paths(&message(b"Subject: x\r\n\r\ntext", true).root, &mut found);
        assert_eq!(found, ["1 text/plain"]);
    }

    #[test]
    fn file_names_are_read_in_every_form() {
        for (field, name) in [
            ("Content-Disposition: attachment; filename=\"plain.pdf\"", "plain.pdf"),
            ("Content-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf", "Grüße.pdf"),
            ("Content-Disposition: attachment; filename*0=\"Re\"; filename*1=\"port.pdf\"", "Report.pdf"),
            ("Content-Disposition: attachment; filename*0*=iso-8859-1''Gr%FC; filename*1*=%DFe.pdf", "Grüße.pdf"),
            ("Content-Disposition: attachment; filename=\"=?utf-8?Q?Gr=C3=BC=C3=9Fe.pdf?=\"", "Grüße.pdf"),
            ("Content-Disposition: attachment; filename=\"Gr\u{fc}\u{df}e.pdf\"", "Grüße.pdf"),
            ("Content-Type: application/pdf; name=\"=?iso-8859-1?Q?Gr=FC=DFe.pdf?=\"", "Grüße.pdf"),
            ("Content-Type: application/pdf; name=two words.pdf", "two words.pdf"),
        ] {
            let (fields, _) = Fields::split(format!("{field}\r\n\r\n").as_bytes());
            assert_eq!(About::of(&fields, false).name.as_deref(), Some(name), "{field}");
        }
        let (fields, _) = Fields::split(b"Content-Disposition: attachment; filename=\"Gr\xfc\xdfe.pdf\"\r\n\r\n");
        assert_eq!(About::of(&fields, false).name.as_deref(), Some("Grüße.pdf"));
    }

    #[test]
    fn transfer_encodings_are_undone_as_far_as_they_go() {
        assert_eq!(decode(b"R3LD\r\nvMOfZQ==", "base64"), "Grüße".as_bytes());
        assert_eq!(decode(b"R3LDvMOfZ", "base64"), &"Grüße".as_bytes()[..6]);
        assert_eq!(decode(b"!!not base64!!", "base64").as_ref(), b"!!not base64!!");
        assert_eq!(decode(b"Gr=C3=BC=C3=9Fe=\r\n!", "quoted-printable"), "Grüße!".as_bytes());
        assert_eq!(decode(b"as it is", "x-unknown").as_ref(), b"as it is");
    }

    #[test]
    fn depth_and_number_have_an_end() {
        let deep = b"Content-Type: message/rfc822\r\n\r\n".repeat(20_000);
        let mut found = Vec::new();
        paths(&message(&deep, true).root, &mut found);
        assert!(found.len() <= 33, "{}", found.len());
        let many =
            [b"Content-Type: multipart/mixed; boundary=a\r\n\r\n".as_slice(), &b"--a\r\n\r\n\r\n".repeat(50_000)]
                .concat();
        let mut found = Vec::new();
        paths(&message(&many, true).root, &mut found);
        assert!(found.len() <= 10_001, "{}", found.len());
    }
}
