//! The configuration file: small, strict, and with errors that say where.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bailey_model::{MAX_ANSWER_TOKENS, Thinking, Traits};
use bailey_telemetry::{Filter, Format};
use serde::{Deserialize, Serialize};

use crate::names::Name;

/// How long a home may be silent before it is started again, in seconds: at least what a busy machine may take to answer, at most
/// an hour.
const SILENT_SECONDS: std::ops::RangeInclusive<u64> = 6..=3_600;

/// Longest hold window: a day. Longer is a schedule, not a chance to think again.
const MAX_HOLD_SECONDS: u64 = 24 * 3_600;

/// Most that files may have, in gibibytes: 64 TiB, more than a home's disk has.
const MAX_FILES_GIB: u64 = 64 * 1_024;

/// `config.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The model to ask; without one, tasks cannot be given.
    pub model: Option<ModelConfig>,
    /// How the home behaves.
    #[serde(default)]
    pub home: HomeConfig,
    /// The way in over TCP.
    #[serde(default)]
    pub gateway: GatewayConfig,
    /// Says what the processes log.
    #[serde(default)]
    pub log: LogConfig,
    /// Where they give their metrics.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// The agent's own computer.
    #[serde(default)]
    pub computer: ComputerConfig,
}

impl Config {
    /// Makes sure that what was read makes sense; says what does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        mistake_of(self)
    }
}

/// `[computer]`: what the agent's own computer is made of, and what it may use of this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ComputerConfig {
    /// Tells whether there is to be one.
    pub enabled: bool,
    /// The folder of its image; where `bailey computer build` puts it if none is said.
    pub image: Option<PathBuf>,
    /// Memory of its machine, in mebibytes.
    pub memory_mib: u32,
    /// Size of its disk, in gibibytes; of that it takes what is used.
    pub disk_gib: u64,
    /// After how many seconds without work it goes to sleep.
    pub idle_seconds: u64,
}

/// Memory a machine may have, in mebibytes: below it no guest starts, above it is no machine for one person.
const COMPUTER_MIB: std::ops::RangeInclusive<u32> = 256..=65_536;
/// Sizes a disk may have, in gibibytes.
const COMPUTER_GIB: std::ops::RangeInclusive<u64> = 1..=1_024;
/// Seconds without work after which a machine may go to sleep: up to a day.
const COMPUTER_IDLE_SECONDS: std::ops::RangeInclusive<u64> = 1..=86_400;

impl Default for ComputerConfig {
    fn default() -> Self {
        Self { enabled: true, image: None, memory_mib: 1_536, disk_gib: 8, idle_seconds: 600 }
    }
}

impl ComputerConfig {
    /// Says what is wrong with it, if anything is.
    fn mistake(&self) -> Option<String> {
        if !COMPUTER_MIB.contains(&self.memory_mib) {
            return Some(format!(
                "`memory_mib` under [computer] is not between {} and {}",
                COMPUTER_MIB.start(),
                COMPUTER_MIB.end()
            ));
        }
        if !COMPUTER_GIB.contains(&self.disk_gib) {
            return Some(format!(
                "`disk_gib` under [computer] is not between {} and {}",
                COMPUTER_GIB.start(),
                COMPUTER_GIB.end()
            ));
        }
        if !COMPUTER_IDLE_SECONDS.contains(&self.idle_seconds) {
            return Some(format!(
                "`idle_seconds` under [computer] is not between {} and {}",
                COMPUTER_IDLE_SECONDS.start(),
                COMPUTER_IDLE_SECONDS.end()
            ));
        }
        None
    }
}

/// `[log]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Names events: a level, or levels by module such as `warn,bailey_home=debug`; `info` if nothing is said.
    pub level: Option<String>,
    /// `text` or `json`.
    pub format: Option<Format>,
}

/// `[metrics]`: loopback addresses, beside the sockets in the home's folder.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Where the home gives its metrics over TCP.
    pub home_listen: Option<String>,
    /// Where the gateway does.
    pub gateway_listen: Option<String>,
}

/// `[gateway]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// Address and port, on this machine only; port 0 takes a free one.
    pub listen: String,
    /// Origins that browsers open the dashboard by, beside its own on this machine: `https://bailey.example.org`.
    pub names: Vec<Name>,
    /// Address and port where TLS is spoken for these names; without one, whatever stands before `listen` speaks it.
    pub tls_listen: Option<String>,
    /// A PEM file of the certificate and those it was issued by.
    pub certificate: Option<PathBuf>,
    /// A PEM file of its key.
    pub key: Option<PathBuf>,
    /// Who issues certificates by ACME (RFC 8555), in place of the two files.
    pub acme: Option<AcmeConfig>,
}

