//! Leaving a mailing list by one request (RFC 8058): one POST of fixed words to the one address that a mail names for it.

use super::codec::{decode_reference, encode_reference};
use super::preview::place;
use super::{MessageRef, Summary};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::family::{Party, punycode};
use crate::preview::Preview;

/// What is posted (RFC 8058, 3.2).
pub const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// Longest address of a list, in bytes: they hold long tokens.
const MAX_ADDRESS_BYTES: usize = 4_000;
/// Longest name of a host, and of one label of it, in bytes (RFC 1035, 2.3.4).
const MAX_HOST_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// Leaving the list that a mail came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribing {
    /// Names the mail.
    pub message: MessageRef,
    /// Where the request goes.
    pub address: ListAddress,
    /// The domain whose signature of the mail covers the address, as the account's own server found out.
    pub signed_by: String,
    /// Quotes what the mail says of itself, for the preview.
    pub about: Summary,
}

/// An address on the web that one request may go to: https at its usual port, a name in the public naming system, and nothing that a
/// reader could take for another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAddress {
    whole: String,
    /// Bytes of it up to the path.
    path: usize,
}

/// What it begins with.
const SCHEME: &str = "https://";

impl ListAddress {
    /// Reads an address; `None` for one that nothing is sent to.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_at_checked(SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) || text.len() > MAX_ADDRESS_BYTES {
            return None;
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = authority.strip_suffix(":443").unwrap_or(authority).to_ascii_lowercase();
        let written = |c: char| c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=:@/?".contains(c);
        if !is_public_name(&host) || !target.chars().all(written) {
            return None;
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Some(Self { path: SCHEME.len() + host.len(), whole: format!("{SCHEME}{host}{slash}{target}") })
    }

    /// Returns the whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// Returns the host, in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        self.whole.get(SCHEME.len()..self.path).unwrap_or_default()
    }

    /// Returns what is asked of the host: path and query.
    #[must_use]
    pub fn target(&self) -> &str {
        self.whole.get(self.path..).unwrap_or_default()
    }
}

/// Tells whether it is a name with a domain, and none of the forms that addresses of machines are written in.
fn is_public_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let top = host.rsplit('.').next().unwrap_or_default();
    host.len() <= MAX_HOST_BYTES
        && host.contains('.')
        && host.split('.').all(label)
        && top.starts_with(|c: char| c.is_ascii_lowercase())
}

impl Unsubscribing {
    /// Names the list's server, as somebody who gets something.
    pub(super) fn party(&self) -> Party {
        Party::new("site".into(), self.address.host())
    }
}

pub(super) fn encode(leaving: &Unsubscribing, out: &mut Encoder) {
    encode_reference(&leaving.message, out);
    out.text(leaving.address.as_str()).text(&leaving.signed_by);
    out.text(&leaving.about.from).text(&leaving.about.subject).text(&leaving.about.message_id);
}

pub(super) fn decode(bytes: &mut Decoder<'_>) -> Result<Unsubscribing, CodecError> {
    Ok(Unsubscribing {
        message: decode_reference(bytes)?,
        address: ListAddress::new(&bytes.text()?).ok_or(CodecError::Malformed("the address of a list"))?,
        signed_by: bytes.text()?,
        about: Summary { from: bytes.text()?, subject: bytes.text()?, message_id: bytes.text()? },
    })
}

pub(super) fn preview(out: &mut Preview, leaving: &Unsubscribing) {
    let host = leaving.address.host();
    out.headline = format!("Leave a mailing list: tell {host}");
    out.item("Host", host);
    if let Some(letters) = punycode::letters(host) {
        out.item("Host, as written", &letters);
    }
    out.item("Request to", leaving.address.as_str());
    out.item("Says", &format!("{ONE_CLICK} (POST; redirects are not followed, nothing of your account is sent)"));
    out.item("Signed by, as your own server found", &leaving.signed_by);
    out.item("From (as the mail says)", &leaving.about.from);
    out.item("Subject", &leaving.about.subject);
    place(out, &leaving.message);
    out.warnings.push("Whoever sent the mail learns from it that your address is read.".into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::mail::FolderName;

    #[test]
    fn lists_are_left_at_https_addresses_of_public_names_alone() {
        for (text, host, target) in [
            ("https://news.example/u/1?x=%20y", "news.example", "/u/1?x=%20y"),
            ("HTTPS://News.Example:443", "news.example", "/"),
            ("https://xn--bcher-kva.example?id=a@b", "xn--bcher-kva.example", "/?id=a@b"),
        ] {
            let read = ListAddress::new(text).unwrap();
            assert_eq!((read.host(), read.target()), (host, target), "{text}");
            assert_eq!(ListAddress::new(read.as_str()), Some(read));
        }
        let long = format!("https://news.example/{}", "x".repeat(MAX_ADDRESS_BYTES));
        for bad in [
            "http://news.example/",
            "https:/news.example/",
            "https://",
            "https://localhost/",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://news.example:8443/",
            "https://good.example@evil.example/",
            "https://evil.example\\@good.example/",
            "https://news.example/a b",
            "https://news.example/\r\nHost: x",
            "https://news.example/#x",
            "https://news..example/",
            "https://-news.example/",
            "https://b\u{fc}cher.example/",
            "mailto:x@news.example",
            &long,
        ] {
            assert_eq!(ListAddress::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn leaving_a_list_reads_back_as_it_was_written_and_shows_where_it_goes() {
        let leaving = Unsubscribing {
            message: MessageRef { folder: FolderName::new("INBOX").unwrap(), uid_validity: 5, uid: 7 },
            address: ListAddress::new("https://xn--bcher-kva.example/u").unwrap(),
            signed_by: "example".into(),
            about: Summary { from: "News".into(), ..Summary::default() },
        };
        let mut out = Encoder::default();
        encode(&leaving, &mut out);
        assert_eq!(decode(&mut Decoder::new(&out.finish())), Ok(leaving.clone()));
        let content = crate::content::Content {
            home: crate::HomeId::from_bytes([1; 16]),
            id: crate::ActionId::from_bytes([2; 16]),
            account: None,
            precondition: Vec::new(),
            action: crate::family::Action::Mail(crate::family::mail::MailAction::Unsubscribe(leaving)),
        };
        assert_eq!(content.action.artefact(), b"List-Unsubscribe=One-Click");
        let shown = Preview::of(&content);
        assert_eq!(shown.headline, "Leave a mailing list: tell xn--bcher-kva.example");
        assert!(shown.to_string().contains("b\u{fc}cher.example"), "{shown}");
    }
}
