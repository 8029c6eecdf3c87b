//! Requests of the home's own, such as those to a model provider: named system egress, every write of which is refused
//! while everything is paused.

use std::borrow::Cow;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bailey_gate::handoff::{HandoffLock, SystemEgress};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use crate::Server;
use crate::egress::{EgressAuthority, Guarded};
use crate::net::{Trust, connect};

/// Longest answer taken, in bytes: a model's longest, many times over.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// How long an answer may take: a small machine writes a few words a second.
const ANSWER_WITHIN: Duration = Duration::from_secs(600);
/// How long a model may be silent: it reads a long request before its first word.
const SILENCE_WITHIN: Duration = Duration::from_secs(300);
/// How long the short exchanges of signing in and revoking may take.
const SHORT_WITHIN: Duration = Duration::from_secs(20);

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address is not one.
    #[error("`{0}` is not an address of the form http://host:port/path")]
    Address(String),
    /// Not reached, or broken off.
    #[error("{0}")]
    Broken(String),
    /// Everything is paused, or was meanwhile.
    #[error("everything is paused")]
    Paused,
}

/// A client for one base URL and one kind of system egress.
#[derive(Debug, Clone)]
pub struct SystemClient {
    base: Uri,
    server: Server,
    authority: EgressAuthority,
    resets: watch::Receiver<u64>,
    trust: Trust,
}

/// The form of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    UrlEncoded,
    Octets,
    /// Signed JSON (RFC 7515), as ACME wants it.
    Jose,
}

