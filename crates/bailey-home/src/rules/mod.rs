//! The person's rules: kept sealed in the home, in words and as Cedar, and put in force behind the commit that keeps them.

mod history;
mod suggestions;
mod trial;
mod trust;

use std::collections::BTreeSet;

use bailey_gate::approval::Authorised;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::text::Address;
use bailey_gate::handoff::PauseState;
use bailey_gate::{GateError, Now};
use bailey_interface::RuleChange;
use bailey_ledger::{Ledger, RecordName};
use bailey_policy::InForce;
use serde::{Deserialize, Serialize};

pub use bailey_policy::analysis::{Analysis, Example, Newly, NoAnalysis, SOLVER, Unattended};
pub use bailey_policy::rule::{BadRule, Groups, Rule, parse};
pub use bailey_policy::{CedarPolicy, FAILED, PolicyError, Profile};

pub(crate) use self::trial::answered;
use crate::home::{Home, HomeError};

/// Most rules a home keeps: each decision asks all of them.
pub const MAX_RULES: usize = 500;
/// Under which the rules of a home are kept.
const RULES: &str = "rules";
/// What stands before what Cedar says of itself: it is the word of whoever wrote it, and decides nothing.
const IN_CEDAR: &str = "(in Cedar)";
/// Names that are not for the person's own Cedar: those of rules in words, of profiles, and of what an analysis adds.
const RESERVED: [&str; 6] = ["rule.", "careful.", "balanced.", "trusting.", "possible.", "offer"];
/// Where a rule comes from that the person wrote.
const OWN: &str = "own";
/// Where one comes from that the home offered and the person took.
const OFFERED: &str = "offer";
/// Longest a rule that was offered stands without letting anything go.
const UNUSED_MS: i64 = 60 * 24 * 3_600 * 1_000;
/// Most groups, and most addresses in one.
const MAX_GROUPS: usize = 100;
const MAX_MEMBERS: usize = 500;
/// What is in force where the kept rules cannot be.
const ALL_ASKS: &str = "anything: ask";

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Its name, in reasons and in the log.
    pub(crate) id: String,
    /// In words.
    pub(crate) words: String,
    /// As Cedar, named by `id`.
    pub(crate) cedar: String,
    /// `own`, `offer`, or the profile it came with.
    pub(crate) origin: String,
    /// When it was added, in milliseconds since 1970-01-01T00:00Z.
    pub(crate) added_ms: i64,
}

/// Everything a home keeps about rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// The rules, in the order they came.
    pub(crate) rules: Vec<Kept>,
    /// Groups of addresses that rules speak of.
    #[serde(default)]
    pub(crate) groups: Groups,
    /// How many rules in words were named so far: a name stands in the log for one rule only.
    #[serde(default)]
    pub(crate) named: u64,
    /// Offers the person did not want, in words, and when they said so.
    #[serde(default)]
    pub(crate) dismissed: Vec<(String, i64)>,
}

/// What may lie in the record: homes of before groups kept a list of rules.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Book(Book),
    Rules(Vec<Kept>),
}

impl Kept {
    /// Tells whether it lets something go that would not go without it.
    fn permits(&self) -> bool {
        CedarPolicy::permits(&self.cedar)
    }
}

fn name(ledger: &Ledger) -> [u8; 16] {
    *ledger.home().as_bytes()
}

/// Returns what a home keeps about rules.
pub(crate) fn kept(ledger: &Ledger) -> Result<Book, HomeError> {
    let owner = name(ledger);
    let record = RecordName { kind: RULES, owner: &owner, n: 0 };
    let Some(bytes) = ledger.record(record).map_err(GateError::from)? else { return Ok(Book::default()) };
    let mut book = match serde_json::from_slice(&bytes) {
        Ok(Stored::Book(book)) => book,
        Ok(Stored::Rules(rules)) => Book { rules, ..Book::default() },
        Err(error) => return Err(HomeError::Setup(format!("the kept rules are damaged: {error}"))),
    };
    for rule in &mut book.rules {
        rule.cedar = CedarPolicy::with_current_names(&rule.cedar);
    }
    Ok(book)
}

fn compiled(rules: &[Kept]) -> Result<CedarPolicy, PolicyError> {
    CedarPolicy::with_grants(&rules.iter().map(|rule| rule.cedar.as_str()).collect::<String>())
}

