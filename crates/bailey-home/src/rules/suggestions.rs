//! Offers: after enough approvals that are alike, the narrowest rule that would have spared them. Nothing widens by itself.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::{ActionKind, mail, tool};
use bailey_gate::ledger::MAX_COUNTED;
use bailey_gate::policy::{Facts, judge};
use bailey_gate::{Decision, GateError, State};
use bailey_interface::{RuleChange, SuggestionView};
use bailey_ledger::Decided;
use bailey_policy::CedarPolicy;
use bailey_policy::rule::{Condition, Period, Rule, Subject, Verdict, parse};

use super::{Book, Unchanged, compiled, keep, kept};
use crate::home::{Home, HomeError};

const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// Approvals that have to be alike, and on how many days at least: one busy afternoon is no habit.
const MIN_APPROVED: usize = 5;
const MIN_DAYS: usize = 3;
/// How far apart the first and the last of them lie at least.
const MIN_SPAN_MS: i64 = 2 * DAY_MS;
/// How far back they may lie, and how long ago the last of them.
const WINDOW_MS: i64 = 60 * DAY_MS;
const FRESH_MS: i64 = 14 * DAY_MS;
/// How long a suggestion that was not wanted is not made again.
const DISMISSED_MS: i64 = 60 * DAY_MS;
/// Answers looked at.
const LOOKED_AT: u32 = 2_000;

/// A rule the home suggests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion {
    /// A short name that is that of this rule and no other.
    pub(crate) id: String,
    /// The rule.
    pub(crate) rule: Rule,
    /// How many approvals it stands on.
    pub(crate) approved: usize,
    /// When the first and the last of them were proposed.
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

impl Suggestion {
    /// Tells why it was made, for the log.
    pub(crate) fn why(&self) -> String {
        format!("offered after {} approvals that were alike", self.approved)
    }
}

/// What makes approvals alike: they do the same, with the same account and tool, to the same people.
type Alike = (ActionKind, String, String, Vec<String>);

/// Returns the rules that past answers are reason to suggest, most approvals first.
pub(crate) fn suggestions(past: &[Decided], book: &Book, now_ms: i64) -> Vec<Suggestion> {
    let Ok(in_force) = compiled(&book.rules) else { return Vec::new() };
    let mut alike: BTreeMap<Alike, Vec<(&Decided, Facts)>> = BTreeMap::new();
    for decided in past.iter().filter(|decided| decided.row.proposed.wall_ms >= now_ms.saturating_sub(WINDOW_MS)) {
        let Ok(facts) = Facts::decode(&decided.facts) else { continue };
        let mut names = facts.names.clone();
        names.sort();
        names.dedup();
        alike
            .entry((decided.row.kind, facts.account.clone(), facts.tool.clone(), names))
            .or_default()
            .push((decided, facts));
    }
    let dismissed: BTreeSet<&str> = book
        .dismissed
        .iter()
        .filter(|(_, at)| *at >= now_ms.saturating_sub(DISMISSED_MS))
        .map(|(words, _)| words.as_str())
        .collect();
    // One no among the yeses, to any of those people or of that tool, and there is no habit.
    let refused: Vec<Alike> = alike
        .iter()
        .filter(|(_, group)| group.iter().any(|(decided, _)| went_back(decided.row.state)))
        .map(|(alike, _)| alike.clone())
        .collect();
    let overlaps = |(kind, _, tool, names): &Alike| {
        refused.iter().any(|(other, _, other_tool, others)| {
            kind == other && tool == other_tool && (names == others || names.iter().any(|name| others.contains(name)))
        })
    };
    alike.retain(|alike, _| !overlaps(alike));
    let mut out: Vec<Suggestion> =
        alike.into_values().filter_map(|group| suggestion(&group, &in_force, book, now_ms)).collect();
    out.retain(|suggestion| !dismissed.contains(suggestion.rule.to_string().as_str()));
    out.sort_by_key(|suggestion| std::cmp::Reverse(suggestion.approved));
    out
}

