//! The mail family: what can be done with mail, and a whole outgoing message as typed fields.

use super::kind::{AskedBy, Group, Level, kinds};
use super::text::{BadText, Line};
use super::tool::Amount;
use super::{ActionKind, Family, Party, Taint, Traits, rfc5322};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::intent::Verb;
use crate::preview::Preview;
use crate::verdict::Class;

kinds! {
    /// Keeps a draft in the home.
    DRAFT = {
        name: "mail.draft", group: Group::Write, level: Some(Level::Draft), local: true,
        asked_by: AskedBy::Always, suggest: None,
    };
    /// Puts a draft into the mailbox.
    SAVE_DRAFT = {
        name: "mail.save-draft", group: Group::Write, level: Some(Level::Draft), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Draft, Verb::Send, Verb::Invite, Verb::Delegated]), suggest: None,
    };
    /// Takes a draft that was put there out of the mailbox.
    DISCARD_DRAFT = {
        name: "mail.discard-draft", group: Group::Write, level: Some(Level::Draft), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Trash]), suggest: None,
    };
    /// Sends a mail.
    SEND = {
        name: "mail.send", group: Group::Outward, level: Some(Level::Send), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Send, Verb::Invite, Verb::Unsubscribe, Verb::Delegated]),
        suggest: Some("mail"),
    };
    /// Leaves a mailing list by one request to its server.
    UNSUBSCRIBE = {
        name: "mail.unsubscribe", group: Group::Outward, level: Some(Level::Send), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Unsubscribe]), suggest: None,
    };
    /// Looks for mail.
    SEARCH = {
        name: "mail.search", group: Group::Read, level: Some(Level::Read), local: false,
        asked_by: AskedBy::Always, suggest: None,
    };
    /// Reads a mail.
    READ = {
        name: "mail.read", group: Group::Read, level: Some(Level::Read), local: false,
        asked_by: AskedBy::Always, suggest: None,
    };
    /// Reads a file of a mail.
    ATTACHMENT = {
        name: "mail.attachment", group: Group::Read, level: Some(Level::Read), local: false,
        asked_by: AskedBy::Always, suggest: None,
    };
    /// Lists the folders of mail.
    FOLDERS = {
        name: "mail.folders", group: Group::Read, level: Some(Level::Read), local: false,
        asked_by: AskedBy::Always, suggest: None,
    };
    /// Moves a mail to another folder.
    MOVE = {
        name: "mail.move", group: Group::Write, level: Some(Level::Full), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Sort]), suggest: Some("moving mail"),
    };
    /// Moves a mail to the trash.
    TRASH = {
        name: "mail.trash", group: Group::Write, level: Some(Level::Full), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Trash]), suggest: Some("trashing mail"),
    };
    /// Marks a mail: as read, with a star, with a label.
    MARK = {
        name: "mail.mark", group: Group::Write, level: Some(Level::Full), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Mark]), suggest: Some("marking mail"),
    };
}

mod codec;
mod folder;
mod look;
mod mark;
mod message;
mod preview;
mod unsubscribe;

pub use look::{Look, PartNumber};
pub use mark::{Keyword, Mark, Marking};
pub use message::{
    Attachment, MAX_REFERENCES, MAX_TAKEN_BYTES, Message, MessageId, SenderProof, Source, SourceUse, TakenFrom,
};
pub use unsubscribe::{ListAddress, ONE_CLICK, Unsubscribing};

/// Recipients of one mail above which it is mass mail, which is critical.
pub const MASS_MAIL_RECIPIENTS: usize = 20;

/// Largest message text in bytes; more belongs into an attachment.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Invitations, what takes them back, and answers to them, as calendars understand them in mail (RFC 6047, 2.4).
pub const INVITATIONS: [&str; 3] = [
    "text/calendar; method=REQUEST; charset=utf-8",
    "text/calendar; method=CANCEL; charset=utf-8",
    "text/calendar; method=REPLY; charset=utf-8",
];

/// One thing done with mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailAction {
    /// Keep a draft in the home. Nothing leaves.
    Draft(Message),
    /// Put a draft into the folder of drafts, which [`Message::keep_in`] names. Reaches nobody.
    SaveDraft(Message),
    /// Move a draft that was put there to the trash.
    DiscardDraft(Moving),
    /// Send a message.
    Send(Message),
    /// Look for messages in a folder. Changes nothing, not even what is unread.
    Search {
        /// Where to look.
        folder: FolderName,
        /// Says what to look for.
        query: Query,
    },
    /// Read a message. Changes nothing, not even that it is unread.
    Read(MessageRef),
    /// List folders, or read on. Changes nothing either.
    Look(Look),
    /// Move a message to another folder.
    Move(Moving),
    /// Move a message to the trash.
    Trash(Moving),
    /// Mark a message, or take a mark off it.
    Mark(Marking),
    /// Leave the list that a message came by.
    Unsubscribe(Unsubscribing),
}

