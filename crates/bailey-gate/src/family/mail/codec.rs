//! The one encoding of what is done with mail. What is here stays byte for byte: logs of earlier homes are read with it.

use super::{
    Attachment, FolderName, FolderRole, MailAction, Message, MessageId, MessageRef, Moving, PartNumber, Query,
    SenderProof, Source, SourceUse, Summary, TakenFrom,
};
use super::{look, mark, unsubscribe};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::family::files::FilePath;
use crate::family::text::{Address, Line, Mailbox};

/// What a mail was made of another as, and what was known of who sent that: one byte. The first two were there before anybody looked.
const USES: [(SourceUse, SenderProof, u8); 6] = [
    (SourceUse::Answered, SenderProof::NotLooked, 1),
    (SourceUse::Forwarded, SenderProof::NotLooked, 2),
    (SourceUse::Answered, SenderProof::Unproven, 3),
    (SourceUse::Forwarded, SenderProof::Unproven, 4),
    (SourceUse::Answered, SenderProof::Proven, 5),
    (SourceUse::Forwarded, SenderProof::Proven, 6),
];

/// The tag of looks that read on; those below are taken, or kept for what changes something.
const LOOK: u8 = 16;

/// Writes an action behind its family's tag.
///
/// A message that names neither a folder to keep a copy in nor a mail it was made of is written as it was before there were these; so
/// is one without files that were taken from the mailbox.
pub(super) fn encode(action: &MailAction, out: &mut Encoder) {
    match action {
        MailAction::Send(message) if takes_files(message) => encode_taking(message, out.byte(11)),
        MailAction::SaveDraft(message) if takes_files(message) => encode_taking(message, out.byte(12)),
        MailAction::Draft(message) if takes_files(message) => encode_taking(message, out.byte(13)),
        MailAction::Draft(message) => encode_message(message, out.byte(1)),
        MailAction::Send(message) if message.keep_in.is_none() && message.source.is_none() => {
            encode_message(message, out.byte(2));
        }
        MailAction::Search { folder, query } => encode_query(query, out.byte(3).text(folder.as_str())),
        MailAction::Read(message) => encode_reference(message, out.byte(4)),
        MailAction::Move(moving) => encode_moving(moving, out.byte(if moving.makes { 15 } else { 5 })),
        MailAction::Trash(moving) => encode_moving(moving, out.byte(6)),
        MailAction::Send(message) => encode_whole(message, out.byte(7)),
        MailAction::SaveDraft(message) => encode_whole(message, out.byte(8)),
        MailAction::DiscardDraft(moving) => encode_moving(moving, out.byte(9)),
        MailAction::Mark(marking) => mark::encode(marking, out.byte(10)),
        MailAction::Unsubscribe(leaving) => unsubscribe::encode(leaving, out.byte(14)),
        MailAction::Look(look) => look::encode(look, out.byte(LOOK)),
    }
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(bytes: &mut Decoder<'_>) -> Result<MailAction, CodecError> {
    let action = match bytes.byte()? {
        1 => decode_message(bytes).map(MailAction::Draft),
        2 => decode_message(bytes).map(MailAction::Send),
        3 => Ok(MailAction::Search { folder: decode_folder(bytes)?, query: decode_query(bytes)? }),
        4 => decode_reference(bytes).map(MailAction::Read),
        5 => decode_moving(bytes).map(MailAction::Move),
        6 => decode_moving(bytes).map(MailAction::Trash),
        7 => decode_whole(bytes).map(MailAction::Send),
        8 => decode_whole(bytes).map(MailAction::SaveDraft),
        9 => decode_moving(bytes).map(MailAction::DiscardDraft),
        10 => mark::decode(bytes).map(MailAction::Mark),
        11 => decode_taking(bytes).map(MailAction::Send),
        12 => decode_taking(bytes).map(MailAction::SaveDraft),
        13 => decode_taking(bytes).map(MailAction::Draft),
        15 => decode_moving(bytes).map(|moving| MailAction::Move(Moving { makes: true, ..moving })),
        14 => unsubscribe::decode(bytes).map(MailAction::Unsubscribe),
        LOOK => look::decode(bytes).map(MailAction::Look),
        tag => Err(CodecError::UnknownTag(tag)),
    }?;
    crate::family::Family::check(&action)?;
    Ok(action)
}

fn takes_files(message: &Message) -> bool {
    message.attachments.iter().any(|file| file.taken_from.is_some())
}

/// Writes a message with where its files were taken from, file by file.
fn encode_taking(message: &Message, out: &mut Encoder) {
    encode_whole(message, out);
    out.list(&message.attachments, |out, file| {
        out.option(file.taken_from.as_deref(), |out, taken| match taken {
            TakenFrom::Mail { message, part, from, own } => {
                encode_reference(message, out);
                out.text(part.as_str()).text(from).byte(u8::from(*own));
            }
            // No folder of a mailbox has an empty name.
            TakenFrom::File { path, version, own } => {
                out.text("").text(path.as_str()).number(*version).byte(u8::from(*own));
            }
        });
    });
}

fn decode_taking(bytes: &mut Decoder<'_>) -> Result<Message, CodecError> {
    let mut message = decode_whole(bytes)?;
    let taken = bytes.list(|bytes| bytes.option(|bytes| decode_taken(bytes).map(Box::new)))?;
    if taken.len() != message.attachments.len() || taken.iter().all(Option::is_none) {
        return Err(CodecError::Malformed("where files were taken from"));
    }
    for (file, taken_from) in message.attachments.iter_mut().zip(taken) {
        file.taken_from = taken_from;
    }
    Ok(message)
}

fn decode_taken(bytes: &mut Decoder<'_>) -> Result<TakenFrom, CodecError> {
    let own = |bytes: &mut Decoder<'_>| match bytes.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        tag => Err(CodecError::UnknownTag(tag)),
    };
    let folder = bytes.text()?;
    if folder.is_empty() {
        let path = FilePath::new(&bytes.text()?).map_err(|_| CodecError::Malformed("the path of a file"))?;
        return Ok(TakenFrom::File { path, version: bytes.number()?, own: own(bytes)? });
    }
    let folder = FolderName::new(&folder).map_err(|_| CodecError::Malformed("a folder"))?;
    Ok(TakenFrom::Mail {
        message: MessageRef { folder, uid_validity: decode_u32(bytes)?, uid: decode_u32(bytes)? },
        part: PartNumber::new(&bytes.text()?).ok_or(CodecError::Malformed("the number of a part"))?,
        from: bytes.text()?,
        own: own(bytes)?,
    })
}

