//! Mail as others wrote it, taken apart: as much of it as is told, in bounded time, and without harm to what runs beside.

use bailey_gate::family::text::{Address, Line};
use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::json;

/// Bytes of a message fetched for reading; the rest is attachments.
pub(crate) const MAX_FETCHED: usize = 512 * 1024;
/// What is fetched of a message's header, and its bytes that are read, whatever comes: reading may take the library a time that grows
/// with the square of them.
pub(crate) const HEADER: &str = "BODY.PEEK[HEADER]<0.65536>";
const MAX_HEADER: usize = 64 * 1024;
/// The thread that takes a message apart. Where the library panics over one, that message cannot be read.
pub const PARSER: &str = "mail parser";
/// Stack of the thread that takes a message apart, in bytes. The library descends once for each message within a message, and as many
/// as lie in [`MAX_FETCHED`] need some 20 MiB; what is not used costs nothing.
const PARSER_STACK: usize = 128 * 1024 * 1024;
/// Characters of a message's text given to the model.
const MAX_TEXT_CHARS: usize = 16_000;
/// Characters of one field of its header, and attachments, that are told of.
const MAX_FIELD_CHARS: usize = 1_000;
const MAX_FILES: usize = 50;

/// A message as the model reads it. Whatever it is, and however deep it nests, the home goes on.
#[must_use]
pub fn describe(bytes: &[u8]) -> serde_json::Value {
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().name(PARSER.into()).stack_size(PARSER_STACK);
        let parsed = parser.spawn_scoped(scope, || parse(bytes)).ok().and_then(|thread| thread.join().ok().flatten());
        parsed.unwrap_or_else(|| json!({"trouble": "this message cannot be read as a mail"}))
    })
}

pub(crate) fn parsed_header(header: &[u8]) -> Option<mail_parser::Message<'_>> {
    MessageParser::default().parse_headers(header.get(..MAX_HEADER).unwrap_or(header))
}

fn parse(bytes: &[u8]) -> Option<serde_json::Value> {
    let mail = MessageParser::default().parse(bytes.get(..MAX_FETCHED).unwrap_or(bytes))?;
    let text = mail.body_text(0).unwrap_or_default();
    let cut = text.chars().count() > MAX_TEXT_CHARS || bytes.len() >= MAX_FETCHED;
    let named = |file: &mail_parser::MessagePart<'_>| short(file.attachment_name().unwrap_or("unnamed"));
    let files: Vec<String> = mail.attachments().take(MAX_FILES).map(named).collect();
    Some(json!({
        "from": mail.from().map(addresses),
        "to": mail.to().map(addresses),
        "cc": mail.cc().map(addresses),
        "reply_to": mail.reply_to().map(addresses),
        "subject": mail.subject().map(short),
        "date": mail.date().map(mail_parser::DateTime::to_rfc3339),
        "message_id": mail.message_id().map(|id| short(&format!("<{id}>"))),
        "text": text.chars().take(MAX_TEXT_CHARS).collect::<String>(),
        "text_was_cut": cut,
        "attachments": files,
        "more_attachments": mail.attachment_count().saturating_sub(MAX_FILES),
    }))
}

pub(crate) fn addresses(list: &mail_parser::Address<'_>) -> String {
    // Written so that it reads back as one recipient, whatever the name is.
    let one = |address: &mail_parser::Addr<'_>| match (address.name(), address.address()) {
        (name, Some(address)) => {
            let name = name.unwrap_or_default();
            let written = super::compose::known_address(name, address).map(|mailbox| mailbox.to_string());
            written.unwrap_or_else(|_| format!("{name:?} <{address}>"))
        }
        (name, None) => name.unwrap_or_default().to_owned(),
    };
    let mut out = String::new();
    for address in list.iter() {
        if out.len() > MAX_FIELD_CHARS {
            break;
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(&one(address));
    }
    short(&out)
}

/// As much of a field as is told of.
pub(crate) fn short(field: &str) -> String {
    match field.char_indices().nth(MAX_FIELD_CHARS) {
        Some((end, _)) => format!("{}…", field.get(..end).unwrap_or_default()),
        None => field.to_owned(),
    }
}

/// Whom a sent message went to. One that someone else wrote, and that lies in Sent by some accident, proves nothing.
pub fn recipients(header: &[u8], own: &str) -> Vec<(String, String)> {
    let Some(mail) = parsed_header(header) else { return Vec::new() };
    let author = mail.from().and_then(|from| from.first()).and_then(|from| from.address());
    if !author.is_some_and(|author| author.eq_ignore_ascii_case(own)) {
        return Vec::new();
    }
    let all = [mail.to(), mail.cc(), mail.bcc()];
    let lists = all.into_iter().flatten().flat_map(|list| list.iter());
    let named = |one: &mail_parser::Addr<'_>| {
        let address = Address::new(one.address()?).ok()?.key();
        let name = one.name().and_then(|name| Line::new(name.trim()).ok());
        Some((address, name.map(|name| name.as_str().to_owned()).unwrap_or_default()))
    };
    lists.filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_in_other_encodings_is_read_as_text() {
        let japanese = b"From: =?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <y@example.org>\r\nSubject: x\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B;3ED\x1b(B\r\n";
        let shown = describe(japanese).to_string();
        assert!(shown.contains("\u{5c71}\u{7530}") && !shown.contains("\\u001b"), "{shown}");
        let latin = b"From: a@example.org\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n";
        assert!(describe(latin).to_string().contains("Gr\u{fc}\u{df}e"));
    }
}
