//! Rules of repetition as calendars write them (RFC 5545, 3.3.10), with the time they count from.

use bailey_calendar::Stamp;
use bailey_calendar::rule::{Frequency, Rule};
use jiff::Zoned;

use crate::{Form, When};

/// Tells whether a text is meant as a rule.
pub(crate) fn is_meant(said: &str) -> bool {
    let said = said.to_ascii_uppercase();
    said.contains("FREQ=") || said.starts_with("RRULE") || said.starts_with("DTSTART")
}

/// Reads `RRULE:…`, with `DTSTART:…` before it where it has to count from a day or a time. Without, it counts from today, and its hour has to
/// be in it.
pub(crate) fn read(said: &str, now: &Zoned) -> Result<When, String> {
    let (mut rule, mut start) = (None, None);
    for line in said.split_whitespace() {
        let upper = line.to_ascii_uppercase();
        if let Some(value) = upper.strip_prefix("DTSTART:").or_else(|| upper.strip_prefix("DTSTART=")) {
            let stamp = Stamp::read(value, None);
            let bad = || {
                format!(
                    "`{line}` is no beginning; write `DTSTART:20270104T090000`, on the clock of the schedule's zone"
                )
            };
            let floating = matches!(stamp.as_ref().map(|stamp| &stamp.form), Some(bailey_calendar::Form::Floating));
            start = Some(stamp.filter(|_| floating).ok_or_else(bad)?.at);
        } else {
            rule = Some(upper.strip_prefix("RRULE:").unwrap_or(&upper).to_owned());
        }
    }
    let text = rule.ok_or("there is no rule; write `RRULE:FREQ=…`")?;
    let read = Rule::read(&text).map_err(|why| format!("that rule cannot be read: {why}"))?;
    if read.frequency < Frequency::Daily {
        return Err("a rule repeats by day, week, month or year; for hours and minutes write `every 2 hours`".into());
    }
    if start.is_none() && read.by_hour.is_empty() {
        return Err("the rule says no time; add `BYHOUR=9;BYMINUTE=0`, or `DTSTART:20270104T090000` before it".into());
    }
    let start = match start {
        Some(start) => start,
        None => now.datetime().date().at(0, 0, 0, 0),
    };
    let told = format!("by the rule {text}, counted from {}", start.strftime("%Y-%m-%d %H:%M"));
    Ok(When { form: Form::repeat(&text, start)?, told })
}
