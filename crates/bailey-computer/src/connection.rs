//! A port over a tokio connection: one task drives it, streams are [`AsyncRead`] and [`AsyncWrite`].

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bailey_wire::{Mux, Phase, Port, Read, Refused, Side, StreamId, WireError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Bytes moved at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// How a port ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The other side broke its rules.
    Rules(WireError),
    /// The connection ended.
    Closed,
}

#[derive(Default)]
struct Wakers {
    reads: Option<Waker>,
    writes: Option<Waker>,
}

struct State {
    mux: Mux,
    wakers: HashMap<StreamId, Wakers>,
    broken: Option<Broken>,
}

struct Shared {
    state: Mutex<State>,
    /// There may be something to transmit.
    output: Notify,
    /// A stream may have come, the phase may have changed, the port may have ended.
    port: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaks(&self, how: Broken) {
        let mut state = self.lock();
        state.broken.get_or_insert(how);
        for wakers in state.wakers.values_mut() {
            wake(wakers);
        }
        drop(state);
        self.port.notify_waiters();
        self.output.notify_one();
    }

    fn spread(&self, state: &mut State) {
        for id in state.mux.take_changed() {
            if let Some(wakers) = state.wakers.get_mut(&id) {
                wake(wakers);
            }
        }
        if state.mux.has_output() {
            self.output.notify_one();
        }
        self.port.notify_waiters();
    }
}

fn wake(wakers: &mut Wakers) {
    for waker in [wakers.reads.take(), wakers.writes.take()].into_iter().flatten() {
        waker.wake();
    }
}

/// One side of a port. Dropped, it ends with its streams.
pub struct Connection {
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.shared.breaks(Broken::Closed);
    }
}

impl Connection {
    /// Starts a port on which nothing was said yet.
    pub fn start(side: Side, port: Port, connection: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self::drive(Mux::new(side, port), connection)
    }

    /// Starts the host's side of a port whose guest is restored from a copy that was taken while frozen.
    pub fn restored(port: Port, connection: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self::drive(Mux::restored(port), connection)
    }

    fn drive(mux: Mux, connection: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let state = Mutex::new(State { mux, wakers: HashMap::new(), broken: None });
        let shared = Arc::new(Shared { state, output: Notify::new(), port: Notify::new() });
        let (reads, writes) = tokio::io::split(connection);
        let (reader, writer) = (Arc::clone(&shared), Arc::clone(&shared));
        let tasks = [
            tokio::spawn(async move {
                let how = receive(&reader, reads).await;
                reader.breaks(how);
            }),
            tokio::spawn(async move {
                transmit(&writer, writes).await;
                writer.breaks(Broken::Closed);
            }),
        ];
        Self { shared, tasks }
    }

    /// Opens a stream.
    pub fn open(&self) -> Result<Stream, Refused> {
        let mut state = self.shared.lock();
        let id = state.mux.open()?;
        state.wakers.insert(id, Wakers::default());
        self.shared.output.notify_one();
        Ok(Stream { shared: Arc::clone(&self.shared), id })
    }

    /// Waits for the other side to open a stream. `None` once the port is no more.
    pub async fn accept(&self) -> Option<Stream> {
        self.until(|state| {
            let accepted = state.mux.accept();
            if let Some(id) = accepted {
                state.wakers.insert(id, Wakers::default());
            }
            accepted
        })
        .await
        .map(|id| Stream { shared: Arc::clone(&self.shared), id })
    }

    /// Ends every stream, and waits until both sides are silent. False if the port ended instead.
    pub async fn freeze(&self) -> bool {
        {
            let mut state = self.shared.lock();
            state.mux.freeze();
            self.shared.spread(&mut state);
        }
        self.until(|state| (state.mux.phase() == Phase::Frozen && !state.mux.has_output()).then_some(()))
            .await
            .is_some()
    }

    /// Lets both sides speak again.
    pub fn thaw(&self) {
        let mut state = self.shared.lock();
        state.mux.thaw();
        self.shared.spread(&mut state);
    }

    /// Waits until the port is no more, and says how.
    pub async fn broken(&self) -> Broken {
        let _ = self.until(|_| None::<()>).await;
        self.shared.lock().broken.unwrap_or(Broken::Closed)
    }

    /// Returns how many bytes it keeps for its streams.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.shared.lock().mux.held_bytes()
    }

    async fn until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        loop {
            let notified = self.shared.port.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            {
                let mut state = self.shared.lock();
                if let Some(found) = look(&mut state) {
                    return Some(found);
                }
                if state.broken.is_some() {
                    return None;
                }
            }
            notified.await;
        }
    }
}

