//! The dashboard's pages: what the interface answers, as HTML, and the forms that need no script. Each form does what one route does.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, Uri};
use bailey_connectors::BadCall;
use bailey_dashboard as html;
use bailey_dashboard::{Frame, Section};
use bailey_gate::Class;
use bailey_gate::family::{ActionKind, Group};
use bailey_gate::handoff::Mode;
use bailey_gate::policy::{Facts, judge};
use bailey_interface::{RuleChange, RuleView, WhyView};
use bailey_policy::Profile;

use super::actions::NotEdited;
use super::*;
use crate::rules::kept;

/// A page, or what is wrong; [`dressed`] makes a page of that, too.
pub(super) type Page = Result<Response, Failure>;

/// Where browsers look for what they need before anybody is signed in.
const OPEN: [&str; 7] = [
    "/sign-in",
    "/claim",
    "/recovery-codes",
    "/do/recover",
    "/assets/{*path}",
    "/manifest.webmanifest",
    html::WORKER.0,
];
/// Where somebody is sent who is not signed in.
pub(super) const SIGN_IN: &str = "/sign-in";
/// The form that pauses.
pub(super) const PAUSE: &str = "/do/pause";
/// Pages and forms that keep the person in charge: always answered at once, as the routes of the same name are.
pub(super) const PROMPT: [&str; 12] = [
    "/approvals",
    PAUSE,
    "/do/reject",
    "/do/take-back",
    "/do/task/{id}/stop",
    "/do/connections/{id}/revoke",
    "/do/rules/lockdown",
    "/do/schedules/{id}/stop",
    "/do/schedules/{id}/delete",
    "/do/sessions/{id}/end",
    "/do/sessions/end-all",
    "/do/sign-out",
];
/// Actions that a page lists at once.
const LISTED: u32 = 50;
/// Cards of actions that wait on one page, and bytes of their words: a page stays below 100 kB, but for one card that is longer by itself.
const CARDS: u32 = 18;
const CARDS_BYTES: usize = 40 * 1_024;
/// Cards of each further part of that page: what is held, and what only the person can tell.
const FURTHER: u32 = 10;

/// Tells whether a page is there for whoever asks.
pub(super) fn is_open(matched: Option<&str>) -> bool {
    matched.is_some_and(|path| OPEN.contains(&path))
}

/// Tells whether a request is one for a page or a form of it.
pub(super) fn is_page(path: &str) -> bool {
    !path.starts_with("/v1/")
}

/// A handler with its method.
struct Bound(Method, MethodRouter<Arc<Home>>);

fn get<H: Handler<T, Arc<Home>>, T: 'static>(handler: H) -> Bound {
    Bound(Method::Get, axum::routing::get(handler))
}

fn post<H: Handler<T, Arc<Home>>, T: 'static>(handler: H) -> Bound {
    Bound(Method::Post, axum::routing::post(handler))
}

/// The pages and forms: there is no other way to serve one, so that none is left out of what holds for all.
struct Pages {
    router: Router<Arc<Home>>,
    rows: Vec<(&'static str, &'static str)>,
}

impl Pages {
    fn route(mut self, path: &'static str, Bound(method, handler): Bound) -> Self {
        self.rows.push((method.name(), path));
        Self { router: self.router.route(path, handler), ..self }
    }
}

/// Returns method and path of every page and form, and whether it is there for whoever asks.
#[must_use]
pub fn page_routes() -> Vec<(&'static str, &'static str, bool)> {
    all().rows.into_iter().map(|(method, path)| (method, path, is_open(Some(path)))).collect()
}

/// Returns the routes of the pages.
pub(super) fn router(home: Arc<Home>) -> Router<Arc<Home>> {
    all().router.layer(middleware::from_fn_with_state(home, dressed))
}

