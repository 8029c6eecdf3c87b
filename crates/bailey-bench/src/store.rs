//! A home with a million actions: what its lists, its approvals, its pause and its export cost, asked as every client asks.

use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bailey_gate::approval::Purpose;
use bailey_gate::content::Content;
use bailey_gate::event::{Actor, Approval, Client, Event, EventKind, Payload};
use bailey_gate::family::Action;
use bailey_gate::family::home::HomeAction;
use bailey_gate::handoff::{Mode, PauseState};
use bailey_gate::ledger::{Row, StoreError, Tx as _};
use bailey_gate::policy::Facts;
use bailey_gate::{ActionId, Challenge, Deadline, Decision, Digest, FACTS, Gate, HomeId, Nonce, State, TaskId};
use bailey_home::{Layout, RootChoice};
use bailey_keys::sign::SigningKey;
use bailey_keys::{HomeKey, Passphrase, RootKey, credential};
use bailey_ledger::{Ledger, LedgerTx, MarkFile, Paths, RecordName};

use crate::actions::{self, CALENDAR, CREDENTIAL, at, compose, entry, furnish, id};
use crate::bench::{Table, Times, now, show};
use crate::process::{Running, memory, start};

type Done = Result<(), Box<dyn Error>>;

/// Actions written in one transaction.
const BATCH: u64 = 500;
/// One action in so many is a note the person agreed to, and one in so many a reply; the others are entries in a calendar.
const NOTE_EVERY: u64 = 100;
const REPLY_EVERY: u64 = 40;
/// Actions of a task.
const OF_A_TASK: u64 = 100;
/// Actions that wait for the person.
const WAITING: u64 = 300;
/// Requests of a kind that are measured, and those before, which are not.
const REQUESTS: usize = 200;
const WARM: usize = 5;
/// Starts, approvals and pauses measured.
const STARTS: usize = 7;
const APPROVALS: usize = 60;
const PAUSES: usize = 60;
/// Steps of a task measured by what they leave in the key store.
const STEPS: usize = 2_000;
/// The home that the costs of an approval are held against.
const SMALL: u64 = 100;
const WORDS: &str = "the words of a benchmark";

/// A home's folder, and what opens it.
struct Place<'a> {
    data: &'a Path,
    layout: Layout,
}

impl<'a> Place<'a> {
    fn make(data: &'a Path, actions: u64) -> Result<Self, Box<dyn Error>> {
        let layout = Layout::new(data);
        layout.create(RootChoice::KeyFile, &words())?;
        fs::write(data.join("config.toml"), "[gateway]\nlisten = \"127.0.0.1:0\"\n")?;
        let place = Self { data, layout };
        let ledger = place.ledger()?.0;
        furnish(&ledger)?;
        for from in (0..actions).step_by(BATCH as usize) {
            fill(&ledger, from..actions.min(from + BATCH), actions)?;
            if (from + BATCH).is_multiple_of(100 * BATCH) {
                eprintln!("a home with {} actions", from + BATCH);
            }
        }
        Ok(place)
    }

    fn ledger(&self) -> Result<(Arc<Ledger>, bailey_ledger::Opened), Box<dyn Error>> {
        let home = self.data.join("home");
        let key = HomeKey::unwrap(&home.join("home.key"), &RootKey::from_file(&self.data.join("keys/root.key"))?)?;
        let mark = Box::new(MarkFile::new(&self.data.join("state/mark")));
        let paths = Paths { database: &home.join("ledger.db"), keys: &home.join("keys.db"), mark, create: false };
        let (ledger, found) = Ledger::open(paths, key, at())?;
        Ok((Arc::new(ledger), found))
    }

    /// Returns a gate over it in this process, for what needs many actions under way.
    fn gate(&self) -> Result<(Arc<Gate>, Arc<Ledger>), Box<dyn Error>> {
        let (ledger, found) = self.ledger()?;
        let gate = compose(&ledger, found, &self.data.join("state/pause"), Arc::new(actions::Anything))?;
        Ok((gate, ledger))
    }
}

fn words() -> Passphrase {
    Passphrase::new(WORDS.into())
}

fn task(number: u64) -> TaskId {
    TaskId::from_bytes(*id(number / OF_A_TASK).as_bytes())
}

