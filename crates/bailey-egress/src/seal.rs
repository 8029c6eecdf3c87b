//! Sealed credentials: secrets that the agent's computer never holds. It sends a placeholder; the broker puts the secret in one fixed
//! place of one request, and no answer brings it back.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, header};
use zeroize::Zeroizing;

use crate::host::Origin;

/// Shortest secret that can be sealed, in bytes: a shorter one stands in any page by chance.
pub const MIN_SECRET_BYTES: usize = 8;
/// Longest secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 4_096;
/// Longest form that a secret is put into, in bytes.
pub(crate) const MAX_FORM_BYTES: usize = 64 * 1024;

/// Where a secret goes in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The whole value of a header, behind a fixed beginning such as `Bearer `.
    Header(HeaderName, String),
    /// The value of one field of a form (`application/x-www-form-urlencoded`).
    Field(String),
}

/// One place that a secret goes to: a request to one server, with one method and one path.
#[derive(Clone)]
pub struct Slot {
    /// The server.
    pub origin: Origin,
    /// The method.
    pub method: Method,
    /// The path, without a query.
    pub path: String,
    /// Where in the request.
    pub place: Place,
    /// What the computer sends there.
    pub placeholder: String,
    /// What goes out instead.
    pub secret: Zeroizing<String>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("origin", &self.origin).field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why a secret could not be put in place. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFilled {
    /// The place is not as the slot has it.
    #[error("the sign-in's placeholder stands elsewhere than in the one place it is for, so nothing was sent")]
    Elsewhere,
    /// The secret cannot stand there.
    #[error("the sealed secret cannot be written where it is to go, so nothing was sent")]
    Unwritable,
}

impl Slot {
    /// Tells whether a request is the one that the secret goes into.
    #[must_use]
    pub fn is_for(&self, origin: &Origin, method: &Method, path: &str) -> bool {
        self.origin == *origin && self.method == *method && self.path == path
    }

    /// Puts the secret into a header, or into the one field of a form.
    ///
    /// # Errors
    /// The placeholder does not stand there, once and whole.
    pub(crate) fn fill(&self, headers: &mut HeaderMap, body: Vec<u8>) -> Result<Vec<u8>, NotFilled> {
        match &self.place {
            Place::Header(name, beginning) => {
                let mut values = headers.get_all(name).iter();
                let (Some(value), None) = (values.next(), values.next()) else { return Err(NotFilled::Elsewhere) };
                if value.as_bytes() != format!("{beginning}{}", self.placeholder).as_bytes() {
                    return Err(NotFilled::Elsewhere);
                }
                let secret = Zeroizing::new(format!("{beginning}{}", *self.secret));
                let mut value = HeaderValue::from_str(&secret).map_err(|_| NotFilled::Unwritable)?;
                value.set_sensitive(true);
                headers.insert(name, value);
                Ok(body)
            }
            Place::Field(name) => {
                let is_form = headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
                    let kind = kind.as_bytes().split(|c| *c == b';').next().unwrap_or_default();
                    kind.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
                });
                let wanted = [encoded(name), encoded(&self.placeholder)].join("=");
                let holds = |pair: &&[u8]| *pair == wanted.as_bytes();
                let named = |pair: &&[u8]| pair.split(|c| *c == b'=').next() == Some(encoded(name).as_bytes());
                let pairs: Vec<&[u8]> = body.split(|c| *c == b'&').collect();
                if !is_form || pairs.iter().filter(|pair| named(pair)).count() != 1 || !pairs.iter().any(&holds) {
                    return Err(NotFilled::Elsewhere);
                }
                let filled = Zeroizing::new([encoded(name), encoded(&self.secret)].join("="));
                let parts: Vec<&[u8]> =
                    pairs.iter().map(|pair| if holds(pair) { filled.as_bytes() } else { *pair }).collect();
                Ok(parts.join(&b'&'))
            }
        }
    }
}

/// Returns text as a form has it (WHATWG URL, `application/x-www-form-urlencoded`).
fn encoded(text: &str) -> String {
    percent(text, "+", |byte| format!("%{byte:02X}"))
}

