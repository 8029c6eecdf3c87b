//! A whole outgoing message as typed fields.

use sha2::{Digest as _, Sha256};

use super::{FolderName, INVITATIONS, MAX_BODY_BYTES, MessageRef, PartNumber};
use crate::codec::CodecError;
use crate::family::files::FilePath;
use crate::family::text::{BadText, Line, MAX_ADDRESS_BYTES, MAX_HEADER_CHARS, Mailbox};
use crate::ids::Digest;

/// An outgoing message. [`crate::family::rfc5322::render`] turns it into bytes; the same fields make the preview.
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
    /// The folder of the mailbox that a copy is put into; none where there is none, or where the provider does so itself.
    pub keep_in: Option<Box<FolderName>>,
    /// The mail it answers or passes on, where it was made of one.
    pub source: Option<Box<Source>>,
}

/// The mail that another was made of, as it was when that was prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Says what was made of it.
    pub used: SourceUse,
    /// Names it.
    pub message: MessageRef,
    /// Quotes its sender; written by them, shown escaped.
    pub from: String,
    /// Quotes where it asks for answers to be sent to (Reply-To; RFC 5322, 3.6.2), where that is not its sender; else empty.
    pub reply_to: String,
    /// The proof of who sent it, as the account's own server found it.
    pub sender: SenderProof,
}

/// What is proven of who sent a mail, by the server the account gets its mail from, and by nothing that the mail says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SenderProof {
    /// Nobody looked: actions of earlier homes.
    #[default]
    NotLooked,
    /// The server found none.
    Unproven,
    /// The server found that it came from the domain of its sender's address.
    Proven,
}

/// What a mail was made of another as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceUse {
    /// An answer to it.
    Answered,
    /// It is passed on.
    Forwarded,
}

/// Most bytes of files of the mailbox that one mail takes along, in all: with its transfer encoding that is about 27 MB, which the largest
/// providers still take.
pub const MAX_TAKEN_BYTES: usize = 20_000_000;

/// Most Message-IDs of a thread that are kept: the first, and the newest (RFC 5322, 3.6.4 sets no bound). What programs show a
/// thread by are these.
pub const MAX_REFERENCES: usize = 50;

impl Message {
    /// Returns every recipient, in the order To, Cc, Bcc: who the envelope names.
    pub fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    /// Returns the checks that span fields: at least one recipient, a bounded text without NUL, an offset below a day.
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
        let taken = self.attachments.iter().filter(|file| file.taken_from.is_some());
        if taken.map(|file| file.bytes.len()).sum::<usize>() > MAX_TAKEN_BYTES {
            return Err(CodecError::TooLong);
        }
        Ok(())
    }

    /// Returns the first address in it with letters beyond ASCII, for which a mail server has to be able to take such (RFC 6531).
    #[must_use]
    pub fn beyond_ascii(&self) -> Option<&Mailbox> {
        std::iter::once(&self.from).chain(self.recipients()).find(|one| one.address.is_beyond_ascii())
    }

    /// Tells whether it answers a mail whose sender is not proven.
    #[must_use]
    pub fn answers_unproven(&self) -> bool {
        let answered = self.source.as_ref().filter(|source| source.used == SourceUse::Answered);
        answered.is_some_and(|source| source.sender == SenderProof::Unproven)
    }

    /// Counts the files that others sent: those of a mail that is passed on, and those taken from mail that is not known to be the
    /// person's own.
    #[must_use]
    pub fn foreign_attachments(&self) -> usize {
        let passed_on = self.passes_on();
        let is_foreign = |file: &&Attachment| file.taken_from.as_ref().map_or(passed_on, |taken| !taken.is_own());
        self.attachments.iter().filter(is_foreign).count()
    }

    /// Returns the names of its files that were taken from mails or files of the person's, or are passed on with a mail.
    #[must_use]
    pub fn files_of_the_mailbox(&self) -> Vec<String> {
        let passed_on = self.passes_on();
        let taken = self.attachments.iter().filter(|file| file.taken_from.is_some() || passed_on);
        taken.map(|file| file.name.as_str().to_owned()).collect()
    }

    fn passes_on(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.used == SourceUse::Forwarded)
    }
}

/// A message identifier, `<left@right>` (RFC 5322, 3.6.4), printable ASCII without blanks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Parses `<left@right>`; also what some programs write instead, as long as it is one word in angle brackets.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let bad = || BadText::NotAMessageId(text.chars().take(MAX_ADDRESS_BYTES).collect());
        let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).ok_or_else(bad)?;
        if inner.is_empty() || !inner.chars().all(|c| c.is_ascii_graphic() && c != '<' && c != '>') {
            return Err(bad());
        }
        if text.len() > MAX_HEADER_CHARS {
            return Err(BadText::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns `<left@right>`.
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
    /// The mail of the mailbox, or the file of the home's, that it was taken from, where a mail takes it along.
    pub taken_from: Option<Box<TakenFrom>>,
}

/// Where a file was taken from, as it was when the mail that takes it along was prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenFrom {
    /// A mail of the mailbox.
    Mail {
        /// Names the mail.
        message: MessageRef,
        /// Names the part of it.
        part: PartNumber,
        /// Quotes the mail's sender; written by them, shown escaped.
        from: String,
        /// Tells whether the mail is known to be the person's own: it lies among what they sent, and Bailey did not write it.
        own: bool,
    },
    /// A file of the home's.
    File {
        /// Names the file.
        path: FilePath,
        /// Names the version of it.
        version: u64,
        /// Tells whether the person put that version there, and not the agent.
        own: bool,
    },
}

impl TakenFrom {
    /// Tells whether it is the person's own.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        match self {
            Self::Mail { own, .. } | Self::File { own, .. } => *own,
        }
    }
}

impl Attachment {
    /// Returns the SHA-256 of the content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::from_bytes(Sha256::digest(&self.bytes).into())
    }

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

    /// Returns the lines of an invitation, which a recipient's calendar acts on; `None` for any other file.
    #[must_use]
    pub fn invitation(&self) -> Option<Vec<String>> {
        let text = std::str::from_utf8(&self.bytes).ok().filter(|_| INVITATIONS.contains(&self.media_type.as_str()))?;
        Some(text.replace("\r\n ", "").split("\r\n").filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// Tells whether the content is what the media type says, as far as this gate has to know.
    pub(super) fn is_sound(&self) -> bool {
        let invites = INVITATIONS.contains(&self.media_type.as_str());
        !invites || std::str::from_utf8(&self.bytes).is_ok_and(|text| crate::family::calendar::Entry::new(text).is_ok())
    }
}
