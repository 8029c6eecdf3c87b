//! `bailey doctor --report`: what helps others to find a fault, without personal data.
//!
//! What it takes from the configuration and the checks are numbers and words that stand in this source. A field that is added to
//! the configuration does not compile here until somebody has decided what may be told of it.

use std::io::{self, BufRead as _, Write};
use std::path::Path;

use bailey_home::Layout;
use bailey_home::config::{
    self, ComputerConfig, Config, GatewayConfig, HomeConfig, LogConfig, MetricsConfig, ModelConfig, ModelKind, WorkMode,
};
use bailey_supervisor::Place;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::UnixStream;

use crate::client::Trouble;
use crate::doctor::{Finding, Grade};

/// How long a process may take to give its metrics.
const GIVEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);
/// Longest answer of a process that is taken, in bytes.
const MAX_GIVEN_BYTES: usize = 1024 * 1024;
/// Longest name of an operating system that is taken, in bytes.
const MAX_NAME_BYTES: usize = 32;

/// One fact by name.
type Fact = (&'static str, Value);

/// What a fact may be.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Value {
    Number(u64),
    Word(&'static str),
    /// Letters, digits, dots, hyphens and low lines, of the operating system's files.
    Name(String),
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Number(n)
    }
}

impl From<&'static str> for Value {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

#[derive(Debug, Serialize)]
struct Report {
    program: Vec<Fact>,
    machine: Vec<Fact>,
    checks: Vec<Check>,
    configuration: Vec<Fact>,
    sizes: Vec<Fact>,
    /// Of the home and the gateway, where they run.
    metrics: Vec<String>,
    events: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    grade: Grade,
    code: &'static str,
}

/// Shows the report, and writes it where the person agrees.
pub(crate) async fn run(layout: &Layout, found: &[Finding], file: &Path, yes: bool, json: bool) -> Result<(), Trouble> {
    let report = gather(layout, found).await;
    let mut text = Vec::new();
    if json {
        let data = serde_json::to_string_pretty(&report).map_err(io::Error::from)?;
        writeln!(text, "{data}")?;
    } else {
        write(&report, &mut text)?;
    }
    let mut out = io::stdout().lock();
    // Lines of a process's log: nothing in them may move a cursor.
    let shown = bailey_gate::family::escape::visible_lines(&String::from_utf8_lossy(&text));
    out.write_all(shown.as_bytes())?;
    out.flush()?;
    if file == Path::new("-") {
        return Ok(());
    }
    if !yes && !agreed(file)? {
        return Err(Trouble::Here("nothing was written".into()));
    }
    let mut open = std::fs::OpenOptions::new();
    let path = file.display();
    let cannot = |error: io::Error| {
        Trouble::Here(format!("the report cannot be written to `{path}`: {error}; name another file"))
    };
    open.write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut file| file.write_all(shown.as_bytes()))
        .map_err(cannot)?;
    writeln!(io::stderr(), "Written to `{path}`.")?;
    Ok(())
}

