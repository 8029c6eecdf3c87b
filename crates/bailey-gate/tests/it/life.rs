//! The life of one action, with the clock in hand.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bailey_gate::approval::{Assertion, CHALLENGE_MS, Purpose};
use bailey_gate::event::EventKind;
use bailey_gate::family::Action;
use bailey_gate::family::mail::MailAction;
use bailey_gate::handoff::{Mode, Refused, Wrote};
use bailey_gate::ledger::StoreError;
use bailey_gate::{Challenge, Claimed, Claiming, Effect, Found, GateError, Limits, Nonce, Outcome, Permit, State};

use crate::double::{Bench, CONNECTION, action_id, at, mail, message};

fn claimed(claiming: Claiming) -> Claimed {
    match claiming {
        Claiming::Claimed(claimed) => *claimed,
        other => panic!("{other:?}"),
    }
}

fn one(permits: Vec<Permit>) -> Permit {
    let [permit] = <[Permit; 1]>::try_from(permits).unwrap();
    permit
}

fn hand_off(claimed: &Claimed) {
    assert_eq!(claimed.effect_token().hand_off(|| Wrote::Some), Ok(Wrote::Some));
}

#[test]
fn every_step_is_logged_in_order() {
    let bench = Bench::new();
    assert!(bench.gate.propose(mail(1), at(0)).unwrap().permit.is_none());
    let claim = claimed(bench.gate.claim(one(bench.approve(1, at(1)).unwrap()), at(2)).unwrap());
    assert_eq!(bench.state(1), State::Claimed, "the claim is durable before anything can be handed off");
    hand_off(&claim);
    assert_eq!(bench.gate.settle(&claim.settle(Outcome::new(Effect::Done, "250")), at(3)).unwrap(), State::Succeeded);
    let steps: Vec<_> = bench
        .ledger
        .store
        .lock()
        .unwrap()
        .events
        .iter()
        .filter(|e| e.kind == EventKind::Step)
        .map(|e| e.to.unwrap())
        .collect();
    assert_eq!(steps, [State::Awaiting, State::Approved, State::Claimed, State::Succeeded]);
    assert!(bench.ledger.store.lock().unwrap().known.contains("ana@example.org"));
}

#[test]
fn what_runs_by_itself_teaches_nothing() {
    let bench = Bench::new();
    bench.policy.mail_is_auto.store(true, Ordering::SeqCst);
    let permit = bench.gate.propose(mail(1), at(0)).unwrap().permit.unwrap();
    let claim = claimed(bench.gate.claim(permit, at(0)).unwrap());
    hand_off(&claim);
    let _state = bench.gate.settle(&claim.settle(Outcome::new(Effect::Done, "")), at(1)).unwrap();
    assert!(bench.ledger.store.lock().unwrap().known.is_empty());
}

#[test]
fn a_hand_off_happens_once_and_unsent_is_believed_only_without_one() {
    let bench = Bench::new();
    bench.policy.mail_is_auto.store(true, Ordering::SeqCst);
    let go = |n| claimed(bench.gate.claim(bench.gate.propose(mail(n), at(0)).unwrap().permit.unwrap(), at(0)).unwrap());
    let first = go(1);
    let token = first.effect_token();
    assert_eq!(token.hand_off(|| Wrote::Nothing), Ok(Wrote::Nothing), "nothing taken: try again");
    assert_eq!(token.hand_off(|| Wrote::Some), Ok(Wrote::Some));
    assert_eq!(token.hand_off(|| panic!("must not run")), Err(Refused::Spent));
    let state = bench.gate.settle(&first.settle(Outcome::new(Effect::NotExecuted, "")), at(1)).unwrap();
    assert_eq!(state, State::Unknown, "a connector cannot deny what was handed off");
    let state = bench.gate.settle(&go(2).settle(Outcome::new(Effect::Done, "")), at(1)).unwrap();
    assert_eq!(state, State::NotExecuted, "nor claim what was not");
}

#[test]
fn pause_kills_every_older_claim() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let claim = claimed(bench.gate.claim(one(bench.approve(1, at(0)).unwrap()), at(0)).unwrap());
    let report = bench.gate.pause(bailey_gate::event::Actor::Person, at(1), || ());
    assert_eq!(report.in_flight, [action_id(1)]);
    assert_eq!(*bench.record.0.lock().unwrap(), [(true, 1)]);
    let token = claim.effect_token();
    assert_eq!(token.hand_off(|| panic!("must not run")), Err(Refused::Paused));
    let _state = bench.gate.settle(&claim.settle(Outcome::new(Effect::NotExecuted, "")), at(2)).unwrap();
    bench.resume(at(3));
    assert_eq!(token.hand_off(|| panic!("must not run")), Err(Refused::Stale), "also after resume");
    assert_eq!(bench.record.0.lock().unwrap().last(), Some(&(false, 1)));
}

