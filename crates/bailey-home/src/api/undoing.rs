//! Undo of a whole task: what it would do to each action is told beforehand, the person's one answer names exactly those that are
//! undone, and what came of each is told afterwards. It goes on in the home, whoever asked for it: leaving the page ends nothing. Where the
//! home itself ends meanwhile, what was to be taken back is taken back at the next start, and the rest is told as broken off: the person's
//! answer counted for the home that is gone.

use std::collections::BTreeMap;

use bailey_connectors::Services;
use bailey_gate::approval::MAX_ANSWERED;
use bailey_gate::family::ActionKind;
use bailey_gate::family::home::REPLY;
use bailey_gate::handoff::Mode;
use bailey_gate::{Gate, Now, UndoLeave};
use bailey_interface::{TaskUndoView, UndoFate, UndoStepView, UndoTaskBody};
use bailey_ledger::{Ledger, RecordName};
use serde::Serialize;

use super::*;

/// Undone tasks of which it is remembered what came of each action; beyond that the oldest is forgotten, and the actions' own states
/// tell.
const MAX_REMEMBERED: usize = 32;

/// The kind of record of a task that is being undone; its owner is the task. It goes when that comes to rest.
const RECORD: &str = "undoing";
/// How long undoing that broke off is told of, in milliseconds: a week.
const TOLD_FOR_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// What is being undone, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    begun_ms: i64,
    take_back: Vec<String>,
    undo: Vec<String>,
}

fn record(task: &TaskId) -> RecordName<'_> {
    RecordName { kind: RECORD, owner: task.as_bytes(), n: 0 }
}

/// Takes up what was being undone when the home ended: what was to be taken back is, for that harms nobody; the rest is told.
///
/// # Errors
/// The store cannot be read or written.
pub(crate) fn take_up(
    ledger: &Ledger,
    gate: &Gate,
    now: Now,
    notices: &mut Vec<String>,
) -> Result<BTreeMap<TaskId, Undoing>, GateError> {
    let mut all = BTreeMap::new();
    for owner in ledger.record_owners(RECORD)? {
        let Ok(bytes) = <[u8; 16]>::try_from(owner.as_slice()) else { continue };
        let task = TaskId::from_bytes(bytes);
        let kept = ledger.record(record(&task))?.and_then(|json| serde_json::from_slice::<Kept>(&json).ok());
        let read = |ids: &[String]| ids.iter().filter_map(|id| id.parse().ok()).collect::<Vec<ActionId>>();
        let Some(kept) = kept.filter(|kept| now.wall_ms.saturating_sub(kept.begun_ms) <= TOLD_FOR_MS) else {
            ledger.write(|tx| tx.remove_record(record(&task)).map(drop))?;
            continue;
        };
        let mut undoing = Undoing { broken_off_ms: Some(kept.begun_ms), ..Undoing::default() };
        for id in read(&kept.take_back) {
            match gate.cancel(&[id], now) {
                Ok(()) => undoing.taken_back.push(id),
                Err(GateError::Store(error)) => return Err(error.into()),
                // It was taken back before the end, or nothing waits any more.
                Err(_) => {}
            }
        }
        let mut left = 0;
        for id in read(&kept.undo) {
            let state = ledger.action(&id)?.map(|record| record.row.state);
            left += usize::from(state.is_some_and(|state| state.may_become(State::Undoing)));
        }
        if left == 0 {
            ledger.write(|tx| tx.remove_record(record(&task)).map(drop))?;
        } else {
            notices.push(format!(
                "Undoing a task broke off, for Bailey ended meanwhile: {left} of its actions stand as they were. Undo the rest on its page, or with `bailey undo --task {task}`."
            ));
            all.insert(task, undoing);
        }
    }
    Ok(all)
}

/// What came of undoing a task, since the home was opened.
#[derive(Debug, Default)]
pub(crate) struct Undoing {
    /// Counts the tasks that were undone before.
    place: u64,
    running: bool,
    /// Gives the time it began, where the home ended before it did.
    broken_off_ms: Option<i64>,
    /// Says of each action why it was not undone, or not yet.
    said: BTreeMap<ActionId, String>,
    taken_back: Vec<ActionId>,
}

/// Makes the action that undoes another.
pub(super) async fn proposal_of(home: &Arc<Home>, id: ActionId) -> Result<Proposal, Failure> {
    let read = move |home: &Home| Ok((actions::one(home, id)?, home.left_behind(&id)?));
    let (record, left) = reading(home, read).await?;
    if !record.row.state.may_become(State::Undoing) {
        return Err(GateError::WrongState { id, state: record.row.state }.into());
    }
    let content = Content::decode(&record.content).map_err(StoreError::from)?;
    let services = home.services.clone();
    let prepared = spawn_detached(home, async move { services.undo(&content, &left).await }).await?;
    let (account, action) = prepared.map_err(|bad| failure(Code::Conflict, visible(&bad.to_string())))?;
    Ok(Proposal {
        id: fresh_action()?,
        task: record.row.task,
        account,
        precondition: Vec::new(),
        action,
        why: "undo".into(),
        actor: Actor::Person,
    })
}

