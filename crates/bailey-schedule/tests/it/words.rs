//! Words, cron and rules, and the times they come to.

use bailey_schedule::{Form, read, told, upcoming};
use expect_test::{Expect, expect};
use jiff::Zoned;

/// What stands behind words that are not understood.
const EXAMPLES: &str = "write, say, `every weekday at 7.00`, `every second Tuesday at 9.00`, `last working day of the month at 16.00`, `every 2 hours`, `in 20 minutes`, or cron such as `0 7 * * 1-5`";

/// A Monday evening.
const NOW: &str = "2026-11-30T18:00[Europe/Berlin]";

fn now() -> Zoned {
    NOW.parse().unwrap()
}

/// Holds what is said back, and the next three times, against what is expected.
#[track_caller]
fn check(said: &str, expected: &Expect) {
    expected.assert_eq(&meaning(said));
}

/// Returns what is said back, with the next three times; or why it is refused.
#[track_caller]
fn meaning(said: &str) -> String {
    let now = now();
    match read(said, &now) {
        Ok(when) => {
            // What is stored reads back as the same.
            let again = Form::parse(&when.form.to_string()).unwrap();
            let times = |form: &Form| {
                upcoming(form, now.timestamp(), now.time_zone(), 3).iter().map(told).collect::<Vec<_>>().join("\n")
            };
            assert_eq!(times(&again), times(&when.form), "{said}");
            format!("{}\n{}\n", when.told, times(&when.form))
        }
        Err(why) => format!("{why}\n"),
    }
}

/// Holds that all of them mean the same.
#[track_caller]
fn same(all: &[&str], expected: &Expect) {
    for said in all {
        assert_eq!(meaning(said), meaning(all[0]), "{said}");
    }
    check(all[0], expected);
}

