//! Defines what the gate asks of a policy, and the ladder that makes a verdict of it.

use crate::codec::{CodecError, Decoder, Encoder};
use crate::family::{ActionKind, Level};
use crate::verdict::{Class, Decision, Evidence, Ruling, Verdict};

/// One thing that is true about an action, as rules see it and as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Yes or no.
    Flag(bool),
    /// How many, or how much.
    Count(u64),
    /// One name; nothing where there is none.
    Text(String),
    /// Several.
    Texts(Vec<String>),
}

/// A type facts are made of.
trait FactValue: Default + PartialEq + Sized {
    fn to_fact(&self) -> Fact;
    fn from_fact(fact: Fact) -> Option<Self>;
}

impl FactValue for bool {
    fn to_fact(&self) -> Fact {
        Fact::Flag(*self)
    }
    fn from_fact(fact: Fact) -> Option<Self> {
        if let Fact::Flag(flag) = fact { Some(flag) } else { None }
    }
}

impl FactValue for u64 {
    fn to_fact(&self) -> Fact {
        Fact::Count(*self)
    }
    fn from_fact(fact: Fact) -> Option<Self> {
        if let Fact::Count(count) = fact { Some(count) } else { None }
    }
}

impl FactValue for String {
    fn to_fact(&self) -> Fact {
        Fact::Text(self.clone())
    }
    fn from_fact(fact: Fact) -> Option<Self> {
        if let Fact::Text(text) = fact { Some(text) } else { None }
    }
}

impl FactValue for Vec<String> {
    fn to_fact(&self) -> Fact {
        Fact::Texts(self.clone())
    }
    fn from_fact(fact: Fact) -> Option<Self> {
        if let Fact::Texts(texts) = fact { Some(texts) } else { None }
    }
}

/// A level counts from 1, the weakest; 0 is none.
impl FactValue for Option<Level> {
    fn to_fact(&self) -> Fact {
        Fact::Count(self.map_or(0, |level| level as u64 + 1))
    }
    fn from_fact(fact: Fact) -> Option<Self> {
        match fact {
            Fact::Count(0) => Some(None),
            Fact::Count(at) => Level::ALL.into_iter().find(|level| *level as u64 + 1 == at).map(Some),
            Fact::Flag(_) | Fact::Text(_) | Fact::Texts(_) => None,
        }
    }
}

