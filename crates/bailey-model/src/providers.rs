//! What is known of model providers: one table, and what is learnt of each as it answers.
//!
//! Sources: OpenAI "Chat Completions" and "Reasoning models", Azure "OpenAI in Foundry, v1", Anthropic "Messages", "Extended
//! thinking" and "Prompt caching", Mistral "Chat" and "Function calling", Google "Gemini: OpenAI compatibility", and the
//! documents of llama.cpp's server, Ollama, vLLM, LM Studio and LiteLLM.

use std::sync::{Mutex, PoisonError};

use crate::{Message, ModelError};

/// What the limit of an answer is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenField {
    /// `max_tokens`: what nearly every server knows.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`: OpenAI and Azure, whose reasoning models refuse the other.
    MaxCompletionTokens,
}

impl TokenField {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// How much a model is asked to think before it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// As the provider has it.
    #[default]
    Usual,
    /// A little.
    Low,
    /// More.
    Medium,
    /// Much.
    High,
}

impl Thinking {
    /// Returns the word of `reasoning_effort` (OpenAI).
    pub(crate) const fn effort(self) -> Option<&'static str> {
        match self {
            Self::Usual => None,
            Self::Low => Some("low"),
            Self::Medium => Some("medium"),
            Self::High => Some("high"),
        }
    }

    /// Returns the tokens of `thinking.budget_tokens` (Anthropic; at least 1,024).
    pub(crate) const fn budget(self) -> Option<u32> {
        match self {
            Self::Usual => None,
            Self::Low => Some(2_048),
            Self::Medium => Some(8_192),
            Self::High => Some(16_384),
        }
    }
}

/// What a provider takes, and what it does with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Traits {
    /// The name of the limit of an answer.
    pub token_field: TokenField,
    /// Tells whether a temperature is sent; it is always 0.
    pub temperature: bool,
    /// Tells whether the stream is asked for its count of tokens (`stream_options`).
    pub stream_usage: bool,
    /// Tells whether the request marks what may be cached (`cache_control`).
    pub cache_marks: bool,
    /// Tells whether names of calls have to be nine letters and digits (Mistral).
    pub nine_letters: bool,
    /// How much it is asked to think.
    pub thinking: Thinking,
    /// Most tokens of an answer.
    pub answer_tokens: u32,
    /// Most bytes of a conversation; older results are shortened beyond it.
    pub context_bytes: usize,
}

/// Tokens of an answer where nothing else is said: a long mail, and small enough for servers that hold a few thousand in all.
const ANSWER_TOKENS: u32 = 4_096;
/// The same for models that think before they speak: the thoughts count.
const REASONING_TOKENS: u32 = 16_384;
/// Fewest tokens asked of a model that thinks before it speaks, however short the answer is to be.
const THINKING_TOKENS: u32 = 4_096;
/// Fewest tokens that a limit is lowered to by what a provider refuses.
const LEAST_ANSWER_TOKENS: u32 = 256;
/// Bytes that a token stands for, counted low: what other languages than English take.
const BYTES_PER_TOKEN: usize = 3;
/// Tokens of a conversation where nothing else is said: what capable models hold, with room for the answer.
const CONTEXT_TOKENS: usize = 64_000;
/// Fewest bytes that a conversation is cut to by what a provider refuses.
const LEAST_CONTEXT_BYTES: usize = 6_000;

impl Default for Traits {
    fn default() -> Self {
        Self {
            token_field: TokenField::MaxTokens,
            temperature: true,
            stream_usage: true,
            cache_marks: false,
            nine_letters: false,
            thinking: Thinking::Usual,
            answer_tokens: ANSWER_TOKENS,
            context_bytes: CONTEXT_TOKENS * BYTES_PER_TOKEN,
        }
    }
}

/// A provider of the table.
struct Provider {
    /// Ends of its hosts' names.
    hosts: &'static [&'static str],
    /// Sets what is otherwise about it than with most.
    apply: fn(&mut Traits),
}

