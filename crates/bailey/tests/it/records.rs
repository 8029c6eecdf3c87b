//! The records: what can be found in them, who received what, and whether they are whole.

use std::fs;
use std::path::Path;

use bailey_scripted::{Script, Turn};
use serde_json::{Value, json};

use crate::dashboard::{at, axe, let_in, picture};
use crate::support::{Account, PASSPHRASE, World, copy_folder, id, note_erasure, send};
use crate::webdriver::Browser;

/// Two mails were approved: one about a canary, one about a finch.
fn two_mails() -> World {
    let script = |word: &str, to, subject, body| Script {
        task_contains: word.into(),
        turns: vec![send(to, subject, body), Turn::say("It is sent.")],
        ..Script::default()
    };
    let canary = script("yellow", "ana@example.org", "Canary", "The Müller canary sings on Tuesday.\n\nMe");
    let finch = script("brown", "bea@example.org", "Finch", "The finch is silent.\n\nMe");
    let mut world = World::with_scripts(vec![canary, finch], 0);
    world.serve();
    world.connect("send");
    for words in ["tell ana@example.org of the yellow bird", "tell bea@example.org of the brown bird"] {
        let task = world.task(words);
        let card = world.waiting();
        world.ok(&["approve"], PASSPHRASE);
        world.until(&id(&card), "succeeded");
        world.until_task(&id(&task), "answered");
    }
    world
}

