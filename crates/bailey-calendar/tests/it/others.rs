//! Rules held against two other implementations: python-dateutil and libical. Without them the test fails and says so.

use bailey_calendar::rule::{Frequency, Rule, Walk};
use fastrand::Rng;
use jiff::civil::DateTime;

/// Times compared of each rule.
const TIMES: usize = 14;

/// How many rules; `BAILEY_CASES=10000` for all of what is claimed.
fn cases() -> u64 {
    std::env::var("BAILEY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(600)
}

fn some<T: ToString>(rng: &mut Rng, all: &[T], most: usize) -> String {
    let mut chosen: Vec<usize> = (0..rng.usize(1..=most)).map(|_| rng.usize(..all.len())).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen.into_iter().map(|at| all[at].to_string()).collect::<Vec<_>>().join(",")
}

/// A rule of the standard's grammar, and what a part may stand with (RFC 5545, 3.3.10).
fn rule(rng: &mut Rng) -> String {
    let frequency = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"][rng.usize(..6)];
    let mut parts = vec![format!("FREQ={frequency}")];
    let often = matches!(frequency, "HOURLY" | "MINUTELY");
    let mut chance = |one_in: usize| rng.usize(..one_in) == 0;
    let (interval, month, day, month_day, year_day, week, hour, minute, position, start, count) = (
        chance(2),
        chance(3),
        chance(2),
        chance(3),
        chance(8),
        chance(8),
        chance(4),
        chance(6),
        chance(4),
        chance(3),
        chance(2),
    );
    if interval {
        parts.push(format!("INTERVAL={}", rng.usize(1..if often { 40 } else { 5 })));
    }
    // Neither library skips ahead in rules of hours and minutes, so these have no parts of months and years.
    if month && !often {
        parts.push(format!("BYMONTH={}", some(rng, &(1..=12).collect::<Vec<_>>(), 4)));
    }
    let week = week && frequency == "YEARLY";
    if week {
        parts.push(format!("BYWEEKNO={}", some(rng, &[-53, -1, 1, 2, 20, 52, 53], 3)));
    }
    if year_day && frequency == "YEARLY" {
        parts.push(format!("BYYEARDAY={}", some(rng, &[-366, -100, -1, 1, 59, 60, 61, 200, 365, 366], 4)));
    }
    if month_day && frequency != "WEEKLY" && !often {
        parts.push(format!("BYMONTHDAY={}", some(rng, &[-31, -5, -1, 1, 13, 15, 28, 29, 30, 31], 4)));
    }
    if day || week {
        let plain = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
        let numbered = ["1MO", "-1FR", "2TU", "5WE", "-2SU", "3TH"];
        let may = matches!(frequency, "YEARLY" | "MONTHLY") && !week && rng.bool();
        parts.push(format!("BYDAY={}", if may { some(rng, &numbered, 3) } else { some(rng, &plain, 4) }));
    }
    if hour {
        parts.push(format!("BYHOUR={}", some(rng, &[0, 6, 9, 12, 23], 3)));
    }
    if minute {
        parts.push(format!("BYMINUTE={}", some(rng, &[0, 15, 30, 59], 3)));
    }
    if position && parts.len() > 2 && !often {
        parts.push(format!("BYSETPOS={}", some(rng, &[-3, -1, 1, 2, 5], 2)));
    }
    if start {
        parts.push(format!("WKST={}", some(rng, &["MO", "SU", "SA", "TH"], 1)));
    }
    parts.push(if count { format!("COUNT={}", rng.usize(1..20)) } else { "UNTIL=END".into() });
    parts.join(";")
}

/// Says why libical 3.0 differs from the standard where it does and dateutil does not. Found by reading where they differ, against the
/// table of RFC 5545, 3.3.10, by which a part that names a unit larger than the frequency limits, and one of a smaller adds.
fn explained(rule: &Rule) -> Option<&'static str> {
    let days = !(rule.by_day.is_empty()
        && rule.by_month_day.is_empty()
        && rule.by_year_day.is_empty()
        && rule.by_month.is_empty());
    let negative = rule.by_month_day.iter().any(|day| *day < 0);
    Some(match rule.frequency {
        Frequency::Secondly | Frequency::Minutely | Frequency::Hourly => {
            "it takes limiting parts of hours and minutes for further times"
        }
        _ if !rule.by_position.is_empty() => "it counts positions within another span than the period",
        Frequency::Daily if days => "it takes limiting days for days of the whole month",
        Frequency::Weekly if rule.interval > 1 => {
            "it counts weeks from the first day that fits, and not from the week of the start"
        }
        Frequency::Yearly if !rule.by_week.is_empty() => "it loses weeks that lie in two years",
        Frequency::Yearly if !rule.by_year_day.is_empty() => "it does not limit days of the year by months",
        Frequency::Yearly if !rule.by_month_day.is_empty() && rule.by_month.is_empty() => {
            "it takes days of the month for those of one month"
        }
        Frequency::Monthly | Frequency::Yearly if negative => "it goes on into the next month where one has fewer days",
        Frequency::Monthly | Frequency::Yearly if !rule.by_day.is_empty() && !rule.by_month_day.is_empty() => {
            "it loses days of the week that are limited by days of the month"
        }
        _ => return None,
    })
}

