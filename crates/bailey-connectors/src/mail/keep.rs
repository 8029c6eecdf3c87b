//! What the person's own mailbox keeps: a copy of what was sent, and drafts.

use bailey_gate::family::mail::{FolderName, FolderRole, MailAction, Message, Moving};
use bailey_gate::family::{Action, rfc5322};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{ImapSession, Vault, VaultError, words};

use super::imap::{self, BEFORE_HAND_OFF, Folders};
use super::original;
use crate::call::BadCall;
use crate::service::{Lookup, Made};

/// Puts a copy of a mail that was handed in into the folder that the mail names; returns what came of it. The mail is sent, whatever
/// becomes of its copy, and is not sent again for it.
pub(super) async fn copy(vault: &Vault, claimed: &Claimed<MailAction>, outcome: &Outcome) -> Option<String> {
    let MailAction::Send(message) = claimed.action() else { return None };
    let folder = message.keep_in.as_ref().filter(|_| matches!(outcome.result, Effect::Done | Effect::Partial))?;
    let appended = in_time(append(vault, claimed, folder, "(\\Seen)", rfc5322::render_kept(message))).await;
    Some(match appended {
        Ok(()) => format!("a copy is in `{}`", folder.as_str()),
        Err(why) => {
            format!("the mail is sent, but no copy of it could be put into `{}`: {}", folder.as_str(), why.words)
        }
    })
}

/// Puts a draft into the folder of drafts.
pub(super) async fn draft(vault: &Vault, claimed: &Claimed<MailAction>, message: &Message) -> Outcome {
    let Some(folder) = &message.keep_in else {
        return Outcome::new(Effect::NotExecuted, "the draft names no folder to lie in");
    };
    match in_time(append(vault, claimed, folder, "(\\Draft)", rfc5322::render_kept(message))).await {
        Ok(()) => Outcome::new(Effect::Done, format!("a draft is in `{}`", folder.as_str())),
        Err(why) if !claimed.effect_token().is_spent() => Outcome::new(Effect::NotExecuted, why.words),
        Err(why) if why.refused => Outcome::new(Effect::Refused, why.words),
        Err(why) => Outcome::new(Effect::Unknown, why.words),
    }
}

/// Tells whether a draft whose outcome is not known is there.
pub(super) async fn was_kept(vault: &Vault, account: Option<(ConnectionId, u64)>, message: &Message) -> Lookup {
    let folder = message.keep_in.as_ref()?;
    let access = vault.look(account, SystemEgress::Reconciliation);
    match imap::find_by_id(vault, &access, folder, message.message_id.as_str()).await {
        Ok(Some(_)) => Some((Found::Yes, "the draft is in the mailbox")),
        Ok(None) => Some((Found::No, "the draft was not found in the mailbox")),
        Err(VaultError::Revoked | VaultError::Unknown(_)) => {
            Some((Found::No, "the account is not connected any more, so it could not be looked up"))
        }
        Err(_) => None,
    }
}

/// Makes the action that takes a draft out of the mailbox: that one, as long as nobody changed it.
pub(super) async fn discard(
    vault: &Vault,
    account: Option<(ConnectionId, u64)>,
    message: &Message,
) -> Result<Made, BadCall> {
    let lookup = |error: VaultError| BadCall::Lookup(error.to_string());
    let folder = message.keep_in.as_ref().ok_or_else(|| BadCall::Lookup("the draft lies in no mailbox".into()))?;
    let folders: Folders = account.and_then(|(id, _)| vault.discovered(&id).ok()).unwrap_or_default();
    let trash = folders.trash.and_then(|name| FolderName::new(&name).ok());
    let to =
        trash.ok_or_else(|| BadCall::Lookup("the mail server names no trash folder to move the draft to".into()))?;
    let access = vault.look(account, SystemEgress::Preparation);
    let found = imap::find_by_id(vault, &access, folder, message.message_id.as_str()).await.map_err(lookup)?;
    let gone = || format!("the draft is not in `{}` any more, or cannot be told from others there", folder.as_str());
    let found = found.ok_or_else(|| BadCall::Lookup(gone()))?;
    let ours = rfc5322::render_kept(message);
    let (bytes, more) = original::fetch(vault, &access, &found, ours.len() + 1).await.map_err(lookup)?;
    if more || bytes != ours {
        return Err(BadCall::Lookup("the draft was changed since it was put there, so it stays".into()));
    }
    let about = imap::summary(vault, &access, &found).await.map_err(lookup)?;
    let moving = Moving { message: found, to, role: FolderRole::Trash, about, makes: false };
    Ok((account.map(|(connection, _)| connection), Action::Mail(MailAction::DiscardDraft(moving))))
}

/// Why nothing was appended.
struct Unkept {
    words: String,
    /// The server said no.
    refused: bool,
}

impl Unkept {
    const fn plain(words: String) -> Self {
        Self { words, refused: false }
    }
}

async fn append(
    vault: &Vault,
    claimed: &Claimed<MailAction>,
    folder: &FolderName,
    flags: &str,
    bytes: Vec<u8>,
) -> Result<(), Unkept> {
    let mut session: ImapSession = vault.imap_keep(claimed).await.map_err(Unkept::plain)?;
    let appended = session.append(folder.as_str(), Some(flags), None, bytes).await;
    if appended.is_ok() {
        // How the good-bye goes changes nothing.
        let _ = session.logout().await;
    }
    appended.map_err(|error| match error {
        async_imap::error::Error::No(why) => {
            Unkept { words: format!("the mail server refused it: {}", said(&why)), refused: true }
        }
        async_imap::error::Error::Append => Unkept::plain("the mail server refused to take it".into()),
        other => Unkept::plain(words(&other)),
    })
}

/// Returns the server's words in what the library makes of a refusal (`code: …, info: Some("…")`).
fn said(refusal: &str) -> String {
    bailey_vault::said_by_server(refusal)
}

async fn in_time<T>(work: impl Future<Output = Result<T, Unkept>>) -> Result<T, Unkept> {
    let late = |_| Err(Unkept::plain("the mail server did not answer in time".into()));
    tokio::time::timeout(BEFORE_HAND_OFF, work).await.unwrap_or_else(late)
}
