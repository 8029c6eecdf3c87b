//! The index of words: a database of its own beside the ledger, under a key of its own, made of the log and behind it.
//!
//! It holds words of what the ledger seals payload by payload, so it must not outlive them: it belongs in no backup and no export,
//! and whoever erases something makes it anew under another key, which leaves older copies of it unreadable. It is never the truth:
//! whatever is damaged, missing, or of another history is thrown away and made again, and what is found is read from the ledger.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use bailey_gate::ledger::StoreError;
use bailey_gate::{ActionId, TaskId};
use bailey_keys::store::{KeyStore, open_database};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params, params_from_iter};

use crate::rows::{key_error, store_error};
use crate::store::Ledger;

/// Names the key of the index.
const KEY: &str = "search index";
/// Version of what is in it; another one is made anew.
const FORMAT: u64 = 1;
/// Longest search, in bytes, and most words of it: more makes nothing clearer, and costs.
const MAX_SEARCH_BYTES: usize = 400;
const MAX_SEARCH_WORDS: usize = 16;
/// Hits that are looked through for those that a filter lets by, so that a search costs no more than it may. Whoever asks goes on
/// behind them.
const LOOKED_THROUGH: u32 = 2_000;
/// Longest text of one thing, in bytes; what comes behind is not found.
const MAX_TEXT_BYTES: usize = 256 * 1_024;

/// Full text by words without accents; the first two and three letters of a word find it fast. Only what is searched by is kept, not
/// the text itself (FTS5, sections 4.3.1, 4.4.3 and 4.5).
const SCHEMA: &str = "
CREATE TABLE mark (one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, size INTEGER NOT NULL, last BLOB) STRICT;
CREATE TABLE action (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT NULL,
  account TEXT NOT NULL, by TEXT NOT NULL, wall_ms INTEGER NOT NULL) STRICT;
CREATE INDEX action_by_kind ON action (kind, place);
CREATE INDEX action_by_state ON action (state, place);
CREATE INDEX action_by_account ON action (account, place);
CREATE INDEX action_by_approver ON action (by, place);
CREATE TABLE task (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE span (place INTEGER PRIMARY KEY AUTOINCREMENT, task BLOB NOT NULL, n INTEGER NOT NULL, label TEXT NOT NULL,
  UNIQUE (task, n)) STRICT;
CREATE TABLE held (span INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (span, first))
  STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE action_words USING fts5(words, content='', contentless_delete=1,
  tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE VIRTUAL TABLE task_words USING fts5(words, content='', contentless_delete=1,
  tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE VIRTUAL TABLE span_words USING fts5(words, content='', contentless_delete=1,
  tokenize='unicode61 remove_diacritics 2', prefix='2 3');
INSERT INTO action_words (action_words, rank) VALUES ('secure-delete', 1);
INSERT INTO task_words (task_words, rank) VALUES ('secure-delete', 1);
INSERT INTO span_words (span_words, rank) VALUES ('secure-delete', 1);
INSERT INTO mark VALUES (1, 1, 0, NULL);
";

/// An action, as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionDoc {
    /// The entry that proposed it.
    pub place: u64,
    /// The action's identity.
    pub id: ActionId,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// The account it is about; empty where it is about none.
    pub account: String,
    /// Names where the person answered from; empty where nobody was asked.
    pub by: String,
    /// When it was proposed, in milliseconds since 1970-01-01T00:00Z.
    pub wall_ms: i64,
    /// Every word it is found by.
    pub words: String,
}

/// A task, as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDoc {
    /// The entry that began it.
    pub place: u64,
    /// The task's identity.
    pub id: TaskId,
    /// Every word it is found by.
    pub words: String,
}

/// A model request, as its pieces are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestDoc {
    /// Of which task.
    pub task: TaskId,
    /// Its number in the task, from 0.
    pub n: u64,
    /// Its pieces: the number in the task, who wrote it, and the words of those that are new.
    pub spans: Vec<(u64, String, Option<String>)>,
}

