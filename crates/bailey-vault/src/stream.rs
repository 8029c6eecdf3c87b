//! The stream below the mail library: it withholds what the guard says is the hand-off, and writes it under the lock.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::egress::{self, EgressAuthority, Guarded};
use crate::net::Link;
use crate::smtp_guard::{SmtpGuard, Step};

/// Most bytes of all answers in one session, in which each takes a line of 512 at most (RFC 5321, 4.5.3.1.5).
const MAX_REPLIES: usize = 128 * 1024;
/// Most lines of one answer. Servers name some twenty extensions; many short lines would take the home's time.
const MAX_REPLY_LINES: usize = 256;

/// A connection bound to one claim.
pub(crate) struct ClaimedStream {
    out: Guarded,
    guard: SmtpGuard,
    /// Bytes of all answers so far.
    answered: usize,
    /// Lines since something was last said to the server.
    lines: usize,
}

impl fmt::Debug for ClaimedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedStream").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl ClaimedStream {
    pub(crate) const fn new(link: Link, guard: SmtpGuard, authority: EgressAuthority) -> Self {
        Self { out: Guarded::new(link, authority), guard, answered: 0, lines: 0 }
    }
}

impl AsyncWrite for ClaimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let (count, hand_off) = match this.guard.plan(buffer) {
            Err(forbidden) => {
                return Poll::Ready(Err(egress::forbidden("smtp", forbidden.to_string())));
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
        let written = this.out.write(cx, bytes, hand_off);
        if let Poll::Ready(Ok(written)) = written {
            this.lines = 0;
            this.guard.wrote(bytes, written);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out.flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out.shutdown(cx)
    }
}

impl AsyncRead for ClaimedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = self.out.read(cx, buffer);
        let fresh = buffer.filled().get(before..).unwrap_or_default().to_vec();
        self.guard.read(&fresh);
        self.answered += fresh.len();
        self.lines += fresh.iter().filter(|byte| **byte == b'\n').count();
        if self.answered > MAX_REPLIES || self.lines > MAX_REPLY_LINES {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "the mail server's answer has no end")));
        }
        polled
    }
}
