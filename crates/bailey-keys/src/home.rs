//! The home key: random, wrapped under the root key in a small file of its own. Destroying that file destroys the home.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::KeyError;
use crate::root::RootKey;
use crate::seal::{Context, open, seal};
use crate::secret::Key;

/// Largest key file; ours have under 400 bytes.
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// The key of one home. Databases open with keys derived from it; payload keys are wrapped under it.
#[derive(Debug)]
pub struct HomeKey {
    home: [u8; 16],
    key: Key,
}

/// The wrapped home key as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct HomeKeyFile {
    version: u32,
    home: String,
    wrapped: String,
}

impl HomeKey {
    /// Draws a key for a new home and stores it wrapped; refuses to replace one.
    pub fn create(path: &Path, home: [u8; 16], root: &RootKey) -> Result<Self, KeyError> {
        let key = Key::random()?;
        let wrapped = seal(&root.0, &wrapping(&home), key.expose())?;
        let file = HomeKeyFile { version: 1, home: BASE64.encode(home), wrapped: BASE64.encode(wrapped) };
        let text = serde_json::to_vec_pretty(&file).map_err(|_| KeyError::Crypto)?;
        write_private(path, &text)?;
        Ok(Self { home, key })
    }

    /// Unwraps the key stored at `path`.
    pub fn unwrap(path: &Path, root: &RootKey) -> Result<Self, KeyError> {
        let malformed = |why| KeyError::Malformed { path: path.into(), why };
        let file: HomeKeyFile =
            serde_json::from_slice(&read_private(path)?).map_err(|_| malformed("not a home key"))?;
        let home = BASE64.decode(&file.home).ok().and_then(|home| home.try_into().ok());
        let home: [u8; 16] = home.ok_or_else(|| malformed("no home identity"))?;
        let wrapped = BASE64.decode(&file.wrapped).map_err(|_| malformed("the wrapped key is not base64"))?;
        let bytes = open(&root.0, &wrapping(&home), &wrapped)?;
        Ok(Self { home, key: Key::from_bytes(bytes.try_into().map_err(|_| malformed("the key is not 32 bytes"))?) })
    }

    /// Writes the key to a pipe, for the process that is to open the home. Whoever can read the pipe has the key.
    pub fn hand_over(&self, to: &mut dyn io::Write) -> Result<(), KeyError> {
        let failed = |source| KeyError::File { path: "the pipe to the home".into(), source };
        to.write_all(&self.home).and_then(|()| to.write_all(self.key.expose())).map_err(failed)
    }

    /// Reads a key that was handed over.
    pub fn take_over(from: &mut dyn io::Read) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: "the pipe from the supervisor".into(), source };
        let (mut home, mut key) = ([0; 16], [0; 32]);
        from.read_exact(&mut home).and_then(|()| from.read_exact(&mut key)).map_err(failed)?;
        Ok(Self { home, key: Key::from_bytes(key) })
    }

    /// Tells whose key it is.
    #[must_use]
    pub const fn home(&self) -> &[u8; 16] {
        &self.home
    }

    /// Returns a key for one named use.
    pub fn derive(&self, label: &str) -> Result<Key, KeyError> {
        self.key.derive(label)
    }

    /// Seals a value under the home key itself.
    pub fn seal(&self, owner: &[u8], field: &'static str, version: u64, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        seal(&self.key, &Context { home: &self.home, owner, field, version }, plain)
    }

    /// Opens what [`Self::seal`] made.
    pub fn open(&self, owner: &[u8], field: &'static str, version: u64, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        open(&self.key, &Context { home: &self.home, owner, field, version }, sealed)
    }
}

const fn wrapping(home: &[u8; 16]) -> Context<'_> {
    Context { home, owner: b"root", field: "home key", version: 1 }
}

/// Creates a file only we can read; refuses to replace one. Durable when it returns.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    write().map_err(|source| KeyError::File { path: path.into(), source })
}

/// Reads a small file that may lie in another account's folder: no link is followed, and what is no plain file, or too
/// large, is an error at once.
pub fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let (bytes, _) = read_plain(path)?;
    Ok(bytes)
}

fn read_plain(path: &Path) -> io::Result<(Vec<u8>, u32)> {
    #[expect(clippy::cast_possible_wrap, reason = "the flags of open(2) are an int")]
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() || about.len() > MAX_KEY_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no plain file of a few bytes"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_KEY_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok((bytes, about.permissions().mode()))
}

/// Reads a file that only we can read.
pub(crate) fn read_private(path: &Path) -> Result<Vec<u8>, KeyError> {
    let (bytes, mode) = read_plain(path).map_err(|source| KeyError::File { path: path.into(), source })?;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.into() });
    }
    Ok(bytes)
}
