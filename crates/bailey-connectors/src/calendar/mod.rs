//! Calendars over CalDAV (RFC 4791): tools, moments in a person's words, entries made or changed by splicing, undo.

mod change;
pub(crate) mod edited;
mod entry;
mod moment;
mod server;
mod tell;
#[cfg(test)]
mod tests;

use bailey_gate::family::calendar::{self, CalendarAction, Change, Deed, Entry, Href, Look, Part, Sought, Writing};
use bailey_gate::family::{Action, Level, mail};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::intent::tokens;
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use jiff::Span;
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::{ACCOUNT, Account, HomeContext, PrepareContext};
use crate::dates;
use crate::dav::{expect_collection, lies_below, scheduling};
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};
use change::{Looked, place_of};
use entry::{create, invitation};
pub(crate) use moment::told_start;
use moment::{When, local, looked_at, seconds, spoken};
use server::Stored;
pub use server::entries;
pub(crate) use tell::told_event;

/// Days looked at where no end is named.
const DEFAULT_DAYS: i64 = 14;
/// Most days looked at.
const MAX_DAYS: i64 = 366;

/// Minutes of free time that are looked for where no length is named, and at most.
const DEFAULT_MINUTES: u32 = 30;
const MAX_MINUTES: u32 = 24 * 60;
/// The minutes of a day between which free time is looked for where no others are named.
const HOURS: (u16, u16) = (8 * 60, 20 * 60);

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
        let which = (
            "which",
            "of an entry that repeats: `this` occurrence, this and those `following`, or `all`; as the task says",
        );
        let notes = ("notes", "what it says of itself");
        vec![
            ToolDefinition {
                name: "calendar_read",
                kind: calendar::READ,
                description: "List calendar entries: id, what, begins, ends, where. Repeating entries are listed each time they take place.",
                parameters: schema(&[("from", WHEN), ("until", WHEN)], &[]),
                manifest: json!({ "effect": "read" }),
            },
            ToolDefinition {
                name: "calendar_free",
                kind: calendar::READ,
                description: "Find free time in the person's calendars.",
                parameters: schema(
                    &[
                        ("from", WHEN),
                        ("until", WHEN),
                        ("minutes", "at least this long; 30 where it is left out"),
                        ("after", "not before this time of a day; 08:00 where it is left out"),
                        ("before", "not after this time of a day; 20:00 where it is left out"),
                        ("weekends", "true if Saturday and Sunday count, too"),
                    ],
                    &[],
                ),
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
                parameters: schema(&[&[id, which, notes], fields.as_slice()].concat(), &["id"]),
                manifest: json!({
                    "effect": "write", "target": { "id": "entry" }, "content": ["what", "where", "notes"], "undo": true,
                }),
            },
            ToolDefinition {
                name: "calendar_answer",
                kind: calendar::CHANGE,
                description: "Answer an invitation that is in the calendar. The result says whether the calendar's server tells whoever invites; where it does not, send the answer with by_mail as well.",
                parameters: schema(
                    &[
                        id,
                        which,
                        ("answer", "accept, decline or tentative"),
                        ("by_mail", "true to send the answer by mail, where the server tells nobody"),
                        ("note", "a few words to whoever invites, by mail"),
                    ],
                    &["id", "answer"],
                ),
                manifest: json!({
                    "effect": "write", "target": { "id": "entry" }, "content": ["note"], "undo": true,
                }),
            },
            ToolDefinition {
                name: "calendar_cancel",
                kind: calendar::CANCEL,
                description: "Remove an entry, or an occurrence of one that repeats.",
                parameters: schema(&[id, which], &["id"]),
                manifest: json!({ "effect": "write", "target": { "id": "entry" }, "removes": true, "undo": true }),
            },
            ToolDefinition {
                name: "calendar_invite",
                // An invitation leaves as a mail.
                kind: mail::SEND,
                description: "Invite people to an entry, or call it off for them: by the calendar's server where that tells guests, else by mail. The person is asked first.",
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
        match tool {
            "calendar_read" | "calendar_free" => {
                let free = tool == "calendar_free";
                let (account, also) = calendars(cx, arguments, free)?;
                let wanted = if free { sought(arguments, cx)? } else { Sought::Entries };
                let (from, until) = span(arguments, cx)?;
                let look = Look { from, until, also, zone: zone_name(cx), me: addresses(cx), wanted };
                Ok((Some(account.connection.0), Action::Calendar(CalendarAction::Look(look))))
            }
            "calendar_invite" => prepare_invitation(arguments, cx).await,
            "calendar_create" => {
                let (account, path) = collection(cx, arguments, Level::Full)?;
                let name = fresh_name(cx);
                let href = Href::new(&format!("{path}{name}.ics")).map_err(|error| bad("id", error))?;
                let (after, told) = create(arguments, cx, &name)?;
                let writing = Writing { href, change: Change::Create { after }, told: Some(Box::new(told)) };
                Ok((Some(account.connection.0), Action::Calendar(CalendarAction::Write(writing))))
            }
            _ => {
                let account = owner(cx, arguments, Level::Full)?;
                let id = arguments.text("id")?;
                let (href, stored) = stored(&id, cx, account).await?;
                if tool == "calendar_answer" && arguments.flag("by_mail") {
                    return answer_by_mail(&stored, place_of(&id).1, arguments, cx, account).await;
                }
                let looked = Looked::of(href, stored, place_of(&id).1, arguments, &cx.zone)?;
                let writing = match tool {
                    "calendar_cancel" => change::cancel(looked, cx)?,
                    "calendar_answer" => change::answer(looked, arguments, &addresses(cx), cx)?,
                    _ => change::change(looked, arguments, cx, &fresh_name(cx))?,
                };
                Ok((Some(account.connection.0), Action::Calendar(CalendarAction::Write(writing))))
            }
        }
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<CalendarAction>) -> Outcome {
        match claimed.action() {
            CalendarAction::Read { from, until } => {
                // Proposed before looks named the person's zone.
                let (also, zone, me) = (Vec::new(), "UTC".to_owned(), Vec::new());
                let look = Look { from: *from, until: *until, also, zone, me, wanted: Sought::Entries };
                read_out(server::read(vault, claimed, &look).await)
            }
            CalendarAction::Look(look) => read_out(server::read(vault, claimed, look).await),
            CalendarAction::Write(writing) => {
                let outcome = server::write(vault, claimed, writing).await;
                with_next(outcome, writing)
            }
        }
    }

    /// Returns an entry of a name that only Bailey gives, or one that reads as it was to be written, shows that the write
    /// happened; so does one that is gone.
    async fn reconcile(
        &self,
        vault: &Vault,
        _: ActionId,
        account: Option<(ConnectionId, u64)>,
        action: &CalendarAction,
    ) -> Lookup {
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
                let after = change::without_guests(writing, &now.entry)?.unwrap_or_else(|| before.clone());
                Change::Replace { before: now.entry, etag: now.etag, after }
            }
        };
        let action = CalendarAction::Write(Writing { href: writing.href.clone(), change, told: None });
        Ok((done.account.map(|(connection, _)| connection), Action::Calendar(action)))
    }

    /// Says whether guests, or whoever invites, were told: by the calendar's server, or by nobody yet.
    async fn afterwards(&self, vault: &Vault, claimed: &Claimed<CalendarAction>, outcome: &Outcome) -> Option<String> {
        let CalendarAction::Write(writing) = claimed.action() else { return None };
        if outcome.result != Effect::Done || writing.guests() == 0 {
            return None;
        }
        let access = vault.look(claimed.account(), SystemEgress::Reconciliation);
        let scheduling = vault.until_cut(scheduling(vault, &access)).await.ok()?;
        Some(match scheduling {
            Some(_) => server::told_by_server(vault, &access, writing).await,
            None => told_by_nobody(writing),
        })
    }

    fn has_undo(&self, action: &CalendarAction) -> bool {
        matches!(action, CalendarAction::Write(_))
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

/// Says what came of a look.
fn read_out(found: Result<String, String>) -> Outcome {
    match found {
        Ok(found) => Outcome::new(Effect::Done, found),
        Err(why) => Outcome::new(Effect::NotExecuted, why),
    }
}

/// Returns a series that goes on changed leaves the old one to be ended.
fn with_next(outcome: Outcome, writing: &Writing) -> Outcome {
    let begins = writing.told.as_ref().is_some_and(|told| told.part == Part::Following && told.deed == Deed::Add);
    match begins && outcome.result == Effect::Done {
        true => Outcome {
            detail:
                "saved as a new series; now end the old one: calendar_cancel with the same id and `which`: `following`"
                    .into(),
            ..outcome
        },
        false => outcome,
    }
}

/// Returns a name for a new entry that only Bailey gives.
fn fresh_name(cx: &HomeContext) -> String {
    cx.unique.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the name of the person's zone; its distance from UTC where it has none.
pub(crate) fn zone_name(cx: &HomeContext) -> String {
    let offset = || jiff::tz::Offset::from_seconds(i32::from(cx.offset_minutes) * 60).map(|offset| offset.to_string());
    cx.zone.iana_name().map(str::to_owned).or_else(|| offset().ok()).unwrap_or_default()
}

/// Returns the person's own addresses, lower case: those of their mail, and the names they sign in to calendars with.
fn addresses(cx: &HomeContext) -> Vec<String> {
    let of = |account: &Account| match (account.settings.mail(), account.settings.dav()) {
        (Some(mail), _) => Some(mail.address.to_lowercase()),
        (None, Some(dav)) => Some(dav.user.to_lowercase()).filter(|user| user.contains('@')),
        (None, None) => None,
    };
    let mut all: Vec<String> = cx.accounts.iter().filter_map(of).collect();
    all.sort();
    all.dedup();
    all
}

/// Further calendars, with the generations of their grants.
type Further = Vec<(ConnectionId, u64)>;

/// Returns the calendars a look is at: the one that is named, else all that are connected. Where free time is sought, a word that is
/// a calendar's name by chance leaves none out: the call has to name it.
fn calendars<'a>(cx: &'a HomeContext, arguments: &Arguments, free: bool) -> Result<(&'a Account, Further), BadCall> {
    let account = cx.account(CALENDAR, arguments, Level::Read)?;
    let in_words = || tokens(&cx.words).iter().any(|word| word.eq_ignore_ascii_case(account.name()));
    if arguments.optional(ACCOUNT).is_some() || !free && in_words() {
        return Ok((account, Vec::new()));
    }
    let others = cx.accounts.iter().filter(|other| {
        other.settings.kind() == CALENDAR && other.level >= Level::Read && other.connection.0 != account.connection.0
    });
    let also: Vec<_> = others.map(|other| other.connection).collect();
    let (most, there) = (calendar::MAX_CALENDARS, also.len() + 1);
    if there > most {
        let why = format!(
            "{there} calendars are connected, and {most} can be looked at together; say which one with `account`, one after the other"
        );
        return Err(BadCall::Lookup(why));
    }
    Ok((account, also))
}

/// Returns the calendar that an entry lies in: the one that is named, else the only one whose folder holds it.
fn owner<'a>(cx: &'a HomeContext, arguments: &Arguments, needed: Level) -> Result<&'a Account, BadCall> {
    let id = arguments.text("id")?;
    let (place, _) = place_of(&id);
    let holds = |account: &&Account| {
        account.settings.kind() == CALENDAR && account.settings.dav().is_some_and(|dav| lies_below(place, &dav.path))
    };
    let mut holding = cx.accounts.iter().filter(holds);
    match (holding.next(), holding.next()) {
        (Some(only), None) if arguments.optional(ACCOUNT).is_none() => Ok(only),
        _ => cx.account(CALENDAR, arguments, needed),
    }
}

