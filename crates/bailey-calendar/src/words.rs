//! Moments and repetition as a person reads them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::event::Event;
use crate::rule::{Day, Frequency, Rule};
use crate::stamp::Stamp;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes a moment on a clock: `Tuesday 2026-11-24 15:00 +01:00`.
#[must_use]
pub fn moment(moment: Timestamp, clock: &TimeZone) -> String {
    moment.to_zoned(clock.clone()).strftime("%A %Y-%m-%d %H:%M %:z").to_string()
}

/// Writes a day: `Tuesday 2026-11-24`.
#[must_use]
pub fn day(stamp: &Stamp) -> String {
    stamp.at.strftime("%A %Y-%m-%d").to_string()
}

/// Says how an entry repeats; nothing where it does not.
#[must_use]
pub fn repeats(event: &Event) -> Option<String> {
    let mut all: Vec<String> = event.rules.iter().map(rule).collect();
    if !event.also.is_empty() {
        all.push(format!("{} more times", event.also.len()));
    }
    if let Some(fault) = event.faults.iter().find(|fault| fault.contains("repeats")) {
        all.push(fault.clone());
    }
    (!all.is_empty()).then(|| all.join(", and "))
}

fn list(items: &[String]) -> String {
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

fn nth(n: i64) -> String {
    let ending = match (n.abs() % 10, n.abs() % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    match n {
        -1 => "last".into(),
        n if n < 0 => format!("{}{ending} from the end", -n),
        n => format!("{n}{ending}"),
    }
}

fn named(day: &Day) -> String {
    let name = usize::try_from(day.weekday).ok().and_then(|at| DAYS.get(at)).copied().unwrap_or_default();
    if day.nth == 0 { name.to_owned() } else { format!("the {} {name}", nth(day.nth)) }
}

fn rule(rule: &Rule) -> String {
    let unit = match rule.frequency {
        Frequency::Secondly => "second",
        Frequency::Minutely => "minute",
        Frequency::Hourly => "hour",
        Frequency::Daily => "day",
        Frequency::Weekly => "week",
        Frequency::Monthly => "month",
        Frequency::Yearly => "year",
    };
    let mut out = if rule.interval == 1 { format!("every {unit}") } else { format!("every {} {unit}s", rule.interval) };
    let mut part = |word: &str, items: Vec<String>| {
        if !items.is_empty() {
            out.push_str(&format!(" {word} {}", list(&items)));
        }
    };
    part("on", rule.by_day.iter().map(named).collect());
    part("on the", rule.by_month_day.iter().map(|day| nth(*day)).collect());
    part("on day", rule.by_year_day.iter().map(ToString::to_string).collect());
    part("in week", rule.by_week.iter().map(ToString::to_string).collect());
    let month = |month: &i64| usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).map(ToString::to_string);
    part("in", rule.by_month.iter().filter_map(month).collect());
    part("at hour", rule.by_hour.iter().map(ToString::to_string).collect());
    part("at minute", rule.by_minute.iter().map(ToString::to_string).collect());
    part("at second", rule.by_second.iter().map(ToString::to_string).collect());
    part("of these the", rule.by_position.iter().map(|position| nth(*position)).collect());
    if let Some(count) = rule.count {
        out.push_str(&format!(", {count} times"));
    }
    if let Some(until) = &rule.until {
        out.push_str(&format!(", until {}", day(until)));
    }
    out
}
