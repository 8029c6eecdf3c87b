//! Stopping, starting again, and finding out what happened in between.

use std::sync::{MutexGuard, PoisonError};

use super::{Gate, GateError, reason, row_of};
use crate::approval::{Proof, Purpose};
use crate::event::{Actor, Event, EventKind, Payload};
use crate::handoff::{Mode, PauseState};
use crate::ids::{ActionId, ConnectionId};
use crate::ledger::Turn;
use crate::state::State;
use crate::time::Now;

/// Reports what pausing achieved. Whatever it says, no hand-off starts any more in this process.
#[derive(Debug)]
#[must_use]
pub struct PauseReport {
    /// The epoch that began.
    pub pause_state: PauseState,
    /// Tells whether the record that survives a restart was written.
    pub recorded: Result<(), String>,
    /// Tells whether the log has an entry; on a full disk it cannot.
    pub logged: Result<(), GateError>,
    /// Actions claimed and not settled at that moment: bytes handed over before may still land.
    pub in_flight: Vec<ActionId>,
}

/// Reports what a look-up at the other side found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is there: it happened.
    Yes,
    /// It is not to be seen, or could not be looked up. Proves nothing.
    No,
}

/// Lists what [`Gate::restart`] and [`Gate::expire`] moved.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Outcome unknown.
    pub unknown: Vec<ActionId>,
    /// Expired.
    pub expired: Vec<ActionId>,
    /// Approval void; asks again.
    pub asked_again: Vec<ActionId>,
}

impl Gate {
    /// Stops everything. When this returns, no hand-off of an earlier claim can start, in this process or after a crash.
    ///
    /// `cut` ends what is open: it runs when the pause state is shut, before anything is recorded, and must not block.
    pub fn pause(&self, actor: Actor, now: Now, cut: impl FnOnce()) -> PauseReport {
        // Memory first: from here on nothing starts, even if everything below fails.
        let pause_state = self.lock.pause();
        cut();
        let recorded = self.record.write(true, pause_state.epoch);
        let mut in_flight = Vec::new();
        let entry = Event::of_home(EventKind::Paused, actor, now, pause_state);
        let logged = self.commit_at(Turn::First, |tx| {
            in_flight = tx.rows_in(&[State::Claimed])?.into_iter().map(|row| row.id).collect();
            Ok(tx.log(entry.clone())?)
        });
        *self.unlogged() = logged.is_err().then_some(entry);
        PauseReport { pause_state, recorded, logged, in_flight }
    }

    fn unlogged(&self) -> MutexGuard<'_, Option<Event>> {
        self.unlogged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the log of a pause that it could not be told of at the time, for a full disk, say.
    fn log_what_is_missing(&self) -> Result<(), GateError> {
        let Some(entry) = self.unlogged().clone() else { return Ok(()) };
        let epoch = entry.epoch;
        self.commit(|tx| {
            // INVARIANT: not behind a resume that has told the log of it meanwhile.
            let still_missing = self.unlogged().as_ref().is_some_and(|missing| missing.epoch == epoch);
            if still_missing { Ok(tx.log(entry)?) } else { Ok(()) }
        })?;
        // A later pause may have come meanwhile, and be missing itself.
        self.unlogged().take_if(|missing| missing.epoch == epoch);
        Ok(())
    }

    /// Does the first half of resuming: look-ups may leave, claims may not. Needs the person, who ends the pause of this `epoch`: an
    /// answer that comes late, or again, ends no later one.
    pub fn begin_resume(&self, epoch: u64, proof: &Proof, now: Now) -> Result<PauseState, GateError> {
        let pause_state = self.lock.pause_state();
        if pause_state.epoch != epoch {
            return Err(GateError::PausedAnew);
        }
        // Where nothing is paused, too: an answer is used up by being given.
        let authorised = self.authorise(&Purpose::Resume { epoch }, proof, now)?;
        if pause_state.mode == Mode::Open {
            return Ok(pause_state);
        }
        self.log_what_is_missing()?;
        self.commit(|tx| Ok(tx.log(authorised.entry(EventKind::Resuming, now, pause_state, Payload::default()))?))?;
        // Not where another answer to the same pause was here first: then it goes on from there.
        self.lock.advance(epoch, Mode::Resuming);
        let pause_state = self.lock.pause_state();
        if pause_state.epoch == epoch { Ok(pause_state) } else { Err(GateError::PausedAnew) }
    }

