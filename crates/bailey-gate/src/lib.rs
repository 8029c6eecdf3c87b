//! The reference monitor of Bailey.
//!
//! Whatever drives the agent can only *propose* actions. This crate decides, binds the person's approval to exact bytes,
//! records the intent before the effect, lets one effect happen, and records what came of it. It is a synchronous
//! decider: time, randomness, storage and network are parameters.
//!
//! Invariant of absence: the gate never awaits, reads no clock, opens no file or socket and parses no JSON.

pub mod approval;
mod challenges;
pub mod codec;
pub mod content;
pub mod event;
pub mod family;
mod gate;
pub mod ground;
pub mod handoff;
mod ids;
pub mod intent;
pub mod ledger;
mod named;
mod permit;
pub mod place;
pub mod policy;
mod preview;
mod state;
mod time;
mod verdict;

pub use gate::{
    Claiming, FACTS, Found, Gate, GateError, LEFT, Limits, MAX_NOTE_BYTES, MAX_OFF_TASK_PER_TASK, NOTE, Parts,
    PauseReport, Proposal, Proposed, Sweep, UndoLeave, reason,
};
pub use ids::{ActionId, BadId, Challenge, ConnectionId, Digest, HomeId, Nonce, ScheduleId, TaskId};
pub use permit::{Claimed, Connector, Effect, Execution, Outcome, Permit, Settled};
pub use preview::{Item, Preview};
pub use state::{State, TRANSITIONS};
pub use time::{Deadline, LocalTime, Now, PersonContext, StaticContext, Weekday};
pub use verdict::{Class, Decision, Evidence, Ruling, Verdict};
