//! Actions, and the answers of the person.

use std::collections::BTreeMap;

use bailey_connectors::{BadCall, Services};
use bailey_gate::family::ActionKind;
use bailey_gate::family::escape::visible_lines;

use super::*;
use crate::provenance;
use crate::views::{claimed_why, note_among, outcome_words};

pub(super) fn views(home: &Home, records: &[ActionRecord]) -> Result<Vec<ActionView>, Failure> {
    records.iter().map(|record| action_view(home, record)).collect()
}

/// Returns the preview is made of the stored bytes, every time.
pub(super) fn action_view(home: &Home, record: &ActionRecord) -> Result<ActionView, Failure> {
    let row = &record.row;
    let entries = home.ledger.entries_of(&row.id)?;
    let mut view = ActionView {
        id: row.id.to_string(),
        digest: row.digest.to_string(),
        kind: row.kind.name().into(),
        state: row.state.name().into(),
        task: row.task.map(|task| task.to_string()),
        at_ms: row.proposed.wall_ms,
        headline: "Its content was erased or cannot be read".into(),
        recipients: Vec::new(),
        attachments: Vec::new(),
        items: Vec::new(),
        body: String::new(),
        warnings: Vec::new(),
        provenance: Vec::new(),
        reason: home.reasons_among(&entries),
        claimed_why: claimed_why(&entries),
        class: row.class.name().into(),
        reversal: String::new(),
        has_original: false,
        can_edit: false,
        can_undo: false,
        undoes: row.undo_of.map(|of| of.to_string()),
        answered: crate::rules::answered(row).into(),
        outcome: outcome_words(&entries),
        note: note_among(&entries).map(|note| visible_lines(&note)).unwrap_or_default(),
        expires_ms: row.expires.wall_ms(),
        held_until_ms: row.held.map(|held| held.wall_ms()),
    };
    if let Ok(content) = Content::decode(&record.content) {
        let preview = Preview::of(&content);
        view.digest = preview.digest.to_string();
        view.headline = preview.headline;
        view.items =
            preview.items.into_iter().map(|item| Line { label: item.label.into(), value: item.value }).collect();
        view.body = preview.body;
        view.warnings = preview.warnings;
        let stands = provenance::of(home, &content, row.task.as_ref())?;
        view.warnings.extend(stands.warnings);
        view.provenance = stands.lines;
        view.recipients = stands.recipients;
        view.attachments = provenance::attachments(&content.action);
        view.has_original = carried::source_of(&content).is_some();
        view.reversal = provenance::reversal(&content, home.in_force().config.home.hold_seconds);
        view.can_edit = row.state == State::Awaiting && Services::can_edit(&content.action, &home.clock.zone());
        view.can_undo = row.state.may_become(State::Undoing) && Services::has_undo(&content);
    }
    Ok(view)
}

/// Which actions of a list.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Which {
    /// How many to leave out, from the newest; goes with neither of those below.
    #[serde(default)]
    skip: u32,
    /// How many at most.
    #[serde(default)]
    limit: Option<u32>,
    /// Only those before this one; costs the same however far back.
    #[serde(default)]
    before: Option<String>,
    /// Only those of a kind.
    #[serde(default)]
    kind: Option<String>,
}

pub(super) async fn actions(AppState(home): Shared, Query(which): Query<Which>) -> Answer<Vec<ActionView>> {
    let part = Part { skip: which.skip, limit: which.limit };
    let limit = part.limit();
    let before = which.before.as_deref().map(|id| parse::<ActionId>("action", id)).transpose()?;
    let named = |name: &str| {
        ActionKind::from_name(name)
            .ok_or_else(|| failure(Code::Invalid, format!("`{}` is no kind of action", visible(name))))
    };
    let kind = which.kind.as_deref().map(named).transpose()?;
    if part.skip > 0 && (before.is_some() || kind.is_some()) {
        return Err(failure(
            Code::Invalid,
            "`skip` goes with neither `before` nor `kind`; use `before` with the last id",
        ));
    }
    let read = move |home: &Home| {
        let records = match (kind, before) {
            (None, None) => home.ledger.recent_actions(part.skip, limit)?,
            (kind, before) => home.ledger.actions_before(kind, before.as_ref(), limit)?,
        };
        views(home, &records)
    };
    reading(&home, read).await.map(Json)
}

