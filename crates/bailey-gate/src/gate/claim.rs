//! From leave to act to a recorded outcome. Everything that was checked before is checked again in the claiming commit.

use std::sync::atomic::Ordering;

use super::weigh::Judged;
use super::{Gate, GateError, reason, row_of};
use crate::content::BoundContent;
use crate::event::{Actor, Event, Payload};
use crate::family::home::HomeAction;
use crate::family::{Action, Taint};
use crate::handoff::{EffectToken, LockState, Mode};
use crate::ids::ActionId;
use crate::ledger::{Row, Tx, View};
use crate::permit::{Bound, Claimed, Effect, Outcome, Permit, Settled};
use crate::state::State;
use crate::time::{Deadline, Now};
use crate::verdict::{Class, Decision};

/// Reports what came of trying to claim.
#[derive(Debug)]
#[must_use]
pub enum Claiming {
    /// Durably claimed: carry it out.
    Claimed(Box<Claimed>),
    /// The effect lay in the home itself and is done.
    Done,
    /// It waits out its hold window first.
    Held(Deadline),
    /// It went another way (asks again, denied, expired); the log says why.
    NotClaimed(State),
}

/// What comes in with an action.
#[derive(Debug, Clone, Copy)]
enum Arriving {
    /// The taint that its kind lets in.
    Known(Taint),
    /// The taint of the notes: a note is no more to be trusted than what its task had read.
    AsNotes,
}

impl Arriving {
    fn of(action: &Action) -> Self {
        match action {
            Action::Home(HomeAction::MemoryRead) => Self::AsNotes,
            action => Self::Known(action.traits().taint),
        }
    }
}

/// What the claiming commit did.
enum Taken {
    /// It claimed the action, at this lock_state of the pause state.
    Claimed(Bound, LockState),
    /// Anything else.
    Otherwise(Claiming),
}

impl Gate {
    /// Claims an action: one commit that says "this is about to happen", before it does. Time, digest, grant and policy are checked
    /// again in that commit; a mail waits out its hold window first.
    ///
    /// Errors: [`GateError::Paused`]; [`GateError::WrongState`] where it is neither approved nor held.
    pub fn claim(&self, permit: Permit, now: Now) -> Result<Claiming, GateError> {
        let read = self.read(&permit.id)?;
        let see = |view: &mut dyn View| {
            let Some((read, row)) = read.as_ref().zip(view.row(&permit.id)?) else { return Ok(None) };
            Ok(Some((self.see(view, &read.content, row.task, row.undo_of.is_some(), now)?, row.approval)))
        };
        let judge = |(seen, approval)| self.judged(self.weighed(seen), approval);
        let unchanged = |tx: &mut dyn Tx, judged: &mut Option<Judged>| match judged {
            Some(judged) => {
                Ok(judged.is_of(&row_of(tx, &permit.id)?) && self.still_holds(tx, &mut judged.weighed, now)?)
            }
            None => Ok(true),
        };
        let taint = read.as_ref().map_or(Arriving::AsNotes, |read| Arriving::of(&read.content.action));
        let claim =
            |tx: &mut dyn Tx, judged: Option<Judged>| self.claim_in(tx, &permit, read.as_ref().zip(judged), taint, now);
        let (bound, lock_state) = match self.take(see, |seen: Option<_>| seen.map(judge), unchanged, claim)? {
            Taken::Otherwise(claiming) => return Ok(claiming),
            Taken::Claimed(bound, lock_state) => (bound, lock_state),
        };
        // Taken over only now: nothing that large is copied within a transaction.
        let BoundContent { content, artefact, .. } = read.ok_or(GateError::Changed(permit.id))?;
        let token = EffectToken::new(self.lock(), lock_state);
        Ok(Claiming::Claimed(Box::new(Claimed { action: content.action, bound, artefact, token })))
    }

