//! Several accounts of a kind: which one a task means, and which one a rule is about.

use bailey_scripted::Turn;
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, id};

fn connect(world: &World, address: &str) -> String {
    let sink = world.sink.address();
    let all = ["connect", "mail", address, "--no-tls", "--level", "send", "--submission", &sink, "--json"];
    let card: Value = serde_json::from_str(&world.ok(&all, PASSPHRASE)).unwrap();
    card["id"].as_str().unwrap().to_owned()
}

fn send(more: Value) -> Turn {
    let mut call = json!({"to": "ana@example.net", "subject": "Tuesday", "body": "Yes."});
    call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Turn::call("mail_send", call)
}

/// Who a waiting mail comes from, as the person is shown it.
fn from(world: &World) -> String {
    let card = world.waiting();
    let items = card["items"].as_array().unwrap();
    let from = items.iter().find(|item| item["label"] == "From").unwrap();
    world.ok(&["reject", &id(&card)], "");
    from["value"].as_str().unwrap().to_owned()
}

#[test]
fn several_accounts_are_chosen_by_words_then_by_default() {
    let mut world = World::bare(vec![send(json!({})), Turn::say("ok")], 0);
    world.serve();
    connect(&world, "me@example.org");
    let work = connect(&world, "work@example.org");
    world.task("write to ana@example.net");
    assert_eq!(from(&world), "me@example.org", "the first that may send");
    world.task("write to ana@example.net from work@example.org");
    assert_eq!(from(&world), "work@example.org", "the one the words name");
    let said = world.ok(&["connections", "--default", &work], "");
    assert!(said.contains("work@example.org") && said.contains("(default)"), "{said}");
    world.task("write to ana@example.net");
    assert_eq!(from(&world), "work@example.org", "the default");
    world.task("write to ana@example.net from me@example.org");
    assert_eq!(from(&world), "me@example.org", "words go before the default");
    world.ok(&["revoke", &work], "");
    world.task("write to ana@example.net");
    assert_eq!(from(&world), "me@example.org", "what was revoked is no default");
    assert_ne!(world.fails(&["connections", "--default", &work], "").0, 0);
}

#[test]
fn several_accounts_are_told_to_the_model_and_to_rules() {
    let mut world = World::bare(
        vec![
            send(json!({"account": "nobody@example.org"})),
            send(json!({"account": "Work@example.org"})),
            send(json!({"account": "me@example.org"})),
            Turn::say("ok"),
        ],
        0,
    );
    world.serve();
    connect(&world, "me@example.org");
    connect(&world, "work@example.org");
    world.ok(&["rules", "add", "mail to @example.net through work@example.org: go ahead"], PASSPHRASE);
    let task = world.task("write to ana@example.net");
    let raw = world.ok(&["context", "show", task["id"].as_str().unwrap(), "0", "--raw"], "");
    assert!(raw.contains(r#""enum":["me@example.org","work@example.org"]"#), "{raw}");
    let states: Vec<(&str, &str)> = task["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| (action["account"].as_str().unwrap_or_default(), action["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states.len(), 2, "an account that is none makes no action: {task:#}");
    assert_eq!(states.iter().map(|(_, state)| *state).collect::<Vec<_>>(), ["succeeded", "awaiting"], "{task:#}");
    assert_eq!(world.sink.arrived().len(), 1);
}
