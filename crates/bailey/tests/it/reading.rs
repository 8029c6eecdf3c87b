//! Reading mail as it is in the world: any letters, folders of any name, many pages, text behind large files, servers with habits.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use bailey_scripted::Turn;
use serde_json::{Value, json};
use xtask::servers;

use crate::support::{Account, PASSPHRASE, World};

fn mail(from: &str, subject: &str, more: &str, body: &str) -> String {
    format!(
        "From: {from}\r\nTo: {}\r\nSubject: {subject}\r\nMessage-ID: <{}@example.org>\r\n{more}\r\n{body}\r\n",
        servers::ACCOUNT,
        subject.len()
    )
}

/// What each call of the last task gave, in order.
fn results(world: &World) -> Vec<String> {
    let request: Value = serde_json::from_slice(&world.provider.requests().pop().unwrap()).unwrap();
    let messages = request["messages"].as_array().unwrap().clone();
    let told = messages.iter().filter(|message| message["role"] == "tool");
    told.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

fn subjects(result: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(result).unwrap_or_else(|_| panic!("{result}"));
    let messages = value["messages"].as_array().unwrap_or_else(|| panic!("{result}"));
    messages.iter().map(|message| message["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn mail_is_searched_in_any_letters_and_folders_of_any_name_are_opened() {
    let call = |tool: &str, arguments: Value| Turn::call(tool, arguments);
    let account = Account::new(
        vec![
            call("mail_folders", json!({})),
            call("mail_search", json!({"text": "Grüße"})),
            call("mail_search", json!({"from": "Müller", "subject": "Köln"})),
            call("mail_search", json!({"subject": "say \"hi\""})),
            call("mail_search", json!({"folder": "Kunden/Müller"})),
            call("mail_read", json!({"id": "$ID0"})),
            call("mail_search", json!({"folder": "50% off"})),
            call("mail_search", json!({"folder": "not there"})),
            Turn::say("read"),
        ],
        300,
    );
    let plain = "Content-Type: text/plain; charset=utf-8\r\n";
    account.server.deliver("", "1", &mail("a@example.org", "one", plain, "viele Grüße")).unwrap();
    account
        .server
        .deliver(
            "",
            "2",
            &mail("=?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <j@example.org>", "=?utf-8?Q?Nach_K=C3=B6ln?=", plain, "x"),
        )
        .unwrap();
    account.server.deliver("", "3", &mail("a@example.org", "say \"hi\" now", plain, "x")).unwrap();
    account
        .server
        .deliver(
            "Kunden.M&APw-ller",
            "4",
            &mail("\"Doe, Jane\" <jane@example.org>", "in a folder", plain, "of a customer"),
        )
        .unwrap();
    account.server.deliver("50% off", "5", &mail("a@example.org", "half price", plain, "x")).unwrap();
    account.with_password("read-only");
    account.world.task("look");
    let told = results(&account.world);
    assert!(
        told[0].contains("Kunden/Müller") && told[0].contains("50% off") && told[0].contains("what the person sent"),
        "{}",
        told[0]
    );
    assert_eq!(subjects(&told[1]), ["one"]);
    assert_eq!(subjects(&told[2]), ["Nach Köln"]);
    assert_eq!(subjects(&told[3]), ["say \"hi\" now"]);
    assert_eq!(subjects(&told[4]), ["in a folder"]);
    let read: Value = serde_json::from_str(&told[5]).unwrap();
    assert_eq!(read["from"], json!([{"name": "Doe, Jane", "address": "jane@example.org"}]));
    assert_eq!((read["text"].as_str(), read["unread"].as_bool()), (Some("of a customer"), Some(true)));
    assert_eq!(subjects(&told[6]), ["half price"]);
    assert!(told[7].contains("not there") && told[7].contains("cannot be opened"), "{}", told[7]);
}

#[test]
fn what_lies_behind_the_newest_is_listed_page_by_page() {
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::call("mail_search", json!({"skip": 20})),
        Turn::call("mail_search", json!({"skip": "40"})),
        Turn::say("read"),
    ];
    let account = Account::new(turns, 300);
    for number in 0..45 {
        account
            .server
            .deliver("", &format!("{number:02}"), &mail("a@example.org", &format!("number {number:02}"), "", "x"))
            .unwrap();
    }
    account.with_password("read-only");
    account.world.task("look");
    let told = results(&account.world);
    let all: Vec<String> = told.iter().flat_map(|page| subjects(page)).collect();
    assert_eq!(all.len(), 45);
    let mut sorted = all.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), 45, "{all:?}");
    let pages: Vec<Value> = told.iter().map(|page| serde_json::from_str(page).unwrap()).collect();
    assert_eq!(
        (pages[0]["found"].as_u64(), pages[0]["more"].as_u64(), pages[0]["next"]["skip"].as_u64()),
        (Some(45), Some(25), Some(20))
    );
    assert_eq!((pages[2]["more"].as_u64(), pages[2].get("next")), (Some(0), None));
}