/// What a part of the log comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Docs {
    /// Actions that were proposed or went on.
    pub actions: Vec<ActionDoc>,
    /// Tasks that were given or went on.
    pub tasks: Vec<TaskDoc>,
    /// Requests that were made.
    pub requests: Vec<RequestDoc>,
}

/// What is looked for; empty where it is not narrowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Words that all have to be there; those in quotation marks one behind the other. The last one may go on.
    pub words: String,
    /// A kind of action.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// An account.
    pub account: String,
    /// Names where the person answered from; `rules` for what nobody was asked about.
    pub by: String,
    /// Not before, in milliseconds since 1970-01-01T00:00Z.
    pub from_ms: Option<i64>,
    /// Before.
    pub to_ms: Option<i64>,
    /// Only what stands before this place.
    pub before: Option<u64>,
    /// How many at most.
    pub limit: u32,
}

/// What was found, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// It.
    pub found: Vec<T>,
    /// The place to go on before, where there may be more.
    pub before: Option<u64>,
}

/// A piece that holds what was looked for, and the requests of its task that held it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSpan {
    /// Of which task.
    pub task: TaskId,
    /// Its number in the task.
    pub n: u64,
    /// Who wrote it.
    pub label: String,
    /// The first and the last request of each run of requests that held it.
    pub held: Vec<(u64, u64)>,
}

/// The files of an index: one connection that writes, one that reads, so that nobody who searches waits for what is merged.
struct Files {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

/// The index of a home.
pub struct SearchIndex {
    path: PathBuf,
    files: RwLock<Files>,
}

impl std::fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchIndex").field("path", &self.path).finish_non_exhaustive()
    }
}