fn all() -> Pages {
    Pages { router: Router::new(), rows: Vec::new() }
        .route("/", get(|| async { to("/talk") }))
        .route(SIGN_IN, get(sign_in))
        .route("/claim", get(claim))
        .route("/recovery-codes", get(|| async { shown(html::recovery_codes()) }))
        .route("/assets/{*path}", get(asset))
        .route("/talk", get(talk))
        .route("/talk/{id}", get(task))
        .route("/talk/{id}/undo", get(undo_task))
        .route("/approvals", get(approvals))
        .route("/approvals/{id}", get(approval))
        .route("/approvals/{id}/edit", get(edit))
        .route("/approvals/{id}/files/{n}", get(carried::file_page))
        .route("/approvals/{id}/original", get(carried::original_page))
        .route("/approvals/{id}/original/frame", get(carried::frame))
        .route("/activity", get(activity))
        .route("/activity/{id}", get(action))
        .route("/activity/{id}/request", get(request_behind))
        .route("/context", get(requests))
        .route("/connections", get(connections))
        .route("/connect", get(connecting::connect))
        .route("/do/connect/find", post(connecting::find))
        .route("/connect/{id}/again", get(connecting::again))
        .route("/connecting/{id}/again", get(connecting::try_again))
        .route("/do/connecting/{id}/dismiss", post(connecting::dismiss))
        .route(connections::OAUTH_BACK, get(daily_pages::oauth_back))
        .route("/models", get(daily_pages::models))
        .route("/do/models/no-fallback", post(daily_pages::no_fallback))
        .route("/do/first-steps/hide", post(daily_pages::hide))
        .route("/do/log/export-readable", post(daily_pages::export_readable))
        .route("/do/log/export-csv", post(daily_pages::export_csv))
        .route("/context/{task}/{n}", get(context))
        .route("/autonomy", get(autonomy))
        .route("/schedules", get(schedule_pages::all))
        .route("/schedules/{id}", get(schedule_pages::one))
        .route("/do/schedules/preview", post(schedule_pages::preview))
        .route("/do/schedules/{id}/run", post(schedule_pages::run))
        .route("/do/schedules/{id}/stop", post(schedule_pages::stop))
        .route("/do/schedules/{id}/delete", post(schedule_pages::delete))
        .route("/do/missed", post(schedule_pages::missed))
        .route("/files", get(file_pages::folder))
        .route("/files/trash", get(file_pages::trash))
        .route("/files/{id}", get(file_pages::file))
        .route("/do/files/put", post(file_pages::put))
        .route("/do/task/files", post(file_pages::give_task))
        .route("/do/files/{id}/move", post(file_pages::move_file))
        .route("/do/files/{id}/trash", post(file_pages::trash_file))
        .route("/do/files/{id}/restore", post(file_pages::restore_file))
        .route("/do/files/{id}/versions/{n}/restore", post(file_pages::bring_back))
        .route("/computer", get(computer::page))
        .route("/do/computer/start", post(computer::start_form))
        .route("/do/computer/stop", post(computer::stop_form))
        .route("/settings", get(settings))
        .route("/passphrase-code", get(|| async { shown(html::passphrase_code()) }))
        .route("/notifications", get(notifications))
        .route("/manifest.webmanifest", get(manifest))
        .route(html::WORKER.0, get(worker))
        .route("/do/notifications/{id}/try", post(try_notification))
        .route("/do/notifications/{id}/end", post(end_notification))
        .route(PAUSE, post(pause))
        .route("/do/reject", post(reject))
        .route("/do/take-back", post(take_back))
        .route("/do/happened", post(happened))
        .route("/do/edit/{id}", post(save_edit))
        .route("/do/task", post(give_task))
        .route("/do/task/{id}/more", post(more))
        .route("/do/task/{id}/stop", post(stop))
        .route("/do/task/{id}/take-back", post(take_back_task))
        .route("/do/connections/{id}/revoke", post(revoke))
        .route("/do/connections/{id}/default", post(make_default))
        .route("/do/rules/try", post(try_rules))
        .route("/do/rules/lockdown", post(lockdown))
        .route("/do/rules/dismiss", post(dismiss))
        .route("/do/sessions/{id}/end", post(end_session))
        .route("/do/sessions/end-all", post(end_sessions))
        .route("/do/sign-out", post(sign_out))
        .route("/do/log/export", post(export))
        .route("/do/recover", post(recover))
}

/// Gives every page its headers, and makes a page of whatever is wrong.
async fn dressed(AppState(home): Shared, request: Request, next: Next) -> Response {
    let (reader, path) = (Reader::of(&request), request.uri().path().to_owned());
    // INVARIANT: a page, however long, is made beside the threads that answer; what pauses waits for no other.
    let response = if matched(&request) == Some(PAUSE) {
        next.run(request).await
    } else {
        let here = tokio::runtime::Handle::current();
        let made = tokio::task::spawn_blocking(move || here.block_on(next.run(request))).await;
        made.unwrap_or_else(|error| failure(Code::Internal, error.to_string()).into_response())
    };
    let is_failure = response.status().is_client_error() || response.status().is_server_error();
    if is_failure { trouble(&home, reader, &path, response).await } else { dress(response) }
}

/// Gives a page its headers.
pub(super) fn dress(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // What a mail brought has a narrower one of its own.
    let policy = HeaderValue::from_static(html::CONTENT_SECURITY_POLICY);
    headers.entry("content-security-policy").or_insert(policy);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        // Forms go back to the page they were on; no other site hears where somebody was.
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-dns-prefetch-control", "off"),
        (
            "permissions-policy",
            "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(html::CONTENT_SECURITY_POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Who reads what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody who is signed in: they are shown the way on, within the frame.
    Known,
    /// Somebody whose session stands, on a request that does not count: they are shown the way on, and nothing of the home.
    Unsure,
    /// Nobody who is known.
    Stranger,
}

impl Reader {
    /// Tells who made a request that was let through.
    pub(super) fn of(request: &Request) -> Self {
        if request.extensions().get::<Caller>().is_some() { Self::Known } else { Self::Stranger }
    }
}

/// Makes a page of an error, for whoever reads it, with the headers of every page.
pub(super) async fn trouble(home: &Arc<Home>, reader: Reader, path: &str, response: Response) -> Response {
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), MAX_BODY_BYTES).await.unwrap_or_default();
    let said = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
        failure(Code::Malformed, format!("the form cannot be read: {}", String::from_utf8_lossy(&bytes))).0
    });
    // Where even the frame cannot be read, what went wrong is told all the same.
    let around = if reader == Reader::Known { Around::of(home).await.ok() } else { None };
    let frame = around.as_ref().map(|around| around.frame(Section::of(path)));
    let page = html::trouble(
        match (&frame, reader) {
            (Some(frame), _) => html::Reader::Within(frame),
            (None, Reader::Known | Reader::Unsure) => html::Reader::Known,
            (None, Reader::Stranger) => html::Reader::Stranger,
        },
        &said,
    );
    dress((status, shown(page)).into_response())
}

