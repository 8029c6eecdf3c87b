//! The home's HTTP interface, on a socket only its own account can open.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State as Held};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event as SentEvent, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bailey_gate::approval::{Proof, Purpose};
use bailey_gate::content::Content;
use bailey_gate::event::{Actor, Client};
use bailey_gate::family::escape::visible;
use bailey_gate::family::mail::MailAction;
use bailey_gate::family::{Action, Level};
use bailey_gate::ledger::StoreError;
use bailey_gate::{ActionId, ConnectionId, Digest, GateError, Nonce, Preview, Proposal, State, TaskId};
use bailey_ledger::{ActionView, ExportError, Payloads};
use bailey_model::tap::{Label, Redaction, Span};
use bailey_vault::{Credential, NewConnection, Revocation, VaultError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use crate::contexts::Context;
use crate::executor::blocking;
use crate::home::{Home, HomeError, fresh_action};
use crate::tasks::state_name;
use crate::wire::{
    ActionCard, ApproveBody, Challenge, Code, ConnectBody, ConnectionCard, ContextCard, CredentialHint, DeletedCard,
    Edit, EntryCard, Failure, HappenedBody, IdsBody, KeptBack, Line, PauseCard, ProofBody, ProvenBody, RevokeCard,
    SignIn, SpanCard, Status, TaskBody, TaskCard, UsageCard, connect_parameters,
};

/// Largest request body: an edited mail with room to spare.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// Most entries in one page of the log.
const MAX_PAGE: u64 = 500;

type Shared = Held<Arc<Home>>;
type Answer<T> = Result<Json<T>, Failure>;

/// Every route; each asks for the token.
pub(crate) fn router(home: Arc<Home>) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/changes", get(changes))
        .route("/v1/tasks", get(tasks).post(give_task))
        .route("/v1/tasks/{id}", get(task))
        .route("/v1/tasks/{id}/stop", post(stop_task))
        .route("/v1/tasks/{id}/context", get(contexts))
        .route("/v1/tasks/{id}/context/{turn}", get(context))
        .route("/v1/tasks/{id}/context/{turn}/raw", get(raw_context))
        .route("/v1/actions", get(actions))
        .route("/v1/actions/{id}", get(action))
        .route("/v1/actions/{id}/happened", post(happened))
        .route("/v1/approvals", get(approvals))
        .route("/v1/approvals/approve", post(approve))
        .route("/v1/approvals/reject", post(reject))
        .route("/v1/approvals/{id}/edit", post(edit))
        .route("/v1/cancel", post(cancel))
        .route("/v1/challenge", post(challenge))
        .route("/v1/connections", get(connections).post(connect))
        .route("/v1/connections/{id}/revoke", post(revoke))
        .route("/v1/sign-ins", post(begin_sign_in))
        .route("/v1/sign-ins/{id}", get(sign_in))
        .route("/v1/actions/{id}/undo", post(undo))
        .route("/v1/events", get(events))
        .route("/v1/home/delete", post(delete_home))
        .route("/v1/pause", post(pause))
        .route("/v1/resume", post(resume))
        .route("/v1/log", get(log))
        .route("/v1/log/checkpoint", post(checkpoint))
        .route("/v1/log/export", post(export_sealed))
        .route("/v1/log/export-readable", post(export_readable))
        .fallback(|| async { failure(Code::NotFound, "there is nothing at this address") })
        .layer(middleware::from_fn_with_state(Arc::clone(&home), authenticate))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(home)
}

/// The token proposes and observes; it approves nothing.
async fn authenticate(Held(home): Shared, request: Request, next: Next) -> Response {
    let given =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    match given {
        Some(token) if verify_slices_are_equal(token, home.token.as_bytes()).is_ok() => next.run(request).await,
        Some(_) | None => {
            failure(Code::Unauthenticated, "the token is missing or wrong; it is in the home's folder").into_response()
        }
    }
}

