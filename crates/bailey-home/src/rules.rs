//! The person's rules: kept sealed in the home, in words and as Cedar, and put in force behind the commit that keeps them.

use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::text::Address;
use bailey_gate::handoff::Valve;
use bailey_gate::{GateError, Now};
use bailey_ledger::{Ledger, RecordName};
use bailey_policy::InForce;
use serde::{Deserialize, Serialize};

pub use bailey_policy::rule::{BadRule, Rule, parse};
pub use bailey_policy::{CedarPolicy, PolicyError, Profile};

use crate::home::{Home, HomeError};
use crate::wire::RuleChange;

/// Most rules a home keeps: each decision asks all of them.
pub const MAX_RULES: usize = 500;
/// Under which the rules of a home are kept.
const RULES: &str = "rules";
/// Said of Cedar that says nothing of itself.
const UNSAID: &str = "a rule in Cedar";
/// Where a rule comes from that the person wrote.
const OWN: &str = "own";
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
    /// `own`, or the profile it came with.
    pub(crate) origin: String,
    /// When it was added, in milliseconds since 1970-01-01T00:00Z.
    pub(crate) added_ms: i64,
}

impl Kept {
    /// Whether it lets something go that would not go without it.
    fn permits(&self) -> bool {
        CedarPolicy::permits(&self.cedar)
    }
}

fn name(ledger: &Ledger) -> [u8; 16] {
    *ledger.home().as_bytes()
}

/// The rules a home keeps.
pub(crate) fn kept(ledger: &Ledger) -> Result<Vec<Kept>, HomeError> {
    let owner = name(ledger);
    let record = RecordName { kind: RULES, owner: &owner, n: 0 };
    let Some(bytes) = ledger.record(record).map_err(GateError::from)? else { return Ok(Vec::new()) };
    serde_json::from_slice(&bytes).map_err(|error| HomeError::Setup(format!("the kept rules are damaged: {error}")))
}

fn compiled(rules: &[Kept]) -> Result<CedarPolicy, PolicyError> {
    CedarPolicy::with_grants(&rules.iter().map(|rule| rule.cedar.as_str()).collect::<String>())
}

