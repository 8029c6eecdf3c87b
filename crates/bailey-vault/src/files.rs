//! The home's files, as a service may use them: looks at what lies there, and one change for one claim.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bailey_gate::family::files::{Content, FileAction, FileId, FilePath, Folder, Seen};
use bailey_gate::handoff::{EffectToken, Wrote};
use bailey_gate::ledger::StoreError;
use bailey_gate::{ActionId, Claimed, Effect, Outcome};
use bailey_ledger::{FileError, FileRefusal, FileRow, Ledger, Listing, MadeBy, Target};

use crate::Vault;

/// Most bytes that all versions of all files have where nobody says otherwise: 20 GiB.
pub const DEFAULT_FILE_BYTES: u64 = 20 << 30;

/// The bound on the bytes of all versions.
#[derive(Debug)]
pub(crate) struct Bound(AtomicU64);

impl Default for Bound {
    fn default() -> Self {
        Self(AtomicU64::new(DEFAULT_FILE_BYTES))
    }
}

/// Looks into the files of the home. It changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a>(&'a Ledger);

impl Files<'_> {
    /// Returns the file that lies at a path, whatever the case of its letters.
    pub fn at(&self, path: &FilePath) -> Result<Option<FileRow>, StoreError> {
        self.0.file_at(path)
    }

    /// Returns a file, where it lies or in the trash.
    pub fn one(&self, file: &FileId) -> Result<Option<FileRow>, StoreError> {
        self.0.file(file)
    }

    /// Lists a folder; nothing where there is none.
    pub fn folder(&self, folder: &Folder) -> Result<Option<Listing>, StoreError> {
        self.0.folder(folder, "")
    }

    /// Lists files of every folder, in the order of their paths, those behind the path `after`.
    pub fn after(&self, after: &str) -> Result<Vec<FileRow>, StoreError> {
        self.0.files_after(after)
    }

    /// Returns the content of a version, where it has at most so many bytes.
    pub fn content(&self, seen: &Seen, most: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.file_content(seen, most)
    }

    /// Tells whether an action changed a file.
    pub fn has_done(&self, action: &ActionId) -> Result<bool, StoreError> {
        Ok(self.0.file_done(action)?.is_some())
    }
}

impl Vault {
    /// Returns what looks into the home's files.
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        Files(&self.ledger)
    }

    /// Returns most bytes that all versions of all files have.
    #[must_use]
    pub fn most_file_bytes(&self) -> u64 {
        self.file_bound.0.load(Ordering::SeqCst)
    }

    /// Bounds the bytes of all versions of all files.
    pub fn bound_files(&self, most: u64) {
        self.file_bound.0.store(most, Ordering::SeqCst);
    }

    /// Carries out a claim that changes a file: exactly what it says, while the file is as it says, in one transaction.
    pub async fn change_file(&self, claimed: &Claimed<FileAction>) -> Outcome {
        let (ledger, token) = (Arc::clone(&self.ledger), claimed.effect_token());
        let (action, id) = (claimed.action().clone(), claimed.id());
        let limits = (self.clock.moment().wall_ms, self.most_file_bytes());
        let change = move || ledger.change_files(|tx| carry_out(tx, &action, id, &token, limits));
        match tokio::task::spawn_blocking(change).await {
            Ok(Ok(seen)) => {
                let left = [seen.file.as_slice(), &seen.version.to_be_bytes()].concat();
                Outcome { left, ..Outcome::new(Effect::Done, format!("version {}", seen.version)) }
            }
            // Where it was handed off already, this is taken for not known, and looked up.
            Ok(Err(why)) => Outcome::new(Effect::NotExecuted, why.to_string()),
            Err(_) => Outcome::new(Effect::Unknown, "the change of the file broke off"),
        }
    }
}

fn carry_out(
    tx: &mut bailey_ledger::LedgerTx<'_>,
    action: &FileAction,
    id: ActionId,
    token: &EffectToken,
    limits: (i64, u64),
) -> Result<Seen, FileError> {
    let by = MadeBy::Action(id);
    let mut put = |target: Target<'_>, bytes: &[u8], source: &Option<String>| {
        let stored = tx.put_content(bytes)?;
        tx.put_version(target, &stored, by, source.is_some(), limits)
    };
    let left = match action {
        FileAction::Create { path, content: Content::Bytes { bytes, source } } => {
            put(Target::New(path), bytes, source)?
        }
        FileAction::Change { path, seen, content: Content::Bytes { bytes, source }, .. } => {
            put(Target::Next(path, seen), bytes, source)?
        }
        FileAction::Change { path, seen, content: Content::Version(earlier), .. } => {
            tx.put_earlier(path, seen, earlier, by, limits)?
        }
        FileAction::Move { path, seen, to } => {
            tx.move_file(path, seen, to, by)?;
            seen.clone()
        }
        FileAction::Trash { path, seen } => {
            tx.trash_file(path, seen, by, limits.0)?;
            seen.clone()
        }
        FileAction::Restore { path, seen } => {
            tx.restore_file(seen, path, by)?;
            seen.clone()
        }
        FileAction::Create { content: Content::Version(_), .. }
        | FileAction::List { .. }
        | FileAction::Read { .. }
        | FileAction::Search { .. } => {
            return Err(FileRefusal::Stopped("this changes no file".into()).into());
        }
    };
    // What was refused until here was not handed off; from here on it happens, unless the disk fails.
    token.hand_off(|| Wrote::Some).map_err(|refused| FileRefusal::Stopped(refused.to_string()))?;
    Ok(left)
}
