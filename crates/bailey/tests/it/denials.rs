//! What is refused at every route, page and form of the interface, from one table. A route or page that is not in the table, or stands
//! in it as something else than it is, fails the test. The browser here is a double (`passkeys.rs`).

use std::collections::{BTreeMap, BTreeSet};

use bailey_home::purposes;
use bailey_scripted::Turn;
use base64::Engine as _;
use serde_json::{Value, json};

use crate::passkeys::{Browser, From, let_in};
use crate::support::{PASSPHRASE, World, id, send};

/// What a touch is asked for: a request as the person wants it, and one that differs from it in what was shown.
struct Asked {
    /// What stands for `{id}` in the path.
    id: String,
    body: Value,
    /// Another thing or other words: `{id}` and body. None where there is nothing in a request but its path and its proof.
    other: Option<(String, Value)>,
}

/// What a request has to show.
enum Needs {
    /// Nothing: it is there for whoever asks from a page of the dashboard.
    Nothing,
    /// A session.
    Session,
    /// A session, and a touch for exactly this.
    Touch(fn(&Things) -> Asked),
    /// A touch, and no session.
    SignIn,
    /// The approval passphrase; no touch counts.
    Passphrase,
}

use Needs::{Nothing, Passphrase as ByPassphrase, Session, SignIn, Touch};

/// What there is in the home of the test.
struct Things {
    /// The mail that waits.
    mail: Value,
    /// A note that was made, and can be undone.
    note: String,
    connection: String,
    /// A passkey of another browser.
    passkey: String,
    epoch: u64,
    home: bailey_gate::HomeId,
    /// A schedule as it would be made.
    plan: Value,
}

const NOBODY: &str = "00000000000000000000000000000000";

/// A request of which nothing but its path says what it is.
fn bare(_: &Things) -> Asked {
    Asked { id: NOBODY.into(), body: json!({}), other: None }
}

fn asked(body: Value, other: Value) -> Asked {
    Asked { id: NOBODY.into(), body, other: Some((NOBODY.into(), other)) }
}

fn approve(things: &Things) -> Asked {
    let of = |digest: &Value| json!({"shown": [{"id": things.mail["id"], "digest": digest}]});
    asked(of(&things.mail["digest"]), of(&"00".repeat(32).into()))
}

fn resume(things: &Things) -> Asked {
    asked(json!({"epoch": things.epoch}), json!({"epoch": things.epoch + 1}))
}

fn undo(things: &Things) -> Asked {
    Asked { id: things.note.clone(), body: json!({}), other: Some((id(&things.mail), json!({}))) }
}

fn undo_task(things: &Things) -> Asked {
    let of = |action: &str| json!({"take_back": [], "undo": [action]});
    let task = things.mail["task"].as_str().unwrap().to_owned();
    Asked { id: task.clone(), body: of(&things.note), other: Some((task, of(&id(&things.mail)))) }
}

fn config(_: &Things) -> Asked {
    let of = |seconds: &str| json!({"change": {"set": {"home.hold_seconds": seconds}, "unset": []}});
    asked(of("5"), of("0"))
}

fn account(host: &str, level: &str) -> Value {
    let server = json!({"host": host, "port": 1, "tls": false});
    json!({"settings": {"kind": "mail", "address": "me@example.org", "imap": server}, "level": level})
}

fn connect(_: &Things) -> Asked {
    asked(account("127.0.0.1", "read-only"), account("127.0.0.1", "full"))
}

fn begin_sign_in(_: &Things) -> Asked {
    let at = |issuer: &str| {
        let mut body = account("127.0.0.1", "read-only");
        body["settings"]["issuer"] = issuer.into();
        body
    };
    asked(at("http://127.0.0.1:1"), at("http://127.0.0.2:1"))
}

fn level(things: &Things) -> Asked {
    let (body, other) = (json!({"level": "read-only"}), json!({"level": "full"}));
    Asked { id: things.connection.clone(), body, other: Some((things.connection.clone(), other)) }
}

fn end_passkey(things: &Things) -> Asked {
    Asked { id: things.passkey.clone(), body: json!({}), other: Some((NOBODY.into(), json!({}))) }
}

fn notify(_: &Things) -> Asked {
    let of = |url: &str| json!({"place": {"kind": "ntfy", "url": url}});
    asked(of("http://127.0.0.1:1/mine"), of("http://127.0.0.1:1/other"))
}

