//! `bailey rules`: what people say, what it is as Cedar, and what is told of what is neither.

use std::process::Output;

use serde_json::Value;

use crate::support;

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
