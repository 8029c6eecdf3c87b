//! A waiting entry as the person changes it on its card: what is written anew, and nothing else of it.

use std::collections::BTreeMap;

use bailey_calendar::edit::{self, Changes, Meant, Move, end_of_move};
use bailey_calendar::{End, Event, Object, Occurrence, Series, Stamp};
use bailey_dates::asked_of_person;
use bailey_gate::family::calendar::{Change, Dates, Deed, Entry, Etag, Moment, Part, Times, Writing};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::bad;
use super::change::{Looked, changes, cut, first};
use super::server::Stored;
use super::tell::times;
use crate::call::{Arguments, BadCall};
use crate::context::HomeContext;

/// What an entry has that can be changed on its card, by the names of the tools' arguments.
const WHAT: &str = "what";
const BEGINS: &str = "begins";
const ENDS: &str = "ends";
const WHERE: &str = "where";
const NOTES: &str = "notes";

/// Seconds around a moment in which an occurrence of it is looked for: clocks are at most 26 hours apart.
const AROUND: i64 = 2 * 86_400;

/// Returns the entry as it would be written, with the occurrence that its fields are of: an entry that does not repeat, the one occurrence
/// that is changed, or of all of a series, and of one that goes on changed, the occurrence that the change named.
fn written(writing: &Writing, home: &TimeZone) -> Result<Looked, BadCall> {
    let (after, etag) = match &writing.change {
        Change::Create { after } => (after, Etag::none()),
        // Its version is the one it was prepared from: the server is asked for nothing.
        Change::Replace { after, etag, .. } => (after, etag.clone()),
        Change::Cancel { .. } => {
            return Err(refused("what is cancelled has nothing to be edited; refuse it instead"));
        }
    };
    let told = writing.told.as_deref().filter(|told| matches!(told.deed, Deed::Add | Deed::Change));
    let told = told.ok_or_else(|| refused("only a new or a changed entry can be edited"))?;
    let (object, series) = read(after)?;
    let occurrence = match told.part {
        Part::Whole if !series.repeats() && series.events.len() == 1 => first(&series, home),
        Part::Following => first(&series, home),
        Part::One => writing.before().map(read).transpose()?.and_then(|(_, before)| differs(&before, &series, home)),
        Part::All => told.after.as_ref().and_then(|after| at(&series, after, home)),
        Part::Whole => None,
    };
    let none = || refused("which of its occurrences is meant cannot be told any more; refuse it with a note");
    let (part, occurrence) = (told.part, occurrence.ok_or_else(none)?);
    let stored = Stored { entry: after.clone(), etag };
    Ok(Looked::waiting(writing.href.clone(), stored, object, series, occurrence, part))
}

fn refused(why: &str) -> BadCall {
    BadCall::Lookup(why.to_owned())
}

fn read(entry: &Entry) -> Result<(Object, Series), BadCall> {
    let unreadable = || refused("the entry cannot be read, so it cannot be edited");
    let object = Object::read(entry.bytes()).map_err(|_| unreadable())?;
    let mut all = Series::all(&object);
    match (all.pop(), all.len()) {
        (Some(series), 0) if !series.events.is_empty() => Ok((object, series)),
        _ => Err(unreadable()),
    }
}

/// Returns the only occurrence that stands there by itself, and did not so before.
fn differs(before: &Series, after: &Series, home: &TimeZone) -> Option<Occurrence> {
    let bare = |event: &Event| Event { component: 0, ..event.clone() };
    let known: Vec<Event> = before.overrides().map(|(_, event)| bare(event)).collect();
    let mut fresh = after.overrides().filter(|(_, event)| !known.contains(&bare(event)));
    let (_, own) = fresh.next().filter(|_| fresh.next().is_none())?;
    after.occurrence(own.recurrence_id.as_ref()?, home)
}

/// Returns the only occurrence of a series that begins at a moment.
fn at(series: &Series, when: &Times, home: &TimeZone) -> Option<Occurrence> {
    let seconds = match when.begins {
        Moment::At(seconds, _) => seconds,
        Moment::Day(days) => days.checked_mul(86_400)?,
    };
    let bound = |by: i64| Timestamp::from_second(seconds.saturating_add(by)).ok();
    let found = series.within(bound(-AROUND)?, bound(AROUND)?, home);
    let begins = |one: &Occurrence| same(times(&one.start, &one.end, home).begins, when.begins);
    let mut all = found.occurrences.into_iter().filter(begins);
    all.next().filter(|_| !found.cut && all.next().is_none())
}

