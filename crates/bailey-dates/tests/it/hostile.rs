//! What nobody means: any letters, any words, however many. Nothing panics, and nothing takes long.

use bailey_dates::{Context, Language, MAX_PHRASE_BYTES, Toward, found, read};
use proptest::prelude::*;

use super::{said_at, shown};

fn cases() -> u32 {
    std::env::var("BAILEY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(600)
}

/// Words that mean something, in no order at all.
const WORDS: [&str; 60] = [
    "tomorrow",
    "at",
    "9",
    "half",
    "past",
    "next",
    "Friday",
    "5",
    "December",
    "in",
    "two",
    "weeks",
    "from",
    "to",
    "until",
    "last",
    "of",
    "the",
    "month",
    "noon",
    "midnight",
    "pm",
    "am",
    "for",
    "hours",
    "KW",
    "50",
    "um",
    "halb",
    "viertel",
    "vor",
    "nach",
    "morgen",
    "Abend",
    "nächste",
    "Woche",
    "bis",
    "von",
    "3.",
    "12.",
    "2026",
    "05/12/2026",
    "2026-12-05",
    "15:30",
    "15h30",
    "le",
    "lundi",
    "à",
    "heures",
    "et demie",
    "moins",
    "prochain",
    "fin",
    "du",
    "UTC+2",
    "New York",
    "–",
    "-",
    ",",
    "99999",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), year in 1_i16..=9998, ahead in any::<bool>()) {
        let now = jiff::civil::date(year, 12, 31).at(23, 59, 59, 0).in_tz("Europe/Paris").unwrap();
        let toward = if ahead { Toward::Ahead } else { Toward::Back };
        let cx = Context::new(now).toward(toward);
        let _ = shown(&read(&text, &cx));
        let _ = found(&text, &cx);
    }

    #[test]
    fn any_words_are_read_or_refused(words in prop::collection::vec(prop::sample::select(&WORDS), 1..14), year in prop::sample::select(&[-9999_i16, 1, 2026, 2028, 9999])) {
        let now = jiff::civil::date(year, 2, 28).at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        for language in Language::ALL {
            let cx = Context::new(now.clone()).first(Some(language));
            let text = words.join(" ");
            let meaning = read(&text, &cx);
            let _ = shown(&meaning);
            let _ = found(&text, &cx);
            // What is said to be meant reads back as that.
            if let Ok(when) = meaning && year == 2026 {
                let exact = when.exact();
                prop_assert_eq!(read(&exact, &cx), Ok(when), "{} from {}", exact, text);
            }
        }
    }
}

#[test]
fn long_phrases_are_refused_before_they_are_read() {
    let cx = said_at("2026-11-29T10:00[Europe/Berlin]");
    for text in ["tomorrow ".repeat(100), "9".repeat(MAX_PHRASE_BYTES), "1 ".repeat(99), "a".repeat(10_000_000)] {
        assert!(shown(&read(&text, &cx)).contains("too long"), "{}", &text[..20]);
    }
}
