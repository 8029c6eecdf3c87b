//! What preparing an action may know of the home.

use std::ops::Deref;

use bailey_gate::ConnectionId;
use bailey_gate::family::Level;
use bailey_gate::intent::tokens;
use bailey_vault::{Settings, Vault};

use crate::call::{Arguments, BadCall};

/// An account that stands.
#[derive(Debug, Clone)]
pub struct Account {
    /// The connection, and the generation of its grant.
    pub connection: (ConnectionId, u64),
    /// The level: how much it may be used for.
    pub level: Level,
    /// Where, and as whom.
    pub settings: Settings,
    /// Tells whether the person made it the one that is used where nothing else is said.
    pub is_default: bool,
}

impl Account {
    /// Returns the name the person, rules and models call it by.
    #[must_use]
    pub fn name(&self) -> &str {
        self.settings.account()
    }
}

/// What preparing an action needs to know of the home, and the vault to look at accounts through.
#[derive(Debug)]
pub struct PrepareContext<'a> {
    /// The vault.
    pub vault: &'a Vault,
    /// Everything that is known.
    pub home: HomeContext,
}

impl Deref for PrepareContext<'_> {
    type Target = HomeContext;

    fn deref(&self) -> &HomeContext {
        &self.home
    }
}

/// What preparing an action needs to know of the home, beside the call itself.
#[derive(Debug, Clone)]
pub struct HomeContext {
    /// The accounts that stand, the oldest first.
    pub accounts: Vec<Account>,
    /// The person's words of the task.
    pub words: String,
    /// The person's time zone.
    pub zone: jiff::tz::TimeZone,
    /// Seconds since 1970-01-01T00:00Z.
    pub seconds: i64,
    /// The person's distance from UTC, minutes.
    pub offset_minutes: i16,
    /// Random bytes for an identity.
    pub unique: [u8; 16],
}

/// The argument that names an account, where there are several.
pub const ACCOUNT: &str = "account";

impl HomeContext {
    /// Returns the account of a kind that a call acts on: the one it names; else the one that the words of the task name; else
    /// the default; else the first that may do what is needed.
    ///
    /// # Errors
    /// There is none, or none of that name.
    pub fn account(&self, kind: &'static str, arguments: &Arguments, needed: Level) -> Result<&Account, BadCall> {
        let all: Vec<&Account> = self.accounts.iter().filter(|account| account.settings.kind() == kind).collect();
        if let Some(wanted) = arguments.optional(ACCOUNT) {
            let named = all.iter().find(|account| account.name().eq_ignore_ascii_case(wanted.trim()));
            let names = || all.iter().map(|account| format!("`{}`", account.name())).collect::<Vec<_>>().join(", ");
            return named.copied().ok_or_else(|| BadCall::Bad {
                name: ACCOUNT,
                why: format!("there is no {kind} account of this name; there are: {}", names()),
            });
        }
        let said = tokens(&self.words);
        let is_said = |account: &&&Account| said.iter().any(|word| word.eq_ignore_ascii_case(account.name()));
        let may = |account: &&&Account| account.level >= needed;
        let first = |wanted: &dyn Fn(&&&Account) -> bool| all.iter().find(wanted).copied();
        first(&is_said)
            .or_else(|| first(&|account| account.is_default && may(account)))
            .or_else(|| first(&may))
            .or_else(|| all.first().copied())
            .ok_or(BadCall::NotConnected(kind))
    }
}
