//! What is seen from outside: log lines, metrics, and the report for others. Numbers move, and nothing of it is content.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{Account, PASSPHRASE, World, forms, id, send};

/// What must be seen nowhere, one of each kind; the passphrase and the app password are canaries, too.
const WORDS: &str = "canary-words of the person";
const SENDER: &str = "canary-sender@example.org";
const RECIPIENT: &str = "canary-recipient@example.net";
const BODY: &str = "canary-body of a mail";

/// Asks over a connection, and gives the status and the body.
fn ask(stream: impl io::Read + io::Write, host: &str, path: &str) -> (u16, String) {
    try_ask(stream, host, path).unwrap()
}

/// The same of a process that may just end.
fn try_ask(mut stream: impl io::Read + io::Write, host: &str, path: &str) -> io::Result<(u16, String)> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned()))
}

fn from_home(world: &World, path: &str) -> String {
    let (status, body) = ask(UnixStream::connect(world.data().join("run/metrics.sock")).unwrap(), "bailey", path);
    assert_eq!(status, 200, "{path}: {body}");
    body
}

fn from_gateway(world: &World, path: &str) -> String {
    let stream = UnixStream::connect(world.data().join("gateway-metrics.sock")).unwrap();
    let (status, body) = ask(stream, "bailey", path);
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// Reads the Prometheus text format, version 0.0.4: every sample by its name and labels.
fn parsed(text: &str) -> BTreeMap<String, f64> {
    let mut typed = BTreeSet::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            typed.insert(about.split(' ').next().unwrap().to_owned());
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let plain = name.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| plain.strip_suffix(end)).unwrap_or(plain);
            assert!(typed.contains(plain) || typed.contains(family), "`{line}` has no type");
            assert!(plain.starts_with("bailey_"), "{line}");
            let fresh = samples.insert(name.to_owned(), value.parse().unwrap()).is_none();
            assert!(fresh, "`{name}` is there twice");
        }
    }
    samples
}

fn sample(samples: &BTreeMap<String, f64>, name: &str) -> f64 {
    samples.get(name).copied().unwrap_or(0.0)
}

/// No canary is in there, in no form, and neither are the token and the account.
fn assert_holds_no_content(what: &str, text: &str, token: &str) {
    let lower = text.to_lowercase();
    assert!(!lower.contains("canary"), "{what}: {lower}");
    assert!(!lower.contains(servers::ACCOUNT), "{what}");
    for secret in [WORDS, SENDER, RECIPIENT, BODY, PASSPHRASE, servers::APP_PASSWORD, token] {
        for form in forms(secret) {
            assert!(!text.as_bytes().windows(form.len()).any(|part| part == form), "{what} holds `{secret}`");
        }
    }
}

#[test]
fn logs_and_metrics_hold_no_content_at_the_most_verbose_level() {
    let mail = json!({"to": RECIPIENT, "subject": "canary-subject", "body": BODY, "why": "canary-why"});
    let mut account = Account::new(
        vec![
            Turn::call("mail_search", json!({"from": "canary-sender"})),
            Turn::call("mail_read", json!({"id": "$ID0"})),
            Turn::call("canary_tool", json!({"canary-argument": "canary"})),
            Turn::call("mail_send", mail),
            Turn { status: Some(400), say: "canary-refusal".into(), ..Turn::default() },
        ],
        300,
    );
    let message = format!("From: {SENDER}\r\nTo: me@bailey.test\r\nSubject: canary-topic\r\n\r\n{BODY}\r\n");
    account.server.deliver("", "1", &message).unwrap();
    account.world.kill();
    let path = account.world.folder.path().join("log");
    let log = fs::File::create(&path).unwrap();
    account.world.serve_logging(&["--log", "trace", "--log-format", "json"], log);
    account.with_password("send");
    let world = &account.world;
    let task = world.task(WORDS);
    let action = id(&world.waiting());
    world.fails(&["approve"], "canary-wrong-passphrase");
    world.ok(&["approve"], PASSPHRASE);
    world.until(&action, "succeeded");
    world.until_task(task["id"].as_str().unwrap(), "failed");
    world.get("/v1/actions/canary-path?canary-query=1");
    world.get("/canary-route");
    let gateway = world.gateway();
    ask(TcpStream::connect(&gateway).unwrap(), "canary-host", "/canary");
    ask(TcpStream::connect(&gateway).unwrap(), &gateway, "/v1/actions/canary");
    world.ok(&["pause"], "");

    let token = world.token();
    for (what, text) in [
        ("the home's metrics", from_home(world, "/metrics")),
        ("the gateway's metrics", from_gateway(world, "/metrics")),
        ("the home's events", from_home(world, "/events")),
        ("the gateway's events", from_gateway(world, "/events")),
        (
            "the report",
            world.run(&["doctor", "--report", "-"], "").stdout.iter().map(|byte| char::from(*byte)).collect(),
        ),
    ] {
        assert!(!text.is_empty(), "{what}");
        assert_holds_no_content(what, &text, &token);
    }

    let lines = || -> Vec<Value> {
        let text = fs::read_to_string(&path).unwrap();
        let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    };
    let is_there = |process: &str, message: &str| {
        lines().iter().any(|line| line["process"] == process && line["message"] == message)
    };
    for (process, message) in [
        ("supervisor", "the home runs"),
        ("home", "an action is proposed"),
        ("home", "the model was asked"),
        ("home", "a request was answered"),
        ("gateway", "the gateway listens"),
        ("gateway", "a request was answered"),
    ] {
        World::until_true(&format!("{process} never said: {message}"), || is_there(process, message));
    }
    let all = lines();
    let sent = all.iter().find(|line| line["fields"]["action"] == action && line["fields"]["state"] == "succeeded");
    let sent = sent.unwrap_or_else(|| panic!("no line says that {action} succeeded"));
    assert_eq!((&sent["fields"]["kind"], &sent["fields"]["task"]), (&json!("mail.send"), &task["id"]));
    assert_eq!(sent["home"], world.data_of(&["status"])["home"]);
    assert_holds_no_content("the log", &fs::read_to_string(&path).unwrap(), &token);
}

