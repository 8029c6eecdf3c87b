//! The clock and the kernel's randomness: both are stale in a machine that was restored, and set anew by the host.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Stdio;

use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};

use crate::init::command;

const NANOS: u64 = 1_000_000_000;

/// Sets the clock, in nanoseconds since 1970.
pub(crate) fn set(unix_nanos: u64) -> Result<(), String> {
    let seconds = i64::try_from(unix_nanos / NANOS).map_err(|error| error.to_string())?;
    let nanos = i64::try_from(unix_nanos % NANOS).map_err(|error| error.to_string())?;
    let time = Timespec { tv_sec: seconds, tv_nsec: nanos };
    clock_settime(ClockId::Realtime, time).map_err(|error| format!("the clock cannot be set: {error}"))
}

/// Returns the time it is, in nanoseconds since 1970.
pub(crate) fn read() -> u64 {
    let time = clock_gettime(ClockId::Realtime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(NANOS).saturating_add(nanos)
}

/// Mixes bytes into the kernel's randomness, and makes it draw everything anew from now on (random(4), `RNDRESEEDCRNG`). Written bytes
/// alone would be used a minute later. Perl, which every Debian has, makes the call: it needs no `unsafe` of ours.
pub(crate) fn reseed(seed: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the kernel's randomness cannot be renewed: {error}");
    let mut random = OpenOptions::new().write(true).open("/dev/urandom").map_err(failed)?;
    random.write_all(seed).map_err(failed)?;
    let mut perl = command("/usr/bin/perl");
    perl.args(["-e", "ioctl(STDOUT, 0x5207, 0) or exit 1"]).stdin(Stdio::null()).stdout(Stdio::from(random));
    match perl.status().map_err(failed)? {
        status if status.success() => Ok(()),
        status => Err(format!("the kernel's randomness cannot be renewed: {status}")),
    }
}
