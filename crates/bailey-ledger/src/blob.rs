//! Content by hash: whatever is the same is kept once, and is gone, with its key, when nobody refers to it any more.

use bailey_gate::Digest;
use bailey_gate::ledger::StoreError;
use bailey_keys::store::KeyStore;
use rusqlite::Connection;

use crate::backend::Backend as _;
use crate::rows::damaged;
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
    /// Names the kind of owner.
    pub kind: &'static str,
    /// Its identity.
    pub owner: &'a [u8],
}

/// Returns what content is called by: its SHA-256.
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
        if self.db.blob(&digest)?.is_none() {
            let (key, sealed) = self.seal_new(FIELD, content)?;
            self.db.put_blob(&digest, content.len() as u64, key, &sealed)?;
        }
        self.db.refer_to_blob(of, &digest)?;
        Ok(Digest::from_bytes(digest))
    }

    /// Opens content.
    pub fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        read_blob(self.db, self.keys, digest)
    }

    /// Ends all that an owner refers to. What nobody else refers to is removed, and its key destroyed as soon as this is durable.
    pub fn release_blobs(&mut self, of: BlobOwner<'_>) -> Result<(), StoreError> {
        for key in self.db.release_blobs(of)? {
            self.retire(key)?;
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
    let Some(content) = open_current(keys, FIELD, || db.blob(digest.as_bytes()))? else { return Ok(None) };
    if digest_of(&content) == *digest.as_bytes() { Ok(Some(content)) } else { Err(damaged("file")) }
}
