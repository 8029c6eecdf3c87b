//! Action families: everything an agent can propose, as one closed enum.
//!
//! Adding an effect to the product means adding a row to its family's table of kinds, and a variant to the family's enum;
//! adding a family, a file here and one line in `families!`. Whatever else the gate has to know of an action is asked by
//! [`Family`], whose [`Traits`] have no default: what was forgotten does not compile.

pub mod addresses;
pub mod calendar;
pub mod contacts;
pub mod escape;
pub mod files;
pub mod home;
pub mod http;
mod kind;
pub mod mail;
mod party;
pub mod punycode;
pub mod rfc5322;
pub mod schedule;
pub mod shell;
pub mod text;
pub mod tool;

use crate::codec::{CodecError, Decoder, Encoder};
use crate::ids::ConnectionId;
use crate::intent::OfSeries;
use crate::permit::Claimed;
use crate::place::Place;
use crate::preview::Preview;
use crate::verdict::Class;
use calendar::CalendarAction;
use tool::Amount;

pub use home::MAX_WORDS_BYTES;
pub use kind::{ActionKind, AskedBy, Group, KindSpec, Level};
pub use party::Party;

/// Tells what an action lets into its task when it is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taint {
    /// Words that others wrote.
    pub untrusted: bool,
    /// Identity documents, card numbers or other secrets.
    pub confidential: bool,
}

/// Describes what the gate has to know of an action beside its kind and class, to find out what is true about it. No field has a default,
/// and none may be filled by `..`: a family says all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    /// Everyone outside the home who gets something from it, as far as it can be read who they are.
    pub recipients: Vec<Party>,
    /// How many of those cannot be read.
    pub unreadable_recipients: usize,
    /// Those the person knows once they have let it happen.
    pub learns: Vec<Party>,
    /// Tells whether something reaches addresses of mail, by a tool of others too.
    pub is_mail: bool,
    /// Words of it that others will read; empty where it reaches nobody.
    pub text_for_others: String,
    /// Files it carries.
    pub attachments: usize,
    /// Those of them that others sent.
    pub foreign_attachments: usize,
    /// The names of the files it carries that lie in the person's mailbox.
    pub files: Vec<String>,
    /// Tells whether it answers a mail whose sender is not proven.
    pub sender_unproven: bool,
    /// Existing things it changes, by the names it gives them.
    pub targets: Vec<String>,
    /// Places it touches: `None` for one that cannot be read.
    pub places: Vec<Option<Place>>,
    /// The method of the request it makes, in capitals; nothing where it makes none.
    pub method: String,
    /// Tells what it spends.
    pub amount: Amount,
    /// The tool of somebody else's server that it calls, as `server.tool`; nothing for all else.
    pub tool: String,
    /// Tells whether it calls a tool that nobody has described.
    pub undescribed: bool,
    /// Tells what executing it lets into its task.
    pub taint: Taint,
    /// Tells what whoever makes it had read beside what its task has.
    pub behind: Taint,
    /// Tells whether it moves mail into the folders that say what the person sent or is writing: from there, facts are learned.
    pub into_sent_or_drafts: bool,
    /// Tells whether it moves mail that can be found again to a folder that is known to be the person's own.
    pub among_own_folders: bool,
}

impl Traits {
    /// Describes an action that reaches nobody and touches nothing but what it looks at or keeps in the home.
    fn reaching_nobody(taint: Taint) -> Self {
        Self {
            recipients: Vec::new(),
            unreadable_recipients: 0,
            learns: Vec::new(),
            is_mail: false,
            text_for_others: String::new(),
            attachments: 0,
            foreign_attachments: 0,
            files: Vec::new(),
            sender_unproven: false,
            targets: Vec::new(),
            places: Vec::new(),
            method: String::new(),
            amount: Amount::None,
            tool: String::new(),
            undescribed: false,
            taint,
            behind: Taint::default(),
            into_sent_or_drafts: false,
            among_own_folders: false,
        }
    }
}

/// Defines what every family says of its actions. Sealed: the gate's own types alone implement it.
pub trait Family: sealed::Sealed {
    /// Returns the kind.
    fn kind(&self) -> ActionKind;
    /// Tells how far the effect can be taken back, which bounds how freely it may run.
    fn class(&self) -> Class;
    /// Describes the action.
    fn traits(&self) -> Traits;
    /// Renders the bytes that would leave the home; nothing where none do.
    fn artefact(&self) -> Vec<u8>;
    /// Checks what spans fields and types alone do not hold.
    fn check(&self) -> Result<(), CodecError>;
    /// Writes the one encoding of the action, its family's tag first.
    fn encode(&self, out: &mut Encoder);
    /// Fills in what the person sees.
    fn preview(&self, out: &mut Preview);
}

mod sealed {
    /// Seals [`super::Family`].
    pub trait Sealed {}
}