/// Looks up the entry a call names.
async fn stored(id: &str, cx: &PrepareContext<'_>, account: &Account) -> Result<(Href, Stored), BadCall> {
    let href = Href::new(place_of(id).0).map_err(|_| bad("id", "it is not an id that calendar_read gave"))?;
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let found = server::entry(cx.vault, &access, &href).await.map_err(|error| BadCall::Lookup(error.to_string()))?;
    let stored = found.ok_or_else(|| BadCall::Lookup("there is no such entry; read the calendar again".into()))?;
    Ok((href, stored))
}

/// Prepares an invitation, which is a mail (iMIP, RFC 6047): it leaves as mail does, through the mail account, and asks as mail
/// does. The entry in the person's calendar stays as it is, so that no server tells anybody by itself.
async fn prepare_invitation(arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let account = owner(cx, arguments, Level::Read)?;
    let (href, stored) = stored(&arguments.text("id")?, cx, account).await?;
    // Who may not write there invites by mail: the entry stays as it is, so that no server tells anybody a second time.
    if account.level >= Level::Full
        && let Some(own) = own_addresses(cx, account).await?
    {
        return invite_by_server(href, stored, own, arguments, cx, account);
    }
    let made = crate::mail::prepare_invitation(arguments, cx, |organizer, guests| {
        let cancel = arguments.flag("cancel");
        let invitation = invitation(&stored.entry, organizer, guests, cancel, cx)?;
        let what = stored.entry.property("SUMMARY").unwrap_or_default().replace('\\', "");
        let when = spoken(&stored.entry, cx).unwrap_or_default();
        Ok(crate::mail::Invitation {
            text: String::from_utf8_lossy(invitation.bytes()).into_owned(),
            what,
            when,
            cancel,
        })
    })?;
    crate::mail::check_taken(&made, cx).await?;
    Ok(made)
}

