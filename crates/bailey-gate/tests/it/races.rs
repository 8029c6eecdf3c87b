//! Pause against everything, on real threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bailey_gate::event::Actor;
use bailey_gate::handoff::Wrote;
use bailey_gate::{Claiming, Effect, GateError, Outcome};

use crate::double::{Bench, at, mail};

#[test]
fn no_hand_off_starts_after_pause_returned() {
    for round in 0..200 {
        let bench = Bench::new();
        bench.policy.mail_is_auto.store(true, Ordering::SeqCst);
        let (returned, handed, late) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for n in 1..=8 {
                let (bench, returned, handed, late) = (&bench, &returned, &handed, &late);
                scope.spawn(move || {
                    let permit = bench.gate.propose(mail(n), at(0)).unwrap().permit.unwrap();
                    let claim = match bench.gate.claim(permit, at(0)) {
                        Ok(Claiming::Claimed(claim)) => claim,
                        Err(GateError::Paused) => return,
                        other => panic!("{other:?}"),
                    };
                    let _handed = claim.effect_token().hand_off(|| {
                        handed.fetch_add(1, Ordering::SeqCst);
                        late.fetch_add(u64::from(returned.load(Ordering::SeqCst)), Ordering::SeqCst);
                        Wrote::Some
                    });
                    let _state = bench.gate.settle(&claim.settle(Outcome::new(Effect::Done, "")), at(1)).unwrap();
                });
            }
            let _report = bench.gate.pause(Actor::Person, at(0), || ());
            returned.store(true, Ordering::SeqCst);
        });
        assert_eq!(late.load(Ordering::SeqCst), 0, "round {round}, {} handed off", handed.load(Ordering::SeqCst));
    }
}

/// How long a pause is given to return although it must not.
const TRIAL: Duration = Duration::from_millis(100);

#[test]
fn a_pause_waits_for_the_write_under_way() {
    let bench = Bench::new();
    bench.policy.mail_is_auto.store(true, Ordering::SeqCst);
    let permit = bench.gate.propose(mail(1), at(0)).unwrap().permit.unwrap();
    let Ok(Claiming::Claimed(claim)) = bench.gate.claim(permit, at(0)) else { panic!("it was not claimed") };
    let (tell, told) = mpsc::channel();
    let pausing = claim.effect_token().hand_off(|| {
        let gate = bench.gate.clone();
        thread::spawn(move || {
            let report = gate.pause(Actor::Person, at(0), || ());
            tell.send(report.pause_state.epoch).unwrap();
        });
        assert!(told.recv_timeout(TRIAL).is_err(), "a pause returned while bytes were being handed over");
        Wrote::Some
    });
    assert_eq!(pausing, Ok(Wrote::Some));
    assert_eq!(told.recv().unwrap(), 1, "and returns once they are");
}
