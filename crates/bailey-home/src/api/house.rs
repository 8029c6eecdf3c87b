//! The home as a whole: how it is, what changes, stopping and deleting it.

use bailey_gate::event::EventKind;
use bailey_telemetry::event;

use super::connections::TELL_WITHIN;
use super::*;
use crate::Ended;

pub(super) async fn status(AppState(home): Shared) -> Answer<Status> {
    let pause_state = home.gate.lock().pause_state();
    let counts = |home: &Home| {
        let (log_entries, _) = home.ledger.head()?;
        let over = home.sign_ins_over().into_iter().map(|(_, said)| said).chain(home.schedules_need()?);
        let (waiting, needed) = (home.ledger.count_in(State::Awaiting)?, home.ledger.count_in(State::NeedsPerson)?);
        Ok((log_entries, waiting, needed, over.collect::<Vec<_>>()))
    };
    let (log_entries, waiting, needs_person, over) = reading_promptly(&home, counts).await?;
    Ok(Json(Status {
        home: home.gate.home().to_string(),
        mode: pause_state.mode.name().into(),
        epoch: pause_state.epoch,
        model: home.model().is_some(),
        waiting,
        needs_person,
        suggestions: home.suggested.load(std::sync::atomic::Ordering::Relaxed),
        notices: home.notices().into_iter().chain(over).collect(),
        log_entries,
    }))
}

/// Since when.
#[derive(Deserialize, ToSchema)]
pub(crate) struct After {
    /// The value that `GET /v1/changes` gave last.
    #[serde(default)]
    after: Option<u64>,
}

pub(super) async fn changes(AppState(home): Shared, Query(query): Query<After>) -> Answer<u64> {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(25);
    let mut changes = home.changes();
    let seen = *changes.borrow_and_update();
    if query.after.is_none_or(|after| after == seen) && query.after.is_some() {
        let _ = tokio::time::timeout(PATIENCE, changes.changed()).await;
    }
    let now = *changes.borrow();
    Ok(Json(now))
}

pub(super) async fn events(
    AppState(home): Shared,
    caller: Caller,
) -> Result<Sse<impl futures_util::Stream<Item = Result<SentEvent, std::convert::Infallible>>>, Failure> {
    let changes = home.changes();
    let stream = futures_util::stream::unfold((home, changes, true), move |(home, mut changes, first)| async move {
        if !first {
            changes.changed().await.ok()?;
        }
        if home.ended.borrow().is_some() || !home.still_counts(caller) {
            return None;
        }
        let count = *changes.borrow_and_update();
        // What cannot be told is not told wrongly: whoever listens connects anew.
        let waiting = reading(&home, |home| Ok(home.ledger.count_in(State::Awaiting)?)).await.ok()?;
        let mode = home.gate.lock().pause_state().mode.name();
        let told = serde_json::json!({"changes": count, "waiting": waiting, "mode": mode}).to_string();
        Some((Ok(SentEvent::default().event("change").data(told)), (home, changes, false)))
    });
    Ok(Sse::new(stream).keep_alive(axum::response::sse::KeepAlive::default()))
}

