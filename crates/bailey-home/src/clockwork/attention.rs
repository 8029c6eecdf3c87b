//! Attention: one place for whatever was missed, failed, or needs somebody. Nothing of it is kept apart: each line is worked out of what
//! is there, so it closes by itself once its cause is gone.

use bailey_gate::family::escape::visible;
use bailey_gate::{GateError, State};
use bailey_interface::AttentionView;
use bailey_ledger::{OccurrenceRow, ScheduleRow, ScheduleState};
use bailey_schedule::Outcome;
use jiff::tz::TimeZone;

use super::schedules::{Unmade, occurrence_view, why_stopped};
use super::{BY_PERSON, UNLOOKED_MS, at};
use crate::home::Home;

/// Times that are looked at; a person reads fewer.
const MAX_OPEN: u32 = 200;
/// How long before a question expires it is pointed out, in milliseconds: six hours.
const SOON_MS: i64 = 6 * 3_600 * 1_000;
/// Share of a bound, in hundredths, from which on it is pointed out.
const NEARLY_USED: u64 = 80;

/// Tells whether a schedule is stopped by something else than the person.
fn was_stopped(row: &ScheduleRow) -> bool {
    row.state == ScheduleState::Stopped && row.stopped != BY_PERSON
}

impl Home {
    /// Returns everything that needs somebody, the newest first.
    pub(crate) fn attention(&self) -> Result<Vec<AttentionView>, Unmade> {
        let now = self.clock.now();
        let mut all = self.open_times()?;
        for row in self.ledger.schedules()? {
            let (page, name) = (format!("/schedules/{}", row.id), visible(&row.name));
            let line = |kind: &str, what: String, why: &str, next: &str| AttentionView {
                kind: kind.into(),
                about: row.id.to_string(),
                what,
                why: why.into(),
                next: next.into(),
                page: page.clone(),
                at_ms: row.looked_ms,
                occurrences: Vec::new(),
            };
            if was_stopped(&row) {
                let next = "look at its last runs, then begin it again, or delete it";
                all.push(line(
                    "schedule-stopped",
                    format!("the schedule `{name}` is stopped"),
                    why_stopped(&row.stopped),
                    next,
                ));
            }
            if row.state == ScheduleState::On && now.wall_ms - row.looked_ms > UNLOOKED_MS {
                let what = format!("nobody looked at what came of `{name}` for 60 days");
                all.push(line("schedule-unlooked", what, "it stops 14 days later", "look at its runs, or delete it"));
            }
        }
        all.extend(self.sign_ins_over().into_iter().map(|(account, said)| AttentionView {
            kind: "sign-in".into(),
            about: visible(&account),
            what: format!("the sign-in of `{}` is over", visible(&account)),
            why: said,
            next: "connect it again on the page Connections".into(),
            page: "/connections".into(),
            at_ms: now.wall_ms,
            occurrences: Vec::new(),
        }));
        all.extend(self.questions()?);
        all.extend(self.budgets()?);
        all.sort_by_key(|one| std::cmp::Reverse(one.at_ms));
        Ok(all)
    }

    /// Says in a line that schedules need somebody; nothing where none does.
    pub(crate) fn schedules_need(&self) -> Result<Option<String>, GateError> {
        let times = self.ledger.open_occurrences(MAX_OPEN)?.len();
        let stopped = self.ledger.schedules()?.iter().filter(|row| was_stopped(row)).count();
        let many = times + stopped;
        Ok((many > 0).then(|| {
            let things = if many == 1 { "1 thing".to_owned() } else { format!("{many} things") };
            format!("{things} about your schedules need you; see the page Schedules, or `bailey attention`.")
        }))
    }

