//! Changes: what was not to change stays, byte for byte.

use bailey_calendar::edit::{self, Changes, Point, Wanted, moved};
use bailey_calendar::{Object, Occurrence, Series, itip};

use crate::objects::{paris, told};
use crate::shapes::shape;

fn on(date: &str, time: Option<&str>) -> Option<Point> {
    Some(Point { date: date.parse().unwrap(), time: time.map(|time| time.parse().unwrap()), at: None })
}

fn all_of(series: &Series) -> Vec<Occurrence> {
    series
        .within("2026-11-20T00:00:00Z".parse().unwrap(), "2026-12-20T00:00:00Z".parse().unwrap(), &paris())
        .occurrences
}

/// The text with its first occurrence moved.
fn with_times(text: &str, wanted: Wanted) -> String {
    let object = Object::read(text.as_bytes()).unwrap();
    let series = Series::only(&object).unwrap();
    let one = &all_of(&series)[0];
    let event = &series.events[one.event];
    let times = moved((&one.start, &one.end), &event.end, wanted, &paris()).unwrap();
    let after = edit::change(&object, event, &Changes { times: Some(times), ..Changes::default() });
    String::from_utf8(after).unwrap()
}

/// The lines that differ.
fn difference(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (lines(before), lines(after));
    (
        before.iter().filter(|line| !after.contains(line)).cloned().collect(),
        after.iter().filter(|line| !before.contains(line)).cloned().collect(),
    )
}

#[test]
fn a_moved_entry_keeps_time_of_day_length_kind_and_zones() {
    let day = |date| Wanted { begins: on(date, None), ends: None };
    let time = |date, time| Wanted { begins: on(date, Some(time)), ends: None };
    for (name, wanted, expected) in [
        ("Radicale", day("2026-11-27"), "DTSTART:20261127T140000Z DTEND:20261127T150000Z"),
        ("Nextcloud", day("2026-12-01"), "DTSTART;VALUE=DATE:20261201 DTEND;VALUE=DATE:20261204"),
        ("Nextcloud", time("2026-12-01", "00:00"), "DTSTART;VALUE=DATE:20261201 DTEND;VALUE=DATE:20261204"),
        (
            "Fastmail",
            day("2026-11-27"),
            "DTSTART;TZID=America/New_York:20261126T190000 DTEND;TZID=Europe/Paris:20261127T090000",
        ),
        (
            "Fastmail",
            time("2026-11-27", "10:00"),
            "DTSTART;TZID=America/New_York:20261127T040000 DTEND;TZID=Europe/Paris:20261127T180000",
        ),
        (
            "Outlook, shown names",
            day("2026-11-27"),
            "DTSTART;TZID=\"(UTC-05:00) Eastern Time (US & Canada)\":20261126T190000 DTEND;TZID=\"(UTC-05:00) Eastern Time (US & Canada)\":20261126T200000",
        ),
        (
            "Google",
            Wanted { begins: on("2026-11-26", Some("09:00")), ends: on("2026-11-26", Some("09:45")) },
            "DTSTART:20261126T080000Z DTEND:20261126T084500Z SEQUENCE:1",
        ),
        ("Radicale", Wanted { begins: None, ends: on("2026-11-24", Some("16:30")) }, "DTEND:20261124T153000Z"),
    ] {
        let (_, came) = difference(shape(name), &with_times(shape(name), wanted));
        assert_eq!(came.join(" "), expected, "{name} {wanted:?}");
    }
    // A length stays a length.
    let (gone, came) = difference(
        shape("Radicale"),
        &with_times(&shape("Radicale").replace("DTEND:20261124T150000Z", "DURATION:PT1H"), day("2026-11-27")),
    );
    assert_eq!((gone.len(), came.join(" ")), (2, "DTSTART:20261127T140000Z DURATION:PT1H".to_owned()));
    // An hour stays an hour over a clock change.
    let winter = shape("Radicale")
        .replace("DTSTART:20261124T140000Z", "DTSTART;TZID=Europe/Paris:20261124T013000")
        .replace("DTEND:20261124T150000Z", "DTEND;TZID=Europe/Paris:20261124T023000");
    let after = with_times(&winter, day("2027-03-28"));
    assert_eq!(
        told(after.as_bytes(), "2027-03-27T00:00:00Z", "2027-03-29T00:00:00Z"),
        ["Sunday 2027-03-28 01:30 +01:00 60 Dentist"]
    );
    let over = moved_error(
        shape("Radicale"),
        Wanted { begins: on("2026-11-24", Some("15:00")), ends: on("2026-11-20", Some("14:00")) },
    );
    assert!(over.contains("end before it begins"), "{over}");
}

