//! Servers that take outgoing mail, with the quirks of the world.
//!
//! **The servers are doubles**: they say what real ones are known to say, and prove nothing about those. What a real one says is tried
//! in `accounts.rs` and `writing.rs`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use bailey_scripted::Turn;
use serde_json::Value;

use crate::support::{PASSPHRASE, World, id, send};

/// A server that answers as it is told, and keeps what it was told.
struct Double {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Double {
    /// `answer` gets the number of the session, from 0, and a line; where it says nothing, the usual is answered. The end of a message is
    /// the line `.`.
    fn start(answer: impl Fn(usize, &str) -> Option<&'static str> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (keep, answer) = (Arc::clone(&heard), Arc::new(answer));
        thread::spawn(move || {
            for (session, stream) in listener.incoming().flatten().enumerate() {
                let (keep, answer) = (Arc::clone(&keep), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut stream = stream;
                    let say = |stream: &mut std::net::TcpStream, text: &str| {
                        stream.write_all(format!("{text}\r\n").as_bytes())
                    };
                    if say(&mut stream, "220 double").is_err() {
                        return;
                    }
                    let mut in_data = false;
                    for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
                        if in_data && line != "." {
                            continue;
                        }
                        keep.lock().unwrap().push(line.clone());
                        let said = answer(session, &line).unwrap_or_else(|| usual(&line));
                        in_data = said.starts_with("354");
                        if say(&mut stream, said).is_err() || said.starts_with("221") {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn times(&self, line: &str) -> usize {
        self.heard().iter().filter(|heard| heard.starts_with(line)).count()
    }
}

fn usual(line: &str) -> &'static str {
    match line.split([' ', ':']).next().unwrap_or_default() {
        "EHLO" => "250-double\r\n250-PIPELINING\r\n250 SIZE 1000000",
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        _ => "250 ok",
    }
}

/// Connects an account that sends through a double; returns how that went.
fn connect(world: &World, double: &Double, password: bool) -> std::process::Output {
    let mut all =
        vec!["connect", "mail", "me@example.org", "--no-tls", "--level", "send", "--submission", &double.address];
    if password {
        all.push("--app-password");
    }
    world.run(&all, &format!("{PASSPHRASE}\nsecret-word"))
}

/// What became of a mail to these, sent through a double.
fn sent(double: &Double, to: &str, body: &str) -> (World, Value) {
    let mut world = World::bare(vec![send(to, "s", body), Turn::say("ok")], 0);
    world.serve();
    let output = connect(&world, double, false);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    world.task("write to ana@example.org and bo@example.org");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    World::until_true("the mail ends", || {
        !["approved", "held", "claimed"].contains(&action(&world, &card)["state"].as_str().unwrap())
    });
    let card = action(&world, &card);
    (world, card)
}

fn action(world: &World, card: &Value) -> Value {
    world.get(&format!("/v1/actions/{}", id(card)))
}

#[test]
fn a_greylisting_server_is_waited_for_before_anything_happened() {
    for at in ["RCPT", "MAIL", "DATA"] {
        // The first session is the one that tries the account out.
        let double = Double::start(move |session, line| {
            (session == 1 && line.starts_with(at)).then_some("451 4.7.1 Greylisted, please try again in 1 second")
        });
        let (_world, card) = sent(&double, "ana@example.org", "b");
        assert_eq!(card["state"], "succeeded", "{card:#}");
        let told = card["outcome"].as_str().unwrap();
        assert!(told.contains("at try 2") && told.contains("451 4.7.1 Greylisted"), "{told}");
        assert_eq!(double.times("."), 1, "once");
    }
}

#[test]
fn a_server_that_takes_plain_letters_alone_is_not_asked_for_more_and_nobody_is_asked() {
    let double = Double::start(|_, _| None);
    let mut world = World::bare(vec![send("j\u{f6}rg@example.org", "s", "b"), Turn::say("ok")], 0);
    world.serve();
    assert!(connect(&world, &double, false).status.success());
    let task = world.task("write to j\u{f6}rg@example.org");
    assert_eq!(task["state"], "answered", "{task:#}");
    let told = String::from_utf8(world.provider.requests().pop().unwrap()).unwrap();
    assert!(told.contains("does not take addresses with letters beyond plain ones"), "{told}");
    assert_eq!((double.times("MAIL"), double.times("DATA")), (0, 0), "{:?}", double.heard());
}

#[test]
fn a_server_that_takes_plain_letters_alone_is_asked_before_an_edit_is_taken() {
    let double = Double::start(|_, _| None);
    let mut world = World::bare(vec![send("ana@example.org", "s", "b"), Turn::say("ok")], 0);
    world.serve();
    assert!(connect(&world, &double, false).status.success());
    world.task("write to ana@example.org");
    let card = world.waiting();
    let path = format!("/v1/approvals/{}/edit", id(&card));
    let (status, answer) = world.post(&path, &serde_json::json!({"to": ["j\u{f6}rg@example.org"]}));
    assert_eq!(status, 422, "{answer:#}");
    assert!(answer.to_string().contains("does not take addresses with letters beyond plain ones"), "{answer:#}");
    assert_eq!(id(&world.waiting()), id(&card), "the mail waits as it was");
    let (status, answer) = world.post(&path, &serde_json::json!({"to": ["bo@example.org"]}));
    assert_eq!(status, 200, "{answer:#}");
}

#[test]
fn a_mail_that_was_handed_off_is_never_sent_again_whatever_the_server_says() {
    let double = Double::start(|_, line| (line == ".").then_some("451 4.3.0 try again later"));
    let (_world, card) = sent(&double, "ana@example.org", "b");
    assert_eq!(card["state"], "failed", "{card:#}");
    assert!(card["outcome"].as_str().unwrap().contains("451 4.3.0 try again later"), "{card:#}");
    assert_eq!(double.times("DATA"), 1);
}

#[test]
fn a_refused_recipient_is_named_and_the_other_has_the_mail() {
    let double = Double::start(|_, line| line.contains("bo@example.org").then_some("550 5.1.1 no such person"));
    let (_world, card) = sent(&double, "ana@example.org, bo@example.org", "b");
    assert_eq!(card["state"], "partial", "{card:#}");
    let told = card["outcome"].as_str().unwrap();
    assert!(told.contains("`bo@example.org` was refused (550 5.1.1 no such person)"), "{told}");
    assert!(told.contains("the other recipient has it") && !told.contains("Outcome"), "{told}");
    let double = Double::start(|_, line| line.starts_with("RCPT").then_some("550 5.7.1 not from here"));
    let (_world, card) = sent(&double, "ana@example.org, bo@example.org", "b");
    assert_eq!(card["state"], "not-executed", "{card:#}");
    let told = card["outcome"].as_str().unwrap();
    assert!(told.contains("`ana@example.org` was refused") && told.contains("`bo@example.org` was refused"), "{told}");
    assert_eq!(double.times("DATA"), 0);
}

#[test]
fn a_mail_larger_than_the_server_takes_is_not_even_begun() {
    let double = Double::start(|_, line| line.starts_with("EHLO").then_some("250-double\r\n250 SIZE 2000"));
    let (_world, card) = sent(&double, "ana@example.org", &"long ".repeat(1_000));
    assert_eq!(card["state"], "not-executed", "{card:#}");
    assert!(card["outcome"].as_str().unwrap().contains("the mail server takes 0.0 MB at most"), "{card:#}");
    assert_eq!(double.times("MAIL"), 0);
}

#[test]
fn strict_servers_are_greeted_by_a_real_name_and_old_ones_signed_in_to_step_by_step() {
    let double = Double::start(|_, line| match line {
        "EHLO example.org" => Some("250-double\r\n250-AUTH=LOGIN\r\n250 AUTH LOGIN"),
        "AUTH LOGIN" => Some("334 VXNlcm5hbWU6"),
        "bWVAZXhhbXBsZS5vcmc=" => Some("334 UGFzc3dvcmQ6"),
        "c2VjcmV0LXdvcmQ=" => Some("235 2.7.0 welcome"),
        line if line.starts_with("EHLO") => Some("504 5.5.2 need a fully qualified name"),
        line if line.starts_with("AUTH") => Some("504 5.5.4 unrecognised"),
        _ => None,
    });
    let mut world = World::bare(vec![], 0);
    world.serve();
    let output = connect(&world, &double, true);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(double.heard(), ["EHLO example.org", "AUTH LOGIN", "bWVAZXhhbXBsZS5vcmc=", "c2VjcmV0LXdvcmQ=", "QUIT"]);
    // One that wants the address of this end is given it.
    let double = Double::start(|_, line| line.starts_with("EHLO example").then_some("550 that is my own name"));
    assert!(connect(&world, &double, false).status.success());
    assert_eq!(double.heard(), ["EHLO example.org", "EHLO [127.0.0.1]", "QUIT"]);
}

#[test]
fn an_account_that_cannot_send_is_not_connected_to_send() {
    let refusing = |said: &'static str| {
        Double::start(move |_, line| match line {
            line if line.starts_with("EHLO") => Some("250-double\r\n250 AUTH PLAIN LOGIN"),
            line if line.starts_with("AUTH") => Some(said),
            _ => None,
        })
    };
    let mut world = World::bare(vec![], 0);
    world.serve();
    let why = |double: &Double| {
        let output = connect(&world, double, true);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let disabled =
        refusing("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant");
    let told = why(&disabled);
    assert!(told.contains("SmtpClientAuthentication is disabled") && !told.contains("secret-word"), "{told}");
    assert_eq!(disabled.times("MAIL"), 0);
    // What repeats the password is not told.
    let told = why(&refusing("535 5.7.8 wrong: AG1lQGV4YW1wbGUub3JnAHNlY3JldC13b3Jk"));
    assert!(told.contains("(535)") && !told.contains("AG1lQGV4"), "{told}");
    let none = Double::start(|_, line| line.starts_with("EHLO").then_some("250-double\r\n250 AUTH CRAM-MD5"));
    assert!(why(&none).contains("offers no way to sign in with a password"));
    assert!(world.data_of(&["connections"]).as_array().unwrap().is_empty());
}

#[test]
fn a_server_that_offers_no_starttls_is_told_no_password() {
    let mut world = World::bare(vec![], 0);
    world.serve();
    let connect = |double: &Double| {
        let submission = format!("starttls:{}", double.address);
        let all =
            ["connect", "mail", "me@example.org", "--level", "send", "--submission", &submission, "--app-password"];
        world.fails(&all, &format!("{PASSPHRASE}\nsecret-word")).1
    };
    let stripped = Double::start(|_, line| line.starts_with("EHLO").then_some("250-double\r\n250 AUTH PLAIN"));
    let told = connect(&stripped);
    assert!(told.contains("offers no STARTTLS"), "{told}");
    assert_eq!(stripped.heard(), ["EHLO example.org"]);
    // What somebody in between adds before the connection is secure is not believed (CVE-2011-0411).
    let injected = Double::start(|_, line| match line {
        line if line.starts_with("EHLO") => Some("250-double\r\n250 STARTTLS"),
        "STARTTLS" => Some("220 go on\r\n250-double\r\n250 AUTH PLAIN"),
        _ => None,
    });
    let told = connect(&injected);
    assert!(told.contains("more than it was asked"), "{told}");
    assert_eq!(injected.heard()[..2], ["EHLO example.org", "STARTTLS"]);
    assert!(injected.heard().iter().all(|line| !line.starts_with("AUTH")));
}
