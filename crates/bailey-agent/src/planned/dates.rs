//! When something is to happen: settled by the person's words, where they say it, and not by what a small model makes of them.

use bailey_dates::{Context, Found, Unclear, When, found};
use jiff::Zoned;
use jiff::civil::Time;
use serde_json::Value;

/// Tells the dates of a task and what they are, for a model that reckons badly; empty where it names none that is clear.
pub(super) fn said(task: &str, now: &Zoned) -> String {
    let told = |one: &Found| one.meaning.as_ref().ok().map(|when| format!("`{}` is {}", one.phrase, when.told()));
    found(task, &Context::new(now.clone())).iter().filter_map(told).collect::<Vec<_>>().join(", ")
}

/// Puts the person's own words of when into the arguments of a step that makes or moves an entry, where they name one day or
/// moment. The tool reads them, and asks where they are not clear. A day takes the time of day that the model filled in.
pub(super) fn settled(tool: &str, arguments: String, task: &str) -> String {
    if !matches!(tool, "calendar_create" | "calendar_change") {
        return arguments;
    }
    // What the words are is the same at any moment; what they mean is the tool's to say.
    let any = Context::new(Zoned::new(jiff::Timestamp::UNIX_EPOCH, jiff::tz::TimeZone::UTC));
    let all = found(task, &any);
    let ([one], Ok(Value::Object(mut object))) = (all.as_slice(), serde_json::from_str(&arguments)) else {
        return arguments;
    };
    if is_of_something_else(task, &one.phrase) {
        return arguments;
    }
    let begins = match kind(&one.meaning) {
        Kind::Moment => one.phrase.clone(),
        Kind::Day => match object.get("begins").and_then(Value::as_str).and_then(|text| time_of(text, &any)) {
            Some(time) => format!("{} {}", one.phrase, time.strftime("%H:%M")),
            None => one.phrase.clone(),
        },
        Kind::Hours => {
            object.remove("ends");
            one.phrase.clone()
        }
        Kind::Other => return arguments,
    };
    object.insert("begins".into(), begins.into());
    Value::Object(object).to_string()
}

/// Tells whether a date is that of something there is already: Ana's mail of Friday, the meeting from Monday.
fn is_of_something_else(task: &str, phrase: &str) -> bool {
    const OF: [&str; 10] = ["of", "from", "since", "dated", "von", "vom", "seit", "de", "du", "depuis"];
    let before = task.find(phrase).and_then(|at| task.get(..at)).unwrap_or_default();
    let beside = [before.split_whitespace().next_back(), phrase.split_whitespace().next()];
    beside.into_iter().flatten().any(|word| OF.contains(&word.to_lowercase().as_str()))
}

enum Kind {
    Moment,
    Day,
    /// From one time of day to another.
    Hours,
    Other,
}

/// Returns what a phrase names, whatever it comes to.
fn kind(meaning: &Result<When, Unclear>) -> Kind {
    let when = match meaning {
        Ok(when) => when,
        Err(Unclear::Ambiguous { readings, .. }) => match readings.first() {
            Some(when) => when,
            None => return Kind::Other,
        },
        Err(_) => return Kind::Other,
    };
    match when {
        When::Moment(_) => Kind::Moment,
        When::Day(_) => Kind::Day,
        When::Span(begins, ends) if begins.date() == ends.date() && !is_part_of_day(begins, ends) => Kind::Hours,
        When::Span(..) | When::Days(..) | When::Length(_) => Kind::Other,
    }
}

/// Tells whether a span is one that a part of the day stands for: a morning is no time at which something begins.
fn is_part_of_day(begins: &Zoned, ends: &Zoned) -> bool {
    [(6, 12), (9, 12), (12, 18), (18, 22)].contains(&(begins.hour(), ends.hour())) && begins.minute() == 0
}

/// Returns the time of day that a model filled in, if it did.
fn time_of(text: &str, cx: &Context) -> Option<Time> {
    let moment = match bailey_dates::read(text, cx) {
        Ok(When::Moment(moment) | When::Span(moment, _)) => moment,
        Err(Unclear::Past { was: When::Moment(moment), .. }) => moment,
        _ => return None,
    };
    // A day at midnight is how models write a whole day.
    (moment.time() != Time::midnight()).then(|| moment.time())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn when_the_person_says_it_holds_whatever_a_model_writes() {
        let begins = |task: &str, written: &str| {
            let out = settled("calendar_create", json!({"what": "x", "begins": written}).to_string(), task);
            serde_json::from_str::<Value>(&out).unwrap()["begins"].as_str().unwrap().to_owned()
        };
        for (task, written, expected) in [
            ("Put lunch into my calendar for tomorrow at 12:30", "2025-01-01T12:30", "tomorrow at 12:30"),
            ("Trag übermorgen um halb zehn den Zahnarzt ein", "2026-12-01T10:30", "übermorgen um halb zehn"),
            ("Put lunch into my calendar on Friday", "2026-12-03T12:30", "on Friday 12:30"),
            ("Put lunch into my calendar on Friday", "2026-12-03", "on Friday"),
            ("Put lunch into my calendar on Friday", "2026-12-03T00:00", "on Friday"),
            ("Add the talk tomorrow 9-11", "2026-12-03", "tomorrow 9-11"),
            // Two dates, or a span of days: the model says which is meant.
            ("Move lunch from Tuesday to Friday", "Friday 12:30", "Friday 12:30"),
            ("Add the meeting of Friday's mail", "2026-12-03T10:00", "2026-12-03T10:00"),
            ("Trag den Termin aus der Mail vom Freitag ein", "2026-12-03T10:00", "2026-12-03T10:00"),
            ("Ana wrote yesterday; add what she proposes", "2026-12-03T10:00", "2026-12-03T10:00"),
            ("Add what Ana proposes", "2026-12-03T10:00", "2026-12-03T10:00"),
            ("Add a call tomorrow morning", "2026-12-03T10:00", "2026-12-03T10:00"),
        ] {
            assert_eq!(begins(task, written), expected, "{task}");
        }
        let other = json!({"begins": "x"}).to_string();
        assert_eq!(settled("mail_search", other.clone(), "tomorrow at 9"), other);
        assert_eq!(settled("calendar_create", "{".into(), "tomorrow at 9"), "{");
    }

    #[test]
    fn dates_of_the_task_are_reckoned_for_the_model() {
        let now: Zoned = "2026-11-29T10:00[Europe/Berlin]".parse().unwrap();
        assert_eq!(
            said("Move the dentist from Tuesday 3pm to übermorgen or to next Friday at 10am", &now),
            "`from Tuesday 3pm` is Tuesday 2026-12-01 15:00 CET (UTC+01:00), `next Friday at 10am` is Friday 2026-12-04 10:00 CET (UTC+01:00)"
        );
        assert_eq!(said("What needs me?", &now), "");
    }
}
