//! What providers say when they refuse, in the shapes they say it in; and how long they ask to wait.

use std::time::Duration;

use serde_json::Value;

use crate::{MAX_SHOWN_ERROR, ModelError};

/// What is said where a provider gives no reason.
const NO_REASON: &str = "no reason given";

/// Makes an error of an answer that is none. `after` is how long its header asks to wait.
pub(crate) fn refusal(status: u16, body: &[u8], after: Option<Duration>) -> ModelError {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => of_value(status, error_of(&value).unwrap_or(&value), after),
        Err(_) => of_words(status, "", plain(&String::from_utf8_lossy(body)), after),
    }
}

/// Returns the error in an answer, where it is one: inside of a stream, or with status 200.
pub(crate) fn in_answer(value: &Value) -> Option<ModelError> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let said = error_of(value).filter(|error| *error != &Value::Bool(false) && *error != &Value::from(""));
    if let Some(error) = said {
        return Some(of_value(200, error, None));
    }
    let alone = value.get("choices").is_none() && value.get("content").is_none();
    let named = text("type") == Some("error") || text("object") == Some("error");
    let bare = alone && value.get("type").is_none() && (value.get("detail").is_some() || text("message").is_some());
    (named || bare).then(|| of_value(200, value, None))
}

/// Returns the part of an answer that holds the error: `{"error": …}`, `[{"error": …}]` (Gemini), `{"errors": […]}`.
fn error_of(value: &Value) -> Option<&Value> {
    let value = value.as_array().and_then(|all| all.first()).unwrap_or(value);
    let error = value.get("error").or_else(|| value.get("errors")?.get(0))?;
    (!error.is_null()).then_some(error)
}

fn of_value(status: u16, error: &Value, after: Option<Duration>) -> ModelError {
    let name = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = format!("{} {} {}", name("type"), name("code"), name("status")).to_lowercase();
    let code = ["code", "status", "status_code"].into_iter().find_map(|name| {
        let code = error.get(name)?;
        code.as_u64().or_else(|| code.as_str()?.parse().ok()).and_then(|code| u16::try_from(code).ok())
    });
    let status = if status == 200 { code.filter(|code| (400..600).contains(code)).unwrap_or(200) } else { status };
    // A code is better than nothing.
    let named = || kind.split_whitespace().next().map(str::to_owned);
    let why = words(error).or_else(named).unwrap_or_else(|| NO_REASON.into());
    of_words(status, &kind, why, after.or_else(|| delay_of(error)))
}

fn of_words(status: u16, kind: &str, why: String, after: Option<Duration>) -> ModelError {
    let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    let for_good = has(&["insufficient_quota", "billing", "content_filter", "content_policy"])
        // Asked again as it is, it would be too long again.
        || (matches!(status, 200 | 500) && crate::providers::is_too_long(&why.to_lowercase()))
        || (status == 200
            && has(&["invalid", "authentication", "permission", "not_found", "unsupported", "badrequest"]));
    let passes = matches!(status, 200 | 408 | 409 | 425 | 429 | 500 | 502..=504 | 506..=599);
    if passes && !for_good { ModelError::Busy { status, why, after } } else { ModelError::Refused(status, why) }
}

/// Tells how long Google asks to wait, in the error itself (`google.rpc.RetryInfo`).
fn delay_of(error: &Value) -> Option<Duration> {
    let details = error.get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
}

