//! Putting a backup of a home in place, where no home runs. What was there is kept, and what starts then starts paused.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::SupervisorError;
use crate::identity::runs_somewhere;
use crate::root::{Mark, Place};

/// The folders of a home that a backup may hold; the first has to be there.
const PARTS: [&str; 3] = ["home", "keys", "state"];
/// What lies in `state/` and says something about the home that ran, not about what it held.
const OF_THE_RUN: [&str; 2] = ["lock", "delete"];
/// Earlier restorations whose remains are kept in one folder.
const MOST_KEPT: u32 = 1_000;

impl Place {
    /// Puts the home of the folder `backup` in place; gives the folder that what was there is kept in, if something was.
    ///
    /// `check` looks at the copy before anything is moved. [`SupervisorError::Running`] where a home runs here, or elsewhere from a copy
    /// of either; then, and wherever something fails before the move, all is as it was.
    pub fn restore(
        &self,
        backup: &Path,
        mark: Mark,
        check: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<Option<PathBuf>, SupervisorError> {
        let from = Self::new(backup);
        let restored = from.identity()?;
        private_folder(self.data())?;
        let _lock = self.lock()?;
        let replaced = PARTS.iter().any(|part| fs::symlink_metadata(self.data().join(part)).is_ok());
        let own = if replaced { self.identity().ok() } else { None };
        for identity in own.into_iter().chain([restored]) {
            if runs_somewhere(identity).is_some() {
                return Err(SupervisorError::Running(self.data().into()));
            }
        }
        self.home_runs()?;
        let fresh = self.data().join("restore.new");
        let whole = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.into());
        if whole(backup).starts_with(whole(&fresh)) {
            let why =
                "the backup lies in `restore.new`, which is made anew each time; move it elsewhere, and restore that";
            return Err(SupervisorError::Refused(why.into()));
        }
        remove_folder(&fresh)?;
        private_folder(&fresh)?;
        for part in PARTS {
            let kept = self.replaced().map(|folder| folder.join(part));
            let here = [backup.join(part), self.data().join(part)].into_iter().chain(kept).find(|path| path.is_dir());
            // Keys are kept apart from backups of `home/`: then those here are the ones it needs.
            let source = if part == "keys" { here } else { Some(backup.join(part)).filter(|path| path.is_dir()) };
            match source {
                Some(source) => copy(&source, &fresh.join(part))?,
                None => private_folder(&fresh.join(part))?,
            }
        }
        for name in OF_THE_RUN {
            remove_file(&fresh.join("state").join(name))?;
        }
        // INVARIANT: marked before it is in place.
        Self::new(&fresh).mark_paused(mark)?;
        check(&fresh).map_err(SupervisorError::Refused)?;
        let kept = replaced.then(|| self.keep()).transpose().map_err(|error| {
            let why = "Parts of what was there may lie in the newest folder `replaced-…` already; restore it again";
            SupervisorError::Halfway(format!("{error}. {why}"))
        })?;
        self.put_in_place(&fresh, backup).map_err(|error| {
            let kept = kept.as_ref().map(|kept| format!(", and what was there is kept in `{}`", kept.display()));
            let kept = kept.unwrap_or_default();
            SupervisorError::Halfway(format!("{error}. Parts of the backup are in place{kept}; restore it again"))
        })?;
        Ok(kept)
    }

    /// Moves the parts of a copy to where they belong.
    fn put_in_place(&self, fresh: &Path, backup: &Path) -> Result<(), SupervisorError> {
        for part in PARTS {
            rename(&fresh.join(part), &self.data().join(part))?;
        }
        remove_folder(fresh)?;
        remove_file(&self.data().join("home.id"))?;
        let config = self.data().join("config.toml");
        if !config.exists() && fs::symlink_metadata(backup.join("config.toml")).is_ok_and(|about| about.is_file()) {
            copy_file(&backup.join("config.toml"), &config)?;
        }
        synced(self.data())
    }

    /// Returns the folders that earlier restorations kept things in, the newest first.
    fn replaced(&self) -> impl Iterator<Item = PathBuf> + '_ {
        (1..=MOST_KEPT).rev().map(|n| self.data().join(format!("replaced-{n}"))).filter(|path| path.is_dir())
    }

    /// Moves what is there into a folder of its own.
    fn keep(&self) -> Result<PathBuf, SupervisorError> {
        let free = (1..=MOST_KEPT).map(|n| self.data().join(format!("replaced-{n}")));
        let free = free.into_iter().find(|path| fs::symlink_metadata(path).is_err());
        let kept = free.ok_or_else(|| {
            SupervisorError::Refused(format!("there are {MOST_KEPT} folders `replaced-…` already; remove some"))
        })?;
        private_folder(&kept)?;
        for part in PARTS.iter().chain(&["home.id"]) {
            let path = self.data().join(part);
            if fs::symlink_metadata(&path).is_ok() {
                rename(&path, &kept.join(part))?;
            }
        }
        synced(&kept)?;
        Ok(kept)
    }
}

/// How the names of the files of the search index begin.
const SEARCH_INDEX: &[u8] = b"search.db";

fn failed(path: &Path) -> impl FnOnce(io::Error) -> SupervisorError + '_ {
    |source| SupervisorError::File { path: path.into(), source }
}

fn private_folder(path: &Path) -> Result<(), SupervisorError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed(path))
}

/// Copies a folder with all that lies in it, durably. Whatever is neither file nor folder is refused: no backup has it.
fn copy(from: &Path, to: &Path) -> Result<(), SupervisorError> {
    private_folder(to)?;
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        // Made anew of what is put back: it may hold words whose keys were destroyed since.
        if entry.file_name().as_encoded_bytes().starts_with(SEARCH_INDEX) {
            continue;
        }
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(failed(&path))?;
        if kind.is_dir() {
            copy(&path, &to)?;
        } else if kind.is_file() {
            copy_file(&path, &to)?;
        } else {
            let what = io::Error::other("it is neither a file nor a folder; remove it from the backup");
            return Err(failed(&path)(what));
        }
    }
    synced(to)
}

fn copy_file(from: &Path, to: &Path) -> Result<(), SupervisorError> {
    let mut source = File::open(from).map_err(failed(from))?;
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let copied = made.and_then(|mut to| io::copy(&mut source, &mut to).and_then(|_| to.sync_all()));
    copied.map_err(failed(to))
}

fn rename(from: &Path, to: &Path) -> Result<(), SupervisorError> {
    fs::rename(from, to).map_err(failed(from))
}

fn remove_file(path: &Path) -> Result<(), SupervisorError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn remove_folder(path: &Path) -> Result<(), SupervisorError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn synced(folder: &Path) -> Result<(), SupervisorError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}
