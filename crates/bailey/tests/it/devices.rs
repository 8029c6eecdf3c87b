//! What several devices, homes and strangers do to one another, and what is left of a browser's leave after a backup, on a full disk and
//! in time. The browser is a double (`passkeys.rs`); where time goes on, the clock is one as well (`in_time.rs`).

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use bailey_home::Clock;
use bailey_scripted::{Script, Turn};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::in_time::{DAY_MS, InTime};
use crate::passkeys::{Browser, let_in, link};
use crate::support::{PASSPHRASE, World, command, copy_folder, id, send};

/// Approves an action as it is shown; gives the answer.
fn approve(browser: &Browser, card: &Value) -> (u16, Value) {
    let shown = json!({"shown": [{"id": card["id"], "digest": card["digest"]}]});
    let mut body = shown.clone();
    body["proof"] = browser.prove(&json!({"path": "/v1/approvals/approve", "body": shown}));
    browser.ask("POST", "/v1/approvals/approve", &body)
}

/// The browser's own session.
fn this(browser: &Browser) -> String {
    let sessions = browser.ask("GET", "/v1/sessions", &Value::Null).1;
    let this = sessions.as_array().unwrap().iter().find(|one| one["is_this"] == true).unwrap();
    id(this)
}

#[test]
fn passkeys_of_a_backup_put_back_count_only_once_the_passphrase_confirms_them() {
    let (mut world, mut browser) = let_in(vec![]);
    world.kill();
    let backup = world.folder.path().join("backup");
    for part in ["home", "keys", "state"] {
        copy_folder(&world.data().join(part), &backup.join(part));
    }
    // As on a machine that has seen nothing newer: only that it was restored says that something may have been ended since.
    let _ = fs::remove_file(crate::support::witness(&world));
    world.ok(&["restore", backup.to_str().unwrap()], "");
    world.serve();
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401, "its session is over");
    assert_eq!(browser.sign_in().0, 403, "its passkey is in doubt");
    let listed = world.get("/v1/passkeys");
    assert_eq!((&listed[0]["confirmed"], &listed[0]["ended_ms"]), (&json!(false), &Value::Null));
    assert_eq!(world.fails(&["passkey", "confirm"], "wrong words").0, 4);
    assert_eq!(browser.sign_in().0, 403);
    world.ok(&["passkey", "confirm"], PASSPHRASE);
    assert_eq!(browser.sign_in().0, 200);
    assert_eq!(world.get("/v1/passkeys")[0]["confirmed"], true);
}

#[test]
fn what_lets_into_one_home_lets_into_no_other() {
    let turns = || vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")];
    let (one, first) = let_in(turns());
    let other = World::with_dashboard(turns());
    // The same authenticator, with the same key for the same host: nothing but the homes differs.
    let mut second = Browser::new(&other, "first");
    let token = link(&one);
    assert_eq!(second.claim(&token).0, 403, "a link of the other home");
    let (status, claimed) = second.claim(&link(&other));
    assert_eq!(status, 200, "{claimed}");
    let at_one = |browser: &Browser| Browser {
        host: first.host.clone(),
        cookie: browser.cookie.clone(),
        ..Browser::new(&one, "first")
    };
    assert_eq!(at_one(&second).ask("GET", "/v1/status", &Value::Null).0, 401, "a session");
    let code = json!({"code": claimed["recovery_codes"][0]});
    assert_eq!(first.ask("POST", "/v1/browsers/recover", &code).0, 403, "a recovery code");
    let (_, sign_in) = second.ask("POST", "/v1/sessions/challenge", &Value::Null);
    assert_eq!(first.ask("POST", "/v1/sessions", &json!({"proof": first.touch(&sign_in)})).0, 403, "a sign-in");
    // A touch for the very bytes that wait here, by the right passkey, at the right page, to the other home's challenge.
    one.task("write to ana");
    let card = one.waiting();
    let shown = json!({"shown": [{"id": card["id"], "digest": card["digest"]}]});
    let (_, theirs) =
        second.ask("POST", "/v1/challenge/passkey", &json!({"path": "/v1/approvals/approve", "body": shown}));
    let (_, ours) =
        first.ask("POST", "/v1/challenge/passkey", &json!({"path": "/v1/approvals/approve", "body": shown}));
    let mixed = json!({
        "challenge": theirs["challenge"], "webauthn": theirs["webauthn"], "rp": ours["rp"], "passkeys": ours["passkeys"],
    });
    let mut body = shown.clone();
    body["proof"] = first.touch(&mixed);
    assert_eq!(first.ask("POST", "/v1/approvals/approve", &body).0, 403, "a touch for the other home");
    // And a passkey that only the other home knows.
    let mut third = Browser::new(&other, "third");
    assert_eq!(third.claim(&link(&other)).0, 200);
    third.host.clone_from(&first.host);
    assert_eq!(third.sign_in().0, 403, "a passkey");
    assert!(one.sink.arrived().is_empty());
    assert_eq!(approve(&first, &card).0, 200, "its own counts");
}

