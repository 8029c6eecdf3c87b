//! `bailey computer`: the agent's own computer, from the command line.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailey_computer::{DiskKey, Engine as _, Identity, Place, Program, Qemu, Resources};
use bailey_gate::family::escape::visible;
use bailey_home::{SHARED_IMAGES, check_image, config, image_folder, launcher, purposes, routes};
use bailey_interface::{ComputerState, ComputerView, ProvenBody, RequestView};
use serde_json::{Value, json};

use crate::args::ComputerCommand;
use crate::client::{Client, Trouble};
use crate::{files, prompt, show};

/// The files of an image.
const IMAGE_FILES: [&str; 5] = ["kernel", "initrd", "root.erofs", "packages.txt", "image.json"];
/// Requests that are shown.
const SHOWN: usize = 10;
/// The account that the machine of a check gets from root.
const NOBODYS: u32 = 61_181;

/// Runs one of the commands that ask the home.
pub(crate) async fn run(command: ComputerCommand, client: &Client, json: bool) -> Result<(), Trouble> {
    let view: ComputerView = match command {
        ComputerCommand::Status => client.get(&routes::COMPUTER.here()).await?,
        ComputerCommand::Start => client.post(&routes::START_COMPUTER.here(), &()).await?,
        ComputerCommand::Stop => client.post(&routes::STOP_COMPUTER.here(), &()).await?,
        ComputerCommand::Destroy => {
            let words = prompt::passphrase("Approval passphrase")?;
            let proof = client.prove(&purposes::destroy_computer(), &words).await?;
            client.post(&routes::DESTROY_COMPUTER.here(), &ProvenBody { proof }).await?
        }
        ComputerCommand::Build { .. } | ComputerCommand::Check => return Ok(()),
    };
    Ok(show::print(json, &view, |out| told(out, &view))?)
}

fn told(out: &mut dyn Write, view: &ComputerView) -> io::Result<()> {
    let since = if view.state == ComputerState::Running { ", it sleeps when nothing is done in it" } else { "" };
    writeln!(out, "The agent's computer is {}{since}.", view.state.name())?;
    writeln!(out, "  wall: {}", view.grade)?;
    if !view.layers.is_empty() {
        writeln!(out, "  held by: {}", view.layers.join("; "))?;
    }
    writeln!(out, "  disk: {}, memory: {} MiB while it runs", files::size(view.disk_bytes), view.memory_mib)?;
    for one in [&view.lacking, &view.warning, &view.trouble].into_iter().filter(|one| !one.is_empty()) {
        writeln!(out, "  ! {}", visible(one))?;
    }
    if view.waiting > 0 {
        writeln!(out, "  {} of its requests wait for you: `bailey approvals`", view.waiting)?;
    }
    view.requests.iter().take(SHOWN).try_for_each(|one| request(out, one))
}

fn request(out: &mut dyn Write, one: &RequestView) -> io::Result<()> {
    let asked = if one.asked { ", you let it go" } else { "" };
    let line = format!("{} {}{}  {} {}{asked}", one.method, one.site, one.path, one.ended, one.detail);
    writeln!(out, "  {}", visible(&line))
}

/// Puts an image where homes of this machine find it, after checking every file of it.
pub(crate) fn build(from: Option<PathBuf>, json: bool) -> Result<(), Trouble> {
    let found =
        from.or_else(|| image_folder(&config::ComputerConfig::default()).filter(|one| !one.starts_with(SHARED_IMAGES)));
    let Some(from) = found else {
        return Err(Trouble::Here(
            "there is no image to put in place. One is made of Debian's packages, out of the source of this program: `cargo xtask image` \
             (with --full for a browser and an office beside the tools of a shell). Then run this again, with --from FOLDER where it lies \
             elsewhere than under ~/.cache/bailey/computer"
                .into(),
        ));
    };
    check_image(&from).map_err(Trouble::Here)?;
    let name = from.file_name().map_or_else(|| "shell".into(), |name| name.to_owned());
    let to = if rustix::process::geteuid().is_root() { Path::new(SHARED_IMAGES).join(name) } else { from.clone() };
    if to != from {
        copy(&from, &to).map_err(|error| Trouble::Here(format!("`{}` cannot be written: {error}", to.display())))?;
        check_image(&to).map_err(Trouble::Here)?;
    }
    let view = json!({ "image": to.display().to_string() });
    Ok(show::print(json, &view, |out| {
        writeln!(
            out,
            "The image in `{}` is whole, and homes start from it when `bailey serve` is started again.",
            to.display()
        )
    })?)
}

