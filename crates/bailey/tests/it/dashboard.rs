//! The dashboard, in a real browser against the real home: what a person sees, touches and gets.

use std::path::PathBuf;

use bailey_scripted::Turn;
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, id, send};
use crate::webdriver::Browser;

/// Width and height of a telephone and of a desk, in CSS pixels.
const PHONE: (u32, u32) = (390, 844);
const DESK: (u32, u32) = (1_280, 900);

/// Where the dashboard is.
fn at(world: &World, path: &str) -> String {
    let port = world.gateway().rsplit_once(':').unwrap().1.to_owned();
    format!("http://bailey.localhost:{port}{path}")
}

/// Keeps a picture of every look of a page, where somebody wants them (`cargo xtask tour`).
fn picture(browser: &Browser, name: &str) {
    let Ok(folder) = std::env::var("BAILEY_PICTURES") else { return };
    let folder = PathBuf::from(folder);
    for (width, height, on) in [(PHONE.0, PHONE.1, "phone"), (DESK.0, DESK.1, "desk")] {
        for dark in [false, true] {
            browser.look(width, height, dark);
            let look = if dark { "dark" } else { "light" };
            browser.picture(&folder.join(format!("{name}-{on}-{look}.png")));
        }
    }
    browser.look(DESK.0, DESK.1, false);
}

/// Lets a browser in by a link of the command line, and makes a passkey there.
fn let_in(world: &World, browser: &Browser) {
    let link: Value = serde_json::from_str(&world.ok(&["dashboard", "--json"], PASSPHRASE)).unwrap();
    browser.open(link["urls"][0].as_str().unwrap());
    browser.click("form[data-create] button");
    browser.until("return location.pathname === '/talk' || !!document.querySelector('#codes li')");
}

/// A world whose dashboard a browser was let in to.
fn world(turns: Vec<Turn>) -> (World, Browser) {
    let world = World::with_dashboard(turns);
    let browser = Browser::start();
    browser.look(DESK.0, DESK.1, false);
    let_in(&world, &browser);
    (world, browser)
}

#[test]
fn a_person_is_let_in_gives_a_task_and_approves_it_by_touch() {
    let (world, browser) =
        world(vec![send("ana@example.org", "Tuesday", "Yes, Tuesday at 10.\n\nMe"), Turn::say("It is sent.")]);
    assert_eq!(browser.run("return document.querySelectorAll('#codes li').length"), 10);
    picture(&browser, "codes");
    browser.click("a.go");
    browser.until_says("No tasks yet");
    browser.write("textarea[name=words]", "answer ana@example.org about Tuesday");
    browser.click("form[action='/do/task'] button");
    browser.until("return !!document.querySelector('article.card')");
    picture(&browser, "talk");
    browser.open(&at(&world, "/approvals"));
    picture(&browser, "approvals");
    // What is shown is what the home holds, and what is signed.
    let card = world.waiting();
    let shown = browser
        .run("const card = document.querySelector('article.card'); return [card.dataset.action, card.dataset.digest]");
    assert_eq!(shown, json!([card["id"], card["digest"]]));
    assert!(browser.text().contains("Yes, Tuesday at 10."));
    // A stranger has to be touched by itself, and it is off until then.
    assert_eq!(browser.run("return document.querySelector('article.card form[data-touch] button.go').disabled"), true);
    browser.click("article.card input[type=checkbox][required]");
    // Not without whoever the passkey knows.
    browser.verifies(false);
    browser.click("article.card form[data-touch='/v1/approvals/approve'] button");
    browser.until_says("nothing was done");
    assert!(world.sink.arrived().is_empty());
    browser.verifies(true);
    browser.click("article.card form[data-touch='/v1/approvals/approve'] button");
    browser.until("return !document.querySelector('article.card form[data-touch=\"/v1/approvals/approve\"]')");
    world.until(&id(&card), "succeeded");
    let arrived = world.sink.arrived();
    assert_eq!(arrived.len(), 1);
    browser.open(&at(&world, "/activity"));
    browser.until_says("Tuesday");
    picture(&browser, "activity");
    browser.open(&at(&world, &format!("/activity/{}", id(&card))));
    picture(&browser, "action");
    assert_eq!(browser.log(), [""; 0]);
}

#[test]
fn every_page_is_quiet_whole_and_named() {
    let (world, browser) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    let task = world.task("write to ana@example.org");
    for (path, says) in [
        ("/talk", "write to ana"),
        (&format!("/talk/{}", id(&task)), "write to ana"),
        ("/approvals", "Tuesday"),
        ("/activity", "Tuesday"),
        ("/connections", "me@example.org"),
        ("/autonomy", "Say a rule"),
        ("/settings", "This device"),
        (&format!("/context/{}/0", id(&task)), "write to ana"),
    ] {
        browser.open(&at(&world, path));
        let text = browser.text();
        assert!(text.contains(says), "{path}: {text}");
        assert_eq!(browser.log(), [""; 0], "{path}");
        let name = path.trim_start_matches('/').split('/').collect::<Vec<_>>();
        picture(&browser, &format!("page-{}-{}", name[0], name.len()));
    }
}