/// Puts the kept rules in force when a home is opened. Where they do not fit any more, everything asks, and the person is told.
pub(crate) fn take_up(ledger: &Ledger, policy: &InForce) -> Result<Option<String>, HomeError> {
    let (set, notice) = match kept(ledger)
        .map_err(|error| error.to_string())
        .and_then(|book| compiled(&book.rules).map_err(|error| error.to_string()))
    {
        Ok(set) => (set, None),
        Err(why) => {
            let asks: String =
                parse(ALL_ASKS).unwrap_or_default().iter().map(|rule| rule.cedar("home.rules-unread")).collect();
            let set = CedarPolicy::with_grants(&asks).map_err(|error| HomeError::Setup(error.to_string()))?;
            (
                set,
                Some(format!(
                    "Your rules could not be read ({why}), so everything asks first. Look at `bailey rules list`."
                )),
            )
        }
    };
    policy.replace(set);
    Ok(notice)
}

/// Drops every rule that lets something go by itself; what forbids or asks stays. Gives what is left.
pub(crate) fn narrow(ledger: &Ledger, actor: Actor, now: Now, pause_state: PauseState) -> Result<Book, HomeError> {
    let mut book = kept(ledger).unwrap_or_default();
    let gone: Vec<Kept> = book.rules.extract_if(.., |rule| rule.permits()).collect();
    if !gone.is_empty() {
        let entry = Event { payload: told(&[], &gone), ..Event::of_home(EventKind::Rules, actor, now, pause_state) };
        keep(ledger, &book, None, entry)?;
    }
    Ok(book)
}

fn told(came: &[Kept], gone: &[Kept]) -> Payload {
    let words =
        |rules: &[Kept]| rules.iter().map(|rule| format!("{}: {}", rule.id, rule.words)).collect::<Vec<_>>().join("\n");
    let cedar = came.iter().map(|rule| rule.cedar.as_str()).collect::<String>();
    Payload::default().text("added", words(came)).text("removed", words(gone)).text("cedar", cedar)
}

fn keep(ledger: &Ledger, book: &Book, organisation: Option<&[String]>, entry: Event) -> Result<(), HomeError> {
    let json = serde_json::to_vec(book).map_err(|error| HomeError::Setup(error.to_string()))?;
    let owner = name(ledger);
    ledger
        .write(|tx| {
            tx.put_record(RecordName { kind: RULES, owner: &owner, n: 0 }, &json)?;
            if let Some(domains) = organisation {
                tx.set_organisation(domains)?;
            }
            tx.append(&entry, None).map(|_| ())
        })
        .map_err(GateError::from)?;
    Ok(())
}

/// Why a change of the rules was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unchanged {
    /// The words given are no rule, or there is no such rule.
    #[error("{0}")]
    Bad(String),
    /// It could not be kept.
    #[error(transparent)]
    Home(#[from] HomeError),
}

impl Home {
    /// Makes a change the person authorised, which the log shows. From the return on it is in force.
    pub(crate) fn change_rules(&self, change: &RuleChange, leave: &Authorised) -> Result<Book, Unchanged> {
        let _turn = self.changing_rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.clock.now();
        let Changed { book, came, gone, set } = changed(kept(&self.ledger)?, change, now.wall_ms)?;
        if came.is_empty() && gone.is_empty() && !change.changes_more() {
            return Err(Unchanged::Bad("there is no rule in it, so nothing was changed".into()));
        }
        let mut payload = told(&came, &gone);
        if change.suggestion.is_some() {
            let suggestion = self.offer_of(change)?;
            payload = payload.text("why", suggestion.why());
        }
        let organisation = change.organisation.as_deref().map(domains).transpose()?;
        if let Some(domains) = &organisation {
            payload = payload.text("organisation", domains.join(", "));
        }
        if !change.groups.is_empty() {
            let group = |(group, members): (&String, &Vec<String>)| format!("{group}: {}", members.join(", "));
            payload = payload.text("group", change.groups.iter().map(group).collect::<Vec<_>>().join("\n"));
        }
        let entry = leave.entry(EventKind::Rules, now, self.gate.lock().pause_state(), payload);
        keep(&self.ledger, &book, organisation.as_deref(), entry)?;
        self.policy.replace(set);
        Ok(book)
    }

