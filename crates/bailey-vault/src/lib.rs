//! Connections and what they may do: the only crate that talks to a person's services.
//!
//! A client is handed out for a claim, narrowed to that account, that operation and those bytes. Nothing else in the
//! workspace can open a connection to a service.
//!
//! Invariant of absence: no function here returns a credential.

mod guard;
mod http;
mod settings;
mod stream;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::mail::MailAction;
use bailey_gate::family::{Action, Level};
use bailey_gate::handoff::{HandoffLock, SystemEgress};
use bailey_gate::ledger::{Grant, StoreError};
use bailey_gate::{Claimed, ConnectionId, Effect, Now, Outcome, Settled};
use bailey_ledger::{ConnectionRow, Ledger, RecordName};
use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::sync::watch;

pub use http::{HttpError, SystemClient};
pub use settings::{MailSettings, Server};

use guard::SmtpGuard;
use stream::ClaimedStream;

/// How long connecting and every step before the hand-off may take together.
const BEFORE_HAND_OFF: Duration = Duration::from_secs(60);
/// How long the answer to the end of a message may take: RFC 5321, 4.5.3.2.6 asks for ten minutes.
const AFTER_HAND_OFF: Duration = Duration::from_secs(600);
/// The kind of the sealed record that holds a connection's settings.
const SETTINGS: &str = "connection";

/// Why a connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such connection.
    #[error("there is no connection `{0}`; list them with `bailey connections`")]
    Unknown(ConnectionId),
    /// Revoked, or changed since the claim.
    #[error("the connection was revoked or changed; nothing was sent")]
    Revoked,
    /// Connected for less.
    #[error("this connection is {have}; it cannot be used to {wanted}")]
    Level {
        /// What it allows.
        have: &'static str,
        /// What was wanted.
        wanted: &'static str,
    },
    /// The settings do not allow it.
    #[error("{0}")]
    Settings(String),
}

/// The connections of one home.
pub struct Vault {
    ledger: Arc<Ledger>,
    lock: Arc<HandoffLock>,
    /// Rises whenever every open connection has to end: on pause and on revocation.
    resets: watch::Sender<u64>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// The vault over a home's store.
    #[must_use]
    pub fn new(ledger: Arc<Ledger>, lock: Arc<HandoffLock>) -> Self {
        Self { ledger, lock, resets: watch::Sender::new(0) }
    }

    /// Ends every open connection, at once. Called when everything is paused.
    pub fn reset(&self) {
        self.resets.send_modify(|count| *count += 1);
    }

    /// A client for a provider's base URL, for one named kind of system egress.
    pub fn system_client(&self, base: &str, egress: SystemEgress) -> Result<SystemClient, HttpError> {
        SystemClient::new(base, Arc::clone(&self.lock), self.resets.subscribe(), egress)
    }

    /// Keeps a new mail connection. The caller has the person's leave.
    pub fn connect_mail(
        &self,
        id: ConnectionId,
        settings: &MailSettings,
        level: Level,
        now: Now,
    ) -> Result<(), VaultError> {
        check(settings, level)?;
        let json = serde_json::to_vec(settings).map_err(|error| VaultError::Settings(error.to_string()))?;
        let grant = Grant { level, active: true, generation: 1 };
        let row = ConnectionRow { id, kind: "mail".into(), account: settings.address.clone(), grant };
        let valve = self.lock.valve();
        self.ledger.write(|tx| {
            tx.put_connection(&row)?;
            tx.put_record(RecordName { kind: SETTINGS, owner: id.as_bytes(), n: 0 }, &json)?;
            let payload = Payload::default().text("account", &row.account).text("level", level.name());
            let entry = Event::of_home(EventKind::Connected, Actor::Person, now, valve);
            tx.append(&Event { account: Some((id, 1)), payload, ..entry }, None).map(|_| ())
        })?;
        Ok(())
    }

    /// Ends a connection: from the commit on, nothing may use it; open sessions are cut; its settings are destroyed.
    pub fn revoke(&self, id: &ConnectionId, now: Now) -> Result<(), VaultError> {
        let row = self.ledger.connection(id)?.ok_or(VaultError::Unknown(*id))?;
        if !row.grant.active {
            return Ok(());
        }
        let generation = row.grant.generation + 1;
        let revoked = ConnectionRow { grant: Grant { active: false, generation, ..row.grant }, ..row };
        let valve = self.lock.valve();
        let key = self.ledger.write(|tx| {
            tx.put_connection(&revoked)?;
            let key = tx.remove_record(RecordName { kind: SETTINGS, owner: id.as_bytes(), n: 0 })?;
            let entry = Event::of_home(EventKind::Revoked, Actor::Person, now, valve);
            tx.append(&Event { account: Some((*id, generation)), ..entry }, None)?;
            Ok(key)
        })?;
        self.reset();
        self.ledger.keys().destroy(key.as_slice()).map_err(bailey_ledger::from_key_error)?;
        Ok(())
    }

