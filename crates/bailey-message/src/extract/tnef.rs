//! What Outlook packs mail into for itself (TNEF, MS-OXTNEF): the files that lie in it, by name and size. Their content is not read here.

use crate::address::clean;
use crate::charset;

/// What it begins with.
pub(super) const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];
/// Most files that are named, and most attributes and properties that are looked at.
const MAX_FILES: usize = 200;
const MAX_ATTRIBUTES: usize = 10_000;

/// Attributes (MS-OXTNEF, 2.1.3.3): the text, and of a file the beginning, the short name, the content, and its properties.
const BODY: u32 = 0x0002_800c;
const FILE: u32 = 0x0006_9002;
const TITLE: u32 = 0x0001_8010;
const DATA: u32 = 0x0006_800f;
const PROPERTIES: u32 = 0x0006_9005;
/// The long name of a file (MS-OXPROPS, `PidTagAttachLongFilename`).
const LONG_NAME: u16 = 0x3707;

#[derive(Debug, Default)]
struct File {
    title: String,
    long: String,
    size: usize,
}

/// Lists what lies in it, and says what is not read.
pub(super) fn text(bytes: &[u8]) -> (String, Vec<String>) {
    let mut rest = bytes.get(6..).unwrap_or_default();
    let (mut files, mut body, mut more): (Vec<File>, String, usize) = (Vec::new(), String::new(), 0);
    for _ in 0..MAX_ATTRIBUTES {
        let Some((id, value, after)) = attribute(rest) else { break };
        rest = after;
        if id == FILE {
            if files.len() < MAX_FILES {
                files.push(File::default());
            } else {
                more += 1;
            }
            continue;
        }
        match (id, files.last_mut()) {
            (BODY, _) => body = string(value),
            (TITLE, Some(file)) => file.title = string(value),
            (DATA, Some(file)) => file.size = value.len(),
            (PROPERTIES, Some(file)) => file.long = long_name(value).unwrap_or_default(),
            _ => {}
        }
    }
    let named = |file: &File| {
        let name = if file.long.is_empty() { &file.title } else { &file.long };
        let name = if name.is_empty() { "without a name" } else { name };
        format!("{} ({} bytes)", clean(name), file.size)
    };
    let mut lines = vec![match files.len() {
        0 => "Mail packed by Outlook for itself (TNEF), without files".to_owned(),
        _ => "Mail packed by Outlook for itself (TNEF), with these files:".to_owned(),
    }];
    lines.extend(files.iter().map(named));
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    if !body.trim().is_empty() {
        lines.push(format!("\n{}", body.trim()));
    }
    let cut =
        if files.is_empty() { Vec::new() } else { vec!["the files that lie in it are named, and not read".into()] };
    (lines.join("\n"), cut)
}

/// Takes an attribute: its identity and value, and what stands behind it and its sum.
fn attribute(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let length = usize::try_from(number(bytes.get(5..9)?)).ok()?;
    let value = bytes.get(9..)?.get(..length)?;
    Some((number(bytes.get(1..5)?), value, bytes.get(9 + length..)?.get(2..)?))
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn string(bytes: &[u8]) -> String {
    let ended = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    charset::decode(ended, None)
}

/// Finds the long name among a file's properties (MS-OXTNEF, 2.1.3.4).
fn long_name(bytes: &[u8]) -> Option<String> {
    let (mut rest, count) = (bytes.get(4..)?, number(bytes.get(..4)?));
    for _ in 0..usize::try_from(count).ok()?.min(MAX_ATTRIBUTES) {
        let (kind, id) = (number(rest.get(..2)?), number(rest.get(2..4)?));
        rest = rest.get(4..)?;
        if id >= 0x8000 {
            // One with a name of its own: where it belongs, and a number or letters.
            let letters = number(rest.get(16..20)?) == 1;
            let length = usize::try_from(number(rest.get(20..24)?)).ok()?;
            rest = rest.get(24 + if letters { padded(length) } else { 0 }..)?;
        }
        let values = if kind & 0x1000 != 0 || is_long(kind & 0xfff) {
            let values = number(rest.get(..4)?);
            rest = rest.get(4..)?;
            usize::try_from(values).ok()?.min(MAX_ATTRIBUTES)
        } else {
            1
        };
        for _ in 0..values {
            let length = match kind & 0xfff {
                long if is_long(long) => {
                    let length = usize::try_from(number(rest.get(..4)?)).ok()?;
                    rest = rest.get(4..)?;
                    length
                }
                0x05 | 0x06 | 0x07 | 0x14 | 0x40 => 8,
                0x48 => 16,
                _ => 4,
            };
            let value = rest.get(..length)?;
            rest = rest.get(padded(length)..).unwrap_or_default();
            if id == u32::from(LONG_NAME) {
                return Some(if kind == 0x1f { wide(value) } else { string(value) });
            }
        }
    }
    None
}

/// Tells whether values of a kind say how long they are: texts, bytes, objects.
const fn is_long(kind: u32) -> bool {
    matches!(kind, 0x0d | 0x1e | 0x1f | 0x102)
}

const fn padded(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn wide(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::try_from(number(pair)).unwrap_or_default()).collect();
    String::from_utf16_lossy(units.split(|unit| *unit == 0).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(id: u32, value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap();
        [&[2], id.to_le_bytes().as_slice(), &length.to_le_bytes(), value, &[0, 0]].concat()
    }

    #[test]
    fn files_in_it_are_named_with_their_sizes() {
        let name: Vec<u8> = "Gr\u{fc}\u{df}e.pdf\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u32::try_from(name.len()).unwrap();
        let properties = [
            2_u32.to_le_bytes().as_slice(),
            &[3, 0, 1, 0x37, 7, 0, 0, 0],
            &[0x1f, 0, 7, 0x37, 1, 0, 0, 0],
            &length.to_le_bytes(),
            &name,
        ]
        .concat();
        let whole = [
            SIGNATURE.to_vec(),
            vec![1, 0],
            put(BODY, b"words\0"),
            put(FILE, &[0; 14]),
            put(TITLE, b"GRUESSE.PDF\0"),
            put(DATA, &[7; 1_000]),
            put(PROPERTIES, &properties),
            put(FILE, &[0; 14]),
            put(TITLE, b"plan.txt\0"),
        ]
        .concat();
        let (read, cut) = text(&whole);
        assert_eq!(
            read,
            "Mail packed by Outlook for itself (TNEF), with these files:\nGr\u{fc}\u{df}e.pdf (1000 bytes)\nplan.txt (0 bytes)\n\nwords"
        );
        assert_eq!(cut.len(), 1);
        for at in 0..whole.len() {
            let _ = text(&whole[..at]);
            let mut bent = whole.clone();
            bent[at] ^= 0xff;
            let _ = text(&bent);
        }
    }
}
