//! Arguments of a tool call, read forgivingly: a model writes a list as a text, a number as a text, or a text as a list.

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
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// What the action needs could not be looked up.
    Lookup(String),
    /// The service is not connected.
    NotConnected(&'static str),
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

    /// A list, however it was written: a list of texts, or one text with commas or semicolons.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let items = match self.0.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.iter().filter_map(as_text).collect(),
            Some(other) => as_text(other).map(|text| split(&text)).unwrap_or_default(),
        };
        items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
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

/// Splits at commas and semicolons outside quotation marks.
fn split(text: &str) -> Vec<String> {
    let mut quoted = false;
    let mut out = vec![String::new()];
    for c in text.chars() {
        quoted ^= c == '"';
        match out.last_mut() {
            Some(last) if quoted || !matches!(c, ',' | ';') => last.push(c),
            _ => out.push(String::new()),
        }
    }
    out
}

/// The JSON schema of an object of texts; `why` is offered with every tool.
pub(crate) fn schema(fields: &[(&str, &str)], required: &[&str]) -> Value {
    let mut properties: Map<String, Value> = fields
        .iter()
        .map(|(name, description)| ((*name).to_owned(), json!({"type": "string", "description": description})))
        .collect();
    properties.insert("why".into(), json!({"type": "string", "description": "one sentence: why this serves the task"}));
    json!({"type": "object", "properties": properties, "required": required})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_every_form() {
        let list = |json: &str| Arguments::parse(json).unwrap().list("to");
        assert_eq!(list(r#"{"to":["a@x","b@x"]}"#), ["a@x", "b@x"]);
        assert_eq!(list(r#"{"to":"a@x; b@x,"}"#), ["a@x", "b@x"]);
        assert_eq!(list(r#"{"to":"\"Doe, Ana\" <a@x>"}"#), ["\"Doe, Ana\" <a@x>"]);
        assert_eq!(list(r#"{"to":null}"#), Vec::<String>::new());
        assert_eq!(Arguments::parse("[1]").err(), Some(BadCall::NotJson));
    }
}
