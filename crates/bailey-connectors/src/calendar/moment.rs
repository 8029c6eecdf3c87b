//! Moments as a person or a model names them, and as a person reads them.

use bailey_calendar::edit::Point;
use bailey_calendar::{Form, Known, Object, Series, Stamp};
use bailey_dates::{Toward, Unclear, told, told_day};
use bailey_gate::family::calendar::Entry;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan as _, Zoned};

use super::bad;
use super::tell::own;
use crate::call::{Arguments, BadCall};
use crate::context::HomeContext;
use crate::dates;

/// Tells when an entry begins, on the person's clock; nothing where it cannot be read.
pub(super) fn spoken(entry: &Entry, cx: &HomeContext) -> Option<String> {
    let object = Object::read(entry.bytes()).ok()?;
    let series = Series::only(&object).ok()?;
    Some(told_start(&series.events.first()?.start, cx))
}

/// Tells a beginning on the person's clock; one of a zone that nobody knows on its own.
pub(crate) fn told_start(start: &Stamp, cx: &HomeContext) -> String {
    let known = match &start.form {
        Form::Day => return told_day(start.at.date()),
        Form::Floating => false,
        Form::Zoned(zone) => zone.known != Known::No,
        Form::Utc => true,
    };
    let own = || own(start, &cx.zone).unwrap_or_else(|| start.at.strftime("%A %Y-%m-%d %H:%M").to_string());
    if known { told(&start.instant(&cx.zone).to_zoned(cx.zone.clone())) } else { own() }
}

/// A moment as a person or a model names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    pub(super) date: Date,
    pub(super) time: Option<Time>,
    /// The moment itself, where one is named: a time of day may come twice.
    at: Option<Timestamp>,
}

impl When {
    /// Makes a whole day.
    pub(super) fn day(date: Date) -> Self {
        Self { date, time: None, at: None }
    }

    /// Makes a moment.
    pub(super) fn moment(moment: &Zoned) -> Self {
        Self { date: moment.date(), time: Some(moment.time()), at: Some(moment.timestamp()) }
    }

    /// Returns it as a change of an entry takes it.
    pub(super) fn point(self) -> Point {
        Point { date: self.date, time: self.time, at: self.at }
    }

    pub(super) fn start(self) -> DateTime {
        self.date.to_datetime(self.time.unwrap_or_else(Time::midnight))
    }

    /// Returns a day without a time ends with the day.
    pub(super) fn end(self) -> DateTime {
        match self.time {
            Some(time) => self.date.to_datetime(time),
            None => self.date.saturating_add(1.day()).to_datetime(Time::midnight()),
        }
    }

    /// Gives the moment it begins at.
    pub(super) fn begins(self, cx: &HomeContext) -> Result<Zoned, BadCall> {
        match self.at {
            Some(at) => Ok(at.to_zoned(cx.zone.clone())),
            None => self.start().to_zoned(cx.zone.clone()).map_err(|error| bad("begins", error)),
        }
    }
}

pub(super) fn local(cx: &HomeContext) -> DateTime {
    let now = Timestamp::from_second(cx.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    now.to_zoned(cx.zone.clone()).datetime()
}

pub(super) fn seconds(moment: DateTime, cx: &HomeContext) -> Result<i64, BadCall> {
    let zoned = moment.to_zoned(cx.zone.clone()).map_err(|error| bad("from", error))?;
    Ok(zoned.timestamp().as_second())
}

/// Reads from when until when a call looks. `from` may name both: `next week`, `tomorrow afternoon`.
pub(super) fn looked_at(arguments: &Arguments, cx: &HomeContext) -> Result<(Option<When>, Option<When>), BadCall> {
    let said = |name: &'static str| {
        let text = arguments.optional(name);
        text.map(|text| both_ends(name, &dates::when(name, &text, cx, Toward::Either)?)).transpose()
    };
    let from = said("from")?;
    let until = said("until")?.map(|(begins, ends)| ends.unwrap_or(begins));
    Ok((from.map(|(begins, _)| begins), until.or(from.and_then(|(_, ends)| ends))))
}

