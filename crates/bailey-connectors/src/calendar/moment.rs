//! Moments as a person or a model names them, and as a person reads them.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::bad;
use crate::call::BadCall;
use crate::context::HomeContext;

/// A moment of a calendar for people; as it is where it cannot be read.
pub(super) fn spoken(text: &str, cx: &HomeContext) -> String {
    let format = "%Y%m%dT%H%M%S";
    if let Some(utc) = text.strip_suffix('Z').and_then(|text| DateTime::strptime(format, text).ok()) {
        let there = utc.to_zoned(TimeZone::UTC).map(|moment| moment.with_time_zone(cx.zone.clone()));
        return there.map_or_else(|_| text.to_owned(), |there| there.strftime("%A %Y-%m-%d %H:%M %Z").to_string());
    }
    match (DateTime::strptime(format, text), Date::strptime("%Y%m%d", text)) {
        (Ok(moment), _) => moment.strftime("%A %Y-%m-%d %H:%M").to_string(),
        (_, Ok(day)) => day.strftime("%A %Y-%m-%d").to_string(),
        (Err(_), Err(_)) => text.to_owned(),
    }
}

/// A moment as a person or a model names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    pub(super) date: Date,
    pub(super) time: Option<Time>,
}

impl When {
    pub(super) fn start(self) -> DateTime {
        self.date.to_datetime(self.time.unwrap_or_else(Time::midnight))
    }

    /// A day without a time ends with the day.
    pub(super) fn end(self) -> DateTime {
        match self.time {
            Some(time) => self.date.to_datetime(time),
            None => self.date.saturating_add(1.day()).to_datetime(Time::midnight()),
        }
    }
}

pub(super) fn local(cx: &HomeContext) -> DateTime {
    let now = Timestamp::from_second(cx.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    now.to_zoned(cx.zone.clone()).datetime()
}

pub(super) fn seconds(moment: DateTime, cx: &HomeContext) -> Result<i64, BadCall> {
    let zoned = moment.to_zoned(cx.zone.clone()).map_err(|error| bad("from", error))?;
    Ok(zoned.timestamp().as_second())
}

/// Reads `2026-11-24`, `2026-11-24T15:00`, `Tuesday`, `next Tuesday 3pm`, `tomorrow at 15:00`, `15:00`.
pub(super) fn when(name: &'static str, text: &str, cx: &HomeContext) -> Result<When, BadCall> {
    let unclear = || {
        bad(
            name,
            format!(
                "`{}` is no moment; write a date like 2026-11-24, or 2026-11-24T15:00",
                text.chars().take(40).collect::<String>()
            ),
        )
    };
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        let there = moment.to_zoned(cx.zone.clone()).datetime();
        return Ok(When { date: there.date(), time: Some(there.time()) });
    }
    let (mut date, mut time) = (None, None);
    let words = text.to_lowercase().replace([',', ';'], " ");
    for word in words.split_whitespace() {
        if ["at", "on", "next", "this", "the", "um", "am", "from", "until"].contains(&word) {
            continue;
        }
        if let Some((day, hour)) = word.split_once('t').filter(|(day, _)| day.parse::<Date>().is_ok()) {
            date = day.parse().ok();
            time = Some(clock(hour).ok_or_else(unclear)?);
        } else if let Some(found) = day(word, local(cx).date()) {
            date = Some(found);
        } else {
            time = Some(clock(word).ok_or_else(unclear)?);
        }
    }
    if date.is_none() && time.is_none() {
        return Err(unclear());
    }
    Ok(When { date: date.unwrap_or_else(|| local(cx).date()), time })
}

fn day(word: &str, today: Date) -> Option<Date> {
    if let Ok(date) = word.parse::<Date>() {
        return Some(date);
    }
    match word {
        "today" | "now" => return Some(today),
        "tomorrow" => return Some(today.saturating_add(1.day())),
        "yesterday" => return Some(today.saturating_sub(1.day())),
        _ => {}
    }
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let (_, weekday) = DAYS.iter().find(|(full, _)| word.len() >= 3 && full.starts_with(word.trim_end_matches('.')))?;
    // The coming one; today's own name means today.
    let ahead = i64::from(weekday.since(today.weekday()));
    Some(today.saturating_add(ahead.days()))
}

/// `15:00`, `15:00:00`, `15h`, `3pm`.
fn clock(word: &str) -> Option<Time> {
    let (digits, afternoon) = match (word.strip_suffix("pm"), word.strip_suffix("am")) {
        (Some(digits), _) => (digits, Some(true)),
        (_, Some(digits)) => (digits, Some(false)),
        (None, None) => (word.strip_suffix('h').unwrap_or(word), None),
    };
    let mut parts = digits.split(':');
    let hour: i8 = parts.next()?.parse().ok()?;
    let minute: i8 = parts.next().map_or(Some(0), |minute| minute.parse().ok())?;
    let hour = match afternoon {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        Some(_) | None => hour,
    };
    let bare_number = afternoon.is_none() && !word.contains(':') && !word.ends_with('h');
    if bare_number { None } else { Time::new(hour, minute, 0, 0).ok() }
}
