//! Defines what the gate asks of a store: rows, log entries and facts, read and written in one serialised transaction.

use std::fmt;

use crate::codec::CodecError;
use crate::event::{Approval, Event, Origin};
use crate::family::{ActionKind, Level, Party, Taint};
use crate::ids::{ActionId, ConnectionId, Digest, TaskId};
use crate::state::State;
use crate::time::{Deadline, Now};
use crate::verdict::Class;

/// One action as stored; its content is fetched apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Names the action.
    pub id: ActionId,
    /// The task it serves.
    pub task: Option<TaskId>,
    /// Where it stands.
    pub state: State,
    /// Says what it does.
    pub kind: ActionKind,
    /// How far it can be taken back.
    pub class: Class,
    /// The account, and the generation of its grant when the action was prepared.
    pub account: Option<(ConnectionId, u64)>,
    /// Identifies what an approval binds.
    pub digest: Digest,
    /// When it was proposed.
    pub proposed: Now,
    /// Until when it may be answered and run.
    pub expires: Deadline,
    /// Until when it waits although approved.
    pub held: Option<Deadline>,
    /// The person's approval, where there was one.
    pub approval: Option<Approval>,
    /// Pause epoch and lease epoch of the last claim.
    pub claim: Option<(u64, u64)>,
    /// How often it was claimed.
    pub attempt: u32,
    /// The action that this one undoes.
    pub undo_of: Option<ActionId>,
    /// Counts what it spends, in hundredths.
    pub amount: u64,
}

/// A connection as the gate sees it: a scope and whether it still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Limits what it may be used for.
    pub level: Level,
    /// False from the commit that revokes it.
    pub active: bool,
    /// Rises with every change of scope, account or standing.
    pub generation: u64,
}

/// Tells what is known of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relationship {
    /// The person is known to have given them something of their own will: written to them, paid them.
    pub known: bool,
    /// They are the person: an address or an account of their own.
    pub own: bool,
    /// They belong to the person's organisation, by the domain of their address.
    pub inside: bool,
}

/// Actions counted at most where a rule asks how many there were: no rule may ask about more, and counting on would make each
/// action of a busy day dearer than the one before.
pub const MAX_COUNTED: u64 = 500;

/// Tells what a task has let in and asked so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskTaint {
    /// Tells what came in.
    pub brought: Taint,
    /// How many of its questions to the person were off its task ([`crate::policy::Facts::is_off_task`]).
    pub off_task: u64,
}

/// What a task may use of a connection by what began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All that the connection is for.
    Whole,
    /// It was begun by a schedule that has the connection, up to this level.
    UpTo(Level),
    /// It was begun by a schedule that does not have the connection, or that is no more.
    Beside,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// No room left on the disk. Nothing was written; what is claimed stays claimed.
    Full,
    /// Anything else, in words for the log.
    Broken(String),
    /// Stored bytes do not decode.
    Codec(CodecError),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str(
                "the disk is full, so nothing could be recorded and nothing was started; free some space and try again",
            ),
            Self::Broken(why) => write!(f, "the home's database failed: {why}"),
            Self::Codec(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<CodecError> for StoreError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

/// Actions of a kind claimed lately, each count up to [`MAX_COUNTED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Claims {
    /// In the last 24 hours.
    pub today: u64,
    /// In the last hour.
    pub hour: u64,
}

/// Wall times since when claims are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// 24 hours ago.
    pub today: i64,
    /// An hour ago.
    pub hour: i64,
}

