//! Zones as calendars name them: IANA names, Windows names, names in quotation marks, and the object's own rules.

use std::collections::BTreeMap;

use jiff::tz::{Offset, TimeZone};

use crate::object::Object;
use crate::rule::{Rule, Walk};
use crate::stamp::Stamp;
use crate::windows;

/// Most clock changes taken of one zone's own rules.
const MAX_CHANGES: usize = 2_000;
/// Most clock changes worked out for all zones of one object together; the zones beyond are not known.
const MAX_CHANGES_OF_OBJECT: usize = 20_000;
/// The year up to which a zone's own rules are followed.
const LAST_YEAR: i16 = 2_120;

/// A zone: the name an entry gives it, and its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The name as it is written.
    pub name: String,
    /// Its clock; UTC where it is not known.
    pub clock: TimeZone,
    /// How it is known.
    pub known: Known,
}

/// How a zone is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// By its IANA name, or one that means such a zone.
    ByName,
    /// By the rules that stand in the object itself.
    ByRules,
    /// Not at all.
    No,
}

/// The zones of an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Zones(BTreeMap<String, Option<TimeZone>>);

impl Zones {
    /// Reads what an object says of its zones.
    pub(crate) fn of(object: &Object) -> Self {
        let mut all = BTreeMap::new();
        let mut left = MAX_CHANGES_OF_OBJECT;
        for (at, _) in object.of_name("VTIMEZONE") {
            let Some(name) = object.line(at, "TZID") else { continue };
            let located = object.line(at, "X-LIC-LOCATION").and_then(|line| by_name(&line.value));
            let clock = located.or_else(|| by_rules(object, at, &mut left));
            all.entry(plain(&name.value).to_owned()).or_insert(clock);
        }
        Self(all)
    }

    /// Finds the zone of a name.
    pub(crate) fn find(&self, name: &str) -> Zone {
        let name = plain(name).to_owned();
        if let Some(clock) = by_name(&name) {
            return Zone { name, clock, known: Known::ByName };
        }
        match self.0.get(&name) {
            Some(Some(clock)) => Zone { clock: clock.clone(), known: Known::ByRules, name },
            Some(None) | None => Zone { name, clock: TimeZone::UTC, known: Known::No },
        }
    }
}

fn plain(name: &str) -> &str {
    name.trim().trim_matches('"').trim()
}

/// Finds a zone by a name alone: IANA, one at the end of a path, Windows', or a distance from UTC.
#[must_use]
pub fn by_name(name: &str) -> Option<TimeZone> {
    let name = plain(name);
    if name.is_empty() || name.len() > 200 {
        return None;
    }
    let iana = |name: &str| {
        let like =
            name.contains('/') || name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_".contains(&byte));
        like.then(|| TimeZone::get(name).ok()).flatten()
    };
    // `/freeassociation.sourceforge.net/Europe/Berlin`, `/mozilla.org/20050126_1/America/Indiana/Knox`.
    let parts: Vec<&str> = name.split('/').collect();
    let ends =
        (2..=3).rev().filter_map(|count| parts.get(parts.len().checked_sub(count)?..).map(|part| part.join("/")));
    let path = || name.starts_with('/').then(|| ends.into_iter().find_map(|end| iana(&end))).flatten();
    iana(name)
        .or_else(path)
        .or_else(|| windows::iana(name).and_then(iana))
        .or_else(|| iana(&name.replace(' ', "_")))
        .or_else(|| distance(name))
}

/// `UTC+01:00`, `GMT-0330`, `Z`.
fn distance(name: &str) -> Option<TimeZone> {
    let upper = name.to_ascii_uppercase();
    let rest = ["UTC", "GMT"].iter().find_map(|prefix| upper.strip_prefix(prefix)).unwrap_or(&upper).trim();
    if matches!(rest, "Z" | "") || name.eq_ignore_ascii_case("Coordinated Universal Time") {
        return Some(TimeZone::UTC);
    }
    seconds(&rest.replace(':', "")).and_then(|seconds| Offset::from_seconds(seconds).ok()).map(Offset::to_time_zone)
}

/// `+0100`, `-033000`, `+01` (RFC 5545, 3.3.14).
fn seconds(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let part = |from: usize| digits.get(from..from + 2).map_or(Some(0), |two| two.parse::<i32>().ok());
    let whole = matches!(digits.len(), 2 | 4 | 6) && digits.bytes().all(|byte| byte.is_ascii_digit());
    whole.then_some(())?;
    Some(sign * (part(0)? * 3_600 + part(2)? * 60 + part(4)?))
}

