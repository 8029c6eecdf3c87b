//! The days a phrase names: weekdays, dates, weeks and months, and zones.

use super::lengths::of_units;
use super::{Day, Parser, Period, Pick, Zone};
use crate::Language;
use crate::grammar::Length;
use crate::letters::{Raw, Sign};
use crate::words::{Means, Token, Unit};

impl Parser<'_> {
    pub(super) fn adjective(&mut self) -> Option<Pick> {
        let pick = match self.means(0)? {
            Means::Next => Pick::Next,
            Means::This => Pick::This,
            Means::Coming => Pick::Coming,
            Means::Last => Pick::Last,
            _ => return None,
        };
        self.at += 1;
        Some(pick)
    }

    /// Tells whether an adjective here belongs to what follows it: `Monday next week`.
    pub(super) fn belongs_to_next(&self) -> bool {
        match self.means(1) {
            Some(Means::Unit(_) | Means::Weekday(_) | Means::Month(_) | Means::Weekend) => true,
            // Mardi ce matin; but lundi prochain matin.
            Some(Means::Part(_) | Means::Morgen) => self.means(0) == Some(Means::This),
            _ => false,
        }
    }

    pub(super) fn adjective_behind(&mut self) -> Option<Pick> {
        if self.belongs_to_next() { None } else { self.adjective() }
    }

    pub(super) fn weekday(&mut self) -> Option<(i8, Pick)> {
        let before = self.adjective();
        let Means::Weekday(weekday) = self.means(0)? else { return None };
        self.at += 1;
        let pick = before.or_else(|| self.adjective_behind());
        if let (None, Some(Means::WeeksOn(weeks))) = (pick, self.means(0)) {
            self.at += 1;
            return Some((weekday, Pick::Weeks(weeks)));
        }
        // Friday week: a week after the coming Friday.
        let week = pick.is_none()
            && self.means(0) == Some(Means::Unit(Unit::Week))
            && !matches!(self.token(1), Some(Token::Raw(Raw::Number { .. })));
        if week {
            self.at += 1;
            return Some((weekday, Pick::Weeks(1)));
        }
        Some((weekday, pick.unwrap_or(Pick::Bare)))
    }

    /// `mardi 8`: French names the day of the month so; what is an hour, or has its month beside it, is read as that.
    pub(super) fn day_behind_weekday(&mut self) -> Option<Day> {
        let (day, digits, false) = self.number()? else { return None };
        let day = small(day).filter(|_| digits > 0 && self.language == Language::French)?;
        let beside = matches!(self.means(0), Some(Means::Month(_))) || self.clock_follows();
        (!beside && !matches!(self.token(0), Some(Token::Raw(Raw::Dash { .. })))).then_some(Day::OfMonth(day))
    }

    /// `a week from Friday`.
    pub(super) fn weeks_from_weekday(&mut self) -> Option<(i32, i8)> {
        let length = self.length()?;
        if !self.eat(&[Means::From, Means::Past]) {
            return None;
        }
        let Means::Weekday(weekday) = self.means(0)? else { return None };
        self.at += 1;
        let whole = length.months == 0 && length.minutes == 0 && length.days % 7 == 0;
        whole.then_some((length.days / 7, weekday))
    }

    /// `in two weeks`, `two weeks ago`, `vor zwei Wochen`, `a week from now`.
    pub(super) fn shift(&mut self) -> Option<Day> {
        self.eat(&[Means::Filler]);
        if self.eat(&[Means::In]) {
            return self.length().map(|length| Day::Shift(length, 1));
        }
        if self.eat(&[Means::AgoBefore]) {
            return self.length().map(|length| Day::Shift(length, -1));
        }
        let length = self.length()?;
        // A week today, two weeks from tomorrow.
        if length.minutes == 0 {
            let day = self.attempt(|p| {
                p.eat(&[Means::From]);
                let Means::Relative(days) = p.means(0)? else { return None };
                p.at += 1;
                Some(Day::Shift(Length { days: length.days.saturating_add(days), idiom: None, ..length }, 1))
            });
            if day.is_some() {
                return day;
            }
        }
        if self.eat(&[Means::AgoAfter]) {
            return Some(Day::Shift(length, -1));
        }
        self.eat(&[Means::FromNow]).then_some(Day::Shift(length, 1))
    }

    /// `first Monday of January`, `letzter Freitag im Monat`.
    pub(super) fn nth(&mut self) -> Option<Day> {
        while self.eat(&[Means::Filler, Means::On]) {}
        let nth = if self.eat(&[Means::Last]) {
            -1
        } else {
            let (value, _, true) = self.number()? else { return None };
            i8::try_from(value).ok().filter(|n| (1..=5).contains(n))?
        };
        let Means::Weekday(weekday) = self.means(0)? else { return None };
        self.at += 1;
        if !matches!(self.means(0), Some(Means::Of | Means::In | Means::From)) {
            return None;
        }
        self.articles();
        let period = self.month()?;
        Some(Day::Nth { nth, weekday, period })
    }

    /// Returns a month: named, or counted from this one.
    pub(super) fn month(&mut self) -> Option<Period> {
        match self.period()? {
            month @ (Period::Month(_) | Period::NamedMonth(..) | Period::NextMonthNamed(..)) => Some(month),
            Period::Week(_) | Period::IsoWeek(..) | Period::Year(_) | Period::NamedYear(_) | Period::Weekend(_) => None,
        }
    }

    /// `end of month`, `Monatsende`, `début janvier`.
    pub(super) fn edge(&mut self) -> Option<Day> {
        while self.eat(&[Means::Filler, Means::On]) {}
        let end = match self.means(0)? {
            Means::EndOf => true,
            Means::StartOf => false,
            Means::EndOfUnit(unit) => {
                self.at += 1;
                return Some(Day::Edge { end: true, period: unit_period(unit, 0)? });
            }
            _ => return None,
        };
        self.at += 1;
        self.articles();
        let period = match self.attempt(Self::period) {
            Some(period) => period,
            None => {
                let Means::Unit(unit) = self.means(0)? else { return None };
                self.at += 1;
                unit_period(unit, 0)?
            }
        };
        Some(Day::Edge { end, period })
    }

    /// `the next two weeks`, `last 7 days`, `les trois prochains jours`.
    pub(super) fn run(&mut self) -> Option<Day> {
        while self.eat(&[Means::Filler]) {}
        if self.eat(&[Means::Past]) {
            return self.counted_length().map(|length| Day::Run { length, ahead: false });
        }
        if let Some(pick) = self.adjective() {
            return self.counted_length().map(|length| Day::Run { length, ahead: pick != Pick::Last });
        }
        let (count, _, false) = self.number()? else { return None };
        let pick = self.adjective()?;
        let unit = self.unit()?;
        Some(Day::Run { length: of_units(i64::from(count), unit)?, ahead: pick != Pick::Last })
    }

    /// Returns a length that begins with a number, or with units in the plural.
    pub(super) fn counted_length(&mut self) -> Option<Length> {
        if !matches!(self.token(0), Some(Token::Raw(Raw::Number { .. }))) {
            return None;
        }
        self.length()
    }

    /// `next week`, `KW 50`, `semaine prochaine`, `December 2027`, `this weekend`.
    pub(super) fn period(&mut self) -> Option<Period> {
        if let Some(Token::Raw(Raw::IsoWeek { year, week, day: None })) = self.token(0) {
            self.at += 1;
            return Some(Period::IsoWeek(*week, Some(*year)));
        }
        let before = self.adjective();
        let means = self.means(0)?;
        self.at += 1;
        match means {
            Means::Away(unit, count) if before.is_none() => unit_period(unit, count),
            Means::Weekend => Some(Period::Weekend(before.or_else(|| self.adjective_behind()).unwrap_or(Pick::Bare))),
            Means::Month(month) => {
                if let Some(pick) = before.or_else(|| self.adjective_behind()) {
                    return Some(Period::NextMonthNamed(month, pick));
                }
                while self.eat(&[Means::Of]) {}
                Some(Period::NamedMonth(month, self.attempt(Self::year)))
            }
            Means::Unit(Unit::Week) if before.is_none() && self.week_number_follows() => self.week_number(),
            Means::CalendarWeek if before.is_none() => self.week_number(),
            Means::Unit(unit) => match before.or_else(|| self.adjective_behind()) {
                Some(Pick::Next | Pick::Coming) => unit_period(unit, 1),
                Some(Pick::Last) => unit_period(unit, -1),
                Some(_) => unit_period(unit, 0),
                // The units of `of the month`, `im Monat`.
                None if matches!(unit, Unit::Month | Unit::Year) && self.of_before() => unit_period(unit, 0),
                None => None,
            },
            Means::In if before.is_none() => self.year().map(Period::NamedYear),
            _ => None,
        }
    }

    /// Tells whether the word before the unit just read binds it to what is before: `of the month`.
    pub(super) fn of_before(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).and_then(|at| self.tokens.get(at)).map(|one| &one.token);
        let binds = |token: Option<&Token>| {
            matches!(token, Some(Token::Means(Means::Of | Means::In | Means::From | Means::Filler)))
        };
        binds(before(2))
    }

    pub(super) fn week_number_follows(&self) -> bool {
        matches!(self.token(0), Some(Token::Raw(Raw::Number { digits: 1..=2, .. })))
    }

    pub(super) fn week_number(&mut self) -> Option<Period> {
        if let Some(Token::Raw(Raw::Pair { a, b: _, year: None, sign: Sign::Slash, .. })) = self.token(0) {
            // KW 50/26 is read as no year: two digits could be a day.
            let week = u8::try_from(*a).ok()?;
            self.at += 1;
            return Some(Period::IsoWeek(week, None));
        }
        let (week, ..) = self.number()?;
        let week = u8::try_from(week).ok().filter(|week| (1..=53).contains(week))?;
        let year = self.attempt(|p| {
            while p.eat(&[Means::Of, Means::In, Means::From]) || p.comma() || p.slash() {}
            p.year()
        });
        Some(Period::IsoWeek(week, year))
    }

    pub(super) fn slash(&mut self) -> bool {
        let is = matches!(self.token(0), Some(Token::Unknown));
        self.at += usize::from(is);
        is
    }

    pub(super) fn comma(&mut self) -> bool {
        let is = self.token(0) == Some(&Token::Raw(Raw::Comma));
        self.at += usize::from(is);
        is
    }

    pub(super) fn year(&mut self) -> Option<i16> {
        let (value, 4, _) = self.number()? else { return None };
        i16::try_from(value).ok().filter(|year| (1900..=2200).contains(year))
    }

    pub(super) fn year_behind(&mut self) -> Option<i16> {
        self.attempt(|p| {
            while p.comma() || p.eat(&[Means::Of, Means::In]) {}
            p.year()
        })
    }

    /// Returns a date: in digits, with the name of a month, or relative.
    pub(super) fn date(&mut self) -> Option<Day> {
        match self.token(0)? {
            Token::Raw(Raw::Iso(Some(date))) => {
                self.at += 1;
                Some(Day::Date(*date))
            }
            Token::Raw(Raw::IsoWeek { year, week, day: Some(day) }) => {
                self.at += 1;
                let weekday = jiff::civil::Weekday::from_monday_one_offset(i8::try_from(*day).ok()?).ok()?;
                let week = jiff::civil::ISOWeekDate::new(*year, i8::try_from(*week).ok()?, weekday).ok()?;
                Some(Day::Date(week.date()))
            }
            Token::Raw(Raw::Pair { a, b, year, sign, closed }) => {
                if *sign == Sign::Comma || (*sign == Sign::Dot && self.is_dotted_clock(year.is_some() || *closed)) {
                    return None;
                }
                self.at += 1;
                let year = match year {
                    Some((year, 2)) => Some(i16::try_from(*year).ok()? + 2000),
                    Some((year, _)) => Some(i16::try_from(*year).ok()?),
                    None => self.attempt(Self::year),
                };
                match sign {
                    Sign::Dot => Some(Day::Dated { day: small(*a)?, month: small(*b)?, year }),
                    Sign::Slash | Sign::Hyphen => Some(Day::Either { a: *a, b: *b, year }),
                    Sign::Comma => None,
                }
            }
            Token::Raw(Raw::Number { .. }) => self.attempt(Self::day_and_month).or_else(|| self.day_of_month()),
            Token::Means(Means::Month(month)) => {
                self.at += 1;
                self.eat(&[Means::Filler]);
                let (day, digits, _) = self.number()?;
                let clock =
                    matches!(self.means(0), Some(Means::OClock | Means::Heures | Means::H | Means::Am | Means::Pm));
                let day = small(day).filter(|_| digits <= 2 && !clock)?;
                Some(Day::Dated { day, month: *month, year: self.year_behind() })
            }
            Token::Means(Means::Relative(days)) => {
                self.at += 1;
                Some(Day::Relative(*days))
            }
            Token::Means(Means::Now) => {
                self.at += 1;
                Some(Day::Now)
            }
            Token::Means(Means::Holiday(month, day)) => {
                self.at += 1;
                Some(Day::Dated { day: *day, month: *month, year: self.year_behind() })
            }
            Token::Raw(_) | Token::Means(_) | Token::Unknown => None,
        }
    }

    /// `9.30 Uhr`, `um 9.30`: a time, not the ninth day of a month.
    pub(crate) fn is_dotted_clock(&self, surely_date: bool) -> bool {
        !surely_date
            && (self.after_at || matches!(self.means(1), Some(Means::OClock | Means::Am | Means::Pm | Means::H)))
    }

    /// `5 December`, `5. Dezember 2026`, `the 5th of December`, `5. 12. 2026`.
    pub(super) fn day_and_month(&mut self) -> Option<Day> {
        let (day, _, ordinal) = self.number()?;
        let day = small(day)?;
        while self.eat(&[Means::Of, Means::Filler]) {}
        if let Some(Means::Month(month)) = self.means(0) {
            self.at += 1;
            // At eleven, October 3rd.
            if self.after_at && matches!(self.token(0), Some(Token::Raw(Raw::Number { digits: 0..=2, .. }))) {
                return None;
            }
            return Some(Day::Dated { day, month, year: self.year_behind() });
        }
        let (month, digits, second) = self.number()?;
        let year = self.attempt(Self::year);
        let month = small(month).filter(|month| *month <= 12 && digits > 0)?;
        (ordinal && (second || year.is_some())).then_some(Day::Dated { day, month, year })
    }

    /// `am 3.`, `the 3rd`, `le 3`, `der erste`.
    pub(super) fn day_of_month(&mut self) -> Option<Day> {
        let (day, digits, ordinal) = self.number()?;
        let day = small(day)?;
        let numbered = ordinal && !self.after_at;
        // The 1st of next month, am 1. des nächsten Monats.
        if numbered && matches!(self.means(0), Some(Means::Of | Means::In | Means::From)) {
            let away = self.attempt(|p| {
                p.articles();
                if let Period::Month(away) = p.month()? { Some(away) } else { None }
            });
            if let Some(away) = away {
                return Some(Day::InMonth(day, away));
            }
        }
        (numbered || (self.after_on && digits > 0 && !self.clock_follows())).then_some(Day::OfMonth(day))
    }

    pub(super) fn clock_follows(&self) -> bool {
        matches!(self.means(0), Some(Means::OClock | Means::Heures | Means::H | Means::Am | Means::Pm | Means::Unit(_)))
    }

    pub(super) fn zone(&mut self) -> Option<Zone> {
        self.eat(&[Means::TimeWord]);
        while self.eat(&[Means::In, Means::Filler, Means::Of]) {}
        if let Some(Token::Raw(Raw::Offset(minutes))) = self.token(0) {
            self.at += 1;
            return Some(Zone::Offset(*minutes));
        }
        let zone = match self.means(0)? {
            Means::Utc => {
                self.at += 1;
                if let Some(Token::Raw(Raw::Offset(minutes))) = self.token(0) {
                    self.at += 1;
                    return Some(Zone::Offset(*minutes));
                }
                return Some(Zone::Offset(0));
            }
            Means::Place(name) => Zone::Named(name),
            Means::Abbreviation(name, minutes) => Zone::Abbreviation(name, minutes),
            Means::SharedAbbreviation(all) => Zone::Shared(all),
            _ => return None,
        };
        self.at += 1;
        while self.eat(&[Means::TimeWord]) {}
        Some(zone)
    }
}

fn small(value: u32) -> Option<i8> {
    i8::try_from(value).ok().filter(|value| (1..=31).contains(value))
}

fn unit_period(unit: Unit, count: i32) -> Option<Period> {
    match unit {
        Unit::Week => Some(Period::Week(count)),
        Unit::Month => Some(Period::Month(count)),
        Unit::Year => Some(Period::Year(count)),
        Unit::Minute | Unit::Hour | Unit::Day | Unit::Fortnight => None,
    }
}