#[test]
fn a_passkey_that_counts_back_is_refused_and_told_of() {
    let (_world, mut browser) = let_in(vec![]);
    let mut codes = |count: u32| {
        browser.count = count;
        let proof = browser.prove(&json!({"path": "/v1/recovery-codes"}));
        browser.ask("POST", "/v1/recovery-codes", &json!({"proof": proof})).0
    };
    assert_eq!((codes(5), codes(6)), (200, 200));
    assert_eq!((codes(6), codes(3), codes(0)), (403, 403, 403), "a copy of it was used meanwhile, or is used now");
    assert_eq!(codes(7), 200);
    let told = |text: &str| text.contains("The passkey `A test`") || text.contains("passkey `A test` was refused");
    let status = browser.ask("GET", "/v1/status", &Value::Null).1;
    let notices = status["notices"].as_array().unwrap();
    assert_eq!(notices.iter().filter(|notice| told(notice.as_str().unwrap())).count(), 1, "{notices:?}");
    let said = notices.iter().find(|notice| told(notice.as_str().unwrap())).unwrap().as_str().unwrap();
    assert!(said.contains("as if there were a copy of it") && said.contains("bailey passkey end"), "{said}");
    let page = browser.request(&browser.own(), "GET", "/approvals", "", "accept: text/html\r\n").2;
    assert!(page.contains("as if there were a copy of it"), "it is not on the page");
}

/// Strangers at once, and what each asks.
const STRANGERS: usize = 150;

#[test]
fn strangers_who_ask_without_end_keep_nobody_out_who_is_signed_in() {
    let (world, browser) = let_in(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    world.task("write to ana");
    let card = world.waiting();
    let (over, begun) = (AtomicBool::new(false), Barrier::new(STRANGERS + 1));
    let stranger = || Browser { host: browser.host.clone(), ..Browser::new(&world, "stranger") };
    let junk = json!({"proof": stranger().touch(&stranger().ask("POST", "/v1/sessions/challenge", &Value::Null).1)});
    let answered = std::thread::scope(|scope| {
        for _ in 0..STRANGERS {
            scope.spawn(|| {
                let stranger = stranger();
                begun.wait();
                while !over.load(Ordering::Relaxed) {
                    // Whether it is heard, refused or cut off is its own trouble.
                    let _ = std::panic::catch_unwind(|| stranger.ask("POST", "/v1/sessions", &junk));
                }
            });
        }
        begun.wait();
        let asked = |path: &str| browser.request(&browser.own(), "GET", path, "", "accept: text/html\r\n").0;
        let mut answered = BTreeMap::new();
        for _ in 0..40 {
            for path in ["/v1/status", "/approvals", "/v1/approvals"] {
                *answered.entry((path, asked(path))).or_insert(0) += 1;
            }
        }
        let approved = approve(&browser, &card).0;
        let paused = browser.ask("POST", "/v1/pause", &Value::Null).0;
        over.store(true, Ordering::Relaxed);
        *answered.entry(("approve", approved)).or_insert(0) += 1;
        *answered.entry(("pause", paused)).or_insert(0) += 1;
        answered
    });
    assert!(answered.keys().all(|(_, status)| *status == 200), "{answered:?}");
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).1["mode"], "paused");
    // Who signs in is heard as well, behind them.
    let mut again = Browser { host: browser.host.clone(), ..Browser::new(&world, "first") };
    assert_eq!(again.sign_in().0, 200);
}

