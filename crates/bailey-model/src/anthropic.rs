//! Anthropic Messages (API version 2023-06-01); llama.cpp's server speaks it too.

use serde_json::{Map, Value, json};

use crate::calls::named;
use crate::providers::Known;
use crate::wire::{Exchange, Reader, checked, count, exchange, sendable, sendable_name, stop_of};
use crate::{
    Answer, Ask, Hear, MAX_ANSWER_TOKENS, Message, Model, ModelError, Sending, Stop, Thought, ToolCall, Traits,
    Transport, Usage,
};

/// A provider that speaks Anthropic Messages.
pub struct AnthropicMessages {
    transport: Box<dyn Transport>,
    model: String,
    known: Known,
}

impl std::fmt::Debug for AnthropicMessages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnthropicMessages").field("model", &self.model).finish_non_exhaustive()
    }
}

impl AnthropicMessages {
    /// Returns a named model behind a transport, of which nothing is known.
    #[must_use]
    pub fn new(transport: Box<dyn Transport>, model: String) -> Self {
        Self::with(transport, model, Traits::default())
    }

    /// Returns the same, with what is known of it.
    #[must_use]
    pub const fn with(transport: Box<dyn Transport>, model: String, traits: Traits) -> Self {
        Self { transport, model, known: Known::new(traits) }
    }
}

impl Model for AnthropicMessages {
    fn request(&self, ask: &Ask) -> Vec<u8> {
        let traits = self.known.now();
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
        let mut messages = turns(&ask.messages);
        let mut body = Map::new();
        body.insert("model".into(), self.model.clone().into());
        let mut tokens = ask.max_tokens.min(MAX_ANSWER_TOKENS);
        // A form is a call that has to be made, which goes with no thinking.
        match traits.thinking.budget().filter(|_| ask.shape.is_none()) {
            Some(budget) => {
                tokens = tokens.saturating_add(budget).min(MAX_ANSWER_TOKENS);
                body.insert("thinking".into(), json!({"type": "enabled", "budget_tokens": budget}));
            }
            None if traits.temperature => {
                body.insert("temperature".into(), 0.into());
            }
            None => {}
        }
        body.insert("max_tokens".into(), tokens.into());
        body.insert("stream".into(), true.into());
        if traits.cache_marks {
            mark(messages.last_mut().and_then(|last| last.get_mut("content")?.as_array_mut()?.last_mut()));
            let mut blocks: Vec<Value> = system.iter().map(|text| words(text)).collect();
            // The first is the same in every task.
            mark(blocks.first_mut());
            if !blocks.is_empty() {
                body.insert("system".into(), blocks.into());
            }
        } else if !system.is_empty() {
            body.insert("system".into(), system.join("\n\n").into());
        }
        body.insert("messages".into(), messages.into());
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

    fn ask<'a>(
        &'a self,
        body: Vec<u8>,
        form: Option<&'static str>,
        hear: Hear<'a>,
    ) -> Sending<'a, Result<Answer, ModelError>> {
        let transport = &*self.transport;
        let ask = Exchange { transport, path: "/messages", body, form, hear, by: &self.model };
        Box::pin(exchange::<Blocks>(ask))
    }

    fn traits(&self) -> Traits {
        self.known.now()
    }

    fn name(&self) -> &str {
        &self.model
    }

    fn learn(&self, refused: &ModelError) -> bool {
        self.known.learn(refused)
    }
}

/// Marks where what may be cached ends.
fn mark(block: Option<&mut Value>) {
    if let Some(fields) = block.and_then(Value::as_object_mut) {
        fields.insert("cache_control".into(), json!({"type": "ephemeral"}));
    }
}

/// Returns the messages as blocks; neighbours of one role become one message, as the format wants them to alternate. A blank
/// text is no block, and a message without blocks is none: the format refuses both, and would again each time.
fn turns(messages: &[Message]) -> Vec<Value> {
    let mut out: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in messages {
        let (role, blocks) = match message {
            Message::System(_) => continue,
            Message::Person(text) | Message::Noted(text) | Message::Asked(text) | Message::Found { text, .. } => {
                ("user", text_block(text))
            }
            Message::Model { text, calls, thoughts } => ("assistant", said(text, calls, thoughts)),
            Message::Result { call, text, .. } => {
                ("user", vec![json!({"type": "tool_result", "tool_use_id": id_of(call), "content": text})])
            }
        };
        match out.last_mut() {
            _ if blocks.is_empty() => {}
            Some((last, known)) if *last == role => known.extend(blocks),
            _ => out.push((role, blocks)),
        }
    }
    out.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect()
}

