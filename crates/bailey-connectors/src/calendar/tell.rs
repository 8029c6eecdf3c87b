//! What a model and a person are told of entries: each occurrence in the person's zone, and what is not known.

use bailey_calendar::busy::{Free, Hours, free, is_free};
use bailey_calendar::series::end_of;
use bailey_calendar::{Event, Form, Known, Object, Occurrence, Series, Stamp, Status, Unreadable, words};
use bailey_gate::family::calendar::{Moment, Times};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cut::beginning;

/// Entries told of at once; a span with more is read in parts.
pub(super) const MAX_ENTRIES: usize = 200;
/// Characters of an entry's own words that are told.
const MAX_NOTES: usize = 1_000;
/// Guests of an invitation that are told.
const MAX_GUESTS: usize = 50;
/// Entries that cannot be read that are named; all of them are counted.
const MAX_UNREADABLE: usize = 20;
/// Hours around an entry of a zone nobody knows in which it may be: clocks are at most this far apart.
const AROUND: i64 = 26;

/// An entry as a server gave it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The calendar, as the person calls it.
    pub(super) calendar: String,
    /// Where it lies; nothing where it has no place that could be named again.
    pub(super) href: String,
    /// Its bytes, or why there are none.
    pub(super) bytes: Result<Vec<u8>, String>,
}

/// Whose time is told of: the span, the person's clock and their addresses.
#[derive(Debug)]
pub(super) struct Whose<'a> {
    pub(super) span: (Timestamp, Timestamp),
    pub(super) home: &'a TimeZone,
    pub(super) me: &'a [String],
}

/// What is in a span.
#[derive(Debug, Default)]
struct Seen {
    /// Beginning, end and what is told.
    entries: Vec<(Timestamp, Timestamp, Value)>,
    busy: Vec<(Timestamp, Timestamp)>,
    /// Where something may be that nobody can tell.
    unknown: Vec<(Timestamp, Timestamp)>,
    /// Entries that cannot be read, or not wholly: the time they take may be any.
    unreadable: Vec<Value>,
    unread: usize,
}

impl Seen {
    fn of(found: &[Found], whose: &Whose<'_>) -> Self {
        let mut seen = Self::default();
        for one in found {
            match one.bytes.as_deref().map(Object::read) {
                Err(why) => seen.cannot_read(one, why),
                // A task among the entries takes no time.
                Ok(Err(Unreadable::OtherKind)) => {}
                Ok(Err(why)) => seen.cannot_read(one, &why.to_string()),
                Ok(Ok(object)) => Series::all(&object).iter().for_each(|series| seen.take(one, series, whose)),
            }
        }
        seen.entries.sort_by_key(|entry| (entry.0, entry.1));
        seen
    }

    fn cannot_read(&mut self, one: &Found, why: &str) {
        self.unread += 1;
        if self.unreadable.len() < MAX_UNREADABLE {
            self.unreadable.push(json!({ "id": one.href, "calendar": one.calendar, "why": why }));
        }
    }

    fn take(&mut self, one: &Found, series: &Series, whose: &Whose<'_>) {
        series.unreadable.iter().for_each(|why| self.cannot_read(one, &why.to_string()));
        let (from, until) = whose.span;
        let around = around(from, until);
        let expanded = series.within(around.0, around.1, whose.home);
        if expanded.cut {
            self.cannot_read(one, "it repeats too often to be worked out whole");
        }
        for fault in series.faults().iter().filter(|fault| fault.contains("repeats") || fault.contains("is no moment"))
        {
            self.cannot_read(one, fault);
        }
        for occurrence in &expanded.occurrences {
            let Some(event) = series.events.get(occurrence.event) else { continue };
            let span = (occurrence.begins, occurrence.ends);
            let may_be = uncertain(event, occurrence);
            // What may be elsewhere by some hours may be within.
            let (begins, ends) = may_be.unwrap_or(span);
            if !(begins < until && (ends > from || begins == ends && begins >= from)) {
                continue;
            }
            if is_free(event, whose.me).is_none() {
                self.busy.push(span);
            }
            self.unknown.extend(may_be.filter(|_| is_free(event, whose.me).is_none()));
            self.entries.push((span.0, span.1, told(one, series, event, occurrence, whose)));
        }
    }
}

/// Returns the span in which an entry may be whose zone, or whose end, cannot be read.
fn uncertain(event: &Event, occurrence: &Occurrence) -> Option<(Timestamp, Timestamp)> {
    let doubtful =
        event.faults.iter().any(|fault| fault.contains("zone") || fault.contains("ends") || fault.contains("long"));
    doubtful.then(|| around(occurrence.begins, occurrence.ends))
}

