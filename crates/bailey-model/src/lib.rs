//! Talking to model providers: what goes out, what comes back, and nothing about what it means.
//!
//! Invariant of absence: no credential and no network. Requests go through a [`Transport`] that the home authorises; what
//! a request holds passes the [`tap`] first, so that it can be looked at, and secrets stay here.

mod anthropic;
mod calls;
mod chat;
mod errors;
mod fit;
mod providers;
mod screen;
mod sse;
pub mod tap;
mod think;
mod wire;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use anthropic::AnthropicMessages;
pub use chat::OpenAiChat;
pub use fit::READ_ON;
pub use providers::{LOCAL_SERVERS, LocalServer, Thinking, TokenField, Traits};
pub use screen::screened;

/// Most tokens that one answer may be asked for, whatever the configuration says: a model that runs on is cut off here.
pub const MAX_ANSWER_TOKENS: u32 = 32_768;
/// Most tool calls taken from one answer; an agent does fewer at once.
pub const MAX_CALLS: usize = 64;
/// Largest answer taken, in bytes of words, thoughts and arguments: what [`MAX_ANSWER_TOKENS`] come to, several times over.
const MAX_ANSWER_BYTES: usize = 512 * 1024;
/// Largest stream taken, in bytes: each token comes in an envelope of a few hundred.
const MAX_STREAM_BYTES: usize = 16 * 1024 * 1024;
/// Longest provider message shown to the person, in characters.
const MAX_SHOWN_ERROR: usize = 300;

/// A tool as the model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Says what it does.
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

/// What a model thought before it spoke: for the model alone, and given back to it as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thought {
    /// Where it stood: 0 before everything, 1 after the words, one more for each call it stood behind.
    pub at: usize,
    /// The model it came from: no other is given it.
    pub by: String,
    /// Its name where it came: `thinking`, `reasoning_content`, `<think>`, `extra_content`.
    pub name: String,
    /// It, as it came.
    pub raw: Value,
}

/// Which part of a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// The result's number in the conversation, by which the rest of it can be read; 0 for one that has none.
    pub number: usize,
    /// The page, from 1 on; 0 for the beginning, which is cut where it is too long.
    pub page: usize,
}

/// One piece of a conversation. Who wrote it is part of it: the tap labels it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// How the agent is to behave, in our words.
    System(String),
    /// The person's words.
    Person(String),
    /// The person's note with a refusal: told, and nothing is ever grounded on it.
    Noted(String),
    /// Our words about the next step.
    Asked(String),
    /// An answer of the model: its words and its calls.
    Model {
        /// Words.
        text: String,
        /// Calls.
        calls: Vec<ToolCall>,
        /// Its thoughts.
        thoughts: Vec<Thought>,
    },
    /// The result of a call: other people's words.
    Result {
        /// The call's identity.
        call: String,
        /// The tool that was called.
        tool: String,
        /// The result, in words.
        text: String,
        /// The part of it that is shown.
        shown: Shown,
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
    /// Returns both together.
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

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The model had said what it wanted to say.
    #[default]
    Ended,
    /// It reached its limit of tokens, or the end of what the model can hold.
    Length,
    /// The provider paused it; it goes on when asked again.
    Paused,
    /// The provider's filter cut it.
    Filtered,
    /// The model refused.
    Refused,
    /// A piece of it was lost on the way.
    Gap,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Words; where a shape was asked for, its JSON.
    pub text: String,
    /// Calls, at most [`MAX_CALLS`].
    pub calls: Vec<ToolCall>,
    /// Its thoughts: never a part of the words.
    pub thoughts: Vec<Thought>,
    /// Why it ended.
    pub stop: Stop,
    /// Tokens it took.
    pub usage: Usage,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelError {
    /// The provider could not be reached, or the connection broke.
    Unreachable(String),
    /// The provider refused for now. Worth another try.
    Busy {
        /// HTTP status; 200 where the error came inside of an answer.
        status: u16,
        /// Its words.
        why: String,
        /// How long it asks to wait, where it says so.
        after: Option<std::time::Duration>,
    },
    /// The provider refused: status and words.
    Refused(u16, String),
    /// The text that came back is not an answer.
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
            Self::Busy { status: 200, why, .. } => {
                write!(f, "the model's provider reported an error: {why}; give the task again later")
            }
            Self::Busy { status, why, after } => {
                write!(f, "the model's provider has no room now (status {status}): {why}; give the task again later")?;
                after.map_or(Ok(()), |after| write!(f, ", in {} s at the earliest", after.as_secs()))
            }
            Self::Refused(200, why) => write!(f, "the model's provider reported an error: {why}"),
            Self::Refused(status @ (401 | 403), why) => write!(
                f,
                "the model's provider did not let us in (status {status}): {why}; give it your key with `bailey connect model`"
            ),
            Self::Refused(_, why) if why.contains("does not support tools") => write!(
                f,
                "the model cannot call tools: {why}; set `mode = \"planned\"` in the configuration, or take another model"
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
    /// Returns the next bytes; `None` at the end.
    fn chunk(&mut self) -> Sending<'_, Result<Option<Vec<u8>>, ModelError>>;
}

/// An HTTP answer whose body is still arriving.
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Tells whether the body is a stream of events rather than one JSON text.
    pub events: bool,
    /// How long it asks to wait before the next try, where it says so (RFC 9110, 10.2.3).
    pub after: Option<std::time::Duration>,
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

/// What is heard of an answer while it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// Words: each piece once, thoughts and calls not at all. What counts is the answer.
    Words(&'a str),
    /// How much came so far; the first time when an answer with a status of success begins. A provider charges for it, also where it
    /// breaks off.
    Came(Came),
}

/// How much came of an answer that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Came {
    /// Bytes of words, thoughts and arguments; of an answer that is no stream, all of its bytes.
    pub bytes: usize,
    /// Tokens that the provider had counted by then.
    pub usage: Usage,
}

/// Hears an answer while it comes.
pub type Hear<'a> = &'a (dyn Fn(Heard<'_>) + Send + Sync);

/// A provider of models.
pub trait Model: Send + Sync {
    /// Returns the exact body of a request; what is kept for the person to look at, and what is sent.
    fn request(&self, ask: &Ask) -> Vec<u8>;
    /// Sends such a body and reads the answer; `form` is the name of the shape it asks for, where it asks for one.
    fn ask<'a>(
        &'a self,
        body: Vec<u8>,
        form: Option<&'static str>,
        hear: Hear<'a>,
    ) -> Sending<'a, Result<Answer, ModelError>>;
    /// Returns what is known of the provider by now.
    fn traits(&self) -> Traits {
        Traits::default()
    }
    /// Names the model as its thoughts are marked.
    fn name(&self) -> &str {
        ""
    }
    /// Learns from a refusal what the provider does not take; true where the same question, made anew, may be answered.
    fn learn(&self, _refused: &ModelError) -> bool {
        false
    }
}
