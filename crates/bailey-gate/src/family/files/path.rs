//! Paths of the store: folders parted by strokes, from its top, and a name. No path leads out of it, and each is shown as it is.

use std::fmt;

use crate::family::escape::visible;

/// Longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 1_024;
/// Longest name of a file or a folder, in bytes: what disks take.
pub const MAX_NAME_BYTES: usize = 255;
/// Most names of a path, its folders and its own.
pub const MAX_DEPTH: usize = 16;

/// Why a text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPath {
    /// It is empty, or a name in it is.
    Empty,
    /// It, or a name in it, is too long.
    TooLong,
    /// It has too many folders.
    TooDeep,
    /// A name of nothing but points: it could mean another place than it says.
    Points,
    /// A name begins or ends with a blank.
    Blank,
    /// A character that is not shown, turns the direction of others, or parts names elsewhere.
    Character,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name in the path is empty; write it as Folder/name.txt"),
            Self::TooLong => write!(
                f,
                "the path is too long: a name has at most {MAX_NAME_BYTES} bytes, and a path {MAX_PATH_BYTES}"
            ),
            Self::TooDeep => write!(f, "the path has more than {MAX_DEPTH} names; use fewer folders"),
            Self::Points => f.write_str("a name in the path has nothing but points; give it letters"),
            Self::Blank => f.write_str("a name in the path begins or ends with a blank; leave the blank out"),
            Self::Character => f.write_str(
                "the path has a character that is not shown, or a back stroke; use letters, digits, blanks and signs",
            ),
        }
    }
}

impl std::error::Error for BadPath {}

/// Where a file lies: folders and a name, such as `Reports/2026/march.txt`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

/// A folder, by its path without a stroke at its end; empty for the top.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Folder(String);

fn check(path: &str) -> Result<(), BadPath> {
    if path.len() > MAX_PATH_BYTES {
        return Err(BadPath::TooLong);
    }
    if path.split('/').count() > MAX_DEPTH {
        return Err(BadPath::TooDeep);
    }
    if path.contains('\\') || visible(path) != path {
        return Err(BadPath::Character);
    }
    path.split('/').try_for_each(|name| match name {
        "" => Err(BadPath::Empty),
        name if name.len() > MAX_NAME_BYTES => Err(BadPath::TooLong),
        name if name.chars().all(|c| c == '.') => Err(BadPath::Points),
        name if name.trim() != name => Err(BadPath::Blank),
        _ => Ok(()),
    })
}

impl FilePath {
    /// Reads a path.
    ///
    /// # Errors
    /// It is none: it could mean another place than it says, or is not shown as it is.
    pub fn new(path: &str) -> Result<Self, BadPath> {
        check(path).map(|()| Self(path.to_owned()))
    }

    /// Returns the path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the folder it lies in.
    #[must_use]
    pub fn folder(&self) -> Folder {
        Folder(self.0.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned()))
    }
}

impl Folder {
    /// Reads the path of a folder; nothing stands for the top.
    ///
    /// # Errors
    /// As those of [`FilePath::new`].
    pub fn new(path: &str) -> Result<Self, BadPath> {
        if path.is_empty() { Ok(Self(String::new())) } else { check(path).map(|()| Self(path.to_owned())) }
    }

    /// Returns the path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lists this folder and those it lies in, the outermost first; the top is not among them.
    #[must_use]
    pub fn with_holders(&self) -> Vec<&str> {
        let ends = self.0.match_indices('/').map(|(at, _)| at).chain([self.0.len()]);
        ends.filter_map(|at| self.0.get(..at)).filter(|path| !path.is_empty()).collect()
    }

    /// Returns the path of a file in it.
    ///
    /// # Errors
    /// As those of [`FilePath::new`].
    pub fn join(&self, name: &str) -> Result<FilePath, BadPath> {
        if self.0.is_empty() { FilePath::new(name) } else { FilePath::new(&format!("{}/{name}", self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_their_names() {
        let path = FilePath::new("Reports/2026/März – plan.txt").unwrap();
        assert_eq!((path.name(), path.folder().as_str()), ("März – plan.txt", "Reports/2026"));
        assert_eq!(path.folder().with_holders(), ["Reports", "Reports/2026"]);
        assert_eq!(FilePath::new("a").unwrap().folder().as_str(), "");
        assert_eq!(Folder::new("").unwrap().with_holders(), Vec::<&str>::new());
        assert_eq!(Folder::new("a").unwrap().join("b").unwrap().as_str(), "a/b");
    }

    #[test]
    fn paths_that_lead_out_or_are_not_shown_as_they_are_are_refused() {
        for (path, why) in [
            ("", BadPath::Empty),
            ("/etc/passwd", BadPath::Empty),
            ("a//b", BadPath::Empty),
            ("a/", BadPath::Empty),
            ("../a", BadPath::Points),
            ("a/../../b", BadPath::Points),
            ("a/./b", BadPath::Points),
            ("...", BadPath::Points),
            ("a\\..\\b", BadPath::Character),
            ("a\0b", BadPath::Character),
            ("a\nb", BadPath::Character),
            ("txt.\u{202e}fdp", BadPath::Character),
            ("a\u{200b}b", BadPath::Character),
            ("a /b", BadPath::Blank),
        ] {
            assert_eq!(FilePath::new(path), Err(why), "{path:?}");
        }
        assert_eq!(FilePath::new(&"a".repeat(MAX_NAME_BYTES + 1)), Err(BadPath::TooLong));
        assert_eq!(FilePath::new(&["a"; MAX_DEPTH + 1].join("/")), Err(BadPath::TooDeep));
        assert_eq!(FilePath::new(&vec!["a".repeat(200); 6].join("/")), Err(BadPath::TooLong));
    }
}
