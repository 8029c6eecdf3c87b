//! Frames: eight bytes of header, and behind a data frame its bytes.
//!
//! ```text
//! 0        1        2        3        4        5        6        7
//! kind     0        value (big-endian)   stream (big-endian)
//! ```
//!
//! `value` is the length of what follows for data, the amount for credit, and 0 otherwise.

use crate::WireError;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 8;
/// Most bytes in a data frame: few enough that streams take turns often, enough that headers cost nothing.
pub const MAX_DATA_BYTES: u16 = 16 * 1024;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A new stream, by the side that opens them on this port.
    Open,
    /// Bytes of a stream.
    Data,
    /// The sender may be sent so many more bytes of a stream.
    Credit,
    /// The sender sends no more of a stream.
    End,
    /// The sender knows the stream no more: neither sends nor takes.
    Reset,
    /// From the host: forget every stream, answer [`Kind::Frozen`], and be silent until [`Kind::Thaw`].
    Freeze,
    /// From the guest: the last frame before it is silent.
    Frozen,
    /// From the host: speak again, with streams counted anew.
    Thaw,
}

impl Kind {
    const ALL: [Self; 8] =
        [Self::Open, Self::Data, Self::Credit, Self::End, Self::Reset, Self::Freeze, Self::Frozen, Self::Thaw];

    const fn byte(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Data => 2,
            Self::Credit => 3,
            Self::End => 4,
            Self::Reset => 5,
            Self::Freeze => 6,
            Self::Frozen => 7,
            Self::Thaw => 8,
        }
    }

    /// Tells whether it is about the port rather than one stream of it.
    pub(crate) const fn is_of_port(self) -> bool {
        matches!(self, Self::Freeze | Self::Frozen | Self::Thaw)
    }
}

/// A header, checked for what can be checked of it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub kind: Kind,
    /// Length of data, amount of credit, or 0.
    pub value: u16,
    /// The stream it is about; 0 for frames about the port.
    pub stream: u32,
}

impl Header {
    /// Returns the bytes of it.
    #[must_use]
    pub const fn encode(self) -> [u8; HEADER_BYTES] {
        let [high, low] = self.value.to_be_bytes();
        let [a, b, c, d] = self.stream.to_be_bytes();
        [self.kind.byte(), 0, high, low, a, b, c, d]
    }

    /// Reads a header. Refuses what no honest side sends: an unknown kind, a length that cannot be, a value where there is none,
    /// a stream where the port is meant and the other way round.
    pub fn decode(bytes: [u8; HEADER_BYTES]) -> Result<Self, WireError> {
        let [kind, zero, high, low, a, b, c, d] = bytes;
        let known = Kind::ALL.into_iter().find(|known| known.byte() == kind);
        let Some(kind) = known.filter(|_| zero == 0) else { return Err(WireError::UnknownFrame) };
        let header = Self { kind, value: u16::from_be_bytes([high, low]), stream: u32::from_be_bytes([a, b, c, d]) };
        match kind {
            Kind::Data if header.value == 0 || header.value > MAX_DATA_BYTES => return Err(WireError::Length),
            Kind::Credit if header.value == 0 => return Err(WireError::Credit),
            Kind::Data | Kind::Credit => {}
            Kind::Open | Kind::End | Kind::Reset | Kind::Freeze | Kind::Frozen | Kind::Thaw => {
                if header.value != 0 {
                    return Err(WireError::UnknownFrame);
                }
            }
        }
        if kind.is_of_port() == (header.stream == 0) { Ok(header) } else { Err(WireError::NoSuchStream) }
    }
}
