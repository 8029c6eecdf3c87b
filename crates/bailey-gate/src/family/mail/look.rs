//! Looks at mail that read on: folders, further pages of a search, the rest of a text, a file.

use super::super::text::MAX_ZONE_BYTES;
use super::codec::{decode_folder, decode_query, decode_reference, decode_u32, encode_query, encode_reference};
use super::preview::{place, search};
use super::{FolderName, MessageRef, Query};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::preview::Preview;

/// Longest number of a part: as deep as parts are read.
const MAX_PART_BYTES: usize = 200;

/// A look. What it asks for from the beginning on is an action of its own, which was there before these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// List the folders.
    Folders,
    /// Look for messages, those behind the first.
    Search {
        /// Where to look.
        folder: FolderName,
        /// Says what to look for.
        query: Query,
        /// How many of the newest are passed over; not 0.
        skip: u32,
    },
    /// Read a message, or read on in it.
    Read {
        /// The message.
        message: MessageRef,
        /// Characters of its text before.
        from: u32,
        /// The name of the person's zone: invitations are told on its clock. Empty in looks proposed before it was named; those
        /// do not begin at 0.
        zone: String,
    },
    /// Read a file of a message, or a text too long to be told with it.
    Attachment {
        /// The message.
        message: MessageRef,
        /// The part of it.
        part: PartNumber,
        /// Characters of its text before.
        from: u32,
        /// The name of the person's zone: calendars are told on its clock. Empty in looks proposed before it was named.
        zone: String,
    },
}

/// The number of a part, as IMAP gives it: `2.1` (RFC 3501, 6.4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartNumber(String);

impl PartNumber {
    /// Reads numbers parted by points, each from 1 on.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let number = |part: &str| !part.starts_with('0') && part.parse::<u32>().is_ok_and(|number| number > 0);
        let digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        (text.len() <= MAX_PART_BYTES && digits && text.split('.').all(number)).then(|| Self(text.to_owned()))
    }

    /// Returns the number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn encode(look: &Look, out: &mut Encoder) {
    match look {
        Look::Folders => {
            out.byte(1);
        }
        Look::Search { folder, query, skip } => {
            encode_query(query, out.byte(2).text(folder.as_str()));
            out.number((*skip).into());
        }
        Look::Read { message, from, zone } => {
            encode_reference(message, out.byte(if zone.is_empty() { 3 } else { 5 }));
            out.number((*from).into());
            encode_zone(zone, out);
        }
        Look::Attachment { message, part, from, zone } => {
            encode_reference(message, out.byte(if zone.is_empty() { 4 } else { 6 }));
            out.text(part.as_str()).number((*from).into());
            encode_zone(zone, out);
        }
    }
}

fn encode_zone(zone: &str, out: &mut Encoder) {
    if !zone.is_empty() {
        out.text(zone);
    }
}

/// Reads the name of a zone where the look has one.
fn decode_zone(is_there: bool, bytes: &mut Decoder<'_>) -> Result<String, CodecError> {
    let zone = if is_there { bytes.text()? } else { return Ok(String::new()) };
    if zone.is_empty() || zone.len() > MAX_ZONE_BYTES {
        Err(CodecError::Malformed("the name of a zone"))
    } else {
        Ok(zone)
    }
}

pub(super) fn decode(bytes: &mut Decoder<'_>) -> Result<Look, CodecError> {
    let some =
        |number: u32| if number > 0 { Ok(number) } else { Err(CodecError::Malformed("a look from the beginning")) };
    match bytes.byte()? {
        1 => Ok(Look::Folders),
        2 => Ok(Look::Search {
            folder: decode_folder(bytes)?,
            query: decode_query(bytes)?,
            skip: some(decode_u32(bytes)?)?,
        }),
        tag @ (3 | 5) => {
            let message = decode_reference(bytes)?;
            let from = decode_u32(bytes)?;
            let (from, has_zone) = if tag == 3 { (some(from)?, false) } else { (from, true) };
            Ok(Look::Read { message, from, zone: decode_zone(has_zone, bytes)? })
        }
        tag @ (4 | 6) => Ok(Look::Attachment {
            message: decode_reference(bytes)?,
            part: PartNumber::new(&bytes.text()?).ok_or(CodecError::Malformed("the number of a part"))?,
            from: decode_u32(bytes)?,
            zone: decode_zone(tag == 6, bytes)?,
        }),
        tag => Err(CodecError::UnknownTag(tag)),
    }
}

pub(super) fn preview(look: &Look, out: &mut Preview) {
    let on = |out: &mut Preview, from: u32| {
        if from > 0 {
            out.item("From character", &from.to_string());
        }
    };
    match look {
        Look::Folders => out.headline = "List the mail folders".into(),
        Look::Search { folder, query, skip } => {
            search(out, folder, query);
            out.item("Behind the newest", &skip.to_string());
        }
        Look::Read { message, from, .. } => {
            out.headline = if *from == 0 { "Read a mail" } else { "Read on in a mail" }.into();
            place(out, message);
            on(out, *from);
        }
        Look::Attachment { message, part, from, .. } => {
            out.headline = "Read a file of a mail".into();
            place(out, message);
            out.item("Part", part.as_str());
            on(out, *from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_read_back_as_they_were_written_and_none_from_the_beginning() {
        let message =
            || MessageRef { folder: FolderName::of_words("Kunden/Müller").unwrap(), uid_validity: 5, uid: 7 };
        let search = |skip| Look::Search { folder: message().folder, query: Query::default(), skip };
        let part = PartNumber::new("2.1").unwrap();
        let written = |look: &Look| {
            let mut out = Encoder::default();
            encode(look, &mut out);
            out.finish()
        };
        for look in [
            Look::Folders,
            search(20),
            Look::Read { message: message(), from: 16_000, zone: String::new() },
            Look::Read { message: message(), from: 0, zone: "Europe/Berlin".into() },
            Look::Attachment { message: message(), part: part.clone(), from: 0, zone: String::new() },
            Look::Attachment { message: message(), part, from: 0, zone: "+02:00".into() },
        ] {
            assert_eq!(decode(&mut Decoder::new(&written(&look))), Ok(look));
        }
        // These are a search and a reading of their own; two encodings of one action would be two digests.
        for look in [search(0), Look::Read { message: message(), from: 0, zone: String::new() }] {
            assert!(decode(&mut Decoder::new(&written(&look))).is_err());
        }
        for bad in ["", "0", "1.", ".1", "1..2", "01", "1.0", "a", "1.HEADER", "4294967296", "1 2"] {
            assert!(PartNumber::new(bad).is_none(), "{bad}");
        }
    }
}
