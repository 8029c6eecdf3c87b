//! Stopping: pause, revocation, levels, rollback, a second daemon.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;

use bailey_gate::approval::Purpose;
use bailey_scripted::Turn;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;

use crate::support::{PASSPHRASE, World, command, copy_folder, has_place_for_locks, id, send, shown, witness};

#[test]
fn pause_stops_what_waits_and_what_is_held_and_survives_a_restart() {
    let two = Turn::calls(vec![
        ("mail_send", json!({"to": "held@example.org", "subject": "1", "body": "one"})),
        ("mail_send", json!({"to": "waits@example.org", "subject": "2", "body": "two"})),
    ]);
    let mut world = World::holding(vec![two, Turn::say("ok")], 3_600);
    world.task("write to both");
    let cards = world.approvals();
    let [held, waits] = cards.as_slice() else { panic!("{cards:?}") };
    world.ok(&["approve", &id(held)], PASSPHRASE);
    world.ok(&["pause"], "");
    assert_eq!(world.data_of(&["status"])["mode"], "paused");
    assert_eq!(world.get(&format!("/v1/actions/{}", id(held)))["state"], "held");

    world.hold(0);
    world.restart();
    assert_eq!(world.data_of(&["status"])["mode"], "paused", "a restart does not resume");
    // An approval while paused is kept, and sends nothing.
    world.ok(&["approve", &id(waits)], PASSPHRASE);
    let (code, words) = world.fails(&["resume"], "wrong passphrase");
    assert_eq!((code, words.contains("passphrase is wrong")), (4, true), "{words}");
    assert_eq!(world.post("/v1/resume", &json!({"epoch": 1, "proof": {"challenge": "00".repeat(64), "credential": "00".repeat(16), "assertion": {"kind": "passphrase-key", "signature": ""}, "session": "00".repeat(16)}})).0, 403);
    assert!(world.sink.arrived().is_empty());

    let said = world.ok(&["resume"], PASSPHRASE);
    assert!(said.contains("2 approved action(s) ask again"), "{said}");
    assert_eq!(world.approvals().len(), 2);
    assert!(world.sink.arrived().is_empty(), "nothing approved before the pause leaves after it");
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(held), "succeeded");
    world.until(&id(waits), "succeeded");
    assert_eq!(world.sink.arrived().len(), 2);
}

