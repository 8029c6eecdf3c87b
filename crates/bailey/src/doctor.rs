//! `bailey doctor`: is everything as it should be, and what to do where it is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bailey_home::rules::Analysis;
use bailey_home::{Layout, config, routes};
use bailey_interface::{AttentionView, CertificateState, ComputerView, ConnectionView, NamesView};
use bailey_supervisor::{Identities, Place};
use serde::Serialize;

use crate::args::Doctor;
use crate::client::{Client, Trouble};
use crate::{pin, report, show};

/// Room below which a home is about to stop, in bytes.
const LITTLE_ROOM: u64 = 512 * 1024 * 1024;

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Grade {
    Good,
    /// Works, but weaker than it could be.
    Weak,
    /// Does not work.
    Bad,
}

impl Grade {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Weak => "weak",
            Self::Bad => "bad",
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    pub(crate) grade: Grade,
    /// What it is in one of a few words: for a report, which does not take what it says.
    #[serde(skip)]
    pub(crate) code: &'static str,
    says: String,
}

/// Returns what was found, in words for the person. `code` is for others, who must not see a path, an address or a name.
fn finding(what: &'static str, grade: Grade, code: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, grade, code, says: says.into() }
}

/// Looks, prints, and ends with an error where something is bad.
pub(crate) async fn run(layout: &Layout, wanted: &Doctor, json: bool) -> Result<(), Trouble> {
    let all = look(layout).await;
    if let Some(file) = &wanted.report {
        return report::run(layout, &all, file, wanted.yes, json).await;
    }
    show::print(json, &all, |out| {
        for one in &all {
            let mark = match one.grade {
                Grade::Good => "ok  ",
                Grade::Weak => "weak",
                Grade::Bad => "BAD ",
            };
            writeln!(out, "{mark}  {:<14} {}", one.what, one.says)?;
        }
        Ok(())
    })?;
    if all.iter().any(|one| one.grade == Grade::Bad) { Err(Trouble::Printed(1)) } else { Ok(()) }
}

async fn look(layout: &Layout) -> Vec<Finding> {
    let mut all = vec![home(layout), files(layout), room(layout.root())];
    all.extend(stored(layout));
    all.extend(accounts(layout));
    all.push(configuration(layout));
    all.push(solver());
    all.extend(running(layout).await);
    all
}

fn home(layout: &Layout) -> Finding {
    match layout.info() {
        Ok(info) => {
            let says = format!("home {} in `{}`", info.home, layout.root().display());
            finding("home", Grade::Good, "there", says)
        }
        Err(error) => finding("home", Grade::Bad, "unusable", error.to_string()),
    }
}

/// Returns what lies in the folder may be read by its owner only.
fn files(layout: &Layout) -> Finding {
    let root = layout.root();
    if layout.info().is_err() {
        return finding(
            "files",
            Grade::Bad,
            "no-home",
            format!("there is no home in `{}`; run `bailey setup`", root.display()),
        );
    }
    for name in ["home", "keys", "state", "keys/root.key"] {
        let path = root.join(name);
        let Ok(about) = std::fs::metadata(&path) else { continue };
        if about.permissions().mode() & 0o077 != 0 {
            let says = format!("`{}` can be read by other accounts; run `chmod go-rwx` on it", path.display());
            return finding("files", Grade::Bad, "readable-by-others", says);
        }
    }
    let by_file = layout.info().is_ok_and(|info| matches!(info.root, bailey_keys::RootKind::KeyFile));
    if by_file && !root.join("keys/root.key").exists() {
        let says = "the key file is gone, so the home cannot be opened; put `keys/root.key` back from a backup";
        return finding("files", Grade::Bad, "no-key", says);
    }
    if by_file {
        let says = "the key lies in a file beside the home, so whoever reads both can read everything; a home with `setup --root passphrase` cannot be read at rest";
        return finding("files", Grade::Weak, "key-file", says);
    }
    finding("files", Grade::Good, "passphrase", "nobody else can read them; the passphrase opens them")
}

