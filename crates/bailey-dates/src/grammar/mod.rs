//! The grammar: what a phrase is made of. Parts stand in any order, each at most once; nothing is skipped that has no
//! meaning.
//!
//! ```text
//! phrase := part+ | [from] part+ (to | –) part+ | until part+ | since part+ | length
//! part   := weekday | date | shift | period | nth | edge | clock | part of day | zone | "for" length | filler
//! ```

mod days;
mod lengths;

use jiff::civil::Date;

use crate::Language;
use crate::clock::Clock;
use crate::letters::Raw;
use crate::words::{Means, Part, Placed, Token};

/// How long: calendar parts apart from those of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Length {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) minutes: i64,
    /// French `quinze jours`, German `acht Tage`: a fortnight and a week, or what they say.
    pub(crate) idiom: Option<i32>,
}

/// Which of the weekdays of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    Bare,
    This,
    Next,
    Coming,
    Last,
    /// So many weeks after the coming one.
    Weeks(i32),
}

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Week(i32),
    IsoWeek(u8, Option<i16>),
    Month(i32),
    NamedMonth(i8, Option<i16>),
    NextMonthNamed(i8, Pick),
    Year(i32),
    NamedYear(i16),
    Weekend(Pick),
}

/// What days a phrase names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    Date(Date),
    Dated {
        day: i8,
        month: i8,
        year: Option<i16>,
    },
    /// `05/12/2026`: the day first, or the month.
    Either {
        a: u32,
        b: u32,
        year: Option<i16>,
    },
    OfMonth(i8),
    /// A day of the month so many away.
    InMonth(i8, i32),
    Relative(i32),
    Shift(Length, i8),
    Period(Period),
    Edge {
        end: bool,
        period: Period,
    },
    Nth {
        nth: i8,
        weekday: i8,
        period: Period,
    },
    /// The next, or the last, so many units.
    Run {
        length: Length,
        ahead: bool,
    },
    Now,
}

/// A zone that a phrase names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Offset(i32),
    Named(&'static str),
    Abbreviation(&'static str, i32),
    Shared(&'static [(&'static str, i32)]),
}

/// The parts of a phrase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    pub(crate) day: Option<Day>,
    pub(crate) weekday: Option<(i8, Pick)>,
    pub(crate) clock: Option<Clock>,
    pub(crate) part: Option<Part>,
    pub(crate) zone: Option<Zone>,
    pub(crate) length: Option<Length>,
    /// A number of which only the rest tells what it is.
    pub(crate) bare: Option<u32>,
}

/// A phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phrase {
    Point(Slots),
    Range(Slots, Slots),
    Until(Slots),
    Since(Slots),
    Length(Length),
}

/// Why a phrase is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This token is not understood where it stands.
    At(usize),
    /// It names a day that depends on the place or the year.
    Unsure(usize),
    /// A date in digits that there is not.
    NoDay(usize),
}

pub(crate) struct Parser<'a> {
    pub(crate) tokens: &'a [Placed],
    pub(crate) language: Language,
    pub(crate) at: usize,
    /// The word before says that a time follows.
    pub(crate) after_at: bool,
    after_on: bool,
    /// The word before binds a number to something else than a time: `in 3`.
    after_in: bool,
}

/// Reads all phrases that the tokens can be.
pub(crate) fn phrases(tokens: &[Placed], language: Language) -> Result<Vec<Phrase>, Fault> {
    let slots = |tokens: &[Placed], offset: usize| slots(tokens, offset, language);
    let means = |index: usize| match tokens.get(index).map(|one| &one.token) {
        Some(Token::Means(means)) => Some(*means),
        _ => None,
    };
    if let Some(at) = tokens.iter().position(|one| one.token == Token::Means(Means::Unsure)) {
        return Err(Fault::Unsure(at));
    }
    if let Some(at) = tokens.iter().position(|one| matches!(one.token, Token::Raw(Raw::Iso(None)))) {
        return Err(Fault::NoDay(at));
    }
    let first = (0..tokens.len()).find(|at| means(*at) != Some(Means::Filler)).unwrap_or(0);
    let rest = |from: usize| tokens.get(from..).unwrap_or_default();
    match means(first) {
        Some(Means::Until) => return Ok(vec![Phrase::Until(slots(rest(first + 1), first + 1)?)]),
        Some(Means::Since) => return Ok(vec![Phrase::Since(slots(rest(first + 1), first + 1)?)]),
        _ => {}
    }
    let point = slots(tokens, 0);
    let mut out = Vec::new();
    let has = |wanted: &[Means]| (0..tokens.len()).find(|at| means(*at).is_some_and(|means| wanted.contains(&means)));
    let from = has(&[Means::From, Means::Between]);
    // Behind `from`, `ten to five` is a span; and `du 5 au 7` no time of day.
    let span = from.is_some_and(|from| has(&[Means::To]).is_some_and(|to| from < to))
        || (from.is_some() && point.as_ref().is_ok_and(|slots| slots.bare.is_some()));
    if span {
        out.extend(ranges(tokens, language));
    }
    if out.is_empty()
        && let Ok(slots) = &point
    {
        out.push(Phrase::Point(slots.clone()));
        // `10 to 11`, in digits: a time, or a span.
        if (0..tokens.len())
            .any(|at| is_digits(tokens, at) && means(at + 1) == Some(Means::To) && is_digits(tokens, at + 2))
        {
            out.extend(ranges(tokens, language));
        }
    }
    if means(first) == Some(Means::For) || out.is_empty() {
        let from = first + usize::from(means(first) == Some(Means::For));
        let mut parser = Parser::new(rest(from), language);
        if let Some(length) = parser.length()
            && parser.fillers_to_end()
        {
            return Ok(vec![Phrase::Length(length)]);
        }
    }
    if out.is_empty() {
        out.extend(ranges(tokens, language));
    }
    match (out.is_empty(), point) {
        (true, Err(fault)) => Err(fault),
        (true, Ok(_)) => Err(Fault::At(0)),
        (false, _) => Ok(out),
    }
}

