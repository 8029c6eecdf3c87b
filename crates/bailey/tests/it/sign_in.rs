//! Signing in where servers are not as the standards say, and sign-ins that end. The authorization server is the certified one;
//! what others do differently is a double before it (`xtask/servers/quirks.mjs`).

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};

use bailey_scripted::{Script, Turn};
use serde_json::{Value, json};
use xtask::servers;

use crate::dashboard::{at, axe, let_in, picture};
use crate::support::{Account, PASSPHRASE, World, send};
use crate::webdriver::Browser;

/// Seconds a token lives that has to be renewed before every use.
const SOON: u32 = 15;

fn look() -> Turn {
    Turn::call("mail_search", json!({}))
}

fn succeeded(task: &Value) {
    assert_eq!(task["actions"][0]["state"], "succeeded", "{task:#}");
}

#[test]
fn servers_that_differ_from_the_standards_sign_in_and_renew() {
    let account = Account::new(vec![look(), Turn::say("ok")], SOON);
    for quirks in [json!({"metadata": "rfc8414", "answers": "text"}), json!({"answers": "form"})] {
        account.issuer.differ(&quirks).unwrap();
        let output = account.sign_in("read-only", |url| url);
        assert!(output.status.success(), "{quirks}: {}", String::from_utf8_lossy(&output.stderr));
        let card: Value = serde_json::from_slice(&output.stdout).unwrap();
        let before = account.issuer.issued().unwrap().len();
        succeeded(&account.world.task("look at my mail"));
        assert!(account.issuer.issued().unwrap().len() > before, "{quirks}: it was not renewed");
        account.world.ok(&["revoke", card["id"].as_str().unwrap()], "");
    }
}

