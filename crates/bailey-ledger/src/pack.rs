//! Texts of the log in less room: headers and payloads are JSON that says much the same each time, and half of it is bytes
//! written as letters.
//!
//! What is packed reads back byte for byte: it is tried before it is kept, and a text that would not stays as it is. A table of
//! pieces is never changed; another one gets another version.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::checkpoint::hex;

/// The first byte of what is packed by [`PIECES`] alone; JSON never begins with it.
const FIRST_VERSION: u8 = 1;
/// The first byte of what is packed by those and [`MORE_PIECES`].
const VERSION: u8 = 2;
/// Largest text that is unpacked, in bytes: payloads hold attachments of 32 MiB, written as letters.
const MAX_UNPACKED: usize = 128 * 1024 * 1024;

/// Where pieces begin; below are the letters of ASCII.
const FIRST_PIECE: u8 = 0x80;
/// A byte that is no letter of ASCII follows.
const OTHER: u8 = 0xfa;
/// Bytes that were written as hexadecimal follow, behind their number.
const HEX: u8 = 0xfb;
/// A number follows.
const NUMBER: u8 = 0xfc;
/// Bytes that were written in base64 follow, behind their number, with runs of zeros as a zero and how many: actions and facts
/// are encoded with numbers of eight bytes.
const LETTERED: u8 = 0xfd;
/// Shortest runs that are worth it, in letters.
const MIN_HEX: usize = 8;
const MIN_NUMBER: usize = 4;
const MIN_LETTERED: usize = 16;
/// From so many letters on, digits alone are an identity in hexadecimal and no number.
const IDENTITY: usize = 32;

/// What headers and payloads say again and again.
const PIECES: [&str; 88] = [
    "{\"v\":1,\"log\":\"",
    "\",\"seq\":",
    ",\"wall_ms\":",
    ",\"boot_ms\":",
    ",\"boot\":\"",
    "\",\"incarnation\":\"",
    "\",\"epoch\":0,\"lease\":0,\"kind\":\"",
    "\",\"epoch\":",
    ",\"lease\":",
    ",\"kind\":\"",
    "step\",\"actor\":\"gate\"",
    "proposed\",\"actor\":\"agent\"",
    "step\",\"actor\":\"person\"",
    "\",\"actor\":\"",
    ",\"approver\":{\"credential\":\"",
    "\",\"client\":\"",
    "command-line",
    "\",\"session\":\"",
    "\",\"stepped_up\":true}",
    "\",\"stepped_up\":false}",
    ",\"task\":\"",
    ",\"action\":\"",
    "\",\"action\":\"",
    "\",\"attempt\":0",
    "\",\"attempt\":1",
    ",\"attempt\":",
    ",\"connection\":\"",
    "\",\"generation\":1,\"tool\":\"",
    "\",\"generation\":",
    ",\"tool\":\"",
    "\",\"class\":\"undoable\"",
    "\",\"class\":\"held\"",
    "\",\"class\":\"compensable\"",
    "\",\"class\":\"critical\"",
    ",\"decision\":\"auto\"",
    ",\"decision\":\"ask\"",
    ",\"decision\":\"ask-with-step-up\"",
    ",\"decision\":\"deny\"",
    ",\"reasons\":[\"",
    "\",\"",
    "\"],",
    "\"from\":\"proposed\",\"to\":\"approved\"",
    "\"from\":\"proposed\",\"to\":\"awaiting\"",
    "\"from\":\"approved\",\"to\":\"claimed\"",
    "\"from\":\"claimed\",\"to\":\"succeeded\"",
    "\"from\":\"awaiting\",\"to\":\"approved\"",
    "\"from\":\"approved\",\"to\":\"held\"",
    "\"from\":\"held\",\"to\":\"claimed\"",
    "\"from\":\"",
    "\"to\":\"proposed\"",
    "\",\"to\":\"",
    ",\"payload\":{\"commitment\":\"",
    "\",\"sealed\":\"",
    "\",\"bucket\":64}}",
    "\",\"bucket\":128}}",
    "\",\"bucket\":256}}",
    "\",\"bucket\":512}}",
    "\",\"bucket\":1024}}",
    "\",\"bucket\":",
    "calendar.",
    "mail.",
    "contacts.",
    "tool.",
    "memory.",
    "reply",
    "create",
    "change",
    "cancel",
    "search",
    "read",
    "send",
    "move",
    "write",
    "default.asks-first",
    "gate.person-approved",
    "gate.local-effect",
    "gate.hold-window",
    "floor.",
    "default.",
    "{\"content_base64\":\"",
    "\",\"digest\":\"",
    "{\"digest\":\"",
    "\",\"why\":\"",
    "\",\"policy\":\"",
    "\"}",
    "{\"facts_base64\":\"",
    "\",\"policy\":\"rules-",
    "{\"outcome\":\"",
];