/// `[gateway.acme]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeConfig {
    /// The directory of the authority; Let's Encrypt if none is said.
    #[serde(default = "lets_encrypt")]
    pub directory: String,
    /// Where the authority writes to, such as `me@example.org`.
    #[serde(default)]
    pub contact: Option<String>,
    /// Tells that the person agrees to the authority's terms.
    #[serde(default)]
    pub agree_to_terms: bool,
}

fn lets_encrypt() -> String {
    "https://acme-v02.api.letsencrypt.org/directory".into()
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7447".into(),
            names: Vec::new(),
            tls_listen: None,
            certificate: None,
            key: None,
            acme: None,
        }
    }
}

impl GatewayConfig {
    /// Returns what is wrong with it, if anything.
    fn mistake(&self) -> Option<String> {
        let secure = self.names.iter().filter(|name| name.is_secure()).count();
        let two = self.certificate.is_some() || self.key.is_some();
        let Some(listen) = &self.tls_listen else {
            if two || self.acme.is_some() {
                return Some(
                    "a certificate under [gateway] needs `tls_listen`, the address and port where TLS is spoken".into(),
                );
            }
            return None;
        };
        if listen.parse::<SocketAddr>().is_err() {
            return Some("`tls_listen` under [gateway] is no address and port, such as 0.0.0.0:443".into());
        }
        if secure == 0 {
            return Some(
                "`tls_listen` under [gateway] needs a name: add one to `names`, such as \"https://bailey.example.org\""
                    .into(),
            );
        }
        match (&self.certificate, &self.key, &self.acme) {
            (Some(_), Some(_), None) => None,
            (None, None, Some(acme)) => acme.mistake(),
            (None, None, None) => Some("`tls_listen` under [gateway] needs a certificate: name the files `certificate` and `key`, or who issues one under [gateway.acme]".into()),
            (_, _, Some(_)) => Some("a certificate under [gateway] comes from two files or from [gateway.acme], not from both".into()),
            (_, _, None) => Some("`certificate` and `key` under [gateway] belong together; name both files".into()),
        }
    }

    /// Tells whether other machines can reach where TLS is spoken.
    #[must_use]
    pub fn is_public(&self) -> bool {
        let address = self.tls_listen.as_ref().and_then(|listen| listen.parse::<SocketAddr>().ok());
        address.is_some_and(|address| !address.ip().is_loopback())
    }
}

impl AcmeConfig {
    fn mistake(&self) -> Option<String> {
        if !self.agree_to_terms {
            return Some("[gateway.acme] needs `agree_to_terms = true`: read the terms of the authority that issues certificates first".into());
        }
        if !self.directory.starts_with("https://") {
            return Some("`directory` under [gateway.acme] does not begin with https://".into());
        }
        None
    }
}

/// What a home is started with: read by whoever may read the files, handed to the home.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// The text of the configuration file; empty where there is none.
    pub config: String,
    /// Where it lies, for messages.
    pub path: String,
    /// The text of the file of further certificate authorities, where one is named.
    pub authorities: Option<String>,
    /// Tells whether it starts paused, whatever the record says: the supervisor was told of a pause that could not be recorded.
    #[serde(default)]
    pub paused: bool,
    /// The file, outside of the home's folder, that tells what ran last on this machine from a copy of it.
    #[serde(default)]
    pub witness: Option<std::path::PathBuf>,
    /// The folder of the image that the agent's computer starts from, where there is one.
    #[serde(default)]
    pub image: Option<std::path::PathBuf>,
    /// Where the supervisor starts what the home's computer is made of, where the home is not root and the supervisor is.
    #[serde(default)]
    pub computer: Option<std::path::PathBuf>,
}

impl Settings {
    /// Reads the files.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let unreadable = |path: &Path, source| ConfigError::Unreadable { path: path.display().to_string(), source };
        let config = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(unreadable(path, source)),
        };
        let parsed = parse(&config, &shown)?;
        let file = parsed.home.certificate_authorities.as_deref();
        let authorities = file.map(|file| std::fs::read_to_string(file).map_err(|source| unreadable(file, source)));
        let authorities = authorities.transpose()?;
        let image = crate::computer::image_folder(&parsed.computer);
        Ok(Self { config, path: shown, authorities, image, ..Self::default() })
    }

    /// Returns the configuration.
    pub fn parse(&self) -> Result<Config, ConfigError> {
        parse(&self.config, &self.path)
    }
}

