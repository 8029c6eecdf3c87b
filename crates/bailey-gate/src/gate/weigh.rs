//! Looking first, writing then: what is true and what policy says is worked out before the transaction, which only compares
//! what it was worked out from.
//!
//! Within the transaction stay the row's state, its approval, the pause and its epoch, whether the content is the one that the
//! row is bound to, the version of the rules, the count of changes of people, connections and tasks, the marks of the task, and
//! counts. Where any of it changed so that a rule could say something else, nothing is written, and all is worked out anew.

use super::answer::{evidence, permitted};
use super::facts::Counted;
use super::{Gate, GateError};
use crate::content::Content;
use crate::event::Approval;
use crate::family::ActionKind;
use crate::ids::{ActionId, TaskId};
use crate::ledger::{Row, Tx, View};
use crate::policy::{Facts, Question, judge};
use crate::time::Now;
use crate::verdict::{Class, Decision, Ruling, Verdict};

/// Times a step is worked out before its transaction at most. Where something changed each time, it is worked out within, so
/// that it comes to an end however busy the home is.
const MAX_LOOKS: usize = 3;

/// What was seen of an action before the rules are asked.
pub(super) struct Weighing {
    id: ActionId,
    kind: ActionKind,
    class: Class,
    task: Option<TaskId>,
    surroundings: u64,
    pub(super) facts: Facts,
    /// Names of further accounts it looks into.
    also: Vec<String>,
}

impl Weighing {
    /// Returns the facts as they are for each account.
    fn for_each_account(&self) -> impl Iterator<Item = Facts> {
        let others = self.also.iter().map(|account| Facts { account: account.clone(), ..self.facts.clone() });
        std::iter::once(self.facts.clone()).chain(others)
    }
}

/// The same, and which rules were asked about it.
pub(super) struct Weighed {
    pub(super) seen: Weighing,
    version: String,
}

impl Gate {
    /// Takes a step: works out, without a transaction, what it goes by, and takes it in one that finds it unchanged.
    ///
    /// `see` reads, `weigh` thinks, `unchanged` compares, `step` writes.
    pub(super) fn take<S: Send, W: Send, T: Send>(
        &self,
        see: impl Fn(&mut dyn View) -> Result<S, GateError> + Sync,
        weigh: impl Fn(S) -> W + Sync,
        unchanged: impl Fn(&mut dyn Tx, &mut W) -> Result<bool, GateError> + Sync,
        step: impl Fn(&mut dyn Tx, W) -> Result<T, GateError> + Sync,
    ) -> Result<T, GateError> {
        for _ in 0..MAX_LOOKS {
            let mut weighed = weigh(self.look(&see)?);
            let taken =
                self.commit(|tx| if unchanged(tx, &mut weighed)? { step(tx, weighed).map(Some) } else { Ok(None) })?;
            if let Some(taken) = taken {
                return Ok(taken);
            }
        }
        self.commit(|tx| {
            let weighed = weigh(see(tx.view())?);
            step(tx, weighed)
        })
    }

    /// Sees what is true about an action.
    pub(super) fn see(
        &self,
        view: &mut dyn View,
        content: &Content,
        task: Option<TaskId>,
        is_undo: bool,
        now: Now,
    ) -> Result<Weighing, GateError> {
        // INVARIANT: read first, so that nothing read behind it can be older.
        let surroundings = view.surroundings();
        let facts = self.facts(view, content, task, is_undo, now)?;
        let also = content.action.also().iter();
        let also = also.map(|(connection, _)| view.account(connection)).collect::<Result<_, _>>()?;
        Ok(Weighing {
            id: content.id,
            kind: content.action.kind(),
            class: content.class(),
            task,
            surroundings,
            facts,
            also,
        })
    }

    /// Returns what was seen, with the version of the rules it is put to next.
    pub(super) fn weighed(&self, seen: Weighing) -> Weighed {
        Weighed { seen, version: self.policy.version() }
    }

    /// Tells whether the rules would still say the same; brings the counts among the facts up to date.
    pub(super) fn still_holds(&self, tx: &mut dyn Tx, weighed: &mut Weighed, now: Now) -> Result<bool, GateError> {
        let (view, seen) = (tx.view(), &mut weighed.seen);
        if view.surroundings() != seen.surroundings || self.policy.version() != weighed.version {
            return Ok(false);
        }
        let counted = Counted::of(view, &seen.id, seen.kind, seen.task, seen.facts.amount, now)?;
        let facts = counted.in_facts(seen.facts.clone());
        if facts.differing(&seen.facts).into_iter().any(|fact| self.policy.heeds(seen.kind, fact)) {
            return Ok(false);
        }
        seen.facts = facts;
        Ok(true)
    }

    /// Returns the verdict on what was weighed.
    pub(super) fn verdict(&self, Weighed { seen, .. }: &Weighed) -> Verdict {
        let first = judge(&*self.policy, seen.kind, seen.class, &seen.facts);
        let freedom = |verdict: &Verdict| match verdict.decision {
            Decision::Auto => 3,
            Decision::Ask => 2,
            Decision::AskWithStepUp => 1,
            Decision::Deny => 0,
        };
        // What looks into several accounts is decided as for the one it is least free to look into.
        let others = seen.for_each_account().skip(1).map(|facts| judge(&*self.policy, seen.kind, seen.class, &facts));
        others.fold(first, |least, other| if freedom(&other) < freedom(&least) { other } else { least })
    }

    /// Tells whether it may run on an approval, or without one.
    pub(super) fn ruling(&self, Weighed { seen, .. }: &Weighed, approval: Option<&Approval>) -> Ruling {
        let evidence = evidence(approval);
        let ruled =
            |facts: &Facts| permitted(&*self.policy, &Question { kind: seen.kind, class: seen.class, facts, evidence });
        let first = ruled(&seen.facts);
        if !first.allowed {
            return first;
        }
        seen.for_each_account().skip(1).map(|facts| ruled(&facts)).find(|other| !other.allowed).unwrap_or(first)
    }
}

/// What a claim goes by.
pub(super) struct Judged {
    pub(super) weighed: Weighed,
    /// The approval that it was judged on.
    approval: Option<Approval>,
    /// The decision instead, where it may not run.
    pub(super) instead: Option<Verdict>,
}

impl Gate {
    /// Judges whether a row may run on the evidence it holds.
    pub(super) fn judged(&self, weighed: Weighed, approval: Option<Approval>) -> Judged {
        let allowed = self.ruling(&weighed, approval.as_ref()).allowed;
        let instead = (!allowed).then(|| self.verdict(&weighed));
        Judged { weighed, approval, instead }
    }
}

impl Judged {
    /// Tells whether it was judged on the approval that a row has now.
    pub(super) fn is_of(&self, row: &Row) -> bool {
        self.approval == row.approval
    }
}
