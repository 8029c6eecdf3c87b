//! What authorization servers say, read: pure functions. Servers differ from the standards in known ways; where what is meant
//! is clear, it is taken.

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::VaultError;
use crate::preset;

/// Where the person's browser is sent back to; the port is chosen anew each time (RFC 8252, 7.3).
pub(crate) const CALLBACK: &str = "/oauth/callback";
/// Longest life of a token that is believed, in seconds: ten years.
const MAX_LIFE_SECONDS: i64 = 10 * 366 * 86_400;
/// Longest name of an error.
const MAX_ERROR_CHARS: usize = 40;

/// What an authorization server says of itself (RFC 8414, OpenID Connect Discovery).
#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    #[serde(default)]
    pub(crate) revocation_endpoint: Option<String>,
}

impl Metadata {
    /// Tells where it wants to be asked.
    pub fn addresses(&self) -> impl Iterator<Item = &String> {
        [&self.authorization_endpoint, &self.token_endpoint].into_iter().chain(&self.revocation_endpoint)
    }
}

/// Tokens as they were granted (RFC 6749, 5.1).
#[derive(Debug)]
pub struct Granted {
    pub(crate) access_token: Zeroizing<String>,
    pub(crate) refresh_token: Option<Zeroizing<String>>,
    /// Seconds; none where the server does not tell.
    pub(crate) expires_in: Option<i64>,
    /// Scopes that were granted; none where they are those that were asked for.
    pub(crate) scopes: Option<Vec<String>>,
}

/// Why a token request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// The sign-in is over: only the person can sign in again. The server's name for it.
    Over(String),
    /// The server cannot answer now.
    Busy(String),
    /// It refused. Its name for it.
    Refused(String),
    /// The answer is none.
    NotUnderstood,
}

/// Lists the addresses at which a server may say what it is, the usual one first: OpenID Connect Discovery 1.0, 4.1, and
/// RFC 8414, 3.1, which puts the path of the issuer behind the well-known part; some put it before.
#[must_use]
pub fn metadata_addresses(issuer: &str) -> Vec<String> {
    const NAMES: [&str; 2] = ["openid-configuration", "oauth-authorization-server"];
    let issuer = issuer.trim_end_matches('/');
    let host_ends = issuer.find("://").map_or(0, |at| at + 3);
    let path_at = issuer.get(host_ends..).and_then(|rest| rest.find('/')).map_or(issuer.len(), |at| host_ends + at);
    let (host, path) = issuer.split_at(path_at);
    let mut out: Vec<String> = Vec::new();
    for name in NAMES {
        let inserted = format!("{host}/.well-known/{name}{path}");
        let appended = format!("{issuer}/.well-known/{name}");
        // Each in the way of its own standard first.
        let both = if name == NAMES[0] { [appended, inserted] } else { [inserted, appended] };
        for address in both {
            if !out.contains(&address) {
                out.push(address);
            }
        }
    }
    out
}

/// Tells whether it is `https://…`, or `http://` on this machine, of the characters of RFC 3986 and no others: it is shown on a terminal.
fn is_address(text: &str) -> bool {
    (text.starts_with("https://") || is_here(text))
        && text.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c))
        && !text.contains('@')
}

/// Tells whether an address is one of this machine, without TLS.
fn is_here(text: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|start| text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])))
}

/// Characters of a server's words that are repeated.
const MAX_REPEATED: usize = 200;

/// Returns what `issuer` says of itself.
pub fn read_metadata(body: &[u8], issuer: &str) -> Result<Metadata, String> {
    let metadata: Metadata = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    // RFC 8414, 3.3: anyone could claim to be another.
    if !preset::is_issuer(issuer, &metadata.issuer) {
        let named: String = metadata.issuer.chars().take(MAX_REPEATED).collect();
        return Err(format!("it calls itself `{}`", bailey_gate::family::escape::visible(&named)));
    }
    if metadata.addresses().any(|endpoint| !is_address(endpoint)) {
        return Err("one of its addresses is none".into());
    }
    // A server elsewhere names no address of this machine: we would speak there for it.
    if !is_here(issuer) && metadata.addresses().any(|endpoint| is_here(endpoint)) {
        return Err("one of its addresses is on this machine, where it is not itself".into());
    }
    Ok(metadata)
}