#[test]
fn while_the_home_does_not_answer_a_browser_is_shown_one_page_that_says_so() {
    let (world, browser) = let_in(vec![]);
    let (supervisor, home) = (i32::try_from(world.supervisor()).unwrap(), world.child("home-process"));
    let signal = |pid: i32, signal| kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    // Nobody starts it anew meanwhile.
    signal(supervisor, Signal::STOP);
    signal(home, Signal::KILL);
    let asked = |browser: &Browser, path: &str, more: &str| browser.request(&browser.own(), "GET", path, "", more);
    let html = "accept: text/html\r\n";
    let nobody = Browser { cookie: String::new(), host: browser.host.clone(), ..Browser::new(&world, "nobody") };
    World::until_true("the home is still there", || asked(&browser, "/approvals", html).0 == 502);
    let (_, head, page) = asked(&browser, "/approvals", html);
    let other = asked(&nobody, "/talk?q=secret", html);
    let program = asked(&browser, "/v1/status", "");
    signal(supervisor, Signal::CONT);
    assert!(page.contains("Your home does not answer") && page.contains("bailey unlock"), "{page}");
    assert_eq!((other.0, &other.2), (502, &page), "there is nothing of anybody in it");
    for field in
        ["content-security-policy: default-src 'none'; ", "cache-control: no-store", "referrer-policy: no-referrer"]
    {
        assert!(head.contains(field), "{head}");
    }
    for loads in ["src=", "url(", "<script", "<form", "<link"] {
        assert!(!page.contains(loads), "{page}");
    }
    let said: Value = serde_json::from_str(&program.2).unwrap();
    assert_eq!((program.0, said["code"].as_str()), (502, Some("not-running")));
    world.until_answering();
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 200, "and goes on once it is there");
}

/// A small file system, unmounted at the end.
struct SmallDisk<'a>(&'a Path);

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = command("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn ending_a_session_on_a_full_disk_holds_also_after_the_next_start() {
    // A file system that fills up takes root.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let mut world = World::unset();
    let data = world.data();
    fs::create_dir_all(&data).unwrap();
    assert!(command("mount").args(["-t", "tmpfs", "-o", "size=12m", "none"]).arg(&data).status().unwrap().success());
    let disk = SmallDisk(&data);
    world.ok(&["setup"], PASSPHRASE);
    world.hold(0);
    world.take_port();
    world.serve();
    let mut browser = Browser::new(&world, "first");
    assert_eq!(browser.claim(&link(&world)).0, 200);
    let mut other = Browser::new(&world, "first");
    assert_eq!(other.sign_in().0, 200);
    let filler = data.join("filler");
    // Written to its last byte; then until nothing can be recorded any more.
    let written = std::io::copy(&mut std::io::repeat(0), &mut fs::File::create(&filler).unwrap());
    assert!(written.is_err());
    World::until_true("the disk never was full", || {
        world.post("/v1/rules/suggestions/x/dismiss", &Value::Null);
        world.post("/v1/log/export", &Value::Null).1["code"] == "disk-full"
    });
    let (status, said) = other.ask("POST", &format!("/v1/sessions/{}/end", this(&browser)), &Value::Null);
    assert_eq!((status, said["code"].as_str()), (507, Some("disk-full")), "it is said that it was not recorded");
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401, "and it has ended all the same");
    assert_eq!(other.ask("GET", "/v1/status", &Value::Null).0, 200);
    world.kill();
    fs::remove_file(&filler).unwrap();
    world.serve();
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401, "it came back with the next start");
    assert_eq!(browser.sign_in().0, 200);
    world.kill();
    drop(disk);
}

/// What a device does to a waiting action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Approve,
    Edit,
    Reject,
}

/// Every pair of them, and one of each with itself.
const PAIRS: [(Does, Does); 6] = [
    (Does::Approve, Does::Approve),
    (Does::Approve, Does::Edit),
    (Does::Approve, Does::Reject),
    (Does::Edit, Does::Edit),
    (Does::Edit, Does::Reject),
    (Does::Reject, Does::Reject),
];
/// How often each pair meets.
const ROUNDS: usize = 12;

