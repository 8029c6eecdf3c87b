//! Where a home lies, and its keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailey_keys::{HomeKey, Passphrase, RootKey, RootKind};
use rustix::fs::FlockOperation;
use serde::Deserialize;

use crate::SupervisorError;
use crate::identity::runs_somewhere;

/// Marks the opened record of a pause, durably: whoever knows what the record looks like gives it.
pub type Mark = fn(&File) -> io::Result<()>;

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
    /// The home below this folder.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self(data.into())
    }

    /// The folder.
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

    /// Where the home's socket lies.
    pub(crate) fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// The socket the supervisor is told things over.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("supervisor.sock")
    }

    /// Where the gateway's address is written down, while there is a gateway.
    #[must_use]
    pub fn gateway(&self) -> PathBuf {
        self.0.join("gateway.address")
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("keys/root.key")
    }

    /// Says that the home is to be destroyed, whatever happens meanwhile. The home itself writes it, when the person said so.
    fn condemned(&self) -> PathBuf {
        self.state().join("delete")
    }

    /// Whether the home is to be destroyed.
    #[must_use]
    pub fn is_condemned(&self) -> bool {
        fs::symlink_metadata(self.condemned()).is_ok()
    }

    fn info(&self) -> Result<Info, SupervisorError> {
        let text = bailey_keys::read_small(&self.home().join("home.json"))
            .map_err(|_| SupervisorError::Missing(self.0.clone()))?;
        serde_json::from_slice(&text).map_err(|_| SupervisorError::Missing(self.0.clone()))
    }

    /// Whose home it is, as bytes: as it was at the first start, for what the home says of itself later could be chosen.
    pub(crate) fn identity(&self) -> Result<[u8; 16], SupervisorError> {
        let path = self.0.join("home.id");
        let failed = |source| SupervisorError::File { path: path.clone(), source };
        let home = match bailey_keys::read_small(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let home = self.info()?.home;
                fs::write(&path, &home).map_err(failed)?;
                home
            }
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

    /// The record that says whether everything is paused.
    fn pause_record(&self) -> PathBuf {
        self.state().join("pause")
    }

    /// Whether the folder of the record is there; a link is none.
    fn has_state(&self) -> Result<(), SupervisorError> {
        let path = self.state();
        let source = match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => return Ok(()),
            Ok(_) => io::Error::other("it is not the folder that it was; put that back"),
            Err(error) => error,
        };
        // Without a home, too, there is none: that is the better thing to say.
        self.info()?;
        Err(SupervisorError::File { path, source })
    }

    /// Whether the home itself runs, whatever became of its supervisor's lock: it holds one of its own.
    pub(crate) fn home_runs(&self) -> Result<(), SupervisorError> {
        let path = self.state().join("lock");
        let file = match OpenOptions::new().write(true).custom_flags(NO_LINKS | NO_WAITING).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(SupervisorError::File { path, source }),
        };
        let free = lock_file(&file).map_err(|source| SupervisorError::File { path, source })?;
        if free { Ok(()) } else { Err(SupervisorError::Running(self.0.clone())) }
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
    /// [`SupervisorError::Running`] where a supervisor runs; ask that one. [`SupervisorError::Refused`] where it is noted all
    /// the same, but the home runs without a supervisor that could be asked, or from another folder.
    pub fn pause_at_rest(&self, mark: Mark) -> Result<(), SupervisorError> {
        // Before the lock, which would be made where there is no home.
        self.has_state()?;
        let _lock = self.lock()?;
        self.mark_paused(mark)?;
        let goes_on = |process: &str| {
            SupervisorError::Refused(format!(
                "what starts in `{}` starts paused, but this home, or a copy of it, runs already{process} and was not reached: its \
                 files were moved or removed while it ran; end that process, and nothing leaves any more",
                self.0.display()
            ))
        };
        match self.identity().ok().and_then(runs_somewhere) {
            Some(process) => Err(goes_on(&process)),
            None => self.home_runs().map_err(|error| match error {
                SupervisorError::Running(_) => goes_on(""),
                error => error,
            }),
        }
    }

    /// Whether a passphrase is needed to open it.
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

    /// The root key: from its file, or made of the passphrase. Whether it is the right one shows in [`Self::unwrap`].
    pub fn root_key(&self, passphrase: Option<&Passphrase>) -> Result<Option<RootKey>, SupervisorError> {
        match (self.info()?.root, passphrase) {
            (RootKind::KeyFile, _) => Ok(Some(RootKey::from_file(&self.key_file())?)),
            (RootKind::Passphrase { salt }, Some(words)) => Ok(Some(RootKey::from_passphrase(words, &salt)?)),
            (RootKind::Passphrase { .. }, None) => Ok(None),
        }
    }

    /// The home's key.
    pub fn unwrap(&self, root: &RootKey) -> Result<HomeKey, SupervisorError> {
        Ok(HomeKey::unwrap(&self.home().join("home.key"), root)?)
    }
}

