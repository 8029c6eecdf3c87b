//! Keys of payloads that were fetched last, opened: lists are read again and again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::secret::Key;

/// Keys kept at most: those of some long lists. Each is wiped when it is dropped.
const MAX_OPENED: usize = 4_096;

/// How many times keys were destroyed when a key was looked for: what was read before then must not be kept behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen(u64);

/// The keys, those kept first going first.
#[derive(Default)]
pub(crate) struct Opened {
    keys: HashMap<u64, Arc<Key>>,
    order: VecDeque<u64>,
    seen: Seen,
}

impl Opened {
    /// Finds a key; else what has to be given back with it.
    pub(crate) fn find(&self, id: u64) -> Result<Arc<Key>, Seen> {
        self.keys.get(&id).map(Arc::clone).ok_or(self.seen)
    }

    /// Keeps a key that was read, unless any was destroyed since it was looked for.
    pub(crate) fn keep(&mut self, id: u64, key: &Arc<Key>, seen: Seen) {
        if seen == self.seen {
            self.keep_new(id, key);
        }
    }

    /// Keeps a key that nobody else knows of yet.
    pub(crate) fn keep_new(&mut self, id: u64, key: &Arc<Key>) {
        if self.keys.insert(id, Arc::clone(key)).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > MAX_OPENED
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }

    /// Forgets keys that are destroyed.
    pub(crate) fn forget(&mut self, ids: &[u64]) {
        self.seen.0 += 1;
        let kept = self.keys.len();
        for id in ids {
            self.keys.remove(id);
        }
        if self.keys.len() < kept {
            self.order.retain(|id| self.keys.contains_key(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opened_keys_are_bounded_in_number() {
        let mut opened = Opened::default();
        let key = Arc::new(Key::random().unwrap());
        for id in 0..3 * MAX_OPENED as u64 {
            opened.keep(id, &key, Seen::default());
        }
        assert_eq!((opened.keys.len(), opened.order.len()), (MAX_OPENED, MAX_OPENED));
        assert!(opened.find(0).is_err() && opened.find(3 * MAX_OPENED as u64 - 1).is_ok());
    }

    #[test]
    fn opened_keys_hold_none_that_was_read_before_it_was_destroyed() {
        let mut opened = Opened::default();
        let key = Arc::new(Key::random().unwrap());
        let seen = opened.find(7).unwrap_err();
        opened.forget(&[7]);
        opened.keep(7, &key, seen);
        assert!(opened.find(7).is_err());
        opened.keep(7, &key, opened.find(7).unwrap_err());
        assert!(opened.find(7).is_ok());
        opened.forget(&[7]);
        assert!(opened.find(7).is_err() && opened.order.is_empty());
        assert_eq!(Arc::strong_count(&key), 1, "nothing keeps what was forgotten");
    }
}
