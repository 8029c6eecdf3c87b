//! Proves what a set of rules can do: Cedar's symbolic compiler asks a solver (cvc5) about every action there could be, not only
//! about those that were.
//!
//! Everything here is about what goes by itself, without the person. Facts the gate never computes are left out
//! (`possible.cedar`). Source: <https://docs.rs/cedar-policy-symcc>, and the paper behind it, "Cedar: A New Language for
//! Expressive, Fast, Safe, and Analyzable Authorization" (OOPSLA 2024).

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::time::Duration;

use bailey_gate::family::ActionKind;
use cedar_policy::{ActionConstraint, EntityUid, Policy, PolicyId, PolicySet, RequestEnv};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};

use crate::{CedarPolicy, OURS, PolicyError, named, uid};

const POSSIBLE: &str = include_str!("possible.cedar");
/// Beside that, what makes an example easy to read: small numbers, and nothing remarkable. Asked for where there is any example.
const READABLE: &str = r#"
@id("possible.readable")
forbid (principal, action, resource)
unless {
  context.recipients <= 2 && context.attachments <= 1 && context.targets <= 2 && context.foreignLinks <= 1 &&
  context.sameKindToday <= 1 && context.spentMonth <= 1000000 && context.amount <= 10000 && !context.intoSentOrDrafts &&
  !context.undescribed && !context.unreadableRecipients && context.attended && context.schedule == ""
};
"#;
/// The program that is asked.
pub const SOLVER: &str = "cvc5";
/// Longest the solver may take for one question.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnalysis {
    /// The solver is not installed.
    #[error(
        "the solver `cvc5` is not installed, so nothing is proven about actions that were never tried; install the package `cvc5` (`apt install cvc5`), then ask again"
    )]
    NoSolver,
    /// It failed.
    #[error("the solver failed: {0}")]
    Failed(String),
    /// The rules are none.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// An action that could be, as facts in words.
pub type Example = Vec<(String, String)>;

/// Tells what can go by itself, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattended {
    /// Names the kind.
    pub kind: ActionKind,
    /// The rules that let it go: each can, on some facts. Empty where none ever does.
    pub by: Vec<String>,
    /// An action that goes.
    pub example: Option<Example>,
    /// Tells whether all of it was settled in time; else a rule in `by` may never let anything go.
    pub proven: bool,
}

/// Tells what is made automatic by a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Newly {
    /// The kinds of which something goes that did not, with an example.
    pub found: Vec<(ActionKind, Example)>,
    /// The kinds of which the solver could not tell in time.
    pub open: Vec<ActionKind>,
}

/// Asks the solver. One process serves one analysis, and ends with it.
pub struct Analysis {
    solver: CedarSymCompiler<LocalSolver>,
}

impl std::fmt::Debug for Analysis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analysis").finish_non_exhaustive()
    }
}

impl Analysis {
    /// Starts the solver.
    pub fn begin() -> Result<Self, NoAnalysis> {
        let solver = LocalSolver::cvc5().map_err(|_| NoAnalysis::NoSolver)?;
        let solver = CedarSymCompiler::new(solver).map_err(|error| NoAnalysis::Failed(error.to_string()))?;
        Ok(Self { solver })
    }

    /// Asks one question. A solver that took too long, or failed, is ended, and another takes the next question.
    async fn ask<T, E: std::fmt::Display>(
        &mut self,
        question: impl AsyncFnOnce(&mut CedarSymCompiler<LocalSolver>) -> Result<T, E>,
    ) -> Result<Option<T>, NoAnalysis> {
        let answer = tokio::time::timeout(PATIENCE, question(&mut self.solver)).await;
        if let Ok(Ok(answer)) = answer {
            return Ok(Some(answer));
        }
        *self = Self::begin()?;
        Ok(None)
    }

