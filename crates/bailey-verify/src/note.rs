//! Checkpoints: C2SP `tlog-checkpoint` in a C2SP `signed-note` with one Ed25519 signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// A signed statement of a log's size and root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log it is: `bailey/` and the log's identity.
    pub origin: String,
    /// Entries covered.
    pub size: u64,
    /// The root over them.
    pub root: [u8; 32],
    signed: String,
    name: String,
    key_id: [u8; 4],
    signature: [u8; 64],
}

impl Checkpoint {
    /// Reads a note; `None` if it is not exactly of the expected form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (signed, signatures) = text.split_once("\n\n")?;
        let signed = format!("{signed}\n");
        let mut lines = signed.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        if lines.next().is_some() {
            return None;
        }
        let line = signatures.trim_end_matches('\n').strip_prefix("\u{2014} ")?;
        let (name, blob) = line.split_once(' ')?;
        let blob = BASE64.decode(blob).ok()?;
        let (key_id, signature) = blob.split_at_checked(4)?;
        // It is shown where it is another's: names are plain words without spaces.
        if origin.is_empty() || !origin.chars().all(|c| c.is_ascii_graphic()) {
            return None;
        }
        Some(Self {
            origin: origin.to_owned(),
            size: crate::decimal(size)?,
            root: BASE64.decode(root).ok()?.try_into().ok()?,
            name: name.to_owned(),
            key_id: key_id.try_into().ok()?,
            signature: signature.try_into().ok()?,
            signed,
        })
    }

    /// Tells whether the signature is that of `key` in the name of the log.
    #[must_use]
    pub fn is_signed_by(&self, key: &[u8; 32]) -> bool {
        let id = Sha256::new().chain_update(&self.name).chain_update(b"\n\x01").chain_update(key).finalize();
        let Ok(verifying) = VerifyingKey::from_bytes(key) else { return false };
        self.name == self.origin
            && id.get(..4) == Some(&self.key_id)
            && verifying.verify_strict(self.signed.as_bytes(), &Signature::from_bytes(&self.signature)).is_ok()
    }
}
