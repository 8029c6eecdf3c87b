//! How an entry repeats (RFC 5545, 3.3.10), and the times that come of it, one after the other, on the clock of the entry.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::stamp::{Form, Stamp};

/// Days and times looked at for one rule: centuries of days, and a rule that comes to nothing costs no second.
const MAX_WORK: u64 = 200_000;
/// Most times of one year, month, week or day that a rule may come to.
const MAX_SET: usize = 100_000;
const DAY: i64 = 86_400;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Frequency {
    /// Each second.
    Secondly,
    /// Each minute.
    Minutely,
    /// Each hour.
    Hourly,
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
    /// Each month.
    Monthly,
    /// Each year.
    #[default]
    Yearly,
}

/// A day of the week, and which one of its month or year; 0 for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The day, from Monday (0).
    pub weekday: i64,
    /// The how manyth, from the end where it is negative.
    pub nth: i64,
}

/// A rule of repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// How often.
    pub frequency: Frequency,
    /// Each one (1), every other one (2), and so on.
    pub interval: u32,
    /// How many times in all.
    pub count: Option<u32>,
    /// The last moment it can come to.
    pub until: Option<Stamp>,
    /// Limits or adds seconds.
    pub by_second: Vec<i64>,
    /// Limits or adds minutes.
    pub by_minute: Vec<i64>,
    /// Limits or adds hours.
    pub by_hour: Vec<i64>,
    /// Limits or adds days of the week.
    pub by_day: Vec<Day>,
    /// Limits or adds days of the month.
    pub by_month_day: Vec<i64>,
    /// Limits or adds days of the year.
    pub by_year_day: Vec<i64>,
    /// Adds weeks of the year.
    pub by_week: Vec<i64>,
    /// Limits or adds months.
    pub by_month: Vec<i64>,
    /// Takes these of what a year, month, week or day comes to.
    pub by_position: Vec<i64>,
    /// The day a week begins with; Monday is 0.
    pub week_start: i64,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            frequency: Frequency::Yearly,
            interval: 1,
            count: None,
            until: None,
            by_second: Vec::new(),
            by_minute: Vec::new(),
            by_hour: Vec::new(),
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_year_day: Vec::new(),
            by_week: Vec::new(),
            by_month: Vec::new(),
            by_position: Vec::new(),
            week_start: 0,
        }
    }
}

impl Rule {
    /// Returns the rule with its end on a clock: an end in UTC is the time it is there.
    #[must_use]
    pub fn on_clock(mut self, clock: &TimeZone) -> Self {
        if let Some(until) = self.until.as_mut().filter(|until| until.form == Form::Utc) {
            let there = until.instant(clock).to_zoned(clock.clone()).datetime();
            *until = Stamp { at: there, form: Form::Floating };
        }
        self
    }

    /// Returns the rule with its end, where that is in UTC, on a clock this many seconds ahead.
    pub(crate) fn with_until_at(mut self, offset: i32) -> Self {
        if let Some(until) = self.until.as_mut().filter(|until| until.form == Form::Utc) {
            let there = from_civil_seconds(civil_seconds(until.at) + i64::from(offset)).unwrap_or(until.at);
            *until = Stamp { at: there, form: Form::Floating };
        }
        self
    }

    /// Returns the last second that it can come to, on the clock of the entry.
    fn last_second(&self) -> i64 {
        self.until.as_ref().map_or(i64::MAX, |until| civil_seconds(until.at) + if until.is_day() { DAY - 1 } else { 0 })
    }

    fn names_days(&self) -> bool {
        !(self.by_week.is_empty()
            && self.by_year_day.is_empty()
            && self.by_month_day.is_empty()
            && self.by_day.is_empty())
    }

    /// Returns the rule with what it leaves to the beginning: the day of the year, of the month or of the week.
    fn completed(mut self, start: i64) -> Self {
        let (_, month, day) = ymd(start.div_euclid(DAY));
        let weekday = Day { weekday: weekday_of(start.div_euclid(DAY)), nth: 0 };
        match self.frequency {
            Frequency::Yearly if !self.names_days() => {
                if self.by_month.is_empty() {
                    self.by_month = vec![month];
                }
                self.by_month_day = vec![day];
            }
            // A week alone means the day of the week it begins with.
            Frequency::Yearly
                if !self.by_week.is_empty()
                    && self.by_day.is_empty()
                    && self.by_month_day.is_empty()
                    && self.by_year_day.is_empty() =>
            {
                self.by_day = vec![weekday];
            }
            Frequency::Monthly if !self.names_days() => self.by_month_day = vec![day],
            Frequency::Weekly if !self.names_days() => self.by_day = vec![weekday],
            _ => {}
        }
        self
    }
}

