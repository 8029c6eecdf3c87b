//! What begins by itself: the person's schedules. One loop beside the executor's looks which times have come, and gives each exactly one
//! outcome. A time and the task it begins are one commit, so that a crash can neither lose a time nor run it twice.
//!
//! No model is asked before a time has come. While everything is paused nothing begins, and what came in the pause never begins by itself.

mod attention;
mod digest;
mod schedules;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bailey_agent::{Conversation, Ending};
use bailey_gate::event::{Actor, Event, EventKind, Origin, Payload};
use bailey_gate::handoff::Mode;
use bailey_gate::ledger::StoreError;
use bailey_gate::{GateError, Now, ScheduleId, State, TaskId};
use bailey_ledger::{ClockworkRow, LedgerTx, OccurrenceRow, ScheduleRow, ScheduleState};
use bailey_schedule::{
    Form, Kept, LATE_APART_MS, Late, MAX_AN_HOUR, MAX_AT_ONCE, Outcome, Overlap, Situation, Step, Wants, look,
};
use bailey_telemetry::event;
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use self::schedules::{SHOWN_OCCURRENCES, Unmade};
use crate::executor::blocking;
use crate::home::{Home, HomeError};
use crate::metrics::code;
use crate::tasks::state_name;
use crate::transcript;

/// Longest time between two looks: timers stand still while a machine is asleep, so a suspended one is noticed by its clock.
const ROUND: Duration = Duration::from_secs(60);
/// Least time between two looks, however much changes.
const BREATH: Duration = Duration::from_millis(200);
/// Longest that a run may be at work, in milliseconds: half an hour. One that waits for the person is not at work.
pub(crate) const MAX_RUN_MS: i64 = 30 * 60 * 1_000;
/// Runs in a row that fail for the same reason, after which their schedule is stopped.
const FAILURES_TO_STOP: usize = 3;
/// Least time between two failures for a model that cannot be reached, in milliseconds: an outage counts once an hour.
const OUTAGE_MS: i64 = 3_600 * 1_000;
const HOUR_MS: i64 = 3_600 * 1_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// How long a schedule may go unlooked at before the person is asked about it, and how much longer before it stops, in milliseconds.
pub(crate) const UNLOOKED_MS: i64 = 60 * DAY_MS;
pub(crate) const UNLOOKED_STOP_MS: i64 = 14 * DAY_MS;
/// How long what became of a time is kept, in milliseconds.
const KEPT_MS: i64 = 400 * DAY_MS;
/// Span over which a schedule's tokens are summed, in milliseconds.
pub(crate) const MONTH_MS: i64 = 30 * DAY_MS;

/// Codes that say how a run ended, beside those of tasks.
pub(crate) const OUT_OF_TIME: &str = "time-limit";
pub(crate) const NO_MODEL: &str = "model-unreachable";
pub(crate) const REPLACED: &str = "schedule-changed";
/// Codes that say why a schedule is stopped.
pub(crate) const BY_PERSON: &str = "person";
pub(crate) const BY_FAILURES: &str = "failed";
pub(crate) const BY_ROLLBACK: &str = "rollback";
pub(crate) const UNLOOKED: &str = "unlooked";
pub(crate) const UNREADABLE: &str = "unreadable";

/// Names what a schedule's next time was worked out of: its generation and watermark; and that time, in milliseconds.
type Due = (u64, i64, Option<i64>);

/// Holds a task that begins, with what its model is told first.
type Begun = (TaskId, Conversation);

/// What the loop keeps in memory.
#[derive(Debug, Default)]
pub(crate) struct Clockwork {
    /// When the last run began that was made up for.
    late_ms: Mutex<i64>,
    /// When each schedule is due next, as of its generation and watermark: what is not due is not looked at.
    due: Mutex<BTreeMap<ScheduleId, Due>>,
}

