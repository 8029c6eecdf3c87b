//! Making, changing, stopping and deleting schedules, and running what was missed.

use std::sync::Arc;

use bailey_gate::approval::Authorised;
use bailey_gate::event::{Actor, Event, EventKind};
use bailey_gate::family::Level;
use bailey_gate::family::escape::{visible, visible_lines};
use bailey_gate::family::schedule::MAX_NAME_CHARS;
use bailey_gate::handoff::Mode;
use bailey_gate::{ConnectionId, GateError, ScheduleId, TaskId};
use bailey_interface::{
    MissedBody, OccurrenceView, ScheduleAccount, ScheduleDraft, SchedulePlan, SchedulePreview, ScheduleView,
};
use bailey_ledger::{OccurrenceRow, ScheduleRow, ScheduleState};
use bailey_schedule::{Form, Late, MONTH_TOKENS, Outcome, Overlap, RUN_TOKENS, SHOWN_TIMES, told, upcoming};
use bailey_vault::schedules::{payload, refusal};
use jiff::tz::TimeZone;

use super::{BY_PERSON, MONTH_MS, at, fired, put_task, stop, task_of, unrun};
use crate::executor::blocking;
use crate::home::{Home, HomeError};
use crate::tasks::MAX_TASK_BYTES;

/// How long a plan that was shown may be given leave to, in milliseconds: an hour.
const PLAN_MS: i64 = 3_600 * 1_000;
/// Times that a list of schedules holds of each.
const LISTED_OCCURRENCES: u32 = 10;
/// Times that the page of one holds.
pub(crate) const SHOWN_OCCURRENCES: u32 = 100;
/// Times that passed which are run or forgotten at once.
const MAX_MISSED: usize = 200;
/// Most tokens that a schedule is given.
const MAX_TOKENS: u64 = 1_000_000_000;

/// Why a schedule was not made, changed or run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unmade {
    /// What was said cannot be; why, and what to do.
    #[error("{0}")]
    Bad(String),
    /// There is none.
    #[error("there is no such schedule, or time of one; list them with `bailey schedules`")]
    Missing,
    /// It could not be kept.
    #[error(transparent)]
    Home(#[from] HomeError),
}

impl From<GateError> for Unmade {
    fn from(error: GateError) -> Self {
        Self::Home(error.into())
    }
}

impl From<bailey_gate::ledger::StoreError> for Unmade {
    fn from(error: bailey_gate::ledger::StoreError) -> Self {
        GateError::from(error).into()
    }
}

fn bad(why: impl Into<String>) -> Unmade {
    Unmade::Bad(why.into())
}

/// Names a time of a schedule: the schedule, its generation, the time.
type OccurrenceId = (ScheduleId, u64, i64);

/// Reads the name of a time of a schedule.
fn parse_occurrence(text: &str) -> Result<OccurrenceId, Unmade> {
    let mut parts = text.splitn(3, '-');
    let read = (|| Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)))();
    read.ok_or_else(|| bad(format!("`{}` names no time of a schedule", visible(text))))
}

fn occurrence_id(row: &OccurrenceRow) -> String {
    format!("{}-{}-{}", row.schedule, row.generation, row.due_ms)
}