/// What headers say since version 2 of the log.
const MORE_PIECES: [&str; 1] = ["{\"v\":2,\"log\":\""];

/// Finds a piece by its number.
fn piece_at(at: u8) -> Option<&'static str> {
    PIECES.iter().chain(&MORE_PIECES).nth(usize::from(at)).copied()
}

/// The pieces by their first letter, the longest first.
static BY_LETTER: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut by_letter = vec![Vec::new(); usize::from(FIRST_PIECE)];
    for (at, piece) in (0..).zip(PIECES.into_iter().chain(MORE_PIECES)) {
        let first = piece.bytes().next().map(usize::from);
        if let Some(pieces) = first.and_then(|first| by_letter.get_mut(first)) {
            pieces.push(at);
        }
    }
    let length = |at: &u8| piece_at(*at).map_or(0, str::len);
    by_letter.iter_mut().for_each(|pieces: &mut Vec<u8>| pieces.sort_by_key(|at| std::cmp::Reverse(length(at))));
    by_letter
});

/// Packs a text; nothing where that saves no room.
pub(crate) fn pack(text: &str) -> Option<Vec<u8>> {
    let packed = pieced(text);
    // INVARIANT: what cannot be read back is not kept so.
    (packed.len() < text.len() && unpack(&packed).as_deref() == Some(text)).then_some(packed)
}

/// Reads what [`pack`] made; nothing where it is damaged.
pub(crate) fn unpack(packed: &[u8]) -> Option<String> {
    packed.strip_prefix(&[VERSION]).or_else(|| packed.strip_prefix(&[FIRST_VERSION])).and_then(whole)
}

/// Tells whether bytes are what [`pack`] made, and not a text.
pub(crate) fn is_packed(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| [FIRST_VERSION, VERSION].contains(first))
}

