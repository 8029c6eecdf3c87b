//! How long: numbers and units.

use super::{Length, Parser};
use crate::letters::{Raw, Sign, Style};
use crate::words::{Means, Token, Unit};

impl Parser<'_> {
    pub(crate) fn unit(&mut self) -> Option<Unit> {
        let unit = match self.means(0)? {
            Means::Unit(unit) => unit,
            Means::Heures | Means::H => Unit::Hour,
            _ => return None,
        };
        self.at += 1;
        Some(unit)
    }

    /// `two hours`, `1.5 h`, `1h30`, `eine halbe Stunde`, `an hour and a half`, `2 hours and 30 minutes`.
    pub(crate) fn length(&mut self) -> Option<Length> {
        let first = self.attempt(Self::one_length)?;
        let second = self.attempt(|p| {
            p.eat(&[Means::And]);
            p.one_length()
        });
        let Some(second) = second else { return Some(first) };
        Some(Length {
            months: first.months + second.months,
            days: first.days + second.days,
            minutes: first.minutes.saturating_add(second.minutes),
            idiom: None,
        })
    }

    pub(super) fn one_length(&mut self) -> Option<Length> {
        if let Some(Means::Length(minutes)) = self.means(0) {
            self.at += 1;
            return Some(Length { minutes: minutes.into(), ..Length::default() });
        }
        match self.token(0)? {
            Token::Raw(Raw::Clock { hour, minute, style: Style::H, .. }) if *minute < 60 => {
                self.at += 1;
                return Some(Length { minutes: i64::from(hour * 60 + minute), ..Length::default() });
            }
            // One and a half hours, in digits.
            Token::Raw(Raw::Pair { a, b, year: None, sign: Sign::Dot | Sign::Comma, closed: false }) => {
                self.at += 1;
                let tenths = if *b < 10 { i64::from(a * 10 + b) } else { return self.hundredths(*a, *b) };
                return (self.unit()? == Unit::Hour).then(|| Length { minutes: tenths * 6, ..Length::default() });
            }
            _ => {}
        }
        if let Some(Means::Unit(Unit::Fortnight)) = self.means(0) {
            self.at += 1;
            return of_units(1, Unit::Fortnight);
        }
        let (count, digits) = if self.eat(&[Means::One]) { (1, 0) } else { self.number().map(|(n, d, _)| (n, d))? };
        let unit = self.unit()?;
        let mut length = of_units(count.into(), unit)?;
        if unit == Unit::Hour && self.eat(&[Means::AndHalf]) {
            length.minutes = length.minutes.saturating_add(30);
        }
        if unit == Unit::Hour && digits > 0 && self.hour_and_minutes_follow() {
            let (minutes, ..) = self.number()?;
            length.minutes = length.minutes.saturating_add(minutes.into());
        }
        Some(length)
    }

    pub(super) fn hundredths(&mut self, whole: u32, parts: u32) -> Option<Length> {
        let minutes = i64::from(whole) * 60 + i64::from(parts) * 60 / 100;
        (self.unit()? == Unit::Hour && (parts * 60).is_multiple_of(100))
            .then(|| Length { minutes, ..Length::default() })
    }

    /// `2 h 30`.
    pub(super) fn hour_and_minutes_follow(&self) -> bool {
        let h = self.tokens.get(self.at.wrapping_sub(1)).map(|one| &one.token) == Some(&Token::Means(Means::H));
        let unit = matches!(self.means(1), Some(Means::Unit(_)));
        h && !unit && matches!(self.token(0), Some(Token::Raw(Raw::Number { value: 0..=59, digits: 2, .. })))
    }
}

/// Longest length, in units: nobody plans further in these.
const MAX_UNITS: i64 = 10_000;

pub(super) fn of_units(count: i64, unit: Unit) -> Option<Length> {
    let count = Some(count).filter(|count| (0..=MAX_UNITS).contains(count))?;
    let small = i32::try_from(count).ok()?;
    let none = Length::default();
    Some(match unit {
        Unit::Minute => Length { minutes: count, ..none },
        Unit::Hour => Length { minutes: count * 60, ..none },
        Unit::Day => {
            let idiom = match small {
                8 => Some(7),
                15 => Some(14),
                _ => None,
            };
            Length { days: small, idiom, ..none }
        }
        Unit::Week => Length { days: small * 7, ..none },
        Unit::Fortnight => Length { days: small * 14, ..none },
        Unit::Month => Length { months: small, ..none },
        Unit::Year => Length { months: small * 12, ..none },
    })
}
