//! Sending one claimed message.

use std::time::Duration;

use bailey_gate::family::mail::MailAction;
use bailey_gate::family::{Action, Level};
use bailey_gate::{Claimed, Effect, Outcome};
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;

use crate::exit::Exit;
use crate::guard::SmtpGuard;
use crate::mail::BEFORE_HAND_OFF;
use crate::net::connect;
use crate::oauth::Login;
use crate::stream::ClaimedStream;
use crate::{Vault, words};

/// How long the answer to the end of a message may take: RFC 5321, 4.5.3.2.6 asks for ten minutes.
const AFTER_HAND_OFF: Duration = Duration::from_secs(600);

impl Vault {
    pub(crate) async fn try_send(&self, claimed: &Claimed) -> Outcome {
        let trigger = claimed.trigger();
        let unsent = |why: String| Outcome::new(Effect::NotExecuted, why);
        let mut connection = match tokio::time::timeout(BEFORE_HAND_OFF, self.open_submission(claimed)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(why)) => return unsent(why),
            Err(_) => return unsent("the mail server did not answer in time; nothing was sent".into()),
        };
        let envelope = match envelope(claimed) {
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
            Ok(Err(error)) if !trigger.is_spent() => unsent(format!("not sent: {}", words(&error))),
            Ok(Err(error)) if is_refusal(&error) => {
                Outcome::new(Effect::Refused, format!("the mail server refused it: {}", words(&error)))
            }
            Ok(Err(error)) => {
                Outcome::new(Effect::Unknown, format!("the mail server did not confirm: {}", words(&error)))
            }
            Err(_) if trigger.is_spent() => Outcome::new(Effect::Unknown, "the mail server did not confirm in time"),
            Err(_) => unsent("the mail server did not answer in time; nothing was sent".into()),
        }
    }

    async fn open_submission(&self, claimed: &Claimed) -> Result<AsyncSmtpConnection, String> {
        let (settings, login) =
            self.mail_of(claimed.account(), "send", Level::Send).await.map_err(|error| error.to_string())?;
        let server = settings.submission.as_ref().ok_or("this connection has no server to send through")?;
        let Action::Mail(MailAction::Send(message)) = &claimed.content().action else {
            return Err("only a mail can be sent as mail".into());
        };
        let receivers: Vec<String> = message.receivers().map(|to| to.address.as_str().to_owned()).collect();
        let guard = SmtpGuard::new(message.from.address.as_str(), &receivers, claimed.artefact());
        let exit = Exit::Claim(claimed.trigger());
        let link = connect(server, &self.trust, &exit).await?;
        let stream = ClaimedStream::new(link, guard, exit);
        let hello = ClientId::Domain("localhost".into());
        let name = format!("{}:{}", server.host, server.port);
        let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello)
            .await
            .map_err(|error| format!("the mail server `{name}` did not greet: {}", words(&error)))?;
        let signed_in = match login {
            Login::None => return Ok(connection),
            Login::Password { user, password } => {
                connection.auth(&[Mechanism::Plain], &Credentials::new(user, password.to_string())).await
            }
            Login::Bearer { user, token } => {
                connection.auth(&[Mechanism::Xoauth2], &Credentials::new(user, token.to_string())).await
            }
        };
        // The library's error may repeat what was sent; the server's code is all that is told.
        signed_in.map(|_| connection).map_err(|error| {
            let code = error.status().map_or_else(|| "no answer".to_owned(), |code| code.to_string());
            format!("the mail server `{name}` refused to let us in ({code}); nothing was sent")
        })
    }
}

fn envelope(claimed: &Claimed) -> Result<Envelope, String> {
    let Action::Mail(MailAction::Send(message)) = &claimed.content().action else {
        return Err("only a mail can be sent as mail".into());
    };
    let parse =
        |text: &str| text.parse::<lettre::Address>().map_err(|error| format!("`{text}` cannot be sent to: {error}"));
    let mut receivers = Vec::new();
    for to in message.receivers() {
        let address = parse(to.address.as_str())?;
        if !receivers.contains(&address) {
            receivers.push(address);
        }
    }
    Envelope::new(Some(parse(message.from.address.as_str())?), receivers).map_err(|error| error.to_string())
}

/// Whether a server's answer to a whole message means that it did not take it.
///
/// A reply cut short is no answer. 421 says that the service is going away (RFC 5321, 3.8), and a relay that lost its
/// next hop says so after that hop took the message: no proof either.
fn is_refusal(error: &lettre::transport::smtp::Error) -> bool {
    let closing = error.status().is_some_and(|code| code.to_string() == "421");
    (error.is_permanent() || error.is_transient()) && !closing
}
