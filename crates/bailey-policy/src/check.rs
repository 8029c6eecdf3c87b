//! What a person's own Cedar may say: nothing that can err, and nothing that an approval makes less allowed.
//!
//! Cedar skips a policy that errs, so a forbid that overflows would forbid nothing. The validator sees missing attributes and
//! wrong types; what is left are sums, and functions that read texts. Both are refused, and so is asking for approval the
//! wrong way round: asking means "would it be allowed if the person approved", which has to be the freer answer.

use serde_json::Value;

/// What makes of a truth another that rises with it.
const KEEPS: [&str; 2] = ["&&", "||"];
/// Everything else an expression may be made of; none of it can err once it fits the schema.
const HARMLESS: [&str; 21] = [
    "Value",
    "Var",
    "==",
    "!=",
    "in",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "containsAll",
    "containsAny",
    "isEmpty",
    "has",
    "like",
    "is",
    "Set",
    "Record",
    "hasTag",
    "getTag",
    ".",
];
/// What the person's approval makes true.
const EVIDENCE: [&str; 2] = ["approved", "stepUp"];
/// Deepest nesting looked into; more is refused.
const MAX_DEPTH: usize = 128;

/// How a part of a condition moves what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rises {
    /// It is allowed more when this is true.
    With,
    /// It is allowed less when this is true.
    Against,
    /// It may be either.
    Unknown,
}

impl Rises {
    const fn turned(self) -> Self {
        match self {
            Self::With => Self::Against,
            Self::Against => Self::With,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Looks at one policy in Cedar's JSON form; says what is wrong with it.
pub(crate) fn fault(policy: &Value) -> Option<String> {
    let permits = policy.get("effect").and_then(Value::as_str) == Some("permit");
    let conditions = policy.get("conditions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    conditions.iter().find_map(|condition| {
        let when = condition.get("kind").and_then(Value::as_str) == Some("when");
        let rises = if permits == when { Rises::With } else { Rises::Against };
        condition.get("body").and_then(|body| look(body, rises, 0))
    })
}

fn look(part: &Value, rises: Rises, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return Some("it is nested too deeply".into());
    }
    let Some((operator, inner)) = part.as_object().and_then(|object| object.iter().next()) else {
        return part.as_array().and_then(|all| all.iter().find_map(|one| look(one, rises, depth + 1)));
    };
    let parts = || {
        inner.as_object().into_iter().flat_map(|object| object.values()).chain(inner.as_array().into_iter().flatten())
    };
    let deeper = |rises: Rises| parts().filter(|part| part.is_object()).find_map(|part| look(part, rises, depth + 1));
    match operator.as_str() {
        "Value" | "Var" => None,
        "." if is_evidence(inner) => match rises {
            Rises::With => None,
            Rises::Against => Some("an approval would make it less allowed; approval may only allow more".into()),
            Rises::Unknown => Some(
                "whether something was approved stands inside of a comparison or a choice; say it by itself".into(),
            ),
        },
        "!" => inner.get("arg").and_then(|arg| look(arg, rises.turned(), depth + 1)),
        keeps if KEEPS.contains(&keeps) => deeper(rises),
        "if-then-else" => {
            let branch = |name: &str, rises| inner.get(name).and_then(|part| look(part, rises, depth + 1));
            branch("if", Rises::Unknown).or_else(|| branch("then", rises)).or_else(|| branch("else", rises))
        }
        "+" | "-" | "*" | "neg" => Some(format!(
            "`{operator}` can overflow, and a rule that errs does not count; compare with a number instead"
        )),
        harmless if HARMLESS.contains(&harmless) => deeper(Rises::Unknown),
        function => {
            Some(format!("`{function}` can err, and a rule that errs does not count; use comparisons and sets"))
        }
    }
}

fn is_evidence(access: &Value) -> bool {
    access.get("attr").and_then(Value::as_str).is_some_and(|attr| EVIDENCE.contains(&attr))
}

#[cfg(test)]
mod tests {
    use crate::{CedarPolicy, PolicyError};

    fn refused(condition: &str) -> String {
        let text = format!("@id(\"mine\") {condition};");
        match CedarPolicy::with_grants(&text) {
            Ok(_) => String::new(),
            Err(PolicyError::Unsafe(_, why)) => why,
            Err(other) => panic!("{condition}: {other}"),
        }
    }

    #[test]
    fn what_can_err_is_refused() {
        for sum in ["context.amount + 1 > 3", "context.amount - 1 > 3", "context.amount * 2 > 3", "-context.amount < 3"]
        {
            let why = refused(&format!("forbid (principal, action, resource) when {{ {sum} }}"));
            assert!(why.contains("overflow"), "{sum}: {why}");
        }
        for function in ["decimal(\"1.0\") == decimal(\"1.0\")", "ip(\"10.0.0.1\").isLoopback()"] {
            let why = refused(&format!("forbid (principal, action, resource) when {{ {function} }}"));
            assert!(why.contains("can err"), "{function}: {why}");
        }
        // Deep inside, and behind what would hide it from a quick look.
        for hidden in [
            "!(context.undo || [context.amount + 1].contains(3))",
            "if context.undo then context.amount + 1 > 3 else true",
            "{a: context.amount + 1}.a == 3",
        ] {
            let why = refused(&format!("permit (principal, action, resource) unless {{ {hidden} }}"));
            assert!(why.contains("overflow"), "{hidden}: {why}");
        }
    }

    #[test]
    fn approval_only_ever_allows_more() {
        for fine in [
            "permit (principal, action, resource) when { context.approved }",
            "permit (principal, action, resource) unless { !context.approved || context.undo }",
            "forbid (principal, action, resource) unless { context.approved && context.undo }",
            "forbid (principal, action, resource) when { !(context.stepUp || context.approved) }",
            "forbid (principal, action, resource) when { if context.undo then !context.approved else false }",
        ] {
            assert_eq!(refused(fine), "", "{fine}");
        }
        for wrong in [
            "permit (principal, action, resource) unless { context.approved }",
            "forbid (principal, action, resource) when { context.approved }",
            "forbid (principal, action, resource) when { context.undo && !!context.stepUp }",
            "permit (principal, action, resource) when { !context.approved }",
            "permit (principal, action, resource) when { context.approved == false }",
            "permit (principal, action, resource) when { if context.approved then false else true }",
            "permit (principal, action, resource) when { [context.approved].contains(false) }",
        ] {
            assert!(refused(wrong).contains("approved") || refused(wrong).contains("approval"), "{wrong}");
        }
    }

    #[test]
    fn names_of_the_shipped_rules_are_not_for_others() {
        for name in ["floor.level", "floor.mine", "default.mine", "gate.mine"] {
            let text = format!("@id(\"{name}\") permit (principal, action, resource) when {{ context.undo }};");
            assert!(CedarPolicy::with_grants(&text).is_err(), "{name}");
        }
    }
}
