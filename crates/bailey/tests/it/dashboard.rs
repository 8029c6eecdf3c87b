//! The dashboard, in a real browser against the real home: what a person sees, touches and gets.

use std::path::PathBuf;

use bailey_scripted::Turn;
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, id, send};
use crate::webdriver::Browser;

/// Width and height of a telephone and of a desk, in CSS pixels.
pub const PHONE: (u32, u32) = (390, 844);
pub const DESK: (u32, u32) = (1_280, 900);
/// What of a desk a picture shows.
const SHOWN: (u32, u32) = (1_100, 760);

/// Where the dashboard is.
pub fn at(world: &World, path: &str) -> String {
    let port = world.gateway().rsplit_once(':').unwrap().1.to_owned();
    format!("http://bailey.localhost:{port}{path}")
}

/// Keeps a picture of every look of a page, where somebody wants them (`cargo xtask tour`).
pub fn picture(browser: &Browser, name: &str) {
    let Ok(folder) = std::env::var("BAILEY_PICTURES") else { return };
    let folder = PathBuf::from(folder);
    browser.devtools("Emulation.setScrollbarsHidden", &json!({"hidden": true}));
    for (width, height, on) in [(PHONE.0, PHONE.1, "phone"), (SHOWN.0, SHOWN.1, "desk")] {
        for dark in [false, true] {
            browser.look(width, height, dark);
            let look = if dark { "dark" } else { "light" };
            browser.picture(&folder.join(format!("{name}-{on}-{look}.jpg")));
        }
    }
    browser.devtools("Emulation.setScrollbarsHidden", &json!({"hidden": false}));
    browser.look(DESK.0, DESK.1, false);
}

/// Lets a browser in by a link of the command line, and makes a passkey there.
pub fn let_in(world: &World, browser: &Browser) {
    let link: Value = serde_json::from_str(&world.ok(&["dashboard", "--json"], PASSPHRASE)).unwrap();
    browser.open(link["urls"][0].as_str().unwrap());
    browser.click("form[data-create] button");
    browser.until("return location.pathname === '/talk' || !!document.querySelector('#codes li')");
}

/// A world whose dashboard a browser was let in to.
pub fn world(turns: Vec<Turn>) -> (World, Browser) {
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
        ("/notifications", "Nowhere yet"),
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

/// What axe finds on the page that is open: rules of WCAG 2.2 AA, and good practice.
pub fn axe(browser: &Browser) -> Value {
    let library = std::fs::read_to_string(xtask::servers::axe()).unwrap();
    browser.run(&format!("{library}; return !!window.axe"));
    browser.run_async(
        "const done = arguments[arguments.length - 1];
         const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
         axe.run({runOnly: rules}).then(found => done(found.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))])))",
    )
}

#[test]
fn axe_finds_nothing_on_any_page_in_any_look() {
    let (world, browser) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("**ok**\n\n- one\n- two")]);
    assert_eq!(axe(&browser), json!([]), "recovery codes");
    let task = world.task("write to ana@example.org");
    let card = id(&task["actions"][0]);
    for path in [
        "/talk",
        &format!("/talk/{}", id(&task)),
        "/approvals",
        &format!("/approvals/{card}"),
        &format!("/approvals/{card}/edit"),
        "/activity",
        &format!("/activity/{card}"),
        "/connections",
        "/connect?kind=mail",
        "/connect?kind=calendar",
        "/connect?kind=model",
        &format!("/context/{}/0", id(&task)),
        "/autonomy",
        "/settings",
        "/notifications",
        "/models",
        "/sign-in",
        "/claim",
        "/nothing",
    ] {
        browser.open(&at(&world, path));
        for ((width, height), dark) in [(PHONE, false), (PHONE, true), (DESK, false), (DESK, true)] {
            browser.look(width, height, dark);
            assert_eq!(axe(&browser), json!([]), "{path}, {width} wide, dark: {dark}");
            let wider =
                browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(wider, 0, "{path} is wider than a screen of {width}");
        }
    }
}

#[test]
fn without_scripts_tasks_refusals_and_the_pause_work() {
    let (world, browser) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("It was refused.")]);
    browser.scripts(false);
    browser.open(&at(&world, "/talk"));
    browser.write("textarea[name=words]", "write to ana@example.org");
    browser.click("form[action='/do/task'] button");
    World::until_true("nothing ever waited", || world.approvals().len() == 1);
    let card = world.waiting();
    browser.open(&at(&world, "/approvals"));
    browser.click("article.card button.reject");
    world.until(&id(&card), "rejected");
    browser.until("return location.pathname === '/approvals'");
    browser.click("form[action='/do/pause'] button");
    browser.until_says("Nothing leaves.");
    assert_eq!(world.get("/v1/status")["mode"], "paused");
    assert!(world.sink.arrived().is_empty());
    // With them, a touch lets things go on again.
    browser.scripts(true);
    browser.open(&at(&world, "/approvals"));
    browser.click("form[data-touch='/v1/resume'] button");
    browser.until("return !document.body.innerText.includes('Nothing leaves.')");
    assert_eq!(world.get("/v1/status")["mode"], "open");
}

