//! OpenAI Chat Completions, the wire format that local servers (llama.cpp, Ollama, vLLM) speak too.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Answer, Ask, MAX_ANSWER_TOKENS, Message, Model, ModelError, Reader, Sending, ToolCall, Transport, Usage, checked,
    exchange, garbled,
};

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
    fn request(&self, ask: &Ask) -> Vec<u8> {
        let mut body = json!({
            "model": self.model,
            "messages": ask.messages.iter().map(message).collect::<Vec<_>>(),
            "max_tokens": ask.max_tokens.min(MAX_ANSWER_TOKENS),
            "temperature": 0,
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        let tools: Vec<Value> = ask.tools.iter().map(tool).collect();
        if !tools.is_empty() {
            put(&mut body, "tools", tools.into());
        }
        if let Some(shape) = &ask.shape {
            let schema = json!({"name": shape.name, "schema": shape.schema, "strict": true});
            put(&mut body, "response_format", json!({"type": "json_schema", "json_schema": schema}));
        }
        body.to_string().into_bytes()
    }

    fn ask(&self, body: Vec<u8>, form: Option<&'static str>) -> Sending<'_, Result<Answer, ModelError>> {
        Box::pin(exchange::<Chat>(&*self.transport, "/chat/completions", body, form))
    }
}

fn put(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.into(), value);
    }
}

fn tool(tool: &crate::Tool) -> Value {
    let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
    json!({"type": "function", "function": function})
}

fn message(message: &Message) -> Value {
    match message {
        Message::System(text) => json!({"role": "system", "content": text}),
        Message::Person(text) | Message::Asked(text) | Message::Found { text, .. } => {
            json!({"role": "user", "content": text})
        }
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
        Message::Result { call, text, .. } => json!({"role": "tool", "tool_call_id": call, "content": text}),
    }
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Tokens>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default, deserialize_with = "crate::count")]
    prompt_tokens: u64,
    #[serde(default, deserialize_with = "crate::count")]
    completion_tokens: u64,
}

#[derive(Deserialize)]
struct Choice {
    /// A whole answer has a message, a piece of one a delta.
    #[serde(alias = "delta")]
    message: Said,
    #[serde(default)]
    finish_reason: Option<String>,
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
    index: Option<usize>,
    #[serde(default)]
    id: Option<String>,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Value,
}

/// An answer of this format, as it comes together.
#[derive(Debug, Default)]
struct Chat {
    answer: Answer,
    /// The numbers the calls of the answer came under.
    numbers: Vec<usize>,
    size: usize,
    ended: bool,
}

impl Chat {
    fn take(&mut self, completion: Completion, whole: bool) -> Result<(), ModelError> {
        if let Some(error) = completion.error {
            let words = error.get("message").and_then(Value::as_str).unwrap_or("an error without a reason");
            return Err(ModelError::Busy(200, words.chars().take(crate::MAX_SHOWN_ERROR).collect()));
        }
        if let Some(tokens) = completion.usage {
            self.answer.usage = Usage { input: tokens.prompt_tokens, output: tokens.completion_tokens };
        }
        let Some(choice) = completion.choices.into_iter().next() else { return Ok(()) };
        self.ended |= whole || choice.finish_reason.is_some();
        let words = choice.message.content.unwrap_or_default();
        self.size += words.len();
        self.answer.text.push_str(&words);
        for (place, wanted) in choice.message.tool_calls.unwrap_or_default().into_iter().enumerate() {
            // In a whole answer each is a call of its own, whatever it is numbered.
            let number = if whole { self.numbers.len() } else { wanted.index.unwrap_or(place) };
            self.call(number, wanted)?;
        }
        Ok(())
    }

