//! A task as it is stored: what may change in one record, and each turn in one of its own, so that a step writes what it
//! changed and not all that was before it.

use bailey_agent::{Conversation, Turn};
use bailey_gate::TaskId;
use bailey_gate::ledger::StoreError;
use bailey_ledger::{Ledger, LedgerTx, RecordName};
use serde::{Deserialize, Serialize};

/// The kind of record that holds all but the turns.
const HEAD: &str = "transcript";
/// The kind of record that holds one turn, numbered from the first of the task on.
const TURN: &str = "transcript-turn";

/// A conversation without its turns, and how many there are in each part of it: before the person said more, and now.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Nothing where a release stored it that kept the turns beside the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counts: Option<Vec<usize>>,
    #[serde(flatten)]
    conversation: Conversation,
}

fn head(id: &TaskId) -> RecordName<'_> {
    RecordName { kind: HEAD, owner: id.as_bytes(), n: 0 }
}

fn damaged(error: &serde_json::Error) -> StoreError {
    StoreError::Broken(format!("the record of a task is damaged: {error}"))
}

/// Returns every part's turns, the oldest first.
fn parts(conversation: &mut Conversation) -> impl Iterator<Item = &mut Vec<Turn>> {
    let earlier = conversation.earlier.iter_mut().map(|earlier| &mut earlier.turns);
    earlier.chain(std::iter::once(&mut conversation.turns))
}

/// Reads a task's conversation; nothing where there is none, or it was erased.
pub(crate) fn read(ledger: &Ledger, id: &TaskId) -> Result<Option<Conversation>, StoreError> {
    let Some(Head { counts, mut conversation }) = read_head(ledger, id)? else { return Ok(None) };
    let mut n = 0;
    for (turns, count) in parts(&mut conversation).zip(counts.unwrap_or_default()) {
        for _ in 0..count {
            let Some(turn) = read_turn(ledger, id, n)? else { return Ok(None) };
            turns.push(turn);
            n += 1;
        }
    }
    Ok(Some(conversation))
}

/// Reads the same with the last turn alone, which costs the same however long the task was. An earlier release kept the turns
/// beside the rest: then all of them are there.
pub(crate) fn read_last(ledger: &Ledger, id: &TaskId) -> Result<Option<Conversation>, StoreError> {
    let Some(Head { counts, mut conversation }) = read_head(ledger, id)? else { return Ok(None) };
    let counts = counts.unwrap_or_default();
    let stored: usize = counts.iter().sum();
    if let (Some(1..), Some(last)) = (counts.last(), stored.checked_sub(1)) {
        let Some(turn) = read_turn(ledger, id, last as u64)? else { return Ok(None) };
        conversation.turns.push(turn);
    }
    Ok(Some(conversation))
}

fn read_head(ledger: &Ledger, id: &TaskId) -> Result<Option<Head>, StoreError> {
    let Some(json) = ledger.record(head(id))? else { return Ok(None) };
    serde_json::from_slice(&json).map(Some).map_err(|error| damaged(&error))
}

fn read_turn(ledger: &Ledger, id: &TaskId, n: u64) -> Result<Option<Turn>, StoreError> {
    let Some(json) = ledger.record(RecordName { kind: TURN, owner: id.as_bytes(), n })? else { return Ok(None) };
    serde_json::from_slice(&json).map(Some).map_err(|error| damaged(&error))
}

/// Tells whether a task is stored.
pub(crate) fn is_kept(tx: &mut LedgerTx<'_>, id: &TaskId) -> Result<bool, StoreError> {
    Ok(tx.record(head(id))?.is_some())
}

