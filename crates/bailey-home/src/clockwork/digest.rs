//! The digest: what happened since the last one, made of what is stored, by no model. A new one begins each day at its time; what is shown
//! is worked out when somebody looks.

use bailey_gate::content::Content;
use bailey_gate::family::escape::visible;
use bailey_gate::family::{Group, home};
use bailey_gate::ledger::StoreError;
use bailey_gate::{GateError, Now, Preview, State};
use bailey_interface::{DigestLine, DigestView};
use bailey_ledger::{LedgerTx, RecordName};
use bailey_schedule::told;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::schedules::{Unmade, occurrence_view};
use super::{DAY_MS, at};
use crate::home::{Home, HomeError};

/// The kind of record that holds from when on the digest is; its owner is the home.
const DIGEST: &str = "digest";
/// Lines of each part.
const MAX_LINES: usize = 50;
/// Longest words of a report, in characters.
const MAX_REPORT_CHARS: usize = 300;

/// What is kept of a digest.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Kept {
    from_ms: i64,
}

fn line(text: String, page: String, undo: bool) -> DigestLine {
    DigestLine { text, page, undo }
}

impl Home {
    /// Tells whether the time of today's digest has come, and it was not made yet.
    pub(crate) fn digest_is_due(&self, made_ms: i64, now: Now) -> bool {
        let effective = self.in_force();
        let minute = effective.config.home.digest_minute().unwrap_or_default();
        let here = at(now.wall_ms).to_zoned(self.clock.zone());
        let (hour, minute) = (i8::try_from(minute / 60).unwrap_or(0), i8::try_from(minute % 60).unwrap_or(0));
        let due = here.date().at(hour, minute, 0, 0).to_zoned(self.clock.zone());
        due.is_ok_and(|due| due.timestamp() <= at(now.wall_ms) && due.timestamp().as_millisecond() > made_ms)
    }

    /// Begins a new digest where the last one ended.
    pub(crate) fn keep_digest(&self, tx: &mut LedgerTx<'_>, before_ms: i64, now: Now) -> Result<(), StoreError> {
        // The first one tells of a day.
        let days = if before_ms == 0 { 1 } else { 7 };
        let kept = Kept { from_ms: before_ms.max(now.wall_ms.saturating_sub(days * DAY_MS)) };
        let json = serde_json::to_vec(&kept).map_err(|error| StoreError::Broken(error.to_string()))?;
        let owner = *self.ledger.home().as_bytes();
        tx.put_record(RecordName { kind: DIGEST, owner: &owner, n: 0 }, &json)
    }

