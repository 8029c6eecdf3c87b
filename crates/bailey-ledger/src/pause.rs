//! The pause record: 512 bytes, allocated once and overwritten in place, so that stopping works on a full disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bailey_gate::ledger::PauseRecord;

use crate::tree::hash;

/// One disk sector: what storage writes whole or not at all. A torn record reads as damaged, and damaged means paused.
pub const BYTES: usize = 512;
const MAGIC: &[u8; 16] = b"bailey pause 1\n\0";
/// Where in the sector, behind the record, whoever stops a home that does not answer leaves its mark.
pub const MARK_AT: usize = 256;
/// That mark.
pub const MARK: &[u8; 24] = b"paused from the outside\n";

/// What the record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Effects may leave.
    Open {
        /// The epoch.
        epoch: u64,
    },
    /// Everything is paused.
    Paused {
        /// The epoch.
        epoch: u64,
    },
    /// The supervisor paused everything because the home did not.
    PausedBySupervisor {
        /// The epoch before that.
        epoch: u64,
    },
    /// The record is damaged; treated as paused.
    Unreadable,
}

/// Marks the record of a home that has been ended, or does not run, so that it comes up paused. What the record said is kept
/// beside the mark, and the next pause or resume of the home itself overwrites both. Durable when it returns; needs no room
/// on the disk.
pub fn mark_paused_by_supervisor(record: &File) -> io::Result<()> {
    record.write_all_at(MARK, MARK_AT as u64)?;
    record.sync_data()
}

/// The place of the record: one sector, there before it is needed.
pub trait Sector: Send + Sync {
    /// Returns what it holds; shorter where it was never written.
    fn read(&self) -> io::Result<Vec<u8>>;
    /// Overwrites it in place; durable when it returns.
    fn write(&self, bytes: &[u8; BYTES]) -> io::Result<()>;
}

impl Sector for File {
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = [0; BYTES];
        self.read_exact_at(&mut bytes, 0)?;
        Ok(bytes.to_vec())
    }

    fn write(&self, bytes: &[u8; BYTES]) -> io::Result<()> {
        self.write_all_at(bytes, 0)?;
        self.sync_data()
    }
}

/// The record on disk.
pub struct PauseFile {
    sector: Box<dyn Sector>,
    /// The epoch last written: an older one may not overwrite it.
    last: Mutex<u64>,
}

impl PauseFile {
    /// Makes the record of a new home: open, epoch 0.
    pub fn create(path: &Path) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Self::begin(&file)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }

    /// Opens the record. One that is missing reads as damaged: whoever removes it must not thereby resume.
    pub fn open(path: &Path) -> io::Result<(Self, Recorded)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        Ok(Self::on(Box::new(file)))
    }

    /// Writes the record of a new home.
    pub fn begin(sector: &dyn Sector) -> io::Result<()> {
        sector.write(&encode(false, 0))
    }

    /// Returns the record in a sector, and what it says.
    #[must_use]
    pub fn on(sector: Box<dyn Sector>) -> (Self, Recorded) {
        let recorded = sector.read().map_or(Recorded::Unreadable, |bytes| decode(&bytes));
        let last = match recorded {
            Recorded::Open { epoch } | Recorded::Paused { epoch } | Recorded::PausedBySupervisor { epoch } => epoch,
            Recorded::Unreadable => 0,
        };
        (Self { sector, last: Mutex::new(last) }, recorded)
    }
}

fn encode(paused: bool, epoch: u64) -> [u8; BYTES] {
    let mut bytes = MAGIC.to_vec();
    bytes.push(u8::from(paused));
    bytes.extend_from_slice(&epoch.to_be_bytes());
    let sum = hash(&[&bytes]);
    bytes.extend_from_slice(&sum);
    let mut out = [0; BYTES];
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    out
}

fn decode(bytes: &[u8]) -> Recorded {
    let number = bytes.get(17..25).and_then(|bytes| bytes.try_into().ok());
    let epoch = number.map_or(0, u64::from_be_bytes);
    let (paused, open) = (encode(true, epoch), encode(false, epoch));
    if bytes == paused {
        Recorded::Paused { epoch }
    } else if bytes == open {
        Recorded::Open { epoch }
    } else if [paused, open].map(marked).iter().any(|marked| bytes == marked) {
        Recorded::PausedBySupervisor { epoch }
    } else {
        Recorded::Unreadable
    }
}

/// Returns a record with the mark beside it.
fn marked(mut record: [u8; BYTES]) -> [u8; BYTES] {
    record.iter_mut().skip(MARK_AT).zip(MARK).for_each(|(to, from)| *to = *from);
    record
}

impl PauseRecord for PauseFile {
    fn write(&self, paused: bool, epoch: u64) -> Result<(), String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch < *last {
            return Err(format!("a pause of epoch {last} was recorded meanwhile"));
        }
        self.sector
            .write(&encode(paused, epoch))
            .map_err(|error| format!("the pause record could not be written: {error}"))?;
        *last = epoch;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_from_outside_means_paused_however_much_of_it_is_there() {
        let path = std::env::temp_dir().join(format!("bailey-pause-mark-{}", std::process::id()));
        for paused in [false, true] {
            let _ = std::fs::remove_file(&path);
            PauseFile::create(&path).unwrap();
            PauseFile::open(&path).unwrap().0.write(paused, 7).unwrap();
            let before = std::fs::read(&path).unwrap();
            mark_paused_by_supervisor(&OpenOptions::new().write(true).open(&path).unwrap()).unwrap();
            let after = std::fs::read(&path).unwrap();
            assert_eq!(after.len(), BYTES);
            let (record, found) = PauseFile::open(&path).unwrap();
            assert_eq!(found, Recorded::PausedBySupervisor { epoch: 7 });
            for at in MARK_AT + 1..MARK_AT + MARK.len() {
                std::fs::write(&path, [&after[..at], &before[at..]].concat()).unwrap();
                assert_eq!(PauseFile::open(&path).unwrap().1, Recorded::Unreadable, "torn at {at}");
            }
            record.write(true, 8).unwrap();
            assert_eq!(PauseFile::open(&path).unwrap().1, Recorded::Paused { epoch: 8 });
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn damaged_means_paused_and_older_epochs_do_not_win() {
        let folder = std::env::temp_dir().join(format!("bailey-pause-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("pause");
        let _ = std::fs::remove_file(&path);
        assert_eq!(PauseFile::open(&path).unwrap().1, Recorded::Unreadable, "missing is not open");
        std::fs::remove_file(&path).unwrap();
        PauseFile::create(&path).unwrap();
        let (record, found) = PauseFile::open(&path).unwrap();
        assert_eq!(found, Recorded::Open { epoch: 0 });
        record.write(true, 3).unwrap();
        assert!(record.write(false, 2).is_err(), "a resume of an older epoch must not undo a pause");
        assert_eq!(PauseFile::open(&path).unwrap().1, Recorded::Paused { epoch: 3 });
        let whole = std::fs::read(&path).unwrap();
        for at in 0..64 {
            let mut torn = whole.clone();
            torn[at] ^= 0x10;
            std::fs::write(&path, torn).unwrap();
            assert_eq!(PauseFile::open(&path).unwrap().1, Recorded::Unreadable, "byte {at}");
        }
        std::fs::write(&path, b"").unwrap();
        assert_eq!(PauseFile::open(&path).unwrap().1, Recorded::Unreadable);
        mark_paused_by_supervisor(&OpenOptions::new().write(true).open(&path).unwrap()).unwrap();
        assert_eq!(PauseFile::open(&path).unwrap().1, Recorded::Unreadable, "a mark beside nothing tells no epoch");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
