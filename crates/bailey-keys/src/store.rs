//! The key store: one random key for every sealed payload, wrapped under the home key, in a small database of its own.
//!
//! It is small so that it can be vacuumed and backed up apart, each copy replacing the last: a payload whose key is
//! deleted here is gone from every copy of the large database too.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};

use crate::KeyError;
use crate::home::HomeKey;
use crate::secret::Key;

/// Keys made durable at a time, so that sealing a payload costs no flush of its own.
const POOL: u64 = 512;

/// Opens an encrypted database file (SQLCipher 4 format, raw key) with the settings every one of ours has. Makes a new one
/// only where told to.
pub fn open_database(path: &Path, key: &Key, create: bool) -> Result<Connection, rusqlite::Error> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let db = Connection::open_with_flags(path, flags)?;
    // What is wrong is in the errors; the library's own log on the terminal would only frighten.
    db.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let mut pragma = String::with_capacity(96);
    pragma.push_str("PRAGMA key = \"x'");
    for byte in key.expose() {
        use std::fmt::Write as _;
        let _ = write!(pragma, "{byte:02x}");
    }
    pragma.push_str("'\"");
    let keyed = db.execute_batch(&pragma);
    zeroize::Zeroize::zeroize(&mut pragma);
    keyed?;
    db.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    // The first read tells whether the key is right.
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(db)
}

/// Whether a connection that was open can be used no more: after one page that could not be read, SQLCipher lets it read none,
/// and every later call fails. Opening the database anew is the only way on.
#[must_use]
pub fn has_given_up(db: &Connection) -> bool {
    // What is in memory was read before.
    let _ = db.execute_batch("PRAGMA shrink_memory");
    let read = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    read.is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::NotADatabase))
}

struct Inner {
    db: Connection,
    pool: VecDeque<(u64, Key)>,
    next: u64,
}

/// The keys of single payloads.
pub struct KeyStore {
    home: HomeKey,
    inner: Mutex<Inner>,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyStore(…)")
    }
}

impl KeyStore {
    /// Opens the store, or creates it where told to. Takes the home key over: from here on it is reached through the store
    /// only. One that is missing or empty is [`KeyError::Missing`]: a new one could open nothing, and would sign the log
    /// with another key.
    pub fn open(path: &Path, home: HomeKey, create: bool) -> Result<Self, KeyError> {
        let db = match open_database(path, &home.derive("key store database")?, create) {
            Err(error) if !create && error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
                return Err(KeyError::Missing(path.into()));
            }
            opened => opened?,
        };
        let tables: u64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 && !create {
            return Err(KeyError::Missing(path.into()));
        }
        db.execute_batch(
            "PRAGMA journal_mode = TRUNCATE;
             CREATE TABLE IF NOT EXISTS key (
               id INTEGER PRIMARY KEY CHECK (id > 0),
               wrapped BLOB NOT NULL
             ) STRICT;
             CREATE TABLE IF NOT EXISTS signing (
               label TEXT PRIMARY KEY,
               wrapped BLOB NOT NULL
             ) STRICT;",
        )?;
        Ok(Self { home, inner: Mutex::new(Inner { db, pool: VecDeque::new(), next: 1 }) })
    }

    /// The home key, for databases and sealed records.
    #[must_use]
    pub const fn home(&self) -> &HomeKey {
        &self.home
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the store can be used no more by this process ([`has_given_up`]).
    #[must_use]
    pub fn has_given_up(&self) -> bool {
        has_given_up(&self.lock().db)
    }

    /// Says which key numbers are in use, so that unused ones of an earlier run are used first.
    pub fn start_after(&self, used: u64) {
        let mut inner = self.lock();
        inner.pool.clear();
        inner.next = used + 1;
    }

    /// The highest number of any key that is stored; 0 where there is none.
    pub fn highest(&self) -> Result<u64, KeyError> {
        Ok(self.lock().db.query_row("SELECT coalesce(max(id), 0) FROM key", [], |row| row.get(0))?)
    }

    /// The next unused key and its number. Durable before it is returned.
    pub fn draw(&self) -> Result<(u64, Key), KeyError> {
        let mut inner = self.lock();
        if inner.pool.is_empty() {
            self.refill(&mut inner)?;
        }
        inner.pool.pop_front().ok_or(KeyError::Crypto)
    }

    fn refill(&self, inner: &mut Inner) -> Result<(), KeyError> {
        let first = inner.next;
        let mut fresh = VecDeque::new();
        let tx = inner.db.transaction()?;
        for id in first..first + POOL {
            let stored: Option<Vec<u8>> =
                tx.query_row("SELECT wrapped FROM key WHERE id = ?1", [id], |row| row.get(0)).optional()?;
            let key = match stored {
                Some(wrapped) => self.unwrap(id, &wrapped)?,
                None => {
                    let key = Key::random()?;
                    let wrapped = self.home.seal(&id.to_be_bytes(), "payload key", 1, key.expose())?;
                    tx.execute("INSERT INTO key (id, wrapped) VALUES (?1, ?2)", params![id, wrapped])?;
                    key
                }
            };
            fresh.push_back((id, key));
        }
        tx.commit()?;
        inner.pool = fresh;
        inner.next = first + POOL;
        Ok(())
    }

    fn unwrap(&self, id: u64, wrapped: &[u8]) -> Result<Key, KeyError> {
        let bytes = self.home.open(&id.to_be_bytes(), "payload key", 1, wrapped)?;
        Ok(Key::from_bytes(bytes.try_into().map_err(|_| KeyError::Wrong)?))
    }

    /// The key of a number; [`KeyError::Destroyed`] if it is gone.
    pub fn fetch(&self, id: u64) -> Result<Key, KeyError> {
        let inner = self.lock();
        if let Some((_, key)) = inner.pool.iter().find(|(pooled, _)| *pooled == id) {
            return Ok(Key::from_bytes(*key.expose()));
        }
        let wrapped: Option<Vec<u8>> =
            inner.db.query_row("SELECT wrapped FROM key WHERE id = ?1", [id], |row| row.get(0)).optional()?;
        self.unwrap(id, &wrapped.ok_or(KeyError::Destroyed)?)
    }

    /// Destroys keys: their rows are overwritten, and what they sealed cannot be opened again by anyone.
    pub fn destroy(&self, ids: &[u64]) -> Result<(), KeyError> {
        let mut inner = self.lock();
        inner.pool.retain(|(pooled, _)| !ids.contains(pooled));
        let tx = inner.db.transaction()?;
        for id in ids {
            tx.execute("DELETE FROM key WHERE id = ?1", [id])?;
        }
        tx.commit()?;
        inner.db.execute_batch("VACUUM")?;
        Ok(())
    }

    /// The seed of a named signing key, drawn when first asked for.
    pub fn signing_seed(&self, label: &'static str) -> Result<Key, KeyError> {
        let inner = self.lock();
        let stored: Option<Vec<u8>> =
            inner.db.query_row("SELECT wrapped FROM signing WHERE label = ?1", [label], |row| row.get(0)).optional()?;
        match stored {
            Some(wrapped) => {
                let bytes = self.home.open(label.as_bytes(), "signing seed", 1, &wrapped)?;
                Ok(Key::from_bytes(bytes.try_into().map_err(|_| KeyError::Wrong)?))
            }
            None => {
                let seed = Key::random()?;
                let wrapped = self.home.seal(label.as_bytes(), "signing seed", 1, seed.expose())?;
                inner.db.execute("INSERT INTO signing (label, wrapped) VALUES (?1, ?2)", params![label, wrapped])?;
                Ok(seed)
            }
        }
    }
}
