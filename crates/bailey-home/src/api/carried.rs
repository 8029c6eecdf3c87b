//! What actions carry or stand on, to be looked at: files, and received mail. All of it was written by others, so nothing of it is served
//! as anything that a browser would run: pictures by their first bytes, text as text, the rest to be kept.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use bailey_dashboard as html;
use bailey_dashboard::Section;
use bailey_gate::family::Action;
use bailey_gate::family::escape::visible_lines;
use bailey_gate::family::mail::{Attachment, Look, MailAction, Message, MessageRef};

use super::pages::{Around, Page, shown};
use super::*;

/// Most bytes of a text that a page shows: pages stay below 100 kB.
const MOST_SHOWN: usize = 60_000;
/// The policy of a file: it runs nothing, fetches nothing, and stands in nothing (CSP Level 3, 6.3.5).
pub(super) const FILE_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";
/// The policy of the frame a received mail is shown in: its own pictures and our style, nothing from anywhere.
const FRAME_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'";
/// Media types of text that a page shows as such, beside `text/*`.
pub(super) const TEXTS: [&str; 6] = [
    "application/json",
    "application/ics",
    "application/xml",
    "application/xhtml+xml",
    "application/csv",
    "image/svg+xml",
];

/// A file as it is sent.
pub(super) type File = ([(HeaderName, HeaderValue); 3], Vec<u8>);

/// Returns the media type of a picture that browsers show, by its first bytes and by nothing that anybody says of it.
pub(super) fn picture(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Returns the mail that an action is about to send or keep.
const fn message_of(action: &Action) -> Option<&Message> {
    match action {
        Action::Mail(MailAction::Send(message) | MailAction::Draft(message) | MailAction::SaveDraft(message)) => {
            Some(message)
        }
        _ => None,
    }
}

/// Returns the received mail that an action stands on, where it does.
pub(super) fn source_of(content: &Content) -> Option<((bailey_gate::ConnectionId, u64), &MessageRef)> {
    let message = match &content.action {
        Action::Mail(MailAction::Read(message) | MailAction::Look(Look::Read { message, .. })) => message,
        action => &message_of(action)?.source.as_ref()?.message,
    };
    Some((content.account?, message))
}

fn content_of(home: &Home, id: ActionId) -> Result<Content, Failure> {
    Ok(Content::decode(&actions::one(home, id)?.content).map_err(StoreError::from)?)
}

async fn carried(home: &Arc<Home>, id: &str, n: usize) -> Result<Attachment, Failure> {
    let id: ActionId = parse("action", id)?;
    let read = move |home: &Home| {
        let content = content_of(home, id)?;
        let file = message_of(&content.action).and_then(|message| message.attachments.get(n)).cloned();
        file.ok_or_else(|| {
            failure(Code::NotFound, "the action carries no such file; look at the action to see which it does")
        })
    };
    reading(home, read).await
}

pub(super) async fn attachment(AppState(home): Shared, Path((id, n)): Path<(String, usize)>) -> Result<File, Failure> {
    let file = carried(&home, &id, n).await?;
    let (media, kept) = match picture(&file.bytes) {
        Some(media) => (media, HeaderValue::from_static("inline")),
        None => ("application/octet-stream", to_keep(file.name.as_str())),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::CONTENT_DISPOSITION, kept),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY)),
    ];
    Ok((headers, file.bytes))
}

/// Says under which name a file is kept (RFC 6266; RFC 8187, 3.2.1), without what could name a folder.
pub(super) fn to_keep(name: &str) -> HeaderValue {
    let mut value = String::from("attachment; filename*=UTF-8''");
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => value.push(char::from(byte)),
            b'/' | b'\\' => value.push('_'),
            other => value.push_str(&format!("%{other:02X}")),
        }
    }
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Returns as much of a text as a page shows, what is invisible written out, and whether that is all.
pub(super) fn as_text(bytes: &[u8]) -> Option<(String, bool)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = visible_lines(&text.replace("\r\n", "\n").replace('\t', "    "));
    let end = text.floor_char_boundary(MOST_SHOWN);
    Some((text.get(..end).unwrap_or_default().to_owned(), end == text.len()))
}

