//! The tour of the dashboard: a home in daily use, page by page, at real servers of mail and calendars. Its pictures are those of
//! `docs/tour.md` (`cargo xtask tour`).

use bailey_scripted::{Script, Turn};
use serde_json::json;
use xtask::servers;

use crate::dashboard::{DESK, PHONE, at, axe, let_in, picture};
use crate::support::{Account, PASSPHRASE, World, id, send};
use crate::webdriver::Browser;

fn script(words: &str, turns: Vec<Turn>) -> Script {
    Script { task_contains: words.into(), turns, ..Script::default() }
}

/// What the model does in each task.
fn scripts() -> Vec<Script> {
    let reply =
        "Dear Ana,\n\nTuesday at ten works well. I booked the table by the window at Café Lumière.\n\nUntil then\nMe";
    let answer = json!({"id": "$ID0", "body": reply, "why": "Ana asks whether Tuesday at ten suits you, and your calendar is free."});
    let answering = vec![
        Turn::call("calendar_free", json!({"from": "2027-03-02", "until": "2027-03-02"})),
        Turn::call("mail_search", json!({"from": "ana"})),
        Turn::calls(vec![("mail_read", json!({"id": "$ID0"})), ("mail_reply", answer)]),
        Turn::say("I answered **Ana**: Tuesday at ten works. Your calendar is free from 8 to 15 that day."),
    ];
    let dentist = json!({"what": "Dentist", "begins": "4 March 2027 at 9:30", "where": "Rue des Lilas 4", "why": "You gave the time in your task."});
    let moves = (0..3).map(|n| {
        ("mail_move", json!({"id": format!("$ID{n}"), "folder": "Archive", "why": "It is a newsletter, as you said."}))
    });
    let archiving = vec![
        Turn::call("mail_search", json!({"subject": "offer"})),
        Turn::calls(moves.collect()),
        Turn::say("Three newsletters lie in the archive now."),
    ];
    vec![
        script("answer Ana", answering),
        script(
            "tell Ana",
            vec![send("ana@example.org", "The drafts", "Dear Ana,\n\nplease bring two copies.\n\nMe"), Turn::say("ok")],
        ),
        script("dentist", vec![Turn::call("calendar_create", dentist), Turn::say("The dentist is in your calendar.")]),
        script("newsletters", archiving),
    ]
}

/// Mail as it came in.
fn deliver(account: &Account) {
    let ana = "From: Ana Ferreira <ana@example.org>\r\nTo: me@bailey.test\r\nSubject: Tuesday?\r\nDate: Fri, 27 Nov 2026 09:12:00 +0100\r\nMessage-ID: <tuesday@example.org>\r\n\r\nHello,\r\n\r\ncould we meet on Tuesday at ten, at Café Lumière? I will bring the drafts.\r\n\r\nAna\r\n";
    account.server.deliver("", "ana", ana).unwrap();
    for (n, from) in ["news@garden.example", "letters@books.example", "hello@trains.example"].iter().enumerate() {
        let text = format!(
            "From: {from}\r\nTo: me@bailey.test\r\nSubject: Our offer of the week {n}\r\nMessage-ID: <{n}@{from}>\r\n\r\nLook at what is new.\r\n"
        );
        account.server.deliver("", &format!("n{n}"), &text).unwrap();
    }
}

/// Sees that a page is whole in every look, and keeps its pictures.
fn shown(browser: &Browser, name: &str) {
    for ((width, height), dark) in [(PHONE, false), (DESK, true)] {
        browser.look(width, height, dark);
        assert_eq!(axe(browser), json!([]), "{name}, {width} wide, dark: {dark}");
        let wider = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wider, 0, "{name} is wider than a screen of {width}");
    }
    browser.look(DESK.0, DESK.1, false);
    picture(browser, name);
    assert_eq!(browser.log(), [""; 0], "{name}");
}

