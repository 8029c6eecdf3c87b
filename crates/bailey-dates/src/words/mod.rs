//! What words mean: a table for each language, and how a phrase's lexemes become meanings.

mod de;
mod en;
mod fr;
mod places;

use crate::Language;
use crate::letters::{Lexeme, Raw};

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Fortnight,
    Month,
    Year,
}

/// A part of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Morning,
    Forenoon,
    Afternoon,
    Evening,
    /// This evening, up to midnight.
    Tonight,
    Night,
}

/// What a word, or a few words, mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    Number(u32),
    Ordinal(u32),
    /// An article that may count: a, ein, une.
    One,
    /// Counted from Monday, 1.
    Weekday(i8),
    Month(i8),
    /// Days from today.
    Relative(i32),
    /// The German word that is both tomorrow and morning.
    Morgen,
    Unit(Unit),
    /// The French word for hours: of the clock, and how long.
    Heures,
    /// `h`: of the clock, and how long.
    H,
    OClock,
    Am,
    Pm,
    Next,
    This,
    Coming,
    Last,
    In,
    AgoBefore,
    AgoAfter,
    FromNow,
    From,
    To,
    /// The French `à`: at, and to.
    AtTo,
    Until,
    Since,
    For,
    Between,
    And,
    At,
    On,
    /// An article, or another word that changes nothing.
    Filler,
    Of,
    Part(Part),
    Tonight,
    LastNight,
    Noon,
    Midnight,
    HalfPast,
    HalfBefore,
    AndHalf,
    QuarterPast,
    QuarterTo,
    /// Viertel vier: a quarter of the fourth hour is gone.
    QuarterOf,
    ThreeQuartersOf,
    AndQuarter,
    LessQuarter,
    Less,
    Past,
    Before,
    /// A length, in minutes.
    Length(u32),
    CalendarWeek,
    /// Lundi en huit: so many weeks after the coming one.
    WeeksOn(i32),
    Weekend,
    EndOf,
    StartOf,
    EndOfUnit(Unit),
    /// A unit so many away.
    Away(Unit, i32),
    Now,
    /// A day of a year: month, day.
    Holiday(i8, i8),
    /// A day that depends on the place or the year.
    Unsure,
    Utc,
    /// An abbreviation of a zone; its place, and minutes east of UTC.
    Abbreviation(&'static str, i32),
    /// An abbreviation that several zones share.
    SharedAbbreviation(&'static [(&'static str, i32)]),
    /// A place, by its name in the time zone database.
    Place(&'static str),
    TimeWord,
}

/// A lexeme with its meaning in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A number, date or time in digits.
    Raw(Raw),
    Means(Means),
    /// A word this language does not have.
    Unknown,
}

/// A token, and where it stands in the text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Tells whether it is a word with a meaning in this language alone, or a short one.
    pub(crate) letters: usize,
}

/// Most words that have a meaning together.
const MAX_WORDS: usize = 5;

pub(crate) type Table = &'static [(&'static str, Means)];

fn tables(language: Language) -> [Table; 2] {
    match language {
        Language::English => [en::WORDS, places::PLACES],
        Language::German => [de::WORDS, places::PLACES],
        Language::French => [fr::WORDS, places::PLACES],
    }
}

/// Endings that adjectives and nouns of German and French take.
const ENDINGS: [&str; 10] = ["", "e", "en", "er", "es", "em", "n", "s", "r", "m"];

/// Returns a word of a table; `*` at its end stands for an ending.
fn same(entry: &str, said: &str) -> bool {
    match entry.strip_suffix('*') {
        Some(stem) => said.strip_prefix(stem).is_some_and(|rest| ENDINGS.contains(&rest)),
        None => entry == said,
    }
}

fn meaning(language: Language, said: &str) -> Option<Means> {
    let known = |said: &str| {
        tables(language).iter().find_map(|table| table.iter().find(|(entry, _)| same(entry, said)).map(|(_, m)| *m))
    };
    known(said).or_else(|| {
        if language != Language::German {
            return None;
        }
        // Umlauts written as two letters, and numbers in one word.
        let plain = said.replace("ae", "a").replace("oe", "o").replace("ue", "u");
        known(&plain).or_else(|| de::compound(&plain))
    })
}

/// Tells whether any of the languages has this word.
pub(crate) fn known_anywhere(word: &str) -> bool {
    Language::ALL.into_iter().any(|language| meaning(language, word).is_some())
}

