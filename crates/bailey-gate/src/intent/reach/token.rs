//! What single words are, and what stands around them.

use super::super::reach_words::{
    ALL, ALTOGETHER, DAYS, DETERMINERS, EACH, EACH_DAY, EVERYTHING, EXCEPT, EXCEPT_PAIRS, FILLERS, FOLLOWING, FROM,
    FUTURE, HENCEFORTH, IN_DATES, KINDS, LIMITS, MOMENTS, MONTHS, NUMBERS, OBJECTS, ON, OPENINGS, OTHERS, PREPOSITIONS,
    PRONOUNS, REASONS, RELATIVE, RELATIVES, REST, SERIES, SINGLE, SPANS, STARTING, STATES, TO, WHOLE,
};
use super::super::words::{APART, CANCEL, CHANGE};
use super::super::{fits, tokens};

/// Letters from which on a word is taken for one that begins with it.
const SAME_STEM: usize = 4;
/// Letters from which on it may be any part of a compound: "Zahnarzt", "Zahnarzttermin".
const COMPOUND: usize = 6;

/// Returns a word in lower case, with the apostrophe that keyboards have.
pub(super) fn plain(word: &str) -> String {
    word.to_lowercase().replace('\u{2019}', "'")
}

pub(super) fn bare_words(text: &str) -> Vec<String> {
    tokens(text).iter().flat_map(|word| of_compound(bare(word))).collect()
}

/// Returns what a compound is made of whose last part is a kind of entry: "yoga-termine" are "termine" of "yoga".
pub(super) fn of_compound(word: String) -> Vec<String> {
    match word.rsplit_once('-') {
        Some((name, kind)) if !name.is_empty() && fits_any(kind, KINDS) && !fits_any(&word, KINDS) => {
            vec![name.to_owned(), kind.to_owned()]
        }
        _ => vec![word],
    }
}

/// Tells whether an exception begins at a word: "except", "but for", "bis auf".
pub(super) fn is_exception(words: &[String], at: usize) -> bool {
    let pair = |(first, second): &(&str, &str)| {
        words.get(at).is_some_and(|word| word == first) && words.get(at + 1).is_some_and(|word| word == second)
    };
    words.get(at).is_some_and(|word| fits_any(word, EXCEPT)) || EXCEPT_PAIRS.iter().any(pair)
}

/// Tells whether a time of day says which things are meant: "all meetings at 9"; that of a goal ("to 9") does not.
pub(super) fn has_time(words: &[String]) -> bool {
    let stands =
        |word: &String| !fits_any(word, TO) && [PREPOSITIONS, FROM, &["um"]].iter().any(|list| fits_any(word, list));
    let mut pairs = words.iter().zip(words.iter().skip(1));
    pairs.any(|(word, next)| stands(word) && is_time(next))
}

/// Tells whether a part tells of others or of what is, instead of asking: "Ana wants to cancel all", "cancel the stand-up which
/// we have every day".
pub(super) fn tells(words: &[String]) -> bool {
    let is = |at: usize, list: &[&str]| words.get(at).is_some_and(|word| fits_any(word, list));
    let asks = |word: &String| {
        [CANCEL, CHANGE, ALL, EACH, WHOLE, EVERYTHING].iter().any(|list| fits_any(word, list))
            || APART.iter().any(|(stems, ..)| stems.contains(&word.as_str()))
    };
    let begins = words.iter().position(asks).unwrap_or(words.len());
    (0..words.len()).any(|at| {
        let other = words.get(at).is_some_and(|word| is_name(word)) && !is(at, OPENINGS) || is(at, OTHERS);
        let relative = is(at, RELATIVES) || is(at, &["that"]) && words.get(at + 1).is_some() && !is(at + 1, FOLLOWING);
        at < begins && other || at > begins && (is(at, STATES) || relative)
    })
}

/// Tells whether a reason or a condition begins at a word, which says nothing of how much; "as well" is none.
pub(super) fn is_reason(words: &[String], at: usize) -> bool {
    let is = |at: usize, list: &[&str]| words.get(at).is_some_and(|word| fits_any(word, list));
    (is(at, REASONS) || is(at, LIMITS)) && !(is(at, &["as"]) && is(at + 1, &["well"]))
}

