//! The lock a stream writes under: that of a claim, or that of named system egress.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bailey_gate::handoff::{EffectToken, HandoffLock, Refused, SystemEgress, Wrote};
use bailey_telemetry::{event, metrics};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use crate::net::Link;

/// By what right bytes leave.
#[derive(Debug, Clone)]
pub(crate) enum EgressAuthority {
    /// A claim's.
    Claim(Arc<EffectToken>),
    /// The home's own, by name.
    System(Arc<HandoffLock>, SystemEgress),
}

pub(crate) fn refused(refused: Refused) -> io::Error {
    count(refused);
    io::Error::new(io::ErrorKind::PermissionDenied, refused)
}

/// Counts a refusal of the lock.
fn count(refused: Refused) {
    let reason = match refused {
        Refused::Paused => "paused",
        Refused::Stale => "stale",
        Refused::Cut => "revoked",
        Refused::Spent => "spent",
    };
    metrics().egress_refused(reason);
    event!(INFO, "nothing was sent", reason = reason);
}

/// Makes the error of a guard that does not let something through, and counts it. `protocol` is one of a few names.
pub(crate) fn forbidden(protocol: &'static str, why: String) -> io::Error {
    metrics().egress_refused("forbidden");
    event!(WARN, "the egress guard let something not through", protocol = protocol);
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

impl EgressAuthority {
    /// Does something that sends no more than a part of what leads to the hand-off, or of what looks, under the lock.
    pub(crate) fn under<T>(&self, work: impl FnOnce() -> T) -> Result<T, Refused> {
        match self {
            Self::Claim(token) => token.pass(work),
            Self::System(lock, egress) => lock.system(*egress, work),
        }
    }

    /// Returns one write that may still be followed by the hand-off, or by others of its kind.
    fn pass(&self, link: &mut Link, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.under(|| Pin::new(&mut *link).poll_write(cx, bytes)).unwrap_or_else(|why| Poll::Ready(Err(refused(why))))
    }

    /// Tells whether anything may leave by this right now; asked before a connection is even opened.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        self.under(|| ()).inspect_err(|why| count(*why))
    }

    /// Tells whether this is that system egress.
    pub(crate) fn is(&self, wanted: SystemEgress) -> bool {
        matches!(self, Self::System(_, egress) if *egress == wanted)
    }

    /// Flushes, which writes too, where a TLS layer holds bytes back: under the same lock.
    fn flush(&self, link: &mut Link, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.under(|| Pin::new(&mut *link).poll_flush(cx)).unwrap_or_else(|why| Poll::Ready(Err(refused(why))))
    }

    /// Returns a good-bye, where one may still be said; else the connection just ends.
    fn shutdown(&self, link: &mut Link, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.under(|| Pin::new(&mut *link).poll_shutdown(cx)).unwrap_or(Poll::Ready(Ok(())))
    }

    /// Returns the hand-off: one write of all the bytes, through to the system, or none of them. A part of them is an effect of
    /// unknown outcome, and the connection is useless after it: what is left in it never leaves.
    fn hand_off(&self, link: &mut Link, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // What was written before has to be out, or it would go out with this write; under the lock, as it was written.
        match self.flush(link, cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let mut result = Poll::Pending;
        let write = || {
            result = write_through(link, cx, bytes);
            if result.is_pending() { Wrote::Nothing } else { Wrote::Some }
        };
        let handed = match self {
            Self::Claim(token) => token.hand_off(write),
            Self::System(lock, egress) => lock.system(*egress, write),
        };
        match handed {
            Err(why) => Poll::Ready(Err(refused(why))),
            Ok(_) => result,
        }
    }
}

/// A connection together with the right by which bytes leave on it. After a write that went wrong it is dead: nothing of
/// what it still holds leaves, not even as part of a good-bye.
#[derive(Debug)]
pub(crate) struct Guarded {
    link: Link,
    authority: EgressAuthority,
    dead: bool,
}

impl Guarded {
    pub(crate) const fn new(link: Link, authority: EgressAuthority) -> Self {
        Self { link, authority, dead: false }
    }

    /// Gives the connection back, for TLS to be begun on it.
    pub(crate) fn into_link(self) -> Link {
        self.link
    }

    /// Writes freely, or as the hand-off.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8], hand_off: bool) -> Poll<io::Result<usize>> {
        if self.dead {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = match hand_off {
            true => self.authority.hand_off(&mut self.link, cx, bytes),
            false => self.authority.pass(&mut self.link, cx, bytes),
        };
        self.dead = matches!(written, Poll::Ready(Err(_)));
        written
    }

    pub(crate) fn flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.dead {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.authority.flush(&mut self.link, cx)
    }

    pub(crate) fn shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.dead { Poll::Ready(Ok(())) } else { self.authority.shutdown(&mut self.link, cx) }
    }

    pub(crate) fn read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.link).poll_read(cx, buffer)
    }
}

/// Writes; `Pending` means that not a byte was taken.
fn write_through(link: &mut Link, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    let in_part = || io::Error::new(io::ErrorKind::WriteZero, "the bytes were taken only in part");
    match Pin::new(&mut *link).poll_write(cx, bytes) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Ready(Ok(written)) if written < bytes.len() => Poll::Ready(Err(in_part())),
        Poll::Ready(Ok(written)) => match Pin::new(link).poll_flush(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(written)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Ready(Err(in_part())),
        },
    }
}
