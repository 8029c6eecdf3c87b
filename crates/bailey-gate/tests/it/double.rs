//! A ledger in memory: **a double**. It keeps the order and the atomicity of the real one and proves nothing about disks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bailey_gate::approval::{Assertion, Authority, ChallengeKey, Disbelief, Proof, Purpose};
use bailey_gate::event::{Actor, Client, Event, Field, Origin};
use bailey_gate::family::mail::{MailAction, Message, MessageId};
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::{Action, ActionKind, Level, Party, Taint};
use bailey_gate::handoff::{Mode, PauseState};
use bailey_gate::ledger::{
    Claims, Grant, Job, Ledger, Look, PauseRecord, Relationship, Row, Scope, Since, StoreError, TaskTaint, Turn, Tx,
    View,
};
use bailey_gate::policy::{Policy, Question};
use bailey_gate::{
    ActionId, Challenge, ConnectionId, Digest, Evidence, Gate, HomeId, Limits, Nonce, Now, Parts, Proposal, Ruling,
    State, StaticContext, TaskId,
};

#[derive(Debug, Clone, Default)]
pub struct Store {
    pub rows: BTreeMap<ActionId, Row>,
    pub contents: BTreeMap<ActionId, Vec<u8>>,
    pub events: Vec<Event>,
    pub grants: BTreeMap<ConnectionId, Grant>,
    pub known: BTreeSet<String>,
    pub marks: BTreeMap<TaskId, TaskTaint>,
    pub surroundings: u64,
}

#[derive(Default)]
pub struct MemoryLedger {
    pub store: Mutex<Store>,
    pub full: AtomicBool,
    /// Happens between the next look and the transaction behind it.
    pub meanwhile: Meanwhile,
    /// Tells whether something changes behind every look.
    pub restless: AtomicBool,
    /// Happens right before the next transaction writes, when all has been judged.
    pub at_last: Meanwhile,
}

impl Ledger for MemoryLedger {
    fn transact(&self, _: Turn, job: Job<'_>) -> Result<(), StoreError> {
        let at_last = self.at_last.lock().unwrap().take();
        at_last.into_iter().for_each(|happens| happens());
        let mut store = self.store.lock().unwrap();
        let mut work = store.clone();
        job(&mut work)?;
        if self.full.load(Ordering::SeqCst) && work.events.len() > store.events.len() {
            return Err(StoreError::Full);
        }
        *store = work;
        Ok(())
    }

    fn look(&self, look: Look<'_>) -> Result<(), StoreError> {
        let mut seen = self.store.lock().unwrap().clone();
        let looked = look(&mut seen);
        let meanwhile = self.meanwhile.lock().unwrap().take();
        meanwhile.into_iter().for_each(|happens| happens());
        self.store.lock().unwrap().surroundings += u64::from(self.restless.load(Ordering::SeqCst));
        looked
    }

    fn content(&self, id: &ActionId) -> Result<Vec<u8>, StoreError> {
        Ok(self.store.lock().unwrap().contents.get(id).cloned().unwrap_or_default())
    }
}

impl View for Store {
    fn surroundings(&mut self) -> u64 {
        self.surroundings
    }

    fn row(&mut self, id: &ActionId) -> Result<Option<Row>, StoreError> {
        Ok(self.rows.get(id).cloned())
    }

    fn last_reasons(&mut self, id: &ActionId) -> Result<Vec<String>, StoreError> {
        let last = self.events.iter().rev().find(|entry| entry.action == Some(*id));
        Ok(last.map(|entry| entry.reasons.clone()).unwrap_or_default())
    }

    fn account(&mut self, _connection: &ConnectionId) -> Result<String, StoreError> {
        Ok("me@example.org".into())
    }

    fn grant(&mut self, connection: &ConnectionId) -> Result<Option<Grant>, StoreError> {
        Ok(self.grants.get(connection).copied())
    }

    fn relationship(&mut self, party: &Party) -> Result<Relationship, StoreError> {
        Ok(Relationship { known: self.known.contains(&party.value), own: false, inside: false })
    }

    fn confusable_with(&mut self, party: &Party) -> Result<Option<String>, StoreError> {
        Ok(self.known.iter().find(|known| bailey_gate::ground::is_confusable(known, &party.value)).cloned())
    }

    fn schedule(&mut self, _task: &TaskId) -> Result<String, StoreError> {
        Ok(String::new())
    }

    fn scope(&mut self, _task: &TaskId, _connection: &ConnectionId) -> Result<Scope, StoreError> {
        Ok(Scope::Whole)
    }

    fn origin(&mut self, _task: &TaskId) -> Result<Option<Origin>, StoreError> {
        Ok(Some(Origin::Person))
    }

