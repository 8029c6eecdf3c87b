//! Proofs that a log only grew, made here as RFC 6962, section 2.1.2, says, of logs of every small size.

use bailey_verify::{Today, Verdict, grown};
use serde_json::Value;

use crate::{Log, root, sha};

/// `SUBPROOF(m, D[n], b)` of RFC 6962, section 2.1.2.
fn subproof(m: usize, entries: &[String], whole: bool) -> Vec<[u8; 32]> {
    let hash = |entries: &[String]| <[u8; 32]>::try_from(root(entries)).unwrap_or_default();
    if m == entries.len() {
        return if whole { Vec::new() } else { vec![hash(entries)] };
    }
    let (left, right) = entries.split_at(entries.len().next_power_of_two() / 2);
    let (mut proof, other) = if m <= left.len() {
        (subproof(m, left, whole), right)
    } else {
        (subproof(m - left.len(), right, false), left)
    };
    proof.push(hash(other));
    proof
}

/// A log of so many entries, whose checkpoints were taken on the way: the header of its first entry, and the notes by size.
fn log(entries: usize) -> (Log, Value, Vec<String>) {
    let mut log = Log::new();
    let first = serde_json::from_str(&log.entries[0]).unwrap_or_default();
    let mut notes = vec![String::new(), log.note()];
    while log.entries.len() < entries {
        log.entry(&format!(r#","kind":"opened","at":{}"#, log.entries.len()));
        notes.push(log.note());
    }
    (log, first, notes)
}

const MOST: usize = 40;

#[test]
fn a_log_that_only_grew_is_told_from_every_size_to_every_other() {
    let (log, first_entry, notes) = log(MOST);
    for to in 1..=MOST {
        for from in 1..=to {
            let proof = subproof(from, &log.entries[..to], true);
            let today = Today { first_entry: &first_entry, checkpoint: &notes[to], proof: &proof };
            let verdict = grown(&notes[from], &today);
            let (entries, pinned) = (to as u64, from as u64);
            assert_eq!(verdict, Verdict::Grown { entries, pinned }, "{from} to {to}");
            // What is flipped, left out, put before or behind, or of another size proves nothing.
            let refused = |proof: &[[u8; 32]]| {
                let verdict = grown(&notes[from], &Today { proof, ..today });
                assert_eq!(verdict.exit_code(), 21, "{from} to {to}: {verdict}");
            };
            for at in 0..proof.len() {
                let mut flipped = proof.clone();
                flipped[at][at % 32] ^= 1;
                refused(&flipped);
                refused(&[&proof[..at], &proof[at + 1..]].concat());
            }
            refused(&[proof.clone(), vec![[7; 32]]].concat());
            refused(&[vec![[7; 32]], proof.clone()].concat());
            if from > 1 {
                let shorter = Today { checkpoint: &notes[from - 1], ..today };
                let missing = Verdict::Incomplete { first: from as u64 - 1, last: from as u64 - 1, at_end: true };
                assert_eq!(grown(&notes[from], &shorter), missing);
            }
        }
    }
}

#[test]
fn a_log_of_another_history_or_key_proves_nothing_of_the_one_that_was_seen() {
    let (mine, first_entry, notes) = log(9);
    // The same log with another entry in it, signed by the same key: every proof of its own is right in itself.
    let mut other = Log::new();
    for at in 1..12 {
        other.entry(&format!(r#","kind":"paused","at":{at}"#));
    }
    for (from, note) in notes.iter().enumerate().skip(2) {
        let proof = subproof(from, &other.entries, true);
        let verdict = grown(note, &Today { first_entry: &first_entry, checkpoint: &other.note(), proof: &proof });
        assert_eq!(verdict.exit_code(), 21, "{from}: {verdict}");
    }
    let today = Today { first_entry: &first_entry, checkpoint: &notes[9], proof: &[] };
    let refused = |pin: &str, today: &Today<'_>, code: u8, why: &str| {
        let verdict = grown(pin, today);
        assert!(verdict.exit_code() == code && verdict.to_string().contains(why), "{verdict}");
    };
    assert_eq!(grown(&notes[9], &today).exit_code(), 0);
    refused("no note", &today, 20, "the pinned checkpoint is not one");
    refused(&notes[9], &Today { checkpoint: "no note", ..today }, 20, "the checkpoint of today is not one");
    // Another key in the first entry is another log.
    let mut another = first_entry.clone();
    another["genesis"]["key"] = "22".repeat(32).into();
    refused(&notes[9], &Today { first_entry: &another, ..today }, 20, "does not name the log");
    // A checkpoint that somebody else signed in this log's name.
    let mut forged = Log { key: ed25519_dalek::SigningKey::from_bytes(&[8; 32]), ..Log::new() };
    forged.entries.clone_from(&mine.entries);
    refused(&notes[9], &Today { checkpoint: &forged.note(), ..today }, 20, "today is not signed by this log's key");
    refused(&forged.note(), &today, 20, "the pinned checkpoint is not signed by this log's key");
    // Of a log that begins elsewhere.
    let mut elsewhere = forged;
    elsewhere.id = crate::hex(&sha(&[b"elsewhere"])[..16]);
    refused(&elsewhere.note(), &today, 21, "the pin is of log");
}