/// Makes the page that shows one file.
pub(super) async fn file_page(AppState(home): Shared, Path((id, n)): Path<(String, usize)>) -> Page {
    let around = Around::of(&home).await?;
    let file = carried(&home, &id, n).await?;
    let view = bailey_interface::AttachmentView {
        name: visible(file.name.as_str()),
        media_type: visible(&file.media_type),
        bytes: file.bytes.len() as u64,
        sha256: file.digest().to_string(),
    };
    let media = file.media_type.to_ascii_lowercase();
    let text = (media.starts_with("text/") || TEXTS.contains(&media.as_str())).then(|| as_text(&file.bytes)).flatten();
    let seen = match (picture(&file.bytes), &text) {
        (Some(_), _) => html::Seen::Picture,
        (None, Some((text, whole))) => html::Seen::Text { text, whole: *whole },
        (None, None) => html::Seen::Nothing,
    };
    Ok(shown(html::file(&around.frame(Section::Approvals), &id, n, &view, &seen)))
}

async fn fetched(home: &Arc<Home>, id: &str) -> Result<OriginalView, Failure> {
    let id: ActionId = parse("action", id)?;
    let find = move |home: &Home| {
        let content = content_of(home, id)?;
        source_of(&content).map(|(account, message)| (account, message.clone())).ok_or_else(|| {
            failure(Code::NotFound, "this action answers, passes on or reads no received mail; there is none to show")
        })
    };
    let (account, message) = reading(home, find).await?;
    let services = home.services.clone();
    let looked = spawn_detached(home, async move { services.mail_as_it_came(account, &message).await }).await?;
    let (bytes, more) = looked.map_err(|bad| failure(Code::Conflict, visible(&bad.to_string())))?;
    tokio::task::spawn_blocking(move || view_of(&bytes, !more))
        .await
        .map_err(|_| failure(Code::Invalid, "this message cannot be read as a mail"))
}

fn view_of(bytes: &[u8], whole: bool) -> OriginalView {
    let mail = bailey_message::read(bytes, whole);
    let inert = bailey_message::inert(bytes, whole);
    let person = |one: &bailey_message::Mailbox| match (&one.name, &one.address) {
        (Some(name), address) => format!("{} <{}>", visible(name), visible(address)),
        (None, address) => visible(address),
    };
    let mut cut: Vec<String> = mail.cut.iter().map(|words| visible(words)).collect();
    if inert.as_ref().is_some_and(|inert| inert.cut) {
        cut.push("its HTML is longer than is shown".into());
    }
    let inert = inert.unwrap_or_default();
    OriginalView {
        from: mail.from.iter().map(person).collect(),
        subject: visible(mail.subject.as_deref().unwrap_or_default()),
        date: mail.date.unwrap_or_default(),
        text: visible_lines(&mail.text),
        // Letters that are not seen, and those that turn the direction of others, are written out.
        html: visible_lines(&inert.html.replace(['\t', '\r'], " ")),
        links: inert.links.iter().map(|link| visible(link)).collect(),
        cut,
    }
}

pub(super) async fn original(AppState(home): Shared, Path(id): Path<String>) -> Answer<OriginalView> {
    fetched(&home, &id).await.map(Json)
}

/// How a received mail is to be shown.
#[derive(Default, Deserialize)]
pub(super) struct Looked {
    #[serde(default)]
    html: bool,
}

/// Makes the page of the received mail: its text, or its HTML in a frame.
pub(super) async fn original_page(AppState(home): Shared, Path(id): Path<String>, Query(how): Query<Looked>) -> Page {
    let around = Around::of(&home).await?;
    let mut view = fetched(&home, &id).await?;
    let end = view.text.floor_char_boundary(MOST_SHOWN);
    if end < view.text.len() {
        view.text.truncate(end);
        view.cut.push("its text is longer than is shown here".into());
    }
    Ok(shown(html::original(&around.frame(Section::Approvals), &id, &view, how.html)))
}

/// Returns the document that the frame shows: what may stay of the mail's HTML, in our own bare page.
pub(super) async fn frame(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let view = fetched(&home, &id).await?;
    let page = format!(
        "<!doctype html><meta charset=utf-8><title>Received mail</title><style>html{{color-scheme:light;background:#fff;color:#111}}\
         body{{margin:12px;font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}}img{{max-width:100%}}</style><body>{}",
        view.html
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAME_POLICY)),
    ];
    Ok((StatusCode::OK, headers, page).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_picture_by_its_first_bytes_alone() {
        assert_eq!(picture(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(picture(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(picture(b"GIF89a"), Some("image/gif"));
        assert_eq!(picture(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        for other in [&b"<svg xmlns="[..], b"<html>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE", b""] {
            assert_eq!(picture(other), None);
        }
    }

    #[test]
    fn names_of_files_end_no_header_and_name_no_folder() {
        let kept = to_keep("../a \"b\"\r\nx: y\u{202e}.pdf");
        assert_eq!(kept.to_str().ok(), Some("attachment; filename*=UTF-8''.._a%20%22b%22%0D%0Ax%3A%20y%E2%80%AE.pdf"));
    }
}