    /// Finds what goes by itself under the second set of a person's rules and does not under the first: an example of each kind of which
    /// there is any.
    pub async fn newly_automatic(&mut self, before: &str, after: &str) -> Result<Newly, NoAnalysis> {
        let (old, new) = (CedarPolicy::with_grants(before)?, CedarPolicy::with_grants(after)?);
        let guarded = guarded(&new)?;
        let changed = differing(before, after)?;
        let mut out = Newly::default();
        for kind in ActionKind::all() {
            if !changed.iter().any(|policy| is_about(policy, kind, &new)) {
                continue;
            }
            let env = environment(kind)?;
            let compiled = |set: &PolicySet| CompiledPolicySet::compile(set, &env, &new.schema).map_err(failed);
            let (after, before) = (compiled(&guarded)?, compiled(&old.policies)?);
            let asked = async |solver: &mut CedarSymCompiler<LocalSolver>| {
                solver.check_implies_with_counterexample_opt(&after, &before).await
            };
            match self.ask(asked).await? {
                Some(Some(found)) => {
                    let plain = compiled(&readable(&guarded)?)?;
                    let asked = async |solver: &mut CedarSymCompiler<LocalSolver>| {
                        solver.check_implies_with_counterexample_opt(&plain, &before).await
                    };
                    let found = self.ask(asked).await?.flatten().unwrap_or(found);
                    out.found.push((kind, example(&found)));
                }
                Some(None) => {}
                None => out.open.push(kind),
            }
        }
        Ok(out)
    }

    /// Returns the most that can happen without the person: for each kind, the rules that let it go, and an example.
    pub async fn unattended(&mut self, rules: &str) -> Result<Vec<Unattended>, NoAnalysis> {
        let set = CedarPolicy::with_grants(rules)?;
        let guarded = guarded(&set)?;
        let permits: Vec<&Policy> =
            set.policies.policies().filter(|policy| policy.effect() == cedar_policy::Effect::Permit).collect();
        let mut out = Vec::new();
        for kind in ActionKind::all() {
            let env = environment(kind)?;
            let whole = CompiledPolicySet::compile(&guarded, &env, &set.schema).map_err(failed)?;
            let asked = async |solver: &mut CedarSymCompiler<LocalSolver>| {
                solver.check_always_denies_with_counterexample_opt(&whole).await
            };
            let found = self.ask(asked).await?;
            let mut one = Unattended {
                kind,
                by: Vec::new(),
                proven: found.is_some(),
                example: found.as_ref().and_then(|found| found.as_ref().map(example)),
            };
            // Which of them can: each alone, under everything that forbids.
            let never = matches!(found, Some(None));
            for permit in permits.iter().filter(|permit| !never && is_about(permit, kind, &set)) {
                let mut alone = guarded.clone();
                for other in permits.iter().filter(|other| other.id() != permit.id()) {
                    alone.remove_static(other.id().clone()).map_err(failed)?;
                }
                let alone = CompiledPolicySet::compile(&alone, &env, &set.schema).map_err(failed)?;
                let asked =
                    async |solver: &mut CedarSymCompiler<LocalSolver>| solver.check_always_denies_opt(&alone).await;
                let denies = self.ask(asked).await?;
                one.proven &= denies.is_some();
                if denies != Some(true) {
                    one.by.push(permit.id().to_string());
                }
            }
            out.push(one);
        }
        Ok(out)
    }

    /// Rules of the person's that change nothing as long as the others stand: what they say is said already, or overruled. One of
    /// which that cannot be told in time is not among them.
    pub async fn shadowed(&mut self, rules: &str) -> Result<Vec<String>, NoAnalysis> {
        let set = CedarPolicy::with_grants(rules)?;
        let mut out = Vec::new();
        for policy in set.policies.policies().filter(|policy| is_theirs(policy)) {
            let mut without = set.policies.clone();
            without.remove_static(policy.id().clone()).map_err(failed)?;
            let mut matters = false;
            for kind in ActionKind::all().filter(|kind| is_about(policy, *kind, &set)) {
                let env = environment(kind)?;
                let compiled =
                    |set_of: &PolicySet| CompiledPolicySet::compile(set_of, &env, &set.schema).map_err(failed);
                let (with, without) = (compiled(&possible(&set.policies)?)?, compiled(&possible(&without)?)?);
                let asked = async |solver: &mut CedarSymCompiler<LocalSolver>| {
                    solver.check_equivalent_opt(&with, &without).await
                };
                if self.ask(asked).await? != Some(true) {
                    matters = true;
                    break;
                }
            }
            if !matters {
                out.push(policy.id().to_string());
            }
        }
        Ok(out)
    }

