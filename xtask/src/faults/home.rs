//! A real home to harm: started, asked and killed as its processes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use bailey_scripted::{Provider, Script, Turn};
use serde_json::{Value, json};

use super::smtp::Smtp;
use crate::process::command;

const PASSPHRASE: &str = "a passphrase of tests";
/// How long any single answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Exit code of a log that is consistent, where nothing is pinned.
const FRESHNESS_UNPROVEN: i32 = 10;
/// Actions in one answer, as the gate has it.
const MOST_ANSWERED: usize = 50;

/// A home, its mail server, and a scripted model.
pub(super) struct House {
    folder: PathBuf,
    bailey: PathBuf,
    pub(super) smtp: Smtp,
    _provider: Provider,
    serving: Option<Child>,
    /// Actions that were approved, or were to be: the Message-ID by the action's identity.
    pub(super) approved: BTreeMap<String, String>,
    /// Actions whose outcome was not known, since when.
    pub(super) doubtful: BTreeMap<String, Instant>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns a script whose tasks of this name want one mail to each recipient.
fn script(name: &str, recipients: &[String]) -> Script {
    let call = |to: &String| ("mail_send", json!({"to": to, "subject": "s", "body": format!("for {to}")}));
    let turns = vec![Turn::calls(recipients.iter().map(call).collect()), Turn::say("done")];
    Script { task_contains: name.into(), turns, ..Script::default() }
}

impl House {
    /// Makes a home in a folder of its own and connects it. `kinds` are tasks and whom each writes to.
    pub(super) fn new(folder: &Path, bailey: &Path, kinds: &[(&str, Vec<String>)]) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
        let scripts = kinds.iter().map(|(name, recipients)| script(name, recipients)).collect();
        let provider = Provider::start(scripts).map_err(|error| error.to_string())?;
        let mut house = Self {
            folder: folder.into(),
            bailey: bailey.into(),
            smtp: Smtp::start()?,
            _provider: provider,
            serving: None,
            approved: BTreeMap::new(),
            doubtful: BTreeMap::new(),
        };
        house.ok(&["setup"], true)?;
        let base_url = house._provider.base_url();
        let config = format!(
            "[model]\nkind = \"openai-chat\"\nbase_url = \"{base_url}\"\nname = \"scripted\"\n[home]\nhold_seconds = 0\n[gateway]\nlisten = \"127.0.0.1:0\"\n"
        );
        fs::write(house.data().join("config.toml"), config).map_err(|error| error.to_string())?;
        house.serve()?;
        let server = format!("127.0.0.1:{}", house.smtp.port);
        house
            .ok(&["connect", "mail", "me@example.org", "--no-tls", "--level", "send", "--submission", &server], true)?;
        Ok(house)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Forgets what this client saw: what was approved, and how far the log had come.
    pub(super) fn forget(&mut self) {
        self.approved.clear();
        let _ = fs::remove_dir_all(self.folder.join("state"));
    }

    /// Starts it and waits until it runs.
    pub(super) fn serve(&mut self) -> Result<(), String> {
        let line = self.begin()?;
        if line.starts_with("Bailey runs") { Ok(()) } else { Err(format!("`bailey serve` said `{line}`")) }
    }