fn failure(code: Code, message: impl Into<String>) -> Failure {
    // Some of it may be another side's words.
    Failure { code, message: bailey_gate::family::escape::visible_lines(&message.into()) }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.code {
            Code::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Code::Unauthenticated => StatusCode::UNAUTHORIZED,
            Code::NotAuthorised => StatusCode::FORBIDDEN,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Conflict | Code::Paused => StatusCode::CONFLICT,
            Code::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self)).into_response()
    }
}

impl From<GateError> for Failure {
    fn from(error: GateError) -> Self {
        let code = match &error {
            GateError::Store(StoreError::Full) => Code::DiskFull,
            GateError::Store(StoreError::Broken(_) | StoreError::Codec(_)) => Code::Internal,
            GateError::Paused => Code::Paused,
            GateError::NoSuchAction(_) | GateError::NoSuchConnection(_) => Code::NotFound,
            GateError::WrongState { .. } | GateError::Changed(_) | GateError::Expired(_) => Code::Conflict,
            GateError::NotAuthorised => Code::NotAuthorised,
            GateError::TooMany | GateError::Malformed(_) => Code::Invalid,
        };
        failure(code, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        GateError::from(error).into()
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::Gate(error) => error.into(),
            HomeError::Setup(why) => failure(Code::Invalid, why),
            HomeError::Layout(_) | HomeError::Running(_) => failure(Code::Internal, error.to_string()),
        }
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => error.into(),
            VaultError::Unknown(_) => failure(Code::NotFound, error.to_string()),
            VaultError::Revoked | VaultError::Level { .. } => failure(Code::Conflict, error.to_string()),
            VaultError::Settings(_) => failure(Code::Invalid, error.to_string()),
            VaultError::Refused(_) => failure(Code::Conflict, visible(&error.to_string())),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Write(error) => failure(Code::Internal, error.to_string()),
        }
    }
}

fn parse<T: std::str::FromStr<Err = bailey_gate::BadId>>(what: &str, text: &str) -> Result<T, Failure> {
    let shown: String = text.chars().take(80).collect();
    text.parse().map_err(|error| failure(Code::Invalid, format!("`{}` is no {what}: {error}", visible(&shown))))
}

fn proof(body: &ProofBody) -> Result<Proof, Failure> {
    let signature =
        BASE64.decode(&body.signature).map_err(|_| failure(Code::Invalid, "the signature is not base64"))?;
    let sixteen = |what, text| parse::<Nonce>(what, text).map(|id| *id.as_bytes());
    Ok(Proof {
        nonce: parse("nonce", &body.nonce)?,
        credential: sixteen("credential", &body.credential)?,
        signature,
        client: Client::CommandLine,
        session: sixteen("session", &body.session)?,
    })
}

async fn status(Held(home): Shared) -> Answer<Status> {
    let valve = home.gate.lock().valve();
    let (log_entries, _) = home.ledger.head()?;
    Ok(Json(Status {
        home: home.gate.home().to_string(),
        mode: valve.mode.name().into(),
        epoch: valve.epoch,
        model: home.model.is_some(),
        waiting: home.ledger.actions_in(State::Awaiting)?.len() as u64,
        needs_person: home.ledger.actions_in(State::NeedsPerson)?.len() as u64,
        notices: home.notices(),
        log_entries,
    }))
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: Option<u64>,
}

/// Answers once something has changed since `after`, or after half a minute.
async fn changes(Held(home): Shared, Query(query): Query<After>) -> Answer<u64> {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(25);
    let mut changes = home.changes();
    let seen = *changes.borrow_and_update();
    if query.after.is_none_or(|after| after == seen) && query.after.is_some() {
        let _ = tokio::time::timeout(PATIENCE, changes.changed()).await;
    }
    let now = *changes.borrow();
    Ok(Json(now))
}

