//! Sign-ins that are over: the provider will not renew their tokens, and only the person can sign in again. It is kept with the
//! connection and told wherever the connection is, until a renewal succeeds or the connection ends.

use bailey_gate::ConnectionId;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_telemetry::{Id, event};

use crate::oauth::Login;
use crate::session::{Access, Who};
use crate::{Settings, Vault, VaultError, record};

/// Records of sign-ins that are over: the provider's name for why. The name is stored.
pub(crate) const SIGN_IN_OVER: &str = "sign-in-over";

/// Why a session was not opened.
pub(crate) enum Unopened {
    /// The server did not take what we signed in with.
    SignIn(String),
    /// Anything else.
    Otherwise(String),
}

impl From<String> for Unopened {
    fn from(why: String) -> Self {
        Self::Otherwise(why)
    }
}

impl Unopened {
    pub(crate) fn words(self) -> String {
        match self {
            Self::SignIn(why) | Self::Otherwise(why) => why,
        }
    }
}

impl Vault {
    /// Returns what to try once more with, where a server refused a token before its time and it could be renewed; else why nothing was
    /// opened.
    pub(crate) async fn once_more(
        &self,
        access: &Access,
        settings: &Settings,
        login: &Login,
        why: Unopened,
    ) -> Result<Login, String> {
        let (Unopened::SignIn(_), Login::Bearer { token, .. }, Who::Connection(Some((id, _)))) =
            (&why, login, &access.who)
        else {
            return Err(why.words());
        };
        let renewed = self.login_anew(id, settings, token).await.map_err(|error| error.to_string())?;
        renewed.ok_or_else(|| why.words())
    }

    /// Keeps that a sign-in is over, and says so in the log, once; gives the error that tells it.
    pub(crate) fn sign_in_is_over(
        &self,
        id: &ConnectionId,
        settings: &Settings,
        why: &str,
    ) -> Result<VaultError, VaultError> {
        let over = VaultError::SignInOver { account: settings.account().to_owned(), why: why.to_owned() };
        if self.sign_in_over(id).is_some() {
            return Ok(over);
        }
        event!(WARN, "a sign-in is over: the provider renews it no more", connection = Id::new(*id.as_bytes()));
        let Some(row) = self.ledger.connection(id)?.filter(|row| row.grant.active) else {
            return Ok(VaultError::Revoked);
        };
        let payload = Payload::default().text("account", &row.account).text("sign_in", "over").text("why", why);
        let entry = Event::of_home(EventKind::Connected, Actor::Home, self.clock.moment(), self.lock.pause_state());
        let entry = Event { account: Some((row.id, row.grant.generation)), payload, ..entry };
        self.ledger.write(|tx| {
            tx.put_record(record(SIGN_IN_OVER, id), why.as_bytes())?;
            tx.append(&entry, None).map(|_| ())
        })?;
        Ok(over)
    }

    /// Forgets that a sign-in was over, once it was renewed after all.
    pub(crate) fn sign_in_holds(&self, id: &ConnectionId) -> Result<(), VaultError> {
        if self.sign_in_over(id).is_none() {
            return Ok(());
        }
        let key = self.ledger.write(|tx| tx.remove_record(record(SIGN_IN_OVER, id)))?;
        Ok(self.ledger.keys().destroy(key.as_slice()).map_err(bailey_ledger::from_key_error)?)
    }

    /// Tells why the sign-in of a connection is over, in the provider's word, if it is.
    #[must_use]
    pub fn sign_in_over(&self, id: &ConnectionId) -> Option<String> {
        let why = self.ledger.record(record(SIGN_IN_OVER, id)).ok().flatten()?;
        String::from_utf8(why).ok()
    }
}