fn headlines(found: &Value) -> Vec<String> {
    found["actions"].as_array().unwrap().iter().map(|one| one["headline"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn actions_are_found_by_their_words_and_narrowed() {
    let world = two_mails();
    let sends = |more: &str| world.get(&format!("/v1/search?kind=mail.send&{more}"));
    // Without accents, by how a word begins, by words in a row, and by nothing that is not there.
    for (words, many) in [
        ("q=muller", 1),
        ("q=cana", 1),
        ("q=%22canary%20sings%22", 1),
        ("q=%22sings%20canary%22", 0),
        ("q=elephant", 0),
        ("q=finch%20canary", 0),
        ("q=the", 2),
        ("", 2),
        ("by=cli", 2),
        ("by=dashboard", 0),
        ("state=succeeded", 2),
        ("state=rejected", 0),
        ("account=me@example.org", 2),
        ("account=other@example.org", 0),
        ("from=2000-01-01&to=2000-12-31", 0),
        ("from=2000-01-01", 2),
    ] {
        let found = sends(words);
        assert_eq!(headlines(&found).len(), many, "{words}: {found}");
        assert_eq!(found["indexed"], found["entries"], "{words}");
    }
    // A page at a time, each thing once, newest first.
    let first = sends("q=the&limit=1");
    let second = sends(&format!("q=the&limit=1&before={}", first["before"]));
    assert_eq!(
        [
            first["actions"][0]["items"].to_string().contains("Finch"),
            second["actions"][0]["items"].to_string().contains("Canary")
        ],
        [true; 2]
    );
    // What makes no sense is said.
    for wrong in ["kind=nothing", "state=nothing", "by=nobody", "from=yesterday"] {
        assert_eq!(world.request_as(&world.token(), "GET", &format!("/v1/search?{wrong}"), "").0, 422, "{wrong}");
    }
    // Reading goes on while everything is paused; and the command line finds the same.
    world.ok(&["pause"], "");
    assert_eq!(headlines(&sends("q=canary")).len(), 1);
    let found = world.data_of(&["search", "canary", "--kind", "mail.send"]);
    assert_eq!(headlines(&found).len(), 1);
    let found = world.data_of(&["search", "--tasks", "yellow"]);
    assert_eq!(found["tasks"].as_array().unwrap().len(), 1);
}

#[test]
fn which_requests_held_a_text_is_told_and_what_they_led_to() {
    let world = two_mails();
    let found = world.data_of(&["search", "--requests", "yellow"]);
    let piece = found["pieces"].as_array().unwrap().iter().find(|one| one["label"] == "person").unwrap().clone();
    assert!(piece["excerpt"].as_str().unwrap().contains("yellow bird"), "{piece}");
    assert_eq!(piece["held"][0][0], 0);
    let task = piece["task"].as_str().unwrap();
    let request = world.get(&format!("/v1/tasks/{task}/context/0"));
    let led = request["led_to"].as_array().unwrap();
    assert!(led.len() == 1 && led[0]["state"] == "succeeded", "{led:?}");
    // What each provider got: as many requests as were kept, and their bytes.
    let received = world.data_of(&["context", "totals"]);
    let (mut requests, mut bytes) = (0, 0);
    for task in world.data_of(&["tasks"]).as_array().unwrap() {
        for n in world.get(&format!("/v1/tasks/{}/context", id(task))).as_array().unwrap() {
            requests += 1;
            bytes += world.get(&format!("/v1/tasks/{}/context/{n}", id(task)))["body"].as_str().unwrap().len();
        }
    }
    assert_eq!(json!([received[0]["requests"], received[0]["bytes"]]), json!([requests, bytes]), "{received}");
    assert!(received[0]["provider"].as_str().unwrap().starts_with("127.0.0.1:"), "{received}");
}

#[test]
fn a_search_index_that_is_missing_or_damaged_is_made_anew_and_no_backup_brings_it() {
    let mut world = two_mails();
    let sends = |world: &World| headlines(&world.get("/v1/search?kind=mail.send&q=canary")).len();
    assert_eq!(sends(&world), 1);
    let file = world.data().join("home/search.db");
    let folder = world.folder.path().join("backup");
    world.kill();
    copy_folder(&world.data(), &folder);
    for damage in [None, Some(b"no database".as_slice())] {
        match damage {
            None => fs::remove_file(&file).unwrap(),
            Some(bytes) => fs::write(&file, bytes).unwrap(),
        }
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(world.data().join(format!("home/search.db{end}")));
        }
        world.serve();
        World::until_true("it is found again", || sends(&world) == 1);
        world.kill();
    }
    world.ok(&["restore", folder.to_str().unwrap()], "");
    assert!(!file.exists(), "the index of a backup was put back");
}

#[test]
fn a_search_index_is_made_anew_once_something_was_erased_and_copies_of_it_open_no_more() {
    /// Bytes that SQLCipher draws for each file: what begins otherwise is another file, under another key.
    const SALT: usize = 16;
    let mut world = two_mails();
    let sends = |world: &World| headlines(&world.get("/v1/search?kind=mail.send&q=canary")).len();
    World::until_true("it is found", || sends(&world) == 1);
    let file = world.data().join("home/search.db");
    let salt = || fs::read(&file).unwrap()[..SALT].to_vec();
    let copy = world.folder.path().join("copy.db");
    // With what was written beside it, as a backup has it.
    let copied = |from: &Path, to: &Path| {
        fs::copy(from, to).unwrap();
        let (log, _) = (beside(to, "-wal"), fs::remove_file(beside(to, "-shm")));
        let _ = fs::copy(beside(from, "-wal"), &log).or_else(|_| fs::remove_file(&log).map(|()| 0));
    };
    let first = salt();
    world.restart();
    World::until_true("it is found", || sends(&world) == 1);
    assert_eq!(salt(), first, "a start alone makes none");
    world.kill();
    copied(&file, &copy);
    note_erasure(&world.data());
    world.serve();
    World::until_true("it was never made anew", || sends(&world) == 1 && salt() != first);
    let second = salt();
    // The copy of before, put back, is no index of this home any more.
    world.kill();
    copied(&copy, &file);
    world.serve();
    World::until_true("it is found again", || sends(&world) == 1);
    assert!(salt() != first && salt() != second, "the copy was opened");
}

/// A file beside a database.
fn beside(database: &Path, end: &str) -> std::path::PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[test]
fn a_table_of_the_log_holds_no_formula_and_asks_for_the_person() {
    let world = World::new(vec![send("ana@example.org", "=HYPERLINK(1)", "+1 \"quoted\"\n\nMe"), Turn::say("ok")]);
    world.task("write to ana@example.org");
    let file = world.folder.path().join("log.csv");
    world.ok(&["log", "export", file.to_str().unwrap(), "--csv"], PASSPHRASE);
    let table = fs::read_to_string(&file).unwrap();
    assert!(table.starts_with("\"entry\",\"time\",\"what\"") && table.contains("\r\n\"0\",\""), "{table}");
    assert!(table.contains("\"'+1 \"\"quoted\"\""), "{table}");
    assert_eq!(table.matches("Z\",\"proposed\",").count(), world.data_of(&["actions"]).as_array().unwrap().len());
    for formula in ["\"=", "\"+", "\"@"] {
        assert!(!table.contains(&format!(",{formula}")), "{formula}");
    }
    let wrong = json!({"proof": {}});
    assert!(world.post("/v1/log/export-csv", &wrong).0 >= 400);
    assert_eq!(world.run(&["log", "export", "-", "--csv"], "not the passphrase").status.code(), Some(4));
}

#[test]
fn a_browser_sees_that_the_log_only_grew_and_that_an_older_copy_was_put_back() {
    let mut world = World::with_dashboard(vec![
        send("ana@example.org", "Tuesday", "Yes."),
        Turn::say("ok"),
        send("ana@example.org", "Friday", "No."),
        Turn::say("ok"),
    ]);
    let browser = Browser::start();
    let_in(&world, &browser);
    let older = world.folder.path().join("older");
    let badge = "return document.querySelector('#badge[data-badge]:not([data-badge=\"\"])')?.dataset.badge";
    browser.open(&at(&world, "/activity"));
    assert_eq!(browser.until(badge), "whole");
    browser.until_says("remembers it from now on");
    world.kill();
    copy_folder(&world.data(), &older);
    world.serve();
    // What the page said while its home was gone.
    let _ = browser.log();
    world.task("write to ana@example.org");
    browser.open(&at(&world, "/activity?q=tuesday"));
    assert_eq!(browser.until(badge), "whole");
    browser.until_says("same as this browser saw at");
    browser.until_says("Tuesday");
    picture(&browser, "records-search");
    assert_eq!(axe(&browser), json!([]));
    browser.open(&at(&world, "/context?q=write"));
    browser.until_says("Who received what");
    picture(&browser, "records-context");
    assert_eq!(axe(&browser), json!([]));
    browser.open(&at(&world, "/talk?q=write"));
    browser.until_says("Tasks with these words");
    picture(&browser, "records-talk");
    assert_eq!(axe(&browser), json!([]));
    assert_eq!(browser.log(), [""; 0]);
    let seen = world.get("/v1/log/consistency")["to"].as_u64().unwrap();
    // The home goes on from an older copy: its log is another one from there on, whatever its length.
    world.kill();
    for part in ["home/ledger.db", "home/keys.db"] {
        fs::copy(older.join(part), world.data().join(part)).unwrap();
    }
    let _ = fs::remove_file(world.data().join("home/ledger.db-wal"));
    world.serve();
    let_in(&world, &browser);
    browser.open(&at(&world, "/activity"));
    assert_eq!(browser.until(badge), "bad");
    browser.until_says("NOT the log this browser saw");
    picture(&browser, "records-bad");
    while world.get("/v1/status")["log_entries"].as_u64().unwrap() <= seen {
        world.ok(&["log", "export", "-"], "");
    }
    browser.open(&at(&world, "/activity"));
    assert_eq!(browser.until(badge), "bad");
    browser.until_says("was changed");
}

#[test]
fn a_whole_task_is_undone_by_one_answer_and_what_cannot_be_is_told() {
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::call("mail_move", json!({"id": "$ID0", "folder": "Archive"})),
        send("ana@example.org", "Moved", "It is moved."),
        Turn::say("done"),
    ];
    let account = Account::new(turns, 300);
    let world = &account.world;
    let text = "From: spam@example.net\r\nTo: me@example.org\r\nSubject: Win\r\nMessage-ID: <1@example.net>\r\n\r\nWin a prize\r\n";
    account.server.deliver("", "1", text).unwrap();
    account.with_password("full");
    let task = world.task("move the mail to Archive and tell ana@example.org");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "succeeded");
    world.until_task(&id(&task), "answered");
    assert_eq!((account.server.stored("").len(), account.server.stored("Archive").len()), (0, 1));
    assert_eq!(world.fails(&["undo", "--task", &id(&task)], "wrong passphrase").0, 4);
    assert_eq!(account.server.stored("").len(), 0);
    let output = world.run(&["undo", "--task", &id(&task), "--json"], PASSPHRASE);
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((account.server.stored("").len(), account.server.stored("Archive").len()), (1, 0), "{done}");
    assert_eq!(done["undone"].as_array().unwrap().len(), 1, "{done}");
    let left = done["left"].as_array().unwrap();
    assert!(left.len() == 1 && left[0]["id"] == card["id"] && left[0]["why"] != "", "{done}");
    assert_eq!(output.status.code(), Some(1), "something is left");
    // The log alone shows that the person wanted it: with the connection, the mail, and the export itself.
    let file = world.folder.path().join("log");
    fs::write(&file, world.ok(&["log", "export", "-", "--readable"], PASSPHRASE)).unwrap();
    let (code, words) = crate::evidence::verifier(&file, None);
    assert!(code == 10 && words.contains("4 approvals checked") && !words.contains("without evidence"), "{words}");
}

