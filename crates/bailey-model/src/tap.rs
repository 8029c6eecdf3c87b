//! The context tap: what a request holds, span by span, and what is kept back from it.
//!
//! Every request is described by labelled spans and a recipe that rebuilds its exact bytes from them, so that a person
//! can see what a model was told and by whom. Other people's words are screened first: codes, links and keys that open
//! something are replaced before the request is made.

use serde::{Deserialize, Serialize};

use crate::{Message, Model};

/// Who wrote a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// We did.
    Bailey,
    /// The person did.
    Person,
    /// The person did, as a note on something they refused: it names nobody, and allows nothing.
    Note,
    /// A model did, in an earlier answer.
    Model,
    /// Anybody else: mail, calendar, any service. Never an instruction.
    Others,
}

/// A piece of a request, with who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Who wrote it.
    pub label: Label,
    /// Where it came from: a tool, for others' words.
    pub source: String,
    /// The words.
    pub text: String,
}

/// Something kept back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// The kind of secret it looked like.
    pub kind: String,
    /// The span it was in, counted from 0.
    pub span: usize,
    /// How what stood there began, so that it can be found where it came from. Not all of it: whoever may look at a request
    /// need not be whoever may sign in.
    pub hint: String,
}

/// A part of a request's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// These bytes.
    Bytes(String),
    /// The words of a span, escaped as in a JSON text.
    Span(usize),
}

/// A request as it was made, and all that it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tapped {
    /// The exact body.
    pub body: Vec<u8>,
    /// The spans in it.
    pub spans: Vec<Span>,
    /// How the body follows from the spans.
    pub recipe: Vec<Piece>,
    /// Pieces that were kept back.
    pub redactions: Vec<Redaction>,
}

/// Screens what is to be asked, makes the request, and describes it.
#[must_use]
pub fn tap(model: &dyn Model, mut ask: crate::Ask) -> Tapped {
    crate::providers::keep_own_thoughts(&mut ask.messages, model.name());
    let redactions = screen(&mut ask.messages);
    // Behind the screen: a cut could take a secret's beginning from its end.
    let traits = model.traits();
    crate::fit::fit(&mut ask.messages, traits.context_bytes);
    ask.max_tokens = ask.max_tokens.min(traits.answer_tokens);
    let spans = spans(&ask.messages);
    let body = model.request(&ask);
    let recipe = recipe(&body, &spans);
    Tapped { body, spans, recipe, redactions }
}

/// Rebuilds the bytes of a request.
#[must_use]
pub fn rebuild(recipe: &[Piece], spans: &[Span]) -> Vec<u8> {
    let piece = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => bytes.clone(),
        Piece::Span(index) => spans.get(*index).map(|span| escaped(&span.text)).unwrap_or_default(),
    };
    recipe.iter().map(piece).collect::<String>().into_bytes()
}

fn spans(messages: &[Message]) -> Vec<Span> {
    let span = |label, source: &str, text: &str| Span { label, source: source.into(), text: text.into() };
    let mut out = Vec::new();
    for message in messages {
        match message {
            Message::System(text) | Message::Asked(text) => out.push(span(Label::Bailey, "", text)),
            Message::Person(text) => out.push(span(Label::Person, "", text)),
            Message::Noted(text) => out.push(span(Label::Note, "", text)),
            Message::Model { text, calls, thoughts } => {
                out.push(span(Label::Model, "", text));
                out.extend(thoughts.iter().map(|thought| span(Label::Model, "thoughts", &thought_text(thought))));
                out.extend(calls.iter().map(|call| span(Label::Model, &call.name, &call.arguments)));
            }
            Message::Result { tool, text, .. } => out.push(span(Label::Others, tool, text)),
            Message::Found { source, text } => out.push(span(Label::Others, source, text)),
        }
    }
    out
}

/// Returns what a model thought, in words where it is some.
fn thought_text(thought: &crate::Thought) -> String {
    let words = thought.raw.as_str().or_else(|| thought.raw.get("thinking")?.as_str());
    words.map_or_else(|| thought.raw.to_string(), str::to_owned)
}

/// Returns a text as it stands between the quotation marks of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// Shortest span that a recipe refers to, in bytes: shorter ones are found anywhere.
const MIN_REFERRED: usize = 12;