/// Returns the addresses by which a calendar's server knows the person, where it tells guests by itself.
async fn own_addresses(cx: &PrepareContext<'_>, account: &Account) -> Result<Option<Vec<String>>, BadCall> {
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let found = cx.vault.until_cut(scheduling(cx.vault, &access)).await;
    let Some(mut own) = found.map_err(|error| BadCall::Lookup(error.to_string()))? else { return Ok(None) };
    // One that does not say knows them by what they sign in with, or by their mail.
    own.extend(account.settings.dav().map(|dav| dav.user.to_lowercase()).filter(|user| user.contains('@')));
    own.extend(addresses(cx));
    own.dedup();
    if own.is_empty() {
        return Err(BadCall::Lookup("the calendar's server does not say by which address it knows the person".into()));
    }
    Ok(Some(own))
}

/// Prepares guests to be added by the calendar's server, which tells them (RFC 6638): no mail of ours leaves.
fn invite_by_server(
    href: Href,
    stored: Stored,
    own: Vec<String>,
    arguments: &Arguments,
    cx: &PrepareContext<'_>,
    account: &Account,
) -> Result<Made, BadCall> {
    if arguments.optional("note").is_some_and(|note| !note.trim().is_empty()) {
        return Err(bad(
            "note",
            "this calendar's server invites by itself and takes no note; leave it out, or write a mail",
        ));
    }
    let guests = crate::mail::guests(arguments)?;
    let whole = Arguments::parse(r#"{"which":"all"}"#)?;
    let looked = Looked::of(href, stored, None, &whole, &cx.zone)?;
    let writing = change::invite(looked, &own, &guests, arguments.flag("cancel"), cx)?;
    Ok((Some(account.connection.0), Action::Calendar(CalendarAction::Write(writing))))
}

/// Prepares the answer to an invitation in the calendar as a mail, where its server tells nobody.
async fn answer_by_mail(
    stored: &Stored,
    which: Option<&str>,
    arguments: &Arguments,
    cx: &PrepareContext<'_>,
    account: &Account,
) -> Result<Made, BadCall> {
    if own_addresses(cx, account).await?.is_some() {
        return Err(bad("by_mail", "this calendar's server tells whoever invites by itself; leave it out"));
    }
    let made = crate::mail::prepare_answer(stored.entry.bytes(), which, arguments, cx)?;
    crate::mail::check_taken(&made, cx).await?;
    Ok(made)
}

/// Says what is left to do where a calendar's server tells nobody.
fn told_by_nobody(writing: &Writing) -> String {
    match writing.told.as_ref().map(|told| told.deed) {
        Some(Deed::Accept | Deed::Decline | Deed::AcceptPerhaps) => {
            "this calendar's server tells nobody, so whoever invites does not know yet; send the answer with calendar_answer, the same id and answer, and `by_mail` true"
        }
        _ => "this calendar's server tells nobody, so the guests do not know yet; calendar_invite tells them by mail",
    }
    .into()
}

fn bad(name: &'static str, why: impl std::fmt::Display) -> BadCall {
    BadCall::Bad { name, why: why.to_string() }
}

/// Returns the span of a look, in seconds since 1970-01-01T00:00Z.
fn span(arguments: &Arguments, cx: &HomeContext) -> Result<(i64, i64), BadCall> {
    let (from, until) = looked_at(arguments, cx)?;
    let start = from.unwrap_or_else(|| When::day(local(cx).date())).start();
    let end = until.map_or_else(|| start.saturating_add(Span::new().days(DEFAULT_DAYS)), When::end);
    let (start, end) = if end < start { (end, start) } else { (start, end) };
    let end = end.min(start.saturating_add(Span::new().days(MAX_DAYS)));
    Ok((seconds(start, cx)?, seconds(end, cx)?))
}

/// Returns what free time is looked for.
fn sought(arguments: &Arguments, cx: &HomeContext) -> Result<Sought, BadCall> {
    let minutes = match arguments.optional("minutes") {
        None => DEFAULT_MINUTES,
        Some(text) => {
            text.trim().parse().ok().filter(|minutes| (1..=MAX_MINUTES).contains(minutes)).ok_or_else(|| {
                bad(
                    "minutes",
                    format!(
                        "`{}` is no number of minutes from 1 to {MAX_MINUTES}",
                        text.chars().take(40).collect::<String>()
                    ),
                )
            })?
        }
    };
    let minute = |name: &'static str, otherwise: u16| match arguments.optional(name) {
        None => Ok(otherwise),
        Some(text) => {
            let bailey_dates::When::Moment(moment) = dates::when(name, &text, cx, bailey_dates::Toward::Either)? else {
                return Err(bad(name, "write a time like 09:00"));
            };
            let time = moment.time();
            Ok(u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs()))
        }
    };
    let (from, until) = (minute("after", HOURS.0)?, minute("before", HOURS.1)?);
    Ok(Sought::Free { minutes, from, until, weekends: arguments.flag("weekends") })
}
