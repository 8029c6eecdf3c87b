//! The jail: what a process gives up, for good, before it becomes QEMU or one of its tools.
//!
//! The host starts a launcher of its own (`bailey-jail`) with a socket as standard input, and sends it one order with the descriptors
//! the program is to have. The launcher gives everything else up, says which layers took hold, and becomes the program.
//!
//! | layer | takes away | where it cannot be had |
//! |---|---|---|
//! | account of its own, no groups | the home's files and processes | not started as root: said, goes on |
//! | no capabilities, no new rights | root, set-user-id programs | nothing is started |
//! | namespaces of network, IPC and host name | every network, loopback too, and sockets without a file | said, goes on |
//! | a namespace of mounts, with folders of sockets and people hidden | sockets in files, which Landlock does not know | said, goes on |
//! | Landlock | every file but what is named, TCP, signals to others | without files: nothing is started |
//! | limits | memory, disk, descriptors, core files | nothing is started |
//! | QEMU's own seccomp filter | programs, rights, scheduling | nothing is started |

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus, Scope,
};
use nix::sched::{CloneFlags, unshare};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};
use rustix::process::{Gid, Resource, Rlimit, Signal, Uid, setrlimit};
use serde::{Deserialize, Serialize};

/// Most bytes of an order.
pub(crate) const MAX_ORDER_BYTES: usize = 64 * 1024;
/// Most descriptors a program is handed.
pub(crate) const MAX_DESCRIPTORS: usize = 16;
/// Descriptors a program may have open: those it is handed, and what QEMU opens itself.
const MAX_OPEN: u64 = 128;
/// The highest capability there can be; those a kernel does not know are left out.
const LAST_CAPABILITY: u32 = 63;

/// An account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Number of the user.
    pub user: u32,
    /// Number of the group.
    pub group: u32,
}

/// What the launcher is to become.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The program's path.
    pub program: String,
    /// Its arguments; `{fd:NAME}` stands for a descriptor.
    pub words: Vec<String>,
    /// The names of the descriptors, in the order they are sent.
    pub names: Vec<String>,
    /// Of those, files that the program opens anew by their number, to read.
    pub reads: Vec<String>,
    /// The same, to read and to write.
    pub writes: Vec<String>,
    /// Devices it opens by name.
    pub devices: Vec<String>,
    /// The account it is to have.
    pub identity: Option<Identity>,
    /// Groups beside that.
    pub groups: Vec<u32>,
    /// Most address space, in bytes.
    pub memory_bytes: u64,
    /// Largest file it may write, in bytes.
    pub file_bytes: u64,
}

/// Which layers hold a process. Those that cannot be left out are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layers {
    /// It has an account of its own.
    pub account: bool,
    /// It has a network of its own, with nothing in it.
    pub network: bool,
    /// Folders that hold sockets and people's files are empty to it.
    pub folders: bool,
    /// Landlock keeps everything from it that we know how to: false on kernels that know less.
    pub landlock_whole: bool,
    /// What limits the host's memory and processes it takes, beside the limits of a process.
    pub held: crate::Held,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    Layers(Layers),
    Failed(String),
}

/// What the order of somebody who is not trusted is held to, by whoever starts the launcher as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The account the program gets, whatever the order says.
    pub identity: Identity,
    /// The account whose files it may be handed to write to: they get its group.
    pub owner: u32,
}

/// The programs that an order which is held to bounds may name.
const BOUNDED_PROGRAMS: [&str; 2] = [crate::qemu::PROGRAM, crate::qemu::TOOL];
/// The one device it may name.
const BOUNDED_DEVICE: &str = "/dev/kvm";

impl Bounds {
    /// Returns the launcher's arguments.
    pub(crate) fn words(&self) -> [String; 3] {
        [self.identity.user, self.identity.group, self.owner].map(|number| number.to_string())
    }

    /// Reads the launcher's arguments; nothing where there are none.
    fn read(words: &[String]) -> Result<Option<Self>, String> {
        let numbers: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
        match (words.len(), numbers.as_slice()) {
            (0, _) => Ok(None),
            (3, [user, group, owner]) if *user != 0 && *group != 0 => {
                Ok(Some(Self { identity: Identity { user: *user, group: *group }, owner: *owner }))
            }
            _ => Err("the launcher's arguments are three numbers: user, group, and whose files".into()),
        }
    }