    fn claim_in(
        &self,
        tx: &mut dyn Tx,
        permit: &Permit,
        judged: Option<(&BoundContent, Judged)>,
        arriving: Arriving,
        now: Now,
    ) -> Result<Taken, GateError> {
        let lock_state = self.lock.lock_state();
        let pause_state = lock_state.pause_state;
        if pause_state.mode != Mode::Open {
            return Err(GateError::Paused);
        }
        let (mut row, bound) = self.load(tx, &permit.id, judged.as_ref().map(|(read, _)| *read))?;
        if !matches!(row.state, State::Approved | State::Held) {
            return Err(GateError::WrongState { id: row.id, state: row.state });
        }
        if row.expires.overdue(now).is_some() {
            return self.turn(tx, row, State::Expired, reason::TOO_LATE, now).map(Taken::Otherwise);
        }
        let judged = judged.filter(|(read, _)| bound && read.digest == permit.digest);
        let Some((BoundContent { content, .. }, judged)) = judged else {
            return self.turn(tx, row, State::Awaiting, reason::CHANGED, now).map(Taken::Otherwise);
        };
        if let Some(of) = row.undo_of
            && !row_of(tx, &of)?.state.may_become(State::Undoing)
        {
            return self.turn(tx, row, State::Denied, reason::NOTHING_TO_UNDO, now).map(Taken::Otherwise);
        }
        if let Some(turned) = self.recheck(tx, &mut row, judged, now)? {
            return Ok(Taken::Otherwise(turned));
        }
        if let Some(waiting) = self.hold(tx, &mut row, now)? {
            return Ok(Taken::Otherwise(waiting));
        }
        row.attempt += 1;
        row.claim = Some((pause_state.epoch, pause_state.lease_epoch));
        self.step(tx, &mut row, State::Claimed, Actor::Gate, now, |entry| Event {
            payload: Payload::default().digest("digest", &permit.digest),
            ..entry
        })?;
        if let Some(of) = row.undo_of {
            self.follow(tx, &of, State::Undoing, now)?;
        }
        let taint = match arriving {
            Arriving::Known(taint) => taint,
            Arriving::AsNotes => tx.view().notes_taint()?,
        };
        if let Some(task) = row.task.filter(|_| taint != Taint::default()) {
            // INVARIANT: what comes in is noted before it comes in.
            tx.mark(&task, taint, false)?;
        }
        if row.kind.is_local() {
            self.step(tx, &mut row, State::Succeeded, Actor::Gate, now, |entry| Event {
                reasons: vec![reason::LOCAL.into()],
                ..entry
            })?;
            self.follow_undo(tx, &row, now)?;
            return Ok(Taken::Otherwise(Claiming::Done));
        }
        let bound =
            Bound { id: row.id, kind: row.kind, class: row.class, account: content.account, digest: permit.digest };
        Ok(Taken::Claimed(bound, lock_state))
    }

    /// Checks grant and policy, with the evidence actually held.
    fn recheck(
        &self,
        tx: &mut dyn Tx,
        row: &mut Row,
        Judged { weighed, instead, .. }: Judged,
        now: Now,
    ) -> Result<Option<Claiming>, GateError> {
        if !weighed.seen.facts.grant_stands {
            return self.turn(tx, row.clone(), State::Denied, reason::GRANT, now).map(Some);
        }
        let Some(verdict) = instead else { return Ok(None) };
        let to = if verdict.decision == Decision::Deny { State::Denied } else { State::Awaiting };
        row.approval = None;
        self.step(tx, row, to, Actor::Gate, now, |entry| Event {
            decision: Some(verdict.decision),
            reasons: verdict.reasons,
            ..entry
        })?;
        Ok(Some(Claiming::NotClaimed(to)))
    }

    /// Lets what cannot be undone wait out its window before it can be claimed; one that was kept waiting far beyond it asks again.
    fn hold(&self, tx: &mut dyn Tx, row: &mut Row, now: Now) -> Result<Option<Claiming>, GateError> {
        let hold_ms = self.hold_ms.load(Ordering::SeqCst);
        match (row.held, row.class) {
            (None, Class::Held | Class::Critical) if hold_ms > 0 => {
                let until = Deadline::after(now, hold_ms);
                row.held = Some(until);
                self.step(tx, row, State::Held, Actor::Gate, now, |entry| Event {
                    reasons: vec![reason::HOLD.into()],
                    ..entry
                })?;
                Ok(Some(Claiming::Held(until)))
            }
            (Some(until), _) => match until.overdue(now) {
                None => Ok(Some(Claiming::Held(until))),
                Some(late) if late > self.limits.late_ms => {
                    self.turn(tx, row.clone(), State::Awaiting, reason::OVERDUE, now).map(Some)
                }
                Some(_) => Ok(None),
            },
            (None, Class::Undoable | Class::Held | Class::Compensable | Class::Critical) => Ok(None),
        }
    }

    pub(super) fn turn(
        &self,
        tx: &mut dyn Tx,
        mut row: Row,
        to: State,
        why: &'static str,
        now: Now,
    ) -> Result<Claiming, GateError> {
        if to == State::Awaiting {
            row.approval = None;
            row.expires = Deadline::after(now, self.limits.answer_ms);
        }
        self.step(tx, &mut row, to, Actor::Gate, now, |entry| Event { reasons: vec![why.into()], ..entry })?;
        Ok(Claiming::NotClaimed(to))
    }

