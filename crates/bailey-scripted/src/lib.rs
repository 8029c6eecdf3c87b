//! **A double.** An HTTP server that plays the part of a model provider from a script.
//!
//! It speaks the wire formats of real providers (OpenAI Chat Completions and Anthropic Messages, streaming), so requests, parsing and errors are the real ones; what it does *not*
//! prove is that any model would say such things, or understand what it is told. It can also play a hijacked model,
//! which no real one does on demand.
//!
//! Which turn is played follows from how many turns the request already holds, so restarts and several tasks at once need no care. Of
//! what was before it knows only how often the same request was made.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Largest request read.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// What is played for a task.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Played for tasks whose words contain this; every task if empty.
    #[serde(default)]
    pub task_contains: String,
    /// Its turns, in order; after the last, the provider says "done".
    #[serde(default)]
    pub turns: Vec<Turn>,
    /// Answers to requests that want a form: the form's name, words the request holds, and the JSON said. The first that fits is said.
    #[serde(default)]
    pub forms: Vec<Form>,
    /// Fields that a request must not hold: one that does is refused with status 400, as reasoning models refuse `max_tokens`.
    #[serde(default)]
    pub refuses: Vec<String>,
}

/// An answer in a form.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// The form's name.
    pub name: String,
    /// Said only where the last message of the request holds these words.
    #[serde(default)]
    pub asked_with: String,
    /// The words that are said.
    pub say: Value,
}

/// One answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Words.
    #[serde(default)]
    pub say: String,
    /// Tool calls.
    #[serde(default)]
    pub calls: Vec<Wanted>,
    /// Answer with this HTTP status and an error instead.
    #[serde(default)]
    pub status: Option<u16>,
    /// Do so only as often, for the same request; then answer. Always, if nothing is said.
    #[serde(default)]
    pub status_times: Option<usize>,
    /// Answer with exactly this body instead.
    #[serde(default)]
    pub raw: Option<String>,
    /// Answer with exactly this body, as a stream of events.
    #[serde(default)]
    pub events: Option<String>,
    /// Thoughts before the words.
    #[serde(default)]
    pub think: String,
    /// Why the answer ends, in the words of the format; what is usual if nothing is said.
    #[serde(default)]
    pub stop: Option<String>,
    /// A `Retry-After` of the answer.
    #[serde(default)]
    pub retry_after: Option<String>,
    /// Stop in the middle of the answer until [`Provider::release`].
    #[serde(default)]
    pub hold: bool,
    /// Close the connection without an answer.
    #[serde(default)]
    pub drop: bool,
}

/// A tool call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The tool.
    pub tool: String,
    /// Its arguments: JSON, or a text sent as it is. `$ID0`, `$ID1`, … stand for the identities of the messages or entries that the
    /// last tool result listed.
    #[serde(default)]
    pub arguments: Value,
}

impl Turn {
    /// Returns a turn of words.
    #[must_use]
    pub fn say(words: &str) -> Self {
        Self { say: words.into(), ..Self::default() }
    }

    /// Returns a turn of one call.
    #[must_use]
    pub fn call(tool: &str, arguments: Value) -> Self {
        Self::calls(vec![(tool, arguments)])
    }

    /// Returns a turn of several calls.
    #[must_use]
    pub fn calls(calls: Vec<(&str, Value)>) -> Self {
        let calls = calls.into_iter().map(|(tool, arguments)| Wanted { tool: tool.into(), arguments }).collect();
        Self { calls, ..Self::default() }
    }
}

/// A provider that runs until the process ends.
#[derive(Debug)]
pub struct Provider {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    heads: Arc<Mutex<Vec<String>>>,
    released: Arc<Released>,
}

/// Tells answers that were held that they may go on.
#[derive(Debug, Default)]
struct Released {
    yes: Mutex<bool>,
    told: Condvar,
}

impl Released {
    fn wait(&self) {
        let yes = self.yes.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.told.wait_while(yes, |yes| !*yes));
    }
}

