//! The contacts family: looking into the person's address book. It changes nothing there.

use super::calendar::Href;
use super::kind::{AskedBy, Group, Level, kinds};
use super::text::Line;
use super::{ActionKind, Family, Taint, Traits};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::preview::Preview;
use crate::verdict::Class;

kinds! {
    /// Looks for people in the address book.
    FIND = {
        name: "contacts.find", group: Group::Read, level: Some(Level::Read), local: false,
        asked_by: AskedBy::Always, suggest: None,
    };
    /// Reads one person's card.
    READ = {
        name: "contacts.read", group: Group::Read, level: Some(Level::Read), local: false,
        asked_by: AskedBy::Always, suggest: None,
    };
}

/// One thing done with an address book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactsAction {
    /// Look for people by words in their name, address, number or organisation.
    Find {
        /// The words.
        words: Line,
    },
    /// Read one card.
    Read {
        /// Where it lies.
        href: Href,
    },
}

impl Family for ContactsAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Find { .. } => FIND,
            Self::Read { .. } => READ,
        }
    }

    fn class(&self) -> Class {
        Class::Undoable
    }

    fn traits(&self) -> Traits {
        // Cards are often made of what others sent: their words may stand in every field.
        Traits::reaching_nobody(Taint { untrusted: true, confidential: false })
    }

    fn artefact(&self) -> Vec<u8> {
        Vec::new()
    }

    fn check(&self) -> Result<(), CodecError> {
        Ok(())
    }

    fn encode(&self, out: &mut Encoder) {
        out.byte(TAG);
        match self {
            Self::Find { words } => out.byte(1).text(words.as_str()),
            Self::Read { href } => out.byte(2).text(href.as_str()),
        };
    }

    fn preview(&self, out: &mut Preview) {
        match self {
            Self::Find { words } => {
                out.headline = "Look for people in the address book".into();
                out.item("Contains", words.as_str());
            }
            Self::Read { href } => {
                out.headline = "Read a card of the address book".into();
                out.item("Place", href.as_str());
            }
        }
    }
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 8;

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<ContactsAction, CodecError> {
    match bytes.byte()? {
        1 => {
            let words = Line::new(bytes.text()?).map_err(|_| CodecError::Malformed("search words"))?;
            Ok(ContactsAction::Find { words })
        }
        2 => Ok(ContactsAction::Read { href: Href::new(&bytes.text()?)? }),
        tag => Err(CodecError::UnknownTag(tag)),
    }
}
