//! One home, composed: the gate over its store, the services behind it, and the agent in front of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bailey_connectors::{Account, HomeContext, Services};
use bailey_gate::ledger::Scope;
use bailey_gate::{ActionId, Gate, GateError, Limits, TaskId};
use bailey_interface::SignIn;
use bailey_keys::HomeKey;
use bailey_ledger::{ConnectionRow, Ledger, Recorded};
use bailey_model::{AnthropicMessages, Model, OpenAiChat};
use bailey_policy::{CedarPolicy, InForce};
use bailey_vault::{Trust, Vault};
use rustix::fs::FlockOperation;
use tokio::sync::watch;

use crate::Ended;
use crate::api::connections::Waiting;
use crate::asking::Listening;
use crate::browsers::Browsers;
use crate::certificate::Certificates;
use crate::clock::{Clock, Presence};
use crate::computer::Room;
use crate::computer::requests::Requests;
use crate::config::{self, ModelConfig, ModelKind};
use crate::daily::{self, Effective};
use crate::layout::{Layout, LayoutError, Opened};
use crate::metrics::Counted;
use crate::names::{Door, Names};
use crate::recovery::{self, Store};
use crate::rules;
use crate::spending::Pending;
use crate::transport::Provider;

/// Why a home could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Its files.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// It is open already.
    #[error("the home in `{0}` is running already; use it, or stop that one first")]
    Running(PathBuf),
    /// The gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Anything else that has to be put right first.
    #[error("{0}")]
    Setup(String),
}

