//! Codes: what is typed in once, or at a door.
//!
//! A code is told by its shape and by words about it in five languages, before it or behind it, on its line or above it.

use std::ops::Range;

use super::vocabulary::{
    BOUND, CODE, CODE_BEFORE, NO_PASSWORD, NOT_A_CODE, NOT_A_NUMBER, PLACE, SIGN_IN, SIGNING, STRONG_CODE, TYPE,
    TYPED_BEFORE, UNITS, matches,
};
use super::words::{Words, is_measure, is_mixed};
use super::{Found, Kind};

/// Furthest a code stands from a word about it, in bytes.
const REACH: usize = 160;
/// Most words between a word about a code and the code, on one line.
const WORDS_BETWEEN: usize = 10;
/// The same, where the code has letters in it: that could be any word.
const WORDS_BEFORE_LETTERS: usize = 4;
/// Most lines between a word about a code and a line that is nothing but a code.
const LINES_BETWEEN: usize = 3;
/// Lengths of codes, in digits or letters.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=10;
/// Longest code with letters in it, in characters: three groups of four.
const LONGEST: usize = 19;

/// What could be a code: some words of one line.
#[derive(Debug, Clone)]
struct Candidate {
    words: Range<usize>,
    /// Digits alone.
    digits: bool,
    /// How many.
    length: usize,
}

/// Finds codes.
pub(super) fn find(words: &Words, out: &mut Vec<Found>) {
    let all: Vec<Candidate> = (0..words.all.len()).filter_map(|at| candidate(words, at)).collect();
    if !all.is_empty() {
        for noun in matches(&CODE, words.lower)
            .filter(|noun| has_near(words, &all, noun))
            .filter(|noun| !is_denied(words, noun))
        {
            let kind = kind(words.lower.get(noun.clone()).unwrap_or_default());
            forward(words, &noun, WORDS_BETWEEN, kind, out);
            backward(words, &noun, kind, out);
        }
        for noun in matches(&STRONG_CODE, words.lower).filter(|noun| has_near(words, &all, noun)) {
            anywhere(words, &noun, out);
        }
        for noun in matches(&SIGNING, words.lower).filter(|noun| has_near(words, &all, noun)) {
            forward(words, &noun, 1, Kind::Code, out);
        }
        for noun in matches(&TYPED_BEFORE, words.lower).filter(|noun| has_near(words, &all, noun)) {
            right_before(words, &noun, out);
        }
        for place in matches(&PLACE, words.lower).filter(|place| has_near(words, &all, place)) {
            forward(words, &place, WORDS_BEFORE_LETTERS, Kind::Code, out);
        }
        for verb in matches(&TYPE, words.lower).filter(|verb| has_near(words, &all, verb)) {
            typed(words, &verb, out);
        }
    }
    if let Some(regex) = BOUND.as_ref() {
        let codes = regex.captures_iter(words.lower).filter_map(|found| found.get(1));
        out.extend(codes.map(|code| Found { kind: Kind::Code, place: code.range() }));
    }
}

/// Tells whether anything that could be a code is within reach: what is not need not be looked at.
fn has_near(words: &Words, all: &[Candidate], noun: &Range<usize>) -> bool {
    let begins = |one: &Candidate| words.all.get(one.words.start).map_or(0, |word| word.core.start);
    let next = all.partition_point(|one| begins(one) + REACH < noun.start);
    all.get(next).is_some_and(|one| begins(one) <= noun.end + REACH)
}

fn kind(noun: &str) -> Kind {
    if noun.starts_with("pin") || noun.starts_with("puk") { Kind::Pin } else { Kind::Code }
}

