//! The family of requests: what asks a site for something, or lets it have something. A program in the agent's computer makes them, or the
//! agent does; either way what is approved is the request as it would be sent, byte for byte, and not a picture of a page.
//!
//! A look at a page tells its site what was asked for, and can carry anything there: it is egress as much as a form that is sent.

use sha2::{Digest as _, Sha256};

use super::escape::visible_lines;
use super::kind::{AskedBy, Group, kinds};
use super::tool::Amount;
use super::{ActionKind, Family, Party, Taint, Traits};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::ids::Digest;
use crate::intent::Verb;
use crate::place::Place;
use crate::preview::Preview;
use crate::verdict::Class;

kinds! {
    /// Asks a site for something: `GET`, `HEAD`.
    GET = {
        name: "http.get", group: Group::Fetch, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Lets a site have something: every other method.
    POST = {
        name: "http.post", group: Group::Outward, level: None, local: false,
        asked_by: AskedBy::Verbs(&[
            Verb::Send, Verb::Share, Verb::Create, Verb::Change, Verb::Cancel, Verb::Trash, Verb::Pay, Verb::Delegated,
        ]),
        suggest: None,
    };
}

/// Longest body of a request that waits for an answer, in bytes: it is kept whole.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Longest path and query, in bytes.
pub const MAX_TARGET_BYTES: usize = 16 * 1024;
/// Most fields of a request, and most bytes of them together.
pub const MAX_FIELDS: usize = 256;
/// See [`MAX_FIELDS`].
pub const MAX_FIELD_BYTES: usize = 64 * 1024;
/// Longest body that is shown as text, in bytes; above, size and hash are.
pub const MAX_SHOWN_BYTES: usize = 64 * 1024;
/// Longest method.
const MAX_METHOD_BYTES: usize = 16;

/// Who makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A program in the agent's computer, which waits for the answer.
    Computer,
    /// The agent itself.
    Agent,
}

/// One request, as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Who makes it.
    pub by: By,
    /// Its method, in capitals.
    pub method: String,
    /// Scheme, host and port of its site, as `https://example.org` or `http://example.org:8080`.
    pub origin: String,
    /// Path and query.
    pub target: String,
    /// Its fields, in the order they are sent.
    pub fields: Vec<(String, Vec<u8>)>,
    /// Its body.
    pub body: Vec<u8>,
    /// What whoever makes it had read: the computer, whatever the tasks had that used it.
    pub behind: Taint,
}

impl HttpRequest {
    /// Tells whether it only asks for something.
    #[must_use]
    pub fn is_look(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Returns its whole address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}{}", self.origin, self.target)
    }

    fn host(&self) -> &str {
        let rest = self.origin.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(':').next().unwrap_or_default()
    }
}

/// Tells whether a text is a site as it is written here: no account, no address in figures, no capital.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let in_figures = host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    let port_fits = |port: &str| !port.starts_with('0') && port.parse::<u16>().is_ok();
    host.chars().all(plain) && !in_figures && Place::new(text).is_some() && port.is_none_or(port_fits)
}

impl Family for HttpRequest {
    fn kind(&self) -> ActionKind {
        if self.is_look() { GET } else { POST }
    }

    fn class(&self) -> Class {
        Class::Compensable
    }

    fn traits(&self) -> Traits {
        Traits {
            recipients: vec![Party::new("site".into(), self.host())],
            unreadable_recipients: 0,
            // What was asked of a site once says nothing of what else may go there: a rule does.
            learns: Vec::new(),
            is_mail: false,
            // A site gets it, whatever it says; a link in it leads nobody anywhere.
            text_for_others: self.method.clone(),
            attachments: 0,
            foreign_attachments: 0,
            files: Vec::new(),
            sender_unproven: false,
            targets: Vec::new(),
            places: vec![Place::new(&self.address())],
            method: self.method.clone(),
            amount: Amount::None,
            tool: String::new(),
            undescribed: false,
            taint: Taint { untrusted: true, confidential: false },
            behind: self.behind,
            into_sent_or_drafts: false,
            among_own_folders: false,
        }
    }

