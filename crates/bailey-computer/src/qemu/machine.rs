//! A machine that runs.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use crate::connection::Connection;
use bailey_wire::{Port, Side};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::engine::{Action, DiskKey, Machine, Place};
use crate::launch::{Jailed, keep_last, shown};
use crate::qmp::Qmp;
use crate::{ComputerError, Control, Layers, sealed};

/// How long memory or a disk may take to be saved, put back or copied: minutes, on a slow disk.
pub(super) const SAVED_WITHIN: Duration = Duration::from_secs(180);
/// How long the guest may take to become silent.
const FROZEN_WITHIN: Duration = Duration::from_secs(10);
/// How long stopping the processors may take. A QEMU that does not is ended.
const PAUSED_WITHIN: Duration = Duration::from_secs(2);
/// What is kept of the console, in bytes: why a kernel did not start.
const MAX_CONSOLE_BYTES: usize = 8 * 1024;
/// Saved memory beside the guest's own: states of devices.
const STATES_MIB: u64 = 64;

type Console = Arc<StdMutex<Vec<u8>>>;

/// Keeps the last of what a console says.
pub(super) fn listen(mut from: UnixStream) -> Console {
    let console = Console::default();
    let kept = Arc::clone(&console);
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            keep_last(&mut kept, bytes.get(..count).unwrap_or_default(), MAX_CONSOLE_BYTES);
        }
    });
    console
}

/// Both ports of a machine.
pub(super) struct Ports {
    control: Control,
    egress: Connection,
    restored: bool,
}

impl Ports {
    pub(super) fn new(control: UnixStream, egress: UnixStream) -> Self {
        let control = Control::new(Connection::start(Side::Host, Port::Control, control));
        Self { control, egress: Connection::start(Side::Host, Port::Egress, egress), restored: false }
    }

    pub(super) fn restored(control: UnixStream, egress: UnixStream) -> Self {
        let control = Control::new(Connection::restored(Port::Control, control));
        Self { control, egress: Connection::restored(Port::Egress, egress), restored: true }
    }

    fn thaw(&self) {
        self.control.connection().thaw();
        self.egress.thaw();
    }
}

/// Where snapshots go.
pub(super) struct Saving {
    pub place: Place,
    pub key: DiskKey,
    pub of: String,
}

pub(super) struct Running {
    jailed: Jailed,
    ports: Ports,
    qmp: Mutex<Qmp>,
    console: Console,
    saving: Option<Saving>,
    memory_mib: u32,
}

/// Checks a snapshot's name: it becomes part of a file's.
pub(super) fn check_name(name: &str) -> Result<(), ComputerError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = !name.is_empty() && name.len() <= 40 && name.chars().all(plain);
    if fits && !name.starts_with('-') { Ok(()) } else { Err(ComputerError::Snapshot(name.chars().take(40).collect())) }
}

/// Has QEMU tell of migrations, and not slow them down.
pub(super) async fn watch_migrations(qmp: &mut Qmp) -> io::Result<()> {
    let events = json!({"capabilities": [{"capability": "events", "state": true}]});
    qmp.run("migrate-set-capabilities", events).await?;
    qmp.run("migrate-set-parameters", json!({"max-bandwidth": 8_u64 << 30})).await?;
    Ok(())
}