/// Tells whether an action only looked, or only talked to the person: then there is nothing to undo.
fn is_look(kind: ActionKind) -> bool {
    kind.is_read() || kind == REPLY
}

/// Returns what undoing it would do to an action; nothing where there is nothing to be done or said.
fn fate(home: &Home, record: &ActionRecord, undoing: &Undoing) -> Option<(UndoFate, String)> {
    let row = &record.row;
    let content = Content::decode(&record.content).ok();
    let can_undo = row.state.may_become(State::Undoing) && content.as_ref().is_some_and(Services::has_undo);
    let said = undoing.said.get(&row.id).cloned().unwrap_or_default();
    // An undo is told of with what it undoes.
    if row.undo_of.is_some() {
        return None;
    }
    Some(match row.state {
        State::Awaiting | State::Approved | State::Held => (UndoFate::TakeBack, said),
        _ if can_undo => (UndoFate::Undo, said),
        State::Succeeded | State::Partial | State::UndoFailed if !is_look(row.kind) => {
            let kept = || "what it was can be read no more, so nothing can undo it".to_owned();
            let why = content.map_or_else(kept, |content| {
                crate::provenance::reversal(&content, home.in_force().config.home.hold_seconds)
            });
            (UndoFate::Leave, why)
        }
        State::Claimed | State::Unknown | State::Reconciling | State::NeedsPerson => {
            (UndoFate::Leave, "It is not known yet whether it happened.".into())
        }
        State::Undoing => (UndoFate::UnderWay, said),
        State::Undone => (UndoFate::Undone, String::new()),
        State::Cancelled if undoing.taken_back.contains(&row.id) => (UndoFate::TakenBack, String::new()),
        _ => return None,
    })
}

/// Returns what undoing a task would do to each of its actions, and what came of it, the newest first: the order in which they are
/// undone.
fn view(home: &Home, task: TaskId) -> Result<TaskUndoView, Failure> {
    let missing = || failure(Code::NotFound, format!("there is no task `{task}`"));
    let words = home.ledger.task_words(&task)?.ok_or_else(missing)?;
    let undoing = home.undoing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let none = Undoing::default();
    let of = undoing.get(&task).unwrap_or(&none);
    let mut undone = 0;
    let mut steps = Vec::new();
    for record in home.ledger.actions_of(&task)?.iter().rev() {
        let Some((mut fate, mut why)) = fate(home, record, of) else { continue };
        if fate == UndoFate::Undo {
            undone += 1;
            if undone > MAX_ANSWERED {
                fate = UndoFate::Later;
                why.clear();
            }
        }
        steps.push(UndoStepView { action: actions::action_view(home, record)?, fate, why: visible(&why) });
    }
    Ok(TaskUndoView {
        task: task.to_string(),
        words: bailey_gate::family::escape::visible_lines(&words),
        running: of.running,
        broken_off_ms: of.broken_off_ms,
        steps,
    })
}

pub(super) async fn plan(AppState(home): Shared, Path(id): Path<String>) -> Answer<TaskUndoView> {
    let id: TaskId = parse("task", &id)?;
    reading(&home, move |home| view(home, id)).await.map(Json)
}

/// Reads what one answer undoes. What is signed for it is made by the same list.
pub(super) fn named(ids: &[String]) -> Result<Vec<ActionId>, Failure> {
    ids.iter().map(|id| parse("action", id)).collect()
}

/// Undoes what the person names of a task, as one answer of theirs allows: as with the undo of one action, their proof covers each that
/// is undone. What waits or is held is taken back without a proof: that harms nobody.
pub(super) async fn undo_task(
    AppState(home): Shared,
    Path(id): Path<String>,
    caller: Caller,
    JsonBody(body): JsonBody<UndoTaskBody>,
) -> Answer<TaskUndoView> {
    let task: TaskId = parse("task", &id)?;
    let (take_back, undo) = (named(&body.take_back)?, named(&body.undo)?);
    let shown = reading(&home, move |home| view(home, task)).await?;
    let is_listed = |id: &&ActionId| !shown.steps.iter().any(|step| step.action.id == id.to_string());
    if let Some(other) = take_back.iter().chain(&undo).find(is_listed) {
        let why = format!("`{other}` is no action of this task that can be undone; look at the task again");
        return Err(failure(Code::Invalid, why));
    }
    if take_back.is_empty() && undo.is_empty() {
        return Err(failure(Code::Invalid, "name what is to be taken back or undone; the task's undo lists it"));
    }
    let leave = match (undo.is_empty(), &body.proof) {
        (true, _) => None,
        (false, None) => {
            return Err(failure(Code::NotAuthorised, "undoing needs the approval passphrase, or a touch of a passkey"));
        }
        (false, Some(given)) => {
            let (gate, proof, now) = (Arc::clone(&home.gate), proof(given, caller)?, home.clock.now());
            Some(blocking(move || gate.leave_to_undo(undo, &proof, now)).await?)
        }
    };
    begin(&home, task)?;
    let kept = Kept { begun_ms: home.clock.now().wall_ms, take_back: body.take_back.clone(), undo: body.undo.clone() };
    if let Err(failed) = reading(&home, move |home| kept.keep(home, task)).await {
        home.note(&task, |of| of.running = false);
        return Err(failed);
    }
    // The newest first, whatever order they were named in.
    let newest_first: Vec<ActionId> = shown
        .steps
        .iter()
        .filter(|step| body.undo.contains(&step.action.id))
        .filter_map(|step| step.action.id.parse().ok())
        .collect();
    let going = Arc::clone(&home);
    home.spawn_detached(async move { going.undo_all(task, take_back, newest_first, leave).await });
    reading(&home, move |home| view(home, task)).await.map(Json)
}

