//! Manifests of other people's tools, as JSON, and calls of such tools.
//!
//! ```json
//! { "effect": "write", "args": ["color"], "sinks": { "to": "email" }, "target": { "file": "file" }, "content": ["body"],
//!   "amount": "sum",
//!   "places": { "folder": "folder" }, "method": "method", "undo": false, "removes": false, "critical": false,
//!   "trusted_output": false, "confidential": false }
//! ```
//! An argument that stands nowhere in it may decide who gets something.

use bailey_gate::family::tool::{Effect, MAX_DEPTH, Manifest, Name, Role, ToolUse, Value as Argument};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Why a manifest or a call cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadManifest {
    /// It is not what a manifest looks like.
    #[error("the manifest of the tool cannot be read: {0}")]
    Shape(String),
    /// An argument is given two roles.
    #[error("the argument `{0}` has more than one role in the manifest; give it the one that does most")]
    TwoRoles(String),
    /// A name or a value is not one.
    #[error("{0}")]
    Value(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Does {
    Read,
    #[serde(alias = "egress")]
    Fetch,
    Write,
}

#[derive(Debug, Deserialize)]
struct Written {
    effect: Does,
    /// Arguments that can do nothing of their own; those named elsewhere may stand here, too.
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    sinks: BTreeMap<String, String>,
    #[serde(default)]
    target: BTreeMap<String, String>,
    #[serde(default)]
    content: Vec<String>,
    #[serde(default)]
    amount: Option<String>,
    #[serde(default)]
    places: BTreeMap<String, String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    undo: bool,
    #[serde(default)]
    removes: bool,
    #[serde(default)]
    critical: bool,
    #[serde(default)]
    trusted_output: bool,
    #[serde(default)]
    confidential: bool,
}

/// Reads a manifest. Members it does not know are left alone, so that a manifest may also say what is for others.
pub fn manifest(json: &Value) -> Result<Manifest, BadManifest> {
    let written = Written::deserialize(json).map_err(|error| BadManifest::Shape(error.to_string()))?;
    let mut roles: BTreeMap<Name, Role> = BTreeMap::new();
    let mut give = |argument: &str, role: Role| match roles.insert(name(argument)?, role) {
        None => Ok(()),
        Some(_) => Err(BadManifest::TwoRoles(argument.to_owned())),
    };
    for (argument, kind) in &written.sinks {
        give(argument, Role::Sink(name(kind)?))?;
    }
    for (argument, kind) in &written.target {
        give(argument, Role::Target(name(kind)?))?;
    }
    for (argument, kind) in &written.places {
        give(argument, Role::Place(name(kind)?))?;
    }
    if let Some(argument) = &written.method {
        give(argument, Role::Method)?;
    }
    for argument in &written.content {
        give(argument, Role::Content)?;
    }
    if let Some(argument) = written.amount.filter(|argument| !argument.is_empty()) {
        give(&argument, Role::Amount)?;
    }
    for argument in &written.args {
        roles.entry(name(argument)?).or_insert(Role::Plain);
    }
    Ok(Manifest {
        effect: match written.effect {
            Does::Read => Effect::Read,
            Does::Fetch => Effect::Fetch,
            Does::Write => Effect::Write,
        },
        roles: roles.into_iter().collect(),
        undoable: written.undo,
        removes: written.removes,
        critical: written.critical,
        trusted_output: written.trusted_output,
        confidential: written.confidential,
    })
}

/// Lists the manifests of our own tools, by name, as JSON. The gate knows what ours do by their types and asks no manifest; these
/// are for who wants to read them, and a test holds the two together.
#[must_use]
pub fn ours() -> Map<String, Value> {
    crate::tools(&[]).into_iter().map(|tool| (tool.name.to_owned(), tool.manifest)).collect()
}

/// Returns a call of somebody else's tool.
pub fn tool_use(
    server: &str,
    tool: &str,
    manifest: Option<Manifest>,
    arguments: &Map<String, Value>,
) -> Result<ToolUse, BadManifest> {
    let arguments = arguments.iter().map(|(argument, value)| Ok((name(argument)?, read(value, 0)?)));
    let mut arguments = arguments.collect::<Result<Vec<_>, BadManifest>>()?;
    // One meaning, one order: what is approved does not depend on how the caller wrote it.
    arguments.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(ToolUse { server: name(server)?, tool: name(tool)?, manifest, arguments })
}

fn name(text: &str) -> Result<Name, BadManifest> {
    let shown = || bailey_gate::family::escape::visible(text);
    Name::new(text).map_err(|_| BadManifest::Value(format!("`{}` is no name of a tool or an argument", shown())))
}

fn read(value: &Value, depth: usize) -> Result<Argument, BadManifest> {
    if depth > MAX_DEPTH {
        return Err(BadManifest::Value("an argument is nested too deeply".into()));
    }
    Ok(match value {
        Value::Null => Argument::Null,
        Value::Bool(flag) => Argument::Flag(*flag),
        Value::Number(number) => Argument::Number(number.to_string()),
        Value::String(text) => Argument::Text(text.clone()),
        Value::Array(values) => {
            Argument::List(values.iter().map(|value| read(value, depth + 1)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.clone(), read(value, depth + 1)?)));
            let mut fields = fields.collect::<Result<Vec<_>, BadManifest>>()?;
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Argument::Fields(fields)
        }
    })
}

#[cfg(test)]
mod tests {
    use bailey_gate::family::{ActionKind, Group, calendar, http, mail, schedule, shell};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_manifest_says_what_each_argument_can_do() {
        let json = json!({ "effect": "write", "args": ["to", "sum"], "sinks": {"to": "iban"}, "amount": "sum", "undo": false });
        let read = manifest(&json).unwrap();
        let roles: Vec<_> = read.roles.iter().map(|(name, role)| (name.as_str(), role.clone())).collect();
        assert_eq!(roles, [("sum", Role::Amount), ("to", Role::Sink(Name::new("iban").unwrap()))]);
        assert_eq!(manifest(&json!({ "effect": "egress" })).unwrap().effect, Effect::Fetch);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for bad in [
            json!({}),
            json!({ "effect": "guess" }),
            json!([]),
            json!({ "effect": "write", "sinks": ["to"] }),
            json!({ "effect": "write", "sinks": {"": "email"} }),
        ] {
            assert!(manifest(&bad).is_err(), "{bad}");
        }
        let twice = json!({ "effect": "write", "sinks": {"a": "email"}, "content": ["a"] });
        assert_eq!(manifest(&twice), Err(BadManifest::TwoRoles("a".into())));
    }

    #[test]
    fn arguments_keep_their_values() {
        let arguments = json!({ "n": 1.50, "to": ["a", {"b": null}], "flag": true });
        let call = tool_use("s", "t", None, arguments.as_object().unwrap()).unwrap();
        let read: Vec<String> =
            call.arguments.iter().map(|(name, value)| format!("{}={}", name.as_str(), value.literal())).collect();
        assert_eq!(read, ["flag=true", "n=1.5", "to=[\"a\", {\"b\": nothing}]"]);
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert!(tool_use("s", "t", None, json!({ "x": deep }).as_object().unwrap()).is_err());
    }

    /// Returns what an action of ours does, by its kind: looks, changes something, lets others have something.
    fn does(kind: ActionKind) -> (Effect, bool) {
        let effect = match kind.group() {
            Group::Read => Effect::Read,
            Group::Fetch => Effect::Fetch,
            Group::Write | Group::Outward | Group::Destroy | Group::Spend | Group::Speak => Effect::Write,
        };
        (effect, kind.group() == Group::Outward)
    }

    #[test]
    fn our_own_tools_are_described_and_do_what_their_types_do() {
        for tool in crate::tools(&[]) {
            let said = manifest(&tool.manifest).unwrap();
            let arguments = tool.parameters["properties"].as_object().unwrap();
            for (argument, _) in &said.roles {
                assert!(arguments.contains_key(argument.as_str()), "{}: {}", tool.name, argument.as_str());
            }
            let kind = tool.kind;
            let reaches_others = said.roles.iter().any(|(_, role)| matches!(role, Role::Sink(_)));
            assert_eq!((said.effect, reaches_others), does(kind), "{}", tool.name);
            // What can be taken back in full is what has an undo.
            let never = [mail::SEND, mail::UNSUBSCRIBE, schedule::PROPOSE, shell::RUN, http::POST].contains(&kind);
            assert_eq!(said.undoable, said.effect == Effect::Write && !never, "{}", tool.name);
            assert_eq!(said.removes, kind == calendar::CANCEL, "{}", tool.name);
        }
    }
}
