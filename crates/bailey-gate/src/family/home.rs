//! Defines what stays in the home: words to the person, and notes for later tasks.

use super::kind::{AskedBy, Group, kinds};
use super::{ActionKind, Family, Taint, Traits};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::ids::ActionId;
use crate::intent::Verb;
use crate::preview::Preview;
use crate::verdict::Class;

kinds! {
    /// Tells the person something.
    REPLY = {
        name: "reply", group: Group::Speak, level: None, local: true, asked_by: AskedBy::Always, suggest: None,
    };
    /// Keeps a note for later tasks.
    MEMORY_WRITE = {
        name: "memory.write", group: Group::Write, level: None, local: true,
        asked_by: AskedBy::Verbs(&[Verb::Remember]), suggest: None,
    };
    /// Looks at the notes.
    MEMORY_READ = {
        name: "memory.read", group: Group::Read, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Forgets a note: what keeping it is undone by.
    MEMORY_FORGET = {
        name: "memory.forget", group: Group::Write, level: None, local: true,
        asked_by: AskedBy::Verbs(&[Verb::Trash]), suggest: None,
    };
}

/// Longest answer to the person and longest memory note, in bytes. A screen or two; more is a file.
pub const MAX_WORDS_BYTES: usize = 64 * 1024;

/// One thing done in the home itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HomeAction {
    /// Words to the person. They are shown inert: no link opens, no image loads.
    Reply {
        /// Holds what is said.
        words: String,
    },
    /// A note the agent keeps for later tasks.
    MemoryWrite {
        /// Holds what is noted.
        note: String,
    },
    /// Looks at the notes kept so far.
    MemoryRead,
    /// Forgets a note: what [`Self::MemoryWrite`] is undone by.
    MemoryForget {
        /// The action that kept it.
        note: ActionId,
    },
}

/// The tags in the encoding of an action: one for each kind, which is older than families having one.
pub(super) const REPLY_TAG: u8 = 2;
pub(super) const MEMORY_WRITE_TAG: u8 = 3;
pub(super) const MEMORY_READ_TAG: u8 = 6;
pub(super) const MEMORY_FORGET_TAG: u8 = 7;

impl Family for HomeAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Reply { .. } => REPLY,
            Self::MemoryWrite { .. } => MEMORY_WRITE,
            Self::MemoryRead => MEMORY_READ,
            Self::MemoryForget { .. } => MEMORY_FORGET,
        }
    }

    fn class(&self) -> Class {
        Class::Undoable
    }

    fn traits(&self) -> Traits {
        // What notes bring, the store knows: a note is no more to be trusted than what its task had read.
        Traits::reaching_nobody(Taint { untrusted: self.kind().is_read(), confidential: false })
    }

    fn artefact(&self) -> Vec<u8> {
        Vec::new()
    }

    fn check(&self) -> Result<(), CodecError> {
        Ok(())
    }

    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Reply { words } => out.byte(REPLY_TAG).text(words),
            Self::MemoryWrite { note } => out.byte(MEMORY_WRITE_TAG).text(note),
            Self::MemoryRead => out.byte(MEMORY_READ_TAG),
            Self::MemoryForget { note } => out.byte(MEMORY_FORGET_TAG).bytes(note.as_bytes()),
        };
    }

    fn preview(&self, out: &mut Preview) {
        match self {
            Self::Reply { words } => out.words("Tell you", words),
            Self::MemoryWrite { note } => out.words("Remember for later tasks", note),
            Self::MemoryRead => out.headline = "Look at the notes".into(),
            Self::MemoryForget { note } => {
                out.headline = "Forget a note".into();
                out.item("Note", &note.to_string());
            }
        }
    }
}

/// Reads what [`Family::encode`] wrote behind its tag.
pub(super) fn decode(tag: u8, bytes: &mut Decoder<'_>) -> Result<HomeAction, CodecError> {
    let words = |bytes: &mut Decoder<'_>| {
        let words = bytes.text()?;
        if words.len() > MAX_WORDS_BYTES { Err(CodecError::TooLong) } else { Ok(words) }
    };
    match tag {
        REPLY_TAG => words(bytes).map(|words| HomeAction::Reply { words }),
        MEMORY_WRITE_TAG => words(bytes).map(|note| HomeAction::MemoryWrite { note }),
        MEMORY_READ_TAG => Ok(HomeAction::MemoryRead),
        MEMORY_FORGET_TAG => {
            let note = bytes.bytes()?.try_into().map_err(|_| CodecError::Malformed("an identity"))?;
            Ok(HomeAction::MemoryForget { note: ActionId::from_bytes(note) })
        }
        tag => Err(CodecError::UnknownTag(tag)),
    }
}