#[test]
fn pause_stops_a_running_task_and_a_mail_between_claim_and_hand_off() {
    let world =
        World::new(vec![send("ana@example.org", "1", "one"), send("bo@example.org", "2", "two"), Turn::say("ok")]);
    let task = world.task("write twice");
    let first = world.waiting();
    world.ok(&["pause"], "");
    let asked = world.provider.requests().len();
    world.ok(&["reject", &id(&first)], "");
    world.until_task(task["id"].as_str().unwrap(), "running");
    assert_eq!(world.provider.requests().len(), asked, "the model is not asked while paused");
    world.ok(&["resume"], PASSPHRASE);
    world.until_task(task["id"].as_str().unwrap(), "waiting");
    let second = world.waiting();
    assert_eq!(second["items"][1]["value"], "bo@example.org");
    // Nothing went to the model, and nothing came up, between the pause and its end.
    let log = world.data_of(&["log", "list", "--limit", "500"]);
    let seqs = |kind: &str| {
        let of_kind = log.as_array().unwrap().iter().filter(|entry| entry["header"]["kind"] == kind);
        of_kind.map(|entry| entry["header"]["seq"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let (began, ended) = (seqs("paused")[0], seqs("resumed")[0]);
    for kind in ["model", "proposed"] {
        assert!(seqs(kind).iter().all(|seq| *seq < began || *seq > ended), "{log:#}");
        assert!(seqs(kind).iter().any(|seq| *seq > ended), "{log:#}");
    }
}

/// A home whose mail was handed over to a server that says nothing.
fn handed_over() -> (World, serde_json::Value) {
    let world = World::new(vec![send("slow@example.org", "1", "one"), Turn::say("ok")]);
    world.task("write");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "claimed");
    World::until_true("it was never handed over", || !world.sink.arrived().is_empty());
    (world, card)
}

#[test]
fn a_revocation_cuts_what_is_open_at_once() {
    let (world, card) = handed_over();
    let connection = world.data_of(&["connections"])[0]["id"].as_str().unwrap().to_owned();
    let started = crate::support::clock();
    world.ok(&["revoke", &connection], "");
    let ended = world.until(&id(&card), "needs-person");
    assert!(started.elapsed().as_secs_f64() < 2.0, "{ended:#}");
    assert_eq!(world.sink.arrived().len(), 1);
}

#[test]
fn a_pause_cuts_what_is_open_at_once() {
    let (world, card) = handed_over();
    world.ok(&["pause"], "");
    // The server says nothing: that it is not waited for is the cut.
    world.until(&id(&card), "unknown");
    world.ok(&["resume"], PASSPHRASE);
    world.until(&id(&card), "needs-person");
    assert_eq!(world.sink.arrived().len(), 1);
}

fn signal(process: i32, signal: Signal) -> Pid {
    let pid = Pid::from_raw(process).unwrap();
    kill_process(pid, signal).unwrap();
    pid
}

/// The home's process, as it is then: there, and nothing in it moves.
fn stop_moving(world: &World) -> Pid {
    signal(world.child("home-process"), Signal::STOP)
}

fn tell_to_end(world: &World) {
    signal(i32::try_from(world.supervisor()).unwrap(), Signal::TERM);
}

fn held_for_an_hour() -> (World, serde_json::Value) {
    let world = World::holding(vec![send("ana@example.org", "1", "one"), Turn::say("ok")], 3_600);
    world.task("write");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "held");
    // From the next start on, what is approved is not held any more. (That what is overdue does not leave a paused home is for the
    // simulator to show: it knows the time.)
    world.hold(0);
    (world, card)
}

/// Everything is paused though the home had no part in it: nothing leaves, the log says so, and resuming asks again.
fn paused_by_supervisor(world: &World, card: &serde_json::Value) {
    let status = world.data_of(&["status"]);
    assert_eq!(status["mode"], "paused");
    assert!(status["notices"].to_string().contains("paused from outside"), "{status}");
    let log = world.data_of(&["log", "list", "--limit", "50"]);
    assert!(log.as_array().unwrap().iter().any(|entry| entry["header"]["kind"] == "paused"), "the log says who paused");
    assert!(world.sink.arrived().is_empty());
    resumed_asks_again(world, card);
}

fn resumed_asks_again(world: &World, card: &serde_json::Value) {
    world.ok(&["resume"], PASSPHRASE);
    assert!(world.sink.arrived().is_empty(), "what was approved before asks again");
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(card), "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
}

#[test]
fn a_home_that_hangs_is_ended_by_a_pause_and_comes_up_paused() {
    let (world, card) = held_for_an_hour();
    let hung = stop_moving(&world);
    let doctor = world.run(&["doctor", "--json"], "");
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("has not answered for 5 s"), "the doctor sees it");
    let said = world.ok(&["pause"], "");
    assert!(said.starts_with("Paused.") && said.contains("was ended"), "{said}");
    assert!(test_kill_process(hung).is_err(), "nothing of the home may run when the pause returns");
    world.until_answering();
    paused_by_supervisor(&world, &card);
}

#[test]
fn a_pause_finds_a_home_that_cannot_start_or_does_not_run() {
    let (mut world, card) = held_for_an_hour();
    // It ends, and cannot start again for a mistake in the configuration.
    let config = fs::read_to_string(world.data().join("config.toml")).unwrap();
    fs::write(world.data().join("config.toml"), "mistake").unwrap();
    signal(world.child("home-process"), Signal::KILL);
    World::until_true("the home never ended", || UnixStream::connect(world.data().join("run/home.sock")).is_err());
    let said = world.ok(&["pause"], "");
    assert!(said.starts_with("Paused."), "{said}");
    fs::write(world.data().join("config.toml"), config).unwrap();
    world.until_answering();
    paused_by_supervisor(&world, &card);

    world.kill();
    let said = world.ok(&["pause"], "");
    assert!(said.contains("will start paused"), "{said}");
    world.serve();
    assert_eq!(world.data_of(&["status"])["mode"], "paused");
}