/// The table. Servers that are not in it (llama.cpp, Ollama, vLLM, LM Studio, LiteLLM) take what most take.
const PROVIDERS: &[Provider] = &[
    Provider { hosts: &["api.openai.com"], apply: |traits| traits.token_field = TokenField::MaxCompletionTokens },
    Provider {
        hosts: &[".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"],
        apply: |traits| traits.token_field = TokenField::MaxCompletionTokens,
    },
    Provider { hosts: &["api.anthropic.com"], apply: |traits| traits.cache_marks = true },
    Provider {
        hosts: &["api.mistral.ai"],
        apply: |traits| {
            traits.stream_usage = false;
            traits.nine_letters = true;
        },
    },
    // Its OpenAI endpoint takes what most take; signatures of its thoughts come with the calls (`extra_content`).
    Provider { hosts: &["generativelanguage.googleapis.com"], apply: |_| {} },
];

/// Beginnings of the names of OpenAI's reasoning models, wherever they are served.
const REASONING: &[&str] = &["o1", "o3", "o4", "gpt-5"];

/// A server that may run on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalServer {
    /// Its name.
    pub name: &'static str,
    /// The port it listens on unless told otherwise.
    pub port: u16,
}

/// Servers that are looked for on this machine.
pub const LOCAL_SERVERS: &[LocalServer] = &[
    LocalServer { name: "Ollama", port: 11_434 },
    LocalServer { name: "llama.cpp", port: 8_080 },
    LocalServer { name: "vLLM", port: 8_000 },
    LocalServer { name: "LM Studio", port: 1_234 },
    LocalServer { name: "LiteLLM", port: 4_000 },
    LocalServer { name: "Jan", port: 1_337 },
    LocalServer { name: "KoboldCpp", port: 5_001 },
    LocalServer { name: "SGLang", port: 30_000 },
];

impl Traits {
    /// Returns what the table says of a model at an address.
    #[must_use]
    pub fn of(base_url: &str, model: &str) -> Self {
        let mut traits = Self::default();
        let place = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
        let host = place.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_lowercase();
        // A name that begins with a dot stands for every host below it.
        let is =
            |known: &&str| host == known.trim_start_matches('.') || (known.starts_with('.') && host.ends_with(*known));
        if let Some(provider) = PROVIDERS.iter().find(|provider| provider.hosts.iter().any(is)) {
            (provider.apply)(&mut traits);
        }
        if is_reasoning(model) {
            traits.token_field = TokenField::MaxCompletionTokens;
            traits.temperature = false;
            traits.answer_tokens = REASONING_TOKENS;
        }
        traits
    }

    /// Returns how many tokens an answer may have that is meant to have `asked` at most: where thoughts count, a short answer needs room
    /// for them, too.
    #[must_use]
    pub fn answer_limit(&self, asked: u32) -> u32 {
        let least = if self.temperature { 0 } else { THINKING_TOKENS };
        asked.max(least).min(self.answer_tokens)
    }

    /// Sets the most tokens of a conversation, answer included.
    pub fn hold(&mut self, tokens: usize) {
        let left = tokens.saturating_sub(self.answer_tokens as usize).max(tokens / 4);
        self.context_bytes = left.saturating_mul(BYTES_PER_TOKEN).max(LEAST_CONTEXT_BYTES);
    }

    /// Takes from a refusal what the provider does not take; true where that changed something.
    pub(crate) fn learn(&mut self, refused: &ModelError) -> bool {
        let ModelError::Refused(200 | 400 | 413 | 415 | 422 | 500, why) = refused else { return false };
        let why = why.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
        let before = self.clone();
        if is_too_long(&why) {
            self.context_bytes = (self.context_bytes / 2).max(LEAST_CONTEXT_BYTES);
            self.answer_tokens = (self.answer_tokens / 2).max(LEAST_ANSWER_TOKENS);
        } else if says(&["max_completion_tokens"]) && self.token_field == TokenField::MaxTokens && says(&["max_tokens"])
        {
            self.token_field = TokenField::MaxCompletionTokens;
        } else if says(&["max_completion_tokens"])
            && says(UNKNOWN)
            && self.token_field == TokenField::MaxCompletionTokens
        {
            self.token_field = TokenField::MaxTokens;
        } else if says(&["max_tokens", "max_completion_tokens", "max_output_tokens"]) {
            self.answer_tokens = (self.answer_tokens / 2).max(LEAST_ANSWER_TOKENS);
        } else if says(&["temperature"]) {
            self.temperature = false;
        } else if says(&["stream_options", "include_usage"]) {
            self.stream_usage = false;
        } else if says(&["cache_control"]) {
            self.cache_marks = false;
        } else if says(&["reasoning_effort", "budget_tokens", "thinking"]) {
            self.thinking = Thinking::Usual;
        }
        *self != before
    }
}