/// Tells of every change as it happens: how many there were, and what waits for the person (server-sent events).
async fn events(
    Held(home): Shared,
) -> Sse<impl futures_util::Stream<Item = Result<SentEvent, std::convert::Infallible>>> {
    let changes = home.changes();
    let stream = futures_util::stream::unfold((home, changes, true), |(home, mut changes, first)| async move {
        if !first {
            changes.changed().await.ok()?;
        }
        let count = *changes.borrow_and_update();
        let waiting = home.ledger.actions_in(State::Awaiting).map_or(0, |all| all.len());
        let mode = home.gate.lock().valve().mode.name();
        let told = serde_json::json!({"changes": count, "waiting": waiting, "mode": mode}).to_string();
        Some((Ok(SentEvent::default().event("change").data(told)), (home, changes, false)))
    });
    Sse::new(stream).keep_alive(axum::response::sse::KeepAlive::default())
}

async fn give_task(Held(home): Shared, headers: HeaderMap, Json(body): Json<TaskBody>) -> Answer<TaskCard> {
    let id = match headers.get("idempotency-key") {
        None => TaskId::from_bytes(bailey_keys::random().map_err(|error| failure(Code::Internal, error.to_string()))?),
        Some(key) => {
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes());
            let bytes = hash.as_ref().get(..16).and_then(|bytes| bytes.try_into().ok());
            TaskId::from_bytes(bytes.ok_or_else(|| failure(Code::Internal, "no hash"))?)
        }
    };
    home.give_task(id, body.words).await?;
    Ok(Json(task_card(&home, id)?))
}

async fn tasks(Held(home): Shared) -> Answer<Vec<TaskCard>> {
    let rows = home.ledger.tasks(50)?;
    rows.into_iter().map(|row| task_card(&home, row.id)).collect::<Result<_, _>>().map(Json)
}

async fn task(Held(home): Shared, Path(id): Path<String>) -> Answer<TaskCard> {
    Ok(Json(task_card(&home, parse("task", &id)?)?))
}

async fn stop_task(Held(home): Shared, Path(id): Path<String>) -> Answer<TaskCard> {
    let id = parse("task", &id)?;
    home.stop_task(id).await?;
    Ok(Json(task_card(&home, id)?))
}

/// The model requests that are kept, by their numbers.
async fn contexts(Held(home): Shared, Path(id): Path<String>) -> Answer<Vec<u64>> {
    Ok(Json(home.contexts(&parse("task", &id)?)?))
}

fn one_context(home: &Home, id: &str, n: u64) -> Result<Context, Failure> {
    let found = home.context(&parse("task", id)?, n)?;
    found.ok_or_else(|| failure(Code::NotFound, "there is no such request; list them with `bailey context list TASK`"))
}

/// A model request, span by span, with who wrote each.
async fn context(Held(home): Shared, Path((id, n)): Path<(String, u64)>) -> Answer<ContextCard> {
    let context = one_context(&home, &id, n)?;
    let label = |label: Label| match label {
        Label::Bailey => "bailey",
        Label::Person => "person",
        Label::Model => "model",
        Label::Others => "others",
    };
    let span = |span: Span| SpanCard {
        label: label(span.label).into(),
        source: visible(&span.source),
        text: bailey_gate::family::escape::visible_lines(&span.text),
    };
    let back = |one: Redaction| KeptBack { kind: one.kind, span: one.span, original: visible(&one.original) };
    Ok(Json(ContextCard {
        spans: context.spans.into_iter().map(span).collect(),
        kept_back: context.redactions.into_iter().map(back).collect(),
        body: String::from_utf8_lossy(&context.body).into_owned(),
    }))
}

/// A model request, byte for byte as it was sent.
async fn raw_context(Held(home): Shared, Path((id, n)): Path<(String, u64)>) -> Result<Vec<u8>, Failure> {
    Ok(one_context(&home, &id, n)?.body)
}

fn usage_card(home: &Home, conversation: &bailey_agent::Conversation) -> UsageCard {
    let usage = conversation.usage;
    let prices = home.model.as_ref().map_or((0.0, 0.0), |(_, config)| (config.input_price, config.output_price));
    // Counts far below 2^53, and shown rounded.
    let cost = |tokens: u64, price: f64| f64::from(u32::try_from(tokens).unwrap_or(u32::MAX)) * price / 1e6;
    UsageCard {
        requests: conversation.asked,
        input_tokens: usage.input,
        output_tokens: usage.output,
        cost: cost(usage.input, prices.0) + cost(usage.output, prices.1),
    }
}

