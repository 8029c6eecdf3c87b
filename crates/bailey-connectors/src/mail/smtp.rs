//! Handing in one claimed message.

use std::time::Duration;

use bailey_gate::family::Action;
use bailey_gate::family::mail::{MailAction, Message};
use bailey_gate::family::text::Mailbox;
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Outcome};
use bailey_vault::{Access, Refusal, SmtpReply, Submission, Vault, VaultError};

use super::imap::BEFORE_HAND_OFF;
use crate::call::BadCall;
use crate::context::PrepareContext;
use crate::service::Made;

/// How long the answer to the end of a message may take: RFC 5321, 4.5.3.2.6 asks for ten minutes.
const AFTER_HAND_OFF: Duration = Duration::from_secs(600);
/// How long a server that says "later" before it has the message is waited for, each time. Nothing has happened by then. Servers that
/// greylist (RFC 6647) want five minutes at most, as a rule; a home that ends meanwhile has to ask the person what happened.
const WAITS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(60), Duration::from_secs(300)];
/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(1);
/// What names recipients to the person, at most.
const MAX_NAMED: usize = 10;

/// Signs in to the server an account sends through, as far as that goes without sending.
pub(crate) async fn try_submission(vault: &Vault, access: &Access) -> Result<(), VaultError> {
    let timed = async {
        let late = |_| Err("the server that takes outgoing mail did not answer in time".to_owned());
        tokio::time::timeout(BEFORE_HAND_OFF, vault.try_submission(access)).await.unwrap_or_else(late)
    };
    vault.until_cut(timed).await
}

/// Says that a server does not take an address.
fn not_taken(address: &Mailbox) -> String {
    format!(
        "your mail server does not take addresses with letters beyond plain ones before the @, such as `{}` (it offers no SMTPUTF8); ask for another address of theirs",
        address.address
    )
}

/// Checks, before anybody is asked, that the server an account sends through takes the addresses of a mail.
pub(crate) async fn check_taken(made: &Made, cx: &PrepareContext<'_>) -> Result<(), BadCall> {
    let (Some(connection), Action::Mail(MailAction::Send(message))) = made else { return Ok(()) };
    let account = cx.accounts.iter().find(|account| account.connection.0 == *connection);
    check_addresses(message, account.map(|account| account.connection), cx.vault).await
}

/// Checks the same of a mail that was edited.
pub(crate) async fn check_addresses(
    message: &Message,
    account: Option<(ConnectionId, u64)>,
    vault: &Vault,
) -> Result<(), BadCall> {
    let Some(address) = message.beyond_ascii() else { return Ok(()) };
    let access = vault.look(account, SystemEgress::Preparation);
    let timed = async {
        let late = |_| Err("the server that takes outgoing mail did not answer in time".to_owned());
        tokio::time::timeout(BEFORE_HAND_OFF, vault.takes_utf8(&access)).await.unwrap_or_else(late)
    };
    match vault.until_cut(timed).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(BadCall::Lookup(not_taken(address))),
        Err(error) => Err(BadCall::Lookup(error.to_string())),
    }
}

/// What came of one try.
enum Tried {
    /// It is over.
    Ended(Outcome),
    /// Nothing happened, and the server says that it may work later.
    Later(String),
}

pub(super) async fn send(vault: &Vault, claimed: &Claimed<MailAction>, message: &Message) -> Outcome {
    let (mut waits, mut asked) = (WAITS.iter(), Vec::new());
    loop {
        let wait = waits.next();
        match once(vault, claimed, message, wait.is_none()).await {
            Tried::Ended(outcome) if asked.is_empty() => return outcome,
            Tried::Ended(outcome) => {
                let tries = asked.len() + 1;
                let detail = format!(
                    "{} (at try {tries}; before, the mail server asked to wait: {})",
                    outcome.detail,
                    asked.join("; ")
                );
                return Outcome { detail, ..outcome };
            }
            Tried::Later(why) => {
                if !asked.contains(&why) {
                    asked.push(why);
                }
            }
        }
        // INVARIANT: nothing was handed off up to here. A pause or a revocation ends the waiting.
        if let Some(wait) = wait {
            tokio::time::sleep(*wait).await;
        }
    }
}

