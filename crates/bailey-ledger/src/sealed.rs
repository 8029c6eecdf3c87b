//! Opening what is sealed: records, payloads of entries, contents of actions.

use bailey_gate::ActionId;
use bailey_gate::ledger::StoreError;
use bailey_keys::store::KeyStore;
use bailey_keys::{Context, KeyError, open};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::header;
use crate::pack::{is_packed, unpack};
use crate::queries;
use crate::rows::{damaged, key_error, store_error};
use crate::tx::RecordName;

/// Returns a sealed record; nothing where there is none, or its key is destroyed: what an older copy of the database holds may
/// have been replaced since.
pub(crate) fn read_record(
    db: &Connection,
    keys: &KeyStore,
    name: RecordName<'_>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let find = || {
        db.prepare_cached("SELECT key_id, sealed FROM record WHERE kind = ?1 AND owner = ?2 AND n = ?3")
            .and_then(|mut query| {
                query.query_row(params![name.kind, name.owner, name.n], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(store_error)
    };
    open_current(keys, name.kind, find)
}

/// Opens what is found, as it is now: nothing where nothing is found, or its key is destroyed.
pub(crate) fn open_current(
    keys: &KeyStore,
    field: &'static str,
    find: impl Fn() -> Result<Option<SealedPayload>, StoreError>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut gone = None;
    loop {
        let Some((id, sealed)) = find()? else { return Ok(None) };
        match unseal(keys, id, field, &sealed) {
            // Replaced between finding and opening it, perhaps: then there is another by now.
            Err(KeyError::Destroyed) if gone != Some(id) => gone = Some(id),
            Err(KeyError::Destroyed) => return Ok(None),
            opened => return opened.map(Some).map_err(key_error),
        }
    }
}

fn unseal(keys: &KeyStore, id: u64, field: &'static str, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
    let key = keys.fetch(id)?;
    let owner = id.to_be_bytes();
    open(&key, &Context { home: keys.home().home(), owner: &owner, field, version: 1 }, sealed)
}

/// Returns a payload's JSON; nothing where it was erased, or is damaged. That the key store fails is an error, not an absence.
pub(crate) fn payload_left(keys: &KeyStore, payload: Option<SealedPayload>) -> Result<Option<Vec<u8>>, StoreError> {
    let Some((id, sealed)) = payload else { return Ok(None) };
    match unseal(keys, id, "payload", &sealed) {
        Ok(plain) => Ok(plain.get(16..).and_then(json_of)),
        Err(error @ KeyError::Store(_)) => Err(key_error(error)),
        Err(_) => Ok(None),
    }
}

/// Returns the JSON of a payload, which is stored as it is or packed.
fn json_of(stored: &[u8]) -> Option<Vec<u8>> {
    if is_packed(stored) { unpack(stored).map(String::into_bytes) } else { Some(stored.to_vec()) }
}

/// Returns a payload's salt and JSON.
pub(crate) fn open_payload(keys: &KeyStore, id: u64, sealed: &[u8]) -> Result<([u8; 16], Vec<u8>), StoreError> {
    let plain = unseal(keys, id, "payload", sealed).map_err(key_error)?;
    let (salt, json) = plain.split_at_checked(16).ok_or_else(|| damaged("payload"))?;
    Ok((salt.try_into().map_err(|_| damaged("payload"))?, json_of(json).ok_or_else(|| damaged("payload"))?))
}

/// A sealed payload and the number of its key.
pub(crate) type SealedPayload = (u64, Vec<u8>);

/// Returns the sealed content of an action.
pub(crate) fn sealed_content(db: &Connection, id: &ActionId) -> Result<Option<SealedPayload>, StoreError> {
    let found: Option<(Option<u64>, Option<Vec<u8>>)> = db
        .prepare_cached(queries::CONTENT)
        .and_then(|mut query| query.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(store_error)?;
    Ok(found.and_then(|(key, sealed)| key.zip(sealed)))
}

/// Returns the content of an action; nothing where it was erased, or is damaged.
pub(crate) fn content_left(keys: &KeyStore, payload: Option<SealedPayload>) -> Result<Vec<u8>, StoreError> {
    let json = payload_left(keys, payload)?;
    Ok(json.and_then(|json| header::payload_bytes(&json, "content")).unwrap_or_default())
}

/// Opens the content of an action; nothing if it never had one.
pub(crate) fn opened_content(keys: &KeyStore, sealed: Option<SealedPayload>) -> Result<Vec<u8>, StoreError> {
    let Some((key, sealed)) = sealed else { return Ok(Vec::new()) };
    let (_, json) = open_payload(keys, key, &sealed)?;
    header::payload_bytes(&json, "content").ok_or_else(|| damaged("action"))
}
