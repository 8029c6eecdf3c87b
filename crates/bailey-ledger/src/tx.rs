//! One transaction of the writer: what the gate and the home may read and write, each change with its log entry.

use std::sync::atomic::{AtomicBool, Ordering};

use bailey_gate::event::{Approval, Client, Event, EventKind, Origin};
use bailey_gate::family::{ActionKind, Level, Party, Taint};
use bailey_gate::ground::skeleton;
use bailey_gate::ledger::{Grant, MAX_COUNTED, Relationship, Row, StoreError, TaskTaint, Tx};
use bailey_gate::{ActionId, Class, ConnectionId, Deadline, Digest, Now, State, TaskId};
use bailey_keys::store::KeyStore;
use bailey_keys::{Context, KeyError, open, random, seal};
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, params};

use crate::contacts::{confusable_with, relationship_of, task_taint, task_words, whole};
use crate::header::{self, Genesis, Place, Sealed};
use crate::queries;
use crate::read::CredentialKind;
use crate::tree::{Tree, hash, leaf};

/// What the writer carries from one transaction to the next.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) id: String,
    pub(crate) incarnation: String,
    pub(crate) tree: Tree,
    /// The highest pause epoch an entry was written in.
    pub(crate) epoch: u64,
    /// Size at the last checkpoint.
    pub(crate) checkpointed: u64,
    /// Whether this batch holds an entry after which the mark outside the database has to move.
    pub(crate) moves_mark: bool,
    /// Whether this batch holds an entry that wants a checkpoint in its own commit.
    pub(crate) wants_checkpoint: bool,
    /// Keys of what this batch replaces or removes, to be destroyed once it is durable.
    pub(crate) retired: Vec<u64>,
}

/// One transaction. Dropping it without an error keeps what it wrote.
pub struct LedgerTx<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) keys: &'a KeyStore,
    pub(crate) log: &'a mut Log,
}

impl std::fmt::Debug for LedgerTx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerTx").field("log", &self.log).finish_non_exhaustive()
    }
}

/// A sealed thing of a kind, belonging to an owner, in a version.
#[derive(Debug, Clone, Copy)]
pub struct RecordName<'a> {
    /// What it is.
    pub kind: &'static str,
    /// Whose it is.
    pub owner: &'a [u8],
    /// Which of them.
    pub n: u64,
}

/// The kind of record that holds the person's words of a task; its owner is the task.
pub const WORDS: &str = "words";

/// A connection as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Which.
    pub id: ConnectionId,
    /// What kind of service.
    pub kind: String,
    /// The account, as the service names it.
    pub account: String,
    /// Scope and standing.
    pub grant: Grant,
}

/// Whether a connection of this process failed in a way it may not get over, since that was last looked into: a hint, for
/// [`crate::Ledger::has_failed`].
pub(crate) static SUSPECT: AtomicBool = AtomicBool::new(false);

const UNREADABLE: &str = "a part of it could not be read from the disk. The home starts anew by itself: try again in some \
    seconds. If it stays like this, the disk or the file is damaged, and a backup has to be put in its place";

pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase, OutOfMemory, SystemIoFailure};
    let code = error.sqlite_error_code();
    if matches!(code, Some(SystemIoFailure | NotADatabase | DatabaseCorrupt | OutOfMemory)) {
        SUSPECT.store(true, Ordering::SeqCst);
    }
    match code {
        Some(DiskFull) => StoreError::Full,
        Some(NotADatabase | DatabaseCorrupt) => StoreError::Broken(UNREADABLE.into()),
        _ => StoreError::Broken(error.to_string()),
    }
}

pub(crate) fn key_error(error: KeyError) -> StoreError {
    match error {
        KeyError::Store(error) => store_error(error),
        other => StoreError::Broken(other.to_string()),
    }
}

pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Broken(format!("a stored {what} is damaged"))
}

