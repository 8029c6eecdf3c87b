//! Tasks: the agent loop's steps, taken by the home.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bailey_agent::{Conversation, Ending, Named, Next};
use bailey_connectors::PrepareContext;
use bailey_gate::event::{Actor, Event, EventKind, Origin, Payload};
use bailey_gate::family::escape::visible;
use bailey_gate::family::home::HomeAction;
use bailey_gate::family::{Action, MAX_WORDS_BYTES};
use bailey_gate::ground::{self, Known};
use bailey_gate::handoff::Mode;
use bailey_gate::ledger::StoreError;
use bailey_gate::{ActionId, GateError, Proposal, State, TaskId};
use bailey_ledger::Ledger;
use bailey_telemetry::{Id, Instrument as _, event, span};

use crate::config::WorkMode;
use crate::executor::blocking;
use crate::home::{Home, HomeError};
use crate::metrics::code;
use crate::transcript;

/// Longest task, in bytes. Longer texts are files.
pub const MAX_TASK_BYTES: usize = 32 * 1024;
/// How long a task waits after the store failed it.
const TASK_RETRY: Duration = Duration::from_secs(5);

fn named(known: &Known) -> Named {
    Named { name: known.name.clone(), address: known.address.clone() }
}

/// A task that has not ended.
const OPEN: &str = "open";

/// Tells how a task ended, in a word; or that it has not.
fn ending_name(conversation: &Conversation) -> &'static str {
    conversation.ending.as_ref().map_or(OPEN, ending_name_of)
}

const fn ending_name_of(ending: &Ending) -> &'static str {
    match ending {
        Ending::Answered => "answered",
        Ending::OutOfTurns | Ending::OutOfBudget | Ending::OverLimit(_) => "limit-reached",
        Ending::Failed(_) => "failed",
        Ending::Stopped => "stopped",
    }
}

/// Returns the state of a task in a word: `waiting` only while the person has something to answer. Of its turns, only the last
/// counts.
pub(crate) fn state_name(conversation: &Conversation, actions: &[State]) -> &'static str {
    let asks = |state: &State| matches!(state, State::Awaiting | State::NeedsPerson);
    let goes_on = |state: &State| {
        matches!(state, State::Approved | State::Held | State::Claimed | State::Unknown | State::Reconciling)
    };
    match (&conversation.ending, conversation.next()) {
        (None, Next::Wait(_)) if !conversation.goes_on_while_asking() && actions.iter().any(asks) => "waiting",
        (Some(Ending::Answered), _) if actions.iter().any(asks) => "waiting",
        (Some(Ending::Answered), _) if actions.iter().any(goes_on) => "running",
        (None, _) => "running",
        (Some(_), _) => ending_name(conversation),
    }
}

/// Returns what is said to the person: something, and no more than one answer may hold.
fn sayable(words: String) -> String {
    if words.trim().is_empty() {
        return "(The model ended without saying anything.)".to_owned();
    }
    let end = (0..=words.len().min(MAX_WORDS_BYTES)).rev().find(|at| words.is_char_boundary(*at)).unwrap_or(0);
    words.get(..end).unwrap_or_default().to_owned()
}

/// Returns the action that stands for a call: always the same, so that a crash between proposing and noting it cannot make two.
fn action_id(task: &TaskId, turn: usize, call: usize) -> ActionId {
    let mut context = Context::new(&SHA256);
    context.update(b"bailey call\0");
    context.update(task.as_bytes());
    context.update(&(turn as u64).to_be_bytes());
    context.update(&(call as u64).to_be_bytes());
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    ActionId::from_bytes(id)
}

/// Runs what reads the store off the runtime's own threads.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HomeError> + Send + 'static,
) -> Result<T, HomeError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(GateError::from(StoreError::Broken(error.to_string())).into()))
}

/// Tells whether a step of a task brings words of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Those that begin it, and who or what did.
    First(Origin),
    /// Further ones.
    More,
    /// None.
    Nothing,
}

