//! The person's browsers: links, passkeys, sessions, recovery codes.

use super::*;
use crate::authority::webauthn_challenge;
use crate::browsers::{LINK_MS, LetIn, Refused, Registration, host_of, registration_challenge};
use crate::passphrase::{By, NewPassphrase};
use bailey_interface::{
    ClaimBody, ClaimedView, ConfirmedView, LinkBody, LinkView, PasskeyChallenge, PasskeyHint, PasskeyView,
    PassphraseBody, RecoverBody, RecoveryCodesView, RegistrationOptions, RequestBody, SessionView, Shown,
};
use bailey_ledger::{PasskeyRow, SessionRow};

/// An answer that comes with the cookie of a session.
type WithCookie<T> = Result<(HeaderMap, Json<T>), Failure>;

impl From<Refused> for Failure {
    fn from(error: Refused) -> Self {
        let code = match &error {
            Refused::Link | Refused::Code | Refused::Origin | Refused::Ended => Code::NotAuthorised,
            Refused::Passkey(_) | Refused::NoPassphrase => Code::Invalid,
            Refused::Keys(_) => Code::Internal,
            Refused::Store(_) => {
                let Refused::Store(error) = error else { return failure(Code::Internal, "the store failed") };
                return error.into();
            }
        };
        failure(code, error.to_string())
    }
}

fn id_of(bytes: [u8; 16]) -> String {
    Nonce::from_bytes(bytes).to_string()
}

/// Returns a field of a body that is to be posted.
fn field<T: serde::de::DeserializeOwned>(body: &serde_json::Value, name: &str) -> Result<T, Failure> {
    let value = body.get(name).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|error| failure(Code::Invalid, format!("`{name}` of the body: {error}")))
}

/// Reads salt and public half of the key of a new passphrase.
fn new_key(salt: &str, public: &str) -> Result<([u8; 16], [u8; 32]), Failure> {
    let public = assertion_part("public key", public)?;
    let public = public.try_into().map_err(|_| failure(Code::Invalid, "the public key is not of 32 bytes"))?;
    Ok((*parse::<Nonce>("salt", salt)?.as_bytes(), public))
}

pub(super) async fn set_passphrase(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<PassphraseBody>,
) -> Answer<()> {
    let (salt, public) = new_key(&body.salt, &body.public)?;
    let new = NewPassphrase { salt, public, signature: assertion_part("signature", &body.signature)? };
    let leave = match (&body.proof, &body.token) {
        (Some(given), None) => Some(authorise(&home, purposes::set_passphrase(&salt, &public), given, caller).await?),
        (None, Some(_)) => None,
        (None, None) | (Some(_), Some(_)) => {
            let why = "setting a passphrase needs the one that counts, a touch of a passkey, or a link, and one of them alone";
            return Err(failure(Code::NotAuthorised, why));
        }
    };
    let set = move |home: &Home| {
        let by = match (&leave, &body.token) {
            (Some(leave), _) => By::Leave(leave),
            (None, token) => By::Link(token.as_deref().unwrap_or_default()),
        };
        Ok(home.set_passphrase(&by, &new)?)
    };
    reading(&home, set).await.map(Json)
}