pub(super) async fn action(AppState(home): Shared, Path(id): Path<String>) -> Answer<ActionView> {
    let id: ActionId = parse("action", &id)?;
    reading(&home, move |home| action_view(home, &one(home, id)?)).await.map(Json)
}

pub(super) fn one(home: &Home, id: ActionId) -> Result<ActionRecord, Failure> {
    Ok(home.ledger.action(&id)?.ok_or(GateError::NoSuchAction(id))?)
}

pub(super) async fn approvals(AppState(home): Shared, Query(part): Query<Part>) -> Answer<Vec<ActionView>> {
    let read = move |home: &Home| views(home, &home.ledger.part_of(State::Awaiting, part.skip, part.limit())?);
    reading_promptly(&home, read).await.map(Json)
}

pub(super) async fn challenge(AppState(home): Shared) -> Answer<Challenge> {
    let random = Nonce::from_bytes(drawn()?);
    let hint = |row: bailey_ledger::CredentialRow| CredentialHint {
        id: Nonce::from_bytes(row.id).to_string(),
        kind: match row.kind {
            bailey_ledger::CredentialKind::PassphraseKey => CredentialKind::PassphraseKey,
            bailey_ledger::CredentialKind::Passkey => CredentialKind::Passkey,
        },
        salt: row.salt.map(|salt| Nonce::from_bytes(salt).to_string()),
    };
    // Off the threads that answer: an answer that is being checked holds the challenges while it reads.
    let read = move |home: &Home| {
        let passphrase = crate::passphrase::in_force(&home.ledger)?;
        let known = home.ledger.credentials()?.into_iter();
        // Of passphrases, the one that counts.
        let passkeys = known.filter(|row| row.kind == bailey_ledger::CredentialKind::Passkey);
        let known: Vec<_> = passphrase.into_iter().chain(passkeys).collect();
        Ok((home.gate.challenge(&random, home.clock.now()), known))
    };
    let (challenge, known) = reading_promptly(&home, read).await?;
    let credentials = known.into_iter().map(hint).collect();
    Ok(Json(Challenge { challenge: challenge.to_string(), home: home.gate.home().to_string(), credentials }))
}

/// Reads what the person was shown.
pub(super) fn shown(said: &[bailey_interface::Shown]) -> Result<Vec<(ActionId, Digest)>, Failure> {
    said.iter().map(|shown| Ok((parse("action", &shown.id)?, parse::<Digest>("digest", &shown.digest)?))).collect()
}

pub(super) async fn approve(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ApproveBody>,
) -> Answer<Vec<String>> {
    let shown = shown(&body.shown)?;
    let (gate, proof, now) = (Arc::clone(&home.gate), proof(&body.proof, caller)?, home.clock.now());
    let permits = blocking(move || gate.approve(shown, &proof, now)).await?;
    let approved = permits.iter().map(|permit| permit.action().to_string()).collect();
    for permit in permits {
        home.run(permit);
    }
    home.changed();
    // An approval may be the one that makes a habit of those before.
    home.answered.notify_one();
    Ok(Json(approved))
}

pub(super) async fn reject(AppState(home): Shared, JsonBody(body): JsonBody<RejectBody>) -> Answer<()> {
    let ids = body.ids.iter().map(|id| parse("action", id)).collect::<Result<Vec<ActionId>, _>>()?;
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    blocking(move || gate.reject_with_note(&ids, body.note.trim(), now)).await?;
    home.changed();
    Ok(Json(()))
}

pub(super) async fn cancel(AppState(home): Shared, JsonBody(body): JsonBody<IdsBody>) -> Answer<()> {
    let ids = body.ids.iter().map(|id| parse("action", id)).collect::<Result<Vec<ActionId>, _>>()?;
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    blocking(move || gate.cancel(&ids, now)).await?;
    home.changed();
    Ok(Json(()))
}

