//! The approval passphrase, set anew: by the one before, and where that is forgotten, by a code that a passkey makes.

use std::fs;

use bailey_scripted::Turn;
use serde_json::json;

use crate::dashboard::{at, axe, picture, world};
use crate::support::{PASSPHRASE, id, send};

const SECOND: &str = "the second passphrase";
const THIRD: &str = "the third passphrase";

#[test]
fn a_new_passphrase_is_set_by_the_one_before_or_a_code_and_the_one_before_counts_no_more() {
    let (mut world, browser) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    assert_eq!(world.fails(&["passphrase"], &format!("not the words\n{SECOND}")).0, 4);
    let (_, said) = world.fails(&["passphrase"], &format!("{PASSPHRASE}\nshort"));
    assert!(said.contains("at least 8 characters"), "{said}");
    world.ok(&["passphrase"], &format!("{PASSPHRASE}\n{SECOND}"));
    assert_eq!(world.fails(&["dashboard"], PASSPHRASE).0, 4, "the one before counts no more");
    world.ok(&["dashboard"], SECOND);
    // Forgotten: a touch makes a code, which counts once, on a terminal.
    browser.open(&at(&world, "/settings"));
    browser.click("form[data-to='/passphrase-code'] button");
    browser.until("return !!document.querySelector('#codes li')");
    let code = browser.run("return document.querySelector('#codes li').textContent");
    let code = code.as_str().unwrap();
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "passphrase-code");
    assert_eq!(world.fails(&["passphrase", "--code"], &format!("{code}x\n{THIRD}")).0, 4);
    world.ok(&["passphrase", "--code"], &format!("{code}\n{THIRD}"));
    assert_eq!(world.fails(&["passphrase", "--code"], &format!("{code}\n{SECOND}")).0, 4, "a code counts once");
    for before in [PASSPHRASE, SECOND] {
        assert_eq!(world.fails(&["dashboard"], before).0, 4);
    }
    browser.open(&at(&world, "/talk"));
    browser.until_says("A new approval passphrase was set");
    world.restart();
    assert_eq!(world.fails(&["dashboard"], SECOND).0, 4);
    world.task("write to ana@example.org");
    let card = world.waiting();
    world.ok(&["approve"], THIRD);
    world.until(&id(&card), "succeeded");
    // The log alone shows whose word each was: what introduced the second was said by the first.
    let file = world.folder.path().join("log");
    fs::write(&file, world.ok(&["log", "export", "-", "--readable"], THIRD)).unwrap();
    let (code, words) = crate::evidence::verifier(&file, None);
    assert!(code == 10 && words.contains("approvals checked") && !words.contains("without evidence"), "{words}");
    assert_eq!(browser.log(), [""; 0]);
}
