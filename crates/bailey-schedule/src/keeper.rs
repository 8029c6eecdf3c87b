//! What becomes of each time of a schedule. Every time that comes has exactly one outcome, whatever happened meanwhile: the home was down,
//! paused, busy, or somebody set its clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::late::{Late, Overlap, PUNCTUAL_MS, Timing, timing};
use crate::{Form, passed};

/// Most runs that nobody waits for at once: the person's own tasks need room.
pub const MAX_AT_ONCE: usize = 2;
/// Most such runs that begin within an hour, of all schedules together.
pub const MAX_AN_HOUR: usize = 30;
/// Least time between two runs that are made up for, in milliseconds, so that a machine that wakes up does not begin all of them at once.
pub const LATE_APART_MS: i64 = 30_000;
/// Questions of one schedule that may wait for the person; with more, its next times are skipped.
pub const MAX_QUESTIONS: usize = 3;
/// Longest that a time waits for room, in milliseconds: twelve hours.
pub const LONGEST_WAIT_MS: i64 = 12 * 3_600 * 1_000;

macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What became of a time.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Outcome {
            $($(#[$doc])* $variant),+
        }

        impl Outcome {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Reads a stable name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

outcomes! {
    /// A run began on time.
    Ran = "ran",
    /// One began late.
    RanLate = "ran-late",
    /// The person began one.
    ByHand = "by-hand",
    /// A later time was made up for, and this one with it.
    Coalesced = "coalesced",
    /// It passed while the home was down or asleep.
    Missed = "missed",
    /// It passed while everything was paused.
    MissedPaused = "missed-paused",
    /// The last run was still at work.
    SkippedRunning = "skipped-running",
    /// Too many questions of the schedule wait for the person.
    SkippedQuestions = "skipped-questions",
    /// Something it needs was not there.
    NotRun = "not-run",
}

impl Outcome {
    /// Tells whether a run began.
    #[must_use]
    pub const fn has_run(self) -> bool {
        matches!(self, Self::Ran | Self::RanLate | Self::ByHand)
    }
}

/// How far a schedule has come, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The newest time that was dealt with, or when the schedule was made; milliseconds since 1970-01-01T00:00Z, as all here.
    pub watermark_ms: i64,
    /// A time that waits for room.
    pub queued_ms: Option<i64>,
}

/// What a schedule wants.
#[derive(Debug, Clone, Copy)]
pub struct Wants<'a> {
    /// When it is due.
    pub form: &'a Form,
    /// In which zone.
    pub zone: &'a TimeZone,
    /// What of times that passed.
    pub late: Late,
    /// What where its last run is still at work.
    pub overlap: Overlap,
}

/// How things stand when it is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Situation {
    /// The wall time.
    pub now_ms: i64,
    /// Everything is paused, or was since it was looked at last.
    pub paused: bool,
    /// The last run is still at work; one that waits for the person is not.
    pub at_work: bool,
    /// How many questions of its runs wait for the person.
    pub questions: usize,
    /// There is no room for a run now.
    pub full: bool,
    /// There is no room for one that is made up for.
    pub full_for_late: bool,
    /// Something a run needs is not there.
    pub barred: bool,
}

/// Times that had an outcome without a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// The first of them.
    pub first_ms: i64,
    /// The last.
    pub last_ms: i64,
    /// How many, up to [`crate::MAX_COUNTED`] and one.
    pub count: u32,
    /// What became of them.
    pub outcome: Outcome,
}

impl Decided {
    const fn one(at_ms: i64, outcome: Outcome) -> Self {
        Self { first_ms: at_ms, last_ms: at_ms, count: 1, outcome }
    }
}

/// What one look comes to. All of it is kept in one commit, with the run it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How far the schedule has come then.
    pub kept: Kept,
    /// Times that have their outcome now.
    pub decided: Vec<Decided>,
    /// A run to begin, for which time, and how that is called.
    pub begins: Option<(i64, Outcome)>,
}

/// Looks at a schedule; nothing where nothing is due.
#[must_use]
pub fn look(wants: Wants<'_>, kept: Kept, situation: &Situation) -> Option<Step> {
    let now = Timestamp::from_millisecond(situation.now_ms).ok()?;
    let after = Timestamp::from_millisecond(kept.watermark_ms).ok()?;
    let passed = passed(wants.form, after, now, wants.zone);
    let mut step = Step { kept, decided: Vec::new(), begins: None };
    let ms = Timestamp::as_millisecond;
    if situation.paused {
        step.decided.extend(step.kept.queued_ms.take().map(|at| Decided::one(at, Outcome::MissedPaused)));
        if let Some(passed) = passed {
            step.kept.watermark_ms = ms(passed.newest);
            step.decided.push(Decided {
                first_ms: ms(passed.first),
                last_ms: ms(passed.newest),
                count: passed.before + 1,
                outcome: Outcome::MissedPaused,
            });
        }
        return (!step.decided.is_empty()).then_some(step);
    }
    let Some(passed) = passed else {
        let queued = kept.queued_ms?;
        if situation.at_work || situation.full {
            return None;
        }
        step.kept.queued_ms = None;
        let delay = situation.now_ms.saturating_sub(queued);
        if delay > LONGEST_WAIT_MS {
            step.decided.push(Decided::one(queued, Outcome::Missed));
        } else if delay > PUNCTUAL_MS && situation.full_for_late {
            return None;
        } else {
            step.begin(queued, if delay > PUNCTUAL_MS { Outcome::RanLate } else { Outcome::Ran }, situation);
        }
        return Some(step);
    };
    let newest = ms(passed.newest);
    let timing = timing(wants.form, passed.newest, now, wants.zone, wants.late);
    // What waited for room gives way to the newer one.
    if let Some(queued) = step.kept.queued_ms.take() {
        let outcome = if situation.at_work { Outcome::SkippedRunning } else { Outcome::Coalesced };
        step.decided.push(Decided::one(queued, outcome));
    }
    if let Some(last) = passed.last_but_one {
        let outcome = if timing == Timing::Missed { Outcome::Missed } else { Outcome::Coalesced };
        step.decided.push(Decided { first_ms: ms(passed.first), last_ms: ms(last), count: passed.before, outcome });
    }
    step.kept.watermark_ms = newest;
    match timing {
        Timing::Missed => step.decided.push(Decided::one(newest, Outcome::Missed)),
        Timing::OnTime | Timing::Late if situation.at_work => match wants.overlap {
            Overlap::Skip => step.decided.push(Decided::one(newest, Outcome::SkippedRunning)),
            Overlap::QueueOne => step.kept.queued_ms = Some(newest),
        },
        Timing::OnTime if situation.full => step.kept.queued_ms = Some(newest),
        Timing::Late if situation.full || situation.full_for_late => step.kept.queued_ms = Some(newest),
        Timing::OnTime => step.begin(newest, Outcome::Ran, situation),
        Timing::Late => step.begin(newest, Outcome::RanLate, situation),
    }
    Some(step)
}

impl Step {
    /// Begins a run, where nothing of the schedule's own stands against it.
    fn begin(&mut self, at_ms: i64, outcome: Outcome, situation: &Situation) {
        if situation.questions >= MAX_QUESTIONS {
            self.decided.push(Decided::one(at_ms, Outcome::SkippedQuestions));
        } else if situation.barred {
            self.decided.push(Decided::one(at_ms, Outcome::NotRun));
        } else {
            self.begins = Some((at_ms, outcome));
        }
    }
}