/// Writes actions as they are when they have ended, and the last few as they wait.
fn fill(ledger: &Ledger, numbers: std::ops::Range<u64>, all: u64) -> Done {
    let made = entry()?;
    let pause_state = PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 };
    ledger.write(|tx| {
        for number in numbers {
            let waits = number + WAITING.min(all / 2) >= all;
            let (action, account) = match number {
                _ if waits || number.is_multiple_of(NOTE_EVERY) => {
                    (Action::Home(HomeAction::MemoryWrite { note: format!("note {number}") }), None)
                }
                _ if number.is_multiple_of(REPLY_EVERY) => {
                    (Action::Home(HomeAction::Reply { words: "It is done.".into() }), None)
                }
                _ => (made.clone(), Some((CALENDAR, 1))),
            };
            if number.is_multiple_of(OF_A_TASK) {
                give(tx, &task(number))?;
            }
            put(
                tx,
                number,
                Content { home: ledger.home(), id: id(number), account, precondition: Vec::new(), action },
                waits,
                pause_state,
            )?;
        }
        Ok(())
    })?;
    Ok(())
}

fn give(tx: &mut LedgerTx<'_>, task: &TaskId) -> Result<(), StoreError> {
    let head = r#"{"counts":[0],"task":"Plan the lunch","mode":"free","turns":[],"asked":1,"usage":{"input":1,"output":1},"reply":"done","ending":"answered"}"#;
    tx.put_task(task, "answered", at().wall_ms)?;
    tx.put_words(task, 0, "Plan the lunch", &[])?;
    tx.put_record(RecordName { kind: "transcript", owner: task.as_bytes(), n: 0 }, head.as_bytes())
}

fn put(
    tx: &mut LedgerTx<'_>,
    number: u64,
    content: Content,
    waits: bool,
    pause_state: PauseState,
) -> Result<(), StoreError> {
    let mut row = Row {
        id: content.id,
        task: Some(task(number)),
        state: State::Proposed,
        kind: content.action.kind(),
        class: content.class(),
        account: content.account,
        digest: content.digest(),
        proposed: at(),
        // Far enough that none runs out while it is measured, whatever the clock says.
        expires: Deadline::after(at(), 100 * 365 * 24 * 3_600_000),
        held: None,
        approval: None,
        claim: None,
        attempt: 0,
        undo_of: None,
        amount: 0,
    };
    let event = |kind, state, row: &Row, payload| Event {
        action: Some(row.id),
        task: row.task,
        account: row.account,
        tool: Some(row.kind),
        class: Some(row.class),
        to: Some(state),
        payload,
        ..Event::of_home(kind, Actor::Gate, at(), pause_state)
    };
    let payload = Payload::default().text("why", "measured").bytes("content", content.encode());
    tx.insert(&row, event(EventKind::Proposed, State::Proposed, &row, payload))?;
    let asked = content.account.is_none() && matches!(content.action, Action::Home(HomeAction::MemoryWrite { .. }));
    let (first, decision) = if asked { (State::Awaiting, Decision::Ask) } else { (State::Approved, Decision::Auto) };
    let ways: &[State] = match (waits, asked) {
        (true, _) => &[State::Awaiting],
        (false, true) => &[State::Awaiting, State::Approved, State::Claimed, State::Succeeded],
        (false, false) => &[State::Approved, State::Claimed, State::Succeeded],
    };
    for to in ways {
        let from = std::mem::replace(&mut row.state, *to);
        let mut step = event(EventKind::Step, *to, &row, Payload::default());
        step.from = Some(from);
        if *to == first {
            step.decision = Some(decision);
            step.reasons = vec!["bench".into()];
            step.payload = Payload::default().bytes(FACTS, Facts::unremarkable().encode());
        } else if *to == State::Approved {
            let session = [7; 16];
            row.approval =
                Some(Approval { credential: CREDENTIAL, client: Client::CommandLine, session, stepped_up: true });
        } else if *to == State::Claimed {
            (row.attempt, row.claim) = (1, Some((0, 0)));
        } else if *to == State::Succeeded {
            step.payload = Payload::default().text("outcome", "saved");
        }
        tx.step(&row, from, step)?;
    }
    Ok(())
}

/// The home's own socket, as every client uses it.
struct Asking {
    socket: std::path::PathBuf,
    token: String,
}

