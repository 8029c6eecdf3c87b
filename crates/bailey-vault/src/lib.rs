//! Connections and what they may do: the only crate that talks to a person's services.
//!
//! A client is handed out for a claim, narrowed to that account, that operation and those bytes. Nothing else in the
//! workspace can open a connection to a service.
//!
//! Invariant of absence: no function here returns a credential.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod authority;
mod computer;
mod discovery;
mod egress;
mod encoded;
mod files;
mod http;
mod http_guard;
mod imap_answers;
mod imap_guard;
mod imap_hello;
mod imap_keep;
mod model;
mod net;
mod notify;
mod notify_mail;
mod oauth;
mod oauth_answers;
mod one_click;
mod preset;
pub mod schedules;
mod session;
mod settings;
mod sign_in;
mod smtp;
mod smtp_guard;
mod starttls;
mod stream;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bailey_gate::approval::Authorised;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::{Level, Party};
use bailey_gate::handoff::{HandoffLock, PauseState, SystemEgress};
use bailey_gate::ledger::{Grant, StoreError, Tx as _};
use bailey_gate::{ConnectionId, Now};
use bailey_ledger::{ConnectionRow, Ledger, RecordName};
use bailey_telemetry::{Id, event};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use bailey_ledger::{FileRow, Listing, MadeBy, VersionRow, composed};
pub use computer::{Computer, Doing};
pub use discovery::{Found, FoundCollection, FoundServer, Origin, collection_of_issuer};
pub use files::{DEFAULT_FILE_BYTES, Files};
pub use http::{HttpError, Reply, SystemClient, retry_after};
pub use imap_hello::said_by_server;
pub use model::ModelAccess;
pub use net::Trust;
pub use notify::{Notice, Place};
pub use notify_mail::MailNotice;
pub use oauth::{Callback, Flow, Revocation, SignedIn, renewal};
pub use preset::kept_by_bailey_alone;
pub use session::{Access, HttpAnswer, HttpAsk, ImapSession};
pub use settings::{
    Credential, DavSettings, KeyHeader, MailSettings, ModelSettings, OauthClient, Security, Server, Settings, Training,
};
pub use smtp::{Refusal, Reply as SmtpReply, Submission};

/// What servers of others say, read: pure functions, public so that hostile bytes can be tried on them.
pub mod parsers {
    pub use crate::discovery::{Offered, read_config as mail_config};
    pub use crate::imap_answers::answers as mail_answers;
    pub use crate::oauth_answers::{
        read_callback as callback, read_granted as token_answer, read_metadata as metadata,
    };
}

use oauth::Tokens;

/// The kinds of sealed records a connection has.
const SETTINGS: &str = "connection";
const CREDENTIAL: &str = "credential";
/// What a service found out about a new account: for mail, its special folders.
const DISCOVERED: &str = "folders";
/// When it was made, and which permissions the provider gave.
const GRANTED: &str = "granted";

/// Records that tell a provider of a connection that is over, until it confirms. The name is stored.
const REVOCATION_NOTICE: &str = "farewell";

/// What telling the provider needs.
#[derive(Serialize, Deserialize)]
struct RevocationNotice {
    settings: Settings,
    tokens: Tokens,
}

/// What stands in its place where what it needs could not be read.
const UNREADABLE: &[u8] = b"unreadable";

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
    #[error("the connection was revoked or changed; nothing was done")]
    Revoked,
    /// Connected for less.
    #[error("this connection is {have}; it cannot be used to {wanted}")]
    Level {
        /// The level it has.
        have: &'static str,
        /// The level that was wanted.
        wanted: &'static str,
    },
    /// The settings do not allow it.
    #[error("{0}")]
    Settings(String),
    /// The provider renews the sign-in no more.
    #[error(
        "the sign-in of `{account}` is over (the provider says {why}): it has to be signed in again, with `bailey connect`, and the old connection ended with `bailey revoke`"
    )]
    SignInOver {
        /// The account.
        account: String,
        /// The provider's word for why.
        why: String,
    },
    /// The other side did not let us in, or could not be reached.
    #[error("{0}")]
    Refused(String),
}

