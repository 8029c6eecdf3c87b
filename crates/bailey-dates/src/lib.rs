//! Dates in words: what "tomorrow at 9", "übermorgen um halb zehn" or "le 3 décembre à 15h30" mean, said at a moment, in a
//! zone. English, German and French, by one grammar.
//!
//! What could mean two things is never guessed: [`read`] gives the readings, and the person is asked. Nor is a moment that
//! is over taken for one to come. The crate reads no clock and says nothing of its own accord; of the machine it uses the
//! time zone database alone.

mod clock;
mod find;
mod grammar;
mod letters;
mod resolve;
mod told;
mod words;

use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use find::{Found, found, language_of};
pub use told::{ASK_WHEN, ASK_WHICH, asked_of_person, told, told_day, told_span};

/// Longest phrase, in bytes.
pub const MAX_PHRASE_BYTES: usize = 200;
/// Most words and numbers of a phrase.
const MAX_TOKENS: usize = 40;
/// Most readings that are given.
const MAX_READINGS: usize = 4;

/// A language that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
    /// French.
    French,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::French];
}

/// Which way a phrase looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// To what is to come: something is to be made. What is over asks.
    Ahead,
    /// To what was: `Monday` is the last one.
    Back,
    /// Either way, rather ahead: something is looked at.
    Either,
}

/// Which comes first in a date such as `05/12/2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As in most of the world.
    DayFirst,
    /// As in the United States.
    MonthFirst,
}

/// What a phrase is read against.
#[derive(Debug, Clone)]
pub struct Context {
    /// The moment it is said, in the zone of whoever says it.
    pub now: Zoned,
    /// Languages in which a phrase of no particular language is read, the first that can.
    pub languages: Vec<Language>,
    /// How the person writes dates in digits, if that is known; German and French are clear without.
    pub order: Option<Order>,
    /// Tells whether it looks back or ahead.
    pub toward: Toward,
}

impl Context {
    /// Makes one that looks ahead, with no language before another.
    #[must_use]
    pub fn new(now: Zoned) -> Self {
        Self { now, languages: Language::ALL.to_vec(), order: None, toward: Toward::Ahead }
    }

    /// Looks another way.
    #[must_use]
    pub fn toward(mut self, toward: Toward) -> Self {
        self.toward = toward;
        self
    }

    /// Puts a language first.
    #[must_use]
    pub fn first(mut self, language: Option<Language>) -> Self {
        if let Some(language) = language {
            self.languages.retain(|other| *other != language);
            self.languages.insert(0, language);
        }
        self
    }

    fn zone(&self) -> TimeZone {
        self.now.time_zone().clone()
    }
}

/// What a phrase means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// A moment, in the zone of the context.
    Moment(Zoned),
    /// A day.
    Day(Date),
    /// Days, the last one included.
    Days(Date, Date),
    /// A span of time; its end is not part of it.
    Span(Zoned, Zoned),
    /// How long, in minutes.
    Length(i64),
}

/// Why a phrase has no one meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    /// It has no words.
    Empty,
    /// It is longer than any date is.
    TooLong,
    /// This word is not understood where it stands.
    Word(String),
    /// Its words are of different languages.
    Mixed,
    /// There is no such day or time; says which.
    NoSuch(String),
    /// Two parts do not go together; says which.
    Contradiction(String),
    /// It can mean more than one thing.
    Ambiguous {
        /// Why, where the readings do not show it.
        why: Option<String>,
        /// Everything it can mean.
        readings: Vec<When>,
    },
    /// It is over.
    Past {
        /// The date that it would be.
        was: When,
        /// Dates that may be meant instead.
        instead: Vec<When>,
    },
}

