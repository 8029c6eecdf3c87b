//! Search: a thread that makes words of the log for its index, behind it, and what is found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use bailey_gate::content::Content;
use bailey_gate::event::EventKind;
use bailey_gate::ledger::{Row, StoreError};
use bailey_gate::{ActionId, GateError, Preview, TaskId};
use bailey_ledger::{ActionDoc, Docs, Entry, RequestDoc, SearchIndex, TaskDoc};
use bailey_model::tap::Label;
use bailey_telemetry::event;

use crate::executor::blocking;
use crate::home::{Home, HomeError};
use crate::metrics::code;
use crate::views::{claimed_why, outcome_words};

/// Entries of the log that are taken up at a time: each time is one commit of the index.
const CHUNK: u64 = 256;
/// How long whoever searches waits for what was written a moment ago.
const CATCH_UP: std::time::Duration = std::time::Duration::from_millis(500);

/// Names who wrote a piece, as the interface does.
pub(crate) const fn label_name(label: Label) -> &'static str {
    match label {
        Label::Bailey => "bailey",
        Label::Person => "person",
        Label::Note => "note",
        Label::Model => "model",
        Label::Others => "others",
    }
}

impl Home {
    /// Opens the index, and keeps it up with the log, on a thread of its own that ends with the home. Without it nothing is found, and
    /// everything else goes on.
    pub(crate) fn keep_index(self: &Arc<Self>) {
        let (home, appended) = (Arc::downgrade(self), self.ledger.appended());
        let thread = std::thread::Builder::new().name("search".into());
        let started = thread.spawn(move || {
            let mut seen = 0;
            // Each round holds the home only as long as there is something to take up.
            while let Some(size) = appended.beyond(seen) {
                match round(&home, size) {
                    Some(taken) => seen = taken,
                    None => return,
                }
            }
        });
        if started.is_err() {
            event!(WARN, "the search index is not kept: its thread could not be started");
        }
    }

    /// Returns the index, opened where it was not yet.
    fn index(&self) -> Result<&SearchIndex, StoreError> {
        // One at a time: two who find it missing would each make it, and lock the other out.
        let _alone = self.opening_index.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let opened = SearchIndex::open(&self.layout.search_index(), &self.ledger)?;
        Ok(self.index.get_or_init(|| opened))
    }

    /// Takes up the log to its end; an erasure makes everything anew. Tells how many entries are taken up.
    fn take_up_log(&self) -> Result<u64, GateError> {
        let index = self.index()?;
        let mut size = index.size()?;
        // What was erased before it was begun is not in it.
        let begun_behind = if size == 0 { self.ledger.head()?.0 } else { 0 };
        loop {
            let entries = self.ledger.entries(size, CHUNK)?;
            let Some(last) = entries.last() else { return Ok(size) };
            let next = last.seq.saturating_add(1);
            if entries.iter().any(|entry| entry.seq >= begun_behind && is_erasure(entry)) {
                // What is erased may lie in a copy of it: none of them is to be readable.
                index.begin_anew(&self.ledger)?;
                self.take_up_to(index, next)?;
                size = next;
            } else {
                let docs = self.docs(&entries)?;
                size = self.put(index, &docs, next)?;
            }
        }
    }

    /// Takes up the log from its beginning to a place, as it is now.
    fn take_up_to(&self, index: &SearchIndex, end: u64) -> Result<(), GateError> {
        let mut size = 0;
        while size < end {
            let entries = self.ledger.entries(size, CHUNK.min(end - size))?;
            let Some(last) = entries.last() else { return Ok(()) };
            let next = last.seq.saturating_add(1);
            size = self.put(index, &self.docs(&entries)?, next)?;
        }
        Ok(())
    }

    fn put(&self, index: &SearchIndex, docs: &Docs, size: u64) -> Result<u64, GateError> {
        let leaf = self.ledger.leaf_at(size.saturating_sub(1))?;
        index.take_up(docs, size, &leaf.unwrap_or_default())?;
        Ok(size)
    }

    /// Returns what entries come to, each action and each task once, as it is now.
    fn docs(&self, entries: &[Entry]) -> Result<Docs, GateError> {
        let (mut actions, mut tasks, mut docs) = (BTreeSet::new(), BTreeMap::new(), Docs::default());
        for entry in entries {
            let header: serde_json::Value = serde_json::from_str(&entry.header).unwrap_or_default();
            let text = |name: &str| header.get(name).and_then(serde_json::Value::as_str);
            if let Some(action) = text("action").and_then(|id| id.parse::<ActionId>().ok()) {
                actions.insert(action);
            }
            let Some(task) = text("task").and_then(|id| id.parse::<TaskId>().ok()) else { continue };
            match text("kind") {
                Some("task") => {
                    tasks.entry(task).or_insert(entry.seq);
                }
                Some("model") => docs.requests.extend(self.request_doc(task, entry)?),
                _ => {}
            }
        }
        for action in actions {
            docs.actions.extend(self.action_doc(&action)?);
        }
        for (id, place) in tasks {
            let words = self.ledger.task_words(&id)?.unwrap_or_default();
            docs.tasks.push(TaskDoc { place, id, words });
        }
        docs.actions.sort_by_key(|doc| doc.place);
        docs.tasks.sort_by_key(|doc| doc.place);
        Ok(docs)
    }

