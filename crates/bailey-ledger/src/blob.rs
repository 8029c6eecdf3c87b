//! Content by hash: whatever is the same is kept once, and is gone, with its key, when nobody refers to it any more.

use bailey_gate::Digest;
use bailey_gate::ledger::StoreError;
use bailey_keys::store::KeyStore;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::rows::{damaged, store_error};
use crate::sealed::open_current;
use crate::store::Ledger;
use crate::tree::hash;
use crate::tx::LedgerTx;

/// Largest content, in bytes: it is sealed, and opened, in one piece.
pub const MAX_BLOB_BYTES: usize = 64 * 1024 * 1024;
/// What a sealed blob is.
const FIELD: &str = "blob";

/// Who refers to content: something of a kind.
#[derive(Debug, Clone, Copy)]
pub struct BlobOwner<'a> {
    /// What it is.
    pub kind: &'static str,
    /// Which.
    pub owner: &'a [u8],
}

/// What content is called by: its SHA-256.
fn digest_of(content: &[u8]) -> [u8; 32] {
    hash(&[content])
}

impl LedgerTx<'_> {
    /// Keeps content for an owner, and gives what it is called by. What is there already is kept once.
    pub fn put_blob(&mut self, of: BlobOwner<'_>, content: &[u8]) -> Result<Digest, StoreError> {
        if content.len() > MAX_BLOB_BYTES {
            let most = MAX_BLOB_BYTES / 1_024 / 1_024;
            return Err(StoreError::Broken(format!("a file has more than {most} MiB; split it, or make it smaller")));
        }
        let digest = digest_of(content);
        let known: bool = self
            .db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM blob WHERE digest = ?1)")
            .and_then(|mut query| query.query_row([digest], |row| row.get(0)))
            .map_err(store_error)?;
        if !known {
            let (key, sealed) = self.seal_new(FIELD, content)?;
            self.db
                .prepare_cached("INSERT INTO blob (digest, size, key_id, sealed) VALUES (?1, ?2, ?3, ?4)")
                .and_then(|mut put| put.execute(params![digest, content.len() as u64, key, sealed]))
                .map_err(store_error)?;
        }
        self.db
            .prepare_cached(
                "INSERT INTO blob_reference (kind, owner, digest) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )
            .and_then(|mut refer| refer.execute(params![of.kind, of.owner, digest]))
            .map_err(store_error)?;
        Ok(Digest::from_bytes(digest))
    }

    /// Opens content.
    pub fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        read_blob(self.db, self.keys, digest)
    }

    /// Ends all that an owner refers to. What nobody else refers to is removed, and its key destroyed as soon as this is durable.
    pub fn release_blobs(&mut self, of: BlobOwner<'_>) -> Result<(), StoreError> {
        let digests: Vec<[u8; 32]> = {
            let mut release = self
                .db
                .prepare_cached("DELETE FROM blob_reference WHERE kind = ?1 AND owner = ?2 RETURNING digest")
                .map_err(store_error)?;
            let released = release.query_map(params![of.kind, of.owner], |row| row.get(0)).map_err(store_error)?;
            released.collect::<Result<_, _>>().map_err(store_error)?
        };
        for digest in digests {
            let removed: Option<u64> = self
                .db
                .prepare_cached(
                    "DELETE FROM blob WHERE digest = ?1
                       AND NOT EXISTS (SELECT 1 FROM blob_reference WHERE digest = ?1) RETURNING key_id",
                )
                .and_then(|mut remove| remove.query_row([digest], |row| row.get(0)).optional())
                .map_err(store_error)?;
            if let Some(key) = removed {
                self.retire(key)?;
            }
        }
        Ok(())
    }
}

impl Ledger {
    /// Opens content; nothing where nobody refers to it.
    pub fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        read_blob(&self.reader(), self.keys(), digest)
    }
}

fn read_blob(db: &Connection, keys: &KeyStore, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
    let find = || {
        db.prepare_cached("SELECT key_id, sealed FROM blob WHERE digest = ?1")
            .and_then(|mut query| query.query_row([digest.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(store_error)
    };
    let Some(content) = open_current(keys, FIELD, find)? else { return Ok(None) };
    if digest_of(&content) == *digest.as_bytes() { Ok(Some(content)) } else { Err(damaged("file")) }
}
