//! The states of an action and the legal ways between them: once, as data.
//!
//! The ledger turns [`TRANSITIONS`] into database constraints, so a state that this table does not allow cannot be
//! stored even by a bug elsewhere.

/// Where an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Recorded, not yet decided. Exists only inside the proposing commit.
    Proposed,
    /// Refused by policy.
    Denied,
    /// Waiting for the person.
    Awaiting,
    /// May run, by policy or by the person.
    Approved,
    /// Refused by the person.
    Rejected,
    /// Not answered, or not run, in time.
    Expired,
    /// Taken back before it ran.
    Cancelled,
    /// Replaced by an edited action.
    Superseded,
    /// Approved and waiting out its hold window.
    Held,
    /// Durably about to happen; from here on it may have happened.
    Claimed,
    /// Happened.
    Succeeded,
    /// Handed off, and refused by the other side.
    Failed,
    /// Happened in part.
    Partial,
    /// Known not to have been handed off.
    NotExecuted,
    /// Handed off, outcome not known.
    Unknown,
    /// Being looked up at the other side.
    Reconciling,
    /// Only the person can tell whether it happened.
    NeedsPerson,
    /// An undo of it is under way.
    Undoing,
    /// Undone.
    Undone,
    /// Its undo did not work.
    UndoFailed,
}

use State::{
    Approved, Awaiting, Cancelled, Claimed, Denied, Expired, Failed, Held, NeedsPerson, NotExecuted, Partial, Proposed,
    Reconciling, Rejected, Succeeded, Superseded, UndoFailed, Undoing, Undone, Unknown,
};

/// Every legal step, and nothing else.
pub const TRANSITIONS: &[(State, &[State])] = &[
    (Proposed, &[Denied, Awaiting, Approved]),
    (Awaiting, &[Approved, Rejected, Expired, Cancelled, Superseded, Denied]),
    (Approved, &[Held, Claimed, Awaiting, Denied, Expired, Cancelled]),
    (Held, &[Claimed, Cancelled, Awaiting, Denied, Expired]),
    (Claimed, &[Succeeded, Failed, Partial, NotExecuted, Unknown]),
    (Unknown, &[Reconciling]),
    (Reconciling, &[Succeeded, NeedsPerson, Unknown]),
    (NeedsPerson, &[Succeeded, NotExecuted]),
    // The person corrects what they said; of nothing else ([`crate::Gate::resolve`]).
    (NotExecuted, &[Succeeded]),
    (Succeeded, &[Undoing, NotExecuted]),
    (Partial, &[Undoing]),
    (Undoing, &[Undone, UndoFailed]),
    (UndoFailed, &[Undoing, Undone]),
    (Undone, &[UndoFailed]),
];

impl State {
    /// Every state.
    pub const ALL: [Self; 20] = [
        Proposed,
        Denied,
        Awaiting,
        Approved,
        Rejected,
        Expired,
        Cancelled,
        Superseded,
        Held,
        Claimed,
        Succeeded,
        Failed,
        Partial,
        NotExecuted,
        Unknown,
        Reconciling,
        NeedsPerson,
        Undoing,
        Undone,
        UndoFailed,
    ];

    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Proposed => "proposed",
            Denied => "denied",
            Awaiting => "awaiting",
            Approved => "approved",
            Rejected => "rejected",
            Expired => "expired",
            Cancelled => "cancelled",
            Superseded => "superseded",
            Held => "held",
            Claimed => "claimed",
            Succeeded => "succeeded",
            Failed => "failed",
            Partial => "partial",
            NotExecuted => "not-executed",
            Unknown => "unknown",
            Reconciling => "reconciling",
            NeedsPerson => "needs-person",
            Undoing => "undoing",
            Undone => "undone",
            UndoFailed => "undo-failed",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Returns the states one step away.
    #[must_use]
    pub fn successors(self) -> &'static [Self] {
        TRANSITIONS.iter().find(|(from, _)| *from == self).map_or(&[], |(_, to)| to)
    }

    /// Tells whether one step leads from here to `to`.
    #[must_use]
    pub fn may_become(self, to: Self) -> bool {
        self.successors().contains(&to)
    }

    /// Tells whether a hand-off may have happened: from the claim on, and never before it.
    #[must_use]
    pub const fn is_past_claim(self) -> bool {
        match self {
            Claimed | Succeeded | Failed | Partial | NotExecuted | Unknown | Reconciling | NeedsPerson | Undoing
            | Undone | UndoFailed => true,
            Proposed | Denied | Awaiting | Approved | Rejected | Expired | Cancelled | Superseded | Held => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reachable_and_named() {
        let mut seen = vec![Proposed];
        let mut at = 0;
        while let Some(state) = seen.get(at).copied() {
            at += 1;
            seen.extend(state.successors().iter().filter(|s| !seen.contains(s)).copied().collect::<Vec<_>>());
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), State::ALL.len());
        for state in State::ALL {
            assert_eq!(State::from_name(state.name()), Some(state));
        }
    }

    #[test]
    fn only_a_claim_leads_past_the_claim() {
        for (from, successors) in TRANSITIONS {
            for to in *successors {
                if to.is_past_claim() && !from.is_past_claim() {
                    assert_eq!(*to, Claimed, "{from:?} -> {to:?}");
                }
                assert!(!from.is_past_claim() || to.is_past_claim(), "{from:?} -> {to:?} goes back before the claim");
            }
        }
    }
}
