//! Anthropic Messages (API version 2023-06-01); llama.cpp's server speaks it too.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Answer, Ask, MAX_ANSWER_TOKENS, Message, Model, ModelError, Reader, Sending, ToolCall, Transport, checked,
    exchange, garbled,
};

/// A provider that speaks Anthropic Messages.
pub struct AnthropicMessages {
    transport: Box<dyn Transport>,
    model: String,
}

impl std::fmt::Debug for AnthropicMessages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnthropicMessages").field("model", &self.model).finish_non_exhaustive()
    }
}

impl AnthropicMessages {
    /// A named model behind a transport.
    #[must_use]
    pub fn new(transport: Box<dyn Transport>, model: String) -> Self {
        Self { transport, model }
    }
}

impl Model for AnthropicMessages {
    fn request(&self, ask: &Ask) -> Vec<u8> {
        let system: Vec<&str> = ask
            .messages
            .iter()
            .filter_map(|message| if let Message::System(text) = message { Some(text.as_str()) } else { None })
            .collect();
        let mut tools: Vec<Value> = ask
            .tools
            .iter()
            .map(|tool| json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters}))
            .collect();
        let mut body = serde_json::Map::new();
        body.insert("model".into(), self.model.clone().into());
        body.insert("max_tokens".into(), ask.max_tokens.min(MAX_ANSWER_TOKENS).into());
        body.insert("temperature".into(), 0.into());
        body.insert("stream".into(), true.into());
        body.insert("system".into(), system.join("\n\n").into());
        body.insert("messages".into(), turns(&ask.messages).into());
        if let Some(shape) = &ask.shape {
            // A form is a tool that has to be called; its arguments are the answer.
            tools
                .push(json!({"name": shape.name, "description": "Answer in this form.", "input_schema": shape.schema}));
            body.insert("tool_choice".into(), json!({"type": "tool", "name": shape.name}));
        }
        if !tools.is_empty() {
            body.insert("tools".into(), tools.into());
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn ask(&self, body: Vec<u8>, form: Option<&'static str>) -> Sending<'_, Result<Answer, ModelError>> {
        Box::pin(exchange::<Blocks>(&*self.transport, "/messages", body, form))
    }
}

/// The messages as blocks; neighbours of one role become one message, as the format wants them to alternate.
fn turns(messages: &[Message]) -> Vec<Value> {
    let mut out: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in messages {
        let (role, blocks) = match message {
            Message::System(_) => continue,
            Message::Person(text) | Message::Asked(text) | Message::Found { text, .. } => ("user", vec![words(text)]),
            Message::Model { text, calls } => {
                let mut blocks: Vec<Value> = if text.is_empty() { Vec::new() } else { vec![words(text)] };
                blocks.extend(calls.iter().map(|call| {
                    let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
                    json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
                }));
                ("assistant", blocks)
            }
            Message::Result { call, text, .. } => {
                ("user", vec![json!({"type": "tool_result", "tool_use_id": call, "content": text})])
            }
        };
        match out.last_mut() {
            Some((last, known)) if *last == role => known.extend(blocks),
            _ => out.push((role, blocks)),
        }
    }
    out.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect()
}

fn words(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    MessageDelta {
        #[serde(default)]
        usage: Option<Tokens>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Start {
    #[serde(default)]
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default, deserialize_with = "crate::count")]
    input_tokens: u64,
    #[serde(default, deserialize_with = "crate::count")]
    output_tokens: u64,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Json { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Whole {
    content: Vec<Block>,
    #[serde(default)]
    usage: Option<Tokens>,
}

/// An answer of this format, as it comes together.
#[derive(Debug, Default)]
struct Blocks {
    answer: Answer,
    size: usize,
    ended: bool,
}

impl Blocks {
    fn block(&mut self, block: Block, whole: bool) {
        match block {
            Block::Text { text } => self.words(&text),
            Block::ToolUse { id, name, input } => {
                // In a stream the arguments follow in pieces, after an empty object.
                let arguments = if whole { input.to_string() } else { String::new() };
                self.size += arguments.len() + name.len();
                self.answer.calls.push(ToolCall { id, name, arguments });
            }
            Block::Other => {}
        }
    }

    fn words(&mut self, text: &str) {
        self.size += text.len();
        self.answer.text.push_str(text);
    }

    fn tokens(&mut self, tokens: Option<Tokens>) {
        if let Some(Tokens { input_tokens, output_tokens }) = tokens {
            self.answer.usage.input = self.answer.usage.input.max(input_tokens);
            self.answer.usage.output = self.answer.usage.output.max(output_tokens);
        }
    }
}

impl Reader for Blocks {
    fn event(&mut self, data: &str) -> Result<(), ModelError> {
        match serde_json::from_str(data).map_err(|error| garbled(&error))? {
            Event::MessageStart { message } => self.tokens(message.usage),
            Event::ContentBlockStart { content_block } => self.block(content_block, false),
            Event::ContentBlockDelta { delta: Delta::Text { text } } => self.words(&text),
            Event::ContentBlockDelta { delta: Delta::Json { partial_json } } => {
                self.size += partial_json.len();
                let call = self.answer.calls.last_mut();
                let call = call.ok_or_else(|| ModelError::Garbled("arguments without a call".into()))?;
                call.arguments.push_str(&partial_json);
            }
            Event::MessageDelta { usage } => self.tokens(usage),
            Event::MessageStop => self.ended = true,
            Event::Error { error } => {
                let words = error.get("message").and_then(Value::as_str).unwrap_or("an error without a reason");
                return Err(ModelError::Busy(200, words.chars().take(crate::MAX_SHOWN_ERROR).collect()));
            }
            Event::ContentBlockDelta { delta: Delta::Other } | Event::Other => {}
        }
        Ok(())
    }

    fn whole(&mut self, body: &[u8]) -> Result<(), ModelError> {
        let Whole { content, usage } = serde_json::from_slice(body).map_err(|error| garbled(&error))?;
        content.into_iter().for_each(|block| self.block(block, true));
        self.tokens(usage);
        self.ended = true;
        Ok(())
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
    use crate::Usage;

    #[test]
    fn streams_come_together() {
        let mut reader = Blocks::default();
        for data in [
            r#"{"type":"message_start","message":{"usage":{"input_tokens":9,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"t","input":{}}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"x\""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":":1}"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":12}}"#,
            r#"{"type":"message_stop"}"#,
        ] {
            reader.event(data).unwrap();
        }
        let answer = reader.finish().unwrap();
        assert_eq!((answer.text.as_str(), answer.usage), ("Hi", Usage { input: 9, output: 12 }));
        assert_eq!(answer.calls, [ToolCall { id: "a".into(), name: "t".into(), arguments: r#"{"x":1}"#.into() }]);
    }

    #[test]
    fn errors_in_the_stream_and_broken_streams_are_no_answers() {
        let mut reader = Blocks::default();
        let overloaded = reader.event(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
        assert_eq!(overloaded, Err(ModelError::Busy(200, "Overloaded".into())));
        assert!(matches!(Blocks::default().finish(), Err(ModelError::Unreachable(_))));
        assert!(Blocks::default().event("{").is_err());
        assert!(
            Blocks::default()
                .event(r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"x"}}"#)
                .is_err()
        );
    }

    #[test]
    fn neighbours_of_one_role_become_one_message() {
        let result = |call: &str| Message::Result { call: call.into(), tool: "t".into(), text: "r".into() };
        let call = ToolCall { id: "a".into(), name: "t".into(), arguments: "no json".into() };
        let turns = turns(&[
            Message::System("s".into()),
            Message::Person("p".into()),
            Message::Asked("q".into()),
            Message::Model { text: String::new(), calls: vec![call] },
            result("a"),
            result("b"),
        ]);
        let roles: Vec<_> = turns.iter().map(|turn| turn["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["user", "assistant", "user"]);
        assert_eq!(turns[2]["content"].as_array().unwrap().len(), 2);
    }
}