/// Copies the files of an image, what names them last, readable by every home.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for folder in [Some(to), to.parent(), to.parent().and_then(Path::parent)].into_iter().flatten() {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    for name in IMAGE_FILES {
        let part = to.join(format!("{name}.part"));
        fs::copy(from.join(name), &part)?;
        fs::set_permissions(&part, fs::Permissions::from_mode(0o644))?;
        fs::rename(&part, to.join(name))?;
    }
    Ok(())
}

/// Boots a machine here, under KVM where that works, and says what holds it.
pub(crate) async fn check(json: bool) -> Result<(), Trouble> {
    let here = |error: &dyn std::fmt::Display| Trouble::Here(error.to_string());
    let image = image_folder(&config::ComputerConfig::default()).ok_or_else(|| {
        Trouble::Here("there is no image of the agent's computer; `bailey computer build` says how one is made".into())
    })?;
    let launcher =
        launcher().ok_or_else(|| Trouble::Here("`bailey-jail` is not beside this program; build it whole".into()))?;
    let identity = rustix::process::geteuid().is_root().then_some(Identity { user: NOBODYS, group: NOBODYS });
    let folder = std::env::temp_dir().join(format!("bailey-check-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| here(&error))?;
    let resources = Resources { disk_bytes: 1 << 30, ..Resources::SHELL };
    let engine = Qemu::emulated(&launcher, &image, identity, resources).probed(&folder.join("kvm")).await;
    let seen = seen(&engine, &Place::new(folder.join("computer"))).await;
    let _ = fs::remove_dir_all(&folder);
    let seen = seen.map_err(|error| here(&error))?;
    Ok(show::print(json, &seen, |out| {
        writeln!(out, "grade: {}", engine.grade())?;
        if let Some(warning) = engine.grade().warning() {
            writeln!(out, "  ! {warning}")?;
        }
        writeln!(
            out,
            "Report these lines, with your processor and distribution, where something is otherwise than you expect:"
        )?;
        writeln!(out, "{}", serde_json::to_string_pretty(&seen).unwrap_or_default())
    })?)
}

/// Makes a machine, looks at it, and destroys it.
async fn seen(engine: &Qemu, place: &Place) -> Result<Value, bailey_computer::ComputerError> {
    let key = DiskKey::random()?;
    engine.create(place, &key).await?;
    let began = tokio::time::Instant::now();
    let machine = engine.start(place, &key).await?;
    let boot = began.elapsed();
    let kernel =
        machine.control().run_whole(Program::shell("uname -r; grep -m1 'model name' /proc/cpuinfo"), b"").await?;
    let began = tokio::time::Instant::now();
    machine.pause().await?;
    let pause = began.elapsed();
    let layers = serde_json::to_value(machine.layers()).unwrap_or_default();
    machine.kill().await?;
    engine.destroy(place, &key).await?;
    let ms = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    Ok(json!({
        "grade": engine.grade().word(),
        "kvm_device": Path::new("/dev/kvm").exists(),
        "boot_ms": ms(boot),
        "pause_us": u64::try_from(pause.as_micros()).unwrap_or(u64::MAX),
        "guest": String::from_utf8_lossy(&kernel.output).trim(),
        "layers": layers,
    }))
}
