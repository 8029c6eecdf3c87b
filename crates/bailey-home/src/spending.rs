//! What models cost, and the bounds the person sets: by task and by month.

use std::sync::{Arc, Mutex, PoisonError};

use bailey_agent::Conversation;
use bailey_gate::ledger::StoreError;
use bailey_gate::{GateError, TaskId};
use bailey_ledger::RecordName;
use bailey_model::{Answer, Came, Usage};
use serde::{Deserialize, Serialize};

use crate::config::ModelConfig;
use crate::executor::blocking;
use crate::home::Home;
use crate::received::{Received, note_received, note_request, provider_of};

/// The kind of record that holds what a month took; its owner is the month, such as `2026-11`.
const SPENDING: &str = "spending";
/// Bytes that a token usually stands for, for a provider that does not count.
const BYTES_PER_TOKEN: usize = 3;
/// Plain characters that a token stands for at least, where room is made for a request.
const PLAIN_PER_TOKEN: usize = 2;
/// Most bytes that a token stands for on average: a count below that of these is not believed.
const MOST_BYTES_PER_TOKEN: usize = 16;
/// Millionths of the person's currency in one.
const MICROS: f64 = 1e6;

/// What a month took.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Month {
    /// In millionths of the person's currency.
    pub(crate) micros: u64,
    /// Answers.
    pub(crate) answers: u64,
    /// Tokens.
    pub(crate) usage: Usage,
}

/// What requests under way may cost at most, in millionths.
pub(crate) type Pending = Arc<Mutex<u64>>;

/// Room for what a request may cost, until its cost is known.
pub(crate) struct Reserved {
    /// Tokens that the answer may have.
    pub(crate) tokens: u32,
    /// The words where these are too few.
    pub(crate) why: String,
    micros: u64,
    pending: Pending,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        *pending = pending.saturating_sub(self.micros);
    }
}

/// Returns an amount in millionths. A price is for a million tokens, so tokens times price is that.
fn micros(amount: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and 2^53 before")]
    let whole = amount.clamp(0.0, 9e15).ceil() as u64;
    whole
}

fn price(tokens: u64, price: f64) -> u64 {
    micros(f64::from(u32::try_from(tokens).unwrap_or(u32::MAX)) * price)
}

/// Returns an amount in millionths, as the person's currency.
pub(crate) fn amount(micros: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown rounded")]
    let whole = micros as f64;
    whole / MICROS
}

/// Returns what is charged for, in tokens, of a request of `size` bytes and an answer of `written` bytes: what the provider counts,
/// but no less than the bytes allow, and an estimate where it counts nothing.
fn charged(size: usize, written: usize, counted: Usage) -> Usage {
    let tokens = |bytes: usize, counted: u64| match counted {
        0 => (bytes / BYTES_PER_TOKEN) as u64,
        counted => counted.max((bytes / MOST_BYTES_PER_TOKEN) as u64),
    };
    Usage { input: tokens(size, counted.input), output: tokens(written, counted.output) }
}

/// Returns the most tokens that a request is expected to have: two plain characters to a token, half of what English and JSON take,
/// and of every other script each byte, which no tokenizer goes below.
fn most_tokens(request: &[u8]) -> u64 {
    let plain = request.iter().filter(|byte| byte.is_ascii()).count();
    (plain.div_ceil(PLAIN_PER_TOKEN) + request.len() - plain) as u64
}

/// Returns what an answer cost at the configured prices, in millionths; `size` is that of the request, in bytes.
pub(crate) fn cost(config: &ModelConfig, size: usize, answer: &Answer) -> u64 {
    let written = answer.text.len() + answer.calls.iter().map(|call| call.arguments.len()).sum::<usize>();
    let Usage { input, output } = charged(size, written, answer.usage);
    price(input, config.input_price).saturating_add(price(output, config.output_price))
}

/// Returns the same of an answer that began and did not come whole, with what is counted for it: by its bytes, or what the provider had
/// counted by then, where that is more.
pub(crate) fn cost_of_part(config: &ModelConfig, size: usize, came: Came) -> (u64, Usage) {
    let by_bytes = charged(size, came.bytes, Usage { output: 0, ..came.usage });
    let usage = Usage { output: by_bytes.output.max(came.usage.output), ..by_bytes };
    (price(usage.input, config.input_price).saturating_add(price(usage.output, config.output_price)), usage)
}