fn task_card(home: &Home, id: TaskId) -> Result<TaskCard, Failure> {
    let conversation =
        home.conversation(&id)?.ok_or_else(|| failure(Code::NotFound, format!("there is no task `{id}`")))?;
    let actions = home.ledger.actions_of(&id)?;
    Ok(TaskCard {
        id: id.to_string(),
        state: state_name(&conversation, &actions).into(),
        words: bailey_gate::family::escape::visible_lines(&conversation.task),
        reply: conversation.reply.as_deref().map(bailey_gate::family::escape::visible_lines),
        trouble: match &conversation.ending {
            Some(bailey_agent::Ending::Failed(why)) => Some(visible(why)),
            Some(bailey_agent::Ending::OutOfTurns) => Some("the model took too many turns without an answer".into()),
            Some(bailey_agent::Ending::OutOfBudget) => Some(
                "the model took more tokens than a task may (`budget_tokens` in the configuration); give a smaller task"
                    .into(),
            ),
            Some(bailey_agent::Ending::Answered | bailey_agent::Ending::Stopped) | None => None,
        },
        usage: usage_card(home, &conversation),
        actions: actions.iter().map(|view| action_card(home, view)).collect::<Result<_, _>>()?,
    })
}

/// The preview is made of the stored bytes, every time.
fn action_card(home: &Home, view: &ActionView) -> Result<ActionCard, Failure> {
    let row = &view.row;
    let mut card = ActionCard {
        id: row.id.to_string(),
        digest: row.digest.to_string(),
        kind: row.kind.name().into(),
        state: row.state.name().into(),
        task: row.task.map(|task| task.to_string()),
        headline: "Its content was erased or cannot be read".into(),
        items: Vec::new(),
        body: String::new(),
        warnings: Vec::new(),
        reason: home.reasons_at_decision(&row.id)?,
        claimed_why: home.claimed_why(&row.id)?,
        outcome: home.outcome_words(&row.id)?,
        expires_ms: row.expires.wall_ms(),
        held_until_ms: row.held.map(|held| held.wall_ms()),
    };
    if let Ok(content) = Content::decode(&view.content) {
        let preview = Preview::of(&content);
        card.digest = preview.digest.to_string();
        card.headline = preview.headline;
        card.items =
            preview.items.into_iter().map(|item| Line { label: item.label.into(), value: item.value }).collect();
        card.body = preview.body;
        card.warnings = preview.warnings;
        card.warnings.extend(first_contacts(home, &content)?);
    }
    Ok(card)
}

/// Receivers the person is not known to have written to: what a mail says of its sender proves nothing.
fn first_contacts(home: &Home, content: &Content) -> Result<Vec<String>, Failure> {
    let mut out = Vec::new();
    for address in content.action.receivers() {
        if !home.ledger.is_known_receiver(&address.key())? {
            out.push(format!("As far as Bailey knows, you have never written to `{address}`."));
        }
    }
    Ok(out)
}

async fn actions(Held(home): Shared) -> Answer<Vec<ActionCard>> {
    let views = home.ledger.recent_actions(100)?;
    views.iter().map(|view| action_card(&home, view)).collect::<Result<_, _>>().map(Json)
}

async fn action(Held(home): Shared, Path(id): Path<String>) -> Answer<ActionCard> {
    let id: ActionId = parse("action", &id)?;
    let view = home.ledger.action(&id)?.ok_or(GateError::NoSuchAction(id))?;
    Ok(Json(action_card(&home, &view)?))
}

async fn approvals(Held(home): Shared) -> Answer<Vec<ActionCard>> {
    let views = home.ledger.actions_in(State::Awaiting)?;
    views.iter().map(|view| action_card(&home, view)).collect::<Result<_, _>>().map(Json)
}

