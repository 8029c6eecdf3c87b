//! Calendar: tools, moments in a person's words, and entries made or changed line by line.

use bailey_gate::ConnectionId;
use bailey_gate::content::Content;
use bailey_gate::family::Action;
use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Href, Writing};
use bailey_gate::handoff::SystemEgress;
use bailey_vault::{SAVED, Vault};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

use crate::call::{Arguments, BadCall, schema};
use crate::{Surroundings, ToolDefinition};

/// Days looked at where no end is named.
const DEFAULT_DAYS: i64 = 14;
/// Most days looked at.
const MAX_DAYS: i64 = 366;
/// Minutes an entry takes where no end is named.
const DEFAULT_MINUTES: i64 = 60;
/// Bytes of a content line before it is folded (RFC 5545, 3.1: at most 75 octets).
const FOLD_AT: usize = 73;

pub(crate) fn tools() -> Vec<ToolDefinition> {
    const WHEN: &str = "a date, a weekday, today or tomorrow; with a time like 15:00 where it matters";
    vec![
        ToolDefinition {
            name: "calendar_read",
            description: "List calendar entries: id, what, begins, ends, where.",
            parameters: schema(&[("from", WHEN), ("until", WHEN)], &[]),
        },
        ToolDefinition {
            name: "calendar_create",
            description: "Add an entry to the person's own calendar.",
            parameters: schema(
                &[("what", "what happens"), ("begins", WHEN), ("ends", WHEN), ("where", "the place")],
                &["what", "begins"],
            ),
        },
        ToolDefinition {
            name: "calendar_change",
            description: "Change an entry; what is left out stays.",
            parameters: schema(
                &[
                    ("id", "the id that calendar_read gave"),
                    ("what", "what happens"),
                    ("begins", WHEN),
                    ("ends", WHEN),
                    ("where", "the place"),
                ],
                &["id"],
            ),
        },
        ToolDefinition {
            name: "calendar_cancel",
            description: "Remove an entry.",
            parameters: schema(&[("id", "the id that calendar_read gave")], &["id"]),
        },
        ToolDefinition {
            name: "calendar_invite",
            description: "Invite people to an entry by mail, or call it off. The person is asked first.",
            parameters: schema(
                &[
                    ("id", "the id that calendar_read gave"),
                    ("guests", "addresses, separated by commas"),
                    ("note", "a few words to them"),
                    ("cancel", "true to call it off instead"),
                ],
                &["id", "guests"],
            ),
        },
    ]
}

type Prepared = (Option<ConnectionId>, Action);

/// An invitation is a mail (iMIP, RFC 6047): it leaves as mail does, through the mail account, and asks as mail does. The
/// entry in the person's calendar stays as it is, so that no server tells anybody by itself.
pub(crate) async fn prepare_invitation(
    arguments: &Arguments,
    around: &Surroundings,
    vault: &Vault,
) -> Result<Prepared, BadCall> {
    let calendar = around.calendar.as_ref().ok_or(BadCall::NotConnected("calendar"))?;
    let href =
        Href::new(arguments.text("id")?.trim()).map_err(|_| bad("id", "it is not an id that calendar_read gave"))?;
    let found = vault.entry(Some(calendar.connection), &href, SystemEgress::Preparation).await;
    let found = found.map_err(|error| BadCall::Lookup(error.to_string()))?;
    let stored = found.ok_or_else(|| BadCall::Lookup("there is no such entry; read the calendar again".into()))?;
    crate::mail::prepare_invitation(arguments, around, |organizer, guests| {
        let cancel = arguments.flag("cancel");
        let invitation = invitation(&stored.entry, organizer, guests, cancel, around)?;
        let what = stored.entry.property("SUMMARY").unwrap_or_default().replace('\\', "");
        let when = stored.entry.property("DTSTART").map(|begins| spoken(&begins, around)).unwrap_or_default();
        Ok(crate::mail::Invitation { text: invitation.as_str().to_owned(), what, when, cancel })
    })
}

