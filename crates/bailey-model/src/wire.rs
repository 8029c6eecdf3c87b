//! What both wire formats share: a body is posted, and the answer is read as it arrives, within bounds.

use serde_json::Value;

use crate::{
    Answer, Body, Came, Hear, Heard, MAX_ANSWER_BYTES, MAX_CALLS, MAX_STREAM_BYTES, ModelError, Response, Stop,
    ToolCall, Transport, Usage, errors, sse,
};

/// What reads one wire format's answers, piece by piece.
pub(crate) trait Reader: Default + Send {
    /// Takes one event of a stream, whose data is JSON.
    fn event(&mut self, data: &Value) -> Result<(), ModelError>;
    /// Takes a whole answer that did not come as a stream.
    fn whole(&mut self, body: &Value) -> Result<(), ModelError>;
    /// Notes that the stream says it is over.
    fn done(&mut self);
    /// Returns the words, arguments and calls so far, in bytes: what [`MAX_ANSWER_BYTES`] bounds.
    fn size(&self) -> usize;
    /// Returns the words so far.
    fn words(&self) -> &str;
    /// Returns what the provider counted so far.
    fn usage(&self) -> Usage;
    /// Returns the answer. Thoughts in it are marked as those of `by`.
    fn finish(self, by: &str) -> Result<Answer, ModelError>;
}

/// A request on its way.
pub(crate) struct Exchange<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) path: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) form: Option<&'static str>,
    pub(crate) hear: Hear<'a>,
    /// The model, as its thoughts are marked.
    pub(crate) by: &'a str,
}

/// Posts a body and reads the answer; where a form was asked for, its words are that form's JSON.
pub(crate) async fn exchange<R: Reader>(ask: Exchange<'_>) -> Result<Answer, ModelError> {
    let (form, by) = (ask.form, ask.by);
    let mut answer = arriving::<R>(ask).await?.finish(by)?;
    if let Some(form) = form {
        // Some formats have it called like a tool: its arguments are the answer.
        answer.text = match answer.calls.iter().position(|call| call.name == form) {
            Some(at) => answer.calls.remove(at).arguments,
            None => formed(&answer.text, form),
        };
    }
    Ok(answer)
}

/// Posts a body and reads the answer as it arrives; stops at every limit. Whether it is a stream or one JSON text is seen from how
/// it begins: what servers call it is not to be relied on.
async fn arriving<R: Reader>(ask: Exchange<'_>) -> Result<R, ModelError> {
    let Response { status, after, mut body, .. } = ask.transport.post(ask.path, ask.body).await?;
    if !(200..300).contains(&status) {
        let body = rest(&mut *body, Vec::new(), &|_| {}).await.unwrap_or_default();
        return Err(errors::refusal(status, &body, after));
    }
    (ask.hear)(Heard::Came(Came::default()));
    let mut begun = Vec::new();
    while begins(&begun).is_none() {
        let Some(chunk) = body.chunk().await? else { break };
        begun.extend(chunk);
    }
    let mut reader = R::default();
    if begins(&begun).is_none_or(|first| matches!(first, b'{' | b'[' | b'<')) {
        let all = rest(&mut *body, begun, ask.hear).await?;
        let value = serde_json::from_slice(&all).map_err(|error| garbled(&error, &all))?;
        if let Some(error) = errors::in_answer(&value) {
            return Err(error);
        }
        reader.whole(&value)?;
        if reader.size() > MAX_ANSWER_BYTES {
            return Err(ModelError::Garbled("it is far longer than was asked for".into()));
        }
        if ask.form.is_none() {
            (ask.hear)(Heard::Words(reader.words()));
        }
        return Ok(reader);
    }
    stream(reader, &mut *body, begun, ask.hear, ask.form.is_none()).await
}

