//! Connections: making, listing, ending.

use bailey_gate::family::Group;
use bailey_interface::{PermissionView, UseView};
use bailey_ledger::Used;
use bailey_vault::{Callback, Settings};

use super::*;

pub(super) async fn connections(AppState(home): Shared) -> Answer<Vec<ConnectionView>> {
    let read = |home: &Home| {
        let (rows, uses) = (home.ledger.connections()?.into_iter(), uses(home)?);
        Ok(rows.map(|row| with_uses(home, row, &uses)).collect())
    };
    reading(&home, read).await.map(Json)
}

/// How far back it is looked what connections were used for, what a month and what a week is, in milliseconds.
const USED_WITHIN_MS: i64 = 90 * DAY_MS;
const MONTH_MS: i64 = 30 * DAY_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

fn uses(home: &Home) -> Result<Vec<Used>, Failure> {
    let now = home.clock.now().wall_ms;
    Ok(home.ledger.used(now - USED_WITHIN_MS, now - MONTH_MS, now - WEEK_MS)?)
}

/// Returns what a connection was used for.
fn use_of(home: &Home, id: &ConnectionId, made_ms: Option<i64>, uses: &[Used]) -> UseView {
    let mut out = UseView::default();
    for one in uses.iter().filter(|one| one.connection == *id) {
        out.last_ms = out.last_ms.max(Some(one.last_ms));
        out.month += one.month;
        if one.week > 0 {
            out.week.insert(one.kind.name().into(), one.week);
            let looks = matches!(one.kind.group(), Group::Read | Group::Fetch);
            out.week_looks += if looks { one.week } else { 0 };
        }
    }
    let old = made_ms.is_none_or(|made| home.clock.now().wall_ms - made > MONTH_MS);
    out.idle = old && out.month == 0;
    out
}

/// Returns what a connection could be used for, what it may be, and what it was.
fn permissions(row: &bailey_ledger::ConnectionRow, issuer: Option<&str>, uses: &[Used]) -> Vec<PermissionView> {
    let levels: &[Level] = match row.kind.as_str() {
        "model" => &[],
        "mail" => &[Level::Read, Level::Draft, Level::Send, Level::Full],
        _ => &[Level::Read, Level::Full],
    };
    let by_provider = row.grant.generation == 1
        && issuer
            .is_some_and(|issuer| bailey_vault::kept_by_bailey_alone(issuer, &row.kind, row.grant.level).is_empty());
    let of = |level: Level| {
        let used = uses.iter().filter(|one| one.connection == row.id && one.kind.needs_level() == Some(level));
        PermissionView {
            level: level.name().into(),
            granted: level <= row.grant.level,
            kept_by: if by_provider { "provider" } else { "bailey" }.into(),
            month: used.map(|one| one.month).sum(),
        }
    };
    levels.iter().map(|level| of(*level)).collect()
}

pub(super) fn connection_view(home: &Home, row: bailey_ledger::ConnectionRow) -> ConnectionView {
    let uses = uses(home).unwrap_or_default();
    with_uses(home, row, &uses)
}

