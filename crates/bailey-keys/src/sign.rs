//! Ed25519 (RFC 8032): log checkpoints and answers of the person.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::KeyError;
use crate::secret::Key;

/// A key that signs.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Returns the key pair of a 32-byte seed.
    pub fn from_seed(seed: &Key) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_seed_unchecked(seed.expose()).map(Self).map_err(|_| KeyError::Crypto)
    }

    /// Returns its public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        let mut out = [0; 32];
        let public = self.0.public_key().as_ref();
        for (to, from) in out.iter_mut().zip(public) {
            *to = *from;
        }
        out
    }

    /// Returns a signature over `message`, 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

/// Tells whether `signature` is that of `public` over `message`.
#[must_use]
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}
