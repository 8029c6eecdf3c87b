//! A mail server that means harm.
//!
//! **The servers are doubles** that say what no mail server says. What real ones say is tried in `accounts.rs`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::support::{PASSPHRASE, World, id, send};
use bailey_scripted::Turn;

/// A server whose sessions are each this; gives its address.
fn server(session: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + Copy + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // However the home ends it, it is over.
            thread::spawn(move || drop(session(stream)));
        }
    });
    address
}

/// Lets anybody in, and answers the question for folders with this, again and again.
fn mailbox(mut stream: TcpStream, begin: &str, again: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"* OK double\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let tag = line.split(' ').next().unwrap_or_default().to_owned();
        if line.contains(" LIST ") {
            stream.write_all(begin.as_bytes())?;
            let again = again.repeat(1_000);
            loop {
                stream.write_all(again.as_bytes())?;
            }
        }
        stream.write_all(format!("{tag} OK\r\n").as_bytes())?;
    }
    Ok(())
}

/// The most memory the home's process ever had, in MiB.
fn peak(world: &World) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.child("home-process"))).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1_024
}

#[test]
fn a_mail_server_that_means_harm_ends_its_connection_and_not_the_home() {
    let mut world = World::bare(vec![], 0);
    world.serve();
    let (home, before) = (world.child("home-process"), peak(&world));
    let connect = |address: &str| {
        let arguments =
            ["connect", "mail", "me@example.org", "--no-tls", "--level", "read-only", "--app-password", "--imap"];
        let (_, why) = world.fails(&[&arguments[..], &[address]].concat(), &format!("{PASSPHRASE}\npassword"));
        assert_eq!(world.child("home-process"), home, "the home ended");
        why
    };
    let nested = connect(&server(|stream| mailbox(stream, "* 1 FETCH (BODYSTRUCTURE ", "(")));
    assert!(nested.contains("no end"), "{nested}");
    let announced = connect(&server(|stream| mailbox(stream, "* LIST () \"/\" {500000000}\r\n", "x")));
    assert!(announced.contains("announces more"), "{announced}");
    let often = connect(&server(|stream| mailbox(stream, "", "* LIST () \"/\" x\r\n")));
    assert!(often.contains("more often"), "{often}");
    // Nothing is wrong with each of these, but that they would be read again with each that comes.
    let long = connect(&server(|stream| mailbox(stream, "* 1 FETCH (", "BODY[] {0}\r\n ")));
    assert!(long.contains("cannot be read"), "{long}");
    // Words that the mail library cannot read: it looks for a blank behind the bracket.
    let odd = connect(&server(|stream| mailbox(stream, "* NO [ALERT]\u{e9}\r\n", "x")));
    assert!(odd.contains("cannot be read"), "{odd}");
    // Blocks of memory for the answers that are let through, and some for all else.
    let grown = peak(&world) - before;
    assert!(grown < 128, "{grown} MiB");
    assert!(world.data_of(&["connections"]).as_array().unwrap().is_empty());
}

/// Takes a mail, and never comes to an end of saying so.
fn talkative(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 double\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let said: &[u8] = if line == "DATA" { b"354 go on\r\n" } else { b"250 ok\r\n" };
        if line == "." {
            let again = "250-and\r\n".repeat(1_000);
            loop {
                stream.write_all(again.as_bytes())?;
            }
        }
        // What stands in the mail is no command.
        if !line.contains(": ") && !line.is_empty() && line.chars().next().is_some_and(|c| c.is_ascii_uppercase()) {
            stream.write_all(said)?;
        }
    }
    Ok(())
}

#[test]
fn an_answer_to_a_mail_that_has_no_end_is_no_answer() {
    let mut world = World::bare(vec![send("ana@example.org", "1", "one"), Turn::say("ok")], 0);
    world.serve();
    let address = server(talkative);
    world.ok(
        &["connect", "mail", "me@example.org", "--no-tls", "--level", "send", "--submission", &address],
        PASSPHRASE,
    );
    world.task("write");
    let mail = id(&world.waiting());
    let home = world.child("home-process");
    world.ok(&["approve", &mail], PASSPHRASE);
    let card = world.until(&mail, "needs-person");
    assert!(card["outcome"].as_str().is_some_and(|why| !why.is_empty()), "{card:#}");
    assert_eq!(world.child("home-process"), home, "the home hung over the answer and was started anew");
}
