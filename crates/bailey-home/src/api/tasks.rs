//! Tasks, and what their model requests held.

use std::collections::BTreeMap;

use super::actions::action_view;
use bailey_gate::event::Origin;
use bailey_interface::LedToView;
use bailey_model::tap::Label;

use super::*;
use crate::search::label_name;

pub(super) async fn give_task(
    AppState(home): Shared,
    headers: HeaderMap,
    JsonBody(body): JsonBody<TaskBody>,
) -> Answer<TaskView> {
    let origin = origin(body.origin.as_deref())?;
    let id = match headers.get("idempotency-key") {
        None => TaskId::from_bytes(drawn()?),
        Some(key) => {
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes());
            let bytes = hash.as_ref().get(..16).and_then(|bytes| bytes.try_into().ok());
            TaskId::from_bytes(bytes.ok_or_else(|| failure(Code::Internal, "no hash"))?)
        }
    };
    home.give_task(id, body.words, origin).await?;
    view_of(&home, id).await
}

/// Follows a task: its words as they come, and how it stands whenever that changes, until it comes to rest.
pub(super) async fn task_events(
    AppState(home): Shared,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Sse<impl futures_util::Stream<Item = Result<SentEvent, std::convert::Infallible>>>, Failure> {
    let id = parse("task", &id)?;
    // One that is not there is said at once.
    reading(&home, move |home| task_view(home, id)).await?;
    let (changes, heard) = (home.changes(), home.listening.heard());
    let following =
        Following { home, id, caller, changes, heard, of: None, at: 0, told: String::new(), look: true, over: false };
    let stream = futures_util::stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    });
    Ok(Sse::new(stream).keep_alive(axum::response::sse::KeepAlive::default()))
}

/// Where somebody stands who follows a task.
struct Following {
    home: Arc<Home>,
    id: TaskId,
    caller: Caller,
    changes: tokio::sync::watch::Receiver<u64>,
    heard: tokio::sync::watch::Receiver<u64>,
    /// The answer whose words are told, and how many bytes of it were.
    of: Option<(u64, u32)>,
    at: usize,
    /// How the task stood when it was told.
    told: String,
    look: bool,
    over: bool,
}

impl Following {
    /// Returns the next event; nothing once there is none to come, or it cannot be told.
    async fn next(&mut self) -> Option<SentEvent> {
        loop {
            if self.over || self.home.ended.borrow().is_some() || !self.home.still_counts(self.caller) {
                return None;
            }
            if let Some(live) = self.home.listening.since(&self.id, self.of, self.at) {
                self.at = if self.of == Some(live.of) { self.at } else { 0 } + live.text.len();
                self.of = Some(live.of);
                if !live.text.is_empty() {
                    let text = bailey_gate::family::escape::visible_lines(&live.text);
                    let words = WordsView { request: live.of.0, attempt: live.of.1, text };
                    return Some(SentEvent::default().event("words").data(serde_json::to_string(&words).ok()?));
                }
            }
            if std::mem::take(&mut self.look) {
                let id = self.id;
                let view = reading(&self.home, move |home| task_view(home, id)).await.ok()?;
                self.over = view.summary.state != "running";
                let json = serde_json::to_string(&view).ok()?;
                if json != self.told {
                    self.told.clone_from(&json);
                    return Some(SentEvent::default().event("task").data(json));
                }
                continue;
            }
            tokio::select! {
                changed = self.changes.changed() => { changed.ok()?; self.look = true; }
                heard = self.heard.changed() => heard.ok()?,
            }
        }
    }
}

/// Reads who begins a task over the interface.
fn origin(name: Option<&str>) -> Result<Origin, Failure> {
    match name.map(Origin::from_name) {
        None | Some(Some(Origin::Person)) => Ok(Origin::Person),
        Some(Some(Origin::Agent)) => Ok(Origin::Agent),
        Some(Some(Origin::Schedule | Origin::Trigger)) => Err(failure(
            Code::Invalid,
            "schedules and triggers begin their tasks themselves; the origin is person or agent",
        )),
        Some(None) => Err(failure(Code::Invalid, "the origin is person or agent")),
    }
}

pub(super) async fn go_on(
    AppState(home): Shared,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<TaskBody>,
) -> Answer<TaskView> {
    let id = parse("task", &id)?;
    if body.origin.is_some() {
        let why = "who began a task is said when it begins; leave `origin` out when saying more";
        return Err(failure(Code::Invalid, why));
    }
    home.go_on(id, body.words).await?;
    view_of(&home, id).await
}