#[test]
fn a_locked_home_is_paused_before_it_is_unlocked() {
    let mut world = World::unset();
    world.ok(&["setup", "--root", "passphrase"], &format!("the home's own words\n{PASSPHRASE}"));
    world.hold(0);
    world.serve_locked();
    let said = world.ok(&["pause"], "");
    assert!(said.starts_with("Paused: Bailey is locked"), "{said}");
    world.ok(&["unlock"], "the home's own words");
    world.until_answering();
    assert_eq!(world.data_of(&["status"])["mode"], "paused");
}

#[test]
fn a_pause_that_could_not_be_marked_is_written_down_by_the_home_that_comes_up() {
    let (mut world, card) = held_for_an_hour();
    stop_moving(&world);
    // A folder in its place can be neither marked nor removed.
    let (record, aside) = (world.data().join("state/pause"), world.data().join("aside"));
    fs::rename(&record, &aside).unwrap();
    fs::create_dir(&record).unwrap();
    let said = world.ok(&["pause"], "");
    assert!(said.starts_with("Paused.") && said.contains("could not be recorded"), "{said}");
    fs::remove_dir(&record).unwrap();
    fs::rename(&aside, &record).unwrap();
    world.until_answering();
    world.restart();
    assert_eq!(world.data_of(&["status"])["mode"], "paused", "the supervisor that remembered it is gone");
    resumed_asks_again(&world, &card);
}

#[test]
fn a_pause_while_it_is_being_stopped_holds_for_the_next_start() {
    let (mut world, card) = held_for_an_hour();
    stop_moving(&world);
    tell_to_end(&world);
    let said = world.ok(&["pause"], "");
    assert!(said.starts_with("Paused.") || said.contains("will start paused"), "{said}");
    assert!(world.ended().success());
    world.serve();
    paused_by_supervisor(&world, &card);
}

#[test]
fn whoever_does_not_read_what_it_says_keeps_no_pause_waiting() {
    let (mut world, card) = held_for_an_hour();
    world.kill();
    world.hold(3_600);
    world.serve_unread();
    world.hold(0);
    stop_moving(&world);
    let said = world.ok(&["pause"], "");
    assert!(said.starts_with("Paused."), "{said}");
    world.until_answering();
    paused_by_supervisor(&world, &card);
    tell_to_end(&world);
    assert!(world.ended().success());
}

/// A record that cannot be marked is removed: one that is missing means paused.
#[test]
fn a_record_with_a_second_name_is_paused_too() {
    let (mut world, card) = held_for_an_hour();
    world.kill();
    let link = world.data().join("link");
    fs::hard_link(world.data().join("state/pause"), &link).unwrap();
    let before = fs::read(&link).unwrap();
    let said = world.ok(&["pause"], "");
    assert!(said.contains("will start paused"), "{said}");
    assert_eq!(fs::read(&link).unwrap(), before, "nothing was written through it");
    world.serve();
    assert_eq!(world.data_of(&["status"])["mode"], "paused");
    resumed_asks_again(&world, &card);
}

#[test]
fn a_home_that_runs_is_not_taken_for_one_at_rest() {
    let (world, card) = held_for_an_hour();
    // Its files are tidied away while it runs.
    let paths = ["supervisor.lock", "supervisor.sock", "run/home.sock"].map(|name| world.data().join(name));
    for path in &paths {
        fs::remove_file(path).unwrap();
    }
    let (code, why) = world.fails(&["pause"], "");
    assert!(code == 1 && why.contains("runs already"), "{why}");
    let (code, why) = world.fails(&["serve"], "");
    assert!(code == 1 && why.contains("already"), "{why}");
    // Its folder is moved, and a copy put in its place.
    let (data, moved) = (world.data(), world.folder.path().join("moved"));
    fs::rename(&data, &moved).unwrap();
    assert!(command("cp").arg("-a").args([&moved, &data]).status().unwrap().success());
    let said = world.run(&["pause"], "");
    let why = String::from_utf8_lossy(&said.stderr).into_owned();
    // Which is seen where there is a place for locks that no folder takes along.
    if has_place_for_locks() {
        assert!(!said.status.success() && why.contains("runs already"), "{why}");
    }
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&moved, &data).unwrap();
    world.child("home-process");
    assert!(world.sink.arrived().is_empty(), "{card}");
}