#[test]
fn metrics_move_with_an_action() {
    let mut world = World::new(vec![send("ana@example.org", "s", "b"), Turn::say("sent")]);
    for socket in ["run/metrics.sock", "gateway-metrics.sock"] {
        let about = fs::metadata(world.data().join(socket)).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{socket}");
    }
    let before = parsed(&from_home(&world, "/metrics"));
    let commits = "bailey_ledger_commit_duration_seconds_count";
    let succeeded = "bailey_action_transitions_total{kind=\"mail.send\",state=\"succeeded\"}";
    let handed_off = "bailey_approval_to_handoff_seconds_count{kind=\"mail.send\"}";
    assert_eq!(sample(&before, succeeded), 0.0);
    assert_eq!(sample(&before, "bailey_mode{mode=\"open\"}"), 1.0);

    let task = world.task("send it");
    let action = id(&world.waiting());
    let waiting = parsed(&from_home(&world, "/metrics"));
    assert_eq!(sample(&waiting, "bailey_approvals_waiting"), 1.0);
    assert_eq!(sample(&waiting, "bailey_actions{state=\"awaiting\"}"), 1.0);
    assert_eq!(sample(&waiting, handed_off), 0.0);

    world.ok(&["approve"], PASSPHRASE);
    world.until(&action, "succeeded");
    world.until_task(task["id"].as_str().unwrap(), "answered");
    let after = parsed(&from_home(&world, "/metrics"));
    assert_eq!(sample(&after, succeeded), 1.0);
    assert_eq!(sample(&after, "bailey_approvals_waiting"), 0.0);
    assert_eq!(sample(&after, handed_off), 1.0);
    assert!(sample(&after, commits) > sample(&before, commits), "{after:#?}");
    assert_eq!(sample(&after, "bailey_ledger_commits_failed_total"), 0.0);
    assert!(sample(&after, "bailey_model_requests_total{outcome=\"answered\"}") >= 2.0, "{after:#?}");
    let approved = "bailey_http_requests_total{route=\"/v1/approvals/approve\",method=\"POST\",status=\"200\"}";
    assert_eq!(sample(&after, approved), 1.0, "{after:#?}");
    assert!(sample(&after, "bailey_store_bytes{file=\"ledger.db\"}") > 0.0);
    assert!(sample(&after, "bailey_log_entries") > sample(&before, "bailey_log_entries"));
    assert_eq!(sample(&after, "bailey_scrape_incomplete"), 0.0);
    // Neither actions nor tasks become labels.
    assert!(!after.keys().any(|name| name.contains(&action) || name.contains(task["id"].as_str().unwrap())));

    let gateway = world.gateway();
    ask(TcpStream::connect(&gateway).unwrap(), &gateway, "/v1/status");
    ask(TcpStream::connect(&gateway).unwrap(), "elsewhere", "/v1/status");
    let counted = parsed(&from_gateway(&world, "/metrics"));
    assert_eq!(sample(&counted, "bailey_gateway_requests_total{outcome=\"passed\"}"), 1.0, "{counted:#?}");
    assert_eq!(sample(&counted, "bailey_gateway_requests_total{outcome=\"refused\"}"), 1.0, "{counted:#?}");

    world.ok(&["pause"], "");
    let paused = parsed(&from_home(&world, "/metrics"));
    assert_eq!(sample(&paused, "bailey_mode{mode=\"paused\"}"), 1.0);
    assert_eq!(sample(&paused, "bailey_mode{mode=\"open\"}"), 0.0);

    // While paused no server is greeted, which is counted.
    let refused = "bailey_egress_refused_total{reason=\"paused\"}";
    let calendar = ["connect", "calendar", "http://127.0.0.1:9/me/", "--user", "me", "--level", "full"];
    world.fails(&calendar, &format!("{PASSPHRASE}\npassword"));
    let tried = parsed(&from_home(&world, "/metrics"));
    assert!(sample(&tried, refused) > sample(&paused, refused), "{tried:#?}");

    let home = rustix::process::Pid::from_raw(world.child("home-process")).unwrap();
    rustix::process::kill_process(home, rustix::process::Signal::KILL).unwrap();
    let restarted = || {
        let stream = UnixStream::connect(world.data().join("run/metrics.sock"));
        let answer = stream.and_then(|stream| try_ask(stream, "bailey", "/metrics"));
        let restarts = "bailey_process_restarts_total{process=\"home\"}";
        answer.is_ok_and(|(_, text)| sample(&parsed(&text), restarts) == 1.0)
    };
    World::until_true("the restart was never counted", restarted);
    world.kill();
}