/// Tells whether what is called a code is a postal, discount or error code, a code review, or the like.
fn is_denied(words: &Words, noun: &Range<usize>) -> bool {
    let at = words.at(noun.start);
    let own =
        words.low(at.saturating_sub(usize::from(words.all.get(at).is_none_or(|word| word.core.start > noun.start))));
    let around = [words.low(at.saturating_sub(1)), own, words.low(words.at(noun.end))];
    let before_same_line = at > 0 && words.same_line(at - 1, at) && !ends_sentence(words, at - 1);
    around.iter().enumerate().any(|(place, word)| {
        (place != 0 || before_same_line) && word.split('-').any(|part| NOT_A_CODE.iter().any(|no| part.starts_with(no)))
    })
}

fn ends_sentence(words: &Words, at: usize) -> bool {
    let whole = words.all.get(at).and_then(|word| words.text.get(word.whole.clone()));
    whole.is_some_and(|whole| whole.ends_with(['.', '!', '?', ':']))
}

/// Looks behind a word about codes.
fn forward(words: &Words, noun: &Range<usize>, between: usize, kind: Kind, out: &mut Vec<Found>) {
    let first = words.at(noun.end);
    let line = words.all.get(words.at(noun.start)).or_else(|| words.all.get(first)).map_or(0, |word| word.line);
    let (mut at, mut last_found) = (first, None);
    while let Some(word) = words.all.get(at) {
        if word.core.start > noun.end + REACH || word.line > line + LINES_BETWEEN {
            break;
        }
        let Some(candidate) = candidate(words, at) else {
            at += 1;
            continue;
        };
        let gap = words.lower.get(last_found.unwrap_or(noun.end)..word.core.start).unwrap_or_default();
        let alone = is_alone(words, &candidate);
        let near = fits(&candidate, gap, between, alone && last_found.is_none_or(|_| gap.trim().is_empty()));
        if near && !NOT_A_NUMBER.iter().any(|no| gap.contains(no)) {
            push(words, &candidate, kind, out);
            last_found = words.all.get(candidate.words.end - 1).map(|word| word.core.end);
        }
        at = candidate.words.end;
    }
}

/// Looks behind a code that lets in over the ends of sentences: whatever number is near it.
fn anywhere(words: &Words, noun: &Range<usize>, out: &mut Vec<Found>) {
    let first = words.at(noun.end);
    let line = words.all.get(first).map_or(0, |word| word.line);
    for (at, word) in words.all.iter().enumerate().skip(first) {
        if word.core.start > noun.end + REACH / 2 || word.line > line + 1 {
            return;
        }
        let gap = words.lower.get(noun.end..word.core.start).unwrap_or_default();
        let shouted = gap.trim().len() <= 1 && is_shouted(words, at);
        let found =
            candidate(words, at).filter(|found| found.digits && found.length <= 8 && is_plain_number(words, found));
        if shouted {
            push(words, &Candidate { words: at..at + 1, digits: false, length: words.core(at).len() }, Kind::Code, out);
            return;
        }
        if let Some(found) = found.filter(|_| !NOT_A_NUMBER.iter().any(|no| gap.contains(no))) {
            push(words, &found, Kind::Code, out);
            return;
        }
    }
}

/// Tells whether a word is nothing but some capital letters, and no word that is written so.
fn is_shouted(words: &Words, at: usize) -> bool {
    let core = words.core(at);
    (5..=10).contains(&core.len())
        && core.chars().all(|c| c.is_ascii_uppercase())
        && !NO_PASSWORD.contains(&words.low(at))
}

/// Tells whether a number is one word, and no year.
fn is_plain_number(words: &Words, found: &Candidate) -> bool {
    let core = words.core(found.words.start);
    !(found.length == 4 && (core.starts_with("19") || core.starts_with("20")))
}

/// Looks right before a word.
fn right_before(words: &Words, verb: &Range<usize>, out: &mut Vec<Found>) {
    let Some(at) = words.at(verb.start).checked_sub(1) else { return };
    if let Some(found) =
        candidate(words, begins_at(words, at)).filter(|found| found.digits && found.words.end == at + 1)
    {
        push(words, &found, Kind::Code, out);
    }
}

