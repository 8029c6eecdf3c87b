//! Entries changed, cancelled and answered: one occurrence, this and those that follow, or all.

use bailey_calendar::edit::{self, Changes, Meant, Point, Wanted, end_of_move, moved};
use bailey_calendar::itip::Answer;
use bailey_calendar::series::end_of;
use bailey_calendar::{Event, Form, Object, Occurrence, Series, Stamp, words};
use bailey_gate::family::calendar::{Change, Count, Dates, Deed, Entry, Href, Part, Times, Told, Writing};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::moment::{When, begin_and_end};
use super::server::Stored;
use super::tell::times;
use super::{bad, zone_name};
use crate::call::{Arguments, BadCall};
use crate::context::HomeContext;

/// Bytes of a text that a preview tells beside the lines.
const MAX_TOLD: usize = 900;
/// An entry, as it was looked up for a change.
pub(super) struct Looked {
    href: Href,
    stored: Stored,
    object: Object,
    series: Series,
    /// The occurrence the id names; that of an entry that does not repeat.
    occurrence: Occurrence,
    part: Part,
}

/// Takes an id apart: the entry's place, and which of a series.
pub(super) fn place_of(id: &str) -> (&str, Option<&str>) {
    id.trim().rsplit_once('#').map_or((id.trim(), None), |(place, which)| (place, Some(which)))
}

impl Looked {
    /// Reads a stored entry, and what part of it a call means.
    ///
    /// # Errors
    /// It cannot be read; it repeats and the call does not say what is meant; there is no such occurrence.
    pub(super) fn of(
        href: Href,
        stored: Stored,
        which: Option<&str>,
        arguments: &Arguments,
        home: &TimeZone,
    ) -> Result<Self, BadCall> {
        let unreadable =
            |why: &str| BadCall::Lookup(format!("the entry cannot be read ({why}), so it cannot be changed"));
        let object = Object::read(stored.entry.bytes()).map_err(|why| unreadable(&why.to_string()))?;
        let mut all = Series::all(&object);
        if all.len() > 1 {
            return Err(BadCall::Lookup(
                "several entries lie in one there; change them with the program that made them".into(),
            ));
        }
        let series = all
            .pop()
            .filter(|series| !series.events.is_empty())
            .ok_or_else(|| unreadable("when it begins cannot be read"))?;
        let repeats = series.repeats();
        let named = which.and_then(|text| occurrence(&series, text, home));
        if which.is_some() && named.is_none() && repeats {
            return Err(BadCall::Lookup("the entry has no such occurrence any more; read the calendar again".into()));
        }
        let part = part(&series, named.as_ref(), arguments, home)?;
        let occurrence = named.or_else(|| first(&series, home)).ok_or_else(|| unreadable("it never takes place"))?;
        Ok(Self { href, stored, object, series, occurrence, part })
    }

    /// Returns an entry that waits to be written, with the occurrence that its fields are of.
    pub(super) const fn waiting(
        href: Href,
        stored: Stored,
        object: Object,
        series: Series,
        occurrence: Occurrence,
        part: Part,
    ) -> Self {
        Self { href, stored, object, series, occurrence, part }
    }

    /// Returns the entry as it was read, its series, the occurrence that is meant, and how much of the series is.
    pub(super) const fn parts(&self) -> (&Object, &Series, &Occurrence, Part) {
        (&self.object, &self.series, &self.occurrence, self.part)
    }

    pub(super) fn event(&self) -> Result<&Event, BadCall> {
        let event = self.series.events.get(self.occurrence.event);
        event.ok_or_else(|| BadCall::Lookup("the entry cannot be read, so it cannot be changed".into()))
    }

    fn replaced(self, after: Vec<u8>, told: Told) -> Result<Writing, BadCall> {
        let after = Entry::as_it_lies(after).map_err(|error| bad("id", error))?;
        if after == self.stored.entry {
            return Err(BadCall::Lookup("the entry is like that already; nothing is to be changed".into()));
        }
        let change = Change::Replace { before: self.stored.entry, etag: self.stored.etag, after };
        Ok(Writing { href: self.href, change, told: Some(Box::new(told)) })
    }

