//! OpenAI Chat Completions, the wire format that local servers (llama.cpp, Ollama, vLLM) speak too.

use serde_json::{Value, json};

use crate::calls::Calls;
use crate::providers::Known;
use crate::think::Apart;
use crate::wire::{Exchange, Reader, checked, count, exchange, sendable, sendable_name, stop_of};
use crate::{
    Answer, Ask, Hear, MAX_ANSWER_TOKENS, Message, Model, ModelError, Sending, Stop, Thought, ToolCall, Traits,
    Transport, Usage,
};

/// Names that thoughts come under, each as a text beside the words (DeepSeek, llama.cpp and vLLM; OpenRouter and Ollama).
const THOUGHTS: [&str; 2] = ["reasoning_content", "reasoning"];
/// The name of thoughts that stood among the words.
const AMONG_WORDS: &str = "<think>";
/// The name of what Gemini wants back with a call: the signature of its thoughts.
const EXTRA: &str = "extra_content";

/// A provider that speaks Chat Completions.
pub struct OpenAiChat {
    transport: Box<dyn Transport>,
    model: String,
    known: Known,
}

impl std::fmt::Debug for OpenAiChat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAiChat").field("model", &self.model).finish_non_exhaustive()
    }
}

impl OpenAiChat {
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

impl Model for OpenAiChat {
    fn request(&self, ask: &Ask) -> Vec<u8> {
        let traits = self.known.now();
        let mut body = json!({
            "model": self.model,
            "messages": messages(&ask.messages, &traits),
            "stream": true,
        });
        put(&mut body, traits.token_field.name(), ask.max_tokens.min(MAX_ANSWER_TOKENS).into());
        if traits.temperature {
            put(&mut body, "temperature", 0.into());
        }
        if traits.stream_usage {
            put(&mut body, "stream_options", json!({"include_usage": true}));
        }
        if let Some(effort) = traits.thinking.effort() {
            put(&mut body, "reasoning_effort", effort.into());
        }
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

    fn ask<'a>(
        &'a self,
        body: Vec<u8>,
        form: Option<&'static str>,
        hear: Hear<'a>,
    ) -> Sending<'a, Result<Answer, ModelError>> {
        let transport = &*self.transport;
        let ask = Exchange { transport, path: "/chat/completions", body, form, hear, by: &self.model };
        Box::pin(exchange::<Chat>(ask))
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

fn put(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.into(), value);
    }
}

fn tool(tool: &crate::Tool) -> Value {
    let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
    json!({"type": "function", "function": function})
}

/// Returns the messages. What the system says stands in one, as many templates want it; a model that said nothing is left out,
/// and the words around it are one message then.
fn messages(messages: &[Message], traits: &Traits) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    let mut join = false;
    let name = |id: &str| if traits.nine_letters { nine_letters(id) } else { id.to_owned() };
    for message in messages {
        let (role, text) = match message {
            Message::System(text) => ("system", text),
            Message::Person(text) | Message::Noted(text) | Message::Asked(text) | Message::Found { text, .. } => {
                ("user", text)
            }
            Message::Model { text, calls, .. } if calls.is_empty() && text.trim().is_empty() => {
                join = true;
                continue;
            }
            Message::Model { text, calls, thoughts } => {
                out.push(said(text, calls, thoughts, &name));
                join = false;
                continue;
            }
            Message::Result { call, text, .. } => {
                out.push(json!({"role": "tool", "tool_call_id": name(call), "content": text}));
                join = false;
                continue;
            }
        };
        let joined = role == "system" || join;
        match out.last_mut().filter(|last| joined && last.get("role").and_then(Value::as_str) == Some(role)) {
            Some(last) => {
                let before = last.get("content").and_then(Value::as_str).unwrap_or_default();
                put(last, "content", format!("{before}\n\n{text}").into());
            }
            None => out.push(json!({"role": role, "content": text})),
        }
        join = false;
    }
    out
}

/// Returns what the model said, with its thoughts as they came.
fn said(text: &str, calls: &[ToolCall], thoughts: &[Thought], name: &dyn Fn(&str) -> String) -> Value {
    let mut content = text.to_owned();
    let mut message = json!({"role": "assistant"});
    for thought in thoughts {
        match thought.name.as_str() {
            AMONG_WORDS => {
                let thought = thought.raw.as_str().unwrap_or_default();
                content = format!("<think>{thought}</think>\n\n{content}");
            }
            EXTRA => {}
            other => put(&mut message, other, thought.raw.clone()),
        }
    }
    let content = if content.trim().is_empty() { Value::Null } else { content.into() };
    put(&mut message, "content", content);
    if !calls.is_empty() {
        let calls = calls.iter().enumerate().map(|(place, call)| {
            let function = json!({"name": sendable_name(call), "arguments": sendable(call)});
            let mut wanted = json!({"id": name(&call.id), "type": "function", "function": function});
            if let Some(extra) = thoughts.iter().find(|thought| thought.name == EXTRA && thought.at == place + 1) {
                put(&mut wanted, EXTRA, extra.raw.clone());
            }
            wanted
        });
        let calls: Vec<Value> = calls.collect();
        put(&mut message, "tool_calls", calls.into());
    }
    message
}

/// Returns a call's name as Mistral takes it: nine letters and digits, the same for the same name.
fn nine_letters(id: &str) -> String {
    if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    // FNV-1a, 64 bits: it has to tell a few dozen names apart.
    let mut hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut out = String::new();
    for _ in 0..9 {
        out.push(char::from_digit(u32::try_from(hash % 36).unwrap_or(0), 36).unwrap_or('0'));
        hash /= 36;
    }
    out
}

