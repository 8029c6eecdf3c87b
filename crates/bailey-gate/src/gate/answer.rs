//! The person's answers.

use std::sync::PoisonError;

use super::weigh::{Weighed, Weighing};
use super::{Gate, GateError, reason, row_of};
use crate::approval::{Authorised, MAX_ANSWERED, Proof, Purpose};
use crate::challenges::Unproven;
use crate::content::BoundContent;
use crate::event::{Actor, Approval, Event, EventKind, Payload};
use crate::ids::{ActionId, Challenge, Digest, Nonce};
use crate::ledger::{Tx, View};
use crate::permit::Permit;
use crate::policy::{Policy, Question};
use crate::state::State;
use crate::time::Now;
use crate::verdict::{Class, Evidence, Ruling};

/// Most bytes of the note that a refusal carries.
pub const MAX_NOTE_BYTES: usize = 2_000;
/// The field of a refusal's payload that holds the person's note.
pub const NOTE: &str = "note";

/// What policy says of an approved action, as it was worked out before the transaction.
struct Ruled {
    weighed: Weighed,
    ruling: Ruling,
}

impl Gate {
    /// Makes a challenge of sixteen fresh random bytes; the answer has to carry it. Nothing is kept of it, so that however many
    /// are asked for, each may be answered.
    pub fn challenge(&self, random: &Nonce, now: Now) -> Challenge {
        let epoch = self.lock.pause_state().epoch;
        self.challenges.lock().unwrap_or_else(PoisonError::into_inner).open(random, epoch, now)
    }

    /// Checks that the proof shows that the person authorised this purpose. Uses the challenge up.
    ///
    /// Errors: [`GateError::NotAuthorised`] where it does not, which is logged; [`GateError::NoPasskey`]; [`GateError::Guessing`] after
    /// too many wrong ones.
    pub fn authorise(&self, purpose: &Purpose, proof: &Proof, now: Now) -> Result<Authorised, GateError> {
        let mut challenges = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        let authorised = challenges.redeem(proof, purpose, &self.home, &*self.authority, now);
        drop(challenges);
        authorised.map_err(|why| match why {
            Unproven::Stale => GateError::NotAuthorised,
            Unproven::TooMany => GateError::Guessing,
            Unproven::NoPasskey => GateError::NoPasskey,
            Unproven::Wrong => {
                let entry = Event::of_home(EventKind::Authority, Actor::Client, now, self.lock.pause_state());
                // Where even that cannot be written, the answer is the same.
                let _ = self.commit(|tx| Ok(tx.log(Event { reasons: vec![reason::WRONG_PROOF.into()], ..entry })?));
                GateError::NotAuthorised
            }
        })
    }