    /// Does the second half: everything approved before asks again, then effects may leave. Where another answer to the same pause was
    /// faster, nothing is left to do.
    ///
    /// Refused if there was another pause since `epoch`.
    pub fn finish_resume(&self, epoch: u64, now: Now) -> Result<Sweep, GateError> {
        let left_to_do = || {
            let pause_state = self.lock.pause_state();
            match pause_state.mode {
                Mode::Resuming if pause_state.epoch == epoch => Ok(Some(pause_state)),
                Mode::Open if pause_state.epoch == epoch => Ok(None),
                _ => Err(GateError::Paused),
            }
        };
        if left_to_do()?.is_none() {
            return Ok(Sweep::default());
        }
        let asked_again = self.revoke_approvals(reason::PAUSED, now)?;
        self.commit(|tx| {
            // INVARIANT: the log's last word is that of the pause state. A pause that comes after this look writes its entry behind
            // this one.
            let Some(pause_state) = left_to_do()? else { return Ok(()) };
            Ok(tx.log(Event::of_home(EventKind::Resumed, Actor::Home, now, pause_state))?)
        })?;
        // The record before memory: a crash in between comes up open, after everything has asked again and the log says so.
        if let Err(why) = self.record.write(false, epoch) {
            left_to_do()?;
            return Err(GateError::Store(crate::ledger::StoreError::Broken(why)));
        }
        if !self.lock.advance(epoch, Mode::Open) {
            left_to_do()?;
        }
        Ok(Sweep { asked_again, ..Sweep::default() })
    }

    /// Revokes approvals that have not been used, which ask again: after a pause, and where the folder may be a copy. Returns which.
    pub fn revoke_approvals(&self, why: &'static str, now: Now) -> Result<Vec<ActionId>, GateError> {
        self.commit(|tx| {
            let mut asked = Vec::new();
            for row in tx.rows_in(&[State::Approved, State::Held])? {
                asked.push(row.id);
                let _turned = self.turn(tx, row, State::Awaiting, why, now)?;
            }
            Ok(asked)
        })
    }

    /// Denies everything that has not run on a connection whose grant is over. Returns which.
    pub fn deny_connection(&self, connection: &ConnectionId, now: Now) -> Result<Vec<ActionId>, GateError> {
        self.commit(|tx| {
            let mut denied = Vec::new();
            for row in tx.rows_in(&[State::Awaiting, State::Approved, State::Held])? {
                if row.account.is_some_and(|(id, _)| id == *connection) {
                    denied.push(row.id);
                    let _turned = self.turn(tx, row, State::Denied, reason::GRANT, now)?;
                }
            }
            Ok(denied)
        })
    }

    /// Cancels every proposal that has not run: what an older copy of the database says about them is not to be believed. Returns which.
    pub fn cancel_pending(&self, now: Now) -> Result<Vec<ActionId>, GateError> {
        self.commit(|tx| {
            let mut voided = Vec::new();
            for row in tx.rows_in(&[State::Awaiting, State::Approved, State::Held])? {
                voided.push(row.id);
                let _turned = self.turn(tx, row, State::Cancelled, reason::ROLLED_BACK, now)?;
            }
            Ok(voided)
        })
    }