    fn told(&self, deed: Deed, cx: &HomeContext) -> Result<Told, BadCall> {
        let (start, end) = (&self.occurrence.start, &self.occurrence.end);
        Ok(Told {
            deed,
            part: self.part,
            what: cut(&self.event()?.summary),
            repeats: cut(&self.series.master().and_then(words::repeats).unwrap_or_default()),
            zone: zone_name(cx),
            before: Some(times(start, end, &cx.zone)),
            after: None,
            dates: None,
        })
    }

    /// Works out of the bytes to be written when it takes place then; nothing is prepared where that is not what was meant.
    pub(super) fn comes_to(&self, after: Option<&[u8]>, meant: Meant<'_>, cx: &HomeContext) -> Result<Dates, BadCall> {
        let refused = |why: String| BadCall::Lookup(why);
        let object = after.map(Object::read).transpose().map_err(|why| refused(why.to_string()))?;
        let series = object.as_ref().map(Series::only).transpose().map_err(|why| refused(why.to_string()))?;
        let now = Timestamp::from_second(cx.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        let found = edit::dates(&self.series, series.as_ref(), &self.occurrence, meant, now, &cx.zone);
        let found = found.map_err(|why| refused(why.to_string()))?;
        let shown = |one: &Occurrence| Times { own: String::new(), ..times(&one.start, &one.end, &cx.zone) };
        let pair = |(before, after): &edit::Pair| (shown(before), after.as_ref().map(shown));
        let count = |count| match count {
            edit::Count::Times(count) => Count::Times(count),
            edit::Count::MoreThan(count) => Count::MoreThan(count),
            edit::Count::Endless => Count::Endless,
        };
        let first = found.first.iter().map(pair).collect();
        Ok(Dates { first, count: count(found.count), stay: count(found.stay), repeats: cut(&found.repeats) })
    }
}

pub(super) fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_TOLD);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

fn occurrence(series: &Series, text: &str, home: &TimeZone) -> Option<Occurrence> {
    let zone = match series.master().map(|master| &master.start.form) {
        Some(Form::Zoned(zone)) => Some(zone.clone()),
        Some(Form::Day | Form::Floating | Form::Utc) | None => None,
    };
    series.occurrence(&Stamp::read(text, zone.as_ref())?, home)
}

/// Returns the entry itself, where no occurrence is named.
pub(super) fn first(series: &Series, home: &TimeZone) -> Option<Occurrence> {
    let event = series.events.first()?;
    let end = end_of(event, &event.start, home);
    let (begins, ends) = (event.start.instant(home), end.instant(home));
    let id = series.repeats().then(|| event.start.clone());
    Some(Occurrence { event: 0, id, start: event.start.clone(), end, begins, ends })
}

/// Returns what part of an entry a call means; a question where a repeating entry is meant and the call does not say.
fn part(series: &Series, named: Option<&Occurrence>, arguments: &Arguments, home: &TimeZone) -> Result<Part, BadCall> {
    if !series.repeats() && series.events.len() > 1 {
        return Err(BadCall::Lookup(
            "this entry holds several occurrences of a series that is kept elsewhere, which cannot be told apart safely; change it in a calendar program".into(),
        ));
    }
    if !series.repeats() {
        return Ok(Part::Whole);
    }
    let said = arguments.optional("which").unwrap_or_default().trim().to_lowercase();
    let part = match said.as_str() {
        "this" | "one" | "only this" | "this one" | "single" | "occurrence" | "instance" => Part::One,
        "following" | "this and following" | "this_and_following" | "future" | "thisandfuture" => Part::Following,
        "all" | "series" | "whole" | "the series" | "all of it" => Part::All,
        _ => {
            let how = series.master().and_then(words::repeats).unwrap_or_default();
            let one = named.map_or_else(String::new, |one| match one.start.is_day() {
                true => format!(" (the one of {})", words::day(&one.start)),
                false => format!(" (the one of {})", words::moment(one.begins, home)),
            });
            return Err(BadCall::Bad {
                name: "which",
                why: format!(
                    "this entry repeats ({how}): say whether `this` one alone is meant{one}, this and those `following`, or `all` of the series; if the task does not say, ask the person"
                ),
            });
        }
    };
    if part != Part::All && named.is_none() {
        return Err(bad("id", "this entry repeats; give the id of the occurrence, as calendar_read tells it"));
    }
    // Dates that a series lists beside its rule follow no rule that could be cut or gone on with.
    if part == Part::Following && series.master().is_some_and(|master| !master.also.is_empty()) {
        return Err(bad("which", "this series lists dates of its own beside its rule; say `this` for each, or `all`"));
    }
    // An occurrence that was moved by itself says nothing of the times of the others.
    let moved = named.and_then(|one| series.events.get(one.event)).is_some_and(|event| event.recurrence_id.is_some());
    if part != Part::One && moved {
        return Err(bad("id", "that occurrence was changed by itself; give the id of one that was not, or say `this`"));
    }
    Ok(part)
}

