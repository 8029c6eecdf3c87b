//! What was worked out before a transaction counts only if it is still so within.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bailey_gate::family::Taint;
use bailey_gate::ledger::TaskTaint;
use bailey_gate::{Claiming, Permit, State, TaskId};

use crate::double::{Bench, CONNECTION, Store, at, mail};

const TASK: TaskId = TaskId::from_bytes([8; 16]);

/// A mail that may go by itself, proposed for a task.
fn permit(bench: &Bench) -> Permit {
    bench.policy.mail_is_auto.store(true, Ordering::SeqCst);
    let proposal = bailey_gate::Proposal { task: Some(TASK), ..mail(1) };
    bench.gate.propose(proposal, at(0)).unwrap().permit.unwrap()
}

/// Has something happen right before the next transaction.
fn meanwhile(bench: &Bench, happens: impl FnOnce(&mut Store) + Send + 'static) {
    let ledger = Arc::clone(&bench.ledger);
    *bench.ledger.meanwhile.lock().unwrap() = Some(Box::new(move || happens(&mut ledger.store.lock().unwrap())));
}

/// Has the rules change when everything has been judged, and nothing is written yet.
fn change_rules_at_last(bench: &Bench) {
    let policy = Arc::clone(&bench.policy);
    let change = move || policy.nothing_goes.store(true, Ordering::SeqCst);
    *bench.ledger.at_last.lock().unwrap() = Some(Box::new(change));
}

fn revoke(store: &mut Store) {
    store.grants.get_mut(&CONNECTION).unwrap().active = false;
    store.surroundings += 1;
}

#[test]
fn claim_judged_before_a_revocation_is_denied() {
    let bench = Bench::new();
    let permit = permit(&bench);
    meanwhile(&bench, revoke);
    assert!(matches!(bench.gate.claim(permit, at(1)).unwrap(), Claiming::NotClaimed(State::Denied)));
}

#[test]
fn claim_judged_by_other_rules_is_judged_again() {
    let bench = Bench::new();
    let permit = permit(&bench);
    change_rules_at_last(&bench);
    assert!(matches!(bench.gate.claim(permit, at(1)).unwrap(), Claiming::NotClaimed(State::Denied)));
}

#[test]
fn claim_judged_before_its_task_read_what_others_wrote_is_judged_again() {
    let bench = Bench::new();
    bench.policy.reading_matters.store(true, Ordering::SeqCst);
    let permit = permit(&bench);
    meanwhile(&bench, |store| {
        let brought = Taint { untrusted: true, confidential: false };
        store.marks.insert(TASK, TaskTaint { brought, off_task: 0 });
    });
    assert!(matches!(bench.gate.claim(permit, at(1)).unwrap(), Claiming::NotClaimed(State::Denied)));
}

#[test]
fn proposal_decided_before_its_grant_changed_is_bound_to_the_new_one() {
    let bench = Bench::new();
    meanwhile(&bench, |store| {
        store.grants.get_mut(&CONNECTION).unwrap().generation = 2;
        store.surroundings += 1;
    });
    let proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    assert_eq!(bench.ledger.store.lock().unwrap().rows[&proposed.id].account, Some((CONNECTION, 2)));
}

#[test]
fn approval_judged_before_a_change_of_rules_is_judged_again() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    change_rules_at_last(&bench);
    assert!(bench.approve(1, at(1)).unwrap().is_empty());
    assert_eq!(bench.state(1), State::Denied);
}

#[test]
fn claim_comes_to_an_end_where_something_changes_all_the_time() {
    let bench = Bench::new();
    let permit = permit(&bench);
    bench.ledger.restless.store(true, Ordering::SeqCst);
    assert!(matches!(bench.gate.claim(permit, at(1)).unwrap(), Claiming::Claimed(_)));
}
