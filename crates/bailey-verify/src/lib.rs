//! Checks an exported log, offline, without trusting the program that wrote it.
//!
//! It shares no code with the rest: the format is implemented again, from `docs/log-format.md`, with another Ed25519 and
//! another SHA-256.

mod approval;
mod grown;
mod note;
mod passkey;
mod tree;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

pub use approval::Approvals;
pub use grown::{Today, grown};
pub use note::Checkpoint;

/// Versions of entries there are.
const VERSIONS: std::ops::RangeInclusive<u64> = 1..=2;

/// What an exported log begins with.
pub const FIRST_LINE: &str = "bailey-log 1";

/// Bytes of a line that [`may_begin`] looks at, at most.
pub const LONGEST_BEGINNING: u64 = 64;

/// Tells whether the beginning of a line, or all of it, may be one of a log: of its `first`, or of another. What may not
/// needs no reading on.
#[must_use]
pub fn may_begin(line: &[u8], first: bool) -> bool {
    if first {
        return line.strip_suffix(b"\n").unwrap_or(line) == FIRST_LINE.as_bytes();
    }
    let kinds: [&[u8]; 5] = [b"E ", b"P ", b"R ", b"C ", b"\n"];
    kinds.iter().any(|kind| line.starts_with(kind)) && !line.contains(&0)
}

/// What came of checking a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Whole, and it continues what was seen before.
    Valid {
        /// Entries in the log.
        entries: u64,
        /// Entries the pinned checkpoint covers.
        pinned: u64,
        /// Entries whose payload is not in the file.
        without_payload: u64,
        /// Counts what came of the approvals that can be read.
        approvals: Approvals,
    },
    /// Whole in itself. Without a pin, a log cut at a checkpoint or rewritten with its key looks the same.
    Consistent {
        /// Entries in the log.
        entries: u64,
        /// Entries whose payload is not in the file.
        without_payload: u64,
        /// Counts what came of the approvals that can be read.
        approvals: Approvals,
    },
    /// A proof shows that it begins with what was seen before; its entries were not read.
    Grown {
        /// Entries in the log.
        entries: u64,
        /// Entries the pinned checkpoint covers.
        pinned: u64,
    },
    /// Something was altered.
    Invalid(String),
    /// It is another history than the one that was pinned.
    Diverged(String),
    /// Entries are missing.
    Incomplete {
        /// First missing sequence number.
        first: u64,
        /// Last missing sequence number.
        last: u64,
        /// Tells whether they are missing at the end, which only a pin shows.
        at_end: bool,
    },
}

impl Verdict {
    /// Returns the exit code of the program for this verdict.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Valid { .. } | Self::Grown { .. } => 0,
            Self::Consistent { .. } => 10,
            Self::Invalid(_) => 20,
            Self::Diverged(_) => 21,
            Self::Incomplete { .. } => 22,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid { entries, pinned, without_payload, approvals } => {
                write!(
                    f,
                    "valid up to the pinned checkpoint: {entries} entries, of which the first {pinned} are the ones seen before"
                )?;
                tell_missing(f, *without_payload)?;
                tell_approvals(f, *approvals)
            }
            Self::Consistent { entries, without_payload, approvals } => {
                write!(
                    f,
                    "consistent, freshness unproven: {entries} entries that fit together; without a pinned checkpoint a log that was cut at a checkpoint, or rewritten by someone with its key, cannot be told apart"
                )?;
                tell_missing(f, *without_payload)?;
                tell_approvals(f, *approvals)
            }
            Self::Grown { entries, pinned } => write!(
                f,
                "valid up to the pinned checkpoint: a proof shows that the {entries} entries begin with the {pinned} seen before; what is in \
                 them was not read"
            ),
            Self::Invalid(why) => write!(f, "invalid: {why}"),
            Self::Diverged(why) => write!(f, "diverged: {why}"),
            Self::Incomplete { first, last, at_end } => {
                let place = if *at_end { "at the end, as the pinned checkpoint shows" } else { "in the middle" };
                if first == last {
                    write!(f, "incomplete: entry {first} is missing {place}")
                } else {
                    write!(f, "incomplete: entries {first} to {last} are missing {place}")
                }
            }
        }
    }
}

