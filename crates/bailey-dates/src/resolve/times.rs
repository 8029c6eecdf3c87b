//! What moments and spans are named: days, times of day, parts of a day and zones together.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{ToSpan as _, Zoned};

use super::days::{Stretch, days};
use super::{Readings, World, is_relative, out_of_range, plus};
use crate::clock::{Clock, Half};
use crate::grammar::{Day, Length, Slots, Zone};
use crate::words::Part;
use crate::{Language, Toward, Unclear, When};

/// Minutes of a day.
pub(super) const DAY: i32 = 24 * 60;

type Found = Result<Readings<When>, Unclear>;

fn not_together(what: &str) -> Unclear {
    Unclear::Contradiction(what.to_owned())
}

/// Hours of a part of a day, in minutes since its midnight.
fn hours(part: Part) -> (i32, i32) {
    match part {
        Part::Morning => (6 * 60, 12 * 60),
        Part::Forenoon => (9 * 60, 12 * 60),
        Part::Afternoon => (12 * 60, 18 * 60),
        Part::Evening => (18 * 60, 22 * 60),
        Part::Tonight => (18 * 60, DAY),
        Part::Night => (22 * 60, DAY + 6 * 60),
    }
}

/// Times of day a clock can mean, in minutes since the midnight its day begins with.
pub(super) fn minutes_of(clock: Clock, part: Option<Part>, language: Language) -> Result<Vec<i32>, Unclear> {
    let m = clock.minutes;
    // What is written with a colon in German and French is of 24 hours.
    let half =
        if clock.half == Half::Open && clock.colon && language != Language::English { Half::Day } else { clock.half };
    let twelve = m % (DAY / 2);
    let all = match half {
        Half::Midnight => vec![DAY],
        Half::Day => vec![m],
        Half::Am => vec![twelve],
        Half::Pm => vec![twelve + DAY / 2],
        Half::Open => match part {
            None if m >= 12 * 60 => vec![m],
            None if m >= 8 * 60 => vec![m],
            None => vec![m, m + DAY / 2],
            Some(Part::Morning | Part::Forenoon) => vec![m],
            Some(Part::Afternoon) => vec![twelve + DAY / 2],
            Some(Part::Evening | Part::Tonight) if twelve < 60 => vec![DAY + twelve],
            Some(Part::Tonight) if twelve < 5 * 60 => vec![DAY + twelve],
            Some(Part::Evening | Part::Tonight) => vec![twelve + DAY / 2],
            Some(Part::Night) if twelve >= 8 * 60 => vec![twelve + DAY / 2],
            // Friday at three in the night: the night before it, or the one after.
            Some(Part::Night) => vec![twelve, DAY + twelve],
        },
    };
    let fits = |minute: &i32| match part {
        None => true,
        Some(Part::Morning) => (3 * 60..=12 * 60 + 30).contains(minute) || *minute < 3 * 60 && half != Half::Pm,
        Some(Part::Forenoon) => (6 * 60..=12 * 60 + 30).contains(minute),
        Some(Part::Afternoon) => (12 * 60..=19 * 60).contains(minute),
        Some(Part::Evening | Part::Tonight) => (16 * 60..=DAY + 5 * 60).contains(minute),
        Some(Part::Night) => *minute >= 20 * 60 || *minute < 7 * 60,
    };
    let all: Vec<i32> = all.into_iter().filter(fits).collect();
    if all.is_empty() { Err(not_together("the time does not go with that part of the day")) } else { Ok(all) }
}

