//! Encoded words in names (RFC 2047), of the character sets that need no table: others stay as they are written.

/// Longest encoded word in characters: RFC 2047, 2 allows 75; some programs write longer ones.
const MAX_WORD: usize = 1024;

/// Decodes the encoded words of a text. Blanks between two of them are not part of it (RFC 2047, 6.2).
pub(super) fn decoded(text: &str) -> String {
    let (mut out, mut rest, mut behind_word) = (String::new(), text, false);
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some((word, length)) = one(from) else {
            let next = at + 2;
            out.push_str(rest.get(..next).unwrap_or_default());
            rest = rest.get(next..).unwrap_or_default();
            behind_word = false;
            continue;
        };
        if !(behind_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&word);
        rest = from.get(length..).unwrap_or_default();
        behind_word = true;
    }
    out.push_str(rest);
    out
}

/// Decodes the encoded word a text begins with; also returns how many bytes it takes.
fn one(text: &str) -> Option<(String, usize)> {
    let mut parts = text.get(2..)?.splitn(4, '?');
    let (charset, encoding, payload) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next()?.strip_prefix('=')?;
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + payload.len() + 2;
    if length > MAX_WORD || payload.contains(' ') {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => base64(payload)?,
        "Q" | "q" => quoted(payload)?,
        _ => return None,
    };
    // A language may stand behind the character set (RFC 2231, 5).
    let charset = charset.split('*').next().unwrap_or_default().to_ascii_lowercase();
    let word = match charset.as_str() {
        "utf-8" | "utf8" | "us-ascii" => String::from_utf8(bytes).ok()?,
        "iso-8859-1" | "latin1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    (!word.contains(char::is_control)).then_some((word, length))
}

fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit(bytes.next()?)? << 4 | digit(bytes.next()?)?
            }
            byte => byte,
        });
    }
    Some(out)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut group, mut bits) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        group = group << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(group >> bits & 0xff).ok()?);
            group &= (1 << bits) - 1;
        }
    }
    Some(out)
}
