//! Which rules can be about a kind of action, and which facts those look at: the others need not be asked, and what none looks at
//! may change without changing any answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bailey_gate::family::{ActionKind, Group};
use cedar_policy::{Policy, PolicyId, PolicySet};
use serde_json::Value;

use crate::schema::family_group;

/// What is heeded about each kind of action.
#[derive(Debug)]
pub(crate) struct Heeded(BTreeMap<&'static str, OfKind>);

/// The policies that can be about a kind of action, and the facts that they look at; no list of facts where that cannot be told.
#[derive(Debug)]
pub(crate) struct OfKind {
    names: Vec<PolicyId>,
    facts: Option<BTreeSet<String>>,
    /// These policies alone, made when the kind is asked about for the first time.
    policies: OnceLock<PolicySet>,
}

impl Heeded {
    /// Reads a set of policies.
    pub(crate) fn of(policies: &PolicySet) -> Self {
        let none = || OfKind { names: Vec::new(), facts: Some(BTreeSet::new()), policies: OnceLock::new() };
        let mut kinds: BTreeMap<_, _> = ActionKind::all().map(|kind| (kind.name(), none())).collect();
        for policy in policies.policies() {
            let (about, facts) = read(policy);
            for kind in ActionKind::all().filter(|kind| about.as_ref().is_none_or(|about| is_about(about, *kind))) {
                let Some(all) = kinds.get_mut(kind.name()) else { continue };
                all.names.push(policy.id().clone());
                match (&facts, all.facts.as_mut()) {
                    (Some(facts), Some(all)) => all.extend(facts.iter().cloned()),
                    _ => all.facts = None,
                }
            }
        }
        Self(kinds)
    }

    /// Returns what is heeded about a kind; nothing where the kind is not known.
    pub(crate) fn about(&self, kind: ActionKind) -> Option<&OfKind> {
        self.0.get(kind.name())
    }

    /// Tells whether any rule about a kind looks at a fact.
    pub(crate) fn has(&self, kind: ActionKind, fact: &str) -> bool {
        self.about(kind).is_none_or(|about| about.has(fact))
    }
}

impl OfKind {
    /// Tells whether any of the policies looks at a fact.
    pub(crate) fn has(&self, fact: &str) -> bool {
        self.facts.as_ref().is_none_or(|facts| facts.contains(fact))
    }

    /// Returns the policies, taken out of the whole set; that set where one of them cannot be.
    pub(crate) fn policies<'a>(&'a self, whole: &'a PolicySet) -> &'a PolicySet {
        self.policies.get_or_init(|| {
            let mut part = PolicySet::new();
            let taken = |name: &PolicyId| whole.policy(name).is_some_and(|policy| part.add(policy.clone()).is_ok());
            // INVARIANT: none is left out that could have a say.
            if self.names.iter().all(taken) { part } else { whole.clone() }
        })
    }
}

/// Returns the actions a policy says it is about, nothing where those are all, and the facts it looks at.
fn read(policy: &Policy) -> (Option<Vec<String>>, Option<BTreeSet<String>>) {
    let Ok(json) = policy.to_json() else { return (None, None) };
    let mut facts = BTreeSet::new();
    let told = json.get("conditions").is_none_or(|conditions| collect(conditions, &mut facts));
    (json.get("action").and_then(about), told.then_some(facts))
}

/// Returns the names in the part of a policy that says which actions it is about.
fn about(action: &Value) -> Option<Vec<String>> {
    let id = |entity: &Value| entity.get("id").and_then(Value::as_str).map(str::to_owned);
    match action.get("op").and_then(Value::as_str)? {
        "==" | "in" => match (action.get("entity"), action.get("entities").and_then(Value::as_array)) {
            (Some(one), None) => Some(vec![id(one)?]),
            (None, Some(several)) => several.iter().map(id).collect(),
            _ => None,
        },
        _ => None,
    }
}

/// Tells whether any of these names is one of a kind. A name that nothing here knows may be.
fn is_about(names: &[String], kind: ActionKind) -> bool {
    let are_of = |kind: ActionKind, name: &str| {
        name == kind.name() || name == kind.group().name() || name == family_group(kind.family())
    };
    let is_known = |name: &str| {
        ActionKind::all().any(|kind| are_of(kind, name)) || Group::ALL.iter().any(|group| group.name() == name)
    };
    names.iter().any(|name| are_of(kind, name) || !is_known(name))
}

/// Collects the names of facts; false where all of them are looked at as one.
fn collect(part: &Value, facts: &mut BTreeSet<String>) -> bool {
    match part {
        Value::Object(object) => object.iter().all(|(operator, inner)| match operator.as_str() {
            // Its keys are names, and no operators.
            "Record" => match inner {
                Value::Object(record) => record.values().all(|value| collect(value, facts)),
                _ => false,
            },
            "." | "has" => {
                if let Some(fact) = inner.get("attr").and_then(Value::as_str) {
                    facts.insert(fact.to_owned());
                }
                inner.get("left").is_none_or(|left| is_context(left) || collect(left, facts))
            }
            "Var" => inner.as_str() != Some("context"),
            _ => collect(inner, facts),
        }),
        Value::Array(parts) => parts.iter().all(|part| collect(part, facts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn is_context(part: &Value) -> bool {
    part.get("Var").and_then(Value::as_str) == Some("context")
}

#[cfg(test)]
mod tests {
    use bailey_gate::family::{calendar, mail};
    use bailey_gate::policy::Policy as _;

    use super::*;
    use crate::{CedarPolicy, rule};

    #[test]
    fn heeded_facts_are_those_of_rules_about_the_kind() {
        let shipped = CedarPolicy::shipped().unwrap();
        assert!(shipped.heeds(mail::SEND, "sameKindToday"));
        assert!(!shipped.heeds(mail::SEND, "sameKindHour"));
        assert!(!shipped.heeds(calendar::CREATE, "sameKindToday"));
        assert!(shipped.heeds(calendar::CREATE, "untrustedRead"));
        let rules = rule::parse("new calendar entries more than 5 an hour: ask\n").unwrap();
        let ruled = CedarPolicy::of_rules(&rules, "mine").unwrap();
        assert!(ruled.heeds(calendar::CREATE, "sameKindHour") && !ruled.heeds(mail::SEND, "sameKindHour"));
    }

    #[test]
    fn heeded_facts_are_all_where_a_policy_looks_at_them_as_one() {
        let whole = "@id(\"a\") forbid (principal, action == Action::\"reply\", resource) when { [context].contains(context) };";
        let set = whole.parse().unwrap();
        let heeded = Heeded::of(&set);
        assert!(heeded.has(bailey_gate::family::home::REPLY, "minute") && !heeded.has(mail::SEND, "minute"));
    }

    #[test]
    fn heeded_facts_are_found_inside_records_whatever_their_keys() {
        for key in ["Var", ".", "has", "Record", "left"] {
            let text = format!(
                "@id(\"a\") forbid (principal, action, resource) when {{ {{\"{key}\": context.sameKindHour}}[\"{key}\"] < 1 }};"
            );
            assert!(Heeded::of(&text.parse().unwrap()).has(mail::SEND, "sameKindHour"), "{key}");
        }
    }

    #[test]
    fn heeded_facts_cover_groups_families_and_unknown_names() {
        for (scope, mails) in [
            ("action in [Action::\"write\"]", false),
            ("action in Action::\"mail.*\"", true),
            ("action in [Action::\"nobody\"]", true),
            ("action", true),
        ] {
            let text =
                format!("@id(\"a\") forbid (principal, {scope}, resource) when {{ context.undo && context.a.b }};");
            let heeded = Heeded::of(&text.parse().unwrap());
            assert_eq!(heeded.has(mail::SEND, "undo"), mails, "{scope}");
            assert_eq!(heeded.has(mail::SEND, "a"), mails, "{scope}");
            assert!(!heeded.has(mail::SEND, "minute"), "{scope}");
        }
    }
}