/// Reads a stream of events; `aloud` is whether its words are told as they come.
async fn stream<R: Reader>(
    mut reader: R,
    body: &mut dyn Body,
    begun: Vec<u8>,
    hear: Hear<'_>,
    aloud: bool,
) -> Result<R, ModelError> {
    let (mut lines, mut taken, mut heard) = (sse::Events::default(), 0, 0);
    let mut seen = Seen::default();
    let mut chunk = Some(begun);
    while let Some(bytes) = chunk {
        taken += bytes.len();
        let read = lines.push(&bytes).and_then(|events| seen.all(&mut reader, &events));
        hear(Heard::Came(Came { bytes: reader.size(), usage: reader.usage() }));
        read?;
        heard = told(&reader, hear, aloud, heard);
        if taken > MAX_STREAM_BYTES || reader.size() > MAX_ANSWER_BYTES {
            return Err(ModelError::Garbled("it does not end".into()));
        }
        // Some servers keep the connection open behind the end.
        chunk = if seen.over { None } else { body.chunk().await? };
    }
    let read = seen.all(&mut reader, &lines.finish());
    hear(Heard::Came(Came { bytes: reader.size(), usage: reader.usage() }));
    read?;
    told(&reader, hear, aloud, heard);
    match seen {
        Seen { events: 0, strange: Some(strange), .. } => {
            Err(ModelError::Garbled(format!("it begins with `{strange}`")))
        }
        Seen { events: 0, .. } => Err(ModelError::Garbled("it holds no event".into())),
        _ => Ok(reader),
    }
}

/// Tells the words that were not told yet; gives how many bytes were by now.
fn told<R: Reader>(reader: &R, hear: Hear<'_>, aloud: bool, heard: usize) -> usize {
    match reader.words().get(heard..) {
        Some(fresh) if aloud && !fresh.is_empty() => {
            hear(Heard::Words(fresh));
            heard + fresh.len()
        }
        _ => heard,
    }
}

/// What a stream brought.
#[derive(Default)]
struct Seen {
    /// Events that were understood.
    events: usize,
    /// How one began that was not.
    strange: Option<String>,
    over: bool,
}

impl Seen {
    /// Takes the data of several events, up to the first that makes no sense.
    fn all<R: Reader>(&mut self, reader: &mut R, events: &[String]) -> Result<(), ModelError> {
        events.iter().try_for_each(|data| self.take(reader, data))
    }

    /// Takes the data of an event. Some servers leave out the blank line between two; some send what is no JSON to keep the
    /// connection alive.
    fn take<R: Reader>(&mut self, reader: &mut R, data: &str) -> Result<(), ModelError> {
        if serde_json::from_str::<Value>(data).is_ok() || !data.contains('\n') {
            return self.line(reader, data.trim());
        }
        data.split('\n').try_for_each(|line| self.line(reader, line.trim()))
    }

    fn line<R: Reader>(&mut self, reader: &mut R, data: &str) -> Result<(), ModelError> {
        if self.over || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            reader.done();
            (self.over, self.events) = (true, self.events + 1);
            return Ok(());
        }
        match serde_json::from_str::<Value>(data) {
            Ok(value) if value.is_object() || value.is_array() => {
                self.events += 1;
                errors::in_answer(&value).map_or(Ok(()), Err)?;
                reader.event(&value)
            }
            // A piece of the answer that broke on its way.
            Err(_) if data.starts_with('{') => reader.event(&Value::Null),
            Ok(_) | Err(_) => {
                self.strange.get_or_insert_with(|| data.chars().take(40).collect());
                Ok(())
            }
        }
    }
}

/// Returns the first byte that counts.
fn begins(bytes: &[u8]) -> Option<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// Reads a body to its end, and tells how much of it came.
async fn rest(body: &mut dyn Body, begun: Vec<u8>, hear: Hear<'_>) -> Result<Vec<u8>, ModelError> {
    let came = |bytes| hear(Heard::Came(Came { bytes, usage: Usage::default() }));
    let mut out = begun;
    came(out.len());
    while let Some(chunk) = body.chunk().await? {
        out.extend(chunk);
        came(out.len());
        if out.len() > MAX_STREAM_BYTES {
            return Err(ModelError::Garbled("it does not end".into()));
        }
    }
    Ok(out)
}

