//! Calendars over CalDAV (RFC 4791): look at a span of time, read one entry, write or remove one entry if it is unchanged.

use std::sync::Arc;
use std::time::Duration;

use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Etag, Href, Writing};
use bailey_gate::family::{Action, Level};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Outcome};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::json;

use crate::exit::Exit;
use crate::http_guard::{HttpStream, Request};
use crate::net::connect;
use crate::oauth::Login;
use crate::settings::{CalendarSettings, Settings};
use crate::{Vault, VaultError, words};

/// How long one request may take.
const WITHIN: Duration = Duration::from_secs(60);
/// Longest answer taken.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Entries told of at once; a fortnight with more is read in parts.
const MAX_ENTRIES: usize = 100;

/// An entry as it lies on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its text.
    pub entry: Entry,
    /// Its version.
    pub etag: Etag,
}

struct Answer {
    status: u16,
    etag: Option<String>,
    body: Vec<u8>,
}

struct Ask<'a> {
    method: &'static str,
    href: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    writes: bool,
}

impl Vault {
    pub(crate) async fn do_calendar(&self, claimed: &Claimed) -> Outcome {
        match &claimed.content().action {
            Action::Calendar(CalendarAction::Read { from, until }) => {
                match self.read_span(claimed, *from, *until).await {
                    Ok(found) => Outcome::new(Effect::Done, found),
                    Err(why) => Outcome::new(Effect::NotExecuted, why),
                }
            }
            Action::Calendar(CalendarAction::Write(writing)) => self.write(claimed, writing).await,
            Action::Mail(_) | Action::Home(_) | Action::Tool(_) => {
                Outcome::new(Effect::NotExecuted, "this is no calendar action")
            }
        }
    }

    async fn write(&self, claimed: &Claimed, writing: &Writing) -> Outcome {
        let guard = match &writing.change {
            Change::Create { .. } => ("if-none-match", "*".to_owned()),
            Change::Replace { etag, .. } | Change::Cancel { etag, .. } => ("if-match", etag.as_str().to_owned()),
        };
        let mut headers = vec![guard];
        if writing.after().is_some() {
            headers.push(("content-type", "text/calendar; charset=utf-8".into()));
        }
        let method = if writing.after().is_some() { "PUT" } else { "DELETE" };
        let ask = Ask { method, href: writing.href.as_str(), headers, body: claimed.artefact().to_vec(), writes: true };
        let answer = match self.calendar_of(claimed.account(), "write", Level::Full).await {
            Err(error) => Err(error.to_string()),
            Ok((settings, login)) => self.ask_server(&settings, &login, Exit::Claim(claimed.trigger()), ask).await,
        };
        match answer {
            Err(why) if claimed.trigger().is_spent() => {
                Outcome::new(Effect::Unknown, format!("the calendar server did not confirm: {why}"))
            }
            Err(why) => Outcome::new(Effect::NotExecuted, why),
            Ok(Answer { status: 412, .. }) => Outcome::new(
                Effect::Refused,
                "the entry was changed meanwhile, or something lies at its place; nothing was written",
            ),
            Ok(Answer { status: 200..=299, etag, .. }) => {
                Outcome::new(Effect::Done, format!("{SAVED}{}", etag.unwrap_or_default()))
            }
            Ok(Answer { status: 400..=499, .. }) => {
                Outcome::new(Effect::Refused, "the calendar server refused it; nothing was written")
            }
            Ok(Answer { status, .. }) => {
                Outcome::new(Effect::Unknown, format!("the calendar server answered with status {status}"))
            }
        }
    }

    async fn read_span(&self, claimed: &Claimed, from: i64, until: i64) -> Result<String, String> {
        let (settings, login) =
            self.calendar_of(claimed.account(), "look", Level::Read).await.map_err(|error| error.to_string())?;
        let found = self.report(&settings, &login, Exit::Claim(claimed.trigger()), from, until).await?;
        let more = found.len().saturating_sub(MAX_ENTRIES);
        let entries: Vec<_> = found.iter().take(MAX_ENTRIES).map(|(href, entry)| told(href, entry)).collect();
        Ok(json!({"entries": entries, "more": more}).to_string())
    }

