//! A double of a browser with a passkey: a key that signs what the page hands it, as an authenticator would, and the headers that a
//! browser sends. It does not prove what real browsers do; those play in `dashboard.rs`.

use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use bailey_keys::sign::SigningKey;
use bailey_keys::{Passphrase, credential};
use bailey_scripted::Turn;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{PASSPHRASE, World};

/// COSE form of an Ed25519 key, but for its 32 bytes (RFC 9053, section 7.2).
const EDDSA: [u8; 10] = [0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20];

/// A browser with a passkey of its own.
pub struct Browser {
    pub host: String,
    pub key: SigningKey,
    pub cookie: String,
    /// How far its authenticator says that it counted; 0 for one that does not count.
    pub count: u32,
    /// The home's own socket, where it is asked there and not over the gateway.
    pub socket: Option<PathBuf>,
}

/// What a browser says of where a request comes from.
#[derive(Clone)]
pub struct From {
    pub origin: Option<String>,
    pub site: Option<&'static str>,
}

impl Browser {
    /// Opens one at the dashboard's name; nobody let it in yet.
    pub fn new(world: &World, words: &str) -> Self {
        let port = world.gateway().rsplit_once(':').unwrap().1.to_owned();
        let key = credential::signing_key(&Passphrase::new(words.into()), &[7; 16]).unwrap();
        Self { host: format!("bailey.localhost:{port}"), key, cookie: String::new(), count: 0, socket: None }
    }

    /// Opens one that asks at the home's own socket, for a dashboard at this port.
    pub fn at_socket(world: &World, port: u16, words: &str) -> Self {
        let key = credential::signing_key(&Passphrase::new(words.into()), &[7; 16]).unwrap();
        let socket = Some(world.data().join("run/home.sock"));
        Self { host: format!("bailey.localhost:{port}"), key, cookie: String::new(), count: 0, socket }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    pub fn own(&self) -> From {
        From { origin: Some(self.origin()), site: Some("same-origin") }
    }

    /// One request over the gateway, with more headers: status, head, body.
    pub fn request(&self, from: &From, method: &str, path: &str, body: &str, more: &str) -> (u16, String, String) {
        self.request_of(from, method, path, "application/json", body, more)
    }

    /// The same with a body of a media type.
    pub fn request_of(
        &self,
        from: &From,
        method: &str,
        path: &str,
        media_type: &str,
        body: &str,
        more: &str,
    ) -> (u16, String, String) {
        let line =
            |name: &str, value: Option<&str>| value.map_or_else(String::new, |value| format!("{name}: {value}\r\n"));
        let cookie = Some(self.cookie.as_str()).filter(|cookie| !cookie.is_empty());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nuser-agent: Test\r\n{}{}{}{more}content-type: {media_type}\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            line("cookie", cookie),
            line("origin", from.origin.as_deref()),
            line("sec-fetch-site", from.site),
            body.len()
        );
        let mut answer = Vec::new();
        let mut stream = self.say(&request);
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
    }

