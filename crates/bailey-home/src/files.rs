//! What the person does with their files: put, moved, trashed, restored, each in the log. What the agent does goes through the gate.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bailey_gate::approval::Authorised;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::files::{FileId, FilePath, Seen};
use bailey_gate::ledger::StoreError;
use bailey_ledger::{FileError, FileRefusal, FileRow, LedgerTx, MadeBy, Stored, Target, Upload, VersionRow};

use crate::home::Home;

/// Uploads under way at once, and milliseconds after which one that nothing comes for is given up.
const MAX_UPLOADS: usize = 8;
const IDLE_MS: u64 = 10 * 60 * 1_000;
/// Bytes of a gibibyte.
pub(crate) const GIB: u64 = 1 << 30;

/// Identifies an upload.
pub(crate) type UploadId = [u8; 16];

/// A file that is being put.
#[derive(Debug)]
pub(crate) struct Coming {
    path: FilePath,
    follows: Option<u64>,
    bytes: u64,
    upload: Upload,
    /// When something came for it last: milliseconds since boot.
    heard_ms: u64,
}

/// The files that are being put.
pub(crate) type Uploads = Mutex<BTreeMap<UploadId, Coming>>;

/// Why something about a file was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undone {
    #[error(transparent)]
    File(#[from] FileError),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// There is no such thing.
    #[error("{0}")]
    Missing(String),
    /// As many uploads are under way as may be.
    #[error("as many uploads are under way as may be at once; come again when one has ended")]
    Busy,
}

impl From<FileRefusal> for Undone {
    fn from(why: FileRefusal) -> Self {
        Self::File(why.into())
    }
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::File(error.into())
    }
}

impl Home {
    /// Bounds the bytes of all versions, in gibibytes.
    pub(crate) fn bound_files(&self, gib: u64) {
        self.vault.bound_files(gib.saturating_mul(GIB));
    }

    /// Returns a file that is there, in the trash or not.
    pub(crate) fn file(&self, id: &FileId) -> Result<FileRow, Undone> {
        let missing = || Undone::Missing("there is no such file; list the folder anew".into());
        self.ledger.file(id)?.ok_or_else(missing)
    }

    /// Returns a version of a file.
    pub(crate) fn file_version(&self, id: &FileId, n: u64) -> Result<VersionRow, Undone> {
        let missing = || Undone::Missing(format!("the file has no version {n}; list its versions"));
        self.ledger.versions(id)?.into_iter().find(|version| version.seen.version == n).ok_or_else(missing)
    }

    fn file_entry(&self, what: &'static str, path: &FilePath) -> Event {
        // The token suffices for it, so the log does not say that it was the person.
        let payload = Payload::default().text("what", what).text("path", path.as_str());
        let (now, pause_state) = (self.clock.now(), self.gate.lock().pause_state());
        Event { payload, ..Event::of_home(EventKind::Files, Actor::Client, now, pause_state) }
    }

