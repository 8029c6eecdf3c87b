//! Trust that grows by offers: a home whose clock the test moves on (`in_time.rs`), met with the command line.

use bailey_home::Clock;
use bailey_scripted::{Script, Turn};
use serde_json::{Value, json};

use crate::in_time::{DAY_MS, InTime};
use crate::support::{PASSPHRASE, World, id};

fn reply(to: &str) -> Turn {
    let arguments = json!({"to": to, "subject": "Re: plan", "body": "Fine.", "in_reply_to": "<thread@example.org>", "why": "asked"});
    Turn::call("mail_send", arguments)
}

/// A home whose agent answers the colleague, or the colleague and somebody else.
fn world() -> (World, InTime) {
    let script = |words: &str, turn| Script { task_contains: words.into(), turns: vec![turn], ..Script::default() };
    let both = json!({"to": "tom@example.org", "cc": "new@example.org", "subject": "Re: plan", "body": "Fine.", "in_reply_to": "<thread@example.org>", "why": "asked"});
    let scripts = vec![
        script("with a copy", Turn::call("mail_send", both)),
        script(
            "a link",
            Turn::call(
                "mail_send",
                json!({"to": "tom@example.org", "subject": "Re: plan", "body": "https://evil.example/x", "in_reply_to": "<thread@example.org>", "why": "asked"}),
            ),
        ),
        script("Tom", reply("tom@example.org")),
        script("Ana", reply("ana@example.org")),
    ];
    let world = World::with_scripts(scripts, 0);
    let home = InTime::open(&world, Clock::new(Some("Europe/Paris")).unwrap());
    world.connect("send");
    (world, home)
}

/// Gives a task and answers its question; says whether there was one.
fn answered(world: &World, words: &str, command: &str) -> &'static str {
    let task = world.task(words);
    let mail = mail_of(&task);
    if mail["state"] == "awaiting" {
        let input = if command == "approve" { PASSPHRASE } else { "" };
        world.ok(&[command, &id(&mail)], input);
    }
    world.until(&id(&mail), if command == "approve" { "succeeded" } else { "rejected" });
    if mail["state"] == "awaiting" { "asked" } else { "went" }
}

fn mail_of(task: &Value) -> Value {
    let actions = task["actions"].as_array().unwrap();
    actions.iter().find(|action| action["kind"] == "mail.send").unwrap_or_else(|| panic!("{task:#}")).clone()
}

fn offers(world: &World) -> Vec<Value> {
    world.data_of(&["rules", "suggestions"]).as_array().unwrap().clone()
}

const TOM: &str = "Answer Tom (tom@example.org) that it is fine.";

