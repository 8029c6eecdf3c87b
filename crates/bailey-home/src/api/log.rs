//! The log: reading, checkpoints, export.

use super::*;

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    from: u64,
    #[serde(default)]
    limit: Option<u64>,
}

/// Entries in one page of the log if nobody says, and at most.
const USUAL_PAGE: u64 = 100;
const MAX_PAGE: u64 = 500;

/// A page of the log.
#[utoipa::path(
    get,
    path = "/v1/log",
    params(("from" = Option<u64>, Query), ("limit" = Option<u64>, Query)),
    responses((status = 200, body = Vec<EntryCard>), (status = "default", body = Failure))
)]
pub(super) async fn log(Held(home): Shared, Query(page): Query<Page>) -> Answer<Vec<EntryCard>> {
    let (from, limit) = (page.from, page.limit.unwrap_or(USUAL_PAGE).min(MAX_PAGE));
    let entries = reading(&home, move |home| Ok(home.ledger.entries(from, limit)?)).await?;
    let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let cards = entries.into_iter().map(|entry| EntryCard {
        seq: entry.seq,
        header: json(&entry.header),
        payload: entry.payload.as_deref().map(json),
    });
    Ok(Json(cards.collect()))
}

/// A signed checkpoint, fresh.
#[utoipa::path(
    post,
    path = "/v1/log/checkpoint",
    responses((status = 200, content_type = "text/plain", body = String), (status = "default", body = Failure))
)]
pub(super) async fn checkpoint(Held(home): Shared) -> Result<String, Failure> {
    let ledger = Arc::clone(&home.ledger);
    blocking(move || Ok(ledger.checkpoint()?)).await?;
    let (_, note) = reading(&home, |home| Ok(home.ledger.head()?)).await?;
    note.ok_or_else(|| failure(Code::Internal, "the log has no checkpoint"))
}

/// The whole log, payloads sealed.
#[utoipa::path(
    post,
    path = "/v1/log/export",
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = "default", body = Failure))
)]
pub(super) async fn export_sealed(Held(home): Shared) -> Result<Vec<u8>, Failure> {
    run_export(home, Payloads::Sealed).await
}

/// In plain words, so it needs the person.
#[utoipa::path(
    post,
    path = "/v1/log/export-readable",
    request_body = ProvenBody,
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = "default", body = Failure))
)]
pub(super) async fn export_readable(Held(home): Shared, Taken(body): Taken<ProvenBody>) -> Result<Vec<u8>, Failure> {
    let purpose = Purpose::Home { what: "export readable log", parameters: Digest::from_bytes([0; 32]) };
    authorise(&home, purpose, &body.proof).await?;
    run_export(home, Payloads::Readable).await
}

async fn run_export(home: Arc<Home>, payloads: Payloads) -> Result<Vec<u8>, Failure> {
    let joined = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        bailey_ledger::export(&home.ledger, payloads, &mut out).map(|_| out)
    });
    Ok(joined.await.map_err(|error| failure(Code::Internal, error.to_string()))??)
}
