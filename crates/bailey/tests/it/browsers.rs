//! Browsers at the home's interface: who is let in, and what a session may and may not. The authenticator here is a double: a key that
//! signs what the page hands it, as a passkey would; real browsers play in `dashboard.rs`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::approval::Purpose;
use bailey_home::purposes;
use bailey_keys::sign::SigningKey;
use bailey_keys::{Passphrase, credential};
use bailey_scripted::Turn;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, copy_folder, id, send};

/// COSE form of an Ed25519 key, but for its 32 bytes (RFC 9053, section 7.2).
const EDDSA: [u8; 10] = [0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20];

/// A browser with a passkey of its own.
struct Browser {
    host: String,
    key: SigningKey,
    cookie: String,
}

/// What a browser says of where a request comes from.
#[derive(Clone)]
struct From {
    origin: Option<String>,
    site: Option<&'static str>,
}

impl Browser {
    /// Opens one at the dashboard's name; nobody let it in yet.
    fn new(world: &World, words: &str) -> Self {
        let port = world.gateway().rsplit_once(':').unwrap().1.to_owned();
        let key = credential::signing_key(&Passphrase::new(words.into()), &[7; 16]).unwrap();
        Self { host: format!("bailey.localhost:{port}"), key, cookie: String::new() }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    fn own(&self) -> From {
        From { origin: Some(self.origin()), site: Some("same-origin") }
    }

    /// One request over the gateway, with more headers: status, head, body.
    fn request(&self, from: &From, method: &str, path: &str, body: &str, more: &str) -> (u16, String, String) {
        let address = self.host.replace("bailey.localhost", "127.0.0.1");
        let mut stream = TcpStream::connect(address).unwrap();
        let line =
            |name: &str, value: Option<&str>| value.map_or_else(String::new, |value| format!("{name}: {value}\r\n"));
        let cookie = Some(self.cookie.as_str()).filter(|cookie| !cookie.is_empty());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nuser-agent: Test\r\n{}{}{}{more}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            line("cookie", cookie),
            line("origin", from.origin.as_deref()),
            line("sec-fetch-site", from.site),
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, _, answer) = self.request(&self.own(), method, path, &body, "");
        (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(STANDARD.decode(challenge).unwrap());
        let said = json!({"type": kind, "challenge": challenge, "origin": self.origin(), "crossOrigin": false});
        said.to_string().into_bytes()
    }

    fn raw_id(&self) -> Vec<u8> {
        self.key.public()[..16].to_vec()
    }

    /// Makes a passkey by a link, and takes the session.
    fn claim(&mut self, token: &str) -> (u16, Value) {
        let (status, options) = self.ask("POST", "/v1/browsers/options", &json!({"token": token}));
        if status != 200 {
            return (status, options);
        }
        let rp = digest(&SHA256, options["rp"].as_str().unwrap().as_bytes());
        let length = u16::try_from(self.raw_id().len()).unwrap().to_be_bytes();
        let key = [&EDDSA[..], &self.key.public()].concat();
        let authenticator = [rp.as_ref(), &[0x45], &[0; 4], &[0; 16], &length, &self.raw_id(), &key].concat();
        let body = json!({
            "token": token,
            "name": "A test",
            "credential_id": STANDARD.encode(self.raw_id()),
            "client_data": STANDARD.encode(self.client_data("webauthn.create", options["challenge"].as_str().unwrap())),
            "authenticator_data": STANDARD.encode(authenticator),
        });
        let (status, head, answer) = self.request(&self.own(), "POST", "/v1/browsers/claim", &body.to_string(), "");
        self.take_cookie(&head);
        (status, serde_json::from_str(&answer).unwrap())
    }

    fn take_cookie(&mut self, head: &str) {
        if let Some((_, rest)) = head.split_once("set-cookie: ") {
            let cookie = rest.split("\r\n").next().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
    }

    /// What its passkey says to a challenge: a proof.
    fn touch(&self, challenge: &Value) -> Value {
        let rp = digest(&SHA256, challenge["rp"].as_str().unwrap().as_bytes());
        let authenticator = [rp.as_ref(), &[0x05], &[0; 4]].concat();
        let client = self.client_data("webauthn.get", challenge["webauthn"].as_str().unwrap());
        let signature = self.key.sign(&[&authenticator[..], digest(&SHA256, &client).as_ref()].concat());
        let raw = STANDARD.encode(self.raw_id());
        let passkeys = challenge["passkeys"].as_array().unwrap();
        let ours = passkeys.iter().find(|one| one["id"] == raw.as_str()).map(|one| one["credential"].clone());
        json!({
            "challenge": challenge["challenge"],
            "credential": ours.unwrap_or_else(|| "00".repeat(16).into()),
            "assertion": {
                "kind": "passkey",
                "credential_id": raw,
                "authenticator_data": STANDARD.encode(authenticator),
                "client_data": STANDARD.encode(&client),
                "signature": STANDARD.encode(signature),
            },
            "session": "00".repeat(16),
        })
    }

    /// A proof for a purpose, by this browser's passkey.
    fn prove(&self, purpose: &Value) -> Value {
        let (status, challenge) = self.ask("POST", "/v1/challenge/passkey", purpose);
        assert_eq!(status, 200, "{challenge}");
        self.touch(&challenge)
    }

    fn sign_in(&mut self) -> (u16, Value) {
        let (status, challenge) = self.ask("POST", "/v1/sessions/challenge", &Value::Null);
        assert_eq!(status, 200, "{challenge}");
        let body = json!({"proof": self.touch(&challenge)});
        let (status, head, answer) = self.request(&self.own(), "POST", "/v1/sessions", &body.to_string(), "");
        self.take_cookie(&head);
        (status, serde_json::from_str(&answer).unwrap())
    }
}

fn link(world: &World) -> String {
    let link: Value = serde_json::from_str(&world.ok(&["dashboard", "--json"], PASSPHRASE)).unwrap();
    link["token"].as_str().unwrap().to_owned()
}

/// A world whose dashboard has a name, and a browser that was let in.
fn let_in(turns: Vec<Turn>) -> (World, Browser) {
    let world = World::with_dashboard(turns);
    let mut browser = Browser::new(&world, "first");
    let (status, claimed) = browser.claim(&link(&world));
    assert_eq!(status, 200, "{claimed}");
    assert_eq!(claimed["recovery_codes"].as_array().unwrap().len(), 10);
    (world, browser)
}

#[test]
fn a_link_lets_one_browser_in_once_and_its_passkey_approves_exactly_what_was_shown() {
    let (world, browser) = let_in(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    world.task("write to ana");
    let card = world.waiting();
    let shown = json!([{"id": card["id"], "digest": card["digest"]}]);
    let approve =
        |proof: &Value| browser.ask("POST", "/v1/approvals/approve", &json!({"shown": shown, "proof": proof}));
    // For something else, for another digest, without the person, a second time: none counts.
    let other = json!([{"id": card["id"], "digest": "00".repeat(32)}]);
    assert_eq!(approve(&browser.prove(&json!({"path": "/v1/home/delete"}))).0, 403, "for another purpose");
    assert_eq!(
        approve(&browser.prove(&json!({"path": "/v1/approvals/approve", "body": {"shown": other}}))).0,
        403,
        "for other bytes"
    );
    let mut untouched = browser.prove(&json!({"path": "/v1/approvals/approve", "body": {"shown": shown}}));
    let mut data = STANDARD.decode(untouched["assertion"]["authenticator_data"].as_str().unwrap()).unwrap();
    data[32] = 0x01;
    untouched["assertion"]["authenticator_data"] = STANDARD.encode(&data).into();
    assert_eq!(approve(&untouched).0, 403, "flags that nobody signed");
    assert!(world.sink.arrived().is_empty());
    let right = browser.prove(&json!({"path": "/v1/approvals/approve", "body": {"shown": shown}}));
    assert_eq!(approve(&right).0, 200);
    assert_eq!(approve(&right).0, 403, "used");
    world.until(&id(&card), "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
    let entries = world.get("/v1/log?limit=200");
    let approved = entries.as_array().unwrap().iter().find(|entry| entry["header"]["to"] == "approved").unwrap();
    assert_eq!(approved["header"]["approver"]["client"], "dashboard");
    let listed = browser.ask("GET", "/v1/sessions", &Value::Null).1;
    assert_eq!(approved["header"]["approver"]["session"], listed[0]["id"]);
    assert_eq!(listed[0]["is_this"], true);
    let (code, _) = world.fails(&["log", "verify"], "");
    assert_eq!(code, 10, "consistent, and no checkpoint is pinned");
}

#[test]
fn a_link_that_was_used_or_never_made_lets_nobody_in() {
    let world = World::with_dashboard(vec![]);
    let token = link(&world);
    let mut first = Browser::new(&world, "first");
    assert_eq!(first.claim("AAAAAAAAAAAAAAAAAAAAAA").0, 403);
    // A page from elsewhere that knows the link, too.
    let elsewhere = From { origin: Some("http://evil.example".into()), site: Some("same-origin") };
    let body = json!({"token": token}).to_string();
    assert_eq!(first.request(&elsewhere, "POST", "/v1/browsers/options", &body, "").0, 403);
    assert_eq!(first.claim(&token).0, 200);
    let mut second = Browser::new(&world, "second");
    let (status, refused) = second.claim(&token);
    assert_eq!(status, 403);
    assert!(refused["message"].as_str().unwrap().contains("bailey dashboard"), "{refused}");
    // The passphrase alone makes one.
    let (_, said) = world.fails(&["dashboard"], "wrong words");
    assert!(said.contains("passphrase is wrong"), "{said}");
    let proof = world.prove(&purposes::sign_in(), PASSPHRASE);
    assert_eq!(world.post("/v1/browsers/link", &json!({"proof": proof})).0, 403, "leave to something else");
}

#[test]
fn nothing_answers_a_browser_without_its_session_or_from_another_page() {
    let (world, browser) = let_in(vec![]);
    let (elsewhere, mut other) = let_in(vec![]);
    let api = world.get("/v1/openapi.json");
    let paths = api["paths"].as_object().unwrap();
    let own = browser.own();
    let nobody = Browser { cookie: String::new(), ..Browser::new(&world, "nobody") };
    // Another home's, sent here.
    other.host.clone_from(&browser.host);
    let mut ended = Browser::new(&world, "first");
    assert_eq!(ended.sign_in().0, 200);
    let sessions = ended.ask("GET", "/v1/sessions", &Value::Null).1;
    let this = sessions.as_array().unwrap().iter().find(|one| one["is_this"] == true).unwrap();
    assert_eq!(ended.ask("POST", &format!("/v1/sessions/{}/end", this["id"].as_str().unwrap()), &Value::Null).0, 200);
    let (foreign, site, bare, unsaid) = (
        From { origin: Some("http://evil.example".into()), ..own.clone() },
        From { site: Some("same-site"), ..own.clone() },
        From { site: None, ..own.clone() },
        From { origin: None, ..own.clone() },
    );
    let mut looked_at = 0;
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let (method, is_open) = (method.to_uppercase(), operation["security"] == json!([]));
            let path = path.replace("{id}", &"00".repeat(16)).replace("{turn}", "0").replace("{name}", "x");
            let status = |browser: &Browser, from: &From| browser.request(from, &method, &path, "{}", "").0;
            for (who, browser) in [("nobody", &nobody), ("an ended session", &ended), ("another home's", &other)] {
                let status = status(browser, &own);
                // A challenge is anybody's; it opens nothing.
                let harmless = is_open && (status != 200 || path == "/v1/sessions/challenge");
                assert!(status == 401 || harmless, "{who}: {method} {path}: {status}");
            }
            assert_eq!(status(&browser, &site), 403, "same site: {method} {path}");
            assert_eq!(status(&browser, &bare), 403, "without fetch metadata: {method} {path}");
            assert_eq!(status(&browser, &foreign), 403, "from another page: {method} {path}");
            if method != "GET" {
                assert_eq!(status(&browser, &unsaid), 403, "without an origin: {method} {path}");
            }
            let both = format!("authorization: Bearer {}\r\n", world.token());
            assert_eq!(browser.request(&own, &method, &path, "{}", &both).0, 403, "token and session: {method} {path}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 50, "{looked_at} routes");
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).1["mode"], "open", "and nothing was done by any of it");
    drop(elsewhere);
}

#[test]
fn no_page_and_no_form_answers_without_the_session_of_its_own_page() {
    let (_world, browser) = let_in(vec![]);
    let (_elsewhere, mut other) = let_in(vec![]);
    other.host.clone_from(&browser.host);
    let nobody =
        Browser { cookie: String::new(), ..Browser { host: browser.host.clone(), ..Browser::new(&_world, "nobody") } };
    let mut ended = Browser::new(&_world, "first");
    assert_eq!(ended.sign_in().0, 200);
    let sessions = ended.ask("GET", "/v1/sessions", &Value::Null).1;
    let this = sessions.as_array().unwrap().iter().find(|one| one["is_this"] == true).unwrap();
    assert_eq!(ended.ask("POST", &format!("/v1/sessions/{}/end", this["id"].as_str().unwrap()), &Value::Null).0, 200);
    let own = browser.own();
    let strange = [
        ("same site", From { site: Some("same-site"), ..own.clone() }),
        ("another site", From { site: Some("cross-site"), origin: Some("http://evil.example".into()) }),
        ("without fetch metadata", From { site: None, ..own.clone() }),
    ];
    let html = "accept: text/html\r\n";
    let rows = bailey_home::page_routes();
    for (method, path, is_open) in &rows {
        let path = path
            .replace("{*path}", "x")
            .replace("{id}", &"00".repeat(16))
            .replace("{task}", &"00".repeat(16))
            .replace("{n}", "0");
        for (who, browser) in [("nobody", &nobody), ("an ended session", &ended), ("another home's", &other)] {
            let (status, head, body) = browser.request(&own, method, &path, "", html);
            let sent_away = status == 303 && head.contains("location: /sign-in");
            assert!(*is_open || sent_away || (401..=403).contains(&status), "{who}: {method} {path}: {status} {body}");
        }
        for (what, from) in &strange {
            let (status, ..) = browser.request(from, method, &path, "", html);
            assert_eq!(status, 403, "{what}: {method} {path}");
        }
        if *method == "POST" {
            let unsaid = From { origin: None, ..own.clone() };
            assert_eq!(browser.request(&unsaid, method, &path, "", html).0, 403, "without an origin: {method} {path}");
            let foreign = From { origin: Some("http://evil.example".into()), ..own.clone() };
            assert_eq!(browser.request(&foreign, method, &path, "", html).0, 403, "a foreign origin: {method} {path}");
        }
    }
    assert!(rows.len() >= 38, "{} pages and forms", rows.len());
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).1["mode"], "open", "and nothing was done by any of it");
}

#[test]
fn a_session_alone_does_nothing_that_needs_the_person() {
    let (world, browser) = let_in(vec![]);
    let api = world.get("/v1/openapi.json");
    let passphrase = world.prove(&Purpose::Resume { epoch: 0 }, "wrong words");
    let mut looked_at = 0;
    for (path, methods) in api["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("post") else { continue };
        let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(name) = body.as_str().and_then(|to| to.rsplit('/').next()) else { continue };
        if api["components"]["schemas"][name]["properties"].get("proof").is_none() {
            continue;
        }
        let path = path.replace("{id}", &"00".repeat(16));
        // Whatever else is in it: without an answer to a challenge of this very thing, nothing is done.
        for proof in
            [json!({}), passphrase.clone(), browser.prove(&json!({"path": "/v1/resume", "body": {"epoch": 9}}))]
        {
            let (status, _) = browser.ask("POST", &path, &json!({"proof": proof}));
            assert!((400..500).contains(&status), "{path}: {status}");
        }
        looked_at += 1;
    }
    assert!(looked_at >= 12, "{looked_at} routes");
}

#[test]
fn an_ended_passkey_ends_its_sessions_and_approves_nothing() {
    let (world, first) = let_in(vec![]);
    let mut second = Browser::new(&world, "second");
    // The first lets the second in.
    let proof = first.prove(&json!({"path": "/v1/browsers/link"}));
    let (status, link) = first.ask("POST", "/v1/browsers/link", &json!({"proof": proof}));
    assert_eq!(status, 200, "{link}");
    let (status, claimed) = second.claim(link["token"].as_str().unwrap());
    assert_eq!((status, &claimed["recovery_codes"]), (200, &json!([])));
    let passkeys = first.ask("GET", "/v1/passkeys", &Value::Null).1;
    let of_second = passkeys[1]["id"].as_str().unwrap();
    let before = second.ask("POST", "/v1/challenge/passkey", &json!({"path": "/v1/log/export-readable"})).1;
    let proof = first.prove(&json!({"path": format!("/v1/passkeys/{of_second}/end")}));
    let path = format!("/v1/passkeys/{of_second}/end");
    assert_eq!(first.ask("POST", &path, &json!({"proof": proof})).0, 200);
    assert_eq!(second.ask("GET", "/v1/status", &Value::Null).0, 401);
    assert_eq!(second.sign_in().0, 403);
    // Nor by an answer to a question of before, whoever brings it.
    let late = json!({"proof": second.touch(&before)});
    assert_eq!(first.ask("POST", "/v1/log/export-readable", &late).0, 403);
    assert_eq!(first.ask("GET", "/v1/status", &Value::Null).0, 200, "the other stands");
}

#[test]
fn a_recovery_code_lets_one_browser_in_once() {
    let world = World::with_dashboard(vec![]);
    let mut first = Browser::new(&world, "first");
    let (_, claimed) = first.claim(&link(&world));
    let code = claimed["recovery_codes"][0].as_str().unwrap();
    let mut lost = Browser::new(&world, "another");
    let recover = |browser: &Browser, code: &str| browser.ask("POST", "/v1/browsers/recover", &json!({"code": code}));
    assert_eq!(recover(&lost, "0000-0000-0000-0000").0, 403);
    let (status, link) = recover(&lost, &code.to_uppercase().replace('-', " "));
    assert_eq!(status, 200, "{link}");
    assert_eq!(lost.claim(link["token"].as_str().unwrap()).0, 200);
    assert_eq!(recover(&lost, code).0, 403, "used");
    assert_eq!(lost.ask("GET", "/v1/recovery-codes", &Value::Null).1["left"], 9);
    let made: Value = serde_json::from_str(&world.ok(&["passkey", "codes", "--json"], PASSPHRASE)).unwrap();
    assert_eq!(made["codes"].as_array().unwrap().len(), 10);
    assert_eq!(recover(&lost, claimed["recovery_codes"][1].as_str().unwrap()).0, 403, "of before");
}

#[test]
fn an_older_copy_revives_no_passkey_and_no_session() {
    let (mut world, mut browser) = let_in(vec![]);
    let (home, copy) = (world.data().join("home"), world.folder.path().join("copy"));
    world.kill();
    copy_folder(&home, &copy);
    world.serve();
    let passkeys: Value = serde_json::from_str(&world.ok(&["passkey", "list", "--json"], "")).unwrap();
    world.ok(&["passkey", "end", passkeys["passkeys"][0]["id"].as_str().unwrap()], PASSPHRASE);
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401);
    world.kill();
    std::fs::remove_dir_all(&home).unwrap();
    copy_folder(&copy, &home);
    world.serve();
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401, "its session is over");
    assert_eq!(browser.sign_in().0, 403, "its passkey does not count");
    // The person says which stand again, by the passphrase.
    let said = world.ok(&["passkey", "confirm"], PASSPHRASE);
    assert!(said.contains("1 passkey(s) count again"), "{said}");
    assert_eq!(browser.sign_in().0, 200);
}

#[test]
fn sessions_survive_a_restart_and_end_all_at_once() {
    let (mut world, mut browser) = let_in(vec![]);
    let before = browser.cookie.clone();
    assert_eq!(browser.sign_in().0, 200);
    assert_ne!(browser.cookie, before, "a session of its own");
    world.restart();
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 200);
    world.ok(&["passkey", "sign-out"], "");
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401);
    browser.cookie = before;
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).0, 401);
}
