//! Control groups: one for each program, so that nothing it started outlives it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Gid, Uid};

use crate::init::command;

/// Where control groups are, and the one that holds all programs.
const ALL: &str = "/sys/fs/cgroup/programs";
/// Processes that all programs have together at most: a fork bomb leaves the daemon room.
const MAX_PROCESSES: u32 = 2_048;
/// Memory left to the kernel and the daemon, in bytes.
const KEPT_BYTES: u64 = 96 * 1024 * 1024;
/// How long ended processes may take to be gone, in milliseconds.
const GONE_WITHIN_MS: i64 = 2_000;
/// The agent's account in the image.
pub(crate) const AGENT: u32 = 1_000;

/// Prepares control groups, with the limits that hold for all programs together.
pub(crate) fn prepare(memory_bytes: u64) {
    let limits = [
        ("/sys/fs/cgroup/cgroup.subtree_control".to_owned(), "+memory +pids".to_owned()),
        (format!("{ALL}/pids.max"), MAX_PROCESSES.to_string()),
        (format!("{ALL}/memory.max"), memory_bytes.saturating_sub(KEPT_BYTES).to_string()),
    ];
    let _ = fs::create_dir_all(ALL);
    for (path, value) in limits {
        if let Err(error) = fs::write(&path, value) {
            eprintln!("bailey-guest: `{path}`: {error}");
        }
    }
}

/// A control group of one program. Dropped, everything in it is ended.
#[derive(Debug)]
pub(crate) struct Group(PathBuf);

impl Group {
    pub(crate) fn make() -> Result<Self, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let path = PathBuf::from(ALL).join(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir_all(&path).map_err(|error| format!("no control group: {error}"))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> String {
        self.0.display().to_string()
    }

    /// Ends every process in it, and waits until they are gone.
    pub(crate) fn kill(&self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
        while let Ok(events) = File::open(self.0.join("cgroup.events")) {
            if !self.is_populated() {
                return;
            }
            let timeout = Timespec { tv_sec: GONE_WITHIN_MS / 1000, tv_nsec: 0 };
            if !poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&timeout)).is_ok_and(|ready| ready > 0) {
                return;
            }
        }
    }

    fn is_populated(&self) -> bool {
        fs::read_to_string(self.0.join("cgroup.events")).is_ok_and(|events| events.contains("populated 1"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir(&self.0);
    }
}

/// Joins a control group, gives up rights where the account is the agent's, and becomes the program.
pub(crate) fn enter(group: &str, account: &str, words: &[&str]) -> Result<(), String> {
    let join = || OpenOptions::new().write(true).open(format!("{group}/cgroup.procs"))?.write_all(b"0");
    join().map_err(|error| format!("the control group cannot be joined: {error}"))?;
    if account == "agent" {
        let (user, owner) = (Uid::from_raw(AGENT), Gid::from_raw(AGENT));
        let given_up = rustix::thread::set_thread_groups(&[])
            .and_then(|()| rustix::thread::set_thread_res_gid(owner, owner, owner))
            .and_then(|()| rustix::thread::set_thread_res_uid(user, user, user));
        given_up.map_err(|error| format!("the agent's account cannot be taken: {error}"))?;
    }
    let Some((program, arguments)) = words.split_first() else { return Err("no program was named".into()) };
    Err(format!("`{program}` cannot be started: {}", command(program).args(arguments).exec()))
}
