//! Account numbers of a home's processes, where root can give them some.

use std::ffi::CStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, chownat, fstat, openat};
use rustix::process::{Gid, Pid, Uid};

use crate::SupervisorError;
use crate::root::{is_locked, locked, opened};

/// The account number of gateways. It owns no file.
const GATEWAY: u32 = 61_183;
/// Account numbers of homes: a part of what systemd's list of account numbers leaves unused, and so large that no two
/// homes draw the same, for every process of the number is ended before its home is started. A home's follows from its
/// identity, so it is the same after every start; a copy of a home has the same, which [`Identities::take`] is for, too.
const HOMES: std::ops::Range<u32> = 0x7000_0000..0x7FFD_0000;

/// Account numbers of homes' computers: what lies between those of homes and the next that systemd's list gives away. Two homes may draw
/// the same: namespaces and Landlock keep their machines apart all the same.
const COMPUTERS: std::ops::Range<u32> = 0x7FFD_0000..0x7FFE_0000;

/// One account number, as user and as group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// User.
    pub user: u32,
    /// Group.
    pub group: u32,
}

/// Under which account numbers the processes run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identities {
    /// All under the supervisor's own, and why.
    Shared(String),
    /// Each under one of its own.
    Separate {
        /// The home's. Its group is that of its own gateway too, which may thereby use the home's socket.
        home: Identity,
        /// The gateway's.
        gateway: Identity,
        /// That of the machine of its computer, which owns no file.
        computer: Identity,
    },
}

impl Identities {
    /// Returns what is possible here for the home of this identity.
    #[must_use]
    pub fn of(data: &Path, home: [u8; 16]) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::Shared("not started as root, so all processes run under your account".into());
        }
        if let Some(path) = blocked_by(data) {
            return Self::Shared(format!(
                "`{}` lets no other account in, so all processes run as root; use a folder such as /var/lib/bailey",
                path.display()
            ));
        }
        let [a, b, c, d, e, f, g, h, ..] = home;
        let drawn = |from: std::ops::Range<u32>, of| from.start + u32::from_be_bytes(of) % (from.end - from.start);
        let (user, computer) = (drawn(HOMES, [a, b, c, d]), drawn(COMPUTERS, [e, f, g, h]));
        if ![user, GATEWAY, computer].iter().all(|number| is_mapped(*number)) {
            return Self::Shared(
                "this container has no account numbers to give, so all processes run as its root".into(),
            );
        }
        Self::Separate {
            home: Identity { user, group: GATEWAY },
            gateway: Identity { user: GATEWAY, group: GATEWAY },
            computer: Identity { user: computer, group: computer },
        }
    }

    /// Makes this process the only one that has to do with the home on this machine, until what is given is dropped: its identity
    /// is taken, and its account number where it has one, so that no copy runs beside it. What is left of its account ends, for it
    /// is nobody's then, and must not hold anything up.
    pub(crate) fn take(&self, home: [u8; 16]) -> Result<Vec<fs::File>, SupervisorError> {
        let folder = machine_locks();
        let own = folder.as_ref().map(|folder| identity_lock(folder, home));
        let account =
            self.home().zip(folder.as_ref()).map(|(of, folder)| folder.join(format!("bailey-{}.lock", of.user)));
        let mut held = Vec::new();
        for path in own.into_iter().chain(account) {
            let failed = |source| SupervisorError::File { path: path.clone(), source };
            let Some(mut file) = locked(&path).map_err(failed)? else {
                return Err(a_copy_runs(&whose(&path)));
            };
            // For whoever looks for what runs here.
            file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
            held.push(file);
        }
        // After its own is held: of two that start at once in different places one at least sees the other.
        if let Some(process) = runs_beside(home, folder.as_deref()) {
            return Err(a_copy_runs(&process));
        }
        self.home().into_iter().chain(self.computer()).for_each(end_all_of);
        Ok(held)
    }

    /// Removes what lies on the machine, outside of its folder, for a home that is gone.
    pub(crate) fn forget(&self, home: [u8; 16]) {
        let Some(folder) = machine_locks() else { return };
        let own = ["lock", "mark"].map(|kind| of_identity(&folder, home, kind));
        let account = self.home().map(|of| folder.join(format!("bailey-{}.lock", of.user)));
        for path in own.into_iter().chain(account) {
            // The next start of the machine removes it as well.
            let _ = fs::remove_file(path);
        }
    }

    /// Returns the home's, where it has one of its own.
    #[must_use]
    pub const fn home(&self) -> Option<Identity> {
        match self {
            Self::Shared(_) => None,
            Self::Separate { home, .. } => Some(*home),
        }
    }

    /// Returns that of its computer's machine, where it has one of its own.
    #[must_use]
    pub const fn computer(&self) -> Option<Identity> {
        match self {
            Self::Shared(_) => None,
            Self::Separate { computer, .. } => Some(*computer),
        }
    }

    /// Returns the gateway's, where it has one of its own.
    #[must_use]
    pub const fn gateway(&self) -> Option<Identity> {
        match self {
            Self::Shared(_) => None,
            Self::Separate { gateway, .. } => Some(*gateway),
        }
    }
}

