//! Times of day: `15:30`, `half past nine`, `viertel vor drei`, `neuf heures et demie`.

use crate::grammar::Parser;
use crate::letters::{Raw, Sign, Style};
use crate::words::{Means, Token};

/// Which half of the day an hour is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// It is written as of 24 hours.
    Day,
    Am,
    Pm,
    /// Not said.
    Open,
    Midnight,
}

/// A time of day as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Minutes since midnight; of twelve hours where the half of the day is not said.
    pub(crate) minutes: i32,
    pub(crate) second: i8,
    pub(crate) half: Half,
    /// It is written with a colon.
    pub(crate) colon: bool,
}

/// Minutes of a day.
const DAY: i32 = 24 * 60;

impl Clock {
    fn new(hour: u32, minute: u32, half: Half) -> Option<Self> {
        let fits = match half {
            Half::Day | Half::Open | Half::Midnight => hour <= 24 && (hour < 24 || minute == 0),
            Half::Am | Half::Pm => (1..=12).contains(&hour),
        };
        let minutes = i32::try_from(hour.checked_mul(60)?.checked_add(minute)?).ok()?;
        (fits && minute < 60).then_some(Self { minutes, second: 0, half, colon: false })
    }

    /// So many minutes later, or earlier: `quarter to one` is `00:45` or `12:45`.
    fn moved(self, minutes: i32) -> Self {
        let moved = self.minutes + minutes;
        let minutes = match self.half {
            Half::Open if moved < 60 => moved + DAY / 2,
            Half::Open | Half::Am | Half::Pm | Half::Day | Half::Midnight => moved.rem_euclid(DAY),
        };
        Self { minutes, ..self }
    }
}

/// Tells how an hour was said decides whether it can be one of the afternoon.
fn half(hour: u32, padded: bool) -> Half {
    if padded || hour == 0 || hour > 12 { Half::Day } else { Half::Open }
}