pub(super) fn shown(page: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Sends a browser on to a page, whatever it asked with (RFC 9110, section 15.4.4).
pub(super) fn to(place: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, place.to_owned())]).into_response()
}

/// Sends a browser back to the page its form was on, if that is one of ours.
fn back(home: &Home, headers: &HeaderMap, else_to: &str) -> Response {
    let said = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let ours = said.and_then(|said| home.origins().iter().find_map(|origin| said.strip_prefix(origin.as_str())));
    let is_page = |path: &&str| path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/do/");
    to(ours.filter(is_page).unwrap_or(else_to))
}

/// The status, time and zone that every page is told.
pub(super) struct Around {
    status: Status,
    now_ms: i64,
    zone: jiff::tz::TimeZone,
    steps: Vec<html::Step>,
    paused: house::Paused,
}

impl Around {
    pub(super) async fn of(home: &Arc<Home>) -> Result<Self, Failure> {
        let Json(status) = house::status(AppState(Arc::clone(home))).await?;
        let is_open = status.mode == Mode::Open.name();
        let read = move |home: &Home| {
            let paused = if is_open { house::Paused::default() } else { house::Paused::of(home)? };
            Ok((home.first_steps()?, paused))
        };
        let (steps, paused) = reading_promptly(home, read).await?;
        Ok(Self { status, now_ms: home.clock.now().wall_ms, zone: home.clock.zone(), steps, paused })
    }

    pub(super) fn frame(&self, section: Section) -> Frame<'_> {
        Frame {
            status: &self.status,
            paused_since_ms: self.paused.since_ms,
            in_flight: &self.paused.under_way,
            section,
            now_ms: self.now_ms,
            zone: self.zone.clone(),
            said: "",
            steps: &self.steps,
        }
    }
}

async fn asset(uri: Uri) -> Response {
    match html::asset(uri.path()) {
        Some((media_type, bytes)) => {
            let kept = (header::CACHE_CONTROL, "public, max-age=31536000, immutable");
            ([(header::CONTENT_TYPE, media_type), kept], bytes).into_response()
        }
        None => failure(Code::NotFound, "there is no such file; load the page anew").into_response(),
    }
}

async fn sign_in() -> Response {
    shown(html::sign_in(""))
}

async fn claim() -> Response {
    shown(html::claim(""))
}

/// A recovery code.
#[derive(Deserialize)]
struct CodeForm {
    code: String,
}

async fn recover(AppState(home): Shared, Form(form): Form<CodeForm>) -> Response {
    let token = reading_for_strangers(&home, move |home| Ok(home.recover(&form.code)?)).await;
    match token {
        // Behind `#`, so that no request and no log holds it.
        Ok(token) => to(&format!("/claim#{token}")),
        Err(wrong) => shown(html::sign_in(&wrong.0.message)),
    }
}

/// Which tasks.
#[derive(Default, Deserialize)]
struct Told {
    #[serde(default)]
    q: String,
    #[serde(default)]
    before: Option<u64>,
    #[serde(default)]
    skip: u32,
}

async fn talk(AppState(home): Shared, Query(told): Query<Told>) -> Page {
    let around = Around::of(&home).await?;
    let Told { q, before, skip } = told;
    if !q.trim().is_empty() {
        let wanted = search::Search { q: q.clone(), before, limit: Some(LISTED), ..search::Search::default() };
        let Json(found) = search::tasks(AppState(home), Query(wanted)).await?;
        return Ok(shown(html::history(&around.frame(Section::Talk), &q, &found)));
    }
    let Json(list) = tasks::tasks(AppState(home), Query(Part { skip, limit: Some(LISTED) })).await?;
    let older = (u32::try_from(list.len()) == Ok(LISTED)).then(|| skip.saturating_add(LISTED));
    Ok(shown(html::talk(&around.frame(Section::Talk), &list, older)))
}

/// Which steps of a task.
#[derive(Default, Deserialize)]
struct Steps {
    #[serde(default)]
    later: usize,
}

async fn task(AppState(home): Shared, Path(id): Path<String>, Query(Steps { later }): Query<Steps>) -> Page {
    let around = Around::of(&home).await?;
    let part = Part { skip: 0, limit: Some(LISTED) };
    let Json(list) = tasks::tasks(AppState(Arc::clone(&home)), Query(part)).await?;
    let Json(view) = tasks::task(AppState(home), Path(id)).await?;
    Ok(shown(html::task(&around.frame(Section::Talk), &list, &view, later)))
}