/// Zones in which a time may be meant.
fn zones(zone: Option<Zone>, world: &World<'_>) -> Result<Vec<TimeZone>, Unclear> {
    let named = |name: &str| {
        TimeZone::get(name).map_err(|_| Unclear::NoSuch(format!("this machine does not know the time zone {name}")))
    };
    let fixed = |minutes: i32| -> Result<TimeZone, Unclear> {
        Offset::from_seconds(minutes * 60).map(TimeZone::fixed).map_err(|_| out_of_range())
    };
    match zone {
        None => Ok(vec![world.cx.zone()]),
        Some(Zone::Offset(minutes)) => Ok(vec![fixed(minutes)?]),
        Some(Zone::Named(name)) => Ok(vec![named(name)?]),
        // MEZ in July: the clocks there show another; as written, or as the clocks there show.
        Some(Zone::Abbreviation(name, minutes)) => Ok(vec![fixed(minutes)?, named(name)?]),
        Some(Zone::Shared(all)) => all.iter().map(|(name, _)| named(name)).collect(),
    }
}

/// Returns the moments that a day and a minute of it are in a zone: two where clocks are set back. Where they are set forward,
/// the minute before and the one after the gap.
fn moments(date: Date, minute: i32, second: i8, zone: &TimeZone, world: &World<'_>) -> Found {
    let date = plus(date, minute.div_euclid(DAY))?;
    let minute = minute.rem_euclid(DAY);
    let (hour, minute) = (i8::try_from(minute / 60), i8::try_from(minute % 60));
    let time = Time::new(hour.unwrap_or(0), minute.unwrap_or(0), second, 0).map_err(|_| out_of_range())?;
    let civil = DateTime::from_parts(date, time);
    let there = zone.to_ambiguous_zoned(civil);
    let offset = there.offset();
    let home = |moment: Zoned| When::Moment(moment.with_time_zone(world.cx.zone()));
    if let AmbiguousOffset::Unambiguous { .. } = offset {
        return Ok(Readings::one(home(there.compatible().map_err(|_| out_of_range())?)));
    }
    let both = [there.clone().earlier(), there.later()];
    let mut out = Readings::default();
    for moment in both {
        out.meant.push(home(moment.map_err(|_| out_of_range())?));
    }
    let clock = time.strftime("%H:%M");
    out.why = Some(match offset {
        AmbiguousOffset::Gap { .. } => format!("there is no {clock} on {date}, when clocks are set forward"),
        AmbiguousOffset::Fold { .. } => format!("{clock} comes twice on {date}, when clocks are set back"),
        AmbiguousOffset::Unambiguous { .. } => String::new(),
    });
    Ok(out)
}

fn start_of(date: Date, world: &World<'_>) -> Result<Zoned, Unclear> {
    world.cx.zone().to_ambiguous_zoned(date.to_datetime(Time::midnight())).compatible().map_err(|_| out_of_range())
}

/// Tells where a time without a day stands.
fn bare_clock(slots: &Slots) -> Result<Option<Clock>, Unclear> {
    match (slots.clock, slots.bare) {
        (Some(clock), None) => Ok(Some(clock)),
        (None, Some(number)) => {
            let hour = i32::try_from(number).ok().filter(|hour| (0..=24).contains(hour));
            let named = slots.day.is_some() || slots.weekday.is_some() || slots.part.is_some();
            let hour = hour.filter(|_| named).ok_or_else(|| Unclear::Word(number.to_string()))?;
            let half = if (1..=12).contains(&hour) { Half::Open } else { Half::Day };
            Ok(Some(Clock { minutes: hour * 60, second: 0, half, colon: false }))
        }
        (Some(_), Some(number)) => Err(Unclear::Word(number.to_string())),
        (None, None) => Ok(None),
    }
}

/// Returns one point or stretch of time.
pub(super) fn point(slots: &Slots, world: &World<'_>) -> Found {
    let clock = bare_clock(slots)?;
    let found = days(slots, world)?;
    let Some(clock) = clock else {
        return without_clock(slots, found, world);
    };
    let mut out = clocked(slots, clock, found, world)?;
    if let Some(length) = &slots.length {
        let lasting = |when: &When| match when {
            When::Moment(begins) => lasting(begins, length).map(|ends| When::Span(begins.clone(), ends)),
            _ => Err(out_of_range()),
        };
        out.meant = out.meant.iter().map(lasting).collect::<Result<_, _>>()?;
        out.instead = out.instead.iter().map(lasting).collect::<Result<_, _>>()?;
    }
    Ok(out)
}

