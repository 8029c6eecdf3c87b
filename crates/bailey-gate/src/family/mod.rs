//! Action families: everything an agent can propose, as one closed enum.
//!
//! Adding an effect to the product means adding a variant here; every `match` in the workspace then has to say what it
//! means for codec, class, preview and policy before the code compiles.

pub mod calendar;
pub mod escape;
pub mod mail;
pub mod rfc5322;
pub mod text;
pub mod tool;

use crate::codec::{CodecError, Decoder, Encoder};
use crate::ids::ActionId;
use crate::place::Place;
use crate::verdict::Class;
use calendar::{CalendarAction, Change};
use mail::{FolderRole, MASS_MAIL_RECEIVERS, MailAction};
use text::Address;
use tool::{Amount, Effect, Manifest, ToolUse};

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
    /// Looks at the notes kept so far.
    MemoryRead,
    /// Forgets a note: what [`Self::MemoryWrite`] is undone by.
    MemoryForget {
        /// The action that kept it.
        note: ActionId,
    },
    /// A tool of a server that is not ours.
    Tool(ToolUse),
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
    /// `memory.read`
    MemoryRead,
    /// `memory.forget`
    MemoryForget,
    /// `tool.read`: somebody else's tool, which only looks
    ToolRead,
    /// `tool.fetch`: it looks, and what it is asked reaches others
    ToolFetch,
    /// `tool.write`: it writes something new, in the person's own scope
    ToolWrite,
    /// `tool.send`: others get something
    ToolSend,
    /// `tool.change`: something that exists is changed or removed
    ToolChange,
    /// `tool.remove`: something that exists is removed
    ToolRemove,
    /// `tool.pay`: something is spent
    ToolPay,
}

impl ActionKind {
    /// Every kind; policy tests walk it so that none is forgotten.
    pub const ALL: [Self; 21] = [
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
        Self::MemoryRead,
        Self::MemoryForget,
        Self::ToolRead,
        Self::ToolFetch,
        Self::ToolWrite,
        Self::ToolSend,
        Self::ToolChange,
        Self::ToolRemove,
        Self::ToolPay,
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
            Self::MemoryRead => "memory.read",
            Self::MemoryForget => "memory.forget",
            Self::ToolRead => "tool.read",
            Self::ToolFetch => "tool.fetch",
            Self::ToolWrite => "tool.write",
            Self::ToolSend => "tool.send",
            Self::ToolChange => "tool.change",
            Self::ToolRemove => "tool.remove",
            Self::ToolPay => "tool.pay",
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
            Self::MailDraft | Self::Reply | Self::MemoryWrite | Self::MemoryForget => true,
            Self::MemoryRead
            | Self::MailSend
            | Self::MailSearch
            | Self::MailRead
            | Self::MailMove
            | Self::MailTrash
            | Self::CalendarRead
            | Self::CalendarCreate
            | Self::CalendarChange
            | Self::CalendarCancel
            | Self::ToolRead
            | Self::ToolFetch
            | Self::ToolWrite
            | Self::ToolSend
            | Self::ToolChange
            | Self::ToolRemove
            | Self::ToolPay => false,
        }
    }

    /// Whether it only looks: nothing at the other side is another afterwards, so it may be done again.
    #[must_use]
    pub const fn is_read(self) -> bool {
        match self {
            Self::MailSearch | Self::MailRead | Self::CalendarRead | Self::MemoryRead | Self::ToolRead => true,
            Self::MemoryForget
            | Self::MailDraft
            | Self::MailSend
            | Self::MailMove
            | Self::MailTrash
            | Self::CalendarCreate
            | Self::CalendarChange
            | Self::CalendarCancel
            | Self::Reply
            | Self::MemoryWrite
            | Self::ToolFetch
            | Self::ToolWrite
            | Self::ToolSend
            | Self::ToolChange
            | Self::ToolRemove
            | Self::ToolPay => false,
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
            Self::Reply
            | Self::MemoryWrite
            | Self::MemoryRead
            | Self::MemoryForget
            | Self::ToolRead
            | Self::ToolFetch
            | Self::ToolWrite
            | Self::ToolSend
            | Self::ToolChange
            | Self::ToolRemove
            | Self::ToolPay => None,
        }
    }
}

/// Somebody, or something, that gets what leaves: the kind of name, and the name in the form names of that kind are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party {
    /// `email`, `url`, `iban`, or what else a manifest says.
    pub kind: String,
    /// The name.
    pub value: String,
}

impl Party {
    /// The kind of e-mail addresses.
    pub const EMAIL: &'static str = "email";

    /// The kind of an organisation, by the domain of its addresses.
    pub const ORGANISATION: &'static str = "organisation";

    /// The domain of an address; nothing for all else.
    #[must_use]
    pub fn domain(&self) -> &str {
        let split = self.value.rsplit_once('@').filter(|_| self.kind == Self::EMAIL);
        split.map_or("", |(_, domain)| domain)
    }

