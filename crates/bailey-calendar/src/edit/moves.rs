//! Another time for an entry: its time of day, its length and its kind stay unless the words say otherwise.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::event::End;
use crate::rule::{civil_seconds, from_civil_seconds};
use crate::stamp::{Form, Length, Stamp, instant};

/// Minutes an entry takes that had no length as a moment of the day.
const DEFAULT_MINUTES: i64 = 60;
const DAY: i64 = 86_400;

/// When an entry begins and ends, as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// When it begins.
    pub start: Stamp,
    /// When it ends.
    pub end: End,
}

/// Returns when what is moved ends.
#[must_use]
pub fn end_of_move(times: &Move, home: &TimeZone) -> Stamp {
    match &times.end {
        End::At(end) => end.clone(),
        End::After(length) => length.after(&times.start, home),
        End::Unsaid if times.start.is_day() => {
            times.start.with(times.start.at.checked_add(1.day()).unwrap_or(times.start.at))
        }
        End::Unsaid => times.start.clone(),
    }
}

/// A day, and a time of it where one is named, on the person's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The day.
    pub date: Date,
    /// The time of it.
    pub time: Option<Time>,
    /// The moment itself, where that is known: where clocks are set back, a time comes twice.
    pub at: Option<Timestamp>,
}

impl Point {
    /// Returns the moment of a time of the day.
    fn instant(self, time: Time, home: &TimeZone) -> Timestamp {
        self.at.unwrap_or_else(|| instant(self.date.to_datetime(time), home))
    }
}

/// What the words say of the new time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// When it begins.
    pub begins: Option<Point>,
    /// When it ends; a whole day is the last one.
    pub ends: Option<Point>,
}

/// Works out the new times of an entry, or of one of its occurrences, that begins and ends as `now`; `end` is how it says so.
///
/// # Errors
/// It would end before it begins.
pub fn moved(now: (&Stamp, &Stamp), end: &End, wanted: Wanted, home: &TimeZone) -> Result<Move, String> {
    let (start, ends) = now;
    let new = match wanted.begins {
        None => start.clone(),
        Some(Point { date, time: None, .. }) => start.with(same_time(start, date, home)),
        Some(Point { date, time: Some(time), .. }) if start.is_day() && time == Time::midnight() => {
            start.with(date.to_datetime(time))
        }
        Some(point @ Point { time: Some(time), .. }) if start.is_day() => {
            Stamp { at: start.at, form: Form::Utc }.at_instant(point.instant(time, home), home)
        }
        Some(Point { date, time: Some(time), .. }) if start.form == Form::Floating => {
            start.with(date.to_datetime(time))
        }
        Some(point @ Point { time: Some(time), .. }) => start.exactly(point.instant(time, home), home),
    };
    let changed_kind = start.is_day() != new.is_day();
    let end = match wanted.ends {
        Some(wanted) => ended(&new, ends, end, wanted, changed_kind, home)?,
        None if changed_kind => End::At(after_minutes(&new, home)),
        None => match end {
            End::Unsaid => End::Unsaid,
            End::After(length) => End::After(*length),
            End::At(_) => End::At(same_length(start, &new, ends, home)),
        },
    };
    Ok(Move { start: new, end })
}

/// Returns the same time of day, on the entry's own clock, as many days later as the day named is later than the one shown.
fn same_time(stamp: &Stamp, date: Date, home: &TimeZone) -> jiff::civil::DateTime {
    let shown = if stamp.is_day() { stamp.at.date() } else { stamp.instant(home).to_zoned(home.clone()).date() };
    let days =
        (civil_seconds(date.to_datetime(Time::midnight())) - civil_seconds(shown.to_datetime(Time::midnight()))) / DAY;
    stamp.at.checked_add(days.days()).unwrap_or(stamp.at)
}

fn after_minutes(start: &Stamp, home: &TimeZone) -> Stamp {
    Length { days: 0, seconds: DEFAULT_MINUTES * 60 }.after(start, home)
}

/// Returns the end that keeps the length: days by the calendar where it takes days, else the time that passes.
fn same_length(start: &Stamp, new: &Stamp, ends: &Stamp, home: &TimeZone) -> Stamp {
    let civil = civil_seconds(ends.at) - civil_seconds(start.at);
    if start.form == ends.form && (start.is_day() || civil >= DAY) {
        return ends.with(from_civil_seconds(civil_seconds(new.at).saturating_add(civil)).unwrap_or(new.at));
    }
    let length = ends.instant(home).duration_since(start.instant(home));
    let there = new.instant(home);
    ends.exactly(there.checked_add(length).unwrap_or(there), home)
}

fn ended(
    start: &Stamp,
    ends: &Stamp,
    written: &End,
    point: Point,
    changed_kind: bool,
    home: &TimeZone,
) -> Result<End, String> {
    let Point { date, time, .. } = point;
    let before = || "it would end before it begins".to_owned();
    let clock = |stamp: &Stamp| stamp.instant(home).to_zoned(home.clone()).datetime();
    let end = if start.is_day() {
        let last = date.max(start.at.date());
        start.with(last.checked_add(1.day()).map_err(|_| before())?.to_datetime(Time::midnight()))
    } else {
        let time = time.unwrap_or_else(|| if ends.is_day() { Time::midnight() } else { clock(ends).time() });
        let like = if ends.is_day() || changed_kind { start } else { ends };
        let place = |at, moment| if like.form == Form::Floating { like.with(at) } else { like.exactly(moment, home) };
        let on = |date: Date| (date.to_datetime(time), instant(date.to_datetime(time), home));
        let said = place(date.to_datetime(time), point.instant(time, home));
        // "until 16:00" means of the same day.
        if said.instant(home) > start.instant(home) {
            said
        } else {
            let (at, moment) = on(clock(start).date());
            place(at, moment)
        }
    };
    if end.instant(home) <= start.instant(home) {
        return Err(before());
    }
    Ok(match written {
        End::After(_) if start.is_day() => {
            End::After(Length { days: (civil_seconds(end.at) - civil_seconds(start.at)) / DAY, seconds: 0 })
        }
        End::After(_) if !changed_kind => {
            End::After(Length { days: 0, seconds: end.instant(home).duration_since(start.instant(home)).as_secs() })
        }
        End::After(_) | End::Unsaid | End::At(_) => End::At(end),
    })
}
