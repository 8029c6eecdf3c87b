//! Calendars over CalDAV (RFC 4791): tools, moments in a person's words, entries made or changed line by line, undo.

mod server;

use bailey_gate::family::calendar::{self, CalendarAction, Change, Entry, Href, Writing};
use bailey_gate::family::{Action, Level, mail};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::{Account, HomeContext, PrepareContext};
use crate::dav::expect_collection;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};
use server::Stored;
pub use server::entries;

/// Days looked at where no end is named.
const DEFAULT_DAYS: i64 = 14;
/// Most days looked at.
const MAX_DAYS: i64 = 366;
/// Minutes an entry takes where no end is named.
const DEFAULT_MINUTES: i64 = 60;
/// Bytes of a content line before it is folded (RFC 5545, 3.1: at most 75 octets).
const FOLD_AT: usize = 73;

/// The kind of connection it needs.
const CALENDAR: &str = "calendar";

/// Calendars over CalDAV.
pub(crate) struct Calendar;

const WHEN: &str = "a date, a weekday, today or tomorrow; with a time like 15:00 where it matters";

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

/// A moment of a calendar for people; as it is where it cannot be read.
fn spoken(text: &str, cx: &HomeContext) -> String {
    let format = "%Y%m%dT%H%M%S";
    if let Some(utc) = text.strip_suffix('Z').and_then(|text| DateTime::strptime(format, text).ok()) {
        let there = utc.to_zoned(TimeZone::UTC).map(|moment| moment.with_time_zone(cx.zone.clone()));
        return there.map_or_else(|_| text.to_owned(), |there| there.strftime("%A %Y-%m-%d %H:%M %Z").to_string());
    }
    match (DateTime::strptime(format, text), Date::strptime("%Y%m%d", text)) {
        (Ok(moment), _) => moment.strftime("%A %Y-%m-%d %H:%M").to_string(),
        (_, Ok(day)) => day.strftime("%A %Y-%m-%d").to_string(),
        (Err(_), Err(_)) => text.to_owned(),
    }
}

/// The entry as an invitation (iTIP, RFC 5546, 3.2.2 and 3.2.5): what is the person's alone, such as alarms, stays out.
fn invitation(
    entry_: &Entry,
    organizer: &str,
    guests: &[String],
    cancel: bool,
    cx: &HomeContext,
) -> Result<Entry, BadCall> {
    if entry_.property("RRULE").is_some() || entry_.as_str().matches("\r\nBEGIN:VEVENT\r\n").count() > 1 {
        return Err(BadCall::Lookup("this entry repeats; nobody can be invited to repeating entries yet".into()));
    }
    let sequence: u64 = entry_.property("SEQUENCE").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let mut added = vec![
        utc("DTSTAMP", local(cx), cx)?,
        format!("SEQUENCE:{}", sequence.saturating_add(u64::from(cancel))),
        format!("STATUS:{}", if cancel { "CANCELLED" } else { "CONFIRMED" }),
        format!("ORGANIZER:mailto:{organizer}"),
    ];
    added.extend(
        guests
            .iter()
            .map(|guest| format!("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{guest}")),
    );
    const OURS: [&str; 6] = ["ATTENDEE", "ORGANIZER", "DTSTAMP", "SEQUENCE", "STATUS", "METHOD"];
    let mut lines = Vec::new();
    let mut alarm = false;
    for line in entry_.lines() {
        alarm |= line == "BEGIN:VALARM";
        let ours = OURS.iter().any(|name| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ';'])));
        if line == "END:VEVENT" {
            lines.append(&mut added);
        }
        if !alarm && !ours {
            lines.push(line.clone());
        }
        if line.starts_with("VERSION:") {
            lines.push(format!("METHOD:{}", if cancel { "CANCEL" } else { "REQUEST" }));
        }
        alarm &= line != "END:VALARM";
    }
    entry(&lines)
}

fn bad(name: &'static str, why: impl std::fmt::Display) -> BadCall {
    BadCall::Bad { name, why: why.to_string() }
}

