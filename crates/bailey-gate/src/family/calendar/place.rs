//! Where an entry lies, and which version of it.

use crate::codec::CodecError;

/// Longest path of a resource.
const MAX_HREF_BYTES: usize = 1_024;

/// A path on a server: printable ASCII without query, fragment or steps upwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Href(String);

impl Href {
    /// Refuses everything that could lead elsewhere or end the line.
    pub fn new(text: &str) -> Result<Self, CodecError> {
        let plain = text.chars().all(|c| c.is_ascii_graphic() && !"?#\\\"<>".contains(c));
        let upwards = text.split('/').any(|part| matches!(part, "." | ".."));
        if text.starts_with('/') && !text.starts_with("//") && plain && !upwards && text.len() <= MAX_HREF_BYTES {
            return Ok(Self(text.to_owned()));
        }
        Err(CodecError::Malformed("a path on a server"))
    }

    /// Returns the path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A strong entity tag (RFC 9110, 8.8.3), quotation marks included; nothing where the server gives none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// Reads `"…"`; weak tags cannot guard a write.
    pub fn new(text: &str) -> Result<Self, CodecError> {
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match inner {
            Some(inner) if inner.len() <= 200 && inner.chars().all(|c| c.is_ascii_graphic() && c != '"') => {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => Err(CodecError::Malformed("an entity tag")),
        }
    }

    /// Reads what servers and the programs between say: the weak form of a tag stands for the strong one (a program that packed the
    /// answer made it so), a name of the packing at its end does not belong to it, and quotation marks may be missing.
    #[must_use]
    pub fn of_answer(text: Option<&str>) -> Self {
        let text = text.unwrap_or_default().trim();
        let text = text.strip_prefix("W/").or_else(|| text.strip_prefix("w/")).unwrap_or(text);
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let packed = ["-gzip", ";gzip", "--gzip", "-br", "-df"].iter().find_map(|end| inner.strip_suffix(end));
        let inner = packed.unwrap_or(inner);
        if inner.is_empty() {
            Self::none()
        } else {
            Self::new(&format!("\"{inner}\"")).unwrap_or_else(|_| Self::none())
        }
    }

    /// Returns the tag of an entry whose server gives none: what it says is compared instead.
    #[must_use]
    pub const fn none() -> Self {
        Self(String::new())
    }

    /// Tells whether the server gives none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns it with its quotation marks.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