#[test]
fn of_two_devices_that_answer_at_once_one_counts_and_the_other_is_told() {
    let mails = (0..PAIRS.len()).map(|n| {
        (
            "mail_send",
            json!({"to": format!("ana{n}@example.org"), "subject": "Tuesday", "body": "Yes.", "why": "asked"}),
        )
    });
    let (world, first) = let_in(vec![Turn::calls(mails.collect()), Turn::say("ok")]);
    let proof = first.prove(&json!({"path": "/v1/browsers/link"}));
    let (_, made) = first.ask("POST", "/v1/browsers/link", &json!({"proof": proof}));
    let mut second = Browser::new(&world, "second");
    assert_eq!(second.claim(made["token"].as_str().unwrap()).0, 200);
    let (mut won, mut arrived) = (BTreeMap::new(), 0);
    for round in 0..ROUNDS {
        world.task("write to ana0@example.org, ana1@example.org, ana2@example.org, ana3@example.org, ana4@example.org and ana5@example.org");
        let cards = world.approvals();
        assert_eq!(cards.len(), PAIRS.len());
        for ((one, other), card) in PAIRS.into_iter().zip(&cards) {
            // Asked for and touched before; only the answers meet.
            let asks = |browser: &Browser, does: Does| {
                let id = card["id"].as_str().unwrap();
                let shown = json!({"shown": [{"id": id, "digest": card["digest"]}]});
                match does {
                    Does::Approve => {
                        let mut body = shown.clone();
                        body["proof"] = browser.prove(&json!({"path": "/v1/approvals/approve", "body": shown}));
                        ("/v1/approvals/approve".to_owned(), body)
                    }
                    Does::Edit => (format!("/v1/approvals/{id}/edit"), json!({"subject": "Wednesday"})),
                    Does::Reject => ("/v1/approvals/reject".to_owned(), json!({"ids": [id]})),
                }
            };
            let (of_first, of_second) = (asks(&first, one), asks(&second, other));
            let meet = Barrier::new(2);
            let answer = |browser: &Browser, (path, body): &(String, Value)| {
                meet.wait();
                browser.ask("POST", path, body)
            };
            let answers = std::thread::scope(|scope| {
                let second = scope.spawn(|| answer(&second, &of_second));
                [answer(&first, &of_first), second.join().unwrap()]
            });
            let what = format!("round {round}, {one:?} and {other:?}: {answers:?}");
            let counted = [one, other].into_iter().zip(&answers).filter(|(_, (status, _))| *status == 200);
            let counted: Vec<Does> = counted.map(|(does, _)| does).collect();
            let [does] = counted.as_slice() else { panic!("{what}") };
            *won.entry(format!("{one:?}-{other:?}: {does:?}")).or_insert(0) += 1;
            let (_, refused) = answers.iter().find(|(status, _)| *status != 200).unwrap();
            let (code, said) = (refused["code"].as_str().unwrap(), refused["message"].as_str().unwrap());
            assert_eq!(code, "conflict", "{what}");
            assert!(said.contains("nothing was changed") && said.contains("look at it again"), "{what}");
            match does {
                Does::Approve => {
                    world.until(&id(card), "succeeded");
                    arrived += 1;
                }
                Does::Edit => {
                    assert_eq!(state(&world, card), "superseded", "{what}");
                    let anew = world.approvals();
                    let anew = anew.iter().find(|one| !cards.iter().any(|card| card["id"] == one["id"])).unwrap();
                    assert_eq!(
                        first.ask("POST", "/v1/approvals/reject", &json!({"ids": [anew["id"]]})).0,
                        200,
                        "{what}"
                    );
                }
                Does::Reject => assert_eq!(state(&world, card), "rejected", "{what}"),
            }
            assert_eq!(world.sink.arrived().len(), arrived, "{what}");
        }
        assert!(world.approvals().is_empty());
    }
    assert_eq!(won.values().sum::<usize>(), ROUNDS * PAIRS.len(), "{won:?}");
    assert!(world.sink.arrived().iter().all(|mail| !String::from_utf8_lossy(&mail.bytes).contains("Wednesday")));
}

