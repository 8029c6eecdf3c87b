//! Opening a store: what has to be as it was, and what is brought up to date.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bailey_gate::HomeId;
use bailey_gate::Now;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::Party;
use bailey_gate::ground::skeleton;
use bailey_gate::handoff::{Mode, PauseState};
use bailey_gate::ledger::StoreError;
use bailey_keys::sign::SigningKey;
use bailey_keys::store::{KeyStore, look_through, open_database};
use bailey_keys::{HomeKey, KeyError, random};
use rusqlite::{Connection, OptionalExtension as _};

use super::Ledger;
use super::writer::{Line, Writer, checkpoint_in};
use crate::aside::{is_damaged_log, log_of, set_aside};
use crate::backend::Header;
use crate::checkpoint::{self, hex};
use crate::claims::ClaimTimes;
use crate::mark::{Kept, Mark, MarkStore};
use crate::queries;
use crate::readers::{READERS, Readers};
use crate::schema::{MIGRATIONS, RETIRES_KEYS, put_kinds, take_step};
use crate::tree::{Tree, leaf};
use crate::tx::{GenesisKey, LedgerTx, Log};

/// Where the parts of a ledger lie.
pub struct Paths<'a> {
    /// The database.
    pub database: &'a Path,
    /// The key store.
    pub keys: &'a Path,
    /// The mark, outside the home's folder.
    pub mark: Box<dyn MarkStore>,
    /// Tells whether to make a new ledger; else a missing or empty one is an error, never a new beginning.
    pub create: bool,
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// A new home.
    New,
    /// The log is where the mark says, or further.
    Continued,
    /// The database is older than the mark, or another history: someone put a copy in its place, or the mark is gone.
    RolledBack {
        /// The epoch the mark had; the current one must be above it.
        epoch: u64,
    },
    /// The mark is there and cannot be read: nothing says how far the log had come. A copy of the mark was set aside.
    MarkDamaged,
}

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The wrong key, or no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database cannot be used.
    #[error("the database of the home cannot be opened: {0}; if its disk is fine, put the last backup back")]
    Database(String),
    /// There is no room to open it.
    #[error("the disk is full, so the home cannot start, and nothing leaves; free some space on it and start again")]
    Full,
    /// Written by a newer release.
    #[error("the database has format {found}, this release knows up to {known}; install the newer release again")]
    TooNew {
        /// Its format.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// It is not there, or holds nothing.
    #[error(
        "the database of the home is missing or empty, or cannot be opened; put it back, or restore the last backup of the whole folder"
    )]
    Missing,
    /// A damaged file has to be kept first.
    #[error(
        "`{path}` is damaged and could not be set aside, so nothing was started: {source}; make room, or copy it yourself and remove it"
    )]
    Aside {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The mark cannot be read.
    #[error("the mark file cannot be used: {0}")]
    Mark(#[from] io::Error),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            other => Self::Database(other.to_string()),
        }
    }
}

