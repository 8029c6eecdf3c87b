//! What a change of a series comes to: when it takes place before and after, worked out of the very bytes that are to be written, and
//! held against what was meant.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::parts::{EditError, shift, shifted};
use super::{Move, end_of_move};
use crate::event::Event;
use crate::rule::civil_seconds;
use crate::series::{Expanded, Occurrence, Series, end_of};
use crate::stamp::Stamp;
use crate::words;

/// First dates that are told.
pub const MAX_DATES: usize = 5;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Lengths of time, in seconds, that are compared: the first within which no more happens than can be worked out.
const SPANS: [i64; 5] = [12 * 366 * DAY, 2 * 366 * DAY, 200 * DAY, 20 * DAY, 2 * DAY];
/// Seconds looked at beyond a span: clocks differ by up to 26 hours.
const MARGIN: i64 = 2 * DAY;
/// Seconds that count as all time there is: centuries.
const ALL_TIME: i64 = 400 * 366 * DAY;

/// What a change was meant to do.
#[derive(Debug, Clone, Copy)]
pub enum Meant<'a> {
    /// Change all of it, as one of its occurrences is moved; nothing where its times stay.
    ChangeAll(Option<&'a Move>),
    /// Go on from an occurrence with a changed series of its own.
    ChangeFollowing(Option<&'a Move>),
    /// Change one occurrence.
    ChangeOne(Option<&'a Move>),
    /// Cancel all of it.
    CancelAll,
    /// Cancel an occurrence and those that follow.
    CancelFollowing,
    /// Cancel one occurrence.
    CancelOne,
}

/// How many times something takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Times(u64),
    /// More than could be worked out.
    MoreThan(u64),
    /// It has no end.
    Endless,
}

/// An occurrence before, and after; nothing where it goes.
pub type Pair = (Occurrence, Option<Occurrence>);

/// What a change comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dates {
    /// The first of them that are changed or go, at most [`MAX_DATES`]: of all of a series, those still to come, if there are any.
    pub first: Vec<Pair>,
    /// How many are changed or go.
    pub count: Count,
    /// How many stay as they are.
    pub stay: Count,
    /// How it repeats then, in words; nothing where it does not.
    pub repeats: String,
}

/// Works out what a change of an occurrence `one`, or of the series it is of, comes to. `after` is the series as it is to be written;
/// nothing where it goes.
///
/// # Errors
/// The result is not what was meant, or more happens than can be worked out.
pub fn dates(
    before: &Series,
    after: Option<&Series>,
    one: &Occurrence,
    meant: Meant<'_>,
    now: Timestamp,
    home: &TimeZone,
) -> Result<Dates, EditError> {
    let meaning = Meaning::of(before, one, meant, home)?;
    // One of very many: what says when the others are has to stay word for word, however many that is.
    let is_one = matches!(meant, Meant::ChangeOne(_) | Meant::CancelOne);
    if is_one && whole_span(before, one.begins, meaning.margin, home).is_err() {
        meaning.only_one_differs(before, after)?;
        let first = vec![(one.clone(), meaning.becomes(one))];
        let repeats = after.and_then(Series::master).and_then(words::repeats).unwrap_or_default();
        return Ok(Dates { first, count: Count::Times(1), stay: Count::Endless, repeats });
    }
    let begins = beginning(before, after, home);
    let anchor = match meant {
        Meant::ChangeAll(_) | Meant::CancelAll if later(before, now, home) => now,
        Meant::ChangeAll(_) | Meant::CancelAll => begins,
        Meant::ChangeFollowing(_) | Meant::CancelFollowing | Meant::ChangeOne(_) | Meant::CancelOne => {
            one.begins.min(meaning.moment)
        }
    };
    if let Some(after) = after {
        meaning.compare(before, after, begins)?;
        meaning.compare(before, after, anchor)?;
    }
    let from = minus(anchor, meaning.margin);
    let ahead = whole_span(before, from, MARGIN, home)?;
    let touched = ahead.occurrences.into_iter().filter(|found| meaning.touches(found) && found.begins >= anchor);
    let first = touched.take(MAX_DATES).map(|found| {
        let becomes = meaning.becomes(&found);
        (found, becomes)
    });
    let (count, stay) = meaning.counts(before, begins);
    let repeats = after.and_then(Series::master).and_then(words::repeats).unwrap_or_default();
    Ok(Dates { first: first.collect(), count, stay, repeats })
}

