//! What disks do: fill up, hang, fail for good, fail once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use serde_json::Value;

use super::home::{House, text};
use super::{
    Chance, KILLS_EACH, MANY, SETTLES, STARTS_WITHIN, check, kind, kinds, now, settle, sleep, states, tracing,
    until_none,
};
use crate::process::{command, run};

/// Size of the file system that fills up.
const SMALL_DISK: &str = "12m";
/// System calls that fail once, and at which of them at most.
const FAIL: [(&str, u64); 5] = [("pwrite64", 80), ("fdatasync", 12), ("pread64", 12), ("rename", 3), ("openat", 3)];

/// A file system that is unmounted when it is done with.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let size = format!("size={SMALL_DISK}");
        run(command("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder))
            .map_err(|why| format!("{why}; a small file system takes root"))?;
        Ok(Self(folder.into()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = command("umount").arg("-l").arg(&self.0).status();
    }
}

/// Waits until so many mails have arrived, or more.
fn until_arrived(house: &House, count: usize) -> Result<(), String> {
    let started = now();
    while house.smtp.arrivals().len() < count {
        if started.elapsed() > STARTS_WITHIN {
            return Err(format!("{} of {count} mails have arrived", house.smtp.arrivals().len()));
        }
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Returns the disk fills up: nothing new is claimed, pausing works and outlives a kill, and with room again nothing is lost.
pub(super) fn full(folder: &Path, bailey: &Path) -> Result<(), String> {
    let disk = SmallDisk::mount(folder)?;
    let recipients = (0..3).map(|n| format!("ok{n}@example.org")).collect();
    let quiet = vec!["silent@example.org".to_owned()];
    let mut house = House::new(&disk.0.join("home"), bailey, &[("few", recipients), ("quiet", quiet)])?;
    // One is under way when the disk fills up, handed over and not confirmed.
    let cards = house.want(&["quiet"], 1)?;
    house.approve(&cards)?;
    until_arrived(&house, 1)?;
    let cards = house.want(&["few"], 3)?;
    let filler = disk.0.join("filler");
    fill(&filler)?;
    let refused = house.approve(&cards).err().ok_or("an approval was taken on a full disk")?;
    let refused = refused.lines().last().unwrap_or_default().to_owned();
    if !refused.contains("disk is full") {
        return Err(format!("a full disk was not told about clearly: {refused}"));
    }
    let arrived = house.smtp.arrivals().len();
    if arrived != 1 {
        return Err(format!("{} mails left while nothing could be recorded", arrived - 1));
    }
    let paused = house.ask("POST", "/v1/pause", &Value::Null)?;
    println!("disk: full; approving said “{refused}”; pausing said {paused}");
    house.kill();
    let said = house.run(&["serve"], false)?;
    let said = String::from_utf8_lossy(&said.stderr).trim().to_owned();
    if !said.contains("disk is full") {
        return Err(format!("starting on a full disk said “{said}”"));
    }
    println!("disk: starting said “{said}”");
    fs::remove_file(&filler).map_err(|error| error.to_string())?;
    house.serve()?;
    let mode = text(&house.ask("GET", "/v1/status", &Value::Null)?, "mode");
    if mode != "paused" {
        return Err(format!("after a pause and a kill on a full disk it is {mode}"));
    }
    house.ok(&["resume"], true)?;
    let cards = house.waiting()?;
    if cards.len() != 3 {
        return Err(format!("{} of 3 mails still wait", cards.len()));
    }
    house.approve(&cards)?;
    until_none(&house, &["approved", "claimed", "unknown", "reconciling"])?;
    check(&mut house, true)?;
    let arrived = house.smtp.arrivals().len();
    if arrived != 4 || states(&house)?.get("needs-person") != Some(&1) {
        return Err(format!("{arrived} of 4 mails arrived in the end: {:?}", states(&house)?));
    }
    println!(
        "disk: with room again 3 mails were approved and arrived once, the one under way went to the person; the log verifies"
    );
    Ok(())
}

/// Size of the file system that is made to hang; tasks, and mails of each, that are approved right before it does.
const HANGING_DISK: u64 = 200 * 1024 * 1024;
const TASKS: usize = 6;
const MAILS_EACH: usize = 10;

/// A file system in a file: it hangs while it is frozen, and is thawed and unmounted when it is done with.
struct Freezer(PathBuf);

impl Freezer {
    fn mount(image: &Path, folder: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("`{}`: {error}", image.display());
        fs::create_dir_all(folder).map_err(failed)?;
        fs::File::create(image).and_then(|file| file.set_len(HANGING_DISK)).map_err(failed)?;
        run(command("mkfs.ext4").arg("-q").arg(image))?;
        run(command("mount").args(["-o", "loop"]).arg(image).arg(folder))
            .map_err(|why| format!("{why}; a file system that hangs takes root and a loop device"))?;
        Ok(Self(folder.into()))
    }

    fn freeze(&self) -> Result<(), String> {
        run(command("fsfreeze").arg("--freeze").arg(&self.0))
    }

    fn thaw(&self) -> Result<(), String> {
        run(command("fsfreeze").arg("--unfreeze").arg(&self.0))
    }
}

impl Drop for Freezer {
    fn drop(&mut self) {
        // It may not be frozen.
        let _ = command("fsfreeze").arg("--unfreeze").arg(&self.0).stderr(std::process::Stdio::null()).status();
        let _ = command("umount").arg("-l").arg(&self.0).status();
    }
}

/// Returns the disk hangs amid sending, so that the home cannot write and the system does not even let it end: a pause returns
/// all the same, nothing arrives after it, and once the disk answers the home comes back paused with nothing lost.
pub(super) fn hanging(folder: &Path, bailey: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let disk = Freezer::mount(&folder.join("image"), &folder.join("mounted"))?;
    let recipients = (0..MAILS_EACH).map(|n| format!("ok{n}@example.org")).collect();
    let mut house = House::new(&disk.0.join("home"), bailey, &[("many", recipients)])?;
    let cards = house.want(&["many"; TASKS], TASKS * MAILS_EACH)?;
    house.approve(&cards)?;
    until_arrived(&house, 3)?;
    disk.freeze()?;
    let started = now();
    let said = house.ok(&["pause"], false)?;
    let (took, before) = (started.elapsed(), house.smtp.arrivals().len());
    sleep(SETTLES);
    let during = house.smtp.arrivals().len();
    disk.thaw()?;
    let mode = patiently(|| house.ask("GET", "/v1/status", &Value::Null)).map(|status| text(&status, "mode"))?;
    let after = house.smtp.arrivals().len();
    if mode != "paused" || during != before || after != before {
        return Err(format!("a pause while the disk hung: {mode}; {before} mails, then {during}, then {after}"));
    }
    patiently(|| house.ok(&["resume"], true))?;
    let cards = house.waiting()?;
    house.approve(&cards)?;
    until_none(&house, &["approved", "claimed", "unknown", "reconciling"])?;
    check(&mut house, true)?;
    println!(
        "disk: hanging, with {before} of {} mails gone; pausing took {:.1} s and said “{}”; nothing arrived after it; \
         with the disk back, {} were approved again, {} have arrived, none twice; the log verifies",
        TASKS * MAILS_EACH,
        took.as_secs_f64(),
        said.lines().map(str::trim).collect::<Vec<_>>().join(" "),
        cards.len(),
        house.smtp.arrivals().len(),
    );
    Ok(())
}

/// Returns the disk fails for every write, so neither the pause record nor the log can be written: the supervisor remembers.
pub(super) fn failing(folder: &Path, bailey: &Path) -> Result<(), String> {
    let house = House::new(folder, bailey, &[("few", vec!["ok@example.org".into()])])?;
    let home = house.home_process().ok_or("the home does not run")?;
    let mut strace = tracing(home, "pwrite64", "error=EIO", Path::new("/dev/null"))?;
    let paused = house.ask("POST", "/v1/pause", &Value::Null)?;
    if paused.get("trouble").and_then(Value::as_array).map(Vec::len) != Some(2) {
        return Err(format!("a pause with a failing disk said {paused}"));
    }
    let _ = strace.kill();
    let _ = strace.wait();
    run(command("kill").args(["-KILL", &home.to_string()]))?;
    let started = now();
    let mode = loop {
        let again = house.home_process().filter(|process| *process != home);
        if let Some(Ok(status)) = again.map(|_| house.ask("GET", "/v1/status", &Value::Null)) {
            break text(&status, "mode");
        }
        if started.elapsed() > STARTS_WITHIN {
            return Err("the home was not started again".into());
        }
        sleep(Duration::from_millis(20));
    };
    if mode != "paused" {
        return Err(format!("after a pause that could not be recorded, and a kill, it is {mode}"));
    }
    println!("disk: failing; pausing said {paused}; killed, it came back paused");
    Ok(())
}

/// Does something until it works: a home that met a page it could not read starts anew.
fn patiently<T>(mut work: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let started = now();
    loop {
        match work() {
            Err(why) if started.elapsed() > STARTS_WITHIN => return Err(why),
            Err(_) => sleep(Duration::from_millis(100)),
            done => return done,
        }
    }
}

/// Asks `strace` to let its process go, and waits until it has written down what happened.
fn end(strace: &mut Child) -> Result<(), String> {
    let pid = i32::try_from(strace.id()).ok().and_then(Pid::from_raw).ok_or("strace is no process")?;
    kill_process(pid, Signal::TERM).map_err(|error| format!("strace: {error}"))?;
    strace.wait().map(drop).map_err(|error| format!("strace: {error}"))
}

/// Returns the disk fails once, at a call chosen by chance, again and again: what could not be recorded does not happen, and
/// what was recorded is kept, with and without a kill afterwards.
pub(super) fn failing_calls(folder: &Path, bailey: &Path, times: u32) -> Result<(), String> {
    let (mut chance, mut refused, mut restarted, mut done) = (Chance(1_918), 0, 0, 0);
    let mut struck: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut approved, mut arrived) = (0, 0);
    while done < times {
        let folder = folder.join(done.to_string());
        let mut house = House::new(&folder, bailey, &kinds())?;
        let mut last = None;
        for round in done..times.min(done + KILLS_EACH) {
            let (call, most) = *FAIL.get(chance.below(FAIL.len() as u64) as usize).unwrap_or(&FAIL[0]);
            let words = kind(&mut chance);
            let cards = patiently(|| house.want(&[words], 1))?;
            let home = house.home_process().ok_or("the home does not run")?;
            restarted += u32::from(last.is_some_and(|last| last != home));
            let told = folder.join("strace");
            let mut strace = tracing(home, call, &format!("error=EIO:when={}", 1 + chance.below(most)), &told)?;
            refused += u32::from(house.approve(&cards).is_err());
            sleep(Duration::from_millis(chance.below(50)));
            end(&mut strace)?;
            let said = fs::read_to_string(&told).map_err(|error| format!("`{}`: {error}", told.display()))?;
            *struck.entry(call).or_insert(0) += u32::from(said.contains("(INJECTED)"));
            let why = |why| format!("after fault {round}, in {call}: {why}");
            if chance.below(2) == 0 {
                house.kill();
                house.serve().map_err(why)?;
            } else {
                patiently(|| house.verify()).map_err(why)?;
                restarted += u32::from(house.home_process() != Some(home));
            }
            check(&mut house, false).map_err(why)?;
            last = house.home_process();
        }
        settle(&mut house)?;
        check(&mut house, true)?;
        approved += house.approved.len();
        arrived += house.smtp.arrivals().len();
        done += KILLS_EACH;
        eprintln!("{} faults, {approved} mails approved, {arrived} arrived", done.min(times));
    }
    if times >= MANY && struck.values().sum::<u32>() < times / 5 {
        return Err(format!("too little happened for {times} faults: {struck:?}"));
    }
    println!(
        "disk: failing once, {times} times, in effect {struck:?}: {refused} answers refused, {restarted} homes that started anew by themselves, {approved} mails approved, {arrived} arrived, none twice; the log verified after each"
    );
    Ok(())
}

/// Takes the last byte there is.
fn fill(path: &Path) -> Result<(), String> {
    use std::io::Write as _;
    let mut file = fs::File::create(path).map_err(|error| error.to_string())?;
    for size in [64 * 1_024, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
    Ok(())
}
