//! Approvals by passkeys: the vectors of `docs/approval-format.md`, and what is refused of them. Whoever made them used a third library.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use crate::{Log, hex, says, sha};

const ALGORITHMS: [&str; 3] = ["ES256", "Ed25519", "RS256"];
const CREDENTIAL: [u8; 16] = [4; 16];
const ORIGIN: &str = "http://bailey.localhost:7447";
const RP: &str = "bailey.localhost";

/// A vector of the page.
fn vector(name: &str) -> Vec<u8> {
    let page = include_str!("../../../../docs/approval-format.md");
    let (_, rest) = page.split_once(&format!("`{name}`\n\n```\n")).unwrap();
    let digits: String = rest.split("```").next().unwrap().split_whitespace().collect();
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Bytes behind their length.
fn bytes(of: &[u8]) -> Vec<u8> {
    [&(of.len() as u64).to_be_bytes(), of].concat()
}

/// The parts of an encoded assertion of a passkey.
fn parts(assertion: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut all) = (&assertion[2..], Vec::new());
    while let Some((length, more)) = rest.split_first_chunk() {
        let (part, more) = more.split_at(usize::try_from(u64::from_be_bytes(*length)).unwrap_or_default());
        all.push(part.to_vec());
        rest = more;
    }
    all
}

fn encoded(parts: &[Vec<u8>]) -> Vec<u8> {
    let all: Vec<u8> = parts.iter().flat_map(|part| bytes(part)).collect();
    [vec![1, 2], all].concat()
}

/// A log in which a passkey is introduced, and approved the action of the vectors.
fn log(introduced: &Value, signed: &[u8], assertion: &[u8]) -> String {
    let (credential, action) = (hex(&CREDENTIAL), "03".repeat(16));
    let said = json!({
        "digest": "04".repeat(32), "signed_base64": STANDARD.encode(signed), "assertion_base64": STANDARD.encode(assertion),
    });
    let approved = format!(
        r#","kind":"step","actor":"person","to":"approved","action":"{action}","approver":{{"credential":"{credential}"}}"#
    );
    let mut log = Log::new();
    log.readable(r#","kind":"authority","actor":"person""#, &introduced.to_string());
    log.readable(&approved, &said.to_string()).closed()
}

fn introduced(public: &[u8]) -> Value {
    json!({
        "browser": "passkey", "kind": "passkey", "credential": hex(&CREDENTIAL), "home": "01".repeat(16), "rp": RP,
        "credential_id_base64": STANDARD.encode([6; 16]), "public_base64": STANDARD.encode(public),
    })
}

#[test]
fn approvals_by_passkeys_of_each_algorithm_are_checked() {
    for name in ALGORITHMS {
        let (public, assertion) = (vector(&format!("{name} key")), vector(&format!("{name} assertion")));
        let log = log(&introduced(&public), &vector("approve"), &assertion);
        says(&log, 10, "1 approval checked: signed by the credential that the log introduced");
        assert!(!verdict(&log).contains("without evidence"), "{name}");
    }
}

fn verdict(log: &str) -> String {
    bailey_verify::verify(log, None).to_string()
}

#[test]
fn a_passkeys_evidence_changed_by_one_bit_is_refused_wherever_it_is() {
    for name in ALGORITHMS {
        let (public, assertion) = (vector(&format!("{name} key")), vector(&format!("{name} assertion")));
        let signed = vector("approve");
        let refused = |introduced: &Value, signed: &[u8], assertion: &[u8], what: &str| {
            let verdict = bailey_verify::verify(&log(introduced, signed, assertion), None);
            assert_eq!(verdict.exit_code(), 20, "{name}, {what}: {verdict}");
        };
        let flipped = |bytes: &[u8], at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1 << (at % 8);
            bytes
        };
        for at in 0..assertion.len() {
            refused(&introduced(&public), &signed, &flipped(&assertion, at), &format!("byte {at} of the evidence"));
        }
        for at in 0..signed.len() {
            refused(&introduced(&public), &flipped(&signed, at), &assertion, &format!("byte {at} of what was signed"));
        }
        for at in 0..public.len() {
            refused(&introduced(&flipped(&public, at)), &signed, &assertion, &format!("byte {at} of the key"));
        }
        for (field, other) in [("rp", "bailey.localhosu"), ("home", &"02".repeat(16)), ("credential_id_base64", "AA==")]
        {
            let mut otherwise = introduced(&public);
            otherwise[field] = other.into();
            refused(&otherwise, &signed, &assertion, field);
        }
        let mut unnamed = introduced(&public);
        unnamed["credential"] = "05".repeat(16).into();
        refused(&unnamed, &signed, &assertion, "a credential that the log never named");
    }
}

/// What a passkey whose key is held here says, with its signature over just that: only what it says can be wrong.
fn answered(client_data: &str, authenticator_data: &[u8]) -> Vec<u8> {
    let message = [authenticator_data, &sha(&[client_data.as_bytes()])].concat();
    let signature = SigningKey::from_bytes(&[9; 32]).sign(&message).to_bytes().to_vec();
    encoded(&[vec![6; 16], authenticator_data.to_vec(), client_data.as_bytes().to_vec(), signature])
}