/// What was meant, for each occurrence.
struct Meaning<'a> {
    series: &'a Series,
    one: &'a Occurrence,
    meant: Meant<'a>,
    /// The moment of the occurrence, as the series names it.
    moment: Timestamp,
    /// By how much the series moves, on its own clock, in seconds.
    by: i64,
    /// How long it takes: seconds that pass, and seconds of the clock.
    length: (Length, Length),
    /// Seconds by which an occurrence may come to lie elsewhere.
    margin: i64,
    home: &'a TimeZone,
}

/// A length as time that passes, and as the clock shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Length {
    passes: i64,
    shown: Option<i64>,
}

impl Length {
    fn of(start: &Stamp, end: &Stamp, home: &TimeZone) -> Self {
        let passes = end.instant(home).duration_since(start.instant(home)).as_secs().max(0);
        let shown = (start.form == end.form).then(|| civil_seconds(end.at) - civil_seconds(start.at));
        Self { passes, shown }
    }

    /// Tells whether both are the same length, by either measure: where clocks change, one of them differs.
    fn is(self, other: Self) -> bool {
        self.passes == other.passes || self.shown.is_some() && self.shown == other.shown
    }
}

impl<'a> Meaning<'a> {
    fn of(series: &'a Series, one: &'a Occurrence, meant: Meant<'a>, home: &'a TimeZone) -> Result<Self, EditError> {
        let moment = one.id.as_ref().map_or(one.begins, |id| series.in_clock(id).instant(home));
        let now = Length::of(&one.start, &one.end, home);
        let (by, then) = match meant {
            Meant::ChangeAll(Some(times)) | Meant::ChangeFollowing(Some(times)) => {
                (shift(one, times)?, Length::of(&times.start, &end_of_move(times, home), home))
            }
            _ => (0, now),
        };
        let far = match meant {
            Meant::ChangeOne(Some(times)) => times.start.instant(home).duration_since(one.begins).as_secs(),
            _ => by,
        };
        let margin = MARGIN.saturating_add(far.saturating_abs()).saturating_add(now.passes.max(then.passes));
        Ok(Self { series, one, meant, moment, by, length: (now, then), margin, home })
    }

    fn is_one(&self, found: &Occurrence) -> bool {
        let names = |id: &Stamp| found.id.as_ref().is_some_and(|known| self.series.same(known, id, self.home));
        self.one.id.as_ref().is_none_or(names)
    }

    fn follows(&self, found: &Occurrence) -> bool {
        found.id.as_ref().is_some_and(|id| self.series.in_clock(id).instant(self.home) >= self.moment)
    }

    /// Tells whether an occurrence is meant.
    fn touches(&self, found: &Occurrence) -> bool {
        match self.meant {
            Meant::ChangeAll(_) | Meant::CancelAll => true,
            Meant::ChangeFollowing(_) | Meant::CancelFollowing => self.follows(found),
            Meant::ChangeOne(_) | Meant::CancelOne => self.is_one(found),
        }
    }

    /// Returns what an occurrence that is meant becomes; nothing where it goes.
    fn becomes(&self, found: &Occurrence) -> Option<Occurrence> {
        match self.meant {
            Meant::CancelAll | Meant::CancelFollowing | Meant::CancelOne => None,
            Meant::ChangeOne(None) => Some(found.clone()),
            Meant::ChangeOne(Some(times)) => Some(self.at(found, times.start.clone(), end_of_move(times, self.home))),
            Meant::ChangeAll(_) | Meant::ChangeFollowing(_) => Some(self.moved(found)),
        }
    }

    /// Tells whether an occurrence has times of its own.
    fn keeps_its_times(&self, found: &Occurrence) -> bool {
        let event = self.series.events.get(found.event);
        event.is_some_and(|event| {
            let moved = |id: &Stamp| !self.series.same(id, &event.start, self.home);
            event.and_following || event.recurrence_id.as_ref().is_some_and(moved)
        })
    }