/// Reads the answer to a token request. A number may be written as text, a list of scopes as a list, the whole as a form; the
/// type of the token may be missing; an error may come with a status that says all is well.
pub fn read_granted(status: u16, body: &[u8]) -> Result<Granted, Denied> {
    let value = fields(body);
    let text = |name: &str| match value.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    };
    if let Some(error) = error_of(&value) {
        return Err(match error.as_str() {
            // The last three are how OpenID providers say that the person has to be there.
            "invalid_grant" | "interaction_required" | "login_required" | "consent_required" => Denied::Over(error),
            "temporarily_unavailable" | "server_error" | "slow_down" => Denied::Busy(error),
            _ if is_busy(status) => Denied::Busy(error),
            _ => Denied::Refused(error),
        });
    }
    if is_busy(status) {
        return Err(Denied::Busy(format!("status {status}")));
    }
    if !(200..300).contains(&status) {
        return Err(Denied::Refused("no reason given".into()));
    }
    // A token of another type could not be shown as a bearer's (RFC 6750).
    if text("token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(Denied::Refused("token_type".into()));
    }
    let access_token = text("access_token").filter(|token| is_token(token)).ok_or(Denied::NotUnderstood)?;
    let refresh_token = text("refresh_token").map(Zeroizing::new);
    let scopes = value.get("scope").and_then(scopes);
    let expires_in = ["expires_in", "expires"].into_iter().find_map(|name| seconds(value.get(name)?));
    Ok(Granted { access_token: Zeroizing::new(access_token), refresh_token, expires_in, scopes })
}

/// Returns what a token is made of (RFC 6749, A.12).
fn is_token(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn is_busy(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 520..=524)
}

/// Returns the members of a JSON object, or of a form.
fn fields(body: &[u8]) -> Value {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => value,
        _ => {
            let text = std::str::from_utf8(body).unwrap_or_default().trim();
            let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
            Value::Object(pairs.filter_map(|(name, value)| Some((decode(name)?, decode(value)?.into()))).collect())
        }
    }
}

/// Returns the standard's name of an error, and nothing else: the body may repeat what was sent.
fn error_of(value: &Value) -> Option<String> {
    let error = value.get("error")?;
    let name = error.as_str().or_else(|| error.get("code").and_then(Value::as_str)).unwrap_or("no reason given");
    if name.is_empty() {
        return None;
    }
    Some(name_of(name))
}

fn name_of(error: &str) -> String {
    error.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ')).take(MAX_ERROR_CHARS).collect()
}

fn scopes(value: &Value) -> Option<Vec<String>> {
    let split = |text: &str| -> Vec<String> {
        text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
    };
    match value {
        Value::String(text) => Some(split(text)),
        Value::Array(all) => Some(all.iter().filter_map(Value::as_str).flat_map(split).collect()),
        _ => None,
    }
}

/// Seconds as a number, whole or not, or as text.
fn seconds(value: &Value) -> Option<i64> {
    let seconds = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)),
        Value::String(text) => text.trim().parse::<f64>().ok().filter(|s| s.is_finite()).map(|seconds| seconds as i64),
        _ => None,
    };
    seconds.filter(|seconds| *seconds > 0).map(|seconds| seconds.min(MAX_LIFE_SECONDS))
}

pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Tells which of the scopes asked for were not granted. Permission to renew, and to say who one is, is never said to be
/// missing.
pub fn missing<'a>(asked: &'a [String], granted: &[String]) -> Vec<&'a str> {
    // Microsoft names some by their last part alone, and in other letters.
    let last = |scope: &str| scope.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default().to_lowercase();
    let same = |asked: &str, given: &str| {
        asked.eq_ignore_ascii_case(given)
            || (asked.contains("://") && !given.contains("://") && last(asked) == last(given))
    };
    let needed = asked.iter().map(String::as_str).filter(|scope| !matches!(*scope, "offline_access" | "openid"));
    needed.filter(|asked| !granted.iter().any(|given| same(asked, given))).collect()
}

