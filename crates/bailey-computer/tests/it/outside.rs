//! What root in the guest reaches outside: its host, by two ports, and nothing else.

use std::net::TcpListener;
use std::time::Duration;

use bailey_computer::{Account, Broken, Connection, Control, Program, Qemu, Resources};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::support::{World, identity, image, job_until, launcher, root, text};

/// Everything root can try without a network card: datagrams, connections, raw packets, both families, the name service.
const TRIES: &str = r#"
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
sub try_it { my ($what, $done) = @_; print "$what: ", ($done ? "SENT" : "no ($!)"), "\n"; }
for my $to ("8.8.8.8", "10.0.2.2", "169.254.169.254", "192.168.1.1", "255.255.255.255") {
    socket(my $udp, AF_INET, SOCK_DGRAM, 0); setsockopt($udp, SOL_SOCKET, SO_BROADCAST, 1);
    try_it("udp $to", send($udp, "x", 0, pack_sockaddr_in(53, inet_aton($to))));
    socket(my $tcp, AF_INET, SOCK_STREAM, 0);
    try_it("tcp $to", connect($tcp, pack_sockaddr_in(80, inet_aton($to))));
    socket(my $raw, AF_INET, SOCK_RAW, 1);
    try_it("icmp $to", send($raw, "\x08\0\xf7\xff\0\0\0\0", 0, pack_sockaddr_in(0, inet_aton($to))));
}
for my $to ("2001:4860:4860::8888", "fe80::1", "ff02::1") {
    socket(my $udp, AF_INET6, SOCK_DGRAM, 0);
    try_it("udp $to", send($udp, "x", 0, pack_sockaddr_in6(53, inet_pton(AF_INET6, $to))));
}
try_it("name", defined(inet_aton("deb.debian.org")));
socket(my $packet, 17, SOCK_RAW, 0x0300);
my $sent = 0;
for my $device (2 .. 9) { $sent ||= send($packet, "x" x 60, 0, pack("SSlSCCx8", 17, 0, $device, 0, 0, 6)); }
try_it("frame", $sent);
opendir(my $devices, "/sys/class/net"); print "devices: ", join(" ", grep { !/^\./ } readdir $devices), "\n";
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_in_the_guest_reaches_no_network() {
    let world = World::new().await;
    let machine = world.started().await;
    // The host's own loopback, which has nothing to do with the guest's.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    machine.control().write("/root/try.pl", 0o600, TRIES.as_bytes()).await.unwrap();
    let said = text(&root(&*machine, "perl /root/try.pl 2>&1").await.output);
    assert!(!said.contains("SENT") && said.ends_with("devices: lo"), "{said}");
    assert_eq!(said.lines().count(), 21, "{said}");
    let line = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected");
    let words = ["/bin/bash", "-c", &line].map(str::to_owned).into();
    let tried = Program { words, account: Account::Root, ..Program::shell("") };
    assert_eq!(text(&machine.control().run_whole(tried, b"").await.unwrap().output), "");
    assert!(listener.accept().is_err(), "nobody came");
    // No other way to the host: no shared memory, no socket of virtual machines, no shared folder.
    // Of virtual devices it has a console with the ports, disks, and a source of randomness (virtio 1.2, section 5).
    let devices = text(&root(&*machine, "cat /sys/bus/virtio/devices/*/device | sort -u").await.output);
    assert_eq!(devices.lines().collect::<Vec<_>>(), ["0x0002", "0x0003", "0x0004"]);
    let ways = "ls /sys/bus/virtio/drivers /sys/bus/pci/devices 2>/dev/null; ls /dev/vsock /dev/vhost* /dev/ivshmem* 2>/dev/null";
    let ways = text(&root(&*machine, ways).await.output);
    for way in ["net", "vsock", "9p", "virtiofs", "0000:"] {
        assert!(!ways.contains(way), "{ways}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_the_guest_come_to_the_host_and_end_with_it() {
    let world = World::new().await;
    let machine = world.started().await;
    let line =
        "exec 3<>/dev/tcp/127.0.0.1/3128; echo 'CONNECT a.test:443' >&3; read -u 3 answer; echo \"$answer\"; cat <&3";
    let words = ["/bin/bash", "-c", line].map(str::to_owned).into();
    let mut call = machine.control().run(Program { words, ..Program::shell("") }).await.unwrap();
    let mut stream = machine.egress().accept().await.unwrap();
    let mut asked = [0; 19];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"CONNECT a.test:443\n");
    stream.write_all(b"yes\nmore").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut said = Vec::new();
    while let bailey_computer::Piece::Said(_, bytes) = call.next_piece().await.unwrap() {
        said.extend(bytes);
    }
    assert_eq!(text(&said), "yes\nmore");
}

/// Takes a port away from the daemon, and says on it what is given: root in the guest can.
fn on_port(number: u32, perl: &str) -> String {
    format!(
        "my $daemon = `pidof guest | tr ' ' '\\n' | sort -n | tail -1`; $daemon =~ s/\\s//g;\n\
         my ($found) = grep {{ (readlink($_) // '') eq '/dev/vport0p{number}' }} glob(\"/proc/$daemon/fd/*\");\n\
         $found =~ s/.*\\///; kill 'STOP', $daemon;\n\
         my $handle = syscall(434, $daemon + 0, 0); my $port = syscall(438, $handle, $found + 0, 0);\n\
         open(my $out, '>&=', $port) or die; binmode $out; $| = 1; select $out; $| = 1;\n{perl}"
    )
}

/// Starts what breaks a port, and says how. The answer to the start may be lost with the port.
async fn broken_by(control: &Control, program: Program, port: &Connection) -> Broken {
    let starting = async {
        let _ = control.start(program).await;
        std::future::pending::<()>().await;
    };
    let broken = timeout(Duration::from_secs(60), port.broken());
    tokio::select! {
        how = broken => how.unwrap(),
        () = starting => unreachable!("it goes on for ever"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_that_flood_or_speak_garbage_cost_the_host_no_more_than_the_bounds() {
    let world = World::new().await;
    let machine = world.started().await;
    let control = machine.control();
    let before = resident_kib();
    // Streams as many as there can be, each filled to its window, none ever read: allowed, and bounded. Then too many, without end
    // and many at once: the host says no to each, and nobody takes what it says.
    let full = "for my $stream (1 .. 128) { print pack('CCnN', 1, 0, 0, $stream);\n\
        print pack('CCnN', 2, 0, 16384, $stream), 'x' x 16384 for 1 .. 4; }\n\
        for (my $next = 129; ; $next += 1000) { print pack('CCnN' x 1000, map { (1, 0, 0, $_) } $next .. $next + 999) }";
    control.write("/root/full.pl", 0o600, on_port(2, full).as_bytes()).await.unwrap();
    let start = Program { account: Account::Root, ..Program::shell("exec perl /root/full.pl") };
    let how = broken_by(control, start, machine.egress()).await;
    assert_eq!(how, Broken::Rules(bailey_wire::WireError::Flood));
    assert!(machine.egress().held_bytes() <= bailey_wire::Mux::MOST_BYTES);
    assert!(resident_kib().saturating_sub(before) < 64 * 1024, "{before} KiB became {} KiB", resident_kib());
    // The daemon stands still: calls wait, and the person does not. A pause needs nothing of the guest.
    assert!(timeout(Duration::from_millis(500), control.health()).await.is_err());
    timeout(Duration::from_secs(2), machine.pause()).await.unwrap().unwrap();
    timeout(Duration::from_secs(5), machine.kill()).await.unwrap().unwrap();

    let machine = world.start().await;
    let control = machine.control();
    let garbage = "for (1 .. 2000) { print 'garbage ' x 4096 } sleep 1000";
    control.write("/root/garbage.pl", 0o600, on_port(1, garbage).as_bytes()).await.unwrap();
    let start = Program { account: Account::Root, ..Program::shell("exec perl /root/garbage.pl") };
    let how = broken_by(control, start, control.connection()).await;
    assert!(matches!(how, Broken::Rules(_)), "{how:?}");
    assert!(control.health().await.is_err(), "a port that broke its rules is not spoken to");
    assert!(resident_kib().saturating_sub(before) < 64 * 1024);
    machine.kill().await.unwrap();
}

/// A guest whose disk and console are filled, and one that never takes what it is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_that_fill_their_disk_or_never_read_stay_within_their_bounds() {
    const DISK_BYTES: u64 = 256 << 20;
    let mut world = World::new().await;
    world.engine =
        Qemu::emulated(launcher(), &image(), identity(), Resources { disk_bytes: DISK_BYTES, ..Resources::SHELL });
    let machine = world.started().await;
    let control = machine.control();
    let fill = "head -c 1G /dev/zero > /filled; sync; yes | head -c 20000 > /dev/ttyS0";
    let fill = Program { account: Account::Root, most_ms: 180_000, ..Program::shell(fill) };
    let filled = control.run_whole(fill, b"").await.unwrap();
    assert!(text(&filled.error).contains("No space left"), "{}", text(&filled.error));
    let disk = std::fs::metadata(world.place.disk()).unwrap().len();
    assert!(disk < DISK_BYTES + DISK_BYTES / 8, "{disk}");
    root(&*machine, "rm /filled").await;
    let job = control.start(Program::shell("exec sleep 1000")).await.unwrap();
    job_until(control, job, |job| job.ended.is_none()).await;
    // Input that nobody takes is kept no further than a backlog and a window.
    let mut call = control.run(Program::shell("exec sleep 1000")).await.unwrap();
    let endless = vec![1; 64 << 20];
    assert!(timeout(Duration::from_secs(3), call.input(&endless)).await.is_err());
    assert!(control.connection().held_bytes() <= 2 * 64 * 1024);
}

fn resident_kib() -> u64 {
    let about = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = about.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
