//! Whom the person knows, kept up to date: before somebody unknown is written to, their accounts are asked again.

use std::sync::PoisonError;
use std::time::Duration;

use bailey_gate::TaskId;
use bailey_gate::family::{Action, Party};
use bailey_telemetry::{Id, event};

use crate::home::Home;

/// How long one account may take to answer.
const LOOK_WITHIN: Duration = Duration::from_secs(10);
/// Tasks remembered as looked for; beyond that it is looked again.
const MAX_LOOKED: usize = 1_000;

impl Home {
    /// Looks again at what the person's accounts prove of people, where an action would write to somebody unknown: once in a task. An
    /// account that does not answer proves nothing new.
    pub(crate) async fn look_again_for(&self, task: TaskId, action: &Action) {
        let is_unknown = |party: &Party| {
            party.kind == Party::EMAIL && !self.ledger.relationship(party).is_ok_and(|found| found.known || found.own)
        };
        if !action.traits().recipients.iter().any(is_unknown) {
            return;
        }
        {
            let mut looked = self.looked_again.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.len() >= MAX_LOOKED {
                looked.clear();
            }
            if !looked.insert(task) {
                return;
            }
        }
        for account in self.accounts().unwrap_or_default() {
            let looking = self.services.look_again(account.connection, &account.settings);
            if !matches!(tokio::time::timeout(LOOK_WITHIN, looking).await, Ok(Ok(()))) {
                let connection = Id::new(*account.connection.0.as_bytes());
                event!(WARN, "an account could not be asked whom the person knows", connection = connection);
            }
        }
    }
}
