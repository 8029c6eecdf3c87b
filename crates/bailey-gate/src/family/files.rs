//! The files family: looking into the home's own store of files, and changing it.
//!
//! What is written is in the action, byte for byte, and what it replaces is named by file, version and hash: an approval is of exactly
//! that step, and of no other.

mod path;

use sha2::{Digest as _, Sha256};

use super::escape::visible_lines;
use super::kind::{AskedBy, Group, kinds};
use super::text::{Line, MAX_ZONE_BYTES};
use super::tool::Amount;
use super::{ActionKind, Family, Taint, Traits};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::ids::Digest;
use crate::intent::Verb;
use crate::place::Place;
use crate::preview::Preview;
use crate::verdict::Class;

pub use path::{BadPath, FilePath, Folder, MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES};

kinds! {
    /// Lists a folder.
    LIST = {
        name: "file.list", group: Group::Read, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Reads a file.
    READ = {
        name: "file.read", group: Group::Read, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Looks for files by name and text.
    SEARCH = {
        name: "file.search", group: Group::Read, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Makes a new file.
    CREATE = {
        name: "file.create", group: Group::Write, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Create]), suggest: Some("creating files"),
    };
    /// Gives a file another content.
    CHANGE = {
        name: "file.change", group: Group::Write, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Change]), suggest: Some("changing files"),
    };
    /// Moves or renames a file.
    MOVE = {
        name: "file.move", group: Group::Write, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Sort, Verb::Change]), suggest: Some("moving files"),
    };
    /// Moves a file to the trash.
    TRASH = {
        name: "file.trash", group: Group::Write, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Trash, Verb::Cancel]), suggest: None,
    };
    /// Takes a file out of the trash: what trashing it is undone by.
    RESTORE = {
        name: "file.restore", group: Group::Write, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Trash]), suggest: None,
    };
}

/// Longest content that an action carries, in bytes: what a mail may take along. The person puts larger ones.
pub const MAX_CARRIED_BYTES: usize = 25_000_000;
/// Longest difference that is shown, in bytes; above, size and hash are.
pub const MAX_DIFFERENCE_BYTES: usize = 512 * 1024;
/// Longest words that say where a content was taken from, in bytes.
const MAX_SOURCE_BYTES: usize = 2_000;

/// Identifies a file, whatever it is called.
pub type FileId = [u8; 16];

/// One version of a file, as it was when the action was prepared. The action happens while it is the newest, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The file.
    pub file: FileId,
    /// The number of its version, from 1.
    pub version: u64,
    /// The SHA-256 of its content.
    pub digest: Digest,
    /// The bytes of its content.
    pub size: u64,
}

/// What a file is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// Says where they were taken from; nothing where the agent wrote them.
        source: Option<String>,
    },
    /// Bytes that an earlier version of the same file holds: a change is undone by them.
    Version(Seen),
}

/// One thing done with the store of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAction {
    /// List a folder.
    List {
        /// The folder.
        folder: Folder,
    },
    /// Read a file as text.
    Read {
        /// Where it lies.
        path: FilePath,
        /// The version.
        seen: Seen,
        /// Tells whether the task that wrote it had seen secrets.
        confidential: bool,
        /// The character to begin with.
        from: u64,
        /// The person's time zone, in which entries of a calendar are told: an IANA name or an offset.
        zone: String,
    },
    /// Look for files whose name or text holds words.
    Search {
        /// The words.
        words: Line,
        /// Where to look: there and beneath.
        folder: Folder,
    },
    /// Make a new file, where none lies.
    Create {
        /// Where.
        path: FilePath,
        /// The bytes it is to hold.
        content: Content,
    },
    /// Give a file another content; what it holds now stays as a version.
    Change {
        /// Where it lies.
        path: FilePath,
        /// The version that is there now.
        seen: Seen,
        /// The bytes it is to hold.
        content: Content,
        /// The lines that go and come; nothing where one of the two is no text, or it is longer than is shown.
        difference: Option<String>,
    },
    /// Move or rename a file, where none lies.
    Move {
        /// Where it lies.
        path: FilePath,
        /// The version that is there now.
        seen: Seen,
        /// Where it is to lie.
        to: FilePath,
    },
    /// Move a file to the trash.
    Trash {
        /// Where it lies.
        path: FilePath,
        /// The version that is there now.
        seen: Seen,
    },
    /// Take a file out of the trash.
    Restore {
        /// Where it is to lie.
        path: FilePath,
        /// The version that is there now.
        seen: Seen,
    },
}

