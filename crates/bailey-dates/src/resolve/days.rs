//! What days are named.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::{ToSpan as _, Zoned};

use super::{Readings, World, out_of_range, plus};
use crate::grammar::{Day, Length, Period, Pick, Slots};
use crate::{Language, Order, Toward, Unclear, told_day};

/// A date without a year that is over by no more than this many days may be the one meant.
const RECENT_DAYS: i32 = 60;
/// The same, of a day of a month that is not named.
const RECENT_DAY_OF_MONTH: i32 = 7;

/// Days, or an exact stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stretch {
    /// The first and the last.
    Days(Date, Date),
    Exact(Zoned),
    Span(Zoned, Zoned),
}

impl Stretch {
    pub(crate) fn day(day: Date) -> Self {
        Self::Days(day, day)
    }
}

type Found = Result<Readings<Stretch>, Unclear>;

fn one(day: Date) -> Readings<Stretch> {
    Readings::one(Stretch::day(day))
}

/// Resolves weekday and day together; `None` where neither is named.
pub(crate) fn days(slots: &Slots, world: &World<'_>) -> Result<Option<Readings<Stretch>>, Unclear> {
    match (slots.weekday, slots.day) {
        (None, None) => Ok(None),
        (None, Some(day)) => world.day(day).map(Some),
        (Some((weekday, pick)), None) => world.weekday(weekday_of(weekday)?, pick).map(Some),
        (Some((weekday, pick)), Some(day)) => world.weekday_and(weekday_of(weekday)?, pick, day).map(Some),
    }
}

fn weekday_of(number: i8) -> Result<Weekday, Unclear> {
    Weekday::from_monday_one_offset(number).map_err(|_| out_of_range())
}

fn monday(day: Date) -> Result<Date, Unclear> {
    plus(day, -i32::from(day.weekday().to_monday_zero_offset()))
}