    /// Does something with a file, and writes it down in the log, in one commit.
    fn with_file<T: Send>(
        &self,
        (what, path): (&'static str, &FilePath),
        job: impl FnOnce(&mut LedgerTx<'_>) -> Result<T, FileError> + Send,
    ) -> Result<T, Undone> {
        let entry = self.file_entry(what, path);
        let done = self.ledger.change_files(|tx| {
            let done = job(tx)?;
            tx.append(&entry, None)?;
            Ok(done)
        })?;
        self.changed();
        Ok(done)
    }

    /// Returns the moment and the bound that a new version is made under.
    fn file_limits(&self) -> (i64, u64) {
        (self.clock.now().wall_ms, self.vault.most_file_bytes())
    }

    /// Begins to put a file: what could not be kept is refused before anything comes.
    pub(crate) fn begin_upload(&self, path: FilePath, bytes: u64, follows: Option<u64>) -> Result<UploadId, Undone> {
        let there = self.ledger.file_at(&path)?;
        match (&there, follows) {
            (Some(file), None) => return Err(FileRefusal::Taken(file.path.clone()).into()),
            (Some(file), Some(n)) if file.newest.seen.version != n => {
                return Err(FileRefusal::Changed(file.path.clone()).into());
            }
            (None, Some(_)) => return Err(FileRefusal::NotThere(path).into()),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let most = self.vault.most_file_bytes();
        if self.ledger.file_bytes()?.saturating_add(bytes) > most {
            return Err(FileRefusal::Full { most }.into());
        }
        let id: UploadId = bailey_keys::random().map_err(bailey_ledger::from_key_error)?;
        let heard_ms = self.clock.now().boot_ms;
        let upload = Upload::begin(&self.ledger)?;
        let (idle, busy) = {
            let mut all = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
            let gone: Vec<UploadId> = all
                .iter()
                .filter(|(_, one)| heard_ms.saturating_sub(one.heard_ms) > IDLE_MS)
                .map(|(id, _)| *id)
                .collect();
            let idle: Vec<Coming> = gone.iter().filter_map(|id| all.remove(id)).collect();
            let busy = all.len() >= MAX_UPLOADS;
            if !busy {
                all.insert(id, Coming { path, follows, bytes, upload, heard_ms });
            }
            (idle, busy)
        };
        idle.into_iter().try_for_each(|one| one.upload.discard())?;
        if busy { Err(Undone::Busy) } else { Ok(id) }
    }

    fn take_upload(&self, id: &UploadId) -> Result<Coming, Undone> {
        let missing = || Undone::Missing("there is no such upload, or a piece of it is being kept; begin anew".into());
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner).remove(id).ok_or_else(missing)
    }

    /// Takes the next piece; returns how many bytes have come.
    pub(crate) fn add_to_upload(&self, id: UploadId, at: u64, piece: &[u8]) -> Result<u64, Undone> {
        // Taken out while it is written: two pieces at once would be in no order.
        let mut coming = self.take_upload(&id)?;
        let (have, will) = (coming.upload.size(), coming.upload.size().saturating_add(piece.len() as u64));
        let kept = if at != have {
            Err(Undone::Invalid(format!("the next piece begins at byte {have}, and not at {at}")))
        } else if will > coming.bytes {
            Err(Undone::Invalid(format!("the file was to have {} bytes, and more came", coming.bytes)))
        } else {
            coming.upload.push(piece).map_err(Undone::from)
        };
        let size = coming.upload.size();
        coming.heard_ms = self.clock.now().boot_ms;
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner).insert(id, coming);
        kept.map(|()| size)
    }

    /// Ends an upload: the file lies there then.
    pub(crate) fn end_upload(&self, id: &UploadId) -> Result<FileRow, Undone> {
        let Coming { path, follows, bytes, upload, .. } = self.take_upload(id)?;
        if upload.size() != bytes {
            let why = format!("the file was to have {bytes} bytes, and {} came; begin anew", upload.size());
            upload.discard()?;
            return Err(Undone::Invalid(why));
        }
        let stored = upload.finish()?;
        let put = self.put_stored(&path, &stored, follows);
        if put.is_err() {
            stored.discard(&self.ledger)?;
        }
        put
    }

    fn put_stored(&self, path: &FilePath, stored: &Stored, follows: Option<u64>) -> Result<FileRow, Undone> {
        let limits = self.file_limits();
        let seen = match follows {
            None => self.with_file(("put", path), |tx| {
                tx.put_version(Target::New(path), stored, MadeBy::Person, false, limits)
            })?,
            Some(version) => {
                let there = self.ledger.file_at(path)?.ok_or_else(|| FileRefusal::NotThere(path.clone()))?;
                let seen = Seen { version, ..there.newest.seen };
                self.with_file(("changed", path), |tx| {
                    tx.put_version(Target::Next(path, &seen), stored, MadeBy::Person, false, limits)
                })?
            }
        };
        self.file(&seen.file)
    }

    /// Puts a file whose content is in memory; a further version where one lies there.
    pub(crate) fn put_file(&self, path: &FilePath, content: &[u8]) -> Result<FileRow, Undone> {
        let follows = self.ledger.file_at(path)?.map(|file| file.newest.seen.version);
        let mut upload = Upload::begin(&self.ledger)?;
        upload.push(content)?;
        let stored = upload.finish()?;
        let put = self.put_stored(path, &stored, follows);
        if put.is_err() {
            stored.discard(&self.ledger)?;
        }
        put
    }

    /// Returns a file in the version that the caller saw.
    fn seen(&self, id: &FileId, version: u64) -> Result<(FilePath, Seen), Undone> {
        let file = self.file(id)?;
        if file.newest.seen.version != version {
            return Err(FileRefusal::Changed(file.path).into());
        }
        Ok((file.path, file.newest.seen))
    }

    /// Moves or renames a file.
    pub(crate) fn move_file(&self, id: &FileId, version: u64, to: &FilePath) -> Result<FileRow, Undone> {
        let (path, seen) = self.seen(id, version)?;
        if path != *to {
            self.with_file(("moved", to), |tx| tx.move_file(&path, &seen, to, MadeBy::Person))?;
        }
        self.file(id)
    }

    /// Moves a file to the trash.
    pub(crate) fn trash_file(&self, id: &FileId, version: u64) -> Result<FileRow, Undone> {
        let (path, seen) = self.seen(id, version)?;
        let now_ms = self.clock.now().wall_ms;
        self.with_file(("trashed", &path), |tx| tx.trash_file(&path, &seen, MadeBy::Person, now_ms))?;
        self.file(id)
    }

    /// Takes a file out of the trash, to where it lay.
    pub(crate) fn restore_file(&self, id: &FileId) -> Result<FileRow, Undone> {
        let file = self.file(id)?;
        if file.trashed_ms.is_none() {
            return Err(Undone::Invalid(format!("`{}` is not in the trash", file.path.as_str())));
        }
        let (path, seen) = (&file.path, &file.newest.seen);
        self.with_file(("restored", path), |tx| tx.restore_file(seen, path, MadeBy::Person))?;
        self.file(id)
    }

    /// Makes an earlier version of a file its newest, as one more version.
    pub(crate) fn bring_back(&self, id: &FileId, n: u64) -> Result<FileRow, Undone> {
        let (file, earlier) = (self.file(id)?, self.file_version(id, n)?.seen);
        let (path, seen, limits) = (&file.path, &file.newest.seen, self.file_limits());
        self.with_file(("changed", path), |tx| tx.put_earlier(path, seen, &earlier, MadeBy::Person, limits))?;
        self.file(id)
    }

    /// Removes all that lies in the trash, with its keys, by the person's leave; returns how many files it was.
    pub(crate) fn empty_trash(&self, leave: &Authorised) -> Result<u64, Undone> {
        let mut all = 0;
        loop {
            let (now, pause_state) = (self.clock.now(), self.gate.lock().pause_state());
            let removed = self.ledger.change_files(|tx| {
                let removed = tx.empty_trash()?;
                if !removed.is_empty() {
                    let paths = removed.iter().map(FilePath::as_str).collect::<Vec<_>>().join("\n");
                    let payload = Payload::default().text("what", "emptied the trash").text("path", paths);
                    tx.append(&leave.entry(EventKind::Files, now, pause_state, payload), None)?;
                }
                Ok(removed.len() as u64)
            })?;
            all += removed;
            if removed == 0 {
                break;
            }
        }
        self.changed();
        Ok(all)
    }
}

/// Drops what uploads of an earlier run left behind.
pub(crate) fn take_up(ledger: &Arc<bailey_ledger::Ledger>) -> Result<(), StoreError> {
    ledger.drop_uploads()
}
