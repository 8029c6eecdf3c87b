//! One occurrence of a series, this and all that follow, or all of it: different changes.

use std::fmt;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::{Changes, Draft, Move, end_of_move, range};
use crate::event::{End, Event};
use crate::object::Object;
use crate::rule::{Frequency, Rule, Walk, civil_seconds, from_civil_seconds};
use crate::series::{Occurrence, Series, end_of};
use crate::stamp::{Form, Stamp};
use crate::text::folded;

const DAY: i64 = 86_400;
/// Properties of a series that its occurrences do not have.
const OF_SERIES: [&str; 7] = ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DTSTART", "DTEND"];

/// Says why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError(pub String);

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EditError {}

fn refused<T>(why: &str) -> Result<T, EditError> {
    Err(EditError(why.into()))
}

/// Returns the id of an occurrence, and the component that stands for it alone, if there is one.
fn of<'a>(series: &'a Series, occurrence: &'a Occurrence, home: &TimeZone) -> Option<(&'a Stamp, Option<&'a Event>)> {
    let id = occurrence.id.as_ref()?;
    let own = series.overrides().find(|(_, event)| {
        !event.and_following && event.recurrence_id.as_ref().is_some_and(|known| series.same(known, id, home))
    });
    Some((id, own.map(|(_, event)| event)))
}

/// Changes one occurrence: the component that stands for it, or a new one with its `RECURRENCE-ID` (RFC 5545, 3.8.4.4).
///
/// # Errors
/// The entry itself is not there, or this is no occurrence of a series.
pub fn change_one(
    object: &Object,
    series: &Series,
    occurrence: &Occurrence,
    changes: &Changes,
    home: &TimeZone,
) -> Result<Vec<u8>, EditError> {
    let Some((id, own)) = of(series, occurrence, home) else { return refused("this is no occurrence of a series") };
    let mut draft = Draft::new(object);
    if let Some(own) = own {
        draft.change(own, changes);
        return Ok(draft.finish());
    }
    let Some(source) = series.events.get(occurrence.event) else { return refused("the entry is not there") };
    let end = object.line_end();
    let times = changes.times.clone().unwrap_or_else(|| Move {
        start: occurrence.start.clone(),
        end: match &source.end {
            End::At(_) => End::At(occurrence.end.clone()),
            other => other.clone(),
        },
    });
    let mut text = folded("BEGIN:VEVENT", end);
    text.push_str(&folded(&id.line("RECURRENCE-ID"), end));
    text.push_str(&folded(&times.start.line("DTSTART"), end));
    match &times.end {
        End::Unsaid => {}
        End::At(stamp) => text.push_str(&folded(&stamp.line("DTEND"), end)),
        End::After(length) => text.push_str(&folded(&format!("DURATION:{}", length.value()), end)),
    }
    for (name, value) in changes.texts() {
        if let Some(value) = value {
            text.push_str(&folded(&format!("{name}:{}", crate::text::escaped(value)), end));
        }
    }
    let mut bytes = text.into_bytes();
    bytes.extend(rest_of(object, source, changes));
    let Some(place) = range(object, source.component) else { return refused("the entry is not there") };
    let ended = object.components().get(source.component).is_some_and(|component| component.end.is_some());
    if !ended {
        bytes.splice(0..0, folded("END:VEVENT", end).into_bytes());
    }
    draft.insert(place.end, bytes);
    Ok(draft.finish())
}

/// Returns the lines of a series' component that an occurrence takes over as they are, up to its end.
fn rest_of(object: &Object, source: &Event, changes: &Changes) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(component) = object.components().get(source.component) else { return out };
    let last = range(object, source.component).map_or(0, |range| range.end);
    let changed: Vec<&str> = changes.texts().iter().filter(|(_, text)| text.is_some()).map(|(name, _)| *name).collect();
    for (at, line) in object.lines().iter().enumerate().skip(component.begin + 1) {
        if line.bytes.start >= last || Some(at) == component.end {
            break;
        }
        let own = component.lines.contains(&at);
        let left_out =
            OF_SERIES.contains(&line.name.as_str()) || line.name == "DURATION" || changed.contains(&line.name.as_str());
        if !(own && left_out) {
            out.extend(object.bytes().get(line.bytes.clone()).unwrap_or_default());
            if line.bytes.end == line.content.end {
                out.extend(object.line_end().bytes());
            }
        }
    }
    out.extend(folded("END:VEVENT", object.line_end()).bytes());
    out
}