    /// Approves exactly the actions shown, all of them or none: at most [`MAX_ANSWERED`]. What the rules forbid by now is denied instead,
    /// and has no permit.
    ///
    /// Errors: those of [`Gate::authorise`]; [`GateError::TooMany`], [`GateError::NoSuchAction`], [`GateError::WrongState`],
    /// [`GateError::Expired`], or [`GateError::Changed`] where a digest is not that of the stored bytes. Then none was approved.
    pub fn approve(&self, shown: Vec<(ActionId, Digest)>, proof: &Proof, now: Now) -> Result<Vec<Permit>, GateError> {
        if shown.is_empty() || shown.len() > MAX_ANSWERED {
            return Err(GateError::TooMany);
        }
        let purpose = Purpose::Approve(shown.clone());
        let authorised = self.authorise(&purpose, proof, now)?;
        let approval = authorised.approval;
        let read = shown.iter().map(|(id, _)| self.read(id)).collect::<Result<Vec<_>, _>>()?;
        let all: Vec<_> = shown.into_iter().zip(&read).collect();
        // Where a content cannot be read there is nothing to weigh, and the transaction refuses the answer.
        let see = |view: &mut dyn View| {
            let of_one = |((id, _), read): &((ActionId, Digest), &Option<BoundContent>)| {
                let Some((read, row)) = read.as_ref().zip(view.row(id)?) else { return Ok(None) };
                Ok(Some(self.see(view, &read.content, row.task, row.undo_of.is_some(), now)?))
            };
            all.iter().map(of_one).collect::<Result<Vec<_>, GateError>>()
        };
        let weigh = |seen: Vec<Option<Weighing>>| {
            let rule = |weighing| {
                let weighed = self.weighed(weighing);
                Ruled { ruling: self.ruling(&weighed, Some(&approval)), weighed }
            };
            seen.into_iter().map(|one| one.map(rule)).collect::<Vec<_>>()
        };
        let unchanged = |tx: &mut dyn Tx, all: &mut Vec<Option<Ruled>>| {
            for ruled in all.iter_mut().flatten() {
                if !self.still_holds(tx, &mut ruled.weighed, now)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        self.take(see, weigh, unchanged, |tx, ruled| {
            let mut permits = Vec::new();
            for (((id, digest), read), ruled) in all.iter().zip(ruled) {
                let (mut row, bound) = self.load(tx, id, read.as_ref())?;
                if row.state != State::Awaiting {
                    return Err(GateError::WrongState { id: *id, state: row.state });
                }
                if row.expires.overdue(now).is_some() {
                    return Err(GateError::Expired(*id));
                }
                // INVARIANT: what runs is what was shown. Both the caller's digest and the stored bytes must agree.
                let ruled = ruled.filter(|_| bound && row.digest == *digest).ok_or(GateError::Changed(*id))?;
                if !ruled.ruling.allowed {
                    self.step(tx, &mut row, State::Denied, Actor::Gate, now, |entry| Event {
                        reasons: ruled.ruling.rules,
                        ..entry
                    })?;
                    continue;
                }
                row.approval = Some(approval);
                self.step(tx, &mut row, State::Approved, Actor::Person, now, |entry| Event {
                    reasons: vec![reason::PERSON.into()],
                    payload: authorised.shown_in(Payload::default().digest("digest", digest)),
                    ..entry
                })?;
                permits.push(Permit { id: *id, digest: *digest });
            }
            Ok(permits)
        })
    }

    /// Refuses waiting actions, all or none. Needs no proof: saying no harms nobody.
    ///
    /// Errors: [`GateError::NoSuchAction`], [`GateError::WrongState`].
    pub fn reject(&self, ids: &[ActionId], now: Now) -> Result<(), GateError> {
        self.reject_with_note(ids, "", now)
    }

    /// Refuses waiting actions with a note of at most [`MAX_NOTE_BYTES`] for whoever proposed them. It is kept in the entry, sealed, and
    /// is none of the task's words: nothing is ever grounded on it.
    ///
    /// Errors: those of [`Self::reject`], [`GateError::Malformed`] for a longer note.
    pub fn reject_with_note(&self, ids: &[ActionId], note: &str, now: Now) -> Result<(), GateError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(GateError::Malformed(format!("a note has at most {MAX_NOTE_BYTES} bytes; make it shorter")));
        }
        self.end(ids, State::Rejected, reason::REFUSED, note, now)
    }

    /// Takes actions back before they ran, all or none: waiting, approved, or held. Works while paused.
    ///
    /// Errors: [`GateError::NoSuchAction`], [`GateError::WrongState`] where one has been claimed.
    pub fn cancel(&self, ids: &[ActionId], now: Now) -> Result<(), GateError> {
        self.end(ids, State::Cancelled, reason::TAKEN_BACK, "", now)
    }

    fn end(&self, ids: &[ActionId], to: State, why: &'static str, note: &str, now: Now) -> Result<(), GateError> {
        let said = || if note.is_empty() { Payload::default() } else { Payload::default().text(NOTE, note) };
        self.commit(|tx| {
            for id in ids {
                let mut row = row_of(tx, id)?;
                self.step(tx, &mut row, to, Actor::Client, now, |entry| Event {
                    reasons: vec![why.into()],
                    payload: said(),
                    ..entry
                })?;
            }
            Ok(())
        })
    }
}

/// Returns the evidence an approval amounts to.
pub(super) fn evidence(approval: Option<&Approval>) -> Evidence {
    match approval {
        None => Evidence::None,
        Some(Approval { stepped_up: false, .. }) => Evidence::Approved,
        Some(Approval { stepped_up: true, .. }) => Evidence::SteppedUp,
    }
}

/// Asks whether policy lets it run on the evidence held.
pub(super) fn permitted(policy: &dyn Policy, question: &Question<'_>) -> Ruling {
    if question.class == Class::Critical && question.evidence != Evidence::SteppedUp {
        return Ruling { allowed: false, rules: vec![reason::STEP_UP.into()] };
    }
    policy.rule(question)
}
