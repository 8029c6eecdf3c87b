//! The product's store on the simulated machine, with a place to be interrupted at every call.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bailey_gate::event::{Event, Origin};
use bailey_gate::family::{ActionKind, Party, Taint};
use bailey_gate::ledger::{
    Claims, Grant, Job, Ledger as GateLedger, Look, PauseRecord, Relationship, Row, Scope, Since, StoreError,
    TaskTaint, Turn, Tx, View,
};
use bailey_gate::{ActionId, ConnectionId, Now, State, TRANSITIONS, TaskId};
use bailey_ledger::{Kept, Ledger, Mark, MarkStore, PAUSE_BYTES, PAUSE_MARK, PAUSE_MARK_AT, PauseFile, Sector};

use crate::disk::Trouble;
use crate::sched;
use crate::sys::Machine;

/// Names of the files of a home.
pub const DATABASE: &str = "ledger.db";
/// The key store.
pub const KEYS: &str = "keys.db";
/// The mark, which is outside of the home's folder.
pub const MARK: &str = "mark";
/// The pause record.
pub const PAUSE: &str = "pause";

static STEPS: Mutex<BTreeSet<(State, State)>> = Mutex::new(BTreeSet::new());

/// Returns the legal steps that no run of this process has taken yet.
#[must_use]
pub fn steps_not_taken() -> Vec<(State, State)> {
    let taken = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    let all = TRANSITIONS.iter().flat_map(|(from, to)| to.iter().map(|to| (*from, *to)));
    all.filter(|step| !taken.contains(step)).collect()
}

/// Tells where a file of a machine lies for SQLite.
#[must_use]
pub fn path(machine: &str, name: &str) -> PathBuf {
    PathBuf::from(format!("/{machine}/{name}"))
}

fn failed(trouble: Trouble) -> io::Error {
    match trouble {
        Trouble::Missing => io::ErrorKind::NotFound.into(),
        Trouble::Full => io::ErrorKind::StorageFull.into(),
        Trouble::Io => io::Error::other("the simulated disk failed"),
    }
}

fn read_all(machine: &Machine, name: &str) -> Result<Vec<u8>, Trouble> {
    let mut disk = machine.disk();
    let mut bytes = vec![0; disk.size(name)?];
    disk.read(name, 0, &mut bytes)?;
    Ok(bytes)
}

/// The mark on the simulated disk.
pub struct SimMark(pub Arc<Machine>);

impl MarkStore for SimMark {
    fn read(&self) -> io::Result<Kept> {
        match read_all(&self.0, MARK) {
            Ok(bytes) => Ok(parse_mark(&bytes).map_or(Kept::Damaged, Kept::Whole)),
            Err(Trouble::Missing) => Ok(Kept::Missing),
            Err(trouble) => Err(failed(trouble)),
        }
    }

    /// Returns a mark is replaced whole, so a simulated disk damages none.
    fn set_aside(&self, _: Now) -> io::Result<PathBuf> {
        Ok(PathBuf::from(MARK))
    }

    fn write(&self, mark: &Mark) -> io::Result<()> {
        let text = format!("{}\n{}\n{}\n{}", mark.incarnation, mark.epoch, mark.size, mark.root);
        self.0.disk().replace(MARK, text.as_bytes()).map_err(failed)
    }

    /// Returns nothing: nobody makes copies of a simulated machine's folders.
    fn witness(&self) -> Option<Mark> {
        match self.read() {
            Ok(Kept::Whole(mark)) => Some(mark),
            Ok(Kept::Damaged | Kept::Missing) | Err(_) => None,
        }
    }
}

fn parse_mark(bytes: &[u8]) -> Option<Mark> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    Some(Mark {
        incarnation: lines.next()?.to_owned(),
        epoch: lines.next()?.parse().ok()?,
        size: lines.next()?.parse().ok()?,
        root: lines.next()?.to_owned(),
    })
}

/// The sector of the pause record.
pub struct SimSector(pub Arc<Machine>);

impl Sector for SimSector {
    fn read(&self) -> io::Result<Vec<u8>> {
        read_all(&self.0, PAUSE).map_err(failed)
    }

    fn write(&self, bytes: &[u8; PAUSE_BYTES]) -> io::Result<()> {
        let mut disk = self.0.disk();
        disk.open(PAUSE, true).and_then(|()| disk.write(PAUSE, 0, bytes)).map_err(failed)?;
        disk.sync(PAUSE).map_err(failed)
    }
}

/// Does what the supervisor does to the record of a home it has ended ([`bailey_ledger::mark_paused_by_supervisor`], for a simulated disk).
pub fn mark_paused_by_supervisor(machine: &Machine) {
    let mut disk = machine.disk();
    let marked = disk.open(PAUSE, true).and_then(|()| disk.write(PAUSE, PAUSE_MARK_AT, PAUSE_MARK));
    // Between lives the disk is in order.
    assert!(marked.and_then(|()| disk.sync(PAUSE)).is_ok(), "the record was not marked");
}

