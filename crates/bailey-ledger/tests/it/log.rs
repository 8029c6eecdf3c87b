//! Exports, a little at a time.

use std::io::{self, Write};

use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::handoff::{Mode, PauseState};
use bailey_ledger::{ExportError, Ledger, Payloads, export};
use bailey_verify::Verdict;

use crate::support::{Folder, at, verdict};

/// More than is read at a time, by number and by bytes.
const ENTRIES: usize = 700;
const LARGE: usize = 5 << 18;

fn filled(folder: &Folder) -> std::sync::Arc<Ledger> {
    let (ledger, _) = folder.open(true);
    let pause_state = PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 };
    let wrote = ledger.write(|tx| {
        for number in 0..ENTRIES {
            let text = "x".repeat(if number % 300 == 7 { LARGE } else { 10 });
            let event = Event::of_home(EventKind::Task, Actor::Client, at(0), pause_state);
            tx.append(&Event { payload: Payload::default().text("words", text), ..event }, None)?;
        }
        Ok(())
    });
    wrote.unwrap();
    ledger
}

#[test]
fn a_log_longer_than_what_is_read_at_a_time_is_whole() {
    let folder = Folder::new();
    let ledger = filled(&folder);
    let sealed = verdict(&ledger, Payloads::Sealed);
    let entries = ENTRIES as u64 + 1;
    assert_eq!(
        sealed,
        Verdict::Consistent { entries, without_payload: 0, approvals: bailey_verify::Approvals::default() },
        "{sealed}"
    );
    let readable = verdict(&ledger, Payloads::Readable);
    assert!(matches!(readable, Verdict::Consistent { .. }), "{readable}");
}

/// Takes a little at a time, as sockets do.
struct Sips(Vec<u8>);

impl Write for Sips {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sip = bytes.chunks(1_000).next().unwrap_or_default();
        self.0.extend_from_slice(sip);
        Ok(sip.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_export_is_whole_however_little_is_taken_at_a_time() {
    let folder = Folder::new();
    let ledger = filled(&folder);
    let (mut sips, mut all) = (Sips(Vec::new()), Vec::new());
    export(&ledger, Payloads::Sealed, &mut sips).unwrap();
    export(&ledger, Payloads::Sealed, &mut all).unwrap();
    assert!(sips.0 == all);
}

/// Takes what is written, and looks at the store meanwhile.
struct Looking<'a> {
    ledger: &'a Ledger,
    written: usize,
}

impl Write for Looking<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // However many exports are held up: what reads and what writes goes on.
        self.written += bytes.len();
        if self.written > LARGE {
            self.ledger.head().map_err(io::Error::other)?;
            self.ledger.write(|_| Ok(())).map_err(io::Error::other)?;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_export_holds_up_nobody_and_ends_where_nobody_takes_it() {
    let folder = Folder::new();
    let ledger = filled(&folder);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut out = Looking { ledger: &ledger, written: 0 };
                let broke = export(&ledger, Payloads::Sealed, &mut out);
                assert!(matches!(broke, Err(ExportError::Write(_))), "{broke:?}");
            });
        }
    });
}

/// The size and the root that a checkpoint says.
fn said(note: &str) -> (u64, Vec<u8>) {
    use base64::Engine as _;
    let mut lines = note.lines().skip(1);
    let size = lines.next().unwrap().parse().unwrap();
    (size, base64::engine::general_purpose::STANDARD.decode(lines.next().unwrap()).unwrap())
}

#[test]
fn a_rewritten_entry_shows_in_the_proof() {
    let folder = Folder::new();
    let ledger = filled(&folder);
    let before = ledger.consistency(300).unwrap().unwrap();
    assert_eq!(said(&before.note), (before.to, before.root.to_vec()));
    assert_eq!(ledger.consistency(before.to + 1).unwrap(), None);
    assert_eq!(ledger.consistency(before.to).unwrap().unwrap().proof, [[0; 32]; 0]);
    drop(ledger);
    let key = bailey_keys::HomeKey::take_over(&mut [7_u8; 48].as_slice()).unwrap().derive("ledger database").unwrap();
    let db = bailey_keys::store::open_database(&folder.path().join("ledger.db"), &key, false).unwrap();
    let changed = db.execute("UPDATE event SET header = (SELECT header FROM event WHERE seq = 3) WHERE seq = 2", []);
    assert_eq!(changed, Ok(1));
    drop(db);
    let (ledger, _) = folder.open(false);
    let after = ledger.consistency(300).unwrap().unwrap();
    assert_ne!(said(&after.note).1, after.root.to_vec());
}
