//! A waiting entry as the person changes it on its card: what is written anew, and nothing else of it.

use std::collections::BTreeMap;

use bailey_calendar::edit::{self, end_of_move};
use bailey_calendar::series::end_of;
use bailey_calendar::{Object, Series};
use bailey_dates::asked_of_person;
use bailey_gate::family::calendar::{Change, Deed, Entry, Etag, Writing};
use jiff::ToSpan as _;

use super::bad;
use super::change::{Looked, changes, cut};
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

/// Returns the entry that would be written, where it is one that can be changed: a new or a changed one, which does not repeat.
fn written(writing: &Writing) -> Result<(&Entry, Object), BadCall> {
    let refused = |why: &str| BadCall::Lookup(why.to_owned());
    let after = match &writing.change {
        Change::Create { after } | Change::Replace { after, .. } => after,
        Change::Cancel { .. } => return Err(refused("what is cancelled has nothing to be edited; refuse it instead")),
    };
    let deed = writing.told.as_ref().map(|told| told.deed);
    if !matches!(deed, Some(Deed::Add | Deed::Change)) {
        return Err(refused("only a new or a changed entry can be edited"));
    }
    let object =
        Object::read(after.bytes()).map_err(|_| refused("the entry cannot be read, so it cannot be edited"))?;
    let one = Series::only(&object).is_ok_and(|series| !series.repeats() && series.events.len() == 1);
    if !one {
        return Err(refused("this entry repeats; refuse it with a note that says what should be otherwise"));
    }
    Ok((after, object))
}

/// Tells whether a waiting entry can be changed on its card.
pub(crate) fn can_edit(writing: &Writing) -> bool {
    written(writing).is_ok()
}

/// Returns what an entry says, as it is written into the fields of its card: times on the person's clock, the last day of whole ones.
pub(crate) fn fields(writing: &Writing, cx: &HomeContext) -> Result<BTreeMap<&'static str, String>, BadCall> {
    let (_, object) = written(writing)?;
    let series = Series::only(&object).map_err(|why| BadCall::Lookup(why.to_string()))?;
    let event = series.events.first().ok_or_else(|| BadCall::Lookup("the entry is empty".into()))?;
    let end = end_of(event, &event.start, &cx.zone);
    let (begins, ends) = if event.start.is_day() {
        let last = end.at.date().saturating_sub(1.day()).max(event.start.at.date());
        (event.start.at.date().to_string(), last.to_string())
    } else {
        let told = |stamp: &bailey_calendar::Stamp| {
            stamp.instant(&cx.zone).to_zoned(cx.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
        };
        (told(&event.start), told(&end))
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
/// that they left empty is as long after the beginning as now.
pub(crate) fn edited(
    writing: &Writing,
    wanted: &BTreeMap<&'static str, String>,
    cx: &HomeContext,
) -> Result<Writing, BadCall> {
    let (after, object) = written(writing)?;
    let shown = fields(writing, cx)?;
    let is_new = |name: &str| wanted.get(name).is_some_and(|text| shown.get(name).is_some_and(|old| old != text));
    if is_new(WHAT) && wanted.get(WHAT).is_some_and(|what| what.trim().is_empty()) {
        return Err(bad(WHAT, "say what happens"));
    }
    if is_new(BEGINS) && wanted.get(BEGINS).is_some_and(|begins| begins.trim().is_empty()) {
        return Err(bad(BEGINS, "say when it begins"));
    }
    // Times stand beside each other: where one is written anew, both are meant as they stand there.
    let times_differ = is_new(BEGINS) || is_new(ENDS);
    let means = |name: &str| if matches!(name, BEGINS | ENDS) { times_differ } else { is_new(name) };
    let text_of = |name: &str| wanted.get(name).or_else(|| shown.get(name)).cloned().unwrap_or_default();
    let arguments: serde_json::Map<String, serde_json::Value> = [WHAT, BEGINS, ENDS, WHERE, NOTES]
        .into_iter()
        .filter(|name| means(name))
        .map(|name| (name.to_owned(), text_of(name).into()))
        .collect();
    let arguments = Arguments::parse(&serde_json::Value::Object(arguments).to_string())?;
    // Its version is the one it was prepared from: the server is asked for nothing.
    let etag = match &writing.change {
        Change::Replace { etag, .. } => etag.clone(),
        Change::Create { .. } | Change::Cancel { .. } => Etag::none(),
    };
    let stored = Stored { entry: after.clone(), etag };
    let looked = Looked::of(writing.href.clone(), stored, None, &arguments, &cx.zone)?;
    let mut changes = changes(&looked, &arguments, cx).map_err(for_a_person)?;
    // A place or notes that were taken out.
    for (name, change) in [(WHERE, &mut changes.location), (NOTES, &mut changes.description)] {
        if is_new(name) && change.is_none() {
            *change = Some(String::new());
        }
    }
    if changes.is_empty() {
        return Err(BadCall::Lookup("it says the same as before; nothing was changed".into()));
    }
    let event = looked.event()?;
    let new = Entry::as_it_lies(edit::change(&object, event, &changes)).map_err(|error| bad(NOTES, error))?;
    let mut told = writing.told.clone();
    if let Some(told) = &mut told {
        if let Some(moved) = &changes.times {
            told.after = Some(times(&moved.start, &end_of_move(moved, &cx.zone), &cx.zone));
        }
        if let (Deed::Add, Some(what)) = (told.deed, &changes.summary) {
            told.what = cut(what);
        }
    }
    let change = match &writing.change {
        Change::Replace { before, etag, .. } => {
            Change::Replace { before: before.clone(), etag: etag.clone(), after: new }
        }
        Change::Create { .. } | Change::Cancel { .. } => Change::Create { after: new },
    };
    Ok(Writing { href: writing.href.clone(), change, told })
}

/// Turns a question that a model would be told to put into one to the person, who reads it here.
fn for_a_person(wrong: BadCall) -> BadCall {
    match wrong {
        BadCall::Bad { name, why } => BadCall::Bad { name, why: asked_of_person(&why) },
        other => other,
    }
}
