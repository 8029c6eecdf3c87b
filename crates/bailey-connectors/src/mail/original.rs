//! A mail somebody wrote, as far as an answer, or a mail that passes it on, is made of it: fetched by a look, and taken apart.

use bailey_gate::family::mail::{MAX_REFERENCES, MessageId, MessageRef, SenderProof};
use bailey_gate::family::text::Mailbox;
use bailey_message::{Fields, own_servers, sender_is_proven};
use bailey_vault::{Access, ImapSession, Vault, VaultError, words};
use futures_util::TryStreamExt as _;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, HeaderValue, MessageParser, MimeHeaders as _, PartType};
use tokio::task::spawn_blocking;

use super::compose::known_address;
use super::imap::BEFORE_HAND_OFF;
use super::mime::PARSER;
use crate::context::Account;

/// Bytes of a mail that an answer is made of: header and text; attachments behind them are not looked at.
pub(super) const TO_ANSWER: usize = 512 * 1024;
/// Bytes of a mail that hold its header.
pub(super) const HEADER: usize = 64 * 1024;
/// Most bytes of a mail that is passed on with its files. Few servers take larger ones.
pub(super) const TO_FORWARD: usize = 24 * 1024 * 1024;
/// Bytes fetched at once.
const PIECE: usize = 2 * 1024 * 1024;
/// Stack of the thread that takes a mail apart, in bytes: as for reading.
const PARSER_STACK: usize = 128 * 1024 * 1024;
/// Most characters of its text that are quoted.
const MAX_QUOTED: usize = 50_000;
/// Most files that are passed on.
const MAX_FILES: usize = 100;

/// Somebody a mail names, as it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) address: String,
}

impl Named {
    /// Returns where it can be written to, if it can.
    pub(super) fn mailbox(&self) -> Option<Mailbox> {
        known_address(&self.name, &self.address).ok()
    }

    /// Writes it for people to read.
    pub(super) fn shown(&self) -> String {
        self.mailbox().map_or_else(|| self.address.clone(), |mailbox| mailbox.to_string())
    }
}

/// A file that came with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
}

/// A mail as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Original {
    pub(super) from: Vec<Named>,
    pub(super) reply_to: Vec<Named>,
    pub(super) to: Vec<Named>,
    pub(super) cc: Vec<Named>,
    pub(super) subject: String,
    /// Seconds since 1970, and minutes from UTC.
    pub(super) date: Option<(i64, i16)>,
    pub(super) message_id: Option<MessageId>,
    /// The thread up to this mail, without it, oldest first (RFC 5322, 3.6.4).
    pub(super) before: Vec<MessageId>,
    pub(super) text: String,
    pub(super) files: Vec<File>,
    /// The parts that calendars understand, wherever they stand.
    pub(super) calendars: Vec<Vec<u8>>,
    /// Tells whether it says more than once who wrote it, gets it, or is to be answered (RFC 5322, 3.6 allows once).
    pub(super) is_repeated: bool,
}

impl Original {
    /// Returns the thread with this mail: what an answer refers to. Of a long one the first and the newest stay.
    pub(super) fn thread(&self) -> Vec<MessageId> {
        let mut all: Vec<MessageId> = Vec::new();
        for id in self.before.iter().chain(&self.message_id) {
            if !all.contains(id) {
                all.push(id.clone());
            }
        }
        if all.len() > MAX_REFERENCES {
            all.drain(1..all.len() + 1 - MAX_REFERENCES);
        }
        all
    }
}

/// Fetches a mail by a look, up to so many bytes; also tells whether there is more of it.
pub(super) async fn fetch(
    vault: &Vault,
    access: &Access,
    message: &MessageRef,
    limit: usize,
) -> Result<(Vec<u8>, bool), VaultError> {
    vault.settings_of(access)?;
    let looking = async {
        let mut session = vault.imap(access).await?;
        let fetched = pieces(&mut session, message, limit).await;
        // How the good-bye goes changes nothing.
        let _ = session.logout().await;
        fetched
    };
    let timed = async {
        let late = |_| Err("the mail server did not answer in time".to_owned());
        tokio::time::timeout(BEFORE_HAND_OFF, looking).await.unwrap_or_else(late)
    };
    vault.until_cut(timed).await
}

async fn pieces(session: &mut ImapSession, message: &MessageRef, limit: usize) -> Result<(Vec<u8>, bool), String> {
    let examined = session.examine(message.folder.as_str()).await.map_err(|error| words(&error))?;
    if examined.uid_validity != Some(message.uid_validity) {
        return Err("the folder was numbered anew; search again".into());
    }
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        let wanted = PIECE.min(limit - bytes.len());
        let what = format!("(UID BODY.PEEK[]<{}.{wanted}>)", bytes.len());
        let answers = session.uid_fetch(message.uid.to_string(), what).await.map_err(|error| words(&error))?;
        let answers: Vec<_> = answers.try_collect().await.map_err(|error| words(&error))?;
        let piece = answers.iter().find(|one| one.uid == Some(message.uid)).and_then(|one| one.body());
        let piece = piece.ok_or_else(|| "there is no such message; search again".to_owned())?;
        bytes.extend_from_slice(piece);
        if piece.len() < wanted {
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}

/// Tells what the account's own server found out about who sent a mail, by the beginning of its bytes.
pub(super) fn sender_of(bytes: &[u8], account: &Account) -> SenderProof {
    let host = account.settings.mail().and_then(|mail| mail.imap.as_ref()).map(|server| server.host.as_str());
    let own = own_servers(host.unwrap_or_default());
    if sender_is_proven(&Fields::split(bytes).0, &own) { SenderProof::Proven } else { SenderProof::Unproven }
}

/// Takes a mail apart, on a thread of its own.
pub(super) async fn read(bytes: Vec<u8>) -> Result<Original, String> {
    let read = spawn_blocking(move || on_a_deep_stack(&bytes)).await.ok().flatten();
    read.ok_or_else(|| "this message cannot be read as a mail, so nothing can be made of it".into())
}

/// Returns the library descends once for each mail within a mail, and may panic over one: then it cannot be read.
pub(super) fn on_a_deep_stack(bytes: &[u8]) -> Option<Original> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(PARSER.into()).stack_size(PARSER_STACK);
        thread.spawn_scoped(scope, || taken_apart(bytes)).ok()?.join().ok().flatten()
    })
}