/// A new passphrase by its key, signed by it, and another's.
fn passphrase(things: &Things) -> Asked {
    let of = |words: &str, salt: [u8; 16]| {
        let key = bailey_keys::credential::signing_key(&bailey_keys::Passphrase::new(words.into()), &salt).unwrap();
        let signed = bailey_home::passphrase::possession(&things.home, &salt, &key.public());
        let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let salt = bailey_gate::Nonce::from_bytes(salt).to_string();
        json!({"salt": salt, "public": base64(&key.public()), "signature": base64(&key.sign(&signed))})
    };
    asked(of(PASSPHRASE, [1; 16]), of("another one", [2; 16]))
}

fn schedule(things: &Things) -> Asked {
    let mut other = things.plan.clone();
    other["words"] = "send all of it to eve@example.com".into();
    asked(json!({"plan": things.plan}), json!({"plan": other}))
}

fn rules(_: &Things) -> Asked {
    let of = |add: &str| json!({"change": {"add": add}});
    asked(of("mail to @example.org: ask"), of("mail: go ahead"))
}

/// Every route, page and form, and what it needs.
const TABLE: &[(&str, &str, Needs)] = &[
    ("GET", "/v1/openapi.json", Session),
    ("GET", "/v1/names", Session),
    ("GET", "/v1/status", Session),
    ("GET", "/v1/changes", Session),
    ("GET", "/v1/events", Session),
    ("POST", "/v1/pause", Session),
    ("POST", "/v1/resume", Touch(resume)),
    ("POST", "/v1/tasks", Session),
    ("GET", "/v1/tasks", Session),
    ("GET", "/v1/tasks/{id}", Session),
    ("GET", "/v1/tasks/{id}/events", Session),
    ("POST", "/v1/tasks/{id}/more", Session),
    ("POST", "/v1/tasks/{id}/stop", Session),
    ("GET", "/v1/tasks/{id}/undo", Session),
    ("POST", "/v1/tasks/{id}/undo", Touch(undo_task)),
    ("GET", "/v1/tasks/{id}/context", Session),
    ("GET", "/v1/tasks/{id}/context/{turn}", Session),
    ("GET", "/v1/tasks/{id}/context/{turn}/raw", Session),
    ("GET", "/v1/actions", Session),
    ("GET", "/v1/actions/{id}", Session),
    ("GET", "/v1/actions/{id}/attachments/{n}", Session),
    ("GET", "/v1/actions/{id}/original", Session),
    ("GET", "/v1/actions/{id}/why", Session),
    ("POST", "/v1/actions/{id}/resolve", Session),
    ("POST", "/v1/actions/{id}/undo", Touch(undo)),
    ("GET", "/v1/approvals", Session),
    ("POST", "/v1/challenge", Session),
    ("POST", "/v1/approvals/approve", Touch(approve)),
    ("POST", "/v1/approvals/reject", Session),
    ("POST", "/v1/approvals/{id}/edit", Session),
    ("POST", "/v1/cancel", Session),
    ("GET", "/v1/files", Session),
    ("GET", "/v1/files/trash", Session),
    ("POST", "/v1/files/trash/empty", Touch(bare)),
    ("POST", "/v1/files/uploads", Session),
    ("POST", "/v1/files/uploads/{id}", Session),
    ("POST", "/v1/files/uploads/{id}/end", Session),
    ("GET", "/v1/files/{id}", Session),
    ("GET", "/v1/files/{id}/versions/{n}", Session),
    ("POST", "/v1/files/{id}/versions/{n}/restore", Session),
    ("POST", "/v1/files/{id}/move", Session),
    ("POST", "/v1/files/{id}/trash", Session),
    ("POST", "/v1/files/{id}/restore", Session),
    ("GET", "/v1/computer", Session),
    ("POST", "/v1/computer/start", Session),
    ("POST", "/v1/computer/stop", Session),
    ("POST", "/v1/computer/destroy", Touch(bare)),
    ("GET", "/v1/models", Session),
    ("GET", "/v1/models/found", Session),
    ("GET", "/v1/config", Session),
    ("POST", "/v1/config", Touch(config)),
    ("POST", "/v1/config/narrow", Session),
    ("GET", "/v1/first-steps", Session),
    ("POST", "/v1/first-steps/hide", Session),
    ("GET", "/v1/connections", Session),
    ("GET", "/v1/connecting", Session),
    ("POST", "/v1/connecting/{id}/dismiss", Session),
    ("POST", "/v1/connections", Touch(connect)),
    ("POST", "/v1/discover", Session),
    ("POST", "/v1/connections/{id}/level", Touch(level)),
    ("POST", "/v1/connections/{id}/revoke", Session),
    ("POST", "/v1/connections/{id}/default", Session),
    ("POST", "/v1/sign-ins", Touch(begin_sign_in)),
    ("GET", "/v1/sign-ins/{name}", Session),
    ("POST", "/v1/challenge/passkey", Session),
    ("POST", "/v1/sessions/challenge", Nothing),
    ("POST", "/v1/sessions", SignIn),
    ("GET", "/v1/sessions", Session),
    ("POST", "/v1/sessions/{id}/end", Session),
    ("POST", "/v1/sessions/end-all", Session),
    ("POST", "/v1/browsers/link", Touch(bare)),
    ("POST", "/v1/browsers/options", Nothing),
    ("POST", "/v1/browsers/claim", Nothing),
    ("POST", "/v1/browsers/recover", Nothing),
    ("POST", "/v1/passphrase", Touch(passphrase)),
    ("GET", "/v1/passkeys", Session),
    ("POST", "/v1/passkeys/{id}/end", Touch(end_passkey)),
    ("POST", "/v1/passkeys/confirm", ByPassphrase),
    ("GET", "/v1/recovery-codes", Session),
    ("POST", "/v1/recovery-codes", Touch(bare)),
    ("GET", "/v1/notifications", Session),
    ("POST", "/v1/notifications", Touch(notify)),
    ("POST", "/v1/notifications/{id}/end", Session),
    ("POST", "/v1/notifications/{id}/try", Session),
    ("GET", "/v1/rules", Session),
    ("POST", "/v1/rules", Touch(rules)),
    ("POST", "/v1/rules/lockdown", Session),
    ("POST", "/v1/rules/try", Session),
    ("GET", "/v1/rules/suggestions", Session),
    ("POST", "/v1/rules/suggestions/{name}/dismiss", Session),
    ("GET", "/v1/rules/history", Session),
    ("GET", "/v1/schedules", Session),
    ("GET", "/v1/schedules/{id}", Session),
    ("POST", "/v1/schedules/preview", Session),
    ("POST", "/v1/schedules", Touch(schedule)),
    ("POST", "/v1/schedules/{id}/run", Session),
    ("POST", "/v1/schedules/{id}/stop", Session),
    ("POST", "/v1/schedules/{id}/delete", Session),
    ("POST", "/v1/missed", Session),
    ("GET", "/v1/attention", Session),
    ("GET", "/v1/digest", Session),
    ("GET", "/v1/log", Session),
    ("GET", "/v1/search", Session),
    ("GET", "/v1/search/tasks", Session),
    ("GET", "/v1/search/requests", Session),
    ("GET", "/v1/received", Session),
    ("GET", "/v1/log/consistency", Session),
    ("POST", "/v1/log/checkpoint", Session),
    ("POST", "/v1/log/export", Session),
    ("POST", "/v1/log/export-readable", Touch(bare)),
    ("POST", "/v1/log/export-csv", Touch(bare)),
    ("GET", "/", Session),
    ("GET", "/sign-in", Nothing),
    ("GET", "/claim", Nothing),
    ("GET", "/recovery-codes", Nothing),
    ("GET", "/assets/{*path}", Nothing),
    ("GET", "/talk", Session),
    ("GET", "/talk/{id}", Session),
    ("GET", "/talk/{id}/undo", Session),
    ("GET", "/approvals", Session),
    ("GET", "/approvals/{id}", Session),
    ("GET", "/approvals/{id}/edit", Session),
    ("GET", "/approvals/{id}/files/{n}", Session),
    ("GET", "/approvals/{id}/original", Session),
    ("GET", "/approvals/{id}/original/frame", Session),
    ("GET", "/activity", Session),
    ("GET", "/activity/{id}", Session),
    ("GET", "/activity/{id}/request", Session),
    ("GET", "/context", Session),
    ("GET", "/context/{task}/{n}", Session),
    ("GET", "/connections", Session),
    ("GET", "/connect", Session),
    ("POST", "/do/connect/find", Session),
    ("GET", "/connect/{id}/again", Session),
    ("GET", "/connecting/{id}/again", Session),
    ("POST", "/do/connecting/{id}/dismiss", Session),
    ("GET", "/oauth/back", Session),
    ("GET", "/models", Session),
    ("POST", "/do/models/no-fallback", Session),
    ("POST", "/do/first-steps/hide", Session),
    ("POST", "/do/log/export-readable", Touch(bare)),
    ("POST", "/do/log/export-csv", Touch(bare)),
    ("GET", "/schedules", Session),
    ("GET", "/schedules/{id}", Session),
    ("POST", "/do/schedules/preview", Session),
    ("POST", "/do/schedules/{id}/run", Session),
    ("POST", "/do/schedules/{id}/stop", Session),
    ("POST", "/do/schedules/{id}/delete", Session),
    ("POST", "/do/missed", Session),
    ("GET", "/files", Session),
    ("GET", "/files/trash", Session),
    ("GET", "/files/{id}", Session),
    ("GET", "/computer", Session),
    ("POST", "/do/computer/start", Session),
    ("POST", "/do/computer/stop", Session),
    ("POST", "/do/files/put", Session),
    ("POST", "/do/files/{id}/move", Session),
    ("POST", "/do/files/{id}/trash", Session),
    ("POST", "/do/files/{id}/restore", Session),
    ("POST", "/do/files/{id}/versions/{n}/restore", Session),
    ("GET", "/autonomy", Session),
    ("GET", "/settings", Session),
    ("GET", "/passphrase-code", Session),
    ("GET", "/notifications", Session),
    ("GET", "/manifest.webmanifest", Nothing),
    ("GET", "/worker.js", Nothing),
    ("POST", "/do/notifications/{id}/try", Session),
    ("POST", "/do/notifications/{id}/end", Session),
    ("POST", "/do/pause", Session),
    ("POST", "/do/reject", Session),
    ("POST", "/do/take-back", Session),
    ("POST", "/do/happened", Session),
    ("POST", "/do/edit/{id}", Session),
    ("POST", "/do/task", Session),
    ("POST", "/do/task/files", Session),
    ("POST", "/do/task/{id}/more", Session),
    ("POST", "/do/task/{id}/take-back", Session),
    ("POST", "/do/task/{id}/stop", Session),
    ("POST", "/do/connections/{id}/revoke", Session),
    ("POST", "/do/connections/{id}/default", Session),
    ("POST", "/do/rules/try", Session),
    ("POST", "/do/rules/lockdown", Session),
    ("POST", "/do/rules/dismiss", Session),
    ("POST", "/do/sessions/{id}/end", Session),
    ("POST", "/do/sessions/end-all", Session),
    ("POST", "/do/sign-out", Session),
    ("POST", "/do/log/export", Session),
    ("POST", "/do/recover", Nothing),
    // Last: nothing is there behind it.
    ("POST", "/v1/home/delete", Touch(bare)),
];

