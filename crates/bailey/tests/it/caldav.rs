//! Calendar servers and the programs between, as they are: a double of one, because Radicale cannot be made to misbehave. It keeps
//! entries by path and answers as it is told to; it proves what we do with such answers, and not that a server gives them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use bailey_scripted::Turn;
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World, id};

/// How the double answers.
#[derive(Debug, Clone, Copy, Default)]
struct Habits {
    /// What is written around the version.
    etag: (&'static str, &'static str),
    /// Tells whether it gives no version at all.
    without_etag: bool,
    /// Tells whether it names its entries by whole addresses.
    whole_addresses: bool,
    /// Tells whether it sends on from `/old/`.
    sends_on: bool,
}

#[derive(Debug, Clone)]
struct Double {
    port: u16,
    entries: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    heads: Arc<Mutex<Vec<String>>>,
    /// Tells whether it refuses everything from now on.
    silent: Arc<std::sync::atomic::AtomicBool>,
}

impl Double {
    fn start(habits: Habits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let double = Self { port, entries: Arc::default(), heads: Arc::default(), silent: Arc::default() };
        let serving = double.clone();
        std::thread::spawn(move || {
            listener.incoming().flatten().for_each(|stream| drop(serving.answer(stream, habits)))
        });
        double
    }

    fn answer(&self, mut stream: std::net::TcpStream, habits: Habits) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut head, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line)? > 2 {
            head.push_str(&std::mem::take(&mut line));
        }
        let header = |name: &str| {
            let found = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")))?;
            found.split_once(':').map(|(_, value)| value.trim().to_owned())
        };
        let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
        reader.read_exact(&mut body)?;
        self.heads.lock().unwrap().push(head.clone());
        let mut words = head.split_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, headers, body) = self.handled(method, path, header("if-match"), body, habits);
        write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)
    }

    fn handled(
        &self,
        method: &str,
        path: &str,
        version: Option<String>,
        body: Vec<u8>,
        habits: Habits,
    ) -> (&'static str, String, Vec<u8>) {
        if self.silent.load(std::sync::atomic::Ordering::SeqCst) {
            return ("503 Service Unavailable", String::new(), Vec::new());
        }
        let mut entries = self.entries.lock().unwrap();
        let plain = |bytes: &[u8]| {
            format!("\"v{}\"", bytes.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into())))
        };
        let shown = |bytes: &[u8]| match (habits.without_etag, plain(bytes)) {
            (true, _) => String::new(),
            (false, tag) => format!("etag: {}{}{}\"\r\n", habits.etag.0, tag.trim_end_matches('"'), habits.etag.1),
        };
        if habits.sends_on && path.starts_with("/old/") {
            return (
                "301 Moved Permanently",
                format!("location: http://127.0.0.1:{}{}\r\n", self.port, path.replace("/old/", "/cal/")),
                Vec::new(),
            );
        }
        match method {
            "PROPFIND" if path == "/cal/" => {
                ("207 Multi-Status", String::new(), about("/cal/", "<D:collection/><C:calendar/>", "").into())
            }
            "PROPFIND" if path == "/" => (
                "207 Multi-Status",
                String::new(),
                about(
                    "/",
                    "<D:collection/>",
                    "<D:current-user-principal><D:href>/me/</D:href></D:current-user-principal>",
                )
                .into(),
            ),
            "PROPFIND" if path == "/me/" => (
                "207 Multi-Status",
                String::new(),
                about("/me/", "<D:principal/>", "<C:calendar-home-set><D:href>/home/</D:href></C:calendar-home-set>")
                    .into(),
            ),
            "PROPFIND" if path == "/home/" => {
                let all = format!(
                    "{}{}",
                    about("/home/", "<D:collection/>", ""),
                    about("/cal/", "<D:collection/><C:calendar/>", "<D:displayname>Family</D:displayname>")
                );
                (
                    "207 Multi-Status",
                    String::new(),
                    all.replace(
                        "</D:multistatus><D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">",
                        "",
                    )
                    .into(),
                )
            }
            "REPORT" => {
                let place =
                    if habits.whole_addresses { format!("http://127.0.0.1:{}", self.port) } else { String::new() };
                let one = |(path, bytes): (&String, &Vec<u8>)| {
                    let place = if path.contains("elsewhere") { "http://evil.example" } else { &place };
                    let text = String::from_utf8_lossy(bytes).replace('&', "&amp;").replace('<', "&lt;");
                    format!(
                        "<D:response><D:href>{place}{path}</D:href><D:propstat><D:prop><C:calendar-data>{text}</C:calendar-data></D:prop></D:propstat></D:response>"
                    )
                };
                let all: String = entries.iter().map(one).collect();
                let xml = format!(
                    "<D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">{all}</D:multistatus>"
                );
                ("207 Multi-Status", String::new(), xml.into())
            }
            "GET" => match entries.get(path) {
                Some(bytes) => ("200 OK", shown(bytes), bytes.clone()),
                None => ("404 Not Found", String::new(), Vec::new()),
            },
            "PUT" if version.is_some() && version != entries.get(path).map(|bytes| plain(bytes)) => {
                ("412 Precondition Failed", String::new(), Vec::new())
            }
            "PUT" => {
                let etag = shown(&body);
                entries.insert(path.to_owned(), body);
                ("204 No Content", etag, Vec::new())
            }
            _ => ("404 Not Found", String::new(), Vec::new()),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        self.entries.lock().unwrap().insert(format!("/cal/{name}.ics"), bytes.to_vec());
    }

    fn stored(&self, name: &str) -> Vec<u8> {
        self.entries.lock().unwrap()[&format!("/cal/{name}.ics")].clone()
    }
}

