//! Reading what is committed: lists and single things, for the home's interface.

use bailey_gate::FACTS;
use bailey_gate::event::EventKind;
use bailey_gate::family::{ActionKind, Party};
use bailey_gate::ground::Known;
use bailey_gate::ledger::{Row, Standing, StoreError, TaskMarks};
use bailey_gate::{ActionId, ConnectionId, State, TaskId};
use rusqlite::{OptionalExtension as _, params};

use crate::header::payload_bytes;
use crate::store::Ledger;
use crate::tx::{
    ConnectionRow, RecordName, one_row, open_payload, read_connections, read_content, read_record, rows_where,
    store_error,
};

/// A log entry with its payload, where that can still be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log.
    pub seq: u64,
    /// The header line, byte for byte.
    pub header: String,
    /// The payload's JSON; `None` if there was none or it was erased.
    pub payload: Option<String>,
}

/// An action with its encoded content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionView {
    /// The row.
    pub row: Row,
    /// The encoded content; empty if it was erased.
    pub content: Vec<u8>,
}

/// The stored half of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Which.
    pub id: [u8; 16],
    /// The salt of its passphrase.
    pub salt: [u8; 16],
    /// The public key.
    pub public: [u8; 32],
}

/// A task as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Which.
    pub id: TaskId,
    /// Where it stands, as the agent names it.
    pub state: String,
    /// When it was given.
    pub wall_ms: i64,
}

/// What was decided about an action when it was proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The row, as it is now.
    pub row: Row,
    /// What was true about it, encoded ([`bailey_gate::policy::Facts::decode`]); nothing if that was erased or never kept.
    pub facts: Vec<u8>,
    /// What was decided; nothing if that cannot be found.
    pub decision: String,
    /// The rules and reasons it was decided by.
    pub reasons: Vec<String>,
}

impl Ledger {
    /// The newest actions of which what was decided is kept, newest first, but for those only looking and those talking to the
    /// person.
    pub fn decided(&self, limit: u32) -> Result<Vec<Decided>, StoreError> {
        let rows = rows_where(
            &self.reader(),
            "kind NOT IN ('mail.search', 'mail.read', 'calendar.read', 'tool.read', 'memory.read', 'reply', 'mail.draft')
               AND undo_of IS NULL ORDER BY content_seq DESC LIMIT ?1",
            [limit],
        )?;
        rows.into_iter().map(|row| self.decided_of(row)).collect()
    }

    /// The newest actions that the person answered, or went back on, newest first: what nobody was asked about is not among them.
    pub fn answered(&self, limit: u32) -> Result<Vec<Decided>, StoreError> {
        let rows = rows_where(
            &self.reader(),
            "(credential IS NOT NULL OR state IN ('rejected', 'cancelled', 'superseded', 'undoing', 'undone', 'undo-failed'))
               AND undo_of IS NULL ORDER BY content_seq DESC LIMIT ?1",
            [limit],
        )?;
        rows.into_iter().map(|row| self.decided_of(row)).collect()
    }

    /// Actions that ran without asking since a wall time.
    pub fn ran_unasked(&self, since_ms: i64) -> Result<Vec<Decided>, StoreError> {
        let rows = rows_where(&self.reader(), "credential IS NULL AND claimed_ms >= ?1", [since_ms])?;
        rows.into_iter().map(|row| self.decided_of(row)).collect()
    }

    /// Actions of a kind in a state, oldest first, with what they hold.
    pub fn of_kind(&self, kind: ActionKind, state: State) -> Result<Vec<ActionView>, StoreError> {
        self.views("kind = ?1 AND state = ?2 ORDER BY content_seq", [kind.name(), state.name()])
    }

    /// What was decided about one action.
    pub fn decided_of(&self, row: Row) -> Result<Decided, StoreError> {
        let entries = self.entries_of(&row.id)?;
        let decision = entries.iter().find_map(|entry| {
            let header: serde_json::Value = serde_json::from_str(&entry.header).ok()?;
            header.get("decision").is_some().then_some((entry, header))
        });
        let Some((entry, header)) = decision else {
            return Ok(Decided { row, facts: Vec::new(), decision: String::new(), reasons: Vec::new() });
        };
        let facts = entry.payload.as_ref().and_then(|json| payload_bytes(json.as_bytes(), FACTS));
        let reasons = header.get("reasons").and_then(serde_json::Value::as_array).into_iter().flatten();
        let reasons = reasons.filter_map(|reason| reason.as_str().map(str::to_owned)).collect();
        let decision = header.get("decision").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        Ok(Decided { row, facts: facts.unwrap_or_default(), decision, reasons })
    }

