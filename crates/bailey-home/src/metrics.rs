//! What is counted and logged of a home: steps of actions, requests, and how it is when somebody asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use bailey_gate::event::Event;
use bailey_gate::family::{ActionKind, Party, Taint};
use bailey_gate::ledger::{self, Job, Look, Row, StoreError, Turn, Tx, View};
use bailey_gate::{ActionId, GateError, State, TaskId};
use bailey_ledger::Ledger;
use bailey_model::ModelError;
use bailey_telemetry::{HomeState, Id, Instrument as _, Process, Route, Stopwatch, event, metrics, span};

use crate::home::Home;

/// Approved actions whose time is taken at once; of more, some are not measured.
const MAX_TIMED: usize = 10_000;
/// How long the store may take to say how it is, when it is asked.
const LOOKED_WITHIN: Duration = Duration::from_secs(2);
/// Held actions looked at for the one that is due longest: they are listed oldest first.
const MOST_HELD: u32 = 20;

/// States that an action leaves again.
const OPEN: [State; 9] = [
    State::Awaiting,
    State::Approved,
    State::Held,
    State::Claimed,
    State::Unknown,
    State::Reconciling,
    State::Undoing,
    State::NeedsPerson,
    State::Proposed,
];

/// Files of the store, in the folder of the home.
const FILES: [&str; 4] = ["ledger.db", "ledger.db-wal", "keys.db", "keys.db-wal"];

/// The store as the gate sees it: each step is counted and logged once it is durable.
pub(crate) struct Counted {
    pub(crate) ledger: Arc<Ledger>,
    /// Since when an action is approved.
    approved: Mutex<BTreeMap<ActionId, Stopwatch>>,
}

impl Counted {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger, approved: Mutex::default() }
    }

    fn moved(&self, step: &Step) {
        let mut approved = self.approved.lock().unwrap_or_else(PoisonError::into_inner);
        match step.state {
            State::Approved if approved.len() < MAX_TIMED => {
                approved.insert(step.id, Stopwatch::start());
            }
            State::Approved | State::Held => {}
            State::Claimed => {
                if let Some(since) = approved.remove(&step.id) {
                    metrics().released(step.kind.name(), since.elapsed());
                }
            }
            _ => {
                approved.remove(&step.id);
            }
        }
        drop(approved);
        metrics().moved(step.kind.name(), step.state.name());
        event!(
            INFO,
            "an action moved",
            action = Id::new(*step.id.as_bytes()),
            task = step.task.map(|task| Id::new(*task.as_bytes())),
            kind = step.kind.name(),
            state = step.state.name(),
        );
    }
}

impl ledger::Ledger for Counted {
    fn transact(&self, turn: Turn, job: Job<'_>) -> Result<(), StoreError> {
        let took = Stopwatch::start();
        let mut steps = Vec::new();
        let counting = &mut steps;
        let job: Job<'_> = Box::new(move |tx| job(&mut CountedTx { tx, steps: counting }));
        let done = self.ledger.transact(turn, job);
        // What moves nothing only looked.
        if !steps.is_empty() {
            metrics().committed(took.elapsed(), done.is_ok());
        }
        done?;
        steps.iter().for_each(|step| self.moved(step));
        Ok(())
    }

    fn look(&self, look: Look<'_>) -> Result<(), StoreError> {
        self.ledger.look(look)
    }

    fn content(&self, id: &ActionId) -> Result<Vec<u8>, StoreError> {
        ledger::Ledger::content(&*self.ledger, id)
    }
}

/// A step of an action within a transaction.
struct Step {
    id: ActionId,
    task: Option<TaskId>,
    kind: ActionKind,
    state: State,
}

impl From<&Row> for Step {
    fn from(row: &Row) -> Self {
        Self { id: row.id, task: row.task, kind: row.kind, state: row.state }
    }
}

struct CountedTx<'a> {
    tx: &'a mut dyn Tx,
    steps: &'a mut Vec<Step>,
}

impl Tx for CountedTx<'_> {
    fn view(&mut self) -> &mut dyn View {
        self.tx.view()
    }

    fn insert(&mut self, row: &Row, entry: Event) -> Result<(), StoreError> {
        self.tx.insert(row, entry)?;
        self.steps.push(row.into());
        Ok(())
    }

    fn step(&mut self, row: &Row, from: State, entry: Event) -> Result<(), StoreError> {
        self.tx.step(row, from, entry)?;
        self.steps.push(row.into());
        Ok(())
    }

    fn rows_in(&mut self, states: &[State]) -> Result<Vec<Row>, StoreError> {
        self.tx.rows_in(states)
    }

    fn log(&mut self, entry: Event) -> Result<(), StoreError> {
        self.tx.log(entry)
    }

    fn learn(&mut self, party: &Party, name: &str) -> Result<(), StoreError> {
        self.tx.learn(party, name)
    }

    fn mark(&mut self, task: &TaskId, added: Taint, counts: bool) -> Result<(), StoreError> {
        self.tx.mark(task, added, counts)
    }
}

