//! What a fresh machine lacks: Debian packages to build with, and the peers the tests talk to.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use crate::process::{cache, command, root, run, succeeds};

/// A Debian package, and the check that tells whether it is needed.
struct Package {
    name: &'static str,
    why: &'static str,
    present: fn() -> bool,
}

const PACKAGES: [Package; 5] = [
    Package {
        name: "gcc",
        why: "compiles the database and the cryptographic library",
        present: || succeeds(command("cc").arg("--version")),
    },
    Package { name: "libc6-dev", why: "headers for the above", present: || header("stdio.h") },
    Package {
        name: "pkg-config",
        why: "finds libssl for the build",
        present: || succeeds(command("pkg-config").arg("--version")),
    },
    Package {
        name: "libssl-dev",
        why: "what the encrypted database is built against",
        present: || header("openssl/crypto.h"),
    },
    Package { name: "python3-venv", why: "holds the peers the tests talk to", present: python_has_venv },
];

fn header(name: &str) -> bool {
    let folders = ["/usr/include", "/usr/include/x86_64-linux-gnu", "/usr/include/aarch64-linux-gnu"];
    folders.iter().any(|folder| PathBuf::from(folder).join(name).exists())
}

fn python_has_venv() -> bool {
    succeeds(command("python3").args(["-c", "import venv, ensurepip"]))
}

/// Installs the packages that are missing, after asking.
pub(crate) fn packages(yes: bool) -> Result<(), String> {
    let missing: Vec<&Package> = PACKAGES.iter().filter(|package| !(package.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("These Debian packages are missing:");
    for package in &missing {
        eprintln!("  {:<14} {}", package.name, package.why);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let root_user = succeeds(command("sh").args(["-c", "test $(id -u) = 0"]));
    let prefix: &[&str] = if root_user { &[] } else { &["sudo"] };
    let update = [prefix, &["apt-get", "update"]].concat();
    let install = [prefix, &["apt-get", "install", "--no-install-recommends", "-y"], &names].concat();
    eprintln!("They are installed with:\n  {}\n  {}", update.join(" "), install.join(" "));
    agree(yes)?;
    for words in [update, install] {
        let Some((program, arguments)) = words.split_first() else { continue };
        run(command(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    match missing.iter().find(|package| !(package.present)()) {
        None => Ok(()),
        Some(package) => Err(format!("`{}` was installed but is not found; the build cannot go on", package.name)),
    }
}

fn agree(yes: bool) -> Result<(), String> {
    if yes || std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask on; run again with --yes, or install them yourself".into());
    }
    eprint!("Install them now? [y/N] ");
    std::io::stderr().flush().map_err(|error| error.to_string())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| error.to_string())?;
    if answer.trim().eq_ignore_ascii_case("y") { Ok(()) } else { Err("nothing was installed".into()) }
}

/// The Python with the peers in it, installed once for each list of versions.
pub(crate) fn peers() -> Result<PathBuf, String> {
    let list = root().join("xtask/requirements.txt");
    let wanted = fs::read_to_string(&list).map_err(|error| format!("`{}`: {error}", list.display()))?;
    let folder = cache().join("peers");
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed.txt"));
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("Installing the test peers into `{}`", folder.display());
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    run(command("python3").args(["-m", "venv"]).arg(&folder))?;
    run(command(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"])
        .arg(&list))?;
    fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}