/// Prepares the cancelling of an entry, or of a part of one. Whether the person's words mean so much of a series is the gate's to tell.
pub(super) fn cancel(mut looked: Looked, cx: &HomeContext) -> Result<Writing, BadCall> {
    let refused = |error: edit::EditError| BadCall::Lookup(error.to_string());
    let home = &cx.zone;
    if looked.part == Part::Following {
        let after =
            edit::cancel_following(&looked.object, &looked.series, &looked.occurrence, home).map_err(refused)?;
        if let Some(after) = after {
            let mut told = looked.told(Deed::Cancel, cx)?;
            told.dates = Some(looked.comes_to(Some(&after), Meant::CancelFollowing, cx)?);
            return looked.replaced(after, told);
        }
        // From its first occurrence on: that is all of it.
        looked.part = Part::All;
    }
    if looked.part == Part::One {
        let after = edit::cancel_one(&looked.object, &looked.series, &looked.occurrence, home).map_err(refused)?;
        looked.comes_to(Some(&after), Meant::CancelOne, cx)?;
        let told = looked.told(Deed::Cancel, cx)?;
        return looked.replaced(after, told);
    }
    let mut told = looked.told(Deed::Cancel, cx)?;
    if looked.part == Part::All {
        // What goes whole goes, however often it repeats.
        told.dates = looked.comes_to(None, Meant::CancelAll, cx).ok();
    }
    let change = Change::Cancel { before: looked.stored.entry, etag: looked.stored.etag };
    Ok(Writing { href: looked.href, change, told: Some(Box::new(told)) })
}

/// Prepares a change. What is left out stays: time of day, length, kind and zones.
pub(super) fn change(looked: Looked, arguments: &Arguments, cx: &HomeContext, name: &str) -> Result<Writing, BadCall> {
    let home = &cx.zone;
    let changes = changes(&looked, arguments, cx)?;
    if changes.is_empty() {
        return Err(BadCall::Missing("what"));
    }
    let refused = |error: edit::EditError| BadCall::Lookup(error.to_string());
    let (object, series, occurrence) = (&looked.object, &looked.series, &looked.occurrence);
    let mut told = looked.told(Deed::Change, cx)?;
    told.after = changes
        .times
        .as_ref()
        .map(|new| times(&new.start, &end_of_move(new, home), home))
        .or_else(|| told.before.clone());
    let moves = changes.times.as_ref();
    let after = match looked.part {
        Part::Whole => edit::change(object, looked.event()?, &changes),
        Part::One => {
            let after = edit::change_one(object, series, occurrence, &changes, home).map_err(refused)?;
            looked.comes_to(Some(&after), Meant::ChangeOne(moves), cx)?;
            after
        }
        Part::All => {
            let after = edit::change_all(object, series, occurrence, &changes, home).map_err(refused)?;
            told.dates = Some(looked.comes_to(Some(&after), Meant::ChangeAll(moves), cx)?);
            after
        }
        Part::Following => {
            let uid = format!("{name}@bailey");
            let after = edit::change_following(object, series, occurrence, &changes, &uid, home).map_err(refused)?;
            told.dates = Some(looked.comes_to(Some(&after), Meant::ChangeFollowing(moves), cx)?);
            let after = Entry::as_it_lies(after).map_err(|error| bad("id", error))?;
            let folder = looked.href.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
            let href = Href::new(&format!("{folder}/{name}.ics")).map_err(|error| bad("id", error))?;
            told.deed = Deed::Add;
            return Ok(Writing { href, change: Change::Create { after }, told: Some(Box::new(told)) });
        }
    };
    looked.replaced(after, told)
}

