//! Cards in a real browser: refusing with a note, what an action carries, the mail it answers, and keys alone.

use std::net::TcpListener;

use bailey_scripted::Turn;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use xtask::servers;

use crate::dashboard::{at, axe, let_in, picture, world};
use crate::support::{Account, PASSPHRASE, World, id, send};
use crate::webdriver::Browser;

#[test]
fn a_note_on_a_refusal_is_told_to_the_agent_and_grounds_nothing() {
    let (world, browser) = world(vec![
        send("ana@example.org", "Tuesday", "Yes."),
        send("tom@corp.example", "Tuesday", "Yes."),
        Turn::say("ok"),
    ]);
    // Without scripts, as everything but a touch.
    browser.scripts(false);
    let task = world.task("write to ana@example.org");
    let first = world.waiting();
    browser.open(&at(&world, "/approvals"));
    browser.click("details.note summary");
    picture(&browser, "note");
    browser.write("textarea[name=note]", "write to tom@corp.example, not Ana");
    browser.click("details.note form button");
    world.until(&id(&first), "rejected");
    let refused = world.get(&format!("/v1/actions/{}", id(&first)));
    assert_eq!(refused["note"], "write to tom@corp.example, not Ana");
    World::until_true("nothing was proposed then", || !world.approvals().is_empty());
    // The agent heard it, as a note.
    let context = world.get(&format!("/v1/tasks/{}/context/1", id(&task)));
    let spans = context["spans"].as_array().unwrap();
    let note = spans.iter().find(|span| span["label"] == "note").unwrap_or_else(|| panic!("{context:#}"));
    assert!(note["text"].as_str().unwrap().ends_with("\n> write to tom@corp.example, not Ana"), "{note}");
    // And whom it names is nobody the task named.
    let second = world.waiting();
    let stands = |card: &Value| card["recipients"][0]["standing"].as_str().unwrap().to_owned();
    assert!(stands(&first).starts_with("you named it in this task"), "{first:#}");
    assert!(stands(&second).starts_with("you neither named it"), "{second:#}");
    let words = world.get(&format!("/v1/tasks/{}", id(&task)))["words"].clone();
    assert_eq!(words, "write to ana@example.org");
}

#[test]
fn what_approves_takes_no_touch_while_it_moves() {
    let (world, browser) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    world.task("write to ana@example.org");
    let first = world.waiting();
    world.task("write to ana@example.org once more");
    World::until_true("two never waited", || world.approvals().len() == 2);
    browser.open(&at(&world, "/approvals"));
    let second = world.approvals().into_iter().map(|card| id(&card)).find(|one| *one != id(&first)).unwrap();
    browser.click(&format!("#a-{second} input[type=checkbox][required]"));
    browser.until(&format!("return document.querySelector('#f-{second} button').disabled === false"));
    // What stood above it goes, so that it moves up.
    browser.run(&format!(
        "new MutationObserver(() => {{
           if (document.getElementById('a-{0}') || window.moved) return;
           const button = document.querySelector('#f-{second} button');
           window.moved = button ? String(button.disabled) : 'gone';
         }}).observe(document.body, {{childList: true, subtree: true}}); return true",
        id(&first)
    ));
    assert_eq!(world.post("/v1/approvals/reject", &json!({"ids": [id(&first)]})).0, 200);
    assert_eq!(browser.until("return window.moved"), "true", "it could be touched as it moved");
    browser.until(&format!("return document.querySelector('#f-{second} button').disabled === false"));
    assert_eq!(browser.log(), [""; 0]);
}

