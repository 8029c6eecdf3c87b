//! `cargo xtask bench mailbox`: what looking at a large mailbox and many calendars takes, beside Python's own libraries asking the same
//! real servers the same questions in the same run.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bailey_scripted::{Provider, Script, Turn};
use serde_json::{Value, json};

use crate::install;
use crate::process::{cache, command, root, run, succeeds};
use crate::servers::{ACCOUNT, APP_PASSWORD, CalendarServer, MailServer};

/// Python's CalDAV library (PyPI, Apache-2.0 or GPL).
const CALDAV: &str = "caldav==2.2.6";
const PASSPHRASE: &str = "the words of a benchmark";
/// Messages in the inbox.
const MAILS: usize = 50_000;
/// Calendars on the server, and how many of them are connected: as many as one look reads.
const CALENDARS: usize = 200;
const CONNECTED: usize = 20;
/// Entries in each.
const ENTRIES: usize = 50;
/// Bytes of each of three files that stand before the text of the large mail, 30 MB in all.
const FILE_BYTES: usize = 10_000_000;
/// Runs of each question.
const RUNS: usize = 5;
/// Arguments of the mail's reference before its question.
const FIXED: usize = 5;
/// What is wanted: times the reference, and MiB at most.
const MOST_TIMES: f64 = 2.0;
const MOST_MIB: f64 = 100.0;

/// A question: the words of its task, the calls before the one that is measured, that one, and what Python is asked.
struct Question {
    words: &'static str,
    before: &'static str,
    call: (&'static str, Value),
    reference: Vec<String>,
}

/// Measures, and prints a table; fails where a figure is over what is wanted.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    let mails = match arguments {
        [] => MAILS,
        ["--mails", count] => count.parse().map_err(|_| format!("`{count}` is no number"))?,
        _ => return Err("bench mailbox [--mails N]".into()),
    };
    install::packages(std::env::var("CI").is_ok_and(|ci| ci == "true"))?;
    install::servers()?;
    let python = python()?;
    run(command("cargo").args(["build", "--release", "--locked", "-p", "bailey", "--bins"]))?;
    let folder = std::env::temp_dir().join(format!("bailey-mailbox-{}", std::process::id()));
    let measured = measure(&folder, &python, mails);
    let _ = fs::remove_dir_all(&folder);
    measured
}

/// Returns a Python environment of its own with the reference in it.
fn python() -> Result<PathBuf, String> {
    let folder = cache().join("bench");
    let python = folder.join("bin/python");
    if !succeeds(command(&python).args(["-c", "import caldav"])) {
        eprintln!("Installing {CALDAV} and what it needs from PyPI, below `{}`.", folder.display());
        run(command("python3").args(["-m", "venv"]).arg(&folder))?;
        run(command(&python).args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet", CALDAV]))?;
    }
    Ok(python)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn clock() -> Instant {
    Instant::now()
}

fn failed(error: std::io::Error) -> String {
    error.to_string()
}

/// Writes a mailbox into the server's folder: one line of figures in each mail, and one mail with large files before its text.
fn fill(mail: &MailServer, folder: &Path, mails: usize) -> Result<(), String> {
    let maildir = folder.join("d/mail").join(ACCOUNT).join("Maildir");
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).map_err(failed)?;
    }
    for n in 0..mails {
        let from =
            if n % 500 == 0 { "Ana Ferreira <ana@example.org>".to_owned() } else { format!("P{n} <p{n}@example.net>") };
        let (day, word) = (n % 28 + 1, if n % 1_000 < 30 { "lantern" } else { "window" });
        let text = format!(
            "From: {from}\nTo: {ACCOUNT}\nSubject: {} {n}\nDate: {day:02} Nov 2026 09:00:00 +0100\nMessage-ID: <{n}@example.org>\nContent-Type: text/plain; charset=utf-8\n\n{}\nThe {word} of {n}.\n",
            if n % 300 == 0 { "Figures" } else { "Letter" },
            "Some words that everybody writes, to fill a mail of an ordinary length.\n".repeat(15),
        );
        fs::write(maildir.join("cur").join(format!("{}.{n}.bench:2,S", 1_700_000_000 + n)), text).map_err(failed)?;
    }
    let file = format!(
        "--b\r\nContent-Type: application/octet-stream; name=\"f.bin\"\r\nContent-Disposition: attachment; filename=\"f.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        format!("{}\r\n", "QUJD".repeat(19)).repeat(FILE_BYTES / 78)
    );
    let large = format!(
        "From: Ana <ana@example.org>\r\nTo: {ACCOUNT}\r\nSubject: Large\r\nDate: Thu, 19 Nov 2026 09:00:00 +0100\r\nMessage-ID: <large@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{file}{file}{file}--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe text behind the files.\r\n--b--\r\n"
    );
    mail.deliver("Large", "1", &large)
}

