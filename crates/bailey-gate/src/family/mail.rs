//! The mail family: what can be done with mail, and a whole outgoing message as typed fields.

use super::kind::{AskedBy, Group, Level, kinds};
use super::text::{Address, BadText, Line, Mailbox};
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
    /// Sends a mail.
    SEND = {
        name: "mail.send", group: Group::Outward, level: Some(Level::Send), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Send, Verb::Invite, Verb::Delegated]), suggest: Some("mail"),
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
}

mod preview;

/// Recipients of one mail above which it is mass mail, which is critical.
pub const MASS_MAIL_RECIPIENTS: usize = 20;

/// Largest message text in bytes; more belongs into an attachment.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Invitations and what takes them back, as calendars understand them in mail (RFC 6047, 2.4).
pub const INVITATIONS: [&str; 2] =
    ["text/calendar; method=REQUEST; charset=utf-8", "text/calendar; method=CANCEL; charset=utf-8"];

/// One thing done with mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailAction {
    /// Keep a draft in the home. Nothing leaves.
    Draft(Message),
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
    /// Move a message to another folder.
    Move(Moving),
    /// Move a message to the trash.
    Trash(Moving),
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

/// The name of a mail folder: printable ASCII. Other names are written in modified UTF-7 by the server (RFC 3501, 5.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FolderName(String);