async fn undo_task(AppState(home): Shared, id: Path<String>) -> Page {
    let around = Around::of(&home).await?;
    let Json(view) = undoing::plan(AppState(home), id).await?;
    Ok(shown(html::undo_task(&around.frame(Section::Talk), &view)))
}

/// Which of those that wait.
#[derive(Default, Deserialize)]
struct Waits {
    #[serde(default)]
    skip: u32,
}

/// Returns how many cards stand on a page, of those that could.
fn fitting(views: &[ActionView]) -> usize {
    let bytes = |view: &ActionView| {
        let lines = [&view.items, &view.provenance].into_iter().flatten();
        view.body.len() + lines.map(|line| line.label.len() + line.value.len()).sum::<usize>()
    };
    let mut all = 0;
    let fits = views.iter().take_while(|view| {
        all += bytes(view);
        all <= CARDS_BYTES
    });
    fits.count().max(1).min(views.len())
}

async fn approvals(AppState(home): Shared, Query(Waits { skip }): Query<Waits>) -> Page {
    let around = Around::of(&home).await?;
    let read = move |home: &Home| {
        let of = |state, skip, limit| actions::views(home, &home.ledger.part_of(state, skip, limit)?);
        let mut waiting = of(State::Awaiting, skip, CARDS)?;
        waiting.truncate(fitting(&waiting));
        // What is no page of what waits stands on the first.
        let further = if skip == 0 { FURTHER } else { 0 };
        let (held, unsure) = (of(State::Held, 0, further)?, of(State::NeedsPerson, 0, further)?);
        let mut words = BTreeMap::new();
        let all: [&Vec<ActionView>; 3] = [&waiting, &held, &unsure];
        for task in all.into_iter().flatten().filter_map(|view| view.task.as_ref()) {
            if !words.contains_key(task) {
                let said = home.ledger.task_words(&parse("task", task)?)?.unwrap_or_default();
                words.insert(task.clone(), bailey_gate::family::escape::visible_lines(&said));
            }
        }
        let counted = |state| home.ledger.count_in(state);
        let all = (counted(State::Awaiting)?, counted(State::Held)?, counted(State::NeedsPerson)?);
        Ok((waiting, held, unsure, words, all))
    };
    let (waiting, held, unsure, words, (waits, holds, doubts)) = reading_promptly(&home, read).await?;
    let all = html::Waiting { skip: skip.into(), waits, holds, doubts };
    Ok(shown(html::approvals(&around.frame(Section::Approvals), all, &waiting, &held, &unsure, &words)))
}

/// Returns an action, and why it was decided as it was, where that can be told.
async fn with_why(home: &Arc<Home>, id: &str) -> Result<(ActionView, Option<WhyView>), Failure> {
    let id: ActionId = parse("action", id)?;
    let read = move |home: &Home| Ok((actions::action_view(home, &actions::one(home, id)?)?, home.why(&id).ok()));
    reading(home, read).await
}

async fn approval(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let around = Around::of(&home).await?;
    let (view, why) = with_why(&home, &id).await?;
    Ok(shown(html::one_approval(&around.frame(Section::Approvals), &view, why.as_ref())))
}

/// Makes the page on which a waiting action is changed. `typed` is what the person wrote, and what of it cannot be used and why: none of it
/// is lost.
async fn editing(home: Arc<Home>, id: &str, typed: Option<(BTreeMap<&'static str, String>, &str, &str)>) -> Page {
    let around = Around::of(&home).await?;
    let (view, _) = with_why(&home, id).await?;
    let (fields, wrong) = match typed {
        Some((fields, name, why)) => (fields, Some((name, why))),
        None => {
            let id = id.to_owned();
            let entry = reading(&home, move |home| actions::entry_fields(home, &id)).await?;
            (entry.unwrap_or_else(|| html::mail_fields(&view)), None)
        }
    };
    let edit = html::Editing { fields: &fields, wrong };
    Ok(shown(html::edit(&around.frame(Section::Approvals), &view, &edit)))
}

async fn edit(AppState(home): Shared, Path(id): Path<String>) -> Page {
    editing(home, &id, None).await
}

/// Filters of the activity.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    q: String,
    kind: String,
    state: String,
    account: String,
    by: String,
    from: String,
    to: String,
    before: String,
}

impl Narrowed {
    fn is_on(&self) -> bool {
        [&self.q, &self.kind, &self.state, &self.account, &self.by, &self.from, &self.to]
            .iter()
            .any(|one| !one.is_empty())
    }
}

