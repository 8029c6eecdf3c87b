//! The engine: QEMU's microvm in a jail. Everything it has is handed to it as an open descriptor: kernel, root, disk, key, ports.

mod arguments;
mod disk;
mod machine;

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::engine::{Action, DiskKey, Engine, Grade, Machine, Place, Resources};
use crate::image::Image;
use crate::jail::{Identity, Order};
use crate::keeper::Starter;
use crate::launch::{Handed, Jailed, Launcher};
use crate::qmp::Qmp;
use crate::{ComputerError, channel, probe, sealed};

use machine::{Ports, Running};

/// How long an emulated guest may take until it answers: 2.5 seconds on a quiet machine. Twice, for one start in many says nothing.
const EMULATED_WITHIN: Duration = Duration::from_secs(60);
/// The same under KVM.
const ISOLATED_WITHIN: Duration = Duration::from_secs(20);
/// How often a start is tried that says nothing.
const TRIES: u32 = 2;

/// QEMU.
pub(crate) const PROGRAM: &str = "/usr/bin/qemu-system-x86_64";
/// Its tool for disks.
pub(crate) const TOOL: &str = "/usr/bin/qemu-img";

/// What runs the guest's processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// The host's processor.
    Kvm,
    /// A program.
    Emulation,
}

/// Starts machines in QEMU.
#[derive(Debug, Clone)]
pub struct Qemu {
    program: PathBuf,
    tool: PathBuf,
    launcher: Launcher,
    image: PathBuf,
    identity: Option<Identity>,
    resources: Resources,
    accelerator: Accelerator,
}

impl Qemu {
    /// Returns an engine that emulates. `launcher` is `bailey-jail`; `image` the folder of an image; `identity` the account its processes
    /// are to have, which needs root to give.
    #[must_use]
    pub fn emulated(launcher: &Path, image: &Path, identity: Option<Identity>, resources: Resources) -> Self {
        Self {
            program: PROGRAM.into(),
            tool: TOOL.into(),
            launcher: Launcher::Own(launcher.into()),
            image: image.into(),
            identity,
            resources,
            accelerator: Accelerator::Emulation,
        }
    }

    /// Returns it with its launchers started by a supervisor, under an account that the supervisor says.
    #[must_use]
    pub fn started_by(self, starter: Starter) -> Self {
        Self { launcher: Launcher::Kept(starter), identity: None, ..self }
    }

    /// Returns the programs of it that this machine lacks.
    #[must_use]
    pub fn lacking(&self) -> Vec<&Path> {
        [&self.program, &self.tool].into_iter().filter(|path| !path.exists()).map(PathBuf::as_path).collect()
    }

    /// Returns it with KVM, if a guest boots under that. The answer is kept in the file `cache`, until kernel or QEMU change.
    pub async fn probed(self, cache: &Path) -> Self {
        let circumstances = probe::circumstances(&self.program);
        let with_kvm = Self { accelerator: Accelerator::Kvm, ..self.clone() };
        let works = match probe::remembered(cache, &circumstances) {
            Some(works) => works,
            None => {
                let works = Path::new("/dev/kvm").exists() && with_kvm.boots().await;
                probe::remember(cache, &circumstances, works);
                works
            }
        };
        if works { with_kvm } else { self }
    }

