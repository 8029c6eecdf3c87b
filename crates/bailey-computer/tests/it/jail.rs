//! The jail, from within: what a QEMU that was taken over gets at. Its own protocol makes it open files, connect and start programs with
//! all the rights its process has, with every layer on.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;

use bailey_computer::{ComputerError, DiskKey, Engine as _, Place, Qemu, Resources};
use serde_json::{Value, json};

use crate::support::{World, image, launcher};

fn status(process: u32, row: &str) -> String {
    let about = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    about.lines().find_map(|line| line.strip_prefix(row)).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn qemu_that_was_taken_over_reaches_no_file_no_network_and_no_program() {
    let is_root = rustix::process::geteuid().is_root();
    let world = World::new().await;
    let folder = world.folder.clone();
    // Everything here may be read and written by anybody: it is not its account that keeps QEMU away.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(folder.join("secret"), "secret").unwrap();
    let machine = world.started().await;

    let process = machine.process();
    for (row, wanted) in [("CapEff:", "0000000000000000"), ("NoNewPrivs:", "1"), ("Seccomp:", "2")] {
        assert_eq!(status(process, row), wanted, "{row}");
    }
    for row in ["CapPrm:", "CapInh:", "CapAmb:"] {
        assert_eq!(status(process, row), "0000000000000000", "{row}");
    }
    let layers = machine.layers();
    if is_root {
        assert_eq!(status(process, "Uid:").split_whitespace().next(), Some("61900"));
        assert_eq!(status(process, "Groups:"), "");
        assert_eq!(status(process, "CapBnd:"), "0000000000000000");
        assert!(layers.account && layers.network && layers.folders, "{layers:?}");
        let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).unwrap();
        assert_ne!(namespace("self"), namespace(&process.to_string()));
    }
    // What it has open: what it was handed, and what it made itself. No file of the host but those of the image and the disk.
    for entry in fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten() {
        let open = fs::read_link(entry.path()).unwrap().display().to_string();
        let own = ["socket:", "pipe:", "anon_inode:", "/memfd:", "/dev/null"].iter().any(|own| open.starts_with(own));
        let handed = ["disk.qcow2", "/kernel", "/initrd", "/root.erofs"].iter().any(|handed| open.ends_with(handed));
        assert!(own || handed, "{open}");
    }

    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(folder.join("socket")).unwrap();
    fs::set_permissions(folder.join("socket"), fs::Permissions::from_mode(0o777)).unwrap();
    let port = tcp.local_addr().unwrap().port().to_string();
    let path = |name: &str| folder.join(name).display().to_string();
    let chardev = |backend: Value| json!({"id": "tried", "backend": backend});
    let file = |name: &str| json!({"driver": "file", "node-name": "tried", "filename": name, "read-only": true});
    let socket = |address: Value| chardev(json!({"type": "socket", "data": {"addr": address, "server": false}}));
    let tries = [
        ("writes a file", "chardev-add", chardev(json!({"type": "file", "data": {"out": path("written")}}))),
        ("writes over a file", "chardev-add", chardev(json!({"type": "file", "data": {"out": path("secret")}}))),
        ("reads a file", "blockdev-add", file(&path("secret"))),
        ("reads the host's accounts", "blockdev-add", file("/etc/passwd")),
        (
            "reads a device",
            "blockdev-add",
            json!({"driver": "host_device", "node-name": "tried", "filename": "/dev/vda", "read-only": true}),
        ),
        (
            "connects over TCP",
            "chardev-add",
            socket(json!({"type": "inet", "data": {"host": "127.0.0.1", "port": port}})),
        ),
        ("connects to a socket", "chardev-add", socket(json!({"type": "unix", "data": {"path": path("socket")}}))),
        (
            "sends a datagram",
            "chardev-add",
            chardev(
                json!({"type": "udp", "data": {"remote": {"type": "inet", "data": {"host": "127.0.0.1", "port": port}}}}),
            ),
        ),
        (
            "dumps memory",
            "dump-guest-memory",
            json!({"paging": false, "protocol": format!("file:{}", path("written"))}),
        ),
        (
            "speaks a network's protocol",
            "blockdev-add",
            json!({"driver": "nbd", "node-name": "tried", "server": {"type": "inet", "host": "127.0.0.1", "port": port}}),
        ),
    ];
    for (what, command, arguments) in tries {
        let answer = machine.monitor(command, arguments).await;
        assert!(answer.is_err(), "it {what}");
    }
    tcp.set_nonblocking(true).unwrap();
    unix.set_nonblocking(true).unwrap();
    assert!(tcp.accept().is_err() && unix.accept().is_err(), "nobody came");
    assert_eq!(fs::read_to_string(folder.join("secret")).unwrap(), "secret");
    assert!(!folder.join("written").exists());

    // A program: the filter of system calls ends the process, or refuses.
    let words = json!({"uri": format!("exec:touch {}", path("started"))});
    let answer = machine.monitor("migrate", words).await;
    assert!(answer.is_err());
    machine.kill().await.unwrap();
    assert!(!folder.join("started").exists());
}

#[tokio::test]
async fn nothing_is_started_that_would_keep_the_rights_of_root() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let place = Place::new(std::env::temp_dir().join(format!("bailey-rights-{}", std::process::id())));
    let engine = Qemu::emulated(launcher(), &image(), None, Resources::SHELL);
    let made = engine.create(&place, &DiskKey::random().unwrap()).await;
    assert!(matches!(made, Err(ComputerError::Jail(why)) if why.contains("root needs an account")));
    fs::remove_dir_all(place.folder()).unwrap();
}

/// Whoever starts the launcher may have left something open: here, a descriptor that a program would inherit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn descriptors_that_were_left_open_are_closed() {
    let world = World::new().await;
    let secret = fs::File::create(world.folder.join("left-open")).unwrap();
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    let machine = world.started().await;
    let open = fs::read_dir(format!("/proc/{}/fd", machine.process())).unwrap().flatten();
    let open: Vec<String> = open.map(|entry| fs::read_link(entry.path()).unwrap().display().to_string()).collect();
    assert!(!open.iter().any(|name| name.contains("left-open")), "{open:?}");
}