async fn activity(AppState(home): Shared, Query(narrowed): Query<Narrowed>) -> Page {
    let around = Around::of(&home).await?;
    let (list, before, behind) = if narrowed.is_on() {
        found(&home, &narrowed).await?
    } else {
        let since = match narrowed.before.as_str() {
            "" => None,
            id => Some(parse::<ActionId>("action", id)?),
        };
        let read = move |home: &Home| {
            let records = home.ledger.actions_before(None, since.as_ref(), LISTED)?;
            // Where there may be more, behind the last that was looked at.
            let more = u32::try_from(records.len()) == Ok(LISTED);
            let last = records.last().filter(|_| more).map(|record| record.row.id.to_string());
            Ok((actions::views(home, &records)?, last))
        };
        let (list, last) = reading(&home, read).await?;
        (list, last, None)
    };
    let rows = reading(&home, |home| Ok(home.ledger.connections()?)).await?;
    let mut accounts: Vec<String> = rows.into_iter().filter(|row| row.kind != "model").map(|row| row.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let kinds: Vec<&str> = ActionKind::all().map(ActionKind::name).collect();
    let Narrowed { q, kind, state, account, by, from, to, .. } = &narrowed;
    let filter =
        html::Filter { search: q, kind, state, account, by, from, to, kinds: &kinds, accounts: &accounts, behind };
    Ok(shown(html::activity(&around.frame(Section::Activity), &list, &filter, before.as_deref())))
}

/// Actions of a page, where the next one begins, and how much can be found where that is not all.
type Listed = (Vec<ActionView>, Option<String>, Option<(u64, u64)>);

async fn found(home: &Arc<Home>, narrowed: &Narrowed) -> Result<Listed, Failure> {
    let Narrowed { q, kind, state, account, by, from, to, before } = narrowed;
    let before = match before.as_str() {
        "" => None,
        place => Some(place.parse().map_err(|_| failure(Code::Invalid, "`before` is the number that an answer gave"))?),
    };
    let wanted = search::Search {
        q: q.clone(),
        kind: kind.clone(),
        state: state.clone(),
        account: account.clone(),
        by: by.clone(),
        from: from.clone(),
        to: to.clone(),
        before,
        limit: Some(LISTED),
    };
    let Json(found) = search::search(AppState(Arc::clone(home)), Query(wanted)).await?;
    let behind = (found.indexed < found.entries).then_some((found.indexed, found.entries));
    Ok((found.actions, found.before.map(|before| before.to_string()), behind))
}

/// Shows the model request that an action was proposed by.
async fn request_behind(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let action: ActionId = parse("action", &id)?;
    let read = move |home: &Home| {
        let row = actions::one(home, action)?.row;
        Ok((row.task, home.request_behind(&row)?))
    };
    match reading(&home, read).await? {
        (Some(task), Some(n)) => Ok(to(&format!("/context/{task}/{n}"))),
        _ => Err(failure(Code::NotFound, "no model request stands behind this: you, or Bailey by itself, began it")),
    }
}

/// What is looked for in model requests.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LookedFor {
    q: String,
    label: String,
    before: Option<u64>,
}

async fn requests(AppState(home): Shared, Query(looked): Query<LookedFor>) -> Page {
    let around = Around::of(&home).await?;
    let LookedFor { q, label, before } = looked;
    let found = if q.trim().is_empty() {
        None
    } else {
        let wanted = search::SearchRequests { q: q.clone(), label: label.clone(), before, limit: Some(LISTED) };
        let Json(found) = search::requests(AppState(Arc::clone(&home)), Query(wanted)).await?;
        Some(found)
    };
    let Json(received) = search::received(AppState(home)).await?;
    let looked = html::Looked { search: &q, label: &label };
    Ok(shown(html::requests(&around.frame(Section::Activity), &looked, found.as_ref(), &received)))
}

async fn action(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let around = Around::of(&home).await?;
    let (view, why) = with_why(&home, &id).await?;
    let behind = move |home: &Home| Ok(home.request_behind(&actions::one(home, parse("action", &id)?)?.row)?);
    let requests: Vec<u64> = reading(&home, behind).await?.into_iter().collect();
    Ok(shown(html::action(&around.frame(Section::Activity), &view, why.as_ref(), &requests)))
}

/// What came of ending a connection, as `POST /v1/connections/{id}/revoke` names it.
#[derive(Default, Deserialize)]
struct Ended {
    #[serde(default)]
    ended: String,
}

async fn connections(AppState(home): Shared, Query(ended): Query<Ended>) -> Page {
    let around = Around::of(&home).await?;
    let under_way = under_way::list(&home);
    let Json(list) = connections::connections(AppState(home)).await?;
    let said = connections::told(&ended.ended).map(|told| format!("Ended: nothing can use it from now on. {told}"));
    Ok(shown(html::connections(
        &around.frame(Section::Connections),
        &list,
        &under_way,
        said.as_deref().unwrap_or_default(),
    )))
}

async fn context(AppState(home): Shared, Path((task, n)): Path<(String, u64)>) -> Page {
    let around = Around::of(&home).await?;
    let Json(view) = tasks::context(AppState(Arc::clone(&home)), Path((task.clone(), n))).await?;
    let Json(all) = tasks::contexts(AppState(Arc::clone(&home)), Path(task.clone())).await?;
    let Json(of) = tasks::task(AppState(home), Path(task.clone())).await?;
    let usage = view.usage;
    let request = html::Request { task: &task, words: &of.summary.words, n, all: &all, usage };
    Ok(shown(html::context(&around.frame(Section::Activity), &request, &view)))
}