impl LedgerTx<'_> {
    /// Remembers that a name is the person's own.
    pub fn put_own(&mut self, party: &Party) -> Result<(), StoreError> {
        let own = "INSERT INTO party (kind, value, name, own, likeness) VALUES (?1, ?2, '', 1, ?3)
                   ON CONFLICT (kind, value) DO UPDATE SET own = 1";
        self.db.execute(own, [&party.kind, &party.value, &skeleton(party)]).map_err(store_error)?;
        Ok(())
    }

    /// Sets the domains of the person's organisation, in the place of those before.
    pub fn set_organisation(&mut self, domains: &[String]) -> Result<(), StoreError> {
        self.db.execute("DELETE FROM party WHERE kind = ?1", [Party::ORGANISATION]).map_err(store_error)?;
        domains.iter().try_for_each(|domain| self.put_own(&Party::new(Party::ORGANISATION.into(), domain)))
    }

    /// Seals, hashes and appends an entry; returns its sequence number.
    pub fn append(&mut self, event: &Event, genesis: Option<&GenesisKey>) -> Result<u64, StoreError> {
        let seq = self.log.tree.size();
        let genesis = genesis
            .map(|g| Genesis { nonce: crate::checkpoint::hex(&g.nonce), key: crate::checkpoint::hex(&g.public) });
        let sealed = if event.payload.0.is_empty() { None } else { Some(self.seal_payload(event)?) };
        let place = Place { log: &self.log.id, seq, incarnation: &self.log.incarnation, genesis: genesis.as_ref() };
        let line = header::line(&place, event, sealed.as_ref().map(|(_, _, sealed)| sealed))
            .map_err(|error| StoreError::Broken(error.to_string()))?;
        let leaf = leaf(line.as_bytes());
        let (key_id, bytes) = sealed.map_or((None, None), |(id, bytes, _)| (Some(id), Some(bytes)));
        self.db
            .prepare_cached(
                "INSERT INTO event (seq, header, leaf, kind, wall_ms, task, action, key_id, payload)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )
            .and_then(|mut insert| {
                insert.execute(params![
                    seq,
                    line,
                    leaf,
                    event.kind.name(),
                    event.at.wall_ms,
                    event.task.as_ref().map(|id| id.as_bytes().as_slice()),
                    event.action.as_ref().map(|id| id.as_bytes().as_slice()),
                    key_id,
                    bytes,
                ])
            })
            .map_err(store_error)?;
        self.log.tree.append(leaf);
        self.note_importance(event);
        Ok(seq)
    }

    /// Which entries must be noticed missing: approvals, claims of asked actions, what the person refused, took back or
    /// replaced, revocations, pauses, changed rules.
    fn note_importance(&mut self, event: &Event) {
        let asked_claim = event.to == Some(State::Claimed) && event.approval.is_some();
        let approved = event.to == Some(State::Approved) && event.approval.is_some();
        let home = matches!(
            event.kind,
            EventKind::Revoked | EventKind::Paused | EventKind::Resumed | EventKind::Authority | EventKind::Rules
        );
        self.log.epoch = self.log.epoch.max(event.epoch);
        let refused = matches!(event.to, Some(State::Rejected | State::Cancelled | State::Superseded));
        self.log.moves_mark |= asked_claim || approved || refused || home;
        self.log.wants_checkpoint |= event.kind == EventKind::Paused
            || (event.class == Some(Class::Critical) && event.to == Some(State::Claimed));
    }

    fn seal_payload(&self, event: &Event) -> Result<(u64, Vec<u8>, Sealed), StoreError> {
        let salt: [u8; 16] = random().map_err(key_error)?;
        let json = header::payload_json(&event.payload);
        let mut plain = salt.to_vec();
        plain.extend_from_slice(json.as_bytes());
        let (id, bytes) = self.seal_new("payload", &plain)?;
        let sealed = Sealed {
            commitment: header::commitment(&salt, json.as_bytes()),
            sealed: crate::checkpoint::hex(&hash(&[&bytes])),
            bucket: (bytes.len() as u64).next_power_of_two(),
        };
        Ok((id, bytes, sealed))
    }

    pub(crate) fn seal_new(&self, field: &'static str, plain: &[u8]) -> Result<(u64, Vec<u8>), StoreError> {
        let (id, key) = self.keys.draw().map_err(key_error)?;
        let owner = id.to_be_bytes();
        let context = Context { home: self.keys.home().home(), owner: &owner, field, version: 1 };
        Ok((id, seal(&key, &context, plain).map_err(key_error)?))
    }

    /// Keeps a sealed record. The key of the one it replaces is destroyed as soon as this is durable.
    pub fn put_record(&mut self, name: RecordName<'_>, plain: &[u8]) -> Result<(), StoreError> {
        self.remove_record(name)?;
        let (id, sealed) = self.seal_new(name.kind, plain)?;
        self.db
            .prepare_cached("INSERT INTO record (kind, owner, n, key_id, sealed) VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut put| put.execute(params![name.kind, name.owner, name.n, id, sealed]))
            .map_err(store_error)?;
        Ok(())
    }

    /// The number behind an owner's last record of a kind.
    pub fn next_record(&mut self, kind: &'static str, owner: &[u8]) -> Result<u64, StoreError> {
        self.db
            .prepare_cached("SELECT coalesce(max(n) + 1, 0) FROM record WHERE kind = ?1 AND owner = ?2")
            .and_then(|mut query| query.query_row(params![kind, owner], |row| row.get(0)))
            .map_err(store_error)
    }

    /// Opens a sealed record.
    pub fn record(&mut self, name: RecordName<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        read_record(self.db, self.keys, name)
    }

    /// Removes a sealed record. Its key, whose number is returned, is destroyed as soon as this is durable.
    pub fn remove_record(&mut self, name: RecordName<'_>) -> Result<Option<u64>, StoreError> {
        let key: Option<u64> = self
            .db
            .prepare_cached("DELETE FROM record WHERE kind = ?1 AND owner = ?2 AND n = ?3 RETURNING key_id")
            .and_then(|mut remove| {
                remove.query_row(params![name.kind, name.owner, name.n], |row| row.get(0)).optional()
            })
            .map_err(store_error)?;
        if let Some(key) = key {
            self.retire(key)?;
        }
        Ok(key)
    }

    /// Has a key destroyed as soon as this is durable.
    pub(crate) fn retire(&mut self, key: u64) -> Result<(), StoreError> {
        let retire = "INSERT INTO retired_key (id) VALUES (?1) ON CONFLICT DO NOTHING";
        self.db.prepare_cached(retire).and_then(|mut retire| retire.execute([key])).map_err(store_error)?;
        self.log.retired.push(key);
        Ok(())
    }

    /// Adds a connection, or changes one; its generation rises.
    pub fn put_connection(&mut self, row: &ConnectionRow) -> Result<(), StoreError> {
        self.db
            .execute(
                "INSERT INTO connection (id, kind, account, level, active, generation) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET kind = ?2, account = ?3, level = ?4, active = ?5, generation = ?6
                 WHERE ?6 > generation",
                params![
                    row.id.as_bytes(),
                    row.kind,
                    row.account,
                    row.grant.level.name(),
                    row.grant.active,
                    row.grant.generation
                ],
            )
            .map_err(store_error)
            .and_then(|changed| if changed == 1 { Ok(()) } else { Err(damaged("grant generation")) })
    }

    /// Keeps the public half of a key that a passphrase makes.
    pub fn put_passphrase_key(&mut self, id: &[u8; 16], salt: &[u8; 16], public: &[u8; 32]) -> Result<(), StoreError> {
        self.db
            .execute(
                "INSERT INTO credential (id, kind, salt, public) VALUES (?1, ?2, ?3, ?4)",
                params![id, CredentialKind::PassphraseKey.name(), salt, public],
            )
            .map_err(store_error)?;
        Ok(())
    }

    /// Keeps words of the person in a task, the `n`th they said, and whom of those they know the words name
    /// ([`crate::Ledger::names_in`], looked up before this transaction began).
    pub fn put_words(&mut self, task: &TaskId, n: u64, words: &str, named: &[Party]) -> Result<(), StoreError> {
        self.put_record(RecordName { kind: WORDS, owner: task.as_bytes(), n }, words.as_bytes())?;
        let mut put = self
            .db
            .prepare_cached("INSERT INTO task_named (task, kind, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
            .map_err(store_error)?;
        named.iter().try_for_each(|party| {
            put.execute(params![task.as_bytes(), party.kind, party.value]).map(|_| ()).map_err(store_error)
        })
    }

    /// Keeps who or what began a task; a person, where nothing is said.
    pub fn put_origin(&mut self, task: &TaskId, origin: Origin) -> Result<(), StoreError> {
        let put = "UPDATE task SET origin = ?2 WHERE id = ?1";
        let changed = self.db.execute(put, params![task.as_bytes(), origin.name()]).map_err(store_error)?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Broken(format!("there is no task `{task}`"))) }
    }

    /// Keeps which schedule began a task.
    pub fn put_schedule(&mut self, task: &TaskId, name: &str) -> Result<(), StoreError> {
        let put = "INSERT INTO task_schedule (task, name) VALUES (?1, ?2) ON CONFLICT (task) DO NOTHING";
        self.db.execute(put, params![task.as_bytes(), name]).map_err(store_error)?;
        Ok(())
    }

    /// Adds a task or changes its state.
    pub fn put_task(&mut self, id: &TaskId, state: &str, wall_ms: i64) -> Result<(), StoreError> {
        self.db
            .execute(
                "INSERT INTO task (id, state, wall_ms) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET state = ?2",
                params![id.as_bytes(), state, wall_ms],
            )
            .map_err(store_error)?;
        Ok(())
    }
}

