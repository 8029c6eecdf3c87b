//! All that one entry is: the entry, the occurrences that differ from it, and when each of them is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::event::{End, Event};
use crate::object::{Object, Unreadable};
use crate::rule::{Rule, Walk, civil_seconds, from_civil_seconds};
use crate::stamp::{Form, Stamp};
use crate::zone::Zones;

/// Most occurrences told of one entry at once: one each hour for months.
pub const MAX_OCCURRENCES: usize = 5_000;
/// Seconds looked at beyond a span on either side: clocks differ by up to 26 hours.
const MARGIN: i64 = 2 * 86_400;

/// The components of one identity: an entry, and those of its occurrences that differ from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its components; the entry itself first, where it is there: an invitation to a single occurrence has none.
    pub events: Vec<Event>,
    /// Components that cannot be read, each with the reason.
    pub unreadable: Vec<Unreadable>,
}

/// One time an entry takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The place in [`Series::events`] of the one that says what happens.
    pub event: usize,
    /// Names the occurrence of a series it is; nothing for an entry that does not repeat.
    pub id: Option<Stamp>,
    /// When it begins, as it is written.
    pub start: Stamp,
    /// When it ends.
    pub end: Stamp,
    /// When it begins.
    pub begins: Timestamp,
    /// When it ends; never before it begins.
    pub ends: Timestamp,
}

/// The occurrences within a span.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded {
    /// In the order they begin.
    pub occurrences: Vec<Occurrence>,
    /// Tells whether there are more than could be worked out.
    pub cut: bool,
}

/// The components of one identity, on the way.
#[derive(Debug, Default)]
struct Components {
    entries: Vec<Event>,
    occurrences: Vec<Event>,
    unreadable: Vec<Unreadable>,
}

impl Components {
    /// Puts the entry first. Of two of the same kind the later one in the object is the newer: servers add behind.
    fn into_series(self) -> Series {
        let events = self.entries.into_iter().rev().chain(self.occurrences).collect();
        Series { events, unreadable: self.unreadable }
    }
}

impl Series {
    /// Reads all entries of an object, each with its differing occurrences.
    #[must_use]
    pub fn all(object: &Object) -> Vec<Self> {
        let zones = Zones::of(object);
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut all: Vec<Components> = Vec::new();
        for (at, _) in object.of_name("VEVENT") {
            let uid = object.line(at, "UID").map(|line| line.value.trim().to_owned()).unwrap_or_default();
            let place = *known.entry(uid).or_insert(all.len());
            if place == all.len() {
                all.push(Components::default());
            }
            let Some(one) = all.get_mut(place) else { continue };
            match Event::read(object, at, &zones) {
                None => one.unreadable.push(Unreadable::NoBeginning),
                Some(event) if event.recurrence_id.is_none() => one.entries.push(event),
                Some(event) => one.occurrences.push(event),
            }
        }
        all.into_iter().map(Components::into_series).collect()
    }

    /// Reads the one entry of an object.
    ///
    /// # Errors
    /// None of its entries can be read.
    pub fn only(object: &Object) -> Result<Self, Unreadable> {
        let mut all = Self::all(object);
        let first = all.iter().position(|series| !series.events.is_empty());
        first.map(|at| all.swap_remove(at)).ok_or(Unreadable::NoBeginning)
    }

    /// Returns the entry itself, where the object holds it.
    #[must_use]
    pub fn master(&self) -> Option<&Event> {
        self.events.first().filter(|event| event.recurrence_id.is_none())
    }

    /// Returns the components that stand for single occurrences.
    pub fn overrides(&self) -> impl Iterator<Item = (usize, &Event)> {
        self.events.iter().enumerate().filter(|(_, event)| event.recurrence_id.is_some())
    }