    /// Moves an occurrence as the series moves; one with times of its own keeps them.
    fn moved(&self, found: &Occurrence) -> Occurrence {
        let Some(master) = self.series.master() else { return found.clone() };
        if self.keeps_its_times(found) {
            return found.clone();
        }
        let start = shifted(&found.start, self.by, &master.start, self.home);
        let now = Length::of(&found.start, &found.end, self.home);
        let end = if now.is(self.length.0) && self.length.0 != self.length.1 {
            let there = start.instant(self.home);
            let later = SignedDuration::from_secs(self.length.1.passes);
            found.end.at_instant(there.checked_add(later).unwrap_or(there), self.home)
        } else {
            shifted(&found.end, self.by, &master.start, self.home)
        };
        self.at(found, start, end)
    }

    fn at(&self, found: &Occurrence, start: Stamp, end: Stamp) -> Occurrence {
        let (begins, ends) = (start.instant(self.home), end.instant(self.home));
        Occurrence { start, end, begins, ends: ends.max(begins), ..found.clone() }
    }

    /// Holds a span of the series as it is to be written against what was meant of it.
    fn compare(&self, before: &Series, after: &Series, from: Timestamp) -> Result<(), EditError> {
        let from = minus(from, self.margin);
        let mut meant = Vec::new();
        let whole = whole_span(before, from, self.margin, self.home)?;
        for found in whole.occurrences {
            if self.touches(&found) {
                meant.extend(self.becomes(&found).map(|becomes| (becomes, self.length_of(&found))));
            } else if !matches!(self.meant, Meant::ChangeFollowing(_)) {
                let length = Length::of(&found.start, &found.end, self.home);
                meant.push((found, length));
            }
        }
        let mut comes = after.within(from, whole.until, self.home);
        if comes.cut {
            return Err(too_often());
        }
        let inside = |found: &Occurrence| found.begins >= from && found.begins < whole.until;
        meant.retain(|(found, _)| inside(found));
        comes.occurrences.retain(inside);
        meant.sort_by_key(|(found, _)| (found.begins, found.ends));
        for at in 0..meant.len().max(comes.occurrences.len()) {
            match (meant.get(at), comes.occurrences.get(at)) {
                (Some((meant, length)), Some(comes)) if self.is_same(meant, *length, comes) => {}
                (meant, comes) => return Err(self.otherwise(meant.map(|(meant, _)| meant), comes)),
            }
        }
        Ok(())
    }

    /// Checks that one occurrence of a series that is too dense to be worked out differs as it was meant to, and nothing else: the rules and
    /// lists of the others stay as they are.
    fn only_one_differs(&self, before: &Series, after: Option<&Series>) -> Result<(), EditError> {
        let otherwise = || {
            EditError(
                "the change would not come out as it is meant (other occurrences would change), so it is not made; use a calendar program"
                    .into(),
            )
        };
        let Some((was, becomes)) = before.master().zip(after.and_then(Series::master)) else { return Err(otherwise()) };
        let after = after.unwrap_or(before);
        let bare = |event: &Event| Event { component: 0, without: Vec::new(), ..event.clone() };
        let left_out = |event: &Event| -> BTreeSet<Timestamp> {
            event.without.iter().map(|id| before.in_clock(id).instant(self.home)).collect()
        };
        let mut without = left_out(was);
        if matches!(self.meant, Meant::CancelOne) {
            without.insert(self.moment);
        }
        let is_this = |event: &Event| {
            let names =
                |id: &Stamp| event.recurrence_id.as_ref().is_some_and(|known| before.same(known, id, self.home));
            self.one.id.as_ref().is_some_and(names)
        };
        let others = |series: &Series| -> Vec<Event> {
            let all = series.overrides().map(|(_, event)| event).filter(|event| !is_this(event));
            all.map(|event| Event { component: 0, ..event.clone() }).collect()
        };
        let own: Vec<&Event> = after.overrides().map(|(_, event)| event).filter(|event| is_this(event)).collect();
        let own_fits = match (self.becomes(self.one), own.as_slice()) {
            (None, []) => true,
            (Some(meant), [own]) => {
                let end = end_of(own, &own.start, self.home);
                own.start.instant(self.home) == meant.begins
                    && Length::of(&own.start, &end, self.home).is(Length::of(&meant.start, &meant.end, self.home))
            }
            _ => false,
        };
        let stays = bare(was) == bare(becomes) && without == left_out(becomes) && others(before) == others(after);
        if stays && own_fits { Ok(()) } else { Err(otherwise()) }
    }

