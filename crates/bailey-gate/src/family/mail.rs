//! The mail family: what can be done with mail, and a whole outgoing message as typed fields.

use super::text::{Address, BadText, Line, Mailbox};
use crate::codec::{CodecError, Decoder, Encoder};

/// Receivers of one mail above which it is mass mail, which is critical.
pub const MASS_MAIL_RECEIVERS: usize = 20;

/// Largest message text in bytes; more belongs into an attachment.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// One thing done with mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailAction {
    /// Keep a draft in the home. Nothing leaves.
    Draft(Message),
    /// Send a message.
    Send(Message),
}

/// An outgoing message. [`super::rfc5322::render`] turns it into bytes; the same fields make the preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The author, an address of the connection.
    pub from: Mailbox,
    /// Primary receivers.
    pub to: Vec<Mailbox>,
    /// Copies, visible to all receivers.
    pub cc: Vec<Mailbox>,
    /// Copies the other receivers do not see; in the envelope, never in a header.
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
    /// Every receiver, in the order To, Cc, Bcc: who the envelope names.
    pub fn receivers(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    /// The checks that span fields: at least one receiver, a bounded text without NUL, an offset below a day.
    pub fn check(&self) -> Result<(), CodecError> {
        if self.receivers().next().is_none() {
            return Err(CodecError::Malformed("a mail needs at least one receiver"));
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
    /// The name the receiver sees.
    pub name: Line,
    /// `type/subtype`, see [`Attachment::is_media_type`].
    pub media_type: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Attachment {
    /// Whether a text is a plain `type/subtype` of RFC 6838 names, without parameters.
    #[must_use]
    pub fn is_media_type(text: &str) -> bool {
        let name = |part: &str| {
            (1..=127).contains(&part.len())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
        };
        text.split_once('/').is_some_and(|(kind, sub)| name(kind) && name(sub))
    }
}

pub(super) fn encode(action: &MailAction, out: &mut Encoder) {
    match action {
        MailAction::Draft(message) => encode_message(message, out.byte(1)),
        MailAction::Send(message) => encode_message(message, out.byte(2)),
    }
}

pub(super) fn decode(bytes: &mut Decoder<'_>) -> Result<MailAction, CodecError> {
    match bytes.byte()? {
        1 => decode_message(bytes).map(MailAction::Draft),
        2 => decode_message(bytes).map(MailAction::Send),
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
            Ok(Attachment { name, media_type, bytes })
        })?,
    };
    message.check()?;
    Ok(message)
}
