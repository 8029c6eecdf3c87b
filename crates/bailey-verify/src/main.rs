//! `bailey-verify LOG [--pin FILE]`: checks an exported log, offline.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, Read as _, Write as _};
use std::process::ExitCode;

const USAGE: &str = "usage: bailey-verify LOG [--pin FILE]

Checks a log written by `bailey log export`. LOG may be `-` for standard input.
FILE holds a checkpoint that was seen before (`bailey log checkpoint`).

exit codes: 0 valid up to the pin · 10 consistent, freshness unproven (no pin)
            20 invalid · 21 diverged from the pin · 22 incomplete · 2 usage or unreadable file
";

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    match run(std::env::args_os().skip(1).collect()) {
        Ok(verdict) => {
            let _ = writeln!(out, "{verdict}");
            ExitCode::from(verdict.exit_code())
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Vec<OsString>) -> Result<bailey_verify::Verdict, String> {
    let (log, pin) = match arguments.as_slice() {
        [log] if !log.as_encoded_bytes().starts_with(b"--") => (log, None),
        [log, flag, pin] | [flag, pin, log] if flag == "--pin" => (log, Some(pin)),
        _ => return Err(USAGE.into()),
    };
    let log = read_log(log)?;
    let pin = pin.map(|path| read_pin(path)).transpose()?;
    Ok(bailey_verify::verify(&log, pin.as_deref()))
}

/// Longest log that is read, in bytes: some ten million entries.
const MOST_LOG_BYTES: u64 = 8 << 30;
/// Longest line of a log that is read, in bytes: the largest payload, many times over.
const MOST_LINE_BYTES: u64 = 256 << 20;
/// Longest checkpoint that is read, in bytes: a few lines of text.
const MOST_PIN_BYTES: u64 = 64 * 1024;

fn open(path: &OsStr) -> std::io::Result<Box<dyn BufRead>> {
    Ok(if path == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::io::BufReader::new(std::fs::File::open(path)?))
    })
}

fn read_pin(path: &OsStr) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = open(path).and_then(|from| from.take(MOST_PIN_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    Ok(text(bytes))
}

/// Reads a log that others may have made: up to the first line that is none of a log's, which the verdict then is about, and never
/// without end.
fn read_log(path: &OsStr) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("`{}` cannot be read: {error}", path.display());
    let mut from = open(path).map_err(failed)?.take(MOST_LOG_BYTES);
    let mut bytes = Vec::new();
    loop {
        let begins = bytes.len();
        // Of a line that cannot be one no more than its beginning is read.
        from.by_ref().take(bailey_verify::LONGEST_BEGINNING).read_until(b'\n', &mut bytes).map_err(failed)?;
        let line = bytes.get(begins..).unwrap_or_default();
        if line.is_empty() || !bailey_verify::may_begin(line, begins == 0) {
            break;
        }
        if !line.ends_with(b"\n") {
            from.by_ref().take(MOST_LINE_BYTES).read_until(b'\n', &mut bytes).map_err(failed)?;
            if bytes.last() != Some(&b'\n') && (bytes.len() - begins) as u64 > MOST_LINE_BYTES {
                return Err(format!(
                    "`{}` has a line of more than {MOST_LINE_BYTES} bytes, which no log has",
                    path.display()
                ));
            }
        }
    }
    if from.limit() == 0 {
        return Err(format!(
            "`{}` is longer than {MOST_LOG_BYTES} bytes, which is more than is read at once",
            path.display()
        ));
    }
    Ok(text(bytes))
}

fn text(bytes: Vec<u8>) -> String {
    // A byte that is no text cannot be part of an export; replaced, it fails the check it belongs to.
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
