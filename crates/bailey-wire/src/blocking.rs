//! A port over a descriptor, with a thread that reads and one that writes.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::mux::{Mux, Phase, Port, Read, Refused, Side, StreamId};

/// Bytes handed to the device at a time.
const CHUNK_BYTES: usize = 64 * 1024;

struct State {
    mux: Mux,
    /// Why the port is no more.
    broken: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn breaks(&self) {
        self.lock().broken = true;
        self.changed.notify_all();
    }
}

/// One side of a port. Clones are the same port.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

impl Connection {
    /// Starts a port over a device, which is opened for reading and for writing.
    pub fn start(side: Side, port: Port, reads: File, writes: File) -> Self {
        let state = Mutex::new(State { mux: Mux::new(side, port), broken: false });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let (reader, writer) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || {
            receive(&reader, reads);
            reader.breaks();
        });
        thread::spawn(move || {
            transmit(&writer, writes);
            writer.breaks();
        });
        Self(shared)
    }

    /// Waits for the other side to open a stream. `None` once the port is no more.
    #[must_use]
    pub fn accept(&self) -> Option<Stream> {
        let mut state = self.0.lock();
        loop {
            if let Some(id) = state.mux.accept() {
                return Some(Stream { port: self.clone(), id });
            }
            if state.broken {
                return None;
            }
            state = self.0.wait(state);
        }
    }

    /// Opens a stream.
    pub fn open(&self) -> Result<Stream, Refused> {
        let id = self.0.lock().mux.open()?;
        self.0.changed.notify_all();
        Ok(Stream { port: self.clone(), id })
    }

    /// Waits until the port is no more.
    pub fn wait_until_broken(&self) {
        let mut state = self.0.lock();
        while !state.broken {
            state = self.0.wait(state);
        }
    }
}

fn receive(shared: &Shared, mut reads: File) {
    let mut bytes = vec![0; CHUNK_BYTES];
    loop {
        let count = match reads.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        if shared.lock().mux.receive(bytes.get(..count).unwrap_or_default()).is_err() {
            return;
        }
        shared.changed.notify_all();
    }
}

fn transmit(shared: &Shared, mut writes: File) {
    let mut out = Vec::with_capacity(CHUNK_BYTES);
    loop {
        let mut state = shared.lock();
        while !state.mux.has_output() && !state.broken {
            state = shared.wait(state);
        }
        if state.broken {
            return;
        }
        state.mux.transmit(&mut out, CHUNK_BYTES);
        drop(state);
        shared.changed.notify_all();
        if writes.write_all(&out).is_err() {
            return;
        }
        out.clear();
    }
}

/// A stream of a port. Dropped before [`Self::finish`], it is reset.
pub struct Stream {
    port: Connection,
    id: StreamId,
}

fn gone() -> io::Error {
    io::Error::new(ErrorKind::ConnectionReset, "the stream was given up")
}

impl Stream {
    /// Reads at least a byte; 0 at the end.
    pub fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.port.0.lock();
        loop {
            match state.mux.read(self.id, into) {
                Read::Bytes(count) => {
                    drop(state);
                    self.port.0.changed.notify_all();
                    return Ok(count);
                }
                Read::End => return Ok(0),
                Read::Reset => return Err(gone()),
                Read::Empty if state.broken => return Err(gone()),
                Read::Empty => state = self.port.0.wait(state),
            }
        }
    }

    /// Writes everything, waiting for credit.
    pub fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        let mut state = self.port.0.lock();
        while !bytes.is_empty() {
            if state.broken || state.mux.phase() != Phase::Running {
                return Err(gone());
            }
            match state.mux.write(self.id, bytes) {
                None => return Err(gone()),
                Some(0) => state = self.port.0.wait(state),
                Some(count) => {
                    bytes = bytes.get(count..).unwrap_or_default();
                    self.port.0.changed.notify_all();
                }
            }
        }
        Ok(())
    }

    /// Waits until nothing will happen on it any more: it was given up, or both sides have ended.
    pub fn wait_until_over(&self) {
        let mut state = self.port.0.lock();
        while !state.broken && !state.mux.is_over(self.id) {
            state = self.port.0.wait(state);
        }
    }

    /// Ends what is sent.
    pub fn finish(&self) {
        self.port.0.lock().mux.finish(self.id);
        self.port.0.changed.notify_all();
    }

    /// Gives it up, which wakes whoever reads or writes it.
    pub fn reset(&self) {
        self.port.0.lock().mux.reset(self.id);
        self.port.0.changed.notify_all();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.port.0.lock().mux.release(self.id);
        self.port.0.changed.notify_all();
    }
}
