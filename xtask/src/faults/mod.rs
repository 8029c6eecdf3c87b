//! `cargo xtask faults`: the real processes, killed, paused and starved, against a mail server that counts.
//!
//! What the simulator does to the product's code, this does to the program: SIGKILL at system calls chosen by chance
//! (`strace` delivers it), at moments chosen by chance, and while starting; pauses with sixty-four mails under way; disks that
//! fill up, hang and fail; a write-ahead log cut short. The mail server is a double that counts and misbehaves on demand.

mod disk;
mod home;
mod smtp;
mod torn;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{cache, command, run, succeeds};
use home::{House, text};

/// Kills, pauses, faults and cuts of a whole run.
const KILLS: u32 = 500;
const PAUSES: u32 = 200;
const FAULTS: u32 = 200;
const CUTS: u32 = 200;
/// Kills from which on enough of each sort has to have happened.
const MANY: u32 = 100;
/// Mails under way at a pause.
const UNDER_WAY: usize = 64;
/// Kills and pauses of one home: no home sends more than 200 mails a day, which is a rule of its own.
const KILLS_EACH: u32 = 40;
const PAUSES_EACH: u32 = 3;
/// System calls at which the home is killed, and at which of them at most: what makes a write, what makes it durable, and
/// what goes to others.
const CALLS: [(&str, u64); 6] =
    [("pwrite64", 60), ("fdatasync", 12), ("sendto", 12), ("writev", 6), ("openat", 3), ("rename", 3)];
/// How long a kill by system call is waited for before the supervisor is killed instead.
const SOON: Duration = Duration::from_millis(1_500);
/// How long `strace` may take to attach.
const ATTACHES_WITHIN: Duration = Duration::from_secs(10);
/// How long mails may take to be under way.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
/// How long bytes may take to arrive after a pause, which none may.
const SETTLES: Duration = Duration::from_millis(100);

/// Chance: a multiplicative generator (Lehmer, 2⁶³ − 25), for a run that can be repeated in outline.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = ((u128::from(self.0) * 3_512_401_965_023_503_517) % 9_223_372_036_854_775_783) as u64;
        self.0 % bound.max(1)
    }
}

/// Parts of a run.
const PARTS: [&str; 5] = ["kills", "pauses", "disk", "calls", "torn"];

/// Runs all of it, or one part, with how often.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    let (part, times) = match arguments {
        [] => (None, None),
        [part] => (Some(*part), None),
        [part, times] => (Some(*part), Some(times.parse().map_err(|_| format!("`{times}` is no number"))?)),
        _ => return Err(format!("cargo xtask faults [{} [TIMES]]", PARTS.join("|"))),
    };
    if let Some(unknown) = part.filter(|part| !PARTS.contains(part)) {
        return Err(format!("there is no part `{unknown}`; there are {}", PARTS.join(", ")));
    }
    if !succeeds(command("strace").arg("-V")) {
        return Err("this needs `strace`; install it (Debian: `apt-get install strace`)".into());
    }
    run(command("cargo").args(["build", "--release", "--locked", "-p", "bailey", "--bins"]))?;
    let mut bailey = std::env::current_exe().map_err(|error| error.to_string())?;
    bailey.pop();
    let bailey = bailey.with_file_name("release").join("bailey");
    let folder = cache().join("faults");
    let _ = fs::remove_dir_all(&folder);
    for name in PARTS.into_iter().filter(|name| part.is_none_or(|part| part == *name)) {
        let folder = folder.join(name);
        match name {
            "kills" => kills(&folder, &bailey, times.unwrap_or(KILLS))?,
            "pauses" => pauses(&folder, &bailey, times.unwrap_or(PAUSES))?,
            "calls" => disk::failing_calls(&folder, &bailey, times.unwrap_or(FAULTS))?,
            "torn" => torn::cuts(&folder, &bailey, times.unwrap_or(CUTS))?,
            _ => {
                disk::full(&folder.join("full"), &bailey)?;
                disk::failing(&folder.join("failing"), &bailey)?;
                disk::hanging(&folder.join("hanging"), &bailey)?;
            }
        }
    }
    fs::remove_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured and waited for here")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "moments are chosen by chance, not waited for")]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}

/// What was counted over all kills.
#[derive(Debug, Default)]
struct Counts {
    at_a_call: u32,
    at_a_moment: u32,
    while_starting: u32,
    approved: usize,
    arrived: usize,
    states: BTreeMap<String, usize>,
}