impl Home {
    /// Takes a task from the person. The same identity again is the same task.
    pub(crate) async fn give_task(
        self: &Arc<Self>,
        id: TaskId,
        words: String,
        origin: Origin,
    ) -> Result<(), HomeError> {
        if self.model().is_none() {
            return Err(HomeError::Setup(
                "no model is chosen; choose one on the page Models, or with `bailey config set`".into(),
            ));
        }
        if words.trim().is_empty() || words.len() > MAX_TASK_BYTES {
            return Err(HomeError::Setup(format!("a task has between 1 and {MAX_TASK_BYTES} bytes of text")));
        }
        if let Some(known) = self.conversation_aside(id).await? {
            // Whatever was said later: these were its first words.
            let first = known.earlier.first().map_or(&known.task, |earlier| &earlier.task);
            return if *first == words {
                Ok(())
            } else {
                Err(HomeError::Setup("this idempotency key was used for another task; use a fresh one".into()))
            };
        }
        let home = Arc::clone(self);
        let conversation = run_blocking(move || home.begin(words)).await?;
        // One driver for each task: whoever stored it first.
        if self.keep_task(id, &conversation, Said::First(origin)).await? {
            self.drive(id, conversation);
        }
        Ok(())
    }

    /// Goes on with a task that has ended, with further words of the person. They widen what it may do; what it has read by then
    /// stays read.
    pub(crate) async fn go_on(self: &Arc<Self>, id: TaskId, words: String) -> Result<(), HomeError> {
        if words.trim().is_empty() || words.len() > MAX_TASK_BYTES {
            return Err(HomeError::Setup(format!("a task has between 1 and {MAX_TASK_BYTES} bytes of text")));
        }
        let _turn = self.going_on.lock().await;
        let Some(mut conversation) = self.conversation_aside(id).await? else {
            return Err(HomeError::Setup(format!("there is no task `{id}`; list them with `bailey tasks`")));
        };
        match &conversation.ending {
            None => {
                return Err(HomeError::Setup(
                    "the task is still at work; wait until it has ended, or stop it and give a new one".into(),
                ));
            }
            Some(Ending::Stopped) => return Err(HomeError::Setup("the task was stopped; give a new one".into())),
            Some(
                Ending::Answered | Ending::OutOfTurns | Ending::OutOfBudget | Ending::OverLimit(_) | Ending::Failed(_),
            ) => {}
        }
        let home = Arc::clone(self);
        let (words, named) = run_blocking(move || home.named(&words).map(|named| (words, named))).await?;
        conversation.go_on(words, named);
        conversation.said_ms = Some(self.clock.now().wall_ms);
        self.keep_task(id, &conversation, Said::More).await?;
        self.drive(id, conversation);
        Ok(())
    }

    /// Returns a new conversation, in the way the model is worked with.
    pub(crate) fn begin(&self, words: String) -> Result<Conversation, HomeError> {
        let mut conversation = if self.is_planned() {
            self.named(&words).map(|named| Conversation::planned(words, named))?
        } else {
            Conversation::free(words)
        };
        conversation.said_ms = Some(self.clock.now().wall_ms);
        Ok(conversation)
    }

    fn is_planned(&self) -> bool {
        self.model().as_ref().is_some_and(|(_, config)| config.mode == WorkMode::Planned)
    }

    /// Returns the people that words name, where a small model is led by them.
    fn named(&self, words: &str) -> Result<Vec<Named>, HomeError> {
        if !self.is_planned() {
            return Ok(Vec::new());
        }
        let known = self.ledger.known_recipients().map_err(GateError::from)?;
        let mut people = Vec::new();
        for meant in ground::named(words, &known) {
            let [one] = meant.as_slice() else {
                let all: Vec<String> = meant.iter().map(|one| named(one).to_string()).collect();
                return Err(HomeError::Setup(format!(
                    "you write to more than one person by that name: {}; say which one, with the address",
                    visible(&all.join(", "))
                )));
            };
            people.push(named(one));
        }
        Ok(people)
    }

    /// Returns a task's conversation.
    pub(crate) fn conversation(&self, id: &TaskId) -> Result<Option<Conversation>, HomeError> {
        Ok(transcript::read(&self.ledger, id).map_err(GateError::from)?)
    }

    /// Reads a conversation with the last of its turns alone.
    pub(crate) fn last_turn(&self, id: &TaskId) -> Result<Option<Conversation>, HomeError> {
        Ok(transcript::read_last(&self.ledger, id).map_err(GateError::from)?)
    }

    /// Returns the same, read beside the threads that answer.
    async fn conversation_aside(self: &Arc<Self>, id: TaskId) -> Result<Option<Conversation>, HomeError> {
        let home = Arc::clone(self);
        run_blocking(move || home.conversation(&id)).await
    }

