//! Schedules, what needs attention, and the digest, as the home's interface tells of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProofBody;

/// An account that a schedule may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleAccount {
    /// The connection.
    pub connection: String,
    /// Up to which level: `read-only`, `draft`, `send`, `full`.
    pub level: String,
}

/// A schedule as somebody says it: what is left out is as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleDraft {
    /// The schedule that is changed; nothing for a new one.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// When it is due: in words, as cron, or as a rule of repetition.
    #[serde(default)]
    pub when: String,
    /// The words of its tasks.
    #[serde(default)]
    pub words: String,
    /// An IANA time zone; the person's own where nothing is said.
    #[serde(default)]
    pub zone: Option<String>,
    /// What of times that passed: `usual`, `never`, `always-once`.
    #[serde(default)]
    pub late: Option<String>,
    /// What where its last run is at work: `skip`, `queue-one`.
    #[serde(default)]
    pub overlap: Option<String>,
    /// The accounts it may use; all there are, where nothing is said.
    #[serde(default)]
    pub accounts: Option<Vec<ScheduleAccount>>,
    /// Tokens that one run may take.
    #[serde(default)]
    pub run_tokens: Option<u64>,
    /// Tokens that its runs of thirty days may take.
    #[serde(default)]
    pub month_tokens: Option<u64>,
    /// When it ends by itself, in words; never, where nothing is said.
    #[serde(default)]
    pub until: Option<String>,
}

/// A schedule as it would be made: exactly what the person gives their leave to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulePlan {
    /// The schedule that is changed; nothing for a new one.
    #[serde(default)]
    pub id: Option<String>,
    /// The generation that is changed; 0 for a new one.
    pub generation: u64,
    /// Its name.
    pub name: String,
    /// When it is due, as it was said.
    pub when: String,
    /// When that was said: milliseconds since 1970-01-01T00:00Z.
    pub said_ms: i64,
    /// What that is: `once …`, `cron …`, `rrule …` or `steps …`.
    pub form: String,
    /// The IANA time zone it is meant in.
    pub zone: String,
    /// The words of its tasks.
    pub words: String,
    /// What of times that passed.
    pub late: String,
    /// What where its last run is at work.
    pub overlap: String,
    /// The accounts it may use.
    pub accounts: Vec<ScheduleAccount>,
    /// Tokens that one run may take.
    pub run_tokens: u64,
    /// Tokens that its runs of thirty days may take.
    pub month_tokens: u64,
    /// When it ends by itself: milliseconds since 1970-01-01T00:00Z.
    #[serde(default)]
    pub until_ms: Option<i64>,
}

/// A schedule as it would be made, shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchedulePreview {
    /// What it would be.
    pub plan: SchedulePlan,
    /// What its when was understood as.
    pub told: String,
    /// The next five times, each with its distance from UTC.
    pub times: Vec<String>,
    /// The accounts it may use, in words.
    pub accounts: Vec<String>,
    /// When it ends by itself, in words; empty for never.
    pub until: String,
}

/// `POST /v1/schedules`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleBody {
    /// What is to be made.
    pub plan: SchedulePlan,
    /// The evidence.
    pub proof: ProofBody,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleView {
    /// Which.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Rises with each change.
    pub generation: u64,
    /// `on`, `stopped`, `expired`.
    pub state: String,
    /// Why it is stopped, in words; empty where it is not.
    pub stopped: String,
    /// When it is due, as it was said.
    pub when: String,
    /// The same as it was understood.
    pub told: String,
    /// The same as it is read.
    pub form: String,
    /// In which time zone.
    pub zone: String,
    /// The words of its tasks.
    pub words: String,
    /// What of times that passed.
    pub late: String,
    /// What where its last run is at work.
    pub overlap: String,
    /// The accounts it may use.
    pub accounts: Vec<ScheduleAccount>,
    /// The same in words.
    pub account_names: Vec<String>,
    /// Tokens that one run may take.
    pub run_tokens: u64,
    /// Tokens that its runs of thirty days may take.
    pub month_tokens: u64,
    /// Tokens that they took, those set aside for runs at work included.
    pub used_tokens: u64,
    /// When it ends by itself.
    pub until_ms: Option<i64>,
    /// The next times, each with its distance from UTC; none where it is not on.
    pub next: Vec<String>,
    /// When it was made: milliseconds since 1970-01-01T00:00Z.
    pub made_ms: i64,
    /// Its last times, the newest first.
    pub occurrences: Vec<OccurrenceView>,
}

/// A time of a schedule, with what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OccurrenceView {
    /// Which: the schedule, its generation and the time.
    pub id: String,
    /// The schedule's name.
    pub schedule: String,
    /// The time, with its distance from UTC; the first of several.
    pub due: String,
    /// The same in milliseconds since 1970-01-01T00:00Z.
    pub due_ms: i64,
    /// How many times in a row this is about.
    pub count: u32,
    /// `ran`, `ran-late`, `by-hand`, `coalesced`, `missed`, `missed-paused`, `skipped-running`, `skipped-questions`, `not-run`.
    pub outcome: String,
    /// The same in words, with why.
    pub told: String,
    /// The task it began.
    pub task: Option<String>,
    /// How that ended; nothing while it is at work.
    pub ended: Option<String>,
    /// Tokens that it took.
    pub tokens: u64,
    /// What it cost.
    pub cost: f64,
    /// Whether it needs somebody's attention.
    pub open: bool,
}

/// `POST /v1/missed`: what becomes of times that passed without a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MissedBody {
    /// Those to run now, each once.
    #[serde(default)]
    pub run: Vec<String>,
    /// Those to think of no more.
    #[serde(default)]
    pub forget: Vec<String>,
}

/// Something that needs somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttentionView {
    /// What kind: `missed`, `missed-paused`, `skipped`, `not-run`, `failed`, `schedule-stopped`, `schedule-unlooked`, `sign-in`, `expiring`,
    /// `needs-person`, `budget`.
    pub kind: String,
    /// What it is about: a schedule, a time, a connection, an action.
    pub about: String,
    /// What happened, in words.
    pub what: String,
    /// Why, in words; may be empty.
    pub why: String,
    /// What to do next.
    pub next: String,
    /// The page that leads on.
    pub page: String,
    /// Since when: milliseconds since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// The times that can be run now, or forgotten.
    #[serde(default)]
    pub occurrences: Vec<String>,
}

/// What happened since the last digest: made from the log, by no model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DigestView {
    /// From when: milliseconds since 1970-01-01T00:00Z.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// The same in words.
    pub told: String,
    /// Runs of schedules, in words.
    pub ran: Vec<DigestLine>,
    /// What went by a rule of the person's, in words.
    pub by_rule: Vec<DigestLine>,
    /// What waits for the person.
    pub waits: Vec<DigestLine>,
    /// What failed or was missed.
    pub failed: Vec<DigestLine>,
    /// Notes that were kept.
    pub learnt: Vec<DigestLine>,
    /// Tokens that unattended runs took.
    pub tokens: u64,
    /// What that cost.
    pub cost: f64,
}

/// A line of the digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DigestLine {
    /// What it says.
    pub text: String,
    /// The page that leads on.
    pub page: String,
    /// Whether it can be undone there.
    pub undo: bool,
}
