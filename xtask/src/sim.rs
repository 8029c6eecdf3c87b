//! `cargo xtask sim`: the simulator, built for speed.

use crate::process::{command, run};

/// Builds the simulator and hands it its arguments.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    let mut sim = command("cargo");
    sim.args(["run", "--release", "--quiet", "--locked", "-p", "bailey-sim", "--"]).args(arguments);
    run(&mut sim)
}
