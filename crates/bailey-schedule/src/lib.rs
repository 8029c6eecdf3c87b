//! When a schedule of the person's is due. What they say, in English, German or French, as cron or as a rule of repetition, becomes one
//! of four forms; what is said back is made of the form, and so are the times. Beside it: what becomes of a time that passed while nobody
//! was there to keep it.
//!
//! Invariant of absence: the crate reads no clock and keeps nothing. The moment and the zone are parameters.

mod cron;
mod form;
mod grammar;
mod keeper;
mod late;
mod repeat;
mod vocabulary;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

pub use form::Form;
pub use keeper::{
    Decided, Kept, LATE_APART_MS, LONGEST_WAIT_MS, MAX_AN_HOUR, MAX_AT_ONCE, MAX_QUESTIONS, Outcome, Situation, Step,
    Wants, look,
};
pub use late::{Late, Overlap, PUNCTUAL_MS, Timing, timing};

/// Longest text that says when, in bytes.
pub const MAX_WHEN_BYTES: usize = 200;
/// Least time between two times of a schedule: what is wanted more often is a trigger.
pub const SHORTEST_MINUTES: i64 = 5;
/// How far ahead the first time may lie. What comes to nothing for so long is a mistake, such as 30 February.
pub const YEARS_AHEAD: i64 = 5;
/// Times that are held against [`SHORTEST_MINUTES`] when a schedule is made: every quarter hour of four days.
const CHECKED_TIMES: usize = 400;
/// Tokens that one run may take where nobody says otherwise: a quarter of what a task may.
pub const RUN_TOKENS: u64 = 100_000;
/// Tokens that the runs of thirty days may take where nobody says otherwise.
pub const MONTH_TOKENS: u64 = 3_000_000;
/// Times that are shown to the person.
pub const SHOWN_TIMES: usize = 5;
/// Times that are counted one by one where several passed.
pub const MAX_COUNTED: u32 = 1_000;

/// What somebody said about when, read.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// What it is.
    pub form: Form,
    /// The same in words: what it was understood as.
    pub told: String,
}

/// Reads when a schedule is due, said at a moment, in the zone of that moment: words, five fields of cron, or `RRULE`.
///
/// # Errors
/// In words for the person: what is not understood, or cannot be, and what to write instead.
///
/// ```
/// let now = "2026-11-30T18:00[Europe/Berlin]".parse().unwrap();
/// let when = bailey_schedule::read("jeden zweiten Dienstag um 9 Uhr", &now).unwrap();
/// assert_eq!(when.told, "every 2 weeks on Tuesday at 09:00, from 2026-12-01");
/// ```
pub fn read(said: &str, now: &Zoned) -> Result<When, String> {
    let said = said.trim();
    if said.is_empty() {
        return Err(format!("it does not say when; {EXAMPLES}"));
    }
    if said.len() > MAX_WHEN_BYTES {
        return Err(format!("when it is due is said in at most {MAX_WHEN_BYTES} bytes"));
    }
    let when = if cron::is_meant(said) {
        cron::read(said)?
    } else if repeat::is_meant(said) {
        repeat::read(said, now)?
    } else {
        grammar::read(said, now)?
    };
    check(&when.form, now)?;
    Ok(when)
}

/// What stands behind words that are not understood.
pub(crate) const EXAMPLES: &str = "write, say, `every weekday at 7.00`, `every second Tuesday at 9.00`, `last working day of the month at 16.00`, `every 2 hours`, `in 20 minutes`, or cron such as `0 7 * * 1-5`";

/// Reads when a schedule ends by itself: a moment, or a day, which counts to its end.
///
/// # Errors
/// In words for the person: what is not understood, or is over.
pub fn read_end(said: &str, now: &Zoned) -> Result<Timestamp, String> {
    use bailey_dates::When as Said;
    let day = match bailey_dates::read(said, &bailey_dates::Context::new(now.clone())) {
        Ok(Said::Moment(at)) => return Ok(at.timestamp()),
        Ok(Said::Day(day) | Said::Days(_, day)) => day,
        Ok(Said::Span(..) | Said::Length(_)) => return Err("it ends on a day, or at a moment; name one".into()),
        Err(unclear) => return Err(bailey_dates::asked_of_person(&unclear.to_string())),
    };
    let next = day.tomorrow().and_then(|day| day.to_zoned(now.time_zone().clone()));
    next.map(|next| next.timestamp()).map_err(|error| error.to_string())
}