/// Requests that are answered once something has changed.
const WAITING: [&str; 3] = ["/v1/changes", "/v1/events", "/v1/tasks/{id}/events"];
const HTML: &str = "accept: text/html\r\n";
const FORM: &str = "application/x-www-form-urlencoded";

/// Returns what the log says was done, by hashes: all but the answers that were refused.
fn done(world: &World) -> Vec<String> {
    let entries = world.get("/v1/log?limit=200");
    let refused = |entry: &Value| entry["header"]["reasons"] == json!(["gate.wrong-proof"]);
    let all = entries.as_array().unwrap().iter().filter(|entry| !refused(entry));
    all.map(|entry| format!("{} {}", entry["header"]["kind"], entry["header"]["payload"]["commitment"])).collect()
}

fn is_page(path: &str) -> bool {
    !path.starts_with("/v1/")
}

/// Returns a path with something in the place of each of its parameters.
fn filled(path: &str, id: &str) -> String {
    let task = path.replace("{id}", id).replace("{task}", id);
    task.replace("{turn}", "0").replace("{n}", "0").replace("{name}", NOBODY).replace("{*path}", "x")
}

/// Returns headers by which a row is asked as its clients ask it.
fn asks_for(path: &str) -> &'static str {
    if is_page(path) { HTML } else { "" }
}

