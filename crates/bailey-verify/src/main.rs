//! `bailey-verify LOG [--pin FILE]`: checks an exported log, offline.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

const USAGE: &str = "usage: bailey-verify LOG [--pin FILE]

Checks a log written by `bailey log export`. LOG may be `-` for standard input.
FILE holds a checkpoint that was seen before (`bailey log checkpoint`).

exit codes: 0 valid up to the pin · 10 consistent, freshness unproven (no pin)
            20 invalid · 21 diverged from the pin · 22 incomplete · 2 usage or unreadable file
";

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    match run(std::env::args().skip(1).collect()) {
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

fn run(arguments: Vec<String>) -> Result<bailey_verify::Verdict, String> {
    let (log, pin) = match arguments.as_slice() {
        [log] if !log.starts_with("--") => (log, None),
        [log, flag, pin] | [flag, pin, log] if flag == "--pin" => (log, Some(pin)),
        _ => return Err(USAGE.into()),
    };
    let log = read(log, bailey_verify::FIRST_LINE, MOST_LOG_BYTES)?;
    let pin = pin.map(|path| read(path, "", MOST_PIN_BYTES)).transpose()?;
    Ok(bailey_verify::verify(&log, pin.as_deref()))
}

/// Longest log that is read, in bytes: some ten million entries.
const MOST_LOG_BYTES: u64 = 8 << 30;
/// Longest checkpoint that is read, in bytes: a few lines of text.
const MOST_PIN_BYTES: u64 = 64 * 1024;

/// Reads a file that others may have made: no more than its beginning where that is not what it has to be, and never without
/// end.
fn read(path: &str, begins: &str, most: u64) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("`{path}` cannot be read: {error}");
    let from: Box<dyn std::io::Read> = match path {
        "-" => Box::new(std::io::stdin().lock()),
        _ => Box::new(std::fs::File::open(path).map_err(failed)?),
    };
    let mut from = from.take(most);
    let mut bytes = Vec::new();
    from.by_ref().take(begins.len() as u64).read_to_end(&mut bytes).map_err(failed)?;
    if bytes == begins.as_bytes() {
        from.read_to_end(&mut bytes).map_err(failed)?;
    }
    if from.limit() == 0 {
        return Err(format!("`{path}` is longer than {most} bytes, which is more than is read at once"));
    }
    // A byte that is no text cannot be part of an export; replaced, it fails the check it belongs to.
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