    /// Makes an order keep to them.
    fn hold(&self, mut order: Order, descriptors: &[OwnedFd]) -> Result<Order, String> {
        if !BOUNDED_PROGRAMS.contains(&order.program.as_str()) {
            return Err(format!("`{}` is none of the programs of a computer", order.program));
        }
        if order.devices.iter().any(|device| device != BOUNDED_DEVICE) {
            return Err("it asks for a device that is none of a computer's".into());
        }
        order.identity = Some(self.identity);
        order.groups = if order.devices.is_empty() { Vec::new() } else { crate::probe::group().into_iter().collect() };
        for (_, file) in order.names.iter().zip(descriptors).filter(|(name, _)| order.writes.contains(name)) {
            self.give(file).map_err(|error| format!("a disk cannot be given to the computer's account: {error}"))?;
        }
        Ok(order)
    }

    /// Lets the program open a file of the home's anew, by its group.
    fn give(&self, file: &OwnedFd) -> io::Result<()> {
        let about = rustix::fs::fstat(file)?;
        let is_file = rustix::fs::FileType::from_raw_mode(about.st_mode) == rustix::fs::FileType::RegularFile;
        if !is_file || about.st_uid != self.owner || about.st_nlink != 1 {
            return Err(io::Error::other("it is no file of the home's own"));
        }
        rustix::fs::fchown(file, None, Some(Gid::from_raw(self.identity.group)))?;
        Ok(rustix::fs::fchmod(file, rustix::fs::Mode::from_raw_mode(0o660))?)
    }
}

/// Takes an order from standard input and becomes what it says; `words` are the launcher's arguments. Returns only if that failed, after
/// telling why.
#[must_use]
pub fn enter(words: &[String]) -> String {
    // What follows stdin's number to the program is nothing; this one closes by itself when the program begins.
    let socket = match fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3) {
        Ok(socket) => socket,
        Err(error) => return error.to_string(),
    };
    let why = match Bounds::read(words).and_then(|bounds| become_program(&socket, bounds)) {
        Ok(never) => match never {},
        Err(why) => why,
    };
    tell(&socket, &Told::Failed(why.clone()));
    why
}

fn tell(socket: &OwnedFd, told: &Told) {
    if let Ok(bytes) = serde_json::to_vec(told) {
        // Whoever started us sees the end of the socket as well.
        let _ = send(socket, &bytes, SendFlags::NOSIGNAL);
    }
}

enum Never {}

fn become_program(socket: &OwnedFd, bounds: Option<Bounds>) -> Result<Never, String> {
    let (order, descriptors) = receive(socket)?;
    let order = match bounds {
        Some(bounds) => bounds.hold(order, &descriptors)?,
        None => order,
    };
    let failed = |what: &'static str| move |error: &dyn std::fmt::Display| format!("{what}: {error}");
    close_others(socket, &descriptors).map_err(|error| failed("a descriptor stays open")(&error))?;
    let parent = rustix::process::getppid();
    // A session of its own: no terminal, and no signals of whoever started us.
    rustix::process::setsid().map_err(|error| failed("no session of its own")(&error))?;
    limit(&order).map_err(|error| failed("limits")(&error))?;
    let network = leave_networks();
    let folders = hide_folders().is_ok();
    let account = give_up_rights(&order).map_err(|error| failed("rights cannot be given up")(&error))?;
    // Set last: a change of account clears it.
    let death = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    death.map_err(|error| failed("it would outlive its host")(&error))?;
    if rustix::process::getppid() != parent {
        return Err("its host has ended".into());
    }
    let landlock_whole = renounce_files(&order, &descriptors)?;
    let mut words = order.words.clone();
    for (name, descriptor) in order.names.iter().zip(&descriptors) {
        fcntl_setfd(descriptor, FdFlags::empty()).map_err(|error| failed("a descriptor")(&error))?;
        let number = descriptor.as_raw_fd().to_string();
        for word in &mut words {
            *word = word.replace(&format!("{{fd:{name}}}"), &number);
        }
    }
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
    null.and_then(|null| Ok(rustix::stdio::dup2_stdin(&null)?)).map_err(|error| failed("standard input")(&error))?;
    tell(socket, &Told::Layers(Layers { account, network, folders, landlock_whole, held: crate::Held::default() }));
    let error = command(&order.program).args(&words).env_clear().env("LANG", "C").exec();
    Err(format!("`{}` cannot be started: {error}", order.program))
}

