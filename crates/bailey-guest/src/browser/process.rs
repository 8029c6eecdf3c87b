//! The browser's process: started under an account of its own, with the way out as its only proxy, and ended with all it started.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;

use crate::OWN_PATH;
use crate::group::{BROWSER, Group};
use crate::init::command;

/// The browser, where the image has one.
const PROGRAM: &str = "/usr/bin/chromium-headless-shell";
/// The account's folder.
pub(super) const HOME: &str = "/home/browser";
/// Where files lie that are to be put into fields.
pub(super) const UPLOADS: &str = "/home/browser/uploads";
/// What the browser keeps: stored data of sites, its cache.
pub(super) const PROFILE: &str = "/home/browser/profile";
/// The authorities the browser trusts beside its own list (NSS), and the one that lies in there.
const AUTHORITIES: &str = "/home/browser/.pki/nssdb";
const AUTHORITY: &str = "/home/browser/.pki/home.pem";
/// Reads commands from its input and writes answers to its output: it is told to by descriptors 3 and 4.
const PIPES: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// How the browser is started. It speaks to nobody by itself, has no other proxy and knows no way around it.
const SWITCHES: [&str; 24] = [
    "--remote-debugging-pipe",
    "--user-data-dir=/home/browser/profile",
    "--proxy-server=http://127.0.0.1:3128",
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--disable-features=BackForwardCache,Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,HttpsUpgrades",
    "--enable-blink-features=ComputedAccessibilityInfo",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-first-run",
    "--no-pings",
    "--password-store=basic",
    "--window-size=1280,800",
];

/// A browser that runs. Dropped, it is ended with all it started.
pub(super) struct Running {
    child: Child,
    group: Arc<Group>,
}

impl Running {
    /// Starts it. Returns it with what it is spoken to over.
    pub(super) fn start() -> Result<(Self, ChildStdin, ChildStdout), String> {
        if !Path::new(PROGRAM).exists() {
            return Err("this computer has no browser: its image was built without one".into());
        }
        let group = Arc::new(Group::make()?);
        let mut starting = command(OWN_PATH);
        starting.arg("program").arg(group.path()).arg("browser").args(["/bin/sh", "-c", PIPES, "browser", PROGRAM]);
        starting.args(SWITCHES).arg("about:blank").current_dir(HOME);
        starting.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", HOME).env("LANG", "C.UTF-8");
        starting.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = starting.spawn().map_err(|error| format!("the browser cannot be started: {error}"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(writes), Some(reads)) => Ok((Self { child, group }, writes, reads)),
            _ => Err("the browser cannot be spoken to".into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.group.kill();
        // It is gone: it was in the group.
        let _ = self.child.wait();
    }
}

fn failed(path: &str) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("`{path}`: {error}")
}

/// Makes a folder of the browser's, for nobody else.
pub(super) fn own(folder: &str) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(failed(folder))?;
    std::os::unix::fs::chown(folder, Some(BROWSER), Some(BROWSER)).map_err(failed(folder))?;
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed(folder))
}

/// Has the browser trust an authority, and no other beside its own list.
pub(super) fn trust(certificate: &str) -> Result<(), String> {
    if fs::read_to_string(AUTHORITY).is_ok_and(|known| known == certificate) {
        return Ok(());
    }
    let _ = fs::remove_dir_all("/home/browser/.pki");
    for folder in ["/home/browser/.pki", AUTHORITIES] {
        own(folder)?;
    }
    // Written last: what was interrupted is made anew.
    let coming = format!("{AUTHORITY}.new");
    fs::write(&coming, certificate).map_err(failed(AUTHORITY))?;
    let database = format!("sql:{AUTHORITIES}");
    as_browser(&["certutil", "-d", &database, "-N", "--empty-password"])?;
    as_browser(&["certutil", "-d", &database, "-A", "-n", "home", "-t", "C,,", "-i", &coming])?;
    fs::rename(&coming, AUTHORITY).map_err(failed(AUTHORITY))
}

fn as_browser(words: &[&str]) -> Result<(), String> {
    let group = Group::make()?;
    let mut running = command(OWN_PATH);
    running.arg("program").arg(group.path()).arg("browser").args(words).current_dir(HOME);
    running.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", HOME).stdin(Stdio::null());
    let output = running.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let why: String = String::from_utf8_lossy(&output.stderr).trim().chars().take(200).collect();
    Err(format!("`{}` did not do it: {why}", words.first().copied().unwrap_or_default()))
}
