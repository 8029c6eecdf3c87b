//! Where a home lies, and its keys.

use std::ffi::{CStr, CString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailey_keys::{HomeKey, Passphrase, RootKey, RootKind};
use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, RenameFlags, openat, renameat_with, unlinkat};
use rustix::io::Errno;
use serde::Deserialize;

use crate::SupervisorError;
use crate::identity::{Identities, Identity, end_all_of, has_place_for_locks, runs_somewhere};

/// Marks the opened record of a pause, durably: whoever knows what the record looks like gives it.
pub type Mark = fn(&File) -> io::Result<()>;

/// Starts what a home asks for at a socket, for its computer: under the account that is named first, for the home of the second. Goes on as
/// long as this process does; whoever knows what a computer is made of gives it.
pub type Keep = fn(&std::os::unix::net::UnixListener, Identity, Identity);

/// The folder of a home.
#[derive(Debug, Clone)]
pub struct Place(PathBuf);

/// What is known of a home before its key is.
#[derive(Debug, Deserialize)]
struct Info {
    home: String,
    root: RootKind,
}

impl Place {
    /// Returns the home below this folder.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self(data.into())
    }

    /// Returns the folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.0
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Tells where the home's socket lies.
    pub(crate) fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// Returns the socket the supervisor is told things over.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("supervisor.sock")
    }

    /// Tells where the gateway's address is written down, while there is a gateway.
    #[must_use]
    pub fn gateway(&self) -> PathBuf {
        self.0.join("gateway.address")
    }

    /// Tells where the gateway gives its metrics. Not in `run`, which is the home's: this one the supervisor makes.
    #[must_use]
    pub fn gateway_metrics(&self) -> PathBuf {
        self.0.join("gateway-metrics.sock")
    }

    /// Tells where the home has the programs of its computer started, where it is not root and this is.
    #[must_use]
    pub fn computer(&self) -> PathBuf {
        self.0.join("computer.sock")
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("keys/root.key")
    }

    /// Says that the home is to be destroyed, whatever happens meanwhile. The home itself writes it, when the person said so.
    fn deletion_marker(&self) -> PathBuf {
        self.state().join("delete")
    }

    /// Tells whether the home is to be destroyed.
    #[must_use]
    pub fn is_deletion_pending(&self) -> bool {
        fs::symlink_metadata(self.deletion_marker()).is_ok()
    }

    fn info(&self) -> Result<Info, SupervisorError> {
        let path = self.home().join("home.json");
        match bailey_keys::read_small(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|_| SupervisorError::Damaged(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SupervisorError::Missing(self.0.clone())),
            Err(source) => Err(SupervisorError::File { path, source }),
        }
    }

    /// Tells where it is written down at the first start whose home it is.
    fn identity_file(&self) -> PathBuf {
        self.0.join("home.id")
    }

    /// Writes down whose home it is, where that has not been done: what the home says of itself later could be chosen.
    pub(crate) fn keep_identity(&self) -> Result<(), SupervisorError> {
        let path = self.identity_file();
        if fs::symlink_metadata(&path).is_ok() {
            return Ok(());
        }
        let home = self.info()?.home;
        write_anew(&path, &home).map_err(|source| SupervisorError::File { path, source })
    }

    /// Tells whose home it is, as bytes: as it was at the first start, if there was one.
    pub(crate) fn identity(&self) -> Result<[u8; 16], SupervisorError> {
        let path = self.identity_file();
        let failed = |source| SupervisorError::File { path: path.clone(), source };
        let home = match bailey_keys::read_small(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.info()?.home,
            Err(error) => return Err(failed(error)),
        };
        let mut out = [0; 16];
        for (place, pair) in out.iter_mut().zip(home.as_bytes().chunks(2)) {
            let text = std::str::from_utf8(pair).ok();
            *place = text.and_then(|text| u8::from_str_radix(text, 16).ok()).ok_or_else(|| {
                failed(io::Error::other("it holds no home's identity; remove it, and it is written anew"))
            })?;
        }
        Ok(out)
    }

    /// Returns the record that says whether everything is paused.
    fn pause_record(&self) -> PathBuf {
        self.state().join("pause")
    }

    /// Tells whether the folder of the record is there; a link is none.
    pub(crate) fn has_state(&self) -> Result<(), SupervisorError> {
        let path = self.state();
        let source = match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => return Ok(()),
            Ok(_) => io::Error::other("it is not the folder that it was; put that back"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => io::Error::other(
                "it is missing; put it back, or make an empty folder there, and the home starts paused",
            ),
            Err(error) => error,
        };
        // Without a home, too, there is none: that is the better thing to say.
        self.info()?;
        Err(SupervisorError::File { path, source })
    }

    /// Tells whether the home itself runs, whatever became of its supervisor's lock: it holds one of its own.
    pub(crate) fn home_runs(&self) -> Result<(), SupervisorError> {
        let path = self.state().join("lock");
        // Anything but a plain file is no lock of the home's, which makes its own.
        if !fs::symlink_metadata(&path).is_ok_and(|about| about.is_file()) {
            return Ok(());
        }
        match is_locked(&path) {
            Ok(false) => Ok(()),
            Ok(true) => Err(SupervisorError::Running(self.0.clone())),
            Err(source) => Err(SupervisorError::File { path, source }),
        }
    }

    /// Lets `mark` mark the record of the pause, through no link: the folder may be another account's.
    ///
    /// A record that is missing counts as damaged, and what is damaged means paused: one that cannot be marked is removed. A folder
    /// that is missing does not count.
    pub(crate) fn mark_paused(&self, mark: Mark) -> Result<(), SupervisorError> {
        self.has_state()?;
        let path = self.pause_record();
        let marked = match OpenOptions::new().write(true).custom_flags(NO_LINKS | NO_WAITING).open(&path) {
            Ok(file) => match file.metadata() {
                Ok(about) if about.is_file() && about.nlink() == 1 => mark(&file),
                Ok(_) => Err(io::Error::other("it is no file of Bailey's")),
                Err(error) => Err(error),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        let marked = marked.or_else(|error| self.drop_record(&path).map_err(|_| error));
        marked.map_err(|source| SupervisorError::File { path, source })
    }

    /// Removes the name of the record, durably, and nothing that a link of this name leads to.
    fn drop_record(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        File::open(self.state())?.sync_all()
    }

    /// Notes that everything is paused, for a home that does not run: it will start paused.
    ///
    /// Gives what it is not sure of. [`SupervisorError::Running`] where a supervisor runs; ask that one.
    /// [`SupervisorError::Refused`] where it is noted all the same, but the home runs without a supervisor that could be asked, or
    /// from another folder; any other error where it cannot be told whose home this is, and thereby whether it runs.
    pub fn pause_at_rest(&self, mark: Mark) -> Result<Option<String>, SupervisorError> {
        // Before the lock, which would be made where there is no home.
        self.has_state()?;
        let _lock = self.lock()?;
        self.mark_paused(mark)?;
        let goes_on = |process: &str| {
            SupervisorError::Refused(format!(
                "what starts in `{}` starts paused, but this home, or a copy of it, runs already{process} and was not reached: from \
                 another folder, or its files were moved or removed while it ran; end that process, and nothing leaves any more",
                self.0.display()
            ))
        };
        let identity = self.identity()?;
        if let Some(process) = runs_somewhere(identity) {
            return Err(goes_on(&process));
        }
        // Nobody supervises it: what of its account is left is nobody's.
        Identities::of(&self.0, identity).home().into_iter().for_each(end_all_of);
        self.home_runs().map_err(|error| match error {
            SupervisorError::Running(_) => goes_on(""),
            error => error,
        })?;
        let unsure = "where there is neither root nor a login session (`/run/user`), a copy of this home that runs from another \
                      folder is not seen: it would go on";
        Ok((!has_place_for_locks(&self.0)).then(|| unsure.to_owned()))
    }

    /// Tells whether a passphrase is needed to open it.
    pub fn needs_passphrase(&self) -> Result<bool, SupervisorError> {
        Ok(matches!(self.info()?.root, RootKind::Passphrase { .. }))
    }

    /// Takes the supervisor's lock.
    pub(crate) fn lock(&self) -> Result<File, SupervisorError> {
        let path = self.0.join("supervisor.lock");
        let failed = |source| SupervisorError::File { path: path.clone(), source };
        let file = locked(&path).map_err(failed)?.ok_or_else(|| SupervisorError::Running(self.0.clone()))?;
        if let (true, Ok(about)) = (rustix::process::geteuid().is_root(), fs::metadata(&self.0)) {
            // Whose home it is has to be able to take it, too.
            std::os::unix::fs::fchown(&file, Some(about.uid()), Some(about.gid())).map_err(failed)?;
        }
        Ok(file)
    }

    /// Returns the root key: from its file, or made of the passphrase. Whether it is the right one shows in [`Self::unwrap`].
    pub fn root_key(&self, passphrase: Option<&Passphrase>) -> Result<Option<RootKey>, SupervisorError> {
        match (self.info()?.root, passphrase) {
            (RootKind::KeyFile, _) => Ok(Some(RootKey::from_file(&self.key_file())?)),
            (RootKind::Passphrase { salt }, Some(words)) => Ok(Some(RootKey::from_passphrase(words, &salt)?)),
            (RootKind::Passphrase { .. }, None) => Ok(None),
        }
    }

    /// Returns the home's key.
    pub fn unwrap(&self, root: &RootKey) -> Result<HomeKey, SupervisorError> {
        Ok(HomeKey::unwrap(&self.home().join("home.key"), root)?)
    }
}

/// How often, and how long apart, the supervisor's lock is tried: a second in all.
const LOCK_TRIES: u32 = 20;
const LOCK_WAIT: std::time::Duration = std::time::Duration::from_millis(50);

/// Opens and locks a file, through no link; none if another process holds it.
pub(crate) fn locked(path: &Path) -> io::Result<Option<File>> {
    let file = opened(path)?;
    Ok(lock_file(&file)?.then_some(file))
}

/// Puts a small text in the place of whatever has this name, whole or not at all, and through no link.
pub(crate) fn write_anew(path: &Path, text: &str) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    remove_if_there(&fresh)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?.write_all(text.as_bytes())?;
    fs::rename(&fresh, path)
}

