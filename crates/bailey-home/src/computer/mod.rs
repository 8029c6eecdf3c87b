//! The agent's own computer, as its home owns it: made and started on first use, put to sleep when nothing is done in it, woken on use,
//! ended with the home, destroyed with it.
//!
//! ```text
//! absent ──first use──▶ running ──idle, or told to──▶ asleep ──use──▶ running
//!                          │                             (or off, where it could not be saved)
//!                          └──destroyed──▶ absent
//! ```
//! Its way out is the broker, which asks [`requests::Requests`] about each request. Nothing here runs on the threads that answer the person.

mod life;
pub(crate) mod requests;
mod services;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use bailey_computer::{DiskKey, Engine as _, Grade, Image, Machine, Place, Qemu, Resources, Starter};
use bailey_egress::{Broker, Ca, Internet};
use bailey_gate::TaskId;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::ledger::StoreError;
use bailey_interface::{ComputerState, ComputerView};
use bailey_ledger::{Ledger, RecordName};
use bailey_telemetry::event;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::config::{self, ComputerConfig};
use crate::home::Home;
use crate::layout::Layout;
use requests::Requests;

/// Bytes of a gibibyte.
const GIB: u64 = 1 << 30;
/// Where an image lies for every home of this machine.
pub const SHARED_IMAGES: &str = "/var/cache/bailey/computer";
/// The folders an image may lie in, beneath that or an account's own: the fullest first.
const VARIANTS: [&str; 3] = ["full", "shell", "small"];
/// The launcher's name, beside this program.
const LAUNCHER: &str = "bailey-jail";

/// Records of the computer: the key of its disk, the key of its authority, and whether secrets were there. Their owner is the home.
const RECORD: &str = "computer";
const OWNER: &[u8] = b"home";
const DISK_KEY: RecordName<'static> = RecordName { kind: RECORD, owner: OWNER, n: 0 };
const CA_KEY: RecordName<'static> = RecordName { kind: RECORD, owner: OWNER, n: 1 };
const SECRETS: RecordName<'static> = RecordName { kind: RECORD, owner: OWNER, n: 2 };

/// Returns the launcher, where it lies beside this program.
#[must_use]
pub fn launcher() -> Option<PathBuf> {
    let own = fs::read_link("/proc/self/exe").ok()?;
    // What was replaced since it was started is named so.
    let own = own.to_string_lossy().trim_end_matches(" (deleted)").to_owned();
    let launcher = Path::new(&own).with_file_name(LAUNCHER);
    launcher.is_file().then_some(launcher)
}

/// Returns the folder of the image that computers start from: the one that is named, or the fullest of those that are there.
#[must_use]
pub fn image_folder(config: &ComputerConfig) -> Option<PathBuf> {
    if let Some(named) = &config.image {
        return Some(named.clone());
    }
    let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let own = own.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    let own = own.map(|cache| cache.join("bailey/computer"));
    let folders = [Some(PathBuf::from(SHARED_IMAGES)), own].into_iter().flatten();
    let all = folders.flat_map(|folder| VARIANTS.map(|variant| folder.join(variant)));
    all.into_iter().find(|folder| folder.join("image.json").exists())
}

