//! The image every machine starts from: opened once, checked by hash, and handed on as what was opened.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Most bytes of the file that describes an image.
const MAX_DESCRIPTION_BYTES: u64 = 64 * 1024;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It is not there, or cannot be read.
    #[error("`{path}` cannot be read: {source}; build the image with `cargo xtask image`")]
    Missing {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of it is not what it was when it was built.
    #[error("`{0}` is not what it was when it was built; build the image anew with `cargo xtask image --fresh`")]
    Changed(PathBuf),
}

#[derive(Deserialize)]
struct Description {
    files: BTreeMap<String, String>,
}

/// An image, opened and checked.
#[derive(Debug)]
pub struct Image {
    pub(crate) kernel: File,
    pub(crate) initrd: File,
    pub(crate) root: File,
    /// The hash of the description: snapshots are of one image.
    pub(crate) identity: String,
}

impl Image {
    /// Opens the image in a folder and checks each file of it. What is started is what was checked: the opened files are handed on,
    /// not their names. Takes as long as hashing its bytes.
    pub fn open(folder: &Path) -> Result<Self, ImageError> {
        let path = folder.join("image.json");
        let missing = |source| ImageError::Missing { path: path.clone(), source };
        let mut text = Vec::new();
        File::open(&path).and_then(|file| file.take(MAX_DESCRIPTION_BYTES).read_to_end(&mut text)).map_err(missing)?;
        let described: Description = serde_json::from_slice(&text).map_err(|_| ImageError::Changed(path.clone()))?;
        let opened = |name: &str| checked(&folder.join(name), described.files.get(name));
        Ok(Self {
            kernel: opened("kernel")?,
            initrd: opened("initrd")?,
            root: opened("root.erofs")?,
            identity: hex(&Sha256::digest(&text)),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn checked(path: &Path, wanted: Option<&String>) -> Result<File, ImageError> {
    let missing = |source| ImageError::Missing { path: path.into(), source };
    let mut file = File::open(path).map_err(missing)?;
    let (mut hash, mut bytes) = (Sha256::new(), vec![0; 1024 * 1024]);
    loop {
        let count = file.read(&mut bytes).map_err(missing)?;
        if count == 0 {
            break;
        }
        hash.update(bytes.get(..count).unwrap_or_default());
    }
    if wanted != Some(&hex(&hash.finalize())) {
        return Err(ImageError::Changed(path.into()));
    }
    file.rewind().map_err(missing)?;
    Ok(file)
}
