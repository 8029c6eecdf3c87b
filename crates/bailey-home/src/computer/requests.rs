//! Requests of the computer's programs, as the home decides on them: by the person's rules, or by the person, who is shown the request that
//! waits, byte for byte. Each is in the log. Nothing leaves that cannot be put there.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bailey_egress::{Ended, Head, Judge, Origin, Record, Ruling, Slot, Ticket, Whole};
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::http::{By, HttpRequest};
use bailey_gate::family::{Action, Family as _, Taint};
use bailey_gate::handoff::{HandoffLock, Mode, SystemEgress};
use bailey_gate::ledger::Claims;
use bailey_gate::{ActionId, Decision, Proposal, State};
use bailey_interface::RequestView;
use bailey_telemetry::event;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::executor::blocking;
use crate::home::{Home, fresh_action};

/// Requests that wait for the person at a time: what a person looks through. Further ones are refused.
const MAX_WAITING: usize = 8;
/// How long a request waits for the person.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15 * 60);
/// Requests that are kept to be looked at; the log has them all.
const MAX_RECENT: usize = 100;
/// Requests that may go within an hour. More are refused: it is no way of working, and each is an entry of the log.
const MAX_AN_HOUR: usize = 10_000;
/// Refused requests that each have an entry of the log within an hour; further ones are counted in the next entry.
const MAX_REFUSED_AN_HOUR: u64 = 1_000;
/// Entries on their way to the log. Where there are more, nothing leaves until they are there.
const MAX_UNRECORDED: usize = 1_024;
/// Entries that are written in one commit.
const AT_ONCE: usize = 64;
/// How long after an entry could not be written it is tried again.
const RETRY: Duration = Duration::from_secs(2);
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A request that waits, with whoever is told that it may go, and what tells what came of it.
struct Waiting {
    request: HttpRequest,
    go: oneshot::Sender<Ticket>,
    done: oneshot::Receiver<Record>,
    ticket: Ticket,
}

/// What went within the last day.
#[derive(Default)]
struct Went {
    /// When, and whether it only looked.
    all: VecDeque<(i64, bool)>,
    refused_since_ms: i64,
    refused: u64,
    /// Refused ones that have no entry of their own.
    left_out: u64,
}