    /// Returns what happened since the digest before the last.
    pub(crate) fn digest(&self) -> Result<DigestView, Unmade> {
        let (now, zone) = (self.clock.now(), self.clock.zone());
        let owner = *self.ledger.home().as_bytes();
        let kept = self.ledger.record(RecordName { kind: DIGEST, owner: &owner, n: 0 })?;
        let kept: Option<Kept> = kept.and_then(|json| serde_json::from_slice(&json).ok());
        let from_ms = kept.map_or(now.wall_ms.saturating_sub(DAY_MS), |kept| kept.from_ms);
        let (mut ran, mut failed, mut micros) = (Vec::new(), Vec::new(), 0_u64);
        for row in self.ledger.occurrences_between(from_ms, now.wall_ms + 1, 1_000)? {
            micros = micros.saturating_add(row.micros);
            let schedule = self.ledger.schedule(&row.schedule)?;
            let name = schedule.as_ref().map_or("a schedule that was deleted", |row| row.name.as_str());
            let zone = schedule.as_ref().and_then(|row| TimeZone::get(&row.zone).ok()).unwrap_or_else(|| zone.clone());
            let view = occurrence_view(&row, name, &zone);
            let several = if row.count > 1 { format!(", {} times", row.count) } else { String::new() };
            let text = format!("{}, {}{several}: {}", view.schedule, view.due, view.told);
            let went_well = row.task.is_some() && matches!(row.ended.as_deref(), None | Some("answered"));
            match row.task {
                Some(task) => {
                    let report = self.report_of(&task)?.map(|said| format!(". {said}")).unwrap_or_default();
                    let shown = line(format!("{text}{report}"), format!("/talk/{task}"), false);
                    if went_well { ran.push(shown) } else { failed.push(shown) }
                }
                None if row.outcome == "coalesced" => {}
                None => failed.push(line(text, format!("/schedules/{}", row.schedule), false)),
            }
        }
        ran.truncate(MAX_LINES);
        failed.truncate(MAX_LINES);
        Ok(DigestView {
            from_ms,
            to_ms: now.wall_ms,
            told: format!("{} to {}", told(&at(from_ms).to_zoned(zone.clone())), told(&at(now.wall_ms).to_zoned(zone))),
            ran,
            by_rule: self.went_by_rule(from_ms)?,
            waits: self.what_waits()?,
            failed,
            learnt: self.what_was_noted(from_ms)?,
            tokens: self.ledger.run_tokens_since(None, from_ms)?,
            #[expect(
                clippy::cast_precision_loss,
                reason = "millionths of a sum of money, far below what a double holds"
            )]
            cost: micros as f64 / 1_000_000.0,
        })
    }

    /// Returns the beginning of what a task said at its end.
    fn report_of(&self, task: &bailey_gate::TaskId) -> Result<Option<String>, HomeError> {
        let said = self.last_turn(task)?.and_then(|conversation| conversation.reply);
        Ok(said.map(|said| {
            let short: String =
                said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_REPORT_CHARS).collect();
            visible(&short)
        }))
    }

    /// Returns what went without asking and reaches beyond the home, or changes something, since a wall time.
    fn went_by_rule(&self, from_ms: i64) -> Result<Vec<DigestLine>, GateError> {
        let mut all = Vec::new();
        for one in self.ledger.ran_unasked(from_ms)?.into_iter().rev() {
            let kind = one.row.kind;
            if matches!(kind.group(), Group::Read | Group::Speak)
                || kind == home::MEMORY_WRITE
                || all.len() >= MAX_LINES
            {
                continue;
            }
            let can_undo = one.row.state == State::Succeeded
                && self.content_of(&one.row.id)?.is_some_and(|content| bailey_connectors::Services::has_undo(&content));
            let page = format!("/activity/{}", one.row.id);
            all.push(line(format!("{} ({})", self.headline_of(&one.row.id)?, one.row.state.name()), page, can_undo));
        }
        Ok(all)
    }

    fn what_waits(&self) -> Result<Vec<DigestLine>, GateError> {
        let waiting = self.ledger.part_of(State::Awaiting, 0, 50)?;
        let told = |record: &bailey_ledger::ActionRecord| {
            Ok(line(self.headline_of(&record.row.id)?, format!("/approvals/{}", record.row.id), false))
        };
        waiting.iter().map(told).collect()
    }

    fn what_was_noted(&self, from_ms: i64) -> Result<Vec<DigestLine>, GateError> {
        let kept = self.ledger.of_kind(home::MEMORY_WRITE, State::Succeeded)?;
        let lately = kept.iter().rev().filter(|record| record.row.proposed.wall_ms >= from_ms).take(MAX_LINES);
        let told = |record: &bailey_ledger::ActionRecord| {
            let note =
                Content::decode(&record.content).ok().map(|content| Preview::of(&content).body).unwrap_or_default();
            line(note, format!("/activity/{}", record.row.id), true)
        };
        Ok(lately.map(told).collect())
    }

    fn content_of(&self, id: &bailey_gate::ActionId) -> Result<Option<Content>, GateError> {
        Ok(self.ledger.action(id)?.and_then(|record| Content::decode(&record.content).ok()))
    }

    fn headline_of(&self, id: &bailey_gate::ActionId) -> Result<String, GateError> {
        Ok(self
            .content_of(id)?
            .map_or_else(|| "an action that was erased".into(), |content| Preview::of(&content).headline))
    }
}
