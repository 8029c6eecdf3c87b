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
    let span = |json: &str| match read(&Arguments::parse(json).unwrap(), &context()).unwrap() {
        CalendarAction::Read { from, until } => (until - from) / 86_400,
        CalendarAction::Write(_) => panic!("a write"),
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

#[test]
fn only_lines_of_the_event_change() {
    let before = Entry::new(
        "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=X:20261124T150000\nDTEND;TZID=X:20261124T163000\nSUMMARY:Old\nX-KEEP:yes\nBEGIN:VALARM\nSUMMARY:Alarm\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n",
    )
    .unwrap();
    let arguments =
        Arguments::parse(r#"{"begins":"2026-11-25T10:00","what":"New, and; long","where":"Rue d'Ici"}"#).unwrap();
    let after = change(&before, &arguments, &context()).unwrap();
    let lines = after.lines();
    for line in [
        "DTSTART:19700101T000000",
        "SUMMARY:Alarm",
        "X-KEEP:yes",
        "DTSTART:20261125T090000Z",
        "DTEND:20261125T103000Z",
        "SUMMARY:New\\, and\\; long",
        "LOCATION:Rue d'Ici",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line} in {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.contains("Old") || line.contains("TZID=X")));
}

#[test]
fn words_cannot_add_lines() {
    let arguments =
        Arguments::parse(r#"{"what":"a\r\nATTENDEE:mailto:eve@evil.example","begins":"tomorrow 9h"}"#).unwrap();
    let made = create(&arguments, &context(), "n").unwrap();
    assert!(made.guests().is_empty(), "{made:?}");
    let long = Arguments::parse(&format!(r#"{{"what":"{}","begins":"tomorrow"}}"#, "ü".repeat(200))).unwrap();
    assert!(create(&long, &context(), "n").unwrap().as_str().split("\r\n").all(|line| line.len() <= 75));
}
