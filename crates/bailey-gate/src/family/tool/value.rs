//! Values of arguments, and sums.

use crate::codec::{CodecError, Decoder, Encoder};

/// Deepest nesting of a value.
pub const MAX_DEPTH: usize = 16;
/// Longest text of one value, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// An argument's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// None.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A number, as a decimal literal.
    Number(String),
    /// Words.
    Text(String),
    /// Several.
    List(Vec<Self>),
    /// Named ones.
    Fields(Vec<(String, Self)>),
}

/// How much a call spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Nothing it says.
    None,
    /// So many hundredths of the account's currency, rounded up.
    Hundredths(u64),
    /// It spends and does not say how much: it may be anything.
    Unsaid,
    /// Something that is not a sum: negative, no number, or beyond counting.
    Unreadable,
}

impl Value {
    /// Returns every single value in it, as text; names of fields are not among them.
    #[must_use]
    pub fn scalars(&self) -> Vec<String> {
        match self {
            Self::Null => Vec::new(),
            Self::Flag(flag) => vec![flag.to_string()],
            Self::Number(text) | Self::Text(text) => vec![text.clone()],
            Self::List(values) => values.iter().flat_map(Self::scalars).collect(),
            Self::Fields(fields) => fields.iter().flat_map(|(_, value)| value.scalars()).collect(),
        }
    }

    /// Returns as a literal: texts in quotation marks, so that no text can pass for two values.
    #[must_use]
    pub fn literal(&self) -> String {
        let joined = |parts: Vec<String>| parts.join(", ");
        match self {
            Self::Null => "nothing".into(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(digits) => digits.clone(),
            Self::Text(text) => quoted(text),
            Self::List(values) => format!("[{}]", joined(values.iter().map(Self::literal).collect())),
            Self::Fields(fields) => {
                let named = |(name, value): &(String, Self)| format!("{}: {}", quoted(name), value.literal());
                format!("{{{}}}", joined(fields.iter().map(named).collect()))
            }
        }
    }

    /// Values in it, itself included.
    pub(super) fn count(&self) -> usize {
        1 + match self {
            Self::Null | Self::Flag(_) | Self::Number(_) | Self::Text(_) => 0,
            Self::List(values) => values.iter().map(Self::count).sum(),
            Self::Fields(fields) => fields.iter().map(|(_, value)| value.count()).sum(),
        }
    }

    pub(super) fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Null => {
                out.byte(0);
            }
            Self::Flag(flag) => {
                out.byte(1).byte(u8::from(*flag));
            }
            Self::Number(digits) => {
                out.byte(2).text(digits);
            }
            Self::Text(text) => {
                out.byte(3).text(text);
            }
            Self::List(values) => {
                out.byte(4).list(values, |out, value| value.encode(out));
            }
            Self::Fields(fields) => {
                out.byte(5).list(fields, |out, (name, value)| value.encode(out.text(name)));
            }
        }
    }

    pub(super) fn decode(bytes: &mut Decoder<'_>, depth: usize) -> Result<Self, CodecError> {
        if depth > MAX_DEPTH {
            return Err(CodecError::TooLong);
        }
        let text = |bytes: &mut Decoder<'_>| {
            let text = bytes.text()?;
            if text.len() > MAX_TEXT_BYTES { Err(CodecError::TooLong) } else { Ok(text) }
        };
        match bytes.byte()? {
            0 => Ok(Self::Null),
            1 => Ok(Self::Flag(bytes.byte()? == 1)),
            2 => {
                let digits = text(bytes)?;
                let plain = digits.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
                if plain && !digits.is_empty() {
                    Ok(Self::Number(digits))
                } else {
                    Err(CodecError::Malformed("a number"))
                }
            }
            3 => text(bytes).map(Self::Text),
            4 => bytes.list(|bytes| Self::decode(bytes, depth + 1)).map(Self::List),
            5 => bytes.list(|bytes| Ok((text(bytes)?, Self::decode(bytes, depth + 1)?))).map(Self::Fields),
            tag => Err(CodecError::UnknownTag(tag)),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns a decimal literal in hundredths, rounded up; `None` for everything that is not a sum to spend.
pub(super) fn hundredths(digits: &str) -> Option<u64> {
    let digits = digits.trim();
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !all(whole) || !all(part) {
        return None;
    }
    let cents: String = part.chars().chain("00".chars()).take(2).collect();
    let rest = part.chars().skip(2).any(|c| c != '0');
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(cents.parse().ok()?)?.checked_add(u64::from(rest))
}
