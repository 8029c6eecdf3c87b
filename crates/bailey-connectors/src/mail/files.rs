//! Files that a mail takes along: of the mailbox, named by mail and part, fetched whole by a look; or of the home, by their paths. Each is
//! shown with where it comes from.

use bailey_gate::family::files::FilePath;
use bailey_gate::family::mail::{Attachment, FolderRole, MAX_TAKEN_BYTES, MessageRef, PartNumber, TakenFrom};
use bailey_gate::family::text::Line;
use bailey_gate::handoff::SystemEgress;
use bailey_gate::ledger::StoreError;
use bailey_message::{Fields, addresses};
use bailey_vault::{FileRow, ImapSession, MadeBy, Vault, composed};
use serde_json::Value;

use super::compose::parse_with;
use super::imap::{self, Folders};
use super::known::is_ours;
use super::mime::people_in_words;
use super::reference_in;
use crate::call::{Arguments, BadCall};
use crate::context::{Account, PrepareContext};

/// Most files that one call names.
const MAX_FILES: usize = 50;
/// Most bytes of a file in its transfer encoding: what [`MAX_TAKEN_BYTES`] come to in base64, with its line ends, and some more.
const MAX_ENCODED: u64 = 28 * 1024 * 1024;
/// Characters of a file's name that are kept.
const MAX_FILE_NAME: usize = 200;

/// Characters of the words that say where a kept file comes from.
const MAX_SOURCE_CHARS: usize = 400;

/// A file as a call names it.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// Of a mail.
    Part(WantedPart),
    /// Of the home.
    File(FilePath),
}

/// A part of a mail as a call names it.
#[derive(Debug, PartialEq, Eq)]
struct WantedPart {
    message: MessageRef,
    part: PartNumber,
    /// The SHA-256 it is to have, where the call says so, in hexadecimal digits.
    sha256: Option<String>,
}

/// Fetches the files that a call names in its argument `files`, each whole.
///
/// # Errors
/// One cannot be read or is not what was named, or all of them have more than [`MAX_TAKEN_BYTES`].
pub(super) async fn taken(
    arguments: &Arguments,
    cx: &PrepareContext<'_>,
    account: &Account,
) -> Result<Vec<Attachment>, BadCall> {
    fetched(&wanted(arguments.value("files"))?, cx, account).await
}

/// Fetches one file of a received mail, to be kept as a file: its bytes, and in words where they come from.
///
/// # Errors
/// It cannot be read or is not what was named, or has more than [`MAX_TAKEN_BYTES`].
pub(crate) async fn kept_file(
    named: &Value,
    cx: &PrepareContext<'_>,
    account: &Account,
) -> Result<(Vec<u8>, String), BadCall> {
    let one = || BadCall::Bad { name: "attachment", why: "name one file, as ID#PART".into() };
    let [wanted] = <[Wanted; 1]>::try_from(wanted(Some(named))?).map_err(|_| one())?;
    let mut files = fetched(&[wanted], cx, account).await?;
    let Attachment { name, bytes, taken_from, .. } = files.pop().ok_or_else(one)?;
    let from = match taken_from.as_deref() {
        Some(TakenFrom::Mail { from, .. }) => format!(" of a mail from {from}"),
        Some(TakenFrom::File { path, .. }) => format!(", which lies at {}", path.as_str()),
        None => String::new(),
    };
    let source: String = format!("the file `{}`{from}", name.as_str()).chars().take(MAX_SOURCE_CHARS).collect();
    Ok((bytes, source))
}

async fn fetched(wanted: &[Wanted], cx: &PrepareContext<'_>, account: &Account) -> Result<Vec<Attachment>, BadCall> {
    let own = Own::of(cx, account);
    let lookup = |error: bailey_vault::VaultError| BadCall::Lookup(error.to_string());
    let (mut files, mut left, mut session) = (Vec::new(), MAX_TAKEN_BYTES, None);
    for (at, one) in wanted.iter().enumerate() {
        let file = match one {
            Wanted::File(path) => of_home(cx.vault, path, at, &mut left)?,
            Wanted::Part(part) => {
                let session = match &mut session {
                    Some(session) => session,
                    none => {
                        let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
                        none.insert(imap::open(cx.vault, &access).await.map_err(lookup)?)
                    }
                };
                let looked = imap::in_time(part.fetch(session, at, &own, &mut left));
                cx.vault.until_cut(looked).await.map_err(lookup)?
            }
        };
        files.push(file);
    }
    if let Some(session) = session {
        imap::leave(session).await;
    }
    Ok(files)
}

