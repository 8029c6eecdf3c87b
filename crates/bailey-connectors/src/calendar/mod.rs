//! Calendars over CalDAV (RFC 4791): tools, moments in a person's words, entries made or changed line by line, undo.

mod entry;
mod moment;
mod server;
#[cfg(test)]
mod tests;

use bailey_gate::family::calendar::{self, CalendarAction, Change, Entry, Href, Writing};
use bailey_gate::family::{Action, Level, mail};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use jiff::Span;
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::{Account, HomeContext, PrepareContext};
use crate::dav::expect_collection;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};
use entry::{change, create, invitation};
use moment::{When, local, looked_at, seconds, spoken};
use server::Stored;
pub use server::entries;

/// Days looked at where no end is named.
const DEFAULT_DAYS: i64 = 14;
/// Most days looked at.
const MAX_DAYS: i64 = 366;

/// The kind of connection it needs.
const CALENDAR: &str = "calendar";

/// Calendars over CalDAV.
pub(crate) struct Calendar;

const WHEN: &str = "when, as the person said it, or like 2026-12-05T15:00";

impl Service for Calendar {
    type Action = CalendarAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        let fields = [("what", "what happens"), ("begins", WHEN), ("ends", WHEN), ("where", "the place")];
        let id = ("id", "the id that calendar_read gave");
        vec![
            ToolDefinition {
                name: "calendar_read",
                kind: calendar::READ,
                description: "List calendar entries: id, what, begins, ends, where.",
                parameters: schema(&[("from", WHEN), ("until", WHEN)], &[]),
                manifest: json!({ "effect": "read" }),
            },
            ToolDefinition {
                name: "calendar_create",
                kind: calendar::CREATE,
                description: "Add an entry to the person's own calendar.",
                parameters: schema(&fields, &["what", "begins"]),
                manifest: json!({ "effect": "write", "content": ["what", "where"], "undo": true }),
            },
            ToolDefinition {
                name: "calendar_change",
                kind: calendar::CHANGE,
                description: "Change an entry; what is left out stays.",
                parameters: schema(&[&[id], fields.as_slice()].concat(), &["id"]),
                manifest: json!({
                    "effect": "write", "target": { "id": "entry" }, "content": ["what", "where"], "undo": true,
                }),
            },
            ToolDefinition {
                name: "calendar_cancel",
                kind: calendar::CANCEL,
                description: "Remove an entry.",
                parameters: schema(&[id], &["id"]),
                manifest: json!({ "effect": "write", "target": { "id": "entry" }, "removes": true, "undo": true }),
            },
            ToolDefinition {
                name: "calendar_invite",
                // An invitation leaves as a mail.
                kind: mail::SEND,
                description: "Invite people to an entry by mail, or call it off. The person is asked first.",
                parameters: schema(
                    &[
                        id,
                        ("guests", "addresses, separated by commas"),
                        ("note", "a few words to them"),
                        ("cancel", "true to call it off instead"),
                    ],
                    &["id", "guests"],
                ),
                manifest: json!({
                    "effect": "write", "sinks": { "guests": "email" }, "target": { "id": "entry" }, "content": ["note"],
                }),
            },
        ]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
        let action = match tool {
            "calendar_read" => read(arguments, cx)?,
            "calendar_invite" => return prepare_invitation(arguments, cx).await,
            "calendar_create" => {
                let (account, path) = collection(cx, arguments, Level::Full)?;
                let name: String = cx.unique.iter().map(|byte| format!("{byte:02x}")).collect();
                let href = Href::new(&format!("{path}{name}.ics")).map_err(|error| bad("id", error))?;
                let after = create(arguments, cx, &name)?;
                let action = CalendarAction::Write(Writing { href, change: Change::Create { after } });
                return Ok((Some(account.connection.0), Action::Calendar(action)));
            }
            _ => {
                let (account, _) = collection(cx, arguments, Level::Full)?;
                let (href, stored) = stored(arguments, cx, account).await?;
                let change = if tool == "calendar_cancel" {
                    Change::Cancel { before: stored.entry, etag: stored.etag }
                } else {
                    let after = change(&stored.entry, arguments, cx)?;
                    Change::Replace { before: stored.entry, etag: stored.etag, after }
                };
                let action = CalendarAction::Write(Writing { href, change });
                return Ok((Some(account.connection.0), Action::Calendar(action)));
            }
        };
        let (account, _) = collection(cx, arguments, Level::Read)?;
        Ok((Some(account.connection.0), Action::Calendar(action)))
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<CalendarAction>) -> Outcome {
        match claimed.action() {
            CalendarAction::Read { from, until } => match server::read_span(vault, claimed, *from, *until).await {
                Ok(found) => Outcome::new(Effect::Done, found),
                Err(why) => Outcome::new(Effect::NotExecuted, why),
            },
            CalendarAction::Write(writing) => server::write(vault, claimed, writing).await,
        }
    }

    /// An entry of a name that only Bailey gives, or one that reads as it was to be written, shows that the write happened; so
    /// does one that is gone.
    async fn reconcile(&self, vault: &Vault, account: Option<(ConnectionId, u64)>, action: &CalendarAction) -> Lookup {
        let CalendarAction::Write(writing) = action else {
            return Some((Found::No, "a look at the calendar changes nothing"));
        };
        let access = vault.look(account, SystemEgress::Reconciliation);
        let now = match server::entry(vault, &access, &writing.href).await {
            Ok(now) => now,
            Err(VaultError::Refused(_)) => return None,
            Err(_) => {
                return Some((Found::No, "the calendar is not connected any more, so it could not be looked up"));
            }
        };
        Some(match (&writing.change, now) {
            (Change::Cancel { .. }, None) => (Found::Yes, "the entry is gone from the calendar"),
            (Change::Create { .. }, Some(_)) => {
                (Found::Yes, "the entry is in the calendar, under the name Bailey gave it")
            }
            (Change::Replace { after, .. }, Some(now)) if now.entry.says_the_same(after) => {
                (Found::Yes, "the entry is in the calendar as it was to be written")
            }
            _ => (Found::No, "whether the entry was written cannot be told for certain; look at the calendar"),
        })
    }

    /// Undoes a write, if the entry is still as the write left it: told by its version, or where the server gave none, by what
    /// it says.
    async fn undo(&self, vault: &Vault, done: Done<'_, CalendarAction>) -> Result<Made, BadCall> {
        let CalendarAction::Write(writing) = done.action else { return Err(no_undo(calendar::READ)) };
        let lookup = |why: &str| BadCall::Lookup(why.to_owned());
        let access = vault.look(done.account, SystemEgress::Preparation);
        let now = server::entry(vault, &access, &writing.href).await;
        let now = now.map_err(|error| BadCall::Lookup(error.to_string()))?;
        let as_left = |now: &Stored, after: &Entry| {
            if done.left.is_empty() {
                now.entry.says_the_same(after)
            } else {
                now.etag.as_str().as_bytes() == done.left
            }
        };
        let change = match (&writing.change, now) {
            (Change::Cancel { before, .. }, None) => Change::Create { after: before.clone() },
            (Change::Cancel { .. }, Some(_)) => {
                return Err(lookup("something else lies in the place of the removed entry now"));
            }
            (Change::Create { .. } | Change::Replace { .. }, None) => {
                return Err(lookup("the entry is not there any more"));
            }
            (Change::Create { after } | Change::Replace { after, .. }, Some(now)) if !as_left(&now, after) => {
                return Err(lookup("the entry was changed since; undoing would take that change back too"));
            }
            (Change::Create { .. }, Some(now)) => Change::Cancel { before: now.entry, etag: now.etag },
            (Change::Replace { before, .. }, Some(now)) => {
                Change::Replace { before: now.entry, etag: now.etag, after: before.clone() }
            }
        };
        let action = CalendarAction::Write(Writing { href: writing.href.clone(), change });
        Ok((done.account.map(|(connection, _)| connection), Action::Calendar(action)))
    }

    async fn discover(&self, vault: &Vault, access: &Access, _: &Settings) -> Result<Discovered, VaultError> {
        expect_collection(vault, access, "calendar", CALENDAR).await.map(|()| Discovered::default())
    }
    async fn look_again(
        &self,
        _: &Vault,
        _: &Access,
        _: &Settings,
        _: &[u8],
    ) -> Result<Option<Discovered>, VaultError> {
        Ok(None)
    }
}

