//! The home's HTTP interface, on a socket only its own account can open.

mod actions;
mod connections;
mod house;
mod log;
mod rules;
mod tasks;

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request, State as AppState};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event as SentEvent, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bailey_gate::approval::{Assertion, Authorised, MAX_ASSERTION_BYTES, Proof, Purpose};
use bailey_gate::content::Content;
use bailey_gate::event::{Actor, Client};
use bailey_gate::family::escape::visible;
use bailey_gate::family::mail::MailAction;
use bailey_gate::family::{Action, Level};
use bailey_gate::ledger::StoreError;
use bailey_gate::{ActionId, ConnectionId, Digest, GateError, Nonce, Preview, Proposal, Proposed, State, TaskId};
use bailey_ledger::{ActionRecord, ExportError, Payloads};
use bailey_model::tap::{Label, Redaction, Span};
use bailey_vault::{Credential, NewConnection, Revocation, VaultError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Info, OpenApi, Paths};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::contexts::Context;
use crate::executor::blocking;
use crate::home::{Home, HomeError, fresh_action};
use crate::layout::token_of;
use crate::metrics;
use crate::purposes;
use crate::tasks::state_name;
use crate::wire::{
    ActionView, ApproveBody, AssertionBody, Challenge, Code, ConnectBody, ConnectionView, ContextView, CredentialHint,
    CredentialKind, DeletedView, Edit, EntryView, Failure, HappenedBody, IdsBody, KeptBack, Line, PauseView, ProofBody,
    ProvenBody, ResumeBody, RevokeView, SignIn, SpanView, Status, TaskBody, TaskView, UsageView,
};

/// Largest request body: an edited mail with room to spare.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// How long a request's body may take: it comes from this machine.
const BODY_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);
/// Bytes read of a request without the token, and how long for.
const MAX_STRANGERS_BYTES: usize = 64 * 1024;
const STRANGERS_WITHIN: std::time::Duration = std::time::Duration::from_secs(1);

type Shared = AppState<Arc<Home>>;

type Answer<T> = Result<Json<T>, Failure>;

/// Every route, and the document that describes them: one is made from the other, so neither has what the other lacks.
fn routes() -> (Router<Arc<Home>>, OpenApi) {
    OpenApiRouter::with_openapi(about())
        .routes(routes!(tasks::give_task, tasks::tasks))
        .routes(routes!(tasks::task))
        .routes(routes!(tasks::go_on))
        .routes(routes!(tasks::stop_task))
        .routes(routes!(tasks::contexts))
        .routes(routes!(tasks::context))
        .routes(routes!(tasks::raw_context))
        .routes(routes!(actions::actions))
        .routes(routes!(actions::action))
        .routes(routes!(actions::happened))
        .routes(routes!(actions::undo))
        .routes(routes!(actions::approvals))
        .routes(routes!(actions::approve))
        .routes(routes!(actions::reject))
        .routes(routes!(actions::edit))
        .routes(routes!(actions::cancel))
        .routes(routes!(actions::challenge))
        .routes(routes!(connections::connections, connections::connect))
        .routes(routes!(connections::revoke))
        .routes(routes!(connections::make_default))
        .routes(routes!(connections::begin_sign_in))
        .routes(routes!(connections::sign_in))
        .routes(routes!(rules::rules, rules::change_rules))
        .routes(routes!(rules::lock_down))
        .routes(routes!(rules::try_rules))
        .routes(routes!(rules::suggestions))
        .routes(routes!(rules::dismiss_suggestion))
        .routes(routes!(rules::rule_history))
        .routes(routes!(rules::why))
        .routes(routes!(house::status))
        .routes(routes!(house::changes))
        .routes(routes!(house::events))
        .routes(routes!(house::delete_home))
        .routes(routes!(house::pause))
        .routes(routes!(house::resume))
        .routes(routes!(log::log))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::export_sealed))
        .routes(routes!(log::export_readable))
        .split_for_parts()
}

