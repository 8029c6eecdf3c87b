//! Homes that earlier releases left: see `homes/README.md` for what is in them.

use bailey_gate::approval::{Assertion, Proof};
use bailey_gate::event::Client;
use bailey_gate::event::Origin;
use bailey_gate::family::Action;
use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Href, Writing};
use bailey_gate::{ActionId, Nonce, State, TaskId};
use bailey_ledger::{Opened, Payloads, RecordName};
use bailey_verify::Verdict;

use crate::support::{CALENDAR, Folder, at, execute, gate, propose, verdict};

/// The formats with a home to try.
const FORMATS: [u32; 5] = [1, 2, 3, 7, 10];

fn id(number: u8) -> ActionId {
    ActionId::from_bytes([number; 16])
}

#[test]
fn homes_of_every_format_open_and_hold_what_they_held() {
    for format in FORMATS {
        let folder = Folder::of_format(format);
        let (ledger, opened) = folder.open(false);
        assert_eq!(opened, Opened::Continued, "format {format}");
        let states = (1..=9).map(|number| ledger.action(&id(number)).unwrap().unwrap().row.state);
        let wanted = [
            State::Undone,
            State::Succeeded,
            State::Succeeded,
            State::Failed,
            State::Rejected,
            State::Awaiting,
            State::Awaiting,
            State::Succeeded,
            State::Claimed,
        ];
        assert_eq!(states.collect::<Vec<_>>(), wanted, "format {format}");
        assert_eq!(ledger.action(&id(2)).unwrap().unwrap().row.undo_of, Some(id(1)));
        let notes = ledger.of_kind(bailey_gate::family::home::MEMORY_WRITE, State::Succeeded).unwrap();
        assert!(!notes[0].content.is_empty(), "format {format}");
        let tasks = ledger.tasks_in("open").unwrap();
        assert_eq!((tasks[0].id, tasks[0].origin), (TaskId::from_bytes([9; 16]), Origin::Person));
        let transcript = RecordName { kind: "transcript", owner: &[9; 16], n: 0 };
        assert!(ledger.record(transcript).unwrap().unwrap().starts_with(b"{\"task\":\"Plan the lunch"));
        assert_eq!(ledger.connections().unwrap().len(), 2);
        let readable = verdict(&ledger, Payloads::Readable);
        assert!(matches!(readable, Verdict::Consistent { .. }), "format {format}: {readable}");
        let sealed = verdict(&ledger, Payloads::Sealed);
        assert!(matches!(sealed, Verdict::Consistent { without_payload: 0, .. }), "format {format}: {sealed}");
    }
}

#[test]
fn homes_of_every_format_go_on() {
    for format in FORMATS {
        let folder = Folder::of_format(format);
        {
            let (ledger, _) = folder.open(false);
            let gate = gate(&folder, &ledger);
            let swept = gate.restart(at(900)).unwrap();
            assert_eq!(swept.unknown, [id(9)], "format {format}");
            let text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\nBEGIN:VEVENT\nUID:20\nDTSTAMP:20260101T000000Z\n\
                        DTSTART:20260102T100000Z\nDTEND:20260102T110000Z\nSUMMARY:Lunch\nEND:VEVENT\nEND:VCALENDAR\n";
            let change = Change::Create { after: Entry::new(text).unwrap() };
            let writing = Writing { href: Href::new("/calendar/20.ics").unwrap(), change, told: None };
            let proposed = propose(&gate, 20, Action::Calendar(CalendarAction::Write(writing)), Some(CALENDAR));
            assert_eq!(execute(&gate, proposed.permit.unwrap()), State::Succeeded);
            // A kind that formats 1 and 2 did not know.
            let forget = propose(
                &gate,
                21,
                Action::Home(bailey_gate::family::home::HomeAction::MemoryForget { note: id(8) }),
                None,
            );
            assert!(forget.permit.is_none());
            let row = ledger.action(&id(21)).unwrap().unwrap().row;
            let nonce = Nonce::from_bytes([40; 16]);
            let challenge = gate.challenge(&nonce, at(1_100));
            let (credential, session) = ([4; 16], [7; 16]);
            let assertion = Assertion::PassphraseKey { signature: vec![0; 64] };
            let proof = Proof { challenge, credential, assertion, client: Client::CommandLine, session };
            let approved = gate.approve(vec![(row.id, row.digest)], &proof, at(1_101)).unwrap();
            for permit in approved {
                let _done = gate.claim(permit, at(1_102)).unwrap();
            }
        }
        let (ledger, opened) = folder.open(false);
        assert_eq!(opened, Opened::Continued, "format {format}");
        let states = [20, 21, 9].map(|number| ledger.action(&id(number)).unwrap().unwrap().row.state);
        assert_eq!(states, [State::Succeeded, State::Succeeded, State::Unknown], "format {format}");
        let found = verdict(&ledger, Payloads::Sealed);
        assert!(matches!(found, Verdict::Consistent { without_payload: 0, .. }), "format {format}: {found}");
    }
}
