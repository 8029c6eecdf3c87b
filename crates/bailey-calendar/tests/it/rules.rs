//! Rules of repetition: the examples of RFC 5545, 3.8.5.3, and what takes too long.

use bailey_calendar::rule::{Rule, Walk};
use jiff::civil::DateTime;

fn first(rule: &str, start: &str, count: usize) -> Vec<String> {
    let start: DateTime = start.parse().unwrap();
    let mut walk = Walk::new(&Rule::read(rule).unwrap(), start, false, None);
    let all = std::iter::from_fn(|| walk.next("2200-01-01T00:00:00".parse().unwrap()));
    all.take(count).map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).collect()
}

fn days(rule: &str, start: &str, count: usize) -> String {
    first(rule, start, count).iter().map(|at| at[..10].to_owned()).collect::<Vec<_>>().join(" ")
}

#[test]
fn rules_of_the_standards_examples() {
    for (rule, start, expected) in [
        ("FREQ=DAILY;COUNT=3", "1997-09-02T09:00:00", "1997-09-02 1997-09-03 1997-09-04"),
        (
            "FREQ=DAILY;INTERVAL=10;COUNT=5",
            "1997-09-02T09:00:00",
            "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12",
        ),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=3", "1997-09-02T09:00:00", "1997-09-02 1997-09-16 1997-09-30"),
        (
            "FREQ=WEEKLY;COUNT=4;WKST=SU;BYDAY=TU,TH",
            "1997-09-02T09:00:00",
            "1997-09-02 1997-09-04 1997-09-09 1997-09-11",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "1997-08-05T09:00:00",
            "1997-08-05 1997-08-10 1997-08-19 1997-08-24",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05T09:00:00",
            "1997-08-05 1997-08-17 1997-08-19 1997-08-31",
        ),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "1997-09-05T09:00:00", "1997-09-05 1997-10-03 1997-11-07"),
        (
            "FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU",
            "1997-09-07T09:00:00",
            "1997-09-07 1997-09-28 1997-11-02 1997-11-30",
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", "1997-09-28T09:00:00", "1997-09-28 1997-10-29 1997-11-28"),
        (
            "FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200",
            "1997-01-01T09:00:00",
            "1997-01-01 1997-04-10 1997-07-19 2000-01-01",
        ),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19T09:00:00", "1997-05-19 1998-05-18 1999-05-17"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", "1997-05-12T09:00:00", "1997-05-12 1998-05-11 1999-05-17"),
        ("FREQ=YEARLY;BYWEEKNO=20;COUNT=3", "1997-05-12T09:00:00", "1997-05-12 1998-05-11 1999-05-17"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "1997-09-02T09:00:00", "1998-02-13 1998-03-13 1998-11-13"),
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
            "1996-11-05T09:00:00",
            "1996-11-05 2000-11-07 2004-11-02",
        ),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04T09:00:00", "1997-09-04 1997-10-07 1997-11-06"),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3",
            "1997-09-29T09:00:00",
            "1997-09-29 1997-10-30 1997-11-27",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
            "2007-01-15T09:00:00",
            "2007-01-15 2007-01-30 2007-02-15 2007-03-15 2007-03-30",
        ),
        ("FREQ=YEARLY;COUNT=3", "1980-02-29T09:00:00", "1980-02-29 1984-02-29 1988-02-29"),
    ] {
        assert_eq!(days(rule, start, 9), expected, "{rule}");
    }
    let every = first("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10", "1997-09-02T09:00:00", 7);
    assert_eq!(
        every.join(" "),
        "1997-09-02 09:00 1997-09-02 09:20 1997-09-02 09:40 1997-09-02 10:00 1997-09-02 10:20 1997-09-02 10:40 1997-09-03 09:00"
    );
    let every = first("FREQ=DAILY;BYHOUR=9,16;BYMINUTE=0,30;COUNT=5", "1997-09-02T09:00:00", 9);
    assert_eq!(every.join(" "), "1997-09-02 09:00 1997-09-02 09:30 1997-09-02 16:00 1997-09-02 16:30 1997-09-03 09:00");
    assert_eq!(first("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000", "1997-09-02T09:00:00", 9).len(), 3);
}

#[test]
fn rules_half_understood_are_refused() {
    for rule in [
        "",
        "FREQ",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;RSCALE=CHINESE",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;BYEASTER=0",
        "INTERVAL=2",
    ] {
        assert!(Rule::read(rule).is_err(), "{rule}");
    }
    assert!(Rule::read("freq=weekly;byday=mo, we;X-NOTE=1;").is_ok());
}

/// No rule, however it is made, may cost more than a bounded number of steps.
#[test]
fn rules_that_come_to_nothing_end() {
    for rule in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;BYSETPOS=7",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3;COUNT=5",
        "FREQ=DAILY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=YEARLY;INTERVAL=4294967295;COUNT=3",
        "FREQ=SECONDLY;INTERVAL=4294967295;BYSECOND=59;BYMINUTE=1;BYHOUR=1;COUNT=9",
    ] {
        let mut walk = Walk::new(&Rule::read(rule).unwrap(), "1990-01-01T09:00:00".parse().unwrap(), false, None);
        let mut count = 0;
        while walk.next("2100-01-01T00:00:00".parse().unwrap()).is_some() {
            count += 1;
        }
        assert!(count < 10, "{rule}: {count}");
    }
}
