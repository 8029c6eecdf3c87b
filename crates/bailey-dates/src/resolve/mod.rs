//! From the parts of a phrase to what they mean, said at a moment. All readings are kept until the end.

mod days;
mod times;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, Zoned};

use crate::grammar::{Day, Length, Phrase, Slots};
use crate::{Context, Language, MAX_READINGS, Toward, Unclear, When};

/// Readings, and what may be meant instead where one is over.
#[derive(Debug, Clone)]
pub(crate) struct Readings<T> {
    pub(crate) meant: Vec<T>,
    pub(crate) instead: Vec<T>,
    pub(crate) why: Option<String>,
}

impl<T> Default for Readings<T> {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl<T> Readings<T> {
    pub(crate) fn one(value: T) -> Self {
        Self::of(vec![value])
    }

    pub(crate) fn of(meant: Vec<T>) -> Self {
        Self { meant, instead: Vec::new(), why: None }
    }
}

/// What phrases are read against.
pub(crate) struct World<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) language: Language,
    /// The day that names without a year or a week count from.
    pub(crate) from: Date,
    pub(crate) toward: Toward,
}

impl World<'_> {
    pub(crate) fn today(&self) -> Date {
        self.cx.now.date()
    }
}

pub(crate) fn out_of_range() -> Unclear {
    Unclear::NoSuch("this is too far away".into())
}

/// Adds days.
pub(crate) fn plus(date: Date, days: i32) -> Result<Date, Unclear> {
    let span = jiff::Span::new().try_days(days).map_err(|_| out_of_range())?;
    date.checked_add(span).map_err(|_| out_of_range())
}

/// Reads what is written exactly, as machines do: ISO 8601 with a time, with or without a distance from UTC.
pub(crate) fn exact(phrase: &str, cx: &Context) -> Option<When> {
    // A bracket may name a zone (RFC 9557), which has to agree with the distance.
    if let Ok(zoned) = phrase.parse::<Zoned>() {
        return Some(When::Moment(zoned.with_time_zone(cx.zone())));
    }
    if let Ok(moment) = phrase.parse::<Timestamp>() {
        return Some(When::Moment(moment.to_zoned(cx.zone())));
    }
    // Basic form: what calendars write (RFC 5545, 3.3.4 and 3.3.5).
    if phrase.len() == 15 && phrase.is_ascii() {
        let civil = DateTime::strptime("%Y%m%dT%H%M%S", phrase).ok()?;
        let zoned = cx.zone().into_ambiguous_zoned(civil);
        return (!zoned.is_ambiguous()).then(|| zoned.compatible().ok().map(When::Moment))?;
    }
    if phrase.len() == 8 && phrase.bytes().all(|byte| byte.is_ascii_digit()) {
        return Date::strptime("%Y%m%d", phrase).ok().map(When::Day);
    }
    None
}

/// Resolves what the tokens can be.
pub(crate) fn resolve(phrases: &[Phrase], language: Language, cx: &Context) -> Result<When, Unclear> {
    let world = World { cx, language, from: cx.now.date(), toward: cx.toward };
    let mut all = Readings::default();
    let mut fault = None;
    for phrase in phrases {
        let found = match phrase {
            Phrase::Length(length) => Ok(Readings::one(When::Length(whole_minutes(length)))),
            Phrase::Point(slots) => times::point(slots, &world),
            Phrase::Range(left, right) => times::range(left, right, &world),
            Phrase::Until(slots) => until(slots, &world),
            Phrase::Since(slots) => since(slots, &world),
        };
        match found {
            Ok(found) => {
                all.meant.extend(found.meant);
                all.instead.extend(found.instead);
                all.why = all.why.or(found.why);
            }
            // What one way of reading makes no sense of, another may.
            Err(unclear) => fault = fault.or(Some(unclear)),
        }
    }
    if let Some(fault) = fault.filter(|_| all.meant.is_empty()) {
        return Err(fault);
    }
    verdict(all.meant, all.instead, all.why, cx)
}

fn whole_minutes(length: &Length) -> i64 {
    // Days and weeks as they are on most days; months as thirty.
    length.minutes.saturating_add(i64::from(length.days) * 1_440).saturating_add(i64::from(length.months) * 43_200)
}

