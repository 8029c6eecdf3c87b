//! Bytes to text, as mail programs do it: the label where it fits what stands there, else a guess.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

/// Bytes that a guess is made from: more of them make it no better.
const MAX_GUESSED_FROM: usize = 64 * 1024;

/// Returns the text that bytes are under a label, which may be missing, wrong, or the name of no charset.
///
/// A label is believed where the bytes can be read by it. One for single bytes can read anything: then bytes that are UTF-8 with
/// letters outside of ASCII are taken for UTF-8, because other texts that look so are not met. A byte order mark goes before all.
#[must_use]
pub fn decode(bytes: &[u8], label: Option<&str>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default()).0.into_owned();
    }
    let label = label.map(|label| label.trim().trim_matches(['"', '\'']).to_ascii_lowercase());
    let label = label.as_deref().filter(|label| !label.is_empty());
    // Seven bits that switch between charsets look like ASCII.
    let declared = label.and_then(by_label);
    if bytes.is_ascii() && declared.is_none_or(|encoding| encoding.is_ascii_compatible()) {
        let other = label.filter(|_| declared.is_none() || declared == Some(REPLACEMENT)).and_then(other_charset);
        return match other {
            Some(decoder) => decoder(bytes),
            None if bytes.contains(&0x1b) => guess(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        };
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        // Valid by chance is a text of two or three letters at most; and what is labelled so can be read as labelled.
        let believed = declared.filter(|encoding| *encoding != UTF_8 && !encoding.is_single_byte());
        if believed.is_none_or(|encoding| encoding.decode_without_bom_handling(bytes).1) {
            return text.to_owned();
        }
    }
    match declared {
        Some(encoding) if encoding == UTF_8 => nearly_utf8(bytes).unwrap_or_else(|| guess(bytes)),
        Some(encoding) if encoding != REPLACEMENT => {
            let (text, _, broken) = encoding.decode(bytes);
            if broken && !encoding.is_single_byte() && few(&text) { guess(bytes) } else { text.into_owned() }
        }
        _ => match label.and_then(other_charset) {
            Some(decoder) => decoder(bytes),
            None => nearly_utf8(bytes).unwrap_or_else(|| guess(bytes)),
        },
    }
}

/// Charsets of the web's table (WHATWG Encoding), and names that mail has for them. `us-ascii` says nothing of bytes above 127.
fn by_label(label: &str) -> Option<&'static Encoding> {
    if matches!(label, "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown-8bit" | "x-unknown" | "default" | "binary") {
        return None;
    }
    let label = label.split(['*', ';', ' ']).next().unwrap_or(label);
    Encoding::for_label(label.as_bytes()).or_else(|| match label.replace(['_', '-', ' '], "").as_str() {
        "cp1252" | "ansi" | "latin1" | "iso88591" | "windows1252" | "win1252" | "cp850" | "ibm850" => {
            Some(WINDOWS_1252)
        }
        "utf8" | "utf8mb4" | "utf" | "unicode11utf8" => Some(UTF_8),
        "cp932" | "ms932" | "windows31j" => Some(encoding_rs::SHIFT_JIS),
        "cp936" | "ms936" => Some(encoding_rs::GBK),
        "cp949" | "ksc56011987" => Some(encoding_rs::EUC_KR),
        "cp950" => Some(encoding_rs::BIG5),
        other => other.strip_prefix("cp").and_then(|page| Encoding::for_label(format!("windows-{page}").as_bytes())),
    })
}

/// Charsets that mail had and the web never: UTF-7 and the like.
fn other_charset(label: &str) -> Option<fn(&[u8]) -> String> {
    let known = ["utf-7", "utf7", "unicode-1-1-utf-7", "csunicode11utf7"].contains(&label) || by_label(label).is_none();
    charset_decoder(label.as_bytes()).filter(|_| known && !matches!(label, "us-ascii" | "ascii"))
}

/// Reads UTF-8 that was cut within a letter, or damaged in few places. Anything less is in another charset.
fn nearly_utf8(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let foreign = text.chars().filter(|c| !c.is_ascii() && *c != '\u{fffd}').count();
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    (foreign > 4 * broken).then(|| text.into_owned())
}

/// Tells whether a good part of a text could not be read.
fn few(text: &str) -> bool {
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    let foreign = text.chars().filter(|c| !c.is_ascii()).count();
    foreign < 4 * broken
}

fn guess(bytes: &[u8]) -> String {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let seen = bytes.get(..MAX_GUESSED_FROM).unwrap_or(bytes);
    detector.feed(seen, true);
    let guessed = detector.guess(None, Utf8Detection::Allow);
    // Too few letters tell nothing of a charset; then it is the one that most such mail is in.
    let telling = seen.iter().filter(|byte| !byte.is_ascii()).count();
    let latin = !guessed.is_single_byte() && guessed != ISO_2022_JP && telling < 6;
    let encoding = if latin || (guessed.is_single_byte() && telling < 4) { WINDOWS_1252 } else { guessed };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Returns the text of header bytes: UTF-8 as it is (RFC 6532), other bytes as the charset of the mail, or guessed.
#[must_use]
pub fn header<'a>(bytes: &'a [u8], label: Option<&str>) -> Cow<'a, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(decode(bytes, label)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_are_guessed_as_mail_programs_do() {
        for (bytes, label, text) in [
            (b"Gr\xfc\xdfe".as_slice(), None, "Grüße"),
            (b"Gr\xfc\xdfe", Some("us-ascii"), "Grüße"),
            (b"Gr\xfc\xdfe", Some("utf-8"), "Grüße"),
            (b"Gr\xfc\xdfe", Some("x-who-knows"), "Grüße"),
            (b"Gr\xfc\xdfe", Some("unknown-8bit"), "Grüße"),
            ("Grüße".as_bytes(), Some("us-ascii"), "Grüße"),
            ("Grüße".as_bytes(), None, "Grüße"),
            ("Grüße".as_bytes(), Some("iso-8859-1"), "Grüße"),
            ("Grüße".as_bytes(), Some("\"UTF8\""), "Grüße"),
            (b"5 \x80 \x84so\x93", Some("iso-8859-1"), "5 € „so“"),
            (b"caf\xe9 d\xe9j\xe0 vu, tr\xe8s bien", None, "café déjà vu, très bien"),
            (b"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0?", Some("windows-1251"), "Привет, как дела?"),
            (b"\x1b$B;3ED\x1b(B", Some("iso-2022-jp"), "山田"),
            (b"\x1b$B;3ED\x1b(B", None, "山田"),
            ("\u{feff}Tag".as_bytes(), Some("iso-8859-1"), "Tag"),
            (b"Gr+APwA3w-e", Some("utf-7"), "Grüße"),
            (b"\x93\xfa\x96{", Some("cp932"), "日本"),
            (b"plain", Some("x-user-defined-nonsense"), "plain"),
            (b"", Some("utf-8"), ""),
        ] {
            assert_eq!(decode(bytes, label), text, "{label:?}");
        }
    }

    #[test]
    fn a_letter_that_was_cut_costs_that_letter_alone() {
        let whole = "Schöne Grüße aus München, bis nächste Woche für länger".as_bytes();
        let mut cut = whole.to_vec();
        cut.push(0xc3);
        assert!(decode(&cut, Some("utf-8")).starts_with("Schöne Grüße aus München"));
    }
}
