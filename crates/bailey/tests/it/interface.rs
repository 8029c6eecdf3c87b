//! The interface as a whole: held against its description, and against those who ask without end or read nothing.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bailey_gate::approval::Purpose;
use bailey_gate::event::Client;
use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{PASSPHRASE, World, clock, id, send};

/// The descriptors these tests take of their own process.
const DESCRIPTORS: u64 = 4_096;
/// How soon what is urgent is answered, whoever else asks.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Every route, with what fits its description and what does not, generated from one seed.
#[test]
fn schemathesis_finds_nothing() {
    let world = World::new(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("ok")]);
    let task = world.task("write to Ana");
    let action = id(&task["actions"][0]);
    let template =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../xtask/servers/schemathesis.toml")).unwrap();
    let config = world.folder.path().join("schemathesis.toml");
    fs::write(&config, template.replace("TASK", &id(&task)).replace("ACTION", &action)).unwrap();
    let address = format!("http://{}/v1/openapi.json", world.gateway());
    let mut program = servers::schemathesis(&config, &address, &world.token());
    let ran = program.current_dir(world.folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    // Most of it was asked, and the person's alone stayed undone.
    assert!(world.get("/v1/status")["home"].is_string(), "the home is there");
    assert!(world.sink.arrived().is_empty(), "nothing left");
}

#[test]
fn description_can_be_satisfied_and_says_its_bounds() {
    let world = World::bare(vec![], 0);
    let mut world = world;
    world.serve();
    let api = world.get("/v1/openapi.json");
    let schemas = &api["components"]["schemas"];
    let mail = &schemas["Settings"]["oneOf"][0];
    assert!(mail.get("allOf").is_none() && mail["additionalProperties"] == false, "{mail:#}");
    let fields = mail["properties"].as_object().unwrap();
    assert!(fields.contains_key("kind") && fields.contains_key("address"), "{mail:#}");
    assert_eq!(schemas["Server"]["properties"]["port"]["maximum"], 65_535);
    // A method the address does not take, a body that is an array, one that is too long and does not say so before.
    assert_eq!(world.request_as(&world.token(), "PUT", "/v1/status", "").0, 405);
    let (status, answer) = world.post("/v1/approvals/reject", &json!([[]]));
    assert_eq!((status, answer["code"].as_str()), (400, Some("malformed")));
    let head = format!("host: {}\r\nauthorization: Bearer {}\r\n", world.gateway(), world.token());
    let mut stream = TcpStream::connect(world.gateway()).unwrap();
    let piece = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    write!(
        stream,
        "POST /v1/tasks HTTP/1.1\r\n{head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .unwrap();
    let mut answer = stream.try_clone().unwrap();
    std::thread::spawn(move || while stream.write_all(piece.as_bytes()).is_ok() {});
    let mut said = [0; 12];
    answer.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 413");
}

/// What somebody at the gateway asked, and reads nothing of.
fn asks(world: &World, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.gateway()).unwrap();
    let (host, token) = (world.gateway(), world.token());
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
    stream
}

/// The head of an answer at the gateway, and how long it took.
fn answered(world: &World, method: &str, path: &str) -> (String, Duration) {
    let started = clock();
    let mut stream = TcpStream::connect(world.gateway()).unwrap();
    let (host, token) = (world.gateway(), world.token());
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    (text.split("\r\n\r\n").next().unwrap_or_default().to_lowercase(), started.elapsed())
}

/// What keeps the person in charge is answered at once, at the gateway and at the socket.
fn stays_in_charge(world: &World, meanwhile: &str) {
    for (method, path) in [("GET", "/v1/status"), ("GET", "/v1/approvals"), ("POST", "/v1/pause")] {
        // The quickest of five: what these tests share a machine with may take a second of its own.
        let took = (0..5).map(|_| {
            let (head, took) = answered(world, method, path);
            assert!(head.starts_with("http/1.1 200"), "{path}, {meanwhile}: {head}");
            took
        });
        let quickest = took.min().unwrap();
        assert!(quickest < AT_ONCE, "{path}, {meanwhile}: {quickest:?}");
    }
    let quickest = (0..5).map(|_| {
        let started = clock();
        world.ok(&["pause"], "");
        started.elapsed()
    });
    assert!(quickest.min().unwrap() < AT_ONCE * 2, "{meanwhile}, at the socket");
}

