//! The context tap: what a request holds, span by span, and what is kept back from it.
//!
//! Every request is described by labelled spans and a recipe that rebuilds its exact bytes from them, so that a person
//! can see what a model was told and by whom. Other people's words are screened first: codes, links and keys that open
//! something are replaced before the request is made.

use std::sync::LazyLock;

use regex::Regex;
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
    /// What it looked like.
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
    /// What is in it.
    pub spans: Vec<Span>,
    /// How the body follows from the spans.
    pub recipe: Vec<Piece>,
    /// What was kept back.
    pub redactions: Vec<Redaction>,
}

/// Screens what is to be asked, makes the request, and describes it.
#[must_use]
pub fn tap(model: &dyn Model, mut ask: crate::Ask) -> Tapped {
    let redactions = screen(&mut ask.messages);
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
            Message::Model { text, calls } => {
                out.push(span(Label::Model, "", text));
                out.extend(calls.iter().map(|call| span(Label::Model, &call.name, &call.arguments)));
            }
            Message::Result { tool, text, .. } => out.push(span(Label::Others, tool, text)),
            Message::Found { source, text } => out.push(span(Label::Others, source, text)),
        }
    }
    out
}

/// A text as it stands between the quotation marks of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// Shortest span that a recipe refers to, in bytes: shorter ones are found anywhere.
const MIN_REFERRED: usize = 12;

/// Where each span stands in the bytes. What is not found, such as arguments a format takes as an object, stays among
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

/// A kind of secret, and how it is told. The group named `secret`, or else the whole match, is kept back.
struct Kind {
    name: &'static str,
    pattern: LazyLock<Option<Regex>>,
}

macro_rules! kinds {
    ($($name:literal => $pattern:literal,)*) => {
        [$(Kind { name: $name, pattern: LazyLock::new(|| Regex::new($pattern).ok()) },)*]
    };
}

/// What opens something by itself. Patterns are those of the issuers' own formats; codes and links go by the words
/// around them, in the languages of the mails we have seen. A line break may stand as `\n` in a JSON text. Too much is
/// kept back rather than too little: the person can look into the mail, a provider cannot be made to forget.
static KINDS: [Kind; 9] = kinds! {
    "private key" => r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    "access key" => r"\b(?:sk-[A-Za-z0-9_-]{20,}|sk_(?:live|test)_[A-Za-z0-9]{16,}|gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|glpat-[0-9A-Za-z_-]{20,})",
    "signed token" => r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}",
    "link that opens an account" => r#"(?i)\bhttps?://[^\s"<>\\/]+/[^\s"<>\\]*(?:reset|recover|magic|verif|confirm|activat|passw|signin|sign-in|login|invit|token|otp|auth|unlock|[?&](?:code|key|t|k|c)=)[^\s"<>\\]*"#,
    // In front of its words: "G-482913 is your … code".
    "one-time code" => r"(?i)\b(?P<secret>(?:[A-Z]-)?\d[\d -]{2,9}\d)\s+(?:is|ist|est)\s+(?:your|ihr|dein|votre)\b[^.\n\\]{0,60}\b(?:code|pin|pass\w*|kennwort|otp|tan)\b",
    // Behind strong words, up to the next number, over line breaks.
    "one-time code" => r"(?i)(?:\b(?:verification|security|confirmation|one[ -]?time|log[ -]?in|sign[ -]?in|access|authenti\w*|2fa|two-factor|einmal|best[äa]tigungs|sicherheits|anmelde)[ -]?(?:code|pin|pass(?:word|code|wort)|number|kennwort)|\botp|\btan|\bpasscode|\bcode de (?:v[ée]rification|s[ée]curit[ée]|confirmation))\b[^\d]{0,80}?(?P<secret>\d[\d -]{2,9}\d\b|\b[A-Z0-9]{3,5}-[A-Z0-9]{3,5}\b)",
    // Behind weak ones, where they are said to be the reader's or to be entered.
    "one-time code" => r"(?i)\b(?:enter|use|type|your|the following|ihr|dein|geben sie|votre|saisissez)\s+(?:the\s+|this\s+|den\s+|le\s+)?(?:\w+\s+)?(?:code|pin)\b[^\d]{0,60}?(?P<secret>\d[\d -]{2,9}\d\b)",
    "password" => r#"(?i)\b(?:password|passwort|kennwort|mot de passe|passphrase)\b[^:=\n\\]{0,24}[:=](?:\s|\\[nrt])*(?P<secret>[^\s"<>\\]{4,})"#,
    "password" => r#"(?i)\b(?:password|passwort|kennwort|mot de passe|passphrase)\s+(?:is|ist|est|lautet)(?:\s+now|\s+jetzt)?\s+(?P<secret>[^\s"<>\\]*[0-9!@#$%^&*_+][^\s"<>\\]*)"#,
};

