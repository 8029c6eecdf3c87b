//! The person's schedules, and what became of each of their times.

use bailey_gate::family::Level;
use bailey_gate::ledger::{Scope, StoreError};
use bailey_gate::{ConnectionId, ScheduleId, TaskId};
use rusqlite::{Connection, OptionalExtension as _, Params, Row as SqlRow, params};

use crate::files::composed;
use crate::rows::{damaged, store_error};
use crate::store::Ledger;
use crate::tx::{LedgerTx, RecordName};

/// The kind of record that holds the words of a schedule; its owner is the schedule.
const WORDS: &str = "schedule-words";
/// Most times of a schedule that one list holds.
pub const MAX_OCCURRENCES_LISTED: u32 = 200;

/// How a schedule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleState {
    /// It begins tasks.
    On,
    /// It does not, until the person begins it again.
    Stopped,
    /// None of its times is to come.
    Expired,
}

impl ScheduleState {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
        }
    }

    fn read(name: &str) -> Option<Self> {
        [Self::On, Self::Stopped, Self::Expired].into_iter().find(|state| state.name() == name)
    }
}

/// A schedule, all but its words. Times are milliseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Its identity.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// Rises with each change.
    pub generation: u64,
    /// How it stands.
    pub state: ScheduleState,
    /// Why it is stopped, as a code; nothing where it is not.
    pub stopped: String,
    /// When it is due, as it was said.
    pub said: String,
    /// The same as it was understood.
    pub told: String,
    /// The same as it is read.
    pub form: String,
    /// In which time zone.
    pub zone: String,
    /// What of times that passed.
    pub late: String,
    /// What where its last run is at work.
    pub overlap: String,
    /// Tokens that one run may take.
    pub run_tokens: u64,
    /// Tokens that its runs of thirty days may take.
    pub month_tokens: u64,
    /// When it ends by itself.
    pub until_ms: Option<i64>,
    /// When it was made.
    pub made_ms: i64,
    /// When the person last looked at what came of it.
    pub looked_ms: i64,
    /// The newest of its times that has its outcome.
    pub watermark_ms: i64,
    /// A time that waits for room.
    pub queued_ms: Option<i64>,
    /// What it may use, and up to which level.
    pub connections: Vec<(ConnectionId, Level)>,
}

/// A time of a schedule, or several in a row, with their outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccurrenceRow {
    /// Whose.
    pub schedule: ScheduleId,
    /// As the schedule was then.
    pub generation: u64,
    /// The time; the first of several.
    pub due_ms: i64,
    /// The last of several.
    pub last_ms: i64,
    /// How many.
    pub count: u32,
    /// What became of it.
    pub outcome: String,
    /// More of it, as a code; often nothing.
    pub why: String,
    /// When it got its outcome.
    pub decided_ms: i64,
    /// The run.
    pub task: Option<TaskId>,
    /// How the run ended, as a code; nothing while it is at work.
    pub ended: Option<String>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Tokens that it took; while it is at work, those it may take.
    pub tokens: u64,
    /// What it cost, in millionths.
    pub micros: u64,
    /// Tells whether it needs the person's attention.
    pub open: bool,
}

/// How far the clockwork came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockworkRow {
    /// The pause epoch it last saw.
    pub epoch: u64,
    /// When it made the last digest; 0 for never.
    pub digest_ms: i64,
}

const SCHEDULES: &str =
    "SELECT id, name, generation, state, stopped, said, told, form, zone, late, overlap, run_tokens,
     month_tokens, until_ms, made_ms, looked_ms, watermark_ms, queued_ms FROM schedule";

/// Columns of an occurrence.
macro_rules! occurrences {
    ($rest:literal) => {
        concat!(
            "SELECT schedule, generation, due_ms, last_ms, count, outcome, why, decided_ms, task, ended, ended_ms, tokens, ",
            "micros, open FROM occurrence ",
            $rest
        )
    };
}