/// Returns the name that the log has for an error of the gate. Its words may quote what was asked for.
pub(crate) const fn code(error: &GateError) -> &'static str {
    match error {
        GateError::Store(StoreError::Full) => "disk-full",
        GateError::Store(StoreError::Broken(_)) => "store-failed",
        GateError::Store(StoreError::Codec(_)) => "stored-bytes",
        GateError::Paused | GateError::PausedAnew => "paused",
        GateError::NoSuchAction(_) => "no-such-action",
        GateError::NoSuchConnection(_) => "no-such-connection",
        GateError::WrongState { .. } => "wrong-state",
        GateError::Changed(_) => "changed",
        GateError::Expired(_) => "expired",
        GateError::NotAuthorised | GateError::NoPasskey => "not-authorised",
        GateError::Guessing => "guessing",
        GateError::TooMany => "too-many",
        GateError::Malformed(_) => "malformed",
    }
}

/// Counts what came of a request to the model.
pub(crate) fn asked_model(answered: &Result<bailey_model::Answer, ModelError>, took: Duration) {
    let outcome = match answered {
        Ok(_) => "answered",
        Err(ModelError::Unreachable(_)) => "unreachable",
        Err(ModelError::Busy { .. }) => "busy",
        Err(ModelError::Refused(..)) => "refused",
        Err(ModelError::Garbled(_)) => "garbled",
        Err(ModelError::NotAgreed(_)) => "not-agreed",
        Err(ModelError::Paused) => "paused",
    };
    metrics().model_request(outcome, took);
    let (read, written) = answered.as_ref().map_or((0, 0), |answer| (answer.usage.input, answer.usage.output));
    metrics().model_tokens(read, written);
    event!(INFO, "the model was asked", outcome = outcome, ms = took, read = read, written = written);
}

static ROUTES: OnceLock<Vec<String>> = OnceLock::new();

/// Says once which routes there are: nothing else becomes a label.
pub(crate) fn know_routes(patterns: impl Iterator<Item = String>) {
    ROUTES.get_or_init(|| patterns.collect());
}

/// Returns the pattern of a request's route, never its path.
fn route(request: &Request) -> Route {
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let known = ROUTES.get().into_iter().flatten().find(|pattern| Some(pattern.as_str()) == matched);
    Route(known.map_or("other", |pattern| pattern.as_str()))
}

fn method(method: &Method) -> &'static str {
    let known = [(Method::GET, "GET"), (Method::POST, "POST"), (Method::PUT, "PUT"), (Method::DELETE, "DELETE")];
    known.into_iter().find(|(of, _)| of == method).map_or("other", |(_, name)| name)
}

/// Counts and logs each request.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (route, method, took) = (route(&request), method(request.method()), Stopwatch::start());
    let answering = async {
        let response = next.run(request).await;
        let (status, took) = (response.status().as_u16(), took.elapsed());
        metrics().request(route, method, status, took);
        event!(DEBUG, "a request was answered", route = route.0, method = method, status = status, ms = took);
        response
    };
    answering.instrument(span!("request", request = COUNT.fetch_add(1, Ordering::Relaxed))).await
}

impl Home {
    /// Returns everything that is counted, in the Prometheus text format. Where the store does not answer, without what is
    /// found there.
    pub async fn metrics(self: &Arc<Self>) -> String {
        let home = Arc::clone(self);
        let looking = tokio::task::spawn_blocking(move || home.state().ok());
        let state = tokio::time::timeout(LOOKED_WITHIN, looking).await;
        metrics().observe(state.ok().and_then(Result::ok).flatten().as_ref());
        metrics().render(Process::Home)
    }

    fn state(&self) -> Result<HomeState, StoreError> {
        let now = self.clock.now();
        let held = self.ledger.held_until(MOST_HELD)?;
        let oldest = held.iter().filter_map(|until| until.overdue(now)).max();
        let actions = OPEN.into_iter().map(|state| Ok((state.name(), self.ledger.count_in(state)?)));
        let bytes = |name| std::fs::metadata(self.layout.home().join(name)).map_or(0, |about| about.len());
        Ok(HomeState {
            mode: self.gate.lock().pause_state().mode.name(),
            actions: actions.collect::<Result<_, StoreError>>()?,
            approvals_waiting: self.ledger.count_in(State::Awaiting)?,
            oldest_due: Duration::from_millis(oldest.unwrap_or(0)),
            log_entries: self.ledger.head()?.0,
            store_bytes: FILES.into_iter().map(|name| (name, bytes(name))).collect(),
        })
    }
}
