//! What stands around the pages in a real browser: errors within the frame, what a pause says, and more that waits than one page holds.

use bailey_scripted::{Script, Turn};
use serde_json::{Value, json};

use crate::dashboard::{at, axe, let_in, picture, world};
use crate::support::{PASSPHRASE, World, id, send};
use crate::webdriver::Browser;

#[test]
fn an_error_is_shown_within_the_frame_to_who_is_signed_in_and_outside_of_it_to_a_stranger() {
    let (world, browser) = world(vec![Turn::say("ok")]);
    let inside = "return [!!document.querySelector('header nav'), !!document.querySelector('form[action=\"/do/pause\"]'), /Sign in/.test(document.body.innerText), document.querySelectorAll('[aria-current=page]').length]";
    for (path, title, section) in [
        ("/nothing", "There is nothing here", "Talk"),
        ("/approvals/0123456789abcdef0123456789abcdef", "There is nothing here", "Approvals"),
        ("/approvals/x", "That did not work", "Approvals"),
        ("/activity?before=x", "That did not work", "Activity"),
        ("/context/x/y", "That did not work", "Activity"),
        ("/talk/0123456789abcdef0123456789abcdef/undo", "There is nothing here", "Talk"),
        ("/files/0123456789abcdef0123456789abcdef", "There is nothing here", "Files"),
        ("/connect?kind=x", "There is nothing here", "Connections"),
        ("/connecting/x/again", "There is nothing here", "Connections"),
        // What is posted has no page to be read.
        ("/do/pause", "There is nothing here", "Talk"),
        ("/do/rules/try", "There is nothing here", "Autonomy"),
    ] {
        browser.open(&at(&world, path));
        assert_eq!(browser.run("return document.querySelector('h1').textContent"), title, "{path}");
        assert_eq!(browser.run(inside), json!([true, true, false, 1]), "{path}");
        let here = browser.run("return document.querySelector('[aria-current=page] span').textContent");
        assert_eq!(here, section, "{path}");
    }
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "trouble");
    // It pauses from there as from every page.
    browser.click("form[action='/do/pause'] button");
    browser.until_says("Nothing leaves.");
    assert_eq!(world.get("/v1/status")["mode"], "paused");
    // A form that is too large says so as a page, and the browser is still signed in.
    browser.open(&at(&world, "/talk"));
    browser.run("document.querySelector('textarea').value = 'x'.repeat(5 * 1024 * 1024); document.querySelector('form[action=\"/do/task\"]').submit()");
    browser.until_says("is longer than 4 MiB");
    assert_eq!(browser.run(inside)[2], false);
    browser.devtools("Network.clearBrowserCookies", &json!({}));
    browser.open(&at(&world, "/assets/nothing.js"));
    assert_eq!(browser.run(inside), json!([false, false, true, 0]));
}

#[test]
fn a_pause_says_since_when_and_what_may_have_gone() {
    let (world, browser) = world(vec![Turn::say("ok")]);
    browser.open(&at(&world, "/talk"));
    browser.click("form[action='/do/pause'] button");
    browser.until_says("Nothing leaves.");
    let since = browser.run("return document.querySelector('.paused time').dateTime");
    let began: jiff::Timestamp = since.as_str().unwrap().parse().unwrap();
    let log = world.data_of(&["log", "list"]);
    let paused = log.as_array().unwrap().iter().rev().find(|one| one.to_string().contains("paused")).unwrap();
    assert!(paused.to_string().contains(&began.as_millisecond().to_string()[..10]), "{began} in {paused}");
    // By another pause it is that one's time.
    world.ok(&["resume"], PASSPHRASE);
    world.ok(&["pause"], "");
    browser.open(&at(&world, "/settings"));
    let again = browser.run("return document.querySelector('.paused time').dateTime");
    assert!(again.as_str().unwrap() >= since.as_str().unwrap());
    assert_eq!(axe(&browser), json!([]));
}

/// Mails of one task; a task asks no more than twelve questions at once.
const OF_A_TASK: usize = 12;

#[test]
fn more_than_a_page_holds_waits_on_further_pages_and_none_is_lost() {
    let mails = |task: usize| -> Turn {
        Turn::calls(
            (0..OF_A_TASK)
                .map(|n| {
                    let to = format!("ana{task}x{n}@example.org");
                    ("mail_send", json!({"to": to, "subject": "Tuesday", "body": "Yes.", "why": "asked"}))
                })
                .collect(),
        )
    };
    let script = |task: usize| Script {
        task_contains: format!("task {task}"),
        turns: vec![mails(task), Turn::say("ok")],
        ..Script::default()
    };
    let world = World::with_scripts_and_dashboard((0..2).map(script).collect());
    let browser = Browser::start();
    let_in(&world, &browser);
    for task in 0..2 {
        let names: Vec<String> = (0..OF_A_TASK).map(|n| format!("ana{task}x{n}@example.org")).collect();
        world.task(&format!("task {task}: write to {}", names.join(", ")));
    }
    World::until_true("not all of them wait", || world.approvals().len() == 2 * OF_A_TASK);
    let cards = "return [...document.querySelectorAll('article.card')].map(card => card.dataset.action)";
    let mut seen = Vec::new();
    browser.open(&at(&world, "/approvals"));
    browser.until_says("24 wait.");
    loop {
        seen.extend(browser.run(cards).as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()));
        assert_eq!(axe(&browser), json!([]));
        let bytes = browser.run_async(
            "const done = arguments[arguments.length - 1]; fetch(location.href, {headers: {accept: 'text/html'}}).then(got => got.text()).then(text => done(text.length))",
        );
        assert!(bytes.as_u64().unwrap() < 100_000, "{bytes}");
        if browser.run("return !!document.querySelector('#next a')") != true {
            break;
        }
        browser.click("#next a");
        browser.until_says("From the first");
    }
    let mut waiting: Vec<String> = world.approvals().iter().map(id).collect();
    let shown = seen.clone();
    waiting.sort();
    seen.sort();
    assert_eq!(seen, waiting, "each stands on one page, once");
    picture(&browser, "approvals-further");
    // The last one is answered on the last page, and is the one that was shown there.
    let last = shown.last().unwrap();
    browser.run(&format!("document.querySelector('#a-{last}').scrollIntoView()"));
    browser.click(&format!("#a-{last} input[type=checkbox][required]"));
    browser.click(&format!("#a-{last} form.approve button"));
    world.until(last, "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
    browser.until_says("23 wait.");
    // Beyond the end it says so, and leads back.
    browser.open(&at(&world, "/approvals?skip=500"));
    browser.until_says("None of them stands here.");
    assert_eq!(browser.run(cards), Value::Array(Vec::new()));
    assert_eq!(browser.log(), [""; 0]);
}

#[test]
fn a_long_body_leaves_its_neighbours_to_the_next_page() {
    let mut turns: Vec<Turn> = (0..3)
        .map(|n| send(&format!("ana{n}@example.org"), "Long", &"A line of a long mail.\n".repeat(1_200)))
        .collect();
    turns.push(Turn::say("ok"));
    let (world, browser) = world(turns);
    world.task("write to ana0@example.org, ana1@example.org and ana2@example.org");
    World::until_true("not all of them wait", || world.approvals().len() == 3);
    browser.open(&at(&world, "/approvals"));
    browser.until_says("3 wait.");
    assert_eq!(browser.run("return document.querySelectorAll('article.card').length"), 1);
    assert_eq!(browser.run("return document.querySelector('#next a').textContent"), "2 more");
}