impl Content {
    /// Returns how many bytes it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        match self {
            Self::Bytes { bytes, .. } => bytes.len() as u64,
            Self::Version(seen) => seen.size,
        }
    }

    fn digest(&self) -> Digest {
        match self {
            Self::Bytes { bytes, .. } => digest_of(bytes),
            Self::Version(seen) => seen.digest,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Bytes { bytes, .. } if bytes.len() <= MAX_DIFFERENCE_BYTES => readable(bytes),
            Self::Bytes { .. } | Self::Version(_) => None,
        }
    }

    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Bytes { bytes, source } => {
                out.byte(1).bytes(bytes).text(source.as_deref().unwrap_or_default());
            }
            Self::Version(seen) => {
                out.byte(2);
                seen.encode(out);
            }
        }
    }

    fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match bytes.byte()? {
            1 => {
                let content = bytes.bytes()?.to_vec();
                let source = Some(bytes.text()?).filter(|source| !source.is_empty());
                Ok(Self::Bytes { bytes: content, source })
            }
            2 => Ok(Self::Version(Seen::decode(bytes)?)),
            tag => Err(CodecError::UnknownTag(tag)),
        }
    }

    fn check(&self) -> Result<(), CodecError> {
        match self {
            Self::Bytes { bytes, source } => {
                let long = source.as_ref().is_some_and(|source| source.len() > MAX_SOURCE_BYTES);
                if bytes.len() > MAX_CARRIED_BYTES || long { Err(CodecError::TooLong) } else { Ok(()) }
            }
            Self::Version(_) => Ok(()),
        }
    }

    fn preview(&self, out: &mut Preview) {
        if let Self::Bytes { source: Some(source), .. } = self {
            out.item("Taken from", source);
        }
        out.item("Will have", &size_and_hash(self.size(), &self.digest()));
    }
}

/// Returns content as text, where all of it is.
#[must_use]
pub fn readable(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

fn size_and_hash(size: u64, digest: &Digest) -> String {
    format!("{size} bytes, SHA-256 {digest}")
}

impl Seen {
    fn encode(&self, out: &mut Encoder) {
        out.bytes(&self.file).number(self.version).bytes(self.digest.as_bytes()).number(self.size);
    }

    fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let file = bytes.bytes()?.try_into().map_err(|_| CodecError::Malformed("an identity"))?;
        let version = bytes.number()?;
        let digest = bytes.bytes()?.try_into().map_err(|_| CodecError::Malformed("a hash"))?;
        Ok(Self { file, version, digest: Digest::from_bytes(digest), size: bytes.number()? })
    }

    fn preview(&self, out: &mut Preview) {
        let Self { version, digest, size, .. } = self;
        out.item("Now", &format!("version {version}, {}", size_and_hash(*size, digest)));
    }
}

impl FileAction {
    /// Returns the existing file it is about, as it was when this was prepared.
    #[must_use]
    pub const fn seen(&self) -> Option<&Seen> {
        match self {
            Self::List { .. } | Self::Search { .. } | Self::Create { .. } => None,
            Self::Read { seen, .. }
            | Self::Change { seen, .. }
            | Self::Move { seen, .. }
            | Self::Trash { seen, .. }
            | Self::Restore { seen, .. } => Some(seen),
        }
    }

    /// Returns what it writes.
    #[must_use]
    pub const fn content(&self) -> Option<&Content> {
        match self {
            Self::Create { content, .. } | Self::Change { content, .. } => Some(content),
            Self::List { .. }
            | Self::Read { .. }
            | Self::Search { .. }
            | Self::Move { .. }
            | Self::Trash { .. }
            | Self::Restore { .. } => None,
        }
    }

