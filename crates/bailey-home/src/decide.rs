//! A gate for programs that speak JSON lines: it decides as a home decides, over a store of its own, and carries nothing out.
//!
//! One request on a line, one answer on a line:
//! ```text
//! {"op":"start","session","prompt","facts":{"self":[..],"org_domains":[..],"known":{KIND:[..]}},"tools":{NAME:MANIFEST}}  → {}
//! {"op":"decide","session","call":{"id","tool","args":{..}}}    → {"decision":"auto|ask|deny","rule","reason"}
//! {"op":"observe","session","call":{..},"status":"executed|rejected|denied|error","by":"gate|user"}     → {}
//! {"op":"end","session"}                                        → {}
//! ```
//! `prompt` is all the person wrote; `facts` is what their accounts proved before. What a tool gave back is not looked at: no
//! decision depends on what others wrote. Whether the person says yes is the caller's to say (`by`); here a key made for the
//! session signs for them, which is **a double** of the person.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailey_connectors::manifest::{manifest, tool_use};
use bailey_gate::approval::{Assertion, Proof, Purpose};
use bailey_gate::event::{Actor, Client};
use bailey_gate::family::tool::Manifest;
use bailey_gate::family::{Action, Party};
use bailey_gate::handoff::Wrote;
use bailey_gate::ledger::Tx as _;
use bailey_gate::{
    ActionId, Claiming, Decision, Digest, Effect, Gate, Limits, Nonce, Now, Outcome, Permit, Proposal, StaticContext,
    TaskId,
};
use bailey_keys::sign::SigningKey;
use bailey_keys::{HomeKey, Key};
use bailey_ledger::{Ledger, MarkFile, Paths, PauseFile};
use bailey_policy::{CedarPolicy, Profile, rule};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::recovery::{self, Store};

/// Longest line, in bytes.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;
/// The one task of a session.
const TASK: TaskId = TaskId::from_bytes([1; 16]);
/// The credential of the session's double of the person.
const CREDENTIAL: [u8; 16] = [2; 16];

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    Start {
        session: String,
        prompt: String,
        #[serde(default)]
        facts: Facts,
        #[serde(default)]
        tools: Map<String, Value>,
        /// Rules in words beside those of the profile.
        #[serde(default)]
        rules: String,
        /// Groups the rules speak of.
        #[serde(default)]
        groups: rule::Groups,
        /// The schedule the task was begun by.
        #[serde(default)]
        schedule: String,
        /// Tells whether the person is away.
        #[serde(default)]
        away: bool,
        #[serde(default)]
        now: Option<String>,
    },
    Decide {
        session: String,
        call: Call,
        #[serde(default)]
        now: Option<String>,
    },
    Observe {
        session: String,
        call: Call,
        status: Status,
        #[serde(default)]
        by: Option<By>,
        #[serde(default)]
        now: Option<String>,
    },
    End {
        session: String,
    },
}

