//! The agent's own computer, joined to a home: real machines, emulated, out of the small image, and sites that answer in a network of the
//! test's own. One machine runs at a time, and the tests that need a network start themselves again within one.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use bailey_scripted::{Script, Turn};
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, command, id};

static ONE: Mutex<()> = Mutex::new(());

/// An address of the public network, which only this network's own machine has.
const ADDRESS: &str = "93.184.216.34";
/// Tells a test that it runs in a network of its own.
const WITHIN: &str = "BAILEY_TEST_WITHIN_NETWORK";

fn small_image() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"))).unwrap();
    let folder = cache.join("bailey/computer/small");
    assert!(folder.join("image.json").exists(), "there is no image yet; `cargo xtask image --small` makes it");
    folder
}

/// A home whose computer starts from the small image, with these scripts.
struct House {
    world: World,
    _one: MutexGuard<'static, ()>,
}

impl House {
    fn new(scripts: Vec<Script>, more: &str) -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut world = World::with_scripts(scripts, 0);
        // Where every account can read it: a home has one of its own.
        let (from, image) = (small_image(), world.folder.path().join("image"));
        fs::create_dir_all(&image).unwrap();
        for name in ["kernel", "initrd", "root.erofs", "image.json"] {
            let (from, to) = (from.join(name), image.join(name));
            fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(|_| ())).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o644)).unwrap();
        }
        let path = world.data().join("config.toml");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str(&format!("[computer]\nimage = \"{}\"\nmemory_mib = 384\ndisk_gib = 1\n{more}", image.display()));
        fs::write(&path, text).unwrap();
        world.serve();
        Self { world, _one: one }
    }

    fn computer(&self) -> Value {
        self.world.get("/v1/computer")
    }

    fn until_state(&self, state: &str) -> Value {
        World::until_true("the computer never came to stand so", || self.computer()["state"] == state);
        self.computer()
    }

    /// Gives a task and waits for its end.
    fn done(&self, words: &str) -> Value {
        let task = give(&self.world, words);
        self.world.until_task(&id(&task), "answered")
    }

    /// What the log says of the computer, oldest first.
    fn noted(&self) -> Vec<Value> {
        let all = self.world.get("/v1/log?limit=500");
        let mut of: Vec<Value> =
            all.as_array().unwrap().iter().filter(|entry| entry["header"]["kind"] == "computer").cloned().collect();
        of.sort_by_key(|entry| entry["seq"].as_u64());
        of.iter().map(|entry| entry["payload"].clone()).collect()
    }

    fn what(&self) -> Vec<String> {
        self.noted().iter().map(|one| one["what"].as_str().unwrap().to_owned()).collect()
    }

    /// The processes of QEMU on this machine that this home started: their accounts.
    fn machines(&self) -> Vec<u32> {
        let supervisor = self.world.supervisor();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let words = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
            let ours = [Some(supervisor), u32::try_from(self.world.child("home-process")).ok()].contains(&parent);
            if words.starts_with("/usr/bin/qemu-system-x86_64") && ours {
                found.extend(fs::metadata(entry.path()).map(|about| about.uid()));
            }
        }
        found
    }
}

/// Gives a task, and does not wait for it.
fn give(world: &World, words: &str) -> Value {
    let (status, task) = world.post("/v1/tasks", &json!({ "words": words }));
    assert_eq!(status, 200, "{task}");
    task
}

fn script(words: &str, turns: Vec<Turn>) -> Script {
    Script { task_contains: words.into(), turns, ..Script::default() }
}

fn run(line: &str) -> Turn {
    Turn::call("shell_run", json!({ "command": line }))
}

/// What came of the commands of a task, as the model was told.
fn results(house: &House, task: &Value) -> Vec<Value> {
    let actions = task["actions"].as_array().unwrap().iter().filter(|action| action["kind"] == "shell.run");
    actions
        .map(|action| {
            let all = house.world.get(&format!("/v1/actions/{}", action["id"].as_str().unwrap()));
            serde_json::from_str(all["outcome"].as_str().unwrap()).unwrap()
        })
        .collect()
}

