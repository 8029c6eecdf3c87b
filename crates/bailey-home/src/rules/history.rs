//! What was widened and narrowed, when, by whom and why: read from the log.

use bailey_gate::GateError;
use bailey_gate::event::EventKind;
use bailey_gate::family::escape::visible_lines;
use bailey_interface::RuleEventView;

use crate::home::{Home, HomeError};

/// Changes shown.
const SHOWN: u32 = 500;

impl Home {
    /// Returns every change of the rules, newest first.
    pub(crate) fn rule_history(&self) -> Result<Vec<RuleEventView>, HomeError> {
        let entries = self.ledger.entries_of_kind(EventKind::Rules, SHOWN).map_err(GateError::from)?;
        let view = |entry: bailey_ledger::Entry| {
            let header: serde_json::Value = serde_json::from_str(&entry.header).unwrap_or_default();
            let payload: serde_json::Value =
                entry.payload.and_then(|payload| serde_json::from_str(&payload).ok()).unwrap_or_default();
            let text =
                |name: &str| visible_lines(payload.get(name).and_then(serde_json::Value::as_str).unwrap_or_default());
            RuleEventView {
                seq: entry.seq,
                at_ms: header.get("wall_ms").and_then(serde_json::Value::as_i64).unwrap_or_default(),
                actor: header.get("actor").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned(),
                added: text("added"),
                removed: text("removed"),
                organisation: text("organisation"),
                group: text("group"),
                dismissed: text("dismissed"),
                why: text("why"),
            }
        };
        Ok(entries.into_iter().map(view).collect())
    }
}
