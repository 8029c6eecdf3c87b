//! What is counted, in the Prometheus text format. Every label is one of a bounded set of names that stand in the source; none is
//! an id. Counting takes an atomic addition and a lock that is shared and short; what is given to whoever asks is put together in
//! memory first, so nobody who counts waits for whoever reads.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::{Duration, Instant};

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::Process;

/// The content type of what [`Metrics::render`] gives.
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds for what is answered or stored, in seconds: from half a millisecond to ten seconds.
const QUICK: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds for what a model, a service or a hold window takes, in seconds: from ten milliseconds to an hour.
const SLOW: [f64; 14] = [0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0];

/// The pattern of a route, such as `/v1/actions/{id}`; never the path of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route(pub &'static str);

/// What came of a request that the gateway took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Passed on, and answered by the home.
    Passed,
    /// Refused by the gateway itself.
    Refused,
    /// The home could not be reached, or broke off.
    Unanswered,
}

impl Outcome {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
        }
    }
}

/// How a home is at the moment it is asked.
#[derive(Debug, Clone, Default)]
pub struct HomeState {
    /// `open`, `paused` or `resuming`.
    pub mode: &'static str,
    /// Actions in each state that is not final.
    pub actions: Vec<(&'static str, u64)>,
    /// Actions that wait for the person.
    pub approvals_waiting: u64,
    /// How long the oldest action that is due has been; zero where none is.
    pub oldest_due: Duration,
    /// Entries in the log.
    pub log_entries: u64,
    /// Bytes of each file of the store.
    pub store_bytes: Vec<(&'static str, u64)>,
}

/// Measures how long something takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "durations are measured, and nothing is decided by them")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the time since it was started.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

macro_rules! labels {
    ($($name:ident { $($field:ident: $ty:ty),+ })*) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $name { $($field: $ty),+ }
    )*};
}

