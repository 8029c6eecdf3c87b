//! The seam to a database.
//!
//! What is above it (who writes when, the log and its tree, seals, marks, checkpoints) knows no database. A database gives the
//! store what [`Backend`] says, and the statements of [`crate::queries`], [`crate::rows`], [`crate::gate_tx`], [`crate::contacts`],
//! [`crate::read`] and [`crate::sealed`] in its own dialect. SQLite is the one there is.

use bailey_gate::ledger::StoreError;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::blob::BlobOwner;
use crate::pack::{pack, unpack};
use crate::rows::store_error;
use crate::sealed::SealedPayload;
use crate::tree::Hash;

/// What a database has to give: transactions of one writer with parts that can be undone alone, a log that is only added to,
/// sealed content by its hash, and the list of keys to destroy.
pub(crate) trait Backend {
    /// Begins a transaction, and locks out every other writer until it ends.
    fn begin(&self) -> Result<(), StoreError>;
    /// Tells whether a transaction is open; a database may end one by itself.
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

    /// Finds sealed content.
    fn blob(&self, digest: &Hash) -> Result<Option<SealedPayload>, StoreError>;
    /// Keeps sealed content of so many bytes.
    fn put_blob(&self, digest: &Hash, size: u64, key: u64, sealed: &[u8]) -> Result<(), StoreError>;
    /// Notes who refers to content, once.
    fn refer_to_blob(&self, of: BlobOwner<'_>, digest: &Hash) -> Result<(), StoreError>;
    /// Ends all that an owner refers to, and removes what nobody else does; gives the keys of that.
    fn release_blobs(&self, of: BlobOwner<'_>) -> Result<Vec<u64>, StoreError>;

    /// Lists a key to be destroyed once this is durable.
    fn retire(&self, key: u64) -> Result<(), StoreError>;
    /// Takes keys that are destroyed from that list.
    fn forget_retired(&self, keys: &[u64]) -> Result<(), StoreError>;
}

/// An entry of the log as it is stored.
pub(crate) struct EntryRow<'a> {
    pub(crate) seq: u64,
    /// The line that is the leaf of the tree.
    pub(crate) header: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) action: Option<&'a [u8]>,
    pub(crate) key: Option<u64>,
    pub(crate) payload: Option<&'a [u8]>,
}

/// A header as it is read: a text, or one that is packed.
pub(crate) struct Header(pub(crate) String);

impl FromSql for Header {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(packed) => unpack(packed).map(Self).ok_or(FromSqlError::InvalidType),
            text => Ok(Self(text.as_str()?.to_owned())),
        }
    }
}

/// Returns one of the few commands of every transaction; compiled once.
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
        let packed = pack(entry.header);
        let header = packed.as_deref().map_or(ValueRef::Text(entry.header.as_bytes()), ValueRef::Blob);
        self.prepare_cached(
            "INSERT INTO event (seq, header, kind, action, key_id, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                entry.seq,
                ToSqlOutput::Borrowed(header),
                entry.kind,
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

    fn blob(&self, digest: &Hash) -> Result<Option<SealedPayload>, StoreError> {
        self.prepare_cached("SELECT key_id, sealed FROM blob WHERE digest = ?1")
            .and_then(|mut query| query.query_row([digest], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(store_error)
    }

    fn put_blob(&self, digest: &Hash, size: u64, key: u64, sealed: &[u8]) -> Result<(), StoreError> {
        self.prepare_cached("INSERT INTO blob (digest, size, key_id, sealed) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut put| put.execute(params![digest, size, key, sealed]))
            .map(|_| ())
            .map_err(store_error)
    }

    fn refer_to_blob(&self, of: BlobOwner<'_>, digest: &Hash) -> Result<(), StoreError> {
        let refer = "INSERT INTO blob_reference (kind, owner, digest) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.prepare_cached(refer)
            .and_then(|mut refer| refer.execute(params![of.kind, of.owner, digest]))
            .map(|_| ())
            .map_err(store_error)
    }

    fn release_blobs(&self, of: BlobOwner<'_>) -> Result<Vec<u64>, StoreError> {
        let digests: Vec<Hash> = {
            let mut release = self
                .prepare_cached("DELETE FROM blob_reference WHERE kind = ?1 AND owner = ?2 RETURNING digest")
                .map_err(store_error)?;
            let released = release.query_map(params![of.kind, of.owner], |row| row.get(0)).map_err(store_error)?;
            released.collect::<Result<_, _>>().map_err(store_error)?
        };
        let mut keys = Vec::new();
        for digest in digests {
            let removed: Option<u64> = self
                .prepare_cached(
                    "DELETE FROM blob WHERE digest = ?1
                       AND NOT EXISTS (SELECT 1 FROM blob_reference WHERE digest = ?1) RETURNING key_id",
                )
                .and_then(|mut remove| remove.query_row([digest], |row| row.get(0)).optional())
                .map_err(store_error)?;
            keys.extend(removed);
        }
        Ok(keys)
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