#[test]
fn what_is_no_home_is_not_paused() {
    let (world, _) = held_for_an_hour();
    let other = world.folder.path().join("other");
    // What is left where a home was moved away, or is put back in part.
    fs::create_dir_all(other.join("state")).unwrap();
    fs::copy(world.data().join("state/pause"), other.join("state/pause")).unwrap();
    let mut pausing = command(env!("CARGO_BIN_EXE_bailey"));
    let said = pausing.args(["pause", "--data"]).arg(&other).output().unwrap();
    let why = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(1) && why.contains("there is no home"), "{why}");
    assert_eq!(world.data_of(&["status"])["mode"], "open");
}

#[test]
fn every_pause_is_in_the_log_and_no_older_record_takes_it_back() {
    let mut world = World::new(vec![]);
    let record = world.data().join("state/pause");
    world.ok(&["pause"], "");
    let paused = fs::read(&record).unwrap();
    world.ok(&["resume"], PASSPHRASE);
    let open = fs::read(&record).unwrap();
    let entries = |world: &World| {
        let log = world.data_of(&["log", "list", "--limit", "50"]);
        log.as_array().unwrap().iter().filter(|entry| entry["header"]["kind"] == "paused").count()
    };
    // A pause of which the log was not told: as on a disk that was full.
    world.kill();
    fs::write(&record, &paused).unwrap();
    world.serve();
    assert_eq!((world.data_of(&["status"])["mode"].as_str(), entries(&world)), (Some("paused"), 2));
    world.kill();
    fs::write(&record, &open).unwrap();
    world.serve();
    assert_eq!(world.data_of(&["status"])["mode"], "paused", "the log knows of it by now");
    // Whatever else the older record could be taken for: it is of before the last pause.
    world.ok(&["resume"], PASSPHRASE);
    world.kill();
    fs::write(&record, &open).unwrap();
    world.serve();
    let status = world.data_of(&["status"]);
    assert_eq!(status["mode"], "paused");
    assert!(status["notices"].to_string().contains("older than the log"), "{status}");
}

