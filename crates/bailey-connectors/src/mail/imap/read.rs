//! Reading a message, or a file of one: whole where it is small, else the parts that are asked for, however much lies between.

use async_imap::imap_proto::{MessageSection, SectionPath};
use async_imap::types::Fetch;
use bailey_gate::Claimed;
use bailey_gate::family::mail::{MailAction, MessageRef, PartNumber};
use bailey_message::{Outline, own_servers};
use bailey_vault::{ImapSession, Vault};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::super::mime::{Fetched, HEADER, MAX_FETCHED, describe_file, describe_from};
use super::search::no_folder;
use super::{imap_words, in_time, leave};

/// Bytes of a file that are read, in its transfer encoding: some nine megabytes of it.
const MAX_FILE: u64 = 12 * 1024 * 1024;
/// Bytes asked for at once.
const AT_ONCE: u64 = 2 * 1024 * 1024;
/// Sections asked for at once.
const SECTIONS_AT_ONCE: usize = 16;

pub(in super::super) async fn read(
    vault: &Vault,
    claimed: &Claimed<MailAction>,
    message: &MessageRef,
    from: u32,
    zone: &str,
) -> Result<String, String> {
    let access = vault.access(claimed, "read");
    let settings = vault.settings_of(&access).map_err(|error| error.to_string())?;
    let host =
        settings.mail().and_then(|mail| mail.imap.as_ref()).map(|server| server.host.clone()).unwrap_or_default();
    let mut session = in_time(vault.imap(&access)).await?;
    let (header, flags, fetched) = in_time(async {
        let (header, flags, size) = look_at(&mut session, message).await?;
        let fetched = text_of(&mut session, message, &header, size).await?;
        Ok((header, flags, fetched))
    })
    .await?;
    leave(session).await;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let home = bailey_calendar::zone::by_name(zone);
    let work = move || {
        let mut told = describe_from(&fetched, &header, &own_servers(&host), from, home.as_ref());
        if let (Some(told), Some(flags)) = (told.as_object_mut(), flags.as_object()) {
            told.extend(flags.clone());
        }
        told.to_string()
    };
    // As long as it takes, others go on.
    in_time(async { spawn_blocking(work).await.map_err(|error| error.to_string()) }).await
}

/// Reads one part of a message as a file.
pub(in super::super) async fn attachment(
    vault: &Vault,
    claimed: &Claimed<MailAction>,
    message: &MessageRef,
    part: &PartNumber,
    from: u32,
    zone: &str,
) -> Result<String, String> {
    let access = vault.access(claimed, "read");
    let mut session = in_time(vault.imap(&access)).await?;
    let file = in_time(file_of(&mut session, message, part, MAX_FILE)).await?;
    leave(session).await;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let home = bailey_calendar::zone::by_name(zone);
    let work = move || {
        let (media, name, charset) = (&file.media, file.name.as_deref(), file.charset.as_deref());
        let home = home.as_ref().filter(|_| file.whole);
        let mut told = describe_file(&file.bytes, media, name, charset, from, home);
        if let Some(told) = told.as_object_mut() {
            told.insert("name".into(), json!(file.name));
            told.insert("type".into(), json!(file.media));
            told.insert("size".into(), json!(file.bytes.len()));
            if file.whole {
                told.insert("sha256".into(), json!(bailey_message::sha256(&file.bytes)));
            } else {
                told.insert("text_was_cut".into(), json!(true));
                told.insert("note".into(), json!("the file is larger than is read of one; this is its beginning"));
            }
        }
        told.to_string()
    };
    in_time(async { spawn_blocking(work).await.map_err(|error| error.to_string()) }).await
}

/// Header, flags and size of a message; the folder is open from here on.
async fn look_at(session: &mut ImapSession, message: &MessageRef) -> Result<(Vec<u8>, Value, u64), String> {
    let examined = session.examine(message.folder.as_str()).await.map_err(|error| no_folder(&message.folder, error))?;
    if examined.uid_validity != Some(message.uid_validity) {
        return Err("the folder was numbered anew; search again".into());
    }
    let fetched = fetch(session, message, &format!("UID FLAGS RFC822.SIZE {HEADER}")).await?;
    let header = fetched.iter().find_map(|one| one.header()).ok_or("there is no such message; search again")?;
    let has = |flag| fetched.iter().any(|one| one.flags().any(|known| known == flag));
    use async_imap::types::Flag::{Answered, Flagged, Seen};
    let flags = json!({ "unread": !has(Seen), "answered": has(Answered), "flagged": has(Flagged) });
    let size = fetched.iter().find_map(|one| one.size).map_or(u64::MAX, u64::from);
    Ok((header.to_vec(), flags, size))
}

/// Returns a message, or what of it is text.
async fn text_of(session: &mut ImapSession, message: &MessageRef, header: &[u8], size: u64) -> Result<Fetched, String> {
    let small = usize::try_from(size).is_ok_and(|size| size < MAX_FETCHED);
    if !small && let Some(mut outline) = outline(session, message, header).await? {
        let wanted = outline.wanted();
        for some in wanted.chunks(SECTIONS_AT_ONCE) {
            let items: Vec<String> =
                some.iter().map(|one| format!("BODY.PEEK[{}]<0.{}>", one.section, one.bytes)).collect();
            let fetched = fetch(session, message, &format!("UID {}", items.join(" "))).await?;
            for one in some {
                if let Some(bytes) = section(&fetched, &one.section) {
                    outline.put(&one.section, bytes);
                }
            }
        }
        return Ok(Fetched::Parts(Box::new(outline)));
    }
    // A server that cannot say of what parts a message is gives its beginning.
    let fetched = fetch(session, message, &format!("UID BODY.PEEK[]<0.{MAX_FETCHED}>")).await?;
    let bytes = fetched.iter().find_map(|one| one.body()).ok_or("there is no such message; search again")?;
    Ok(Fetched::Bytes(bytes.to_vec(), bytes.len() < MAX_FETCHED))
}