/// The product's record, interrupted before and after.
pub struct SimRecord(pub PauseFile);

impl PauseRecord for SimRecord {
    fn write(&self, paused: bool, epoch: u64) -> Result<(), String> {
        sched::pass("record begins");
        let written = self.0.write(paused, epoch);
        sched::pass("record written");
        written
    }
}

/// The product's ledger, interrupted at every call.
pub struct SimLedger(pub Arc<Ledger>);

impl GateLedger for SimLedger {
    fn transact(&self, turn: Turn, job: Job<'_>) -> Result<(), StoreError> {
        sched::as_writer(|| self.0.transact(turn, Box::new(move |tx| job(&mut SimTx(tx)))))
    }

    fn look(&self, look: Look<'_>) -> Result<(), StoreError> {
        // Before and behind it: within, a connection is held that others wait for.
        sched::pass("look");
        let looked = self.0.look(look);
        sched::pass("looked");
        looked
    }

    fn content(&self, id: &ActionId) -> Result<Vec<u8>, StoreError> {
        sched::pass("content");
        GateLedger::content(&*self.0, id)
    }
}

struct SimTx<'a>(&'a mut dyn Tx);

impl SimTx<'_> {
    fn at(&mut self, what: &str) -> &mut dyn Tx {
        sched::pass(what);
        self.0
    }
}

impl View for SimTx<'_> {
    fn surroundings(&mut self) -> u64 {
        self.0.view().surroundings()
    }

    fn row(&mut self, id: &ActionId) -> Result<Option<Row>, StoreError> {
        self.at("row").view().row(id)
    }

    fn last_reasons(&mut self, id: &ActionId) -> Result<Vec<String>, StoreError> {
        self.0.view().last_reasons(id)
    }

    fn account(&mut self, connection: &ConnectionId) -> Result<String, StoreError> {
        self.0.view().account(connection)
    }

    fn grant(&mut self, connection: &ConnectionId) -> Result<Option<Grant>, StoreError> {
        self.at("grant").view().grant(connection)
    }

    fn relationship(&mut self, party: &Party) -> Result<Relationship, StoreError> {
        self.0.view().relationship(party)
    }

    fn confusable_with(&mut self, party: &Party) -> Result<Option<String>, StoreError> {
        self.0.view().confusable_with(party)
    }

    fn schedule(&mut self, task: &TaskId) -> Result<String, StoreError> {
        self.0.view().schedule(task)
    }

    fn scope(&mut self, task: &TaskId, connection: &ConnectionId) -> Result<Scope, StoreError> {
        self.at("scope").view().scope(task, connection)
    }

    fn origin(&mut self, task: &TaskId) -> Result<Option<Origin>, StoreError> {
        self.at("origin").view().origin(task)
    }

    fn task_words(&mut self, task: &TaskId) -> Result<Option<String>, StoreError> {
        self.0.view().task_words(task)
    }

    fn named(&mut self, task: &TaskId) -> Result<Vec<Party>, StoreError> {
        self.0.view().named(task)
    }

    fn marks(&mut self, task: &TaskId) -> Result<TaskTaint, StoreError> {
        self.0.view().marks(task)
    }

    fn notes_taint(&mut self) -> Result<Taint, StoreError> {
        self.0.view().notes_taint()
    }

    fn spent_since(&mut self, wall_ms: i64, but: &ActionId) -> Result<u64, StoreError> {
        self.0.view().spent_since(wall_ms, but)
    }

    fn count_of_task(&mut self, task: &TaskId, state: State) -> Result<u64, StoreError> {
        self.0.view().count_of_task(task, state)
    }

    fn claimed_since(&mut self, kind: ActionKind, since: Since) -> Result<Claims, StoreError> {
        self.0.view().claimed_since(kind, since)
    }
}

impl Tx for SimTx<'_> {
    fn view(&mut self) -> &mut dyn View {
        self
    }

    fn rows_in(&mut self, states: &[State]) -> Result<Vec<Row>, StoreError> {
        self.at("rows").rows_in(states)
    }

    fn insert(&mut self, row: &Row, entry: Event) -> Result<(), StoreError> {
        self.at("insert").insert(row, entry)
    }

    fn step(&mut self, row: &Row, from: State, entry: Event) -> Result<(), StoreError> {
        STEPS.lock().unwrap_or_else(PoisonError::into_inner).insert((from, row.state));
        self.at("step").step(row, from, entry)
    }

    fn log(&mut self, entry: Event) -> Result<(), StoreError> {
        self.at("log").log(entry)
    }

    fn learn(&mut self, party: &Party, name: &str) -> Result<(), StoreError> {
        self.0.learn(party, name)
    }

    fn mark(&mut self, task: &TaskId, taint: Taint, off_task: bool) -> Result<(), StoreError> {
        self.0.mark(task, taint, off_task)
    }
}