    fn task_words(&mut self, _task: &TaskId) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    fn named(&mut self, _task: &TaskId) -> Result<Vec<Party>, StoreError> {
        Ok(Vec::new())
    }

    fn marks(&mut self, task: &TaskId) -> Result<TaskTaint, StoreError> {
        Ok(self.marks.get(task).copied().unwrap_or_default())
    }

    fn notes_taint(&mut self) -> Result<Taint, StoreError> {
        Ok(Taint::default())
    }

    fn spent_since(&mut self, _wall_ms: i64, but: &ActionId) -> Result<u64, StoreError> {
        let others = self.rows.values().filter(|row| row.id != *but && row.claim.is_some());
        Ok(others.map(|row| row.amount).sum())
    }

    fn count_of_task(&mut self, task: &TaskId, state: State) -> Result<u64, StoreError> {
        Ok(self.rows.values().filter(|row| row.task == Some(*task) && row.state == state).count() as u64)
    }

    fn claimed_since(&mut self, kind: ActionKind, _since: Since) -> Result<Claims, StoreError> {
        let claimed = self.rows.values().filter(|row| row.kind == kind && row.claim.is_some()).count() as u64;
        Ok(Claims { today: claimed, hour: claimed })
    }
}

impl Tx for Store {
    fn view(&mut self) -> &mut dyn View {
        self
    }

    fn rows_in(&mut self, states: &[State]) -> Result<Vec<Row>, StoreError> {
        Ok(self.rows.values().filter(|row| states.contains(&row.state)).cloned().collect())
    }

    fn insert(&mut self, row: &Row, entry: Event) -> Result<(), StoreError> {
        let content = entry.payload.0.iter().find_map(|(name, field)| match field {
            Field::Bytes(bytes) if *name == "content" => Some(bytes.clone()),
            Field::Bytes(_) | Field::Text(_) => None,
        });
        assert!(self.rows.insert(row.id, row.clone()).is_none(), "an identity is used once");
        self.contents.insert(row.id, content.unwrap());
        self.events.push(entry);
        Ok(())
    }

    fn step(&mut self, row: &Row, from: State, entry: Event) -> Result<(), StoreError> {
        let old = self.rows.insert(row.id, row.clone()).unwrap();
        assert_eq!(old.state, from);
        assert!(from.may_become(row.state), "{from:?} -> {:?}", row.state);
        self.events.push(entry);
        Ok(())
    }

    fn log(&mut self, entry: Event) -> Result<(), StoreError> {
        self.events.push(entry);
        Ok(())
    }

    fn learn(&mut self, party: &Party, _name: &str) -> Result<(), StoreError> {
        self.surroundings += u64::from(self.known.insert(party.value.clone()));
        Ok(())
    }

    fn mark(&mut self, task: &TaskId, taint: Taint, off_task: bool) -> Result<(), StoreError> {
        let marks = self.marks.entry(*task).or_default();
        marks.brought.untrusted |= taint.untrusted;
        marks.brought.confidential |= taint.confidential;
        marks.off_task += u64::from(off_task);
        Ok(())
    }
}

/// A policy the test sets: mail asks, or goes by itself.
#[derive(Debug, Default)]
pub struct Simple {
    pub mail_is_auto: AtomicBool,
    pub nothing_goes: AtomicBool,
    /// Nothing goes once the task has read what others wrote.
    pub reading_matters: AtomicBool,
}

impl Policy for Simple {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        let auto = self.mail_is_auto.load(Ordering::SeqCst) || question.kind.is_local();
        let tainted = self.reading_matters.load(Ordering::SeqCst) && question.facts.untrusted_read;
        let goes = !self.nothing_goes.load(Ordering::SeqCst) && !tainted;
        let allowed = goes && (auto || question.evidence >= Evidence::Approved);
        Ruling { allowed, rules: vec!["test".into()] }
    }

    fn version(&self) -> String {
        format!("test {}", self.nothing_goes.load(Ordering::SeqCst))
    }

    fn heeds(&self, _: ActionKind, _: &str) -> bool {
        true
    }
}

/// Accepts a signature that repeats the message.
#[derive(Debug)]
pub struct Echo {
    pub stepped_up: bool,
}

impl Authority for Echo {
    fn verify(&self, _: &[u8; 16], message: &[u8], assertion: &Assertion, _: Now) -> Result<bool, Disbelief> {
        match assertion {
            Assertion::PassphraseKey { signature } if message == signature => Ok(self.stepped_up),
            Assertion::PassphraseKey { .. } => Err(Disbelief::Wrong),
            Assertion::Passkey { .. } => Err(Disbelief::NoPasskey),
        }
    }
}

#[derive(Default)]
pub struct Record(pub Mutex<Vec<(bool, u64)>>, pub Meanwhile);

