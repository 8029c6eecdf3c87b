//! Requests to a model provider: named system egress, every write of which is refused while everything is paused.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bailey_gate::handoff::{HandoffLock, SystemEgress};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use crate::Server;
use crate::exit::{Exit, Guarded};
use crate::net::{Trust, connect};

/// Longest answer taken, in bytes: a model's longest, many times over.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How long an answer may take: a small machine writes a few words a second.
const ANSWER_WITHIN: Duration = Duration::from_secs(600);
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
    exit: Exit,
    resets: watch::Receiver<u64>,
    trust: Trust,
}

/// The form of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    UrlEncoded,
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
        let server = Server { host, port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }), tls };
        Ok(Self { base: uri, server, exit: Exit::System(lock, egress), resets, trust })
    }

    /// Posts JSON to a path below the base URL; answers with status and body. Redirects are not followed.
    pub async fn post(&self, path: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), HttpError> {
        self.send(Method::POST, path, Form::Json, body).await
    }

    /// Sends a request. Redirects are not followed: they could lead a token elsewhere.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        form: Form,
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        let within = if self.exit.is(SystemEgress::Model) { ANSWER_WITHIN } else { SHORT_WITHIN };
        let mut resets = self.resets.clone();
        resets.mark_unchanged();
        tokio::select! {
            answer = self.exchange(method, path, form, body) => answer,
            Ok(()) = resets.changed() => Err(HttpError::Paused),
            () = tokio::time::sleep(within) => Err(HttpError::Broken("it did not answer in time".into())),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        form: Form,
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        let broken = |error: &dyn std::fmt::Display| HttpError::Broken(error.to_string());
        self.exit.check().map_err(|_| HttpError::Paused)?;
        let link = connect(&self.server, &self.trust).await.map_err(HttpError::Broken)?;
        let stream = SystemStream(Guarded::new(link, self.exit.clone()));
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
        let request = self.request(method, path, form, body)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| paused_or_broken(&error))?;
            let status = response.status().as_u16();
            let bytes = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|e| broken(&e))?
                .to_bytes();
            Ok((status, bytes.to_vec()))
        };
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            // The connection may end before the answer is read to its end; what it left behind is still there.
            _ = connection => exchange.await,
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        form: Form,
        body: Vec<u8>,
    ) -> Result<Request<Full<Bytes>>, HttpError> {
        let target = format!("{}{path}", self.base.path().trim_end_matches('/'));
        let authority = self.base.authority().map(hyper::http::uri::Authority::as_str).unwrap_or_default();
        let content_type = match form {
            Form::Json => "application/json",
            Form::UrlEncoded => "application/x-www-form-urlencoded",
        };
        Request::builder()
            .method(method)
            .uri(target)
            .header("host", authority)
            .header("content-type", content_type)
            .header("accept", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| HttpError::Broken(error.to_string()))
    }
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