#[test]
fn text_behind_thirty_megabytes_is_read_and_files_by_their_parts() {
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::calls(vec![
            ("mail_read", json!({"id": "$ID0"})),
            ("mail_attachment", json!({"id": "$ID0", "part": "4"})),
            ("mail_attachment", json!({"id": "$ID0", "part": "1"})),
            ("mail_attachment", json!({"id": "$ID0", "part": "9"})),
            ("mail_read", json!({"id": "$ID0", "from": "10000"})),
        ]),
        Turn::say("read"),
    ];
    let account = Account::new(turns, 300);
    let line = format!("{}\r\n", "A".repeat(76));
    let picture = line.repeat(30 * 1024 * 1024 / line.len());
    let long: String = (0..600).map(|number| format!("the river runs along line {number}\r\n")).collect();
    let body = format!(
        "--b\r\nContent-Type: image/jpeg; name=big.jpg\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: inline; filename=big.jpg\r\n\r\n{picture}\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBEHIND the picture\r\n{long}\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: eve@example.org\r\nSubject: forwarded\r\n\r\nFORWARDED words\r\n\
        --b\r\nContent-Type: text/csv; name=\"=?utf-8?Q?Gr=C3=BC=C3=9Fe.csv?=\"\r\nContent-Disposition: attachment\r\n\r\nitem;price\r\ntea;3,50\r\n--b--"
    );
    let whole =
        mail("a@example.org", "big", "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n", &body);
    account.server.deliver("", "1", &whole).unwrap();
    account.with_password("read-only");
    account.world.task("read it");
    let told = results(&account.world);
    let read: Value = serde_json::from_str(&told[1]).unwrap();
    let text = read["text"].as_str().unwrap();
    assert!(
        text.contains("[picture: big.jpg]") && text.contains("BEHIND the picture") && text.contains("along line 300"),
        "{text}"
    );
    assert_eq!(read["text_was_cut"], true);
    assert_eq!(read["read_on"]["from"], 10_000);
    let files = read["attachments"].as_array().unwrap();
    let names: Vec<&str> = files.iter().filter_map(|file| file["name"].as_str()).collect();
    assert_eq!(names, ["big.jpg", "Grüße.csv"]);
    assert!(files[0]["about_size"].as_u64().unwrap() > 20_000_000, "{files:?}");
    let [csv, large, none, on] = &told[2..] else { panic!("{told:?}") };
    assert!(csv.contains("item;price\\ntea;3,50") && csv.contains("sha256"), "{csv}");
    assert!(large.contains("no_text"), "{large}");
    assert!(none.contains("no part 9"), "{none}");
    assert!(
        on.contains("along line 599") && on.contains("FORWARDED words") && on.contains("Subject: forwarded"),
        "{on}"
    );
    assert!(!on.contains("BEHIND"), "{on}");
}

