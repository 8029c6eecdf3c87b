//! Control groups of the host: a bound for memory and processes of a machine, where the host lets one be made.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Memory that QEMU takes beside the guest's, in bytes: translated code (256 MiB) and its own.
const BESIDE_BYTES: u64 = 512 * 1024 * 1024;
/// Threads a machine has at most: one for each processor, and those that serve its disk.
const MAX_THREADS: u32 = 128;

/// How the groups of machines are called; the number of the machine's process follows.
const PREFIX: &str = "bailey-computer-";

/// Removes groups of machines whose host ended with them, and could not.
fn remove_left(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Which bounds of the host's control groups hold a machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    /// Its memory.
    pub memory: bool,
    /// Its threads.
    pub threads: bool,
}

/// A control group of one machine. Dropped, it is removed; the machine has to have ended.
#[derive(Debug, Default)]
pub(crate) struct Group {
    folders: Vec<PathBuf>,
    pub held: Held,
}

impl Group {
    /// Makes one and puts a process in it, before that has become QEMU. Version 2 where the host has it, else version 1. What cannot be
    /// set is left out and said: a home that is not root can make none.
    pub(crate) fn hold(process: u32, memory_mib: u32) -> Self {
        let memory = (u64::from(memory_mib) * 1024 * 1024 + BESIDE_BYTES).to_string();
        let threads = MAX_THREADS.to_string();
        let name = format!("{PREFIX}{process}");
        for folder in ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"] {
            remove_left(Path::new(folder));
        }
        let mut group = Self::default();
        let two = PathBuf::from("/sys/fs/cgroup").join(&name);
        if fs::metadata("/sys/fs/cgroup/cgroup.controllers").is_ok() {
            group.held.memory = group.set(&two, "memory.max", &memory);
            group.held.threads = group.set(&two, "pids.max", &threads);
            group.join(&two, process);
            return group;
        }
        let one = PathBuf::from("/sys/fs/cgroup/memory").join(&name);
        group.held.memory = group.set(&one, "memory.limit_in_bytes", &memory) && group.join(&one, process);
        let pids = PathBuf::from("/sys/fs/cgroup/pids").join(&name);
        group.held.threads = group.set(&pids, "pids.max", &threads) && group.join(&pids, process);
        group
    }

    fn set(&mut self, folder: &PathBuf, file: &str, value: &str) -> bool {
        if fs::create_dir(folder).is_ok() {
            self.folders.push(folder.clone());
        }
        self.folders.contains(folder) && fs::write(folder.join(file), value).is_ok()
    }

    fn join(&mut self, folder: &PathBuf, process: u32) -> bool {
        let joined =
            self.folders.contains(folder) && fs::write(folder.join("cgroup.procs"), process.to_string()).is_ok();
        if !joined {
            self.held = Held::default();
        }
        joined
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for folder in &self.folders {
            // One that is not empty stays, and holds nobody.
            let _ = fs::remove_dir(folder);
        }
    }
}
