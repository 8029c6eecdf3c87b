//! Classes, evidence, and the gate's answer to "may this happen?".

use std::fmt;

/// How far an effect can be taken back; bounds how freely it may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Can be undone in full by us.
    Undoable,
    /// Waits in the home for a while before it leaves, and can be stopped until then.
    Held,
    /// Can be made good, not unmade.
    Compensable,
    /// Neither, and much hangs on it: needs the person with step-up, always, and waits as what is held does.
    Critical,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Undoable, Self::Held, Self::Compensable, Self::Critical];

    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undoable => "undoable",
            Self::Held => "held",
            Self::Compensable => "compensable",
            Self::Critical => "critical",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// Grades what stands behind an action when policy looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Nothing but the proposal.
    None,
    /// The person approved its digest.
    Approved,
    /// The person approved its digest with step-up.
    SteppedUp,
}

/// One policy evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Ruling {
    /// Tells whether the action may run on the evidence given.
    pub allowed: bool,
    /// Rules that decided, by their stable names; never empty.
    pub rules: Vec<String>,
}

/// The gate's decision on a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Runs by itself.
    Auto,
    /// Waits for the person.
    Ask,
    /// Waits for the person, who has to prove presence anew.
    AskWithStepUp,
    /// Does not run.
    Deny,
}

impl Decision {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Ask => "ask",
            Self::AskWithStepUp => "ask-step-up",
            Self::Deny => "deny",
        }
    }
}

/// A decision and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// Says what was decided.
    pub decision: Decision,
    /// Why it was not decided more freely: rules by name, never empty.
    pub reasons: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.decision.name(), self.reasons.join(", "))
    }
}
