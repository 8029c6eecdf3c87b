//! The house: its processes, who may enter, and its end.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bailey_gate::approval::Purpose;
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, command, copy_folder, has_place_for_locks, id, send, witness};

/// One request over TCP: status and body.
fn over_tcp(address: &str, method: &str, path: &str, head: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{head}connection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn running() -> (World, String) {
    let world = World::new(vec![send("ana@example.org", "Tuesday", "Yes.")]);
    let address = world.gateway();
    (world, address)
}

#[test]
fn the_gateway_lets_in_what_comes_from_this_machine_with_the_token_and_nothing_else() {
    let (world, address) = running();
    let token = format!("authorization: Bearer {}\r\n", world.token());
    let host = format!("host: {address}\r\n");
    let status = |head: &str| over_tcp(&address, "GET", "/v1/status", head, "").0;
    assert_eq!(status(&format!("{host}{token}")), 200);
    assert_eq!(status(&format!("{host}{token}origin: http://{address}\r\n")), 200);
    assert_eq!(status(&host), 401, "without the token");
    assert_eq!(status(&format!("{host}authorization: Bearer {}\r\n", "A".repeat(43))), 401, "with another");
    for (head, why) in [
        (format!("host: evil.example\r\n{token}"), "a name pointed at this machine"),
        (format!("{host}{token}origin: https://evil.example\r\n"), "a page from elsewhere"),
        (format!("{host}{token}sec-fetch-site: cross-site\r\n"), "a page from elsewhere"),
        (token.clone(), "no host"),
    ] {
        assert!([400, 403].contains(&status(&head)), "{why}");
    }
}

#[test]
fn the_target_and_every_line_of_a_request_count() {
    let (world, address) = running();
    let head = format!("host: {address}\r\nauthorization: Bearer {}\r\n", world.token());
    let target = |target: &str| over_tcp(&address, "GET", target, &head, "").0;
    assert_eq!(target(&format!("http://{address}/v1/status")), 200, "the same host once more");
    let (status, said) = over_tcp(&address, "GET", "http://evil.example/v1/status", &head, "");
    assert_eq!((status, &said["code"]), (400, &json!("invalid")), "{said}");
    let mine = format!("origin: http://{address}\r\n");
    for lines in [format!("{mine}origin: https://evil.example\r\n"), format!("{mine}{mine}")] {
        let (status, said) = over_tcp(&address, "GET", "/v1/status", &format!("{head}{lines}"), "");
        assert_eq!((status, &said["code"]), (400, &json!("invalid")), "{said}");
    }
    let (status, said) = over_tcp(&address, "PUT", "/v1/status", &head, "{}");
    assert!(
        status == 405 && said["message"].as_str().unwrap().contains("does not take that method"),
        "{status} {said}"
    );
    assert_eq!(target("/v1/nothing"), 404);
}

#[test]
fn a_mail_cannot_be_approved_over_tcp_with_the_token_alone() {
    let (world, address) = running();
    world.task("write to Ana");
    let waiting = world.waiting();
    let head = format!("host: {address}\r\nauthorization: Bearer {}\r\n", world.token());
    let (_, challenge) = over_tcp(&address, "POST", "/v1/challenge", &head, "null");
    let forged = json!({
        "shown": [{"id": waiting["id"], "digest": waiting["digest"]}],
        "proof": {"challenge": challenge["challenge"], "credential": challenge["credentials"][0]["id"], "assertion": {"kind": "passphrase-key", "signature": "AAAA"}, "session": "00".repeat(16)},
    });
    let (status, _) = over_tcp(&address, "POST", "/v1/approvals/approve", &head, &forged.to_string());
    assert_eq!(status, 403);
    assert!(world.sink.arrived().is_empty());
    assert_eq!(world.waiting()["id"], waiting["id"]);
}

#[test]
fn changes_are_told_as_they_happen() {
    let (world, address) = running();
    let mut stream = TcpStream::connect(&address).unwrap();
    let token = world.token();
    write!(stream, "GET /v1/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
    let mut seen = String::new();
    let mut read_until = |wanted: &str| {
        let mut piece = [0; 1024];
        while !seen.contains(wanted) {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "{seen}");
            seen.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    };
    read_until("\"waiting\":0");
    world.task("write to Ana");
    read_until("\"waiting\":1");
    world.ok(&["pause"], "");
    read_until("\"mode\":\"paused\"");
}

/// User of each process below the supervisor, and what it was started as. One that has ended and waits to be
/// collected has no arguments any more, and is left out.
fn processes(supervisor: u32) -> Vec<(u32, String)> {
    let children = fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).unwrap();
    let about = |pid: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let user = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let role = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?.split('\0').nth(1)?.to_owned();
        Some((user.split_whitespace().nth(1)?.parse().ok()?, role))
    };
    children.split_whitespace().filter_map(about).collect()
}