#[expect(clippy::disallowed_methods, reason = "becoming the one program of an order is what the launcher is for")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn receive(socket: &OwnedFd) -> Result<(Order, Vec<OwnedFd>), String> {
    let mut bytes = vec![0; MAX_ORDER_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC);
    let count = received.map_err(|error| format!("no order came: {error}"))?.bytes;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(sent) = message {
            descriptors.extend(sent);
        }
    }
    let order: Order =
        serde_json::from_slice(bytes.get(..count).unwrap_or_default()).map_err(|error| error.to_string())?;
    if descriptors.len() != order.names.len() {
        return Err("the descriptors are not those of the order".into());
    }
    Ok((order, descriptors))
}

/// Closes every descriptor but the standard three, the socket and those of the order: whoever started us may have left some open.
fn close_others(socket: &OwnedFd, kept: &[OwnedFd]) -> io::Result<()> {
    let mut known: Vec<i32> = kept.iter().map(|descriptor| descriptor.as_raw_fd()).collect();
    known.extend([0, 1, 2, socket.as_raw_fd()]);
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| !known.contains(number))
        .collect();
    for number in open {
        // The one the folder was read by is closed already.
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

fn limit(order: &Order) -> rustix::io::Result<()> {
    let limits = [
        (Resource::Core, 0),
        (Resource::As, order.memory_bytes),
        (Resource::Fsize, order.file_bytes),
        (Resource::Nofile, MAX_OPEN),
        (Resource::Memlock, 0),
    ];
    for (resource, most) in limits {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// Leaves the host's networks, message queues and name. Where only an account's own namespace allows it, one is made.
fn leave_networks() -> bool {
    let wanted = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    unshare(wanted).is_ok() || unshare(wanted | CloneFlags::CLONE_NEWUSER).is_ok()
}

/// What is hidden: where sockets of the host's services lie, and what belongs to people.
const HIDDEN: [&str; 10] = ["/run", "/tmp", "/var", "/home", "/root", "/srv", "/mnt", "/media", "/opt", "/dev/shm"];

/// Puts an empty folder over each of those, for this process alone.
fn hide_folders() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    for folder in HIDDEN.iter().filter(|folder| std::path::Path::new(folder).is_dir()) {
        mount("tmpfs", *folder, "tmpfs", flags, Some(c"size=4k,mode=0555"))?;
    }
    Ok(())
}

/// Gives up every right; true if the account is another than before.
fn give_up_rights(order: &Order) -> io::Result<bool> {
    for number in 0..=LAST_CAPABILITY {
        let one = rustix::thread::CapabilitySet::from_bits_retain(1 << number);
        // Needs a right that only root has, and knows fewer than there could be.
        let _ = rustix::thread::remove_capability_from_bounding_set(one);
    }
    if let Some(identity) = order.identity {
        let (user, group) = (Uid::from_raw(identity.user), Gid::from_raw(identity.group));
        let groups: Vec<Gid> = order.groups.iter().copied().map(Gid::from_raw).collect();
        rustix::thread::set_thread_groups(&groups)?;
        rustix::thread::set_thread_res_gid(group, group, group)?;
        rustix::thread::set_thread_res_uid(user, user, user)?;
        if rustix::thread::set_thread_uid(Uid::ROOT).is_ok() {
            return Err(io::Error::other("root could be taken back"));
        }
    } else if rustix::process::geteuid().is_root() {
        return Err(io::Error::other("root needs an account to change to"));
    }
    let none = rustix::thread::CapabilitySet::empty();
    let nothing = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, nothing)?;
    rustix::thread::set_no_new_privs(true)?;
    Ok(order.identity.is_some())
}

/// Gives up every file but those of the order and what a program is loaded from. True if the kernel knew everything asked for.
fn renounce_files(order: &Order, descriptors: &[OwnedFd]) -> Result<bool, String> {
    const NEWEST: ABI = ABI::V6;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let start = read | AccessFs::Execute;
    let both = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    let confined = || -> Result<RulesetStatus, Box<dyn std::error::Error>> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?;
        for path in [order.program.as_str(), LOADER] {
            rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, start & AccessFs::from_file(NEWEST)))?;
        }
        for path in LIBRARIES {
            if let Ok(opened) = PathFd::new(path) {
                let access = if std::path::Path::new(path).is_dir() { read } else { AccessFs::ReadFile.into() };
                rules = rules.add_rule(PathBeneath::new(opened, access))?;
            }
        }
        for path in order.devices.iter().map(String::as_str).chain(["/dev/null", "/dev/urandom"]) {
            rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, both | AccessFs::IoctlDev))?;
        }
        for (name, descriptor) in order.names.iter().zip(descriptors) {
            if order.writes.contains(name) {
                rules = rules.add_rule(PathBeneath::new(descriptor.as_fd(), both))?;
            } else if order.reads.contains(name) {
                rules = rules.add_rule(PathBeneath::new(descriptor.as_fd(), AccessFs::ReadFile))?;
            }
        }
        Ok(rules.restrict_self()?.ruleset)
    };
    match confined().map_err(|error| format!("Landlock: {error}"))? {
        RulesetStatus::FullyEnforced => Ok(true),
        RulesetStatus::PartiallyEnforced => Ok(false),
        RulesetStatus::NotEnforced => {
            Err("this kernel has no Landlock; use one that has (Linux 5.13 and newer)".into())
        }
    }
}