/// Cancels one occurrence: its time is left out (`EXDATE`), and what stood for it alone goes.
///
/// # Errors
/// The entry itself is not there, or this is no occurrence of a series.
pub fn cancel_one(
    object: &Object,
    series: &Series,
    occurrence: &Occurrence,
    home: &TimeZone,
) -> Result<Vec<u8>, EditError> {
    let (Some((id, own)), Some(master)) = (of(series, occurrence, home), series.master()) else {
        return refused("this is no occurrence of a series whose entry is here");
    };
    let mut draft = Draft::new(object);
    draft.add(master.component, &id.line("EXDATE"));
    own.into_iter().for_each(|own| draft.remove_component(own.component));
    Ok(draft.finish())
}

/// Ends a series before one of its occurrences; nothing where that is its first one: then all of it goes.
///
/// # Errors
/// The entry itself is not there, or this is no occurrence of a series.
pub fn cancel_following(
    object: &Object,
    series: &Series,
    occurrence: &Occurrence,
    home: &TimeZone,
) -> Result<Option<Vec<u8>>, EditError> {
    let (Some((id, _)), Some(master)) = (of(series, occurrence, home), series.master()) else {
        return refused("this is no occurrence of a series whose entry is here");
    };
    let moment = id.instant(home);
    if moment <= master.start.instant(home) {
        return Ok(None);
    }
    let mut draft = Draft::new(object);
    for (at, line) in object.lines_of(master.component) {
        match line.name.as_str() {
            "RRULE" => draft.value(at, &with_part(&line.value, "UNTIL", &last_before(id, &master.start, home))),
            "RDATE" => {
                let zone = zone_of(master, line.param("TZID"));
                let stays = |text: &&str| {
                    let start = Stamp::read(text.split('/').next().unwrap_or_default(), zone.as_ref());
                    start.is_none_or(|start| start.instant(home) < moment)
                };
                keep(&mut draft, at, &line.value, stays);
            }
            _ => {}
        }
    }
    for (_, event) in series.overrides() {
        if event.recurrence_id.as_ref().is_some_and(|known| known.instant(home) >= moment) {
            draft.remove_component(event.component);
        }
    }
    Ok(Some(draft.finish()))
}

fn zone_of(master: &Event, name: Option<&str>) -> Option<crate::Zone> {
    match (&master.start.form, name) {
        (Form::Zoned(zone), Some(name)) if zone.name == name.trim() => Some(zone.clone()),
        (_, Some(name)) => crate::zone::by_name(name).map(|clock| crate::Zone {
            name: name.to_owned(),
            clock,
            known: crate::Known::ByName,
        }),
        (_, None) => None,
    }
}

/// Keeps some of the values of a list; the line goes where none is left.
fn keep(draft: &mut Draft<'_>, at: usize, value: &str, stays: impl Fn(&&str) -> bool) {
    let all: Vec<&str> = value.split(',').map(str::trim).collect();
    let kept: Vec<&str> = all.iter().copied().filter(|text| stays(text)).collect();
    if kept.is_empty() {
        draft.remove(at);
    } else if kept.len() < all.len() {
        draft.value(at, &kept.join(","));
    }
}

/// Returns the last moment before an occurrence, in the form an end has to have (RFC 5545, 3.3.10).
fn last_before(id: &Stamp, start: &Stamp, home: &TimeZone) -> String {
    if start.is_day() {
        let before = from_civil_seconds(civil_seconds(id.at) - DAY).unwrap_or(id.at);
        return start.with(before).value();
    }
    if start.form == Form::Floating {
        return start.with(from_civil_seconds(civil_seconds(id.at) - 1).unwrap_or(id.at)).value();
    }
    let moment = id.instant(home).saturating_sub(SignedDuration::from_secs(1)).unwrap_or(id.instant(home));
    Stamp { at: id.at, form: Form::Utc }.at_instant(moment, home).value()
}