/// Why the computer does not do what it was asked for, in words for the person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lacking {
    /// It cannot be there.
    #[error("{0}")]
    Not(String),
    /// It did not do it.
    #[error("the agent's computer did not do it: {0}")]
    Engine(#[from] bailey_computer::ComputerError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a computer is made with.
struct Parts {
    config: ComputerConfig,
    image: Option<PathBuf>,
    starter: Option<Starter>,
    /// Where the answer is kept whether KVM works.
    probed: PathBuf,
}

impl Parts {
    /// Says what is missing, and what to do about it; nothing where all is there.
    fn lacking(&self) -> Option<String> {
        if !self.config.enabled {
            return Some(
                "the agent's computer is switched off: `enabled = false` under [computer] in config.toml; take that out, and start \
                 `bailey serve` again"
                    .into(),
            );
        }
        let missing =
            self.engine().map(|engine| engine.lacking().iter().map(|path| path.display().to_string()).collect());
        let missing: Vec<String> = missing.unwrap_or_default();
        if !missing.is_empty() {
            return Some(format!(
                "the agent's computer needs QEMU, and there is no {} here; install it (Debian: `apt install qemu-system-x86 qemu-utils`)",
                missing.join(", ")
            ));
        }
        let Some(image) = &self.image else {
            return Some(
                "there is no image of the agent's computer; `bailey computer build` says how one is made, and puts it in place".into(),
            );
        };
        if let Err(error) = fs::File::open(image.join("image.json")) {
            return Some(format!(
                "the image of the agent's computer in `{}` cannot be read ({error}); `bailey computer build` puts one where it can",
                image.display()
            ));
        }
        if self.starter.is_none() && launcher().is_none() {
            return Some(format!(
                "the agent's computer needs `{LAUNCHER}` beside this program, and it is not there; build or install it whole"
            ));
        }
        None
    }

    fn engine(&self) -> Option<Qemu> {
        let image = self.image.clone().unwrap_or_default();
        let resources = Resources {
            memory_mib: self.config.memory_mib,
            processors: 1,
            disk_bytes: self.config.disk_gib.saturating_mul(GIB),
        };
        match &self.starter {
            Some(starter) => Some(Qemu::emulated(Path::new(""), &image, None, resources).started_by(starter.clone())),
            None => launcher().map(|launcher| Qemu::emulated(&launcher, &image, own_identity(), resources)),
        }
    }
}

/// Returns the account that a machine gets from a home that is root itself: where its supervisor had none to give.
fn own_identity() -> Option<bailey_computer::Identity> {
    /// Nobody's, below those that systemd gives to services.
    const ALONE: u32 = 61_182;
    rustix::process::geteuid().is_root().then_some(bailey_computer::Identity { user: ALONE, group: ALONE })
}

/// A machine that runs, and what carries its connections.
struct Running {
    machine: Box<dyn Machine>,
    carrying: JoinHandle<()>,
    since_ms: i64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

/// Where the computer stands. What begins and ends a machine holds this all the while.
enum Stage {
    /// There is no disk.
    Absent,
    /// There is a disk, and nothing runs on it.
    Off,
    /// Its machine was saved under this name.
    Asleep(String),
    /// Its machine runs.
    Running(Arc<Running>),
}

impl Stage {
    /// Finds out where a computer stands that nothing runs of.
    fn found(place: &Place) -> Self {
        if !place.disk().exists() {
            return Self::Absent;
        }
        match fs::read_to_string(asleep_note(place)) {
            Ok(name) if place.memory(name.trim()).exists() => Self::Asleep(name.trim().to_owned()),
            Ok(_) | Err(_) => Self::Off,
        }
    }
}

fn asleep_note(place: &Place) -> PathBuf {
    place.folder().join("asleep")
}

/// What is told of the computer while something goes on with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    Nothing,
    Starting,
    Stopping,
}

/// The computer of one home.
pub(crate) struct Room {
    parts: Parts,
    place: Place,
    stage: tokio::sync::Mutex<Stage>,
    /// The machine that runs, for what has to reach it at once.
    now: Mutex<Option<Arc<Running>>>,
    under: Mutex<Under>,
    /// Why it did not do what it was asked for last.
    trouble: Mutex<Option<String>>,
    engine: tokio::sync::OnceCell<Arc<Qemu>>,
    grade: OnceLock<Grade>,
    ledger: Arc<Ledger>,
    pub(crate) requests: Arc<Requests>,
    broker: tokio::sync::OnceCell<Arc<Broker<Requests, Internet>>>,
    home: OnceLock<Weak<Home>>,
    /// Commands under way, and the tasks they are of.
    commands: Mutex<BTreeMap<TaskId, usize>>,
    in_use: AtomicUsize,
    idle_since: Mutex<tokio::time::Instant>,
    secrets: AtomicBool,
}

/// Something that is done with the machine: as long as it lives, the machine is not idle.
struct Use<'a> {
    room: &'a Room,
    task: Option<TaskId>,
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.room.in_use.fetch_sub(1, Ordering::SeqCst);
        *self.room.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = tokio::time::Instant::now();
        if let Some(task) = self.task {
            let mut all = self.room.commands.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = all.get_mut(&task) {
                *count -= 1;
                if *count == 0 {
                    all.remove(&task);
                }
            }
        }
    }
}

