//! What two verifiers written from `docs/log-format.md` have to agree on.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

mod approvals;
mod grown;
mod passkeys;

use bailey_verify::{Verdict, verify};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

/// A log in the making, with its lines written by hand.
struct Log {
    key: SigningKey,
    id: String,
    entries: Vec<String>,
    lines: Vec<String>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha(parts: &[&[u8]]) -> Vec<u8> {
    Sha256::digest(parts.concat()).to_vec()
}

/// RFC 6962, 2.1, as it is written there.
fn root(entries: &[String]) -> Vec<u8> {
    match entries {
        [] => sha(&[]),
        [one] => sha(&[&[0], one.as_bytes()]),
        _ => {
            let (left, right) = entries.split_at(entries.len().next_power_of_two() / 2);
            sha(&[&[1], &root(left), &root(right)])
        }
    }
}

impl Log {
    fn new() -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let (nonce, public) = ([1; 16], key.verifying_key().to_bytes());
        let id = hex(&sha(&[b"bailey log 1\n", &nonce, &public])[..16]);
        let mut log = Self { key, id, entries: Vec::new(), lines: vec!["bailey-log 1".into()] };
        let (nonce, public) = (hex(&nonce), hex(&public));
        log.entry(&format!(r#","kind":"genesis","genesis":{{"nonce":"{nonce}","key":"{public}"}}"#));
        log
    }

    /// An entry with these further fields.
    fn entry(&mut self, more: &str) -> &mut Self {
        let header = format!(r#"{{"v":1,"log":"{}","seq":{}{more}}}"#, self.id, self.entries.len());
        self.lines.push(format!("E {header}"));
        self.entries.push(header);
        self
    }

    /// An entry of version 2 with these further fields, and its payload in plain words.
    fn second(&mut self, more: &str, json: &str) -> &mut Self {
        // Where a field comes twice, the last counts.
        self.readable(&format!(r#","v":2{more}"#), json)
    }

    /// An entry of a kind whose payload is in the file in plain words.
    fn readable(&mut self, more: &str, json: &str) -> &mut Self {
        let salt = [3; 16];
        let commitment = hex(&sha(&[b"bailey payload 1\0", &salt, json.as_bytes()]));
        let seq = self.entries.len();
        self.entry(&format!(r#"{more},"payload":{{"commitment":"{commitment}","sealed":"00","bucket":1}}"#));
        self.line(format!("R {seq} {} {json}", hex(&salt)))
    }

    /// An entry with a payload; what is said of it is the line behind.
    fn payload(&mut self, line: impl FnOnce(u64, &str, &str, &str) -> String) -> &mut Self {
        let (salt, json, sealed) = ([3; 16], r#"{"words":"hi"}"#, b"\xfb\xef\xffsealed1");
        let commitment = hex(&sha(&[b"bailey payload 1\0", &salt, json.as_bytes()]));
        let seq = self.entries.len() as u64;
        let hash = hex(&sha(&[sealed]));
        self.entry(&format!(
            r#","kind":"task","payload":{{"commitment":"{commitment}","sealed":"{hash}","bucket":3}}"#
        ));
        self.lines.push(line(seq, &hex(&salt), json, &STANDARD.encode(sealed)));
        self
    }

    fn text_of_note(&self) -> String {
        format!("bailey/{}\n{}\n{}\n", self.id, self.entries.len(), STANDARD.encode(root(&self.entries)))
    }

    fn signature(&self, text: &str) -> String {
        let name = format!("bailey/{}", self.id);
        let id = sha(&[name.as_bytes(), b"\n\x01", &self.key.verifying_key().to_bytes()]);
        let blob = [&id[..4], &self.key.sign(text.as_bytes()).to_bytes()[..]].concat();
        format!("\u{2014} {name} {}\n", STANDARD.encode(blob))
    }

    fn note(&self) -> String {
        let text = self.text_of_note();
        format!("{text}\n{}", self.signature(&text))
    }

    fn line(&mut self, line: impl Into<String>) -> &mut Self {
        self.lines.push(line.into());
        self
    }

    fn closed(&mut self) -> String {
        let note = STANDARD.encode(self.note());
        self.line(format!("C {note}"));
        self.lines.join("\n") + "\n"
    }
}

#[track_caller]
fn says(log: &str, code: u8, words: &str) {
    let verdict = verify(log, None);
    assert!(verdict.exit_code() == code && verdict.to_string().contains(words), "{verdict}\n{log}");
}

fn sealed(seq: u64, _: &str, _: &str, sealed: &str) -> String {
    format!("P {seq} {sealed}")
}

fn readable(seq: u64, salt: &str, json: &str, _: &str) -> String {
    format!("R {seq} {salt} {json}")
}

#[test]
fn payloads_that_are_there_are_not_said_to_be_missing() {
    says(&Log::new().payload(readable).payload(sealed).closed(), 10, "every payload is in the file and fits its entry");
    let one = Log::new().payload(readable).payload(|_, _, _, _| String::new()).closed();
    says(&one, 10, "1 payload is not in the file");
    let left_out = |_: u64, _: &str, _: &str, _: &str| String::new();
    says(&Log::new().payload(left_out).payload(left_out).closed(), 10, "2 payloads are not in the file");
    let twice =
        Log::new().payload(|seq, salt, json, _| format!("R {seq} {salt} {json}\nR {seq} {salt} {json}")).closed();
    says(&twice, 20, "yet one is given");
}

#[test]
fn base64_is_the_plain_one_padded_and_canonical() {
    let written = |body: &'static str| Log::new().payload(|seq, _, _, _| format!("P {seq} {body}")).closed();
    says(&written("++//c2VhbGVkMQ=="), 10, "every payload");
    // Without padding, in the letters of links, with bits that belong to no byte, broken, and with a blank.
    for odd in [
        "++//c2VhbGVkMQ",
        "--__c2VhbGVkMQ==",
        "++//c2VhbGVkMR==",
        "++//c2VhbGVkMQ==\n",
        "++//c2Vh bGVkMQ==",
        "++//c2VhbGVkMQ== ",
    ] {
        let log = written(odd.trim_end_matches('\n'));
        if odd.ends_with('\n') {
            says(&log.replacen("P 1 ++//", "P 1 ++//\n", 1), 20, "");
        } else {
            says(&log, 20, "not base64");
        }
    }
    let mut log = Log::new();
    let note = STANDARD_NO_PAD.encode(log.note() + "\n");
    assert!(!note.len().is_multiple_of(4));
    says(&log.line(format!("C {note}")).lines.join("\n"), 20, "not base64");
}

#[test]
fn a_log_ends_with_a_checkpoint_over_all_of_it_and_begins_with_an_entry() {
    let mut log = Log::new();
    let whole = log.entry(r#","kind":"opened""#).closed();
    says(&whole, 10, "2 entries");
    // Cut after an entry: nothing vouches for it.
    says(&log.entry(r#","kind":"opened""#).lines.join("\n"), 20, "not covered by any checkpoint");
    // Cut within one.
    says(whole.get(..whole.len() / 3).unwrap(), 20, "");
    says("bailey-log 1\n", 20, "the log is empty");
    says("bailey-log 1", 20, "the log is empty");
    says("", 20, "not an exported log");
    says("bailey-log 2\n", 20, "not an exported log");
}

#[test]
fn a_note_has_three_lines_and_one_signature() {
    let with = |note: &dyn Fn(&Log) -> String| {
        let mut log = Log::new();
        let note = STANDARD.encode(note(&log));
        log.line(format!("C {note}")).lines.join("\n")
    };
    says(&with(&Log::note), 10, "");
    // The last line break may be missing.
    says(&with(&|log| log.note().trim_end().to_owned()), 10, "");
    let foreign = "\u{2014} witness.example/w AAAAAAAA\n";
    says(&with(&|log| log.note() + foreign), 20, "malformed");
    says(&with(&|log| log.note().replacen("\n\n", &format!("\n\n{foreign}"), 1)), 20, "malformed");
    // An extension line, properly signed.
    let extended = |log: &Log| {
        let text = log.text_of_note() + "extension\n";
        format!("{text}\n{}", log.signature(&text))
    };
    says(&with(&extended), 20, "malformed");
    // A number with a zero before it, or a sign, properly signed.
    for number in ["01", "+1"] {
        let odd = |log: &Log| {
            let text = log.text_of_note().replacen("\n1\n", &format!("\n{number}\n"), 1);
            format!("{text}\n{}", log.signature(&text))
        };
        says(&with(&odd), 20, "malformed");
    }
}

#[test]
fn lines_end_with_a_line_feed_and_empty_ones_say_nothing() {
    let whole = Log::new().entry(r#","kind":"opened""#).closed();
    says(whole.trim_end(), 10, "");
    says(&whole.replace('\n', "\n\n").replacen("\n\n", "\n", 1), 10, "");
    says(&whole.replace('\n', "\r\n"), 20, "not an exported log");
    // A carriage return behind an entry is of the entry.
    says(&whole.replacen("}\n", "}\r\n", 1), 20, "was altered");
    says(&format!("{whole}\u{feff}"), 20, "no known kind");
    says(&format!("{whole}X 1\n"), 20, "no known kind");
    says(&format!("{whole} \n"), 20, "no known kind");
}

#[test]
fn numbers_have_one_form() {
    for odd in ["01", "+1", "1.0", "0x1", " 1", "18446744073709551616"] {
        says(&Log::new().payload(|_, _, _, body| format!("P {odd} {body}")).closed(), 20, "");
    }
    // In a header they are integers as JSON writes them.
    for odd in ["1.0", "1e0", "\"1\"", "-1"] {
        let mut log = Log::new();
        log.entry("");
        let header = format!(r#"{{"v":1,"log":"{}","seq":{odd}}}"#, log.id);
        log.entries.pop();
        log.lines.pop();
        log.line(format!("E {header}"));
        log.entries.push(header);
        says(&log.closed(), 20, "has no number");
    }
}

#[test]
fn unknown_kinds_and_fields_are_passed_over_and_the_bucket_proves_nothing() {
    says(&Log::new().entry(r#","kind":"something-new","colour":{"a":[1]}"#).closed(), 10, "2 entries");
    // `bucket` is 3 in every payload here, which no length rounds up to.
    says(&Log::new().payload(sealed).closed(), 10, "every payload");
    // Of a field that comes twice the last counts.
    says(&Log::new().entry(r#","seq":9,"seq":1"#).closed(), 10, "2 entries");
    assert!(matches!(verify(&Log::new().entry(r#","seq":1,"v":3"#).closed(), None), Verdict::Invalid(_)));
    // A payload of which only one hash is named counts as none.
    says(&Log::new().entry(r#","payload":{"sealed":"00"}"#).closed(), 10, "every payload");
}