/// Replaces what opens something in other people's words.
fn screen(messages: &mut [Message]) -> Vec<Redaction> {
    let mut out = Vec::new();
    let mut span = 0;
    for message in messages {
        match message {
            Message::Result { text, .. } | Message::Found { text, .. } => {
                for (kind, original) in redact(text) {
                    out.push(Redaction { kind: kind.into(), span, hint: hint(&original) });
                }
            }
            Message::System(_) | Message::Person(_) | Message::Asked(_) => {}
            Message::Model { calls, .. } => span += calls.len(),
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

/// Replaces secrets in a text; says what they were.
fn redact(text: &mut String) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    for kind in &KINDS {
        let Some(pattern) = kind.pattern.as_ref() else { continue };
        let mut clean = String::new();
        let mut done = 0;
        for found in pattern.captures_iter(text) {
            let Some(secret) = found.name("secret").or_else(|| found.get(0)) else { continue };
            clean.push_str(text.get(done..secret.start()).unwrap_or_default());
            clean.push_str(&format!("[{} kept back]", kind.name));
            out.push((kind.name, secret.as_str().to_owned()));
            done = secret.end();
        }
        if done > 0 {
            clean.push_str(text.get(done..).unwrap_or_default());
            *text = clean;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ask, ToolCall};

    #[test]
    fn what_opens_something_is_kept_back_and_the_rest_stays() {
        let kept = |text: &str| {
            let mut text = text.to_owned();
            let found = redact(&mut text);
            (text, found.into_iter().map(|(kind, original)| format!("{kind}: {original}")).collect::<Vec<_>>())
        };
        for (text, clean, found) in [
            (
                "Your verification code is 482913.",
                "Your verification code is [one-time code kept back].",
                "one-time code: 482913",
            ),
            (
                "Ihr Sicherheitscode: 4829 13",
                "Ihr Sicherheitscode: [one-time code kept back]",
                "one-time code: 4829 13",
            ),
            (
                "Your verification code is:\\n\\n482913",
                "Your verification code is:\\n\\n[one-time code kept back]",
                "one-time code: 482913",
            ),
            (
                "Your verification code is:\n\n482913",
                "Your verification code is:\n\n[one-time code kept back]",
                "one-time code: 482913",
            ),
            (
                "G-482913 is your Google verification code",
                "[one-time code kept back] is your Google verification code",
                "one-time code: G-482913",
            ),
            ("Enter code 482913 to go on", "Enter code [one-time code kept back] to go on", "one-time code: 482913"),
            ("Your PIN is 4821.", "Your PIN is [one-time code kept back].", "one-time code: 4821"),
            ("security code: AB12-CD34", "security code: [one-time code kept back]", "one-time code: AB12-CD34"),
            ("password:hunter2!", "password:[password kept back]", "password: hunter2!"),
            ("Password:\\nhunter2!", "Password:\\n[password kept back]", "password: hunter2!"),
            ("Your password is: correcthorse", "Your password is: [password kept back]", "password: correcthorse"),
            ("Your password is now x9!", "Your password is now [password kept back]", "password: x9!"),
            (
                "key sk_live_abcdefghij0123456789",
                "key [access key kept back]",
                "access key: sk_live_abcdefghij0123456789",
            ),
            (
                "https://x.example/r/aB3?code=9",
                "[link that opens an account kept back]",
                "link that opens an account: https://x.example/r/aB3?code=9",
            ),
            ("Your login code is 123-456", "Your login code is [one-time code kept back]", "one-time code: 123-456"),
            (
                "Reset: https://shop.example/reset?token=abcdefghijklmnop now",
                "Reset: [link that opens an account kept back] now",
                "link that opens an account: https://shop.example/reset?token=abcdefghijklmnop",
            ),
            (
                "key sk-abcdefghijklmnopqrstuvwx.",
                "key [access key kept back].",
                "access key: sk-abcdefghijklmnopqrstuvwx",
            ),
            ("password: hunter2!", "password: [password kept back]", "password: hunter2!"),
        ] {
            assert_eq!(kept(text), (clean.to_owned(), vec![found.to_owned()]), "{text}");
        }
        for harmless in [
            "Invoice 4711 over 129.00 EUR is due on 2026-11-27.",
            "See https://news.example/articles/this-week-in-reading",
            "Please change your password soon.",
            "My number is 0170 123456",
            "Your password was changed yesterday.",
            "The code review is on 2026-11-24 at 15:00.",
        ] {
            assert_eq!(kept(harmless), (harmless.to_owned(), vec![]));
        }
    }

    #[test]
    fn every_pattern_is_one() {
        assert!(KINDS.iter().all(|kind| kind.pattern.is_some()));
    }

    struct Echo;

    impl Model for Echo {
        fn request(&self, ask: &Ask) -> Vec<u8> {
            let all: Vec<String> = ask.messages.iter().map(|message| format!("{message:?}")).collect();
            let texts: Vec<String> = spans(&ask.messages).into_iter().map(|span| span.text).collect();
            serde_json::json!({"debug": all.len(), "texts": texts}).to_string().into_bytes()
        }

        fn ask(
            &self,
            _: Vec<u8>,
            _: Option<&'static str>,
        ) -> crate::Sending<'_, Result<crate::Answer, crate::ModelError>> {
            Box::pin(async { Ok(crate::Answer::default()) })
        }
    }

    #[test]
    fn a_request_is_rebuilt_from_its_spans_byte_for_byte() {
        let result = |text: &str| Message::Result { call: "c".into(), tool: "mail_read".into(), text: text.into() };
        let calls =
            vec![ToolCall { id: "c".into(), name: "mail_read".into(), arguments: r#"{"id":"INBOX/1/2"}"#.into() }];
        let messages = vec![
            Message::System("be careful with \"quotes\"".into()),
            Message::Person("read my mail, please".into()),
            Message::Model { text: String::new(), calls },
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
