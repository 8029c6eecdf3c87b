//! Room for connections: who is idle makes room for who comes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Room for so many connections.
#[derive(Debug)]
pub struct Room {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Counts up; of two turns the greater came later.
    turn: u64,
    seats: BTreeMap<u64, State>,
}

#[derive(Debug)]
struct State {
    /// The turn it has been idle since; `None` while it is being answered.
    idle: Option<u64>,
    leave: Arc<Notify>,
}

impl Taken {
    fn next(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }
}

/// A connection's seat, which is free again when this is dropped.
#[derive(Debug)]
pub struct Seat {
    room: Arc<Room>,
    number: u64,
    leave: Arc<Notify>,
}

/// Keeps a connection from being idle for as long as it is held.
#[derive(Debug)]
pub struct Busy {
    room: Arc<Room>,
    number: u64,
}

impl Room {
    /// Makes room for `most` connections.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// Takes a seat. Where all are taken, the connection that has been idle longest ends for it; `None` where each is being
    /// answered.
    pub fn enter(self: &Arc<Self>) -> Option<Seat> {
        let mut taken = self.taken();
        if taken.seats.len() >= self.most {
            let idle = taken.seats.iter().filter_map(|(number, state)| Some((state.idle?, *number))).min();
            let (_, longest) = idle?;
            taken.seats.remove(&longest)?.leave.notify_one();
        }
        let (number, leave) = (taken.next(), Arc::new(Notify::new()));
        taken.seats.insert(number, State { idle: Some(number), leave: Arc::clone(&leave) });
        Some(Seat { room: Arc::clone(self), number, leave })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Notes that the connection is being answered, until what this gives is dropped.
    #[must_use]
    pub fn busy(&self) -> Busy {
        if let Some(state) = self.room.taken().seats.get_mut(&self.number) {
            state.idle = None;
        }
        Busy { room: Arc::clone(&self.room), number: self.number }
    }

    /// Returns when the connection has to make room.
    pub async fn gives_way(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.taken().seats.remove(&self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        let turn = taken.next();
        if let Some(state) = taken.seats.get_mut(&self.number) {
            state.idle = Some(turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_idle_longest_makes_room_and_who_is_answered_stays() {
        let room = Room::new(2);
        let (first, second) = (room.enter(), room.enter());
        let busy = first.as_ref().map(Seat::busy);
        // The second is the only idle one.
        let third = room.enter();
        assert!(third.is_some() && room.taken().seats.len() == 2);
        let both = third.as_ref().map(Seat::busy);
        assert!(room.enter().is_none(), "each is being answered");
        // Idle since just now, behind the third, which was idle before.
        drop((both, busy));
        let number = |seat: &Option<Seat>| seat.as_ref().map(|seat| seat.number);
        let fourth = room.enter();
        let left: Vec<_> = room.taken().seats.keys().copied().map(Some).collect();
        assert_eq!(left, [number(&first), number(&fourth)]);
        drop((second, third, first, fourth));
        assert!(room.taken().seats.is_empty(), "a seat is free when its connection has ended");
    }
}
