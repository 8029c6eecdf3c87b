//! Mail over IMAP: look, read, move one message by a claim; and the looks that prepare those.

mod read;
mod roles;
mod search;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_imap::types::{Mailbox, NameAttribute};
use bailey_gate::family::mail::{FolderName, MailAction, MessageRef, Moving, Summary};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Outcome};
use bailey_vault::{Access, Discovered, ImapSession, MailSettings, Vault, VaultError, said_by_server, words};
use futures_util::{FutureExt as _, TryStreamExt as _};

use super::known::{self, WrittenTo};

/// How long connecting and signing in may take.
pub(super) const BEFORE_HAND_OFF: Duration = Duration::from_secs(60);

pub(super) use read::{attachment, file_of, read};
pub(super) use roles::Folders;
pub(super) use search::Entry;
pub(super) use search::{Words, folders, search};
use search::{list, summaries};

pub(super) fn imap_words(error: async_imap::error::Error) -> String {
    words(&error)
}

pub(super) async fn move_one(vault: &Vault, claimed: &Claimed<MailAction>, moving: &Moving) -> Outcome {
    let unmoved = |why: String| Outcome::new(Effect::NotExecuted, why);
    let mut session = match in_time(vault.imap_move(claimed)).await {
        Ok(session) => session,
        Err(why) => return unmoved(why),
    };
    if let Err(why) = in_time(check_still_there(&mut session, &moving.message, &moving.about)).await {
        return unmoved(why);
    }
    if moving.makes
        && let Err(why) = in_time(make_folder(&mut session, &moving.to)).await
    {
        return unmoved(why);
    }
    let (mut refused, mut copied) = (false, Copied::No);
    let moved = in_time(make_move(&mut session, moving, &mut refused, &mut copied));
    match moved.await {
        Ok(done) => {
            leave(session).await;
            Outcome::new(Effect::Done, done)
        }
        Err(why) if copied != Copied::No => Outcome::new(
            Effect::Partial,
            format!("the mail was copied to {}, and {}: {why}", moving.to.shown(), copied.where_it_was()),
        ),
        Err(why) if !claimed.effect_token().is_spent() => unmoved(why),
        Err(why) if refused => Outcome::new(Effect::Refused, why),
        Err(why) => Outcome::new(Effect::Unknown, why),
    }
}

/// Makes the folder that a mail is moved to, and has programs show it. One that somebody made meanwhile is as good.
async fn make_folder(session: &mut ImapSession, folder: &FolderName) -> Result<(), String> {
    use async_imap::error::Error;
    let made = session.create(folder.as_str()).await;
    if let Err(Error::No(why) | Error::Bad(why)) = &made
        && !is_there(session, folder).await?
    {
        let said = said_by_server(why);
        return Err(format!("the server does not make the folder `{}`; it says: {said}", folder.shown()));
    }
    match made {
        Ok(()) | Err(Error::No(_) | Error::Bad(_)) => {
            // A list of what is shown is no more than a help; some servers keep none.
            match session.subscribe(folder.as_str()).await {
                Ok(()) | Err(Error::No(_) | Error::Bad(_)) => Ok(()),
                Err(other) => Err(imap_words(other)),
            }
        }
        Err(other) => Err(imap_words(other)),
    }
}

/// How far a message was copied instead of moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    /// Not at all.
    No,
    /// It is copied, and where it was.
    Kept,
    /// It is copied; no answer came to marking it as deleted where it was.
    PerhapsMarked,
    /// It is copied, and marked as deleted where it was.
    Marked,
    /// It is copied and marked; no answer came to removing it.
    PerhapsRemoved,
}

impl Copied {
    /// Tells what became of the message where it was.
    const fn where_it_was(self) -> &'static str {
        match self {
            Self::No | Self::Kept => "is still where it was",
            Self::PerhapsMarked => {
                "is still where it was, perhaps marked as deleted there: look before any mail program removes it"
            }
            Self::Marked => "is marked as deleted where it was, so that any mail program may remove it there",
            Self::PerhapsRemoved => "is marked as deleted where it was, or removed there already",
        }
    }
}

/// Moves a message, or copies and removes it where the server knows no moving. A server that refuses has moved nothing.
async fn make_move(
    session: &mut ImapSession,
    moving: &Moving,
    refused: &mut bool,
    copied: &mut Copied,
) -> Result<String, String> {
    use async_imap::error::Error;
    let (uid, to) = (moving.message.uid.to_string(), moving.to.as_str());
    let able = session.capabilities().await.map_err(imap_words)?;
    let done = if able.has_str("MOVE") { session.uid_mv(&uid, to).await } else { session.uid_copy(&uid, to).await };
    done.map_err(|error| match error {
        Error::No(why) | Error::Bad(why) => {
            *refused = true;
            format!("the server refused; it says: {}", said_by_server(&why))
        }
        other => imap_words(other),
    })?;
    let shown = moving.to.shown();
    if able.has_str("MOVE") {
        return Ok(format!("moved to {shown}"));
    }
    *copied = Copied::Kept;
    let mark = format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)");
    answered(session, mark, copied, [Copied::PerhapsMarked, Copied::Kept, Copied::Marked]).await?;
    if !able.has_str("UIDPLUS") {
        return Ok(format!("copied to {shown}; the server can move nothing, so it is marked as deleted where it was"));
    }
    let remove = format!("UID EXPUNGE {uid}");
    answered(session, remove, copied, [Copied::PerhapsRemoved, Copied::Marked, Copied::Marked]).await?;
    Ok(format!("moved to {shown}"))
}