    /// Marks as unknown, at start, whatever was claimed and not settled; a look counts as not executed, for it may be done again.
    pub fn restart(&self, now: Now) -> Result<Sweep, GateError> {
        self.commit(|tx| {
            let mut unknown = Vec::new();
            for row in tx.rows_in(&[State::Claimed, State::Reconciling])? {
                if row.kind.is_read() {
                    let _turned = self.turn(tx, row, State::NotExecuted, reason::READ_INTERRUPTED, now)?;
                    continue;
                }
                unknown.push(row.id);
                let _turned = self.turn(tx, row, State::Unknown, reason::INTERRUPTED, now)?;
            }
            Ok(Sweep { unknown, ..Sweep::default() })
        })
    }

    /// Expires what waited too long, and logs a pause that there was no room for.
    pub fn expire(&self, now: Now) -> Result<Sweep, GateError> {
        self.log_what_is_missing()?;
        self.commit(|tx| {
            let mut expired = Vec::new();
            for row in tx.rows_in(&[State::Awaiting, State::Approved, State::Held])? {
                if row.expires.overdue(now).is_some() {
                    expired.push(row.id);
                    let _turned = self.turn(tx, row, State::Expired, reason::TOO_LATE, now)?;
                }
            }
            Ok(Sweep { expired, ..Sweep::default() })
        })
    }

    /// Lists actions whose outcome is not known and has not been looked up.
    pub fn unknown(&self) -> Result<Vec<ActionId>, GateError> {
        self.commit(|tx| Ok(tx.rows_in(&[State::Unknown])?.into_iter().map(|row| row.id).collect()))
    }

    /// Records the result of looking an unknown outcome up, and returns the state it came to. Not finding it hands the question to the
    /// person.
    ///
    /// Errors: [`GateError::WrongState`] where the outcome is not unknown.
    pub fn reconcile(&self, id: &ActionId, found: Found, detail: &str, now: Now) -> Result<State, GateError> {
        self.commit(|tx| {
            let mut row = row_of(tx, id)?;
            self.step(tx, &mut row, State::Reconciling, Actor::Home, now, |entry| entry)?;
            let (to, why) = match found {
                Found::Yes => (State::Succeeded, reason::FOUND),
                Found::No => (State::NeedsPerson, reason::NOT_FOUND),
            };
            self.step(tx, &mut row, to, Actor::Home, now, |entry| Event {
                reasons: vec![why.into()],
                payload: Payload::default().text("outcome", detail),
                ..entry
            })?;
            self.follow_undo(tx, &row, now)?;
            Ok(to)
        })
    }

    /// Records the person's word for whether it happened, where nothing else can tell; or another word, where they were mistaken.
    /// The log keeps both. Nothing is sent again either way: what did not happen is asked for anew, as an action of its own.
    pub fn resolve(&self, id: &ActionId, happened: bool, now: Now) -> Result<(), GateError> {
        let to = if happened { State::Succeeded } else { State::NotExecuted };
        self.commit(|tx| {
            let mut row = row_of(tx, id)?;
            let corrects = row.state != State::NeedsPerson;
            // INVARIANT: the person's word takes the place of their own word alone, never of what is known.
            if corrects && !is_the_persons_word(&tx.view().last_reasons(id)?) {
                return Err(GateError::WrongState { id: *id, state: row.state });
            }
            if let Some(of) = row.undo_of.filter(|_| corrects) {
                // Not while another undo of the same is under way, whose end would have nowhere to go.
                let state = row_of(tx, &of)?.state;
                if !matches!(state, State::Undone | State::UndoFailed) {
                    return Err(GateError::WrongState { id: of, state });
                }
            }
            let why = if corrects { reason::PERSON_CORRECTS } else { reason::PERSON_SAYS };
            self.step(tx, &mut row, to, Actor::Client, now, |entry| Event { reasons: vec![why.into()], ..entry })?;
            self.follow_undo(tx, &row, now)
        })
    }
}

/// Tells whether the last step of an action was what the person said of it.
fn is_the_persons_word(reasons: &[String]) -> bool {
    reasons.iter().any(|why| why == reason::PERSON_SAYS || why == reason::PERSON_CORRECTS)
}
