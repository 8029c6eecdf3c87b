//! `cargo xtask mutations`: takes each control out of the source, one at a time, and expects a named test to fail.
//!
//! It works on a copy of the tree with a target folder of its own. Nothing in the product can switch a control off.

mod list;
pub mod seeded;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, cache, command, root};
use list::mutations;

/// How long a test may take with a control missing, in seconds. One that then waits for ever has noticed too.
const TEST_SECONDS: u32 = 240;

/// What the end-to-end tests start.
const PROGRAMS: [&str; 10] =
    ["build", "--quiet", "--locked", "--bins", "-p", "bailey", "-p", "bailey-verify", "-p", "bailey-scripted"];

/// A change to the source that takes one thing out.
#[derive(Debug)]
pub struct Mutation {
    /// The control, as `SECURITY.md` names it.
    pub control: &'static str,
    /// Changes to make: file, what stands there once, what to put there.
    pub edits: &'static [(&'static str, &'static str, &'static str)],
    /// The test that has to fail, as `SECURITY.md` names it.
    pub test: &'static str,
}

/// A copy of the tree to change, and a target folder of its own.
pub(crate) struct Copy {
    source: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// Brings the copy up to the tree. Files that are the same keep their times, so that little is built anew.
    pub(crate) fn refresh() -> Result<Self, String> {
        let base = cache().join("mutations");
        let copy = Self { source: base.join("source"), target: base.join("target") };
        let listed = command("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).output();
        let listed = listed.map_err(|error| format!("git ls-files: {error}"))?;
        let wanted: BTreeSet<PathBuf> = String::from_utf8_lossy(&listed.stdout)
            .lines()
            .filter(|name| root().join(name).is_file())
            .map(PathBuf::from)
            .collect();
        for name in &wanted {
            let bytes = read(&root().join(name))?;
            write_if_other(&copy.source.join(name), &bytes)?;
        }
        remove_others(&copy.source, &copy.source, &wanted)?;
        Ok(copy)
    }

    /// Returns a cargo command in the copy.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = command("cargo");
        cargo.current_dir(&self.source).env("CARGO_TARGET_DIR", &self.target).env("RUST_BACKTRACE", "0");
        // What cargo told this process of its own project is not true of the copy.
        for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME"] {
            cargo.env_remove(name);
        }
        cargo
    }

    /// Returns a program of the copy.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// Makes the edits, does the work, and puts everything back.
    pub(crate) fn with<T>(
        &self,
        edits: &[(&str, &str, &str)],
        work: impl FnOnce(&Self) -> Result<T, String>,
    ) -> Result<T, String> {
        // What stood here before, and not what stands in the tree by now: that may be of another moment.
        let mut before = Vec::new();
        for (file, old, new) in edits {
            let path = self.source.join(file);
            let bytes = read(&path)?;
            let text = String::from_utf8_lossy(&bytes).replacen(old, new, 1);
            before.push((path.clone(), bytes));
            write_if_other(&path, text.as_bytes())?;
        }
        let done = work(self);
        for (path, bytes) in before.into_iter().rev() {
            write_if_other(&path, &bytes)?;
        }
        done
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn write_if_other(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let failed = |error: std::io::Error| format!("`{}`: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    fs::write(path, bytes).map_err(failed)
}

fn remove_others(top: &Path, folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            remove_others(top, &path, wanted)?;
        } else if path.strip_prefix(top).is_ok_and(|name| !wanted.contains(name)) {
            fs::remove_file(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// What came of taking a control out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The test failed, and failed again.
    Killed,
    Survived,
    /// The test failed once and passed once: that says nothing.
    Unsteady,
    /// The test did not end.
    Hung,
    DoesNotBuild,
}

/// Takes out the controls of the claims named by their ids, and those whose ids hold one of `only`; all of them where it is empty.
pub fn run(only: &[&str]) -> Result<(), String> {
    let claims = claims()?;
    let of_claim = |word: &str, control: &str| {
        claims
            .iter()
            .any(|claim| claim.id.eq_ignore_ascii_case(word) && claim.controls.iter().any(|one| one == control))
    };
    let is_meant = |one: &&Mutation| only.iter().any(|word| one.control.contains(word) || of_claim(word, one.control));
    let chosen: Vec<&Mutation> = mutations().filter(|one| only.is_empty() || is_meant(one)).collect();
    if chosen.is_empty() {
        return Err("no claim or control has such an id; `cargo xtask mutations --list` shows them".into());
    }
    take_out(&chosen)
}

/// Takes out the controls that lie in files changed since a commit.
pub fn run_since(revision: &str) -> Result<(), String> {
    let output = command("git").args(["diff", "--name-only", revision, "--"]).output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("git knows no commit `{revision}`: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let changed: BTreeSet<&str> = text.lines().collect();
    let chosen: Vec<&Mutation> =
        mutations().filter(|one| one.edits.iter().any(|(file, _, _)| changed.contains(file))).collect();
    if chosen.is_empty() {
        println!("No control lies in a file that changed since {revision}.");
        return Ok(());
    }
    take_out(&chosen)
}

fn take_out(chosen: &[&Mutation]) -> Result<(), String> {
    let faults = faults()?;
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    let copy = Copy::refresh()?;
    eprintln!("The tests as they are; all of them have to pass.");
    process::run(copy.cargo().args(PROGRAMS))?;
    for name in chosen.iter().map(|one| one.test).collect::<BTreeSet<_>>() {
        let (outcome, said) = test(&copy, name)?;
        if outcome != Outcome::Survived {
            return Err(format!("`{name}` fails with every control in place:\n{said}"));
        }
    }
    let mut bad = Vec::new();
    for (index, one) in chosen.iter().enumerate() {
        let (outcome, said) = copy.with(one.edits, |copy| test(copy, one.test))?;
        if outcome == Outcome::DoesNotBuild {
            eprintln!("{said}");
        }
        println!("{:>3}/{} {outcome:?}: {} ({})", index + 1, chosen.len(), one.control, one.test);
        if outcome != Outcome::Killed {
            bad.push(one.control);
        }
    }
    if bad.is_empty() {
        println!("All {} controls hold: without each of them a test fails.", chosen.len());
        return Ok(());
    }
    Err(format!("not shown to hold: {}", bad.join(", ")))
}

/// Runs one test, and gives what it said; that it cannot be built is told apart from that it fails.
fn test(copy: &Copy, name: &str) -> Result<(Outcome, String), String> {
    let (package, kind) = place(name)?;
    // The end-to-end tests start the programs; the others need none.
    if package == "bailey" {
        let built = copy.cargo().args(PROGRAMS).output().map_err(|error| error.to_string())?;
        if !built.status.success() {
            return Ok((Outcome::DoesNotBuild, String::from_utf8_lossy(&built.stderr).into_owned()));
        }
    }
    let mut arguments = vec!["test", "--quiet", "--locked", "-p", package.as_str()];
    arguments.extend(kind);
    let built = copy.cargo().args(&arguments).arg("--no-run").output().map_err(|error| error.to_string())?;
    if !built.status.success() {
        return Ok((Outcome::DoesNotBuild, String::from_utf8_lossy(&built.stderr).into_owned()));
    }
    let mut timed = command("timeout");
    let cargo = copy.cargo();
    // What stands in the test program's own file has no module before its name.
    let filter = name.strip_prefix("main::").unwrap_or(name);
    timed.arg(TEST_SECONDS.to_string()).arg(cargo.get_program()).args(&arguments).args(["--", filter]);
    timed.current_dir(&copy.source);
    for (key, value) in cargo.get_envs() {
        match value {
            Some(value) => timed.env(key, value),
            None => timed.env_remove(key),
        };
    }
    let (mut failures, mut said) = (0, String::new());
    while failures < FAILURES {
        let output = timed.output().map_err(|error| format!("timeout: {error}"))?;
        said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.contains("running 0 tests") && output.status.success() {
            return Err(format!("`{name}` is no test of `{package}`"));
        }
        match output.status.code() {
            Some(0) if failures == 0 => return Ok((Outcome::Survived, said)),
            Some(0) => return Ok((Outcome::Unsteady, said)),
            Some(TIMED_OUT) => return Ok((Outcome::Hung, said)),
            Some(_) | None => failures += 1,
        }
    }
    Ok((Outcome::Killed, said))
}

/// How often a test has to fail: once may be the machine's doing.
const FAILURES: u32 = 2;
/// What `timeout` ends with when time was up.
const TIMED_OUT: i32 = 124;

/// Returns the package a test is in, and which of its test programs.
fn place(name: &str) -> Result<(String, Vec<&'static str>), String> {
    let (module, function) = name.rsplit_once("::").unwrap_or(("", name));
    for path in sources(&root().join("crates"))? {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let inside = path.strip_prefix(root().join("crates")).map(|path| path.to_string_lossy().into_owned());
        let inside = inside.unwrap_or_default();
        let end_to_end = inside.contains("/tests/it/");
        let matches = if end_to_end { stem == module } else { module == "tests" || stem == module };
        if matches && is_test(&text, function) {
            let package = inside.split('/').next().unwrap_or_default().to_owned();
            return Ok((package, if end_to_end { vec!["--test", "it"] } else { vec!["--lib"] }));
        }
    }
    Err(format!("there is no test `{name}`"))
}

/// Tells whether a source has a test of this name that is run: marked as one, and not as one to leave out.
fn is_test(source: &str, function: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let begins = format!("fn {function}(");
    lines.iter().enumerate().filter(|(_, line)| line.contains(&begins)).any(|(at, _)| {
        let above = lines.iter().take(at).rev().take_while(|line| line.starts_with("#[") || line.starts_with("///"));
        let marks: Vec<&&str> = above.collect();
        marks.iter().any(|mark| mark.contains("test]") || mark.contains("test("))
            && !marks.iter().any(|mark| mark.contains("ignore"))
    })
}

/// Returns every Rust file below a folder, in order.
pub(crate) fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut out = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|error| format!("`{}`: {error}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            out.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
    Ok(out)
}

/// A row of a table in `SECURITY.md`.
struct Claim {
    id: String,
    words: String,
    controls: Vec<String>,
    tests: Vec<String>,
}

/// Longest sentence of a claim, in characters: what is longer claims more than one thing.
const MAX_CLAIM_CHARS: usize = 200;

/// Cells of a row: id, claim, controls, tests.
const CELLS: usize = 4;

fn claims() -> Result<Vec<Claim>, String> {
    let text = String::from_utf8_lossy(&read(&root().join("SECURITY.md"))?).into_owned();
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let rows = text.lines().filter_map(cells);
    let claims = rows.filter_map(|cells| match cells.as_slice() {
        [id, words, controls, tests] if *id != "id" => Some(Claim {
            id: (*id).to_owned(),
            words: (*words).to_owned(),
            controls: quoted(controls),
            tests: quoted(tests),
        }),
        _ => None,
    });
    Ok(claims.collect())
}

fn cells(line: &str) -> Option<Vec<&str>> {
    line.strip_prefix("| ")?.strip_suffix(" |").map(|row| row.split(" | ").collect())
}

/// Lists the ids of all claims.
pub(crate) fn claim_ids() -> Result<BTreeSet<String>, String> {
    Ok(claims()?.into_iter().map(|claim| claim.id).collect())
}

/// Tells the form of a claim's id: capitals, a dash, a number (`PAUSE-4`).
pub(crate) fn is_claim_id(id: &str) -> bool {
    id.split_once('-').is_some_and(|(area, number)| {
        let (capitals, digits) = (|c: char| c.is_ascii_uppercase(), |c: char| c.is_ascii_digit());
        !area.is_empty() && area.chars().all(capitals) && !number.is_empty() && number.chars().all(digits)
    })
}

/// Tells the form of a control's id: an area, a stroke, what holds (`pause/hand-off-lock`).
fn is_control_id(id: &str) -> bool {
    let plain = |part: &str| {
        let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.chars().all(inside)
    };
    id.split_once('/').is_some_and(|(area, holds)| plain(area) && plain(holds))
}

/// Tells whether a test of this name is there, and run.
pub(crate) fn is_there(test: &str) -> bool {
    place(test).is_ok()
}

/// Lines of the tables that would be read as none of their rows: a claim must not get lost in one.
fn misshapen(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.trim_start().starts_with('|') && !line.starts_with("|---"));
    lines
        .filter(|line| cells(line).is_none_or(|cells| cells.len() != CELLS))
        .map(|line| format!("SECURITY.md: this is no row of {CELLS} cells: {line}"))
        .collect()
}

/// Returns what is wrong with the form of a claim: ids that are none or are another's, sentences that are too long.
fn malformed(claims: &[Claim]) -> Vec<String> {
    let mut faults = Vec::new();
    for claim in claims {
        if !is_claim_id(&claim.id) {
            faults.push(format!("SECURITY.md: `{}` is no id of a claim, such as GATE-1", claim.id));
        }
        if claims.iter().filter(|other| other.id == claim.id).count() > 1 {
            faults.push(format!("SECURITY.md: two claims are called {}", claim.id));
        }
        if claim.words.chars().count() > MAX_CLAIM_CHARS {
            faults.push(format!("SECURITY.md: {} has more than {MAX_CLAIM_CHARS} characters; split it", claim.id));
        }
        if claim.controls.is_empty() {
            faults.push(format!("SECURITY.md: {} names no control", claim.id));
        }
    }
    faults
}

/// Returns what does not fit together between `SECURITY.md`, the list of mutations and the source. Cheap: part of every check.
pub fn faults() -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    let claims = claims()?;
    if claims.is_empty() {
        faults.push("SECURITY.md has no table of claims, controls and tests".into());
    }
    faults.extend(misshapen(&String::from_utf8_lossy(&read(&root().join("SECURITY.md"))?)));
    faults.extend(malformed(&claims));
    for claim in &claims {
        for test in &claim.tests {
            if place(test).is_err() {
                faults.push(format!("SECURITY.md names the test `{test}`, which is not there, or is left out"));
            }
        }
        for control in &claim.controls {
            let taken_out: Vec<_> = mutations().filter(|one| one.control == control).collect();
            if taken_out.is_empty() {
                faults.push(format!("no mutation takes out `{control}`, which is to hold {}", claim.id));
            }
            for one in taken_out.iter().filter(|one| !claim.tests.iter().any(|test| test == one.test)) {
                faults.push(format!("`{control}` is shown by `{}`, which {} does not name", one.test, claim.id));
            }
        }
    }
    for one in mutations() {
        if !claims.iter().any(|claim| claim.controls.iter().any(|control| control == one.control)) {
            faults.push(format!("the control `{}` holds no claim of SECURITY.md", one.control));
        }
        if !is_control_id(one.control) {
            faults.push(format!("`{}` is no id of a control, such as pause/hand-off-lock", one.control));
        }
        if mutations().filter(|other| other.control == one.control).count() > 1 {
            faults.push(format!("two mutations are called `{}`", one.control));
        }
    }
    let edits = mutations().map(|one| (one.control, one.edits));
    for (name, edits) in edits.chain(seeded::SEEDED.iter().map(|one| (one.bug, one.edits))) {
        for (file, old, new) in edits {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            if text.matches(old).count() != 1 || old == new {
                faults.push(format!("`{name}`: what it changes does not stand once in `{file}`"));
            }
        }
    }
    Ok(faults)
}

/// Prints every claim with its controls and tests.
pub fn list() -> Result<(), String> {
    for claim in claims()? {
        let (controls, tests) = (claim.controls.join(", "), claim.tests.join(", "));
        println!("{} {}\n  controls: {controls}\n  tests: {tests}", claim.id, claim.words);
    }
    Ok(())
}
