//! The bytes of a stream behind its filters (ISO 32000-1, 7.4), as many as a document may unpack to.

use std::io::Read as _;

/// Undoes one filter; `None` for one that is not undone here. What breaks off gives what came before.
pub(super) fn undo(filter: &str, bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    match filter {
        "FlateDecode" | "Fl" => Some(inflated(bytes, most)),
        "ASCIIHexDecode" | "AHx" => Some(hexadecimal(bytes, most)),
        "ASCII85Decode" | "A85" => Some(ascii85(bytes, most)),
        _ => None,
    }
}

fn inflated(bytes: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    // A stream that is damaged is read as far as it goes.
    let _ = flate2::read::ZlibDecoder::new(bytes).take(limit).read_to_end(&mut out);
    out
}

fn hexadecimal(bytes: &[u8], most: usize) -> Vec<u8> {
    let (mut out, mut high) = (Vec::new(), None);
    let written = bytes.iter().take_while(|byte| **byte != b'>');
    for digit in written.filter_map(|byte| char::from(*byte).to_digit(16)) {
        if out.len() >= most {
            return out;
        }
        match high.take() {
            Some(high) => out.push(u8::try_from(high * 16 + digit).unwrap_or_default()),
            None => high = Some(digit),
        }
    }
    out.extend(high.filter(|_| out.len() < most).and_then(|high| u8::try_from(high * 16).ok()));
    out
}

fn ascii85(bytes: &[u8], most: usize) -> Vec<u8> {
    let (mut out, mut group) = (Vec::new(), Vec::new());
    let flush = |group: &mut Vec<u8>, out: &mut Vec<u8>| {
        let count = group.len();
        group.resize(5, 84);
        let number = group.iter().fold(0_u32, |sum, digit| sum.wrapping_mul(85).wrapping_add(u32::from(*digit)));
        out.extend(number.to_be_bytes().iter().take(count.saturating_sub(1)));
        group.clear();
    };
    for byte in bytes.iter().take_while(|byte| **byte != b'~') {
        if out.len() >= most {
            break;
        }
        match byte {
            b'z' if group.is_empty() => out.extend([0; 4]),
            b'!'..=b'u' => {
                group.push(byte - b'!');
                if group.len() == 5 {
                    flush(&mut group, &mut out);
                }
            }
            _ => {}
        }
    }
    if !group.is_empty() {
        flush(&mut group, &mut out);
    }
    out.truncate(most);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_undone_as_far_as_they_go() {
        assert_eq!(undo("AHx", b"48 65 6C6c 6F>xx", 100), Some(b"Hello".to_vec()));
        assert_eq!(undo("ASCII85Decode", b"87cURD]i,\"Ebo80~>", 100), Some(b"Hello World!".to_vec()));
        assert_eq!(undo("DCTDecode", b"x", 100), None);
        assert_eq!(undo("FlateDecode", b"no zlib", 100), Some(Vec::new()));
    }

    #[test]
    fn filters_give_no_more_than_is_asked_for() {
        for (filter, packed) in
            [("AHx", "41".repeat(1_000)), ("A85", "z".repeat(1_000)), ("A85", "87cUR".repeat(1_000))]
        {
            for most in [0, 1, 7] {
                assert_eq!(undo(filter, packed.as_bytes(), most).map(|out| out.len()), Some(most), "{filter}");
            }
        }
    }
}