/// Writes a part of a rule anew: `UNTIL` and `COUNT` take each other's place.
fn with_part(rule: &str, name: &str, value: &str) -> String {
    let ends = matches!(name, "UNTIL" | "COUNT");
    let is = |part: &str, name: &str| {
        part.trim().get(..name.len() + 1).is_some_and(|it| it.eq_ignore_ascii_case(&format!("{name}=")))
    };
    let goes = |part: &&str| is(part, name) || (ends && (is(part, "UNTIL") || is(part, "COUNT")));
    let mut parts: Vec<String> =
        rule.split(';').filter(|part| !part.trim().is_empty() && !goes(part)).map(str::to_owned).collect();
    parts.push(format!("{name}={value}"));
    parts.join(";")
}

/// By how much a series moves, on its own clock, in seconds.
pub(super) fn shift(occurrence: &Occurrence, times: &Move) -> Result<i64, EditError> {
    if occurrence.start.form != times.start.form && !occurrence.start.is_day() && !times.start.is_day() {
        return refused(
            "clocks are set back then, and all of a series cannot be at a time that comes twice; change one occurrence",
        );
    }
    if occurrence.start.form != times.start.form {
        return refused("all of a series cannot become whole days, or stop being so; change one occurrence");
    }
    Ok(civil_seconds(times.start.at) - civil_seconds(occurrence.start.at))
}

pub(super) fn shifted(stamp: &Stamp, by: i64, clock: &Stamp, home: &TimeZone) -> Stamp {
    let later = |at| from_civil_seconds(civil_seconds(at) + by).unwrap_or(at);
    if stamp.is_day() && !clock.is_day() {
        // A day names what begins on it: it moves where the beginning moves over midnight.
        let days = (civil_seconds(clock.at).rem_euclid(DAY) + by).div_euclid(DAY);
        return stamp.with(from_civil_seconds(civil_seconds(stamp.at) + days * DAY).unwrap_or(stamp.at));
    }
    if stamp.form == clock.form || stamp.is_day() || clock.is_day() {
        return stamp.with(later(stamp.at));
    }
    // On another clock: the time moves on the clock of the series.
    let there = clock.at_instant(stamp.instant(home), home);
    stamp.at_instant(there.with(later(there.at)).instant(home), home)
}

/// Changes all of a series. Its occurrences that differ keep what differs, and follow in the rest.
///
/// # Errors
/// The change would change how it repeats.
pub fn change_all(
    object: &Object,
    series: &Series,
    occurrence: &Occurrence,
    changes: &Changes,
    home: &TimeZone,
) -> Result<Vec<u8>, EditError> {
    let Some(master) = series.master() else { return refused("the entry of this series is not here") };
    let mut draft = Draft::new(object);
    let texts = Changes { times: None, ..changes.clone() };
    draft.change(master, &texts);
    for (_, event) in series.overrides() {
        let same = |own: &str, of_series: &str| own == of_series;
        let follows = Changes {
            summary: texts.summary.clone().filter(|_| same(&event.summary, &master.summary)),
            location: texts.location.clone().filter(|_| same(&event.location, &master.location)),
            description: texts.description.clone().filter(|_| same(&event.description, &master.description)),
            times: None,
        };
        draft.change(event, &follows);
    }
    if let Some(times) = &changes.times {
        let by = shift(occurrence, times)?;
        draft.times(master, &moved_master(master, by, times, home));
        move_lists(&mut draft, master, by, home)?;
        for (_, event) in series.overrides() {
            let line = object.lines_of(event.component).find(|(_, line)| line.name == "RECURRENCE-ID");
            if let (Some((at, _)), Some(id)) = (line, &event.recurrence_id) {
                draft.value(at, &shifted(id, by, &master.start, home).value());
                // One that differs in its words alone is where the series is.
                if !event.and_following && series.same(id, &event.start, home) {
                    draft.times(event, &moved_along(event, master, by, times, home));
                }
            }
        }
    }
    Ok(draft.finish())
}

/// Returns the times of the entry itself, moved as one of its occurrences is.
fn moved_master(master: &Event, by: i64, times: &Move, home: &TimeZone) -> Move {
    let start = shifted(&master.start, by, &master.start, home);
    let end = match (&master.end, &times.end) {
        (End::At(_), End::At(ends)) => {
            let civil = civil_seconds(ends.at) - civil_seconds(times.start.at);
            let by_calendar = ends.form == times.start.form && (start.is_day() || civil >= DAY);
            let length = ends.instant(home).duration_since(times.start.instant(home));
            let there = start.instant(home);
            End::At(if by_calendar {
                ends.with(from_civil_seconds(civil_seconds(start.at) + civil).unwrap_or(start.at))
            } else {
                ends.at_instant(there.checked_add(length).unwrap_or(there), home)
            })
        }
        (_, end) => end.clone(),
    };
    Move { start, end }
}

