//! Process 1: makes the root, then starts the daemon and reaps.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::mount::{MountFlags, mount, mount_bind, mount_move};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SendFlags, SocketType, sendto, socket};
use rustix::process::WaitOptions;
use rustix::system::{RebootCommand, finit_module, reboot};

use crate::OWN_PATH;

type Done = Result<(), String>;

/// The image: the first block device.
const IMAGE: &str = "/dev/vda";
/// The disk: the second, where there is one.
const DISK: &str = "/dev/vdb";
/// Where the modules lie in the initrd, and the order they are loaded in.
const MODULES: &str = "/modules";
/// Where the superblock of ext4 has its magic number, and what it is (little-endian).
const EXT4_MAGIC_AT: u64 = 1024 + 56;
const EXT4_MAGIC: [u8; 2] = [0x53, 0xef];

#[expect(clippy::disallowed_methods, reason = "starting programs is what the guest's daemon is for")]
pub(crate) fn command(program: &str) -> Command {
    Command::new(program)
}

fn failed(what: &str) -> impl FnOnce(rustix::io::Errno) -> String {
    move |error| format!("{what}: {error}")
}

fn make(folder: &str) -> Done {
    fs::create_dir_all(folder).map_err(|error| format!("`{folder}` cannot be made: {error}"))
}

fn mount_new(kind: &str, at: &str, flags: MountFlags, options: &str) -> Done {
    make(at)?;
    let options = std::ffi::CString::new(options).map_err(|error| error.to_string())?;
    mount(kind, at, kind, flags, Some(options.as_c_str()))
        .map_err(failed(&format!("`{kind}` cannot be mounted at `{at}`")))
}

/// Makes the root of image and disk, and goes on in it.
pub(crate) fn mount_root() -> Done {
    let quiet = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount_new("devtmpfs", "/dev", MountFlags::NOSUID, "mode=0755")?;
    mount_new("proc", "/proc", quiet | MountFlags::NODEV, "")?;
    mount_new("sysfs", "/sys", quiet | MountFlags::NODEV, "")?;
    load_modules()?;
    make("/lower")?;
    mount(IMAGE, "/lower", "erofs", MountFlags::RDONLY, None).map_err(failed("the image cannot be mounted"))?;
    if Path::new(DISK).exists() {
        if !is_formatted()? {
            mount_bind("/dev", "/lower/dev").map_err(failed("`/dev` cannot be shown to mkfs"))?;
            let formatting =
                ["in-root", "/lower", "/sbin/mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", DISK];
            let done = command("/proc/self/exe").args(formatting).status();
            if !done.is_ok_and(|status| status.success()) {
                return Err("the disk cannot be formatted".into());
            }
            rustix::mount::unmount("/lower/dev", rustix::mount::UnmountFlags::empty())
                .map_err(failed("`/dev` stays mounted"))?;
        }
        make("/disk")?;
        mount(DISK, "/disk", "ext4", MountFlags::NOATIME, None).map_err(failed("the disk cannot be mounted"))?;
    } else {
        mount_new("tmpfs", "/disk", MountFlags::empty(), "mode=0755")?;
    }
    for folder in ["/disk/upper", "/disk/work"] {
        make(folder)?;
    }
    mount_new("overlay", "/root", MountFlags::empty(), "lowerdir=/lower,upperdir=/disk/upper,workdir=/disk/work")?;
    mount_new("tmpfs", "/root/run", MountFlags::NOSUID | MountFlags::NODEV, "mode=0755")?;
    make("/root/run/bailey")?;
    let own = format!("/root{OWN_PATH}");
    fs::copy("/init", &own).map_err(|error| format!("the daemon cannot be copied: {error}"))?;
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
    for moved in ["/dev", "/proc", "/sys"] {
        mount_move(moved, format!("/root{moved}")).map_err(failed(&format!("`{moved}` cannot be moved")))?;
    }
    rustix::process::chdir("/root").map_err(failed("`/root` cannot be entered"))?;
    mount_move(".", "/").map_err(failed("the root cannot be moved"))?;
    rustix::process::chroot(".").map_err(failed("the root cannot be entered"))?;
    rustix::process::chdir("/").map_err(failed("the root cannot be entered"))?;
    Err(format!("the daemon cannot be started: {}", command(OWN_PATH).arg("init").env_clear().exec()))
}

