//! A secret on its way over the home's own socket: cannot be printed, and is wiped when dropped.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An app password.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(zeroize::Zeroizing<String>);

impl Password {
    /// Takes the words over.
    #[must_use]
    pub fn new(words: String) -> Self {
        Self(zeroize::Zeroizing::new(words))
    }

    /// Returns the words, for the one place that stores them.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