/// A message on the move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// Names the message.
    pub message: MessageRef,
    /// Where to.
    pub to: FolderName,
    /// Says what the target folder is for.
    pub role: FolderRole,
    /// Quotes what the message says of itself, for the preview.
    pub about: Summary,
    /// Tells whether the folder is not there yet, and is made for this.
    pub makes: bool,
}

/// Says what a folder is for (RFC 6154).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderRole {
    /// Nothing known: it may be shared, or public, or sent from.
    Ordinary,
    /// The person's own: the inbox, the archive.
    Own,
    /// Holds what was thrown away.
    Trash,
    /// Holds what the person sent.
    Sent,
    /// Holds what the person is writing.
    Drafts,
}

impl FolderRole {
    const ALL: [(Self, u8); 5] =
        [(Self::Ordinary, 0), (Self::Trash, 1), (Self::Sent, 2), (Self::Drafts, 3), (Self::Own, 4)];
}

/// A message by its place: a folder, and a number that is valid as long as the folder's validity is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// The folder.
    pub folder: FolderName,
    /// UIDVALIDITY (RFC 3501, 2.3.1.1).
    pub uid_validity: u32,
    /// UID.
    pub uid: u32,
}

/// Quotes what a message says of itself. Written by its sender; shown escaped, believed by nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// From.
    pub from: String,
    /// Subject.
    pub subject: String,
    /// Message-ID; empty where it has none.
    pub message_id: String,
}

/// Says what to look for. All of it has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Unread only.
    pub unread: bool,
    /// Words in the From field.
    pub from: Option<Line>,
    /// Words in the subject.
    pub subject: Option<Line>,
    /// Words anywhere.
    pub text: Option<Line>,
    /// Arrived in the last so many days.
    pub days: Option<u32>,
}

/// The name of a mail folder as its server writes it: printable ASCII, other letters in modified UTF-7 (RFC 3501, 5.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FolderName(String);