impl Home {
    /// Returns a schedule as it would be made, to be shown to the person whole.
    pub(crate) fn plan_schedule(&self, draft: ScheduleDraft) -> Result<SchedulePreview, Unmade> {
        let now = self.clock.now();
        let before = match &draft.id {
            Some(id) => Some(self.schedule_of(id)?),
            None => None,
        };
        let zone = match draft.zone.as_deref().map(str::trim).filter(|zone| !zone.is_empty()) {
            Some(name) => name.to_owned(),
            None => match &before {
                Some(before) => before.zone.clone(),
                None => bailey_schedule::zone_name(&self.clock.zone())
                    .ok_or_else(|| bad("your time zone has no name; set one on the page Settings"))?,
            },
        };
        let here = at(now.wall_ms).to_zoned(zone_of(&zone)?);
        let when = bailey_schedule::read(&draft.when, &here).map_err(bad)?;
        let until_ms = match draft.until.as_deref().map(str::trim).filter(|until| !until.is_empty()) {
            Some(until) => Some(bailey_schedule::read_end(until, &here).map_err(bad)?.as_millisecond()),
            None => None,
        };
        let accounts = match draft.accounts {
            Some(accounts) => accounts,
            None => self.all_accounts()?,
        };
        let or =
            |given: Option<String>, usual: &str| given.filter(|one| !one.is_empty()).unwrap_or_else(|| usual.into());
        let plan = SchedulePlan {
            id: before.as_ref().map(|row| row.id.to_string()),
            generation: before.as_ref().map_or(0, |row| row.generation),
            name: draft.name.trim().to_owned(),
            when: draft.when.trim().to_owned(),
            said_ms: now.wall_ms,
            form: when.form.to_string(),
            zone,
            words: draft.words.trim().to_owned(),
            late: or(draft.late, Late::default().name()),
            overlap: or(draft.overlap, Overlap::default().name()),
            accounts,
            run_tokens: draft.run_tokens.unwrap_or(RUN_TOKENS),
            month_tokens: draft.month_tokens.unwrap_or(MONTH_TOKENS),
            until_ms,
        };
        self.shown(plan)
    }

    /// Checks a plan, and shows it.
    fn shown(&self, plan: SchedulePlan) -> Result<SchedulePreview, Unmade> {
        let (name, words) = (plan.name.trim(), plan.words.trim());
        if name.is_empty()
            || name.chars().count() > MAX_NAME_CHARS
            || name.contains(['"', '\n'])
            || visible(name) != name
        {
            return Err(bad(format!(
                "a schedule has a name of one line, of at most {MAX_NAME_CHARS} characters, without quotation marks"
            )));
        }
        if words.is_empty() || words.len() > MAX_TASK_BYTES {
            return Err(bad(format!("a schedule has between 1 and {MAX_TASK_BYTES} bytes of words: its task")));
        }
        let one_of = |what: &str, given: &str, all: Vec<&str>| {
            if all.contains(&given) { Ok(()) } else { Err(bad(format!("`{what}` is one of {}", all.join(", ")))) }
        };
        one_of("late", &plan.late, Late::ALL.iter().map(|one| one.name()).collect())?;
        one_of("overlap", &plan.overlap, Overlap::ALL.iter().map(|one| one.name()).collect())?;
        if !(1..=MAX_TOKENS).contains(&plan.run_tokens) || !(plan.run_tokens..=MAX_TOKENS).contains(&plan.month_tokens)
        {
            return Err(bad("a run takes at least one token, and thirty days at least as many as one run"));
        }
        let zone = zone_of(&plan.zone)?;
        let said = at(plan.said_ms).to_zoned(zone.clone());
        // Read again from the words it was said in: nothing else is made than was shown.
        let when = bailey_schedule::read(&plan.when, &said).map_err(bad)?;
        if when.form.to_string() != plan.form {
            return Err(bad("when it is due is not what its words say; show it again"));
        }
        let now = self.clock.now().wall_ms;
        let times = upcoming(&when.form, at(now), &zone, SHOWN_TIMES);
        if times.is_empty() || plan.until_ms.is_some_and(|until| until <= now) {
            return Err(bad("that is over; name a time to come"));
        }
        let accounts = self.account_names(&plan.accounts)?;
        let until = plan.until_ms.map(|until| told(&at(until).to_zoned(zone))).unwrap_or_default();
        Ok(SchedulePreview { told: when.told, times: times.iter().map(told).collect(), accounts, until, plan })
    }