#[test]
fn the_table_of_denials_names_every_route_and_page_as_what_it_is() {
    let table: BTreeMap<(&str, &str), (bool, bool)> = TABLE
        .iter()
        .map(|(method, path, needs)| {
            let is_open = matches!(needs, Nothing | SignIn);
            // Forms show what the routes they stand for do.
            let is_proven = matches!(needs, Touch(_) | SignIn | ByPassphrase) && !is_page(path);
            ((*method, *path), (is_open, is_proven))
        })
        .collect();
    let routes =
        bailey_home::api_routes().into_iter().map(|(method, path, open, proven)| ((method, path), (open, proven)));
    let pages = bailey_home::page_routes().into_iter().map(|(method, path, open)| ((method, path), (open, false)));
    let there: BTreeMap<_, _> = routes.chain(pages).collect();
    let missing: Vec<_> = there.iter().filter(|one| table.get(one.0) != Some(one.1)).collect();
    assert!(missing.is_empty(), "not in the table of denials, or as something else (open, proven): {missing:#?}");
    let gone: Vec<_> = table.keys().filter(|one| !there.contains_key(*one)).collect();
    assert!(gone.is_empty(), "in the table of denials alone: {gone:#?}");
    assert_eq!(TABLE.len(), table.len(), "one row each");
}

