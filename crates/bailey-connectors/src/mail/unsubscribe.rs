//! Leaving a mailing list: by one request where that is offered and signed (RFC 8058), else by the mail that the list asks for.

use bailey_gate::family::mail::{ListAddress, MailAction, Unsubscribing};
use bailey_gate::family::{Action, Level};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, Effect, Outcome};
use bailey_message::{Fields, LeavingMail, leaving, own_servers};
use bailey_vault::{Vault, VaultError};
use serde_json::json;

use super::compose::{Around, message_of, sent_folder};
use super::{MAIL, imap, original, reference};
use crate::call::{Arguments, BadCall};
use crate::context::{ACCOUNT, PrepareContext};
use crate::service::Made;

/// Prepares leaving the list that a mail came by.
pub(super) async fn prepare(arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let lookup = |error: VaultError| BadCall::Lookup(error.to_string());
    let account = cx.account(MAIL, arguments, Level::Send)?;
    let message = reference(arguments)?;
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let (header, _) = original::fetch(cx.vault, &access, &message, original::HEADER).await.map_err(lookup)?;
    let host = account.settings.mail().and_then(|mail| mail.imap.as_ref()).map(|server| server.host.clone());
    let found = leaving(&Fields::split(&header).0, &own_servers(&host.unwrap_or_default()));
    let (address, signed_by) = found.one_click.clone().unzip();
    let usable = address.as_deref().and_then(ListAddress::new);
    match (usable, signed_by.flatten(), found.mail) {
        (Some(address), Some(signed_by), _) => {
            let about = imap::summary(cx.vault, &access, &message).await.map_err(lookup)?;
            let leaving = Unsubscribing { message, address, signed_by, about };
            Ok((Some(account.connection.0), Action::Mail(MailAction::Unsubscribe(leaving))))
        }
        (_, _, Some(mail)) => by_mail(&mail, arguments, cx),
        (Some(address), None, None) => Err(BadCall::Lookup(format!(
            "the mail offers to be unsubscribed from by one request to {}, but your own mail server found no valid signature that covers the offer, so anybody may have written it; open the list's page yourself",
            address.host()
        ))),
        (None, _, None) => Err(BadCall::Lookup(match address {
            Some(_) => "the mail's address for unsubscribing is none that a request is sent to (https, usual port, public name); open the list's page yourself".into(),
            None => "the mail offers no way of unsubscribing that needs no browser; look in its text, or mark what comes from there".into(),
        })),
    }
}

/// Longest subject and text of a mail to a list that are taken from its offer, in bytes: a command, or a token.
const MAX_COMMAND: usize = 400;

/// Returns what a list wants to be told, if it is a command or a token: words of others do not go to anybody in the person's name.
fn command(said: &str) -> Option<&str> {
    let said = said.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._=+:@/-".contains(&byte);
    (!said.is_empty() && said.len() <= MAX_COMMAND && said.bytes().all(plain)).then_some(said)
}

/// Makes the mail that a list asks for, from the address that gets its mail.
fn by_mail(mail: &LeavingMail, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let account = cx.account(MAIL, arguments, Level::Send)?;
    let around = Around { keep_in: sent_folder(cx.vault, account), ..Around::default() };
    let call = json!({
        "to": [mail.to],
        "subject": command(&mail.subject).unwrap_or("unsubscribe"),
        "body": command(&mail.body).unwrap_or("unsubscribe"),
        ACCOUNT: arguments.optional(ACCOUNT),
    });
    message_of("mail_send", &Arguments::parse(&call.to_string())?, cx, around)
}

/// Makes the request. What a server answers says whether it took it; a redirect is followed nowhere.
pub(super) async fn execute(vault: &Vault, claimed: &Claimed<MailAction>) -> Outcome {
    match vault.one_click(claimed).await {
        Ok(status @ 200..=299) => Outcome::new(Effect::Done, format!("the list's server took it (status {status})")),
        Ok(status @ 300..=399) => Outcome::new(
            Effect::Refused,
            format!(
                "the list's server answered with a redirect (status {status}), which is not followed; open its page yourself"
            ),
        ),
        Ok(status) => Outcome::new(Effect::Refused, format!("the list's server refused (status {status})")),
        Err(why) if !claimed.effect_token().is_spent() => Outcome::new(Effect::NotExecuted, why),
        Err(why) => Outcome::new(Effect::Unknown, format!("the list's server did not confirm: {why}")),
    }
}