impl FolderName {
    /// Refuses what cannot stand in a quoted string of the protocol, and wildcards.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let plain = text.chars().all(|c| (c.is_ascii_graphic() || c == ' ') && !"\"\\*%".contains(c));
        if text.is_empty() || text.trim() != text || !plain {
            return Err(BadText::Control);
        }
        if text.len() > super::text::MAX_ADDRESS_BYTES {
            return Err(BadText::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An outgoing message. [`super::rfc5322::render`] turns it into bytes; the same fields make the preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The author, an address of the connection.
    pub from: Mailbox,
    /// Primary recipients.
    pub to: Vec<Mailbox>,
    /// Copies, visible to all recipients.
    pub cc: Vec<Mailbox>,
    /// Copies the other recipients do not see; in the envelope, never in a header.
    pub bcc: Vec<Mailbox>,
    /// The subject.
    pub subject: Line,
    /// Plain text; lines end in `\n`.
    pub body: String,
    /// When it was written: seconds since 1970-01-01T00:00Z.
    pub date: i64,
    /// The author's distance from UTC in minutes, shown in the Date header; -1439..=1439.
    pub offset_minutes: i16,
    /// `<unique@domain>`.
    pub message_id: MessageId,
    /// The message this answers.
    pub in_reply_to: Option<MessageId>,
    /// The thread, oldest first.
    pub references: Vec<MessageId>,
    /// Files sent along.
    pub attachments: Vec<Attachment>,
}

impl Message {
    /// Every recipient, in the order To, Cc, Bcc: who the envelope names.
    pub fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    /// The checks that span fields: at least one recipient, a bounded text without NUL, an offset below a day.
    pub fn check(&self) -> Result<(), CodecError> {
        if self.recipients().next().is_none() {
            return Err(CodecError::Malformed("a mail needs at least one recipient"));
        }
        if self.body.len() > MAX_BODY_BYTES {
            return Err(CodecError::TooLong);
        }
        if self.body.contains(['\0', '\r']) {
            return Err(CodecError::Malformed("the text holds NUL or carriage return"));
        }
        if !(-1439..=1439).contains(&self.offset_minutes) {
            return Err(CodecError::Malformed("the time zone offset is a day or more"));
        }
        Ok(())
    }
}

/// A message identifier, `<left@right>` (RFC 5322, 3.6.4), printable ASCII without blanks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Parses `<left@right>`.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).ok_or(BadText::Control)?;
        let plain = inner.chars().all(|c| c.is_ascii_graphic() && c != '<' && c != '>');
        let parts = inner.split_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
        if !plain || !parts {
            return Err(BadText::Control);
        }
        if text.len() > super::text::MAX_HEADER_CHARS {
            return Err(BadText::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// `<left@right>`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file in a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The name the recipient sees.
    pub name: Line,
    /// `type/subtype`, or one of [`INVITATIONS`]; see [`Attachment::is_media_type`].
    pub media_type: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Attachment {
    /// Tells whether a text is a plain `type/subtype` of RFC 6838 names, without parameters, or one of [`INVITATIONS`].
    #[must_use]
    pub fn is_media_type(text: &str) -> bool {
        if INVITATIONS.contains(&text) {
            return true;
        }
        let name = |part: &str| {
            (1..=127).contains(&part.len())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
        };
        text.split_once('/').is_some_and(|(kind, sub)| name(kind) && name(sub))
    }

    /// The lines of an invitation, which a recipient's calendar acts on; `None` for any other file.
    #[must_use]
    pub fn invitation(&self) -> Option<Vec<String>> {
        let text = std::str::from_utf8(&self.bytes).ok().filter(|_| INVITATIONS.contains(&self.media_type.as_str()))?;
        Some(text.replace("\r\n ", "").split("\r\n").filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// Tells whether the content is what the media type says, as far as this gate has to know.
    fn is_sound(&self) -> bool {
        let invites = INVITATIONS.contains(&self.media_type.as_str());
        !invites || std::str::from_utf8(&self.bytes).is_ok_and(|text| super::calendar::Entry::new(text).is_ok())
    }
}

impl Family for MailAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Draft(_) => DRAFT,
            Self::Send(_) => SEND,
            Self::Search { .. } => SEARCH,
            Self::Read(_) => READ,
            Self::Move(_) => MOVE,
            Self::Trash(_) => TRASH,
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Send(message) if message.recipients().count() > MASS_MAIL_RECIPIENTS => Class::Critical,
            Self::Send(_) => Class::Held,
            Self::Draft(_) | Self::Search { .. } | Self::Read(_) | Self::Move(_) | Self::Trash(_) => Class::Undoable,
        }
    }

    fn traits(&self) -> Traits {
        let (sent, moving) = match self {
            Self::Send(message) => (Some(message), None),
            Self::Move(moving) | Self::Trash(moving) => (None, Some(moving)),
            Self::Draft(_) | Self::Search { .. } | Self::Read(_) => (None, None),
        };
        let recipients: Vec<Party> =
            sent.iter().flat_map(|message| message.recipients()).map(|to| Party::of_address(&to.address)).collect();
        Traits {
            learns: recipients.clone(),
            recipients,
            unreadable_recipients: 0,
            is_mail: sent.is_some(),
            text_for_others: sent.map(text_for_others).unwrap_or_default(),
            attachments: sent.map_or(0, |message| message.attachments.len()),
            targets: Vec::new(),
            places: Vec::new(),
            method: String::new(),
            amount: Amount::None,
            tool: String::new(),
            undescribed: false,
            taint: Taint { untrusted: self.kind().is_read(), confidential: false },
            into_sent_or_drafts: moving
                .is_some_and(|moving| matches!(moving.role, FolderRole::Sent | FolderRole::Drafts)),
            among_own_folders: moving.is_some_and(|moving| {
                matches!(moving.role, FolderRole::Own | FolderRole::Trash) && !moving.about.message_id.is_empty()
            }),
        }
    }

    fn artefact(&self) -> Vec<u8> {
        match self {
            Self::Send(message) => rfc5322::render(message),
            Self::Draft(_) | Self::Search { .. } | Self::Read(_) | Self::Move(_) | Self::Trash(_) => Vec::new(),
        }
    }

    fn check(&self) -> Result<(), CodecError> {
        match self {
            Self::Draft(message) | Self::Send(message) => message.check(),
            Self::Search { .. } | Self::Read(_) | Self::Move(_) | Self::Trash(_) => Ok(()),
        }
    }

    fn encode(&self, out: &mut Encoder) {
        out.byte(TAG);
        match self {
            Self::Draft(message) => encode_message(message, out.byte(1)),
            Self::Send(message) => encode_message(message, out.byte(2)),
            Self::Search { folder, query } => encode_query(query, out.byte(3).text(folder.as_str())),
            Self::Read(message) => encode_reference(message, out.byte(4)),
            Self::Move(moving) => encode_moving(moving, out.byte(5)),
            Self::Trash(moving) => encode_moving(moving, out.byte(6)),
        }
    }

    fn preview(&self, out: &mut Preview) {
        match self {
            Self::Draft(message) => preview::message(out, "Keep a draft", message),
            Self::Send(message) => preview::message(out, "Send a mail", message),
            Self::Search { folder, query } => preview::search(out, folder, query),
            Self::Read(message) => {
                out.headline = "Read a mail".into();
                preview::place(out, message);
            }
            Self::Move(moving) => preview::moving(out, "Move a mail", moving),
            Self::Trash(moving) => preview::moving(out, "Move a mail to the trash", moving),
        }
    }
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 1;

/// Collects what others will read of a mail: subject, text, and what of its files is text.
fn text_for_others(message: &Message) -> String {
    let files = message.attachments.iter().filter_map(|file| std::str::from_utf8(&file.bytes).ok());
    [message.subject.as_str(), &message.body].into_iter().chain(files).collect::<Vec<_>>().join("\n")
}

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<MailAction, CodecError> {
    match bytes.byte()? {
        1 => decode_message(bytes).map(MailAction::Draft),
        2 => decode_message(bytes).map(MailAction::Send),
        3 => Ok(MailAction::Search { folder: decode_folder(bytes)?, query: decode_query(bytes)? }),
        4 => decode_reference(bytes).map(MailAction::Read),
        5 => decode_moving(bytes).map(MailAction::Move),
        6 => decode_moving(bytes).map(MailAction::Trash),
        tag => Err(CodecError::UnknownTag(tag)),
    }
}

fn encode_mailbox(out: &mut Encoder, mailbox: &Mailbox) {
    out.option(mailbox.name.as_ref(), |out, name| {
        out.text(name.as_str());
    });
    out.text(mailbox.address.as_str());
}

fn decode_mailbox(bytes: &mut Decoder<'_>) -> Result<Mailbox, CodecError> {
    let name = bytes.option(|b| Line::new(b.text()?).map_err(|_| CodecError::Malformed("a name")))?;
    let text = bytes.text()?;
    let address = Address::new(&text).map_err(|_| CodecError::Malformed("an address"))?;
    Ok(Mailbox { name, address })
}

fn encode_message(message: &Message, out: &mut Encoder) {
    encode_mailbox(out, &message.from);
    for list in [&message.to, &message.cc, &message.bcc] {
        out.list(list, encode_mailbox);
    }
    out.text(message.subject.as_str()).text(&message.body);
    out.signed(message.date).signed(message.offset_minutes.into());
    out.text(message.message_id.as_str());
    out.option(message.in_reply_to.as_ref(), |out, id| {
        out.text(id.as_str());
    });
    out.list(&message.references, |out, id| {
        out.text(id.as_str());
    });
    out.list(&message.attachments, |out, file| {
        out.text(file.name.as_str()).text(&file.media_type).bytes(&file.bytes);
    });
}

fn decode_message(bytes: &mut Decoder<'_>) -> Result<Message, CodecError> {
    let message_id =
        |b: &mut Decoder<'_>| MessageId::new(&b.text()?).map_err(|_| CodecError::Malformed("a message id"));
    let line = |b: &mut Decoder<'_>| Line::new(b.text()?).map_err(|_| CodecError::Malformed("a header"));
    let message = Message {
        from: decode_mailbox(bytes)?,
        to: bytes.list(decode_mailbox)?,
        cc: bytes.list(decode_mailbox)?,
        bcc: bytes.list(decode_mailbox)?,
        subject: line(bytes)?,
        body: bytes.text()?,
        date: bytes.signed()?,
        offset_minutes: i16::try_from(bytes.signed()?).map_err(|_| CodecError::Malformed("a time zone offset"))?,
        message_id: message_id(bytes)?,
        in_reply_to: bytes.option(message_id)?,
        references: bytes.list(message_id)?,
        attachments: bytes.list(|b| {
            let (name, media_type, bytes) = (line(b)?, b.text()?, b.bytes()?.to_vec());
            if !Attachment::is_media_type(&media_type) {
                return Err(CodecError::Malformed("a media type"));
            }
            let file = Attachment { name, media_type, bytes };
            if file.is_sound() { Ok(file) } else { Err(CodecError::Malformed("an invitation")) }
        })?,
    };
    message.check()?;
    Ok(message)
}

fn encode_query(query: &Query, out: &mut Encoder) {
    out.byte(u8::from(query.unread));
    for words in [&query.from, &query.subject, &query.text] {
        out.option(words.as_ref(), |out, words| {
            out.text(words.as_str());
        });
    }
    out.option(query.days.as_ref(), |out, days| {
        out.number((*days).into());
    });
}

fn decode_query(bytes: &mut Decoder<'_>) -> Result<Query, CodecError> {
    let words =
        |b: &mut Decoder<'_>| b.option(|b| Line::new(b.text()?).map_err(|_| CodecError::Malformed("search words")));
    Ok(Query {
        unread: match bytes.byte()? {
            0 => false,
            1 => true,
            tag => return Err(CodecError::UnknownTag(tag)),
        },
        from: words(bytes)?,
        subject: words(bytes)?,
        text: words(bytes)?,
        days: bytes.option(decode_u32)?,
    })
}

fn decode_u32(bytes: &mut Decoder<'_>) -> Result<u32, CodecError> {
    u32::try_from(bytes.number()?).map_err(|_| CodecError::TooLong)
}

fn decode_folder(bytes: &mut Decoder<'_>) -> Result<FolderName, CodecError> {
    FolderName::new(&bytes.text()?).map_err(|_| CodecError::Malformed("a folder name"))
}

fn encode_reference(message: &MessageRef, out: &mut Encoder) {
    out.text(message.folder.as_str()).number(message.uid_validity.into()).number(message.uid.into());
}

fn decode_reference(bytes: &mut Decoder<'_>) -> Result<MessageRef, CodecError> {
    Ok(MessageRef { folder: decode_folder(bytes)?, uid_validity: decode_u32(bytes)?, uid: decode_u32(bytes)? })
}

fn encode_moving(moving: &Moving, out: &mut Encoder) {
    encode_reference(&moving.message, out);
    let role = FolderRole::ALL.iter().find(|(role, _)| *role == moving.role).map_or(0, |(_, tag)| *tag);
    out.text(moving.to.as_str()).byte(role);
    out.text(&moving.about.from).text(&moving.about.subject).text(&moving.about.message_id);
}

fn decode_moving(bytes: &mut Decoder<'_>) -> Result<Moving, CodecError> {
    let (message, to, tag) = (decode_reference(bytes)?, decode_folder(bytes)?, bytes.byte()?);
    let role = FolderRole::ALL.iter().find(|(_, known)| *known == tag).map(|(role, _)| *role);
    let role = role.ok_or(CodecError::UnknownTag(tag))?;
    let about = Summary { from: bytes.text()?, subject: bytes.text()?, message_id: bytes.text()? };
    Ok(Moving { message, to, role, about })
}