fn too_much() -> String {
    let megabytes = MAX_TAKEN_BYTES / 1_000_000;
    format!(
        "the files have more than {megabytes} MB in all, which few servers take; send fewer of them, or say where they are"
    )
}

/// Takes a file of the home along, in its newest version.
fn of_home(vault: &Vault, path: &FilePath, at: usize, left: &mut usize) -> Result<Attachment, BadCall> {
    let lookup = |error: StoreError| BadCall::Lookup(error.to_string());
    let shown = path.as_str();
    let missing =
        || BadCall::Bad { name: "files", why: format!("there is no file `{shown}`; list its folder with file_list") };
    let FileRow { path, newest, .. } = vault.files().at(path).map_err(lookup)?.ok_or_else(missing)?;
    // The gate is told of secrets that a task has read; what is sent along is not read.
    if newest.labels.confidential {
        let why = format!(
            "`{shown}` was written by a task that had seen secrets, so it is not sent along; the person can send it"
        );
        return Err(BadCall::Bad { name: "files", why });
    }
    let bytes = vault.files().content(&newest.seen, *left as u64).map_err(lookup)?;
    let bytes = bytes.ok_or_else(|| BadCall::Lookup(too_much()))?;
    *left -= bytes.len();
    let taken = TakenFrom::File { path: path.clone(), version: newest.seen.version, own: newest.by == MadeBy::Person };
    let attached = attachment(at, path.name(), media_of(path.name()), bytes)?;
    Ok(Attachment { taken_from: Some(Box::new(taken)), ..attached })
}

/// Returns the media type that a name's ending stands for, of those that people send; bytes of no kind for all else.
fn media_of(name: &str) -> &'static str {
    const ENDINGS: [(&str, &str); 12] = [
        (".pdf", "application/pdf"),
        (".txt", "text/plain"),
        (".md", "text/markdown"),
        (".csv", "text/csv"),
        (".png", "image/png"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
        (".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (".odt", "application/vnd.oasis.opendocument.text"),
        (".ods", "application/vnd.oasis.opendocument.spreadsheet"),
        (".zip", "application/zip"),
    ];
    let lower = name.to_ascii_lowercase();
    ENDINGS.iter().find(|(ending, _)| lower.ends_with(ending)).map_or("application/octet-stream", |(_, media)| media)
}

impl WantedPart {
    async fn fetch(
        &self,
        session: &mut ImapSession,
        at: usize,
        own: &Own,
        left: &mut usize,
    ) -> Result<Attachment, String> {
        let file = imap::file_of(session, &self.message, &self.part, MAX_ENCODED).await?;
        if !file.whole || file.bytes.len() > *left {
            return Err(too_much());
        }
        *left -= file.bytes.len();
        if self.sha256.as_ref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&bailey_message::sha256(&file.bytes)))
        {
            return Err(format!("part {} has another SHA-256 than you named; read the mail again", self.part.as_str()));
        }
        let (fields, _) = Fields::split(&file.header);
        let taken = TakenFrom::Mail {
            message: self.message.clone(),
            part: self.part.clone(),
            from: people_in_words(&fields, "from"),
            own: own.wrote(&self.message, &fields, &file.header),
        };
        let name = file.name.unwrap_or_default();
        let attached = attachment(at, &name, &file.media, file.bytes).map_err(|error| error.to_string())?;
        Ok(Attachment { taken_from: Some(Box::new(taken)), ..attached })
    }
}

/// What tells the person's own mail from that of others.
struct Own {
    folders: Folders,
    address: String,
    /// Tells whether mail of ours can be told from theirs by its Message-ID.
    is_told_apart: bool,
}

impl Own {
    fn of(cx: &PrepareContext<'_>, account: &Account) -> Self {
        let mail = account.settings.mail();
        Self {
            folders: cx.vault.discovered(&account.connection.0).unwrap_or_default(),
            address: mail.map(|mail| mail.address.clone()).unwrap_or_default(),
            is_told_apart: mail.is_some_and(|mail| !mail.keeps_what_is_sent()),
        }
    }

