//! The life of an action: its decision, alone, sixty-four at once, and how fast a pause stops them.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bailey_gate::approval::{Assertion, Proof, Purpose};
use bailey_gate::content::Content;
use bailey_gate::event::{Actor, Client, Event, EventKind, Payload};
use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Href, Writing};
use bailey_gate::family::{Action, ActionKind, Level};
use bailey_gate::handoff::{Mode, PauseState, Wrote};
use bailey_gate::ledger::{Grant, Row, Tx as _};
use bailey_gate::policy::{Facts, Policy, Question, judge};
use bailey_gate::{
    ActionId, Claiming, ConnectionId, Deadline, Effect, Evidence, Gate, Limits, Nonce, Now, Outcome, Proposal, Ruling,
    State, StaticContext,
};
use bailey_home::recovery::{self, Store};
use bailey_keys::sign::SigningKey;
use bailey_keys::{HomeKey, Key};
use bailey_ledger::{ConnectionRow, Ledger, MarkFile, Opened, Paths, PauseFile};
use bailey_policy::CedarPolicy;
use bailey_policy::analysis::Analysis;

use crate::bench::{Table, Times, now, rate, show};
use crate::reference;

type Done = Result<(), Box<dyn Error>>;

pub const CALENDAR: ConnectionId = ConnectionId::from_bytes([2; 16]);
pub const CREDENTIAL: [u8; 16] = [4; 16];
/// Actions measured one after another.
const ALONE: usize = 2_000;
/// Threads at once, and how long they work.
const THREADS: u64 = 64;
const TOGETHER: Duration = Duration::from_secs(5);
/// Pauses measured, and how long work goes on between them.
const PAUSES: usize = 200;
const UNDER_WAY: Duration = Duration::from_millis(10);
/// Rules a person may have beside the shipped ones, for the figure with fifty.
const RULES: [usize; 2] = [50, 100];

/// A policy that lets everything go: what is left is the gate and the store.
pub struct Anything;

impl Policy for Anything {
    fn rule(&self, _: &Question<'_>) -> Ruling {
        Ruling { allowed: true, rules: vec!["anything".into()] }
    }

    fn version(&self) -> String {
        "anything".into()
    }

    fn heeds(&self, _: ActionKind, _: &str) -> bool {
        false
    }
}

/// Returns a clock that stands: nothing here depends on it.
pub const fn at() -> Now {
    Now { wall_ms: 1_767_225_600_000, boot_ms: 1, boot_id: [1; 16] }
}

/// Returns a calendar entry without guests: an action that runs by itself, as often as it likes, and touches the outside.
pub fn entry() -> Result<Action, Box<dyn Error>> {
    let text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//measured//EN\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20260102T100000Z\nDTEND:20260102T110000Z\nSUMMARY:Lunch with Ana\nEND:VEVENT\nEND:VCALENDAR\n";
    let href = Href::new("/calendar/1.ics").map_err(|error| error.to_string())?;
    let after = Entry::new(text).map_err(|error| error.to_string())?;
    Ok(Action::Calendar(CalendarAction::Write(Writing { href, change: Change::Create { after }, told: None })))
}

/// Returns an identity made of a number.
pub fn id(number: u64) -> ActionId {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    ActionId::from_bytes(bytes)
}

/// Returns the key of the person who resumes.
fn person() -> Result<SigningKey, Box<dyn Error>> {
    Ok(SigningKey::from_seed(&Key::from_bytes([5; 32]))?)
}

/// Returns a gate over a new store on the disk.
fn gate(folder: &Path, policy: Arc<dyn Policy>) -> Result<Arc<Gate>, Box<dyn Error>> {
    Ok(home(folder, policy, true)?.0)
}

/// Returns a store on the disk and a gate over it, opened as a home opens them.
pub fn home(folder: &Path, policy: Arc<dyn Policy>, create: bool) -> Result<(Arc<Gate>, Arc<Ledger>), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let (database, keys) = (folder.join("ledger.db"), folder.join("keys.db"));
    let mark = Box::new(MarkFile::new(&folder.join("mark")));
    let key = HomeKey::take_over(&mut [7_u8; 48].as_slice())?;
    let (ledger, found) = Ledger::open(Paths { database: &database, keys: &keys, mark, create }, key, at())?;
    let ledger = Arc::new(ledger);
    if create {
        furnish(&ledger)?;
        PauseFile::create(&folder.join("pause"))?;
    }
    Ok((compose(&ledger, found, &folder.join("pause"), policy)?, ledger))
}