#[test]
fn commands_run_in_a_machine_that_sleeps_when_told_to_and_wakes_as_it_was() {
    let house = House::new(
        vec![
            script(
                "first",
                vec![
                    run("echo kept >note; echo in-memory >/dev/shm/it; id -un; uname -s"),
                    Turn::call("memory_write", json!({"note": "two lines"})),
                    Turn::say("done"),
                ],
            ),
            script("second", vec![run("cat note /dev/shm/it; exit 3"), Turn::say("done")]),
        ],
        "",
    );
    assert_eq!(house.computer()["state"], "absent", "nothing is made before it is used");
    let first = give(&house.world, "first, count the lines and remember how many");
    let note = next(&house.world);
    assert!(
        note["provenance"].to_string().contains("what others wrote"),
        "what a command prints is others' words: {note:#}"
    );
    house.world.ok(&["reject", &id(&note)], "");
    let first = house.world.until_task(&id(&first), "answered");
    let said = results(&house, &first);
    assert_eq!(
        (said[0]["output"].as_str(), said[0]["status"].as_i64()),
        (Some("agent\nLinux\n"), Some(0)),
        "{said:#?}"
    );
    let context = house.world.data_of(&["context", "show", first["id"].as_str().unwrap(), "1"]);
    let told = context["spans"].to_string();
    assert!(told.contains("agent\\\\nLinux") && told.contains("excerpt"), "{told}");

    let view = house.computer();
    assert_eq!((view["state"].as_str(), view["grade"].as_str()), (Some("running"), Some("emulated")), "{view:#}");
    assert!(view["warning"].as_str().unwrap().contains("no KVM"), "{view:#}");
    let doctor = house.world.run(&["doctor"], "");
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.contains("computer") && doctor.contains("emulated, running"), "{doctor}");
    if rustix::process::geteuid().is_root() {
        let (home, gateway) = (house.world.child("home-process"), house.world.child("gateway-process"));
        let of = |process: i32| fs::metadata(format!("/proc/{process}")).unwrap().uid();
        let machines = house.machines();
        assert_eq!(machines.len(), 1);
        assert!(![0, of(home), of(gateway)].contains(&machines[0]), "the machine has an account of its own");
        let layers = view["layers"].to_string();
        assert!(!layers.contains("not: an account") && !layers.contains("not: no network"), "{layers}");
    }

    house.world.ok(&["computer", "stop"], "");
    assert_eq!(house.until_state("asleep")["since_ms"], Value::Null);
    assert_eq!(house.machines(), Vec::<u32>::new(), "a computer that sleeps costs no process");
    let second = house.done("second, count the lines");
    let said = results(&house, &second);
    assert_eq!(said[0], json!({"output": "kept\nin-memory\n", "status": 3}), "disk and memory are as they were");
    assert_eq!(house.what(), ["made", "started", "asleep", "woken"]);

    // Ended without warning, it starts again from its disk.
    let mut house = house;
    house.world.restart();
    assert_eq!(
        (house.computer()["state"].as_str(), house.machines()),
        (Some("off"), Vec::new()),
        "it ended with the home"
    );
    house.world.ok(&["computer", "start"], "");
    assert_eq!(house.until_state("running")["state"], "running");

    // Destroyed by leave alone, and then whole.
    let (code, _) = house.world.fails(&["computer", "destroy"], "another passphrase");
    assert_eq!((code, house.computer()["state"].as_str()), (4, Some("running")));
    house.world.ok(&["computer", "destroy"], PASSPHRASE);
    assert_eq!(house.until_state("absent")["disk_bytes"], 0);
    assert!(!house.world.data().join("home/computer").exists() && house.machines().is_empty());
    assert_eq!(house.what().last().map(String::as_str), Some("destroyed"));
}

#[test]
fn a_computer_that_nothing_is_done_in_goes_to_sleep_and_one_that_works_does_not() {
    let house = House::new(vec![script("", vec![run("sleep 6; echo awake"), Turn::say("done")])], "idle_seconds = 1\n");
    let task = house.done("wait a little");
    assert_eq!(results(&house, &task)[0]["output"], "awake\n", "it was not idle while the command ran");
    house.until_state("asleep");
    assert_eq!(house.what(), ["made", "started", "asleep"]);
}