/// The public side of a log's first entry.
#[derive(Debug, Clone)]
pub struct GenesisKey {
    pub(crate) nonce: [u8; 16],
    pub(crate) public: [u8; 32],
}

/// A sealed record; nothing where there is none, or its key is destroyed: what an older copy of the database holds may have
/// been replaced since.
pub(crate) fn read_record(
    db: &Connection,
    keys: &KeyStore,
    name: RecordName<'_>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let find = || {
        db.prepare_cached("SELECT key_id, sealed FROM record WHERE kind = ?1 AND owner = ?2 AND n = ?3")
            .and_then(|mut query| {
                query.query_row(params![name.kind, name.owner, name.n], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(store_error)
    };
    open_current(keys, name.kind, find)
}

/// Opens what is found, as it is now: nothing where nothing is found, or its key is destroyed.
pub(crate) fn open_current(
    keys: &KeyStore,
    field: &'static str,
    find: impl Fn() -> Result<Option<SealedPayload>, StoreError>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut gone = None;
    loop {
        let Some((id, sealed)) = find()? else { return Ok(None) };
        match unseal(keys, id, field, &sealed) {
            // Replaced between finding and opening it, perhaps: then there is another by now.
            Err(KeyError::Destroyed) if gone != Some(id) => gone = Some(id),
            Err(KeyError::Destroyed) => return Ok(None),
            opened => return opened.map(Some).map_err(key_error),
        }
    }
}

fn unseal(keys: &KeyStore, id: u64, field: &'static str, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
    let key = keys.fetch(id)?;
    let owner = id.to_be_bytes();
    open(&key, &Context { home: keys.home().home(), owner: &owner, field, version: 1 }, sealed)
}

/// A payload's JSON; nothing where it was erased, or is damaged. That the key store fails is an error, not an absence.
pub(crate) fn payload_left(keys: &KeyStore, payload: Option<SealedPayload>) -> Result<Option<Vec<u8>>, StoreError> {
    let Some((id, sealed)) = payload else { return Ok(None) };
    match unseal(keys, id, "payload", &sealed) {
        Ok(plain) => Ok(plain.get(16..).map(<[u8]>::to_vec)),
        Err(error @ KeyError::Store(_)) => Err(key_error(error)),
        Err(_) => Ok(None),
    }
}

/// A payload's salt and JSON.
pub(crate) fn open_payload(keys: &KeyStore, id: u64, sealed: &[u8]) -> Result<([u8; 16], Vec<u8>), StoreError> {
    let plain = unseal(keys, id, "payload", sealed).map_err(key_error)?;
    let (salt, json) = plain.split_at_checked(16).ok_or_else(|| damaged("payload"))?;
    Ok((salt.try_into().map_err(|_| damaged("payload"))?, json.to_vec()))
}

impl Tx for LedgerTx<'_> {
    fn row(&mut self, id: &ActionId) -> Result<Option<Row>, StoreError> {
        one_row(self.db, id)
    }

    fn rows_in(&mut self, states: &[State]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for state in states {
            rows.extend(rows_of(self.db, queries::IN_STATE, [state.name()])?);
        }
        Ok(rows)
    }

    fn insert(&mut self, row: &Row, entry: Event) -> Result<(), StoreError> {
        let seq = self.append(&entry, None)?;
        self.db
            .prepare_cached(
                "INSERT INTO action (id, task, state, kind, class, connection, generation, digest, proposed, expires, attempt, content_seq, undo_of, amount)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )
            .and_then(|mut insert| {
                insert.execute(params![
                    row.id.as_bytes(),
                    row.task.as_ref().map(|id| id.as_bytes().as_slice()),
                    row.state.name(),
                    row.kind.name(),
                    row.class.name(),
                    row.account.as_ref().map(|(id, _)| id.as_bytes().as_slice()),
                    row.account.as_ref().map(|(_, generation)| *generation),
                    row.digest.as_bytes(),
                    now_bytes(&row.proposed),
                    deadline_bytes(&row.expires),
                    row.attempt,
                    seq,
                    row.undo_of.as_ref().map(|id| id.as_bytes().as_slice()),
                    // More than the database can count is more than any rule lets go.
                    i64::try_from(row.amount).unwrap_or(i64::MAX),
                ])
            })
            .map_err(store_error)?;
        Ok(())
    }

    fn step(&mut self, row: &Row, from: State, entry: Event) -> Result<(), StoreError> {
        let claimed_ms = (row.state == State::Claimed).then_some(entry.at.wall_ms);
        self.append(&entry, None)?;
        let approval = row.approval.as_ref();
        let changed = self
            .db
            .prepare_cached(
                "UPDATE action SET previous = ?2, state = ?3, expires = ?4, held = ?5, credential = ?6, session = ?7,
                   client = ?8, stepped_up = ?9, claim_epoch = ?10, claim_lease = ?11,
                   claimed_ms = coalesce(?12, claimed_ms), attempt = ?13
                 WHERE id = ?1 AND state = ?2",
            )
            .and_then(|mut update| {
                update.execute(params![
                    row.id.as_bytes(),
                    from.name(),
                    row.state.name(),
                    deadline_bytes(&row.expires),
                    row.held.as_ref().map(deadline_bytes),
                    approval.map(|a| a.credential.as_slice()),
                    approval.map(|a| a.session.as_slice()),
                    approval.map(|a| a.client.name()),
                    approval.map(|a| a.stepped_up),
                    row.claim.map(|(epoch, _)| epoch),
                    row.claim.map(|(_, lease)| lease),
                    claimed_ms,
                    row.attempt,
                ])
            })
            .map_err(store_error)?;
        if changed == 1 { Ok(()) } else { Err(damaged("action state")) }
    }

    fn log(&mut self, entry: Event) -> Result<(), StoreError> {
        self.append(&entry, None).map(|_| ())
    }

    fn account(&mut self, connection: &ConnectionId) -> Result<String, StoreError> {
        let account: Option<String> = self
            .db
            .prepare_cached("SELECT account FROM connection WHERE id = ?1")
            .and_then(|mut query| query.query_row([connection.as_bytes()], |row| row.get(0)).optional())
            .map_err(store_error)?;
        Ok(account.unwrap_or_default().to_lowercase())
    }

    fn grant(&mut self, connection: &ConnectionId) -> Result<Option<Grant>, StoreError> {
        Ok(one_connection(self.db, connection)?.map(|row| row.grant))
    }

    fn relationship(&mut self, party: &Party) -> Result<Relationship, StoreError> {
        relationship_of(self.db, party)
    }

    fn learn(&mut self, party: &Party, name: &str) -> Result<(), StoreError> {
        let learn = "INSERT INTO party (kind, value, name, own, likeness) VALUES (?1, ?2, ?3, 0, ?4)
                     ON CONFLICT (kind, value) DO UPDATE SET name = excluded.name WHERE name = ''";
        self.db.execute(learn, [&party.kind, &party.value, name, &skeleton(party)]).map_err(store_error)?;
        Ok(())
    }

    fn confusable_with(&mut self, party: &Party) -> Result<Option<String>, StoreError> {
        confusable_with(self.db, party)
    }

    fn schedule(&mut self, task: &TaskId) -> Result<String, StoreError> {
        let found = self
            .db
            .prepare_cached("SELECT name FROM task_schedule WHERE task = ?1")
            .and_then(|mut query| query.query_row([task.as_bytes()], |row| row.get(0)).optional())
            .map_err(store_error)?;
        Ok(found.unwrap_or_default())
    }

    fn origin(&mut self, task: &TaskId) -> Result<Option<Origin>, StoreError> {
        origin_of(self.db, task)
    }

    fn task_words(&mut self, task: &TaskId) -> Result<Option<String>, StoreError> {
        task_words(self.db, self.keys, task)
    }

    fn named(&mut self, task: &TaskId) -> Result<Vec<Party>, StoreError> {
        self.db
            .prepare_cached("SELECT kind, value FROM task_named WHERE task = ?1")
            .and_then(|mut query| {
                let parties =
                    query.query_map([task.as_bytes()], |row| Ok(Party { kind: row.get(0)?, value: row.get(1)? }))?;
                parties.collect()
            })
            .map_err(store_error)
    }

    fn marks(&mut self, task: &TaskId) -> Result<TaskTaint, StoreError> {
        task_taint(self.db, task)
    }

    fn notes_taint(&mut self) -> Result<Taint, StoreError> {
        self.db
            .prepare_cached(queries::NOTES_BRING)
            .and_then(|mut query| {
                query.query_row([], |row| Ok(Taint { untrusted: row.get(0)?, confidential: row.get(1)? }))
            })
            .map_err(store_error)
    }

    fn mark(&mut self, task: &TaskId, taint: Taint, off_task: bool) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO task_mark (task, untrusted, confidential, odd) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (task) DO UPDATE SET untrusted = max(untrusted, excluded.untrusted),
                   confidential = max(confidential, excluded.confidential), odd = odd + excluded.odd",
            )
            .and_then(|mut mark| mark.execute(params![task.as_bytes(), taint.untrusted, taint.confidential, off_task]))
            .map_err(store_error)?;
        Ok(())
    }

    fn claimed_since(&mut self, kind: ActionKind, wall_ms: i64) -> Result<u64, StoreError> {
        self.db
            .prepare_cached(queries::COUNT_CLAIMED)
            .and_then(|mut query| query.query_row(params![kind.name(), wall_ms, MAX_COUNTED], |row| row.get(0)))
            .map_err(store_error)
    }

    fn spent_since(&mut self, wall_ms: i64, but: &ActionId) -> Result<u64, StoreError> {
        // In floating point, because a sum of whole numbers that overflows is an error; what is lost of it is less than a
        // hundredth below ninety billion.
        let spent: f64 = self
            .db
            .prepare_cached(queries::SPENT)
            .and_then(|mut query| query.query_row(params![wall_ms, but.as_bytes()], |row| row.get(0)))
            .map_err(store_error)?;
        Ok(whole(spent))
    }

    fn count_of_task(&mut self, task: &TaskId, state: State) -> Result<u64, StoreError> {
        self.db
            .prepare_cached(queries::COUNT_OF_TASK)
            .and_then(|mut query| query.query_row(params![task.as_bytes(), state.name()], |row| row.get(0)))
            .map_err(store_error)
    }
}