/// Returns what a request needs the person's leave for: made by the same functions that check it when it is done, so that what a
/// passkey signs for something else than is posted then counts for nothing.
fn purpose(asked: &RequestBody) -> Result<Purpose, Failure> {
    let RequestBody { path, body } = asked;
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    Ok(match parts.as_slice() {
        ["v1", "approvals", "approve"] => Purpose::Approve(actions::shown(&field::<Vec<Shown>>(body, "shown")?)?),
        ["v1", "resume"] => Purpose::Resume { epoch: field(body, "epoch")? },
        ["v1", "actions", id, "undo"] => Purpose::Undo(parse("action", id)?),
        ["v1", "tasks", _, "undo"] => Purpose::UndoAll(undoing::named(&field::<Vec<String>>(body, "undo")?)?),
        ["v1", "connections" | "sign-ins"] => {
            purposes::connect(&field(body, "settings")?, &field::<String>(body, "level")?)
        }
        ["v1", "connections", id, "level"] => {
            purposes::change_level(&parse("connection", id)?, &field::<String>(body, "level")?)
        }
        ["v1", "notifications"] => purposes::notify(&field(body, "place")?),
        ["v1", "config"] => purposes::change_settings(&field(body, "change")?),
        ["v1", "schedules"] => purposes::make_schedule(&field(body, "plan")?),
        ["v1", "rules"] => purposes::change_rules(&field(body, "change")?),
        ["v1", "log", "export-readable" | "export-csv"] => purposes::export_readable(),
        ["v1", "home", "delete"] => purposes::delete_home(),
        ["v1", "browsers", "link"] => purposes::let_browser_in(),
        ["v1", "passphrase"] => {
            let (salt, public) = new_key(&field::<String>(body, "salt")?, &field::<String>(body, "public")?)?;
            purposes::set_passphrase(&salt, &public)
        }
        ["v1", "passkeys", "confirm"] => purposes::confirm_passkeys(),
        ["v1", "passkeys", id, "end"] => purposes::end_passkey(&parse("passkey", id)?),
        ["v1", "recovery-codes"] => purposes::recovery_codes(),
        ["v1", "files", "trash", "empty"] => purposes::empty_trash(),
        ["v1", "computer", "destroy"] => purposes::destroy_computer(),
        _ => return Err(failure(Code::Invalid, format!("`{}` needs nobody's leave", visible(path)))),
    })
}

/// Makes the challenge of a purpose, for the passkeys of the page that asks. Strangers are not told which there are.
async fn challenge_for(
    home: Arc<Home>,
    purpose: Purpose,
    headers: &HeaderMap,
    caller: Option<Caller>,
) -> Answer<PasskeyChallenge> {
    let origin = access::origin(&home, headers).ok_or(Refused::Origin)?;
    let random = Nonce::from_bytes(drawn()?);
    let read = move |home: &Home| Ok((home.gate.challenge(&random, home.clock.now()), home.ledger.passkeys()?));
    let (challenge, known) = match caller {
        Some(_) => reading_promptly(&home, read).await?,
        None => reading_for_strangers(&home, read).await?,
    };
    let rp = host_of(&origin).to_owned();
    let ours = known.into_iter().filter(|row| row.is_active() && row.rp == rp && caller.is_some());
    let hint = |row: PasskeyRow| PasskeyHint { credential: id_of(row.id), id: BASE64.encode(row.raw_id) };
    Ok(Json(PasskeyChallenge {
        challenge: challenge.to_string(),
        webauthn: BASE64.encode(webauthn_challenge(&purpose.message(&home.gate.home(), &challenge))),
        passkeys: ours.map(hint).collect(),
        rp,
    }))
}

pub(super) async fn challenge(
    AppState(home): Shared,
    headers: HeaderMap,
    caller: Caller,
    JsonBody(body): JsonBody<RequestBody>,
) -> Answer<PasskeyChallenge> {
    challenge_for(home, purpose(&body)?, &headers, Some(caller)).await
}

pub(super) async fn sign_in_challenge(AppState(home): Shared, headers: HeaderMap) -> Answer<PasskeyChallenge> {
    challenge_for(home, purposes::sign_in(), &headers, None).await
}

/// Returns the answer that lets a browser in, with its cookie.
fn let_in(origin: &str, made: LetIn) -> WithCookie<ClaimedView> {
    let mut headers = HeaderMap::new();
    let cookie = access::set_cookie(origin, Some(&made.secret));
    headers.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    let view = ClaimedView { session: id_of(made.session.id), recovery_codes: made.codes };
    Ok((headers, Json(view)))
}

