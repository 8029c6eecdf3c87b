//! The shipped policy, evaluated with Cedar (<https://docs.cedarpolicy.com>).
//!
//! Cedar lets a forbid win over any permit, skips policies that err, and answers no where nothing permits. The second of
//! these would turn a broken forbid into a hole, so here any error at all is a no.
//!
//! Invariant of absence: policy sees what the gate computed, and nothing a model said.

pub mod analysis;
mod check;
mod heeds;
mod renamed;
pub mod rule;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::family::ActionKind;
use bailey_gate::policy::{Fact, Policy, Question};
use bailey_gate::{Evidence, Ruling};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};

const SHIPPED: &str = include_str!("shipped.cedar");

/// How names begin that no rule of a person has.
const OURS: [&str; 3] = ["floor.", "default.", "gate."];

/// The reason given where nothing permits an action as it is.
pub const ASKS_FIRST: &str = "default.asks-first";
/// The reason given where the policy itself failed.
pub const FAILED: &str = "floor.policy-failed";

/// Sets of grants that are shipped: nothing but text a person can read and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Asks each time about what reaches others, destroys or spends. Every home starts here.
    Careful,
    /// Lets go what is grounded and inside the task.
    Balanced,
    /// Lets go what the task asks for.
    Trusting,
}

impl Profile {
    /// Every profile, the strictest first.
    pub const ALL: [Self; 3] = [Self::Careful, Self::Balanced, Self::Trusting];

    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Careful => "careful",
            Self::Balanced => "balanced",
            Self::Trusting => "trusting",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Says what it lets go, in words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Careful => "Nothing by itself: what reaches others, destroys or spends asks each time.",
            Self::Balanced => "What goes only to people you named or dealt with before, and lies inside the task.",
            Self::Trusting => "What the words of the task ask for, to anybody they name or you dealt with before.",
        }
    }

    /// Returns its rules, as people say them.
    #[must_use]
    pub const fn rules(self) -> &'static str {
        match self {
            Self::Careful => include_str!("profiles/careful.rules"),
            Self::Balanced => include_str!("profiles/balanced.rules"),
            Self::Trusting => include_str!("profiles/trusting.rules"),
        }
    }
}

/// Why a set of policies was refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It does not parse, or has no names.
    #[error("the policies cannot be read: {0}")]
    Syntax(String),
    /// It does not fit the schema.
    #[error("the policies do not fit their schema: {0}")]
    Invalid(String),
    /// It could err, or an approval would allow less.
    #[error("the rule `{0}` is refused: {1}")]
    Unsafe(String, String),
}

/// A set of policies, ready to be asked.
#[derive(Debug)]
pub struct CedarPolicy {
    schema: Schema,
    policies: PolicySet,
    entities: Entities,
    authorizer: Authorizer,
    agent: EntityUid,
    home: EntityUid,
    /// The type of actions.
    action: EntityTypeName,
    version: String,
    says: BTreeMap<String, String>,
    heeded: heeds::Heeded,
}