labels! {
    Version { version: &'static str }
    LevelLabel { level: &'static str }
    ProcessLabel { process: &'static str }
    RouteLabel { route: &'static str }
    RequestLabel { route: &'static str, method: &'static str, status: u16 }
    Move { kind: &'static str, state: &'static str }
    StateLabel { state: &'static str }
    KindLabel { kind: &'static str }
    ModeLabel { mode: &'static str }
    OutcomeLabel { outcome: &'static str }
    Direction { direction: &'static str }
    Reason { reason: &'static str }
    FileLabel { file: &'static str }
}

/// Every mode of a home, so that the ones it is not in are zero.
const MODES: [&str; 3] = ["open", "paused", "resuming"];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The metrics of this process.
pub struct Metrics {
    common: Registry,
    home: Registry,
    gateway: Registry,
    log_events: Family<LevelLabel, Counter>,
    log_dropped: Counter,
    restarts: Family<ProcessLabel, Counter>,
    requests: Family<RequestLabel, Counter>,
    request_seconds: Histograms<RouteLabel>,
    moves: Family<Move, Counter>,
    handoff_seconds: Histograms<KindLabel>,
    model_requests: Family<OutcomeLabel, Counter>,
    model_seconds: Histogram,
    model_tokens: Family<Direction, Counter>,
    commit_seconds: Histogram,
    commits_failed: Counter,
    egress_refused: Family<Reason, Counter>,
    actions: Family<StateLabel, Gauge>,
    mode: Family<ModeLabel, Gauge>,
    approvals_waiting: Gauge,
    oldest_due: Gauge<f64, AtomicU64>,
    log_entries: Gauge<i64, AtomicI64>,
    store_bytes: Family<FileLabel, Gauge>,
    incomplete: Gauge,
    gateway_requests: Family<OutcomeLabel, Counter>,
    gateway_seconds: Histogram,
    gateway_connections: Gauge,
}

/// Returns the metrics of this process.
pub fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(Metrics::new)
}

fn quick() -> Histogram {
    Histogram::new(QUICK)
}

fn slow() -> Histogram {
    Histogram::new(SLOW)
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Metrics {
    fn new() -> Self {
        let mut all = Self {
            common: Registry::with_prefix("bailey"),
            home: Registry::with_prefix("bailey"),
            gateway: Registry::with_prefix("bailey"),
            log_events: Family::default(),
            log_dropped: Counter::default(),
            restarts: Family::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(quick as fn() -> Histogram),
            moves: Family::default(),
            handoff_seconds: Family::new_with_constructor(slow as fn() -> Histogram),
            model_requests: Family::default(),
            model_seconds: slow(),
            model_tokens: Family::default(),
            commit_seconds: quick(),
            commits_failed: Counter::default(),
            egress_refused: Family::default(),
            actions: Family::default(),
            mode: Family::default(),
            approvals_waiting: Gauge::default(),
            oldest_due: Gauge::default(),
            log_entries: Gauge::default(),
            store_bytes: Family::default(),
            incomplete: Gauge::default(),
            gateway_requests: Family::default(),
            gateway_seconds: quick(),
            gateway_connections: Gauge::default(),
        };
        all.register_common();
        all.register_home();
        all.register_gateway();
        all
    }

    fn register_common(&mut self) {
        let about = Family::<Version, Gauge>::default();
        about.get_or_create(&Version { version: env!("CARGO_PKG_VERSION") }).set(1);
        let to = &mut self.common;
        to.register("build_info", "The version that runs", about);
        to.register("process_restarts", "Restarts of this process by its supervisor", self.restarts.clone());
        to.register("log_events", "Log events by level", self.log_events.clone());
        to.register("log_lines_dropped", "Log lines that nobody read in time", self.log_dropped.clone());
    }

    fn register_home(&mut self) {
        let to = &mut self.home;
        to.register("http_requests", "Requests by route, method and status", self.requests.clone());
        to.register("http_request_duration_seconds", "Time to answer a request", self.request_seconds.clone());
        to.register("action_transitions", "Steps of actions, by kind and the state they led to", self.moves.clone());
        to.register("actions", "Actions in each state that is not final", self.actions.clone());
        to.register("approvals_waiting", "Actions that wait for the person", self.approvals_waiting.clone());
        to.register(
            "approval_to_handoff_seconds",
            "Time from the approval of an action, by the person or by rules, to its release for the hand-off",
            self.handoff_seconds.clone(),
        );
        to.register("oldest_due_action_seconds", "Age of the oldest action that is due", self.oldest_due.clone());
        to.register("mode", "1 for the mode the home is in", self.mode.clone());
        to.register("model_requests", "Requests to the model by outcome", self.model_requests.clone());
        to.register("model_request_duration_seconds", "Time of a model request", self.model_seconds.clone());
        to.register("model_tokens", "Tokens the model read and wrote", self.model_tokens.clone());
        to.register(
            "ledger_commit_duration_seconds",
            "Time from a step of an action to its being durable, with its wait for the writer",
            self.commit_seconds.clone(),
        );
        to.register("ledger_commits_failed", "Steps that could not be recorded", self.commits_failed.clone());
        to.register("egress_refused", "Writes that the egress guard refused, by reason", self.egress_refused.clone());
        to.register("log_entries", "Entries in the home's log", self.log_entries.clone());
        to.register("store_bytes", "Bytes of each file of the store", self.store_bytes.clone());
        to.register("scrape_incomplete", "1 where the store did not answer in time", self.incomplete.clone());
    }

    fn register_gateway(&mut self) {
        let to = &mut self.gateway;
        to.register("gateway_requests", "Requests by what came of them", self.gateway_requests.clone());
        to.register("gateway_request_duration_seconds", "Time to answer a request", self.gateway_seconds.clone());
        to.register("gateway_connections", "Open connections", self.gateway_connections.clone());
    }

    /// Returns everything that a process counts, in the Prometheus text format, version 0.0.4.
    #[must_use]
    pub fn render(&self, process: Process) -> String {
        let own = match process {
            Process::Home => Some(&self.home),
            Process::Gateway => Some(&self.gateway),
            Process::Supervisor => None,
        };
        let mut out = String::new();
        for registry in [Some(&self.common), own].into_iter().flatten() {
            // Writing to a `String` does not fail.
            let _ = prometheus_text::encode(&mut out, registry);
        }
        out
    }

    pub(crate) fn logged(&self, level: &'static str) {
        self.log_events.get_or_create(&LevelLabel { level }).inc();
    }

    /// Counts a log line that was dropped.
    pub fn line_dropped(&self) {
        self.log_dropped.inc();
    }

    /// Sets how often the supervisor started this process again.
    pub fn restarted(&self, process: Process, times: u64) {
        self.restarts.get_or_create(&ProcessLabel { process: process.name() }).inc_by(times);
    }

    /// Counts an answered request.
    pub fn request(&self, route: Route, method: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabel { route: route.0, method, status }).inc();
        self.request_seconds.get_or_create(&RouteLabel { route: route.0 }).observe(took.as_secs_f64());
    }

    /// Counts a step of an action.
    pub fn moved(&self, kind: &'static str, state: &'static str) {
        self.moves.get_or_create(&Move { kind, state }).inc();
    }

    /// Notes how long an approved action took until it was released for its hand-off.
    pub fn released(&self, kind: &'static str, after: Duration) {
        self.handoff_seconds.get_or_create(&KindLabel { kind }).observe(after.as_secs_f64());
    }

    /// Counts a request to the model.
    pub fn model_request(&self, outcome: &'static str, took: Duration) {
        self.model_requests.get_or_create(&OutcomeLabel { outcome }).inc();
        self.model_seconds.observe(took.as_secs_f64());
    }

    /// Counts tokens of an answer.
    pub fn model_tokens(&self, read: u64, written: u64) {
        self.model_tokens.get_or_create(&Direction { direction: "input" }).inc_by(read);
        self.model_tokens.get_or_create(&Direction { direction: "output" }).inc_by(written);
    }

    /// Notes a step of the store: how long until it was durable, or that it was not.
    pub fn committed(&self, took: Duration, durable: bool) {
        self.commit_seconds.observe(took.as_secs_f64());
        if !durable {
            self.commits_failed.inc();
        }
    }

    /// Counts a write that the egress guard refused.
    pub fn egress_refused(&self, reason: &'static str) {
        self.egress_refused.get_or_create(&Reason { reason }).inc();
    }

    /// Sets what is known of the home by looking; `None` where the store did not answer in time.
    pub fn observe(&self, state: Option<&HomeState>) {
        self.incomplete.set(i64::from(state.is_none()));
        let Some(state) = state else { return };
        for mode in MODES {
            self.mode.get_or_create(&ModeLabel { mode }).set(i64::from(mode == state.mode));
        }
        for (name, n) in &state.actions {
            self.actions.get_or_create(&StateLabel { state: name }).set(count(*n));
        }
        self.approvals_waiting.set(count(state.approvals_waiting));
        self.oldest_due.set(state.oldest_due.as_secs_f64());
        self.log_entries.set(count(state.log_entries));
        for (file, bytes) in &state.store_bytes {
            self.store_bytes.get_or_create(&FileLabel { file }).set(count(*bytes));
        }
    }

    /// Counts a request that the gateway took.
    pub fn gateway_request(&self, outcome: Outcome, took: Duration) {
        self.gateway_requests.get_or_create(&OutcomeLabel { outcome: outcome.name() }).inc();
        self.gateway_seconds.observe(took.as_secs_f64());
    }

    /// Notes that a connection was opened; [`Self::gateway_closed`] ends it.
    pub fn gateway_opened(&self) {
        self.gateway_connections.inc();
    }

    /// Notes that a connection was closed.
    pub fn gateway_closed(&self) {
        self.gateway_connections.dec();
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