/// The times a rule comes to, in order, on the clock of the entry.
#[derive(Debug, Clone)]
pub struct Walk {
    rule: Rule,
    start: i64,
    whole_days: bool,
    last: i64,
    period: i64,
    found: VecDeque<i64>,
    given: u32,
    work: u64,
    over: bool,
}

impl Walk {
    /// Begins at the beginning of an entry. Where the rule has no count, what lies before `from` is passed over.
    #[must_use]
    pub fn new(rule: &Rule, start: DateTime, whole_days: bool, from: Option<DateTime>) -> Self {
        let start = civil_seconds(start);
        let mut rule = rule.clone().completed(start);
        if whole_days {
            (rule.by_hour, rule.by_minute, rule.by_second) = (Vec::new(), Vec::new(), Vec::new());
        }
        let last = rule.last_second();
        let mut walk =
            Self { rule, start, whole_days, last, period: 0, found: VecDeque::new(), given: 0, work: 0, over: false };
        if let Some(from) = from.filter(|_| walk.rule.count.is_none()) {
            walk.period = walk.period_of(civil_seconds(from)).max(0);
        }
        walk
    }

    /// Tells whether it had to stop before its end, because the rule takes too much work.
    #[must_use]
    pub const fn gave_up(&self) -> bool {
        self.work > MAX_WORK
    }

    /// Returns the next time before a year; nothing once there is none.
    pub fn next_before(&mut self, year: i16) -> Option<DateTime> {
        self.next(DateTime::constant(year, 1, 1, 0, 0, 0, 0))
    }

    /// Returns the next time that is not after `stop`; nothing once there is none.
    pub fn next(&mut self, stop: DateTime) -> Option<DateTime> {
        let stop = civil_seconds(stop);
        loop {
            if self.over || self.rule.count.is_some_and(|count| self.given >= count) {
                return None;
            }
            if let Some(next) = self.found.front().copied() {
                if next > stop {
                    return None;
                }
                self.found.pop_front();
                self.given += 1;
                return from_civil_seconds(next);
            }
            if self.gave_up() || !self.fill(stop) {
                return None;
            }
        }
    }

    /// Finds the times of the next period that has some, if one begins before `stop`.
    fn fill(&mut self, stop: i64) -> bool {
        while self.found.is_empty() && self.work <= MAX_WORK {
            let Some(begins) = self.begins(self.period) else { return false };
            if begins > stop || begins > self.last {
                return false;
            }
            self.work += 1;
            let all = if self.rule.frequency >= Frequency::Daily { self.of_days() } else { self.of_times(begins) };
            let chosen = self.chosen(&all);
            self.found.extend(chosen.into_iter().filter(|one| *one >= self.start && *one <= self.last));
            self.period += 1;
        }
        !self.found.is_empty()
    }

    /// Returns the first second of a period; nothing beyond the years there are.
    fn begins(&self, period: i64) -> Option<i64> {
        let step = period.checked_mul(i64::from(self.rule.interval))?;
        let day = self.start.div_euclid(DAY);
        let (year, month, _) = ymd(day);
        let begins = match self.rule.frequency {
            Frequency::Yearly => days_of(year.checked_add(step)?, 1, 1)?.checked_mul(DAY)?,
            Frequency::Monthly => {
                let months = (year * 12 + month - 1).checked_add(step)?;
                days_of(months.div_euclid(12), months.rem_euclid(12) + 1, 1)?.checked_mul(DAY)?
            }
            Frequency::Weekly => {
                let week = day - (weekday_of(day) - self.rule.week_start).rem_euclid(7);
                week.checked_add(step.checked_mul(7)?)?.checked_mul(DAY)?
            }
            Frequency::Daily => day.checked_add(step)?.checked_mul(DAY)?,
            Frequency::Hourly => (self.start - self.start.rem_euclid(3_600)).checked_add(step.checked_mul(3_600)?)?,
            Frequency::Minutely => (self.start - self.start.rem_euclid(60)).checked_add(step.checked_mul(60)?)?,
            Frequency::Secondly => self.start.checked_add(step)?,
        };
        (begins < LAST_SECOND).then_some(begins)
    }

