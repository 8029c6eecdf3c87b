//! Clocks that are set back and forward, and machines that start anew (`in_time.rs`).

use bailey_home::Clock;
use bailey_scripted::{Script, Turn};
use serde_json::{Value, json};

use crate::in_time::{DAY_MS, InTime};
use crate::support::{PASSPHRASE, World, id, send};

const HOUR_MS: i64 = 3_600 * 1_000;

/// A home that holds mail for an hour, and its clock.
fn world() -> (World, InTime) {
    let write = vec![send("ana@example.org", "1", "one")];
    let scripts = vec![
        Script { task_contains: "Ana".into(), turns: write, ..Script::default() },
        Script { task_contains: "hello".into(), turns: vec![Turn::say("hello")], ..Script::default() },
    ];
    let world = World::with_scripts(scripts, 3_600);
    let home = InTime::open(&world, Clock::new(Some("Europe/Paris")).unwrap());
    world.connect("send");
    (world, home)
}

const WRITE: &str = "Write to Ana (ana@example.org).";

/// Lets things happen in the home: after each it looks at what is due.
fn stir(world: &World) {
    for _ in 0..2 {
        world.task("hello");
    }
}

fn approved(world: &World) -> String {
    world.task(WRITE);
    let mail = id(&world.waiting());
    world.ok(&["approve", &mail], PASSPHRASE);
    world.until(&mail, "held");
    mail
}

fn state(world: &World, id: &str) -> Value {
    world.get(&format!("/v1/actions/{id}"))["state"].clone()
}

#[test]
fn a_clock_that_is_set_moves_no_hold_window_and_no_end_of_a_question() {
    let (world, home) = world();
    let held = approved(&world);
    world.task(WRITE);
    let asked = id(&world.waiting());
    // A day back, a day forward of what it was, and back to that.
    for days in [-1, 2, -1] {
        home.clock.set_by(days * DAY_MS);
        stir(&world);
        assert_eq!((state(&world, &held), state(&world, &asked)), ("held".into(), "awaiting".into()), "{days}");
        assert!(world.sink.arrived().is_empty());
    }
    home.clock.set_by(-DAY_MS);
    home.clock.go_on(HOUR_MS - 60_000);
    stir(&world);
    assert_eq!(state(&world, &held), "held", "a minute is left");
    home.clock.go_on(60_000);
    stir(&world);
    world.until(&held, "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
    // A question stands for seven days, of which the clock that was set back takes none off and adds none.
    home.clock.go_on(7 * DAY_MS - 2 * HOUR_MS);
    stir(&world);
    assert_eq!(state(&world, &asked), "awaiting");
    home.clock.go_on(HOUR_MS);
    stir(&world);
    world.until(&asked, "expired");
    assert_eq!(world.fails(&["approve", &asked], PASSPHRASE).0, 1);
    assert_eq!(world.sink.arrived().len(), 1);
}

#[test]
fn after_a_restart_of_the_machine_a_clock_before_what_was_counts_as_long_past() {
    let (world, home) = world();
    let held = approved(&world);
    let clock = home.clock.after_reboot().unwrap();
    drop(home);
    // The clock goes on: what was held asks again, for a copy of the folder would look the same.
    let home = InTime::open(&world, clock);
    stir(&world);
    assert_eq!(state(&world, &held), "awaiting");
    let clock = home.clock.after_reboot().unwrap();
    drop(home);
    clock.set_by(-DAY_MS);
    let _home = InTime::open(&world, clock);
    world.until(&held, "expired");
    assert!(world.sink.arrived().is_empty());
}

#[test]
fn in_the_same_run_of_the_machine_what_was_held_is_held() {
    let (world, home) = world();
    let held = approved(&world);
    let clock = home.clock.clone();
    drop(home);
    let home = InTime::open(&world, clock);
    stir(&world);
    assert_eq!(state(&world, &held), "held");
    home.clock.go_on(HOUR_MS);
    stir(&world);
    world.until(&held, "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
}

#[test]
fn a_clock_that_is_set_back_gives_no_new_budget() {
    let (world, home) = world();
    world.ok(&["rules", "add", "mail to ana@example.org up to 1 times a day: go ahead"], PASSPHRASE);
    // It goes by itself, an hour later; nobody waits for it.
    world.post("/v1/tasks", &json!({"words": WRITE}));
    let is_held = |actions: &Value| actions.as_array().unwrap().iter().any(|action| action["state"] == "held");
    World::until_true("it was not held", || is_held(&world.get("/v1/actions")));
    home.clock.go_on(HOUR_MS);
    stir(&world);
    World::until_true("it did not go", || world.sink.arrived().len() == 1);
    for _ in 0..2 {
        home.clock.set_by(-DAY_MS);
        world.task(WRITE);
        world.ok(&["reject", &id(&world.waiting())], "");
    }
}

#[test]
fn a_clock_before_1970_loses_nothing() {
    let (world, home) = world();
    let clock = home.clock.clone();
    let now = clock.now().wall_ms;
    clock.set_by(-now - 365 * DAY_MS);
    let held = approved(&world);
    let log = world.data_of(&["log", "list", "--limit", "500"]);
    assert!(!log.as_array().unwrap().is_empty());
    // The home starts anew on such a clock, and goes on.
    drop(home);
    let home = InTime::open(&world, clock);
    stir(&world);
    assert_eq!(state(&world, &held), "held");
    world.ok(&["actions"], "");
    world.ok(&["rules", "add", "mail to ana@example.org up to 1 times a day: go ahead"], PASSPHRASE);
    home.clock.go_on(HOUR_MS);
    stir(&world);
    world.until(&held, "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
    // What was written then verifies.
    let export = world.ok(&["log", "export", "-"], "");
    let file = world.folder.path().join("log");
    std::fs::write(&file, export).unwrap();
    let (code, said) = crate::evidence::verifier(&file, None);
    assert_eq!(code, 10, "{said}");
}