fn percent(text: &str, space: &str, escape: impl Fn(u8) -> String) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        b' ' => space.to_owned(),
        other => escape(other),
    };
    text.bytes().map(one).collect()
}

/// Finds secrets in what a server answers, in the forms that servers write them in, however the answer is cut into pieces.
pub(crate) struct Echo {
    forms: Vec<Zeroizing<Vec<u8>>>,
    longest: usize,
    /// What may be the beginning of a form, and is not handed on yet.
    held: Vec<u8>,
}

/// An answer held a sealed secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Echoed;

impl Echo {
    /// Prepares to look for secrets; nothing to look for is no scan.
    pub(crate) fn of<'a>(secrets: impl Iterator<Item = &'a str>) -> Option<Self> {
        let forms: BTreeSet<Vec<u8>> = secrets.flat_map(forms).collect();
        let longest = forms.iter().map(Vec::len).max()?;
        Some(Self { forms: forms.into_iter().map(Zeroizing::new).collect(), longest, held: Vec::new() })
    }

    /// Tells whether bytes that come whole hold a secret.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| contains(bytes, form))
    }

    /// Takes a piece of an answer, and returns as much as can be handed on.
    pub(crate) fn pass(&mut self, piece: &[u8]) -> Result<Vec<u8>, Echoed> {
        self.held.extend_from_slice(piece);
        if self.is_in(&self.held) {
            return Err(Echoed);
        }
        let keep = self.held.len().min(self.longest.saturating_sub(1));
        let rest = self.held.split_off(self.held.len() - keep);
        Ok(std::mem::replace(&mut self.held, rest))
    }

    /// Returns what was held back, at the end of an answer.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    let Some((first, _)) = part.split_first() else { return false };
    let mut rest = all;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        let Some(from) = rest.get(at..) else { return false };
        if from.starts_with(part) {
            return true;
        }
        rest = from.get(1..).unwrap_or_default();
    }
    false
}

