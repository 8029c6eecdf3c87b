//! Files of the home.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A file, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileView {
    /// Its identity: 32 hexadecimal digits.
    pub id: String,
    /// Where it lies, or lay before it went to the trash.
    pub path: String,
    /// Its newest version.
    pub newest: FileVersionView,
    /// When it went to the trash: milliseconds since 1970-01-01T00:00Z; nothing where it is not there.
    pub trashed_ms: Option<i64>,
}

/// One version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileVersionView {
    /// Its number, from 1.
    pub version: u64,
    /// The bytes of its content.
    pub bytes: u64,
    /// The SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// When it was made: milliseconds since 1970-01-01T00:00Z.
    pub made_ms: i64,
    /// The action of the agent's that wrote it; nothing where you did.
    pub action: Option<String>,
    /// Tells whether its task had read what others wrote.
    pub after_reading: bool,
    /// Tells whether its task had seen secrets.
    pub after_secrets: bool,
}

/// A folder, and how much room the files take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FolderView {
    /// Its path; empty for the top.
    pub folder: String,
    /// The paths of the folders in it.
    pub folders: Vec<String>,
    /// The files in it.
    pub files: Vec<FileView>,
    /// Tells whether there are more than are listed; they begin behind the last one's path.
    pub more: bool,
    /// The bytes of every version of every file.
    pub used_bytes: u64,
    /// How many those may be.
    pub most_bytes: u64,
}

/// A file with its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileVersionsView {
    /// The file.
    pub file: FileView,
    /// Its versions, the newest first.
    pub versions: Vec<FileVersionView>,
}

/// A file that is to be put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadBody {
    /// Where it is to lie.
    pub path: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// The version of the file that lies there which this one follows; nothing for a new file.
    #[serde(default)]
    pub follows: Option<u64>,
}

/// A piece of a file that is being put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PieceBody {
    /// The byte it begins at.
    pub at: u64,
    /// Its bytes, in base64 (RFC 4648, section 4): at most 2,500,000 bytes.
    pub base64: String,
}

/// A file that is being put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UploadView {
    /// Its identity: 32 hexadecimal digits.
    pub id: String,
    /// How many bytes have come.
    pub bytes: u64,
}

/// A file, in the version that the caller saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileVersionBody {
    /// The newest version there was.
    pub version: u64,
}

/// Where a file is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveFileBody {
    /// The newest version there was.
    pub version: u64,
    /// Where it is to lie.
    pub to: String,
}

/// What emptying the trash removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmptiedView {
    /// How many files are gone.
    pub files: u64,
}

/// Milliseconds of a second and of a day.
const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 24 * 3_600 * SECOND_MS;

/// Returns the folder that files given with a task at a moment are put in: one of its own, named by numbers alone.
#[must_use]
pub fn given_folder(now_ms: i64) -> String {
    format!("Given/{}-{}", now_ms.div_euclid(DAY_MS), now_ms.rem_euclid(DAY_MS))
}

/// Returns what the words of a task say of files that are given with it: the folder, and none of their names, which others may have
/// chosen.
#[must_use]
pub fn given_words(folder: &str) -> String {
    format!("\n\nThe files given with this are in the folder `{folder}`.")
}
