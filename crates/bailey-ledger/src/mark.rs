//! The high-water mark: how far the log had come, kept outside the database.
//!
//! Whoever puts an older copy of the database in the place of a newer one does not thereby turn back this file, so the
//! rollback is noticed when the home opens. A snapshot of the whole host turns both back; that is a named limit.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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

/// Where the mark is kept.
pub trait MarkStore: Send + Sync {
    /// The mark; `None` if there is none or it is damaged, which counts as a rollback where there is a log.
    fn read(&self) -> io::Result<Option<Mark>>;
    /// Replaces the mark; durable when it returns, and after a crash meanwhile either the old one or the new one.
    fn write(&self, mark: &Mark) -> io::Result<()>;
}

/// The file that holds the mark.
#[derive(Debug, Clone)]
pub struct MarkFile(PathBuf);

impl MarkFile {
    /// The mark at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.into())
    }
}

impl MarkStore for MarkFile {
    fn read(&self) -> io::Result<Option<Mark>> {
        match std::fs::read(&self.0) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, mark: &Mark) -> io::Result<()> {
        let fresh = self.0.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(serde_json::to_string(mark)?.as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&fresh, &self.0)?;
        match self.0.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}
