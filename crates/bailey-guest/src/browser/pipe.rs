//! The browser's own protocol over two pipes (Chrome DevTools Protocol, `--remote-debugging-pipe`): JSON, each message ended by a zero byte.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::tracker::Tracker;
use crate::program::now;

/// Longest message of the browser, in bytes: a picture of a page, in base64. One that is longer ends the browser.
const MAX_MESSAGE_BYTES: u64 = 16 * 1024 * 1024;

struct State {
    tracker: Tracker,
    /// Calls that wait, and what came of them.
    answers: BTreeMap<u64, Option<Value>>,
    last: u64,
    has_ended: bool,
    /// How long is waited for anything.
    patience: Duration,
}

/// A conversation with the browser. Clones are the same one.
#[derive(Clone)]
pub(super) struct Pipe(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    writes: Mutex<ChildStdin>,
}

/// Why the browser did not do something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// It has ended.
    Ended,
    /// The page it was asked of has ended.
    Crashed,
    /// No answer came in time.
    Late,
    /// It said so.
    Said(String),
}

impl From<Failed> for String {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Ended => "the browser has ended; the next step starts it again".into(),
            Failed::Crashed => "the page needed too much and was ended; open another".into(),
            Failed::Late => "the page did not answer in time and was ended; open it again, or another".into(),
            Failed::Said(why) => format!("the browser says: {why}"),
        }
    }
}

impl Pipe {
    /// Starts a conversation.
    pub(super) fn start((writes, reads): (ChildStdin, ChildStdout), patience: Duration, tracker: Tracker) -> Self {
        let state = State { tracker, answers: BTreeMap::new(), last: 0, has_ended: false, patience };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), writes: Mutex::new(writes) });
        let pipe = Self(Arc::clone(&shared));
        thread::spawn(move || {
            Self(Arc::clone(&shared)).receive(reads);
            shared.state.lock().unwrap_or_else(PoisonError::into_inner).has_ended = true;
            shared.changed.notify_all();
        });
        pipe
    }

    fn receive(&self, reads: ChildStdout) {
        let mut reads = BufReader::new(reads);
        loop {
            let mut bytes = Vec::new();
            let count = (&mut reads).take(MAX_MESSAGE_BYTES).read_until(0, &mut bytes);
            if count.is_err() || bytes.pop() != Some(0) {
                return;
            }
            let Ok(message) = serde_json::from_slice::<Value>(&bytes) else { return };
            let mut state = self.lock();
            let commands = match message.get("id").and_then(Value::as_u64) {
                Some(number) => {
                    if let Some(answer) = state.answers.get_mut(&number) {
                        *answer = Some(message);
                    }
                    Vec::new()
                }
                None => state.tracker.event(&message, now()),
            };
            drop(state);
            self.0.changed.notify_all();
            for command in commands {
                // Nobody waits for the answer.
                if self.send(self.number(), command.session.as_deref(), command.method, &command.parameters).is_err() {
                    return;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> u64 {
        let mut state = self.lock();
        state.last += 1;
        state.last
    }

    fn send(&self, number: u64, session: Option<&str>, method: &str, parameters: &Value) -> Result<(), Failed> {
        let mut message = json!({"id": number, "method": method, "params": parameters});
        if let (Some(session), Some(fields)) = (session, message.as_object_mut()) {
            fields.insert("sessionId".into(), session.into());
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let mut writes = self.0.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.write_all(&bytes).map_err(|_| Failed::Ended)
    }

    /// Asks the browser, or a tab of it, and waits for the answer.
    pub(super) fn call(&self, session: Option<&str>, method: &str, parameters: &Value) -> Result<Value, Failed> {
        let number = self.number();
        self.lock().answers.insert(number, None);
        let answer = self.send(number, session, method, parameters).and_then(|()| self.answer(number, session));
        self.lock().answers.remove(&number);
        let mut answer = answer?;
        if let Some(error) = answer.get("error") {
            let why = error.get("message").and_then(Value::as_str).unwrap_or_default();
            return Err(Failed::Said(why.chars().take(200).collect()));
        }
        Ok(answer.get_mut("result").map(Value::take).unwrap_or_default())
    }

    fn answer(&self, number: u64, session: Option<&str>) -> Result<Value, Failed> {
        let mut found = None;
        self.until(|state| {
            found = state.answers.get_mut(&number).and_then(Option::take).map(Ok);
            if found.is_none() && session.is_some_and(|session| state.tracker.has_crashed(session)) {
                found = Some(Err(Failed::Crashed));
            }
            found.is_some().then_some(())
        })?;
        found.unwrap_or(Err(Failed::Late))
    }

    /// Waits until something is so.
    fn until<T>(&self, mut is_so: impl FnMut(&mut State) -> Option<T>) -> Result<T, Failed> {
        let until = now() + self.patience();
        let mut state = self.lock();
        loop {
            if let Some(found) = is_so(&mut state) {
                return Ok(found);
            }
            if state.has_ended {
                return Err(Failed::Ended);
            }
            let left = until.saturating_duration_since(now());
            if left.is_zero() {
                return Err(Failed::Late);
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for what has to become known of the tabs.
    pub(super) fn known<T>(&self, mut what: impl FnMut(&Tracker) -> Option<T>) -> Result<T, Failed> {
        self.until(|state| what(&state.tracker))
    }

    /// Waits until a tab counts as loaded; tells whether it does.
    pub(super) fn settle(&self, tab: u32, most: Duration) -> bool {
        let until = now() + most;
        let mut state = self.lock();
        loop {
            let time = now();
            let Some(waits) = state.tracker.waits(tab, time) else { return true };
            if state.has_ended || time >= until {
                return false;
            }
            state = self.0.changed.wait_timeout(state, waits).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits no longer than this for anything from now on.
    pub(super) fn wait_at_most(&self, patience: Duration) {
        self.lock().patience = patience;
    }

    /// How long is waited for anything.
    pub(super) fn patience(&self) -> Duration {
        self.lock().patience
    }

    /// Looks at what is known, or changes it.
    pub(super) fn with<T>(&self, what: impl FnOnce(&mut Tracker) -> T) -> T {
        what(&mut self.lock().tracker)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().has_ended
    }
}