#[test]
fn metrics_over_tcp_are_for_this_machine_only_and_hold_no_events() {
    let mut world = World::bare(Vec::new(), 0);
    let config = fs::read_to_string(world.data().join("config.toml")).unwrap();
    world.configure(&format!("{config}[metrics]\nhome_listen = \"0.0.0.0:9464\"\n"));
    let (code, why) = world.fails(&["serve"], "");
    assert!(code == 1 && why.contains("this machine alone"), "{why}");

    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (home, gateway) = (free(), free());
    world.configure(&format!("{config}[metrics]\nhome_listen = \"{home}\"\ngateway_listen = \"{gateway}\"\n"));
    world.serve();
    for (address, name) in [(&home, "bailey_mode"), (&gateway, "bailey_gateway_connections")] {
        let stream = || TcpStream::connect(address).unwrap();
        let (status, text) = ask(stream(), address, "/metrics");
        assert!(status == 200 && parsed(&text).keys().any(|known| known.starts_with(name)), "{text}");
        assert_eq!(ask(stream(), "rebound.example:80", "/metrics").0, 403);
        assert_eq!(ask(stream(), address, "/events").0, 404);
    }
}

#[test]
fn a_report_is_shown_before_it_is_written_and_holds_no_content() {
    let mut world = World::bare(vec![send(RECIPIENT, "canary-subject", BODY), Turn::say("ok")], 0);
    let config = fs::read_to_string(world.data().join("config.toml")).unwrap();
    // A folder of the person's, by its name, and a model server of theirs.
    world.configure(&config.replace("name = \"scripted\"", "name = \"canary-model\""));
    world.serve();
    world.connect("send");
    world.task(WORDS);
    let file = world.folder.path().join("canary-report");
    let name = file.display().to_string();
    let shown = world.run(&["doctor", "--report", &name], "no");
    assert!(!shown.status.success() && !file.exists());
    let text = String::from_utf8(shown.stdout).unwrap();
    let asked = String::from_utf8(shown.stderr).unwrap();
    assert!(asked.contains("Write it? [y/N]"), "{asked}");
    for part in
        ["version: ", "database: ", "kernel: ", "running: good (open)", "model.kind: openai-chat", "database_bytes: "]
    {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    assert!(text.contains("bailey_action_transitions_total") && text.contains("an action moved"), "{text}");
    for content in ["me@example.org", &world.provider.base_url(), &world.data().display().to_string(), "Europe/Paris"] {
        assert!(!text.contains(content), "`{content}` is in\n{text}");
    }
    assert_holds_no_content("the report", &text, &world.token());

    world.ok(&["doctor", "--report", &name], "y");
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("Report of `bailey doctor`"), "{written}");
    assert_holds_no_content("the file", &written, &world.token());
    // What is there already is not written over.
    assert!(!world.run(&["doctor", "--report", &name, "--yes"], "").status.success());
    let data: Value = serde_json::from_str(&world.ok(&["doctor", "--report", "-", "--json"], "")).unwrap();
    assert!(
        data["checks"].as_array().unwrap().iter().any(|check| check["what"] == "store" && check["grade"] == "good")
    );
}

#[test]
fn a_level_that_is_none_is_refused_and_flags_go_before_the_configuration() {
    let mut world = World::bare(Vec::new(), 0);
    let config = fs::read_to_string(world.data().join("config.toml")).unwrap();
    world.configure(&format!("{config}[log]\nlevel = \"loud\"\n"));
    let (code, why) = world.fails(&["serve"], "");
    assert!(code == 1 && why.contains("`loud` is no log level"), "{why}");
    let (code, why) = world.fails(&["serve", "--log", "loud"], "");
    assert!(code == 2 && why.contains("no log level"), "{why}");

    world.configure(&format!("{config}[log]\nlevel = \"off\"\nformat = \"json\"\n"));
    let path = world.folder.path().join("log");
    world.serve_logging(&["--log", "info", "--log-format", "text"], fs::File::create(&path).unwrap());
    World::until_true("nothing was logged", || {
        let text = fs::read_to_string(&path).unwrap();
        text.lines().any(|line| line.contains("info  supervisor: the home runs gateway=true"))
    });
}