/// Makes [`Action`], its dispatch to the families, and the list of their kinds: one line for each family.
macro_rules! families {
    ($($(#[$doc:meta])* $variant:ident($action:ty) in $module:ident, tags $($tag:path)|+;)*) => {
        /// One proposed action.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $variant($action),)*
        }

        /// The kinds of every family.
        const FAMILIES: &[&[ActionKind]] = &[$($module::KINDS,)*];

        $(impl sealed::Sealed for $action {})*

        $(impl From<$action> for Action {
            fn from(action: $action) -> Self {
                Self::$variant(action)
            }
        })*

        /// A claim by the family of its action: whoever carries claims out has to have a place for each.
        #[derive(Debug)]
        #[must_use]
        pub enum Claim {
            $($(#[$doc])* $variant(Claimed<$action>),)*
        }

        impl Claimed<Action> {
            /// Makes it a claim of its family.
            pub fn by_family(self) -> Claim {
                match self.action {
                    $(Action::$variant(action) => Claim::$variant(Claimed {
                        action,
                        bound: self.bound,
                        artefact: self.artefact,
                        token: self.token,
                    }),)*
                }
            }
        }

        impl Action {
            fn family(&self) -> &dyn Family {
                match self {
                    $(Self::$variant(action) => action,)*
                }
            }

            /// Reads an action; every rule of its types is checked again.
            pub fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
                match bytes.byte()? {
                    $(tag if [$($tag),+].contains(&tag) => $module::decode(tag, bytes).map(Self::$variant),)*
                    tag => Err(CodecError::UnknownTag(tag)),
                }
            }
        }
    };
}

families! {
    /// Something with mail.
    Mail(mail::MailAction) in mail, tags mail::TAG;
    /// Something with a calendar.
    Calendar(calendar::CalendarAction) in calendar, tags calendar::TAG;
    /// Something in the home itself.
    Home(home::HomeAction) in home,
        tags home::REPLY_TAG | home::MEMORY_WRITE_TAG | home::MEMORY_READ_TAG | home::MEMORY_FORGET_TAG;
    /// Something with an address book.
    Contacts(contacts::ContactsAction) in contacts, tags contacts::TAG;
    /// Something with the home's files.
    File(files::FileAction) in files, tags files::TAG;
    /// Something with the person's schedules.
    Schedule(schedule::ScheduleAction) in schedule, tags schedule::TAG;
    /// A tool of a server that is not ours.
    Tool(tool::ToolUse) in tool, tags tool::TAG;
    /// Something in the agent's own computer.
    Shell(shell::ShellAction) in shell, tags shell::TAG;
    /// A request to a site.
    Http(http::HttpRequest) in http, tags http::TAG;
}

impl ActionKind {
    /// Tells whether what comes of it is told to whoever proposed it: a look is made for that, and so is a command or a request.
    #[must_use]
    pub fn answers(self) -> bool {
        self.is_read() || [shell::RUN, http::GET, http::POST].contains(&self)
    }
}

impl Action {
    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> ActionKind {
        self.family().kind()
    }

    /// Tells how far the effect can be taken back, which bounds how freely it may run.
    #[must_use]
    pub fn class(&self) -> Class {
        self.family().class()
    }

    /// Returns the accounts it looks into beside the one it is bound to: rules have to allow it for each of them.
    #[must_use]
    pub fn also(&self) -> &[(ConnectionId, u64)] {
        match self {
            Self::Calendar(action) => action.also(),
            Self::Mail(_)
            | Self::Home(_)
            | Self::Contacts(_)
            | Self::File(_)
            | Self::Schedule(_)
            | Self::Tool(_)
            | Self::Shell(_)
            | Self::Http(_) => &[],
        }
    }

    /// Returns what part of a series it cancels or changes; nothing where it does neither.
    #[must_use]
    pub fn of_series(&self) -> Option<OfSeries> {
        match self {
            Self::Calendar(CalendarAction::Write(writing)) => writing.of_series(),
            Self::Calendar(_)
            | Self::Mail(_)
            | Self::Home(_)
            | Self::Contacts(_)
            | Self::File(_)
            | Self::Schedule(_)
            | Self::Tool(_)
            | Self::Shell(_)
            | Self::Http(_) => None,
        }
    }

    /// Describes the action.
    #[must_use]
    pub fn traits(&self) -> Traits {
        self.family().traits()
    }

    /// Renders the bytes that would leave the home; nothing where none do.
    #[must_use]
    pub fn artefact(&self) -> Vec<u8> {
        self.family().artefact()
    }

    /// Checks what spans fields and types alone do not hold.
    pub fn check(&self) -> Result<(), CodecError> {
        self.family().check()
    }

    /// Writes the one encoding of the action.
    pub fn encode(&self, out: &mut Encoder) {
        self.family().encode(out);
    }

    /// Fills in what the person sees.
    pub(crate) fn preview(&self, out: &mut Preview) {
        self.family().preview(out);
    }
}