    async fn report(
        &self,
        settings: &CalendarSettings,
        login: &Login,
        exit: Exit,
        from: i64,
        until: i64,
    ) -> Result<Vec<(String, Entry)>, String> {
        let (start, end) = (utc(from)?, utc(until)?);
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop><D:getetag/><C:calendar-data><C:expand start=\"{start}\" end=\"{end}\"/></C:calendar-data></D:prop><C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\"><C:time-range start=\"{start}\" end=\"{end}\"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
        );
        let headers = vec![("depth", "1".to_owned()), ("content-type", "application/xml; charset=utf-8".to_owned())];
        let ask = Ask { method: "REPORT", href: &settings.path, headers, body: body.into_bytes(), writes: false };
        let answer = self.ask_server(settings, login, exit, ask).await?;
        if answer.status != 207 {
            return Err(refusal(answer.status));
        }
        entries(&answer.body)
    }

    /// One entry as it is now, for preparing a change of it.
    pub async fn entry(
        &self,
        account: Option<(ConnectionId, u64)>,
        href: &Href,
        egress: SystemEgress,
    ) -> Result<Option<Stored>, VaultError> {
        let (settings, login) = self.calendar_of(account, "look", Level::Read).await?;
        if !lies_below(href.as_str(), &settings.path) {
            return Err(VaultError::Refused("this is not an entry of the connected calendar".into()));
        }
        let exit = Exit::System(Arc::clone(&self.lock), egress);
        let ask = Ask { method: "GET", href: href.as_str(), headers: Vec::new(), body: Vec::new(), writes: false };
        let answer = self.until_cut(self.ask_server(&settings, &login, exit, ask)).await?;
        match answer.status {
            404 | 410 => Ok(None),
            200 => {
                let unreadable = |_| VaultError::Refused("the entry cannot be read".into());
                let entry = Entry::new(&String::from_utf8_lossy(&answer.body)).map_err(unreadable)?;
                let etag = Etag::new(&answer.etag.unwrap_or_default()).map_err(unreadable)?;
                Ok(Some(Stored { entry, etag }))
            }
            status => Err(VaultError::Refused(refusal(status))),
        }
    }

    /// Looks at a new calendar: whether it answers to the credential.
    pub(crate) async fn look_at_calendar(&self, settings: &CalendarSettings, login: &Login) -> Result<(), VaultError> {
        let exit = Exit::System(Arc::clone(&self.lock), SystemEgress::Preparation);
        self.until_cut(self.report(settings, login, exit, 0, 86_400)).await.map(|_| ())
    }

    async fn calendar_of(
        &self,
        account: Option<(ConnectionId, u64)>,
        wanted: &'static str,
        needed: Level,
    ) -> Result<(CalendarSettings, Login), VaultError> {
        let (id, settings) = self.authorise(account, wanted, needed)?;
        let login = self.login(&id, &settings).await?;
        match settings {
            Settings::Calendar(calendar) => Ok((calendar, login)),
            Settings::Mail(_) | Settings::Model(_) => {
                Err(VaultError::Settings("this connection is no calendar".into()))
            }
        }
    }

    async fn ask_server(
        &self,
        settings: &CalendarSettings,
        login: &Login,
        exit: Exit,
        ask: Ask<'_>,
    ) -> Result<Answer, String> {
        let work = self.exchange(settings, login, exit, ask);
        tokio::time::timeout(WITHIN, work)
            .await
            .unwrap_or_else(|_| Err("the calendar server did not answer in time".into()))
    }

    async fn exchange(
        &self,
        settings: &CalendarSettings,
        login: &Login,
        exit: Exit,
        ask: Ask<'_>,
    ) -> Result<Answer, String> {
        let link = connect(&settings.server, &self.trust, &exit).await?;
        let request = if ask.writes {
            Request::Write { line: format!("{} {} HTTP/1.1", ask.method, ask.href), body: ask.body.clone() }
        } else {
            Request::Look
        };
        let stream = HttpStream::new(link, exit, request);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| words(&error))?;
        let mut builder = hyper::Request::builder().method(ask.method).uri(ask.href);
        builder = builder
            .header("host", format!("{}:{}", settings.server.host, settings.server.port))
            .header("connection", "close");
        let secret = match login {
            Login::None => None,
            Login::Password { user, password } => {
                Some(format!("Basic {}", BASE64.encode(format!("{user}:{}", password.as_str()))))
            }
            Login::Bearer { token, .. } => Some(format!("Bearer {}", token.as_str())),
        };
        if let Some(secret) = secret {
            builder = builder.header("authorization", secret);
        }
        for (name, value) in ask.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(Bytes::from(ask.body))).map_err(|error| error.to_string())?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| words(&error))?;
            let status = response.status().as_u16();
            let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| error.to_string())?;
            Ok(Answer { status, etag, body: body.to_bytes().to_vec() })
        };
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            // The connection may end before the answer is read to its end; what it left behind is still there.
            _ = connection => exchange.await,
        }
    }
}