/// `[model]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The protocol that the server speaks.
    pub kind: ModelKind,
    /// Where, up to and without `/chat/completions` or `/messages`.
    pub base_url: String,
    /// The model's name.
    pub name: String,
    /// How it is worked with.
    #[serde(default)]
    pub mode: WorkMode,
    /// Tokens one task may take, read and written together.
    #[serde(default = "default_budget")]
    pub budget_tokens: u64,
    /// The price of a million tokens that it reads, in the person's currency; for the figure shown with a task.
    #[serde(default)]
    pub input_price: f64,
    /// The price of a million tokens that it writes.
    #[serde(default)]
    pub output_price: f64,
    /// Most tokens of one answer, thoughts included; what the provider is known to take if nothing is said.
    pub answer_tokens: Option<u32>,
    /// Tokens that the model holds, answer included; older results are left out of requests beyond it.
    pub context_tokens: Option<usize>,
    /// How much the model is asked to think; as its provider has it if nothing is said.
    pub thinking: Option<ThinkingConfig>,
    /// The most that one task may cost at these prices, in the person's currency.
    pub task_limit: Option<f64>,
    /// The most that all tasks of a month may cost.
    pub month_limit: Option<f64>,
    /// The model that is asked where this one cannot be reached, and only where it may do no more with what it is sent.
    pub fallback: Option<Box<Self>>,
}

/// Fewest tokens that a model has to hold: its tools alone take some thousand.
const LEAST_CONTEXT_TOKENS: usize = 2_000;

impl ModelConfig {
    /// Returns what is known of the model: by its address and name, and by what is said of it here.
    #[must_use]
    pub fn traits(&self) -> Traits {
        let mut traits = Traits::of(&self.base_url, &self.name);
        if let Some(tokens) = self.answer_tokens {
            traits.answer_tokens = tokens;
        }
        if let Some(tokens) = self.context_tokens {
            traits.hold(tokens);
        }
        traits.thinking = match self.thinking {
            None => Thinking::Usual,
            Some(ThinkingConfig::Low) => Thinking::Low,
            Some(ThinkingConfig::Medium) => Thinking::Medium,
            Some(ThinkingConfig::High) => Thinking::High,
        };
        traits
    }

    /// Says what is wrong with it, if anything is.
    fn mistake(&self) -> Option<String> {
        let priced = self.input_price > 0.0 || self.output_price > 0.0;
        if [self.input_price, self.output_price].into_iter().any(|price| !price.is_finite() || price < 0.0) {
            return Some("`input_price` and `output_price` are what a million tokens cost, 0 or more".into());
        }
        for (name, limit) in [("task_limit", self.task_limit), ("month_limit", self.month_limit)] {
            match limit {
                Some(limit) if !limit.is_finite() || limit <= 0.0 => {
                    return Some(format!("`{name}` is an amount above 0"));
                }
                Some(_) if !priced => {
                    return Some(format!(
                        "`{name}` needs to know what tokens cost: set `input_price` and `output_price`"
                    ));
                }
                Some(_) | None => {}
            }
        }
        if self.answer_tokens.is_some_and(|tokens| !(1..=MAX_ANSWER_TOKENS).contains(&tokens)) {
            return Some(format!("`answer_tokens` is not between 1 and {MAX_ANSWER_TOKENS}"));
        }
        if self.context_tokens.is_some_and(|tokens| tokens < LEAST_CONTEXT_TOKENS) {
            return Some(format!("`context_tokens` is below {LEAST_CONTEXT_TOKENS}"));
        }
        match self.fallback.as_deref() {
            Some(other) if other.fallback.is_some() => Some("a fallback has no fallback of its own".into()),
            Some(other) if other.task_limit.is_some() || other.month_limit.is_some() => {
                Some("`task_limit` and `month_limit` stand under [model] and hold for its fallback too".into())
            }
            Some(other) => other.mistake(),
            None => None,
        }
    }
}

/// How much a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThinkingConfig {
    /// A little.
    Low,
    /// More.
    Medium,
    /// Much.
    High,
}

/// What a model server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// OpenAI Chat Completions: also llama.cpp, Ollama, vLLM.
    OpenaiChat,
    /// Anthropic Messages.
    Anthropic,
}

