//! Dates in running text: what a person's own words say of when.

use crate::words::{Means, Placed, Token};
use crate::{Context, Language, Unclear, When, grammar, letters, read, words};

/// Most bytes of a text that is searched.
const MAX_TEXT_BYTES: usize = 1_000;
/// Most words of one phrase in a text.
const MAX_WORDS: usize = 12;
/// Most phrases that are found.
const MAX_FOUND: usize = 8;

/// A phrase of a text that names a time, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The words, as they stand there.
    pub phrase: String,
    /// Their meaning.
    pub meaning: Result<When, Unclear>,
}

/// Tells which language a text is in, by its commonest words; none where they do not tell.
#[must_use]
pub fn language_of(text: &str) -> Option<Language> {
    const COMMON: [(Language, &[&str]); 3] = [
        (
            Language::English,
            &[
                "the",
                "and",
                "to",
                "my",
                "is",
                "of",
                "for",
                "with",
                "what",
                "when",
                "me",
                "at",
                "please",
                "on",
                "from",
                "add",
                "move",
                "put",
                "tomorrow",
                "today",
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ],
        ),
        (
            Language::German,
            &[
                "der",
                "die",
                "das",
                "und",
                "ich",
                "mein",
                "meine",
                "meinen",
                "ist",
                "mit",
                "bitte",
                "wann",
                "den",
                "dem",
                "ein",
                "eine",
                "auf",
                "um",
                "vom",
                "zum",
                "heute",
                "morgen",
                "trag",
                "montag",
                "dienstag",
                "mittwoch",
                "donnerstag",
                "freitag",
                "samstag",
                "sonntag",
            ],
        ),
        (
            Language::French,
            &[
                "le", "la", "les", "et", "je", "mon", "ma", "mes", "est", "avec", "une", "des", "du", "pour", "dans",
                "quand", "demain", "moi", "ajoute", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi",
                "dimanche",
            ],
        ),
    ];
    let text = beginning(text);
    let lexemes = letters::lexemes(text)?;
    let said: Vec<&str> = lexemes
        .iter()
        .filter_map(|lexeme| if let letters::Raw::Word(word) = &lexeme.raw { Some(word.as_str()) } else { None })
        .collect();
    let count = |words: &[&str]| said.iter().filter(|word| words.contains(word)).count();
    let mut counts: Vec<(usize, Language)> = COMMON.iter().map(|(language, words)| (count(words), *language)).collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    match counts.as_slice() {
        [(first, language), (second, _), ..] if first > second => Some(*language),
        _ => None,
    }
}

fn beginning(text: &str) -> &str {
    let end = (0..=text.len().min(MAX_TEXT_BYTES)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Finds phrases in a text that name a day or a time of day, in its language. What stands alone and may be something else
/// (a bare number, a word of two letters, a month's name) is none.
#[must_use]
pub fn found(text: &str, cx: &Context) -> Vec<Found> {
    let text = beginning(text);
    let cx = cx.clone().first(language_of(text));
    let (Some(language), Some(lexemes)) = (cx.languages.first().copied(), letters::lexemes(text)) else {
        return Vec::new();
    };
    let tokens = words::tokens(language, &lexemes);
    let mut out: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < tokens.len() && out.len() < MAX_FOUND {
        let run = tokens.iter().skip(at).take(MAX_WORDS).take_while(|one| one.token != Token::Unknown).count();
        let longest = (1..=run).rev().find_map(|count| {
            let part = tokens.get(at..at + count)?;
            if !names_a_time(part, language) || grammar::phrases(part, language).is_err() {
                return None;
            }
            let phrase = text.get(part.first()?.from..part.last()?.to)?.trim();
            Some((count, phrase))
        });
        match longest {
            Some((count, phrase)) => {
                out.push(Found { phrase: phrase.to_owned(), meaning: read(phrase, &cx) });
                at += count;
            }
            None => at += 1,
        }
    }
    out
}

/// Tells whether tokens surely are about a time, and begin and end with what belongs to it.
fn names_a_time(part: &[Placed], language: Language) -> bool {
    let strong = |one: &Placed| match &one.token {
        Token::Raw(letters::Raw::Iso(_) | letters::Raw::Clock { .. } | letters::Raw::IsoWeek { .. }) => true,
        Token::Raw(letters::Raw::Pair { year, closed, .. }) => year.is_some() || *closed,
        Token::Raw(_) | Token::Unknown => false,
        Token::Means(means) => match means {
            Means::Weekday(_) | Means::Relative(_) | Means::Morgen | Means::Part(_) => one.letters > 3,
            Means::Tonight
            | Means::LastNight
            | Means::Noon
            | Means::Midnight
            | Means::Weekend
            | Means::OClock
            | Means::Am
            | Means::Pm
            | Means::CalendarWeek
            | Means::Holiday(..)
            | Means::EndOfUnit(_)
            | Means::Away(..) => true,
            Means::Month(_) | Means::Unit(_) | Means::H | Means::Heures | Means::Length(_) => part.len() > 1,
            _ => false,
        },
    };
    let weak_edge = |one: Option<&Placed>| {
        matches!(
            one.map(|one| &one.token),
            Some(
                Token::Means(Means::And | Means::Of | Means::Filler)
                    | Token::Raw(letters::Raw::Comma | letters::Raw::Dash { .. })
            )
        )
    };
    // How long something takes is not when it is.
    let length = matches!(grammar::phrases(part, language).as_deref(), Ok([grammar::Phrase::Length(_)]));
    !length && !weak_edge(part.first()) && !weak_edge(part.last()) && part.iter().any(strong)
}