    /// Tells whether it repeats.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.master().is_some_and(Event::repeats)
    }

    /// Lists everything of it that cannot be read, in words.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut all: Vec<String> = self.events.iter().flat_map(|event| event.faults.clone()).collect();
        all.extend(self.unreadable.iter().map(ToString::to_string));
        all.dedup();
        all
    }

    /// Works out when it takes place within a span, from its first moment up to and without its last; a moment of no length counts
    /// where it lies within.
    #[must_use]
    pub fn within(&self, from: Timestamp, until: Timestamp, home: &TimeZone) -> Expanded {
        let mut out = Expanded::default();
        let (mut starts, cut) = self.originals(from, until, home);
        out.cut = cut;
        let differing = self.named(self.overrides().filter_map(|(_, event)| event.recurrence_id.as_ref()), home);
        starts.retain(|_, (start, _)| !self.names(&differing, start, home));
        let without = self.named(self.master().into_iter().flat_map(|master| &master.without), home);
        for (at, event) in self.overrides() {
            if let Some(id) = event.recurrence_id.as_ref().filter(|id| !self.names(&without, id, home)) {
                let end = end_of(event, &event.start, home);
                out.push(at, Some(self.in_clock(id)), event.start.clone(), end, (from, until), home);
            }
        }
        let following = self.following(home);
        for (start, end) in starts.into_values() {
            let (event, moved) = followed(&following, &start, home);
            let Some(source) = self.events.get(event) else { continue };
            let id = self.repeats().then(|| start.clone());
            let end = match (&end, moved == start) {
                (End::Unsaid, _) | (_, false) => end_of(source, &moved, home),
                (own, true) => end_at(own, &moved, &moved, home),
            };
            out.push(event, id, moved, end, (from, until), home);
        }
        out.occurrences.sort_by_key(|one| (one.begins, one.ends));
        if out.occurrences.len() > MAX_OCCURRENCES {
            out.cut = true;
            out.occurrences.truncate(MAX_OCCURRENCES);
        }
        out
    }

    /// Finds the occurrence of an id, as [`Occurrence::id`] gives it.
    #[must_use]
    pub fn occurrence(&self, id: &Stamp, home: &TimeZone) -> Option<Occurrence> {
        let moment = self.in_clock(id).instant(home);
        let over =
            self.overrides().find(|(_, event)| event.recurrence_id.as_ref().is_some_and(|it| self.same(it, id, home)));
        let (from, until) = match over {
            Some((_, event)) => (event.start.instant(home), event.start.instant(home)),
            None => (moment, moment),
        };
        let day = SignedDuration::from_hours(26);
        let widest = self.overrides().filter(|(_, event)| event.and_following).filter_map(|(_, event)| {
            Some(
                (event.start.instant(home).as_second() - event.recurrence_id.as_ref()?.instant(home).as_second()).abs(),
            )
        });
        let more = SignedDuration::from_secs(widest.max().unwrap_or(0));
        let span = (from.saturating_sub(day + more).ok()?, until.saturating_add(day + more).ok()?);
        let found = self.within(span.0, span.1, home).occurrences;
        found.into_iter().find(|one| one.id.as_ref().is_some_and(|known| self.same(known, id, home)))
    }

    /// Returns the times that the entry itself comes to, before those that differ are put in their place.
    fn originals(
        &self,
        from: Timestamp,
        until: Timestamp,
        home: &TimeZone,
    ) -> (BTreeMap<Timestamp, (Stamp, End)>, bool) {
        let mut starts = BTreeMap::new();
        let Some(master) = self.master() else { return (starts, false) };
        let length = self.longest(home);
        let clock = master.start.zone(home);
        let civil = |moment: Timestamp, more: i64| {
            let there = civil_seconds(moment.to_zoned(clock.clone()).datetime());
            from_civil_seconds(there.saturating_add(more)).unwrap_or(master.start.at)
        };
        let (first, stop) = (civil(from, -length - MARGIN), civil(until, length + MARGIN));
        let mut cut = false;
        let mut add = |start: Stamp, end: End| {
            starts.insert(start.instant(home), (start, end));
        };
        if master.start.at >= first && master.start.at <= stop {
            add(master.start.clone(), End::Unsaid);
        }
        for rule in &master.rules {
            let (found, whole) = times(rule, &master.start, (first, stop), home);
            cut |= !whole;
            found.into_iter().for_each(|at| add(master.start.with(at), End::Unsaid));
        }
        for (start, end) in &master.also {
            if start.at >= first && start.at <= stop {
                add(start.clone(), end.clone());
            }
        }
        for rule in &master.without_rules {
            let (found, whole) = times(rule, &master.start, (first, stop), home);
            cut |= !whole;
            for at in found {
                starts.remove(&master.start.with(at).instant(home));
            }
        }
        let without = self.named(master.without.iter(), home);
        starts.retain(|_, (start, _)| !self.names(&without, start, home));
        (starts, cut)
    }

    /// Seconds by which an occurrence may lie beyond the time its rule gives: its length, and how far others were moved.
    fn longest(&self, home: &TimeZone) -> i64 {
        let seconds = |event: &Event| {
            let length = end_of(event, &event.start, home).instant(home).duration_since(event.start.instant(home));
            let moved = event.recurrence_id.as_ref().filter(|_| event.and_following);
            let moved =
                moved.map_or(0, |id| event.start.instant(home).duration_since(id.instant(home)).as_secs().abs());
            length.as_secs().max(0).saturating_add(moved)
        };
        self.events.iter().map(seconds).max().unwrap_or(0)
    }

    /// Returns the occurrences that were changed with all that follow, by when they were.
    fn following(&self, home: &TimeZone) -> Vec<Following<'_>> {
        let changed = self.overrides().filter(|(_, event)| event.and_following).filter_map(|(at, event)| {
            let id = self.in_clock(event.recurrence_id.as_ref()?);
            Some(Following { moment: id.instant(home), id, at, event })
        });
        let mut all: Vec<_> = changed.collect();
        all.sort_by_key(|one| one.moment);
        all
    }

    /// Returns a moment of a series without a clock of its own is one of the series' clock.
    pub(crate) fn in_clock(&self, id: &Stamp) -> Stamp {
        match (&id.form, self.master()) {
            (Form::Floating, Some(master)) if !master.start.is_day() => master.start.with(id.at),
            _ => id.clone(),
        }
    }

    /// Sorts what names occurrences, so that each look costs the same however many there are.
    fn named<'a>(&self, ids: impl Iterator<Item = &'a Stamp>, home: &TimeZone) -> Named {
        let mut all = Named::default();
        for id in ids.map(|id| self.in_clock(id)) {
            if id.is_day() {
                all.days.insert(id.at);
                all.dates_of_days.insert(id.at.date());
            } else {
                all.moments.insert(id.instant(home));
                all.dates_of_moments.insert(id.at.date());
            }
        }
        all
    }

    /// Tells whether one of many names an occurrence, as [`Series::same`] tells it of one.
    fn names(&self, all: &Named, other: &Stamp, home: &TimeZone) -> bool {
        let other = self.in_clock(other);
        if other.is_day() {
            return all.days.contains(&other.at) || all.dates_of_moments.contains(&other.at.date());
        }
        let moment = other.instant(home);
        let zone = self.master().map_or(&other, |master| &master.start).zone(home);
        all.moments.contains(&moment) || all.dates_of_days.contains(&moment.to_zoned(zone.clone()).date())
    }

    /// Tells whether two moments name the same occurrence: a day names what begins on it.
    #[must_use]
    pub fn same(&self, one: &Stamp, other: &Stamp, home: &TimeZone) -> bool {
        let (one, other) = (self.in_clock(one), self.in_clock(other));
        let master = self.master().map_or(&other, |master| &master.start);
        match (one.is_day(), other.is_day()) {
            (false, false) => one.instant(home) == other.instant(home),
            (true, true) => one.at == other.at,
            (true, false) => one.at.date() == other.instant(home).to_zoned(master.zone(home).clone()).date(),
            (false, true) => other.at.date() == one.at.date(),
        }
    }
}

