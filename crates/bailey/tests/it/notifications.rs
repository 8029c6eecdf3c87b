//! Being told that something waits: through ntfy, Gotify, and the browser's own push service.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use bailey_home::purposes;
use bailey_interface::NotificationPlace;
use bailey_scripted::Turn;
use serde_json::{Value, json};

use crate::dashboard::{at, axe, let_in, picture};
use crate::support::{Account, PASSPHRASE, World, clock, send};
use crate::webdriver::{Browser, PATIENCE};

/// A request, as it came.
#[derive(Debug, Clone)]
struct Notice {
    head: String,
    body: Vec<u8>,
}

impl Notice {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// **A double** of the services that wake devices. It keeps what it is sent and answers with one status; that a device is woken, it
/// does not show.
struct Service {
    port: u16,
    status: Arc<AtomicU16>,
    came: Arc<Mutex<Vec<Notice>>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (status, came) = (Arc::new(AtomicU16::new(201)), Arc::new(Mutex::new(Vec::new())));
        let (answer, keep) = (Arc::clone(&status), Arc::clone(&came));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                        break;
                    }
                    if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = said.trim().parse().unwrap();
                    }
                    head.push_str(&line);
                }
                let mut body = vec![0; length];
                if head.is_empty() || reader.read_exact(&mut body).is_err() {
                    continue;
                }
                keep.lock().unwrap().push(Notice { head: head.to_ascii_lowercase(), body });
                let status = answer.load(Ordering::Relaxed);
                let _ = write!(stream, "HTTP/1.1 {status} said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Self { port, status, came }
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn came(&self) -> Vec<Notice> {
        self.came.lock().unwrap().clone()
    }

    /// Waits until so many came.
    #[track_caller]
    fn until(&self, count: usize) -> Vec<Notice> {
        let started = clock();
        while self.came().len() < count {
            assert!(started.elapsed() < PATIENCE, "{} notices came", self.came().len());
            thread::yield_now();
        }
        self.came()
    }
}