/// Stores a task's conversation.
pub(crate) fn keep(tx: &mut LedgerTx<'_>, id: &TaskId, mut conversation: Conversation) -> Result<(), StoreError> {
    let stored = tx.next_record(TURN, id.as_bytes())?;
    let mut counts = Vec::new();
    let mut n = 0;
    for turns in parts(&mut conversation) {
        counts.push(turns.len());
        for turn in std::mem::take(turns) {
            // INVARIANT: only the last turn changes, so those before the last that is stored are as they were.
            if n + 1 >= stored {
                let json = serde_json::to_vec(&turn).map_err(|error| damaged(&error))?;
                tx.put_record(RecordName { kind: TURN, owner: id.as_bytes(), n }, &json)?;
            }
            n += 1;
        }
    }
    let json = serde_json::to_vec(&Head { counts: Some(counts), conversation }).map_err(|error| damaged(&error))?;
    tx.put_record(head(id), &json)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use bailey_gate::Now;
    use bailey_keys::HomeKey;
    use bailey_ledger::{MarkFile, Paths};
    use bailey_model::{Answer, ToolCall};

    use super::*;

    const ID: TaskId = TaskId::from_bytes([9; 16]);

    struct Folder(PathBuf);

    impl Folder {
        fn open(name: &str) -> (Self, Ledger) {
            let path = std::env::temp_dir().join(format!("bailey-transcript-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            let (database, keys) = (path.join("ledger.db"), path.join("keys.db"));
            let paths = Paths {
                database: &database,
                keys: &keys,
                mark: Box::new(MarkFile::new(&path.join("mark"))),
                create: true,
            };
            let key = HomeKey::take_over(&mut [7_u8; 48].as_slice()).unwrap();
            let now = Now { wall_ms: 0, boot_ms: 1, boot_id: [1; 16] };
            (Self(path), Ledger::open(paths, key, now).unwrap().0)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn asks(n: usize) -> Answer {
        let call = ToolCall { id: "c".into(), name: "look".into(), arguments: format!("{{\"n\":{n}}}") };
        Answer { calls: vec![call], ..Answer::default() }
    }

    /// Stores it, and gives how many records that wrote.
    fn kept(ledger: &Ledger, conversation: &Conversation) -> u64 {
        let (before, _) = ledger.keys().draw().unwrap();
        ledger.write(|tx| keep(tx, &ID, conversation.clone())).unwrap();
        assert_eq!(read(ledger, &ID).unwrap().as_ref(), Some(conversation));
        let (after, _) = ledger.keys().draw().unwrap();
        let last = read_last(ledger, &ID).unwrap().unwrap();
        assert_eq!(last.turns.last(), conversation.turns.last());
        assert_eq!((last.next(), last.words()), (conversation.next(), conversation.words()));
        after - before - 1
    }

    #[test]
    fn a_step_writes_what_it_changed_however_long_the_task() {
        let (_folder, ledger) = Folder::open("steps");
        let mut conversation = Conversation::free("do".into());
        kept(&ledger, &conversation);
        for part in 0..3 {
            for n in 0..20 {
                conversation.answered(asks(n), 1_000_000);
                assert!(kept(&ledger, &conversation) <= 3);
                conversation.note(0, None, Some("done".into()));
                assert!(kept(&ledger, &conversation) <= 2);
            }
            conversation.told("finished".into());
            assert!(kept(&ledger, &conversation) <= 2, "part {part}");
            conversation.go_on("more".into(), Vec::new());
            assert!(kept(&ledger, &conversation) <= 2, "part {part}");
        }
        assert_eq!(ledger.record_numbers(TURN, ID.as_bytes()).unwrap().len(), 60);
    }

    #[test]
    fn what_an_earlier_release_stored_is_read_and_gone_on_with() {
        let (_folder, ledger) = Folder::open("earlier");
        let mut conversation = Conversation::free("do".into());
        conversation.answered(asks(1), 1_000_000);
        conversation.note(0, None, Some("done".into()));
        let json = serde_json::to_vec(&conversation).unwrap();
        ledger.write(|tx| tx.put_record(head(&ID), &json)).unwrap();
        assert_eq!(read(&ledger, &ID).unwrap().as_ref(), Some(&conversation));
        conversation.answered(asks(2), 1_000_000);
        kept(&ledger, &conversation);
    }
}
