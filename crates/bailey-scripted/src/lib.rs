//! **A double.** An HTTP server that plays the part of a model provider from a script.
//!
//! It speaks the wire format of a real provider, so requests, parsing and errors are the real ones; what it does *not*
//! prove is that any model would say such things, or understand what it is told. It can also play a hijacked model,
//! which no real one does on demand.
//!
//! It keeps no state between requests: which turn is played follows from how many turns the request already holds, so
//! restarts and several tasks at once need no care.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
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
    pub turns: Vec<Turn>,
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
    /// Answer with exactly this body instead.
    #[serde(default)]
    pub raw: Option<String>,
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
    /// A turn of words.
    #[must_use]
    pub fn say(words: &str) -> Self {
        Self { say: words.into(), ..Self::default() }
    }

    /// A turn of one call.
    #[must_use]
    pub fn call(tool: &str, arguments: Value) -> Self {
        Self::calls(vec![(tool, arguments)])
    }

    /// A turn of several calls.
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
}

impl Provider {
    /// Starts on a free loopback port.
    pub fn start(scripts: Vec<Script>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let requests: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let (kept, scripts) = (Arc::clone(&requests), Arc::new(scripts));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, scripts) = (Arc::clone(&kept), Arc::clone(&scripts));
                thread::spawn(move || {
                    if let Err(error) = serve(stream, &scripts, &kept) {
                        let _ = writeln!(io::stderr(), "scripted provider: {error}");
                    }
                });
            }
        });
        Ok(Self { address, requests })
    }

    /// Its base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Every request body so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(mut stream: TcpStream, scripts: &[Script], kept: &Mutex<Vec<Vec<u8>>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
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
    let (status, answer) = match play(&body, scripts) {
        Some(answer) => answer,
        None => return Ok(()),
    };
    kept.lock().unwrap_or_else(PoisonError::into_inner).push(body);
    write!(
        stream,
        "HTTP/1.1 {status} scripted\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    )?;
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

/// The answer to a request: status and body; `None` closes the connection.
fn play(body: &[u8], scripts: &[Script]) -> Option<(u16, String)> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let messages = request.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
    let role = |message: &Value, wanted: &str| message.get("role").and_then(Value::as_str) == Some(wanted);
    let task =
        messages.iter().find(|message| role(message, "user")).and_then(|message| message.get("content")?.as_str());
    let task = task.unwrap_or_default();
    let turn = messages.iter().filter(|message| role(message, "assistant")).count();
    let script = scripts.iter().find(|script| task.contains(&script.task_contains));
    let turn = script.and_then(|script| script.turns.get(turn)).cloned().unwrap_or_else(|| Turn::say("done"));
    if turn.drop {
        return None;
    }
    if let Some(raw) = turn.raw {
        return Some((turn.status.unwrap_or(200), raw));
    }
    if let Some(status) = turn.status {
        return Some((status, json!({"error": {"message": turn.say}}).to_string()));
    }
    let listed = messages
        .iter()
        .rev()
        .find(|message| role(message, "tool"))
        .and_then(|message| message.get("content")?.as_str());
    let mut answer = completion(&turn).to_string();
    let listed: Value = listed.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let listed = listed.get("messages").or_else(|| listed.get("entries"));
    for (index, message) in listed.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let id = message.get("id").and_then(Value::as_str).unwrap_or_default();
        answer = answer.replace(&format!("$ID{index}"), id);
    }
    Some((200, answer))
}

fn completion(turn: &Turn) -> Value {
    let calls: Vec<Value> = turn
        .calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let arguments = call.arguments.as_str().map_or_else(|| call.arguments.to_string(), str::to_owned);
            json!({"id": format!("call_{index}"), "type": "function", "function": {"name": call.tool, "arguments": arguments}})
        })
        .collect();
    let mut message = json!({"role": "assistant", "content": turn.say});
    if let (false, Some(fields)) = (calls.is_empty(), message.as_object_mut()) {
        fields.insert("tool_calls".into(), calls.into());
    }
    json!({"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
}