/// Follows the rules of a `VTIMEZONE` (RFC 5545, 3.6.5), while there are changes `left` that may be worked out.
fn by_rules(object: &Object, zone: usize, left: &mut usize) -> Option<TimeZone> {
    // When a clock changes, in UTC; from which offset, to which, and whether that is summer time.
    let mut changes: Vec<(i64, i32, i32, bool)> = Vec::new();
    for (at, component) in object.components().iter().enumerate() {
        if component.parent != Some(zone) || !matches!(component.name.as_str(), "STANDARD" | "DAYLIGHT") {
            continue;
        }
        let offset = |name: &str| object.line(at, name).and_then(|line| seconds(&line.value));
        let (from, to) = (offset("TZOFFSETFROM"), offset("TZOFFSETTO")?);
        let from = from.unwrap_or(to);
        let start = object.line(at, "DTSTART").and_then(|line| Stamp::read(&line.value, None))?.at;
        *left = left.checked_sub(1)?;
        let mut onsets = vec![start];
        for (_, line) in object.lines_of(at) {
            match line.name.as_str() {
                "RRULE" => {
                    let rule = Rule::read(&line.value).ok()?.with_until_at(from);
                    let mut walk = Walk::new(&rule, start, false, None);
                    while let Some(onset) = walk.next_before(LAST_YEAR).filter(|_| onsets.len() < MAX_CHANGES) {
                        *left = left.checked_sub(1)?;
                        onsets.push(onset);
                    }
                }
                "RDATE" => {
                    for onset in line.value.split(',').filter_map(|one| Some(Stamp::read(one, None)?.at)) {
                        *left = left.checked_sub(1)?;
                        onsets.push(onset);
                    }
                }
                _ => {}
            }
        }
        let utc = |onset: jiff::civil::DateTime| crate::rule::civil_seconds(onset) - i64::from(from);
        changes.extend(onsets.into_iter().map(|onset| (utc(onset), from, to, component.name == "DAYLIGHT")));
    }
    changes.sort_unstable();
    changes.dedup_by_key(|change| change.0);
    changes.truncate(MAX_CHANGES);
    let first = changes.first()?;
    // A year with a single clock all along needs no table.
    if changes.iter().all(|change| change.2 == first.2 && change.1 == first.2) {
        return Offset::from_seconds(first.2).ok().map(Offset::to_time_zone);
    }
    TimeZone::tzif("own", &table(&changes)).ok()
}

/// Writes the changes as a table of the form zones have (RFC 9636, version 2).
fn table(changes: &[(i64, i32, i32, bool)]) -> Vec<u8> {
    let mut kinds: Vec<(i32, bool)> = changes.first().map(|change| (change.1, false)).into_iter().collect();
    let mut indexes = Vec::new();
    for (_, _, to, summer) in changes {
        let at = kinds.iter().position(|kind| *kind == (*to, *summer)).unwrap_or(kinds.len());
        if at == kinds.len() {
            kinds.push((*to, *summer));
        }
        indexes.push(u8::try_from(at).unwrap_or(u8::MAX));
    }
    let header = |times: usize, kinds: usize| {
        let mut head = b"TZif2".to_vec();
        head.extend([0; 15]);
        for count in [0, 0, 0, times, kinds, 4] {
            head.extend(u32::try_from(count).unwrap_or(0).to_be_bytes());
        }
        head
    };
    let mut out = header(0, 1);
    out.extend([0; 6]);
    out.extend(b"own\0");
    out.extend(header(changes.len(), kinds.len()));
    out.extend(changes.iter().flat_map(|change| change.0.to_be_bytes()));
    out.extend(indexes);
    for (offset, summer) in kinds {
        out.extend(offset.to_be_bytes());
        out.extend([u8::from(summer), 0]);
    }
    out.extend(b"own\0\n\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a zone of so many halves that each change the clock every hour.
    fn zone(name: &str, halves: usize) -> String {
        let half = "BEGIN:STANDARD\r\nDTSTART:20000101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=HOURLY\r\nEND:STANDARD\r\n";
        format!("BEGIN:VTIMEZONE\r\nTZID:{name}\r\n{}END:VTIMEZONE\r\n", half.repeat(halves))
    }

    #[test]
    fn zones_beyond_the_bound_of_changes_are_not_known() {
        let text = format!(
            "BEGIN:VCALENDAR\r\n{}{}BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260101T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            zone("Small", 1),
            zone("Huge", 30)
        );
        let object = Object::read(text.as_bytes()).unwrap();
        let (at, _) = object.of_name("VTIMEZONE").nth(1).unwrap();
        let mut left = MAX_CHANGES_OF_OBJECT;
        assert!(by_rules(&object, at, &mut left).is_none());
        assert_eq!(left, 0, "no more is worked out than the bound");
        let zones = Zones::of(&object);
        assert_eq!(zones.find("Small").known, Known::ByRules);
        assert_eq!(zones.find("Huge").known, Known::No);
    }
}