/// An occurrence that was changed with all that follow.
#[derive(Debug)]
struct Following<'a> {
    moment: Timestamp,
    id: Stamp,
    at: usize,
    event: &'a Event,
}

/// Returns the event that speaks for an occurrence, and when that is then: the last before it that was changed with all that follow.
fn followed(all: &[Following<'_>], start: &Stamp, home: &TimeZone) -> (usize, Stamp) {
    let moment = start.instant(home);
    let before = all.partition_point(|one| one.moment <= moment);
    let Some(one) = before.checked_sub(1).and_then(|at| all.get(at)) else { return (0, start.clone()) };
    let later = civil_seconds(start.at) - civil_seconds(one.id.at);
    let there = civil_seconds(one.event.start.at).saturating_add(later);
    (one.at, one.event.start.with(from_civil_seconds(there).unwrap_or(one.event.start.at)))
}

/// What names occurrences, sorted by how it does.
#[derive(Debug, Default)]
struct Named {
    moments: BTreeSet<Timestamp>,
    days: BTreeSet<DateTime>,
    dates_of_days: BTreeSet<Date>,
    dates_of_moments: BTreeSet<Date>,
}

impl Expanded {
    fn push(
        &mut self,
        event: usize,
        id: Option<Stamp>,
        start: Stamp,
        end: Stamp,
        span: (Timestamp, Timestamp),
        home: &TimeZone,
    ) {
        let (begins, ends) = (start.instant(home), end.instant(home));
        let ends = ends.max(begins);
        let within = begins < span.1 && (ends > span.0 || (begins == ends && begins >= span.0));
        if within {
            self.occurrences.push(Occurrence { event, id, start, end, begins, ends });
        }
    }
}

/// Returns the times of a rule between two times of its clock, and whether those are all.
fn times(rule: &Rule, start: &Stamp, (first, stop): (DateTime, DateTime), home: &TimeZone) -> (Vec<DateTime>, bool) {
    let mut rule = rule.clone().on_clock(start.zone(home));
    // The beginning is the first of a number of times, whether it fits the rule or not (RFC 5545, 3.8.5.3).
    if let Some(count) = rule.count
        && Walk::new(&rule, start.at, start.is_day(), None).next(start.at) != Some(start.at)
    {
        rule.count = Some(count - 1);
    }
    let mut walk = Walk::new(&rule, start.at, start.is_day(), Some(first));
    let mut out = Vec::new();
    while let Some(at) = walk.next(stop) {
        if at >= first {
            out.push(at);
        }
        if out.len() > MAX_OCCURRENCES {
            return (out, false);
        }
    }
    (out, !walk.gave_up())
}

/// Returns when an event ends that begins at another time than is written: after the same time has passed, or the same days
/// (RFC 5545, 3.8.5.3).
#[must_use]
pub fn end_of(event: &Event, start: &Stamp, home: &TimeZone) -> Stamp {
    end_at(&event.end, &event.start, start, home)
}

fn end_at(end: &End, written: &Stamp, start: &Stamp, home: &TimeZone) -> Stamp {
    let next_day = || start.with(start.at.checked_add(1.day()).unwrap_or(start.at));
    let end = match end {
        End::Unsaid if start.is_day() => next_day(),
        End::Unsaid => start.clone(),
        End::After(length) => length.after(start, home),
        End::At(end) if written == start => end.clone(),
        End::At(end) if start.is_day() && end.is_day() => {
            let later = civil_seconds(start.at) - civil_seconds(written.at);
            end.with(from_civil_seconds(civil_seconds(end.at).saturating_add(later)).unwrap_or(start.at))
        }
        End::At(end) => {
            let length = end.instant(home).duration_since(written.instant(home));
            let there = start.instant(home);
            end.at_instant(there.checked_add(length).unwrap_or(there), home)
        }
    };
    match end.instant(home) > start.instant(home) {
        true => end,
        // A day that ends when it begins is one day; programs write it so.
        false if start.is_day() => next_day(),
        false => start.clone(),
    }
}