/// Whether a path lies in a folder, however either of them is escaped.
fn lies_below(path: &str, folder: &str) -> bool {
    let (path, folder) = (unescaped(path), unescaped(folder));
    path.starts_with(&folder) && !path.split(|byte| *byte == b'/').any(|part| part == b"..")
}

/// RFC 3986, 2.1; what is no escape stays as it is.
fn unescaped(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *byte == b'%') {
            Some(escaped) => {
                out.push(escaped);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

/// How the outcome of a write begins; the new version follows.
pub const SAVED: &str = "saved, version ";

fn refusal(status: u16) -> String {
    match status {
        401 | 403 => {
            "the calendar server refused to let us in; the password or the permission may have been taken back".into()
        }
        404 => "the calendar server has no such calendar; check its address".into(),
        other => format!("the calendar server answered with status {other}"),
    }
}

fn utc(seconds: i64) -> Result<String, String> {
    let moment = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    Ok(moment.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// An entry as the model reads it.
fn told(href: &str, entry: &Entry) -> serde_json::Value {
    let one = |name: &str| {
        entry.property(name).map(|value| value.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";"))
    };
    json!({
        "id": href,
        "what": one("SUMMARY"),
        "begins": one("DTSTART"),
        "ends": one("DTEND"),
        "where": one("LOCATION"),
        "guests": entry.guests().len(),
    })
}

/// The entries of a multistatus answer (RFC 4918, 13); those that cannot be read are left out.
pub fn entries(xml: &[u8]) -> Result<Vec<(String, Entry)>, String> {
    use quick_xml::events::Event;
    let broken = |error: &dyn std::fmt::Display| format!("the calendar server's answer cannot be read: {error}");
    let xml = String::from_utf8_lossy(xml);
    let mut reader = quick_xml::Reader::from_str(&xml);
    let (mut href, mut data, mut within) = (String::new(), String::new(), Vec::<String>::new());
    let mut out = Vec::new();
    loop {
        let text = match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(start) => {
                within.push(start.local_name().as_ref().to_owned());
                if within.last().is_some_and(|name| name == "response") {
                    (href, data) = (String::new(), String::new());
                }
                None
            }
            Event::End(end) => {
                if end.local_name().as_ref() == "response"
                    && let Ok(entry) = Entry::new(&data)
                {
                    out.push((href.clone(), entry));
                }
                within.pop();
                None
            }
            Event::Text(text) => Some(text.xml10_content().into_owned()),
            Event::CData(text) => Some(text.xml10_content().into_owned()),
            Event::GeneralRef(reference) => Some(resolve(&reference)),
            Event::Eof => return Ok(out),
            _ => None,
        };
        if let Some(text) = text {
            match within.last().map(String::as_str) {
                Some("href") => href.push_str(text.trim()),
                Some("calendar-data") => data.push_str(&text),
                _ => {}
            }
        }
    }
}

/// `&amp;` and the like, and characters by number; nothing that a document could define for itself.
fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match reference.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_a_folder() {
        assert!(lies_below("/me%40x/c/1.ics", "/me@x/c/") && lies_below("/me@x/c/1.ics", "/me%40x/c/"));
        for bad in ["/me@x/d/1.ics", "/me@x/c", "/me@x/c/../d/1.ics", "/me@x/c/%2e%2e/d/1.ics", "/"] {
            assert!(!lies_below(bad, "/me@x/c/"), "{bad}");
        }
    }

    #[test]
    fn multistatus_answers() {
        let entry = "BEGIN:VCALENDAR&#13;\nBEGIN:VEVENT\nSUMMARY:a &amp; b\nEND:VEVENT\nEND:VCALENDAR\n";
        let xml = format!(
            "<?xml version='1.0'?><multistatus xmlns='DAV:'><response><href>/c/1.ics</href><propstat><prop><C:calendar-data xmlns:C='x'>{entry}</C:calendar-data></prop></propstat></response><response><href>/c/2.ics</href></response></multistatus>"
        );
        let found = entries(xml.as_bytes()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0.as_str(), found[0].1.property("SUMMARY").as_deref()), ("/c/1.ics", Some("a & b")));
        assert!(entries(b"<a><b></a>").is_err());
        assert_eq!(entries(b"").unwrap(), vec![]);
    }
}
