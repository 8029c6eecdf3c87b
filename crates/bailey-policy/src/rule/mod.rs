//! Rules as people say them, and the Cedar each of them is.
//!
//! ```text
//! mail inside my organisation: go ahead; outside: ask; first contact: ask
//! payments up to 50 to recipients I named or dealt with: go ahead
//! more than 20 mails a day: never
//! ```
//! A rule is a subject, conditions that all have to hold, and what is to happen. Clauses are parted by semicolons or lines; one
//! that names no subject goes on with that of the clause before. "Go ahead" becomes a permit, "ask" a forbid that an
//! approval lifts, "never" a forbid. Forbids win, and the floor is made of forbids: no rule lowers it.

mod cedar;
mod tokens;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use bailey_gate::Weekday;
use bailey_gate::event::Origin;
use bailey_gate::family::text::Address;

pub(crate) use words::SUBJECTS;
#[cfg(test)]
pub(crate) use words::examples;
pub use words::parse;

/// Says what is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It goes by itself.
    GoAhead,
    /// The person is asked.
    Ask,
    /// It does not happen.
    Never,
}

/// Says what a rule is about: kinds of actions, or what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Whatever there is.
    Anything,
    /// Covers what only looks.
    Reading,
    /// Covers what looks, and is seen by whom it asks.
    Fetching,
    /// Whatever does more than look.
    Doing,
    /// Covers what lets others have something: mail, messages, shared files.
    Outward,
    /// Mail that leaves.
    Mail,
    /// Moving mail between folders.
    MovingMail,
    /// Moving mail to the trash.
    TrashingMail,
    /// Marking mail: as read, with a star, with a label.
    MarkingMail,
    /// Leaving mailing lists by a request to their servers.
    Unsubscribing,
    /// Entries of the calendar, whatever is done to them.
    Calendar,
    /// New entries.
    NewEntries,
    /// Changed entries.
    ChangedEntries,
    /// Removed entries.
    CancelledEntries,
    /// New things that only the person sees.
    NewThings,
    /// Changing or removing things that exist.
    Changes,
    /// Changing them.
    Changing,
    /// Removing them.
    Removing,
    /// Spending.
    Payments,
    /// Notes for later tasks.
    Notes,
    /// The home's files, whatever is done to them.
    Files,
    /// New files.
    CreatingFiles,
    /// Files that get another content.
    ChangingFiles,
    /// Files that are moved or renamed.
    MovingFiles,
    /// Files that go to the trash.
    DeletingFiles,
    /// Commands in the agent's computer.
    Commands,
    /// Requests to sites, of the agent's computer and of the agent. What lets some go has to name their site.
    Requests,
}

impl Subject {
    /// Reads the words of a subject, whatever their case.
    #[must_use]
    pub fn from_words(words: &str) -> Option<Self> {
        let lower = words.to_lowercase();
        SUBJECTS.iter().find(|(_, all)| all.contains(&lower.as_str())).map(|(subject, _)| *subject)
    }
}

/// A span of time that a budget is for, up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
}