/// Returns a gate over an opened store.
pub fn compose(
    ledger: &Arc<Ledger>,
    found: Opened,
    pause: &Path,
    policy: Arc<dyn Policy>,
) -> Result<Arc<Gate>, Box<dyn Error>> {
    let (record, recorded) = PauseFile::open(pause)?;
    let transactions = Arc::clone(ledger) as Arc<dyn bailey_gate::ledger::Ledger>;
    let store = Store {
        ledger: Arc::clone(ledger),
        transactions,
        found,
        recorded,
        record: Arc::new(record),
        origins: Vec::new(),
        suspicions: std::sync::Arc::default(),
    };
    let person_context = Arc::new(StaticContext { minutes: 0, attended: true });
    Ok(recovery::open_gate(store, policy, Limits::default(), person_context, at())?.0)
}

/// Returns the person's credential and a calendar.
pub fn furnish(ledger: &Ledger) -> Done {
    let grant = Grant { level: Level::Full, active: true, generation: 1 };
    let public = person()?.public();
    ledger.write(|tx| {
        tx.put_passphrase_key(&CREDENTIAL, &[0; 16], &public)?;
        tx.put_connection(&ConnectionRow { id: CALENDAR, kind: "calendar".into(), account: "me".into(), grant })
    })?;
    Ok(())
}

