//! Cuts of the write-ahead log: a killed home is started again and again with less of it, as a machine that lost its power, or
//! somebody who puts back what was, would leave it.
//!
//! Each start is a world of its own, from the same moment on; what had come to the mail server before that moment has come in
//! each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::home::{House, text};
use super::{Chance, SETTLES, STARTS_WITHIN, now, sleep};
use crate::process::{command, succeeds};

/// Cuts of one history.
const CUTS_EACH: u32 = 40;
/// Answers before the kill.
const ROUNDS: u32 = 4;
/// Of a write-ahead log, in bytes: its header, and each frame with a page of SQLCipher's (sqlite.org/fileformat2.html#walformat).
const HEADER: u64 = 32;
const FRAME: u64 = 24 + 4_096;

/// What was counted over all cuts.
#[derive(Debug, Default)]
struct Counts {
    noticed: u32,
    whole: u32,
    approved: usize,
    arrived: usize,
}

/// Kills homes, and starts each many times with less of its write-ahead log.
pub(super) fn cuts(folder: &Path, bailey: &Path, times: u32) -> Result<(), String> {
    let (mut chance, mut counts, mut done) = (Chance(1_066), Counts::default(), 0);
    while done < times {
        let rounds = CUTS_EACH.min(times - done);
        cut_one(&folder.join(done.to_string()), bailey, rounds, &mut chance, &mut counts)?;
        done += rounds;
        eprintln!("{done} cuts: {counts:?}");
    }
    if counts.noticed == 0 || counts.whole == 0 || counts.arrived == 0 {
        return Err(format!("too little happened for {times} cuts: {counts:?}"));
    }
    println!(
        "torn: {times} cuts of the write-ahead log, {} noticed as an older copy, {} that took nothing which was promised; {} mails approved afterwards, {} arrived, none twice",
        counts.noticed, counts.whole, counts.approved, counts.arrived
    );
    Ok(())
}

fn cut_one(folder: &Path, bailey: &Path, times: u32, chance: &mut Chance, counts: &mut Counts) -> Result<(), String> {
    let all = ["ok", "ok2", "drips", "drop", "lies"].map(|kind| format!("{kind}@example.org"));
    let mut house = House::new(folder, bailey, &[("all", all.to_vec())])?;
    for _ in 0..ROUNDS {
        let cards = house.want(&["all"], all.len())?;
        house.approve(&cards)?;
        sleep(Duration::from_millis(chance.below(60)));
    }
    // The kill comes while the last of them are under way, or when others have been asked for since, which promises nothing.
    if chance.below(2) == 0 {
        house.want(&["all"; 4], all.len() * 4)?;
    }
    house.kill();
    let before = arrivals_at_rest(&house)?;
    let kept = folder.join("kept");
    copy(&house.data(), &kept)?;
    let log = house.data().join("home/ledger.db-wal");
    let size = fs::metadata(&log).map_err(|error| format!("`{}`: {error}", log.display()))?.len();
    for cut in 0..times {
        fs::remove_dir_all(house.data()).map_err(|error| error.to_string())?;
        copy(&kept, &house.data())?;
        let how = tear(&log, size, chance)?;
        live(&mut house, &before, counts).map_err(|why| format!("cut {cut}, {how} of {size} bytes: {why}"))?;
        house.kill();
        arrivals_at_rest(&house)?;
    }
    Ok(())
}

/// Takes the end of the log away, or leaves something else in its place.
fn tear(log: &Path, size: u64, chance: &mut Chance) -> Result<String, String> {
    let frames = size.saturating_sub(HEADER) / FRAME;
    let frame = HEADER + FRAME * chance.below(frames + 1);
    let at = match chance.below(4) {
        // Half of them near the end, where what is not durable yet is.
        0 | 1 => size - chance.below(size.min(16 * FRAME) + 1),
        2 => frame,
        _ => (frame + chance.below(FRAME)).min(size),
    };
    let failed = |error: std::io::Error| format!("`{}`: {error}", log.display());
    let mut file = OpenOptions::new().append(true).open(log).map_err(failed)?;
    file.set_len(at).map_err(failed)?;
    let rest = usize::try_from(size - at).unwrap_or(0);
    match chance.below(3) {
        0 => Ok(format!("cut at {at}")),
        1 => file.write_all(&vec![0; rest]).map(|()| format!("zeros from {at}")).map_err(failed),
        _ => {
            let noise: Vec<u8> = (0..rest).map(|_| chance.below(256) as u8).collect();
            file.write_all(&noise).map(|()| format!("noise from {at}")).map_err(failed)
        }
    }
}

/// Returns one life of a torn home: it starts, and whatever waits is approved. What came before does not come again, and
/// nothing comes twice.
fn live(house: &mut House, before: &BTreeSet<String>, counts: &mut Counts) -> Result<(), String> {
    house.forget();
    let from = house.smtp.arrivals().len();
    house.serve()?;
    let status = house.ask("GET", "/v1/status", &Value::Null)?;
    let noticed = status.get("notices").is_some_and(|notices| notices.to_string().contains("older than the mark"));
    if noticed != (text(&status, "mode") == "paused") {
        return Err(format!("it was noticed: {noticed}, and yet {status}"));
    }
    if noticed {
        counts.noticed += 1;
        house.ok(&["resume"], true)?;
    } else {
        counts.whole += 1;
    }
    let cards = house.waiting()?;
    if noticed && !cards.is_empty() {
        return Err(format!("an older copy revived {} that waited", cards.len()));
    }
    house.approve(&cards)?;
    at_rest(house)?;
    let mut came: BTreeMap<String, usize> = BTreeMap::new();
    for arrival in house.smtp.arrivals().into_iter().skip(from) {
        *came.entry(arrival.id).or_insert(0) += 1;
    }
    if let Some((id, count)) = came.iter().find(|(id, count)| **count > 1 || before.contains(*id)) {
        return Err(format!("{id} arrived {count} times, before the cut: {}", before.contains(id)));
    }
    if noticed && !came.is_empty() {
        return Err(format!("an older copy sent {}", came.len()));
    }
    counts.approved += cards.len();
    counts.arrived += came.len();
    house.verify()
}

/// Waits until nothing is under way.
fn at_rest(house: &House) -> Result<(), String> {
    const UNDER_WAY: [&str; 4] = ["approved", "claimed", "unknown", "reconciling"];
    let started = now();
    loop {
        let seen = house.ask("GET", "/v1/changes", &Value::Null)?;
        let actions = house.ask("GET", "/v1/actions", &Value::Null)?;
        let states = actions.as_array().into_iter().flatten().map(|action| text(action, "state"));
        let open: Vec<_> = states.filter(|state| UNDER_WAY.contains(&state.as_str())).collect();
        if open.is_empty() {
            return Ok(());
        }
        if started.elapsed() > STARTS_WITHIN {
            return Err(format!("it does not come to rest: {open:?}"));
        }
        house.ask("GET", &format!("/v1/changes?after={seen}"), &Value::Null)?;
    }
}

/// Returns what has come, once everything that was on its way from a killed home is there.
fn arrivals_at_rest(house: &House) -> Result<BTreeSet<String>, String> {
    sleep(SETTLES);
    if !house.smtp.until_alone(STARTS_WITHIN) {
        return Err("the mail server still talks to a home that was killed".into());
    }
    Ok(house.smtp.arrivals().into_iter().map(|arrival| arrival.id).collect())
}

/// Copies a folder with its owners.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if succeeds(command("cp").arg("-a").arg(from).arg(to)) {
        return Ok(());
    }
    Err(format!("`{}` could not be copied to `{}`", from.display(), to.display()))
}
