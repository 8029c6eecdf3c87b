//! What brings an account or a wallet back: phrases of words, lists of codes, secrets of authenticators.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::vocabulary::{AUTHENTICATOR, BACKUP, NO_PASSWORD, SEED, matches};
use super::words::{Words, is_measure, is_mixed};
use super::{Found, Kind};

/// Fewest words of a phrase that is told by its words alone: one less than BIP-39 has, should one be missing.
const WORDS_OF_A_PHRASE: usize = 11;
/// Most words between a name for a list and its first item.
const WORDS_BETWEEN: usize = 12;
/// Most words of a list of codes.
const LONGEST_LIST: usize = 80;
/// Shortest secret of an authenticator, in characters of base 32: 80 bits.
const SHORTEST_SECRET: usize = 16;

/// The English words of BIP-39.
static WORDS: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| include_str!("data/bip39-english.txt").split_whitespace().collect());

/// Finds them.
pub(super) fn find(words: &Words, out: &mut Vec<Found>) {
    known_words(words, out);
    // What was looked at for one name need not be looked at for the next one.
    let mut done = 0;
    for noun in matches(&SEED, words.lower) {
        let first = words.at(noun.end).max(done);
        let mut at = first;
        while at < first + WORDS_BETWEEN {
            let (range, count) = run(words, at, is_plain);
            at = range.end.max(at + 1);
            if count > WORDS_OF_A_PHRASE {
                push(words, range, out);
            }
        }
        done = at;
    }
    done = 0;
    for noun in matches(&BACKUP, words.lower) {
        done = list(words, words.at(noun.end).max(done), out);
    }
    for noun in matches(&AUTHENTICATOR, words.lower) {
        authenticator(words, words.at(noun.end), out);
    }
}

fn push(words: &Words, range: Range<usize>, out: &mut Vec<Found>) {
    if let (Some(first), Some(last)) = (words.all.get(range.start), words.all.get(range.end.saturating_sub(1))) {
        out.push(Found { kind: Kind::Recovery, place: first.core.start..last.core.end });
    }
}

/// Runs of words of BIP-39, wherever they stand.
fn known_words(words: &Words, out: &mut Vec<Found>) {
    let mut at = 0;
    while at < words.all.len() {
        let (range, count) = run(words, at, |word| WORDS.contains(word));
        at = range.end.max(at + 1);
        if count >= WORDS_OF_A_PHRASE {
            push(words, range, out);
        }
    }
}

/// Tells how far words of a kind go on, numbers of a list between them, and how many they are.
fn run(words: &Words, from: usize, is_one: impl Fn(&str) -> bool) -> (Range<usize>, usize) {
    let (mut end, mut count, mut at) = (from, 0, from);
    while count < LONGEST_LIST && at < words.all.len() {
        let word = words.low(at);
        // A name before a value.
        let names =
            words.all.get(at).and_then(|word| words.text.get(word.whole.clone())).is_some_and(|all| all.ends_with(':'));
        if is_one(word) && !names {
            (count, end) = (count + 1, at + 1);
        } else if count == 0 || !(word.len() <= 2 && word.chars().all(|c| c.is_ascii_digit())) {
            break;
        }
        at += 1;
    }
    (from..end, count)
}

/// Tells whether a word is one of a phrase: letters, and none that sentences are made with.
fn is_plain(word: &str) -> bool {
    word.len() >= 3 && word.chars().all(char::is_alphabetic) && !NO_PASSWORD.contains(&word)
}

/// Returns a list of codes behind its name; says how far it was looked for.
fn list(words: &Words, first: usize, out: &mut Vec<Found>) -> usize {
    let (mut others, mut found) = (0, false);
    for at in first..first + LONGEST_LIST {
        let word = words.core(at);
        let number = word.len() <= 2 && word.chars().all(|c| c.is_ascii_digit());
        if is_listed(word)
            || (is_half(word) && (is_half(words.core(at + 1)) || (at > first && is_half(words.core(at - 1)))))
        {
            push(words, at..at + 1, out);
            (others, found) = (0, true);
        } else if !number {
            others += 1;
        }
        if others > if found { 3 } else { WORDS_BETWEEN } {
            return at;
        }
    }
    first + LONGEST_LIST
}

/// Tells whether a word is a code of a list.
fn is_listed(word: &str) -> bool {
    let digits = word.len() >= 6 && word.chars().all(|c| c.is_ascii_digit());
    let halves: Vec<&str> = word.split('-').collect();
    let grouped = halves.len() >= 2
        && halves.iter().all(|half| half.len() >= 4 && half.chars().all(|c| c.is_ascii_alphanumeric()))
        && halves.windows(2).all(|two| matches!(two, [one, other] if one.len() == other.len()));
    !is_measure(word) && (digits || grouped || (is_mixed(word) && word.len() >= 6))
}

/// Tells whether a word is half of a code in two groups.
fn is_half(word: &str) -> bool {
    (4..=5).contains(&word.len()) && word.chars().all(|c| c.is_ascii_digit())
}

/// Finds a secret in base 32 (RFC 4648, section 6), perhaps in groups.
fn authenticator(words: &Words, first: usize, out: &mut Vec<Found>) {
    let is_base32 = |word: &str| word.len() >= 4 && word.chars().all(|c| matches!(c, 'A'..='Z' | '2'..='7'));
    for at in first..first + WORDS_BETWEEN {
        let groups =
            (at..).take(16).take_while(|index| words.same_line(at, *index) && is_base32(words.core(*index))).count();
        let length: usize = (at..at + groups).map(|index| words.core(index).len()).sum();
        if length >= SHORTEST_SECRET {
            push(words, at..at + groups, out);
            return;
        }
    }
}
