//! Accounts that are being connected: it goes on in the home whoever leaves, and what came of it is told to whoever comes back.

use bailey_interface::ConnectingView;

use super::*;
use crate::wire::Settings;

/// Accounts that are remembered: those being connected, and those that could not be.
const MAX_REMEMBERED: usize = 16;

/// Accounts being connected, by the name of the attempt.
pub(crate) type UnderWay = std::collections::BTreeMap<String, ConnectingView>;

fn all(home: &Home) -> std::sync::MutexGuard<'_, UnderWay> {
    home.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Remembers that an account is being connected; what came of an earlier attempt is told no more.
pub(super) fn begin(home: &Home, name: &str, settings: &Settings, at_provider: bool) {
    let (kind, account) = (settings.kind().to_owned(), visible(settings.account()));
    let mut under_way = all(home);
    under_way.retain(|_, one| one.trouble.is_none() || one.kind != kind || one.account != account);
    let oldest = |under_way: &UnderWay| {
        let least = under_way.values().min_by_key(|one| (one.trouble.is_none(), one.begun_ms));
        least.map(|one| one.id.clone())
    };
    while under_way.len() >= MAX_REMEMBERED {
        let Some(id) = oldest(&under_way) else { break };
        under_way.remove(&id);
    }
    let begun_ms = home.clock.now().wall_ms;
    let view = ConnectingView { id: name.to_owned(), kind, account, begun_ms, at_provider, trouble: None };
    under_way.insert(name.to_owned(), view);
    drop(under_way);
    home.changed();
}

/// Remembers that the provider's answer came, and the account is being tried out.
pub(super) fn came_back(home: &Home, name: &str) {
    if let Some(one) = all(home).get_mut(name) {
        one.at_provider = false;
    }
    home.changed();
}

/// Remembers what came of it: a connection stands among the others, so only trouble is told.
pub(super) fn end(home: &Home, name: &str, trouble: Option<&str>) {
    let mut under_way = all(home);
    match (trouble, under_way.get_mut(name)) {
        (Some(why), Some(one)) => {
            one.at_provider = false;
            one.trouble = Some(visible(why));
        }
        (None, _) => drop(under_way.remove(name)),
        (Some(_), None) => {}
    }
    drop(under_way);
    home.changed();
}

/// Returns those under way, and those that could not be connected since the home was opened, the oldest first.
pub(super) fn list(home: &Home) -> Vec<ConnectingView> {
    let mut list: Vec<ConnectingView> = all(home).values().cloned().collect();
    list.sort_by_key(|one| one.begun_ms);
    list
}

pub(super) async fn connecting(AppState(home): Shared) -> Answer<Vec<ConnectingView>> {
    Ok(Json(list(&home)))
}
