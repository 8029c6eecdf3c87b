//! `cargo xtask image`: the image of the agent's computer, made of Debian packages.
//!
//! | file | what it is |
//! |---|---|
//! | `kernel` | Debian's cloud kernel, as it comes |
//! | `initrd` | the guest's daemon and the modules it needs to mount the root |
//! | `root.erofs` | Debian and the tools, read-only, the same bytes for the same packages |
//! | `packages.txt` | every package with its version |
//! | `image.json` | the hash of each, which the host checks at every start |

mod archive;
mod sources;

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::process::{cache, command, root, run};

/// Raised when an image is made otherwise than before from the same packages.
const RECIPE: u32 = 1;
/// The root's identity: fixed, so that the same packages make the same bytes.
const UUID: &str = "6261696c-6579-4d63-8000-636f6d707574";
/// The modules that mount the root, and those the daemon or a program needs later.
const MODULES: [&str; 7] = ["virtio_mmio", "virtio_blk", "virtio_console", "virtio_rng", "erofs", "overlay", "fuse"];
/// The kernel: Debian's for virtual machines.
const KERNEL: &str = "linux-image-cloud-amd64";
/// The one target there is.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// How much is in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Debian alone: what the tests start.
    Small,
    /// The tools a person expects of a shell.
    Shell,
    /// With a browser, an office and video.
    Full,
}

impl Variant {
    const fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Shell => "shell",
            Self::Full => "full",
        }
    }

    fn packages(self) -> Vec<&'static str> {
        let shell = [
            "bzip2",
            "curl",
            "file",
            "git",
            "imagemagick",
            "jq",
            "less",
            "patch",
            "poppler-utils",
            "procps",
            "python3",
            "python3-venv",
            "ripgrep",
            "unzip",
            "xz-utils",
            "zip",
        ];
        let full = [
            "chromium-headless-shell",
            "ffmpeg",
            "fonts-dejavu-core",
            "libreoffice-core-nogui",
            "libreoffice-calc-nogui",
            "libreoffice-impress-nogui",
            "libreoffice-writer-nogui",
        ];
        let mut all = vec!["ca-certificates", "netbase"];
        match self {
            Self::Small => all.truncate(0),
            Self::Shell => all.extend(shell),
            Self::Full => {
                all.extend(shell);
                all.extend(full);
            }
        }
        all
    }
}

/// Builds an image, unless the one that is there is whole and of the same recipe and daemon. `fresh` builds its root anew.
pub fn build(variant: Variant, fresh: bool, yes: bool) -> Result<(), String> {
    crate::install::computer(yes)?;
    let began = now();
    let folder = cache().join("computer").join(variant.name());
    let daemon = build_daemon()?;
    let (work, wanted) = (folder.with_extension("new"), recipe(variant)?);
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).map_err(failed(&work))?;
    let kept = (!fresh).then(|| read_kept(&folder, &wanted)).flatten();
    match &kept {
        Some(_) => {
            for name in ["kernel", "root.erofs", "packages.txt", "modules"] {
                link_all(&folder.join(name), &work.join(name))?;
            }
        }
        None => make_root(variant, &work)?,
    }
    archive::initrd(&daemon, &work.join("modules"), &work.join("initrd"))?;
    describe(&work, &wanted)?;
    let is_same = fs::read(folder.join("image.json")).ok() == fs::read(work.join("image.json")).ok();
    if is_same && kept.is_some() {
        let _ = fs::remove_dir_all(&work);
        eprintln!("The image `{}` is there, whole and as it should be: {}", variant.name(), folder.display());
        return Ok(());
    }
    let _ = fs::remove_dir_all(&folder);
    fs::rename(&work, &folder).map_err(failed(&folder))?;
    let size = fs::metadata(folder.join("root.erofs")).map_or(0, |about| about.len() / 1_000_000);
    let seconds = began.elapsed().as_secs();
    eprintln!("The image `{}` is made: {size} MB, {seconds} s, in {}", variant.name(), folder.display());
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "says how long it took")]
fn now() -> Instant {
    Instant::now()
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("`{}`: {error}", path.display())
}

fn recipe(variant: Variant) -> Result<Value, String> {
    Ok(json!({"recipe": RECIPE, "suite": sources::suite()?, "packages": variant.packages(), "modules": MODULES}))
}

/// Returns what an image that is there says of itself, if it is whole and of the recipe that is wanted.
fn read_kept(folder: &Path, wanted: &Value) -> Option<Value> {
    let about: Value = serde_json::from_slice(&fs::read(folder.join("image.json")).ok()?).ok()?;
    let whole = ["kernel", "root.erofs", "packages.txt"].iter().all(|name| {
        let said = about.get("files").and_then(|files| files.get(*name)).and_then(Value::as_str);
        hash(&folder.join(name)).ok().as_deref() == said
    });
    if about.get("of") == Some(wanted) && whole {
        return Some(about);
    }
    eprintln!("The image in `{}` is of another recipe, or not whole: it is made anew", folder.display());
    None
}

