//! The root key: what a home's key is wrapped under, and where it comes from.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::KeyError;
use crate::home::{read_private, write_private};
use crate::secret::{Key, Passphrase, random};

/// Where the root key comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RootKind {
    /// A file beside the data, mode 0600. Opens unattended; whoever can read the file can read everything.
    KeyFile,
    /// A passphrase, stretched with Argon2id. Stays locked after a restart until the person unlocks.
    Passphrase {
        /// The salt, base64.
        salt: String,
    },
}

/// The key that wraps home keys.
#[derive(Debug)]
pub struct RootKey(pub(crate) Key);

impl RootKey {
    /// Makes a key file at `path`; refuses to replace one.
    pub fn create_file(path: &Path) -> Result<Self, KeyError> {
        let key = Key::random()?;
        write_private(path, BASE64.encode(key.expose()).as_bytes())?;
        Ok(Self(key))
    }

    /// Reads the key file at `path`; refuses one that others can read.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let malformed = || KeyError::Malformed { path: path.into(), why: "not 32 bytes in base64" };
        let text = read_private(path)?;
        let bytes = BASE64.decode(text.trim_ascii()).map_err(|_| malformed())?;
        Ok(Self(Key::from_bytes(bytes.try_into().map_err(|_| malformed())?)))
    }

    /// Returns a new salt and the root key that it makes with a passphrase.
    pub fn enrol(passphrase: &Passphrase) -> Result<(RootKind, Self), KeyError> {
        let salt: [u8; 16] = random()?;
        Ok((RootKind::Passphrase { salt: BASE64.encode(salt) }, Self(passphrase.stretch(&salt)?)))
    }

    /// Returns the root key that a passphrase makes with a stored salt. Whether it is the right one shows when it unwraps.
    pub fn from_passphrase(passphrase: &Passphrase, salt: &str) -> Result<Self, KeyError> {
        let salt = BASE64.decode(salt).ok().and_then(|salt| <[u8; 16]>::try_from(salt).ok());
        let salt =
            salt.ok_or(KeyError::Malformed { path: "home.json".into(), why: "the salt is not 16 bytes in base64" })?;
        Ok(Self(passphrase.stretch(&salt)?))
    }
}