    /// Makes a schedule, or changes one, as the person gave their leave to.
    pub(crate) fn make_schedule(&self, plan: SchedulePlan, leave: &Authorised) -> Result<ScheduleView, Unmade> {
        let now = self.clock.now();
        if (now.wall_ms - plan.said_ms).abs() > PLAN_MS {
            return Err(bad("it was shown more than an hour ago; show it again"));
        }
        let SchedulePreview { plan, told, .. } = self.shown(plan)?;
        let before = plan.id.as_ref().map(|id| self.schedule_of(id)).transpose()?;
        let id = match &before {
            Some(before) => before.id,
            None => ScheduleId::from_bytes(bailey_keys::random().map_err(|error| HomeError::Setup(error.to_string()))?),
        };
        let connections = plan.accounts.iter().map(read_account).collect::<Result<_, _>>()?;
        let row = ScheduleRow {
            id,
            name: plan.name.clone(),
            generation: plan.generation + 1,
            state: ScheduleState::On,
            stopped: String::new(),
            said: plan.when.clone(),
            told,
            form: plan.form.clone(),
            zone: plan.zone.clone(),
            late: plan.late.clone(),
            overlap: plan.overlap.clone(),
            run_tokens: plan.run_tokens,
            month_tokens: plan.month_tokens,
            until_ms: plan.until_ms,
            made_ms: before.as_ref().map_or(now.wall_ms, |row| row.made_ms),
            looked_ms: now.wall_ms,
            watermark_ms: now.wall_ms,
            queued_ms: None,
            connections,
        };
        let what = if before.is_some() { "changed" } else { "made" };
        let entry = leave.entry(
            EventKind::Scheduled,
            now,
            self.gate.lock().pause_state(),
            payload(what, &row, &plan.words).text("late", row.late.clone()).text("overlap", row.overlap.clone()),
        );
        let refused = self.ledger.write(|tx| {
            let seen = tx.schedule_row(&row.id)?.map_or(0, |seen| seen.generation);
            if seen != plan.generation {
                return Ok(Some("the schedule was changed meanwhile; show it again".to_owned()));
            }
            if let Some(why) = refusal(tx, &row, before.is_none())? {
                return Ok(Some(why));
            }
            tx.put_schedule_row(&row, Some(&plan.words))?;
            tx.append(&entry, None)?;
            Ok(None)
        })?;
        if let Some(why) = refused {
            return Err(bad(why));
        }
        self.changed();
        self.schedule_view(&row, LISTED_OCCURRENCES)
    }

    /// Stops a schedule. Its runs at work end.
    pub(crate) fn stop_schedule(&self, id: &str) -> Result<ScheduleView, Unmade> {
        let (row, now, state) = (self.schedule_of(id)?, self.clock.now(), self.gate.lock().pause_state());
        self.ledger.write(|tx| match tx.schedule_row(&row.id)?.filter(|row| row.state != ScheduleState::Stopped) {
            Some(row) => stop(tx, row, BY_PERSON, Actor::Client, now, state),
            None => Ok(()),
        })?;
        self.changed();
        self.schedule_view(&self.schedule_of(id)?, LISTED_OCCURRENCES)
    }

    /// Deletes a schedule, with its words. Its runs at work end.
    pub(crate) fn delete_schedule(&self, id: &str) -> Result<(), Unmade> {
        let (row, now, state) = (self.schedule_of(id)?, self.clock.now(), self.gate.lock().pause_state());
        let says = bailey_gate::event::Payload::default()
            .text("schedule", "deleted")
            .text("id", row.id.to_string())
            .text("name", row.name.clone());
        let entry = Event { payload: says, ..Event::of_home(EventKind::Scheduled, Actor::Client, now, state) };
        self.ledger.write(|tx| {
            tx.delete_schedule(&row.id)?;
            tx.append(&entry, None).map(|_| ())
        })?;
        self.changed();
        Ok(())
    }

    /// Begins a run now, by hand. It needs room, as every run does.
    pub(crate) async fn run_schedule(self: &Arc<Self>, id: &str) -> Result<TaskId, Unmade> {
        let row = self.schedule_of(id)?;
        self.run_now(row).await
    }

    async fn run_now(self: &Arc<Self>, row: ScheduleRow) -> Result<TaskId, Unmade> {
        let home = Arc::clone(self);
        let begun = blocking(move || Ok(home.begin_by_hand(&row))).await?;
        let (task, conversation) = begun?;
        self.drive(task, conversation);
        self.changed();
        Ok(task)
    }