pub(super) async fn delete_home(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Answer<DeletedView> {
    authorise(&home, purposes::delete_home(), &body.proof, caller).await?;
    let (gate, vault, now) = (Arc::clone(&home.gate), Arc::clone(&home.vault), home.clock.now());
    let paused = blocking(move || Ok(gate.pause(Actor::Person, now, || vault.reset()))).await?;
    let all = reading(&home, |home| Ok(home.ledger.connections()?)).await?;
    let standing: Vec<_> = all.into_iter().filter(|row| row.grant.active).collect();
    // The pause state is shut either way; a record that could not be written only matters if the home lived on.
    let mut left: Vec<String> = paused.recorded.err().into_iter().collect();
    let until = tokio::time::Instant::now() + TELL_WITHIN;
    for row in standing {
        let (vault, now, id) = (Arc::clone(&home.vault), home.clock.now(), row.id);
        let teller = Arc::clone(&vault);
        let revoked = tokio::task::spawn_blocking(move || vault.revoke(&id, now)).await;
        let trouble = match revoked.map_err(|error| error.to_string()).and_then(|done| done.map_err(|e| e.to_string()))
        {
            Err(why) => Some(why),
            Ok(_) => match tokio::time::timeout_at(
                until,
                home.spawn_detached(async move { teller.tell_provider(&id).await }),
            )
            .await
            {
                Ok(Ok(Ok(Revocation::Confirmed | Revocation::Nothing | Revocation::Before))) => None,
                Ok(Ok(Ok(Revocation::ByHand))) => Some("its password can only be ended on the provider's page".into()),
                Ok(Ok(Ok(Revocation::Unconfirmed(why)))) => Some(why),
                Ok(Ok(Err(error))) => Some(error.to_string()),
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("the provider did not answer in time".into()),
            },
        };
        left.extend(trouble.map(|why| visible(&format!("{} {}: {why}", row.kind, row.account))));
    }
    let room = Arc::clone(&home.room);
    spawn_detached(&home, async move { room.end_for_good().await }).await?;
    // On the disk before it is said: whatever ends now, what is left is destroyed.
    home.layout.mark_deletion_pending().map_err(HomeError::from)?;
    home.end(Ended::Deleted);
    Ok(Json(DeletedView { end_by_hand: left }))
}

/// What is known of the pause that is on.
#[derive(Debug, Default)]
pub(super) struct Paused {
    /// Since when, in milliseconds since 1970-01-01T00:00Z; nothing where the log could not say it.
    pub(super) since_ms: Option<i64>,
    /// What may have been handed over, and is not known, in words.
    pub(super) under_way: Vec<String>,
}

impl Paused {
    /// Actions that are told, at most.
    const TOLD: u32 = 10;

    /// Returns what is known of it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn of(home: &Home) -> Result<Self, Failure> {
        let epoch = home.gate.lock().pause_state().epoch;
        let last = home.ledger.entries_of_kind(EventKind::Paused, 1)?.pop();
        let header = last.and_then(|entry| serde_json::from_str::<serde_json::Value>(&entry.header).ok());
        let number = |name: &str| header.as_ref()?.get(name)?.as_i64();
        let is_this = number("epoch").and_then(|of| u64::try_from(of).ok()) == Some(epoch);
        let mut under_way = Vec::new();
        for state in [State::Claimed, State::Unknown, State::Reconciling] {
            for record in home.ledger.part_of(state, 0, Self::TOLD)? {
                under_way.push(actions::action_view(home, &record)?.headline);
            }
        }
        Ok(Self { since_ms: number("wall_ms").filter(|_| is_this), under_way })
    }
}

pub(super) async fn pause(AppState(home): Shared) -> Answer<PauseView> {
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    let vault = Arc::clone(&home.vault);
    // Connections are cut the moment the pause state is shut, before anything is written down.
    let report = blocking(move || Ok(gate.pause(Actor::Client, now, || vault.reset()))).await?;
    home.unrecorded.send_replace(report.recorded.is_err());
    home.changed();
    event!(WARN, "everything was paused", in_flight = report.in_flight.len(), recorded = report.recorded.is_ok());
    let unlogged = report.logged.err().map(|error| match error {
        GateError::Store(StoreError::Full) => {
            "the disk is full: everything is paused, and the log will say so as soon as there is room again".to_owned()
        }
        other => format!("everything is paused, but the log does not say so yet: {other}"),
    });
    let trouble = [report.recorded.err(), unlogged];
    Ok(Json(PauseView {
        epoch: report.pause_state.epoch,
        trouble: trouble.into_iter().flatten().collect(),
        in_flight: report.in_flight.iter().map(ToString::to_string).collect(),
    }))
}

pub(super) async fn resume(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ResumeBody>,
) -> Answer<Vec<String>> {
    let (gate, proof, now) = (Arc::clone(&home.gate), proof(&body.proof, caller)?, home.clock.now());
    let pause_state = blocking(move || gate.begin_resume(body.epoch, &proof, now)).await?;
    if pause_state.mode == bailey_gate::handoff::Mode::Open {
        return Ok(Json(Vec::new()));
    }
    let work = Arc::clone(&home);
    spawn_detached(&home, async move { work.reconcile().await }).await??;
    let (gate, now) = (Arc::clone(&home.gate), home.clock.now());
    let swept = {
        let gate = Arc::clone(&gate);
        blocking(move || gate.finish_resume(pause_state.epoch, now)).await?
    };
    home.notices.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    home.unrecorded.send_if_modified(|unrecorded| {
        // Another pause may have come meanwhile, and be one that nobody could record.
        let over = gate.lock().pause_state()
            == bailey_gate::handoff::PauseState { mode: bailey_gate::handoff::Mode::Open, ..pause_state };
        *unrecorded &= !over;
        over
    });
    home.changed();
    event!(INFO, "the pause was ended", asked_again = swept.asked_again.len());
    Ok(Json(swept.asked_again.iter().map(ToString::to_string).collect()))
}

/// Returns where the dashboard is, and how its certificate is.
pub(super) fn names_view(home: &Home) -> bailey_interface::NamesView {
    bailey_interface::NamesView {
        origins: home.names.origins().to_vec(),
        certificate: home.certificate_view(),
        not_public: home.not_yet_public().unwrap_or_default(),
    }
}

pub(super) async fn names(AppState(home): Shared) -> Answer<bailey_interface::NamesView> {
    reading_promptly(&home, |home| Ok(names_view(home))).await.map(Json)
}