/// What loads a program.
const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
/// What a program is made of, beside itself, and the firmware QEMU brings: nothing of a person's.
const LIBRARIES: [&str; 9] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/share/qemu",
    "/usr/share/seabios",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/sys/devices/system/cpu",
    "/proc/sys/vm/overcommit_memory",
];

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn order(program: &str) -> Order {
        Order {
            program: program.into(),
            words: Vec::new(),
            names: vec!["disk".into()],
            reads: Vec::new(),
            writes: vec!["disk".into()],
            devices: Vec::new(),
            identity: Some(Identity { user: 0, group: 0 }),
            groups: vec![0, 6],
            memory_bytes: 1,
            file_bytes: 1,
        }
    }

    #[test]
    fn orders_of_a_home_are_held_to_its_supervisors_bounds() {
        let (me, my_group) = (rustix::process::geteuid(), rustix::process::getegid());
        let group = if me.is_root() { 61_900 } else { my_group.as_raw() };
        let bounds = Bounds { identity: Identity { user: 61_900, group }, owner: me.as_raw() };
        let path = std::env::temp_dir().join(format!("bailey-bounds-{}", std::process::id()));
        let disk = || vec![OwnedFd::from(File::create(&path).unwrap())];
        let held = bounds.hold(order(crate::qemu::TOOL), &disk()).unwrap();
        assert_eq!((held.identity, held.groups), (Some(bounds.identity), Vec::new()), "whatever the home asks for");
        let about = rustix::fs::stat(&path).unwrap();
        assert_eq!((about.st_uid, about.st_gid, about.st_mode & 0o777), (me.as_raw(), group, 0o660));

        assert!(bounds.hold(order("/bin/sh"), &disk()).unwrap_err().contains("none of the programs"));
        let device = Order { devices: vec!["/dev/mem".into()], ..order(crate::qemu::PROGRAM) };
        assert!(bounds.hold(device, &disk()).unwrap_err().contains("a device"));
        let others = Bounds { owner: me.as_raw() + 1, ..bounds };
        assert!(others.hold(order(crate::qemu::TOOL), &disk()).unwrap_err().contains("no file of the home's own"));
        let null = vec![OwnedFd::from(File::open("/dev/null").unwrap())];
        assert!(bounds.hold(order(crate::qemu::TOOL), &null).unwrap_err().contains("no file of the home's own"));
        let second = path.with_extension("second");
        std::fs::hard_link(&path, &second).unwrap();
        assert!(bounds.hold(order(crate::qemu::TOOL), &disk()).unwrap_err().contains("no file of the home's own"));
        std::fs::remove_file(&second).unwrap();
        std::fs::remove_file(&path).unwrap();
        for words in [&["0", "1", "1"][..], &["1", "0", "1"], &["1", "1"], &["a", "1", "1"]] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert!(Bounds::read(&words).is_err(), "{words:?}");
        }
    }
}
