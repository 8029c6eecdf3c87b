//! What the gate asks of a policy, and the ladder that makes a verdict of it.

use crate::content::Content;
use crate::family::Level;
use crate::verdict::{Class, Decision, Evidence, Ruling, Verdict};

/// What is true about an action, computed by the gate from its own store; the model has no say in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The level of the connection, where one is used.
    pub level: Option<Level>,
    /// Whether the grant is in force and unchanged since the action was prepared.
    pub grant_stands: bool,
    /// Who gets something.
    pub receivers: u64,
    /// Those of them that are not the person.
    pub others: u64,
    /// Those of them that are outside of the person's organisation; everybody, where none is known.
    pub outside: u64,
    /// Who they are, but for the person: in the form names are compared in.
    pub names: Vec<String>,
    /// The domains of their addresses.
    pub domains: Vec<String>,
    /// Whether it cannot be read of all of them who they are.
    pub unreadable_receivers: bool,
    /// The tool it calls, as `server.tool`; nothing where it calls none.
    pub tool: String,
    /// Receivers the person is not known to have written to.
    pub unknown_receivers: u64,
    /// Receivers that stand neither on what the person is known to have done nor on their words in this task.
    pub ungrounded_receivers: u64,
    /// Existing things it changes.
    pub targets: u64,
    /// Existing things it changes that the person's words in this task do not name.
    pub unnamed_targets: u64,
    /// Links for others to follow that do not stand in the person's words.
    pub foreign_links: u64,
    /// Whether it calls a tool that nobody has described.
    pub undescribed: bool,
    /// Whether it spends, and a sum that cannot be read. Such an action does not run.
    pub unreadable_amount: bool,
    /// What it spends, in hundredths.
    pub amount: u64,
    /// Whether nothing in the words of its task asks for it.
    pub outside_scope: bool,
    /// Whether its task has looked at what other people wrote.
    pub untrusted_read: bool,
    /// Whether its task has seen identity documents, card numbers or other secrets.
    pub confidential_read: bool,
    /// Whether it moves mail into the folders that say what the person sent or is writing.
    pub into_sent_or_drafts: bool,
    /// Whether it moves mail that can be found again to a folder known to be the person's own.
    pub among_own_folders: bool,
    /// Whether it undoes what this home did.
    pub is_undo: bool,
    /// Actions of this kind claimed in the last 24 hours.
    pub same_kind_today: u64,
    /// Those claimed in the last hour.
    pub same_kind_hour: u64,
}

impl Facts {
    /// An action of a full connection that goes to one known receiver, with nothing remarkable about it: for tests and
    /// measurements, which say what is different.
    pub const UNREMARKABLE: Self = Self {
        level: Some(Level::Full),
        grant_stands: true,
        receivers: 1,
        others: 1,
        outside: 0,
        names: Vec::new(),
        domains: Vec::new(),
        unreadable_receivers: false,
        tool: String::new(),
        unknown_receivers: 0,
        ungrounded_receivers: 0,
        targets: 0,
        unnamed_targets: 0,
        foreign_links: 0,
        undescribed: false,
        unreadable_amount: false,
        amount: 0,
        outside_scope: false,
        untrusted_read: false,
        confidential_read: false,
        into_sent_or_drafts: false,
        among_own_folders: true,
        is_undo: false,
        same_kind_today: 0,
        same_kind_hour: 0,
    };

    /// Whether it is something the task was not given: many of these in a row, and somebody else may have taken the wheel.
    /// Receivers and things that the words do not name are none of it: who answers all mail writes to many.
    #[must_use]
    pub const fn is_odd(&self) -> bool {
        self.outside_scope || self.foreign_links > 0
    }
}

/// One question to the policy.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The prepared action.
    pub content: &'a Content,
    /// Its class.
    pub class: Class,
    /// What the store knows about it.
    pub facts: &'a Facts,
    /// What stands behind it.
    pub evidence: Evidence,
}

/// A policy: may this run on this evidence? Any error inside it must answer no.
pub trait Policy: Send + Sync {
    /// Evaluates once.
    fn rule(&self, question: &Question<'_>) -> Ruling;
    /// A name for this set of rules that changes with any of them, for the log.
    fn version(&self) -> String;
}

/// Whether a connection of `level` covers the action. Checked here and again by the connection's own façade.
#[must_use]
pub fn level_covers(level: Option<Level>, needed: Option<Level>) -> bool {
    match (level, needed) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(level), Some(needed)) => level >= needed,
    }
}

/// Asking is evaluating again: allowed as it is, runs; allowed if approved, asks; else asks with step-up; else denies.
///
/// The reasons are those of the last evaluation that refused: what stood in the way of deciding more freely.
pub fn judge(policy: &dyn Policy, content: &Content, class: Class, facts: &Facts) -> Verdict {
    let ask = |evidence| policy.rule(&Question { content, class, facts, evidence });
    let mut reasons = Vec::new();
    for (evidence, decision) in [
        (Evidence::None, Decision::Auto),
        (Evidence::Approved, Decision::Ask),
        (Evidence::SteppedUp, Decision::AskWithStepUp),
    ] {
        let ruling = ask(evidence);
        // INVARIANT: a critical action never runs on less than step-up, whatever the rules say.
        if ruling.allowed && !(class == Class::Critical && evidence != Evidence::SteppedUp) {
            if reasons.is_empty() {
                reasons = ruling.rules;
            }
            return Verdict { decision, reasons };
        }
        reasons = ruling.rules;
    }
    Verdict { decision: Decision::Deny, reasons }
}
