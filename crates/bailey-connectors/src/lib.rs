//! The services: from a model's tool call to a typed, prepared action, and from a claim to its effect.
//!
//! Each app is one [`Service`], whole: its tools, how a call becomes an action, how a claim is carried out, looked up and undone.
//! Parsing happens here, once: what comes in is whatever a model wrote, what goes on is an [`Action`] whose fields keep their
//! rules by construction.
//!
//! Invariant of absence: no service acts without a claim of its family, and none sees a credential.

mod calendar;
mod call;
mod contacts;
mod context;
mod cut;
mod dates;
mod dav;
mod files;
mod foreign;
mod http;
mod mail;
pub mod manifest;
mod notes;
mod schedules;
mod service;
mod shell;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bailey_gate::content::Content;
use bailey_gate::family::calendar::CalendarAction;
use bailey_gate::family::mail::{MailAction, MessageRef};
use bailey_gate::family::{Action, Claim, Level};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Connector, Effect, Execution, Outcome, Settled};
use bailey_vault::{Credential, Discovered, NewConnection, Settings, Vault, VaultError};
use serde_json::Value;

pub use call::{Arguments, BadCall};
pub use context::{Account, HomeContext, PrepareContext};
pub use mail::Edit;
pub use service::{Done, Lookup, Made, Service, ToolDefinition};

/// What others say, read: pure functions, public so that hostile bytes can be tried on them.
pub mod parsers {
    pub use crate::calendar::entries as calendar_entries;
    pub use crate::mail::mime::{PARSER as MAIL_PARSER, describe as mail, recipients as recipients_of_sent};
}

/// A prepared action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The account it acts on.
    pub account: Option<ConnectionId>,
    /// The action to take.
    pub action: Action,
    /// Why, as the model claims.
    pub why: String,
}

/// Makes the register of services: one line for each family of actions. What has no service does not compile.
macro_rules! services {
    ($($family:ident = $service:expr;)*) => {
        /// Lists every tool a model is offered. Where there are several accounts, `accounts` are named to it.
        #[must_use]
        pub fn tools(accounts: &[Account]) -> Vec<ToolDefinition> {
            let mut all = Vec::new();
            $(all.extend($service.tools());)*
            for tool in &mut all {
                offer_accounts(tool, accounts);
            }
            all
        }

        /// Reads a tool call and prepares its action. May look at the account for what the action needs, and changes nothing.
        pub async fn prepare(tool: &str, arguments: &str, cx: &PrepareContext<'_>) -> Result<Prepared, BadCall> {
            let arguments = call::Arguments::parse(arguments)?;
            let why = arguments.optional("why").unwrap_or_default();
            let offers = |tools: Vec<ToolDefinition>| tools.iter().any(|one| one.name == tool);
            $(if offers($service.tools()) {
                let (account, action) = $service.prepare(tool, &arguments, cx).await?;
                return Ok(Prepared { account, action, why });
            })*
            Err(BadCall::UnknownTool(tool.into()))
        }

        impl Services {
            async fn execute(&self, claimed: Claimed) -> Settled {
                match claimed.by_family() {
                    $(Claim::$family(claimed) => run(&self.vault, &$service, claimed).await,)*
                }
            }

            /// Looks up whether something happened whose outcome is not known.
            pub async fn reconcile(&self, content: &Content) -> Lookup {
                match &content.action {
                    $(Action::$family(action) => $service.reconcile(&self.vault, content.id, content.account, action).await,)*
                }
            }

            /// Tells whether [`Self::undo`] makes an action, as far as that can be told without looking.
            #[must_use]
            pub fn has_undo(content: &Content) -> bool {
                match &content.action {
                    $(Action::$family(action) => $service.has_undo(action),)*
                }
            }

            /// Makes the action that undoes another, where there is one. `left` is what its own outcome left behind.
            pub async fn undo(&self, content: &Content, left: &[u8]) -> Result<Made, BadCall> {
                match &content.action {
                    $(Action::$family(action) => {
                        let done = Done { id: content.id, account: content.account, action, left };
                        $service.undo(&self.vault, done).await
                    })*
                }
            }
        }
    };
}

