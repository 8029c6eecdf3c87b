//! The home's HTTP interface, on a socket only its own account can open.

mod access;
mod actions;
mod body;
mod browsers;
mod carried;
mod computer;
mod config;
mod connecting;
pub(crate) mod connections;
mod daily_pages;
mod document;
mod file_pages;
mod files;
mod house;
mod log;
mod models;
mod notifications;
pub(crate) mod pages;
pub(crate) mod places;
mod rules;
mod schedule_pages;
mod schedules;
mod search;
pub mod table;
mod tasks;
pub(crate) mod under_way;
pub(crate) mod undoing;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Form, FromRequestParts, Path, Query, Request, State as AppState};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event as SentEvent, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use bailey_gate::approval::{Assertion, Authorised, MAX_ASSERTION_BYTES, Proof, Purpose};
use bailey_gate::content::Content;
use bailey_gate::event::{Actor, Client};
use bailey_gate::family::Level;
use bailey_gate::family::escape::visible;
use bailey_gate::ledger::StoreError;
use bailey_gate::{ActionId, ConnectionId, Digest, GateError, Nonce, Preview, Proposal, Proposed, State, TaskId};
use bailey_interface::{
    ActionView, ApproveBody, AssertionBody, Challenge, Code, ConnectionView, ContextView, CredentialHint,
    CredentialKind, DeletedView, EntryView, IdsBody, KeptBack, LevelBody, Line, ModelsView, OfferView, OriginalView,
    PauseView, ProofBody, ProvenBody, RejectBody, ResolveBody, ResumeBody, RevokeView, SignIn, SpanView, Status,
    TaskBody, TaskSummary, TaskView, UsageView, WordsView,
};
use bailey_ledger::{ActionRecord, ExportError, Payloads};
use bailey_model::tap::{Redaction, Span};
use bailey_vault::{Credential, NewConnection, Revocation, SignedIn, VaultError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use self::access::Asker;
use self::body::JsonBody;
use self::places::{Places, matched};
use crate::contexts::Context;
use crate::executor::blocking;
use crate::home::{Home, HomeError, fresh_action};
use crate::metrics;
use crate::names::Door;
use crate::purposes;
use crate::routes::{Events, Method, Octets, Route, Text};
use crate::tasks::state_name;
use crate::wire::{BackTo, ConnectBody, DiscoverBody, Edit, Found};

/// Largest request body: an edited mail with room to spare.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// Bytes read of a body that is too long, none of which are kept, before the connection just ends.
const MAX_UNKEPT_BYTES: usize = 64 * 1024 * 1024;
/// How long a request's body may take: it comes from this machine.
const BODY_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);
/// Bytes read of a request without the token, and how long for.
const MAX_STRANGERS_BYTES: usize = 64 * 1024;
const STRANGERS_WITHIN: std::time::Duration = std::time::Duration::from_secs(1);

type Shared = AppState<Arc<Home>>;

type Answer<T> = Result<Json<T>, Failure>;

/// What a handler gives back where its route answers with an `A`.
trait Gives<A> {}
impl<A> Gives<A> for Answer<A> {}
/// Headers as well, such as that of a session.
impl<A> Gives<A> for Result<(HeaderMap, Json<A>), Failure> {}
impl Gives<Octets> for Result<Vec<u8>, Failure> {}
impl Gives<Octets> for Result<log::Exported, Failure> {}
impl Gives<Octets> for Result<carried::File, Failure> {}
impl Gives<Octets> for Result<files::Content, Failure> {}
impl Gives<Text> for Result<String, Failure> {}
impl<S> Gives<Events> for Result<Sse<S>, Failure> {}

/// A handler whose answer is an `A`.
trait Handles<Arguments, A> {}
/// A handler that takes a `B` and whose answer is an `A`.
trait HandlesBody<Arguments, B, A> {}

macro_rules! handlers {
    ($(($($argument:ident),*)),+) => { $(
        impl<F, D, A, $($argument),*> Handles<($($argument,)*), A> for F
        where F: Fn($($argument),*) -> D, D: Future, D::Output: Gives<A> {}
        impl<F, D, B, A, $($argument),*> HandlesBody<($($argument,)*), B, A> for F
        where F: Fn($($argument,)* JsonBody<B>) -> D, D: Future, D::Output: Gives<A> {}
    )+ };
}

