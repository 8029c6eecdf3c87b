//! One thread at a time, and the seed says which: every interleaving at the points where the product calls out.
//!
//! The product is synchronous code that calls its ledger, pause record and services through traits. The doubles behind
//! those traits call [`pass`], and there another thread may go on. Between two such points a thread runs alone, which is
//! how it is for everything that the product does under one of its own locks.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use fastrand::Rng;

use crate::sys::Machine;

/// Steps of one life of the machine at most; more means that something waits for ever.
const MAX_STEPS: u64 = 50_000;

/// What ends a thread when the machine dies.
struct Death;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ready,
    WaitsForWriter,
    Done,
}

struct Inner {
    random: Rng,
    threads: Vec<Status>,
    current: usize,
    writer: bool,
    dead: bool,
    steps: u64,
    /// Steps until the machine dies, where it is to.
    fuse: Option<u64>,
    trace: Trace,
    faults: Vec<String>,
}

/// What happened, in order: a fingerprint always, the words where they were asked for.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// FNV-1a over everything noted.
    pub fingerprint: u64,
    /// The notes themselves.
    pub notes: Option<Vec<String>>,
}

impl Trace {
    /// Adds a note.
    pub fn note(&mut self, words: &str) {
        for byte in words.bytes().chain([b'\n']) {
            self.fingerprint = (self.fingerprint ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if let Some(notes) = &mut self.notes {
            notes.push(words.to_owned());
        }
    }
}

/// Runs the threads of one life of the machine.
pub struct Scheduler {
    inner: Mutex<Inner>,
    turns: Vec<Condvar>,
    machine: Arc<Machine>,
}

thread_local! {
    static ME: RefCell<Option<(Arc<Scheduler>, usize)>> = const { RefCell::new(None) };
}

/// A thread's work.
pub type Work = Box<dyn FnOnce() + Send>;

/// How a life ended.
#[derive(Debug)]
pub struct Ended {
    /// Tells whether the machine died before everybody was done.
    pub died: bool,
    /// Panics and standstills.
    pub faults: Vec<String>,
    /// Everything that happened.
    pub trace: Trace,
}

/// Runs all work to its end, or to the machine's. `fuse` is after how many steps it dies, if it does.
pub fn run(machine: &Arc<Machine>, random: Rng, fuse: Option<u64>, trace: Trace, work: Vec<Work>) -> Ended {
    let inner = Inner {
        random,
        threads: vec![Status::Ready; work.len()],
        current: 0,
        writer: false,
        dead: false,
        steps: 0,
        fuse,
        trace,
        faults: Vec::new(),
    };
    let turns = work.iter().map(|_| Condvar::new()).collect();
    let scheduler = Arc::new(Scheduler { inner: Mutex::new(inner), turns, machine: Arc::clone(machine) });
    thread::scope(|scope| {
        for (index, work) in work.into_iter().enumerate() {
            let scheduler = Arc::clone(&scheduler);
            scope.spawn(move || scheduler.host(index, work));
        }
    });
    let mut inner = scheduler.lock();
    let (faults, trace) = (std::mem::take(&mut inner.faults), std::mem::take(&mut inner.trace));
    Ended { died: inner.dead, faults, trace }
}

/// Marks a point where another thread may go on.
pub fn pass(what: &str) {
    if let Some((scheduler, me)) = me() {
        scheduler.step(me, what, Status::Ready);
    }
}

/// Notes what happened, without letting anyone else go on.
pub fn note(words: &str) {
    if let Some((scheduler, me)) = me() {
        scheduler.lock().trace.note(&format!("{me} {words}"));
    }
}

/// Runs work that takes the writer of the ledger: others that want it wait.
pub fn as_writer<T>(work: impl FnOnce() -> T) -> T {
    let Some((scheduler, me)) = me() else { return work() };
    scheduler.step(me, "wants the writer", Status::Ready);
    while scheduler.lock().writer {
        scheduler.step(me, "waits for the writer", Status::WaitsForWriter);
    }
    scheduler.lock().writer = true;
    let result = work();
    {
        let mut inner = scheduler.lock();
        inner.writer = false;
        for status in inner.threads.iter_mut().filter(|status| **status == Status::WaitsForWriter) {
            *status = Status::Ready;
        }
    }
    scheduler.step(me, "leaves the writer", Status::Ready);
    result
}

fn me() -> Option<(Arc<Scheduler>, usize)> {
    ME.with(|me| me.borrow().clone())
}

impl Scheduler {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(self: Arc<Self>, me: usize, work: Work) {
        let lives = self.wait_for_turn(self.lock(), me);
        if lives {
            ME.with(|slot| *slot.borrow_mut() = Some((Arc::clone(&self), me)));
            let ended = catch_unwind(AssertUnwindSafe(work));
            ME.with(|slot| *slot.borrow_mut() = None);
            if let Err(panic) = ended
                && !panic.is::<Death>()
            {
                self.lock().faults.push(format!("thread {me} panicked: {}", words(&*panic)));
            }
        }
        let mut inner = self.lock();
        if let Some(status) = inner.threads.get_mut(me) {
            *status = Status::Done;
        }
        self.hand_on(&mut inner);
    }

    /// Lets another thread go on, or this one again; ends this one if the machine is dead.
    fn step(&self, me: usize, what: &str, status: Status) {
        let mut inner = self.lock();
        inner.steps += 1;
        inner.trace.note(&format!("{me} {what}"));
        if let Some(own) = inner.threads.get_mut(me) {
            *own = status;
        }
        let fuse = inner.fuse;
        if fuse.is_some_and(|steps| inner.steps >= steps) {
            self.machine.disk().die();
        }
        if inner.steps >= MAX_STEPS && !inner.dead {
            inner.faults.push(format!("no end after {MAX_STEPS} steps"));
            inner.dead = true;
        }
        inner.dead |= self.machine.disk().is_down();
        self.hand_on(&mut inner);
        if !self.wait_for_turn(inner, me) {
            resume_unwind(Box::new(Death));
        }
    }

    /// Chooses who goes on.
    fn hand_on(&self, inner: &mut Inner) {
        let able: Vec<usize> = (0..inner.threads.len())
            .filter(|index| match inner.threads.get(*index) {
                Some(Status::Ready) => true,
                Some(Status::WaitsForWriter) => inner.dead,
                Some(Status::Done) | None => false,
            })
            .collect();
        if able.is_empty() {
            if inner.threads.contains(&Status::WaitsForWriter) {
                inner.faults.push("everybody waits for the writer".into());
                inner.dead = true;
                return self.hand_on(inner);
            }
            return;
        }
        let chosen = inner.random.usize(0..able.len());
        inner.current = able.get(chosen).copied().unwrap_or(0);
        if let Some(turn) = self.turns.get(inner.current) {
            turn.notify_one();
        }
    }

    /// Waits; false if the machine died meanwhile.
    fn wait_for_turn(&self, mut inner: MutexGuard<'_, Inner>, me: usize) -> bool {
        let Some(turn) = self.turns.get(me) else { return false };
        while inner.current != me {
            inner = turn.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        !inner.dead
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".into())
}
