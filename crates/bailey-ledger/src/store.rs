//! The store: one database, one writer, many commits in one flush.
//!
//! Callers take turns at the writer. Whoever finds another caller queueing behind it leaves the transaction open for
//! that one and waits; the last in the queue commits for all. Each job has a savepoint of its own, so a refused job
//! undoes only itself. Separate connections instead of one writer starve each other for seconds.

mod open;
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bailey_gate::ledger::{Job, Ledger as GateLedger, Look, StoreError, Turn};
use bailey_gate::{ActionId, HomeId, Now};
use bailey_keys::KeyError;
use bailey_keys::sign::SigningKey;
use bailey_keys::store::KeyStore;

use crate::checkpoint::hex;
use crate::claims::ClaimTimes;
use crate::gate_tx::LedgerView;
use crate::mark::{Mark, MarkStore};
use crate::read::Decision;
use crate::readers::{Reader, Readers};
use crate::rows::{SUSPECT, key_error};
use crate::sealed::read_content;
use crate::tree::Hash;
use crate::tx::{LedgerTx, Log};

pub use open::{OpenError, Opened, Paths, look};
use writer::{Line, Writer};

/// Milliseconds between two checkpoints that nothing but the time asks for.
const CHECKPOINT_EVERY_MS: u64 = 10_000;

/// The encrypted store of one home.
pub struct Ledger {
    writer: Mutex<Writer>,
    line: Line,
    /// Changes of what seldom changes, as far as they are committed ([`Log::surroundings`]).
    surroundings: AtomicU64,
    claims: Mutex<ClaimTimes>,
    keys: KeyStore,
    signing: SigningKey,
    mark: Box<dyn MarkStore>,
    readers: Readers,
    home: HomeId,
    /// Keys that are to be destroyed, and those that are: the database still lists them, which the next commit changes.
    retired: Mutex<Retired>,
    /// Decisions about actions that were looked at.
    decisions: Mutex<BTreeMap<ActionId, Decision>>,
    /// When time asked for a checkpoint last.
    timed: Mutex<Option<Now>>,
    /// While a rollback is dealt with, the mark stays as it was: a crash meanwhile must find it again.
    mark_held: AtomicBool,
    /// Tells whether this is provably what ran last, on this machine, since it was started.
    same_run: bool,
    /// Copies of what was damaged, as opening set them aside.
    set_aside: Vec<PathBuf>,
    /// Roots of whole blocks of entries, for proofs of consistency.
    blocks: Mutex<Vec<Hash>>,
    /// Told of what is appended.
    appended: Arc<Appended>,
}

/// Tells whoever waits how long the log has become.
#[derive(Debug, Default)]
pub struct Appended {
    now: Mutex<(u64, bool)>,
    moved: Condvar,
}

