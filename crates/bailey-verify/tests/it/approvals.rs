//! Approvals: what the log shows of who gave them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;

use crate::{Log, hex, says};

const CREDENTIAL: [u8; 16] = [4; 16];
const ACTION: [u8; 16] = [5; 16];

fn person() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// Bytes behind their length, as `docs/approval-format.md` has them.
fn bytes(of: &[u8]) -> Vec<u8> {
    [&(of.len() as u64).to_be_bytes(), of].concat()
}

/// What is signed for a purpose.
fn message(home: u8, purpose: &[u8]) -> Vec<u8> {
    [bytes(b"bailey answer"), vec![2], bytes(&[home; 16]), bytes(&[2; 64]), purpose.to_vec()].concat()
}

fn approving(digest: u8) -> Vec<u8> {
    message(1, &[vec![1], 1_u64.to_be_bytes().to_vec(), bytes(&ACTION), bytes(&[digest; 32])].concat())
}

fn resuming(epoch: u64) -> Vec<u8> {
    message(1, &[vec![2], epoch.to_be_bytes().to_vec()].concat())
}

fn assertion(signed: &[u8]) -> Vec<u8> {
    [vec![1, 1], bytes(&person().sign(signed).to_bytes())].concat()
}

impl Log {
    fn introduces(&mut self) -> &mut Self {
        let public = STANDARD.encode(person().verifying_key().to_bytes());
        let credential = hex(&CREDENTIAL);
        let home = "01".repeat(16);
        let said = json!({"credential": credential, "home": home, "kind": "passphrase-key", "public_base64": public});
        self.readable(r#","kind":"authority","actor":"person""#, &said.to_string())
    }

    /// An action with a digest of sixes that was approved.
    fn approved(&mut self, signed: &[u8], assertion: &[u8]) -> &mut Self {
        let (credential, action) = (hex(&CREDENTIAL), hex(&ACTION));
        let said = json!({
            "digest": "06".repeat(32), "signed_base64": STANDARD.encode(signed), "assertion_base64": STANDARD.encode(assertion),
        });
        self.readable(
            &format!(
                r#","kind":"step","actor":"person","to":"approved","action":"{action}","approver":{{"credential":"{credential}"}}"#
            ),
            &said.to_string(),
        )
    }

    fn resumed(&mut self, signed: &[u8], assertion: &[u8]) -> &mut Self {
        let credential = hex(&CREDENTIAL);
        let said = json!({"signed_base64": STANDARD.encode(signed), "assertion_base64": STANDARD.encode(assertion)});
        let header =
            format!(r#","kind":"resuming","actor":"person","epoch":3,"approver":{{"credential":"{credential}"}}"#);
        self.readable(&header, &said.to_string())
    }
}

#[test]
fn approvals_are_checked_against_the_credential_that_the_log_introduced() {
    let (yes, on) = (approving(6), resuming(3));
    let log = Log::new().introduces().approved(&yes, &assertion(&yes)).resumed(&on, &assertion(&on)).closed();
    says(&log, 10, "2 approvals checked");
}

#[test]
fn a_signature_that_is_flipped_missing_or_for_something_else_is_named() {
    let yes = approving(6);
    let mut flipped = assertion(&yes);
    flipped[20] ^= 1;
    says(
        &Log::new().introduces().approved(&yes, &flipped).closed(),
        20,
        "entry 2 has an approval whose signature is wrong",
    );
    let other = approving(7);
    says(&Log::new().introduces().approved(&other, &assertion(&other)).closed(), 20, "signed for something else");
    let on = resuming(3);
    says(&Log::new().introduces().approved(&on, &assertion(&on)).closed(), 20, "signed for something else");
    let later = resuming(4);
    says(&Log::new().introduces().resumed(&later, &assertion(&later)).closed(), 20, "signed for something else");
    let elsewhere = message(8, &[vec![2], 3_u64.to_be_bytes().to_vec()].concat());
    says(
        &Log::new().introduces().resumed(&elsewhere, &assertion(&elsewhere)).closed(),
        20,
        "signed for something else",
    );
    let without = Log::new()
        .introduces()
        .readable(r#","kind":"step","actor":"person","to":"approved""#, r#"{"digest":"06"}"#)
        .closed();
    says(&without, 20, "entry 2 is an approval without what was signed");
    says(&Log::new().introduces().approved(&yes, &[]).closed(), 20, "signature that cannot be read");
}

/// Parameters of the calendar `/c/` of `me`, at a level.
fn connecting(level: &str) -> Vec<u8> {
    let server = [bytes(b"imap.example.org"), 993_u64.to_be_bytes().to_vec(), vec![1]].concat();
    let settings = [vec![2, 0], bytes(b"me"), server, bytes(b"/c/")].concat();
    [bytes(b"connect"), vec![2], settings, bytes(level.as_bytes())].concat()
}

/// Parameters that drop a rule and bring none.
fn dropping(rule: &str) -> Vec<u8> {
    let none = 0_u64.to_be_bytes();
    let names = [&1_u64.to_be_bytes()[..], &bytes(rule.as_bytes())].concat();
    [bytes(b"change rules"), vec![1], bytes(b""), bytes(b""), names, vec![0, 0], none.to_vec(), vec![0]].concat()
}

fn for_the_home(what: &str, parameters: &[u8]) -> Vec<u8> {
    let hash = if parameters.is_empty() { vec![0; 32] } else { crate::sha(&[parameters]) };
    message(1, &[vec![3], bytes(what.as_bytes()), bytes(&hash)].concat())
}

/// A log in which the person did one thing of a kind, by an answer of theirs.
fn did(kind: &str, signed: &[u8], parameters: &[u8], mut says: serde_json::Value) -> String {
    says["signed_base64"] = STANDARD.encode(signed).into();
    says["assertion_base64"] = STANDARD.encode(assertion(signed)).into();
    if !parameters.is_empty() {
        says["parameters_base64"] = STANDARD.encode(parameters).into();
    }
    let credential = hex(&CREDENTIAL);
    let connection = "08".repeat(16);
    let header = format!(
        r#","kind":"{kind}","actor":"person","connection":"{connection}","approver":{{"credential":"{credential}"}}"#
    );
    Log::new().introduces().second(&header, &says.to_string()).closed()
}

#[test]
fn what_the_person_alone_can_do_is_checked_against_what_they_signed() {
    let calendar = connecting("full");
    let connect = for_the_home("connect", &calendar);
    let connected = json!({"account": "me", "level": "full"});
    says(&did("connected", &connect, &calendar, connected.clone()), 10, "1 approval checked");
    let level = |of: u8| [bytes(b"change level"), vec![1], bytes(&[of; 16]), bytes(b"send")].concat();
    let changed_level = for_the_home("change level", &level(8));
    says(
        &did("connected", &changed_level, &level(8), json!({"account": "me", "level": "send"})),
        10,
        "1 approval checked",
    );
    let elsewhere = for_the_home("change level", &level(9));
    let rule = dropping("rule.1");
    let rules = for_the_home("change rules", &rule);
    let changed = json!({"added": "", "removed": "rule.1: mail: go ahead", "cedar": ""});
    says(&did("rules", &rules, &rule, changed.clone()), 10, "1 approval checked");
    let export = for_the_home("export readable log", &[]);
    says(&did("exported", &export, &[], json!({"payloads": "readable"})), 10, "1 approval checked");
    let undo = message(1, &[vec![4], bytes(&ACTION)].concat());
    says(&did("proposed", &undo, &[], json!({"undo_of": hex(&ACTION)})), 10, "1 approval checked");

    let several = |last: u8| {
        let ids = [bytes(&[7; 16]), bytes(&[last; 16])].concat();
        message(1, &[vec![5], 2_u64.to_be_bytes().to_vec(), ids].concat())
    };
    let undo_all = several(5);
    says(&did("proposed", &undo_all, &[], json!({"undo_of": hex(&ACTION)})), 10, "1 approval checked");

    for (kind, signed, parameters, said) in [
        // None of those that were to be undone.
        ("proposed", &several(6), &[][..], json!({"undo_of": hex(&ACTION)})),
        ("exported", &undo_all, &[], json!({"payloads": "readable", "undo_of": hex(&ACTION)})),
        // More than was wanted, another account, other parameters than were signed, none.
        ("connected", &connect, &calendar, json!({"account": "me", "level": "send"})),
        ("connected", &connect, &calendar, json!({"account": "you", "level": "full"})),
        ("connected", &connect, &connecting("send"), json!({"account": "me", "level": "send"})),
        ("connected", &connect, &[], connected.clone()),
        // Another level, another connection.
        ("connected", &changed_level, &level(8), json!({"account": "me", "level": "full"})),
        ("connected", &elsewhere, &level(9), json!({"account": "me", "level": "send"})),
        // A rule that nobody wanted, one that was to go and stayed.
        ("rules", &rules, &rule, json!({"added": "rule.2: anything: go ahead", "removed": "rule.1: mail: go ahead"})),
        ("rules", &rules, &rule, json!({"added": "", "removed": "rule.11: mail: go ahead"})),
        ("exported", &export, &[], json!({"payloads": "all"})),
        ("proposed", &undo, &[], json!({"undo_of": "06".repeat(16)})),
        // One thing signed, another done.
        ("rules", &connect, &calendar, changed),
        ("connected", &export, &[], connected),
        ("exported", &undo, &[], json!({"payloads": "readable"})),
    ] {
        says(&did(kind, signed, parameters, said), 20, "was signed for something else");
    }
}

#[test]
fn evidence_that_is_left_out_is_missed() {
    for kind in ["connected", "rules", "exported", "proposed"] {
        let header = format!(r#","kind":"{kind}","actor":"person""#);
        let without = Log::new().introduces().second(&header, "{}").closed();
        says(&without, 20, "entry 2 is an approval without what was signed");
        // Version 1 held none of it; who says so now would have to say it of all that came before, too.
        says(&Log::new().introduces().readable(&header, "{}").closed(), 10, "1 approval without evidence");
        let back = Log::new().introduces().second(r#","kind":"task""#, "{}").readable(&header, "{}").closed();
        says(&back, 20, "of an older version than one before it");
    }
}

#[test]
fn what_an_earlier_version_wrote_is_said_and_is_no_failure() {
    let older =
        Log::new().readable(r#","kind":"step","actor":"person","to":"approved""#, r#"{"digest":"06"}"#).closed();
    says(&older, 10, "1 approval without evidence");
}
