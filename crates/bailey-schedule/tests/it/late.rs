//! Clock changes, and what becomes of times that passed.

use bailey_schedule::{Form, Late, Timing, read, timing, upcoming};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

fn times(said: &str, from: &str, most: usize) -> Vec<String> {
    let now: Zoned = from.parse().unwrap();
    let when = read(said, &now).unwrap();
    let times = upcoming(&when.form, now.timestamp(), now.time_zone(), most);
    times.iter().map(|at| at.strftime("%m-%d %H:%M%:z").to_string()).collect()
}

/// In words, as cron and as a rule: the same.
#[test]
fn a_fixed_time_in_an_hour_that_is_left_out_comes_once_at_its_end() {
    for said in ["every day at 2.30", "30 2 * * *", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"] {
        let came = times(said, "2026-03-28T12:00[Europe/Berlin]", 2);
        assert_eq!(came, ["03-29 03:00+02:00", "03-30 02:30+02:00"], "{said}");
    }
}

#[test]
fn a_fixed_time_in_an_hour_that_comes_twice_comes_at_the_first() {
    for said in ["every day at 2.30", "30 2 * * *", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"] {
        let came = times(said, "2026-10-24T12:00[Europe/Berlin]", 2);
        assert_eq!(came, ["10-25 02:30+02:00", "10-26 02:30+01:00"], "{said}");
    }
}

#[test]
fn an_interval_goes_by_elapsed_time_through_both() {
    let came = times("every hour", "2026-03-29T00:30[Europe/Berlin]", 3);
    assert_eq!(came, ["03-29 01:30+01:00", "03-29 03:30+02:00", "03-29 04:30+02:00"]);
    let came = times("every hour", "2026-10-25T01:30[Europe/Berlin]", 3);
    assert_eq!(came, ["10-25 02:30+02:00", "10-25 02:30+01:00", "10-25 03:30+01:00"]);
    let came = times("0 * * * *", "2026-03-29T00:30[Europe/Berlin]", 3);
    assert_eq!(came, ["03-29 01:00+01:00", "03-29 03:00+02:00", "03-29 04:00+02:00"]);
    let came = times("0 * * * *", "2026-10-25T01:30[Europe/Berlin]", 3);
    assert_eq!(came, ["10-25 02:00+02:00", "10-25 02:00+01:00", "10-25 03:00+01:00"]);
    let came = times("*/30 2 * * *", "2026-10-25T01:30[Europe/Berlin]", 4);
    assert_eq!(came, ["10-25 02:00+02:00", "10-25 02:30+02:00", "10-25 02:00+01:00", "10-25 02:30+01:00"]);
}

#[test]
fn a_midnight_that_is_left_out_comes_at_one() {
    for said in ["every day at 0.00", "0 0 * * *"] {
        let came = times(said, "2026-04-23T12:00[Africa/Cairo]", 2);
        assert_eq!(came, ["04-24 01:00+03:00", "04-25 00:00+03:00"], "{said}");
    }
}

#[track_caller]
fn late(said: &str, due: &str, now: &str, late: Late, expected: Timing) {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let made: Zoned = "2026-11-01T00:00[Europe/Berlin]".parse().unwrap();
    let form = read(said, &made).unwrap().form;
    let at = |text: &str| format!("{text}[Europe/Berlin]").parse::<Zoned>().unwrap().timestamp();
    assert_eq!(timing(&form, at(due), at(now), &zone, late), expected, "{said}, due {due}, now {now}");
}

#[test]
fn a_time_that_passed_is_made_up_for_on_the_same_day_or_while_the_next_is_farther() {
    use Late::{AlwaysOnce, Never, Usual};
    late("every day at 7.00", "2026-11-30T07:00", "2026-11-30T07:01", Usual, Timing::OnTime);
    late("every day at 7.00", "2026-11-30T07:00", "2026-11-30T07:02", Usual, Timing::Late);
    late("every day at 7.00", "2026-11-30T07:00", "2026-11-30T23:59", Usual, Timing::Late);
    late("every day at 7.00", "2026-11-30T07:00", "2026-12-01T00:01", Usual, Timing::Missed);
    late("every day at 7.00", "2026-11-30T07:00", "2026-11-30T07:02", Never, Timing::Missed);
    late("every day at 7.00", "2026-11-30T07:00", "2026-11-30T07:00", Never, Timing::OnTime);
    late("every day at 7.00", "2026-11-30T07:00", "2026-12-02T06:59", AlwaysOnce, Timing::Late);
    late("0 * * * *", "2026-11-30T07:00", "2026-11-30T07:20", Usual, Timing::Late);
    late("0 * * * *", "2026-11-30T07:00", "2026-11-30T07:40", Usual, Timing::Missed);
    late("on 30 November 2026 at 07:00", "2026-11-30T07:00", "2026-11-30T21:00", Usual, Timing::Late);
    late("on 30 November 2026 at 07:00", "2026-11-30T07:00", "2026-12-01T07:00", Usual, Timing::Missed);
    // The day that has 23 hours.
    late("every day at 7.00", "2027-03-27T07:00", "2027-03-27T20:00", Usual, Timing::Late);
}

#[test]
fn times_without_number_are_counted_to_a_bound_and_the_newest_is_found() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let form = Form::parse("cron */5 * * * *").unwrap();
    let (from, now): (Timestamp, Timestamp) =
        ("2026-01-01T00:00Z".parse().unwrap(), "2026-12-31T23:59Z".parse().unwrap());
    let passed = bailey_schedule::passed(&form, from, now, &zone).unwrap();
    assert_eq!(passed.first.to_string(), "2026-01-01T00:05:00Z");
    assert_eq!(passed.newest.to_string(), "2026-12-31T23:55:00Z");
    assert_eq!(passed.last_but_one.unwrap().to_string(), "2026-12-31T23:50:00Z");
    assert_eq!(passed.before, bailey_schedule::MAX_COUNTED);
}
