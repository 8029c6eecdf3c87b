//! The writer: who gets it when, and what a commit is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bailey_gate::ledger::{StoreError, Turn};
use bailey_keys::sign::SigningKey;

use rusqlite::Connection;

use super::Ledger;
use crate::backend::Backend;
use crate::checkpoint::{self, EVERY_ENTRIES};
use crate::claims::ClaimTimes;
use crate::tx::{LedgerTx, Log};

/// Jobs in one commit at most, so that the first of them does not wait for ever while others keep coming.
const MAX_BATCH: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Batch {
    result: Mutex<Option<Result<(), CommitFailed>>>,
    done: Condvar,
}

/// A commit's failure, told to every caller in the batch.
#[derive(Debug, Clone)]
enum CommitFailed {
    Full,
    Broken(String),
}

impl From<CommitFailed> for StoreError {
    fn from(failed: CommitFailed) -> Self {
        match failed {
            CommitFailed::Full => Self::Full,
            CommitFailed::Broken(why) => Self::Broken(why),
        }
    }
}

impl From<StoreError> for CommitFailed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Broken(why) => Self::Broken(why),
            StoreError::Codec(error) => Self::Broken(error.to_string()),
        }
    }
}

impl Batch {
    fn finish(&self, result: Result<(), CommitFailed>) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        self.done.notify_all();
    }

    fn wait(&self) -> Result<(), StoreError> {
        let mut result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match &*result {
                Some(result) => return result.clone().map_err(StoreError::from),
                None => result = self.done.wait(result).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// A unit of work for the writer.
pub(super) type LedgerJob<'a> = Box<dyn FnOnce(&mut LedgerTx<'_>) -> Result<(), StoreError> + Send + 'a>;

pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) log: Log,
    /// The log as it was when the open transaction began; `None` when there is none.
    began: Option<Log>,
    jobs: usize,
    batch: Arc<Batch>,
}

/// Who waits for the writer.
#[derive(Default)]
pub(super) struct Line {
    /// All of them.
    queueing: AtomicUsize,
    /// Those who go first.
    first: Mutex<usize>,
    moved: Condvar,
}

impl Line {
    fn first(&self) -> MutexGuard<'_, usize> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether anybody waits for the writer.
    pub(super) fn is_wanted(&self) -> bool {
        self.queueing.load(Ordering::SeqCst) > 0
    }

    /// Takes the writer when it is this one's turn.
    fn take<'a>(&self, turn: Turn, writer: impl Fn() -> MutexGuard<'a, Writer>) -> MutexGuard<'a, Writer> {
        self.queueing.fetch_add(1, Ordering::SeqCst);
        let taken = match turn {
            Turn::First => {
                *self.first() += 1;
                let taken = writer();
                *self.first() -= 1;
                self.moved.notify_all();
                taken
            }
            Turn::InLine => loop {
                let taken = writer();
                if *self.first() == 0 {
                    break taken;
                }
                drop(taken);
                let mut first = self.first();
                while *first > 0 {
                    first = self.moved.wait(first).unwrap_or_else(PoisonError::into_inner);
                }
            },
        };
        self.queueing.fetch_sub(1, Ordering::SeqCst);
        taken
    }
}

impl Writer {
    pub(super) fn new(db: Connection, log: Log) -> Self {
        Self { db, log, began: None, jobs: 0, batch: Arc::default() }
    }

    /// Tells whether no transaction is open: what is read now is committed.
    pub(super) const fn is_idle(&self) -> bool {
        self.began.is_none()
    }
}