/// Tells whether the person said no to it, or went back on their yes.
const fn went_back(state: State) -> bool {
    matches!(
        state,
        State::Rejected | State::Cancelled | State::Superseded | State::Undoing | State::Undone | State::UndoFailed
    )
}

fn suggestion(group: &[(&Decided, Facts)], in_force: &CedarPolicy, book: &Book, now_ms: i64) -> Option<Suggestion> {
    let approved: Vec<&(&Decided, Facts)> =
        group.iter().filter(|(decided, _)| decided.row.approval.is_some()).collect();
    let times = || approved.iter().map(|(decided, _)| decided.row.proposed.wall_ms);
    let days: BTreeSet<i64> = times().map(|at| at.div_euclid(DAY_MS)).collect();
    let (first_ms, last_ms) = (times().min()?, times().max()?);
    if approved.len() < MIN_APPROVED
        || days.len() < MIN_DAYS
        || last_ms - first_ms < MIN_SPAN_MS
        || last_ms < now_ms.saturating_sub(FRESH_MS)
    {
        return None;
    }
    let (kind, class) = approved.first().map(|(decided, _)| (decided.row.kind, decided.row.class))?;
    let facts: Vec<&Facts> = approved.iter().map(|(_, facts)| facts).collect();
    let rule = narrowest(kind, &facts)?;
    // It has to spare what it stands on: where the floor asks anyhow, or a rule lets it go by now, there is nothing to suggest.
    let cedar: String = book.rules.iter().map(|kept| kept.cedar.clone()).chain([rule.cedar("suggestion")]).collect();
    let with = CedarPolicy::with_grants(&cedar).ok()?;
    let spared = |facts: &&&Facts| {
        judge(in_force, kind, class, facts).decision == Decision::Ask
            && judge(&with, kind, class, facts).decision == Decision::Auto
    };
    if facts.iter().filter(spared).count() < MIN_APPROVED {
        return None;
    }
    Some(Suggestion { id: id_of(&rule), rule, approved: approved.len(), first_ms, last_ms })
}

