//! The home's own names: TLS that ends in the home, what a gateway that was taken over can do about it, and who is let in at all.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use bailey_scripted::Turn;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use serde_json::Value;

use crate::support::{PASSPHRASE, Running, World, command, send};
use crate::webdriver::Browser;

const HOST: &str = "bailey.example.org";

/// A certificate of one's own for a host.
struct Own {
    chain: String,
    key: String,
    der: rustls::pki_types::CertificateDer<'static>,
    /// The SHA-256 of its public key, by which a browser is told to take it and no other.
    pin: String,
}

fn own(host: &str) -> Own {
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(vec![host.into()]).unwrap().self_signed(&key).unwrap();
    let pin = STANDARD.encode(digest(&SHA256, &rcgen::PublicKeyData::subject_public_key_info(&key)));
    Own { chain: made.pem(), key: key.serialize_pem(), der: made.der().clone(), pin }
}

/// Returns a port of this machine that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A world whose home speaks TLS for [`HOST`] at a port, with a certificate of its own.
fn world(turns: Vec<Turn>) -> (World, Own, u16) {
    let mut world = World::bare(turns, 0);
    let (port, own) = (free_port(), own(HOST));
    let (chain, key) = (world.data().join("chain.pem"), world.data().join("key.pem"));
    fs::write(&chain, &own.chain).unwrap();
    fs::write(&key, &own.key).unwrap();
    let path = world.data().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let gateway = format!(
        "names = [\"https://{HOST}:{port}\"]\ntls_listen = \"127.0.0.1:{port}\"\ncertificate = \"{}\"\nkey = \"{}\"\n",
        chain.display(),
        key.display()
    );
    fs::write(&path, format!("{text}{gateway}")).unwrap();
    world.serve();
    world.connect("send");
    (world, own, port)
}

/// A real browser that finds [`HOST`] at a port of this machine, and takes one key for it.
fn browser(own: &Own, at: u16) -> Browser {
    Browser::start_with(&[
        format!("--host-resolver-rules=MAP {HOST} 127.0.0.1:{at}"),
        format!("--ignore-certificate-errors-spki-list={}", own.pin),
    ])
}

/// Lets a browser in over TLS.
fn let_in(world: &World, browser: &Browser) {
    let link: Value = serde_json::from_str(&world.ok(&["dashboard", "--json"], PASSPHRASE)).unwrap();
    let url = link["urls"][0].as_str().unwrap();
    assert!(url.starts_with("https://"), "{url}");
    browser.open(url);
    browser.click("form[data-create] button");
    browser.until("return location.pathname === '/talk' || !!document.querySelector('#codes li')");
}

/// A gateway that was taken over: it keeps every byte that passes, and passes it on.
fn taken_over(socket: std::path::PathBuf) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(browser), Ok(home)) = (stream, UnixStream::connect(&socket)) else { continue };
            let mut first = home.try_clone().unwrap();
            first.write_all(&said_from(7)).unwrap();
            let (mut from, mut to) = (browser.try_clone().unwrap(), home.try_clone().unwrap());
            let keeps = Arc::clone(&kept);
            std::thread::spawn(move || {
                pass(&mut from, &mut to, &keeps, |to| drop(to.shutdown(std::net::Shutdown::Write)))
            });
            let (mut from, mut to, keeps) = (home, browser, Arc::clone(&kept));
            std::thread::spawn(move || {
                pass(&mut from, &mut to, &keeps, |to| drop(to.shutdown(std::net::Shutdown::Write)))
            });
        }
    });
    (port, seen)
}

/// What a gateway says of who connected.
fn said_from(last: u8) -> Vec<u8> {
    let address = |last| [[0; 10].as_slice(), &[0xff, 0xff, 192, 0, 2, last]].concat();
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x24".as_slice(), &address(last), &address(1), &[0x0f, 0xa0, 0x01, 0xbb]]
        .concat()
}