impl CedarPolicy {
    /// Returns the policies every home starts with.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::new(SHIPPED)
    }

    /// Adds the rules of a profile to the shipped ones, each named after it and its place.
    pub fn of(profile: Profile) -> Result<Self, PolicyError> {
        let rules = rule::parse(profile.rules()).map_err(|bad| PolicyError::Syntax(bad.to_string()))?;
        Self::of_rules(&rules, profile.name())
    }

    /// Adds these rules to the shipped ones, each named after `from` and its place.
    pub fn of_rules(rules: &[rule::Rule], from: &str) -> Result<Self, PolicyError> {
        let cedar = rules.iter().enumerate().map(|(n, rule)| rule.cedar(&format!("{from}.{}", n + 1)));
        Self::with_grants(&cedar.collect::<String>())
    }

    /// Adds rules as Cedar text to the shipped ones, each with an `@id`. They permit what the floor does not forbid. One that could
    /// err, or that an approval would make less allowed, is refused.
    pub fn with_grants(grants: &str) -> Result<Self, PolicyError> {
        let (set, _) = named(grants)?;
        for policy in set.policies() {
            let name = policy.id().to_string();
            let json = policy.to_json().map_err(|error| PolicyError::Syntax(error.to_string()))?;
            if OURS.iter().any(|ours| name.starts_with(ours)) {
                return Err(PolicyError::Unsafe(name, "such names are for the shipped rules".into()));
            }
            if let Some(why) = check::fault(&json) {
                return Err(PolicyError::Unsafe(name, why));
            }
        }
        Self::new(&format!("{SHIPPED}\n{grants}"))
    }

    fn new(text: &str) -> Result<Self, PolicyError> {
        let syntax = |error: &dyn std::fmt::Display| PolicyError::Syntax(error.to_string());
        let (schema, _) = Schema::from_cedarschema_str(&schema::text()).map_err(|error| syntax(&error))?;
        let (policies, says) = named(text)?;
        let checked = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !checked.validation_passed() {
            // Once for each action it is about would be twenty times the same.
            let errors: BTreeSet<String> = checked.validation_errors().map(|error| told(text, error)).collect();
            return Err(PolicyError::Invalid(errors.into_iter().collect::<Vec<_>>().join("; ")));
        }
        let agent = uid("Agent", "agent")?;
        let home = uid("Home", "home")?;
        let action = entity_type("Action")?;
        let people = [agent.clone(), home.clone()].map(Entity::with_uid);
        // INVARIANT: loaded with the schema, so that the action hierarchy is there; without it every rule about a group of
        // actions silently stops matching.
        let entities = Entities::from_entities(people, Some(&schema)).map_err(|error| syntax(&error))?;
        let version = fingerprint(text);
        let heeded = heeds::Heeded::of(&policies);
        let authorizer = Authorizer::new();
        Ok(Self { schema, policies, entities, authorizer, agent, home, action, version, says, heeded })
    }

    /// Returns the policies of a text, each by its name, with what it says of itself, and as text.
    pub fn parts(text: &str) -> Result<Vec<(String, Option<String>, String)>, PolicyError> {
        let (set, says) = named(text)?;
        let part = |policy: &cedar_policy::Policy| {
            let id = policy.id().to_string();
            let words = says.get(&id).cloned();
            (id, words, format!("{policy}\n\n"))
        };
        Ok(set.policies().map(part).collect())
    }

    /// Names the facts in the Cedar text of a rule as this version does: `context.fact`, `context["fact"]`, `context has fact`.
    #[must_use]
    pub fn with_current_names(cedar: &str) -> String {
        renamed::with_current_names(cedar)
    }

    /// Tells whether a text has a policy that lets something go.
    #[must_use]
    pub fn permits(text: &str) -> bool {
        let permits = |policy: &cedar_policy::Policy| policy.effect() == cedar_policy::Effect::Permit;
        named(text).map_or(true, |(set, _)| set.policies().any(permits))
    }

    /// Returns a rule in words for the person; its name where it has none.
    #[must_use]
    pub fn explain<'a>(&'a self, rule: &'a str) -> &'a str {
        match rule {
            ASKS_FIRST => "Nothing allows this to go ahead by itself, so it asks you first.",
            FAILED => "The policy could not be evaluated, so the answer is no.",
            bailey_gate::reason::FLOOD => {
                "This task has too many questions waiting already; answer or reject those first."
            }
            bailey_gate::reason::BURST => {
                "This task asked too often for what its words do not name, or was refused too often, so it changes nothing any more. If you want them, give them as a new task."
            }
            bailey_gate::reason::EDITED => "It was edited, so it asks you, whatever the rules let go.",
            bailey_gate::reason::ASKED => "A program waits with it for you; it was held before a rule let it go.",
            bailey_gate::reason::STEP_UP => "Much hangs on this, so it needs you, present, for this very answer.",
            other => self.says.get(other).map_or(other, String::as_str),
        }
    }

    fn ask(&self, question: &Question<'_>) -> Result<Ruling, PolicyError> {
        let failed = |error: &dyn std::fmt::Display| PolicyError::Invalid(error.to_string());
        // Its type is parsed once, for a parser's work is more than that of all rules.
        let id = cedar_policy::EntityId::new(question.kind.name());
        let action = EntityUid::from_type_name_and_id(self.action.clone(), id);
        let about = self.heeded.about(question.kind);
        let policies = about.map_or(&self.policies, |about| about.policies(&self.policies));
        let heeded = |fact: &str| about.is_none_or(|about| about.has(fact));
        let context = Context::from_pairs(context(question, heeded)).map_err(|error| failed(&error))?;
        // Not checked against the schema: it is made of the same table, without what nobody looks at. Were a fact missing that one
        // does look at, that would be an error, and so a no.
        let request = Request::new(self.agent.clone(), action, self.home.clone(), context, None)
            .map_err(|error| failed(&error))?;
        self.answer(&request, policies)
    }

    fn answer(&self, request: &Request, policies: &PolicySet) -> Result<Ruling, PolicyError> {
        let failed = |error: &dyn std::fmt::Display| PolicyError::Invalid(error.to_string());
        let response = self.authorizer.is_authorized(request, policies, &self.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(failed(error));
        }
        let mut rules: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        rules.sort();
        if rules.is_empty() {
            rules.push(ASKS_FIRST.into());
        }
        Ok(Ruling { allowed: response.decision() == Decision::Allow, rules })
    }
}

/// The rules in force, which can be changed while everything runs. Whoever asks gets the answer of one whole set.
#[derive(Debug)]
pub struct InForce(RwLock<Arc<CedarPolicy>>);

impl InForce {
    /// Begins with a set.
    #[must_use]
    pub fn new(policy: CedarPolicy) -> Self {
        Self(RwLock::new(Arc::new(policy)))
    }

    /// Returns the set in force.
    #[must_use]
    pub fn current(&self) -> Arc<CedarPolicy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place: what is asked after this returns is asked of that.
    pub fn replace(&self, policy: CedarPolicy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}

impl Policy for InForce {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        self.current().rule(question)
    }