/// What is to happen right before something is recorded the next time.
pub type Meanwhile = Mutex<Option<Box<dyn FnOnce() + Send>>>;

impl PauseRecord for Record {
    fn write(&self, paused: bool, epoch: u64) -> Result<(), String> {
        let meanwhile = self.1.lock().unwrap().take();
        meanwhile.into_iter().for_each(|happens| happens());
        self.0.lock().unwrap().push((paused, epoch));
        Ok(())
    }
}

pub struct Bench {
    pub gate: Arc<Gate>,
    pub ledger: Arc<MemoryLedger>,
    pub policy: Arc<Simple>,
    pub record: Arc<Record>,
}

pub const HOME: HomeId = HomeId::from_bytes([1; 16]);
pub const CONNECTION: ConnectionId = ConnectionId::from_bytes([2; 16]);

pub fn at(ms: u64) -> Now {
    Now { wall_ms: 1_000_000 + i64::try_from(ms).unwrap(), boot_ms: 500 + ms, boot_id: [9; 16] }
}

pub fn action_id(n: u8) -> ActionId {
    ActionId::from_bytes([n; 16])
}

pub fn mailbox(address: &str) -> Mailbox {
    Mailbox { name: None, address: Address::new(address).unwrap() }
}

pub fn message(recipients: &[&str]) -> Message {
    Message {
        from: mailbox("me@example.org"),
        to: recipients.iter().map(|to| mailbox(to)).collect(),
        cc: vec![],
        bcc: vec![],
        subject: Line::new("Subject").unwrap(),
        body: "Body\n".into(),
        date: 1_700_000_000,
        offset_minutes: 60,
        message_id: MessageId::new("<id@example.org>").unwrap(),
        in_reply_to: None,
        references: vec![],
        attachments: vec![],
        keep_in: None,
        source: None,
    }
}

pub fn mail(n: u8) -> Proposal {
    Proposal {
        id: action_id(n),
        task: None,
        account: Some(CONNECTION),
        precondition: vec![],
        action: Action::Mail(MailAction::Send(message(&["ana@example.org"]))),
        why: "test".into(),
        actor: Actor::Agent,
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Limits { hold_ms: 0, ..Limits::default() }, true)
    }

    pub fn with(limits: Limits, stepped_up: bool) -> Self {
        let ledger = Arc::new(MemoryLedger::default());
        let grant = Grant { level: Level::Full, active: true, generation: 1 };
        ledger.store.lock().unwrap().grants.insert(CONNECTION, grant);
        let (policy, record) = (Arc::new(Simple::default()), Arc::new(Record::default()));
        let gate = Gate::new(Parts {
            home: HOME,
            ledger: Arc::clone(&ledger) as Arc<dyn Ledger>,
            policy: Arc::clone(&policy) as Arc<dyn Policy>,
            authority: Arc::new(Echo { stepped_up }),
            record: Arc::clone(&record) as Arc<dyn PauseRecord>,
            pause_state: PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 7 },
            limits,
            person_context: Arc::new(StaticContext { minutes: 0, attended: true }),
            challenge_key: ChallengeKey::from_bytes([5; 32]),
        });
        Self { gate: Arc::new(gate), ledger, policy, record }
    }

    pub fn state(&self, n: u8) -> State {
        self.ledger.store.lock().unwrap().rows[&action_id(n)].state
    }

    pub fn digest(&self, n: u8) -> Digest {
        self.ledger.store.lock().unwrap().rows[&action_id(n)].digest
    }

    pub fn proof(&self, purpose: &Purpose, now: Now) -> Proof {
        let nonce = Nonce::from_bytes([self.ledger.store.lock().unwrap().events.len() as u8; 16]);
        self.sign(purpose, self.gate.challenge(&nonce, now))
    }

    pub fn sign(&self, purpose: &Purpose, challenge: Challenge) -> Proof {
        Proof {
            challenge,
            credential: [3; 16],
            assertion: Assertion::PassphraseKey { signature: purpose.message(&HOME, &challenge) },
            client: Client::CommandLine,
            session: [4; 16],
        }
    }

    pub fn approve(&self, n: u8, now: Now) -> Result<Vec<bailey_gate::Permit>, bailey_gate::GateError> {
        let shown = vec![(action_id(n), self.digest(n))];
        let proof = self.proof(&Purpose::Approve(shown.clone()), now);
        self.gate.approve(shown, &proof, now)
    }

    pub fn resume(&self, now: Now) {
        let epoch = self.gate.lock().pause_state().epoch;
        let proof = self.proof(&Purpose::Resume { epoch }, now);
        let pause_state = self.gate.begin_resume(epoch, &proof, now).unwrap();
        self.gate.finish_resume(pause_state.epoch, now).unwrap();
    }
}
