//! The seam to a database.
//!
//! What is above it (who writes when, the log and its tree, seals, marks, checkpoints) knows no database. A database gives the
//! store what [`Backend`] says, and the statements of [`crate::queries`], [`crate::rows`], [`crate::gate_tx`], [`crate::contacts`],
//! [`crate::read`] and [`crate::blob`] in its own dialect. SQLite is the one there is.

use bailey_gate::ledger::StoreError;
use rusqlite::{Connection, params};

use crate::rows::store_error;
use crate::tree::Hash;

/// What a database has to give: transactions of one writer with parts that can be undone alone, a log that is only added to,
/// sealed content by its hash, and the list of keys to destroy.
pub(crate) trait Backend {
    /// Begins a transaction, and locks out every other writer until it ends.
    fn begin(&self) -> Result<(), StoreError>;
    /// Whether a transaction is open; a database may end one by itself.
    fn is_begun(&self) -> bool;
    /// Begins a part of a transaction.
    fn begin_job(&self) -> Result<(), StoreError>;
    /// Undoes what was written since the part began.
    fn undo_job(&self) -> Result<(), StoreError>;
    /// Ends the part.
    fn end_job(&self) -> Result<(), StoreError>;
    /// Makes all of the transaction durable before it returns.
    fn commit(&self) -> Result<(), StoreError>;
    /// Undoes all of the transaction.
    fn roll_back(&self) -> Result<(), StoreError>;

    /// Adds an entry at the end of the log.
    fn append(&self, entry: &EntryRow<'_>) -> Result<(), StoreError>;
    /// Keeps a signed checkpoint; one of the same size stays as it is.
    fn put_checkpoint(&self, size: u64, note: &str, tree: &[u8]) -> Result<(), StoreError>;

    /// Lists a key to be destroyed once this is durable.
    fn retire(&self, key: u64) -> Result<(), StoreError>;
    /// Takes keys that are destroyed from that list.
    fn forget_retired(&self, keys: &[u64]) -> Result<(), StoreError>;
}

/// An entry of the log as it is stored.
pub(crate) struct EntryRow<'a> {
    pub(crate) seq: u64,
    pub(crate) header: &'a str,
    pub(crate) leaf: Hash,
    pub(crate) kind: &'static str,
    pub(crate) wall_ms: i64,
    pub(crate) task: Option<&'a [u8]>,
    pub(crate) action: Option<&'a [u8]>,
    pub(crate) key: Option<u64>,
    pub(crate) payload: Option<&'a [u8]>,
}

/// One of the few commands of every transaction; compiled once.
fn command(db: &Connection, sql: &'static str) -> Result<(), StoreError> {
    db.prepare_cached(sql).and_then(|mut command| command.execute([])).map(|_| ()).map_err(store_error)
}

impl Backend for Connection {
    fn begin(&self) -> Result<(), StoreError> {
        command(self, "BEGIN IMMEDIATE")
    }

    fn is_begun(&self) -> bool {
        !self.is_autocommit()
    }

    fn begin_job(&self) -> Result<(), StoreError> {
        command(self, "SAVEPOINT job")
    }

    fn undo_job(&self) -> Result<(), StoreError> {
        command(self, "ROLLBACK TO job")
    }

    fn end_job(&self) -> Result<(), StoreError> {
        command(self, "RELEASE job")
    }

    fn commit(&self) -> Result<(), StoreError> {
        command(self, "COMMIT")
    }

    fn roll_back(&self) -> Result<(), StoreError> {
        command(self, "ROLLBACK")
    }

    fn append(&self, entry: &EntryRow<'_>) -> Result<(), StoreError> {
        self.prepare_cached(
            "INSERT INTO event (seq, header, leaf, kind, wall_ms, task, action, key_id, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                entry.seq,
                entry.header,
                entry.leaf,
                entry.kind,
                entry.wall_ms,
                entry.task,
                entry.action,
                entry.key,
                entry.payload,
            ])
        })
        .map(|_| ())
        .map_err(store_error)
    }

    fn put_checkpoint(&self, size: u64, note: &str, tree: &[u8]) -> Result<(), StoreError> {
        let put = "INSERT OR IGNORE INTO checkpoint (size, note, tree) VALUES (?1, ?2, ?3)";
        self.execute(put, (size, note, tree)).map(|_| ()).map_err(store_error)
    }

    fn retire(&self, key: u64) -> Result<(), StoreError> {
        let retire = "INSERT INTO retired_key (id) VALUES (?1) ON CONFLICT DO NOTHING";
        self.prepare_cached(retire).and_then(|mut retire| retire.execute([key])).map(|_| ()).map_err(store_error)
    }

    fn forget_retired(&self, keys: &[u64]) -> Result<(), StoreError> {
        for key in keys {
            let mut forget = self.prepare_cached("DELETE FROM retired_key WHERE id = ?1").map_err(store_error)?;
            forget.execute([key]).map_err(store_error)?;
        }
        Ok(())
    }
}