impl Kept {
    /// Keeps it, so that it is known where the home ends before this does.
    fn keep(&self, home: &Home, task: TaskId) -> Result<(), Failure> {
        let json = serde_json::to_vec(self).map_err(|error| failure(Code::Internal, error.to_string()))?;
        Ok(home.ledger.write(|tx| tx.put_record(record(&task), &json))?)
    }
}

/// Remembers that a task is being undone, which one at a time does.
fn begin(home: &Home, task: TaskId) -> Result<(), Failure> {
    let mut all = home.undoing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if all.get(&task).is_some_and(|one| one.running) {
        return Err(failure(Code::Conflict, "this task is being undone already; its page shows how far it is"));
    }
    let place = all.values().map(|one| one.place).max().unwrap_or_default().saturating_add(1);
    all.insert(task, Undoing { place, running: true, ..Undoing::default() });
    while all.len() > MAX_REMEMBERED {
        let oldest = all.iter().filter(|(_, one)| !one.running).min_by_key(|(_, one)| one.place).map(|(id, _)| *id);
        let Some(oldest) = oldest else { break };
        all.remove(&oldest);
    }
    Ok(())
}

impl Home {
    fn note(&self, task: &TaskId, says: impl FnOnce(&mut Undoing)) {
        let mut all = self.undoing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(of) = all.get_mut(task) {
            says(of);
        }
        drop(all);
        self.changed();
    }

    /// Takes back, then undoes one after the other: an earlier change of the same thing can be undone only after a later one.
    async fn undo_all(
        self: Arc<Self>,
        task: TaskId,
        take_back: Vec<ActionId>,
        undo: Vec<ActionId>,
        leave: Option<UndoLeave>,
    ) {
        for id in take_back {
            let (gate, now) = (Arc::clone(&self.gate), self.clock.now());
            match blocking(move || gate.cancel(&[id], now)).await {
                Ok(()) => self.note(&task, |of| of.taken_back.push(id)),
                Err(error) => self.note(&task, |of| drop(of.said.insert(id, error.to_string()))),
            }
        }
        let leave = leave.map(|leave| Arc::new(std::sync::Mutex::new(leave)));
        for id in undo {
            let Some(leave) = &leave else { break };
            let said = match self.undo_one(id, Arc::clone(leave)).await {
                Ok(said) => said,
                Err(Failure(wrong)) => wrong.message,
            };
            self.note(&task, |of| drop(of.said.insert(id, said)));
        }
        // Where this cannot be recorded, it is told at the next start as broken off, and nothing is left to undo.
        let home = Arc::clone(&self);
        let _ = blocking(move || Ok(home.ledger.write(|tx| tx.remove_record(record(&task)).map(drop))?)).await;
        self.note(&task, |of| of.running = false);
    }

    /// Undoes one action and waits until that has come to rest. Says what is left to be said of it.
    async fn undo_one(
        self: &Arc<Self>,
        id: ActionId,
        leave: Arc<std::sync::Mutex<UndoLeave>>,
    ) -> Result<String, Failure> {
        let proposal = proposal_of(self, id).await?;
        let (now, gate) = (self.clock.now(), Arc::clone(&self.gate));
        let undoing = move || {
            let mut leave = leave.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            gate.undo_by_leave(&id, proposal, &mut leave, now)
        };
        let proposed = blocking(undoing).await?;
        let fresh = proposed.id;
        if let Some(permit) = proposed.permit {
            self.run(permit);
        }
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            let (state, said) = reading(self, move |home| {
                let record = actions::one(home, fresh)?;
                Ok((record.row.state, crate::views::outcome_words(&home.ledger.entries_of(&fresh)?)))
            })
            .await?;
            match state {
                State::Approved | State::Claimed | State::Proposed
                    if self.gate.lock().pause_state().mode != Mode::Open =>
                {
                    return Err(GateError::Paused.into());
                }
                State::Approved | State::Claimed | State::Proposed => {}
                State::Succeeded => return Ok(String::new()),
                State::Awaiting => return Ok("Its undo asks you first: see Approvals.".into()),
                State::Held => return Ok("Its undo goes when its time to be taken back is over.".into()),
                other => return Ok(said.unwrap_or_else(|| format!("its undo is {}", other.name()))),
            }
            let _ = changes.changed().await;
        }
    }
}
