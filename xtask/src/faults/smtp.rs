//! **A double** of a mail server: takes mail, counts it, and misbehaves as its recipients are named. It proves nothing about
//! what real servers do; it does what they are known to do at worst, on demand.
//!
//! | recipient begins with | after the whole message it |
//! |---|---|
//! | `ok` | says that it took it |
//! | `silent` | says nothing, and keeps the connection |
//! | `drop` | closes the connection |
//! | `lies` | says that it refused it |
//! | `drips` | says that it took it, one byte after another |

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long it takes over each byte of an answer that drips.
const DRIP: Duration = Duration::from_millis(3);

/// How often it is looked how many bytes came.
const LOOKS: u32 = 64;

/// A whole message that came.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// Its Message-ID.
    pub(super) id: String,
    /// When the server let it come: before this it cannot have been handed over.
    pub(super) allowed: Instant,
}

#[derive(Debug, Default)]
struct State {
    arrivals: Vec<Arrival>,
    /// Tells whether messages are kept waiting before they may come.
    holds: bool,
    /// How many are kept waiting.
    held: usize,
    /// How many sessions are open.
    open: usize,
    /// Every connection since messages were last kept waiting.
    connections: Vec<Connection>,
}

/// A connection, and how many bytes of it were read.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    read: Arc<AtomicU64>,
}

impl Connection {
    /// Returns bytes that came: those read, and those that lie in the kernel. Between the two a byte is for a moment in
    /// neither, so the most of some looks counts.
    fn came(&self) -> u64 {
        let look = || self.read.load(Ordering::SeqCst) + rustix::io::ioctl_fionread(&self.stream).unwrap_or(0);
        (0..LOOKS).map(|_| look()).max().unwrap_or(0)
    }
}

/// Counts what is read.
struct Counted {
    stream: TcpStream,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// A server that runs until the process ends.
#[derive(Debug)]
pub(super) struct Smtp {
    shared: Arc<Shared>,
    /// Where it listens.
    pub(super) port: u16,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, within: Duration, waits: impl Fn(&State) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), within, |state| waits(state));
        !waited.map_or(true, |(_, timed_out)| timed_out.timed_out())
    }
}

impl Smtp {
    pub(super) fn start() -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let shared: Arc<Shared> = Arc::default();
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&server);
                // However a session ends, it has ended.
                thread::spawn(move || {
                    shared.lock().open += 1;
                    let whole = stream.try_clone();
                    drop(session(&shared, stream));
                    // What counts its bytes keeps the connection; whoever is at the other end has to see that it is over.
                    let _ = whole.and_then(|stream| stream.shutdown(Shutdown::Both));
                    shared.lock().open -= 1;
                    shared.changed.notify_all();
                });
            }
        });
        Ok(Self { shared, port })
    }

    /// Returns everything that came so far.
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.shared.lock().arrivals.clone()
    }

    /// Keeps messages waiting before they may come, or lets them.
    pub(super) fn hold(&self, holds: bool) {
        let mut state = self.shared.lock();
        state.holds = holds;
        if holds {
            state.connections.clear();
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Tells how many bytes came on each connection.
    pub(super) fn came(&self) -> Vec<u64> {
        self.shared.lock().connections.iter().map(Connection::came).collect()
    }

    /// Waits until no session is open; false if one stays.
    pub(super) fn until_alone(&self, within: Duration) -> bool {
        self.shared.wait_while(within, |state| state.open > 0)
    }

    /// Waits until so many are kept waiting; false if they never were.
    pub(super) fn until_held(&self, count: usize, within: Duration) -> bool {
        self.shared.wait_while(within, |state| state.held < count)
    }
}

#[expect(clippy::disallowed_methods, reason = "when something was allowed is what is measured")]
fn now() -> Instant {
    Instant::now()
}

fn session(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    let read = Arc::new(AtomicU64::new(0));
    shared.lock().connections.push(Connection { stream: stream.try_clone()?, read: Arc::clone(&read) });
    let mut reader = BufReader::new(Counted { stream: stream.try_clone()?, read });
    let mut out = stream;
    out.write_all(b"220 double\r\n")?;
    let (mut line, mut to) = (String::new(), String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let upper = line.trim_end().to_ascii_uppercase();
        if upper.starts_with("EHLO") {
            out.write_all(b"250 double\r\n")?;
        } else if upper.starts_with("RCPT TO:<") {
            to = upper.trim_start_matches("RCPT TO:<").to_ascii_lowercase();
            out.write_all(b"250 ok\r\n")?;
        } else if upper == "DATA" {
            if !take(shared, &mut reader, &mut out, &to)? {
                return Ok(());
            }
        } else if upper == "QUIT" {
            return out.write_all(b"221 bye\r\n");
        } else {
            out.write_all(b"250 ok\r\n")?;
        }
    }
}

/// Takes one message; false if the connection is over.
fn take(shared: &Shared, reader: &mut BufReader<Counted>, out: &mut TcpStream, to: &str) -> io::Result<bool> {
    shared.lock().held += 1;
    shared.changed.notify_all();
    let mut state = shared.lock();
    while state.holds {
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    state.held -= 1;
    drop(state);
    let allowed = now();
    out.write_all(b"354 go on\r\n")?;
    let (mut line, mut id) = (String::new(), String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        if let Some(rest) = line.strip_prefix("Message-ID: ") {
            id = rest.trim().to_owned();
        }
        if line == ".\r\n" {
            break;
        }
    }
    shared.lock().arrivals.push(Arrival { id, allowed });
    shared.changed.notify_all();
    match to {
        to if to.starts_with("silent") => {
            // Until the other side gives up.
            let _ = reader.read_line(&mut line);
            Ok(false)
        }
        to if to.starts_with("drop") => Ok(false),
        to if to.starts_with("lies") => out.write_all(b"550 no\r\n").map(|()| true),
        to if to.starts_with("drips") => {
            for byte in b"250 taken\r\n" {
                out.write_all(&[*byte])?;
                pause(DRIP);
            }
            Ok(true)
        }
        _ => out.write_all(b"250 taken\r\n").map(|()| true),
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow server is slow")]
fn pause(time: Duration) {
    thread::sleep(time);
}
