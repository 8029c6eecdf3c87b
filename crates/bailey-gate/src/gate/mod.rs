//! The gate itself: the only road from a proposal to an effect.
//!
//! ```text
//! propose ──▶ (answer) ──▶ claim ──▶ hand-off ──▶ settle
//! ```
//! Every arrow is one durable commit, but for the hand-off, which lies between two of them.

mod answer;
mod claim;
mod facts;
mod propose;
mod stop;
mod weigh;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub use answer::{MAX_NOTE_BYTES, NOTE};
pub use claim::{Claiming, LEFT};
pub use propose::{FACTS, MAX_OFF_TASK_PER_TASK, Proposal, Proposed, UndoLeave};
pub use stop::{Found, PauseReport, Sweep};

use crate::approval::{Authority, ChallengeKey};
use crate::challenges::Challenges;
use crate::content::BoundContent;
use crate::event::{Actor, Event, EventKind, Payload};
use crate::handoff::{HandoffLock, PauseState};
use crate::ids::{ActionId, ConnectionId, HomeId};
use crate::ledger::{Ledger, PauseRecord, Row, StoreError, Turn, Tx, View};
use crate::policy::Policy;
use crate::state::State;
use crate::time::{Now, PersonContext};

/// Times the gate keeps, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long an action waits for the person. Days, because people have weekends.
    pub answer_ms: u64,
    /// How long an approved mail waits, so that "send" can be taken back.
    pub hold_ms: u64,
    /// How late a held action may still run by itself; later, the world may have moved on, and it asks again.
    pub late_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const SECOND: u64 = 1_000;
        Self { answer_ms: 7 * 24 * 3_600 * SECOND, hold_ms: 30 * SECOND, late_ms: 10 * 60 * SECOND }
    }
}

/// Why the gate did not do what it was asked. Nothing has left.
#[derive(Debug)]
pub enum GateError {
    /// The store failed; nothing of the step was kept.
    Store(StoreError),
    /// Everything is paused.
    Paused,
    /// The pause that was to be ended is not the last one.
    PausedAnew,
    /// No such action.
    NoSuchAction(ActionId),
    /// No such connection.
    NoSuchConnection(ConnectionId),
    /// The action is past, or not yet at, the wanted step.
    WrongState {
        /// Names the action.
        id: ActionId,
        /// Where it stands.
        state: State,
    },
    /// Differs: what is stored now is not what was shown.
    Changed(ActionId),
    /// The answer came too late.
    Expired(ActionId),
    /// No valid proof that the person answered.
    NotAuthorised,
    /// The answer is that of a passkey, and none is enrolled.
    NoPasskey,
    /// Too many wrong answers: none is looked at for a while.
    Guessing,
    /// More actions in one answer than a person reads.
    TooMany,
    /// The proposal breaks a rule of its kind.
    Malformed(String),
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Paused => f.write_str("everything is paused; resume first"),
            Self::PausedAnew => f.write_str(
                "everything was paused anew since you were asked, so it stays paused; look at `bailey log`, then run `bailey resume` again",
            ),
            Self::NoSuchAction(id) => write!(f, "there is no action `{id}`; list them with `bailey log`"),
            Self::NoSuchConnection(id) => {
                write!(f, "there is no connection `{id}`; list them with `bailey connections`")
            }
            Self::WrongState { id, state } => write!(
                f,
                "action `{id}` is {} by now, so nothing was changed: it was answered elsewhere, or went on; look at it again",
                state.name()
            ),
            Self::Changed(id) => write!(
                f,
                "action `{id}` is not what was shown, so the whole answer was refused; look at the approvals again"
            ),
            Self::Expired(id) => write!(f, "action `{id}` waited too long and has expired; give the task again"),
            Self::NotAuthorised => {
                f.write_str("the approval passphrase is wrong, or the question was open for too long; try again.")
            }
            Self::NoPasskey => {
                f.write_str("no passkey is enrolled in this home; answer with the approval passphrase")
            }
            Self::Guessing => write!(
                f,
                "there were {} wrong answers within {} minutes from this kind of client, so none from there is looked at for that long; try again then. If they were not yours, a program of this account is guessing: look at `bailey log list` and end it. `bailey pause` and `bailey revoke` work all the same",
                crate::approval::MAX_WRONG,
                crate::approval::WRONG_WITHIN_MS / 60_000
            ),
            Self::TooMany => {
                write!(f, "more than {} actions in one answer; answer them in parts", crate::approval::MAX_ANSWERED)
            }
            Self::Malformed(why) => write!(f, "the action cannot be done: {why}"),
        }
    }
}

impl std::error::Error for GateError {}

