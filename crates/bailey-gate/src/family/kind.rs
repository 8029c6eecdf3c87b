//! Kinds of actions, as data: one row for each, beside the family that has it.
//!
//! Whatever differs from kind to kind and needs no look at the action itself stands in its row: its name, what it does, the
//! level it needs, which words of a task ask for it. Rules, the database, offers and the model's tools are derived from it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::intent::Verb;
use crate::named::named_enum;

named_enum! {
    /// Says what a kind of action does, as rules group them.
    Group {
        /// Only looks: nothing at the other side is another afterwards, so it may be done again.
        Read = "read",
        /// Looks, and its arguments reach somebody: a request to a chosen address is a message to it.
        Fetch = "fetch",
        /// Makes or changes something of the person's own.
        Write = "write",
        /// Lets others have something.
        Outward = "outward",
        /// Changes or removes something that exists.
        Destroy = "destroy",
        /// Spends.
        Spend = "spend",
        /// Talks to the person.
        Speak = "speak",
    }
}

impl Group {
    /// Tells whether the group does more than look or talk to the person: what a rule about "anything but reading" is about.
    #[must_use]
    pub const fn is_effect(self) -> bool {
        match self {
            Self::Read | Self::Speak => false,
            Self::Fetch | Self::Write | Self::Outward | Self::Destroy | Self::Spend => true,
        }
    }
}

named_enum! {
    /// Limits what a connection may be used for. The order is that of power.
    Level {
        /// Look, change nothing.
        Read = "read-only",
        /// Also prepare drafts.
        Draft = "draft",
        /// Also send.
        Send = "send",
        /// Also change, move and trash; never purge.
        Full = "full",
    }
}

/// Says which words of a task ask for a kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedBy {
    /// It is never beside the task: it looks, answers the person, or stays in the home.
    Always,
    /// Any of these.
    Verbs(&'static [Verb]),
}

/// One kind of action.
#[derive(Debug, PartialEq, Eq)]
pub struct KindSpec {
    /// The stable name, `family.verb`, as policy, log and people name it.
    pub name: &'static str,
    /// Says what it does.
    pub group: Group,
    /// Says what it needs from its connection; `None` where it needs no connection.
    pub level: Option<Level>,
    /// Tells whether the effect is a row of the home's own database: done in the claiming commit, without a hand-off.
    pub local: bool,
    /// Says which words of a task ask for it.
    pub asked_by: AskedBy,
    /// The subject of the rule that a habit of approving it may be offered as, in the words of rules; `None` where nothing is
    /// offered.
    pub suggest: Option<&'static str>,
}

/// The kind of an action: a row of the table.
#[derive(Clone, Copy)]
pub struct ActionKind(&'static KindSpec);

impl ActionKind {
    /// Makes a kind of a row. Only families do: a kind that is in no family's list is found by no name.
    pub(super) const fn new(spec: &'static KindSpec) -> Self {
        Self(spec)
    }

    /// Walks over every kind of every family.
    pub fn all() -> impl Iterator<Item = Self> {
        super::FAMILIES.iter().copied().flatten().copied()
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name() == name)
    }

    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the part of the name before the point: whose kind it is.
    #[must_use]
    pub fn family(self) -> &'static str {
        self.0.name.split_once('.').map_or(self.0.name, |(family, _)| family)
    }

    /// Returns what it does.
    #[must_use]
    pub const fn group(self) -> Group {
        self.0.group
    }

    /// Tells whether the effect is a row of the home's own database: done in the claiming commit, without a hand-off.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.0.local
    }

    /// Tells whether it only looks: nothing at the other side is another afterwards, so it may be done again.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self.0.group, Group::Read)
    }

    /// Returns what the action needs from its connection, or `None` where it needs no connection.
    #[must_use]
    pub const fn needs_level(self) -> Option<Level> {
        self.0.level
    }

    /// Returns which words of a task ask for it.
    #[must_use]
    pub const fn asked_by(self) -> AskedBy {
        self.0.asked_by
    }

    /// Returns the subject of the rule that a habit of approving it may be offered as.
    #[must_use]
    pub const fn suggest(self) -> Option<&'static str> {
        self.0.suggest
    }
}

impl fmt::Debug for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for ActionKind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for ActionKind {}

impl PartialOrd for ActionKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ActionKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl Hash for ActionKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// Makes the kinds of a family: a constant for each, and the list of them.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = { $($row:tt)* };)*) => {
        $($(#[$doc])* pub const $name: $crate::family::ActionKind =
            $crate::family::ActionKind::new(&$crate::family::KindSpec { $($row)* });)*

        /// Every kind of this family.
        pub(super) const KINDS: &[$crate::family::ActionKind] = &[$($name,)*];
    };
}

pub(super) use kinds;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_of_their_own_that_read_back() {
        let mut names: Vec<&str> = ActionKind::all().map(ActionKind::name).collect();
        for name in &names {
            assert_eq!(ActionKind::from_name(name).map(ActionKind::name), Some(*name));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(ActionKind::from_name("mail"), None);
    }

    #[test]
    fn kinds_that_need_no_word_of_the_task_change_nothing_outside() {
        for kind in ActionKind::all().filter(|kind| kind.asked_by() == AskedBy::Always) {
            // What runs in the agent's computer stays there.
            let harmless =
                kind.is_read() || kind.is_local() || kind.group() == Group::Fetch || kind == crate::family::shell::RUN;
            assert!(harmless, "{kind:?}");
        }
    }
}