fn with_uses(home: &Home, row: bailey_ledger::ConnectionRow, uses: &[Used]) -> ConnectionView {
    let granted = home.vault.granted(&row.id);
    let made_ms = granted.as_ref().map(|granted| granted.at_ms);
    let used = (row.kind != "model").then(|| use_of(home, &row.id, made_ms, uses));
    let settings = home.vault.settings(&row.id).ok();
    let issuer = settings.as_ref().and_then(Settings::issuer);
    let permissions = if row.grant.active { permissions(&row, issuer, uses) } else { Vec::new() };
    let weaker = match (&settings, issuer) {
        _ if !row.grant.active => "",
        (Some(Settings::Model(_)), _) | (None, _) => "",
        // Every change of the level gives the grant another generation; the sign-in stays the one of the first.
        (Some(_), Some(_)) if row.grant.generation > 1 => {
            "its level was changed after the sign-in: what the sign-in would allow beyond it is kept back by Bailey alone"
        }
        (Some(_), Some(issuer)) => bailey_vault::kept_by_bailey_alone(issuer, &row.kind, row.grant.level),
        (Some(_), None) => {
            "no token: the limits of this connection are kept by Bailey alone, and only the provider's page ends the password"
        }
    };
    let unseen = home.vault.unseen(&row.id).filter(|_| row.grant.active);
    let unseen = unseen
        .map(|why| format!("its sent mail could not be looked at, so nobody counts as known by it: {}", visible(&why)));
    let weaker = [Some(weaker.to_owned()).filter(|weaker| !weaker.is_empty()), unseen];
    let is_default = row.grant.active && home.vault.default_account(&row.kind) == Some(row.id);
    let account = visible(&row.account);
    ConnectionView {
        is_default,
        id: row.id.to_string(),
        sign_in: crate::sign_ins::again(&home.vault, &row.id, &account).unwrap_or_default(),
        kind: row.kind,
        account,
        level: row.grant.level.name().into(),
        active: row.grant.active,
        weaker: weaker.into_iter().flatten().collect::<Vec<_>>().join("; "),
        made_ms,
        given: granted
            .map(|granted| granted.permissions.iter().map(|name| visible(name)).collect())
            .unwrap_or_default(),
        used,
        permissions,
    }
}

pub(super) async fn discover(AppState(home): Shared, JsonBody(body): JsonBody<DiscoverBody>) -> Answer<Found> {
    let vault = Arc::clone(&home.vault);
    let work = async move {
        let mut found = vault.discover(&body.address, body.at.as_deref()).await?;
        // Others' words are in it.
        for one in [&mut found.imap, &mut found.submission].into_iter().flatten() {
            one.user = visible(&one.user);
        }
        Ok::<_, VaultError>(found)
    };
    Ok(Json(spawn_detached(&home, work).await??))
}

/// Returns the person's leave for exactly these settings at exactly this level.
async fn leave_to_connect(
    home: &Arc<Home>,
    body: &ConnectBody,
    caller: Caller,
) -> Result<(Level, ConnectionId, Authorised), Failure> {
    let level = level_of(&body.level)?;
    let leave = authorise(home, purposes::connect(&body.settings, &body.level), &body.proof, caller).await?;
    Ok((level, ConnectionId::from_bytes(drawn()?), leave))
}

pub(super) async fn connect(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ConnectBody>,
) -> Answer<ConnectionView> {
    let (level, id, leave) = leave_to_connect(&home, &body, caller).await?;
    let credential = match &body.password {
        Some(password) => Credential::AppPassword(password.expose().to_owned()),
        None => Credential::None,
    };
    let (services, replaced) = (home.services.clone(), replaced(&home, &body)?);
    let name = id.to_string();
    under_way::begin(&home, &name, &body.settings, &body.level, false).await?;
    let going = Arc::clone(&home);
    // In a task of its own, to its end: whoever asked may leave, and comes back to the connection, or to why there is none.
    let connecting = async move {
        let tried = services.try_out(id, body.settings, level, credential).await;
        let kept = match tried {
            Ok(new) => reading(&going, move |home| keep(home, &new, &leave, replaced)).await,
            Err(error) => Err(error.into()),
        };
        under_way::end(&going, &name, kept.as_ref().err().map(|Failure(wrong)| wrong.message.as_str())).await;
        kept
    };
    spawn_detached(&home, connecting).await?.map(Json)
}

