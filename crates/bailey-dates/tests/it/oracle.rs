//! Dates that were values first (`oracle/generate.py`).

use bailey_dates::{Context, Language, read};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::shown;

#[test]
fn ten_thousand_phrases_mean_what_they_were_made_of() {
    let mut wrong = Vec::new();
    let mut count = 0;
    // Others than those checked in: `BAILEY_PHRASES=FILE`.
    let others = std::env::var_os("BAILEY_PHRASES").map(|path| std::fs::read_to_string(path).unwrap());
    for line in others.as_deref().unwrap_or(include_str!("oracle/phrases.tsv")).lines() {
        let [zone, said, language, phrase, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let language = match language {
            "en" => Language::English,
            "de" => Language::German,
            _ => Language::French,
        };
        let now: Timestamp = said.parse().unwrap();
        let cx = Context::new(now.to_zoned(TimeZone::get(zone).unwrap())).first(Some(language));
        let found = shown(&read(phrase, &cx));
        count += 1;
        if found != expected {
            wrong.push(format!("{zone} {} `{phrase}`: {found}, not {expected}", cx.now));
        }
    }
    assert!(count >= 10_000, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
}