    /// Sends a request; its answer is to be read.
    pub fn say(&self, request: &str) -> Box<dyn Read> {
        if let Some(socket) = &self.socket {
            let mut stream = UnixStream::connect(socket).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            return Box::new(stream);
        }
        let mut stream = TcpStream::connect(self.host.replace("bailey.localhost", "127.0.0.1")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Box::new(stream)
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, _, answer) = self.request(&self.own(), method, path, &body, "");
        (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    pub fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(STANDARD.decode(challenge).unwrap());
        let said = json!({"type": kind, "challenge": challenge, "origin": self.origin(), "crossOrigin": false});
        said.to_string().into_bytes()
    }

    pub fn raw_id(&self) -> Vec<u8> {
        self.key.public()[..16].to_vec()
    }

    /// Makes a passkey by a link, and takes the session.
    pub fn claim(&mut self, token: &str) -> (u16, Value) {
        let (status, options) = self.ask("POST", "/v1/browsers/options", &json!({"token": token}));
        if status != 200 {
            return (status, options);
        }
        let rp = digest(&SHA256, options["rp"].as_str().unwrap().as_bytes());
        let length = u16::try_from(self.raw_id().len()).unwrap().to_be_bytes();
        let key = [&EDDSA[..], &self.key.public()].concat();
        let authenticator = [rp.as_ref(), &[0x45], &[0; 4], &[0; 16], &length, &self.raw_id(), &key].concat();
        let body = json!({
            "token": token,
            "name": "A test",
            "credential_id": STANDARD.encode(self.raw_id()),
            "client_data": STANDARD.encode(self.client_data("webauthn.create", options["challenge"].as_str().unwrap())),
            "authenticator_data": STANDARD.encode(authenticator),
        });
        let (status, head, answer) = self.request(&self.own(), "POST", "/v1/browsers/claim", &body.to_string(), "");
        self.take_cookie(&head);
        (status, serde_json::from_str(&answer).unwrap())
    }

    pub fn take_cookie(&mut self, head: &str) {
        if let Some((_, rest)) = head.split_once("set-cookie: ") {
            let cookie = rest.split("\r\n").next().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
    }

    /// What its passkey says to a challenge: a proof.
    pub fn touch(&self, challenge: &Value) -> Value {
        let rp = digest(&SHA256, challenge["rp"].as_str().unwrap().as_bytes());
        let authenticator = [rp.as_ref(), &[0x05], &self.count.to_be_bytes()].concat();
        let client = self.client_data("webauthn.get", challenge["webauthn"].as_str().unwrap());
        let signature = self.key.sign(&[&authenticator[..], digest(&SHA256, &client).as_ref()].concat());
        let raw = STANDARD.encode(self.raw_id());
        let passkeys = challenge["passkeys"].as_array().unwrap();
        let ours = passkeys.iter().find(|one| one["id"] == raw.as_str()).map(|one| one["credential"].clone());
        json!({
            "challenge": challenge["challenge"],
            "credential": ours.unwrap_or_else(|| "00".repeat(16).into()),
            "assertion": {
                "kind": "passkey",
                "credential_id": raw,
                "authenticator_data": STANDARD.encode(authenticator),
                "client_data": STANDARD.encode(&client),
                "signature": STANDARD.encode(signature),
            },
            "session": "00".repeat(16),
        })
    }

    /// A proof for a purpose, by this browser's passkey.
    pub fn prove(&self, purpose: &Value) -> Value {
        let (status, challenge) = self.ask("POST", "/v1/challenge/passkey", purpose);
        assert_eq!(status, 200, "{challenge}");
        self.touch(&challenge)
    }

    pub fn sign_in(&mut self) -> (u16, Value) {
        let (status, challenge) = self.ask("POST", "/v1/sessions/challenge", &Value::Null);
        assert_eq!(status, 200, "{challenge}");
        let body = json!({"proof": self.touch(&challenge)});
        let (status, head, answer) = self.request(&self.own(), "POST", "/v1/sessions", &body.to_string(), "");
        self.take_cookie(&head);
        (status, serde_json::from_str(&answer).unwrap())
    }
}

pub fn link(world: &World) -> String {
    let link: Value = serde_json::from_str(&world.ok(&["dashboard", "--json"], PASSPHRASE)).unwrap();
    link["token"].as_str().unwrap().to_owned()
}

/// A world whose dashboard has a name, and a browser that was let in.
pub fn let_in(turns: Vec<Turn>) -> (World, Browser) {
    let world = World::with_dashboard(turns);
    let mut browser = Browser::new(&world, "first");
    let (status, claimed) = browser.claim(&link(&world));
    assert_eq!(status, 200, "{claimed}");
    assert_eq!(claimed["recovery_codes"].as_array().unwrap().len(), 10);
    (world, browser)
}