handlers! { (), (T1), (T1, T2), (T1, T2, T3) }

/// Binds a handler to its route, whose answer it has to give.
fn bind<H, T, Arguments, A>(router: Router<Arc<Home>>, route: Route<(), A>, handler: H) -> Router<Arc<Home>>
where
    H: Handler<T, Arc<Home>> + Handles<Arguments, A>,
    T: 'static,
{
    router.route(route.path(), method_router(route.method(), handler))
}

/// Binds a handler to its route, whose body it has to take, and whose answer it has to give.
fn bind_with<H, T, Arguments, B, A>(router: Router<Arc<Home>>, route: Route<B, A>, handler: H) -> Router<Arc<Home>>
where
    H: Handler<T, Arc<Home>> + HandlesBody<Arguments, B, A>,
    T: 'static,
{
    router.route(route.path(), method_router(route.method(), handler))
}

fn method_router<H: Handler<T, Arc<Home>>, T: 'static>(method: Method, handler: H) -> MethodRouter<Arc<Home>> {
    match method {
        Method::Get => get(handler),
        Method::Post => post(handler),
    }
}

/// Returns the interface; each request has to show the token.
pub(crate) fn router(home: Arc<Home>) -> Router {
    metrics::know_routes(table::ROWS.iter().map(|row| row.path.to_owned()));
    let router = table::ROWS.iter().fold(Router::new(), |router, row| (row.bind)(router));
    router
        .merge(pages::router(Arc::clone(&home)))
        .fallback(|AppState(home): Shared, request: Request| async move {
            let lost = failure(Code::NotFound, "there is nothing at this address").into_response();
            if !access::wants_html(request.headers()) {
                return lost;
            }
            pages::trouble(&home, pages::Reader::of(&request), request.uri().path(), lost).await
        })
        .method_not_allowed_fallback(|AppState(home): Shared, request: Request| async move {
            // Those it takes are said in `Allow` (RFC 9110, 15.5.6).
            let said = "this address does not take that method; `Allow` says which it takes";
            let other = failure(Code::WrongMethod, said).into_response();
            let path = request.uri().path();
            if !(pages::is_page(path) && access::wants_html(request.headers())) {
                return other;
            }
            pages::trouble(&home, pages::Reader::of(&request), path, other).await
        })
        .layer(middleware::from_fn_with_state((Arc::clone(&home), Arc::new(Places::new())), authenticate))
        .layer(middleware::map_response(unkept))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(metrics::measure))
        .with_state(home)
}

/// Keeps browsers from storing what is answered, or taking it for something else (RFC 9111, section 5.2.2.5).
async fn unkept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(axum::http::HeaderValue::from_static(value));
    }
    response
}

async fn openapi() -> Answer<serde_json::Value> {
    Ok(Json(document::openapi()))
}

/// Requests that read the store at once: together as many as it lends connections. Others wait their turn, and hold no thread
/// meanwhile.
const READING: usize = 3;
static READS: Semaphore = Semaphore::const_new(READING);
/// Kept free of them for what the person needs at once.
static PROMPT_READS: Semaphore = Semaphore::const_new(1);

/// Kept for what nobody known asks, so that it keeps nothing else waiting; asked for in turn, so that nobody is passed over.
static STRANGERS_READS: Semaphore = Semaphore::const_new(1);

/// Returns the same as [`reading`] for what nobody known asks, such as to sign in.
async fn reading_for_strangers<T: Send + 'static>(
    home: &Arc<Home>,
    read: impl FnOnce(&Home) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    read_in_turn(&STRANGERS_READS, home, read).await
}

/// Reads the store beside the threads that answer: whatever a list costs, a pause is heard.
async fn reading<T: Send + 'static>(
    home: &Arc<Home>,
    read: impl FnOnce(&Home) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    read_in_turn(&READS, home, read).await
}

/// Returns the same for what the person needs at once, however many lists are read meanwhile.
async fn reading_promptly<T: Send + 'static>(
    home: &Arc<Home>,
    read: impl FnOnce(&Home) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    read_in_turn(&PROMPT_READS, home, read).await
}

