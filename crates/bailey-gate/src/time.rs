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
    /// Names the boot that `boot_ms` counts from.
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
    /// Returns the moment `after_ms` milliseconds from `now`.
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

    /// Returns the deadline in wall time, for people.
    #[must_use]
    pub fn wall_ms(&self) -> i64 {
        self.set.wall_ms.saturating_add(i64::try_from(self.after_ms).unwrap_or(i64::MAX))
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weekday {
    /// The first day of the week in ISO 8601.
    Monday,
    /// Day 2.
    Tuesday,
    /// Day 3.
    Wednesday,
    /// Day 4.
    Thursday,
    /// Day 5.
    Friday,
    /// Day 6.
    Saturday,
    /// Day 7.
    Sunday,
}

impl Weekday {
    /// Every day, Monday first.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// Returns the name, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }
}

/// The time where the person lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The day.
    pub weekday: Weekday,
    /// Minutes since midnight, 0 to 1439.
    pub minute: u16,
}

impl LocalTime {
    /// Returns the time at a fixed distance from UTC, in minutes.
    #[must_use]
    pub fn at_offset(now: Now, minutes: i64) -> Self {
        const DAY_MINUTES: i64 = 24 * 60;
        /// 1970-01-01 was a Thursday.
        const FIRST: i64 = 3;
        let local = now.wall_ms.div_euclid(60_000).saturating_add(minutes);
        let day = local.div_euclid(DAY_MINUTES).saturating_add(FIRST).rem_euclid(7);
        let weekday = usize::try_from(day).ok().and_then(|day| Weekday::ALL.get(day)).copied();
        Self {
            weekday: weekday.unwrap_or(Weekday::Monday),
            minute: u16::try_from(local.rem_euclid(DAY_MINUTES)).unwrap_or(0),
        }
    }
}

/// Where and when the person lives, and whether they are there.
pub trait PersonContext: Send + Sync {
    /// Returns their local time.
    fn local(&self, now: Now) -> LocalTime;
    /// Tells whether a client of theirs has been heard of a moment ago.
    fn attended(&self, now: Now) -> bool;
}

/// Somebody at a fixed distance from UTC, who is there or is not: for homes without a clock of their own.
#[derive(Debug, Clone, Copy)]
pub struct StaticContext {
    /// Distance from UTC in minutes.
    pub minutes: i64,
    /// Tells whether they are there.
    pub attended: bool,
}

impl PersonContext for StaticContext {
    fn local(&self, now: Now) -> LocalTime {
        LocalTime::at_offset(now, self.minutes)
    }

    fn attended(&self, _: Now) -> bool {
        self.attended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_is_that_of_the_persons_own_day() {
        let at = |wall_ms| Now { wall_ms, boot_ms: 0, boot_id: [0; 16] };
        let told = |wall_ms, minutes| {
            let local = LocalTime::at_offset(at(wall_ms), minutes);
            (local.weekday.name(), local.minute)
        };
        assert_eq!(told(0, 0), ("thursday", 0));
        assert_eq!(told(-60_000, 0), ("wednesday", 1_439));
        // 2024-02-29T23:30Z was a Thursday; an hour east of it, it was Friday.
        assert_eq!((told(1_709_249_400_000, 0), told(1_709_249_400_000, 60)), (("thursday", 1_410), ("friday", 30)));
    }

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