/// The requests of one home's computer.
pub(crate) struct Requests {
    lock: Arc<HandoffLock>,
    home: OnceLock<Weak<Home>>,
    waiting: Mutex<BTreeMap<ActionId, Waiting>>,
    tickets: Mutex<BTreeMap<Ticket, oneshot::Sender<Record>>>,
    next: AtomicU64,
    under_way: AtomicUsize,
    recent: Mutex<VecDeque<RequestView>>,
    went: Mutex<Went>,
    to_log: mpsc::Sender<Payload>,
    from_log: Mutex<Option<mpsc::Receiver<Payload>>>,
    /// Whether something could not be written down.
    unrecorded: AtomicBool,
    recorded: Notify,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Requests {
    pub(crate) fn new(lock: Arc<HandoffLock>) -> Self {
        let (to_log, from_log) = mpsc::channel(MAX_UNRECORDED);
        Self {
            lock,
            home: OnceLock::new(),
            waiting: Mutex::default(),
            tickets: Mutex::default(),
            next: AtomicU64::new(1),
            under_way: AtomicUsize::new(0),
            recent: Mutex::default(),
            went: Mutex::default(),
            to_log,
            from_log: Mutex::new(Some(from_log)),
            unrecorded: AtomicBool::new(false),
            recorded: Notify::new(),
        }
    }

    pub(crate) fn belongs_to(&self, home: &Arc<Home>) {
        let _ = self.home.set(Arc::downgrade(home));
    }

    fn home(&self) -> Option<Arc<Home>> {
        self.home.get().and_then(Weak::upgrade)
    }

    /// Returns how many requests wait for the person.
    pub(crate) fn waiting(&self) -> u64 {
        locked(&self.waiting).len() as u64
    }

    /// Returns how many requests are under way, those that wait included.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    /// Returns the last requests, the newest first.
    pub(crate) fn recent(&self) -> Vec<RequestView> {
        locked(&self.recent).iter().rev().cloned().collect()
    }

    /// Makes a name for a request that may go, and what tells what comes of it.
    pub(super) fn ticket(&self) -> (Ticket, oneshot::Receiver<Record>) {
        let ticket = Ticket(self.next.fetch_add(1, Ordering::SeqCst));
        let (done, heard) = oneshot::channel();
        locked(&self.tickets).insert(ticket, done);
        (ticket, heard)
    }

    /// Takes the request that waits for a claim, if it is that one, byte for byte.
    fn taken(&self, id: &ActionId, request: &HttpRequest) -> Option<Waiting> {
        let mut waiting = locked(&self.waiting);
        if waiting.get(id).is_some_and(|one| one.request == *request) { waiting.remove(id) } else { None }
    }

    /// Lets the request of a claim go, and waits for what comes of it. `hand_off` is called with what lets it go.
    pub(super) async fn let_go(
        &self,
        id: &ActionId,
        request: &HttpRequest,
        hand_off: impl FnOnce(&mut dyn FnMut() -> bool) -> Result<(), String>,
    ) -> Result<Record, String> {
        let gone = || "the program that asked waits no more; nothing was sent".to_owned();
        let Waiting { go, done, ticket, .. } = self.taken(id, request).ok_or_else(gone)?;
        let mut go = Some(go);
        hand_off(&mut || go.take().is_some_and(|go| go.send(ticket).is_ok()))?;
        done.await.map_err(|_| "the computer ended before it was known what came of it".to_owned())
    }

    /// Counts those of a kind that went without the gate's own road.
    fn beside(&self, is_look: bool, now_ms: i64) -> Claims {
        let went = locked(&self.went);
        let count = |since: i64| went.all.iter().filter(|(at, look)| *at >= since && *look == is_look).count() as u64;
        Claims { today: count(now_ms - DAY_MS), hour: count(now_ms - HOUR_MS) }
    }

    /// Tells what a request is to the gate.
    fn action(&self, home: &Home, head: &Head, body: Vec<u8>) -> Result<HttpRequest, String> {
        let fields = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        let request = HttpRequest {
            by: By::Computer,
            method: head.method.as_str().to_owned(),
            origin: head.origin.to_string(),
            target: head.target.clone(),
            fields: fields.collect(),
            body,
            // Whatever lies in the computer was brought by somebody.
            behind: Taint { untrusted: true, confidential: home.room.has_secrets() },
        };
        request.check().map_err(|error| error.to_string())?;
        Ok(request)
    }

    /// Writes what happens into the log, as long as the home is open.
    pub(crate) async fn keep_records(self: Arc<Self>) {
        let Some(mut records) = locked(&self.from_log).take() else { return };
        let mut some = Vec::new();
        while records.recv_many(&mut some, AT_ONCE).await > 0 {
            loop {
                let Some(home) = self.home() else { return };
                let entries: Vec<Event> = some.iter().map(|payload| entry(&home, payload.clone())).collect();
                let ledger = Arc::clone(&home.ledger);
                let written = blocking(move || {
                    Ok(ledger.write(|tx| entries.iter().try_for_each(|entry| tx.append(entry, None).map(|_| ())))?)
                });
                match written.await {
                    Ok(()) => break,
                    Err(_) => {
                        self.unrecorded.store(true, Ordering::SeqCst);
                        event!(ERROR, "requests of the computer cannot be put into the log, so none leaves");
                        drop(home);
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
            some.clear();
            self.unrecorded.store(false, Ordering::SeqCst);
            self.recorded.notify_waiters();
            if let Some(home) = self.home() {
                home.changed();
            }
        }
    }
}

fn entry(home: &Home, payload: Payload) -> Event {
    let (now, pause_state) = (home.clock.now(), home.gate.lock().pause_state());
    Event { payload, ..Event::of_home(EventKind::Computer, Actor::Agent, now, pause_state) }
}

fn told(ended: &Ended) -> (&'static str, String) {
    match ended {
        Ended::Answered(status) => ("answered", status.to_string()),
        Ended::Refused(why) => ("refused", why.clone()),
        Ended::Failed(why) => ("failed", why.clone()),
    }
}

/// A request that waits: given up, it is taken back.
struct Asking<'a> {
    requests: &'a Requests,
    id: ActionId,
    ticket: Ticket,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        // Where it is there no more, it went.
        if locked(&self.requests.waiting).remove(&self.id).is_none() {
            return;
        }
        locked(&self.requests.tickets).remove(&self.ticket);
        let (Some(home), id) = (self.requests.home(), self.id) else { return };
        let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
        home.clone().spawn_detached(async move {
            // It may have been answered a moment ago.
            let _ = blocking(move || gate.cancel(&[id], now)).await;
            home.changed();
        });
    }
}

impl Judge for Requests {
    fn judge(&self, head: &Head) -> Ruling {
        let Some(home) = self.home() else { return Ruling::Refuse("the home is being closed".into()) };
        if self.unrecorded.load(Ordering::SeqCst) {
            return Ruling::Refuse("it cannot be put into the log now; see that the home's disk has room".into());
        }
        let request = match self.action(&home, head, Vec::new()) {
            Ok(request) => request,
            Err(why) => return Ruling::Refuse(why),
        };
        let now = home.clock.now();
        let beside = self.beside(request.is_look(), now.wall_ms);
        let hour = self.beside(true, now.wall_ms).hour + self.beside(false, now.wall_ms).hour;
        if hour >= MAX_AN_HOUR as u64 {
            return Ruling::Refuse(format!("{MAX_AN_HOUR} requests went within the last hour, and no more do"));
        }
        match home.gate.would(&Action::Http(request), home.room.task(), beside, now) {
            Ok(verdict) => match verdict.decision {
                Decision::Auto => Ruling::Go,
                Decision::Ask | Decision::AskWithStepUp => Ruling::Ask,
                Decision::Deny => Ruling::Refuse(explained(&home, &verdict.reasons)),
            },
            Err(error) => Ruling::Refuse(format!("the rules cannot be asked now ({error})")),
        }
    }

    fn may_tunnel(&self, _: &Origin) -> bool {
        // Nobody can name such a server yet: everything is read.
        false
    }

    async fn ask(&self, request: &Whole) -> Result<Ticket, String> {
        let home = self.home().ok_or("the home is being closed")?;
        let action = self.action(&home, &request.head, request.body.clone())?;
        let id = fresh_action().map_err(|error| error.to_string())?;
        let (ticket, done) = self.ticket();
        let (go, mut gone) = oneshot::channel();
        {
            let mut waiting = locked(&self.waiting);
            if waiting.len() >= MAX_WAITING {
                locked(&self.tickets).remove(&ticket);
                return Err(format!("{MAX_WAITING} requests wait for the person already, and no more do"));
            }
            waiting.insert(id, Waiting { request: action.clone(), go, done, ticket });
        }
        let asking = Asking { requests: self, id, ticket };
        let mut changes = home.changes();
        let proposal = Proposal {
            id,
            task: home.room.task(),
            account: None,
            precondition: Vec::new(),
            action: Action::Http(action),
            why: "A program in the agent's computer waits with it.".into(),
            actor: Actor::Agent,
        };
        let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
        let proposed = blocking(move || gate.ask(proposal, now)).await.map_err(|error| error.to_string())?;
        home.changed();
        event!(INFO, "a request of the computer waits for the person", state = proposed.state.name());
        let until = tokio::time::Instant::now() + ANSWERED_WITHIN;
        let answered = async {
            loop {
                changes.mark_unchanged();
                let row = home.ledger.action(&id).map_err(|error| error.to_string())?;
                match row.map(|record| record.row.state) {
                    Some(State::Denied) => return Err(explained(&home, &proposed.verdict.reasons)),
                    Some(State::Rejected) => return Err("the person refused it".to_owned()),
                    Some(State::Expired) => return Err("nobody answered in time".to_owned()),
                    Some(State::Cancelled | State::Superseded) => return Err("it was taken back".to_owned()),
                    None => return Err("it could not be asked about".to_owned()),
                    Some(_) => {}
                }
                if changes.changed().await.is_err() {
                    return Err("the home is being closed".to_owned());
                }
            }
        };
        let came = tokio::select! {
            biased;
            ticket = &mut gone => ticket.map_err(|_| "it was given up".to_owned()),
            why = answered => why,
            () = tokio::time::sleep_until(until) => Err("nobody answered in time".to_owned()),
        };
        drop(asking);
        came
    }

    fn slots(&self, _: &Origin) -> Vec<Slot> {
        Vec::new()
    }

    fn leave(&self, write: &mut dyn FnMut()) -> io::Result<()> {
        self.lock.system(SystemEgress::Computer, write).map_err(io::Error::other)
    }

    async fn changed(&self) {
        let Some(home) = self.home() else { return std::future::pending().await };
        let (mut resets, mut changes) = (home.vault.resets(), home.changes());
        drop(home);
        tokio::select! {
            _ = resets.changed() => {}
            _ = changes.changed() => {}
        }
    }

    fn begun(&self) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
    }

    fn record(&self, mut record: Record) {
        self.under_way.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).ok();
        let Some(home) = self.home() else { return };
        let now_ms = home.clock.now().wall_ms;
        if matches!(record.ended, Ended::Failed(_)) && self.lock.pause_state().mode != Mode::Open {
            record.ended = Ended::Failed("it was cut: everything is paused".into());
        }
        let (how, detail) = told(&record.ended);
        let view = RequestView {
            at_ms: now_ms,
            method: record.method.clone(),
            site: record.place.clone(),
            path: record.target.clone(),
            sent_bytes: record.bytes.0,
            received_bytes: record.bytes.1,
            asked: record.asked.is_some(),
            ended: how.into(),
            detail,
        };
        let left_out = {
            let mut went = locked(&self.went);
            if matches!(record.ended, Ended::Refused(_)) {
                if now_ms - went.refused_since_ms >= HOUR_MS {
                    (went.refused_since_ms, went.refused) = (now_ms, 0);
                }
                went.refused += 1;
                if went.refused > MAX_REFUSED_AN_HOUR {
                    went.left_out += 1;
                    None
                } else {
                    Some(std::mem::take(&mut went.left_out))
                }
            } else {
                if record.asked.is_none() {
                    went.all.push_back((now_ms, matches!(record.method.as_str(), "GET" | "HEAD")));
                    while went.all.front().is_some_and(|(at, _)| now_ms - at > DAY_MS)
                        || went.all.len() > 24 * MAX_AN_HOUR
                    {
                        went.all.pop_front();
                    }
                }
                Some(std::mem::take(&mut went.left_out))
            }
        };
        if let Some(left_out) = left_out {
            let mut payload = Payload::default()
                .text("what", "request")
                .text("method", view.method.clone())
                .text("site", view.site.clone())
                .text("path", view.path.clone())
                .text("sent", view.sent_bytes.to_string())
                .text("received", view.received_bytes.to_string())
                .text("asked", if view.asked { "yes" } else { "no" })
                .text("ended", view.ended.clone())
                .text("detail", view.detail.clone());
            if left_out > 0 {
                payload = payload.text("refused_besides", left_out.to_string());
            }
            if self.to_log.try_send(payload).is_err() {
                self.unrecorded.store(true, Ordering::SeqCst);
            }
        }
        {
            let mut recent = locked(&self.recent);
            recent.push_back(view);
            if recent.len() > MAX_RECENT {
                recent.pop_front();
            }
        }
        if let Some(done) = record.asked.and_then(|ticket| locked(&self.tickets).remove(&ticket)) {
            let _ = done.send(record);
        }
    }
}

fn explained(home: &Home, reasons: &[String]) -> String {
    let policy = home.policy.current();
    reasons.iter().map(|rule| policy.explain(rule).to_owned()).collect::<Vec<_>>().join(" ")
}
