//! `bailey rules`: what people say, what it is as Cedar, and what is told of what is neither.

use std::process::Output;

use bailey_scripted::Turn;
use serde_json::Value;

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
        "mail outside my organisation: ask\n    forbid (principal, action in [Action::\"mail.send\"], resource)",
        "    when { context.outside > 0 }\n    unless { context.approved };",
        "mail to a first contact: ask\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let json = rules(&["check", "--json", "payments over 50: never"]);
    let all: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(all[0]["words"], "payments over 50: never");
    assert!(all[0]["cedar"].as_str().unwrap().contains("context.amount > 5000"), "{all}");
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
    assert!(world.ok(&["rules", "careful"], "").contains("no rules"));
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
    let cedar = "@id(\"night\") @says(\"Nothing to strangers.\") forbid (principal, action, resource) when { context.unknownReceivers > 3 };";
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
    world.ok(&["rules", "careful"], "");
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
    world.ok(&["rules", "careful"], "");
    world.kill();
    std::fs::remove_dir_all(&home).unwrap();
    support::copy_folder(&older, &home);
    world.serve();
    let rules = world.data_of(&["rules", "list"]);
    let words: Vec<&str> = rules.as_array().unwrap().iter().map(|rule| rule["words"].as_str().unwrap()).collect();
    assert_eq!(words, ["payments: never"], "what forbids stays");
}