fn about(path: &str, types: &str, more: &str) -> String {
    format!(
        "<D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:response><D:href>{path}</D:href><D:propstat><D:prop><D:resourcetype>{types}</D:resourcetype>{more}</D:prop></D:propstat></D:response></D:multistatus>"
    )
}

fn world(turns: Vec<Turn>, habits: Habits) -> (World, Double) {
    let mut world = World::bare(turns, 0);
    world.serve();
    let double = Double::start(habits);
    let url = format!("http://127.0.0.1:{}/cal/", double.port);
    world.ok(
        &["connect", "calendar", &url, "--user", "me@bailey.test", "--level", "full"],
        &format!("{PASSPHRASE}\npassword"),
    );
    (world, double)
}

fn look() -> Turn {
    Turn::call("calendar_read", json!({"from": "2026-11-23", "until": "2026-11-29"}))
}

fn told(world: &World) -> String {
    world
        .provider
        .requests()
        .iter()
        .map(|request| String::from_utf8_lossy(request).into_owned())
        .collect::<Vec<_>>()
        .join("\n")
        .replace('\\', "")
}

fn deed(task: &Value) -> &Value {
    let all = task["actions"].as_array().unwrap();
    all.iter().find(|action| action["kind"] == "calendar.change").unwrap_or_else(|| panic!("{task:#}"))
}

/// An entry with a letter split by folding, a blank first line, a mark and line ends of three kinds.
fn hostile() -> Vec<u8> {
    let mut bytes = b"\xEF\xBB\xBF\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\nUID:1\r\nDTSTART:20261124T140000Z\r\nDURATION:PT1H\r\nSUMMARY:Den\x07tist\r\nDESCRIPTION:Gr".to_vec();
    bytes.extend(b"\xC3\r\n \xBC\xC3\x9F");
    bytes.extend(b"e\r\nEND:VEVENT\r\nEND:VCALENDAR");
    bytes
}