impl Asking {
    fn new(layout: &Layout) -> Result<Self, Box<dyn Error>> {
        Ok(Self { socket: layout.socket(), token: layout.read_token()? })
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<UnixStream, Box<dyn Error>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: home\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.token,
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<String, Box<dyn Error>> {
        let mut answer = String::new();
        self.send(method, path, body)?.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        if head.starts_with("HTTP/1.1 200") {
            Ok(body.to_owned())
        } else {
            Err(format!("{path}: {head} {body}").into())
        }
    }

    /// Returns a proof of the person for a purpose, as the body of a request says it.
    fn prove(&self, key: &SigningKey, purpose: &Purpose) -> Result<String, Box<dyn Error>> {
        let challenge = self.ask("POST", "/v1/challenge", "null")?;
        let (asked, home) = (field(&challenge, "challenge")?, field(&challenge, "home")?);
        let message = purpose.message(&home.parse::<HomeId>()?, &asked.parse::<Challenge>()?);
        let credential = field(&challenge, "id")?;
        let session = Nonce::from_bytes([7; 16]);
        let signature = encoded(&key.sign(&message));
        Ok(format!(
            r#"{{"challenge":"{asked}","credential":"{credential}","assertion":{{"kind":"passphrase-key","signature":"{signature}"}},"session":"{session}"}}"#
        ))
    }
}

/// Returns the first text of a name in an answer.
fn field<'a>(json: &'a str, name: &str) -> Result<&'a str, Box<dyn Error>> {
    let found = json.split_once(&format!("\"{name}\":\"")).and_then(|(_, rest)| rest.split_once('"'));
    Ok(found.ok_or_else(|| format!("the answer has no `{name}`: {json}"))?.0)
}

/// Returns base64, as a signature is told in.
fn encoded(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let at = (bits >> (18 - 6 * place) & 63) as usize;
            let letter = if place <= three.len() { LETTERS.get(at).copied() } else { None };
            out.push(letter.map_or('=', char::from));
        }
    }
    out
}

/// Returns every list and every single thing.
fn lists(table: &mut Table, asking: &Asking, actions: u64) -> Done {
    let (middle, deep) = (id(actions / 2), id(actions / 10));
    let of_task = task(actions / 2);
    for (what, path) in [
        ("status", "/v1/status".to_owned()),
        ("approvals", "/v1/approvals?limit=50".to_owned()),
        ("newest actions", "/v1/actions?limit=50".to_owned()),
        ("actions far back", format!("/v1/actions?limit=50&before={deep}")),
        ("actions of a kind", "/v1/actions?limit=50&kind=memory.write".to_owned()),
        ("actions of a kind far back", format!("/v1/actions?limit=50&kind=reply&before={deep}")),
        ("one action", format!("/v1/actions/{middle}")),
        ("why it was decided so", format!("/v1/actions/{middle}/why")),
        ("tasks", "/v1/tasks?limit=50".to_owned()),
        ("tasks far back", format!("/v1/tasks?limit=50&skip={}", actions / OF_A_TASK / 2)),
        ("one task with a hundred actions", format!("/v1/tasks/{of_task}")),
        ("log far back", format!("/v1/log?limit=100&from={}", actions * 2)),
        ("changes of rules", "/v1/rules/history".to_owned()),
        ("connections", "/v1/connections".to_owned()),
    ] {
        for _ in 0..WARM {
            asking.ask("GET", &path, "")?;
        }
        let times = Times::of(REQUESTS, |_| asking.ask("GET", &path, "").map(|_| ()))?;
        table.row(
            &format!("{what}, with {actions} actions, p50 (p99)"),
            format!("{} ({})", show(times.median()), show(times.percentile(99))),
            "20 ms is what is wanted".into(),
            path,
        );
    }
    Ok(())
}

/// Measures from the request to the answer of the person to what waits.
fn approvals(asking: &Asking, key: &SigningKey) -> Result<Times, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..APPROVALS.min(SMALL as usize / 2) {
        let card = asking.ask("GET", "/v1/approvals?limit=1", "")?;
        let (action, digest) = (field(&card, "id")?, field(&card, "digest")?);
        let shown = vec![(action.parse::<ActionId>()?, digest.parse::<Digest>()?)];
        let proof = asking.prove(key, &Purpose::Approve(shown))?;
        let body = format!(r#"{{"shown":[{{"id":"{action}","digest":"{digest}"}}],"proof":{proof}}}"#);
        let started = now();
        asking.ask("POST", "/v1/approvals/approve", &body)?;
        times.push(started.elapsed());
    }
    Ok(Times::from(times))
}