impl Room {
    /// Takes up the computer of a home as it was left.
    pub(crate) fn open(
        layout: &Layout,
        settings: &config::Settings,
        config: &ComputerConfig,
        ledger: &Arc<Ledger>,
        requests: Requests,
    ) -> Result<Arc<Self>, StoreError> {
        let place = Place::new(layout.computer());
        let stage = Stage::found(&place);
        let parts = Parts {
            config: config.clone(),
            image: settings.image.clone(),
            starter: settings.computer.as_deref().map(Starter::at),
            probed: layout.computer_probe(),
        };
        let secrets = ledger.record(SECRETS)?.is_some();
        Ok(Arc::new(Self {
            parts,
            place,
            stage: tokio::sync::Mutex::new(stage),
            now: Mutex::default(),
            under: Mutex::new(Under::Nothing),
            trouble: Mutex::default(),
            engine: tokio::sync::OnceCell::new(),
            grade: OnceLock::new(),
            ledger: Arc::clone(ledger),
            requests: Arc::new(requests),
            broker: tokio::sync::OnceCell::new(),
            home: OnceLock::new(),
            commands: Mutex::default(),
            in_use: AtomicUsize::new(0),
            idle_since: Mutex::new(tokio::time::Instant::now()),
            secrets: AtomicBool::new(secrets),
        }))
    }

    /// Tells it whose it is, once.
    pub(crate) fn belongs_to(&self, home: &Arc<Home>) {
        let _ = self.home.set(Arc::downgrade(home));
        self.requests.belongs_to(home);
    }

    fn home(&self) -> Result<Arc<Home>, Lacking> {
        self.home.get().and_then(Weak::upgrade).ok_or_else(|| Lacking::Not("the home is being closed".into()))
    }

    fn running(&self) -> Option<Arc<Running>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_under(&self, under: Under) {
        *self.under.lock().unwrap_or_else(PoisonError::into_inner) = under;
        if let Ok(home) = self.home() {
            home.changed();
        }
    }

    fn in_trouble(&self, why: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Says that something is done with the machine.
    fn using(&self, task: Option<TaskId>) -> Use<'_> {
        self.in_use.fetch_add(1, Ordering::SeqCst);
        if let Some(task) = task {
            *self.commands.lock().unwrap_or_else(PoisonError::into_inner).entry(task).or_default() += 1;
        }
        Use { room: self, task }
    }

    /// Returns the task whose command runs there, if that is of one task alone.
    pub(crate) fn task(&self) -> Option<TaskId> {
        let all = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == 1 { all.keys().next().copied() } else { None }
    }

    /// Tells whether a task that had seen secrets used it.
    pub(crate) fn has_secrets(&self) -> bool {
        self.secrets.load(Ordering::SeqCst)
    }

    /// Writes something about it into the log.
    fn note(&self, what: &'static str, payload: Payload) -> Result<(), Lacking> {
        let home = self.home()?;
        let (now, pause_state) = (home.clock.now(), home.gate.lock().pause_state());
        let entry = Event::of_home(EventKind::Computer, Actor::Home, now, pause_state);
        let payload = Payload(Payload::default().text("what", what).0.into_iter().chain(payload.0).collect());
        self.ledger.write(|tx| tx.append(&Event { payload: payload.clone(), ..entry.clone() }, None).map(|_| ()))?;
        Ok(())
    }

