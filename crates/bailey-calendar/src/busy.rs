//! What is busy, what is free, and what is not known.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::event::{Event, Status};
use crate::stamp::instant;

/// Most spans of free time told at once.
pub const MAX_FREE: usize = 60;

/// Why an entry takes up no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Free {
    /// It says so (`TRANSP:TRANSPARENT`; RFC 5545, 3.8.2.7).
    Transparent,
    /// It was called off.
    Cancelled,
    /// The person declined.
    Declined,
}

/// Tells why an entry takes up no time of the person's; nothing where it does. `me` holds their addresses, lower case.
#[must_use]
pub fn is_free(event: &Event, me: &[String]) -> Option<Free> {
    if event.status == Status::Cancelled {
        return Some(Free::Cancelled);
    }
    if event.answer_of(me).is_some_and(|answer| answer == "DECLINED") {
        return Some(Free::Declined);
    }
    event.transparent.then_some(Free::Transparent)
}

/// A span of time.
pub type Span = (Timestamp, Timestamp);

/// The hours of a day that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// From.
    pub from: Time,
    /// Until; midnight is the end of the day.
    pub until: Time,
    /// Tells whether Saturday and Sunday are days like others.
    pub weekends: bool,
}

/// Lists the spans of at least a length, within a span and the hours of each day, that none of `busy` touches; at most [`MAX_FREE`].
#[must_use]
pub fn free(span: Span, hours: Hours, length: SignedDuration, busy: &[Span], home: &TimeZone) -> Vec<Span> {
    let mut busy = busy.to_vec();
    busy.sort_unstable();
    let (first, last) = (span.0.to_zoned(home.clone()).date(), span.1.to_zoned(home.clone()).date());
    let mut out = Vec::new();
    for day in first.series(1.day()).take_while(|day| *day <= last) {
        if !hours.weekends && matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            continue;
        }
        let ends = if hours.until <= hours.from {
            day.tomorrow().unwrap_or(day).to_datetime(hours.until)
        } else {
            day.to_datetime(hours.until)
        };
        let (mut at, end) = (instant(day.to_datetime(hours.from), home).max(span.0), instant(ends, home).min(span.1));
        let begins = at;
        for (from, until) in busy.iter().filter(|one| one.1 > begins && one.0 < end).copied().chain([(end, end)]) {
            if from.min(end).duration_since(at) >= length && from > at {
                out.push((at, from.min(end)));
            }
            at = at.max(until);
            if out.len() >= MAX_FREE {
                return out;
            }
        }
    }
    out
}
