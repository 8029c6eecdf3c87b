//! Log entries as the gate writes them: codes in the header, everything a person wrote or read in the sealed payload.

use crate::family::ActionKind;
use crate::ids::{ActionId, ConnectionId, Digest, TaskId};
use crate::named::named_enum;
use crate::state::State;
use crate::time::Now;
use crate::verdict::{Class, Decision};

/// Says what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The log begins.
    Genesis,
    /// The home was opened; carries what was found.
    Opened,
    /// The database is older than the mark outside of it.
    Forked,
    /// An action was proposed.
    Proposed,
    /// An action moved from one state to another.
    Step,
    /// Everything was stopped.
    Paused,
    /// Resuming began.
    Resuming,
    /// Effects may leave again.
    Resumed,
    /// A connection was made, or its grant changed.
    Connected,
    /// A connection was revoked.
    Revoked,
    /// The person gave a task.
    Task,
    /// A credential for approving was set.
    Authority,
    /// The log was exported.
    Exported,
    /// A payload was erased on request.
    Erased,
    /// A request went to a model provider.
    Model,
    /// The person's rules changed.
    Rules,
    /// Settings of the person's daily life changed.
    Settings,
    /// The person put, moved, trashed or restored files, or emptied their trash.
    Files,
    /// A schedule was made, changed, begun again, stopped or deleted.
    Scheduled,
    /// A time of a schedule came, and has its outcome.
    Fired,
    /// Something about the agent's computer: it was made, started, stopped or destroyed, or a program of it made a request.
    Computer,
}

impl EventKind {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Opened => "opened",
            Self::Forked => "forked",
            Self::Proposed => "proposed",
            Self::Step => "step",
            Self::Paused => "paused",
            Self::Resuming => "resuming",
            Self::Resumed => "resumed",
            Self::Connected => "connected",
            Self::Revoked => "revoked",
            Self::Task => "task",
            Self::Authority => "authority",
            Self::Exported => "exported",
            Self::Erased => "erased",
            Self::Model => "model",
            Self::Rules => "rules",
            Self::Settings => "settings",
            Self::Files => "files",
            Self::Scheduled => "scheduled",
            Self::Fired => "fired",
            Self::Computer => "computer",
        }
    }
}

named_enum! {
    /// Who or what began a task.
    Origin {
        /// The person gave it, or a program with the token in their name.
        Person = "person",
        /// A schedule of the person's.
        Schedule = "schedule",
        /// Something that happened, which the person said to act on.
        Trigger = "trigger",
        /// Another agent.
        Agent = "agent",
    }
}

/// Who caused an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The agent: a model's proposal, through the loop.
    Agent,
    /// The person, proven.
    Person,
    /// A program with the token: the person's command line, or another.
    Client,
    /// The gate: a decision, a deadline, a recheck.
    Gate,
    /// The home itself: opening, reconciling.
    Home,
}

impl Actor {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Person => "person",
            Self::Client => "client",
            Self::Gate => "gate",
            Self::Home => "home",
        }
    }
}

/// Proof that the person answered, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// Names the credential that signed.
    pub credential: [u8; 16],
    /// The client program that showed the preview.
    pub client: Client,
    /// The client's session.
    pub session: [u8; 16],
    /// Tells whether the person proved presence for this very answer.
    pub stepped_up: bool,
}

/// Names what a person can answer from, as the credential tells that a request came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    /// The command line.
    CommandLine,
    /// The dashboard, in a browser.
    Dashboard,
    /// A program with the home's token.
    Program,
}

impl Client {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::CommandLine, Self::Dashboard, Self::Program];

    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CommandLine => "cli",
            Self::Dashboard => "dashboard",
            Self::Program => "program",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|client| client.name() == name)
    }
}

/// One named field of a sealed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Words.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Holds what an entry says in words: sealed under a key of its own, erasable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payload(pub Vec<(&'static str, Field)>);

impl Payload {
    /// Adds words.
    #[must_use]
    pub fn text(mut self, name: &'static str, words: impl Into<String>) -> Self {
        self.0.push((name, Field::Text(words.into())));
        self
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, name: &'static str, bytes: Vec<u8>) -> Self {
        self.0.push((name, Field::Bytes(bytes)));
        self
    }

    /// Adds a digest. Digests live in payloads only: unsalted, they would let a reader of headers confirm a guess.
    #[must_use]
    pub fn digest(self, name: &'static str, digest: &Digest) -> Self {
        self.text(name, digest.to_string())
    }
}

/// One entry before the ledger numbers, seals and hashes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Says what happened.
    pub kind: EventKind,
    /// When.
    pub at: Now,
    /// Who caused it.
    pub actor: Actor,
    /// The pause epoch it happened in.
    pub epoch: u64,
    /// The lease epoch it happened in.
    pub lease_epoch: u64,
    /// The task it belongs to.
    pub task: Option<TaskId>,
    /// The action it is about.
    pub action: Option<ActionId>,
    /// How often the action was claimed so far.
    pub attempt: u32,
    /// The account it is about, with the generation of its grant.
    pub account: Option<(ConnectionId, u64)>,
    /// The kind of action.
    pub tool: Option<ActionKind>,
    /// Its class.
    pub class: Option<Class>,
    /// Says what was decided.
    pub decision: Option<Decision>,
    /// Why, as stable rule and reason names.
    pub reasons: Vec<String>,
    /// The state before.
    pub from: Option<State>,
    /// The state after.
    pub to: Option<State>,
    /// Who approved.
    pub approval: Option<Approval>,
    /// Holds what it says in words.
    pub payload: Payload,
}

impl Event {
    /// Returns an entry about the home rather than about an action.
    #[must_use]
    pub fn of_home(kind: EventKind, actor: Actor, at: Now, pause_state: crate::handoff::PauseState) -> Self {
        Self {
            kind,
            at,
            actor,
            epoch: pause_state.epoch,
            lease_epoch: pause_state.lease_epoch,
            task: None,
            action: None,
            attempt: 0,
            account: None,
            tool: None,
            class: None,
            decision: None,
            reasons: Vec::new(),
            from: None,
            to: None,
            approval: None,
            payload: Payload::default(),
        }
    }
}
