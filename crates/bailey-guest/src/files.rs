//! Files of the guest: read, written and listed for the host.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailey_wire::control::{Entry, EntryKind, MAX_PIECE_BYTES};
use rustix::fs::OFlags;

/// Most bytes of names in one answer: JSON of them, with what else is said of each, fits into a message.
const MAX_NAME_BYTES: usize = 4 * 1024;
/// Most entries in one answer, for the same reason.
const MAX_ENTRIES: usize = 256;

fn failed(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("`{}`: {error}", path.display())
}

/// Passes a part of a file to `say`; returns how many bytes.
pub(crate) fn read(path: &Path, offset: u64, most: u64, mut say: impl FnMut(&[u8]) -> bool) -> Result<u64, String> {
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or(0);
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed(path))?;
    if !file.metadata().map_err(failed(path))?.is_file() {
        return Err(format!("`{}` is no file", path.display()));
    }
    file.seek(SeekFrom::Start(offset)).map_err(failed(path))?;
    let mut limited = file.take(most);
    let (mut bytes, mut total) = (vec![0; MAX_PIECE_BYTES], 0);
    loop {
        let count = limited.read(&mut bytes).map_err(failed(path))?;
        if count == 0 {
            return Ok(total);
        }
        if !say(bytes.get(..count).unwrap_or_default()) {
            return Err("nobody reads it".into());
        }
        total += u64::try_from(count).unwrap_or(0);
    }
}

/// A file that is being written, beside the one it is to replace.
pub(crate) struct Writing {
    file: File,
    beside: PathBuf,
    path: PathBuf,
    written: u64,
    kept: bool,
}

impl Writing {
    /// Begins to write a file. It belongs to whoever owns its folder.
    pub(crate) fn begin(path: &Path, mode: u32) -> Result<Self, String> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(format!("`{}` names no file", path.display()));
        };
        let owner = fs::metadata(folder).map_err(failed(folder))?;
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".new");
        let beside = folder.join(hidden);
        let _ = fs::remove_file(&beside);
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode & 0o777).open(&beside);
        let file = opened.map_err(failed(path))?;
        std::os::unix::fs::fchown(&file, Some(owner.uid()), Some(owner.gid())).map_err(failed(path))?;
        Ok(Self { file, beside, path: path.into(), written: 0, kept: false })
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.written += u64::try_from(bytes.len()).unwrap_or(0);
        self.file.write_all(bytes).map_err(failed(&self.path))
    }

    /// Puts it in its place, whole; returns its size.
    pub(crate) fn keep(mut self) -> Result<u64, String> {
        self.file.sync_all().map_err(failed(&self.path))?;
        fs::rename(&self.beside, &self.path).map_err(failed(&self.path))?;
        self.kept = true;
        Ok(self.written)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Lists a folder by name, from behind `after`; tells whether there is more.
pub(crate) fn list(path: &Path, after: Option<&str>) -> Result<(Vec<Entry>, bool), String> {
    let mut names: Vec<OsString> =
        fs::read_dir(path).map_err(failed(path))?.flatten().map(|entry| entry.file_name()).collect();
    names.sort_by(|a, b| a.to_string_lossy().cmp(&b.to_string_lossy()));
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for name in names {
        let shown = name.to_string_lossy().into_owned();
        if after.is_some_and(|after| shown.as_str() <= after) {
            continue;
        }
        bytes += shown.len();
        if entries.len() >= MAX_ENTRIES || (bytes > MAX_NAME_BYTES && !entries.is_empty()) {
            return Ok((entries, true));
        }
        // Gone meanwhile.
        let Ok(about) = fs::symlink_metadata(path.join(&name)) else { continue };
        let kind = match about.file_type() {
            kind if kind.is_file() => EntryKind::File,
            kind if kind.is_dir() => EntryKind::Folder,
            kind if kind.is_symlink() => EntryKind::Link,
            _ => EntryKind::Other,
        };
        let (mode, changed) = (about.mode() & 0o7777, about.mtime());
        entries.push(Entry { name: shown, kind, size: about.len(), mode, changed });
    }
    Ok((entries, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_whole_or_not_at_all_and_read_in_parts() {
        let folder = std::env::temp_dir().join(format!("bailey-guest-files-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a");
        let mut writing = Writing::begin(&path, 0o640).unwrap();
        writing.push(b"hello ").unwrap();
        drop(writing);
        assert!(list(&folder, None).unwrap().0.is_empty(), "what was not kept is gone");
        let mut writing = Writing::begin(&path, 0o640).unwrap();
        writing.push(b"hello world").unwrap();
        assert_eq!(writing.keep().unwrap(), 11);
        let mut read_bytes: Vec<u8> = Vec::new();
        let take = |bytes: &[u8]| {
            read_bytes.extend(bytes);
            true
        };
        assert_eq!(read(&path, 6, 3, take).unwrap(), 3);
        assert_eq!(read_bytes, b"wor");
        assert!(read(&folder, 0, 1, |_| true).unwrap_err().contains("is no file"));
        let (entries, more) = list(&folder, None).unwrap();
        assert_eq!((entries.len(), entries[0].size, entries[0].kind, more), (1, 11, EntryKind::File, false));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn long_folders_are_listed_in_pieces_and_none_is_left_out() {
        let folder = std::env::temp_dir().join(format!("bailey-guest-list-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for number in 0..600 {
            fs::write(folder.join(format!("{number:04}")), "").unwrap();
        }
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let (entries, more) = list(&folder, after.as_deref()).unwrap();
            after = entries.last().map(|entry| entry.name.clone());
            all.extend(entries);
            if !more {
                break;
            }
        }
        assert_eq!(all.len(), 600);
        assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name));
        fs::remove_dir_all(&folder).unwrap();
    }
}