/// Returns the beginning of what was named, and its end where it has one.
fn both_ends(name: &'static str, said: &bailey_dates::When) -> Result<(When, Option<When>), BadCall> {
    match said {
        bailey_dates::When::Moment(moment) => Ok((When::moment(moment), None)),
        bailey_dates::When::Day(day) => Ok((When::day(*day), None)),
        bailey_dates::When::Days(first, last) => Ok((When::day(*first), Some(When::day(*last)))),
        bailey_dates::When::Span(begins, ends) => Ok((When::moment(begins), Some(When::moment(ends)))),
        bailey_dates::When::Length(_) => Err(bad(name, "it says how long, not when")),
    }
}

/// Tells when something is to begin and end, as a call names both: each alone, both in one phrase (`tomorrow 9 to 11`), or the
/// end as a length (`90 minutes`). No beginning is named where the first is `None`.
pub(super) fn begin_and_end(arguments: &Arguments, cx: &HomeContext) -> Result<(Option<When>, Option<When>), BadCall> {
    use bailey_dates::When as Said;
    let Some(text) = arguments.optional("begins") else { return Ok((None, None)) };
    let vague = |part: &str| bad("begins", format!("that is {part}, no beginning; ask the person at what time"));
    let (begins, own_end) = match dates::when("begins", &text, cx, Toward::Ahead)? {
        Said::Moment(moment) => (When::moment(&moment), None),
        Said::Day(day) => (When::day(day), None),
        // A week, a month or a weekend is no whole-day entry unless its first and last day are named.
        Said::Days(first, last) if is_named_span(&text) => (When::day(first), Some(When::day(last))),
        days @ Said::Days(..) => return Err(vague(&days.told())),
        // A morning is not an entry of six hours.
        Said::Span(begins, ends) if is_named_span(&text) => (When::moment(&begins), Some(When::moment(&ends))),
        span @ Said::Span(..) => return Err(vague(&span.told())),
        Said::Length(_) => return Err(bad("begins", "it says how long, not when")),
    };
    let Some(text) = arguments.optional("ends") else { return Ok((Some(begins), own_end)) };
    let ends = match read_end(&text, begins, cx)? {
        Said::Length(minutes) => match begins.time {
            Some(_) => {
                let there = begins.begins(cx)?.checked_add(minutes.minutes()).map_err(|error| bad("ends", error))?;
                When::moment(&there)
            }
            // Two days from Monday are Monday and Tuesday.
            None => When::day(begins.date.saturating_add((minutes / 1_440 - 1).max(0).days())),
        },
        Said::Moment(moment) => When::moment(&moment),
        Said::Day(day) | Said::Days(_, day) => When::day(day),
        Said::Span(_, ends) => When::moment(&ends),
    };
    Ok((Some(begins), Some(ends)))
}

/// Reads an end as it is said at the beginning: `11:30`, `at five`, `on Wednesday` are the first after it.
fn read_end(text: &str, begins: When, cx: &HomeContext) -> Result<bailey_dates::When, BadCall> {
    if begins.time.is_none() {
        return dates::when("ends", text, cx, Toward::Either);
    }
    let begin = begins.begins(cx)?;
    // `tomorrow` is counted from today, not from the beginning.
    let from_today = dates::when("ends", text, cx, Toward::Either);
    let at_beginning = || {
        let there = HomeContext { seconds: begin.timestamp().as_second(), ..cx.clone() };
        match bailey_dates::read(text, &dates::context(&there, Toward::Ahead)) {
            // One o'clock, of something that begins at ten in the evening.
            Err(Unclear::Past { instead, .. }) if instead.len() == 1 => instead.into_iter().next(),
            read => read.ok(),
        }
    };
    match from_today {
        Ok(bailey_dates::When::Moment(moment)) if moment <= begin && moment.date() == local(cx).date() => {
            at_beginning().ok_or_else(|| bad("ends", "it ends before it begins"))
        }
        Ok(said) => Ok(said),
        Err(unclear) => at_beginning().ok_or(unclear),
    }
}

/// Tells whether a phrase names where a span begins and where it ends, or how long it takes.
fn is_named_span(text: &str) -> bool {
    const JOINS: [&str; 14] = [
        " to ",
        " until ",
        " till ",
        " through ",
        " and ",
        " for ",
        " bis ",
        " und ",
        " für ",
        " fuer ",
        " à ",
        " au ",
        " et ",
        " pendant ",
    ];
    let text = text.to_lowercase();
    JOINS.iter().any(|join| text.contains(join)) || text.contains(['–', '—', '-'])
}

