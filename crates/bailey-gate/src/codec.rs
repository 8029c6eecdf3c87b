//! The gate's own byte format: big-endian integers and length-prefixed fields, in a fixed order, no optional tricks.
//!
//! One value has exactly one encoding. [`Decoder::finish`] refuses trailing bytes, and every decoded action is encoded
//! again and compared, so two readers can never see two meanings in the bytes a person approved.

use std::fmt;

/// Version of the encoding. A stored action of another version is asked again, never guessed at.
pub const CODEC_VERSION: u8 = 1;

/// Longest single field. Mails with attachments are the largest actions; providers refuse more than about 25 MB.
pub const MAX_FIELD_BYTES: usize = 32 * 1024 * 1024;

/// Most items in a list (recipients, attachments). Far above what a person can read in one preview.
pub const MAX_ITEMS: usize = 4_096;

/// Why bytes are not an encoded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecError {
    /// The bytes end before the value does.
    Short,
    /// Bytes are left over after the value.
    Trailing,
    /// A length or count is above its limit.
    TooLong,
    /// A text is not UTF-8.
    NotText,
    /// A tag names no known variant.
    UnknownTag(u8),
    /// The encoding is of another version.
    UnknownVersion(u8),
    /// A field breaks a rule of its type (say, a line break in a header).
    Malformed(&'static str),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("the stored action ends too early"),
            Self::Trailing => f.write_str("the stored action has bytes left over"),
            Self::TooLong => f.write_str("a field of the stored action is longer than allowed"),
            Self::NotText => f.write_str("a text of the stored action is not UTF-8"),
            Self::UnknownTag(tag) => write!(f, "the stored action has an unknown tag {tag}"),
            Self::UnknownVersion(version) => {
                write!(f, "the stored action has format version {version}, not {CODEC_VERSION}")
            }
            Self::Malformed(what) => write!(f, "the stored action is malformed: {what}"),
        }
    }
}

impl std::error::Error for CodecError {}

/// Writes values; see the module text for the format.
#[derive(Debug, Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// Returns one byte: a tag, a version, a flag.
    pub fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    /// Returns an unsigned integer, eight bytes.
    pub fn number(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Returns a signed integer, eight bytes, two's complement.
    pub fn signed(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Returns bytes behind their length (eight bytes).
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// Returns text as UTF-8 behind its length.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.bytes(value.as_bytes())
    }

    /// Returns a list behind its count.
    pub fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.number(items.len() as u64);
        for item in items {
            each(self, item);
        }
        self
    }

    /// Returns a value that may be absent: `0`, or `1` and the value.
    pub fn option<T>(&mut self, value: Option<&T>, each: impl FnOnce(&mut Self, &T)) -> &mut Self {
        match value {
            None => {
                self.byte(0);
            }
            Some(value) => {
                self.byte(1);
                each(self, value);
            }
        }
        self
    }

    /// Returns the bytes written so far.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads what [`Encoder`] wrote; bounded, never panics.
#[derive(Debug)]
pub struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(CodecError::Short)?;
        self.0 = tail;
        Ok(head)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        self.take(N)?.try_into().map_err(|_| CodecError::Short)
    }

    /// Returns one byte.
    pub fn byte(&mut self) -> Result<u8, CodecError> {
        self.take_array().map(u8::from_be_bytes)
    }

    /// Returns an unsigned integer.
    pub fn number(&mut self) -> Result<u64, CodecError> {
        self.take_array().map(u64::from_be_bytes)
    }

    /// Returns a signed integer.
    pub fn signed(&mut self) -> Result<i64, CodecError> {
        self.take_array().map(i64::from_be_bytes)
    }

    fn size(&mut self, limit: usize) -> Result<usize, CodecError> {
        let size = usize::try_from(self.number()?).map_err(|_| CodecError::TooLong)?;
        if size > limit { Err(CodecError::TooLong) } else { Ok(size) }
    }

    /// Reads length-prefixed bytes, at most [`MAX_FIELD_BYTES`].
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let size = self.size(MAX_FIELD_BYTES)?;
        self.take(size)
    }

    /// Reads length-prefixed UTF-8.
    pub fn text(&mut self) -> Result<String, CodecError> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| CodecError::NotText)
    }

    /// Returns a list of at most [`MAX_ITEMS`].
    pub fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Result<T, CodecError>) -> Result<Vec<T>, CodecError> {
        let count = self.size(MAX_ITEMS)?;
        (0..count).map(|_| each(self)).collect()
    }

    /// Returns a value that may be absent.
    pub fn option<T>(
        &mut self,
        each: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Option<T>, CodecError> {
        match self.byte()? {
            0 => Ok(None),
            1 => each(self).map(Some),
            tag => Err(CodecError::UnknownTag(tag)),
        }
    }

    /// Ends the reading; bytes left over are an error.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.0.is_empty() { Ok(()) } else { Err(CodecError::Trailing) }
    }
}
