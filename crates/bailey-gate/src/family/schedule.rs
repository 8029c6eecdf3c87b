//! The schedules family: proposing one to the person. Only they make one: it always asks, with presence, and no rule lifts that.

use super::kind::{AskedBy, Group, Level, kinds};
use super::text::Line;
use super::{ActionKind, Family, Taint, Traits};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::ids::ConnectionId;
use crate::intent::Verb;
use crate::preview::Preview;
use crate::verdict::Class;

kinds! {
    /// Proposes a schedule, which the person makes by approving it.
    PROPOSE = {
        name: "schedule.propose", group: Group::Write, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Create, Verb::Remember]), suggest: None,
    };
}

/// Longest name of a schedule, in characters.
pub const MAX_NAME_CHARS: usize = 80;
/// Longest words of a schedule, in bytes: those of a task.
pub const MAX_WORDS_BYTES: usize = 32 * 1024;
/// Most accounts that one is given.
pub const MAX_ACCOUNTS: usize = 100;
/// Most times that are shown.
const MAX_TIMES: usize = 5;

/// An account that a schedule is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Which connection.
    pub connection: ConnectionId,
    /// Up to which level.
    pub level: Level,
    /// What the person calls it.
    pub name: Line,
}

/// A schedule that is proposed: all that it will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// What it is called.
    pub name: Line,
    /// When it is due, as it was said.
    pub said: Line,
    /// The same as it was understood.
    pub told: Line,
    /// The same as it is kept.
    pub form: Line,
    /// The time zone it is meant in.
    pub zone: Line,
    /// The words of its tasks.
    pub words: String,
    /// The next times, with their distance from UTC.
    pub times: Vec<Line>,
    /// The accounts its tasks may use.
    pub accounts: Vec<Given>,
    /// Tokens that one run may take.
    pub run_tokens: u64,
    /// Tokens that its runs of thirty days may take.
    pub month_tokens: u64,
}

/// One thing done with schedules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleAction {
    /// Make one, by the person's approval.
    Propose(Box<Proposed>),
}

impl Family for ScheduleAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Propose(_) => PROPOSE,
        }
    }

    fn class(&self) -> Class {
        // It begins tasks from then on, with nobody there: the floor wants the person for it, whatever rules say.
        Class::Critical
    }

    fn traits(&self) -> Traits {
        Traits::reaching_nobody(Taint::default())
    }

    fn artefact(&self) -> Vec<u8> {
        Vec::new()
    }

    fn check(&self) -> Result<(), CodecError> {
        let Self::Propose(proposed) = self;
        if proposed.name.as_str().chars().count() > MAX_NAME_CHARS || proposed.words.len() > MAX_WORDS_BYTES {
            return Err(CodecError::TooLong);
        }
        if proposed.name.as_str().trim().is_empty() || proposed.name.as_str().contains('"') {
            return Err(CodecError::Malformed("a schedule's name, which has no quotation marks"));
        }
        if proposed.words.trim().is_empty() {
            return Err(CodecError::Malformed("the words of a schedule"));
        }
        if proposed.times.is_empty() || proposed.times.len() > MAX_TIMES || proposed.accounts.len() > MAX_ACCOUNTS {
            return Err(CodecError::Malformed("a schedule's times and accounts"));
        }
        Ok(())
    }

    fn encode(&self, out: &mut Encoder) {
        let Self::Propose(proposed) = self;
        out.byte(TAG).byte(1);
        let Proposed { name, said, told, form, zone, words, times, accounts, run_tokens, month_tokens } = &**proposed;
        for line in [name, said, told, form, zone] {
            out.text(line.as_str());
        }
        out.text(words);
        out.list(times, |out, time| {
            out.text(time.as_str());
        });
        out.list(accounts, |out, given| {
            out.bytes(given.connection.as_bytes()).text(given.level.name()).text(given.name.as_str());
        });
        out.number(*run_tokens).number(*month_tokens);
    }

    fn preview(&self, out: &mut Preview) {
        let Self::Propose(proposed) = self;
        out.words("Make a schedule, which begins a task with these words each time", &proposed.words);
        out.item("Name", proposed.name.as_str());
        out.item("When", proposed.said.as_str());
        out.item("Understood as", proposed.told.as_str());
        out.item("Time zone", proposed.zone.as_str());
        for time in &proposed.times {
            out.item("Next", time.as_str());
        }
        for given in &proposed.accounts {
            out.item("May use", &format!("{} ({})", given.name.as_str(), given.level.name()));
        }
        if proposed.accounts.is_empty() {
            out.item("May use", "no account");
        }
        let bounds = format!("{} tokens a run, {} in 30 days", proposed.run_tokens, proposed.month_tokens);
        out.item("May take", &bounds);
        out.warnings.push(
            "Its words were written by the agent. Approved, they count as yours each time, with nobody there. Stop or delete it on Schedules at any time.".into(),
        );
    }
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 12;

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<ScheduleAction, CodecError> {
    fn line(bytes: &mut Decoder<'_>) -> Result<Line, CodecError> {
        Line::new(bytes.text()?).map_err(|_| CodecError::Malformed("a line of a schedule"))
    }
    match bytes.byte()? {
        1 => {
            let proposed = Proposed {
                name: line(bytes)?,
                said: line(bytes)?,
                told: line(bytes)?,
                form: line(bytes)?,
                zone: line(bytes)?,
                words: bytes.text()?,
                times: bytes.list(line)?,
                accounts: bytes.list(|bytes| {
                    let id = bytes.bytes()?.try_into().map_err(|_| CodecError::Malformed("an identity"))?;
                    let level = Level::from_name(&bytes.text()?).ok_or(CodecError::Malformed("a level"))?;
                    Ok(Given { connection: ConnectionId::from_bytes(id), level, name: line(bytes)? })
                })?,
                run_tokens: bytes.number()?,
                month_tokens: bytes.number()?,
            };
            Ok(ScheduleAction::Propose(Box::new(proposed)))
        }
        tag => Err(CodecError::UnknownTag(tag)),
    }
}