    /// Returns the period that holds a moment, or one before it.
    fn period_of(&self, moment: i64) -> i64 {
        let (day, there) = (self.start.div_euclid(DAY), moment.div_euclid(DAY));
        let ((year, month, _), (its_year, its_month, _)) = (ymd(day), ymd(there));
        let steps = match self.rule.frequency {
            Frequency::Yearly => its_year - year,
            Frequency::Monthly => (its_year - year) * 12 + its_month - month,
            Frequency::Weekly => (there - day).div_euclid(7) - 1,
            Frequency::Daily => there - day,
            Frequency::Hourly => (moment - self.start).div_euclid(3_600) - 1,
            Frequency::Minutely => (moment - self.start).div_euclid(60) - 1,
            Frequency::Secondly => moment - self.start,
        };
        steps.div_euclid(i64::from(self.rule.interval))
    }

    /// Returns the times of a period of whole days.
    fn of_days(&mut self) -> Vec<i64> {
        let (Some(from), Some(days)) = (self.begins(self.period), self.days()) else { return Vec::new() };
        let first = from.div_euclid(DAY);
        self.work += u64::try_from(days).unwrap_or(0);
        let days: Vec<i64> = (first..first + days).filter(|day| self.is_day(*day)).collect();
        let times = self.times();
        if days.len().saturating_mul(times.len()) > MAX_SET {
            self.work = MAX_WORK + 1;
            return Vec::new();
        }
        self.work += u64::try_from(days.len().saturating_mul(times.len())).unwrap_or(0);
        days.iter().flat_map(|day| times.iter().map(move |time| day * DAY + time)).collect()
    }

    /// Tells how many days a period has.
    fn days(&self) -> Option<i64> {
        let (year, month, _) = ymd(self.begins(self.period)?.div_euclid(DAY));
        Some(match self.rule.frequency {
            Frequency::Yearly => days_of(year + 1, 1, 1)? - days_of(year, 1, 1)?,
            Frequency::Monthly => days_in(year, month),
            Frequency::Weekly => 7,
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => 1,
        })
    }

    /// Returns the seconds of a day, for rules that count days.
    fn times(&self) -> Vec<i64> {
        if self.whole_days {
            return vec![0];
        }
        let time = self.start.rem_euclid(DAY);
        let or = |by: &Vec<i64>, of_start: i64| if by.is_empty() { vec![of_start] } else { by.clone() };
        let hours = or(&self.rule.by_hour, time / 3_600);
        let minutes = or(&self.rule.by_minute, time / 60 % 60);
        let seconds = leap(or(&self.rule.by_second, time % 60));
        if hours.len().saturating_mul(minutes.len()).saturating_mul(seconds.len()) > MAX_SET {
            return Vec::new();
        }
        let mut out = Vec::new();
        for hour in &hours {
            for minute in &minutes {
                out.extend(seconds.iter().map(|second| hour * 3_600 + minute * 60 + second));
            }
        }
        out
    }

    /// Returns the times of an hour, a minute or a second; where its day or hour does not fit, goes on to the next that may.
    fn of_times(&mut self, begins: i64) -> Vec<i64> {
        let (day, time) = (begins.div_euclid(DAY), begins.rem_euclid(DAY));
        let fits = |by: &Vec<i64>, value: i64| by.is_empty() || by.contains(&value);
        let unit = match self.rule.frequency {
            Frequency::Hourly => 3_600,
            Frequency::Minutely => 60,
            _ => 1,
        };
        let on_to = if !self.is_day(day) {
            Some((day + 1) * DAY)
        } else if !fits(&self.rule.by_hour, time / 3_600) {
            Some((begins.div_euclid(3_600) + 1) * 3_600)
        } else if unit < 3_600 && !fits(&self.rule.by_minute, time / 60 % 60) {
            Some((begins.div_euclid(60) + 1) * 60)
        } else if unit == 1 && !fits(&self.rule.by_second, time % 60) {
            Some(begins + 1)
        } else {
            None
        };
        if let Some(next) = on_to {
            let step = unit * i64::from(self.rule.interval);
            let aligned = (next - begins + step - 1).div_euclid(step);
            self.period += aligned.max(1) - 1;
            return Vec::new();
        }
        let or = |by: &Vec<i64>, of_start: i64| if by.is_empty() { vec![of_start] } else { by.clone() };
        let minutes =
            if unit == 3_600 { or(&self.rule.by_minute, self.start.div_euclid(60).rem_euclid(60)) } else { vec![0] };
        let seconds = if unit >= 60 { leap(or(&self.rule.by_second, self.start.rem_euclid(60))) } else { vec![0] };
        minutes.iter().flat_map(|minute| seconds.iter().map(move |second| begins + minute * 60 + second)).collect()
    }

