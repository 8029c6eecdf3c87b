//! The words of a view, one by one, and what their shape says.

use std::ops::Range;

use super::view::View;

/// A word: what stands between blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// All of it.
    pub(super) whole: Range<usize>,
    /// Without the marks around it.
    pub(super) core: Range<usize>,
    /// Its line, where blank ones do not count.
    pub(super) line: usize,
}

/// A view and its words.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) text: &'a str,
    pub(super) lower: &'a str,
    pub(super) all: Vec<Word>,
}

/// What may stand around a word and is no part of it.
const AROUND: &[char] =
    &['"', '\'', '(', ')', '[', ']', '{', '}', '<', '>', '*', '_', '`', '~', '|', ':', ';', ',', '.', '=', '!', '?'];

impl<'a> Words<'a> {
    pub(super) fn of(view: &'a View) -> Self {
        let (text, mut all, mut line) = (view.text.as_str(), Vec::new(), 0);
        let mut at = 0;
        for row in text.split_inclusive('\n') {
            let before = all.len();
            let mut begun = None;
            for (offset, c) in row.char_indices().chain([(row.len(), ' ')]) {
                match (begun, c.is_whitespace()) {
                    (None, false) => begun = Some(offset),
                    (Some(from), true) => {
                        all.extend(word(text, at + from..at + offset, line));
                        begun = None;
                    }
                    (None, true) | (Some(_), false) => {}
                }
            }
            line += usize::from(all.len() > before);
            at += row.len();
        }
        Self { text, lower: &view.lower, all }
    }

    pub(super) fn core(&self, index: usize) -> &'a str {
        self.all.get(index).and_then(|word| self.text.get(word.core.clone())).unwrap_or_default()
    }

    pub(super) fn low(&self, index: usize) -> &'a str {
        self.all.get(index).and_then(|word| self.lower.get(word.core.clone())).unwrap_or_default()
    }

    /// Returns the first word that begins at or behind a place.
    pub(super) fn at(&self, place: usize) -> usize {
        self.all.partition_point(|word| word.core.start < place)
    }

    pub(super) fn same_line(&self, one: usize, other: usize) -> bool {
        match (self.all.get(one), self.all.get(other)) {
            (Some(one), Some(other)) => one.line == other.line,
            _ => false,
        }
    }
}

/// Returns a word without its marks; nothing where it is marks alone.
fn word(text: &str, whole: Range<usize>, line: usize) -> Option<Word> {
    let said = text.get(whole.clone())?;
    let core = said.trim_matches(AROUND).trim_start_matches(['#', '-', '/']);
    let begun = said.len() - said.trim_start_matches(AROUND).trim_start_matches(['#', '-', '/']).len();
    let from = whole.start + begun;
    (!core.is_empty()).then(|| Word { core: from..from + core.len(), whole, line })
}

/// Tells whether digits and letters are mixed in a word of letters, digits and dashes.
pub(super) fn is_mixed(word: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    word.chars().all(inner)
        && word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_ascii_alphabetic())
}

/// Bits of Shannon entropy for each character.
pub(super) fn entropy(word: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    for c in word.chars() {
        *counts.entry(c).or_insert(0_u32) += 1;
    }
    let total = f64::from(counts.values().sum::<u32>());
    -counts.values().map(|count| f64::from(*count) / total).map(|share| share * share.log2()).sum::<f64>()
}

/// Tells whether a word is what chance makes, not a person: letters and digits of some length, without an order.
pub(super) fn is_opaque(word: &str, least: usize) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(char::is_ascii_alphabetic).count();
    word.len() >= least && letters >= 1 && digits >= 1 && entropy(word) >= 2.7
}

/// Tells whether a word could be a password that somebody made up: not one of a dictionary, nor a date, a sum, a time or a
/// place.
pub(super) fn is_secretive(word: &str) -> bool {
    let (mut digits, mut letters, mut inner_upper, mut odd) = (0, 0, false, false);
    for (at, c) in word.chars().enumerate() {
        digits += usize::from(c.is_ascii_digit());
        letters += usize::from(c.is_alphabetic());
        inner_upper |= at > 0 && c.is_uppercase();
        odd |= matches!(c, '!' | '@' | '#' | '$' | '%' | '^' | '&' | '*' | '_' | '+' | '=' | '~' | '?');
    }
    let place = word.contains("://") || (word.contains('@') && word.contains('.')) || word.starts_with("www.");
    let all_upper = !word.contains(|c: char| c.is_lowercase());
    let made_up = (letters > 0 && (digits > 0 || odd)) || (digits >= 4 && odd) || (inner_upper && !all_upper);
    !place && word.chars().count() >= 5 && made_up
}

/// Tells whether a word is a date, a time, a sum, a version or a number with a unit.
pub(super) fn is_measure(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digit_then = |mark: u8| {
        bytes
            .windows(3)
            .any(|three| matches!(three, [a, m, b] if *m == mark && a.is_ascii_digit() && b.is_ascii_digit()))
    };
    let calendar = {
        let parts: Vec<&str> = word.split(['-', '/']).collect();
        parts.len() == 3
            && parts.iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
            && parts.iter().any(|part| part.len() == 4 && (part.starts_with("19") || part.starts_with("20")))
    };
    let stamp = word.len() >= 15 && word.as_bytes().get(8) == Some(&b'T') && word.starts_with("20");
    calendar || stamp || digit_then(b'.') || digit_then(b',') || digit_then(b':') || digit_then(b'/')
}
