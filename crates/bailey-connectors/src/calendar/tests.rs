use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;

pub(super) fn context() -> HomeContext {
    // Saturday 2026-11-21, 12:00 in Paris.
    HomeContext {
        accounts: Vec::new(),
        words: String::new(),
        seconds: 1_795_258_800,
        offset_minutes: 60,
        zone: TimeZone::get("Europe/Paris").unwrap(),
        unique: [7; 16],
    }
}

#[test]
fn a_span_has_defaults_and_bounds() {
    let span = |json: &str| {
        let (from, until) = super::span(&Arguments::parse(json).unwrap(), &context()).unwrap();
        (until - from) / 86_400
    };
    assert_eq!(span("{}"), 14);
    assert_eq!(span(r#"{"from":"Tuesday","until":"Tuesday"}"#), 1);
    assert_eq!(span(r#"{"from":"2026-01-01","until":"2036-01-01"}"#), 366);
    assert_eq!(span(r#"{"from":"2026-11-30","until":"2026-11-24"}"#), 5);
}

#[test]
fn an_invitation_holds_the_entry_its_guests_and_nothing_of_the_persons_own() {
    let before = Entry::new(
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART:20261124T150000Z\nSUMMARY:Plan\nATTENDEE:mailto:old@example.org\nSTATUS:TENTATIVE\nBEGIN:VALARM\nDESCRIPTION:secret\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n",
    )
    .unwrap();
    let guests = ["ana@example.org".to_owned(), "bo@example.org".to_owned()];
    let made = |cancel| invitation(&before, "me@example.org", &guests, cancel, &context()).unwrap().lines();
    assert_eq!(
        made(false),
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "METHOD:REQUEST",
            "BEGIN:VEVENT",
            "UID:1",
            "DTSTART:20261124T150000Z",
            "SUMMARY:Plan",
            "DTSTAMP:20261121T110000Z",
            "SEQUENCE:0",
            "STATUS:CONFIRMED",
            "ORGANIZER:mailto:me@example.org",
            "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ana@example.org",
            "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bo@example.org",
            "END:VEVENT",
            "END:VCALENDAR",
        ]
    );
    let cancelled = made(true);
    assert!(
        ["METHOD:CANCEL", "SEQUENCE:1", "STATUS:CANCELLED"].iter().all(|line| cancelled.contains(&(*line).to_owned()))
    );
}

/// Returns a stored entry, as a call of a tool sees it.
fn looked(text: &str, which: Option<&str>, json: &str) -> Result<Looked, BadCall> {
    let entry = Entry::as_it_lies(text.as_bytes().to_vec()).unwrap();
    let stored = Stored { entry, etag: calendar::Etag::none() };
    Looked::of(Href::new("/c/1.ics").unwrap(), stored, which, &Arguments::parse(json).unwrap(), &context().zone)
}

fn changed(text: &str, which: Option<&str>, json: &str) -> Result<Writing, BadCall> {
    let cx = context();
    change::change(looked(text, which, json)?, &Arguments::parse(json).unwrap(), &cx, "new")
}

fn after(writing: &Writing) -> String {
    String::from_utf8(writing.after().unwrap().bytes().to_vec()).unwrap()
}

const STORED: &str = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=X:20261124T150000\nDTEND;TZID=X:20261124T163000\nSUMMARY:Old\nX-KEEP:yes\nBEGIN:VALARM\nSUMMARY:Alarm\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
const WEEKLY: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Paris:20261125T090000\r\nDURATION:PT30M\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:Jour fixe\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn only_what_was_named_changes() {
    let writing =
        changed(STORED, None, r#"{"begins":"2026-11-25T10:00","what":"New, and; long","where":"Rue d'Ici"}"#).unwrap();
    assert_eq!(
        after(&writing),
        STORED
            .replace("DTSTART;TZID=X:20261124T150000", "DTSTART;TZID=X:20261125T100000")
            .replace("DTEND;TZID=X:20261124T163000", "DTEND;TZID=X:20261125T113000")
            .replace("SUMMARY:Old", "SUMMARY:New\\, and\\; long")
            .replace("X-KEEP:yes\n", "X-KEEP:yes\nLOCATION:Rue d'Ici\n")
    );
    // A day alone keeps the time, a time alone the day; what calendar_read told is read again.
    for (json, start, end) in [
        (r#"{"begins":"Friday"}"#, "20261127T150000", "20261127T163000"),
        (r#"{"begins":"10:00"}"#, "20261124T100000", "20261124T113000"),
        (r#"{"begins":"Friday 2026-11-27 10:00 +01:00"}"#, "20261127T100000", "20261127T113000"),
        (r#"{"ends":"17:00"}"#, "20261124T150000", "20261124T170000"),
    ] {
        let text = after(&changed(STORED, None, json).unwrap());
        assert!(text.contains(&format!("DTSTART;TZID=X:{start}\nDTEND;TZID=X:{end}\n")), "{json}: {text}");
    }
    assert!(changed(STORED, None, r#"{"what":"Old"}"#).is_err(), "nothing changes");
}

#[test]
fn a_repeating_entry_is_changed_as_the_call_says_and_never_without() {
    let one = Some("20261202T090000");
    let error = changed(WEEKLY, one, r#"{"what":"New"}"#).unwrap_err().to_string();
    for part in ["every week", "`this`", "`following`", "`all`", "Wednesday 2026-12-02 09:00 +01:00", "ask the person"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
    let part = |which: &str| changed(WEEKLY, one, &format!(r#"{{"what":"New","which":"{which}"}}"#)).unwrap();
    assert_eq!(part("this").told.as_ref().unwrap().part, Part::One);
    assert!(after(&part("this")).contains("RECURRENCE-ID;TZID=Europe/Paris:20261202T090000"));
    assert_eq!(after(&part("all")), WEEKLY.replace("Jour fixe", "New"));
    assert!(matches!(part("following").change, Change::Create { .. }));
    assert!(changed(WEEKLY, None, r#"{"what":"New","which":"this"}"#).is_err(), "which one?");
    assert!(changed(WEEKLY, Some("20261203T090000"), r#"{"what":"New","which":"this"}"#).is_err(), "there is none");
    let cancelled =
        |which: &str| change::cancel(looked(WEEKLY, one, &format!(r#"{{"which":"{which}"}}"#)).unwrap(), &context());
    let writing = cancelled("this").unwrap();
    assert_eq!(
        after(&writing),
        WEEKLY.replace("SUMMARY:Jour fixe\r\n", "SUMMARY:Jour fixe\r\nEXDATE;TZID=Europe/Paris:20261202T090000\r\n")
    );
    assert!(matches!(cancelled("all").unwrap().change, Change::Cancel { .. }));
    let writing = cancelled("following").unwrap();
    assert!(after(&writing).contains("RRULE:FREQ=WEEKLY;UNTIL=20261202T075959Z"), "{}", after(&writing));
}

#[test]
fn the_second_of_two_equal_times_is_where_an_entry_is_moved_to() {
    let stored = STORED.replace("TZID=X:", "TZID=Europe/Paris:");
    for (json, lines) in [
        (
            r#"{"begins":"2027-10-31T02:30+01:00"}"#,
            "DTSTART:20271031T013000Z\nDTEND;TZID=Europe/Paris:20271031T040000\n",
        ),
        (
            r#"{"begins":"2027-10-31T02:30+02:00"}"#,
            "DTSTART;TZID=Europe/Paris:20271031T023000\nDTEND;TZID=Europe/Paris:20271031T030000\n",
        ),
        (
            r#"{"begins":"2027-10-31T01:00+02:00","ends":"2027-10-31T02:15+01:00"}"#,
            "DTSTART;TZID=Europe/Paris:20271031T010000\nDTEND:20271031T011500Z\n",
        ),
    ] {
        let writing = changed(&stored, None, json).unwrap();
        assert!(after(&writing).contains(lines), "{json}: {}", after(&writing));
    }
    let daily = WEEKLY.replace("20261125", "20271025").replace("WEEKLY", "DAILY");
    let all = r#"{"begins":"2027-10-31T02:30+01:00","which":"all"}"#;
    let refused = changed(&daily, Some("20271031T090000"), all).unwrap_err().to_string();
    assert!(refused.contains("comes twice"), "{refused}");
}

#[test]
fn a_beginning_of_an_invitation_is_told_on_the_persons_clock() {
    let begins = |line: &str| {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{line}\nEND:VEVENT\nEND:VCALENDAR\n");
        moment::spoken(&Entry::as_it_lies(text.into_bytes()).unwrap(), &context()).unwrap()
    };
    for (line, told) in [
        ("DTSTART;TZID=America/New_York:20261124T090000", "Tuesday 2026-11-24 15:00 CET (UTC+01:00)"),
        ("DTSTART:20261124T140000Z", "Tuesday 2026-11-24 15:00 CET (UTC+01:00)"),
        ("DTSTART:20261124T150000", "Tuesday 2026-11-24 15:00"),
        ("DTSTART;VALUE=DATE:20261124", "Tuesday 2026-11-24"),
        ("DTSTART;TZID=Nowhere:20261124T150000", "Tuesday 2026-11-24 15:00 in `Nowhere`, a zone that is not known"),
    ] {
        assert_eq!(begins(line), told, "{line}");
    }
}

/// Clocks are up to 26 hours apart: an entry of an unknown one that seems to be the day before may be within.
#[test]
fn an_entry_of_an_unknown_zone_beside_the_span_is_told_and_leaves_no_free_time() {
    let found = |line: &str| {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{line}\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n");
        tell::Found { calendar: "c".into(), href: "/c/1.ics".into(), bytes: Ok(text.into_bytes()) }
    };
    let (home, me) = (context().zone, Vec::new());
    let span = ("2026-11-24T23:00:00Z".parse().unwrap(), "2026-11-25T23:00:00Z".parse().unwrap());
    let whose = tell::Whose { span, home: &home, me: &me };
    let told = |line: &str| {
        let hours = bailey_calendar::busy::Hours {
            from: jiff::civil::time(8, 0, 0, 0),
            until: jiff::civil::time(20, 0, 0, 0),
            weekends: true,
        };
        let free = tell::free_times(&[found(line)], &whose, 30, hours);
        let entries = tell::entries(&[found(line)], &whose);
        let count = |told: &serde_json::Value, name: &str| told[name].as_array().unwrap().len();
        (count(&entries, "entries"), count(&free, "not_known"), count(&free, "free"))
    };
    assert_eq!(told("DTSTART;TZID=Nowhere:20261124T120000"), (1, 1, 1), "it may last until 15:00");
    assert_eq!(told("DTSTART;TZID=Nowhere:20261126T100000"), (1, 1, 0), "from 08:00 on it may be");
    assert_eq!(told("DTSTART;TZID=Nowhere:20261122T120000"), (0, 0, 1), "too far away");
    assert_eq!(told("DTSTART;TZID=Europe/Paris:20261124T120000"), (0, 0, 1), "a zone that is known");
    assert_eq!(told("DTSTART;TZID=Europe/Paris:20261125T120000"), (1, 0, 2));
}

/// Returns what the preview says comes of the bytes that are written.
#[test]
fn dates_that_a_change_of_a_series_comes_to_are_told_with_how_many() {
    let told = |writing: Writing| {
        let told = writing.told.unwrap();
        let moment = |times: &calendar::Times| match times.begins {
            calendar::Moment::At(seconds, _) => Timestamp::from_second(seconds).unwrap().to_string(),
            calendar::Moment::Day(day) => day.to_string(),
        };
        let dates = told.dates.unwrap();
        let first = dates.first.iter().map(|(before, after)| {
            format!("{} {}", moment(before), after.as_ref().map_or_else(|| "goes".into(), moment))
        });
        (first.collect::<Vec<_>>(), dates.count, dates.stay, dates.repeats)
    };
    let counted = WEEKLY.replace("RRULE:FREQ=WEEKLY", "RRULE:FREQ=WEEKLY;COUNT=4;BYDAY=WE");
    let moved = r#"{"begins":"2026-12-03T10:00","which":"all"}"#;
    let (first, count, stay, repeats) = told(changed(&counted, Some("20261202T090000"), moved).unwrap());
    assert_eq!(
        first,
        [
            "2026-11-25T08:00:00Z 2026-11-26T09:00:00Z",
            "2026-12-02T08:00:00Z 2026-12-03T09:00:00Z",
            "2026-12-09T08:00:00Z 2026-12-10T09:00:00Z",
            "2026-12-16T08:00:00Z 2026-12-17T09:00:00Z",
        ]
    );
    assert_eq!((count, stay), (calendar::Count::Times(4), calendar::Count::Times(0)));
    assert_eq!(repeats, "every week on Thursday, 4 times");
    let following = r#"{"begins":"2026-12-03T10:00","which":"following"}"#;
    let (first, count, stay, _) = told(changed(&counted, Some("20261202T090000"), following).unwrap());
    assert_eq!(first.len(), 3, "{first:?}");
    assert_eq!(first[0], "2026-12-02T08:00:00Z 2026-12-03T09:00:00Z");
    assert_eq!((count, stay), (calendar::Count::Times(3), calendar::Count::Times(1)));
    let cancelled = |which: &str| {
        let one = looked(WEEKLY, Some("20261202T090000"), &format!(r#"{{"which":"{which}"}}"#)).unwrap();
        told(change::cancel(one, &context()).unwrap())
    };
    let (first, count, stay, repeats) = cancelled("following");
    assert_eq!((first.len(), first[0].as_str()), (5, "2026-12-02T08:00:00Z goes"));
    assert_eq!((count, stay), (calendar::Count::Endless, calendar::Count::Times(1)));
    assert_eq!(repeats, "every week, until Wednesday 2026-12-02");
    assert_eq!(cancelled("all").0[0], "2026-11-25T08:00:00Z goes");
}

/// Every second week is counted from the week it begins in, and a move may change which that is.
#[test]
fn dates_that_would_come_out_otherwise_than_meant_are_refused_in_words() {
    let second = WEEKLY.replace("20261125", "20261129").replace("WEEKLY", "WEEKLY;INTERVAL=2;BYDAY=MO");
    let moved = |begins: &str, which: &str| {
        changed(&second, Some("20261207T090000"), &format!(r#"{{"begins":"{begins}","which":"{which}"}}"#))
    };
    let refused = moved("2026-12-08T09:00", "all").unwrap_err().to_string();
    for part in ["would not come out as it is meant", "Tuesday 2026-12-01 09:00 +01:00", "change one occurrence"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert!(moved("2026-12-07T10:00", "all").is_ok() && moved("2026-12-08T09:00", "this").is_ok());
}

#[test]
fn words_cannot_add_lines() {
    let arguments =
        Arguments::parse(r#"{"what":"a\r\nATTENDEE:mailto:eve@evil.example","begins":"tomorrow 9h"}"#).unwrap();
    let (made, _) = create(&arguments, &context(), "n").unwrap();
    assert!(made.guests().is_empty(), "{made:?}");
    let long = Arguments::parse(&format!(r#"{{"what":"{}","begins":"tomorrow"}}"#, "ü".repeat(200))).unwrap();
    let (made, _) = create(&long, &context(), "n").unwrap();
    assert!(made.bytes().split(|byte| *byte == b'\n').all(|line| line.len() <= 76));
}

/// So many calendars, the first named by a word that people say.
fn connected(count: u8, words: &str) -> HomeContext {
    let account = |n: u8| {
        let server = bailey_vault::Server { host: "x.org".into(), port: 443, tls: true, starttls: false };
        let (name, path) = (Some(if n == 0 { "week".into() } else { format!("other{n}") }), format!("/c/{n}/"));
        let dav = bailey_vault::DavSettings { name, user: "me".into(), server, path, issuer: None, client: None };
        let connection = (ConnectionId::from_bytes([n; 16]), 1);
        let settings = bailey_vault::Settings::Calendar(dav);
        Account { connection, level: Level::Read, settings, is_default: n == 0 }
    };
    HomeContext { accounts: (0..count).map(account).collect(), words: words.into(), ..context() }
}

#[test]
fn free_time_is_sought_in_every_calendar_or_said_to_be_too_much() {
    let looked_at = |cx: &HomeContext, call: &str, free: bool| {
        calendars(cx, &Arguments::parse(call).unwrap(), free).map(|(_, also)| also.len() + 1)
    };
    let some = connected(3, "when am I free this week");
    assert_eq!(looked_at(&some, "{}", true).unwrap(), 3, "a calendar whose name is said by chance leaves none out");
    assert_eq!(looked_at(&some, "{}", false).unwrap(), 1);
    assert_eq!(looked_at(&some, r#"{"account":"other1"}"#, true).unwrap(), 1);
    assert_eq!(looked_at(&connected(20, ""), "{}", true).unwrap(), 20);
    let too_many = looked_at(&connected(21, ""), "{}", true).unwrap_err().to_string();
    assert!(too_many.contains("21 calendars are connected") && too_many.contains("`account`"), "{too_many}");
}