impl Home {
    /// Returns the month now, as its record is called.
    pub(crate) fn this_month(&self) -> String {
        let now = jiff::Timestamp::from_millisecond(self.clock.now().wall_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        now.to_zoned(self.clock.zone()).strftime("%Y-%m").to_string()
    }

    /// Returns what this month took so far.
    pub(crate) fn month(&self) -> Result<(String, Month), StoreError> {
        let month = self.this_month();
        let record = self.ledger.record(RecordName { kind: SPENDING, owner: month.as_bytes(), n: 0 })?;
        Ok((month, record.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()))
    }

    /// Returns what each month took, newest first.
    pub(crate) fn months(&self) -> Result<Vec<(String, Month)>, StoreError> {
        let mut out = Vec::new();
        for owner in self.ledger.record_owners(SPENDING)? {
            let Some(json) = self.ledger.record(RecordName { kind: SPENDING, owner: &owner, n: 0 })? else { continue };
            out.push((String::from_utf8_lossy(&owner).into_owned(), serde_json::from_slice(&json).unwrap_or_default()));
        }
        out.sort_by(|(one, _), (other, _)| other.cmp(one));
        Ok(out)
    }

    /// Makes room for a request and an answer of `wanted` tokens within what the person allowed; says why not, where
    /// the request alone is too much.
    pub(crate) fn reserve(
        &self,
        conversation: &Conversation,
        config: &ModelConfig,
        request: &[u8],
        wanted: u32,
    ) -> Result<Result<Reserved, String>, GateError> {
        let limits = self.model().as_ref().map_or((None, None), |(_, first)| (first.task_limit, first.month_limit));
        let free = |tokens| Reserved { tokens, why: String::new(), micros: 0, pending: Arc::clone(&self.pending) };
        if limits == (None, None) {
            return Ok(Ok(free(wanted)));
        }
        let (month, spent) = self.month()?;
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |limit: Option<f64>, spent: u64| limit.map(|limit| micros(limit * MICROS).saturating_sub(spent));
        let of_task = left(limits.0, conversation.cost_micros);
        let of_month = left(limits.1, spent.micros.saturating_add(*pending));
        let (least, why) = match (of_task, of_month) {
            (Some(task), month) if month.is_none_or(|month| task <= month) => (
                task,
                format!(
                    "the next step could cost more than a task may (`task_limit`, {}); {:.4} is spent; give a smaller task, or raise it",
                    limits.0.unwrap_or_default(),
                    amount(conversation.cost_micros)
                ),
            ),
            (_, of_month) => (
                of_month.unwrap_or(u64::MAX),
                format!(
                    "the next step could cost more than a month may (`month_limit`, {}); {:.4} is spent in {month}; raise it, or wait for the next month",
                    limits.1.unwrap_or_default(),
                    amount(spent.micros)
                ),
            ),
        };
        let asking = price(most_tokens(request), config.input_price);
        if asking >= least && asking > 0 {
            return Ok(Err(why));
        }
        let rest = least - asking;
        let fits = |tokens: &u32| price(u64::from(*tokens), config.output_price) <= rest;
        // Halved until it fits: close enough, and it cannot round up.
        let tokens =
            std::iter::successors(Some(wanted), |tokens| (*tokens > 1).then_some(tokens / 2)).find(fits).unwrap_or(0);
        let micros = asking.saturating_add(price(u64::from(tokens), config.output_price));
        *pending = pending.saturating_add(micros);
        Ok(Ok(Reserved { tokens, why, micros, pending: Arc::clone(&self.pending) }))
    }

    /// Adds to what the month took, the provider got and the request cost; `answers` is how many whole ones it was for.
    pub(crate) async fn note_spending(
        &self,
        request: (TaskId, u64),
        config: &ModelConfig,
        micros: u64,
        usage: Usage,
        answers: u64,
    ) -> Result<(), GateError> {
        let (provider, model) = (provider_of(config), config.name.clone());
        let (ledger, month) = (Arc::clone(&self.ledger), self.this_month());
        blocking(move || {
            Ok(ledger.write(|tx| {
                let name = RecordName { kind: SPENDING, owner: month.as_bytes(), n: 0 };
                let before = tx.record(name)?.and_then(|json| serde_json::from_slice::<Month>(&json).ok());
                let mut total = before.unwrap_or_default();
                total.micros = total.micros.saturating_add(micros);
                total.answers = total.answers.saturating_add(answers);
                total.usage += usage;
                let json = serde_json::to_vec(&total).map_err(|error| StoreError::Broken(error.to_string()))?;
                tx.put_record(RecordName { kind: SPENDING, owner: month.as_bytes(), n: 0 }, &json)?;
                let taken = Received { input: usage.input, output: usage.output, micros, ..Received::default() };
                note_received(tx, &month, (&provider, &model), taken)?;
                note_request(tx, request, taken)
            })?)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_below_what_was_sent_is_not_believed() {
        let usage = |input, output| Usage { input, output };
        assert_eq!(charged(16_000, 1_600, usage(1, 1)), usage(1_000, 100));
        assert_eq!(charged(16_000, 1_600, usage(4_000, 400)), usage(4_000, 400));
        assert_eq!(charged(300, 30, usage(0, 0)), usage(100, 10));
    }

    #[test]
    fn a_part_of_an_answer_is_charged_by_what_was_sent_and_what_came() {
        let usage = |input, output| Usage { input, output };
        let config: ModelConfig = serde_json::from_value(serde_json::json!({
            "kind": "openai-chat", "base_url": "http://127.0.0.1:1/v1", "name": "m", "input_price": 1.0, "output_price": 2.0
        }))
        .unwrap();
        for (bytes, counted, charged) in [
            (0, usage(0, 0), usage(100, 0)),
            (30, usage(0, 0), usage(100, 10)),
            // What was counted at its beginning says nothing about the end.
            (30, usage(120, 1), usage(120, 10)),
            (30, usage(120, 40), usage(120, 40)),
            (3_000, usage(1, 1), usage(18, 1_000)),
        ] {
            let (cost, taken) = cost_of_part(&config, 300, Came { bytes, usage: counted });
            assert_eq!((taken, cost), (charged, charged.input + 2 * charged.output), "{bytes} {counted:?}");
        }
    }

    #[test]
    fn a_reservation_counts_each_byte_of_what_is_no_plain_letter() {
        for (text, tokens) in
            [("plain", 3), ("plains", 3), ("\u{6f22}\u{5b57}", 6), ("\u{1f9ff}", 4), ("a\u{10400}", 5), ("", 0)]
        {
            assert_eq!(most_tokens(text.as_bytes()), tokens, "{text}");
        }
    }
}