pub(super) async fn tasks(AppState(home): Shared, Query(part): Query<Part>) -> Answer<Vec<TaskSummary>> {
    let read = move |home: &Home| {
        let rows = home.ledger.tasks(part.skip, part.limit())?;
        rows.into_iter().map(|row| listed(home, row)).collect::<Result<_, _>>()
    };
    reading(&home, read).await.map(Json)
}

pub(super) async fn task(AppState(home): Shared, Path(id): Path<String>) -> Answer<TaskView> {
    view_of(&home, parse("task", &id)?).await
}

pub(super) async fn stop_task(AppState(home): Shared, Path(id): Path<String>) -> Answer<TaskView> {
    let id = parse("task", &id)?;
    home.stop_task(id).await?;
    view_of(&home, id).await
}

pub(super) async fn contexts(AppState(home): Shared, Path(id): Path<String>) -> Answer<Vec<u64>> {
    let id: TaskId = parse("task", &id)?;
    let read = move |home: &Home| {
        home.conversation(&id)?.ok_or_else(|| failure(Code::NotFound, format!("there is no task `{id}`")))?;
        Ok(home.contexts(&id)?)
    };
    reading(&home, read).await.map(Json)
}

fn one_context(home: &Home, id: &str, n: u64) -> Result<Context, Failure> {
    // Beyond what the store counts to, there is none for certain.
    let known = i64::try_from(n).is_ok();
    let found = if known { home.context(&parse("task", id)?, n)? } else { None };
    found.ok_or_else(|| failure(Code::NotFound, "there is no such request; list them with `bailey context list TASK`"))
}

pub(super) async fn context(AppState(home): Shared, Path((id, n)): Path<(String, u64)>) -> Answer<ContextView> {
    let read = move |home: &Home| {
        let context = one_context(home, &id, n)?;
        let task = parse("task", &id)?;
        let behind = came_of(home, &task, &context.spans)?;
        Ok((context, home.taken_by(&task, n)?, led_to(home, &task, n)?, behind))
    };
    let (context, taken, led_to, behind) = reading(&home, read).await?;
    let span = |(span, behind): (Span, Option<(ActionId, bool)>)| SpanView {
        label: label_name(span.label).into(),
        source: visible(&span.source),
        text: bailey_gate::family::escape::visible_lines(&span.text),
        action: behind.map(|(id, _)| id.to_string()),
        received: behind.is_some_and(|(_, received)| received),
    };
    let back = |one: Redaction| KeptBack { kind: one.kind, span: one.span, hint: visible(&one.hint) };
    Ok(Json(ContextView {
        spans: context.spans.into_iter().zip(behind).map(span).collect(),
        kept_back: context.redactions.into_iter().map(back).collect(),
        body: String::from_utf8_lossy(&context.body).into_owned(),
        usage: taken.map(|taken| UsageView {
            requests: 1,
            input_tokens: taken.input,
            output_tokens: taken.output,
            cost: crate::spending::amount(taken.micros),
        }),
        led_to,
    }))
}

/// Bytes at the beginning of a piece by which it is known again where secrets were taken out of it further on.
const ALIKE_BYTES: usize = 80;

/// Returns for each piece of a request which action's result it is, for others' words, and whether that is about a received mail.
fn came_of(home: &Home, task: &TaskId, spans: &[Span]) -> Result<Vec<Option<(ActionId, bool)>>, Failure> {
    let turns = home.conversation(task)?.map(|conversation| conversation.turns).unwrap_or_default();
    let calls: Vec<_> = turns.iter().flat_map(|turn| &turn.calls).collect();
    let of = |span: &Span| {
        if span.label != Label::Others {
            return None;
        }
        let of_tool = || calls.iter().filter(|call| call.wanted.name == span.source && call.action.is_some());
        let begins_alike = |result: &str| {
            let same = result.bytes().zip(span.text.bytes()).take_while(|(one, other)| one == other).count();
            same >= ALIKE_BYTES
        };
        let same = of_tool().find(|call| call.result.as_deref() == Some(span.text.as_str())).or_else(|| {
            let mut alike = of_tool().filter(|call| call.result.as_deref().is_some_and(begins_alike));
            alike.next().filter(|_| alike.next().is_none())
        })?;
        let id: ActionId = same.action.as_deref()?.parse().ok()?;
        let content = home.ledger.action(&id).ok()?.and_then(|record| Content::decode(&record.content).ok());
        Some((id, content.is_some_and(|content| carried::source_of(&content).is_some())))
    };
    Ok(spans.iter().map(of).collect())
}