fn with_descriptors() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let wanted =
        rustix::process::Rlimit { current: Some(DESCRIPTORS.min(limit.maximum.unwrap_or(DESCRIPTORS))), ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, wanted).unwrap();
}

#[test]
fn requests_that_nobody_reads_keep_nobody_from_what_is_urgent() {
    with_descriptors();
    let world = World::new(vec![]);
    // Longer than what lies in between takes.
    (0..400).for_each(|_| drop(world.post("/v1/pause", &Value::Null)));
    let unread: Vec<_> = (0..300).map(|_| asks(&world, "/v1/log?limit=200")).collect();
    stays_in_charge(&world, "300 requests that nobody reads");
    drop(unread);
}

#[test]
fn streams_without_end_keep_nobody_from_what_is_urgent() {
    with_descriptors();
    let world = World::new(vec![]);
    let mut streams: Vec<_> = (0..385).map(|_| asks(&world, "/v1/events")).collect();
    stays_in_charge(&world, "385 streams");
    // As many as may be are there, and the rest was told when to come again.
    let (head, _) = answered(&world, "GET", "/v1/events");
    assert!(head.starts_with("http/1.1 503") && head.contains("retry-after: 1"), "{head}");
    streams.truncate(0);
    World::until_true("no place was ever free again", || {
        let mut head = [0; 12];
        asks(&world, "/v1/events").read_exact(&mut head).unwrap();
        head.ends_with(b"200")
    });
}

#[test]
fn idle_connections_keep_nobody_from_what_is_urgent() {
    with_descriptors();
    let world = World::new(vec![]);
    let idle: Vec<_> = (0..1_500).map(|_| UnixStream::connect(world.data().join("run/home.sock")).unwrap()).collect();
    stays_in_charge(&world, "1,500 idle connections at the socket");
    let more: Vec<_> = (0..300).map(|_| TcpStream::connect(world.gateway()).unwrap()).collect();
    stays_in_charge(&world, "and 300 at the gateway");
    drop((idle, more));
}

#[test]
fn who_says_nothing_is_cut_off() {
    /// Longer than either of them is waited for.
    const PATIENCE: Duration = Duration::from_secs(60);
    let world = World::new(vec![]);
    let says = |words: &str| {
        let mut stream = UnixStream::connect(world.data().join("run/home.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(words.as_bytes()).unwrap();
        stream
    };
    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: bailey\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n",
        world.token()
    );
    let (mut without_end, mut without_body) = (says("GET /v1"), says(&head));
    let mut answer = Vec::new();
    without_end.read_to_end(&mut answer).unwrap();
    let mut status = [0; 12];
    without_body.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 400");
}

/// Somebody who has the token, and no more.
#[test]
fn who_guesses_over_the_gateway_keeps_nobody_from_answering() {
    let world = World::new(vec![]);
    world.ok(&["pause"], "");
    let over_tcp = |token: &str| {
        let proof = world.prove(&Purpose::Resume { epoch: 1 }, "guessed words");
        let body = json!({"epoch": 1, "proof": proof}).to_string();
        let mut stream = TcpStream::connect(world.gateway()).unwrap();
        let (host, length) = (world.gateway(), body.len());
        write!(
            stream,
            "POST /v1/resume HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    // The command line's is made of it, and counts at the home's socket alone.
    let terminal = bailey_home::Layout::new(&world.data()).read_token_of(Client::CommandLine).unwrap();
    for _ in 0..21 {
        assert!(over_tcp(&terminal).starts_with("HTTP/1.1 401"));
        over_tcp(&world.token());
    }
    assert!(over_tcp(&world.token()).contains("wrong answers within"), "no more guesses from there");
    world.ok(&["resume"], PASSPHRASE);
    assert_eq!(world.get("/v1/status")["mode"], "open");
}
