//! Asking the model: what it is told, what may be spent, patience with its server, and another model where it cannot be reached.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailey_agent::{About, Conversation, Ending, Own, Situation};
use bailey_gate::ledger::StoreError;
use bailey_gate::{GateError, TaskId};
use bailey_model::tap::{Tapped, tap};
use bailey_model::{Answer, Ask, Came, Heard, Model, ModelError, Tool};
use bailey_telemetry::{Stopwatch, event};
use bailey_vault::Training;
use tokio::sync::watch;

use crate::config::ModelConfig;
use crate::home::Home;
use crate::metrics::asked_model;
use crate::spending::Reserved;

/// How often a model that cannot be reached is asked, and how long to wait before the second time; then twice as long
/// each time, unless its server says how long.
const MODEL_TRIES: u32 = 4;
const MODEL_WAIT: Duration = Duration::from_secs(1);
/// How long a run of a schedule waits for a model that cannot be reached, before it is asked again.
const UNATTENDED_WAITS: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(15 * 60)];
/// How often an answer that makes no sense is asked for: a server that is wrongly set up gives the same again.
const GARBLED_TRIES: u32 = 2;
/// Longest wait that a server may ask for; behind it the task says so.
const LONGEST_WAIT: Duration = Duration::from_secs(180);
/// The same where another model can be asked instead.
const LONGEST_WAIT_BESIDE: Duration = Duration::from_secs(10);
/// Most requests made anew because of what a provider does not take.
const MAX_LEARNT: usize = 8;
/// Fewest tokens of an answer worth paying for.
const LEAST_ANSWER_TOKENS: u32 = 256;

/// The words of an answer that is on its way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    /// The request, and the try of it, by their numbers: a new one begins anew.
    pub(crate) of: (u64, u32),
    /// The words so far.
    pub(crate) text: String,
}

/// Answers on their way, by task.
#[derive(Debug)]
pub(crate) struct Listening {
    live: Mutex<BTreeMap<TaskId, Live>>,
    /// Rises with every piece.
    heard: watch::Sender<u64>,
    tries: AtomicU64,
}

impl Listening {
    pub(crate) fn new() -> Self {
        Self { live: Mutex::default(), heard: watch::Sender::new(0), tries: AtomicU64::new(0) }
    }

    /// Begins to listen to a request; what was heard before is not its answer.
    fn begin(&self, id: TaskId, request: u64) {
        let attempt = u32::try_from(self.tries.fetch_add(1, Ordering::Relaxed) & u64::from(u32::MAX)).unwrap_or(0);
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.insert(id, Live { of: (request, attempt), text: String::new() });
    }

    fn hear(&self, id: TaskId, words: &str) {
        if let Some(live) = self.live.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&id) {
            live.text.push_str(words);
        }
        self.heard.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Forgets what a task that came to rest said on its way.
    pub(crate) fn end(&self, id: &TaskId) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Returns the words behind the first `from` bytes of the answer that is on its way.
    pub(crate) fn since(&self, id: &TaskId, of: Option<(u64, u32)>, from: usize) -> Option<Live> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let one = live.get(id)?;
        let from = if of == Some(one.of) { from } else { 0 };
        Some(Live { of: one.of, text: one.text.get(from..).unwrap_or_default().to_owned() })
    }

    /// Rises with every piece of any answer.
    pub(crate) fn heard(&self) -> watch::Receiver<u64> {
        self.heard.subscribe()
    }
}

/// A model, and what the configuration says of it.
pub(crate) type Configured = (Arc<dyn Model>, ModelConfig);

/// Tells how much a provider may do with what it is sent: more is worse.
const fn openness(training: Training) -> u8 {
    match training {
        Training::No => 0,
        Training::Unknown => 1,
        Training::Yes => 2,
    }
}

impl Home {
    /// Returns one answer of the model, kept as it is asked for before that leaves; of another one where the first cannot be
    /// reached.
    pub(crate) async fn ask(self: &Arc<Self>, id: TaskId, conversation: &mut Conversation) -> Result<(), GateError> {
        let Some(first) = self.model() else {
            conversation.end(Ending::Failed("no model is configured".into()));
            return Ok(());
        };
        // A task that another model went on with does not wait for the first one each time.
        let tries = if conversation.notes.is_empty() { MODEL_TRIES } else { 1 };
        let mut answered = self.ask_one(id, conversation, &first, tries).await?;
        // Nobody waits for it, so it may wait for the model.
        for wait in if self.is_scheduled(&id)? && first.1.fallback.is_none() { &UNATTENDED_WAITS[..] } else { &[] } {
            if !matches!(answered, Err(Failed::Model(ModelError::Unreachable(_) | ModelError::Busy { .. }))) {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(*wait) => {}
                () = self.is_stopped(id) => return Ok(()),
            }
            answered = self.ask_one(id, conversation, &first, tries).await?;
        }
        if let Err(Failed::Model(error @ (ModelError::Unreachable(_) | ModelError::Busy { .. }))) = &answered
            && let Some(other) = self.fallback_of(&first.1)?
        {
            event!(WARN, "another model is asked, because the first cannot be reached");
            let note = format!(
                "The model `{}` could not be asked ({error}), so `{}` was asked instead.",
                first.1.name, other.1.name
            );
            if !conversation.notes.iter().any(|known| known.starts_with(&format!("The model `{}`", first.1.name))) {
                conversation.notes.push(note);
            }
            conversation.asked += 1;
            answered = self.ask_one(id, conversation, &other, MODEL_TRIES).await?;
        }
        match answered {
            Ok(answer) => conversation.answered(answer, self.budget_of(&id, first.1.budget_tokens)?),
            // Not an end: the task goes on after `resume`, or ends at the next step where it was stopped.
            Err(Failed::Model(ModelError::Paused)) => {}
            Err(Failed::Model(error)) => conversation.end(Ending::Failed(error.to_string())),
            Err(Failed::TooDear(why)) => conversation.end(Ending::OverLimit(why)),
        }
        Ok(())
    }

