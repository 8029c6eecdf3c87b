//! The person's files: paths, versions, trash. Content is kept by its hash, in sealed pieces, once however often it lies here; what
//! nothing refers to any more is gone with its keys.

mod refusal;
mod upload;

use bailey_gate::family::Taint;
use bailey_gate::family::files::{FileId, FilePath, Folder, Seen};
use bailey_gate::ledger::{StoreError, View as _};
use bailey_gate::{ActionId, Digest};
use icu_normalizer::ComposingNormalizerBorrowed;
use rusqlite::{Connection, OptionalExtension as _, Params, Row as SqlRow, params};

use crate::backend::Backend as _;
use crate::blob::BlobOwner;
use crate::rows::{damaged, store_error};
use crate::store::Ledger;
use crate::tx::LedgerTx;

pub use refusal::{FileError, FileRefusal};
pub use upload::{MAX_PIECE_BYTES, Stored, Upload};

/// Most files and folders that one list holds. A person looks at fewer; whoever wants the rest asks from the last on.
pub const MAX_LISTED: usize = 1_000;
/// Most versions that are listed of one file, the newest first.
const MAX_VERSIONS: usize = 1_000;
/// What versions are, among owners of content.
const VERSION: &str = "file";

/// Who made a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeBy {
    /// The person.
    Person,
    /// An action, for its task.
    Action(ActionId),
}

/// One version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// The file, the number, the hash and the size.
    pub seen: Seen,
    /// When it was made: milliseconds since 1970-01-01T00:00Z.
    pub made_ms: i64,
    /// Who made it.
    pub by: MadeBy,
    /// The taint of its task, where an action made it.
    pub labels: Taint,
}

/// One file, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Where it lies, or lay before it went to the trash.
    pub path: FilePath,
    /// When it went to the trash: milliseconds since 1970-01-01T00:00Z; nothing where it is not there.
    pub trashed_ms: Option<i64>,
    /// Its newest version.
    pub newest: VersionRow,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The paths of the folders in it, in order.
    pub folders: Vec<String>,
    /// The files in it, in order.
    pub files: Vec<FileRow>,
    /// Tells whether there are more than are listed.
    pub more: bool,
}

/// A file whose content is written: where, and what lies there now.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A new file, where none lies.
    New(&'a FilePath),
    /// A further version of a file that lies there, while this one is its newest.
    Next(&'a FilePath, &'a Seen),
}

