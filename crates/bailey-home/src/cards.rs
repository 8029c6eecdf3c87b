//! What the log knows about an action, in words for people.

use bailey_gate::family::escape::visible;
use bailey_gate::{ActionId, GateError};
use bailey_ledger::Entry;

use crate::home::Home;

fn payload_text(entry: &Entry, name: &str) -> Option<String> {
    let payload: serde_json::Value = serde_json::from_str(entry.payload.as_deref()?).ok()?;
    Some(visible(payload.get(name)?.as_str()?))
}

impl Home {
    /// Why policy decided as it did, in words: the last entry that carries a decision.
    pub(crate) fn reasons_at_decision(&self, id: &ActionId) -> Result<String, GateError> {
        let rules = self.ledger.entries_of(id)?.into_iter().rev().find_map(|entry| {
            let header: serde_json::Value = serde_json::from_str(&entry.header).ok()?;
            header.get("decision")?;
            let rules = header.get("reasons")?.as_array()?;
            Some(rules.iter().filter_map(|rule| Some(rule.as_str()?.to_owned())).collect::<Vec<_>>())
        });
        let policy = self.policy.current();
        let words: Vec<String> = rules.unwrap_or_default().iter().map(|rule| policy.explain(rule).to_owned()).collect();
        Ok(words.join(" "))
    }

    /// Why the agent says it wants this. A claim, and shown as one.
    pub(crate) fn claimed_why(&self, id: &ActionId) -> Result<String, GateError> {
        let entries = self.ledger.entries_of(id)?;
        Ok(entries.iter().find_map(|entry| payload_text(entry, "why")).unwrap_or_default())
    }

    /// What came of it: the other side's words, or what went wrong.
    pub(crate) fn outcome_words(&self, id: &ActionId) -> Result<Option<String>, GateError> {
        Ok(self.ledger.entries_of(id)?.iter().rev().find_map(|entry| payload_text(entry, "outcome")))
    }
}