#[cfg(test)]
mod tests {
    use super::super::tests::context;
    use super::*;

    fn arguments(begins: &str, ends: &str) -> Arguments {
        Arguments::parse(&serde_json::json!({"begins": begins, "ends": ends}).to_string()).unwrap()
    }

    #[test]
    fn a_beginning_and_an_end_are_read_together() {
        // Saturday 2026-11-21, 12:00 in Paris.
        for (begins, ends, expected) in [
            ("tomorrow at 9", "", "2026-11-22T09:00:00 -"),
            ("tomorrow at 9", "10:30", "2026-11-22T09:00:00 2026-11-22T10:30:00"),
            ("tomorrow at 9", "at noon", "2026-11-22T09:00:00 2026-11-22T12:00:00"),
            ("tomorrow at 9", "2 hours", "2026-11-22T09:00:00 2026-11-22T11:00:00"),
            ("tomorrow at 9", "for 90 minutes", "2026-11-22T09:00:00 2026-11-22T10:30:00"),
            ("tomorrow at 9", "tomorrow at 11", "2026-11-22T09:00:00 2026-11-22T11:00:00"),
            ("morgen um 9", "halb zehn", "2026-11-22T09:00:00 2026-11-22T09:30:00"),
            ("tomorrow at 14:00", "at 4", "2026-11-22T14:00:00 2026-11-22T16:00:00"),
            ("tomorrow 9-11", "", "2026-11-22T09:00:00 2026-11-22T11:00:00"),
            ("demain de 9h à 11h", "", "2026-11-22T09:00:00 2026-11-22T11:00:00"),
            ("tomorrow at 9 for 2 hours", "", "2026-11-22T09:00:00 2026-11-22T11:00:00"),
            ("tomorrow at 22:00", "01:00", "2026-11-22T22:00:00 2026-11-23T01:00:00"),
            ("from Monday to Wednesday", "", "2026-11-23T00:00:00 2026-11-25T00:00:00"),
            ("Monday", "Wednesday", "2026-11-23T00:00:00 2026-11-25T00:00:00"),
            ("Monday", "2 days", "2026-11-23T00:00:00 2026-11-24T00:00:00"),
        ] {
            let (from, until) = begin_and_end(&arguments(begins, ends), &context()).unwrap();
            let until = until.map_or_else(|| "-".to_owned(), |until| until.start().to_string());
            assert_eq!(format!("{} {until}", from.unwrap().start()), expected, "{begins}, {ends}");
        }
        for (begins, why) in [
            ("tomorrow morning", "no beginning; ask the person at what time"),
            ("next week", "no beginning; ask the person at what time"),
            ("two hours", "how long, not when"),
            ("this morning", "is past"),
            ("Saturday", "it can mean"),
            ("next Saturday", "it can mean"),
            ("tomorrow at 3", "it can mean"),
        ] {
            let refused = format!("{:?}", begin_and_end(&arguments(begins, ""), &context()).unwrap_err());
            assert!(refused.contains(why), "{begins}: {refused}");
        }
    }

    #[test]
    fn the_second_of_two_equal_times_is_kept() {
        let (from, _) = begin_and_end(&arguments("2027-10-31T02:30+01:00", ""), &context()).unwrap();
        let begins = from.unwrap().begins(&context()).unwrap();
        assert_eq!(begins.to_string(), "2027-10-31T02:30:00+01:00[Europe/Paris]");
    }

    #[test]
    fn a_look_takes_both_ends_of_what_is_named() {
        let look = |json: &str| {
            let (from, until) = looked_at(&Arguments::parse(json).unwrap(), &context()).unwrap();
            let shown = |when: Option<When>, end: bool| {
                when.map_or_else(|| "-".to_owned(), |when| if end { when.end() } else { when.start() }.to_string())
            };
            format!("{} {}", shown(from, false), shown(until, true))
        };
        assert_eq!(look(r#"{"from":"next week"}"#), "2026-11-23T00:00:00 2026-11-30T00:00:00");
        assert_eq!(look(r#"{"from":"this morning","until":"Tuesday"}"#), "2026-11-21T06:00:00 2026-11-25T00:00:00");
        assert_eq!(look(r#"{"from":"Saturday"}"#), "2026-11-21T00:00:00 -");
        assert_eq!(look(r#"{"until":"end of month"}"#), "- 2026-12-01T00:00:00");
    }
}