#[test]
fn keys_alone_give_a_task_and_approve() {
    const ENTER: char = '\u{e007}';
    let (world, browser) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("It is sent.")]);
    browser.open(&at(&world, "/talk"));
    browser.tab_to("textarea[name=words]");
    "write to ana@example.org".chars().for_each(|key| browser.press(key));
    browser.tab_to("form[action='/do/task'] button");
    browser.press(ENTER);
    World::until_true("nothing ever waited", || world.approvals().len() == 1);
    let card = world.waiting();
    browser.open(&at(&world, "/approvals"));
    browser.tab_to("article.card input[type=checkbox][required]");
    browser.press(' ');
    browser.tab_to("article.card form.approve button");
    browser.press(ENTER);
    world.until(&id(&card), "succeeded");
    // What the card showed is what arrived, byte for byte.
    let arrived = world.sink.arrived();
    let mail = MessageParser::default().parse(&arrived[0].bytes).unwrap();
    let shown = |label: &str| {
        let items = card["items"].as_array().unwrap();
        items.iter().find(|item| item["label"] == label).map(|item| item["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(mail.subject().map(str::to_owned), shown("Subject"));
    assert_eq!(mail.body_text(0).unwrap().trim_end(), card["body"].as_str().unwrap());
    assert_eq!(arrived[0].to, [card["recipients"][0]["address"].as_str().unwrap()]);
    assert_eq!(browser.log(), [""; 0]);
}

/// A mail that tries everything to be heard of at a port where nobody should call.
fn hostile(trap: u16) -> String {
    let evil = format!("http://127.0.0.1:{trap}");
    let html = format!(
        "<html><head><meta http-equiv=refresh content='0;url={evil}/refresh'><base href='{evil}/'>
<link rel=preconnect href='{evil}'><link rel=dns-prefetch href='{evil}'><link rel=prefetch href='{evil}/prefetch'>
<link rel=stylesheet href='{evil}/style'><style>@import '{evil}/import'; body {{ background: url({evil}/css) }}</style></head>
<body background='{evil}/background' onload='fetch(\"{evil}/load\")'><script>fetch('{evil}/script'); parent.document.title='owned'</script>
<h1>Your parcel</h1><p style='background: url({evil}/inline)'>Pay \u{202e}gpj.exe\u{202c} now, p\u{200b}lease.</p>
<form action='{evil}/form'><input name=q autofocus onfocus='this.form.submit()'></form><iframe src='{evil}/frame'></iframe>
<svg onload='fetch(\"{evil}/svg\")'><image href='{evil}/image'/></svg><object data='{evil}/object'></object><embed src='{evil}/embed'>
<video src='{evil}/video' poster='{evil}/poster' autoplay></video><img src='{evil}/img' srcset='{evil}/srcset 2x' onerror='fetch(\"{evil}/error\")'>
<a href='{evil}/link' ping='{evil}/ping'>good.example</a>{}</body></html>",
        "<p>filling</p>".repeat(150_000)
    );
    format!(
        "From: \u{430}na <ana@example.org>\r\nTo: {}\r\nSubject: Parcel\r\nDate: Fri, 20 Nov 2026 10:00:00 +0100\r\n\
         Message-ID: <9@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n\
         --b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=dot.png\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\r\n\
         --b\r\nContent-Type: image/svg+xml\r\nContent-Disposition: attachment; filename=dot.svg\r\n\r\n\
         <svg xmlns='http://www.w3.org/2000/svg' onload='fetch(\"{evil}/file\")'/>\r\n--b--\r\n",
        servers::ACCOUNT
    )
}

#[test]
fn a_hostile_mail_and_its_files_are_shown_and_nobody_hears_of_it() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let forward = json!({"id": "$ID0", "to": ["Bo <bo@example.org>"], "body": "Look."});
    let turns = vec![Turn::call("mail_search", json!({})), Turn::call("mail_forward", forward), Turn::say("ok")];
    let mut account = Account::new(turns, 300);
    account.world.take_port();
    account.world.restart();
    account.server.deliver("", "1", &hostile(trap.local_addr().unwrap().port())).unwrap();
    account.with_password("full");
    let world = &account.world;
    world.task("forward the parcel to bo@example.org");
    let card = world.waiting();
    let browser = Browser::start();
    let_in(world, &browser);
    browser.open(&at(world, "/approvals"));
    browser.click("article.card a[href$='/original']");
    browser.until_says("The mail as it came");
    let text = browser.text();
    assert!(text.contains("Your parcel") && text.contains("gpj.exe"), "{text}");
    browser.click("a[href$='?html=true']");
    browser.until("return !!document.querySelector('iframe.received')");
    // Whole, and shown: an entry stands there once it is.
    browser.until("return performance.getEntriesByType('resource').some(one => one.name.endsWith('/original/frame') && one.responseStatus === 200)");
    picture(&browser, "received");
    let frame = browser.run("const f = document.querySelector('iframe.received'); return [f.getAttribute('sandbox'), f.contentDocument === null]");
    assert_eq!(frame, json!(["", true]), "the frame is of another origin, and may do nothing");
    assert!(browser.text().contains("/link"), "its links are listed as text");
    assert_eq!(axe(&browser), json!([]));
    // Its files: a picture is seen, markup is text.
    let original = world.get(&format!("/v1/actions/{}/original", id(&card)));
    let html = original["html"].as_str().unwrap();
    assert!(html.contains("Pay \\u{202e}gpj.exe\\u{202c} now, p\\u{200b}lease."), "{}", &html[..500]);
    assert!(original["cut"].to_string().contains("longer than is shown"), "{}", original["cut"]);
    for (n, seen) in [
        (0, "!!document.querySelector('img.seen') && document.querySelector('img.seen').naturalWidth === 1"),
        (1, "document.querySelector('pre.body').textContent.includes('<svg xmlns')"),
    ] {
        browser.open(&at(world, &format!("/approvals/{}/files/{n}", id(&card))));
        browser.until(&format!("return {seen}"));
        let sha256 = card["attachments"][n]["sha256"].as_str().unwrap();
        assert!(browser.text().contains(sha256));
        picture(&browser, &format!("file-{n}"));
    }
    let title = browser.run("return document.title");
    assert_ne!(title, "owned");
    assert_eq!(trap.accept().map(|(_, from)| from).map_err(|error| error.kind()), Err(std::io::ErrorKind::WouldBlock));
}

#[test]
fn a_rule_is_made_from_a_card_after_its_trial_and_counts_from_then_on() {
    let (world, browser) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    // Somebody new is asked about whatever a rule says, so she is dealt with once.
    world.task("write to ana@example.org");
    let first = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&first), "succeeded");
    let task = world.task("write to ana@example.org again");
    let second = world.waiting();
    browser.open(&at(&world, "/approvals"));
    browser.click("article.card a[href^='/autonomy?like=']");
    browser.until_says("Say a rule");
    let words = "mail to ana@example.org: go ahead";
    assert_eq!(browser.run("return document.querySelector('textarea[name=words]').value"), words);
    // What it would have done is told before it is a rule, and it is none by looking.
    let tried = browser.run("return document.querySelector('.trial').innerText");
    let tried = tried.as_str().unwrap();
    assert!(tried.contains("would have been decided otherwise") && tried.contains("Send a mail"), "{tried}");
    let rules = || world.data_of(&["rules", "list"]).to_string();
    assert!(!rules().contains(words));
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "rule-from-card");
    // Not without whoever the passkey knows.
    browser.verifies(false);
    browser.click(".trial form[data-touch='/v1/rules'] button");
    browser.until_says("nothing was done");
    assert!(!rules().contains(words));
    browser.verifies(true);
    browser.click(".trial form[data-touch='/v1/rules'] button");
    browser.until("return location.pathname === '/autonomy' && location.search === ''");
    assert!(rules().contains(words), "{}", rules());
    // What waited goes on waiting; what comes from now on goes by itself.
    assert_eq!(world.waiting()["id"], second["id"]);
    world.ok(&["reject", &id(&second)], "");
    world.until_task(&id(&task), "answered");
    let third = world.task("write to ana@example.org once more");
    let sent = third["actions"].as_array().unwrap().iter().find(|one| one["kind"] == "mail.send").unwrap();
    assert_eq!(sent["state"], "succeeded", "{sent:#}");
    assert_eq!(world.sink.arrived().len(), 2);
    assert_eq!(browser.log(), [""; 0]);
}
