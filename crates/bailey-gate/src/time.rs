//! Time as a parameter. The gate reads no clock: callers say what time it is, in two clocks.

/// One moment, in wall time and in time since boot.
///
/// Wall time is what people mean; it can be set back. Boot time only moves forward (`CLOCK_BOOTTIME`, which also counts
/// suspension) but means nothing after a reboot. Deadlines keep both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970-01-01T00:00Z.
    pub wall_ms: i64,
    /// Milliseconds since boot.
    pub boot_ms: u64,
    /// Which boot `boot_ms` counts from.
    pub boot_id: [u8; 16],
}

/// A moment in the future that a clock set back cannot move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// When it was set.
    pub set: Now,
    /// Milliseconds after `set`.
    pub after_ms: u64,
}

impl Deadline {
    /// `after_ms` milliseconds from `now`.
    #[must_use]
    pub const fn after(now: Now, after_ms: u64) -> Self {
        Self { set: now, after_ms }
    }

    /// Milliseconds past the deadline, or `None` before it.
    ///
    /// In the boot it was set in, boot time decides. After a reboot wall time does, and a wall clock before the moment
    /// of setting counts as long past: a clock that went back never extends anything.
    #[must_use]
    pub fn overdue(&self, now: Now) -> Option<u64> {
        let elapsed = if now.boot_id == self.set.boot_id {
            now.boot_ms.saturating_sub(self.set.boot_ms)
        } else {
            u64::try_from(now.wall_ms.saturating_sub(self.set.wall_ms)).unwrap_or(u64::MAX)
        };
        elapsed.checked_sub(self.after_ms)
    }

    /// The deadline in wall time, for people.
    #[must_use]
    pub fn wall_ms(&self) -> i64 {
        self.set.wall_ms.saturating_add(i64::try_from(self.after_ms).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_extends_nothing() {
        let at = |wall_ms, boot_ms, boot| Now { wall_ms, boot_ms, boot_id: [boot; 16] };
        let deadline = Deadline::after(at(1_000_000, 500, 1), 1_000);
        assert_eq!(deadline.overdue(at(1_000_999, 1_499, 1)), None);
        assert_eq!(deadline.overdue(at(0, 1_500, 1)), Some(0), "wall clock set back, same boot");
        assert_eq!(deadline.overdue(at(9_000_000, 1_499, 1)), None, "wall clock set forward, same boot");
        assert_eq!(deadline.overdue(at(1_001_500, 0, 2)), Some(500), "next boot");
        assert!(deadline.overdue(at(999_999, 0, 2)).is_some(), "next boot, clock before the moment of setting");
    }
}
