//! Connections: making, listing, ending.

use bailey_vault::Settings;

use super::*;

pub(super) async fn connections(AppState(home): Shared) -> Answer<Vec<ConnectionView>> {
    let read = |home: &Home| {
        let rows = home.ledger.connections()?.into_iter();
        Ok(rows.map(|row| connection_view(home, row)).collect())
    };
    reading(&home, read).await.map(Json)
}

pub(super) fn connection_view(home: &Home, row: bailey_ledger::ConnectionRow) -> ConnectionView {
    let settings = home.vault.settings(&row.id).ok();
    let issuer = settings.as_ref().and_then(Settings::issuer);
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
    let services = home.services.clone();
    let new =
        spawn_detached(&home, async move { services.try_out(id, body.settings, level, credential).await }).await??;
    reading(&home, move |home| keep(home, &new, &leave)).await.map(Json)
}

fn keep(home: &Home, new: &NewConnection, leave: &Authorised) -> Result<ConnectionView, Failure> {
    home.vault.keep(new, leave, home.clock.now())?;
    home.changed();
    let row = home.ledger.connection(&new.id)?.ok_or(GateError::NoSuchConnection(new.id))?;
    Ok(connection_view(home, row))
}

/// How long a browser may take to come back.
const SIGN_IN_WITHIN: std::time::Duration = std::time::Duration::from_secs(600);

pub(super) async fn begin_sign_in(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ConnectBody>,
) -> Answer<SignIn> {
    let (level, id, leave) = leave_to_connect(&home, &body, caller).await?;
    let (vault, settings) = (Arc::clone(&home.vault), body.settings.clone());
    let flow = spawn_detached(&home, async move { vault.begin_sign_in(&settings, level).await }).await??;
    let name = Nonce::from_bytes(drawn()?).to_string();
    let begun = SignIn { id: name.clone(), url: flow.url.clone(), connection: None, trouble: None };
    sign_ins(&home).insert(name.clone(), begun.clone());
    let work = Arc::clone(&home);
    work.spawn_detached(async move {
        let settings = body.settings;
        let finishing = async {
            let credential = home.vault.finish_sign_in(flow, &settings).await?;
            home.services.try_out(id, settings.clone(), level, credential).await
        };
        let finished = tokio::time::timeout(SIGN_IN_WITHIN, finishing).await;
        let ended = match finished {
            Ok(Ok(new)) => keep(&home, &new, &leave).map_err(|failure| failure.0.message),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("nobody came back from the browser within ten minutes; connect again".into()),
        };
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
    Ok(Json(RevokeView { at_provider: name.into(), message }))
}
