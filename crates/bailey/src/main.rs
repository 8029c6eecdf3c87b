//! `bailey`: the command line.

mod args;
mod browsers;
mod client;
mod commands;
mod computer;
mod config;
mod discover;
mod doctor;
mod files;
mod follow;
mod notifications;
mod pause;
mod pin;
mod prompt;
mod report;
mod restore;
mod roles;
mod rules;
mod schedules;
mod scrape;
mod search;
mod show;
mod undo;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use bailey_home::Layout;
use clap::Parser as _;

fn main() -> ExitCode {
    if std::env::var_os("BAILEY_DATA").is_some_and(|folder| folder.is_empty()) && !is_named() {
        return fail("BAILEY_DATA is set but empty, so it names no folder: unset it, or name one with --data", 2);
    }
    let arguments = args::Arguments::parse();
    // Whatever this program makes, nobody else may read.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let json = arguments.json;
    let fail = |why: &str, code: u8| if json { fail_as_data(why, code) } else { fail(why, code) };
    let Some(data) = arguments.data.or_else(default_data) else {
        return fail("no home folder: set HOME, or name a folder with --data", 2);
    };
    let layout = Layout::new(&data);
    match &arguments.command {
        args::Command::HomeProcess(role) => return roles::home(role, &layout),
        args::Command::GatewayProcess(role) => return roles::gateway(role, &layout),
        args::Command::Gate(wanted) => return roles::gate(wanted),
        _ => {}
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string(), 1),
    };
    let ended = runtime.block_on(commands::run(arguments.command, layout, arguments.json));
    // What waits for a disk that does not answer keeps the program no longer.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => fail(&trouble.to_string(), trouble.exit_code()),
    }
}

/// Tells whether the folder of the home is named among the arguments.
fn is_named() -> bool {
    std::env::args_os().any(|argument| argument.to_string_lossy().starts_with("--data"))
}

fn fail(why: &str, code: u8) -> ExitCode {
    if !why.is_empty() {
        // Some of it may be others' words, or a file's.
        let why = bailey_gate::family::escape::visible_lines(why);
        let _ = writeln!(std::io::stderr(), "bailey: {why}");
    }
    ExitCode::from(code)
}

/// Returns the same for programs: one line of JSON, with the exit code.
fn fail_as_data(why: &str, code: u8) -> ExitCode {
    if !why.is_empty() {
        let why = bailey_gate::family::escape::visible_lines(why);
        let _ = writeln!(std::io::stderr(), "{}", serde_json::json!({"message": why, "exit": code}));
    }
    ExitCode::from(code)
}

/// Tells where a home lies if nobody says: root's own folder lets no other account in, and root's homes have accounts of their
/// own.
fn default_data() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some("/var/lib/bailey".into());
    }
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")))?;
    Some(data.join("bailey"))
}