#[test]
fn a_day_of_the_week_in_three_languages() {
    same(
        &[
            "every weekday at 7.00",
            "weekdays at 7:00",
            "at 7am on weekdays",
            "every working day at 7.00",
            "Monday to Friday at 7.00",
            "jeden Werktag um 7 Uhr",
            "werktags um 7",
            "montag bis freitag um 7.00",
            "tous les jours ouvrés à 7h",
            "du lundi au vendredi à 7h00",
        ],
        &expect![[r#"
            every weekday (Monday to Friday) at 07:00
            Tuesday 2026-12-01 07:00 CET (UTC+01:00)
            Wednesday 2026-12-02 07:00 CET (UTC+01:00)
            Thursday 2026-12-03 07:00 CET (UTC+01:00)
        "#]],
    );
}

#[test]
fn every_second_one_in_three_languages() {
    same(
        &[
            "every second Tuesday at 9.00",
            "every other Tuesday at 9.00",
            "every 2 weeks on Tuesday at 9am",
            "jeden zweiten Dienstag um 9 Uhr",
            "alle zwei Wochen am Dienstag um 9",
            "un mardi sur deux à 9h",
            "toutes les deux semaines le mardi à 9h",
        ],
        &expect![[r#"
            every 2 weeks on Tuesday at 09:00, from 2026-12-01
            Tuesday 2026-12-01 09:00 CET (UTC+01:00)
            Tuesday 2026-12-15 09:00 CET (UTC+01:00)
            Tuesday 2026-12-29 09:00 CET (UTC+01:00)
        "#]],
    );
}

#[test]
fn days_of_the_month_in_three_languages() {
    same(
        &[
            "last working day of the month at 16.00",
            "on the last business day of every month at 4pm",
            "am letzten Werktag des Monats um 16 Uhr",
            "letzter Arbeitstag jedes Monats um 16:00",
            "le dernier jour ouvré du mois à 16h",
        ],
        &expect![[r#"
            the last working day of every month at 16:00
            Thursday 2026-12-31 16:00 CET (UTC+01:00)
            Friday 2027-01-29 16:00 CET (UTC+01:00)
            Friday 2027-02-26 16:00 CET (UTC+01:00)
        "#]],
    );
    same(
        &[
            "every second Tuesday of the month at 9.00",
            "on the second Tuesday of every month at 9am",
            "jeden zweiten Dienstag des Monats um 9 Uhr",
            "le deuxième mardi de chaque mois à 9h",
        ],
        &expect![[r#"
            the second Tuesday of every month at 09:00
            Tuesday 2026-12-08 09:00 CET (UTC+01:00)
            Tuesday 2027-01-12 09:00 CET (UTC+01:00)
            Tuesday 2027-02-09 09:00 CET (UTC+01:00)
        "#]],
    );
    same(
        &[
            "on the 15th of every month at 9.00",
            "every month on the 15th at 9:00",
            "monatlich am 15. um 9 Uhr",
            "le 15 de chaque mois à 9h",
            "am 15. jedes Monats um 9.00",
        ],
        &expect![[r#"
            every month on day 15 at 09:00
            Tuesday 2026-12-15 09:00 CET (UTC+01:00)
            Friday 2027-01-15 09:00 CET (UTC+01:00)
            Monday 2027-02-15 09:00 CET (UTC+01:00)
        "#]],
    );
    check(
        "every 15th of the month at 9.00",
        &expect![[r#"
        every month on day 15 at 09:00
        Tuesday 2026-12-15 09:00 CET (UTC+01:00)
        Friday 2027-01-15 09:00 CET (UTC+01:00)
        Monday 2027-02-15 09:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "every 2 months on the 1st at 9.00",
        &expect![[r#"
        every 2 months on day 1 at 09:00, from 2026-12-01
        Tuesday 2026-12-01 09:00 CET (UTC+01:00)
        Monday 2027-02-01 09:00 CET (UTC+01:00)
        Thursday 2027-04-01 09:00 CEST (UTC+02:00)
    "#]],
    );
    check(
        "jeden zweiten Monat am 1. um 9 Uhr",
        &expect![[r#"
        every 2 months on day 1 at 09:00, from 2026-12-01
        Tuesday 2026-12-01 09:00 CET (UTC+01:00)
        Monday 2027-02-01 09:00 CET (UTC+01:00)
        Thursday 2027-04-01 09:00 CEST (UTC+02:00)
    "#]],
    );
    check(
        "on the 31st of every month at 9.00",
        &expect![[r#"
        every month on day 31 at 09:00
        Thursday 2026-12-31 09:00 CET (UTC+01:00)
        Sunday 2027-01-31 09:00 CET (UTC+01:00)
        Wednesday 2027-03-31 09:00 CEST (UTC+02:00)
    "#]],
    );
    check(
        "last day of the month at 23.30",
        &expect![[r#"
        the last day of every month at 23:30
        Monday 2026-11-30 23:30 CET (UTC+01:00)
        Thursday 2026-12-31 23:30 CET (UTC+01:00)
        Sunday 2027-01-31 23:30 CET (UTC+01:00)
    "#]],
    );
    check(
        "first working day of the month at 8.00",
        &expect![[r#"
        the first working day of every month at 08:00
        Tuesday 2026-12-01 08:00 CET (UTC+01:00)
        Friday 2027-01-01 08:00 CET (UTC+01:00)
        Monday 2027-02-01 08:00 CET (UTC+01:00)
    "#]],
    );
}

#[test]
fn several_times_and_days() {
    check(
        "every day at 8.00 and 18.30",
        &expect![[r#"
        every day at 08:00 and 18:30
        Monday 2026-11-30 18:30 CET (UTC+01:00)
        Tuesday 2026-12-01 08:00 CET (UTC+01:00)
        Tuesday 2026-12-01 18:30 CET (UTC+01:00)
    "#]],
    );
    check(
        "Mondays and Thursdays at noon",
        &expect![[r#"
        every Monday and Thursday at 12:00
        Thursday 2026-12-03 12:00 CET (UTC+01:00)
        Monday 2026-12-07 12:00 CET (UTC+01:00)
        Thursday 2026-12-10 12:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "montags, mittwochs und freitags um halb zehn",
        &expect![[r#"
        every Monday, Wednesday and Friday at 09:30
        Wednesday 2026-12-02 09:30 CET (UTC+01:00)
        Friday 2026-12-04 09:30 CET (UTC+01:00)
        Monday 2026-12-07 09:30 CET (UTC+01:00)
    "#]],
    );
    check(
        "every 3 days at 6.00",
        &expect![[r#"
        every 3 days at 06:00, from 2026-12-01
        Tuesday 2026-12-01 06:00 CET (UTC+01:00)
        Friday 2026-12-04 06:00 CET (UTC+01:00)
        Monday 2026-12-07 06:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "at weekends at 10.00",
        &expect![[r#"
        every Saturday and Sunday at 10:00
        Saturday 2026-12-05 10:00 CET (UTC+01:00)
        Sunday 2026-12-06 10:00 CET (UTC+01:00)
        Saturday 2026-12-12 10:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "every year on 3 March at 10.00",
        &expect![[r#"
        every year on 3 March at 10:00
        Wednesday 2027-03-03 10:00 CET (UTC+01:00)
        Friday 2028-03-03 10:00 CET (UTC+01:00)
        Saturday 2029-03-03 10:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "jedes Jahr am 3. März um 10 Uhr",
        &expect![[r#"
        every year on 3 March at 10:00
        Wednesday 2027-03-03 10:00 CET (UTC+01:00)
        Friday 2028-03-03 10:00 CET (UTC+01:00)
        Saturday 2029-03-03 10:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "chaque année le 3 mars à 10h",
        &expect![[r#"
        every year on 3 March at 10:00
        Wednesday 2027-03-03 10:00 CET (UTC+01:00)
        Friday 2028-03-03 10:00 CET (UTC+01:00)
        Saturday 2029-03-03 10:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "tous les jours à 7h et 19h",
        &expect![[r#"
        every day at 07:00 and 19:00
        Monday 2026-11-30 19:00 CET (UTC+01:00)
        Tuesday 2026-12-01 07:00 CET (UTC+01:00)
        Tuesday 2026-12-01 19:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "täglich um 7 Uhr",
        &expect![[r#"
        every day at 07:00
        Tuesday 2026-12-01 07:00 CET (UTC+01:00)
        Wednesday 2026-12-02 07:00 CET (UTC+01:00)
        Thursday 2026-12-03 07:00 CET (UTC+01:00)
    "#]],
    );
}

#[test]
fn hours_and_minutes_in_three_languages() {
    same(
        &[
            "every 2 hours between 8.00 and 18.00",
            "alle 2 Stunden zwischen 8 und 18 Uhr",
            "toutes les 2 heures entre 8h et 18h",
            "every two hours from 8am to 6pm",
        ],
        &expect![[r#"
            every 2 hours from 08:00 to 18:00, every day
            Tuesday 2026-12-01 08:00 CET (UTC+01:00)
            Tuesday 2026-12-01 10:00 CET (UTC+01:00)
            Tuesday 2026-12-01 12:00 CET (UTC+01:00)
        "#]],
    );
    check(
        "every 90 minutes between 8.00 and 18.00 on weekdays",
        &expect![[r#"
        every 90 minutes from 08:00 to 18:00, every weekday (Monday to Friday)
        Tuesday 2026-12-01 08:00 CET (UTC+01:00)
        Tuesday 2026-12-01 09:30 CET (UTC+01:00)
        Tuesday 2026-12-01 11:00 CET (UTC+01:00)
    "#]],
    );
    same(
        &["every 20 minutes", "alle 20 Minuten", "toutes les 20 minutes"],
        &expect![[r#"
        every 20 minutes, from Monday 2026-11-30 18:00 CET (UTC+01:00)
        Monday 2026-11-30 18:20 CET (UTC+01:00)
        Monday 2026-11-30 18:40 CET (UTC+01:00)
        Monday 2026-11-30 19:00 CET (UTC+01:00)
    "#]],
    );
    same(
        &["every hour", "hourly", "stündlich", "jede Stunde", "toutes les heures"],
        &expect![[r#"
        every hour, from Monday 2026-11-30 18:00 CET (UTC+01:00)
        Monday 2026-11-30 19:00 CET (UTC+01:00)
        Monday 2026-11-30 20:00 CET (UTC+01:00)
        Monday 2026-11-30 21:00 CET (UTC+01:00)
    "#]],
    );
}

#[test]
fn one_moment() {
    check(
        "in 20 minutes",
        &expect![[r#"
        once, on Monday 2026-11-30 18:20 CET (UTC+01:00)
        Monday 2026-11-30 18:20 CET (UTC+01:00)
    "#]],
    );
    check(
        "on 3 March 2027 at 10.00",
        &expect![[r#"
        once, on Wednesday 2027-03-03 10:00 CET (UTC+01:00)
        Wednesday 2027-03-03 10:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "morgen um 9 Uhr",
        &expect![[r#"
        once, on Tuesday 2026-12-01 09:00 CET (UTC+01:00)
        Tuesday 2026-12-01 09:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "le 3 décembre 2026 à 15h30",
        &expect![[r#"
        once, on Thursday 2026-12-03 15:30 CET (UTC+01:00)
        Thursday 2026-12-03 15:30 CET (UTC+01:00)
    "#]],
    );
}

#[test]
fn cron_in_five_fields() {
    check(
        "0 7 * * 1-5",
        &expect![[r#"
            by the cron line 0 7 * * 1-5
            Tuesday 2026-12-01 07:00 CET (UTC+01:00)
            Wednesday 2026-12-02 07:00 CET (UTC+01:00)
            Thursday 2026-12-03 07:00 CET (UTC+01:00)
        "#]],
    );
    check(
        "0 16 LW * *",
        &expect![[r#"
            by the cron line 0 16 LW * *
            Thursday 2026-12-31 16:00 CET (UTC+01:00)
            Friday 2027-01-29 16:00 CET (UTC+01:00)
            Friday 2027-02-26 16:00 CET (UTC+01:00)
        "#]],
    );
    check(
        "30 9 * * 5#2",
        &expect![[r#"
            by the cron line 30 9 * * 5#2
            Friday 2026-12-11 09:30 CET (UTC+01:00)
            Friday 2027-01-08 09:30 CET (UTC+01:00)
            Friday 2027-02-12 09:30 CET (UTC+01:00)
        "#]],
    );
    check(
        "@daily",
        &expect![[r#"
            by the cron line 0 0 * * *
            Tuesday 2026-12-01 00:00 CET (UTC+01:00)
            Wednesday 2026-12-02 00:00 CET (UTC+01:00)
            Thursday 2026-12-03 00:00 CET (UTC+01:00)
        "#]],
    );
    check(
        "*/5 8-9 * * *",
        &expect![[r#"
            by the cron line */5 8-9 * * *
            Tuesday 2026-12-01 08:00 CET (UTC+01:00)
            Tuesday 2026-12-01 08:05 CET (UTC+01:00)
            Tuesday 2026-12-01 08:10 CET (UTC+01:00)
        "#]],
    );
}

#[test]
fn rules_of_repetition() {
    check(
        "RRULE:FREQ=WEEKLY;BYDAY=TU,TH;BYHOUR=9;BYMINUTE=30",
        &expect![[r#"
        by the rule FREQ=WEEKLY;BYDAY=TU,TH;BYHOUR=9;BYMINUTE=30, counted from 2026-11-30 00:00
        Tuesday 2026-12-01 09:30 CET (UTC+01:00)
        Thursday 2026-12-03 09:30 CET (UTC+01:00)
        Tuesday 2026-12-08 09:30 CET (UTC+01:00)
    "#]],
    );
    check(
        "DTSTART:20261201T090000 RRULE:FREQ=DAILY;INTERVAL=10",
        &expect![[r#"
        by the rule FREQ=DAILY;INTERVAL=10, counted from 2026-12-01 09:00
        Tuesday 2026-12-01 09:00 CET (UTC+01:00)
        Friday 2026-12-11 09:00 CET (UTC+01:00)
        Monday 2026-12-21 09:00 CET (UTC+01:00)
    "#]],
    );
    check(
        "FREQ=DAILY;BYHOUR=9;COUNT=2",
        &expect![[r#"
        by the rule FREQ=DAILY;BYHOUR=9;COUNT=2, counted from 2026-11-30 00:00
        Tuesday 2026-12-01 09:00 CET (UTC+01:00)
    "#]],
    );
}

#[test]
fn what_cannot_be_is_refused_with_what_to_write() {
    let all = [
        "",
        "sometimes",
        "every day",
        "every day at 7",
        "every Tuesday at 9.00 except holidays",
        "every month at 9.00",
        "every week at 9.00",
        "every minute",
        "every day at 25.00",
        "tous les jours ouvrables à 9h",
        "le mardi à 9h",
        "tomorrow",
        "yesterday at 9.00",
        "every 32nd of the month at 9.00",
        "every 2 hours between 18.00 and 8.00",
        "0 9 1 * 1",
        "0 0 30 2 *",
        "0 0 9 * * 1",
        "* * * * *",
        "0,2 9 * * *",
        "61 9 * * *",
        "FREQ=HOURLY;INTERVAL=2",
        "FREQ=DAILY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=9",
        "FREQ=DAILY;BYHOUR=9;BYMINUTE=0,2",
        "RRULE:nonsense",
    ];
    let refused =
        |said: &&str| read(said, &now()).map_or_else(|why| format!("{said}: {why}\n"), |when| panic!("{}", when.told));
    expect![[r#"
        : it does not say when; …
        sometimes: `sometimes` is not understood as part of a date or time; write one like `5 December 2026 at 15:00`, or `2026-12-05T15:00`; …
        every day: it says no time; add one, such as `at 9.00`
        every day at 7: is `7` in the morning or in the evening? Write 7.00 or 7pm
        every Tuesday at 9.00 except holidays: `except` is not understood there; …
        every month at 9.00: say on which day of the month, such as `on the 15th of every month at 9.00`
        every week at 9.00: say on which day of the week, such as `every week on Tuesday at 9.00`
        every minute: a schedule is due every 5 minutes at most
        every day at 25.00: `25.00` is not understood there; …
        tous les jours ouvrables à 9h: `ouvrables` may mean Saturday, too; write `jours ouvrés`, or `du lundi au samedi`
        le mardi à 9h: is that every week, or once? Write `tous les mardis à 9h`, or the date
        tomorrow: it says a day and no time; add one, such as `at 9.00`
        yesterday at 9.00: Sunday 2026-11-29 09:00 CET (UTC+01:00) is past; which date and time do you mean?; …
        every 32nd of the month at 9.00: no month has that day
        every 2 hours between 18.00 and 8.00: the span of the day ends before it begins; across midnight, make two schedules
        0 9 1 * 1: cron with a day of the month and a day of the week is due on both, which few mean; leave one of them `*`, or say it in words such as `first Monday of the month at 9.00`
        0 0 30 2 *: that does not come in the next 5 years
        0 0 9 * * 1: cron has five fields here: minute, hour, day of the month, month, day of the week; a schedule is not due by the second
        * * * * *: a schedule is due every 5 minutes at most
        0,2 9 * * *: a schedule is due every 5 minutes at most
        61 9 * * *: that is no cron of five fields: Component error: Number out of bounds.
        FREQ=HOURLY;INTERVAL=2: a rule repeats by day, week, month or year; for hours and minutes write `every 2 hours`
        FREQ=DAILY: the rule says no time; add `BYHOUR=9;BYMINUTE=0`, or `DTSTART:20270104T090000` before it
        FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=9: that does not come in the next 5 years
        FREQ=DAILY;BYHOUR=9;BYMINUTE=0,2: a schedule is due every 5 minutes at most
        RRULE:nonsense: that rule cannot be read: `NONSENSE` is no part of a rule
    "#]].assert_eq(&all.iter().map(refused).collect::<String>().replace(EXAMPLES, "…"));
}