fn is_digits(tokens: &[Placed], at: usize) -> bool {
    matches!(tokens.get(at).map(|one| &one.token), Some(Token::Raw(Raw::Number { digits: 1.., .. })))
}

fn connects(token: &Token) -> bool {
    matches!(token, Token::Means(Means::To | Means::AtTo | Means::Until | Means::And) | Token::Raw(Raw::Dash { .. }))
}

fn ranges(tokens: &[Placed], language: Language) -> Vec<Phrase> {
    let slots = |tokens: &[Placed], offset: usize| slots(tokens, offset, language);
    let between = tokens.iter().any(|one| one.token == Token::Means(Means::Between));
    let split = |at: usize| {
        let left = slots(tokens.get(..at)?, 0).ok()?;
        let right = slots(tokens.get(at + 1..)?, at + 1).ok()?;
        (left != Slots::default() && right != Slots::default()).then_some(Phrase::Range(left, right))
    };
    let here = |one: &Placed| connects(&one.token) && (between || one.token != Token::Means(Means::And));
    tokens.iter().enumerate().filter(|(_, one)| here(one)).filter_map(|(at, _)| split(at)).collect()
}

/// Reads parts until the tokens end.
fn slots(tokens: &[Placed], offset: usize, language: Language) -> Result<Slots, Fault> {
    let mut parser = Parser::new(tokens, language);
    let mut slots = Slots::default();
    while parser.at < tokens.len() {
        if !parser.part(&mut slots) && !parser.filler() {
            return Err(Fault::At(offset + parser.at));
        }
    }
    if slots == Slots::default() { Err(Fault::At(offset)) } else { Ok(slots) }
}

/// Fills a place that is empty.
fn fill<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let fits = slot.is_none() && value.is_some();
    if fits {
        *slot = value;
    }
    fits
}

impl<'a> Parser<'a> {
    pub(crate) fn new(tokens: &'a [Placed], language: Language) -> Self {
        Self { tokens, language, at: 0, after_at: false, after_on: false, after_in: false }
    }

