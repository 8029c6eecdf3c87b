//! Each kind of phrase, in each language. Sunday 2026-11-29, ten in the morning, in Berlin, where nothing else is said.

use bailey_dates::{Context, Language, Order, Toward};

use super::{check, said_at};

fn sunday() -> Context {
    said_at("2026-11-29T10:00[Europe/Berlin]")
}

#[test]
fn days_are_read_in_three_languages() {
    check(
        &sunday(),
        &[
            ("tomorrow", "= 2026-11-30"),
            ("MORGEN", "= 2026-11-30"),
            ("aujourd’hui", "= 2026-11-29"),
            ("the day after tomorrow", "= 2026-12-01"),
            ("ubermorgen", "= 2026-12-01"),
            ("uebermorgen", "= 2026-12-01"),
            ("apres-demain", "= 2026-12-01"),
            ("5 December", "= 2026-12-05"),
            ("December 5th 2027", "= 2027-12-05"),
            ("the 21st of December", "= 2026-12-21"),
            ("twenty-first of December", "= 2026-12-21"),
            ("der 3. Dezember", "= 2026-12-03"),
            ("einundzwanzigster Dezember", "= 2026-12-21"),
            ("am 3.", "= 2026-12-03"),
            ("am Ersten", "= 2026-12-01"),
            ("le 3 décembre", "= 2026-12-03"),
            ("1ᵉʳ déc.", "= 2026-12-01"),
            ("le vingt et un décembre", "= 2026-12-21"),
            ("le 3", "= 2026-12-03"),
            ("05.12.2026", "= 2026-12-05"),
            ("5.12.", "= 2026-12-05"),
            ("5. 12. 2026", "= 2026-12-05"),
            ("5.12.26", "= 2026-12-05"),
            ("2026-12-05", "= 2026-12-05"),
            ("2026/12/05", "= 2026-12-05"),
            ("20261205", "= 2026-12-05"),
            ("2026-W50-3", "= 2026-12-09"),
            ("Freitag", "= 2026-12-04"),
            ("kommenden Freitag", "= 2026-12-04"),
            ("vendredi prochain", "= 2026-12-04"),
            ("Friday week", "= 2026-12-11"),
            ("a week from Friday", "= 2026-12-11"),
            ("vendredi en huit", "= 2026-12-11"),
            ("heute in einer Woche", "= 2026-12-06"),
            ("Friday, 4 December", "= 2026-12-04"),
            ("Freitag, der 4.", "= 2026-12-04"),
            ("in two weeks", "= 2026-12-13"),
            ("in a fortnight", "= 2026-12-13"),
            ("in einem Monat", "= 2026-12-29"),
            ("dans 3 mois", "= 2027-02-28"),
            ("first Monday of January", "= 2027-01-04"),
            ("erster Montag im Januar", "= 2027-01-04"),
            ("le premier lundi de janvier", "= 2027-01-04"),
            ("letzter Freitag im Dezember", "= 2026-12-25"),
            ("end of month", "= 2026-11-30"),
            ("Monatsende", "= 2026-11-30"),
            ("fin décembre", "= 2026-12-31"),
            ("last day of February", "= 2027-02-28"),
            ("Montag in KW 50", "= 2026-12-07"),
            ("the 1st of next month", "= 2026-12-01"),
            ("am 15. des nächsten Monats", "= 2026-12-15"),
            ("le premier du mois prochain", "= 2026-12-01"),
            ("the first of the month", "< 2026-11-01"),
            ("mardi 8", "= 2026-12-08"),
            ("a week today", "= 2026-12-06"),
            ("two weeks from tomorrow", "= 2026-12-14"),
            ("all day tomorrow", "= 2026-11-30"),
            ("Christmas Eve", "= 2026-12-24"),
            ("Heiligabend", "= 2026-12-24"),
            ("veille de Noël", "= 2026-12-24"),
            ("Silvester", "= 2026-12-31"),
        ],
    );
}