#[test]
fn files_of_every_kind_are_read_or_said_to_hold_nothing() {
    let read = |part: &str| ("mail_attachment", json!({"id": "$ID0", "part": part}));
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::calls(vec![read("1"), read("2"), read("3"), read("4")]),
        Turn::say("read"),
    ];
    let account = Account::new(turns, 300);
    let content = "BT /F1 10 Tf 0 700 Td (The invoice is) Tj 0 -12 Td (due on Friday) Tj ET";
    let pdf = format!(
        "%PDF-1.4\n1 0 obj << /Pages 2 0 R >> endobj\n2 0 obj << /Kids [3 0 R] >> endobj\n3 0 obj << /Type /Page /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >> endobj\n4 0 obj << /Length {} >>\nstream\n{content}\nendstream endobj\n5 0 obj << /Subtype /Type1 >> endobj\ntrailer << /Root 1 0 R >>",
        content.len()
    );
    let tnef = [
        [0x78, 0x9f, 0x3e, 0x22, 1, 0].as_slice(),
        &[2, 2, 0x90, 6, 0, 0, 0, 0, 0, 0, 0],
        &[2, 0x10, 0x80, 1, 0, 6, 0, 0, 0],
        b"A.PDF\0\0\0",
    ]
    .concat();
    let scan =
        b"%PDF-1.4\n1 0 obj << /Pages 2 0 R >> endobj\n2 0 obj << /Type /Page >> endobj\ntrailer << /Root 1 0 R >>";
    let part = |media: &str, name: &str, bytes: &[u8]| {
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
        let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!(
            "--b\r\nContent-Type: {media}\r\nContent-Disposition: attachment; filename={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        )
    };
    let body = [
        part("application/pdf", "invoice.pdf", pdf.as_bytes()),
        part("text/rtf", "notes.rtf", br"{\rtf1\ansi Bring \'fcber 5\par}"),
        part("application/ms-tnef", "winmail.dat", &tnef),
        part("application/pdf", "scan.pdf", scan),
    ]
    .concat();
    let header = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";
    account.server.deliver("", "1", &mail("a@example.org", "files", header, &format!("{body}--b--"))).unwrap();
    account.with_password("read-only");
    account.world.task("read it");
    let told = results(&account.world);
    let [pdf, rtf, tnef, scan] = &told[1..] else { panic!("{told:?}") };
    assert!(pdf.contains("The invoice is\\ndue on Friday") && pdf.contains("sha256"), "{pdf}");
    assert!(rtf.contains("Bring über 5"), "{rtf}");
    assert!(tnef.contains("A.PDF (0 bytes)") && tnef.contains("named, and not read"), "{tnef}");
    assert!(scan.contains("no_text") && scan.contains("scan.pdf") && scan.contains("\"size\":"), "{scan}");
}

/// A page of a long mail, and a long subject in a list, end within a secret.
#[test]
fn a_secret_that_a_tool_would_cut_is_kept_back_whole() {
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::calls(vec![
            ("mail_read", json!({"id": "$ID0"})),
            ("mail_read", json!({"id": "$ID0", "from": "10000"})),
            ("mail_read", json!({"id": "$ID0", "from": "10004"})),
        ]),
        Turn::say("read"),
    ];
    let account = Account::new(turns, 300);
    let secret = "my password: limonata2024! today";
    let subject = format!("{}{secret} {}", "line 12 ".repeat(122), "line 12 ".repeat(20));
    let text = format!("{}\r\n{secret}\r\n{}", "line 12\r\n".repeat(1_248), "line 12\r\n".repeat(300));
    account.server.deliver("", "1", &mail("a@example.org", &subject, "", &text)).unwrap();
    account.with_password("read-only");
    account.world.task("read it");
    let told = results(&account.world);
    assert_eq!(told.len(), 4, "{told:?}");
    for told in &told {
        assert!(told.contains("my password: [password k") || told.contains("line 12\\nline 12"), "{told}");
        assert!(!told.contains("limo") && !told.contains("2024!") && !told.contains("nata"), "{told}");
    }
    assert!(told[1].contains("read_on") && told[0].contains("line 12 my password: [password"), "{told:?}");
}

/// How a double behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Wants a name first, tells of a message in several answers, searches in ASCII alone.
    Particular,
    /// Lets nobody in, and says why.
    Closed,
    /// Knows no moving; copies.
    Copies,
    /// Knows no moving, and refuses to copy.
    RefusesToCopy,
    /// Knows no moving; copies, and gives this answer to a command behind it, or breaks off where it is none.
    CopiesBut(&'static str, &'static str),
    /// Has a folder of sent mail, and searches in none.
    RefusesToSearch,
}

const HEADER: &str =
    "From: =?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <j@example.org>\r\nSubject: double\r\nMessage-ID: <d@example.org>\r\n\r\n";

/// **A double** of a mail server with one message; it says only what these tests need. Gives its address, and what it was asked.
fn server(habit: Habit) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = std::sync::Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let heard = std::sync::Arc::clone(&heard);
            thread::spawn(move || drop(session(stream, habit, &heard)));
        }
    });
    (address, asked)
}