impl Parser<'_> {
    /// Returns a time of day; a bare number is one only behind `at`, or behind a day.
    pub(crate) fn clock(&mut self, day_is_named: bool) -> Option<Clock> {
        let clock = self.attempt(|p| p.relative_clock()).or_else(|| self.attempt(|p| p.plain_clock(day_is_named)))?;
        if clock.half == Half::Midnight {
            return Some(clock);
        }
        let twelve = clock.minutes % (DAY / 2);
        let half = match self.means(0) {
            // Zwölf Uhr mittags, ein Uhr mittags.
            Some(Means::Noon) if clock.half == Half::Open && !(3 * 60..11 * 60).contains(&twelve) => Half::Pm,
            Some(Means::Am) => Half::Am,
            Some(Means::Pm) => Half::Pm,
            _ => return Some(clock),
        };
        self.at += 1;
        match clock.half {
            Half::Open if clock.minutes < 13 * 60 => Some(Clock { half, ..clock }),
            _ => None,
        }
    }

    /// `half past nine`, `halb zehn`, `quarter to five`, `zehn nach drei`, `fünf vor halb zehn`.
    fn relative_clock(&mut self) -> Option<Clock> {
        if let Some(clock) = self.attempt(Self::half_before) {
            return Some(clock);
        }
        let minutes = match self.means(0) {
            Some(Means::HalfPast) => 30,
            Some(Means::QuarterPast) => 15,
            Some(Means::QuarterTo | Means::ThreeQuartersOf) => -15,
            Some(Means::QuarterOf) => -45,
            _ => return self.minutes_and_hour(),
        };
        self.at += 1;
        self.hour(true).map(|hour| hour.moved(minutes))
    }

    fn half_before(&mut self) -> Option<Clock> {
        if !self.eat(&[Means::HalfBefore]) {
            return None;
        }
        self.hour(true).map(|hour| hour.moved(-30))
    }

    /// `ten past nine`, `20 to 5`, `zehn vor drei`, `fünf nach halb zehn`.
    fn minutes_and_hour(&mut self) -> Option<Clock> {
        let (minutes, ..) = self.number()?;
        let minutes = i32::try_from(minutes).ok().filter(|minutes| (1..60).contains(minutes))?;
        let sign = match self.means(0)? {
            Means::Past => 1,
            Means::Before | Means::AgoBefore => -1,
            // Seven to nine is a span.
            Means::To if minutes % 5 == 0 => -1,
            _ => return None,
        };
        self.at += 1;
        let clock = self.attempt(Self::half_before).or_else(|| self.hour(true))?;
        Some(clock.moved(sign * minutes))
    }

    /// Returns a whole hour behind words such as `half past`.
    fn hour(&mut self, bare: bool) -> Option<Clock> {
        match self.means(0) {
            Some(Means::Noon) => {
                self.at += 1;
                return Clock::new(12, 0, Half::Day);
            }
            Some(Means::Midnight) => {
                self.at += 1;
                return Clock::new(24, 0, Half::Day);
            }
            _ => {}
        }
        if let Some(Token::Raw(Raw::Clock { hour, minute: 0, style: style @ (Style::Am | Style::Pm), .. })) =
            self.token(0)
        {
            self.at += 1;
            return Clock::new(*hour, 0, if *style == Style::Am { Half::Am } else { Half::Pm });
        }
        let one = self.means(0) == Some(Means::One);
        let (hour, digits) = if one {
            self.at += 1;
            (1, 0)
        } else {
            let (value, digits, _) = self.number()?;
            // At 0900: four digits, as of twenty-four hours.
            if digits == 4 && self.after_at {
                self.eat(&[Means::Unit(crate::words::Unit::Hour), Means::OClock]);
                return Clock::new(value / 100, value % 100, Half::Day);
            }
            (value, digits)
        };
        let said = self.eat(&[Means::OClock, Means::Heures, Means::H]);
        if !said && (!bare || one) {
            return None;
        }
        Clock::new(hour, 0, half(hour, digits == 2 && hour < 10))
    }

    fn plain_clock(&mut self, day_is_named: bool) -> Option<Clock> {
        match self.token(0)? {
            Token::Raw(Raw::Clock { hour, minute, second, style, padded }) => {
                self.at += 1;
                let said = match style {
                    Style::Am => Half::Am,
                    Style::Pm => Half::Pm,
                    // With seconds, or behind a date of ISO 8601, nobody means the afternoon.
                    Style::Colon if *second > 0 || self.after_iso() => Half::Day,
                    Style::H | Style::Colon => half(*hour, *padded),
                };
                self.eat(&[Means::OClock]);
                let second = i8::try_from((*second).min(59)).ok()?;
                let colon = *style == Style::Colon;
                Clock::new(*hour, *minute, said).map(|clock| Clock { second, colon, ..clock })
            }
            Token::Raw(Raw::Pair { a, b, year: None, sign: Sign::Dot, closed: false })
                if self.is_dotted_clock(false) =>
            {
                self.at += 1;
                self.eat(&[Means::OClock, Means::H]);
                Clock::new(*a, *b, half(*a, false))
            }
            Token::Means(Means::Noon) => {
                self.at += 1;
                Some(self.and_minutes(Clock::new(12, 0, Half::Day)?))
            }
            Token::Means(Means::Midnight) => {
                self.at += 1;
                let clock = Clock::new(24, 0, Half::Midnight)?;
                let moved = self.and_minutes(clock);
                Some(if moved == clock { clock } else { Clock { half: Half::Day, ..moved } })
            }
            Token::Raw(Raw::Number { .. }) | Token::Means(Means::One) => self.hour_and_minutes(day_is_named),
            Token::Raw(_) | Token::Means(_) | Token::Unknown => None,
        }
    }

    /// `9 Uhr 30`, `nine thirty`, `neuf heures dix`, `9 h 30`, `15 h`, `at 9`.
    fn hour_and_minutes(&mut self, day_is_named: bool) -> Option<Clock> {
        let begin = self.at;
        let after_at = self.after_at;
        let clock = self.hour(after_at || day_is_named || self.half_follows() || self.minutes_follow())?;
        let said = self.at > begin + 1;
        if said {
            return Some(self.and_minutes(clock));
        }
        // nine thirty, 9 30: two numbers.
        let minutes =
            self.attempt(|p| p.number().filter(|(n, digits, _)| (10..60).contains(n) && matches!(digits, 0 | 2)));
        match minutes {
            Some((minutes, ..)) if !self.unit_follows() => Some(clock.moved(i32::try_from(minutes).ok()?)),
            Some(_) => None,
            None => Some(clock),
        }
    }

    fn after_iso(&self) -> bool {
        let before = self.at.checked_sub(2).and_then(|at| self.tokens.get(at)).map(|one| &one.token);
        matches!(before, Some(Token::Raw(Raw::Iso(_))))
    }

    fn half_follows(&self) -> bool {
        matches!(self.means(1), Some(Means::Am | Means::Pm | Means::Part(_)))
    }

    /// Returns two number words: `nine thirty`.
    fn minutes_follow(&self) -> bool {
        let word = |ahead| match self.token(ahead) {
            Some(Token::Raw(Raw::Number { value, digits: 0, ordinal: false })) => Some(*value),
            _ => None,
        };
        word(0).is_some_and(|hour| hour <= 24) && word(1).is_some_and(|minute| (10..60).contains(&minute))
    }

    fn unit_follows(&self) -> bool {
        matches!(self.means(0), Some(Means::Unit(_) | Means::Month(_)))
    }

    /// Returns what French and German say behind the hour: `et demie`, `moins le quart`, `moins dix`, `dreißig`, `30`.
    fn and_minutes(&mut self, clock: Clock) -> Clock {
        let minutes = match self.means(0) {
            Some(Means::AndHalf) => Some(30),
            Some(Means::AndQuarter) => Some(15),
            Some(Means::LessQuarter) => Some(-15),
            _ => None,
        };
        if let Some(minutes) = minutes {
            self.at += 1;
            return clock.moved(minutes);
        }
        let found = self.attempt(|p| {
            let sign = if p.eat(&[Means::Less]) { -1 } else { 1 };
            p.eat(&[Means::And]);
            let (minutes, _, false) = p.number()? else { return None };
            let minutes = i32::try_from(minutes).ok().filter(|minutes| (0..60).contains(minutes))?;
            (!p.unit_follows()).then_some(sign * minutes)
        });
        found.map_or(clock, |minutes| clock.moved(minutes))
    }
}