impl SystemClient {
    pub(crate) fn new(
        base: &str,
        lock: Arc<HandoffLock>,
        resets: watch::Receiver<u64>,
        egress: SystemEgress,
        trust: Trust,
    ) -> Result<Self, HttpError> {
        let bad = || HttpError::Address(base.chars().take(200).collect());
        let uri: Uri = base.trim_end_matches('/').parse().map_err(|_| bad())?;
        let host = uri.host().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(bad()),
        };
        let server = Server { host, port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }), tls, starttls: false };
        Ok(Self { base: uri, server, authority: EgressAuthority::System(lock, egress), resets, trust })
    }

    /// Sends a request and reads its answer whole. Redirects are not followed: they could lead a token elsewhere.
    pub(crate) async fn send(&self, method: Method, path: &str, form: Form, body: Vec<u8>) -> Result<Whole, HttpError> {
        let mut reply = self.open(method, path, form, &[], body).await?;
        let mut out = Vec::new();
        while let Some(chunk) = reply.chunk().await? {
            out.extend(chunk);
        }
        Ok(Whole { status: reply.status, body: out, after: reply.after })
    }

    /// Sends a request; its answer is read as it arrives. Redirects are not followed.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        form: Form,
        headers: &[(&'static str, Cow<'static, str>)],
        body: Vec<u8>,
    ) -> Result<Reply, HttpError> {
        let model = self.authority.is(SystemEgress::Model);
        let mut bounds = Bounds {
            resets: self.resets.clone(),
            until: tokio::time::Instant::now() + if model { ANSWER_WITHIN } else { SHORT_WITHIN },
            silence: if model { SILENCE_WITHIN } else { SHORT_WITHIN },
        };
        bounds.resets.mark_unchanged();
        let request = self.request(method, path, form, headers, body)?;
        let response = bounds.keep(self.exchange(request)).await??;
        let (head, body) = response.into_parts();
        let events =
            head.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let after = asked_wait(&head.headers);
        let location = head.headers.get("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
        Ok(Reply {
            status: head.status.as_u16(),
            events,
            after,
            location,
            headers: head.headers,
            body,
            bounds,
            taken: 0,
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<hyper::Response<Incoming>, HttpError> {
        self.authority.check().map_err(|_| HttpError::Paused)?;
        let link = connect(&self.server, &self.trust, &self.authority).await.map_err(HttpError::Broken)?;
        let stream = SystemStream(Guarded::new(link, self.authority.clone()));
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| paused_or_broken(&e))?;
        // It lives as long as the answer is read, and ends with it.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(|error| paused_or_broken(&error))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        form: Form,
        headers: &[(&'static str, Cow<'static, str>)],
        body: Vec<u8>,
    ) -> Result<Request<Full<Bytes>>, HttpError> {
        let target = format!("{}{path}", self.base.path().trim_end_matches('/'));
        let authority = self.base.authority().map(hyper::http::uri::Authority::as_str).unwrap_or_default();
        let content_type = match form {
            Form::Json => "application/json",
            Form::Jose => "application/jose+json",
            Form::UrlEncoded => "application/x-www-form-urlencoded",
            Form::Octets => "application/octet-stream",
        };
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", authority)
            .header("content-type", content_type)
            .header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            let mut value = hyper::header::HeaderValue::from_str(value).map_err(|_| {
                HttpError::Broken("the key holds signs that no key has; connect the model again".into())
            })?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        request.body(Full::new(Bytes::from(body))).map_err(|error| HttpError::Broken(error.to_string()))
    }
}

/// An answer that was read whole.
#[derive(Debug)]
pub(crate) struct Whole {
    /// HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// When to come again, as the server writes it: seconds, or a date.
    pub(crate) after: Option<String>,
}

/// What ends an exchange before its end: a pause, too long a time, too long a silence.
#[derive(Debug)]
struct Bounds {
    resets: watch::Receiver<u64>,
    until: tokio::time::Instant,
    silence: Duration,
}

impl Bounds {
    async fn keep<T>(&mut self, work: impl Future<Output = T>) -> Result<T, HttpError> {
        let end = self.until.min(tokio::time::Instant::now() + self.silence);
        tokio::select! {
            done = work => Ok(done),
            Ok(()) = self.resets.changed() => Err(HttpError::Paused),
            () = tokio::time::sleep_until(end) => Err(HttpError::Broken("it did not answer in time".into())),
        }
    }
}

/// An answer whose body is still arriving.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Tells whether the body is a stream of events.
    pub events: bool,
    /// When to come again, as the server writes it: seconds, or a date.
    pub after: Option<String>,
    /// Where it sends on to; nobody follows by itself.
    pub(crate) location: Option<String>,
    /// All that stands before the body.
    pub(crate) headers: hyper::HeaderMap,
    body: Incoming,
    bounds: Bounds,
    taken: usize,
}

impl Reply {
    /// Returns the next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let frame = self.bounds.keep(self.body.frame()).await?;
            let Some(frame) = frame else { return Ok(None) };
            let Ok(bytes) = frame.map_err(|error| paused_or_broken(&error))?.into_data() else { continue };
            self.taken += bytes.len();
            if self.taken > MAX_ANSWER_BYTES {
                return Err(HttpError::Broken("its answer does not end".into()));
            }
            return Ok(Some(bytes));
        }
    }
}

/// Returns the wait a server asks for, as it writes it; in seconds where it gives thousandths of one (OpenAI, Azure).
fn asked_wait(headers: &hyper::HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let exact = text("retry-after-ms").and_then(|text| text.trim().parse::<f64>().ok());
    exact.map(|thousandths| (thousandths / 1_000.0).to_string()).or_else(|| text("retry-after").map(str::to_owned))
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, 10.2.3) held against `now`, in seconds since 1970. A date that is past is no
/// wait.
#[must_use]
pub fn retry_after(value: &str, now: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::from_secs(u64::try_from(date.as_second().saturating_sub(now)).unwrap_or(0)))
}

fn paused_or_broken(error: &hyper::Error) -> HttpError {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            return HttpError::Paused;
        }
        cause = inner.source();
    }
    HttpError::Broken(crate::words(error))
}

/// A stream whose every write happens under the hand-off lock.
struct SystemStream(Guarded);

impl AsyncWrite for SystemStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.0.write(cx, buffer, false)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.shutdown(cx)
    }
}

impl AsyncRead for SystemStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_as_seconds_and_as_dates() {
        let now = 784_111_767; // Sun, 06 Nov 1994 08:49:27 GMT
        for (value, wanted) in [
            ("10", Some(10_000)),
            (" 0.5 ", Some(500)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(10_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("1e400", None),
        ] {
            assert_eq!(retry_after(value, now).map(|wait| wait.as_millis()), wanted, "{value}");
        }
    }
}