/// Makes [`Facts`], the list of them by name, and the way back: one table, so that no fact is forgotten in any of them.
macro_rules! facts {
    ($($(#[doc = $doc:literal])* $field:ident: $kind:ty = $name:literal;)*) => {
        /// Holds what is true about an action, computed by the gate from its own store; the model has no say in it.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Facts {
            $($(#[doc = $doc])* pub $field: $kind,)*
        }

        /// Every fact by the name rules know it by, with what it says.
        pub const FACT_DOCS: &[(&str, &str)] = &[$(($name, concat!($($doc),*)),)*];

        impl Facts {
            /// Returns every fact, by the name rules know it by.
            #[must_use]
            pub fn list(&self) -> Vec<(&'static str, Fact)> {
                vec![$(($name, self.$field.to_fact()),)*]
            }

            /// Returns the names of the facts that are others in these.
            #[must_use]
            pub fn differing(&self, others: &Self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $(if self.$field != others.$field {
                    names.push($name);
                })*
                names
            }

            /// Takes one fact; false where there is none of this name and type.
            fn take(&mut self, name: &str, fact: Fact) -> bool {
                match name {
                    $($name => <$kind as FactValue>::from_fact(fact).map(|value| self.$field = value).is_some(),)*
                    _ => false,
                }
            }
        }
    };
}

facts! {
    /// The level of the connection, where one is used.
    level: Option<Level> = "level";
    /// Tells whether the grant is in force and unchanged since the action was prepared.
    grant_stands: bool = "grantStands";
    /// The account it acts on, as its service names it; nothing where it needs none.
    account: String = "account";
    /// Who gets something.
    recipients: u64 = "recipients";
    /// Those of them that are not the person.
    others: u64 = "others";
    /// Those of them that are outside of the person's organisation; everybody, where none is known.
    outside: u64 = "outside";
    /// Those of them that are inside of it, but for the person.
    inside: u64 = "inside";
    /// Who they are, but for the person: in the form names are compared in.
    names: Vec<String> = "names";
    /// The domains of their addresses.
    domains: Vec<String> = "domains";
    /// Tells whether it cannot be read of all of them who they are.
    unreadable_recipients: bool = "unreadableRecipients";
    /// Those that could be taken for somebody the person knows, and are not.
    look_alikes: u64 = "lookAlikes";
    /// Tells whether it is mail: something reaches addresses of mail, by whatever tool.
    is_mail: bool = "isMail";
    /// Tells whether others will read words of it, those who get it or those who have what it changes.
    tells_others: bool = "tellsOthers";
    /// Files it carries.
    attachments: u64 = "attachments";
    /// Those of them that others sent.
    foreign_attachments: u64 = "foreignAttachments";
    /// Files of the person's mailbox it carries whose names do not stand in the words of its task.
    unnamed_files: u64 = "unnamedFiles";
    /// Tells whether it answers a mail of which the account's own server found no proof that its sender sent it.
    sender_unproven: bool = "senderUnproven";
    /// The tool it calls, as `server.tool`; nothing where it calls none.
    tool: String = "tool";
    /// Folders and sites that hold every place it touches, as [`crate::place::Place::within`] names them.
    within: Vec<String> = "within";
    /// Folders and sites that hold one of them.
    touches: Vec<String> = "touches";
    /// The places themselves, as [`crate::place::Place::itself`] names them.
    places: Vec<String> = "places";
    /// Tells whether it touches a place that cannot be read.
    unreadable_places: bool = "unreadablePlaces";
    /// The method of a request, in capitals; nothing where it has none.
    method: String = "method";
    /// Recipients the person is not known to have written to.
    unknown_recipients: u64 = "unknownRecipients";
    /// Recipients that stand neither on what the person is known to have done nor on their words in this task.
    ungrounded_recipients: u64 = "ungroundedRecipients";
    /// Recipients that the words of its task do not name, where they name others of their kind.
    off_task_recipients: u64 = "offTaskRecipients";
    /// Returns the existing things it changes.
    targets: u64 = "targets";
    /// Existing things it changes that the person's words in this task do not name.
    unnamed_targets: u64 = "unnamedTargets";
    /// Links for others to follow that do not stand in the person's words.
    foreign_links: u64 = "foreignLinks";
    /// Tells whether it calls a tool that nobody has described.
    undescribed: bool = "undescribed";
    /// Tells whether it spends, and a sum that cannot be read. Such an action does not run.
    unreadable_amount: bool = "unreadableAmount";
    /// Counts what it spends, in hundredths.
    amount: u64 = "amount";
    /// Sums what is spent with it in 24 hours, in hundredths: it, and what was claimed and has not failed.
    spent_day: u64 = "spentDay";
    /// Sums the same in seven days.
    spent_week: u64 = "spentWeek";
    /// Sums the same in thirty days.
    spent_month: u64 = "spentMonth";
    /// Tells whether nothing in the words of its task asks for it.
    outside_scope: bool = "outsideScope";
    /// Tells whether it cancels or changes more of a series than the words of its task mean.
    more_than_meant: bool = "moreThanMeant";
    /// The schedule its task was begun by; nothing for what the person asked for just now.
    schedule: String = "schedule";
    /// Tells whether its task was begun by a schedule that was not given the account it uses.
    beside_schedule: bool = "besideSchedule";
    /// Who or what began its task: person, schedule, trigger, agent; nothing where it belongs to no task.
    origin: String = "origin";
    /// Tells whether the person is there: a client of theirs has been heard of a moment ago.
    attended: bool = "attended";
    /// Minutes since midnight, where the person lives.
    minute: u64 = "minute";
    /// The day of the week there, in small letters.
    weekday: String = "weekday";
    /// Tells whether its task has looked at what other people wrote.
    untrusted_read: bool = "untrustedRead";
    /// Tells whether its task has seen identity documents, card numbers or other secrets.
    confidential_read: bool = "confidentialRead";
    /// Tells whether it moves mail into the folders that say what the person sent or is writing.
    into_sent_or_drafts: bool = "intoSentOrDrafts";
    /// Tells whether it moves mail that can be found again to a folder known to be the person's own.
    among_own_folders: bool = "amongOwnFolders";
    /// Tells whether it undoes what this home did.
    is_undo: bool = "undo";
    /// Actions of this kind claimed in the last 24 hours.
    same_kind_today: u64 = "sameKindToday";
    /// Those claimed in the last hour.
    same_kind_hour: u64 = "sameKindHour";
}

/// Facts that were written under another name once, in homes that are still there: then and now.
pub const RENAMED_FACTS: [(&str, &str); 5] = [
    ("receivers", "recipients"),
    ("unreadableReceivers", "unreadableRecipients"),
    ("unknownReceivers", "unknownRecipients"),
    ("ungroundedReceivers", "ungroundedRecipients"),
    ("besideReceivers", "offTaskRecipients"),
];

impl Facts {
    /// Returns an action of a full connection that goes to one known recipient, with nothing remarkable about it: for tests and
    /// measurements, which say what is different.
    #[must_use]
    pub fn unremarkable() -> Self {
        Self {
            level: Some(Level::Full),
            grant_stands: true,
            recipients: 1,
            others: 1,
            among_own_folders: true,
            attended: true,
            weekday: "monday".into(),
            minute: 12 * 60,
            ..Self::default()
        }
    }

    /// Writes what is true: a fact that is not there is false, nothing or nobody.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let facts = self.list().into_iter().zip(Self::default().list());
        let told: Vec<_> = facts.filter(|(fact, nothing)| fact != nothing).map(|(fact, _)| fact).collect();
        let mut out = Encoder::default();
        out.list(&told, |out, (name, fact)| {
            out.text(name);
            match fact {
                Fact::Flag(flag) => out.byte(1).byte(u8::from(*flag)),
                Fact::Count(count) => out.byte(2).number(*count),
                Fact::Text(text) => out.byte(3).text(text),
                Fact::Texts(texts) => out.byte(4).list(texts, |out, text| {
                    out.text(text);
                }),
            };
        });
        out.finish()
    }

    /// Reads them back. What a later version wrote that this one does not know is an error, not half a picture.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut bytes = Decoder::new(bytes);
        let mut facts = Self::default();
        let known = bytes.list(|bytes| {
            let name = bytes.text()?;
            let fact = match bytes.byte()? {
                1 => Fact::Flag(bytes.byte()? == 1),
                2 => Fact::Count(bytes.number()?),
                3 => Fact::Text(bytes.text()?),
                4 => Fact::Texts(bytes.list(Decoder::text)?),
                tag => return Err(CodecError::UnknownTag(tag)),
            };
            let renamed = RENAMED_FACTS.iter().find(|(then, _)| *then == name);
            Ok(facts.take(renamed.map_or(name.as_str(), |(_, now)| now), fact))
        })?;
        bytes.finish()?;
        if known.into_iter().all(|known| known) { Ok(facts) } else { Err(CodecError::Malformed("a fact")) }
    }

    /// Tells whether it is something the task was not given: many of these in a row, and somebody else may have taken the wheel.
    /// Recipients and things that the words do not name are none of it, unless the words name others in their place: who answers
    /// all mail writes to many.
    #[must_use]
    pub const fn is_off_task(&self) -> bool {
        self.outside_scope || self.more_than_meant || self.off_task_recipients > 0 || self.foreign_links > 0
    }
}

/// One question to the policy. It is about what an action is and what is true about it, never about its words: so it can be
/// asked again of what the log keeps.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Says what it does.
    pub kind: ActionKind,
    /// Its class.
    pub class: Class,
    /// Holds what is true about it.
    pub facts: &'a Facts,
    /// Grades what stands behind it.
    pub evidence: Evidence,
}

