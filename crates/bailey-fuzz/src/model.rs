//! What a model's server answers, and what a model says in it.

use bailey_agent::{Conversation, Named, Next, Situation};
use bailey_model::tap::{rebuild, tap};
use bailey_model::{
    Answer, AnthropicMessages, Ask, Body, Message, Model, ModelError, OpenAiChat, Response, Sending, Shown, Tool,
    Transport,
};
use futures_util::FutureExt as _;

/// Steps after which a task has to have ended, whatever the model says.
const MAX_STEPS: usize = 500;
const WORDS: &str =
    "read my unread mail, tell me what needs me, and answer Ana about Tuesday after checking my calendar";

/// **A double** of a server: answers with the bytes at hand, in pieces.
struct Saying {
    status: u16,
    events: bool,
    pieces: Vec<Vec<u8>>,
}

struct Pieces(std::vec::IntoIter<Vec<u8>>);

impl Body for Pieces {
    fn chunk(&mut self) -> Sending<'_, Result<Option<Vec<u8>>, ModelError>> {
        Box::pin(async { Ok(self.0.next()) })
    }
}

impl Transport for Saying {
    fn post(&self, _: &'static str, _: Vec<u8>) -> Sending<'_, Result<Response, ModelError>> {
        let body = Box::new(Pieces(self.pieces.clone().into_iter()));
        let (status, events) = (self.status, self.events);
        Box::pin(async move { Ok(Response { status, events, after: None, body }) })
    }
}

/// Returns the first byte says how the answer comes: as a stream or whole, with which status, in pieces of which size.
fn saying(bytes: &[u8]) -> (Box<Saying>, Option<&'static str>) {
    let (how, rest) = bytes.split_first().map_or((0, bytes), |(how, rest)| (*how, rest));
    let size = usize::from(how >> 4) * 7 + 1;
    let pieces = rest.chunks(size).map(<[u8]>::to_vec).collect();
    let status = if how & 2 == 0 { 200 } else { 500 };
    (Box::new(Saying { status, events: how & 1 == 0, pieces }), (how & 4 != 0).then_some("plan"))
}

fn ask(model: &dyn Model, form: Option<&'static str>) {
    // Nothing here waits, so the future is ready at once.
    match model.ask(b"{}".to_vec(), form, &|_| {}).now_or_never() {
        Some(Ok(answer)) => {
            let mut task = Conversation::free(WORDS.into());
            task.answered(answer, 100_000);
        }
        Some(Err(error)) => assert!(!error.to_string().is_empty()),
        None => unreachable!("a double never waits"),
    }
}

pub(crate) fn openai(bytes: &[u8]) {
    let (saying, form) = saying(bytes);
    ask(&OpenAiChat::new(saying, "m".into()), form);
}

pub(crate) fn anthropic(bytes: &[u8]) {
    let (saying, form) = saying(bytes);
    ask(&AnthropicMessages::new(saying, "m".into()), form);
}

/// Tries a model that answers every question of planned mode with one of the lines, while every call comes to another.
pub(crate) fn plan(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().map(str::to_owned).chain(std::iter::repeat_n(String::new(), MAX_STEPS));
    let named = Named { name: "Ana".into(), address: "ana@example.org".into() };
    let mut task = Conversation::planned(WORDS.into(), vec![named]);
    let situation = Situation { now: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::TimeZone::UTC };
    let tools: Vec<Tool> = bailey_connectors::tools(&[])
        .into_iter()
        .map(|tool| Tool { name: tool.name, description: tool.description, parameters: tool.parameters })
        .collect();
    for _ in 0..MAX_STEPS {
        match task.next() {
            Next::AskModel => {
                let ask = task.ask(&tools, &situation);
                assert!(ask.max_tokens <= bailey_model::MAX_ANSWER_TOKENS);
                let answer = Answer { text: lines.next().unwrap_or_default(), ..Answer::default() };
                task.answered(answer, u64::MAX);
            }
            Next::Propose(index) => {
                let wanted = task.call(index).map(|call| call.wanted.name.clone()).unwrap_or_default();
                assert!(tools.iter().any(|tool| tool.name == wanted), "planned mode wants `{wanted}`");
                task.note(index, Some("a".repeat(32)), None);
            }
            Next::Wait(index) => task.note(index, None, Some(lines.next().unwrap_or_default())),
            Next::Tell(words) => task.told(words),
            Next::Ended => return,
        }
    }
    assert!(task.asked < 200, "a task that does not end: {} questions", task.asked);
}

/// Tries others' words on their way to a model: the request is rebuilt from its spans byte for byte, and what was JSON still is.
pub(crate) fn screen(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let is_json = |text: &str| text.starts_with(['{', '[']) && serde_json::from_str::<serde_json::Value>(text).is_ok();
    let was_json = is_json(&text);
    let (saying, _) = saying(&[]);
    let (call, tool) = ("c".into(), "mail_read".into());
    let result = Message::Result { call, tool, text, shown: Shown::default() };
    let ask = Ask { messages: vec![result], tools: Vec::new(), shape: None, max_tokens: 1 };
    let tapped = tap(&OpenAiChat::new(saying, "m".into()), ask);
    assert!(rebuild(&tapped.recipe, &tapped.spans) == tapped.body, "the request is not what is kept of it");
    let clean = tapped.spans.first().map(|span| span.text.as_str()).unwrap_or_default();
    assert!(!was_json || is_json(clean), "a JSON text is none any more: {clean}");
}