fn lasting(begins: &Zoned, length: &Length) -> Result<Zoned, Unclear> {
    let days = jiff::Span::new().try_months(length.months).and_then(|span| span.try_days(length.days));
    let there = days.and_then(|span| begins.checked_add(span)).map_err(|_| out_of_range())?;
    there.checked_add(length.minutes.minutes()).map_err(|_| out_of_range())
}

fn without_clock(slots: &Slots, found: Option<Readings<Stretch>>, world: &World<'_>) -> Found {
    if slots.zone.is_some() {
        return Err(not_together("a zone needs a time"));
    }
    let Some(part) = slots.part else {
        let found = found.unwrap_or_default();
        let whole = |stretch: Stretch| -> Result<When, Unclear> {
            match (stretch, &slots.length) {
                (Stretch::Days(first, last), None) if first == last => Ok(When::Day(first)),
                (Stretch::Days(first, last), None) => Ok(When::Days(first, last)),
                (Stretch::Exact(moment), None) => Ok(When::Moment(moment)),
                (Stretch::Span(begins, ends), None) => Ok(When::Span(begins, ends)),
                (Stretch::Exact(moment), Some(length)) => {
                    let ends = lasting(&moment, length)?;
                    Ok(When::Span(moment, ends))
                }
                (Stretch::Days(first, last), Some(length)) if first == last && length.minutes == 0 => {
                    let span = jiff::Span::new().try_months(length.months).map_err(|_| out_of_range())?;
                    let ends = plus(first.checked_add(span).map_err(|_| out_of_range())?, length.days - 1)?;
                    Ok(if ends <= first { When::Day(first) } else { When::Days(first, ends) })
                }
                (_, Some(_)) => Err(not_together("a length needs the time at which it begins")),
            }
        };
        return Ok(Readings {
            meant: found.meant.into_iter().map(whole).collect::<Result<_, _>>()?,
            instead: found.instead.into_iter().map(whole).collect::<Result<_, _>>()?,
            why: found.why,
        });
    };
    if slots.length.is_some() {
        return Err(not_together("a length needs the time at which it begins"));
    }
    let named = found.is_some();
    let mut found = found.unwrap_or_else(|| Readings::one(Stretch::day(world.today())));
    if !named {
        found.instead.push(Stretch::day(plus(world.today(), 1)?));
    }
    let (begins, ends) = hours(part);
    let zone = world.cx.zone();
    let of_day = |stretch: Stretch| -> Result<When, Unclear> {
        let Stretch::Days(first, last) = stretch else {
            return Err(not_together("a part of the day needs a day"));
        };
        if first != last {
            return Err(not_together("a part of the day needs one day"));
        }
        let at = |minute: i32| -> Result<Zoned, Unclear> {
            let date = plus(first, minute.div_euclid(DAY))?;
            let hour = i8::try_from(minute.rem_euclid(DAY) / 60).map_err(|_| out_of_range())?;
            let civil = date.at(hour, 0, 0, 0);
            zone.to_ambiguous_zoned(civil).compatible().map_err(|_| out_of_range())
        };
        Ok(When::Span(at(begins)?, at(ends)?))
    };
    Ok(Readings {
        meant: found.meant.into_iter().map(of_day).collect::<Result<_, _>>()?,
        instead: found.instead.into_iter().map(of_day).collect::<Result<_, _>>()?,
        why: found.why,
    })
}