/// Tells of what parts a message is, as far as its server says.
async fn outline(session: &mut ImapSession, message: &MessageRef, header: &[u8]) -> Result<Option<Outline>, String> {
    let fetched = fetch(session, message, "UID BODYSTRUCTURE").await?;
    // The guard passes it on as these bytes.
    let structure = fetched.iter().find_map(|one| one.text());
    Ok(structure.and_then(|structure| Outline::new(header, structure)))
}

/// A file of a message, as far as it was fetched.
pub(in super::super) struct File {
    /// `type/subtype`.
    pub(in super::super) media: String,
    /// The name it was given.
    pub(in super::super) name: Option<String>,
    charset: Option<String>,
    /// Its bytes, the transfer encoding undone.
    pub(in super::super) bytes: Vec<u8>,
    /// Tells whether these are all.
    pub(in super::super) whole: bool,
    /// The header of the message.
    pub(in super::super) header: Vec<u8>,
}

/// Fetches a file, up to so many bytes of its transfer encoding, which are a multiple of those asked for at once.
pub(in super::super) async fn file_of(
    session: &mut ImapSession,
    message: &MessageRef,
    part: &PartNumber,
    most: u64,
) -> Result<File, String> {
    let none = || format!("the mail has no part {}; read it to see which it has", part.as_str());
    let (header, _, size) = look_at(session, message).await?;
    let small = usize::try_from(size).is_ok_and(|size| size < MAX_FETCHED);
    let known = if small { None } else { outline(session, message, &header).await? };
    let Some(outline) = known else {
        let fetched = fetch(session, message, &format!("UID BODY.PEEK[]<0.{MAX_FETCHED}>")).await?;
        let bytes = fetched.iter().find_map(|one| one.body()).ok_or_else(none)?;
        let cut = bytes.len() >= MAX_FETCHED;
        let (about, bytes, whole) = bailey_message::part(bytes, part.as_str()).ok_or_else(none)?;
        let (media, name, charset) = (about.media, about.name, about.charset);
        return Ok(File { media, name, charset, bytes, whole: whole && !cut, header });
    };
    let about = outline.part(part.as_str()).ok_or_else(none)?;
    let mut encoded = Vec::new();
    let mut at = 0;
    // A short piece is the last.
    while at < most {
        let item = format!("UID BODY.PEEK[{}]<{at}.{AT_ONCE}>", part.as_str());
        let fetched = fetch(session, message, &item).await?;
        let piece = section(&fetched, part.as_str()).unwrap_or_default();
        let count = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        encoded.extend(piece);
        at += AT_ONCE;
        if count < AT_ONCE {
            break;
        }
    }
    let whole = at < most || u64::try_from(encoded.len()).is_ok_and(|count| count < most);
    let bytes = bailey_message::decode_transfer(&encoded, &about.encoding);
    Ok(File { media: about.media, name: about.name, charset: about.charset, bytes, whole, header })
}

/// Returns what is said of one message, in however many answers.
async fn fetch(session: &mut ImapSession, message: &MessageRef, items: &str) -> Result<Vec<Fetch>, String> {
    let fetched: Vec<Fetch> = session
        .uid_fetch(message.uid.to_string(), format!("({items})"))
        .await
        .map_err(imap_words)?
        .try_collect()
        .await
        .map_err(imap_words)?;
    let places: Vec<u32> = fetched.iter().filter(|one| one.uid == Some(message.uid)).map(|one| one.message).collect();
    Ok(fetched
        .into_iter()
        .filter(|one| places.contains(&one.message) && one.uid.is_none_or(|uid| uid == message.uid))
        .collect())
}

/// Answers put together by the message they are of, by its number. A later answer may leave the number out.
pub(super) fn by_place(fetched: &[Fetch]) -> Vec<(u32, Vec<&Fetch>)> {
    let mut out: Vec<(u32, u32, Vec<&Fetch>)> = Vec::new();
    let numbers: std::collections::BTreeMap<u32, u32> =
        fetched.iter().filter_map(|one| Some((one.message, one.uid?))).collect();
    let mut places: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    for one in fetched {
        let Some(uid) = one.uid.or_else(|| numbers.get(&one.message).copied()) else { continue };
        let index = *places.entry(one.message).or_insert_with(|| {
            out.push((one.message, uid, Vec::new()));
            out.len() - 1
        });
        if let Some((_, _, answers)) = out.get_mut(index) {
            answers.push(one);
        }
    }
    out.into_iter().map(|(_, uid, answers)| (uid, answers)).collect()
}

/// Returns the bytes of a section: `1.2`, or `3.HEADER`.
fn section(fetched: &[Fetch], name: &str) -> Option<Vec<u8>> {
    let (path, header) = name.strip_suffix(".HEADER").map_or((name, None), |path| (path, Some(MessageSection::Header)));
    let numbers = path.split('.').map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>()?;
    let path = SectionPath::Part(numbers, header);
    fetched.iter().find_map(|one| one.section(&path)).map(<[u8]>::to_vec)
}
