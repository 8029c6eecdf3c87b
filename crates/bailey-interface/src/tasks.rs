//! Tasks, as the home's interface tells of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ActionView, ProofBody};

/// A task as listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskSummary {
    /// The task's identity.
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
    /// Remarks on how it went: that another model was asked, say.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Tokens that the model's answers took.
    pub usage: UsageView,
    /// How many of its actions are in each state.
    pub action_states: BTreeMap<String, u32>,
}

/// A task with its actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskView {
    /// The task as a list has it.
    #[serde(flatten)]
    pub summary: TaskSummary,
    /// Its actions, oldest first.
    pub actions: Vec<ActionView>,
}

/// What undoing a whole task would do to each of its actions, and what came of it where the person asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskUndoView {
    /// The task.
    pub task: String,
    /// The person's words.
    pub words: String,
    /// Tells whether it is being undone now.
    pub running: bool,
    /// When undoing it began that broke off because the home ended, where that is so: milliseconds since 1970-01-01T00:00Z.
    #[serde(default)]
    pub broken_off_ms: Option<i64>,
    /// Its actions that there is something to do or to say about, the newest first: the order in which they are undone.
    pub steps: Vec<UndoStepView>,
}

/// An action, and what undoing its task does to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UndoStepView {
    /// The action.
    pub action: ActionView,
    /// Says what would become of it, or has.
    pub fate: UndoFate,
    /// Why it is left as it is, or what came of trying; empty where there is nothing to say.
    pub why: String,
}

/// What undoing its task does to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UndoFate {
    /// It has not happened yet, and would be taken back.
    TakeBack,
    /// It would be undone, by an action of its own.
    Undo,
    /// It can be undone by a further answer: one answers for so many.
    Later,
    /// It is being undone.
    UnderWay,
    /// It was taken back.
    TakenBack,
    /// It was undone.
    Undone,
    /// It stays, and `why` says so.
    Leave,
}

/// `POST /v1/tasks/{id}/undo`: exactly what the person was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoTaskBody {
    /// Actions to be taken back before they happen.
    #[serde(default)]
    pub take_back: Vec<String>,
    /// Actions to be undone.
    #[serde(default)]
    pub undo: Vec<String>,
    /// The evidence, over the actions in `undo`; needed where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofBody>,
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
    /// Their cost at the configured prices; zero without them.
    pub cost: f64,
}

/// Words of an answer that is on its way. They are no answer yet: what counts is the task's reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WordsView {
    /// The request of the task that is being answered, by its number.
    pub request: u64,
    /// The try of it, by its number: where this changes, the words begin anew.
    pub attempt: u32,
    /// The words that follow those before.
    pub text: String,
}

/// What a place offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    /// Names it: `model`, `fallback`, or the local server that usually listens there.
    pub what: String,
    /// The address, as `base_url` in the configuration has it.
    pub base_url: String,
    /// The model that is configured there; empty where none is.
    #[serde(default)]
    pub configured: String,
    /// The models it lists.
    pub models: Vec<String>,
    /// Why it lists none, where it does not.
    pub trouble: Option<String>,
    /// Says what may be done there with what is sent.
    #[serde(default)]
    pub data: String,
}

/// Which models there are, and what they cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelsView {
    /// Those of the configuration.
    pub configured: Vec<OfferView>,
    /// Servers that answered on this machine.
    pub local: Vec<OfferView>,
    /// The month, such as `2026-11`.
    pub month: String,
    /// Its cost so far, at the configured prices.
    pub month_cost: f64,
    /// Answers it took.
    pub month_answers: u64,
    /// The most it may cost; nothing where the person set no bound.
    pub month_limit: Option<f64>,
    /// The last twelve months in which anything was asked, newest first.
    #[serde(default)]
    pub months: Vec<MonthView>,
    /// Providers the person agreed to.
    #[serde(default)]
    pub providers: Vec<ProviderView>,
}

/// What a month took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MonthView {
    /// Names the month, such as `2026-11`.
    pub month: String,
    /// At the prices that were set then.
    pub cost: f64,
    /// Answers.
    pub answers: u64,
    /// Tokens, read and written.
    pub tokens: u64,
}

/// A provider of models that the person agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderView {
    /// Its connection.
    pub connection: String,
    /// Its address.
    pub base_url: String,
    /// Says what it may do with what it is sent.
    pub data: String,
}
