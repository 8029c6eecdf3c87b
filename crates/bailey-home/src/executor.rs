//! From permits to outcomes: claim, carry out, settle. The gate is synchronous; this is where it meets the runtime.

use std::sync::Arc;
use std::time::Duration;

use bailey_connectors::Lookup;
use bailey_gate::content::Content;
use bailey_gate::family::home::HomeAction;
use bailey_gate::family::{Action, home};
use bailey_gate::handoff::Mode;
use bailey_gate::{Claiming, Connector as _, Effect, Found, GateError, Outcome, Permit, Settled, State};
use bailey_telemetry::{Id, Instrument as _, event, span};
use tokio::task::spawn_blocking;

use crate::Ended;
use crate::home::Home;
use crate::metrics::code;

/// How often waiting actions are looked at for having expired, and the log for wanting a checkpoint.
const SWEEP: Duration = Duration::from_secs(10);
/// How often a provider that has not confirmed a revocation is told again.
const NOTICE_AGAIN: Duration = Duration::from_secs(60);
/// How long to wait before trying again to record an outcome that could not be recorded.
const RETRY: Duration = Duration::from_secs(2);

/// Runs blocking work of the gate off the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GateError> + Send + 'static,
) -> Result<T, GateError> {
    let ended = spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(bailey_gate::ledger::StoreError::Broken(error.to_string()).into()))
}