#[test]
fn times_of_day_are_read_in_three_languages() {
    check(
        &sunday(),
        &[
            ("tomorrow at 9", "= 2026-11-30T09:00"),
            ("9 tomorrow", "= 2026-11-30T09:00"),
            ("tomorrow 9 o’clock", "= 2026-11-30T09:00"),
            ("tomorrow at half past nine", "= 2026-11-30T09:30"),
            ("nine thirty tomorrow", "= 2026-11-30T09:30"),
            ("quarter to five pm", "= 2026-11-29T16:45"),
            ("tomorrow at ten to nine", "= 2026-11-30T08:50"),
            ("tomorrow at noon", "= 2026-11-30T12:00"),
            ("Sat 5 Dec 2026 9:30 p.m.", "= 2026-12-05T21:30"),
            ("übermorgen um halb zehn", "= 2026-12-01T09:30"),
            ("morgen fünf vor halb zehn", "= 2026-11-30T09:25"),
            ("morgen viertel nach neun", "= 2026-11-30T09:15"),
            ("morgen um drei Viertel zehn", "= 2026-11-30T09:45"),
            ("viertel nach drei", "= 2026-11-29T15:15"),
            ("drei Viertel vier", "= 2026-11-29T15:45"),
            ("morgen um halb eins", "= 2026-11-30T12:30"),
            ("am 4.12. um 9.30", "= 2026-12-04T09:30"),
            ("9 Uhr abends", "= 2026-11-29T21:00"),
            ("15h30", "= 2026-11-29T15:30"),
            ("demain 15\u{202f}h", "= 2026-11-30T15:00"),
            ("demain à neuf heures et demie", "= 2026-11-30T09:30"),
            ("onze heures moins dix demain", "= 2026-11-30T10:50"),
            ("demain à midi moins le quart", "= 2026-11-30T11:45"),
            ("demain soir à 8 heures", "= 2026-11-30T20:00"),
            ("minuit", "= 2026-11-30T00:00"),
            ("tonight at 1", "= 2026-11-30T01:00"),
            ("in 90 minutes", "= 2026-11-29T11:30"),
            ("in anderthalb Stunden", "= 2026-11-29T11:30"),
            ("dans une demi-heure", "= 2026-11-29T10:30"),
            ("le mardi 8 à 15h30", "= 2026-12-08T15:30"),
            ("Dienstagmorgen um 9", "= 2026-12-01T09:00"),
            ("Freitagnachmittag um 3", "= 2026-12-04T15:00"),
            ("Friday at 0900", "= 2026-12-04T09:00"),
            ("morgen zwölf Uhr mittags", "= 2026-11-30T12:00"),
            ("Sat, 05 Dec 2026 17:00:00 +0100", "= 2026-12-05T17:00"),
            ("2026-12-05T15:00", "= 2026-12-05T15:00"),
            ("2026-12-05 5:30", "= 2026-12-05T05:30"),
            ("2026-12-05T15:00Z", "= 2026-12-05T16:00"),
            ("20261205T150000Z", "= 2026-12-05T16:00"),
        ],
    );
}

#[test]
fn spans_are_read_in_three_languages() {
    check(
        &sunday(),
        &[
            ("next week", "= 2026-11-30 to 2026-12-06"),
            ("übernächste Woche", "= 2026-12-07 to 2026-12-13"),
            ("KW50", "= 2026-12-07 to 2026-12-13"),
            ("week 50", "= 2026-12-07 to 2026-12-13"),
            ("semaine 50", "= 2026-12-07 to 2026-12-13"),
            ("ce week-end", "= 2026-11-28 to 2026-11-29"),
            ("in December", "= 2026-12-01 to 2026-12-31"),
            ("next year", "= 2027-01-01 to 2027-12-31"),
            ("from Monday to Wednesday", "= 2026-11-30 to 2026-12-02"),
            ("Mo–Mi", "= 2026-11-30 to 2026-12-02"),
            ("de lundi à mercredi", "= 2026-11-30 to 2026-12-02"),
            ("5-7 December", "= 2026-12-05 to 2026-12-07"),
            ("5 to 7 January", "= 2027-01-05 to 2027-01-07"),
            ("Dienstagabend", "= 2026-12-01T18:00 to 2026-12-01T22:00"),
            ("cette nuit", "= 2026-11-29T22:00 to 2026-11-30T06:00"),
            ("vom 5. bis 7. Dezember", "= 2026-12-05 to 2026-12-07"),
            ("du 5 au 7 décembre", "= 2026-12-05 to 2026-12-07"),
            ("28.12.-3.1.", "= 2026-12-28 to 2027-01-03"),
            ("until Friday", "= 2026-11-29 to 2026-12-04"),
            ("bis 17 Uhr", "= 2026-11-29T10:00 to 2026-11-29T17:00"),
            ("Monday morning", "= 2026-11-30T06:00 to 2026-11-30T12:00"),
            ("morgen früh", "= 2026-11-30T06:00 to 2026-11-30T12:00"),
            ("heute Abend", "= 2026-11-29T18:00 to 2026-11-30T00:00"),
            ("tomorrow 9am–5pm", "= 2026-11-30T09:00 to 2026-11-30T17:00"),
            ("tomorrow 9-5", "= 2026-11-30T09:00 to 2026-11-30T17:00"),
            ("tomorrow 2-4pm", "= 2026-11-30T14:00 to 2026-11-30T16:00"),
            ("tomorrow 11-1pm", "= 2026-11-30T11:00 to 2026-11-30T13:00"),
            ("morgen von 9 bis 11 Uhr", "= 2026-11-30T09:00 to 2026-11-30T11:00"),
            ("demain de 9h à 11h", "= 2026-11-30T09:00 to 2026-11-30T11:00"),
            ("Fri 22:00-02:00", "= 2026-12-04T22:00 to 2026-12-05T02:00"),
            ("tomorrow at 9 for two hours", "= 2026-11-30T09:00 to 2026-11-30T11:00"),
            ("from Monday for three days", "= 2026-11-30 to 2026-12-02"),
            ("the next two weeks", "= 2026-11-29 to 2026-12-12"),
            ("for two hours", "= 120 minutes"),
            ("an hour and a half", "= 90 minutes"),
            ("1,5 Stunden", "= 90 minutes"),
            ("pendant 1h30", "= 90 minutes"),
        ],
    );
}

