//! From a prepared action to a recorded decision.

use super::weigh::{Weighed, Weighing};
use super::{Gate, GateError, reason, row_of};
use crate::approval::{Authorised, MAX_ANSWERED, Proof, Purpose};
use crate::codec::CodecError;
use crate::content::{BoundContent, Content, EncodedAction};
use crate::event::{Actor, Event, EventKind, Payload};
use crate::family::{Action, Group, Taint};
use crate::ids::{ActionId, ConnectionId, Digest, TaskId};
use crate::ledger::{Claims, Row, Tx, View};
use crate::permit::Permit;
use crate::policy::Facts;
use crate::state::State;
use crate::time::{Deadline, Now};
use crate::verdict::{Decision, Verdict};

/// Questions one task may have waiting. A person reads a handful; a task that wants more has lost its way or was led off it.
pub const MAX_WAITING_PER_TASK: u64 = 12;

/// Questions of one task the person may refuse. After that it changes nothing any more, either.
pub const MAX_REFUSED_PER_TASK: u64 = 4;

/// Odd questions one task may ask ([`Facts::is_off_task`]). After that it changes nothing any more: whoever drives it is not
/// doing what it was given.
pub const MAX_OFF_TASK_PER_TASK: u64 = 4;

/// The field of a decision's payload that holds what was true about its action ([`Facts::decode`]).
pub const FACTS: &str = "facts";

/// An action as its connector prepared it.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// A fresh random identity.
    pub id: ActionId,
    /// The task it serves.
    pub task: Option<TaskId>,
    /// The account it acts on.
    pub account: Option<ConnectionId>,
    /// Names what must still hold at the target.
    pub precondition: Vec<u8>,
    /// Says what is to be done.
    pub action: Action,
    /// Why, in the proposer's words. A hijacked model may lie here; it is kept, and shown as its claim.
    pub why: String,
    /// Who proposes.
    pub actor: Actor,
}

/// A recorded proposal and its decision.
#[derive(Debug)]
#[must_use]
pub struct Proposed {
    /// Names the action.
    pub id: ActionId,
    /// Where it stands.
    pub state: State,
    /// Says what was decided, and why.
    pub verdict: Verdict,
    /// Identifies what an approval has to bind.
    pub digest: Digest,
    /// Leave to claim it, where no one needs to be asked.
    pub permit: Option<Permit>,
}

/// What is to be recorded, as it was worked out before the transaction.
struct Decided {
    weighed: Weighed,
    verdict: Verdict,
    bound: BoundContent,
}

/// How an action comes to be recorded.
enum By {
    /// It is proposed.
    Proposal,
    /// Because the person is to be asked about it.
    Asking,
    /// In the place of one that waits.
    Edit,
    /// To undo another, by leave of the person.
    Undo(ActionId, Authorised),
}

impl By {
    const fn undo(&self) -> Option<(&ActionId, &Authorised)> {
        match self {
            Self::Undo(of, leave) => Some((of, leave)),
            Self::Proposal | Self::Asking | Self::Edit => None,
        }
    }
}

/// Leave of the person to undo some actions: each once, and none after a pause that came since.
#[derive(Debug)]
pub struct UndoLeave {
    of: Vec<ActionId>,
    authorised: Authorised,
    epoch: u64,
}

impl Gate {
    /// Records an action with its decision, in one commit. Works while paused: nothing leaves by proposing.
    ///
    /// Errors: [`GateError::Malformed`] where it breaks a rule of its kind; [`GateError::NoSuchConnection`].
    pub fn propose(&self, proposal: Proposal, now: Now) -> Result<Proposed, GateError> {
        self.record(&proposal, &By::Proposal, |_| Ok(()), now)
    }

    /// Records an action that something waits with for the person: it asks also where a rule would let it go by now.
    ///
    /// Errors: those of [`Gate::propose`].
    pub fn ask(&self, proposal: Proposal, now: Now) -> Result<Proposed, GateError> {
        self.record(&proposal, &By::Asking, |_| Ok(()), now)
    }

    /// Says what would be decided about an action now, and records nothing. `beside` counts those of its kind that went by another way than
    /// the gate's own.
    ///
    /// Errors: those of the store.
    pub fn would(&self, action: &Action, task: Option<TaskId>, beside: Claims, now: Now) -> Result<Verdict, GateError> {
        let content = Content {
            home: self.home,
            id: ActionId::from_bytes([0; 16]),
            account: None,
            precondition: Vec::new(),
            action: action.clone(),
        };
        let mut seen = self.look(|view| self.see(view, &content, task, false, now))?;
        seen.facts.same_kind_today = seen.facts.same_kind_today.saturating_add(beside.today);
        seen.facts.same_kind_hour = seen.facts.same_kind_hour.saturating_add(beside.hour);
        Ok(self.verdict(&self.weighed(seen)))
    }

