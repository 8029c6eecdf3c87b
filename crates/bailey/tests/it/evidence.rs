//! The log and what lies on the disk: verifiable, and unreadable without the key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bailey_gate::State;
use bailey_scripted::Turn;
use serde_json::{Value, json};

use crate::passkeys::{Browser, let_in};
use crate::support::{PASSPHRASE, World, built, forms, id, send};

/// Runs the offline verifier; returns its exit code and words.
#[expect(clippy::disallowed_methods, reason = "tests start the real programs")]
pub fn verifier(log: &Path, pin: Option<&Path>) -> (i32, String) {
    let mut command = std::process::Command::new(built("bailey-verify"));
    command.arg(log);
    if let Some(pin) = pin {
        command.arg("--pin").arg(pin);
    }
    let output = command.output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_format_document_names_every_state_and_legal_step() {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/log-format.md")).unwrap();
    let states = document.split("## States").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = states.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix("` |"));
    let written: BTreeMap<String, Vec<String>> = rows
        .map(|row| {
            let (from, to) = row.split_once("` | `").unwrap();
            (from.to_owned(), to.split("`, `").map(str::to_owned).collect())
        })
        .collect();
    let names = |states: &[State]| states.iter().map(|state| state.name().to_owned()).collect::<Vec<_>>();
    let steps = State::ALL.iter().map(|from| (from.name().to_owned(), names(from.successors())));
    assert_eq!(written, steps.filter(|(_, to)| !to.is_empty()).collect());
}

#[test]
fn what_is_no_log_is_not_read_to_its_end() {
    let (code, words) = verifier(Path::new("/dev/zero"), None);
    assert!(code == 20 && words.contains("not an exported log"), "{words}");
    let (world, export, _) = history();
    let log = world.folder.path().join("log");
    fs::write(&log, export).unwrap();
    assert_eq!(verifier(&log, Some(Path::new("/dev/zero"))).0, 20, "no checkpoint");
    // A log, and behind it zeros without end.
    let lengthened = fs::OpenOptions::new().append(true).open(&log).unwrap();
    let length = lengthened.metadata().unwrap().len();
    lengthened.set_len(length + (1 << 40)).unwrap();
    let (code, words) = verifier(&log, None);
    assert!(code == 20 && words.contains("of no known kind"), "{words}");
}

/// A home with some history, its export, and a checkpoint pinned part of the way.
fn history() -> (World, String, PathBuf) {
    let world = World::new(vec![send("ana@example.org", "Hi", "canary-mail-body"), Turn::say("ok")]);
    let task = world.task("write to Ana");
    let pin = world.folder.path().join("pin");
    fs::write(&pin, world.ok(&["log", "checkpoint"], "")).unwrap();
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "succeeded");
    // It goes on behind the answer, and nothing is to move any more.
    world.until_task(&id(&task), "answered");
    let export = world.ok(&["log", "export", "-"], "");
    (world, export, pin)
}

/// Whoever has the log alone has every action's whole way.
#[test]
fn the_log_alone_says_where_every_action_stands_and_how_it_got_there() {
    let (world, _, _) = history();
    let mut ways: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for entry in world.data_of(&["log", "list", "--limit", "500"]).as_array().unwrap().iter().rev() {
        let header = &entry["header"];
        if let (Some(action), Some(to)) = (header["action"].as_str(), header["to"].as_str()) {
            ways.entry(action.to_owned()).or_default().push(to.to_owned());
        }
    }
    let actions = world.data_of(&["actions"]);
    assert_eq!(actions.as_array().unwrap().len(), ways.len());
    for action in actions.as_array().unwrap() {
        let mut way = ways[action["id"].as_str().unwrap()].clone();
        if way.first().is_some_and(|state| state != "proposed") {
            way.reverse();
        }
        assert_eq!(way.first().map(String::as_str), Some("proposed"), "{way:?}");
        assert_eq!(way.last().unwrap(), action["state"].as_str().unwrap(), "{way:?}");
        assert!(way.windows(2).any(|pair| pair == ["approved", "claimed"]) || way.contains(&"held".into()), "{way:?}");
        assert_eq!(way.iter().filter(|state| *state == "claimed").count(), 1, "{way:?}");
    }
}

