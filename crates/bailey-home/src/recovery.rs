//! From an opened store to a gate: where the pause state starts, and what has to be settled before anything new.
//!
//! The simulator opens its homes through here too, so that what it breaks is what runs.

use std::path::Path;
use std::sync::{Arc, Mutex};

use bailey_gate::approval::ChallengeKey;
use bailey_gate::event::{Actor, Event, EventKind};
use bailey_gate::handoff::{Mode, PauseState};
use bailey_gate::ledger::{Ledger as GateLedger, PauseRecord};
use bailey_gate::policy::Policy;
use bailey_gate::{Gate, GateError, Limits, Now, Parts, PersonContext};
use bailey_ledger::{Ledger, Opened, Recorded};
use bailey_vault::Vault;

use crate::authority::Credentials;
use crate::home::HomeError;
use crate::layout::LayoutError;

/// The stored parts of a home, as opening found them.
pub struct Store {
    /// The store.
    pub ledger: Arc<Ledger>,
    /// The same, as the gate writes to it.
    pub transactions: Arc<dyn GateLedger>,
    /// How the log stands to the mark.
    pub found: Opened,
    /// The state that the pause record holds.
    pub recorded: Recorded,
    /// The pause record.
    pub record: Arc<dyn PauseRecord>,
    /// Whose pages may ask a passkey: scheme, host and port each.
    pub origins: Vec<String>,
    /// Where what an answer of a passkey makes suspicious is said.
    pub suspicions: Arc<Mutex<Vec<String>>>,
}

/// Builds the gate of a home and settles what a crash, or an older copy put in the database's place, left open. Gives what
/// the person should know, too.
pub fn open_gate(
    store: Store,
    policy: Arc<dyn Policy>,
    limits: Limits,
    person_context: Arc<dyn PersonContext>,
    now: Now,
) -> Result<(Arc<Gate>, Vec<String>), HomeError> {
    let Store { ledger, transactions, found, recorded, record, origins, suspicions } = store;
    let (pause_state, mut notices) = starting_pause_state(recorded, says_paused(&ledger)?, &found, ledger.epoch());
    notices.extend(ledger.set_aside().iter().map(|copy| was_damaged(copy)));
    let authority = Arc::new(Credentials { ledger: Arc::clone(&ledger), origins, suspicions });
    let challenge_key = ChallengeKey::from_bytes(bailey_keys::random().map_err(LayoutError::from)?);
    let gate = Arc::new(Gate::new(Parts {
        home: ledger.home(),
        ledger: transactions,
        policy,
        authority,
        record,
        pause_state,
        limits,
        person_context,
        challenge_key,
    }));
    recover(&gate, &ledger, &found, pause_state, now, &mut notices)?;
    let paused = pause_state.mode == Mode::Paused;
    let unsaid = match recorded {
        Recorded::PausedBySupervisor { .. } => Some(Actor::Client),
        Recorded::Unreadable => Some(Actor::Home),
        // There was no room for it in the log, say: once the log says it, too, no older record can take it back.
        Recorded::Open { .. } | Recorded::Paused { .. } if paused && !says_paused(&ledger)? => Some(Actor::Home),
        Recorded::Open { .. } | Recorded::Paused { .. } => None,
    };
    if let Some(actor) = unsaid {
        // Written down as every pause is, in the record and in the log: whatever becomes of one of them, it stays paused.
        let report = gate.pause(actor, now, || ());
        notices.extend(report.recorded.err());
        report.logged?;
    }
    if found == Opened::MarkDamaged {
        ledger.write(|tx| tx.doubt_passkeys(now.wall_ms)).map_err(GateError::from)?;
        // Not before it is paused: whatever ends this meanwhile must find the damage again.
        ledger.adopt().map_err(LayoutError::from)?;
    }
    Ok((gate, notices))
}

fn says_paused(ledger: &Ledger) -> Result<bool, GateError> {
    Ok(ledger.log_says_paused()?)
}