fn about() -> OpenApi {
    let mut info = Info::new("Bailey", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "The interface of one home. Every request carries the home's token as `Authorization: Bearer`; the token \
         proposes and observes. What needs the person carries a proof made with the approval passphrase besides."
            .into(),
    );
    let mut api = OpenApi::new(info, Paths::new());
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    api.components.get_or_insert_default().add_security_scheme("token", token);
    api.security = Some(vec![SecurityRequirement::new::<_, _, String>("token", [])]);
    api
}

/// The interface; each request has to show the token.
pub(crate) fn router(home: Arc<Home>) -> Router {
    let (router, api) = routes();
    metrics::know_routes(api.paths.paths.keys().cloned());
    router
        .route("/v1/openapi.json", get(|| async move { Json(api) }))
        .fallback(|| async { failure(Code::NotFound, "there is nothing at this address") })
        .method_not_allowed_fallback(|| async {
            // Those it takes are said in `Allow` (RFC 9110, 15.5.6).
            let said = failure(Code::NotFound, "this address does not take that method; `Allow` says which it takes");
            (StatusCode::METHOD_NOT_ALLOWED, Json(said))
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&home), authenticate))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(metrics::measure))
        .with_state(home)
}

/// Requests that read the store at once: as many as it lends connections. Others wait their turn, and hold no thread meanwhile.
const READING: usize = 4;
static READS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(READING);

/// Reads the store beside the threads that answer: whatever a list costs, a pause is heard.
async fn reading<T: Send + 'static>(
    home: &Arc<Home>,
    read: impl FnOnce(&Home) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let turn = READS.acquire().await.map_err(|error| failure(Code::Internal, error.to_string()))?;
    let home = Arc::clone(home);
    let done = tokio::task::spawn_blocking(move || {
        // Kept to the end, even where whoever asked has gone.
        let _turn = turn;
        read(&home)
    });
    done.await.map_err(|error| failure(Code::Internal, error.to_string()))?
}

/// Makes sure that the person gave their leave to exactly this. What it gives is the evidence, for the entry of what is done.
async fn authorise(
    home: &Arc<Home>,
    purpose: Purpose,
    given: &ProofBody,
    caller: Caller,
) -> Result<Authorised, Failure> {
    let (gate, proof, now) = (Arc::clone(&home.gate), proof(given, caller)?, home.clock.now());
    Ok(blocking(move || gate.authorise(&purpose, &proof, now)).await?)
}

/// A part of a list.
#[derive(Deserialize)]
struct Part {
    /// How many to leave out, from the newest.
    #[serde(default)]
    skip: u32,
    /// How many at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// Entries of a list that are given if nobody says, and at most.
const USUAL_PART: u32 = 50;
const MAX_PART: u32 = 200;

impl Part {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(USUAL_PART).min(MAX_PART)
    }
}

/// A request's body. What cannot be read is told as every other error is.
struct JsonBody<T>(T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(failure(Code::Invalid, rejection.body_text())),
        }
    }
}

/// Which kind of client a request came from, as its token told.
#[derive(Debug, Clone, Copy)]
struct Caller(Client);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get().copied().ok_or_else(|| failure(Code::Unauthenticated, "nobody said who asks"))
    }
}

/// The kind of client whose token this is.
fn caller(home: &Home, given: &[u8]) -> Option<Caller> {
    let is_of = |client: &Client| {
        let token = token_of(*client, &home.token);
        token.is_some_and(|token| verify_slices_are_equal(given, token.as_bytes()).is_ok())
    };
    Client::ALL.into_iter().find(is_of).map(Caller)
}

