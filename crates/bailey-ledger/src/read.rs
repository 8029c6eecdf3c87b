//! Reading what is committed: lists and single things, for the home's interface.

use std::collections::HashSet;

use bailey_gate::FACTS;
use bailey_gate::event::{EventKind, Origin};
use bailey_gate::family::{ActionKind, Party, home, mail};
use bailey_gate::ground::{Known, Words, named};
use bailey_gate::intent::asking;
use bailey_gate::ledger::{Relationship, Row, StoreError, TaskTaint};
use bailey_gate::{ActionId, ConnectionId, Deadline, State, TaskId};
use rusqlite::{Connection, OptionalExtension as _, Params, Row as SqlRow, params};

use crate::backend::Header;
use crate::header::payload_bytes;
use crate::queries;
use crate::rows::{damaged, one_connection, origin_of, read_connections, rows_of, store_error};
use crate::sealed::{SealedPayload, content_left, payload_left, read_record, sealed_content};
use crate::store::Ledger;
use crate::tx::{ConnectionRow, RecordName};

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
pub struct ActionRecord {
    /// The row.
    pub row: Row,
    /// The encoded content; empty if it was erased.
    pub content: Vec<u8>,
}

/// Kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// The Ed25519 key that the approval passphrase makes.
    PassphraseKey,
    /// A passkey (WebAuthn Level 3).
    Passkey,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::PassphraseKey, Self::Passkey];

    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PassphraseKey => "passphrase-key",
            Self::Passkey => "passkey",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The stored half of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// The credential's identity.
    pub id: [u8; 16],
    /// Of which kind.
    pub kind: CredentialKind,
    /// The salt of its passphrase, where it comes from one.
    pub salt: Option<[u8; 16]>,
    /// The public key, in the form of its kind: 32 bytes (RFC 8032), or a COSE key (WebAuthn Level 3, section 6.5.1).
    pub public: Vec<u8>,
}

/// A task as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// The task's identity.
    pub id: TaskId,
    /// Where it stands, as the agent names it.
    pub state: String,
    /// When it was given.
    pub wall_ms: i64,
    /// Who or what began it.
    pub origin: Origin,
}

/// Decisions kept in memory: every approval looks at those before it for a habit, and what was decided once stays as it was.
pub(crate) const MAX_DECISIONS: usize = 4_096;

/// Facts, decision and reasons, as they are kept in memory.
pub(crate) type Decision = (Vec<u8>, String, Vec<String>);

/// What was decided about an action when it was proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The row, as it is now.
    pub row: Row,
    /// Facts of it, encoded ([`bailey_gate::policy::Facts::decode`]); nothing if they were erased or never kept.
    pub facts: Vec<u8>,
    /// The decision; nothing if it cannot be found.
    pub decision: String,
    /// The rules and reasons it was decided by.
    pub reasons: Vec<String>,
}

/// Tells whether the person's rules are tried on actions of a kind: not on those only looking, and those talking to the person.
fn is_ruled(kind: ActionKind) -> bool {
    !kind.is_read() && kind != home::REPLY && kind != mail::DRAFT
}

/// An entry as it is stored.
struct StoredEntry {
    seq: u64,
    header: String,
    payload: Option<SealedPayload>,
}

/// Reads entries; what they hold is opened once the connection is free again.
fn stored_entries(db: &Connection, query: &'static str, values: impl Params) -> Result<Vec<StoredEntry>, StoreError> {
    let entry = |row: &SqlRow<'_>| {
        let payload = row.get::<_, Option<u64>>(2)?.zip(row.get::<_, Option<Vec<u8>>>(3)?);
        Ok(StoredEntry { seq: row.get(0)?, header: row.get::<_, Header>(1)?.0, payload })
    };
    let mut query = db.prepare_cached(query).map_err(store_error)?;
    let rows = query.query_map(values, entry).map_err(store_error)?;
    rows.collect::<Result<_, _>>().map_err(store_error)
}

/// What a connection was used for, of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The connection.
    pub connection: ConnectionId,
    /// The kind of action.
    pub kind: ActionKind,
    /// How often since the later of two moments.
    pub week: u64,
    /// And since the earlier.
    pub month: u64,
    /// When last: milliseconds since 1970-01-01T00:00Z.
    pub last_ms: i64,
}