#[test]
fn the_verifier_tells_damage_apart() {
    let (world, export, pin) = history();
    let file = world.folder.path().join("log");
    let check = |text: &str, pin: Option<&Path>| {
        fs::write(&file, text).unwrap();
        verifier(&file, pin)
    };
    assert_eq!(check(&export, Some(&pin)).0, 0);
    let (code, words) = check(&export, None);
    assert_eq!(code, 10);
    assert!(words.contains("freshness unproven"), "{words}");

    let lines: Vec<&str> = export.lines().collect();
    let entries: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("E ")).collect();
    // A flipped bit, anywhere: every byte of every entry, payload and checkpoint is covered.
    for (at, line) in lines.iter().enumerate() {
        for place in [2, line.len() / 2, line.len() - 1] {
            let mut bytes = line.as_bytes().to_vec();
            bytes[place] ^= 1;
            let mut damaged: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            damaged[at] = String::from_utf8_lossy(&bytes).into_owned();
            let (with_pin, words) = check(&damaged.join("\n"), Some(&pin));
            assert!([20, 21].contains(&with_pin), "line {at} byte {place}: {words}");
            assert_eq!(check(&damaged.join("\n"), None).0, 20, "line {at} byte {place}");
        }
    }
    // A dropped entry, with what belongs to it.
    let dropped = entries[3];
    let next = entries[4];
    let without: Vec<&str> =
        lines.iter().enumerate().filter(|(at, _)| !(dropped..next).contains(at)).map(|(_, l)| *l).collect();
    for pin in [None, Some(pin.as_path())] {
        let (code, words) = check(&without.join("\n"), pin);
        assert_eq!(code, 22);
        assert!(words.contains("entry 3 is missing in the middle"), "{words}");
    }
    assert!(check(&export, Some(&pin)).1.contains("every payload is in the file"), "sealed and there");
    // Payloads left out break no proof, and are counted.
    let bare: Vec<&str> = lines.iter().filter(|line| !line.starts_with("P ")).copied().collect();
    let (code, words) = check(&bare.join("\n"), Some(&pin));
    assert_eq!(code, 0);
    assert!(words.contains("payloads are not in the file"), "{words}");
    // The tail cut off at a checkpoint: only the pin can tell.
    let last_pinned = fs::read_to_string(&pin).unwrap().lines().nth(1).unwrap().parse::<usize>().unwrap();
    let first_checkpoint = lines.iter().position(|line| line.starts_with("C ")).unwrap();
    assert!(first_checkpoint < entries[last_pinned - 1], "the cut lies before the pin");
    let cut = lines[..=first_checkpoint].join("\n");
    assert_eq!(check(&cut, None).0, 10);
    let (code, words) = check(&cut, Some(&pin));
    assert_eq!(code, 22);
    assert!(words.contains("at the end"), "{words}");
    // Another log altogether, whole in itself.
    let (_other, other, _) = history();
    assert_eq!(check(&other, None).0, 10);
    assert_eq!(check(&other, Some(&pin)).0, 21);
    assert_eq!(check("", None).0, 20);
    assert_eq!(verifier(Path::new("/nonexistent"), None).0, 2);
}

/// The holder of the key rewrites history: an old copy of the home goes another way.
#[test]
fn a_rewritten_history_diverges_from_the_pin() {
    let mut world = World::new(vec![send("ana@example.org", "Hi", "Hello"), Turn::say("ok")]);
    world.kill();
    let (home, copy) = (world.data().join("home"), world.folder.path().join("copy"));
    fs::create_dir_all(&copy).unwrap();
    for entry in fs::read_dir(&home).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    world.serve();
    world.task("write to Ana");
    let pin = world.folder.path().join("pin");
    fs::write(&pin, world.ok(&["log", "checkpoint"], "")).unwrap();
    world.kill();
    fs::remove_dir_all(&home).unwrap();
    fs::rename(&copy, &home).unwrap();
    // Even with the mark gone too, as a thorough attacker would have it.
    fs::remove_file(world.data().join("state/mark")).unwrap();
    world.serve();
    for _ in 0..20 {
        world.ok(&["pause"], "");
    }
    let file = world.folder.path().join("log");
    fs::write(&file, world.ok(&["log", "export", "-"], "")).unwrap();
    assert_eq!(verifier(&file, None).0, 10);
    assert_eq!(verifier(&file, Some(&pin)).0, 21);
    // The home's own proof tells as well.
    assert_eq!(world.fails(&["log", "verify", "--pin", pin.to_str().unwrap()], "").0, 21);
}

