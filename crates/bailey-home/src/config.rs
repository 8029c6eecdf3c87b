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
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum ModelConfig {
    /// A server that speaks OpenAI Chat Completions.
    OpenaiChat {
        /// Where, up to and without `/chat/completions`.
        base_url: String,
        /// Which model.
        name: String,
    },
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