/// Returns the times of an occurrence that differs in other things, moved as the series is; one of another length keeps that.
fn moved_along(event: &Event, master: &Event, by: i64, times: &Move, home: &TimeZone) -> Move {
    let start = shifted(&event.start, by, &master.start, home);
    let length = |event: &Event, start: &Stamp, end: Stamp| {
        let passes = end.instant(home).duration_since(start.instant(home));
        let same_form = start.form == end.form;
        (passes, (same_form && event.start.is_day()).then(|| civil_seconds(end.at) - civil_seconds(start.at)))
    };
    let own = length(event, &event.start, end_of(event, &event.start, home));
    let of_series = length(master, &master.start, end_of(master, &master.start, home));
    let then = length(event, &times.start, end_of_move(times, home));
    let takes = if own == of_series { then } else { own };
    let end = match (&event.end, takes) {
        (End::Unsaid, _) if takes == own => End::Unsaid,
        (End::After(length), _) if takes == own => End::After(*length),
        (_, (_, Some(civil))) => {
            End::At(start.with(from_civil_seconds(civil_seconds(start.at) + civil).unwrap_or(start.at)))
        }
        (End::At(end), (passes, None)) => {
            let there = start.instant(home);
            End::At(end.at_instant(there.checked_add(passes).unwrap_or(there), home))
        }
        (End::Unsaid | End::After(_), (passes, None)) => {
            End::After(crate::stamp::Length { days: 0, seconds: passes.as_secs() })
        }
    };
    Move { start, end }
}

/// Moves what goes with the beginning of a series: how it repeats, what is left out, what is added.
fn move_lists(draft: &mut Draft<'_>, master: &Event, by: i64, home: &TimeZone) -> Result<(), EditError> {
    if by == 0 {
        return Ok(());
    }
    let object = draft.object;
    let start = civil_seconds(master.start.at);
    let days = (start + by).div_euclid(DAY) - start.div_euclid(DAY);
    for (at, line) in object.lines_of(master.component) {
        match line.name.as_str() {
            "RRULE" => {
                let Ok(rule) = Rule::read(&line.value) else {
                    return refused("how it repeats cannot be read, so all of it cannot be moved");
                };
                let value = moved_rule(&rule, &line.value, (days, by), master, home)?;
                if value != line.value {
                    draft.value(at, &value);
                }
            }
            "EXDATE" | "RDATE" => {
                if line.value.contains('/') {
                    return refused("it takes place at further times of their own; change one occurrence");
                }
                let zone = zone_of(master, line.param("TZID"));
                let moved = line.value.split(',').map(|text| {
                    let stamp = Stamp::read(text, zone.as_ref());
                    stamp.map_or_else(|| text.to_owned(), |stamp| shifted(&stamp, by, &master.start, home).value())
                });
                draft.value(at, &moved.collect::<Vec<_>>().join(","));
            }
            "EXRULE" => return refused("how it repeats has exceptions by a rule; change one occurrence"),
            _ => {}
        }
    }
    Ok(())
}

/// Writes a rule moved by so many days and seconds: the days of the week it names, and its end.
fn moved_rule(
    rule: &Rule,
    value: &str,
    (days, by): (i64, i64),
    master: &Event,
    home: &TimeZone,
) -> Result<String, EditError> {
    let mut value = value.to_owned();
    if let Some(days) = moved_days(rule, days, by)? {
        value = with_part(&value, "BYDAY", &days);
    }
    if let Some(until) = rule.until.as_ref().filter(|_| by != 0) {
        let until = if until.is_day() {
            until.with(from_civil_seconds(civil_seconds(until.at) + days * DAY).unwrap_or(until.at))
        } else {
            shifted(until, by, &master.start, home)
        };
        value = with_part(&value, "UNTIL", &until.value());
    }
    Ok(value)
}