#[test]
fn the_pages_of_a_home_in_daily_use_are_whole_in_every_look() {
    let mut account = Account::with_scripts_and_dashboard(scripts());
    deliver(&account);
    let browser = Browser::start();
    browser.look(DESK.0, DESK.1, false);
    let_in(&account.world, &browser);
    browser.click("a.go");
    browser.until_says("Connect your mail");
    // What it says of a passkey that was made, it says until it is started anew.
    account.world.restart();
    let world = &account.world;
    browser.open(&at(world, "/talk"));
    let _ = browser.log();
    browser.until_says("Connect your mail");
    shown(&browser, "first-steps");
    account.with_password("full");
    let folder = world.folder.path().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let calendar = servers::CalendarServer::start(&folder).unwrap();
    let url = calendar.url();
    let arguments = ["connect", "calendar", url.as_str(), "--user", servers::ACCOUNT, "--level", "full"];
    world.ok(&arguments, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    world.ok(&["rules", "add", "new calendar entries: ask"], PASSPHRASE);

    // A mail that asks: in its task, and as a card on a telephone.
    let task = world.task("answer Ana about Tuesday after checking my calendar");
    browser.open(&at(world, &format!("/talk/{}", id(&task))));
    browser.until("return !!document.querySelector('article.card')");
    shown(&browser, "talk");
    let card = world.waiting();
    browser.open(&at(world, "/approvals"));
    shown(&browser, "approvals");
    browser.open(&at(world, "/approvals"));
    browser.click("article.card input[type=checkbox][required]");
    browser.click("article.card form.approve button");
    world.until(&id(&card), "succeeded");
    world.until_task(&id(&task), "answered");
    browser.open(&at(world, &format!("/activity/{}", id(&card))));
    browser.until_says("Why it was decided so");
    shown(&browser, "action");
    browser.open(&at(world, &format!("/context/{}/3", id(&task))));
    browser.until_says("the mail as it came");
    // Where others' words are.
    browser.run(
        "const there = () => document.querySelector('.span.l-others a[href$=\"/original\"]').scrollIntoView({block: 'center'});
         addEventListener('resize', () => requestAnimationFrame(there)); there()",
    );
    shown(&browser, "context");

    // She is known now, so a rule could spare the next question.
    let task = world.task("tell Ana (ana@example.org) to bring two copies of the drafts");
    let card = world.waiting();
    browser.open(&at(world, &format!("/autonomy?like={}", id(&card))));
    browser.until_says("1 would have been decided otherwise");
    shown(&browser, "autonomy");
    world.ok(&["reject", &id(&card)], "");
    world.until_task(&id(&task), "answered");

    // An entry that is changed before it is approved.
    world.task("put the dentist on 4 March 2027 at 9:30, Rue des Lilas 4, into my calendar");
    let card = world.waiting();
    browser.open(&at(world, &format!("/approvals/{}/edit", id(&card))));
    browser.until_says("Edit the entry");
    shown(&browser, "edit");
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "succeeded");

    // A task that is undone whole.
    let task = world.task("move the three newsletters with offers to the archive");
    World::until_true("the newsletters were never moved", || account.server.stored("Archive").len() == 3);
    world.until_task(&id(&task), "answered");
    browser.open(&at(world, &format!("/talk/{}/undo", id(&task))));
    browser.until_says("Will be undone");
    shown(&browser, "undo");
    browser.click("form[data-touch$='/undo'] button");
    browser.until_says("Nothing is left to undo");
    shown(&browser, "undone");
    browser.open(&at(world, "/activity"));
    browser.until_says("Today");
    browser.until("return !!document.querySelector('#badge[data-badge]:not([data-badge=\"\"])')");
    shown(&browser, "activity");
    browser.open(&at(world, "/connections"));
    browser.until_says("Last used");
    shown(&browser, "connections");
    browser.open(&at(world, "/connect?kind=calendar"));
    browser.write("[name=user]", "me@gmail.com");
    browser.click("#oauth summary");
    browser.write("[name=issuer]", "https://accounts.google.com");
    browser.write("[name=client_id]", "mine.apps.googleusercontent.com");
    browser.click("form[action='/do/connect/find'] button");
    browser.until_says("Then it sends your browser back");
    shown(&browser, "connect");
    browser.open(&at(world, "/models"));
    browser.until_says("Models");
    shown(&browser, "models");
    browser.open(&at(world, "/settings"));
    shown(&browser, "settings");
    browser.click("form[action='/do/pause'] button");
    browser.until_says("Nothing leaves");
    browser.open(&at(world, "/talk"));
    shown(&browser, "paused");
}