fn session(mut stream: TcpStream, habit: Habit, heard: &std::sync::Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"* OK double\r\n")?;
    let mut introduced = habit != Habit::Particular;
    while let Some(line) = lines.next().transpose()? {
        heard.lock().unwrap().push(line.clone());
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        let header = format!("BODY[HEADER]<0> {{{}}}\r\n{HEADER}", HEADER.len());
        let whole = format!("{HEADER}the words");
        if let Habit::CopiesBut(told, answer) = habit
            && command.starts_with(told)
        {
            if answer.is_empty() {
                return Ok(());
            }
            stream.write_all(format!("{tag} {answer}\r\n").as_bytes())?;
            continue;
        }
        let answer = match command.split(' ').next().unwrap_or_default() {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 ID UIDPLUS\r\n{tag} OK\r\n"),
            "LOGIN" if habit == Habit::Closed => {
                format!("{tag} NO [ALERT] Switch on IMAP at https://mail.example/settings first\r\n")
            }
            "ID" => {
                introduced = true;
                format!("* ID (\"name\" \"double\")\r\n* XODD (unasked \"words\r\n{tag} OK\r\n")
            }
            "EXAMINE" | "SELECT" if !introduced => format!("{tag} NO Unsafe Login. Please contact the hotline\r\n"),
            "EXAMINE" | "SELECT" => format!("* 1 EXISTS\r\n* OK [UIDVALIDITY 5] ok\r\n{tag} OK\r\n"),
            "LIST" if habit == Habit::RefusesToSearch => format!("* LIST (\\Sent) \"/\" Sent\r\n{tag} OK\r\n"),
            "UID" if habit == Habit::RefusesToSearch => format!("{tag} NO [UNAVAILABLE] no searching today\r\n"),
            "LIST" => {
                format!("* LIST () \"/\" INBOX\r\n* LIST () \"/\" \"Kunden/M&APw-ller\"\r\n{tag} OK\r\n")
            }
            "UID" if command.contains("CHARSET") => format!("{tag} NO [BADCHARSET (US-ASCII)] no such charset\r\n"),
            "UID" if command.starts_with("UID SEARCH") => format!("* SEARCH 7\r\n{tag} OK\r\n"),
            "UID" if command.contains("RFC822.SIZE") => format!(
                "* 1 FETCH (UID 7 FLAGS (\\Seen \\Answered))\r\n* 1 FETCH (RFC822.SIZE {})\r\n* 1 FETCH (UID 7 {header})\r\n{tag} OK\r\n",
                whole.len()
            ),
            "UID" if command.contains("BODY.PEEK[HEADER]") => {
                format!(
                    "* 1 FETCH (UID 7 {header})\r\n* 9 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (FLAGS (\\Seen \\Answered))\r\n{tag} OK\r\n"
                )
            }
            "UID" if command.contains("BODY.PEEK[]") => {
                format!("* 1 FETCH (UID 7 BODY[]<0> {{{}}}\r\n{whole})\r\n{tag} OK\r\n", whole.len())
            }
            "UID" if command.starts_with("UID COPY") && habit == Habit::RefusesToCopy => {
                format!("{tag} NO over quota\r\n")
            }
            "LOGOUT" => format!("* BYE\r\n{tag} OK\r\n"),
            _ => format!("{tag} OK\r\n"),
        };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// **A double** that lets anybody sign in and takes no mail. Gives its address.
fn submission() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let session = |mut stream: TcpStream| -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        stream.write_all(b"220 double\r\n")?;
        while let Some(line) = lines.next().transpose()? {
            let said: &[u8] = match line.split(' ').next().unwrap_or_default() {
                "EHLO" => b"250-double\r\n250 AUTH PLAIN\r\n",
                "AUTH" => b"235 ok\r\n",
                _ => b"250 ok\r\n",
            };
            stream.write_all(said)?;
        }
        Ok(())
    };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || drop(session(stream)));
        }
    });
    address
}

fn connect(world: &World, address: &str, level: &str) {
    let to_send = submission();
    let mut arguments =
        vec!["connect", "mail", "me@example.org", "--no-tls", "--level", level, "--app-password", "--imap", address];
    if level == "full" {
        arguments.extend(["--submission", &to_send]);
    }
    world.ok(&arguments, &format!("{PASSPHRASE}\npassword"));
}

#[test]
fn a_mail_server_with_habits_is_read_all_the_same() {
    let turns = vec![
        Turn::call("mail_search", json!({"from": "Müller"})),
        Turn::call("mail_read", json!({"id": "$ID0"})),
        Turn::call("mail_search", json!({"text": "Köln"})),
        Turn::say("read"),
    ];
    let mut world = World::bare(turns, 0);
    world.serve();
    connect(&world, &server(Habit::Particular).0, "read-only");
    world.task("look");
    let told = results(&world);
    let found: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(subjects(&told[0]), ["double"]);
    assert_eq!(
        (found["messages"][0]["unread"].as_bool(), found["messages"][0]["answered"].as_bool()),
        (Some(false), Some(true)),
        "{found:#}"
    );
    assert!(found["note"].as_str().unwrap().contains("no such charset"), "{found:#}");
    let read: Value = serde_json::from_str(&told[1]).unwrap();
    assert_eq!((read["text"].as_str(), read["answered"].as_bool()), (Some("the words"), Some(true)), "{read:#}");
    assert_eq!(subjects(&told[2]), Vec::<String>::new());
}

