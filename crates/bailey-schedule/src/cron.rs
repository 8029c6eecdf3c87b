//! Five fields of cron, in the dialect of `croner`: `L`, `LW`, `15W`, `5#2`, `@daily`.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::{Form, When};

/// Tells whether a text is meant as cron: `@daily`, or five or more fields of its signs, the first two without a word.
pub(crate) fn is_meant(said: &str) -> bool {
    let fields: Vec<&str> = said.split_whitespace().collect();
    let begins = |field: &&str| field.starts_with(|c: char| c.is_ascii_digit() || "*?".contains(c));
    let signs = |field: &&str| field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*?/,#-+".contains(&byte));
    said.starts_with('@') || (fields.len() >= 5 && fields.iter().take(2).all(begins) && fields.iter().all(signs))
}

pub(crate) fn parse(said: &str) -> Result<Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(said).map_err(|error| format!("that is no cron of five fields: {error}"))
}

pub(crate) fn read(said: &str) -> Result<When, String> {
    let fields: Vec<&str> = said.split_whitespace().collect();
    if fields.len() > 5 {
        return Err("cron has five fields here: minute, hour, day of the month, month, day of the week; a schedule is not due by the second".into());
    }
    let is_open = |at: usize| fields.get(at).is_none_or(|field| matches!(*field, "*" | "?"));
    if fields.len() == 5 && !is_open(2) && !is_open(4) {
        return Err("cron with a day of the month and a day of the week is due on both, which few mean; leave one of them `*`, or say it in words such as `first Monday of the month at 9.00`".into());
    }
    let cron = parse(said)?;
    // The library's own description takes `LW` for `L`; the times that are shown say it better.
    Ok(When { told: format!("by the cron line {}", cron.as_str()), form: Form::Cron(Box::new(cron)) })
}
