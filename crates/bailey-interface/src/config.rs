//! What a person sets in daily life, and changes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ProofBody;

/// A change of what the person sets, all or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigChange {
    /// New values by name, such as `60` for `home.hold_seconds`. An empty one: nothing is said, whatever the configuration file says.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Names that are as the configuration file has them again.
    #[serde(default)]
    pub unset: Vec<String>,
}

/// `POST /v1/config`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigBody {
    /// The change to make.
    pub change: ConfigChange,
    /// The evidence.
    pub proof: ProofBody,
}

/// Something the person sets, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingView {
    /// Its name, as the configuration file has it: `home.hold_seconds`.
    pub name: String,
    /// Says in words what it is.
    pub about: String,
    /// The value in force; nothing where nothing is said.
    pub value: Option<String>,
    /// Where that is said: `home` (changed here), `file` (the configuration file) or `usual` (nowhere).
    pub said: String,
    /// The values there are, where they are a few.
    pub choices: Vec<String>,
}

/// What a new home still needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FirstStepsView {
    /// In order; none once all was done, or the person does not want to be led.
    pub steps: Vec<StepView>,
}

/// A step of the first run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// Says what to do.
    pub words: String,
    /// The page of the dashboard to do it on.
    pub page: String,
    /// How to do it on the command line.
    #[serde(default)]
    pub command: String,
    /// Tells whether it is done.
    pub done: bool,
}
