//! Dates in running text, and how moments are told.

use bailey_dates::{Language, found, language_of, told, told_span};

use super::{said_at, shown};

#[test]
fn dates_in_a_persons_words_are_found() {
    let cx = said_at("2026-11-29T10:00[Europe/Berlin]");
    for (text, expected) in [
        ("Move the dentist to Friday at 10am please", "Friday at 10am = 2026-12-04T10:00:00+01:00"),
        ("Put lunch with Ana into my calendar for tomorrow at 12:30.", "tomorrow at 12:30 = 2026-11-30T12:30:00+01:00"),
        ("Trag bitte übermorgen um halb zehn den Zahnarzt ein", "übermorgen um halb zehn = 2026-12-01T09:30:00+01:00"),
        ("Ajoute le rendez-vous avec Paul le 3 décembre à 15h30", "le 3 décembre à 15h30 = 2026-12-03T15:30:00+01:00"),
        ("Add the call this morning at 9 and tell me", "this morning at 9 < 2026-11-29T09:00:00+01:00"),
        ("What may I do about the second mail? It is fun.", ""),
        ("Tell me what needs me, in two sentences.", ""),
        ("Answer Ana about Tuesday after checking my calendar", "about Tuesday = 2026-12-01"),
        ("Am I free from Monday to Wednesday?", "from Monday to Wednesday = 2026-11-30 to 2026-12-02"),
    ] {
        let all: Vec<String> =
            found(text, &cx).iter().map(|one| format!("{} {}", one.phrase, shown(&one.meaning))).collect();
        assert_eq!(all.join("; "), expected, "{text}");
    }
}

#[test]
fn a_texts_language_is_told_by_its_words() {
    assert_eq!(language_of("Move the dentist to Friday"), Some(Language::English));
    assert_eq!(language_of("Verschieb bitte den Zahnarzt auf den 05/12/2026"), Some(Language::German));
    assert_eq!(language_of("Déplace le rendez-vous avec Paul"), Some(Language::French));
    assert_eq!(language_of("OK"), None);
}

#[test]
fn moments_are_told_with_weekday_date_time_and_zone() {
    for (moment, expected) in [
        ("2026-12-01T00:30[Europe/Paris]", "Tuesday 2026-12-01 00:30 CET (UTC+01:00)"),
        ("2026-07-01T00:30[America/Sao_Paulo]", "Wednesday 2026-07-01 00:30 UTC-03:00"),
        ("2026-07-01T00:30[UTC]", "Wednesday 2026-07-01 00:30 UTC"),
        ("2026-07-01T09:00:30[Asia/Kolkata]", "Wednesday 2026-07-01 09:00:30 IST (UTC+05:30)"),
    ] {
        assert_eq!(told(&moment.parse().unwrap()), expected);
    }
    let [begins, ends] =
        ["2026-12-01T09:00[Europe/Paris]", "2026-12-01T10:30[Europe/Paris]"].map(|at| at.parse().unwrap());
    assert_eq!(told_span(&begins, &ends), "Tuesday 2026-12-01 09:00 to 10:30 CET (UTC+01:00)");
}