/// Why an edit was not taken.
#[derive(Debug)]
pub(super) enum NotEdited {
    /// A part of it cannot be used.
    Bad(BadCall),
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for NotEdited {
    fn from(failed: Failure) -> Self {
        Self::Failed(failed)
    }
}

impl From<StoreError> for NotEdited {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<GateError> for NotEdited {
    fn from(error: GateError) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) async fn edit(
    AppState(home): Shared,
    Path(id): Path<String>,
    caller: Caller,
    JsonBody(edit): JsonBody<Edit>,
) -> Answer<ActionView> {
    edited(home, &id, caller, edit).await.map(Json).map_err(|not| match not {
        NotEdited::Bad(bad) => failure(Code::Invalid, bad.to_string()),
        NotEdited::Failed(failed) => failed,
    })
}

/// Replaces a waiting action by the edited one, for the interface and for its page.
pub(super) async fn edited(home: Arc<Home>, id: &str, caller: Caller, edit: Edit) -> Result<ActionView, NotEdited> {
    let id: ActionId = parse("action", id)?;
    let look = move |home: &Home| {
        let record = one(home, id)?;
        let around = home.context_of(record.row.task.as_ref())?;
        Ok((record, around))
    };
    let (record, around) = reading(&home, look).await?;
    let content = Content::decode(&record.content).map_err(StoreError::from)?;
    let (account, precondition) = (content.account, content.precondition.clone());
    let services = home.services.clone();
    let edited = spawn_detached(&home, async move { services.edited(&content, &edit, &around).await }).await?;
    let proposal = Proposal {
        id: fresh_action().map_err(Failure::from)?,
        task: record.row.task,
        account: account.map(|(connection, _)| connection),
        precondition,
        action: edited.map_err(NotEdited::Bad)?,
        why: match caller.client {
            bailey_gate::event::Client::Dashboard => "Changed in the dashboard; look at it anew.".into(),
            _ => "Changed through the command line, or by another program with the token; look at it anew.".into(),
        },
        actor: Actor::Client,
    };
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    let proposed = blocking(move || gate.edit(&id, proposal, now)).await?;
    let Json(view) = begun(home, proposed).await?;
    Ok(view)
}

/// Returns what a waiting entry of a calendar says, by the names of [`Edit`]; nothing of other actions.
pub(super) fn entry_fields(home: &Home, id: &str) -> Result<Option<BTreeMap<&'static str, String>>, Failure> {
    let record = one(home, parse("action", id)?)?;
    let around = home.context_of(record.row.task.as_ref())?;
    let content = Content::decode(&record.content).map_err(StoreError::from)?;
    Ok(Services::entry_fields(&content.action, &around))
}

pub(super) async fn resolve(
    AppState(home): Shared,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<ResolveBody>,
) -> Answer<ActionView> {
    let id: ActionId = parse("action", &id)?;
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    blocking(move || gate.resolve(&id, body.happened, now)).await?;
    home.changed();
    reading(&home, move |home| action_view(home, &one(home, id)?)).await.map(Json)
}

pub(super) async fn undo(
    AppState(home): Shared,
    Path(id): Path<String>,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Answer<ActionView> {
    let id: ActionId = parse("action", &id)?;
    let proposal = undoing::proposal_of(&home, id).await?;
    let (gate, proof, now) = (Arc::clone(&home.gate), proof(&body.proof, caller)?, home.clock.now());
    let proposed = blocking(move || gate.undo(&id, proposal, &proof, now)).await?;
    begun(home, proposed).await
}

/// Lets run what may run, and shows it.
async fn begun(home: Arc<Home>, proposed: Proposed) -> Answer<ActionView> {
    let fresh = proposed.id;
    if let Some(permit) = proposed.permit {
        home.run(permit);
    }
    home.changed();
    action(AppState(home), Path(fresh.to_string())).await
}
