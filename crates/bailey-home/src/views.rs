//! What the log knows about an action, in words for people.

use bailey_gate::family::escape::visible;
use bailey_gate::policy::{Fact, Facts, judge};
use bailey_gate::{ActionId, GateError, LEFT};
use bailey_interface::{Line, WhyView};
use bailey_ledger::Entry;

use crate::home::Home;

fn payload_text(entry: &Entry, name: &str) -> Option<String> {
    let payload: serde_json::Value = serde_json::from_str(entry.payload.as_deref()?).ok()?;
    Some(visible(payload.get(name)?.as_str()?))
}

/// Tells why the agent says it wants this. A claim, and shown as one.
pub(crate) fn claimed_why(entries: &[Entry]) -> String {
    entries.iter().find_map(|entry| payload_text(entry, "why")).unwrap_or_default()
}

/// Returns what came of it: the other side's words, or what went wrong.
pub(crate) fn outcome_words(entries: &[Entry]) -> Option<String> {
    entries.iter().rev().find_map(|entry| payload_text(entry, "outcome"))
}

/// Returns what the person noted when they refused it, as they wrote it.
pub(crate) fn note_among(entries: &[Entry]) -> Option<String> {
    entries.iter().rev().find_map(|entry| {
        let payload: serde_json::Value = serde_json::from_str(entry.payload.as_deref()?).ok()?;
        Some(payload.get(bailey_gate::NOTE)?.as_str()?.to_owned())
    })
}

impl Home {
    /// Tells why policy decided as it did, in words: the last entry that carries a decision.
    pub(crate) fn reasons_at_decision(&self, id: &ActionId) -> Result<String, GateError> {
        Ok(self.reasons_among(&self.ledger.entries_of(id)?))
    }

    /// Returns the same, among the entries about an action.
    pub(crate) fn reasons_among(&self, entries: &[Entry]) -> String {
        let rules = entries.iter().rev().find_map(|entry| {
            let header: serde_json::Value = serde_json::from_str(&entry.header).ok()?;
            header.get("decision")?;
            let rules = header.get("reasons")?.as_array()?;
            Some(rules.iter().filter_map(|rule| Some(rule.as_str()?.to_owned())).collect::<Vec<_>>())
        });
        let policy = self.policy.current();
        let words: Vec<String> = rules.unwrap_or_default().iter().map(|rule| policy.explain(rule).to_owned()).collect();
        words.join(" ")
    }

    /// Tells why an action was decided as it was, and what would be decided now.
    pub(crate) fn why(&self, id: &ActionId) -> Result<WhyView, GateError> {
        let row = self.ledger.action(id)?.ok_or(GateError::NoSuchAction(*id))?.row;
        let (kind, class) = (row.kind, row.class);
        let decided = self.ledger.decided_of(row)?;
        let policy = self.policy.current();
        let line = |label: &str, value: String| Line { label: label.to_owned(), value: visible(&value) };
        let facts = (!decided.facts.is_empty()).then(|| Facts::decode(&decided.facts).ok()).flatten();
        let nothing = Facts::default().list();
        let told =
            facts.as_ref().map(Facts::list).unwrap_or_default().into_iter().filter(|fact| !nothing.contains(fact));
        let value = |fact: Fact| match fact {
            Fact::Flag(flag) => flag.to_string(),
            Fact::Count(count) => count.to_string(),
            Fact::Text(text) => text,
            Fact::Texts(texts) => texts.join(", "),
        };
        Ok(WhyView {
            decision: decided.decision,
            reasons: decided.reasons.iter().map(|rule| line(rule, policy.explain(rule).to_owned())).collect(),
            now: facts.as_ref().map_or_else(
                || "what was true about it is not kept any more".to_owned(),
                |facts| judge(&*policy, kind, class, facts).decision.name().to_owned(),
            ),
            facts: told.map(|(name, fact)| line(name, value(fact))).collect(),
        })
    }

    /// Returns what an action left behind at the other side; empty where that is not known.
    pub(crate) fn left_behind(&self, id: &ActionId) -> Result<Vec<u8>, GateError> {
        let entries = self.ledger.entries_of(id)?;
        let payloads = || entries.iter().rev().filter_map(|entry| entry.payload.as_ref());
        let left = payloads().find_map(|json| bailey_ledger::payload_bytes(json.as_bytes(), LEFT));
        // What was written down before there was a field for it.
        let told = || outcome_words(&entries);
        let version =
            || told().and_then(|words| words.strip_prefix("saved, version ").map(|etag| etag.as_bytes().to_vec()));
        Ok(left.or_else(version).unwrap_or_default())
    }
}
