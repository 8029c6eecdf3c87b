//! A machine for a test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bailey_computer::{Control, DiskKey, Engine as _, Identity, Job, Machine, Output, Place, Program, Qemu, Resources};
use tokio::sync::{Mutex, MutexGuard};

/// An account of nobody's, far from those of a system: what a machine's process has where the tests run as root.
const NOBODYS: u32 = 61_900;

static ONE: Mutex<()> = Mutex::const_new(());

/// A folder of one test, with what makes machines in it. Dropped, the folder goes.
pub struct World {
    pub engine: Qemu,
    pub folder: PathBuf,
    pub place: Place,
    pub key: DiskKey,
    _one: MutexGuard<'static, ()>,
}

pub fn image() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"))).unwrap();
    let folder = cache.join("bailey/computer/small");
    assert!(folder.join("image.json").exists(), "there is no image yet; `cargo xtask image --small` makes it");
    folder
}

pub fn launcher() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bailey-jail"))
}

pub fn identity() -> Option<Identity> {
    rustix::process::geteuid().is_root().then_some(Identity { user: NOBODYS, group: NOBODYS })
}

impl World {
    pub async fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let one = ONE.lock().await;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("bailey-computer-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let engine =
            Qemu::emulated(launcher(), &image(), identity(), Resources { disk_bytes: 1 << 30, ..Resources::SHELL });
        let place = Place::new(folder.join("computer"));
        Self { engine, place, folder, key: DiskKey::random().unwrap(), _one: one }
    }

    /// Makes a machine and starts it.
    pub async fn started(&self) -> Box<dyn Machine> {
        self.engine.create(&self.place, &self.key).await.unwrap();
        self.start().await
    }

    pub async fn start(&self) -> Box<dyn Machine> {
        self.engine.start(&self.place, &self.key).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Runs a line as the agent, to its end.
pub async fn shell(machine: &dyn Machine, line: &str) -> Output {
    machine.control().run_whole(Program::shell(line), b"").await.unwrap()
}

/// Runs a line as root, to its end.
pub async fn root(machine: &dyn Machine, line: &str) -> Output {
    let program = Program { account: bailey_computer::Account::Root, ..Program::shell(line) };
    machine.control().run_whole(program, b"").await.unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

/// How long a test waits for what has to come: guests are emulated, beside whatever else goes on.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// Asks about a job until it is as wanted. Each question waits for the guest's answer.
pub async fn job_until(control: &Control, job: u32, wanted: impl Fn(&Job) -> bool) -> Job {
    let asking = async {
        loop {
            let found = control.poll(job).await.unwrap();
            if wanted(&found) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap()
}