/// Returns the connection that a new one comes in the place of: the one that is named, which has to be of the same account; or, of a
/// provider of models, the one that stands at its address, for a provider has one key.
fn replaced(home: &Home, body: &ConnectBody) -> Result<Option<ConnectionId>, Failure> {
    let (kind, account) = (body.settings.kind(), body.settings.account());
    let same = |row: &bailey_ledger::ConnectionRow| row.grant.active && row.kind == kind && row.account == account;
    let Some(named) = &body.replaces else {
        let all = if kind == "model" { home.ledger.connections()? } else { Vec::new() };
        return Ok(all.iter().find(|row| same(row)).map(|row| row.id));
    };
    let id: ConnectionId = parse("connection", named)?;
    let row = home.ledger.connection(&id)?.ok_or(GateError::NoSuchConnection(id))?;
    let why = "the connection that is to be replaced has ended, or is of another account; connect this one by itself";
    if same(&row) { Ok(Some(id)) } else { Err(failure(Code::Invalid, why)) }
}

fn keep(
    home: &Home,
    new: &NewConnection,
    leave: &Authorised,
    replaced: Option<ConnectionId>,
) -> Result<ConnectionView, Failure> {
    let now = home.clock.now();
    home.vault.keep(new, leave, now)?;
    if let Some(old) = replaced {
        if home.vault.default_account(new.settings.kind()) == Some(old) {
            home.vault.make_default(&new.id, now)?;
        }
        home.vault.replace(&old, now)?;
        home.gate.deny_connection(&old, now)?;
        // Its provider is told as of every one that was revoked (`deliver_revocation_notices`).
    }
    home.changed();
    let row = home.ledger.connection(&new.id)?.ok_or(GateError::NoSuchConnection(new.id))?;
    Ok(connection_view(home, row))
}

/// How long a browser may take to come back.
const SIGN_IN_WITHIN: std::time::Duration = std::time::Duration::from_secs(600);

pub(super) async fn begin_sign_in(
    AppState(home): Shared,
    headers: HeaderMap,
    caller: Caller,
    JsonBody(body): JsonBody<ConnectBody>,
) -> Answer<SignIn> {
    let page = page_back(&home, &headers, caller, body.back)?;
    let replaced = replaced(&home, &body)?;
    let (level, id, leave) = leave_to_connect(&home, &body, caller).await?;
    let (vault, settings) = (Arc::clone(&home.vault), body.settings.clone());
    let begin = async move { vault.begin_sign_in(&settings, level, page.as_deref()).await };
    let (flow, callback) = spawn_detached(&home, begin).await??;
    let name = Nonce::from_bytes(drawn()?).to_string();
    if let (Some(callback), Some(session)) = (callback, caller.session) {
        waiting(&home).insert(name.clone(), Waiting { session, callback });
    }
    let begun = SignIn { id: name.clone(), url: flow.url.clone(), connection: None, trouble: None };
    sign_ins(&home).insert(name.clone(), begun.clone());
    under_way::begin(&home, &name, &body.settings, &body.level, true).await?;
    let work = Arc::clone(&home);
    work.spawn_detached(async move {
        let settings = body.settings;
        let finishing = async {
            let SignedIn { credential, permissions } = home.vault.finish_sign_in(flow, &settings).await?;
            under_way::came_back(&home, &name);
            let new = home.services.try_out(id, settings.clone(), level, credential).await?;
            Ok::<_, VaultError>(NewConnection { permissions, ..new })
        };
        let finished = tokio::time::timeout(SIGN_IN_WITHIN, finishing).await;
        let ended = match finished {
            Ok(Ok(new)) => keep(&home, &new, &leave, replaced).map_err(|failure| failure.0.message),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("nobody came back from the browser within ten minutes; connect again".into()),
        };
        waiting(&home).remove(&name);
        under_way::end(&home, &name, ended.as_ref().err().map(String::as_str)).await;
        if let Some(sign_in) = sign_ins(&home).get_mut(&name) {
            match ended {
                Ok(view) => sign_in.connection = Some(view),
                Err(why) => sign_in.trouble = Some(visible(&why)),
            }
        }
        home.changed();
    });
    Ok(Json(begun))
}