    /// A call, or a further piece of its arguments.
    fn call(&mut self, index: usize, wanted: Wanted) -> Result<(), ModelError> {
        // Most servers send the arguments as a string that holds JSON, some as JSON.
        let arguments = match wanted.function.arguments {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.size += arguments.len();
        let place = self.numbers.iter().position(|known| *known == index);
        if let Some(known) = place.and_then(|place| self.answer.calls.get_mut(place)) {
            known.arguments.push_str(&arguments);
            return Ok(());
        }
        if self.answer.calls.len() == crate::MAX_CALLS {
            return Err(crate::too_many_calls());
        }
        let name = wanted.function.name.ok_or_else(|| ModelError::Garbled("a call names no tool".into()))?;
        let id = wanted.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call-{index}"));
        self.size += id.len() + name.len();
        self.numbers.push(index);
        self.answer.calls.push(ToolCall { id, name, arguments });
        Ok(())
    }
}

impl Reader for Chat {
    fn event(&mut self, data: &str) -> Result<(), ModelError> {
        if data.trim() == "[DONE]" {
            self.ended = true;
            return Ok(());
        }
        self.take(serde_json::from_str(data).map_err(|error| garbled(&error))?, false)
    }

    fn whole(&mut self, body: &[u8]) -> Result<(), ModelError> {
        let completion: Completion = serde_json::from_slice(body).map_err(|error| garbled(&error))?;
        if completion.choices.is_empty() && completion.error.is_none() {
            return Err(ModelError::Garbled("it holds no choice".into()));
        }
        self.take(completion, true)
    }

    fn size(&self) -> usize {
        self.size
    }

    fn finish(self) -> Result<Answer, ModelError> {
        checked(self.answer, self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<Answer, ModelError> {
        let mut reader = Chat::default();
        reader.whole(text.as_bytes())?;
        reader.finish()
    }

    #[test]
    fn answers_are_read_forgivingly_and_bounded() {
        let said = answer(r#"{"choices":[{"message":{"content":"hi"}}]}"#).unwrap();
        assert_eq!(said, Answer { text: "hi".into(), ..Answer::default() });
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

    #[test]
    fn streams_come_together() {
        let mut reader = Chat::default();
        for data in [
            r#"{"choices":[{"delta":{"role":"assistant","content":"Hel"}}]}"#,
            r#"{"choices":[{"delta":{"content":"lo"}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":"{\"x\""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
            "[DONE]",
        ] {
            reader.event(data).unwrap();
        }
        let answer = reader.finish().unwrap();
        assert_eq!((answer.text.as_str(), answer.usage), ("Hello", Usage { input: 7, output: 3 }));
        assert_eq!(answer.calls, [ToolCall { id: "a".into(), name: "t".into(), arguments: r#"{"x":1}"#.into() }]);
    }

    #[test]
    fn calls_are_told_apart_however_they_are_numbered() {
        let two = answer(
            r#"{"choices":[{"message":{"tool_calls":[{"index":0,"function":{"name":"a"}},{"index":0,"function":{"name":"b"}}]}}]}"#,
        );
        assert_eq!(two.unwrap().calls.len(), 2);
        let mut reader = Chat::default();
        reader
            .event(r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"name":"t","arguments":"{"}}]}}]}"#)
            .unwrap();
        reader.event(r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"}"}}]},"finish_reason":"stop"}]}"#).unwrap();
        assert_eq!(reader.finish().unwrap().calls[0].arguments, "{}");
        let odd =
            r#"{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":null,"completion_tokens":-1.5}}"#;
        assert_eq!(answer(odd).unwrap().usage, Usage::default());
        let refused = answer(r#"{"error":{"message":"no such model"}}"#);
        assert_eq!(refused, Err(ModelError::Busy(200, "no such model".into())));
    }

    #[test]
    fn a_stream_that_breaks_off_is_no_answer() {
        let mut reader = Chat::default();
        reader.event(r#"{"choices":[{"delta":{"content":"Send it to"}}]}"#).unwrap();
        assert!(matches!(reader.finish(), Err(ModelError::Unreachable(_))));
    }
}