#[test]
fn an_answer_of_another_page_host_challenge_or_without_the_person_is_no_approval() {
    let (public, signed) = (vector("Ed25519 key"), vector("approve"));
    let client = |kind: &str, challenge: &[u8], origin: &str, more: &str| {
        let challenge = URL_SAFE_NO_PAD.encode(sha(&[challenge]));
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{more}}}"#)
    };
    let good = client("webauthn.get", &signed, ORIGIN, r#","crossOrigin":false"#);
    let data = |rp: &str, flags: u8| [sha(&[rp.as_bytes()]), vec![flags, 0, 0, 0, 0]].concat();
    let right = log(&introduced(&public), &signed, &answered(&good, &data(RP, 0x05)));
    says(&right, 10, "1 approval checked");
    // A port is none of the host's, and a passkey that may be copied counts as well.
    let elsewhere = client("webauthn.get", &signed, "https://bailey.localhost", "");
    says(&log(&introduced(&public), &signed, &answered(&elsewhere, &data(RP, 0x1d))), 10, "1 approval checked");
    let resume = vector("resume");
    for (client, data, why) in [
        (client("webauthn.create", &signed, ORIGIN, ""), data(RP, 5), "given for something else"),
        (client("webauthn.get", &resume, ORIGIN, ""), data(RP, 5), "given for something else"),
        (client("webauthn.get", &signed, "https://evil.example", ""), data(RP, 5), "another page asked for"),
        (client("webauthn.get", &signed, "https://bailey.localhost.evil.example", ""), data(RP, 5), "another page"),
        (client("webauthn.get", &signed, ORIGIN, r#","crossOrigin":true"#), data(RP, 5), "another page asked for"),
        (
            client("webauthn.get", &signed, ORIGIN, r#","topOrigin":"https://evil.example""#),
            data(RP, 5),
            "another page",
        ),
        ("[]".into(), data(RP, 5), "client data cannot be read"),
        (good.clone(), data("evil.example", 5), "for another host"),
        (good.clone(), data(RP, 0x04), "without the person present and verified"),
        (good.clone(), data(RP, 0x01), "without the person present and verified"),
        (good.clone(), data(RP, 0x15), "without the person present and verified"),
        (good.clone(), data(RP, 5)[..36].to_vec(), "cut short"),
    ] {
        says(&log(&introduced(&public), &signed, &answered(&client, &data)), 20, why);
    }
    // A touch for another purpose, whole and right: it approves nothing.
    let for_a_pause = answered(&client("webauthn.get", &resume, ORIGIN, ""), &data(RP, 5));
    says(&log(&introduced(&public), &resume, &for_a_pause), 20, "signed for something else");
    // The bare signature of the same key, as a passphrase's would be.
    let bare = [vec![1, 1], bytes(&SigningKey::from_bytes(&[9; 32]).sign(&signed).to_bytes())].concat();
    says(&log(&introduced(&public), &signed, &bare), 20, "signature that cannot be read");
    assert_eq!(parts(&answered(&good, &data(RP, 5))).len(), 4);
}

/// What a browser's owner did about browsers: its entry, and what was signed for it.
fn about_browsers(says: &Value, signed: &[u8]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(sha(&[signed]));
    let client = format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{ORIGIN}"}}"#);
    let assertion = answered(&client, &[sha(&[RP.as_bytes()]), vec![5, 0, 0, 0, 0]].concat());
    let mut said = says.clone();
    said["signed_base64"] = STANDARD.encode(signed).into();
    said["assertion_base64"] = STANDARD.encode(assertion).into();
    let credential = hex(&CREDENTIAL);
    let mut log = Log::new();
    log.readable(r#","kind":"authority","actor":"person""#, &introduced(&vector("Ed25519 key")).to_string());
    let header = format!(r#","kind":"authority","actor":"person","approver":{{"credential":"{credential}"}}"#);
    log.readable(&header, &said.to_string()).closed()
}

#[test]
fn what_is_done_about_browsers_is_checked_against_what_the_person_answered_for() {
    let purpose = |what: &str, parameters: &[u8]| {
        let hash = if parameters.is_empty() { vec![0; 32] } else { sha(&[parameters]) };
        let head = [bytes(b"bailey answer"), vec![2], bytes(&[1; 16]), bytes(&[2; 64])].concat();
        [head, vec![3], bytes(what.as_bytes()), bytes(&hash)].concat()
    };
    for (what, done) in [
        ("let browser in", "link"),
        ("sign in", "session"),
        ("confirm passkeys", "passkeys confirmed"),
        ("make recovery codes", "recovery codes"),
    ] {
        says(&about_browsers(&json!({"browser": done}), &purpose(what, &[])), 10, "1 approval checked");
        let other = if done == "link" { "session" } else { "link" };
        says(&about_browsers(&json!({"browser": other}), &purpose(what, &[])), 20, "signed for something else");
    }
    let ending = vector("end passkey");
    let ended = |passkey: &str| {
        let says =
            json!({"browser": "passkey ended", "credential": passkey, "parameters_base64": STANDARD.encode(&ending)});
        about_browsers(&says, &purpose("end passkey", &ending))
    };
    says(&ended(&"06".repeat(16)), 10, "1 approval checked");
    says(&ended(&"07".repeat(16)), 20, "signed for something else");
    // A link without what the person answered is one that nobody gave leave to.
    let mut log = Log::new();
    log.readable(r#","kind":"authority","actor":"person""#, &introduced(&vector("Ed25519 key")).to_string());
    let log = log.readable(r#","kind":"authority","actor":"person""#, r#"{"browser":"link"}"#).closed();
    says(&log, 20, "an approval without what was signed");
}
