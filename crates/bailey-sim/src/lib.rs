//! The world around a home, simulated: **a double** of disk, services, person, clock and crashes, run by one seed.
//!
//! What runs inside is the product: gate, policy, ledger, key store, how a home is opened, and how tokens are replaced. A [`oracle::Oracle`]
//! that sees only what the person did and what reached the outside holds it to its promises. Keys and salts are drawn by
//! the product as ever, so files differ from run to run; what happens, and in which order, does not.
//!
//! Not simulated: threads that share one flush (the ledger's group commit has a test of its own on real threads), the
//! vault's connections (a double hands bytes to the gate's lock as the vault does), and time inside of a commit.
//!
//! Invariant of absence: nothing of the product depends on this crate.

pub mod disk;
pub mod life;
pub mod oracle;
pub mod sched;
pub mod stores;
pub mod sys;
pub mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;

use crate::disk::Image;
use crate::life::Life;
use crate::sched::{Trace, Work};
use crate::stores::{MARK, PAUSE, mark_paused_by_supervisor};
use crate::world::World;

/// What to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything: crashes, faults, older copies put back, revocations, pauses.
    All,
    /// One life, in which everything races with pauses.
    Pauses,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Broken promises, and panics.
    pub findings: Vec<String>,
    /// A fingerprint of all that happened.
    pub fingerprint: u64,
    /// Everything that happened, if it was asked for.
    pub notes: Vec<String>,
    /// Effects that reached the outside.
    pub effects: u64,
    /// Times the machine died.
    pub deaths: u64,
    /// Lives in which somebody paused.
    pub pauses: u64,
    /// Older copies put back.
    pub rollbacks: u64,
}

/// Runs one seed.
#[must_use]
pub fn run(seed: u64, kind: Kind, tell: bool) -> Report {
    // Two runs of one seed at the same time are two machines.
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let name = format!("sim-{seed}-{kind:?}-{}", RUNS.fetch_add(1, Ordering::Relaxed));
    let machine = sys::add_machine(&name);
    let mut report = Report::default();
    if let Err(why) = live(seed, kind, tell, &name, &machine, &mut report) {
        report.findings.push(why);
    }
    sys::remove_machine(&name);
    report
}

fn live(
    seed: u64,
    kind: Kind,
    tell: bool,
    name: &str,
    machine: &Arc<sys::Machine>,
    report: &mut Report,
) -> Result<(), String> {
    let mut random = Rng::with_seed(seed);
    let world = Arc::new(World::new(name.to_owned(), Arc::clone(machine), random.fork())?);
    let mut trace = Trace { notes: tell.then(Vec::new), ..Trace::default() };
    Life::begin(&world)?;
    let lives = if kind == Kind::All { random.u32(1..5) } else { 1 };
    let mut kept: Option<Image> = None;
    for _ in 0..lives {
        if kind == Kind::All && random.u32(0..3) > 0 {
            machine.disk().light_fuse(random.u64(0..700));
        }
        let fuse = (kind == Kind::All && random.u32(0..3) == 0).then(|| random.u64(1..900));
        let opened = Life::open(&world);
        match opened {
            Ok(life) => {
                let ended = sched::run(
                    machine,
                    random.fork(),
                    fuse,
                    trace,
                    everybody(&Arc::new(life), kind, &mut random, report),
                );
                trace = ended.trace;
                report.findings.extend(ended.faults);
            }
            // It may not open while the machine is dying, and has to whenever it is not.
            Err(_) if machine.disk().is_down() => {}
            Err(why) => return Err(format!("a home did not open: {why}")),
        }
        between_lives(&world, &mut random, &mut kept, kind, report);
        if !world.oracle().findings.is_empty() || !report.findings.is_empty() {
            break;
        }
    }
    report.findings.append(&mut world.oracle().findings);
    if report.findings.is_empty() {
        last_look(&world)?;
        report.findings.append(&mut world.oracle().findings);
    }
    report.effects = world.oracle().handed_off;
    report.fingerprint = trace.fingerprint;
    report.notes = trace.notes.unwrap_or_default();
    Ok(())
}

/// Tells who is there in a life.
fn everybody(life: &Arc<Life>, kind: Kind, random: &mut Rng, report: &mut Report) -> Vec<Work> {
    let doing = |what: fn(&Life)| -> Work {
        let life = Arc::clone(life);
        Box::new(move || what(&life))
    };
    let mut all = vec![
        doing(Life::agent),
        doing(Life::agent),
        doing(Life::person),
        doing(|life| life.ticks(6)),
        doing(|life| life.ticks(4)),
    ];
    if kind == Kind::Pauses || random.u32(0..3) == 0 {
        report.pauses += 1;
        all.push(doing(|life| life.pauser(1, 60)));
    }
    if kind == Kind::Pauses {
        all.push(doing(|life| life.pauser(2, 400)));
        all.push(doing(|life| life.ticks(20)));
        all.push(doing(Life::agent));
        all.push(doing(Life::agent));
        all.push(doing(Life::agent));
        all.push(doing(Life::resumer));
        all.push(doing(Life::person));
    }
    if random.u32(0..4) == 0 {
        all.push(doing(Life::revoker));
    }
    if random.u32(0..2) == 0 {
        all.push(doing(Life::renewer));
        all.push(doing(Life::renewer));
    }
    if random.u32(0..3) == 0 {
        all.push(doing(Life::gremlin));
    }
    all
}

/// Does what happens after a life: power comes back, time has gone by, and somebody may put an older copy of the home in its place.
fn between_lives(world: &World, random: &mut Rng, kept: &mut Option<Image>, kind: Kind, report: &mut Report) {
    let machine = &world.machine;
    machine.forget_locks();
    let died = machine.disk().is_down();
    report.deaths += u64::from(died);
    machine.disk().recover(random);
    if died || random.bool() {
        world.reboot();
    }
    world.wait(random.u64(0..3_000));
    if random.u32(0..5) == 0 {
        mark_paused_by_supervisor(machine);
        world.oracle().paused_by_supervisor();
    }
    if kind != Kind::All {
        return;
    }
    if random.u32(0..3) == 0 {
        world.set_clock([-86_400_000, 0, 86_400_000].get(random.usize(0..3)).copied().unwrap_or(0));
    }
    if random.u32(0..8) == 0
        && let Some(mut older) = kept.take()
    {
        // Mark and pause record lie outside of the home's folder and are what they were.
        let mut now = machine.disk().image();
        for name in [MARK, PAUSE] {
            older.remove(name);
            older.extend(now.remove(name).map(|bytes| (name.to_owned(), bytes)));
        }
        machine.disk().restore(older);
        world.oracle().rolled_back();
        report.rollbacks += 1;
    } else if random.bool() {
        *kept = Some(machine.disk().image());
    }
}

/// Returns a last life without trouble: everything has to come to an end that is true of the outside, and the log has to
/// verify.
fn last_look(world: &Arc<World>) -> Result<(), String> {
    let life = Life::open(world).map_err(|why| format!("a home did not open at last: {why}"))?;
    life.resume();
    life.ticks(3);
    let states = life.states()?;
    life.look_at_tokens()?;
    world.oracle().close(&states);
    world.oracle().compare(&life.told()?, &states);
    let export = life.export()?;
    let verdict = bailey_verify::verify(&export, None);
    if !matches!(verdict, bailey_verify::Verdict::Consistent { .. }) {
        world.oracle().findings.push(format!("the log does not verify: {verdict:?}"));
    }
    Ok(())
}
