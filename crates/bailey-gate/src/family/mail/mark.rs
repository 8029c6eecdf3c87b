//! Marks of a message: read, starred, labels. One mark of one message, set or taken off; the other way round undoes it.

use super::codec::{decode_reference, encode_reference};
use super::{BadText, MessageRef, Summary};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::preview::Preview;

/// Longest label, in bytes. Servers keep few and short ones.
const MAX_KEYWORD_BYTES: usize = 100;

/// One mark of one message, set or taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marking {
    /// The message.
    pub message: MessageRef,
    /// The mark.
    pub mark: Mark,
    /// Tells whether it is set; else it is taken off.
    pub on: bool,
    /// Quotes what the message says of itself, for the preview.
    pub about: Summary,
}

/// A mark (RFC 3501, 2.3.2). Those that say what the person did (answered, a draft, deleted) are none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// It was read.
    Read,
    /// It has a star, or a flag.
    Starred,
    /// It has a label.
    Label(Keyword),
}

/// A label as servers keep it: an atom (RFC 3501, 9, `flag-keyword`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword(String);

impl Keyword {
    /// Reads a label of letters, digits and signs that servers take as they are.
    pub fn new(text: &str) -> Result<Self, BadText> {
        if text.len() > MAX_KEYWORD_BYTES {
            return Err(BadText::TooLong);
        }
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte));
        if text.is_empty() || !plain {
            return Err(BadText::NotALabel(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Mark {
    /// Returns the mark as servers write it.
    #[must_use]
    pub fn as_flag(&self) -> &str {
        match self {
            Self::Read => "\\Seen",
            Self::Starred => "\\Flagged",
            Self::Label(label) => label.as_str(),
        }
    }
}

impl Marking {
    /// Returns the command that does it (RFC 3501, 6.4.6), without its tag.
    #[must_use]
    pub fn command(&self) -> String {
        let sign = if self.on { '+' } else { '-' };
        format!("UID STORE {} {sign}FLAGS.SILENT ({})", self.message.uid, self.mark.as_flag())
    }

    /// Returns the marking that undoes it.
    #[must_use]
    pub fn undone(&self) -> Self {
        Self { on: !self.on, ..self.clone() }
    }

    /// Tells in words what it does.
    #[must_use]
    pub fn words(&self) -> String {
        match (&self.mark, self.on) {
            (Mark::Read, true) => "Mark a mail as read".into(),
            (Mark::Read, false) => "Mark a mail as unread".into(),
            (Mark::Starred, true) => "Put a star on a mail".into(),
            (Mark::Starred, false) => "Take the star off a mail".into(),
            (Mark::Label(label), true) => format!("Put the label `{}` on a mail", label.as_str()),
            (Mark::Label(label), false) => format!("Take the label `{}` off a mail", label.as_str()),
        }
    }
}

pub(super) fn encode(marking: &Marking, out: &mut Encoder) {
    encode_reference(&marking.message, out);
    match &marking.mark {
        Mark::Read => out.byte(1),
        Mark::Starred => out.byte(2),
        Mark::Label(label) => out.byte(3).text(label.as_str()),
    };
    out.byte(u8::from(marking.on));
    out.text(&marking.about.from).text(&marking.about.subject).text(&marking.about.message_id);
}

pub(super) fn decode(bytes: &mut Decoder<'_>) -> Result<Marking, CodecError> {
    let message = decode_reference(bytes)?;
    let mark = match bytes.byte()? {
        1 => Mark::Read,
        2 => Mark::Starred,
        3 => Mark::Label(Keyword::new(&bytes.text()?).map_err(|_| CodecError::Malformed("a label"))?),
        tag => return Err(CodecError::UnknownTag(tag)),
    };
    let on = match bytes.byte()? {
        0 => false,
        1 => true,
        tag => return Err(CodecError::UnknownTag(tag)),
    };
    let about = Summary { from: bytes.text()?, subject: bytes.text()?, message_id: bytes.text()? };
    Ok(Marking { message, mark, on, about })
}

pub(super) fn preview(out: &mut Preview, marking: &Marking) {
    out.headline = marking.words();
    out.item("From (as the mail says)", &marking.about.from);
    out.item("Subject", &marking.about.subject);
    super::preview::place(out, &marking.message);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::mail::FolderName;

    #[test]
    fn marks_read_back_as_they_were_written_and_undo_each_other() {
        let message = MessageRef { folder: FolderName::new("INBOX").unwrap(), uid_validity: 5, uid: 7 };
        for (mark, command) in [
            (Mark::Read, "UID STORE 7 +FLAGS.SILENT (\\Seen)"),
            (Mark::Starred, "UID STORE 7 +FLAGS.SILENT (\\Flagged)"),
            (Mark::Label(Keyword::new("$Later").unwrap()), "UID STORE 7 +FLAGS.SILENT ($Later)"),
        ] {
            let marking = Marking { message: message.clone(), mark, on: true, about: Summary::default() };
            assert_eq!(marking.command(), command);
            assert_eq!(marking.undone().command(), command.replace('+', "-"));
            assert_eq!(marking.undone().undone(), marking);
            for marking in [marking.undone(), marking] {
                let mut out = Encoder::default();
                encode(&marking, &mut out);
                assert_eq!(decode(&mut Decoder::new(&out.finish())), Ok(marking));
            }
        }
    }

    #[test]
    fn labels_are_nothing_but_labels() {
        assert!(["later", "$Forwarded", "a/b", "NonJunk", "x:y"].into_iter().all(|good| Keyword::new(good).is_ok()));
        let long = "x".repeat(101);
        for bad in ["", "two words", "\\Deleted", "a)", "(", "x\r\nA1 EXPUNGE", "ü", "a]", "%", "*", "{3}", "\"", &long]
        {
            assert!(Keyword::new(bad).is_err(), "{bad:?}");
        }
    }
}