pub(crate) fn one_row(db: &Connection, id: &ActionId) -> Result<Option<Row>, StoreError> {
    Ok(rows_of(db, queries::ACTION, [id.as_bytes()])?.pop())
}

/// A sealed payload and the number of its key.
pub(crate) type SealedPayload = (u64, Vec<u8>);

/// The sealed content of an action.
pub(crate) fn sealed_content(db: &Connection, id: &ActionId) -> Result<Option<SealedPayload>, StoreError> {
    let found: Option<(Option<u64>, Option<Vec<u8>>)> = db
        .prepare_cached(queries::CONTENT)
        .and_then(|mut query| query.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(store_error)?;
    Ok(found.and_then(|(key, sealed)| key.zip(sealed)))
}

/// The content of an action; nothing where it was erased, or is damaged.
pub(crate) fn content_left(keys: &KeyStore, payload: Option<SealedPayload>) -> Result<Vec<u8>, StoreError> {
    let json = payload_left(keys, payload)?;
    Ok(json.and_then(|json| header::payload_bytes(&json, "content")).unwrap_or_default())
}

/// The content of an action; nothing if it never had one.
pub(crate) fn read_content(db: &Connection, keys: &KeyStore, id: &ActionId) -> Result<Vec<u8>, StoreError> {
    let Some((key, sealed)) = sealed_content(db, id)? else { return Ok(Vec::new()) };
    let (_, json) = open_payload(keys, key, &sealed)?;
    header::payload_bytes(&json, "content").ok_or_else(|| damaged("action"))
}

/// The rows a query of [`queries`] finds.
pub(crate) fn rows_of(
    db: &Connection,
    query: &'static str,
    values: impl rusqlite::Params,
) -> Result<Vec<Row>, StoreError> {
    let mut query = db.prepare_cached(query).map_err(store_error)?;
    let mut rows = query.query(values).map_err(store_error)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        out.push(parse_row(row)?);
    }
    Ok(out)
}

