//! The key store: one random key for every sealed payload, wrapped under the home key, in a small database of its own.
//!
//! It is small so that it can be backed up apart, each copy replacing the last: a payload whose key is deleted here is gone
//! from every copy of the large database too. What is deleted is overwritten in place (`secure_delete`), and the room it took
//! is used again.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};

use crate::KeyError;
use crate::home::HomeKey;
use crate::opened::Opened;
use crate::secret::Key;

/// Keys made durable at a time, so that sealing a payload costs no flush of its own.
const POOL: u64 = 512;
/// Keys left at which more are made, by whoever has just finished: whoever seals a payload then never waits for it.
const LOW: usize = 256;

/// Statements that a connection keeps compiled: more than there are.
const STATEMENTS: usize = 128;

/// Opens an encrypted database file (SQLCipher 4 format, raw key) with the settings every one of ours has. Makes a new one
/// only where told to.
pub fn open_database(path: &Path, key: &Key, create: bool) -> Result<Connection, rusqlite::Error> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    opened(path, key, flags)
}

/// Reads an encrypted database file through, and changes nothing: what is wrong with it, if anything is. `look` looks further, where
/// every page could be read. A change that a crash cut off is rolled back first, as by whatever opens the file next: before that
/// its pages say nothing.
pub fn look_through<T>(
    path: &Path,
    key: &Key,
    look: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
) -> Result<T, rusqlite::Error> {
    let read_only = || opened(path, key, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let db = match read_only() {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {
            drop(open_database(path, key, false)?);
            read_only()?
        }
        other => other?,
    };
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
            Some(found),
        ));
    }
    look(&db)
}

fn opened(path: &Path, key: &Key, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
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
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // The first read tells whether the key is right.
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(db)
}

/// Tells whether a connection that was open can be used no more: after one page that could not be read, SQLCipher lets it
/// read none, and every later call fails. Opening the database anew is the only way on.
#[must_use]
pub fn has_failed(db: &Connection) -> bool {
    // What is in memory was read before.
    let _ = db.execute_batch("PRAGMA shrink_memory");
    let read = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    read.is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::NotADatabase))
}

/// Keys drawn ahead.
struct Pool {
    keys: VecDeque<(u64, Key)>,
    next: u64,
}

