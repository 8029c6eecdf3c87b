//! Rules of repetition as they are written (RFC 5545, 3.3.10).

use crate::rule::{Day, Frequency, Rule};
use crate::stamp::Stamp;

/// Most values of one part: every second of a minute, every day of a year either way.
const MAX_VALUES: usize = 800;

impl Rule {
    /// Reads a rule; parts of other programs' own (`X-…`) are passed over.
    ///
    /// # Errors
    /// What part cannot be read, in words. A rule half understood would give wrong days.
    pub fn read(value: &str) -> Result<Self, String> {
        let mut rule = Self::default();
        let mut frequency = None;
        for part in value.trim().trim_end_matches(';').split(';') {
            let Some((name, value)) = part.split_once('=') else {
                return Err(format!("`{}` is no part of a rule", short(part)));
            };
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            let bad = || format!("`{}={}`", short(&name), short(&value));
            match name.as_str() {
                "FREQ" => frequency = Some(Frequency::read(&value).ok_or_else(bad)?),
                "INTERVAL" => rule.interval = value.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?,
                "COUNT" => rule.count = Some(value.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?),
                "UNTIL" => rule.until = Some(Stamp::read(&value, None).ok_or_else(bad)?),
                "WKST" => rule.week_start = weekday(&value).ok_or_else(bad)?,
                "BYSECOND" => rule.by_second = numbers(&value, 0, 60).ok_or_else(bad)?,
                "BYMINUTE" => rule.by_minute = numbers(&value, 0, 59).ok_or_else(bad)?,
                "BYHOUR" => rule.by_hour = numbers(&value, 0, 23).ok_or_else(bad)?,
                "BYDAY" => rule.by_day = days(&value).ok_or_else(bad)?,
                "BYMONTHDAY" => rule.by_month_day = signed(&value, 31).ok_or_else(bad)?,
                "BYYEARDAY" => rule.by_year_day = signed(&value, 366).ok_or_else(bad)?,
                "BYWEEKNO" => rule.by_week = signed(&value, 53).ok_or_else(bad)?,
                "BYMONTH" => rule.by_month = numbers(&value, 1, 12).ok_or_else(bad)?,
                "BYSETPOS" => rule.by_position = signed(&value, 366).ok_or_else(bad)?,
                "RSCALE" if value == "GREGORIAN" => {}
                "SKIP" if value == "OMIT" => {}
                own if own.starts_with("X-") => {}
                _ => return Err(bad()),
            }
        }
        rule.frequency = frequency.ok_or("it does not say how often")?;
        Ok(rule)
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Frequency {
    fn read(value: &str) -> Option<Self> {
        Some(match value {
            "SECONDLY" => Self::Secondly,
            "MINUTELY" => Self::Minutely,
            "HOURLY" => Self::Hourly,
            "DAILY" => Self::Daily,
            "WEEKLY" => Self::Weekly,
            "MONTHLY" => Self::Monthly,
            "YEARLY" => Self::Yearly,
            _ => return None,
        })
    }
}

fn list<T: Ord>(value: &str, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut all = value.split(',').map(|text| one(text.trim())).collect::<Option<Vec<_>>>()?;
    all.sort_unstable();
    all.dedup();
    (!all.is_empty() && all.len() <= MAX_VALUES).then_some(all)
}

fn numbers(value: &str, least: i64, most: i64) -> Option<Vec<i64>> {
    list(value, |text| text.parse().ok().filter(|n| (least..=most).contains(n)))
}

fn signed(value: &str, most: i64) -> Option<Vec<i64>> {
    list(value, |text| text.parse().ok().filter(|n: &i64| *n != 0 && n.abs() <= most))
}

fn days(value: &str) -> Option<Vec<Day>> {
    list(value, |text| {
        let (number, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let nth = if number.is_empty() { 0 } else { number.parse().ok().filter(|n: &i64| *n != 0 && n.abs() <= 53)? };
        Some(Day { weekday: weekday(name)?, nth })
    })
}

/// Monday is 0.
fn weekday(name: &str) -> Option<i64> {
    let all = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    all.iter().position(|day| *day == name).and_then(|at| i64::try_from(at).ok())
}