async fn receive(shared: &Shared, mut reads: impl AsyncRead + Unpin) -> Broken {
    let mut bytes = vec![0; CHUNK_BYTES];
    loop {
        let count = match reads.read(&mut bytes).await {
            Ok(0) | Err(_) => return Broken::Closed,
            Ok(count) => count,
        };
        let mut state = shared.lock();
        if let Err(error) = state.mux.receive(bytes.get(..count).unwrap_or_default()) {
            return Broken::Rules(error);
        }
        shared.spread(&mut state);
    }
}

async fn transmit(shared: &Shared, mut writes: impl AsyncWrite + Unpin) {
    let mut out = Vec::with_capacity(CHUNK_BYTES);
    loop {
        {
            let mut state = shared.lock();
            if state.broken.is_some() {
                return;
            }
            state.mux.transmit(&mut out, CHUNK_BYTES);
            if !out.is_empty() {
                shared.spread(&mut state);
            }
        }
        if out.is_empty() {
            shared.output.notified().await;
        } else if writes.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
    }
}

/// A stream of a port. Dropped before it is shut down, it is reset.
pub struct Stream {
    shared: Arc<Shared>,
    id: StreamId,
}

fn gone() -> io::Error {
    io::Error::new(ErrorKind::ConnectionReset, "the stream was given up")
}

impl Stream {
    /// Remembers whom to wake, and tells whether there is anything to wait for.
    fn wait(
        &self,
        state: &mut State,
        which: impl FnOnce(&mut Wakers) -> &mut Option<Waker>,
        waker: &Waker,
    ) -> Poll<io::Result<()>> {
        if state.broken.is_some() {
            return Poll::Ready(Err(gone()));
        }
        *which(state.wakers.entry(self.id).or_default()) = Some(waker.clone());
        Poll::Pending
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        match state.mux.read(self.id, into.initialize_unfilled()) {
            Read::Bytes(count) => {
                into.advance(count);
                if state.mux.has_output() {
                    self.shared.output.notify_one();
                }
                Poll::Ready(Ok(()))
            }
            Read::End => Poll::Ready(Ok(())),
            Read::Reset => Poll::Ready(Err(gone())),
            Read::Empty => self.wait(&mut state, |wakers| &mut wakers.reads, context.waker()),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.shared.lock();
        match state.mux.write(self.id, bytes) {
            None => Poll::Ready(Err(gone())),
            Some(0) if !bytes.is_empty() => {
                self.wait(&mut state, |wakers| &mut wakers.writes, context.waker()).map_ok(|()| 0)
            }
            Some(count) => {
                self.shared.output.notify_one();
                Poll::Ready(Ok(count))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        if state.mux.is_flushed(self.id) {
            return Poll::Ready(Ok(()));
        }
        self.wait(&mut state, |wakers| &mut wakers.writes, context.waker())
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.lock().mux.finish(self.id);
        self.shared.output.notify_one();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.mux.release(self.id);
        state.wakers.remove(&self.id);
        drop(state);
        self.shared.output.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailey_wire::frame::{Header, Kind};

    #[tokio::test]
    async fn connections_carry_streams_both_ways_and_half_closed() {
        let (one, other) = tokio::io::duplex(1_000);
        let guest = Connection::start(Side::Guest, Port::Egress, one);
        let host = Connection::start(Side::Host, Port::Egress, other);
        let sent: Vec<u8> = (0..300_000_u32).map(|at| u8::try_from(at % 253).unwrap()).collect();
        let ours = sent.clone();
        let asking = tokio::spawn(async move {
            let (mut reads, mut writes) = tokio::io::split(guest.open().unwrap());
            let write = async {
                writes.write_all(&ours).await.unwrap();
                writes.shutdown().await.unwrap();
            };
            let mut back = Vec::new();
            let (_, read) = tokio::join!(write, reads.read_to_end(&mut back));
            read.unwrap();
            back
        });
        let mut stream = host.accept().await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert!(all == sent);
        stream.write_all(&all).await.unwrap();
        stream.shutdown().await.unwrap();
        assert!(asking.await.unwrap() == sent);
    }

    #[tokio::test]
    async fn connections_whose_peer_breaks_a_rule_end_with_their_streams() {
        let (mut guest, end) = tokio::io::duplex(1_000);
        let host = Connection::start(Side::Host, Port::Egress, end);
        guest.write_all(&Header { kind: Kind::Open, value: 0, stream: 1 }.encode()).await.unwrap();
        let mut stream = host.accept().await.unwrap();
        guest.write_all(&[255; 8]).await.unwrap();
        assert_eq!(host.broken().await, Broken::Rules(WireError::UnknownFrame));
        assert!(stream.read(&mut [0]).await.is_err());
        assert!(host.accept().await.is_none());
    }
}
