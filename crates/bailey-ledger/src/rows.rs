//! Rows of actions, connections and tasks, as the database has them.

use std::sync::atomic::{AtomicBool, Ordering};

use bailey_gate::event::{Approval, Client, Origin};
use bailey_gate::family::{ActionKind, Level};
use bailey_gate::ledger::{Grant, Row, StoreError};
use bailey_gate::{ActionId, Class, ConnectionId, Deadline, Digest, Now, State, TaskId};
use bailey_keys::KeyError;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use crate::queries;
use crate::tx::ConnectionRow;

/// Tells whether a connection of this process failed in a way it may not get over, since that was last looked into: a hint, for
/// [`crate::Ledger::has_failed`].
pub(crate) static SUSPECT: AtomicBool = AtomicBool::new(false);

const UNREADABLE: &str = "a part of it could not be read from the disk. The home starts anew by itself: try again in some \
    seconds. If it stays like this, the disk or the file is damaged, and a backup has to be put in its place";

pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase, OutOfMemory, SystemIoFailure};
    let code = error.sqlite_error_code();
    if matches!(code, Some(SystemIoFailure | NotADatabase | DatabaseCorrupt | OutOfMemory)) {
        SUSPECT.store(true, Ordering::SeqCst);
    }
    match code {
        Some(DiskFull) => StoreError::Full,
        Some(NotADatabase | DatabaseCorrupt) => StoreError::Broken(UNREADABLE.into()),
        _ => StoreError::Broken(error.to_string()),
    }
}

pub(crate) fn key_error(error: KeyError) -> StoreError {
    match error {
        KeyError::Store(error) => store_error(error),
        other => StoreError::Broken(other.to_string()),
    }
}

pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Broken(format!("a stored {what} is damaged"))
}

pub(crate) fn one_row(db: &Connection, id: &ActionId) -> Result<Option<Row>, StoreError> {
    Ok(rows_of(db, queries::ACTION, [id.as_bytes()])?.pop())
}

/// Returns the rows a query of [`queries`] finds.
pub(crate) fn rows_of(
    db: &Connection,
    query: &'static str,
    values: impl rusqlite::Params,
) -> Result<Vec<Row>, StoreError> {
    let mut query = db.prepare_cached(query).map_err(store_error)?;
    let mut rows = query.query(values).map_err(store_error)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        out.push(parse_row(row)?);
    }
    Ok(out)
}

fn column<T: FromSql>(row: &SqlRow<'_>, at: usize) -> Result<T, StoreError> {
    row.get(at).map_err(store_error)
}

fn parse_row(row: &SqlRow<'_>) -> Result<Row, StoreError> {
    // The columns are those of `queries`, in their order: looking names up takes longer than the rest.
    let named = |at: usize| column::<String>(row, at);
    let connection: Option<[u8; 16]> = column(row, 5)?;
    let generation: Option<u64> = column(row, 6)?;
    let held: Option<Vec<u8>> = column(row, 10)?;
    let proposed = parse_now(&column::<Vec<u8>>(row, 8)?)?;
    let claim: (Option<u64>, Option<u64>) = (column(row, 15)?, column(row, 16)?);
    Ok(Row {
        id: ActionId::from_bytes(column(row, 0)?),
        task: column::<Option<[u8; 16]>>(row, 1)?.map(TaskId::from_bytes),
        state: State::from_name(&named(2)?).ok_or_else(|| damaged("state"))?,
        kind: ActionKind::from_name(&named(3)?).ok_or_else(|| damaged("kind"))?,
        class: Class::from_name(&named(4)?).ok_or_else(|| damaged("class"))?,
        account: connection.zip(generation).map(|(id, generation)| (ConnectionId::from_bytes(id), generation)),
        digest: Digest::from_bytes(column(row, 7)?),
        proposed,
        expires: parse_expires(&column::<Vec<u8>>(row, 9)?, proposed)?,
        held: held.map(|bytes| parse_deadline(&bytes)).transpose()?,
        approval: parse_approval(row)?,
        claim: claim.0.zip(claim.1),
        attempt: column(row, 17)?,
        undo_of: column::<Option<[u8; 16]>>(row, 18)?.map(ActionId::from_bytes),
        amount: column(row, 19)?,
    })
}