#[test]
fn while_paused_nothing_is_claimed_and_after_it_all_asks_again() {
    let bench = Bench::new();
    for n in 1..=2 {
        let _proposed = bench.gate.propose(mail(n), at(0)).unwrap();
    }
    let permit = one(bench.approve(1, at(0)).unwrap());
    let _report = bench.gate.pause(bailey_gate::event::Actor::Person, at(1), || ());
    assert!(matches!(bench.gate.claim(permit, at(1)), Err(GateError::Paused)));
    assert!(bench.gate.due(at(1)).unwrap().is_empty());
    let _permits = bench.approve(2, at(1)).unwrap();
    assert!(matches!(bench.gate.finish_resume(1, at(1)), Err(GateError::Paused)), "resuming begins with the person");
    bench.resume(at(2));
    assert_eq!((bench.state(1), bench.state(2)), (State::Awaiting, State::Awaiting));
}

#[test]
fn of_two_answers_to_one_pause_the_slower_takes_nothing_back() {
    let bench = Bench::new();
    let _report = bench.gate.pause(bailey_gate::event::Actor::Person, at(1), || ());
    for _ in 0..2 {
        let proof = bench.proof(&Purpose::Resume { epoch: 1 }, at(2));
        assert_eq!(bench.gate.begin_resume(1, &proof, at(2)).unwrap().mode, Mode::Resuming);
    }
    let gate = Arc::clone(&bench.gate);
    let faster = Box::new(move || drop(gate.finish_resume(1, at(3)).unwrap()));
    *bench.record.1.lock().unwrap() = Some(faster);
    let _swept = bench.gate.finish_resume(1, at(3)).unwrap();
    assert_eq!(bench.gate.lock().pause_state().mode, Mode::Open);
    assert_eq!(bench.record.0.lock().unwrap()[1..], [(false, 1), (false, 1)], "and stays so over a restart");
    assert_eq!(bench.gate.finish_resume(1, at(4)).unwrap().asked_again, [], "nothing is left to do");
}

#[test]
fn pause_holds_on_a_full_disk() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let permit = one(bench.approve(1, at(0)).unwrap());
    bench.ledger.full.store(true, Ordering::SeqCst);
    assert!(matches!(bench.gate.claim(permit, at(1)), Err(GateError::Store(StoreError::Full))), "no new claim");
    let report = bench.gate.pause(bailey_gate::event::Actor::Person, at(1), || ());
    assert!(report.recorded.is_ok() && report.logged.is_err());
    assert_eq!(bench.gate.lock().pause_state().mode, Mode::Paused);
    bench.ledger.full.store(false, Ordering::SeqCst);
    assert_eq!(bench.state(1), State::Approved, "nothing is lost");
}

#[test]
fn time_runs_out_for_answers_challenges_and_approvals() {
    let limits = Limits { answer_ms: 1_000, hold_ms: 0, late_ms: 0 };
    let bench = Bench::with(limits, true);
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    assert!(matches!(bench.approve(1, at(1_000)), Err(GateError::Expired(_))));
    assert_eq!(bench.gate.expire(at(1_000)).unwrap().expired, [action_id(1)]);
    assert_eq!(bench.state(1), State::Expired);

    let bench = Bench::with(limits, true);
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let permit = one(bench.approve(1, at(999)).unwrap());
    assert!(matches!(bench.gate.claim(permit, at(1_000)), Ok(Claiming::NotClaimed(State::Expired))));

    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let shown = vec![(action_id(1), bench.digest(1))];
    let proof = bench.proof(&Purpose::Approve(shown.clone()), at(0));
    assert!(matches!(bench.gate.approve(shown.clone(), &proof, at(CHALLENGE_MS)), Err(GateError::NotAuthorised)));
    let unasked = bench.sign(&Purpose::Approve(shown.clone()), Challenge::from_bytes([99; 64]));
    assert!(
        matches!(bench.gate.approve(shown, &unasked, at(0)), Err(GateError::NotAuthorised)),
        "a challenge of their own"
    );
}

