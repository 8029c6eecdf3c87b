//! Names of mail folders: as people write them, and as servers do, in modified UTF-7 (RFC 3501, 5.1.3).

use super::{BadText, FolderName};

/// Longest name as a server writes it, in bytes. Modified UTF-7 takes up to three bytes for a letter of a long path.
const MAX_NAME_BYTES: usize = 900;

/// Sixty-four signs: those of base64, with a comma for the slash.
const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

impl FolderName {
    /// Reads a name as a server writes it. Refuses what could not be written back: control characters, letters outside of ASCII,
    /// blanks around it.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let plain = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if text.is_empty() || text.trim() != text || !plain {
            return Err(BadText::NotAFolder(text.chars().take(MAX_NAME_BYTES).collect()));
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(BadText::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads a name as a person writes it, `Kunden/Müller`; one that is written as a server does is taken as it is.
    pub fn of_words(text: &str) -> Result<Self, BadText> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(BadText::Control);
        }
        let is_encoded = text.contains('&') && decode(text).is_some_and(|shown| encode(&shown) == text);
        Self::new(&if is_encoded { text.to_owned() } else { encode(text) })
    }

    /// Writes the name for people. One that is not written by the rules is shown as it is.
    #[must_use]
    pub fn shown(&self) -> String {
        decode(&self.0)
            .filter(|shown| encode(shown) == self.0 && !shown.chars().any(char::is_control))
            .unwrap_or_else(|| self.0.clone())
    }

    /// Writes the name as a quoted string of the protocol (RFC 3501, 4.3).
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    for c in text.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            flush(&mut units, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
        }
    }
    flush(&mut units, &mut out);
    out
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    if units.is_empty() {
        return;
    }
    out.push('&');
    let (mut bits, mut held) = (0_u32, 0_u32);
    let sign = |six: u32, out: &mut String| {
        let index = usize::try_from(six & 63).unwrap_or_default();
        out.push(char::from(*SIGNS.get(index).unwrap_or(&b'A')));
    };
    for unit in units.drain(..) {
        held = (held << 16) | u32::from(unit);
        bits += 16;
        while bits >= 6 {
            bits -= 6;
            sign(held >> bits, out);
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        sign(held << (6 - bits), out);
    }
    out.push('-');
}

fn decode(name: &str) -> Option<String> {
    let mut parts = name.split('&');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (encoded, rest) = part.split_once('-')?;
        if encoded.is_empty() {
            out.push('&');
        } else {
            out.push_str(&letters(encoded)?);
        }
        out.push_str(rest);
    }
    Some(out)
}

fn letters(encoded: &str) -> Option<String> {
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut units: Vec<u16> = Vec::new();
    for byte in encoded.bytes() {
        let six = SIGNS.iter().position(|sign| *sign == byte)?;
        held = (held << 6) | u32::try_from(six).ok()?;
        bits += 6;
        if bits >= 16 {
            bits -= 16;
            units.push(u16::try_from((held >> bits) & 0xffff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    let text = String::from_utf16(&units).ok()?;
    (bits < 6 && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_to_servers_and_come_back() {
        for (written, shown) in [
            ("Entw&APw-rfe", "Entwürfe"),
            ("Kunden/M&APw-ller", "Kunden/Müller"),
            ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
            ("INBOX/&AMk-l&AOk-ments envoy&AOk-s", "INBOX/Éléments envoyés"),
            ("A &- B", "A & B"),
            ("&2D3eAA-", "😀"),
            ("50% off", "50% off"),
            ("a \"b\" \\ *", "a \"b\" \\ *"),
            ("Sent", "Sent"),
        ] {
            assert_eq!(FolderName::new(written).unwrap().shown(), shown);
            assert_eq!(FolderName::of_words(shown).unwrap().as_str(), written);
            assert_eq!(FolderName::of_words(written).unwrap().as_str(), written);
        }
    }

    #[test]
    fn what_is_not_by_the_rules_is_kept_as_it_is() {
        for odd in ["A & B", "&%%%-", "&AA-", "&2D0-", "&AAo-", "&AGE-"] {
            assert_eq!(FolderName::new(odd).unwrap().shown(), odd);
        }
        for bad in ["", " a", "a\r\nb", "ü", "a\u{7f}"] {
            assert!(FolderName::new(bad).is_err(), "{bad:?}");
        }
        assert!(FolderName::of_words("a\r\nb").is_err());
        assert_eq!(FolderName::new("a \"\\b").unwrap().quoted(), "\"a \\\"\\\\b\"");
    }
}
