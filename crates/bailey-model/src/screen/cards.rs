//! Payment cards: a number with a valid check digit, and the number on the back.

use super::vocabulary::{CARD, CARD_CHECK, CARD_WORDS, matches};
use super::{Found, Kind};

/// How far words about cards are looked for, in bytes.
const REACH: usize = 80;

/// Finds numbers of cards.
pub(super) fn find(text: &str, lower: &str, out: &mut Vec<Found>) {
    for place in matches(&CARD, text) {
        let number = text.get(place.clone()).unwrap_or_default();
        let grouped = number.contains([' ', '-']);
        let before = text.get(..place.start).unwrap_or_default().trim_end_matches(' ');
        let last = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        // A group of digits before it: the middle of a longer number, such as an IBAN.
        let longer = last.contains(|c: char| c.is_ascii_digit());
        let from = (place.start.saturating_sub(REACH)..place.start)
            .find(|at| lower.is_char_boundary(*at))
            .unwrap_or(place.start);
        let to = (place.end..=(place.end + REACH).min(lower.len()))
            .rev()
            .find(|at| lower.is_char_boundary(*at))
            .unwrap_or(place.end);
        let near = lower.get(from..to).unwrap_or_default();
        let spoken = CARD_WORDS.iter().any(|word| near.contains(word));
        let valid = is_valid(number);
        if !longer && ((grouped && (valid || spoken)) || (valid && spoken)) {
            out.push(Found { kind: Kind::Card, place });
        }
    }
    if let Some(regex) = CARD_CHECK.as_ref() {
        let numbers = regex.captures_iter(lower).filter_map(|found| found.get(1).or_else(|| found.get(2)));
        out.extend(numbers.map(|number| Found { kind: Kind::Pin, place: number.range() }));
    }
}

/// Tells whether the last digit is the one that the others demand (ISO/IEC 7812-1, annex B).
fn is_valid(number: &str) -> bool {
    let digits = number.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 =
        digits.enumerate().map(|(at, digit)| if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }).sum();
    sum.is_multiple_of(10)
}
