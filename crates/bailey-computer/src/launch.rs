//! Starting a program in the jail, and waiting for its end.

use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, recv};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::ComputerError;
use crate::cgroup::Group;
use crate::channel;
use crate::jail::{Layers, MAX_ORDER_BYTES, Order, Told};

/// How long the launcher may take until it becomes its program.
const LAUNCHED_WITHIN: Duration = Duration::from_secs(20);
/// What is kept of what a program complains about, in bytes: its last words.
const MAX_COMPLAINT_BYTES: usize = 4 * 1024;

/// A program in the jail. Dropped, it is ended.
pub(crate) struct Jailed {
    pub layers: Layers,
    pub process: u32,
    handle: OwnedFd,
    ended: watch::Receiver<Option<ExitStatus>>,
    complaint: Arc<Mutex<Vec<u8>>>,
}

/// Something to hand to a program: its name in the order, and what is handed.
pub(crate) type Handed<'a> = (&'static str, BorrowedFd<'a>);

impl Jailed {
    /// Starts a program; `memory_mib` is the guest's memory, where it is a machine. What is handed to it stays open here as well.
    pub(crate) async fn start(
        launcher: &Path,
        order: Order,
        handed: &[Handed<'_>],
        memory_mib: Option<u32>,
    ) -> Result<Self, ComputerError> {
        let failed = |error: io::Error| ComputerError::Jail(error.to_string());
        let own = |(name, descriptor): &Handed<'_>| Ok((*name, descriptor.try_clone_to_owned()?));
        let handed = handed.iter().map(own).collect::<io::Result<Vec<_>>>().map_err(failed)?;
        let launcher = launcher.to_owned();
        let starting = spawn_blocking(move || Self::start_waiting(launcher, order, &handed, memory_mib));
        starting.await.map_err(|error| ComputerError::Jail(error.to_string()))?
    }

    fn start_waiting(
        launcher: PathBuf,
        mut order: Order,
        handed: &[(&'static str, OwnedFd)],
        memory_mib: Option<u32>,
    ) -> Result<Self, ComputerError> {
        let failed = |error: io::Error| ComputerError::Jail(error.to_string());
        order.names = handed.iter().map(|(name, _)| (*name).to_owned()).collect();
        let bytes = serde_json::to_vec(&order).map_err(|error| ComputerError::Jail(error.to_string()))?;
        if bytes.len() > MAX_ORDER_BYTES {
            return Err(ComputerError::Jail("the order is too long".into()));
        }
        let (ours, theirs) = channel::packets().map_err(failed)?;
        let complaint = Arc::new(Mutex::new(Vec::new()));
        let bounds = Arc::new(Mutex::new(Group::default()));
        let spawned = spawn(launcher, theirs, Arc::clone(&complaint), Arc::clone(&bounds));
        let (process, ended) = spawned.map_err(failed)?;
        let number = i32::try_from(process).ok().and_then(Pid::from_raw);
        let number = number.ok_or_else(|| ComputerError::Jail("a process without a number".into()))?;
        let handle = pidfd_open(number, PidfdFlags::empty()).map_err(|error| failed(error.into()))?;
        let group = memory_mib.map(|memory| Group::hold(process, memory)).unwrap_or_default();
        let held = group.held.clone();
        *bounds.lock().unwrap_or_else(PoisonError::into_inner) = group;
        let layers =
            Layers { account: false, network: false, folders: false, landlock_whole: false, held: held.clone() };
        let mut jailed = Self { layers, process, handle, ended, complaint };
        let descriptors: Vec<BorrowedFd<'_>> = handed.iter().map(|(_, descriptor)| descriptor.as_fd()).collect();
        channel::send(&ours, &bytes, &descriptors).map_err(failed)?;
        match hear(&ours)? {
            Some(Told::Layers(layers)) => jailed.layers = Layers { held, ..layers },
            Some(Told::Failed(why)) => return Err(ComputerError::Jail(why)),
            None => return Err(ComputerError::Jail("the launcher ended".into())),
        }
        // The socket closes when the program has begun; what comes instead is why it has not.
        match hear(&ours)? {
            None => Ok(jailed),
            Some(Told::Failed(why)) => Err(ComputerError::Jail(why)),
            Some(Told::Layers(_)) => Err(ComputerError::Jail("the launcher said too much".into())),
        }
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        // One that has ended is what was wanted.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) -> Option<ExitStatus> {
        let mut ended = self.ended.clone();
        let status = ended.wait_for(Option::is_some).await.ok()?;
        *status
    }

    /// Returns what it complained about last, as text that can be shown.
    pub(crate) fn complaint(&self) -> String {
        let bytes = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        shown(&bytes)
    }
}

impl Drop for Jailed {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns what hostile bytes say, without what could move a cursor or change a direction.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let plain = |c: char| if c == '\n' || (' '..='~').contains(&c) { c } else { ' ' };
    String::from_utf8_lossy(bytes).chars().map(plain).collect::<String>().trim().to_owned()
}

/// Keeps the last bytes of what is added.
pub(crate) fn keep_last(kept: &mut Vec<u8>, more: &[u8], most: usize) {
    kept.extend(more.get(more.len().saturating_sub(most)..).unwrap_or_default());
    let over = kept.len().saturating_sub(most);
    kept.drain(..over);
}

#[expect(clippy::disallowed_methods, reason = "starts the launcher of the jail, and nothing else")]
fn command(launcher: &Path) -> Command {
    Command::new(launcher)
}

type Spawned = (u32, watch::Receiver<Option<ExitStatus>>);

/// Starts the launcher from a thread that lives as long as it: the kernel ends it with the thread that started it. Its bounds go when
/// it has ended.
fn spawn(
    launcher: PathBuf,
    socket: OwnedFd,
    complaint: Arc<Mutex<Vec<u8>>>,
    bounds: Arc<Mutex<Group>>,
) -> io::Result<Spawned> {
    let (say, ended) = watch::channel(None);
    let (started, heard) = std::sync::mpsc::channel();
    thread::Builder::new().name("computer".into()).spawn(move || {
        let mut starting = command(&launcher);
        starting.env_clear().current_dir("/").stdin(socket).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = starting.spawn();
        drop(starting);
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                let _ = started.send(Err(error));
                return;
            }
        };
        let _ = started.send(Ok(child.id()));
        if let Some(mut errors) = child.stderr.take() {
            let mut bytes = vec![0; 1024];
            while let Ok(count @ 1..) = errors.read(&mut bytes) {
                let mut kept = complaint.lock().unwrap_or_else(PoisonError::into_inner);
                keep_last(&mut kept, bytes.get(..count).unwrap_or_default(), MAX_COMPLAINT_BYTES);
            }
        }
        let status = child.wait().ok();
        *bounds.lock().unwrap_or_else(PoisonError::into_inner) = Group::default();
        let _ = say.send(status);
    })?;
    let process = heard.recv().map_err(|_| io::Error::other("the launcher was not started"))??;
    Ok((process, ended))
}

fn hear(socket: &OwnedFd) -> Result<Option<Told>, ComputerError> {
    let failed = |error: rustix::io::Errno| ComputerError::Jail(error.to_string());
    let limit = Timespec { tv_sec: i64::try_from(LAUNCHED_WITHIN.as_secs()).unwrap_or(1), tv_nsec: 0 };
    if poll(&mut [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)], Some(&limit)).map_err(failed)? == 0 {
        return Err(ComputerError::Jail("the launcher took too long".into()));
    }
    let mut bytes = vec![0; MAX_ORDER_BYTES];
    let (count, _) = recv(socket, &mut bytes, RecvFlags::empty()).map_err(failed)?;
    match bytes.get(..count) {
        Some([]) | None => Ok(None),
        Some(bytes) => serde_json::from_slice(bytes).map(Some).map_err(|error| ComputerError::Jail(error.to_string())),
    }
}
