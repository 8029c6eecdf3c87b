//! Screening: keeps what opens something in others' words from the model.
//!
//! A text is read as a person would see it ([`view`]), looked through by kind of secret, and what was found is cut out of the
//! source, whose encoding stays as it was. Every pattern takes time linear in the text, and is made once.

mod cards;
mod codes;
mod encoded;
mod json;
mod keys;
mod links;
mod passwords;
mod phrases;
mod rules;
#[cfg(test)]
mod tests;
mod view;
mod vocabulary;
mod words;

use std::ops::Range;

use json::Literal;
use view::View;
use words::Words;

/// What a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Private key.
    PrivateKey,
    /// Key or token of a service.
    Key,
    /// Link, or the identity of an authenticator.
    Link,
    /// Code that is typed in.
    Code,
    /// PIN, PUK.
    Pin,
    /// Password.
    Password,
    /// Payment card.
    Card,
    /// Words or codes that bring an account or a wallet back.
    Recovery,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "private key",
            Self::Key => "access key",
            Self::Link => "link that opens an account",
            Self::Code => "one-time code",
            Self::Pin => "PIN",
            Self::Password => "password",
            Self::Card => "card number",
            Self::Recovery => "recovery code",
        }
    }
}

/// A secret, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    kind: Kind,
    place: Range<usize>,
}

/// Replaces secrets in a text; says what they were, in order: their kind, and what stood there.
pub(crate) fn redact(text: &mut String) -> Vec<(&'static str, String)> {
    let literals = json::literals(text);
    let view = View::of(text, literals.as_deref());
    let mut found = secrets(&view);
    encoded::find(&view.text, &mut found);
    let mut found = in_source(&view, &found);
    if let Some(decoded) = view.percent_decoded() {
        found.extend(in_source(&decoded, &secrets(&decoded)));
    }
    let found = joined(found);
    let said = |one: &Found| (one.kind.name(), text.get(one.place.clone()).unwrap_or_default().to_owned());
    let out = found.iter().map(said).collect();
    if !found.is_empty() {
        *text = cut(text, &found, literals.as_deref());
    }
    out
}

/// Returns a text without its secrets, as a request would hold it: for who cuts a text before it becomes part of a request. A JSON
/// text stays one.
#[must_use]
pub fn screened(text: &str) -> String {
    let mut text = text.to_owned();
    redact(&mut text);
    text
}

/// Finds secrets in what is read, without looking into further encodings.
fn secrets(view: &View) -> Vec<Found> {
    let (mut out, words) = (Vec::new(), Words::of(view));
    rules::find(&view.text, &view.lower, &mut out);
    keys::find(&view.text, &view.lower, &mut out);
    links::find(&view.text, &view.lower, &mut out);
    cards::find(&view.text, &view.lower, &mut out);
    phrases::find(&words, &mut out);
    codes::find(&words, &mut out);
    passwords::find(&view.text, &view.lower, &mut out);
    out
}

fn in_source(view: &View, found: &[Found]) -> Vec<Found> {
    found.iter().map(|one| Found { kind: one.kind, place: view.source(&one.place) }).collect()
}

/// Puts in order, and makes one of those that overlap: what the longest of them is, or the first of the longest.
fn joined(mut found: Vec<Found>) -> Vec<Found> {
    found.retain(|one| !one.place.is_empty());
    found.sort_by_key(|one| (one.place.start, std::cmp::Reverse(one.place.end)));
    let mut out: Vec<Found> = Vec::new();
    for one in found {
        match out.last_mut() {
            Some(last) if one.place.start < last.place.end => {
                if one.place.len() > last.place.len() {
                    last.kind = one.kind;
                }
                last.place.end = last.place.end.max(one.place.end);
            }
            _ => out.push(one),
        }
    }
    out
}

/// Cuts out of a text what was found; of a JSON text only what is within its literals, so that it stays one.
fn cut(text: &str, found: &[Found], literals: Option<&[Literal]>) -> String {
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    let mut put = |from: usize, to: usize, instead: &str| {
        out.push_str(text.get(done..from).unwrap_or_default());
        out.push_str(instead);
        done = to;
    };
    for one in found {
        let instead = format!("[{} kept back]", one.kind.name());
        let Some(literals) = literals else {
            put(one.place.start, one.place.end, &instead);
            continue;
        };
        let first = literals.partition_point(|literal| literal.bytes.end <= one.place.start);
        for literal in literals.iter().skip(first).take_while(|literal| literal.bytes.start < one.place.end) {
            let within = literal.bytes.start <= one.place.start && one.place.end <= literal.bytes.end;
            if literal.name && !within {
                // What holds names of members together is no secret.
                continue;
            }
            if literal.string {
                put(literal.bytes.start.max(one.place.start), literal.bytes.end.min(one.place.end), &instead);
            } else {
                put(literal.bytes.start, literal.bytes.end, &format!("\"{instead}\""));
            }
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}