/// Says why dateutil differs, likewise.
fn explained_of_dateutil(rule: &Rule) -> Option<&'static str> {
    if !rule.by_week.is_empty() {
        return Some("dateutil: it miscounts the days of a week that lie in the next year");
    }
    let weekly = rule.frequency == Frequency::Weekly && !rule.by_position.is_empty();
    weekly.then_some(
        "dateutil: it counts the positions of the first week from the start, and not from the week's first day",
    )
}

#[test]
fn rules_come_to_what_two_other_implementations_make_of_them() {
    let mut rng = Rng::with_seed(20_261_129);
    let mut lines = Vec::new();
    for _ in 0..cases() {
        let start = format!(
            "20{:02}{:02}{:02}T{:02}{:02}00",
            rng.usize(0..30),
            rng.usize(1..13),
            rng.usize(1..29),
            rng.usize(0..24),
            [0, 15, 30][rng.usize(..3)]
        );
        let last = start.get(..4).and_then(|year| year.parse::<u32>().ok()).unwrap() + 3;
        lines.push((start, rule(&mut rng).replace("END", &format!("{last}1231T235959"))));
    }
    let input: String = lines.iter().map(|(start, rule)| format!("{start}\t{TIMES}\t{rule}\n")).collect();
    let output = xtask::servers::recurrences(&input).unwrap();
    let (mut differs, mut reasons) = (Vec::new(), std::collections::BTreeMap::new());
    for ((start, text), answers) in lines.iter().zip(output.lines()) {
        let (dateutil, libical) = answers.split_once('\t').unwrap();
        let at = DateTime::strptime("%Y%m%dT%H%M%S", start).unwrap();
        let rule = Rule::read(text).unwrap();
        let mut walk = Walk::new(&rule, at, false, None);
        let stop = DateTime::constant(at.year() + 3, 12, 31, 23, 59, 59, 0);
        let ours =
            std::iter::from_fn(|| walk.next(stop)).take(TIMES).map(|at| at.strftime("%Y%m%dT%H%M%S").to_string());
        let ours = ours.collect::<Vec<_>>().join(",");
        // `-` stands for a rule that dateutil knows to come to nothing.
        let last = (stop.year() + 1).to_string();
        let within = |times: &str| {
            times.split(',').filter(|time| **time != *"-" && **time < *last).collect::<Vec<_>>().join(",")
        };
        let (dateutil, libical) = (within(dateutil), within(libical));
        if dateutil != ours && explained_of_dateutil(&rule).is_none() {
            differs.push(format!("{start} {text}\n  ours     {ours}\n  dateutil {dateutil}"));
        }
        if dateutil != ours
            && let Some(reason) = explained_of_dateutil(&rule)
        {
            *reasons.entry(reason).or_insert(0_usize) += 1;
        }
        if libical != ours {
            match explained(&rule) {
                Some(reason) => *reasons.entry(reason).or_insert(0_usize) += 1,
                None => differs.push(format!("{start} {text}\n  ours    {ours}\n  libical {libical}")),
            }
        }
    }
    println!("{} rules; where the others differ: {reasons:#?}", lines.len());
    assert_eq!(output.lines().count(), lines.len());
    assert!(
        differs.is_empty(),
        "{} differ:\n{}",
        differs.len(),
        differs.iter().take(30).cloned().collect::<Vec<_>>().join("\n")
    );
}