    /// Kinds of names that are written in groups of letters and digits, which blanks and strokes part as one likes.
    pub const GROUPED: [&'static str; 3] = ["iban", "account", "phone"];

    /// Whoever has an address of mail.
    #[must_use]
    pub fn of_address(address: &Address) -> Self {
        Self { kind: Self::EMAIL.into(), value: address.key() }
    }

    /// Puts the name into the form of its kind.
    #[must_use]
    pub fn new(kind: String, value: &str) -> Self {
        let address = Address::new(value).ok().filter(|_| kind == Self::EMAIL);
        let value = match address {
            Some(address) => address.key(),
            None if Self::GROUPED.contains(&kind.as_str()) => crate::ground::joined(value),
            None => crate::ground::plain(value),
        };
        Self { kind, value }
    }

    /// Everybody a value of a kind names; `None` where that cannot be read. Addresses may be several, parted by commas or
    /// semicolons, each with a name before it.
    #[must_use]
    pub fn read(kind: &str, value: &str) -> Option<Vec<Self>> {
        if kind != Self::EMAIL {
            return Some(vec![Self::new(kind.to_owned(), value)]);
        }
        let one = |text: &str| {
            let text = text.trim();
            let bare = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map_or(text, |(_, inner)| inner);
            Address::new(bare).ok().map(|address| Self::of_address(&address))
        };
        value.split([',', ';']).map(one).collect()
    }
}

/// What an action lets into its task when it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Brings {
    /// Words that others wrote.
    pub untrusted: bool,
    /// Identity documents, card numbers or other secrets.
    pub confidential: bool,
}

