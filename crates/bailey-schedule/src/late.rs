//! What becomes of a time that passed while the home was down, asleep or busy.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::Form;

/// What begins within so much of its time is on time, in milliseconds.
pub const PUNCTUAL_MS: i64 = 60_000;
/// Least distance of two times that are a day apart: clocks take an hour of one, and some zones two.
const DAY_OR_MORE: SignedDuration = SignedDuration::from_hours(22);

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Reads a stable name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

named! {
    /// What a schedule wants of a time that passed.
    Late {
        /// The latest is made up for on the same day, or where the next is still far.
        #[default]
        Usual = "usual",
        /// Nothing is made up for.
        Never = "never",
        /// The latest is made up for, however late.
        AlwaysOnce = "always-once",
    }
}

named! {
    /// What a schedule wants where its last run is still at work.
    Overlap {
        /// The time is skipped.
        #[default]
        Skip = "skip",
        /// One waits until the run has ended.
        QueueOne = "queue-one",
    }
}

/// What a time that passed is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// It begins on time.
    OnTime,
    /// It is made up for.
    Late,
    /// It is not.
    Missed,
}

/// Tells what becomes of a time that is due, the newest of those that passed.
#[must_use]
pub fn timing(form: &Form, due: Timestamp, now: Timestamp, zone: &TimeZone, late: Late) -> Timing {
    let delay = now.duration_since(due);
    if delay <= SignedDuration::from_millis(PUNCTUAL_MS) {
        return Timing::OnTime;
    }
    let made_up = match late {
        Late::Never => false,
        Late::AlwaysOnce => true,
        Late::Usual => {
            let same_day = due.to_zoned(zone.clone()).date() == now.to_zoned(zone.clone()).date();
            match form.next(due, zone) {
                Some(next) if next.duration_since(due) < DAY_OR_MORE => next.duration_since(now) >= delay,
                Some(_) | None => same_day,
            }
        }
    };
    if made_up { Timing::Late } else { Timing::Missed }
}