/// Makes calendars beside the one of the server's; gives the addresses of all.
fn calendars(server: &CalendarServer, folder: &Path) -> Result<Vec<String>, String> {
    let root = folder.join("c/collections/collection-root").join(ACCOUNT);
    (0..CALENDARS)
        .map(|n| {
            let calendar = root.join(format!("cal{n}"));
            fs::create_dir_all(&calendar).map_err(failed)?;
            fs::write(calendar.join(".Radicale.props"), "{\"tag\": \"VCALENDAR\"}").map_err(failed)?;
            for entry in 0..ENTRIES {
                let (month, day, hour) = (entry % 12 + 1, entry % 28 + 1, 8 + entry % 10);
                let weekly = if entry == 0 { "RRULE:FREQ=WEEKLY\r\n" } else { "" };
                let text = format!(
                    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\nBEGIN:VEVENT\r\nUID:{n}-{entry}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:2026{month:02}{day:02}T{hour:02}0000Z\r\nDTEND:2026{month:02}{day:02}T{hour:02}3000Z\r\n{weekly}SUMMARY:Entry {entry}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
                );
                fs::write(calendar.join(format!("{entry}.ics")), text).map_err(failed)?;
            }
            Ok(format!("http://127.0.0.1:{}/{ACCOUNT}/cal{n}/", server.port))
        })
        .collect()
}

/// The program under measurement, running; ends with its owner.
struct Home {
    program: PathBuf,
    folder: PathBuf,
    serving: Option<Child>,
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(serving) = &mut self.serving {
            let _ = serving.kill();
            let _ = serving.wait();
        }
    }
}

impl Home {
    fn bailey(&self, arguments: &[&str]) -> Command {
        let mut program = command(&self.program);
        program.args(arguments).arg("--data").arg(self.folder.join("home"));
        program.env("XDG_STATE_HOME", self.folder.join("state"));
        program
    }

    fn ok(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut program = self.bailey(arguments);
        let mut child =
            program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = writeln!(stdin, "{input}");
        }
        let output = child.wait_with_output().map_err(failed)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("`bailey {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
    }

    fn serve(&mut self) -> Result<(), String> {
        let mut serving = self.bailey(&["serve"]);
        let mut child =
            serving.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(failed)?;
        let out = child.stdout.take().ok_or("it has no output")?;
        self.serving = Some(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).map_err(failed)?;
        if line.starts_with("Bailey runs") { Ok(()) } else { Err(format!("it said `{line}`")) }
    }

