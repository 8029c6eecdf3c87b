//! Writes lines to standard output and standard error, each by a thread of its own: a terminal that stands still, or a reader that
//! has stopped, keeps nobody from a pause.

use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use bailey_telemetry::metrics;

/// Lines that may wait; what comes beyond is dropped, and counted.
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
    Write(String),
    /// Says that everything before it was written.
    Reached(Sender<()>),
}

fn lines(stream: Stream) -> &'static SyncSender<Line> {
    static OUT: OnceLock<SyncSender<Line>> = OnceLock::new();
    static ERROR: OnceLock<SyncSender<Line>> = OnceLock::new();
    let (lines, write): (_, fn(String) -> io::Result<()>) = match stream {
        Stream::Out => (&OUT, |line| writeln!(io::stdout(), "{line}")),
        Stream::Error => (&ERROR, |line| writeln!(io::stderr(), "{line}")),
    };
    lines.get_or_init(|| {
        let (send, lines) = sync_channel(MAX_LINES);
        std::thread::spawn(move || {
            for line in lines {
                // Whoever read it may be gone.
                let _ = match line {
                    Line::Write(line) => write(line),
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
    if lines(stream).try_send(Line::Write(line)).is_err() {
        metrics().line_dropped();
    }
}

/// Where notices go, once somebody has said so.
static NOTICES: OnceLock<Stream> = OnceLock::new();

/// Sends notices to standard output: standard error holds log lines for programs, and nothing else.
pub fn keep_notices_apart() {
    let _ = NOTICES.set(Stream::Out);
}

/// Tells the person something that is no log event: to standard error, or apart from it ([`keep_notices_apart`]).
pub fn notice(words: &str) {
    log_line(NOTICES.get().copied().unwrap_or(Stream::Error), format!("bailey: {words}"));
}

/// Waits until every line so far was written, but no longer than `most` for each stream.
pub fn flush_within(most: Duration) {
    for stream in [Stream::Out, Stream::Error] {
        let (send, reached) = channel();
        if lines(stream).try_send(Line::Reached(send)).is_ok() {
            let _ = reached.recv_timeout(most);
        }
    }
}
