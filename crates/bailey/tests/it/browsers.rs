//! Browsers at the home's interface: who is let in, and what a session may and may not. The browser here is a double (`passkeys.rs`);
//! real ones play in `dashboard.rs`. What is refused at every route and page is in `denials.rs`.

use bailey_home::purposes;
use bailey_scripted::Turn;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::passkeys::{Browser, From, let_in, link};
use crate::support::{PASSPHRASE, World, copy_folder, id, send};

#[test]
fn a_link_lets_one_browser_in_once_and_its_passkey_approves_exactly_what_was_shown() {
    let (world, browser) = let_in(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    world.task("write to ana");
    let card = world.waiting();
    let shown = json!([{"id": card["id"], "digest": card["digest"]}]);
    let approve =
        |proof: &Value| browser.ask("POST", "/v1/approvals/approve", &json!({"shown": shown, "proof": proof}));
    // For something else, for another digest, without the person, a second time: none counts.
    let other = json!([{"id": card["id"], "digest": "00".repeat(32)}]);
    assert_eq!(approve(&browser.prove(&json!({"path": "/v1/home/delete"}))).0, 403, "for another purpose");
    assert_eq!(
        approve(&browser.prove(&json!({"path": "/v1/approvals/approve", "body": {"shown": other}}))).0,
        403,
        "for other bytes"
    );
    let mut untouched = browser.prove(&json!({"path": "/v1/approvals/approve", "body": {"shown": shown}}));
    let mut data = STANDARD.decode(untouched["assertion"]["authenticator_data"].as_str().unwrap()).unwrap();
    data[32] = 0x01;
    untouched["assertion"]["authenticator_data"] = STANDARD.encode(&data).into();
    assert_eq!(approve(&untouched).0, 403, "flags that nobody signed");
    assert!(world.sink.arrived().is_empty());
    let right = browser.prove(&json!({"path": "/v1/approvals/approve", "body": {"shown": shown}}));
    assert_eq!(approve(&right).0, 200);
    assert_eq!(approve(&right).0, 403, "used");
    world.until(&id(&card), "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
    let entries = world.get("/v1/log?limit=200");
    let approved = entries.as_array().unwrap().iter().find(|entry| entry["header"]["to"] == "approved").unwrap();
    assert_eq!(approved["header"]["approver"]["client"], "dashboard");
    let listed = browser.ask("GET", "/v1/sessions", &Value::Null).1;
    assert_eq!(approved["header"]["approver"]["session"], listed[0]["id"]);
    assert_eq!(listed[0]["is_this"], true);
    let (code, _) = world.fails(&["log", "verify"], "");
    assert_eq!(code, 10, "consistent, and no checkpoint is pinned");
}

#[test]
fn a_link_that_was_used_or_never_made_lets_nobody_in() {
    let world = World::with_dashboard(vec![]);
    let token = link(&world);
    let mut first = Browser::new(&world, "first");
    assert_eq!(first.claim("AAAAAAAAAAAAAAAAAAAAAA").0, 403);
    // A page from elsewhere that knows the link, too.
    let elsewhere = From { origin: Some("http://evil.example".into()), site: Some("same-origin") };
    let body = json!({"token": token}).to_string();
    assert_eq!(first.request(&elsewhere, "POST", "/v1/browsers/options", &body, "").0, 403);
    assert_eq!(first.claim(&token).0, 200);
    let mut second = Browser::new(&world, "second");
    let (status, refused) = second.claim(&token);
    assert_eq!(status, 403);
    assert!(refused["message"].as_str().unwrap().contains("bailey dashboard"), "{refused}");
    // The passphrase alone makes one.
    let (_, said) = world.fails(&["dashboard"], "wrong words");
    assert!(said.contains("passphrase is wrong"), "{said}");
    let proof = world.prove(&purposes::sign_in(), PASSPHRASE);
    assert_eq!(world.post("/v1/browsers/link", &json!({"proof": proof})).0, 403, "leave to something else");
}

#[test]
fn an_ended_passkey_ends_its_sessions_and_approves_nothing() {
    let (world, first) = let_in(vec![]);
    let mut second = Browser::new(&world, "second");
    // The first lets the second in.
    let proof = first.prove(&json!({"path": "/v1/browsers/link"}));
    let (status, link) = first.ask("POST", "/v1/browsers/link", &json!({"proof": proof}));
    assert_eq!(status, 200, "{link}");
    let (status, claimed) = second.claim(link["token"].as_str().unwrap());
    assert_eq!((status, &claimed["recovery_codes"]), (200, &json!([])));
    let passkeys = first.ask("GET", "/v1/passkeys", &Value::Null).1;
    let of_second = passkeys[1]["id"].as_str().unwrap();
    let before = second.ask("POST", "/v1/challenge/passkey", &json!({"path": "/v1/log/export-readable"})).1;
    let proof = first.prove(&json!({"path": format!("/v1/passkeys/{of_second}/end")}));
    let path = format!("/v1/passkeys/{of_second}/end");
    assert_eq!(first.ask("POST", &path, &json!({"proof": proof})).0, 200);
    assert_eq!(second.ask("GET", "/v1/status", &Value::Null).0, 401);
    assert_eq!(second.sign_in().0, 403);
    // Nor by an answer to a question of before, whoever brings it.
    let late = json!({"proof": second.touch(&before)});
    assert_eq!(first.ask("POST", "/v1/log/export-readable", &late).0, 403);
    assert_eq!(first.ask("GET", "/v1/status", &Value::Null).0, 200, "the other stands");
}

#[test]
fn a_recovery_code_lets_one_browser_in_once() {
    let world = World::with_dashboard(vec![]);
    let mut first = Browser::new(&world, "first");
    let (_, claimed) = first.claim(&link(&world));
    let code = claimed["recovery_codes"][0].as_str().unwrap();
    let mut lost = Browser::new(&world, "another");
    let recover = |browser: &Browser, code: &str| browser.ask("POST", "/v1/browsers/recover", &json!({"code": code}));
    assert_eq!(recover(&lost, "0000-0000-0000-0000").0, 403);
    let (status, link) = recover(&lost, &code.to_uppercase().replace('-', " "));
    assert_eq!(status, 200, "{link}");
    assert_eq!(lost.claim(link["token"].as_str().unwrap()).0, 200);
    assert_eq!(recover(&lost, code).0, 403, "used");
    assert_eq!(lost.ask("GET", "/v1/recovery-codes", &Value::Null).1["left"], 9);
    let made: Value = serde_json::from_str(&world.ok(&["passkey", "codes", "--json"], PASSPHRASE)).unwrap();
    assert_eq!(made["codes"].as_array().unwrap().len(), 10);
    assert_eq!(recover(&lost, claimed["recovery_codes"][1].as_str().unwrap()).0, 403, "of before");
}

#[test]
fn an_older_copy_revives_no_passkey_and_no_session() {
    let (mut world, mut browser) = let_in(vec![]);
    let (home, copy) = (world.data().join("home"), world.folder.path().join("copy"));
    world.kill();
    copy_folder(&home, &copy);
    world.serve();
    let passkeys: Value = serde_json::from_str(&world.ok(&["passkey", "list", "--json"], "")).unwrap();
    world.ok(&["passkey", "end", passkeys["passkeys"][0]["id"].as_str().unwrap()], PASSPHRASE);
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401);
    world.kill();
    std::fs::remove_dir_all(&home).unwrap();
    copy_folder(&copy, &home);
    world.serve();
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401, "its session is over");
    assert_eq!(browser.sign_in().0, 403, "its passkey does not count");
    // The person says which stand again, by the passphrase.
    let said = world.ok(&["passkey", "confirm"], PASSPHRASE);
    assert!(said.contains("1 passkey(s) count again"), "{said}");
    assert_eq!(browser.sign_in().0, 200);
}

#[test]
fn sessions_survive_a_restart_and_end_all_at_once() {
    let (mut world, mut browser) = let_in(vec![]);
    let before = browser.cookie.clone();
    assert_eq!(browser.sign_in().0, 200);
    assert_ne!(browser.cookie, before, "a session of its own");
    world.restart();
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 200);
    world.ok(&["passkey", "sign-out"], "");
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401);
    browser.cookie = before;
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401);
}