#[test]
fn nothing_answers_a_browser_without_its_session_or_from_another_page() {
    let (world, browser) = let_in(vec![]);
    let (_elsewhere, mut other) = let_in(vec![]);
    // Another home's, sent here.
    other.host.clone_from(&browser.host);
    let mut ended = Browser::new(&world, "first");
    assert_eq!(ended.sign_in().0, 200);
    let sessions = ended.ask("GET", "/v1/sessions", &Value::Null).1;
    let this = sessions.as_array().unwrap().iter().find(|one| one["is_this"] == true).unwrap();
    assert_eq!(ended.ask("POST", &format!("/v1/sessions/{}/end", this["id"].as_str().unwrap()), &Value::Null).0, 200);
    let nobody = Browser { host: browser.host.clone(), ..Browser::new(&world, "nobody") };
    let own = browser.own();
    let evil = || Some("http://evil.example".to_owned());
    let strange = [
        ("a foreign origin", From { origin: evil(), site: Some("same-origin") }),
        ("same site", From { site: Some("same-site"), ..own.clone() }),
        ("another site", From { site: Some("cross-site"), ..own.clone() }),
        ("another site, which says so", From { site: Some("cross-site"), origin: evil() }),
        ("no fetch metadata", From { site: None, ..own.clone() }),
        ("no origin", From { origin: None, ..own.clone() }),
        ("nothing said", From { origin: None, site: None }),
    ];
    let embedded = format!("{HTML}sec-fetch-mode: navigate\r\nsec-fetch-dest: iframe\r\n");
    let before = done(&world);
    for (method, row, needs) in TABLE {
        let (path, more) = (filled(row, NOBODY), asks_for(row));
        let status = |browser: &Browser, from: &From, more: &str| browser.request(from, method, &path, "{}", more).0;
        for (who, browser) in [("nobody", &nobody), ("an ended session", &ended), ("another home's", &other)] {
            let (status, head, said) = browser.request(&own, method, &path, "{}", more);
            match needs {
                // What is there for whoever asks does nothing by itself: it is a page, a challenge, or wants to be shown something.
                Nothing => assert!(
                    *method == "GET" || *row == "/v1/sessions/challenge" || (400..500).contains(&status),
                    "{who}: {method} {path}: {status} {said}"
                ),
                SignIn => assert!((400..500).contains(&status), "{who}: {method} {path}: {status} {said}"),
                Session | Touch(_) | ByPassphrase => {
                    let sent_away = is_page(row) && status == 303 && head.contains("location: /sign-in");
                    assert!(status == 401 || sent_away, "{who}: {method} {path}: {status} {said}");
                }
            }
        }
        for (what, from) in &strange {
            // Browsers say no origin where they only read a page.
            if *method == "GET" && from.site == Some("same-origin") {
                continue;
            }
            for (who, browser) in [("who is signed in", &browser), ("nobody", &nobody)] {
                let refused = status(browser, from, more);
                let unknown = who == "nobody" && !matches!(needs, Nothing | SignIn);
                assert!(
                    refused == 403 || unknown && matches!(refused, 401 | 303),
                    "{who}, {what}: {method} {path}: {refused}"
                );
            }
        }
        let from = From { site: Some("cross-site"), origin: None };
        assert_eq!(status(&browser, &from, &embedded), 403, "embedded: {method} {path}");
        let both = format!("{more}authorization: Bearer {}\r\n", world.token());
        assert_eq!(status(&browser, &own, &both), 403, "token and session: {method} {path}");
        let wrong = format!("{more}authorization: Bearer {}\r\n", "A".repeat(43));
        let refused = status(&nobody, &own, &wrong);
        let open = matches!(needs, Nothing | SignIn);
        assert!(open || matches!(refused, 401 | 303), "a wrong token: {method} {path}: {refused}");
        // What was refused above is there for the session and the page it belongs to.
        if *method == "GET" && !WAITING.contains(row) {
            let answered = status(&browser, &own, more);
            assert!(!matches!(answered, 401 | 403), "its own: {method} {path}: {answered}");
        }
    }
    assert_eq!(browser.ask("GET", "/v1/status", &Value::Null).1["mode"], "open", "and nothing was done by any of it");
    assert_eq!(done(&world), before, "and nothing came to be in the log");
}