/// Tries what a browser brings back: the code of the sign-in with this `state` at this `issuer`. `None` for anything that is not the
/// answer to it: a wrong `state` is someone else's doing, and ends nothing.
pub fn read_callback(line: &str, state: &str, issuer: &str) -> Option<Result<Zeroizing<String>, VaultError>> {
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let query = target.strip_prefix(CALLBACK)?.strip_prefix('?')?;
    let fields: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(name, value)| Some((decode(name)?, decode(value)?)))
        .collect();
    let one = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let same = one("state").is_some_and(|brought| {
        aws_lc_rs::constant_time::verify_slices_are_equal(brought.as_bytes(), state.as_bytes()).is_ok()
    });
    if !same {
        return None;
    }
    // RFC 9207: an answer in the name of another server is a mix-up.
    if one("iss").is_some_and(|named| !preset::is_issuer(issuer, named)) {
        return Some(Err(VaultError::Refused(
            "the answer came in the name of another authorization server; nothing was connected".into(),
        )));
    }
    if let Some(error) = one("error") {
        return Some(Err(VaultError::Refused(format!("the sign-in was refused: {}", name_of(error)))));
    }
    one("code").map(|code| Ok(Zeroizing::new(code.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(body: &str) -> Granted {
        read_granted(200, body.as_bytes()).unwrap()
    }

    #[test]
    fn token_answers_of_many_servers_are_read() {
        for (body, seconds) in [
            (r#"{"access_token":"a","token_type":"Bearer","expires_in":3600}"#, Some(3_600)),
            (r#"{"access_token":"a","token_type":"bearer","expires_in":"3599"}"#, Some(3_599)),
            (r#"{"access_token":"a","expires_in":3600.0,"ext_expires_in":"3600"}"#, Some(3_600)),
            (r#"{"access_token":"a","expires_in":null,"refresh_token":null,"scope":null}"#, None),
            (r#"{"access_token":"a","expires_in":0}"#, None),
            (r#"{"access_token":"a","expires_in":"soon"}"#, None),
            (r#"{"access_token":"a","expires_in":1e300}"#, Some(MAX_LIFE_SECONDS)),
            (r#"{"access_token":"a","error":""}"#, None),
            ("\u{feff}{\"access_token\":\"a\",\"expires_in\":60}", Some(60)),
            ("access_token=a&expires_in=5184000&token_type=bearer", Some(5_184_000)),
            ("access_token=a&expires=60\r\n", Some(60)),
        ] {
            let read = granted(body);
            assert_eq!((read.access_token.as_str(), read.expires_in), ("a", seconds), "{body}");
        }
        let form = granted("access_token=ya29.%2Fx&refresh_token=r%2B1&scope=a+b%2Cc");
        assert_eq!(form.access_token.as_str(), "ya29./x");
        assert_eq!(form.refresh_token.unwrap().as_str(), "r+1");
        for body in [
            r#"{"access_token":"a","scope":"x y"}"#,
            r#"{"access_token":"a","scope":["x","y"]}"#,
            r#"{"access_token":"a","scope":"x,y"}"#,
        ] {
            assert_eq!(granted(body).scopes, Some(vec!["x".to_owned(), "y".to_owned()]), "{body}");
        }
        assert!(granted(r#"{"access_token":"a","refresh_token":""}"#).refresh_token.is_none());
        assert!(read_granted(201, br#"{"access_token":"a"}"#).is_ok());
    }

    #[test]
    fn refusals_say_whether_the_sign_in_is_over() {
        let over = |name: &str| Denied::Over(name.into());
        let busy = |name: &str| Denied::Busy(name.into());
        let refused = |name: &str| Denied::Refused(name.into());
        for (status, body, expected) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"AADSTS70008: token=secret"}"#,
                over("invalid_grant"),
            ),
            (200, r#"{"error":"invalid_grant"}"#, over("invalid_grant")),
            (400, "error=invalid_grant", over("invalid_grant")),
            (401, r#"{"error":"interaction_required"}"#, over("interaction_required")),
            (401, r#"{"error":"invalid_client"}"#, refused("invalid_client")),
            (400, r#"{"error":{"code":"bad_verification_code"}}"#, refused("bad_verification_code")),
            (503, "<html>Service Unavailable</html>", busy("status 503")),
            (429, "", busy("status 429")),
            (504, r#"{"error":"gateway"}"#, busy("gateway")),
            (400, r#"{"error":"temporarily_unavailable"}"#, busy("temporarily_unavailable")),
            (403, "<html>", refused("no reason given")),
            (302, "", refused("no reason given")),
            (200, "<html>sign in</html>", Denied::NotUnderstood),
            (200, "{}", Denied::NotUnderstood),
            (200, "[]", Denied::NotUnderstood),
            (200, "{\"access_token\":\"a\\nb\"}", Denied::NotUnderstood),
            (200, r#"{"access_token":"a","token_type":"mac"}"#, refused("token_type")),
        ] {
            assert_eq!(read_granted(status, body.as_bytes()).unwrap_err(), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_server_is_asked_at_each_address_a_standard_names() {
        assert_eq!(
            metadata_addresses("https://example.org/tenant/"),
            [
                "https://example.org/tenant/.well-known/openid-configuration",
                "https://example.org/.well-known/openid-configuration/tenant",
                "https://example.org/.well-known/oauth-authorization-server/tenant",
                "https://example.org/tenant/.well-known/oauth-authorization-server",
            ]
        );
        assert_eq!(metadata_addresses("http://127.0.0.1:80").len(), 2);
    }

    #[test]
    fn scopes_are_compared_as_servers_name_them() {
        let asked = ["https://outlook.office.com/SMTP.Send", "mail.read", "offline_access"].map(str::to_owned);
        let missing_of =
            |given: &[&str]| missing(&asked, &given.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).join(" ");
        assert_eq!(missing_of(&["https://outlook.office.com/smtp.send", "mail.read"]), "");
        assert_eq!(missing_of(&["SMTP.Send", "mail.read", "profile"]), "");
        assert_eq!(
            missing_of(&["https://graph.example/SMTP.Send", "mail.read"]),
            "https://outlook.office.com/SMTP.Send"
        );
        assert_eq!(missing_of(&["SMTP.Send"]), "mail.read");
    }
}