    /// Tells whether the person wrote a mail with another program: what Bailey wrote may hold files of others.
    fn wrote(&self, message: &MessageRef, fields: &Fields, header: &[u8]) -> bool {
        let from = addresses(fields, "from").all;
        let by_oneself = matches!(from.as_slice(), [one] if one.address.eq_ignore_ascii_case(&self.address));
        by_oneself && self.is_told_apart && self.folders.role(&message.folder) == FolderRole::Sent && !is_ours(header)
    }
}

/// Reads the files a call names: `ID#PART`, or an object with `id`, `part` and perhaps `sha256`; one of them, or a list.
fn wanted(value: Option<&Value>) -> Result<Vec<Wanted>, BadCall> {
    let bad = |why: &str| BadCall::Bad { name: "files", why: why.into() };
    let all = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => match (serde_json::from_str::<Value>(text), text.trim()) {
            // Small models write a list as a text.
            (Ok(list @ (Value::Array(_) | Value::Object(_))), _) => return wanted(Some(&list)),
            (_, "" | "none") => Vec::new(),
            _ => vec![one(&Value::String(text.clone()))?],
        },
        Some(Value::Array(items)) => items.iter().map(one).collect::<Result<_, _>>()?,
        Some(object @ Value::Object(_)) => vec![one(object)?],
        Some(Value::Bool(_) | Value::Number(_)) => return Err(bad("it is no list of files")),
    };
    if all.len() > MAX_FILES {
        return Err(bad("these are more files than one mail takes along; send fewer"));
    }
    Ok(all)
}