impl Provider {
    /// Starts on a free loopback port.
    pub fn start(scripts: Vec<Script>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let requests: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let released: Arc<Released> = Arc::default();
        let (kept, tops, scripts) = (Arc::clone(&requests), Arc::clone(&heads), Arc::new(scripts));
        let goes_on = Arc::clone(&released);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, tops, scripts) = (Arc::clone(&kept), Arc::clone(&tops), Arc::clone(&scripts));
                let goes_on = Arc::clone(&goes_on);
                thread::spawn(move || {
                    if let Err(error) = serve(stream, &scripts, &kept, &tops, &goes_on) {
                        let _ = writeln!(io::stderr(), "scripted provider: {error}");
                    }
                });
            }
        });
        Ok(Self { address, requests, heads, released })
    }

    /// Lets answers go on that were held, now and later.
    pub fn release(&self) {
        *self.released.yes.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.released.told.notify_all();
    }

    /// Returns its base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Returns the head of every request so far, in lower case.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns every request body so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    mut stream: TcpStream,
    scripts: &[Script],
    kept: &Mutex<Vec<Vec<u8>>>,
    heads: &Mutex<Vec<String>>,
    released: &Released,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut head) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        head.push_str(&line.to_lowercase());
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; usize::min(length, MAX_REQUEST_BYTES)];
    reader.read_exact(&mut body)?;
    let format = if head.starts_with("post /v1/messages ") { Format::Anthropic } else { Format::OpenAi };
    let lists = head.starts_with("get /v1/models ");
    heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    if lists {
        let list = json!({"object": "list", "data": [{"id": "scripted"}, {"id": "another"}]}).to_string();
        return answer(&mut stream, &Played::json(200, list), released);
    }
    let before = kept.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|known| **known == body).count();
    let Some(played) = play(&body, scripts, format, before) else { return Ok(()) };
    kept.lock().unwrap_or_else(PoisonError::into_inner).push(body);
    answer(&mut stream, &played, released)
}

fn answer(stream: &mut TcpStream, played: &Played, released: &Released) -> io::Result<()> {
    let Played { status, events, body, hold, retry_after } = played;
    let kind = if *events { "text/event-stream" } else { "application/json" };
    let after = retry_after.as_ref().map(|after| format!("retry-after: {after}\r\n")).unwrap_or_default();
    write!(
        stream,
        "HTTP/1.1 {status} scripted\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{after}connection: close\r\n\r\n",
        body.len()
    )?;
    let [first, second] = halves(body);
    stream.write_all(first.as_bytes())?;
    stream.flush()?;
    if *hold {
        released.wait();
    }
    stream.write_all(second.as_bytes())?;
    stream.flush()
}

/// Whose wire format is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    OpenAi,
    Anthropic,
}

/// An answer as it goes over the wire.
struct Played {
    status: u16,
    events: bool,
    body: String,
    hold: bool,
    retry_after: Option<String>,
}

impl Played {
    const fn json(status: u16, body: String) -> Self {
        Self { status, events: false, body, hold: false, retry_after: None }
    }

    const fn events(body: String) -> Self {
        Self { status: 200, events: true, body, hold: false, retry_after: None }
    }
}

/// Returns the words of a message, whichever way the format writes them.
fn words(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            blocks.iter().filter_map(|block| block.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
        }
        Some(_) | None => String::new(),
    }
}

/// Returns what a tool call came to, where the message holds that.
fn result(message: &Value) -> Option<String> {
    if message.get("role")?.as_str()? == "tool" {
        return Some(words(message));
    }
    let blocks = message.get("content")?.as_array()?;
    let block = blocks.iter().rev().find(|block| block.get("type").and_then(Value::as_str) == Some("tool_result"))?;
    Some(block.get("content")?.as_str()?.to_owned())
}

/// Returns the answer to a request that was made `before` so often; `None` closes the connection.
fn play(body: &[u8], scripts: &[Script], format: Format, before: usize) -> Option<Played> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let messages = request.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
    let role = |message: &Value, wanted: &str| message.get("role").and_then(Value::as_str) == Some(wanted);
    let task = messages.iter().find(|message| role(message, "user")).map(words).unwrap_or_default();
    let turn = messages.iter().filter(|message| role(message, "assistant")).count();
    let script = scripts.iter().find(|script| task.contains(&script.task_contains));
    let form = ["/response_format/json_schema/name", "/tool_choice/name"];
    if let Some(name) = form.iter().find_map(|path| request.pointer(path)?.as_str()) {
        let last = messages.last().map(words).unwrap_or_default();
        let fits = |form: &&Form| form.name == name && last.contains(&form.asked_with);
        let said = script.and_then(|script| script.forms.iter().find(fits)).map(|form| form.say.to_string());
        let said = said.unwrap_or_else(|| "{}".into());
        let turn = match format {
            Format::OpenAi => Turn::say(&said),
            Format::Anthropic => Turn::calls(vec![(name, Value::String(said))]),
        };
        return Some(Played::events(stream(&turn, format)));
    }
    let refused = script.and_then(|script| script.refuses.iter().find(|field| request.get(field.as_str()).is_some()));
    if let Some(field) = refused {
        let why = match field.as_str() {
            "max_tokens" => "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.".into(),
            field => format!("Unsupported value: '{field}' is not supported with this model."),
        };
        return Some(Played::json(400, json!({"error": {"message": why, "param": field}}).to_string()));
    }
    let turn = script.and_then(|script| script.turns.get(turn)).cloned().unwrap_or_else(|| Turn::say("done"));
    if turn.drop {
        return None;
    }
    if let Some(raw) = turn.raw {
        return Some(Played::json(turn.status.unwrap_or(200), raw));
    }
    if let Some(events) = turn.events {
        return Some(Played::events(events));
    }
    if let Some(status) = turn.status.filter(|_| turn.status_times.is_none_or(|times| before < times)) {
        let played = Played::json(status, json!({"error": {"message": turn.say}}).to_string());
        return Some(Played { retry_after: turn.retry_after, ..played });
    }
    let listed = messages.iter().rev().find_map(result);
    let listed: Value = listed.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let listed = listed.get("messages").or_else(|| listed.get("entries"));
    let mut turn = turn;
    for (index, message) in listed.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let id = message.get("id").and_then(Value::as_str).unwrap_or_default();
        for call in &mut turn.calls {
            let arguments = call.arguments.to_string().replace(&format!("$ID{index}"), id);
            call.arguments = serde_json::from_str(&arguments).unwrap_or_default();
        }
    }
    Some(Played { hold: turn.hold, ..Played::events(stream(&turn, format)) })
}

