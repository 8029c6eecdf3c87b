//! One home, composed: the gate over its store, the services behind it, and the agent in front of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailey_connectors::{CalendarAccount, MailAccount, Services, Surroundings};
use bailey_gate::approval::Authority;
use bailey_gate::event::{Actor, Event, EventKind};
use bailey_gate::family::Level;
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::handoff::{Mode, Valve};
use bailey_gate::{ActionId, Gate, GateError, Limits, Parts, TaskId};
use bailey_keys::HomeKey;
use bailey_ledger::{Ledger, Recorded};
use bailey_model::{AnthropicMessages, Model, OpenAiChat};
use bailey_policy::CedarPolicy;
use bailey_vault::{Settings, Trust, Vault};
use rustix::fs::FlockOperation;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{self, ModelConfig, ModelKind};
use crate::layout::{Layout, LayoutError, Opened};
use crate::transport::Provider;
use crate::wire::SignIn;

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
    pub(crate) policy: Arc<CedarPolicy>,
    /// The model, and what the configuration says of it.
    pub(crate) model: Option<(Arc<dyn Model>, ModelConfig)>,
    pub(crate) clock: Clock,
    pub(crate) token: String,
    pub(crate) layout: Layout,
    /// What opening found that the person should know.
    pub(crate) notices: Mutex<Vec<String>>,
    /// Sign-ins under way or just ended, by their random name.
    pub(crate) sign_ins: Mutex<BTreeMap<String, SignIn>>,
    /// Tasks the person stopped since the home was opened.
    stopped: Mutex<BTreeSet<TaskId>>,
    /// Set once the person had the home deleted.
    pub(crate) deleted: watch::Sender<bool>,
    changes: watch::Sender<u64>,
    _lock: File,
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// The person's credentials, as the store has them.
struct Credentials(Arc<Ledger>);

impl Authority for Credentials {
    fn verify(&self, credential: &[u8; 16], message: &[u8], signature: &[u8]) -> Option<bool> {
        let known = self.0.credentials().ok()?;
        let one = known.iter().find(|known| known.id == *credential)?;
        // The passphrase was typed for this very answer, which is what step-up means on a terminal.
        bailey_keys::sign::verify(&one.public, message, signature).then_some(true)
    }
}

impl Home {
    /// Opens a home: takes its lock, checks its log against the mark, and settles what a crash left open.
    pub fn open(layout: &Layout, key: HomeKey, settings: &config::Settings) -> Result<Arc<Self>, HomeError> {
        let config = &settings.parse().map_err(|error| HomeError::Setup(error.to_string()))?;
        let lock = take_lock(layout)?;
        let clock = Clock::new(config.home.time_zone.as_deref()).map_err(HomeError::Setup)?;
        let Opened { ledger, found, record, recorded, token } = layout.open(key, &clock)?;
        let ledger = Arc::new(ledger);
        let policy = Arc::new(CedarPolicy::shipped().map_err(|error| HomeError::Setup(error.to_string()))?);
        let says_paused = ledger.log_says_paused().map_err(GateError::from)?;
        let (valve, mut notices) = starting_valve(recorded, says_paused, &found, ledger.epoch());
        let gate = Arc::new(Gate::new(Parts {
            home: ledger.home(),
            ledger: Arc::clone(&ledger) as Arc<dyn bailey_gate::ledger::Ledger>,
            policy: Arc::clone(&policy) as Arc<dyn bailey_gate::policy::Policy>,
            authority: Arc::new(Credentials(Arc::clone(&ledger))),
            record: Arc::new(record),
            valve,
            limits: Limits { hold_ms: config.home.hold_seconds.saturating_mul(1_000), ..Limits::default() },
        }));
        recover(&gate, &ledger, &found, valve, &clock, &mut notices)?;
        let trust = Trust::new(settings.authorities.as_deref().map(str::as_bytes)).map_err(HomeError::Setup)?;
        let vault = Vault::new(Arc::clone(&ledger), gate.lock(), trust);
        let model = config.model.as_ref().map(|config| provider(config, &vault)).transpose()?.zip(config.model.clone());
        Ok(Arc::new(Self {
            services: Services::new(Arc::clone(&vault)),
            gate,
            ledger,
            vault,
            policy,
            model,
            clock,
            token,
            layout: layout.clone(),
            notices: Mutex::new(notices),
            sign_ins: Mutex::default(),
            stopped: Mutex::default(),
            deleted: watch::Sender::new(false),
            changes: watch::Sender::new(0),
            _lock: lock,
        }))
    }