fn a_copy_runs(process: &str) -> SupervisorError {
    SupervisorError::Refused(format!(
        "a copy of this home runs on this machine already{process}, and only one of them can; stop that one first"
    ))
}

/// Where root locks what there may be one of on the machine.
const ROOTS_LOCKS: &str = "/run";
/// Where each account with a login session has a folder of its own, for that and more.
const SESSIONS: &str = "/run/user";

/// Tells where processes of this account lock what there may be one of on the machine: a folder no other account writes to.
fn machine_locks() -> Option<PathBuf> {
    let me = rustix::process::geteuid();
    if me.is_root() { Some(ROOTS_LOCKS.into()) } else { login_session(me.as_raw()) }
}

/// Returns the folder of an account's login sessions (pam_systemd(8)); its variable is not asked, for not every shell has it.
fn login_session(user: u32) -> Option<PathBuf> {
    let folder = Path::new(SESSIONS).join(user.to_string());
    fs::metadata(&folder).is_ok_and(|about| about.is_dir() && about.uid() == user).then_some(folder)
}

fn identity_lock(folder: &Path, home: [u8; 16]) -> PathBuf {
    of_identity(folder, home, "lock")
}

fn of_identity(folder: &Path, home: [u8; 16], kind: &str) -> PathBuf {
    let name: String = home.iter().map(|byte| format!("{byte:02x}")).collect();
    folder.join(format!("bailey-{name}.{kind}"))
}

/// Makes the file in which a home notes how far it has come, where no copy of its folder takes it along; the home writes it. None
/// where there is no place for it: then every start counts as that of a copy.
pub(crate) fn witness(home: [u8; 16], to: Option<Identity>) -> Option<PathBuf> {
    let path = of_identity(&machine_locks()?, home, "mark");
    let file = opened(&path).ok()?;
    let about = file.metadata().ok()?;
    if !about.is_file() || about.nlink() != 1 {
        return None;
    }
    if let Some(Identity { user, group }) = to {
        std::os::unix::fs::fchown(&file, Some(user), Some(group)).ok()?;
    }
    Some(path)
}

/// Tells which process holds a lock, in words, as it wrote it there.
fn whose(lock: &Path) -> String {
    let holder =
        bailey_keys::read_small(lock).ok().and_then(|text| String::from_utf8(text).ok()?.trim().parse::<u32>().ok());
    holder.map_or_else(String::new, |process| format!(" (process {process})"))
}

/// Tells whether there is any place where the supervisor of a home in `data` could hold its identity.
pub(crate) fn has_place_for_locks(data: &Path) -> bool {
    fs::metadata(data).is_ok_and(|about| about.uid() == 0 || login_session(about.uid()).is_some())
}

/// Returns the process of a supervisor that runs this home, or a copy of it, on this machine, in words. Those of other
/// accounts are seen by root, and root's by everybody.
pub(crate) fn runs_somewhere(home: [u8; 16]) -> Option<String> {
    runs_beside(home, None)
}

/// Returns the same for whoever holds the lock in `own` itself.
fn runs_beside(home: [u8; 16], own: Option<&Path>) -> Option<String> {
    let sessions = fs::read_dir(SESSIONS).into_iter().flatten().flatten().map(|entry| entry.path());
    let others = sessions.chain([ROOTS_LOCKS.into()]).filter(|folder| Some(folder.as_path()) != own);
    let mut locks = others.map(|folder| identity_lock(&folder, home));
    locks.find(|lock| is_held(lock)).map(|lock| whose(&lock))
}

