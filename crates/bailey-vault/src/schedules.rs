//! Making a schedule that was proposed, and that the person approved: exactly what they were shown, in one transaction.

use std::sync::Arc;

use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::schedule::{Proposed, ScheduleAction};
use bailey_gate::handoff::{EffectToken, PauseState, Wrote};
use bailey_gate::ledger::StoreError;
use bailey_gate::{ActionId, Claimed, Effect, Now, Outcome, ScheduleId};
use bailey_ledger::{Ledger, LedgerTx, ScheduleRow, ScheduleState};

use crate::Vault;

/// Most schedules of a home.
pub const MAX_SCHEDULES: u64 = 100;

/// Returns the identity of the schedule that an action makes: the action's own, so that it is found again.
#[must_use]
pub const fn made_by(action: &ActionId) -> ScheduleId {
    ScheduleId::from_bytes(*action.as_bytes())
}

/// Says why there is no room for a schedule, or its name is taken; nothing where it can be made.
///
/// # Errors
/// The store failed.
pub fn refusal(tx: &mut LedgerTx<'_>, row: &ScheduleRow, is_new: bool) -> Result<Option<String>, StoreError> {
    if tx.has_other_schedule(&row.id, &row.name)? {
        return Ok(Some(format!("there is a schedule `{}` already; give it another name", row.name)));
    }
    let full = is_new && tx.count_schedules()? >= MAX_SCHEDULES;
    Ok(full.then(|| format!("there are {MAX_SCHEDULES} schedules, which is the most; delete one first")))
}

/// Returns what the log says of a schedule.
#[must_use]
pub fn payload(what: &'static str, row: &ScheduleRow, words: &str) -> Payload {
    let given = row.connections.iter().map(|(id, level)| format!("{id} {}", level.name())).collect::<Vec<_>>();
    Payload::default()
        .text("schedule", what)
        .text("id", row.id.to_string())
        .text("name", row.name.clone())
        .text("when", row.said.clone())
        .text("told", row.told.clone())
        .text("form", row.form.clone())
        .text("zone", row.zone.clone())
        .text("words", words)
        .text("connections", given.join("\n"))
}

impl Vault {
    /// Tells whether an action made a schedule that is still there.
    ///
    /// # Errors
    /// The store failed.
    pub fn has_schedule_of(&self, action: &ActionId) -> Result<bool, StoreError> {
        Ok(self.ledger.schedule(&made_by(action))?.is_some())
    }

    /// Carries out a claim that makes a schedule, with the tokens that it may take for a run and in thirty days.
    pub async fn make_schedule(&self, claimed: &Claimed<ScheduleAction>, late: &str, overlap: &str) -> Outcome {
        let ScheduleAction::Propose(proposed) = claimed.action();
        let (ledger, token, now) = (Arc::clone(&self.ledger), claimed.effect_token(), self.clock.moment());
        let (proposed, id, state) = (proposed.clone(), claimed.id(), self.lock.pause_state());
        let (late, overlap) = (late.to_owned(), overlap.to_owned());
        let make = move || carry_out(&ledger, *proposed, id, &token, (now, state), (late, overlap));
        match tokio::task::spawn_blocking(make).await {
            Ok(Ok(None)) => Outcome::new(Effect::Done, "the schedule is made"),
            Ok(Ok(Some(why))) => Outcome::new(Effect::NotExecuted, why),
            // Where it was handed off already, this is taken for not known, and looked up.
            Ok(Err(error)) => Outcome::new(Effect::NotExecuted, error.to_string()),
            Err(_) => Outcome::new(Effect::Unknown, "making the schedule broke off"),
        }
    }
}

fn carry_out(
    ledger: &Ledger,
    proposed: Proposed,
    id: ActionId,
    token: &EffectToken,
    (now, state): (Now, PauseState),
    (late, overlap): (String, String),
) -> Result<Option<String>, StoreError> {
    let row = ScheduleRow {
        id: made_by(&id),
        name: proposed.name.as_str().to_owned(),
        generation: 1,
        state: ScheduleState::On,
        stopped: String::new(),
        said: proposed.said.as_str().to_owned(),
        told: proposed.told.as_str().to_owned(),
        form: proposed.form.as_str().to_owned(),
        zone: proposed.zone.as_str().to_owned(),
        late,
        overlap,
        run_tokens: proposed.run_tokens,
        month_tokens: proposed.month_tokens,
        until_ms: None,
        made_ms: now.wall_ms,
        looked_ms: now.wall_ms,
        watermark_ms: now.wall_ms,
        queued_ms: None,
        connections: proposed.accounts.iter().map(|given| (given.connection, given.level)).collect(),
    };
    ledger.write(|tx| {
        if let Some(why) = refusal(tx, &row, true)? {
            return Ok(Some(why));
        }
        tx.put_schedule_row(&row, Some(&proposed.words))?;
        let payload = payload("made", &row, &proposed.words);
        let entry = Event::of_home(EventKind::Scheduled, Actor::Home, now, state);
        tx.append(&Event { action: Some(id), payload, ..entry }, None)?;
        // What was refused until here was not handed off; from here on it happens, unless the disk fails.
        token.hand_off(|| Wrote::Some).map_err(|refused| StoreError::Broken(refused.to_string()))?;
        Ok(None)
    })
}