    /// Returns the key of its disk, where it has one.
    fn kept_key(&self) -> Result<Option<DiskKey>, StoreError> {
        let kept = self.ledger.record(DISK_KEY)?.map(Zeroizing::new);
        Ok(kept.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()).map(DiskKey::from_bytes))
    }

    /// Returns what carries its connections: made of the home's own authority, whose key is drawn once.
    pub(crate) async fn broker(&self) -> Result<Arc<Broker<Requests, Internet>>, Lacking> {
        let made = self.broker.get_or_try_init(|| async {
            let home = self.home()?;
            let unusable = |error: bailey_egress::CaError| Lacking::Not(error.to_string());
            let key = match self.ledger.record(CA_KEY)? {
                Some(key) => Zeroizing::new(key),
                None => {
                    let key = Ca::new_key().map_err(unusable)?;
                    self.ledger.write(|tx| tx.put_record(CA_KEY, &key))?;
                    key
                }
            };
            let ca = Ca::open(&key, "Bailey, of this home alone").map_err(unusable)?;
            let trust = home.vault.trust_of_sites();
            Ok::<_, Lacking>(Arc::new(Broker::new(Arc::clone(&self.requests), Internet, ca, trust)))
        });
        made.await.cloned()
    }

    /// Returns the engine, and finds out on first use what its wall is worth.
    async fn engine(&self) -> Result<Arc<Qemu>, Lacking> {
        if let Some(why) = self.parts.lacking() {
            return Err(Lacking::Not(why));
        }
        let found = self.engine.get_or_try_init(|| async {
            let engine = self.parts.engine().ok_or_else(|| Lacking::Not("the launcher is gone".into()))?;
            let engine = engine.probed(&self.parts.probed).await;
            let grade = engine.grade();
            let _ = self.grade.set(grade);
            event!(INFO, "the grade of the agent's computer is known", grade = grade.word());
            Ok::<_, Lacking>(Arc::new(engine))
        });
        found.await.cloned()
    }

    /// Says how it stands.
    pub(crate) fn view(&self) -> ComputerView {
        let lacking = self.parts.lacking();
        let under = *self.under.lock().unwrap_or_else(PoisonError::into_inner);
        let running = self.running();
        let is_paused =
            self.home().is_ok_and(|home| home.gate.lock().pause_state().mode != bailey_gate::handoff::Mode::Open);
        let state = match (under, &running, &lacking) {
            (Under::Starting, _, _) => ComputerState::Starting,
            (Under::Stopping, _, _) => ComputerState::Stopping,
            (Under::Nothing, Some(_), _) if is_paused => ComputerState::Paused,
            (Under::Nothing, Some(_), _) => ComputerState::Running,
            (Under::Nothing, None, Some(_)) => ComputerState::Unavailable,
            (Under::Nothing, None, None) => match Stage::found(&self.place) {
                Stage::Absent => ComputerState::Absent,
                Stage::Asleep(_) => ComputerState::Asleep,
                Stage::Off | Stage::Running(_) => ComputerState::Off,
            },
        };
        let grade = self.grade.get().copied();
        let disk_bytes = fs::metadata(self.place.disk()).map_or(0, |about| {
            use std::os::unix::fs::MetadataExt as _;
            about.blocks().saturating_mul(512)
        });
        ComputerView {
            state,
            grade: match (&lacking, grade) {
                (Some(_), _) => "none".into(),
                (None, Some(grade)) => grade.word().into(),
                (None, None) => "unknown".into(),
            },
            warning: grade.filter(|_| lacking.is_none()).and_then(Grade::warning).unwrap_or_default().to_owned(),
            lacking: lacking.unwrap_or_default(),
            trouble: self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default(),
            image: self.parts.image.as_ref().map(|image| image.display().to_string()).unwrap_or_default(),
            since_ms: running.as_ref().map(|running| running.since_ms),
            layers: running.as_ref().map(|running| layers(running.machine.layers())).unwrap_or_default(),
            disk_bytes,
            memory_mib: self.parts.config.memory_mib,
            idle_seconds: self.parts.config.idle_seconds,
            after_secrets: self.has_secrets(),
            waiting: self.requests.waiting(),
            requests: self.requests.recent(),
        }
    }
}

/// Names the layers that hold a machine's process, those that could not be had as such.
fn layers(layers: &bailey_computer::Layers) -> Vec<String> {
    let named = [
        (layers.account, "an account of its own"),
        (layers.network, "no network"),
        (layers.folders, "folders of others hidden"),
        (layers.landlock_whole, "Landlock, whole"),
        (layers.held.memory, "a bound on memory"),
        (layers.held.threads, "a bound on threads"),
    ];
    named.into_iter().map(|(holds, name)| if holds { name.to_owned() } else { format!("not: {name}") }).collect()
}

/// Makes sure that an image can be used: every file of it is what it was when it was built.
pub fn check_image(folder: &Path) -> Result<(), String> {
    Image::open(folder).map(|_| ()).map_err(|error| error.to_string())
}