/// Tells whether some process holds a lock. One that cannot be looked at is nobody's that could be told about.
fn is_held(lock: &Path) -> bool {
    match is_locked(lock) {
        Ok(held) => held,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let Ok(about) = fs::symlink_metadata(lock) else { return false };
            is_listed(&fs::read_to_string("/proc/locks").unwrap_or_default(), about.dev(), about.ino())
        }
        Err(_) => false,
    }
}

/// Tells whether a file is among the machine's locks (proc(5), `/proc/locks`: `N: FLOCK ADVISORY WRITE PID
/// MAJOR:MINOR:INODE …`, the device in hexadecimal).
fn is_listed(locks: &str, device: u64, inode: u64) -> bool {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().any(|line| line.split_whitespace().any(|field| field == file))
}

/// Tells whether this user namespace has an account number at all (user_namespaces(7)).
fn is_mapped(number: u32) -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|line| {
        let mut fields = line.split_whitespace().map(|field| field.parse::<u64>().unwrap_or(0));
        let (first, _, count) = (fields.next().unwrap_or(0), fields.next(), fields.next().unwrap_or(0));
        (first..first.saturating_add(count)).contains(&u64::from(number))
    })
}

/// Returns the first folder above `data` that lets no other account in.
#[must_use]
pub fn blocked_by(data: &Path) -> Option<PathBuf> {
    let data = fs::canonicalize(data).ok()?;
    let above = data.ancestors().skip(1);
    let shut = above.filter(|path| fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o001 == 0));
    shut.last().map(Path::to_path_buf)
}

/// How often the processes are looked through for those of one account: they may start others meanwhile.
const MOST_PASSES: u32 = 10;

/// Ends every process of an account that is ours alone: what one of them left behind must not work beside the next.
pub(crate) fn end_all_of(identity: Identity) {
    // One may start another while they are looked through.
    for _ in 0..MOST_PASSES {
        if !end_those_of(identity) {
            return;
        }
    }
}

/// Looks through the processes once; false if none of them is this account's and still runs.
fn end_those_of(identity: Identity) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let mut found = false;
    for entry in processes.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else { continue };
        if fs::metadata(entry.path()).is_ok_and(|about| about.uid() == identity.user) {
            // One that has just ended is what was wanted.
            found |= rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok();
        }
    }
    found
}

/// Gives what is ours in the folder `name` of `within` to an account, such as what was set up or put back from a backup.
///
/// Everything is opened once, without following links, and given by what was opened: a name that is made to mean something
/// else meanwhile changes nothing. What has a second name, or is neither file nor folder, is left alone, and so is what lies
/// deeper than anything of ours does.
pub(crate) fn give(within: impl AsFd, name: &CStr, to: Identity) -> io::Result<()> {
    give_down_to(within, name, to, DEPTH)
}

/// Folders in one another that a home has at most, and some more.
const DEPTH: u32 = 16;

fn give_down_to(within: impl AsFd, name: &CStr, to: Identity, depth: u32) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = match openat(&within, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let about = fstat(&opened)?;
    let kind = FileType::from_raw_mode(about.st_mode);
    if kind == FileType::Directory && depth > 0 {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(&opened, c".", flags, Mode::empty())?;
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            if entry.file_name() != c"." && entry.file_name() != c".." {
                give_down_to(&folder, entry.file_name(), to, depth - 1)?;
            }
        }
    }
    let ours = about.st_uid == rustix::process::geteuid().as_raw() && about.st_uid != to.user;
    let alone = kind == FileType::Directory || (kind == FileType::RegularFile && about.st_nlink == 1);
    if ours && alone {
        let (user, group) = (Uid::from_raw(to.user), Gid::from_raw(to.group));
        let given = chownat(&opened, c"", Some(user), Some(group), AtFlags::EMPTY_PATH);
        given.map_err(io::Error::from).map_err(|error| {
            let words = "cannot be given to the home's account; take it out of the home's folder, or give it yourself";
            io::Error::new(error.kind(), format!("{} {words}: {error}", name.to_string_lossy()))
        })?;
    }
    Ok(())
}

/// Gives up every right of root, for good. Called by a process before it has started any thread.
pub fn become_identity(identity: Identity) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(identity.user), Gid::from_raw(identity.group));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)?;
    // A process that could still be root has given up nothing.
    let kept = rustix::thread::set_thread_uid(Uid::ROOT);
    if kept.is_ok() || rustix::process::geteuid() != user || rustix::process::getegid() != group {
        return Err(io::Error::other("the rights of root could not be given up"));
    }
    Ok(())
}

