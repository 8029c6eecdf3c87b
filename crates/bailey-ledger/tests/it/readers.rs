//! Several readers at one store.

use std::sync::Barrier;
use std::thread;

use bailey_gate::family::Action;
use bailey_gate::{ActionId, State};

use crate::support::{Folder, gate, propose};

/// More than there are connections for reading.
const AT_ONCE: usize = 16;

#[test]
fn more_readers_than_connections_all_read_what_is_committed() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    bailey_ledger::PauseFile::create(&folder.path().join("pause")).unwrap();
    let gate = gate(&folder, &ledger);
    for number in 1..=20 {
        let _waits = propose(
            &gate,
            number,
            Action::Home(bailey_gate::family::home::HomeAction::MemoryWrite { note: format!("note {number}") }),
            None,
        );
    }
    let together = Barrier::new(AT_ONCE);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                together.wait();
                for _ in 0..10 {
                    let waiting = ledger.actions_in(State::Awaiting).unwrap();
                    assert!(waiting.len() == 20 && waiting.iter().all(|view| !view.content.is_empty()));
                    assert_eq!(ledger.count_in(State::Awaiting).unwrap(), 20);
                }
            });
        }
    });
}

#[test]
fn lists_are_given_in_parts() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    bailey_ledger::PauseFile::create(&folder.path().join("pause")).unwrap();
    let gate = gate(&folder, &ledger);
    for number in 1..=9 {
        let action = if number % 3 == 0 {
            Action::Home(bailey_gate::family::home::HomeAction::Reply { words: "hello".into() })
        } else {
            Action::Home(bailey_gate::family::home::HomeAction::MemoryWrite { note: format!("note {number}") })
        };
        let _proposed = propose(&gate, number, action, None);
    }
    let numbers = |views: Vec<bailey_ledger::ActionRecord>| -> Vec<u8> {
        views.iter().map(|view| view.row.id.as_bytes()[0]).collect()
    };
    let id = |number: u8| ActionId::from_bytes([number; 16]);
    assert_eq!(numbers(ledger.recent_actions(2, 3).unwrap()), [7, 6, 5]);
    assert_eq!(numbers(ledger.recent_actions(9, 3).unwrap()), [0; 0]);
    assert_eq!(numbers(ledger.actions_before(None, Some(&id(5)), 2).unwrap()), [4, 3]);
    assert_eq!(numbers(ledger.actions_before(Some(bailey_gate::family::home::REPLY), None, 2).unwrap()), [9, 6]);
    assert_eq!(numbers(ledger.actions_before(Some(bailey_gate::family::home::REPLY), Some(&id(6)), 9).unwrap()), [3]);
    assert_eq!(numbers(ledger.part_of(State::Awaiting, 1, 2).unwrap()).len(), 2);
    let decided: Vec<u8> = ledger.decided(4).unwrap().iter().map(|one| one.row.id.as_bytes()[0]).collect();
    assert_eq!(decided, [8, 7, 5, 4]);
}