fn tell_missing(f: &mut fmt::Formatter<'_>, count: u64) -> fmt::Result {
    match count {
        0 => f.write_str("; every payload is in the file and fits its entry"),
        1 => f.write_str("; 1 payload is not in the file: erased, or left out"),
        _ => write!(f, "; {count} payloads are not in the file: erased, or left out"),
    }
}

fn tell_approvals(f: &mut fmt::Formatter<'_>, Approvals { checked, unchecked }: Approvals) -> fmt::Result {
    let plural = |count: u64| if count == 1 { "approval" } else { "approvals" };
    if checked > 0 {
        write!(f, "; {checked} {} checked: signed by the credential that the log introduced", plural(checked))?;
    }
    if unchecked > 0 {
        let of = plural(unchecked);
        write!(f, "; {unchecked} {of} without evidence that can be checked here: of an earlier version")?;
    }
    Ok(())
}

/// What the first entry says of the log.
struct Genesis {
    log: String,
    key: [u8; 32],
}

/// Checks the text of an export, against a pinned checkpoint where there is one.
#[must_use]
pub fn verify(export: &str, pin: Option<&str>) -> Verdict {
    match check(export, pin) {
        Ok(verdict) | Err(verdict) => verdict,
    }
}

fn invalid(why: impl Into<String>) -> Verdict {
    Verdict::Invalid(why.into())
}

/// State while reading line by line.
struct Reading<'a> {
    export: &'a str,
    genesis: Option<Genesis>,
    tree: tree::Tree,
    /// Size and time of the last checkpoint.
    checkpointed: u64,
    /// The last entry's word on its payload: commitment and hash of the sealed bytes.
    payload: Option<(String, String)>,
    /// The last entry's header, and its version.
    header: serde_json::Value,
    version: u64,
    credentials: approval::Credentials,
    /// Entries so far whose payload did not follow.
    missing: u64,
    /// The root where the pin ends.
    at_pin: Option<[u8; 32]>,
}

fn check(export: &str, pin: Option<&str>) -> Result<Verdict, Verdict> {
    let pin = pin
        .map(|text| Checkpoint::parse(text).ok_or_else(|| invalid("the pinned checkpoint is not one")))
        .transpose()?;
    let mut lines = export.split('\n');
    if lines.next() != Some(FIRST_LINE) {
        return Err(invalid("this is not an exported log of version 1"));
    }
    let mut reading = Reading {
        export,
        genesis: None,
        tree: tree::Tree::default(),
        checkpointed: 0,
        payload: None,
        header: serde_json::Value::Null,
        version: 0,
        credentials: approval::Credentials::default(),
        missing: 0,
        at_pin: None,
    };
    for (number, line) in lines.enumerate() {
        let at = number + 2;
        match line.split_once(' ') {
            Some(("E", header)) => {
                reading.entry(header, at)?;
                if pin.as_ref().is_some_and(|pin| pin.size == reading.tree.size()) {
                    reading.at_pin = Some(reading.tree.root());
                }
            }
            Some(("P", rest)) => reading.sealed(rest, at)?,
            Some(("R", rest)) => reading.readable(rest, at)?,
            Some(("C", note)) => reading.checkpoint(note, at)?,
            None if line.is_empty() => {}
            Some(_) | None => return Err(invalid(format!("line {at} is of no known kind"))),
        }
    }
    let entries = reading.tree.size();
    let genesis = reading.genesis.as_ref().ok_or_else(|| invalid("the log is empty"))?;
    let Some(pin) = pin else {
        reading.all_covered()?;
        return Ok(Verdict::Consistent {
            entries,
            without_payload: reading.missing,
            approvals: reading.credentials.found,
        });
    };
    if pin.origin != format!("bailey/{}", genesis.log) {
        return Err(Verdict::Diverged(format!("the pin is of log `{}`, this is `bailey/{}`", pin.origin, genesis.log)));
    }
    if !pin.is_signed_by(&genesis.key) {
        return Err(invalid("the pinned checkpoint is not signed by this log's key"));
    }
    if pin.size > entries {
        return Err(Verdict::Incomplete { first: entries, last: pin.size - 1, at_end: true });
    }
    if reading.at_pin != Some(pin.root) {
        return Err(Verdict::Diverged(format!(
            "its first {} entries are not the ones that were seen before",
            pin.size
        )));
    }
    reading.all_covered()?;
    Ok(Verdict::Valid {
        entries,
        pinned: pin.size,
        without_payload: reading.missing,
        approvals: reading.credentials.found,
    })
}