/// Pauses over the socket while two clients read long lists without end.
fn pauses(asking: &Asking, key: &SigningKey) -> Result<Times, Box<dyn Error>> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for path in ["/v1/actions?limit=200", "/v1/approvals?limit=200"] {
            let (asking, stop) = (&asking, &stop);
            scope.spawn(move || while !stop.load(Ordering::Relaxed) && asking.ask("GET", path, "").is_ok() {});
        }
        let mut times = Vec::new();
        let all = (0..PAUSES).try_for_each(|_| -> Done {
            let started = now();
            let paused = asking.ask("POST", "/v1/pause", "null")?;
            times.push(started.elapsed());
            let epoch: u64 = number(&paused, "epoch")?;
            let proof = asking.prove(key, &Purpose::Resume { epoch })?;
            asking.ask("POST", "/v1/resume", &format!(r#"{{"epoch":{epoch},"proof":{proof}}}"#)).map(|_| ())
        });
        stop.store(true, Ordering::Relaxed);
        all.map(|()| Times::from(times))
    })
}

fn number(json: &str, name: &str) -> Result<u64, Box<dyn Error>> {
    let (_, rest) = json.split_once(&format!("\"{name}\":")).ok_or("no such number")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}

/// Returns the process that holds the home, among the supervisor's children.
fn home_process(running: &Running) -> Result<u32, Box<dyn Error>> {
    for child in running.children()? {
        if fs::read_to_string(format!("/proc/{child}/cmdline"))?.contains("home-process") {
            return Ok(child);
        }
    }
    Err("no process of a home".into())
}

/// Tells how far the memory of the home rises while it exports its whole log, in KiB, and the bytes it sent.
fn export(asking: &Asking, home: u32) -> Result<(u64, u64), Box<dyn Error>> {
    let before = memory(home)?;
    let mut stream = asking.send("POST", "/v1/log/export", "null")?;
    let (mut piece, mut last, mut sent, mut most, mut looked) = (vec![0; 1 << 20], Vec::new(), 0, before, 0);
    loop {
        let read = stream.read(&mut piece)?;
        sent += read as u64;
        if read == 0 {
            // The end of an answer that was not broken off (RFC 9112, section 7.1).
            let whole = last.ends_with(b"\r\n0\r\n\r\n");
            return if whole { Ok((most.saturating_sub(before), sent)) } else { Err("the export broke off".into()) };
        }
        last.extend(piece.iter().take(read));
        last.drain(..last.len().saturating_sub(16));
        if sent > looked {
            looked = sent + (16 << 20);
            most = most.max(memory(home)?);
        }
    }
}

/// Returns what a home takes on the disk, part by part.
fn disk(table: &mut Table, place: &Place<'_>, actions: u64) -> Done {
    let home = place.data.join("home");
    let (ledger, _) = place.ledger()?;
    let mut parts = ledger.disk()?;
    drop(ledger);
    parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let each = |bytes: u64| bytes as f64 / actions as f64;
    let told = parts.iter().filter(|(_, bytes)| each(*bytes) >= 1.0);
    let told: Vec<String> = told.map(|(part, bytes)| format!("{part} {:.0}", each(*bytes))).collect();
    let size = |name: &str| fs::metadata(home.join(name)).map(|about| about.len());
    table.row(
        &format!("disk for each of {actions} actions"),
        format!("{:.0} bytes", each(size("ledger.db")? + size("keys.db")?)),
        format!("keys.db {:.0}", each(size("keys.db")?)),
        format!("ledger.db: {}", told.join(", ")),
    );
    Ok(())
}

/// Tells whether the key store grows with the steps of a task, each of which replaces a record.
fn keys_of_steps(table: &mut Table, place: &Place<'_>) -> Done {
    let file = place.data.join("home/keys.db");
    let (ledger, _) = place.ledger()?;
    let name = RecordName { kind: "transcript", owner: &[9; 16], n: 0 };
    let step = |_| ledger.write(|tx| tx.put_record(name, b"what a step changed"));
    // Filled up once, so that what is drawn in advance is there before and behind.
    (0..STEPS / 4).try_for_each(step)?;
    let before = fs::metadata(&file)?.len();
    (0..STEPS).try_for_each(step)?;
    let after = fs::metadata(&file)?.len();
    table.row(
        &format!("keys.db after {STEPS} more steps of a task"),
        format!("{:.1} KiB", after as f64 / 1_024.0),
        format!("before {:.1} KiB", before as f64 / 1_024.0),
        format!("{:+} bytes", after as i64 - before as i64),
    );
    Ok(())
}