/// Returns the calendar a call acts on, and its path on the server.
fn collection<'a>(
    cx: &'a HomeContext,
    arguments: &Arguments,
    needed: Level,
) -> Result<(&'a Account, &'a str), BadCall> {
    let account = cx.account(CALENDAR, arguments, needed)?;
    let dav = account.settings.dav().ok_or(BadCall::NotConnected(CALENDAR))?;
    Ok((account, &dav.path))
}

/// Looks up the entry a call names.
async fn stored(arguments: &Arguments, cx: &PrepareContext<'_>, account: &Account) -> Result<(Href, Stored), BadCall> {
    let href =
        Href::new(arguments.text("id")?.trim()).map_err(|_| bad("id", "it is not an id that calendar_read gave"))?;
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let found = server::entry(cx.vault, &access, &href).await.map_err(|error| BadCall::Lookup(error.to_string()))?;
    let stored = found.ok_or_else(|| BadCall::Lookup("there is no such entry; read the calendar again".into()))?;
    Ok((href, stored))
}

/// Prepares an invitation, which is a mail (iMIP, RFC 6047): it leaves as mail does, through the mail account, and asks as mail
/// does. The entry in the person's calendar stays as it is, so that no server tells anybody by itself.
async fn prepare_invitation(arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let (account, _) = collection(cx, arguments, Level::Read)?;
    let (_, stored) = stored(arguments, cx, account).await?;
    crate::mail::prepare_invitation(arguments, cx, |organizer, guests| {
        let cancel = arguments.flag("cancel");
        let invitation = invitation(&stored.entry, organizer, guests, cancel, cx)?;
        let what = stored.entry.property("SUMMARY").unwrap_or_default().replace('\\', "");
        let when = stored.entry.property("DTSTART").map(|begins| spoken(&begins, cx)).unwrap_or_default();
        Ok(crate::mail::Invitation { text: invitation.as_str().to_owned(), what, when, cancel })
    })
}

fn bad(name: &'static str, why: impl std::fmt::Display) -> BadCall {
    BadCall::Bad { name, why: why.to_string() }
}

fn read(arguments: &Arguments, cx: &HomeContext) -> Result<CalendarAction, BadCall> {
    let (from, until) = looked_at(arguments, cx)?;
    let start = from.unwrap_or_else(|| When::day(local(cx).date())).start();
    let end = until.map_or_else(|| start.saturating_add(Span::new().days(DEFAULT_DAYS)), When::end);
    let (start, end) = if end < start { (end, start) } else { (start, end) };
    let end = end.min(start.saturating_add(Span::new().days(MAX_DAYS)));
    Ok(CalendarAction::Read { from: seconds(start, cx)?, until: seconds(end, cx)? })
}
