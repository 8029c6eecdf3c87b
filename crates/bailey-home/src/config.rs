//! The configuration file: small, strict, and with errors that say where.

use std::io;
use std::path::Path;

use serde::Deserialize;

/// Longest hold window: a day. Longer is a schedule, not a chance to think again.
const MAX_HOLD_SECONDS: u64 = 24 * 3_600;

/// `config.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which model to ask; without one, tasks cannot be given.
    pub model: Option<ModelConfig>,
    /// How the home behaves.
    #[serde(default)]
    pub home: HomeConfig,
}

/// `[model]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// What the server speaks.
    pub kind: ModelKind,
    /// Where, up to and without `/chat/completions` or `/messages`.
    pub base_url: String,
    /// Which model.
    pub name: String,
    /// How it is worked with.
    #[serde(default)]
    pub mode: WorkMode,
    /// Tokens one task may take, read and written together.
    #[serde(default = "default_budget")]
    pub budget_tokens: u64,
    /// What a million tokens cost that it reads, in the person's currency; for the figure shown with a task.
    #[serde(default)]
    pub input_price: f64,
    /// What a million tokens cost that it writes.
    #[serde(default)]
    pub output_price: f64,
}

/// What a model server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// OpenAI Chat Completions: also llama.cpp, Ollama, vLLM.
    OpenaiChat,
    /// Anthropic Messages.
    Anthropic,
}

/// How a model is worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkMode {
    /// It calls tools as it sees fit: for capable models.
    #[default]
    Free,
    /// It fills in a plan, one small question at a time: for small ones.
    Planned,
}

/// What a long task of two dozen turns takes; more is a loop, or a mailbox that wants to be read in parts.
const fn default_budget() -> u64 {
    400_000
}

/// `[home]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeConfig {
    /// How long an approved mail waits before it leaves, in seconds.
    pub hold_seconds: u64,
    /// The person's time zone, as an IANA name.
    pub time_zone: Option<String>,
    /// A PEM file of certificate authorities to believe beside the machine's own: for servers of one's own.
    pub certificate_authorities: Option<std::path::PathBuf>,
}

impl Default for HomeConfig {
    fn default() -> Self {
        Self {
            hold_seconds: bailey_gate::Limits::default().hold_ms / 1_000,
            time_zone: None,
            certificate_authorities: None,
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{path}` cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not understood.
    #[error("the configuration `{path}` has a mistake:\n{why}\nnothing was started; mend the file and start again")]
    Mistake {
        /// Which file.
        path: String,
        /// What, and where.
        why: String,
    },
}

/// Reads the file; an absent one means the defaults.
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(source) => return Err(ConfigError::Unreadable { path: shown, source }),
    };
    let config: Config =
        toml::from_str(&text).map_err(|error| ConfigError::Mistake { path: shown.clone(), why: error.to_string() })?;
    if config.home.hold_seconds > MAX_HOLD_SECONDS {
        return Err(ConfigError::Mistake {
            path: shown,
            why: format!("`hold_seconds` is above {MAX_HOLD_SECONDS}, a day"),
        });
    }
    Ok(config)
}
