//! `cargo xtask fuzz`: every parser of hostile bytes under libFuzzer, led by coverage.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::process::{cache, command, root, run};

/// Minutes for each target if nobody says.
const MINUTES: u64 = 5;
/// Minutes at a time where targets are run up to a bound.
const SLICE: u64 = 10;
/// Longest a single input may take, in seconds; longer is a finding.
const MOST_SECONDS: u32 = 25;
/// Most memory, in MiB; more is a finding.
const MOST_MEMORY: u32 = 2_048;
/// Coverage for libFuzzer out of stable rustc: it counts edges and sees what is compared.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Runs targets one after another: all, or those named; `--minutes N` for each, or `--up-to N` for as long as one of them has run
/// less than N minutes, over all runs. Several processes with `--up-to` share the targets among them.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    let (mut minutes, mut wanted, mut names) = (MINUTES, None, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut number = || {
            let value = rest.next().and_then(|value| value.parse::<u64>().ok());
            value.ok_or(format!("how many minutes? `cargo xtask fuzz {argument} 60`"))
        };
        match *argument {
            "--minutes" => minutes = number()?,
            "--up-to" => wanted = Some(number()?),
            name => names.push(name.to_owned()),
        }
    }
    let known = targets()?;
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("there is no target `{unknown}`; there are {}", known.join(", ")));
    }
    let mut names = if names.is_empty() { known } else { names };
    let program = build()?;
    let mut broken = Vec::new();
    if let Some(wanted) = wanted {
        while let Some((name, _held)) = neediest(&names, wanted * 60)? {
            if let Err(why) = fuzz(&program, &name, SLICE) {
                eprintln!("{why}");
                names.retain(|other| *other != name);
                broken.push(name);
            }
        }
    } else {
        for name in names {
            if let Err(why) = fuzz(&program, &name, minutes) {
                eprintln!("{why}");
                broken.push(name);
            }
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

/// Returns whichever of these has run least, if that is less than so many seconds, held until the file is dropped; those that another
/// process holds are passed over.
fn neediest(names: &[String], seconds: u64) -> Result<Option<(String, File)>, String> {
    let mut left: Vec<_> = names.iter().map(|name| (ran(name), name)).filter(|(ran, _)| *ran < seconds).collect();
    left.sort();
    for (_, name) in left {
        let path = account().join(format!("{name}.lock"));
        let failed = |error: std::io::Error| format!("`{}`: {error}", path.display());
        fs::create_dir_all(account()).map_err(failed)?;
        let held = File::create(&path).map_err(failed)?;
        // Looked at again once it is held: whoever held it before may have finished.
        if held.try_lock().is_ok() && ran(name) < seconds {
            return Ok(Some((name.clone(), held)));
        }
    }
    Ok(None)
}

fn findings() -> PathBuf {
    cache().join("fuzz/findings")
}

fn seeds() -> PathBuf {
    root().join("crates/bailey-fuzz/seeds")
}

/// Returns a target for each folder of seeds.
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
    // As every Rust program does, which this one's `main` is not: a connection that was closed is an error, not the end.
    let mut fuzzer = command("env");
    fuzzer.arg("--ignore-signal=PIPE").arg(program);
    fuzzer.env("BAILEY_FUZZ_TARGET", name).arg(&corpus).arg(seeds().join(name)).args([
        format!("-max_total_time={}", minutes * 60),
        format!("-timeout={MOST_SECONDS}"),
        format!("-rss_limit_mb={MOST_MEMORY}"),
        format!("-artifact_prefix={}/{name}-", found.display()),
        "-print_final_stats=1".to_owned(),
        "-print_funcs=0".to_owned(),
        "-verbosity=0".to_owned(),
    ]);
    let before = spent_by_children()?;
    run(&mut fuzzer)?;
    remember(name, spent_by_children()?.saturating_sub(before))
}

/// Tells where it is kept how long each target has run, in seconds of processor time: on a busy machine an hour by the clock
/// is less.
fn account() -> PathBuf {
    cache().join("fuzz/seconds")
}

/// Tells how long a target has run without a finding, over all runs, in seconds.
fn ran(name: &str) -> u64 {
    fs::read_to_string(account().join(name)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Adds to how long a target has run: what was found goes on being found out from the corpus, so runs add up.
fn remember(name: &str, seconds: u64) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("`{}`: {error}", account().display());
    fs::create_dir_all(account()).map_err(failed)?;
    let all = ran(name) + seconds;
    fs::write(account().join(name), all.to_string()).map_err(failed)?;
    println!("{name}: {} minutes without a finding, {} in all", seconds / 60, all / 60);
    Ok(())
}

/// Returns the processor time of the programs this one has run and seen end, in seconds: `cutime` and `cstime` of proc_pid_stat(5).
fn spent_by_children() -> Result<u64, String> {
    const FILE: &str = "/proc/self/stat";
    let text = fs::read_to_string(FILE).map_err(|error| format!("`{FILE}`: {error}"))?;
    // The name before them, in brackets, may hold blanks.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(13).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks / rustix::param::clock_ticks_per_second().max(1))
}