#[test]
fn a_checkpoint_kept_elsewhere_is_proven_to_be_the_beginning_of_todays_log() {
    let (mut world, _, pin) = history();
    let pin = pin.to_str().unwrap().to_owned();
    let said = world.ok(&["log", "verify", "--pin", &pin], "");
    assert!(said.contains("valid up to the pinned checkpoint: a proof shows"), "{said}");
    let now = world.folder.path().join("now");
    fs::write(&now, world.ok(&["log", "checkpoint"], "")).unwrap();
    world.ok(&["log", "verify", "--pin", now.to_str().unwrap()], "");
    // No checkpoint, and one that was written by somebody else.
    let note = fs::read_to_string(&pin).unwrap();
    for altered in ["nothing".to_owned(), note.replacen('\n', "x\n", 1)] {
        fs::write(&now, altered).unwrap();
        let code = world.fails(&["log", "verify", "--pin", now.to_str().unwrap()], "").0;
        assert!([20, 21].contains(&code), "{code}");
    }
    // An older copy put back is shorter than what was seen.
    let (home, copy) = (world.data().join("home"), world.folder.path().join("copy"));
    world.kill();
    crate::support::copy_folder(&home, &copy);
    world.serve();
    world.ok(&["pause"], "");
    fs::write(&now, world.ok(&["log", "checkpoint"], "")).unwrap();
    world.kill();
    fs::remove_dir_all(&home).unwrap();
    crate::support::copy_folder(&copy, &home);
    world.serve();
    let code = world.fails(&["log", "verify", "--pin", now.to_str().unwrap()], "").0;
    assert!([21, 22].contains(&code), "shorter, or grown another way since: {code}");
}

#[test]
fn an_export_shows_which_passkey_approved() {
    let (world, browser) = let_in(vec![send("ana@example.org", "Hi", "Hello"), Turn::say("ok")]);
    world.task("write to Ana");
    let card = world.waiting();
    let shown = json!({"shown": [{"id": card["id"], "digest": card["digest"]}]});
    let mut body = shown.clone();
    body["proof"] = browser.prove(&json!({"path": "/v1/approvals/approve", "body": shown}));
    assert_eq!(browser.ask("POST", "/v1/approvals/approve", &body).0, 200);
    world.until(&id(&card), "succeeded");
    let codes = browser.prove(&json!({"path": "/v1/recovery-codes"}));
    assert_eq!(browser.ask("POST", "/v1/recovery-codes", &json!({"proof": codes})).0, 200);
    let mut again = Browser { host: browser.host.clone(), ..Browser::new(&world, "first") };
    assert_eq!(again.sign_in().0, 200);
    let place = json!({"place": {"kind": "ntfy", "url": "http://127.0.0.1:1/mine"}});
    let mut body = place.clone();
    body["proof"] = browser.prove(&json!({"path": "/v1/notifications", "body": place}));
    assert_eq!(browser.ask("POST", "/v1/notifications", &body).0, 200);
    let proof = browser.prove(&json!({"path": "/v1/log/export-readable"}));
    let asked = json!({"proof": proof}).to_string();
    let (status, _, readable) = browser.request(&browser.own(), "POST", "/v1/log/export-readable", &asked, "");
    assert_eq!(status, 200);
    // What comes in pieces over HTTP is put together here.
    let readable = whole(&readable);
    let file = world.folder.path().join("log");
    fs::write(&file, &readable).unwrap();
    let (code, words) = verifier(&file, None);
    // The connection and the link by the passphrase; mail, codes, sign-in, notices and export by the passkey.
    assert!(code == 10 && words.contains("7 approvals checked") && !words.contains("without evidence"), "{words}");
    for line in readable.lines().filter(|line| line.starts_with("R ") && line.contains("assertion_base64")) {
        let altered = line.replacen("\"assertion_base64\":\"AQI", "\"assertion_base64\":\"AQM", 1);
        fs::write(&file, readable.replace(line, &altered)).unwrap();
        assert!(altered == line || verifier(&file, None).0 == 20, "{altered}");
    }
}

/// Returns a body that came in pieces (RFC 9112, section 7.1).
fn whole(body: &str) -> String {
    let (mut rest, mut out) = (body, String::new());
    while let Some((length, more)) = rest.split_once("\r\n") {
        let Ok(length) = usize::from_str_radix(length, 16) else { return body.to_owned() };
        out.push_str(&more[..length]);
        rest = more[length..].trim_start_matches("\r\n");
    }
    out
}