    /// Policies, shipped ones among them, that could err on some facts. There are none in a set that was let in.
    pub async fn erring(&mut self, rules: &str) -> Result<Vec<String>, NoAnalysis> {
        let set = CedarPolicy::with_grants(rules)?;
        let mut out = Vec::new();
        for policy in set.policies.policies() {
            for kind in ActionKind::all().filter(|kind| is_about(policy, *kind, &set)) {
                let env = environment(kind)?;
                let compiled = CompiledPolicy::compile(policy, &env, &set.schema).map_err(failed)?;
                let asked =
                    async |solver: &mut CedarSymCompiler<LocalSolver>| solver.check_never_errors_opt(&compiled).await;
                // What cannot be told in time counts as what could.
                if self.ask(asked).await? != Some(true) {
                    out.push(policy.id().to_string());
                    break;
                }
            }
        }
        Ok(out)
    }
}

fn failed(error: impl std::fmt::Display) -> NoAnalysis {
    NoAnalysis::Failed(error.to_string())
}

fn is_theirs(policy: &Policy) -> bool {
    let id = policy.id().to_string();
    !OURS.iter().any(|ours| id.starts_with(ours))
}

/// Returns the set, and that nobody approved anything.
fn guarded(set: &CedarPolicy) -> Result<PolicySet, PolicyError> {
    with(&set.policies, |_| true)
}

/// Returns the set over facts there can be, approved or not.
fn possible(set: &PolicySet) -> Result<PolicySet, PolicyError> {
    with(set, |id| id != "possible.unapproved")
}

/// Finds the same, with examples that are easy to read.
fn readable(set: &PolicySet) -> Result<PolicySet, PolicyError> {
    let mut out = set.clone();
    for policy in named(READABLE)?.0.policies() {
        out.add(policy.clone()).map_err(|error| PolicyError::Syntax(error.to_string()))?;
    }
    Ok(out)
}

fn with(set: &PolicySet, wanted: impl Fn(&str) -> bool) -> Result<PolicySet, PolicyError> {
    let mut out = set.clone();
    let (possible, _) = named(POSSIBLE)?;
    for policy in possible.policies().filter(|policy| wanted(policy.id().as_ref())) {
        out.add(policy.clone()).map_err(|error| PolicyError::Syntax(error.to_string()))?;
    }
    Ok(out)
}

/// Policies that stand in one of two texts and not, or not so, in the other.
fn differing(one: &str, other: &str) -> Result<Vec<Policy>, PolicyError> {
    let by_name = |text: &str| -> Result<BTreeMap<PolicyId, Policy>, PolicyError> {
        Ok(named(text)?.0.policies().map(|policy| (policy.id().clone(), policy.clone())).collect())
    };
    let (one, other) = (by_name(one)?, by_name(other)?);
    let alone = |here: &BTreeMap<PolicyId, Policy>, there: &BTreeMap<PolicyId, Policy>| {
        let differs = |(id, policy): &(&PolicyId, &Policy)| {
            there.get(*id).is_none_or(|same| same.to_string() != policy.to_string())
        };
        here.iter().filter(differs).map(|(_, policy)| policy.clone()).collect::<Vec<_>>()
    };
    Ok([alone(&one, &other), alone(&other, &one)].concat())
}

