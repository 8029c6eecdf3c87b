//! Signing in where servers are not as the standards say, and sign-ins that end. The authorization server is the certified one;
//! what others do differently is a double before it (`xtask/peers/quirks.mjs`).

use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::peers;

use crate::support::{Account, PASSPHRASE};

/// Seconds a token lives that has to be renewed before every use.
const SOON: u32 = 15;

fn look() -> Turn {
    Turn::call("mail_search", json!({}))
}

fn succeeded(task: &Value) {
    assert_eq!(task["actions"][0]["state"], "succeeded", "{task:#}");
}

#[test]
fn servers_that_differ_from_the_standards_sign_in_and_renew() {
    let account = Account::new(vec![look(), Turn::say("ok")], SOON);
    for quirks in [json!({"metadata": "rfc8414", "answers": "text"}), json!({"answers": "form"})] {
        account.issuer.differ(&quirks).unwrap();
        let output = account.sign_in("read-only", |url| url);
        assert!(output.status.success(), "{quirks}: {}", String::from_utf8_lossy(&output.stderr));
        let card: Value = serde_json::from_slice(&output.stdout).unwrap();
        let before = account.issuer.issued().unwrap().len();
        succeeded(&account.world.task("look at my mail"));
        assert!(account.issuer.issued().unwrap().len() > before, "{quirks}: it was not renewed");
        account.world.ok(&["revoke", card["id"].as_str().unwrap()], "");
    }
}

#[test]
fn a_bad_minute_of_the_provider_costs_nothing_while_a_token_holds() {
    let account = Account::new(vec![look(), Turn::say("ok")], 300);
    let output = account.sign_in("read-only", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    account.issuer.differ(&json!({"busy": 1_000})).unwrap();
    let issued = account.issuer.issued().unwrap().len();
    succeeded(&account.world.task("look at my mail"));
    assert_eq!(account.issuer.issued().unwrap().len(), issued, "the first token was used");
    account.issuer.differ(&json!({})).unwrap();
    succeeded(&account.world.task("look at my mail again"));
    assert!(account.issuer.issued().unwrap().len() > issued, "it is renewed once the provider can");
    assert_eq!(account.world.data_of(&["connections"])[0]["sign_in"], "");
}

#[test]
fn a_sign_in_that_is_over_is_told_everywhere_and_by_the_task_that_needed_it() {
    let account = Account::new(vec![look(), Turn::say("I could not look.")], SOON);
    let world = &account.world;
    let output = account.sign_in("read-only", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    succeeded(&world.task("look at my mail"));
    account.issuer.remove_access(peers::ACCOUNT).unwrap();

    let task = world.task("look at my mail");
    let told = task["actions"].as_array().unwrap().iter().find(|action| action["kind"] == "reply").unwrap();
    let words =
        format!("Sign in again: the provider renews the sign-in of `{}` no more (invalid_grant)", peers::ACCOUNT);
    assert!(told["body"].as_str().unwrap().contains(&words), "{task:#}");
    let connections = world.data_of(&["connections"]);
    assert!(connections[0]["sign_in"].as_str().unwrap().starts_with("sign in again"), "{connections:#}");
    let status = world.data_of(&["status"]);
    assert!(status["notices"].to_string().contains(&words), "{status:#}");
    let doctor = world.bailey(&["doctor"]).output().unwrap();
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("Sign in again"), "{doctor:?}");
    let log = world.data_of(&["log", "list", "--limit", "500"]);
    let over = log.as_array().unwrap().iter().filter(|entry| entry["payload"]["sign_in"] == "over");
    assert_eq!(over.count(), 1, "once, however often it is tried");

    // Signed in again, and the old one ended, nothing is said any more.
    let old = connections[0]["id"].as_str().unwrap();
    world.ok(&["revoke", old], "");
    let output = account.sign_in("read-only", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    succeeded(&world.task("look at my mail"));
    assert_eq!(world.data_of(&["status"])["notices"], json!([]));
}

#[test]
fn a_first_sign_in_is_not_told_that_a_password_was_taken_back() {
    let account = Account::new(vec![], 300);
    let arguments = account.arguments("read-only", &["--app-password"]);
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (_, said) = account.world.fails(&words, &format!("{PASSPHRASE}\nnot-the-password"));
    assert!(said.contains("check who signs in and the password") && !said.contains("taken back"), "{said}");
}