/// Tells where each span stands in the bytes. What is not found, such as arguments a format takes as an object, stays among
/// the bytes as it is.
fn recipe(body: &[u8], spans: &[Span]) -> Vec<Piece> {
    let whole = String::from_utf8_lossy(body).into_owned();
    let mut places: Vec<(usize, usize, usize)> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        let text = escaped(&span.text);
        if text.len() < MIN_REFERRED {
            continue;
        }
        let free = |at: usize| places.iter().all(|(from, to, _)| at + text.len() <= *from || at >= *to);
        if let Some((at, _)) = whole.match_indices(&text).find(|(at, _)| free(*at)) {
            places.push((at, at + text.len(), index));
        }
    }
    places.sort_unstable();
    let mut out = Vec::new();
    let mut done = 0;
    for (from, to, index) in places {
        out.push(Piece::Bytes(whole.get(done..from).unwrap_or_default().to_owned()));
        out.push(Piece::Span(index));
        done = to;
    }
    out.push(Piece::Bytes(whole.get(done..).unwrap_or_default().to_owned()));
    if rebuild(&out, spans) == body { out } else { vec![Piece::Bytes(whole)] }
}

/// Replaces what opens something in other people's words.
fn screen(messages: &mut [Message]) -> Vec<Redaction> {
    let mut out = Vec::new();
    let mut span = 0;
    for message in messages {
        match message {
            Message::Result { text, .. } | Message::Found { text, .. } => {
                for (kind, original) in crate::screen::redact(text) {
                    out.push(Redaction { kind: kind.into(), span, hint: hint(&original) });
                }
            }
            Message::System(_) | Message::Person(_) | Message::Noted(_) | Message::Asked(_) => {}
            Message::Model { calls, thoughts, .. } => span += calls.len() + thoughts.len(),
        }
        span += 1;
    }
    out
}

/// Characters of a secret that are shown; of a link, its place.
fn hint(secret: &str) -> String {
    let shown = match secret.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()),
        None => secret.chars().take(2).collect(),
    };
    format!("{shown}\u{2026}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ask, ToolCall};

    struct Echo;

    impl Model for Echo {
        fn request(&self, ask: &Ask) -> Vec<u8> {
            let all: Vec<String> = ask.messages.iter().map(|message| format!("{message:?}")).collect();
            let texts: Vec<String> = spans(&ask.messages).into_iter().map(|span| span.text).collect();
            serde_json::json!({"debug": all.len(), "texts": texts}).to_string().into_bytes()
        }

        fn ask<'a>(
            &'a self,
            _: Vec<u8>,
            _: Option<&'static str>,
            _: crate::Hear<'a>,
        ) -> crate::Sending<'a, Result<crate::Answer, crate::ModelError>> {
            Box::pin(async { Ok(crate::Answer::default()) })
        }
    }

    #[test]
    fn a_request_is_rebuilt_from_its_spans_byte_for_byte() {
        let result = |text: &str| Message::Result {
            call: "c".into(),
            tool: "mail_read".into(),
            text: text.into(),
            shown: crate::Shown::default(),
        };
        let calls =
            vec![ToolCall { id: "c".into(), name: "mail_read".into(), arguments: r#"{"id":"INBOX/1/2"}"#.into() }];
        let messages = vec![
            Message::System("be careful with \"quotes\"".into()),
            Message::Person("read my mail, please".into()),
            Message::Model { text: String::new(), calls, thoughts: Vec::new() },
            result("line one\nline \u{7} two, your login code is 123456"),
            result("line one\nthe same beginning"),
            Message::Found { source: "mail_read".into(), text: "read my mail, please".into() },
        ];
        let tapped = tap(&Echo, Ask { messages, tools: vec![], shape: None, max_tokens: 9 });
        assert_eq!(rebuild(&tapped.recipe, &tapped.spans), tapped.body);
        assert_eq!(tapped.recipe.iter().filter(|piece| matches!(piece, Piece::Span(_))).count(), 6);
        let labels: Vec<_> = tapped.spans.iter().map(|span| span.label).collect();
        let (b, p, m, o) = (Label::Bailey, Label::Person, Label::Model, Label::Others);
        assert_eq!(labels, [b, p, m, m, o, o, o]);
        assert_eq!(tapped.redactions, [Redaction { kind: "one-time code".into(), span: 4, hint: "12\u{2026}".into() }]);
        assert!(!String::from_utf8(tapped.body).unwrap().contains("123456"));
    }
}
