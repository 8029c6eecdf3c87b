//! The index of words: what is found, and what is left of it.

use bailey_gate::event::{Actor, Event, EventKind};
use bailey_gate::handoff::{Mode, PauseState};
use bailey_gate::{ActionId, TaskId};
use bailey_ledger::{ActionDoc, Docs, Ledger, RequestDoc, SearchIndex, Wanted};

use crate::support::{Folder, at};

fn action(place: u64, state: &str, words: &str) -> ActionDoc {
    ActionDoc {
        place,
        id: ActionId::from_bytes([u8::try_from(place).unwrap(); 16]),
        kind: "mail.send".into(),
        state: state.into(),
        account: "me@example.org".into(),
        by: String::new(),
        wall_ms: i64::try_from(place).unwrap(),
        words: words.into(),
    }
}

fn grown(ledger: &Ledger, entries: u64) -> Vec<u8> {
    let pause_state = PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 };
    let event = Event::of_home(EventKind::Opened, Actor::Home, at(0), pause_state);
    for _ in ledger.head().unwrap().0..entries {
        ledger.write(|tx| tx.append(&event, None).map(|_| ())).unwrap();
    }
    ledger.leaf_at(entries - 1).unwrap().unwrap().to_vec()
}

fn found(index: &SearchIndex, wanted: &Wanted) -> Vec<u8> {
    let wanted = Wanted { limit: 50, ..wanted.clone() };
    index.actions(&wanted).unwrap().found.iter().map(|id| id.as_bytes()[0]).collect()
}

fn words(words: &str) -> Wanted {
    Wanted { words: words.into(), ..Wanted::default() }
}

#[test]
fn an_action_is_found_by_what_it_says_now_and_where_it_stands_now() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let index = SearchIndex::open(&folder.path().join("search.db"), &ledger).unwrap();
    let last = grown(&ledger, 4);
    let docs = |actions| Docs { actions, ..Docs::default() };
    index
        .take_up(&docs(vec![action(1, "awaiting", "yellow bird"), action(2, "awaiting", "brown bird")]), 3, &last)
        .unwrap();
    assert_eq!(found(&index, &words("bird")), [2, 1]);
    index.take_up(&docs(vec![action(1, "succeeded", "yellow bird, sent")]), 4, &last).unwrap();
    assert_eq!(found(&index, &words("sent")), [1]);
    assert_eq!(found(&index, &Wanted { state: "awaiting".into(), ..words("bird") }), [2]);
    assert_eq!(found(&index, &Wanted { state: "succeeded".into(), ..Wanted::default() }), [1]);
    assert_eq!(found(&index, &Wanted { from_ms: Some(2), ..Wanted::default() }), [2]);
    assert_eq!(found(&index, &Wanted { before: Some(2), ..words("bird") }), [1]);
    // What is not said any more is not found.
    index.take_up(&docs(vec![action(2, "awaiting", "")]), 4, &last).unwrap();
    assert_eq!(found(&index, &words("brown")), [0_u8; 0]);
    assert_eq!(index.size().unwrap(), 4);
}

#[test]
fn a_piece_is_held_by_the_requests_that_had_it() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let index = SearchIndex::open(&folder.path().join("search.db"), &ledger).unwrap();
    let task = TaskId::from_bytes([7; 16]);
    let piece = |n, text: Option<&str>| (n, "person".to_owned(), text.map(str::to_owned));
    let request = |n, spans| RequestDoc { task, n, spans };
    let requests = vec![
        request(0, vec![piece(0, Some("tell ana"))]),
        request(1, vec![piece(0, None), piece(1, Some("and bea"))]),
        request(2, vec![piece(1, None)]),
        request(3, vec![piece(0, None)]),
    ];
    index.take_up(&Docs { requests, ..Docs::default() }, 1, &grown(&ledger, 1)).unwrap();
    let held = |text, label| {
        let wanted = Wanted { limit: 5, ..words(text) };
        index.spans(label, &wanted).unwrap().found.into_iter().map(|span| span.held).collect::<Vec<_>>()
    };
    assert_eq!(held("ana", ""), [vec![(0, 1), (3, 3)]]);
    assert_eq!(held("bea", "person"), [vec![(1, 2)]]);
    assert!(held("bea", "others").is_empty());
}

#[test]
fn an_index_begun_anew_leaves_no_copy_that_opens() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let (file, copy) = (folder.path().join("search.db"), folder.path().join("copy.db"));
    let index = SearchIndex::open(&file, &ledger).unwrap();
    let docs = Docs { actions: vec![action(1, "awaiting", "a secret bird")], ..Docs::default() };
    index.take_up(&docs, 2, &grown(&ledger, 2)).unwrap();
    drop(index);
    std::fs::copy(&file, &copy).unwrap();
    // A copy of before is as good as the file, until it is begun anew.
    std::fs::copy(&copy, &file).unwrap();
    let index = SearchIndex::open(&file, &ledger).unwrap();
    assert_eq!(found(&index, &words("secret")), [1]);
    index.begin_anew(&ledger).unwrap();
    assert_eq!(found(&index, &words("secret")), [0_u8; 0]);
    drop(index);
    std::fs::copy(&copy, &file).unwrap();
    let index = SearchIndex::open(&file, &ledger).unwrap();
    assert_eq!((found(&index, &words("secret")), index.size().unwrap()), (vec![], 0));
}

#[test]
fn an_index_of_another_history_is_made_anew() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let file = folder.path().join("search.db");
    let index = SearchIndex::open(&file, &ledger).unwrap();
    grown(&ledger, 3);
    let docs = Docs { actions: vec![action(1, "awaiting", "bird")], ..Docs::default() };
    index.take_up(&docs, 3, &[9; 32]).unwrap();
    drop(index);
    assert_eq!(SearchIndex::open(&file, &ledger).unwrap().size().unwrap(), 0, "its last entry is another");
    let index = SearchIndex::open(&file, &ledger).unwrap();
    index.take_up(&docs, 30, &[9; 32]).unwrap();
    drop(index);
    assert_eq!(SearchIndex::open(&file, &ledger).unwrap().size().unwrap(), 0, "it is further than the log");
}