fn moved_error(text: &str, wanted: Wanted) -> String {
    let object = Object::read(text.as_bytes()).unwrap();
    let series = Series::only(&object).unwrap();
    let one = &all_of(&series)[0];
    moved((&one.start, &one.end), &series.events[one.event].end, wanted, &paris()).unwrap_err()
}

#[test]
fn a_letter_split_by_folding_stays_as_it_was() {
    let mut text = shape("Radicale").replace("X-NOTE:keep me", "DESCRIPTION:Gr@\u{df}en").into_bytes();
    let letter = text.iter().position(|byte| *byte == b'@').unwrap();
    text.splice(letter..=letter, b"\xC3\r\n \xBC".iter().copied());
    let object = Object::read(&text).unwrap();
    let series = Series::only(&object).unwrap();
    assert_eq!(series.events[0].description, "Grüßen");
    let after = edit::change(
        &object,
        &series.events[0],
        &Changes { location: Some("Über, drüben".into()), ..Changes::default() },
    );
    let added = "LOCATION:Über\\, drüben\r\n".as_bytes();
    let at = after.windows(added.len()).position(|part| part == added).unwrap();
    let rest = [&after[..at], &after[at + added.len()..]].concat();
    assert_eq!(rest, text);
}

type Part = fn(&Object, &Series, &Occurrence) -> Vec<u8>;

fn part(name: &str, which: usize, change: Part) -> String {
    let object = Object::read(shape(name).as_bytes()).unwrap();
    let series = Series::only(&object).unwrap();
    String::from_utf8(change(&object, &series, &all_of(&series)[which])).unwrap()
}

#[test]
fn one_occurrence_this_and_following_and_all_are_different_changes() {
    let month = ("2026-11-20T00:00:00Z", "2026-12-16T00:00:00Z");
    let starts = |text: &str| {
        told(text.as_bytes(), month.0, month.1)
            .iter()
            .map(|line| line.split(' ').skip(1).collect::<Vec<_>>().join(" ").replace(" +01:00", ""))
            .collect::<Vec<_>>()
    };
    let after = part("Outlook", 1, |object, series, one| edit::cancel_one(object, series, one, &paris()).unwrap());
    assert_eq!(
        difference(shape("Outlook"), &after),
        (vec![], vec!["EXDATE;TZID=W. Europe Standard Time:20261202T100000".to_owned()])
    );
    assert_eq!(starts(&after), ["2026-11-25 10:00 60 Jour fixe Größe", "2026-12-09 10:00 60 Jour fixe Größe"]);
    let after = part("Outlook", 1, |object, series, one| {
        edit::cancel_following(object, series, one, &paris()).unwrap().unwrap()
    });
    assert_eq!(
        difference(shape("Outlook"), &after).1,
        ["RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=WE;WKST=MO;UNTIL=20261202T085959Z"]
    );
    assert_eq!(starts(&after), ["2026-11-25 10:00 60 Jour fixe Größe"]);
    let after = part("Outlook", 1, |object, series, one| {
        let wanted = Wanted { begins: on("2026-12-03", Some("11:00")), ends: None };
        let times = moved((&one.start, &one.end), &series.events[one.event].end, wanted, &paris()).unwrap();
        edit::change_one(
            object,
            series,
            one,
            &Changes { times: Some(times), summary: Some("Other".into()), ..Changes::default() },
            &paris(),
        )
        .unwrap()
    });
    assert!(difference(shape("Outlook"), &after).0.is_empty(), "{after}");
    assert_eq!(
        starts(&after),
        ["2026-11-25 10:00 60 Jour fixe Größe", "2026-12-03 11:00 60 Other", "2026-12-09 10:00 60 Jour fixe Größe"]
    );
    assert_eq!(after.matches("BEGIN:VALARM").count(), 2, "alarms are kept: {after}");
    let move_all: Part = |object, series, one| {
        let wanted = Wanted { begins: on("2026-12-03", Some("11:00")), ends: None };
        let times = moved((&one.start, &one.end), &series.events[one.event].end, wanted, &paris()).unwrap();
        edit::change_all(object, series, one, &Changes { times: Some(times), ..Changes::default() }, &paris()).unwrap()
    };
    assert_eq!(
        starts(&part("Outlook", 1, move_all)),
        [
            "2026-11-26 11:00 60 Jour fixe Größe",
            "2026-12-03 11:00 60 Jour fixe Größe",
            "2026-12-10 11:00 60 Jour fixe Größe"
        ]
    );
    let after = part("Outlook", 1, |object, series, one| {
        let wanted = Wanted { begins: on("2026-12-03", None), ends: None };
        let times = moved((&one.start, &one.end), &series.events[one.event].end, wanted, &paris()).unwrap();
        edit::change_following(
            object,
            series,
            one,
            &Changes { times: Some(times), ..Changes::default() },
            "new-uid",
            &paris(),
        )
        .unwrap()
    });
    assert_eq!(starts(&after), ["2026-12-03 10:00 60 Jour fixe Größe", "2026-12-10 10:00 60 Jour fixe Größe"]);
    assert!(after.contains("UID:new-uid") && !after.contains("UID:0400"));
    // An occurrence with a component of its own: that one changes, or goes.
    let own = part("Thunderbird", 2, |object, series, one| edit::cancel_one(object, series, one, &paris()).unwrap());
    assert!(
        !own.contains("long") && own.contains("EXDATE;TZID=/mozilla.org/20050126_1/Europe/Berlin:20261127T090000"),
        "{own}"
    );
    let own = part("Thunderbird", 2, |object, series, one| {
        edit::change_one(
            object,
            series,
            one,
            &Changes { summary: Some("Short".into()), ..Changes::default() },
            &paris(),
        )
        .unwrap()
    });
    assert_eq!(
        difference(shape("Thunderbird"), &own),
        (vec!["SUMMARY:Stand-up\\, long".into()], vec!["SUMMARY:Short".to_owned()])
    );
    // All of it, an hour later: exceptions and occurrences of their own move along.
    let all = part("Thunderbird", 0, |object, series, one| {
        let wanted = Wanted { begins: on("2026-11-24", Some("10:00")), ends: None };
        let times = moved((&one.start, &one.end), &series.events[one.event].end, wanted, &paris()).unwrap();
        edit::change_all(object, series, one, &Changes { times: Some(times), ..Changes::default() }, &paris()).unwrap()
    });
    assert_eq!(
        starts(&all)[..3],
        ["2026-11-24 10:00 15 Stand-up", "2026-11-25 10:00 15 Stand-up", "2026-11-27 09:30 60 Stand-up, long"]
    );
}