async fn read_in_turn<T: Send + 'static>(
    turns: &'static Semaphore,
    home: &Arc<Home>,
    read: impl FnOnce(&Home) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let turn = turns.acquire().await.map_err(|error| failure(Code::Internal, error.to_string()))?;
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
#[derive(Deserialize, ToSchema)]
pub(crate) struct Part {
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

/// Which kind of client a request came from, as its token or its session told.
#[derive(Debug, Clone, Copy)]
struct Caller {
    client: Client,
    /// The session of a browser.
    session: Option<[u8; 16]>,
}

impl Home {
    /// Tells whether whoever asked may go on listening: a browser may as long as its session stands.
    fn still_counts(&self, caller: Caller) -> bool {
        caller.session.is_none_or(|id| self.browsers.stands(&id, self.clock.now()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get().copied().ok_or_else(|| failure(Code::Unauthenticated, "nobody said who asks"))
    }
}

/// Lets a request through that a known client makes, and whatever of strangers needs nobody known. A token or a session
/// proposes and observes; it approves nothing.
async fn authenticate(
    AppState((home, places)): AppState<(Arc<Home>, Arc<Places>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let door = request.extensions().get().copied().unwrap_or(Door::Plain);
    access::drop_foreign_origin(&home, request.headers_mut(), door);
    let asker = access::asker(&home, request.method(), request.headers(), door);
    let (path, method) = (matched(&request).map(str::to_owned), request.method().clone());
    let is_page = pages::is_page(request.uri().path());
    let row = table::row(path.as_deref(), &method);
    let is_open = row.is_some_and(|row| row.shows.is_open()) || pages::is_open(path.as_deref());
    let by_browser = access::wants_html(request.headers());
    // Read before anything is answered: whoever still writes when the connection ends may not hear the answer.
    let (mut head, body) = request.into_parts();
    let caller = match asker {
        Ok(Asker::Known(caller)) => caller,
        Ok(Asker::Nobody) | Err(_) => {
            let read = axum::body::to_bytes(body, MAX_STRANGERS_BYTES);
            let read = tokio::time::timeout(STRANGERS_WITHIN, read).await;
            let refused = match asker {
                Err(ref refused) => Some(refused.clone()),
                Ok(_) if path.as_deref() == Some(pages::PAUSE) => {
                    let why = "NOT paused: this browser is not signed in any more. On the machine, `bailey pause` stops everything";
                    Some(failure(Code::Unauthenticated, why))
                }
                Ok(_) if !is_open && is_page && by_browser => return pages::to(pages::SIGN_IN),
                Ok(_) if !is_open => {
                    let why =
                        "the token is missing or wrong; it is in the home's folder, and a browser signs in instead";
                    Some(failure(Code::Unauthenticated, why))
                }
                Ok(_) => access::is_by_the_dashboard(&home, &method, &head.headers).err(),
            };
            // A session that stands on a request that does not count: they are signed in, as far as they know.
            let reader = if asker.is_err() { pages::Reader::Unsure } else { pages::Reader::Stranger };
            return match (refused, read) {
                (Some(refused), _) if is_page && by_browser => {
                    pages::trouble(&home, reader, head.uri.path(), refused.into_response()).await
                }
                (Some(refused), _) => refused.into_response(),
                (None, Ok(Ok(body))) => match places.stranger().await {
                    Some(_place) => told_as_failure(next.run(Request::from_parts(head, body.into())).await).await,
                    None => failure(Code::Busy, "too many strangers ask; come again later").into_response(),
                },
                (None, _) => failure(Code::Busy, "the request is too long, or broke off").into_response(),
            };
        }
    };
    let place = match places.take(caller.client, path.as_deref(), method.as_str()) {
        Ok(place) => place,
        Err(busy) if is_page && by_browser => {
            return pages::trouble(&home, pages::Reader::Unsure, head.uri.path(), busy.into_response()).await;
        }
        Err(busy) => return busy.into_response(),
    };
    head.extensions.insert(caller);
    let refused = match tokio::time::timeout(BODY_WITHIN, whole(body)).await {
        // A session that ended while the body came does nothing more.
        Ok(Ok(_)) if !home.still_counts(caller) => {
            (pages::Reader::Stranger, failure(Code::Unauthenticated, "this session has ended; sign in again"))
        }
        Ok(Ok(body)) => {
            if access::is_by_hand(caller, &method, &head.headers) {
                home.presence.hear();
            }
            return place.keep_for(told_as_failure(next.run(Request::from_parts(head, body.into())).await).await);
        }
        Ok(Err(Unread::TooLong)) => {
            let why = format!("the request's body is longer than {} MiB", MAX_BODY_BYTES / 1_024 / 1_024);
            (pages::Reader::Known, failure(Code::TooLong, why))
        }
        Ok(Err(Unread::Broken)) | Err(_) => {
            let why = format!("the request's body broke off, or took more than {} s", BODY_WITHIN.as_secs());
            (pages::Reader::Known, failure(Code::Malformed, why))
        }
    };
    match refused {
        (reader, refused) if is_page && by_browser => {
            pages::trouble(&home, reader, head.uri.path(), refused.into_response()).await
        }
        (_, refused) => refused.into_response(),
    }
}

/// Why a body was not taken.
enum Unread {
    /// It is longer than any may be.
    TooLong,
    /// It broke off.
    Broken,
}

/// Reads a body. One that is too long is read on for a while and not kept: whoever still writes when the connection ends may not hear why.
async fn whole(body: axum::body::Body) -> Result<axum::body::Bytes, Unread> {
    let (mut pieces, mut all, mut read) = (body.into_data_stream(), Vec::new(), 0_usize);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Unread::Broken)?;
        read = read.saturating_add(piece.len());
        if read <= MAX_BODY_BYTES {
            all.extend_from_slice(&piece);
        } else if read > MAX_UNKEPT_BYTES {
            break;
        } else {
            all = Vec::new();
        }
    }
    if read > MAX_BODY_BYTES { Err(Unread::TooLong) } else { Ok(all.into()) }
}

/// Does what meets others' words beside the threads that answer the person.
async fn spawn_detached<T: Send + 'static>(
    home: &Home,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failure> {
    home.spawn_detached(work).await.map_err(|error| failure(Code::Internal, error.to_string()))
}

/// Draws sixteen random bytes, for a name nobody can guess.
fn drawn() -> Result<[u8; 16], Failure> {
    bailey_keys::random().map_err(|error| failure(Code::Internal, error.to_string()))
}

/// Returns what the framework refuses by itself, in plain text, is told as every other error is.
async fn told_as_failure(response: Response) -> Response {
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(response.status().is_client_error() && plain) {
        return response;
    }
    let words = axum::body::to_bytes(response.into_body(), MAX_BODY_BYTES).await.unwrap_or_default();
    failure(Code::Malformed, String::from_utf8_lossy(&words).into_owned()).into_response()
}

/// A failure as handlers give it back: what the interface says, as an answer.
#[derive(Debug, Clone)]
pub(crate) struct Failure(bailey_interface::Failure);

pub(crate) fn failure(code: Code, message: impl Into<String>) -> Failure {
    // Some of it may be another side's words.
    let message = bailey_gate::family::escape::visible_lines(&message.into());
    Failure(bailey_interface::Failure { code, message })
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(said) = self;
        let status = StatusCode::from_u16(said.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&said)).into_response();
        if said.code == Code::Busy {
            response.headers_mut().insert(header::RETRY_AFTER, axum::http::HeaderValue::from_static("1"));
        }
        response
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
            VaultError::Refused(_) | VaultError::SignInOver { .. } => {
                failure(Code::Conflict, visible(&error.to_string()))
            }
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

/// Returns bytes of an assertion, from base64.
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

fn proof(body: &ProofBody, caller: Caller) -> Result<Proof, Failure> {
    let sixteen = |what, text| parse::<Nonce>(what, text).map(|id| *id.as_bytes());
    Ok(Proof {
        challenge: parse("challenge", &body.challenge)?,
        credential: sixteen("credential", &body.credential)?,
        assertion: assertion(&body.assertion)?,
        client: caller.client,
        // A browser's is the one it was let in by, whatever it says.
        session: caller.session.map_or_else(|| sixteen("session", &body.session), Ok)?,
    })
}