/// Refuses what comes to nothing, and what comes too often.
fn check(form: &Form, now: &Zoned) -> Result<(), String> {
    let (mut at, zone) = (now.timestamp(), now.time_zone());
    let mut before: Option<Timestamp> = None;
    let counted = if form.steps().is_some() { 2 } else { CHECKED_TIMES };
    for _ in 0..counted {
        let Some(next) = form.next(at, zone) else { break };
        if before.is_some_and(|before| next.duration_since(before) < SignedDuration::from_mins(SHORTEST_MINUTES)) {
            return Err(format!("a schedule is due every {SHORTEST_MINUTES} minutes at most"));
        }
        (at, before) = (next, Some(next));
    }
    if before.is_some() {
        return Ok(());
    }
    Err(match form {
        Form::Once(_) => "that is over; name a time to come".into(),
        Form::Cron(_) | Form::Repeat(_) | Form::Steps { .. } => {
            format!("that does not come in the next {YEARS_AHEAD} years")
        }
    })
}

/// Returns the next times after a moment, at most so many.
#[must_use]
pub fn upcoming(form: &Form, after: Timestamp, zone: &TimeZone, most: usize) -> Vec<Zoned> {
    let mut at = after;
    std::iter::from_fn(|| {
        at = form.next(at, zone)?;
        Some(at.to_zoned(zone.clone()))
    })
    .take(most)
    .collect()
}

/// Times that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// The first of them.
    pub first: Timestamp,
    /// The last before the newest; nothing where only one passed.
    pub last_but_one: Option<Timestamp>,
    /// The newest.
    pub newest: Timestamp,
    /// How many before the newest, counted up to [`MAX_COUNTED`].
    pub before: u32,
}

/// Returns the times behind `after` that are not behind `now`; nothing where none are.
#[must_use]
pub fn passed(form: &Form, after: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<Passed> {
    let first = form.next(after, zone).filter(|first| *first <= now)?;
    let mut passed = Passed { first, last_but_one: None, newest: first, before: 0 };
    while let Some(next) = form.next(passed.newest, zone).filter(|next| *next <= now) {
        passed = Passed { last_but_one: Some(passed.newest), newest: next, before: passed.before + 1, ..passed };
        if passed.before == MAX_COUNTED {
            return Some(latest(form, passed, now, zone));
        }
    }
    Some(passed)
}

/// Looks for the newest times from the end, where there are too many to count.
fn latest(form: &Form, passed: Passed, now: Timestamp, zone: &TimeZone) -> Passed {
    for hours in [2, 48, 8 * 24, 64 * 24, 2 * 366 * 24] {
        let from = now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(passed.newest).max(passed.newest);
        let mut last: [Option<Timestamp>; 2] = [None, form.next(from, zone).filter(|next| *next <= now)];
        while let Some(next) = last[1].and_then(|at| form.next(at, zone)).filter(|next| *next <= now) {
            last = [last[1], Some(next)];
        }
        if let [Some(before), Some(newest)] = last {
            return Passed { last_but_one: Some(before), newest, ..passed };
        }
    }
    passed
}

/// Returns the IANA name of a zone, by which it is found again; nothing where it has none.
#[must_use]
pub fn zone_name(zone: &TimeZone) -> Option<String> {
    let named = zone.iana_name().filter(|name| TimeZone::get(name).is_ok_and(|other| other == *zone));
    named.map(str::to_owned).or_else(|| (*zone == TimeZone::UTC || zone.is_unknown()).then(|| "UTC".to_owned()))
}

/// Tells a moment as it is shown beside a schedule: weekday, day, time, and its distance from UTC.
#[must_use]
pub fn told(moment: &Zoned) -> String {
    bailey_dates::told(moment)
}
