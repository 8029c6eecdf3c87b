//! Bodies on their way: counted, cut when they may go on no longer, and held against sealed secrets.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use crate::broker::Watch;
use crate::judge::{Ended, Judge};
use crate::seal::Echo;

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(String);
/// A body of a request or an answer.
pub(crate) type Passed = UnsyncBoxBody<Bytes, Broken>;

/// Returns a body of known bytes.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Passed {
    http_body_util::Full::new(bytes.into()).map_err(|error: Infallible| match error {}).boxed_unsync()
}

/// Reads a body whole; nothing where it breaks off or is longer.
pub(crate) async fn read_whole(mut body: Incoming, most: usize) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = frame.ok()?.into_data().unwrap_or_default();
        if whole.len() + data.len() > most {
            return None;
        }
        whole.extend_from_slice(&data);
    }
    Some(whole)
}

/// Counts the bytes of a body as they pass.
pub(crate) struct Counted {
    pub(crate) body: Incoming,
    pub(crate) bytes: Arc<AtomicU64>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            count(&self.bytes, frame);
        }
        // Fields behind a body are no part of what was judged.
        polled.map(|frame| frame.map(|frame| frame.map(without_trailers).map_err(|error| Broken(error.to_string()))))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

fn without_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    Frame::data(frame.into_data().unwrap_or_default())
}

fn count(bytes: &AtomicU64, frame: &Frame<Bytes>) {
    let length = frame.data_ref().map_or(0, Bytes::len);
    bytes.fetch_add(u64::try_from(length).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// The body of an answer, on its way to the computer.
pub(crate) struct Answer<J: Judge> {
    pub(crate) body: Incoming,
    pub(crate) echo: Option<Echo>,
    pub(crate) watch: Watch<J>,
    pub(crate) ended: bool,
}

impl<J: Judge> Answer<J> {
    fn fail(&mut self, why: String) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.ended = true;
        self.watch.end(Ended::Failed(why.clone()));
        Poll::Ready(Some(Err(Broken(why))))
    }
}

impl<J: Judge> Body for Answer<J> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        loop {
            if this.ended {
                return Poll::Ready(None);
            }
            if let Poll::Ready(why) = this.watch.poll_cut(cx) {
                return this.fail(why);
            }
            let frame = match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => return this.fail(error.to_string()),
                Poll::Ready(Some(Ok(frame))) => Some(frame),
                Poll::Ready(None) => None,
            };
            // Whoever reads a body of known length does not ask for its end.
            let is_last = frame.is_none() || this.body.is_end_stream();
            if let Some(frame) = &frame {
                count(&this.watch.down, frame);
            }
            let data = frame.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
            let data = match &mut this.echo {
                None => data,
                Some(echo) => match echo.pass(&data) {
                    Err(_) => {
                        return this.fail("the answer held a sealed secret, so the rest of it is kept back".into());
                    }
                    Ok(mut passed) => {
                        passed.extend(if is_last { echo.rest() } else { Vec::new() });
                        passed.into()
                    }
                },
            };
            if is_last {
                this.ended = true;
                this.watch.answered();
            }
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        if self.echo.is_some() { SizeHint::default() } else { self.body.size_hint() }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
