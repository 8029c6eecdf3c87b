//! What a change of a series comes to: for random series and changes, what is made is what was meant, or it is refused.

use bailey_calendar::edit::{self, Changes, Count, Meant, Move};
use bailey_calendar::{End, Object, Occurrence, Series};
use fastrand::Rng;
use jiff::{SignedDuration, Span, Timestamp};

use crate::objects::paris;

/// How many series; `BAILEY_CASES` says how many instead.
fn cases() -> u64 {
    std::env::var("BAILEY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(150)
}

fn one_of<'a>(rng: &mut Rng, all: &[&'a str]) -> &'a str {
    all[rng.usize(..all.len())]
}

/// A series as programs write them, with a time left out, one more, and an occurrence that differs.
fn series(rng: &mut Rng) -> String {
    let zone = one_of(rng, &[";TZID=Europe/Paris", ";TZID=America/New_York", "", ";VALUE=DATE"]);
    let day = zone == ";VALUE=DATE";
    let time = |at: &str| match zone {
        "" => format!("{at}T090000Z"),
        _ if day => at.to_owned(),
        _ => format!("{at}T090000"),
    };
    // A Wednesday; the clocks of Paris and New York change within the next five months.
    let mut lines = vec![format!("DTSTART{zone}:{}", time("20261125"))];
    lines.push(match (day, rng.bool()) {
        (true, _) => format!("DTEND;VALUE=DATE:{}", one_of(rng, &["20261126", "20261127"])),
        (false, true) => format!("DURATION:{}", one_of(rng, &["PT30M", "PT1H", "P1D"])),
        (false, false) => format!("DTEND{zone}:{}", time("20261125").replace("T09", one_of(rng, &["T10", "T12"]))),
    });
    let rule = one_of(
        rng,
        &[
            "FREQ=DAILY",
            "FREQ=WEEKLY",
            "FREQ=WEEKLY;BYDAY=WE",
            "FREQ=WEEKLY;BYDAY=MO,WE,FR",
            "FREQ=WEEKLY;INTERVAL=2",
            "FREQ=MONTHLY",
            "FREQ=MONTHLY;BYDAY=-1WE",
            "FREQ=YEARLY",
        ],
    );
    let last = if day { "20270630" } else { "20270630T215959Z" };
    let until = format!(";UNTIL={last}");
    lines.push(format!("RRULE:{rule}{}", one_of(rng, &["", ";COUNT=9", &until])));
    if rng.bool() {
        lines.push(format!("EXDATE{zone}:{}", time(one_of(rng, &["20261202", "20261209", "20261225"]))));
    }
    let mut text =
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{}\r\nSUMMARY:Old\r\nEND:VEVENT\r\n", lines.join("\r\n"));
    if rng.bool() {
        let start = time(one_of(rng, &["20261216", "20261217"]));
        let end =
            lines[1].replace("20261127", "20261218").replace("20261125", "20261217").replace("20261126", "20261218");
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID{zone}:{}\r\nDTSTART{zone}:{start}\r\n{end}\r\nSUMMARY:Differs\r\nEND:VEVENT\r\n",
            time("20261216")
        ));
    }
    text + "END:VCALENDAR\r\n"
}

/// The times of an occurrence, some hours or days later, of the same length or of another.
fn times(rng: &mut Rng, one: &Occurrence, series: &Series) -> Move {
    let home = paris();
    let by = match one.start.is_day() {
        true => Span::new().days(rng.i64(-2..3)),
        false => Span::new().hours(rng.i64(-30..30)),
    };
    let start = one.start.with(one.start.at.checked_add(by).unwrap());
    let longer = SignedDuration::from_hours(i64::from(rng.bool()));
    let length = one.end.instant(&home).duration_since(one.start.instant(&home)) + longer;
    let end = match &series.events[one.event].end {
        End::At(_) if one.start.is_day() => End::At(one.end.with(one.end.at.checked_add(by).unwrap())),
        End::At(end) => End::At(end.at_instant(start.instant(&home) + length, &home)),
        End::After(length) => End::After(*length),
        End::Unsaid => End::Unsaid,
    };
    Move { start, end }
}