/// The keys of single payloads.
///
/// Locks are taken in the order of the fields. The pool has one of its own, held for no longer than taking a key out of it, so
/// that whoever seals a payload does not wait for a flush; `filling` keeps those who fill it in turn. Keys that were fetched
/// are kept opened (`Opened`), so that whoever reads a list again does not wait for the database, and its flushes, either.
pub struct KeyStore {
    home: HomeKey,
    filling: Mutex<()>,
    pool: Mutex<Pool>,
    db: Mutex<Connection>,
    opened: Mutex<Opened>,
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
        let pool = Pool { keys: VecDeque::new(), next: 1 };
        let (filling, opened) = (Mutex::default(), Mutex::default());
        Ok(Self { home, filling, pool: Mutex::new(pool), db: Mutex::new(db), opened })
    }

    /// Returns the home key, for databases and sealed records.
    #[must_use]
    pub const fn home(&self) -> &HomeKey {
        &self.home
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether the store can be used no more by this process ([`has_failed`]).
    #[must_use]
    pub fn has_failed(&self) -> bool {
        has_failed(&self.db())
    }

    /// Says which key numbers are in use, so that unused ones of an earlier run are used first.
    pub fn start_after(&self, used: u64) {
        let mut pool = self.pool();
        pool.keys.clear();
        pool.next = used + 1;
    }

    /// Returns the highest number of any key that is stored; 0 where there is none.
    pub fn highest(&self) -> Result<u64, KeyError> {
        Ok(self.db().query_row("SELECT coalesce(max(id), 0) FROM key", [], |row| row.get(0))?)
    }

    /// Returns the next unused key and its number. Durable before it is returned.
    pub fn draw(&self) -> Result<(u64, Arc<Key>), KeyError> {
        loop {
            let drawn = self.pool().keys.pop_front();
            if let Some((id, key)) = drawn {
                // What was just written is read next.
                let key = Arc::new(key);
                self.opened().keep_new(id, &key);
                return Ok((id, key));
            }
            self.fill(1)?;
        }
    }

    /// Makes more keys durable where few are left, so that whoever draws one next finds it there. Waits for a flush: never within
    /// a transaction.
    pub fn fill_up(&self) -> Result<(), KeyError> {
        if self.pool().keys.len() < LOW { self.fill(LOW) } else { Ok(()) }
    }

    /// Adds keys to the pool unless it has at least so many. They are added, and so drawn, in the order of their numbers.
    fn fill(&self, wanted: usize) -> Result<(), KeyError> {
        let _filling = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        let first = {
            let pool = self.pool();
            if pool.keys.len() >= wanted {
                return Ok(());
            }
            pool.next
        };
        let fresh = self.make(first)?;
        let mut pool = self.pool();
        pool.keys.extend(fresh);
        pool.next = first + POOL;
        Ok(())
    }

    fn make(&self, first: u64) -> Result<VecDeque<(u64, Key)>, KeyError> {
        let mut fresh = VecDeque::new();
        let mut db = self.db();
        let tx = db.transaction()?;
        for id in first..first + POOL {
            let key = match wrapped(&tx, id)? {
                Some(wrapped) => self.unwrap(id, &wrapped)?,
                None => {
                    let key = Key::random()?;
                    let wrapped = self.home.seal(&id.to_be_bytes(), "payload key", 1, key.expose())?;
                    tx.prepare_cached("INSERT INTO key (id, wrapped) VALUES (?1, ?2)")?
                        .execute(params![id, wrapped])?;
                    key
                }
            };
            fresh.push_back((id, key));
        }
        tx.commit()?;
        Ok(fresh)
    }

    fn unwrap(&self, id: u64, wrapped: &[u8]) -> Result<Key, KeyError> {
        let bytes = self.home.open(&id.to_be_bytes(), "payload key", 1, wrapped)?;
        Ok(Key::from_bytes(bytes.try_into().map_err(|_| KeyError::Wrong)?))
    }

    /// Returns the key of a number; [`KeyError::Destroyed`] if it is gone.
    pub fn fetch(&self, id: u64) -> Result<Arc<Key>, KeyError> {
        let seen = match self.opened().find(id) {
            Ok(key) => return Ok(key),
            Err(seen) => seen,
        };
        // Unwrapped without a lock: whoever reads a long list holds up nobody who writes.
        let wrapped = wrapped(&self.db(), id)?;
        let key = Arc::new(self.unwrap(id, &wrapped.ok_or(KeyError::Destroyed)?)?);
        self.opened().keep(id, &key, seen);
        Ok(key)
    }

    /// Destroys keys: their rows are overwritten, and what they sealed cannot be opened again by anyone, from this process's
    /// memory either once this returns. One that is gone already is no error.
    pub fn destroy(&self, ids: &[u64]) -> Result<(), KeyError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.pool().keys.retain(|(pooled, _)| !ids.contains(pooled));
        let deleted = self.delete(ids);
        // INVARIANT: behind the deletion, whatever came of it: whoever read a row before it may have kept the key meanwhile.
        self.opened().forget(ids);
        deleted
    }

    fn delete(&self, ids: &[u64]) -> Result<(), KeyError> {
        let mut db = self.db();
        let tx = db.transaction()?;
        for id in ids {
            tx.prepare_cached("DELETE FROM key WHERE id = ?1")?.execute([id])?;
        }
        Ok(tx.commit()?)
    }

    /// Returns the numbers of every stored key up to one.
    pub fn numbers(&self, up_to: u64) -> Result<Vec<u64>, KeyError> {
        let db = self.db();
        let mut query = db.prepare("SELECT id FROM key WHERE id <= ?1 ORDER BY id")?;
        // Beyond what the database can number there is nothing.
        let numbers = query.query_map([up_to.min(i64::MAX as u64)], |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// Gives back the room that destroyed keys took. Takes seconds where there are many: for openings, never for a step.
    pub fn compact(&self) -> Result<(), KeyError> {
        Ok(self.db().execute_batch("VACUUM")?)
    }

    /// Returns the seed of a named signing key, drawn when first asked for.
    pub fn signing_seed(&self, label: &'static str) -> Result<Key, KeyError> {
        self.named(label, "signing seed")
    }

    /// Returns the key of a database that can be made anew, drawn when first asked for.
    pub fn database_key(&self, label: &'static str) -> Result<Key, KeyError> {
        self.named(label, "database key")
    }

    /// Destroys such a key: no copy of its database can be opened any more, and the next time another is drawn.
    pub fn destroy_database_key(&self, label: &'static str) -> Result<(), KeyError> {
        self.db().execute("DELETE FROM signing WHERE label = ?1", [label])?;
        Ok(())
    }

    fn named(&self, label: &'static str, field: &'static str) -> Result<Key, KeyError> {
        let db = self.db();
        let stored: Option<Vec<u8>> =
            db.query_row("SELECT wrapped FROM signing WHERE label = ?1", [label], |row| row.get(0)).optional()?;
        match stored {
            Some(wrapped) => {
                let bytes = self.home.open(label.as_bytes(), field, 1, &wrapped)?;
                Ok(Key::from_bytes(bytes.try_into().map_err(|_| KeyError::Wrong)?))
            }
            None => {
                let seed = Key::random()?;
                let wrapped = self.home.seal(label.as_bytes(), field, 1, seed.expose())?;
                db.execute("INSERT INTO signing (label, wrapped) VALUES (?1, ?2)", params![label, wrapped])?;
                Ok(seed)
            }
        }
    }
}

fn wrapped(db: &Connection, id: u64) -> Result<Option<Vec<u8>>, KeyError> {
    let mut query = db.prepare_cached("SELECT wrapped FROM key WHERE id = ?1")?;
    Ok(query.query_row([id], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
    use aws_lc_rs::iv::FixedLength;

    use super::*;

    /// Pages of a database, and what SQLCipher 4 keeps at the end of each: an initialisation vector and a code over the page.
    const PAGE: usize = 4_096;
    const RESERVED: usize = 80;
    const SALT: usize = 16;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("bailey-keys-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn home() -> HomeKey {
        HomeKey::take_over(&mut [7_u8; 48].as_slice()).unwrap()
    }

    /// Returns every byte of the file, decrypted page by page: free room, too, which no query shows.
    fn plain(file: &Path) -> Vec<u8> {
        let key = home().derive("key store database").unwrap();
        let mut out = Vec::new();
        for (number, page) in fs::read(file).unwrap().chunks_exact(PAGE).enumerate() {
            let (body, reserved) = page.split_at(PAGE - RESERVED);
            let mut body = body[if number == 0 { SALT } else { 0 }..].to_vec();
            let iv: [u8; 16] = reserved[..16].try_into().unwrap();
            let key = UnboundCipherKey::new(&AES_256, key.expose()).unwrap();
            decrypt(key, iv, &mut body);
            out.append(&mut body);
        }
        out
    }

    /// Decrypts CBC without padding, one block behind the other.
    fn decrypt(key: UnboundCipherKey, iv: [u8; 16], body: &mut [u8]) {
        let key = DecryptingKey::cbc(key).unwrap();
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        let _plain = key.decrypt(body, context).unwrap();
    }

    fn holds(all: &[u8], part: &[u8]) -> bool {
        all.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn nothing_of_a_destroyed_key_is_left_in_the_file() {
        let folder = Folder::new("destroyed");
        let file = folder.0.join("keys.db");
        let store = KeyStore::open(&file, home(), true).unwrap();
        let (drawn, _) = store.draw().unwrap();
        let (kept, _) = store.draw().unwrap();
        let wrapped = |id: u64| -> Vec<u8> {
            store.db().query_row("SELECT wrapped FROM key WHERE id = ?1", [id], |row| row.get(0)).unwrap()
        };
        let (gone, stays) = (wrapped(drawn), wrapped(kept));
        assert!(holds(&plain(&file), &gone) && holds(&plain(&file), &stays), "the test reads what is there");
        store.destroy(&[drawn]).unwrap();
        assert!(!holds(&plain(&file), &gone));
        assert!(holds(&plain(&file), &stays));
        assert_eq!(fs::metadata(folder.0.join("keys.db-journal")).map_or(0, |about| about.len()), 0);
        assert!(matches!(store.fetch(drawn), Err(KeyError::Destroyed)));
        store.fetch(kept).unwrap();
    }

    #[test]
    fn key_that_was_fetched_is_gone_once_it_is_destroyed() {
        let folder = Folder::new("fetched");
        let store = KeyStore::open(&folder.0.join("keys.db"), home(), true).unwrap();
        let (gone, key) = store.draw().unwrap();
        let (stays, _) = store.draw().unwrap();
        assert_eq!(store.fetch(gone).unwrap().expose(), key.expose());
        store.fetch(stays).unwrap();
        store.destroy(&[gone]).unwrap();
        assert!(matches!(store.fetch(gone), Err(KeyError::Destroyed)));
        store.fetch(stays).unwrap();
    }

    #[test]
    fn keys_are_drawn_in_the_order_of_their_numbers_however_they_are_filled_up() {
        let folder = Folder::new("order");
        let store = KeyStore::open(&folder.0.join("keys.db"), home(), true).unwrap();
        for number in 1..3 * POOL {
            assert_eq!(store.draw().unwrap().0, number);
            if number % 100 == 0 {
                store.fill_up().unwrap();
            }
        }
    }

    #[test]
    fn key_store_of_a_home_that_died_while_writing_can_be_looked_through() {
        let folder = Folder::new("cut-off");
        let file = folder.0.join("keys.db");
        let store = KeyStore::open(&file, home(), true).unwrap();
        let (kept, _) = store.draw().unwrap();
        // A change so large that part of it is in the file before it is made: what a crash then leaves behind.
        {
            let db = store.db();
            db.execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE key SET wrapped = randomblob(length(wrapped));")
                .unwrap();
            for name in ["keys.db", "keys.db-journal"] {
                fs::copy(folder.0.join(name), folder.0.join(format!("dead-{name}"))).unwrap();
            }
            db.execute_batch("ROLLBACK").unwrap();
        }
        let (dead, key) = (folder.0.join("dead-keys.db"), home().derive("key store database").unwrap());
        assert!(fs::metadata(folder.0.join("dead-keys.db-journal")).unwrap().len() > 0, "the test cuts a change off");
        look_through(&dead, &key, |_| Ok(())).unwrap();
        KeyStore::open(&dead, home(), false).unwrap().fetch(kept).unwrap();
    }

    #[test]
    fn room_of_destroyed_keys_is_used_again() {
        let folder = Folder::new("room");
        let file = folder.0.join("keys.db");
        let store = KeyStore::open(&file, home(), true).unwrap();
        let length = || fs::metadata(&file).unwrap().len();
        let mut last = store.draw().unwrap().0;
        let mut high = 0;
        for round in 0..10 * POOL {
            let (id, _) = store.draw().unwrap();
            store.destroy(&[last]).unwrap();
            last = id;
            if round == 2 * POOL {
                high = length();
            }
        }
        assert!(length() <= high, "{} bytes after {high}", length());
    }
}