/// Returns the task that stands for a time of a schedule: always the same, so that nothing can begin two.
pub(crate) fn task_of(schedule: &ScheduleId, generation: u64, due_ms: i64) -> TaskId {
    let mut context = Context::new(&SHA256);
    context.update(b"bailey occurrence\0");
    context.update(schedule.as_bytes());
    context.update(&generation.to_be_bytes());
    context.update(&due_ms.to_be_bytes());
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    TaskId::from_bytes(id)
}

/// How a run ended, in a code; nothing while it goes on.
fn ended(conversation: &Conversation) -> Option<&'static str> {
    Some(match conversation.ending.as_ref()? {
        Ending::Answered => "answered",
        Ending::OutOfTurns | Ending::OutOfBudget | Ending::OverLimit(_) => "limit-reached",
        Ending::Failed(why) if why.starts_with("the model cannot be reached") => NO_MODEL,
        Ending::Failed(_) => "failed",
        Ending::Stopped => "stopped",
    })
}

/// A time of a schedule that begins a run, and the words it begins with.
struct Begins {
    due_ms: i64,
    outcome: Outcome,
    conversation: Conversation,
    words: String,
}

/// What the whole home has room for.
struct Room {
    at_work: usize,
    this_hour: usize,
    day_left: u64,
    month_left: u64,
}

