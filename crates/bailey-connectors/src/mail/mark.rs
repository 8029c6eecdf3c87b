//! Marking mail: read, starred, labels; one mark of one message by a claim.

use async_imap::error::Error;
use async_imap::types::{Flag, Mailbox};
use bailey_gate::family::mail::{Keyword, MailAction, Mark, Marking};
use bailey_gate::family::{Action, Level};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Vault, VaultError, said_by_server};

use super::imap::{check_still_there, entry, imap_words, in_time, leave};
use super::{MAIL, reference};
use crate::call::{Arguments, BadCall};
use crate::context::PrepareContext;
use crate::service::{Lookup, Made};

/// Prepares one mark. What the mail has already, or has not, is not done again: its undo would take away what was there before.
pub(super) async fn prepare(tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let account = cx.account(MAIL, arguments, Level::Full)?;
    let (mark, on) = if tool == "mail_label" { label(arguments)? } else { plain(arguments)? };
    let message = reference(arguments)?;
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let found = entry(cx.vault, &access, &message).await.map_err(|error| BadCall::Lookup(error.to_string()))?;
    if found.has(&mark) == on {
        return Err(BadCall::Lookup("the mail is marked like that already".into()));
    }
    let marking = Marking { message, mark, on, about: found.about };
    Ok((Some(account.connection.0), Action::Mail(MailAction::Mark(marking))))
}

fn plain(arguments: &Arguments) -> Result<(Mark, bool), BadCall> {
    match arguments.text("as")?.trim().to_lowercase().as_str() {
        "read" | "seen" => Ok((Mark::Read, true)),
        "unread" | "unseen" | "new" => Ok((Mark::Read, false)),
        "starred" | "flagged" | "important" => Ok((Mark::Starred, true)),
        "unstarred" | "unflagged" => Ok((Mark::Starred, false)),
        _ => Err(BadCall::Bad { name: "as", why: "write `read`, `unread`, `starred` or `unstarred`".into() }),
    }
}

fn label(arguments: &Arguments) -> Result<(Mark, bool), BadCall> {
    let label = Keyword::new(arguments.text("label")?.trim());
    let label = label.map_err(|error| BadCall::Bad { name: "label", why: error.to_string() })?;
    Ok((Mark::Label(label), !arguments.flag("remove")))
}

/// Sets the mark, or takes it off.
pub(super) async fn execute(vault: &Vault, claimed: &Claimed<MailAction>, marking: &Marking) -> Outcome {
    let undone = |why: String| Outcome::new(Effect::NotExecuted, why);
    let mut session = match in_time(vault.imap_mark(claimed)).await {
        Ok(session) => session,
        Err(why) => return undone(why),
    };
    match in_time(check_still_there(&mut session, &marking.message, &marking.about)).await {
        Ok(folder) if !marking.on || keeps(&folder, &marking.mark) => {}
        Ok(_) => {
            let folder = marking.message.folder.shown();
            return undone(format!("the mail server keeps no such mark in `{folder}`; nothing was changed"));
        }
        Err(why) => return undone(why),
    }
    let mut refused = false;
    let stored = in_time(async {
        session.run_command_and_check_ok(marking.command()).await.map_err(|error| match error {
            Error::No(why) | Error::Bad(why) => {
                refused = true;
                format!("the server refused; it says: {}", said_by_server(&why))
            }
            other => imap_words(other),
        })
    });
    match stored.await {
        Ok(()) => {
            leave(session).await;
            Outcome::new(Effect::Done, "the mail is marked")
        }
        Err(why) if !claimed.effect_token().is_spent() => undone(why),
        Err(why) if refused => Outcome::new(Effect::Refused, why),
        Err(why) => Outcome::new(Effect::Unknown, why),
    }
}

/// Tells whether a folder keeps a mark, as far as its server says (`PERMANENTFLAGS`, RFC 3501, 7.1). One that says nothing keeps all.
fn keeps(folder: &Mailbox, mark: &Mark) -> bool {
    let kept = &folder.permanent_flags;
    let fits = |flag: &Flag<'_>| match (mark, flag) {
        (Mark::Read, Flag::Seen) | (Mark::Starred, Flag::Flagged) | (Mark::Label(_), Flag::MayCreate) => true,
        (Mark::Label(label), Flag::Custom(kept)) => kept.eq_ignore_ascii_case(label.as_str()),
        _ => false,
    };
    kept.is_empty() || kept.iter().any(fits)
}

/// Tells whether a marking whose outcome is not known happened: the mail is marked so.
pub(super) async fn was_marked(vault: &Vault, account: Option<(ConnectionId, u64)>, marking: &Marking) -> Lookup {
    let access = vault.look(account, SystemEgress::Reconciliation);
    match entry(vault, &access, &marking.message).await {
        Ok(found) if found.about != marking.about => Some((Found::No, "another mail has its number now")),
        Ok(found) if found.has(&marking.mark) == marking.on => Some((Found::Yes, "the mail is marked so")),
        Ok(_) => Some((Found::No, "the mail is not marked so")),
        Err(VaultError::Revoked | VaultError::Unknown(_)) => {
            Some((Found::No, "the account is not connected any more, so it could not be looked up"))
        }
        Err(_) => None,
    }
}
