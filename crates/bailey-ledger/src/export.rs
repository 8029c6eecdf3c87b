//! The log as a file that can be verified anywhere; the format is described in `docs/log-format.md`.

use std::io::{self, Write};

use bailey_gate::ledger::StoreError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::Connection;

use crate::checkpoint::hex;
use crate::store::Ledger;
use crate::tx::{open_payload, store_error};

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

/// Writes the whole log. Signs a checkpoint first, so that no entry in the file is without one.
pub fn export(ledger: &Ledger, payloads: Payloads, out: &mut dyn Write) -> Result<u64, ExportError> {
    ledger.checkpoint()?;
    writeln!(out, "{FIRST_LINE}")?;
    let reader = ledger.reader();
    // One read transaction: the entries and checkpoints of one moment.
    let snapshot = reader.unchecked_transaction().map_err(store_error)?;
    let notes = checkpoints(&snapshot)?;
    let covered = notes.last().map_or(0, |(size, _)| *size);
    let mut notes = notes.into_iter().peekable();
    let mut query = snapshot.prepare(crate::queries::EXPORTED).map_err(store_error)?;
    let mut rows = query.query([0, covered]).map_err(store_error)?;
    while let Some(row) = rows.next().map_err(store_error)? {
        let (seq, header, key, sealed): (u64, String, Option<u64>, Option<Vec<u8>>) =
            row.try_into().map_err(store_error)?;
        writeln!(out, "E {header}")?;
        match (key.zip(sealed), payloads) {
            (None, _) => {}
            (Some((_, sealed)), Payloads::Sealed) => writeln!(out, "P {seq} {}", BASE64.encode(sealed))?,
            (Some((key, sealed)), Payloads::Readable) => {
                // A payload whose key was destroyed stays as it is: sealed for good.
                match open_payload(ledger.keys(), key, &sealed) {
                    Ok((salt, json)) => writeln!(out, "R {seq} {} {}", hex(&salt), String::from_utf8_lossy(&json))?,
                    Err(_) => writeln!(out, "P {seq} {}", BASE64.encode(sealed))?,
                }
            }
        }
        while let Some((_, note)) = notes.next_if(|(size, _)| *size <= seq + 1) {
            writeln!(out, "C {}", BASE64.encode(note))?;
        }
    }
    out.flush()?;
    Ok(covered)
}

fn checkpoints(db: &Connection) -> Result<Vec<(u64, String)>, StoreError> {
    let mut query = db.prepare("SELECT size, note FROM checkpoint ORDER BY size").map_err(store_error)?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(store_error)?;
    rows.collect::<Result<_, _>>().map_err(store_error)
}
