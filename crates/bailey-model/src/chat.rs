//! OpenAI Chat Completions, the wire format that local servers (llama.cpp, Ollama, vLLM) speak too.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Answer, MAX_ANSWER_TOKENS, MAX_CALLS, Message, Model, ModelError, Sending, Tool, ToolCall, Transport};

/// Longest provider message shown to the person, in characters.
const MAX_SHOWN_ERROR: usize = 300;

/// A provider that speaks Chat Completions.
pub struct OpenAiChat {
    transport: Box<dyn Transport>,
    model: String,
}

impl std::fmt::Debug for OpenAiChat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAiChat").field("model", &self.model).finish_non_exhaustive()
    }
}

impl OpenAiChat {
    /// A named model behind a transport.
    #[must_use]
    pub fn new(transport: Box<dyn Transport>, model: String) -> Self {
        Self { transport, model }
    }
}

impl Model for OpenAiChat {
    fn request(&self, messages: &[Message], tools: &[Tool]) -> Vec<u8> {
        let tools: Vec<Value> = tools
            .iter()
            .map(|tool| {
                let function =
                    json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
                json!({"type": "function", "function": function})
            })
            .collect();
        json!({
            "model": self.model,
            "messages": messages.iter().map(message).collect::<Vec<_>>(),
            "tools": tools,
            "max_tokens": MAX_ANSWER_TOKENS,
            "temperature": 0,
        })
        .to_string()
        .into_bytes()
    }

    fn ask(&self, body: Vec<u8>) -> Sending<'_, Result<Answer, ModelError>> {
        Box::pin(async move {
            let response = self.transport.post("/chat/completions", body).await?;
            if response.status != 200 {
                return Err(ModelError::Refused(response.status, error_words(&response.body)));
            }
            parse(&response.body)
        })
    }
}

fn message(message: &Message) -> Value {
    match message {
        Message::System(text) => json!({"role": "system", "content": text}),
        Message::Person(text) => json!({"role": "user", "content": text}),
        Message::Model { text, calls } if calls.is_empty() => json!({"role": "assistant", "content": text}),
        Message::Model { text, calls } => {
            let calls: Vec<Value> = calls
                .iter()
                .map(|call| {
                    let function = json!({"name": call.name, "arguments": call.arguments});
                    json!({"id": call.id, "type": "function", "function": function})
                })
                .collect();
            json!({"role": "assistant", "content": text, "tool_calls": calls})
        }
        Message::Result { call, text } => json!({"role": "tool", "tool_call_id": call, "content": text}),
    }
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Wanted>>,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    id: String,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: Value,
}

fn parse(body: &[u8]) -> Result<Answer, ModelError> {
    let completion: Completion =
        serde_json::from_slice(body).map_err(|error| ModelError::Garbled(error.to_string()))?;
    let said =
        completion.choices.into_iter().next().ok_or_else(|| ModelError::Garbled("it holds no choice".into()))?.message;
    let wanted = said.tool_calls.unwrap_or_default();
    if wanted.len() > MAX_CALLS {
        return Err(ModelError::Garbled(format!("it wants {} calls at once, more than {MAX_CALLS}", wanted.len())));
    }
    let calls = wanted.into_iter().enumerate().map(|(index, wanted)| ToolCall {
        id: if wanted.id.is_empty() { format!("call-{index}") } else { wanted.id },
        name: wanted.function.name,
        // Most servers send the arguments as a string that holds JSON, some as JSON.
        arguments: match wanted.function.arguments {
            Value::String(text) => text,
            other => other.to_string(),
        },
    });
    Ok(Answer { text: said.content.unwrap_or_default(), calls: calls.collect() })
}

fn error_words(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = value.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
    words.chars().take(MAX_SHOWN_ERROR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_forgivingly_and_bounded() {
        let answer = |text: &str| parse(text.as_bytes());
        let said = answer(r#"{"choices":[{"message":{"content":"hi"}}]}"#).unwrap();
        assert_eq!(said, Answer { text: "hi".into(), calls: vec![] });
        let called = answer(r#"{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"t","arguments":{"a":1}}}]}}]}"#).unwrap();
        assert_eq!(
            called.calls,
            vec![ToolCall { id: "call-0".into(), name: "t".into(), arguments: r#"{"a":1}"#.into() }]
        );
        for garbled in
            ["", "{}", "[]", r#"{"choices":[]}"#, "\u{0}", r#"{"choices":[{"message":{"tool_calls":[{}]}}]}"#]
        {
            assert!(matches!(answer(garbled), Err(ModelError::Garbled(_))), "{garbled}");
        }
        let many = format!(
            r#"{{"choices":[{{"message":{{"tool_calls":[{}]}}}}]}}"#,
            vec![r#"{"function":{"name":"t"}}"#; 17].join(",")
        );
        assert!(matches!(answer(&many), Err(ModelError::Garbled(_))));
    }
}
