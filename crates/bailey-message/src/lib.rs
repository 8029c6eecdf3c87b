//! Reads mail as mail programs do: who wrote to whom, the whole text that a person sees, where links lead, what is hidden, which files
//! are there and what they say.
//!
//! Pure functions of bytes. Time and memory are bounded by the input's length and by the limits that stand with each part; nothing
//! descends deeper than a named number. What is left out is said.
//!
//! Invariant of absence: this crate opens nothing, waits for nothing, and follows no link.

mod address;
mod authentication;
mod charset;
mod extract;
mod fields;
mod html;
mod inert;
mod invisible;
mod link;
mod mime;
mod outline;
mod params;
mod plain;
mod read;
#[cfg(test)]
mod tests;
mod unsubscribe;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use serde::Serialize;

pub use address::{Addresses, Mailbox, addresses, both_forms};
pub use authentication::{Checked, authentication, own_servers, sender_is_proven};
pub use charset::decode as decode_charset;
pub use extract::{Extracted, extract};
pub use fields::Fields;
pub use inert::{Inert, MAX_INERT, inert};
pub use link::Misleading;
pub use outline::{Outline, PartAbout, Wanted};
pub use unsubscribe::{Leaving, LeavingMail, Unsubscribe, leaving};

/// A message as a person reads it. Everything in it was written by others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Mail {
    /// Who wrote it, as it says itself.
    pub from: Vec<Mailbox>,
    /// Who sent it, where that is said to be somebody else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sender: Vec<Mailbox>,
    /// Where an answer is to go, where the mail asks for that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reply_to: Vec<Mailbox>,
    /// Whom it is to.
    pub to: Vec<Mailbox>,
    /// Who has a copy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Mailbox>,
    /// How many more are named than are told of.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_people: usize,
    /// Its subject.
    pub subject: Option<String>,
    /// When it was written, with its writer's distance from UTC (RFC 3339).
    pub date: Option<String>,
    /// The date as it stands there, where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_as_written: Option<String>,
    /// Returns `<left@right>`.
    pub message_id: Option<String>,
    /// The mails it answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_reply_to: Vec<String>,
    /// The thread, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// All text that a reader sees.
    pub text: String,
    /// Says what was left out, and how to read it.
    pub cut: Vec<String>,
    /// Things that are there without being seen.
    pub hidden: Hidden,
    /// Links whose words name another place than they lead to.
    pub misleading_links: Vec<Misleading>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// How many more there are.
    pub more_attachments: usize,
    /// Calendar parts, whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invitations: Vec<Invitation>,
    /// How to leave the list it came by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<Unsubscribe>,
}

/// A file in a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// The number of its part, to read it by.
    pub part: String,
    /// The name it was given.
    pub name: Option<String>,
    /// `type/subtype`, as the mail claims.
    #[serde(rename = "type")]
    pub media: String,
    /// Bytes, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// About how many bytes, where it was not fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about_size: Option<u64>,
    /// SHA-256 of the bytes, in hexadecimal digits, where it was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A calendar part (RFC 6047), as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invitation {
    /// The number of its part.
    pub part: String,
    /// The method it asks for, as the part's header claims: `REQUEST`, `REPLY`, `CANCEL`.
    pub method: Option<String>,
    /// The iCalendar text.
    pub text: String,
    /// Tells whether it is longer than this.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// What is in a mail without being seen by its reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Hidden {
    /// Pieces that were left out.
    pub left_out: usize,
    /// Characters of those.
    pub characters: usize,
    /// Pieces that stand in the text, marked.
    pub marked: usize,
}

impl Hidden {
    pub(crate) const fn add(&mut self, characters: usize) {
        self.left_out += 1;
        self.characters += characters;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Reads a message; `whole` says whether these are all of its bytes.
#[must_use]
pub fn read(bytes: &[u8], whole: bool) -> Mail {
    read::mail(&mime::message(bytes, whole))
}

/// Finds one part of a message, its transfer encoding undone; the flag says whether it is whole.
#[must_use]
pub fn part(bytes: &[u8], path: &str) -> Option<(PartAbout, Vec<u8>, bool)> {
    let message = mime::message(bytes, true);
    let part = outline::find(&message.root, path)?;
    let about = |encoded: usize| PartAbout {
        media: part.about.media.clone(),
        name: part.about.name.clone(),
        encoding: part.about.encoding.clone(),
        charset: part.about.charset.clone(),
        encoded: u64::try_from(encoded).unwrap_or(u64::MAX),
    };
    let (decoded, whole) = part.decoded()?;
    Some((about(decoded.len()), decoded.into_owned(), whole))
}

/// SHA-256 of bytes, in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    read::hash(bytes)
}

/// Undoes a part's transfer encoding.
#[must_use]
pub fn decode_transfer(bytes: &[u8], encoding: &str) -> Vec<u8> {
    mime::decode(bytes, encoding).into_owned()
}

/// Reads a date (RFC 5322, 3.3) as RFC 3339 writes it, with its distance from UTC.
#[must_use]
pub fn date(text: &str) -> Option<String> {
    let line = format!("{text}\r\n");
    match MessageStream::new(line.as_bytes()).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => Some(date.to_rfc3339()),
        _ => None,
    }
}

/// Most identifiers of one field that are told of: the newest of a thread, with the one it began with.
const MAX_IDS: usize = 50;
/// Longest identifier, in characters.
const MAX_ID: usize = 500;

/// Lists message identifiers (RFC 5322, 3.6.4) of a field, as `<left@right>`.
#[must_use]
pub fn ids(fields: &Fields, name: &str) -> Vec<String> {
    let text = fields.text(name).unwrap_or_default();
    let within = text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(id, _)| id);
    let mut out: Vec<String> = within
        .map(|id| id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>())
        .filter(|id| !id.is_empty() && id.len() <= MAX_ID)
        .map(|id| format!("<{id}>"))
        .collect();
    if out.is_empty()
        && let Some(bare) = text.split_whitespace().next().filter(|bare| bare.contains('@') && bare.len() <= MAX_ID)
    {
        out.push(format!("<{bare}>"));
    }
    if out.len() > MAX_IDS {
        let newest = out.split_off(out.len() - (MAX_IDS - 1));
        out.truncate(1);
        out.extend(newest);
    }
    out
}

/// Characters before a cut that a word may take: a longer one is cut apart.
const MAX_WORD: usize = 1_000;

/// Returns as much of a text as fits into so many characters. A word is left out rather than cut apart: a part of what opens something
/// is not known as that any more.
pub(crate) fn short(text: &str, most: usize) -> String {
    let Some((end, first_left_out)) = text.char_indices().nth(most) else { return text.to_owned() };
    let kept = text.get(..end).unwrap_or_default();
    let kept = if first_left_out.is_whitespace() { kept } else { whole_words(kept) };
    format!("{}…", kept.trim_end())
}

/// Returns a text that was cut somewhere without the word it was cut in.
pub(crate) fn whole_words(text: &str) -> &str {
    let last = text.char_indices().rev().take(MAX_WORD).find(|(_, c)| c.is_whitespace());
    last.map_or(text, |(at, _)| text.get(..at).unwrap_or_default())
}