/// Tells whether a policy can be about a kind, by its scope.
fn is_about(policy: &Policy, kind: ActionKind, set: &CedarPolicy) -> bool {
    let Ok(action) = uid("Action", kind.name()) else { return true };
    let within = |group: &EntityUid| *group == action || set.entities.is_ancestor_of(group, &action);
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(one) => one == action,
        ActionConstraint::In(groups) => groups.iter().any(within),
    }
}

fn environment(kind: ActionKind) -> Result<RequestEnv, PolicyError> {
    let name = |text: &str| {
        cedar_policy::EntityTypeName::from_str(text).map_err(|error| PolicyError::Syntax(error.to_string()))
    };
    Ok(RequestEnv::new(name("Agent")?, uid("Action", kind.name())?, name("Home")?))
}

/// Returns the facts of a request the solver made up: those that are not nothing.
fn example(env: &Env) -> Example {
    let Some(context) = env.request.context() else { return Vec::new() };
    let json = context.to_json_value().unwrap_or_default();
    let mut out = Vec::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        let words = match value {
            serde_json::Value::Bool(true) => "yes".to_owned(),
            serde_json::Value::Number(number) if number.as_i64() != Some(0) => number.to_string(),
            serde_json::Value::String(text) if !text.is_empty() => text.clone(),
            serde_json::Value::Array(all) if !all.is_empty() => {
                all.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", ")
            }
            _ => continue,
        };
        out.push((name.clone(), words));
    }
    out
}

#[cfg(test)]
mod tests {
    use bailey_gate::family::{mail, tool};

    use super::*;
    use crate::rule;

    fn cedar(words: &str) -> String {
        let rules = rule::parse(words).unwrap();
        rules.iter().enumerate().map(|(n, rule)| rule.cedar(&format!("mine.{n}"))).collect()
    }

    /// Runs with the solver that `cargo xtask test` installs.
    fn analysed<T>(ask: impl AsyncFnOnce(&mut Analysis) -> Result<T, NoAnalysis>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { ask(&mut Analysis::begin().unwrap()).await.unwrap() })
    }

    #[test]
    fn what_becomes_automatic_is_found_with_an_example() {
        let (before, after) =
            (cedar("mail with links: ask"), cedar("mail to ana@example.org: go ahead; mail with links: ask"));
        let found = analysed(async |analysis| analysis.newly_automatic(&before, &after).await);
        let [(kind, example)] = found.found.as_slice() else { panic!("{found:?}") };
        assert_eq!(*kind, mail::SEND);
        assert!(example.contains(&("names".into(), "ana@example.org".into())), "{example:?}");
        assert!(example.iter().all(|(_, value)| value.len() < 16), "easy to read: {example:?}");
        let nothing = analysed(async |analysis| analysis.newly_automatic(&after, &before).await);
        assert_eq!(nothing, Newly::default(), "what is dropped makes nothing automatic");
        let shut = cedar("mail to ana@example.org: go ahead; mail: ask");
        assert_eq!(analysed(async |analysis| analysis.newly_automatic(&before, &shut).await), Newly::default());
    }

    #[test]
    fn the_most_that_happens_unattended_is_told_of_each_kind() {
        let all = analysed(async |analysis| analysis.unattended(&cedar("mail inside my organisation: go ahead")).await);
        let of = |kind| all.iter().find(|one| one.kind == kind).unwrap().clone();
        assert_eq!(of(mail::SEND).by, ["mine.0"]);
        assert_eq!((of(tool::PAY).by, of(tool::PAY).example), (vec![], None));
        assert_eq!(of(mail::DRAFT).by, ["default.draft"]);
    }

    #[test]
    fn rules_without_effect_are_named_and_none_can_err() {
        let rules = cedar("mail to @a.org: go ahead; mail to x@a.org: ask; mail: never; payments up to 5: go ahead");
        let shadowed = analysed(async |analysis| analysis.shadowed(&rules).await);
        assert_eq!(shadowed, ["mine.0", "mine.1"], "mail never goes");
        assert_eq!(analysed(async |analysis| analysis.erring(&rules).await), Vec::<String>::new());
    }
}