    /// Returns the most memory that the home's process ever had, in MiB.
    fn peak(&self) -> Result<f64, String> {
        let supervisor = self.serving.as_ref().map(Child::id).ok_or("nothing runs")?;
        let children = fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).map_err(failed)?;
        let is_home = |pid: &&str| {
            fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words.contains("home-process"))
        };
        let home = children.split_whitespace().find(is_home).ok_or("the home's process is not there")?;
        let status = fs::read_to_string(format!("/proc/{home}/status")).map_err(failed)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().map_err(|_| line.to_owned())?;
        Ok(kib / 1_024.0)
    }

    /// Gives a task, and returns how long it took, in seconds.
    fn task(&self, words: &str) -> Result<f64, String> {
        let started = clock();
        let said = self.ok(&["task", "--json", words], "")?;
        let seconds = started.elapsed().as_secs_f64();
        let task: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let actions = task.get("actions").and_then(Value::as_array).cloned().unwrap_or_default();
        match actions.iter().find(|action| action.get("state").and_then(Value::as_str) != Some("succeeded")) {
            None => Ok(seconds),
            Some(action) => Err(format!("`{words}`: {action:#}")),
        }
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// Lists the questions.
fn questions(mail: &MailServer, urls: &[String]) -> Vec<Question> {
    let imap = |rest: &[&str]| {
        let port = mail.imaps_port.to_string();
        let authority = mail.authority().display().to_string();
        let fixed = ["mail", &port, ACCOUNT, APP_PASSWORD, &authority];
        fixed.iter().chain(rest).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let dav = || {
        let fixed = ["calendars", ACCOUNT, APP_PASSWORD, "2026-11-02", "2026-11-09"];
        let urls = urls.iter().take(CONNECTED).map(String::as_str);
        fixed.into_iter().chain(urls).map(str::to_owned).collect::<Vec<_>>()
    };
    let week = json!({"from": "2026-11-02", "until": "2026-11-08"});
    let one = |words, before, call, reference| Question { words, before, call, reference };
    vec![
        one("show the newest mail", "idle", ("mail_search", json!({})), imap(&["newest"])),
        one("seek mail of Ana", "idle", ("mail_search", json!({"from": "ana"})), imap(&["from", "ana"])),
        one("seek by subject", "idle", ("mail_search", json!({"subject": "figures"})), imap(&["subject", "figures"])),
        one("seek in all texts", "idle", ("mail_search", json!({"text": "lantern"})), imap(&["text", "lantern"])),
        one("list the large one", "idle", ("mail_search", json!({"folder": "Large"})), Vec::new()),
        one("read the large one", "list the large one", ("mail_read", json!({"id": "$ID0"})), imap(&["read", "4"])),
        one("read a week", "idle", ("calendar_read", week.clone()), dav()),
        one("find free time", "idle", ("calendar_free", week), dav()),
    ]
}

fn scripts(questions: &[Question]) -> Vec<Script> {
    let call = |question: &Question| Turn::call(question.call.0, question.call.1.clone());
    let script = |words: &str, turns| Script { task_contains: words.into(), turns, ..Script::default() };
    let each = questions.iter().map(|question| {
        let before = questions.iter().find(|other| other.words == question.before).map(call);
        let turns = before.into_iter().chain([call(question), Turn::say("ok")]).collect();
        script(question.words, turns)
    });
    each.chain([script("idle", vec![Turn::say("ok")])]).collect()
}

fn measure(folder: &Path, python: &Path, mails: usize) -> Result<(), String> {
    fs::create_dir_all(folder.join("c")).map_err(failed)?;
    // Nobody signs in with tokens here, and nothing is sent: the ports of both are the discard service's.
    let mail = MailServer::start(&folder.join("d"), 9, 9)?;
    eprintln!("Writing {mails} mails and {CALENDARS} calendars");
    fill(&mail, folder, mails)?;
    let server = CalendarServer::start(&folder.join("c"))?;
    let urls = calendars(&server, folder)?;
    let questions = questions(&mail, &urls);
    let provider = Provider::start(scripts(&questions)).map_err(failed)?;
    let program = std::env::current_exe().map_err(failed)?.parent().and_then(Path::parent).map(Path::to_path_buf);
    let program = program.ok_or("no target folder")?.join("release/bailey");
    let mut home = Home { program, folder: folder.into(), serving: None };
    home.ok(&["setup"], PASSPHRASE)?;
    let config = format!(
        "[model]\nkind = \"openai-chat\"\nbase_url = \"{}\"\nname = \"scripted\"\n[home]\nhold_seconds = 0\ncertificate_authorities = \"{}\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n",
        provider.base_url(),
        mail.authority().display()
    );
    fs::write(folder.join("home/config.toml"), config).map_err(failed)?;
    home.serve()?;
    let secrets = format!("{PASSPHRASE}\n{APP_PASSWORD}");
    let imap = format!("localhost:{}", mail.imaps_port);
    eprintln!("Connecting the mailbox and {CONNECTED} calendars");
    home.ok(&["connect", "mail", ACCOUNT, "--level", "read-only", "--imap", &imap, "--app-password"], &secrets)?;
    for (n, url) in urls.iter().take(CONNECTED).enumerate() {
        home.ok(&["connect", "calendar", url, "--user", ACCOUNT, "--name", &format!("cal{n}")], &secrets)?;
    }
    let over = table(&home, python, &questions)?;
    if over.is_empty() { Ok(()) } else { Err(format!("over what is wanted: {}", over.join(", "))) }
}

/// Asks each question of both in turns, prints the table, and gives what is over.
fn table(home: &Home, python: &Path, questions: &[Question]) -> Result<Vec<String>, String> {
    let mut over = Vec::new();
    let settle = |question: &Question| {
        let mut reference = question.reference.clone();
        reference.truncate(FIXED);
        reference.push("settle".into());
        reference
    };
    if let Some(first) = questions.first() {
        let script = root().join("xtask/servers/reference.py");
        run(command(python).arg(script).args(settle(first)).stdout(Stdio::null()))?;
    }
    let reference = |question: &Question| -> Result<f64, String> {
        let mut asked = command(python);
        asked.arg(root().join("xtask/servers/reference.py")).args(&question.reference);
        let output = asked.stderr(Stdio::inherit()).output().map_err(failed)?;
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .map_err(|_| format!("no reference for {}", question.words))
    };
    println!("| tool, p50 of {RUNS} | figure | reference of the same run | comes to |\n|---|---|---|---|");
    for question in questions.iter().filter(|question| !question.reference.is_empty()) {
        // Servers build their indexes at the first look.
        reference(question)?;
        home.task(question.words)?;
        let (mut with, mut without, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            without.push(home.task(question.before)?);
            with.push(home.task(question.words)?);
            theirs.push(reference(question)?);
        }
        let (ours, theirs) = ((median(with) - median(without)).max(0.0), median(theirs));
        let times = ours / theirs;
        println!(
            "| `{}` {} | {:.0} ms | {:.0} ms | {times:.2} × |",
            question.call.0,
            question.call.1,
            ours * 1e3,
            theirs * 1e3
        );
        if times > MOST_TIMES {
            over.push(format!("{} ({times:.2} ×)", question.words));
        }
    }
    let peak = home.peak()?;
    println!("| most memory the home ever had | {peak:.1} MiB | {MOST_MIB:.0} MiB is what is wanted | |");
    if peak > MOST_MIB {
        over.push(format!("memory ({peak:.1} MiB)"));
    }
    Ok(over)
}
