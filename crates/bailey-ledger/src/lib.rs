//! The encrypted store of one home: action rows, the log with its proofs, sealed payloads and records.
//!
//! Invariant of absence: the ledger decides nothing. It stores what the gate says and refuses what the gate's own table
//! of transitions does not allow.

mod aside;
mod backend;
mod blob;
mod browsers;
mod checkpoint;
mod claims;
mod consistency;
mod contacts;
mod export;
mod files;
mod gate_tx;
mod header;
mod mark;
mod pack;
mod pause;
mod queries;
mod read;
mod readers;
mod rows;
mod schedules;
mod schema;
mod sealed;
mod search;
mod store;
mod tree;
mod tx;

pub use blob::{BlobOwner, MAX_BLOB_BYTES};
pub use browsers::{PasskeyRow, SessionRow};
pub use consistency::Consistency;
pub use export::{ExportError, Payloads, export};
pub use files::{
    FileError, FileRefusal, FileRow, Listing, MAX_LISTED as MAX_FILES_LISTED, MAX_PIECE_BYTES, MadeBy, Stored, Target,
    Upload, VersionRow, composed,
};
pub use header::{VERSION as LOG_VERSION, payload_bytes};
pub use mark::{Kept, Mark, MarkFile, MarkStore};
pub use pause::{
    BYTES as PAUSE_BYTES, MARK as PAUSE_MARK, MARK_AT as PAUSE_MARK_AT, PauseFile, Recorded, Sector,
    mark_paused_by_supervisor,
};
pub use read::{ActionRecord, CredentialKind, CredentialRow, Decided, Entry, TaskRow, Used};
pub use schedules::{ClockworkRow, MAX_OCCURRENCES_LISTED, OccurrenceRow, ScheduleRow, ScheduleState};
pub use schema::DATABASE_FORMAT;
pub use search::{ActionDoc, Docs, Found, HeldSpan, RequestDoc, SearchIndex, TaskDoc, Wanted};
pub use store::{Appended, Ledger, OpenError, Opened, Paths, from_key_error, is_writable, look};
pub use tx::{ConnectionRow, LedgerTx, RecordName, WORDS};