impl From<StoreError> for GateError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The parts a gate is composed of. Only the home puts them together.
pub struct Parts {
    /// Whose gate it is.
    pub home: HomeId,
    /// Where everything is recorded.
    pub ledger: Arc<dyn Ledger>,
    /// Decides what may run.
    pub policy: Arc<dyn Policy>,
    /// Who may approve.
    pub authority: Arc<dyn Authority>,
    /// The pause record on disk.
    pub record: Arc<dyn PauseRecord>,
    /// The pause state as the pause record had it.
    pub pause_state: PauseState,
    /// The times to keep.
    pub limits: Limits,
    /// Where and when the person lives, and whether they are there.
    pub person_context: Arc<dyn PersonContext>,
    /// Makes the challenges of this run.
    pub challenge_key: ChallengeKey,
}

/// The reference monitor of one home.
pub struct Gate {
    home: HomeId,
    ledger: Arc<dyn Ledger>,
    policy: Arc<dyn Policy>,
    authority: Arc<dyn Authority>,
    record: Arc<dyn PauseRecord>,
    lock: Arc<HandoffLock>,
    limits: Limits,
    /// How long an approved mail waits, in milliseconds: [`Limits::hold_ms`], until it is set anew.
    hold_ms: AtomicU64,
    person_context: Arc<dyn PersonContext>,
    challenges: Mutex<Challenges>,
    readings: facts::Readings,
    /// A pause that the log could not be told of yet.
    unlogged: Mutex<Option<Event>>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("home", &self.home)
            .field("pause_state", &self.lock.pause_state())
            .finish_non_exhaustive()
    }
}

impl Gate {
    /// Composes the gate of a home.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            home: parts.home,
            ledger: parts.ledger,
            policy: parts.policy,
            authority: parts.authority,
            record: parts.record,
            lock: Arc::new(HandoffLock::new(parts.pause_state)),
            limits: parts.limits,
            hold_ms: AtomicU64::new(parts.limits.hold_ms),
            person_context: parts.person_context,
            challenges: Mutex::new(Challenges::new(parts.challenge_key)),
            readings: facts::Readings::default(),
            unlogged: Mutex::default(),
        }
    }

    /// Tells whose gate this is.
    #[must_use]
    pub const fn home(&self) -> HomeId {
        self.home
    }

    /// Sets how long an approved mail waits, in milliseconds. One that waits already keeps its time.
    pub fn set_hold(&self, ms: u64) {
        self.hold_ms.store(ms, Ordering::SeqCst);
    }

    /// Returns the lock every way out goes through.
    #[must_use]
    pub fn lock(&self) -> Arc<HandoffLock> {
        Arc::clone(&self.lock)
    }

    /// Runs `work` in one transaction and returns when it is durable.
    fn commit<T: Send>(&self, work: impl FnOnce(&mut dyn Tx) -> Result<T, GateError> + Send) -> Result<T, GateError> {
        self.commit_at(Turn::InLine, work)
    }

    fn commit_at<T: Send>(
        &self,
        turn: Turn,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, GateError> + Send,
    ) -> Result<T, GateError> {
        let mut result = None;
        let slot = &mut result;
        let job = move |tx: &mut dyn Tx| match work(tx) {
            Ok(value) => {
                *slot = Some(Ok(value));
                Ok(())
            }
            Err(GateError::Store(error)) => Err(error),
            Err(refused) => {
                *slot = Some(Err(refused));
                Err(StoreError::Broken("refused by the gate".into()))
            }
        };
        let durable = self.ledger.transact(turn, Box::new(job));
        match (durable, result) {
            (_, Some(Err(refused))) => Err(refused),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::Broken("the store did not run the step".into()).into()),
        }
    }

    /// Reads outside of any transaction.
    fn look<T: Send>(&self, read: impl FnOnce(&mut dyn View) -> Result<T, GateError> + Send) -> Result<T, GateError> {
        let mut result = None;
        let slot = &mut result;
        self.ledger.look(Box::new(move |view| {
            *slot = Some(read(view));
            Ok(())
        }))?;
        result.unwrap_or_else(|| Err(StoreError::Broken("the store did not run the look".into()).into()))
    }

    /// Reads a content, outside of any transaction: decoding, rendering and hashing keep nobody waiting. `None` where it cannot
    /// be read as one.
    fn read(&self, id: &ActionId) -> Result<Option<BoundContent>, GateError> {
        Ok(BoundContent::read(&self.ledger.content(id)?).ok())
    }

    /// Takes one row, and whether the content that was read for it is the one the row is bound to.
    fn load(&self, tx: &mut dyn Tx, id: &ActionId, read: Option<&BoundContent>) -> Result<(Row, bool), GateError> {
        let row = row_of(tx, id)?;
        // INVARIANT: content that does not decode, or does not hash to what was approved, is not used for anything.
        let bound = read.is_some_and(|read| {
            read.content.home == self.home && read.content.id == row.id && read.digest == row.digest
        });
        Ok((row, bound))
    }

    /// Returns an entry about a row as it is now.
    fn entry(&self, kind: EventKind, actor: Actor, row: &Row, now: Now, payload: Payload) -> Event {
        Event {
            task: row.task,
            action: Some(row.id),
            attempt: row.attempt,
            account: row.account,
            tool: Some(row.kind),
            class: Some(row.class),
            approval: row.approval,
            payload,
            ..Event::of_home(kind, actor, now, self.lock.pause_state())
        }
    }

    /// Moves a row one legal step, with its entry; `explain` fills in what the step has to say.
    fn step(
        &self,
        tx: &mut dyn Tx,
        row: &mut Row,
        to: State,
        actor: Actor,
        now: Now,
        explain: impl FnOnce(Event) -> Event,
    ) -> Result<(), GateError> {
        let from = row.state;
        if !from.may_become(to) {
            return Err(GateError::WrongState { id: row.id, state: from });
        }
        row.state = to;
        if to != State::Held {
            row.held = None;
        }
        let entry = Event {
            from: Some(from),
            to: Some(to),
            ..self.entry(EventKind::Step, actor, row, now, Payload::default())
        };
        tx.step(row, from, explain(entry)).map_err(GateError::from)
    }
}

