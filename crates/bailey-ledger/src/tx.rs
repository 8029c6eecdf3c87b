//! One transaction of the writer: what the gate and the home may read and write, each change with its log entry.

use std::sync::Mutex;

use bailey_gate::event::{Event, EventKind, Origin};
use bailey_gate::family::Party;
use bailey_gate::ground::skeleton;
use bailey_gate::ledger::{Grant, StoreError};
use bailey_gate::{Class, ConnectionId, State, TaskId};
use bailey_keys::store::KeyStore;
use bailey_keys::{Context, random, seal};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::backend::{Backend as _, EntryRow};
use crate::claims::ClaimTimes;
use crate::gate_tx::LedgerView;
use crate::header::{self, Genesis, Place, Sealed};
use crate::pack::pack;
use crate::read::CredentialKind;
use crate::rows::{damaged, key_error, store_error};
use crate::sealed::read_record;
use crate::tree::{Tree, hash, leaf};

/// Longest payload that is packed, in bytes. Above, it is an attachment that takes most of it, and takes time, within the writer's
/// transaction.
const MAX_PACKED: usize = 256 * 1024;

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
    /// Tells whether this batch holds an entry after which the mark outside the database has to move.
    pub(crate) moves_mark: bool,
    /// Tells whether this batch holds an entry that wants a checkpoint in its own commit.
    pub(crate) wants_checkpoint: bool,
    /// Keys of what this batch replaces or removes, to be destroyed once it is durable.
    pub(crate) retired: Vec<u64>,
    /// Changes of what seldom changes and facts are made of ([`bailey_gate::ledger::View::surroundings`]), since it was opened.
    pub(crate) surroundings: u64,
}

/// One transaction. Dropping it without an error keeps what it wrote.
pub struct LedgerTx<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) keys: &'a KeyStore,
    pub(crate) log: &'a mut Log,
    pub(crate) view: LedgerView<'a>,
}

impl std::fmt::Debug for LedgerTx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerTx").field("log", &self.log).finish_non_exhaustive()
    }
}

/// A sealed thing of a kind, belonging to an owner, in a version.
#[derive(Debug, Clone, Copy)]
pub struct RecordName<'a> {
    /// Names the kind.
    pub kind: &'static str,
    /// Whose it is.
    pub owner: &'a [u8],
    /// Its number among them.
    pub n: u64,
}

/// The kind of record that holds the person's words of a task; its owner is the task.
pub const WORDS: &str = "words";

/// A connection as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRow {
    /// The connection's identity.
    pub id: ConnectionId,
    /// Names the kind of service.
    pub kind: String,
    /// The account, as the service names it.
    pub account: String,
    /// Scope and standing.
    pub grant: Grant,
}

impl<'a> LedgerTx<'a> {
    pub(crate) const fn new(
        db: &'a Connection,
        keys: &'a KeyStore,
        claims: &'a Mutex<ClaimTimes>,
        log: &'a mut Log,
    ) -> Self {
        let view = LedgerView { db, keys, claims, surroundings: log.surroundings, writes: true };
        Self { db, keys, log, view }
    }
}

impl LedgerTx<'_> {
    /// Remembers that a name is the person's own.
    pub fn put_own(&mut self, party: &Party) -> Result<(), StoreError> {
        let own = "INSERT INTO party (kind, value, name, own, likeness) VALUES (?1, ?2, '', 1, ?3)
                   ON CONFLICT (kind, value) DO UPDATE SET own = 1";
        self.db.execute(own, [&party.kind, &party.value, &skeleton(party)]).map_err(store_error)?;
        self.log.surroundings += 1;
        Ok(())
    }

    /// Sets the domains of the person's organisation, in the place of those before.
    pub fn set_organisation(&mut self, domains: &[String]) -> Result<(), StoreError> {
        self.db.execute("DELETE FROM party WHERE kind = ?1", [Party::ORGANISATION]).map_err(store_error)?;
        self.log.surroundings += 1;
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
        self.db.append(&EntryRow {
            seq,
            header: &line,
            kind: event.kind.name(),
            action: event.action.as_ref().map(|id| id.as_bytes().as_slice()),
            key: sealed.as_ref().map(|(id, _, _)| *id),
            payload: sealed.as_ref().map(|(_, bytes, _)| bytes.as_slice()),
        })?;
        self.log.tree.append(leaf(line.as_bytes()));
        self.note_importance(event);
        Ok(seq)
    }

    /// Notes the entries that must be noticed missing: approvals, claims of asked actions, what the person refused, took back or
    /// replaced, revocations, pauses, changed rules.
    fn note_importance(&mut self, event: &Event) {
        let asked_claim = event.to == Some(State::Claimed) && event.approval.is_some();
        let approved = event.to == Some(State::Approved) && event.approval.is_some();
        let home = matches!(
            event.kind,
            EventKind::Revoked
                | EventKind::Paused
                | EventKind::Resumed
                | EventKind::Authority
                | EventKind::Rules
                | EventKind::Settings
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
        // Only what is stored is packed: header and proof are over the text.
        let packed = if json.len() <= MAX_PACKED { pack(&json) } else { None };
        plain.extend_from_slice(packed.as_deref().unwrap_or(json.as_bytes()));
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

    /// Returns the number behind an owner's last record of a kind.
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
        self.db.retire(key)?;
        self.log.retired.push(key);
        Ok(())
    }

    /// Returns the standing of a connection.
    pub fn grant(&mut self, connection: &ConnectionId) -> Result<Option<Grant>, StoreError> {
        bailey_gate::ledger::View::grant(&mut self.view, connection)
    }

    /// Adds a connection, or changes one; its generation rises.
    pub fn put_connection(&mut self, row: &ConnectionRow) -> Result<(), StoreError> {
        self.log.surroundings += 1;
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
        self.log.surroundings += 1;
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
        self.log.surroundings += 1;
        let put = "UPDATE task SET origin = ?2 WHERE id = ?1";
        let changed = self.db.execute(put, params![task.as_bytes(), origin.name()]).map_err(store_error)?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Broken(format!("there is no task `{task}`"))) }
    }

    /// Keeps which schedule began a task.
    pub fn put_schedule(&mut self, task: &TaskId, name: &str) -> Result<(), StoreError> {
        let put = "INSERT INTO task_schedule (task, name) VALUES (?1, ?2) ON CONFLICT (task) DO NOTHING";
        self.db.execute(put, params![task.as_bytes(), name]).map_err(store_error)?;
        self.log.surroundings += 1;
        Ok(())
    }

    /// Adds a task or changes its state.
    pub fn put_task(&mut self, id: &TaskId, state: &str, wall_ms: i64) -> Result<(), StoreError> {
        let change = "UPDATE task SET state = ?2 WHERE id = ?1";
        let changed =
            self.db.prepare_cached(change).and_then(|mut change| change.execute(params![id.as_bytes(), state]));
        if changed.map_err(store_error)? > 0 {
            return Ok(());
        }
        self.log.surroundings += 1;
        let add = "INSERT INTO task (id, state, wall_ms) VALUES (?1, ?2, ?3)";
        self.db.execute(add, params![id.as_bytes(), state, wall_ms]).map_err(store_error)?;
        Ok(())
    }
}

/// The public side of a log's first entry.
#[derive(Debug, Clone)]
pub struct GenesisKey {
    pub(crate) nonce: [u8; 16],
    pub(crate) public: [u8; 32],
}
