//! Action families: everything an agent can propose, as one closed enum.
//!
//! Adding an effect to the product means adding a variant here; every `match` in the workspace then has to say what it
//! means for codec, class, preview and policy before the code compiles.

pub mod calendar;
pub mod escape;
pub mod mail;
pub mod rfc5322;
pub mod text;

use crate::codec::{CodecError, Decoder, Encoder};
use crate::verdict::Class;
use calendar::{CalendarAction, Change};
use mail::{FolderRole, MASS_MAIL_RECEIVERS, MailAction};
use text::Address;

/// Longest answer to the person and longest memory note, in bytes. A screen or two; more is a file.
pub const MAX_WORDS_BYTES: usize = 64 * 1024;

/// One proposed action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Something with mail.
    Mail(MailAction),
    /// Something with a calendar.
    Calendar(CalendarAction),
    /// Words to the person. They are shown inert: no link opens, no image loads.
    Reply {
        /// What is said.
        words: String,
    },
    /// A note the agent keeps for later tasks.
    MemoryWrite {
        /// What is noted.
        note: String,
    },
}

/// The kind of an action, as policy, log and people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActionKind {
    /// `mail.draft`
    MailDraft,
    /// `mail.send`
    MailSend,
    /// `mail.search`
    MailSearch,
    /// `mail.read`
    MailRead,
    /// `mail.move`
    MailMove,
    /// `mail.trash`
    MailTrash,
    /// `calendar.read`
    CalendarRead,
    /// `calendar.create`
    CalendarCreate,
    /// `calendar.change`
    CalendarChange,
    /// `calendar.cancel`
    CalendarCancel,
    /// `reply`
    Reply,
    /// `memory.write`
    MemoryWrite,
}

impl ActionKind {
    /// Every kind; policy tests walk it so that none is forgotten.
    pub const ALL: [Self; 12] = [
        Self::MailDraft,
        Self::MailSend,
        Self::MailSearch,
        Self::MailRead,
        Self::MailMove,
        Self::MailTrash,
        Self::CalendarRead,
        Self::CalendarCreate,
        Self::CalendarChange,
        Self::CalendarCancel,
        Self::Reply,
        Self::MemoryWrite,
    ];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MailDraft => "mail.draft",
            Self::MailSend => "mail.send",
            Self::MailSearch => "mail.search",
            Self::MailRead => "mail.read",
            Self::MailMove => "mail.move",
            Self::MailTrash => "mail.trash",
            Self::CalendarRead => "calendar.read",
            Self::CalendarCreate => "calendar.create",
            Self::CalendarChange => "calendar.change",
            Self::CalendarCancel => "calendar.cancel",
            Self::Reply => "reply",
            Self::MemoryWrite => "memory.write",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the effect is a row of the home's own database: done in the claiming commit, without a hand-off.
    #[must_use]
    pub const fn is_local(self) -> bool {
        match self {
            Self::MailDraft | Self::Reply | Self::MemoryWrite => true,
            Self::MailSend
            | Self::MailSearch
            | Self::MailRead
            | Self::MailMove
            | Self::MailTrash
            | Self::CalendarRead
            | Self::CalendarCreate
            | Self::CalendarChange
            | Self::CalendarCancel => false,
        }
    }

    /// Whether it only looks: nothing at the other side is another afterwards, so it may be done again.
    #[must_use]
    pub const fn is_read(self) -> bool {
        match self {
            Self::MailSearch | Self::MailRead | Self::CalendarRead => true,
            Self::MailDraft
            | Self::MailSend
            | Self::MailMove
            | Self::MailTrash
            | Self::CalendarCreate
            | Self::CalendarChange
            | Self::CalendarCancel
            | Self::Reply
            | Self::MemoryWrite => false,
        }
    }

    /// What the action needs from its connection, or `None` where it needs no connection.
    #[must_use]
    pub const fn needs_level(self) -> Option<Level> {
        match self {
            Self::MailSearch | Self::MailRead | Self::CalendarRead => Some(Level::Read),
            Self::MailDraft => Some(Level::Draft),
            Self::MailSend => Some(Level::Send),
            Self::MailMove | Self::MailTrash | Self::CalendarCreate | Self::CalendarChange | Self::CalendarCancel => {
                Some(Level::Full)
            }
            Self::Reply | Self::MemoryWrite => None,
        }
    }
}

/// What a connection may be used for. The order is that of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Look, change nothing.
    Read,
    /// Also prepare drafts.
    Draft,
    /// Also send.
    Send,
    /// Also move and trash; never purge.
    Full,
}

