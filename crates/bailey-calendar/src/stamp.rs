//! Moments and lengths as calendars write them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::zone::Zone;

/// Most days of a length; longer ones are mistakes.
const MAX_DAYS: i64 = 100_000;
/// Most seconds of a length beside its days.
const MAX_SECONDS: i64 = 100_000 * 86_400;

/// A moment as it is written: the day and the time on the clock, and what clock that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Day and time; midnight for a whole day.
    pub at: DateTime,
    /// The clock it is of.
    pub form: Form,
}

/// Which clock a moment is of (RFC 5545, 3.3.4 and 3.3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A whole day.
    Day,
    /// The clock of whoever looks.
    Floating,
    /// UTC.
    Utc,
    /// That of a zone.
    Zoned(Zone),
}

impl Stamp {
    /// Reads a value, such as `20261124T150000Z`, with the zone its line names. Forms that programs write beside the standard's
    /// (`2026-11-24T15:00`, without seconds) are read.
    #[must_use]
    pub fn read(value: &str, zone: Option<&Zone>) -> Option<Self> {
        let text: String =
            value.trim().chars().filter(|c| !matches!(c, '-' | ':')).collect::<String>().to_ascii_uppercase();
        let (text, utc) = text.strip_suffix('Z').map_or((text.as_str(), false), |text| (text, true));
        let Some((day, time)) = text.split_once('T') else {
            return Some(Self { at: date(text)?.to_datetime(Time::midnight()), form: Form::Day });
        };
        let (day, (time, next)) = (date(day)?, clock(time)?);
        let at = day.checked_add(i64::from(next).days()).ok()?.to_datetime(time);
        let form = match (utc, zone) {
            (true, _) => Form::Utc,
            (false, Some(zone)) => Form::Zoned(zone.clone()),
            (false, None) => Form::Floating,
        };
        Some(Self { at, form })
    }

    /// Tells whether it is a whole day.
    #[must_use]
    pub const fn is_day(&self) -> bool {
        matches!(self.form, Form::Day)
    }

    /// Returns the clock it is read on; `home` is that of whoever looks.
    #[must_use]
    pub fn zone<'a>(&'a self, home: &'a TimeZone) -> &'a TimeZone {
        match &self.form {
            Form::Day | Form::Floating => home,
            Form::Utc => const { &TimeZone::UTC },
            Form::Zoned(zone) if zone.known == crate::Known::No => home,
            Form::Zoned(zone) => &zone.clock,
        }
    }

    /// Returns the moment. A time that a clock change skips is read by the offset before it; one that comes twice is the first
    /// (RFC 5545, 3.3.5).
    #[must_use]
    pub fn instant(&self, home: &TimeZone) -> Timestamp {
        instant(self.at, self.zone(home))
    }

    /// Returns the same kind of stamp at another time of its own clock.
    #[must_use]
    pub fn with(&self, at: DateTime) -> Self {
        Self { at, form: self.form.clone() }
    }

    /// Returns the same kind of stamp at a moment.
    #[must_use]
    pub fn at_instant(&self, moment: Timestamp, home: &TimeZone) -> Self {
        self.with(moment.to_zoned(self.zone(home).clone()).datetime())
    }

    /// Returns a stamp of exactly a moment: of the same kind, or in UTC where the clock shows that time twice and means the other one.
    #[must_use]
    pub fn exactly(&self, moment: Timestamp, home: &TimeZone) -> Self {
        let there = self.at_instant(moment, home);
        let utc = |at| Self { at, form: Form::Utc };
        let is_other = matches!(self.form, Form::Zoned(_)) && there.instant(home) != moment;
        if is_other { utc(self.at).at_instant(moment, home) } else { there }
    }

    /// Writes the value, without its name and parameters.
    #[must_use]
    pub fn value(&self) -> String {
        match self.form {
            Form::Day => self.at.strftime("%Y%m%d").to_string(),
            Form::Floating | Form::Zoned(_) => self.at.strftime("%Y%m%dT%H%M%S").to_string(),
            Form::Utc => self.at.strftime("%Y%m%dT%H%M%SZ").to_string(),
        }
    }

    /// Writes the whole line of a name: parameters and value.
    #[must_use]
    pub fn line(&self, name: &str) -> String {
        match &self.form {
            Form::Day => format!("{name};VALUE=DATE:{}", self.value()),
            Form::Zoned(zone) => format!("{name};TZID={}:{}", crate::text::param_value(&zone.name), self.value()),
            Form::Floating | Form::Utc => format!("{name}:{}", self.value()),
        }
    }
}

