//! Names of mail folders as servers write them: modified UTF-7 (RFC 3501, 5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes a folder's name. One that is not written by the rules is given back as it is.
pub fn decode(name: &str) -> String {
    by_the_rules(name).unwrap_or_else(|| name.to_owned())
}

fn by_the_rules(name: &str) -> Option<String> {
    let mut parts = name.split('&');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (encoded, rest) = part.split_once('-')?;
        if encoded.is_empty() {
            out.push('&');
        } else {
            let bytes = BASE64.decode(encoded).ok()?;
            let (pairs, odd) = bytes.as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            out.push_str(&String::from_utf16(&units).ok().filter(|_| odd.is_empty())?);
        }
        out.push_str(rest);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_servers_write_them() {
        for (written, read) in [
            ("Entw&APw-rfe", "Entwürfe"),
            ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
            ("INBOX/&AMk-l&AOk-ments envoy&AOk-s", "INBOX/Éléments envoyés"),
            ("A &- B", "A & B"),
            ("&2D3eAA-", "😀"),
            ("Sent", "Sent"),
            // Not by the rules: no end, no base64, half a letter, half a pair.
            ("A & B", "A & B"),
            ("&%%%-", "&%%%-"),
            ("&AA-", "&AA-"),
            ("&2D0-", "&2D0-"),
        ] {
            assert_eq!(decode(written), read, "{written}");
        }
    }
}