/// The connections of one home.
pub struct Vault {
    ledger: Arc<Ledger>,
    lock: Arc<HandoffLock>,
    trust: Trust,
    clock: Arc<dyn Clock>,
    file_bound: files::Bound,
    computer: std::sync::OnceLock<Arc<dyn Computer>>,
    /// This vault, for work that has to end even if whoever began it is gone.
    me: Weak<Self>,
    /// Rises whenever every open connection has to end: on pause and on revocation.
    resets: watch::Sender<u64>,
    /// One refresh at a time for each connection: with rotation, a second one would kill the first one's token.
    /// Each holds until when its provider wants not to be asked, in milliseconds since 1970-01-01T00:00Z.
    refreshing: Mutex<BTreeMap<ConnectionId, Arc<tokio::sync::Mutex<oauth::Waiting>>>>,
}

/// Reads the time. The home's clock does; nothing else in the product reads one.
pub trait Clock: Send + Sync {
    /// Returns the moment, in the person's time zone.
    fn now(&self) -> jiff::Zoned;

    /// Returns the moment as the log keeps it.
    fn moment(&self) -> Now;
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

fn record<'a>(kind: &'static str, id: &'a ConnectionId) -> RecordName<'a> {
    RecordName { kind, owner: id.as_bytes(), n: 0 }
}

fn default_of(kind: &str) -> RecordName<'_> {
    RecordName { kind: "default", owner: kind.as_bytes(), n: 0 }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, VaultError> {
    serde_json::to_vec(value).map_err(|error| VaultError::Settings(error.to_string()))
}

/// How a connection was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// When: milliseconds since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// The permissions its provider gave, by its own names; none without tokens.
    pub permissions: Vec<String>,
}

/// What a look at a new account found.
#[derive(Debug, Default)]
pub struct Discovered {
    /// Notes that the service wants later, in its own form; kept sealed.
    pub notes: Vec<u8>,
    /// Whom the person gave something of their own will, as far as the account proves it, with the names the person gave them.
    pub known: Vec<(Party, String)>,
}

/// A connection the person wants, tried out already.
#[derive(Debug)]
pub struct NewConnection {
    /// Its identity.
    pub id: ConnectionId,
    /// Where, and as whom.
    pub settings: Settings,
    /// The level: how much it may be used for.
    pub level: Level,
    /// The credential to sign in with.
    pub credential: Credential,
    /// Findings of a look at the account.
    pub discovered: Discovered,
    /// The permissions its provider gave, by its own names.
    pub permissions: Vec<String>,
}

/// Ends something with what is open cut before and behind it: before, so that it ends now even where ending it cannot be
/// recorded; behind, for what was claimed in between.
pub fn cut_around<T>(cut: impl Fn(), end: impl FnOnce() -> T) -> T {
    cut();
    let ended = end();
    cut();
    ended
}

