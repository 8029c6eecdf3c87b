//! Objects nobody should have written: read or refused with a reason; one field changed, and that alone differs.

use bailey_calendar::edit::{self, Changes, Meant};
use bailey_calendar::{Object, Occurrence, Series};
use fastrand::Rng;
use jiff::tz::TimeZone;

use crate::shapes::SHAPES;

/// How many objects; `BAILEY_CASES=100000` for all of what is claimed.
fn cases() -> u64 {
    std::env::var("BAILEY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

/// Of so many objects one has the dates of its changes worked out, which takes longer.
const DATES_EACH: u64 = 20;

const NASTY: [&[u8]; 24] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n ",
    b"\n\t",
    b"\r\n\r\n",
    b"\x00",
    b"\x07",
    b"\"",
    b";",
    b":",
    b",",
    b"\\",
    b"\\n",
    b"\xEF\xBB\xBF",
    b"\xFF",
    b"\xC3",
    b"\xE2\x80\xA8",
    b"\xC2\x85",
    b"=",
    b"END:VEVENT\r\n",
    b"BEGIN:VEVENT\r\n",
    b"\r\nSUMMARY:other\r\n",
    b"\xC3\r\n \xBC",
];
const LINES: [&str; 36] = [
    "DTSTART:20261124T140000Z",
    "DTSTART;VALUE=DATE:20261124",
    "DTSTART;TZID=Nowhere:20261124T140000",
    "DTSTART:99991231T235959Z",
    "DTSTART:00010101T000000",
    "DTSTART;TZID=America/New_York:20260308T023000",
    "DTEND:20261124T150000Z",
    "DTEND:20200101T000000Z",
    "DTEND;VALUE=DATE:20261124",
    "DURATION:PT1H",
    "DURATION:P99999W",
    "DURATION:-PT1H",
    "DURATION:PT",
    "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "RRULE:FREQ=SECONDLY",
    "RRULE:FREQ=DAILY;INTERVAL=0",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE;BYSETPOS=-1;COUNT=100",
    "RRULE:FREQ=MINUTELY;BYHOUR=3;UNTIL=99991231T235959Z",
    "RRULE:",
    "RDATE:20261125T140000Z,x,20261126",
    "RDATE;VALUE=PERIOD:20261125T140000Z/PT1H",
    "EXDATE:20261125T140000Z",
    "EXDATE;TZID=\"un;closed:20261125T140000",
    "RECURRENCE-ID;RANGE=THISANDFUTURE:20261125T140000Z",
    "RECURRENCE-ID:20261124T140000Z",
    "SUMMARY:one",
    "SUMMARY;LANGUAGE=\"d:e\";ALTREP=\"x\":two",
    "summary:three",
    "X.SUMMARY:four",
    "DESCRIPTION:a\\nb\\,c",
    "TRANSP:TRANSPARENT",
    "STATUS:CANCELLED",
    "ATTENDEE;CN=\"A;B:C\";PARTSTAT=DECLINED:mailto:me@bailey.test",
    "BEGIN:VALARM",
    "END:VALARM",
    "BEGIN:VTIMEZONE",
];

fn generated(rng: &mut Rng) -> Vec<u8> {
    let mut text = String::from("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n");
    for _ in 0..rng.usize(1..12) {
        text.push_str(LINES[rng.usize(..LINES.len())]);
        text.push_str(["\r\n", "\n", "\r\n"][rng.usize(..3)]);
        if rng.usize(..12) == 0 {
            text.push_str("END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\n");
        }
    }
    text.push_str("END:VEVENT\r\nEND:VCALENDAR\r\n");
    text.into_bytes()
}

fn mutated(rng: &mut Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = rng.usize(..=bytes.len());
    match rng.usize(..9) {
        0 => drop(bytes.splice(at..at, NASTY[rng.usize(..NASTY.len())].iter().copied())),
        1 if at < bytes.len() => drop(bytes.remove(at)),
        2 if at < bytes.len() => bytes[at] = rng.u8(..),
        3 => bytes.truncate(at.max(60)),
        4 => drop(bytes.splice(at..at, b"\r\n ".iter().copied())),
        5 => {
            let text = String::from_utf8_lossy(bytes).replace("\r\n", ["\n", "\r", "\r\r\n"][rng.usize(..3)]);
            *bytes = text.into_bytes();
        }
        6 => {
            let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            let (one, other) = (rng.usize(..lines.len()), rng.usize(..lines.len()));
            lines.swap(one, other);
            *bytes = lines.concat();
        }
        7 => {
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let kept = rng.usize(..lines.len());
            *bytes =
                lines.iter().enumerate().filter(|(at, _)| *at != kept).flat_map(|(_, line)| line.to_vec()).collect();
        }
        _ => {
            let line = format!("{}\r\n", LINES[rng.usize(..LINES.len())]);
            let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            drop(bytes.splice(start..start, line.into_bytes()));
        }
    }
}

const NEW: &str = "Something; else, \"here\": \u{fc}";

/// What changes of an occurrence come to is told or refused, whatever the object is.
fn check_dates(object: &Object, series: &Series, one: &Occurrence, home: &TimeZone) {
    let changes = Changes { summary: Some(NEW.into()), ..Changes::default() };
    let made = [
        (Meant::CancelOne, edit::cancel_one(object, series, one, home)),
        (Meant::CancelFollowing, edit::cancel_following(object, series, one, home).map(Option::unwrap_or_default)),
        (Meant::ChangeOne(None), edit::change_one(object, series, one, &changes, home)),
        (Meant::ChangeAll(None), edit::change_all(object, series, one, &changes, home)),
        (Meant::ChangeFollowing(None), edit::change_following(object, series, one, &changes, "new", home)),
    ];
    for (meant, after) in made {
        let Ok(object) =
            after.map_err(|why| why.to_string()).and_then(|after| Object::read(&after).map_err(|why| why.to_string()))
        else {
            continue;
        };
        let Ok(after) = Series::only(&object) else { continue };
        match edit::dates(series, Some(&after), one, meant, one.begins, home) {
            Ok(dates) => assert!(dates.first.len() <= edit::MAX_DATES),
            Err(why) => assert!(!why.to_string().is_empty()),
        }
    }
}

fn check(bytes: &[u8], home: &TimeZone, with_dates: bool) {
    let object = match Object::read(bytes) {
        Ok(object) => object,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    for series in Series::all(&object) {
        let Some(event) = series.events.first() else {
            assert!(!series.faults().is_empty());
            continue;
        };
        let span = ("2026-11-20T00:00:00Z".parse().unwrap(), "2026-12-20T00:00:00Z".parse().unwrap());
        let found = series.within(span.0, span.1, home);
        assert!(
            found.occurrences.iter().all(|one| one.begins <= one.ends && one.begins < span.1 && one.ends >= span.0)
        );
        if let Some(one) = found.occurrences.first().filter(|_| with_dates) {
            check_dates(&object, &series, one, home);
        }
        let after = edit::change(&object, event, &Changes { summary: Some(NEW.into()), ..Changes::default() });
        let same = bytes.iter().zip(&after).take_while(|(one, other)| one == other).count();
        let most = bytes.len().min(after.len()) - same;
        let end = bytes.iter().rev().zip(after.iter().rev()).take(most).take_while(|(one, other)| one == other).count();
        // All that differs of the old bytes lies in the line that was to change.
        let old = same..bytes.len() - end;
        let line = object
            .lines_of(event.component)
            .find(|(_, line)| line.name == "SUMMARY")
            .map(|(_, line)| line.content.clone());
        let within =
            line.as_ref().map_or(old.is_empty(), |line| old.start >= line.start && old.end <= line.end.max(old.start));
        assert!(within || old.is_empty(), "{old:?} {line:?}");
        let changed = Object::read(&after).expect("what was read is read again");
        let again = Series::all(&changed);
        let again =
            again.iter().find(|other| other.events.first().is_some_and(|other| other.component == event.component));
        let mut now = again.expect("the entry is there").events[0].clone();
        assert_eq!(now.summary, NEW);
        now.summary.clone_from(&event.summary);
        assert_eq!(&now, event, "nothing else changed");
    }
}

#[test]
fn hostile_objects_are_read_or_refused_and_one_change_changes_one_thing() {
    let home = TimeZone::get("Europe/Paris").unwrap();
    for seed in 0..cases() {
        let mut rng = Rng::with_seed(seed);
        let mut bytes = match seed % 3 {
            0 => generated(&mut rng),
            _ => SHAPES[rng.usize(..SHAPES.len())].1.as_bytes().to_vec(),
        };
        for _ in 0..rng.usize(..8) {
            mutated(&mut rng, &mut bytes);
        }
        let checked = std::panic::catch_unwind(|| check(&bytes, &home, seed % DATES_EACH == 0));
        assert!(checked.is_ok(), "seed {seed}: {}", String::from_utf8_lossy(&bytes));
    }
}