/// Returns the words of an error, wherever they stand: a text, `message`, FastAPI's `detail` with its places.
fn words(error: &Value) -> Option<String> {
    let said = match error {
        Value::String(text) => plain(text),
        Value::Array(all) => {
            let all: Vec<String> = all.iter().take(3).filter_map(words).collect();
            all.join("; ")
        }
        Value::Object(fields) => {
            let first =
                ["message", "msg", "detail", "details", "error", "error_description", "reason", "title", "errors"];
            let text = first.iter().find_map(|name| words(fields.get(*name)?))?;
            match fields.get("loc").and_then(Value::as_array) {
                Some(place) => {
                    let place: Vec<String> = place
                        .iter()
                        .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
                        .collect();
                    format!("{}: {text}", place.join("."))
                }
                // The name of a field that is not taken, where the words leave it out.
                None => match fields.get("param").and_then(Value::as_str) {
                    Some(field) if !text.contains(field) => format!("{text} ({field})"),
                    _ => text,
                },
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    let said: String = said.chars().take(MAX_SHOWN_ERROR).collect();
    (!said.trim().is_empty()).then_some(said)
}

/// Returns words that came as they are; of a page, what it says.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut within = false;
    let page = text.trim_start().starts_with('<');
    for c in text.chars().take(16 * MAX_SHOWN_ERROR) {
        match c {
            '<' if page => within = true,
            '>' if page => {
                within = false;
                out.push(' ');
            }
            _ if within => {}
            other => out.push(other),
        }
    }
    let line = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(MAX_SHOWN_ERROR).collect();
    if line.is_empty() { NO_REASON.into() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_found_in_every_shape() {
        for (body, wanted) in [
            (r#"{"error":{"message":"model overloaded","type":"server_error"}}"#, "model overloaded"),
            (
                r#"{"error":"model \"x\" not found, try pulling it first"}"#,
                "model \"x\" not found, try pulling it first",
            ),
            (r#"{"detail":"Not Found"}"#, "Not Found"),
            (
                r#"{"detail":[{"loc":["body","temperature"],"msg":"Extra inputs are not permitted","type":"extra"}]}"#,
                "body.temperature: Extra inputs are not permitted",
            ),
            (r#"{"object":"error","message":{"detail":[{"loc":["body"],"msg":"bad"}]},"code":400}"#, "body: bad"),
            (r#"{"object":"error","message":"too long","type":"BadRequestError","code":400}"#, "too long"),
            (
                r#"[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]"#,
                "API key not valid",
            ),
            (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, "Overloaded"),
            (r#"{"error":{"message":"Unsupported value","param":"temperature"}}"#, "Unsupported value (temperature)"),
            ("<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", "502 Bad Gateway nginx"),
            ("upstream connect error", "upstream connect error"),
            (r#"{"error":{"type":"rate_limit_error","code":null}}"#, "rate_limit_error"),
            ("", "no reason given"),
            ("{}", "no reason given"),
        ] {
            let (ModelError::Busy { why, .. } | ModelError::Refused(_, why)) = refusal(500, body.as_bytes(), None)
            else {
                panic!("{body}")
            };
            assert_eq!(why, wanted, "{body}");
        }
    }

    #[test]
    fn a_wait_that_is_told_in_the_answer_is_read() {
        let google = r#"{"error":{"code":429,"message":"m","details":[{"@type":"x","retryDelay":"17s"}]}}"#;
        let ModelError::Busy { after, .. } = refusal(429, google.as_bytes(), None) else { panic!() };
        assert_eq!(after, Some(Duration::from_secs(17)));
    }

    #[test]
    fn what_another_try_does_not_help_is_refused() {
        let quota = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
        assert!(matches!(refusal(429, quota.as_bytes(), None), ModelError::Refused(429, _)));
        let value =
            serde_json::json!({"type": "error", "error": {"type": "authentication_error", "message": "bad key"}});
        assert!(matches!(in_answer(&value), Some(ModelError::Refused(200, _))));
        let value = serde_json::json!({"error": "the model is loaded with context length of only 4096 tokens"});
        assert!(matches!(in_answer(&value), Some(ModelError::Refused(200, _))));
        let value = serde_json::json!({"error": {"message": "slow down", "code": 429}});
        assert!(matches!(in_answer(&value), Some(ModelError::Busy { status: 429, .. })));
        for fine in [
            serde_json::json!({"choices": [], "error": null}),
            serde_json::json!({"type": "message_start", "message": {}}),
            serde_json::json!({"choices": [{"message": {"content": "x"}}], "detail": "y"}),
        ] {
            assert_eq!(in_answer(&fine), None, "{fine}");
        }
    }
}