fn arguments(call: &Wanted) -> String {
    call.arguments.as_str().map_or_else(|| call.arguments.to_string(), str::to_owned)
}

/// Returns a text in two halves, as a stream brings it.
fn halves(text: &str) -> [&str; 2] {
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (first, second) = text.split_at(middle);
    [first, second]
}

/// The tokens every answer is said to have taken.
const INPUT_TOKENS: u64 = 100;
const OUTPUT_TOKENS: u64 = 10;

fn stream(turn: &Turn, format: Format) -> String {
    let events = match format {
        Format::OpenAi => openai(turn),
        Format::Anthropic => anthropic(turn),
    };
    let mut out: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    if format == Format::OpenAi {
        out.push_str("data: [DONE]\n\n");
    }
    out
}

fn openai(turn: &Turn) -> Vec<Value> {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        json!({"object": "chat.completion.chunk", "choices": [choice]})
    };
    let thoughts = (!turn.think.is_empty()).then(|| chunk(json!({"reasoning_content": turn.think}), Value::Null));
    let mut out: Vec<Value> = thoughts.into_iter().collect();
    out.extend(halves(&turn.say).iter().map(|half| chunk(json!({"content": half}), Value::Null)));
    for (index, call) in turn.calls.iter().enumerate() {
        let whole = arguments(call);
        let [first, second] = halves(&whole);
        let function = json!({"name": call.tool, "arguments": first});
        let begun = json!({"index": index, "id": format!("call_{index}"), "type": "function", "function": function});
        out.push(chunk(json!({"tool_calls": [begun]}), Value::Null));
        let more = json!({"index": index, "function": {"arguments": second}});
        out.push(chunk(json!({"tool_calls": [more]}), Value::Null));
    }
    out.push(chunk(json!({}), turn.stop.as_deref().unwrap_or("stop").into()));
    let usage = json!({"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS});
    out.push(json!({"object": "chat.completion.chunk", "choices": [], "usage": usage}));
    out
}

fn anthropic(turn: &Turn) -> Vec<Value> {
    let usage = json!({"input_tokens": INPUT_TOKENS, "output_tokens": 1});
    let mut out = vec![json!({"type": "message_start", "message": {"role": "assistant", "usage": usage}})];
    let mut index = 0;
    if !turn.think.is_empty() {
        let block = json!({"type": "thinking", "thinking": "", "signature": ""});
        out.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        for delta in [
            json!({"type": "thinking_delta", "thinking": turn.think}),
            json!({"type": "signature_delta", "signature": "signed=="}),
        ] {
            out.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        out.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    if !turn.say.is_empty() {
        out.push(json!({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}));
        let said = halves(&turn.say);
        let delta = |text: &str| json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}});
        out.extend(said.into_iter().map(delta));
        out.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    for call in &turn.calls {
        let block = json!({"type": "tool_use", "id": format!("toolu_{index}"), "name": call.tool, "input": {}});
        out.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        for half in halves(&arguments(call)) {
            let delta = json!({"type": "input_json_delta", "partial_json": half});
            out.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        out.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    let stop = turn.stop.as_deref().unwrap_or("end_turn");
    out.push(
        json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": OUTPUT_TOKENS}}),
    );
    out.push(json!({"type": "message_stop"}));
    out
}