async fn challenge(Held(home): Shared) -> Answer<Challenge> {
    let nonce = Nonce::from_bytes(bailey_keys::random().map_err(|error| failure(Code::Internal, error.to_string()))?);
    home.gate.challenge(nonce, home.clock.now());
    let hint = |row: bailey_ledger::CredentialRow| CredentialHint {
        id: Nonce::from_bytes(row.id).to_string(),
        salt: Nonce::from_bytes(row.salt).to_string(),
    };
    let credentials = home.ledger.credentials()?.into_iter().map(hint).collect();
    Ok(Json(Challenge { nonce: nonce.to_string(), home: home.gate.home().to_string(), credentials }))
}

async fn approve(Held(home): Shared, Json(body): Json<ApproveBody>) -> Answer<Vec<String>> {
    let shown =
        body.shown.iter().map(|shown| Ok((parse("action", &shown.id)?, parse::<Digest>("digest", &shown.digest)?)));
    let shown = shown.collect::<Result<Vec<(ActionId, Digest)>, Failure>>()?;
    let (gate, proof, now) = (Arc::clone(&home.gate), proof(&body.proof)?, home.clock.now());
    let permits = blocking(move || gate.approve(shown, &proof, now)).await?;
    let approved = permits.iter().map(|permit| permit.action().to_string()).collect();
    for permit in permits {
        home.run(permit);
    }
    home.changed();
    Ok(Json(approved))
}

async fn reject(Held(home): Shared, Json(body): Json<IdsBody>) -> Answer<()> {
    let ids = body.ids.iter().map(|id| parse("action", id)).collect::<Result<Vec<ActionId>, _>>()?;
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    blocking(move || gate.reject(&ids, now)).await?;
    home.changed();
    Ok(Json(()))
}

async fn cancel(Held(home): Shared, Json(body): Json<IdsBody>) -> Answer<()> {
    let ids = body.ids.iter().map(|id| parse("action", id)).collect::<Result<Vec<ActionId>, _>>()?;
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    blocking(move || gate.cancel(&ids, now)).await?;
    home.changed();
    Ok(Json(()))
}

async fn edit(Held(home): Shared, Path(id): Path<String>, Json(edit): Json<Edit>) -> Answer<ActionCard> {
    let id: ActionId = parse("action", &id)?;
    let view = home.ledger.action(&id)?.ok_or(GateError::NoSuchAction(id))?;
    let content = Content::decode(&view.content).map_err(StoreError::from)?;
    let Action::Mail(MailAction::Send(message)) = &content.action else {
        return Err(failure(Code::Invalid, "only a waiting mail can be edited"));
    };
    let edited = edit.apply(message, &home.surroundings()?).map_err(|bad| failure(Code::Invalid, bad.to_string()))?;
    let proposal = Proposal {
        id: fresh_action()?,
        task: view.row.task,
        account: content.account.map(|(connection, _)| connection),
        precondition: content.precondition,
        action: Action::Mail(MailAction::Send(edited)),
        why: "Changed through the command line, or by another program with the token; look at it anew.".into(),
        actor: Actor::Client,
    };
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    let proposed = blocking(move || gate.edit(&id, proposal, now)).await?;
    let fresh = proposed.id;
    if let Some(permit) = proposed.permit {
        home.run(permit);
    }
    home.changed();
    action(Held(home), Path(fresh.to_string())).await
}

async fn happened(Held(home): Shared, Path(id): Path<String>, Json(body): Json<HappenedBody>) -> Answer<()> {
    let id = parse("action", &id)?;
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    blocking(move || gate.person_says(&id, body.happened, now)).await?;
    home.changed();
    Ok(Json(()))
}

async fn connections(Held(home): Shared) -> Answer<Vec<ConnectionCard>> {
    Ok(Json(home.ledger.connections()?.into_iter().map(|row| connection_card(&home, row)).collect()))
}

fn connection_card(home: &Home, row: bailey_ledger::ConnectionRow) -> ConnectionCard {
    let settings = home.vault.settings(&row.id).ok();
    let weaker = match settings {
        Some(settings) if settings.issuer().is_none() && row.grant.active => {
            "no token: the limits of this connection are kept by Bailey alone, and only the provider's page ends the password"
        }
        Some(_) | None => "",
    };
    ConnectionCard {
        id: row.id.to_string(),
        kind: row.kind,
        account: visible(&row.account),
        level: row.grant.level.name().into(),
        active: row.grant.active,
        weaker: weaker.into(),
    }
}

