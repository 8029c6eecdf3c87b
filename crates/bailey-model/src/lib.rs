//! Talking to model providers: what goes out, what comes back, and nothing about what it means.
//!
//! Invariant of absence: no credential and no network. Requests go through a [`Transport`] that the home authorises; it
//! keeps the exact bytes before they leave.

mod chat;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use chat::OpenAiChat;

/// Most tokens asked for in one answer. Enough for a long mail; a model that runs on is cut off here.
pub const MAX_ANSWER_TOKENS: u32 = 2_048;
/// Most tool calls taken from one answer.
pub const MAX_CALLS: usize = 16;

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

/// One piece of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// How the agent is to behave.
    System(String),
    /// The person's words.
    Person(String),
    /// What the model said and wanted.
    Model {
        /// Words.
        text: String,
        /// Calls.
        calls: Vec<ToolCall>,
    },
    /// What a call came to.
    Result {
        /// Which call.
        call: String,
        /// The result, in words.
        text: String,
    },
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Words.
    pub text: String,
    /// Calls, at most [`MAX_CALLS`].
    pub calls: Vec<ToolCall>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelError {
    /// The provider could not be reached, or the connection broke.
    Unreachable(String),
    /// The provider refused: status and words.
    Refused(u16, String),
    /// What came back is not an answer.
    Garbled(String),
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
            Self::Refused(status, why) => write!(f, "the model's provider answered with status {status}: {why}"),
            Self::Garbled(why) => write!(f, "the model's answer makes no sense: {why}"),
            Self::Paused => f.write_str("everything is paused; the model was not asked"),
        }
    }
}

impl std::error::Error for ModelError {}

/// The bytes of an HTTP answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Body, bounded by the transport.
    pub body: Vec<u8>,
}

/// A future that can be sent between threads.
pub type Sending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An authorised way to one provider. The home supplies it, with the credential in it.
pub trait Transport: Send + Sync {
    /// Posts JSON to a path below the provider's base URL.
    fn post(&self, path: &'static str, body: Vec<u8>) -> Sending<'_, Result<Response, ModelError>>;
}

/// A provider of models.
pub trait Model: Send + Sync {
    /// The exact body of a request; what is kept for the person to look at, and what is sent.
    fn request(&self, messages: &[Message], tools: &[Tool]) -> Vec<u8>;
    /// Sends such a body and reads the answer.
    fn ask(&self, body: Vec<u8>) -> Sending<'_, Result<Answer, ModelError>>;
}