/// Gives lexemes their meanings in a language. Of several readings of neighbouring words, the longest holds.
pub(crate) fn tokens(language: Language, lexemes: &[Lexeme]) -> Vec<Placed> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(lexeme) = lexemes.get(at) {
        if let Raw::Word(word) = &lexeme.raw {
            if let Some(both) = joined_day_and_part(language, word) {
                let placed = |means| Placed {
                    token: Token::Means(means),
                    from: lexeme.from,
                    to: lexeme.to,
                    letters: word.len(),
                };
                out.extend(both.map(placed));
                at += 1;
                continue;
            }
            let (count, token) = longest(language, lexemes.get(at..).unwrap_or_default());
            let taken = lexemes.get(at..at + count).unwrap_or_default();
            let to = taken.last().map_or(lexeme.to, |last| last.to);
            let letters = taken.iter().map(|one| if let Raw::Word(word) = &one.raw { word.len() } else { 0 }).sum();
            out.push(Placed { token, from: lexeme.from, to, letters });
            at += count;
            continue;
        }
        out.push(Placed { token: Token::Raw(lexeme.raw.clone()), from: lexeme.from, to: lexeme.to, letters: 0 });
        at += 1;
    }
    joined_numbers(out)
}

/// Dienstagabend, Freitagnachmittag: German writes them in one.
fn joined_day_and_part(language: Language, word: &str) -> Option<[Means; 2]> {
    const PARTS: [(&str, Means); 8] = [
        ("vormittag", Means::Part(Part::Forenoon)),
        ("nachmittag", Means::Part(Part::Afternoon)),
        ("mittag", Means::Noon),
        ("morgen", Means::Part(Part::Morning)),
        ("fruh", Means::Part(Part::Morning)),
        ("abend", Means::Part(Part::Evening)),
        ("nacht", Means::Part(Part::Night)),
        ("abends", Means::Part(Part::Evening)),
    ];
    let (rest, part) = PARTS.iter().find_map(|(name, part)| Some((word.strip_suffix(name)?, *part)))?;
    match meaning(language, rest)? {
        day @ Means::Weekday(_) if language == Language::German && rest.len() > 3 => Some([day, part]),
        _ => None,
    }
}

fn longest(language: Language, rest: &[Lexeme]) -> (usize, Token) {
    let mut said = String::new();
    let mut best = (1, Token::Unknown);
    let mut words = 0;
    for (index, lexeme) in rest.iter().enumerate() {
        match &lexeme.raw {
            Raw::Word(word) => {
                if !said.is_empty() {
                    said.push(' ');
                }
                said.push_str(word);
                words += 1;
                if let Some(means) = meaning(language, &said) {
                    best = (index + 1, Token::Means(means));
                }
            }
            // Week-end, après-midi.
            Raw::Dash { hyphen: true } if lexeme.joined => {}
            _ => break,
        }
        if words == MAX_WORDS {
            break;
        }
    }
    best
}

/// Makes numbers of number words, and one number of `twenty-five`.
fn joined_numbers(tokens: Vec<Placed>) -> Vec<Placed> {
    let mut out: Vec<Placed> = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(one) = rest.next() {
        let (value, ordinal) = match one.token {
            Token::Means(Means::Number(value)) => (value, false),
            Token::Means(Means::Ordinal(value)) => (value, true),
            _ => {
                out.push(one);
                continue;
            }
        };
        let mut whole = (value, ordinal, one.to);
        if value >= 20 && value % 10 == 0 && !ordinal {
            let mut ahead = rest.clone();
            let mut next = ahead.next();
            if next.as_ref().is_some_and(|next| matches!(next.token, Token::Raw(Raw::Dash { hyphen: true }))) {
                next = ahead.next();
            }
            if let Some(unit) = next
                && let Token::Means(Means::Number(n) | Means::Ordinal(n)) = unit.token
                && (1..=9).contains(&n)
            {
                whole = (value + n, matches!(unit.token, Token::Means(Means::Ordinal(_))), unit.to);
                rest = ahead;
            }
        }
        let token = Token::Raw(Raw::Number { value: whole.0, digits: 0, ordinal: whole.1 });
        out.push(Placed { token, from: one.from, to: whole.2, letters: one.letters });
    }
    out
}