fn column<T: FromSql>(row: &SqlRow<'_>, name: &str) -> Result<T, StoreError> {
    row.get(name).map_err(store_error)
}

fn parse_row(row: &SqlRow<'_>) -> Result<Row, StoreError> {
    let named = |name: &str| column::<String>(row, name);
    let connection: Option<[u8; 16]> = column(row, "connection")?;
    let generation: Option<u64> = column(row, "generation")?;
    let held: Option<Vec<u8>> = column(row, "held")?;
    let claim: (Option<u64>, Option<u64>) = (column(row, "claim_epoch")?, column(row, "claim_lease")?);
    Ok(Row {
        id: ActionId::from_bytes(column(row, "id")?),
        task: column::<Option<[u8; 16]>>(row, "task")?.map(TaskId::from_bytes),
        state: State::from_name(&named("state")?).ok_or_else(|| damaged("state"))?,
        kind: ActionKind::from_name(&named("kind")?).ok_or_else(|| damaged("kind"))?,
        class: Class::from_name(&named("class")?).ok_or_else(|| damaged("class"))?,
        account: connection.zip(generation).map(|(id, generation)| (ConnectionId::from_bytes(id), generation)),
        digest: Digest::from_bytes(column(row, "digest")?),
        proposed: parse_now(&column::<Vec<u8>>(row, "proposed")?)?,
        expires: parse_deadline(&column::<Vec<u8>>(row, "expires")?)?,
        held: held.map(|bytes| parse_deadline(&bytes)).transpose()?,
        approval: parse_approval(row)?,
        claim: claim.0.zip(claim.1),
        attempt: column(row, "attempt")?,
        undo_of: column::<Option<[u8; 16]>>(row, "undo_of")?.map(ActionId::from_bytes),
        amount: column(row, "amount")?,
    })
}