    fn artefact(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.fields {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    fn check(&self) -> Result<(), CodecError> {
        let method_fits = !self.method.is_empty()
            && self.method.len() <= MAX_METHOD_BYTES
            && self.method.chars().all(|c| c.is_ascii_uppercase() || c == '-');
        if !method_fits {
            return Err(CodecError::Malformed("the method of a request"));
        }
        if !is_origin(&self.origin) {
            return Err(CodecError::Malformed("the site of a request"));
        }
        if !self.target.starts_with('/') || !self.target.chars().all(|c| c.is_ascii_graphic()) {
            return Err(CodecError::Malformed("the path of a request"));
        }
        let name_fits =
            |name: &str| !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
        let value_fits = |value: &[u8]| !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
        if !self.fields.iter().all(|(name, value)| name_fits(name) && value_fits(value)) {
            return Err(CodecError::Malformed("a field of a request"));
        }
        let bytes: usize = self.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        let fits = self.target.len() <= MAX_TARGET_BYTES
            && self.fields.len() <= MAX_FIELDS
            && bytes <= MAX_FIELD_BYTES
            && self.body.len() <= MAX_BODY_BYTES;
        if fits { Ok(()) } else { Err(CodecError::TooLong) }
    }

    fn encode(&self, out: &mut Encoder) {
        out.byte(TAG).byte(match self.by {
            By::Computer => 1,
            By::Agent => 2,
        });
        out.text(&self.method).text(&self.origin).text(&self.target);
        out.list(&self.fields, |out, (name, value)| {
            out.text(name).bytes(value);
        });
        out.bytes(&self.body).byte(u8::from(self.behind.untrusted)).byte(u8::from(self.behind.confidential));
    }

    fn preview(&self, out: &mut Preview) {
        out.headline = match (self.by, self.is_look()) {
            (By::Computer, true) => "Let the agent's computer ask a site for something",
            (By::Computer, false) => "Let the agent's computer send something to a site",
            (By::Agent, true) => "Ask a site for something",
            (By::Agent, false) => "Send something to a site",
        }
        .into();
        out.item("Method", &self.method);
        out.item("Site", &self.origin);
        out.item("Path", &self.target);
        for (name, value) in &self.fields {
            out.item("Field", &format!("{name}: {}", String::from_utf8_lossy(value)));
        }
        if self.body.is_empty() {
            return;
        }
        let digest = Digest::from_bytes(Sha256::digest(&self.body).into());
        out.item("Body", &format!("{} bytes, SHA-256 {digest}", self.body.len()));
        match std::str::from_utf8(&self.body) {
            Ok(text) if text.len() <= MAX_SHOWN_BYTES => out.body = visible_lines(text),
            _ => out.warnings.push(NOT_SHOWN.into()),
        }
    }
}

/// What is said where a body cannot be shown.
const NOT_SHOWN: &str = "Its body is no text, or longer than is shown here; it is known by its size and hash.";

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 21;

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<HttpRequest, CodecError> {
    let by = match bytes.byte()? {
        1 => By::Computer,
        2 => By::Agent,
        tag => return Err(CodecError::UnknownTag(tag)),
    };
    Ok(HttpRequest {
        by,
        method: bytes.text()?,
        origin: bytes.text()?,
        target: bytes.text()?,
        fields: bytes.list(|bytes| Ok((bytes.text()?, bytes.bytes()?.to_vec())))?,
        body: bytes.bytes()?.to_vec(),
        behind: Taint { untrusted: bytes.byte()? != 0, confidential: bytes.byte()? != 0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::Action;

    fn request() -> HttpRequest {
        HttpRequest {
            by: By::Computer,
            method: "POST".into(),
            origin: "https://shop.example".into(),
            target: "/cart?item=1".into(),
            fields: vec![("host".into(), b"shop.example".to_vec())],
            body: b"count=2".to_vec(),
            behind: Taint { untrusted: true, confidential: false },
        }
    }

    #[test]
    fn requests_read_back_as_they_were_written() {
        let action = Action::Http(request());
        assert_eq!(action.check(), Ok(()));
        let mut out = Encoder::default();
        action.encode(&mut out);
        let bytes = out.finish();
        let mut read = Decoder::new(&bytes);
        assert_eq!(Action::decode(&mut read), Ok(action));
        assert_eq!(read.finish(), Ok(()));
        let artefact = String::from_utf8(request().artefact()).unwrap();
        assert_eq!(artefact, "POST /cart?item=1 HTTP/1.1\r\nhost: shop.example\r\n\r\ncount=2");
    }

    #[test]
    fn requests_that_could_mean_another_are_refused() {
        let with = |change: fn(&mut HttpRequest)| {
            let mut request = request();
            change(&mut request);
            request
        };
        for bad in [
            with(|one| one.method = "post".into()),
            with(|one| one.method = String::new()),
            with(|one| one.origin = "ftp://shop.example".into()),
            with(|one| one.origin = "https://SHOP.example".into()),
            with(|one| one.origin = "https://a@shop.example".into()),
            with(|one| one.origin = "https://127.0.0.1".into()),
            with(|one| one.origin = "https://shop.example/".into()),
            with(|one| one.origin = "https://shop.example:080".into()),
            with(|one| one.target = "cart".into()),
            with(|one| one.target = "/a b".into()),
            with(|one| one.fields = vec![("a b".into(), Vec::new())]),
            with(|one| one.fields = vec![("a".into(), b"1\r\nb: 2".to_vec())]),
            with(|one| one.body = vec![0; MAX_BODY_BYTES + 1]),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
