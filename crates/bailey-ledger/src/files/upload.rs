//! Content on its way into the store, a piece at a time: however large it is, one piece of it is in memory.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bailey_gate::Digest;
use bailey_gate::family::files::Seen;
use bailey_gate::ledger::StoreError;
use rusqlite::params;

use crate::blob::BlobOwner;
use crate::rows::{key_error, store_error};
use crate::store::Ledger;
use crate::tree::hash;
use crate::tx::LedgerTx;

/// Bytes of one piece: enough that sealing and keeping it costs little beside it, and few enough to be kept in memory by several at once.
pub const MAX_PIECE_BYTES: usize = 4 * 1024 * 1024;
/// What uploads are, among owners of content.
const UPLOAD: &str = "upload";

/// Content that comes in pieces.
pub struct Upload {
    ledger: Arc<Ledger>,
    id: [u8; 16],
    hash: Context,
    size: u64,
    pieces: Vec<(Digest, u64)>,
    rest: Vec<u8>,
}

/// Content that lies in the store, and that no version refers to yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The SHA-256 of all of it.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    pub(super) pieces: Vec<(Digest, u64)>,
    /// The upload that refers to it.
    upload: Option<[u8; 16]>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Upload {
    /// Begins.
    pub fn begin(ledger: &Arc<Ledger>) -> Result<Self, StoreError> {
        let id = bailey_keys::random().map_err(key_error)?;
        let (hash, pieces, rest) = (Context::new(&SHA256), Vec::new(), Vec::new());
        Ok(Self { ledger: Arc::clone(ledger), id, hash, size: 0, pieces, rest })
    }

    /// Returns how many bytes came so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Takes what comes next. Blocks while a piece is written.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = MAX_PIECE_BYTES - self.rest.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() == MAX_PIECE_BYTES {
                self.keep_piece()?;
            }
        }
        Ok(())
    }

    fn keep_piece(&mut self) -> Result<(), StoreError> {
        let (piece, owner) = (&self.rest, self.id);
        let digest = self.ledger.write(|tx| tx.put_blob(BlobOwner { kind: UPLOAD, owner: &owner }, piece))?;
        self.pieces.push((digest, self.rest.len() as u64));
        self.rest.clear();
        Ok(())
    }

    /// Ends: all of it lies in the store.
    pub fn finish(mut self) -> Result<Stored, StoreError> {
        if !self.rest.is_empty() {
            self.keep_piece()?;
        }
        let digest: [u8; 32] = self
            .hash
            .finish()
            .as_ref()
            .try_into()
            .map_err(|_| StoreError::Broken("a hash has another length".into()))?;
        let (size, pieces, upload) = (self.size, self.pieces, Some(self.id));
        Ok(Stored { digest: Digest::from_bytes(digest), size, pieces, upload })
    }

    /// Gives it up: what came is gone.
    pub fn discard(self) -> Result<(), StoreError> {
        self.ledger.drop_upload(&self.id)
    }
}

impl Stored {
    /// Returns content that a version refers to already.
    pub(super) fn kept(seen: &Seen, pieces: Vec<(Digest, u64)>) -> Self {
        Self { digest: seen.digest, size: seen.size, pieces, upload: None }
    }

    /// Gives it up where no version took it over.
    pub fn discard(&self, ledger: &Ledger) -> Result<(), StoreError> {
        self.upload.map_or(Ok(()), |id| ledger.drop_upload(&id))
    }

    /// Ends what the upload refers to: a version does now.
    pub(super) fn release(&self, tx: &mut LedgerTx<'_>) -> Result<(), StoreError> {
        self.upload.map_or(Ok(()), |id| tx.release_blobs(BlobOwner { kind: UPLOAD, owner: &id }))
    }
}

impl LedgerTx<'_> {
    /// Puts content that is in memory into the store, within a transaction that makes a version of it.
    pub fn put_content(&mut self, content: &[u8]) -> Result<Stored, StoreError> {
        let id: [u8; 16] = bailey_keys::random().map_err(key_error)?;
        let mut pieces = Vec::new();
        for piece in content.chunks(MAX_PIECE_BYTES) {
            let digest = self.put_blob(BlobOwner { kind: UPLOAD, owner: &id }, piece)?;
            pieces.push((digest, piece.len() as u64));
        }
        let (digest, size) = (Digest::from_bytes(hash(&[content])), content.len() as u64);
        Ok(Stored { digest, size, pieces, upload: Some(id) })
    }
}

impl Ledger {
    fn drop_upload(&self, id: &[u8; 16]) -> Result<(), StoreError> {
        self.write(|tx| tx.release_blobs(BlobOwner { kind: UPLOAD, owner: id }))
    }

    /// Drops what uploads left behind that ended in the middle. None may be under way: it is for when a home is opened.
    pub fn drop_uploads(&self) -> Result<(), StoreError> {
        let left: Vec<[u8; 16]> = {
            let reader = self.reader();
            let mut query = reader
                .prepare_cached("SELECT DISTINCT owner FROM blob_reference WHERE kind = ?1")
                .map_err(store_error)?;
            let owners = query.query_map(params![UPLOAD], |row| row.get(0)).map_err(store_error)?;
            owners.collect::<Result<_, _>>().map_err(store_error)?
        };
        left.iter().try_for_each(|id| self.drop_upload(id))
    }
}
