//! Secrets in base 64 (RFC 4648): what it says is screened, and all of it kept back where a secret is in it.

use super::view::View;
use super::vocabulary::{BASE64, matches};
use super::{Found, secrets};

/// Longest piece that is decoded, in bytes: longer ones are files.
const LONGEST: usize = 4096;

/// Finds them.
pub(super) fn find(text: &str, out: &mut Vec<Found>) {
    for place in matches(&BASE64, text) {
        let said = text.get(place.clone()).filter(|said| said.len() <= LONGEST).and_then(decoded);
        if let Some(first) = said.and_then(|said| secrets(&View::alone(&said)).into_iter().next()) {
            out.push(Found { kind: first.kind, place });
        }
    }
}

/// Returns what a piece says, where that is text.
fn decoded(piece: &str) -> Option<String> {
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(piece.len()), 0_u32, 0_u32);
    for byte in piece.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    text.chars().all(|c| !c.is_control() || c.is_whitespace()).then_some(text)
}