/// A running home.
pub struct Home {
    pub(crate) gate: Arc<Gate>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) services: Services,
    pub(crate) policy: Arc<InForce>,
    /// Held by whoever changes the rules.
    pub(crate) changing_rules: Mutex<()>,
    /// How many rules there were to suggest when trust was looked at last.
    pub(crate) suggested: AtomicU64,
    /// Tasks for which it was looked again whom the person knows.
    pub(crate) looked_again: std::sync::Mutex<BTreeSet<TaskId>>,
    /// Told when the person approved something, which may have made a habit.
    pub(crate) answered: tokio::sync::Notify,
    /// Settings as the configuration file and the person make them together.
    pub(crate) in_force: RwLock<Arc<Effective>>,
    /// Held by whoever changes what the person says.
    pub(crate) changing_settings: Mutex<()>,
    /// The text of the configuration file.
    pub(crate) config_text: String,
    /// Answers of models on their way.
    pub(crate) listening: Listening,
    /// Reckons what requests under way may cost.
    pub(crate) pending: Pending,
    pub(crate) clock: Clock,
    /// When a client of the person was last heard of.
    pub(crate) presence: Presence,
    pub(crate) token: String,
    pub(crate) layout: Layout,
    /// Findings of opening that the person should see.
    pub(crate) notices: Mutex<Vec<String>>,
    /// Suspicions that answers of passkeys raised, which the person should see as well.
    suspicions: Arc<Mutex<Vec<String>>>,
    /// The person's browsers.
    pub(crate) browsers: Browsers,
    /// How it went with the places that are told what waits.
    pub(crate) notifications: crate::notifications::Notifications,
    /// The names that browsers open the dashboard by.
    pub(crate) names: Names,
    /// Certificates that are shown where TLS ends here.
    pub(crate) certificates: Option<Arc<Certificates>>,
    /// Tells whether other machines can reach that.
    pub(crate) is_public: bool,
    /// What begins by itself.
    pub(crate) clockwork: crate::clockwork::Clockwork,
    /// The agent's own computer.
    pub(crate) room: Arc<Room>,
    /// Files that are being put.
    pub(crate) uploads: crate::files::Uploads,
    /// Sign-ins under way or just ended, by their random name.
    pub(crate) sign_ins: Mutex<BTreeMap<String, SignIn>>,
    /// Those whose browser comes back to a page of the dashboard, by the same name.
    pub(crate) waiting_sign_ins: Mutex<BTreeMap<String, Waiting>>,
    /// Accounts that are being connected, or could not be.
    pub(crate) under_way: Mutex<crate::api::under_way::UnderWay>,
    /// Tasks that were undone since the home was opened.
    pub(crate) undoing: Mutex<BTreeMap<TaskId, crate::api::undoing::Undoing>>,
    /// Tells whether nobody has to be led through the first run any more.
    pub(crate) first_run_over: AtomicBool,
    /// Held by whoever says more in a task.
    pub(crate) going_on: tokio::sync::Mutex<()>,
    /// Tasks the person stopped since the home was opened.
    stopped: Mutex<BTreeSet<TaskId>>,
    /// Tells whether everything is paused without a record that says so: then the supervisor has to know.
    pub(crate) unrecorded: watch::Sender<bool>,
    /// Rises with every heartbeat.
    pub(crate) heartbeats: watch::Sender<u64>,
    /// How long it may give none.
    pub(crate) silent: std::time::Duration,
    /// Set once the home ends by itself, and why.
    pub(crate) ended: watch::Sender<Option<Ended>>,
    changes: watch::Sender<u64>,
    /// The index of words, once it is opened.
    pub(crate) index: std::sync::OnceLock<bailey_ledger::SearchIndex>,
    /// Held by whoever opens the index.
    pub(crate) opening_index: Mutex<()>,
    /// Told whenever the index was brought up to the log.
    pub(crate) indexed: tokio::sync::Notify,
    /// Where tasks run, and whatever else meets what others say: not among the threads that answer the person.
    work: tokio::runtime::Handle,
    _lock: File,
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl Home {
    /// Opens a home: takes its lock, checks its log against the mark, and settles what a crash left open.
    pub fn open(layout: &Layout, key: HomeKey, settings: &config::Settings) -> Result<Arc<Self>, HomeError> {
        let config = settings.parse().map_err(|error| HomeError::Setup(error.to_string()))?;
        let clock = Clock::new(config.home.time_zone.as_deref()).map_err(HomeError::Setup)?;
        Self::open_in_time(layout, key, settings, clock)
    }

    /// Returns the same, in the time of a clock of the caller's.
    pub fn open_in_time(
        layout: &Layout,
        key: HomeKey,
        settings: &config::Settings,
        clock: Clock,
    ) -> Result<Arc<Self>, HomeError> {
        let config = &settings.parse().map_err(|error| HomeError::Setup(error.to_string()))?;
        let lock = take_lock(layout)?;
        let presence = Presence::new(clock.clone());
        let names = Names::of(&key, &config.gateway)?;
        let Opened { ledger, found, record, recorded, token } =
            layout.open(key, &clock, settings.witness.as_deref())?;
        let ledger = Arc::new(ledger);
        let shipped = CedarPolicy::shipped().map_err(|error| HomeError::Setup(error.to_string()))?;
        let policy = Arc::new(InForce::new(shipped));
        // Whatever the record says: it could not be written, or marked, when everything was paused.
        let recorded = match recorded {
            Recorded::Open { epoch } | Recorded::Paused { epoch } if settings.paused => {
                Recorded::PausedBySupervisor { epoch }
            }
            other => other,
        };
        let transactions: Arc<dyn bailey_gate::ledger::Ledger> = Arc::new(Counted::new(Arc::clone(&ledger)));
        let suspicions = Arc::new(Mutex::new(Vec::new()));
        let store = Store {
            ledger: Arc::clone(&ledger),
            transactions,
            found,
            recorded,
            record: Arc::new(record),
            origins: names.origins().to_vec(),
            suspicions: Arc::clone(&suspicions),
        };
        let (daily, sets_zone, unfit) = daily::take_up(&ledger, settings)?;
        if sets_zone {
            clock.set_zone(daily.home.time_zone.as_deref()).map_err(HomeError::Setup)?;
        }
        let limits = Limits { hold_ms: daily.home.hold_seconds.saturating_mul(1_000), ..Limits::default() };
        let rules = Arc::clone(&policy) as Arc<dyn bailey_gate::policy::Policy>;
        let (gate, mut notices) = recovery::open_gate(store, rules, limits, Arc::new(presence.clone()), clock.now())?;
        // Behind what opening may have had to take back.
        notices.extend(rules::take_up(&ledger, &policy)?);
        notices.extend(unfit);
        let trust = Trust::new(settings.authorities.as_deref().map(str::as_bytes)).map_err(HomeError::Setup)?;
        let vault = Vault::new(Arc::clone(&ledger), gate.lock(), trust, Arc::new(clock.clone()));
        crate::files::take_up(&ledger).map_err(GateError::from)?;
        vault.bound_files(daily.home.files_gib.saturating_mul(crate::files::GIB));
        let room = Room::open(layout, settings, &config.computer, &ledger, Requests::new(gate.lock()));
        let room = room.map_err(GateError::from)?;
        vault.give_computer(Arc::clone(&room) as Arc<dyn bailey_vault::Computer>);
        let undoing = crate::api::undoing::take_up(&ledger, &gate, clock.now(), &mut notices)?;
        let under_way = crate::api::under_way::take_up(&ledger)?;
        let in_force = Effective::of(daily, &vault)?;
        let browsers = Browsers::load(&ledger, layout.browsers_note()?, clock.now(), &mut notices)?;
        let home = Arc::new(Self {
            room,
            services: Services::new(Arc::clone(&vault)),
            gate,
            vault,
            policy,
            changing_rules: Mutex::default(),
            suggested: AtomicU64::new(0),
            looked_again: std::sync::Mutex::default(),
            answered: tokio::sync::Notify::new(),
            in_force: RwLock::new(Arc::new(in_force)),
            changing_settings: Mutex::default(),
            config_text: settings.config.clone(),
            listening: Listening::new(),
            pending: Pending::default(),
            clock,
            presence,
            token,
            layout: layout.clone(),
            notices: Mutex::new(notices),
            browsers,
            certificates: Certificates::of(&config.gateway, names.at(Door::Tls)),
            is_public: config.gateway.is_public(),
            names,
            suspicions,
            notifications: crate::notifications::Notifications::default(),
            clockwork: crate::clockwork::Clockwork::default(),
            uploads: Mutex::default(),
            sign_ins: Mutex::default(),
            waiting_sign_ins: Mutex::default(),
            under_way: Mutex::new(under_way),
            undoing: Mutex::new(undoing),
            first_run_over: AtomicBool::new(false),
            ledger,
            going_on: tokio::sync::Mutex::default(),
            stopped: Mutex::default(),
            unrecorded: watch::Sender::new(settings.paused),
            heartbeats: watch::Sender::new(0),
            silent: config.home.silent(),
            ended: watch::Sender::new(None),
            changes: watch::Sender::new(0),
            index: std::sync::OnceLock::new(),
            opening_index: Mutex::default(),
            indexed: tokio::sync::Notify::new(),
            work: tokio::runtime::Handle::current(),
            _lock: lock,
        });
        home.room.belongs_to(&home);
        Ok(home)
    }

    /// Tells everyone who waits that something moved.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Begins work that meets what others say, beside the threads that answer the person.
    pub(crate) fn spawn_detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.work.spawn(work)
    }

    /// Returns the origins whose pages are the dashboard's, the one to use first (RFC 6454).
    pub(crate) fn origins(&self) -> &[String] {
        self.names.origins()
    }

    /// Ends the home, by itself.
    pub(crate) fn end(&self, why: Ended) {
        let _ = self.ended.send_replace(Some(why));
        self.changed();
    }

    /// Tells whether everything is paused without a record that says so. Whoever starts this home again must start it paused.
    pub fn unrecorded(&self) -> watch::Receiver<bool> {
        self.unrecorded.subscribe()
    }

    /// Rises with every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn stopped(&self) -> MutexGuard<'_, BTreeSet<TaskId>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what the person should know, until they have seen it.
    pub(crate) fn notices(&self) -> Vec<String> {
        let found = self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let suspicious = self.suspicions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        [found, suspicious].concat()
    }

    /// Returns what preparing an action of a task needs to know.
    pub(crate) fn context_of(&self, task: Option<&TaskId>) -> Result<HomeContext, HomeError> {
        let now = self.clock.now();
        let unique = bailey_keys::random().map_err(|error| HomeError::Setup(error.to_string()))?;
        let words = task.map(|task| self.ledger.task_words(task)).transpose().map_err(GateError::from)?;
        Ok(HomeContext {
            accounts: self.accounts_of(task)?,
            words: words.flatten().unwrap_or_default(),
            zone: self.clock.zone(),
            seconds: now.wall_ms.div_euclid(1_000),
            offset_minutes: self.clock.offset_minutes(now),
            unique,
        })
    }

    /// Returns the accounts that a task may use, each at the level it may: those of the schedule that began it, or all.
    pub(crate) fn accounts_of(&self, task: Option<&TaskId>) -> Result<Vec<Account>, HomeError> {
        let mut all = self.accounts()?;
        let Some(task) = task else { return Ok(all) };
        let mut kept = Vec::new();
        for account in all.drain(..) {
            match self.ledger.scope_of(task, &account.connection.0).map_err(GateError::from)? {
                Scope::Whole => kept.push(account),
                Scope::UpTo(level) => kept.push(Account { level: account.level.min(level), ..account }),
                // What the model is asked through is nothing that a task uses.
                Scope::Beside if account.settings.kind() == "model" => kept.push(account),
                Scope::Beside => {}
            }
        }
        Ok(kept)
    }

    /// Returns the accounts that stand, those that may do most first.
    pub(crate) fn accounts(&self) -> Result<Vec<Account>, HomeError> {
        let mut standing: Vec<_> = self.ledger.connections().map_err(GateError::from)?;
        standing.retain(|row| row.grant.active);
        standing.sort_by_key(|row| std::cmp::Reverse(row.grant.level));
        let account = |row: ConnectionRow| {
            let settings = self.vault.settings(&row.id).ok()?;
            let is_default = self.vault.default_account(settings.kind()) == Some(row.id);
            Some(Account { connection: (row.id, row.grant.generation), level: row.grant.level, settings, is_default })
        };
        Ok(standing.into_iter().filter_map(account).collect())
    }
}