    /// Returns the places it touches, as rules about folders name them.
    fn places(&self) -> Vec<Option<Place>> {
        let in_folder = |folder: &Folder| match folder.as_str() {
            // All of it: no folder holds that.
            "" => None,
            path => Place::new(&format!("{path}/")),
        };
        match self {
            Self::List { folder } | Self::Search { folder, .. } => vec![in_folder(folder)],
            Self::Read { path, .. }
            | Self::Create { path, .. }
            | Self::Change { path, .. }
            | Self::Trash { path, .. }
            | Self::Restore { path, .. } => vec![Place::new(path.as_str())],
            Self::Move { path, to, .. } => vec![Place::new(path.as_str()), Place::new(to.as_str())],
        }
    }
}

impl Family for FileAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::List { .. } => LIST,
            Self::Read { .. } => READ,
            Self::Search { .. } => SEARCH,
            Self::Create { .. } => CREATE,
            Self::Change { .. } => CHANGE,
            Self::Move { .. } => MOVE,
            Self::Trash { .. } => TRASH,
            Self::Restore { .. } => RESTORE,
        }
    }

    fn class(&self) -> Class {
        Class::Undoable
    }

    fn traits(&self) -> Traits {
        let is_read = self.kind().is_read();
        let targets = match self {
            Self::Change { path, .. } | Self::Move { path, .. } | Self::Trash { path, .. } => {
                vec![path.as_str().to_owned()]
            }
            Self::List { .. }
            | Self::Read { .. }
            | Self::Search { .. }
            | Self::Create { .. }
            | Self::Restore { .. } => Vec::new(),
        };
        Traits {
            recipients: Vec::new(),
            unreadable_recipients: 0,
            learns: Vec::new(),
            is_mail: false,
            text_for_others: String::new(),
            attachments: 0,
            foreign_attachments: 0,
            files: Vec::new(),
            sender_unproven: false,
            targets,
            places: self.places(),
            method: String::new(),
            amount: Amount::None,
            tool: String::new(),
            undescribed: false,
            // Whoever put a file there: its words, and its name, are as often somebody else's.
            taint: Taint { untrusted: is_read, confidential: matches!(self, Self::Read { confidential: true, .. }) },
            behind: Taint::default(),
            into_sent_or_drafts: false,
            among_own_folders: false,
        }
    }

    fn artefact(&self) -> Vec<u8> {
        match self.content() {
            Some(Content::Bytes { bytes, .. }) => bytes.clone(),
            Some(Content::Version(_)) | None => Vec::new(),
        }
    }

    fn check(&self) -> Result<(), CodecError> {
        self.content().map_or(Ok(()), Content::check)?;
        match self {
            Self::Create { content: Content::Version(_), .. } => {
                Err(CodecError::Malformed("a new file has no versions"))
            }
            Self::Change { difference: Some(text), .. } if text.len() > MAX_DIFFERENCE_BYTES => {
                Err(CodecError::TooLong)
            }
            Self::Change { seen, content: Content::Version(earlier), .. } if earlier.file != seen.file => {
                Err(CodecError::Malformed("a version of another file"))
            }
            Self::Move { path, to, .. } if path == to => Err(CodecError::Malformed("it lies there already")),
            Self::Read { zone, .. } if zone.len() > MAX_ZONE_BYTES => Err(CodecError::TooLong),
            _ => Ok(()),
        }
    }

    fn encode(&self, out: &mut Encoder) {
        out.byte(TAG);
        match self {
            Self::List { folder } => {
                out.byte(1).text(folder.as_str());
            }
            Self::Read { path, seen, confidential, from, zone } => {
                out.byte(2).text(path.as_str());
                seen.encode(out);
                out.byte(u8::from(*confidential)).number(*from).text(zone);
            }
            Self::Search { words, folder } => {
                out.byte(3).text(words.as_str()).text(folder.as_str());
            }
            Self::Create { path, content } => {
                out.byte(4).text(path.as_str());
                content.encode(out);
            }
            Self::Change { path, seen, content, difference } => {
                out.byte(5).text(path.as_str());
                seen.encode(out);
                content.encode(out);
                match difference {
                    Some(text) => out.byte(1).text(text),
                    None => out.byte(0),
                };
            }
            Self::Move { path, seen, to } => {
                out.byte(6).text(path.as_str());
                seen.encode(out);
                out.text(to.as_str());
            }
            Self::Trash { path, seen } => {
                out.byte(7).text(path.as_str());
                seen.encode(out);
            }
            Self::Restore { path, seen } => {
                out.byte(8).text(path.as_str());
                seen.encode(out);
            }
        }
    }

    fn preview(&self, out: &mut Preview) {
        let folder =
            |folder: &Folder| if folder.as_str().is_empty() { "all files".to_owned() } else { folder.as_str().into() };
        match self {
            Self::List { folder: which } => {
                out.headline = "Look at a folder of your files".into();
                out.item("Folder", &folder(which));
            }
            Self::Read { path, seen, .. } => {
                out.headline = "Read a file".into();
                out.item("File", path.as_str());
                seen.preview(out);
            }
            Self::Search { words, folder: which } => {
                out.headline = "Look for files".into();
                out.item("Contains", words.as_str());
                out.item("Folder", &folder(which));
            }
            Self::Create { path, content } => {
                out.headline = "Create a file".into();
                out.item("File", path.as_str());
                content.preview(out);
                match content.text() {
                    Some(text) => out.body = visible_lines(text),
                    None => out.warnings.push(NOT_SHOWN.into()),
                }
            }
            Self::Change { path, seen, content, difference } => {
                out.headline = match content {
                    Content::Bytes { .. } => "Change a file",
                    Content::Version(_) => "Bring back an earlier version of a file",
                }
                .into();
                out.item("File", path.as_str());
                seen.preview(out);
                if let Content::Version(earlier) = content {
                    out.item("Brings back", &format!("version {}", earlier.version));
                }
                content.preview(out);
                match difference {
                    Some(text) => out.body = visible_lines(text),
                    None => out.warnings.push(NOT_SHOWN.into()),
                }
            }
            Self::Move { path, seen, to } => {
                let renamed = path.folder() == to.folder();
                out.headline = if renamed { "Rename a file" } else { "Move a file" }.into();
                out.item("File", path.as_str());
                out.item("To", to.as_str());
                seen.preview(out);
            }
            Self::Trash { path, seen } => {
                out.headline = "Move a file to the trash".into();
                out.item("File", path.as_str());
                seen.preview(out);
            }
            Self::Restore { path, seen } => {
                out.headline = "Take a file out of the trash".into();
                out.item("File", path.as_str());
                seen.preview(out);
            }
        }
    }
}