/// Tells whether a refusal, in lower case, says that the conversation is more than the model holds.
pub(crate) fn is_too_long(why: &str) -> bool {
    let words = [
        "context length",
        "context_length",
        "context size",
        "context window",
        "prompt is too long",
        "too many tokens",
        "input is too long",
        "exceeds the maximum number of tokens",
    ];
    words.iter().any(|word| why.contains(word))
}

/// Words of a refusal that mean that a field is not known.
const UNKNOWN: &[&str] = &["unrecognized", "unknown", "extra", "unexpected", "not permitted", "unsupported"];

/// Tells whether a name is that of one of OpenAI's reasoning models, with or without a provider before it.
fn is_reasoning(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model).to_lowercase();
    REASONING.iter().any(|known| {
        name.strip_prefix(known).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

/// Traits as they are known by now.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Traits>);

impl Known {
    pub(crate) const fn new(traits: Traits) -> Self {
        Self(Mutex::new(traits))
    }

    pub(crate) fn now(&self) -> Traits {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn learn(&self, refused: &ModelError) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).learn(refused)
    }
}

/// Takes out of a conversation the thoughts that are not given back: those of another model, and those of before the person said
/// their last words.
pub(crate) fn keep_own_thoughts(messages: &mut [Message], by: &str) {
    let last = messages.iter().rposition(|message| matches!(message, Message::Person(_))).unwrap_or(0);
    for (place, message) in messages.iter_mut().enumerate() {
        if let Message::Model { thoughts, .. } = message {
            thoughts.retain(|thought| place > last && thought.by == by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traits_follow_the_host_and_the_name_of_the_model() {
        let field = |base: &str, model: &str| Traits::of(base, model).token_field;
        for (base, model) in [
            ("https://api.openai.com/v1", "gpt-4.1"),
            ("https://mine.openai.azure.com/openai/v1", "any"),
            ("http://localhost:4000/v1", "openai/o3-mini"),
            ("http://localhost:4000/v1", "gpt-5.1"),
            ("http://localhost:4000/v1", "o1"),
        ] {
            assert_eq!(field(base, model), TokenField::MaxCompletionTokens, "{base} {model}");
        }
        for (base, model) in [
            ("https://api.openai.com.evil.example/v1", "x"),
            ("http://localhost:8080/v1", "olmo-3"),
            ("http://localhost:8080/v1", "o10"),
            ("https://api.mistral.ai/v1", "mistral-large"),
        ] {
            assert_eq!(field(base, model), TokenField::MaxTokens, "{base} {model}");
        }
        let thinks = Traits::of("http://localhost:1/v1", "openai/gpt-5-mini");
        assert!(!thinks.temperature);
        assert_eq!((thinks.answer_limit(40), Traits::default().answer_limit(40)), (THINKING_TOKENS, 40));
        assert!(Traits::of("https://api.anthropic.com/v1", "claude").cache_marks);
    }

    #[test]
    fn traits_are_learnt_from_refusals() {
        let refused = |why: &str| ModelError::Refused(400, why.into());
        let mut traits = Traits::default();
        assert!(traits.learn(&refused(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )));
        assert_eq!((traits.token_field, traits.answer_tokens), (TokenField::MaxCompletionTokens, ANSWER_TOKENS));
        assert!(traits.learn(&refused("Unsupported value: 'temperature' does not support 0 with this model.")));
        assert!(!traits.learn(&refused("Unsupported value: 'temperature'")), "nothing is left to change");
        assert!(traits.learn(&refused("body.stream_options: Extra inputs are not permitted")));
        let mut traits = Traits::default();
        assert!(
            traits.learn(&refused("This model's maximum context length is 8192 tokens. However, you requested 9000"))
        );
        assert_eq!(traits.answer_tokens, ANSWER_TOKENS / 2);
        assert!(traits.learn(&refused("max_tokens: 2048 > 1024, which is the maximum allowed")));
        assert!(!traits.learn(&refused("no such model")));
        while traits.learn(&refused("prompt is too long")) {}
        assert_eq!(traits.context_bytes, LEAST_CONTEXT_BYTES);
    }
}