impl Ledger {
    /// Returns the newest actions of which what was decided is kept, newest first, but for those only looking and those
    /// talking to the person.
    pub fn decided(&self, limit: u32) -> Result<Vec<Decided>, StoreError> {
        let rows = {
            let reader = self.reader();
            let mut newest: Vec<u64> = Vec::new();
            for kind in ActionKind::all().filter(|kind| is_ruled(*kind)) {
                let mut query = reader.prepare_cached(queries::NEWEST_OF_KIND).map_err(store_error)?;
                let found = query.query_map(params![kind.name(), limit], |row| row.get(0)).map_err(store_error)?;
                newest.extend(found.collect::<Result<Vec<u64>, _>>().map_err(store_error)?);
            }
            newest.sort_unstable_by_key(|place| std::cmp::Reverse(*place));
            newest.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let mut rows = Vec::new();
            for place in newest {
                rows.extend(rows_of(&reader, queries::AT, [place])?);
            }
            rows
        };
        rows.into_iter().map(|row| self.decided_of(row)).collect()
    }

    /// Returns the newest actions that the person answered, or went back on, newest first: what nobody was asked about is not
    /// among them.
    pub fn answered(&self, limit: u32) -> Result<Vec<Decided>, StoreError> {
        let rows = rows_of(&self.reader(), queries::ANSWERED, [limit])?;
        rows.into_iter().map(|row| self.decided_of(row)).collect()
    }

    /// Actions that ran without asking since a wall time.
    pub fn ran_unasked(&self, since_ms: i64) -> Result<Vec<Decided>, StoreError> {
        let rows = rows_of(&self.reader(), queries::UNASKED, [since_ms])?;
        rows.into_iter().map(|row| self.decided_of(row)).collect()
    }

    /// Actions of a kind in a state, oldest first, with what they hold.
    pub fn of_kind(&self, kind: ActionKind, state: State) -> Result<Vec<ActionRecord>, StoreError> {
        self.views(queries::OF_KIND_IN_STATE, [kind.name(), state.name()])
    }

