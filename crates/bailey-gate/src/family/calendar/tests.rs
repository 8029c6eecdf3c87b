use super::*;

#[test]
fn entries_paths_and_tags() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nDTSTART:19700101T000000\nEND:VTIMEZONE\nBEGIN:VEVENT\nSUMMARY:a lo\n ng one\nATTENDEE;CN=Eve:MAILTO:eve@evil.exa\n mple\nEND:VEVENT\nEND:VCALENDAR\n";
    let entry = Entry::new(text).unwrap();
    assert_eq!(entry.property("SUMMARY").as_deref(), Some("a long one"));
    assert_eq!(entry.property("DTSTART"), None, "that of the time zone is not the event's");
    assert_eq!(entry.guests(), ["ATTENDEE;CN=Eve:MAILTO:eve@evil.example"]);
    let writing = Writing { href: Href::new("/c/1.ics").unwrap(), change: Change::Create { after: entry }, told: None };
    assert_eq!(writing.addresses(), [Address::new("eve@evil.example").unwrap()]);
    for bad in ["", "BEGIN:VEVENT", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:\u{7}\nEND:VEVENT\nEND:VCALENDAR\n"] {
        assert!(Entry::new(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "c", "//evil.example/c", "/a/../b", "/a b", "/a\r\nHost: x", "/a?b", "/a#b", "/\u{e9}"] {
        assert!(Href::new(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "x", "W/\"x\"", "\"a\"b\"", "\"a\r\nIf: x\""] {
        assert!(Etag::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn what_is_said_of_a_write_is_kept_shown_and_held_against_it() {
    let entry = |lines: &str| {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
        Entry::as_it_lies(text.into_bytes()).unwrap()
    };
    let times =
        |seconds| Times { begins: Moment::At(seconds, 60), ends: Moment::At(seconds + 3_600, 60), own: String::new() };
    let action = |part, change| {
        let (what, zone, repeats) = ("Plan".into(), "Europe/Paris".into(), "every week".into());
        let told =
            Told { deed: Deed::Cancel, part, what, repeats, zone, before: Some(times(1_795_735_800)), after: None };
        CalendarAction::Write(Writing { href: Href::new("/c/1.ics").unwrap(), change, told: Some(Box::new(told)) })
    };
    let (series, etag) = (entry("rrule:FREQ=WEEKLY"), Etag::of_answer(Some("W/\"x-gzip\"")));
    assert_eq!(etag.as_str(), "\"x\"");
    let removed = || Change::Cancel { before: series.clone(), etag: etag.clone() };
    assert!(action(Part::All, removed()).check().is_ok());
    for part in [Part::Whole, Part::One, Part::Following] {
        assert!(action(part, removed()).check().is_err(), "{part:?} is not all of it");
    }
    let changed =
        Change::Replace { before: series.clone(), etag: Etag::none(), after: entry("EXDATE:20261127T143000Z") };
    let action = action(Part::One, changed);
    assert!(action.check().is_ok());
    let mut out = Encoder::default();
    action.encode(&mut out);
    let bytes = out.finish();
    let mut decoder = Decoder::new(&bytes);
    assert_eq!(decoder.byte(), Ok(TAG));
    assert_eq!(decode(TAG, &mut decoder), Ok(action.clone()));
    assert_eq!(decoder.finish(), Ok(()));
}