#[test]
fn a_server_that_lets_nobody_in_is_told_in_its_own_words() {
    let mut world = World::bare(vec![], 0);
    world.serve();
    let address = server(Habit::Closed).0;
    let arguments =
        ["connect", "mail", "me@example.org", "--no-tls", "--level", "read-only", "--app-password", "--imap", &address];
    let (_, said) = world.fails(&arguments, &format!("{PASSPHRASE}\npassword"));
    assert!(said.contains("Switch on IMAP at https://mail.example/settings first"), "{said}");
    assert!(!said.contains("taken back") && !said.contains("Some("), "{said}");
}

/// Nothing found and nothing searched are two things: else whom the person wrote to would count as unknown from then on.
#[test]
fn a_server_that_refuses_to_search_is_connected_and_not_taken_for_one_with_nothing_sent() {
    let mut world = World::bare(vec![], 0);
    world.serve();
    let address = server(Habit::RefusesToSearch).0;
    let arguments =
        ["connect", "mail", "me@example.org", "--no-tls", "--level", "read-only", "--app-password", "--imap", &address];
    world.ok(&arguments, &format!("{PASSPHRASE}\npassword"));
    let said = world.ok(&["connections"], "");
    let why = "its sent mail could not be looked at, so nobody counts as known by it";
    assert!(said.contains(why) && said.contains("[UNAVAILABLE] no searching today"), "{said}");
}

/// Approves one move at a server; gives what came of it, and what the server was asked.
fn moved(habit: Habit, state: &str) -> (Value, Vec<String>) {
    let turns = vec![
        Turn::call("mail_search", json!({})),
        Turn::call("mail_move", json!({"id": "$ID0", "folder": "Kunden/Müller"})),
        Turn::say("moved"),
    ];
    let mut world = World::bare(turns, 0);
    world.serve();
    let (address, asked) = server(habit);
    connect(&world, &address, "full");
    let task = world.task("move the mail away");
    let action = task["actions"].as_array().unwrap()[1]["id"].as_str().unwrap().to_owned();
    world.ok(&["approve", &action], PASSPHRASE);
    let card = world.until(&action, state);
    let asked = asked.lock().unwrap().iter().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect();
    (card, asked)
}

#[test]
fn a_server_that_cannot_move_copies_and_removes_or_refuses() {
    for (habit, state) in [(Habit::Copies, "succeeded"), (Habit::RefusesToCopy, "failed")] {
        let (card, asked) = moved(habit, state);
        let changes: Vec<&str> = asked
            .iter()
            .map(String::as_str)
            .filter(|line| {
                ["UID COPY", "UID STORE", "UID EXPUNGE", "EXPUNGE"].iter().any(|verb| line.starts_with(verb))
            })
            .collect();
        let copy = "UID COPY 7 \"Kunden/M&APw-ller\"";
        if state == "succeeded" {
            assert_eq!(changes, [copy, "UID STORE 7 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 7"]);
        } else {
            assert_eq!(changes, [copy]);
            assert!(card["outcome"].as_str().unwrap().contains("over quota"), "{card:#}");
        }
    }
}

#[test]
fn a_copy_that_is_not_removed_is_told_as_far_as_the_server_said() {
    for (told, answer, words) in [
        ("UID STORE", "NO read only", "is still where it was: the server refused; it says: `read only`"),
        ("UID STORE", "", "is still where it was, perhaps marked as deleted there"),
        (
            "UID EXPUNGE",
            "NO not now",
            "is marked as deleted where it was, so that any mail program may remove it there",
        ),
        ("UID EXPUNGE", "", "is marked as deleted where it was, or removed there already"),
    ] {
        let (card, _) = moved(Habit::CopiesBut(told, answer), "partial");
        let said = card["outcome"].as_str().unwrap();
        assert!(said.starts_with("the mail was copied to Kunden/Müller") && said.contains(words), "{told}: {said}");
    }
}