/// Kills homes again and again, and holds what came to the mail server against what the log says.
fn kills(folder: &Path, bailey: &Path, times: u32) -> Result<(), String> {
    let (mut chance, mut counts) = (Chance(4_711), Counts::default());
    let mut done = 0;
    while done < times {
        let rounds = KILLS_EACH.min(times - done);
        kill_one(&folder.join(done.to_string()), bailey, rounds, &mut chance, &mut counts)?;
        done += rounds;
        eprintln!("{done} kills, {} mails approved, {} arrived", counts.approved, counts.arrived);
    }
    if times >= MANY && (counts.at_a_call < times / 5 || counts.while_starting == 0 || counts.arrived < times as usize)
    {
        return Err(format!("too little happened for {times} kills: {counts:?}"));
    }
    println!(
        "kills: {times} ({} at a system call, {} at a moment) and {} while starting; {} mails approved, {} arrived, none twice; at last: {:?}; the log verified after every kill",
        counts.at_a_call, counts.at_a_moment, counts.while_starting, counts.approved, counts.arrived, counts.states,
    );
    Ok(())
}

/// Tasks, and whom each writes to.
fn kinds() -> [(&'static str, Vec<String>); 3] {
    let to = |kinds: &[&str]| kinds.iter().map(|kind| format!("{kind}@example.org")).collect::<Vec<_>>();
    [
        ("plain", to(&["ok", "ok2", "drips"])),
        ("harsh", to(&["silent", "drop", "lies"])),
        ("mixed", to(&["ok", "drop", "drips"])),
    ]
}

/// Returns one of those tasks.
fn kind(chance: &mut Chance) -> &'static str {
    ["plain", "harsh", "mixed"].get(chance.below(3) as usize).copied().unwrap_or("plain")
}

fn kill_one(folder: &Path, bailey: &Path, rounds: u32, chance: &mut Chance, counts: &mut Counts) -> Result<(), String> {
    let mut house = House::new(folder, bailey, &kinds())?;
    let second = house.run(&["serve"], false)?;
    if !String::from_utf8_lossy(&second.stderr).contains("running already") {
        return Err("a second `serve` on the same home did not say that it runs already".into());
    }
    for round in 0..rounds {
        let kind = kind(chance);
        // Of what an earlier kill left waiting, some is approved now.
        let cards = house.want(&[kind], 1)?;
        strike(&mut house, &cards, chance, counts)?;
        house.kill();
        if chance.below(6) == 0 {
            house.only_start()?;
            sleep(Duration::from_millis(chance.below(250)));
            house.kill();
            counts.while_starting += 1;
        }
        house.serve().map_err(|why| format!("after kill {round}: {why}"))?;
        check(&mut house, false).map_err(|why| format!("after kill {round}: {why}"))?;
    }
    settle(&mut house)?;
    check(&mut house, true)?;
    counts.approved += house.approved.len();
    counts.arrived += house.smtp.arrivals().len();
    for (state, count) in states(&house)? {
        *counts.states.entry(state).or_insert(0) += count;
    }
    Ok(())
}

/// Approves, and kills the home meanwhile.
fn strike(house: &mut House, cards: &[Value], chance: &mut Chance, counts: &mut Counts) -> Result<(), String> {
    if chance.below(2) == 0
        && let Some(home) = house.home_process()
    {
        let chosen = CALLS.get(chance.below(CALLS.len() as u64) as usize).copied();
        let (call, most) = chosen.unwrap_or(("fdatasync", 12));
        let mut strace = killing_at(home, call, 1 + chance.below(most))?;
        // The answer may not get through; that is the point.
        let _ = house.approve(cards);
        let started = now();
        while started.elapsed() < SOON && strace.try_wait().map_err(|error| error.to_string())?.is_none() {
            sleep(Duration::from_millis(10));
        }
        counts.at_a_call += u32::from(!Path::new(&format!("/proc/{home}")).exists());
        let _ = strace.kill();
        let _ = strace.wait();
        return Ok(());
    }
    counts.at_a_moment += 1;
    let _ = house.approve(cards);
    if chance.below(4) == 0 {
        // The same answer again: it counts once.
        let _ = house.approve(cards);
    }
    sleep(Duration::from_millis(chance.below(25)));
    Ok(())
}

