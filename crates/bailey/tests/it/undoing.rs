//! Undo of a whole task in a real browser: what it would do is told beforehand, and what came of each afterwards.

use bailey_scripted::Turn;
use serde_json::json;

use crate::dashboard::{at, axe, let_in, picture};
use crate::support::{Account, PASSPHRASE, id, send};
use crate::webdriver::Browser;

/// Takes the last of what is to be undone out of what is posted, and not out of what the passkey was asked about.
const LEAVES_ONE_OUT: &str = "
    const real = window.fetch;
    window.fetch = (path, asked) => {
      if (!path.endsWith('/undo')) return real(path, asked);
      const body = JSON.parse(asked.body);
      body.undo.pop();
      return real(path, {...asked, body: JSON.stringify(body)});
    }";

#[test]
fn a_whole_task_is_undone_from_its_page_by_one_touch_for_exactly_what_was_shown() {
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::calls(vec![
            ("mail_move", json!({"id": "$ID0", "folder": "Archive"})),
            ("mail_move", json!({"id": "$ID1", "folder": "Archive"})),
            ("mail_move", json!({"id": "$ID2", "folder": "Archive"})),
        ]),
        send("ana@example.org", "Moved", "They are moved."),
        send("bo@example.org", "Moved", "All are moved."),
        Turn::say("done"),
    ];
    let account = Account::with_dashboard(turns);
    let world = &account.world;
    for n in 1..=3 {
        let text = format!(
            "From: list{n}@example.net\r\nTo: me@example.org\r\nSubject: Offer {n}\r\nMessage-ID: <{n}@example.net>\r\n\r\nBuy\r\n"
        );
        account.server.deliver("", &n.to_string(), &text).unwrap();
    }
    account.with_password("full");
    let task = world.task("move the mails to Archive and tell ana@example.org and bo@example.org");
    let sent = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&sent), "succeeded");
    world.until_task(&id(&task), "waiting");
    let lies = || (account.server.stored("").len(), account.server.stored("Archive").len());
    assert_eq!(lies(), (0, 3));
    let browser = Browser::start();
    let_in(world, &browser);
    browser.open(&at(world, &format!("/talk/{}", id(&task))));
    browser.click("a[href$='/undo']");
    browser.until_says("Undo the whole task");
    // Beforehand: which, in which order, and which not and why.
    let shown = browser.run(
        "return Object.fromEntries([...document.querySelectorAll('main section')].map(part => [part.querySelector('h2').textContent, part.querySelectorAll('li').length]))",
    );
    assert_eq!(shown, json!({"Will be undone": 3, "Will be taken back before it happens": 1, "Stays as it is": 1}));
    assert!(browser.text().contains("Cannot be undone"), "{}", browser.text());
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "undo-before");
    // Signed for three, posted for two: it counts for nothing.
    browser.run(LEAVES_ONE_OUT);
    browser.click("form[data-touch$='/undo'] button");
    browser.until_says("try again");
    assert_eq!(lies(), (0, 3));
    browser.open(&at(world, &format!("/talk/{}/undo", id(&task))));
    browser.click("form[data-touch$='/undo'] button");
    browser.until("return /It is being undone|Nothing is left/.test(document.body.innerText)");
    // Whoever leaves and comes back is told how far it is, and what came of each.
    browser.open(&at(world, "/activity"));
    browser.open(&at(world, &format!("/talk/{}/undo", id(&task))));
    browser.until_says("Nothing is left to undo");
    let after = browser.run(
        "return Object.fromEntries([...document.querySelectorAll('main section')].map(part => [part.querySelector('h2').textContent, part.querySelectorAll('li').length]))",
    );
    assert_eq!(after, json!({"Undone": 3, "Taken back": 1, "Stays as it is": 1}));
    picture(&browser, "undo-after");
    assert_eq!(lies(), (3, 0));
    let all = world.data_of(&["actions"]);
    let undone = |one: &&serde_json::Value| one["state"] == "undone";
    let undone: Vec<_> = all.as_array().unwrap().iter().filter(undone).map(id).collect();
    let undoes = all.as_array().unwrap().iter().filter_map(|one| one["undoes"].as_str());
    let mut undoes: Vec<_> = undoes.map(str::to_owned).collect();
    undoes.sort_by_key(|one| undone.iter().position(|id| id == one));
    assert_eq!(undoes, undone, "each undo says what it undoes");
    assert!(world.approvals().is_empty() && world.sink.arrived().len() == 1);
    assert_eq!(browser.log(), [""; 0]);
}

#[test]
fn what_of_a_task_only_waits_is_taken_back_without_a_touch_and_without_scripts() {
    let account = Account::with_dashboard(vec![send("ana@example.org", "Hi", "Hello."), Turn::say("ok")]);
    let world = &account.world;
    account.with_password("send");
    let task = world.task("write to ana@example.org");
    let browser = Browser::start();
    let_in(world, &browser);
    browser.scripts(false);
    browser.open(&at(world, &format!("/talk/{}/undo", id(&task))));
    browser.click("form[action$='/take-back'] button");
    browser.open(&at(world, &format!("/talk/{}/undo", id(&task))));
    assert!(world.approvals().is_empty());
    world.until(&id(&task["actions"][0]), "cancelled");
    // Nobody undoes what happened without the person: not by leaving the proof out, nor by another task's actions.
    let path = format!("/v1/tasks/{}/undo", id(&task));
    let (code, said) = world.post(&path, &json!({"undo": [id(&task["actions"][0])]}));
    assert_eq!((code, &said["code"]), (403, &json!("not-authorised")), "{said}");
    let (code, said) = world.post(&path, &json!({"take_back": ["00".repeat(16)]}));
    assert_eq!((code, &said["code"]), (422, &json!("invalid")), "{said}");
    assert_eq!(world.post(&path, &json!({})).0, 422);
}