    fn action_doc(&self, id: &ActionId) -> Result<Option<ActionDoc>, GateError> {
        let (Some(record), Some(place)) = (self.ledger.action(id)?, self.ledger.place_of(id)?) else {
            return Ok(None);
        };
        let (row, entries) = (record.row, self.ledger.entries_of(id)?);
        let account = row.account.map(|(connection, _)| self.ledger.connection(&connection)).transpose()?.flatten();
        let mut words = Vec::new();
        if let Ok(content) = Content::decode(&record.content) {
            let preview = Preview::of(&content);
            words.push(preview.headline);
            words.extend(preview.items.into_iter().map(|item| item.value));
            words.push(preview.body);
            words.push(claimed_why(&entries));
            words.push(self.reasons_among(&entries));
            words.extend(outcome_words(&entries));
        }
        Ok(Some(ActionDoc {
            place,
            id: *id,
            kind: row.kind.name().into(),
            state: row.state.name().into(),
            account: account.map(|row| row.account).unwrap_or_default(),
            by: row.approval.map(|approval| approval.client.name().to_owned()).unwrap_or_default(),
            wall_ms: row.proposed.wall_ms,
            words: words.join("\n"),
        }))
    }

    fn request_doc(&self, task: TaskId, entry: &Entry) -> Result<Option<RequestDoc>, GateError> {
        let Some(n) = request_number(entry) else { return Ok(None) };
        let spans = self.new_spans_of(&task, n)?.into_iter();
        let spans = spans.map(|(at, label, text)| (at, label.map_or("", label_name).to_owned(), text)).collect();
        Ok(Some(RequestDoc { task, n, spans }))
    }

    /// Waits a moment until what the log holds now is taken up; tells how many entries are, and how many there are.
    pub(crate) async fn caught_up(self: &Arc<Self>) -> Result<(u64, u64), HomeError> {
        let until = tokio::time::Instant::now() + CATCH_UP;
        loop {
            let heard = self.indexed.notified();
            tokio::pin!(heard);
            // Before it is looked: what is told meanwhile is heard.
            heard.as_mut().enable();
            let home = Arc::clone(self);
            let (size, entries) = blocking(move || Ok((home.index()?.size()?, home.ledger.head()?.0))).await?;
            if size >= entries || tokio::time::timeout_at(until, heard).await.is_err() {
                return Ok((size, entries));
            }
        }
    }

    /// Returns the index to search in.
    pub(crate) fn search_index(&self) -> Result<&SearchIndex, StoreError> {
        self.index()
    }

    /// Returns the number of the model request that an action was proposed by; nothing where none stands behind it, or that was not
    /// kept yet.
    pub(crate) fn request_behind(&self, row: &Row) -> Result<Option<u64>, GateError> {
        let Some(task) = row.task else { return Ok(None) };
        self.behind(row, &self.request_places(&task)?)
    }

    /// Returns the same, among the requests of its task and their places in the log.
    pub(crate) fn behind(&self, row: &Row, places: &[(u64, u64)]) -> Result<Option<u64>, GateError> {
        // The person began an undo.
        if row.undo_of.is_some() {
            return Ok(None);
        }
        let place = self.ledger.place_of(&row.id)?.unwrap_or_default();
        Ok(places.iter().rev().find(|(_, request)| *request < place).map(|(n, _)| *n))
    }
}

/// Takes up what came; how far, or nothing once the home is gone.
fn round(home: &Weak<Home>, size: u64) -> Option<u64> {
    let home = home.upgrade()?;
    let taken = match home.take_up_log() {
        Ok(taken) => taken,
        Err(error) => {
            event!(WARN, "the search index could not be kept up with the log", code = code(&error));
            if let Some(index) = home.index.get().filter(|index| index.has_failed()) {
                // It is never the truth, so it is made again.
                let _ = index.begin_anew(&home.ledger);
            }
            // Tried again with the next entry, and not over and over.
            size
        }
    };
    home.indexed.notify_waiters();
    Some(taken.max(size))
}

/// Tells whether an entry says that something was erased.
fn is_erasure(entry: &Entry) -> bool {
    let header: serde_json::Value = serde_json::from_str(&entry.header).unwrap_or_default();
    header.get("kind").and_then(serde_json::Value::as_str) == Some(EventKind::Erased.name())
}

/// Returns the number that an entry about a model request gives it.
fn request_number(entry: &Entry) -> Option<u64> {
    let payload: serde_json::Value = serde_json::from_str(entry.payload.as_deref()?).ok()?;
    payload.get("turn")?.as_str()?.parse().ok()
}
