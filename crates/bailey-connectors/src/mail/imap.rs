//! Mail over IMAP: look, read, move one message by a claim; and the looks that prepare those.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_imap::types::NameAttribute;
use bailey_gate::family::mail::{FolderName, FolderRole, MailAction, MessageRef, Moving, Query, Summary};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Outcome};
use bailey_vault::{Access, Discovered, ImapSession, MailSettings, Vault, VaultError, words};
use futures_util::{FutureExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::folder_name;
use super::known::{self, WrittenTo};
use super::mime::{HEADER, MAX_FETCHED, describe, people_in_words, short};
use bailey_message::Fields;

/// How long connecting and signing in may take.
pub(super) const BEFORE_HAND_OFF: Duration = Duration::from_secs(60);
/// Messages listed by one search. A model reads no more, and says so if it wants to narrow the search.
const MAX_LISTED: usize = 20;

/// The folders with a role (RFC 6154), as far as the server names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folders {
    /// Where deleted mail goes.
    pub trash: Option<String>,
    /// What the person sent.
    pub sent: Option<String>,
    /// What the person is writing.
    pub drafts: Option<String>,
    /// What the person keeps.
    #[serde(default)]
    pub archive: Option<String>,
    /// The last sent message that was looked at: its folder's validity, and its number.
    #[serde(default)]
    pub sent_seen: Option<(u32, u32)>,
}

impl Folders {
    /// What a folder is for.
    #[must_use]
    pub fn role(&self, folder: &FolderName) -> FolderRole {
        let last = folder_name::decode(last_part(folder.as_str()));
        let is = |name: &Option<String>, usual: &[&str]| {
            name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(folder.as_str()))
                || usual
                    .iter()
                    .any(|usual| last.eq_ignore_ascii_case(usual) || last.to_lowercase() == usual.to_lowercase())
        };
        // Usual names beside the advertised one: an account may have both "Sent" and "Sent Items".
        const SENT: [&str; 17] = [
            "Sent",
            "Sent Items",
            "Sent Mail",
            "Sent Messages",
            "Gesendet",
            "Gesendete Elemente",
            "Gesendete Objekte",
            "Gesendete Nachrichten",
            "Envoyés",
            "Éléments envoyés",
            "Messages envoyés",
            "Enviados",
            "Elementos enviados",
            "Inviata",
            "Posta inviata",
            "Verzonden",
            "Verzonden items",
        ];
        const DRAFTS: [&str; 7] = ["Drafts", "Draft", "Entwürfe", "Brouillons", "Borradores", "Bozze", "Concepten"];
        if is(&self.sent, &SENT) {
            FolderRole::Sent
        } else if is(&self.drafts, &DRAFTS) {
            FolderRole::Drafts
        } else if self.trash.as_deref() == Some(folder.as_str()) {
            FolderRole::Trash
        } else if self.archive.as_deref() == Some(folder.as_str()) || folder.as_str() == "INBOX" {
            FolderRole::Own
        } else {
            FolderRole::Ordinary
        }
    }
}

/// The name of a folder without those it lies in.
fn last_part(name: &str) -> &str {
    name.rsplit(['/', '.']).next().unwrap_or(name)
}

pub(super) fn imap_words(error: async_imap::error::Error) -> String {
    words(&error)
}

pub(super) async fn search(
    vault: &Vault,
    claimed: &Claimed<MailAction>,
    folder: &FolderName,
    query: &Query,
) -> Result<String, String> {
    let access = vault.access(claimed, "look");
    let mut session = in_time(vault.imap(&access)).await?;
    let found = in_time(list(&mut session, folder, &search_words(query, vault.now().date())?, MAX_LISTED)).await?;
    leave(session).await;
    let more = found.total.saturating_sub(found.messages.len());
    Ok(json!({"messages": found.messages, "more": more}).to_string())
}

pub(super) async fn read(vault: &Vault, claimed: &Claimed<MailAction>, message: &MessageRef) -> Result<String, String> {
    let access = vault.access(claimed, "read");
    let mut session = in_time(vault.imap(&access)).await?;
    let bytes = in_time(fetch(&mut session, message, &format!("BODY.PEEK[]<0.{MAX_FETCHED}>"))).await?;
    leave(session).await;
    // As long as it takes, others go on.
    in_time(async { spawn_blocking(move || describe(&bytes).to_string()).await.map_err(|error| error.to_string()) })
        .await
}