#[test]
fn while_everything_is_paused_no_server_is_greeted() {
    let world = World::new(vec![]);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let address = server.local_addr().unwrap().to_string();
    world.ok(&["pause"], "");
    let mail = |more: &[&str]| {
        let first = ["connect", "mail", "b@example.org", "--level", "full", "--app-password", "--imap", &address];
        let all: Vec<&str> = first.iter().chain(more).copied().chain(["--submission", &address]).collect();
        world.fails(&all, &format!("{PASSPHRASE}\npassword")).1
    };
    let calendar = format!("http://{address}/me/");
    let calendar = ["connect", "calendar", &calendar, "--user", "me", "--level", "full"];
    let said = [mail(&["--no-tls"]), mail(&[]), world.fails(&calendar, &format!("{PASSPHRASE}\npassword")).1];
    for why in said {
        assert!(why.contains("paused"), "{why}");
    }
    assert_eq!(server.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody was there");
}

#[test]
fn a_gateway_that_hangs_is_started_anew() {
    let (mut world, _) = held_for_an_hour();
    world.configure(&format!("[home]\nrestart_when_silent_seconds = 6\n[gateway]\nlisten = \"{}\"\n", world.gateway()));
    world.restart();
    let hung = signal(world.child("gateway-process"), Signal::STOP);
    World::until_true("the gateway was never ended", || test_kill_process(hung).is_err());
    let answers = || {
        let stream = std::net::TcpStream::connect(world.gateway());
        stream.is_ok_and(|mut stream| {
            let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: nobody\r\nconnection: close\r\n\r\n");
            asked.is_ok() && stream.read_to_string(&mut String::new()).is_ok_and(|count| count > 0)
        })
    };
    World::until_true("no other gateway came", answers);
}

#[test]
fn a_home_that_hangs_is_started_anew() {
    let (mut world, card) = held_for_an_hour();
    let path = world.data().join("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    assert!(config.contains("[home]"), "{config}");
    fs::write(&path, config.replace("[home]", "[home]\nrestart_when_silent_seconds = 6")).unwrap();
    world.ok(&["pause"], "");
    world.restart();
    let hung = stop_moving(&world);
    World::until_true("the home was never ended", || test_kill_process(hung).is_err());
    world.until_answering();
    assert_ne!(world.child("home-process"), hung.as_raw_pid(), "another home");
    assert_eq!(world.data_of(&["status"])["mode"], "paused", "starting anew resumes nothing");
    resumed_asks_again(&world, &card);
}

#[test]
fn pausing_needs_no_proof_and_works_when_the_record_is_damaged_at_start() {
    let mut world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    world.task("write");
    world.kill();
    let record = world.data().join("state/pause");
    fs::write(&record, b"torn").unwrap();
    world.serve();
    let status = world.data_of(&["status"]);
    assert_eq!(status["mode"], "paused");
    assert!(status["notices"].to_string().contains("could not be read"), "{status}");
    world.ok(&["approve"], PASSPHRASE);
    assert!(world.sink.arrived().is_empty());
    assert_eq!(world.post("/v1/pause", &json!(null)).0, 200);
}

#[test]
fn a_missing_record_or_database_opens_nothing() {
    let mut world = World::holding(vec![send("ana@example.org", "1", "one"), Turn::say("ok")], 3_600);
    world.task("write");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "held");
    world.ok(&["pause"], "");
    world.hold(0);
    world.kill();
    fs::remove_file(world.data().join("state/pause")).unwrap();
    world.serve();
    assert_eq!(world.data_of(&["status"])["mode"], "paused");
    world.kill();
    // A record that says open, and is of a later time than all the log knows, against a log that says paused.
    fs::remove_file(world.data().join("state/pause")).unwrap();
    let other = World::new(vec![]);
    for _ in 0..6 {
        other.ok(&["pause"], "");
        other.ok(&["resume"], PASSPHRASE);
    }
    fs::copy(other.data().join("state/pause"), world.data().join("state/pause")).unwrap();
    world.serve();
    assert_eq!(world.data_of(&["status"])["mode"], "paused");
    world.kill();
    for name in ["home/ledger.db", "home/keys.db"] {
        let database = world.data().join(name);
        let whole = fs::read(&database).unwrap();
        fs::write(&database, b"").unwrap();
        assert!(world.fails(&["serve"], "").1.contains("missing or empty"), "{name}");
        fs::remove_file(&database).unwrap();
        assert!(world.fails(&["serve"], "").1.contains("missing or empty"), "{name}");
        fs::write(&database, whole).unwrap();
    }
    world.serve();
    assert!(world.sink.arrived().is_empty());
}

#[test]
fn an_older_copy_revives_no_grant_and_no_task() {
    let mut world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    let connection = world.data_of(&["connections"])[0]["id"].as_str().unwrap().to_owned();
    let task = world.task("write");
    world.kill();
    let (home, copy) = (world.data().join("home"), world.data().join("copy"));
    copy_folder(&home, &copy);
    world.serve();
    world.ok(&["revoke", &connection], "");
    world.kill();
    fs::remove_dir_all(&home).unwrap();
    fs::rename(&copy, &home).unwrap();
    world.serve();
    assert_eq!(world.data_of(&["connections"])[0]["active"], false);
    assert_eq!(world.get(&format!("/v1/tasks/{}", task["id"].as_str().unwrap()))["state"], "stopped");
    world.ok(&["resume"], PASSPHRASE);
    assert!(world.approvals().is_empty());
}

#[test]
fn a_revoked_connection_sends_nothing_that_was_approved_before() {
    let world = World::holding(
        vec![send("ana@example.org", "1", "one"), send("bo@example.org", "2", "2"), Turn::say("ok")],
        3_600,
    );
    let connection = world.data_of(&["connections"])[0]["id"].as_str().unwrap().to_owned();
    let task = world.task("write");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "held");
    world.ok(&["revoke", &connection], "");
    let card = world.until(&id(&card), "denied");
    assert!(world.sink.arrived().is_empty(), "{card}");
    assert_eq!(world.data_of(&["connections"])[0]["active"], false);
    // The agent is told, and finds no account to write from.
    world.until_task(task["id"].as_str().unwrap(), "answered");
    assert!(world.sink.arrived().is_empty());
    let (status, _) = world.post(&format!("/v1/connections/{}/revoke", "00".repeat(16)), &json!(null));
    assert_eq!(status, 404);
}

