//! Texts with rules: what may stand in a header, and what an address is. Checked once, here; carried as types after.

use std::fmt;

/// Most bytes of the name of a time zone in an action.
pub(super) const MAX_ZONE_BYTES: usize = 100;

/// Longest header value in characters, before encoding. RFC 5322, 2.1.1 limits a line to 998.
pub const MAX_HEADER_CHARS: usize = 900;

/// Longest address in bytes: RFC 5321, 4.5.3.1.3 (a path is at most 256 octets, brackets included).
pub const MAX_ADDRESS_BYTES: usize = 254;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadText {
    /// A line break, NUL or other control character.
    Control,
    /// Longer than its limit.
    TooLong,
    /// Not of the form `name@domain`.
    NotAnAddress(String),
    /// Not of the form `<left@right>`.
    NotAMessageId(String),
    /// No name of a folder that can be written here.
    NotAFolder(String),
    /// No label that a mail server keeps.
    NotALabel(String),
}

impl fmt::Display for BadText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control => f.write_str("the text holds a control character, which could smuggle a header; remove it"),
            Self::TooLong => write!(f, "the text is longer than {MAX_HEADER_CHARS} characters; shorten it"),
            Self::NotAnAddress(text) => {
                write!(f, "`{}` is not an e-mail address; write it as name@domain", super::escape::visible(text))
            }
            Self::NotAMessageId(text) => write!(
                f,
                "`{}` is not a Message-ID that can be referred to: one stands in angle brackets, in plain letters, digits and signs without blanks; take it as the mail has it, or leave it out",
                super::escape::visible(text)
            ),
            Self::NotAFolder(text) => write!(
                f,
                "`{}` is no folder name of plain letters, digits and signs; take the name as the mail server lists it",
                super::escape::visible(text)
            ),
            Self::NotALabel(text) => write!(
                f,
                "`{}` is no label that mail servers keep; take one word of plain letters, digits and signs",
                super::escape::visible(text)
            ),
        }
    }
}

impl std::error::Error for BadText {}

/// One line of text for a header: no control characters, so no line can be added behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line(String);

impl Line {
    /// Refuses control characters and lengths above [`MAX_HEADER_CHARS`].
    pub fn new(text: impl Into<String>) -> Result<Self, BadText> {
        let text = text.into();
        if text.chars().any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}') {
            return Err(BadText::Control);
        }
        if text.chars().count() > MAX_HEADER_CHARS {
            return Err(BadText::TooLong);
        }
        Ok(Self(text))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address: a dot-atom local part and an ASCII domain (RFC 5321 `Mailbox` without quoted strings and literals).
///
/// Before the `@` there may be letters and digits of one script beyond ASCII (RFC 6531), as far as none of them is a variant that could be
/// taken for another. The domain is kept in lower case. Internationalised domains arrive in their ASCII form (`xn--…`), so what is shown
/// is what the mail system uses and a look-alike letter cannot hide.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(String);

impl Address {
    /// Parses `name@domain`.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let bad = || BadText::NotAnAddress(text.chars().take(MAX_ADDRESS_BYTES).collect());
        let (local, domain) = text.trim().rsplit_once('@').ok_or_else(bad)?;
        let in_local = |c: char| is_atom_char(c) || is_letter_beyond(c);
        let mixed = super::punycode::mixes_scripts(local);
        if text.len() > MAX_ADDRESS_BYTES || mixed || !is_dot_atom(local, in_local) || !is_domain(domain) {
            return Err(bad());
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// Parses `name@domain`, whose domain may be written in letters of any script.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn read(text: &str) -> Result<Self, BadText> {
        let text = text.trim();
        let ascii = text.rsplit_once('@').and_then(|(local, domain)| {
            super::punycode::to_ascii(domain).filter(|_| !domain.is_ascii()).map(|domain| format!("{local}@{domain}"))
        });
        Self::new(ascii.as_deref().unwrap_or(text))
    }

    /// Returns `name@domain`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part after the `@`, lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Returns the address with the letters its domain stands for, where it is an internationalised one (RFC 5890).
    #[must_use]
    pub fn letters(&self) -> Option<String> {
        let (local, domain) = self.0.rsplit_once('@')?;
        super::punycode::letters(domain).map(|domain| format!("{local}@{domain}"))
    }

    /// Tells whether it has letters beyond ASCII, which not every mail server takes (RFC 6531).
    #[must_use]
    pub fn is_beyond_ascii(&self) -> bool {
        !self.0.is_ascii()
    }