impl Appended {
    fn now(&self) -> MutexGuard<'_, (u64, bool)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, size: u64) {
        self.now().0 = size;
        self.moved.notify_all();
    }

    /// Waits until the log has more than `seen` entries; nothing once it is closed.
    #[must_use]
    pub fn beyond(&self, seen: u64) -> Option<u64> {
        let mut now = self.now();
        loop {
            match *now {
                (_, true) => return None,
                (size, false) if size > seen => return Some(size),
                _ => now = self.moved.wait(now).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Lets everybody go who waits: the log is to be closed.
    pub fn close(&self) {
        self.now().1 = true;
        self.moved.notify_all();
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.appended.close();
    }
}

#[derive(Default)]
struct Retired {
    waiting: Vec<u64>,
    destroyed: Vec<u64>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("home", &self.home).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Tells whose ledger it is.
    #[must_use]
    pub const fn home(&self) -> HomeId {
        self.home
    }

    /// Returns the key store.
    #[must_use]
    pub const fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// Returns a connection for reading; sees what is committed. What it finds is opened once it is given back.
    pub(crate) fn reader(&self) -> Reader<'_> {
        self.readers.lend()
    }

    /// Runs a job of the home's own in a transaction; returns when it is durable.
    pub fn write<T: Send>(
        &self,
        job: impl FnOnce(&mut LedgerTx<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        let mut result = None;
        let slot = &mut result;
        let job = move |tx: &mut LedgerTx<'_>| {
            *slot = Some(job(tx)?);
            Ok(())
        };
        self.run(Turn::InLine, Box::new(job))?;
        result.ok_or_else(|| StoreError::Broken("the job did not run".into()))
    }

    pub(crate) const fn blocks(&self) -> &Mutex<Vec<Hash>> {
        &self.blocks
    }

    /// Returns what tells of entries as they are committed.
    #[must_use]
    pub fn appended(&self) -> Arc<Appended> {
        Arc::clone(&self.appended)
    }

    pub(crate) fn decisions(&self) -> MutexGuard<'_, BTreeMap<ActionId, Decision>> {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retired(&self) -> MutexGuard<'_, Retired> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Destroys the keys of what a commit replaced or removed. Where that fails they wait for the next time, and for the next
    /// opening at the latest.
    fn destroy(&self, retired: Vec<u64>) {
        let mut waiting = std::mem::take(&mut self.retired().waiting);
        waiting.extend(retired);
        let done = self.keys.destroy(&waiting).is_ok();
        let mut kept = self.retired();
        if done { kept.destroyed.extend(waiting) } else { kept.waiting.extend(waiting) }
    }

    fn write_mark(&self, log: &Log) -> io::Result<()> {
        if self.mark_held.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.mark.write(&Mark {
            incarnation: log.incarnation.clone(),
            epoch: log.epoch,
            size: log.tree.size(),
            root: hex(&log.tree.root()),
        })
    }

    /// Tells whether this process can no longer use its databases, and has to open them anew: [`bailey_keys::has_failed`]
    /// of any of its connections. Costs nothing while no error gave reason to look.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        SUSPECT.swap(false, Ordering::SeqCst)
            && (bailey_keys::has_failed(&self.writer().db)
                || self.readers.any(bailey_keys::has_failed)
                || self.keys.has_failed())
    }

    /// Tells whether this is provably what ran last, on this machine, since it was started: no copy of the home's folder,
    /// made meanwhile.
    #[must_use]
    pub const fn is_same_run(&self) -> bool {
        self.same_run
    }

    /// Copies of what was damaged, as opening set them aside.
    #[must_use]
    pub fn set_aside(&self) -> &[PathBuf] {
        &self.set_aside
    }

    /// Returns the highest pause epoch the log knows.
    pub fn epoch(&self) -> u64 {
        self.writer().log.epoch
    }

    /// Signs a checkpoint of the log as it is, unless the last one covers it.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.log.wants_checkpoint |= tx.log.tree.size() > tx.log.checkpointed;
            Ok(())
        })
    }

    /// Returns the same, at most every ten seconds: what happens in between waits for the next time, or for an entry that
    /// wants one in its own commit.
    pub fn checkpoint_due(&self, now: Now) -> Result<(), StoreError> {
        let mut timed = self.timed.lock().unwrap_or_else(PoisonError::into_inner);
        let early = timed.is_some_and(|last| {
            last.boot_id == now.boot_id && now.boot_ms.saturating_sub(last.boot_ms) < CHECKPOINT_EVERY_MS
        });
        if early {
            return Ok(());
        }
        self.checkpoint()?;
        *timed = Some(now);
        Ok(())
    }
}

impl GateLedger for Ledger {
    fn transact(&self, turn: Turn, job: Job<'_>) -> Result<(), StoreError> {
        self.run(turn, Box::new(move |tx| job(tx)))
    }

    fn look(&self, look: Look<'_>) -> Result<(), StoreError> {
        // INVARIANT: read before anything else is: what is read behind it may be newer, and never older.
        let surroundings = self.surroundings.load(Ordering::SeqCst);
        let reader = self.reader();
        look(&mut LedgerView { db: &reader, keys: &self.keys, claims: &self.claims, surroundings, writes: false })
    }

    fn content(&self, id: &ActionId) -> Result<Vec<u8>, StoreError> {
        read_content(&self.reader(), &self.keys, id)
    }
}

/// Tells whether the folder of a home can be written; for `doctor`.
pub fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(".probe");
    let written = fs::write(&probe, b"").is_ok();
    let _ = fs::remove_file(&probe);
    written
}

/// Errors of the key store as store errors, for callers beside the gate.
#[must_use]
pub fn from_key_error(error: KeyError) -> StoreError {
    key_error(error)
}
