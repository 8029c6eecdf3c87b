//! Moments as people read them: weekday, date, time and zone, always in that order.

use std::fmt;

use jiff::Zoned;
use jiff::civil::Date;

use crate::{Unclear, When};

/// Tells a moment in its own zone: `Saturday 2026-12-05 09:00 CET (UTC+01:00)`.
#[must_use]
pub fn told(moment: &Zoned) -> String {
    let seconds = if moment.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    format!("{} {}", moment.strftime(&format!("%A %Y-%m-%d {seconds}")), zone(moment))
}

/// Tells a day: `Saturday 2026-12-05`.
#[must_use]
pub fn told_day(day: Date) -> String {
    day.strftime("%A %Y-%m-%d").to_string()
}

/// Tells a span: the day once where both ends are on it.
#[must_use]
pub fn told_span(begins: &Zoned, ends: &Zoned) -> String {
    if begins.date() == ends.date() && begins.offset() == ends.offset() {
        return format!("{} to {} {}", begins.strftime("%A %Y-%m-%d %H:%M"), ends.strftime("%H:%M"), zone(ends));
    }
    format!("{} to {}", told(begins), told(ends))
}

/// `CET (UTC+01:00)`; the distance alone where the zone has no letters.
fn zone(moment: &Zoned) -> String {
    let seconds = moment.offset().seconds();
    let distance = if seconds == 0 {
        "UTC".to_owned()
    } else {
        let minutes = seconds.unsigned_abs() / 60;
        format!("UTC{}{:02}:{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    };
    let name = moment.strftime("%Z").to_string();
    if name == distance || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        distance
    } else {
        format!("{name} ({distance})")
    }
}

impl When {
    /// Tells it as a person reads it.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Moment(moment) => told(moment),
            Self::Day(day) => told_day(*day),
            Self::Days(first, last) => format!("{} to {}", told_day(*first), told_day(*last)),
            Self::Span(begins, ends) => told_span(begins, ends),
            Self::Length(minutes) => told_length(*minutes),
        }
    }

    /// Writes it so that it reads back as this and nothing else.
    #[must_use]
    pub fn exact(&self) -> String {
        let moment = |moment: &Zoned| moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        match self {
            Self::Moment(one) => moment(one),
            Self::Day(day) => day.to_string(),
            Self::Days(first, last) => format!("{first} to {last}"),
            Self::Span(begins, ends) => format!("{} to {}", moment(begins), moment(ends)),
            Self::Length(minutes) => format!("{minutes} minutes"),
        }
    }
}

fn told_length(minutes: i64) -> String {
    let of = |count: i64, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    match (minutes / 60, minutes % 60) {
        (0, minutes) => of(minutes, "minute"),
        (hours, 0) => of(hours, "hour"),
        (hours, minutes) => format!("{} and {}", of(hours, "hour"), of(minutes, "minute")),
    }
}

/// How a question to a model ends: what it has to ask the person.
pub const ASK_WHICH: &str = "ask the person which";
/// The same, where no reading is left.
pub const ASK_WHEN: &str = "ask the person which date and time is meant";

/// Turns a question that was put to a model into one to the person.
#[must_use]
pub fn asked_of_person(question: &str) -> String {
    question.replace(ASK_WHEN, "which date and time do you mean?").replace(ASK_WHICH, "which do you mean?")
}

/// Readings in a row, each with how to write it.
fn choices(readings: &[When]) -> String {
    let one = |when: &When| format!("{} (write `{}`)", when.told(), when.exact());
    readings.iter().map(one).collect::<Vec<_>>().join(", or ")
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no date is named; write one like `5 December 2026 at 15:00`"),
            Self::TooLong => f.write_str("it is too long for a date; write only when, like `5 December 2026 at 15:00`"),
            Self::Word(word) => write!(
                f,
                "`{word}` is not understood as part of a date or time; write one like `5 December 2026 at 15:00`, or `2026-12-05T15:00`"
            ),
            Self::Mixed => f.write_str(
                "its words are of several languages; write the date in one of them, or like `2026-12-05T15:00`",
            ),
            Self::NoSuch(why) | Self::Contradiction(why) => {
                write!(f, "{why}; {ASK_WHEN}")
            }
            Self::Ambiguous { why, readings } => {
                if let Some(why) = why {
                    write!(f, "{why}; ")?;
                }
                write!(f, "it can mean {}; {ASK_WHICH}", choices(readings))
            }
            Self::Past { was, instead } => {
                write!(f, "{} is past", was.told())?;
                if !instead.is_empty() {
                    write!(f, "; perhaps {} is meant", choices(instead))?;
                }
                write!(f, "; {ASK_WHEN}")
            }
        }
    }
}

impl std::error::Error for Unclear {}