/// The person's leave for exactly these settings at exactly this level.
fn leave_to_connect(home: &Home, body: &ConnectBody) -> Result<(Level, ConnectionId), Failure> {
    let level = Level::from_name(&body.level)
        .ok_or_else(|| failure(Code::Invalid, "the level is one of read-only, draft, send, full"))?;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &connect_parameters(&body.settings, &body.level));
    let parameters =
        hash.as_ref().try_into().map(Digest::from_bytes).map_err(|_| failure(Code::Internal, "no hash"))?;
    home.gate.authorise(&Purpose::Home { what: "connect", parameters }, &proof(&body.proof)?, home.clock.now())?;
    let id = bailey_keys::random().map_err(|error| failure(Code::Internal, error.to_string()))?;
    Ok((level, ConnectionId::from_bytes(id)))
}

async fn connect(Held(home): Shared, Json(body): Json<ConnectBody>) -> Answer<ConnectionCard> {
    let (level, id) = leave_to_connect(&home, &body)?;
    let credential = match &body.password {
        Some(password) => Credential::AppPassword(password.expose().to_owned()),
        None => Credential::None,
    };
    let new = home.vault.try_out(id, body.settings, level, credential).await?;
    Ok(Json(keep(&home, &new)?))
}

fn keep(home: &Home, new: &NewConnection) -> Result<ConnectionCard, Failure> {
    home.vault.keep(new, home.clock.now())?;
    home.changed();
    let row = home.ledger.connection(&new.id)?.ok_or(GateError::NoSuchConnection(new.id))?;
    Ok(connection_card(home, row))
}

/// How long a browser may take to come back.
const SIGN_IN_WITHIN: std::time::Duration = std::time::Duration::from_secs(600);

async fn begin_sign_in(Held(home): Shared, Json(body): Json<ConnectBody>) -> Answer<SignIn> {
    let (level, id) = leave_to_connect(&home, &body)?;
    let flow = home.vault.begin_sign_in(&body.settings, level).await?;
    let name = Nonce::from_bytes(bailey_keys::random().map_err(|error| failure(Code::Internal, error.to_string()))?)
        .to_string();
    let begun = SignIn { id: name.clone(), url: flow.url.clone(), connection: None, trouble: None };
    sign_ins(&home).insert(name.clone(), begun.clone());
    tokio::spawn(async move {
        let finished =
            tokio::time::timeout(SIGN_IN_WITHIN, home.vault.finish_sign_in(flow, id, body.settings, level)).await;
        let ended = match finished {
            Ok(Ok(new)) => keep(&home, &new).map_err(|failure| failure.message),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("nobody came back from the browser within ten minutes; connect again".into()),
        };
        if let Some(sign_in) = sign_ins(&home).get_mut(&name) {
            match ended {
                Ok(card) => sign_in.connection = Some(card),
                Err(why) => sign_in.trouble = Some(visible(&why)),
            }
        }
        home.changed();
    });
    Ok(Json(begun))
}

