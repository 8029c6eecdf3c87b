//! The grammar held against what people mean, and against what nobody means.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has to fail, and says where")]

use bailey_dates::{Context, Unclear, When, read};

mod hostile;
mod kinds;
mod oracle;
mod words;

/// A meaning in a line: `= VALUE`, `? VALUE | VALUE`, `< VALUE` where it is past, `! why`.
fn shown(meaning: &Result<When, Unclear>) -> String {
    match meaning {
        Ok(when) => format!("= {}", when.exact()),
        Err(Unclear::Ambiguous { readings, .. }) => {
            format!("? {}", readings.iter().map(When::exact).collect::<Vec<_>>().join(" | "))
        }
        Err(Unclear::Past { was, .. }) => format!("< {}", was.exact()),
        Err(other) => format!("! {other}"),
    }
}

/// Said on this moment: `2026-11-29T10:00[Europe/Berlin]`.
fn said_at(now: &str) -> Context {
    Context::new(now.parse().unwrap())
}

/// Checks lines of `phrase = meaning`; seconds and distances that are zero or of the zone may be left out of moments.
fn check(cx: &Context, rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(phrase, expected)| {
            let found = shown(&read(phrase, cx));
            let short = found.replace(":00+01:00", "").replace(":00+02:00", "");
            let same = *expected == found || *expected == short || (*expected == "!" && found.starts_with('!'));
            (!same).then(|| format!("`{phrase}`: {short}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "said on {}:\n{}", cx.now, wrong.join("\n"));
}