impl FolderName {
    /// Tells whether it is the person's own by its whole name, whatever a server says of it: the inbox, and the usual archive and trash of
    /// an account. All else may be shared, sent from, or written in.
    #[must_use]
    pub fn is_surely_own(&self) -> bool {
        const OWN: [&str; 7] =
            ["INBOX", "Archive", "Trash", "INBOX.Archive", "INBOX.Trash", "INBOX/Archive", "INBOX/Trash"];
        OWN.iter().any(|own| own.eq_ignore_ascii_case(&self.0))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Family for MailAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Draft(_) => DRAFT,
            Self::SaveDraft(_) => SAVE_DRAFT,
            Self::DiscardDraft(_) => DISCARD_DRAFT,
            Self::Send(_) => SEND,
            Self::Search { .. } => SEARCH,
            Self::Read(_) | Self::Look(Look::Read { .. }) => READ,
            Self::Look(Look::Search { .. }) => SEARCH,
            Self::Look(Look::Folders) => FOLDERS,
            Self::Look(Look::Attachment { .. }) => ATTACHMENT,
            Self::Move(_) => MOVE,
            Self::Trash(_) => TRASH,
            Self::Mark(_) => MARK,
            Self::Unsubscribe(_) => UNSUBSCRIBE,
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Send(message) if message.recipients().count() > MASS_MAIL_RECIPIENTS => Class::Critical,
            Self::Send(_) | Self::Unsubscribe(_) => Class::Held,
            Self::Draft(_)
            | Self::SaveDraft(_)
            | Self::DiscardDraft(_)
            | Self::Search { .. }
            | Self::Read(_)
            | Self::Look(_)
            | Self::Move(_)
            | Self::Trash(_)
            | Self::Mark(_) => Class::Undoable,
        }
    }

    fn traits(&self) -> Traits {
        let (sent, moving) = match self {
            Self::Send(message) => (Some(message), None),
            Self::Move(moving) | Self::Trash(moving) | Self::DiscardDraft(moving) => (None, Some(moving)),
            Self::Draft(_)
            | Self::SaveDraft(_)
            | Self::Search { .. }
            | Self::Read(_)
            | Self::Look(_)
            | Self::Mark(_)
            | Self::Unsubscribe(_) => (None, None),
        };
        let written_to: Vec<Party> =
            sent.iter().flat_map(|message| message.recipients()).map(|to| Party::of_address(&to.address)).collect();
        let recipients = match self {
            Self::Unsubscribe(leaving) => vec![leaving.party()],
            _ => written_to.clone(),
        };
        Traits {
            learns: written_to,
            recipients,
            unreadable_recipients: 0,
            is_mail: sent.is_some(),
            text_for_others: sent.map(text_for_others).unwrap_or_default(),
            attachments: sent.map_or(0, |message| message.attachments.len()),
            foreign_attachments: sent.map_or(0, Message::foreign_attachments),
            files: sent.map(Message::files_of_the_mailbox).unwrap_or_default(),
            sender_unproven: sent.is_some_and(Message::answers_unproven),
            targets: Vec::new(),
            places: Vec::new(),
            method: String::new(),
            amount: Amount::None,
            tool: String::new(),
            undescribed: false,
            taint: Taint { untrusted: self.kind().is_read(), confidential: false },
            behind: Taint::default(),
            into_sent_or_drafts: moving
                .is_some_and(|moving| matches!(moving.role, FolderRole::Sent | FolderRole::Drafts)),
            among_own_folders: moving.is_some_and(|moving| {
                matches!(moving.role, FolderRole::Own | FolderRole::Trash)
                    && moving.message.folder.is_surely_own()
                    && !moving.about.message_id.is_empty()
            }),
        }
    }

    fn artefact(&self) -> Vec<u8> {
        match self {
            Self::Send(message) => rfc5322::render(message),
            Self::SaveDraft(message) => rfc5322::render_kept(message),
            Self::Unsubscribe(_) => ONE_CLICK.into(),
            Self::Draft(_)
            | Self::DiscardDraft(_)
            | Self::Search { .. }
            | Self::Read(_)
            | Self::Look(_)
            | Self::Move(_)
            | Self::Trash(_)
            | Self::Mark(_) => Vec::new(),
        }
    }

    fn check(&self) -> Result<(), CodecError> {
        match self {
            Self::Draft(message) if message.keep_in.is_some() || message.source.is_some() => {
                Err(CodecError::Malformed("a draft of the home names something in the mailbox"))
            }
            Self::SaveDraft(message) if message.keep_in.is_none() => {
                Err(CodecError::Malformed("a draft names no folder to lie in"))
            }
            Self::Trash(moving) | Self::DiscardDraft(moving) if moving.makes => {
                Err(CodecError::Malformed("a folder is made for a mail that is moved there alone"))
            }
            Self::Move(moving) if moving.makes && moving.role != FolderRole::Ordinary => {
                Err(CodecError::Malformed("a folder that is made has no role yet"))
            }
            Self::DiscardDraft(moving) if moving.role != FolderRole::Trash => {
                Err(CodecError::Malformed("a draft is taken out to the trash alone"))
            }
            Self::Draft(message) | Self::SaveDraft(message) | Self::Send(message) => message.check(),
            Self::Search { .. }
            | Self::Read(_)
            | Self::Look(_)
            | Self::Move(_)
            | Self::Trash(_)
            | Self::Mark(_)
            | Self::Unsubscribe(_)
            | Self::DiscardDraft(_) => Ok(()),
        }
    }

    fn encode(&self, out: &mut Encoder) {
        out.byte(TAG);
        codec::encode(self, out);
    }

    fn preview(&self, out: &mut Preview) {
        match self {
            Self::Draft(message) => preview::message(out, "Keep a draft", message),
            Self::SaveDraft(message) => preview::message(out, "Put into the mailbox a draft", message),
            Self::DiscardDraft(moving) => preview::moving(out, "Take a draft out of the mailbox", moving),
            Self::Send(message) => preview::message(out, "Send a mail", message),
            Self::Search { folder, query } => preview::search(out, folder, query),
            Self::Read(message) => {
                out.headline = "Read a mail".into();
                preview::place(out, message);
            }
            Self::Look(look) => look::preview(look, out),
            Self::Move(moving) => preview::moving(out, "Move a mail", moving),
            Self::Trash(moving) => preview::moving(out, "Move a mail to the trash", moving),
            Self::Mark(marking) => mark::preview(out, marking),
            Self::Unsubscribe(leaving) => unsubscribe::preview(out, leaving),
        }
    }
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 1;

/// Collects what others will read of a mail: subject, text, the names of people and files, and what of its files is text.
fn text_for_others(message: &Message) -> String {
    let names = message.recipients().filter_map(|one| one.name.as_ref()).map(Line::as_str);
    let files = message.attachments.iter().map(|file| file.name.as_str());
    let texts = message.attachments.iter().filter_map(|file| std::str::from_utf8(&file.bytes).ok());
    let said = [message.subject.as_str(), message.body.as_str()];
    said.into_iter().chain(names).chain(files).chain(texts).collect::<Vec<_>>().join("\n")
}

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<MailAction, CodecError> {
    codec::decode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_and_files_are_text_for_others() {
        let mailbox = |name: &str| super::super::text::Mailbox {
            name: Some(Line::new(name).unwrap()),
            address: super::super::text::Address::new("ana@example.org").unwrap(),
        };
        let file = Attachment {
            name: Line::new("see evil.example/file").unwrap(),
            media_type: "application/pdf".into(),
            bytes: vec![0xff],
            taken_from: None,
        };
        let message = Message {
            from: mailbox("Me"),
            to: vec![mailbox("see evil.example/name")],
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: Line::new("Hi").unwrap(),
            body: String::new(),
            date: 0,
            offset_minutes: 0,
            message_id: MessageId::new("<1@example.org>").unwrap(),
            in_reply_to: None,
            references: Vec::new(),
            attachments: vec![file],
            keep_in: None,
            source: None,
        };
        let links = crate::ground::links(&text_for_others(&message));
        assert_eq!(links, ["evil.example/name", "evil.example/file"]);
    }
}