    /// Returns times that have no run, and runs that failed: those in one pause as one line.
    fn open_times(&self) -> Result<Vec<AttentionView>, Unmade> {
        let mut all = Vec::new();
        let mut paused: Vec<(OccurrenceRow, String)> = Vec::new();
        for row in self.ledger.open_occurrences(MAX_OPEN)? {
            let Some(schedule) = self.ledger.schedule(&row.schedule)? else { continue };
            let zone = TimeZone::get(&schedule.zone).unwrap_or(TimeZone::UTC);
            let view = occurrence_view(&row, &schedule.name, &zone);
            let outcome = Outcome::from_name(&row.outcome);
            if outcome == Some(Outcome::MissedPaused) {
                paused.push((row, view.schedule));
                continue;
            }
            let several = if row.count > 1 { format!(" and {} more times", row.count - 1) } else { String::new() };
            let kind = match outcome {
                Some(Outcome::Missed) => "missed",
                Some(Outcome::NotRun) => "not-run",
                Some(Outcome::SkippedRunning | Outcome::SkippedQuestions) => "skipped",
                _ => "failed",
            };
            let next = match outcome {
                Some(Outcome::SkippedQuestions) => "answer what waits on Approvals",
                _ if kind == "failed" => "look at the run, then run it again, or let it be",
                _ => "run it now, or let it be",
            };
            all.push(AttentionView {
                kind: kind.into(),
                about: view.id.clone(),
                what: format!("`{}`, {}{several}", view.schedule, view.due),
                why: view.told,
                next: next.into(),
                page: view.task.map_or_else(|| format!("/schedules/{}", row.schedule), |task| format!("/talk/{task}")),
                at_ms: row.decided_ms,
                occurrences: vec![view.id],
            });
        }
        if let Some((newest, _)) = paused.first() {
            let mut names: Vec<&str> = paused.iter().map(|(_, name)| name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let times: u32 = paused.iter().map(|(row, _)| row.count).sum();
            all.push(AttentionView {
                kind: "missed-paused".into(),
                about: names.join(", "),
                what: format!("{times} times passed while everything was paused: {}", names.join(", ")),
                why: "nothing that lies in a pause runs by itself".into(),
                next: "run each schedule once now, or forget them".into(),
                page: "/schedules".into(),
                at_ms: newest.decided_ms,
                occurrences: paused.iter().map(|(row, name)| occurrence_view(row, name, &TimeZone::UTC).id).collect(),
            });
        }
        Ok(all)
    }

    /// Returns questions that expire soon, and what only the person can tell.
    fn questions(&self) -> Result<Vec<AttentionView>, GateError> {
        let now = self.clock.now();
        let mut all = Vec::new();
        for record in self.ledger.part_of(State::Awaiting, 0, MAX_OPEN)? {
            let left = (record.row.expires.wall_ms() - now.wall_ms).max(0);
            if left <= SOON_MS {
                all.push(AttentionView {
                    kind: "expiring".into(),
                    about: record.row.id.to_string(),
                    what: format!("a question ({}) expires in {} minutes", record.row.kind.name(), left / 60_000),
                    why: "nobody answered it yet".into(),
                    next: "answer it on Approvals".into(),
                    page: format!("/approvals/{}", record.row.id),
                    at_ms: record.row.proposed.wall_ms,
                    occurrences: Vec::new(),
                });
            }
        }
        for record in self.ledger.part_of(State::NeedsPerson, 0, MAX_OPEN)? {
            all.push(AttentionView {
                kind: "needs-person".into(),
                about: record.row.id.to_string(),
                what: format!("it is not known whether an action happened ({})", record.row.kind.name()),
                why: "the other side gave no answer, and nothing else can tell".into(),
                next: "find out, and say so on its page".into(),
                page: format!("/activity/{}", record.row.id),
                at_ms: record.row.proposed.wall_ms,
                occurrences: Vec::new(),
            });
        }
        Ok(all)
    }

    /// Returns bounds of which four fifths are used.
    fn budgets(&self) -> Result<Vec<AttentionView>, GateError> {
        let now = self.clock.now();
        let effective = self.in_force();
        let config = &effective.config.home;
        let here = at(now.wall_ms).to_zoned(self.clock.zone()).date();
        let mut all = Vec::new();
        for (name, from, most) in [
            ("today", here, config.unattended_day_tokens),
            ("this month", here.first_of_month(), config.unattended_month_tokens),
        ] {
            let from_ms = from.to_zoned(self.clock.zone()).map_or(now.wall_ms, |at| at.timestamp().as_millisecond());
            let used = self.ledger.run_tokens_since(None, from_ms)?;
            if used.saturating_mul(100) >= most.saturating_mul(NEARLY_USED) && used > 0 {
                all.push(AttentionView {
                    kind: "budget".into(),
                    about: name.into(),
                    what: format!("schedules took {used} of {most} tokens {name}"),
                    why: "further runs will not begin once it is used up".into(),
                    next: "raise it on Settings, or wait".into(),
                    page: "/settings".into(),
                    at_ms: now.wall_ms,
                    occurrences: Vec::new(),
                });
            }
        }
        Ok(all)
    }
}
