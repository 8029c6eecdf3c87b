//! The log: reading, checkpoints, export.

use std::io::{self, Write};

use axum::body::Body;
use bailey_gate::event::{Event, EventKind, Payload};
use bailey_interface::ConsistencyView;
use bailey_ledger::Consistency;
use tokio::sync::{SemaphorePermit, mpsc};

use super::*;

/// Which part of the log.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Page {
    /// The first entry.
    #[serde(default)]
    from: u64,
    #[serde(default)]
    limit: Option<u64>,
}

/// Entries in one page of the log if nobody says, and at most.
const USUAL_PAGE: u64 = 100;
const MAX_PAGE: u64 = 500;

pub(super) async fn log(AppState(home): Shared, Query(page): Query<Page>) -> Answer<Vec<EntryView>> {
    let (from, limit) = (page.from, page.limit.unwrap_or(USUAL_PAGE).min(MAX_PAGE));
    let entries = reading(&home, move |home| Ok(home.ledger.entries(from, limit)?)).await?;
    let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let views = entries.into_iter().map(|entry| EntryView {
        seq: entry.seq,
        header: json(&entry.header),
        payload: entry.payload.as_deref().map(json),
    });
    Ok(Json(views.collect()))
}

pub(super) async fn checkpoint(AppState(home): Shared) -> Result<String, Failure> {
    let ledger = Arc::clone(&home.ledger);
    blocking(move || Ok(ledger.checkpoint()?)).await?;
    let (_, note) = reading(&home, |home| Ok(home.ledger.head()?)).await?;
    note.ok_or_else(|| failure(Code::Internal, "the log has no checkpoint"))
}

/// Since which size of the log.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Since {
    /// Entries that were seen before.
    #[serde(default)]
    from: u64,
}

pub(super) async fn consistency(AppState(home): Shared, Query(since): Query<Since>) -> Answer<ConsistencyView> {
    let from = since.from;
    let proven = reading(&home, move |home| Ok(home.ledger.consistency(from)?)).await?;
    let Some(Consistency { from, to, proof, root, note }) = proven else {
        let why = format!(
            "the log has fewer than {from} entries: it is not the one that was seen, or an older copy of it was put back; on the \
             machine, `bailey log verify` says more"
        );
        return Err(failure(Code::Conflict, why));
    };
    let proof = proof.iter().map(|node| BASE64.encode(node)).collect();
    Ok(Json(ConsistencyView { from, to, proof, root: BASE64.encode(root), checkpoint: note }))
}

pub(super) async fn export_sealed(AppState(home): Shared) -> Result<Exported, Failure> {
    let turn = export_turn()?;
    run_export(home, turn, None).await
}

pub(super) async fn export_readable(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Result<Exported, Failure> {
    let (turn, leave) = leave_to_export(&home, &body, caller).await?;
    run_export(home, turn, Some(leave)).await
}

pub(super) async fn export_csv(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Result<Exported, Failure> {
    let (turn, leave) = leave_to_export(&home, &body, caller).await?;
    log_export(&home, Some(leave)).await?;
    Ok(sent("text/csv; charset=utf-8", move |mut pieces| {
        // The place is taken until the end.
        let _turn = turn;
        let written = crate::table::write(&home, &mut pieces);
        pieces.finish(written.map_err(io::Error::other));
    }))
}

/// Exports at once: each takes a thread for as long as its reader takes.
const EXPORTING: usize = 2;
static EXPORTS: Semaphore = Semaphore::const_new(EXPORTING);
/// Bytes of an export that are sent at a time, and how many such pieces wait for a slow reader.
const PIECE_BYTES: usize = 64 * 1024;
const WAITING_PIECES: usize = 4;

pub(super) type Exported = ([(header::HeaderName, &'static str); 1], Body);

/// Takes the place of one export; fails where as many are under way as may be at once.
fn export_turn() -> Result<SemaphorePermit<'static>, Failure> {
    let busy = "as many exports are under way as may be at once; come again when one has ended";
    EXPORTS.try_acquire().map_err(|_| failure(Code::Busy, busy))
}

/// Takes the place of an export in plain words, with the person's leave.
async fn leave_to_export(
    home: &Arc<Home>,
    body: &ProvenBody,
    caller: Caller,
) -> Result<(SemaphorePermit<'static>, Authorised), Failure> {
    // First, so that an answer of the person is not used up where there is no room.
    let turn = export_turn()?;
    let leave = authorise(home, purposes::export_readable(), &body.proof, caller).await?;
    Ok((turn, leave))
}

/// Writes the export down in the log, and sends the log up to there as it is read: in plain words with the person's leave alone.
async fn run_export(
    home: Arc<Home>,
    turn: SemaphorePermit<'static>,
    leave: Option<Authorised>,
) -> Result<Exported, Failure> {
    let payloads = if leave.is_some() { Payloads::Readable } else { Payloads::Sealed };
    log_export(&home, leave).await?;
    Ok(sent("application/octet-stream", move |mut pieces| {
        // The place is taken until the end.
        let _turn = turn;
        let written = bailey_ledger::export(&home.ledger, payloads, &mut pieces);
        pieces.finish(written.map(|_| ()).map_err(io::Error::other));
    }))
}

/// Writes an export down in the log: in plain words with the person's leave, else sealed.
async fn log_export(home: &Home, leave: Option<Authorised>) -> Result<(), Failure> {
    let what = if leave.is_some() { "readable" } else { "sealed" };
    let (ledger, now, pause_state) = (Arc::clone(&home.ledger), home.clock.now(), home.gate.lock().pause_state());
    Ok(blocking(move || {
        let (size, _) = ledger.head()?;
        let payload = Payload::default().text("from", "0").text("to", size.to_string()).text("payloads", what);
        let entry = match leave {
            Some(leave) => leave.entry(EventKind::Exported, now, pause_state, payload),
            None => Event { payload, ..Event::of_home(EventKind::Exported, Actor::Client, now, pause_state) },
        };
        ledger.write(|tx| tx.append(&entry, None).map(|_| ()))?;
        Ok(ledger.checkpoint()?)
    })
    .await?)
}

/// Sends what is written, as it is written, until its end, or until nobody takes it any more.
fn sent(media_type: &'static str, write: impl FnOnce(Pieces) + Send + 'static) -> Exported {
    let (to, arriving) = mpsc::channel(WAITING_PIECES);
    tokio::task::spawn_blocking(move || write(Pieces { to, filling: Vec::with_capacity(PIECE_BYTES) }));
    let pieces = futures_util::stream::unfold(arriving, |mut arriving: mpsc::Receiver<io::Result<Vec<u8>>>| async {
        let piece = arriving.recv().await?;
        Some((piece, arriving))
    });
    ([(header::CONTENT_TYPE, media_type)], Body::from_stream(pieces))
}

/// Sends what is written in pieces.
struct Pieces {
    to: mpsc::Sender<io::Result<Vec<u8>>>,
    filling: Vec<u8>,
}

impl Pieces {
    /// Sends what is left. An error breaks the answer off, so that whoever reads it does not take a part for the whole.
    fn finish(mut self, written: io::Result<()>) {
        if let Err(error) = written.and_then(|()| self.flush()) {
            let _ = self.to.blocking_send(Err(error));
        }
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.filling.len() >= PIECE_BYTES {
            self.flush()?;
        }
        let room = bytes.len().min(PIECE_BYTES - self.filling.len());
        self.filling.extend(bytes.iter().take(room));
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.filling, Vec::with_capacity(PIECE_BYTES));
        if piece.is_empty() {
            return Ok(());
        }
        self.to.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