/// Returns all of it.
pub fn million(table: &mut Table, program: &Path, folder: &Path, actions: u64) -> Done {
    let (data, other) = (folder.join("million"), folder.join("hundred"));
    let began = now();
    let place = Place::make(&data, actions)?;
    let small = Place::make(&other, SMALL)?;
    eprintln!("made in {}", show(began.elapsed()));
    disk(table, &place, actions)?;
    keys_of_steps(table, &small)?;
    let first = |place: &Place<'_>| {
        Times::of(STARTS, |_| -> Done {
            let _running = start(program, place.data)?;
            Asking::new(&place.layout)?.ask("GET", "/v1/status", "").map(|_| ())
        })
    };
    let (much, little) = (first(&place)?, first(&small)?);
    table.row(
        &format!("start-up to the first answer with {actions} actions, p50 (worst)"),
        format!("{} ({})", show(much.median()), show(much.percentile(100))),
        format!("with {SMALL} actions {}", show(little.median())),
        format!("{:.2} ×; 300 ms is what is wanted", much.median().as_secs_f64() / little.median().as_secs_f64()),
    );
    let little = {
        let _running = start(program, small.data)?;
        let asking = Asking::new(&small.layout)?;
        approvals(&asking, &signing(&asking)?)?
    };
    {
        let running = start(program, place.data)?;
        let asking = Asking::new(&place.layout)?;
        let key = signing(&asking)?;
        lists(table, &asking, actions)?;
        let much = approvals(&asking, &key)?;
        table.row(
            &format!("one approval with {actions} actions, p50 (p99)"),
            format!("{} ({})", show(much.median()), show(much.percentile(99))),
            format!("with {SMALL} actions {} ({})", show(little.median()), show(little.percentile(99))),
            format!("{:.2} ×", much.median().as_secs_f64() / little.median().as_secs_f64()),
        );
        let times = pauses(&asking, &key)?;
        table.row(
            &format!("pause over the socket while two clients read long lists of {actions} actions, p50 (p99)"),
            format!("{} ({})", show(times.median()), show(times.percentile(99))),
            "50 ms is what is wanted".into(),
            format!("{PAUSES} pauses"),
        );
        let (rise, sent) = export(&asking, home_process(&running)?)?;
        table.row(
            &format!("memory of the home while it exports {:.1} MB of log", sent as f64 / 1e6),
            format!("{:.1} MiB more", rise as f64 / 1_024.0),
            "32 MiB is what is wanted".into(),
            "PSS, looked at every 16 MiB".into(),
        );
    }
    let (gate, ledger) = place.gate()?;
    let stop = AtomicBool::new(false);
    let times = thread::scope(|scope| {
        for _ in 0..2 {
            let (ledger, stop) = (&ledger, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed)
                    && ledger.recent_actions(0, 200).is_ok()
                    && ledger.decided(200).is_ok()
                {}
            });
        }
        let times = actions::paused(&gate, PAUSES).map_err(|error| error.to_string());
        stop.store(true, Ordering::Relaxed);
        times
    })?;
    table.row(
        &format!("pause with 64 actions under way and two readers scanning {actions} actions, p50 (p99)"),
        format!("{} ({})", show(times.median()), show(times.percentile(99))),
        "50 ms is what is wanted".into(),
        format!("{PAUSES} pauses, no hand-off after any of them"),
    );
    Ok(())
}

/// Returns the person's key, from the passphrase.
/// Searches that are measured: what most entries hold, what a hundred hold, what one holds, a beginning, two words, a kind, nothing.
const SEARCHES: [(&str, &str); 7] = [
    ("a word of nearly all", "q=lunch"),
    ("a word of one in a hundred", "q=note"),
    ("a number that one holds", "q=12300"),
    ("how words begin", "q=lu"),
    ("two words", "q=lunch%20ana"),
    ("a word and a kind", "q=note&kind=memory.write"),
    ("a word of none", "q=heliotrope"),
];
/// How long the dashboard is left open while its cost is measured.
const OPEN_FOR: Duration = Duration::from_secs(20);
/// Dashboards that are open at once.
const OPEN: usize = 4;
/// Ticks of the processor's clock in a second (`sysconf(_SC_CLK_TCK)` on Linux, time(7)).
const TICKS: f64 = 100.0;