    /// Tells whether a guest without a disk answers. It is ended either way.
    async fn boots(&self) -> bool {
        match self.boot(None, None).await {
            Ok(machine) => machine.kill().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Returns what runs the guest's processor.
    #[must_use]
    pub const fn accelerator(&self) -> Accelerator {
        self.accelerator
    }

    fn order(&self, program: &Path, words: Vec<String>, memory_mib: u32) -> Order {
        let kvm = self.accelerator == Accelerator::Kvm;
        Order {
            program: program.display().to_string(),
            words,
            names: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            devices: if kvm { vec!["/dev/kvm".into()] } else { Vec::new() },
            identity: self.identity,
            groups: probe::group().filter(|_| kvm).into_iter().collect(),
            memory_bytes: (u64::from(memory_mib) + arguments::BESIDE_MIB) * 1024 * 1024,
            // Its clusters, what describes them, and one snapshot of each.
            file_bytes: self.resources.disk_bytes.saturating_mul(2).saturating_add(64 << 20),
        }
    }

    /// Starts a machine and waits for its guest, once more where it says nothing.
    async fn boot(
        &self,
        disk: Option<(&Place, &DiskKey)>,
        snapshot: Option<&str>,
    ) -> Result<Box<dyn Machine>, ComputerError> {
        let folder = self.image.clone();
        let image = spawn_blocking(move || Image::open(&folder)).await.map_err(|error| over(&error))??;
        for last in (0..TRIES).map(|tried| tried + 1 == TRIES) {
            let running = self.launch(&image, disk, snapshot).await?;
            let most = match self.accelerator {
                Accelerator::Kvm => ISOLATED_WITHIN,
                Accelerator::Emulation => EMULATED_WITHIN,
            };
            match running.answers_within(most).await {
                Ok(()) => return Ok(Box::new(running)),
                Err(ComputerError::Silent { .. }) if !last && self.accelerator == Accelerator::Emulation => {
                    running.kill().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(ComputerError::Over(String::new()))
    }

    async fn launch(
        &self,
        image: &Image,
        disk: Option<(&Place, &DiskKey)>,
        snapshot: Option<&str>,
    ) -> Result<Running, ComputerError> {
        let jail = |error: std::io::Error| ComputerError::Jail(error.to_string());
        let (control, control_end) = channel::pair().map_err(jail)?;
        let (egress, egress_end) = channel::pair().map_err(jail)?;
        let (qmp, qmp_end) = channel::pair().map_err(jail)?;
        let (console, console_end) = channel::pair().map_err(jail)?;
        let opened = disk.map(|(place, key)| Ok::<_, ComputerError>((open_disk(place)?, secret(key)?))).transpose()?;
        let words = arguments::of(&self.resources, self.accelerator, opened.is_some(), snapshot.is_some());
        let mut order = self.order(&self.program, words, self.resources.memory_mib);
        order.reads = vec!["kernel".into(), "initrd".into(), "root".into()];
        let jailed = {
            let mut handed: Vec<Handed<'_>> = vec![
                ("control", control_end.as_fd()),
                ("egress", egress_end.as_fd()),
                ("qmp", qmp_end.as_fd()),
                ("console", console_end.as_fd()),
                ("kernel", image.kernel.as_fd()),
                ("initrd", image.initrd.as_fd()),
                ("root", image.root.as_fd()),
            ];
            if let Some((disk, key)) = &opened {
                handed.extend([("disk", disk.as_fd()), ("key", key.as_fd())]);
            }
            Jailed::start(&self.launcher, order, &handed, Some(self.resources.memory_mib)).await?
        };
        // Only the machine holds the other ends now: they close when it ends.
        drop((control_end, egress_end, qmp_end, console_end, opened));
        let console = machine::listen(console);
        let mut qmp = match Qmp::greet(qmp).await {
            Ok(qmp) => qmp,
            Err(error) => return Err(ComputerError::Qemu(format!("{error}; {}", said_last(&jailed).await))),
        };
        let of = self.memory_of(image);
        if let (Some(name), Some((place, key))) = (snapshot, disk) {
            load(&mut qmp, place, key, name, &of).await?;
        }
        let ports = if snapshot.is_some() { Ports::restored(control, egress) } else { Ports::new(control, egress) };
        let saved = disk.map(|(place, key)| machine::Saving { place: place.clone(), key: key.clone(), of });
        Ok(Running::new(jailed, ports, qmp, console, saved, self.resources.memory_mib))
    }

    /// What saved memory belongs to: one image, one shape of machine.
    fn memory_of(&self, image: &Image) -> String {
        let Resources { memory_mib, processors, .. } = self.resources;
        format!("{} {memory_mib} {processors} {:?}", image.identity, self.accelerator)
    }
}

/// Passes saved memory to a QEMU that waits for it, and lets it run.
async fn load(qmp: &mut Qmp, place: &Place, key: &DiskKey, name: &str, of: &str) -> Result<(), ComputerError> {
    let failed = |error: std::io::Error| ComputerError::Qemu(error.to_string());
    let (reads, writes) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    machine::watch_migrations(qmp).await.map_err(failed)?;
    qmp.run_with("getfd", serde_json::json!({"fdname": "memory"}), &[reads.as_fd()]).await.map_err(failed)?;
    drop(reads);
    let (path, key, of) = (place.memory(name), key.clone(), of.to_owned());
    let opening = spawn_blocking(move || sealed::open(&path, File::from(writes), &key, &of));
    let begun = qmp.run("migrate-incoming", serde_json::json!({"uri": "fd:memory"})).await;
    let loaded = match begun {
        Ok(_) => qmp.migrated(machine::SAVED_WITHIN).await,
        Err(error) => Err(error),
    };
    match (opening.await, loaded) {
        (Ok(Ok(())), Ok(())) => {}
        (Ok(Err(_)), _) => return Err(ComputerError::Snapshot(name.into())),
        (Err(error), _) => return Err(over(&error)),
        (_, Err(error)) => return Err(failed(error)),
    }
    qmp.run("cont", serde_json::json!({})).await.map_err(failed)?;
    Ok(())
}

async fn said_last(jailed: &Jailed) -> String {
    jailed.kill();
    let _ = jailed.ended().await;
    jailed.complaint()
}

fn over(error: &tokio::task::JoinError) -> ComputerError {
    ComputerError::Over(format!(": {error}"))
}

fn open_disk(place: &Place) -> Result<File, ComputerError> {
    let path = place.disk();
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let opened = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path);
    opened.map_err(|source| ComputerError::File { path, source })
}

/// Returns the key in memory that has no name, to be read by whoever it is handed to.
fn secret(key: &DiskKey) -> Result<OwnedFd, ComputerError> {
    let make = || -> std::io::Result<OwnedFd> {
        let memory = rustix::fs::memfd_create("key", rustix::fs::MemfdFlags::CLOEXEC)?;
        let mut file = File::from(memory);
        std::io::Write::write_all(&mut file, key.passphrase().as_bytes())?;
        Ok(file.into())
    };
    make().map_err(|error| ComputerError::Jail(error.to_string()))
}

impl Engine for Qemu {
    fn grade(&self) -> Grade {
        match self.accelerator {
            Accelerator::Kvm => Grade::Isolated,
            Accelerator::Emulation => Grade::Emulated,
        }
    }

    fn create<'a>(&'a self, place: &'a Place, key: &'a DiskKey) -> Action<'a, ()> {
        Box::pin(self.create_disk(place, key))
    }

    fn start<'a>(&'a self, place: &'a Place, key: &'a DiskKey) -> Action<'a, Box<dyn Machine>> {
        Box::pin(self.boot(Some((place, key)), None))
    }

    fn restore<'a>(&'a self, place: &'a Place, key: &'a DiskKey, snapshot: &'a str) -> Action<'a, Box<dyn Machine>> {
        Box::pin(async move {
            machine::check_name(snapshot)?;
            self.revert_disk(place, key, snapshot).await?;
            self.boot(Some((place, key)), Some(snapshot)).await
        })
    }

    fn forget_snapshot<'a>(&'a self, place: &'a Place, key: &'a DiskKey, snapshot: &'a str) -> Action<'a, ()> {
        Box::pin(async move {
            machine::check_name(snapshot)?;
            self.forget_on_disk(place, key, snapshot).await?;
            let path = place.memory(snapshot);
            std::fs::remove_file(&path).map_err(|source| ComputerError::File { path, source })
        })
    }

    fn fork_disk<'a>(
        &'a self,
        from: &'a Place,
        key: &'a DiskKey,
        to: &'a Place,
        new_key: &'a DiskKey,
    ) -> Action<'a, ()> {
        Box::pin(self.copy_disk(from, key, to, new_key))
    }

    fn destroy<'a>(&'a self, place: &'a Place, key: &'a DiskKey) -> Action<'a, ()> {
        Box::pin(self.destroy_disk(place, key))
    }
}