    /// Locks down: drops every rule that lets something go by itself. Needs no proof: asking harms nobody.
    pub(crate) fn lock_down(&self) -> Result<Book, Unchanged> {
        let _turn = self.changing_rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Where they cannot be read everything asks already; taking them for none would let more go, not less.
        kept(&self.ledger)?;
        let left = narrow(&self.ledger, Actor::Client, self.clock.now(), self.gate.lock().pause_state())?;
        self.policy.replace(compiled(&left.rules).map_err(|error| Unchanged::Bad(error.to_string()))?);
        Ok(left)
    }

    /// Drops offered rules that let nothing go for a long time: trust that is not used shrinks.
    pub(crate) fn let_lapse(&self) -> Result<(), Unchanged> {
        let _turn = self.changing_rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.clock.now();
        let since = now.wall_ms.saturating_sub(UNUSED_MS);
        let mut book = kept(&self.ledger)?;
        let old = |rule: &Kept| rule.origin == OFFERED && rule.added_ms < since;
        if !book.rules.iter().any(old) {
            return Ok(());
        }
        let used: BTreeSet<String> = self
            .ledger
            .ran_unasked(since)
            .map_err(GateError::from)
            .map_err(HomeError::from)?
            .into_iter()
            .flat_map(|ran| ran.reasons)
            .collect();
        let gone: Vec<Kept> = book.rules.extract_if(.., |rule| old(rule) && !used.contains(&rule.id)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let set = compiled(&book.rules).map_err(|error| Unchanged::Bad(error.to_string()))?;
        let payload = told(&[], &gone).text("why", "not used for sixty days");
        let entry = Event::of_home(EventKind::Rules, Actor::Home, now, self.gate.lock().pause_state());
        keep(&self.ledger, &book, None, Event { payload, ..entry })?;
        self.policy.replace(set);
        Ok(())
    }
}

/// What a change comes to.
struct Changed {
    /// The rules that are kept after it.
    book: Book,
    /// The rules it brings.
    came: Vec<Kept>,
    /// Those it drops.
    gone: Vec<Kept>,
    /// The set that is in force after it.
    set: CedarPolicy,
}

/// Works a change out; nothing is kept yet.
fn changed(before: Book, change: &RuleChange, added_ms: i64) -> Result<Changed, Unchanged> {
    let mut book = before;
    if let Some(unknown) = change.remove.iter().find(|id| !book.rules.iter().any(|rule| rule.id == **id)) {
        return Err(Unchanged::Bad(format!("there is no rule `{unknown}`; list them with `bailey rules list`")));
    }
    let of_profile = |rule: &Kept| Profile::from_name(&rule.origin).is_some();
    let mut gone: Vec<Kept> = book
        .rules
        .extract_if(.., |rule| change.remove.contains(&rule.id) || change.profile.is_some() && of_profile(rule))
        .collect();
    let mut came = regrouped(&mut book, &change.groups, &mut gone)?;
    let fresh = added(change, &mut book, added_ms)?;
    book.rules.extend(fresh.iter().cloned());
    came.extend(fresh);
    if book.rules.len() > MAX_RULES {
        return Err(Unchanged::Bad(format!("more than {MAX_RULES} rules; remove some first")));
    }
    let set = compiled(&book.rules).map_err(|error| Unchanged::Bad(error.to_string()))?;
    Ok(Changed { book, came, gone, set })
}

/// Changes groups, and with them the rules that speak of them; those of before are added to `gone`. An empty group is dropped.
fn regrouped(book: &mut Book, groups: &Groups, gone: &mut Vec<Kept>) -> Result<Vec<Kept>, Unchanged> {
    let before = book.groups.clone();
    for (group, members) in groups {
        if group.trim().is_empty() || group.contains(['"', '\n']) || members.len() > MAX_MEMBERS {
            return Err(Unchanged::Bad(format!(
                "a group has a name of one line without quotation marks, and at most {MAX_MEMBERS} addresses"
            )));
        }
        let address = |text: &String| {
            let bad = || {
                Unchanged::Bad(format!(
                    "`{}` is no address; a group holds addresses such as ana@example.org",
                    bailey_gate::family::escape::visible(text)
                ))
            };
            Address::read(text).map(|address| address.key()).map_err(|_| bad())
        };
        let mut members = members.iter().map(address).collect::<Result<Vec<_>, _>>()?;
        members.sort();
        members.dedup();
        if members.is_empty() {
            book.groups.remove(group)
        } else {
            book.groups.insert(group.clone(), members)
        };
    }
    if book.groups.len() > MAX_GROUPS {
        return Err(Unchanged::Bad(format!("more than {MAX_GROUPS} groups; empty some first")));
    }
    let mut came = Vec::new();
    for rule in &mut book.rules {
        // What the person wrote in Cedar is as they wrote it, whatever it says of itself.
        let Ok([said]) = parse(&rule.words).map(<[Rule; 1]>::try_from).unwrap_or_else(|_| Err(Vec::new())) else {
            continue;
        };
        let in_words = said.clone().resolved(&before).is_ok_and(|said| said.cedar(&rule.id) == rule.cedar);
        if !in_words || !said.groups().any(|group| groups.contains_key(group)) {
            continue;
        }
        let cedar = resolved(said, &book.groups)?.cedar(&rule.id);
        let before = std::mem::replace(&mut rule.cedar, cedar);
        came.push(rule.clone());
        gone.push(Kept { cedar: before, ..rule.clone() });
    }
    Ok(came)
}

fn resolved(rule: Rule, groups: &Groups) -> Result<Rule, Unchanged> {
    rule.resolved(groups).map_err(|group| {
        Unchanged::Bad(format!(
            "there is nobody in the group `{group}`; say who is with `bailey rules group {group} ADDRESS…`"
        ))
    })
}

/// Returns the rules a change brings, named.
fn added(change: &RuleChange, book: &mut Book, added_ms: i64) -> Result<Vec<Kept>, Unchanged> {
    let mut came: Vec<Kept> = Vec::new();
    let there: BTreeSet<String> = book.rules.iter().map(|rule| rule.id.clone()).collect();
    let used = |id: &str, came: &[Kept]| there.contains(id) || came.iter().any(|rule| rule.id == id);
    let profile = change.profile.as_deref().map(|name| {
        Profile::from_name(name).ok_or_else(|| {
            Unchanged::Bad(format!("there is no profile `{name}`; there are careful, balanced and trusting"))
        })
    });
    if let Some(profile) = profile.transpose()? {
        let rules = parse(profile.rules()).map_err(|bad| Unchanged::Bad(bad.to_string()))?;
        came.extend(rules.iter().enumerate().map(|(n, rule)| {
            let id = format!("{}.{}", profile.name(), n + 1);
            Kept { cedar: rule.cedar(&id), words: rule.to_string(), id, origin: profile.name().into(), added_ms }
        }));
    }
    let origin = if change.suggestion.is_some() { OFFERED } else { OWN };
    for rule in parse(&change.add).map_err(|bad| Unchanged::Bad(bad.to_string()))? {
        let id = loop {
            book.named += 1;
            let id = format!("rule.{}", book.named);
            if !used(&id, &came) {
                break id;
            }
        };
        let words = rule.to_string();
        let cedar = resolved(rule, &book.groups)?.cedar(&id);
        came.push(Kept { cedar, words, id, origin: origin.into(), added_ms });
    }
    for (id, says, cedar) in CedarPolicy::parts(&change.cedar).map_err(|error| Unchanged::Bad(error.to_string()))? {
        if used(&id, &came) {
            return Err(Unchanged::Bad(format!(
                "there is a rule `{id}` already; give this one another @id, or remove that first"
            )));
        }
        if let Some(ours) = RESERVED.iter().find(|ours| id.starts_with(**ours)) {
            return Err(Unchanged::Bad(format!(
                "names that begin with `{ours}` are not for rules in Cedar; give it another @id"
            )));
        }
        let words = format!("{IN_CEDAR} {}", says.unwrap_or_default());
        came.push(Kept { id, words: words.trim_end().to_owned(), cedar, origin: OWN.into(), added_ms });
    }
    Ok(came)
}

/// Domains as they are compared.
fn domains(given: &[String]) -> Result<Vec<String>, Unchanged> {
    let domain = |text: &String| {
        let address = Address::read(&format!("x@{}", text.trim_start_matches('@')));
        address.map(|address| address.domain().to_owned()).map_err(|_| {
            Unchanged::Bad(format!(
                "`{}` is no domain; write it as example.org",
                bailey_gate::family::escape::visible(text)
            ))
        })
    };
    given.iter().map(domain).collect()
}