#[test]
fn however_many_questions_are_asked_each_may_be_answered_once() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let shown = vec![(action_id(1), bench.digest(1))];
    let proof = bench.proof(&Purpose::Approve(shown.clone()), at(0));
    for flood in 0..10_000_u128 {
        bench.gate.challenge(&Nonce::from_bytes((flood << 64).to_be_bytes()), at(1));
    }
    assert_eq!(bench.gate.approve(shown.clone(), &proof, at(2)).unwrap().len(), 1);
    assert!(matches!(bench.gate.approve(shown, &proof, at(3)), Err(GateError::NotAuthorised)), "used");
}

#[test]
fn a_passkey_is_refused_where_none_is_enrolled_and_counts_as_no_guess() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let shown = vec![(action_id(1), bench.digest(1))];
    let right = bench.proof(&Purpose::Approve(shown.clone()), at(1));
    let (part, signature) = (vec![1; 64], vec![2; 70]);
    let assertion = Assertion::Passkey {
        credential_id: part.clone(),
        authenticator_data: part.clone(),
        client_data: part,
        signature,
    };
    let passkey = bailey_gate::approval::Proof { assertion, ..right.clone() };
    for _ in 0..=bailey_gate::approval::MAX_WRONG {
        let refused = bench.gate.approve(shown.clone(), &passkey, at(1)).unwrap_err();
        assert!(refused.to_string().contains("no passkey is enrolled"), "{refused}");
    }
    assert_eq!(bench.gate.approve(shown, &right, at(1)).unwrap().len(), 1, "its challenge is still open");
}

#[test]
fn guessing_is_logged_and_cut_off() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let shown = vec![(action_id(1), bench.digest(1))];
    for guess in 0..bailey_gate::approval::MAX_WRONG {
        let mut proof = bench.proof(&Purpose::Approve(shown.clone()), at(1));
        proof.assertion = Assertion::PassphraseKey { signature: vec![0] };
        assert!(
            matches!(bench.gate.approve(shown.clone(), &proof, at(1)), Err(GateError::NotAuthorised)),
            "guess {guess}"
        );
    }
    let wrong = |event: &bailey_gate::event::Event| event.reasons == ["gate.wrong-proof"];
    assert_eq!(
        bench.ledger.store.lock().unwrap().events.iter().filter(|event| wrong(event)).count(),
        bailey_gate::approval::MAX_WRONG
    );
    assert!(matches!(bench.approve(1, at(2)), Err(GateError::Guessing)), "even a right one, for a while");
    assert_eq!(bench.approve(1, at(2 + bailey_gate::approval::WRONG_WITHIN_MS)).unwrap().len(), 1);
}

#[test]
fn a_mail_is_held_and_a_late_one_asks_again() {
    let limits = Limits { hold_ms: 100, late_ms: 1_000, ..Limits::default() };
    let held = || {
        let bench = Bench::with(limits, true);
        let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
        let permit = one(bench.approve(1, at(0)).unwrap());
        assert!(matches!(bench.gate.claim(permit, at(0)), Ok(Claiming::Held(_))));
        bench
    };
    let bench = held();
    assert!(bench.gate.due(at(99)).unwrap().is_empty());
    assert_eq!(bench.gate.next_due(at(60)).unwrap(), Some(40));
    let due = one(bench.gate.due(at(100)).unwrap());
    let _claim = claimed(bench.gate.claim(due, at(100)).unwrap());

    let bench = held();
    let late = one(bench.gate.due(at(1_101)).unwrap());
    assert!(matches!(bench.gate.claim(late, at(1_101)), Ok(Claiming::NotClaimed(State::Awaiting))));

    let bench = held();
    bench.gate.cancel(&[action_id(1)], at(50)).unwrap();
    assert!(bench.gate.due(at(100)).unwrap().is_empty());
}

#[test]
fn everything_is_checked_again_when_claiming() {
    let approved = || {
        let bench = Bench::new();
        let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
        let permit = one(bench.approve(1, at(0)).unwrap());
        (bench, permit)
    };
    let (bench, permit) = approved();
    bench.ledger.store.lock().unwrap().grants.get_mut(&CONNECTION).unwrap().generation = 2;
    assert!(matches!(bench.gate.claim(permit, at(1)), Ok(Claiming::NotClaimed(State::Denied))), "the grant changed");

    let (bench, permit) = approved();
    bench.policy.nothing_goes.store(true, Ordering::SeqCst);
    assert!(matches!(bench.gate.claim(permit, at(1)), Ok(Claiming::NotClaimed(State::Denied))), "the policy changed");

    let (bench, permit) = approved();
    bench.ledger.store.lock().unwrap().contents.get_mut(&action_id(1)).unwrap().push(0);
    assert!(
        matches!(bench.gate.claim(permit, at(1)), Ok(Claiming::NotClaimed(State::Awaiting))),
        "the stored bytes changed"
    );
    assert!(matches!(bench.approve(1, at(2)), Err(GateError::Changed(_))));

    let (bench, permit) = approved();
    let again = one(bench.gate.due(at(1)).unwrap());
    let _claim = claimed(bench.gate.claim(permit, at(1)).unwrap());
    assert!(matches!(bench.gate.claim(again, at(1)), Err(GateError::WrongState { .. })), "one claim for two permits");
}