/// Measures what is asked of the dashboard: search over a log of so many entries, and what one costs that is open and left alone.
pub fn dashboard(table: &mut Table, program: &Path, folder: &Path, entries: u64) -> Done {
    let actions = entries / ENTRIES_EACH;
    let data = folder.join("dashboard");
    let place = Place::make(&data, actions)?;
    // Pages are shown at names that hold the port, so it is one that is known.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    fs::write(data.join("config.toml"), format!("[gateway]\nlisten = \"127.0.0.1:{port}\"\n"))?;
    let running = start(program, place.data)?;
    let asking = Asking::new(&place.layout)?;
    let began = now();
    loop {
        let found = asking.ask("GET", "/v1/search?q=lunch&limit=1", "")?;
        let (indexed, of) = (number(&found, "indexed")?, number(&found, "entries")?);
        if indexed >= of {
            table.row(
                &format!("making the search index of {of} entries anew"),
                show(began.elapsed()),
                "30 s is what is wanted".into(),
                "behind the log, on a thread of its own".into(),
            );
            break;
        }
        pause_for(Duration::from_millis(100));
    }
    let asked = |path: &str| -> Result<Times, Box<dyn Error>> {
        for _ in 0..WARM {
            asking.ask("GET", path, "")?;
        }
        Times::of(REQUESTS, |_| asking.ask("GET", path, "").map(|_| ()))
    };
    for (what, query) in SEARCHES {
        let path = format!("/v1/search?{query}");
        // What as many actions cost that nobody searched for.
        let (listed, times) = (asked("/v1/actions?limit=50")?, asked(&path)?);
        table.row(
            &format!("search over {entries} entries, {what}, p50 (p99)"),
            format!("{} ({})", show(times.median()), show(times.percentile(99))),
            format!("the newest 50 actions {} ({})", show(listed.median()), show(listed.percentile(99))),
            format!("`{path}`; 20 ms (100 ms) is what is wanted"),
        );
    }
    painted(table, &asking)?;
    let spent = |running: &Running| -> Result<f64, Box<dyn Error>> {
        let all = running.children()?.into_iter().map(processor).sum::<Result<f64, _>>()?;
        Ok(all + processor(running.id())?)
    };
    let rest = |running: &Running| -> Result<f64, Box<dyn Error>> {
        let before = spent(running)?;
        pause_for(OPEN_FOR);
        Ok((spent(running)? - before) / OPEN_FOR.as_secs_f64() * 100.0)
    };
    let alone = rest(&running)?;
    // Over the gateway, as browsers come.
    let address = fs::read_to_string(place.data.join("gateway.address"))?;
    let streams = (0..OPEN)
        .map(|_| {
            let mut stream = TcpStream::connect(address.trim())?;
            write!(
                stream,
                "GET /v1/events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
                address.trim(),
                asking.token
            )?;
            let mut first = [0; 12];
            stream.read_exact(&mut first)?;
            if &first == b"HTTP/1.1 200" { Ok(stream) } else { Err("a stream was refused".into()) }
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let open = rest(&running)?;
    drop(streams);
    table.row(
        &format!("processor of supervisor, gateway and home with {OPEN} dashboards open and left alone"),
        format!("{open:.2} % of a core"),
        format!("with none {alone:.2} %"),
        format!("{:.2} % for each; 1 % is what is wanted", (open - alone).max(0.0) / OPEN as f64),
    );
    Ok(())
}

/// Lets a browser in, and measures how soon it paints pages.
fn painted(table: &mut Table, asking: &Asking) -> Done {
    let proof = asking.prove(&signing(asking)?, &bailey_home::purposes::let_browser_in())?;
    let made = asking.ask("POST", "/v1/browsers/link", &format!(r#"{{"proof":{proof}}}"#))?;
    let names = asking.ask("GET", "/v1/names", "")?;
    let origin = names.split('"').find(|part| part.starts_with("http://")).ok_or("the dashboard has no name")?;
    crate::paint::pages(table, origin, &format!("{origin}/claim#{}", field(&made, "token")?))
}

/// Entries of the log that an action makes.
const ENTRIES_EACH: u64 = 4;

/// Returns the processor time that a process has taken, in seconds (proc_pid_stat(5): `utime` and `stime`).
fn processor(pid: u32) -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before may hold anything, but for its last bracket.
    let (_, fields) = text.rsplit_once(") ").ok_or("no stat")?;
    let mut ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
    let both = ticks.next().ok_or("no utime")?? + ticks.next().ok_or("no stime")??;
    Ok(both / TICKS)
}

#[expect(clippy::disallowed_methods, reason = "what is measured is a program that is left alone")]
fn pause_for(time: Duration) {
    thread::sleep(time);
}

fn signing(asking: &Asking) -> Result<SigningKey, Box<dyn Error>> {
    let challenge = asking.ask("POST", "/v1/challenge", "null")?;
    Ok(credential::signing_key(&words(), field(&challenge, "salt")?.parse::<Nonce>()?.as_bytes())?)
}