#[test]
fn what_can_mean_two_things_asks() {
    check(
        &sunday(),
        &[
            ("05/12/2026", "? 2026-12-05 | 2026-05-12"),
            ("Saturday 05/12/2026", "= 2026-12-05"),
            ("25/12/2026", "= 2026-12-25"),
            ("tomorrow at 3", "? 2026-11-30T03:00 | 2026-11-30T15:00"),
            ("demain à 5h", "? 2026-11-30T05:00 | 2026-11-30T17:00"),
            ("tomorrow from 2 to 4", "? 2026-11-30T02:00 to 2026-11-30T04:00 | 2026-11-30T14:00 to 2026-11-30T16:00"),
            ("tomorrow 10 to 11", "? 2026-11-30T10:50 | 2026-11-30T10:00 to 2026-11-30T11:00"),
            ("tomorrow midnight", "? 2026-11-30T00:00 | 2026-12-01T00:00"),
            ("Sonntag", "? 2026-11-29 | 2026-12-06"),
            ("in acht Tagen", "? 2026-12-07 | 2026-12-06"),
            ("in 8 days", "= 2026-12-07"),
            ("dans quinze jours", "? 2026-12-14 | 2026-12-13"),
            ("29 February", "? 2027-02-28 | 2027-03-01 | 2028-02-29"),
            ("Ende nächster Woche", "? 2026-12-04 | 2026-12-06"),
            ("3pm CST tomorrow", "? 2026-11-30T22:00 | 2026-11-30T08:00"),
            ("20. Juli 2027 15 Uhr MEZ", "? 2027-07-20T16:00 | 2027-07-20T15:00"),
        ],
    );
    let saturday = said_at("2026-11-28T12:30[Europe/Paris]");
    for said in ["next Saturday", "nächsten Samstag", "samedi prochain"] {
        check(&saturday, &[(said, "? 2026-12-05 | 2026-12-12")]);
    }
    let wednesday = said_at("2026-12-02T12:00[Europe/Paris]");
    check(&wednesday, &[("next Friday", "? 2026-12-04 | 2026-12-11"), ("next Monday", "= 2026-12-07")]);
}

#[test]
fn a_date_in_digits_goes_by_the_language_and_the_persons_way() {
    let said = [("05/12/2027", "= 2027-12-05")];
    check(&sunday().first(Some(Language::German)), &said);
    check(&sunday().first(Some(Language::French)), &said);
    check(&Context { order: Some(Order::DayFirst), ..sunday() }, &said);
    check(
        &Context { order: Some(Order::MonthFirst), ..sunday() },
        &[("05/12/2027", "= 2027-05-12"), ("25/12/2027", "= 2027-12-25")],
    );
}

#[test]
fn what_is_past_asks_and_names_what_may_be_meant() {
    check(
        &said_at("2026-11-29T12:30[Europe/Berlin]"),
        &[
            ("today at 9", "< 2026-11-29T09:00"),
            ("heute um 9 Uhr", "< 2026-11-29T09:00"),
            ("this morning", "< 2026-11-29T06:00 to 2026-11-29T12:00"),
            ("ce matin", "< 2026-11-29T06:00 to 2026-11-29T12:00"),
            ("at 9", "< 2026-11-29T09:00"),
            ("2026-11-28T15:00", "< 2026-11-28T15:00"),
            ("yesterday", "< 2026-11-28"),
            ("vor zwei Tagen", "< 2026-11-27"),
            ("il y a deux jours", "< 2026-11-27"),
            ("last Friday", "< 2026-11-27"),
            ("this Friday", "< 2026-11-27"),
            ("letzter Freitag im Monat", "< 2026-11-27"),
            ("5 November", "< 2026-11-05"),
            ("5 March", "= 2027-03-05"),
        ],
    );
    let asked = bailey_dates::read("at 9", &said_at("2026-11-29T12:30[Europe/Berlin]")).unwrap_err().to_string();
    assert_eq!(
        asked,
        "Sunday 2026-11-29 09:00 CET (UTC+01:00) is past; perhaps Sunday 2026-11-29 21:00 CET (UTC+01:00) (write `2026-11-29T21:00:00+01:00`), or Monday 2026-11-30 09:00 CET (UTC+01:00) (write `2026-11-30T09:00:00+01:00`) is meant; ask the person which date and time is meant"
    );
}