fn load_modules() -> Done {
    let list =
        fs::read_to_string(format!("{MODULES}/order")).map_err(|error| format!("no list of modules: {error}"))?;
    for name in list.lines() {
        let file = File::open(format!("{MODULES}/{name}")).map_err(|error| format!("module `{name}`: {error}"))?;
        match finit_module(&file, c"", 0) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(format!("module `{name}` cannot be loaded: {error}")),
        }
    }
    Ok(())
}

fn is_formatted() -> Result<bool, String> {
    let mut magic = [0; 2];
    let mut disk = File::open(DISK).map_err(|error| format!("the disk cannot be opened: {error}"))?;
    disk.seek(SeekFrom::Start(EXT4_MAGIC_AT)).map_err(|error| error.to_string())?;
    disk.read_exact(&mut magic).map_err(|error| format!("the disk cannot be read: {error}"))?;
    Ok(magic == EXT4_MAGIC)
}

/// Becomes a program in another root.
pub(crate) fn run_in_root(root: &str, program: &str, arguments: &[&str]) -> Done {
    rustix::process::chroot(root).map_err(failed("the root cannot be entered"))?;
    rustix::process::chdir("/").map_err(failed("the root cannot be entered"))?;
    Err(format!("`{program}` cannot be started: {}", command(program).args(arguments).exec()))
}

/// Starts the daemon, and reaps every process that has no parent. Ends the machine once the daemon has ended.
pub(crate) fn watch() -> Done {
    let plain = MountFlags::NOSUID | MountFlags::NODEV;
    mount_new("tmpfs", "/tmp", plain, "mode=1777")?;
    mount_new("devpts", "/dev/pts", MountFlags::NOSUID | MountFlags::NOEXEC, "gid=5,mode=620,ptmxmode=666")?;
    mount_new("tmpfs", "/dev/shm", plain, "mode=1777")?;
    mount_new("cgroup2", "/sys/fs/cgroup", plain | MountFlags::NOEXEC, "")?;
    let links = [("/proc/self/fd", "/dev/fd"), ("/proc/self/fd/0", "/dev/stdin"), ("/proc/self/fd/1", "/dev/stdout")];
    for (target, name) in links.into_iter().chain([("/proc/self/fd/2", "/dev/stderr")]) {
        let _ = std::os::unix::fs::symlink(target, name);
    }
    let _ = rustix::system::sethostname(b"computer");
    if let Err(error) = loopback_up() {
        eprintln!("bailey-guest: the loopback device stays down: {error}");
    }
    let daemon =
        command(OWN_PATH).arg("daemon").spawn().map_err(|error| format!("the daemon cannot be started: {error}"))?;
    let daemon = i32::try_from(daemon.id()).unwrap_or(0);
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((ended, _))) if ended.as_raw_nonzero().get() == daemon => return Err("the daemon has ended".into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("nothing can be waited for: {error}")),
        }
    }
}

/// Turns on the loopback device, the only one there is: rtnetlink(7), `RTM_NEWLINK` for device 1 with `IFF_UP`.
fn loopback_up() -> rustix::io::Result<()> {
    const LENGTH: u32 = 32;
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST: u16 = 1;
    const IFF_UP: u32 = 1;
    let mut message = Vec::with_capacity(32);
    message.extend(LENGTH.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    message.extend([0; 8]); // sequence and port
    message.extend([0; 4]); // family, padding, type
    message.extend(1_i32.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    let route = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    sendto(&route, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    Ok(())
}

/// Writes everything to the disk and ends the machine.
pub(crate) fn end_machine() {
    rustix::fs::sync();
    // A microvm has nothing to turn power off with; a restart ends it, for it is started with `-no-reboot`.
    let _ = reboot(RebootCommand::Restart);
}
