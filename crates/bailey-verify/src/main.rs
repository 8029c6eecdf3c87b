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
    let log = read(log)?;
    let pin = pin.map(|path| read(path)).transpose()?;
    Ok(bailey_verify::verify(&log, pin.as_deref()))
}

fn read(path: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = if path == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("`{path}` cannot be read: {error}"))?;
    // A byte that is no text cannot be part of an export; replaced, it fails the check it belongs to.
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