fn read(arguments: &Arguments, cx: &HomeContext) -> Result<CalendarAction, BadCall> {
    let given = |name| arguments.optional(name).map(|text| when(name, &text, cx)).transpose();
    let today = local(cx).date();
    let from = given("from")?.unwrap_or(When { date: today, time: None });
    let start = from.start();
    let end = match given("until")? {
        Some(until) => until.end(),
        None => start.saturating_add(Span::new().days(DEFAULT_DAYS)),
    };
    let (start, end) = if end < start { (end, start) } else { (start, end) };
    let end = end.min(start.saturating_add(Span::new().days(MAX_DAYS)));
    Ok(CalendarAction::Read { from: seconds(start, cx)?, until: seconds(end, cx)? })
}

/// A moment as a person or a model names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct When {
    date: Date,
    time: Option<Time>,
}

impl When {
    fn start(self) -> DateTime {
        self.date.to_datetime(self.time.unwrap_or_else(Time::midnight))
    }

    /// A day without a time ends with the day.
    fn end(self) -> DateTime {
        match self.time {
            Some(time) => self.date.to_datetime(time),
            None => self.date.saturating_add(1.day()).to_datetime(Time::midnight()),
        }
    }
}

fn local(cx: &HomeContext) -> DateTime {
    let now = Timestamp::from_second(cx.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    now.to_zoned(cx.zone.clone()).datetime()
}

fn seconds(moment: DateTime, cx: &HomeContext) -> Result<i64, BadCall> {
    let zoned = moment.to_zoned(cx.zone.clone()).map_err(|error| bad("from", error))?;
    Ok(zoned.timestamp().as_second())
}

/// Reads `2026-11-24`, `2026-11-24T15:00`, `Tuesday`, `next Tuesday 3pm`, `tomorrow at 15:00`, `15:00`.
fn when(name: &'static str, text: &str, cx: &HomeContext) -> Result<When, BadCall> {
    let unclear = || {
        bad(
            name,
            format!(
                "`{}` is no moment; write a date like 2026-11-24, or 2026-11-24T15:00",
                text.chars().take(40).collect::<String>()
            ),
        )
    };
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        let there = moment.to_zoned(cx.zone.clone()).datetime();
        return Ok(When { date: there.date(), time: Some(there.time()) });
    }
    let (mut date, mut time) = (None, None);
    let words = text.to_lowercase().replace([',', ';'], " ");
    for word in words.split_whitespace() {
        if ["at", "on", "next", "this", "the", "um", "am", "from", "until"].contains(&word) {
            continue;
        }
        if let Some((day, hour)) = word.split_once('t').filter(|(day, _)| day.parse::<Date>().is_ok()) {
            date = day.parse().ok();
            time = Some(clock(hour).ok_or_else(unclear)?);
        } else if let Some(found) = day(word, local(cx).date()) {
            date = Some(found);
        } else {
            time = Some(clock(word).ok_or_else(unclear)?);
        }
    }
    if date.is_none() && time.is_none() {
        return Err(unclear());
    }
    Ok(When { date: date.unwrap_or_else(|| local(cx).date()), time })
}

fn day(word: &str, today: Date) -> Option<Date> {
    if let Ok(date) = word.parse::<Date>() {
        return Some(date);
    }
    match word {
        "today" | "now" => return Some(today),
        "tomorrow" => return Some(today.saturating_add(1.day())),
        "yesterday" => return Some(today.saturating_sub(1.day())),
        _ => {}
    }
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let (_, weekday) = DAYS.iter().find(|(full, _)| word.len() >= 3 && full.starts_with(word.trim_end_matches('.')))?;
    // The coming one; today's own name means today.
    let ahead = i64::from(weekday.since(today.weekday()));
    Some(today.saturating_add(ahead.days()))
}

