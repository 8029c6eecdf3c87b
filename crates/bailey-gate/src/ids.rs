//! Identifiers at the trust boundary. Each is 16 random bytes, or a SHA-256; all are shown as lower-case hexadecimal.

use std::fmt::{self, Write as _};
use std::str::FromStr;

/// Why a text is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadId {
    /// Hexadecimal digits the identifier has.
    pub wanted_digits: usize,
}

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an identifier: expected {} hexadecimal digits", self.wanted_digits)
    }
}

impl std::error::Error for BadId {}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).try_for_each(|digit| f.write_char(digit))
}

fn read_hex<const N: usize>(text: &str) -> Result<[u8; N], BadId> {
    let bad = BadId { wanted_digits: 2 * N };
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(bad);
    }
    let mut out = [0; N];
    for (index, byte) in out.iter_mut().enumerate() {
        let digits = text.get(2 * index..2 * index + 2).ok_or_else(|| bad.clone())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| bad.clone())?;
    }
    Ok(out)
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Takes the raw bytes; the caller draws them at random where the kind asks for it.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Returns the raw bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                read_hex(text).map(Self)
            }
        }
    };
}

identifier!(
    /// One person's home.
    HomeId, 16
);
identifier!(
    /// One proposed action; never used twice.
    ActionId, 16
);
identifier!(
    /// One schedule of the person's.
    ScheduleId, 16
);
identifier!(
    /// One task of the person.
    TaskId, 16
);
identifier!(
    /// One connection to an outside account.
    ConnectionId, 16
);
identifier!(
    /// Draws sixteen random bytes, or an identity as short as that.
    Nonce, 16
);
identifier!(
    /// Marks the question: the person's answer must carry it, so that it answers that one and no other; see [`crate::approval`].
    Challenge, 64
);
identifier!(
    /// SHA-256 over everything an approval binds; see [`crate::content`].
    Digest, 32
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let id = ActionId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "ab", &"g".repeat(32), &"a".repeat(33), &"é".repeat(16)] {
            assert_eq!(bad.parse::<ActionId>(), Err(BadId { wanted_digits: 32 }), "{bad}");
        }
    }
}