/// Everything of the world that a touch is asked for.
fn things(world: &World, browser: &Browser) -> Things {
    world.ok(&["rules", "add", "notes: go ahead"], PASSPHRASE);
    world.task("remember that Tuesdays are best, and write to ana");
    let actions = world.get("/v1/actions");
    let note = actions.as_array().unwrap().iter().find(|one| one["kind"] == "memory.write").unwrap();
    let (_, status) = browser.ask("GET", "/v1/status", &Value::Null);
    let proof = browser.prove(&json!({"path": "/v1/browsers/link"}));
    let (_, link) = browser.ask("POST", "/v1/browsers/link", &json!({"proof": proof}));
    let mut second = Browser::new(world, "second");
    assert_eq!(second.claim(link["token"].as_str().unwrap()).0, 200);
    let passkeys = browser.ask("GET", "/v1/passkeys", &Value::Null).1;
    // Without accounts: others of the table change what they are for.
    let draft = json!({"name": "Morning", "when": "every day at 7.00", "words": "read my mail", "accounts": []});
    let (_, preview) = browser.ask("POST", "/v1/schedules/preview", &draft);
    Things {
        plan: preview["plan"].clone(),
        mail: world.waiting(),
        note: id(note),
        connection: id(&world.get("/v1/connections")[0]),
        passkey: id(&passkeys[1]),
        epoch: status["epoch"].as_u64().unwrap(),
        home: status["home"].as_str().unwrap().parse().unwrap(),
    }
}

/// A request that needs a touch: its row, and how it is asked.
struct Proven {
    path: String,
    /// What a challenge is asked for by; nothing for a sign-in.
    purpose: Option<Value>,
    other: Option<Value>,
    body: Value,
}

impl Proven {
    fn of(row: &str, asked: &Asked) -> Self {
        // A form's challenge is that of the route it stands for.
        let route = row.replace("/do/", "/v1/");
        let purpose = |id: &str, body: &Value| json!({"path": filled(&route, id), "body": body});
        Self {
            path: filled(row, &asked.id),
            purpose: Some(purpose(&asked.id, &asked.body)),
            other: asked.other.as_ref().map(|(id, body)| purpose(id, body)),
            body: asked.body.clone(),
        }
    }

    /// A challenge for exactly this.
    fn challenge(&self, browser: &Browser) -> Value {
        let (status, challenge) = match &self.purpose {
            Some(purpose) => browser.ask("POST", "/v1/challenge/passkey", purpose),
            None => browser.ask("POST", "/v1/sessions/challenge", &Value::Null),
        };
        assert_eq!(status, 200, "{}: {challenge}", self.path);
        challenge
    }

    /// A proof for exactly this.
    fn touch(&self, browser: &Browser) -> Value {
        browser.touch(&self.challenge(browser))
    }

    /// Posts it with a proof; gives the status.
    fn post(&self, browser: &Browser, proof: &Value, more: &str) -> u16 {
        if is_page(&self.path) {
            let escaped: String = proof.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
            return browser.request_of(&browser.own(), "POST", &self.path, FORM, &format!("proof={escaped}"), more).0;
        }
        let mut body = self.body.clone();
        body["proof"] = proof.clone();
        browser.request(&browser.own(), "POST", &self.path, &body.to_string(), more).0
    }