pub(super) async fn begin_session(
    AppState(home): Shared,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ProvenBody>,
) -> WithCookie<ClaimedView> {
    let origin = access::origin(&home, &headers).ok_or(Refused::Origin)?;
    // The answer is a passkey's, whoever sends it; a passphrase is asked for by the command line alone.
    let AssertionBody::Passkey { credential_id, .. } = &body.proof.assertion else {
        return Err(failure(Code::NotAuthorised, "a browser signs in by a passkey"));
    };
    // Which of ours it is, its browser was not told.
    let raw = assertion_part("credential id", credential_id)?;
    let known = reading_for_strangers(&home, |home| Ok(home.ledger.passkeys()?)).await?;
    let ours = known.into_iter().find(|row| row.raw_id == raw);
    let why = "this passkey is not one of this home's, or was ended; let the browser in anew with `bailey dashboard`";
    let ours = ours.ok_or_else(|| failure(Code::NotAuthorised, why))?;
    let proof = ProofBody { credential: id_of(ours.id), ..body.proof };
    let caller = Caller { client: Client::Dashboard, session: Some(drawn()?) };
    let leave = authorise(&home, purposes::sign_in(), &proof, caller).await?;
    let rp = ours.rp;
    let agent = access::agent(&headers);
    let made = reading_for_strangers(&home, move |home| Ok(home.begin_session(&leave, &rp, &agent)?)).await?;
    let_in(&origin, made)
}

pub(super) async fn sessions(AppState(home): Shared, caller: Caller) -> Answer<Vec<SessionView>> {
    Ok(Json(session_views(&home, caller)))
}

/// Returns the sessions that stand, heard of last first.
pub(super) fn session_views(home: &Home, caller: Caller) -> Vec<SessionView> {
    let view = |row: SessionRow| SessionView {
        id: id_of(row.id),
        passkey: id_of(row.passkey),
        agent: row.agent,
        made_ms: row.made_ms,
        used_ms: row.used_ms,
        is_this: caller.session == Some(row.id),
    };
    home.browsers.list(home.clock.now()).into_iter().map(view).collect()
}

pub(super) async fn end_session(AppState(home): Shared, Path(id): Path<String>) -> Answer<()> {
    let id = *parse::<Nonce>("session", &id)?.as_bytes();
    if ended(&home, Some(id)).await? {
        Ok(Json(()))
    } else {
        Err(failure(Code::NotFound, "there is no such session; it may have ended"))
    }
}

pub(super) async fn end_sessions(AppState(home): Shared) -> Answer<()> {
    ended(&home, None).await?;
    Ok(Json(()))
}

/// Ends a session, or all of them, for the interface and for its pages. False if there is none that stands.
pub(super) async fn ended(home: &Arc<Home>, which: Option<[u8; 16]>) -> Result<bool, Failure> {
    reading_promptly(home, move |home| Ok(home.end_session(which)?)).await
}

fn link_view(home: &Home, token: String) -> LinkView {
    let urls = home.origins().iter().map(|origin| format!("{origin}/claim#{token}")).collect();
    LinkView { token, urls, seconds: LINK_MS / 1_000 }
}

