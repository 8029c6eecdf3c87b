//! Calls of a Chat Completions stream, put together from their pieces by index *and* name.
//!
//! Servers number the pieces in many ways: two calls under one index with names of their own (Ollama, LiteLLM, Gemini), no index
//! (older llama.cpp, proxies), no name behind the first piece (OpenAI), a fresh name with each piece, whole calls in one piece.

use serde_json::{Map, Value};

use crate::{ModelError, ToolCall};

/// A call as it comes together.
#[derive(Debug, Default)]
struct Open {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    extra: Option<Value>,
}

impl Open {
    fn is_complete(&self) -> bool {
        serde_json::from_str::<Map<String, Value>>(&self.arguments).is_ok()
    }
}

/// A piece of a call.
struct Piece<'a> {
    index: Option<u64>,
    id: &'a str,
    name: &'a str,
    arguments: String,
}

impl<'a> Piece<'a> {
    fn of(value: &'a Value) -> Self {
        let function = value.get("function").filter(|function| function.is_object()).unwrap_or(value);
        let text = |of: &'a Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default();
        let index = value.get("index").and_then(|index| index.as_u64().or_else(|| index.as_str()?.parse().ok()));
        // Most servers send the arguments as a string that holds JSON, some as JSON.
        let arguments = match function.get("arguments").or_else(|| function.get("parameters")) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        Self { index, id: text(value, "id"), name: text(function, "name"), arguments }
    }

    /// Tells whether a piece begins another call than this one.
    fn is_another(&self, open: &Open) -> bool {
        let named = !self.name.is_empty() && !open.name.is_empty();
        named && (open.name != self.name || (open.is_complete() && !self.arguments.is_empty()))
    }
}

/// Calls that are whole, and what their server wants back with some of them, by their place.
type Finished = (Vec<ToolCall>, Vec<(usize, Value)>);

/// The calls of an answer.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    open: Vec<Open>,
    pub(crate) size: usize,
}

impl Calls {
    pub(crate) const fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes the pieces of one event, or the calls of a whole answer.
    pub(crate) fn take(&mut self, pieces: &[Value], whole: bool) -> Result<(), ModelError> {
        for (place, value) in pieces.iter().enumerate().filter(|(_, value)| value.is_object()) {
            let piece = Piece::of(value);
            let meant = if whole { None } else { self.meant(&piece, (pieces.len() > 1).then_some(place)) };
            let open = match meant.and_then(|at| self.open.get_mut(at)) {
                Some(open) => open,
                None => {
                    // One more than are taken is enough to refuse them all.
                    if self.open.len() > crate::MAX_CALLS {
                        continue;
                    }
                    self.open.push(Open { index: piece.index, ..Open::default() });
                    let Some(open) = self.open.last_mut() else { continue };
                    open
                }
            };
            self.size += piece.arguments.len() + piece.name.len() + piece.id.len();
            if open.id.is_empty() {
                open.id = piece.id.to_owned();
            }
            if open.name.is_empty() {
                open.name = piece.name.to_owned();
            }
            open.arguments.push_str(&piece.arguments);
            if let Some(extra) = value.get("extra_content").filter(|extra| !extra.is_null()) {
                self.size += extra.to_string().len();
                open.extra = Some(extra.clone());
            }
        }
        Ok(())
    }

    /// Returns the call that a piece belongs to; none where it begins one. `place` is its place among several of one event.
    fn meant(&self, piece: &Piece<'_>, place: Option<usize>) -> Option<usize> {
        let last = |fits: &dyn Fn(&Open) -> bool| self.open.iter().rposition(fits);
        let continues = |at: usize| self.open.get(at).is_some_and(|open| !piece.is_another(open)).then_some(at);
        let by_index = || piece.index.and_then(|index| last(&|open| open.index == Some(index)));
        if !piece.id.is_empty() {
            if let Some(at) = last(&|open| open.id == piece.id) {
                let other = self.open.get(at).is_some_and(|open| {
                    piece.index.is_some() && open.index.is_some() && open.index != piece.index && !piece.name.is_empty()
                });
                return if other { None } else { continues(at) };
            }
            // A name that nobody knows, and no tool: some servers draw a fresh one for each piece.
            if piece.name.is_empty() {
                return by_index()
                    .or_else(|| if piece.index.is_none() { self.open.len().checked_sub(1) } else { None });
            }
            let at = by_index()?;
            return self.open.get(at).is_some_and(|open| open.id.is_empty()).then_some(at).and_then(continues);
        }
        match (piece.index, place) {
            (Some(_), _) => by_index().and_then(continues),
            (None, Some(place)) if piece.name.is_empty() => (place < self.open.len()).then_some(place),
            (None, _) => self.open.len().checked_sub(1).and_then(continues),
        }
    }

    /// Returns the calls, each with a name of its own.
    pub(crate) fn finish(self) -> Result<Finished, ModelError> {
        let (mut calls, mut extras): (Vec<ToolCall>, _) = (Vec::new(), Vec::new());
        let had_some = !self.open.is_empty();
        for open in self.open {
            if open.name.is_empty() && open.arguments.is_empty() {
                continue;
            }
            let place = calls.len();
            let taken = |id: &str| calls.iter().any(|call| call.id == id);
            let id = if open.id.is_empty() { format!("call-{place}") } else { open.id };
            let id = if taken(&id) { format!("{id}-{place}") } else { id };
            extras.extend(open.extra.map(|extra| (place, extra)));
            calls.push(ToolCall { id, name: named(open.name), arguments: unwrapped(open.arguments) });
        }
        if had_some && calls.is_empty() {
            return Err(ModelError::Garbled("a call names no tool".into()));
        }
        Ok((calls, extras))
    }
}

/// Returns a tool's name; of one that has none, a word that is no tool's, so that the model hears that there is none.
pub(crate) fn named(name: String) -> String {
    if name.trim().is_empty() { "unnamed".to_owned() } else { name }
}

/// Arguments that were written as JSON twice, once.
fn unwrapped(arguments: String) -> String {
    match serde_json::from_str::<String>(&arguments) {
        Ok(inner) if serde_json::from_str::<Map<String, Value>>(&inner).is_ok() => inner,
        Ok(_) | Err(_) => arguments,
    }
}