#[test]
fn processes_run_under_accounts_of_their_own_where_root_starts_them() {
    let (world, _) = running();
    let mut all = processes(world.supervisor());
    all.sort_by(|a, b| a.1.cmp(&b.1));
    let roles: Vec<_> = all.iter().map(|(_, role)| role.as_str()).collect();
    assert_eq!(roles, ["gateway-process", "home-process"]);
    let accounts = world.data_of(&["doctor"]).as_array().unwrap().iter().find(|one| one["what"] == "accounts").cloned();
    if rustix::process::geteuid().is_root() {
        let (gateway, home) = (all[0].0, all[1].0);
        assert!(gateway != 0 && home != 0 && gateway != home, "{all:?}");
        use std::os::unix::fs::MetadataExt as _;
        for (name, owner) in [("home", home), ("state", home), ("keys", 0)] {
            let about = fs::metadata(world.data().join(name)).unwrap();
            assert_eq!((about.uid(), about.mode() & 0o077), (owner, 0), "{name}");
        }
        assert_eq!(accounts.unwrap()["grade"], "good");
    } else {
        assert_eq!(accounts.unwrap()["grade"], "weak");
    }
}

#[test]
fn a_home_that_is_killed_comes_back_and_nothing_outlives_the_supervisor() {
    let (mut world, _) = running();
    world.task("write to Ana");
    let waiting = world.waiting();
    let home = world.child("home-process");
    rustix::process::kill_process(rustix::process::Pid::from_raw(home).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    world.until_answering();
    assert_ne!(world.child("home-process"), home);
    assert_eq!(world.waiting(), waiting);
    let children = [world.child("home-process"), world.child("gateway-process")];
    world.kill();
    for child in children {
        let ended = || fs::read_to_string(format!("/proc/{child}/stat")).map_or(true, |stat| stat.contains(") Z "));
        World::until_true("it outlives its supervisor", ended);
    }
}

#[test]
fn failures_say_what_to_do_and_are_data_for_programs() {
    let (mut world, _) = running();
    let (code, why) = world.fails(&["show", "no such task", "--json"], "");
    let data: Value = serde_json::from_str(&why).unwrap_or_else(|error| panic!("{error}: {why}"));
    assert_eq!(data["exit"], code);
    assert!(!data["message"].as_str().unwrap().is_empty());

    let deep = world.folder.path().join("a".repeat(120)).to_string_lossy().into_owned();
    let output = command(env!("CARGO_BIN_EXE_bailey")).args(["setup", "--data", &deep]).output().unwrap();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && why.contains("name a shorter folder"), "{why}");
    assert!(!Path::new(&deep).exists());

    world.ok(&["pause"], "");
    let task = world.ok(&["task", "--no-wait", "write to Ana"], "");
    assert!(task.contains("running"), "{task}");
    world.kill();
    fs::write(world.data().join("home.id"), "nobody").unwrap();
    let (_, why) = world.fails(&["serve"], "");
    assert!(why.contains("home.id") && why.contains("remove it"), "{why}");
    fs::remove_file(world.data().join("home.id")).unwrap();
    world.serve();
}

/// What the home's account leaves behind holds its own lock, or makes something else of it.
#[test]
fn what_is_left_of_a_home_does_not_keep_it_from_starting() {
    let (mut world, _) = running();
    world.kill();
    let lock = world.data().join("state/lock");
    let owner = fs::metadata(&lock).unwrap().uid();
    if owner != 0 && rustix::process::geteuid().is_root() {
        let mut left = command("setpriv");
        left.args(["--reuid", &owner.to_string(), "--clear-groups", "flock"]).arg(&lock).args([
            "sh",
            "-c",
            "echo held; cat",
        ]);
        // Ends with this test in any case: there is nothing more to read then.
        let mut left = left.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(left.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "held\n");
        world.serve();
        let ended = left.try_wait().unwrap();
        assert!(ended.is_some_and(|ended| !ended.success()), "it was ended before the home started");
        world.kill();
    }
    fs::remove_file(&lock).unwrap();
    assert!(command("mkfifo").arg(&lock).status().unwrap().success());
    let said = world.ok(&["pause"], "");
    assert!(said.contains("will start paused"), "{said}");
}