fn tool_kind(call: &ToolUse) -> ActionKind {
    match (&call.manifest, call.effect()) {
        (_, Effect::Read) => ActionKind::ToolRead,
        (_, Effect::Fetch) => ActionKind::ToolFetch,
        (_, Effect::Write) if call.spends() => ActionKind::ToolPay,
        (Some(manifest), Effect::Write) if manifest.removes => ActionKind::ToolRemove,
        (_, Effect::Write) if !call.targets().is_empty() => ActionKind::ToolChange,
        (None, Effect::Write) => ActionKind::ToolSend,
        (Some(_), Effect::Write) if !call.sinks().is_empty() => ActionKind::ToolSend,
        (Some(manifest), Effect::Write) if manifest.undoable => ActionKind::ToolWrite,
        (Some(_), Effect::Write) => ActionKind::ToolChange,
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
    pub fn kind(&self) -> ActionKind {
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
            Self::MemoryRead => ActionKind::MemoryRead,
            Self::MemoryForget { .. } => ActionKind::MemoryForget,
            Self::Tool(call) => tool_kind(call),
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
            Self::Tool(call) if call.manifest.as_ref().is_some_and(|manifest| manifest.critical) => Class::Critical,
            Self::Tool(_) if !matches!(self.kind(), ActionKind::ToolRead | ActionKind::ToolWrite) => Class::Compensable,
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. }
            | Self::Tool(_) => Class::Undoable,
        }
    }

    /// Everyone outside the home who gets something from it, as far as it can be read who they are, and how many cannot be read.
    #[must_use]
    pub fn reached(&self) -> (Vec<Party>, usize) {
        match self {
            Self::Mail(MailAction::Send(message)) => {
                (message.receivers().map(|mailbox| Party::of_address(&mailbox.address)).collect(), 0)
            }
            Self::Calendar(CalendarAction::Write(writing)) => {
                (writing.addresses().iter().map(Party::of_address).collect(), writing.unreadable_guests())
            }
            Self::Tool(call) if call.effect() != Effect::Read => {
                let read: Vec<_> = call.sinks().iter().map(|(kind, value)| Party::read(kind, value)).collect();
                let unread = read.iter().filter(|read| read.is_none()).count();
                // A request goes to somebody, whether or not it says to whom.
                let nobody = read.is_empty() && call.effect() == Effect::Fetch;
                (read.into_iter().flatten().flatten().collect(), unread + usize::from(nobody))
            }
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. }
            | Self::Tool(_) => (Vec::new(), 0),
        }
    }

    /// Those of [`Self::reached`] who can be read.
    #[must_use]
    pub fn parties(&self) -> Vec<Party> {
        self.reached().0
    }

    /// Those of [`Self::parties`] the person knows once they have let it happen. What a tool nobody described was given says
    /// nothing of anybody; and whom something is taken from, or an entry is cancelled for, is not thereby known.
    #[must_use]
    pub fn parties_to_learn(&self) -> Vec<Party> {
        match self {
            Self::Tool(ToolUse { manifest: None | Some(Manifest { removes: true, .. }), .. }) => Vec::new(),
            Self::Calendar(CalendarAction::Write(writing)) => {
                let guests = writing.guests_after();
                guests.iter().map(Party::of_address).collect()
            }
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. }
            | Self::Tool(_) => self.parties(),
        }
    }

    /// Whether it is mail, by a tool of others too: something reaches addresses of mail.
    #[must_use]
    pub fn is_mail(&self) -> bool {
        match self {
            Self::Mail(action) => matches!(action, MailAction::Send(_)),
            Self::Tool(call) => {
                call.effect() != Effect::Read && call.sinks().iter().any(|(kind, _)| kind == Party::EMAIL)
            }
            Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. } => false,
        }
    }

    /// Whether it calls a tool that nobody has described.
    #[must_use]
    pub const fn is_undescribed(&self) -> bool {
        matches!(self, Self::Tool(ToolUse { manifest: None, .. }))
    }

    /// The call, where it is one of a tool of others.
    const fn call(&self) -> Option<&ToolUse> {
        match self {
            Self::Tool(call) => Some(call),
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. } => None,
        }
    }

    /// The tool of somebody else's server that it calls, as `server.tool`; nothing for all else.
    #[must_use]
    pub fn tool_name(&self) -> String {
        self.call().map(|call| format!("{}.{}", call.server.as_str(), call.tool.as_str())).unwrap_or_default()
    }

    /// What it spends.
    #[must_use]
    pub fn amount(&self) -> Amount {
        self.call().map_or(Amount::None, ToolUse::amount)
    }

    /// Places it touches: `None` for one that cannot be read.
    #[must_use]
    pub fn places(&self) -> Vec<Option<Place>> {
        let all = self.call().map(ToolUse::places).unwrap_or_default();
        all.into_iter().map(|(kind, value)| Place::of(&kind, &value)).collect()
    }

    /// The method of the request it makes, in capitals; nothing where it makes none.
    #[must_use]
    pub fn method(&self) -> String {
        self.call().map(ToolUse::method).unwrap_or_default()
    }

    /// Files it carries.
    #[must_use]
    pub const fn attachments(&self) -> usize {
        if let Self::Mail(MailAction::Send(message)) = self { message.attachments.len() } else { 0 }
    }

    /// Existing things it changes, by the names it gives them.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        let changes = self.call().filter(|call| call.effect() == Effect::Write);
        changes.map(|call| call.targets().into_iter().map(|(_, value)| value).collect()).unwrap_or_default()
    }

    /// Words of it that others will read; empty where it reaches nobody.
    #[must_use]
    pub fn words_to_others(&self) -> String {
        match self {
            Self::Mail(MailAction::Send(message)) => {
                let files = message.attachments.iter().filter_map(|file| std::str::from_utf8(&file.bytes).ok());
                [message.subject.as_str(), &message.body].into_iter().chain(files).collect::<Vec<_>>().join("\n")
            }
            Self::Calendar(CalendarAction::Write(writing)) if writing.guests() > 0 => {
                writing.after().map(|entry| entry.lines().join("\n")).unwrap_or_default()
            }
            // Who has what is changed reads it, too.
            Self::Tool(call) if call.effect() == Effect::Write && self.kind() != ActionKind::ToolWrite => call.words(),
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. }
            | Self::Tool(_) => String::new(),
        }
    }

    /// What carrying it out lets into its task by its kind: what others wrote, secrets. What notes bring, the store knows.
    #[must_use]
    pub fn brings(&self) -> Brings {
        match self {
            Self::Tool(call) => Brings {
                untrusted: call.manifest.as_ref().is_none_or(|manifest| !manifest.trusted_output),
                confidential: call.manifest.as_ref().is_some_and(|manifest| manifest.confidential),
            },
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. } => Brings { untrusted: self.kind().is_read(), confidential: false },
        }
    }

    /// Whether it moves mail into the folders that say what the person sent or is writing: from there, facts are learned.
    #[must_use]
    pub const fn moves_into_sent_or_drafts(&self) -> bool {
        match self {
            Self::Mail(MailAction::Move(moving) | MailAction::Trash(moving)) => {
                matches!(moving.role, FolderRole::Sent | FolderRole::Drafts)
            }
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. }
            | Self::Tool(_) => false,
        }
    }

    /// Whether it moves mail that can be found again to a folder that is known to be the person's own.
    #[must_use]
    pub fn moves_among_own(&self) -> bool {
        match self {
            Self::Mail(MailAction::Move(moving) | MailAction::Trash(moving)) => {
                matches!(moving.role, FolderRole::Own | FolderRole::Trash) && !moving.about.message_id.is_empty()
            }
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. }
            | Self::Tool(_) => false,
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
            Self::Tool(call) => {
                let mut out = Encoder::default();
                tool::encode(call, &mut out);
                out.finish()
            }
            Self::Mail(_)
            | Self::Calendar(_)
            | Self::Reply { .. }
            | Self::MemoryWrite { .. }
            | Self::MemoryRead
            | Self::MemoryForget { .. } => Vec::new(),
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
            Self::Tool(call) => tool::encode(call, out.byte(5)),
            Self::MemoryRead => {
                out.byte(6);
            }
            Self::MemoryForget { note } => {
                out.byte(7).bytes(note.as_bytes());
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
            5 => tool::decode(bytes).map(Self::Tool),
            6 => Ok(Self::MemoryRead),
            7 => {
                let note = bytes.bytes()?.try_into().map_err(|_| CodecError::Malformed("an identity"))?;
                Ok(Self::MemoryForget { note: ActionId::from_bytes(note) })
            }
            tag => Err(CodecError::UnknownTag(tag)),
        }
    }
}
