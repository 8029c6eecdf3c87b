//! The approval passphrase: it makes a signing key, and the home keeps only the public half.
//!
//! So neither the home's files nor its memory hold anything that can approve. What a thief of the *opened* database gets
//! is a public key and a salt to test guesses against, each guess costing one Argon2id run.

use crate::KeyError;
use crate::secret::{Passphrase, random};
use crate::sign::SigningKey;

/// Shortest approval passphrase, in characters. Guesses need the opened database and 64 MiB each; eight is the floor of
/// NIST SP 800-63B, 5.1.1.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// What the home keeps of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// A random identity.
    pub id: [u8; 16],
    /// The salt of the passphrase.
    pub salt: [u8; 16],
    /// The public half.
    pub public: [u8; 32],
}

/// Returns the signing key that a passphrase and a salt make.
pub fn signing_key(passphrase: &Passphrase, salt: &[u8; 16]) -> Result<SigningKey, KeyError> {
    SigningKey::from_seed(&passphrase.stretch(salt)?.derive("approval signing key")?)
}

/// Returns a new credential for a passphrase.
pub fn enrol(passphrase: &Passphrase) -> Result<Credential, KeyError> {
    let (id, salt) = (random()?, random()?);
    Ok(Credential { id, salt, public: signing_key(passphrase, &salt)?.public() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_signs() {
        let words = |text: &str| Passphrase::new(text.into());
        let kept = enrol(&words("correct horse")).unwrap();
        let good = signing_key(&words("correct horse"), &kept.salt).unwrap().sign(b"yes");
        let bad = signing_key(&words("correct hors"), &kept.salt).unwrap().sign(b"yes");
        assert!(crate::sign::verify(&kept.public, b"yes", &good));
        assert!(!crate::sign::verify(&kept.public, b"no", &good));
        assert!(!crate::sign::verify(&kept.public, b"yes", &bad));
    }
}
