//! Talking to model providers: what goes out, what comes back, and nothing about what it means.
//!
//! Invariant of absence: no credential and no network. Requests go through a [`Transport`] that the home authorises; what
//! a request holds passes the [`tap`] first, so that it can be looked at, and secrets stay here.

mod anthropic;
mod chat;
mod screen;
mod sse;
pub mod tap;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use anthropic::AnthropicMessages;
pub use chat::OpenAiChat;

/// Most tokens asked for in one answer. Enough for a long mail; a model that runs on is cut off here.
pub const MAX_ANSWER_TOKENS: u32 = 2_048;
/// Most tool calls taken from one answer.
pub const MAX_CALLS: usize = 16;
/// Largest answer taken, in bytes of words and arguments: what [`MAX_ANSWER_TOKENS`] come to, many times over.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// Largest stream taken, in bytes: each token comes in an envelope of a few hundred.
const MAX_STREAM_BYTES: usize = 16 * 1024 * 1024;
/// Longest provider message shown to the person, in characters.
const MAX_SHOWN_ERROR: usize = 300;

/// A tool as the model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A tool call a model wants. Nothing in it is to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's name for the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them; perhaps not JSON.
    pub arguments: String,
}

/// One piece of a conversation. Who wrote it is part of it: the tap labels it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// How the agent is to behave, in our words.
    System(String),
    /// The person's words.
    Person(String),
    /// Our words about the next step.
    Asked(String),
    /// What the model said and wanted.
    Model {
        /// Words.
        text: String,
        /// Calls.
        calls: Vec<ToolCall>,
    },
    /// What a call came to: other people's words.
    Result {
        /// Which call.
        call: String,
        /// The tool that was called.
        tool: String,
        /// The result, in words.
        text: String,
    },
    /// Other people's words, outside of a call.
    Found {
        /// Where they come from.
        source: String,
        /// The words.
        text: String,
    },
}

/// A form the answer has to have: JSON by a schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// A name for it: letters, digits and underscores.
    pub name: &'static str,
    /// JSON schema.
    pub schema: Value,
}

/// What a model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The conversation.
    pub messages: Vec<Message>,
    /// Tools it may call.
    pub tools: Vec<Tool>,
    /// The form of the answer, where words will not do.
    pub shape: Option<Shape>,
    /// Most tokens of the answer, at most [`MAX_ANSWER_TOKENS`].
    pub max_tokens: u32,
}

/// What an answer took, in tokens as the provider counts them; zero where it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Read by the model.
    pub input: u64,
    /// Written by it.
    pub output: u64,
}

impl Usage {
    /// Both together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Words; where a shape was asked for, its JSON.
    pub text: String,
    /// Calls, at most [`MAX_CALLS`].
    pub calls: Vec<ToolCall>,
    /// What it took.
    pub usage: Usage,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelError {
    /// The provider could not be reached, or the connection broke.
    Unreachable(String),
    /// The provider refused for now: status and words. Worth another try.
    Busy(u16, String),
    /// The provider refused: status and words.
    Refused(u16, String),
    /// What came back is not an answer.
    Garbled(String),
    /// The person has not agreed to this provider.
    NotAgreed(String),
    /// Everything is paused.
    Paused,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(
                f,
                "the model cannot be reached: {why}; check that it runs and that its address in the configuration is right"
            ),
            Self::Busy(status, why) => {
                write!(f, "the model's provider has no room now (status {status}): {why}; give the task again later")
            }
            Self::Refused(status @ (401 | 403), why) => write!(
                f,
                "the model's provider did not let us in (status {status}): {why}; give it your key with `bailey connect model`"
            ),
            Self::Refused(status, why) => write!(f, "the model's provider answered with status {status}: {why}"),
            Self::Garbled(why) => write!(
                f,
                "the model's answer makes no sense: {why}; check that `kind` and `base_url` in the configuration fit the server, and give the task again"
            ),
            Self::NotAgreed(base) => write!(
                f,
                "the model at `{base}` is another's machine, and you have not agreed to its terms; run `bailey connect model`"
            ),
            Self::Paused => f.write_str("everything is paused; the model was not asked"),
        }
    }
}

impl std::error::Error for ModelError {}

/// A future that can be sent between threads.
pub type Sending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A body as it arrives.
pub trait Body: Send {
    /// The next bytes; `None` at the end.
    fn chunk(&mut self) -> Sending<'_, Result<Option<Vec<u8>>, ModelError>>;
}

/// An HTTP answer whose body is still arriving.
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Whether the body is a stream of events rather than one JSON text.
    pub events: bool,
    /// The body.
    pub body: Box<dyn Body>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("events", &self.events).finish_non_exhaustive()
    }
}