    fn begin_by_hand(&self, row: &ScheduleRow) -> Result<(TaskId, bailey_agent::Conversation), Unmade> {
        let now = self.clock.now();
        let runs = self.ledger.runs_at_work()?;
        let room = self.room(&runs, now)?;
        if let Some(why) = self.barred(row, &room, now)? {
            return Err(bad(why_not_run(&why)));
        }
        let words = self.ledger.schedule_words(&row.id)?.unwrap_or_default();
        let conversation = self.begin(words.clone())?;
        let named = self.ledger.names_in(&words)?;
        let begins = super::Begins { due_ms: now.wall_ms, outcome: Outcome::ByHand, conversation, words };
        let task = task_of(&row.id, row.generation, now.wall_ms);
        let lock = self.gate.lock();
        let kept = self.ledger.write(|tx| {
            let state = lock.pause_state();
            let is_as_seen = tx.schedule_row(&row.id)?.is_some_and(|seen| seen.generation == row.generation);
            if state.mode != Mode::Open || !is_as_seen {
                return Ok(false);
            }
            let run = OccurrenceRow {
                task: Some(task),
                tokens: row.run_tokens,
                ..unrun(row, now.wall_ms, Outcome::ByHand, now)
            };
            tx.put_occurrence(&run)?;
            tx.append(&fired(row, &run, now, state), None)?;
            put_task(tx, &task, &begins, row, &named, now)?;
            Ok(true)
        })?;
        if kept {
            Ok((task, begins.conversation))
        } else {
            Err(bad("everything is paused, or the schedule was changed meanwhile; nothing was begun"))
        }
    }

    /// Runs times that passed, each schedule once, or thinks of them no more.
    pub(crate) async fn settle_missed(self: &Arc<Self>, body: &MissedBody) -> Result<(), Unmade> {
        if body.run.len() + body.forget.len() > MAX_MISSED {
            return Err(bad(format!("at most {MAX_MISSED} at once")));
        }
        let run = body.run.iter().map(|id| parse_occurrence(id)).collect::<Result<Vec<_>, _>>()?;
        let forget = body.forget.iter().map(|id| parse_occurrence(id)).collect::<Result<Vec<_>, _>>()?;
        let mut schedules: Vec<ScheduleId> = run.iter().map(|(schedule, ..)| *schedule).collect();
        schedules.sort();
        schedules.dedup();
        for schedule in schedules {
            let row = self.ledger.schedule(&schedule)?.ok_or(Unmade::Missing)?;
            self.run_now(row).await?;
        }
        let home = Arc::clone(self);
        blocking(move || {
            Ok(home.ledger.write(|tx| {
                for (schedule, generation, due_ms) in run.iter().chain(&forget) {
                    tx.close_occurrence(schedule, *generation, *due_ms)?;
                }
                Ok(())
            })?)
        })
        .await?;
        self.changed();
        Ok(())
    }

    /// Returns every schedule, with its last times.
    pub(crate) fn schedule_views(&self) -> Result<Vec<ScheduleView>, Unmade> {
        self.ledger.schedules()?.iter().map(|row| self.schedule_view(row, LISTED_OCCURRENCES)).collect()
    }

    /// Returns a schedule by its identity or its name.
    pub(crate) fn schedule_of(&self, id: &str) -> Result<ScheduleRow, Unmade> {
        let by_id = id.parse::<ScheduleId>().ok().map(|id| self.ledger.schedule(&id)).transpose()?.flatten();
        let found = match by_id {
            Some(row) => Some(row),
            None => self.ledger.schedule_named(id)?,
        };
        found.ok_or(Unmade::Missing)
    }

