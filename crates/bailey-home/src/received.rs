//! Who received what: what went to each provider of models, by month, and what each request took.

use std::collections::BTreeMap;

use bailey_gate::ledger::StoreError;
use bailey_gate::{GateError, TaskId};
use bailey_interface::ReceivedView;
use bailey_ledger::{LedgerTx, RecordName};
use serde::{Deserialize, Serialize};

use crate::config::ModelConfig;
use crate::home::Home;
use crate::spending::amount;

/// The kind of record that holds what every provider got in a month, its owner, such as `2026-11`.
const RECEIVED: &str = "received";
/// The kind of record that holds what one request took, numbered as the request.
const TAKEN: &str = "context-taken";

/// What was sent, and what it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Received {
    /// Requests that left.
    pub(crate) requests: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Secrets that were kept back from them.
    pub(crate) kept_back: u64,
    /// Tokens read.
    pub(crate) input: u64,
    /// Tokens written.
    pub(crate) output: u64,
    /// Their cost, in millionths of the person's currency.
    pub(crate) micros: u64,
}

impl Received {
    fn add(&mut self, more: Self) {
        let Self { requests, bytes, kept_back, input, output, micros } = more;
        self.requests = self.requests.saturating_add(requests);
        self.bytes = self.bytes.saturating_add(bytes);
        self.kept_back = self.kept_back.saturating_add(kept_back);
        self.input = self.input.saturating_add(input);
        self.output = self.output.saturating_add(output);
        self.micros = self.micros.saturating_add(micros);
    }
}

/// Providers and their models, and what each got.
type Month = BTreeMap<String, BTreeMap<String, Received>>;

/// Returns the host that a model is asked at, with its port where one is said.
pub(crate) fn provider_of(config: &ModelConfig) -> String {
    let behind = config.base_url.split_once("://").map_or(config.base_url.as_str(), |(_, rest)| rest);
    behind.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

fn broken(error: &serde_json::Error) -> StoreError {
    StoreError::Broken(error.to_string())
}

/// Adds to what a provider got of a month, in the commit that sends or pays for it.
pub(crate) fn note_received(
    tx: &mut LedgerTx<'_>,
    month: &str,
    (provider, model): (&str, &str),
    more: Received,
) -> Result<(), StoreError> {
    let name = || RecordName { kind: RECEIVED, owner: month.as_bytes(), n: 0 };
    let before = tx.record(name())?.and_then(|json| serde_json::from_slice::<Month>(&json).ok());
    let mut all = before.unwrap_or_default();
    all.entry(provider.to_owned()).or_default().entry(model.to_owned()).or_default().add(more);
    tx.put_record(name(), &serde_json::to_vec(&all).map_err(|error| broken(&error))?)
}

/// Adds to what a request took.
pub(crate) fn note_request(tx: &mut LedgerTx<'_>, (task, n): (TaskId, u64), more: Received) -> Result<(), StoreError> {
    let name = || RecordName { kind: TAKEN, owner: task.as_bytes(), n };
    let before = tx.record(name())?.and_then(|json| serde_json::from_slice::<Received>(&json).ok());
    let mut taken = before.unwrap_or_default();
    taken.add(more);
    tx.put_record(name(), &serde_json::to_vec(&taken).map_err(|error| broken(&error))?)
}

impl Home {
    /// Returns what each provider got, the newest month first; since it is kept.
    pub(crate) fn received(&self) -> Result<Vec<ReceivedView>, GateError> {
        let mut months = self.ledger.record_owners(RECEIVED)?;
        months.sort_unstable();
        let mut all = Vec::new();
        for month in months.iter().rev() {
            let json = self.ledger.record(RecordName { kind: RECEIVED, owner: month, n: 0 })?;
            let kept: Month = json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
            for (provider, models) in kept {
                all.extend(models.into_iter().map(|(model, got)| ReceivedView {
                    month: String::from_utf8_lossy(month).into_owned(),
                    provider: provider.clone(),
                    model,
                    requests: got.requests,
                    bytes: got.bytes,
                    kept_back: got.kept_back,
                    input_tokens: got.input,
                    output_tokens: got.output,
                    cost: amount(got.micros),
                }));
            }
        }
        Ok(all)
    }

    /// Returns what one request took, where that is known.
    pub(crate) fn taken_by(&self, task: &TaskId, n: u64) -> Result<Option<Received>, GateError> {
        let json = self.ledger.record(RecordName { kind: TAKEN, owner: task.as_bytes(), n })?;
        Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
    }
}