impl Vault {
    /// Returns the vault over a home's store.
    #[must_use]
    pub fn new(ledger: Arc<Ledger>, lock: Arc<HandoffLock>, trust: Trust, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            ledger,
            lock,
            trust,
            clock,
            file_bound: files::Bound::default(),
            computer: std::sync::OnceLock::new(),
            me: Weak::clone(me),
            resets: watch::Sender::new(0),
            refreshing: Mutex::default(),
        })
    }

    /// Returns the moment, in the person's time zone.
    #[must_use]
    pub fn now(&self) -> jiff::Zoned {
        self.clock.now()
    }

    /// Ends every open connection, at once. After this returns, nothing that was claimed before is handed off.
    pub fn reset(&self) {
        self.lock.cut();
        self.resets.send_modify(|count| *count += 1);
    }

    /// Returns what looks at a server, for as long as nothing is cut: a pause or a revocation ends it at once, whatever its
    /// other side does.
    pub async fn until_cut<T>(&self, look: impl Future<Output = Result<T, String>>) -> Result<T, VaultError> {
        let mut resets = self.resets.subscribe();
        tokio::select! {
            looked = look => looked.map_err(VaultError::Refused),
            Ok(()) = resets.changed() => {
                Err(VaultError::Refused("the connection was cut by a pause or a revocation".into()))
            }
        }
    }

    /// Rises whenever every open connection has to end: on pause and on revocation.
    #[must_use]
    pub fn resets(&self) -> watch::Receiver<u64> {
        let mut resets = self.resets.subscribe();
        resets.mark_unchanged();
        resets
    }

    /// Returns a client for a provider's base URL, for one named kind of system egress.
    pub(crate) fn system_client(&self, base: &str, egress: SystemEgress) -> Result<SystemClient, HttpError> {
        // A renewal cut in the middle would leave tokens nobody knows, and a revocation is what a reset is for: these two
        // end by themselves. No new byte of a renewal leaves while paused all the same.
        let resets = match egress {
            SystemEgress::TokenRefresh | SystemEgress::Revocation => watch::Sender::new(0).subscribe(),
            SystemEgress::Model
            | SystemEgress::Preparation
            | SystemEgress::Reconciliation
            | SystemEgress::Notification
            | SystemEgress::Certificate
            | SystemEgress::Computer => self.resets.subscribe(),
        };
        SystemClient::new(base, Arc::clone(&self.lock), resets, egress, self.trust.clone())
    }

    /// Keeps a new connection by the person's leave, which the log shows, and what the account proves about whom they write to.
    pub fn keep(&self, new: &NewConnection, leave: &Authorised, now: Now) -> Result<(), VaultError> {
        let grant = Grant { level: new.level, active: true, generation: 1 };
        let row = ConnectionRow {
            id: new.id,
            kind: new.settings.kind().into(),
            account: new.settings.account().to_owned(),
            grant,
        };
        let settings = json(&new.settings)?;
        let credential = json(&Tokens::first(&new.credential))?;
        let granted = json(&Granted { at_ms: now.wall_ms, permissions: new.permissions.clone() })?;
        let pause_state = self.lock.pause_state();
        self.ledger.write(|tx| {
            tx.put_connection(&row)?;
            tx.put_record(record(GRANTED, &new.id), &granted)?;
            tx.put_record(record(SETTINGS, &new.id), &settings)?;
            tx.put_record(record(DISCOVERED, &new.id), &new.discovered.notes)?;
            tx.put_record(record(CREDENTIAL, &new.id), &credential)?;
            for (party, name) in &new.discovered.known {
                tx.learn(party, name)?;
            }
            let payload = Payload::default()
                .text("account", &row.account)
                .text("level", new.level.name())
                .text("known_receivers", new.discovered.known.len().to_string());
            let entry = leave.entry(EventKind::Connected, now, pause_state, payload);
            tx.append(&Event { account: Some((new.id, 1)), ..entry }, None).map(|_| ())
        })?;
        Ok(())
    }

    /// Changes what a connection may be used for, by the person's leave, which the log shows. From the commit on what was claimed,
    /// approved or shown on the level before counts no more; open sessions are cut.
    pub fn change_level(
        &self,
        id: &ConnectionId,
        level: Level,
        leave: &Authorised,
        now: Now,
    ) -> Result<(), VaultError> {
        let row = self.ledger.connection(id)?.ok_or(VaultError::Unknown(*id))?;
        if !row.grant.active {
            return Err(VaultError::Revoked);
        }
        let settings = self.settings(id)?;
        settings.check(level).map_err(VaultError::Settings)?;
        if settings.issuer().is_some() && level > row.grant.level {
            let why =
                "its sign-in was for less, and the provider would refuse more; connect the account anew at that level";
            return Err(VaultError::Settings(why.into()));
        }
        let generation = row.grant.generation + 1;
        let changed = ConnectionRow { grant: Grant { level, active: true, generation }, ..row };
        let payload = Payload::default().text("account", &changed.account).text("level", level.name());
        let entry = leave.entry(EventKind::Connected, now, self.lock.pause_state(), payload);
        let entry = Event { account: Some((*id, generation)), ..entry };
        let end = || {
            self.ledger.write(|tx| {
                tx.put_connection(&changed)?;
                tx.append(&entry, None).map(|_| ())
            })
        };
        Ok(cut_around(|| self.reset(), end)?)
    }

    /// Ends a connection. From the commit on nothing may use it; open sessions are cut; what was kept is destroyed, but for
    /// what the provider has to be told, which waits sealed until it has been. Works while paused.
    ///
    /// Returns false if it was revoked before.
    pub fn revoke(&self, id: &ConnectionId, now: Now) -> Result<bool, VaultError> {
        let row = self.ledger.connection(id)?.ok_or(VaultError::Unknown(*id))?;
        if !row.grant.active {
            return Ok(false);
        }
        // What cannot be read keeps nobody from ending it: then there is nothing to tell the provider with, which is said.
        let outbox =
            self.settings(id).and_then(|settings| json(&RevocationNotice { settings, tokens: self.tokens(id)? }));
        let outbox = outbox.unwrap_or_else(|_| UNREADABLE.to_vec());
        let pause_state = self.lock.pause_state();
        let end = || {
            self.ledger.write(|tx| {
                let keys = Self::forget(tx, &row, now, pause_state, Actor::Client)?;
                tx.put_record(record(REVOCATION_NOTICE, id), &outbox)?;
                Ok(keys)
            })
        };
        let keys = cut_around(|| self.reset(), end)?;
        // A full disk may keep the keys of what is removed for a while; the connection is over all the same.
        if self.ledger.keys().destroy(&keys).is_err() {
            let connection = Id::new(*id.as_bytes());
            event!(WARN, "the keys of a revoked connection could not be destroyed yet", connection = connection);
        }
        Ok(true)
    }

    /// Takes a connection out of use in a transaction; returns the keys of what was removed.
    pub fn forget(
        tx: &mut bailey_ledger::LedgerTx<'_>,
        row: &ConnectionRow,
        now: Now,
        pause_state: PauseState,
        actor: Actor,
    ) -> Result<Vec<u64>, StoreError> {
        let generation = row.grant.generation + 1;
        tx.put_connection(&ConnectionRow { grant: Grant { active: false, generation, ..row.grant }, ..row.clone() })?;
        let mut keys = Vec::new();
        for kind in [SETTINGS, CREDENTIAL, DISCOVERED, GRANTED, sign_in::SIGN_IN_OVER] {
            keys.extend(tx.remove_record(record(kind, &row.id))?);
        }
        let entry = Event::of_home(EventKind::Revoked, actor, now, pause_state);
        tx.append(&Event { account: Some((row.id, generation)), ..entry }, None)?;
        Ok(keys)
    }

    /// Tells the provider of a revoked connection, after any renewal under way has ended. What it confirmed, or never has to
    /// be told, is forgotten here too; else it is told again later.
    pub async fn tell_provider(&self, id: &ConnectionId) -> Result<Revocation, VaultError> {
        let lock = self.refresh_lock(id);
        let _no_renewal = lock.lock().await;
        let Some(bytes) = self.ledger.record(record(REVOCATION_NOTICE, id))? else { return Ok(Revocation::Before) };
        if bytes == UNREADABLE {
            self.revocation_notice_delivered(id)?;
            return Ok(Revocation::Unconfirmed("what it was signed in with cannot be read any more".into()));
        }
        let notice: RevocationNotice =
            serde_json::from_slice(&bytes).map_err(|error| VaultError::Settings(error.to_string()))?;
        let told = self.revoke_at_provider(&notice.settings, &notice.tokens).await;
        if !matches!(told, Revocation::Unconfirmed(_)) {
            self.revocation_notice_delivered(id)?;
        }
        Ok(told)
    }

    /// Forgets what a provider had to be told.
    fn revocation_notice_delivered(&self, id: &ConnectionId) -> Result<(), VaultError> {
        let key = self.ledger.write(|tx| tx.remove_record(record(REVOCATION_NOTICE, id)))?;
        Ok(self.ledger.keys().destroy(key.as_slice()).map_err(bailey_ledger::from_key_error)?)
    }

    /// Takes a connection out of use in whose place another of the same account stands now. Its provider is told, but where that would
    /// end the new one's permissions too.
    pub fn replace(&self, id: &ConnectionId, now: Now) -> Result<(), VaultError> {
        let ends_all = self.settings(id).is_ok_and(|settings| settings.issuer().is_some_and(preset::ends_all));
        if self.revoke(id, now)? && ends_all {
            self.revocation_notice_delivered(id)?;
        }
        Ok(())
    }

    /// Returns how a connection was made; `None` of one that was made before that was kept.
    #[must_use]
    pub fn granted(&self, id: &ConnectionId) -> Option<Granted> {
        self.stored(GRANTED, id).ok()
    }

    /// Lists revoked connections whose provider has not confirmed yet.
    pub fn pending_revocation_notices(&self) -> Result<Vec<ConnectionId>, VaultError> {
        let owners = self.ledger.record_owners(REVOCATION_NOTICE)?;
        Ok(owners.into_iter().filter_map(|owner| owner.try_into().ok()).map(ConnectionId::from_bytes).collect())
    }

    /// Returns the settings of a connection that stands.
    pub fn settings(&self, id: &ConnectionId) -> Result<Settings, VaultError> {
        self.stored(SETTINGS, id)
    }

    /// Returns the connection of a kind that the person made the default, if they did.
    #[must_use]
    pub fn default_account(&self, kind: &str) -> Option<ConnectionId> {
        let bytes = self.ledger.record(default_of(kind)).ok().flatten()?;
        bytes.try_into().ok().map(ConnectionId::from_bytes)
    }

    /// Makes a connection the one of its kind that is used where nothing else is said. It gains no power by that.
    pub fn make_default(&self, id: &ConnectionId, now: Now) -> Result<(), VaultError> {
        let row = self.ledger.connection(id)?.ok_or(VaultError::Unknown(*id))?;
        if !row.grant.active {
            return Err(VaultError::Revoked);
        }
        let payload = Payload::default().text("account", &row.account).text("default", row.kind.clone());
        let entry = Event::of_home(EventKind::Connected, Actor::Client, now, self.lock.pause_state());
        let entry = Event { account: Some((row.id, row.grant.generation)), payload, ..entry };
        Ok(self.ledger.write(|tx| {
            tx.put_record(default_of(&row.kind), id.as_bytes())?;
            tx.append(&entry, None).map(|_| ())
        })?)
    }

    /// Returns what was found out about the account when it was connected.
    pub fn discovered<T: serde::de::DeserializeOwned>(&self, id: &ConnectionId) -> Result<T, VaultError> {
        self.stored(DISCOVERED, id)
    }

    /// Returns why sent mail of the account could not be looked at when it was looked at last; `None` where it was, or has none.
    #[must_use]
    pub fn unseen(&self, id: &ConnectionId) -> Option<String> {
        /// The form that every service's notes are read in here: they say more, each in its own.
        #[derive(serde::Deserialize)]
        struct Noted {
            unseen: Option<String>,
        }
        self.discovered::<Noted>(id).ok()?.unseen
    }

    /// Returns what its service noted when it last looked at the account ([`Discovered::notes`]).
    pub fn notes(&self, id: &ConnectionId) -> Result<Vec<u8>, VaultError> {
        self.ledger.record(record(DISCOVERED, id))?.ok_or(VaultError::Revoked)
    }

    /// Keeps what a further look at an account found, where the grant still stands as it was bound.
    pub fn keep_found(&self, (id, generation): (ConnectionId, u64), found: &Discovered) -> Result<(), VaultError> {
        let kept = self.ledger.write(|tx| {
            if !tx.grant(&id)?.is_some_and(|grant| grant.active && grant.generation == generation) {
                return Ok(false);
            }
            tx.put_record(record(DISCOVERED, &id), &found.notes)?;
            for (party, name) in &found.known {
                tx.learn(party, name)?;
            }
            Ok(true)
        })?;
        if kept { Ok(()) } else { Err(VaultError::Revoked) }
    }

    fn tokens(&self, id: &ConnectionId) -> Result<Tokens, VaultError> {
        self.stored(CREDENTIAL, id)
    }

    fn stored<T: serde::de::DeserializeOwned>(&self, kind: &'static str, id: &ConnectionId) -> Result<T, VaultError> {
        let bytes = self.ledger.record(record(kind, id))?.ok_or(VaultError::Revoked)?;
        serde_json::from_slice(&bytes).map_err(|error| VaultError::Settings(error.to_string()))
    }

    /// Returns the settings, if the grant stands as it was bound and covers what is wanted.
    fn authorise(
        &self,
        account: Option<(ConnectionId, u64)>,
        wanted: &'static str,
        needed: Level,
    ) -> Result<(ConnectionId, Settings), VaultError> {
        let (id, generation) = account.ok_or(VaultError::Revoked)?;
        let row = self.ledger.connection(&id)?.ok_or(VaultError::Unknown(id))?;
        if !row.grant.active || row.grant.generation != generation {
            return Err(VaultError::Revoked);
        }
        if row.grant.level < needed {
            return Err(VaultError::Level { have: row.grant.level.name(), wanted });
        }
        Ok((id, self.settings(&id)?))
    }

    fn refresh_lock(&self, id: &ConnectionId) -> Arc<tokio::sync::Mutex<oauth::Waiting>> {
        let mut all = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(*id).or_default())
    }
}

/// Returns an error with what caused it: libraries' own words leave the cause out.
pub fn words(error: &dyn std::error::Error) -> String {
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn what_ends_is_cut_before_and_behind() {
        let order = RefCell::new(Vec::new());
        let push = |what| order.borrow_mut().push(what);
        let ended = cut_around(
            || push("cut"),
            || {
                push("end");
                7
            },
        );
        assert_eq!((order.into_inner(), ended), (vec!["cut", "end", "cut"], 7));
    }
}
