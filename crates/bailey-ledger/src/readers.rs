//! A few connections for reading: whoever finds all of them lent waits for one.

use std::ops::Deref;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

/// Connections for reading. More than the processors of a small machine would only wait for each other; fewer, and two long
/// lists keep everybody else waiting.
pub(crate) const READERS: usize = 4;

/// The connections, and which of them are free.
pub(crate) struct Readers {
    all: Vec<Mutex<Connection>>,
    free: Mutex<Vec<usize>>,
    returned: Condvar,
}

/// A connection on loan; goes back when it is dropped.
pub(crate) struct Reader<'a> {
    of: &'a Readers,
    at: usize,
    db: MutexGuard<'a, Connection>,
}

impl Readers {
    /// Lends these.
    pub(crate) fn new(all: Vec<Connection>) -> Self {
        let free = (0..all.len()).collect();
        Self { all: all.into_iter().map(Mutex::new).collect(), free: Mutex::new(free), returned: Condvar::new() }
    }

    /// Lends one, once one is free. Whoever holds one must not ask for another: all of them could be held so.
    pub(crate) fn lend(&self) -> Reader<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((at, db)) = free.pop().and_then(|at| Some((at, self.all.get(at)?))) {
                drop(free);
                return Reader { of: self, at, db: db.lock().unwrap_or_else(PoisonError::into_inner) };
            }
            free = self.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells whether any of them is one that `look` says yes to, each looked at when it is free.
    pub(crate) fn any(&self, look: impl Fn(&Connection) -> bool) -> bool {
        self.all.iter().any(|one| look(&one.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.db
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // Whoever takes it next waits on its lock until this loan has ended for good.
        self.of.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.at);
        self.of.returned.notify_one();
    }
}