/// So many of them that nobody can work out all: what is written is held against what was meant all the same.
#[test]
fn dates_of_one_of_very_many_are_worked_out_and_all_others_stay() {
    let (home, now) = (paris(), "2026-11-21T11:00:00Z".parse::<Timestamp>().unwrap());
    for rule in ["FREQ=MINUTELY", "FREQ=SECONDLY;INTERVAL=2"] {
        let text = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Paris:20261125T090000\r\nDURATION:PT1S\r\nRRULE:{rule}\r\nEXDATE;TZID=Europe/Paris:20261125T090400\r\nSUMMARY:Tick\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;TZID=Europe/Paris:20261125T090500\r\nDTSTART;TZID=Europe/Paris:20261125T090530\r\nDURATION:PT1S\r\nSUMMARY:Late\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let object = Object::read(text.as_bytes()).unwrap();
        let series = Series::only(&object).unwrap();
        let start = series.events[0].start.with("2026-11-25T09:02:00".parse().unwrap());
        let (begins, ends) = (start.instant(&home), start.instant(&home) + SignedDuration::from_secs(1));
        let end = start.at_instant(ends, &home);
        let one = Occurrence { event: 0, id: Some(start.clone()), start: start.clone(), end, begins, ends };
        let comes_to = |bytes: &[u8], meant: Meant<'_>| {
            let after = Series::only(&Object::read(bytes).unwrap()).unwrap();
            edit::dates(&series, Some(&after), &one, meant, now, &home)
        };
        let cancelled = edit::cancel_one(&object, &series, &one, &home).unwrap();
        let dates = comes_to(&cancelled, Meant::CancelOne).unwrap();
        assert_eq!((dates.first.len(), dates.count), (1, Count::Times(1)), "{rule}");
        assert!(dates.first[0].1.is_none() && dates.first[0].0.begins == begins, "{rule}: {dates:?}");
        let later = start.with("2026-11-25T09:02:30".parse().unwrap());
        let new = Move { start: later.clone(), end: series.events[0].end.clone() };
        let changes = Changes { times: Some(new.clone()), ..Changes::default() };
        let moved = edit::change_one(&object, &series, &one, &changes, &home).unwrap();
        let dates = comes_to(&moved, Meant::ChangeOne(Some(&new))).unwrap();
        assert_eq!(dates.first[0].1.as_ref().unwrap().begins, later.instant(&home), "{rule}");
        let of = |bytes: &[u8], from: &str, to: &str| String::from_utf8(bytes.to_vec()).unwrap().replace(from, to);
        for other in [
            of(&cancelled, "T090400", "T090600"),
            of(&cancelled, &format!("RRULE:{rule}"), &format!("RRULE:{rule};COUNT=9")),
            of(&cancelled, "DTSTART;TZID=Europe/Paris:20261125T090000", "DTSTART;TZID=Europe/Paris:20261125T090100"),
            of(&cancelled, "T090530", "T090540"),
            of(&cancelled, "T090200", "T090300"),
            text.clone(),
        ] {
            let refused = comes_to(other.as_bytes(), Meant::CancelOne).unwrap_err().to_string();
            assert!(refused.contains("would not come out as it is meant"), "{refused}");
        }
        for other in [of(&moved, "T090230", "T090240"), of(&moved, "T090530", "T090540"), text] {
            assert!(comes_to(other.as_bytes(), Meant::ChangeOne(Some(&new))).is_err(), "{rule}: {other}");
        }
    }
}

#[test]
fn dates_of_a_changed_series_are_those_that_were_meant() {
    let (home, now) = (paris(), "2026-11-21T11:00:00Z".parse::<Timestamp>().unwrap());
    let (mut made, mut otherwise) = (0, Vec::new());
    for seed in 0..cases() {
        let mut rng = Rng::with_seed(seed);
        let text = series(&mut rng);
        let object = Object::read(text.as_bytes()).unwrap();
        let before = Series::only(&object).unwrap();
        let all = before.within(now, "2027-03-01T00:00:00Z".parse().unwrap(), &home).occurrences;
        let of_series: Vec<_> = all.iter().filter(|one| before.events[one.event].recurrence_id.is_none()).collect();
        let one = of_series[rng.usize(..of_series.len().min(6))];
        let wanted = times(&mut rng, one, &before);
        let changes = Changes { times: Some(wanted.clone()), ..Changes::default() };
        let (meant, after) = match rng.usize(..5) {
            0 => (Meant::ChangeAll(Some(&wanted)), edit::change_all(&object, &before, one, &changes, &home)),
            1 => (
                Meant::ChangeFollowing(Some(&wanted)),
                edit::change_following(&object, &before, one, &changes, "2", &home),
            ),
            2 => (Meant::ChangeOne(Some(&wanted)), edit::change_one(&object, &before, one, &changes, &home)),
            3 => match edit::cancel_following(&object, &before, one, &home).unwrap() {
                Some(after) => (Meant::CancelFollowing, Ok(after)),
                None => continue,
            },
            _ => (Meant::CancelOne, edit::cancel_one(&object, &before, one, &home)),
        };
        let Ok(after) = after else { continue };
        let object = Object::read(&after).unwrap();
        let after = Series::only(&object).unwrap();
        match edit::dates(&before, Some(&after), one, meant, now, &home) {
            Ok(dates) => {
                made += 1;
                assert!(!dates.first.is_empty() && dates.first.len() <= edit::MAX_DATES, "seed {seed}: {text}");
                assert!(dates.count != Count::Times(0), "seed {seed}: {text}");
            }
            Err(why) => otherwise
                .push(format!("seed {seed}: {meant:?} {why}\n{text}{}", String::from_utf8_lossy(object.bytes()))),
        }
    }
    assert!(
        made > 0 && otherwise.is_empty(),
        "{made} came out as meant; {} not: {}",
        otherwise.len(),
        otherwise.first().map_or("", String::as_str)
    );
}