/// Returns how a secret may be written: as it is, percent-encoded, escaped for HTML and JSON, in hexadecimal, in base64 wherever
/// it begins in what is encoded, and backwards.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let all_percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    let lower = |byte: u8| format!("%{byte:02x}");
    let ascii: String = secret
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    let html = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    let json = secret.replace('\\', "\\\\").replace('"', "\\\"").replace('/', "\\/");
    let mut out = vec![
        secret.to_owned(),
        encoded(secret),
        percent(secret, "+", lower),
        percent(secret, "%20", |byte| format!("%{byte:02X}")),
        percent(secret, "%20", lower),
        ascii,
        all_percent.to_ascii_lowercase(),
        all_percent,
        html.replace("&#39;", "&#x27;"),
        html.replace("&quot;", "&#34;"),
        html,
        json.replace("\\/", "/"),
        json,
        hex.to_ascii_uppercase(),
        hex,
        secret.chars().rev().collect(),
    ];
    for shift in 0..3_usize {
        // What stands before shifts the letters; those that depend on it, and on what follows, are left out.
        let padded: Vec<u8> = std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect();
        let (first, last) = ((shift * 8).div_ceil(6), padded.len() * 8 / 6);
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            out.extend(text.get(first..last).map(str::to_owned));
        }
    }
    out.into_iter().map(String::into_bytes).filter(|form| form.len() >= MIN_SECRET_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
    use proptest::prelude::*;

    use super::*;
    use crate::host::Scheme;

    const SECRET: &str = "p4ss w\u{f6}rd&<\"/+=";

    fn slot(place: Place) -> Slot {
        Slot {
            origin: Origin::read(Scheme::Https, "shop.example").unwrap(),
            method: Method::POST,
            path: "/login".into(),
            place,
            placeholder: "bailey-sealed-1".into(),
            secret: Zeroizing::new(SECRET.into()),
        }
    }

    #[test]
    fn a_secret_goes_into_its_one_field_and_leaves_the_others_as_they_are() {
        let slot = slot(Place::Field("pass word".into()));
        let fill = |kind: &'static str, body: &str| {
            let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            slot.fill(&mut headers, body.as_bytes().to_vec()).map(|body| String::from_utf8(body).unwrap())
        };
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(
            fill(form, "name=a%20b&pass+word=bailey-sealed-1&x=").as_deref(),
            Ok("name=a%20b&pass+word=p4ss+w%C3%B6rd%26%3C%22%2F%2B%3D&x=")
        );
        for (kind, body) in [
            (form, "name=bailey-sealed-1&pass+word=mine"),
            (form, "pass+word=bailey-sealed-1&pass+word=x"),
            (form, "pass+word=bailey-sealed-1x"),
            (form, "note=bailey-sealed-1"),
            (form, ""),
            ("text/plain", "pass+word=bailey-sealed-1"),
        ] {
            assert_eq!(fill(kind, body), Err(NotFilled::Elsewhere), "{body}");
        }
    }

    #[test]
    fn a_secret_goes_into_its_one_header_behind_its_beginning() {
        let mut slot = slot(Place::Header(AUTHORIZATION, "Bearer ".into()));
        slot.secret = Zeroizing::new("secret-token-1".into());
        let fill = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            });
            slot.fill(&mut headers, Vec::new()).map(|_| headers.get(AUTHORIZATION).unwrap().clone())
        };
        assert_eq!(fill(&["Bearer bailey-sealed-1"]).unwrap(), "Bearer secret-token-1");
        for wrong in [&["Basic bailey-sealed-1"][..], &["Bearer bailey-sealed-1", "x"], &["bailey-sealed-1"], &[]] {
            assert_eq!(fill(wrong), Err(NotFilled::Elsewhere), "{wrong:?}");
        }
        slot.secret = Zeroizing::new("line\r\nx: y".into());
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer bailey-sealed-1"))]);
        assert_eq!(slot.fill(&mut headers, Vec::new()), Err(NotFilled::Unwritable));
    }

    #[test]
    fn a_secret_is_found_in_every_form_a_server_writes_it_in() {
        let echo = Echo::of([SECRET].into_iter()).unwrap();
        let base64 = |before: &str| STANDARD_NO_PAD.encode(format!("{before}{SECRET} and more"));
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
        for written in [
            SECRET.to_owned(),
            "p4ss+w%C3%B6rd%26%3C%22%2F%2B%3D".into(),
            "p4ss%20w%c3%b6rd%26%3c%22%2f%2b%3d".replace("%20", "+"),
            "p4ss w\u{f6}rd&amp;&lt;&quot;/+=".into(),
            "p4ss w\u{f6}rd&<\\\"\\/+=".into(),
            base64(""),
            base64("a"),
            base64("ab"),
            base64("user:"),
            hex,
            SECRET.chars().rev().collect(),
        ] {
            assert!(echo.is_in(format!("<p>{written}</p>").as_bytes()), "{written}");
        }
        assert!(!echo.is_in(b"<p>p4ss</p>"));
    }

    proptest! {
        #[test]
        fn a_secret_is_found_however_an_answer_is_cut_and_nothing_else_is_lost(
            before in proptest::collection::vec(any::<u8>(), 0..200),
            cuts in proptest::collection::vec(1_usize..40, 1..40),
            has_secret: bool,
        ) {
            let secret = "correct horse battery";
            let mut all = before.clone();
            if has_secret { all.extend_from_slice(secret.as_bytes()); }
            all.extend_from_slice(&before);
            let mut echo = Echo::of([secret].into_iter()).unwrap();
            let (mut out, mut rest, mut found, mut turn) = (Vec::new(), &all[..], false, 0);
            while !rest.is_empty() && !found {
                let (piece, after) = rest.split_at(cuts[turn % cuts.len()].min(rest.len()));
                match echo.pass(piece) { Ok(passed) => out.extend(passed), Err(Echoed) => found = true }
                rest = after;
                turn += 1;
            }
            prop_assert_eq!(found, has_secret);
            if !found {
                out.extend(echo.rest());
                prop_assert_eq!(out, all);
            } else {
                prop_assert!(!contains(&out, secret.as_bytes()));
            }
        }
    }
}
