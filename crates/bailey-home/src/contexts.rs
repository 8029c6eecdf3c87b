//! What model requests held: kept before they leave, in pieces that are kept once, and put together again exactly.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::ledger::StoreError;
use bailey_gate::{GateError, TaskId};
use bailey_ledger::RecordName;
use bailey_model::tap::{Label, Piece, Redaction, Span, Tapped, rebuild};
use serde::{Deserialize, Serialize};

use crate::config::ModelConfig;
use crate::executor::blocking;
use crate::home::Home;
use crate::received::{Received, note_received, provider_of};

/// A request: which spans, in which order, and the bytes around them. Numbered from 0.
const REQUEST: &str = "context";
/// A span, numbered in the order a task first held it.
const SPAN: &str = "context-span";

/// Where in the log a request was made, numbered as the request.
const PLACE: &str = "context-place";

/// A request as kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Numbers of its spans, in its order.
    spans: Vec<u64>,
    /// How its bytes follow from them.
    recipe: Vec<Piece>,
    /// Pieces that were kept back.
    redactions: Vec<Redaction>,
    /// Every span the task has held so far, by SHA-256 of its content.
    known: Vec<String>,
}

/// A request as it can be looked at.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) spans: Vec<Span>,
    pub(crate) redactions: Vec<Redaction>,
    pub(crate) body: Vec<u8>,
}

fn name<'a>(kind: &'static str, task: &'a TaskId, n: u64) -> RecordName<'a> {
    RecordName { kind, owner: task.as_bytes(), n }
}

fn damaged(error: &serde_json::Error) -> GateError {
    StoreError::Broken(format!("the record of a model request is damaged: {error}")).into()
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, GateError> {
    serde_json::to_vec(value).map_err(|error| damaged(&error))
}

/// A piece of a request by its number in its task; who wrote it and its words, where no request before held it.
pub(crate) type NewSpan = (u64, Option<Label>, Option<String>);

impl Home {
    /// Keeps a request before it leaves, and says so in the log.
    pub(crate) async fn keep_context(
        &self,
        id: TaskId,
        n: u64,
        tapped: Tapped,
        config: &ModelConfig,
    ) -> Result<(), GateError> {
        let before = n.checked_sub(1).map(|before| self.kept(&id, before)).transpose()?.flatten();
        let mut known = before.map(|kept| kept.known).unwrap_or_default();
        let (mut fresh, mut spans) = (Vec::new(), Vec::new());
        for span in &tapped.spans {
            let json = to_json(span)?;
            let hash: String = digest(&SHA256, &json).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            let place = known.iter().position(|one| *one == hash).unwrap_or_else(|| {
                known.push(hash);
                fresh.push((known.len() as u64 - 1, json));
                known.len() - 1
            });
            spans.push(place as u64);
        }
        let (size, kept_back) = (tapped.body.len(), tapped.redactions.len());
        let kept = to_json(&Kept { spans, recipe: tapped.recipe, redactions: tapped.redactions, known })?;
        let (model, provider) = (config.name.clone(), provider_of(config));
        let sent = Received { requests: 1, bytes: size as u64, kept_back: kept_back as u64, ..Received::default() };
        let month = self.this_month();
        let (ledger, now, pause_state) = (Arc::clone(&self.ledger), self.clock.now(), self.gate.lock().pause_state());
        blocking(move || {
            Ok(ledger.write(|tx| {
                for (number, json) in fresh {
                    tx.put_record(name(SPAN, &id, number), &json)?;
                }
                tx.put_record(name(REQUEST, &id, n), &kept)?;
                let payload = Payload::default().text("turn", n.to_string()).text("bytes", size.to_string());
                let payload = payload.text("kept_back", kept_back.to_string()).text("model", model.clone());
                let payload = payload.text("provider", provider.clone());
                note_received(tx, &month, (&provider, &model), sent)?;
                let entry = Event::of_home(EventKind::Model, Actor::Home, now, pause_state);
                let place = tx.append(&Event { task: Some(id), payload, ..entry }, None)?;
                tx.put_record(name(PLACE, &id, n), &place.to_be_bytes())
            })?)
        })
        .await
    }

    fn kept(&self, id: &TaskId, n: u64) -> Result<Option<Kept>, GateError> {
        let bytes = self.ledger.record(name(REQUEST, id, n))?;
        bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(|error| damaged(&error))
    }

    /// Returns the pieces of a request by their numbers in its task; who wrote them and their words of those alone that no request
    /// before held.
    pub(crate) fn new_spans_of(&self, id: &TaskId, n: u64) -> Result<Vec<NewSpan>, GateError> {
        let Some(kept) = self.kept(id, n)? else { return Ok(Vec::new()) };
        let before = n.checked_sub(1).map(|before| self.kept(id, before)).transpose()?.flatten();
        let known = before.map_or(0, |before| before.known.len() as u64);
        let read = |number: u64| match number < known {
            true => Ok((number, None, None)),
            false => Ok(match self.span(id, number)? {
                Some(span) => (number, Some(span.label), Some(span.text)),
                None => (number, None, None),
            }),
        };
        kept.spans.into_iter().map(read).collect()
    }

    /// Returns a piece that requests of a task held; nothing where it is not kept any more.
    pub(crate) fn span(&self, id: &TaskId, number: u64) -> Result<Option<Span>, GateError> {
        let bytes = self.ledger.record(name(SPAN, id, number))?;
        bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(|error| damaged(&error))
    }

    /// Returns the requests of a task with their places in the log, in order; those of earlier releases have none.
    pub(crate) fn request_places(&self, id: &TaskId) -> Result<Vec<(u64, u64)>, GateError> {
        let mut places = Vec::new();
        for n in self.ledger.record_numbers(PLACE, id.as_bytes())? {
            let bytes = self.ledger.record(name(PLACE, id, n))?.unwrap_or_default();
            places.extend(bytes.try_into().ok().map(|bytes| (n, u64::from_be_bytes(bytes))));
        }
        Ok(places)
    }

    /// Tells which requests of a task are kept.
    pub(crate) fn contexts(&self, id: &TaskId) -> Result<Vec<u64>, GateError> {
        Ok(self.ledger.record_numbers(REQUEST, id.as_bytes())?)
    }

    /// Returns a request, put together again.
    pub(crate) fn context(&self, id: &TaskId, n: u64) -> Result<Option<Context>, GateError> {
        let Some(kept) = self.kept(id, n)? else { return Ok(None) };
        let mut spans = Vec::new();
        for number in kept.spans {
            let span = self.span(id, number)?;
            spans.push(span.ok_or_else(|| StoreError::Broken("a piece of a model request is missing".into()))?);
        }
        let body = rebuild(&kept.recipe, &spans);
        Ok(Some(Context { spans, redactions: kept.redactions, body }))
    }
}