#[test]
fn what_was_is_read_where_one_looks_back() {
    let back = sunday().toward(Toward::Back);
    check(
        &back,
        &[
            ("yesterday", "= 2026-11-28"),
            ("Monday", "= 2026-11-23"),
            ("since Monday", "= 2026-11-23 to 2026-11-29"),
            ("seit Montag", "= 2026-11-23 to 2026-11-29"),
            ("depuis lundi", "= 2026-11-23 to 2026-11-29"),
            ("5 March", "= 2026-03-05"),
            ("last 7 days", "= 2026-11-22 to 2026-11-29"),
            ("die letzten 7 Tage", "= 2026-11-22 to 2026-11-29"),
            ("les 7 derniers jours", "= 2026-11-22 to 2026-11-29"),
            ("last week", "= 2026-11-16 to 2026-11-22"),
        ],
    );
}

#[test]
fn clocks_that_change_ask() {
    check(
        &sunday(),
        &[
            ("28 March 2027 at 02:30", "? 2027-03-28T01:30 | 2027-03-28T03:30"),
            ("31.10.2027 02:30", "? 2027-10-31T02:30 | 2027-10-31T02:30"),
            ("31 October 2027 at 02:30 UTC", "= 2027-10-31T03:30"),
        ],
    );
    let said = bailey_dates::read("31.10.2027 02:30", &sunday()).unwrap_err().to_string();
    assert!(
        said.starts_with(
            "02:30 comes twice on 2027-10-31, when clocks are set back; it can mean Sunday 2027-10-31 02:30 CEST"
        ),
        "{said}"
    );
    // What a reading says to write reads back as it.
    check(
        &sunday(),
        &[
            ("2027-10-31T02:30:00+02:00", "= 2027-10-31T02:30:00+02:00"),
            ("2027-10-31T02:30:00+01:00", "= 2027-10-31T02:30:00+01:00"),
        ],
    );
}

#[test]
fn zones_are_read_in_words() {
    check(
        &sunday(),
        &[
            ("tomorrow 9am New York time", "= 2026-11-30T15:00"),
            ("demain 15h heure de New York", "= 2026-11-30T21:00"),
            ("morgen 15 Uhr Londoner Zeit", "= 2026-11-30T16:00"),
            ("morgen 15 Uhr MEZ", "= 2026-11-30T15:00"),
            ("tomorrow 15:00 UTC+2", "= 2026-11-30T14:00"),
            ("tomorrow 9am in Tokyo", "= 2026-11-30T01:00"),
            ("tomorrow 9am–5pm New York time", "= 2026-11-30T15:00 to 2026-11-30T23:00"),
        ],
    );
}

#[test]
fn what_is_not_understood_is_refused_with_what_it_was() {
    let refused = |said: &str| bailey_dates::read(said, &sunday()).unwrap_err().to_string();
    for (said, why) in [
        ("soon", "`soon` is not understood"),
        ("tomorrow-ish", "`ish` is not understood"),
        ("morgen at 9", "several languages"),
        ("tomorrow um 9", "several languages"),
        ("Easter", "`Easter` is not the same day everywhere"),
        ("Weihnachten", "`Weihnachten` is not the same day everywhere"),
        ("Pâques", "`Pâques` is not the same day everywhere"),
        ("2026-02-30", "there is no day `2026-02-30`"),
        ("30 February", "there is no 30 February"),
        ("29 February 2027", "there is no day 2027-02-29"),
        ("Friday 5 December 2026", "it is Saturday 2026-12-05"),
        ("tomorrow morning at 15:00", "does not go with that part"),
        ("tomorrow 25:00", "`25:00` is not understood"),
        ("tomorrow 9:75", "`9:75` is not understood"),
        ("tomorrow at 13pm", "`13pm` is not understood"),
        ("15", "`15` is not understood"),
        ("tomorrow and Friday", "`and` is not understood"),
        ("Monday Tuesday", "`Tuesday` is not understood"),
        ("tomorrow tomorrow", "`tomorrow` is not understood"),
        ("before Friday", "`before` is not understood"),
        ("dans 3", "`3` is not understood"),
        ("morgen bis 10", "no time at which it begins"),
        ("15.30", "a time is written as 15:30"),
        ("week 54", "is not understood"),
        ("", "no date is named"),
        ("«»", "no date is named"),
    ] {
        let found = refused(said);
        assert!(found.contains(why), "`{said}`: {found}");
    }
}