fn locked(db: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    db.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SearchIndex {
    /// Opens the index of a ledger; makes it anew where it is missing, cannot be read, or is of another history.
    pub fn open(path: &Path, ledger: &Ledger) -> Result<Self, StoreError> {
        let opened = open_files(path, ledger.keys());
        let of_this = |files: &Files| is_of(&locked(&files.writer), ledger).unwrap_or(false);
        let files = match opened {
            Ok(files) if of_this(&files) => files,
            Ok(files) => {
                drop(files);
                make(path, ledger.keys())?
            }
            Err(_) => make(path, ledger.keys())?,
        };
        Ok(Self { path: path.into(), files: RwLock::new(files) })
    }

    fn files(&self) -> RwLockReadGuard<'_, Files> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Throws everything away and begins anew, under another key: no copy of what there was can be opened any more.
    pub fn begin_anew(&self, ledger: &Ledger) -> Result<(), StoreError> {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        *files = make(&self.path, ledger.keys())?;
        Ok(())
    }

    /// Tells whether it can be used no more ([`bailey_keys::has_failed`]) and has to be made anew.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let files = self.files();
        bailey_keys::store::has_failed(&locked(&files.writer)) || bailey_keys::store::has_failed(&locked(&files.reader))
    }

    /// Tells how many entries of the log are taken up.
    pub fn size(&self) -> Result<u64, StoreError> {
        let files = self.files();
        let db = locked(&files.reader);
        db.query_row("SELECT size FROM mark", [], |row| row.get(0)).map_err(store_error)
    }

    /// Takes up what the log came to until it had `size` entries, of which `last` is the leaf of the last one, in one commit.
    pub fn take_up(&self, docs: &Docs, size: u64, last: &[u8]) -> Result<(), StoreError> {
        let files = self.files();
        let mut db = locked(&files.writer);
        let tx = db.transaction().map_err(store_error)?;
        docs.actions.iter().try_for_each(|doc| put_action(&tx, doc)).map_err(store_error)?;
        docs.tasks.iter().try_for_each(|doc| put_task(&tx, doc)).map_err(store_error)?;
        docs.requests.iter().try_for_each(|doc| put_request(&tx, doc)).map_err(store_error)?;
        tx.prepare_cached("UPDATE mark SET size = ?1, last = ?2")
            .and_then(|mut put| put.execute(params![size, last]))
            .map_err(store_error)?;
        tx.commit().map_err(store_error)
    }

    /// Finds actions, newest first.
    pub fn actions(&self, wanted: &Wanted) -> Result<Found<ActionId>, StoreError> {
        let (mut fits, mut values): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
        let by = if wanted.by == "rules" { Some("") } else { (!wanted.by.is_empty()).then_some(wanted.by.as_str()) };
        let some = |text: &str| (!text.is_empty()).then(|| Value::from(text.to_owned()));
        for (column, value) in [
            ("action.kind =", some(&wanted.kind)),
            ("action.state =", some(&wanted.state)),
            ("action.account =", some(&wanted.account)),
            ("action.by =", by.map(|by| Value::from(by.to_owned()))),
            ("action.wall_ms >=", wanted.from_ms.map(Value::from)),
            ("action.wall_ms <", wanted.to_ms.map(Value::from)),
        ] {
            if let Some(value) = value {
                values.push(value);
                fits.push(format!("{column} ?{}", values.len()));
            }
        }
        let fits = if fits.is_empty() { "1".to_owned() } else { fits.join(" AND ") };
        let row = |row: &rusqlite::Row<'_>| row.get(1).map(ActionId::from_bytes);
        self.find("action", "action.id", &fits, values, wanted, row)
    }

    /// Finds tasks, newest first.
    pub fn tasks(&self, wanted: &Wanted) -> Result<Found<TaskId>, StoreError> {
        self.find("task", "task.id", "1", Vec::new(), wanted, |row| row.get(1).map(TaskId::from_bytes))
    }

    /// Finds pieces of model requests, those that were sent last first; of those that `label` wrote, or of everybody.
    pub fn spans(&self, label: &str, wanted: &Wanted) -> Result<Found<HeldSpan>, StoreError> {
        let (fits, values) = match label {
            "" => ("1", Vec::new()),
            label => ("span.label = ?1", vec![Value::from(label.to_owned())]),
        };
        let row = |row: &rusqlite::Row<'_>| {
            let span = HeldSpan {
                task: TaskId::from_bytes(row.get(1)?),
                n: row.get(2)?,
                label: row.get(3)?,
                held: Vec::new(),
            };
            Ok((row.get::<_, u64>(0)?, span))
        };
        let found = self.find("span", "span.task, span.n, span.label", fits, values, wanted, row)?;
        let files = self.files();
        let db = locked(&files.reader);
        let held = |(place, span): (u64, HeldSpan)| {
            let mut query = db.prepare_cached("SELECT first, last FROM held WHERE span = ?1 ORDER BY first")?;
            let held = query.query_map([place], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(HeldSpan { held: held.collect::<rusqlite::Result<_>>()?, ..span })
        };
        let spans = found.found.into_iter().map(held).collect::<rusqlite::Result<_>>().map_err(store_error)?;
        Ok(Found { found: spans, before: found.before })
    }

    /// Finds what holds the words and fits; `table` and `columns` are of this file alone. Each row begins with its place and ends with
    /// whether it fits.
    fn find<T>(
        &self,
        table: &'static str,
        columns: &'static str,
        fits: &str,
        mut values: Vec<Value>,
        wanted: &Wanted,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Found<T>, StoreError> {
        let before = i64::try_from(wanted.before.unwrap_or(i64::MAX as u64)).unwrap_or(i64::MAX);
        let n = values.len();
        let query = match expression(&wanted.words) {
            Some(words) => {
                values.extend([Value::from(words), Value::from(before), Value::from(i64::from(LOOKED_THROUGH))]);
                format!(
                    "SELECT hit.rowid, {columns}, {fits} FROM (SELECT rowid FROM {table}_words WHERE {table}_words MATCH ?{}
                       AND rowid < ?{} ORDER BY rowid DESC LIMIT ?{}) AS hit CROSS JOIN {table} ON {table}.place = hit.rowid
                     ORDER BY hit.rowid DESC",
                    n + 1,
                    n + 2,
                    n + 3
                )
            }
            // Words that hold no letter and no figure are found nowhere.
            None if !wanted.words.trim().is_empty() => return Ok(Found { found: Vec::new(), before: None }),
            None => {
                values.push(Value::from(before));
                format!(
                    "SELECT place, {columns}, 1 FROM {table} WHERE {fits} AND place < ?{} ORDER BY place DESC",
                    n + 1
                )
            }
        };
        let files = self.files();
        let db = locked(&files.reader);
        let mut query = db.prepare_cached(&query).map_err(store_error)?;
        let last_column = query.column_count().saturating_sub(1);
        let mut rows = query.query(params_from_iter(values)).map_err(store_error)?;
        let (mut found, mut last, mut looked) = (Vec::new(), None, 0);
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        while let Some(row) = rows.next().map_err(store_error)? {
            if found.len() == limit {
                return Ok(Found { found, before: last });
            }
            looked += 1;
            last = Some(row.get(0).map_err(store_error)?);
            if row.get::<_, bool>(last_column).map_err(store_error)? {
                found.push(read(row).map_err(store_error)?);
            }
        }
        Ok(Found { found, before: last.filter(|_| looked == LOOKED_THROUGH) })
    }
}

