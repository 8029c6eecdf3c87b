//! `bailey-sim`: runs seeds and says what was found. `cargo xtask sim` builds and calls it.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use bailey_gate::State;
use bailey_sim::{Kind, Report, run};

const HELP: &str = "bailey-sim [--seed N] [--runs M] [--pauses] [--tell]

  --seed N    the first seed (1)
  --runs M    how many seeds, one after another (100)
  --pauses    only lives in which everything races with pauses
  --first     stop at the first finding
  --tell      print what happened, step by step";

/// Runs after which every legal step has to have been taken.
const LONG: u64 = 10_000;
/// The one step that no stored row ever takes: looking up begins and ends in one commit.
const NEVER_DURABLE: (State, State) = (State::Reconciling, State::Unknown);

struct Wanted {
    seed: u64,
    runs: u64,
    kind: Kind,
    /// Runs with findings after which it stops.
    most_bad: usize,
    tell: bool,
}

fn wanted() -> Result<Wanted, String> {
    let mut wanted = Wanted { seed: 1, runs: 100, kind: Kind::All, most_bad: 5, tell: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let value = arguments.next().ok_or(HELP)?;
            value.parse().map_err(|_| format!("`{value}` is no number"))
        };
        match argument.as_str() {
            "--seed" => wanted.seed = number()?,
            "--runs" => wanted.runs = number()?,
            "--pauses" => wanted.kind = Kind::Pauses,
            "--first" => wanted.most_bad = 1,
            "--tell" => wanted.tell = true,
            _ => return Err(HELP.into()),
        }
    }
    Ok(wanted)
}

#[derive(Default)]
struct Sums {
    runs: u64,
    effects: u64,
    deaths: u64,
    pauses: u64,
    rollbacks: u64,
    bad: usize,
}

fn main() -> ExitCode {
    let wanted = match wanted() {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    // A panic inside of a run is a finding of that run; its words are in the report.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, stop, sums) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Sums::default()));
    let workers = if wanted.tell { 1 } else { thread::available_parallelism().map_or(1, usize::from) };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    if index >= wanted.runs {
                        return;
                    }
                    let seed = wanted.seed + index;
                    let report = run(seed, wanted.kind, wanted.tell);
                    add(&sums, seed, report, &stop, &wanted);
                }
            });
        }
    });
    let sums = sums.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!(
        "{} runs: {} effects, {} deaths, {} lives with pauses, {} older copies put back, {} runs with findings",
        sums.runs, sums.effects, sums.deaths, sums.pauses, sums.rollbacks, sums.bad
    );
    let missing = bailey_sim::stores::steps_not_taken();
    let dull = wanted.kind == Kind::All && sums.runs >= LONG && missing.iter().any(|step| *step != NEVER_DURABLE);
    let names: Vec<_> = missing.iter().map(|(from, to)| format!("{} → {}", from.name(), to.name())).collect();
    eprintln!("legal steps not taken: {}", if names.is_empty() { "none".into() } else { names.join(", ") });
    if dull {
        eprintln!("a run this long has to take every legal step");
    }
    if sums.bad == 0 && !dull { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn add(sums: &Mutex<Sums>, seed: u64, report: Report, stop: &AtomicBool, wanted: &Wanted) {
    let mut sums = sums.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if wanted.tell {
        report.notes.iter().for_each(|note| println!("{note}"));
        println!("seed {seed}: fingerprint {:016x}", report.fingerprint);
    }
    sums.runs += 1;
    sums.effects += report.effects;
    sums.deaths += report.deaths;
    sums.pauses += report.pauses;
    sums.rollbacks += report.rollbacks;
    if sums.runs.is_multiple_of(10_000) {
        eprintln!("{} runs, {} with findings", sums.runs, sums.bad);
    }
    if !report.findings.is_empty() {
        for finding in &report.findings {
            println!("seed {seed}: {finding}");
        }
        sums.bad += 1;
        stop.store(sums.bad >= wanted.most_bad, Ordering::SeqCst);
    }
}