#[test]
fn a_connection_made_for_less_cannot_send_even_when_told_to() {
    for level in ["read-only", "draft"] {
        let mut world = World::bare(vec![send("ana@example.org", "1", "one"), Turn::say("could not")], 0);
        world.serve();
        world.connect(level);
        let task = world.task("send Ana a mail, whatever it takes");
        assert_eq!(task["state"], "answered", "{task:#}");
        let action = &task["actions"][0];
        assert_eq!(action["state"], "denied", "{level}");
        assert!(action["reason"].as_str().unwrap().contains("connected for less"), "{action}");
        assert!(world.approvals().is_empty());
        let proof = world.prove(&Purpose::Approve(vec![shown(action)]), PASSPHRASE);
        let body = json!({"shown": [{"id": action["id"], "digest": action["digest"]}], "proof": proof});
        assert_eq!(world.post("/v1/approvals/approve", &body).0, 409);
        assert!(world.sink.arrived().is_empty());
    }
}

#[test]
fn an_answer_that_ends_a_pause_ends_no_later_one() {
    let world = World::new(vec![]);
    let resume =
        |epoch: u64, proof: &serde_json::Value| world.post("/v1/resume", &json!({"epoch": epoch, "proof": proof})).0;
    let paused = || {
        world.ok(&["pause"], "");
        world.data_of(&["status"])["epoch"].as_u64().unwrap()
    };
    let is_open = || world.data_of(&["status"])["mode"] == "open";
    let first = paused();
    let answers = [(); 3].map(|()| world.prove(&Purpose::Resume { epoch: first }, PASSPHRASE));
    let [used, lost, late] = &answers;
    assert_eq!(resume(first, used), 200);
    assert!(is_open());
    // Where nothing is paused an answer is used up all the same.
    assert_eq!(resume(first, lost), 200);
    // Somebody told the person of a pause that has yet to come.
    let early = world.prove(&Purpose::Resume { epoch: first + 1 }, PASSPHRASE);

    let second = paused();
    assert_eq!((second, resume(second, &early)), (first + 1, 403), "nobody has seen it yet");
    for (epoch, answer, status) in [(first, used, 409), (first, lost, 409), (first, late, 409)] {
        assert_eq!(resume(epoch, answer), status, "{epoch}");
    }
    // Asked for only now, but the person was shown the first.
    let misled = world.prove(&Purpose::Resume { epoch: first }, PASSPHRASE);
    for answer in answers.iter().chain([&misled]) {
        assert_eq!(resume(second, answer), 403, "it is for the pause it was given for");
    }
    assert!(!is_open(), "nobody ended the second pause");
    world.ok(&["resume"], PASSPHRASE);
    assert!(is_open());
    assert_eq!(resume(second, lost), 403, "used up while everything was open");
    assert!(world.ok(&["resume"], "").contains("Nothing is paused"));
}