fn encode_whole(message: &Message, out: &mut Encoder) {
    encode_message(message, out);
    out.option(message.keep_in.as_ref(), |out, folder| {
        out.text(folder.as_str());
    });
    out.option(message.source.as_ref(), |out, source| {
        let Source { used, message, from, reply_to, sender } = source.as_ref();
        let tag = USES.iter().find(|(one, proof, _)| one == used && proof == sender);
        out.byte(tag.map_or(0, |(_, _, tag)| *tag));
        encode_reference(message, out);
        out.text(from).text(reply_to);
    });
}

fn decode_whole(bytes: &mut Decoder<'_>) -> Result<Message, CodecError> {
    let message = decode_message(bytes)?;
    let keep_in = bytes.option(|bytes| decode_folder(bytes).map(Box::new))?;
    let source = bytes.option(|bytes| {
        let tag = bytes.byte()?;
        let (used, sender, _) =
            USES.iter().find(|(_, _, known)| *known == tag).copied().ok_or(CodecError::UnknownTag(tag))?;
        let (message, from, reply_to) = (decode_reference(bytes)?, bytes.text()?, bytes.text()?);
        Ok(Box::new(Source { used, message, from, reply_to, sender }))
    })?;
    Ok(Message { keep_in, source, ..message })
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
            let file = Attachment { name, media_type, bytes, taken_from: None };
            if file.is_sound() { Ok(file) } else { Err(CodecError::Malformed("an invitation")) }
        })?,
        keep_in: None,
        source: None,
    };
    message.check()?;
    Ok(message)
}

pub(super) fn encode_query(query: &Query, out: &mut Encoder) {
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

pub(super) fn decode_query(bytes: &mut Decoder<'_>) -> Result<Query, CodecError> {
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

pub(super) fn decode_u32(bytes: &mut Decoder<'_>) -> Result<u32, CodecError> {
    u32::try_from(bytes.number()?).map_err(|_| CodecError::TooLong)
}

pub(super) fn decode_folder(bytes: &mut Decoder<'_>) -> Result<FolderName, CodecError> {
    FolderName::new(&bytes.text()?).map_err(|_| CodecError::Malformed("a folder name"))
}

pub(super) fn encode_reference(message: &MessageRef, out: &mut Encoder) {
    out.text(message.folder.as_str()).number(message.uid_validity.into()).number(message.uid.into());
}

pub(super) fn decode_reference(bytes: &mut Decoder<'_>) -> Result<MessageRef, CodecError> {
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
    Ok(Moving { message, to, role, about, makes: false })
}
