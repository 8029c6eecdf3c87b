//! `cargo xtask sim` and `cargo xtask bench`: programs of their own, built for speed.

use crate::process::{command, run};

/// Builds the product and its benchmark, and hands the benchmark its arguments.
pub fn bench_with(arguments: &[&str]) -> Result<(), String> {
    let build = ["build", "--release", "--locked", "-p", "bailey", "-p", "bailey-bench"];
    run(command("cargo").args(build))?;
    let mut bench = command("cargo");
    bench.args(["run", "--release", "--quiet", "--locked", "-p", "bailey-bench", "--"]).args(arguments);
    run(&mut bench)
}

/// Builds the simulator and hands it its arguments.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    let mut sim = command("cargo");
    sim.args(["run", "--release", "--quiet", "--locked", "-p", "bailey-sim", "--"]).args(arguments);
    run(&mut sim)
}