/// Tells where the pause state starts: as recorded; paused if that cannot be read, or if the database is an older copy.
fn starting_pause_state(
    recorded: Recorded,
    says_paused: bool,
    found: &Opened,
    log_epoch: u64,
) -> (PauseState, Vec<String>) {
    let mut notices = Vec::new();
    let (mode, epoch) = match recorded {
        Recorded::Open { epoch } if says_paused => {
            notices.push("The log says that everything is paused, the record beside it does not; it stays paused. Look at the log, then run `bailey resume`.".into());
            (Mode::Paused, epoch + 1)
        }
        Recorded::Open { epoch } if epoch < log_epoch => {
            notices.push("The record of the last pause is older than the log: Bailey ended while it was pausing, or someone put a copy back. Everything is paused. Look at the log, then run `bailey resume`.".into());
            (Mode::Paused, log_epoch + 1)
        }
        Recorded::Open { epoch } => (Mode::Open, epoch),
        Recorded::Paused { epoch } => (Mode::Paused, epoch),
        Recorded::PausedBySupervisor { epoch } => {
            notices.push("Everything was paused from outside: while Bailey did not run, or by its supervisor because the home did not pause by itself. Look at the log, then run `bailey resume`.".into());
            (Mode::Paused, epoch + 1)
        }
        Recorded::Unreadable => {
            notices.push("The record of the last pause could not be read, so everything is paused. Look at the log, then run `bailey resume`.".into());
            (Mode::Paused, log_epoch + 1)
        }
    };
    let (mode, epoch) = match found {
        Opened::New | Opened::Continued => (mode, epoch.max(log_epoch)),
        Opened::MarkDamaged => {
            notices.push("The mark beside the database is damaged, so nothing tells whether the database is the newest there was. Everything is paused, and nothing was taken back. Run `bailey log verify`, look at the log and at your connections, then run `bailey resume`. Passkeys count no more until `bailey passkey confirm`.".into());
            (Mode::Paused, epoch.max(log_epoch) + 1)
        }
        Opened::RolledBack { epoch: marked } => {
            notices.push("The database is older than the mark beside it: someone put a copy back, of the database or of the whole folder, or the mark was lost, or the write-ahead log was (then that is said, too). Everything is paused and nothing approved before is believed. Look at the log and at your connections, then run `bailey resume`.".into());
            (Mode::Paused, epoch.max(log_epoch).max(*marked) + 1)
        }
    };
    (PauseState { mode, epoch, lease_epoch: 0 }, notices)
}

/// Returns what has to be settled before anything new: claims without an outcome, approvals of an older history.
fn recover(
    gate: &Gate,
    ledger: &Ledger,
    found: &Opened,
    pause_state: PauseState,
    now: Now,
    notices: &mut Vec<String>,
) -> Result<(), HomeError> {
    let kind = match found {
        Opened::RolledBack { .. } => EventKind::Forked,
        Opened::New | Opened::Continued | Opened::MarkDamaged => EventKind::Opened,
    };
    ledger
        .write(|tx| tx.append(&Event::of_home(kind, Actor::Home, now, pause_state), None).map(|_| ()))
        .map_err(GateError::from)?;
    let swept = gate.restart(now)?;
    if !swept.unknown.is_empty() {
        notices.push(format!(
            "{} action(s) were under way when Bailey stopped; it is not known whether they happened. See `bailey log`.",
            swept.unknown.len()
        ));
    }
    if kind == EventKind::Forked {
        let report = gate.pause(Actor::Home, now, || ());
        report.recorded.map_err(HomeError::Setup)?;
        gate.cancel_pending(now)?;
        disown(ledger, now, pause_state)?;
        ledger.adopt().map_err(LayoutError::from)?;
        notices.push("Every connection was ended, every open task and every schedule was stopped, and every rule that lets something go by itself was dropped, because the copy may know of some that you ended since. Connect your accounts again, and look at `bailey rules list`. Passkeys count no more until you confirm them: `bailey passkey confirm`.".into());
    }
    gate.expire(now)?;
    if !ledger.is_same_run() {
        let asked = gate.revoke_approvals(bailey_gate::reason::OTHER_RUN, now)?;
        notices.extend((!asked.is_empty()).then(|| asks_again_elsewhere(asked.len())));
    }
    Ok(())
}

/// Returns what is said of a file of which a copy was set aside.
fn was_damaged(copy: &Path) -> String {
    format!(
        "A file was damaged, and is kept as it was as `{}`. What was written last may be missing, also from the log: look at your sent \
         mail and calendar before you give a task again, and check the disk.",
        copy.display()
    )
}

fn asks_again_elsewhere(count: usize) -> String {
    format!(
        "{count} approved action(s) ask again: the machine was started anew, or this folder was put back or copied, and then they may          have been done since. Look at `bailey approvals`, and at your sent mail, before you approve them."
    )
}

/// Returns what an older copy says is connected or under way is not believed: a grant it has may have been revoked since, and a
/// task it has may have sent its mail.
fn disown(ledger: &Ledger, now: Now, pause_state: PauseState) -> Result<(), HomeError> {
    let rows = ledger.connections().map_err(GateError::from)?;
    let keys = ledger.write(|tx| {
        let mut keys = Vec::new();
        for row in rows.into_iter().filter(|row| row.grant.active) {
            keys.extend(Vault::forget(tx, &row, now, pause_state, Actor::Home)?);
        }
        Ok(keys)
    });
    ledger.keys().destroy(&keys.map_err(GateError::from)?).map_err(|error| HomeError::Setup(error.to_string()))?;
    ledger.write(|tx| tx.doubt_passkeys(now.wall_ms)).map_err(GateError::from)?;
    crate::rules::narrow(ledger, Actor::Home, now, pause_state)?;
    crate::tasks::stop_all(ledger, now)?;
    crate::clockwork::stop_all(ledger, now)?;
    Ok(())
}
