//! Entries made, changed and turned into invitations, line by line: what is not touched stays as it was.

use bailey_calendar::series::end_of as end_of_event;
use bailey_calendar::{Object, Series, escaped};
use bailey_gate::family::calendar::{Deed, Entry, Part, Told};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use super::moment::{When, begin_and_end, local};
use super::tell::times;
use super::{bad, zone_name};
use crate::call::{Arguments, BadCall};
use crate::context::HomeContext;

/// Minutes an entry takes where no end is named.
const DEFAULT_MINUTES: i64 = 60;
/// Characters of a name that a preview tells beside the lines.
const MAX_TOLD_CHARS: usize = 200;
/// Bytes of a content line before it is folded (RFC 5545, 3.1: at most 75 octets).
const FOLD_AT: usize = 73;

/// Returns the entry as an invitation (iTIP, RFC 5546, 3.2.2 and 3.2.5): what is the person's alone, such as alarms, stays out.
pub(super) fn invitation(
    entry_: &Entry,
    organizer: &str,
    guests: &[String],
    cancel: bool,
    cx: &HomeContext,
) -> Result<Entry, BadCall> {
    let entries = entry_.lines().iter().filter(|line| line.eq_ignore_ascii_case("BEGIN:VEVENT")).count();
    if entry_.property("RRULE").is_some() || entry_.property("RDATE").is_some() || entries > 1 {
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

/// Returns a property of a moment: a whole day, or a moment in UTC.
fn property(name: &str, moment: When, cx: &HomeContext) -> Result<String, BadCall> {
    match moment.time {
        None => Ok(format!("{name};VALUE=DATE:{}", moment.date.strftime("%Y%m%d"))),
        Some(_) => utc_of(name, &moment.begins(cx)?),
    }
}

fn utc(name: &str, moment: DateTime, cx: &HomeContext) -> Result<String, BadCall> {
    let zoned = moment.to_zoned(cx.zone.clone()).map_err(|error| bad("begins", error))?;
    utc_of(name, &zoned)
}

fn utc_of(name: &str, moment: &Zoned) -> Result<String, BadCall> {
    Ok(format!("{name}:{}", moment.with_time_zone(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ")))
}

/// So many minutes after a beginning: of time that passes, whatever clocks do.
fn later(begins: When, minutes: i64, cx: &HomeContext) -> Result<Zoned, BadCall> {
    begins.begins(cx)?.checked_add(minutes.minutes()).map_err(|error| bad("ends", error))
}

/// Returns a new entry, and what it is in words.
pub(super) fn create(arguments: &Arguments, cx: &HomeContext, name: &str) -> Result<(Entry, Told), BadCall> {
    let (begins, ends) = begin_and_end(arguments, cx)?;
    let begins = begins.ok_or(BadCall::Missing("begins"))?;
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
    let made = entry(&lines)?;
    let told = told(&made, cx).ok_or_else(|| bad("begins", "the moment cannot be written"))?;
    Ok((made, told))
}

fn told(entry: &Entry, cx: &HomeContext) -> Option<Told> {
    let object = Object::read(entry.bytes()).ok()?;
    let series = Series::only(&object).ok()?;
    let event = series.events.first()?;
    let end = end_of_event(event, &event.start, &cx.zone);
    Some(Told {
        deed: Deed::Add,
        part: Part::Whole,
        what: event.summary.chars().take(MAX_TOLD_CHARS).collect(),
        repeats: String::new(),
        zone: zone_name(cx),
        before: None,
        after: Some(times(&event.start, &end, &cx.zone)),
        dates: None,
    })
}

/// Returns the end of an entry; without one, an hour, or the whole day.
fn end_of(begins: When, ends: Option<When>, cx: &HomeContext) -> Result<String, BadCall> {
    match (begins.time, ends) {
        (None, ends) => {
            let last = ends.map_or(begins.date, |ends| ends.date).max(begins.date);
            property("DTEND", When::day(last.saturating_add(1.day())), cx)
        }
        (Some(_), None) => utc_of("DTEND", &later(begins, DEFAULT_MINUTES, cx)?),
        (Some(_), Some(ends)) => {
            let (begin, end) = (begins.begins(cx)?, ends.begins(cx)?);
            // The same moment twice says no more than that there is a beginning.
            if end == begin {
                return utc_of("DTEND", &later(begins, DEFAULT_MINUTES, cx)?);
            }
            if end < begin {
                return Err(bad("ends", "it ends before it begins"));
            }
            utc_of("DTEND", &end)
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
