//! Sending one claimed message.

use std::time::Duration;

use bailey_gate::family::mail::{MailAction, Message};
use bailey_gate::{Claimed, Effect, Outcome};
use bailey_vault::{Vault, words};
use lettre::address::Envelope;

use super::imap::BEFORE_HAND_OFF;

/// How long the answer to the end of a message may take: RFC 5321, 4.5.3.2.6 asks for ten minutes.
const AFTER_HAND_OFF: Duration = Duration::from_secs(600);

pub(super) async fn send(vault: &Vault, claimed: &Claimed<MailAction>, message: &Message) -> Outcome {
    let token = claimed.effect_token();
    let unsent = |why: String| Outcome::new(Effect::NotExecuted, why);
    let mut connection = match tokio::time::timeout(BEFORE_HAND_OFF, vault.submission(claimed)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(why)) => return unsent(why),
        Err(_) => return unsent("the mail server did not answer in time; nothing was sent".into()),
    };
    let envelope = match envelope(message) {
        Ok(envelope) => envelope,
        Err(why) => return unsent(why),
    };
    // The library ends the message with CRLF of its own; ours is that one.
    let artefact = claimed.artefact();
    let body = artefact.strip_suffix(b"\r\n").unwrap_or(artefact);
    match tokio::time::timeout(AFTER_HAND_OFF, connection.send(&envelope, body)).await {
        // Only a 2xx says that the message was taken; anything else without an error is no answer to it.
        Ok(Ok(response)) if !response.code().to_string().starts_with('2') => {
            Outcome::new(Effect::Unknown, format!("the mail server answered with {}", response.code()))
        }
        Ok(Ok(response)) => {
            let outcome = Outcome::new(
                Effect::Done,
                format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")),
            );
            // The mail is handed in; how the good-bye goes changes nothing.
            let _ = tokio::time::timeout(Duration::from_secs(1), connection.quit()).await;
            outcome
        }
        Ok(Err(error)) if !token.is_spent() => unsent(format!("not sent: {}", words(&error))),
        Ok(Err(error)) if is_refusal(&error) => {
            Outcome::new(Effect::Refused, format!("the mail server refused it: {}", words(&error)))
        }
        Ok(Err(error)) => Outcome::new(Effect::Unknown, format!("the mail server did not confirm: {}", words(&error))),
        Err(_) if token.is_spent() => Outcome::new(Effect::Unknown, "the mail server did not confirm in time"),
        Err(_) => unsent("the mail server did not answer in time; nothing was sent".into()),
    }
}

fn envelope(message: &Message) -> Result<Envelope, String> {
    let parse =
        |text: &str| text.parse::<lettre::Address>().map_err(|error| format!("`{text}` cannot be sent to: {error}"));
    let mut recipients = Vec::new();
    for to in message.recipients() {
        let address = parse(to.address.as_str())?;
        if !recipients.contains(&address) {
            recipients.push(address);
        }
    }
    Envelope::new(Some(parse(message.from.address.as_str())?), recipients).map_err(|error| error.to_string())
}

/// Tells whether a server's answer to a whole message means that it did not take it.
///
/// A reply cut short is no answer. 421 says that the service is going away (RFC 5321, 3.8), and a relay that lost its
/// next hop says so after that hop took the message: no proof either.
fn is_refusal(error: &lettre::transport::smtp::Error) -> bool {
    let closing = error.status().is_some_and(|code| code.to_string() == "421");
    (error.is_permanent() || error.is_transient()) && !closing
}