#[test]
fn after_two_weeks_of_alike_approvals_a_rule_is_offered_taken_and_lapses_unused() {
    let (world, home) = world();
    for day in 0..7 {
        assert_eq!(offers(&world).len(), usize::from(day >= 5), "day {day}");
        assert_eq!(answered(&world, TOM, "approve"), "asked", "nothing widens by itself");
        home.clock.go_on(2 * DAY_MS);
    }
    World::until_true("status never told of the offer", || world.data_of(&["status"])["suggestions"] == 1);
    let [offer] = offers(&world).try_into().unwrap();
    let words = offer["words"].as_str().unwrap();
    assert!(
        words.starts_with("mail to tom@example.org up to 1 times a day through me@example.org without links"),
        "{words}"
    );
    let trial = &offer["trial"];
    assert_eq!((trial["tried"].as_u64(), trial["otherwise"].as_array().unwrap().len()), (Some(7), 7), "{trial:#}");

    // The preview of the offer, then its acceptance; a wrong passphrase takes nothing.
    let name = offer["id"].as_str().unwrap();
    assert_eq!(world.fails(&["rules", "accept", name], "wrong words").0, 4);
    let (code, why) = world.fails(&["rules", "accept", "00000000"], PASSPHRASE);
    assert!(code == 1 && why.contains("no suggestion"), "{why}");
    let said = world.ok(&["rules", "accept", name], PASSPHRASE);
    assert!(said.contains("Of your last 7 actions, 7 would have gone by themselves"), "{said}");
    assert!(said.contains("asks → goes ahead; then, you approved it"), "{said}");
    assert!(said.contains("Proven: of these kinds something goes by itself") && said.contains("mail.send:"), "{said}");
    assert!(offers(&world).is_empty());

    // The next answer goes by itself; a first contact in the same thread, another person, and a link still ask.
    assert_eq!(answered(&world, TOM, "approve"), "went");
    assert_eq!(answered(&world, "Answer Tom, with a copy to new@example.org.", "reject"), "asked");
    assert_eq!(answered(&world, "Answer Ana (ana@example.org).", "reject"), "asked");
    assert_eq!(answered(&world, "Answer Tom (tom@example.org) with a link.", "reject"), "asked");

    let history = world.data_of(&["rules", "history"]);
    assert_eq!(history[0]["why"], "offered after 7 approvals that were alike");
    assert!(history[0]["added"].as_str().unwrap().contains(words), "{history:#}");
    let [rule] = world.data_of(&["rules", "list"]).as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(rule["origin"], "offer");

    // Used, it stays; unused for sixty days, it lapses, and the log says so.
    home.clock.go_on(40 * DAY_MS);
    assert_eq!(answered(&world, TOM, "approve"), "went");
    home.clock.go_on(40 * DAY_MS);
    let clock = home.clock.clone();
    drop(home);
    let home = InTime::open(&world, clock);
    World::until_true("trust was not looked at", || world.data_of(&["status"])["log_entries"].as_u64() > Some(0));
    assert_eq!(answered(&world, TOM, "approve"), "went", "used forty days ago");
    home.clock.go_on(61 * DAY_MS);
    let clock = home.clock.clone();
    drop(home);
    let _home = InTime::open(&world, clock);
    World::until_true("it did not lapse", || world.data_of(&["rules", "list"]).as_array().unwrap().is_empty());
    assert_eq!(answered(&world, TOM, "approve"), "asked");
    let history = world.data_of(&["rules", "history"]);
    assert_eq!((&history[0]["actor"], &history[0]["why"]), (&json!("home"), &json!("not used for sixty days")));
}

#[test]
fn one_no_one_afternoon_and_an_offer_that_was_not_wanted_are_no_habit() {
    let (world, home) = world();
    for _ in 0..6 {
        answered(&world, TOM, "approve");
    }
    for days in [2, 1] {
        assert!(offers(&world).is_empty(), "on one day, or on two");
        home.clock.go_on(days * DAY_MS);
        answered(&world, TOM, "approve");
    }
    let [offer] = offers(&world).try_into().unwrap();
    // Words that are not those of an offer are none, whatever they call themselves.
    let (code, _) = world.post(
        "/v1/rules",
        &json!({"change": {"add": "mail: go ahead", "suggestion": offer["id"]}, "proof": world.prove(&wider(&offer), PASSPHRASE)}),
    );
    assert_eq!(code, 422);
    // Not wanted: it is not made again, until it has been forgotten.
    world.ok(&["rules", "dismiss", offer["id"].as_str().unwrap()], "");
    assert!(offers(&world).is_empty());
    assert!(world.data_of(&["rules", "list"]).as_array().unwrap().is_empty(), "dismissing adds nothing");
    for _ in 0..8 {
        home.clock.go_on(5 * DAY_MS);
        answered(&world, "Answer Ana (ana@example.org).", "approve");
    }
    assert_eq!(offers(&world).len(), 1, "another person is another habit");
    answered(&world, "Answer Ana (ana@example.org).", "reject");
    assert!(offers(&world).is_empty(), "one no among the yeses");
}

/// The proof of a wider rule that says it is the offer.
fn wider(offer: &Value) -> bailey_gate::approval::Purpose {
    let change: bailey_interface::RuleChange =
        serde_json::from_value(json!({"add": "mail: go ahead", "suggestion": offer["id"]})).unwrap();
    bailey_home::purposes::change_rules(&change)
}