    /// Tells everyone who waits that something moved.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Rises with every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn stopped(&self) -> MutexGuard<'_, BTreeSet<TaskId>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the person should know, until they have seen it.
    pub(crate) fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What preparing an action needs to know.
    pub(crate) fn surroundings(&self) -> Result<Surroundings, HomeError> {
        let now = self.clock.now();
        let unique = bailey_keys::random().map_err(|error| HomeError::Setup(error.to_string()))?;
        Ok(Surroundings {
            mail: self.mail_account()?,
            calendar: self.calendar_account()?,
            zone: self.clock.zone(),
            seconds: now.wall_ms.div_euclid(1_000),
            offset_minutes: self.clock.offset_minutes(now),
            unique,
        })
    }

    /// The first calendar that stands, preferring one that may be written.
    fn calendar_account(&self) -> Result<Option<CalendarAccount>, HomeError> {
        let mut standing: Vec<_> = self.ledger.connections().map_err(GateError::from)?;
        standing.retain(|row| row.grant.active && row.kind == "calendar");
        standing.sort_by_key(|row| std::cmp::Reverse(row.grant.level));
        let Some(row) = standing.first() else { return Ok(None) };
        let Ok(Settings::Calendar(settings)) = self.vault.settings(&row.id) else { return Ok(None) };
        Ok(Some(CalendarAccount { connection: (row.id, row.grant.generation), path: settings.path }))
    }