fn room(root: &Path) -> Finding {
    let Ok(about) = rustix::fs::statvfs(root) else {
        return finding("disk", Grade::Bad, "unseen", format!("`{}` cannot be looked at", root.display()));
    };
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let says = format!("{} MB free", free / 1_000_000);
    if free < LITTLE_ROOM {
        return finding(
            "disk",
            Grade::Bad,
            "full",
            format!("{says}; nothing is started where it cannot be recorded: make room"),
        );
    }
    finding("disk", Grade::Good, "room", says)
}

/// Returns what is stored can be read, every page of it. Of a home that a passphrase locks, this cannot be looked at.
fn stored(layout: &Layout) -> Option<Finding> {
    let place = Place::new(layout.root());
    let root = place.root_key(None).ok().flatten()?;
    let key = match place.unwrap(&root) {
        Ok(key) => key,
        Err(error) => return Some(finding("store", Grade::Bad, "key", error.to_string())),
    };
    Some(match layout.look(&key) {
        Ok(()) => finding("store", Grade::Good, "readable", "database, key store and the end of the log can be read"),
        Err(error) => {
            let out = "Stop `bailey serve`, then run `bailey restore FOLDER` with the last backup of the whole folder: what is there is \
                       kept, and nothing that was approved then leaves without asking again";
            finding("store", Grade::Bad, "damaged", format!("{error}. {out}"))
        }
    })
}

/// Tells under which accounts the processes run, or would.
fn accounts(layout: &Layout) -> Option<Finding> {
    let home = layout.info().ok()?.home.parse::<bailey_gate::HomeId>().ok()?;
    Some(match Identities::of(layout.root(), *home.as_bytes()) {
        Identities::Separate { home, gateway, computer } => {
            let says = format!("home {}, gateway {}, the agent's computer {}", home.user, gateway.user, computer.user);
            finding("accounts", Grade::Good, "separate", says)
        }
        Identities::Shared(why) => finding("accounts", Grade::Weak, "shared", why),
    })
}

/// How long the home may take to say how it is.
const ANSWERS_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Tells whether changes of rules can be proven.
fn solver() -> Finding {
    match Analysis::begin() {
        Ok(_) => {
            finding("solver", Grade::Good, "there", "changes of rules are proven over every action there could be")
        }
        Err(error) => {
            finding("solver", Grade::Weak, "absent", format!("{error}. Rules are tried on past actions all the same."))
        }
    }
}

fn configuration(layout: &Layout) -> Finding {
    let settings = config::Settings::read(&layout.config());
    match settings.and_then(|settings| settings.parse()) {
        Err(error) => finding("configuration", Grade::Bad, "mistake", error.to_string()),
        Ok(config) => match config.model {
            None => finding(
                "configuration",
                Grade::Good,
                "no-model",
                "no model is named in config.toml; one is chosen in the home",
            ),
            Some(model) => finding(
                "configuration",
                Grade::Good,
                "complete",
                format!("model `{}` at {}", model.name, model.base_url),
            ),
        },
    }
}

/// Returns what needs somebody, a line each.
async fn attention(client: &Client) -> Vec<Finding> {
    let asked = tokio::time::timeout(ANSWERS_WITHIN, client.get::<Vec<AttentionView>>(&routes::ATTENTION.here())).await;
    let Ok(Ok(all)) = asked else { return Vec::new() };
    let told = |one: AttentionView| {
        let why = if one.why.is_empty() { String::new() } else { format!(": {}", one.why) };
        finding("attention", Grade::Weak, "needs-person", format!("{}{why}. Next: {}", one.what, one.next))
    };
    all.into_iter().map(told).collect()
}

