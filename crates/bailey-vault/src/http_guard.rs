//! The stream below the HTTP library for a claimed write: one request, to one place, with exactly the approved body, whose
//! last byte is the hand-off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::egress::{EgressAuthority, Guarded, forbidden};
use crate::net::Link;

/// Longest request head of ours.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// What may be said on the connection.
#[derive(Debug)]
pub(crate) enum Request {
    /// Anything that only looks; the caller's façade makes nothing else.
    Look,
    /// This one request, whose effect may begin with its last byte.
    Write {
        /// `PUT /path HTTP/1.1`
        line: String,
        /// The approved body.
        body: Vec<u8>,
    },
}

pub(crate) struct HttpStream {
    out: Guarded,
    request: Request,
    /// The head as written so far; of the body, how much.
    head: Vec<u8>,
    in_body: Option<usize>,
    /// The other side takes nothing more. What it said before that can still be read: a server may refuse a request before
    /// it has taken all of it.
    gone: bool,
}

impl std::fmt::Debug for HttpStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpStream").field("in_body", &self.in_body).finish_non_exhaustive()
    }
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

impl HttpStream {
    pub(crate) const fn new(link: Link, authority: EgressAuthority, request: Request) -> Self {
        Self { out: Guarded::new(link, authority), request, head: Vec::new(), in_body: None, gone: false }
    }

    /// How many of these bytes may pass, and whether they are the hand-off. Looks only.
    fn plan(&self, buffer: &[u8]) -> Result<(usize, bool), &'static str> {
        let Request::Write { line, body } = &self.request else { return Ok((buffer.len(), false)) };
        let Some(at) = self.in_body else { return self.plan_head(buffer, line, body.is_empty()) };
        let rest = body.get(at..).unwrap_or_default();
        match rest.len() {
            0 => Err("nothing may follow the approved request"),
            left if buffer.get(..buffer.len().min(left)) != rest.get(..buffer.len().min(left)) => {
                Err("the bytes are not those that were approved")
            }
            1 => Ok((1, true)),
            left => Ok((buffer.len().min(left - 1), false)),
        }
    }

    fn plan_head(&self, buffer: &[u8], line: &str, no_body: bool) -> Result<(usize, bool), &'static str> {
        let whole = [self.head.as_slice(), buffer].concat();
        let begins = format!("{line}\r\n");
        let seen = whole.len().min(begins.len());
        if whole.get(..seen) != begins.as_bytes().get(..seen) {
            return Err("another request than the approved one");
        }
        let end =
            whole.windows(END_OF_HEAD.len()).position(|four| four == END_OF_HEAD).map(|at| at + END_OF_HEAD.len());
        let Some(end) = end else {
            return if whole.len() > MAX_HEAD_BYTES { Err("the head is too long") } else { Ok((buffer.len(), false)) };
        };
        let count = end - self.head.len();
        match (no_body, count) {
            (false, count) => Ok((count, false)),
            (true, 1) => Ok((1, true)),
            (true, count) => Ok((count - 1, false)),
        }
    }

    fn wrote(&mut self, bytes: &[u8]) {
        if let Some(at) = &mut self.in_body {
            *at += bytes.len();
        } else if matches!(self.request, Request::Write { .. }) {
            self.head.extend_from_slice(bytes);
            if self.head.ends_with(END_OF_HEAD) {
                self.in_body = Some(0);
            }
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl AsyncWrite for HttpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let (count, hand_off) = match this.plan(buffer) {
            Ok(plan) => plan,
            Err(why) => return Poll::Ready(Err(forbidden("http", why.to_owned()))),
        };
        if this.gone {
            return Poll::Ready(Ok(buffer.len()));
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let written = this.out.write(cx, bytes, hand_off);
        match &written {
            Poll::Ready(Ok(written)) => this.wrote(bytes.get(..*written).unwrap_or_default()),
            Poll::Ready(Err(error)) if is_gone(error) => {
                this.gone = true;
                return Poll::Ready(Ok(buffer.len()));
            }
            Poll::Ready(Err(_)) | Poll::Pending => {}
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gone { Poll::Ready(Ok(())) } else { self.out.flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gone { Poll::Ready(Ok(())) } else { self.out.shutdown(cx) }
    }
}

impl AsyncRead for HttpStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.out.read(cx, buffer)
    }
}