/// Tells whether two moments are the same, whatever the person's clock was.
const fn same(one: Moment, other: Moment) -> bool {
    match (one, other) {
        (Moment::At(one, _), Moment::At(other, _)) | (Moment::Day(one), Moment::Day(other)) => one == other,
        (Moment::At(..), Moment::Day(_)) | (Moment::Day(_), Moment::At(..)) => false,
    }
}

/// Tells whether a waiting entry can be changed on its card.
pub(crate) fn can_edit(writing: &Writing, home: &TimeZone) -> bool {
    written(writing, home).is_ok()
}

/// Returns what an entry says, as it is written into the fields of its card: times on the person's clock, the last day of whole ones.
pub(crate) fn fields(writing: &Writing, cx: &HomeContext) -> Result<BTreeMap<&'static str, String>, BadCall> {
    said(&written(writing, &cx.zone)?, cx)
}

fn said(looked: &Looked, cx: &HomeContext) -> Result<BTreeMap<&'static str, String>, BadCall> {
    let event = looked.event()?;
    let (_, _, Occurrence { start, end, .. }, _) = looked.parts();
    let (begins, ends) = if start.is_day() {
        let last = end.at.date().saturating_sub(1.day()).max(start.at.date());
        (start.at.date().to_string(), last.to_string())
    } else {
        let told =
            |stamp: &Stamp| stamp.instant(&cx.zone).to_zoned(cx.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        (told(start), told(end))
    };
    let text = |text: &str| text.replace("\r\n", "\n");
    Ok([
        (WHAT, text(&event.summary)),
        (BEGINS, begins),
        (ENDS, ends),
        (WHERE, text(&event.location)),
        (NOTES, text(&event.description)),
    ]
    .into())
}

/// Returns the writing with what the person changed in it. What they left as it stood in its field stays as it is, to the second; an end
/// that they left empty is as long after the beginning as now. Of all of a series, the others move along.
pub(crate) fn edited(
    writing: &Writing,
    wanted: &BTreeMap<&'static str, String>,
    cx: &HomeContext,
) -> Result<Writing, BadCall> {
    let looked = written(writing, &cx.zone)?;
    let changes = wanted_changes(&looked, wanted, cx)?;
    let (new, dates) = spliced(writing, &looked, &changes, cx)?;
    let new = Entry::as_it_lies(new).map_err(|error| bad(NOTES, error))?;
    if writing.before() == Some(&new) {
        return Err(refused("the entry is like that already, so nothing would be changed; refuse it instead"));
    }
    let mut told = writing.told.clone();
    if let Some(told) = &mut told {
        if let Some(moved) = &changes.times {
            told.after = Some(times(&moved.start, &end_of_move(moved, &cx.zone), &cx.zone));
        }
        if let (Deed::Add, Part::Whole, Some(what)) = (told.deed, told.part, &changes.summary) {
            told.what = cut(what);
        }
        told.dates = dates;
    }
    let change = match &writing.change {
        Change::Replace { before, etag, .. } => {
            Change::Replace { before: before.clone(), etag: etag.clone(), after: new }
        }
        Change::Create { .. } | Change::Cancel { .. } => Change::Create { after: new },
    };
    Ok(Writing { href: writing.href.clone(), change, told })
}

/// Reads what the person wrote into the fields.
fn wanted_changes(
    looked: &Looked,
    wanted: &BTreeMap<&'static str, String>,
    cx: &HomeContext,
) -> Result<Changes, BadCall> {
    let shown = said(looked, cx)?;
    let is_new = |name: &str| wanted.get(name).is_some_and(|text| shown.get(name).is_some_and(|old| old != text));
    if is_new(WHAT) && wanted.get(WHAT).is_some_and(|what| what.trim().is_empty()) {
        return Err(bad(WHAT, "say what happens"));
    }
    if is_new(BEGINS) && wanted.get(BEGINS).is_some_and(|begins| begins.trim().is_empty()) {
        return Err(bad(BEGINS, "say when it begins"));
    }
    // Times stand beside each other: where one is written anew, both are meant as they stand there. Who names no end means the same length.
    let times_differ = is_new(BEGINS) || is_new(ENDS);
    let means = |name: &str| match name {
        BEGINS => times_differ,
        ENDS => times_differ && wanted.contains_key(ENDS),
        _ => is_new(name),
    };
    let text_of = |name: &str| wanted.get(name).or_else(|| shown.get(name)).cloned().unwrap_or_default();
    let arguments: serde_json::Map<String, serde_json::Value> = [WHAT, BEGINS, ENDS, WHERE, NOTES]
        .into_iter()
        .filter(|name| means(name))
        .map(|name| (name.to_owned(), text_of(name).into()))
        .collect();
    let arguments = Arguments::parse(&serde_json::Value::Object(arguments).to_string())?;
    let mut changes = changes(looked, &arguments, cx).map_err(for_a_person)?;
    // A place or notes that were taken out.
    for (name, change) in [(WHERE, &mut changes.location), (NOTES, &mut changes.description)] {
        if is_new(name) && change.is_none() {
            *change = Some(String::new());
        }
    }
    if changes.is_empty() {
        return Err(refused("it says the same as before; nothing was changed"));
    }
    Ok(changes)
}

