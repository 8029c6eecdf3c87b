//! Programs: started in a control group of their own, their output taken as it comes, their time and output limited.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bailey_wire::control::{Account, Ended, How, MAX_PIECE_BYTES, Program, Said};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::OWN_PATH;
use crate::group::Group;
use crate::init::command;

/// How long output that is left in a pipe whose writers were ended is waited for.
const LEFT_WITHIN: Duration = Duration::from_secs(1);
/// Longest a program may run, whatever the host says: ten days, so that times add up without overflow.
const LONGEST: Duration = Duration::from_secs(10 * 24 * 3600);

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    group: Arc<Group>,
    began: Instant,
    most: Duration,
    most_output: u64,
}

/// Reads the clock that only goes forward.
#[expect(clippy::disallowed_methods, reason = "the guest measures how long its programs run")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(time.subsec_nanos()) }
}

impl Running {
    /// Starts a program. Its descriptors are closed on exec, so that nothing it leaves behind keeps a pipe of ours.
    pub(crate) fn start(program: &Program, input: bool) -> Result<Self, String> {
        if program.words.is_empty() {
            return Err("no program was named".into());
        }
        let group = Group::make()?;
        let (account, home) = match program.account {
            Account::Agent => ("agent", "/home/agent"),
            Account::Root => ("root", "/root"),
        };
        let mut starting = command(OWN_PATH);
        starting.arg("program").arg(group.path()).arg(account).args(&program.words).current_dir(&program.folder);
        starting.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        starting.env("HOME", home).env("USER", account).env("LANG", "C.UTF-8").env("TERM", "dumb");
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            starting.env(name, "http://127.0.0.1:3128");
        }
        starting.envs(program.environment.iter().map(|(name, value)| (name, value)));
        starting
            .stdin(if input { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let failed = |error| format!("it cannot be started in `{}`: {error}", program.folder);
        let child = starting.spawn().map_err(failed)?;
        Ok(Self {
            child,
            group: Arc::new(group),
            began: now(),
            most: Duration::from_millis(program.most_ms).min(LONGEST),
            most_output: program.most_output,
        })
    }

    /// Returns what ends it, from any thread.
    pub(crate) fn group(&self) -> Arc<Group> {
        Arc::clone(&self.group)
    }

    /// Returns where its input is written to.
    pub(crate) const fn input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Passes its output to `say` as it comes, ends it when its time is over or `say` is false, and says how it ended. What it
    /// started and left behind is ended then.
    pub(crate) fn finish(mut self, mut say: impl FnMut(Said, &[u8]) -> bool) -> Result<Ended, String> {
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("it has no number")?;
        let ends = Arc::new(pidfd_open(process, PidfdFlags::empty()).map_err(|error| error.to_string())?);
        let timed_out = self.end_in_time(Arc::clone(&ends));
        let (output, error) = (self.child.stdout.take(), self.child.stderr.take());
        let output = output.map(|pipe| Pipe::new(OwnedFd::from(pipe), Said::Output, self.most_output));
        let error = error.map(|pipe| Pipe::new(OwnedFd::from(pipe), Said::Error, self.most_output));
        let mut pipes: Vec<Pipe> = [output, error].into_iter().flatten().collect();
        let mut cut = false;
        let mut over = false;
        while !pipes.is_empty() {
            let mut wanted: Vec<PollFd<'_>> = pipes.iter().map(|pipe| PollFd::new(&pipe.file, PollFlags::IN)).collect();
            wanted.push(PollFd::new(&*ends, PollFlags::IN));
            let timeout = over.then(|| timespec(LEFT_WITHIN));
            // Once it has ended, only what is left in the pipes is of interest.
            let watched = if over { wanted.len() - 1 } else { wanted.len() };
            let Some(watching) = wanted.get_mut(..watched) else { break };
            match poll(watching, timeout.as_ref()) {
                Ok(0) => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.to_string()),
            }
            let ready: Vec<bool> = wanted.iter().map(|one| !one.revents().is_empty()).collect();
            if !over && ready.last() == Some(&true) {
                over = true;
                self.group.kill();
                continue;
            }
            let mut ready = ready.into_iter();
            pipes.retain_mut(|pipe| {
                if ready.next() != Some(true) {
                    return true;
                }
                let more = pipe.pass(&mut say, &self.group);
                cut |= pipe.cut;
                more
            });
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        let ran_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Ended { how: how(status), timed_out: timed_out.load(Ordering::SeqCst), cut, ran_ms })
    }

    /// Ends it when its time is over, also while its output waits to be taken.
    fn end_in_time(&self, ends: Arc<OwnedFd>) -> Arc<AtomicBool> {
        let timed_out = Arc::new(AtomicBool::new(false));
        let (said, group, most) = (Arc::clone(&timed_out), self.group(), self.most);
        thread::spawn(move || {
            let until = now() + most;
            loop {
                let left = until.saturating_duration_since(now());
                match poll(&mut [PollFd::new(&*ends, PollFlags::IN)], Some(&timespec(left))) {
                    Ok(0) => break,
                    Err(rustix::io::Errno::INTR) => {}
                    Ok(_) | Err(_) => return,
                }
            }
            said.store(true, Ordering::SeqCst);
            group.kill();
        });
        timed_out
    }
}

fn how(status: ExitStatus) -> How {
    match (status.code(), status.signal()) {
        (Some(code), _) => How::Status(code),
        (None, signal) => How::Signal(signal.unwrap_or(0)),
    }
}

struct Pipe {
    file: File,
    said: Said,
    left: u64,
    cut: bool,
    bytes: Vec<u8>,
}

impl Pipe {
    fn new(pipe: OwnedFd, said: Said, most: u64) -> Self {
        Self { file: File::from(pipe), said, left: most, cut: false, bytes: vec![0; MAX_PIECE_BYTES] }
    }

    /// Passes on what is there. False at the end.
    fn pass(&mut self, say: &mut impl FnMut(Said, &[u8]) -> bool, group: &Group) -> bool {
        let count = match self.file.read(&mut self.bytes) {
            Ok(0) => return false,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return true,
            Err(_) => return false,
        };
        let kept = usize::try_from(self.left).unwrap_or(usize::MAX).min(count);
        self.left -= u64::try_from(kept).unwrap_or(0);
        // What is too much is read and dropped: the program may have more to do than to talk.
        self.cut |= kept < count;
        let piece = self.bytes.get(..kept).unwrap_or_default();
        if !piece.is_empty() && !say(self.said, piece) {
            group.kill();
        }
        true
    }
}
