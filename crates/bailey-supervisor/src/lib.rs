//! The supervisor: starts, watches and stops the home and its gateway, and holds the root key.
//!
//! It is root only where each home is to run under an account number of its own. It opens no network connection; what it
//! is told comes over a socket only its own account can open, and over the pipes of the processes it started.
//!
//! Invariant of absence: it reads nothing of a home but its wrapped key.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod child;
mod control_socket;
mod identity;
mod restore;
mod root;
mod stdio;
mod watch;

use std::io;
use std::path::PathBuf;

use bailey_keys::KeyError;

pub use child::{HEARTBEAT, NOT_PUBLIC, PAUSED, READY, RESUMED};
pub use control_socket::{LONGEST_PASSPHRASE, PausedBySupervisor, pause, unlock};
pub use identity::{
    Identities, Identity, become_identity, blocked_by, die_with_parent, gain_no_rights, leave_terminal,
};
pub use root::{Keep, Mark, Place, finish_deletion};
pub use stdio::{Stream, flush_within, keep_notices_apart, log_line, notice};
pub use watch::{Launch, Logging, Said, supervise};

/// Why there is nothing to supervise.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// A file cannot be used.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Another supervisor runs.
    #[error("the home in `{0}` is running already; use it, or stop that one first")]
    Running(PathBuf),
    /// The home's description is damaged.
    #[error("`{0}` is damaged; put it back from a backup")]
    Damaged(PathBuf),
    /// There is no home.
    #[error("there is no home in `{0}`; run `bailey setup` first")]
    Missing(PathBuf),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The home did not start, and says why.
    #[error("{0}")]
    Refused(String),
    /// A restoration stopped when parts had been moved.
    #[error("it stopped halfway: {0}")]
    Halfway(String),
    /// A process cannot be started.
    #[error("`{0}` could not be started: {1}")]
    Start(&'static str, io::Error),
}

impl SupervisorError {
    /// Returns the name that the log has for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Running(_) => "running",
            Self::Damaged(_) => "damaged",
            Self::Missing(_) => "missing",
            Self::Key(_) => "key",
            Self::Refused(_) => "refused",
            Self::Halfway(_) => "halfway",
            Self::Start(..) => "start",
        }
    }
}