fn pieced(text: &str) -> Vec<u8> {
    let mut out = vec![VERSION];
    let mut rest = text;
    while let Some(first) = rest.as_bytes().first() {
        let piece = longest_piece(rest);
        let taken = match (piece, run(rest)) {
            (Some((at, length)), taken) if taken.as_ref().is_none_or(|(_, run)| *run <= length) => {
                out.push(FIRST_PIECE + at);
                length
            }
            (_, Some((bytes, length))) => {
                out.extend_from_slice(&bytes);
                length
            }
            (_, None) => {
                if !first.is_ascii() {
                    out.push(OTHER);
                }
                out.push(*first);
                // A letter of several bytes goes byte by byte.
                let length = rest.chars().next().map_or(1, char::len_utf8);
                for byte in rest.as_bytes().iter().take(length).skip(1) {
                    out.extend_from_slice(&[OTHER, *byte]);
                }
                length
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Returns the longest piece that a text begins with, and its length.
fn longest_piece(text: &str) -> Option<(u8, usize)> {
    let pieces = BY_LETTER.get(usize::from(*text.as_bytes().first()?))?;
    pieces.iter().find_map(|at| {
        let piece = piece_at(*at)?;
        text.starts_with(piece).then_some((*at, piece.len()))
    })
}

/// Returns a run of letters at the beginning of a text that stand for bytes, as those, and its length.
fn run(text: &str) -> Option<(Vec<u8>, usize)> {
    let count = |is: fn(&u8) -> bool| text.bytes().take_while(is).count();
    let digits = count(u8::is_ascii_digit);
    let hexes = count(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) & !1;
    let letters = count(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if letters >= MIN_LETTERED && letters > hexes {
        let padded = letters + text.bytes().skip(letters).take(2).take_while(|byte| *byte == b'=').count();
        // Without what pads it, whole groups always are base64.
        return [padded, letters & !3].into_iter().find_map(|length| {
            let bytes = BASE64.decode(text.get(..length)?).ok()?;
            Some((counted(LETTERED, &without_zeros(&bytes)), length))
        });
    }
    if hexes >= MIN_HEX && (hexes > digits || hexes >= IDENTITY) {
        let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..hexes).step_by(2).map(pair).collect();
        return Some((counted(HEX, &bytes?), hexes));
    }
    if digits >= MIN_NUMBER && !text.starts_with('0') {
        let number: u64 = text.get(..digits)?.parse().ok()?;
        let mut out = vec![NUMBER];
        put_number(&mut out, number);
        return Some((out, digits));
    }
    None
}

fn counted(mark: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![mark];
    put_number(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

/// Returns bytes with each run of zeros as a zero and how many there are, up to 255.
fn without_zeros(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(byte) = rest.first() {
        let zeros = rest.iter().take(255).take_while(|byte| **byte == 0).count();
        out.push(*byte);
        if zeros > 0 {
            out.push(zeros as u8);
        }
        rest = rest.get(zeros.max(1)..).unwrap_or_default();
    }
    out
}

/// Undoes [`without_zeros`].
fn with_zeros(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            0 => out.resize(out.len() + usize::from(*bytes.next()?), 0),
            byte => out.push(*byte),
        }
        if out.len() > MAX_UNPACKED {
            return None;
        }
    }
    Some(out)
}

/// Writes a number, seven bits to the byte, the lowest first (LEB128).
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_counted<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn whole(mut bytes: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(bytes.len() * 3);
    while let Some((mark, rest)) = bytes.split_first() {
        bytes = rest;
        match *mark {
            HEX => out.extend_from_slice(hex(take_counted(&mut bytes)?).as_bytes()),
            LETTERED => out.extend_from_slice(BASE64.encode(with_zeros(take_counted(&mut bytes)?)?).as_bytes()),
            NUMBER => out.extend_from_slice(take_number(&mut bytes)?.to_string().as_bytes()),
            OTHER => {
                let (byte, rest) = bytes.split_first()?;
                bytes = rest;
                out.push(*byte);
            }
            letter if letter < FIRST_PIECE => out.push(letter),
            piece => out.extend_from_slice(piece_at(piece - FIRST_PIECE)?.as_bytes()),
        }
        if out.len() > MAX_UNPACKED {
            return None;
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::hash;

    const HEADER: &str = r#"{"v":1,"log":"00112233445566778899aabbccddeeff","seq":1234567,"wall_ms":1767225600000,"boot_ms":123456,"boot":"0f0e0d0c0b0a09080706050403020100","incarnation":"0011223344556677","epoch":0,"lease":0,"kind":"step","actor":"gate","task":"00112233445566778899aabbccddeef1","action":"00112233445566778899aabbccddeef2","attempt":1,"connection":"02020202020202020202020202020202","generation":1,"tool":"calendar.create","class":"undoable","from":"approved","to":"claimed","payload":{"commitment":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff","sealed":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff","bucket":128}}"#;

    #[test]
    fn pieces_of_version_1_are_what_they_were() {
        let all = PIECES.join("\0");
        assert_eq!(
            hex(&hash(&[all.as_bytes()])),
            "7c6b48a7cf1ca3d6810b76485329ee24c4ce151f26135e2c693bee6f2b9e3360",
            "homes hold what was packed by these; make another version instead"
        );
    }

    #[test]
    fn packed_header_takes_a_third() {
        let packed = pack(HEADER).unwrap();
        assert!(packed.len() * 3 < HEADER.len(), "{} of {}", packed.len(), HEADER.len());
        assert_eq!(unpack(&packed).unwrap(), HEADER);
        let second = HEADER.replacen("\"v\":1", "\"v\":2", 1);
        assert_eq!(pack(&second).unwrap().len(), packed.len());
        assert_eq!(unpack(&pack(&second).unwrap()), Some(second));
        // What version 1 packed differs in its first byte.
        let first = [&[FIRST_VERSION], packed.get(1..).unwrap()].concat();
        assert!(is_packed(&first) && unpack(&first).as_deref() == Some(HEADER));
    }

    #[test]
    fn packed_texts_of_every_kind_read_back() {
        for text in [
            "",
            "{}",
            "0000000000000000",
            "00123",
            "18446744073709551615",
            "18446744073709551616",
            "ABCDEFGH",
            "ABCDEFGHABCDEFGHABCDEFGHABCDEFG=",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
            "\u{1}\u{2}\u{7f}",
            "ÄäÖö an \u{1f600}, and letters of several bytes \u{80}\u{7ff}",
        ] {
            let pieces = pieced(text);
            assert_eq!(unpack(&pieces).as_deref(), Some(text));
        }
    }

    proptest! {
        #[test]
        fn packed_texts_read_back(text in ".*", hexes in "[0-9a-f]{0,80}", letters in "[A-Za-z0-9+/]{0,80}={0,2}") {
            for text in [format!("{text}\"{hexes}\"{letters}\""), format!("{hexes}{letters}{text}")] {
                prop_assert_eq!(unpack(&pieced(&text)), Some(text.clone()));
                if let Some(packed) = pack(&text) {
                    prop_assert_eq!(unpack(&packed), Some(text));
                }
            }
        }

        #[test]
        fn damaged_packs_are_refused_and_nothing_breaks(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }
}