/// Sends SIGKILL to a process when it makes a system call for the so-manieth time from now.
fn killing_at(process: u32, call: &str, nth: u64) -> Result<Child, String> {
    tracing(process, call, &format!("signal=KILL:when={nth}"), Path::new("/dev/null"))
}

/// Does something to a process at a system call; what happened is told in a file.
fn tracing(process: u32, call: &str, what: &str, told: &Path) -> Result<Child, String> {
    let mut strace = command("strace");
    strace.args(["-f", "-qq", "-p", &process.to_string(), "-o"]).arg(told);
    strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{what}")]);
    let child = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.map_err(|error| format!("strace: {error}"))?;
    // It says nothing once it is attached; the kernel does. Where it struck at once, the process is not there any more.
    let started = now();
    let attached = || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let traced = |line: &str| line.strip_prefix("TracerPid:").is_some_and(|pid| pid.trim() != "0");
        let ended = |line: &str| line.starts_with("State:") && line.contains('Z');
        status.is_empty() || status.lines().any(|line| traced(line) || ended(line))
    };
    while !attached() {
        if started.elapsed() > ATTACHES_WITHIN {
            return Err("`strace` could not attach to the home; run this as root".into());
        }
        sleep(Duration::from_millis(1));
    }
    Ok(child)
}

/// Tells how often each approved mail arrived, by its Message-ID.
fn arrivals(house: &House) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for arrival in house.smtp.arrivals() {
        *out.entry(arrival.id).or_insert(0) += 1;
    }
    out
}

fn states(house: &House) -> Result<BTreeMap<String, usize>, String> {
    let mut out = BTreeMap::new();
    for id in house.approved.keys() {
        *out.entry(house.state(id)?).or_insert(0) += 1;
    }
    Ok(out)
}

/// Returns the promises, as far as the outside can see them. `at_last` is when nothing is under way any more.
fn check(house: &mut House, at_last: bool) -> Result<(), String> {
    house.verify()?;
    doubts(house)?;
    let arrived = arrivals(house);
    for (id, count) in &arrived {
        let action = house.approved.iter().find(|(_, message)| *message == id);
        let (action, _) = action.ok_or_else(|| format!("{id} arrived, and nobody approved it"))?;
        if *count > 1 {
            return Err(format!("{id} arrived {count} times"));
        }
        let state = house.state(action)?;
        if !matches!(state.as_str(), "succeeded" | "failed" | "unknown" | "reconciling" | "needs-person" | "claimed") {
            return Err(format!("{id} arrived, and its action {action} is {state}"));
        }
    }
    if at_last {
        let claims = house.claims()?;
        for (action, message) in &house.approved {
            let (state, came) = (house.state(action)?, arrived.contains_key(message));
            if came && !claims.contains(action) {
                return Err(format!("{message} arrived, and no entry of the log says that {action} was claimed"));
            }
            if state == "succeeded" && !came {
                return Err(format!("{action} is {state} and did not arrive"));
            }
        }
    }
    Ok(())
}

/// Returns what was in doubt once stays in doubt, and is not sent again: the server let no such mail come since.
fn doubts(house: &mut House) -> Result<(), String> {
    const DOUBT: [&str; 3] = ["unknown", "reconciling", "needs-person"];
    for (action, since) in &house.doubtful {
        let state = house.state(action)?;
        if !DOUBT.contains(&state.as_str()) {
            return Err(format!("{action} was in doubt and is {state} now"));
        }
        let message = house.approved.get(action);
        if house.smtp.arrivals().iter().any(|arrival| Some(&arrival.id) == message && arrival.allowed > *since) {
            return Err(format!("{action} was in doubt, and was sent after that"));
        }
    }
    for action in house.approved.keys().cloned().collect::<Vec<_>>() {
        if DOUBT.contains(&house.state(&action)?.as_str()) {
            house.doubtful.entry(action).or_insert_with(now);
        }
    }
    Ok(())
}

/// Waits until nothing is approved or looked up any more. What is claimed then waits for a server that says nothing, for
/// as long as the protocol grants it; one more kill ends that.
fn settle(house: &mut House) -> Result<(), String> {
    until_none(house, &["approved", "unknown", "reconciling"])?;
    if states(house)?.contains_key("claimed") {
        house.kill();
        house.serve()?;
    }
    until_none(house, &["approved", "claimed", "unknown", "reconciling"])
}

