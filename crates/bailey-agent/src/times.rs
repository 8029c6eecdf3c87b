//! When the person has time, worked out of calendar entries: small models tell free from busy badly, and copy well.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// Most days one entry is spread over.
const MAX_DAYS: usize = 20;

/// A calendar entry that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) what: String,
    pub(crate) begins: String,
    pub(crate) ends: String,
    /// Tells whether it takes no time: cancelled, declined, or so by itself.
    #[serde(default)]
    pub(crate) free: bool,
    /// Hours by which it may be earlier or later: its zone or its length is not known.
    #[serde(default)]
    pub(crate) off_by: i64,
}

/// Most hours by which an entry may be off: clocks are less far apart.
const MAX_OFF_BY: i64 = 48;

/// Returns an entry in the person's own time.
pub(crate) fn busy(entry: &Entry, zone: &TimeZone) -> String {
    let what = if entry.what.is_empty() { "busy" } else { &entry.what };
    match (moment(&entry.begins, zone), moment(&entry.ends, zone)) {
        (Some((begins, true)), Some((ends, true))) if begins.date() == ends.date() => {
            format!(
                "- {} from {} to {}: {what}",
                begins.strftime("%A %Y-%m-%d"),
                begins.strftime("%H:%M"),
                ends.strftime("%H:%M")
            )
        }
        (Some((begins, true)), Some((ends, true))) => {
            format!("- {} to {}: {what}", begins.strftime("%A %Y-%m-%d %H:%M"), ends.strftime("%A %Y-%m-%d %H:%M"))
        }
        (Some((begins, false)), Some((ends, false))) if entry.ends.contains(' ') && ends > begins => {
            format!("- {} to {}: {what}", begins.strftime("%A %Y-%m-%d"), ends.strftime("%A %Y-%m-%d"))
        }
        (Some((begins, _)), _) => format!("- {}: {what}", begins.strftime("%A %Y-%m-%d")),
        (None, _) => format!("- {}: {what}", entry.begins),
    }
}

/// Hours of the day in which somebody is taken to have time for others.
const DAY: (i8, i8) = (8, 20);

/// Tells when the person has time on the days that have entries. Small models tell free from busy badly, and copy well: so
/// these are the free times, worked out here.
pub(crate) fn free_times(entries: &[Entry], zone: &TimeZone) -> String {
    let mut days: BTreeMap<Date, Vec<(Time, Time)>> = BTreeMap::new();
    let mut unknown = 0;
    for entry in entries.iter().filter(|entry| !entry.free) {
        let (Some((begins, timed)), ends) = (moment(&entry.begins, zone), moment(&entry.ends, zone)) else {
            unknown += 1;
            continue;
        };
        let last = ends.map_or(begins, |(ends, _)| ends).max(begins);
        let off_by = entry.off_by.clamp(0, MAX_OFF_BY).hours();
        let (begins, last) = (begins.saturating_sub(off_by), last.saturating_add(off_by));
        let timed = timed || entry.off_by > 0;
        // As it is told, a whole-day entry ends with its last day; as calendars write it, where the next begins (RFC 5545, 3.6.1).
        let told = entry.ends.contains(' ');
        let days_of = begins.date().series(1.day()).take_while(|day| {
            let starts = day.to_datetime(Time::midnight());
            *day == begins.date() || starts < last || (!timed && told && starts == last)
        });
        for day in days_of.take(MAX_DAYS) {
            let from = if timed && day == begins.date() { begins.time() } else { Time::MIN };
            let to = if timed && day == last.date() { last.time() } else { Time::MAX };
            days.entry(day).or_default().push((from, to));
        }
    }
    let mut lines: Vec<String> =
        days.into_iter().map(|(day, busy)| format!("- {}: {}", day.strftime("%A %Y-%m-%d"), gaps(busy))).collect();
    lines.push(format!("- all other days: from {:02}:00 to {:02}:00", DAY.0, DAY.1));
    if unknown > 0 {
        lines.push(
            "Some entries of my calendar cannot be read, so I may have less time than this; I have to look myself."
                .into(),
        );
    }
    format!("My free times:\n{}", lines.join("\n"))
}

