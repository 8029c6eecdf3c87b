//! Why a change of files did not come about, in words for people and models alike.

use std::fmt;

use bailey_gate::family::files::FilePath;
use bailey_gate::ledger::StoreError;

/// Bytes of a gibibyte.
const GIB: u64 = 1 << 30;

/// What is refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRefusal {
    /// No file lies there.
    NotThere(FilePath),
    /// A file lies there already.
    Taken(FilePath),
    /// Something lies there whose name differs in capital letters only.
    Alike {
        /// The path that was wanted.
        wanted: FilePath,
        /// Names what is there.
        there: String,
    },
    /// A folder lies there.
    IsFolder(String),
    /// A file lies where a folder would have to.
    IsFile(FilePath),
    /// The file is another by now than it was.
    Changed(FilePath),
    /// The file has no such version.
    NoVersion(u64),
    /// All versions together would have more bytes than they may.
    Full {
        /// The bound, in bytes.
        most: u64,
    },
    /// The hand-off was stopped.
    Stopped(String),
}

impl fmt::Display for FileRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere(path) => write!(f, "there is no file `{}`; look at its folder", path.as_str()),
            Self::Taken(path) => {
                write!(f, "there is a file `{}` already; change that one, or choose another name", path.as_str())
            }
            Self::Alike { wanted, there } => write!(
                f,
                "`{there}` is there already, and `{}` differs from it in capital letters only; write it like that, or choose another name",
                wanted.as_str()
            ),
            Self::IsFolder(path) => write!(f, "`{path}` is a folder; choose another name"),
            Self::IsFile(path) => {
                write!(f, "`{}` is a file, so nothing can lie in it; choose another folder", path.as_str())
            }
            Self::Changed(path) => {
                write!(f, "`{}` was changed since, so nothing was done; look at it again", path.as_str())
            }
            Self::NoVersion(n) => write!(f, "the file has no version {n}; list its versions"),
            Self::Full { most } => write!(
                f,
                "your files would have more than {} GiB, with every version; empty the trash, or set `home.files_gib` higher",
                most / GIB
            ),
            Self::Stopped(why) => f.write_str(why),
        }
    }
}

/// Why a change of files did not come about.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is refused; nothing was changed.
    #[error("{0}")]
    Refused(FileRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FileRefusal> for FileError {
    fn from(why: FileRefusal) -> Self {
        Self::Refused(why)
    }
}
