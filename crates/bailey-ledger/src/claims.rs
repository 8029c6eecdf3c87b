//! When actions of a kind were claimed last, in memory: the gate counts them at every step of every action, and a count over the
//! database costs what is counted.

use std::collections::{BTreeMap, VecDeque};

use bailey_gate::family::ActionKind;
use bailey_gate::ledger::{Claims, MAX_COUNTED, Since, StoreError};
use rusqlite::{Connection, params};

use crate::queries;
use crate::rows::store_error;

/// Wall times of the newest claims of each kind that was counted, oldest first, up to [`MAX_COUNTED`].
///
/// Only the writer fills it in and adds to it, so what it holds is what the open transaction holds.
#[derive(Default)]
pub(crate) struct ClaimTimes {
    of_kind: BTreeMap<&'static str, VecDeque<i64>>,
    /// Tells whether it holds claims that may yet be undone.
    undurable: bool,
}

impl ClaimTimes {
    /// Counts the claims of a kind; nothing where it is not known.
    pub(crate) fn count(&self, kind: ActionKind, since: Since) -> Option<Claims> {
        let times = self.of_kind.get(kind.name())?;
        let from = |ms: i64| (times.len() - times.partition_point(|time| *time < ms)) as u64;
        Some(Claims { today: from(since.today), hour: from(since.hour) })
    }

    /// Fills a kind in, within the writer's transaction.
    pub(crate) fn read(&mut self, db: &Connection, kind: ActionKind) -> Result<(), StoreError> {
        let mut times: VecDeque<i64> = {
            let mut query = db.prepare_cached(queries::LATEST_CLAIMS).map_err(store_error)?;
            let times = query.query_map(params![kind.name(), MAX_COUNTED], |row| row.get(0)).map_err(store_error)?;
            times.collect::<Result<_, _>>().map_err(store_error)?
        };
        times.make_contiguous().reverse();
        self.of_kind.insert(kind.name(), times);
        self.undurable = true;
        Ok(())
    }

    /// Adds a claim that the open transaction holds.
    pub(crate) fn add(&mut self, kind: ActionKind, wall_ms: i64) {
        let Some(times) = self.of_kind.get_mut(kind.name()) else { return };
        self.undurable = true;
        // A clock that was set back claims before what is there.
        times.insert(times.partition_point(|time| *time <= wall_ms), wall_ms);
        if times.len() as u64 > MAX_COUNTED {
            times.pop_front();
        }
    }

    /// Forgets one kind, whose claims are no longer what they were.
    pub(crate) fn forget(&mut self, kind: ActionKind) {
        self.of_kind.remove(kind.name());
    }

    /// Keeps what it holds, which is durable now.
    pub(crate) fn keep(&mut self) {
        self.undurable = false;
    }

    /// Forgets all of a transaction that was undone.
    pub(crate) fn undo_all(&mut self) {
        self.of_kind.clear();
        self.undurable = false;
    }

    /// Forgets the part of a transaction that was undone.
    pub(crate) fn undo(&mut self) {
        if std::mem::take(&mut self.undurable) {
            self.of_kind.clear();
        }
    }
}

/// Counts in the database.
pub(crate) fn count(db: &Connection, kind: ActionKind, since: Since) -> Result<Claims, StoreError> {
    let of = |ms: i64| {
        db.prepare_cached(queries::COUNT_CLAIMED)
            .and_then(|mut query| query.query_row(params![kind.name(), ms, MAX_COUNTED], |row| row.get(0)))
            .map_err(store_error)
    };
    Ok(Claims { today: of(since.today)?, hour: of(since.hour)? })
}

#[cfg(test)]
mod tests {
    use bailey_gate::family::mail::SEND;

    use super::*;

    fn since(today: i64, hour: i64) -> Since {
        Since { today, hour }
    }

    #[test]
    fn claim_times_count_as_the_database_does_also_where_the_clock_is_set_back() {
        let mut times = ClaimTimes::default();
        times.of_kind.insert(SEND.name(), VecDeque::new());
        let mut all = Vec::new();
        for n in 0..2 * MAX_COUNTED as i64 {
            let at = if n % 7 == 0 { n - 5 } else { n };
            times.add(SEND, at);
            all.push(at);
            for from in [n - 600, n - 100, n, n + 1] {
                let counted = all.iter().filter(|time| **time >= from).count() as u64;
                let claims = times.count(SEND, since(from, n - 3)).unwrap();
                assert_eq!(claims.today, counted.min(MAX_COUNTED), "{n} {from}");
            }
        }
    }

    #[test]
    fn claim_times_forget_what_may_have_been_undone() {
        let mut times = ClaimTimes::default();
        times.of_kind.insert(SEND.name(), VecDeque::new());
        times.add(SEND, 1);
        times.keep();
        times.undo();
        assert_eq!(times.count(SEND, since(0, 0)), Some(Claims { today: 1, hour: 1 }));
        times.add(SEND, 2);
        times.undo();
        assert_eq!(times.count(SEND, since(0, 0)), None);
    }
}