fn link_all(from: &Path, to: &Path) -> Result<(), String> {
    if !from.is_dir() {
        return fs::hard_link(from, to).map_err(failed(from));
    }
    fs::create_dir_all(to).map_err(failed(to))?;
    for entry in fs::read_dir(from).map_err(failed(from))?.flatten() {
        link_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Builds the guest's daemon, static: the initrd holds no libraries.
fn build_daemon() -> Result<PathBuf, String> {
    let target = root().join("target/guest");
    let mut cargo = command("cargo");
    cargo.args([
        "build",
        "--locked",
        "--package",
        "bailey-guest",
        "--profile",
        "guest",
        "--target",
        TARGET,
        "--target-dir",
    ]);
    cargo.arg(&target).env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    run(&mut cargo)?;
    Ok(target.join(TARGET).join("guest/bailey-guest"))
}

/// Has mmdebstrap make the root, and [`finish_root`] called in it.
fn make_root(variant: Variant, work: &Path) -> Result<(), String> {
    let suite = sources::suite()?;
    let list = work.join("debian.sources");
    fs::write(&list, sources::of_this_machine(&suite)?).map_err(failed(&list))?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let is_root = rustix::process::geteuid().is_root();
    // Owners of files can be set by root alone.
    let mut making = if is_root { command("env") } else { command("sudo") };
    making.arg("SOURCE_DATE_EPOCH=0").arg(format!("TMPDIR={}", room_for_root(work).display()));
    making.args(["mmdebstrap", "--variant=minbase", "--format=null", "--mode=root"]);
    making.args(["--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Languages \"none\""]);
    for option in sources::proxies() {
        making.arg(format!("--aptopt={option}"));
    }
    for left_out in ["man", "doc", "info", "locale", "lintian", "bug"] {
        making.arg(format!("--dpkgopt=path-exclude=/usr/share/{left_out}/*"));
    }
    making.arg("--dpkgopt=force-unsafe-io");
    if !variant.packages().is_empty() {
        making.arg(format!("--include={}", variant.packages().join(",")));
    }
    making.arg(format!("--customize-hook='{}' image --finish '{}' \"$1\"", own.display(), work.display()));
    run(making.arg(&suite).arg("/dev/null").arg(&list))?;
    fs::remove_file(&list).map_err(failed(&list))
}

/// Room the root takes while it is made, in bytes.
const ROOM_BYTES: u64 = 4_000_000_000;

/// Tells where the root is made: in memory where there is plenty, because a disk makes dpkg wait at every file.
fn room_for_root(work: &Path) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).map_or(0, |about| about.f_bavail.saturating_mul(about.f_frsize));
    if room >= ROOM_BYTES { memory.into() } else { work.into() }
}

/// Finishes a root that mmdebstrap made, and packs it. Called by mmdebstrap, as root.
pub fn finish_root(work: &Path, made: &Path) -> Result<(), String> {
    fetch_kernel(work, made)?;
    let list =
        command("dpkg-query").arg(format!("--admindir={}", made.join("var/lib/dpkg").display())).arg("--show").output();
    let list = list.map_err(|error| format!("dpkg-query: {error}"))?.stdout;
    fs::write(work.join("packages.txt"), list).map_err(failed(work))?;
    tidy(made)?;
    let packed = work.join("root.erofs");
    // What mmdebstrap has mounted there while it works is no part of it; asked for attributes of its files, mkfs would fail.
    let mounted = "--exclude-regex=^(proc|sys|dev)/";
    run(command("mkfs.erofs").args(["-zlz4hc", "-x-1", "-T0", &format!("-U{UUID}"), mounted]).arg(&packed).arg(made))?;
    let owner = fs::metadata(work).map_err(failed(work))?;
    let (owner, group) = (owner.uid().to_string(), owner.gid().to_string());
    run(command("chown").args(["-R", &format!("{owner}:{group}")]).arg(work))
}