/// A sign-in whose browser comes back to a page of the dashboard.
pub(crate) struct Waiting {
    /// The session that asked for it; none other may answer.
    session: [u8; 16],
    callback: Callback,
}

fn waiting(home: &Home) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<String, Waiting>> {
    home.waiting_sign_ins.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The page that browsers come back to from a provider.
pub(super) const OAUTH_BACK: &str = "/oauth/back";

/// Returns the address that the browser is to come back to; nothing where that is a port of this machine.
fn page_back(
    home: &Home,
    headers: &HeaderMap,
    caller: Caller,
    back: Option<BackTo>,
) -> Result<Option<String>, Failure> {
    match (back, caller.session) {
        (Some(BackTo::ThisMachine), _) | (None, None) => Ok(None),
        (Some(BackTo::Dashboard), None) => {
            Err(failure(Code::Invalid, "only a browser that is signed in to the dashboard can come back to it"))
        }
        (Some(BackTo::Dashboard) | None, Some(_)) => {
            let origin = access::origin(home, headers).ok_or_else(|| {
                failure(
                    Code::NotAuthorised,
                    "this page is not one of the dashboard's, so no browser can come back to it",
                )
            })?;
            Ok(Some(format!("{origin}{OAUTH_BACK}")))
        }
    }
}

/// How long a browser that came back waits for what became of it; the sign-in goes on all the same.
const TOLD_WITHIN: std::time::Duration = std::time::Duration::from_secs(40);

/// Takes what a browser brings back from a provider: of the sign-in that its own session asked for, once.
///
/// # Errors
///
/// [`Code::NotAuthorised`] where another browser asked for it, [`Code::NotFound`] where no sign-in waits for it.
pub(super) async fn come_back(home: &Arc<Home>, caller: Caller, query: &str) -> Result<SignIn, Failure> {
    let name = {
        let mut all = waiting(home);
        let found =
            all.iter().find(|(_, one)| one.callback.is_of(query)).map(|(name, one)| (name.clone(), one.session));
        let (name, session) = found.ok_or_else(|| {
            let why = "no sign-in waits for this answer: it was used already, was begun elsewhere, or took too long; connect again";
            failure(Code::NotFound, why)
        })?;
        // INVARIANT: whoever is led here with another's answer connects nothing.
        if caller.session != Some(session) {
            let why =
                "another browser asked for this sign-in, so its answer counts for nothing here; go on in that one";
            return Err(failure(Code::NotAuthorised, why));
        }
        let one = all.remove(&name);
        if !one.is_some_and(|one| one.callback.take(query)) {
            return Err(failure(Code::Conflict, "this sign-in was given up meanwhile; connect again"));
        }
        name
    };
    let mut changes = home.changes();
    let ended = async {
        loop {
            let one = sign_ins(home).get(&name).cloned();
            match one {
                Some(one) if one.connection.is_none() && one.trouble.is_none() => {}
                Some(one) => return Ok(one),
                None => return Err(failure(Code::NotFound, "there is no such sign-in; connect again")),
            }
            if changes.changed().await.is_err() {
                return Err(failure(Code::Internal, "the home ends"));
            }
        }
    };
    let patience = tokio::time::timeout(TOLD_WITHIN, ended).await;
    patience.unwrap_or_else(|_| {
        Err(failure(Code::Busy, "the account is still being tried out; look at Connections in a while"))
    })
}

fn sign_ins(home: &Home) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<String, SignIn>> {
    home.sign_ins.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(super) async fn sign_in(AppState(home): Shared, Path(id): Path<String>) -> Answer<SignIn> {
    let found = sign_ins(&home).get(&id).cloned();
    found.map(Json).ok_or_else(|| failure(Code::NotFound, "there is no such sign-in; connect again"))
}

pub(super) async fn make_default(AppState(home): Shared, Path(id): Path<String>) -> Answer<ConnectionView> {
    let id: ConnectionId = parse("connection", &id)?;
    let now = home.clock.now();
    let made = move |home: &Home| {
        home.vault.make_default(&id, now)?;
        let row = home.ledger.connection(&id)?.ok_or(GateError::NoSuchConnection(id))?;
        Ok(connection_view(home, row))
    };
    let view = reading(&home, made).await?;
    home.changed();
    Ok(Json(view))
}

fn level_of(name: &str) -> Result<Level, Failure> {
    Level::from_name(name).ok_or_else(|| failure(Code::Invalid, "the level is one of read-only, draft, send, full"))
}

pub(super) async fn change_level(
    AppState(home): Shared,
    Path(id): Path<String>,
    caller: Caller,
    JsonBody(body): JsonBody<LevelBody>,
) -> Answer<ConnectionView> {
    let id: ConnectionId = parse("connection", &id)?;
    let level = level_of(&body.level)?;
    let leave = authorise(&home, purposes::change_level(&id, &body.level), &body.proof, caller).await?;
    let changed = move |home: &Home| {
        home.vault.change_level(&id, level, &leave, home.clock.now())?;
        let row = home.ledger.connection(&id)?.ok_or(GateError::NoSuchConnection(id))?;
        Ok(connection_view(home, row))
    };
    let view = reading(&home, changed).await?;
    home.changed();
    Ok(Json(view))
}

/// How long whoever revokes waits for the provider; Bailey itself goes on.
pub(super) const TELL_WITHIN: std::time::Duration = std::time::Duration::from_secs(15);

pub(super) async fn revoke(AppState(home): Shared, Path(id): Path<String>) -> Answer<RevokeView> {
    let id: ConnectionId = parse("connection", &id)?;
    let (vault, gate, now) = (Arc::clone(&home.vault), Arc::clone(&home.gate), home.clock.now());
    let revoked = tokio::task::spawn_blocking(move || vault.revoke(&id, now)).await;
    revoked.map_err(|error| failure(Code::Internal, error.to_string()))??;
    blocking(move || gate.deny_connection(&id, now)).await?;
    home.changed();
    bailey_telemetry::event!(INFO, "a connection was revoked", connection = bailey_telemetry::Id::new(*id.as_bytes()));
    // In a task of its own: whoever asked may leave before the provider has answered. Asked again, it is told again, if it
    // has not confirmed yet.
    let vault = Arc::clone(&home.vault);
    let telling = home.spawn_detached(async move { vault.tell_provider(&id).await });
    let revocation = match tokio::time::timeout(TELL_WITHIN, telling).await {
        Ok(Ok(told)) => told?,
        Ok(Err(error)) => Revocation::Unconfirmed(error.to_string()),
        Err(_) => Revocation::Unconfirmed("it has not answered yet".into()),
    };
    let (name, message) = match revocation {
        Revocation::Confirmed => ("confirmed", None),
        Revocation::Unconfirmed(why) => (
            "unconfirmed",
            Some(format!(
                "The provider has not confirmed ({}). Bailey keeps telling it; remove Bailey on its page too.",
                visible(&why)
            )),
        ),
        Revocation::ByHand => ("by-hand", None),
        Revocation::Nothing => ("nothing", None),
        Revocation::Before => ("before", None),
    };
    let message = message.unwrap_or_else(|| told(name).unwrap_or_default().to_owned());
    Ok(Json(RevokeView { at_provider: name.into(), message }))
}

/// Says what a provider said to the end of a connection, by the name of the answer; nothing where there is no such.
pub(super) fn told(at_provider: &str) -> Option<&'static str> {
    Some(match at_provider {
        "confirmed" => "The provider confirmed that its tokens are over.",
        "unconfirmed" => "The provider has not confirmed. Bailey keeps telling it; remove Bailey on its page too.",
        "by-hand" => "The app password itself can only be ended on the provider's page; do that too.",
        "nothing" => "There was no credential.",
        "before" => "It was revoked before.",
        _ => return None,
    })
}