/// Returns the moment of a time on a clock.
#[must_use]
pub fn instant(at: DateTime, clock: &TimeZone) -> Timestamp {
    let beyond = if at.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
    clock.to_ambiguous_timestamp(at).compatible().unwrap_or(beyond)
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn date(text: &str) -> Option<Date> {
    if text.len() != 8 {
        return None;
    }
    let year: i16 = number(text.get(..4))?;
    Date::new(year, number(text.get(4..6))?, number(text.get(6..))?).ok().filter(|_| year > 0)
}

/// Returns a time, and whether it is that of the next day (`240000`).
fn clock(text: &str) -> Option<(Time, bool)> {
    let text = text.split(['.', ',']).next().unwrap_or_default();
    let second: i8 = if text.len() == 4 { 0 } else { number(text.get(4..6))? };
    if !matches!(text.len(), 4 | 6) {
        return None;
    }
    let (hour, minute): (i8, i8) = (number(text.get(..2))?, number(text.get(2..4))?);
    if hour == 24 && minute == 0 {
        return Some((Time::midnight(), true));
    }
    // A leap second is the last one of its minute (RFC 5545, 3.3.12).
    Time::new(hour, minute, second.min(if second == 60 { 59 } else { second }), 0).ok().map(|time| (time, false))
}

/// A length as it is written (RFC 5545, 3.3.6): days by the calendar, and seconds by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Days, weeks among them.
    pub days: i64,
    /// Seconds beside them.
    pub seconds: i64,
}

impl Length {
    /// Reads `P1W`, `P1DT2H`, `-PT15M`, and what is missing a `T` or a unit of time at its end.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let text = value.trim().to_ascii_uppercase();
        let (sign, text) = match text.strip_prefix('-') {
            Some(text) => (-1, text),
            None => (1, text.strip_prefix('+').unwrap_or(&text)),
        };
        let (mut days, mut seconds, mut digits, mut any) = (0_i64, 0_i64, String::new(), false);
        for c in text.strip_prefix('P')?.chars() {
            let unit = match c {
                '0'..='9' if digits.len() < 10 => {
                    digits.push(c);
                    continue;
                }
                'T' if digits.is_empty() => continue,
                'W' => (7, 0),
                'D' => (1, 0),
                'H' => (0, 3_600),
                'M' => (0, 60),
                'S' => (0, 1),
                _ => return None,
            };
            let count: i64 = digits.parse().ok()?;
            digits.clear();
            days = days.checked_add(count.checked_mul(unit.0)?)?;
            seconds = seconds.checked_add(count.checked_mul(unit.1)?)?;
            any = true;
        }
        let fits = days <= MAX_DAYS && seconds <= MAX_SECONDS;
        (any && digits.is_empty() && fits).then_some(Self { days: sign * days, seconds: sign * seconds })
    }

    /// Writes it.
    #[must_use]
    pub fn value(self) -> String {
        let (hours, minutes, seconds) = (self.seconds / 3_600, self.seconds / 60 % 60, self.seconds % 60);
        let mut out = String::from("P");
        if self.days > 0 {
            out.push_str(&format!("{}D", self.days));
        }
        if self.seconds > 0 || self.days == 0 {
            out.push('T');
            let parts = [(hours, 'H'), (minutes, 'M'), (seconds, 'S')];
            let some = parts.iter().filter(|(count, _)| *count > 0);
            let text: String = some.map(|(count, unit)| format!("{count}{unit}")).collect();
            out.push_str(if text.is_empty() { "0S" } else { &text });
        }
        out
    }

    /// Adds it: days by the calendar of the stamp's own clock, seconds as they pass (RFC 5545, 3.8.2.5).
    #[must_use]
    pub fn after(self, start: &Stamp, home: &TimeZone) -> Stamp {
        let days = start.at.checked_add(self.days.days()).unwrap_or(start.at);
        if self.seconds == 0 || start.is_day() {
            let more = if start.is_day() { self.seconds / 86_400 } else { 0 };
            return start.with(days.checked_add(more.days()).unwrap_or(days));
        }
        let there = start.with(days).instant(home);
        let end = there.checked_add(SignedDuration::from_secs(self.seconds)).unwrap_or(there);
        start.at_instant(end, home)
    }
}