#[test]
fn a_home_without_an_image_says_what_to_do_everywhere() {
    let mut world = World::with_scripts(vec![script("", vec![run("ls"), Turn::say("done")])], 0);
    let path = world.data().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}[computer]\nimage = \"{}/none\"\n", world.folder.path().display())).unwrap();
    world.serve();
    let view = world.get("/v1/computer");
    assert_eq!((view["state"].as_str(), view["grade"].as_str()), (Some("unavailable"), Some("none")), "{view:#}");
    assert!(view["lacking"].as_str().unwrap().contains("`bailey computer build`"), "{view:#}");
    let doctor = String::from_utf8_lossy(&world.run(&["doctor"], "").stdout).into_owned();
    assert!(doctor.contains("`bailey computer build`"), "{doctor}");
    let (_, why) = world.fails(&["computer", "start"], "");
    assert!(why.contains("`bailey computer build`"), "{why}");
    let task = give(&world, "list the files of the computer");
    let task = world.until_task(&id(&task), "answered");
    assert_eq!(task["actions"].as_array().unwrap().iter().filter(|one| one["kind"] == "shell.run").count(), 0);
    let context = world.data_of(&["context", "show", task["id"].as_str().unwrap(), "1"]);
    assert!(context.to_string().contains("bailey computer build"), "the model is told, too");
    assert!(!context.to_string().contains("Run a command or a script"), "and is not offered what cannot be done");
}

#[test]
fn a_deleted_home_takes_its_computer_along() {
    let house = House::new(vec![script("", vec![run("echo canary-in-the-computer >note"), Turn::say("done")])], "");
    house.done("keep it");
    let disk = house.world.data().join("home/computer/disk.qcow2");
    assert!(
        !fs::read(&disk).unwrap().windows(24).any(|bytes| bytes == b"canary-in-the-computer\n"),
        "the disk is locked"
    );
    house.world.ok(&["home", "delete"], PASSPHRASE);
    let House { mut world, _one } = house;
    assert!(world.ended().success());
    assert!(!disk.exists() && !world.data().join("home").exists());
}

/// Starts this test again in a network of its own, where `ADDRESS` is this machine's and these names lead to it. True where it did, and
/// nothing is left to do.
fn elsewhere(test: &str, names: &[(&str, &str)]) -> bool {
    if std::env::var_os(WITHIN).is_some() {
        return false;
    }
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = crate::support::Folder::new();
    let hosts: String = names.iter().map(|(name, address)| format!("{address} {name}\n")).collect();
    let file = folder.path().join("hosts");
    fs::write(&file, format!("127.0.0.1 localhost bailey.localhost\n{hosts}")).unwrap();
    let line = format!(
        "ip link set lo up && ip addr add {ADDRESS}/32 dev lo && mount --bind '{}' /etc/hosts && exec \"$0\" --exact --nocapture {test}",
        file.display()
    );
    let mut inner = command("unshare");
    inner.args(["--net", "--mount", "--propagation", "private", "sh", "-c", &line]);
    inner.arg(std::env::current_exe().unwrap()).env(WITHIN, "yes");
    let ended = inner.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "within a network of its own (which needs root):\n{said}"
    );
    true
}

/// A site of the test's: it keeps every request, and answers each with the same words; a path that ends in `slow` with bytes for as long
/// as somebody reads them.
struct Site {
    requests: Receiver<String>,
}