/// Returns the number that the so-manieth entry of the file claims; outer `None` if there is none.
fn number_of(export: &str, place: usize) -> Option<Option<u64>> {
    let header = export.split('\n').filter_map(|line| line.strip_prefix("E ")).nth(place)?;
    let fields = serde_json::from_str::<serde_json::Value>(header).ok();
    Some(fields.and_then(|fields| fields.get("seq")?.as_u64()))
}

impl Reading<'_> {
    fn entry(&mut self, header: &str, at: usize) -> Result<(), Verdict> {
        let fields: serde_json::Value =
            serde_json::from_str(header).map_err(|_| invalid(format!("line {at}: the entry is not JSON")))?;
        let text = |name: &str| fields.get(name).and_then(serde_json::Value::as_str);
        let number = |name: &str| fields.get(name).and_then(serde_json::Value::as_u64);
        let version = number("v").filter(|version| VERSIONS.contains(version));
        let version = version.ok_or_else(|| invalid(format!("line {at}: the entry is of no known version")))?;
        // Else whoever left evidence out could say that it is an old entry.
        if version < self.version {
            return Err(invalid(format!("line {at}: the entry is of an older version than one before it")));
        }
        self.version = version;
        let seq = number("seq").ok_or_else(|| invalid(format!("line {at}: the entry has no number")))?;
        let expected = self.tree.size();
        if seq > expected {
            // A gap that the next entry does not share is no gap but an altered number.
            let place = usize::try_from(expected).unwrap_or(usize::MAX);
            return Err(match number_of(self.export, place.saturating_add(1)) {
                Some(next) if next != Some(seq.saturating_add(1)) => {
                    invalid(format!("the number of entry {expected} was altered"))
                }
                Some(_) | None => Verdict::Incomplete { first: expected, last: seq - 1, at_end: false },
            });
        }
        if seq < expected {
            return Err(invalid(format!("line {at}: entry {seq} comes again or out of order")));
        }
        if self.genesis.is_none() {
            self.genesis =
                Some(genesis(&fields).ok_or_else(|| invalid("the first entry does not name the log and its key"))?);
        }
        if self.genesis.as_ref().map(|genesis| genesis.log.as_str()) != text("log") {
            return Err(invalid(format!("entry {seq} is of another log")));
        }
        self.payload = fields.get("payload").and_then(|payload| {
            let part = |name: &str| Some(payload.get(name)?.as_str()?.to_owned());
            Some((part("commitment")?, part("sealed")?))
        });
        self.missing += u64::from(self.payload.is_some());
        self.tree.append(header.as_bytes());
        self.header = fields;
        Ok(())
    }

    /// Returns the number that stands before a payload must be that of the entry just read.
    fn own_number<'a>(&self, rest: &'a str, at: usize) -> Result<(u64, &'a str), Verdict> {
        let (seq, rest) = rest.split_once(' ').ok_or_else(|| invalid(format!("line {at} is cut short")))?;
        let seq = decimal(seq).ok_or_else(|| invalid(format!("line {at}: no entry number")))?;
        if self.tree.size().checked_sub(1) != Some(seq) {
            return Err(invalid(format!("line {at}: the payload of entry {seq} stands in the wrong place")));
        }
        Ok((seq, rest))
    }

    fn sealed(&mut self, rest: &str, at: usize) -> Result<(), Verdict> {
        let (seq, body) = self.own_number(rest, at)?;
        let bytes =
            BASE64.decode(body).map_err(|_| invalid(format!("the sealed payload of entry {seq} is not base64")))?;
        let (_, expected) =
            self.payload.as_ref().ok_or_else(|| invalid(format!("entry {seq} has no payload, yet one is given")))?;
        if hex(&Sha256::digest(&bytes)) == *expected {
            self.missing -= 1;
            self.payload = None;
            Ok(())
        } else {
            Err(invalid(format!("the sealed payload of entry {seq} was altered")))
        }
    }

    fn readable(&mut self, rest: &str, at: usize) -> Result<(), Verdict> {
        let (seq, rest) = self.own_number(rest, at)?;
        let (salt, json) = rest.split_once(' ').ok_or_else(|| invalid(format!("line {at} is cut short")))?;
        let salt = unhex::<16>(salt).ok_or_else(|| invalid(format!("line {at}: the salt is not 16 bytes")))?;
        let (expected, _) =
            self.payload.as_ref().ok_or_else(|| invalid(format!("entry {seq} has no payload, yet one is given")))?;
        let hash = Sha256::new().chain_update(b"bailey payload 1\0").chain_update(salt).chain_update(json).finalize();
        if hex(&hash) != *expected {
            return Err(invalid(format!("the payload of entry {seq} was altered")));
        }
        let words = serde_json::from_str(json).unwrap_or_default();
        self.credentials.look(&self.header, &words).map_err(|why| invalid(format!("entry {seq} {why}")))?;
        self.missing -= 1;
        self.payload = None;
        Ok(())
    }

    fn checkpoint(&mut self, note: &str, at: usize) -> Result<(), Verdict> {
        let bytes = BASE64.decode(note).map_err(|_| invalid(format!("line {at}: the checkpoint is not base64")))?;
        let text = String::from_utf8(bytes).map_err(|_| invalid(format!("line {at}: the checkpoint is not text")))?;
        let checkpoint =
            Checkpoint::parse(&text).ok_or_else(|| invalid(format!("line {at}: the checkpoint is malformed")))?;
        let genesis = self.genesis.as_ref().ok_or_else(|| invalid("a checkpoint stands before the first entry"))?;
        if checkpoint.origin != format!("bailey/{}", genesis.log) || !checkpoint.is_signed_by(&genesis.key) {
            return Err(invalid(format!(
                "the checkpoint at entry {} is not signed by this log's key",
                checkpoint.size
            )));
        }
        let entries = self.tree.size();
        if checkpoint.size > entries {
            return Err(Verdict::Incomplete { first: entries, last: checkpoint.size - 1, at_end: false });
        }
        if checkpoint.size < entries {
            return Err(invalid(format!(
                "line {at}: the checkpoint of {} entries stands in the wrong place",
                checkpoint.size
            )));
        }
        if checkpoint.root != self.tree.root() {
            let from = self.checkpointed;
            return Err(invalid(format!(
                "an entry from {from} to {} was altered: the signed root does not match",
                entries - 1
            )));
        }
        self.checkpointed = entries;
        Ok(())
    }

    fn all_covered(&self) -> Result<(), Verdict> {
        let entries = self.tree.size();
        if self.checkpointed == entries {
            return Ok(());
        }
        Err(invalid(format!(
            "entries from {} on are not covered by any checkpoint, so nothing vouches for them",
            self.checkpointed
        )))
    }
}

/// Returns a number as the format writes it: digits, and no zero before others.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn genesis(fields: &serde_json::Value) -> Option<Genesis> {
    let part = fields.get("genesis")?;
    let nonce = unhex::<16>(part.get("nonce")?.as_str()?)?;
    let key = unhex::<32>(part.get("key")?.as_str()?)?;
    let hash = Sha256::new().chain_update(b"bailey log 1\n").chain_update(nonce).chain_update(key).finalize();
    let log = hex(hash.get(..16)?);
    (fields.get("log")?.as_str()? == log && fields.get("kind")?.as_str()? == "genesis").then_some(Genesis { log, key })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..N).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    bytes?.try_into().ok()
}
