//! Keys are destroyed with what they sealed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bailey_keys::KeyError;
use bailey_ledger::{Ledger, RecordName};

use crate::support::Folder;

const NAME: RecordName<'_> = RecordName { kind: "transcript", owner: b"a task", n: 0 };

/// Keeps a record, and gives the number of its key.
fn keep(ledger: &Ledger, text: &str) -> u64 {
    ledger.write(|tx| tx.put_record(NAME, text.as_bytes())).unwrap();
    let found = ledger.keys().numbers(u64::MAX).unwrap();
    // Keys are used in the order of their numbers, and the next to be used is the first that is drawn ahead.
    let (next, _) = ledger.keys().draw().unwrap();
    found.into_iter().rev().find(|number| *number < next).unwrap()
}

fn is_destroyed(ledger: &Ledger, key: u64) -> bool {
    matches!(ledger.keys().fetch(key), Err(KeyError::Destroyed))
}

#[test]
fn replacing_or_removing_a_record_destroys_its_key() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let first = keep(&ledger, "one");
    let second = keep(&ledger, "two");
    assert!(is_destroyed(&ledger, first) && !is_destroyed(&ledger, second));
    assert_eq!(ledger.record(NAME).unwrap().unwrap(), b"two");
    let undone = ledger.write(|tx| {
        tx.put_record(NAME, b"three")?;
        Err::<(), _>(bailey_gate::ledger::StoreError::Broken("planted".into()))
    });
    assert!(undone.is_err() && !is_destroyed(&ledger, second), "what is undone destroys nothing");
    assert_eq!(ledger.write(|tx| tx.remove_record(NAME)).unwrap(), Some(second));
    assert!(is_destroyed(&ledger, second));
    assert_eq!(ledger.record(NAME).unwrap(), None);
}

#[test]
fn a_crash_before_a_key_is_destroyed_is_made_good() {
    let folder = Folder::new();
    let keys = folder.path().join("keys.db");
    let first = keep(&folder.open(true).0, "one");
    let before = std::fs::read(&keys).unwrap();
    keep(&folder.open(false).0, "two");
    // As if the process had ended between the commit and the destroying.
    std::fs::write(&keys, before).unwrap();
    assert!(is_destroyed(&folder.open(false).0, first));
    let (ledger, _) = folder.open(false);
    assert_eq!(ledger.record(NAME).unwrap().unwrap(), b"two");
}

#[test]
fn keys_do_not_grow_with_what_is_replaced() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let length = || std::fs::metadata(folder.path().join("keys.db")).unwrap().len();
    let put = |times: u32| {
        for _ in 0..times {
            ledger.write(|tx| tx.put_record(NAME, b"a step of a task")).unwrap();
        }
    };
    put(1_000);
    let high = length();
    put(300);
    assert!(length() <= high, "{} bytes after {high}", length());
    let stored = ledger.keys().numbers(u64::MAX).unwrap().len();
    assert!(stored <= 2 * 512, "{stored} keys for one record and those drawn ahead");
}

#[test]
fn a_record_that_is_replaced_while_it_is_read_is_never_missing() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    ledger.write(|tx| tx.put_record(NAME, b"text")).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(ledger.record(NAME).unwrap().unwrap(), b"text");
                }
            });
        }
        for _ in 0..200 {
            ledger.write(|tx| tx.put_record(NAME, b"text")).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