    /// The first mail connection that stands, preferring one that may send.
    fn mail_account(&self) -> Result<Option<MailAccount>, HomeError> {
        let mut standing: Vec<_> = self
            .ledger
            .connections()
            .map_err(GateError::from)?
            .into_iter()
            .filter(|row| row.grant.active && row.kind == "mail")
            .collect();
        standing.sort_by_key(|row| row.grant.level < Level::Send);
        let Some(row) = standing.first() else { return Ok(None) };
        let Ok(settings) = self.vault.mail_settings(&row.id) else { return Ok(None) };
        let Ok(address) = Address::new(&settings.address) else { return Ok(None) };
        let name = settings.name.and_then(|name| Line::new(name).ok());
        let folders = self.vault.folders(&row.id).unwrap_or_default();
        Ok(Some(MailAccount { connection: (row.id, row.grant.generation), author: Mailbox { name, address }, folders }))
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

/// Where the valve starts: as recorded; paused if that cannot be read, or if the database is an older copy.
fn starting_valve(
    recorded: Recorded,
    says_paused: bool,
    found: &bailey_ledger::Opened,
    log_epoch: u64,
) -> (Valve, Vec<String>) {
    let mut notices = Vec::new();
    let (mode, epoch) = match recorded {
        Recorded::Open { epoch } if says_paused => {
            notices.push("The log says that everything is paused, the record beside it does not; it stays paused. Look at the log, then run `bailey resume`.".into());
            (Mode::Paused, epoch + 1)
        }
        Recorded::Open { epoch } => (Mode::Open, epoch),
        Recorded::Paused { epoch } => (Mode::Paused, epoch),
        Recorded::Unreadable => {
            notices.push("The record of the last pause could not be read, so everything is paused. Look at the log, then run `bailey resume`.".into());
            (Mode::Paused, log_epoch + 1)
        }
    };
    let (mode, epoch) = match found {
        bailey_ledger::Opened::New | bailey_ledger::Opened::Continued => (mode, epoch.max(log_epoch)),
        bailey_ledger::Opened::RolledBack { epoch: marked } => {
            notices.push("The database is older than the mark beside it: someone put a copy back, or the mark was lost. Everything is paused and nothing approved before is believed. Look at the log and at your connections, then run `bailey resume`.".into());
            (Mode::Paused, epoch.max(log_epoch).max(*marked) + 1)
        }
    };
    (Valve { mode, epoch, lease_epoch: 0 }, notices)
}

/// What has to be settled before anything new: claims without an outcome, approvals of an older history.
fn recover(
    gate: &Gate,
    ledger: &Ledger,
    found: &bailey_ledger::Opened,
    valve: Valve,
    clock: &Clock,
    notices: &mut Vec<String>,
) -> Result<(), HomeError> {
    let now = clock.now();
    let kind = match found {
        bailey_ledger::Opened::RolledBack { .. } => EventKind::Forked,
        bailey_ledger::Opened::New | bailey_ledger::Opened::Continued => EventKind::Opened,
    };
    ledger
        .write(|tx| tx.append(&Event::of_home(kind, Actor::Home, now, valve), None).map(|_| ()))
        .map_err(GateError::from)?;
    let swept = gate.restart(now)?;
    if !swept.unknown.is_empty() {
        notices.push(format!(
            "{} action(s) were under way when Bailey stopped; it is not known whether they happened. See `bailey log`.",
            swept.unknown.len()
        ));
    }
    if kind == EventKind::Forked {
        let report = gate.pause(Actor::Home, now, || ());
        report.recorded.map_err(HomeError::Setup)?;
        gate.void_all(now)?;
        disown(ledger, now, valve)?;
        ledger.adopt().map_err(LayoutError::from)?;
        notices.push("Every connection was ended and every open task was stopped, because the copy may know of some that you ended since. Connect your accounts again.".into());
    }
    gate.expire(now)?;
    Ok(())
}

/// What an older copy says is connected or under way is not believed: a grant it has may have been revoked since, and a
/// task it has may have sent its mail.
fn disown(ledger: &Ledger, now: bailey_gate::Now, valve: Valve) -> Result<(), HomeError> {
    let rows = ledger.connections().map_err(GateError::from)?;
    let keys = ledger.write(|tx| {
        let mut keys = Vec::new();
        for row in rows.into_iter().filter(|row| row.grant.active) {
            keys.extend(Vault::forget(tx, &row, now, valve, Actor::Home)?);
        }
        Ok(keys)
    });
    ledger.keys().destroy(&keys.map_err(GateError::from)?).map_err(|error| HomeError::Setup(error.to_string()))?;
    crate::tasks::stop_all(ledger, now)?;
    Ok(())
}

/// The model in the configuration. Whether it may be asked, and with which key, is looked up at each request.
fn provider(config: &ModelConfig, vault: &Arc<Vault>) -> Result<Arc<dyn Model>, HomeError> {
    vault
        .check_model_address(&config.base_url)
        .map_err(|error| HomeError::Setup(format!("the model in the configuration cannot be used: {error}")))?;
    let transport = Box::new(Provider { vault: Arc::clone(vault), base_url: config.base_url.clone() });
    Ok(match config.kind {
        ModelKind::OpenaiChat => Arc::new(OpenAiChat::new(transport, config.name.clone())),
        ModelKind::Anthropic => Arc::new(AnthropicMessages::new(transport, config.name.clone())),
    })
}

/// A random identity for an action that no call stands behind.
pub(crate) fn fresh_action() -> Result<ActionId, HomeError> {
    bailey_keys::random().map(ActionId::from_bytes).map_err(|error| HomeError::Setup(error.to_string()))
}