fn pass<W: std::io::Write>(from: &mut impl std::io::Read, to: &mut W, seen: &Mutex<Vec<u8>>, end: impl FnOnce(&W)) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut bytes) {
        if count == 0 || to.write_all(&bytes[..count]).is_err() {
            break;
        }
        seen.lock().unwrap().extend_from_slice(&bytes[..count]);
    }
    end(to);
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// Asks the home over TLS, as a program that takes this certificate does; gives the whole answer, or why there is none.
fn ask(own: &Own, mut stream: impl std::io::Read + std::io::Write, request: &str) -> Result<String, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.der.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = rustls::ClientConnection::new(Arc::new(config), ServerName::try_from(HOST).unwrap()).unwrap();
    let mut tls = rustls::Stream::new(&mut client, &mut stream);
    tls.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let read = tls.read_to_end(&mut answer);
    match read {
        Err(error) if answer.is_empty() => Err(error.to_string()),
        _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
    }
}

#[test]
fn a_person_signs_in_and_approves_over_tls() {
    let (world, own, port) = world(vec![send("ana@example.org", "Tuesday", "Yes."), Turn::say("It is sent.")]);
    let browser = browser(&own, port);
    let_in(&world, &browser);
    world.task("answer ana@example.org about Tuesday");
    world.waiting();
    browser.open(&format!("https://{HOST}:{port}/approvals"));
    assert_eq!(browser.run("return isSecureContext && location.protocol"), "https:");
    // Out of reach of scripts; its name alone makes browsers insist on TLS and on this very host.
    assert_eq!(browser.run("return document.cookie"), "");
    browser.click("article.card input[type=checkbox][required]");
    browser.click("article.card form[data-touch='/v1/approvals/approve'] button");
    World::until_true("the mail is not sent", || world.sink.arrived().len() == 1);
    browser.open(&format!("https://{HOST}:{port}/settings"));
    assert!(browser.text().contains("Names and certificate"), "{}", browser.text());
    assert!(browser.text().contains("it counts"), "{}", browser.text());
    let names = world.data_of(&["names"]);
    assert_eq!(names["certificate"]["state"], "counts", "{names}");
    assert_eq!(names["origins"][0], format!("https://{HOST}:{port}"));
}

