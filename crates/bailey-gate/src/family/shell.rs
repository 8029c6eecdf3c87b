//! The shell family: running a command in the agent's own computer. Nothing of it leaves that computer but by requests, each of which is
//! decided on its own ([`super::http`]).

use super::escape::visible_lines;
use super::kind::{AskedBy, Group, kinds};
use super::{ActionKind, Family, Taint, Traits};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::preview::Preview;
use crate::verdict::Class;

kinds! {
    /// Runs a command in the agent's computer.
    RUN = {
        name: "shell.run", group: Group::Write, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
}

/// Longest command, in bytes: a script, with room to spare.
pub const MAX_COMMAND_BYTES: usize = 64 * 1024;
/// Longest time a command may be given, in seconds: an hour. What takes longer is started in the background.
pub const MAX_SECONDS: u64 = 3_600;

/// One thing done in the agent's computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellAction {
    /// Run a command with the shell there.
    Run {
        /// The command, or a whole script.
        command: String,
        /// How long it may take, in seconds.
        seconds: u64,
        /// Tells whether a task that had seen secrets ran something there: what comes back may hold some.
        confidential: bool,
    },
}

impl Family for ShellAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Run { .. } => RUN,
        }
    }

    fn class(&self) -> Class {
        Class::Compensable
    }

    fn traits(&self) -> Traits {
        let Self::Run { confidential, .. } = self;
        // Whatever lies there was brought by somebody.
        Traits::reaching_nobody(Taint { untrusted: true, confidential: *confidential })
    }

    fn artefact(&self) -> Vec<u8> {
        let Self::Run { command, .. } = self;
        command.as_bytes().to_vec()
    }

    fn check(&self) -> Result<(), CodecError> {
        let Self::Run { command, seconds, .. } = self;
        if command.len() > MAX_COMMAND_BYTES {
            return Err(CodecError::TooLong);
        }
        if command.trim().is_empty() || command.contains('\0') {
            return Err(CodecError::Malformed("a command"));
        }
        if !(1..=MAX_SECONDS).contains(seconds) {
            return Err(CodecError::Malformed("the time of a command"));
        }
        Ok(())
    }

    fn encode(&self, out: &mut Encoder) {
        let Self::Run { command, seconds, confidential } = self;
        out.byte(TAG).byte(1).text(command).number(*seconds).byte(u8::from(*confidential));
    }

    fn preview(&self, out: &mut Preview) {
        let Self::Run { command, seconds, .. } = self;
        out.headline = "Run a command in the agent's computer".into();
        out.item("At most", &format!("{seconds} seconds"));
        out.body = visible_lines(command);
    }
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 20;

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<ShellAction, CodecError> {
    match bytes.byte()? {
        1 => {
            Ok(ShellAction::Run { command: bytes.text()?, seconds: bytes.number()?, confidential: bytes.byte()? != 0 })
        }
        tag => Err(CodecError::UnknownTag(tag)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::Action;

    fn run(command: &str, seconds: u64) -> ShellAction {
        ShellAction::Run { command: command.into(), seconds, confidential: true }
    }

    #[test]
    fn commands_read_back_as_they_were_written() {
        let action = Action::Shell(run("echo one\necho two", 60));
        assert_eq!(action.check(), Ok(()));
        let mut out = Encoder::default();
        action.encode(&mut out);
        let bytes = out.finish();
        let mut read = Decoder::new(&bytes);
        assert_eq!(Action::decode(&mut read), Ok(action));
        assert_eq!(read.finish(), Ok(()));
    }

    #[test]
    fn commands_that_break_a_rule_of_the_family_are_refused() {
        let long = "x".repeat(MAX_COMMAND_BYTES + 1);
        for bad in [run(" ", 1), run("a\0b", 1), run("a", 0), run("a", MAX_SECONDS + 1), run(&long, 1)] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