fn clocked(slots: &Slots, clock: Clock, found: Option<Readings<Stretch>>, world: &World<'_>) -> Found {
    let named = found.is_some();
    let today = world.today();
    if clock.half == Half::Midnight {
        return midnight(slots, found, world);
    }
    let mut found = found.unwrap_or_else(|| Readings::one(Stretch::day(today)));
    if !named {
        found.instead.push(Stretch::day(plus(today, 1)?));
    }
    let minutes = minutes_of(clock, slots.part, world.language)?;
    let zones = zones(slots.zone, world)?;
    let mut out = Readings::<When> { why: found.why.clone(), ..Readings::default() };
    let of_day = |stretch: &Stretch| -> Found {
        let date = match stretch {
            Stretch::Days(first, last) if first == last => *first,
            Stretch::Days(..) => return Err(not_together("a time needs one day, not several")),
            Stretch::Exact(_) | Stretch::Span(..) => return Err(not_together("two times are named")),
        };
        let mut all = Readings::default();
        for zone in &zones {
            // Where it is another day there already, today and tomorrow are not clear.
            let there = world.cx.now.with_time_zone(zone.clone()).date();
            let elsewhere = slots.zone.is_some() && is_relative(slots) && there != today;
            let mut dates = vec![date];
            if elsewhere {
                dates.push(if there > today { plus(date, 1)? } else { plus(date, -1)? });
            }
            for date in dates {
                for minute in &minutes {
                    let found = moments(date, *minute, clock.second, zone, world)?;
                    all.meant.extend(found.meant);
                    all.why = all.why.or(found.why);
                }
            }
        }
        Ok(all)
    };
    for stretch in &found.meant {
        let mut all = of_day(stretch)?;
        // Of three in the night and three in the afternoon, the one that is still to come.
        if world.toward == Toward::Ahead && minutes.len() > 1 {
            let to_come = |when: &When| matches!(when, When::Moment(moment) if *moment >= world.cx.now);
            if all.meant.iter().any(to_come) {
                all.meant.retain(to_come);
            }
        }
        out.why = out.why.or(all.why);
        out.meant.extend(all.meant);
    }
    if world.toward == Toward::Ahead && clock.half == Half::Open && !named && slots.part.is_none() {
        // At nine, said at ten: this evening, perhaps.
        let evening = clock.minutes % (DAY / 2) + DAY / 2;
        out.instead.extend(moments(today, evening, 0, &world.cx.zone(), world)?.meant);
    }
    for stretch in &found.instead {
        out.instead.extend(of_day(stretch)?.meant);
    }
    Ok(out)
}

/// Midnight: the coming one; beside a day, the one it begins with or the one it ends with.
fn midnight(slots: &Slots, found: Option<Readings<Stretch>>, world: &World<'_>) -> Found {
    let home = slots.zone.is_none();
    let mut out = Readings::default();
    let zones = zones(slots.zone, world)?;
    let tonight = matches!(slots.day, None | Some(Day::Relative(0))) && slots.weekday.is_none();
    let days: Vec<Stretch> = match found {
        Some(found) => found.meant,
        None => vec![Stretch::day(world.today())],
    };
    for stretch in days {
        let Stretch::Days(first, last) = stretch else { return Err(not_together("two times are named")) };
        if first != last {
            return Err(not_together("a time needs one day, not several"));
        }
        for zone in &zones {
            if !tonight {
                out.meant.extend(moments(first, 0, 0, zone, world)?.meant);
            }
            out.meant.extend(moments(first, DAY, 0, zone, world)?.meant);
        }
    }
    if !tonight && home {
        out.why = Some("midnight begins a day and ends one".into());
    }
    Ok(out)
}

