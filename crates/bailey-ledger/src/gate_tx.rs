//! What the gate reads and writes: the store as the gate's traits have it.

use std::sync::{Mutex, PoisonError};

use bailey_gate::event::{Event, Origin};
use bailey_gate::family::{ActionKind, Party, Taint};
use bailey_gate::ground::skeleton;
use bailey_gate::ledger::{Claims, Grant, Relationship, Row, Scope, Since, StoreError, TaskTaint, Tx, View};
use bailey_gate::{ActionId, ConnectionId, State, TaskId};
use bailey_keys::store::KeyStore;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::backend::Header;
use crate::claims::{self, ClaimTimes};
use crate::contacts::{confusable_with, relationship_of, task_taint, task_words, whole};
use crate::queries;
use crate::rows::{
    damaged, deadline_bytes, expires_bytes, now_bytes, one_connection, one_row, origin_of, rows_of, store_error,
};
use crate::tx::LedgerTx;

/// Moves a row one step, with what may change along with its state.
const STEP: &str =
    "UPDATE action SET previous = ?2, state = ?3, expires = ?4, held = ?5, credential = ?6, session = ?7,
       client = ?8, stepped_up = ?9, claim_epoch = ?10, claim_lease = ?11,
       claimed_ms = coalesce(?12, claimed_ms), attempt = ?13
     WHERE id = ?1 AND state = ?2";
/// The same of a row that was claimed: nothing else of it changes any more. A column that is set is written in all its indexes, whether it
/// changes or not, and each of them is a page to encrypt.
const STEP_BEHIND_CLAIM: &str = "UPDATE action SET previous = ?2, state = ?3 WHERE id = ?1 AND state = ?2";

/// A connection to read over: the writer's within its transaction, or one of the readers'.
pub(crate) struct LedgerView<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) keys: &'a KeyStore,
    pub(crate) claims: &'a Mutex<ClaimTimes>,
    /// Changes of what seldom changes, as they were counted before anything was read.
    pub(crate) surroundings: u64,
    /// Tells whether it is the writer's.
    pub(crate) writes: bool,
}

impl LedgerView<'_> {
    fn note_claim(&self, row: &Row, wall_ms: i64) {
        let mut times = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        // A claim that is not the first moves one that is counted.
        if row.attempt > 1 { times.forget(row.kind) } else { times.add(row.kind, wall_ms) }
    }
}

impl View for LedgerView<'_> {
    fn surroundings(&mut self) -> u64 {
        self.surroundings
    }

    fn row(&mut self, id: &ActionId) -> Result<Option<Row>, StoreError> {
        one_row(self.db, id)
    }

    fn last_reasons(&mut self, id: &ActionId) -> Result<Vec<String>, StoreError> {
        let header: Option<Header> = self
            .db
            .prepare_cached(queries::LAST_OF)
            .and_then(|mut query| query.query_row([id.as_bytes()], |row| row.get(0)).optional())
            .map_err(store_error)?;
        let fields = header.and_then(|header| serde_json::from_str::<serde_json::Value>(&header.0).ok());
        let reasons = fields.as_ref().and_then(|fields| fields.get("reasons")?.as_array());
        Ok(reasons.into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect())
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

    fn scope(&mut self, task: &TaskId, connection: &ConnectionId) -> Result<Scope, StoreError> {
        crate::schedules::scope(self.db, task, connection)
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

    fn claimed_since(&mut self, kind: ActionKind, since: Since) -> Result<Claims, StoreError> {
        let mut times = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = times.count(kind, since) {
            return Ok(counted);
        }
        if self.writes {
            times.read(self.db, kind)?;
            return Ok(times.count(kind, since).unwrap_or_default());
        }
        drop(times);
        claims::count(self.db, kind, since)
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

impl Tx for LedgerTx<'_> {
    fn view(&mut self) -> &mut dyn View {
        self.view.surroundings = self.log.surroundings;
        &mut self.view
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
                    expires_bytes(row),
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
        if let Some(at) = claimed_ms {
            self.view.note_claim(row, at);
        }
        self.append(&entry, None)?;
        let approval = row.approval.as_ref();
        let changed = if from.is_past_claim() {
            self.db
                .prepare_cached(STEP_BEHIND_CLAIM)
                .and_then(|mut update| update.execute(params![row.id.as_bytes(), from.name(), row.state.name()]))
        } else {
            self.db.prepare_cached(STEP).and_then(|mut update| {
                update.execute(params![
                    row.id.as_bytes(),
                    from.name(),
                    row.state.name(),
                    expires_bytes(row),
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
        }
        .map_err(store_error)?;
        if changed == 1 { Ok(()) } else { Err(damaged("action state")) }
    }

    fn log(&mut self, entry: Event) -> Result<(), StoreError> {
        self.append(&entry, None).map(|_| ())
    }

    fn learn(&mut self, party: &Party, name: &str) -> Result<(), StoreError> {
        let learn = "INSERT INTO party (kind, value, name, own, likeness) VALUES (?1, ?2, ?3, 0, ?4)
                     ON CONFLICT (kind, value) DO UPDATE SET name = excluded.name WHERE name = ''";
        let values = [&party.kind, &party.value, name, &skeleton(party)];
        let changed = self.db.prepare_cached(learn).and_then(|mut learn| learn.execute(values)).map_err(store_error)?;
        self.log.surroundings += changed as u64;
        Ok(())
    }

    fn mark(&mut self, task: &TaskId, taint: Taint, odd: bool) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO task_mark (task, untrusted, confidential, odd) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (task) DO UPDATE SET untrusted = max(untrusted, excluded.untrusted),
                   confidential = max(confidential, excluded.confidential), odd = odd + excluded.odd",
            )
            .and_then(|mut mark| mark.execute(params![task.as_bytes(), taint.untrusted, taint.confidential, odd]))
            .map_err(store_error)?;
        Ok(())
    }
}