/// An answer of this format, as it comes together.
#[derive(Debug, Default)]
struct Chat {
    apart: Apart,
    calls: Calls,
    /// Thoughts that came beside the words, and what they were called.
    thoughts: Option<(&'static str, String)>,
    refused: bool,
    stop: Stop,
    usage: Usage,
    size: usize,
    gaps: usize,
    ended: bool,
    chosen: bool,
}

impl Chat {
    fn take(&mut self, completion: &Value, whole: bool) -> Result<(), ModelError> {
        if completion.is_null() {
            self.gaps += 1;
            return Ok(());
        }
        if let Some(tokens) = completion.get("usage").filter(|usage| usage.is_object()) {
            let (input, output) = (count(tokens, &["prompt_tokens"]), count(tokens, &["completion_tokens"]));
            self.usage = Usage { input: self.usage.input.max(input), output: self.usage.output.max(output) };
        }
        let choices = completion.get("choices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // Only one was asked for: what another says is not the answer.
        let first = |choice: &&Value| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0;
        let Some(choice) = choices.iter().find(first) else { return Ok(()) };
        self.chosen = true;
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str).filter(|reason| !reason.is_empty()) {
            if reason.eq_ignore_ascii_case("error") {
                return Err(ModelError::Busy { status: 200, why: "its answer ended in an error".into(), after: None });
            }
            (self.ended, self.stop) = (true, stop_of(reason));
        }
        self.ended |= whole;
        let object = |name: &str| choice.get(name).filter(|said| said.is_object());
        let said = match object("delta") {
            Some(delta) => Some((delta, whole)),
            // Some proxies end a stream with all of it once more.
            None => object("message").filter(|_| whole || !self.has_some()).map(|message| (message, true)),
        };
        match said {
            Some((said, whole)) => self.said(said, whole),
            None => {
                self.content(choice.get("text").unwrap_or(&Value::Null));
                Ok(())
            }
        }
    }

    fn has_some(&self) -> bool {
        self.size > 0 || !self.calls.is_empty()
    }

    fn said(&mut self, said: &Value, whole: bool) -> Result<(), ModelError> {
        let named = THOUGHTS.iter().find_map(|name| Some((*name, said.get(*name)?.as_str()?)));
        if let Some((name, text)) = named {
            self.thought(name, text);
        }
        self.content(said.get("content").unwrap_or(&Value::Null));
        if let Some(words) = said.get("refusal").and_then(Value::as_str).filter(|words| !words.is_empty()) {
            self.refused = true;
            self.words(words);
        }
        match said.get("tool_calls") {
            Some(Value::Array(pieces)) => self.calls.take(pieces, whole)?,
            Some(piece @ Value::Object(_)) => self.calls.take(std::slice::from_ref(piece), whole)?,
            _ => {}
        }
        match said.get("function_call").filter(|call| call.is_object()) {
            Some(call) => self.calls.take(&[json!({"index": 0, "function": call})], whole),
            None => Ok(()),
        }
    }

    /// Reads words as a text, or in parts.
    fn content(&mut self, content: &Value) {
        match content {
            Value::String(text) => self.words(text),
            Value::Array(parts) => parts.iter().for_each(|part| self.content(part)),
            Value::Object(part) => match part.get("type").and_then(Value::as_str) {
                Some("thinking" | "reasoning") => {
                    let inner = ["thinking", "text", "reasoning"].into_iter().find_map(|name| part.get(name));
                    let text = inner.map(flat).unwrap_or_default();
                    self.thought("", &text);
                }
                Some("refusal") => {
                    self.refused = true;
                    self.words(part.get("refusal").and_then(Value::as_str).unwrap_or_default());
                }
                _ => self.content(part.get("text").unwrap_or(&Value::Null)),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn words(&mut self, text: &str) {
        self.size += text.len();
        self.apart.push(text);
    }

    fn thought(&mut self, name: &'static str, text: &str) {
        if !text.is_empty() {
            self.size += text.len();
            self.thoughts.get_or_insert_with(|| (name, String::new())).1.push_str(text);
        }
    }
}

/// Returns the texts in a part of an answer.
fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(flat).collect(),
        Value::Object(part) => part.get("text").map(flat).unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

impl Reader for Chat {
    fn event(&mut self, data: &Value) -> Result<(), ModelError> {
        self.take(data, false)
    }

    fn whole(&mut self, body: &Value) -> Result<(), ModelError> {
        self.take(body, true)?;
        if self.chosen { Ok(()) } else { Err(ModelError::Garbled("it holds no choice".into())) }
    }

    fn done(&mut self) {
        self.ended = true;
    }

    fn size(&self) -> usize {
        self.size + self.calls.size
    }

    fn words(&self) -> &str {
        &self.apart.words
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn finish(self, by: &str) -> Result<Answer, ModelError> {
        let (text, among) = self.apart.finish(self.stop == Stop::Ended);
        let (calls, extras) = self.calls.finish()?;
        let thought = |at, name: &str, raw| Thought { at, by: by.to_owned(), name: name.to_owned(), raw };
        let mut thoughts = Vec::new();
        // Thoughts that came in parts are kept apart from the words, and not given back: no server wants them so.
        thoughts.extend(
            self.thoughts.filter(|(name, _)| !name.is_empty()).map(|(name, text)| thought(0, name, text.into())),
        );
        if !among.is_empty() {
            thoughts.push(thought(0, AMONG_WORDS, among.into()));
        }
        thoughts.extend(extras.into_iter().map(|(place, extra)| thought(place + 1, EXTRA, extra)));
        let stop = if self.refused { Stop::Refused } else { self.stop };
        checked(Answer { text, calls, thoughts, stop, usage: self.usage }, self.ended, self.gaps)
    }
}