fn id_of(rule: &Rule) -> String {
    let hash = digest(&SHA256, rule.to_string().as_bytes());
    hash.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the narrowest rule in words that covers all of these: what they have in common, each thing a condition. `None`
/// where nothing they have in common says whom or what it is about.
fn narrowest(kind: ActionKind, all: &[&Facts]) -> Option<Rule> {
    let subject = subject(kind)?;
    let every = |holds: &dyn Fn(&Facts) -> bool| all.iter().all(|facts| holds(facts));
    let first = *all.first()?;
    let mut conditions = Vec::new();
    let mut bound = false;
    if first.others > 0 {
        if every(&|facts| facts.unreadable_recipients || facts.names.is_empty()) {
            return None;
        }
        let names: BTreeSet<String> = all.iter().flat_map(|facts| facts.names.iter().cloned()).collect();
        // What cannot be written in a rule cannot be offered.
        if names.iter().any(|name| name.contains('"')) {
            return None;
        }
        conditions.push(Condition::Only(names.into_iter().collect()));
        bound = true;
    }
    if !first.tool.is_empty() {
        conditions.push(Condition::Tool(first.tool.clone()));
        // The deepest folder or site that holds all of it: the one with the longest name.
        let holds_all = first.within.iter().filter(|holder| every(&|facts| facts.within.contains(holder)));
        let common = holds_all
            .filter(|holder| holder.ends_with('/') || holder.starts_with("site:"))
            .max_by_key(|holder| holder.len());
        match common.and_then(|holder| holder.split_once(':')) {
            Some(("folder", folder)) if folder.ends_with('/') => {
                conditions.push(Condition::In(folder.into()));
                bound = true;
            }
            Some(("site", site)) => {
                conditions.push(Condition::OnSite(site.into()));
                bound = true;
            }
            _ => {}
        }
        if every(&|facts| facts.targets > 0 && facts.unnamed_targets == 0) {
            conditions.push(Condition::Named(true));
            bound = true;
        }
        if !first.method.is_empty() && every(&|facts| facts.method == first.method) {
            conditions.push(Condition::Method(first.method.clone()));
        }
    }
    // No more at once, and no more in a span of time, than was approved.
    let most = |of: &dyn Fn(&Facts) -> u64| all.iter().map(|facts| of(facts)).max().unwrap_or_default();
    if kind == tool::PAY {
        conditions.push(Condition::AtMost(most(&|facts| facts.amount)));
        conditions.push(Condition::BudgetUpTo(most(&|facts| facts.spent_week), Period::Week));
    }
    conditions.push(Condition::UpToADay(most(&|facts| facts.same_kind_today).saturating_add(1).min(MAX_COUNTED)));
    if !first.schedule.is_empty() && every(&|facts| facts.schedule == first.schedule) {
        conditions.push(Condition::Schedule(first.schedule.clone()));
    }
    if !first.account.is_empty() {
        conditions.push(Condition::Through(first.account.clone()));
    }
    let bare = every(&|facts| facts.attachments == 0);
    let so = [
        (kind != tool::WRITE && every(&|facts| facts.foreign_links == 0), Condition::Links(false)),
        (kind == mail::SEND && bare, Condition::Attachments(false)),
        (kind == mail::SEND && !bare && every(&|facts| facts.foreign_attachments == 0), Condition::ForeignFiles(false)),
        (every(&|facts| !facts.confidential_read), Condition::AfterSecrets(false)),
        (every(&|facts| !facts.untrusted_read), Condition::AfterReading(false)),
    ];
    conditions.extend(so.into_iter().filter(|(holds, _)| *holds).map(|(_, condition)| condition));
    let rule = Rule { subject, conditions, verdict: Verdict::GoAhead };
    // What would not be read back as it is offered could not be taken.
    (bound && parse(&rule.to_string()).is_ok_and(|read| read == [rule.clone()])).then_some(rule)
}

/// Returns what rules call an action of this kind; `None` for what is not offered.
fn subject(kind: ActionKind) -> Option<Subject> {
    Subject::from_words(kind.suggest()?)
}

impl Home {
    /// Returns the suggestions that stand now.
    pub(crate) fn suggestions(&self) -> Result<Vec<Suggestion>, HomeError> {
        let past = self.ledger.answered(LOOKED_AT).map_err(GateError::from)?;
        Ok(suggestions(&past, &kept(&self.ledger)?, self.clock.now().wall_ms))
    }

    /// Returns the suggestion a change takes, which has to be that very rule and nothing beside it.
    pub(super) fn offer_of(&self, change: &RuleChange) -> Result<Suggestion, Unchanged> {
        let wanted = change.suggestion.as_deref().unwrap_or_default();
        let plain =
            RuleChange { add: change.add.clone(), suggestion: change.suggestion.clone(), ..RuleChange::default() };
        let suggestion = self
            .suggestions()?
            .into_iter()
            .find(|suggestion| suggestion.id == wanted && suggestion.rule.to_string() == change.add);
        suggestion.filter(|_| plain == *change).ok_or_else(|| {
            Unchanged::Bad("there is no such suggestion any more; look again with `bailey rules suggestions`".into())
        })
    }

    /// Does not make a suggestion again for a while. Needs no proof: it lets nothing go.
    pub(crate) fn dismiss_suggestion(&self, id: &str) -> Result<(), Unchanged> {
        let _turn = self.changing_rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.clock.now();
        let suggestion = self.suggestions()?.into_iter().find(|suggestion| suggestion.id == id);
        let suggestion = suggestion.ok_or_else(|| {
            Unchanged::Bad(format!("there is no suggestion `{id}`; list them with `bailey rules suggestions`"))
        })?;
        let mut book = kept(&self.ledger)?;
        let words = suggestion.rule.to_string();
        book.dismissed.retain(|(known, at)| *known != words && *at >= now.wall_ms.saturating_sub(DISMISSED_MS));
        book.dismissed.push((words.clone(), now.wall_ms));
        let payload = Payload::default().text("dismissed", words);
        let entry = Event::of_home(EventKind::Rules, Actor::Client, now, self.gate.lock().pause_state());
        keep(&self.ledger, &book, None, Event { payload, ..entry })?;
        Ok(())
    }

    /// Returns the suggestions as they are shown, each with what it would have done.
    pub(crate) fn suggestion_views(&self) -> Result<Vec<SuggestionView>, Unchanged> {
        let view = |suggestion: Suggestion| {
            let words = suggestion.rule.to_string();
            let change =
                RuleChange { add: words.clone(), suggestion: Some(suggestion.id.clone()), ..RuleChange::default() };
            Ok(SuggestionView {
                trial: self.try_rules(&change)?,
                why: suggestion.why(),
                cedar: suggestion.rule.cedar(&suggestion.id),
                approved: suggestion.approved as u64,
                first_ms: suggestion.first_ms,
                last_ms: suggestion.last_ms,
                id: suggestion.id,
                words,
            })
        };
        self.suggestions()?.into_iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(kind: ActionKind, all: &[Facts]) -> Option<String> {
        narrowest(kind, &all.iter().collect::<Vec<_>>()).map(|rule| rule.to_string())
    }

    #[test]
    fn the_narrowest_rule_names_all_that_the_approvals_have_in_common() {
        let mail = Facts { names: vec!["ana@example.org".into()], ..Facts::unremarkable() };
        let said = |all: &[Facts]| narrowed(mail::SEND, all).unwrap();
        let plain = "mail to ana@example.org up to 1 times a day without links I did not write without attachments before seeing secrets";
        assert_eq!(said(std::slice::from_ref(&mail)), format!("{plain} before reading what others wrote: go ahead"));
        let led = Facts { untrusted_read: true, ..mail.clone() };
        assert_eq!(said(&[mail.clone(), led.clone()]), format!("{plain}: go ahead"));
        let fresh = Facts { same_kind_today: 4, foreign_links: 1, attachments: 1, confidential_read: true, ..led };
        let own = "mail to ana@example.org up to 5 times a day without files of others: go ahead";
        assert_eq!(said(&[mail.clone(), fresh.clone()]), own);
        let fresh = Facts { foreign_attachments: 1, ..fresh };
        assert_eq!(said(&[mail, fresh]), "mail to ana@example.org up to 5 times a day: go ahead");
    }

    #[test]
    fn tools_are_bound_to_their_place_or_to_what_was_named_and_sums_to_the_largest() {
        let tool = |within: &[&str]| Facts {
            others: 0,
            recipients: 0,
            tool: "drive.save".into(),
            within: within.iter().map(|one| (*one).to_owned()).collect(),
            ..Facts::unremarkable()
        };
        let (a, b) = (
            tool(&["folder:Clients/", "folder:Clients/Acme/", "folder:Clients/Acme/a"]),
            tool(&["folder:Clients/", "folder:Clients/Acme/", "folder:Clients/Acme/b"]),
        );
        let said = narrowed(tool::WRITE, &[a.clone(), b]).unwrap();
        assert!(
            said.starts_with(
                "new things with the tool drive.save in Clients/Acme/ up to 1 times a day before seeing secrets"
            ),
            "{said}"
        );
        assert_eq!(narrowed(tool::WRITE, &[a, tool(&["folder:Other/"])]), None, "nothing says where");
        let pays = |amount| Facts {
            tool: "bank.pay".into(),
            names: vec!["de01".into()],
            amount,
            spent_week: 2 * amount,
            ..Facts::unremarkable()
        };
        let said = narrowed(tool::PAY, &[pays(1_000), pays(2_550)]).unwrap();
        assert!(said.starts_with("payments to \"de01\" with the tool bank.pay up to 25.50 up to 51 a week up to 1 times a day without links"), "{said}");
        assert_eq!(narrowed(tool::REMOVE, &[pays(1)]), None, "removing is never offered");
    }
}
