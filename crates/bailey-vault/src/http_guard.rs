//! The stream below the HTTP library: for a claimed write one request, to one place, with exactly the approved body, whose last
//! byte is the hand-off; for a look a method that changes nothing.

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
    /// A request by a method that only looks ([`LOOKS`]).
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

/// Methods that change nothing at a server (RFC 9110, 9.2.1; RFC 4918, 9.1; RFC 3253, 3.6).
const LOOKS: [&[u8]; 5] = [b"GET ", b"HEAD ", b"OPTIONS ", b"PROPFIND ", b"REPORT "];
/// Bytes of a request that say its method.
const METHOD_BYTES: usize = 16;

/// Tells whether a request that begins so only looks, as far as it can be told by then.
fn may_be_look(begins: &[u8]) -> bool {
    LOOKS.iter().any(|method| {
        let seen = method.len().min(begins.len());
        method.get(..seen) == begins.get(..seen)
    })
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

impl HttpStream {
    pub(crate) const fn new(link: Link, authority: EgressAuthority, request: Request) -> Self {
        Self { out: Guarded::new(link, authority), request, head: Vec::new(), in_body: None, gone: false }
    }

    /// Tells how many of these bytes may pass, and whether they are the hand-off. Looks only.
    fn plan(&self, buffer: &[u8]) -> Result<(usize, bool), &'static str> {
        let Request::Write { line, body } = &self.request else {
            let begins: Vec<u8> = self.head.iter().chain(buffer).take(METHOD_BYTES).copied().collect();
            return if may_be_look(&begins) {
                Ok((buffer.len(), false))
            } else {
                Err("the request does more than look")
            };
        };
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
        } else {
            let left = METHOD_BYTES.saturating_sub(self.head.len());
            self.head.extend(bytes.iter().take(left));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bailey_gate::handoff::{HandoffLock, Mode, PauseState, SystemEgress};
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Tells whether a look may say this, in two parts.
    async fn may_say(first: &str, second: &str) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Link::Plain(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let lock = Arc::new(HandoffLock::new(PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 }));
        let authority = EgressAuthority::System(lock, SystemEgress::Preparation);
        let mut stream = HttpStream::new(link, authority, Request::Look);
        stream.write_all(first.as_bytes()).await.is_ok() && stream.write_all(second.as_bytes()).await.is_ok()
    }

    #[tokio::test]
    async fn looks_over_http_use_methods_that_change_nothing() {
        for look in ["GET / HTTP/1.1\r\n", "PROPFIND /me/ HTTP/1.1\r\n", "REPORT /me/ HTTP/1.1\r\n"] {
            for at in 0..look.len() {
                let (first, second) = look.split_at(at);
                assert!(may_say(first, second).await, "{look}, {at}");
            }
        }
        for write in
            ["PUT / HTTP/1.1", "DELETE / HTTP/1.1", "PROPPATCH / HTTP/1.1", "POST /", "MOVE /", "GETX /", "get /"]
        {
            for at in 0..write.len() {
                let (first, second) = write.split_at(at);
                assert!(!may_say(first, second).await, "{write}, {at}");
            }
        }
    }
}