/// How often, and how long apart, the supervisor's lock is tried: a second in all.
const LOCK_TRIES: u32 = 20;
const LOCK_WAIT: std::time::Duration = std::time::Duration::from_millis(50);

/// Opens and locks a file, through no link; none if another process holds it.
pub(crate) fn locked(path: &Path) -> io::Result<Option<File>> {
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).custom_flags(NO_LINKS).open(path)?;
    Ok(lock_file(&file)?.then_some(file))
}

/// Locks an opened file; false if another process holds it.
fn lock_file(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            // A child that was being started when its supervisor was killed holds the lock until it is another program.
            Err(rustix::io::Errno::WOULDBLOCK) => wait_for_lock(),
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
    if !place.is_condemned() {
        return Ok(false);
    }
    let _lock = place.lock()?;
    destroy(place)?;
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
    // What says that it is to be destroyed goes last: if this is interrupted, the next start goes on here.
    for path in [place.home(), place.0.join("keys"), place.run(), place.state()] {
        match remove_tree(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(SupervisorError::File { path, source });
            }
            Ok(()) | Err(_) => {}
        }
    }
    for name in ["home.id", "gateway.address"] {
        let _ = fs::remove_file(place.0.join(name));
    }
    Ok(())
}

/// Folders in one another that are walked through at once.
const AT_ONCE: usize = 8;

/// Removes a folder and all in it, however deep: `remove_dir_all` opens each folder on the way down. Nobody else may change it
/// meanwhile.
pub(crate) fn remove_tree(top: &Path) -> io::Result<()> {
    // What lies deeper than that is moved up first, where its turn comes.
    let (mut open, mut moved) = (vec![(top.to_owned(), 0)], 0_u64);
    while let Some((folder, depth)) = open.pop() {
        let inside: Vec<PathBuf> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        for path in inside {
            if !fs::symlink_metadata(&path)?.is_dir() {
                fs::remove_file(&path)?;
            } else if depth < AT_ONCE {
                open.push((path, depth + 1));
            } else {
                let up = loop {
                    let up = top.join(format!("moved-{moved}"));
                    moved += 1;
                    if fs::symlink_metadata(&up).is_err() {
                        break up;
                    }
                };
                fs::rename(&path, &up)?;
                open.push((up, 1));
            }
        }
    }
    fs::remove_dir_all(top)
}

/// `O_NOFOLLOW`: opening a symbolic link fails.
#[expect(clippy::cast_possible_wrap, reason = "the flags of open(2) are an int")]
const NO_LINKS: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
/// `O_NONBLOCK`: opening a pipe that nobody reads fails.
#[expect(clippy::cast_possible_wrap, reason = "the flags of open(2) are an int")]
const NO_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// Zeros in place, through to the disk, then removal. What a file system or a flash disk keeps elsewhere is beyond reach.
/// The folder may be another account's: links, of either kind, are removed and not written through.
fn overwrite(path: &Path) -> io::Result<()> {
    let length = match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() && about.nlink() == 1 => about.len(),
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
}
