//! `cargo xtask sim` and `cargo xtask bench`: programs of their own, built for speed.

use crate::process::{command, run};

/// Builds the product and its benchmark, and hands the benchmark its arguments.
pub fn bench_with(arguments: &[&str]) -> Result<(), String> {
    let build = ["build", "--release", "--locked", "-p", "bailey", "-p", "bailey-bench"];
    run(command("cargo").args(build))?;
    fast("bailey-bench", arguments)
}

/// Builds the simulator and hands it its arguments.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    fast("bailey-sim", arguments)
}

fn fast(package: &str, arguments: &[&str]) -> Result<(), String> {
    let begin = ["run", "--release", "--quiet", "--locked", "-p", package, "--"];
    run(command("cargo").args(begin).args(arguments))
}
