//! The stream below the mail library: it withholds what the guard says is the hand-off, and writes it under the lock.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::exit::Exit;
use crate::guard::{SmtpGuard, Step};
use crate::net::Link;

/// Longest line of an answer. RFC 5321, 4.5.3.1.5 has 512; generous, but a server must not fill our memory.
const MAX_REPLY_LINE: usize = 16 * 1024;

/// A connection bound to one claim.
pub(crate) struct ClaimedStream {
    inner: Link,
    guard: SmtpGuard,
    exit: Exit,
    /// Set when a write went wrong; nothing is written from then on.
    dead: bool,
    /// Bytes of an answer's line that has not ended yet.
    unanswered: usize,
}

impl fmt::Debug for ClaimedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedStream").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl ClaimedStream {
    pub(crate) const fn new(inner: Link, guard: SmtpGuard, exit: Exit) -> Self {
        Self { inner, guard, exit, dead: false, unanswered: 0 }
    }
}

impl AsyncWrite for ClaimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.dead {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let (count, hand_off) = match this.guard.plan(buffer) {
            Err(forbidden) => {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::PermissionDenied, forbidden.to_string())));
            }
            Ok(Step::Pass(count)) => (count, false),
            Ok(Step::HandOff(count)) => (count, true),
        };
        let Some(bytes) = buffer.get(..count) else {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the end of the message came in parts",
            )));
        };
        let written = if hand_off {
            this.exit.hand_off(&mut this.inner, cx, bytes)
        } else {
            this.exit.pass(&mut this.inner, cx, bytes)
        };
        match &written {
            Poll::Ready(Ok(written)) => this.guard.wrote(bytes, *written),
            Poll::Ready(Err(_)) => this.dead = true,
            Poll::Pending => {}
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.dead {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        this.exit.flush(&mut this.inner, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // What a hand-off left half written must never leave after all, not even as part of a good-bye.
        if this.dead { Poll::Ready(Ok(())) } else { this.exit.shutdown(&mut this.inner, cx) }
    }
}

impl AsyncRead for ClaimedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let fresh = buffer.filled().get(before..).unwrap_or_default().to_vec();
        self.guard.read(&fresh);
        self.unanswered =
            fresh.iter().rposition(|byte| *byte == b'\n').map_or(self.unanswered + fresh.len(), |at| fresh.len() - at);
        if self.unanswered > MAX_REPLY_LINE {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "the mail server's answer has no end")));
        }
        polled
    }
}

impl AsyncTokioStream for ClaimedStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.inner {
            Link::Plain(stream) => stream.peer_addr(),
            Link::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}