fn add(world: &World, service: &str, url: &str) -> String {
    let said = world.ok(
        &["notifications", "add", service, url, "--token", "--json"],
        &format!("{PASSPHRASE}\ntk_AgQdq7mVBoFD37zQ"),
    );
    let view: Value = serde_json::from_str(&said).unwrap();
    view["places"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned()
}

fn try_out(world: &World, place: &str) -> (u16, Value) {
    world.post(&format!("/v1/notifications/{place}/try"), &Value::Null)
}

#[test]
fn a_place_is_told_how_many_actions_wait_and_nothing_else() {
    let world = World::with_dashboard(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    let (ntfy, gotify) = (Service::start(), Service::start());
    add(&world, "ntfy", &ntfy.at("/under/bailey-Zq83"));
    add(&world, "gotify", &gotify.at("/gotify/"));
    world.task("write to ana@example.org");
    world.waiting();
    let (first, second) = (ntfy.until(1).remove(0), gotify.until(1).remove(0));
    let port = world.gateway().rsplit_once(':').unwrap().1.to_owned();
    let open = format!("http://bailey.localhost:{port}/approvals");
    assert_eq!(
        first.json(),
        json!({"topic": "bailey-Zq83", "title": "Bailey", "message": "1 action waits for you.", "click": open})
    );
    assert!(first.head.starts_with("post /under http/1.1\r\n"), "{}", first.head);
    assert!(first.head.contains("authorization: bearer tk_agqdq7mvbofd37zq\r\n"), "{}", first.head);
    let click = json!({"client::notification": {"click": {"url": open}}});
    assert_eq!(
        second.json(),
        json!({"title": "Bailey", "message": "1 action waits for you.", "priority": 5, "extras": click})
    );
    assert!(second.head.starts_with("post /gotify/message http/1.1\r\n"), "{}", second.head);
    assert!(second.head.contains("x-gotify-key: tk_agqdq7mvbofd37zq\r\n"), "{}", second.head);
    // What it is shown is told to nobody.
    let told = world.ok(&["notifications", "list", "--json"], "");
    assert!(!told.contains("tk_Ag") && told.contains("\"trouble\": null"), "{told}");
    let log = world.ok(&["log", "export", "-", "--readable"], PASSPHRASE);
    assert!(log.contains("notification") && !log.contains("tk_Ag") && !log.contains("Zq83"), "{log}");
}

#[test]
fn a_place_is_added_by_the_person_alone_exactly_as_they_said_it() {
    let world = World::with_dashboard(vec![Turn::say("ok")]);
    let service = Service::start();
    let place = |topic: &str| NotificationPlace::Ntfy { url: service.at(topic) };
    let proof = world.prove(&purposes::notify(&place("/mine")), PASSPHRASE);
    let (status, said) = world.post("/v1/notifications", &json!({"place": place("/other"), "proof": proof}));
    assert_eq!(status, 403, "{said}");
    for (service, url, why) in [
        ("ntfy", "http://ntfy.example/topic", "https://"),
        ("ntfy", "https://me:secret@ntfy.example/topic", "no login"),
        ("ntfy", "https://ntfy.sh", "topic's name"),
        ("gotify", "file:///etc/passwd", "https://"),
    ] {
        let (_, said) = world.fails(&["notifications", "add", service, url], PASSPHRASE);
        assert!(said.contains(why), "{url}: {said}");
    }
    let told: Value = serde_json::from_str(&world.ok(&["notifications", "list", "--json"], "")).unwrap();
    assert_eq!(told["places"], json!([]));
    assert!(service.came().is_empty());
}

#[test]
fn a_pause_lets_no_notice_leave() {
    let world = World::with_dashboard(vec![Turn::say("ok")]);
    let service = Service::start();
    let place = add(&world, "ntfy", &service.at("/topic"));
    let (_, sent) = try_out(&world, &place);
    assert_eq!((service.came().len(), &sent["trouble"]), (1, &Value::Null));
    world.ok(&["pause"], "");
    let (_, said) = try_out(&world, &place);
    assert!(said["trouble"].as_str().unwrap().contains("paused"), "{said}");
    assert_eq!(service.came().len(), 1);
    world.ok(&["resume"], PASSPHRASE);
    try_out(&world, &place);
    assert_eq!(service.came().len(), 2);
    // What its server answers is told, and what is ended is told no more.
    for (status, why) in [(403, "does not let the home in"), (404, "no such address"), (500, "500")] {
        service.status.store(status, Ordering::Relaxed);
        let (_, said) = try_out(&world, &place);
        assert!(said["trouble"].as_str().unwrap().contains(why), "{said}");
    }
    world.ok(&["notifications", "end", &place], "");
    assert_eq!(try_out(&world, &place).0, 404);
    assert_eq!(service.came().len(), 5);
}

#[test]
fn a_mail_account_tells_its_own_address_and_nobody_else_how_many_actions_wait() {
    let account = Account::with_dashboard(vec![send("ana@example.org", "Secret plan", "Yes."), Turn::say("ok")]);
    let world = &account.world;
    let (_, said) = world.fails(&["notifications", "add", "mail", "me@bailey.test"], PASSPHRASE);
    assert!(said.contains("no connected mail account that may send"), "{said}");
    let connection = account.with_password("send");
    let own: Value = world.data_of(&["connections"])[0]["account"].clone();
    let own = own.as_str().unwrap().to_owned();
    let (_, said) = world.fails(&["notifications", "add", "mail", "ana@example.org"], PASSPHRASE);
    assert!(said.contains("no connected mail account that may send"), "{said}");
    world.ok(&["notifications", "add", "mail", &own], PASSPHRASE);
    world.task("write to ana@example.org");
    World::until_true("no notice came", || world.sink.arrived().len() == 1);
    let notice = world.sink.arrived().remove(0);
    let text = String::from_utf8(notice.bytes.clone()).unwrap();
    assert_eq!((notice.from.as_str(), notice.to.as_slice()), (own.as_str(), [own.clone()].as_slice()));
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let port = world.gateway().rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(body.trim_end(), format!("1 action waits for you.\r\nhttp://bailey.localhost:{port}/approvals"));
    assert!(
        head.contains("Subject: Bailey: 1 action waits for you\r\n") && head.contains("Auto-Submitted: auto-generated"),
        "{head}"
    );
    assert!(!text.contains("ana") && !text.contains("Secret"), "{text}");
    // It is in the log that it is told, and neither a task nor an action of it.
    assert_eq!(world.data_of(&["actions"]).as_array().unwrap().len(), 1);
    let places = world.get("/v1/notifications");
    let place = places["places"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!((&places["places"][0]["kind"], &places["places"][0]["trouble"]), (&json!("mail"), &Value::Null));
    // Not while everything is paused, and not by an account that may not send any more.
    world.ok(&["pause"], "");
    assert!(try_out(world, &place).1["trouble"].as_str().unwrap().contains("paused"));
    world.ok(&["resume"], PASSPHRASE);
    assert_eq!(try_out(world, &place).1["trouble"], Value::Null);
    assert_eq!(world.sink.arrived().len(), 2);
    world.ok(&["level", &connection, "draft"], PASSPHRASE);
    assert!(try_out(world, &place).1["trouble"].as_str().unwrap().contains("no connected mail account that may send"));
    assert_eq!(world.sink.arrived().len(), 2);
}

#[test]
fn a_mail_account_is_told_from_the_page_by_a_touch() {
    let account = Account::with_dashboard(vec![Turn::say("ok")]);
    let world = &account.world;
    let browser = Browser::start();
    let_in(world, &browser);
    browser.open(&at(world, "/notifications"));
    browser.until_says("No connected mail account may send.");
    account.with_password("send");
    browser.open(&at(world, "/notifications"));
    browser.click("section[aria-labelledby=by-mail] form button");
    browser.until_says("by mail, to itself");
    assert_eq!(axe(&browser), json!([]));
    picture(&browser, "notifications-mail");
    browser.click("form[action$='/try'] button");
    World::until_true("no notice came", || world.sink.arrived().len() == 1);
    browser.until_says("last notice");
    assert_eq!(browser.log(), [""; 0]);
}

/// Puts a double in the place of the browser's push service, which cannot be reached from here: a subscription whose key the page holds.
const SUBSCRIPTION: &str = "
    const [url, done] = [arguments[0] ?? window.pushAt, arguments[arguments.length - 1]];
    (async () => {
        const pair = await crypto.subtle.generateKey({name: 'ECDH', namedCurve: 'P-256'}, true, ['deriveBits']);
        const text = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        const [public, auth] = [await crypto.subtle.exportKey('raw', pair.publicKey), crypto.getRandomValues(new Uint8Array(16))];
        window.pair = pair; window.public = new Uint8Array(public); window.auth = auth;
        PushManager.prototype.subscribe = async options => {
            window.askedWith = text(options.applicationServerKey);
            return {toJSON: () => ({endpoint: window.pushAt, keys: {p256dh: text(public), auth: text(auth)}})};
        };
        return true;
    })().then(done, error => done(String(error)));
";

/// Opens what was sealed for the page, by the browser's own cryptography (RFC 8291, section 3.4).
const OPEN: &str = "
    const done = arguments[arguments.length - 1];
    (async () => {
        const sealed = Uint8Array.from(atob(window.sealed), letter => letter.charCodeAt(0));
        const [salt, length] = [sealed.slice(0, 16), sealed[20]];
        const sender = sealed.slice(21, 21 + length), text = sealed.slice(21 + length);
        const join = (...parts) => new Uint8Array(parts.flatMap(part => [...part]));
        const words = said => new TextEncoder().encode(said);
        const hkdf = async (salt, secret, info, bytes) => new Uint8Array(await crypto.subtle.deriveBits(
            {name: 'HKDF', hash: 'SHA-256', salt, info}, await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']), bytes * 8));
        const theirs = await crypto.subtle.importKey('raw', sender, {name: 'ECDH', namedCurve: 'P-256'}, false, []);
        const shared = new Uint8Array(await crypto.subtle.deriveBits({name: 'ECDH', public: theirs}, window.pair.privateKey, 256));
        const secret = await hkdf(window.auth, shared, join(words('WebPush: info\\0'), window.public, sender), 32);
        const key = await crypto.subtle.importKey('raw', await hkdf(salt, secret, words('Content-Encoding: aes128gcm\\0'), 16), 'AES-GCM', false, ['decrypt']);
        const nonce = await hkdf(salt, secret, words('Content-Encoding: nonce\\0'), 12);
        return new TextDecoder().decode(await crypto.subtle.decrypt({name: 'AES-GCM', iv: nonce}, key, text));
    })().then(done, error => done(String(error)));
";

/// Lets a browser in, and has it told; gives the place.
fn told_browser(world: &World, browser: &Browser, service: &Service) -> String {
    let link: Value = serde_json::from_str(&world.ok(&["dashboard", "--json"], PASSPHRASE)).unwrap();
    browser.open(link["urls"][0].as_str().unwrap());
    browser.click("form[data-create] button");
    browser.until("return !!document.querySelector('#codes li')");
    let origin = at(world, "");
    browser.devtools("Browser.grantPermissions", &json!({"origin": origin, "permissions": ["notifications"]}));
    browser.open(&at(world, "/notifications"));
    browser.run(&format!("window.pushAt = {}", json!(service.at("/push/8f2c"))));
    assert_eq!(browser.run_async(SUBSCRIPTION), true);
    browser.click("#wake-ask");
    browser.until("return !document.querySelector('#wake').hidden");
    browser.click("#wake button");
    browser.until_says("Send one now");
    let told: Value = serde_json::from_str(&world.ok(&["notifications", "list", "--json"], "")).unwrap();
    assert_eq!(browser.run("return window.askedWith"), told["key"]);
    told["places"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_browser_is_woken_by_words_that_only_it_can_read() {
    let world = World::with_dashboard(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    let (browser, service) = (Browser::start(), Service::start());
    told_browser(&world, &browser, &service);
    world.task("write to ana@example.org");
    let notice = service.until(1).remove(0);
    for header in
        ["post /push/8f2c http/1.1\r\n", "content-encoding: aes128gcm\r\n", "topic: waiting\r\n", "ttl: 43200"]
    {
        assert!(notice.head.contains(header), "{}", notice.head);
    }
    assert!(notice.head.contains("authorization: vapid t="), "{}", notice.head);
    let sealed = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &notice.body);
    browser.run(&format!("window.sealed = {}", json!(sealed)));
    // The last byte ends the record (RFC 8188, section 2).
    assert_eq!(browser.run_async(OPEN), "{\"waiting\":1}\u{2}");
    // The page says so, and finds nothing wrong with it.
    browser.open(&at(&world, "/notifications"));
    browser.until_says("last notice");
    assert_eq!(browser.log(), [""; 0]);
}

#[test]
fn a_browser_that_was_turned_away_or_whose_subscription_is_over_is_told_no_more() {
    let world = World::with_dashboard(vec![Turn::say("ok")]);
    let (browser, service) = (Browser::start(), Service::start());
    let place = told_browser(&world, &browser, &service);
    try_out(&world, &place);
    assert_eq!(service.came().len(), 1);
    service.status.store(410, Ordering::Relaxed);
    assert_eq!(try_out(&world, &place).0, 404);
    assert_eq!((service.came().len(), world.get("/v1/notifications")["places"].clone()), (2, json!([])));
    service.status.store(201, Ordering::Relaxed);
    browser.open(&at(&world, "/notifications"));
    browser.run(&format!("window.pushAt = {}", json!(service.at("/push/9a"))));
    assert_eq!(browser.run_async(SUBSCRIPTION), true);
    browser.click("#wake-ask");
    browser.until("return !document.querySelector('#wake').hidden");
    browser.click("#wake button");
    browser.until_says("Send one now");
    let place = world.get("/v1/notifications")["places"][0]["id"].as_str().unwrap().to_owned();
    let passkeys = world.get("/v1/passkeys");
    world.ok(&["passkey", "end", passkeys[0]["id"].as_str().unwrap()], PASSPHRASE);
    assert_eq!(try_out(&world, &place).0, 404);
    assert_eq!(service.came().len(), 2);
}

#[test]
fn the_installed_app_shows_a_notice_and_says_what_to_do_where_the_home_is_away() {
    let mut world = World::with_dashboard(vec![Turn::say("ok")]);
    let (browser, service) = (Browser::start(), Service::start());
    told_browser(&world, &browser, &service);
    let worker = browser.run_async(
        "const done = arguments[0]; navigator.serviceWorker.ready.then(() => fetch('/manifest.webmanifest')).then(got => got.json())
            .then(async said => done([said.display, (await Promise.all(said.icons.map(icon => fetch(icon.src)))).map(got => got.status)]))",
    );
    assert_eq!(worker, json!(["standalone", [200, 200, 200]]));
    // As a push service delivers it; the browser's own tools stand in for one.
    let origin = at(&world, "");
    browser.devtools("ServiceWorker.enable", &json!({}));
    let shown = "const done = arguments[0]; navigator.serviceWorker.ready.then(worker => worker.getNotifications())
        .then(all => done(all.map(one => one.body)))";
    let message = json!({"origin": origin, "registrationId": "0", "data": "{\"waiting\":2}"});
    // The tools deliver nothing to a worker that they do not know of yet.
    World::until_true("the notice is never shown", || {
        browser.devtools("ServiceWorker.deliverPushMessage", &message);
        browser.run_async(shown) == json!(["2 actions wait for you."])
    });
    world.kill();
    browser.open(&at(&world, "/approvals"));
    browser.until_says("Bailey cannot be reached");
    assert!(browser.text().contains("bailey unlock"));
}
