//! What a log event may hold.

use std::fmt;
use std::time::Duration;

mod sealed {
    pub trait Sealed {}
}

/// A value that may be logged. Sealed: whoever wants to log something new has to decide here that it is no content.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may not be logged",
    note = "log an id, a kind, a state, a code or a count; never words, mail, addresses or credentials"
)]
pub trait Field: sealed::Sealed {
    /// The value that the log takes of it.
    type Value: tracing::Value;
    /// Returns the value as the log takes it.
    fn value(&self) -> Self::Value;
}

macro_rules! fields {
    ($($ty:ty => $value:ty, $of:expr;)*) => {$(
        impl sealed::Sealed for $ty {}
        impl Field for $ty {
            type Value = $value;
            fn value(&self) -> $value {
                let of: fn(&$ty) -> $value = $of;
                of(self)
            }
        }
    )*};
}

fields! {
    u64 => u64, |n| *n;
    u32 => u64, |n| u64::from(*n);
    u16 => u64, |n| u64::from(*n);
    usize => u64, |n| *n as u64;
    i64 => i64, |n| *n;
    i32 => i64, |n| i64::from(*n);
    bool => bool, |yes| *yes;
    // Text that stands in the source: names of kinds, states, codes.
    &'static str => &'static str, |text| *text;
    // In milliseconds.
    Duration => u64, |took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    Id => u128, |id| id.0;
    Option<Id> => Option<u128>, |id| id.map(|id| id.0);
}

/// The id of a home, a task, an action or a connection: sixteen random bytes, logged as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(u128);

impl Id {
    /// Takes the raw bytes of an id.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