pub(super) async fn move_one(vault: &Vault, claimed: &Claimed<MailAction>, moving: &Moving) -> Outcome {
    let unmoved = |why: String| Outcome::new(Effect::NotExecuted, why);
    let mut session = match in_time(vault.imap_move(claimed)).await {
        Ok(session) => session,
        Err(why) => return unmoved(why),
    };
    if let Err(why) = in_time(check_still_there(&mut session, moving)).await {
        return unmoved(why);
    }
    let mut refused = false;
    let moved = in_time(async {
        session.uid_mv(moving.message.uid.to_string(), moving.to.as_str()).await.map_err(|error| match error {
            async_imap::error::Error::No(why) => {
                refused = true;
                format!("refused: {why}")
            }
            other => imap_words(other),
        })
    });
    match moved.await {
        Ok(()) => {
            leave(session).await;
            Outcome::new(Effect::Done, format!("moved to {}", moving.to.as_str()))
        }
        Err(why) if !claimed.effect_token().is_spent() => unmoved(why),
        Err(why) if refused => Outcome::new(Effect::Refused, why),
        Err(why) => Outcome::new(Effect::Unknown, why),
    }
}

/// The number may name another message by now: then nothing is moved.
async fn check_still_there(session: &mut ImapSession, moving: &Moving) -> Result<(), String> {
    let selected = session.select(moving.message.folder.as_str()).await.map_err(imap_words)?;
    if selected.uid_validity != Some(moving.message.uid_validity) {
        return Err("the folder was numbered anew since this was prepared; nothing was moved".into());
    }
    let found = summaries(session, &[moving.message.uid]).await?;
    match found.first() {
        Some(found) if found.about == moving.about => Ok(()),
        Some(_) => Err("another message has this number now; nothing was moved".into()),
        None => Err("the message is not there any more; nothing was moved".into()),
    }
}

/// Tells whether a move whose outcome is unknown happened: the message is in the target folder and not in the old one.
pub(super) async fn was_moved(
    vault: &Vault,
    account: Option<(ConnectionId, u64)>,
    moving: &Moving,
) -> Result<bool, VaultError> {
    let access = vault.look(account, SystemEgress::Reconciliation);
    let there = find_by_id(vault, &access, &moving.to, &moving.about.message_id).await?;
    let here = find_by_id(vault, &access, &moving.message.folder, &moving.about.message_id).await?;
    Ok(there.is_some() && here.is_none())
}

/// Finds a message by its Message-ID, if exactly one has it.
pub(super) async fn find_by_id(
    vault: &Vault,
    access: &Access,
    folder: &FolderName,
    message_id: &str,
) -> Result<Option<MessageRef>, VaultError> {
    if message_id.is_empty() || message_id.contains(['"', '\\']) || !message_id.is_ascii() {
        return Ok(None);
    }
    let mut session = open(vault, access).await?;
    let words = format!("HEADER Message-ID \"{message_id}\"");
    let found = vault.until_cut(in_time(list(&mut session, folder, &words, 2))).await?;
    leave(session).await;
    Ok(match found.references.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    })
}

/// Reads what a message says of itself, to prepare an action on it.
pub(super) async fn summary(vault: &Vault, access: &Access, message: &MessageRef) -> Result<Summary, VaultError> {
    let mut session = open(vault, access).await?;
    let found = in_time(async {
        let selected = session.examine(message.folder.as_str()).await.map_err(imap_words)?;
        if selected.uid_validity != Some(message.uid_validity) {
            return Err("the folder was numbered anew; search again".to_owned());
        }
        let found = summaries(&mut session, &[message.uid]).await?;
        found.into_iter().next().ok_or_else(|| "there is no such message; search again".to_owned())
    });
    Ok(vault.until_cut(found).await?.about)
}

