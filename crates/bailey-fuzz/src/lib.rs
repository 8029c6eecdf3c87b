//! What hostile bytes are fed to: one function for each parser of what others say, through the doors the product uses.
//!
//! A target panics where a promise is broken; that it panics in no other way is the first of them. Seeds lie in `seeds/`,
//! one folder for each target; what once broke something stays there. `cargo xtask fuzz` runs a target under libFuzzer,
//! led by coverage; the test command runs every seed and some thousand chance variations of them.
//!
//! Invariant of absence: nothing of the product depends on this crate.

mod http;
mod model;
mod tools;
mod wire;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use async_imap::imap_proto::Response;
use bailey_connectors::manifest::{manifest, tool_use};
use bailey_gate::content::Content;
use bailey_gate::family::calendar::Entry;
use bailey_gate::family::escape::is_deceptive;
use bailey_gate::family::{Action, mail};
use bailey_gate::intent::TaskIntent;
use bailey_gate::place::Place;
use bailey_gate::policy::{Facts, Policy as _, Question};
use bailey_gate::{ActionId, Class, Evidence, HomeId, Preview};
use bailey_home::config;
use bailey_home::rules::{CedarPolicy, FAILED, parse};

/// A target.
pub type Target = fn(&[u8]);

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Tells whether what runs on this thread may panic, because the product contains that too.
#[must_use]
pub fn is_contained() -> bool {
    CONTAINED.get() || std::thread::current().name() == Some(bailey_connectors::parsers::MAIL_PARSER)
}

fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    CONTAINED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(false);
    done.ok()
}

/// Every target by name.
pub const TARGETS: [(&str, Target); 21] = [
    ("answers", answers),
    ("mail", mail),
    ("sent", sent),
    ("outline", outline),
    ("file", file),
    ("calendar", calendar),
    ("entry", entry),
    ("content", content),
    ("openai", model::openai),
    ("anthropic", model::anthropic),
    ("plan", model::plan),
    ("screen", model::screen),
    ("tools", tools::prepare),
    ("http", http::request),
    ("verify", verify),
    ("config", configuration),
    ("foreign", foreign),
    ("signin", sign_in),
    ("autoconfig", mail_config),
    ("rules", rules),
    ("wire", wire::wire),
];

/// Most bytes a description of a mail may have: what is fetched of one, written as JSON with every byte escaped.
const MAX_DESCRIPTION_BYTES: usize = 6 * 512 * 1024;

/// Tells whether a terminal shows it as it is.
fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| is_deceptive(c) && c != '\n')
}

/// Tries a mail that was fetched, as a model is told of it.
fn mail(bytes: &[u8]) {
    let told = bailey_connectors::parsers::mail(bytes).to_string();
    assert!(told.len() <= MAX_DESCRIPTION_BYTES, "{} bytes of a mail of {}", told.len(), bytes.len());
}

/// Tries what a mail server answers: the library ends each answer where we did, or it could be told of more behind our back than our
/// bounds allow.
fn answers(bytes: &[u8]) {
    // The library panics over some answers; the product takes those for ones that cannot be read.
    let Some(answers) = contained(|| bailey_vault::parsers::mail_answers(bytes)) else { return };
    let through = answers.concat();
    let (mut rest, mut ends) = (through.as_slice(), BTreeSet::new());
    while !rest.is_empty() {
        let read = Response::parse(rest).ok().map(|(behind, _)| behind);
        assert!(read.is_some(), "the library cannot read what was let through");
        let behind = read.unwrap_or_default();
        ends.insert(through.len() - behind.len());
        rest = behind;
    }
    let ours = answers.iter().scan(0, |end, answer| {
        *end += answer.len();
        Some(*end)
    });
    assert!(ours.into_iter().all(|end| ends.contains(&end)), "the library reads other answers than were let through");
}

/// Tries the header of a mail in Sent: it may make people known.
fn sent(bytes: &[u8]) {
    for (address, _) in bailey_connectors::parsers::recipients_of_sent(bytes, "me@example.org") {
        let known = bailey_gate::family::text::Address::new(&address);
        assert!(known.is_ok_and(|known| known.key() == address), "`{address}` is no address in its comparing form");
    }
}

/// Most bytes fetched for one mail's text, and most of a file's text.
const MAX_WANTED_BYTES: u64 = 4 * 1024 * 1024;
const MAX_FILE_TEXT_BYTES: usize = 4 * 1024 * 1024;

/// Returns what a mail server says of a message's parts, behind the message's header.
fn outline(bytes: &[u8]) {
    let end = bytes.windows(2).position(|window| window == b"\n\n").unwrap_or(0);
    let (header, structure) = bytes.split_at(end);
    let Some(mut outline) = bailey_message::Outline::new(header, structure) else { return };
    let wanted = outline.wanted();
    let all: u64 = wanted.iter().map(|one| one.bytes).sum();
    assert!(all <= MAX_WANTED_BYTES, "{all} bytes of one mail's text");
    for one in &wanted {
        outline.put(&one.section, header.to_vec());
    }
    let _ = outline.read();
}

/// Reads a file of a mail, behind a line with its type and its name.
fn file(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (line, content) = bytes.split_at(end);
    let line = String::from_utf8_lossy(line);
    let (media, name) = line.split_once(' ').unwrap_or((&line, ""));
    let read = bailey_message::extract(content.get(1..).unwrap_or_default(), media, Some(name), None);
    let length = read.map_or(0, |read| read.text.len());
    assert!(length <= MAX_FILE_TEXT_BYTES, "{length} bytes of a file's text");
}

