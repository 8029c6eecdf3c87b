//! `cargo xtask fuzz`: every parser of hostile bytes under libFuzzer, led by coverage.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{cache, command, root, run};

/// Minutes for each target if nobody says.
const MINUTES: u64 = 5;
/// Longest a single input may take, in seconds; longer is a finding.
const MOST_SECONDS: u32 = 10;
/// Most memory, in MiB; more is a finding.
const MOST_MEMORY: u32 = 2_048;
/// Coverage for libFuzzer out of stable rustc: it counts edges and sees what is compared.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Runs targets one after another: all, or those named; `--minutes N` for each.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    let (mut minutes, mut names) = (MINUTES, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if *argument == "--minutes" {
            let value = rest.next().and_then(|value| value.parse().ok());
            minutes = value.ok_or("how many minutes? `cargo xtask fuzz --minutes 60`")?;
        } else {
            names.push((*argument).to_owned());
        }
    }
    let known = targets()?;
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("there is no target `{unknown}`; there are {}", known.join(", ")));
    }
    let program = build()?;
    let mut broken = Vec::new();
    for name in if names.is_empty() { known } else { names } {
        if let Err(why) = fuzz(&program, &name, minutes) {
            eprintln!("{why}");
            broken.push(name);
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!(
        "findings in {}; the inputs are in `{}`: mend what they break and keep them among the seeds",
        broken.join(", "),
        findings().display()
    ))
}

fn findings() -> PathBuf {
    cache().join("fuzz/findings")
}

fn seeds() -> PathBuf {
    root().join("crates/bailey-fuzz/seeds")
}

/// A target for each folder of seeds.
fn targets() -> Result<Vec<String>, String> {
    let entries = fs::read_dir(seeds()).map_err(|error| format!("`{}`: {error}", seeds().display()))?;
    let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into()).collect();
    names.sort();
    Ok(names)
}

fn build() -> Result<PathBuf, String> {
    // Named, so that the flags are for the program and not for what runs while it is built.
    let about = command("rustc").arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let about = String::from_utf8_lossy(&about.stdout).into_owned();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not name its host")?;
    let target = cache().join("fuzz/target");
    let mut cargo = command("cargo");
    cargo.args(["build", "--release", "--locked", "--target", host, "--manifest-path", "fuzz/Cargo.toml"]);
    run(cargo.env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", FLAGS))?;
    Ok(target.join(host).join("release/bailey-fuzz-runner"))
}

fn fuzz(program: &Path, name: &str, minutes: u64) -> Result<(), String> {
    let (corpus, found) = (cache().join("fuzz/corpus").join(name), findings());
    for folder in [&corpus, &found] {
        fs::create_dir_all(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    }
    let mut fuzzer = command(program);
    fuzzer.env("BAILEY_FUZZ_TARGET", name).arg(&corpus).arg(seeds().join(name)).args([
        format!("-max_total_time={}", minutes * 60),
        format!("-timeout={MOST_SECONDS}"),
        format!("-rss_limit_mb={MOST_MEMORY}"),
        format!("-artifact_prefix={}/{name}-", found.display()),
        "-print_final_stats=1".to_owned(),
        "-print_funcs=0".to_owned(),
        "-verbosity=0".to_owned(),
    ]);
    run(&mut fuzzer)?;
    remember(name, minutes)
}

/// Keeps how long a target has run without a finding, over all runs: what was found goes on being found out from the corpus, so
/// the minutes add up.
fn remember(name: &str, minutes: u64) -> Result<(), String> {
    let folder = cache().join("fuzz/minutes");
    let failed = |error: std::io::Error| format!("`{}`: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    let before: u64 = fs::read_to_string(folder.join(name)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let all = before + minutes;
    fs::write(folder.join(name), all.to_string()).map_err(failed)?;
    println!("{name}: {minutes} minutes without a finding, {all} in all");
    Ok(())
}
