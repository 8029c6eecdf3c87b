//! What is found in the records of a home, and what shows that they only grew.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ActionView, TaskSummary};

/// `GET /v1/search`: actions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundView {
    /// Those found.
    pub actions: Vec<ActionView>,
    /// The value to give as `before` to go on, where there may be more.
    pub before: Option<u64>,
    /// Entries of the log that can be found.
    pub indexed: u64,
    /// Entries of the log.
    pub entries: u64,
}

/// `GET /v1/search/tasks`: tasks, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FoundTasksView {
    /// Those found.
    pub tasks: Vec<TaskSummary>,
    /// The value to give as `before` to go on, where there may be more.
    pub before: Option<u64>,
    /// Entries of the log that can be found.
    pub indexed: u64,
    /// Entries of the log.
    pub entries: u64,
}

/// `GET /v1/search/requests`: pieces of model requests that held what was looked for, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundRequestsView {
    /// Those found.
    pub pieces: Vec<HeldView>,
    /// The value to give as `before` to go on, where there may be more.
    pub before: Option<u64>,
    /// Entries of the log that can be found.
    pub indexed: u64,
    /// Entries of the log.
    pub entries: u64,
}

/// A piece of model requests, and which of them held it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldView {
    /// Of which task.
    pub task: String,
    /// The person's words of it.
    pub words: String,
    /// Who wrote the piece: `bailey`, `person`, `model`, `others`.
    pub label: String,
    /// The tool it came from, for others' words.
    pub source: String,
    /// The part of it around what was looked for.
    pub excerpt: String,
    /// The requests that held it, by their numbers from 0: the first and the last of each run of them.
    pub held: Vec<[u64; 2]>,
}

/// `GET /v1/received`: what a provider of models got in a month, for one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceivedView {
    /// The month, such as `2026-11`.
    pub month: String,
    /// The host that was asked.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Requests that were sent.
    pub requests: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Secrets that were kept back from them.
    pub kept_back: u64,
    /// Tokens read by it, as the provider counts them.
    pub input_tokens: u64,
    /// Tokens written by it.
    pub output_tokens: u64,
    /// Their cost at the configured prices; zero without them.
    pub cost: f64,
}

/// `GET /v1/log/consistency`: what shows that the log begins with what was seen before (RFC 6962, section 2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyView {
    /// Entries that were seen before.
    pub from: u64,
    /// Entries that the checkpoint covers.
    pub to: u64,
    /// The nodes of the proof, in base64; none where `from` is 0 or `to`.
    pub proof: Vec<String>,
    /// The root of the entries as they lie there, in base64: that of the checkpoint, where nothing was rewritten.
    pub root: String,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// An action that a model request led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedToView {
    /// The action's identity.
    pub id: String,
    /// Says what it was.
    pub headline: String,
    /// Where it stands.
    pub state: String,
}
