//! What is under way when the home ends: it is told at the next start, nothing of it is lost, and nothing happens by itself.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailey_gate::approval::Purpose;
use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::servers;

use crate::dashboard::{at, axe, let_in, picture};
use crate::support::{PASSPHRASE, World, id, put_record, send};
use crate::webdriver::Browser;

/// A double of the way to a calendar server: closed, it takes connections and lets nothing through.
struct Way {
    port: u16,
    open: Arc<AtomicBool>,
    held: Arc<AtomicBool>,
}

impl Way {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, held) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let (is_open, holds) = (Arc::clone(&open), Arc::clone(&held));
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for client in listener.incoming().flatten() {
                if !is_open.load(Ordering::Relaxed) {
                    holds.store(true, Ordering::Relaxed);
                    kept.push(client);
                    continue;
                }
                std::thread::spawn(move || {
                    let upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
                    let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Write);
                    });
                    let (mut from, mut to) = (upstream, client);
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        });
        Self { port, open, held }
    }

    fn close(&self) {
        self.held.store(false, Ordering::Relaxed);
        self.open.store(false, Ordering::Relaxed);
    }

    fn until_held(&self) {
        World::until_true("nobody came", || self.held.load(Ordering::Relaxed));
    }

    fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }
}

/// A calendar server, and a way to it.
fn calendar(world: &World) -> (servers::CalendarServer, Way, String) {
    let folder = world.folder.path().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    let url = server.url();
    let (_, rest) = url.split_once("://").unwrap();
    let (place, path) = rest.split_once('/').unwrap();
    let way = Way::to(place.rsplit_once(':').unwrap().1.parse().unwrap());
    let url = format!("http://127.0.0.1:{}/{path}", way.port);
    (server, way, url)
}

/// What is listed below each heading of the page of an undo.
const LISTED: &str = "return Object.fromEntries([...document.querySelectorAll('main section')].map(part => [part.querySelector('h2').textContent, part.querySelectorAll('li').length]))";

#[test]
fn an_undo_that_the_home_did_not_live_to_the_end_of_is_told_and_offered_again() {
    let entry = |n: u32| {
        ("calendar_create", json!({"what": format!("Call {n}"), "begins": format!("{n} March 2027 at 15:00")}))
    };
    let turns = vec![
        Turn::calls((2..5).map(entry).collect()),
        send("ana@example.org", "Calls", "They are in my calendar."),
        Turn::say("done"),
    ];
    let mut world = World::with_dashboard(turns);
    let (server, way, url) = calendar(&world);
    let arguments = ["connect", "calendar", url.as_str(), "--user", servers::ACCOUNT, "--level", "full"];
    world.ok(&arguments, &format!("{PASSPHRASE}\n{}", servers::APP_PASSWORD));
    world.ok(&["rules", "add", "new calendar entries: go ahead"], PASSPHRASE);
    let task = world.task("put calls on 2, 3 and 4 March 2027 at 15:00 into my calendar, and tell ana@example.org");
    World::until_true("the mail never waited", || world.approvals().len() == 1);
    assert_eq!(server.stored().len(), 3);
    // Its way is closed behind the beginning, and the home ends.
    let plan = world.get(&format!("/v1/tasks/{}/undo", id(&task)));
    let of = |fate: &str| -> Vec<String> {
        let steps = plan["steps"].as_array().unwrap().iter();
        steps.filter(|step| step["fate"] == fate).map(|step| id(&step["action"])).collect()
    };
    let (undo, take_back) = (of("undo"), of("take-back"));
    assert_eq!((undo.len(), take_back.len()), (3, 1), "{plan:#}");
    let all = undo.iter().map(|id| id.parse().unwrap()).collect();
    let proof = world.prove(&Purpose::UndoAll(all), PASSPHRASE);
    way.close();
    let body = json!({"undo": undo, "take_back": take_back, "proof": proof});
    let (code, begun) = world.post(&format!("/v1/tasks/{}/undo", id(&task)), &body);
    assert_eq!((code, &begun["running"]), (200, &json!(true)), "{begun:#}");
    way.until_held();
    world.kill();
    way.open();
    world.serve();
    // It is told wherever somebody looks, and nothing was undone by itself.
    let notices = world.get("/v1/status")["notices"].to_string();
    assert!(notices.contains("Undoing a task broke off") && notices.contains(&id(&task)), "{notices}");
    assert_eq!(server.stored().len(), 3);
    let plan = world.get(&format!("/v1/tasks/{}/undo", id(&task)));
    assert!(plan["broken_off_ms"].is_i64() && plan["running"] == false, "{plan:#}");
    world.until(&take_back[0], "cancelled");
    let browser = Browser::start();
    let_in(&world, &browser);
    browser.open(&at(&world, &format!("/talk/{}/undo", id(&task))));
    browser.until_says("broke off: Bailey ended meanwhile");
    assert_eq!(browser.run(LISTED), json!({"Will be undone": 3}));
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "undo-broken-off");
    browser.click("form[data-touch$='/undo'] button");
    browser.until_says("Nothing is left to undo");
    World::until_true("the calls are still there", || server.stored().is_empty());
    // Over with: the next start tells nothing.
    world.restart();
    assert!(!world.get("/v1/status")["notices"].to_string().contains("broke off"));
    assert_eq!(world.get(&format!("/v1/tasks/{}/undo", id(&task)))["broken_off_ms"], Value::Null);
}