    /// Returns the model to be asked instead, where there is one and what it may do with the words is no more than the first
    /// may.
    fn fallback_of(&self, first: &ModelConfig) -> Result<Option<Configured>, GateError> {
        let Some(other) = self.in_force().fallback.clone() else { return Ok(None) };
        let training =
            |base: &str| self.vault.model_training(base).map_err(|error| StoreError::Broken(error.to_string()));
        Ok(match (training(&first.base_url)?, training(&other.1.base_url)?) {
            (Some(of_first), Some(of_other)) if openness(of_other) <= openness(of_first) => Some(other),
            _ => {
                event!(WARN, "the other model is not asked: it may do more with the words than the first");
                None
            }
        })
    }

    /// Asks one model; makes the request anew where it learns what its provider does not take, and asks again where that may help. There
    /// has to be room for what each try may cost. Ends at once where everything is paused, or the task is stopped.
    async fn ask_one(
        self: &Arc<Self>,
        id: TaskId,
        conversation: &mut Conversation,
        (model, config): &Configured,
        tries: u32,
    ) -> Result<Result<Answer, Failed>, GateError> {
        let accounts = self.accounts_of(Some(&id)).map_err(|error| StoreError::Broken(error.to_string()))?;
        // What could not be done is not offered; whoever asks for it all the same is told why.
        let has_computer = self.vault.computer().is_some_and(|computer| computer.lacks().is_none());
        let offered = |tool: &bailey_connectors::ToolDefinition| has_computer || tool.kind.family() != "shell";
        let definitions = bailey_connectors::tools(&accounts).into_iter().filter(offered);
        let tools: Vec<Tool> =
            definitions.map(|t| Tool { name: t.name, description: t.description, parameters: t.parameters }).collect();
        let about = about(&accounts);
        let longest = if self.in_force().fallback.is_some() { LONGEST_WAIT_BESIDE } else { LONGEST_WAIT };
        let (mut patience, mut learnt) = (Patience { tries: 1, most: tries, longest, wait: MODEL_WAIT }, 0);
        // The same for every try, so that the request is too.
        let now = jiff::Timestamp::from_millisecond(self.clock.now().wall_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let situation = Situation { now, zone: self.clock.zone() };
        let mut kept = None;
        loop {
            let ask = conversation.ask_about(&tools, &situation, &about);
            let form = ask.shape.as_ref().map(|shape| shape.name);
            let (tapped, reserved) = match self.with_room(conversation, (&**model, config), ask)? {
                Ok(request) => request,
                Err(why) => return Ok(Err(Failed::TooDear(why))),
            };
            let body = tapped.body.clone();
            // What is asked again is kept once.
            if kept.as_ref() != Some(&body) {
                conversation.asked += u64::from(kept.is_some());
                self.keep_context(id, conversation.asked, tapped, config).await?;
                kept = Some(body.clone());
            }
            let size = body.len();
            let (answered, came) = self.ask_once(id, conversation.asked, &**model, body, form).await;
            let error = match answered {
                Ok(answer) => {
                    self.spend(id, conversation, config, size, &answer, reserved).await?;
                    return Ok(Ok(answer));
                }
                Err(error) => error,
            };
            if let Some(came) = came {
                self.spend_on_part(id, conversation, config, size, came).await?;
            }
            drop(reserved);
            if matches!(error, ModelError::Refused(..)) && model.learn(&error) {
                learnt += 1;
                if learnt >= MAX_LEARNT {
                    let refused = ModelError::Refused(400, "it refuses every form of the request".into());
                    return Ok(Err(Failed::Model(refused)));
                }
                continue;
            }
            let Some(wait) = patience.again_after(&error) else { return Ok(Err(Failed::Model(error))) };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.is_stopped(id) => return Ok(Err(Failed::Model(ModelError::Paused))),
            }
        }
    }