/// Returns the entry with the changes made, and when it takes place then where it is more than one occurrence.
fn spliced(
    writing: &Writing,
    looked: &Looked,
    changes: &Changes,
    cx: &HomeContext,
) -> Result<(Vec<u8>, Option<Dates>), BadCall> {
    let (object, series, occurrence, part) = looked.parts();
    let (home, moves) = (&cx.zone, changes.times.as_ref());
    let cannot = |error: edit::EditError| BadCall::Lookup(error.to_string());
    match part {
        Part::Whole => Ok((edit::change(object, looked.event()?, changes), None)),
        Part::One => {
            let after = edit::change_one(object, series, occurrence, changes, home).map_err(cannot)?;
            looked.comes_to(Some(&after), Meant::ChangeOne(moves), cx)?;
            Ok((after, None))
        }
        Part::All => {
            let after = edit::change_all(object, series, occurrence, changes, home).map_err(cannot)?;
            looked.comes_to(Some(&after), Meant::ChangeAll(moves), cx)?;
            let dates = since_before(writing, looked, moves, &after, cx)?;
            Ok((after, Some(dates)))
        }
        Part::Following => {
            let after = edit::change_all(object, series, occurrence, changes, home).map_err(cannot)?;
            let found = looked.comes_to(Some(&after), Meant::ChangeAll(moves), cx)?;
            let told = writing.told.as_ref().and_then(|told| told.dates.clone());
            let dates = told.map(|dates| onwards(dates, &found)).transpose()?;
            Ok((after, dates))
        }
    }
}

/// Works out when all of a series takes place, from how it lies on the server to how it would be written now.
fn since_before(
    writing: &Writing,
    looked: &Looked,
    moves: Option<&Move>,
    after: &[u8],
    cx: &HomeContext,
) -> Result<Dates, BadCall> {
    let none = || refused("when it took place before cannot be told any more; refuse it with a note");
    let before = writing.before().ok_or_else(none)?;
    let (object, series) = read(before)?;
    let told = writing.told.as_ref().and_then(|told| told.before.as_ref()).ok_or_else(none)?;
    let was = at(&series, told, &cx.zone).ok_or_else(none)?;
    let (_, _, now, _) = looked.parts();
    let kept = Move { start: now.start.clone(), end: End::At(now.end.clone()) };
    let then = moves.unwrap_or(&kept);
    let stays = then.start == was.start && end_of_move(then, &cx.zone) == was.end;
    let stored = Stored { entry: before.clone(), etag: Etag::none() };
    let of = Looked::waiting(writing.href.clone(), stored, object, series, was, Part::All);
    of.comes_to(Some(after), Meant::ChangeAll((!stays).then_some(then)), cx)
}

/// Returns the dates of a series that goes on changed, each as it comes to be by a further change.
fn onwards(dates: Dates, found: &Dates) -> Result<Dates, BadCall> {
    let none = || refused("its dates cannot be told after this change; refuse it with a note");
    let then = |one: &Times| found.first.iter().find(|(was, _)| same(was.begins, one.begins));
    let moved = |(before, after): (Times, Option<Times>)| {
        let after = after.map(|one| then(&one).map(|(_, after)| after.clone()).ok_or_else(none)).transpose()?;
        Ok((before, after.flatten()))
    };
    let first = dates.first.into_iter().map(moved).collect::<Result<_, BadCall>>()?;
    Ok(Dates { first, repeats: found.repeats.clone(), ..dates })
}

/// Turns a question that a model would be told to put into one to the person, who reads it here.
fn for_a_person(wrong: BadCall) -> BadCall {
    match wrong {
        BadCall::Bad { name, why } => BadCall::Bad { name, why: asked_of_person(&why) },
        other => other,
    }
}