fn parse_approval(row: &SqlRow<'_>) -> Result<Option<Approval>, StoreError> {
    let Some(credential) = column::<Option<[u8; 16]>>(row, "credential")? else { return Ok(None) };
    let client: String = column(row, "client")?;
    Ok(Some(Approval {
        credential,
        client: Client::from_name(&client).ok_or_else(|| damaged("client"))?,
        session: column(row, "session")?,
        stepped_up: column(row, "stepped_up")?,
    }))
}

/// Every connection, oldest first.
pub(crate) fn read_connections(db: &Connection) -> Result<Vec<ConnectionRow>, StoreError> {
    connections_of(db, queries::CONNECTIONS, [])
}

pub(crate) fn one_connection(db: &Connection, id: &ConnectionId) -> Result<Option<ConnectionRow>, StoreError> {
    Ok(connections_of(db, queries::CONNECTION, [id.as_bytes()])?.pop())
}

fn connections_of(
    db: &Connection,
    query: &'static str,
    values: impl rusqlite::Params,
) -> Result<Vec<ConnectionRow>, StoreError> {
    let mut query = db.prepare_cached(query).map_err(store_error)?;
    let mut rows = query.query(values).map_err(store_error)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        let level: String = column(row, "level")?;
        out.push(ConnectionRow {
            id: ConnectionId::from_bytes(column(row, "id")?),
            kind: column(row, "kind")?,
            account: column(row, "account")?,
            grant: Grant {
                level: Level::from_name(&level).ok_or_else(|| damaged("level"))?,
                active: column(row, "active")?,
                generation: column(row, "generation")?,
            },
        });
    }
    Ok(out)
}