    /// Stores a task as it stands, with what the person said where they did; false if it is new and there is one of this identity
    /// already.
    async fn keep_task(&self, id: TaskId, conversation: &Conversation, said: Said) -> Result<bool, GateError> {
        let mut conversation = conversation.clone();
        if self.stopped().contains(&id) {
            conversation.end(Ending::Stopped);
        }
        let (state, words) = (ending_name(&conversation), conversation.task.clone());
        let n = conversation.earlier.len() as u64;
        let (ledger, now, pause_state) = (Arc::clone(&self.ledger), self.clock.now(), self.gate.lock().pause_state());
        let kept = blocking(move || {
            let named = if said == Said::Nothing { Vec::new() } else { ledger.names_in(&words)? };
            Ok(ledger.write(|tx| {
                if matches!(said, Said::First(_)) && transcript::is_kept(tx, &id)? {
                    return Ok(false);
                }
                transcript::keep(tx, &id, conversation)?;
                tx.put_task(&id, state, now.wall_ms)?;
                if said != Said::Nothing {
                    tx.put_words(&id, n, &words, &named)?;
                    let mut payload = Payload::default().text("words", words);
                    if let Said::First(origin) = said {
                        tx.put_origin(&id, origin)?;
                        payload = payload.text("origin", origin.name());
                    }
                    // The token suffices for it, so the log does not say that it was the person.
                    let entry = Event::of_home(EventKind::Task, Actor::Client, now, pause_state);
                    tx.append(&Event { task: Some(id), payload, ..entry }, None)?;
                }
                Ok(true)
            })?)
        })
        .await?;
        self.changed();
        Ok(kept)
    }

    /// Goes on with every task that a restart interrupted.
    pub(crate) fn resume_tasks(self: &Arc<Self>) -> Result<(), HomeError> {
        for task in self.ledger.tasks_in(OPEN).map_err(GateError::from)? {
            if let Some(conversation) = self.conversation(&task.id)? {
                self.drive(task.id, conversation);
            }
        }
        Ok(())
    }

    pub(crate) fn drive(self: &Arc<Self>, id: TaskId, conversation: Conversation) {
        let home = Arc::clone(self);
        let driving = async move {
            let mut conversation = conversation;
            while let Err(error) = home.steps(id, conversation.clone()).await {
                // A full disk, say: the task goes on from what is stored once there is room again.
                event!(WARN, "a task could not go on and is tried again", code = code(&error));
                tokio::time::sleep(TASK_RETRY).await;
                if let Ok(Some(stored)) = home.conversation(&id) {
                    conversation = stored;
                }
            }
            home.listening.end(&id);
            event!(INFO, "a task came to rest");
        };
        self.spawn_detached(driving.instrument(span!("task", task = Id::new(*id.as_bytes()))));
    }