    /// Tells what connections were used for since a wall time: by connection and kind, how often since two later ones, and when last.
    pub fn used(&self, since_ms: i64, month_ms: i64, week_ms: i64) -> Result<Vec<Used>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(queries::USED).map_err(store_error)?;
        let mut all = Vec::new();
        for kind in ActionKind::all() {
            let of = |row: &SqlRow<'_>| {
                let connection = ConnectionId::from_bytes(row.get(0)?);
                Ok(Used { connection, kind, week: row.get(1)?, month: row.get(2)?, last_ms: row.get(3)? })
            };
            let found = query.query_map(params![kind.name(), since_ms, month_ms, week_ms], of).map_err(store_error)?;
            all.extend(found.collect::<Result<Vec<_>, _>>().map_err(store_error)?);
        }
        Ok(all)
    }

    /// Tells how many actions are in a state.
    pub fn count_in(&self, state: State) -> Result<u64, StoreError> {
        self.reader()
            .prepare_cached(queries::COUNT_IN_STATE)
            .and_then(|mut query| query.query_row([state.name()], |row| row.get(0)))
            .map_err(store_error)
    }

    /// Tells where in the log the newest action in a state stands; 0 where there is none.
    pub fn newest_in(&self, state: State) -> Result<u64, StoreError> {
        self.reader()
            .prepare_cached(queries::NEWEST_IN_STATE)
            .and_then(|mut query| query.query_row([state.name()], |row| row.get(0)))
            .map_err(store_error)
    }

    /// Returns what was decided about one action.
    pub fn decided_of(&self, row: Row) -> Result<Decided, StoreError> {
        if let Some((facts, decision, reasons)) = self.decisions().get(&row.id).cloned() {
            return Ok(Decided { row, facts, decision, reasons });
        }
        let nothing = Decided { row, facts: Vec::new(), decision: String::new(), reasons: Vec::new() };
        let Some((header, payload)) = self.decision_of(&nothing.row.id)? else { return Ok(nothing) };
        let facts =
            payload_left(self.keys(), payload)?.and_then(|json| payload_bytes(&json, FACTS)).unwrap_or_default();
        let reasons = header.get("reasons").and_then(serde_json::Value::as_array).into_iter().flatten();
        let reasons: Vec<String> = reasons.filter_map(|reason| reason.as_str().map(str::to_owned)).collect();
        let decision = header.get("decision").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let mut kept = self.decisions();
        if kept.len() >= MAX_DECISIONS {
            kept.clear();
        }
        kept.insert(nothing.row.id, (facts.clone(), decision.clone(), reasons.clone()));
        drop(kept);
        Ok(Decided { facts, decision, reasons, ..nothing })
    }

    /// Returns the first entry about an action that carries a decision. What the others hold, attachments too, stays where it
    /// is.
    fn decision_of(&self, id: &ActionId) -> Result<Option<(serde_json::Value, Option<SealedPayload>)>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(queries::ENTRIES_OF).map_err(store_error)?;
        let mut rows = query.query([id.as_bytes()]).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(store_error)? {
            let Header(header) = row.get(1).map_err(store_error)?;
            let header: serde_json::Value = serde_json::from_str(&header).map_err(|_| damaged("log entry"))?;
            if header.get("decision").is_some() {
                let key: Option<u64> = row.get(2).map_err(store_error)?;
                return Ok(Some((header, key.zip(row.get(3).map_err(store_error)?))));
            }
        }
        Ok(None)
    }

    /// Returns the leaf of an entry, made anew of it; nothing where the log is shorter.
    pub fn leaf_at(&self, seq: u64) -> Result<Option<crate::tree::Hash>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(queries::LEAVES).map_err(store_error)?;
        let header = query.query_row([seq, seq.saturating_add(1)], |row| row.get::<_, Header>(0));
        Ok(header.optional().map_err(store_error)?.map(|Header(header)| crate::tree::leaf(header.as_bytes())))
    }

    /// Returns the place in the log of an action's proposal; nothing where there is no such action.
    pub fn place_of(&self, id: &ActionId) -> Result<Option<u64>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(queries::PLACE).map_err(store_error)?;
        query.query_row([id.as_bytes()], |row| row.get(0)).optional().map_err(store_error)
    }

    /// Returns the newest entries of a kind, newest first.
    pub fn entries_of_kind(&self, kind: EventKind, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let stored = stored_entries(&self.reader(), queries::ENTRIES_OF_KIND, params![kind.name(), limit])?;
        self.opened(stored)
    }

    /// Entries from `from` on, oldest first, at most `limit`.
    pub fn entries(&self, from: u64, limit: u64) -> Result<Vec<Entry>, StoreError> {
        // Beyond what the database can number there is nothing.
        let (from, limit) = (from.min(i64::MAX as u64), limit.min(i64::MAX as u64));
        let stored = stored_entries(&self.reader(), queries::ENTRIES, [from, limit])?;
        self.opened(stored)
    }

    fn opened(&self, stored: Vec<StoredEntry>) -> Result<Vec<Entry>, StoreError> {
        let open = |stored: StoredEntry| {
            let payload = payload_left(self.keys(), stored.payload)?.and_then(|json| String::from_utf8(json).ok());
            Ok(Entry { seq: stored.seq, header: stored.header, payload })
        };
        stored.into_iter().map(open).collect()
    }

    /// Tells how many bytes each table and each index takes. Looks at every page: for measuring.
    pub fn disk(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").map_err(store_error)?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    /// Returns the number of entries and the last checkpoint's note.
    pub fn head(&self) -> Result<(u64, Option<String>), StoreError> {
        let reader = self.reader();
        let size = reader.query_row(queries::SIZE, [], |row| row.get(0)).map_err(store_error)?;
        let note = reader
            .query_row("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", [], |row| row.get(0))
            .optional()
            .map_err(store_error)?;
        Ok((size, note))
    }

    /// Tells whether the last word of the log about pausing is that everything is paused.
    pub fn log_says_paused(&self) -> Result<bool, StoreError> {
        let reader = self.reader();
        let last: Option<String> =
            reader.query_row(queries::LAST_CONTROL, [], |row| row.get(0)).optional().map_err(store_error)?;
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
        let stored = stored_entries(&self.reader(), queries::ENTRIES_OF, [action.as_bytes()])?;
        self.opened(stored)
    }

    /// Returns one action.
    pub fn action(&self, id: &ActionId) -> Result<Option<ActionRecord>, StoreError> {
        Ok(self.views(queries::ACTION, [id.as_bytes()])?.pop())
    }

    /// Actions in a state, oldest first.
    pub fn actions_in(&self, state: State) -> Result<Vec<ActionRecord>, StoreError> {
        self.views(queries::IN_STATE, [state.name()])
    }

    /// Tells when the windows of held actions end, those of the oldest first; opens no content.
    pub fn held_until(&self, limit: u32) -> Result<Vec<Deadline>, StoreError> {
        let rows = rows_of(&self.reader(), queries::PART_OF_STATE, params![State::Held.name(), 0, limit])?;
        Ok(rows.into_iter().filter_map(|row| row.held).collect())
    }

    /// Actions in a state but the first `skip`, oldest first.
    pub fn part_of(&self, state: State, skip: u32, limit: u32) -> Result<Vec<ActionRecord>, StoreError> {
        self.views(queries::PART_OF_STATE, params![state.name(), skip, limit])
    }

    /// Returns the newest actions, of one kind or of all, and before one of them where it is said which; newest first.
    pub fn actions_before(
        &self,
        kind: Option<ActionKind>,
        before: Option<&ActionId>,
        limit: u32,
    ) -> Result<Vec<ActionRecord>, StoreError> {
        let place = match before {
            None => Some(i64::MAX),
            Some(id) => {
                let reader = self.reader();
                let mut query = reader.prepare_cached(queries::PLACE).map_err(store_error)?;
                query.query_row([id.as_bytes()], |row| row.get(0)).optional().map_err(store_error)?
            }
        };
        let Some(place) = place else { return Ok(Vec::new()) };
        match kind {
            None => self.views(queries::BEFORE, params![place, limit]),
            Some(kind) => self.views(queries::OF_KIND_BEFORE, params![kind.name(), place, limit]),
        }
    }

    /// Returns the newest actions but the first `skip`, newest first.
    pub fn recent_actions(&self, skip: u32, limit: u32) -> Result<Vec<ActionRecord>, StoreError> {
        self.views(queries::NEWEST, [skip, limit])
    }

    /// Actions of a task, oldest first.
    pub fn actions_of(&self, task: &TaskId) -> Result<Vec<ActionRecord>, StoreError> {
        self.views(queries::OF_TASK, [task.as_bytes()])
    }

    /// States of the actions of a task, oldest first, read from an index alone.
    pub fn states_of(&self, task: &TaskId) -> Result<Vec<State>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(queries::STATES_OF_TASK).map_err(store_error)?;
        let names = query.query_map([task.as_bytes()], |row| row.get::<_, String>(0)).map_err(store_error)?;
        names.map(|name| State::from_name(&name.map_err(store_error)?).ok_or_else(|| damaged("state"))).collect()
    }

    /// Returns rows with what they hold, which is opened once the connection is free again.
    fn views(&self, query: &'static str, values: impl Params) -> Result<Vec<ActionRecord>, StoreError> {
        let stored = {
            let reader = self.reader();
            let rows = rows_of(&reader, query, values)?;
            let with_content = rows.into_iter().map(|row| Ok((sealed_content(&reader, &row.id)?, row)));
            with_content.collect::<Result<Vec<_>, StoreError>>()?
        };
        let open = |(sealed, row)| Ok(ActionRecord { content: content_left(self.keys(), sealed)?, row });
        stored.into_iter().map(open).collect()
    }

    /// Returns every connection, revoked ones included, oldest first.
    pub fn connections(&self) -> Result<Vec<ConnectionRow>, StoreError> {
        read_connections(&self.reader())
    }

    /// Returns one connection.
    pub fn connection(&self, id: &ConnectionId) -> Result<Option<ConnectionRow>, StoreError> {
        one_connection(&self.reader(), id)
    }

    /// Returns a sealed record.
    pub fn record(&self, name: RecordName<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        read_record(&self.reader(), self.keys(), name)
    }

    /// Returns the numbers of an owner's sealed records of a kind, in order.
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
        let mut query = reader
            .prepare_cached("SELECT id, kind, salt, public FROM credential ORDER BY rowid")
            .map_err(store_error)?;
        let rows = query
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?)))
            .map_err(store_error)?;
        rows.map(|row| {
            let (id, kind, salt, public) = row.map_err(store_error)?;
            let kind = CredentialKind::from_name(&kind).ok_or_else(|| StoreError::Broken("credential kind".into()))?;
            Ok(CredentialRow { id, kind, salt, public })
        })
        .collect()
    }

    /// Returns what is known of somebody.
    pub fn relationship(&self, party: &Party) -> Result<Relationship, StoreError> {
        crate::contacts::relationship_of(&self.reader(), party)
    }

    /// Returns all that the person said in a task.
    pub fn task_words(&self, task: &TaskId) -> Result<Option<String>, StoreError> {
        crate::contacts::task_words(&self.reader(), self.keys(), task)
    }

    /// Returns what a task has let in and asked so far.
    pub fn task_taint(&self, task: &TaskId) -> Result<TaskTaint, StoreError> {
        crate::contacts::task_taint(&self.reader(), task)
    }

    /// Returns somebody known who could be taken for this one, and is not.
    pub fn confusable_with(&self, party: &Party) -> Result<Option<String>, StoreError> {
        crate::contacts::confusable_with(&self.reader(), party)
    }

    /// Returns everyone the person is known to have written to.
    pub fn known_recipients(&self) -> Result<Vec<Known>, StoreError> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT value, name FROM party WHERE kind = 'email' ORDER BY value")
            .map_err(store_error)?;
        let rows =
            query.query_map([], |row| Ok(Known { address: row.get(0)?, name: row.get(1)? })).map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    /// Finds those the person knows whom words of theirs name: by address, number or name. Takes time with how many they know
    /// and how much is said, and so never happens within a transaction.
    pub fn names_in(&self, words: &str) -> Result<Vec<Party>, StoreError> {
        let parties = {
            let reader = self.reader();
            let mut known =
                reader.prepare_cached("SELECT kind, value, name FROM party WHERE kind <> ?1").map_err(store_error)?;
            let row = |row: &rusqlite::Row<'_>| Ok((Party { kind: row.get(0)?, value: row.get(1)? }, row.get(2)?));
            let rows = known.query_map([Party::ORGANISATION], row).map_err(store_error)?;
            rows.collect::<rusqlite::Result<Vec<(Party, String)>>>().map_err(store_error)?
        };
        let asked = asking(words);
        let of_mail = |(party, name): &(Party, String)| {
            (party.kind == Party::EMAIL).then(|| Known { name: name.clone(), address: party.value.clone() })
        };
        let people: Vec<Known> = parties.iter().filter_map(of_mail).collect();
        let by_name: HashSet<&str> =
            named(&asked, &people).into_iter().flatten().map(|known| known.address.as_str()).collect();
        let said = Words::new(&asked);
        let is_named = |party: &Party| {
            party.kind == Party::EMAIL && by_name.contains(party.value.as_str()) || said.hold_party(party)
        };
        Ok(parties.into_iter().map(|(party, _)| party).filter(is_named).collect())
    }

    /// Returns who or what began a task; `None` where there is no such task.
    pub fn origin(&self, task: &TaskId) -> Result<Option<Origin>, StoreError> {
        origin_of(&self.reader(), task)
    }

    /// Tasks but the first `skip`, newest first.
    pub fn tasks(&self, skip: u32, limit: u32) -> Result<Vec<TaskRow>, StoreError> {
        self.tasks_of(queries::TASKS, [limit, skip])
    }

    /// Returns one task; nothing where there is none.
    pub fn task_row(&self, id: &TaskId) -> Result<Option<TaskRow>, StoreError> {
        Ok(self.tasks_of(queries::ONE_TASK, [id.as_bytes()])?.pop())
    }

    /// Tasks in a state, newest first.
    pub fn tasks_in(&self, state: &str) -> Result<Vec<TaskRow>, StoreError> {
        self.tasks_of(queries::TASKS_IN_STATE, [state])
    }

    fn tasks_of(&self, query: &'static str, values: impl Params) -> Result<Vec<TaskRow>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(query).map_err(store_error)?;
        let mut rows = query.query(values).map_err(store_error)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(store_error)? {
            let origin: String = row.get(3).map_err(store_error)?;
            out.push(TaskRow {
                id: TaskId::from_bytes(row.get(0).map_err(store_error)?),
                state: row.get(1).map_err(store_error)?,
                wall_ms: row.get(2).map_err(store_error)?,
                origin: Origin::from_name(&origin).ok_or_else(|| damaged("origin of a task"))?,
            });
        }
        Ok(out)
    }
}