#[test]
fn a_piece_of_a_request_leads_to_the_received_mail_it_came_from() {
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::call("mail_read", json!({"id": "$ID0"})),
        Turn::say("It is about Tuesday."),
    ];
    let account = Account::with_dashboard(turns);
    let world = &account.world;
    let secret = "The wifi password is: hunter2hunter2";
    let text = format!(
        "From: Ana <ana@example.org>\r\nTo: me@example.org\r\nSubject: Tuesday\r\nMessage-ID: <1@example.org>\r\n\r\nCould we meet on Tuesday at ten, in the cafe by the river, where we met last year?\r\n{secret}\r\n"
    );
    account.server.deliver("", "1", &text).unwrap();
    account.with_password("read-only");
    let task = world.task("what does Ana want?");
    let request = world.get(&format!("/v1/tasks/{}/context/2", id(&task)));
    let spans = request["spans"].as_array().unwrap();
    let others: Vec<_> = spans.iter().filter(|span| span["label"] == "others").collect();
    let read = task["actions"].as_array().unwrap().iter().find(|one| one["kind"] == "mail.read").unwrap();
    assert_eq!(
        (others.len(), &others[1]["action"], &others[1]["received"]),
        (2, &read["id"], &json!(true)),
        "{others:#?}"
    );
    assert!(others[0]["action"].is_string() && others[0]["received"] == false, "a list of mails is of no one mail");
    assert!(spans.iter().filter(|span| span["label"] != "others").all(|span| span["action"].is_null()));
    let browser = Browser::start();
    let_in(world, &browser);
    browser.open(&at(world, &format!("/context/{}/2", id(&task))));
    picture(&browser, "context");
    browser.click(".span.l-others a[href$='/original']");
    browser.until_says("The mail as it came");
    assert!(browser.text().contains("in the cafe by the river"), "{}", browser.text());
    assert_eq!(browser.log(), [""; 0]);
}