impl Level {
    /// Every level, weakest first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Draft, Self::Send, Self::Full];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read-only",
            Self::Draft => "draft",
            Self::Send => "send",
            Self::Full => "full",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl Action {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Mail(MailAction::Draft(_)) => ActionKind::MailDraft,
            Self::Mail(MailAction::Send(_)) => ActionKind::MailSend,
            Self::Mail(MailAction::Search { .. }) => ActionKind::MailSearch,
            Self::Mail(MailAction::Read(_)) => ActionKind::MailRead,
            Self::Mail(MailAction::Move(_)) => ActionKind::MailMove,
            Self::Mail(MailAction::Trash(_)) => ActionKind::MailTrash,
            Self::Calendar(CalendarAction::Read { .. }) => ActionKind::CalendarRead,
            Self::Calendar(CalendarAction::Write(writing)) => match writing.change {
                Change::Create { .. } => ActionKind::CalendarCreate,
                Change::Replace { .. } => ActionKind::CalendarChange,
                Change::Cancel { .. } => ActionKind::CalendarCancel,
            },
            Self::Reply { .. } => ActionKind::Reply,
            Self::MemoryWrite { .. } => ActionKind::MemoryWrite,
        }
    }

    /// How far the effect can be taken back, which bounds how freely it may run.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Mail(MailAction::Send(message)) if message.receivers().count() > MASS_MAIL_RECEIVERS => {
                Class::Critical
            }
            Self::Mail(MailAction::Send(_)) => Class::Held,
            // A calendar server may tell the guests, and they have been told then.
            Self::Calendar(CalendarAction::Write(writing)) if writing.guests() > 0 => Class::Compensable,
            Self::Mail(_) | Self::Calendar(_) | Self::Reply { .. } | Self::MemoryWrite { .. } => Class::Undoable,
        }
    }

    /// Everyone outside the home who gets something from it, as far as their addresses can be read.
    #[must_use]
    pub fn receivers(&self) -> Vec<Address> {
        match self {
            Self::Mail(MailAction::Send(message)) => message.receivers().map(|m| m.address.clone()).collect(),
            Self::Calendar(CalendarAction::Write(writing)) => writing.addresses(),
            Self::Mail(_) | Self::Calendar(_) | Self::Reply { .. } | Self::MemoryWrite { .. } => Vec::new(),
        }
    }

    /// How many get something from it, readable or not.
    #[must_use]
    pub fn receiver_count(&self) -> usize {
        match self {
            Self::Mail(MailAction::Send(message)) => message.receivers().count(),
            Self::Calendar(CalendarAction::Write(writing)) => writing.guests(),
            Self::Mail(_) | Self::Calendar(_) | Self::Reply { .. } | Self::MemoryWrite { .. } => 0,
        }
    }

    /// Whether it moves mail into the folders that say what the person sent or is writing: from there, facts are learned.
    #[must_use]
    pub const fn moves_into_sent_or_drafts(&self) -> bool {
        match self {
            Self::Mail(MailAction::Move(moving) | MailAction::Trash(moving)) => {
                matches!(moving.role, FolderRole::Sent | FolderRole::Drafts)
            }
            Self::Mail(_) | Self::Calendar(_) | Self::Reply { .. } | Self::MemoryWrite { .. } => false,
        }
    }

    /// Whether it moves mail that can be found again to a folder that is known to be the person's own.
    #[must_use]
    pub fn moves_among_own(&self) -> bool {
        match self {
            Self::Mail(MailAction::Move(moving) | MailAction::Trash(moving)) => {
                matches!(moving.role, FolderRole::Own | FolderRole::Trash) && !moving.about.message_id.is_empty()
            }
            Self::Mail(_) | Self::Calendar(_) | Self::Reply { .. } | Self::MemoryWrite { .. } => false,
        }
    }

    /// The bytes that would leave the home, where any do.
    #[must_use]
    pub fn artefact(&self) -> Vec<u8> {
        match self {
            Self::Mail(MailAction::Send(message)) => rfc5322::render(message),
            Self::Calendar(CalendarAction::Write(writing)) => {
                writing.after().map(|entry| entry.as_str().as_bytes().to_vec()).unwrap_or_default()
            }
            Self::Mail(_) | Self::Calendar(_) | Self::Reply { .. } | Self::MemoryWrite { .. } => Vec::new(),
        }
    }

    /// Writes the one encoding of this action.
    pub fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Mail(action) => mail::encode(action, out.byte(1)),
            Self::Calendar(action) => calendar::encode(action, out.byte(4)),
            Self::Reply { words } => {
                out.byte(2).text(words);
            }
            Self::MemoryWrite { note } => {
                out.byte(3).text(note);
            }
        }
    }

    /// Reads an action; every rule of its types is checked again.
    pub fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let words = |bytes: &mut Decoder<'_>| {
            let words = bytes.text()?;
            if words.len() > MAX_WORDS_BYTES { Err(CodecError::TooLong) } else { Ok(words) }
        };
        match bytes.byte()? {
            1 => mail::decode(bytes).map(Self::Mail),
            4 => calendar::decode(bytes).map(Self::Calendar),
            2 => words(bytes).map(|words| Self::Reply { words }),
            3 => words(bytes).map(|note| Self::MemoryWrite { note }),
            tag => Err(CodecError::UnknownTag(tag)),
        }
    }
}