/// Fetches the kernel with the root's own lists, and keeps of it what starts the machine.
fn fetch_kernel(work: &Path, made: &Path) -> Result<(), String> {
    let chroot = |words: &[&str]| {
        let mut apt = command("chroot");
        apt.arg(made).args(words);
        apt
    };
    let about = chroot(&["apt-cache", "depends", KERNEL]).output().map_err(|error| format!("apt-cache: {error}"))?;
    let about = String::from_utf8_lossy(&about.stdout).into_owned();
    let name = about.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let name = name.ok_or_else(|| format!("Debian's `{KERNEL}` is not in this machine's package sources"))?;
    run(&mut chroot(&["sh", "-c", &format!("cd /tmp && apt-get -q -o APT::Sandbox::User=root download {name}")]))?;
    let folder = made.join("tmp");
    let mut found = fs::read_dir(&folder).map_err(failed(&folder))?.flatten().map(|entry| entry.path());
    let package = found.find(|path| path.extension().is_some_and(|kind| kind == "deb"));
    let package = package.ok_or("the kernel was not downloaded")?;
    let unpacked = folder.join("kernel");
    run(command("dpkg-deb").arg("--extract").arg(&package).arg(&unpacked))?;
    fs::remove_file(&package).map_err(failed(&package))?;
    let boot = unpacked.join("boot");
    let kernels = fs::read_dir(&boot).map_err(failed(&boot))?.flatten().map(|entry| entry.path());
    let is_kernel = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz"));
    let kernel = kernels.into_iter().find(is_kernel).ok_or("the kernel's package holds no kernel")?;
    fs::copy(&kernel, work.join("kernel")).map_err(failed(&kernel))?;
    archive::pick_modules(&unpacked.join("lib/modules"), &work.join("modules"), &MODULES)?;
    fs::remove_dir_all(&unpacked).map_err(failed(&unpacked))
}

/// Takes out what differs from build to build or tells of this machine, and adds the agent's account.
fn tidy(made: &Path) -> Result<(), String> {
    let emptied = ["var/lib/apt/lists", "var/cache/apt", "var/log", "tmp", "var/tmp", "run", "var/cache/debconf"];
    for folder in emptied.map(|name| made.join(name)) {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
    }
    for folder in ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt"] {
        fs::create_dir_all(made.join(folder)).map_err(failed(made))?;
    }
    let gone = [
        "etc/apt/sources.list",
        "etc/apt/apt.conf.d/99mmdebstrap",
        "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        "etc/resolv.conf",
        "etc/machine-id",
        "var/lib/dbus/machine-id",
        "var/cache/ldconfig/aux-cache",
        "etc/passwd-",
        "etc/shadow-",
        "etc/group-",
        "etc/gshadow-",
    ];
    for file in gone {
        let _ = fs::remove_file(made.join(file));
    }
    let old = ["status-old", "available-old", "diversions-old", "statoverride-old"];
    for file in old {
        let _ = fs::remove_file(made.join("var/lib/dpkg").join(file));
    }
    let listed = made.join("etc/apt/sources.list.d");
    let _ = fs::remove_dir_all(&listed);
    fs::create_dir_all(&listed).map_err(failed(&listed))?;
    let written = [
        ("etc/hostname", "computer\n".to_owned()),
        ("etc/hosts", "127.0.0.1 localhost computer\n::1 localhost\n".to_owned()),
        ("etc/machine-id", String::new()),
        ("etc/apt/sources.list.d/debian.sources", sources::plain(&sources::suite()?)),
        ("etc/apt/apt.conf.d/90computer", "Acquire::http::Proxy \"http://127.0.0.1:3128\";\n".to_owned()),
    ];
    for (name, text) in written {
        fs::write(made.join(name), text).map_err(failed(&made.join(name)))?;
    }
    let accounts = [
        ("etc/passwd", "agent:x:1000:1000:agent:/home/agent:/bin/bash\n"),
        ("etc/group", "agent:x:1000:\n"),
        ("etc/shadow", "agent:!:0:0:99999:7:::\n"),
        ("etc/gshadow", "agent:!::\n"),
    ];
    for (name, line) in accounts {
        let path = made.join(name);
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        fs::write(&path, text + line).map_err(failed(&path))?;
    }
    let home = made.join("home/agent");
    fs::create_dir_all(&home).map_err(failed(&home))?;
    std::os::unix::fs::chown(&home, Some(1000), Some(1000)).map_err(failed(&home))?;
    for folder in ["tmp", "var/tmp"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
        fs::set_permissions(made.join(folder), mode).map_err(failed(made))?;
    }
    Ok(())
}

/// Writes down the hash of each file.
fn describe(work: &Path, of: &Value) -> Result<(), String> {
    let mut files = serde_json::Map::new();
    for name in ["kernel", "initrd", "root.erofs", "packages.txt"] {
        files.insert(name.into(), hash(&work.join(name))?.into());
    }
    let about = serde_json::to_vec_pretty(&json!({"of": of, "files": files})).map_err(|error| error.to_string())?;
    fs::write(work.join("image.json"), about).map_err(failed(work))
}

fn hash(path: &Path) -> Result<String, String> {
    let mut file = File::open(path).map_err(failed(path))?;
    let (mut hash, mut bytes) = (Sha256::new(), vec![0; 1024 * 1024]);
    loop {
        let count = file.read(&mut bytes).map_err(failed(path))?;
        if count == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(bytes.get(..count).unwrap_or_default());
    }
}
