//! Secret values: wiped when dropped, and without any way to print, compare by accident, serialise or clone them.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::KeyError;

/// Memory for one passphrase guess, KiB. OWASP and RFC 9106 ask for at least 64 MiB in the second recommended setting.
const ARGON2_MEMORY_KIB: u32 = 64 * 1024;
/// Passes over that memory (RFC 9106, section 4, second recommended option).
const ARGON2_PASSES: u32 = 3;
/// Lanes; one, so that a guess costs the same on every machine.
const ARGON2_LANES: u32 = 1;

/// 32 secret bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl Key {
    /// Draws a key at random.
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Takes bytes over.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for the one place that needs them next.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns a key for one named use, derived with HKDF-SHA-256 (RFC 5869).
    pub fn derive(&self, label: &str) -> Result<Self, KeyError> {
        let salt = aws_lc_rs::hkdf::Salt::new(aws_lc_rs::hkdf::HKDF_SHA256, b"bailey");
        let info = [label.as_bytes()];
        let mut bytes = [0; 32];
        salt.extract(&self.0).expand(&info, aws_lc_rs::hkdf::HKDF_SHA256)?.fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Words only the person knows.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// Takes the words over.
    #[must_use]
    pub const fn new(words: String) -> Self {
        Self(words)
    }

    /// Returns the number of characters; for length rules.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }

    /// Tells whether it is of so few different characters that it is guessed first.
    #[must_use]
    pub fn is_trivial(&self) -> bool {
        let mut seen: Vec<char> = self.0.chars().collect();
        seen.sort_unstable();
        seen.dedup();
        let trivial = seen.len() < 4 || seen.iter().any(|c| c.is_control());
        seen.fill('\0');
        trivial
    }

    /// Stretches the words to a key with Argon2id (RFC 9106); about a fifth of a second and 64 MiB, on purpose.
    pub fn stretch(&self, salt: &[u8; 16]) -> Result<Key, KeyError> {
        let params =
            Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, Some(32)).map_err(|_| KeyError::Crypto)?;
        let mut bytes = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.0.as_bytes(), salt, &mut bytes)
            .map_err(|_| KeyError::Crypto)?;
        Ok(Key::from_bytes(bytes))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Draws random bytes for identifiers, salts and nonces.
pub fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(bytes)
}