impl Ledger {
    fn claims(&self) -> MutexGuard<'_, ClaimTimes> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn run(&self, turn: Turn, job: LedgerJob<'_>) -> Result<(), StoreError> {
        let mut writer = self.line.take(turn, || self.writer());
        let destroyed = std::mem::take(&mut self.retired().destroyed);
        let outcome = writer.run(self, &destroyed, job);
        let batch = Arc::clone(&writer.batch);
        // INVARIANT: an open transaction is left behind only if another caller is certain to come and commit it.
        if turn == Turn::First || !self.line.is_wanted() || writer.jobs >= MAX_BATCH {
            let committed = self.commit(&mut writer);
            let retired = std::mem::take(&mut writer.log.retired);
            drop(writer);
            batch.finish(committed);
            self.destroy(retired);
            // Where that fails, whoever finds no key left tries again, and says so.
            let _ = self.keys.fill_up();
        } else {
            drop(writer);
            outcome.as_ref().map_err(StoreError::clone)?;
        }
        let durable = batch.wait();
        outcome.and(durable)
    }

    fn commit(&self, writer: &mut Writer) -> Result<(), CommitFailed> {
        let result = unpanicking(|| self.try_commit(writer)).map_err(CommitFailed::from);
        if result.is_err()
            && let Some(before) = writer.began.take()
        {
            // A failed commit may leave the transaction open; what it held is void either way.
            let _ = writer.db.roll_back();
            writer.log = before;
            self.claims().undo_all();
        }
        writer.began = None;
        writer.jobs = 0;
        writer.batch = Arc::default();
        result
    }

    fn try_commit(&self, writer: &mut Writer) -> Result<(), StoreError> {
        if writer.began.is_none() {
            return Ok(());
        }
        if !writer.db.is_begun() {
            return Err(StoreError::Broken("the transaction ended by itself".into()));
        }
        let due = writer.log.tree.size() - writer.log.checkpointed >= EVERY_ENTRIES;
        let signed = due || writer.log.wants_checkpoint;
        if signed {
            checkpoint_in(&writer.db, &mut writer.log, &self.signing)?;
        }
        writer.db.commit()?;
        self.appended.tell(writer.log.tree.size());
        self.claims().keep();
        self.surroundings.store(writer.log.surroundings, Ordering::SeqCst);
        let moved = std::mem::take(&mut writer.log.moves_mark) || signed;
        writer.log.wants_checkpoint = false;
        if moved {
            // What is committed is committed: a mark that cannot be written narrows what a rollback check can see, and
            // the next commit tries again.
            writer.log.moves_mark = self.write_mark(&writer.log).is_err();
        }
        Ok(())
    }
}

/// Runs a step; a panic in it is an error like any other. What it changed is undone by whoever called, as after any error,
/// so nothing half done is seen afterwards.
fn unpanicking<T>(step: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
        Err(StoreError::Broken(
            "a step ended in a defect of this program, and nothing of it was kept; what the program wrote on its error \
             output says where: report it"
                .into(),
        ))
    })
}

impl Writer {
    fn run(&mut self, ledger: &Ledger, destroyed: &[u64], job: LedgerJob<'_>) -> Result<(), StoreError> {
        if self.began.is_some() && !self.db.is_begun() {
            // SQLite ends the whole transaction by itself on some errors; a savepoint now would be a commit of its own.
            return Err(StoreError::Broken("an earlier step of the same commit failed".into()));
        }
        if self.began.is_none() {
            self.db.begin()?;
            self.began = Some(self.log.clone());
        }
        self.db.forget_retired(destroyed)?;
        self.jobs += 1;
        self.db.begin_job()?;
        let before = self.log.clone();
        let result = unpanicking(|| job(&mut LedgerTx::new(&self.db, &ledger.keys, &ledger.claims, &mut self.log)));
        let mut undone = Ok(());
        if result.is_err() {
            undone = self.db.undo_job();
            self.log = before;
            ledger.claims().undo();
        }
        let ended = self.db.end_job();
        result.and(undone).and(ended)
    }
}

/// Signs the log as it is.
pub(super) fn checkpoint_in(db: &impl Backend, log: &mut Log, signing: &SigningKey) -> Result<(), StoreError> {
    let note = checkpoint::sign(&log.id, &log.tree, signing);
    db.put_checkpoint(log.tree.size(), &note, &log.tree.to_bytes())?;
    log.checkpointed = log.tree.size();
    log.wants_checkpoint = false;
    Ok(())
}