/// What the gate reads: within a transaction as it is then, without one as it was last committed.
pub trait View {
    /// Counts the changes of what seldom changes: connections, whom the person knows, and of each task its words, whom they name
    /// and what began it. While it is the same, so are they. Read without a transaction, it is never newer than what is read
    /// behind it.
    fn surroundings(&mut self) -> u64;
    /// Returns one row.
    fn row(&mut self, id: &ActionId) -> Result<Option<Row>, StoreError>;
    /// Returns the reasons that the last entry about an action gives; none where there is no entry.
    fn last_reasons(&mut self, id: &ActionId) -> Result<Vec<String>, StoreError>;
    /// Returns the account of a connection, as its service names it; nothing where there is no such connection.
    fn account(&mut self, connection: &ConnectionId) -> Result<String, StoreError>;
    /// Returns the standing of a connection.
    fn grant(&mut self, connection: &ConnectionId) -> Result<Option<Grant>, StoreError>;
    /// Looks up what is known of somebody: in the form of [`Party`], never their own word for it.
    fn relationship(&mut self, party: &Party) -> Result<Relationship, StoreError>;
    /// Returns somebody the person knows who could be taken for this one, and is not ([`crate::ground::is_confusable`]).
    fn confusable_with(&mut self, party: &Party) -> Result<Option<String>, StoreError>;
    /// Returns the name of the schedule a task was begun by; nothing where the person asked for it just then.
    fn schedule(&mut self, task: &TaskId) -> Result<String, StoreError>;
    /// Tells what a task may use of a connection, by the schedule that began it.
    fn scope(&mut self, task: &TaskId, connection: &ConnectionId) -> Result<Scope, StoreError>;
    /// Tells who or what began a task; `None` where the task is not known.
    fn origin(&mut self, task: &TaskId) -> Result<Option<Origin>, StoreError>;
    /// Returns the person's own words of a task, all that they said in it; `None` where none are kept.
    fn task_words(&mut self, task: &TaskId) -> Result<Option<String>, StoreError>;
    /// Returns those the person knew when they gave the task, or said more in it, whom their words name: by address, number or
    /// name.
    fn named(&mut self, task: &TaskId) -> Result<Vec<Party>, StoreError>;
    /// Tells what a task has let in and asked so far.
    fn marks(&mut self, task: &TaskId) -> Result<TaskTaint, StoreError>;
    /// Returns the taint of the notes: that of the tasks which wrote them.
    fn notes_taint(&mut self) -> Result<Taint, StoreError>;
    /// Actions of a kind claimed at or after two wall times. Without a transaction it may count what is about to be committed.
    fn claimed_since(&mut self, kind: ActionKind, since: Since) -> Result<Claims, StoreError>;
    /// Sums what actions but this one spend, of those claimed at or after a wall time that did not fail; in hundredths.
    fn spent_since(&mut self, wall_ms: i64, but: &ActionId) -> Result<u64, StoreError>;
    /// Actions of a task now in this state.
    fn count_of_task(&mut self, task: &TaskId, state: State) -> Result<u64, StoreError>;
}

/// A transaction. All of it becomes durable together, or none of it.
pub trait Tx {
    /// Returns everything as it is now, with what this transaction has written.
    fn view(&mut self) -> &mut dyn View;
    /// Returns every row in one of these states, oldest first.
    fn rows_in(&mut self, states: &[State]) -> Result<Vec<Row>, StoreError>;
    /// Adds a row in [`State::Proposed`] with its entry, whose payload holds the content as field `content`.
    fn insert(&mut self, row: &Row, entry: Event) -> Result<(), StoreError>;
    /// Moves a row from `from` to its new state, with its entry.
    fn step(&mut self, row: &Row, from: State, entry: Event) -> Result<(), StoreError>;
    /// Adds an entry that moves no row.
    fn log(&mut self, entry: Event) -> Result<(), StoreError>;
    /// Remembers that the person gave them something of their own will, and the name they gave them; empty where they gave
    /// none. A known name stays.
    fn learn(&mut self, party: &Party, name: &str) -> Result<(), StoreError>;
    /// Adds to what a task has let in and asked; nothing is ever taken away.
    fn mark(&mut self, task: &TaskId, taint: Taint, off_task: bool) -> Result<(), StoreError>;
}

/// One unit of work for [`Ledger::transact`]. An error undoes what this unit wrote, and nothing else.
pub type Job<'a> = Box<dyn FnOnce(&mut dyn Tx) -> Result<(), StoreError> + Send + 'a>;

/// One look for [`Ledger::look`].
pub type Look<'a> = Box<dyn FnOnce(&mut dyn View) -> Result<(), StoreError> + Send + 'a>;

/// How soon a job gets its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// When those before it have had theirs.
    InLine,
    /// Before all that are in line: a pause.
    First,
}

/// A store with one writer. `transact` returns when what the job wrote is durable.
pub trait Ledger: Send + Sync {
    /// Runs a job in a transaction of its own turn: no other job runs meanwhile.
    fn transact(&self, turn: Turn, job: Job<'_>) -> Result<(), StoreError>;
    /// Reads outside of any transaction; no transaction waits for longer than the look takes. What is read may be of different moments.
    fn look(&self, look: Look<'_>) -> Result<(), StoreError>;
    /// Reads the encoded content of a committed row, outside of any transaction: it never changes, and the row's digest says
    /// which it has to be. Empty where there is no such row, or the content was erased.
    fn content(&self, id: &ActionId) -> Result<Vec<u8>, StoreError>;
}

/// The record of the pause, kept apart from the database so that it can be written when the disk is full.
pub trait PauseRecord: Send + Sync {
    /// Overwrites the record in place and waits until it is durable. Refuses an epoch older than one it was given before: what is
    /// late must not take a newer pause back.
    fn write(&self, paused: bool, epoch: u64) -> Result<(), String>;
}