/// Opens a file, through no link; makes it, for its owner alone, where there is none.
pub(crate) fn opened(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(NO_LINKS | NO_WAITING)
        .open(path)
}

/// Tells whether another process holds a lock; makes no file.
pub(crate) fn is_locked(path: &Path) -> io::Result<bool> {
    match OpenOptions::new().write(true).custom_flags(NO_LINKS | NO_WAITING).open(path) {
        Ok(file) => Ok(!lock_file(&file)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Locks an opened file; false if another process holds it.
fn lock_file(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            // A child that was being started when its supervisor was killed holds the lock until it is another program.
            Err(Errno::WOULDBLOCK) => wait_for_lock(),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

#[expect(clippy::disallowed_methods, reason = "the kernel tells nobody when it has ended a process of another")]
fn wait_for_lock() {
    std::thread::sleep(LOCK_WAIT);
}

/// Goes on with a deletion that something came between; true where there was one.
pub fn finish_deletion(place: &Place) -> Result<bool, SupervisorError> {
    if !place.is_deletion_pending() {
        return Ok(false);
    }
    let _lock = place.lock()?;
    // Nobody of the home's may be there meanwhile: neither a copy of it, nor what it left behind.
    // What says whose home it was goes before the rest is gone.
    let known = place.identity().ok().map(|identity| (identity, Identities::of(place.data(), identity)));
    let _alone = known.as_ref().map(|(identity, identities)| identities.take(*identity)).transpose()?;
    destroy(place)?;
    if let Some((identity, identities)) = known {
        identities.forget(identity);
    }
    Ok(true)
}

/// Destroys a home: first what everything is locked with, then the rest. What was copied elsewhere stays locked with a
/// key that is gone, but for a passphrase home's, whose copies open with the passphrase.
pub(crate) fn destroy(place: &Place) -> Result<(), SupervisorError> {
    let keys = [
        place.key_file(),
        place.home().join("home.key"),
        place.home().join("keys.db"),
        place.home().join("keys.db-wal"),
    ];
    for path in keys {
        overwrite(&path).map_err(|source| SupervisorError::File { path, source })?;
    }
    for path in [place.home(), place.0.join("keys"), place.run()] {
        remove_top(&path).map_err(|source| SupervisorError::File { path, source })?;
    }
    let others = [place.gateway(), place.gateway_metrics(), place.computer(), place.identity_file()];
    for path in others.into_iter().chain([place.0.join("home.id.new")]) {
        remove_if_there(&path).map_err(|source| SupervisorError::File { path, source })?;
    }
    // What says that it is to be destroyed goes last: if this is interrupted, the next start goes on here.
    let path = place.state();
    remove_all_but(&path, Some(c"delete"))
        .and_then(|()| remove_if_there(&place.deletion_marker()))
        .and_then(|()| fs::remove_dir(&path))
        .map_err(|source| SupervisorError::File { path, source })
}

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Removes one of the folders in a home's own, if it is there. Where there is a link in its place, to keep it on another disk, say,
/// what it leads to goes first, if nobody but whoever this runs as can have put it there.
fn remove_top(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_symlink() => {
            if let (true, Ok(elsewhere)) = (is_ours_alone(path), fs::canonicalize(path)) {
                remove_tree(&elsewhere)?;
            }
            fs::remove_file(path)
        }
        Ok(_) => remove_tree(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Tells whether no other account can put anything in the folder that a path is in.
fn is_ours_alone(path: &Path) -> bool {
    let around = path.parent().and_then(|around| fs::symlink_metadata(around).ok());
    around.is_some_and(|about| about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o022 == 0)
}

/// Folders in one another that are walked through at once.
const AT_ONCE: u32 = 8;

/// Removes a folder and all in it, however deep, and nothing that a link in it leads to. Everything is reached through the folder
/// that was opened first, and no name is followed: what somebody puts in the place of something else is removed, not entered.
pub(crate) fn remove_tree(top: &Path) -> io::Result<()> {
    remove_all_but(top, None)?;
    fs::remove_dir(top)
}

/// Removes all that is in a folder but what has this name.
fn remove_all_but(top: &Path, kept: Option<&CStr>) -> io::Result<()> {
    let opened = open_folder(rustix::fs::CWD, &CString::new(top.as_os_str().as_bytes())?)?;
    let mut moved = 0;
    // What lies too deep comes up into the first folder, and its turn comes in the next round.
    while !empty(&opened, &opened, kept, AT_ONCE, &mut moved)? {}
    Ok(())
}

fn open_folder(within: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(within, name, flags, Mode::empty())?)
}

/// Removes what is in a folder but what has the name `kept`; true if nothing else was there.
fn empty(folder: &OwnedFd, top: &OwnedFd, kept: Option<&CStr>, depth: u32, moved: &mut u64) -> io::Result<bool> {
    let mut was_empty = true;
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." || Some(name) == kept {
            continue;
        }
        was_empty = false;
        let failed = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", name.to_string_lossy()));
        match unlinkat(folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            // unlink(2): Linux says this of folders.
            Err(Errno::ISDIR) if depth > 0 => {
                let inner = open_folder(folder, name).map_err(failed)?;
                while !empty(&inner, top, None, depth - 1, moved)? {}
                unlinkat(folder, name, AtFlags::REMOVEDIR).map_err(|error| failed(error.into()))?;
            }
            Err(Errno::ISDIR) => loop {
                let up = CString::new(format!("moved-{moved}"))?;
                *moved += 1;
                match renameat_with(folder, name, top, &up, RenameFlags::NOREPLACE) {
                    Err(Errno::EXIST) => {}
                    renamed => break renamed.map_err(|error| failed(error.into()))?,
                }
            },
            Err(error) => return Err(failed(error.into())),
        }
    }
    Ok(was_empty)
}

/// `O_NOFOLLOW`: opening a symbolic link fails.
#[expect(clippy::cast_possible_wrap, reason = "the flags of open(2) are an int")]
const NO_LINKS: i32 = OFlags::NOFOLLOW.bits() as i32;
/// `O_NONBLOCK`: opening a pipe that nobody reads fails.
#[expect(clippy::cast_possible_wrap, reason = "the flags of open(2) are an int")]
const NO_WAITING: i32 = OFlags::NONBLOCK.bits() as i32;

/// Zeros in place, through to the disk, then removal. What a file system or a flash disk keeps elsewhere is beyond reach.
/// The folder may be another account's: links, of either kind, are removed and not written through, and folders are left.
fn overwrite(path: &Path) -> io::Result<()> {
    let length = match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() && about.nlink() == 1 => about.len(),
        // It holds no key of ours, and goes with the rest.
        Ok(about) if about.is_dir() => return Ok(()),
        Ok(_) => return fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut file = OpenOptions::new().write(true).custom_flags(NO_LINKS).open(path)?;
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.flush()?;
    file.sync_all()?;
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mark(file: &File) -> io::Result<()> {
        (&*file).write_all(b"marked")
    }

    #[test]
    fn a_pause_is_marked_through_no_link_and_waits_for_no_pipe() {
        let folder = std::env::temp_dir().join(format!("bailey-mark-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("state")).unwrap();
        let place = Place::new(&folder);
        let (record, elsewhere) = (folder.join("state/pause"), folder.join("elsewhere"));
        fs::write(&elsewhere, b"kept").unwrap();

        place.mark_paused(mark).expect("one that is missing counts as damaged, which is paused");
        let gone = |what: &str| {
            place.mark_paused(mark).unwrap();
            assert!(fs::symlink_metadata(&record).is_err(), "{what}: a record that is missing means paused");
        };
        std::os::unix::fs::symlink(&elsewhere, &record).unwrap();
        gone("a link");
        fs::hard_link(&elsewhere, &record).unwrap();
        gone("a second name");
        rustix::fs::mknodat(rustix::fs::CWD, &record, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        gone("a pipe");
        assert_eq!(fs::read(&elsewhere).unwrap(), b"kept");
        fs::create_dir(&record).unwrap();
        place.mark_paused(mark).unwrap_err();

        fs::remove_dir(&record).unwrap();
        fs::write(&record, b"record").unwrap();
        place.mark_paused(mark).unwrap();
        assert_eq!(fs::read(&record).unwrap(), b"marked");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_says_that_a_home_is_destroyed_outlives_the_rest() {
        let folder = std::env::temp_dir().join(format!("bailey-last-{}", std::process::id()));
        fs::create_dir_all(folder.join("inside/delete")).unwrap();
        for name in ["a", "delete", "inside/b", "z"] {
            let _ = fs::write(folder.join(name), b"");
        }
        remove_all_but(&folder, Some(c"delete")).unwrap();
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["delete"]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_link_is_removed_with_what_it_leads_to_only_where_nobody_else_could_have_made_it() {
        let folder = std::env::temp_dir().join(format!("bailey-link-{}", std::process::id()));
        let (elsewhere, link) = (folder.join("elsewhere"), folder.join("home"));
        for (mode, stays) in [(0o777, true), (0o700, false)] {
            fs::create_dir_all(elsewhere.join("inside")).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
            remove_top(&link).unwrap();
            assert!(fs::symlink_metadata(&link).is_err());
            assert_eq!(elsewhere.exists(), stays, "{mode:o}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_put_in_the_place_of_a_folder_is_not_entered() {
        let folder = std::env::temp_dir().join(format!("bailey-enter-{}", std::process::id()));
        let (inside, outside) = (folder.join("inside"), folder.join("outside"));
        fs::create_dir_all(&inside).unwrap();
        fs::create_dir_all(&outside).unwrap();
        // As it is met by whoever took the name for a folder's a moment before.
        std::os::unix::fs::symlink(&outside, inside.join("swapped")).unwrap();
        open_folder(File::open(&inside).unwrap(), c"swapped").unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
    }
}