#[test]
fn what_cannot_be_taken_back_never_runs_without_presence() {
    let crowd: Vec<String> = (0..21).map(|n| format!("p{n}@example.org")).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let many = || {
        let mut proposal = mail(1);
        proposal.action = Action::Mail(MailAction::Send(message(&crowd)));
        proposal
    };
    let bench = Bench::with(Limits::default(), false);
    bench.policy.mail_is_auto.store(true, Ordering::SeqCst);
    assert_eq!(bench.gate.propose(many(), at(0)).unwrap().state, State::Awaiting, "whatever the rules say");
    assert!(bench.approve(1, at(0)).unwrap().is_empty());
    assert_eq!(bench.state(1), State::Denied, "an answer without presence is not enough");
    let bench = Bench::new();
    let _proposed = bench.gate.propose(many(), at(0)).unwrap();
    assert_eq!(bench.approve(1, at(0)).unwrap().len(), 1);
}

#[test]
fn a_restart_asks_what_happened_and_sends_nothing() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let _claim = claimed(bench.gate.claim(one(bench.approve(1, at(0)).unwrap()), at(0)).unwrap());
    assert_eq!(bench.gate.restart(at(1)).unwrap().unknown, [action_id(1)]);
    assert_eq!(bench.gate.reconcile(&action_id(1), Found::No, "", at(2)).unwrap(), State::NeedsPerson);
    assert!(bench.gate.due(at(3)).unwrap().is_empty());
    bench.gate.resolve(&action_id(1), false, at(4)).unwrap();
    assert_eq!(bench.state(1), State::NotExecuted);
}

#[test]
fn an_answer_is_corrected_by_the_person_kept_in_the_log_and_sends_nothing() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let _claim = claimed(bench.gate.claim(one(bench.approve(1, at(0)).unwrap()), at(0)).unwrap());
    bench.gate.restart(at(1)).unwrap();
    bench.gate.reconcile(&action_id(1), Found::No, "", at(2)).unwrap();
    for (happened, state) in [(false, State::NotExecuted), (true, State::Succeeded), (false, State::NotExecuted)] {
        bench.gate.resolve(&action_id(1), happened, at(4)).unwrap();
        assert_eq!(bench.state(1), state);
        assert!(bench.gate.due(at(5)).unwrap().is_empty(), "nothing goes by that");
        assert!(bench.gate.resolve(&action_id(1), happened, at(5)).is_err(), "the same again");
    }
    let events = bench.ledger.store.lock().unwrap().events.clone();
    let said: Vec<_> = events.iter().rev().take(3).map(|entry| (entry.to, entry.reasons.concat())).collect();
    let wanted = [
        (Some(State::NotExecuted), "gate.person-corrects".to_owned()),
        (Some(State::Succeeded), "gate.person-corrects".to_owned()),
        (Some(State::NotExecuted), "gate.person-says".to_owned()),
    ];
    assert_eq!(said, wanted);
}

#[test]
fn an_undo_of_what_did_not_happen_after_all_is_denied_and_not_tried_again() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let _claim = claimed(bench.gate.claim(one(bench.approve(1, at(0)).unwrap()), at(0)).unwrap());
    bench.gate.restart(at(1)).unwrap();
    bench.gate.reconcile(&action_id(1), Found::No, "", at(2)).unwrap();
    bench.gate.resolve(&action_id(1), true, at(3)).unwrap();
    let proof = bench.proof(&Purpose::Undo(action_id(1)), at(4));
    let undo = bench.gate.undo(&action_id(1), mail(2), &proof, at(4)).unwrap();
    bench.gate.resolve(&action_id(1), false, at(5)).unwrap();
    let claiming = bench.gate.claim(undo.permit.unwrap(), at(6)).unwrap();
    assert!(matches!(claiming, Claiming::NotClaimed(State::Denied)));
    assert!(bench.gate.due(at(7)).unwrap().is_empty());
    assert_eq!(bench.state(1), State::NotExecuted);
}