async fn running(layout: &Layout) -> Vec<Finding> {
    let bad = |why: &Trouble| vec![finding("running", Grade::Bad, "unasked", why.to_string())];
    let client = match Client::new(layout.clone()) {
        Ok(client) => client,
        Err(why) => return bad(&why),
    };
    let asked = tokio::time::timeout(ANSWERS_WITHIN, client.get(&routes::STATUS.here())).await;
    let status = match asked {
        Ok(Ok(status)) => status,
        Err(_) => {
            return vec![finding(
                "running",
                Grade::Bad,
                "silent",
                format!(
                    "the home has not answered for {} s; if it hangs it is started anew by itself, and `bailey pause` stops \
                     everything even so",
                    ANSWERS_WITHIN.as_secs()
                ),
            )];
        }
        Ok(Err(Trouble::Locked(_))) => {
            return vec![finding(
                "running",
                Grade::Bad,
                "no-answer",
                "the home does not answer; if it is locked, run `bailey unlock`; why it cannot start is above, or was said by `bailey serve`",
            )];
        }
        Ok(Err(why)) => return bad(&why),
    };
    let mut out = Vec::new();
    out.extend(attention(&client).await);
    if !status.model {
        let why = "no model is chosen; choose one on the page Models, or with `bailey config set`";
        out.push(finding("model", Grade::Bad, "none", why));
    }
    out.push(match status.mode.as_str() {
        "open" => finding(
            "running",
            Grade::Good,
            "open",
            format!("{} log entries, {} waiting for you", status.log_entries, status.waiting),
        ),
        mode => finding("running", Grade::Weak, "paused", format!("it is {mode}; `bailey resume` lets it go on")),
    });
    out.push(match std::fs::read_to_string(Place::new(layout.root()).gateway()) {
        Ok(address) if !answers(address.trim()).await => finding("gateway", Grade::Bad, "silent", format!("nothing answers at http://{}/v1; a gateway that hangs is started anew by itself, after a while", address.trim())),
        Ok(address) => finding("gateway", Grade::Good, "answers", format!("programs reach it at http://{}/v1", address.trim())),
        Err(_) => finding("gateway", Grade::Weak, "absent", "there is none: programs cannot reach the home, and whoever listens in its place is not Bailey; `bailey serve` says why"),
    });
    if let Ok(names) = client.get(&routes::NAMES.here()).await {
        out.extend(certificate(&names));
    }
    if let Ok(view) = client.get(&routes::COMPUTER.here()).await {
        out.push(computer(&view));
    }
    out.extend(pin::is_older(&status).map(|older| finding("log", Grade::Bad, "older", older)));
    out.extend(status.notices.into_iter().map(|notice| finding("notice", Grade::Weak, "given", notice)));
    let connections: Vec<ConnectionView> = client.get(&routes::CONNECTIONS.here()).await.unwrap_or_default();
    for one in connections.into_iter().filter(|one| one.active) {
        let says = format!("{} {} ({})", one.kind, one.account, one.level);
        out.push(match one.weaker.as_str() {
            "" => finding("connection", Grade::Good, "narrow", says),
            weaker => finding("connection", Grade::Weak, "wide", format!("{says}: {weaker}")),
        });
    }
    out
}

/// Tells what the wall of the agent's computer is worth, or why there is none.
fn computer(view: &ComputerView) -> Finding {
    if !view.lacking.is_empty() {
        return finding("computer", Grade::Weak, "none", view.lacking.clone());
    }
    let says = format!("{}, {}", view.grade, view.state.name());
    match view.warning.as_str() {
        "" => finding("computer", Grade::Good, "isolated", says),
        warning => finding("computer", Grade::Weak, "emulated", format!("{says}. {warning}")),
    }
}

/// Tells how the certificate of the home's names is, and whether other machines are let in.
fn certificate(names: &NamesView) -> Vec<Finding> {
    let mut out = Vec::new();
    if let Some(one) = &names.certificate {
        let (grade, code) = match one.state {
            CertificateState::Counts if one.trouble.is_empty() => (Grade::Good, "counts"),
            CertificateState::Counts => (Grade::Weak, "not-renewed"),
            CertificateState::EndsSoon => (Grade::Weak, "ends-soon"),
            CertificateState::Missing => (Grade::Bad, "missing"),
            CertificateState::Ended => (Grade::Bad, "ended"),
        };
        let why = if one.trouble.is_empty() { String::new() } else { format!("; {}", one.trouble) };
        out.push(finding("certificate", grade, code, format!("for {}: {}{why}", one.names.join(", "), one.says())));
    }
    if !names.not_public.is_empty() {
        out.push(finding("names", Grade::Weak, "not-public", names.not_public.clone()));
    }
    out
}

/// Tells whether somebody answers at an address, whatever it says.
async fn answers(address: &str) -> bool {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream
            .write_all(
                format!(
                    "GET {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n",
                    routes::STATUS.here().target
                )
                .as_bytes(),
            )
            .await?;
        stream.read_u8().await
    };
    tokio::time::timeout(ANSWERS_WITHIN, asked).await.is_ok_and(|answer| answer.is_ok())
}
