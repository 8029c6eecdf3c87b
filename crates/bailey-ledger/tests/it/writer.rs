//! Many callers at one writer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;

use bailey_gate::TaskId;
use bailey_gate::event::{Actor, Event, EventKind};
use bailey_gate::handoff::{Mode, PauseState};
use bailey_gate::ledger::StoreError;
use bailey_ledger::{Ledger, Payloads, export};

use crate::support::{Folder, at};

/// Callers at once, and how often each comes.
const CALLERS: u8 = 8;
const TIMES: u8 = 25;

fn task(caller: u8, time: u8) -> TaskId {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&[caller, time]);
    TaskId::from_bytes(id)
}

#[test]
fn a_panic_undoes_its_own_step_and_hangs_nobody() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let together = Barrier::new(usize::from(CALLERS));
    let come = |caller: u8| {
        together.wait();
        for time in 0..TIMES {
            // Every other caller breaks off in the middle, each time at a moment when others are queueing.
            let breaks = caller % 2 == 1;
            let done = ledger.write(|tx| {
                tx.put_task(&task(caller, time), "open", 0)?;
                assert!(!breaks, "a defect, planted");
                Ok(())
            });
            match done {
                Ok(()) => assert!(!breaks),
                Err(StoreError::Broken(why)) => assert!(breaks && why.contains("nothing of it was kept"), "{why}"),
                Err(other) => panic!("{other}"),
            }
        }
    };
    thread::scope(|scope| {
        let come = &come;
        for caller in 0..CALLERS {
            scope.spawn(move || come(caller));
        }
    });
    let mut kept: Vec<TaskId> = ledger.tasks(0, u32::MAX).unwrap().into_iter().map(|task| task.id).collect();
    kept.sort();
    let wanted: Vec<TaskId> =
        (0..CALLERS).step_by(2).flat_map(|caller| (0..TIMES).map(move |time| task(caller, time))).collect();
    assert_eq!(kept, wanted);
}

#[test]
fn a_panic_alone_leaves_a_store_that_works() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let broken = catch_unwind(AssertUnwindSafe(|| ledger.write(|_| -> Result<(), StoreError> { panic!("planted") })));
    assert!(matches!(broken, Ok(Err(StoreError::Broken(_)))));
    ledger.write(|tx| tx.put_task(&task(0, 0), "open", 0)).unwrap();
    drop(ledger);
    assert_eq!(folder.open(false).0.tasks(0, 10).unwrap().len(), 1);
}

/// Checkpoints signed so far, without signing another.
fn checkpoints(ledger: &Ledger) -> usize {
    let mut out = Vec::new();
    export(ledger, Payloads::Sealed, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().filter(|line| line.starts_with("C ")).count()
}

#[test]
fn time_asks_for_a_checkpoint_every_ten_seconds_at_most() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let pause_state = PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 };
    let entry = |kind| {
        let event = Event::of_home(kind, Actor::Home, at(0), pause_state);
        ledger.write(|tx| tx.append(&event, None).map(|_| ())).unwrap();
    };
    // The first is that of the beginning; the second covers the first entry.
    for ms in (0..9_999).step_by(100) {
        entry(EventKind::Opened);
        ledger.checkpoint_due(at(ms)).unwrap();
    }
    assert_eq!(ledger.head().unwrap().0, 101);
    let size = |ledger: &Ledger| ledger.head().unwrap().1.unwrap().lines().nth(1).unwrap().to_owned();
    assert_eq!(size(&ledger), "2");
    ledger.checkpoint_due(at(10_000)).unwrap();
    assert_eq!(size(&ledger), "101");
    // What has to be in a checkpoint of its own commit is, whatever the time.
    entry(EventKind::Paused);
    assert_eq!(size(&ledger), "102");
    assert_eq!(checkpoints(&ledger), 4);
}
