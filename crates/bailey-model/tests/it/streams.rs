//! Answers of many servers, written from their documents and from reports of what they send: no lost call, no lost text, clear errors.
//!
//! Servers: OpenAI, Azure, Anthropic, llama.cpp, Ollama, vLLM, LiteLLM, Mistral, Gemini's OpenAI endpoint, DeepSeek, OpenRouter.

use std::sync::Mutex;
use std::time::Duration;

use bailey_model::{
    Answer, AnthropicMessages, Body, Came, Heard, Model, ModelError, OpenAiChat, Response, Sending, Stop, Transport,
    Usage,
};
use futures_util::FutureExt as _;
use serde_json::Value;

/// **A double** of a server: answers with the bytes at hand, in pieces of a size.
pub(crate) struct Saying {
    pub(crate) status: u16,
    pub(crate) events: bool,
    pub(crate) after: Option<Duration>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) size: usize,
}

struct Pieces(std::vec::IntoIter<Vec<u8>>);

impl Body for Pieces {
    fn chunk(&mut self) -> Sending<'_, Result<Option<Vec<u8>>, ModelError>> {
        Box::pin(async { Ok(self.0.next()) })
    }
}

impl Transport for Saying {
    fn post(&self, _: &'static str, _: Vec<u8>) -> Sending<'_, Result<Response, ModelError>> {
        let pieces: Vec<Vec<u8>> = self.bytes.chunks(self.size).map(<[u8]>::to_vec).collect();
        let body = Box::new(Pieces(pieces.into_iter()));
        let (status, events, after) = (self.status, self.events, self.after);
        Box::pin(async move { Ok(Response { status, events, after, body }) })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wire {
    Chat,
    Anthropic,
}

fn asked(wire: Wire, saying: Saying, form: Option<&'static str>) -> (Result<Answer, ModelError>, String) {
    let heard = Mutex::new(String::new());
    let model: Box<dyn Model> = match wire {
        Wire::Chat => Box::new(OpenAiChat::new(Box::new(saying), "m".into())),
        Wire::Anthropic => Box::new(AnthropicMessages::new(Box::new(saying), "m".into())),
    };
    let hear = |piece: Heard<'_>| {
        if let Heard::Words(words) = piece {
            heard.lock().unwrap().push_str(words);
        }
    };
    let answer = model.ask(b"{}".to_vec(), form, &hear).now_or_never().unwrap();
    (answer, heard.into_inner().unwrap())
}

/// Asks in pieces of several sizes; every one has to come to the same.
fn answer(wire: Wire, events: bool, text: &str) -> Result<Answer, ModelError> {
    let once = |size| {
        let saying = Saying { status: 200, events, after: None, bytes: text.as_bytes().to_vec(), size };
        asked(wire, saying, None)
    };
    let (whole, heard) = once(usize::MAX);
    for size in [1, 7, 64] {
        assert_eq!(once(size).0, whole, "in pieces of {size}: {text}");
    }
    if let Ok(answer) = &whole
        && events
        && answer.thoughts.is_empty()
    {
        assert_eq!(heard.trim(), answer.text.trim(), "{text}");
    }
    whole
}

/// Lines of a stream, each an event.
fn sse(events: &[&str]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

fn delta(delta: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

fn finish(reason: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#)
}

fn call(index: &str, id: &str, name: &str, arguments: &str) -> String {
    let mut fields = Vec::new();
    if !index.is_empty() {
        fields.push(format!("\"index\":{index}"));
    }
    if !id.is_empty() {
        fields.push(format!("\"id\":\"{id}\",\"type\":\"function\""));
    }
    let name = if name.is_empty() { String::new() } else { format!("\"name\":\"{name}\",") };
    fields.push(format!("\"function\":{{{name}\"arguments\":{}}}", Value::from(arguments)));
    format!("{{{}}}", fields.join(","))
}

fn calls(pieces: &[String]) -> String {
    delta(&format!("{{\"tool_calls\":[{}]}}", pieces.join(",")))
}

/// Name and arguments of each call.
fn named(answer: &Answer) -> Vec<(&str, &str)> {
    answer.calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect()
}

const A: (&str, &str) = ("mail_read", r#"{"id":"a"}"#);
const B: (&str, &str) = ("mail_move", r#"{"id":"b"}"#);

#[test]
fn parallel_calls_are_two_calls_however_a_server_numbers_their_pieces() {
    let (a, b) = (A.1, B.1);
    let one = |index: &str, id: &str, of: (&str, &str)| calls(&[call(index, id, of.0, of.1)]);
    let piece = |index: &str, id: &str, text: &str| calls(&[call(index, id, "", text)]);
    let (a1, a2, b1, b2) = (&a[..5], &a[5..], &b[..5], &b[5..]);
    let table: Vec<(&str, Vec<String>)> = vec![
        (
            "OpenAI: index, name once",
            vec![
                calls(&[call("0", "c1", A.0, "")]),
                piece("0", "", a1),
                piece("0", "", a2),
                calls(&[call("1", "c2", B.0, "")]),
                piece("1", "", b1),
                piece("1", "", b2),
            ],
        ),
        ("Ollama, Gemini: both under index 0, whole", vec![one("0", "c1", A), one("0", "c2", B)]),
        (
            "LiteLLM: both under index 0, in pieces",
            vec![
                calls(&[call("0", "c1", A.0, "")]),
                piece("0", "", a1),
                piece("0", "", a2),
                calls(&[call("0", "c2", B.0, b1)]),
                piece("0", "", b2),
            ],
        ),
        (
            "both under index 0, interleaved by name",
            vec![
                calls(&[call("0", "c1", A.0, a1)]),
                calls(&[call("0", "c2", B.0, b1)]),
                piece("0", "c1", a2),
                piece("0", "c2", b2),
            ],
        ),
        (
            "interleaved by index",
            vec![
                calls(&[call("0", "c1", A.0, ""), call("1", "c2", B.0, "")]),
                calls(&[call("1", "", "", b1), call("0", "", "", a1)]),
                piece("0", "", a2),
                piece("1", "", b2),
            ],
        ),
        ("without index", vec![one("", "c1", A), one("", "c2", B)]),
        ("without index or name", vec![one("", "", A), one("", "", B)]),
        ("without index, both in one event", vec![calls(&[call("", "", A.0, a), call("", "", B.0, b)])]),
        (
            "without index, in pieces",
            vec![
                calls(&[call("", "c1", A.0, a1)]),
                piece("", "", a2),
                calls(&[call("", "c2", B.0, b1)]),
                piece("", "c2", b2),
            ],
        ),
        ("the same name for both, by index", vec![calls(&[call("0", "c", A.0, a)]), calls(&[call("1", "c", B.0, b)])]),
        (
            "a fresh name with each piece",
            vec![
                calls(&[call("0", "c1", A.0, a1)]),
                piece("0", "c7", a2),
                calls(&[call("1", "c2", B.0, b1)]),
                piece("1", "c9", b2),
            ],
        ),
        (
            "a piece without function",
            vec![
                calls(&[r#"{"index":0,"id":"c1","type":"function"}"#.into()]),
                calls(&[call("0", "", A.0, a)]),
                calls(&[call("1", "c2", B.0, b)]),
                calls(&[r#"{"index":1}"#.into()]),
            ],
        ),
        (
            "the tool with each piece",
            vec![
                calls(&[call("0", "c1", A.0, a1)]),
                calls(&[call("0", "c1", A.0, a2)]),
                calls(&[call("1", "", B.0, b1)]),
                calls(&[call("1", "", B.0, b2)]),
            ],
        ),
        (
            "arguments as JSON, null first",
            vec![
                calls(&[r#"{"index":0,"id":"c1","function":{"name":"mail_read","arguments":null}}"#.into()]),
                calls(&[r#"{"index":0,"function":{"name":null,"arguments":{"id":"a"}}}"#.into()]),
                calls(&[r#"{"index":"1","id":"c2","function":{"name":"mail_move","arguments":{"id":"b"}}}"#.into()]),
            ],
        ),
    ];
    for (server, mut events) in table {
        events.push(finish("tool_calls"));
        events.push("[DONE]".into());
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let answer = answer(Wire::Chat, true, &sse(&events)).unwrap_or_else(|error| panic!("{server}: {error}"));
        assert_eq!(named(&answer), [A, B], "{server}");
        assert!(answer.calls[0].id != answer.calls[1].id, "{server}");
    }
    // The same tool twice, with the same and with other arguments.
    for second in [A, (A.0, r#"{"id":"z"}"#)] {
        let events = [one("0", "c1", A), one("0", "c2", second), finish("stop")];
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        assert_eq!(named(&answer(Wire::Chat, true, &sse(&events)).unwrap()), [A, second]);
    }
    let whole = format!(
        r#"{{"choices":[{{"message":{{"content":null,"tool_calls":[{},{}]}},"finish_reason":"tool_calls"}}]}}"#,
        call("0", "", A.0, a),
        call("0", "", B.0, b)
    );
    assert_eq!(named(&answer(Wire::Chat, false, &whole).unwrap()), [A, B]);
}

#[test]
fn words_come_through_whatever_else_a_server_sends() {
    let (hel, lo) = (delta(r#"{"role":"assistant","content":"Hel"}"#), delta(r#"{"content":"lo"}"#));
    let (hel, lo, stop) = (hel.as_str(), lo.as_str(), finish("stop"));
    let stop = stop.as_str();
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
    let whole = r#"{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#;
    let table: Vec<(&str, bool, String)> = vec![
        ("OpenAI", true, sse(&[hel, lo, stop, usage, "[DONE]"])),
        ("no [DONE]", true, sse(&[hel, lo, stop])),
        ("no reason, [DONE]", true, sse(&[hel, lo, "[DONE]"])),
        ("the last without a blank line", true, sse(&[hel, lo, stop]).trim_end().to_owned()),
        ("text/plain", false, sse(&[hel, lo, stop, "[DONE]"])),
        ("text/plain, the last without a blank line", false, sse(&[hel, lo, stop]).trim_end().to_owned()),
        ("no blank lines at all", true, sse(&[hel, lo, stop, "[DONE]"]).replace("\n\n", "\n")),
        ("CRLF and comments", true, format!(": hi\r\n\r\n{}", sse(&[hel, lo, stop])).replace('\n', "\r\n")),
        ("a byte order mark", true, format!("\u{feff}\n{}", sse(&[hel, lo, stop]))),
        ("whole, though a stream was asked for", false, whole.to_owned()),
        ("whole, called a stream", true, whole.to_owned()),
        ("Azure: filter results first", true, {
            let first = r#"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#;
            let filter =
                r#"{"choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{"start_offset":1}}]}"#;
            sse(&[first, hel, filter, lo, stop, "[DONE]"])
        }),
        ("delta null, choices null with usage", true, {
            let null = r#"{"choices":[{"index":0,"delta":null,"finish_reason":null}]}"#;
            sse(&[null, hel, lo, stop, r#"{"choices":null,"usage":{"prompt_tokens":7,"completion_tokens":3}}"#])
        }),
        ("delta null with the reason", true, {
            sse(&[hel, lo, r#"{"choices":[{"delta":null,"finish_reason":"stop"}]}"#])
        }),
        ("an event that is no JSON", true, sse(&[hel, "ping", ": still here", lo, stop, "[DONE]"])),
        ("content in parts", true, {
            let parts = r#"{"content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]}"#;
            sse(&[&delta(parts), stop])
        }),
        ("words of another choice", true, {
            sse(&[hel, r#"{"choices":[{"index":1,"delta":{"content":"NOT THIS"}}]}"#, lo, stop])
        }),
        ("another choice first", true, {
            let both = r#"{"choices":[{"index":1,"delta":{"content":"NO"}},{"index":0,"delta":{"content":"lo"}}]}"#;
            sse(&[hel, both, stop])
        }),
        ("all of it once more", true, sse(&[hel, lo, whole])),
        ("message for delta", true, {
            sse(&[r#"{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#])
        }),
        ("calls null", true, sse(&[&delta(r#"{"content":"Hello","tool_calls":null,"function_call":null}"#), stop])),
        ("no error", true, sse(&[r#"{"error":null,"choices":[{"delta":{"content":"Hello"}}]}"#, stop])),
        ("more behind the end", true, sse(&[hel, lo, "[DONE]", "not this"])),
    ];
    for (server, events, text) in table {
        let answer = answer(Wire::Chat, events, &text).unwrap_or_else(|error| panic!("{server}: {error}"));
        assert_eq!((answer.text.as_str(), answer.stop), ("Hello", Stop::Ended), "{server}");
        let usage = if text.contains("prompt_tokens") { Usage { input: 7, output: 3 } } else { Usage::default() };
        assert_eq!(answer.usage, usage, "{server}");
    }
}

#[test]
fn thoughts_are_no_words_and_are_kept_as_they_came() {
    let stop = finish("stop");
    let table = [
        (
            "DeepSeek, llama.cpp",
            "reasoning_content",
            vec![delta(r#"{"reasoning_content":"h"}"#), delta(r#"{"reasoning_content":"m"}"#)],
        ),
        ("OpenRouter, Ollama", "reasoning", vec![delta(r#"{"reasoning":"hm","reasoning_details":[{"text":"hm"}]}"#)]),
        ("both names", "reasoning_content", vec![delta(r#"{"reasoning":"hm","reasoning_content":"hm"}"#)]),
        ("among the words", "<think>", vec![delta(r#"{"content":"<th"}"#), delta(r#"{"content":"ink>hm</think>\n"}"#)]),
    ];
    for (server, name, mut events) in table {
        events.extend([delta(r#"{"content":"Yes."}"#), stop.clone()]);
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let answer = answer(Wire::Chat, true, &sse(&events)).unwrap();
        assert_eq!(answer.text, "Yes.", "{server}");
        let thoughts: Vec<_> =
            answer.thoughts.iter().map(|one| (one.name.as_str(), one.raw.as_str().unwrap())).collect();
        assert_eq!(thoughts, [(name, "hm")], "{server}");
    }
    let mistral = delta(
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"Yes."}]}"#,
    );
    assert_eq!(answer(Wire::Chat, true, &sse(&[&mistral, &stop])).unwrap().text, "Yes.");
    let only = delta(r#"{"reasoning_content":"hm"}"#);
    let silent = answer(Wire::Chat, true, &sse(&[&only, &stop])).unwrap();
    assert_eq!((silent.text.as_str(), silent.thoughts.len()), ("", 1));
    let gemini = calls(&[
        r#"{"index":0,"id":"c1","function":{"name":"t","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s=="}}}"#
            .into(),
    ]);
    let signed = answer(Wire::Chat, true, &sse(&[&gemini, &finish("tool_calls")])).unwrap();
    assert_eq!(
        (signed.thoughts[0].at, signed.thoughts[0].raw["google"]["thought_signature"].as_str()),
        (1, Some("s=="))
    );
}

#[test]
fn answers_say_why_they_ended() {
    let said = delta(r#"{"content":"Half a sen"}"#);
    for (reason, wanted) in [
        ("stop", Stop::Ended),
        ("tool_calls", Stop::Ended),
        ("eos", Stop::Ended),
        ("length", Stop::Length),
        ("max_tokens", Stop::Length),
        ("model_length", Stop::Length),
        ("content_filter", Stop::Filtered),
        ("SAFETY", Stop::Filtered),
    ] {
        assert_eq!(answer(Wire::Chat, true, &sse(&[&said, &finish(reason)])).unwrap().stop, wanted, "{reason}");
    }
    let refused = delta(r#"{"content":null,"refusal":"I cannot help with that."}"#);
    let refused = answer(Wire::Chat, true, &sse(&[&refused, &finish("stop")])).unwrap();
    assert_eq!((refused.stop, refused.text.as_str()), (Stop::Refused, "I cannot help with that."));
    for (reason, wanted) in [
        ("end_turn", Stop::Ended),
        ("stop_sequence", Stop::Ended),
        ("tool_use", Stop::Ended),
        ("max_tokens", Stop::Length),
        ("model_context_window_exceeded", Stop::Length),
        ("refusal", Stop::Refused),
        ("pause_turn", Stop::Paused),
    ] {
        let delta =
            format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}"}},"usage":{{"output_tokens":1}}}}"#);
        let text = sse(&[BEGUN, TEXT, HI, &delta, STOP]);
        assert_eq!(answer(Wire::Anthropic, true, &text).unwrap().stop, wanted, "{reason}");
        let whole =
            format!(r#"{{"type":"message","content":[{{"type":"text","text":"Hi"}}],"stop_reason":"{reason}"}}"#);
        assert_eq!(answer(Wire::Anthropic, false, &whole).unwrap().stop, wanted, "{reason}");
    }
}

const BEGUN: &str =
    r#"{"type":"message_start","message":{"usage":{"input_tokens":9,"cache_read_input_tokens":90,"output_tokens":1}}}"#;
const TEXT: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const HI: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#;
const ENDED: &str = r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":12}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

fn tool_use(index: &str, id: &str, name: &str) -> String {
    format!(
        r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"tool_use","id":"{id}","name":"{name}","input":{{}}}}}}"#
    )
}

fn json_delta(index: &str, piece: &str) -> String {
    let index = if index.is_empty() { String::new() } else { format!("\"index\":{index},") };
    format!(
        r#"{{"type":"content_block_delta",{index}"delta":{{"type":"input_json_delta","partial_json":{}}}}}"#,
        Value::from(piece)
    )
}

#[test]
fn blocks_of_anthropic_come_together_by_their_index() {
    let (a, b) = (A.1, B.1);
    let (a1, a2, b1, b2) = (&a[..5], &a[5..], &b[..5], &b[5..]);
    let (begin_a, begin_b) = (tool_use("1", "c1", A.0), tool_use("2", "c2", B.0));
    let end = |index: &str| format!(r#"{{"type":"content_block_stop","index":{index}}}"#);
    let table: Vec<(&str, Vec<String>)> = vec![
        (
            "one after the other",
            vec![
                begin_a.clone(),
                json_delta("1", a1),
                json_delta("1", a2),
                end("1"),
                begin_b.clone(),
                json_delta("2", b),
                end("2"),
            ],
        ),
        (
            "interleaved",
            vec![
                begin_a.clone(),
                begin_b.clone(),
                json_delta("1", a1),
                json_delta("2", b1),
                json_delta("1", a2),
                json_delta("2", b2),
            ],
        ),
        ("the second before the first", vec![begin_a.clone(), begin_b.clone(), json_delta("2", b), json_delta("1", a)]),
        (
            "without index",
            vec![begin_a.clone(), json_delta("", a1), json_delta("", a2), begin_b.clone(), json_delta("", b)],
        ),
        (
            "an index twice",
            vec![tool_use("1", "c1", A.0), json_delta("1", a), tool_use("1", "c2", B.0), json_delta("1", b)],
        ),
        ("whole at the beginning", vec![begin_a.replace("{}", a), begin_b.replace("{}", b)]),
    ];
    for (server, blocks) in table {
        let mut events = vec![BEGUN, TEXT, r#"{"type":"ping"}"#, HI];
        events.extend(blocks.iter().map(String::as_str));
        events.extend([ENDED, STOP]);
        let answer = answer(Wire::Anthropic, true, &sse(&events)).unwrap_or_else(|error| panic!("{server}: {error}"));
        assert_eq!(named(&answer), [A, B], "{server}");
        assert_eq!((answer.text.as_str(), answer.usage), ("Hi", Usage { input: 99, output: 12 }), "{server}");
    }
    let nobody = sse(&[BEGUN, TEXT, HI, &json_delta("4", a), ENDED, STOP]);
    assert!(matches!(answer(Wire::Anthropic, true, &nobody), Err(ModelError::Garbled(_))));
    let at_text = sse(&[BEGUN, TEXT, &tool_use("1", "c", A.0), &json_delta("0", a), ENDED, STOP]);
    assert!(matches!(answer(Wire::Anthropic, true, &at_text), Err(ModelError::Garbled(_))));
    let null = r#"{"type":"content_block_delta","index":0,"delta":null}"#;
    assert_eq!(answer(Wire::Anthropic, true, &sse(&[BEGUN, TEXT, null, HI, ENDED])).unwrap().text, "Hi");
    let named_events =
        format!("event: message_start\ndata: {BEGUN}\n\nevent: x\ndata: {TEXT}\n\ndata: {HI}\n\ndata: {ENDED}");
    assert_eq!(answer(Wire::Anthropic, false, &named_events).unwrap().text, "Hi");
}

#[test]
fn thoughts_of_anthropic_keep_their_place_and_their_signature() {
    let begin =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#;
    let piece = |name: &str, text: &str| {
        format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"{name}_delta","{name}":"{text}"}}}}"#)
    };
    let redacted =
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"xyz"}}"#;
    let events = [
        BEGUN,
        begin,
        &piece("thinking", "h"),
        &piece("thinking", "m"),
        &piece("signature", "sig=="),
        redacted,
        &tool_use("2", "c1", A.0),
        &json_delta("2", A.1),
        ENDED,
        STOP,
    ];
    let answer = answer(Wire::Anthropic, true, &sse(&events)).unwrap();
    assert_eq!((answer.text.as_str(), named(&answer)), ("", vec![A]));
    let thoughts: Vec<_> = answer.thoughts.iter().map(|one| (one.at, one.raw.clone())).collect();
    let wanted = [
        (0, serde_json::json!({"signature": "sig==", "thinking": "hm", "type": "thinking"})),
        (0, serde_json::json!({"data": "xyz", "type": "redacted_thinking"})),
    ];
    assert_eq!(thoughts, wanted);
}

#[test]
fn errors_say_what_the_provider_said_and_whether_another_try_may_help() {
    let said = delta(r#"{"content":"Hal"}"#);
    for (wire, events, text, wanted, again) in [
        (
            Wire::Anthropic,
            true,
            sse(&[BEGUN, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#]),
            "Overloaded",
            true,
        ),
        (
            Wire::Anthropic,
            false,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}"#.into(),
            "bad",
            false,
        ),
        (
            Wire::Chat,
            true,
            sse(&[&said, r#"{"error":{"message":"CUDA out of memory","code":500}}"#]),
            "CUDA out of memory",
            true,
        ),
        (
            Wire::Chat,
            true,
            sse(&[&said, r#"{"error":"context deadline exceeded"}"#]),
            "context deadline exceeded",
            true,
        ),
        (Wire::Chat, false, r#"{"error":"model \"x\" not found"}"#.into(), "model \"x\" not found", true),
        (
            Wire::Chat,
            false,
            r#"{"detail":[{"loc":["body","model"],"msg":"field required"}]}"#.into(),
            "body.model: field required",
            true,
        ),
        (Wire::Chat, true, sse(&[r#"{"object":"error","message":"too long","code":400}"#]), "too long", false),
        (Wire::Chat, true, sse(&[&said]), "broke off", true),
        (Wire::Chat, true, String::new(), "empty", false),
        (Wire::Chat, false, "<html><body>Bad gateway</body></html>".into(), "<html>", false),
        (Wire::Chat, false, "{}".into(), "no choice", false),
        (Wire::Chat, true, "hello\nthere\n".into(), "no event", false),
        (Wire::Chat, false, r#"{"choices":[{"message":{"tool_calls":[{}]}}]}"#.into(), "names no tool", false),
    ] {
        let error = answer(wire, events, &text).unwrap_err();
        assert!(error.to_string().contains(wanted), "{text}: {error}");
        let may_help = matches!(error, ModelError::Busy { .. } | ModelError::Unreachable(_));
        assert_eq!(may_help, again, "{text}: {error}");
    }
    let after = Some(Duration::from_secs(10));
    for (status, body, wanted) in [
        (429, r#"{"error":{"message":"slow down"}}"#, Ok(after)),
        (529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Ok(after)),
        (503, "Service Unavailable", Ok(after)),
        (429, r#"{"error":{"message":"no money","code":"insufficient_quota"}}"#, Err(429)),
        (404, r#"{"detail":"Not Found"}"#, Err(404)),
        (401, "", Err(401)),
    ] {
        let saying = Saying { status, events: false, after, bytes: body.as_bytes().to_vec(), size: 9 };
        match (asked(Wire::Chat, saying, None).0.unwrap_err(), wanted) {
            (ModelError::Busy { status: got, after, .. }, Ok(wanted)) => assert_eq!((got, after), (status, wanted)),
            (ModelError::Refused(got, _), Err(wanted)) => assert_eq!(got, wanted),
            (error, wanted) => panic!("{status} {body}: {error:?}, not {wanted:?}"),
        }
    }
}

#[test]
fn a_piece_that_broke_is_said_and_no_call_is_made_of_the_rest() {
    let (said, more, stop) = (delta(r#"{"content":"Hel"}"#), delta(r#"{"content":"lo"}"#), finish("stop"));
    let broken = r#"{"choices":[{"index":0,"delta":{"content":" brok"#;
    let answered = answer(Wire::Chat, true, &sse(&[&said, broken, &more, &stop])).unwrap();
    assert_eq!((answered.text.as_str(), answered.stop), ("Hello", Stop::Gap));
    let wants = calls(&[call("0", "c", A.0, A.1)]);
    assert!(matches!(answer(Wire::Chat, true, &sse(&[&wants, broken, &stop])), Err(ModelError::Unreachable(_))));
}

#[test]
fn answers_are_bounded() {
    let many = vec![r#"{"function":{"name":"t","arguments":"{}"}}"#; 65].join(",");
    let whole = format!(r#"{{"choices":[{{"message":{{"tool_calls":[{many}]}}}}]}}"#);
    assert!(matches!(answer(Wire::Chat, false, &whole), Err(ModelError::Garbled(_))));
    let long = delta(&format!("{{\"content\":\"{}\"}}", "x".repeat(300_000)));
    let saying =
        |text: String| Saying { status: 200, events: true, after: None, bytes: text.into_bytes(), size: 65_536 };
    let endless = sse(&[&long, &long, &finish("stop")]);
    assert!(matches!(asked(Wire::Chat, saying(endless), None).0, Err(ModelError::Garbled(_))));
}

#[test]
fn a_form_is_found_as_words_and_as_a_call() {
    let json = delta(r#"{"content":"```json\n{\"kind\":\"bill\"}\n```"}"#);
    let bytes = sse(&[&json, &finish("stop")]).into_bytes();
    let saying = |bytes| Saying { status: 200, events: true, after: None, bytes, size: 7 };
    let (form, heard) = asked(Wire::Chat, saying(bytes), Some("kind"));
    assert_eq!((form.unwrap().text.as_str(), heard.as_str()), (r#"{"kind":"bill"}"#, ""));
    let called = sse(&[BEGUN, &tool_use("0", "c", "kind"), &json_delta("0", r#"{"kind":"bill"}"#), ENDED]).into_bytes();
    assert_eq!(asked(Wire::Anthropic, saying(called), Some("kind")).0.unwrap().text, r#"{"kind":"bill"}"#);
}

/// How a server numbers the pieces of its calls.
#[derive(Clone, Copy, Debug)]
enum Numbering {
    /// By index, the name with the first piece.
    Index,
    /// By name with every piece, all under one index.
    Name,
    /// By index and name with every piece.
    Both,
    /// One after the other, nothing behind the first piece.
    Order,
    /// One after the other, all under one index, the name with the first piece.
    OneIndex,
}

#[test]
fn arguments_never_arrive_at_another_call_however_pieces_are_mixed() {
    let cases = std::env::var("BAILEY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300_u64);
    for seed in 0..cases {
        let mut random = fastrand::Rng::with_seed(seed);
        let numbering = [Numbering::Index, Numbering::Name, Numbering::Both, Numbering::Order, Numbering::OneIndex];
        let numbering = numbering[random.usize(..numbering.len())];
        let wanted: Vec<(String, String)> = (0..random.usize(1..6))
            .map(|n| {
                let words: String = (0..random.usize(..20))
                    .map(|_| *random.choice(&['a', '"', '{', '\\', '\u{fc}']).unwrap())
                    .collect();
                (format!("tool{}", random.usize(..2)), serde_json::json!({"n": n, "words": words}).to_string())
            })
            .collect();
        // Each call's pieces in their order: what is sent of it, and whether it is the first.
        let mut queues: Vec<std::collections::VecDeque<(usize, String, bool)>> = wanted
            .iter()
            .enumerate()
            .map(|(n, (_, arguments))| {
                let size = random.usize(1..8);
                let all: Vec<char> = arguments.chars().collect();
                let mut pieces: Vec<String> = all.chunks(size).map(|piece| piece.iter().collect()).collect();
                pieces.insert(0, String::new());
                pieces.into_iter().enumerate().map(|(at, piece)| (n, piece, at == 0)).collect()
            })
            .collect();
        let in_order = matches!(numbering, Numbering::Order | Numbering::OneIndex);
        let (mut events, mut begun) = (Vec::new(), 0);
        while queues.iter().any(|queue| !queue.is_empty()) {
            let open: Vec<usize> = (0..queues.len()).filter(|n| !queues[*n].is_empty()).collect();
            // Calls begin in their order; their pieces come as they come.
            let n = if in_order { open[0] } else { open[random.usize(..open.len())].min(begun) };
            let Some((n, piece, first)) = queues[n].pop_front() else { continue };
            begun = begun.max(n + usize::from(first));
            let (index, id) = (n.to_string(), format!("id{n}"));
            let name = if first { wanted[n].0.as_str() } else { "" };
            let (index, id) = match numbering {
                Numbering::Index => (index.as_str(), if first { id.as_str() } else { "" }),
                Numbering::Name => ("0", id.as_str()),
                Numbering::Both => (index.as_str(), id.as_str()),
                Numbering::Order => ("", if first { id.as_str() } else { "" }),
                Numbering::OneIndex => ("0", if first { id.as_str() } else { "" }),
            };
            events.push(calls(&[call(index, id, name, &piece)]));
        }
        events.push(finish("tool_calls"));
        let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        let saying = Saying {
            status: 200,
            events: true,
            after: None,
            bytes: text.clone().into_bytes(),
            size: random.usize(1..200),
        };
        let answer = asked(Wire::Chat, saying, None).0.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let got: Vec<(String, String)> = answer.calls.into_iter().map(|call| (call.name, call.arguments)).collect();
        assert_eq!(got, wanted, "seed {seed}, {numbering:?}: {text}");
    }
}

#[test]
fn how_much_came_of_an_answer_that_breaks_off_is_told() {
    let begun = r#"{"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}"#;
    let words = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#;
    let thought = r#"{"choices":[{"index":0,"delta":{"reasoning_content":"why"}}]}"#;
    let said = r#"{"choices":[{"index":0,"delta":{"content":"Hello"}}]}"#;
    let usage = |input, output| Usage { input, output };
    let whole = r#"{"choices":[{"mess"#;
    for (wire, status, text, came) in [
        (Wire::Anthropic, 200, sse(&[begun, words]), Some((5, usage(7, 1)))),
        (Wire::Chat, 200, sse(&[thought, said]), Some((8, usage(0, 0)))),
        (Wire::Chat, 200, sse(&[said, "{\"error\":\"no room\"}"]), Some((5, usage(0, 0)))),
        (Wire::Chat, 200, whole.into(), Some((whole.len(), usage(0, 0)))),
        (Wire::Chat, 200, String::new(), Some((0, usage(0, 0)))),
        (Wire::Chat, 503, whole.into(), None),
    ] {
        let heard = Mutex::new(None);
        let saying = Saying { status, events: true, after: None, bytes: text.as_bytes().to_vec(), size: 16 };
        let model: Box<dyn Model> = match wire {
            Wire::Chat => Box::new(OpenAiChat::new(Box::new(saying), "m".into())),
            Wire::Anthropic => Box::new(AnthropicMessages::new(Box::new(saying), "m".into())),
        };
        let hear = |piece: Heard<'_>| {
            if let Heard::Came(came) = piece {
                *heard.lock().unwrap() = Some(came);
            }
        };
        model.ask(b"{}".to_vec(), None, &hear).now_or_never().unwrap().unwrap_err();
        assert_eq!(heard.into_inner().unwrap(), came.map(|(bytes, usage)| Came { bytes, usage }), "{text}");
    }
}