fn sign_ins(home: &Home) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<String, SignIn>> {
    home.sign_ins.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn sign_in(Held(home): Shared, Path(id): Path<String>) -> Answer<SignIn> {
    let found = sign_ins(&home).get(&id).cloned();
    found.map(Json).ok_or_else(|| failure(Code::NotFound, "there is no such sign-in; connect again"))
}

/// How long whoever revokes waits for the provider; Bailey itself goes on.
const TELL_WITHIN: std::time::Duration = std::time::Duration::from_secs(15);

/// Needs no proof: taking power away harms nobody.
async fn revoke(Held(home): Shared, Path(id): Path<String>) -> Answer<RevokeCard> {
    let id: ConnectionId = parse("connection", &id)?;
    let (vault, gate, now) = (Arc::clone(&home.vault), Arc::clone(&home.gate), home.clock.now());
    let fresh = tokio::task::spawn_blocking(move || vault.revoke(&id, now)).await;
    let fresh = fresh.map_err(|error| failure(Code::Internal, error.to_string()))??;
    blocking(move || gate.deny_for(&id, now)).await?;
    home.changed();
    // In a task of its own: whoever asked may leave before the provider has answered.
    let vault = Arc::clone(&home.vault);
    let telling = tokio::spawn(async move { vault.tell_provider(&id).await });
    let revocation = match tokio::time::timeout(TELL_WITHIN, telling).await {
        _ if !fresh => Revocation::Before,
        Ok(Ok(told)) => told?,
        Ok(Err(error)) => Revocation::Unconfirmed(error.to_string()),
        Err(_) => Revocation::Unconfirmed("it has not answered yet".into()),
    };
    let (name, message) = match revocation {
        Revocation::Confirmed => ("confirmed", "The provider confirmed that its tokens are over.".to_owned()),
        Revocation::Unconfirmed(why) => (
            "unconfirmed",
            format!(
                "The provider has not confirmed ({}). Bailey keeps telling it; remove Bailey on its page too.",
                visible(&why)
            ),
        ),
        Revocation::ByHand => {
            ("by-hand", "The app password itself can only be ended on the provider's page; do that too.".to_owned())
        }
        Revocation::Nothing => ("nothing", "There was no credential.".to_owned()),
        Revocation::Before => ("before", "It was revoked before.".to_owned()),
    };
    Ok(Json(RevokeCard { at_provider: name.into(), message }))
}

/// Undoes what has happened, by an action of its own that the person authorises here.
async fn undo(Held(home): Shared, Path(id): Path<String>, Json(body): Json<ProvenBody>) -> Answer<ActionCard> {
    let id: ActionId = parse("action", &id)?;
    let view = home.ledger.action(&id)?.ok_or(GateError::NoSuchAction(id))?;
    if !view.row.state.may_become(State::Undoing) {
        return Err(GateError::WrongState { id, state: view.row.state }.into());
    }
    let content = Content::decode(&view.content).map_err(StoreError::from)?;
    let prepared =
        bailey_connectors::prepare_undo(&content, &home.outcome_words(&id)?.unwrap_or_default(), &home.vault).await;
    let (account, action_back) = prepared.map_err(|bad| failure(Code::Conflict, visible(&bad.to_string())))?;
    let proposal = Proposal {
        id: fresh_action()?,
        task: view.row.task,
        account,
        precondition: Vec::new(),
        action: action_back,
        why: "undo".into(),
        actor: Actor::Person,
    };
    let (gate, proof, now) = (Arc::clone(&home.gate), proof(&body.proof)?, home.clock.now());
    let proposed = blocking(move || gate.undo(&id, proposal, &proof, now)).await?;
    let fresh = proposed.id;
    if let Some(permit) = proposed.permit {
        home.run(permit);
    }
    home.changed();
    action(Held(home), Path(fresh.to_string())).await
}

/// Ends everything: pauses, revokes every connection, and hands the rest to the supervisor, which destroys the keys and
/// then the files.
async fn delete_home(Held(home): Shared, Json(body): Json<ProvenBody>) -> Answer<DeletedCard> {
    let purpose = Purpose::Home { what: "delete home", parameters: Digest::from_bytes([0; 32]) };
    home.gate.authorise(&purpose, &proof(&body.proof)?, home.clock.now())?;
    let (gate, vault, now) = (Arc::clone(&home.gate), Arc::clone(&home.vault), home.clock.now());
    let paused = blocking(move || Ok(gate.pause(Actor::Person, now, || vault.reset()))).await?;
    let standing: Vec<_> = home.ledger.connections()?.into_iter().filter(|row| row.grant.active).collect();
    // The valve is shut either way; a record that could not be written only matters if the home lived on.
    let mut left: Vec<String> = paused.recorded.err().into_iter().collect();
    let until = tokio::time::Instant::now() + TELL_WITHIN;
    for row in standing {
        let (vault, now, id) = (Arc::clone(&home.vault), home.clock.now(), row.id);
        let revoked = tokio::task::spawn_blocking(move || vault.revoke(&id, now)).await;
        let trouble = match revoked.map_err(|error| error.to_string()).and_then(|done| done.map_err(|e| e.to_string()))
        {
            Err(why) => Some(why),
            Ok(_) => match tokio::time::timeout_at(until, home.vault.tell_provider(&id)).await {
                Ok(Ok(Revocation::Confirmed | Revocation::Nothing | Revocation::Before)) => None,
                Ok(Ok(Revocation::ByHand)) => Some("its password can only be ended on the provider's page".into()),
                Ok(Ok(Revocation::Unconfirmed(why))) => Some(why),
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("the provider did not answer in time".into()),
            },
        };
        left.extend(trouble.map(|why| visible(&format!("{} {}: {why}", row.kind, row.account))));
    }
    let _ = home.deleted.send_replace(true);
    Ok(Json(DeletedCard { end_by_hand: left }))
}

/// Needs no proof either.
async fn pause(Held(home): Shared) -> Answer<PauseCard> {
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    let vault = Arc::clone(&home.vault);
    // Connections are cut the moment the valve is shut, before anything is written down.
    let report = blocking(move || Ok(gate.pause(Actor::Client, now, || vault.reset()))).await?;
    home.changed();
    let trouble = [report.recorded.err(), report.logged.err().map(|error| error.to_string())];
    Ok(Json(PauseCard {
        epoch: report.valve.epoch,
        trouble: trouble.into_iter().flatten().collect(),
        in_flight: report.in_flight.iter().map(ToString::to_string).collect(),
    }))
}

async fn resume(Held(home): Shared, Json(body): Json<ProvenBody>) -> Answer<Vec<String>> {
    let (gate, proof, now) = (Arc::clone(&home.gate), proof(&body.proof)?, home.clock.now());
    let valve = blocking(move || gate.begin_resume(&proof, now)).await?;
    if valve.mode == bailey_gate::handoff::Mode::Open {
        return Ok(Json(Vec::new()));
    }
    home.reconcile().await?;
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    let swept = blocking(move || gate.finish_resume(valve.epoch, now)).await?;
    home.notices.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    home.changed();
    Ok(Json(swept.asked_again.iter().map(ToString::to_string).collect()))
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    from: u64,
    #[serde(default)]
    limit: Option<u64>,
}

async fn log(Held(home): Shared, Query(page): Query<Page>) -> Answer<Vec<EntryCard>> {
    let entries = home.ledger.entries(page.from, page.limit.unwrap_or(100).min(MAX_PAGE))?;
    let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let cards = entries.into_iter().map(|entry| EntryCard {
        seq: entry.seq,
        header: json(&entry.header),
        payload: entry.payload.as_deref().map(json),
    });
    Ok(Json(cards.collect()))
}

async fn checkpoint(Held(home): Shared) -> Result<String, Failure> {
    let ledger = Arc::clone(&home.ledger);
    blocking(move || Ok(ledger.checkpoint()?)).await?;
    let (_, note) = home.ledger.head()?;
    note.ok_or_else(|| failure(Code::Internal, "the log has no checkpoint"))
}

async fn export_sealed(Held(home): Shared) -> Result<Vec<u8>, Failure> {
    run_export(home, Payloads::Sealed).await
}

/// In plain words, so it needs the person.
async fn export_readable(Held(home): Shared, Json(body): Json<ProvenBody>) -> Result<Vec<u8>, Failure> {
    let purpose = Purpose::Home { what: "export readable log", parameters: Digest::from_bytes([0; 32]) };
    home.gate.authorise(&purpose, &proof(&body.proof)?, home.clock.now())?;
    run_export(home, Payloads::Readable).await
}

async fn run_export(home: Arc<Home>, payloads: Payloads) -> Result<Vec<u8>, Failure> {
    let joined = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        bailey_ledger::export(&home.ledger, payloads, &mut out).map(|_| out)
    });
    Ok(joined.await.map_err(|error| failure(Code::Internal, error.to_string()))??)
}
