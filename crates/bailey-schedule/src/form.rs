//! What a schedule is due by: one moment, cron, a rule of repetition on the clock of a zone, or steps of elapsed time.

use std::fmt;

use bailey_calendar::rule::{Rule, Walk};
use croner::Cron;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::{YEARS_AHEAD, cron};

/// How a schedule repeats on the clock of its zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// As it is written (RFC 5545, 3.3.10).
    pub(crate) text: String,
    pub(crate) rule: Rule,
    /// The day and time it counts from.
    pub(crate) start: DateTime,
}

/// What a schedule is due by. Its text ([`fmt::Display`]) reads back with [`Form::parse`].
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// One moment.
    Once(Timestamp),
    /// Five fields of cron.
    Cron(Box<Cron>),
    /// A rule of repetition.
    Repeat(Box<Repeat>),
    /// Every so many minutes from a moment on, whatever clocks say meanwhile.
    Steps {
        /// How many.
        minutes: u32,
        /// From when on.
        from: Timestamp,
    },
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once(at) => write!(f, "once {at}"),
            Self::Cron(cron) => write!(f, "cron {}", cron.as_str()),
            Self::Repeat(repeat) => write!(f, "rrule {} {}", repeat.start, repeat.text),
            Self::Steps { minutes, from } => write!(f, "steps {minutes} {from}"),
        }
    }
}

impl Form {
    /// Reads the text of a form; nothing where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once(' ')?;
        match name {
            "once" => rest.parse().ok().map(Self::Once),
            "cron" => cron::parse(rest).ok().map(|cron| Self::Cron(Box::new(cron))),
            "rrule" => {
                let (start, text) = rest.split_once(' ')?;
                Self::repeat(text, start.parse().ok()?).ok()
            }
            "steps" => {
                let (minutes, from) = rest.split_once(' ')?;
                let minutes = minutes.parse().ok().filter(|minutes| *minutes > 0)?;
                Some(Self::Steps { minutes, from: from.parse().ok()? })
            }
            _ => None,
        }
    }

    /// Makes one of a rule and the time it counts from.
    pub(crate) fn repeat(text: &str, start: DateTime) -> Result<Self, String> {
        let rule = Rule::read(text)?;
        Ok(Self::Repeat(Box::new(Repeat { text: text.to_owned(), rule, start })))
    }

    /// Returns its steps in minutes, where it goes by elapsed time.
    #[must_use]
    pub const fn steps(&self) -> Option<u32> {
        match self {
            Self::Steps { minutes, .. } => Some(*minutes),
            Self::Once(_) | Self::Cron(_) | Self::Repeat(_) => None,
        }
    }

    /// Returns the next time after a moment, in a zone; nothing where none comes in [`YEARS_AHEAD`] years.
    ///
    /// An hour that is left out when clocks go forward counts as its end; of one that comes twice, the first counts, unless it is cron of an
    /// interval, which keeps to both.
    #[must_use]
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let end = after.checked_add(SignedDuration::from_hours(YEARS_AHEAD * 366 * 24)).ok()?;
        match self {
            Self::Once(at) => Some(*at).filter(|at| *at > after),
            Self::Cron(cron) => cron
                .find_next_occurrence(&after.to_zoned(zone.clone()), false)
                .ok()
                .map(|next| next.timestamp())
                .filter(|next| *next > after && *next <= end),
            Self::Repeat(repeat) => repeat.next(after, end, zone),
            Self::Steps { minutes, from } => {
                let step = i64::from(*minutes) * 60_000;
                let gone = after.as_millisecond().checked_sub(from.as_millisecond())?;
                let n = gone.div_euclid(step).checked_add(1)?.max(1);
                Timestamp::from_millisecond(from.as_millisecond().checked_add(n.checked_mul(step)?)?).ok()
            }
        }
    }
}

impl Repeat {
    fn next(&self, after: Timestamp, end: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let rule = self.rule.clone().on_clock(zone);
        // A day before, so that nothing is passed over that clocks moved.
        let from = after.to_zoned(zone.clone()).datetime().checked_sub(1.day()).ok()?;
        let stop = end.to_zoned(zone.clone()).datetime();
        let mut walk = Walk::new(&rule, self.start, false, Some(from));
        std::iter::from_fn(|| walk.next(stop)).filter_map(|at| moment(at, zone)).find(|at| *at > after)
    }
}

/// Returns the moment of a time on a clock: where it is left out, the end of the gap; where it comes twice, the first.
pub(crate) fn moment(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        AmbiguousOffset::Gap { .. } => {
            let behind = ambiguous.later().ok()?;
            let behind = behind.checked_add(SignedDuration::from_secs(1)).ok()?;
            Some(zone.preceding(behind).next()?.timestamp())
        }
    }
}
