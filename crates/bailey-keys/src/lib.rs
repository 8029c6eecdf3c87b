//! Keys of one home: root key → home key → a random key for every record.
//!
//! Derived keys can be derived again; random ones can be destroyed. So databases are opened with keys derived from the
//! home key, and every payload is sealed under a random key of its own, kept wrapped in the [`store::KeyStore`].
//!
//! Invariant of absence: nothing here prints, serialises or copies a key; the types have no such functions.

pub mod credential;
mod home;
mod opened;
pub mod passkey;
pub mod push;
mod root;
mod seal;
mod secret;
pub mod sign;
pub mod store;

pub use home::{HomeKey, read_small};
pub use root::{RootKey, RootKind};
pub use seal::{Context, open, seal};
pub use secret::{Key, Passphrase, random};
pub use store::has_failed;

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a key could not be had.
#[derive(Debug)]
pub enum KeyError {
    /// A key file could not be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A key file is there but is not one.
    Malformed {
        /// The file.
        path: PathBuf,
        /// Says what is wrong with it.
        why: &'static str,
    },
    /// A key file can be read by others.
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase, or the key, is not the one this was sealed with.
    Wrong,
    /// The key was destroyed; what it sealed is gone for good.
    Destroyed,
    /// The key store is not there, or holds nothing.
    Missing(PathBuf),
    /// The key store's database failed.
    Store(rusqlite::Error),
    /// The cryptographic library refused; out of memory or entropy.
    Crypto,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "could not use key file `{}`: {source}", path.display()),
            Self::Malformed { path, why } => {
                write!(f, "`{}` is damaged ({why}); put it back from a backup", path.display())
            }
            Self::Exposed { path } => write!(
                f,
                "key file `{}` can be read by other accounts; run `chmod 600` on it and consider its content known",
                path.display()
            ),
            Self::Wrong => f.write_str("the passphrase is wrong, or the key does not belong to this home; try again"),
            Self::Destroyed => f.write_str("the key of this record was destroyed; the record cannot be read any more"),
            Self::Missing(path) => write!(
                f,
                "the key store `{}` is missing or empty; put it back, or restore the last backup of the whole folder",
                path.display()
            ),
            Self::Store(error) => write!(f, "the key store failed: {error}"),
            Self::Crypto => f.write_str("the cryptographic library refused to work"),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<rusqlite::Error> for KeyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl From<aws_lc_rs::error::Unspecified> for KeyError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}