fn take_lock(layout: &Layout) -> Result<File, HomeError> {
    layout.info()?;
    let path = layout.lock();
    let failed = |source| HomeError::Layout(LayoutError::File { path: path.clone(), source });
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    for _ in 0..LOCK_TRIES {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            // One whose supervisor was killed is being ended by the kernel.
            Err(rustix::io::Errno::WOULDBLOCK) => wait_for_lock(),
            Err(error) => return Err(failed(error.into())),
        }
    }
    Err(HomeError::Running(layout.root().into()))
}

#[expect(clippy::disallowed_methods, reason = "the kernel tells nobody when it has ended a process of another")]
fn wait_for_lock() {
    std::thread::sleep(LOCK_WAIT);
}

/// How often, and how long apart, the lock of a home is tried: five seconds in all.
const LOCK_TRIES: u32 = 100;
const LOCK_WAIT: std::time::Duration = std::time::Duration::from_millis(50);

/// Returns the model in the configuration. Whether it may be asked, and with which key, is looked up at each request.
pub(crate) fn provider(config: &ModelConfig, vault: &Arc<Vault>) -> Result<Arc<dyn Model>, HomeError> {
    vault
        .check_model_address(&config.base_url)
        .map_err(|error| HomeError::Setup(format!("the model in the configuration cannot be used: {error}")))?;
    let transport = Box::new(Provider { vault: Arc::clone(vault), base_url: config.base_url.clone() });
    let (name, traits) = (config.name.clone(), config.traits());
    Ok(match config.kind {
        ModelKind::OpenaiChat => Arc::new(OpenAiChat::with(transport, name, traits)),
        ModelKind::Anthropic => Arc::new(AnthropicMessages::with(transport, name, traits)),
    })
}

/// Returns a random identity for an action that no call stands behind.
pub(crate) fn fresh_action() -> Result<ActionId, HomeError> {
    bailey_keys::random().map(ActionId::from_bytes).map_err(|error| HomeError::Setup(error.to_string()))
}