/// Says a command behind a copy, and keeps how far the copy has come: while there is no answer, where it is refused, where it is done.
async fn answered(
    session: &mut ImapSession,
    command: String,
    copied: &mut Copied,
    [unanswered, refused, done]: [Copied; 3],
) -> Result<(), String> {
    use async_imap::error::Error;
    *copied = unanswered;
    match session.run_command_and_check_ok(command).await {
        Ok(()) => {
            *copied = done;
            Ok(())
        }
        Err(Error::No(why) | Error::Bad(why)) => {
            *copied = refused;
            Err(format!("the server refused; it says: {}", said_by_server(&why)))
        }
        Err(other) => Err(imap_words(other)),
    }
}

/// Opens a message's folder to change something of it, and checks that its number names the same message still.
pub(super) async fn check_still_there(
    session: &mut ImapSession,
    message: &MessageRef,
    about: &Summary,
) -> Result<Mailbox, String> {
    let selected = session.select(message.folder.as_str()).await.map_err(imap_words)?;
    if selected.uid_validity != Some(message.uid_validity) {
        return Err("the folder was numbered anew since this was prepared; nothing was changed".into());
    }
    let found = summaries(session, &[message.uid]).await?;
    match found.first() {
        Some(found) if found.about == *about => Ok(selected),
        Some(_) => Err("another message has this number now; nothing was changed".into()),
        None => Err("the message is not there any more; nothing was changed".into()),
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
    // A copy that is marked as deleted is not there any more.
    let words = Words::plain(format!("UNDELETED HEADER Message-ID \"{message_id}\""));
    let found = vault.until_cut(in_time(list(&mut session, folder, &words, 0, 2))).await?;
    leave(session).await;
    Ok(match found.references.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    })
}

/// Reads what a message says of itself, to prepare an action on it.
pub(super) async fn summary(vault: &Vault, access: &Access, message: &MessageRef) -> Result<Summary, VaultError> {
    Ok(entry(vault, access, message).await?.about)
}

/// Reads what a message says of itself, and whether a folder is there that it could be moved to.
pub(super) async fn summary_and_folder(
    vault: &Vault,
    access: &Access,
    message: &MessageRef,
    to: &FolderName,
) -> Result<(Summary, bool), VaultError> {
    let mut session = open(vault, access).await?;
    let about = vault.until_cut(in_time(entry_in(&mut session, message))).await?.about;
    let there = vault.until_cut(in_time(is_there(&mut session, to))).await?;
    leave(session).await;
    Ok((about, there))
}

/// Tells whether there is a folder of this very name. Signs of its name may stand for any others in a list (RFC 3501, 6.3.8).
async fn is_there(session: &mut ImapSession, folder: &FolderName) -> Result<bool, String> {
    let name = folder.as_str();
    let names: Vec<_> =
        session.list(Some(""), Some(name)).await.map_err(imap_words)?.try_collect().await.map_err(imap_words)?;
    let inbox = |other: &str| name.eq_ignore_ascii_case("INBOX") && other.eq_ignore_ascii_case("INBOX");
    let found = names.iter().find(|one| one.name() == name || inbox(one.name()));
    let holds_none = |attribute: &NameAttribute<'_>| match attribute {
        NameAttribute::NoSelect => true,
        NameAttribute::Extension(other) => other.eq_ignore_ascii_case("\\NonExistent"),
        _ => false,
    };
    match found {
        Some(one) if one.attributes().iter().any(holds_none) => {
            Err(format!("`{}` holds folders, and no mail; name one of those in it", folder.shown()))
        }
        found => Ok(found.is_some()),
    }
}

/// Reads what a message says of itself, and how it is marked.
pub(super) async fn entry(vault: &Vault, access: &Access, message: &MessageRef) -> Result<Entry, VaultError> {
    let mut session = open(vault, access).await?;
    vault.until_cut(in_time(entry_in(&mut session, message))).await
}

async fn entry_in(session: &mut ImapSession, message: &MessageRef) -> Result<Entry, String> {
    let selected = session.examine(message.folder.as_str()).await.map_err(imap_words)?;
    if selected.uid_validity != Some(message.uid_validity) {
        return Err("the folder was numbered anew; search again".to_owned());
    }
    let found = summaries(session, &[message.uid]).await?;
    found.into_iter().next().ok_or_else(|| "there is no such message; search again".to_owned())
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
        // A server that does not let sent mail be searched is one to read and send with all the same: nobody is known by it.
        match known::written_to(session, &sent, None, own).await {
            Ok(seen) => (written_to, folders.sent_seen) = seen,
            Err(why) => folders.unseen = Some(why),
        }
    }
    Ok((folders, written_to))
}