impl World<'_> {
    fn day(&self, day: Day) -> Found {
        match day {
            Day::Date(date) => Ok(one(date)),
            Day::Dated { day, month, year: Some(year) } => Ok(one(date(year, month, day)?)),
            Day::Dated { day, month, year: None } => self.yearless(month, day),
            Day::Either { a, b, year } => self.either(a, b, year),
            Day::OfMonth(day) => self.of_month(day),
            Day::InMonth(day, away) => {
                let of = |away: i32| -> Result<Date, Unclear> {
                    let (first, _) = self.month(away)?;
                    date(first.year(), first.month(), day)
                };
                let instead = if away == 0 { of(1).ok().map(Stretch::day).into_iter().collect() } else { Vec::new() };
                Ok(Readings { instead, ..one(of(away)?) })
            }
            Day::Relative(days) => Ok(one(plus(self.today(), days)?)),
            Day::Shift(length, sign) => self.shifted(&length, sign),
            Day::Period(period) => self.period(period),
            Day::Edge { end, period } => self.edge(end, period),
            Day::Nth { nth, weekday, period } => self.nth(nth, weekday_of(weekday)?, period),
            Day::Run { length, ahead } => self.run(&length, ahead),
            Day::Now => Ok(Readings::one(Stretch::Exact(self.cx.now.clone()))),
        }
    }

    /// Returns, of days that come again, those that are meant. `days` are in order; some are before today, some are not.
    fn of_rounds(&self, days: &[(Date, Date)], recent: i32) -> Readings<Stretch> {
        let stretch = |(first, last): &(Date, Date)| Stretch::Days(*first, *last);
        let before = days.iter().rev().find(|(first, _)| *first <= self.from);
        let next = days.iter().find(|(_, last)| *last >= self.from);
        match self.toward {
            Toward::Back => Readings::of(before.or(next).map(stretch).into_iter().collect()),
            Toward::Ahead | Toward::Either => {
                let just = days
                    .iter()
                    .rev()
                    .find(|(_, last)| *last < self.from && plus(*last, recent).is_ok_and(|until| until >= self.from));
                match just.filter(|_| next.is_none_or(|(first, _)| *first > self.from)) {
                    Some(just) => Readings {
                        meant: vec![stretch(just)],
                        instead: next.map(stretch).into_iter().collect(),
                        why: None,
                    },
                    None => Readings::of(next.map(stretch).into_iter().collect()),
                }
            }
        }
    }

    /// `5 December`: this year's, or the next.
    fn yearless(&self, month: i8, day: i8) -> Found {
        if !(1..=12).contains(&month) {
            return Err(Unclear::NoSuch(format!("there is no month {month}; a time is written as 15:30")));
        }
        let this = self.from.year();
        let years = [this - 1, this, this + 1];
        let days: Vec<(Date, Date)> =
            years.iter().filter_map(|year| Date::new(*year, month, day).ok()).map(|day| (day, day)).collect();
        if (month, day) == (2, 29) {
            return self.leap_day();
        }
        if days.is_empty() {
            let name = date(2000, month, 1)?.strftime("%B").to_string();
            return Err(Unclear::NoSuch(format!("there is no {day} {name}")));
        }
        // A day of last year is never just over in spring: only the wish for what was goes back that far.
        Ok(self.of_rounds(&days, RECENT_DAYS))
    }

    /// Returns the 29th of February, said without a year: clear only where the next February has one.
    fn leap_day(&self) -> Found {
        let year = self.from.year();
        let next = if self.from > date(year, 2, 28)? && self.from != Date::new(year, 2, 29).unwrap_or(Date::MIN) {
            year + 1
        } else {
            year
        };
        if let Ok(day) = Date::new(next, 2, 29) {
            return Ok(one(day));
        }
        let leap = (next..next + 9).find_map(|year| Date::new(year, 2, 29).ok()).ok_or_else(out_of_range)?;
        let near = [date(next, 2, 28)?, date(next, 3, 1)?, leap];
        let mut out = Readings::of(near.into_iter().map(Stretch::day).collect());
        out.why = Some(format!("there is no 29 February in {next}"));
        Ok(out)
    }

    /// `05/12/2026`: by the language, by what the person's way is, and else both.
    fn either(&self, a: u32, b: u32, year: Option<i16>) -> Found {
        let order = match self.language {
            Language::German | Language::French => Some(Order::DayFirst),
            Language::English => self.cx.order,
        };
        let read = |day: u32, month: u32| {
            let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
            match year {
                Some(year) => Date::new(year, month, day).ok().map(one),
                None if (1..=12).contains(&month) => self.yearless(month, day).ok(),
                None => None,
            }
        };
        let (day_first, month_first) = (read(a, b), read(b, a));
        match (day_first, month_first, order) {
            (Some(found), _, Some(Order::DayFirst)) | (_, Some(found), Some(Order::MonthFirst)) => Ok(found),
            (Some(found), None, _) | (None, Some(found), _) => Ok(found),
            (Some(mut one), Some(other), None) => {
                one.meant.extend(other.meant);
                one.instead.extend(other.instead);
                one.why = Some(format!("in {a}/{b} either may be the month"));
                Ok(one)
            }
            (None, None, _) => Err(Unclear::NoSuch(format!("there is no day {a}/{b}"))),
        }
    }

    /// `the 3rd`: of this month, or of the next that has one.
    fn of_month(&self, day: i8) -> Found {
        let first = self.from.first_of_month();
        let month = |away: i32| -> Option<(Date, Date)> {
            let month = first.checked_add(jiff::Span::new().try_months(away).ok()?).ok()?;
            Date::new(month.year(), month.month(), day).ok().map(|day| (day, day))
        };
        let days: Vec<(Date, Date)> = (-2..=2).filter_map(month).collect();
        if days.is_empty() {
            return Err(Unclear::NoSuch(format!("no month has a day {day}")));
        }
        Ok(self.of_rounds(&days, RECENT_DAY_OF_MONTH))
    }

    fn shifted(&self, length: &Length, sign: i8) -> Found {
        let by = |days: i32| -> Result<Date, Unclear> {
            let sign = i32::from(sign);
            let months = jiff::Span::new().try_months(length.months * sign).map_err(|_| out_of_range())?;
            plus(self.today().checked_add(months).map_err(|_| out_of_range())?, days * sign)
        };
        if length.minutes != 0 {
            let there = by(length.days)?;
            let begin = if there == self.today() {
                self.cx.now.clone()
            } else {
                there.to_datetime(self.cx.now.time()).to_zoned(self.cx.zone()).map_err(|_| out_of_range())?
            };
            let moved = begin.checked_add((length.minutes * i64::from(sign)).minutes()).map_err(|_| out_of_range())?;
            return Ok(Readings::one(Stretch::Exact(moved)));
        }
        let mut days = vec![by(length.days)?];
        let idiom = match self.language {
            Language::English => None,
            Language::German => length.idiom.filter(|days| *days == 7),
            Language::French => length.idiom,
        };
        if let Some(idiom) = idiom {
            days.push(by(idiom)?);
        }
        Ok(Readings::of(days.into_iter().map(Stretch::day).collect()))
    }

    fn run(&self, length: &Length, ahead: bool) -> Found {
        if length.minutes != 0 {
            let now = self.cx.now.clone();
            let other = now.checked_add((if ahead { length.minutes } else { -length.minutes }).minutes());
            let other = other.map_err(|_| out_of_range())?;
            return Ok(Readings::one(if ahead { Stretch::Span(now, other) } else { Stretch::Span(other, now) }));
        }
        let plain = Length { idiom: None, ..*length };
        let there = self.shifted(&plain, if ahead { 1 } else { -1 })?;
        let Some(Stretch::Days(there, _)) = there.meant.into_iter().next() else { return Err(out_of_range()) };
        let today = self.today();
        Ok(Readings::one(if ahead {
            Stretch::Days(today, plus(there, -1)?.max(today))
        } else {
            Stretch::Days(there, today)
        }))
    }

    fn week(&self, away: i32) -> Result<(Date, Date), Unclear> {
        let first = plus(monday(self.today())?, away.checked_mul(7).ok_or_else(out_of_range)?)?;
        Ok((first, plus(first, 6)?))
    }

    fn month(&self, away: i32) -> Result<(Date, Date), Unclear> {
        let span = jiff::Span::new().try_months(away).map_err(|_| out_of_range())?;
        let first = self.today().first_of_month().checked_add(span).map_err(|_| out_of_range())?;
        Ok((first, first.last_of_month()))
    }

    fn period(&self, period: Period) -> Found {
        let days = |(first, last)| Readings::one(Stretch::Days(first, last));
        match period {
            Period::Week(away) => self.week(away).map(days),
            Period::IsoWeek(week, Some(year)) => iso_week(year, week).map(days),
            Period::IsoWeek(week, None) => {
                let year = self.from.iso_week_date().year();
                let all: Vec<(Date, Date)> =
                    (year - 1..=year + 1).filter_map(|year| iso_week(year, week).ok()).collect();
                let found = self.of_rounds(&all, RECENT_DAYS);
                if found.meant.is_empty() {
                    Err(Unclear::NoSuch(format!("there is no week {week} near")))
                } else {
                    Ok(found)
                }
            }
            Period::Month(away) => self.month(away).map(days),
            Period::NamedMonth(month, Some(year)) => {
                let first = date(year, month, 1)?;
                Ok(days((first, first.last_of_month())))
            }
            Period::NamedMonth(month, None) => Ok(self.of_rounds(&self.months(month), RECENT_DAYS)),
            Period::NextMonthNamed(month, pick) => self.picked_month(month, pick),
            Period::Year(away) => {
                let year = i16::try_from(i32::from(self.today().year()) + away).map_err(|_| out_of_range())?;
                Ok(days((date(year, 1, 1)?, date(year, 12, 31)?)))
            }
            Period::NamedYear(year) => Ok(days((date(year, 1, 1)?, date(year, 12, 31)?))),
            Period::Weekend(pick) => self.weekend(pick),
        }
    }

    /// Returns the months of this name, of last year, this and next.
    fn months(&self, month: i8) -> Vec<(Date, Date)> {
        let year = self.from.year();
        let of = |year| Date::new(year, month, 1).ok().map(|first| (first, first.last_of_month()));
        (year - 1..=year + 1).filter_map(of).collect()
    }

    fn picked_month(&self, month: i8, pick: Pick) -> Found {
        let all = self.months(month);
        let after = all.iter().copied().filter(|(first, _)| *first > self.today());
        let next_year = all.iter().copied().filter(|(first, _)| first.year() == self.today().year() + 1);
        let before = all.iter().copied().rev().filter(|(_, last)| *last < self.today());
        let mut found: Vec<(Date, Date)> = match pick {
            Pick::Next => after.take(1).chain(next_year.take(1)).collect(),
            Pick::Coming => after.take(1).collect(),
            Pick::Last => before.take(1).collect(),
            Pick::This | Pick::Bare | Pick::Weeks(_) => {
                all.iter().copied().filter(|(first, _)| first.year() == self.today().year()).collect()
            }
        };
        found.dedup();
        Ok(Readings::of(found.into_iter().map(|(first, last)| Stretch::Days(first, last)).collect()))
    }

    fn weekend(&self, pick: Pick) -> Found {
        let of = |away: i32| -> Result<Stretch, Unclear> {
            let (_, sunday) = self.week(away)?;
            Ok(Stretch::Days(plus(sunday, -1)?, sunday))
        };
        let within = matches!(self.today().weekday(), Weekday::Saturday | Weekday::Sunday);
        Ok(Readings::of(match pick {
            Pick::Bare if self.toward == Toward::Back && !within => vec![of(-1)?],
            Pick::Bare | Pick::This => vec![of(0)?],
            Pick::Coming => vec![of(i32::from(within))?],
            Pick::Next if within => vec![of(1)?],
            Pick::Next => vec![of(0)?, of(1)?],
            Pick::Last => vec![of(-1)?],
            Pick::Weeks(weeks) => vec![of(weeks)?],
        }))
    }

    /// Returns the first or last day of a period; the end of a week is its Friday, or its Sunday.
    fn edge(&self, end: bool, period: Period) -> Found {
        let weeks = matches!(period, Period::Week(_) | Period::IsoWeek(..));
        let edges = |all: Vec<Stretch>| {
            all.into_iter().flat_map(|stretch| match stretch {
                Stretch::Days(first, _) if !end => vec![Stretch::day(first)],
                Stretch::Days(_, last) if weeks => plus(last, -2).into_iter().chain([last]).map(Stretch::day).collect(),
                Stretch::Days(_, last) => vec![Stretch::day(last)],
                other => vec![other],
            })
        };
        let found = self.period(period)?;
        let mut instead: Vec<Stretch> = edges(found.instead).collect();
        if let Period::Month(0) = period {
            instead.extend(edges(self.period(Period::Month(1))?.meant));
        }
        Ok(Readings { meant: edges(found.meant).collect(), instead, why: found.why })
    }

    fn nth(&self, nth: i8, weekday: Weekday, period: Period) -> Found {
        let months: Vec<(Date, Date)> = match period {
            Period::NamedMonth(month, None) => self.months(month),
            Period::Month(0) => vec![self.month(-1)?, self.month(0)?, self.month(1)?],
            other => self
                .period(other)?
                .meant
                .into_iter()
                .filter_map(|one| match one {
                    Stretch::Days(first, last) => Some((first, last)),
                    Stretch::Exact(_) | Stretch::Span(..) => None,
                })
                .collect(),
        };
        let days: Vec<(Date, Date)> = months
            .iter()
            .filter_map(|(first, _)| first.nth_weekday_of_month(nth, weekday).ok())
            .map(|day| (day, day))
            .collect();
        if days.is_empty() {
            return Err(Unclear::NoSuch(format!("this month has no weekday of that name a {nth}th time")));
        }
        match period {
            Period::NamedMonth(_, None) => Ok(self.of_rounds(&days, RECENT_DAYS)),
            // This month's, even where it is over; else the next month's may be meant.
            Period::Month(0) => {
                let this = |(day, _): &&(Date, Date)| day.first_of_month() == self.today().first_of_month();
                let next = days.iter().rev().find(|(day, _)| *day > self.today());
                let Some((this, _)) = days.iter().find(this) else {
                    return Err(Unclear::NoSuch("this month has no such weekday".into()));
                };
                let instead = next.map(|(day, _)| Stretch::day(*day)).into_iter().collect();
                Ok(Readings { meant: vec![Stretch::day(*this)], instead, why: None })
            }
            _ => Ok(Readings::of(days.into_iter().map(|(day, _)| Stretch::day(day)).collect())),
        }
    }

    fn weekday(&self, weekday: Weekday, pick: Pick) -> Found {
        let today = self.from;
        let ahead = i32::from(weekday.since(today.weekday()));
        let this_week = plus(monday(today)?, i32::from(weekday.to_monday_zero_offset()))?;
        let coming = plus(today, if ahead == 0 { 7 } else { ahead })?;
        let before = plus(today, ahead - 7)?;
        let all = |mut days: Vec<Date>| {
            days.dedup();
            Readings::of(days.into_iter().map(Stretch::day).collect())
        };
        Ok(match pick {
            Pick::Bare if ahead == 0 && today == self.today() => match self.toward {
                Toward::Ahead => all(vec![today, coming]),
                Toward::Back | Toward::Either => all(vec![today]),
            },
            Pick::Bare if self.toward == Toward::Back => all(vec![if ahead == 0 { today } else { before }]),
            Pick::Bare => all(vec![plus(today, ahead)?]),
            Pick::This => {
                let mut found = all(vec![this_week]);
                found.instead = vec![Stretch::day(coming)];
                found
            }
            Pick::Coming => all(vec![coming]),
            // The coming one, or the one of next week; said on that very weekday, in a week or in two.
            Pick::Next if ahead == 0 => all(vec![coming, plus(coming, 7)?]),
            Pick::Next => all(vec![coming, plus(this_week, 7)?]),
            Pick::Last if ahead == 0 => all(vec![before]),
            Pick::Last => all(vec![before, plus(this_week, -7)?]),
            Pick::Weeks(weeks) => {
                let on = if ahead == 0 { today } else { coming };
                all(vec![plus(on, weeks.checked_mul(7).ok_or_else(out_of_range)?)?])
            }
        })
    }

    /// Returns a weekday beside another day: within a week, or what has to agree.
    fn weekday_and(&self, weekday: Weekday, pick: Pick, day: Day) -> Found {
        let within = |first: Date| plus(first, i32::from(weekday.to_monday_zero_offset()));
        match day {
            Day::Period(period @ (Period::Week(_) | Period::IsoWeek(..))) if pick == Pick::Bare => {
                let found = self.period(period)?;
                let on = |stretch: &Stretch| match stretch {
                    Stretch::Days(first, _) => within(*first).ok().map(Stretch::day),
                    Stretch::Exact(_) | Stretch::Span(..) => None,
                };
                Ok(Readings {
                    meant: found.meant.iter().filter_map(on).collect(),
                    instead: found.instead.iter().filter_map(on).collect(),
                    why: None,
                })
            }
            // Friday in two weeks: counted from the coming Friday, or the Friday of that week.
            Day::Shift(length, 1) if length.months == 0 && length.minutes == 0 && pick == Pick::Bare => {
                let weeks = length.idiom.unwrap_or(length.days) / 7;
                let counted = self.weekday(weekday, Pick::Weeks(weeks))?;
                let of_week = Stretch::day(within(self.week(weeks)?.0)?);
                let mut meant = counted.meant;
                if !meant.contains(&of_week) {
                    meant.push(of_week);
                }
                Ok(Readings::of(meant))
            }
            other => self.agreeing(weekday, other),
        }
    }

    fn agreeing(&self, weekday: Weekday, day: Day) -> Found {
        let mut found = self.day(day)?;
        let named = found.meant.first().cloned();
        let agrees = |stretch: &Stretch| matches!(stretch, Stretch::Days(first, last) if first == last && first.weekday() == weekday);
        let instead: Vec<Stretch> = found.instead.iter().filter(|one| agrees(one)).cloned().collect();
        found.meant.retain(agrees);
        if found.meant.is_empty() {
            if !instead.is_empty() {
                return Ok(Readings::of(instead));
            }
            return Err(Unclear::Contradiction(match named {
                Some(Stretch::Days(day, _)) => format!("that weekday is not the day's: it is {}", told_day(day)),
                _ => "the weekday does not go with the rest".into(),
            }));
        }
        if found.meant.len() == 1 {
            found.why = None;
        }
        found.instead = instead;
        Ok(found)
    }
}

fn date(year: i16, month: i8, day: i8) -> Result<Date, Unclear> {
    Date::new(year, month, day).map_err(|_| Unclear::NoSuch(format!("there is no day {year}-{month:02}-{day:02}")))
}

fn iso_week(year: i16, week: u8) -> Result<(Date, Date), Unclear> {
    let none = || Unclear::NoSuch(format!("{year} has no week {week}"));
    let week = i8::try_from(week).map_err(|_| none())?;
    let first = ISOWeekDate::new(year, week, Weekday::Monday).map_err(|_| none())?.date();
    Ok((first, plus(first, 6)?))
}