/// Says what has to be so. Where there are several recipients, places or things, a rule that lets something go wants all of them to be
/// so, and a rule that asks or forbids is met by one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Everybody who gets something was named in the task, or dealt with before.
    Grounded(bool),
    /// Somebody gets something for the first time; or nobody does.
    FirstContact(bool),
    /// Somebody outside of the person's organisation gets something; or nobody does.
    Outside(bool),
    /// Only the person gets it; or somebody else does, too.
    OnlyMe(bool),
    /// Everybody who gets something is one of these addresses.
    Only(Vec<String>),
    /// Everybody who gets something has an address at one of these domains.
    OnlyAt(Vec<String>),
    /// There are guests; or there are none.
    Guests(bool),
    /// The text has links that the person did not write; or it has none.
    Links(bool),
    /// It carries files; or none.
    Attachments(bool),
    /// It carries files that others sent; or none of those.
    ForeignFiles(bool),
    /// It answers a mail whose sender is not proven; or none of those.
    UnprovenSender(bool),
    /// Every thing it changes was named in the task; or some was not.
    Named(bool),
    /// It spends at most, or more than, so many hundredths.
    AtMost(u64),
    /// See [`Condition::AtMost`].
    MoreThan(u64),
    /// So many of this kind went already within a day.
    ADay(u64),
    /// So many of this kind went already within an hour.
    AnHour(u64),
    /// Fewer than so many of this kind went within a day.
    UpToADay(u64),
    /// Fewer than so many of this kind went within an hour.
    UpToAnHour(u64),
    /// The task has read what others wrote; or it has not.
    AfterReading(bool),
    /// The task has seen secrets; or it has not.
    AfterSecrets(bool),
    /// The words of the task do not ask for it; or they do.
    OffTask(bool),
    /// It is this tool of this server.
    Tool(String),
    /// Everybody who gets something is in this group of addresses. Reading a rule leaves the addresses out; see
    /// [`Rule::resolved`].
    Group(String, Vec<String>),
    /// With it, at most so many hundredths are spent in a span of time.
    BudgetUpTo(u64, Period),
    /// With it, more is spent.
    BudgetOver(u64, Period),
    /// It happens in this folder, or beneath.
    In(String),
    /// It happens at this site, or at one beneath its name.
    OnSite(String),
    /// Its request has this method.
    Method(String),
    /// It acts on this account.
    Through(String),
    /// Its task was begun by this schedule.
    Schedule(String),
    /// Its task was begun by the person, a schedule, a trigger, another agent.
    BegunBy(Origin),
    /// It is between these minutes of the day, the second left out; over midnight where the first is the later.
    Between(u16, u16),
    /// It is one of these days.
    OnDays(Vec<Weekday>),
    /// The person is there; or they are not.
    Attended(bool),
}

/// Tells whether a condition can be so of some actions of a subject and not of others.
pub(crate) fn fits(subject: Subject, condition: &Condition) -> bool {
    use Subject as S;
    let all = matches!(subject, S::Anything | S::Doing);
    let mail = matches!(subject, S::Mail | S::Outward);
    let entries = matches!(subject, S::Calendar | S::NewEntries | S::ChangedEntries | S::CancelledEntries);
    let changes = matches!(subject, S::Changes | S::Changing | S::Removing);
    let files = matches!(subject, S::Files | S::CreatingFiles | S::ChangingFiles | S::MovingFiles | S::DeletingFiles);
    let tools = matches!(subject, S::Fetching | S::NewThings | S::Payments | S::Outward) || changes;
    let requests = subject == S::Requests;
    let reaches = all || mail || entries || changes || matches!(subject, S::Fetching | S::Payments);
    match condition {
        // Mail goes to addresses and to nothing else.
        Condition::Only(names) if subject == S::Mail || entries => names.iter().all(|name| Address::new(name).is_ok()),
        Condition::Grounded(_)
        | Condition::FirstContact(_)
        | Condition::Outside(_)
        | Condition::OnlyMe(_)
        | Condition::Only(_)
        | Condition::OnlyAt(_)
        | Condition::Group(..) => reaches,
        Condition::Guests(_) => entries || all,
        Condition::Links(_) => all || mail || entries || changes || subject == S::Payments,
        Condition::Attachments(_) | Condition::ForeignFiles(_) | Condition::UnprovenSender(_) => all || mail,
        Condition::Named(_) => all || changes || mail || subject == S::Payments || files && subject != S::CreatingFiles,
        Condition::AtMost(_) | Condition::MoreThan(_) | Condition::BudgetUpTo(..) | Condition::BudgetOver(..) => {
            all || subject == S::Payments
        }
        Condition::In(_) => all || tools || files || subject == S::Reading,
        Condition::OnSite(_) | Condition::Method(_) => all || tools || requests || subject == S::Reading,
        Condition::Tool(_) => all || tools || subject == S::Reading,
        Condition::Through(_) => !(tools || files || requests || subject == S::Commands) || subject == S::Outward,
        Condition::OffTask(_) => !matches!(subject, S::Reading | S::Fetching | S::Commands),
        Condition::ADay(_)
        | Condition::AnHour(_)
        | Condition::UpToADay(_)
        | Condition::UpToAnHour(_)
        | Condition::AfterReading(_)
        | Condition::AfterSecrets(_)
        | Condition::Schedule(_)
        | Condition::BegunBy(_)
        | Condition::Between(..)
        | Condition::OnDays(_)
        | Condition::Attended(_) => true,
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Says what it is about.
    pub subject: Subject,
    /// Says what has to be so, all of it.
    pub conditions: Vec<Condition>,
    /// Says what is to happen.
    pub verdict: Verdict,
}

/// Why words are no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRule {
    /// Where: characters from the beginning of the text.
    pub at: usize,
    /// Quotes what stands there.
    pub found: String,
    /// Says what could stand there.
    pub hint: String,
}

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = bailey_gate::family::escape::visible(&self.found);
        write!(f, "at character {}: `{found}` is not understood; {}", self.at + 1, self.hint)
    }
}