#[test]
fn an_invitation_is_answered_in_the_one_place_that_says_so() {
    let object = Object::read(shape("Google").as_bytes()).unwrap();
    let me = ["me@bailey.test".to_owned()];
    let series = Series::only(&object).unwrap();
    let component = series.events[0].component;
    let after = edit::answer(&object, &[component], &me, "ACCEPTED").unwrap();
    assert_eq!(
        String::from_utf8(after).unwrap(),
        shape("Google").replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED")
    );
    assert_eq!(edit::answer(&object, &[component], &["other@bailey.test".to_owned()], "ACCEPTED"), None);
    let reply = itip::reply(&object, &[component], &me, itip::Answer::Declined, "20261121T110000Z").unwrap();
    assert_eq!(object.method().as_deref(), Some("REQUEST"));
    let reply = Object::read(reply.as_bytes()).unwrap();
    assert_eq!(reply.method().as_deref(), Some("REPLY"));
    let event = &Series::only(&reply).unwrap().events[0];
    assert_eq!((event.uid.as_str(), event.answer_of(&me)), ("4kq3v7@google.com", Some("DECLINED")));
    assert!(event.description.is_empty() && event.organizer.is_some());
}

/// Found by chance: what stands before a value was of another charset, and took the new value with it.
#[test]
fn a_text_behind_a_parameter_of_another_charset_is_read_as_it_was_written() {
    let mut text = shape("Radicale").replace("SUMMARY:", "SUMMARY;X-A=@:").into_bytes();
    let letter = text.iter().position(|byte| *byte == b'@').unwrap();
    text[letter] = 0xff;
    let object = Object::read(&text).unwrap();
    let series = Series::only(&object).unwrap();
    let changes = Changes { summary: Some("Größe".into()), ..Changes::default() };
    let after = Object::read(&edit::change(&object, &series.events[0], &changes)).unwrap();
    assert_eq!(Series::only(&after).unwrap().events[0].summary, "Größe");
}