/// Returns the days of the week a rule names, moved; nothing where it names none.
fn moved_days(rule: &Rule, days: i64, by: i64) -> Result<Option<String>, EditError> {
    let times = !(rule.by_hour.is_empty() && rule.by_minute.is_empty() && rule.by_second.is_empty());
    let dates = !(rule.by_month.is_empty()
        && rule.by_month_day.is_empty()
        && rule.by_year_day.is_empty()
        && rule.by_week.is_empty());
    if (times && by % DAY != 0) || (dates && days != 0) || (days != 0 && !rule.by_position.is_empty()) {
        return refused("how it repeats names these days itself; change one occurrence, or make a new series");
    }
    if days == 0 || rule.by_day.is_empty() {
        return Ok(None);
    }
    let weekly = rule.frequency == Frequency::Weekly && (rule.interval == 1 || rule.by_day.len() == 1);
    if !weekly || rule.by_day.iter().any(|day| day.nth != 0) {
        return refused("how it repeats names these days itself; change one occurrence, or make a new series");
    }
    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let name = |day: i64| usize::try_from((day + days).rem_euclid(7)).ok().and_then(|at| names.get(at)).copied();
    Ok(Some(rule.by_day.iter().filter_map(|day| name(day.weekday)).collect::<Vec<_>>().join(",")))
}

/// Makes the object of a new series: what follows from an occurrence on, changed, under an identity of its own. The old one is ended
/// by [`cancel_following`].
///
/// # Errors
/// Later occurrences differ on their own, or the change would change how it repeats.
pub fn change_following(
    object: &Object,
    series: &Series,
    occurrence: &Occurrence,
    changes: &Changes,
    uid: &str,
    home: &TimeZone,
) -> Result<Vec<u8>, EditError> {
    let (Some((id, _)), Some(master)) = (of(series, occurrence, home), series.master()) else {
        return refused("this is no occurrence of a series whose entry is here");
    };
    let moment = id.instant(home);
    let later = |event: &Event| event.recurrence_id.as_ref().is_some_and(|id| id.instant(home) >= moment);
    if series.overrides().any(|(_, event)| later(event) || event.and_following) {
        return refused("later occurrences of this series were changed on their own; change `this` or `all`");
    }
    let mut draft = Draft::new(object);
    series.overrides().for_each(|(_, event)| draft.remove_component(event.component));
    draft.change(master, &Changes { times: None, ..changes.clone() });
    let times = changes.times.clone().unwrap_or_else(|| Move {
        start: occurrence.start.clone(),
        end: if matches!(master.end, End::At(_)) { End::At(occurrence.end.clone()) } else { master.end.clone() },
    });
    let by = shift(occurrence, &times)?;
    draft.times(master, &times);
    let days = (civil_seconds(id.at) + by).div_euclid(DAY) - civil_seconds(id.at).div_euclid(DAY);
    for (at, line) in object.lines_of(master.component) {
        match line.name.as_str() {
            "UID" => draft.value(at, uid),
            "RRULE" => {
                let rule = Rule::read(&line.value).map_err(EditError)?;
                let mut value = moved_rule(&rule, &line.value, (days, by), master, home)?;
                if let Some(count) = rule.count {
                    value =
                        with_part(&value, "COUNT", &count.saturating_sub(before(&rule, master, id)).max(1).to_string());
                }
                if value != line.value {
                    draft.value(at, &value);
                }
            }
            "EXDATE" | "RDATE" => {
                let zone = zone_of(master, line.param("TZID"));
                let stamps = line.value.split(',').filter_map(|text| Stamp::read(text, zone.as_ref()));
                let kept = stamps.filter(|stamp| stamp.instant(home) > moment);
                let kept: Vec<String> = kept.map(|stamp| shifted(&stamp, by, &master.start, home).value()).collect();
                if kept.is_empty() { draft.remove(at) } else { draft.value(at, &kept.join(",")) }
            }
            _ => {}
        }
    }
    Ok(draft.finish())
}

/// Tells how many occurrences of a counted rule lie before one.
fn before(rule: &Rule, master: &Event, id: &Stamp) -> u32 {
    let mut walk = Walk::new(rule, master.start.at, master.start.is_day(), None);
    let mut count = 0;
    while let Some(at) = walk.next(id.at).filter(|at| *at < id.at) {
        count += u32::from(at < id.at);
    }
    count
}