#[test]
fn who_says_nothing_at_the_homes_socket_keeps_nobody_out() {
    /// More than the home takes at once.
    const SILENT: usize = 500;
    let (world, _) = running();
    let silent: Vec<_> = (0..SILENT)
        .map(|_| {
            let mut stream = std::os::unix::net::UnixStream::connect(world.data().join("run/home.sock")).unwrap();
            stream.write_all(b"GET /v1").unwrap();
            stream
        })
        .collect();
    world.until_answering();
    drop(silent);
    // With the token, too: a body that never comes.
    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: bailey\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n",
        world.token()
    );
    let silent: Vec<_> = (0..SILENT)
        .map(|_| {
            let mut stream = std::os::unix::net::UnixStream::connect(world.data().join("run/home.sock")).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    world.until_answering();
    drop(silent);
}

#[test]
fn who_reads_nothing_is_cut_off() {
    /// Longer than either of them waits.
    const PATIENCE: Duration = Duration::from_secs(60);
    fn ask_on(mut stream: impl io::Write) -> io::ErrorKind {
        loop {
            if let Err(error) = stream.write_all(b"GET /v1/status HTTP/1.1\r\nhost: bailey\r\n\r\n") {
                return error.kind();
            }
        }
    }
    let (world, address) = running();
    let home = std::os::unix::net::UnixStream::connect(world.data().join("run/home.sock")).unwrap();
    home.set_write_timeout(Some(PATIENCE)).unwrap();
    let gateway = TcpStream::connect(&address).unwrap();
    gateway.set_write_timeout(Some(PATIENCE)).unwrap();
    let home = std::thread::spawn(move || ask_on(home));
    for cut in [ask_on(gateway), home.join().unwrap()] {
        assert!(matches!(cut, io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset), "{cut}");
    }
}

#[test]
fn a_locked_home_waits_for_its_passphrase() {
    let mut world = World::unset();
    world.ok(&["setup", "--root", "passphrase"], &format!("the home's own words\n{PASSPHRASE}"));
    world.hold(0);
    let line = world.serve_locked();
    assert!(line.starts_with("Bailey is locked."), "{line}");
    assert_eq!(world.fails(&["status"], "").0, 3);
    let (code, why) = world.fails(&["unlock"], "some other words");
    assert!(code == 1 && why.contains("the passphrase is wrong"), "{why}");
    let (code, why) = world.fails(&["unlock"], &"x".repeat(6_000));
    assert!(code == 1 && why.contains("none is that long"), "{why}");
    world.ok(&["unlock"], "the home's own words");
    world.until_answering();
    let (_, why) = world.fails(&["unlock"], "the home's own words");
    assert!(why.contains("unlocked already"), "{why}");
}

#[test]
fn of_two_copies_of_a_home_one_runs() {
    let (world, _) = running();
    let home = world.child("home-process");
    let copy = world.folder.path().join("copy");
    assert!(command("cp").arg("-a").args([&world.data(), &copy]).status().unwrap().success());
    fs::write(copy.join("config.toml"), "[gateway]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let mut serving = command(env!("CARGO_BIN_EXE_bailey"));
    serving.args(["serve", "--data"]).arg(&copy).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut serving = serving.spawn().unwrap();
    let mut first = String::new();
    BufReader::new(serving.stdout.take().unwrap()).read_line(&mut first).unwrap();
    // One that runs would go on.
    let runs = !first.is_empty();
    if runs {
        serving.kill().unwrap();
    }
    let ended = serving.wait_with_output().unwrap();
    if has_place_for_locks() {
        let why = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!runs && why.contains("a copy of this home runs"), "{first}{why}");
    }
    assert_eq!(world.child("home-process"), home, "the first was left alone");
    assert_eq!(world.approvals().len(), 0);
}

/// A folder of its own beside those of login sessions, gone with this; none where this account may make none.
struct Session(PathBuf);

impl Session {
    fn new() -> Option<Self> {
        let me = rustix::process::geteuid();
        if !me.is_root() {
            return Some(Self(format!("/run/user/{}", me.as_raw()).into())).filter(|session| session.0.is_dir());
        }
        // Account numbers that are nobody's.
        let path = PathBuf::from(format!("/run/user/{}", 0x7FFE_0000_u32 + std::process::id() % 0xFFFF));
        fs::create_dir_all(&path).unwrap();
        Some(Self(path))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if rustix::process::geteuid().is_root() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

#[test]
fn a_copy_that_another_account_runs_is_seen() {
    let (mut world, _) = running();
    world.kill();
    let home = fs::read_to_string(world.data().join("home.id")).unwrap();
    let Some(session) = Session::new() else {
        assert!(world.ok(&["pause"], "").contains("is not seen"), "nothing can be seen here, and that is said");
        return;
    };
    let lock = session.0.join(format!("bailey-{}.lock", home.trim()));
    let held = fs::File::create(&lock).unwrap();
    held.lock().unwrap();
    let (code, why) = world.fails(&["serve"], "");
    assert!(code == 1 && why.contains("a copy of this home runs"), "{why}");
    let (code, why) = world.fails(&["pause"], "");
    assert!(code == 1 && why.contains("runs already"), "{why}");
    drop(held);
    fs::remove_file(&lock).unwrap();
    world.serve();
    assert_eq!(world.data_of(&["status"])["mode"], "paused");
}

#[test]
fn a_deleted_home_cannot_be_read_again_not_even_from_a_copy_of_its_folder() {
    let (mut world, _) = running();
    world.task("write to Ana");
    let copy = world.folder.path().join("copy");
    copy_folder(&world.data().join("home"), &copy);
    // Held open, they show what is done to them before they are removed.
    let mut held =
        ["keys/root.key", "home/home.key", "home/keys.db"].map(|name| fs::File::open(world.data().join(name)).unwrap());
    let outside = [witness(&world), witness(&world).with_extension("lock")];
    assert!(outside.iter().all(|path| path.exists() == has_place_for_locks()));
    assert_eq!(world.fails(&["home", "delete"], "wrong words").0, 4);
    assert_eq!(world.approvals().len(), 1, "nothing was lost");
    let told = world.ok(&["home", "delete"], PASSPHRASE);
    assert!(told.contains("Deleted"), "{told}");
    assert!(world.ended().success());
    for gone in ["home", "keys", "state", "run"] {
        assert!(!world.data().join(gone).exists(), "{gone}");
    }
    assert!(outside.iter().all(|path| !path.exists()), "nothing of it is left on the machine");
    for file in &mut held {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0), "a key was removed but not overwritten");
    }
    // Somebody had kept the folder: what it is locked with is gone.
    copy_folder(&copy, &world.data().join("home"));
    fs::create_dir_all(world.data().join("state")).unwrap();
    let (code, why) = world.fails(&["serve"], "");
    assert!(code == 1 && why.contains("root.key"), "{why}");
    assert!(world.sink.arrived().is_empty());
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let (world, _) = running();
    let look = || world.run(&["doctor", "--json"], "");
    let grade = |what: &str| {
        let all: Value = serde_json::from_slice(&look().stdout).unwrap();
        all.as_array().unwrap().iter().find(|one| one["what"] == what).unwrap()["grade"].as_str().unwrap().to_owned()
    };
    assert!(look().status.success());
    assert_eq!((grade("running"), grade("connection")), ("good".into(), "weak".into()));
    world.ok(&["pause"], "");
    assert_eq!(grade("running"), "weak");
    let key = world.data().join("keys/root.key");
    let mode = |bits| fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(bits)).unwrap();
    mode(0o644);
    assert_eq!((grade("files"), look().status.code()), ("bad".into(), Some(1)));
    mode(0o600);
    world.configure("[model]\nkind = 7\n");
    assert_eq!(grade("configuration"), "bad");
}

