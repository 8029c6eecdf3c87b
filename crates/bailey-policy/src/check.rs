//! Checks what a person's own Cedar may say: nothing that can err, and nothing that an approval makes less allowed.
//!
//! Cedar skips a policy that errs, so a forbid that overflows would forbid nothing. The validator sees missing attributes and
//! wrong types; what is left are sums, and functions that read texts. Both are refused, and so is asking for approval the
//! wrong way round: asking means "would it be allowed if the person approved", which has to be the freer answer.

use serde_json::Value;

/// Lists what makes of a truth another that rises with it.
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
/// Lists what the person's approval makes true.
const EVIDENCE: [&str; 2] = ["approved", "stepUp"];
/// Longest text of policies, in bytes.
const MAX_TEXT_BYTES: usize = 512 * 1024;
/// Deepest brackets, and most signs and words that can join or nest parts, of one policy: reading goes as deep as they do.
const MAX_BRACKETS: usize = 24;
const MAX_SIGNS: usize = 1_280;

/// Tells whether a text may be read at all. Cedar reads parts within parts by calling itself, so what is nested without end would end
/// the process.
pub(crate) fn too_deep(text: &str) -> Option<String> {
    if text.len() > MAX_TEXT_BYTES {
        return Some(format!("policies have at most {MAX_TEXT_BYTES} bytes"));
    }
    let (mut depth, mut joined, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if quoted {
            (quoted, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '"' => quoted = true,
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|c| *c != '\n').is_some() {},
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ';' => joined = 0,
            '&' | '|' | '!' | '-' | '+' | '*' | '.' | '<' | '>' | '=' | '?' => joined += 1,
            // `if`, `in`, `is`, `has` and `like` join, too; every word counts as one.
            c if c.is_whitespace() && rest.peek().is_some_and(char::is_ascii_lowercase) => joined += 1,
            _ => {}
        }
        if depth > MAX_BRACKETS {
            return Some(format!("a policy has brackets nested deeper than {MAX_BRACKETS}"));
        }
        if joined > MAX_SIGNS {
            return Some("a policy has more parts than anybody reads; make several of it".into());
        }
    }
    None
}

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
        "Value" => None,
        // As a whole it holds what an approval changes, whichever way round it is looked at.
        "Var" if inner.as_str() == Some("context") => {
            Some("it looks at all facts at once; name the facts it is about".into())
        }
        "Var" => None,
        "." if is_evidence(inner) => match rises {
            Rises::With => None,
            Rises::Against => Some("an approval would make it less allowed; approval may only allow more".into()),
            Rises::Unknown => Some(
                "whether something was approved stands inside of a comparison or a choice; say it by itself".into(),
            ),
        },
        "." if inner.get("left").is_some_and(is_context) => None,
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

fn is_context(part: &Value) -> bool {
    part.get("Var").and_then(Value::as_str) == Some("context")
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
    fn all_facts_at_once_are_not_for_comparing() {
        for whole in ["[context].contains(context)", "if context == context then true else false"] {
            let why = refused(&format!("forbid (principal, action, resource) when {{ {whole} }}"));
            assert!(why.contains("all facts at once"), "{whole}: {why}");
        }
    }

    #[test]
    fn what_is_nested_without_end_is_refused_before_it_is_read() {
        let nested = |open: &str, close: &str, count: usize| {
            format!(
                "permit (principal, action, resource) when {{ {}context.undo{} }}",
                open.repeat(count),
                close.repeat(count)
            )
        };
        for text in [
            nested("(", ")", 100_000),
            nested("[", "]", 5_000),
            nested("context.undo && ", "", 15_000),
            nested("!", "", 50_000),
            nested("if context.undo then ", " else false", 5_000),
            nested("", ".a", 50_000),
        ] {
            let text = format!("@id(\"deep\") {text};");
            assert!(matches!(CedarPolicy::with_grants(&text), Err(PolicyError::Syntax(_))), "{}", &text[..80]);
            assert!(CedarPolicy::parts(&text).is_err());
        }
        let long = format!("@id(\"s\") @says(\"{}\") forbid (principal, action, resource);", "(&&!".repeat(5_000));
        assert!(CedarPolicy::with_grants(&long).is_ok(), "what stands in quotation marks is no nesting");
    }

    #[test]
    fn names_of_the_shipped_rules_are_not_for_others() {
        for name in ["floor.level", "floor.mine", "default.mine", "gate.mine"] {
            let text = format!("@id(\"{name}\") permit (principal, action, resource) when {{ context.undo }};");
            assert!(CedarPolicy::with_grants(&text).is_err(), "{name}");
        }
    }
}
