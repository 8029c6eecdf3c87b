//! What an action takes on the disk.

use std::sync::Arc;

use bailey_gate::event::Actor;
use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Href, Writing};
use bailey_gate::family::{Action, Level};
use bailey_gate::ledger::Grant;
use bailey_gate::{ActionId, Gate, Proposal, TaskId};
use bailey_ledger::{ConnectionRow, Ledger, PauseFile};

use crate::support::{CALENDAR, Folder, at, execute, gate};

/// Bytes of the database that an action may take: a small entry of a calendar, that goes by itself, with its four entries of the
/// log and its place in every index. At format 3 it took twice as much.
const MOST: u64 = 2_800;

/// An identity as one is drawn: with nothing in common with those before.
fn scattered(number: u64) -> [u8; 16] {
    let half = |salt: u64| {
        (number + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(half(1).to_be_bytes().into_iter().chain(half(7).to_be_bytes()))
        .for_each(|(to, from)| *to = from);
    bytes
}

fn act(gate: &Gate, number: u64) {
    let text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//measured//EN\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n\
                DTSTART:20260102T100000Z\nDTEND:20260102T110000Z\nSUMMARY:Lunch with Ana\nEND:VEVENT\nEND:VCALENDAR\n";
    let change = Change::Create { after: Entry::new(text).unwrap() };
    let writing = Writing { href: Href::new("/calendar/1.ics").unwrap(), change, told: None };
    let proposal = Proposal {
        id: ActionId::from_bytes(scattered(number)),
        task: Some(TaskId::from_bytes(scattered(number / 100))),
        account: Some(CALENDAR),
        precondition: Vec::new(),
        action: Action::Calendar(CalendarAction::Write(writing)),
        why: "measured".into(),
        actor: Actor::Agent,
    };
    let permit = gate.propose(proposal, at(1_000)).unwrap().permit.unwrap();
    let _state = execute(gate, permit);
}

fn bytes(ledger: &Ledger) -> u64 {
    ledger.disk().unwrap().iter().map(|(_, bytes)| bytes).sum()
}

#[test]
fn disk_of_an_action_is_bounded() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let grant = Grant { level: Level::Full, active: true, generation: 1 };
    let connection = ConnectionRow { id: CALENDAR, kind: "calendar".into(), account: "me".into(), grant };
    ledger.write(|tx| tx.put_connection(&connection)).unwrap();
    PauseFile::create(&folder.path().join("pause")).unwrap();
    let gate = gate(&folder, &Arc::clone(&ledger));
    (0..100).for_each(|number| act(&gate, number));
    let before = bytes(&ledger);
    (100..400).for_each(|number| act(&gate, number));
    let each = (bytes(&ledger) - before) / 300;
    assert!(each <= MOST, "{each} bytes: {:?}", ledger.disk().unwrap());
}
