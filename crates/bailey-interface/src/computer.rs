//! The agent's own computer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the agent's computer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComputerState {
    /// It cannot be there: `lacking` says why.
    Unavailable,
    /// Nothing was made yet; the first use makes it.
    Absent,
    /// It has a disk, and does not run.
    Off,
    /// Its machine was saved, and goes on with the next use.
    Asleep,
    /// It is being made, started or woken.
    Starting,
    /// It runs.
    Running,
    /// It is stopped where it was, because everything is paused.
    Paused,
    /// It is being saved, ended or destroyed.
    Stopping,
}

impl ComputerState {
    /// Returns its name, as JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Absent => "absent",
            Self::Off => "off",
            Self::Asleep => "asleep",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
        }
    }
}

/// The agent's computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComputerView {
    /// How it stands.
    pub state: ComputerState,
    /// What its wall is worth: `isolated`, `emulated`, `none`; `unknown` until that was found out.
    pub grade: String,
    /// What you have to know of that; empty where there is nothing.
    pub warning: String,
    /// Why there can be none, and what to do about it; empty where there can.
    pub lacking: String,
    /// Why it did not do what it was asked for last; empty where it did.
    pub trouble: String,
    /// The folder of its image.
    pub image: String,
    /// Since when it runs: milliseconds since 1970-01-01T00:00Z.
    pub since_ms: Option<i64>,
    /// What holds its machine's process; what could not be had begins with `not: `.
    pub layers: Vec<String>,
    /// What its disk takes of this machine's, in bytes.
    pub disk_bytes: u64,
    /// Its memory, in mebibytes.
    pub memory_mib: u32,
    /// After how many seconds without work it goes to sleep.
    pub idle_seconds: u64,
    /// Whether a task that had seen secrets used it.
    pub after_secrets: bool,
    /// Requests of its programs that wait for you.
    pub waiting: u64,
    /// The last requests of its programs since the home was opened, the newest first; the log has them all.
    pub requests: Vec<RequestView>,
}

/// A request that a program of the computer made, without what was in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    /// When it ended: milliseconds since 1970-01-01T00:00Z.
    pub at_ms: i64,
    /// Its method.
    pub method: String,
    /// Where it went, or was to go.
    pub site: String,
    /// Path and query.
    pub path: String,
    /// Bytes of its body.
    pub sent_bytes: u64,
    /// Bytes of the answer's.
    pub received_bytes: u64,
    /// Whether you let it go.
    pub asked: bool,
    /// `answered`, `refused` or `failed`.
    pub ended: String,
    /// The status of the answer, or why it did not come to one.
    pub detail: String,
}