fn agreed(file: &Path) -> io::Result<bool> {
    write!(io::stderr(), "\nThis, and nothing else, would be written to `{}`. Write it? [y/N] ", file.display())?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

async fn gather(layout: &Layout, found: &[Finding]) -> Report {
    let mut report = Report {
        program: program(layout),
        machine: machine(),
        checks: found.iter().map(|one| Check { what: one.what, grade: one.grade, code: one.code }).collect(),
        configuration: configuration(layout),
        sizes: sizes(layout.root()),
        metrics: Vec::new(),
        events: Vec::new(),
    };
    for socket in [layout.metrics_socket(), Place::new(layout.root()).gateway_metrics()] {
        let lines = |given: Option<String>| {
            given.into_iter().flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let counted = lines(given(&socket, "/metrics").await);
        report.metrics.extend(counted.filter(|line| !line.starts_with('#') && !line.contains("_bucket{")));
        report.events.extend(lines(given(&socket, "/events").await));
    }
    report
}

fn program(layout: &Layout) -> Vec<Fact> {
    let mut all = vec![("version", env!("CARGO_PKG_VERSION").into())];
    let root = layout.info().ok().map(|info| match info.root {
        bailey_keys::RootKind::KeyFile => "key-file",
        bailey_keys::RootKind::Passphrase { .. } => "passphrase",
    });
    all.push(("root_key", root.unwrap_or("unknown").into()));
    all.extend(bailey_home::formats().map(|(name, version)| (name, version.into())));
    all
}

fn machine() -> Vec<Fact> {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let of_release = |key: &str| {
        let value = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or("unknown");
        named(value.trim_matches('"'), |c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    vec![
        ("system", of_release("ID")),
        ("system_version", of_release("VERSION_ID")),
        // What stands behind the number may be the machine's or its owner's name.
        ("kernel", named(&kernel, |c| c.is_ascii_digit() || c == '.')),
        ("processor", std::env::consts::ARCH.into()),
        ("processors", std::thread::available_parallelism().map_or(0, |n| n.get() as u64).into()),
        ("memory_kib", memory.unwrap_or(0_u64).into()),
        ("as_root", if rustix::process::geteuid().is_root() { "yes" } else { "no" }.into()),
    ]
}

/// Returns the beginning of a text, as far as its characters are of a kind.
fn named(text: &str, is_part: impl Fn(char) -> bool) -> Value {
    Value::Name(text.chars().take_while(|c| is_part(*c)).take(MAX_NAME_BYTES).collect())
}

fn configuration(layout: &Layout) -> Vec<Fact> {
    let read = config::Settings::read(&layout.config()).and_then(|settings| settings.parse());
    let Ok(Config { model, home, gateway, log, metrics, computer }) = read else {
        return vec![("readable", "no".into())];
    };
    let set = |is: bool| Value::Word(if is { "set" } else { "unset" });
    let HomeConfig { hold_seconds, time_zone, files_gib, certificate_authorities, restart_when_silent_seconds } = home;
    let GatewayConfig { listen, names, tls_listen, certificate, key: _, acme } = gateway;
    let LogConfig { level, format } = log;
    let MetricsConfig { home_listen, gateway_listen } = metrics;
    let ComputerConfig { enabled, image, memory_mib, disk_gib, idle_seconds } = computer;
    let mut all = vec![
        ("readable", "yes".into()),
        ("home.hold_seconds", hold_seconds.into()),
        ("home.time_zone", set(time_zone.is_some())),
        ("home.files_gib", files_gib.into()),
        ("home.certificate_authorities", set(certificate_authorities.is_some())),
        ("home.restart_when_silent_seconds", restart_when_silent_seconds.into()),
        ("gateway.listen", if listen == GatewayConfig::default().listen { "default" } else { "other" }.into()),
        ("gateway.names", (names.len() as u64).into()),
        ("gateway.tls_listen", set(tls_listen.is_some())),
        ("gateway.certificate", set(certificate.is_some())),
        ("gateway.acme", set(acme.is_some())),
        ("log.level", set(level.is_some())),
        ("log.format", format.unwrap_or_default().name().into()),
        ("metrics.home_listen", set(home_listen.is_some())),
        ("metrics.gateway_listen", set(gateway_listen.is_some())),
        ("computer.enabled", if enabled { "yes" } else { "no" }.into()),
        ("computer.image", set(image.is_some())),
        ("computer.memory_mib", u64::from(memory_mib).into()),
        ("computer.disk_gib", disk_gib.into()),
        ("computer.idle_seconds", idle_seconds.into()),
    ];
    let Some(ModelConfig {
        kind,
        base_url,
        name: _,
        mode,
        budget_tokens,
        input_price,
        output_price,
        answer_tokens,
        context_tokens,
        thinking,
        task_limit,
        month_limit,
        fallback,
    }) = model
    else {
        all.push(("model", "unset".into()));
        return all;
    };
    let kind = match kind {
        ModelKind::OpenaiChat => "openai-chat",
        ModelKind::Anthropic => "anthropic",
    };
    let mode = match mode {
        WorkMode::Free => "free",
        WorkMode::Planned => "planned",
    };
    all.extend([
        ("model.kind", kind.into()),
        ("model.place", if is_here(&base_url) { "this machine" } else { "elsewhere" }.into()),
        ("model.mode", mode.into()),
        ("model.budget_tokens", budget_tokens.into()),
        ("model.prices", set(input_price > 0.0 || output_price > 0.0)),
        ("model.answer_tokens", set(answer_tokens.is_some())),
        ("model.context_tokens", set(context_tokens.is_some())),
        ("model.thinking", set(thinking.is_some())),
        ("model.task_limit", set(task_limit.is_some())),
        ("model.month_limit", set(month_limit.is_some())),
        ("model.fallback", set(fallback.is_some())),
    ]);
    all
}

/// Tells whether an address is of this machine alone, as far as can be told by its looks.
fn is_here(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|here| host.strip_prefix(here).is_some_and(|port| port.is_empty() || port.starts_with(':')))
}

fn sizes(root: &Path) -> Vec<Fact> {
    const FILES: [(&str, &str); 6] = [
        ("database_bytes", "home/ledger.db"),
        ("write_ahead_log_bytes", "home/ledger.db-wal"),
        ("key_store_bytes", "home/keys.db"),
        ("pause_record_bytes", "state/pause"),
        ("high_water_mark_bytes", "state/mark"),
        ("configuration_bytes", "config.toml"),
    ];
    FILES.map(|(name, file)| (name, std::fs::metadata(root.join(file)).map_or(0, |about| about.len()).into())).into()
}

/// Returns what a process gives over its socket; nothing where it does not run.
async fn given(socket: &Path, path: &'static str) -> Option<String> {
    let asking = async {
        let stream = UnixStream::connect(socket).await.ok()?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let request = Request::builder().uri(path).header("host", "bailey").body(Empty::<Bytes>::new()).ok()?;
        let answer = sender.send_request(request).await.ok().filter(|answer| answer.status().is_success())?;
        let bytes = Limited::new(answer.into_body(), MAX_GIVEN_BYTES).collect().await.ok()?.to_bytes();
        String::from_utf8(bytes.to_vec()).ok()
    };
    tokio::time::timeout(GIVEN_WITHIN, asking).await.ok().flatten()
}

fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Report of `bailey doctor`. It holds no words of yours, no mail, no addresses and no credentials.")?;
    for (title, facts) in [
        ("Program and formats", &report.program),
        ("Machine", &report.machine),
        ("Configuration", &report.configuration),
        ("Sizes", &report.sizes),
    ] {
        writeln!(out, "\n{title}")?;
        for (name, value) in facts {
            match value {
                Value::Number(n) => writeln!(out, "  {name}: {n}")?,
                Value::Word(word) => writeln!(out, "  {name}: {word}")?,
                Value::Name(name_of) => writeln!(out, "  {name}: {name_of}")?,
            }
        }
    }
    writeln!(out, "\nChecks")?;
    for Check { what, grade, code } in &report.checks {
        writeln!(out, "  {what}: {} ({code})", grade.name())?;
    }
    for (title, lines) in [("Metrics", &report.metrics), ("Last events", &report.events)] {
        writeln!(out, "\n{title}")?;
        lines.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        if lines.is_empty() {
            writeln!(out, "  none: it does not run")?;
        }
    }
    Ok(())
}