const OF_SCHEDULE: &str = occurrences!("WHERE schedule = ?1 ORDER BY decided_ms DESC, due_ms DESC LIMIT ?3 OFFSET ?2");
const OPEN: &str = occurrences!("INDEXED BY occurrence_open WHERE open = 1 ORDER BY decided_ms DESC LIMIT ?1");
const AT_WORK: &str = occurrences!("INDEXED BY occurrence_at_work WHERE task IS NOT NULL AND ended IS NULL");
const OF_TASK: &str = occurrences!("WHERE task = ?1");
const BETWEEN: &str = occurrences!("WHERE decided_ms >= ?1 AND decided_ms < ?2 ORDER BY decided_ms LIMIT ?3");
const ONE: &str = occurrences!("WHERE schedule = ?1 AND generation = ?2 AND due_ms = ?3");

/// Returns a name as it is compared: two that differ in capital letters only are one.
fn folded(name: &str) -> String {
    composed(&name.to_lowercase())
}

fn schedule(db: &Connection, row: &SqlRow<'_>) -> rusqlite::Result<Result<ScheduleRow, StoreError>> {
    let (id, state): ([u8; 16], String) = (row.get(0)?, row.get(3)?);
    let Some(state) = ScheduleState::read(&state) else { return Ok(Err(damaged("state of a schedule"))) };
    let mut given =
        db.prepare_cached("SELECT connection, level FROM schedule_connection WHERE schedule = ?1 ORDER BY connection")?;
    let given = given.query_map([id], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?)))?;
    let mut connections = Vec::new();
    for one in given {
        let (connection, level) = one?;
        let Some(level) = Level::from_name(&level) else { return Ok(Err(damaged("level of a schedule"))) };
        connections.push((ConnectionId::from_bytes(connection), level));
    }
    Ok(Ok(ScheduleRow {
        id: ScheduleId::from_bytes(id),
        name: row.get(1)?,
        generation: row.get(2)?,
        state,
        stopped: row.get(4)?,
        said: row.get(5)?,
        told: row.get(6)?,
        form: row.get(7)?,
        zone: row.get(8)?,
        late: row.get(9)?,
        overlap: row.get(10)?,
        run_tokens: row.get(11)?,
        month_tokens: row.get(12)?,
        until_ms: row.get(13)?,
        made_ms: row.get(14)?,
        looked_ms: row.get(15)?,
        watermark_ms: row.get(16)?,
        queued_ms: row.get(17)?,
        connections,
    }))
}

fn schedules(db: &Connection, rest: &str, values: impl Params) -> Result<Vec<ScheduleRow>, StoreError> {
    let mut query = db.prepare_cached(&format!("{SCHEDULES} {rest}")).map_err(store_error)?;
    let found = query.query_map(values, |row| schedule(db, row)).map_err(store_error)?;
    found.map(|one| one.map_err(store_error)?).collect()
}

fn occurrence(row: &SqlRow<'_>) -> rusqlite::Result<OccurrenceRow> {
    let task: Option<[u8; 16]> = row.get(8)?;
    Ok(OccurrenceRow {
        schedule: ScheduleId::from_bytes(row.get(0)?),
        generation: row.get(1)?,
        due_ms: row.get(2)?,
        last_ms: row.get(3)?,
        count: row.get(4)?,
        outcome: row.get(5)?,
        why: row.get(6)?,
        decided_ms: row.get(7)?,
        task: task.map(TaskId::from_bytes),
        ended: row.get(9)?,
        ended_ms: row.get(10)?,
        tokens: row.get(11)?,
        micros: row.get(12)?,
        open: row.get(13)?,
    })
}

fn occurrences(db: &Connection, sql: &str, values: impl Params) -> Result<Vec<OccurrenceRow>, StoreError> {
    let mut query = db.prepare_cached(sql).map_err(store_error)?;
    query.query_map(values, occurrence).and_then(Iterator::collect).map_err(store_error)
}