    /// Records an action that undoes `of`, for the person, who authorised exactly that. It may run at once where policy
    /// lets it run on their approval.
    ///
    /// Errors: those of [`Gate::authorise`] and [`Gate::propose`]; [`GateError::WrongState`] where `of` cannot be undone.
    pub fn undo(&self, of: &ActionId, proposal: Proposal, proof: &Proof, now: Now) -> Result<Proposed, GateError> {
        let authorised = self.authorise(&Purpose::Undo(*of), proof, now)?;
        self.record(&proposal, &By::Undo(*of, authorised), |tx| may_be_undone(tx, of), now)
    }

    /// Takes the person's leave to undo exactly these actions, at most [`MAX_ANSWERED`], by one answer.
    ///
    /// Errors: those of [`Gate::authorise`]; [`GateError::TooMany`], also where none is named.
    pub fn leave_to_undo(&self, of: Vec<ActionId>, proof: &Proof, now: Now) -> Result<UndoLeave, GateError> {
        if of.is_empty() || of.len() > MAX_ANSWERED {
            return Err(GateError::TooMany);
        }
        // Before the answer is looked at: a pause that comes meanwhile ends the leave.
        let epoch = self.lock.pause_state().epoch;
        let purpose = Purpose::UndoAll(of);
        let authorised = self.authorise(&purpose, proof, now)?;
        let Purpose::UndoAll(of) = purpose else { return Err(GateError::NotAuthorised) };
        Ok(UndoLeave { of, authorised, epoch })
    }

    /// Records the undo of one action of those that the person gave their leave to; that part of it is used up, whatever comes of it.
    ///
    /// Errors: those of [`Gate::undo`]; [`GateError::NotAuthorised`] where the leave does not name `of`, or did already;
    /// [`GateError::Paused`] where everything was paused since.
    pub fn undo_by_leave(
        &self,
        of: &ActionId,
        proposal: Proposal,
        leave: &mut UndoLeave,
        now: Now,
    ) -> Result<Proposed, GateError> {
        let place = leave.of.iter().position(|one| one == of).ok_or(GateError::NotAuthorised)?;
        leave.of.swap_remove(place);
        let epoch = leave.epoch;
        let may_begin = |tx: &mut dyn Tx| {
            if self.lock.pause_state().epoch != epoch {
                return Err(GateError::Paused);
            }
            may_be_undone(tx, of)
        };
        self.record(&proposal, &By::Undo(*of, leave.authorised.clone()), may_begin, now)
    }

    /// Replaces a waiting action by an edited one, in one commit. The edited one is decided on its own, and asks also where a rule would
    /// let it go: whoever edits need not be the person.
    ///
    /// Errors: those of [`Gate::propose`]; [`GateError::WrongState`] where `old` does not wait.
    pub fn edit(&self, old: &ActionId, proposal: Proposal, now: Now) -> Result<Proposed, GateError> {
        let replace = |tx: &mut dyn Tx| {
            let mut row = row_of(tx, old)?;
            self.step(tx, &mut row, State::Superseded, Actor::Client, now, |entry| Event {
                reasons: vec![reason::EDITED.into()],
                payload: Payload::default().text("replaced_by", proposal.id.to_string()),
                ..entry
            })
        };
        self.record(&proposal, &By::Edit, replace, now)
    }

    /// Records a proposal with its decision, in the commit that `first` begins.
    fn record(
        &self,
        proposal: &Proposal,
        by: &By,
        first: impl Fn(&mut dyn Tx) -> Result<(), GateError> + Sync,
        now: Now,
    ) -> Result<Proposed, GateError> {
        let encoded = encoded(proposal)?;
        let see = |view: &mut dyn View| {
            let content = self.bind(view, proposal)?;
            let seen = self.see(view, &content, proposal.task, by.undo().is_some(), now)?;
            Ok((content, seen))
        };
        let weigh = |(content, seen): (Content, Weighing)| {
            let weighed = self.weighed(seen);
            Decided { verdict: self.verdict(&weighed), bound: BoundContent::new(content, encoded.clone()), weighed }
        };
        self.take(
            see,
            weigh,
            |tx, decided| self.still_holds(tx, &mut decided.weighed, now),
            |tx, decided| {
                first(tx)?;
                self.insert(tx, proposal, decided, by, now)
            },
        )
    }

