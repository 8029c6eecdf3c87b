//! Starting launchers for a home that is not root: all that a supervisor does for a computer.
//!
//! The home connects to a socket that its account alone may open, and hands over the launcher's standard input and where it complains
//! to. The launcher is started with bounds that the home cannot change: the account its program gets, and whose files it may be given.
//! That connection is the program's lifeline: where it ends, so does the program.

use std::io::{self, BufRead as _, BufReader, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use crate::cgroup::{Group, Held};
use crate::channel;
use crate::jail::{Bounds, Identity};

/// Programs kept at a time for one home: its machine, and a tool that works on a disk, with room to spare.
const MAX_KEPT: usize = 4;
/// How long a home may take to say what it wants.
const ASKED_WITHIN: Duration = Duration::from_secs(5);
/// Longest line that is read of what is told, in bytes.
const MAX_LINE_BYTES: u64 = 1024;
/// What is handed over: the launcher's standard input, and where it complains to.
const HANDED: usize = 2;

/// What is told of a program that is kept, a line for each.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Word {
    /// It was started, as this process, held by these bounds.
    Started { process: u32, held: Held },
    /// It has ended, as wait(2) tells it.
    Ended { status: i32 },
    /// It was not started, and why.
    Failed { why: String },
}

/// Starts launchers for one home.
#[derive(Debug, Clone)]
pub struct Keeper {
    launcher: PathBuf,
    bounds: Bounds,
}

impl Keeper {
    /// Names the launcher, the account that what it starts gets, and the home's own account.
    #[must_use]
    pub fn new(launcher: &Path, identity: Identity, home: u32) -> Self {
        Self { launcher: launcher.into(), bounds: Bounds { identity, owner: home } }
    }

    /// Serves the home at a socket, for as long as this process lives. Waits for it: it needs a thread of its own.
    pub fn serve(self, listener: &UnixListener) {
        let kept = Arc::new(AtomicUsize::new(0));
        let keeper = Arc::new(self);
        for stream in listener.incoming().flatten() {
            let is_home =
                rustix::net::sockopt::socket_peercred(&stream).is_ok_and(|who| who.uid.as_raw() == keeper.bounds.owner);
            if !is_home || kept.fetch_add(1, Ordering::SeqCst) >= MAX_KEPT {
                if is_home {
                    kept.fetch_sub(1, Ordering::SeqCst);
                }
                continue;
            }
            let (one, count) = (Arc::clone(&keeper), Arc::clone(&kept));
            let keeping = move || {
                if let Err(error) = one.keep(&stream) {
                    // A home that has gone hears nothing.
                    let _ = tell(&stream, &Word::Failed { why: error.to_string() });
                }
                count.fetch_sub(1, Ordering::SeqCst);
            };
            if thread::Builder::new().name("keeper".into()).spawn(keeping).is_err() {
                kept.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    /// Starts one launcher, and waits for its end, or for that of the connection.
    fn keep(&self, stream: &UnixStream) -> io::Result<()> {
        stream.set_read_timeout(Some(ASKED_WITHIN))?;
        let (memory_mib, order, errors) = receive(stream)?;
        let mut starting = command(&self.launcher);
        starting.args(self.bounds.words()).env_clear().current_dir("/");
        starting.stdin(order).stdout(Stdio::null()).stderr(errors);
        let mut child = starting.spawn()?;
        drop(starting);
        let process = child.id();
        // Before it is told anything: it is still the launcher.
        let group = if memory_mib > 0 { Group::hold(process, memory_mib) } else { Group::default() };
        let number = i32::try_from(process).ok().and_then(Pid::from_raw);
        let handle = number.map(|number| pidfd_open(number, PidfdFlags::empty()));
        let told = tell(stream, &Word::Started { process, held: group.held.clone() });
        if let (Some(Ok(handle)), Ok(())) = (handle, told) {
            let mut either = [
                PollFd::from_borrowed_fd(handle.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::IN | PollFlags::HUP | PollFlags::RDHUP),
            ];
            while let Err(rustix::io::Errno::INTR) = poll(&mut either, None) {}
        }
        // One that has ended already is what was wanted.
        let _ = child.kill();
        let status = child.wait()?;
        drop(group);
        tell(stream, &Word::Ended { status: std::os::unix::process::ExitStatusExt::into_raw(status) })
    }
}

#[expect(clippy::disallowed_methods, reason = "starts the launcher of the jail, and nothing else")]
fn command(launcher: &Path) -> Command {
    Command::new(launcher)
}

fn tell(mut to: &UnixStream, word: &Word) -> io::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    to.write_all(&line)
}

fn receive(stream: &UnixStream) -> io::Result<(u32, OwnedFd, OwnedFd)> {
    let mut memory = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDED))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let came = recvmsg(stream, &mut [IoSliceMut::new(&mut memory)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut handed = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(sent) = message {
            handed.extend(sent);
        }
    }
    let mut handed = handed.into_iter();
    match (came.bytes, handed.next(), handed.next()) {
        (4, Some(order), Some(errors)) => Ok((u32::from_be_bytes(memory), order, errors)),
        _ => Err(io::Error::other("what was asked for cannot be read")),
    }
}

/// The home's side: where its supervisor starts launchers for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter(PathBuf);

/// A program that a supervisor keeps.
pub(crate) struct Kept {
    pub process: u32,
    pub held: Held,
    /// Ended, it ends the program.
    pub lifeline: UnixStream,
    /// What is told of it next.
    pub told: BufReader<UnixStream>,
}

impl Starter {
    /// Names the socket.
    #[must_use]
    pub fn at(socket: &Path) -> Self {
        Self(socket.into())
    }

    /// Has a launcher started, with this standard input. Waits for it.
    pub(crate) fn start(&self, order: &OwnedFd, errors: &OwnedFd, memory_mib: Option<u32>) -> io::Result<Kept> {
        let lifeline = UnixStream::connect(&self.0)?;
        channel::send(&lifeline, &memory_mib.unwrap_or(0).to_be_bytes(), &[order.as_fd(), errors.as_fd()])?;
        let mut told = BufReader::new(lifeline.try_clone()?);
        match hear(&mut told)? {
            Word::Started { process, held } => Ok(Kept { process, held, lifeline, told }),
            Word::Failed { why } => Err(io::Error::other(why)),
            Word::Ended { .. } => Err(io::Error::other("it ended at once")),
        }
    }
}

/// Waits for the next that is told of a program.
pub(crate) fn hear(from: &mut BufReader<UnixStream>) -> io::Result<Word> {
    let mut line = Vec::new();
    from.take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::Error::other("the supervisor started nothing: as much runs already as may"));
    }
    Ok(serde_json::from_slice(&line)?)
}
