//! What other rules would have done to actions that are past: the facts the log keeps, put to them.
//!
//! Each action is taken as it was when it was proposed. Counts and sums are those of then, too: what other rules would have let
//! go does not add to them; and neither does a flood or a burst of questions end a task again.

use bailey_gate::content::Content;
use bailey_gate::family::escape::visible;
use bailey_gate::ledger::Row;
use bailey_gate::policy::{Facts, judge};
use bailey_gate::{Decision, Preview, State};
use bailey_interface::{RuleChange, TrialView, TriedView};
use bailey_ledger::{Decided, Ledger};
use bailey_policy::CedarPolicy;

use super::{Book, Changed, Unchanged, changed, domains, kept};
use crate::home::{Home, HomeError};

/// Actions that other rules are tried on.
pub(crate) const TRIED: u32 = 200;

/// An action that would be decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Otherwise {
    /// The action, and what was true about it.
    pub(super) decided: Decided,
    /// As the rules in force decide.
    pub(super) before: Decision,
    /// As the others would.
    pub(super) after: Decision,
    /// Why not more freely, by the others.
    pub(super) reasons: Vec<String>,
}

/// What came of trying rules.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// Actions they were tried on.
    pub(super) tried: u64,
    /// Actions whose facts are not kept any more, or were not yet.
    pub(super) untold: u64,
    /// Those that would be decided otherwise, newest first.
    pub(super) otherwise: Vec<Otherwise>,
}

/// Returns the facts as they would be if these were the domains of the person's organisation. Whoever could not be read stays
/// outside.
fn in_organisation(mut facts: Facts, domains: &[String]) -> Facts {
    facts.inside = facts.domains.iter().filter(|domain| domains.contains(domain)).count() as u64;
    facts.outside = facts.others.saturating_sub(facts.inside);
    facts
}

/// Puts past actions to two sets of rules; those of after with another organisation, where there is one.
pub(super) fn tried(
    past: Vec<Decided>,
    before: &CedarPolicy,
    after: &CedarPolicy,
    organisation: Option<&[String]>,
) -> Trial {
    let mut trial = Trial::default();
    for decided in past {
        // Nothing is written where nothing was kept, and never are there no facts at all.
        let Some(facts) = (!decided.facts.is_empty()).then(|| Facts::decode(&decided.facts).ok()).flatten() else {
            trial.untold += 1;
            continue;
        };
        trial.tried += 1;
        let row = &decided.row;
        let was = judge(before, row.kind, row.class, &facts);
        let facts = organisation.map_or_else(|| facts.clone(), |domains| in_organisation(facts.clone(), domains));
        let is = judge(after, row.kind, row.class, &facts);
        if was.decision != is.decision {
            trial.otherwise.push(Otherwise { before: was.decision, after: is.decision, reasons: is.reasons, decided });
        }
    }
    trial
}

/// Returns what the person had said to it, in a word.
pub(crate) const fn answered(row: &Row) -> &'static str {
    match row.state {
        State::Rejected => "you refused it",
        State::Cancelled => "you took it back",
        State::Superseded => "you changed it",
        State::Undone | State::Undoing | State::UndoFailed => "you undid it",
        State::Expired => "nobody answered",
        State::Denied => "it was not allowed",
        State::Awaiting => "it waits for you",
        State::Proposed
        | State::Approved
        | State::Held
        | State::Claimed
        | State::Succeeded
        | State::Failed
        | State::NotExecuted
        | State::Partial
        | State::Unknown
        | State::Reconciling
        | State::NeedsPerson => {
            if row.approval.is_some() {
                "you approved it"
            } else {
                "it went by itself"
            }
        }
    }
}

/// Returns one line about an action: what it does and to whom.
pub(super) fn headline(ledger: &Ledger, decided: &Decided) -> String {
    let record = ledger.action(&decided.row.id).ok().flatten();
    let content = record.and_then(|record| Content::decode(&record.content).ok());
    let Some(content) = content else { return "Its content was erased".into() };
    let preview = Preview::of(&content);
    let about =
        ["To", "Cc", "Bcc (hidden from the others)", "Subject", "What", "Goes to", "Changes", "Where", "Spends"];
    let items = preview.items.iter().filter(|item| about.contains(&item.label)).map(|item| item.value.as_str());
    [preview.headline.as_str()].into_iter().chain(items).collect::<Vec<_>>().join(" · ")
}

impl Home {
    /// Returns what a change of the rules would have done to the last actions. Changes nothing.
    pub(crate) fn try_rules(&self, change: &RuleChange) -> Result<TrialView, Unchanged> {
        let before = kept(&self.ledger)?;
        let cedar = |book: &Book| book.rules.iter().map(|rule| rule.cedar.as_str()).collect::<String>();
        let cedar_before = cedar(&before);
        let Changed { book, set: after, .. } = changed(before, change, self.clock.now().wall_ms)?;
        let past = self.ledger.decided(TRIED).map_err(|error| HomeError::Gate(error.into()))?;
        let organisation = change.organisation.as_deref().map(domains).transpose()?;
        let trial = tried(past, &self.policy.current(), &after, organisation.as_deref());
        let view = |one: &Otherwise| TriedView {
            id: one.decided.row.id.to_string(),
            kind: one.decided.row.kind.name().into(),
            at_ms: one.decided.row.proposed.wall_ms,
            headline: visible(&headline(&self.ledger, &one.decided)),
            before: one.before.name().into(),
            after: one.after.name().into(),
            answered: answered(&one.decided.row).into(),
            reason: one.reasons.iter().map(|rule| after.explain(rule)).collect::<Vec<_>>().join(" "),
        };
        Ok(TrialView {
            tried: trial.tried,
            untold: trial.untold,
            otherwise: trial.otherwise.iter().map(view).collect(),
            before: cedar_before,
            after: cedar(&book),
        })
    }
}