    async fn steps(self: &Arc<Self>, id: TaskId, mut conversation: Conversation) -> Result<(), GateError> {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            if conversation.ending.is_none() && self.stopped().contains(&id) {
                conversation.end(Ending::Stopped);
                self.keep_task(id, &conversation, Said::Nothing).await?;
            }
            match conversation.next() {
                Next::Ended => return Ok(()),
                Next::AskModel => {
                    if self.gate.lock().pause_state().mode != Mode::Open {
                        let _ = changes.changed().await;
                        continue;
                    }
                    self.ask(id, &mut conversation).await?;
                }
                Next::Propose(index) => self.propose_call(id, &mut conversation, index).await?,
                Next::Wait(index) => match self.outcome(&conversation, index)? {
                    Some(result) => {
                        if let Some(note) = self.note_on_refusing(&conversation, index)? {
                            conversation.refused_with(index, note);
                        }
                        conversation.note(index, None, Some(result));
                    }
                    None if conversation.goes_on_while_asking() && self.is_asked(&conversation, index)? => {
                        conversation.note(index, None, Some("it waits for your approval".into()));
                    }
                    None => {
                        let _ = changes.changed().await;
                        continue;
                    }
                },
                Next::Tell(words) => {
                    let words = self.with_sign_ins(&conversation, sayable(words));
                    self.tell(id, &conversation, words.clone()).await?;
                    conversation.told(words);
                }
            }
            self.keep_task(id, &conversation, Said::Nothing).await?;
        }
    }

    /// Tells whether a call's action waits for the person.
    fn is_asked(&self, conversation: &Conversation, index: usize) -> Result<bool, GateError> {
        let id =
            conversation.call(index).and_then(|call| call.action.as_ref()).and_then(|id| id.parse::<ActionId>().ok());
        let record = id.map(|id| self.ledger.action(&id)).transpose()?.flatten();
        Ok(record.is_some_and(|record| record.row.state == State::Awaiting))
    }

    /// Makes an action of a call. What cannot be made one goes back to the model as the call's result.
    async fn propose_call(
        self: &Arc<Self>,
        id: TaskId,
        conversation: &mut Conversation,
        index: usize,
    ) -> Result<(), GateError> {
        let Some(call) = conversation.call(index).cloned() else { return Ok(()) };
        let action = action_id(&id, conversation.step(), index);
        if self.ledger.action(&action)?.is_some() {
            conversation.note(index, Some(action.to_string()), None);
            return Ok(());
        }
        let home = self.context_of(Some(&id)).map_err(|error| StoreError::Broken(error.to_string()))?;
        let cx = PrepareContext { vault: &self.vault, home };
        let prepared = match bailey_connectors::prepare(&call.wanted.name, &call.wanted.arguments, &cx).await {
            Ok(prepared) => prepared,
            Err(bad) => {
                conversation.note(index, None, Some(format!("not possible: {bad}")));
                return Ok(());
            }
        };
        self.look_again_for(id, &prepared.action).await;
        let proposal = Proposal {
            id: action,
            task: Some(id),
            account: prepared.account,
            precondition: Vec::new(),
            action: prepared.action,
            why: prepared.why,
            actor: Actor::Agent,
        };
        match self.propose(proposal).await {
            Ok(()) => conversation.note(index, Some(action.to_string()), None),
            Err(GateError::Malformed(why)) => conversation.note(index, None, Some(format!("not possible: {why}"))),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Proposes, and lets run what may run by itself.
    pub(crate) async fn propose(self: &Arc<Self>, proposal: Proposal) -> Result<(), GateError> {
        let (gate, now) = (Arc::clone(&self.gate), self.clock.now());
        let id = Id::new(*proposal.id.as_bytes());
        event!(DEBUG, "an action is proposed", action = id, kind = proposal.action.kind().name());
        let proposed = blocking(move || gate.propose(proposal, now)).await?;
        if let Some(permit) = proposed.permit {
            self.run(permit);
        }
        self.changed();
        Ok(())
    }

    /// Returns what a call came to, in words for the model; `None` while it is under way.
    fn outcome(&self, conversation: &Conversation, index: usize) -> Result<Option<String>, GateError> {
        let id =
            conversation.call(index).and_then(|call| call.action.as_ref()).and_then(|id| id.parse::<ActionId>().ok());
        let Some(id) = id else { return Ok(Some("not possible".into())) };
        let Some(record) = self.ledger.action(&id)? else { return Ok(Some("not possible".into())) };
        let words = match record.row.state {
            State::Proposed
            | State::Awaiting
            | State::Approved
            | State::Held
            | State::Claimed
            | State::Unknown
            | State::Reconciling
            | State::Undoing => return Ok(None),
            State::Succeeded | State::Partial if record.row.kind.answers() => self.result_of(&id)?,
            State::Succeeded | State::Partial => "done".to_owned(),
            State::Denied => format!("not allowed: {}", self.reasons_at_decision(&id)?),
            State::Rejected => "the person refused this; do not try it again".to_owned(),
            State::Cancelled => "the person took this back; do not try it again".to_owned(),
            State::Superseded => return self.superseded(&id),
            State::Expired => "nobody answered in time, so it was not done".to_owned(),
            State::Failed if record.row.kind.answers() => format!("it failed: {}", self.result_of(&id)?),
            State::Failed => "the other side refused it".to_owned(),
            State::NotExecuted => format!("it was not done: {}", self.result_of(&id)?),
            State::NeedsPerson => {
                "it is not known whether this happened; the person has to find out; do not try it again".to_owned()
            }
            State::Undone | State::UndoFailed => "it was done, and undone by the person".to_owned(),
        };
        Ok(Some(words))
    }

    /// Returns what the person noted when they refused what a call proposed.
    fn note_on_refusing(&self, conversation: &Conversation, index: usize) -> Result<Option<String>, GateError> {
        let id = conversation.call(index).and_then(|call| call.action.as_ref()?.parse::<ActionId>().ok());
        Ok(match id {
            Some(id) => crate::views::note_among(&self.ledger.entries_of(&id)?),
            None => None,
        })
    }

    /// Returns what the other side said, as it is: for the model, which is shown it as other people's words.
    fn result_of(&self, id: &ActionId) -> Result<String, GateError> {
        let outcome = self.ledger.entries_of(id)?.into_iter().rev().find_map(|entry| {
            let payload: serde_json::Value = serde_json::from_str(&entry.payload?).ok()?;
            payload.get("outcome")?.as_str().map(str::to_owned)
        });
        Ok(outcome.unwrap_or_else(|| "interrupted".into()))
    }

    /// Returns an edited action counts as what its replacement came to.
    fn superseded(&self, id: &ActionId) -> Result<Option<String>, GateError> {
        let by = self.ledger.entries_of(id)?.into_iter().rev().find_map(|entry| {
            let payload: serde_json::Value = serde_json::from_str(&entry.payload?).ok()?;
            payload.get("replaced_by")?.as_str()?.parse::<ActionId>().ok()
        });
        let Some(record) = by.map(|by| self.ledger.action(&by)).transpose()?.flatten() else {
            return Ok(Some("the person changed this".into()));
        };
        match record.row.state {
            State::Succeeded => Ok(Some("done, after the person changed it".into())),
            State::Awaiting | State::Approved | State::Held | State::Claimed | State::Unknown | State::Reconciling => {
                Ok(None)
            }
            State::Superseded => self.superseded(&record.row.id),
            other => Ok(Some(format!("the person changed this; it is now {}", other.name()))),
        }
    }

    /// Says something to the person, through the gate like everything else.
    async fn tell(self: &Arc<Self>, id: TaskId, conversation: &Conversation, words: String) -> Result<(), GateError> {
        let action = action_id(&id, conversation.step(), usize::MAX);
        if self.ledger.action(&action)?.is_some() {
            return Ok(());
        }
        self.propose(Proposal {
            id: action,
            task: Some(id),
            account: None,
            precondition: Vec::new(),
            action: Action::Home(HomeAction::Reply { words }),
            why: String::new(),
            actor: Actor::Agent,
        })
        .await
    }

    /// Stops a task: nothing more is asked of the model, and its waiting and held actions are taken back.
    pub(crate) async fn stop_task(self: &Arc<Self>, id: TaskId) -> Result<(), HomeError> {
        if self.conversation_aside(id).await?.is_none() {
            return Err(HomeError::Setup(format!("there is no task `{id}`; list them with `bailey tasks`")));
        }
        self.stopped().insert(id);
        // Stored at once: a restart must not take the task up again.
        if let Some(conversation) = self.conversation_aside(id).await?
            && conversation.ending.is_none()
        {
            self.keep_task(id, &conversation, Said::Nothing).await?;
        }
        let ledger = Arc::clone(&self.ledger);
        let open: Vec<ActionId> = blocking(move || Ok(ledger.actions_of(&id)?))
            .await?
            .into_iter()
            .filter(|record| matches!(record.row.state, State::Awaiting | State::Approved | State::Held))
            .map(|record| record.row.id)
            .collect();
        for action in open {
            let (gate, now) = (Arc::clone(&self.gate), self.clock.now());
            match blocking(move || gate.cancel(&[action], now)).await {
                // It moved on between looking and taking it back; the others are taken back all the same.
                Ok(()) | Err(GateError::WrongState { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        self.changed();
        Ok(())
    }
}

/// Stops every open task of a store that turned out to be an older copy: what it knows may have happened already.
pub(crate) fn stop_all(ledger: &Ledger, now: bailey_gate::Now) -> Result<(), HomeError> {
    for task in ledger.tasks_in(OPEN).map_err(GateError::from)? {
        let conversation = transcript::read(ledger, &task.id).map_err(GateError::from)?;
        let write = ledger.write(|tx| {
            let mut state = ending_name_of(&Ending::Stopped);
            if let Some(mut conversation) = conversation {
                conversation.end(Ending::Stopped);
                state = ending_name(&conversation);
                transcript::keep(tx, &task.id, conversation)?;
            }
            tx.put_task(&task.id, state, now.wall_ms)
        });
        write.map_err(GateError::from)?;
    }
    Ok(())
}
