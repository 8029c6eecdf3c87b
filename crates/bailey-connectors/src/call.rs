//! Arguments of a tool call, read forgivingly: a model writes a list as a text, a number as a text, or a text as a list.

use bailey_gate::codec::CodecError;
use serde_json::{Map, Value, json};

/// Longest arguments of one call, in bytes: a long mail with room to spare.
const MAX_ARGUMENT_BYTES: usize = 2 * 1024 * 1024;

/// Why a call could not be prepared. Goes back to the model as the call's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadCall {
    /// The arguments are not a JSON object.
    NotJson,
    /// The arguments are too long.
    TooLong,
    /// No such tool.
    UnknownTool(String),
    /// An argument is missing.
    Missing(&'static str),
    /// An argument breaks a rule.
    Bad {
        /// Names it.
        name: &'static str,
        /// Says what is wrong with it.
        why: String,
    },
    /// Something that the action needs could not be looked up.
    Lookup(String),
    /// The service is not connected.
    NotConnected(&'static str),
}

impl BadCall {
    /// Says what is wrong with an argument of which an action was made that breaks a rule of its family.
    pub(crate) fn of_check(name: &'static str, error: &CodecError) -> Self {
        let why = match error {
            CodecError::Malformed(what) => (*what).to_owned(),
            CodecError::TooLong => "that is more, or longer, than a mail may have".into(),
            other => other.to_string(),
        };
        Self::Bad { name, why }
    }
}

/// The arguments of a call, by name.
#[derive(Debug)]
pub struct Arguments(Map<String, Value>);

impl Arguments {
    pub(crate) fn parse(text: &str) -> Result<Self, BadCall> {
        if text.len() > MAX_ARGUMENT_BYTES {
            return Err(BadCall::TooLong);
        }
        match serde_json::from_str(if text.trim().is_empty() { "{}" } else { text }) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) | Err(_) => Err(BadCall::NotJson),
        }
    }

    pub(crate) fn optional(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(as_text).filter(|text| !text.trim().is_empty())
    }

    pub(crate) fn text(&self, name: &'static str) -> Result<String, BadCall> {
        self.optional(name).ok_or(BadCall::Missing(name))
    }

    /// Yes or no, however it was written; no where it is absent.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.optional(name)
            .is_some_and(|text| matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "yes" | "1"))
    }

    /// Returns the value of an argument as it was written; nothing where it is absent.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(items) => Some(items.iter().filter_map(as_text).collect::<Vec<_>>().join(", ")),
    }
}

/// Returns the JSON schema of an object of texts; `why` is offered with every tool.
pub(crate) fn schema(fields: &[(&str, &str)], required: &[&str]) -> Value {
    let mut properties: Map<String, Value> = fields
        .iter()
        .map(|(name, description)| ((*name).to_owned(), json!({"type": "string", "description": description})))
        .collect();
    properties.insert("why".into(), json!({"type": "string", "description": "one sentence: why this serves the task"}));
    json!({"type": "object", "properties": properties, "required": required})
}

/// Makes arguments of a schema lists of texts.
pub(crate) fn with_lists(mut schema: Value, names: &[&str]) -> Value {
    for name in names {
        let argument = schema.get_mut("properties").and_then(|all| all.get_mut(name)).and_then(Value::as_object_mut);
        if let Some(argument) = argument {
            argument.insert("type".into(), "array".into());
            argument.insert("items".into(), json!({"type": "string"}));
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object() {
        assert_eq!(Arguments::parse("[1]").err(), Some(BadCall::NotJson));
        assert!(Arguments::parse(r#"{"to":null}"#).unwrap().value("to").is_none());
    }
}
