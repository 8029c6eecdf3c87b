//! The high-water mark: how far the log had come, kept outside the database.
//!
//! Whoever puts an older copy of the database in the place of a newer one does not thereby turn back this file, so the
//! rollback is noticed when the home opens. A copy of the home's whole folder has a mark of its own that fits: for this there is a
//! witness, the same mark outside of the folder, which lasts as long as the machine runs. Where it is missing, nobody can tell a copy
//! from what ran last. A snapshot of the whole machine turns back all of them; that is a named limit.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::Now;
use serde::{Deserialize, Serialize};

use crate::aside;
use crate::checkpoint::hex;

/// What the mark says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Changes when a rollback was noticed, so that two histories never share a name.
    pub incarnation: String,
    /// The pause epoch.
    pub epoch: u64,
    /// Entries in the log.
    pub size: u64,
    /// The root of the hash tree at that size, hexadecimal.
    pub root: String,
}

/// What there is of a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is there.
    Whole(Mark),
    /// Something is there that is not as it was written.
    Damaged,
    /// There is none, which counts as a rollback where there is a log.
    Missing,
}

/// Where the mark is kept.
pub trait MarkStore: Send + Sync {
    /// Returns what there is of it.
    fn read(&self) -> io::Result<Kept>;
    /// Keeps a copy of one that is damaged, and says where.
    fn set_aside(&self, now: Now) -> io::Result<PathBuf>;
    /// Replaces the mark; durable when it returns, and after a crash meanwhile either the old one or the new one.
    fn write(&self, mark: &Mark) -> io::Result<()>;
    /// Returns the same mark as this boot of this machine keeps it where no copy of the home's folder takes it along. `None`
    /// where that was another boot, or another machine, or cannot be read.
    fn witness(&self) -> Option<Mark>;
}

/// The file that holds the mark.
#[derive(Debug, Clone)]
pub struct MarkFile {
    path: PathBuf,
    witness: Option<Witness>,
}

/// The mark once more, outside of the home's folder.
#[derive(Debug, Clone)]
struct Witness {
    path: PathBuf,
    boot_id: [u8; 16],
}

/// What a witness holds.
#[derive(Serialize, Deserialize)]
struct Witnessed {
    boot: String,
    mark: Mark,
}

/// Bytes of a witness: what a mark takes, and room to spare. It is always written whole, in place.
const WITNESS_BYTES: usize = 1_024;

impl MarkFile {
    /// Returns the mark at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), witness: None }
    }

    /// Keeps it in the file `witness`, too, which somebody else has made, as of the boot `boot_id`.
    #[must_use]
    pub fn witnessed(self, witness: &Path, boot_id: [u8; 16]) -> Self {
        Self { witness: Some(Witness { path: witness.into(), boot_id }), ..self }
    }
}

impl MarkStore for MarkFile {
    fn read(&self) -> io::Result<Kept> {
        match std::fs::read(&self.path) {
            Ok(bytes) => {
                // Earlier releases wrote the line alone.
                let mark = unsealed(&bytes).map_or_else(|| serde_json::from_slice(&bytes), serde_json::from_str);
                Ok(mark.map_or(Kept::Damaged, Kept::Whole))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::Missing),
            Err(error) => Err(error),
        }
    }

    fn set_aside(&self, now: Now) -> io::Result<PathBuf> {
        aside::set_aside(&self.path, now)
    }

    fn write(&self, mark: &Mark) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags(NO_LINKS)
            .open(&fresh)?;
        file.write_all(sealed(&serde_json::to_string(mark)?).as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&fresh, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.witness.as_ref().map_or(Ok(()), |witness| witness.write(mark))
    }

    fn witness(&self) -> Option<Mark> {
        self.witness.as_ref()?.read()
    }
}

impl Witness {
    fn read(&self) -> Option<Mark> {
        let mut file = OpenOptions::new().read(true).custom_flags(NO_LINKS).open(&self.path).ok()?;
        let mut bytes = vec![0; WITNESS_BYTES];
        file.read_exact(&mut bytes).ok()?;
        let seen: Witnessed = serde_json::from_str(unsealed(&bytes)?).ok()?;
        (seen.boot == hex(&self.boot_id)).then_some(seen.mark)
    }

    /// Writes it, to last as long as the boot does and no longer. One that is not there any more proves nothing, so nothing is lost
    /// with it.
    fn write(&self, mark: &Mark) -> io::Result<()> {
        let seen = Witnessed { boot: hex(&self.boot_id), mark: mark.clone() };
        let mut bytes = sealed(&serde_json::to_string(&seen)?).into_bytes();
        bytes.resize(WITNESS_BYTES, b' ');
        match OpenOptions::new().write(true).custom_flags(NO_LINKS).open(&self.path) {
            Ok(file) => file.write_all_at(&bytes, 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// `O_NOFOLLOW`: opening a symbolic link fails.
#[expect(clippy::cast_possible_wrap, reason = "the flags of open(2) are an int")]
const NO_LINKS: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;

/// Returns a line of text, and below it the SHA-256 of it: what is damaged can be told.
fn sealed(line: &str) -> String {
    format!("{line}\n{}\n", checksum(line))
}

/// Returns the line, if it is as it was written; whatever comes behind its checksum does not count.
fn unsealed(bytes: &[u8]) -> Option<&str> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    let (line, sum) = (lines.next()?, lines.next()?);
    (sum == checksum(line)).then_some(line)
}

fn checksum(line: &str) -> String {
    hex(digest(&SHA256, line.as_bytes()).as_ref())
}
