//! The stream below the protocol libraries: it withholds what the guard says is the hand-off, and writes it under the lock.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bailey_gate::handoff::{Trigger, Wrote};
use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::guard::{SmtpGuard, Step};

/// A connection bound to one claim.
pub(crate) struct ClaimedStream {
    inner: TcpStream,
    guard: SmtpGuard,
    trigger: Arc<Trigger>,
}

impl fmt::Debug for ClaimedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedStream").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl ClaimedStream {
    pub(crate) const fn new(inner: TcpStream, guard: SmtpGuard, trigger: Arc<Trigger>) -> Self {
        Self { inner, guard, trigger }
    }

    fn pass(&mut self, cx: &mut Context<'_>, buffer: &[u8], planned: usize) -> Poll<io::Result<usize>> {
        let planned_bytes = buffer.get(..planned).unwrap_or(buffer);
        let written = match Pin::new(&mut self.inner).poll_write(cx, planned_bytes) {
            Poll::Ready(Ok(written)) => written,
            other => return other,
        };
        self.guard.wrote(planned_bytes, written);
        Poll::Ready(Ok(written))
    }

    /// One write, under the lock, of all the bytes or none. A part of them is a hand-off of unknown effect.
    fn hand_off(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let inner = &mut self.inner;
        let mut result = Poll::Pending;
        let handed = self.trigger.hand_off(|| {
            result = Pin::new(inner).poll_write(cx, bytes);
            if result.is_pending() { Wrote::Nothing } else { Wrote::Some }
        });
        match (handed, result) {
            (Err(refused), _) => Poll::Ready(Err(io::Error::new(io::ErrorKind::PermissionDenied, refused))),
            (Ok(_), Poll::Ready(Ok(written))) if written == bytes.len() => {
                self.guard.wrote(bytes, written);
                Poll::Ready(Ok(written))
            }
            (Ok(_), Poll::Ready(Ok(_))) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::WriteZero,
                "the end of the message was taken only in part",
            ))),
            (Ok(_), other) => other,
        }
    }
}

impl AsyncWrite for ClaimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match self.guard.plan(buffer) {
            Err(forbidden) => Poll::Ready(Err(io::Error::new(io::ErrorKind::PermissionDenied, forbidden.to_string()))),
            Ok(Step::Pass(count)) => self.pass(cx, buffer, count),
            Ok(Step::HandOff(count)) => match buffer.get(..count) {
                Some(bytes) => self.hand_off(cx, bytes),
                None => Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "the end of the message came in parts",
                ))),
            },
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl AsyncRead for ClaimedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let fresh = buffer.filled().get(before..).unwrap_or_default().to_vec();
        self.guard.read(&fresh);
        polled
    }
}

impl AsyncTokioStream for ClaimedStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }
}