#[test]
fn what_was_to_be_taken_back_with_a_task_is_taken_back_at_the_next_start() {
    let mut world = World::with_dashboard(vec![send("ana@example.org", "Hi", "Hello."), Turn::say("ok")]);
    let task = world.task("write to ana@example.org");
    let waits = world.waiting();
    world.kill();
    // As it lies there when the home ends between the answer and the first step of it.
    let owner: [u8; 16] = *id(&task).parse::<bailey_gate::TaskId>().unwrap().as_bytes();
    let begun_ms = waits["at_ms"].as_i64().unwrap();
    let kept = json!({"begun_ms": begun_ms, "take_back": [id(&waits)], "undo": []});
    put_record(&world.data(), "undoing", &owner, kept.to_string().as_bytes());
    world.serve();
    world.until(&id(&waits), "cancelled");
    assert!(world.approvals().is_empty() && world.sink.arrived().is_empty());
    assert!(!world.get("/v1/status")["notices"].to_string().contains("broke off"), "nothing is left of it");
}

#[test]
fn connecting_that_the_home_did_not_live_to_the_end_of_is_told_and_begun_again_with_what_was_typed() {
    let mut world = World::with_dashboard(vec![Turn::say("ok")]);
    let (server, way, url) = calendar(&world);
    let browser = Browser::start();
    let_in(&world, &browser);
    way.close();
    browser.open(&at(&world, "/connect?kind=calendar"));
    browser.write("[name=user]", servers::ACCOUNT);
    browser.write("[name=url]", &url);
    browser.click("form[action='/do/connect/find'] button");
    browser.until_says("App password");
    browser.write("[name=password]", servers::APP_PASSWORD);
    browser.click("[name=level][value=full]");
    browser.click("form[data-touch='/v1/connections'] button");
    way.until_held();
    assert_eq!(world.get("/v1/connecting")[0]["trouble"], Value::Null);
    world.kill();
    way.open();
    world.serve();
    let said = world.ok(&["connections"], "");
    assert!(said.contains("Bailey ended meanwhile"), "{said}");
    browser.open(&at(&world, "/connections"));
    browser.until_says("was not connected: Bailey ended meanwhile");
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "connecting-broken-off");
    // All is there but the password, which nothing kept.
    browser.click("#under-way a.button");
    browser.until_says("App password");
    assert!(browser.text().contains(&format!("127.0.0.1:{}", way.port)), "{}", browser.text());
    assert_eq!(browser.run("return document.querySelector('[name=level][value=full]').checked"), true);
    assert_eq!(browser.run("return document.querySelector('[name=password]').value"), "");
    browser.write("[name=password]", "not-the-password");
    browser.click("form[data-touch='/v1/connections'] button");
    World::until_true("it was never refused", || {
        world.get("/v1/connecting")[0]["trouble"].as_str().is_some_and(|why| !why.contains("ended meanwhile"))
    });
    assert_eq!(world.get("/v1/connecting").as_array().unwrap().len(), 1, "one account, one word about it");
    // What failed outlives a restart as well, until it is dismissed.
    world.restart();
    assert_eq!(world.get("/v1/connecting").as_array().unwrap().len(), 1);
    browser.open(&at(&world, "/connections"));
    browser.click("#under-way form button");
    browser.until("return !document.querySelector('#under-way form')");
    assert_eq!(world.get("/v1/connecting"), json!([]));
    world.restart();
    assert_eq!(world.get("/v1/connecting"), json!([]));
    assert_eq!(world.post("/v1/connecting/x/dismiss", &Value::Null).0, 404);
    drop(server);
}

#[test]
fn more_than_one_answer_undoes_is_said_and_undone_by_the_next() {
    const FILES: usize = 53;
    let write = |n: usize| ("file_write", json!({"path": format!("f{n:02}.txt"), "text": "x"}));
    let mut turns: Vec<Turn> = (0..FILES)
        .collect::<Vec<_>>()
        .chunks(10)
        .map(|some| Turn::calls(some.iter().map(|n| write(*n)).collect()))
        .collect();
    turns.push(Turn::say("done"));
    let world = World::with_dashboard(turns);
    world.ok(&["rules", "add", "files: go ahead"], PASSPHRASE);
    let task = world.task("write 53 files");
    world.until_task(&id(&task), "answered");
    let lie = || world.get("/v1/files?folder=")["files"].as_array().unwrap().len();
    assert_eq!(lie(), FILES.min(50), "a folder is told in parts");
    let browser = Browser::start();
    let_in(&world, &browser);
    browser.open(&at(&world, &format!("/talk/{}/undo", id(&task))));
    assert_eq!(browser.run(LISTED), json!({"Will be undone": 50, "After these, by another touch": 3}));
    browser.until_says("One touch undoes at most 50: 3 further actions are offered here after these.");
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "undo-many");
    browser.click("form[data-touch$='/undo'] button");
    browser.until(
        "return document.querySelectorAll('.undoing li').length > 50 && /Undo 3 actions/.test(document.body.innerText)",
    );
    assert_eq!(browser.run(LISTED), json!({"Will be undone": 3, "Undone": 50}));
    assert_eq!(lie(), 3);
    browser.click("form[data-touch$='/undo'] button");
    browser.until_says("Nothing is left to undo");
    assert_eq!(lie(), 0);
    assert_eq!(browser.log(), [""; 0]);
}