#[test]
fn the_doctor_looks_at_what_is_stored_and_says_the_way_out() {
    let (mut world, _) = running();
    let store = |world: &World| {
        let said = world.run(&["doctor", "--json"], "");
        let all: Value = serde_json::from_slice(&said.stdout).unwrap();
        let one = all.as_array().unwrap().iter().find(|one| one["what"] == "store").unwrap().clone();
        (said.status.code(), one["grade"].as_str().unwrap().to_owned(), one["says"].as_str().unwrap().to_owned())
    };
    let (_, grade, says) = store(&world);
    assert_eq!(grade, "good", "{says}");
    world.kill();
    for name in ["home/keys.db", "home/ledger.db-wal"] {
        let path = world.data().join(name);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let at = if name.ends_with("-wal") { 20 } else { bytes.len() - 100 };
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let (code, grade, says) = store(&world);
        assert_eq!((code, grade.as_str()), (Some(1), "bad"), "{name}: {says}");
        assert!(says.contains("with the last backup of the whole folder"), "{says}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name}: looking changes nothing");
        fs::write(&path, &whole).unwrap();
    }
    world.serve();
    assert_eq!(store(&world).1, "good");
}

/// Whoever put links in the place of what is written anew reaches nothing of what they lead to.
#[test]
fn the_gateways_address_is_written_through_no_link() {
    let (mut world, _) = running();
    world.kill();
    let (address, elsewhere) = (world.data().join("gateway.address"), world.folder.path().join("elsewhere"));
    fs::write(&elsewhere, "kept").unwrap();
    let identity = world.data().join("home.id");
    for path in [&address, &identity, &world.data().join("gateway.address.new"), &world.data().join("home.id.new")] {
        let _ = fs::remove_file(path);
        if *path != identity {
            std::os::unix::fs::symlink(&elsewhere, path).unwrap();
        }
    }
    world.serve();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
    for path in [&address, &identity] {
        assert!(fs::symlink_metadata(path).unwrap().is_file());
    }
}