    fn insert(
        &self,
        tx: &mut dyn Tx,
        proposal: &Proposal,
        decided: Decided,
        by: &By,
        now: Now,
    ) -> Result<Proposed, GateError> {
        let Decided { weighed: Weighed { seen: Weighing { facts, .. }, .. }, verdict, bound } = decided;
        let BoundContent { content, encoded, digest, .. } = bound;
        let undo = by.undo();
        let mut verdict = self.within_limits(tx, &content, proposal.task, &facts, verdict)?;
        if verdict.decision == Decision::Auto {
            let asks = match by {
                By::Edit => Some(reason::EDITED),
                By::Asking => Some(reason::ASKED),
                By::Proposal | By::Undo(..) => None,
            };
            if let Some(why) = asks {
                verdict = Verdict { decision: Decision::Ask, reasons: vec![why.into()] };
            }
        }
        let mut row = Row {
            id: content.id,
            task: proposal.task,
            state: State::Proposed,
            kind: content.action.kind(),
            class: content.class(),
            account: content.account,
            digest,
            proposed: now,
            expires: Deadline::after(now, self.limits.answer_ms),
            held: None,
            approval: None,
            claim: None,
            attempt: 0,
            undo_of: undo.map(|(of, _)| *of),
            amount: facts.amount,
        };
        let payload = Payload::default()
            .text("why", proposal.why.clone())
            .digest("digest", &row.digest)
            .bytes("content", encoded);
        let entry = match undo {
            None => self.entry(EventKind::Proposed, proposal.actor, &row, now, payload),
            // Who wanted it is shown by the proposal itself: what is decided about it may differ.
            Some((of, authorised)) => Event {
                approval: Some(authorised.approval),
                ..self.entry(EventKind::Proposed, Actor::Person, &row, now, undo_shown(of, authorised, payload))
            },
        };
        tx.insert(&row, Event { to: Some(State::Proposed), ..entry })?;

        row.approval = undo.map(|(_, authorised)| authorised.approval);
        let approved = row.approval.is_some_and(|approval| verdict.decision == Decision::Ask || approval.stepped_up);
        let to = match verdict.decision {
            Decision::Auto => State::Approved,
            Decision::Ask | Decision::AskWithStepUp if approved => State::Approved,
            Decision::Ask | Decision::AskWithStepUp => State::Awaiting,
            Decision::Deny => State::Denied,
        };
        let policy_version = self.policy.version();
        self.step(tx, &mut row, to, Actor::Gate, now, |entry| Event {
            decision: Some(verdict.decision),
            reasons: verdict.reasons.clone(),
            // What was true is kept with what was decided: another set of rules can be tried on it later.
            payload: Payload::default().text("policy", policy_version).bytes(FACTS, facts.encode()),
            ..entry
        })?;
        let permit = (to == State::Approved).then_some(Permit { id: row.id, digest: row.digest });
        Ok(Proposed { id: row.id, state: to, verdict, digest: row.digest, permit })
    }

    /// Returns the policy's verdict; a task that floods the person with questions, or with odd ones, is not asked about any
    /// further.
    fn within_limits(
        &self,
        tx: &mut dyn Tx,
        content: &Content,
        task: Option<TaskId>,
        facts: &Facts,
        verdict: Verdict,
    ) -> Result<Verdict, GateError> {
        let Some(task) = task else { return Ok(verdict) };
        let stopped = |why: &str| Ok(Verdict { decision: Decision::Deny, reasons: vec![why.into()] });
        let kind = content.action.kind();
        if verdict.decision != Decision::Deny
            && !kind.is_read()
            && kind.group() != Group::Speak
            && !facts.is_undo
            && (tx.view().marks(&task)?.off_task >= MAX_OFF_TASK_PER_TASK
                || tx.view().count_of_task(&task, State::Rejected)? >= MAX_REFUSED_PER_TASK)
        {
            return stopped(reason::BURST);
        }
        if matches!(verdict.decision, Decision::Ask | Decision::AskWithStepUp) {
            if tx.view().count_of_task(&task, State::Awaiting)? >= MAX_WAITING_PER_TASK {
                return stopped(reason::FLOOD);
            }
            if facts.is_off_task() {
                tx.mark(&task, Taint::default(), true)?;
            }
        }
        Ok(verdict)
    }

    /// Binds a proposal to the grant as it stands now.
    fn bind(&self, view: &mut dyn View, proposal: &Proposal) -> Result<Content, GateError> {
        let account = match proposal.account {
            None => None,
            Some(connection) => {
                let grant = view.grant(&connection)?.ok_or(GateError::NoSuchConnection(connection))?;
                Some((connection, grant.generation))
            }
        };
        Ok(Content {
            home: self.home,
            id: proposal.id,
            account,
            precondition: proposal.precondition.clone(),
            action: proposal.action.clone(),
        })
    }
}

/// Makes sure that an action has happened and is not undone yet.
fn may_be_undone(tx: &mut dyn Tx, of: &ActionId) -> Result<(), GateError> {
    let row = row_of(tx, of)?;
    if row.state.may_become(State::Undoing) { Ok(()) } else { Err(GateError::WrongState { id: *of, state: row.state }) }
}

/// Adds what an undo undoes, and the evidence that the person wanted that.
fn undo_shown(of: &ActionId, authorised: &Authorised, payload: Payload) -> Payload {
    authorised.shown_in(payload.text("undo_of", of.to_string()))
}

/// Encodes and renders what is proposed, before any transaction begins, and refuses what breaks a rule of its kind.
fn encoded(proposal: &Proposal) -> Result<EncodedAction, GateError> {
    let malformed = |error: CodecError| GateError::Malformed(error.to_string());
    proposal.action.check().map_err(malformed)?;
    let kind = proposal.action.kind();
    if kind.needs_level().is_some() && proposal.account.is_none() {
        return Err(GateError::Malformed(format!("{} needs a connected account", kind.name())));
    }
    let encoded = EncodedAction::of(&proposal.action);
    // INVARIANT: nothing is asked about that could not be read back to be done.
    encoded.reads_back_as(&proposal.action).map_err(malformed)?;
    Ok(encoded)
}
