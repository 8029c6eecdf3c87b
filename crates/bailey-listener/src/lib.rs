//! Serves HTTP on connections, as many as there is room for. A connection that is not being answered is idle, whatever keeps it from
//! asking or reading; where there is no room left, the one that has been idle longest ends for the next.
//!
//! Invariant of absence: it knows no route, no token and no home.

pub mod asked;
mod room;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_io_timeout::TimeoutWriter;

pub use room::{Room, Seat};

/// A header that the gateway adds to all it passes on, and takes from nobody.
pub const BY_GATEWAY: &str = "bailey-gateway";
/// How long a request's head may take: it comes from this machine.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long whoever asked may leave their answer unread.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait where no connection can be taken, for want of descriptors, say.
pub const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// How long a refusal may take to be taken.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);
/// Bytes of an answer that are handed on at a time. Larger ones would count as sent while nobody reads them.
const PIECE_BYTES: usize = 64 * 1024;

/// What is said where every connection is being answered.
const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-type: application/json\r\n\
     content-length: 85\r\n\r\n{\"code\":\"busy\",\"message\":\"too many connections are being answered; come again later\"}";

/// Serves one connection until it ends, or has to make room.
pub async fn serve<S, F, A, B>(stream: S, seat: Seat, watcher: Watcher, answer: F)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
    F: Fn(Request<Incoming>) -> A,
    A: Future<Output = Response<B>>,
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let seat = Arc::new(seat);
    let service = service_fn(|request| {
        let busy = seat.busy();
        let answering = answer(request);
        async move { Ok::<_, Infallible>(answering.await.map(|body| Holding::new(body, busy))) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(READ_WITHIN));
    let serving = watcher.watch(server.serve_connection(TokioIo::new(Box::pin(stream)), service));
    tokio::select! {
        // However it ends, it has ended.
        _ = serving => {}
        () = seat.gives_way() => {}
    }
}

/// Tells whoever connected that there is no room.
pub async fn refuse(mut stream: impl AsyncWrite + Unpin) {
    // Nobody may be there to hear it.
    let said = async {
        let _ = stream.write_all(FULL.as_bytes()).await;
        let _ = stream.shutdown().await;
    };
    let _ = tokio::time::timeout(REFUSED_WITHIN, said).await;
}

/// The body of an answer that holds something until it has been sent, but for what the connection keeps.
#[derive(Debug)]
pub struct Holding<B, H> {
    body: B,
    left: Bytes,
    held: Option<H>,
}

impl<B, H> Holding<B, H> {
    /// Holds something for as long as a body takes.
    pub fn new(body: B, held: H) -> Self {
        Self { body, left: Bytes::new(), held: Some(held) }
    }

    fn piece(&mut self) -> Bytes {
        self.left.split_to(self.left.len().min(PIECE_BYTES))
    }
}

impl<B: Body<Data = Bytes> + Unpin, H: Unpin> Body for Holding<B, H> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if !self.left.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(self.piece()))));
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    self.left = data;
                    Poll::Ready(Some(Ok(Frame::data(self.piece()))))
                }
                Err(other) => Poll::Ready(Some(Ok(other))),
            },
            Poll::Ready(None) => {
                self.held = None;
                Poll::Ready(None)
            }
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.body.size_hint();
        let left = self.left.len() as u64;
        match inner.exact() {
            Some(exact) => SizeHint::with_exact(exact.saturating_add(left)),
            None => inner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_says_how_long_it_is() {
        let (head, body) = FULL.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