#[test]
fn what_was_left_out_or_cannot_be_is_said_before_anything_is_asked() {
    let (mut world, address) = running();
    world.task("write to Ana");
    let says = |arguments: &[&str], input: &str, words: &str| {
        let (code, why) = world.fails(arguments, input);
        assert!(code != 0 && why.contains(words), "{arguments:?}: {why}");
    };
    says(&["approve"], "", "no passphrase was given");
    says(&["undo", ""], "", "no action was named");
    says(&["rules", "add", ""], "", "no rule was given");
    for elsewhere in ["192.0.2.1:25", "mail.example.org:25"] {
        let mail = ["connect", "mail", "b@example.org", "--level", "send", "--no-tls", "--submission", elsewhere];
        says(&mail, PASSPHRASE, "without TLS only this one");
    }
    assert_eq!(world.data_of(&["connections"]).as_array().unwrap().len(), 1);
    assert_eq!(world.approvals().len(), 1);
    let unnamed = command(env!("CARGO_BIN_EXE_bailey")).arg("status").env("BAILEY_DATA", "").output().unwrap();
    assert!(String::from_utf8_lossy(&unnamed.stderr).contains("BAILEY_DATA is set but empty"));

    let mut stream = TcpStream::connect(&address).unwrap();
    let token = world.token();
    write!(
        stream,
        "POST /v1/tasks HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n"
    )
    .and_then(|()| write!(stream, "content-length: {}\r\n\r\n", 5 * 1024 * 1024))
    .unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 413"), "{line}");

    world.kill();
    fs::write(world.data().join("home/home.json"), "{").unwrap();
    let (_, why) = world.fails(&["serve"], "");
    assert!(why.contains("home.json` is damaged"), "{why}");
}

#[test]
fn a_gateway_for_other_machines_is_refused() {
    let mut world = World::bare(vec![], 0);
    world.configure("[gateway]\nlisten = \"0.0.0.0:0\"\n");
    let line = world.serve_and_read();
    assert!(line.starts_with("Bailey runs, without its gateway."), "{line}");
    let listening = command("sh").args(["-c", &format!("ls -l /proc/{}/fd", world.supervisor())]).output().unwrap();
    assert!(listening.status.success());
    assert_eq!(processes(world.supervisor()).len(), 1, "only the home");
    assert!(Path::new(&world.data().join("run/home.sock")).exists());
}

#[test]
fn what_waits_is_known_by_its_identity() {
    let (world, _) = running();
    world.task("write to Ana");
    assert_eq!(world.fails(&["approve", "00000000000000000000000000000000"], PASSPHRASE).0, 1);
    assert_eq!(world.approvals().len(), 1);
    world.ok(&["reject", &id(&world.waiting())], "");
}