/// Returns one try. The last takes "later" for "no".
async fn once(vault: &Vault, claimed: &Claimed<MailAction>, message: &Message, last: bool) -> Tried {
    let unsent = |why: String| Tried::Ended(Outcome::new(Effect::NotExecuted, why));
    let opening = async {
        let mut session = vault.submission(claimed).await?;
        Ok::<_, String>(match introduce(&mut session, claimed.artefact().len(), message).await {
            Ok(refused) => Ok((session, refused)),
            Err(why) => {
                let _ = tokio::time::timeout(GOOD_BYE, session.quit()).await;
                Err(why)
            }
        })
    };
    let (mut session, refused) = match tokio::time::timeout(BEFORE_HAND_OFF, opening).await {
        Ok(Ok(Ok(begun))) => begun,
        Ok(Ok(Err(Unsent::Later(why)))) if !last => return Tried::Later(why),
        Ok(Ok(Err(Unsent::Later(why)))) => {
            return unsent(format!(
                "not sent: the mail server asks to try later ({why}); nothing happened, and it can be sent again"
            ));
        }
        Ok(Ok(Err(Unsent::No(why)))) => return unsent(format!("not sent: {why}")),
        Ok(Err(why)) => return unsent(why),
        Err(_) => return unsent("the mail server did not answer in time; nothing was sent".into()),
    };
    // Somebody who may be reached later is waited for, while nobody has the mail.
    if !last && refused.iter().any(|one| one.reply.is_later()) {
        let _ = tokio::time::timeout(GOOD_BYE, session.quit()).await;
        return Tried::Later(words(&refused));
    }
    let handed = tokio::time::timeout(AFTER_HAND_OFF, hand_in(&mut session, claimed.artefact())).await;
    let spent = claimed.effect_token().is_spent();
    Tried::Ended(match handed {
        Ok(Ok(reply)) if reply.is_yes() && refused.is_empty() => {
            // The mail is handed in; how the good-bye goes changes nothing.
            let _ = tokio::time::timeout(GOOD_BYE, session.quit()).await;
            Outcome::new(Effect::Done, reply.to_string())
        }
        Ok(Ok(reply)) if reply.is_yes() => {
            let _ = tokio::time::timeout(GOOD_BYE, session.quit()).await;
            let all: std::collections::BTreeSet<&str> = message.recipients().map(|to| to.address.as_str()).collect();
            let others = all.len().saturating_sub(refused.len());
            let others =
                if others == 1 { "the other recipient has it".into() } else { format!("the {others} others have it") };
            Outcome::new(Effect::Partial, format!("not sent to everybody: {}; {others} ({reply})", words(&refused)))
        }
        Ok(Ok(reply)) if !spent && reply.is_later() && !last => return Tried::Later(reply.to_string()),
        Ok(Ok(reply)) if !spent => {
            return unsent(format!("not sent: the mail server does not take the message ({reply})"));
        }
        Ok(Ok(reply)) if is_refusal(&reply) => {
            Outcome::new(Effect::Refused, format!("the mail server refused it: {reply}"))
        }
        Ok(Ok(reply)) => Outcome::new(Effect::Unknown, format!("the mail server answered with {reply}")),
        Ok(Err(why)) if !spent => return unsent(format!("not sent: {why}")),
        Ok(Err(why)) => Outcome::new(Effect::Unknown, format!("the mail server did not confirm: {why}")),
        Err(_) if spent => Outcome::new(Effect::Unknown, "the mail server did not confirm in time"),
        Err(_) => return unsent("the mail server did not answer in time; nothing was sent".into()),
    })
}

/// A recipient the server does not take, and what it says.
struct RefusedRecipient {
    address: String,
    reply: SmtpReply,
}

fn words(refused: &[RefusedRecipient]) -> String {
    let named = refused.iter().take(MAX_NAMED).map(|one| format!("`{}` was refused ({})", one.address, one.reply));
    let more = refused.len().saturating_sub(MAX_NAMED);
    let more = (more > 0).then(|| format!("{more} more were refused"));
    named.chain(more).collect::<Vec<_>>().join(", ")
}

/// Why a message was not even begun.
enum Unsent {
    /// The server may take it later.
    Later(String),
    /// It does not.
    No(String),
}

/// Names author and recipients; returns those that were refused, of whom there are fewer than of all.
async fn introduce(session: &mut Submission, size: usize, message: &Message) -> Result<Vec<RefusedRecipient>, Unsent> {
    let broken = |why: Refusal| Unsent::No(why.to_string());
    if let Some(largest) = session.largest().filter(|largest| size > *largest) {
        return Err(Unsent::No(format!(
            "the mail has {} and the mail server takes {} at most; send less, or a link to it",
            megabytes(size),
            megabytes(largest)
        )));
    }
    let beyond = message.beyond_ascii();
    if let Some(address) = beyond.filter(|_| !session.takes_utf8()) {
        return Err(Unsent::No(not_taken(address)));
    }
    let author = message.from.address.as_str();
    let reply = session.mail_from(author, size, beyond.is_some()).await.map_err(broken)?;
    if !reply.is_yes() {
        let words = format!("the mail server does not take mail from `{}` ({reply})", message.from.address);
        return Err(if reply.is_later() { Unsent::Later(reply.to_string()) } else { Unsent::No(words) });
    }
    let (mut named, mut refused) = (Vec::new(), Vec::new());
    for to in message.recipients() {
        let address = to.address.to_string();
        if named.contains(&address) {
            continue;
        }
        let reply = session.recipient(&address).await.map_err(broken)?;
        if !reply.is_yes() {
            refused.push(RefusedRecipient { address: address.clone(), reply });
        }
        named.push(address);
    }
    if refused.len() < named.len() {
        return Ok(refused);
    }
    let why = words(&refused);
    Err(if refused.iter().all(|one| one.reply.is_later()) { Unsent::Later(why) } else { Unsent::No(why) })
}

fn megabytes(bytes: usize) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

/// Asks to write the message, and writes it. The answer is to the one or the other.
async fn hand_in(session: &mut Submission, artefact: &[u8]) -> Result<SmtpReply, Refusal> {
    let asked = session.data().await?;
    if asked.code != 354 {
        return Ok(asked);
    }
    session.message(artefact).await
}

/// Tells whether a server's answer to a whole message means that it did not take it.
///
/// 421 says that the service is going away (RFC 5321, 3.8), and a relay that lost its next hop says so after that hop took the message:
/// no proof either.
const fn is_refusal(reply: &SmtpReply) -> bool {
    reply.code >= 400 && reply.code < 600 && reply.code != 421
}
