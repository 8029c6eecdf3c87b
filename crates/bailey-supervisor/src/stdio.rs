//! Writes lines to standard output and standard error by a thread of its own: a terminal that stands still, or a reader that has
//! stopped, keeps nobody from a pause.

use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, channel, sync_channel};
use std::time::Duration;

/// Lines that may wait; what comes beyond is dropped.
const MAX_LINES: usize = 256;

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Error,
}

enum Line {
    Write(Stream, String),
    /// Says that everything before it was written.
    Reached(std::sync::mpsc::Sender<()>),
}

fn lines() -> &'static SyncSender<Line> {
    static LINES: OnceLock<SyncSender<Line>> = OnceLock::new();
    LINES.get_or_init(|| {
        let (send, lines) = sync_channel(MAX_LINES);
        std::thread::spawn(move || {
            for line in lines {
                // Whoever read it may be gone.
                let _ = match line {
                    Line::Write(Stream::Out, words) => writeln!(io::stdout(), "{words}"),
                    Line::Write(Stream::Error, words) => writeln!(io::stderr(), "{words}"),
                    Line::Reached(waiting) => {
                        let _ = waiting.send(());
                        Ok(())
                    }
                };
            }
        });
        send
    })
}

/// Writes a line, without waiting until it is read.
pub fn log_line(stream: Stream, line: String) {
    let _ = lines().try_send(Line::Write(stream, line));
}

/// Waits until every line so far was written, but no longer than `most`.
pub fn flush_within(most: Duration) {
    let (send, reached) = channel();
    if lines().try_send(Line::Reached(send)).is_ok() {
        let _ = reached.recv_timeout(most);
    }
}
