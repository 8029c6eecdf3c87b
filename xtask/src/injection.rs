//! `cargo xtask bench injection`: what is left to an attacker who owns the model, measured with AgentDojo's suites.
//!
//! No model takes part; see `docs/security/injection.md` for the protocol and what it does not show.

use std::path::PathBuf;

use crate::install::packages;
use crate::process::{cache, command, root, run, succeeds};

/// The benchmark whose tasks, tools and checks are used (PyPI, MIT licence).
const AGENTDOJO: &str = "agentdojo==0.1.35";

/// Installs the benchmark, builds the product, and hands on the arguments.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    let yes = std::env::var("CI").is_ok_and(|ci| ci == "true");
    packages(yes)?;
    let python = install()?;
    run(command("cargo").args(["build", "--release", "--locked", "-p", "bailey", "--bins"]))?;
    let mut bailey = std::env::current_exe().map_err(|error| error.to_string())?;
    bailey.pop();
    let bailey = bailey.with_file_name("release").join("bailey");
    eprintln!("Six runs over two suites; a quarter of an hour or so on an idle machine.");
    run(command(python).arg(root().join("xtask/injection/injection.py")).arg("--gate").arg(bailey).args(arguments))
}

/// Returns a Python environment of its own with the benchmark in it.
fn install() -> Result<PathBuf, String> {
    let folder = cache().join("agentdojo");
    let python = folder.join("bin/python");
    if succeeds(command(&python).args(["-c", "import agentdojo, yaml"])) {
        return Ok(python);
    }
    eprintln!("Installing {AGENTDOJO} and what it needs from PyPI, below `{}`.", folder.display());
    run(command("python3").args(["-m", "venv"]).arg(&folder))?;
    run(command(&python).args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet", AGENTDOJO]))?;
    Ok(python)
}