    /// Lists permits for everything that may go on by itself now: approved and not started, or held and due.
    pub fn due(&self, now: Now) -> Result<Vec<Permit>, GateError> {
        if self.lock.pause_state().mode != Mode::Open {
            return Ok(Vec::new());
        }
        self.commit(|tx| {
            let rows = tx.rows_in(&[State::Approved, State::Held])?;
            let due = rows.into_iter().filter(|row| row.held.is_none_or(|until| until.overdue(now).is_some()));
            Ok(due.map(|row| Permit { id: row.id, digest: row.digest }).collect())
        })
    }

    /// Returns in how many milliseconds the next held action is due; `None` where none is held.
    pub fn next_due(&self, now: Now) -> Result<Option<u64>, GateError> {
        let rows = self.commit(|tx| Ok(tx.rows_in(&[State::Held])?))?;
        let left = |until: Deadline| match until.overdue(now) {
            Some(_) => 0,
            // Before its deadline the boot is the one it was set in, or wall time rules; either way this is close enough
            // to wake up by, and `due` decides.
            None => until.after_ms.saturating_sub(now.boot_ms.saturating_sub(until.set.boot_ms)),
        };
        Ok(rows.into_iter().filter_map(|row| row.held.map(left)).min())
    }

    /// Records how a claim ended. What the person approved also teaches whom they write to; what ran by itself does not.
    pub fn settle(&self, settled: &Settled, now: Now) -> Result<State, GateError> {
        let Settled { id, outcome } = settled;
        // What cannot be read teaches nothing, and keeps no outcome from being recorded. Once claimed, its approval stays.
        let teaches = outcome.result == Effect::Done
            && self.look(|view| Ok(view.row(id)?))?.is_some_and(|row| row.approval.is_some());
        let read = if teaches { self.read(id).unwrap_or_default() } else { None };
        let learns = read.as_ref().map(|read| read.content.action.traits().learns).unwrap_or_default();
        self.commit(|tx| {
            let (mut row, bound) = self.load(tx, id, read.as_ref())?;
            let to = outcome.result.state();
            self.step(tx, &mut row, to, Actor::Gate, now, |entry| Event { payload: left_behind(outcome), ..entry })?;
            self.follow_undo(tx, &row, now)?;
            if bound && row.approval.is_some() {
                for party in &learns {
                    // The address, not the name: a model chose that.
                    tx.learn(party, "")?;
                }
            }
            Ok(to)
        })
    }

    /// Tells where an undo has ended, moves what it undid along.
    pub(super) fn follow_undo(&self, tx: &mut dyn Tx, undo: &Row, now: Now) -> Result<(), GateError> {
        let Some(of) = undo.undo_of else { return Ok(()) };
        match undo.state {
            State::Succeeded => self.follow(tx, &of, State::Undone, now),
            State::Failed | State::NotExecuted | State::Partial => self.follow(tx, &of, State::UndoFailed, now),
            State::Proposed
            | State::Denied
            | State::Awaiting
            | State::Approved
            | State::Rejected
            | State::Expired
            | State::Cancelled
            | State::Superseded
            | State::Held
            | State::Claimed
            | State::Unknown
            | State::Reconciling
            | State::NeedsPerson
            | State::Undoing
            | State::Undone
            | State::UndoFailed => Ok(()),
        }
    }

    fn follow(&self, tx: &mut dyn Tx, of: &ActionId, to: State, now: Now) -> Result<(), GateError> {
        let mut row = row_of(tx, of)?;
        self.step(tx, &mut row, to, Actor::Gate, now, |entry| Event { reasons: vec![reason::UNDO.into()], ..entry })
    }

    /// Records that whoever held a claim is gone without a word: the outcome is not known.
    pub fn abandon(&self, id: &ActionId, now: Now) -> Result<(), GateError> {
        self.commit(|tx| {
            let row = row_of(tx, id)?;
            self.turn(tx, row, State::Unknown, reason::INTERRUPTED, now).map(|_| ())
        })
    }
}

/// The field of an outcome's payload that holds what the effect left behind ([`Outcome::left`]).
pub const LEFT: &str = "left";

fn left_behind(outcome: &Outcome) -> Payload {
    let payload = Payload::default().text("outcome", outcome.detail.clone());
    if outcome.left.is_empty() { payload } else { payload.bytes(LEFT, outcome.left.clone()) }
}