#[test]
fn a_bad_minute_of_the_provider_costs_nothing_while_a_token_holds() {
    let account = Account::new(vec![look(), Turn::say("ok")], 300);
    let output = account.sign_in("read-only", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    account.issuer.differ(&json!({"busy": 1_000})).unwrap();
    let issued = account.issuer.issued().unwrap().len();
    succeeded(&account.world.task("look at my mail"));
    assert_eq!(account.issuer.issued().unwrap().len(), issued, "the first token was used");
    account.issuer.differ(&json!({})).unwrap();
    succeeded(&account.world.task("look at my mail again"));
    assert!(account.issuer.issued().unwrap().len() > issued, "it is renewed once the provider can");
    assert_eq!(account.world.data_of(&["connections"])[0]["sign_in"], "");
}

#[test]
fn a_provider_is_not_asked_again_before_it_wants_to_be() {
    let account = Account::new(vec![look(), Turn::say("ok")], 300);
    let output = account.sign_in("read-only", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A token that holds no more: the renewal waits as long as the provider says, which is longer than it would by itself.
    let issued = || account.issuer.issued().unwrap().len();
    let before = issued();
    account.issuer.differ(&json!({"over": 1, "away": 4_000})).unwrap();
    succeeded(&account.world.task("look at my mail"));
    assert!(issued() > before, "it was renewed");
}

#[test]
fn a_provider_that_is_away_for_long_is_left_alone() {
    let account = Account::new(vec![look(), Turn::say("ok")], 300);
    let output = account.sign_in("read-only", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let issued = account.issuer.issued().unwrap().len();
    account.issuer.differ(&json!({"away": 1_800_000})).unwrap();
    succeeded(&account.world.task("look at my mail"));
    account.issuer.differ(&json!({})).unwrap();
    succeeded(&account.world.task("look at my mail again"));
    assert_eq!(account.issuer.issued().unwrap().len(), issued, "it asked for half an hour");
}

#[test]
fn a_token_that_is_refused_before_its_time_is_renewed_once_and_no_more() {
    let scripts = [("look", vec![look(), Turn::say("ok")]), ("write", vec![send("ana@example.org", "s", "b")])];
    let scripts = scripts.map(|(word, turns)| Script { task_contains: word.into(), turns, ..Script::default() });
    let account = Account::with_scripts(scripts.into(), 3_600);
    let world = &account.world;
    let output = account.sign_in("send", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The first use renews in any case: how long the first token lives was not kept.
    succeeded(&world.task("look at my mail"));
    let issued = || account.issuer.issued().unwrap().len();
    let tokens = issued();
    world.task("write to Ana");
    account.issuer.differ(&json!({"over": 1})).unwrap();
    world.ok(&["approve"], PASSPHRASE);
    World::until_true("it was never sent", || world.sink.arrived().len() == 1);
    let renewed = issued();
    assert!(renewed > tokens, "it was renewed");

    account.issuer.differ(&json!({"over": 1_000})).unwrap();
    for _ in 0..2 {
        let task = world.task("look at my mail again");
        assert_ne!(task["actions"][0]["state"], "succeeded", "{task:#}");
        assert!(task.to_string().contains("refused to let us in"), "{task:#}");
    }
    assert_eq!(issued(), renewed, "a server that refuses every token costs no renewal at each use");
    account.issuer.differ(&json!({})).unwrap();
    succeeded(&world.task("look at my mail once more"));
}

#[test]
fn a_sign_in_that_is_over_is_told_everywhere_and_by_the_task_that_needed_it() {
    let account = Account::new(vec![look(), Turn::say("I could not look.")], SOON);
    let world = &account.world;
    let output = account.sign_in("read-only", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    succeeded(&world.task("look at my mail"));
    account.issuer.remove_access(servers::ACCOUNT).unwrap();

    let task = world.task("look at my mail");
    let told = task["actions"].as_array().unwrap().iter().find(|action| action["kind"] == "reply").unwrap();
    let words =
        format!("Sign in again: the provider renews the sign-in of `{}` no more (invalid_grant)", servers::ACCOUNT);
    assert!(told["body"].as_str().unwrap().contains(&words), "{task:#}");
    let connections = world.data_of(&["connections"]);
    assert!(connections[0]["sign_in"].as_str().unwrap().starts_with("sign in again"), "{connections:#}");
    let status = world.data_of(&["status"]);
    assert!(status["notices"].to_string().contains(&words), "{status:#}");
    let doctor = world.bailey(&["doctor"]).output().unwrap();
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("Sign in again"), "{doctor:?}");
    let log = world.data_of(&["log", "list", "--limit", "500"]);
    let over = log.as_array().unwrap().iter().filter(|entry| entry["payload"]["sign_in"] == "over");
    assert_eq!(over.count(), 1, "once, however often it is tried");

    // Signed in again, and the old one ended, nothing is said any more.
    let old = connections[0]["id"].as_str().unwrap();
    world.ok(&["revoke", old], "");
    let output = account.sign_in("read-only", |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    succeeded(&world.task("look at my mail"));
    assert_eq!(world.data_of(&["status"])["notices"], json!([]));
}

#[test]
fn a_first_sign_in_is_not_told_that_a_password_was_taken_back() {
    let account = Account::new(vec![], 300);
    let arguments = account.arguments("read-only", &["--app-password"]);
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (_, said) = account.world.fails(&words, &format!("{PASSPHRASE}\nnot-the-password"));
    assert!(said.contains("check who signs in and the password") && !said.contains("taken back"), "{said}");
}

/// A double of calendar servers that take tokens alone, such as Google's: it lets through what shows a token of this issuer's,
/// to a real calendar server with a password. It does not prove that Google's own server answers like this one.
///
/// Tokens that are `over` it takes no more.
fn takes_tokens_alone(server: u16, issuer: u16, over: Arc<Mutex<Vec<String>>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move |mut client: TcpStream| -> std::io::Result<()> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            client.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let field = |name: &str| {
            let of = |line: &str| {
                line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned())
            };
            head.lines().find_map(of)
        };
        let mut body = vec![0; field("content-length").and_then(|n| n.parse().ok()).unwrap_or(0)];
        client.read_exact(&mut body)?;
        let issued = servers::issued_at(issuer).unwrap_or_default();
        let shown = field("authorization").and_then(|shown| shown.strip_prefix("Bearer ").map(str::to_owned));
        if !shown.is_some_and(|token| issued.contains(&token) && !over.lock().unwrap().contains(&token)) {
            return client.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
        let basic = base64_of(&format!("{}:{}", servers::ACCOUNT, servers::APP_PASSWORD));
        let others = head.lines().filter(|line| !line.to_lowercase().starts_with("authorization:") && !line.is_empty());
        let head = others.collect::<Vec<_>>().join("\r\n");
        let mut upstream = TcpStream::connect(("127.0.0.1", server))?;
        upstream.write_all(format!("{head}\r\nauthorization: Basic {basic}\r\n\r\n").as_bytes())?;
        upstream.write_all(&body)?;
        std::io::copy(&mut upstream, &mut client).map(|_| ())
    };
    std::thread::spawn(move || listener.incoming().flatten().for_each(|client| drop(serve(client))));
    port
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn a_calendar_that_takes_tokens_alone_is_signed_in_to_with_a_browser() {
    let create = Turn::call("calendar_create", json!({"what": "Call", "begins": "tomorrow at 15:00"}));
    let account = Account::new(vec![create, Turn::say("ok")], 300);
    let over = Arc::new(Mutex::new(Vec::new()));
    let folder = account.world.folder.path().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    let url = server.url();
    let (_, rest) = url.split_once("://").unwrap();
    let (place, path) = rest.split_once('/').unwrap();
    let port =
        takes_tokens_alone(place.rsplit_once(':').unwrap().1.parse().unwrap(), account.issuer.port, Arc::clone(&over));
    let address = format!("http://127.0.0.1:{port}/{path}");
    let issuer = account.issuer.url();
    let arguments =
        ["connect", "calendar", &address, "--user", servers::ACCOUNT, "--level", "full", "--oauth", &issuer, "--json"];
    let arguments = arguments.map(str::to_owned);
    let output = account.sign_in_with(&arguments, PASSPHRASE, |url| url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    succeeded(&account.world.task("add the call to my calendar"));
    assert!(server.stored()[0].contains("SUMMARY:Call"), "{:?}", server.stored());
    // What it takes no more is renewed before the write, which happens once.
    *over.lock().unwrap() = account.issuer.issued().unwrap();
    succeeded(&account.world.task("add the call to my calendar again"));
    assert_eq!(server.stored().len(), 2, "{:?}", server.stored());
    let card: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = account.world.data_of(&["revoke", card["id"].as_str().unwrap()]);
    assert_eq!(said["at_provider"], "confirmed", "{said}");
    // The log shows what the person signed to connect it; a verifier of its own reads that.
    let verified = account.world.bailey(&["log", "verify"]).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(said.contains("every payload is in the file and fits its entry"), "{verified:?}");
}

/// Connects a calendar on the page, by a browser.
#[test]
fn a_calendar_is_connected_on_the_page_by_a_browser_and_nothing_that_was_typed_is_lost() {
    let create = Turn::call("calendar_create", json!({"what": "Call", "begins": "tomorrow at 15:00"}));
    let account = Account::with_dashboard(vec![create, Turn::say("ok")]);
    let world = &account.world;
    let folder = world.folder.path().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    let url = server.url();
    let (_, rest) = url.split_once("://").unwrap();
    let (place, path) = rest.split_once('/').unwrap();
    let over = Arc::new(Mutex::new(Vec::new()));
    let port = takes_tokens_alone(place.rsplit_once(':').unwrap().1.parse().unwrap(), account.issuer.port, over);
    let browser = Browser::start();
    let_in(world, &browser);
    let value = |name: &str| browser.run(&format!("return document.querySelector('[name={name}]').value"));
    // At Google no password opens a calendar; whoever tries is told, and finds what they typed.
    for kind in ["calendar", "contacts"] {
        browser.open(&at(world, &format!("/connect?kind={kind}")));
        browser.write("[name=user]", "me@gmail.com");
        browser.click("form[action='/do/connect/find'] button");
        browser.until_says("by a sign-in on its own page alone");
        assert_eq!(value("user"), "me@gmail.com");
        browser.click("#oauth summary");
        browser.write("[name=issuer]", "https://accounts.google.com");
        browser.write("[name=client_id]", "mine.apps.googleusercontent.com");
        browser.click("form[action='/do/connect/find'] button");
        browser.until_says("Then it sends your browser back");
        let says = browser.text();
        let there = if kind == "calendar" {
            "/caldav/v2/me@gmail.com/events/"
        } else {
            "/carddav/v1/principals/me@gmail.com/lists/default/"
        };
        assert!(says.contains(there) && says.contains("/oauth/back"), "{says}");
    }
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "connect-calendar");
    // A server of one's own, behind a double that takes tokens alone.
    browser.open(&at(world, "/connect?kind=calendar"));
    browser.write("[name=user]", servers::ACCOUNT);
    browser.write("[name=url]", &format!("http://127.0.0.1:{port}/{path}"));
    browser.click("#oauth summary");
    browser.write("[name=issuer]", &account.issuer.url());
    browser.write("[name=client_id]", "at-the-dashboard");
    browser.click("form[action='/do/connect/find'] button");
    browser.until_says("Then it sends your browser back");
    browser.click("[name=level][value=full]");
    browser.click("form[data-touch='/v1/sign-ins'] button");
    browser.until_says("works: it was tried out");
    succeeded(&world.task("add the call to my calendar"));
    assert!(server.stored()[0].contains("SUMMARY:Call"), "{:?}", server.stored());
    assert_eq!(browser.log(), [""; 0]);
}

/// A double of a calendar server that takes its time: it answers nothing until it is let.
fn takes_its_time(server: u16, go: Arc<Barrier>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut first = Some(go);
        for client in listener.incoming().flatten() {
            if let Some(go) = first.take() {
                go.wait();
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
    port
}

#[test]
fn connecting_goes_on_when_its_page_is_left_and_says_what_came_of_it() {
    let account = Account::with_dashboard(vec![Turn::say("ok")]);
    let world = &account.world;
    let folder = world.folder.path().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let server = servers::CalendarServer::start(&folder).unwrap();
    let url = server.url();
    let (_, rest) = url.split_once("://").unwrap();
    let (place, path) = rest.split_once('/').unwrap();
    let behind: u16 = place.rsplit_once(':').unwrap().1.parse().unwrap();
    let browser = Browser::start();
    let_in(world, &browser);
    let begin = |port: u16, password: &str| {
        browser.open(&at(world, "/connect?kind=calendar"));
        browser.write("[name=user]", servers::ACCOUNT);
        browser.write("[name=url]", &format!("http://127.0.0.1:{port}/{path}"));
        browser.click("form[action='/do/connect/find'] button");
        browser.until_says("App password");
        browser.write("[name=password]", password);
        browser.click("[name=level][value=full]");
        browser.click("form[data-touch='/v1/connections'] button");
        World::until_true("it was never begun", || world.get("/v1/connecting").as_array().unwrap().len() == 1);
    };
    let go = Arc::new(Barrier::new(2));
    begin(takes_its_time(behind, Arc::clone(&go)), servers::APP_PASSWORD);
    // Away, and back.
    browser.open(&at(world, "/connections"));
    browser.until_says("is being tried out since");
    browser.until_says("That goes on if you leave this page");
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "connecting");
    let said = world.ok(&["connections"], "");
    assert!(said.contains("is being tried out"), "{said}");
    go.wait();
    browser.until("return !!document.querySelector('article.card')");
    assert_eq!(world.get("/v1/connecting"), json!([]));
    assert_eq!(world.data_of(&["connections"])[0]["active"], true);
    // What fails is told as well, until it works.
    let go = Arc::new(Barrier::new(2));
    begin(takes_its_time(behind, Arc::clone(&go)), "not-the-password");
    browser.open(&at(world, "/connections"));
    go.wait();
    browser.until_says("was not connected");
    assert!(world.ok(&["connections"], "").contains("was not connected"));
    picture(&browser, "connecting-failed");
}