#[test]
fn a_gateway_that_was_taken_over_reads_changes_and_keeps_nothing_of_what_comes_by_tls() {
    let (world, own, port) = world(vec![send("ana@example.org", "Tuesday", "Yes, gladly."), Turn::say("It is sent.")]);
    let (there, seen) = taken_over(world.data().join("run/tls.sock"));
    let browser = browser(&own, there);
    let_in(&world, &browser);
    world.task("answer ana@example.org about Tuesday");
    let card = world.waiting();
    browser.open(&format!("https://{HOST}:{port}/approvals"));
    assert!(browser.text().contains("Yes, gladly."));
    // All of it passed by, and none of it can be read.
    let bytes = seen.lock().unwrap().clone();
    assert!(bytes.len() > 10_000, "{}", bytes.len());
    assert!(holds(&bytes, HOST), "the name that is asked for is all it sees");
    for words in ["gladly", "__Host-bailey", "ana@example.org", "Set-Cookie", "sec-fetch-site", "GET /"] {
        assert!(!holds(&bytes, words), "`{words}` passed in the open");
    }
    // It can say all of it again: nothing of it counts a second time.
    let mut again = UnixStream::connect(world.data().join("run/tls.sock")).unwrap();
    let (mut replayed, before) = (said_from(9), world.data_of(&["approvals"]));
    replayed.extend(&bytes);
    let _ = again.write_all(&replayed);
    let _ = again.shutdown(std::net::Shutdown::Write);
    let _ = again.read_to_end(&mut Vec::new());
    assert_eq!(world.data_of(&["approvals"]), before);
    // A certificate of its own is one that no browser of the person's takes.
    let other = self::own(HOST);
    let port_of_home = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let told = ask(&other, port_of_home, "GET /sign-in HTTP/1.1\r\n\r\n").unwrap_err();
    assert!(told.contains("certificate"), "{told}");
    // At the other socket, which it fills as it likes, nothing counts for a name whose pages come by TLS.
    let mut plain = UnixStream::connect(world.data().join("run/home.sock")).unwrap();
    let request = format!(
        "POST /v1/sessions/challenge HTTP/1.1\r\nhost: {HOST}:{port}\r\norigin: https://{HOST}:{port}\r\nsec-fetch-site: same-origin\r\nbailey-gateway: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    plain.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(world.sink.arrived().is_empty(), "{card}");
}

#[test]
fn a_session_counts_at_the_door_it_was_made_at_and_at_no_other() {
    let (world, own, port) = world(Vec::new());
    let browser = browser(&own, port);
    let_in(&world, &browser);
    let cookie = browser.cookie("__Host-bailey");
    let head = |host: &str, name: &str| {
        format!(
            "GET /v1/status HTTP/1.1\r\nhost: {host}\r\nsec-fetch-site: same-origin\r\nconnection: close\r\ncookie: {name}={cookie}\r\n\r\n"
        )
    };
    let named = format!("{HOST}:{port}");
    let by_tls = |request: &str| ask(&own, TcpStream::connect(("127.0.0.1", port)).unwrap(), request).unwrap();
    assert!(by_tls(&head(&named, "__Host-bailey")).starts_with("HTTP/1.1 200"));
    // Under a name that a page without TLS could have set.
    assert!(by_tls(&head(&named, "bailey")).starts_with("HTTP/1.1 401"));
    for host in [named.as_str(), &world.gateway()] {
        for name in ["__Host-bailey", "bailey"] {
            let mut plain = UnixStream::connect(world.data().join("run/home.sock")).unwrap();
            plain.write_all(head(host, name).as_bytes()).unwrap();
            let mut answer = String::new();
            plain.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 401"), "{host} {name}: {answer}");
        }
    }
    // Another host, another page, and no TLS at all.
    let other = head("evil.example.org", "__Host-bailey");
    assert!(by_tls(&other).starts_with("HTTP/1.1 403"), "{}", by_tls(&other));
    let elsewhere = head(&named, "__Host-bailey").replace("sec-fetch-site: same-origin", "sec-fetch-site: same-site");
    assert!(by_tls(&elsewhere).starts_with("HTTP/1.1 403"));
    let mut bare = TcpStream::connect(("127.0.0.1", port)).unwrap();
    bare.write_all(b"GET / HTTP/1.1\r\nhost: bailey.example.org\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = bare.read_to_end(&mut said);
    assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn other_machines_are_let_in_with_a_name_a_certificate_and_a_passkey_only() {
    let mut world = World::bare(Vec::new(), 0);
    let path = world.data().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let port = free_port();
    let listen = format!("tls_listen = \"0.0.0.0:{port}\"\n");
    let name = format!("names = [\"https://{HOST}:{port}\"]\n");
    for (lines, missing) in [(listen.clone(), "needs a name"), (format!("{listen}{name}"), "needs a certificate")] {
        fs::write(&path, format!("{text}{lines}")).unwrap();
        let (_, said) = world.fails(&["serve"], "");
        assert!(said.contains(missing), "{said}");
    }
    let own = own(HOST);
    let (chain, key) = (world.data().join("chain.pem"), world.data().join("key.pem"));
    fs::write(&chain, &own.chain).unwrap();
    fs::write(&key, &own.key).unwrap();
    let files = format!("certificate = \"{}\"\nkey = \"{}\"\n", chain.display(), key.display());
    fs::write(&path, format!("{text}{listen}{name}{files}")).unwrap();
    world.serve();
    let names = world.data_of(&["names"]);
    assert!(names["not_public"].as_str().unwrap().contains("a passkey is missing"), "{names}");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nothing listens there yet");
}

#[test]
fn each_home_has_a_name_of_its_own_on_this_machine() {
    let name = || {
        let mut world = World::bare(Vec::new(), 0);
        let port = free_port();
        let path = world.data().join("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("127.0.0.1:0\"", &format!("127.0.0.1:{port}\""))).unwrap();
        world.serve();
        let first = world.data_of(&["names"])["origins"][0].as_str().unwrap().to_owned();
        world.restart();
        assert_eq!(world.data_of(&["names"])["origins"][0], first.as_str(), "the same at every start");
        let host = first.strip_prefix("http://").unwrap().to_owned();
        let answer = |host: &str| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            write!(stream, "GET /sign-in HTTP/1.1\r\nhost: {host}\r\nsec-fetch-site: none\r\naccept: text/html\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer[9..12].to_owned()
        };
        assert_eq!(answer(&host), "200");
        assert_eq!(answer(&format!("bailey.localhost:{port}")), "403", "a name that every home would share");
        let label = host.split('.').next().unwrap().to_owned();
        (label, world)
    };
    let ((one, _first), (other, _second)) = (name(), name());
    assert_ne!(one, other);
    assert_eq!(one.len(), 34, "{one}");
}

#[test]
fn a_certificate_is_issued_by_an_authority_and_kept_sealed() {
    let mut world = World::bare(Vec::new(), 0);
    let (authority, management, port) = (free_port(), free_port(), free_port());
    let own = own("localhost");
    let folder = world.data().join("authority");
    fs::create_dir_all(&folder).unwrap();
    let (chain, key, config) = (folder.join("chain.pem"), folder.join("key.pem"), folder.join("config.json"));
    fs::write(&chain, &own.chain).unwrap();
    fs::write(&key, &own.key).unwrap();
    let says = serde_json::json!({"pebble": {
        "listenAddress": format!("127.0.0.1:{authority}"), "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": chain, "privateKey": key, "httpPort": 5_002, "tlsPort": port, "ocspResponderURL": "",
        "externalAccountBindingRequired": false,
    }});
    fs::write(&config, says.to_string()).unwrap();
    let pebble = command("pebble")
        .args(["-config", config.to_str().unwrap()])
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_WFE_NONCEREJECT", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("pebble is there: `cargo xtask test` installs it");
    let pebble = Running::new(pebble);
    World::until_true("the authority does not listen", || TcpStream::connect(("127.0.0.1", authority)).is_ok());
    let path = world.data().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace("[gateway]\n", &format!("certificate_authorities = \"{}\"\n[gateway]\n", chain.display()));
    let gateway = format!(
        "names = [\"https://localhost:{port}\"]\ntls_listen = \"127.0.0.1:{port}\"\n[gateway.acme]\ndirectory = \"https://localhost:{authority}/dir\"\nagree_to_terms = true\n"
    );
    fs::write(&path, format!("{text}{gateway}")).unwrap();
    world.serve();
    let mut last = Value::Null;
    World::until_true("no certificate was issued", || {
        last = world.data_of(&["names"])["certificate"].clone();
        last["state"] == "counts"
    });
    let until = last["until_ms"].as_i64();
    // The log says so, and which one: another that counts for the name was given to somebody else.
    let issued = || {
        let entries = world.get("/v1/log?limit=200");
        let all =
            entries.as_array().unwrap().iter().filter(|entry| entry["payload"]["certificate"] == "issued").cloned();
        all.collect::<Vec<_>>()
    };
    let entries = issued();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((&entry["header"]["kind"], &entry["header"]["actor"]), (&"authority".into(), &"home".into()));
    let told = &entry["payload"];
    assert_eq!(
        (told["names"].as_str(), told["until_ms"].as_str()),
        (Some("localhost"), until.map(|ms| ms.to_string()).as_deref())
    );
    assert_eq!(told["sha256"].as_str().unwrap().len(), 64);
    // Kept: at the next start it is there at once, though nobody issues one any more.
    drop(pebble);
    world.restart();
    World::until_true("the certificate was not kept", || {
        world.data_of(&["names"])["certificate"]["until_ms"].as_i64() == until
    });
    assert!(
        world.files().iter().all(|(_, bytes)| !holds(bytes, "acme/acct") && !holds(bytes, "-----BEGIN PRIVATE")
            || holds(bytes, own.key.trim())),
        "account and key lie in the open"
    );
}