#[test]
fn connecting_needs_the_person() {
    let world = World::new(vec![]);
    let mail = json!({"address": "evil@example.org", "submission": {"host": "127.0.0.1", "port": 1, "tls": false}});
    let proof = world.prove(&Purpose::Resume { epoch: 0 }, PASSPHRASE);
    let mut settings = mail;
    settings["kind"] = json!("mail");
    let body = json!({"settings": settings, "level": "send", "proof": proof});
    assert_eq!(world.post("/v1/connections", &body).0, 403);
    let connect = ["connect", "mail", "evil@example.org", "--level", "send", "--no-tls", "--submission", "127.0.0.1:1"];
    let (code, _) = world.fails(&connect, "wrong passphrase");
    assert_eq!(code, 4);
    assert_eq!(world.data_of(&["connections"]).as_array().unwrap().len(), 1);
}

#[test]
fn an_older_database_put_back_revives_nothing() {
    let mut world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    world.task("write");
    let card = world.waiting();
    world.kill();
    let home = world.data().join("home");
    let copy = world.data().join("copy");
    copy_folder(&home, &copy);
    world.serve();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "succeeded");
    world.kill();

    fs::remove_dir_all(&home).unwrap();
    fs::rename(&copy, &home).unwrap();
    world.serve();
    let status = world.data_of(&["status"]);
    assert_eq!(status["mode"], "paused");
    assert!(status["notices"].to_string().contains("older than the mark"), "{status}");
    assert_eq!(world.get(&format!("/v1/actions/{}", id(&card)))["state"], "cancelled");
    assert_eq!(world.fails(&["approve", &id(&card)], PASSPHRASE).0, 1);
    world.ok(&["resume"], PASSPHRASE);
    let forked = world.data_of(&["log", "list", "--limit", "500"]);
    assert!(forked.as_array().unwrap().iter().any(|entry| entry["header"]["kind"] == "forked"));
    assert_eq!(world.sink.arrived().len(), 1);
    world.restart();
    assert_eq!(world.data_of(&["status"])["mode"], "open", "noticed once, not for ever");
}

#[test]
fn a_whole_folder_put_back_sends_nothing_again() {
    let mut world = World::holding(vec![send("ana@example.org", "1", "one"), Turn::say("ok")], 5);
    world.task("write");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "held");
    world.kill();
    let (data, copy) = (world.data(), world.folder.path().join("copy"));
    let copied = |from: &std::path::Path, to: &std::path::Path| {
        assert!(command("cp").arg("-a").args([from, to]).status().unwrap().success());
    };
    copied(&data, &copy);
    world.serve();
    if has_place_for_locks() {
        world.until(&id(&card), "succeeded");
    } else {
        world.ok(&["approve"], PASSPHRASE);
        world.until(&id(&card), "succeeded");
    }
    world.run(&["log", "verify"], "");
    world.kill();
    let put_back = || {
        fs::remove_dir_all(&data).unwrap();
        copied(&copy, &data);
    };

    put_back();
    if has_place_for_locks() {
        world.serve();
        let status = world.data_of(&["status"]);
        assert_eq!(status["mode"], "paused");
        assert!(status["notices"].to_string().contains("older than the mark"), "{status}");
        assert_eq!(world.get(&format!("/v1/actions/{}", id(&card)))["state"], "cancelled");
        world.kill();
        put_back();
        // As on another machine, or after a start of this one.
        fs::remove_file(witness(&world)).unwrap();
    }
    world.serve();
    let status = world.data_of(&["status"]);
    assert!(status["notices"].to_string().contains("ask again"), "{status}");
    assert_eq!(world.waiting()["id"], card["id"]);
    let log = world.data_of(&["log", "list", "--limit", "50"]).to_string();
    assert!(log.contains("gate.approved-before-this-run"), "{log}");
    assert_eq!(world.sink.arrived().len(), 1);
    // The client has seen more of this log than there is.
    assert!(world.ok(&["status"], "").contains("older than what this client has seen"));
    let doctor = String::from_utf8_lossy(&world.run(&["doctor", "--json"], "").stdout).into_owned();
    assert!(doctor.contains("older than what this client has seen"), "{doctor}");
}

fn set_aside(folder: &std::path::Path, name: &str) -> Vec<std::path::PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&format!("{name}.damaged-"))).collect()
}