services! {
    Mail = mail::Mail;
    Calendar = calendar::Calendar;
    Contacts = contacts::Contacts;
    Home = notes::Notes;
    File = files::OwnFiles;
    Schedule = schedules::Schedules;
    Tool = foreign::ForeignTools;
    Shell = shell::Shell;
    Http = http::Http;
}

/// The services of a home, behind claims.
#[derive(Debug, Clone)]
pub struct Services {
    vault: Arc<Vault>,
}

impl Services {
    /// Returns the services that a vault's connections reach.
    #[must_use]
    pub const fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }

    /// Signs in to a new account and looks at it; nothing is kept yet.
    pub async fn try_out(
        &self,
        id: ConnectionId,
        settings: Settings,
        level: Level,
        credential: Credential,
    ) -> Result<NewConnection, VaultError> {
        settings.check(level).map_err(VaultError::Settings)?;
        let (vault, access) = (&self.vault, self.vault.try_out(&settings, &credential));
        let discovering = async {
            match &settings {
                Settings::Mail(mail) => {
                    let discovered = mail::Mail.discover(vault, &access, &settings).await?;
                    // Who connects an account to send with has to know now that it can.
                    if level >= Level::Send && mail.submission.is_some() {
                        mail::try_submission(vault, &access).await?;
                    }
                    Ok(discovered)
                }
                Settings::Calendar(_) => calendar::Calendar.discover(vault, &access, &settings).await,
                Settings::Contacts(_) => contacts::Contacts.discover(vault, &access, &settings).await,
                Settings::Model(model) => {
                    vault.look_at_model(model, &credential).await?;
                    Ok(Discovered::default())
                }
            }
        };
        let discovered = discovering.await.map_err(at_first_sign_in)?;
        Ok(NewConnection { id, settings, level, credential, discovered, permissions: Vec::new() })
    }

    /// Returns a waiting action as the person changed it: another one, which is checked as far as that can be done before anybody is
    /// asked. Of a mail the server it is sent through is asked whether it takes the addresses.
    ///
    /// # Errors
    /// Which part of it cannot be used, and why, in words for the person.
    pub async fn edited(&self, content: &Content, edit: &Edit, cx: &HomeContext) -> Result<Action, BadCall> {
        match &content.action {
            Action::Mail(MailAction::Send(message)) => {
                let edited = edit.apply(message, cx)?;
                mail::check_addresses(&edited, content.account, &self.vault).await?;
                Ok(Action::Mail(MailAction::Send(edited)))
            }
            Action::Calendar(CalendarAction::Write(writing)) => {
                edit.apply_to_entry(writing, cx).map(CalendarAction::Write).map(Action::Calendar)
            }
            _ => Err(BadCall::Lookup("only a waiting mail, or a waiting entry of a calendar, can be edited".into())),
        }
    }

    /// Tells whether the person can change an action while it waits.
    #[must_use]
    pub fn can_edit(action: &Action, home: &jiff::tz::TimeZone) -> bool {
        match action {
            Action::Mail(MailAction::Send(_)) => true,
            Action::Calendar(CalendarAction::Write(writing)) => calendar::edited::can_edit(writing, home),
            _ => false,
        }
    }

    /// Returns what a waiting entry of a calendar says, by the names of [`Edit`]; nothing of other actions.
    #[must_use]
    pub fn entry_fields(action: &Action, cx: &HomeContext) -> Option<BTreeMap<&'static str, String>> {
        match action {
            Action::Calendar(CalendarAction::Write(writing)) => calendar::edited::fields(writing, cx).ok(),
            _ => None,
        }
    }

    /// Fetches a mail as it came, up to a bound, by a look that changes nothing; the flag tells whether there is more of it.
    ///
    /// # Errors
    /// The account cannot be reached, was revoked or changed, or the mail is not there any more.
    pub async fn mail_as_it_came(
        &self,
        account: (ConnectionId, u64),
        message: &MessageRef,
    ) -> Result<(Vec<u8>, bool), VaultError> {
        mail::as_it_came(&self.vault, account, message).await
    }

    /// Looks again at what an account proves of people, and keeps it, where the grant still stands as it was bound.
    ///
    /// # Errors
    /// The account cannot be reached, or was revoked or changed; nothing is kept then.
    pub async fn look_again(&self, account: (ConnectionId, u64), settings: &Settings) -> Result<(), VaultError> {
        let vault = &self.vault;
        let (access, notes) = (vault.look(Some(account), SystemEgress::Preparation), vault.notes(&account.0)?);
        let found = match settings {
            Settings::Mail(_) => mail::Mail.look_again(vault, &access, settings, &notes).await?,
            Settings::Calendar(_) => calendar::Calendar.look_again(vault, &access, settings, &notes).await?,
            Settings::Contacts(_) => contacts::Contacts.look_again(vault, &access, settings, &notes).await?,
            Settings::Model(_) => None,
        };
        found.map_or(Ok(()), |found| vault.keep_found(account, &found))
    }
}

