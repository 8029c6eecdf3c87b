//! `bailey rules`: what people say, what it is as Cedar, and what is told of what is neither.

use std::process::Output;

use bailey_scripted::Turn;
use serde_json::{Value, json};

use crate::support::{self, PASSPHRASE, World, id, send};

fn rules(arguments: &[&str]) -> Output {
    let mut command = support::command(env!("CARGO_BIN_EXE_bailey"));
    command.arg("rules").args(arguments).output().unwrap()
}

#[test]
fn a_rule_in_words_is_shown_as_it_is_kept_and_as_cedar() {
    let output = rules(&["check", "mail inside my organisation: go ahead; outside: ask; first contact: always ask"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for part in [
        "mail inside my organisation: go ahead\n    permit (principal, action in [Action::\"mail.send\"], resource)",
        "mail outside my organisation: ask\n    forbid (principal, action, resource)",
        "    when { context.isMail && context.outside > 0 }\n    unless { context.approved };",
        "mail to a first contact: ask\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let json = rules(&["check", "--json", "payments over 50: never"]);
    let all: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(all[0]["words"], "payments over 50: never");
    assert!(all[0]["cedar"].as_str().unwrap().contains("context.amount > 5000"), "{all}");
    let group = rules(&["check", "mail to the group board: go ahead"]);
    let said = String::from_utf8(group.stdout).unwrap();
    assert!(said.contains("[\"(whoever is in the group board)\"].containsAll(context.names)"), "{said}");
}

#[test]
fn what_is_no_rule_is_pointed_at() {
    let output = rules(&["check", "mail to ana: ask"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("at character 9: `ana` is not understood"), "{said}");
    assert!(said.contains("  mail to ana: ask\n          ^"), "{said}");
    let output = rules(&["check", "mail \u{1b}[2J: ask"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn the_shipped_profiles_are_rules_anyone_can_read_and_check() {
    for name in ["careful", "balanced", "trusting"] {
        let text = String::from_utf8(rules(&["profile", name]).stdout).unwrap();
        assert!(text.starts_with('#'), "{text}");
        let output = rules(&["check", &text]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(rules(&["profile", "reckless"]).status.code(), Some(2));
}

/// What a rule lets go goes by itself; what it does not, asks; changing rules takes the person; a restart keeps them.
#[test]
fn a_rule_lets_go_what_it_says_and_only_the_person_can_make_it() {
    let mut world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    let rule = "mail to @example.org: go ahead";
    let (code, why) = world.fails(&["rules", "add", rule], "wrong words");
    assert_eq!(code, 4, "{why}");
    world.task("write to ana@example.org");
    assert_eq!(world.approvals().len(), 1);
    let kept = world.ok(&["rules", "add", rule], PASSPHRASE);
    assert!(kept.contains("rule.1") && kept.contains(rule), "{kept}");
    world.ok(&["reject", &id(&world.waiting())], "");

    let goes = |world: &World| {
        let task = world.task("write to ana@example.org");
        let action = task["actions"].as_array().unwrap().iter().find(|action| action["kind"] == "mail.send").unwrap();
        action["state"].as_str().unwrap().to_owned()
    };
    assert_ne!(goes(&world), "awaiting");
    World::until_true("it was not sent", || world.sink.arrived().len() == 1);
    world.kill();
    world.serve();
    assert_eq!(world.data_of(&["rules", "list"])[0]["words"], rule);
    assert_ne!(goes(&world), "awaiting", "a restart keeps the rules");

    // One click back needs no proof.
    assert!(world.ok(&["rules", "lockdown"], "").contains("no rules"));
    assert_eq!(goes(&world), "awaiting");
    // The log has it all.
    let log = world.data_of(&["log", "list", "--limit", "500"]);
    let kinds = log.as_array().unwrap().iter().filter(|entry| entry["header"]["kind"] == "rules").count();
    assert_eq!(kinds, 2, "{log:#}");
}

#[test]
fn forbids_win_profiles_replace_each_other_and_what_is_no_rule_changes_nothing() {
    let world = World::new(vec![]);
    let list = || {
        let all = world.data_of(&["rules", "list"]);
        all.as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    world.ok(&["rules", "use", "balanced"], PASSPHRASE);
    assert_eq!(list().len(), 5);
    world.ok(&["rules", "add", "payments: never; mail more than 20 a day: ask"], PASSPHRASE);
    world.ok(&["rules", "use", "trusting"], PASSPHRASE);
    assert_eq!(list(), ["rule.1", "rule.2", "trusting.1", "trusting.2", "trusting.3", "trusting.4"]);
    let cedar = "@id(\"night\") @says(\"Nothing to strangers.\") forbid (principal, action, resource) when { context.unknownRecipients > 3 };";
    world.ok(&["rules", "add", "--cedar", cedar], PASSPHRASE);
    assert!(list().contains(&"night".to_owned()));
    for (bad, why) in [
        (vec!["rules", "add", "letters: ask"], "is not understood"),
        (vec!["rules", "add", "# nothing"], "nothing was changed"),
        (vec!["rules", "add", "--cedar", cedar], "already"),
        (vec!["rules", "add", "--cedar", "permit (principal, action, resource);"], "no @id"),
        (
            vec![
                "rules",
                "add",
                "--cedar",
                "@id(\"x\") forbid (principal, action, resource) when { context.amount + 1 > 2 };",
            ],
            "overflow",
        ),
        (vec!["rules", "add", "--cedar", "@id(\"floor.x\") permit (principal, action, resource);"], "shipped"),
        (vec!["rules", "remove", "rule.9"], "there is no rule"),
        (vec!["rules", "organisation", "not a domain"], "is no domain"),
    ] {
        let (_, said) = world.fails(&bad, PASSPHRASE);
        assert!(said.contains(why), "{bad:?}: {said}");
    }
    assert_eq!(list().len(), 7);
    world.ok(&["rules", "lockdown"], "");
    // What forbids or asks stays.
    assert_eq!(list(), ["rule.1", "rule.2", "trusting.3", "night"]);
    world.ok(&["rules", "remove", "rule.1", "night"], PASSPHRASE);
    world.ok(&["rules", "organisation", "Example.org", "@b.example"], PASSPHRASE);
    assert!(!list().contains(&"rule.1".to_owned()));
}

/// A rule that was dropped stays dropped, whatever copy of the home is put back.
#[test]
fn an_older_copy_revives_no_rule_that_lets_anything_go() {
    let mut world = World::new(vec![]);
    world.ok(&["rules", "add", "mail to @example.org: go ahead; payments: never"], PASSPHRASE);
    world.kill();
    let (home, older) = (world.data().join("home"), world.folder.path().join("older"));
    support::copy_folder(&home, &older);
    world.serve();
    world.ok(&["rules", "lockdown"], "");
    world.kill();
    std::fs::remove_dir_all(&home).unwrap();
    support::copy_folder(&older, &home);
    world.serve();
    let rules = world.data_of(&["rules", "list"]);
    let words: Vec<&str> = rules.as_array().unwrap().iter().map(|rule| rule["words"].as_str().unwrap()).collect();
    assert_eq!(words, ["payments: never"], "what forbids stays");
}

/// What a rule would have done is shown before it is made, in the terms of what happened; nothing is changed by looking.
#[test]
fn a_rule_is_tried_on_what_was_before_it_is_made() {
    let world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    world.task("write to ana@example.org");
    world.ok(&["reject", &id(&world.waiting())], "");
    world.task("write to ana@example.org");
    world.ok(&["approve", &id(&world.waiting())], PASSPHRASE);
    let words = "mail to @example.org: go ahead";
    let trial = world.data_of(&["rules", "test", words]);
    let told = |trial: &Value| {
        let all = trial["otherwise"].as_array().unwrap();
        let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
        all.iter().map(|one| (text(one, "before"), text(one, "after"), text(one, "answered"))).collect::<Vec<_>>()
    };
    let one = |before: &str, after: &str, answered: &str| (before.to_owned(), after.to_owned(), answered.to_owned());
    assert_eq!(trial["tried"], 2);
    assert_eq!(told(&trial), [one("ask", "auto", "you approved it"), one("ask", "auto", "you refused it")]);
    assert!(world.data_of(&["rules", "list"]).as_array().unwrap().is_empty(), "looking changes nothing");
    let said = world.ok(&["rules", "test", "mail: never"], "");
    assert!(said.contains("Of your last 2 actions, 0 would have gone by themselves that did not"), "{said}");
    assert!(said.contains("2 would not have happened"), "{said}");
    let said = world.ok(&["rules", "add", words], PASSPHRASE);
    assert!(said.contains("2 would have gone by themselves") && said.contains("you refused it"), "{said}");

    // The other way round, and what is proven over all there could be.
    let trial = world.data_of(&["rules", "test", "--remove", "rule.1"]);
    assert_eq!(told(&trial), [one("auto", "ask", "you approved it"), one("auto", "ask", "you refused it")]);
    let diff = world.data_of(&["rules", "diff", "payments up to 5: go ahead"]);
    assert_eq!(diff["newly_automatic"][0]["kind"], "tool.pay", "{diff:#}");
    assert_eq!(diff["newly_automatic"].as_array().unwrap().len(), 1);
    let diff = world.data_of(&["rules", "diff", "mail with links: ask"]);
    assert_eq!((&diff["newly_automatic"], &diff["missing"]), (&serde_json::json!([]), &Value::Null));
    let all = world.data_of(&["rules", "analyse"]);
    let of = |kind: &str| all["unattended"].as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap().clone();
    assert_eq!(
        (&of("mail.send")["by"], &of("tool.pay")["by"]),
        (&serde_json::json!(["rule.1"]), &serde_json::json!([]))
    );
    assert_eq!((&all["without_effect"], &all["can_err"]), (&serde_json::json!([]), &serde_json::json!([])));
    let said = world.ok(&["rules", "analyse"], "");
    assert!(said.contains("rule.1: mail to @example.org: go ahead") && said.contains("No rule can err."), "{said}");
}

/// Without the solver, the trial is shown all the same, and what is missing is said.
#[test]
fn without_the_solver_what_is_missing_is_said() {
    let world = World::new(vec![]);
    let mut command = world.bailey(&["rules", "diff", "payments up to 5: go ahead"]);
    let output = command.env("PATH", "/nonexistent").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        said.contains("Of your last 0 actions") && said.contains("Not proven: the solver `cvc5` is not installed"),
        "{said}"
    );
    let output = world.bailey(&["rules", "analyse"]).env("PATH", "/nonexistent").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("apt install cvc5"));
}

#[test]
fn why_it_was_decided_is_told_and_what_would_be_now() {
    let world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    world.task("write to ana@example.org");
    let action = id(&world.waiting());
    let why = world.data_of(&["rules", "explain", &action]);
    assert_eq!((&why["decision"], &why["now"]), (&serde_json::json!("ask"), &serde_json::json!("ask")));
    assert_eq!(why["reasons"][0]["label"], "default.asks-first");
    let facts = why["facts"].as_array().unwrap();
    let fact = |name: &str| facts.iter().find(|fact| fact["label"] == name).map(|fact| fact["value"].as_str().unwrap());
    assert_eq!(
        (fact("names"), fact("account"), fact("unknownRecipients")),
        (Some("ana@example.org"), Some("me@example.org"), Some("1"))
    );
    assert_eq!(fact("untrustedRead"), None);
    world.ok(&["rules", "add", "mail: go ahead"], PASSPHRASE);
    let said = world.ok(&["rules", "explain", &action], "");
    assert!(said.contains("Decided: asks") && said.contains("By the rules of now: goes ahead"), "{said}");
    assert!(world.fails(&["rules", "explain", "00000000000000000000000000000000"], "").1.contains("no action"));
}

/// A group is a name for addresses; who joins it is let go by the rules that speak of it, so changing it takes the person.
#[test]
fn a_group_changes_the_rules_that_speak_of_it() {
    let world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    let rule = "mail to the group board: go ahead";
    let (_, why) = world.fails(&["rules", "add", rule], PASSPHRASE);
    assert!(why.contains("nobody in the group `board`"), "{why}");
    world.ok(&["rules", "group", "board", "Tom@example.org"], PASSPHRASE);
    world.ok(&["rules", "add", rule], PASSPHRASE);
    let state = |world: &World| {
        let task = world.task("write to ana@example.org");
        task["actions"].as_array().unwrap().iter().find(|one| one["kind"] == "mail.send").unwrap()["state"].clone()
    };
    assert_eq!(state(&world), "awaiting");
    assert_eq!(world.fails(&["rules", "group", "board", "ana@example.org"], "wrong").0, 4);
    let trial = world.ok(&["rules", "group", "board", "ana@example.org", "tom@example.org"], PASSPHRASE);
    assert!(trial.contains("1 would have gone by themselves"), "{trial}");
    assert_ne!(state(&world), "awaiting");
    let (_, why) = world.fails(&["rules", "group", "board"], PASSPHRASE);
    assert!(why.contains("nobody in the group"), "a rule speaks of it still: {why}");
    assert!(world.fails(&["rules", "group", "board", "not an address"], PASSPHRASE).1.contains("no address"));
    let history = world.data_of(&["rules", "history"]);
    assert_eq!(history[0]["group"], "board: ana@example.org, tom@example.org");
    assert!(history[0]["added"].as_str().unwrap().contains(rule), "{history:#}");
}

/// Damaged rules are not taken for none: everything asks, and the person is told.
#[test]
fn rules_that_cannot_be_read_make_everything_ask() {
    let mut world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    world.ok(&["rules", "add", "mail: go ahead; payments: never"], PASSPHRASE);
    world.kill();
    support::damage_rules(&world.data());
    world.serve();
    let notices = world.data_of(&["status"])["notices"].to_string();
    assert!(notices.contains("rules could not be read") && notices.contains("everything asks"), "{notices}");
    world.task("write to ana@example.org");
    assert_eq!(world.approvals().len(), 1);
    assert!(world.fails(&["rules", "lockdown"], "").1.contains("damaged"));
}

#[test]
fn our_own_tools_are_described_as_those_of_others_are() {
    let mut command = support::command(env!("CARGO_BIN_EXE_bailey"));
    let output = command.args(["tools", "--json"]).output().unwrap();
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all["mail_send"]["sinks"]["bcc"], "email");
    assert_eq!(all["memory_read"]["effect"], "read");
    let text = String::from_utf8(support::command(env!("CARGO_BIN_EXE_bailey")).arg("tools").output().unwrap().stdout);
    assert!(text.unwrap().contains("mail_trash       Move one mail to the trash."));
}

/// What a request without end, or rules that are no rules, can do to a home: nothing.
#[test]
fn rules_without_end_end_nothing() {
    let world = World::new(vec![]);
    let deep = |open: &str, close: &str, count: usize| {
        let inner = format!("{}context.undo{}", open.repeat(count), close.repeat(count));
        serde_json::json!({"cedar": format!("@id(\"d\") permit (principal, action, resource) when {{ {inner} }};")})
    };
    for change in [
        deep("(", ")", 1_500),
        deep("context.undo && ", "", 15_000),
        deep("[", "]", 5_000),
        serde_json::json!({"add": format!("mail{}: ask", " to me".repeat(2_000))}),
        serde_json::json!({"add": "mail: ask;".repeat(40_000)}),
    ] {
        let (code, said) = world.post("/v1/rules/try", &change);
        assert_eq!(code, 422, "{said:#}");
    }
    assert_eq!(world.data_of(&["status"])["mode"], "open");
    let (_, why) = world.fails(&["rules", "check", &format!("mail{}: ask", " to me".repeat(20_000))], "");
    assert!(why.contains("at most"), "{}", &why[..200]);
}

/// What is written in Cedar is shown as what it is, says where it is wrong, and is not rewritten by its own words.
#[test]
fn cedar_is_shown_and_kept_as_it_was_written() {
    let world = World::new(vec![]);
    let lies = "@id(\"mine\") @says(\"mail to the group board: go ahead\") permit (principal, action == Action::\"mail.send\", resource)\nwhen { context.attended && context.names == [\"ana@example.org\"] };";
    world.ok(&["rules", "group", "board", "tom@example.org"], PASSPHRASE);
    let said = world.ok(&["rules", "add", "--cedar", lies], PASSPHRASE);
    assert!(said.contains("(in Cedar) mail to the group board") && said.contains("permit (principal"), "{said}");
    world.ok(&["rules", "group", "board", "ana@example.org"], PASSPHRASE);
    let rules = world.data_of(&["rules", "list"]);
    assert!(rules[0]["cedar"].as_str().unwrap().contains("context.attended"), "{rules:#}");
    let broken = "@id(\"x\") permit (principal, action, resource)\nwhen { context.undo &&& true };";
    let (_, why) = world.fails(&["rules", "check", "--cedar", broken], "");
    assert!(why.contains("in line 2, at character 23") && why.contains('^'), "{why}");
    let (_, why) = world.fails(
        &["rules", "check", "--cedar", "@id(\"x\") permit (principal, action, resource) when { context.aproved };"],
        "",
    );
    assert!(why.matches("aproved").count() < 4, "{why}");
    for reserved in ["balanced.1", "possible.counts", "offer", "rule.7"] {
        let cedar = format!("@id(\"{reserved}\") forbid (principal, action, resource) when {{ context.undo }};");
        let (_, why) = world.fails(&["rules", "add", "--cedar", &cedar], PASSPHRASE);
        assert!(why.contains("are not for rules in Cedar"), "{reserved}: {why}");
    }
}

/// Whose domains are the person's organisation decides what goes: so that is shown before, too.
#[test]
fn another_organisation_is_tried_before_it_is_taken() {
    let world = World::new(vec![send("zoe@bad.example", "1", "one"), Turn::say("ok")]);
    world.ok(&["rules", "add", "mail inside my organisation: go ahead"], PASSPHRASE);
    world.task("write to zoe@bad.example");
    let said = world.ok(&["rules", "organisation", "bad.example"], PASSPHRASE);
    assert!(said.contains("Of your last 1 actions, 1 would have gone by themselves"), "{said}");
}

/// Who or what began a task is told by the home, and a rule can speak of it.
#[test]
fn origin_of_a_task_is_kept_and_rules_can_speak_of_it() {
    let world = World::new(vec![
        Turn::call("mail_send", json!({"to": "ana@example.net", "subject": "s", "body": "b"})),
        Turn::say("ok"),
    ]);
    world.ok(&["rules", "add", "mail begun by another agent: never; mail begun by me: go ahead"], PASSPHRASE);
    let state = |card: &Value| {
        let all = card["actions"].as_array().unwrap();
        all.iter().find(|action| action["kind"] == "mail.send").unwrap()["state"].clone()
    };
    let mine = world.task("write to ana@example.net");
    assert_eq!((mine["origin"].as_str().unwrap(), state(&mine)), ("person", json!("succeeded")), "{mine:#}");
    let (status, begun) =
        world.post("/v1/tasks", &json!({"words": "write to ana@example.net, soon", "origin": "agent"}));
    assert_eq!(status, 200, "{begun:#}");
    let path = format!("/v1/tasks/{}", begun["id"].as_str().unwrap());
    World::until_true("the task never ended", || world.get(&path)["state"] != "running");
    let others = world.get(&path);
    assert_eq!((others["origin"].as_str().unwrap(), state(&others)), ("agent", json!("denied")), "{others:#}");
    for origin in ["schedule", "trigger", "nobody", ""] {
        let (status, why) = world.post("/v1/tasks", &json!({"words": "x", "origin": origin}));
        assert_eq!((status, why["code"].as_str().unwrap()), (422, "invalid"), "{origin}: {why:#}");
    }
    let log = world.ok(&["show", begun["id"].as_str().unwrap()], "");
    assert!(log.contains("begun by: agent"), "{log}");
}