fn now_bytes(now: &Now) -> Vec<u8> {
    let mut out = now.wall_ms.to_be_bytes().to_vec();
    out.extend_from_slice(&now.boot_ms.to_be_bytes());
    out.extend_from_slice(&now.boot_id);
    out
}

fn deadline_bytes(deadline: &Deadline) -> Vec<u8> {
    let mut out = now_bytes(&deadline.set);
    out.extend_from_slice(&deadline.after_ms.to_be_bytes());
    out
}

fn parse_now(bytes: &[u8]) -> Result<Now, StoreError> {
    let part = |from: usize, to: usize| bytes.get(from..to).ok_or_else(|| damaged("time"));
    let eight = |from: usize| part(from, from + 8)?.try_into().map_err(|_| damaged("time"));
    Ok(Now {
        wall_ms: i64::from_be_bytes(eight(0)?),
        boot_ms: u64::from_be_bytes(eight(8)?),
        boot_id: part(16, 32)?.try_into().map_err(|_| damaged("time"))?,
    })
}

fn parse_deadline(bytes: &[u8]) -> Result<Deadline, StoreError> {
    let after = bytes.get(32..40).and_then(|after| after.try_into().ok()).ok_or_else(|| damaged("deadline"))?;
    Ok(Deadline { set: parse_now(bytes)?, after_ms: u64::from_be_bytes(after) })
}

pub(crate) fn origin_of(db: &Connection, task: &TaskId) -> Result<Option<Origin>, StoreError> {
    let found: Option<String> = db
        .prepare_cached("SELECT origin FROM task WHERE id = ?1")
        .and_then(|mut query| query.query_row([task.as_bytes()], |row| row.get(0)).optional())
        .map_err(store_error)?;
    found.map(|name| Origin::from_name(&name).ok_or_else(|| damaged("origin of a task"))).transpose()
}