/// How a model is worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkMode {
    /// It calls tools as it sees fit: for capable models.
    #[default]
    Free,
    /// It fills in a plan, one small question at a time: for small ones.
    Planned,
}

/// Returns what a long task of two dozen turns takes; more is a loop, or a mailbox that wants to be read in parts.
const fn default_budget() -> u64 {
    400_000
}

/// `[home]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeConfig {
    /// How long an approved mail waits before it leaves, in seconds.
    pub hold_seconds: u64,
    /// The person's time zone, as an IANA name.
    pub time_zone: Option<String>,
    /// Most that all files may have with every version, in gibibytes.
    pub files_gib: u64,
    /// A PEM file of certificate authorities to believe beside the machine's own: for servers of one's own.
    pub certificate_authorities: Option<std::path::PathBuf>,
    /// How long the home may hang, in seconds, before it is ended and started again.
    pub restart_when_silent_seconds: u64,
    /// Tokens that runs of schedules may take on one day, all together.
    pub unattended_day_tokens: u64,
    /// The same in a month.
    pub unattended_month_tokens: u64,
    /// When the digest is made each day, such as `7:30`.
    pub digest_at: String,
}

impl HomeConfig {
    /// Returns when the digest is made, in minutes since midnight.
    #[must_use]
    pub fn digest_minute(&self) -> Option<u16> {
        let (hour, minute) = self.digest_at.trim().split_once([':', '.'])?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    }

    /// Tells how long the home may hang before it is ended and started again.
    #[must_use]
    pub const fn silent(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.restart_when_silent_seconds)
    }
}

impl Default for HomeConfig {
    fn default() -> Self {
        Self {
            hold_seconds: bailey_gate::Limits::default().hold_ms / 1_000,
            time_zone: None,
            files_gib: bailey_vault::DEFAULT_FILE_BYTES >> 30,
            certificate_authorities: None,
            restart_when_silent_seconds: 90,
            unattended_day_tokens: 1_000_000,
            unattended_month_tokens: 10_000_000,
            digest_at: "7:30".into(),
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{path}` cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's words.
        source: io::Error,
    },
    /// The file is not understood.
    #[error("the configuration `{path}` has a mistake:\n{why}\nnothing was started; mend the file and start again")]
    Mistake {
        /// The file.
        path: String,
        /// Says what is wrong, and where.
        why: String,
    },
}

/// Reads the text of a configuration; an empty one means the defaults.
fn parse(text: &str, path: &str) -> Result<Config, ConfigError> {
    let mistake = |why: String| ConfigError::Mistake { path: path.to_owned(), why };
    let config: Config = toml::from_str(text).map_err(|error| mistake(error.to_string()))?;
    config.check().map_err(mistake)?;
    Ok(config)
}

/// Says what is wrong with a configuration that was read, if anything is.
fn mistake_of(config: &Config) -> Result<(), String> {
    if !(1..=MAX_FILES_GIB).contains(&config.home.files_gib) {
        return Err(format!("`files_gib` is at least 1 and at most {MAX_FILES_GIB}"));
    }
    if config.home.hold_seconds > MAX_HOLD_SECONDS {
        return Err(format!("`hold_seconds` is above {MAX_HOLD_SECONDS}, a day"));
    }
    if config.home.digest_minute().is_none() {
        return Err("`digest_at` is a time of day such as 7:30".into());
    }
    if !SILENT_SECONDS.contains(&config.home.restart_when_silent_seconds) {
        let (least, most) = (SILENT_SECONDS.start(), SILENT_SECONDS.end());
        return Err(format!("`restart_when_silent_seconds` is not between {least} and {most}"));
    }
    if let Some(why) = config.model.as_ref().and_then(ModelConfig::mistake) {
        return Err(why);
    }
    if let Some(level) = &config.log.level {
        level.parse::<Filter>().map_err(|error| error.to_string())?;
    }
    if let Some(why) = config.computer.mistake() {
        return Err(why);
    }
    if let Some(why) = config.gateway.mistake() {
        return Err(why);
    }
    for listen in [&config.metrics.home_listen, &config.metrics.gateway_listen].into_iter().flatten() {
        let address: Option<SocketAddr> = listen.parse().ok();
        if !address.is_some_and(|address| address.ip().is_loopback()) {
            return Err(format!(
                "`{listen}` under [metrics] is no address and port of this machine alone, such as 127.0.0.1:9464"
            ));
        }
    }
    Ok(())
}
