//! A year of a schedule in many zones, with what happens to machines: they are switched off, asleep, paused, busy, killed, and their clocks
//! are set. Whatever happened: each time that came has exactly one outcome, and no time ran twice.

use std::collections::BTreeSet;

use bailey_schedule::{Form, Kept, Late, Outcome, Overlap, Situation, Step, Wants, look, read};
use fastrand::Rng;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

const ZONES: [&str; 40] = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Athens",
    "Europe/Moscow",
    "Europe/Dublin",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/St_Johns",
    "America/Halifax",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Havana",
    "America/Asuncion",
    "America/Mexico_City",
    "America/Nuuk",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Jerusalem",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Shanghai",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
];
const SAID: [&str; 9] = [
    "every day at 2.30",
    "30 2 * * *",
    "every weekday at 7.00",
    "every second Tuesday at 9.00",
    "last working day of the month at 16.00",
    "every 2 hours between 8.00 and 18.00",
    "every 6 hours",
    "0 */3 * * *",
    "every day at 0.00 and 23.55",
];
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// What is on the disk.
#[derive(Clone)]
struct Disk {
    kept: Kept,
    /// First and last time, how many, what became of them.
    rows: Vec<(i64, i64, u32, Outcome)>,
    /// Runs that began, by their time.
    begun: Vec<i64>,
}

impl Disk {
    fn commit(&mut self, step: &Step) {
        self.kept = step.kept;
        self.rows.extend(step.decided.iter().map(|one| (one.first_ms, one.last_ms, one.count, one.outcome)));
        if let Some((at, outcome)) = step.begins {
            self.rows.push((at, at, 1, outcome));
            self.begun.push(at);
        }
    }
}

/// Lives through a year; gives what is on the disk at its end.
fn live(form: &Form, zone: &TimeZone, late: Late, overlap: Overlap, rng: &mut Rng, made_ms: i64) -> Disk {
    let mut disk = Disk { kept: Kept { watermark_ms: made_ms, queued_ms: None }, rows: Vec::new(), begun: Vec::new() };
    let (mut now_ms, mut works_until, mut paused, mut epoch, mut seen) = (made_ms, i64::MIN, false, 0, 0);
    let end = made_ms + 366 * DAY_MS;
    while now_ms < end {
        // How long until it is looked at again: the loop's round, or whatever kept it from it.
        now_ms += match rng.u32(0..100) {
            0..=79 => rng.i64(10..60) * 60 * 1_000 / 20,
            80..=93 => rng.i64(1..300) * MINUTE_MS,
            94..=97 => rng.i64(1..80) * 60 * MINUTE_MS,
            98 => rng.i64(1..20) * DAY_MS,
            // Somebody sets the clock back.
            _ => -rng.i64(1..300) * MINUTE_MS,
        };
        if rng.u32(0..60) == 0 {
            paused = !paused;
            epoch += i64::from(paused);
        }
        let situation = Situation {
            now_ms,
            paused: paused || epoch != seen,
            at_work: now_ms < works_until,
            questions: if rng.u32(0..40) == 0 { 3 } else { 0 },
            full: rng.u32(0..15) == 0,
            full_for_late: rng.u32(0..4) == 0,
            barred: rng.u32(0..30) == 0,
        };
        let step = look(Wants { form, zone, late, overlap }, disk.kept, &situation);
        // Killed before the commit: nothing of it is there. Behind it, the run is there and is gone on with.
        if rng.u32(0..25) == 0 {
            continue;
        }
        seen = epoch;
        if let Some(step) = step {
            disk.commit(&step);
            if step.begins.is_some() {
                assert!(!situation.paused, "a run begins while everything is paused");
                assert!(!situation.at_work, "two runs of one schedule are at work");
                works_until = now_ms + rng.i64(1..120) * MINUTE_MS;
            }
        }
    }
    disk
}

#[track_caller]
fn holds(disk: &Disk, form: &Form, zone: &TimeZone, made_ms: i64, named: &str) {
    let begun: BTreeSet<i64> = disk.begun.iter().copied().collect();
    assert_eq!(begun.len(), disk.begun.len(), "{named}: a time ran twice");
    let mut rows = disk.rows.clone();
    rows.extend(disk.kept.queued_ms.map(|at| (at, at, 1, Outcome::Ran)));
    rows.sort_unstable_by_key(|row| row.0);
    let mut rest = rows.iter().copied();
    let mut at = Timestamp::from_millisecond(made_ms).unwrap();
    let mut row = rest.next();
    let mut counted = 0;
    // Every time that came, in order, is in the row that is next.
    while let Some(next) = form.next(at, zone).filter(|next| next.as_millisecond() <= disk.kept.watermark_ms) {
        let (first, last, count, _) = row.unwrap_or_else(|| panic!("{named}: {next} has no outcome"));
        let ms = next.as_millisecond();
        assert!(first <= ms && ms <= last, "{named}: {next} has no outcome");
        counted += 1;
        if ms == last {
            assert_eq!(counted, count, "{named}: {next}");
            counted = 0;
            row = rest.next();
        }
        at = next;
    }
    assert!(row.is_none(), "{named}: an outcome without a time: {row:?}");
}

#[test]
fn a_year_in_forty_zones_gives_each_time_one_outcome() {
    let mut ran = BTreeSet::new();
    // A quarter of all pairs; each of them where it is asked for.
    let is_whole = std::env::var_os("BAILEY_CASES").is_some();
    for (n, name) in ZONES.iter().enumerate() {
        let zone = TimeZone::get(name).unwrap();
        for (m, said) in SAID.iter().enumerate().filter(|(m, _)| is_whole || (n + m) % 4 == 0) {
            let mut rng = Rng::with_seed((n * SAID.len() + m) as u64);
            let made: Zoned = format!("2026-02-01T12:00[{name}]").parse().unwrap();
            let made_ms = made.timestamp().as_millisecond();
            let form = read(said, &made).unwrap().form;
            let late = *rng.choice(Late::ALL).unwrap();
            let overlap = *rng.choice(Overlap::ALL).unwrap();
            let disk = live(&form, &zone, late, overlap, &mut rng, made_ms);
            holds(&disk, &form, &zone, made_ms, &format!("{name}, {said}"));
            ran.extend(disk.rows.iter().map(|row| row.3.name()));
        }
    }
    // The year had all of it in.
    let all: BTreeSet<_> = Outcome::ALL.iter().filter(|one| **one != Outcome::ByHand).map(|one| one.name()).collect();
    assert_eq!(ran, all);
}