#[test]
fn a_damaged_mark_pauses_and_takes_nothing_back() {
    let (mut world, card) = held_for_an_hour();
    world.kill();
    let path = world.data().join("state/mark");
    let mut bytes = fs::read(&path).unwrap();
    // Still a mark to look at, of another size.
    let at = bytes.windows(7).position(|part| part == b"\"size\":").unwrap() + 7;
    bytes[at] = if bytes[at] == b'9' { b'8' } else { b'9' };
    fs::write(&path, &bytes).unwrap();
    world.serve();
    let status = world.data_of(&["status"]);
    assert_eq!(status["mode"], "paused");
    assert!(status["notices"].to_string().contains("mark beside the database is damaged"), "{status}");
    assert_eq!(world.data_of(&["connections"])[0]["active"], true);
    assert_ne!(world.get(&format!("/v1/actions/{}", id(&card)))["state"], "cancelled");
    let copies = set_aside(&world.data().join("state"), "mark");
    assert_eq!(copies.len(), 1);
    assert_eq!(fs::read(&copies[0]).unwrap(), bytes);
    world.restart();
    assert_eq!(world.data_of(&["status"])["mode"], "paused", "the log says so");
    assert_eq!(set_aside(&world.data().join("state"), "mark").len(), 1, "the mark is whole again");
    resumed_asks_again(&world, &card);
}

#[test]
fn a_damaged_write_ahead_log_is_kept_before_anything_is_written_over_it() {
    let (mut world, _) = held_for_an_hour();
    world.kill();
    let path = world.data().join("home/ledger.db-wal");
    let mut bytes = fs::read(&path).unwrap();
    bytes[17] ^= 1;
    fs::write(&path, &bytes).unwrap();
    world.serve();
    let status = world.data_of(&["status"]);
    assert_eq!(status["mode"], "paused");
    assert!(status["notices"].to_string().contains("ledger.db-wal.damaged-"), "{status}");
    let copies = set_aside(&world.data().join("home"), "ledger.db-wal");
    assert_eq!(copies.len(), 1);
    assert_eq!(fs::read(&copies[0]).unwrap(), bytes);
    assert!(world.sink.arrived().is_empty());
}

#[test]
fn a_connection_whose_credential_cannot_be_read_is_revoked_all_the_same() {
    let mut world = World::new(vec![]);
    let connection = world.data_of(&["connections"])[0]["id"].as_str().unwrap().to_owned();
    world.kill();
    let owner = connection.parse::<bailey_gate::ConnectionId>().unwrap();
    crate::support::put_record(&world.data(), "credential", owner.as_bytes(), b"{");
    world.serve();
    let said = world.ok(&["revoke", &connection], "");
    assert!(said.contains("cannot be read"), "{said}");
    assert_eq!(world.data_of(&["connections"])[0]["active"], false);
    world.restart();
    assert_eq!(world.data_of(&["connections"])[0]["active"], false);
}

#[test]
fn one_home_has_one_daemon_and_one_setup() {
    let world = World::new(vec![]);
    let (code, words) = world.fails(&["serve"], "");
    assert_eq!(code, 1);
    assert!(words.contains("running already"), "{words}");
    assert_eq!(world.data_of(&["status"])["mode"], "open", "the first one goes on");
    let (_, words) = world.fails(&["setup"], "another passphrase");
    assert!(words.contains("nothing was changed"), "{words}");
}

#[test]
fn a_stopped_task_takes_back_what_it_had_waiting() {
    let mut world = World::new(vec![send("ana@example.org", "1", "one"), Turn::say("ok")]);
    let task = world.task("write");
    let card = world.waiting();
    world.ok(&["stop", task["id"].as_str().unwrap()], "");
    world.until_task(task["id"].as_str().unwrap(), "stopped");
    assert_eq!(world.get(&format!("/v1/actions/{}", id(&card)))["state"], "cancelled");
    assert!(world.approvals().is_empty());
    world.restart();
    assert_eq!(world.get(&format!("/v1/tasks/{}", task["id"].as_str().unwrap()))["state"], "stopped");
}