/// Tries a calendar server's answer.
fn calendar(bytes: &[u8]) {
    for (_, entry) in bailey_connectors::parsers::calendar_entries(bytes).unwrap_or_default() {
        look_at(&entry);
    }
}

/// Tries one calendar entry.
fn entry(bytes: &[u8]) {
    if let Ok(object) = bailey_calendar::Object::read(bytes) {
        assert_eq!(object.bytes(), bytes, "an object keeps its bytes");
        let (from, until) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::constant(100 * 86_400, 0));
        for series in bailey_calendar::Series::all(&object) {
            let found = series.within(from, until, &jiff::tz::TimeZone::UTC);
            assert!(found.occurrences.iter().all(|one| one.begins <= one.ends), "an occurrence ends before it begins");
        }
    }
    if let Ok(entry) = Entry::as_it_lies(bytes.to_vec()) {
        look_at(&entry);
    }
}

fn look_at(entry: &Entry) {
    assert!(
        Entry::as_it_lies(entry.bytes().to_vec()).is_ok_and(|again| again == *entry),
        "an entry does not read back"
    );
    for name in ["SUMMARY", "DTSTART", "DTEND", "LOCATION", "RRULE", ""] {
        let _ = entry.property(name);
    }
    let _ = (entry.guests(), entry.lines());
}

/// Tries the encoding of an action, as the database has it.
fn content(bytes: &[u8]) {
    if let Ok(content) = Content::decode(bytes) {
        assert_eq!(content.encode(), bytes, "two encodings of one action");
        assert!(is_plain(&Preview::of(&content).to_string()), "a preview that a terminal would act on");
    }
}

/// Tries an exported log, with a pin after its last blank line where there is one.
fn verify(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (export, pin) = match text.rsplit_once("\n\npin\n") {
        Some((export, pin)) => (export, Some(pin)),
        None => (text.as_ref(), None),
    };
    let verdict = bailey_verify::verify(export, pin);
    assert_eq!(verdict, bailey_verify::verify(export, pin), "two verdicts on one log");
    assert!(is_plain(&verdict.to_string()), "a verdict that a terminal would act on: {verdict:?}");
}

/// Tries a manifest of somebody else's tool and a call of it, one on each line.
fn foreign(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap_or_default());
    let described = lines.next().and_then(|json| manifest(&json).ok());
    let arguments = lines.next().unwrap_or_default();
    let Some(Ok(call)) = arguments.as_object().map(|arguments| tool_use("server", "tool", described, arguments)) else {
        return;
    };
    let (home, id) = (HomeId::from_bytes([1; 16]), ActionId::from_bytes([2; 16]));
    let written = Content { home, id, account: None, precondition: Vec::new(), action: Action::Tool(call) };
    content(&written.encode());
    let _ = (written.action.traits(), written.class(), TaskIntent::of(&text).covers(&written.action));
}

/// Most rules of one text looked at.
const MAX_RULES: usize = 32;

/// Rules in words, rules in Cedar, kept facts and places.
fn rules(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for rule in parse(&text).unwrap_or_default().into_iter().take(MAX_RULES) {
        let words = rule.to_string();
        assert_eq!(parse(&words), Ok(vec![rule]), "`{words}` does not read back as what it was printed from");
    }
    let is_cedar = text.contains("permit") || text.contains("forbid");
    if is_cedar && let Ok(set) = CedarPolicy::with_grants(&text) {
        let (kind, class, facts) = (mail::SEND, Class::Held, Facts::unremarkable());
        let question = Question { kind, class, facts: &facts, evidence: Evidence::Approved };
        assert_ne!(set.rule(&question).rules, [FAILED], "a rule that was let in errs");
    }
    if let Ok(facts) = Facts::decode(bytes) {
        assert_eq!(Facts::decode(&facts.encode()), Ok(facts), "facts do not read back");
    }
    for kind in Place::KINDS {
        if let Some(place) = Place::of(kind, &text) {
            assert!(!Place::within(&[place]).is_empty(), "a place that lies nowhere");
        }
    }
}

/// Tries what a browser brings back to a sign-in, and what an authorization server says of itself.
fn sign_in(bytes: &[u8]) {
    const STATE: &str = "state-of-this-sign-in";
    let text = String::from_utf8_lossy(bytes);
    if let Some(Ok(code)) = bailey_vault::parsers::callback(&text, STATE, "https://issuer.example") {
        assert!(text.len() >= code.len() + 5, "a code longer than what was brought");
    }
    for status in [200, 400, 503] {
        let _ = bailey_vault::parsers::token_answer(status, bytes);
    }
    if let Ok(metadata) = bailey_vault::parsers::metadata(bytes, "https://issuer.example") {
        assert!(metadata.addresses().all(|address| !address.contains(char::is_whitespace)), "an address with a blank");
    }
}

/// Tries what a provider's domain says of its mail servers.
fn mail_config(bytes: &[u8]) {
    let Ok(address) = bailey_gate::family::text::Address::read("me@example.org") else { return };
    for offered in bailey_vault::parsers::mail_config(bytes, &address) {
        let server = &offered.server;
        assert!(server.tls != server.starttls && server.port != 0, "a server without TLS, or without a port");
        assert!(server.host.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)), "a name that is none");
        assert!(!offered.user.chars().any(char::is_control), "a name to sign in with that steers a terminal");
    }
}

/// Tries a configuration file.
fn configuration(bytes: &[u8]) {
    let config = String::from_utf8_lossy(bytes).into_owned();
    let settings = config::Settings { config, path: "config.toml".into(), ..config::Settings::default() };
    if let Err(error) = settings.parse() {
        assert!(!error.to_string().is_empty());
    }
}