/// Returns the decision of the rules on an action of a kind of which nothing more is known.
fn by_rules(home: &Home, kind: ActionKind) -> (&'static str, String) {
    let class = match kind.group() {
        Group::Read | Group::Fetch | Group::Speak | Group::Write => Class::Undoable,
        Group::Outward => Class::Held,
        Group::Destroy => Class::Compensable,
        Group::Spend => Class::Critical,
    };
    let policy = home.policy.current();
    // Of an account that may do it, and one receiver of whom nothing is known where it has any.
    let others = u64::from(matches!(kind.group(), Group::Outward | Group::Spend));
    let facts = Facts {
        level: kind.needs_level(),
        grant_stands: true,
        recipients: others,
        others,
        outside: others,
        unknown_recipients: others,
        ..Facts::default()
    };
    let verdict = judge(&*policy, kind, class, &facts);
    let reasons: Vec<&str> = verdict.reasons.iter().map(|rule| policy.explain(rule)).collect();
    (verdict.decision.name(), reasons.join(" "))
}

/// Words that are tried as a rule, or the action they should be made from.
#[derive(Default, Deserialize)]
struct Liked {
    #[serde(default)]
    like: String,
}

/// Makes the page, with a sentence that is being written.
async fn autonomy_with(
    home: Arc<Home>,
    words: &str,
    tried: Option<Result<&bailey_interface::TrialView, &str>>,
) -> Page {
    let around = Around::of(&home).await?;
    let Json(suggestions) = rules::suggestions(AppState(Arc::clone(&home))).await?;
    let read = |home: &Home| {
        let book = kept(&home.ledger)?;
        let kinds: Vec<_> = ActionKind::all().map(|kind| (kind.name(), by_rules(home, kind))).collect();
        Ok((rules::views(book), kinds, home.rule_history()?))
    };
    let (own, kinds, history): (Vec<RuleView>, _, _) = reading(&home, read).await?;
    let rows: Vec<_> =
        kinds.iter().map(|(kind, (decision, by))| html::KindRow { kind, decision, by: by.as_str() }).collect();
    let in_force = own.iter().find_map(|rule| Profile::from_name(&rule.origin)).unwrap_or(Profile::Careful);
    let profiles = Profile::ALL.map(|profile| html::Profile { name: profile.name(), about: profile.about() });
    let draft = tried.map(|trial| html::Draft { words, trial });
    let view = html::Autonomy {
        kinds: &rows,
        profile: in_force.name(),
        profiles: &profiles,
        rules: &own,
        draft,
        suggestions: &suggestions,
        history: &history,
    };
    Ok(shown(html::autonomy(&around.frame(Section::Autonomy), &view)))
}

async fn autonomy(AppState(home): Shared, Query(liked): Query<Liked>) -> Page {
    if liked.like.is_empty() {
        return autonomy_with(home, "", None).await;
    }
    let id: ActionId = parse("action", &liked.like)?;
    let words = reading(&home, move |home| narrow_rule(home, id)).await?;
    tried(home, words).await
}

/// Returns the narrowest sentence that would let the like of an action go.
fn narrow_rule(home: &Home, id: ActionId) -> Result<String, Failure> {
    let view = actions::action_view(home, &actions::one(home, id)?)?;
    let kind = ActionKind::from_name(&view.kind);
    let subject = kind.and_then(ActionKind::suggest).ok_or_else(|| {
        failure(Code::Invalid, "for this kind no rule is proposed; write one in words, and try it first")
    })?;
    let to: Vec<&str> = view.recipients.iter().map(|recipient| recipient.address.as_str()).collect();
    let about = if to.is_empty() { String::new() } else { format!(" to {}", to.join(" or ")) };
    Ok(format!("{subject}{about}: go ahead"))
}

/// Words of a form.
#[derive(Deserialize)]
struct WordsForm {
    words: String,
}

async fn try_rules(AppState(home): Shared, Form(form): Form<WordsForm>) -> Page {
    tried(home, form.words).await
}

async fn tried(home: Arc<Home>, words: String) -> Page {
    let change = RuleChange { add: words.clone(), ..RuleChange::default() };
    let trial = rules::try_rules(AppState(Arc::clone(&home)), JsonBody(change)).await;
    match &trial {
        Ok(Json(trial)) => autonomy_with(home, &words, Some(Ok(trial))).await,
        Err(wrong) if wrong.0.code == Code::Invalid => autonomy_with(home, &words, Some(Err(&wrong.0.message))).await,
        Err(Failure(wrong)) => Err(Failure(wrong.clone())),
    }
}

async fn lockdown(AppState(home): Shared) -> Page {
    let Json(_) = rules::lockdown(AppState(home)).await?;
    Ok(to("/autonomy"))
}

/// Names one thing.
#[derive(Deserialize)]
struct IdForm {
    id: String,
}

async fn dismiss(AppState(home): Shared, Form(form): Form<IdForm>) -> Page {
    let Json(_) = rules::dismiss_suggestion(AppState(home), Path(form.id)).await?;
    Ok(to("/autonomy"))
}

