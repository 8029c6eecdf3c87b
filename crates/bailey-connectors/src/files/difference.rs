//! The difference between two texts, as a person reads it before saying yes: lines that go, lines that come, and a few around them.

use bailey_gate::family::files::{MAX_DIFFERENCE_BYTES, readable};
use similar::TextDiff;

/// Longest text that is compared, in bytes, and most lines of it: comparing takes their product at worst.
pub(super) const MAX_TEXT_BYTES: u64 = 256 * 1024;
const MAX_LINES: usize = 4_000;
/// Lines that are shown around each change.
const AROUND: usize = 3;

/// Returns the difference in the unified form; nothing where one of the two is no text or is too long.
pub(super) fn difference(before: &[u8], after: &[u8]) -> Option<String> {
    let (before, after) = (compared(before)?, compared(after)?);
    let shown = TextDiff::from_lines(before, after).unified_diff().context_radius(AROUND).to_string();
    (shown.len() <= MAX_DIFFERENCE_BYTES).then_some(shown)
}

fn compared(bytes: &[u8]) -> Option<&str> {
    let fits = bytes.len() as u64 <= MAX_TEXT_BYTES && bytes.iter().filter(|byte| **byte == b'\n').count() < MAX_LINES;
    if fits { readable(bytes) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_show_every_line_that_goes_or_comes() {
        let shown = difference(b"one\ntwo\nthree\n", b"one\n2\nthree\nfour\n").unwrap();
        let lines: Vec<&str> = shown.lines().filter(|line| !line.starts_with("@@")).collect();
        assert_eq!(lines, [" one", "-two", "+2", " three", "+four"]);
        assert_eq!(difference(b"same\n", b"same\n").as_deref(), Some(""));
    }

    #[test]
    fn differences_are_not_shown_of_what_is_no_text_or_is_long() {
        assert_eq!(difference(b"a\n", &[0, 159]), None);
        assert_eq!(difference(b"a\0b\n", b"b\n"), None);
        assert_eq!(difference(b"a\n", "b\n".repeat(MAX_LINES).as_bytes()), None);
        assert_eq!(difference(&[b'a'; 300 * 1024], b"b"), None);
    }
}