/// Returns a span with the hours around it.
fn around(from: Timestamp, until: Timestamp) -> (Timestamp, Timestamp) {
    let hours = SignedDuration::from_hours(AROUND);
    (from.checked_sub(hours).unwrap_or(Timestamp::MIN), until.checked_add(hours).unwrap_or(Timestamp::MAX))
}

/// Returns the id of an occurrence: the entry's place, and which of a series.
fn id(href: &str, occurrence: &Occurrence) -> String {
    occurrence.id.as_ref().map_or_else(|| href.to_owned(), |id| format!("{href}#{}", id.value()))
}

fn told(one: &Found, series: &Series, event: &Event, occurrence: &Occurrence, whose: &Whose<'_>) -> Value {
    let home = whose.home;
    let mut out = json!({ "id": id(&one.href, occurrence), "what": event.summary });
    let Some(fields) = out.as_object_mut() else { return out };
    put_times(fields, (&occurrence.start, occurrence.begins), (&occurrence.end, occurrence.ends), home);
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    if !event.location.is_empty() {
        put("where", event.location.clone().into());
    }
    if let Some(repeats) = series.master().and_then(words::repeats) {
        put("repeats", repeats.into());
    }
    if occurrence.id.is_some() && event.recurrence_id.is_some() {
        put("differs_from_its_series", true.into());
    }
    match is_free(event, whose.me) {
        Some(Free::Cancelled) => put("status", "cancelled".into()),
        Some(Free::Declined) => put("status", "declined".into()),
        Some(Free::Transparent) => put("status", "takes no time".into()),
        None if event.status == Status::Tentative => put("status", "tentative".into()),
        None => {}
    }
    if let Some(answer) = event.answer_of(whose.me) {
        put("my_answer", answer.to_lowercase().into());
    }
    if let Some(organizer) = &event.organizer {
        put("organizer", organizer.address.clone().into());
    }
    put("guests", (event.attendees.len() + usize::from(event.organizer.is_some())).into());
    if !event.description.is_empty() {
        put("notes", beginning(&event.description, MAX_NOTES).into());
        put("notes_were_cut", (event.description.chars().count() > MAX_NOTES).into());
    }
    if uncertain(event, occurrence).is_some() {
        put("may_be_off_by_hours", AROUND.into());
    }
    if !event.faults.is_empty() {
        put("cannot_be_read", event.faults.clone().into());
    }
    put("calendar", one.calendar.clone().into());
    out
}

/// Puts a beginning and an end, each as it stands and as a moment.
fn put_times(
    fields: &mut serde_json::Map<String, Value>,
    (start, begins): (&Stamp, Timestamp),
    (end, ends): (&Stamp, Timestamp),
    home: &TimeZone,
) {
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    if start.is_day() {
        put("begins", words::day(start).into());
        put("ends", words::day(&last_day(end)).into());
        put("whole_day", true.into());
        let days = (end.at.date() - start.at.date()).get_days();
        if days > 1 {
            put("days", days.into());
        }
        return;
    }
    put("begins", words::moment(begins, home).into());
    put("ends", words::moment(ends, home).into());
    for (name, stamp) in [("begins_in_its_own_zone", start), ("ends_in_its_own_zone", end)] {
        if let Some(own) = own(stamp, home) {
            put(name, own.into());
        }
    }
}

/// Tells what an invitation says of one entry, on the person's clock.
pub(crate) fn told_event(event: &Event, home: &TimeZone) -> Value {
    let mut out = json!({ "what": event.summary });
    let Some(fields) = out.as_object_mut() else { return out };
    let end = end_of(event, &event.start, home);
    put_times(fields, (&event.start, event.start.instant(home)), (&end, end.instant(home)), home);
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    if !event.location.is_empty() {
        put("where", event.location.clone().into());
    }
    if let Some(repeats) = words::repeats(event) {
        put("repeats", repeats.into());
    }
    if let Some(id) = &event.recurrence_id {
        put("in_place_of_the_one_of", words::moment(id.instant(home), home).into());
    }
    if event.status == Status::Cancelled {
        put("status", "cancelled".into());
    }
    if let Some(organizer) = &event.organizer {
        put("organizer", organizer.address.clone().into());
    }
    let guests: Vec<&str> = event.attendees.iter().take(MAX_GUESTS).map(|guest| guest.address.as_str()).collect();
    put("guests", guests.into());
    if event.attendees.len() > MAX_GUESTS {
        put("more_guests", (event.attendees.len() - MAX_GUESTS).into());
    }
    if !event.description.is_empty() {
        put("notes", beginning(&event.description, MAX_NOTES).into());
    }
    if !event.faults.is_empty() {
        put("cannot_be_read", event.faults.clone().into());
    }
    out
}

