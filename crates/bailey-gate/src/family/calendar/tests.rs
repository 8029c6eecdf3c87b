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

/// Held line by line against all others, lines so many took hours.
#[test]
fn lines_that_come_and_go_are_shown_however_many_there_are() {
    let entry = |name: &str| {
        let lines: String = (0..150_000).map(|at| format!("{name}:{at}\n")).collect();
        Entry::as_it_lies(format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}END:VEVENT\nEND:VCALENDAR\n").into_bytes())
            .unwrap()
    };
    let change = Change::Replace { before: entry("X-OLD"), etag: Etag::none(), after: entry("X-NEW") };
    let mut shown = empty();
    preview(&Writing { href: Href::new("/c/1.ics").unwrap(), change, told: None }, &mut shown);
    let count = |begins: &str| shown.body.lines().filter(|line| line.starts_with(begins)).count();
    assert_eq!((count("- X-OLD:"), count("+ X-NEW:"), shown.body.lines().count()), (150_000, 150_000, 300_000));
}

fn empty() -> Preview {
    Preview {
        id: crate::ids::ActionId::from_bytes([1; 16]),
        kind: CANCEL,
        digest: crate::ids::Digest::from_bytes([1; 32]),
        headline: String::new(),
        items: Vec::new(),
        body: String::new(),
        warnings: Vec::new(),
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
        let told = Told {
            deed: Deed::Cancel,
            part,
            what,
            repeats,
            zone,
            before: Some(times(1_795_735_800)),
            after: None,
            dates: None,
        };
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
    let one = action(Part::One, changed.clone());
    let CalendarAction::Write(mut following) = action(Part::Following, changed) else { unreachable!("it writes") };
    let first = vec![(times(1_795_735_800), Some(times(1_795_822_200))), (times(1_796_340_600), None)];
    let dates = Dates { first, count: Count::Endless, stay: Count::Times(2), repeats: "every week on Friday".into() };
    following.told.as_mut().unwrap().dates = Some(dates);
    let following = CalendarAction::Write(following);
    for action in [&one, &following] {
        assert!(action.check().is_ok());
        let mut out = Encoder::default();
        action.encode(&mut out);
        let bytes = out.finish();
        let mut decoder = Decoder::new(&bytes);
        assert_eq!(decoder.byte(), Ok(TAG));
        assert_eq!(decode(TAG, &mut decoder).as_ref(), Ok(action));
        assert_eq!(decoder.finish(), Ok(()));
    }
    let mut shown = empty();
    following.preview(&mut shown);
    let of = |label: &str| {
        let values = shown.items.iter().filter(|item| item.label == label).map(|item| item.value.as_str());
        values.collect::<Vec<_>>()
    };
    assert_eq!(of("How much"), ["this one and all that follow, without an end; 2 times before it stay"]);
    assert_eq!(of("Will repeat"), ["every week on Friday"]);
    assert_eq!(
        of("Date"),
        [
            "Friday 2026-11-27 00:30 +01:00 \u{2192} Saturday 2026-11-28 00:30 +01:00 (Europe/Paris)",
            "Friday 2026-12-04 00:30 +01:00 (Europe/Paris) goes"
        ]
    );
    let CalendarAction::Write(mut alone) = one else { unreachable!("it writes") };
    let CalendarAction::Write(following) = following else { unreachable!("it writes") };
    alone.told.as_mut().unwrap().dates = following.told.unwrap().dates;
    assert!(CalendarAction::Write(alone).check().is_err(), "one occurrence has no list of dates");
}