    /// Shows a schedule with its last times.
    pub(crate) fn schedule_view(&self, row: &ScheduleRow, most: u32) -> Result<ScheduleView, Unmade> {
        let now = self.clock.now().wall_ms;
        let zone = TimeZone::get(&row.zone).unwrap_or(TimeZone::UTC);
        let next = match (row.state, Form::parse(&row.form)) {
            (ScheduleState::On, Some(form)) => {
                let times = upcoming(&form, at(now.max(row.watermark_ms)), &zone, SHOWN_TIMES);
                times
                    .iter()
                    .filter(|time| row.until_ms.is_none_or(|until| time.timestamp() < at(until)))
                    .map(told)
                    .collect()
            }
            _ => Vec::new(),
        };
        let times = self.ledger.occurrences_of(&row.id, 0, most)?;
        let accounts: Vec<ScheduleAccount> = row
            .connections
            .iter()
            .map(|(id, level)| ScheduleAccount { connection: id.to_string(), level: level.name().into() })
            .collect();
        Ok(ScheduleView {
            id: row.id.to_string(),
            name: visible(&row.name),
            generation: row.generation,
            state: row.state.name().into(),
            stopped: why_stopped(&row.stopped).into(),
            when: visible(&row.said),
            told: visible(&row.told),
            form: row.form.clone(),
            zone: row.zone.clone(),
            words: visible_lines(&self.ledger.schedule_words(&row.id)?.unwrap_or_default()),
            late: row.late.clone(),
            overlap: row.overlap.clone(),
            account_names: self.known_names(&accounts),
            accounts,
            run_tokens: row.run_tokens,
            month_tokens: row.month_tokens,
            used_tokens: self.ledger.run_tokens_since(Some(&row.id), now - MONTH_MS)?,
            until_ms: row.until_ms,
            next,
            made_ms: row.made_ms,
            occurrences: times.iter().map(|one| occurrence_view(one, &row.name, &zone)).collect(),
        })
    }

    /// Notes that the person looked at what came of a schedule; once an hour is enough.
    pub(crate) fn note_looked(&self, row: &ScheduleRow) -> Result<(), Unmade> {
        let now = self.clock.now().wall_ms;
        if now - row.looked_ms > super::HOUR_MS {
            self.ledger.write(|tx| tx.look_at_schedule(&row.id, now))?;
        }
        Ok(())
    }

    fn all_accounts(&self) -> Result<Vec<ScheduleAccount>, Unmade> {
        let standing = self.accounts()?.into_iter().filter(|account| account.settings.kind() != "model");
        let given = standing.map(|account| ScheduleAccount {
            connection: account.connection.0.to_string(),
            level: account.level.name().into(),
        });
        Ok(given.collect())
    }

    /// Names accounts that are to be given, each of which has to stand, at its own level or a lower one.
    fn account_names(&self, given: &[ScheduleAccount]) -> Result<Vec<String>, Unmade> {
        let standing = self.accounts()?;
        let name = |one: &ScheduleAccount| {
            let (id, level) = read_account(one)?;
            let account = standing
                .iter()
                .find(|account| account.connection.0 == id && account.settings.kind() != "model")
                .ok_or_else(|| {
                    bad(format!("there is no connection `{}` that a schedule could use", visible(&one.connection)))
                })?;
            if level > account.level {
                let (name, most) = (visible(account.name()), account.level.name());
                return Err(bad(format!("`{name}` was connected for {most}; a schedule gets no more")));
            }
            Ok(format!("{} ({}, {})", visible(account.name()), account.settings.kind(), level.name()))
        };
        given.iter().map(name).collect()
    }

    /// Names accounts that a schedule was given, whether or not they stand.
    fn known_names(&self, given: &[ScheduleAccount]) -> Vec<String> {
        let all = self.ledger.connections().unwrap_or_default();
        let name = |one: &ScheduleAccount| {
            let row = all.iter().find(|row| row.id.to_string() == one.connection);
            match row {
                Some(row) if row.grant.active => format!("{} ({}, {})", visible(&row.account), row.kind, one.level),
                Some(row) => format!("{} (ended)", visible(&row.account)),
                None => "an account that is not there any more".into(),
            }
        };
        given.iter().map(name).collect()
    }
}

fn zone_of(name: &str) -> Result<TimeZone, Unmade> {
    TimeZone::get(name)
        .map_err(|_| bad(format!("`{}` is no time zone; use a name such as Europe/Paris", visible(name))))
}