fn parse_approval(row: &SqlRow<'_>) -> Result<Option<Approval>, StoreError> {
    let Some(credential) = column::<Option<[u8; 16]>>(row, 11)? else { return Ok(None) };
    let client: String = column(row, 13)?;
    Ok(Some(Approval {
        credential,
        client: Client::from_name(&client).ok_or_else(|| damaged("client"))?,
        session: column(row, 12)?,
        stepped_up: column(row, 14)?,
    }))
}

/// Returns every connection, oldest first.
pub(crate) fn read_connections(db: &Connection) -> Result<Vec<ConnectionRow>, StoreError> {
    connections_of(db, queries::CONNECTIONS, [])
}

pub(crate) fn one_connection(db: &Connection, id: &ConnectionId) -> Result<Option<ConnectionRow>, StoreError> {
    Ok(connections_of(db, queries::CONNECTION, [id.as_bytes()])?.pop())
}

fn connections_of(
    db: &Connection,
    query: &'static str,
    values: impl rusqlite::Params,
) -> Result<Vec<ConnectionRow>, StoreError> {
    let mut query = db.prepare_cached(query).map_err(store_error)?;
    let mut rows = query.query(values).map_err(store_error)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        let level: String = column(row, 3)?;
        out.push(ConnectionRow {
            id: ConnectionId::from_bytes(column(row, 0)?),
            kind: column(row, 1)?,
            account: column(row, 2)?,
            grant: Grant {
                level: Level::from_name(&level).ok_or_else(|| damaged("level"))?,
                active: column(row, 4)?,
                generation: column(row, 5)?,
            },
        });
    }
    Ok(out)
}

pub(crate) fn now_bytes(now: &Now) -> Vec<u8> {
    let mut out = now.wall_ms.to_be_bytes().to_vec();
    out.extend_from_slice(&now.boot_ms.to_be_bytes());
    out.extend_from_slice(&now.boot_id);
    out
}

/// Tells when a row expires. Mostly it was set when the action was proposed, which the row says already: then only for how
/// long.
pub(crate) fn expires_bytes(row: &Row) -> Vec<u8> {
    if row.expires.set == row.proposed {
        return row.expires.after_ms.to_be_bytes().to_vec();
    }
    deadline_bytes(&row.expires)
}

fn parse_expires(bytes: &[u8], proposed: Now) -> Result<Deadline, StoreError> {
    match <[u8; 8]>::try_from(bytes) {
        Ok(after) => Ok(Deadline { set: proposed, after_ms: u64::from_be_bytes(after) }),
        Err(_) => parse_deadline(bytes),
    }
}

pub(crate) fn deadline_bytes(deadline: &Deadline) -> Vec<u8> {
    let mut out = now_bytes(&deadline.set);
    out.extend_from_slice(&deadline.after_ms.to_be_bytes());
    out
}

fn parse_now(bytes: &[u8]) -> Result<Now, StoreError> {
    let part = |from: usize, to: usize| bytes.get(from..to).ok_or_else(|| damaged("time"));
    let eight = |from: usize| part(from, from + 8)?.try_into().map_err(|_| damaged("time"));
    Ok(Now {
        wall_ms: i64::from_be_bytes(eight(0)?),
        boot_ms: u64::from_be_bytes(eight(8)?),
        boot_id: part(16, 32)?.try_into().map_err(|_| damaged("time"))?,
    })
}

fn parse_deadline(bytes: &[u8]) -> Result<Deadline, StoreError> {
    let after = bytes.get(32..40).and_then(|after| after.try_into().ok()).ok_or_else(|| damaged("deadline"))?;
    Ok(Deadline { set: parse_now(bytes)?, after_ms: u64::from_be_bytes(after) })
}

pub(crate) fn origin_of(db: &Connection, task: &TaskId) -> Result<Option<Origin>, StoreError> {
    let found: Option<String> = db
        .prepare_cached("SELECT origin FROM task WHERE id = ?1")
        .and_then(|mut query| query.query_row([task.as_bytes()], |row| row.get(0)).optional())
        .map_err(store_error)?;
    found.map(|name| Origin::from_name(&name).ok_or_else(|| damaged("origin of a task"))).transpose()
}
