//! Signed checkpoints in the C2SP `tlog-checkpoint` format, a `signed-note` with one Ed25519 signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use bailey_keys::sign::SigningKey;

use crate::tree::{Hash, Tree, hash};

/// Entries after which a checkpoint is due. A proof then covers all but the last few moments at any time.
pub const EVERY_ENTRIES: u64 = 256;

/// Domain of the log's identity.
const LOG_DOMAIN: &[u8] = b"bailey log 1\n";

/// Returns a log's identity: the first 16 bytes of SHA-256 over domain, genesis nonce and public key, in hexadecimal.
#[must_use]
pub fn log_id(nonce: &[u8; 16], public: &[u8; 32]) -> String {
    hex(hash(&[LOG_DOMAIN, nonce, public]).get(..16).unwrap_or_default())
}

/// Writes lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Returns the name that stands in the note: whose log it is.
#[must_use]
pub fn origin(log_id: &str) -> String {
    format!("bailey/{log_id}")
}

/// Returns the part of a checkpoint that is signed.
fn body(log_id: &str, size: u64, root: &Hash) -> String {
    format!("{}\n{size}\n{}\n", origin(log_id), BASE64.encode(root))
}

/// Returns the signed note for a tree.
#[must_use]
pub fn sign(log_id: &str, tree: &Tree, key: &SigningKey) -> String {
    let body = body(log_id, tree.size(), &tree.root());
    let name = origin(log_id);
    let id = hash(&[name.as_bytes(), b"\n\x01", &key.public()]);
    let mut signature = id.get(..4).unwrap_or_default().to_vec();
    signature.extend(key.sign(body.as_bytes()));
    format!("{body}\n\u{2014} {name} {}\n", BASE64.encode(signature))
}