impl Home {
    /// Takes a permit as far as it goes now. What is held goes on when its window is over.
    pub(crate) fn run(self: &Arc<Self>, permit: Permit) {
        let home = Arc::clone(self);
        let id = permit.action();
        let running = async move {
            if let Err(error) = home.execute(permit).await {
                match error {
                    // Claimed by another road, or everything is paused: the row says where it stands.
                    GateError::Paused => {}
                    GateError::WrongState { .. } => tokio::time::sleep(RETRY).await,
                    other => {
                        event!(WARN, "an action could not be carried out and is tried again", code = code(&other));
                        // Whoever is told of a change tries again: not before there is a chance that it works.
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
            home.changed();
        };
        self.spawn_detached(running.instrument(span!("action", action = Id::new(*id.as_bytes()))));
    }

    async fn execute(self: &Arc<Self>, permit: Permit) -> Result<(), GateError> {
        let (gate, now) = (Arc::clone(&self.gate), self.clock.now());
        match blocking(move || gate.claim(permit, now)).await? {
            Claiming::Claimed(claimed) if matches!(claimed.action(), Action::Home(HomeAction::MemoryRead)) => {
                let notes = self.notes()?;
                self.settle(claimed.settle(Outcome::new(Effect::Done, notes))).await
            }
            Claiming::Claimed(claimed) => {
                let id = claimed.id();
                let services = self.services.clone();
                // In a task of its own: a connector that panics must not take the outcome with it.
                let carrying = async move { services.execute(*claimed).await };
                match tokio::spawn(carrying.in_current_span()).await {
                    Ok(settled) => self.settle(settled).await,
                    Err(_) => {
                        let (gate, now) = (Arc::clone(&self.gate), self.clock.now());
                        blocking(move || gate.abandon(&id, now)).await
                    }
                }
            }
            Claiming::Done | Claiming::Held(_) | Claiming::NotClaimed(_) => Ok(()),
        }
    }

    /// Returns the notes that were kept and not forgotten, oldest first, as a model is shown them.
    fn notes(&self) -> Result<String, GateError> {
        let kept = self.ledger.of_kind(home::MEMORY_WRITE, State::Succeeded)?;
        let note = |record: &bailey_ledger::ActionRecord| match Content::decode(&record.content).ok()?.action {
            Action::Home(HomeAction::MemoryWrite { note }) => Some(note),
            _ => None,
        };
        let notes: Vec<String> = kept.iter().filter_map(note).map(|note| format!("- {note}")).collect();
        Ok(if notes.is_empty() { "There are no notes.".into() } else { notes.join("\n") })
    }

    /// Records an outcome, as often as it takes: what is done is done, even where the disk is full.
    async fn settle(self: &Arc<Self>, settled: Settled) -> Result<(), GateError> {
        let settled = Arc::new(settled);
        loop {
            let (gate, now, outcome) = (Arc::clone(&self.gate), self.clock.now(), Arc::clone(&settled));
            match blocking(move || gate.settle(&outcome, now)).await {
                Ok(State::Unknown) => return self.reconcile().await,
                Ok(_) => return Ok(()),
                Err(GateError::Store(error)) => {
                    let code = code(&GateError::Store(error));
                    event!(ERROR, "an outcome could not be recorded and is kept in memory", code = code);
                    tokio::time::sleep(RETRY).await;
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Looks up what is not known, as its service can; what cannot be found out, the person decides.
    pub(crate) async fn reconcile(self: &Arc<Self>) -> Result<(), GateError> {
        if self.gate.lock().pause_state().mode == Mode::Paused {
            return Ok(());
        }
        let gate = Arc::clone(&self.gate);
        for id in blocking(move || gate.unknown()).await? {
            let Some((found, detail)) = self.look_up(&id).await? else { continue };
            let (gate, now) = (Arc::clone(&self.gate), self.clock.now());
            match blocking(move || gate.reconcile(&id, found, detail, now)).await {
                // Somebody else looked it up at the same time: each action that ends in doubt does.
                Ok(_) | Err(GateError::WrongState { .. }) => self.changed(),
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    async fn look_up(&self, id: &bailey_gate::ActionId) -> Result<Lookup, GateError> {
        let content = self.ledger.action(id)?.and_then(|record| Content::decode(&record.content).ok());
        Ok(match content {
            Some(content) => self.services.reconcile(&content).await,
            None => Some((Found::No, "what was to be done cannot be read any more, so it could not be looked up")),
        })
    }

    /// Tells providers of revoked connections, until each has confirmed.
    pub(crate) async fn deliver_revocation_notices(self: Arc<Self>) {
        loop {
            for id in self.vault.pending_revocation_notices().unwrap_or_default() {
                if self.vault.tell_provider(&id).await.is_err() {
                    let connection = Id::new(*id.as_bytes());
                    event!(WARN, "a provider could not be told of a revocation yet", connection = connection);
                }
            }
            tokio::time::sleep(NOTICE_AGAIN).await;
        }
    }

    /// Does everything that goes on by itself: what a restart left behind, hold windows, expiry, checkpoints.
    pub(crate) async fn housekeeping(self: Arc<Self>) {
        let mut changes = self.changes();
        if let Err(error) = self.reconcile().await {
            event!(WARN, "what was under way could not be looked up yet", code = code(&error));
        }
        loop {
            // Before the round: what changes while it goes on is looked at in the next.
            changes.mark_unchanged();
            // Whoever asks meanwhile is told so; what was under way is dealt with as after a crash.
            if self.ledger.has_failed() {
                event!(ERROR, "the home's database cannot be used by this process any more");
                return self.end(Ended::StorageFailed);
            }
            let wait = match self.tick().await {
                Ok(next) => next,
                Err(error) => {
                    event!(WARN, "what is due could not be looked at", code = code(&error));
                    SWEEP
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// Returns one round; returns how long nothing will be due.
    async fn tick(self: &Arc<Self>) -> Result<Duration, GateError> {
        let (gate, ledger, now) = (Arc::clone(&self.gate), Arc::clone(&self.ledger), self.clock.now());
        let (due, next) = blocking(move || {
            gate.expire(now)?;
            ledger.checkpoint_due(now)?;
            Ok((gate.due(now)?, gate.next_due(now)?))
        })
        .await?;
        for permit in due {
            self.run(permit);
        }
        if !self.gate.unknown()?.is_empty() {
            self.reconcile().await?;
        }
        // A little after the deadline rather than a little before it.
        Ok(next.map_or(SWEEP, |ms| Duration::from_millis(ms.max(5))).min(SWEEP))
    }
}