fn one(item: &Value) -> Result<Wanted, BadCall> {
    let bad = || {
        BadCall::Bad {
        name: "files",
        why: "write each as ID#PART, the mail's id and the part that mail_read gave for the file, like INBOX/1/5#2; or as the path of \
              one of the person's files, like Reports/march.pdf"
            .into(),
    }
    };
    let field = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let file = |path: &str| {
        let path = composed(path.trim());
        FilePath::new(path.strip_prefix('/').unwrap_or(&path)).map(Wanted::File).map_err(|_| bad())
    };
    let (id, part, sha256) = match item {
        Value::String(text) => match text.rsplit_once('#') {
            Some((id, part)) => (id.to_owned(), part.to_owned(), None),
            None => return file(text),
        },
        Value::Object(_) if item.get("path").is_some() => return file(&field("path").ok_or_else(bad)?),
        Value::Object(_) => {
            let number = item.get("part").and_then(Value::as_u64).map(|part| part.to_string());
            let part = field("part").or(number).ok_or_else(bad)?;
            (field("id").or_else(|| field("mail")).ok_or_else(bad)?, part, field("sha256"))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return Err(bad()),
    };
    let part = PartNumber::new(part.trim()).ok_or_else(bad)?;
    Ok(Wanted::Part(WantedPart { message: reference_in("files", &id)?, part, sha256 }))
}

/// Makes a file of a mail one of the mail that takes it along. Its name is made safe: it is its sender's. What a mail program would take
/// apart (parts within parts) goes as bytes of no kind.
pub(super) fn attachment(at: usize, name: &str, media_type: &str, bytes: Vec<u8>) -> Result<Attachment, BadCall> {
    let plain = name.chars().map(|c| if c.is_control() || "/\\\u{2028}\u{2029}".contains(c) { '_' } else { c });
    let name = plain.take(MAX_FILE_NAME).collect::<String>();
    let name = if name.trim().is_empty() { format!("file-{}", at + 1) } else { name.trim().to_owned() };
    let acted_on = media_type.starts_with("multipart/") || media_type.starts_with("message/") || media_type.contains(';')
        // A calendar's file says by itself what is to be done with it.
        || media_type.eq_ignore_ascii_case("text/calendar");
    let known = Attachment::is_media_type(media_type) && !acted_on;
    Ok(Attachment {
        name: parse_with("files", || Line::new(name))?,
        media_type: if known { media_type.to_owned() } else { "application/octet-stream".into() },
        bytes,
        taken_from: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(value: &Value) -> Result<Vec<(String, String)>, String> {
        let all = wanted(Some(value)).map_err(|error| error.to_string())?;
        let shown = |one: &Wanted| match one {
            Wanted::Part(one) => {
                (format!("{}/{}", one.message.folder.as_str(), one.message.uid), one.part.as_str().to_owned())
            }
            Wanted::File(path) => (path.as_str().to_owned(), String::new()),
        };
        Ok(all.iter().map(shown).collect())
    }

    #[test]
    fn files_are_named_by_mail_and_part_in_every_way_models_write_it() {
        let two = vec![("INBOX/7".to_owned(), "2".to_owned()), ("A#b/8".to_owned(), "1.3".to_owned())];
        for written in [
            json!(["INBOX/1/7#2", "A#b/1/8#1.3"]),
            json!("[\"INBOX/1/7#2\", \"A#b/1/8#1.3\"]"),
            json!([{"id": "INBOX/1/7", "part": 2}, {"mail": "A#b/1/8", "part": "1.3"}]),
        ] {
            assert_eq!(named(&written).as_ref(), Ok(&two), "{written}");
        }
        assert_eq!(named(&json!("INBOX/1/7#2")).map(|all| all.len()), Ok(1));
        let own = vec![("Reports/plan.pdf".to_owned(), String::new())];
        for written in [json!(["/Reports/plan.pdf"]), json!("Reports/plan.pdf"), json!([{"path": "Reports/plan.pdf"}])]
        {
            assert_eq!(named(&written).as_ref(), Ok(&own), "{written}");
        }
        for none in [json!([]), json!(""), json!("none"), json!(null)] {
            assert_eq!(named(&none), Ok(Vec::new()), "{none}");
        }
        for bad in [
            json!(7),
            json!([7]),
            json!("../plan.pdf"),
            json!({"path": "a//b"}),
            json!(["INBOX/1/7#0"]),
            json!([{"part": "2"}]),
        ] {
            assert!(named(&bad).unwrap_err().contains("`files`"), "{bad}");
        }
        assert!(named(&json!(vec!["INBOX/1/7#2"; 51])).is_err());
    }

    #[test]
    fn own_files_are_those_of_mail_that_the_person_sent_without_bailey() {
        let folders = Folders { sent: Some("Sent".into()), ..Folders::default() };
        let own = Own { folders, address: "me@example.org".into(), is_told_apart: true };
        let wrote = |own: &Own, folder: &str, from: &str, id: &str| {
            let header = format!("From: {from}\r\nMessage-ID: {id}\r\n\r\n").into_bytes();
            let folder = bailey_gate::family::mail::FolderName::new(folder).unwrap();
            own.wrote(&MessageRef { folder, uid_validity: 1, uid: 1 }, &Fields::split(&header).0, &header)
        };
        let (me, theirs, ours) =
            ("Me <ME@example.org>", "<a@phone.example>", "<0123456789abcdef0123456789abcdef@example.org>");
        assert!(wrote(&own, "Sent", me, theirs));
        for (folder, from, id) in [
            ("INBOX", me, theirs),
            ("Drafts", me, theirs),
            ("Sent", "eve@example.net", theirs),
            ("Sent", "me@example.org, eve@example.net", theirs),
            ("Sent", me, ours),
        ] {
            assert!(!wrote(&own, folder, from, id), "{folder} {from} {id}");
        }
        // Where a provider gives mail of ours other identities, it cannot be told from the person's.
        assert!(!wrote(&Own { is_told_apart: false, ..own }, "Sent", me, theirs));
    }

    #[test]
    fn files_are_given_safe_names_and_kinds_that_are_not_taken_apart() {
        let made = |name, media| {
            let file = attachment(1, name, media, vec![1]).unwrap();
            (file.name.as_str().to_owned(), file.media_type)
        };
        assert_eq!(made("../a\r\nb\u{2028}.pdf", "application/pdf"), (".._a__b_.pdf".into(), "application/pdf".into()));
        let unknown = ("file-2".to_owned(), "application/octet-stream".to_owned());
        for media in ["message/rfc822", "multipart/mixed", "text/calendar; method=REQUEST", "nothing"] {
            assert_eq!(made(" ", media), unknown);
        }
    }
}