/// `15:00`, `15:00:00`, `15h`, `3pm`.
fn clock(word: &str) -> Option<Time> {
    let (digits, afternoon) = match (word.strip_suffix("pm"), word.strip_suffix("am")) {
        (Some(digits), _) => (digits, Some(true)),
        (_, Some(digits)) => (digits, Some(false)),
        (None, None) => (word.strip_suffix('h').unwrap_or(word), None),
    };
    let mut parts = digits.split(':');
    let hour: i8 = parts.next()?.parse().ok()?;
    let minute: i8 = parts.next().map_or(Some(0), |minute| minute.parse().ok())?;
    let hour = match afternoon {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        Some(_) | None => hour,
    };
    let bare_number = afternoon.is_none() && !word.contains(':') && !word.ends_with('h');
    if bare_number { None } else { Time::new(hour, minute, 0, 0).ok() }
}

/// A property of a moment: a whole day, or a moment in UTC.
fn property(name: &str, moment: When, cx: &HomeContext) -> Result<String, BadCall> {
    match moment.time {
        None => Ok(format!("{name};VALUE=DATE:{}", moment.date.strftime("%Y%m%d"))),
        Some(_) => utc(name, moment.start(), cx),
    }
}

fn utc(name: &str, moment: DateTime, cx: &HomeContext) -> Result<String, BadCall> {
    let zoned = moment.to_zoned(cx.zone.clone()).map_err(|error| bad("begins", error))?;
    Ok(format!("{name}:{}", zoned.with_time_zone(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ")))
}

/// RFC 5545, 3.3.11.
fn escaped(text: &str) -> String {
    text.trim()
        .replace('\\', "\\\\")
        .replace(';', "\\;")
        .replace(',', "\\,")
        .replace("\r\n", "\\n")
        .replace(['\n', '\r'], "\\n")
}

fn create(arguments: &Arguments, cx: &HomeContext, name: &str) -> Result<Entry, BadCall> {
    let begins = when("begins", &arguments.text("begins")?, cx)?;
    let ends = arguments.optional("ends").map(|text| when("ends", &text, cx)).transpose()?;
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".into(),
        "PRODID:-//Bailey//EN".into(),
        "BEGIN:VEVENT".into(),
        format!("UID:{name}@bailey"),
        utc("DTSTAMP", local(cx), cx)?,
        property("DTSTART", begins, cx)?,
        end_of(begins, ends, cx)?,
        format!("SUMMARY:{}", escaped(&arguments.text("what")?)),
    ];
    lines.extend(arguments.optional("where").map(|place| format!("LOCATION:{}", escaped(&place))));
    lines.extend(["END:VEVENT".into(), "END:VCALENDAR".into()]);
    entry(&lines)
}

/// The end of an entry; without one, an hour, or the whole day.
fn end_of(begins: When, ends: Option<When>, cx: &HomeContext) -> Result<String, BadCall> {
    match (begins.time, ends) {
        (None, ends) => {
            let last = ends.map_or(begins.date, |ends| ends.date).max(begins.date);
            property("DTEND", When { date: last.saturating_add(1.day()), time: None }, cx)
        }
        (Some(_), None) => utc("DTEND", begins.start().saturating_add(DEFAULT_MINUTES.minutes()), cx),
        (Some(_), Some(ends)) => {
            // "until 16:00" means of the same day.
            let end = ends.start();
            let end =
                if end <= begins.start() { ends.time.map_or(end, |time| begins.date.to_datetime(time)) } else { end };
            // The same moment twice says no more than that there is a beginning.
            let end = if end == begins.start() { end.saturating_add(DEFAULT_MINUTES.minutes()) } else { end };
            if end < begins.start() {
                return Err(bad("ends", "it ends before it begins"));
            }
            utc("DTEND", end, cx)
        }
    }
}

fn entry(lines: &[String]) -> Result<Entry, BadCall> {
    let text: String = lines.iter().map(|line| folded(line) + "\r\n").collect();
    Entry::new(&text).map_err(|error| bad("what", error))
}

fn folded(line: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in line.chars() {
        if length + c.len_utf8() > FOLD_AT {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out
}

/// Lines of the event itself are replaced, or added at its end; everything else stays as it was.
fn change(before: &Entry, arguments: &Arguments, cx: &HomeContext) -> Result<Entry, BadCall> {
    if before.property("RRULE").is_some() || before.as_str().matches("\r\nBEGIN:VEVENT\r\n").count() > 1 {
        return Err(BadCall::Lookup("this entry repeats; repeating entries cannot be changed yet".into()));
    }
    let mut changes: Vec<(&str, String)> = Vec::new();
    if let Some(begins) = arguments.optional("begins").map(|text| when("begins", &text, cx)).transpose()? {
        let ends = arguments.optional("ends").map(|text| when("ends", &text, cx)).transpose()?;
        let end = match (ends, begins.time, length(before)) {
            (None, Some(_), Some(minutes)) => utc("DTEND", begins.start().saturating_add(minutes.minutes()), cx)?,
            (ends, _, _) => end_of(begins, ends, cx)?,
        };
        changes.extend([("DTSTART", property("DTSTART", begins, cx)?), ("DTEND", end)]);
    } else if arguments.optional("ends").is_some() {
        return Err(bad("begins", "name the beginning together with the end"));
    }
    for (argument, name) in [("what", "SUMMARY"), ("where", "LOCATION")] {
        if let Some(text) = arguments.optional(argument) {
            changes.push((name, format!("{name}:{}", escaped(&text))));
        }
    }
    if changes.is_empty() {
        return Err(BadCall::Missing("what"));
    }
    entry(&replaced(&before.lines(), changes))
}

fn replaced(lines: &[String], mut changes: Vec<(&str, String)>) -> Vec<String> {
    let mut within: Vec<&str> = Vec::new();
    let mut out = Vec::new();
    for line in lines {
        if let Some(name) = line.strip_prefix("BEGIN:") {
            within.push(name);
        }
        if line == "END:VEVENT" {
            out.extend(changes.drain(..).map(|(_, line)| line));
        }
        if line.starts_with("END:") {
            within.pop();
        }
        let named = |name: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ';']));
        let of_event = within.last() == Some(&"VEVENT");
        match changes.iter().position(|(name, _)| of_event && named(name)) {
            Some(at) => out.push(changes.remove(at).1),
            // An entry with a new end has no length beside it.
            None if of_event && named("DURATION") && out.iter().any(|line| line.starts_with("DTEND")) => {}
            None => out.push(line.clone()),
        }
    }
    out
}

/// How long an entry takes, in minutes, where both ends are written in the same way.
fn length(entry: &Entry) -> Option<i64> {
    let moment = |name| DateTime::strptime("%Y%m%dT%H%M%S", entry.property(name)?.trim_end_matches('Z')).ok();
    let minutes = moment("DTEND")?.since(moment("DTSTART")?).ok()?.total(jiff::Unit::Minute).ok()?;
    (minutes > 0.0 && minutes < 1e6).then_some(minutes as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> HomeContext {
        // Saturday 2026-11-21, 12:00 in Paris.
        HomeContext {
            accounts: Vec::new(),
            words: String::new(),
            seconds: 1_795_258_800,
            offset_minutes: 60,
            zone: TimeZone::get("Europe/Paris").unwrap(),
            unique: [7; 16],
        }
    }

    #[test]
    fn moments_in_many_words() {
        for (text, expected) in [
            ("2026-11-24", "2026-11-24T00:00:00 -"),
            ("2026-11-24T15:00", "2026-11-24T15:00:00 +"),
            ("2026-11-24T14:00:00Z", "2026-11-24T15:00:00 +"),
            ("2026-11-24 15:30", "2026-11-24T15:30:00 +"),
            ("Tuesday", "2026-11-24T00:00:00 -"),
            ("next tuesday at 3pm", "2026-11-24T15:00:00 +"),
            ("Tue 12am", "2026-11-24T00:00:00 +"),
            ("Saturday", "2026-11-21T00:00:00 -"),
            ("tomorrow 9h", "2026-11-22T09:00:00 +"),
            ("today", "2026-11-21T00:00:00 -"),
            ("18:15", "2026-11-21T18:15:00 +"),
        ] {
            let found = when("from", text, &context()).unwrap();
            let shown = format!("{} {}", found.start(), if found.time.is_some() { '+' } else { '-' });
            assert_eq!(shown, expected, "{text}");
        }
        for text in ["", "soon", "2026-13-40", "25:00", "15", "tuesday morning-ish", "\u{0}"] {
            assert!(when("from", text, &context()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_span_has_defaults_and_bounds() {
        let span = |json: &str| match read(&Arguments::parse(json).unwrap(), &context()).unwrap() {
            CalendarAction::Read { from, until } => (until - from) / 86_400,
            CalendarAction::Write(_) => panic!("a write"),
        };
        assert_eq!(span("{}"), 14);
        assert_eq!(span(r#"{"from":"Tuesday","until":"Tuesday"}"#), 1);
        assert_eq!(span(r#"{"from":"2026-01-01","until":"2036-01-01"}"#), 366);
        assert_eq!(span(r#"{"from":"2026-11-30","until":"2026-11-24"}"#), 5);
    }

    #[test]
    fn an_invitation_holds_the_entry_its_guests_and_nothing_of_the_persons_own() {
        let before = Entry::new(
            "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART:20261124T150000Z\nSUMMARY:Plan\nATTENDEE:mailto:old@example.org\nSTATUS:TENTATIVE\nBEGIN:VALARM\nDESCRIPTION:secret\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n",
        )
        .unwrap();
        let guests = ["ana@example.org".to_owned(), "bo@example.org".to_owned()];
        let made = |cancel| invitation(&before, "me@example.org", &guests, cancel, &context()).unwrap().lines();
        assert_eq!(
            made(false),
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "METHOD:REQUEST",
                "BEGIN:VEVENT",
                "UID:1",
                "DTSTART:20261124T150000Z",
                "SUMMARY:Plan",
                "DTSTAMP:20261121T110000Z",
                "SEQUENCE:0",
                "STATUS:CONFIRMED",
                "ORGANIZER:mailto:me@example.org",
                "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ana@example.org",
                "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bo@example.org",
                "END:VEVENT",
                "END:VCALENDAR",
            ]
        );
        let cancelled = made(true);
        assert!(
            ["METHOD:CANCEL", "SEQUENCE:1", "STATUS:CANCELLED"]
                .iter()
                .all(|line| cancelled.contains(&(*line).to_owned()))
        );
    }

    #[test]
    fn only_lines_of_the_event_change() {
        let before = Entry::new(
            "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=X:20261124T150000\nDTEND;TZID=X:20261124T163000\nSUMMARY:Old\nX-KEEP:yes\nBEGIN:VALARM\nSUMMARY:Alarm\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n",
        )
        .unwrap();
        let arguments =
            Arguments::parse(r#"{"begins":"2026-11-25T10:00","what":"New, and; long","where":"Rue d'Ici"}"#).unwrap();
        let after = change(&before, &arguments, &context()).unwrap();
        let lines = after.lines();
        for line in [
            "DTSTART:19700101T000000",
            "SUMMARY:Alarm",
            "X-KEEP:yes",
            "DTSTART:20261125T090000Z",
            "DTEND:20261125T103000Z",
            "SUMMARY:New\\, and\\; long",
            "LOCATION:Rue d'Ici",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} in {lines:#?}");
        }
        assert!(!lines.iter().any(|line| line.contains("Old") || line.contains("TZID=X")));
    }

    #[test]
    fn words_cannot_add_lines() {
        let arguments =
            Arguments::parse(r#"{"what":"a\r\nATTENDEE:mailto:eve@evil.example","begins":"tomorrow 9h"}"#).unwrap();
        let made = create(&arguments, &context(), "n").unwrap();
        assert!(made.guests().is_empty(), "{made:?}");
        let long = Arguments::parse(&format!(r#"{{"what":"{}","begins":"tomorrow"}}"#, "ü".repeat(200))).unwrap();
        assert!(create(&long, &context(), "n").unwrap().as_str().split("\r\n").all(|line| line.len() <= 75));
    }
}