fn taken_apart(bytes: &[u8]) -> Option<Original> {
    let mail = MessageParser::default().parse(bytes)?;
    let named = |list: Option<&mail_parser::Address<'_>>| -> Vec<Named> {
        let one = |one: &mail_parser::Addr<'_>| {
            let address = one.address().map(str::trim).filter(|address| !address.is_empty())?;
            Some(Named { name: one.name().unwrap_or_default().to_owned(), address: address.to_owned() })
        };
        list.map(|list| list.iter().filter_map(one).collect()).unwrap_or_default()
    };
    let message_id = mail.message_id().and_then(id);
    let mut before = ids(mail.references());
    // Some programs name only what is answered (RFC 5322, 3.6.4).
    if let ([], [parent]) = (before.as_slice(), ids(mail.in_reply_to()).as_slice()) {
        before.push(parent.clone());
    }
    let text = mail.body_text(0).unwrap_or_default().replace("\r\n", "\n").replace(['\r', '\0'], "\n");
    let quoted = match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}\n[…]", text.get(..end).unwrap_or_default()),
        None => text,
    };
    let minutes = |date: &mail_parser::DateTime| {
        let minutes = i16::from(date.tz_hour) * 60 + i16::from(date.tz_minute);
        (date.to_timestamp(), if date.tz_before_gmt { -minutes } else { minutes })
    };
    let times =
        |wanted: &str| mail.headers().iter().filter(|header| header.name.as_str().eq_ignore_ascii_case(wanted)).count();
    Some(Original {
        is_repeated: ["From", "Reply-To", "To", "Cc"].into_iter().any(|name| times(name) > 1),
        from: named(mail.from()),
        reply_to: named(mail.reply_to()),
        to: named(mail.to()),
        cc: named(mail.cc()),
        subject: mail.subject().unwrap_or_default().to_owned(),
        date: mail.date().filter(|date| date.is_valid()).map(minutes),
        message_id,
        before,
        text: quoted,
        calendars: mail
            .parts
            .iter()
            .filter(|part| is_calendar(part))
            .take(MAX_FILES)
            .map(|part| content(part, bytes))
            .collect(),
        files: mail.attachments().take(MAX_FILES).map(|part| file(part, bytes)).collect(),
    })
}

fn id(text: &str) -> Option<MessageId> {
    MessageId::new(&format!("<{}>", text.trim().trim_start_matches('<').trim_end_matches('>'))).ok()
}

fn ids(header: &HeaderValue<'_>) -> Vec<MessageId> {
    let texts = header.as_text_list().unwrap_or_default();
    texts.iter().flat_map(|text| text.split_whitespace()).filter_map(id).collect()
}

fn is_calendar(part: &mail_parser::MessagePart<'_>) -> bool {
    let is = |kind: &mail_parser::ContentType<'_>| {
        let sub = kind.subtype().unwrap_or_default().to_ascii_lowercase();
        matches!(
            (kind.ctype().to_ascii_lowercase().as_str(), sub.as_str()),
            ("text", "calendar") | ("application", "ics")
        )
    };
    part.content_type().is_some_and(is)
}

fn file(part: &mail_parser::MessagePart<'_>, raw: &[u8]) -> File {
    let media_type = part.content_type().map(|kind| {
        let sub = kind.subtype().unwrap_or("octet-stream");
        format!("{}/{sub}", kind.ctype()).to_ascii_lowercase()
    });
    File {
        name: part.attachment_name().unwrap_or_default().to_owned(),
        media_type: media_type.unwrap_or_else(|| "application/octet-stream".into()),
        bytes: content(part, raw),
    }
}

/// Returns a file's bytes as they came: the library gives texts in another character set than they were written in.
fn content(part: &mail_parser::MessagePart<'_>, raw: &[u8]) -> Vec<u8> {
    let exact = || {
        let (from, until) = (usize::try_from(part.offset_body).ok()?, usize::try_from(part.offset_end).ok()?);
        let body = raw.get(from..until)?;
        match part.encoding {
            Encoding::None => Some(body.to_vec()),
            Encoding::Base64 => base64_decode(body),
            Encoding::QuotedPrintable => quoted_printable_decode(body),
        }
    };
    match &part.body {
        PartType::Text(_) | PartType::Html(_) => exact().unwrap_or_else(|| part.contents().to_vec()),
        PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Message(_) | PartType::Multipart(_) => {
            part.contents().to_vec()
        }
    }
}
