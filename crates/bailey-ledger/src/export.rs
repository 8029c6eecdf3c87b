//! The log as a file that can be verified anywhere; the format is described in `docs/log-format.md`.

use std::io::{self, Write};

use bailey_gate::ledger::StoreError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::Connection;

use crate::backend::Header;
use crate::checkpoint::hex;
use crate::queries;
use crate::rows::store_error;
use crate::sealed::{SealedPayload, open_payload};
use crate::store::Ledger;

/// First line of every export.
const FIRST_LINE: &str = "bailey-log 1";

/// What an export says of payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payloads {
    /// As they are stored: sealed.
    Sealed,
    /// In plain words, each with the salt that ties it to its header.
    Readable,
}

/// Why an export did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Reading failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing failed.
    #[error("the export could not be written: {0}")]
    Write(#[from] io::Error),
}

/// Entries, and about how many bytes of them, read at a time: a connection is held for so long, and so much of it is in memory.
const CHUNK_ENTRIES: usize = 256;
const CHUNK_BYTES: usize = 1 << 20;

/// Bytes of a payload that are encoded at a time: divisible by three, so that the pieces are one text.
const ENCODED_BYTES: usize = 3 * 16 * 1_024;

/// An entry and its sealed payload.
type Stored = (u64, String, Option<SealedPayload>);

/// Writes the whole log. Signs a checkpoint first, so that no entry in the file is without one.
///
/// It is read a little at a time, and no connection is held while it is written: what is there already never changes, so it is
/// the log of one moment all the same.
pub fn export(ledger: &Ledger, payloads: Payloads, out: &mut dyn Write) -> Result<u64, ExportError> {
    ledger.checkpoint()?;
    writeln!(out, "{FIRST_LINE}")?;
    let covered = covered(&ledger.reader())?;
    let mut from = 0;
    while from < covered {
        let (entries, notes) = {
            let reader = ledger.reader();
            let entries = chunk(&reader, from, covered)?;
            let next = entries.last().map_or(covered, |(seq, _, _)| seq + 1);
            let notes = checkpoints(&reader, from, next)?;
            from = next;
            (entries, notes)
        };
        let mut notes = notes.into_iter().peekable();
        for (seq, header, payload) in entries {
            writeln!(out, "E {header}")?;
            if let Some(payload) = payload {
                write_payload(ledger, payloads, seq, payload, out)?;
            }
            while let Some((_, note)) = notes.next_if(|(size, _)| *size <= seq + 1) {
                writeln!(out, "C {}", BASE64.encode(note))?;
            }
        }
    }
    out.flush()?;
    Ok(covered)
}

fn write_payload(
    ledger: &Ledger,
    payloads: Payloads,
    seq: u64,
    (key, sealed): SealedPayload,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    if payloads == Payloads::Readable
        // A payload whose key was destroyed stays as it is: sealed for good.
        && let Ok((salt, json)) = open_payload(ledger.keys(), key, &sealed)
    {
        write!(out, "R {seq} {} ", hex(&salt))?;
        out.write_all(String::from_utf8_lossy(&json).as_bytes())?;
    } else {
        write!(out, "P {seq} ")?;
        for piece in sealed.chunks(ENCODED_BYTES) {
            out.write_all(BASE64.encode(piece).as_bytes())?;
        }
    }
    Ok(writeln!(out)?)
}

/// Tells how many entries the last checkpoint covers.
fn covered(db: &Connection) -> Result<u64, StoreError> {
    db.query_row("SELECT coalesce(max(size), 0) FROM checkpoint", [], |row| row.get(0)).map_err(store_error)
}

/// Entries from a place on, at least one where there is one.
fn chunk(db: &Connection, from: u64, to: u64) -> Result<Vec<Stored>, StoreError> {
    let mut query = db.prepare_cached(queries::EXPORTED).map_err(store_error)?;
    let mut rows = query.query([from, to]).map_err(store_error)?;
    let (mut out, mut bytes) = (Vec::new(), 0);
    while out.len() < CHUNK_ENTRIES && bytes < CHUNK_BYTES {
        let Some(row) = rows.next().map_err(store_error)? else { break };
        let (seq, Header(header), key, sealed): (u64, Header, Option<u64>, Option<Vec<u8>>) =
            row.try_into().map_err(store_error)?;
        let payload = key.zip(sealed);
        bytes += header.len() + payload.as_ref().map_or(0, |(_, sealed)| sealed.len());
        out.push((seq, header, payload));
    }
    Ok(out)
}

/// Returns the checkpoints that end between two places.
fn checkpoints(db: &Connection, from: u64, to: u64) -> Result<Vec<(u64, String)>, StoreError> {
    let mut query = db
        .prepare_cached("SELECT size, note FROM checkpoint WHERE size > ?1 AND size <= ?2 ORDER BY size")
        .map_err(store_error)?;
    let rows = query.query_map([from, to], |row| Ok((row.get(0)?, row.get(1)?))).map_err(store_error)?;
    rows.collect::<Result<_, _>>().map_err(store_error)
}