/// Returns what the model said, its thoughts unchanged where they stood.
fn said(text: &str, calls: &[ToolCall], thoughts: &[Thought]) -> Vec<Value> {
    let thought =
        |at: usize| thoughts.iter().filter(move |thought| thought.at == at).map(|thought| thought.raw.clone());
    let mut blocks: Vec<Value> = thought(0).collect();
    blocks.extend(text_block(text));
    blocks.extend(thought(1));
    for (place, call) in calls.iter().enumerate() {
        let input: Value = serde_json::from_str(&sendable(call)).unwrap_or_else(|_| json!({}));
        blocks.push(json!({"type": "tool_use", "id": id_of(&call.id), "name": sendable_name(call), "input": input}));
        blocks.extend(thought(place + 2));
    }
    // Thoughts alone are no message that may be sent back.
    if text.trim().is_empty() && calls.is_empty() { Vec::new() } else { blocks }
}

/// Returns a call's name as the format takes it: letters, digits, `_` and `-`.
fn id_of(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
}

fn text_block(text: &str) -> Vec<Value> {
    if text.trim().is_empty() { Vec::new() } else { vec![words(text)] }
}

fn words(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// A block of an answer, as it comes together.
#[derive(Debug)]
enum Block {
    Text(String),
    Call {
        id: String,
        name: String,
        /// As it stood at the beginning.
        input: Value,
        /// As it came in pieces.
        json: String,
    },
    /// Given back as it came.
    Thought(Map<String, Value>),
    Other,
}

/// An answer of this format, as it comes together.
#[derive(Debug, Default)]
struct Blocks {
    /// By the index the stream gives them, in the order they began.
    blocks: Vec<(Option<u64>, Block)>,
    said: String,
    stop: Stop,
    usage: Usage,
    size: usize,
    gaps: usize,
    ended: bool,
}

fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Blocks {
    fn begin(&mut self, index: Option<u64>, block: &Value) {
        let made = match text_of(block, "type") {
            "text" => {
                let text = text_of(block, "text").to_owned();
                self.said.push_str(&text);
                Block::Text(text)
            }
            "tool_use" => Block::Call {
                id: text_of(block, "id").to_owned(),
                name: text_of(block, "name").to_owned(),
                input: block.get("input").cloned().unwrap_or(Value::Null),
                json: String::new(),
            },
            "thinking" | "redacted_thinking" => Block::Thought(block.as_object().cloned().unwrap_or_default()),
            _ => Block::Other,
        };
        self.size += match made {
            Block::Other => 0,
            _ => block.to_string().len(),
        };
        if self.blocks.len() <= MAX_BLOCKS {
            self.blocks.push((index, made));
        }
    }

    /// Returns the block that a piece belongs to: that of its index, or the last where it has none.
    fn meant(&mut self, index: Option<u64>) -> Option<&mut Block> {
        let at = match index {
            Some(_) => self.blocks.iter().rposition(|(known, _)| *known == index)?,
            None => self.blocks.len().checked_sub(1)?,
        };
        self.blocks.get_mut(at).map(|(_, block)| block)
    }

    fn piece(&mut self, index: Option<u64>, delta: &Value) -> Result<(), ModelError> {
        let kind = text_of(delta, "type");
        let name = match kind {
            "text_delta" => "text",
            "input_json_delta" => "partial_json",
            "thinking_delta" => "thinking",
            "signature_delta" => "signature",
            _ => return Ok(()),
        };
        let text = text_of(delta, name);
        self.size += text.len();
        if kind == "text_delta" {
            self.said.push_str(text);
        }
        match (self.meant(index), name) {
            (Some(Block::Text(known)), "text") => known.push_str(text),
            (Some(Block::Call { json, .. }), "partial_json") => json.push_str(text),
            (Some(Block::Thought(fields)), "thinking" | "signature") => {
                let before = fields.get(name).and_then(Value::as_str).unwrap_or_default();
                let joined = format!("{before}{text}");
                fields.insert(name.into(), joined.into());
            }
            // Words of a block that never began are words all the same; arguments of a call that is not known are nobody's.
            (_, "text") => self.blocks.push((index, Block::Text(text.to_owned()))),
            (_, "partial_json") if !text.is_empty() => {
                return Err(ModelError::Garbled("arguments without a call".into()));
            }
            _ => {}
        }
        Ok(())
    }

    fn tokens(&mut self, usage: Option<&Value>) {
        let Some(usage) = usage.filter(|usage| usage.is_object()) else { return };
        // What was read from the cache, or written to it, was read by the model like the rest.
        let read = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
        self.usage.input = self.usage.input.max(count(usage, &read));
        self.usage.output = self.usage.output.max(count(usage, &["output_tokens"]));
    }

    fn stopped(&mut self, reason: Option<&Value>) {
        if let Some(reason) = reason.and_then(Value::as_str) {
            (self.ended, self.stop) = (true, stop_of(reason));
        }
    }
}

/// Most blocks taken of an answer.
const MAX_BLOCKS: usize = 1_024;

impl Reader for Blocks {
    fn event(&mut self, data: &Value) -> Result<(), ModelError> {
        let index = data.get("index").and_then(Value::as_u64);
        match text_of(data, "type") {
            _ if data.is_null() => self.gaps += 1,
            "message_start" => self.tokens(data.pointer("/message/usage")),
            "content_block_start" => self.begin(index, data.get("content_block").unwrap_or(&Value::Null)),
            "content_block_delta" => return self.piece(index, data.get("delta").unwrap_or(&Value::Null)),
            "message_delta" => {
                self.tokens(data.get("usage"));
                self.stopped(data.pointer("/delta/stop_reason"));
            }
            "message_stop" => self.ended = true,
            // A whole answer, in a stream of one event.
            "message" => return self.whole(data),
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, body: &Value) -> Result<(), ModelError> {
        match body.get("content") {
            Some(Value::Array(blocks)) => blocks.iter().for_each(|block| self.begin(None, block)),
            Some(Value::String(text)) => self.begin(None, &words(text)),
            _ => return Err(ModelError::Garbled("it holds no content".into())),
        }
        self.tokens(body.get("usage"));
        self.stopped(body.get("stop_reason"));
        self.ended = true;
        Ok(())
    }

    fn done(&mut self) {
        self.ended = true;
    }

    fn size(&self) -> usize {
        self.size
    }

    fn words(&self) -> &str {
        &self.said
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn finish(self, by: &str) -> Result<Answer, ModelError> {
        let mut answer = Answer { stop: self.stop, usage: self.usage, ..Answer::default() };
        for (_, block) in self.blocks {
            match block {
                Block::Text(text) => answer.text.push_str(&text),
                Block::Call { id, name, input, json } => {
                    // In a stream the arguments follow in pieces, after an empty object.
                    let whole = json.is_empty() && input.as_object().is_some_and(|input| !input.is_empty());
                    let text = input.as_str().filter(|_| json.is_empty()).map(str::to_owned);
                    let arguments = if whole { input.to_string() } else { text.unwrap_or(json) };
                    let arguments = if arguments.is_empty() { "{}".into() } else { arguments };
                    let place = answer.calls.len();
                    let taken = id.is_empty() || answer.calls.iter().any(|call| call.id == id);
                    let id = if taken { format!("call-{place}") } else { id };
                    answer.calls.push(ToolCall { id, name: named(name), arguments });
                }
                Block::Thought(raw) => {
                    let silent = answer.text.trim().is_empty() && answer.calls.is_empty();
                    let at = if silent { 0 } else { answer.calls.len() + 1 };
                    let name = raw.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
                    answer.thoughts.push(Thought { at, by: by.to_owned(), name, raw: raw.into() });
                }
                Block::Other => {}
            }
        }
        checked(answer, self.ended, self.gaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shown;

    #[test]
    fn neighbours_of_one_role_become_one_message() {
        let result = |call: &str| Message::Result {
            call: call.into(),
            tool: "t".into(),
            text: "r".into(),
            shown: Shown::default(),
        };
        let call = ToolCall { id: "a:1".into(), name: "t".into(), arguments: "no json".into() };
        let said = |text: &str, calls| Message::Model { text: text.into(), calls, thoughts: Vec::new() };
        let turns = turns(&[
            Message::System("s".into()),
            Message::Person("p".into()),
            said(" \n", Vec::new()),
            Message::Asked("q".into()),
            said("", vec![call]),
            result("a:1"),
            result("b"),
        ]);
        let roles: Vec<_> = turns.iter().map(|turn| turn["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["user", "assistant", "user"]);
        assert_eq!(turns[2]["content"].as_array().unwrap().len(), 2);
        assert_eq!((&turns[1]["content"][0]["id"], &turns[1]["content"][0]["input"]), (&json!("a_1"), &json!({})));
    }
}