/// Returns the actions that a request of a task led to.
fn led_to(home: &Home, task: &TaskId, n: u64) -> Result<Vec<LedToView>, Failure> {
    let (mut all, places) = (Vec::new(), home.request_places(task)?);
    for record in home.ledger.actions_of(task)? {
        if home.behind(&record.row, &places)? == Some(n) {
            let headline = Content::decode(&record.content).map(|content| Preview::of(&content).headline);
            let headline = headline.unwrap_or_else(|_| "Its content was erased or cannot be read".into());
            let (id, state) = (record.row.id.to_string(), record.row.state.name().into());
            all.push(LedToView { id, headline, state });
        }
    }
    Ok(all)
}

pub(super) async fn raw_context(
    AppState(home): Shared,
    Path((id, n)): Path<(String, u64)>,
) -> Result<Vec<u8>, Failure> {
    Ok(reading(&home, move |home| one_context(home, &id, n)).await?.body)
}

fn usage_view(home: &Home, conversation: &bailey_agent::Conversation) -> UsageView {
    let usage = conversation.usage;
    let prices = home.model().as_ref().map_or((0.0, 0.0), |(_, config)| (config.input_price, config.output_price));
    // Counts far below 2^53, and shown rounded.
    let cost = |tokens: u64, price: f64| f64::from(u32::try_from(tokens).unwrap_or(u32::MAX)) * price / 1e6;
    UsageView {
        requests: conversation.asked,
        input_tokens: usage.input,
        output_tokens: usage.output,
        cost: match conversation.cost_micros {
            // Of a task from before costs were kept.
            0 => cost(usage.input, prices.0) + cost(usage.output, prices.1),
            micros => crate::spending::amount(micros),
        },
    }
}

/// Returns a task in a list: one that cannot be read any more does not keep the others from being listed.
pub(super) fn listed(home: &Home, row: bailey_ledger::TaskRow) -> Result<TaskSummary, Failure> {
    let states = home.ledger.states_of(&row.id)?;
    if let Some(conversation) = home.last_turn(&row.id)? {
        return Ok(summary(home, row.id, row.origin.name(), &conversation, &states));
    }
    Ok(TaskSummary {
        id: row.id.to_string(),
        // As it was called when it was written.
        state: if row.state == "gave-up" { "limit-reached".into() } else { row.state },
        words: "(Its record was erased or cannot be read.)".into(),
        origin: row.origin.name().into(),
        reply: None,
        trouble: None,
        notes: Vec::new(),
        usage: UsageView::default(),
        action_states: counted(&states),
    })
}

/// Counts actions by their states.
fn counted(states: &[State]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for state in states {
        *counts.entry(state.name().to_owned()).or_default() += 1;
    }
    counts
}

pub(super) async fn view_of(home: &Arc<Home>, id: TaskId) -> Answer<TaskView> {
    reading(home, move |home| task_view(home, id)).await.map(Json)
}

fn task_view(home: &Home, id: TaskId) -> Result<TaskView, Failure> {
    let conversation =
        home.conversation(&id)?.ok_or_else(|| failure(Code::NotFound, format!("there is no task `{id}`")))?;
    view_with(home, id, &conversation)
}

fn view_with(home: &Home, id: TaskId, conversation: &bailey_agent::Conversation) -> Result<TaskView, Failure> {
    let actions = home.ledger.actions_of(&id)?;
    let states: Vec<State> = actions.iter().map(|record| record.row.state).collect();
    let origin = home.ledger.origin(&id)?.map_or("", Origin::name);
    Ok(TaskView {
        summary: summary(home, id, origin, conversation, &states),
        actions: actions.iter().map(|record| action_view(home, record)).collect::<Result<_, _>>()?,
    })
}

fn summary(
    home: &Home,
    id: TaskId,
    origin: &str,
    conversation: &bailey_agent::Conversation,
    states: &[State],
) -> TaskSummary {
    TaskSummary {
        id: id.to_string(),
        state: state_name(conversation, states).into(),
        words: bailey_gate::family::escape::visible_lines(&conversation.words()),
        origin: origin.into(),
        reply: conversation.reply.as_deref().map(bailey_gate::family::escape::visible_lines),
        trouble: match &conversation.ending {
            Some(bailey_agent::Ending::Failed(why)) => Some(visible(why)),
            Some(bailey_agent::Ending::OverLimit(why)) => Some(visible(why)),
            Some(bailey_agent::Ending::OutOfTurns) => Some("the model took too many turns without an answer".into()),
            Some(bailey_agent::Ending::OutOfBudget) => Some(
                "the model took more tokens than a task may (`budget_tokens` in the configuration); give a smaller task"
                    .into(),
            ),
            Some(bailey_agent::Ending::Answered | bailey_agent::Ending::Stopped) | None => None,
        },
        notes: conversation.notes.iter().map(|note| visible(note)).collect(),
        usage: usage_view(home, conversation),
        action_states: counted(states),
    }
}