/// What is said where content cannot be shown.
const NOT_SHOWN: &str = "What it will hold is no text, or longer than is shown here; it is known by its size and hash.";

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 9;

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<FileAction, CodecError> {
    let malformed = |_: BadPath| CodecError::Malformed("the path of a file");
    let path = |bytes: &mut Decoder<'_>| FilePath::new(&bytes.text()?).map_err(malformed);
    let folder = |bytes: &mut Decoder<'_>| Folder::new(&bytes.text()?).map_err(malformed);
    Ok(match bytes.byte()? {
        1 => FileAction::List { folder: folder(bytes)? },
        2 => FileAction::Read {
            path: path(bytes)?,
            seen: Seen::decode(bytes)?,
            confidential: bytes.byte()? != 0,
            from: bytes.number()?,
            zone: bytes.text()?,
        },
        3 => {
            let words = Line::new(bytes.text()?).map_err(|_| CodecError::Malformed("search words"))?;
            FileAction::Search { words, folder: folder(bytes)? }
        }
        4 => FileAction::Create { path: path(bytes)?, content: Content::decode(bytes)? },
        5 => FileAction::Change {
            path: path(bytes)?,
            seen: Seen::decode(bytes)?,
            content: Content::decode(bytes)?,
            difference: match bytes.byte()? {
                0 => None,
                1 => Some(bytes.text()?),
                tag => return Err(CodecError::UnknownTag(tag)),
            },
        },
        6 => FileAction::Move { path: path(bytes)?, seen: Seen::decode(bytes)?, to: path(bytes)? },
        7 => FileAction::Trash { path: path(bytes)?, seen: Seen::decode(bytes)? },
        8 => FileAction::Restore { path: path(bytes)?, seen: Seen::decode(bytes)? },
        tag => return Err(CodecError::UnknownTag(tag)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::Action;

    fn path(text: &str) -> FilePath {
        FilePath::new(text).unwrap()
    }

    fn seen() -> Seen {
        Seen { file: [7; 16], version: 3, digest: digest_of(b"old"), size: 3 }
    }

    fn all() -> Vec<FileAction> {
        let bytes = Content::Bytes { bytes: b"new\n".to_vec(), source: None };
        let taken = Content::Bytes { bytes: vec![0, 255], source: Some("part 2 of INBOX/1/7".into()) };
        let earlier = Content::Version(Seen { version: 2, ..seen() });
        vec![
            FileAction::List { folder: Folder::new("").unwrap() },
            FileAction::Read {
                path: path("a.txt"),
                seen: seen(),
                confidential: true,
                from: 9,
                zone: "Europe/Berlin".into(),
            },
            FileAction::Search { words: Line::new("rent").unwrap(), folder: Folder::new("Reports").unwrap() },
            FileAction::Create { path: path("Reports/a.txt"), content: bytes.clone() },
            FileAction::Create { path: path("Reports/a.pdf"), content: taken },
            FileAction::Change {
                path: path("a.txt"),
                seen: seen(),
                content: bytes,
                difference: Some("-old\n+new\n".into()),
            },
            FileAction::Change { path: path("a.txt"), seen: seen(), content: earlier, difference: None },
            FileAction::Move { path: path("a.txt"), seen: seen(), to: path("b/a.txt") },
            FileAction::Trash { path: path("a.txt"), seen: seen() },
            FileAction::Restore { path: path("a.txt"), seen: seen() },
        ]
    }

    #[test]
    fn file_actions_read_back_as_they_were_written() {
        for action in all() {
            assert_eq!(action.check(), Ok(()));
            let action = Action::File(action);
            let mut out = Encoder::default();
            action.encode(&mut out);
            let bytes = out.finish();
            let mut read = Decoder::new(&bytes);
            assert_eq!(Action::decode(&mut read), Ok(action));
            assert_eq!(read.finish(), Ok(()));
        }
    }

    #[test]
    fn file_actions_that_break_a_rule_of_the_family_are_refused() {
        let earlier = Content::Version(Seen { file: [8; 16], ..seen() });
        for bad in [
            FileAction::Create { path: path("a"), content: earlier.clone() },
            FileAction::Change { path: path("a"), seen: seen(), content: earlier, difference: None },
            FileAction::Move { path: path("a"), seen: seen(), to: path("a") },
            FileAction::Create {
                path: path("a"),
                content: Content::Bytes { bytes: vec![0; MAX_CARRIED_BYTES + 1], source: None },
            },
        ] {
            assert!(bad.check().is_err());
        }
    }

    #[test]
    fn a_moved_file_is_in_a_folder_only_where_both_its_places_are() {
        let both = |from: &str, to: &str| {
            let moved = FileAction::Move { path: path(from), seen: seen(), to: path(to) };
            let places: Vec<Place> = moved.places().into_iter().flatten().collect();
            Place::within(&places).contains(&"folder:Reports/".to_owned())
        };
        assert!(both("Reports/a", "Reports/b"));
        assert!(!both("Reports/a", "b") && !both("a", "Reports/b"));
    }
}