pub(super) fn changes(looked: &Looked, arguments: &Arguments, cx: &HomeContext) -> Result<Changes, BadCall> {
    let shown = if looked.occurrence.start.is_day() {
        looked.occurrence.start.at.date()
    } else {
        looked.occurrence.begins.to_zoned(cx.zone.clone()).date()
    };
    let (begins, ends) = wanted(looked, shown, arguments, cx)?;
    let mut times = None;
    if begins.is_some() || ends.is_some() {
        let event = looked.event()?;
        let now = (&looked.occurrence.start, &looked.occurrence.end);
        let new = moved(now, &event.end, Wanted { begins, ends }, &cx.zone).map_err(|why| bad("ends", why))?;
        let unchanged = new.start == looked.occurrence.start && end_of_move(&new, &cx.zone) == looked.occurrence.end;
        times = (!unchanged).then_some(new);
    }
    Ok(Changes {
        summary: arguments.optional("what"),
        location: arguments.optional("where"),
        description: arguments.optional("notes"),
        times,
    })
}

/// Reads when an entry is to begin and end. A time alone is one of the day the entry is on; an end alone belongs to its beginning.
fn wanted(
    looked: &Looked,
    shown: Date,
    arguments: &Arguments,
    cx: &HomeContext,
) -> Result<(Option<Point>, Option<Point>), BadCall> {
    let on = |day: Date, text: String| match told_moment(&text) {
        Some(moment) => moment.to_zoned(cx.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        None if is_time_alone(&text) => format!("{day} {text}"),
        None => text,
    };
    let now = || match looked.occurrence.start.is_day() {
        true => shown.to_string(),
        false => looked.occurrence.begins.to_zoned(cx.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    };
    let (begins, ends) = (arguments.optional("begins"), arguments.optional("ends"));
    let named = begins.is_some();
    if !named && ends.is_none() {
        return Ok((None, None));
    }
    let begins = begins.map_or_else(now, |text| on(shown, text));
    let read = |ends: Option<String>| {
        let both = serde_json::json!({ "begins": begins, "ends": ends });
        begin_and_end(&Arguments::parse(&both.to_string())?, cx)
    };
    let day = read(None)?.0.filter(|begin| begin.time.is_none()).map(|begin| begin.date);
    let ends = ends.map(|text| match day {
        Some(day) => on(day, text),
        None if told_moment(&text).is_some() => on(shown, text),
        None => text,
    });
    let (begins, ends) = read(ends)?;
    Ok((begins.filter(|_| named).map(When::point), ends.map(When::point)))
}

/// Reads a moment as calendar_read tells it: `Tuesday 2026-11-24 15:00 +01:00`.
pub(super) fn told_moment(text: &str) -> Option<jiff::Timestamp> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [.., date, time, offset] = parts.as_slice() else { return None };
    format!("{date}T{time}{offset}").parse().ok()
}

/// Tells whether a text names a time and no day: `15:00`, `3pm`, `15h30`, `15 Uhr`.
fn is_time_alone(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let text = ["at ", "um ", "à ", "a "].iter().find_map(|word| text.strip_prefix(word)).unwrap_or(&text);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let rest: String = text.chars().filter(|c| !c.is_ascii_digit() && !c.is_whitespace()).collect();
    let clock = [
        "", ":", "::", "h", "am", "pm", ":am", ":pm", "uhr", ":uhr", "a.m.", "p.m.", "heures", "heure", "o'clock", ".",
    ];
    text.starts_with(|c: char| c.is_ascii_digit()) && (1..=6).contains(&digits) && clock.contains(&rest.as_str())
}

/// Prepares guests to be added to an entry, or taken off: its server tells them. `own` holds the addresses by which that server knows the
/// person.
pub(super) fn invite(
    looked: Looked,
    own: &[String],
    guests: &[String],
    cancel: bool,
    cx: &HomeContext,
) -> Result<Writing, BadCall> {
    let components: Vec<usize> = looked.series.events.iter().map(|event| event.component).collect();
    let told = looked.told(if cancel { Deed::Uninvite } else { Deed::Invite }, cx)?;
    let made = if cancel { edit::uninvite } else { edit::invite };
    let after = made(&looked.object, &components, own, guests).ok_or_else(|| {
        BadCall::Lookup("somebody else invites to this entry, and only they can ask others to come".into())
    })?;
    looked.replaced(after, told)
}

/// Makes what undoes an invitation: the entry as it is now without the guests that were added. Who invites stays named, or servers tell
/// nobody that they are not invited any more (RFC 6638, 3.2.1). Nothing where the write invited nobody.
///
/// # Errors
/// The entry cannot be read.
pub(super) fn without_guests(writing: &Writing, now: &Entry) -> Result<Option<Entry>, BadCall> {
    if writing.told.as_ref().is_none_or(|told| told.deed != Deed::Invite) {
        return Ok(None);
    }
    let unreadable = || BadCall::Lookup("the entry cannot be read any more".into());
    let (object, before) = (Object::read(now.bytes()).map_err(|_| unreadable())?, writing.before());
    let before = before.and_then(|before| Object::read(before.bytes()).ok()).ok_or_else(unreadable)?;
    let guests_of = |object: &Object| -> Vec<String> {
        let all = Series::all(object).into_iter().flat_map(|series| series.events);
        all.flat_map(|event| event.attendees).map(|guest| guest.address).collect()
    };
    let there = guests_of(&before);
    let added: Vec<String> = guests_of(&object).into_iter().filter(|guest| !there.contains(guest)).collect();
    let series = Series::only(&object).map_err(|_| unreadable())?;
    let own: Vec<String> =
        series.events.iter().filter_map(|event| event.organizer.as_ref()).map(|one| one.address.clone()).collect();
    let components: Vec<usize> = series.events.iter().map(|event| event.component).collect();
    let after = edit::uninvite(&object, &components, &own, &added).ok_or_else(unreadable)?;
    Entry::as_it_lies(after).map(Some).map_err(|error| bad("id", error))
}

/// Prepares the answer to an invitation: what the person answered, in the entry; their server tells whoever invites.
pub(super) fn answer(
    looked: Looked,
    arguments: &Arguments,
    me: &[String],
    cx: &HomeContext,
) -> Result<Writing, BadCall> {
    let said = arguments.text("answer")?;
    let answer = Answer::read(&said).ok_or_else(|| bad("answer", "say accept, decline or tentative"))?;
    let not_invited =
        || BadCall::Lookup("none of your addresses is invited to this entry, so there is nothing to answer".into());
    let mine = |event: &Event| event.answer_of(me).is_some();
    if !looked.series.events.iter().any(mine) {
        return Err(not_invited());
    }
    let deed = match answer {
        Answer::Accepted => Deed::Accept,
        Answer::Declined => Deed::Decline,
        Answer::Tentative => Deed::AcceptPerhaps,
    };
    let told = looked.told(deed, cx)?;
    let after = match looked.part {
        Part::Following => return Err(bad("which", "an invitation is answered for `this` one or for `all`")),
        Part::Whole | Part::All => {
            let components: Vec<usize> = looked.series.events.iter().map(|event| event.component).collect();
            edit::answer(&looked.object, &components, me, answer.partstat())
        }
        Part::One => {
            let (object, series, one) = (&looked.object, &looked.series, &looked.occurrence);
            let own = edit::change_one(object, series, one, &Changes::default(), &cx.zone);
            let own = own.map_err(|error| BadCall::Lookup(error.to_string()))?;
            let object = Object::read(&own).map_err(|error| BadCall::Lookup(error.to_string()))?;
            let series = Series::only(&object).map_err(|error| BadCall::Lookup(error.to_string()))?;
            let id = one.id.clone().ok_or_else(not_invited)?;
            let stands =
                |event: &&Event| event.recurrence_id.as_ref().is_some_and(|known| series.same(known, &id, &cx.zone));
            let component = series.overrides().map(|(_, event)| event).find(stands).ok_or_else(not_invited)?.component;
            edit::answer(&object, &[component], me, answer.partstat())
        }
    };
    looked.replaced(after.ok_or_else(not_invited)?, told)
}
