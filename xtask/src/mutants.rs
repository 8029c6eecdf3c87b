//! `cargo xtask mutants`: changes made by machine to gate, policy and ledger, each of which a test has to notice.
//!
//! What the controls of SECURITY.md need is written by hand (`cargo xtask mutations`); this finds what nobody thought of. What is
//! left out, and why, stands in `.cargo/mutants.toml`.

use std::path::PathBuf;

use crate::process::{cache, command, run};

/// The version that is installed; reads Rust of this edition.
const VERSION: &str = "27.1.0";
/// The crates whose code is changed where none is named.
const PACKAGES: [&str; 3] = ["bailey-gate", "bailey-policy", "bailey-ledger"];

/// Runs all of them, those of the lines changed since a commit (`--since COMMIT`), or a part (`--part K/N`), of the crates
/// named. Installs the tool first.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    let (mut since, mut part, mut packages) = (None, None, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = |what: &str| rest.next().ok_or(format!("`{argument}` wants {what} behind it"));
        match *argument {
            "--since" => since = Some(*value("a commit")?),
            "--part" => part = Some(*value("a part such as 0/20")?),
            name if name.starts_with('-') => return Err(format!("`{name}` is no option of it")),
            name => packages.push(name),
        }
    }
    let folder = cache().join("mutants");
    let mut mutants = command(install(&folder)?);
    mutants.args(["mutants", "--no-shuffle", "--baseline", "run", "--output"]).arg(&folder);
    for package in if packages.is_empty() { PACKAGES.to_vec() } else { packages } {
        mutants.args(["--package", package]);
    }
    if let Some(part) = part {
        mutants.args(["--shard", part]);
    }
    if let Some(since) = since {
        let diff = folder.join("since.diff");
        let output =
            command("git").args(["diff", since, "--", "crates"]).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("git knows no commit `{since}`: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        std::fs::write(&diff, output.stdout).map_err(|error| format!("`{}`: {error}", diff.display()))?;
        mutants.arg("--in-diff").arg(diff);
    }
    run(&mut mutants).map_err(|why| {
        format!(
            "{why}; `{}` lists what no test noticed. Write the test, or leave the place out in `.cargo/mutants.toml` and say why",
            folder.join("mutants.out/missed.txt").display()
        )
    })
}

/// Installs the tool beside what else is kept between runs; gives the program.
fn install(folder: &std::path::Path) -> Result<PathBuf, String> {
    let place = folder.join(VERSION);
    let program = place.join("bin/cargo-mutants");
    if !program.exists() {
        eprintln!("Installing cargo-mutants {VERSION}; a few minutes, once.");
        let mut cargo = command("cargo");
        run(cargo.args(["install", "--locked", "--version", VERSION, "cargo-mutants", "--root"]).arg(&place))?;
    }
    Ok(program)
}