pub(super) async fn open(vault: &Vault, access: &Access) -> Result<ImapSession, VaultError> {
    // A revoked connection is told as such, not as a server that could not be reached.
    vault.settings_of(access)?;
    vault.until_cut(in_time(vault.imap(access))).await
}

/// Signs in to a new account and looks: special folders, and whom the person has written to.
pub(super) async fn survey(vault: &Vault, access: &Access, settings: &MailSettings) -> Result<Discovered, VaultError> {
    let (mut folders, mut known) = (Folders::default(), Vec::new());
    if settings.imap.is_some() {
        let mut session = open(vault, access).await?;
        let seen = vault.until_cut(in_time(look_around(&mut session, &settings.address))).await?;
        leave(session).await;
        folders = seen.0;
        known = known::parties(seen.1);
    }
    let notes = serde_json::to_vec(&folders).map_err(|error| VaultError::Settings(error.to_string()))?;
    Ok(Discovered { notes, known })
}

/// Waits for work with the mail library, as long as that may take; and whatever the library does over an answer it cannot read, that
/// is an answer that cannot be read.
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    // What it held is dropped with it: nothing half done is looked at afterwards.
    let work = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(BEFORE_HAND_OFF, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err("the mail server gave an answer that cannot be read".into()),
        Err(_) => Err("the mail server did not answer in time".into()),
    }
}

/// Says good-bye; how that goes changes nothing.
pub(super) async fn leave(mut session: ImapSession) {
    let _ = in_time(async { session.logout().await.map_err(imap_words) }).await;
}

/// A message as a search lists it.
#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    from: String,
    subject: String,
    date: String,
    message_id: String,
    unread: bool,
}

struct Found {
    messages: Vec<Listed>,
    references: Vec<MessageRef>,
    total: usize,
}

/// Newest first, at most `limit`.
async fn list(session: &mut ImapSession, folder: &FolderName, query: &str, limit: usize) -> Result<Found, String> {
    let examined = session.examine(folder.as_str()).await.map_err(imap_words)?;
    let uid_validity = examined.uid_validity.ok_or("the mail server does not number its messages")?;
    let mut uids: Vec<u32> = session.uid_search(query).await.map_err(imap_words)?.into_iter().collect();
    uids.sort_unstable_by(|a, b| b.cmp(a));
    let total = uids.len();
    uids.truncate(limit);
    let mut entries = summaries(session, &uids).await?;
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.uid));
    let reference = |uid| MessageRef { folder: folder.clone(), uid_validity, uid };
    Ok(Found {
        references: entries.iter().map(|entry| reference(entry.uid)).collect(),
        messages: entries
            .into_iter()
            .map(|entry| Listed {
                id: format!("{}/{uid_validity}/{}", folder.as_str(), entry.uid),
                from: entry.about.from,
                subject: entry.about.subject,
                date: entry.date,
                message_id: entry.about.message_id,
                unread: entry.unread,
            })
            .collect(),
        total,
    })
}

struct Entry {
    uid: u32,
    about: Summary,
    date: String,
    unread: bool,
}

async fn summaries(session: &mut ImapSession, uids: &[u32]) -> Result<Vec<Entry>, String> {
    if uids.is_empty() {
        return Ok(Vec::new());
    }
    let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let what = format!("(UID FLAGS {HEADER})");
    let fetched: Vec<_> =
        session.uid_fetch(set, what).await.map_err(imap_words)?.try_collect().await.map_err(imap_words)?;
    // Servers may tell of other messages unasked; only what was asked for, whole, is an answer.
    let entries = fetched.iter().filter(|one| one.uid.is_some_and(|uid| uids.contains(&uid))).filter_map(|one| {
        let header = one.header()?;
        let (fields, _) = Fields::split(header);
        Some(Entry {
            uid: one.uid?,
            about: Summary {
                from: people_in_words(&fields, "from"),
                subject: fields.text("subject").map(|subject| short(&subject)).unwrap_or_default(),
                message_id: bailey_message::ids(&fields, "message-id").first().map(|id| short(id)).unwrap_or_default(),
            },
            date: fields.text("date").and_then(|date| bailey_message::date(&date)).unwrap_or_default(),
            unread: !one.flags().any(|flag| flag == async_imap::types::Flag::Seen),
        })
    });
    Ok(entries.collect())
}