fn until_none(house: &House, wanted: &[&str]) -> Result<(), String> {
    let started = now();
    loop {
        let seen = house.ask("GET", "/v1/changes", &Value::Null)?;
        let open = states(house)?;
        if !wanted.iter().any(|state| open.contains_key(*state)) {
            return Ok(());
        }
        if started.elapsed() > Duration::from_secs(120) {
            return Err(format!("it does not come to rest: {open:?}"));
        }
        house.ask("GET", &format!("/v1/changes?after={seen}"), &Value::Null)?;
    }
}

/// Pauses with sixty-four mails under way: of those the server had not let come before the pause returned, none comes.
fn pauses(folder: &Path, bailey: &Path, times: u32) -> Result<(), String> {
    let (mut chance, mut took, mut came) = (Chance(815), Vec::new(), 0);
    let mut done = 0;
    while done < times {
        let rounds = PAUSES_EACH.min(times - done);
        came += pause_one(&folder.join(done.to_string()), bailey, rounds, &mut chance, &mut took)?;
        done += rounds;
        eprintln!("{done} pauses");
    }
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len() - 1)).copied().unwrap_or_default();
    println!(
        "pauses: {times} with {UNDER_WAY} mails under way; {came} mails came before their pause, none after it; from request to return p50 {:?}, p99 {:?}, worst {:?}",
        at(50),
        at(99),
        at(100)
    );
    Ok(())
}

/// Pauses one home so many times; gives how many mails came.
fn pause_one(
    folder: &Path,
    bailey: &Path,
    rounds: u32,
    chance: &mut Chance,
    took: &mut Vec<Duration>,
) -> Result<usize, String> {
    let recipients: Vec<String> = (0..11).map(|n| format!("ok{n}@example.org")).collect();
    let mut house = House::new(folder, bailey, &[("many", recipients)])?;
    for round in 0..rounds {
        let cards = house.want(&["many"; 6], UNDER_WAY)?;
        house.smtp.hold(true);
        house.approve(&cards)?;
        if !house.smtp.until_held(UNDER_WAY, STARTS_WITHIN) {
            return Err(format!("round {round}: {UNDER_WAY} mails were never under way at once"));
        }
        let (returned, came) = pause_against(&house, chance, took)?;
        release(&house);
        sleep(SETTLES);
        let late = house.smtp.arrivals().iter().filter(|arrival| arrival.allowed > returned).count();
        if late > 0 {
            return Err(format!("round {round}: {late} mails were handed over after the pause had returned"));
        }
        let grown = came.iter().zip(house.smtp.came()).filter(|(before, after)| after > before).count();
        if grown > 0 {
            return Err(format!("round {round}: on {grown} connections bytes came after the pause had returned"));
        }
        house.ok(&["resume"], true)?;
        settle(&mut house)?;
        // What asks again is not wanted any more: the next round brings its own.
        let ids: Vec<String> = house.waiting()?.iter().map(|card| text(card, "id")).collect();
        if !ids.is_empty() {
            house.ask("POST", "/v1/approvals/reject", &json!({"ids": ids}))?;
        }
    }
    check(&mut house, true)?;
    Ok(house.smtp.arrivals().len())
}

/// Lets the mails come that the server keeps waiting.
fn release(house: &House) {
    house.smtp.hold(false);
}

/// Pauses; in half of the cases the server lets the mails come at about that moment. Gives when the pause had returned, and
/// how many bytes had come on each connection by then.
fn pause_against(house: &House, chance: &mut Chance, took: &mut Vec<Duration>) -> Result<(Instant, Vec<u64>), String> {
    let races = chance.below(2) == 0;
    let (delay, before) = (Duration::from_micros(chance.below(20_000)), Duration::from_micros(chance.below(10_000)));
    std::thread::scope(|scope| {
        if races {
            scope.spawn(move || {
                sleep(delay);
                house.smtp.hold(false);
            });
        }
        sleep(before);
        let started = now();
        let paused = house.ask("POST", "/v1/pause", &Value::Null)?;
        took.push(started.elapsed());
        if paused.get("trouble").and_then(Value::as_array).is_some_and(|trouble| !trouble.is_empty()) {
            return Err(format!("the pause had trouble: {paused}"));
        }
        Ok((now(), house.smtp.came()))
    })
}