/// The schema a reference in the document leads to.
fn schema<'a>(api: &'a Value, of: &'a Value) -> &'a Value {
    match of["$ref"].as_str() {
        Some(reference) => &api["components"]["schemas"][reference.rsplit('/').next().unwrap()],
        None => of,
    }
}

/// An answer has what its schema requires, and nothing its schema does not know.
fn fits(api: &Value, of: &Value, answer: &Value, at: &str) {
    let of = schema(api, of);
    if let Some(items) = answer.as_array() {
        items.iter().for_each(|item| fits(api, &of["items"], item, at));
    }
    let (Some(fields), Some(known)) = (answer.as_object(), of["properties"].as_object()) else { return };
    for (name, value) in fields {
        let one = known.get(name).unwrap_or_else(|| panic!("{at}: `{name}` is not in the document"));
        fits(api, one, value, &format!("{at}.{name}"));
    }
    for name in of["required"].as_array().into_iter().flatten() {
        assert!(fields.contains_key(name.as_str().unwrap()), "{at}: {name} is missing");
    }
}

#[test]
fn the_interface_is_what_its_document_says() {
    let (world, address) = running();
    let task = world.task("write to Ana");
    let api = world.get("/v1/openapi.json");
    assert!(api["openapi"].as_str().unwrap().starts_with("3."), "{api}");
    let paths = api["paths"].as_object().unwrap();
    assert!(paths.len() > 25, "{}", paths.len());
    let head = format!("host: {address}\r\nauthorization: Bearer {}\r\n", world.token());
    let mut looked = 0;
    for (path, methods) in paths {
        for (method, about) in methods.as_object().unwrap() {
            let filled = match path.as_str() {
                path if path.contains("/tasks/") => {
                    path.replace("{id}", task["id"].as_str().unwrap()).replace("{turn}", "0")
                }
                "/v1/search/requests" => "/v1/search/requests?q=Ana".into(),
                path => path.replace("{id}", task["actions"][0]["id"].as_str().unwrap()).replace("{n}", "0"),
            };
            // A body nobody can mean: nothing is changed by looking whether the door is there.
            let (status, answer) = match (method.as_str(), path.as_str()) {
                ("get", "/v1/events" | "/v1/changes" | "/v1/tasks/{id}/context/{turn}/raw") => continue,
                ("get", _) => over_tcp(&address, "GET", &filled, &head, ""),
                ("post", _) if about["requestBody"].is_null() => continue,
                _ => over_tcp(&address, "POST", &filled, &head, "{\"nonsense\":"),
            };
            if method == "post" {
                assert_eq!((status, &answer["code"]), (400, &json!("malformed")), "{path}: {answer}");
                continue;
            }
            let expected = &about["responses"]["200"]["content"]["application/json"]["schema"];
            if status == 200 {
                fits(&api, expected, &answer, path);
                looked += 1;
            } else {
                assert_eq!(answer["code"], "not-found", "{path}: {answer}");
                assert_ne!(answer["message"], "there is nothing at this address", "{path}");
            }
        }
    }
    assert!(looked >= 8, "{looked}");
}

/// The session and the terminal of a process.
fn session(pid: i32) -> (i32, i32) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<i32> =
        stat.rsplit_once(") ").unwrap().1.split(' ').skip(1).take(4).map(|n| n.parse().unwrap()).collect();
    (fields[2], fields[3])
}

#[test]
fn home_and_gateway_are_in_no_session_but_their_own_and_gain_no_rights() {
    let (world, _) = running();
    for role in ["home-process", "gateway-process"] {
        let pid = world.child(role);
        assert_eq!(session(pid), (pid, 0), "{role}");
        assert!(gains_no_rights(pid), "{role}");
    }
}

fn gains_no_rights(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).unwrap().contains("NoNewPrivs:\t1")
}

/// The same where an ordinary account starts them: which root can only see by becoming one.
#[test]
fn an_ordinary_accounts_home_gains_no_rights_either() {
    /// An account number that is nobody's.
    const ACCOUNT: u32 = 61_997;
    let mut world = World::bare(vec![], 0);
    if rustix::process::geteuid().is_root() {
        let owned = command("chown").args(["-R", &ACCOUNT.to_string()]).arg(world.data()).status().unwrap();
        assert!(owned.success());
        world.serve_as(ACCOUNT);
    } else {
        world.serve();
    }
    for role in ["home-process", "gateway-process"] {
        assert!(gains_no_rights(world.child(role)), "{role}");
    }
}