impl Site {
    fn start() -> Self {
        let listener = TcpListener::bind((ADDRESS, 80)).unwrap();
        let (say, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let say = say.clone();
                thread::spawn(move || answer(stream, &say));
            }
        });
        Self { requests }
    }

    /// The next request that came.
    fn next(&self) -> String {
        self.requests.recv_timeout(std::time::Duration::from_secs(60)).expect("no request came")
    }

    fn is_quiet(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

fn answer(stream: TcpStream, say: &Sender<String>) {
    let mut reads = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reads.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&line);
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reads.read_exact(&mut body).unwrap();
        let slow = head.lines().next().unwrap().contains("slow");
        say.send(format!("{head}{}", String::from_utf8_lossy(&body))).unwrap();
        if slow {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
            let _ = stream.write_all(head.as_bytes());
            while stream.write_all(&[b'.'; 1024]).is_ok() {
                thread::yield_now();
            }
            let _ = say.send("cut".into());
            return;
        }
        let words = "the site's own words";
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{words}", words.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A line that makes a request by hand, through the forwarder, and prints the first line of the answer and its body.
fn asks(method: &str, address: &str, body: &str) -> String {
    let host = address.split_once("://").unwrap().1.split('/').next().unwrap();
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\\r\\n", body.len()) };
    format!(
        "exec 3<>/dev/tcp/127.0.0.1/3128; printf '{method} {address} HTTP/1.1\\r\\nhost: {host}\\r\\nconnection: close\\r\\n{length}\\r\\n{body}' >&3; cat <&3"
    )
}

fn next(world: &World) -> Value {
    World::until_true("nothing waits", || !world.approvals().is_empty());
    world.waiting()
}

fn item(card: &Value, label: &str) -> String {
    let items = card["items"].as_array().unwrap();
    items.iter().find(|item| item["label"] == label).map_or("", |item| item["value"].as_str().unwrap()).to_owned()
}

#[test]
fn requests_of_programs_wait_whole_and_what_is_approved_is_what_arrives() {
    const NAME: &str = "computer::requests_of_programs_wait_whole_and_what_is_approved_is_what_arrives";
    if elsewhere(NAME, &[("shop.example", ADDRESS), ("inside.example", "127.0.0.1"), ("both.example", "10.1.2.3")]) {
        return;
    }
    let site = Site::start();
    let house = House::new(
        vec![
            script("send", vec![run(&asks("POST", "http://shop.example/cart?item=7", "count=2")), Turn::say("done")]),
            script("refuse", vec![run(&asks("GET", "http://shop.example/secret?canary", "")), Turn::say("done")]),
            script(
                "inside",
                vec![
                    run(&asks("GET", "http://inside.example/", "")),
                    run(&asks("GET", "http://127.0.0.1/", "")),
                    run(&asks("GET", "http://both.example/", "")),
                    Turn::say("done"),
                ],
            ),
            script(
                "fetch",
                vec![Turn::call("http_get", json!({"url": "http://shop.example/prices?x=1"})), Turn::say("done")],
            ),
        ],
        "",
    );
    let world = &house.world;
    let task = give(world, "send the order");
    let card = next(world);
    assert_eq!(card["kind"], "http.post");
    let shown = ["Method", "Site", "Path"].map(|label| item(&card, label));
    assert_eq!(shown, ["POST", "http://shop.example", "/cart?item=7"], "{card:#}");
    assert_eq!(card["body"], "count=2");
    assert_eq!(card["task"], task["id"]);
    assert!(site.is_quiet(), "nothing was sent before it was approved");
    world.ok(&["approve", &id(&card)], PASSPHRASE);
    let arrived = site.next();
    let fields: Vec<String> = card["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["label"] == "Field")
        .map(|one| format!("{}\r\n", one["value"].as_str().unwrap()))
        .collect();
    assert_eq!(
        arrived,
        format!("POST /cart?item=7 HTTP/1.1\r\n{}\r\ncount=2", fields.concat()),
        "what arrives is what was shown"
    );
    let done = world.until(&id(&card), "succeeded");
    assert!(done["outcome"].as_str().unwrap().contains("200"), "{done:#}");
    let task = world.until_task(&id(&task), "answered");
    assert!(results(&house, &task)[0]["output"].as_str().unwrap().ends_with("the site's own words"));

    let task = give(world, "refuse it");
    let card = next(world);
    assert_eq!(card["kind"], "http.get", "a look is egress, too");
    world.ok(&["reject", &id(&card)], "");
    let task = world.until_task(&id(&task), "answered");
    let said = results(&house, &task)[0]["output"].as_str().unwrap().to_owned();
    assert!(said.contains("403") && said.contains("the person refused it"), "{said}");
    assert!(site.is_quiet());

    let task = give(world, "look inside");
    for refused in [false, true] {
        if !refused {
            // Names are asked about first; the address they lead to is looked at when they would be connected to.
            let card = next(world);
            world.ok(&["approve", &id(&card)], PASSPHRASE);
            world.until(&id(&card), "failed");
        } else {
            let card = next(world);
            assert_eq!(item(&card, "Site"), "http://both.example", "an address of a machine is not even asked about");
            world.ok(&["approve", &id(&card)], PASSPHRASE);
        }
    }
    let task = world.until_task(&id(&task), "answered");
    let said: Vec<String> =
        results(&house, &task).iter().map(|one| one["output"].as_str().unwrap().to_owned()).collect();
    assert!(
        said[0].contains("no address of the public network") && said[2].contains("no address of the public network"),
        "{said:#?}"
    );
    assert!(said[1].contains("an address of a machine and not a name"), "{said:#?}");

    // The agent's own requests go the same way.
    let task = give(world, "fetch the prices");
    let card = next(world);
    assert_eq!((card["kind"].as_str(), item(&card, "Path").as_str()), (Some("http.get"), "/prices?x=1"));
    world.ok(&["approve", &id(&card)], PASSPHRASE);
    assert!(site.next().starts_with("GET /prices?x=1 HTTP/1.1\r\n"));
    let fetched = world.until(&id(&card), "succeeded");
    assert!(fetched["outcome"].as_str().unwrap().contains("the site's own words"), "{fetched:#}");
    world.until_task(&id(&task), "answered");

    // Each is in the log and in the view, and none of what it carried.
    World::until_true("the requests never came into the log", || {
        house.what().iter().filter(|what| *what == "request").count() >= 6
    });
    let noted = house.noted();
    let of = |ended: &str| noted.iter().filter(|one| one["ended"] == ended).count();
    assert!(of("answered") >= 2 && of("refused") >= 2, "{noted:#?}");
    assert!(!json!(noted).to_string().contains("count=2"));
    let view = house.computer()["requests"].as_array().unwrap().clone();
    assert!(
        view.iter().any(|one| one["path"] == "/cart?item=7" && one["asked"] == true && one["sent_bytes"] == 7),
        "{view:#?}"
    );
}

#[test]
fn rules_for_sites_let_requests_go_and_a_pause_or_another_rule_cuts_them() {
    const NAME: &str = "computer::rules_for_sites_let_requests_go_and_a_pause_or_another_rule_cuts_them";
    if elsewhere(NAME, &[("shop.example", ADDRESS)]) {
        return;
    }
    let site = Site::start();
    let house = House::new(
        vec![
            script("docs", vec![run(&asks("GET", "http://shop.example/docs/a", "")), Turn::say("done")]),
            script("beside", vec![run(&asks("GET", "http://shop.example/docs/../cart", "")), Turn::say("done")]),
            script("stream", vec![run(&asks("GET", "http://shop.example/docs/slow", "")), Turn::say("done")]),
            script("again", vec![run(&asks("GET", "http://shop.example/docs/slow", "")), Turn::say("done")]),
        ],
        "",
    );
    let world = &house.world;
    let (_, why) = world.fails(&["rules", "add", "requests: go ahead"], PASSPHRASE);
    assert!(why.contains("names their site"), "{why}");
    world.ok(&["rules", "add", "anything: go ahead"], PASSPHRASE);
    let task = give(world, "docs, please");
    let card = next(world);
    world.ok(&["reject", &id(&card)], "");
    world.until_task(&id(&task), "answered");
    assert!(site.is_quiet(), "a rule that names no site lets no request go");

    world.ok(&["rules", "add", "requests on shop.example/docs/ with the method GET: go ahead"], PASSPHRASE);
    let task = give(world, "docs, please");
    world.until_task(&id(&task), "answered");
    assert!(site.next().starts_with("GET /docs/a HTTP/1.1\r\n"), "a rule for site, path and method lets it go");
    let task = give(world, "beside it");
    let card = next(world);
    assert_eq!(item(&card, "Path"), "/docs/../cart", "a path that could mean another is no part of the rule");
    world.ok(&["reject", &id(&card)], "");
    world.until_task(&id(&task), "answered");

    // A pause ends what goes by a rule, at once, and stops the machine's processors.
    give(world, "stream it");
    assert!(site.next().starts_with("GET /docs/slow"));
    world.ok(&["pause"], "");
    assert_eq!(site.next(), "cut");
    house.until_state("paused");
    world.ok(&["resume"], PASSPHRASE);
    house.until_state("running");
    assert!(site.is_quiet(), "nothing is sent again by itself");

    // So does a rule that is made meanwhile.
    let task = give(world, "again");
    assert!(site.next().starts_with("GET /docs/slow"));
    world.ok(&["rules", "add", "requests on shop.example: never"], PASSPHRASE);
    assert_eq!(site.next(), "cut");
    world.until_task(&id(&task), "answered");
}