    /// Makes a request for which there is room within what the person allowed, of a shorter answer where that is needed; says why not,
    /// where there is too little.
    fn with_room(
        &self,
        conversation: &Conversation,
        (model, config): (&dyn Model, &ModelConfig),
        mut ask: Ask,
    ) -> Result<Result<(Tapped, Reserved), String>, GateError> {
        ask.max_tokens = model.traits().answer_limit(ask.max_tokens);
        let wanted = ask.max_tokens;
        let tapped = tap(model, ask.clone());
        let reserved = match self.reserve(conversation, config, &tapped.body, wanted)? {
            Ok(reserved) if reserved.tokens < LEAST_ANSWER_TOKENS.min(wanted) => return Ok(Err(reserved.why.clone())),
            Ok(reserved) => reserved,
            Err(why) => return Ok(Err(why)),
        };
        if reserved.tokens == wanted {
            return Ok(Ok((tapped, reserved)));
        }
        ask.max_tokens = reserved.tokens;
        Ok(Ok((tap(model, ask), reserved)))
    }

    /// Asks once; tells how much came of an answer that began, whatever became of it.
    async fn ask_once(
        self: &Arc<Self>,
        id: TaskId,
        request: u64,
        model: &dyn Model,
        body: Vec<u8>,
        form: Option<&'static str>,
    ) -> (Result<Answer, ModelError>, Option<Came>) {
        let (took, begun) = (Stopwatch::start(), Mutex::new(None));
        self.listening.begin(id, request);
        let hear = |heard: Heard<'_>| match heard {
            Heard::Words(words) => self.listening.hear(id, words),
            Heard::Came(came) => *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(came),
        };
        let answered = tokio::select! {
            answered = model.ask(body, form, &hear) => answered,
            () = self.is_stopped(id) => Err(ModelError::Paused),
        };
        asked_model(&answered, took.elapsed());
        (answered, begun.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends once the person has stopped a task, or paused everything.
    async fn is_stopped(&self, id: TaskId) {
        let mut changes = self.changes();
        loop {
            let paused = self.gate.lock().pause_state().mode != bailey_gate::handoff::Mode::Open;
            if paused || self.stopped().contains(&id) {
                return;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Notes what an answer cost.
    async fn spend(
        &self,
        id: TaskId,
        conversation: &mut Conversation,
        config: &ModelConfig,
        size: usize,
        answer: &Answer,
        reserved: Reserved,
    ) -> Result<(), GateError> {
        let cost = crate::spending::cost(config, size, answer);
        conversation.cost_micros = conversation.cost_micros.saturating_add(cost);
        self.note_spending((id, conversation.asked), config, cost, answer.usage, 1).await?;
        drop(reserved);
        Ok(())
    }

    /// Notes what an answer cost that began and did not come whole: its provider charges for it all the same.
    async fn spend_on_part(
        &self,
        id: TaskId,
        conversation: &mut Conversation,
        config: &ModelConfig,
        size: usize,
        came: Came,
    ) -> Result<(), GateError> {
        let (cost, usage) = crate::spending::cost_of_part(config, size, came);
        conversation.cost_micros = conversation.cost_micros.saturating_add(cost);
        conversation.usage += usage;
        self.note_spending((id, conversation.asked), config, cost, usage, 0).await
    }
}

/// How often a model is asked, and how long to wait in between.
struct Patience {
    /// How often it was asked.
    tries: u32,
    /// How often it may be.
    most: u32,
    /// Longest wait that its server may ask for.
    longest: Duration,
    /// How long to wait, unless its server says.
    wait: Duration,
}

impl Patience {
    /// Returns how long to wait before asking again; nothing where that does not help, or was done often enough. Worth it are a
    /// provider that has no room now, and a connection that broke.
    fn again_after(&mut self, error: &ModelError) -> Option<Duration> {
        let wait = match error {
            ModelError::Busy { after: Some(after), .. } if *after <= self.longest => (*after).max(self.wait),
            ModelError::Busy { after: None, .. } | ModelError::Unreachable(_) => self.wait,
            ModelError::Garbled(_) if self.tries < GARBLED_TRIES => self.wait,
            _ => return None,
        };
        if self.tries >= self.most {
            return None;
        }
        self.tries += 1;
        self.wait *= 2;
        Some(wait)
    }
}

/// Why there is no answer.
pub(crate) enum Failed {
    /// The model, or the way to it.
    Model(ModelError),
    /// It could cost more than the person allowed, in words.
    TooDear(String),
}

/// Returns what a model is told of the person.
fn about(accounts: &[bailey_connectors::Account]) -> About {
    let accounts: Vec<_> = accounts.iter().filter(|account| account.settings.kind() != "model").collect();
    let own = |account: &&bailey_connectors::Account| {
        let kind = account.settings.kind();
        let alone = accounts.iter().filter(|other| other.settings.kind() == kind).count() == 1;
        Own {
            kind: kind.into(),
            account: account.name().to_owned(),
            name: account.settings.mail().and_then(|mail| mail.name.clone()),
            level: account.level.name().into(),
            is_default: account.is_default || alone,
        }
    };
    About { accounts: accounts.iter().map(own).collect() }
}
