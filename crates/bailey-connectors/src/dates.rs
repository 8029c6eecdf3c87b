//! Dates in the words of a call, read as `bailey-dates` reads them. What has no one meaning goes back to the model as a
//! question with its readings, for the person to settle.

use bailey_dates::{Context, Found, Toward, Unclear, When, found, language_of, read};
use jiff::Timestamp;

use crate::call::{Arguments, BadCall};
use crate::context::HomeContext;

/// Most days a search looks back.
const MAX_DAYS_BACK: i64 = 36_600;

/// Returns what phrases of this task are read against: now, in the person's zone, in the language of their words first.
pub(crate) fn context(cx: &HomeContext, toward: Toward) -> Context {
    let now = Timestamp::from_second(cx.seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(cx.zone.clone());
    Context::new(now).first(language_of(&cx.words)).toward(toward)
}

/// Reads a phrase of an argument. What is past is taken only where it is looked at, or where the person's own words name that
/// day as one that was.
pub(crate) fn when(name: &'static str, text: &str, cx: &HomeContext, toward: Toward) -> Result<When, BadCall> {
    let bad = |unclear: Unclear| BadCall::Bad { name, why: format!("`{}`: {unclear}", beginning(text)) };
    match read(text, &context(cx, toward)) {
        Err(Unclear::Past { was, instead }) if instead.is_empty() && is_said_to_be_past(&was, cx) => Ok(was),
        read => read.map_err(bad),
    }
}

fn beginning(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(60).collect()
}

/// Tells whether the person's words name this day, before today, as past and nothing else: `yesterday`, `24 November 2026`.
fn is_said_to_be_past(was: &When, cx: &HomeContext) -> bool {
    let Some(day) = first_day(was) else { return false };
    let ahead = context(cx, Toward::Ahead);
    let named = |one: &Found| matches!(&one.meaning, Err(Unclear::Past { was, instead }) if instead.is_empty() && first_day(was) == Some(day));
    day < ahead.now.date() && found(&cx.words, &ahead).iter().any(named)
}

fn first_day(when: &When) -> Option<jiff::civil::Date> {
    match when {
        When::Moment(moment) | When::Span(moment, _) => Some(moment.date()),
        When::Day(day) | When::Days(day, _) => Some(*day),
        When::Length(_) => None,
    }
}

/// Reads how far a search looks back, in days: a number, or words such as `since Monday`, `last week`, `two weeks`.
pub(crate) fn days_back(name: &'static str, arguments: &Arguments, cx: &HomeContext) -> Result<Option<u32>, BadCall> {
    let Some(text) = arguments.optional(name) else { return Ok(None) };
    if let Ok(days) = text.trim().parse::<u32>() {
        return Ok(Some(days));
    }
    let today = context(cx, Toward::Back).now.date();
    let days = match when(name, &text, cx, Toward::Back)? {
        When::Length(minutes) => minutes.div_euclid(1_440) + i64::from(minutes.rem_euclid(1_440) > 0),
        other => first_day(&other)
            .and_then(|day| today.since((jiff::Unit::Day, day)).ok())
            .map_or(0, |span| i64::from(span.get_days())),
    };
    let days = u32::try_from(days.min(MAX_DAYS_BACK));
    days.map(Some).map_err(|_| BadCall::Bad { name, why: format!("`{}` is still to come", beginning(&text)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> HomeContext {
        HomeContext {
            accounts: Vec::new(),
            words: words.into(),
            // Sunday 2026-11-29, 12:30 in Berlin.
            seconds: 1_795_951_800,
            offset_minutes: 60,
            zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
            unique: [7; 16],
        }
    }

    fn begins(text: &str, words: &str) -> Result<String, String> {
        match when("begins", text, &said(words), Toward::Ahead) {
            Ok(when) => Ok(when.exact()),
            Err(BadCall::Bad { why, .. }) => Err(why),
            Err(other) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn what_is_past_asks_unless_the_words_name_that_day() {
        let asks = begins("2026-11-29T09:00", "Add the call this morning at 9").unwrap_err();
        assert!(asks.contains("Sunday 2026-11-29 09:00 CET (UTC+01:00) is past; ask the person"), "{asks}");
        // A model that takes the year for another.
        assert!(begins("2025-12-05T15:00", "Add the call on 5 December at 15:00").is_err());
        assert!(begins("2026-11-28T09:00", "Add a call").is_err());
        assert_eq!(
            begins("2026-11-28T09:00", "Note that I called Ana yesterday at 9"),
            Ok("2026-11-28T09:00:00+01:00".into())
        );
        assert_eq!(begins("2026-11-24", "Trag den Arzt vom 24.11.2026 nach"), Ok("2026-11-24".into()));
    }

    #[test]
    fn a_date_in_digits_goes_by_the_language_of_the_words() {
        assert!(
            begins("05/12/2026", "Add lunch with Ana to my calendar").unwrap_err().contains("either may be the month")
        );
        assert_eq!(begins("05/12/2026", "Trag bitte das Mittagessen mit Ana ein"), Ok("2026-12-05".into()));
    }

    #[test]
    fn how_far_a_search_looks_back_is_said_in_days_or_words() {
        let days =
            |text: &str| days_back("days", &Arguments::parse(&format!(r#"{{"days":"{text}"}}"#)).unwrap(), &said(""));
        for (text, expected) in [
            ("7", 7),
            ("last 7 days", 7),
            ("a week", 7),
            ("two weeks", 14),
            ("seit Montag", 6),
            ("since Monday", 6),
            ("Friday", 2),
            ("yesterday", 1),
            ("today", 0),
            ("hier", 1),
            ("2026-11-01", 28),
            ("24 hours", 1),
            ("last week", 13),
            ("les 3 derniers jours", 3),
        ] {
            assert_eq!(days(text), Ok(Some(expected)), "{text}");
        }
        for text in ["soon", "tomorrow", "05/12/2026"] {
            assert!(days(text).is_err(), "{text}");
        }
    }
}
