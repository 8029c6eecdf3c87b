//! From a model's tool call to a typed, prepared action, and from a claim to its effect.
//!
//! Parsing happens here, once: what comes in is whatever a model wrote, what goes on is an [`Action`] whose fields keep
//! their rules by construction.
//!
//! Invariant of absence: a connector cannot act without a claim; the vault hands out nothing else.

mod calendar;
mod call;
mod mail;
pub mod manifest;

use std::fmt;
use std::sync::Arc;

use bailey_gate::content::Content;
use bailey_gate::family::Action;
use bailey_gate::family::calendar::CalendarAction;
use bailey_gate::family::home::HomeAction;
use bailey_gate::family::mail::MailAction;
use bailey_gate::family::text::Mailbox;
use bailey_gate::{Carrying, Claimed, ConnectionId, Connector};
use bailey_vault::{Folders, Vault};
use serde_json::Value;

pub use call::BadCall;
pub use mail::Edit;

/// A tool as it is offered to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDefinition {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A mail account as preparing needs it.
#[derive(Debug, Clone)]
pub struct MailAccount {
    /// The connection, and the generation of its grant.
    pub connection: (ConnectionId, u64),
    /// Who writes.
    pub author: Mailbox,
    /// Its special folders.
    pub folders: Folders,
}

/// A calendar as preparing needs it.
#[derive(Debug, Clone)]
pub struct CalendarAccount {
    /// The connection, and the generation of its grant.
    pub connection: (ConnectionId, u64),
    /// Its path on the server.
    pub path: String,
}

/// What preparing needs to know of the home, beside the call itself.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The mail account, where there is one.
    pub mail: Option<MailAccount>,
    /// The calendar, where there is one.
    pub calendar: Option<CalendarAccount>,
    /// The person's time zone.
    pub zone: jiff::tz::TimeZone,
    /// Seconds since 1970-01-01T00:00Z.
    pub seconds: i64,
    /// The person's distance from UTC, minutes.
    pub offset_minutes: i16,
    /// Random bytes for a message's identity.
    pub unique: [u8; 16],
}

/// A prepared action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The account it acts on.
    pub account: Option<ConnectionId>,
    /// What is to be done.
    pub action: Action,
    /// Why, as the model claims.
    pub why: String,
}

/// Every tool a model is offered.
#[must_use]
pub fn tools() -> Vec<ToolDefinition> {
    let mut tools = mail::tools();
    tools.extend(calendar::tools());
    tools.push(ToolDefinition {
        name: "memory_write",
        description: "Keep a note for later tasks. The person is asked first.",
        parameters: call::schema(&[("note", "what to remember")], &["note"]),
    });
    tools.push(ToolDefinition {
        name: "memory_read",
        description: "Look at the notes kept in earlier tasks.",
        parameters: call::schema(&[], &[]),
    });
    tools
}

/// Reads a tool call and prepares its action. May look at the account for what the action needs, and changes nothing.
pub async fn prepare(tool: &str, arguments: &str, around: &Surroundings, vault: &Vault) -> Result<Prepared, BadCall> {
    let arguments = call::Arguments::parse(arguments)?;
    let (account, action) = match tool {
        "mail_send" | "mail_draft" => mail::prepare_message(tool, &arguments, around)?,
        "mail_search" => mail::prepare_search(&arguments, around)?,
        "mail_read" => mail::prepare_read(&arguments, around)?,
        "mail_move" | "mail_trash" => mail::prepare_move(tool, &arguments, around, vault).await?,
        "calendar_read" | "calendar_create" | "calendar_change" | "calendar_cancel" => {
            calendar::prepare(tool, &arguments, around, vault).await?
        }
        "calendar_invite" => calendar::prepare_invitation(&arguments, around, vault).await?,
        "memory_write" => (None, Action::Home(HomeAction::MemoryWrite { note: arguments.text("note")? })),
        "memory_read" => (None, Action::Home(HomeAction::MemoryRead)),
        unknown => return Err(BadCall::UnknownTool(unknown.into())),
    };
    Ok(Prepared { account, action, why: arguments.optional("why").unwrap_or_default() })
}

/// The action that undoes another, where there is one. `outcome` is what its own carrying out reported.
pub async fn prepare_undo(
    content: &Content,
    outcome: &str,
    vault: &Vault,
) -> Result<(Option<ConnectionId>, Action), BadCall> {
    match &content.action {
        Action::Mail(MailAction::Move(moved) | MailAction::Trash(moved)) => {
            mail::prepare_undo(content, moved, vault).await
        }
        Action::Calendar(CalendarAction::Write(writing)) => {
            calendar::prepare_undo(content, writing, outcome, vault).await
        }
        Action::Home(HomeAction::MemoryWrite { .. }) => {
            Ok((None, Action::Home(HomeAction::MemoryForget { note: content.id })))
        }
        Action::Mail(_) | Action::Calendar(_) | Action::Home(_) | Action::Tool(_) => {
            Err(BadCall::Lookup(format!("{} cannot be undone", content.action.kind().name())))
        }
    }
}

/// The services of a home, behind claims.
#[derive(Debug, Clone)]
pub struct Services {
    vault: Arc<Vault>,
}

impl Services {
    /// The services that a vault's connections reach.
    #[must_use]
    pub const fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }
}

impl Connector for Services {
    fn carry_out(&self, claimed: Claimed) -> Carrying<'_> {
        Box::pin(self.vault.carry_out(claimed))
    }
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