/// Writes finished actions, each with the four entries of one that went by itself, in one transaction.
pub fn finished(ledger: &Ledger, numbers: std::ops::Range<u64>) -> Done {
    let contents = numbers.map(|number| {
        let account = Some((CALENDAR, 1));
        let content =
            Content { home: ledger.home(), id: id(number), account, precondition: Vec::new(), action: entry()? };
        Ok::<_, Box<dyn Error>>(content)
    });
    let contents = contents.collect::<Result<Vec<_>, _>>()?;
    let pause_state = PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 };
    ledger.write(|tx| {
        for content in &contents {
            let mut row = Row {
                id: content.id,
                task: None,
                state: State::Proposed,
                kind: content.action.kind(),
                class: content.class(),
                account: content.account,
                digest: content.digest(),
                proposed: at(),
                expires: Deadline::after(at(), 1_000),
                held: None,
                approval: None,
                claim: None,
                attempt: 0,
                undo_of: None,
                amount: 0,
            };
            let event = |kind, state, row: &Row, payload| Event {
                action: Some(row.id),
                account: row.account,
                tool: Some(row.kind),
                class: Some(row.class),
                to: Some(state),
                payload,
                ..Event::of_home(kind, Actor::Gate, at(), pause_state)
            };
            let payload = Payload::default().text("why", "measured").bytes("content", content.encode());
            tx.insert(&row, event(EventKind::Proposed, State::Proposed, &row, payload))?;
            for (from, to) in [
                (State::Proposed, State::Approved),
                (State::Approved, State::Claimed),
                (State::Claimed, State::Succeeded),
            ] {
                row.state = to;
                if to == State::Claimed {
                    (row.attempt, row.claim) = (1, Some((0, 0)));
                }
                let step = event(EventKind::Step, to, &row, Payload::default());
                tx.step(&row, from, Event { from: Some(from), ..step })?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Proposes, claims, hands off to nobody, settles; false if it could not be claimed.
fn one(gate: &Gate, number: u64, action: Action) -> Result<bool, Box<dyn Error>> {
    let proposal = Proposal {
        id: id(number),
        task: None,
        account: Some(CALENDAR),
        precondition: Vec::new(),
        action,
        why: "measured".into(),
        actor: Actor::Agent,
    };
    let permit = gate.propose(proposal, at())?.permit.ok_or("it was not let go")?;
    let Ok(Claiming::Claimed(claimed)) = gate.claim(permit, at()) else { return Ok(false) };
    let handed = claimed.effect_token().hand_off(|| Wrote::Some);
    let result = if handed.is_ok() { Effect::Done } else { Effect::NotExecuted };
    let _state = gate.settle(&claimed.settle(Outcome::new(result, "measured")), at())?;
    Ok(true)
}

pub fn shipped() -> Result<Arc<CedarPolicy>, Box<dyn Error>> {
    Ok(Arc::new(CedarPolicy::shipped()?))
}

/// Rules in words that are about the action judged and decide nothing, so that all of them are looked at.
fn rules_in_words(count: usize) -> Result<CedarPolicy, Box<dyn Error>> {
    let words = (0..count).map(|n| format!("new calendar entries to no{n}@example.org more than {n} a day: ask\n"));
    Ok(CedarPolicy::of_rules(&bailey_policy::rule::parse(&words.collect::<String>())?, "bench")?)
}

/// Returns one verdict: three questions to the rules.
pub fn decision(table: &mut Table) -> Done {
    let action = entry()?;
    let (kind, class) = (action.kind(), action.class());
    let facts = Facts { recipients: 0, others: 0, ..Facts::unremarkable() };
    let verdicts = |policy: &CedarPolicy| {
        Times::of(3_000, |_| {
            let _verdict = std::hint::black_box(judge(policy, kind, class, &facts));
            Ok::<_, std::convert::Infallible>(())
        })
    };
    let few = verdicts(&CedarPolicy::shipped()?)?;
    let question = Question { kind, class, facts: &facts, evidence: Evidence::None };
    let nothing = Times::of(3_000, |_| {
        let _ruling = std::hint::black_box(Anything.rule(&question));
        Ok::<_, std::convert::Infallible>(())
    })?;
    for count in RULES {
        let many = verdicts(&rules_in_words(count)?)?;
        table.row(
            &format!("verdict with the shipped rules and {count} more, p50 (p99)"),
            format!("{} ({})", show(many.median()), show(many.percentile(99))),
            format!("shipped rules alone {}; no rules {}", show(few.median()), show(nothing.median())),
            format!("{:.1} × the shipped rules", many.median().as_secs_f64() / few.median().as_secs_f64()),
        );
    }
    Ok(())
}

/// Returns what one rule more makes automatic, beside a hundred, by the solver.
pub fn proof(table: &mut Table) -> Done {
    let rules = |extra: &str| -> Result<String, Box<dyn Error>> {
        let words = (0..100).map(|n| format!("mail to no{n}@example.org: go ahead\n")).collect::<String>();
        let rules = bailey_policy::rule::parse(&format!("{words}{extra}"))?;
        Ok(rules.iter().enumerate().map(|(n, rule)| rule.cedar(&format!("bench.{n}"))).collect())
    };
    let (before, after) = (rules("")?, rules("mail to ana@example.org without links: go ahead")?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let prove = |before: &str, after: &str| {
        runtime
            .block_on(async { Analysis::begin()?.newly_automatic(before, after).await.map(|newly| newly.found.len()) })
    };
    match prove(&before, &after) {
        Ok(1) => {}
        Ok(other) => return Err(format!("the solver found {other} kinds where one becomes automatic").into()),
        Err(missing) => {
            eprintln!("no figure for the analysis: {missing}");
            return Ok(());
        }
    }
    let found = Times::of(5, |_| prove(&before, &after).map(|_| ()))?;
    let none = Times::of(5, |_| prove(&after, &before).map(|_| ()))?;
    table.row(
        "what one rule beside a hundred makes automatic, with the solver, p50",
        show(found.median()),
        format!("the same where nothing becomes automatic {}", show(none.median())),
        format!("{:.1} ×", found.median().as_secs_f64() / none.median().as_secs_f64()),
    );
    Ok(())
}

/// Returns one action after another: three commits each.
pub fn alone(table: &mut Table, folder: &Path) -> Done {
    let flush = reference::flushes(folder, ALONE)?.median();
    let plain = reference::plain_commits(folder, ALONE)?.median();
    let gate = gate(&folder.join("alone"), shipped()?)?;
    let action = entry()?;
    let times = Times::of(ALONE, |index| one(&gate, index as u64, action.clone()).map(|_| ()))?;
    let three = flush * 3;
    table.row(
        "one action by itself: propose, claim, hand-off, settle; p50 (p99)",
        format!("{} ({})", show(times.median()), show(times.percentile(99))),
        format!("append + fdatasync {}; one-row commit of plain SQLite {}", show(flush), show(plain)),
        format!(
            "three flushes + {}; {:.1} × three plain commits",
            show(times.median().saturating_sub(three)),
            times.median().as_secs_f64() / (plain * 3).as_secs_f64()
        ),
    );
    Ok(())
}

/// Actions each second of many threads.
fn storm(gate: &Gate) -> Result<f64, Box<dyn Error>> {
    let (stop, done, trouble) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::new(None));
    let action = entry()?;
    let started = now();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (gate, stop, done, trouble, action) = (&gate, &stop, &done, &trouble, &action);
            scope.spawn(move || {
                let mut number = thread << 32;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    if let Err(why) = one(gate, number, action.clone()) {
                        *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_string());
                        return;
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        sleep(TOGETHER);
        stop.store(true, Ordering::Relaxed);
    });
    let rate = rate(done.load(Ordering::Relaxed), started.elapsed());
    match trouble.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(why) => Err(why.into()),
        None => Ok(rate),
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement lasts as long as it lasts")]
fn sleep(time: Duration) {
    thread::sleep(time);
}

/// Measures sixty-four actions at once, with the rules and without.
pub fn together(table: &mut Table, folder: &Path) -> Done {
    let free = storm(&*gate(&folder.join("anything"), Arc::new(Anything))?)?;
    let ruled = storm(&*gate(&folder.join("ruled"), shipped()?)?)?;
    let each = 1e6 / ruled - 1e6 / free;
    table.row(
        "64 actions at once",
        format!("{ruled:.0} actions/s ({:.0} commits/s)", ruled * 3.0),
        format!("the same writer and commits without rules {free:.0} actions/s"),
        format!("{:.0} %; the rules cost {each:.0} µs of each action", 100.0 * ruled / free),
    );
    Ok(())
}

/// Returns the person ends a pause.
fn resume(gate: &Gate, key: &SigningKey, epoch: u64) -> Done {
    let challenge = gate.challenge(&Nonce::from_bytes(*id(epoch).as_bytes()), at());
    let signature =
        key.sign(&Purpose::Resume { epoch: gate.lock().pause_state().epoch }.message(&gate.home(), &challenge));
    let (assertion, client) = (Assertion::PassphraseKey { signature }, Client::CommandLine);
    let proof = Proof { challenge, credential: CREDENTIAL, assertion, client, session: [7; 16] };
    let pause_state = gate.begin_resume(gate.lock().pause_state().epoch, &proof, at())?;
    gate.finish_resume(pause_state.epoch, at())?;
    Ok(())
}

/// Actions of one thread until it is told to stop; counts hand-offs that started after a later pause had returned.
fn keep_acting(gate: &Gate, thread: u64, action: &Action, stop: &AtomicBool, returned: &AtomicU64, late: &AtomicU64) {
    let mut number = thread << 32;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let proposal = Proposal {
            id: id(number),
            task: None,
            account: Some(CALENDAR),
            precondition: Vec::new(),
            action: action.clone(),
            why: String::new(),
            actor: Actor::Agent,
        };
        let Ok(Some(permit)) = gate.propose(proposal, at()).map(|proposed| proposed.permit) else { continue };
        let Ok(Claiming::Claimed(claimed)) = gate.claim(permit, at()) else { continue };
        // Not below the claim's own epoch: what is counted is certain.
        let epoch = gate.lock().pause_state().epoch;
        let _handed = claimed.effect_token().hand_off(|| {
            late.fetch_add(u64::from(returned.load(Ordering::SeqCst) > epoch), Ordering::SeqCst);
            Wrote::Some
        });
        let _state = gate.settle(&claimed.settle(Outcome::new(Effect::Done, "")), at());
    }
}

/// Measures from the wish to pause to its return, while sixty-four actions are under way.
pub fn pauses(table: &mut Table, folder: &Path) -> Done {
    let flush = reference::flushes(folder, 500)?.median();
    let times = paused(&*gate(&folder.join("pauses"), Arc::new(Anything))?, PAUSES)?;
    table.row(
        "pause with 64 actions under way, p50 (p99), from request to return",
        format!("{} ({})", show(times.median()), show(times.percentile(99))),
        format!("append + fdatasync {}", show(flush)),
        format!("{PAUSES} pauses, no hand-off after any of them"),
    );
    Ok(())
}

/// Measures so many pauses, each from request to return, and each ended again.
pub fn paused(gate: &Gate, count: usize) -> Result<Times, Box<dyn Error>> {
    let (key, action) = (person()?, entry()?);
    let (stop, returned, late) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let mut times = Vec::with_capacity(count);
    let resumed = thread::scope(|scope| {
        for thread in 0..THREADS {
            let (action, stop, returned, late) = (&action, &stop, &returned, &late);
            scope.spawn(move || keep_acting(gate, thread, action, stop, returned, late));
        }
        let mut resumed = Ok(());
        for _ in 0..count {
            sleep(UNDER_WAY);
            let started = now();
            let report = gate.pause(Actor::Client, at(), || ());
            times.push(started.elapsed());
            returned.store(report.pause_state.epoch, Ordering::SeqCst);
            resumed = resume(gate, &key, report.pause_state.epoch).map_err(|error| error.to_string());
            if resumed.is_err() {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        resumed
    });
    resumed?;
    let (times, late) = (Times::from(times), late.into_inner());
    if late > 0 {
        return Err(format!("{late} hand-offs started after a pause had returned").into());
    }
    Ok(times)
}