/// Returns what is left of a day.
fn gaps(mut busy: Vec<(Time, Time)>) -> String {
    busy.sort_unstable();
    let end = Time::constant(DAY.1, 0, 0, 0);
    let mut free = Vec::new();
    let mut at = Time::constant(DAY.0, 0, 0, 0);
    for (from, to) in busy.into_iter().chain([(end, Time::MAX)]) {
        if from.min(end) > at {
            free.push(format!("from {} to {}", at.strftime("%H:%M"), from.min(end).strftime("%H:%M")));
        }
        at = at.max(to);
    }
    if free.is_empty() { "no time".to_owned() } else { free.join(" and ") }
}

/// Returns a moment as the calendar is told (`Tuesday 2026-11-24 15:00 +01:00`, `Tuesday 2026-11-24`), or as calendars write
/// it (RFC 5545, 3.3.4 and 3.3.5), and whether it has a time.
fn moment(text: &str, zone: &TimeZone) -> Option<(DateTime, bool)> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    match parts.as_slice() {
        [_, date, time, offset] => {
            let moment: Timestamp = format!("{date}T{time}{offset}").parse().ok()?;
            return Some((moment.to_zoned(zone.clone()).datetime(), true));
        }
        [_, date] => return date.parse::<Date>().ok().map(|date| (date.to_datetime(Time::midnight()), false)),
        _ => {}
    }
    if let Some(utc) = text.strip_suffix('Z') {
        let there = DateTime::strptime("%Y%m%dT%H%M%S", utc).ok()?;
        let moment: Timestamp = there.to_zoned(TimeZone::UTC).ok()?.timestamp();
        return Some((moment.to_zoned(zone.clone()).datetime(), true));
    }
    match DateTime::strptime("%Y%m%dT%H%M%S", text) {
        Ok(moment) => Some((moment, true)),
        Err(_) => Date::strptime("%Y%m%d", text).ok().map(|date| (date.to_datetime(Time::midnight()), false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_times_are_what_entries_leave() {
        let entry = |begins: &str, ends: &str| Entry {
            what: "x".into(),
            begins: begins.into(),
            ends: ends.into(),
            free: false,
            off_by: 0,
        };
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let entries = [
            entry("20261124T150000", "20261124T160000"),
            entry("20261124T154500", "20261124T170000"),
            entry("20261124T060000Z", "20261124T080000Z"),
            entry("20261125", "20261127"),
            entry("20261201T190000", "20261202T090000"),
            entry("Thursday 2026-12-03 15:00 +01:00", "Thursday 2026-12-03 16:00 +01:00"),
            Entry { free: true, ..entry("Thursday 2026-12-03 17:00 +01:00", "Thursday 2026-12-03 18:00 +01:00") },
            entry("Friday 2026-12-04", "Saturday 2026-12-05"),
            entry("not known", "not known"),
            Entry { off_by: 26, ..entry("Thursday 2026-12-10 15:00 +01:00", "Thursday 2026-12-10 16:00 +01:00") },
        ];
        let free = free_times(&entries, &zone);
        let lines: Vec<_> = free.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "- Tuesday 2026-11-24: from 09:00 to 15:00 and from 17:00 to 20:00",
                "- Wednesday 2026-11-25: no time",
                "- Thursday 2026-11-26: no time",
                "- Tuesday 2026-12-01: from 08:00 to 19:00",
                "- Wednesday 2026-12-02: from 09:00 to 20:00",
                "- Thursday 2026-12-03: from 08:00 to 15:00 and from 16:00 to 20:00",
                "- Friday 2026-12-04: no time",
                "- Saturday 2026-12-05: no time",
                "- Wednesday 2026-12-09: from 08:00 to 13:00",
                "- Thursday 2026-12-10: no time",
                "- Friday 2026-12-11: from 18:00 to 20:00",
                "- all other days: from 08:00 to 20:00",
                "Some entries of my calendar cannot be read, so I may have less time than this; I have to look myself.",
            ]
        );
    }
}