impl Ledger {
    /// Opens or creates the store of a home. The caller holds the home's lock file: two writers would corrupt nothing,
    /// but each would think the other's entries missing.
    pub fn open(paths: Paths<'_>, home: HomeKey, now: Now) -> Result<(Self, Opened), OpenError> {
        let home_id = HomeId::from_bytes(*home.home());
        let database_key = home.derive("ledger database")?;
        // INVARIANT: a missing database is an error, never a new beginning, and so is a missing key store.
        let keys = KeyStore::open(paths.keys, home, paths.create)?;
        let set_aside = keep_damaged_log(paths.database, now)?.into_iter().collect();
        let mut db = open_database(paths.database, &database_key, paths.create).map_err(database)?;
        db.pragma_update(None, "journal_mode", "WAL").map_err(database)?;
        let (fresh, found) = migrate(&mut db, paths.create)?;
        let signing = SigningKey::from_seed(&keys.signing_seed("log checkpoints")?)?;
        let used: u64 = db.query_row(queries::HIGHEST_KEY, [], |row| row.get(0)).map_err(database)?;
        if found < RETIRES_KEYS && !fresh {
            destroy_left_behind(&db, &keys, used)?;
        }
        destroy_retired(&db, &keys)?;
        keys.start_after(used);
        let reader = || {
            let reader = open_database(paths.database, &database_key, false)?;
            reader.pragma_update(None, "query_only", true)?;
            Ok(reader)
        };
        let readers = (0..READERS).map(|_| reader()).collect::<Result<_, _>>().map_err(database)?;

        let log = if fresh { begin(&mut db, &keys, &signing, now)? } else { continued(&db)? };
        let mut ledger = Self {
            writer: Mutex::new(Writer::new(db, log)),
            line: Line::default(),
            surroundings: AtomicU64::new(0),
            claims: Mutex::default(),
            keys,
            signing,
            mark: paths.mark,
            readers: Readers::new(readers),
            home: home_id,
            retired: Mutex::default(),
            timed: Mutex::default(),
            decisions: Mutex::default(),
            mark_held: AtomicBool::new(false),
            same_run: fresh,
            set_aside,
            blocks: Mutex::default(),
            appended: Arc::default(),
        };
        ledger.appended.tell(ledger.writer().log.tree.size());
        let opened = if fresh { Opened::New } else { ledger.compare_with_mark(now)? };
        Ok((ledger, opened))
    }

    fn compare_with_mark(&mut self, now: Now) -> Result<Opened, OpenError> {
        let (kept, witness) = (self.mark.read()?, self.mark.witness());
        let damaged = kept == Kept::Damaged;
        if damaged {
            self.set_aside.push(self.mark.set_aside(now)?);
        }
        let mark = if let Kept::Whole(mark) = kept { Some(mark) } else { None };
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let agrees = mark.as_ref().map_or(Ok(false), |mark| writer.agrees_with(mark))?;
        let witnessed = witness.as_ref().map_or(Ok(true), |witness| writer.agrees_with(witness))?;
        if agrees && witnessed {
            self.same_run = witness.is_some();
            return Ok(Opened::Continued);
        }
        self.mark_held.store(true, Ordering::SeqCst);
        if damaged && witnessed {
            // Damage says nothing about age, and neither does the witness say that it is old.
            self.same_run = witness.is_some();
            return Ok(Opened::MarkDamaged);
        }
        let epoch = mark.into_iter().chain(witness).map(|mark| mark.epoch).max().unwrap_or(0);
        writer.log.incarnation = hex(&random::<8>()?);
        // The lost history may have used key numbers that this one does not know of.
        self.keys.start_after(self.keys.highest()?);
        Ok(Opened::RolledBack { epoch })
    }

    /// Goes on from an older copy, once everything it must not revive is dealt with: it becomes a history of its own. From one whose
    /// mark was damaged, too, once that is paused.
    pub fn adopt(&self) -> Result<(), OpenError> {
        let writer = self.writer();
        let name = writer.log.incarnation.as_bytes();
        writer.db.execute("UPDATE meta SET value = ?1 WHERE name = 'incarnation'", [name]).map_err(database)?;
        self.mark_held.store(false, Ordering::SeqCst);
        Ok(self.write_mark(&writer.log)?)
    }
}

impl Writer {
    /// Tells whether the log is where a mark says, or further.
    fn agrees_with(&self, mark: &Mark) -> Result<bool, OpenError> {
        Ok(mark.incarnation == self.log.incarnation
            && tree_at(&self.db, mark.size)?.is_some_and(|tree| hex(&tree.root()) == mark.root))
    }
}

fn database(error: rusqlite::Error) -> OpenError {
    // No room for the index of the write-ahead log is an error of its own (SQLITE_IOERR_SHMSIZE, sqlite.org/rescode.html).
    if error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
        return OpenError::Full;
    }
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => OpenError::Full,
        // The home's key was the right one, or nothing would have come so far.
        Some(rusqlite::ErrorCode::NotADatabase) => {
            OpenError::Database("a page of it is damaged, or it is another home's".into())
        }
        Some(rusqlite::ErrorCode::CannotOpen) => OpenError::Missing,
        _ => OpenError::Database(error.to_string()),
    }
}