/// An authorised way to one provider. The home supplies it, with the credential in it.
pub trait Transport: Send + Sync {
    /// Posts JSON to a path below the provider's base URL.
    fn post(&self, path: &'static str, body: Vec<u8>) -> Sending<'_, Result<Response, ModelError>>;
}

/// A provider of models.
pub trait Model: Send + Sync {
    /// The exact body of a request; what is kept for the person to look at, and what is sent.
    fn request(&self, ask: &Ask) -> Vec<u8>;
    /// Sends such a body and reads the answer; `form` is the name of the shape it asks for, where it asks for one.
    fn ask(&self, body: Vec<u8>, form: Option<&'static str>) -> Sending<'_, Result<Answer, ModelError>>;
}

/// What reads one wire format's answers, piece by piece.
trait Reader: Default + Send {
    /// Takes one event of a stream.
    fn event(&mut self, data: &str) -> Result<(), ModelError>;
    /// Takes a whole answer that did not come as a stream.
    fn whole(&mut self, body: &[u8]) -> Result<(), ModelError>;
    /// The words, arguments and calls so far, in bytes: what [`MAX_ANSWER_BYTES`] bounds.
    fn size(&self) -> usize;
    /// The answer.
    fn finish(self) -> Result<Answer, ModelError>;
}

/// Posts a body and reads the answer; where a form was asked for, its words are that form's JSON.
async fn exchange<R: Reader>(
    transport: &dyn Transport,
    path: &'static str,
    body: Vec<u8>,
    form: Option<&'static str>,
) -> Result<Answer, ModelError> {
    let mut answer = arriving::<R>(transport, path, body).await?;
    if let Some(form) = form {
        // Some formats have it called like a tool: its arguments are the answer.
        answer.text = match answer.calls.iter().position(|call| call.name == form) {
            Some(at) => answer.calls.remove(at).arguments,
            None => formed(&answer.text, form),
        };
    }
    Ok(answer)
}

/// Posts a body and reads the answer as it arrives; stops at every limit.
async fn arriving<R: Reader>(
    transport: &dyn Transport,
    path: &'static str,
    body: Vec<u8>,
) -> Result<Answer, ModelError> {
    let mut response = transport.post(path, body).await?;
    if response.status != 200 {
        let body = whole(&mut *response.body).await.unwrap_or_default();
        let words = error_words(&body);
        return Err(match response.status {
            408 | 409 | 425 | 429 | 500..=599 => ModelError::Busy(response.status, words),
            status => ModelError::Refused(status, words),
        });
    }
    let mut reader = R::default();
    if !response.events {
        reader.whole(&whole(&mut *response.body).await?)?;
        if reader.size() > MAX_ANSWER_BYTES {
            return Err(ModelError::Garbled("it is far longer than was asked for".into()));
        }
        return reader.finish();
    }
    let (mut lines, mut taken) = (sse::Events::default(), 0);
    while let Some(chunk) = response.body.chunk().await? {
        taken += chunk.len();
        for data in lines.push(&chunk)? {
            reader.event(&data)?;
        }
        if taken > MAX_STREAM_BYTES || reader.size() > MAX_ANSWER_BYTES {
            return Err(ModelError::Garbled("it does not end".into()));
        }
    }
    reader.finish()
}

async fn whole(body: &mut dyn Body) -> Result<Vec<u8>, ModelError> {
    let mut out = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        out.extend(chunk);
        if out.len() > MAX_STREAM_BYTES {
            return Err(ModelError::Garbled("it does not end".into()));
        }
    }
    Ok(out)
}

/// The answer to a question that had a form: servers that do not hold a model to it leave the JSON among words, in a fence,
/// or as a call written out.
fn formed(text: &str, shape: &str) -> String {
    let objects = text.match_indices('{').filter_map(|(at, _)| {
        let rest = text.get(at..)?;
        let value = serde_json::Deserializer::from_str(rest).into_iter::<Value>().next()?.ok()?;
        value.is_object().then_some(value)
    });
    let Some(found) = objects.take(1).next() else { return text.to_owned() };
    let called = found.get("name").and_then(Value::as_str) == Some(shape);
    match found.get("arguments") {
        Some(arguments) if called => arguments.to_string(),
        Some(_) | None => found.to_string(),
    }
}

fn error_words(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = value.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
    words.chars().take(MAX_SHOWN_ERROR).collect()
}

/// A count of tokens, however it was written: only shown and added up, so what makes no sense counts as nothing.
fn count<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    Ok(Value::deserialize(from)?.as_u64().unwrap_or(0))
}

fn garbled(error: &serde_json::Error) -> ModelError {
    ModelError::Garbled(error.to_string())
}

/// Checks what a reader has put together.
fn checked(answer: Answer, ended: bool) -> Result<Answer, ModelError> {
    if !ended {
        return Err(ModelError::Unreachable("its answer broke off".into()));
    }
    if answer.calls.len() > MAX_CALLS {
        return Err(too_many_calls());
    }
    Ok(answer)
}

fn too_many_calls() -> ModelError {
    ModelError::Garbled(format!("it wants more than {MAX_CALLS} calls at once"))
}

#[cfg(test)]
mod tests {
    use super::formed;

    #[test]
    fn a_form_is_found_among_words() {
        for text in [
            r#"{"kind":"bill"}"#,
            "```json\n{\"kind\": \"bill\"}\n```",
            "Sure: {\"kind\":\"bill\"} as you asked",
            r#"{{"name": "kind", "arguments": {"kind": "bill"}}}"#,
        ] {
            assert_eq!(formed(text, "kind"), r#"{"kind":"bill"}"#, "{text}");
        }
        for none in ["", "no form", "{", "[1]"] {
            assert_eq!(formed(none, "kind"), none);
        }
    }
}