    /// Starts it and gives the first line it says.
    fn begin(&mut self) -> Result<String, String> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("serve.log"));
        let log = log.map_err(|error| error.to_string())?;
        let mut serve = command(&self.bailey);
        serve.arg("serve").arg("--data").arg(self.data());
        let child = serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        let out = child.stdout.take().ok_or("no output")?;
        self.serving = Some(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).map_err(|error| error.to_string())?;
        Ok(line.trim().to_owned())
    }

    /// Starts it without waiting for anything.
    pub(super) fn only_start(&mut self) -> Result<(), String> {
        let mut serve = command(&self.bailey);
        serve.arg("serve").arg("--data").arg(self.data());
        let child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.serving = Some(child.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Sends SIGKILL to the supervisor; the kernel ends the others with it.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.serving.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Returns the process that holds the home.
    pub(super) fn home_process(&self) -> Option<u32> {
        let supervisor = self.serving.as_ref()?.id();
        let children = fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).ok()?;
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(|pid: &u32| {
            let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.split('\0').nth(1) == Some("home-process")
        })
    }

    /// Runs a command of ours; with the passphrase on its input where it asks for one.
    pub(super) fn run(&self, arguments: &[&str], proves: bool) -> Result<Output, String> {
        let mut bailey = command(&self.bailey);
        bailey.args(arguments).arg("--data").arg(self.data()).env("XDG_STATE_HOME", self.folder.join("state"));
        let child = bailey.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        if let Some(mut input) = child.stdin.take()
            && proves
        {
            // It may have ended before it asked.
            let _ = writeln!(input, "{PASSPHRASE}");
        }
        child.wait_with_output().map_err(|error| error.to_string())
    }

    /// Returns the same for what has to work; gives what it printed.
    pub(super) fn ok(&self, arguments: &[&str], proves: bool) -> Result<String, String> {
        let output = self.run(arguments, proves)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("bailey {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
    }

    /// Returns one request over the home's socket.
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let failed = |error: std::io::Error| error.to_string();
        let token = fs::read_to_string(self.data().join("home/token")).map_err(failed)?;
        let mut stream = UnixStream::connect(self.data().join("run/home.sock")).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: home\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(failed)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(failed)?;
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").ok_or("no answer")?;
        let value = serde_json::from_str(body).unwrap_or(Value::Null);
        if head.starts_with("HTTP/1.1 200") { Ok(value) } else { Err(format!("{path}: {head}: {body}")) }
    }

    /// Gives tasks and waits until at least so many mails wait for an answer.
    pub(super) fn want(&self, tasks: &[&str], waiting: usize) -> Result<Vec<Value>, String> {
        for words in tasks {
            self.ask("POST", "/v1/tasks", &json!({"words": format!("write: {words}")}))?;
        }
        loop {
            let seen = self.ask("GET", "/v1/changes", &Value::Null)?;
            let cards = self.waiting()?;
            if cards.len() >= waiting {
                return Ok(cards);
            }
            self.ask("GET", &format!("/v1/changes?after={seen}"), &Value::Null)?;
        }
    }

    /// Returns what waits for an answer.
    pub(super) fn waiting(&self) -> Result<Vec<Value>, String> {
        let cards = self.ask("GET", "/v1/approvals", &Value::Null)?;
        Ok(cards.as_array().cloned().unwrap_or_default())
    }

    /// Approves, in answers of as many as one may hold. What was to be approved counts as approved whether or not the answer
    /// got through.
    pub(super) fn approve(&mut self, cards: &[Value]) -> Result<(), String> {
        for cards in cards.chunks(MOST_ANSWERED) {
            let mut ids = Vec::new();
            for card in cards {
                ids.push(text(card, "id"));
                self.approved.insert(text(card, "id"), message_id(card));
            }
            let mut arguments = vec!["approve"];
            arguments.extend(ids.iter().map(String::as_str));
            self.ok(&arguments, true)?;
        }
        Ok(())
    }

    /// Tells where an action stands.
    pub(super) fn state(&self, id: &str) -> Result<String, String> {
        Ok(text(&self.ask("GET", &format!("/v1/actions/{id}"), &Value::Null)?, "state"))
    }

    /// Actions that an entry of the exported log says were claimed.
    pub(super) fn claims(&self) -> Result<BTreeSet<String>, String> {
        let export = self.ok(&["log", "export", "-"], false)?;
        let entries = export.lines().filter_map(|line| line.strip_prefix("E "));
        let headers = entries.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(headers.filter(|header| text(header, "to") == "claimed").map(|header| text(&header, "action")).collect())
    }

    /// Returns the log against the last checkpoint this client saw; the first time there is none.
    pub(super) fn verify(&self) -> Result<(), String> {
        let output = self.run(&["log", "verify"], false)?;
        match output.status.code() {
            Some(0 | FRESHNESS_UNPROVEN) => Ok(()),
            code => Err(format!(
                "`bailey log verify` ended with {code:?}: {} {}",
                String::from_utf8_lossy(&output.stdout).trim(),
                String::from_utf8_lossy(&output.stderr).trim()
            )),
        }
    }
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns the Message-ID that a card's preview names.
fn message_id(card: &Value) -> String {
    let items = card.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let found = items.iter().find(|item| text(item, "label") == "Message-ID");
    found.map(|item| text(item, "value")).unwrap_or_default()
}
