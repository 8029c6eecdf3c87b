//! `cargo xtask test`: everything a change has to pass.

use crate::process::{self, command};
use crate::{image, install, layers, scripts};

/// Installs, checks, tests. Stops at the first failure.
pub fn run(yes: bool) -> Result<(), String> {
    install::packages(yes)?;
    install::browser(yes)?;
    install::servers()?;
    image::build(image::Variant::Small, false, yes)?;
    process::run(command("cargo").args(["fmt", "--all", "--check"]))?;
    layers::check()?;
    scripts::check()?;
    process::run(command("cargo").args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    process::run(
        command("cargo")
            .args(["doc", "--workspace", "--no-deps", "--locked", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    // The end-to-end tests start programs of other crates, which `cargo test` alone would not build.
    process::run(command("cargo").args(["build", "--workspace", "--bins", "--locked"]))?;
    process::run(command("cargo").args(["test", "--workspace", "--locked"]))
}