/// Puts the kept rules in force when a home is opened. Where they do not fit any more, everything asks, and the person is told.
pub(crate) fn take_up(ledger: &Ledger, policy: &InForce) -> Result<Option<String>, HomeError> {
    let (set, notice) = match kept(ledger)
        .map_err(|error| error.to_string())
        .and_then(|rules| compiled(&rules).map_err(|error| error.to_string()))
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

/// Drops every rule that lets something go by itself; what forbids or asks stays.
pub(crate) fn narrow(ledger: &Ledger, actor: Actor, now: Now, valve: Valve) -> Result<Vec<Kept>, HomeError> {
    let all = kept(ledger).unwrap_or_default();
    let (gone, left): (Vec<Kept>, Vec<Kept>) = all.into_iter().partition(Kept::permits);
    if !gone.is_empty() {
        keep(ledger, &left, None, told(&[], &gone), actor, now, valve)?;
    }
    Ok(left)
}

fn told(came: &[Kept], gone: &[Kept]) -> Payload {
    let words =
        |rules: &[Kept]| rules.iter().map(|rule| format!("{}: {}", rule.id, rule.words)).collect::<Vec<_>>().join("\n");
    let cedar = came.iter().map(|rule| rule.cedar.as_str()).collect::<String>();
    Payload::default().text("added", words(came)).text("removed", words(gone)).text("cedar", cedar)
}

fn keep(
    ledger: &Ledger,
    rules: &[Kept],
    organisation: Option<&[String]>,
    payload: Payload,
    actor: Actor,
    now: Now,
    valve: Valve,
) -> Result<(), HomeError> {
    let json = serde_json::to_vec(rules).map_err(|error| HomeError::Setup(error.to_string()))?;
    let owner = name(ledger);
    ledger
        .write(|tx| {
            tx.put_record(RecordName { kind: RULES, owner: &owner, n: 0 }, &json)?;
            if let Some(domains) = organisation {
                tx.set_organisation(domains)?;
            }
            tx.append(&Event { payload, ..Event::of_home(EventKind::Rules, actor, now, valve) }, None).map(|_| ())
        })
        .map_err(GateError::from)?;
    Ok(())
}

/// Why a change of the rules was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unchanged {
    /// What was given is no rule, or there is no such rule.
    #[error("{0}")]
    Bad(String),
    /// It could not be kept.
    #[error(transparent)]
    Home(#[from] HomeError),
}

impl Home {
    /// Makes a change the person authorised. From the return on it is in force.
    pub(crate) fn change_rules(&self, change: &RuleChange) -> Result<Vec<Kept>, Unchanged> {
        let _turn = self.changing_rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.clock.now();
        let before = kept(&self.ledger)?;
        if let Some(unknown) = change.remove.iter().find(|id| !before.iter().any(|rule| rule.id == **id)) {
            return Err(Unchanged::Bad(format!("there is no rule `{unknown}`; list them with `bailey rules list`")));
        }
        let replaces = |rule: &Kept| change.profile.is_some() && rule.origin != OWN;
        let (gone, mut rules): (Vec<Kept>, Vec<Kept>) =
            before.into_iter().partition(|rule| change.remove.contains(&rule.id) || replaces(rule));
        let came = added(change, &rules, now.wall_ms)?;
        if came.is_empty() && gone.is_empty() && change.profile.is_none() && change.organisation.is_none() {
            return Err(Unchanged::Bad("there is no rule in it, so nothing was changed".into()));
        }
        rules.extend(came.iter().cloned());
        if rules.len() > MAX_RULES {
            return Err(Unchanged::Bad(format!("more than {MAX_RULES} rules; remove some first")));
        }
        let organisation = change.organisation.as_deref().map(domains).transpose()?;
        let set = compiled(&rules).map_err(|error| Unchanged::Bad(error.to_string()))?;
        let mut payload = told(&came, &gone);
        if let Some(domains) = &organisation {
            payload = payload.text("organisation", domains.join(", "));
        }
        let valve = self.gate.lock().valve();
        keep(&self.ledger, &rules, organisation.as_deref(), payload, Actor::Person, now, valve)?;
        self.policy.replace(set);
        Ok(rules)
    }

    /// Back to careful: drops every rule that lets something go by itself. Needs no proof: asking harms nobody.
    pub(crate) fn be_careful(&self) -> Result<Vec<Kept>, Unchanged> {
        let _turn = self.changing_rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Where they cannot be read everything asks already; taking them for none would let more go, not less.
        kept(&self.ledger)?;
        let left = narrow(&self.ledger, Actor::Client, self.clock.now(), self.gate.lock().valve())?;
        self.policy.replace(compiled(&left).map_err(|error| Unchanged::Bad(error.to_string()))?);
        Ok(left)
    }
}

/// The rules a change brings, named.
fn added(change: &RuleChange, there: &[Kept], added_ms: i64) -> Result<Vec<Kept>, Unchanged> {
    let mut came: Vec<Kept> = Vec::new();
    let used = |id: &str, came: &[Kept]| there.iter().chain(came).any(|rule| rule.id == id);
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
    let mut number = 0;
    for rule in parse(&change.add).map_err(|bad| Unchanged::Bad(bad.to_string()))? {
        let id = loop {
            number += 1;
            let id = format!("rule.{number}");
            if !used(&id, &came) {
                break id;
            }
        };
        came.push(Kept { cedar: rule.cedar(&id), words: rule.to_string(), id, origin: OWN.into(), added_ms });
    }
    for (id, says, cedar) in CedarPolicy::parts(&change.cedar).map_err(|error| Unchanged::Bad(error.to_string()))? {
        if used(&id, &came) {
            return Err(Unchanged::Bad(format!(
                "there is a rule `{id}` already; give this one another @id, or remove that first"
            )));
        }
        came.push(Kept { id, words: says.unwrap_or_else(|| UNSAID.into()), cedar, origin: OWN.into(), added_ms });
    }
    Ok(came)
}

/// Domains as they are compared.
fn domains(given: &[String]) -> Result<Vec<String>, Unchanged> {
    let domain = |text: &String| {
        let address = Address::new(&format!("x@{}", text.trim_start_matches('@')));
        address.map(|address| address.domain().to_owned()).map_err(|_| {
            Unchanged::Bad(format!(
                "`{}` is no domain; write it as example.org",
                bailey_gate::family::escape::visible(text)
            ))
        })
    };
    given.iter().map(domain).collect()
}
