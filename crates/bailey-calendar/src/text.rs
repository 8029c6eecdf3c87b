//! Text of content lines: folding, charsets, escapes.

/// Bytes of a content line before it is folded (RFC 5545, 3.1: at most 75 octets without the line end).
const FOLD_AT: usize = 73;

/// Takes folding back, on bytes: a program may have split a letter. Line ends that no blank follows were broken into the line.
pub(crate) fn unfolded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'\r' | b'\n') {
            while matches!(bytes.get(at), Some(b'\r' | b'\n')) {
                at += 1;
            }
            if matches!(bytes.get(at), Some(b' ' | b'\t')) {
                at += 1;
            }
            continue;
        }
        out.push(*byte);
        at += 1;
    }
    out
}

/// Decodes UTF-8, or what programs wrote before it (Windows-1252); control characters are left out.
pub(crate) fn decoded(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // One damaged letter is no other charset.
        Err(_) if mostly_utf8(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    };
    text.chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

fn mostly_utf8(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.chars().filter(|c| !c.is_ascii() && *c != '\u{fffd}').count();
    whole > text.matches('\u{fffd}').count()
}

fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        other => char::from(other),
    }
}

/// Writes a text as a value (RFC 5545, 3.3.11); control characters are left out, so that no words can add lines.
#[must_use]
pub fn escaped(text: &str) -> String {
    let text = text.trim().replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Reads a text value (RFC 5545, 3.3.11).
#[must_use]
pub fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other @ ('\\' | ';' | ',' | ':' | '"')) => out.push(other),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

/// Folds a line of ours between letters, with the object's own line end behind it.
pub(crate) fn folded(line: &str, line_end: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut length = 0;
    for c in line.chars() {
        if length + c.len_utf8() > FOLD_AT {
            out.push_str(line_end);
            out.push(' ');
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str(line_end);
    out
}

/// Writes a parameter's value (RFC 5545, 3.2): in quotation marks where it has to be.
pub(crate) fn param_value(value: &str) -> String {
    let plain: String = value.chars().filter(|c| !c.is_control() && *c != '"').collect();
    if plain.contains([':', ';', ',']) { format!("\"{plain}\"") } else { plain }
}
