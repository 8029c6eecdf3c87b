//! Setting aside what is damaged: a copy with a date in its name, before anything else is made of it.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bailey_gate::Now;

/// Bytes of the header of a write-ahead log (sqlite.org/fileformat2.html, 4.1), and of what its checksum is over.
const WAL_HEADER: usize = 32;
const WAL_SUMMED: usize = 24;
/// What it begins with; the lowest bit says that the checksum reads numbers with the highest byte first.
const WAL_MAGIC: u32 = 0x377f_0682;

/// Copies a damaged file, durably, and says where the copy lies; through no link, and over nothing.
pub(crate) fn set_aside(path: &Path, now: Now) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".damaged-{}", stamp(now)));
    let copy = PathBuf::from(name);
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy);
    let mut to = match made {
        // Of the same millisecond: it was started anew before anything was made of the damaged one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(copy),
        made => made?,
    };
    io::copy(&mut fs::File::open(path)?, &mut to)?;
    to.sync_all()?;
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(copy)
}

/// Tells where the write-ahead log of a database lies.
pub(crate) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Tells whether the header of a write-ahead log is damaged. SQLite takes one whose header does not fit for empty, and
/// writes over it.
pub(crate) fn is_damaged_log(path: &Path) -> io::Result<bool> {
    let mut file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.by_ref().take(WAL_HEADER as u64 + 1).read_to_end(&mut bytes)?;
    // With nothing behind it, nothing can be lost with it.
    Ok(bytes.len() > WAL_HEADER && !fits(&bytes))
}

/// Tells whether a header has the checksum it says.
fn fits(header: &[u8]) -> bool {
    let word = |at: usize| header.get(at..at + 4).and_then(|word| word.try_into().ok());
    let Some(magic) = word(0).map(u32::from_be_bytes) else { return false };
    if magic & !1 != WAL_MAGIC {
        return false;
    }
    let read = if magic & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
    let (mut first, mut second) = (0_u32, 0_u32);
    for at in (0..WAL_SUMMED).step_by(8) {
        let (Some(one), Some(two)) = (word(at), word(at + 4)) else { return false };
        first = first.wrapping_add(read(one)).wrapping_add(second);
        second = second.wrapping_add(read(two)).wrapping_add(first);
    }
    let says = [WAL_SUMMED, WAL_SUMMED + 4].map(|at| word(at).map(u32::from_be_bytes));
    says == [Some(first), Some(second)]
}

/// Returns a moment as part of a file's name: day, time and milliseconds, UTC.
fn stamp(now: Now) -> String {
    const DAY_MS: i64 = 24 * 3_600 * 1_000;
    let (days, ms) = (now.wall_ms.div_euclid(DAY_MS), now.wall_ms.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}{minute:02}{second:02}.{:03}", ms % 1_000)
}

/// Returns the day of the Gregorian calendar so many days after 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_a_date() {
        let at = |wall_ms| stamp(Now { wall_ms, boot_ms: 0, boot_id: [0; 16] });
        assert_eq!(at(0), "1970-01-01T000000.000");
        assert_eq!(at(-1), "1969-12-31T235959.999");
        assert_eq!(at(1_709_249_400_123), "2024-02-29T233000.123");
    }
}
