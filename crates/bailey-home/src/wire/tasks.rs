//! Tasks, as the home's interface tells of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ActionView;

/// A task as listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskSummary {
    /// Which.
    pub id: String,
    /// `running`, `waiting`, `answered`, `limit-reached`, `failed`, `stopped`.
    pub state: String,
    /// The person's words.
    pub words: String,
    /// Who or what began it: `person`, `schedule`, `trigger`, `agent`.
    #[serde(default)]
    pub origin: String,
    /// The answer, once there is one.
    pub reply: Option<String>,
    /// Why it failed, where it did.
    pub trouble: Option<String>,
    /// What the model's answers took.
    pub usage: UsageView,
    /// How many of its actions are in each state.
    pub action_states: BTreeMap<String, u32>,
}

/// A task with its actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskView {
    /// What a list says of it.
    #[serde(flatten)]
    pub summary: TaskSummary,
    /// Its actions, oldest first.
    pub actions: Vec<ActionView>,
}

/// What a task took of the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    /// Requests made.
    pub requests: u64,
    /// Tokens read by it, as the provider counts them.
    pub input_tokens: u64,
    /// Tokens written by it.
    pub output_tokens: u64,
    /// What that costs at the configured prices; zero without them.
    pub cost: f64,
}