/// Keeps a copy of a write-ahead log that SQLite would take for empty.
fn keep_damaged_log(database: &Path, now: Now) -> Result<Option<PathBuf>, OpenError> {
    let path = log_of(database);
    let kept = match is_damaged_log(&path) {
        Ok(true) => set_aside(&path, now).map(Some),
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    kept.map_err(|source| OpenError::Aside { path, source })
}

/// Brings the schema up to date; true if the database is new, and the format it had. An empty one that should not be is left as
/// it is.
fn migrate(db: &mut Connection, create: bool) -> Result<(bool, usize), OpenError> {
    let found: usize = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(database)?;
    if found == 0 && !create {
        return Err(OpenError::Missing);
    }
    if found > MIGRATIONS.len() {
        return Err(OpenError::TooNew { found, known: MIGRATIONS.len() });
    }
    for (index, step) in MIGRATIONS.iter().enumerate().skip(found) {
        take_step(db, index, step).map_err(database)?;
    }
    put_kinds(db).map_err(database)?;
    work_out_likenesses(db).map_err(database)?;
    let begun: bool = db.query_row(queries::BEGUN, [], |row| row.get(0)).map_err(database)?;
    if begun || create { Ok((!begun, found)) } else { Err(OpenError::Missing) }
}

/// Destroys the keys that a crash kept from being destroyed.
fn destroy_retired(db: &Connection, keys: &KeyStore) -> Result<(), OpenError> {
    let retired: Vec<u64> = {
        let mut query = db.prepare("SELECT id FROM retired_key").map_err(database)?;
        let retired = query.query_map([], |row| row.get(0)).map_err(database)?;
        retired.collect::<Result<_, _>>().map_err(database)?
    };
    if retired.is_empty() {
        return Ok(());
    }
    keys.destroy(&retired)?;
    db.execute("DELETE FROM retired_key", []).map_err(database)?;
    Ok(())
}

/// Destroys the keys that earlier releases left behind for what was replaced: every one up to the highest in use that opens
/// nothing.
fn destroy_left_behind(db: &Connection, keys: &KeyStore, used: u64) -> Result<(), OpenError> {
    let mut query = db.prepare(queries::KEYS_IN_USE).map_err(database)?;
    let in_use = query.query_map([], |row| row.get(0)).map_err(database)?;
    let in_use: BTreeSet<u64> = in_use.collect::<Result<_, _>>().map_err(database)?;
    let mut left = keys.numbers(used)?;
    left.retain(|number| !in_use.contains(number));
    if !left.is_empty() {
        keys.destroy(&left)?;
        keys.compact()?;
    }
    Ok(())
}

/// Fills in by what likenesses are found, for those known since before that was kept.
fn work_out_likenesses(db: &mut Connection) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    {
        let mut missing =
            tx.prepare("SELECT kind, value FROM party INDEXED BY party_without_likeness WHERE likeness IS NULL")?;
        let parties = missing.query_map([], |row| Ok(Party { kind: row.get(0)?, value: row.get(1)? }))?;
        let mut fill = tx.prepare("UPDATE party SET likeness = ?3 WHERE kind = ?1 AND value = ?2")?;
        for party in parties.collect::<rusqlite::Result<Vec<_>>>()? {
            fill.execute([&party.kind, &party.value, &skeleton(&party)])?;
        }
    }
    tx.commit()
}

/// Writes the first entry, which names the log and its key.
fn begin(db: &mut Connection, keys: &KeyStore, signing: &SigningKey, now: Now) -> Result<Log, OpenError> {
    let genesis = GenesisKey { nonce: random()?, public: signing.public() };
    let mut log = Log {
        id: checkpoint::log_id(&genesis.nonce, &genesis.public),
        incarnation: hex(&random::<8>()?),
        tree: Tree::default(),
        epoch: 0,
        checkpointed: 0,
        moves_mark: false,
        wants_checkpoint: false,
        retired: Vec::new(),
        surroundings: 0,
    };
    let tx = db.transaction().map_err(database)?;
    for (name, value) in [("log", &log.id), ("incarnation", &log.incarnation)] {
        tx.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", (name, value.as_bytes())).map_err(database)?;
    }
    let pause_state = PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 };
    let mut event = Event::of_home(EventKind::Genesis, Actor::Home, now, pause_state);
    event.payload = Payload::default();
    LedgerTx::new(&tx, keys, &Mutex::<ClaimTimes>::default(), &mut log).append(&event, Some(&genesis))?;
    checkpoint_in(&*tx, &mut log, signing)?;
    tx.commit().map_err(database)?;
    log.moves_mark = true;
    log.wants_checkpoint = false;
    Ok(log)
}