/// Tells whether a candidate belongs to a word about codes, by what stands between them.
fn fits(candidate: &Candidate, gap: &str, between: usize, alone: bool) -> bool {
    if alone && gap.contains('\n') {
        return true;
    }
    let sentence_ends = gap.contains(". ") || gap.contains("? ") || gap.contains("! ");
    let count = gap.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
    let colon = gap.contains(':') || gap.contains('|') || gap.contains('>') || gap.contains('=');
    let most = if candidate.digits || colon { between } else { WORDS_BEFORE_LETTERS.min(between) };
    !gap.contains('\n') && !sentence_ends && count <= most
}

/// Looks before a word about codes, on its line: "482913 is your … code".
fn backward(words: &Words, noun: &Range<usize>, kind: Kind, out: &mut Vec<Found>) {
    let mut at = words.at(noun.start);
    for _ in 0..WORDS_BETWEEN {
        let Some(before) = at.checked_sub(1) else { return };
        at = before;
        let begins = begins_at(words, at);
        let Some(found) = candidate(words, begins) else { continue };
        let end = words.all.get(found.words.end - 1).map_or(0, |word| word.core.end);
        let gap = words.lower.get(end..noun.start).unwrap_or_default();
        let said = CODE_BEFORE.iter().any(|copula| gap.trim_start().starts_with(copula));
        if !gap.contains('\n') && !gap.contains(". ") && gap.len() <= REACH / 2 && said {
            push(words, &found, kind, out);
        }
        return;
    }
}

/// Returns the first of the words that are one number with this one.
fn begins_at(words: &Words, at: usize) -> usize {
    let short =
        |index: usize| words.core(index).len() <= 4 && words.core(index).bytes().all(|byte| byte.is_ascii_digit());
    let mut first = at;
    while short(first) && first > 0 && short(first - 1) && words.same_line(first - 1, first) && at - first < 6 {
        first -= 1;
    }
    first
}

/// Looks behind "enter", "use", "type" and the like, where signing in is spoken of.
fn typed(words: &Words, verb: &Range<usize>, out: &mut Vec<Found>) {
    let first = words.at(verb.end);
    for at in first..first + WORDS_BEFORE_LETTERS {
        let Some(found) = candidate(words, at) else { continue };
        let (Some(from), Some(to)) = (words.all.get(at), words.all.get(found.words.end - 1)) else { return };
        let gap = words.lower.get(verb.end..from.core.start).unwrap_or_default();
        let near = around(words.lower, verb.start.saturating_sub(REACH / 2), to.core.end + REACH / 2);
        let typed = found.digits || words.core(at).contains('-');
        if typed && !gap.contains(". ") && SIGN_IN.iter().any(|word| near.contains(word)) {
            push(words, &found, Kind::Code, out);
        }
        return;
    }
}