/// Returns what a task may use of a connection, by the schedule that began it as that is now.
pub(crate) fn scope(db: &Connection, task: &TaskId, connection: &ConnectionId) -> Result<Scope, StoreError> {
    let begun = "SELECT schedule, generation FROM occurrence WHERE task = ?1";
    let begun: Option<([u8; 16], u64)> = db
        .prepare_cached(begun)
        .and_then(|mut query| query.query_row([task.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(store_error)?;
    let Some((schedule, generation)) = begun else { return Ok(Scope::Whole) };
    let given = "SELECT given.level FROM schedule_connection AS given JOIN schedule ON schedule.id = given.schedule
                 WHERE given.schedule = ?1 AND given.connection = ?2 AND schedule.generation = ?3";
    let level: Option<String> = db
        .prepare_cached(given)
        .and_then(|mut query| {
            query.query_row(params![schedule, connection.as_bytes(), generation], |row| row.get(0)).optional()
        })
        .map_err(store_error)?;
    match level {
        None => Ok(Scope::Beside),
        Some(level) => Level::from_name(&level).map(Scope::UpTo).ok_or_else(|| damaged("level of a schedule")),
    }
}

impl Ledger {
    /// Returns every schedule, by name.
    pub fn schedules(&self) -> Result<Vec<ScheduleRow>, StoreError> {
        schedules(&self.reader(), "ORDER BY folded", [])
    }

    /// Returns one schedule.
    pub fn schedule(&self, id: &ScheduleId) -> Result<Option<ScheduleRow>, StoreError> {
        Ok(schedules(&self.reader(), "WHERE id = ?1", [id.as_bytes()])?.pop())
    }

    /// Returns the schedule of a name, whatever its capital letters.
    pub fn schedule_named(&self, name: &str) -> Result<Option<ScheduleRow>, StoreError> {
        Ok(schedules(&self.reader(), "WHERE folded = ?1", [folded(name)])?.pop())
    }

    /// Returns the words of a schedule, those of its tasks.
    pub fn schedule_words(&self, id: &ScheduleId) -> Result<Option<String>, StoreError> {
        let words = self.record(RecordName { kind: WORDS, owner: id.as_bytes(), n: 0 })?;
        words.map(|words| String::from_utf8(words).map_err(|_| damaged("words of a schedule"))).transpose()
    }

    /// Returns a part of the times of a schedule, the newest first.
    pub fn occurrences_of(&self, id: &ScheduleId, skip: u32, limit: u32) -> Result<Vec<OccurrenceRow>, StoreError> {
        occurrences(&self.reader(), OF_SCHEDULE, params![id.as_bytes(), skip, limit.min(MAX_OCCURRENCES_LISTED)])
    }

    /// Returns one time of a schedule.
    pub fn occurrence(
        &self,
        id: &ScheduleId,
        generation: u64,
        due_ms: i64,
    ) -> Result<Option<OccurrenceRow>, StoreError> {
        Ok(occurrences(&self.reader(), ONE, params![id.as_bytes(), generation, due_ms])?.pop())
    }

    /// Returns the times that need the person's attention, the newest first.
    pub fn open_occurrences(&self, limit: u32) -> Result<Vec<OccurrenceRow>, StoreError> {
        occurrences(&self.reader(), OPEN, [limit])
    }

    /// Returns the runs of every schedule that have not ended.
    pub fn runs_at_work(&self) -> Result<Vec<OccurrenceRow>, StoreError> {
        occurrences(&self.reader(), AT_WORK, [])
    }

    /// Returns the times that got their outcome between two wall times, the oldest first.
    pub fn occurrences_between(&self, from_ms: i64, to_ms: i64, limit: u32) -> Result<Vec<OccurrenceRow>, StoreError> {
        occurrences(&self.reader(), BETWEEN, params![from_ms, to_ms, limit])
    }

    /// Returns the time that began a task.
    pub fn occurrence_of(&self, task: &TaskId) -> Result<Option<OccurrenceRow>, StoreError> {
        Ok(occurrences(&self.reader(), OF_TASK, [task.as_bytes()])?.pop())
    }

    /// Tells what a task may use of a connection, by the schedule that began it.
    pub fn scope_of(&self, task: &TaskId, connection: &ConnectionId) -> Result<Scope, StoreError> {
        scope(&self.reader(), task, connection)
    }

    /// Sums the tokens of runs since a wall time, those set aside for runs at work included; of one schedule, or of all.
    pub fn run_tokens_since(&self, of: Option<&ScheduleId>, wall_ms: i64) -> Result<u64, StoreError> {
        let reader = self.reader();
        let sum: f64 = match of {
            Some(id) => reader.query_row(
                "SELECT total(tokens) FROM occurrence WHERE schedule = ?1 AND decided_ms >= ?2",
                params![id.as_bytes(), wall_ms],
                |row| row.get(0),
            ),
            None => reader
                .query_row("SELECT total(tokens) FROM occurrence WHERE decided_ms >= ?1", [wall_ms], |row| row.get(0)),
        }
        .map_err(store_error)?;
        // Whole below nine thousand billions; a sum of whole numbers that overflows would be an error.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of numbers that are not negative"
        )]
        Ok(sum as u64)
    }

    /// Counts the runs that began since a wall time.
    pub fn runs_since(&self, wall_ms: i64) -> Result<u64, StoreError> {
        let count = "SELECT count(*) FROM occurrence WHERE decided_ms >= ?1 AND task IS NOT NULL";
        self.reader().query_row(count, [wall_ms], |row| row.get(0)).map_err(store_error)
    }

    /// Returns how far the clockwork came.
    pub fn clockwork(&self) -> Result<ClockworkRow, StoreError> {
        let row = |row: &SqlRow<'_>| Ok(ClockworkRow { epoch: row.get(0)?, digest_ms: row.get(1)? });
        self.reader().query_row("SELECT epoch, digest_ms FROM clockwork WHERE one = 1", [], row).map_err(store_error)
    }
}

impl LedgerTx<'_> {
    /// Returns one schedule, as it is now.
    pub fn schedule_row(&mut self, id: &ScheduleId) -> Result<Option<ScheduleRow>, StoreError> {
        Ok(schedules(self.db, "WHERE id = ?1", [id.as_bytes()])?.pop())
    }

    /// Tells whether there is another schedule of a name.
    pub fn has_other_schedule(&mut self, id: &ScheduleId, name: &str) -> Result<bool, StoreError> {
        let other = "SELECT count(*) FROM schedule WHERE folded = ?1 AND id <> ?2";
        let count = self.db.query_row(other, params![folded(name), id.as_bytes()], |row| row.get::<_, u64>(0));
        count.map(|count| count > 0).map_err(store_error)
    }

    /// Counts the schedules.
    pub fn count_schedules(&mut self) -> Result<u64, StoreError> {
        self.db.query_row("SELECT count(*) FROM schedule", [], |row| row.get(0)).map_err(store_error)
    }

    /// Returns what became of the last time of a schedule that had an outcome.
    pub fn last_outcome(&mut self, id: &ScheduleId) -> Result<Option<String>, StoreError> {
        let last = "SELECT outcome FROM occurrence WHERE schedule = ?1 ORDER BY decided_ms DESC, due_ms DESC LIMIT 1";
        self.db.query_row(last, [id.as_bytes()], |row| row.get(0)).optional().map_err(store_error)
    }

    /// Keeps a schedule, a new one or a changed one, and its words where they are given.
    pub fn put_schedule_row(&mut self, row: &ScheduleRow, words: Option<&str>) -> Result<(), StoreError> {
        // Whatever its tasks may use changes with it.
        self.log.surroundings += 1;
        let put = "INSERT INTO schedule (id, name, folded, generation, state, stopped, said, told, form, zone, late, overlap,
                     run_tokens, month_tokens, until_ms, made_ms, looked_ms, watermark_ms, queued_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
                   ON CONFLICT (id) DO UPDATE SET name = ?2, folded = ?3, generation = ?4, state = ?5, stopped = ?6, said = ?7,
                     told = ?8, form = ?9, zone = ?10, late = ?11, overlap = ?12, run_tokens = ?13, month_tokens = ?14,
                     until_ms = ?15, made_ms = ?16, looked_ms = ?17, watermark_ms = ?18, queued_ms = ?19";
        let (id, state) = (row.id.as_bytes(), row.state.name());
        self.db
            .execute(
                put,
                params![
                    id,
                    row.name,
                    folded(&row.name),
                    row.generation,
                    state,
                    row.stopped,
                    row.said,
                    row.told,
                    row.form,
                    row.zone,
                    row.late,
                    row.overlap,
                    row.run_tokens,
                    row.month_tokens,
                    row.until_ms,
                    row.made_ms,
                    row.looked_ms,
                    row.watermark_ms,
                    row.queued_ms
                ],
            )
            .map_err(store_error)?;
        self.db.execute("DELETE FROM schedule_connection WHERE schedule = ?1", [id]).map_err(store_error)?;
        for (connection, level) in &row.connections {
            let give = "INSERT INTO schedule_connection (schedule, connection, level) VALUES (?1, ?2, ?3)";
            self.db.execute(give, params![id, connection.as_bytes(), level.name()]).map_err(store_error)?;
        }
        if let Some(words) = words {
            self.put_record(RecordName { kind: WORDS, owner: id, n: 0 }, words.as_bytes())?;
        }
        Ok(())
    }

    /// Notes that the person looked at what came of a schedule.
    pub fn look_at_schedule(&mut self, id: &ScheduleId, wall_ms: i64) -> Result<(), StoreError> {
        let look = "UPDATE schedule SET looked_ms = max(looked_ms, ?2) WHERE id = ?1";
        self.db.execute(look, params![id.as_bytes(), wall_ms]).map(|_| ()).map_err(store_error)
    }

    /// Removes a schedule. The key of its words is destroyed as soon as this is durable; what became of its times stays, in codes.
    pub fn delete_schedule(&mut self, id: &ScheduleId) -> Result<(), StoreError> {
        self.log.surroundings += 1;
        self.remove_record(RecordName { kind: WORDS, owner: id.as_bytes(), n: 0 })?;
        for sql in [
            "DELETE FROM schedule_connection WHERE schedule = ?1",
            "UPDATE occurrence SET open = 0 WHERE schedule = ?1",
            "DELETE FROM schedule WHERE id = ?1",
        ] {
            self.db.execute(sql, [id.as_bytes()]).map_err(store_error)?;
        }
        Ok(())
    }

    /// Keeps what became of a time. A time has one outcome: keeping another for it is refused.
    pub fn put_occurrence(&mut self, row: &OccurrenceRow) -> Result<(), StoreError> {
        self.log.surroundings += u64::from(row.task.is_some());
        let put = "INSERT INTO occurrence (schedule, generation, due_ms, last_ms, count, outcome, why, decided_ms, task, ended,
                     ended_ms, tokens, micros, open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        self.db
            .execute(
                put,
                params![
                    row.schedule.as_bytes(),
                    row.generation,
                    row.due_ms,
                    row.last_ms,
                    row.count,
                    row.outcome,
                    row.why,
                    row.decided_ms,
                    row.task.as_ref().map(TaskId::as_bytes),
                    row.ended,
                    row.ended_ms,
                    row.tokens,
                    row.micros,
                    row.open
                ],
            )
            .map(|_| ())
            .map_err(store_error)
    }

    /// Notes how a run ended, and what it took.
    pub fn end_run(
        &mut self,
        task: &TaskId,
        (ended, wall_ms): (&str, i64),
        (tokens, micros): (u64, u64),
        open: bool,
    ) -> Result<(), StoreError> {
        let end = "UPDATE occurrence SET ended = ?2, ended_ms = ?3, tokens = ?4, micros = ?5, open = ?6
                   WHERE task = ?1 AND ended IS NULL";
        self.db
            .execute(end, params![task.as_bytes(), ended, wall_ms, tokens, micros, open])
            .map(|_| ())
            .map_err(store_error)
    }

    /// Takes a time out of what needs the person's attention.
    pub fn close_occurrence(&mut self, id: &ScheduleId, generation: u64, due_ms: i64) -> Result<bool, StoreError> {
        let close =
            "UPDATE occurrence SET open = 0 WHERE schedule = ?1 AND generation = ?2 AND due_ms = ?3 AND open = 1";
        self.db
            .execute(close, params![id.as_bytes(), generation, due_ms])
            .map(|changed| changed > 0)
            .map_err(store_error)
    }

    /// Takes what a schedule's earlier times left out of what needs the person's attention, all but what was missed in a pause: a run
    /// went well, so their cause is gone.
    pub fn close_earlier(&mut self, id: &ScheduleId, until_ms: i64) -> Result<(), StoreError> {
        let close = "UPDATE occurrence SET open = 0
                     WHERE schedule = ?1 AND decided_ms <= ?2 AND open = 1 AND outcome <> 'missed-paused'";
        self.db.execute(close, params![id.as_bytes(), until_ms]).map(|_| ()).map_err(store_error)
    }

    /// Removes times that got their outcome before a wall time, and need nobody.
    pub fn forget_occurrences(&mut self, before_ms: i64) -> Result<(), StoreError> {
        let forget =
            "DELETE FROM occurrence WHERE decided_ms < ?1 AND open = 0 AND (task IS NULL OR ended IS NOT NULL)";
        self.db.execute(forget, [before_ms]).map(|_| ()).map_err(store_error)
    }

    /// Keeps how far the clockwork came.
    pub fn put_clockwork(&mut self, row: ClockworkRow) -> Result<(), StoreError> {
        let put = "UPDATE clockwork SET epoch = ?1, digest_ms = ?2 WHERE one = 1";
        self.db.execute(put, params![row.epoch, row.digest_ms]).map(|_| ()).map_err(store_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::newest;

    #[test]
    fn no_list_of_times_reads_them_all() {
        let db = newest();
        for sql in [OF_SCHEDULE, OPEN, AT_WORK, OF_TASK, BETWEEN, ONE] {
            let mut query = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = (1..=3).filter(|n| sql.contains(&format!("?{n}"))).map(|_| 0);
            let plan = query.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3));
            for step in plan.unwrap() {
                let step = step.unwrap();
                let along = step.contains("SCAN occurrence USING INDEX occurrence_");
                assert!(step.contains("SEARCH") || along, "{sql}: {step}");
            }
        }
    }

    #[test]
    fn a_run_and_its_outcome_go_together_and_a_time_has_one() {
        let db = newest();
        let put = |outcome: &str, task: Option<[u8; 16]>, due: i64| {
            db.execute(
                "INSERT INTO occurrence VALUES (zeroblob(16), 1, ?1, ?1, 1, ?2, '', 0, ?3, NULL, NULL, 0, 0, 0)",
                params![due, outcome, task],
            )
        };
        assert!(put("ran", Some([1; 16]), 1).is_ok());
        assert!(put("ran", Some([2; 16]), 1).is_err(), "a time runs once");
        assert!(put("ran", Some([1; 16]), 2).is_err(), "a task is of one time");
        assert!(put("missed", Some([3; 16]), 3).is_err());
        assert!(put("ran", None, 4).is_err());
        assert!(put("missed", None, 5).is_ok());
    }
}