async fn settings(AppState(home): Shared, caller: Caller) -> Page {
    let around = Around::of(&home).await?;
    let read = |home: &Home| Ok((browsers::passkey_views(home)?, home.ledger.recovery_codes_left()?));
    let (passkeys, codes_left) = reading(&home, read).await?;
    let names = reading(&home, |home| Ok(house::names_view(home))).await?;
    let sessions = browsers::session_views(&home, caller);
    let devices: Vec<_> = passkeys
        .iter()
        .filter(|one| one.ended_ms.is_none())
        .map(|one| html::Device {
            id: &one.id,
            name: &one.name,
            made_ms: one.made_ms,
            used_ms: one.used_ms,
            synced: one.synced,
        })
        .collect();
    let name_of = |id: &str| passkeys.iter().find(|one| one.id == id).map_or("", |one| one.name.as_str());
    let sessions: Vec<_> = sessions
        .iter()
        .map(|one| html::Session {
            id: &one.id,
            agent: &one.agent,
            device: name_of(&one.passkey),
            made_ms: one.made_ms,
            used_ms: one.used_ms,
            this: one.is_this,
        })
        .collect();
    let (in_force, zones) = (home.in_force(), daily_pages::zones());
    let daily = html::Daily {
        zone: in_force.config.home.time_zone.as_deref().unwrap_or_default(),
        zones: &zones,
        hold_seconds: in_force.config.home.hold_seconds,
        model: in_force.config.model.as_ref().map(|model| (model.name.as_str(), model.base_url.as_str())),
    };
    let view =
        html::Settings { devices: &devices, sessions: &sessions, codes_left: Some(codes_left), daily, names: &names };
    Ok(shown(html::settings(&around.frame(Section::Settings), &view)))
}

async fn notifications(AppState(home): Shared) -> Page {
    let around = Around::of(&home).await?;
    let read = |home: &Home| Ok((home.notifications()?, home.sending_accounts()?));
    let (view, accounts) = reading(&home, read).await?;
    let mut page = shown(html::notifications(&around.frame(Section::Settings), &view, &accounts));
    let policy = HeaderValue::from_static(html::NOTIFICATIONS_POLICY);
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

async fn manifest() -> Response {
    ([(header::CONTENT_TYPE, "application/manifest+json")], html::manifest()).into_response()
}

async fn worker() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], html::WORKER.1).into_response()
}

async fn try_notification(AppState(home): Shared, headers: HeaderMap, id: Path<String>) -> Page {
    let Json(_) = super::notifications::try_out(AppState(Arc::clone(&home)), id).await?;
    Ok(back(&home, &headers, "/notifications"))
}

async fn end_notification(AppState(home): Shared, headers: HeaderMap, id: Path<String>) -> Page {
    let Json(_) = super::notifications::end(AppState(Arc::clone(&home)), id).await?;
    Ok(back(&home, &headers, "/notifications"))
}

async fn pause(AppState(home): Shared, headers: HeaderMap) -> Page {
    let Json(_) = house::pause(AppState(Arc::clone(&home))).await?;
    Ok(back(&home, &headers, "/approvals"))
}

/// A refusal, with what the agent is told.
#[derive(Deserialize)]
struct RejectForm {
    id: String,
    #[serde(default)]
    note: String,
}

async fn reject(AppState(home): Shared, headers: HeaderMap, Form(form): Form<RejectForm>) -> Page {
    // Browsers end lines with CR and LF (HTML, form submission).
    let body = RejectBody { ids: vec![form.id], note: form.note.replace("\r\n", "\n") };
    let Json(_) = actions::reject(AppState(Arc::clone(&home)), JsonBody(body)).await?;
    Ok(back(&home, &headers, "/approvals"))
}

async fn take_back(AppState(home): Shared, headers: HeaderMap, Form(form): Form<IdForm>) -> Page {
    let Json(_) = actions::cancel(AppState(Arc::clone(&home)), JsonBody(IdsBody { ids: vec![form.id] })).await?;
    Ok(back(&home, &headers, "/approvals"))
}

/// The person's word on an action whose outcome is not known.
#[derive(Deserialize)]
struct HappenedForm {
    id: String,
    happened: String,
}

async fn happened(AppState(home): Shared, headers: HeaderMap, Form(form): Form<HappenedForm>) -> Page {
    let happened = match form.happened.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(failure(Code::Malformed, "say `yes` or `no`")),
    };
    let body = bailey_interface::ResolveBody { happened };
    let Json(_) = actions::resolve(AppState(Arc::clone(&home)), Path(form.id), JsonBody(body)).await?;
    Ok(back(&home, &headers, "/approvals"))
}

/// A changed mail, or entry of a calendar.
#[derive(Deserialize)]
struct EditForm {
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    cc: Option<String>,
    #[serde(default)]
    bcc: Option<String>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    what: Option<String>,
    #[serde(default)]
    begins: Option<String>,
    #[serde(default)]
    ends: Option<String>,
    #[serde(default, rename = "where")]
    place: Option<String>,
    #[serde(default)]
    notes: Option<String>,
}

impl EditForm {
    /// Returns what was written, by name.
    fn typed(self) -> BTreeMap<&'static str, String> {
        let Self { to, cc, bcc, subject, body, what, begins, ends, place, notes } = self;
        let all = [
            ("to", to),
            ("cc", cc),
            ("bcc", bcc),
            ("subject", subject),
            ("body", body),
            ("what", what),
            ("begins", begins),
            ("ends", ends),
            ("where", place),
            ("notes", notes),
        ];
        // Browsers end lines with CR and LF (HTML, form submission).
        all.into_iter().filter_map(|(name, text)| Some((name, text?.replace("\r\n", "\n")))).collect()
    }
}