    /// `BYSETPOS`, where there is one.
    fn chosen(&self, all: &[i64]) -> Vec<i64> {
        if self.rule.by_position.is_empty() {
            return all.to_vec();
        }
        let place = |position: &i64| {
            let at = if *position > 0 { position - 1 } else { i64::try_from(all.len()).unwrap_or(0) + position };
            usize::try_from(at).ok().and_then(|at| all.get(at).copied())
        };
        let mut chosen: Vec<i64> = self.rule.by_position.iter().filter_map(place).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// Tells whether a day fits all parts of the rule that are about days.
    fn is_day(&self, day: i64) -> bool {
        let rule = &self.rule;
        let (year, month, of_month) = ymd(day);
        let signed =
            |by: &Vec<i64>, value: i64, of: i64| by.is_empty() || by.contains(&value) || by.contains(&(value - of - 1));
        if !(rule.by_month.is_empty() || rule.by_month.contains(&month))
            || !signed(&rule.by_month_day, of_month, days_in(year, month))
        {
            return false;
        }
        let first = days_of(year, 1, 1).unwrap_or(day);
        let (of_year, in_year) = (day - first + 1, if is_leap(year) { 366 } else { 365 });
        if !signed(&rule.by_year_day, of_year, in_year) {
            return false;
        }
        if !rule.by_week.is_empty() {
            let (week, of) = week_of(day, rule.week_start);
            if !signed(&rule.by_week, week, of) {
                return false;
            }
        }
        let numbered = match rule.frequency {
            Frequency::Monthly => Some((of_month, days_in(year, month))),
            Frequency::Yearly if !rule.by_week.is_empty() => None,
            Frequency::Yearly if rule.by_month.is_empty() => Some((of_year, in_year)),
            Frequency::Yearly => Some((of_month, days_in(year, month))),
            _ => None,
        };
        let is = |wanted: &Day| {
            wanted.weekday == weekday_of(day)
                && match numbered.filter(|_| wanted.nth != 0) {
                    None => true,
                    Some((of, _)) if wanted.nth > 0 => (of - 1) / 7 + 1 == wanted.nth,
                    Some((of, all)) => (all - of) / 7 + 1 == -wanted.nth,
                }
        };
        rule.by_day.is_empty() || rule.by_day.iter().any(is)
    }
}

/// Returns a leap second is the last of its minute.
fn leap(mut seconds: Vec<i64>) -> Vec<i64> {
    seconds.iter_mut().for_each(|second| *second = (*second).min(59));
    seconds.dedup();
    seconds
}

/// The last second of the year 9999 on any clock, and a little less.
const LAST_SECOND: i64 = 253_402_200_000;

/// Seconds of a day and time, counted as if its clock never changed.
pub(crate) fn civil_seconds(at: DateTime) -> i64 {
    let days = days_of(i64::from(at.year()), i64::from(at.month()), i64::from(at.day())).unwrap_or(0);
    days * DAY + i64::from(at.hour()) * 3_600 + i64::from(at.minute()) * 60 + i64::from(at.second())
}

/// Returns the day and time that many seconds are.
pub(crate) fn from_civil_seconds(seconds: i64) -> Option<DateTime> {
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).datetime())
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Monday is 0.
const fn weekday_of(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms"); nothing beyond the years there are.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(-9_999..=10_000).contains(&year) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Year, month and day of that many days since 1970-01-01.
const fn ymd(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

/// Returns the week of its year that a day lies in, and how many weeks that year has (ISO 8601, with any day as the first of a
/// week).
fn week_of(day: i64, week_start: i64) -> (i64, i64) {
    let middle = |day: i64| day - (weekday_of(day) - week_start).rem_euclid(7) + 3;
    let number = |middle: i64| (middle - days_of(ymd(middle).0, 1, 1).unwrap_or(middle)) / 7 + 1;
    let this = middle(day);
    let last = days_of(ymd(this).0, 12, 28).unwrap_or(this);
    (number(this), number(middle(last)))
}