#[test]
fn a_deletion_that_is_interrupted_is_finished_at_the_next_start() {
    let (mut world, _) = running();
    // It stands still, so that it is killed before it has destroyed anything.
    let supervisor = rustix::process::Pid::from_raw(world.supervisor().try_into().unwrap()).unwrap();
    rustix::process::kill_process(supervisor, rustix::process::Signal::STOP).unwrap();
    let purpose = bailey_home::purposes::delete_home();
    let (status, card) = world.post("/v1/home/delete", &json!({"proof": world.prove(&purpose, PASSPHRASE)}));
    assert_eq!((status, &card["end_by_hand"]), (200, &json!([])));
    world.kill();
    world.ok(&["serve"], "");
    for gone in ["home", "keys", "state", "run"] {
        assert!(!world.data().join(gone).exists(), "{gone}");
    }
    world.ok(&["setup"], PASSPHRASE);
}

#[test]
fn a_deletion_goes_on_whatever_lies_in_its_way_and_takes_no_new_home_along() {
    let (mut world, _) = running();
    let (home, elsewhere) = (world.data().join("home"), world.folder.path().join("elsewhere"));
    let condemn = |world: &World| fs::write(world.data().join("state/delete"), b"").unwrap();
    let gone = |world: &World| {
        for gone in ["home", "home.id", "keys", "state", "run"] {
            assert!(fs::symlink_metadata(world.data().join(gone)).is_err(), "{gone}");
        }
    };
    world.kill();
    condemn(&world);
    // On another disk, and with a folder where a key would lie.
    let _ = fs::remove_file(home.join("keys.db-wal"));
    fs::create_dir_all(home.join("keys.db-wal/deep")).unwrap();
    fs::rename(&home, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &home).unwrap();
    world.ok(&["serve"], "");
    gone(&world);
    assert!(!elsewhere.exists());

    world.ok(&["setup"], PASSPHRASE);
    // As a deletion leaves it that ended after the home and before the rest.
    fs::remove_dir_all(&home).unwrap();
    condemn(&world);
    let (code, why) = world.fails(&["setup"], PASSPHRASE);
    assert!(code == 1 && why.contains("not all of it is removed yet"), "{why}");
    world.ok(&["serve"], "");
    gone(&world);
    world.ok(&["setup"], PASSPHRASE);
}

#[test]
fn a_mistake_in_the_configuration_does_not_end_what_runs() {
    let (world, _) = running();
    let good = fs::read_to_string(world.data().join("config.toml")).unwrap();
    world.configure("[model]\nkind = 7\n");
    let home = world.child("home-process");
    rustix::process::kill_process(rustix::process::Pid::from_raw(home).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    World::until_true("the home never ended", || !Path::new(&format!("/proc/{home}")).exists());
    world.configure(&good);
    world.until_answering();
}

#[test]
fn what_lies_in_the_homes_folder_cannot_hold_up_the_persons_programs() {
    let (world, _) = running();
    let path = world.data().join("home/token");
    fs::rename(&path, world.data().join("home/token.away")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert_eq!(world.fails(&["status"], "").0, 1);
    fs::remove_file(&path).unwrap();
    assert!(command("mkfifo").arg(&path).status().unwrap().success());
    let (code, why) = world.fails(&["status"], "");
    assert!(code == 1 && why.contains("no plain file"), "{why}");
}

#[test]
fn many_wrong_answers_are_told_apart_from_one() {
    let (world, _) = running();
    world.ok(&["pause"], "");
    let wrong = || {
        let epoch = 1;
        let proof = world.prove(&Purpose::Resume { epoch }, "guessed words");
        world.post("/v1/resume", &json!({"epoch": epoch, "proof": proof})).1["message"].as_str().unwrap().to_owned()
    };
    assert!(wrong().contains("passphrase is wrong"));
    for _ in 1..20 {
        wrong();
    }
    assert!(wrong().contains("a program of this account is guessing"));
    // Elsewhere the right answer counts.
    world.ok(&["resume"], PASSPHRASE);
}