    /// The settings of a mail connection that stands.
    pub fn mail_settings(&self, id: &ConnectionId) -> Result<MailSettings, VaultError> {
        let name = RecordName { kind: SETTINGS, owner: id.as_bytes(), n: 0 };
        let json = self.ledger.record(name)?.ok_or(VaultError::Revoked)?;
        serde_json::from_slice(&json).map_err(|error| VaultError::Settings(error.to_string()))
    }

    /// Carries out a claimed mail: connects, says exactly what was approved, and reports what came of it.
    pub async fn send_mail(&self, claimed: Claimed) -> Settled {
        let mut resets = self.resets.subscribe();
        resets.mark_unchanged();
        let trigger = claimed.trigger();
        let outcome = tokio::select! {
            outcome = self.try_send(&claimed) => outcome,
            _ = resets.changed() => Outcome::new(
                if trigger.is_spent() { Effect::Unknown } else { Effect::NotExecuted },
                "the connection was cut by a pause or a revocation",
            ),
        };
        claimed.settle(outcome)
    }

    /// The grant as it is now, for a claim that was made a moment ago.
    fn authorise(&self, claimed: &Claimed, wanted: &'static str, needed: Level) -> Result<MailSettings, VaultError> {
        let (id, generation) = claimed.account().ok_or(VaultError::Revoked)?;
        let row = self.ledger.connection(&id)?.ok_or(VaultError::Unknown(id))?;
        if !row.grant.active || row.grant.generation != generation {
            return Err(VaultError::Revoked);
        }
        if row.grant.level < needed {
            return Err(VaultError::Level { have: row.grant.level.name(), wanted });
        }
        self.mail_settings(&id)
    }

    async fn try_send(&self, claimed: &Claimed) -> Outcome {
        let trigger = claimed.trigger();
        let unsent = |why: String| Outcome::new(Effect::NotExecuted, why);
        let mut connection = match tokio::time::timeout(BEFORE_HAND_OFF, self.open(claimed)).await {
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
            Ok(Ok(response)) => {
                let words = response.message().collect::<Vec<_>>().join(" ");
                let outcome = Outcome::new(Effect::Done, format!("{} {words}", response.code()));
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

    async fn open(&self, claimed: &Claimed) -> Result<AsyncSmtpConnection, String> {
        let settings = self.authorise(claimed, "send", Level::Send).map_err(|error| error.to_string())?;
        let server = settings.submission.ok_or("this connection has no server to send through")?;
        let Action::Mail(MailAction::Send(message)) = &claimed.content().action else {
            return Err("only a mail can be sent as mail".into());
        };
        let receivers: Vec<String> = message.receivers().map(|to| to.address.as_str().to_owned()).collect();
        let guard = SmtpGuard::new(message.from.address.as_str(), &receivers, claimed.artefact());
        let tcp = connect_loopback(&server).await?;
        let stream = ClaimedStream::new(tcp, guard, claimed.trigger());
        let hello = ClientId::Domain("localhost".into());
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.map_err(|error| {
            format!("the mail server `{}:{}` did not greet: {}", server.host, server.port, words(&error))
        })
    }
}

/// Opens a plain connection, which is allowed to this machine only.
async fn connect_loopback(server: &Server) -> Result<TcpStream, String> {
    let name = format!("{}:{}", server.host, server.port);
    let addresses = tokio::net::lookup_host((server.host.as_str(), server.port))
        .await
        .map_err(|error| format!("the server `{name}` is not known: {error}; check its name"))?;
    let mut last: Option<io::Error> = None;
    for address in addresses {
        if !address.ip().is_loopback() {
            return Err(format!("`{name}` is another machine and this connection has no TLS; nothing was sent there"));
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
    Err(format!("the server `{name}` cannot be reached: {why}"))
}

fn envelope(claimed: &Claimed) -> Result<Envelope, String> {
    let Action::Mail(MailAction::Send(message)) = &claimed.content().action else {
        return Err("only a mail can be sent as mail".into());
    };
    let parse = |text: &str| text.parse::<Address>().map_err(|error| format!("`{text}` cannot be sent to: {error}"));
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

/// An error with what caused it: the library's own words leave the cause out.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

fn check(settings: &MailSettings, level: Level) -> Result<(), VaultError> {
    use bailey_gate::family::text::{Address, Line};
    Address::new(&settings.address).map_err(|error| VaultError::Settings(error.to_string()))?;
    if let Some(name) = &settings.name {
        Line::new(name.clone()).map_err(|error| VaultError::Settings(error.to_string()))?;
    }
    if level >= Level::Send && settings.submission.is_none() {
        return Err(VaultError::Settings(
            "a connection that may send needs a submission server; name one, or connect for less".into(),
        ));
    }
    Ok(())
}