/// A moment of a calendar for people; as it is where it cannot be read.
fn spoken(text: &str, around: &Surroundings) -> String {
    let format = "%Y%m%dT%H%M%S";
    if let Some(utc) = text.strip_suffix('Z').and_then(|text| DateTime::strptime(format, text).ok()) {
        let there = utc.to_zoned(TimeZone::UTC).map(|moment| moment.with_time_zone(around.zone.clone()));
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
    around: &Surroundings,
) -> Result<Entry, BadCall> {
    if entry_.property("RRULE").is_some() || entry_.as_str().matches("\r\nBEGIN:VEVENT\r\n").count() > 1 {
        return Err(BadCall::Lookup("this entry repeats; nobody can be invited to repeating entries yet".into()));
    }
    let sequence: u64 = entry_.property("SEQUENCE").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let mut added = vec![
        utc("DTSTAMP", local(around), around)?,
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

pub(crate) async fn prepare(
    tool: &str,
    arguments: &Arguments,
    around: &Surroundings,
    vault: &Vault,
) -> Result<Prepared, BadCall> {
    let calendar = around.calendar.as_ref().ok_or(BadCall::NotConnected("calendar"))?;
    let action = match tool {
        "calendar_read" => read(arguments, around)?,
        "calendar_create" => {
            let name: String = around.unique.iter().map(|byte| format!("{byte:02x}")).collect();
            let href = Href::new(&format!("{}{name}.ics", calendar.path)).map_err(|error| bad("id", error))?;
            CalendarAction::Write(Writing { href, change: Change::Create { after: create(arguments, around, &name)? } })
        }
        _ => {
            let href = Href::new(arguments.text("id")?.trim())
                .map_err(|_| bad("id", "it is not an id that calendar_read gave"))?;
            let found = vault.entry(Some(calendar.connection), &href, SystemEgress::Preparation).await;
            let found = found.map_err(|error| BadCall::Lookup(error.to_string()))?;
            let stored =
                found.ok_or_else(|| BadCall::Lookup("there is no such entry; read the calendar again".into()))?;
            let change = if tool == "calendar_cancel" {
                Change::Cancel { before: stored.entry, etag: stored.etag }
            } else {
                let after = change(&stored.entry, arguments, around)?;
                Change::Replace { before: stored.entry, etag: stored.etag, after }
            };
            CalendarAction::Write(Writing { href, change })
        }
    };
    Ok((Some(calendar.connection.0), Action::Calendar(action)))
}

/// The action that undoes a write, if the entry is still as the write left it.
pub(crate) async fn prepare_undo(
    content: &Content,
    writing: &Writing,
    outcome: &str,
    vault: &Vault,
) -> Result<Prepared, BadCall> {
    let lookup = |why: &str| BadCall::Lookup(why.to_owned());
    let now = vault.entry(content.account, &writing.href, SystemEgress::Preparation).await;
    let now = now.map_err(|error| BadCall::Lookup(error.to_string()))?;
    let left = outcome.strip_prefix(SAVED).unwrap_or_default();
    let change = match (&writing.change, now) {
        (Change::Cancel { before, .. }, None) => Change::Create { after: before.clone() },
        (Change::Cancel { .. }, Some(_)) => {
            return Err(lookup("something else lies in the place of the removed entry now"));
        }
        (Change::Create { .. } | Change::Replace { .. }, None) => {
            return Err(lookup("the entry is not there any more"));
        }
        (Change::Create { .. } | Change::Replace { .. }, Some(now))
            if !left.is_empty() && now.etag.as_str() != left =>
        {
            return Err(lookup("the entry was changed since; undoing would take that change back too"));
        }
        (Change::Create { .. }, Some(now)) => Change::Cancel { before: now.entry, etag: now.etag },
        (Change::Replace { before, .. }, Some(now)) => {
            Change::Replace { before: now.entry, etag: now.etag, after: before.clone() }
        }
    };
    let action = CalendarAction::Write(Writing { href: writing.href.clone(), change });
    Ok((content.account.map(|(connection, _)| connection), Action::Calendar(action)))
}

fn bad(name: &'static str, why: impl std::fmt::Display) -> BadCall {
    BadCall::Bad { name, why: why.to_string() }
}

fn read(arguments: &Arguments, around: &Surroundings) -> Result<CalendarAction, BadCall> {
    let given = |name| arguments.optional(name).map(|text| when(name, &text, around)).transpose();
    let today = local(around).date();
    let from = given("from")?.unwrap_or(When { date: today, time: None });
    let start = from.start();
    let end = match given("until")? {
        Some(until) => until.end(),
        None => start.saturating_add(Span::new().days(DEFAULT_DAYS)),
    };
    let (start, end) = if end < start { (end, start) } else { (start, end) };
    let end = end.min(start.saturating_add(Span::new().days(MAX_DAYS)));
    Ok(CalendarAction::Read { from: seconds(start, around)?, until: seconds(end, around)? })
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

fn local(around: &Surroundings) -> DateTime {
    let now = Timestamp::from_second(around.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    now.to_zoned(around.zone.clone()).datetime()
}

fn seconds(moment: DateTime, around: &Surroundings) -> Result<i64, BadCall> {
    let zoned = moment.to_zoned(around.zone.clone()).map_err(|error| bad("from", error))?;
    Ok(zoned.timestamp().as_second())
}

/// Reads `2026-11-24`, `2026-11-24T15:00`, `Tuesday`, `next Tuesday 3pm`, `tomorrow at 15:00`, `15:00`.
fn when(name: &'static str, text: &str, around: &Surroundings) -> Result<When, BadCall> {
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
        let there = moment.to_zoned(around.zone.clone()).datetime();
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
        } else if let Some(found) = day(word, local(around).date()) {
            date = Some(found);
        } else {
            time = Some(clock(word).ok_or_else(unclear)?);
        }
    }
    if date.is_none() && time.is_none() {
        return Err(unclear());
    }
    Ok(When { date: date.unwrap_or_else(|| local(around).date()), time })
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
fn property(name: &str, moment: When, around: &Surroundings) -> Result<String, BadCall> {
    match moment.time {
        None => Ok(format!("{name};VALUE=DATE:{}", moment.date.strftime("%Y%m%d"))),
        Some(_) => utc(name, moment.start(), around),
    }
}

fn utc(name: &str, moment: DateTime, around: &Surroundings) -> Result<String, BadCall> {
    let zoned = moment.to_zoned(around.zone.clone()).map_err(|error| bad("begins", error))?;
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

fn create(arguments: &Arguments, around: &Surroundings, name: &str) -> Result<Entry, BadCall> {
    let begins = when("begins", &arguments.text("begins")?, around)?;
    let ends = arguments.optional("ends").map(|text| when("ends", &text, around)).transpose()?;
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".into(),
        "PRODID:-//Bailey//EN".into(),
        "BEGIN:VEVENT".into(),
        format!("UID:{name}@bailey"),
        utc("DTSTAMP", local(around), around)?,
        property("DTSTART", begins, around)?,
        end_of(begins, ends, around)?,
        format!("SUMMARY:{}", escaped(&arguments.text("what")?)),
    ];
    lines.extend(arguments.optional("where").map(|place| format!("LOCATION:{}", escaped(&place))));
    lines.extend(["END:VEVENT".into(), "END:VCALENDAR".into()]);
    entry(&lines)
}

/// The end of an entry; without one, an hour, or the whole day.
fn end_of(begins: When, ends: Option<When>, around: &Surroundings) -> Result<String, BadCall> {
    match (begins.time, ends) {
        (None, ends) => {
            let last = ends.map_or(begins.date, |ends| ends.date).max(begins.date);
            property("DTEND", When { date: last.saturating_add(1.day()), time: None }, around)
        }
        (Some(_), None) => utc("DTEND", begins.start().saturating_add(DEFAULT_MINUTES.minutes()), around),
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
            utc("DTEND", end, around)
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
fn change(before: &Entry, arguments: &Arguments, around: &Surroundings) -> Result<Entry, BadCall> {
    if before.property("RRULE").is_some() || before.as_str().matches("\r\nBEGIN:VEVENT\r\n").count() > 1 {
        return Err(BadCall::Lookup("this entry repeats; repeating entries cannot be changed yet".into()));
    }
    let mut changes: Vec<(&str, String)> = Vec::new();
    if let Some(begins) = arguments.optional("begins").map(|text| when("begins", &text, around)).transpose()? {
        let ends = arguments.optional("ends").map(|text| when("ends", &text, around)).transpose()?;
        let end = match (ends, begins.time, length(before)) {
            (None, Some(_), Some(minutes)) => utc("DTEND", begins.start().saturating_add(minutes.minutes()), around)?,
            (ends, _, _) => end_of(begins, ends, around)?,
        };
        changes.extend([("DTSTART", property("DTSTART", begins, around)?), ("DTEND", end)]);
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

    fn around() -> Surroundings {
        // Saturday 2026-11-21, 12:00 in Paris.
        Surroundings {
            mail: None,
            calendar: None,
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
            let found = when("from", text, &around()).unwrap();
            let shown = format!("{} {}", found.start(), if found.time.is_some() { '+' } else { '-' });
            assert_eq!(shown, expected, "{text}");
        }
        for text in ["", "soon", "2026-13-40", "25:00", "15", "tuesday morning-ish", "\u{0}"] {
            assert!(when("from", text, &around()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_span_has_defaults_and_bounds() {
        let span = |json: &str| match read(&Arguments::parse(json).unwrap(), &around()).unwrap() {
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
        let made = |cancel| invitation(&before, "me@example.org", &guests, cancel, &around()).unwrap().lines();
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
        let after = change(&before, &arguments, &around()).unwrap();
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
        let made = create(&arguments, &around(), "n").unwrap();
        assert!(made.guests().is_empty(), "{made:?}");
        let long = Arguments::parse(&format!(r#"{{"what":"{}","begins":"tomorrow"}}"#, "ü".repeat(200))).unwrap();
        assert!(create(&long, &around(), "n").unwrap().as_str().split("\r\n").all(|line| line.len() <= 75));
    }
}