#[derive(Debug, Default, Deserialize)]
struct Facts {
    #[serde(default, rename = "self")]
    own: Vec<String>,
    #[serde(default)]
    org_domains: Vec<String>,
    #[serde(default)]
    known: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Call {
    id: Value,
    tool: String,
    #[serde(default)]
    args: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Executed,
    Rejected,
    Denied,
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Gate,
    User,
}

/// One session: a home without accounts, with one task.
struct Session {
    folder: PathBuf,
    gate: Arc<Gate>,
    policy: Arc<CedarPolicy>,
    tools: BTreeMap<String, Manifest>,
    person: SigningKey,
    open: BTreeMap<String, Open>,
    count: u64,
}

/// A decided call.
struct Open {
    id: ActionId,
    digest: Digest,
    permit: Option<Permit>,
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Answers requests until the input ends.
pub fn run(profile: Profile, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    let mut decider =
        Decider { profile, clock: Clock::new(Some("UTC")).map_err(io::Error::other)?, sessions: BTreeMap::new() };
    let mut line = String::new();
    loop {
        line.clear();
        if io::Read::take(&mut *input, MAX_LINE_BYTES).read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim().is_empty() {
            continue;
        }
        let answer = decider.answer(&line).unwrap_or_else(|why| json!({ "error": why }));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
}

struct Decider {
    profile: Profile,
    clock: Clock,
    sessions: BTreeMap<String, Session>,
}

impl Decider {
    fn answer(&mut self, line: &str) -> Result<Value, String> {
        let request = serde_json::from_str(line).map_err(|error| format!("this is no request: {error}"))?;
        match request {
            Request::Start { session, prompt, facts, tools, rules, groups, schedule, away, now } => {
                let now = self.at(now.as_deref())?;
                let given =
                    Given { prompt: &prompt, facts: &facts, rules: &rules, groups: &groups, schedule: &schedule, away };
                let begun = Session::begin(self.profile, &given, &tools, now)?;
                self.sessions.insert(session, begun);
                Ok(json!({}))
            }
            Request::Decide { session, call, now } => {
                let now = self.at(now.as_deref())?;
                self.session(&session)?.decide(&call, now)
            }
            Request::Observe { session, call, status, by, now } => {
                let now = self.at(now.as_deref())?;
                self.session(&session)?.observe(&call, status, by, now)?;
                Ok(json!({}))
            }
            Request::End { session } => {
                self.sessions.remove(&session);
                Ok(json!({}))
            }
        }
    }

    /// Returns the moment a request says it is, RFC 3339 or without a zone for UTC; else the clock's.
    fn at(&self, told: Option<&str>) -> Result<Now, String> {
        let mut now = self.clock.now();
        if let Some(told) = told {
            let zoned = told.parse::<jiff::Timestamp>();
            let plain = || told.parse::<jiff::civil::DateTime>().and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
            let moment = zoned.or_else(|_| plain().map(|at| at.timestamp()));
            now.wall_ms = moment.map_err(|error| format!("`now` is no moment: {error}"))?.as_millisecond();
        }
        Ok(now)
    }

    fn session(&mut self, name: &str) -> Result<&mut Session, String> {
        self.sessions.get_mut(name).ok_or_else(|| format!("there is no session `{name}`; start it first"))
    }
}

/// What a session begins with.
struct Given<'a> {
    prompt: &'a str,
    facts: &'a Facts,
    rules: &'a str,
    groups: &'a rule::Groups,
    schedule: &'a str,
    away: bool,
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Session {
    fn begin(profile: Profile, given: &Given<'_>, tools: &Map<String, Value>, now: Now) -> Result<Self, String> {
        let read = |(name, json): (&String, &Value)| Ok((name.clone(), manifest(json).map_err(told)?));
        let tools = tools.iter().map(read).collect::<Result<_, String>>()?;
        let unique = bailey_keys::random::<16>().map(ActionId::from_bytes).map_err(told)?;
        let folder = std::env::temp_dir().join(format!("bailey-decide-{unique}"));
        std::fs::create_dir(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
        let person = SigningKey::from_seed(&Key::from_bytes(bailey_keys::random().map_err(told)?)).map_err(told)?;
        let rules = format!("{}\n{}", profile.rules(), given.rules);
        let policy = rule::parse(&rules).map_err(told).and_then(|rules| {
            let resolved = rules.into_iter().map(|rule| rule.resolved(given.groups));
            let nobody = |group| format!("there is nobody in the group `{group}`");
            let rules = resolved.collect::<Result<Vec<_>, _>>().map_err(nobody)?;
            CedarPolicy::of_rules(&rules, profile.name()).map_err(told)
        });
        let policy = Arc::new(policy.inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?);
        let gate = open(&folder, &person, given, Arc::clone(&policy), now);
        let gate = gate.inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?;
        Ok(Self { folder, gate, policy, tools, person, open: BTreeMap::new(), count: 0 })
    }

    fn decide(&mut self, call: &Call, now: Now) -> Result<Value, String> {
        let action = tool_use("decide", &call.tool, self.tools.get(&call.tool).cloned(), &call.args).map_err(told)?;
        self.count += 1;
        let mut id = [0; 16];
        id.iter_mut().zip(self.count.to_be_bytes()).for_each(|(to, from)| *to = from);
        let proposal = Proposal {
            id: ActionId::from_bytes(id),
            task: Some(TASK),
            account: None,
            precondition: Vec::new(),
            action: Action::Tool(action),
            why: String::new(),
            actor: Actor::Agent,
        };
        let proposed = self.gate.propose(proposal, now).map_err(told)?;
        let decision = match proposed.verdict.decision {
            Decision::Auto => "auto",
            Decision::Ask | Decision::AskWithStepUp => "ask",
            Decision::Deny => "deny",
        };
        let reasons = proposed.verdict.reasons;
        let words: Vec<&str> = reasons.iter().map(|rule| self.policy.explain(rule)).collect();
        let answer = json!({ "decision": decision, "rule": reasons.join(" "), "reason": words.join(" ") });
        let open = Open { id: proposed.id, digest: proposed.digest, permit: proposed.permit };
        self.open.insert(call.id.to_string(), open);
        Ok(answer)
    }

    fn observe(&mut self, call: &Call, status: Status, by: Option<By>, now: Now) -> Result<(), String> {
        let open = self.open.remove(&call.id.to_string());
        let Open { id, digest, permit } = open.ok_or("this call was not decided, or was observed before")?;
        let effect = match status {
            Status::Denied => return Ok(()),
            Status::Rejected => return self.gate.reject(&[id], now).map_err(told),
            Status::Executed => Effect::Done,
            Status::Error => Effect::Refused,
        };
        let permit = match (permit, by) {
            (Some(permit), _) => permit,
            (None, Some(By::User)) => self.approve(id, digest, now)?,
            (None, Some(By::Gate) | None) => return Err("it was carried out without leave".into()),
        };
        match self.gate.claim(permit, now).map_err(told)? {
            Claiming::Claimed(claimed) => {
                claimed
                    .effect_token()
                    .hand_off(|| Wrote::Some)
                    .map_err(|why| format!("it was not let out: {why:?}"))?;
                self.gate.settle(&claimed.settle(Outcome::new(effect, "")), now).map(|_| ()).map_err(told)
            }
            Claiming::Done => Ok(()),
            Claiming::Held(_) => Err("it waits".into()),
            Claiming::NotClaimed(state) => Err(format!("it became {} meanwhile", state.name())),
        }
    }

    /// Returns the double of the person says yes to exactly this.
    fn approve(&self, id: ActionId, digest: Digest, now: Now) -> Result<Permit, String> {
        let nonce = Nonce::from_bytes(bailey_keys::random().map_err(told)?);
        let challenge = self.gate.challenge(&nonce, now);
        let shown = vec![(id, digest)];
        let message = Purpose::Approve(shown.clone()).message(&self.gate.home(), &challenge);
        let assertion = Assertion::PassphraseKey { signature: self.person.sign(&message) };
        let client = Client::CommandLine;
        let proof = Proof { challenge, credential: CREDENTIAL, assertion, client, session: [0; 16] };
        let permits = self.gate.approve(shown, &proof, now).map_err(told)?;
        permits.into_iter().next().ok_or_else(|| "it was not let go".into())
    }
}

/// Makes the store and the gate of a session.
fn open(
    folder: &Path,
    person: &SigningKey,
    given: &Given<'_>,
    policy: Arc<CedarPolicy>,
    now: Now,
) -> Result<Arc<Gate>, String> {
    let Given { prompt, facts, schedule, away, .. } = given;
    let (database, keys) = (folder.join("ledger.db"), folder.join("keys.db"));
    let mark = Box::new(MarkFile::new(&folder.join("mark")));
    let key = HomeKey::take_over(&mut bailey_keys::random::<48>().map_err(told)?.as_slice()).map_err(told)?;
    let paths = Paths { database: &database, keys: &keys, mark, create: true };
    let (ledger, found) = Ledger::open(paths, key, now).map_err(told)?;
    let ledger = Arc::new(ledger);
    let kinds: Vec<&String> = facts.known.keys().collect();
    ledger
        .write(|tx| {
            tx.put_passphrase_key(&CREDENTIAL, &[0; 16], &person.public())?;
            if !schedule.is_empty() {
                tx.put_schedule(&TASK, schedule)?;
            }
            for (kind, values) in &facts.known {
                values.iter().try_for_each(|value| tx.learn(&Party::new(kind.clone(), value), ""))?;
            }
            for domain in &facts.org_domains {
                tx.put_own(&Party::new(Party::ORGANISATION.into(), domain))?;
            }
            for own in &facts.own {
                kinds.iter().try_for_each(|kind| tx.put_own(&Party::new((*kind).clone(), own)))?;
            }
            Ok(())
        })
        .map_err(told)?;
    // Behind those who are known: the words may name them.
    let named = ledger.names_in(prompt).map_err(told)?;
    ledger.write(|tx| tx.put_words(&TASK, 0, prompt, &named)).map_err(told)?;
    PauseFile::create(&folder.join("pause")).map_err(told)?;
    let (record, recorded) = PauseFile::open(&folder.join("pause")).map_err(told)?;
    let transactions = Arc::clone(&ledger) as Arc<dyn bailey_gate::ledger::Ledger>;
    let store = Store {
        ledger,
        transactions,
        found,
        recorded,
        record: Arc::new(record),
        origins: Vec::new(),
        suspicions: Arc::default(),
    };
    let limits = Limits { hold_ms: 0, ..Limits::default() };
    let around = Arc::new(StaticContext { minutes: 0, attended: !away });
    recovery::open_gate(store, policy, limits, around, now).map(|(gate, _)| gate).map_err(told)
}