fn unix_nanos() -> u64 {
    let time = clock_gettime(ClockId::Realtime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

fn failed(error: io::Error) -> ComputerError {
    ComputerError::Qemu(error.to_string())
}

impl Running {
    pub(super) fn new(
        jailed: Jailed,
        ports: Ports,
        qmp: Qmp,
        console: Console,
        saving: Option<Saving>,
        memory_mib: u32,
    ) -> Self {
        Self { jailed, ports, qmp: Mutex::new(qmp), console, saving, memory_mib }
    }

    /// Waits until the guest answers, and gives it the time and new randomness.
    pub(super) async fn answers_within(&self, most: Duration) -> Result<(), ComputerError> {
        if self.ports.restored {
            self.ports.thaw();
        }
        let answering = async {
            self.refresh().await?;
            self.ports.control.health().await
        };
        let health = tokio::select! {
            answered = timeout(most, answering) => answered,
            why = self.ended() => return Err(ComputerError::Over(why)),
        };
        match health {
            Ok(Ok(health)) if health.version == bailey_wire::control::VERSION => Ok(()),
            Ok(Ok(_)) => {
                Err(ComputerError::Qemu("the image's daemon is of another version; build the image anew".into()))
            }
            Ok(Err(crate::CallError::Late)) | Err(_) => {
                Err(ComputerError::Silent { seconds: most.as_secs(), console: self.said_last() })
            }
            Ok(Err(error)) => Err(error.into()),
        }
    }

    /// Gives the guest the time of now and randomness nobody else has.
    async fn refresh(&self) -> Result<(), crate::CallError> {
        self.ports.control.set_clock(unix_nanos()).await?;
        self.ports.control.reseed().await
    }

    fn said_last(&self) -> String {
        let console = shown(&self.console.lock().unwrap_or_else(PoisonError::into_inner));
        let last = console.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
        if last.is_empty() { String::new() } else { format!(" (its console said last: {last})") }
    }

    async fn save(&self, name: &str) -> Result<(), ComputerError> {
        check_name(name)?;
        let Some(saving) = &self.saving else { return Err(ComputerError::Snapshot(name.into())) };
        if saving.place.memory(name).exists() {
            return Err(ComputerError::Qemu(format!(
                "there is a snapshot `{name}` already; forget it, or take another name"
            )));
        }
        let frozen = async { self.ports.control.connection().freeze().await && self.ports.egress.freeze().await };
        if !timeout(FROZEN_WITHIN, frozen).await.unwrap_or(false) {
            return Err(ComputerError::Silent { seconds: FROZEN_WITHIN.as_secs(), console: self.said_last() });
        }
        let mut qmp = self.qmp.lock().await;
        qmp.run("stop", json!({})).await.map_err(failed)?;
        let part = saving.place.memory(name).with_extension("part");
        let saved = self.save_stopped(&mut qmp, saving, name, &part).await;
        if saved.is_err() {
            // What there is of it is no snapshot. Where that cannot be removed now, its name stays taken.
            let _ = std::fs::remove_file(&part);
            let _ = qmp.run("blockdev-snapshot-delete-internal-sync", json!({"device": "disk", "name": name})).await;
        }
        saved
    }

    async fn save_stopped(&self, qmp: &mut Qmp, saving: &Saving, name: &str, part: &Path) -> Result<(), ComputerError> {
        // Memory is saved last: QEMU lets go of its disk with it.
        let disk = json!({"device": "disk", "name": name});
        qmp.run("blockdev-snapshot-internal-sync", disk).await.map_err(failed)?;
        watch_migrations(qmp).await.map_err(failed)?;
        let (reads, writes) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
        qmp.run_with("getfd", json!({"fdname": "memory"}), &[writes.as_fd()]).await.map_err(failed)?;
        drop(writes);
        let (path, key, of) = (saving.place.memory(name), saving.key.clone(), saving.of.clone());
        let most = (u64::from(self.memory_mib) + STATES_MIB) * 1024 * 1024;
        let sealing = {
            let part = part.to_owned();
            spawn_blocking(move || sealed::seal(File::from(reads), &part, &key, &of, most))
        };
        qmp.run("migrate", json!({"uri": "fd:memory"})).await.map_err(failed)?;
        qmp.migrated(SAVED_WITHIN).await.map_err(failed)?;
        let sealed = sealing.await.map_err(|error| super::over(&error))?;
        sealed.and_then(|_| std::fs::rename(part, &path)).map_err(|source| ComputerError::File { path, source })
    }
}

impl Machine for Running {
    fn control(&self) -> &Control {
        &self.ports.control
    }

    fn egress(&self) -> &Connection {
        &self.ports.egress
    }

    fn layers(&self) -> &Layers {
        &self.jailed.layers
    }

    fn process(&self) -> u32 {
        self.jailed.process
    }

    fn pause(&self) -> Action<'_, ()> {
        Box::pin(async {
            let stopping = async { self.qmp.lock().await.run("stop", json!({})).await };
            match timeout(PAUSED_WITHIN, stopping).await {
                Ok(Ok(_)) => Ok(()),
                // One that does not stop is ended: a pause that only might hold is none.
                Ok(Err(_)) | Err(_) => {
                    self.kill().await?;
                    Err(ComputerError::Over(": it did not stop when told to".into()))
                }
            }
        })
    }

    fn resume(&self) -> Action<'_, ()> {
        Box::pin(async {
            self.qmp.lock().await.run("cont", json!({})).await.map_err(failed)?;
            Ok(self.refresh().await?)
        })
    }

    fn kill(&self) -> Action<'_, ()> {
        Box::pin(async {
            self.jailed.kill();
            let _ = self.jailed.ended().await;
            Ok(())
        })
    }

    fn snapshot<'a>(&'a self, name: &'a str) -> Action<'a, ()> {
        Box::pin(self.save(name))
    }

    fn wake(&self) -> Action<'_, ()> {
        Box::pin(async {
            self.qmp.lock().await.run("cont", json!({})).await.map_err(failed)?;
            self.ports.thaw();
            Ok(self.refresh().await?)
        })
    }

    fn monitor<'a>(&'a self, command: &'a str, arguments: Value) -> Action<'a, Value> {
        Box::pin(async move { self.qmp.lock().await.run(command, arguments).await.map_err(failed) })
    }

    fn ended(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>> {
        Box::pin(async {
            let how = self.jailed.ended().await.map(|status| status.to_string()).unwrap_or_default();
            let why = self.jailed.complaint();
            format!(" ({how}) {why}{}", self.said_last()).trim_end().to_owned()
        })
    }
}