    pub(crate) fn token(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead).map(|placed| &placed.token)
    }

    pub(crate) fn means(&self, ahead: usize) -> Option<Means> {
        match self.token(ahead) {
            Some(Token::Means(means)) => Some(*means),
            Some(Token::Raw(_) | Token::Unknown) | None => None,
        }
    }

    pub(crate) fn eat(&mut self, wanted: &[Means]) -> bool {
        let is = self.means(0).is_some_and(|means| wanted.contains(&means));
        self.at += usize::from(is);
        is
    }

    pub(crate) fn number(&mut self) -> Option<(u32, u8, bool)> {
        match self.token(0)? {
            Token::Raw(Raw::Number { value, digits, ordinal }) => {
                self.at += 1;
                Some((*value, *digits, *ordinal))
            }
            Token::Raw(_) | Token::Means(_) | Token::Unknown => None,
        }
    }

    pub(crate) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let begin = self.at;
        let out = read(self);
        if out.is_none() {
            self.at = begin;
        }
        out
    }

    fn filler(&mut self) -> bool {
        let comma = self.token(0) == Some(&Token::Raw(Raw::Comma));
        let means = self.means(0);
        let word = matches!(
            means,
            Some(
                Means::Filler
                    | Means::At
                    | Means::AtTo
                    | Means::On
                    | Means::Of
                    | Means::In
                    | Means::From
                    | Means::Between
            )
        );
        // What stands before an end is no filler.
        let last = self.at + 1 >= self.tokens.len();
        if !(comma || (word && !last) || means == Some(Means::Filler)) {
            return false;
        }
        self.at += 1;
        if !comma && means != Some(Means::Filler) {
            self.after_at = matches!(means, Some(Means::At | Means::AtTo));
            self.after_on = means == Some(Means::On);
            self.after_in = matches!(means, Some(Means::In | Means::Of));
        }
        true
    }

    fn fillers_to_end(&mut self) -> bool {
        while self.at < self.tokens.len() {
            if !self.eat(&[Means::Filler]) {
                return false;
            }
        }
        true
    }

    fn articles(&mut self) {
        while self.eat(&[Means::Filler, Means::Of, Means::In, Means::From, Means::On]) {}
    }

    /// Returns one part, if it fits into what is there.
    fn part(&mut self, slots: &mut Slots) -> bool {
        let begin = self.at;
        let done = self.part_of(slots);
        if done {
            (self.after_at, self.after_on, self.after_in) = (false, false, false);
        } else {
            self.at = begin;
        }
        done
    }

    fn part_of(&mut self, slots: &mut Slots) -> bool {
        if let Some(length) = self.attempt(|p| p.eat(&[Means::For]).then(|| p.length()).flatten()) {
            return fill(&mut slots.length, Some(length));
        }
        if let Some(day) = self.attempt(Self::shift) {
            // Heute in einer Woche.
            if let (Some(Day::Relative(days)), Day::Shift(length, 1)) = (slots.day, day)
                && length.minutes == 0
            {
                let days = length.days.saturating_add(days);
                slots.day = Some(Day::Shift(Length { days, idiom: None, ..length }, 1));
                return true;
            }
            return fill(&mut slots.day, Some(day));
        }
        if let Some((length, weekday)) = self.attempt(Self::weeks_from_weekday) {
            return fill(&mut slots.weekday, Some((weekday, Pick::Weeks(length))));
        }
        if let Some(day) =
            self.attempt(Self::nth).or_else(|| self.attempt(Self::edge)).or_else(|| self.attempt(Self::run))
        {
            return fill(&mut slots.day, Some(day));
        }
        if let Some(part) = self.attempt(|p| p.part_of_day(slots)) {
            return part;
        }
        if let Some(found) = self.attempt(Self::weekday) {
            // Mardi 8: the eighth.
            if let Some(day) = self.attempt(Self::day_behind_weekday) {
                let _filled = fill(&mut slots.day, Some(day));
            }
            return fill(&mut slots.weekday, Some(found));
        }
        if let Some(day) = self.attempt(Self::date) {
            return fill(&mut slots.day, Some(day));
        }
        if let Some(period) = self.attempt(Self::period) {
            return fill(&mut slots.day, Some(Day::Period(period)));
        }
        if let Some(clock) = self.attempt(|p| p.clock((slots.day.is_some() || slots.weekday.is_some()) && !p.after_in))
        {
            return fill(&mut slots.clock, Some(clock));
        }
        if let Some(zone) = self.attempt(Self::zone) {
            return fill(&mut slots.zone, Some(zone));
        }
        match self.number() {
            Some((value, _, false)) if !self.after_in => fill(&mut slots.bare, Some(value)),
            Some((value, _, true)) if (1..=31).contains(&value) => {
                fill(&mut slots.day, Some(Day::OfMonth(value as i8)))
            }
            Some(_) | None => false,
        }
    }

    /// Returns a part of the day, or the words that name a day and a part in one.
    fn part_of_day(&mut self, slots: &mut Slots) -> Option<bool> {
        let named = slots.day.is_some() || slots.weekday.is_some();
        let this = self.means(0) == Some(Means::This);
        let last = self.means(0) == Some(Means::Last);
        let means = self.means(usize::from(this || last))?;
        let part = match means {
            Means::Part(part) => part,
            // Friday morning, this morning, in the morning; else it is tomorrow.
            Means::Morgen if (named && slots.part.is_none()) || this || self.after_on => Part::Morning,
            Means::Morgen if !this && !last => {
                self.at += 1;
                return Some(fill(&mut slots.day, Some(Day::Relative(1))));
            }
            Means::Tonight if !this && !last => {
                self.at += 1;
                return Some(
                    fill(&mut slots.day, Some(Day::Relative(0))) && fill(&mut slots.part, Some(Part::Tonight)),
                );
            }
            Means::LastNight => {
                self.at += 1;
                return Some(fill(&mut slots.day, Some(Day::Relative(-1))) && fill(&mut slots.part, Some(Part::Night)));
            }
            _ => return None,
        };
        self.at += 1 + usize::from(this || last);
        if !fill(&mut slots.part, Some(part)) {
            return Some(false);
        }
        Some(match (this, last) {
            (true, _) => fill(&mut slots.day, Some(Day::Relative(0))),
            (_, true) => fill(&mut slots.day, Some(Day::Relative(-1))),
            (false, false) => true,
        })
    }
}