fn read_account(given: &ScheduleAccount) -> Result<(ConnectionId, Level), Unmade> {
    let id = given.connection.parse().map_err(|_| bad(format!("`{}` is no connection", visible(&given.connection))))?;
    let level = Level::from_name(&given.level).ok_or_else(|| bad("a level is read-only, draft, send or full"))?;
    Ok((id, level))
}

/// Says why a schedule is stopped.
pub(crate) fn why_stopped(code: &str) -> &'static str {
    match code {
        "" => "",
        BY_PERSON => "you stopped it",
        super::BY_FAILURES => "three runs in a row failed for the same reason",
        super::BY_ROLLBACK => "an older copy of the home was put back: its last times may have run already",
        super::UNLOOKED => "nobody looked at what came of it for 74 days",
        super::UNREADABLE => "when it is due cannot be read by this release",
        _ => "it was stopped",
    }
}

/// Says why a time was not run.
pub(crate) fn why_not_run(code: &str) -> &'static str {
    match code {
        "no-model" => "no model is chosen; choose one on the page Models",
        "connection-ended" => "an account it uses was ended; connect it again, or change the schedule",
        "sign-in" => "the sign-in of an account it uses is over; connect it again on the page Connections",
        "budget-schedule" => "its tokens of thirty days are used up; give it more, or wait",
        "budget-day" => "the tokens that schedules may take on one day are used up; raise them on Settings, or wait",
        "budget-month" => "the tokens that schedules may take in a month are used up; raise them on Settings, or wait",
        "hour" => "thirty runs began within an hour; it was one too many",
        "words" => "its words name somebody whose name two people have; change them to the address",
        _ => "something it needs was not there",
    }
}

/// Says what became of a time.
fn outcome_told(row: &OccurrenceRow) -> String {
    let ended = match row.ended.as_deref() {
        None => ", at work",
        Some("answered") => ", done",
        Some("failed") => ", failed",
        Some("limit-reached") => ", ended at its limit of tokens or turns",
        Some(super::OUT_OF_TIME) => ", ended after half an hour",
        Some(super::NO_MODEL) => ", the model could not be reached",
        Some(super::REPLACED) => ", ended because the schedule was changed",
        Some(_) => ", stopped",
    };
    let delay = (row.decided_ms - row.due_ms).max(0) / 60_000;
    match Outcome::from_name(&row.outcome) {
        Some(Outcome::Ran) => format!("ran{ended}"),
        Some(Outcome::RanLate) => format!("ran {delay} minutes late{ended}"),
        Some(Outcome::ByHand) => format!("run by you{ended}"),
        Some(Outcome::Coalesced) => "made up for by a later time".into(),
        Some(Outcome::Missed) => "missed: Bailey was off or asleep".into(),
        Some(Outcome::MissedPaused) => "missed: everything was paused".into(),
        Some(Outcome::SkippedRunning) => "skipped: the run before was still at work".into(),
        Some(Outcome::SkippedQuestions) => "skipped: three questions of it wait for you".into(),
        Some(Outcome::NotRun) => format!("not run: {}", why_not_run(&row.why)),
        None => row.outcome.clone(),
    }
}

/// Shows a time of a schedule.
pub(crate) fn occurrence_view(row: &OccurrenceRow, name: &str, zone: &TimeZone) -> OccurrenceView {
    #[expect(clippy::cast_precision_loss, reason = "millionths of a sum of money, far below what a double holds")]
    let cost = row.micros as f64 / 1_000_000.0;
    OccurrenceView {
        id: occurrence_id(row),
        schedule: visible(name),
        due: told(&at(row.due_ms).to_zoned(zone.clone())),
        due_ms: row.due_ms,
        count: row.count,
        outcome: row.outcome.clone(),
        told: outcome_told(row),
        task: row.task.map(|task| task.to_string()),
        ended: row.ended.clone(),
        tokens: row.tokens,
        cost,
        open: row.open,
    }
}