fn until(slots: &Slots, world: &World<'_>) -> Result<Readings<When>, Unclear> {
    let found = times::point(slots, world)?;
    let now = || world.cx.now.clone();
    let up_to = |when: &When| {
        Some(match when {
            When::Day(day) => When::Days(world.today().min(*day), *day),
            When::Days(_, last) => When::Days(world.today().min(*last), *last),
            When::Moment(moment) => When::Span(now().min(moment.clone()), moment.clone()),
            When::Span(_, ends) => When::Span(now().min(ends.clone()), ends.clone()),
            When::Length(_) => return None,
        })
    };
    Ok(Readings {
        meant: found.meant.iter().filter_map(up_to).collect(),
        instead: found.instead.iter().filter_map(up_to).collect(),
        why: found.why,
    })
}

fn since(slots: &Slots, world: &World<'_>) -> Result<Readings<When>, Unclear> {
    let world = World { toward: Toward::Back, cx: world.cx, language: world.language, from: world.from };
    // `seit zwei Wochen`, `depuis 3 jours`: since that long ago.
    let found = times::point(slots, &world)?;
    let up_to_now = |when: &When| {
        Some(match when {
            When::Day(day) | When::Days(day, _) => When::Days(*day, world.today().max(*day)),
            When::Moment(moment) | When::Span(moment, _) => {
                When::Span(moment.clone(), world.cx.now.clone().max(moment.clone()))
            }
            When::Length(_) => return None,
        })
    };
    Ok(Readings::of(found.meant.iter().filter_map(up_to_now).collect()))
}

impl When {
    /// Tells when it ends, for putting readings in order: seconds, or days as seconds.
    fn end_second(&self) -> i64 {
        match self {
            Self::Moment(moment) | Self::Span(_, moment) => moment.timestamp().as_second(),
            Self::Day(day) | Self::Days(_, day) => {
                day.to_zoned(jiff::tz::TimeZone::UTC).map_or(i64::MAX, |day| day.timestamp().as_second())
            }
            Self::Length(minutes) => *minutes,
        }
    }

    /// Tells whether it is over.
    fn is_over(&self, now: &Zoned) -> bool {
        match self {
            Self::Moment(moment) => moment < now,
            Self::Day(day) | Self::Days(_, day) => *day < now.date(),
            Self::Span(_, ends) => ends <= now,
            Self::Length(_) => false,
        }
    }
}

/// Returns one meaning, or why there is none.
pub(crate) fn verdict(
    meant: Vec<When>,
    instead: Vec<When>,
    why: Option<String>,
    cx: &Context,
) -> Result<When, Unclear> {
    let mut readings: Vec<When> = Vec::new();
    for one in meant {
        if !readings.contains(&one) {
            readings.push(one);
        }
    }
    if cx.toward == Toward::Ahead {
        let (over, ahead): (Vec<When>, Vec<When>) = readings.iter().cloned().partition(|one| one.is_over(&cx.now));
        // Where one reading is over and another is not, both are told.
        if ahead.is_empty()
            && let Some(was) = over.into_iter().max_by_key(When::end_second)
        {
            let mut all: Vec<When> = Vec::new();
            for one in instead {
                if !all.contains(&one) && !one.is_over(&cx.now) {
                    all.push(one);
                }
            }
            all.truncate(MAX_READINGS);
            return Err(Unclear::Past { was, instead: all });
        }
    }
    readings.truncate(MAX_READINGS);
    match readings.len() {
        0 => Err(Unclear::Empty),
        1 => readings.into_iter().next().ok_or(Unclear::Empty),
        _ => Err(Unclear::Ambiguous { why, readings }),
    }
}

/// Returns the time of day that is all a phrase says, in minutes since midnight.
pub(crate) fn time_alone(slots: &Slots, language: Language) -> Option<u16> {
    let alone = Slots { clock: slots.clock, part: slots.part, ..Slots::default() };
    let clock = slots.clock.filter(|clock| alone == *slots && clock.second == 0)?;
    if clock.half == crate::clock::Half::Open && slots.part.is_none() {
        // Where hours are of twenty-four, one below twelve is said as it is meant.
        return if language == Language::English { None } else { u16::try_from(clock.minutes).ok() };
    }
    match times::minutes_of(clock, slots.part, language).ok()?.as_slice() {
        [minute] => u16::try_from(minute % times::DAY).ok(),
        _ => None,
    }
}

/// Tells whether a day changes with the day it is said on.
pub(crate) fn is_relative(slots: &Slots) -> bool {
    let dated =
        matches!(slots.day, Some(Day::Date(_) | Day::Dated { year: Some(_), .. } | Day::Either { year: Some(_), .. }));
    !dated
}
