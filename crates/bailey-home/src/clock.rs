//! The one place that reads clocks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bailey_gate::{LocalTime, Now, PersonContext};
use rustix::time::{ClockId, clock_gettime};

/// Where the kernel names the current boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The clocks of this machine.
#[derive(Debug, Clone)]
pub struct Clock {
    boot_id: [u8; 16],
    /// The person's time zone, of every copy.
    zone: Arc<RwLock<jiff::tz::TimeZone>>,
    /// How far ahead of the machine it goes, in milliseconds.
    ahead: Arc<AtomicI64>,
    /// How far its wall time was set from the machine's beside that, in milliseconds.
    set: Arc<AtomicI64>,
}

impl Clock {
    /// Finds out which boot this is. `zone` is an IANA name; the machine's own where it is absent.
    pub fn new(zone: Option<&str>) -> Result<Self, String> {
        let zone = Arc::new(RwLock::new(named(zone)?));
        // Where the kernel does not tell, every start counts as a new boot, which only makes deadlines stricter.
        let text = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let boot_id = match digits.parse::<bailey_gate::ActionId>() {
            Ok(id) => *id.as_bytes(),
            Err(_) => bailey_keys::random().map_err(|error| error.to_string())?,
        };
        Ok(Self { boot_id, zone, ahead: Arc::default(), set: Arc::default() })
    }

    /// Takes another time zone, in every copy of this clock; an IANA name, or the machine's own.
    ///
    /// # Errors
    ///
    /// Where there is no time zone of that name; then the one before stays.
    pub fn set_zone(&self, zone: Option<&str>) -> Result<(), String> {
        let zone = named(zone)?;
        *self.zone.write().unwrap_or_else(PoisonError::into_inner) = zone;
        Ok(())
    }

    /// Lets time go by at once, for homes that live in a simulated time: both clocks move on, and so do those of every copy.
    pub fn go_on(&self, milliseconds: i64) {
        self.ahead.fetch_add(milliseconds.max(0), Ordering::SeqCst);
    }

    /// Sets the wall time forward or back, as somebody might who sets the machine's clock; for homes that live in a simulated
    /// time.
    pub fn set_by(&self, milliseconds: i64) {
        self.set.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Returns the same clock after the machine has started anew, for homes that live in a simulated time.
    pub fn after_reboot(&self) -> Result<Self, String> {
        let boot_id = bailey_keys::random().map_err(|error| error.to_string())?;
        Ok(Self { boot_id, ..self.clone() })
    }

    /// Returns the moment, in both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        let milliseconds = |clock| {
            let time = clock_gettime(clock);
            let machine = time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000);
            machine.saturating_add(self.ahead.load(Ordering::SeqCst))
        };
        Now {
            wall_ms: milliseconds(ClockId::Realtime).saturating_add(self.set.load(Ordering::SeqCst)),
            boot_ms: u64::try_from(milliseconds(ClockId::Boottime)).unwrap_or(0),
            boot_id: self.boot_id,
        }
    }

    /// Returns the person's time zone.
    #[must_use]
    pub fn zone(&self) -> jiff::tz::TimeZone {
        self.zone.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the person's distance from UTC at a moment, in minutes.
    #[must_use]
    pub fn offset_minutes(&self, now: Now) -> i16 {
        let moment = jiff::Timestamp::from_millisecond(now.wall_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        i16::try_from(self.zone().to_offset(moment).seconds() / 60).unwrap_or(0)
    }
}

/// Returns the time zone of an IANA name; the machine's own where there is none.
pub(crate) fn named(zone: Option<&str>) -> Result<jiff::tz::TimeZone, String> {
    match zone {
        None => Ok(jiff::tz::TimeZone::system()),
        Some(name) => jiff::tz::TimeZone::get(name)
            .map_err(|_| format!("`{name}` is no time zone; use a name such as Europe/Paris")),
    }
}

/// How long somebody who was heard of counts as being there: longer than any screen of ours waits before it asks again.
const THERE_MS: u64 = 2 * 60 * 1_000;

/// When the person was last heard of: their time, and whether they are there.
#[derive(Debug, Clone)]
pub struct Presence {
    clock: Clock,
    /// Milliseconds since boot, and one more; 0 for never.
    heard: Arc<AtomicU64>,
}

impl Presence {
    /// Returns somebody not heard of yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, heard: Arc::default() }
    }

    /// Notes that a client of theirs asked something.
    pub fn hear(&self) {
        self.heard.store(self.clock.now().boot_ms.saturating_add(1), Ordering::Relaxed);
    }
}

impl bailey_vault::Clock for Clock {
    fn now(&self) -> jiff::Zoned {
        let moment = jiff::Timestamp::from_millisecond(Self::now(self).wall_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.to_zoned(self.zone())
    }

    fn moment(&self) -> Now {
        Self::now(self)
    }
}

impl PersonContext for Presence {
    fn local(&self, now: Now) -> LocalTime {
        LocalTime::at_offset(now, i64::from(self.clock.offset_minutes(now)))
    }

    fn attended(&self, now: Now) -> bool {
        let heard = self.heard.load(Ordering::Relaxed);
        heard > 0 && now.boot_ms.saturating_sub(heard - 1) <= THERE_MS
    }
}