/// The token proposes and observes; it approves nothing.
async fn authenticate(AppState(home): Shared, request: Request, next: Next) -> Response {
    let given =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let known = given.and_then(|token| caller(&home, token));
    // Read before anything is answered: whoever still writes when the connection ends may not hear the answer.
    let (mut head, body) = request.into_parts();
    let Some(caller) = known else {
        let _ = tokio::time::timeout(STRANGERS_WITHIN, axum::body::to_bytes(body, MAX_STRANGERS_BYTES)).await;
        let why = "the token is missing or wrong; it is in the home's folder";
        return failure(Code::Unauthenticated, why).into_response();
    };
    head.extensions.insert(caller);
    let body = tokio::time::timeout(BODY_WITHIN, axum::body::to_bytes(body, MAX_BODY_BYTES)).await;
    let Ok(Ok(body)) = body else {
        let why = format!(
            "the request's body broke off, took more than {} s, or is longer than {} MiB",
            BODY_WITHIN.as_secs(),
            MAX_BODY_BYTES / 1_024 / 1_024
        );
        return failure(Code::Invalid, why).into_response();
    };
    home.presence.hear();
    told_as_failure(next.run(Request::from_parts(head, body.into())).await).await
}

/// Does what meets others' words beside the threads that answer the person.
async fn spawn_detached<T: Send + 'static>(
    home: &Home,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failure> {
    home.spawn_detached(work).await.map_err(|error| failure(Code::Internal, error.to_string()))
}

/// Sixteen random bytes, for a name nobody can guess.
fn drawn() -> Result<[u8; 16], Failure> {
    bailey_keys::random().map_err(|error| failure(Code::Internal, error.to_string()))
}

/// What the framework refuses by itself, in plain text, is told as every other error is.
async fn told_as_failure(response: Response) -> Response {
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(response.status().is_client_error() && plain) {
        return response;
    }
    let words = axum::body::to_bytes(response.into_body(), MAX_BODY_BYTES).await.unwrap_or_default();
    failure(Code::Invalid, String::from_utf8_lossy(&words).into_owned()).into_response()
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
            GateError::Paused | GateError::PausedAnew => Code::Paused,
            GateError::NoSuchAction(_) | GateError::NoSuchConnection(_) => Code::NotFound,
            GateError::WrongState { .. } | GateError::Changed(_) | GateError::Expired(_) => Code::Conflict,
            GateError::NotAuthorised | GateError::NoPasskey | GateError::Guessing => Code::NotAuthorised,
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

/// Bytes of an assertion, from base64.
fn assertion_part(what: &str, text: &str) -> Result<Vec<u8>, Failure> {
    let bytes = BASE64.decode(text).map_err(|_| failure(Code::Invalid, format!("the {what} is not base64")))?;
    if bytes.len() > MAX_ASSERTION_BYTES {
        let why = format!("the {what} is longer than {MAX_ASSERTION_BYTES} bytes; send what the credential gave");
        return Err(failure(Code::Invalid, why));
    }
    Ok(bytes)
}

fn assertion(body: &AssertionBody) -> Result<Assertion, Failure> {
    Ok(match body {
        AssertionBody::PassphraseKey { signature } => {
            Assertion::PassphraseKey { signature: assertion_part("signature", signature)? }
        }
        AssertionBody::Passkey { credential_id, authenticator_data, client_data, signature } => Assertion::Passkey {
            credential_id: assertion_part("credential id", credential_id)?,
            authenticator_data: assertion_part("authenticator data", authenticator_data)?,
            client_data: assertion_part("client data", client_data)?,
            signature: assertion_part("signature", signature)?,
        },
    })
}

fn proof(body: &ProofBody, Caller(client): Caller) -> Result<Proof, Failure> {
    let sixteen = |what, text| parse::<Nonce>(what, text).map(|id| *id.as_bytes());
    Ok(Proof {
        challenge: parse("challenge", &body.challenge)?,
        credential: sixteen("credential", &body.credential)?,
        assertion: assertion(&body.assertion)?,
        client,
        session: sixteen("session", &body.session)?,
    })
}