/// Returns what a refusal is at a first sign-in: nobody has taken anything back yet.
fn at_first_sign_in(error: VaultError) -> VaultError {
    const LATER: &str = "the password or the permission may have been taken back";
    const FIRST: &str =
        "check who signs in and the password (some providers take only an app password), or what the sign-in permits";
    match error {
        VaultError::Refused(why) if why.contains(LATER) => VaultError::Refused(why.replace(LATER, FIRST)),
        // A server's own words say why; what to do next is ours to say.
        VaultError::Refused(why) if why.contains("refused to let us in") => {
            VaultError::Refused(format!("{why}; {FIRST}"))
        }
        other => other,
    }
}

/// Carries out a claim by its service. A pause or a revocation cuts it short.
async fn run<S: Service>(vault: &Vault, service: &S, claimed: Claimed<S::Action>) -> Settled {
    let mut resets = vault.resets();
    let token = claimed.effect_token();
    let outcome = tokio::select! {
        outcome = service.execute(vault, &claimed) => outcome,
        _ = resets.changed() => Outcome::new(
            if token.is_spent() { Effect::Unknown } else { Effect::NotExecuted },
            "the connection was cut by a pause or a revocation",
        ),
    };
    // What is done is done: what follows it is told with it, and may be cut short.
    let afterwards = tokio::select! {
        told = service.afterwards(vault, &claimed, &outcome) => told,
        _ = resets.changed() => Some("what belongs to it was cut short by a pause or a revocation".into()),
    };
    let detail = [Some(outcome.detail), afterwards].into_iter().flatten().collect::<Vec<_>>().join("; ");
    claimed.settle(Outcome { detail, ..outcome })
}

impl Connector for Services {
    fn execute(&self, claimed: Claimed) -> Execution<'_> {
        Box::pin(self.execute(claimed))
    }
}

/// Tells the model which accounts a tool can act on, where there are several of its kind.
fn offer_accounts(tool: &mut ToolDefinition, accounts: &[Account]) {
    let of_kind = |account: &&Account| account.settings.kind() == tool.kind.family();
    let names: Vec<Value> = accounts.iter().filter(of_kind).map(|account| account.name().into()).collect();
    if names.len() < 2 {
        return;
    }
    let Some(Value::Object(properties)) = tool.parameters.get_mut("properties") else { return };
    let words = "which account; leave it out unless the task names one";
    properties
        .insert(context::ACCOUNT.into(), serde_json::json!({"type": "string", "enum": names, "description": words}));
}

impl fmt::Display for BadCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the arguments are not a JSON object"),
            Self::TooLong => f.write_str("the arguments are too long"),
            Self::UnknownTool(tool) => {
                write!(f, "there is no tool `{}`", bailey_gate::family::escape::visible(tool))
            }
            Self::Missing(name) => write!(f, "the argument `{name}` is missing"),
            Self::Bad { name, why } => write!(f, "the argument `{name}` cannot be used: {why}"),
            Self::Lookup(why) => f.write_str(why),
            Self::NotConnected(what) => {
                write!(f, "no {what} account is connected; the person can connect one with `bailey connect`")
            }
        }
    }
}