/// From one point to another.
pub(super) fn range(left: &Slots, right: &Slots, world: &World<'_>) -> Found {
    let (left, right) = completed(left, right)?;
    if left.length.is_some() || right.length.is_some() {
        return Err(not_together("an end and a length are named"));
    }
    let timed = |side: &Slots| side.clock.is_some() || side.part.is_some();
    if !timed(&left) && timed(&right) && right.day.is_none() && right.weekday.is_none() {
        return Err(not_together("an end is named, and no time at which it begins"));
    }
    let clocks = left.clock.is_some() || right.clock.is_some() || left.part.is_some() || right.part.is_some();
    let mut out = Readings::default();
    let begins = begins(&left, &right, world)?;
    out.why = begins.why.clone();
    for (source, target) in [(&begins.meant, &mut out.meant), (&begins.instead, &mut out.instead)] {
        for begin in source {
            target.extend(ends(begin, &right, clocks, world)?);
        }
    }
    // 2–4pm: of the spans an open beginning leaves, the shortest.
    let said = right.clock.is_some_and(|clock| matches!(clock.half, Half::Am | Half::Pm));
    if left.clock.is_some_and(|clock| clock.half == Half::Open)
        && said
        && right.day.is_none()
        && right.weekday.is_none()
    {
        let length = |when: &When| match when {
            When::Span(begins, ends) => ends.timestamp().as_second() - begins.timestamp().as_second(),
            _ => i64::MAX,
        };
        if let Some(least) = out.meant.iter().map(length).min() {
            out.meant.retain(|when| length(when) == least);
        }
    }
    if out.meant.is_empty() {
        return Err(not_together("the end is before the beginning"));
    }
    Ok(out)
}

/// Returns what one side leaves to the other.
fn completed(left: &Slots, right: &Slots) -> Result<(Slots, Slots), Unclear> {
    let (mut left, mut right) = (left.clone(), right.clone());
    let number = |slots: &Slots| slots.bare.and_then(|n| i8::try_from(n).ok()).filter(|n| (1..=31).contains(n));
    // 5–7 December, du 5 au 7 décembre, vom 5. bis 7. Dezember.
    let day = match left.day {
        Some(Day::OfMonth(day)) => Some(day),
        None if right.clock.is_none() => number(&left),
        _ => None,
    };
    match (day, right.day) {
        (Some(day), Some(Day::Dated { month, year, .. })) if left.clock.is_none() => {
            left.day = Some(Day::Dated { day, month, year });
            left.bare = None;
        }
        (Some(day), Some(Day::OfMonth(_))) if left.bare.is_some() => {
            left.day = Some(Day::OfMonth(day));
            left.bare = None;
        }
        _ => {}
    }
    if let (Some(Day::Dated { year: none @ None, .. }), Some(Day::Dated { year: Some(year), .. })) =
        (left.day.as_mut(), right.day)
    {
        *none = Some(year);
    }
    // December 5–7: the number on the right is a day, too.
    if let (Some(Day::Dated { month, year, .. }), Some(day)) = (left.day, number(&right))
        && left.clock.is_none()
        && right.day.is_none()
    {
        right.day = Some(Day::Dated { day, month, year });
        right.bare = None;
    }
    let named = [&left, &right].into_iter().any(|side| side.day.is_some() || side.weekday.is_some());
    let clocked = left.clock.is_some() || right.clock.is_some();
    for side in [&mut left, &mut right] {
        if let Some(bare) = side.bare {
            let hour = i32::try_from(bare).ok().filter(|hour| (0..=24).contains(hour) && (named || clocked));
            let hour = hour.ok_or_else(|| Unclear::Word(bare.to_string()))?;
            let half = if (1..=12).contains(&hour) { Half::Open } else { Half::Day };
            side.clock = Some(Clock { minutes: hour * 60, second: 0, half, colon: false });
            side.bare = None;
        }
    }
    if left.day.is_none() && left.weekday.is_none() && (left.clock.is_some() || left.part.is_some()) {
        (left.day, left.weekday) = (right.day, right.weekday);
        if left.day.is_some() || left.weekday.is_some() {
            (right.day, right.weekday) = (None, None);
        }
    }
    if left.clock.is_some() && right.clock.is_some() {
        let part = left.part.or(right.part);
        let open = |side: &Slots| side.clock.is_some_and(|clock| clock.half == Half::Open);
        if open(&left) {
            left.part = left.part.or(part);
        }
        if open(&right) && right.day.is_none() && right.weekday.is_none() {
            right.part = right.part.or(part);
        }
    }
    let zone = left.zone.or(right.zone);
    if left.clock.is_some() {
        left.zone = zone;
    }
    if right.clock.is_some() {
        right.zone = right.zone.or(zone);
    }
    Ok((left, right))
}