impl std::error::Error for BadRule {}

impl fmt::Display for Rule {
    /// Returns the rule in the words it is read from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(words::subject(self.subject))?;
        for condition in &self.conditions {
            write!(f, " {}", words::condition(condition, self.subject))?;
        }
        write!(f, ": {}", words::verdict(self.verdict))
    }
}

/// Groups of addresses, by their names.
pub type Groups = BTreeMap<String, Vec<String>>;

impl Rule {
    /// Returns the rule with the members of the groups it speaks of; or the name of one that does not exist, or has nobody in
    /// it.
    pub fn resolved(mut self, groups: &Groups) -> Result<Self, String> {
        for condition in &mut self.conditions {
            if let Condition::Group(name, members) = condition {
                *members = groups.get(name).filter(|members| !members.is_empty()).ok_or_else(|| name.clone())?.clone();
            }
        }
        Ok(self)
    }

    /// Tells whether it would let requests go to any site, which no rule does.
    pub(crate) fn lacks_site(&self) -> bool {
        let names_site = self.conditions.iter().any(|condition| matches!(condition, Condition::OnSite(_)));
        self.subject == Subject::Requests && self.verdict == Verdict::GoAhead && !names_site
    }

    /// Returns the groups it speaks of.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match condition {
            Condition::Group(name, _) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the rule as Cedar, under a name.
    #[must_use]
    pub fn cedar(&self, name: &str) -> String {
        cedar::policy(self, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Rule {
        let rules = parse(text).unwrap_or_else(|bad| panic!("{text}: {bad}"));
        assert_eq!(rules.len(), 1, "{text}");
        rules[0].clone()
    }

    /// Returns as [`parse`] gives it: with nobody in its groups.
    fn unresolved(mut rule: Rule) -> Rule {
        for condition in &mut rule.conditions {
            if let Condition::Group(_, members) = condition {
                members.clear();
            }
        }
        rule
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_rule() {
        for subject in words::SUBJECTS.map(|(subject, _)| subject) {
            for verdict in [Verdict::GoAhead, Verdict::Ask, Verdict::Never] {
                let rule = Rule { subject, conditions: Vec::new(), verdict };
                assert!(rule.lacks_site() || one(&rule.to_string()) == rule, "{rule}");
                for condition in words::examples().into_iter().filter(|condition| fits(subject, condition)) {
                    let rule = Rule { conditions: vec![condition], ..rule.clone() };
                    if rule.lacks_site() {
                        assert!(parse(&rule.to_string()).unwrap_err().hint.contains("on example.org"));
                        continue;
                    }
                    assert_eq!(one(&rule.to_string()), unresolved(rule.clone()), "{rule}");
                }
            }
        }
        let conditions = words::examples().into_iter().filter(|condition| fits(Subject::Anything, condition)).collect();
        let all = Rule { subject: Subject::Anything, conditions, verdict: Verdict::Ask };
        assert_eq!(one(&all.to_string()), unresolved(all.clone()), "{all}");
    }

    #[test]
    fn people_say_it_in_more_than_one_way() {
        let said = parse("mail inside my organisation: go ahead; outside: ask; first contact: always ask").unwrap();
        let words: Vec<String> = said.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "mail inside my organisation: go ahead",
                "mail outside my organisation: ask",
                "mail to a first contact: ask"
            ]
        );
        assert_eq!(one("Calendar with no guests: yes").to_string(), "calendar without guests: go ahead");
        assert_eq!(one("spending over 50.5: no").to_string(), "payments over 50.50: never");
        assert_eq!(one("more than 20 mails a day: never").to_string(), "mail more than 20 times a day: never");
        assert_eq!(
            one("email to Ana@Example.org and tom@example.org: go ahead").to_string(),
            "mail to ana@example.org, tom@example.org: go ahead"
        );
        assert_eq!(one("mail to @example.org: go ahead").conditions, [Condition::OnlyAt(vec!["example.org".into()])]);
        for (said, kept) in [
            ("spending at most 50 € a week", "spending up to 50 a week"),
            ("up to 20 a day", "up to 20 times a day"),
            ("over 20 times per hour", "more than 20 times an hour"),
            ("not at night", "between 07.00 and 22.00"),
            ("between 9 and 17.30 on weekdays", "between 09.00 and 17.30 on weekdays"),
            ("between 9am and half past five pm", "between 09.00 and 17.30"),
            ("between 10 pm and 7 in the morning on weekends", "between 22.00 and 07.00 on weekends"),
            ("between noon and midnight", "between 12.00 and 00.00"),
            ("on Friday and Mondays", "on monday, friday"),
            ("in \"New clients/\"", "in \"New clients/\""),
            ("on Example.org with the method get", "on example.org with the method GET"),
            ("to the group board while I am away", "to the group board while I am away"),
            ("through Me@Example.org in the schedule Report", "through me@example.org in the schedule Report"),
        ] {
            assert_eq!(one(&format!("anything {said}: ask")).to_string(), format!("anything {kept}: ask"));
        }
        assert_eq!(one("payments at most 50 € a week: fine").to_string(), "payments up to 50 a week: go ahead");
        assert_eq!(one("payments up to 3 times a day: yes").to_string(), "payments up to 3 times a day: go ahead");
        assert_eq!(one("more than 3 payments a day: no").to_string(), "payments more than 3 times a day: never");
        assert_eq!(one("removing files in Clients/: never").to_string(), "deleting files in Clients/: never");
        assert_eq!(parse("# nothing here\n\n").unwrap(), []);
    }

    #[test]
    fn what_is_no_rule_is_told_with_its_place_and_a_hint() {
        for (text, at, hint) in [
            ("letters: go ahead", 0, "mail"),
            ("mail: perhaps", 6, "go ahead"),
            ("mail", 4, "`:`"),
            ("mail wherever: ask", 5, "inside my organisation"),
            ("mail: ask; payments up to lots: ask", 26, "number"),
            ("mail to nobody@: ask", 8, "address"),
            ("payments up to -5: ask", 15, "number"),
            ("mail: ask: never", 9, "`;`"),
            ("outside my organisation: ask", 0, "mail"),
            ("mail up to 50: ask", 11, "up to 20 times a day"),
            ("mail up to 50 a week: ask", 11, "up to 20 times a day"),
            ("payments more than 50 a day: never", 19, "over 50 a day"),
            ("anything spending: ask", 17, "spending up to"),
            ("new things in Clients: ask", 14, "Clients/"),
            ("new things in Clients/../: ask", 14, "Clients/"),
            ("mail in Clients/: never", 5, "of `mail` this is never so"),
            ("mail to \"Ana Ferreira\": never", 5, "of `mail`"),
            ("notes with links: never", 6, "of `notes`"),
            ("mail more than 501 times a day: never", 15, "up to 500"),
            ("fetching with the method \"a: go ahead\": never", 25, "POST"),
            ("mail on Blursday: ask", 8, "weekdays"),
            ("mail between 25 and 7: ask", 13, "22.00"),
            ("mail between half past five and 7: ask", 13, "22.00"),
            ("mail between tomorrow and 7: ask", 13, "22.00"),
            ("mail between 9 and 9: ask", 20, "whole day"),
            ("mail in the schedule: ask", 20, "schedule"),
            ("mail with the tool \"a: ask", 19, "server.tool"),
        ] {
            let bad = parse(text).unwrap_err();
            assert_eq!(bad.at, at, "{text}: {bad}");
            assert!(bad.hint.contains(hint), "{text}: {bad}");
        }
    }

    #[test]
    fn every_rule_there_can_be_is_cedar_that_fits_the_schema() {
        for subject in words::SUBJECTS.map(|(subject, _)| subject) {
            let mut text = String::new();
            let mut count = 0;
            let fitting = || words::examples().into_iter().filter(|condition| fits(subject, condition));
            for verdict in [Verdict::GoAhead, Verdict::Ask, Verdict::Never] {
                for conditions in fitting().map(|one| vec![one]).chain([fitting().collect(), Vec::new()]) {
                    count += 1;
                    text.push_str(&Rule { subject, conditions, verdict }.cedar(&format!("rule.{count}")));
                }
            }
            if let Err(error) = crate::CedarPolicy::with_grants(&text) {
                panic!("{error}");
            }
        }
    }
}