    fn version(&self) -> String {
        self.current().version()
    }

    fn heeds(&self, kind: ActionKind, fact: &str) -> bool {
        self.current().heeds(kind, fact)
    }
}

impl Policy for CedarPolicy {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        self.ask(question).unwrap_or_else(|_| Ruling { allowed: false, rules: vec![FAILED.into()] })
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn heeds(&self, kind: ActionKind, fact: &str) -> bool {
        self.heeded.has(kind, fact)
    }
}

fn uid(kind: &str, name: &str) -> Result<EntityUid, PolicyError> {
    Ok(EntityUid::from_type_name_and_id(entity_type(kind)?, cedar_policy::EntityId::new(name)))
}

fn entity_type(name: &str) -> Result<EntityTypeName, PolicyError> {
    EntityTypeName::from_str(name).map_err(|error| PolicyError::Syntax(error.to_string()))
}

/// Says what does not fit the schema, whichever action it is about, with its line.
fn told(text: &str, error: &cedar_policy::ValidationError) -> String {
    let words = error.to_string();
    let whole = words.split_once(" for Action::\"").and_then(|(before, rest)| Some((before, rest.split_once('"')?.1)));
    let words = whole.map_or_else(|| words.clone(), |(before, behind)| format!("{before}{behind}"));
    pointed(text, &words, error)
}

/// Returns an error with the line it is in, where that is told. Lines count from the beginning of the person's own policies.
fn pointed(text: &str, words: &str, error: &dyn miette::Diagnostic) -> String {
    let place = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    let help = error.help().map(|help| format!(" ({help})")).unwrap_or_default();
    let Some(offset) = place else { return format!("{words}{help}") };
    let own = text.strip_prefix(SHIPPED).map_or(0, |_| SHIPPED.len() + 1);
    let before = text.get(own.min(offset)..offset).unwrap_or_default();
    let (line, from) = (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |at| at + 1));
    let shown = text.get(own.min(offset) + from..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = before.get(from..).unwrap_or_default().chars().count();
    format!("in line {line}, at character {}: {words}{help}\n  {shown}\n  {}^", column + 1, " ".repeat(column))
}

/// Parses policies and gives each the name in its `@id`; collects what their `@says` tell people.
fn named(text: &str) -> Result<(PolicySet, BTreeMap<String, String>), PolicyError> {
    if let Some(why) = check::too_deep(text) {
        return Err(PolicyError::Syntax(why));
    }
    let parsed =
        PolicySet::from_str(text).map_err(|error| PolicyError::Syntax(pointed(text, &error.to_string(), &error)))?;
    if let Some(template) = parsed.templates().next() {
        return Err(PolicyError::Syntax(format!("`{}` is a template, which nothing here fills in", template.id())));
    }
    let mut set = PolicySet::new();
    let mut says = BTreeMap::new();
    for policy in parsed.policies() {
        let id = policy.annotation("id").ok_or_else(|| PolicyError::Syntax("a policy has no @id".into()))?;
        if let Some(words) = policy.annotation("says") {
            says.insert(id.to_owned(), words.to_owned());
        }
        set.add(policy.new_id(PolicyId::new(id))).map_err(|error| PolicyError::Syntax(error.to_string()))?;
    }
    Ok((set, says))
}

/// Returns the context of a request: the facts, and what stands behind the action, as far as they are heeded.
fn context(question: &Question<'_>, heeded: impl Fn(&str) -> bool) -> Vec<(String, RestrictedExpression)> {
    let text = |text: String| RestrictedExpression::new_string(text);
    // Counts above what a Long holds count as the largest one: they only ever compare with limits.
    let count = |value: u64| RestrictedExpression::new_long(i64::try_from(value).unwrap_or(i64::MAX));
    let value = |fact: Fact| match fact {
        Fact::Flag(flag) => RestrictedExpression::new_bool(flag),
        Fact::Count(value) => count(value),
        Fact::Text(one) => text(one),
        Fact::Texts(all) => RestrictedExpression::new_set(all.into_iter().map(text)),
    };
    let needed = question.kind.needs_level().map_or(0, |level| level as u64 + 1);
    let beside = [
        (schema::APPROVED, Fact::Flag(question.evidence >= Evidence::Approved)),
        (schema::STEP_UP, Fact::Flag(question.evidence == Evidence::SteppedUp)),
        (schema::CLASS, Fact::Text(question.class.name().into())),
        (schema::NEEDS_LEVEL, Fact::Count(needed)),
    ];
    let all = question.facts.list().into_iter().chain(beside).filter(|(name, _)| heeded(name));
    all.map(|(name, fact)| (name.to_owned(), value(fact))).collect()
}

/// Returns a short name for a text that changes with it (the first 16 bytes of its SHA-256): tells versions apart in the log.
fn fingerprint(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let hex = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("rules-{}", hex.collect::<String>())
}

#[cfg(test)]
mod tests;