/// A policy: may this run on this evidence? Any error inside it must answer no.
pub trait Policy: Send + Sync {
    /// Evaluates once.
    fn rule(&self, question: &Question<'_>) -> Ruling;
    /// Returns a name for this set of rules that changes with any of them, for the log.
    fn version(&self) -> String;
    /// Tells whether any rule about actions of this kind looks at a fact. Where it says no, the answer is the same whatever
    /// that fact says; where it cannot tell, it says yes.
    fn heeds(&self, kind: ActionKind, fact: &str) -> bool;
}

/// Tells whether a connection of `level` covers the action. Checked here and again by the connection's own façade.
#[must_use]
pub fn level_covers(level: Option<Level>, needed: Option<Level>) -> bool {
    match (level, needed) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(level), Some(needed)) => level >= needed,
    }
}

/// Judges; asking is evaluating again: allowed as it is, runs; allowed if approved, asks; else asks with step-up; else denies.
///
/// The reasons are those of the last evaluation that refused: what stood in the way of deciding more freely.
pub fn judge(policy: &dyn Policy, kind: ActionKind, class: Class, facts: &Facts) -> Verdict {
    let ask = |evidence| policy.rule(&Question { kind, class, facts, evidence });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_read_back_as_they_were_written() {
        let facts = Facts {
            level: Some(Level::Send),
            names: vec!["ana@example.org".into(), String::new()],
            weekday: "friday".into(),
            amount: u64::MAX,
            attended: true,
            ..Facts::default()
        };
        assert_eq!(Facts::decode(&facts.encode()), Ok(facts.clone()));
        assert_eq!(Facts::decode(&Facts::default().encode()), Ok(Facts::default()));
        assert!(facts.encode().len() < 200, "only what is true is written");
        assert_eq!(Facts::decode(&facts.encode()[1..]), Err(CodecError::Short), "cut short");
        let mut older = Encoder::default();
        older.number(2).text("receivers").byte(2).number(3).text("besideReceivers").byte(2).number(1);
        let renamed = Facts { recipients: 3, off_task_recipients: 1, ..Facts::default() };
        assert_eq!(Facts::decode(&older.finish()), Ok(renamed), "as an earlier version named them");
        let mut foreign = Encoder::default();
        foreign.number(1).text("approved").byte(1).byte(1);
        assert_eq!(Facts::decode(&foreign.finish()), Err(CodecError::Malformed("a fact")));
    }
}