#[test]
fn a_readable_export_needs_the_person_and_verifies() {
    let (world, sealed, pin) = history();
    assert!(!sealed.contains("canary-mail-body"));
    let (code, _) = world.fails(&["log", "export", "-", "--readable"], "wrong passphrase");
    assert_eq!(code, 4);
    let readable = world.ok(&["log", "export", "-", "--readable"], PASSPHRASE);
    assert!(readable.contains("write to Ana"), "the task's words");
    let file = world.folder.path().join("log");
    fs::write(&file, &readable).unwrap();
    assert_eq!(verifier(&file, Some(&pin)).0, 0);
    fs::write(&file, readable.replace("write to Ana", "write to Bob")).unwrap();
    assert_eq!(verifier(&file, Some(&pin)).0, 20);
}

#[test]
fn an_export_shows_who_approved() {
    let both = Turn::calls(vec![
        ("mail_send", json!({"to": "ana@example.org", "subject": "Hi", "body": "Hello"})),
        ("memory_write", json!({"note": "Ana likes tea"})),
    ]);
    let world = World::new(vec![both, Turn::say("ok")]);
    let task = world.task("write to Ana, and note that she likes tea");
    world.ok(&["approve"], PASSPHRASE);
    world.until_task(&id(&task), "answered");
    world.ok(&["pause"], "");
    world.ok(&["resume"], PASSPHRASE);
    let actions = world.data_of(&["actions"]);
    let note = actions.as_array().unwrap().iter().find(|action| action["kind"] == "memory.write").unwrap();
    world.ok(&["undo", &id(note)], PASSPHRASE);
    world.ok(&["rules", "add", "mail to ana@example.org: ask"], PASSPHRASE);
    let connection = world.data_of(&["connections"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.fails(&["level", &connection, "draft"], "wrong passphrase").0, 4);
    world.ok(&["level", &connection, "draft"], PASSPHRASE);
    assert_eq!(world.data_of(&["connections"])[0]["level"], "draft");
    let file = world.folder.path().join("log");
    let readable = world.ok(&["log", "export", "-", "--readable"], PASSPHRASE);
    fs::write(&file, &readable).unwrap();
    let (code, words) = verifier(&file, None);
    // The connection, mail and note, the end of the pause, the undo, the rule, the level, and the export itself.
    assert!(code == 10 && words.contains("8 approvals checked") && !words.contains("without evidence"), "{words}");
    for line in readable.lines().filter(|line| line.starts_with("R ") && line.contains("assertion_base64")) {
        let altered = line.replacen("\"assertion_base64\":\"AQ", "\"assertion_base64\":\"AR", 1);
        assert_ne!(altered, line);
        fs::write(&file, readable.replace(line, &altered)).unwrap();
        assert_eq!(verifier(&file, None).0, 20, "{altered}");
    }
}

#[test]
fn an_export_is_in_the_log_and_takes_the_place_of_no_file() {
    let (world, _, _) = history();
    world.ok(&["log", "export", "-", "--readable"], PASSPHRASE);
    let size = world.data_of(&["status"])["log_entries"].as_u64().unwrap();
    let entries = world.get(&format!("/v1/log?from={}", size - 1));
    let last = &entries[0];
    assert_eq!((&last["header"]["kind"], &last["header"]["actor"]), (&json!("exported"), &json!("person")));
    let told = |name: &str| last["payload"][name].as_str().unwrap().to_owned();
    assert_eq!((told("from"), told("to"), told("payloads")), ("0".into(), (size - 1).to_string(), "readable".into()));

    let (file, elsewhere) = (world.folder.path().join("log"), world.folder.path().join("elsewhere"));
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    let (_, words) = world.fails(&["log", "export", file.to_str().unwrap()], "");
    assert!(words.contains("it is there already") && !elsewhere.exists(), "{words}");
    fs::remove_file(&file).unwrap();
    world.ok(&["log", "export", file.to_str().unwrap()], "");
    assert_eq!(verifier(&file, None).0, 10);
    let kept = fs::read(&file).unwrap();
    world.fails(&["log", "export", file.to_str().unwrap()], "");
    assert_eq!(fs::read(&file).unwrap(), kept);
    // What is not exported leaves nothing.
    let other = world.folder.path().join("other");
    world.fails(&["log", "export", other.to_str().unwrap(), "--readable"], "wrong passphrase");
    assert!(!other.exists());
}

#[test]
fn the_context_inspector_shows_the_exact_bytes_the_model_got() {
    let (world, _, _) = history();
    let task = world.data_of(&["tasks"])[0]["id"].as_str().unwrap().to_owned();
    let sent = world.provider.requests();
    assert_eq!(world.data_of(&["context", "list", &task]), json!([0, 1]));
    for (turn, request) in sent.iter().enumerate() {
        let shown = world.run(&["context", "show", "--raw", &task, &turn.to_string()], "").stdout;
        assert_eq!(&shown, request, "turn {turn}");
    }
    assert_eq!(world.fails(&["context", "show", &task, "9"], "").0, 6);
}

#[test]
fn headers_hold_codes_only() {
    let (_world, export, _) = history();
    let known = [
        "v",
        "log",
        "seq",
        "wall_ms",
        "boot_ms",
        "boot",
        "incarnation",
        "epoch",
        "lease",
        "kind",
        "actor",
        "genesis",
        "approver",
        "task",
        "action",
        "attempt",
        "connection",
        "generation",
        "tool",
        "class",
        "decision",
        "reasons",
        "from",
        "to",
        "payload",
    ];
    for line in export.lines().filter_map(|line| line.strip_prefix("E ")) {
        let header: Value = serde_json::from_str(line).unwrap();
        for name in header.as_object().unwrap().keys() {
            assert!(known.contains(&name.as_str()), "unknown header field `{name}`");
        }
        for secret in ["ana@", "example.org", "Hi", "write to", "canary"] {
            assert!(!line.contains(secret), "`{secret}` in {line}");
        }
    }
}

#[test]
fn nothing_on_disk_is_readable_without_the_key() {
    let mut world = World::new(vec![
        Turn::calls(vec![
            (
                "mail_send",
                json!({"to": "canary-recipient@example.org", "subject": "canary-subject-line", "body": "canary-mail-body"}),
            ),
            ("memory_write", json!({"note": "canary-memory-note"})),
            ("mail_draft", json!({"to": "ana@example.org", "subject": "s", "body": "canary-draft-body"})),
        ]),
        Turn::say("canary-reply-words"),
    ]);
    let task = world.task("canary-task-words please");
    let scan = |world: &World| {
        let token = world.token();
        let secrets = [
            "canary-recipient",
            "canary-subject-line",
            "canary-mail-body",
            "canary-memory-note",
            "canary-draft-body",
            "canary-reply-words",
            "canary-task-words",
            PASSPHRASE,
            "me@example.org",
        ];
        for (path, bytes) in world.files() {
            for secret in secrets {
                for form in forms(secret) {
                    let found = bytes.windows(form.len()).any(|window| window == form);
                    assert!(!found, "`{secret}` is readable in {}", path.display());
                }
            }
            assert!(
                !path.ends_with("ledger.db") || !bytes.starts_with(b"SQLite format 3"),
                "the database is not encrypted"
            );
            let token_here = bytes.windows(token.len()).any(|window| window == token.as_bytes());
            assert_eq!(token_here, path.ends_with("home/token"), "the token in {}", path.display());
        }
    };
    scan(&world);
    for card in world.approvals() {
        world.ok(&["approve", &id(&card)], PASSPHRASE);
    }
    world.until_task(task["id"].as_str().unwrap(), "answered");
    scan(&world);
    // Killed in the middle, the write-ahead log is still there.
    world.kill();
    assert!(world.files().iter().any(|(path, bytes)| path.ends_with("ledger.db-wal") && !bytes.is_empty()));
    scan(&world);
    // And no secret went to the model: not the passphrase, not the token.
    let token = world.token();
    for request in world.provider.requests() {
        let text = String::from_utf8_lossy(&request);
        assert!(!text.contains(PASSPHRASE) && !text.contains(&token));
    }
}

#[test]
fn the_home_does_not_open_with_another_key() {
    let mut world = World::new(vec![]);
    let other = World::new(vec![]);
    world.kill();
    let key = world.data().join("keys/root.key");
    let own = fs::read(&key).unwrap();
    fs::write(&key, fs::read(other.data().join("keys/root.key")).unwrap()).unwrap();
    let (code, words) = world.fails(&["serve"], "");
    assert_eq!(code, 1);
    assert!(words.contains("does not belong to this home"), "{words}");
    fs::write(&key, "not a key").unwrap();
    assert!(world.fails(&["serve"], "").1.contains("is damaged"));
    fs::write(&key, own).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(world.fails(&["serve"], "").1.contains("can be read by other accounts"));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    // Another home's database under this home's key.
    world.serve();
    world.kill();
    fs::copy(other.data().join("home/ledger.db"), world.data().join("home/ledger.db")).unwrap();
    let _ = fs::remove_file(world.data().join("home/ledger.db-wal"));
    assert_eq!(world.fails(&["serve"], "").0, 1);
}
