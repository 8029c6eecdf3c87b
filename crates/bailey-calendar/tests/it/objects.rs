//! Objects as they are found: read, expanded, told.

use bailey_calendar::busy::{Free, Hours, free, is_free};
use bailey_calendar::{Known, Object, Series, words};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::shapes::{SHAPES, shape};

pub fn paris() -> TimeZone {
    TimeZone::get("Europe/Paris").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What happens in a span, one line each: begins, length in minutes, what.
pub fn told(bytes: &[u8], from: &str, until: &str) -> Vec<String> {
    let object = Object::read(bytes).unwrap();
    let mut out = Vec::new();
    for series in Series::all(&object) {
        for one in series.within(at(from), at(until), &paris()).occurrences {
            let minutes = one.ends.duration_since(one.begins).as_secs() / 60;
            out.push(format!("{} {minutes} {}", words::moment(one.begins, &paris()), series.events[one.event].summary));
        }
    }
    out
}

const WEEK: (&str, &str) = ("2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z");

#[test]
fn objects_of_programs_are_expanded_in_the_persons_zone() {
    let week = |name: &str| told(shape(name).as_bytes(), WEEK.0, WEEK.1);
    assert_eq!(week("Google"), ["Tuesday 2026-11-24 15:00 +01:00 60 Plan, numbers"]);
    assert_eq!(week("Apple"), ["Tuesday 2026-11-24 15:00 +01:00 60 Yoga"]);
    assert_eq!(week("Outlook"), ["Wednesday 2026-11-25 10:00 +01:00 60 Jour fixe Größe"]);
    assert_eq!(week("Outlook, shown names"), ["Wednesday 2026-11-25 01:00 +01:00 60 Call the office"]);
    assert_eq!(week("Nextcloud"), ["Tuesday 2026-11-24 00:00 +01:00 4320 Conference"]);
    assert_eq!(
        week("Thunderbird"),
        [
            "Tuesday 2026-11-24 09:00 +01:00 15 Stand-up",
            "Wednesday 2026-11-25 09:00 +01:00 15 Stand-up",
            "Friday 2026-11-27 09:30 +01:00 60 Stand-up, long",
            "Saturday 2026-11-28 09:00 +01:00 15 Stand-up",
            "Sunday 2026-11-29 09:00 +01:00 15 Stand-up",
        ]
    );
    assert_eq!(week("Zoho"), ["Tuesday 2026-11-24 06:00 +01:00 60 Review"]);
    assert_eq!(week("Fastmail"), ["Wednesday 2026-11-25 01:00 +01:00 480 Flight to Paris"]);
    assert!(week("Birthdays").is_empty());
    for (name, text) in SHAPES {
        let object = Object::read(text.as_bytes()).unwrap();
        assert_eq!(object.bytes(), text.as_bytes(), "{name}");
        assert!(Series::all(&object).iter().all(|series| series.faults().is_empty()), "{name}");
    }
}

#[test]
fn objects_that_are_not_as_they_should_be_are_read_all_the_same() {
    let plain = shape("Radicale");
    let long = format!("SUMMARY:Dentist\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:{}", "QUJD\r\n ".repeat(44_000));
    let mut split = plain.replace("SUMMARY:Dentist", "SUMMARY:Gr@\u{df}en").into_bytes();
    let letter = split.iter().position(|byte| *byte == b'@').unwrap();
    split.splice(letter..=letter, b"\xC3\r\n \xBC".iter().copied());
    let mut latin = plain.replace("SUMMARY:Dentist", "SUMMARY:Gr@").into_bytes();
    let letter = latin.iter().position(|byte| *byte == b'@').unwrap();
    latin.splice(letter..=letter, b"\xFC\xDFe".iter().copied());
    for (name, bytes, what) in [
        ("mark", [b"\xEF\xBB\xBF", plain.as_bytes()].concat(), "Dentist"),
        ("blank line", [b"\r\n\r\n", plain.as_bytes()].concat(), "Dentist"),
        ("line ends", plain.replace("\r\n", "\n").into_bytes(), "Dentist"),
        ("old line ends", plain.replace("\r\n", "\r").into_bytes(), "Dentist"),
        ("twice", plain.replace("\r\n", "\r\r\n").into_bytes(), "Dentist"),
        ("no end", plain.replace("END:VEVENT\r\nEND:VCALENDAR\r\n", "").into_bytes(), "Dentist"),
        ("control", plain.replace("Dentist", "Den\u{7}tist").into_bytes(), "Dentist"),
        (
            "small letters",
            plain.replace("BEGIN:VEVENT", "begin:vevent").replace("DTSTART", "dtstart").into_bytes(),
            "Dentist",
        ),
        ("picture", plain.replace("SUMMARY:Dentist", &long).into_bytes(), "Dentist"),
        ("wrong folding", plain.replace("SUMMARY:Dentist", "SUMMARY:Den\r\ntist").into_bytes(), "Dentist"),
        ("split letter", split, "Größen".replace('ö', "ü").as_str()),
        ("Latin-1", latin, "Grüße"),
        ("blank in the middle", plain.replace("DTEND", "\r\nDTEND").into_bytes(), "Dentist"),
    ]
    .map(|(name, bytes, what)| (name, bytes, what.to_owned()))
    {
        let found = told(&bytes, WEEK.0, WEEK.1);
        assert_eq!(found, [format!("Tuesday 2026-11-24 15:00 +01:00 60 {what}")], "{name}");
    }
    for bad in
        ["", "hello", "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR", "BEGIN:VEVENT\r\nEND:VEVENT"]
    {
        assert!(Object::read(bad.as_bytes()).is_err(), "{bad}");
    }
    let none = plain.replace("DTSTART:20261124T140000Z", "DTSTART:soon");
    let object = Object::read(none.as_bytes()).unwrap();
    assert_eq!(Series::all(&object)[0].faults(), ["when it begins cannot be read"]);
}

fn event(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:x\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
}

#[test]
fn zones_are_known_by_their_names_and_by_their_own_rules() {
    let zone = |name: &str| {
        let text = event(&format!("DTSTART;TZID={name}:20260724T120000"));
        let object = Object::read(text.as_bytes()).unwrap();
        let series = Series::only(&object).unwrap();
        (series.events[0].start.instant(&paris()).to_string(), series.faults())
    };
    for (name, moment) in [
        ("America/New_York", "2026-07-24T16:00:00Z"),
        ("\"America/New_York\"", "2026-07-24T16:00:00Z"),
        ("Eastern Standard Time", "2026-07-24T16:00:00Z"),
        ("Eastern Daylight Time", "2026-07-24T16:00:00Z"),
        ("\"(UTC-05:00) Eastern Time (US & Canada)\"", "2026-07-24T16:00:00Z"),
        ("\"(GMT-05:00) Eastern Time (US & Canada)\"", "2026-07-24T16:00:00Z"),
        ("\"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna\"", "2026-07-24T10:00:00Z"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "2026-07-24T10:00:00Z"),
        ("/mozilla.org/20050126_1/America/Indiana/Knox", "2026-07-24T17:00:00Z"),
        ("India Standard Time", "2026-07-24T06:30:00Z"),
        ("UTC", "2026-07-24T12:00:00Z"),
        ("GMT+0200", "2026-07-24T10:00:00Z"),
    ] {
        assert_eq!(zone(name), (moment.to_owned(), vec![]), "{name}");
    }
    let (moment, faults) = zone("Middle-earth/Shire");
    assert_eq!(
        (moment.as_str(), faults),
        ("2026-07-24T10:00:00Z", vec!["its time zone `Middle-earth/Shire` is not known".to_owned()])
    );
    // A private zone: two hours and a quarter ahead, three in summer.
    let rules = "BEGIN:VTIMEZONE\r\nTZID:Custom\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0300\r\nTZOFFSETTO:+0215\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0215\r\nTZOFFSETTO:+0300\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";
    for (time, moment) in [
        ("20260724T120000", "2026-07-24T09:00:00Z"),
        ("20261124T120000", "2026-11-24T09:45:00Z"),
        ("20901124T120000", "2090-11-24T09:45:00Z"),
    ] {
        let text =
            event(&format!("DTSTART;TZID=Custom:{time}")).replace("BEGIN:VEVENT", &format!("{rules}BEGIN:VEVENT"));
        let object = Object::read(text.as_bytes()).unwrap();
        let series = Series::only(&object).unwrap();
        let bailey_calendar::Form::Zoned(zone) = &series.events[0].start.form else { panic!("no zone") };
        assert_eq!(zone.known, Known::ByRules);
        assert_eq!(series.events[0].start.instant(&paris()).to_string(), moment);
    }
}

#[test]
fn a_series_has_exceptions_further_times_and_occurrences_of_its_own() {
    let week = |lines: &str| {
        told(event(lines).as_bytes(), WEEK.0, WEEK.1)
            .iter()
            .map(|line| line[..line.len() - 2].to_owned())
            .collect::<Vec<_>>()
            .join("; ")
    };
    for (lines, expected) in [
        (
            "DTSTART:20261124T140000Z\r\nRDATE;VALUE=PERIOD:20261126T080000Z/PT2H,20261127T080000Z/20261127T083000Z",
            "Tuesday 2026-11-24 15:00 +01:00 0; Thursday 2026-11-26 09:00 +01:00 120; Friday 2026-11-27 09:00 +01:00 30",
        ),
        (
            "DTSTART;TZID=Europe/Paris:20261124T090000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=4\r\nEXDATE:20261125T080000Z\r\nEXDATE;VALUE=DATE:20261126",
            "Tuesday 2026-11-24 09:00 +01:00 60; Friday 2026-11-27 09:00 +01:00 60",
        ),
        // The end in either form, a day or a moment.
        (
            "DTSTART;TZID=Europe/Paris:20261124T090000\r\nRRULE:FREQ=DAILY;UNTIL=20261125",
            "Tuesday 2026-11-24 09:00 +01:00 0; Wednesday 2026-11-25 09:00 +01:00 0",
        ),
        (
            "DTSTART;TZID=Europe/Paris:20261124T090000\r\nRRULE:FREQ=DAILY;UNTIL=20261125T080000Z",
            "Tuesday 2026-11-24 09:00 +01:00 0; Wednesday 2026-11-25 09:00 +01:00 0",
        ),
        (
            "DTSTART;VALUE=DATE:20261124\r\nRRULE:FREQ=DAILY;UNTIL=20261125T225959Z",
            "Tuesday 2026-11-24 00:00 +01:00 1440; Wednesday 2026-11-25 00:00 +01:00 1440",
        ),
        // A beginning beside the rule is the first of its number.
        (
            "DTSTART:20261124T140000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=TH,FR;COUNT=2",
            "Tuesday 2026-11-24 15:00 +01:00 0; Thursday 2026-11-26 15:00 +01:00 0",
        ),
        (
            "DTSTART:20261124T140000Z\r\nEXRULE:FREQ=DAILY;INTERVAL=2\r\nRRULE:FREQ=DAILY;COUNT=3",
            "Wednesday 2026-11-25 15:00 +01:00 0",
        ),
    ] {
        assert_eq!(week(lines), expected, "{lines}");
    }
    let own = |lines: &str| {
        event(&format!(
            "DTSTART:20261123T140000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=4\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}"
        ))
    };
    let following = told(own("RECURRENCE-ID;RANGE=THISANDFUTURE:20261124T140000Z\r\nDTSTART:20261124T150000Z\r\nDURATION:PT2H\r\nSUMMARY:later").as_bytes(), WEEK.0, WEEK.1);
    assert_eq!(
        following,
        [
            "Monday 2026-11-23 15:00 +01:00 60 x",
            "Tuesday 2026-11-24 16:00 +01:00 120 later",
            "Wednesday 2026-11-25 16:00 +01:00 120 later",
            "Thursday 2026-11-26 16:00 +01:00 120 later"
        ]
    );
    // An occurrence moved into the span, and one moved out of it.
    let moved = own("RECURRENCE-ID:20261124T140000Z\r\nDTSTART:20261210T140000Z\r\nSUMMARY:moved");
    assert_eq!(told(moved.as_bytes(), WEEK.0, WEEK.1).len(), 3);
    assert_eq!(
        told(moved.as_bytes(), "2026-12-10T00:00:00Z", "2026-12-11T00:00:00Z"),
        ["Thursday 2026-12-10 15:00 +01:00 0 moved"]
    );
    // Invited to one occurrence alone.
    let alone = event("RECURRENCE-ID:20261124T140000Z\r\nDTSTART:20261124T140000Z");
    assert_eq!(told(alone.as_bytes(), WEEK.0, WEEK.1).len(), 1);
}

#[test]
fn times_that_a_clock_change_skips_or_repeats_are_read_as_the_standard_says() {
    let spring = event("DTSTART;TZID=America/New_York:20260307T023000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=3");
    let starts: Vec<String> = told(spring.as_bytes(), "2026-03-01T00:00:00Z", "2026-03-30T00:00:00Z");
    assert_eq!(
        starts,
        [
            "Saturday 2026-03-07 08:30 +01:00 60 x",
            "Sunday 2026-03-08 08:30 +01:00 60 x",
            "Monday 2026-03-09 07:30 +01:00 60 x"
        ]
    );
    let autumn = event("DTSTART;TZID=America/New_York:20261101T013000\r\nDTEND;TZID=America/New_York:20261101T023000");
    assert_eq!(
        told(autumn.as_bytes(), "2026-10-30T00:00:00Z", "2026-11-03T00:00:00Z"),
        ["Sunday 2026-11-01 06:30 +01:00 120 x"]
    );
    let night = event(
        "DTSTART;TZID=Europe/Paris:20261023T230000\r\nDTEND;TZID=Europe/Paris:20261024T070000\r\nRRULE:FREQ=DAILY;COUNT=2",
    );
    assert_eq!(
        told(night.as_bytes(), "2026-10-20T00:00:00Z", "2026-10-30T00:00:00Z"),
        ["Friday 2026-10-23 23:00 +02:00 480 x", "Saturday 2026-10-24 23:00 +02:00 480 x"]
    );
}

#[test]
fn what_is_busy_is_told_as_the_standard_says() {
    let reason = |lines: &str| {
        let object = Object::read(event(&format!("DTSTART:20261124T140000Z\r\n{lines}")).as_bytes()).unwrap();
        is_free(&Series::only(&object).unwrap().events[0], &["me@bailey.test".to_owned()])
    };
    assert_eq!(reason("TRANSP:TRANSPARENT"), Some(Free::Transparent));
    assert_eq!(reason("STATUS:CANCELLED"), Some(Free::Cancelled));
    assert_eq!(reason("ATTENDEE;PARTSTAT=DECLINED:MAILTO:Me@Bailey.test"), Some(Free::Declined));
    for busy in [
        "TRANSP:OPAQUE",
        "STATUS:TENTATIVE",
        "ATTENDEE;PARTSTAT=DECLINED:mailto:other@example.org",
        "ATTENDEE;PARTSTAT=TENTATIVE:mailto:me@bailey.test",
    ] {
        assert_eq!(reason(busy), None, "{busy}");
    }
    let hours = Hours { from: Time::constant(9, 0, 0, 0), until: Time::constant(18, 0, 0, 0), weekends: false };
    let busy = [("2026-11-24T09:00:00Z", "2026-11-24T10:30:00Z"), ("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z")];
    let busy = busy.map(|(from, until)| (at(from), at(until)));
    let found = free(
        (at("2026-11-24T00:00:00Z"), at("2026-11-25T10:00:00Z")),
        hours,
        SignedDuration::from_mins(60),
        &busy,
        &paris(),
    );
    let found: Vec<String> = found.iter().map(|(from, until)| format!("{from} {until}")).collect();
    assert_eq!(
        found,
        [
            "2026-11-24T08:00:00Z 2026-11-24T09:00:00Z",
            "2026-11-24T11:00:00Z 2026-11-24T17:00:00Z",
            "2026-11-25T08:00:00Z 2026-11-25T10:00:00Z"
        ]
    );
}

#[test]
fn many_exceptions_of_any_form_leave_out_what_each_of_them_names() {
    let span = (at("2025-12-30T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    for begins in
        ["DTSTART;TZID=Europe/Paris:20260101T003000", "DTSTART;VALUE=DATE:20260101", "DTSTART:20260101T003000"]
    {
        let plain = format!("{begins}\r\nRRULE:FREQ=DAILY;COUNT=300\r\n");
        let exceptions: String = (0..300)
            .filter_map(|day| {
                let date = jiff::civil::date(2026, 1, 1).saturating_add(jiff::Span::new().days(day)).strftime("%Y%m%d");
                match day % 7 {
                    0 => Some(format!("EXDATE;VALUE=DATE:{date}\r\n")),
                    1 => Some(format!("EXDATE:{date}T233000Z\r\n")),
                    2 => Some(format!("EXDATE:{date}T003000\r\n")),
                    3 => Some(format!("EXDATE;TZID=Europe/Paris:{date}T004500\r\n")),
                    _ => None,
                }
            })
            .collect();
        let read = |lines: &str| Series::only(&Object::read(event(lines.trim_end()).as_bytes()).unwrap()).unwrap();
        let series = read(&format!("{plain}{exceptions}"));
        let without = &series.master().unwrap().without;
        let mut expected = read(&plain).within(span.0, span.1, &paris()).occurrences;
        assert_eq!(expected.len(), 300);
        expected.retain(|one| !without.iter().any(|named| series.same(named, &one.start, &paris())));
        assert!(expected.len() < 260, "{begins}");
        assert_eq!(series.within(span.0, span.1, &paris()).occurrences, expected, "{begins}");
    }
}

/// Each of these took time that grew with the square of its size, and this size minutes or more.
#[test]
fn many_components_are_read_expanded_and_changed_in_time_that_grows_with_them() {
    let event = |at: usize, lines: &str| format!("BEGIN:VEVENT\nUID:{at}\n{lines}\nEND:VEVENT\n");
    let object = |events: String| Object::read(format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n").as_bytes()).unwrap();
    let of_many = object((0..24_000).map(|at| event(at, "DTSTART:20261124T140000Z")).collect());
    assert_eq!(Series::all(&of_many).len(), 24_000);
    let of_one = object((0..24_000).map(|at| event(1, &format!("DTSTART:20261124T{:06}Z", at % 60))).collect());
    let series = Series::only(&of_one).unwrap();
    assert_eq!(series.events.len(), 24_000);
    assert_eq!(series.events[0].start.at.second(), 59, "the last is the newest");
    let followed = |at: usize| {
        let day =
            jiff::civil::date(2020, 1, 1).checked_add(jiff::Span::new().days(i64::try_from(at).unwrap())).unwrap();
        let day = day.strftime("%Y%m%d");
        let lines =
            format!("RECURRENCE-ID;RANGE=THISANDFUTURE:{day}T140000Z\nDTSTART:{day}T150000Z\nDTEND:{day}T160000Z");
        event(1, &lines)
    };
    let master = event(1, "DTSTART:20200101T140000Z\nDTEND:20200101T150000Z\nRRULE:FREQ=DAILY;COUNT=4900");
    let changed = object(master + &(0..15_000).map(followed).collect::<String>());
    let series = Series::only(&changed).unwrap();
    let all = series.within("2019-12-01T00:00:00Z".parse().unwrap(), "2040-01-01T00:00:00Z".parse().unwrap(), &paris());
    assert!(all.occurrences.len() > 4_000 && all.occurrences.iter().all(|one| one.start.at.hour() == 15));
    let one = all.occurrences.iter().find(|one| one.id.is_some()).unwrap();
    let ended = bailey_calendar::edit::cancel_following(&changed, &series, one, &paris());
    assert!(ended.is_ok());
    // A rule that comes to nothing takes all the work a rule may.
    let rules = "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n".repeat(50_000);
    let ruled = object(event(1, &format!("DTSTART:20261124T140000Z\n{rules}")));
    let series = Series::only(&ruled).unwrap();
    let (from, until) = ("2026-11-01T00:00:00Z".parse().unwrap(), "2026-12-01T00:00:00Z".parse().unwrap());
    assert_eq!(series.within(from, until, &paris()).occurrences.len(), 1);
    assert!(series.faults().iter().any(|fault| fault.contains("too many rules")), "{:?}", series.faults().len());
}
