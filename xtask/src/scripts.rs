//! The dashboard's scripts, whose types stand in their comments (JSDoc): checked, and not built.

use std::fs;

use crate::install;
use crate::process::{cache, command, root, run};
use crate::servers::node;

/// Where the compiler is installed, below the folder for downloads.
pub(crate) const TYPESCRIPT: &str = "typescript";
/// The script that has no page: what is there for it is another library.
const WORKER: &str = "worker.js";

/// Checks the types of every script of the dashboard.
pub fn check() -> Result<(), String> {
    install::typescript()?;
    let assets = root().join("crates/bailey-dashboard/assets");
    let there = fs::read_dir(&assets).map_err(|error| format!("`{}`: {error}", assets.display()))?;
    let mut scripts: Vec<_> = there.flatten().map(|entry| entry.path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|end| end == "js"));
    scripts.sort();
    // Each by itself: on a page they are modules, which share no names.
    for script in scripts {
        let library = if script.ends_with(WORKER) { "es2023,webworker" } else { "es2023,dom,dom.iterable" };
        let mut tsc = command(node());
        tsc.arg(cache().join(TYPESCRIPT).join("node_modules/typescript/bin/tsc"));
        tsc.args(["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--lib", library]);
        run(tsc.arg(script))?;
    }
    Ok(())
}