    fn is_same(&self, meant: &Occurrence, length: Length, comes: &Occurrence) -> bool {
        meant.begins == comes.begins && Length::of(&comes.start, &comes.end, self.home).is(length)
    }

    /// Returns how long an occurrence that is meant takes then. On a day when clocks change, where it ends says another length than it is.
    fn length_of(&self, found: &Occurrence) -> Length {
        let now = Length::of(&found.start, &found.end, self.home);
        match self.meant {
            Meant::ChangeOne(Some(times)) => Length::of(&times.start, &end_of_move(times, self.home), self.home),
            Meant::ChangeAll(Some(_)) | Meant::ChangeFollowing(Some(_))
                if now.is(self.length.0) && !self.keeps_its_times(found) =>
            {
                self.length.1
            }
            _ => now,
        }
    }

    fn otherwise(&self, meant: Option<&Occurrence>, comes: Option<&Occurrence>) -> EditError {
        let told = |found: &Occurrence| {
            if found.start.is_day() { words::day(&found.start) } else { words::moment(found.begins, self.home) }
        };
        let what = match (meant, comes) {
            (Some(meant), Some(comes)) if meant.begins == comes.begins => {
                format!("{} would take another time than is meant", told(meant))
            }
            (Some(meant), Some(comes)) if meant.begins < comes.begins => format!("{} would be missing", told(meant)),
            (Some(meant), None) => format!("{} would be missing", told(meant)),
            (_, Some(comes)) => format!("it would also take place on {}", told(comes)),
            (None, None) => "it cannot be worked out".to_owned(),
        };
        EditError(format!(
            "the change would not come out as it is meant ({what}), so it is not made; change one occurrence, or use a calendar program"
        ))
    }

    /// Counts what is meant, and what stays.
    fn counts(&self, before: &Series, begins: Timestamp) -> (Count, Count) {
        let from = minus(begins, self.margin);
        let counted = |until: Timestamp, meant: bool| {
            let all = before.within(from, until, self.home);
            let count = all.occurrences.iter().filter(|found| self.touches(found) == meant).count();
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            if all.cut { Count::MoreThan(count) } else { Count::Times(count) }
        };
        let all_time = plus(begins, ALL_TIME);
        let ends = before
            .master()
            .is_none_or(|master| master.rules.iter().all(|rule| rule.count.is_some() || rule.until.is_some()));
        let all = |meant: bool| if ends { counted(all_time, meant) } else { Count::Endless };
        match self.meant {
            Meant::ChangeAll(_) | Meant::CancelAll => (all(true), Count::Times(0)),
            Meant::ChangeFollowing(_) | Meant::CancelFollowing => {
                (all(true), counted(plus(self.moment, self.margin), false))
            }
            Meant::ChangeOne(_) | Meant::CancelOne => (Count::Times(1), all(false)),
        }
    }
}

/// The occurrences from a moment on, and until when those are all.
struct Whole {
    occurrences: Vec<Occurrence>,
    until: Timestamp,
}

/// Works out the longest span from a moment on within which no more happens than can be worked out.
fn whole_span(series: &Series, from: Timestamp, margin: i64, home: &TimeZone) -> Result<Whole, EditError> {
    for length in SPANS {
        let until = plus(from, length);
        let Expanded { occurrences, cut } = series.within(minus(from, margin), plus(until, margin), home);
        if !cut {
            return Ok(Whole { occurrences, until });
        }
    }
    Err(too_often())
}

fn too_often() -> EditError {
    EditError("it repeats too often to be worked out, so only one occurrence of it can be changed safely here".into())
}

/// Tells whether anything of a series is still to come.
fn later(series: &Series, now: Timestamp, home: &TimeZone) -> bool {
    let ahead = whole_span(series, now, 0, home);
    ahead.is_ok_and(|ahead| ahead.occurrences.iter().any(|found| found.begins >= now))
}

/// Returns the first moment that either series can have an occurrence at.
fn beginning(before: &Series, after: Option<&Series>, home: &TimeZone) -> Timestamp {
    let events = before.events.iter().chain(after.into_iter().flat_map(|after| &after.events));
    let starts =
        events.flat_map(|event| std::iter::once(&event.start).chain(event.also.iter().map(|(start, _)| start)));
    starts.map(|start| start.instant(home)).min().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn minus(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
}

fn plus(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}