async fn fetch(session: &mut ImapSession, message: &MessageRef, what: &str) -> Result<Vec<u8>, String> {
    let examined = session.examine(message.folder.as_str()).await.map_err(imap_words)?;
    if examined.uid_validity != Some(message.uid_validity) {
        return Err("the folder was numbered anew; search again".into());
    }
    let fetched: Vec<_> = session
        .uid_fetch(message.uid.to_string(), format!("(UID {what})"))
        .await
        .map_err(imap_words)?
        .try_collect()
        .await
        .map_err(imap_words)?;
    let body = fetched.iter().find(|one| one.uid == Some(message.uid)).and_then(|one| one.body());
    body.map(<[u8]>::to_vec).ok_or_else(|| "there is no such message; search again".into())
}

/// The search in the protocol's words (RFC 3501, 6.4.4).
fn search_words(query: &Query, today: jiff::civil::Date) -> Result<String, String> {
    let mut words = vec![if query.unread { "UNSEEN".to_owned() } else { "ALL".to_owned() }];
    for (key, value) in [("FROM", &query.from), ("SUBJECT", &query.subject), ("TEXT", &query.text)] {
        let Some(value) = value else { continue };
        let value = value.as_str();
        if !value.is_ascii() || value.contains(['"', '\\']) {
            return Err(format!(
                "`{value}` cannot be searched for: use plain letters, digits and signs without quotation marks"
            ));
        }
        words.push(format!("{key} \"{value}\""));
    }
    if let Some(days) = query.days {
        let since =
            today.saturating_sub(jiff::Span::new().try_days(i64::from(days)).map_err(|error| error.to_string())?);
        words.push(format!("SINCE {}", since.strftime("%d-%b-%Y")));
    }
    Ok(words.join(" "))
}

/// Finds special folders, and recipients of the newest sent messages by address, with the names they were given. Received mail
/// proves nothing and is not looked at.
async fn look_around(session: &mut ImapSession, own: &str) -> Result<(Folders, WrittenTo), String> {
    let names: Vec<_> =
        session.list(Some(""), Some("*")).await.map_err(imap_words)?.try_collect().await.map_err(imap_words)?;
    let mut folders = Folders::default();
    for name in &names {
        for attribute in name.attributes() {
            let place = match attribute {
                NameAttribute::Trash => &mut folders.trash,
                NameAttribute::Sent => &mut folders.sent,
                NameAttribute::Drafts => &mut folders.drafts,
                NameAttribute::Archive => &mut folders.archive,
                _ => continue,
            };
            *place = Some(name.name().to_owned());
        }
    }
    let mut written_to = WrittenTo::new();
    if let Some(sent) = folders.sent.clone() {
        (written_to, folders.sent_seen) = known::written_to(session, &sent, None, own).await?;
    }
    Ok((folders, written_to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searching_counts_days_from_the_persons_date() {
        let query = Query { days: Some(1), from: bailey_gate::family::text::Line::new("ana").ok(), ..Query::default() };
        let words = search_words(&query, jiff::civil::date(2026, 3, 1));
        assert_eq!(words.as_deref(), Ok("ALL FROM \"ana\" SINCE 28-Feb-2026"));
    }

    #[test]
    fn roles_follow_usual_names_too() {
        let folders =
            Folders { sent: Some("Verschickt".into()), archive: Some("Archive".into()), ..Folders::default() };
        for (name, role) in [
            ("Verschickt", FolderRole::Sent),
            ("INBOX.Sent", FolderRole::Sent),
            ("Sent Items", FolderRole::Sent),
            ("[Gmail]/Drafts", FolderRole::Drafts),
            ("Entw&APw-rfe", FolderRole::Drafts),
            ("INBOX.&AMk-l&AOk-ments envoy&AOk-s", FolderRole::Sent),
            ("Archive", FolderRole::Own),
            ("INBOX", FolderRole::Own),
            ("Trash", FolderRole::Ordinary),
            ("Public/everyone", FolderRole::Ordinary),
        ] {
            assert_eq!(folders.role(&FolderName::new(name).unwrap()), role, "{name}");
        }
    }
}
