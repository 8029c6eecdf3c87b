//! Starting a program in the jail, and waiting for its end.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
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
use crate::keeper::{self, Kept, Starter, Word};

/// How long the launcher may take until it becomes its program.
const LAUNCHED_WITHIN: Duration = Duration::from_secs(20);
/// How wait(2) tells of what a signal ended: SIGKILL.
const KILLED: i32 = 9;
/// What is kept of what a program complains about, in bytes: its last words.
const MAX_COMPLAINT_BYTES: usize = 4 * 1024;

/// Who starts launchers.
#[derive(Debug, Clone)]
pub(crate) enum Launcher {
    /// This process does: the program lies there.
    Own(PathBuf),
    /// A supervisor does.
    Kept(Starter),
}

/// What ends a program.
enum Handle {
    /// A signal of ours.
    Own(OwnedFd),
    /// The end of the connection to the supervisor that keeps it.
    Kept(UnixStream),
}

/// A program in the jail. Dropped, it is ended.
pub(crate) struct Jailed {
    pub layers: Layers,
    pub process: u32,
    handle: Handle,
    ended: watch::Receiver<Option<ExitStatus>>,
    complaint: Arc<Mutex<Vec<u8>>>,
}

/// Something to hand to a program: its name in the order, and what is handed.
pub(crate) type Handed<'a> = (&'static str, BorrowedFd<'a>);

impl Jailed {
    /// Starts a program; `memory_mib` is the guest's memory, where it is a machine. What is handed to it stays open here as well.
    pub(crate) async fn start(
        launcher: &Launcher,
        order: Order,
        handed: &[Handed<'_>],
        memory_mib: Option<u32>,
    ) -> Result<Self, ComputerError> {
        let failed = |error: io::Error| ComputerError::Jail(error.to_string());
        let own = |(name, descriptor): &Handed<'_>| Ok((*name, descriptor.try_clone_to_owned()?));
        let handed = handed.iter().map(own).collect::<io::Result<Vec<_>>>().map_err(failed)?;
        let launcher = launcher.clone();
        let starting = spawn_blocking(move || Self::start_waiting(launcher, order, &handed, memory_mib));
        starting.await.map_err(|error| ComputerError::Jail(error.to_string()))?
    }

    fn start_waiting(
        launcher: Launcher,
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
        let mut jailed = match launcher {
            Launcher::Own(program) => Self::own(program, theirs, complaint, memory_mib),
            Launcher::Kept(starter) => Self::kept(&starter, theirs, complaint, memory_mib),
        }
        .map_err(failed)?;
        let held = jailed.layers.held.clone();
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

    fn own(
        launcher: PathBuf,
        socket: OwnedFd,
        complaint: Arc<Mutex<Vec<u8>>>,
        memory_mib: Option<u32>,
    ) -> io::Result<Self> {
        let bounds = Arc::new(Mutex::new(Group::default()));
        let (process, ended) = spawn(launcher, socket, Arc::clone(&complaint), Arc::clone(&bounds))?;
        let number = i32::try_from(process).ok().and_then(Pid::from_raw);
        let number = number.ok_or_else(|| io::Error::other("a process without a number"))?;
        let handle = Handle::Own(pidfd_open(number, PidfdFlags::empty())?);
        let group = memory_mib.map(|memory| Group::hold(process, memory)).unwrap_or_default();
        let layers = nothing_yet(group.held.clone());
        *bounds.lock().unwrap_or_else(PoisonError::into_inner) = group;
        Ok(Self { layers, process, handle, ended, complaint })
    }

    fn kept(
        starter: &Starter,
        socket: OwnedFd,
        complaint: Arc<Mutex<Vec<u8>>>,
        memory_mib: Option<u32>,
    ) -> io::Result<Self> {
        let (reads, writes) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let Kept { process, held, lifeline, mut told } = starter.start(&socket, &writes, memory_mib)?;
        // Only the program holds the other ends now: they close when it ends.
        drop((socket, writes));
        let (say, ended) = watch::channel(None);
        let kept = Arc::clone(&complaint);
        thread::Builder::new().name("computer".into()).spawn(move || {
            complain(&mut File::from(reads), &kept);
            let status = match keeper::hear(&mut told) {
                Ok(Word::Ended { status }) => status,
                // The supervisor has gone, and what it kept with it.
                Ok(Word::Started { .. } | Word::Failed { .. }) | Err(_) => KILLED,
            };
            let _ = say.send(Some(ExitStatus::from_raw(status)));
        })?;
        Ok(Self { layers: nothing_yet(held), process, handle: Handle::Kept(lifeline), ended, complaint })
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        // One that has ended is what was wanted.
        match &self.handle {
            Handle::Own(process) => drop(pidfd_send_signal(process, Signal::KILL)),
            Handle::Kept(lifeline) => drop(lifeline.shutdown(std::net::Shutdown::Write)),
        }
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

/// What holds a program before its launcher has said anything.
const fn nothing_yet(held: crate::Held) -> Layers {
    Layers { account: false, network: false, folders: false, landlock_whole: false, held }
}

/// Keeps the last of what a program complains about, until it says no more.
fn complain(from: &mut impl Read, kept: &Mutex<Vec<u8>>) {
    let mut bytes = vec![0; 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        keep_last(&mut kept, bytes.get(..count).unwrap_or_default(), MAX_COMPLAINT_BYTES);
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
            complain(&mut errors, &complaint);
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
