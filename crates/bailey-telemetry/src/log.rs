//! Log lines: as text or as JSON, one for each event, handed to a sink that nobody waits for.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id as SpanId};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::{Id, metrics, panic};

/// Lines a process keeps for a report.
pub const LINES_KEPT: usize = 200;
/// Longest text of a field, in bytes: names and codes are far shorter.
const MAX_TEXT_BYTES: usize = 200;

/// Which process logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// The supervisor.
    Supervisor,
    /// The home.
    Home,
    /// The gateway.
    Gateway,
}

impl Process {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supervisor => "supervisor",
            Self::Home => "home",
            Self::Gateway => "gateway",
        }
    }
}

/// What every line of a process says of it.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    /// The process.
    pub process: Process,
    /// Whose home it works for, where that is known.
    pub home: Option<Id>,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For people: time, level, process, what happened, fields.
    #[default]
    Text,
    /// For programs: one JSON object.
    Json,
}

impl Format {
    /// Returns the name it has in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Which events are logged: a level, or levels by module, such as `info` or `warn,bailey_home=debug`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Targets);

/// Why a text is no filter.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no log level; name `error`, `warn`, `info`, `debug`, `trace` or `off`, or levels by module such as `warn,bailey_home=debug`"
)]
pub struct BadFilter(String);

impl FromStr for Filter {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, BadFilter> {
        let bad = || BadFilter(text.chars().take(80).collect());
        if text.trim().is_empty() {
            return Err(bad());
        }
        // A bare word that is no level would name a module, and log everything of it and nothing else.
        for part in text.split(',').filter(|part| !part.contains('=')) {
            part.trim().parse::<tracing_subscriber::filter::LevelFilter>().map_err(|_| bad())?;
        }
        text.parse().map(Self).map_err(|_| bad())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self(Targets::new().with_default(Level::INFO))
    }
}

/// Begins to log; `sink` takes each line, and must not wait. Panics are logged from here on, too. Does nothing the second time.
pub fn install(identity: Identity, filter: Filter, format: Format, sink: impl Fn(String) + Send + Sync + 'static) {
    let lines = Lines { identity, format, sink: Box::new(sink) };
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter.0)).try_init();
    panic::take_over();
}

fn kept() -> MutexGuard<'static, VecDeque<String>> {
    static KEPT: OnceLock<Mutex<VecDeque<String>>> = OnceLock::new();
    KEPT.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the last lines this process has logged, oldest first: at most [`LINES_KEPT`].
#[must_use]
pub fn recent() -> Vec<String> {
    kept().iter().cloned().collect()
}

struct Lines {
    identity: Identity,
    format: Format,
    sink: Box<dyn Fn(String) + Send + Sync>,
}

/// Tells whether an event is one of ours: other people's libraries log what they like, and some of it would be content.
fn is_ours(about: &Metadata<'_>) -> bool {
    about.target().starts_with("bailey")
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &SpanId, cx: Context<'_, S>) {
        if !is_ours(attributes.metadata()) {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = cx.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let about = event.metadata();
        if !is_ours(about) {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        for span in cx.event_scope(event).into_iter().flatten() {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.inherit(of_span);
            }
        }
        #[expect(clippy::disallowed_methods, reason = "a line says when it was written; nothing is decided by it")]
        let time = jiff::Timestamp::now();
        let line = match self.format {
            Format::Text => text(time, *about.level(), self.identity, &fields),
            Format::Json => json(time, about, self.identity, &fields),
        };
        metrics().logged(name(*about.level()));
        {
            let mut kept = kept();
            if kept.len() >= LINES_KEPT {
                kept.pop_front();
            }
            kept.push_back(line.clone());
        }
        (self.sink)(line);
    }
}

/// Returns a level as both formats write it.
const fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The fields of an event or a span, in their order.
#[derive(Default)]
struct Fields {
    message: String,
    all: Vec<(&'static str, Value)>,
}

/// A field as it is written.
#[derive(Clone, Serialize)]
#[serde(untagged)]
enum Value {
    Unsigned(u64),
    Signed(i64),
    Bool(bool),
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(n) => n.fmt(f),
            Self::Signed(n) => n.fmt(f),
            Self::Bool(yes) => yes.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Fields {
    /// Takes over what a span says, but for what is said already.
    fn inherit(&mut self, span: &Self) {
        for (name, value) in &span.all {
            if !self.all.iter().any(|(known, _)| known == name) {
                self.all.push((name, value.clone()));
            }
        }
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.all.push((field.name(), Value::Unsigned(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.all.push((field.name(), Value::Signed(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.all.push((field.name(), Value::Bool(value)));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.all.push((field.name(), Value::Text(format!("{value:032x}"))));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text: String = value.chars().filter(|c| !c.is_control()).take(MAX_TEXT_BYTES).collect();
        match field.name() {
            "message" => self.message = text,
            name => self.all.push((name, Value::Text(text))),
        }
    }

    /// Leaves out what has no type of ours: it is formatted from anything at all, and is left out.
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

fn text(time: jiff::Timestamp, level: Level, identity: Identity, fields: &Fields) -> String {
    let (level, process) = (name(level), identity.process.name());
    let mut line = format!("{time:.3} {level:<5} {process}: {}", fields.message);
    for (name, value) in &fields.all {
        let _ = write!(line, " {name}={value}");
    }
    line
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    level: &'static str,
    process: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<String>,
    target: &'a str,
    message: &'a str,
    fields: serde_json::Map<String, serde_json::Value>,
}

fn json(time: jiff::Timestamp, about: &Metadata<'_>, identity: Identity, fields: &Fields) -> String {
    let value = |value: &Value| serde_json::to_value(value).unwrap_or_default();
    let line = Line {
        time: format!("{time:.3}"),
        level: name(*about.level()),
        process: identity.process.name(),
        home: identity.home.map(|home| home.to_string()),
        target: about.target(),
        message: &fields.message,
        fields: fields.all.iter().map(|(name, of)| ((*name).to_owned(), value(of))).collect(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}