/// Returns a text in the one form of Unicode that paths are kept in (NFC, UAX 15).
#[must_use]
pub fn composed(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Returns a path as it is compared: two that differ in capital letters only are one.
fn folded(path: &str) -> String {
    composed(&path.to_lowercase())
}

/// Returns who refers to the content of a version.
fn owner(seen: &Seen) -> Vec<u8> {
    [seen.file.as_slice(), &seen.version.to_be_bytes()].concat()
}

/// Columns of a file and its newest version.
macro_rules! files {
    ($rest:literal) => {
        concat!(
            "SELECT file.path, file.trashed_ms, version.file, version.n, version.digest, version.size, version.made_ms, ",
            "version.action, version.untrusted, version.confidential ",
            "FROM file JOIN file_version AS version ON version.file = file.id AND version.n = file.newest ",
            $rest
        )
    };
}

const AT: &str = files!("WHERE file.folded = ?1");
const ONE: &str = files!("WHERE file.id = ?1");
const IN_FOLDER: &str = files!("WHERE file.folder = ?1 AND file.folded > ?2 ORDER BY file.folded LIMIT ?3");
const AFTER: &str = files!("WHERE file.folded > ?1 ORDER BY file.folded LIMIT ?2");
const TRASHED: &str = files!("WHERE file.trashed_ms IS NOT NULL ORDER BY file.trashed_ms DESC LIMIT ?1");
const VERSIONS: &str = "SELECT file, n, digest, size, made_ms, action, untrusted, confidential FROM file_version
     WHERE file = ?1 ORDER BY n DESC LIMIT ?2";
const FOLDERS: &str = "SELECT path FROM folder WHERE parent = ?1 ORDER BY folded LIMIT ?2";

fn version(row: &SqlRow<'_>, from: usize) -> rusqlite::Result<VersionRow> {
    let action: Option<[u8; 16]> = row.get(from + 5)?;
    Ok(VersionRow {
        seen: Seen {
            file: row.get(from)?,
            version: row.get(from + 1)?,
            digest: Digest::from_bytes(row.get(from + 2)?),
            size: row.get(from + 3)?,
        },
        made_ms: row.get(from + 4)?,
        by: action.map_or(MadeBy::Person, |action| MadeBy::Action(ActionId::from_bytes(action))),
        labels: Taint { untrusted: row.get(from + 6)?, confidential: row.get(from + 7)? },
    })
}

fn rows(db: &Connection, sql: &str, values: impl Params) -> Result<Vec<FileRow>, StoreError> {
    let mut query = db.prepare_cached(sql).map_err(store_error)?;
    let found = query.query_map(values, |row| {
        let path: String = row.get(0)?;
        Ok((path, row.get(1)?, version(row, 2)?))
    });
    let mut out = Vec::new();
    for row in found.map_err(store_error)? {
        let (path, trashed_ms, newest) = row.map_err(store_error)?;
        let path = FilePath::new(&path).map_err(|_| damaged("path of a file"))?;
        out.push(FileRow { path, trashed_ms, newest });
    }
    Ok(out)
}

fn at_path(db: &Connection, path: &str) -> Result<Option<FileRow>, StoreError> {
    Ok(rows(db, AT, [folded(path)])?.pop())
}

fn by_id(db: &Connection, file: &FileId) -> Result<Option<FileRow>, StoreError> {
    Ok(rows(db, ONE, [file])?.pop())
}

fn folder_at(db: &Connection, path: &str) -> Result<Option<String>, StoreError> {
    db.prepare_cached("SELECT path FROM folder WHERE folded = ?1")
        .and_then(|mut query| query.query_row([folded(path)], |row| row.get(0)).optional())
        .map_err(store_error)
}

fn pieces(db: &Connection, seen: &Seen) -> Result<Vec<(Digest, u64)>, StoreError> {
    let mut query = db
        .prepare_cached("SELECT digest, size FROM file_piece WHERE file = ?1 AND version = ?2 ORDER BY n")
        .map_err(store_error)?;
    let found = query
        .query_map(params![seen.file, seen.version], |row| Ok((Digest::from_bytes(row.get(0)?), row.get(1)?)))
        .map_err(store_error)?;
    found.collect::<Result<_, _>>().map_err(store_error)
}

fn versions(db: &Connection, file: &FileId) -> Result<Vec<VersionRow>, StoreError> {
    let mut query = db.prepare_cached(VERSIONS).map_err(store_error)?;
    let found = query.query_map(params![file, MAX_VERSIONS], |row| version(row, 0)).map_err(store_error)?;
    found.collect::<Result<_, _>>().map_err(store_error)
}

fn bytes_used(db: &Connection) -> Result<u64, StoreError> {
    db.prepare_cached("SELECT bytes FROM file_use WHERE one = 1")
        .and_then(|mut query| query.query_row([], |row| row.get(0)))
        .map_err(store_error)
}

impl Ledger {
    /// Returns the file that lies at a path, whatever the case of its letters.
    pub fn file_at(&self, path: &FilePath) -> Result<Option<FileRow>, StoreError> {
        at_path(&self.reader(), path.as_str())
    }

    /// Returns a file, where it lies or in the trash.
    pub fn file(&self, file: &FileId) -> Result<Option<FileRow>, StoreError> {
        by_id(&self.reader(), file)
    }

    /// Lists a folder, its files behind the path `after`; nothing where there is none. The top is there always.
    pub fn folder(&self, folder: &Folder, after: &str) -> Result<Option<Listing>, StoreError> {
        let reader = self.reader();
        if !folder.as_str().is_empty() && folder_at(&reader, folder.as_str())?.is_none() {
            return Ok(None);
        }
        let at = folded(folder.as_str());
        let mut query = reader.prepare_cached(FOLDERS).map_err(store_error)?;
        let folders = query.query_map(params![at, MAX_LISTED + 1], |row| row.get(0)).map_err(store_error)?;
        let mut folders: Vec<String> = folders.collect::<Result<_, _>>().map_err(store_error)?;
        let mut files = rows(&reader, IN_FOLDER, params![at, folded(after), MAX_LISTED + 1])?;
        let more = folders.len().max(files.len()) > MAX_LISTED;
        folders.truncate(MAX_LISTED);
        files.truncate(MAX_LISTED);
        Ok(Some(Listing { folders, files, more }))
    }

    /// Lists files of every folder, in the order of their paths, those behind the path `after`.
    pub fn files_after(&self, after: &str) -> Result<Vec<FileRow>, StoreError> {
        rows(&self.reader(), AFTER, params![folded(after), MAX_LISTED])
    }

    /// Lists the trash, what came last first.
    pub fn trashed_files(&self) -> Result<Vec<FileRow>, StoreError> {
        rows(&self.reader(), TRASHED, [MAX_LISTED])
    }

    /// Lists the versions of a file, the newest first.
    pub fn versions(&self, file: &FileId) -> Result<Vec<VersionRow>, StoreError> {
        versions(&self.reader(), file)
    }

    /// Lists the pieces of a version, each with its size in bytes.
    pub fn pieces(&self, seen: &Seen) -> Result<Vec<(Digest, u64)>, StoreError> {
        pieces(&self.reader(), seen)
    }

    /// Returns the content of a version, where it has at most so many bytes.
    pub fn file_content(&self, seen: &Seen, most: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if seen.size > most {
            return Ok(None);
        }
        let mut content = Vec::new();
        for (digest, _) in self.pieces(seen)? {
            let Some(piece) = self.blob(&digest)? else { return Ok(None) };
            content.extend_from_slice(&piece);
        }
        Ok((content.len() as u64 == seen.size).then_some(content))
    }

    /// Returns how many bytes all versions have.
    pub fn file_bytes(&self) -> Result<u64, StoreError> {
        bytes_used(&self.reader())
    }

    /// Returns the file and version that an action made or left behind; nothing where it did not happen.
    pub fn file_done(&self, action: &ActionId) -> Result<Option<(FileId, u64)>, StoreError> {
        self.reader()
            .prepare_cached("SELECT file, version FROM file_done WHERE action = ?1")
            .and_then(|mut query| query.query_row([action.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(store_error)
    }

    /// Runs a job on the files in a transaction; what it refuses leaves nothing behind.
    pub fn change_files<T: Send>(
        &self,
        job: impl FnOnce(&mut LedgerTx<'_>) -> Result<T, FileError> + Send,
    ) -> Result<T, FileError> {
        let mut refused = None;
        let slot = &mut refused;
        let done = self.write(move |tx| {
            job(tx).map_err(|error| match error {
                FileError::Store(error) => error,
                FileError::Refused(why) => {
                    *slot = Some(why);
                    StoreError::Broken("a change of a file was refused".into())
                }
            })
        });
        match refused {
            Some(why) => Err(FileError::Refused(why)),
            None => done.map_err(FileError::Store),
        }
    }
}

impl LedgerTx<'_> {
    /// Makes a version of a file. `most` bounds the bytes of all versions.
    pub fn put_version(
        &mut self,
        target: Target<'_>,
        content: &Stored,
        by: MadeBy,
        taken_from_others: bool,
        (now_ms, most): (i64, u64),
    ) -> Result<Seen, FileError> {
        let (file, path, before) = match target {
            Target::New(path) => (bailey_keys::random().map_err(crate::rows::key_error)?, path, 0),
            Target::Next(path, seen) => {
                self.expect(path, seen)?;
                (seen.file, path, seen.version)
            }
        };
        let seen = Seen { file, version: before + 1, digest: content.digest, size: content.size };
        if bytes_used(self.db)?.saturating_add(content.size) > most {
            return Err(FileRefusal::Full { most }.into());
        }
        if before == 0 {
            self.make_room(path)?;
            let put = "INSERT INTO file (id, path, folded, folder, newest) VALUES (?1, ?2, ?3, ?4, 1)";
            let (at, folder) = (folded(path.as_str()), folded(path.folder().as_str()));
            self.run(put, params![file, path.as_str(), at, folder])?;
        } else {
            self.run("UPDATE file SET newest = ?2 WHERE id = ?1", params![file, seen.version])?;
        }
        let (action, labels) = match by {
            MadeBy::Person => (None, Taint::default()),
            MadeBy::Action(id) => (Some(id), self.labels_of(&id)?),
        };
        let untrusted = labels.untrusted || taken_from_others;
        self.run(
            "INSERT INTO file_version (file, n, digest, size, made_ms, action, untrusted, confidential)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                file,
                seen.version,
                seen.digest.as_bytes(),
                seen.size,
                now_ms,
                action.as_ref().map(ActionId::as_bytes),
                untrusted,
                labels.confidential
            ],
        )?;
        let owner = owner(&seen);
        for (n, (digest, size)) in content.pieces.iter().enumerate() {
            self.db.refer_to_blob(BlobOwner { kind: VERSION, owner: &owner }, digest.as_bytes())?;
            let put = "INSERT INTO file_piece (file, version, n, digest, size) VALUES (?1, ?2, ?3, ?4, ?5)";
            self.run(put, params![file, seen.version, n, digest.as_bytes(), size])?;
        }
        content.release(self)?;
        self.run("UPDATE file_use SET bytes = bytes + ?1", [seen.size])?;
        self.note_done(by, &seen)?;
        Ok(seen)
    }

    /// Makes an earlier version of a file its newest, as one more version. It keeps the labels of the one it is taken from.
    pub fn put_earlier(
        &mut self,
        path: &FilePath,
        seen: &Seen,
        earlier: &Seen,
        by: MadeBy,
        limits: (i64, u64),
    ) -> Result<Seen, FileError> {
        let found = versions(self.db, &seen.file)?.into_iter().find(|one| one.seen == *earlier);
        let Some(VersionRow { labels, .. }) = found else { return Err(FileRefusal::NoVersion(earlier.version).into()) };
        let content = Stored::kept(earlier, pieces(self.db, earlier)?);
        let made = self.put_version(Target::Next(path, seen), &content, by, labels.untrusted, limits)?;
        if labels.confidential {
            let mark = "UPDATE file_version SET confidential = 1 WHERE file = ?1 AND n = ?2";
            self.run(mark, params![made.file, made.version])?;
        }
        Ok(made)
    }

    /// Moves a file to where none lies.
    pub fn move_file(&mut self, path: &FilePath, seen: &Seen, to: &FilePath, by: MadeBy) -> Result<(), FileError> {
        self.expect(path, seen)?;
        // A file may be given other capital letters: then it is in its own way.
        let out = "UPDATE file SET folded = NULL, folder = NULL, trashed_ms = 0 WHERE id = ?1";
        self.run(out, [seen.file])?;
        self.make_room(to)?;
        self.put_in(&seen.file, to)?;
        self.drop_empty(&path.folder())?;
        self.note_done(by, seen)
    }

    /// Moves a file to the trash.
    pub fn trash_file(&mut self, path: &FilePath, seen: &Seen, by: MadeBy, now_ms: i64) -> Result<(), FileError> {
        self.expect(path, seen)?;
        let out = "UPDATE file SET folded = NULL, folder = NULL, trashed_ms = ?2 WHERE id = ?1";
        self.run(out, params![seen.file, now_ms])?;
        self.drop_empty(&path.folder())?;
        self.note_done(by, seen)
    }

    /// Takes a file out of the trash, to where none lies.
    pub fn restore_file(&mut self, seen: &Seen, to: &FilePath, by: MadeBy) -> Result<(), FileError> {
        match by_id(self.db, &seen.file)? {
            Some(file) if file.trashed_ms.is_some() && file.newest.seen == *seen => {}
            Some(_) => return Err(FileRefusal::Changed(to.clone()).into()),
            None => return Err(FileRefusal::NotThere(to.clone()).into()),
        }
        self.make_room(to)?;
        self.put_in(&seen.file, to)?;
        self.note_done(by, seen)
    }

    /// Removes what lies in the trash, with every version; the keys of content that nothing else refers to are destroyed as soon as
    /// this is durable. Takes some of it where there is a lot: returns how many files it removed, none where the trash is empty.
    pub fn empty_trash(&mut self) -> Result<Vec<FilePath>, StoreError> {
        let mut removed = Vec::new();
        for file in rows(self.db, TRASHED, [MAX_LISTED])? {
            let id = file.newest.seen.file;
            for version in self.all_versions(&id)? {
                self.release_blobs(BlobOwner { kind: VERSION, owner: &owner(&version) })?;
                self.run("UPDATE file_use SET bytes = bytes - ?1", [version.size])?;
            }
            for remove in [
                "DELETE FROM file_piece WHERE file = ?1",
                "DELETE FROM file_version WHERE file = ?1",
                "DELETE FROM file WHERE id = ?1",
            ] {
                self.run(remove, [id])?;
            }
            removed.push(file.path);
        }
        Ok(removed)
    }

    fn all_versions(&self, file: &FileId) -> Result<Vec<Seen>, StoreError> {
        let mut query = self.db.prepare_cached(VERSIONS).map_err(store_error)?;
        let found = query.query_map(params![file, u32::MAX], |row| version(row, 0)).map_err(store_error)?;
        found.map(|row| row.map(|row| row.seen).map_err(store_error)).collect()
    }

    /// Makes sure that a file lies where it is said to, in the version that is said.
    fn expect(&self, path: &FilePath, seen: &Seen) -> Result<(), FileError> {
        match at_path(self.db, path.as_str())? {
            Some(file) if file.newest.seen == *seen && file.path == *path => Ok(()),
            Some(_) => Err(FileRefusal::Changed(path.clone()).into()),
            None => Err(FileRefusal::NotThere(path.clone()).into()),
        }
    }

    /// Makes the folders of a path, and makes sure that nothing lies there, nor where only capital letters tell it apart.
    fn make_room(&mut self, path: &FilePath) -> Result<(), FileError> {
        // INVARIANT: nothing is written over. A change names the version that it follows.
        if let Some(file) = at_path(self.db, path.as_str())? {
            return Err(match file.path == *path {
                true => FileRefusal::Taken(file.path),
                false => FileRefusal::Alike { wanted: path.clone(), there: file.path.as_str().to_owned() },
            }
            .into());
        }
        if let Some(folder) = folder_at(self.db, path.as_str())? {
            return Err(FileRefusal::IsFolder(folder).into());
        }
        let folder = path.folder();
        for holder in folder.with_holders() {
            if let Some(file) = at_path(self.db, holder)? {
                return Err(FileRefusal::IsFile(file.path).into());
            }
            match folder_at(self.db, holder)? {
                Some(there) if there != holder => {
                    return Err(FileRefusal::Alike { wanted: path.clone(), there }.into());
                }
                Some(_) => {}
                None => {
                    let parent = holder.rsplit_once('/').map_or("", |(parent, _)| parent);
                    let put = "INSERT INTO folder (folded, path, parent) VALUES (?1, ?2, ?3)";
                    self.run(put, params![folded(holder), holder, folded(parent)])?;
                }
            }
        }
        Ok(())
    }

    fn put_in(&mut self, file: &FileId, to: &FilePath) -> Result<(), StoreError> {
        let put = "UPDATE file SET path = ?2, folded = ?3, folder = ?4, trashed_ms = NULL WHERE id = ?1";
        self.run(put, params![file, to.as_str(), folded(to.as_str()), folded(to.folder().as_str())])
    }

    /// Drops a folder that nothing lies in any more, and those it lies in likewise.
    fn drop_empty(&mut self, folder: &Folder) -> Result<(), StoreError> {
        for holder in folder.with_holders().into_iter().rev() {
            let drop = "DELETE FROM folder WHERE folded = ?1 AND NOT EXISTS (SELECT 1 FROM file WHERE folder = ?1)
                        AND NOT EXISTS (SELECT 1 FROM folder AS within WHERE within.parent = ?1)";
            self.run(drop, [folded(holder)])?;
        }
        Ok(())
    }

    /// Returns what the task of an action has let in.
    fn labels_of(&mut self, action: &ActionId) -> Result<Taint, StoreError> {
        let Some(task) = self.view.row(action)?.and_then(|row| row.task) else { return Ok(Taint::default()) };
        Ok(self.view.marks(&task)?.brought)
    }

    fn note_done(&mut self, by: MadeBy, seen: &Seen) -> Result<(), FileError> {
        let MadeBy::Action(action) = by else { return Ok(()) };
        let put = "INSERT INTO file_done (action, file, version) VALUES (?1, ?2, ?3)";
        Ok(self.run(put, params![action.as_bytes(), seen.file, seen.version])?)
    }

    fn run(&self, sql: &'static str, values: impl Params) -> Result<(), StoreError> {
        self.db.prepare_cached(sql).and_then(|mut run| run.execute(values)).map(|_| ()).map_err(store_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::newest;

    #[test]
    fn queries_of_files_read_no_whole_table_and_sort_none() {
        let db = newest();
        for sql in [AT, ONE, IN_FOLDER, TRASHED, VERSIONS, FOLDERS, AFTER] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = rusqlite::params_from_iter(vec![1; plan.parameter_count()]);
            for step in plan.query_map(values, |row| row.get::<_, String>(3)).unwrap().map(Result::unwrap) {
                assert!(!step.starts_with("SCAN") && !step.contains("TEMP B-TREE"), "{sql}: {step}");
            }
        }
    }

    #[test]
    fn paths_that_differ_in_letters_alone_are_compared_as_one() {
        assert_eq!(folded("Reports/MÄRZ.txt"), folded("reports/Ma\u{308}rz.TXT"));
        assert_eq!(composed("Ma\u{308}rz"), "März");
    }
}