#[test]
fn an_entry_is_changed_and_comes_back_byte_for_byte_whatever_its_server_says_of_versions() {
    let plain = Habits::default();
    for habits in [
        plain,
        Habits { etag: ("W/", ""), ..plain },
        Habits { etag: ("", "-gzip"), ..plain },
        Habits { without_etag: true, ..plain },
        Habits { whole_addresses: true, ..plain },
    ] {
        let change = Turn::call("calendar_change", json!({"id": "$ID0", "where": "Über dem Café"}));
        let (world, double) = world(vec![look(), change, Turn::say("ok")], habits);
        double.put("1", &hostile());
        let task = world.task("change the place of the dentist");
        assert_eq!(deed(&task)["state"], "succeeded", "{habits:?} {task:#}");
        assert!(told(&world).contains("Grüße"), "the letter is read whole");
        let after = double.stored("1");
        let added = "LOCATION:Über dem Café\r\n".as_bytes();
        let at = after
            .windows(added.len())
            .position(|part| part == added)
            .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&after)));
        assert_eq!([&after[..at], &after[at + added.len()..]].concat(), hostile(), "{habits:?}");
        world.ok(&["undo", &id(deed(&task))], PASSPHRASE);
        world.until(&id(deed(&task)), "undone");
        assert_eq!(double.stored("1"), hostile(), "{habits:?}");
    }
}

#[test]
fn what_cannot_be_read_is_counted_and_no_time_is_known_to_be_free() {
    let free = Turn::call("calendar_free", json!({"from": "2026-11-24", "until": "2026-11-24"}));
    let (world, double) = world(vec![look(), free, Turn::say("ok")], Habits::default());
    double.put("1", &hostile());
    double.put(
        "2",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART:soon\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    double.put(
        "elsewhere",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:3\r\nDTSTART:20261124T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    double.put("task", b"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:5\r\nSUMMARY:Buy tea\r\nEND:VTODO\r\nEND:VCALENDAR\r\n");
    double.put("zone", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:4\r\nSUMMARY:Tea\r\nDTSTART;TZID=Middle-earth/Shire:20261124T090000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    world.task("when am I free on Tuesday?");
    let told = told(&world);
    for part in [
        "when it begins cannot be read",
        "it lies on another server",
        "its time zone `Middle-earth/Shire` is not known",
        "\"unreadable\":2",
        "no time is known to be free",
        "\"free\":[]",
        "Dentist",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let heads = double.heads.lock().unwrap().join("");
    assert!(!heads.contains("evil.example"), "{heads}");
}

#[test]
fn what_is_no_calendar_is_refused_with_the_calendars_there_are() {
    let mut world = World::bare(vec![], 0);
    world.serve();
    let double = Double::start(Habits { sends_on: true, ..Habits::default() });
    let connect = |path: &str| {
        let url = format!("http://127.0.0.1:{}{path}", double.port);
        world.fails(&["connect", "calendar", &url, "--user", "me"], &format!("{PASSPHRASE}\npassword")).1
    };
    let there = format!("`http://127.0.0.1:{}/cal/` (\u{201c}Family\u{201d})", double.port);
    for (path, what) in [
        ("/", "is a folder of other things"),
        ("/me/", "is an account"),
        ("/home/", "is a folder of other things"),
        ("/old/", "has moved to `/cal/`"),
    ] {
        let said = connect(path);
        assert!(said.contains(what), "{path}: {said}");
        assert!(path == "/old/" || said.contains(&there), "{path}: {said}");
    }
}

/// One of several calendars that does not answer is said; the others are read.
#[test]
fn a_calendar_that_does_not_answer_is_no_free_time() {
    let (world, double) = world(vec![look(), Turn::say("ok")], Habits::default());
    double.put("1", &hostile());
    let gone = Double::start(Habits::default());
    let url = format!("http://127.0.0.1:{}/cal/", gone.port);
    let connect = ["connect", "calendar", &url, "--user", "me", "--name", "work", "--level", "read-only"];
    world.ok(&connect, &format!("{PASSPHRASE}\npassword"));
    gone.silent.store(true, std::sync::atomic::Ordering::SeqCst);
    world.task("what is in my calendars on Tuesday?");
    let told = told(&world);
    for part in ["Dentist", "the calendar could not be read", "no time is known to be free"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