impl Home {
    /// Keeps the person's schedules, as long as the home is open.
    pub(crate) async fn keep_schedules(self: Arc<Self>) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            let wait = match self.look_at_schedules().await {
                Ok(wait) => wait,
                Err(error) => {
                    event!(WARN, "the schedules could not be looked at", code = code(&error));
                    ROUND
                }
            };
            tokio::time::sleep(BREATH.min(wait)).await;
            tokio::select! {
                () = tokio::time::sleep(wait.saturating_sub(BREATH)) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// Looks once; returns how long nothing will be due.
    async fn look_at_schedules(self: &Arc<Self>) -> Result<Duration, GateError> {
        self.end_runs().await?;
        let home = Arc::clone(self);
        let (begun, next) = blocking(move || home.round()).await?;
        let changed = !begun.is_empty();
        for (id, conversation) in begun {
            self.drive(id, conversation);
        }
        if changed {
            self.changed();
        }
        // A little after it rather than a little before it.
        let now = self.clock.now().wall_ms;
        let wait = next.map_or(ROUND, |next| Duration::from_millis(u64::try_from(next - now + 5).unwrap_or(5)));
        Ok(wait.clamp(Duration::from_millis(5), ROUND))
    }

    /// Notes which runs have ended; ends those that take too long, or whose schedule is another now.
    async fn end_runs(self: &Arc<Self>) -> Result<(), GateError> {
        let home = Arc::clone(self);
        let runs = blocking(move || Ok(home.ledger.runs_at_work()?)).await?;
        let paused = self.gate.lock().pause_state().mode != Mode::Open;
        for run in runs {
            let Some(task) = run.task else { continue };
            let home = Arc::clone(self);
            let of = run.schedule;
            let (conversation, schedule, states) = blocking(move || {
                let conversation = home.last_turn(&task).map_err(|error| StoreError::Broken(error.to_string()))?;
                Ok((conversation, home.ledger.schedule(&of)?, home.ledger.states_of(&task)?))
            })
            .await?;
            let Some(conversation) = conversation else {
                // Erased.
                self.end_run(&run, None, "stopped").await?;
                continue;
            };
            if let Some(how) = ended(&conversation) {
                self.end_run(&run, Some(&conversation), how).await?;
                continue;
            }
            let replaced = schedule.is_none_or(|row| row.generation != run.generation);
            let works = state_name(&conversation, &states) == "running" && !asks(&states);
            let too_long = works && self.clock.now().wall_ms - run.decided_ms > MAX_RUN_MS;
            if replaced || (too_long && !paused) {
                self.stop_task(task).await.map_err(|error| StoreError::Broken(error.to_string()))?;
                self.end_run(&run, Some(&conversation), if replaced { REPLACED } else { OUT_OF_TIME }).await?;
            }
        }
        Ok(())
    }

    /// Notes how a run ended, what it took, and what that means for its schedule.
    async fn end_run(
        self: &Arc<Self>,
        run: &OccurrenceRow,
        conversation: Option<&Conversation>,
        how: &'static str,
    ) -> Result<(), GateError> {
        let (now, state) = (self.clock.now(), self.gate.lock().pause_state());
        let took = conversation.map_or((0, 0), |one| (one.usage.total(), one.cost_micros));
        let (home, run) = (Arc::clone(self), run.clone());
        blocking(move || {
            let went_well = how == "answered";
            let needs = !went_well && how != "stopped" && how != REPLACED;
            let Some(task) = run.task else { return Ok(()) };
            let before = home.ledger.occurrences_of(&run.schedule, 0, 50)?;
            Ok(home.ledger.write(|tx| {
                tx.end_run(&task, (how, now.wall_ms), took, needs)?;
                if went_well {
                    tx.close_earlier(&run.schedule, run.decided_ms)?;
                }
                if fails_again(&before, &run, how)
                    && let Some(row) = tx.schedule_row(&run.schedule)?
                    && row.state == ScheduleState::On
                    && row.generation == run.generation
                {
                    stop(tx, row, BY_FAILURES, Actor::Home, now, state)?;
                }
                Ok(())
            })?)
        })
        .await?;
        self.changed();
        Ok(())
    }

    /// Looks at every schedule; returns the tasks that began, and when the next is due.
    fn round(self: &Arc<Self>) -> Result<(Vec<Begun>, Option<i64>), GateError> {
        let (now, pause) = (self.clock.now(), self.gate.lock().pause_state());
        let came = self.ledger.clockwork()?;
        let open = pause.mode == Mode::Open;
        // What came due since the last look may have come in a pause: none of it begins by itself.
        let paused = !open || came.epoch != pause.epoch;
        let mut begun = Vec::new();
        let mut next: Option<i64> = None;
        for row in self.ledger.schedules()? {
            if row.state != ScheduleState::On {
                continue;
            }
            let (Some(form), Ok(zone)) = (Form::parse(&row.form), TimeZone::get(&row.zone)) else {
                self.stop_as(&row, UNREADABLE, now)?;
                continue;
            };
            if row.until_ms.is_some_and(|until| until <= now.wall_ms) {
                self.expire(&row)?;
                continue;
            }
            if now.wall_ms - row.looked_ms > UNLOOKED_MS + UNLOOKED_STOP_MS {
                self.stop_as(&row, UNLOOKED, now)?;
                continue;
            }
            let due = self.due(&row, &form, &zone);
            if row.queued_ms.is_none() && due.is_none_or(|due| due > now.wall_ms) {
                match due {
                    None => self.expire(&row)?,
                    Some(due) => next = Some(next.map_or(due, |next| next.min(due))),
                }
                continue;
            }
            let (began, again) = self.look_at(&row, (&form, &zone), now, paused)?;
            begun.extend(began);
            // What waits for room is looked at again soon.
            let after = again.or_else(|| form.next(at(now.wall_ms), &zone).map(Timestamp::as_millisecond));
            next = after.into_iter().chain(next).min();
        }
        if open {
            self.after_round(came, pause.epoch, now)?;
        }
        Ok((begun, next))
    }

    /// Keeps how far the clockwork came, and makes the digest where its time has come.
    fn after_round(&self, came: ClockworkRow, epoch: u64, now: Now) -> Result<(), GateError> {
        let digest_ms = if self.digest_is_due(came.digest_ms, now) { now.wall_ms } else { came.digest_ms };
        if digest_ms == came.digest_ms && epoch == came.epoch {
            return Ok(());
        }
        self.ledger.write(|tx| {
            tx.put_clockwork(ClockworkRow { epoch, digest_ms })?;
            if digest_ms != came.digest_ms {
                self.keep_digest(tx, came.digest_ms, now)?;
                tx.forget_occurrences(now.wall_ms.saturating_sub(KEPT_MS))?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Returns when a schedule is due next, counted from the newest time that was dealt with.
    fn due(&self, row: &ScheduleRow, form: &Form, zone: &TimeZone) -> Option<i64> {
        let mut known = self.clockwork.due.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((generation, watermark, due)) = known.get(&row.id)
            && (*generation, *watermark) == (row.generation, row.watermark_ms)
        {
            return *due;
        }
        let due = form.next(at(row.watermark_ms), zone).map(Timestamp::as_millisecond);
        known.insert(row.id, (row.generation, row.watermark_ms, due));
        due
    }

    /// Looks at one schedule whose time has come, and keeps what became of it. Returns the task that began, and when to look again.
    fn look_at(
        self: &Arc<Self>,
        row: &ScheduleRow,
        (form, zone): (&Form, &TimeZone),
        now: Now,
        paused: bool,
    ) -> Result<(Option<Begun>, Option<i64>), GateError> {
        let runs = self.ledger.runs_at_work()?;
        let (mut at_work, mut questions) = (false, 0);
        for task in runs.iter().filter(|run| run.schedule == row.id).filter_map(|run| run.task) {
            let states = self.ledger.states_of(&task)?;
            questions += states.iter().filter(|state| **state == State::Awaiting).count();
            at_work |= !asks(&states);
        }
        let since_late =
            now.wall_ms.saturating_sub(*self.clockwork.late_ms.lock().unwrap_or_else(PoisonError::into_inner));
        let room = self.room(&runs, now)?;
        let words = self.ledger.schedule_words(&row.id)?.unwrap_or_default();
        let barred = self.barred(row, &room, now)?;
        let (barred, conversation) = match (barred, self.begin(words.clone())) {
            (None, Ok(conversation)) => (None, Some(conversation)),
            (None, Err(_)) => (Some("words".to_owned()), None),
            (Some(why), _) => (Some(why), None),
        };
        let situation = Situation {
            now_ms: now.wall_ms,
            paused,
            at_work,
            questions,
            full: room.at_work >= MAX_AT_ONCE,
            full_for_late: (0..LATE_APART_MS).contains(&since_late) || self.person_is_served()?,
            barred: barred.is_some(),
        };
        let wants = Wants {
            form,
            zone,
            late: Late::from_name(&row.late).unwrap_or_default(),
            overlap: Overlap::from_name(&row.overlap).unwrap_or_default(),
        };
        let kept = Kept { watermark_ms: row.watermark_ms, queued_ms: row.queued_ms };
        let soon = Some(now.wall_ms + LATE_APART_MS);
        let Some(step) = look(wants, kept, &situation) else { return Ok((None, soon)) };
        let again = step.kept.queued_ms.and(soon);
        let begins = step.begins.zip(conversation).map(|((due_ms, outcome), conversation)| Begins {
            due_ms,
            outcome,
            conversation,
            words,
        });
        let began = self.keep_step(row, &step, begins, &barred.unwrap_or_default(), now, paused)?;
        if began.is_some() && step.begins.is_some_and(|(_, outcome)| outcome == Outcome::RanLate) {
            *self.clockwork.late_ms.lock().unwrap_or_else(PoisonError::into_inner) = now.wall_ms;
        }
        Ok((began, again))
    }

    /// Keeps what a look came to, with the task it begins, in one commit. Nothing of it is kept where the schedule is another by then, or
    /// everything was paused meanwhile.
    fn keep_step(
        &self,
        row: &ScheduleRow,
        step: &Step,
        begins: Option<Begins>,
        why: &str,
        now: Now,
        paused: bool,
    ) -> Result<Option<(TaskId, Conversation)>, GateError> {
        let named = match &begins {
            Some(begins) => self.ledger.names_in(&begins.words)?,
            None => Vec::new(),
        };
        let lock = self.gate.lock();
        let begun = self.ledger.write(|tx| {
            let state = lock.pause_state();
            let is_as_seen = tx.schedule_row(&row.id)?.is_some_and(|seen| {
                (seen.generation, seen.state, seen.watermark_ms, seen.queued_ms)
                    == (row.generation, row.state, row.watermark_ms, row.queued_ms)
            });
            if !is_as_seen || (!paused && state.mode != Mode::Open) {
                return Ok(None);
            }
            let changed =
                ScheduleRow { watermark_ms: step.kept.watermark_ms, queued_ms: step.kept.queued_ms, ..row.clone() };
            tx.put_schedule_row(&changed, None)?;
            for one in &step.decided {
                let why = if one.outcome == Outcome::NotRun { why } else { "" };
                let occurrence = OccurrenceRow {
                    last_ms: one.last_ms,
                    count: one.count,
                    why: why.into(),
                    open: needs_attention(tx, row, one.outcome)?,
                    ..unrun(row, one.first_ms, one.outcome, now)
                };
                tx.put_occurrence(&occurrence)?;
                tx.append(&fired(row, &occurrence, now, state), None)?;
            }
            let Some(begins) = &begins else { return Ok(None) };
            let task = task_of(&row.id, row.generation, begins.due_ms);
            let occurrence = OccurrenceRow {
                task: Some(task),
                tokens: row.run_tokens,
                ..unrun(row, begins.due_ms, begins.outcome, now)
            };
            tx.put_occurrence(&occurrence)?;
            tx.append(&fired(row, &occurrence, now, state), None)?;
            put_task(tx, &task, begins, row, &named, now)?;
            Ok(Some(task))
        })?;
        if !step.decided.is_empty() || begun.is_some() {
            self.changed();
        }
        Ok(begun.zip(begins.map(|begins| begins.conversation)))
    }

    /// Tells what there is room for, of all schedules together.
    fn room(&self, runs: &[OccurrenceRow], now: Now) -> Result<Room, GateError> {
        let mut at_work = 0;
        for task in runs.iter().filter_map(|run| run.task) {
            at_work += usize::from(!asks(&self.ledger.states_of(&task)?));
        }
        let effective = self.in_force();
        let config = &effective.config.home;
        let here = at(now.wall_ms).to_zoned(self.clock.zone());
        let begin = |day: jiff::civil::Date| {
            day.to_zoned(self.clock.zone()).map_or(now.wall_ms, |at| at.timestamp().as_millisecond())
        };
        let (day, month) = (begin(here.date()), begin(here.date().first_of_month()));
        Ok(Room {
            at_work,
            this_hour: usize::try_from(self.ledger.runs_since(now.wall_ms - HOUR_MS)?).unwrap_or(usize::MAX),
            day_left: config.unattended_day_tokens.saturating_sub(self.ledger.run_tokens_since(None, day)?),
            month_left: config.unattended_month_tokens.saturating_sub(self.ledger.run_tokens_since(None, month)?),
        })
    }

    /// Says what stands against a run, as a code; nothing where it may begin.
    fn barred(&self, row: &ScheduleRow, room: &Room, now: Now) -> Result<Option<String>, GateError> {
        if self.model().is_none() {
            return Ok(Some("no-model".into()));
        }
        let standing = self.ledger.connections()?;
        for (connection, _) in &row.connections {
            let Some(standing) = standing.iter().find(|one| one.id == *connection && one.grant.active) else {
                return Ok(Some("connection-ended".into()));
            };
            if self.vault.sign_in_over(&standing.id).is_some() {
                return Ok(Some("sign-in".into()));
            }
        }
        let used = self.ledger.run_tokens_since(Some(&row.id), now.wall_ms - MONTH_MS)?;
        Ok(if used.saturating_add(row.run_tokens) > row.month_tokens {
            Some("budget-schedule".into())
        } else if row.run_tokens > room.day_left {
            Some("budget-day".into())
        } else if row.run_tokens > room.month_left {
            Some("budget-month".into())
        } else if room.this_hour >= MAX_AN_HOUR {
            Some("hour".into())
        } else {
            None
        })
    }

    /// Tells whether a task of the person's own is at work: what is made up for comes behind it.
    fn person_is_served(&self) -> Result<bool, GateError> {
        for task in self.ledger.tasks_in("open")? {
            if task.origin != Origin::Schedule && !asks(&self.ledger.states_of(&task.id)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn expire(&self, row: &ScheduleRow) -> Result<(), GateError> {
        self.change_as_seen(row, |tx, row| {
            tx.put_schedule_row(&ScheduleRow { state: ScheduleState::Expired, ..row }, None)
        })
    }

    fn stop_as(&self, row: &ScheduleRow, why: &'static str, now: Now) -> Result<(), GateError> {
        let state = self.gate.lock().pause_state();
        self.change_as_seen(row, |tx, row| stop(tx, row, why, Actor::Home, now, state))
    }

    /// Changes a schedule, where it is as it was seen.
    fn change_as_seen(
        &self,
        row: &ScheduleRow,
        change: impl FnOnce(&mut LedgerTx<'_>, ScheduleRow) -> Result<(), StoreError> + Send,
    ) -> Result<(), GateError> {
        self.ledger.write(|tx| {
            match tx.schedule_row(&row.id)?.filter(|seen| seen.generation == row.generation && seen.state == row.state)
            {
                Some(seen) => change(tx, seen),
                None => Ok(()),
            }
        })?;
        self.changed();
        Ok(())
    }

    /// Tells whether a schedule began a task.
    pub(crate) fn is_scheduled(&self, task: &TaskId) -> Result<bool, GateError> {
        Ok(self.ledger.origin(task)? == Some(Origin::Schedule))
    }

    /// Returns the tokens that a task may take: less than any other, where a schedule began it.
    pub(crate) fn budget_of(&self, task: &TaskId, usual: u64) -> Result<u64, GateError> {
        let Some(run) = self.ledger.occurrence_of(task)? else { return Ok(usual) };
        let row = self.ledger.schedule(&run.schedule)?.filter(|row| row.generation == run.generation);
        Ok(row.map_or(0, |row| row.run_tokens.min(usual)))
    }
}

/// Tells whether a task has a question for the person: then it is not at work.
fn asks(states: &[State]) -> bool {
    states.iter().any(|state| matches!(state, State::Awaiting | State::NeedsPerson))
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Tells whether a schedule's runs failed again and again for the same reason, this one with them.
fn fails_again(before: &[OccurrenceRow], run: &OccurrenceRow, how: &str) -> bool {
    if !matches!(how, "failed" | "limit-reached" | OUT_OF_TIME | NO_MODEL) {
        return false;
    }
    let (mut count, mut last) = (1, run.decided_ms);
    let earlier = before.iter().filter(|one| one.generation == run.generation && one.task.is_some());
    for one in earlier.filter(|one| one.decided_ms < run.decided_ms) {
        if one.ended.as_deref() != Some(how) {
            break;
        }
        if how != NO_MODEL || last - one.decided_ms >= OUTAGE_MS {
            (count, last) = (count + 1, one.decided_ms);
        }
    }
    count >= FAILURES_TO_STOP
}

/// Returns a time that has this outcome and no run.
fn unrun(row: &ScheduleRow, due_ms: i64, outcome: Outcome, now: Now) -> OccurrenceRow {
    OccurrenceRow {
        schedule: row.id,
        generation: row.generation,
        due_ms,
        last_ms: due_ms,
        count: 1,
        outcome: outcome.name().into(),
        why: String::new(),
        decided_ms: now.wall_ms,
        task: None,
        ended: None,
        ended_ms: None,
        tokens: 0,
        micros: 0,
        open: false,
    }
}

/// Tells whether an outcome needs somebody: of times skipped for a run at work, from the second in a row on.
fn needs_attention(tx: &mut LedgerTx<'_>, row: &ScheduleRow, outcome: Outcome) -> Result<bool, StoreError> {
    Ok(match outcome {
        Outcome::Missed | Outcome::MissedPaused | Outcome::SkippedQuestions | Outcome::NotRun => true,
        Outcome::SkippedRunning => tx.last_outcome(&row.id)?.as_deref() == Some(Outcome::SkippedRunning.name()),
        Outcome::Ran | Outcome::RanLate | Outcome::ByHand | Outcome::Coalesced => false,
    })
}

/// Returns the log's entry of a time that came.
fn fired(row: &ScheduleRow, one: &OccurrenceRow, now: Now, state: bailey_gate::handoff::PauseState) -> Event {
    let payload = Payload::default()
        .text("schedule", row.id.to_string())
        .text("name", row.name.clone())
        .text("generation", row.generation.to_string())
        .text("due", at(one.due_ms).to_string())
        .text("last", at(one.last_ms).to_string())
        .text("count", one.count.to_string());
    let reasons = std::iter::once(one.outcome.clone()).chain(Some(one.why.clone()).filter(|why| !why.is_empty()));
    Event {
        task: one.task,
        reasons: reasons.collect(),
        payload,
        ..Event::of_home(EventKind::Fired, Actor::Home, now, state)
    }
}

/// Keeps the task of a time: its words are the person's, who fixed them when they made the schedule.
fn put_task(
    tx: &mut LedgerTx<'_>,
    task: &TaskId,
    begins: &Begins,
    row: &ScheduleRow,
    named: &[bailey_gate::family::Party],
    now: Now,
) -> Result<(), StoreError> {
    transcript::keep(tx, task, begins.conversation.clone())?;
    tx.put_task(task, "open", now.wall_ms)?;
    tx.put_words(task, 0, &begins.words, named)?;
    tx.put_origin(task, Origin::Schedule)?;
    tx.put_schedule(task, &row.name)
}

/// Stops a schedule. Runs of before end.
pub(crate) fn stop(
    tx: &mut LedgerTx<'_>,
    row: ScheduleRow,
    why: &str,
    actor: Actor,
    now: Now,
    state: bailey_gate::handoff::PauseState,
) -> Result<(), StoreError> {
    let generation = if why == BY_PERSON { row.generation + 1 } else { row.generation };
    let row = ScheduleRow { state: ScheduleState::Stopped, stopped: why.into(), queued_ms: None, generation, ..row };
    tx.put_schedule_row(&row, None)?;
    let payload = Payload::default()
        .text("schedule", "stopped")
        .text("id", row.id.to_string())
        .text("name", row.name.clone())
        .text("why", why);
    tx.append(&Event { payload, ..Event::of_home(EventKind::Scheduled, actor, now, state) }, None)?;
    Ok(())
}

/// Stops every schedule of a store that turned out to be an older copy: what is due there may have run already.
pub(crate) fn stop_all(ledger: &bailey_ledger::Ledger, now: Now) -> Result<(), HomeError> {
    let rows = ledger.schedules().map_err(GateError::from)?;
    let state = bailey_gate::handoff::PauseState { mode: Mode::Paused, epoch: ledger.epoch(), lease_epoch: 0 };
    ledger
        .write(|tx| {
            rows.iter()
                .filter(|row| row.state == ScheduleState::On)
                .try_for_each(|row| stop(tx, row.clone(), BY_ROLLBACK, Actor::Home, now, state))
        })
        .map_err(GateError::from)?;
    Ok(())
}