/// Gives up, for good, to gain any right by starting a program (prctl(2), `PR_SET_NO_NEW_PRIVS`), whatever account this is.
/// Called by a process before it has started any thread.
pub fn gain_no_rights() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

/// Leaves the terminal of whoever started the supervisor: through it, a process could read what is typed there, and type.
pub fn leave_terminal() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}

/// Makes the kernel end this process at once when the supervisor ends, however that ends.
pub fn die_with_parent(parent: u32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // It may have ended before that was set.
    let now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    match now.and_then(|now| u32::try_from(now).ok()) {
        Some(now) if now == parent => Ok(()),
        Some(_) | None => Err(io::Error::other("the supervisor has ended")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_may_not_be_opened_is_found_among_the_machines() {
        let path = std::env::temp_dir().join(format!("bailey-listed-{}", std::process::id()));
        let held = locked(&path).unwrap().unwrap();
        let about = fs::metadata(&path).unwrap();
        let listed = || is_listed(&fs::read_to_string("/proc/locks").unwrap(), about.dev(), about.ino());
        assert!(listed());
        drop(held);
        assert!(!listed());
        fs::remove_file(&path).unwrap();
    }

    /// Links of either kind in a home's folder give it nothing of what they lead to.
    #[test]
    fn links_are_not_given() {
        let data = std::env::temp_dir().join(format!("bailey-give-{}", std::process::id()));
        let (home, outside) = (data.join("home"), data.join("outside"));
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(&outside).unwrap();
        for path in [home.join("own"), outside.join("other"), outside.join("twice")] {
            fs::write(path, b"x").unwrap();
        }
        std::os::unix::fs::symlink(&outside, home.join("folder")).unwrap();
        std::os::unix::fs::symlink(outside.join("other"), home.join("file")).unwrap();
        fs::hard_link(outside.join("twice"), home.join("twice")).unwrap();
        let me = rustix::process::geteuid();
        let to = if me.is_root() {
            Identity { user: 61_999, group: 61_999 }
        } else {
            Identity { user: me.as_raw(), group: rustix::process::getegid().as_raw() }
        };
        give(fs::File::open(&data).unwrap(), c"home", to).unwrap();
        give(fs::File::open(&data).unwrap(), c"absent", to).unwrap();
        let owner = |path: PathBuf| fs::symlink_metadata(path).unwrap().uid();
        assert_eq!((owner(home.clone()), owner(home.join("own"))), (to.user, to.user));
        for path in [outside.clone(), outside.join("other"), outside.join("twice"), home.join("folder")] {
            assert_eq!(owner(path.clone()), me.as_raw(), "{}", path.display());
        }
        fs::remove_dir_all(&data).unwrap();
    }

    /// Folders in one another, more than a process may open: they hold up neither a start nor a deletion.
    #[test]
    fn folders_without_end_hold_up_nothing() {
        const DEEP: usize = 2_000;
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        rustix::process::setrlimit(
            rustix::process::Resource::Nofile,
            rustix::process::Rlimit { current: Some(512), ..limit },
        )
        .unwrap();
        let data = std::env::temp_dir().join(format!("bailey-deep-{}", std::process::id()));
        fs::create_dir_all(data.join("home")).unwrap();
        let mut folder = fs::File::open(data.join("home")).unwrap();
        for _ in 0..DEEP {
            rustix::fs::mkdirat(&folder, c"in", Mode::RWXU).unwrap();
            folder = openat(&folder, c"in", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap().into();
        }
        let me = Identity { user: rustix::process::geteuid().as_raw(), group: rustix::process::getegid().as_raw() };
        give(fs::File::open(&data).unwrap(), c"home", me).unwrap();
        // Names that removing takes itself, and links, of which what they lead to stays.
        let outside = data.with_extension("outside");
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("kept"), b"x").unwrap();
        fs::create_dir(data.join("moved-0")).unwrap();
        for link in [data.join("moved-1"), data.join("home/link")] {
            std::os::unix::fs::symlink(&outside, link).unwrap();
        }
        crate::root::remove_tree(&data).unwrap();
        assert!(!data.exists());
        assert!(outside.join("kept").exists());
        fs::remove_dir_all(&outside).unwrap();
    }
}
