//! What is known of people and of tasks, for the writer's transactions and for reading alike.

use bailey_gate::TaskId;
use bailey_gate::family::{Party, Taint};
use bailey_gate::ground::{is_confusable, skeleton};
use bailey_gate::ledger::{Relationship, StoreError, TaskTaint};
use bailey_keys::store::KeyStore;
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use crate::rows::{damaged, store_error};
use crate::sealed::read_record;
use crate::tx::{RecordName, WORDS};

/// Returns all that the person said in a task, in its order.
pub(crate) fn task_words(db: &Connection, keys: &KeyStore, task: &TaskId) -> Result<Option<String>, StoreError> {
    let mut said = Vec::new();
    for n in 0.. {
        let name = RecordName { kind: WORDS, owner: task.as_bytes(), n };
        let Some(words) = read_record(db, keys, name)? else { break };
        said.push(String::from_utf8(words).map_err(|_| damaged("words of a task"))?);
    }
    Ok((!said.is_empty()).then(|| said.join("\n")))
}

/// Returns what a task has let in and asked so far.
pub(crate) fn task_taint(db: &Connection, task: &TaskId) -> Result<TaskTaint, StoreError> {
    let marks = |row: &SqlRow<'_>| {
        let brought = Taint { untrusted: row.get(0)?, confidential: row.get(1)? };
        Ok(TaskTaint { brought, off_task: row.get(2)? })
    };
    let found = db
        .prepare_cached("SELECT untrusted, confidential, odd FROM task_mark WHERE task = ?1")
        .and_then(|mut query| query.query_row([task.as_bytes()], marks).optional())
        .map_err(store_error)?;
    Ok(found.unwrap_or_default())
}

/// Returns a sum of whole numbers that floating point added up.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` keeps within what the type holds")]
pub(crate) const fn whole(sum: f64) -> u64 {
    sum as u64
}

/// Returns somebody known who could be taken for this one: by name, or by the domain of the person's own organisation.
pub(crate) fn confusable_with(db: &Connection, party: &Party) -> Result<Option<String>, StoreError> {
    let known = |sql: &str, values: &[&str]| -> rusqlite::Result<Vec<String>> {
        let mut query = db.prepare_cached(sql)?;
        query.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?.collect()
    };
    let alike = skeleton(party);
    let people = known("SELECT value FROM party WHERE kind = ?1 AND likeness = ?2", &[&party.kind, &alike]);
    if let Some(one) = people.map_err(store_error)?.into_iter().find(|one| is_confusable(one, &party.value)) {
        return Ok(Some(one));
    }
    if party.domain().is_empty() {
        return Ok(None);
    }
    let organisations =
        known("SELECT value FROM party WHERE kind = ?1", &[Party::ORGANISATION]).map_err(store_error)?;
    let at = |domain: &str| format!("x@{domain}");
    Ok(organisations.into_iter().find(|domain| is_confusable(&at(domain), &at(party.domain()))))
}

/// Returns what is known of somebody. The account of a standing connection is the person's own.
pub(crate) fn relationship_of(db: &Connection, party: &Party) -> Result<Relationship, StoreError> {
    let known: Option<bool> = db
        .prepare_cached("SELECT own FROM party WHERE kind = ?1 AND value = ?2")
        .and_then(|mut query| query.query_row([&party.kind, &party.value], |row| row.get(0)).optional())
        .map_err(store_error)?;
    let connected: bool = party.kind == Party::EMAIL
        && db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM connection WHERE kind = 'mail' AND active AND lower(account) = ?1)",
            )
            .and_then(|mut query| query.query_row([&party.value], |row| row.get(0)))
            .map_err(store_error)?;
    let inside: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM party WHERE kind = ?1 AND value = ?2 AND own)")
        .and_then(|mut query| query.query_row([Party::ORGANISATION, party.domain()], |row| row.get(0)))
        .map_err(store_error)?;
    Ok(Relationship { known: known.is_some(), own: connected || known.unwrap_or_default(), inside })
}