    /// The newest entries of a kind, newest first.
    pub fn entries_of_kind(&self, kind: EventKind, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let seqs: Vec<u64> = {
            let reader = self.reader();
            let mut query = reader
                .prepare_cached("SELECT seq FROM event WHERE kind = ?1 ORDER BY seq DESC LIMIT ?2")
                .map_err(store_error)?;
            let rows = query.query_map(params![kind.name(), limit], |row| row.get(0)).map_err(store_error)?;
            rows.collect::<Result<_, _>>().map_err(store_error)?
        };
        let mut out = Vec::new();
        for seq in seqs {
            out.extend(self.entries(seq, 1)?);
        }
        Ok(out)
    }

    /// Entries from `from` on, oldest first, at most `limit`.
    pub fn entries(&self, from: u64, limit: u64) -> Result<Vec<Entry>, StoreError> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT seq, header, key_id, payload FROM event WHERE seq >= ?1 ORDER BY seq LIMIT ?2")
            .map_err(store_error)?;
        // Beyond what the database can number there is nothing.
        let from = from.min(i64::MAX as u64);
        let rows = query
            .query_map(params![from, limit], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<u64>>(2)?, row.get::<_, Option<Vec<u8>>>(3)?))
            })
            .map_err(store_error)?;
        rows.map(|row| {
            let (seq, header, key, sealed) = row.map_err(store_error)?;
            let payload = match key.zip(sealed) {
                Some((key, sealed)) => {
                    open_payload(self.keys(), key, &sealed).ok().and_then(|(_, json)| String::from_utf8(json).ok())
                }
                None => None,
            };
            Ok(Entry { seq, header, payload })
        })
        .collect()
    }

    /// The number of entries and the last checkpoint's note.
    pub fn head(&self) -> Result<(u64, Option<String>), StoreError> {
        let reader = self.reader();
        let size = reader
            .query_row("SELECT coalesce(max(seq) + 1, 0) FROM event", [], |row| row.get(0))
            .map_err(store_error)?;
        let note = reader
            .query_row("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", [], |row| row.get(0))
            .optional()
            .map_err(store_error)?;
        Ok((size, note))
    }

    /// Whether the last word of the log about pausing is that everything is paused.
    pub fn log_says_paused(&self) -> Result<bool, StoreError> {
        let reader = self.reader();
        let last: Option<String> = reader
            .query_row(
                "SELECT kind FROM event WHERE kind IN ('paused', 'resumed') ORDER BY seq DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional()
            .map_err(store_error)?;
        Ok(last.as_deref() == Some("paused"))
    }

    /// Owners of sealed records of a kind.
    pub fn record_owners(&self, kind: &'static str) -> Result<Vec<Vec<u8>>, StoreError> {
        let reader = self.reader();
        let mut query =
            reader.prepare_cached("SELECT DISTINCT owner FROM record WHERE kind = ?1").map_err(store_error)?;
        let rows = query.query_map([kind], |row| row.get(0)).map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    /// Entries about one action, oldest first.
    pub fn entries_of(&self, action: &ActionId) -> Result<Vec<Entry>, StoreError> {
        let seqs: Vec<u64> = {
            let reader = self.reader();
            let mut query =
                reader.prepare_cached("SELECT seq FROM event WHERE action = ?1 ORDER BY seq").map_err(store_error)?;
            let rows = query.query_map([action.as_bytes()], |row| row.get(0)).map_err(store_error)?;
            rows.collect::<Result<_, _>>().map_err(store_error)?
        };
        let mut out = Vec::new();
        for seq in seqs {
            out.extend(self.entries(seq, 1)?);
        }
        Ok(out)
    }

    /// One action.
    pub fn action(&self, id: &ActionId) -> Result<Option<ActionView>, StoreError> {
        let reader = self.reader();
        let Some(row) = one_row(&reader, id)? else { return Ok(None) };
        let content = read_content(&reader, self.keys(), id).unwrap_or_default();
        Ok(Some(ActionView { row, content }))
    }

    /// Actions in a state, oldest first.
    pub fn actions_in(&self, state: State) -> Result<Vec<ActionView>, StoreError> {
        self.views("state = ?1 ORDER BY content_seq", [state.name()])
    }

    /// The newest actions but the first `skip`, newest first.
    pub fn recent_actions(&self, skip: u32, limit: u32) -> Result<Vec<ActionView>, StoreError> {
        self.views("TRUE ORDER BY content_seq DESC LIMIT ?1 OFFSET ?2", [limit, skip])
    }

    /// Actions of a task, oldest first.
    pub fn actions_of(&self, task: &TaskId) -> Result<Vec<ActionView>, StoreError> {
        self.views("task = ?1 ORDER BY content_seq", [task.as_bytes()])
    }

    fn views(&self, condition: &str, values: impl rusqlite::Params) -> Result<Vec<ActionView>, StoreError> {
        let reader = self.reader();
        let rows = rows_where(&reader, condition, values)?;
        let with_content = rows.into_iter().map(|row| {
            let content = read_content(&reader, self.keys(), &row.id).unwrap_or_default();
            ActionView { row, content }
        });
        Ok(with_content.collect())
    }

    /// Every connection, revoked ones included, oldest first.
    pub fn connections(&self) -> Result<Vec<ConnectionRow>, StoreError> {
        read_connections(&self.reader(), None)
    }

    /// One connection.
    pub fn connection(&self, id: &ConnectionId) -> Result<Option<ConnectionRow>, StoreError> {
        Ok(read_connections(&self.reader(), Some(id))?.pop())
    }

    /// A sealed record.
    pub fn record(&self, name: RecordName<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        read_record(&self.reader(), self.keys(), name)
    }

    /// The numbers of an owner's sealed records of a kind, in order.
    pub fn record_numbers(&self, kind: &'static str, owner: &[u8]) -> Result<Vec<u64>, StoreError> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT n FROM record WHERE kind = ?1 AND owner = ?2 ORDER BY n")
            .map_err(store_error)?;
        let rows = query.query_map(params![kind, owner], |row| row.get(0)).map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    /// Credentials that may approve.
    pub fn credentials(&self) -> Result<Vec<CredentialRow>, StoreError> {
        let reader = self.reader();
        let mut query =
            reader.prepare_cached("SELECT id, salt, public FROM credential ORDER BY rowid").map_err(store_error)?;
        let rows = query
            .query_map([], |row| Ok(CredentialRow { id: row.get(0)?, salt: row.get(1)?, public: row.get(2)? }))
            .map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    /// What is known of somebody.
    pub fn standing(&self, party: &Party) -> Result<Standing, StoreError> {
        crate::known::standing_of(&self.reader(), party)
    }

    /// All that the person said in a task.
    pub fn task_words(&self, task: &TaskId) -> Result<Option<String>, StoreError> {
        crate::known::task_words(&self.reader(), self.keys(), task)
    }

    /// What a task has let in and asked so far.
    pub fn task_marks(&self, task: &TaskId) -> Result<TaskMarks, StoreError> {
        crate::known::task_marks(&self.reader(), task)
    }

    /// Somebody known who could be taken for this one, and is not.
    pub fn resembles(&self, party: &Party) -> Result<Option<String>, StoreError> {
        crate::known::resembles(&self.reader(), party)
    }

    /// Everyone the person is known to have written to.
    pub fn known_receivers(&self) -> Result<Vec<Known>, StoreError> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT value, name FROM party WHERE kind = 'email' ORDER BY value")
            .map_err(store_error)?;
        let rows =
            query.query_map([], |row| Ok(Known { address: row.get(0)?, name: row.get(1)? })).map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    /// Tasks but the first `skip`, newest first.
    pub fn tasks(&self, skip: u32, limit: u32) -> Result<Vec<TaskRow>, StoreError> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT id, state, wall_ms FROM task ORDER BY rowid DESC LIMIT ?1 OFFSET ?2")
            .map_err(store_error)?;
        let rows = query
            .query_map([limit, skip], |row| {
                Ok(TaskRow { id: TaskId::from_bytes(row.get(0)?), state: row.get(1)?, wall_ms: row.get(2)? })
            })
            .map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }
}
