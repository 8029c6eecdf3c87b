//! Pause against everything, on real threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

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
                    let _handed = claim.trigger().hand_off(|| {
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