/// Returns one row, which has to be there.
fn row_of(tx: &mut dyn Tx, id: &ActionId) -> Result<Row, GateError> {
    tx.view().row(id)?.ok_or(GateError::NoSuchAction(*id))
}

/// Reason names the gate itself gives, beside those of the policy's rules.
pub mod reason {
    /// Too many questions of one task are waiting already.
    pub const FLOOD: &str = "gate.too-many-waiting";
    /// Much hangs on it, so it needs the person's presence for this very answer.
    pub const STEP_UP: &str = "gate.critical-needs-step-up";
    /// The task asked for too many things that its words do not name.
    pub const BURST: &str = "gate.off-task-limit";
    /// A proof of the person was wrong or came too late.
    pub const WRONG_PROOF: &str = "gate.wrong-proof";
    /// An undo of it began or ended.
    pub const UNDO: &str = "gate.undo";
    /// The action it would undo did not happen, or is undone already.
    pub const NOTHING_TO_UNDO: &str = "gate.nothing-to-undo";
    /// It only looked, and was interrupted; nothing is another for it.
    pub const READ_INTERRUPTED: &str = "gate.read-interrupted";
    /// The person approved it.
    pub const PERSON: &str = "gate.person-approved";
    /// The person refused it.
    pub const REFUSED: &str = "gate.person-refused";
    /// The person took it back.
    pub const TAKEN_BACK: &str = "gate.taken-back";
    /// The person replaced it by an edited action.
    pub const EDITED: &str = "gate.edited";
    /// Nobody answered, or it did not run, in time.
    pub const TOO_LATE: &str = "gate.too-late";
    /// The stored content no longer hashes to what was shown.
    pub const CHANGED: &str = "gate.content-changed";
    /// The grant was changed or revoked since.
    pub const GRANT: &str = "gate.grant-changed";
    /// A program waits with it for the person.
    pub const ASKED: &str = "gate.asked";
    /// It waits out its hold window.
    pub const HOLD: &str = "gate.hold-window";
    /// Its hold window ended while nobody could act on it.
    pub const OVERDUE: &str = "gate.hold-overdue";
    /// There was a pause since it was approved.
    pub const PAUSED: &str = "gate.paused-since";
    /// It was approved before the machine was started, or this is a copy: whoever kept it may have done it since.
    pub const OTHER_RUN: &str = "gate.approved-before-this-run";
    /// The process ended between claim and outcome.
    pub const INTERRUPTED: &str = "gate.interrupted";
    /// The effect lies in the home's own database and happened in the claiming commit.
    pub const LOCAL: &str = "gate.local-effect";
    /// The other side does not show it, which proves nothing.
    pub const NOT_FOUND: &str = "gate.not-found-proves-nothing";
    /// The other side shows it.
    pub const FOUND: &str = "gate.found";
    /// The person said what happened.
    pub const PERSON_SAYS: &str = "gate.person-says";
    /// The person corrected what they had said.
    pub const PERSON_CORRECTS: &str = "gate.person-corrects";
    /// An older database was put in the place of a newer one.
    pub const ROLLED_BACK: &str = "gate.rolled-back";
}