#[test]
fn hostile_words_are_shown_as_they_are_and_do_nothing() {
    let body = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\n<link rel=preconnect href=http://evil.example>\n\u{202e}gpj.exe \u{200b}zero\n";
    let to = "\u{430}na@example.org";
    let turns = vec![
        Turn::call("mail_send", json!({"to": "ana@xn--exmple-cua.org", "subject": "<b>bold</b>", "body": body})),
        Turn::say(
            "<script>document.title='owned'</script> [good.example](http://evil.example/) ![x](http://evil.example/x.png)",
        ),
    ];
    let (world, browser) = world(turns);
    let task = world.task(&format!("write to {to} <script>document.title='owned'</script>"));
    browser.devtools("Network.enable", &json!({}));
    for path in ["/approvals", "/talk", &format!("/talk/{}", id(&task)), "/activity"] {
        browser.open(&at(&world, path));
        let title = browser.run("return document.title");
        assert!(title.as_str().unwrap().ends_with("Bailey"), "{path}: {title}");
        let asked = browser.run("return performance.getEntriesByType('resource').map(one => one.name)");
        let host = at(&world, "/");
        let elsewhere: Vec<_> =
            asked.as_array().unwrap().iter().filter(|one| !one.as_str().unwrap().starts_with(&host)).collect();
        assert!(elsewhere.is_empty(), "{path}: {elsewhere:?}");
        let made = browser
            .run("return [document.querySelectorAll('main script:not([src^=\"/assets/\"]), main img, main link, main b > script').length]");
        assert_eq!(made, json!([0]), "{path}");
        assert_eq!(browser.log(), [""; 0], "{path}");
    }
    browser.open(&at(&world, "/approvals"));
    let text = browser.text();
    for seen in ["<script>document.title='owned'</script>", "\\u{202e}gpj.exe", "\\u{200b}zero", "<b>bold</b>"] {
        assert!(text.contains(seen), "{seen} is not in {text}");
    }
}

#[test]
fn an_answer_on_one_device_is_there_on_the_other_at_once_and_counts_once() {
    let (world, first) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    let second = Browser::start();
    second.look(PHONE.0, PHONE.1, true);
    let_in(&world, &second);
    world.task("write to ana@example.org");
    let card = world.waiting();
    for browser in [&first, &second] {
        browser.open(&at(&world, "/approvals"));
        browser.click("article.card input[type=checkbox][required]");
    }
    first.click("article.card button.reject");
    world.until(&id(&card), "rejected");
    // The other is told, politely, and nothing is sent.
    second.until(
        "const go = document.querySelector('article.card form[data-touch] button.go'); return !go || !go.disabled",
    );
    let still = second.run(
        "const go = document.querySelector('article.card form[data-touch] button.go'); if (go) go.click(); return !!go",
    );
    if still == true {
        second.until("return document.querySelector('#said').textContent !== ''");
    }
    assert!(world.sink.arrived().is_empty());
    assert_eq!(world.get(&format!("/v1/actions/{}", id(&card)))["state"], "rejected");
}

#[test]
fn who_is_not_signed_in_sees_no_page_and_a_session_ends_everywhere() {
    let (world, browser) = world(vec![]);
    let pages = ["/", "/talk", "/approvals", "/activity", "/connections", "/connect", "/autonomy", "/settings"];
    browser.open(&at(&world, "/settings"));
    browser.click("form[action='/do/sign-out'] button");
    browser.until("return location.pathname === '/sign-in'");
    for path in pages {
        browser.open(&at(&world, path));
        assert_eq!(browser.run("return location.pathname"), "/sign-in", "{path}");
    }
    picture(&browser, "sign-in");
    browser.click("form[data-touch='/v1/sessions'] button");
    browser.until("return location.pathname === '/approvals'");
    // By its passkey alone, and not by another's.
    world.ok(&["passkey", "sign-out"], "");
    browser.until("return location.pathname === '/sign-in' || !!document.body");
    browser.open(&at(&world, "/talk"));
    assert_eq!(browser.run("return location.pathname"), "/sign-in");
}
