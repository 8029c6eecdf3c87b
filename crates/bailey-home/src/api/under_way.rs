//! Accounts that are being connected: it goes on in the home whoever leaves, and what came of it is told to whoever comes back. Each attempt
//! is kept, without its password: where the home ends meanwhile, the next one says so, and what was typed is there.

use bailey_interface::ConnectingView;
use bailey_ledger::{Ledger, RecordName};
use serde::Serialize;

use super::*;
use crate::wire::Settings;

/// Accounts that are remembered: those being connected, and those that could not be.
const MAX_REMEMBERED: usize = 16;
/// The kind of record of an attempt; its owner is the attempt's name.
const RECORD: &str = "connecting";
/// What is said of an attempt that the home did not live to the end of.
const BROKE_OFF: &str = "Bailey ended meanwhile. It is connected only where it stands among the accounts";

/// Accounts being connected, by the name of the attempt.
pub(crate) type UnderWay = std::collections::BTreeMap<String, Attempt>;

/// An account that is being connected, or could not be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attempt {
    view: ConnectingView,
    /// What was asked for.
    pub(super) settings: Settings,
    pub(super) level: String,
}

fn record(name: &str) -> RecordName<'_> {
    RecordName { kind: RECORD, owner: name.as_bytes(), n: 0 }
}

/// Takes up what was being connected when the home ended, and what could not be before.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn take_up(ledger: &Ledger) -> Result<UnderWay, GateError> {
    let mut all = UnderWay::new();
    for owner in ledger.record_owners(RECORD)? {
        let name = String::from_utf8_lossy(&owner).into_owned();
        let kept = ledger.record(record(&name))?.and_then(|json| serde_json::from_slice::<Attempt>(&json).ok());
        let Some(mut attempt) = kept else { continue };
        attempt.view.at_provider = false;
        attempt.view.trouble.get_or_insert_with(|| BROKE_OFF.to_owned());
        all.insert(name, attempt);
    }
    Ok(all)
}

fn all(home: &Home) -> std::sync::MutexGuard<'_, UnderWay> {
    home.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Remembers that an account is being connected; what came of an earlier attempt is told no more.
///
/// # Errors
/// It cannot be recorded.
pub(super) async fn begin(
    home: &Arc<Home>,
    name: &str,
    settings: &Settings,
    level: &str,
    at_provider: bool,
) -> Result<(), Failure> {
    let (kind, account) = (settings.kind().to_owned(), visible(settings.account()));
    let begun_ms = home.clock.now().wall_ms;
    let view = ConnectingView {
        id: name.to_owned(),
        kind: kind.clone(),
        account: account.clone(),
        begun_ms,
        at_provider,
        trouble: None,
    };
    let attempt = Attempt { view, settings: settings.clone(), level: level.to_owned() };
    let json = serde_json::to_vec(&attempt).map_err(|error| failure(Code::Internal, error.to_string()))?;
    let gone = {
        let mut under_way = all(home);
        let before: Vec<String> = under_way.keys().cloned().collect();
        under_way.retain(|_, one| one.view.trouble.is_none() || one.view.kind != kind || one.view.account != account);
        let oldest = |under_way: &UnderWay| {
            let least = under_way.values().min_by_key(|one| (one.view.trouble.is_none(), one.view.begun_ms));
            least.map(|one| one.view.id.clone())
        };
        while under_way.len() >= MAX_REMEMBERED {
            let Some(id) = oldest(&under_way) else { break };
            under_way.remove(&id);
        }
        let gone: Vec<String> = before.into_iter().filter(|one| !under_way.contains_key(one)).collect();
        under_way.insert(name.to_owned(), attempt);
        gone
    };
    let own = name.to_owned();
    let kept = reading(home, move |home| {
        Ok(home.ledger.write(|tx| {
            for one in &gone {
                tx.remove_record(record(one))?;
            }
            tx.put_record(record(&own), &json)
        })?)
    });
    if let Err(failed) = kept.await {
        all(home).remove(name);
        return Err(failed);
    }
    home.changed();
    Ok(())
}

/// Remembers that the provider's answer came, and the account is being tried out.
pub(super) fn came_back(home: &Home, name: &str) {
    if let Some(one) = all(home).get_mut(name) {
        one.view.at_provider = false;
    }
    home.changed();
}

/// Remembers what came of it: a connection stands among the others, so only trouble is told.
pub(super) async fn end(home: &Arc<Home>, name: &str, trouble: Option<&str>) {
    let left = {
        let mut under_way = all(home);
        match (trouble, under_way.get_mut(name)) {
            (Some(why), Some(one)) => {
                one.view.at_provider = false;
                one.view.trouble = Some(visible(why));
                serde_json::to_vec(one).ok()
            }
            (None, _) => {
                under_way.remove(name);
                None
            }
            (Some(_), None) => None,
        }
    };
    // Where this cannot be recorded, the next start tells an attempt that ended as one that broke off; it can be dismissed.
    let _ = kept(home, name, left).await;
    home.changed();
}

/// Keeps what is left of an attempt; nothing where it is told no more.
async fn kept(home: &Arc<Home>, name: &str, left: Option<Vec<u8>>) -> Result<(), Failure> {
    let name = name.to_owned();
    let write = move |home: &Home| {
        Ok(home.ledger.write(|tx| match &left {
            Some(json) => tx.put_record(record(&name), json),
            None => tx.remove_record(record(&name)).map(drop),
        })?)
    };
    reading(home, write).await
}

/// Returns those under way, and those that could not be connected, the oldest first.
pub(super) fn list(home: &Home) -> Vec<ConnectingView> {
    let mut list: Vec<ConnectingView> = all(home).values().map(|one| one.view.clone()).collect();
    list.sort_by_key(|one| one.begun_ms);
    list
}

/// Returns what an attempt asked for, to be asked again.
pub(super) fn attempt(home: &Home, name: &str) -> Option<Attempt> {
    all(home).get(name).cloned()
}

pub(super) async fn connecting(AppState(home): Shared) -> Answer<Vec<ConnectingView>> {
    Ok(Json(list(&home)))
}

pub(super) async fn dismiss(AppState(home): Shared, Path(id): Path<String>) -> Answer<Vec<ConnectingView>> {
    let gone = {
        let mut under_way = all(&home);
        match under_way.get(&id) {
            None => return Err(failure(Code::NotFound, "there is no such attempt; Connections shows which there are")),
            Some(one) if one.view.trouble.is_none() => {
                return Err(failure(
                    Code::Conflict,
                    "it is still being connected; it can be dismissed once it is over",
                ));
            }
            Some(_) => under_way.remove(&id),
        }
    };
    if let Err(failed) = kept(&home, &id, None).await {
        all(&home).extend(gone.map(|one| (id, one)));
        return Err(failed);
    }
    home.changed();
    Ok(Json(list(&home)))
}