/// Returns the last day of a whole-day entry, which ends where the next day begins (RFC 5545, 3.6.1).
fn last_day(end: &Stamp) -> Stamp {
    end.with(end.at.checked_sub(jiff::Span::new().days(1)).unwrap_or(end.at))
}

/// Returns a moment on the entry's own clock, where that shows another time than the person's.
pub(super) fn own(stamp: &Stamp, home: &TimeZone) -> Option<String> {
    let Form::Zoned(zone) = &stamp.form else { return None };
    if zone.known == Known::No {
        return Some(format!(
            "{} in `{}`, a zone that is not known",
            stamp.at.strftime("%A %Y-%m-%d %H:%M"),
            zone.name
        ));
    }
    let moment = stamp.instant(home);
    let offset = |clock: &TimeZone| clock.to_offset(moment);
    (offset(&zone.clock) != offset(home)).then(|| format!("{} in {}", words::moment(moment, &zone.clock), zone.name))
}

/// Returns a beginning and an end for a preview.
pub(super) fn times(start: &Stamp, end: &Stamp, home: &TimeZone) -> Times {
    let moment = |stamp: &Stamp| {
        let moment = stamp.instant(home);
        Moment::At(moment.as_second(), i64::from(home.to_offset(moment).seconds()) / 60)
    };
    let day = |stamp: &Stamp| {
        let midnight = stamp.with(stamp.at.date().to_datetime(Time::midnight()));
        Moment::Day(midnight.instant(&TimeZone::UTC).as_second().div_euclid(86_400))
    };
    match start.is_day() {
        true => Times { begins: day(start), ends: day(&last_day(end)), own: String::new() },
        false => Times { begins: moment(start), ends: moment(end), own: own(start, home).unwrap_or_default() },
    }
}

/// Tells what happens in a span. What cannot be read stands among the entries, too: it is no free time.
pub(super) fn entries(found: &[Found], whose: &Whose<'_>) -> Value {
    let mut seen = Seen::of(found, whose);
    let more = seen.entries.len().saturating_sub(MAX_ENTRIES);
    let mut entries: Vec<Value> = seen.entries.drain(..).take(MAX_ENTRIES).map(|(_, _, told)| told).collect();
    for one in &seen.unreadable {
        let field = |name: &str| one.get(name).cloned().unwrap_or_default();
        let (id, calendar) = (field("id"), field("calendar"));
        let what = format!("(an entry that cannot be read: {})", field("why").as_str().unwrap_or_default());
        entries
            .push(json!({ "id": id, "calendar": calendar, "what": what, "begins": "not known", "ends": "not known" }));
    }
    let mut out = json!({ "entries": entries, "more": more, "unreadable": seen.unread });
    if seen.unread > 0 {
        put(&mut out, "note", unsure(seen.unread).into());
    } else if !seen.unknown.is_empty() {
        put(
            &mut out,
            "note",
            "The time zone or the length of an entry is not known; whether the time around it is free is not known."
                .into(),
        );
    }
    out
}

fn put(out: &mut Value, name: &str, value: Value) {
    out.as_object_mut().into_iter().for_each(|fields| drop(fields.insert(name.to_owned(), value.clone())));
}

fn unsure(count: usize) -> String {
    let entries = if count == 1 {
        "One entry cannot be read, or not wholly"
    } else {
        "Some entries cannot be read, or not wholly"
    };
    format!("{entries} ({count}); when that takes place is not known, so no time is known to be free. Say so.")
}

/// Tells when there is free time in a span.
pub(super) fn free_times(found: &[Found], whose: &Whose<'_>, minutes: u32, hours: Hours) -> Value {
    let seen = Seen::of(found, whose);
    let taken: Vec<(Timestamp, Timestamp)> = seen.busy.iter().chain(&seen.unknown).copied().collect();
    let free = free(whose.span, hours, SignedDuration::from_mins(i64::from(minutes)), &taken, whose.home);
    let span = |span: &(Timestamp, Timestamp)| json!({ "from": words::moment(span.0, whose.home), "until": words::moment(span.1, whose.home) });
    let spans = |all: &[(Timestamp, Timestamp)]| all.iter().map(span).collect::<Vec<_>>();
    let mut out = json!({
        "free": spans(&free), "at_least_minutes": minutes, "calendars": calendars(found), "not_known": spans(&seen.unknown),
        "unreadable": seen.unread,
    });
    if seen.unread > 0 {
        put(&mut out, "note", unsure(seen.unread).into());
        put(&mut out, "unreadable_entries", seen.unreadable.into());
    }
    if free.len() >= bailey_calendar::busy::MAX_FREE {
        put(&mut out, "more", "ask for a shorter span to see more".into());
    }
    out
}

fn calendars(found: &[Found]) -> Vec<&str> {
    let mut all: Vec<&str> = found.iter().map(|one| one.calendar.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