/// Returns a search as FTS5 takes it (section 3): every word a string of its own, so that nothing of it is an operator. Nothing where
/// there is nothing to look for.
fn expression(search: &str) -> Option<String> {
    let end = (0..=search.len().min(MAX_SEARCH_BYTES)).rev().find(|at| search.is_char_boundary(*at)).unwrap_or(0);
    let search = search.get(..end).unwrap_or_default();
    let mut words: Vec<(String, bool)> = Vec::new();
    for (n, part) in search.split('"').enumerate() {
        if n % 2 == 1 {
            words.push((part.to_owned(), false));
        } else {
            words.extend(part.split_whitespace().map(|word| (word.to_owned(), true)));
        }
    }
    words.retain(|(word, _)| word.chars().any(char::is_alphanumeric));
    words.truncate(MAX_SEARCH_WORDS);
    let count = words.len();
    let one = |(n, (word, may_go_on)): (usize, (String, bool))| {
        format!("\"{word}\"{}", if may_go_on && n + 1 == count { "*" } else { "" })
    };
    (count > 0).then(|| words.into_iter().enumerate().map(one).collect::<Vec<_>>().join(" "))
}

fn clipped(text: &str) -> &str {
    let end = (0..=text.len().min(MAX_TEXT_BYTES)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn put_action(tx: &Transaction<'_>, doc: &ActionDoc) -> rusqlite::Result<()> {
    let ActionDoc { place, id, kind, state, account, by, wall_ms, words } = doc;
    tx.prepare_cached("DELETE FROM action_words WHERE rowid = ?1")?.execute([place])?;
    tx.prepare_cached("INSERT OR REPLACE INTO action VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(params![
        place,
        id.as_bytes(),
        kind,
        state,
        account,
        by,
        wall_ms
    ])?;
    tx.prepare_cached("INSERT INTO action_words (rowid, words) VALUES (?1, ?2)")?
        .execute(params![place, clipped(words)])?;
    Ok(())
}

fn put_task(tx: &Transaction<'_>, doc: &TaskDoc) -> rusqlite::Result<()> {
    let mut known = tx.prepare_cached("SELECT place FROM task WHERE id = ?1")?;
    let place: Option<u64> = known.query_row([doc.id.as_bytes()], |row| row.get(0)).optional()?;
    let place = place.unwrap_or(doc.place);
    tx.prepare_cached("DELETE FROM task_words WHERE rowid = ?1")?.execute([place])?;
    tx.prepare_cached("INSERT OR REPLACE INTO task VALUES (?1, ?2)")?.execute(params![place, doc.id.as_bytes()])?;
    tx.prepare_cached("INSERT INTO task_words (rowid, words) VALUES (?1, ?2)")?
        .execute(params![place, clipped(&doc.words)])?;
    Ok(())
}

fn put_request(tx: &Transaction<'_>, doc: &RequestDoc) -> rusqlite::Result<()> {
    let task = doc.task.as_bytes();
    for (n, label, words) in &doc.spans {
        let mut known = tx.prepare_cached("SELECT place FROM span WHERE task = ?1 AND n = ?2")?;
        let place: Option<i64> = known.query_row(params![task, n], |row| row.get(0)).optional()?;
        let place = match (place, words) {
            (Some(place), _) => place,
            (None, None) => continue,
            (None, Some(words)) => {
                tx.prepare_cached("INSERT INTO span (task, n, label) VALUES (?1, ?2, ?3)")?
                    .execute(params![task, n, label])?;
                let place = tx.last_insert_rowid();
                tx.prepare_cached("INSERT INTO span_words (rowid, words) VALUES (?1, ?2)")?
                    .execute(params![place, clipped(words)])?;
                place
            }
        };
        let grown = tx
            .prepare_cached("UPDATE held SET last = ?2 WHERE span = ?1 AND first <= ?2 AND last >= ?2 - 1")?
            .execute(params![place, doc.n])?;
        if grown == 0 {
            tx.prepare_cached("INSERT OR IGNORE INTO held VALUES (?1, ?2, ?2)")?.execute(params![place, doc.n])?;
        }
    }
    Ok(())
}

/// Tells whether an index is of this format and this history.
fn is_of(db: &Connection, ledger: &Ledger) -> Result<bool, StoreError> {
    let (format, size, last): (u64, u64, Option<Vec<u8>>) =
        db.query_row("SELECT format, size, last FROM mark", [], |row| row.try_into()).map_err(store_error)?;
    let agrees = match (size.checked_sub(1), last) {
        (None, _) => true,
        (Some(before), Some(last)) => ledger.leaf_at(before)?.is_some_and(|leaf| leaf.as_slice() == last),
        (Some(_), None) => false,
    };
    Ok(format == FORMAT && agrees)
}

fn open_files(path: &Path, keys: &KeyStore) -> Result<Files, StoreError> {
    let key = keys.database_key(KEY).map_err(key_error)?;
    let open = || {
        let db = open_database(path, &key, false)?;
        // It can be made anew, so the last moments of it may be lost.
        db.execute_batch("PRAGMA synchronous = NORMAL")?;
        Ok(db)
    };
    let (writer, reader) = open().and_then(|writer| Ok((writer, open()?))).map_err(lost)?;
    reader.pragma_update(None, "query_only", true).map_err(lost)?;
    Ok(Files { writer: Mutex::new(writer), reader: Mutex::new(reader) })
}

/// Makes an empty index under a key of its own.
fn make(path: &Path, keys: &KeyStore) -> Result<Files, StoreError> {
    keys.destroy_database_key(KEY).map_err(key_error)?;
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Broken(format!("`{}` cannot be removed: {error}", Path::new(&name).display())));
            }
            Ok(()) | Err(_) => {}
        }
    }
    let key = keys.database_key(KEY).map_err(key_error)?;
    let db = open_database(path, &key, true).map_err(lost)?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(lost)?;
    db.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;")).map_err(lost)?;
    drop(db);
    open_files(path, keys)
}

/// Says what is wrong with the index alone: nothing that is wrong with it is wrong with the ledger.
fn lost(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Broken(format!("the search index cannot be used: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_words_and_phrases_and_never_an_operator() {
        for (search, wanted) in [
            ("", None),
            (" - * ", None),
            ("ana", Some("\"ana\"*")),
            ("ana tues", Some("\"ana\" \"tues\"*")),
            ("\"on tuesday\" ana", Some("\"on tuesday\" \"ana\"*")),
            ("ana \"on tuesday\"", Some("\"ana\" \"on tuesday\"")),
            ("ana \"on tue", Some("\"ana\" \"on tue\"")),
            ("a OR b NOT c", Some("\"a\" \"OR\" \"b\" \"NOT\" \"c\"*")),
            ("words:x ^y z*", Some("\"words:x\" \"^y\" \"z*\"*")),
        ] {
            assert_eq!(expression(search).as_deref(), wanted, "{search}");
        }
        assert_eq!(expression(&"a ".repeat(500)).unwrap().matches("\"a\"").count(), MAX_SEARCH_WORDS);
        assert!(expression(&"\u{e4}".repeat(1_000)).unwrap().len() <= MAX_SEARCH_BYTES + 3);
    }
}
