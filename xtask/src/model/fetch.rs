//! Fetching packages and unpacking them, telling how far it is.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::process::command;

/// How often a download's progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How far something is: one line that moves on a terminal, else ten lines.
#[derive(Debug)]
pub(super) struct Progress {
    what: &'static str,
    total: u64,
    shown: Option<u64>,
    terminal: bool,
}

impl Progress {
    /// Begins at nothing of `total` bytes.
    pub(super) fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, shown: None, terminal: std::io::stderr().is_terminal() }
    }

    /// Shows that `done` bytes are done, if that is worth a line.
    pub(super) fn show(&mut self, done: u64) {
        let Some(line) = self.line(done) else { return };
        let mut out = std::io::stderr();
        // Progress that cannot be shown is no reason to stop.
        let _ = if self.terminal { write!(out, "\r  {line}") } else { writeln!(out, "  {line}") };
        let _ = out.flush();
    }

    /// Ends the line that moves.
    pub(super) fn end(mut self) {
        self.show(self.total);
        if self.terminal {
            eprintln!();
        }
    }

    fn line(&mut self, done: u64) -> Option<String> {
        let done = done.min(self.total);
        let steps = if self.terminal { 1_000 } else { 10 };
        let step = done.saturating_mul(steps).checked_div(self.total).unwrap_or(steps);
        if self.shown.is_some_and(|shown| step <= shown) {
            return None;
        }
        self.shown = Some(step);
        Some(format!("{}: {} of {} MB", self.what, done / 1_000_000, self.total / 1_000_000))
    }
}

/// Runs pip with what it fetches going through `scratch`, and shows how much has come beside the `before` bytes that were
/// there already. What pip says on errors goes to the terminal.
pub(super) fn pip(mut pip: Command, scratch: &Path, before: u64, progress: &mut Progress) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let _ = fs::remove_dir_all(scratch);
    fs::create_dir_all(scratch).map_err(failed)?;
    let mut child = pip.env("TMPDIR", scratch).stdin(Stdio::null()).spawn().map_err(failed)?;
    let (ended, end) = channel();
    let waiting = std::thread::spawn(move || ended.send(child.wait()));
    let status = loop {
        progress.show(before + size(scratch));
        match end.recv_timeout(LOOK_EVERY) {
            Ok(status) => break status.map_err(failed)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("pip was lost".into()),
        }
    };
    let _ = waiting.join();
    let _ = fs::remove_dir_all(scratch);
    if status.success() { Ok(()) } else { Err(format!("pip could not fetch it ({status}; what it said is above)")) }
}

/// Returns the bytes of the files below a folder; what vanishes meanwhile counts nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// Tells whether a file has this SHA-256; one that is not there has not.
pub(super) fn has_hash(file: &Path, sha256: &str) -> bool {
    let output = command("sha256sum").arg(file).stderr(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success() && String::from_utf8_lossy(&output.stdout).starts_with(sha256))
}

/// A package of the list: its name, its version, and the hash of its one build.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pinned<'a> {
    /// The whole line, as pip takes it.
    pub(super) line: &'a str,
    name: &'a str,
    version: &'a str,
    /// SHA-256 in hexadecimal.
    pub(super) sha256: &'a str,
}

impl<'a> Pinned<'a> {
    /// Reads a line `NAME==VERSION --hash=sha256:HASH`.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (package, sha256) = line.split_once(" --hash=sha256:")?;
        let (name, version) = package.split_once("==")?;
        let whole = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        whole.then_some(Self { line, name, version, sha256 })
    }

    /// Returns the name of its file, for packages of Python alone.
    pub(super) fn file(&self) -> String {
        format!("{}-{}-py3-none-any.whl", self.name.replace('-', "_"), self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_away_from_a_terminal_is_ten_lines_and_the_first() {
        let mut progress = Progress { what: "Model", total: 1_000_000_000, shown: None, terminal: false };
        let lines: Vec<String> = (0..=1_000).filter_map(|part| progress.line(part * 1_000_000)).collect();
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[0], "Model: 0 of 1000 MB");
        assert_eq!(lines[5], "Model: 500 of 1000 MB");
        assert_eq!(lines[10], "Model: 1000 of 1000 MB");
    }

    #[test]
    fn progress_never_goes_back_or_beyond_the_end() {
        let mut progress = Progress { what: "Model", total: 100, shown: None, terminal: true };
        assert!(progress.line(50).is_some());
        assert_eq!(progress.line(40), None);
        assert!(progress.line(200).is_some());
        assert_eq!(progress.line(300), None);
        assert!(Progress { what: "None", total: 0, shown: None, terminal: true }.line(0).is_some());
    }

    #[test]
    fn pins_are_read_and_a_line_without_a_whole_hash_is_none() {
        let hash = "0a".repeat(32);
        let line = format!("some-part1==0.2.0 --hash=sha256:{hash}");
        let pinned = Pinned::parse(&line).unwrap();
        assert_eq!((pinned.file().as_str(), pinned.sha256), ("some_part1-0.2.0-py3-none-any.whl", hash.as_str()));
        assert_eq!(Pinned::parse("some-part1==0.2.0"), None);
        assert_eq!(Pinned::parse(line.trim_end_matches('a')), None);
        assert_eq!(Pinned::parse("# a word"), None);
    }

    #[test]
    fn a_cut_file_has_not_its_hash() {
        let folder = std::env::temp_dir().join(format!("bailey-fetch-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (whole, cut) = (folder.join("whole"), folder.join("cut"));
        fs::write(&whole, "abc").unwrap();
        fs::write(&cut, "ab").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(has_hash(&whole, abc));
        assert!(!has_hash(&cut, abc));
        assert!(!has_hash(&folder.join("absent"), abc));
        fs::remove_dir_all(&folder).unwrap();
    }
}