#[test]
fn leave_to_undo_several_covers_each_of_them_once_and_none_after_a_pause() {
    let bench = Bench::new();
    for n in 1..=3 {
        let _proposed = bench.gate.propose(mail(n), at(0)).unwrap();
        let claim = claimed(bench.gate.claim(one(bench.approve(n, at(0)).unwrap()), at(0)).unwrap());
        hand_off(&claim);
        assert_eq!(
            bench.gate.settle(&claim.settle(Outcome::new(Effect::Done, "250")), at(1)).unwrap(),
            State::Succeeded
        );
    }
    let ids = |all: &[u8]| all.iter().map(|n| action_id(*n)).collect::<Vec<_>>();
    let leave = |all: &[u8], now| {
        let proof = bench.proof(&Purpose::UndoAll(ids(all)), now);
        bench.gate.leave_to_undo(ids(all), &proof, now)
    };
    assert!(matches!(leave(&[], at(2)), Err(GateError::TooMany)));
    // Signed for two, asked for three, or in another order: for nothing.
    let proof = bench.proof(&Purpose::UndoAll(ids(&[1, 2])), at(2));
    assert!(matches!(bench.gate.leave_to_undo(ids(&[1, 2, 3]), &proof, at(2)), Err(GateError::NotAuthorised)));
    let proof = bench.proof(&Purpose::UndoAll(ids(&[1, 2])), at(2));
    assert!(matches!(bench.gate.leave_to_undo(ids(&[2, 1]), &proof, at(2)), Err(GateError::NotAuthorised)));
    let mut two = leave(&[1, 2], at(3)).unwrap();
    let other = bench.gate.undo_by_leave(&action_id(3), mail(4), &mut two, at(3));
    assert!(matches!(other, Err(GateError::NotAuthorised)), "{other:?}");
    let undo = bench.gate.undo_by_leave(&action_id(1), mail(5), &mut two, at(3)).unwrap();
    assert_eq!(undo.state, State::Approved);
    let again = bench.gate.undo_by_leave(&action_id(1), mail(6), &mut two, at(3));
    assert!(matches!(again, Err(GateError::NotAuthorised)), "{again:?}");
    let _report = bench.gate.pause(bailey_gate::event::Actor::Person, at(4), || ());
    bench.resume(at(5));
    let late = bench.gate.undo_by_leave(&action_id(2), mail(7), &mut two, at(6));
    assert!(matches!(late, Err(GateError::Paused)), "{late:?}");
    assert_eq!(bench.state(2), State::Succeeded);
}

#[test]
fn what_is_known_is_not_corrected() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let claim = claimed(bench.gate.claim(one(bench.approve(1, at(0)).unwrap()), at(0)).unwrap());
    bench.gate.restart(at(1)).unwrap();
    drop(claim);
    assert_eq!(bench.gate.reconcile(&action_id(1), Found::Yes, "", at(2)).unwrap(), State::Succeeded);
    assert!(matches!(bench.gate.resolve(&action_id(1), false, at(3)), Err(GateError::WrongState { .. })));
}

#[test]
fn a_proposal_needs_a_connection_and_recipients() {
    let bench = Bench::new();
    let mut nobody = mail(1);
    nobody.action = Action::Mail(MailAction::Send(message(&[])));
    assert!(matches!(bench.gate.propose(nobody, at(0)), Err(GateError::Malformed(_))));
    let mut nowhere = mail(2);
    nowhere.account = None;
    assert!(matches!(bench.gate.propose(nowhere, at(0)), Err(GateError::Malformed(_))));
    assert!(bench.ledger.store.lock().unwrap().rows.is_empty());
}

#[test]
fn a_revocation_ends_every_older_claim() {
    let bench = Bench::new();
    let _proposed = bench.gate.propose(mail(1), at(0)).unwrap();
    let claim = claimed(bench.gate.claim(one(bench.approve(1, at(0)).unwrap()), at(0)).unwrap());
    let token = claim.effect_token();
    assert!(token.pass(|| ()).is_ok());
    bench.gate.lock().cut();
    assert_eq!(token.pass(|| panic!("must not run")), Err(Refused::Cut));
    assert_eq!(token.hand_off(|| panic!("must not run")), Err(Refused::Cut));
    let state = bench.gate.settle(&claim.settle(Outcome::new(Effect::NotExecuted, "")), at(1)).unwrap();
    assert_eq!(state, State::NotExecuted);
}