fn state(world: &World, card: &Value) -> Value {
    world.get(&format!("/v1/actions/{}", id(card)))["state"].clone()
}

/// A home in a time of its own whose dashboard has a name, and a browser that was let in. Whoever looks by the command line counts as
/// being there, so nothing here does from then on.
fn in_time(turns: Vec<Turn>) -> (World, InTime, Browser) {
    let world = World::with_scripts(vec![Script { turns, ..Script::default() }], 0);
    let port = world.take_port();
    let home = InTime::open(&world, Clock::new(Some("Europe/Paris")).unwrap());
    world.connect("send");
    world.ok(&["rules", "add", "mail to @example.org while I am there: go ahead"], PASSPHRASE);
    let mut browser = Browser::at_socket(&world, port, "first");
    assert_eq!(browser.claim(&link(&world)).0, 200);
    (world, home, browser)
}

/// What the person does on a page, as browsers say it.
const BY_HAND: &str =
    "accept: text/html\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\nsec-fetch-user: ?1\r\n";

/// What an open page asks by itself: its stream, itself anew, and its status.
fn asks_by_itself(browser: &Browser) {
    let own = browser.own();
    let status = |path: &str, more: &str| browser.request(&own, "GET", path, "", more).0;
    assert_eq!(status("/v1/status", ""), 200);
    assert_eq!(status("/approvals", "accept: text/html\r\n"), 200);
    let cookie = &browser.cookie;
    let stream = format!(
        "GET /v1/events HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\nsec-fetch-site: same-origin\r\n\r\n",
        browser.host
    );
    let mut first = [0; 12];
    browser.say(&stream).read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
}

const MINUTE_MS: i64 = 60 * 1_000;

#[test]
fn an_open_dashboard_by_itself_is_nobody_being_there() {
    let held = Turn { hold: true, ..send("ana@example.org", "Tuesday", "Yes.") };
    for (by_hand, expected) in [(false, "awaiting"), (true, "succeeded")] {
        let (world, home, browser) = in_time(vec![held.clone(), Turn::say("ok")]);
        // Given by hand; while the model thinks, the person goes.
        assert_eq!(browser.ask("POST", "/v1/tasks", &json!({"words": "write to ana@example.org"})).0, 200);
        World::until_true("the model was never asked", || !world.provider.requests().is_empty());
        for _ in 0..3 {
            home.clock.go_on(MINUTE_MS);
            asks_by_itself(&browser);
        }
        if by_hand {
            assert_eq!(browser.request(&browser.own(), "GET", "/approvals", "", BY_HAND).0, 200);
        }
        world.provider.release();
        let mut last = Value::Null;
        World::until_true("the mail never came", || {
            last = browser.ask("GET", "/v1/actions", &Value::Null).1[0].clone();
            let state = last["state"].as_str().unwrap_or_default();
            ["awaiting", "succeeded"].contains(&state)
        });
        assert_eq!(last["state"], expected, "by hand: {by_hand}");
        assert_eq!(world.sink.arrived().len(), usize::from(by_hand));
    }
}

#[test]
fn a_session_ends_when_nobody_has_used_it_for_two_weeks_whatever_its_page_asks() {
    let (_world, home, mut browser) = in_time(vec![]);
    let by_hand = |browser: &Browser| browser.request(&browser.own(), "GET", "/approvals", "", BY_HAND).0;
    assert_eq!(by_hand(&browser), 200);
    for _ in 0..13 {
        home.clock.go_on(DAY_MS);
        asks_by_itself(&browser);
    }
    // What the person does keeps it, for as long again.
    assert_eq!(by_hand(&browser), 200);
    for _ in 0..13 {
        home.clock.go_on(DAY_MS);
        asks_by_itself(&browser);
    }
    home.clock.go_on(DAY_MS);
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401, "two weeks have passed");
    assert_eq!(by_hand(&browser), 303, "and nobody revives it");
    // However much it is used, it ends after ninety days.
    assert_eq!(browser.sign_in().0, 200);
    for _ in 0..8 {
        home.clock.go_on(11 * DAY_MS);
        assert_eq!(by_hand(&browser), 200);
    }
    home.clock.go_on(2 * DAY_MS);
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401, "ninety days have passed");
}