pub(super) async fn link(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Answer<LinkView> {
    let leave = authorise(&home, purposes::let_browser_in(), &body.proof, caller).await?;
    let token = reading_promptly(&home, move |home| Ok(home.let_browser_in(&leave)?)).await?;
    Ok(Json(link_view(&home, token)))
}

pub(super) async fn options(
    AppState(home): Shared,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LinkBody>,
) -> Answer<RegistrationOptions> {
    let origin = access::origin(&home, &headers).ok_or(Refused::Origin)?;
    if !home.browsers.is_open(&body.token, home.clock.now()) {
        return Err(Refused::Link.into());
    }
    let known = reading_for_strangers(&home, |home| Ok(home.ledger.passkeys()?)).await?;
    let active = known.into_iter().filter(|row| row.ended_ms.is_none());
    Ok(Json(RegistrationOptions {
        challenge: BASE64.encode(registration_challenge(&home.gate.home(), &body.token)),
        rp: host_of(&origin).into(),
        user: BASE64.encode(drawn()?),
        user_name: format!("Bailey at {}", origin.split_once("://").map_or(origin.as_str(), |(_, rest)| rest)),
        algorithms: bailey_keys::passkey::ALGORITHMS.to_vec(),
        exclude: active.map(|row| BASE64.encode(row.raw_id)).collect(),
    }))
}

pub(super) async fn claim(
    AppState(home): Shared,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ClaimBody>,
) -> WithCookie<ClaimedView> {
    let origin = access::origin(&home, &headers).ok_or(Refused::Origin)?;
    let made = Registration {
        credential_id: assertion_part("credential id", &body.credential_id)?,
        client_data: assertion_part("client data", &body.client_data)?,
        authenticator_data: assertion_part("authenticator data", &body.authenticator_data)?,
    };
    let (page, agent) = (origin.clone(), access::agent(&headers));
    let claimed = move |home: &Home| Ok(home.claim(&body.token, &page, &body.name, &agent, &made)?);
    let made = reading_for_strangers(&home, claimed).await?;
    let_in(&origin, made)
}

pub(super) async fn recover(AppState(home): Shared, JsonBody(body): JsonBody<RecoverBody>) -> Answer<LinkView> {
    let token = reading_for_strangers(&home, move |home| Ok(home.recover(&body.code)?)).await?;
    Ok(Json(link_view(&home, token)))
}

fn passkey_view(row: PasskeyRow) -> PasskeyView {
    PasskeyView {
        id: id_of(row.id),
        name: row.name,
        rp: row.rp,
        synced: row.synced,
        made_ms: row.made_ms,
        used_ms: row.used_ms,
        ended_ms: row.ended_ms,
        confirmed: row.confirmed,
    }
}

/// Returns the passkeys there are and were, oldest first.
pub(super) fn passkey_views(home: &Home) -> Result<Vec<PasskeyView>, Failure> {
    Ok(home.ledger.passkeys()?.into_iter().map(passkey_view).collect())
}

pub(super) async fn passkeys(AppState(home): Shared) -> Answer<Vec<PasskeyView>> {
    reading(&home, passkey_views).await.map(Json)
}

pub(super) async fn end_passkey(
    AppState(home): Shared,
    Path(id): Path<String>,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Answer<Vec<PasskeyView>> {
    let id: Nonce = parse("passkey", &id)?;
    let leave = authorise(&home, purposes::end_passkey(&id), &body.proof, caller).await?;
    let end = move |home: &Home| {
        if home.end_passkey(*id.as_bytes(), &leave)? {
            passkey_views(home)
        } else {
            Err(failure(Code::NotFound, "there is no such passkey that still counts"))
        }
    };
    reading_promptly(&home, end).await.map(Json)
}

pub(super) async fn confirm_passkeys(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Answer<ConfirmedView> {
    if !matches!(body.proof.assertion, AssertionBody::PassphraseKey { .. }) {
        return Err(failure(
            Code::NotAuthorised,
            "the approval passphrase alone confirms passkeys: `bailey passkey confirm`",
        ));
    }
    let leave = authorise(&home, purposes::confirm_passkeys(), &body.proof, caller).await?;
    let confirm = move |home: &Home| {
        let doubted = home.ledger.passkeys()?.into_iter().filter(|row| !row.confirmed && row.ended_ms.is_none());
        Ok(home.confirm_passkeys(&doubted.map(|row| row.id).collect::<Vec<_>>(), &leave)?)
    };
    let passkeys = reading_promptly(&home, confirm).await?;
    Ok(Json(ConfirmedView { passkeys }))
}

pub(super) async fn recovery_codes(AppState(home): Shared) -> Answer<RecoveryCodesView> {
    let left = reading(&home, |home| Ok(home.ledger.recovery_codes_left()?)).await?;
    Ok(Json(RecoveryCodesView { codes: Vec::new(), left }))
}

pub(super) async fn new_recovery_codes(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Answer<RecoveryCodesView> {
    let leave = authorise(&home, purposes::recovery_codes(), &body.proof, caller).await?;
    let codes = reading_promptly(&home, move |home| Ok(home.new_recovery_codes(&leave)?)).await?;
    Ok(Json(RecoveryCodesView { left: codes.len() as u64, codes }))
}