/// Reads a phrase. The language is recognised; where several fit, the order of the context decides.
///
/// # Errors
/// It is not understood, means more than one thing, or is over and was to come.
///
/// ```
/// # use bailey_dates::{Context, When, read};
/// let now = "2026-11-29T10:00[Europe/Berlin]".parse().unwrap();
/// let Ok(When::Moment(moment)) = read("übermorgen um halb zehn", &Context::new(now)) else { panic!() };
/// assert_eq!(moment.to_string(), "2026-12-01T09:30:00+01:00[Europe/Berlin]");
/// ```
pub fn read(phrase: &str, cx: &Context) -> Result<When, Unclear> {
    let phrase = phrase.trim();
    if phrase.is_empty() {
        return Err(Unclear::Empty);
    }
    if phrase.len() > MAX_PHRASE_BYTES {
        return Err(Unclear::TooLong);
    }
    if let Some(exact) = resolve::exact(phrase, cx) {
        return resolve::verdict(vec![exact], Vec::new(), None, cx);
    }
    let lexemes = letters::lexemes(phrase).ok_or(Unclear::TooLong)?;
    if lexemes.is_empty() {
        return Err(Unclear::Empty);
    }
    if lexemes.len() > MAX_TOKENS {
        return Err(Unclear::TooLong);
    }
    read_lexemes(phrase, &lexemes, cx)
}

/// Reads a time of day in English that is clear about its half: `9am`, `half past five pm`, `noon`, `9 in the evening`.
/// Gives minutes since midnight. `None` for anything else: a rule that holds every day has nobody to ask.
#[must_use]
pub fn time_of_day(phrase: &str) -> Option<u16> {
    time_of_day_in(phrase, Language::English)
}

/// Reads a time of day as [`time_of_day`] does, in a language. German and French hours are of twenty-four: `9 Uhr` and `9h` are in
/// the morning.
#[must_use]
pub fn time_of_day_in(phrase: &str, language: Language) -> Option<u16> {
    if phrase.len() > MAX_PHRASE_BYTES {
        return None;
    }
    let tokens = words::tokens(language, &letters::lexemes(phrase)?);
    let phrases = grammar::phrases(&tokens, language).ok()?;
    let [grammar::Phrase::Point(slots)] = phrases.as_slice() else { return None };
    resolve::time_alone(slots, language)
}

fn read_lexemes(phrase: &str, lexemes: &[letters::Lexeme], cx: &Context) -> Result<When, Unclear> {
    let mut first_fault: Option<Unclear> = None;
    let mut furthest = 0;
    for language in &cx.languages {
        let tokens = words::tokens(*language, lexemes);
        match grammar::phrases(&tokens, *language) {
            Ok(phrases) => return resolve::resolve(&phrases, *language, cx),
            Err(fault) => {
                let (at, said) = fault_of(fault, &tokens, phrase);
                if first_fault.is_none() || at > furthest {
                    furthest = at;
                    first_fault = Some(said);
                }
            }
        }
    }
    let known = |lexeme: &letters::Lexeme| match &lexeme.raw {
        letters::Raw::Word(word) => words::known_anywhere(word),
        _ => true,
    };
    let in_one =
        |language: &Language| !words::tokens(*language, lexemes).iter().any(|one| one.token == words::Token::Unknown);
    if lexemes.iter().all(known) && !Language::ALL.iter().any(in_one) {
        return Err(Unclear::Mixed);
    }
    Err(first_fault.unwrap_or(Unclear::Empty))
}

/// Returns what a fault says, and how far reading came.
fn fault_of(fault: grammar::Fault, tokens: &[words::Placed], phrase: &str) -> (usize, Unclear) {
    let said = |at: usize| {
        let text = tokens.get(at).and_then(|one| phrase.get(one.from..one.to)).unwrap_or(phrase);
        text.trim().chars().take(40).collect::<String>()
    };
    match fault {
        grammar::Fault::Unsure(at) => (
            usize::MAX,
            Unclear::NoSuch(format!("`{}` is not the same day everywhere, or every year; name its date", said(at))),
        ),
        grammar::Fault::NoDay(at) => (usize::MAX, Unclear::NoSuch(format!("there is no day `{}`", said(at)))),
        grammar::Fault::At(at) => {
            let unknown = tokens.iter().position(|one| one.token == words::Token::Unknown);
            (unknown.unwrap_or(at), Unclear::Word(said(unknown.unwrap_or(at))))
        }
    }
}