/// Returns a part of a text, from and to the nearest characters.
fn around(text: &str, from: usize, to: usize) -> &str {
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let to = (0..=to.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(from..to).unwrap_or_default()
}

fn push(words: &Words, found: &Candidate, kind: Kind, out: &mut Vec<Found>) {
    if let (Some(from), Some(to)) = (words.all.get(found.words.start), words.all.get(found.words.end - 1)) {
        out.push(Found { kind, place: from.core.start..to.core.end });
    }
}

/// Tells whether nothing else stands on a candidate's line.
fn is_alone(words: &Words, found: &Candidate) -> bool {
    let first = found.words.start;
    (first == 0 || !words.same_line(first - 1, first)) && !words.same_line(found.words.end, first)
}

/// Returns what could be a code and begins with this word.
fn candidate(words: &Words, at: usize) -> Option<Candidate> {
    let core = words.core(at);
    if core.bytes().all(|byte| byte.is_ascii_digit()) && !core.is_empty() {
        return number(words, at);
    }
    let found = lettered(words, at)?;
    (!is_excluded(words, &found)).then_some(found)
}

/// Returns a number, perhaps in groups.
fn number(words: &Words, at: usize) -> Option<Candidate> {
    let length = |index: usize| {
        let core = words.core(index);
        (!core.is_empty() && core.len() <= 4 && core.bytes().all(|byte| byte.is_ascii_digit())).then_some(core.len())
    };
    let mut end = at + 1;
    let mut total = words.core(at).len();
    while let (Some(_), Some(next)) = (length(at), length(end)) {
        let gap = words.all.get(end - 1).zip(words.all.get(end)).map_or(9, |(one, two)| two.whole.start - one.core.end);
        if gap != 1 || !words.same_line(at, end) || total + next > *LENGTHS.end() {
            break;
        }
        (end, total) = (end + 1, total + next);
    }
    let found = Candidate { words: at..end, digits: true, length: total };
    (LENGTHS.contains(&total) && !is_excluded(words, &found)).then_some(found)
}

/// Returns a code with dashes or letters in it, perhaps in groups.
fn lettered(words: &Words, at: usize) -> Option<Candidate> {
    let core = words.core(at).trim_end_matches('#');
    let length = core.chars().filter(char::is_ascii_alphanumeric).count();
    let plain = !core.is_empty() && core.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !plain || core.len() > LONGEST || is_measure(core) {
        return None;
    }
    let digits = !core.contains(|c: char| c.is_ascii_alphabetic());
    let upper = !core.contains(|c: char| c.is_ascii_lowercase());
    if digits {
        return (LENGTHS.contains(&length)).then_some(Candidate { words: at..at + 1, digits: true, length });
    }
    if upper && core.len() == 4 && is_group(core) {
        let count =
            (at..).take(4).take_while(|index| words.same_line(at, *index) && is_group(words.core(*index))).count();
        if count > 1 {
            return Some(Candidate { words: at..at + count, digits: false, length: 4 * count });
        }
    }
    let grouped = upper && core.contains('-');
    let found = Candidate { words: at..at + 1, digits: false, length };
    ((is_mixed(core) && length >= 4) || (grouped && (5..=12).contains(&length))).then_some(found)
}

/// Tells whether the word before this one ends with a colon: what follows is no sum.
fn ends_clause(words: &Words, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| words.all.get(before));
    before.and_then(|word| words.text.get(word.whole.clone())).is_some_and(|whole| whole.ends_with([':', ';']))
}

fn is_group(word: &str) -> bool {
    word.len() == 4 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// Tells whether a number is a year, a sum, a measure, a telephone number or the like.
fn is_excluded(words: &Words, found: &Candidate) -> bool {
    let (first, end) = (found.words.start, found.words.end);
    let whole = words.all.get(first).and_then(|word| words.text.get(word.whole.clone())).unwrap_or_default();
    let (before, after) = (words.low(first.saturating_sub(1)), words.low(end));
    let after = if words.same_line(first, end) { after } else { "" };
    let before = if first > 0 && words.same_line(first - 1, first) { before } else { "" };
    let core = words.core(first);
    let year = found.length == 4 && found.digits && (core.starts_with("19") || core.starts_with("20"));
    let month =
        matches!(before.get(..3).unwrap_or(before), "jan" | "feb" | "mar" | "apr" | "may" | "mai" | "jun" | "jul")
            || matches!(before.get(..3).unwrap_or(before), "aug" | "sep" | "oct" | "okt" | "nov" | "dec" | "dez");
    let telephone = whole.starts_with(['+', '(']) || (found.length > 8 && core.starts_with('0'));
    let sum = whole.contains(['$', '\u{20ac}', '\u{a3}', '%', '@', '/']) || whole.ends_with("...");
    let currency = matches!(before, "eur" | "usd" | "chf" | "gbp") && !ends_clause(words, first);
    UNITS.contains(&after) || currency || (year && month) || telephone || sum
}