fn begins(left: &Slots, right: &Slots, world: &World<'_>) -> Found {
    let open = left.clock.filter(|clock| clock.half == Half::Open && left.part.is_none());
    let said = right.clock.is_some_and(|clock| matches!(clock.half, Half::Am | Half::Pm));
    if let Some(clock) = open.filter(|_| said && right.day.is_none() && right.weekday.is_none()) {
        // The end says which half of the day: both are tried.
        let mut out = Readings::default();
        for half in [Half::Am, Half::Pm] {
            let side = Slots { clock: Some(Clock { half, ..clock }), ..left.clone() };
            let found = point(&side, world)?;
            out.meant.extend(found.meant);
            out.instead.extend(found.instead);
            out.why = out.why.or(found.why);
        }
        return Ok(out);
    }
    point(left, world)
}

/// Returns the spans from a beginning to the end that the right side names.
fn ends(begin: &When, right: &Slots, clocks: bool, world: &World<'_>) -> Result<Vec<When>, Unclear> {
    let (from, first) = match begin {
        When::Moment(moment) | When::Span(moment, _) => (moment.clone(), moment.date()),
        When::Day(day) | When::Days(day, _) => (start_of(*day, world)?, *day),
        When::Length(_) => return Err(out_of_range()),
    };
    let toward = if world.toward == Toward::Back { Toward::Either } else { world.toward };
    let there = World { cx: world.cx, language: world.language, from: first, toward };
    let has_day = right.day.is_some() || right.weekday.is_some();
    let mut meant = Vec::new();
    if has_day {
        let found = point(right, &there)?;
        // A weekday of the same name, or a day said to be ahead of the beginning.
        meant.extend(found.meant);
        meant.extend(found.instead);
    } else if right.clock.is_some() || right.part.is_some() {
        for day in [first, plus(first, 1)?] {
            let side = Slots { day: Some(Day::Date(day)), ..right.clone() };
            let either = World { toward: Toward::Either, ..there };
            let mut side = match right.clock {
                // An end without a half of the day is the first one after the beginning.
                Some(clock) if clock.half == Half::Open && right.part.is_none() => {
                    let mut both = Vec::new();
                    for half in [Half::Am, Half::Pm] {
                        both.extend(
                            point(&Slots { clock: Some(Clock { half, ..clock }), ..side.clone() }, &either)?.meant,
                        );
                    }
                    both
                }
                // Midnight is the one that ends the day.
                Some(clock) if clock.half == Half::Midnight => moments(day, DAY, 0, &world.cx.zone(), &either)?.meant,
                _ => point(&side, &either)?.meant,
            };
            side.retain(|when| end_of(when, world).is_ok_and(|end| end > from));
            if !side.is_empty() {
                side.truncate(if right.part.is_none() { 1 } else { side.len() });
                meant = side;
                break;
            }
        }
    }
    let mut out = Vec::new();
    for end in meant {
        let ends = end_of(&end, world)?;
        let span = match (&end, begin) {
            (When::Day(last) | When::Days(_, last), When::Day(_) | When::Days(..)) if !clocks => {
                if *last < first {
                    continue;
                }
                if *last == first { When::Day(first) } else { When::Days(first, *last) }
            }
            _ if ends > from => When::Span(from.clone(), ends),
            _ => continue,
        };
        if !out.contains(&span) {
            out.push(span);
        }
    }
    // Of the ends a weekday may have, the first behind the beginning.
    if right.weekday.is_some() && right.day.is_none() {
        out.truncate(1);
    }
    Ok(out)
}

fn end_of(when: &When, world: &World<'_>) -> Result<Zoned, Unclear> {
    match when {
        When::Moment(moment) | When::Span(_, moment) => Ok(moment.clone()),
        When::Day(day) | When::Days(_, day) => start_of(plus(*day, 1)?, world),
        When::Length(_) => Err(out_of_range()),
    }
}