fn continued(db: &Connection) -> Result<Log, OpenError> {
    let meta = |name: &str| -> Result<String, OpenError> {
        let value: Vec<u8> =
            db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).map_err(database)?;
        String::from_utf8(value).map_err(|_| OpenError::Database("its identity is damaged".into()))
    };
    let entries: u64 = db.query_row(queries::SIZE, [], |row| row.get(0)).map_err(database)?;
    let checkpointed: u64 =
        db.query_row("SELECT coalesce(max(size), 0) FROM checkpoint", [], |row| row.get(0)).map_err(database)?;
    let tree = tree_at(db, entries)?.ok_or_else(|| OpenError::Database("its log has a gap".into()))?;
    Ok(Log {
        id: meta("log")?,
        incarnation: meta("incarnation")?,
        tree,
        epoch: last_epoch(db)?,
        checkpointed,
        moves_mark: false,
        wants_checkpoint: false,
        retired: Vec::new(),
        surroundings: 0,
    })
}

/// Returns the epoch of the newest entry; epochs only rise.
fn last_epoch(db: &Connection) -> Result<u64, OpenError> {
    let Header(header) = db.query_row(queries::LAST, [], |row| row.get(0)).map_err(database)?;
    let header: Option<serde_json::Value> = serde_json::from_str(&header).ok();
    let epoch = header.as_ref().and_then(|header| header.get("epoch")).and_then(serde_json::Value::as_u64);
    epoch.ok_or_else(|| OpenError::Database("the newest entry of its log is damaged".into()))
}

/// Returns the tree as it was at `size` entries, from the last checkpoint before; `None` if the log is shorter.
fn tree_at(db: &Connection, size: u64) -> Result<Option<Tree>, OpenError> {
    let stored: Option<Vec<u8>> = db
        .query_row("SELECT tree FROM checkpoint WHERE size <= ?1 ORDER BY size DESC LIMIT 1", [size], |row| row.get(0))
        .optional()
        .map_err(database)?;
    let mut tree = match stored {
        None => Tree::default(),
        Some(bytes) => Tree::from_bytes(&bytes).ok_or_else(|| OpenError::Database("a checkpoint is damaged".into()))?,
    };
    let mut query = db.prepare(queries::LEAVES).map_err(database)?;
    let mut rows = query.query((tree.size(), size)).map_err(database)?;
    while let Some(row) = rows.next().map_err(database)? {
        let Header(header) = row.get(0).map_err(database)?;
        tree.append(leaf(header.as_bytes()));
    }
    Ok((tree.size() == size).then_some(tree))
}

/// Looks through the databases of a home and changes nothing: every page of both, and the end of the log.
///
/// The home may run meanwhile.
pub fn look(database_path: &Path, keys: &Path, home: &HomeKey) -> Result<(), OpenError> {
    look_through(keys, &home.derive("key store database")?, |_| Ok(())).map_err(damaged_part("key store"))?;
    let log = log_of(database_path);
    if is_damaged_log(&log).map_err(|error| OpenError::Database(error.to_string()))? {
        return Err(OpenError::Database("its write-ahead log is damaged, and the last entries may be missing".into()));
    }
    let key = home.derive("ledger database")?;
    look_through(database_path, &key, |db| Ok(continued(db).map(|_| ()))).map_err(damaged_part("database"))?
}

fn damaged_part(what: &'static str) -> impl Fn(rusqlite::Error) -> OpenError {
    move |error| match database(error) {
        OpenError::Database(why) => OpenError::Database(format!("the {what} cannot be read ({why})")),
        other => other,
    }
}