async fn save_edit(AppState(home): Shared, Path(id): Path<String>, caller: Caller, Form(form): Form<EditForm>) -> Page {
    let typed = form.typed();
    let text = |name: &str| typed.get(name).cloned();
    let lines = |name: &str| {
        let text = typed.get(name)?;
        Some(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    };
    let edit = Edit {
        to: lines("to"),
        cc: lines("cc"),
        bcc: lines("bcc"),
        subject: text("subject"),
        body: text("body"),
        what: text("what"),
        begins: text("begins"),
        ends: text("ends"),
        place: text("where"),
        notes: text("notes"),
    };
    let (field, why) = match actions::edited(Arc::clone(&home), &id, caller, edit).await {
        Ok(view) => return Ok(to(&format!("/approvals/{}", view.id))),
        Err(NotEdited::Bad(BadCall::Bad { name, why })) => (name, why),
        Err(NotEdited::Bad(BadCall::Missing(name))) => (name, "it is needed".to_owned()),
        Err(NotEdited::Bad(other)) => ("", other.to_string()),
        Err(NotEdited::Failed(Failure(wrong))) if matches!(wrong.code, Code::Invalid | Code::Conflict) => {
            ("", wrong.message)
        }
        Err(NotEdited::Failed(failed)) => return Err(failed),
    };
    editing(home, &id, Some((typed, field, &visible(&why)))).await
}

async fn give_task(AppState(home): Shared, Form(form): Form<WordsForm>) -> Page {
    let body = TaskBody { words: form.words.replace("\r\n", "\n"), origin: None };
    let Json(view) = tasks::give_task(AppState(home), HeaderMap::new(), JsonBody(body)).await?;
    Ok(to(&format!("/talk/{}", view.summary.id)))
}

async fn more(AppState(home): Shared, Path(id): Path<String>, Form(form): Form<WordsForm>) -> Page {
    let body = TaskBody { words: form.words.replace("\r\n", "\n"), origin: None };
    let Json(view) = tasks::go_on(AppState(home), Path(id), JsonBody(body)).await?;
    Ok(to(&format!("/talk/{}", view.summary.id)))
}

async fn stop(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let Json(view) = tasks::stop_task(AppState(home), Path(id)).await?;
    Ok(to(&format!("/talk/{}", view.summary.id)))
}

/// What of a task is taken back.
#[derive(Deserialize)]
struct IdsForm {
    ids: String,
}

async fn take_back_task(
    AppState(home): Shared,
    Path(id): Path<String>,
    caller: Caller,
    Form(form): Form<IdsForm>,
) -> Page {
    let take_back = form.ids.split_whitespace().map(str::to_owned).collect();
    let body = bailey_interface::UndoTaskBody { take_back, undo: Vec::new(), proof: None };
    let Json(_) = undoing::undo_task(AppState(home), Path(id.clone()), caller, JsonBody(body)).await?;
    Ok(to(&format!("/talk/{id}/undo")))
}

/// The page to go on to.
#[derive(Default, Deserialize)]
struct GoOnForm {
    #[serde(default)]
    to: String,
}

async fn revoke(AppState(home): Shared, Path(id): Path<String>, Form(form): Form<GoOnForm>) -> Page {
    let Json(view) = connections::revoke(AppState(home), Path(id)).await?;
    Ok(to(&match form.to.as_str() {
        "/models" => "/models".to_owned(),
        _ => format!("/connections?ended={}", view.at_provider),
    }))
}

async fn make_default(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let Json(_) = connections::make_default(AppState(home), Path(id)).await?;
    Ok(to("/connections"))
}

async fn end_session(AppState(home): Shared, caller: Caller, Path(id): Path<String>) -> Page {
    let id = *parse::<Nonce>("session", &id)?.as_bytes();
    browsers::ended(&home, Some(id)).await?;
    Ok(to(if caller.session == Some(id) { SIGN_IN } else { "/settings" }))
}

async fn end_sessions(AppState(home): Shared) -> Page {
    browsers::ended(&home, None).await?;
    Ok(to(SIGN_IN))
}

async fn sign_out(AppState(home): Shared, caller: Caller, headers: HeaderMap) -> Page {
    if let Some(id) = caller.session {
        browsers::ended(&home, Some(id)).await?;
    }
    let mut response = to(SIGN_IN);
    let cookie = access::origin(&home, &headers).and_then(|origin| access::set_cookie(&origin, None));
    let more = response.headers_mut();
    more.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    more.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(response)
}

async fn export(AppState(home): Shared) -> Page {
    let mut response = log::export_sealed(AppState(home)).await?.into_response();
    let name = HeaderValue::from_static("attachment; filename=\"bailey-log.jsonl\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_actions_are_named_in_words_on_pages() {
        let unnamed: Vec<_> =
            ActionKind::all().map(ActionKind::name).filter(|name| html::kind_in_words(name) == *name).collect();
        assert_eq!(unnamed, [""; 0]);
    }
}
