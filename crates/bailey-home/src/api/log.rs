//! The log: reading, checkpoints, export.

use std::io::{self, Write};

use axum::body::Body;
use bailey_gate::event::{Event, EventKind, Payload};
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

pub(super) async fn export_sealed(AppState(home): Shared) -> Result<Exported, Failure> {
    let turn = export_turn()?;
    run_export(home, turn, None).await
}

pub(super) async fn export_readable(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Result<Exported, Failure> {
    // First, so that an answer of the person is not used up where there is no room.
    let turn = export_turn()?;
    let leave = authorise(&home, purposes::export_readable(), &body.proof, caller).await?;
    run_export(home, turn, Some(leave)).await
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

/// Writes the export down in the log, and sends the log up to there as it is read: in plain words with the person's leave alone.
async fn run_export(
    home: Arc<Home>,
    turn: SemaphorePermit<'static>,
    leave: Option<Authorised>,
) -> Result<Exported, Failure> {
    let payloads = if leave.is_some() { Payloads::Readable } else { Payloads::Sealed };
    let (ledger, now, pause_state) = (Arc::clone(&home.ledger), home.clock.now(), home.gate.lock().pause_state());
    blocking(move || {
        let (size, _) = ledger.head()?;
        let what = if payloads == Payloads::Readable { "readable" } else { "sealed" };
        let payload = Payload::default().text("from", "0").text("to", size.to_string()).text("payloads", what);
        let entry = match leave {
            Some(leave) => leave.entry(EventKind::Exported, now, pause_state, payload),
            None => Event { payload, ..Event::of_home(EventKind::Exported, Actor::Client, now, pause_state) },
        };
        ledger.write(|tx| tx.append(&entry, None).map(|_| ()))?;
        Ok(ledger.checkpoint()?)
    })
    .await?;
    let (pieces, arriving) = mpsc::channel(WAITING_PIECES);
    tokio::task::spawn_blocking(move || send_log(&home, payloads, pieces, turn));
    let pieces = futures_util::stream::unfold(arriving, |mut arriving: mpsc::Receiver<io::Result<Vec<u8>>>| async {
        let piece = arriving.recv().await?;
        Some((piece, arriving))
    });
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], Body::from_stream(pieces)))
}

/// Sends the log until its end, or until nobody takes it any more. An error breaks the answer off, so that whoever reads it
/// does not take a part for the whole.
fn send_log(home: &Home, payloads: Payloads, to: mpsc::Sender<io::Result<Vec<u8>>>, _turn: SemaphorePermit<'_>) {
    let mut pieces = Pieces { to, filling: Vec::with_capacity(PIECE_BYTES) };
    if let Err(error) = bailey_ledger::export(&home.ledger, payloads, &mut pieces) {
        let _ = pieces.to.blocking_send(Err(io::Error::other(error)));
    }
}

/// Sends what is written in pieces.
struct Pieces {
    to: mpsc::Sender<io::Result<Vec<u8>>>,
    filling: Vec<u8>,
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