/// Returns the answer to a question that had a form: servers that do not hold a model to it leave the JSON among words, in a
/// fence, or as a call written out.
fn formed(text: &str, shape: &str) -> String {
    let objects = text.match_indices('{').filter_map(|(at, _)| {
        let rest = text.get(at..)?;
        let value = serde_json::Deserializer::from_str(rest).into_iter::<Value>().next()?.ok()?;
        value.is_object().then_some(value)
    });
    let Some(found) = objects.take(1).next() else { return text.to_owned() };
    let called = found.get("name").and_then(Value::as_str) == Some(shape);
    match found.get("arguments") {
        Some(arguments) if called => arguments.to_string(),
        Some(_) | None => found.to_string(),
    }
}

/// Returns a count of tokens, however it was written: only shown and added up, so what makes no sense counts as nothing.
pub(crate) fn count(of: &Value, names: &[&str]) -> u64 {
    let counts = names.iter().filter_map(|name| of.get(*name)?.as_u64());
    counts.fold(0, u64::saturating_add)
}

fn garbled(error: &serde_json::Error, body: &[u8]) -> ModelError {
    let text = String::from_utf8_lossy(body);
    let begins: String = text.trim().chars().take(40).collect();
    if begins.is_empty() {
        return ModelError::Garbled("it is empty".into());
    }
    ModelError::Garbled(format!("it begins with `{begins}` ({error})"))
}

/// Tells why an answer has ended, as both formats and their many servers call it.
pub(crate) fn stop_of(reason: &str) -> Stop {
    match reason.to_lowercase().as_str() {
        "length" | "max_tokens" | "model_length" | "max_output_tokens" | "model_context_window_exceeded" | "limit" => {
            Stop::Length
        }
        "content_filter"
        | "safety"
        | "recitation"
        | "blocklist"
        | "prohibited_content"
        | "spii"
        | "guardrail_intervened" => Stop::Filtered,
        "refusal" => Stop::Refused,
        "pause_turn" => Stop::Paused,
        _ => Stop::Ended,
    }
}

/// Checks what a reader has put together. `gaps` counts pieces that were lost on the way.
pub(crate) fn checked(mut answer: Answer, ended: bool, gaps: usize) -> Result<Answer, ModelError> {
    if !ended {
        return Err(ModelError::Unreachable("its answer broke off".into()));
    }
    if answer.calls.len() > MAX_CALLS {
        return Err(ModelError::Garbled(format!("it wants more than {MAX_CALLS} calls at once")));
    }
    if gaps > 0 {
        // What was lost may be a part of what it wants done.
        if !answer.calls.is_empty() {
            return Err(ModelError::Unreachable("a piece of its answer was lost on the way".into()));
        }
        answer.stop = Stop::Gap;
    }
    Ok(answer)
}

/// Longest name of a tool that is sent back, in characters (OpenAI, "Function calling").
const MAX_NAME_CHARS: usize = 64;

/// Returns the name of a called tool as it is sent back: letters, digits, `_` and `-`, whatever the model wrote. Servers
/// refuse anything else, each time anew.
pub(crate) fn sendable_name(call: &ToolCall) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let name: String = call.name.chars().take(MAX_NAME_CHARS).map(plain).collect();
    if name.is_empty() { "unnamed".into() } else { name }
}

/// Returns the arguments of a call as they are sent back: an object, whatever the model wrote. Servers refuse anything else,
/// each time anew.
pub(crate) fn sendable(call: &ToolCall) -> String {
    let is_object = serde_json::from_str::<serde_json::Map<String, Value>>(&call.arguments).is_ok();
    if is_object { call.arguments.clone() } else { "{}".into() }
}

#[cfg(test)]
mod tests {
    use super::formed;

    #[test]
    fn a_form_is_found_among_words() {
        for text in [
            r#"{"kind":"bill"}"#,
            "```json\n{\"kind\": \"bill\"}\n```",
            "Sure: {\"kind\":\"bill\"} as you asked",
            r#"{{"name": "kind", "arguments": {"kind": "bill"}}}"#,
        ] {
            assert_eq!(formed(text, "kind"), r#"{"kind":"bill"}"#, "{text}");
        }
        for none in ["", "no form", "{", "[1]"] {
            assert_eq!(formed(none, "kind"), none);
        }
    }
}