/// Tells whether what a word says is said of the things of the verb, and not of whom or what they are with or for.
pub(super) fn is_object(words: &[String], at: usize) -> bool {
    let before = words.iter().take(at).rev().find(|word| !fits_any(word, DETERMINERS));
    before.is_none_or(|before| !fits_any(before, PREPOSITIONS))
}

/// Tells whether a word stands behind its verb, or behind what stands for a thing: "cancel everything", "cancel them all".
pub(super) fn of_verb(words: &[String], at: usize) -> bool {
    let before = words.iter().take(at).rev().find(|word| !fits_any(word, FILLERS));
    let is_first = |word: &String| APART.iter().any(|(stems, ..)| stems.contains(&word.as_str()));
    before.is_some_and(|word| {
        fits_any(word, CANCEL) || fits_any(word, CHANGE) || is_first(word) || fits_any(word, OBJECTS)
    })
}

/// Returns where a date ends that begins here, and whether there is one.
pub(super) fn date_behind(words: &[String], from: usize) -> (usize, bool) {
    let (mut end, mut dated) = (from, false);
    for (at, word) in words.iter().enumerate().skip(from) {
        if is_date(word) || fits_any(word, SPANS) {
            (end, dated) = (at + 1, true);
        } else if is_number(word) {
            end = at + 1;
        } else if !fits_any(word, IN_DATES) {
            break;
        }
    }
    (end, dated)
}

pub(super) fn fits_any(word: &str, list: &[&str]) -> bool {
    list.iter().any(|pattern| fits(word, pattern))
}

/// Returns a word without a "'s" behind it or an article that ran into it.
pub(super) fn bare(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let article = word.split_once('\'').filter(|(article, rest)| {
        !rest.is_empty() && ["l", "d", "n", "qu", "j", "s", "m", "t", "c"].contains(article) && !rest.starts_with('i')
    });
    article.map_or(word, |(_, rest)| rest).to_owned()
}

/// Tells whether a word is of a date: a day, a month, `2026-11-24`, `24.11`, `24th`.
pub(super) fn is_date(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let written = word.starts_with(|c: char| c.is_ascii_digit())
        && (1..=8).contains(&digits)
        && (word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')) && digits < word.len()
            || ["st", "nd", "rd", "th", "er"].iter().any(|end| word.strip_suffix(end).is_some_and(is_number)));
    written || fits_any(word, DAYS) || fits_any(word, RELATIVE) || fits_any(word, MONTHS) || word == "aujourd'hui"
}

pub(super) fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Tells whether a word is of many: English and French ones end so.
pub(super) fn is_many(word: &str) -> bool {
    word.len() > 2 && word.ends_with('s') || word == "termine" || word == "treffen"
}

/// Tells whether a word names something.
pub(super) fn is_name(word: &str) -> bool {
    let lists = [
        ALL,
        ALTOGETHER,
        DETERMINERS,
        EACH,
        EACH_DAY,
        EVERYTHING,
        FILLERS,
        FOLLOWING,
        FROM,
        FUTURE,
        HENCEFORTH,
        IN_DATES,
        KINDS,
        MOMENTS,
        NUMBERS,
        ON,
        PREPOSITIONS,
        PRONOUNS,
        REST,
        SERIES,
        SINGLE,
        SPANS,
        STARTING,
        TO,
        WHOLE,
        CANCEL,
        CHANGE,
    ];
    let of_verb = |word| APART.iter().any(|(stems, particle, ..)| stems.contains(&word) || *particle == word);
    !is_date(word) && !is_time(word) && !of_verb(word) && !lists.into_iter().any(|list| fits_any(word, list))
}

/// Tells whether a word is a number or a time of day, such as `10`, `3pm`, `15h30`.
pub(super) fn is_time(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && word.trim_start_matches(|c: char| c.is_ascii_digit()).len() <= 3
}

/// Tells whether two words are the same, but for their endings and hyphens.
pub(super) fn same(one: &str, other: &str) -> bool {
    let plain = |word: &str| word.replace(['-', '.'], "");
    let (one, other) = (plain(one), plain(other));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let ending = long.len() - short.len();
    short == long || long.starts_with(&short) && (short.len() >= SAME_STEM && ending <= 2 || short.len() >= COMPOUND)
}