    /// Tells whether leave to one is leave to the other as well.
    fn is_leave_to(&self, other: &Self) -> bool {
        const EXPORT: [&str; 4] =
            ["/v1/log/export-readable", "/v1/log/export-csv", "/do/log/export-readable", "/do/log/export-csv"];
        self.path == other.path || [self, other].iter().all(|one| EXPORT.contains(&one.path.as_str()))
    }
}

fn proven(things: &Things) -> Vec<Proven> {
    let proven = |(_, row, needs): &(&str, &str, Needs)| match needs {
        Touch(asks) => Some(Proven::of(row, &asks(things))),
        SignIn => Some(Proven { path: (*row).into(), purpose: None, other: None, body: json!({}) }),
        Nothing | Session | ByPassphrase => None,
    };
    TABLE.iter().filter_map(proven).collect()
}

#[test]
fn a_session_or_a_token_alone_does_nothing_that_needs_the_person_nor_does_a_touch_for_something_else() {
    let note = Turn::call("memory_write", json!({"note": "Tuesdays are best"}));
    let (mut world, browser) = let_in(vec![note, send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    let things = things(&world, &browser);
    let all = proven(&things);
    let stranger = Browser { host: browser.host.clone(), ..Browser::new(&world, "stranger") };
    let program = Browser { host: browser.host.clone(), ..Browser::new(&world, "first") };
    let token = format!("authorization: Bearer {}\r\n", world.token());
    let before = done(&world);
    for one in &all {
        let refused = |browser: &Browser, proof: &Value, more: &str, what: &str| {
            let status = one.post(browser, proof, more);
            assert_eq!(status, 403, "{what}: {}", one.path);
        };
        for proof in [json!({}), Value::Null] {
            let status = one.post(&browser, &proof, "");
            assert!((400..500).contains(&status), "no proof: {}: {status}", one.path);
            let status = one.post(&program, &proof, &token);
            assert!((400..500).contains(&status), "the token, and no proof: {}: {status}", one.path);
        }
        let challenge = one.challenge(&browser);
        let (by_stranger, mut other_credential) = (stranger.touch(&challenge), browser.touch(&challenge));
        refused(&browser, &by_stranger, "", "a passkey that nobody let in");
        refused(&program, &by_stranger, &token, "the token, and a passkey that nobody let in");
        other_credential["credential"] = things.passkey.clone().into();
        if one.purpose.is_some() {
            refused(&browser, &other_credential, "", "a touch in the name of another passkey");
        }
        if let Some(other) = &one.other {
            refused(&browser, &browser.prove(other), "", "a touch for other bytes");
        }
        for another in all.iter().filter(|another| !one.is_leave_to(another)) {
            refused(&browser, &another.touch(&browser), "", &format!("a touch for {}", another.path));
        }
    }
    let passphrase_only = |proof: &Value| browser.ask("POST", "/v1/passkeys/confirm", &json!({"proof": proof})).0;
    assert_eq!(passphrase_only(&browser.prove(&json!({"path": "/v1/passkeys/confirm"}))), 403);
    assert_eq!(passphrase_only(&world.prove(&purposes::delete_home(), PASSPHRASE)), 403);
    // A challenge of before the home was started anew is one that nobody made.
    let stale: Vec<Value> = all.iter().map(|one| one.touch(&browser)).collect();
    assert_eq!(done(&world), before, "nothing of it was done");
    world.restart();
    for (one, stale) in all.iter().zip(&stale) {
        assert_eq!(one.post(&browser, stale, ""), 403, "a stale challenge: {}", one.path);
    }
    // And the right one counts for each, once: what was refused was refused for its proof.
    let mut counted = BTreeSet::new();
    for one in &all {
        let right = one.touch(&browser);
        let status = one.post(&browser, &right, "");
        assert!(!matches!(status, 400 | 401 | 403 | 404 | 422), "the right touch: {}: {status}", one.path);
        if one.path != "/v1/home/delete" {
            // What was undone says first that it cannot be undone again.
            let again = one.post(&browser, &right, "");
            assert!(
                again == 403 || again == 409 && one.path.ends_with("/undo"),
                "a second time: {}: {again}",
                one.path
            );
            counted.insert(one.path.clone());
        }
    }
    assert_eq!(counted.len() + 1, all.len(), "and the last ended the home");
}