    /// Returns the form in which addresses are compared: all lower case. Providers treat local parts so in practice, and a
    /// person who sees `Ana@x` and `ana@x` as two people would be misled.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Letters that are others in another form (superscripts, letters in circles, ligatures, full-width and mathematical letters): places in
/// Unicode that hold nothing else.
const VARIANTS: [(u32, u32); 8] = [
    (0x80, 0xbf),
    (0x2b0, 0x2ff),
    (0x2070, 0x218f),
    (0x2460, 0x24ff),
    (0x3200, 0x33ff),
    (0xfb00, 0xfdff),
    (0xfe70, 0xffff),
    (0x1_d400, 0x1_f2ff),
];

/// Tells whether it is a letter or a digit beyond ASCII that stands for itself, in one case as in the other.
fn is_letter_beyond(c: char) -> bool {
    let variant = VARIANTS.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)));
    let mut lower = c.to_lowercase();
    let folds = lower.next().is_some_and(|lower| !lower.is_ascii()) && lower.next().is_none();
    !c.is_ascii() && c.is_alphanumeric() && !variant && folds && !super::escape::is_deceptive(c)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_atom_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn is_dot_atom(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.chars().all(&allowed))
}

fn is_domain(text: &str) -> bool {
    is_dot_atom(text, |c| c.is_ascii_alphanumeric() || c == '-')
        && text.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-') && label.len() <= 63)
}

/// A person or list as mail names them: an address, and a name that proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// The display name, as the sender of the mail chose it.
    pub name: Option<Line>,
    /// Where mail really goes.
    pub address: Address,
}

impl Mailbox {
    /// Tells whether the name looks like an address, and like another one than the mail goes to: the oldest trick there is.
    #[must_use]
    pub fn is_deceptive(&self) -> bool {
        let Some(name) = self.name.as_ref().map(|name| name.as_str().to_lowercase()) else { return false };
        // An at sign in any of its disguises.
        let looks = name.contains(['@', '\u{ff20}', '\u{fe6b}']) || name.contains("(at)") || name.contains("[at]");
        let own = |text: &str| text.trim_matches(|c: char| "<>'\" ".contains(c)) == self.address.key();
        looks && !own(&name) && !Address::read(&name).is_ok_and(|named| named.key() == self.address.key())
    }
}

/// Writes it so that it reads back as the same one: a name that holds what has a meaning in a list of recipients stands in quotation
/// marks (RFC 5322, 3.2.4).
impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) if needs_marks(name.as_str()) => {
                let escaped = name.as_str().replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{escaped}\" <{}>", self.address)
            }
            Some(name) => write!(f, "{} <{}>", name.as_str(), self.address),
            None => self.address.fmt(f),
        }
    }
}

/// Tells whether a name has to stand in quotation marks.
fn needs_marks(name: &str) -> bool {
    name.trim() != name || name.contains("=?") || name.contains(|c: char| "()<>[]:;@\\,\"".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "ana@example.org",
            "a.b+c@sub.example",
            "x@localhost",
            "Ana@EXAMPLE.org",
            "j\u{f6}rg@example.org",
            "\u{43f}\u{451}\u{442}\u{440}.7@example.org",
            "\u{7528}\u{6237}@example.org",
        ] {
            assert!(Address::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ana",
            "@x",
            "ana@",
            "a b@x.org",
            "ana@x..org",
            "ana@x.org\r\nBcc: e@evil",
            "a@b@c d",
            "ana@[127.0.0.1]",
            "\"a\"@x.org",
            "ana@-x.org",
            "ana@exämple.org",
            "anа@x.org",
            "jo\u{308}rg@x.org",
            "\u{ff41}na@x.org",
            "\u{212a}ai@x.org",
            "a\u{b2}@x.org",
            "\u{fb01}n@x.org",
            "\u{1d44e}na@x.org",
            "a\u{200b}na@x.org",
            "\u{130}na@x.org",
            "ana@x.org,e@evil.org",
            "<ana@x.org>",
        ] {
            assert!(Address::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Address::new("Ana@EXAMPLE.org").map(|a| a.key()), Ok("ana@example.org".into()));
        assert_eq!(Address::new("J\u{d6}rg@EXAMPLE.org").map(|a| a.key()), Ok("j\u{f6}rg@example.org".into()));
    }

    #[test]
    fn lines_have_no_controls() {
        for bad in ["a\r\nBcc: x", "a\0", "\u{1b}[2J", "a\u{85}b", "a\u{2028}b"] {
            assert_eq!(Line::new(bad), Err(BadText::Control), "{bad:?}");
        }
        assert!(Line::new("Grüße 👋").is_ok());
    }
}
