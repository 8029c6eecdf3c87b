//! A machine's life: ended, paused, saved, put back, copied, destroyed.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailey_computer::{ComputerError, DiskKey, Engine as _, Grade, ImageError, Place, Program, Qemu, Resources};
use tokio::time::timeout;

use crate::support::{World, identity, image, job_until, launcher, root, shell, text};

#[expect(clippy::disallowed_methods, reason = "the guest's clock is held against this one")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_that_are_killed_are_noticed_and_start_again_with_their_disk() {
    let world = World::new().await;
    let machine = world.started().await;
    machine.control().write("/home/agent/kept", 0o600, b"kept").await.unwrap();
    machine.control().sync().await.unwrap();
    let process = rustix::process::Pid::from_raw(i32::try_from(machine.process()).unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    let why = timeout(Duration::from_secs(10), machine.ended()).await.unwrap();
    assert!(why.contains("signal: 9"), "{why}");
    assert!(!fs::exists(format!("/proc/{}", machine.process())).unwrap(), "it was waited for");
    assert!(machine.control().health().await.is_err());
    for groups in ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"] {
        assert!(
            !fs::exists(format!("{groups}/bailey-computer-{}", machine.process())).unwrap(),
            "its bounds went with it"
        );
    }
    let machine = world.start().await;
    assert_eq!(machine.control().read("/home/agent/kept", 0, 10).await.unwrap(), b"kept");
    // Root in the guest ends it, too.
    let _ = machine
        .control()
        .start(Program {
            account: bailey_computer::Account::Root,
            ..Program::shell("kill -9 $(pidof guest | tr ' ' '\\n' | sort -n | tail -1)")
        })
        .await;
    timeout(Duration::from_secs(30), machine.ended()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_machines_do_nothing_and_resumed_ones_know_the_time() {
    let world = World::new().await;
    let machine = world.started().await;
    let control = machine.control();
    let job =
        control.start(Program { most_output: 1 << 30, ..Program::shell("while :; do echo; done") }).await.unwrap();
    job_until(control, job, |job| job.output > 0).await;
    machine.pause().await.unwrap();
    let ticks = || fs::read_to_string(format!("/proc/{}/stat", machine.process())).unwrap();
    let used =
        |line: &str| line.rsplit(')').next().unwrap().split_whitespace().nth(11).unwrap().parse::<u64>().unwrap();
    let before = used(&ticks());
    assert!(timeout(Duration::from_secs(2), control.health()).await.is_err(), "it answers nothing");
    assert!(used(&ticks()) - before < 20, "its processor stands still");
    machine.resume().await.unwrap();
    let health = control.health().await.unwrap();
    let there = Duration::from_nanos(health.unix_nanos);
    assert!(now().abs_diff(there) < Duration::from_secs(5), "{there:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_bring_back_memory_and_disk_with_the_time_and_randomness_of_now() {
    let world = World::new().await;
    let machine = world.started().await;
    let control = machine.control();
    control.write("/home/agent/file", 0o600, b"before").await.unwrap();
    let job = control.start(Program::shell("echo $$ > /dev/shm/of-memory; exec sleep 100000")).await.unwrap();
    job_until(control, job, |job| job.output == 0 && job.ended.is_none()).await;
    while shell(&*machine, "cat /dev/shm/of-memory").await.output.is_empty() {}
    // Its clock is far off when it is saved: a machine that is put back a year later.
    root(&*machine, "date -s @946684800").await;
    machine.snapshot("one").await.unwrap();
    assert!(control.health().await.is_err(), "it takes no call until it is woken");
    machine.wake().await.unwrap();
    assert!(matches!(machine.snapshot("one").await, Err(ComputerError::Qemu(why)) if why.contains("already")));
    control.write("/home/agent/file", 0o600, b"behind").await.unwrap();
    root(&*machine, "rm /dev/shm/of-memory; echo secret-of-the-guest > /home/agent/plain; sync").await;
    machine.kill().await.unwrap();

    let mut drawn = Vec::new();
    for _ in 0..2 {
        let machine = world.engine.restore(&world.place, &world.key, "one").await.unwrap();
        let control = machine.control();
        assert_eq!(control.read("/home/agent/file", 0, 100).await.unwrap(), b"before");
        let running = shell(&*machine, "kill -0 $(cat /dev/shm/of-memory) && echo runs").await;
        assert_eq!(text(&running.output), "runs");
        assert!(control.poll(job).await.unwrap().ended.is_none());
        let there = Duration::from_nanos(control.health().await.unwrap().unix_nanos);
        assert!(now().abs_diff(there) < Duration::from_secs(5), "{there:?}");
        drawn.push(shell(&*machine, "head -c 32 /dev/urandom | od -An -tx1").await.output);
        machine.kill().await.unwrap();
    }
    assert_ne!(drawn.first(), drawn.last(), "two of the same memory draw other bytes");

    // What lies on the disk is sealed: neither words of the guest nor of its kernel are in it.
    let words =
        regex::bytes::Regex::new("secret-of-the-guest|/home/agent|BOOT_IMAGE|ld-linux-x86-64|root:x:0:0").unwrap();
    for file in [world.place.disk(), world.place.memory("one")] {
        let bytes = fs::read(&file).unwrap();
        assert!(!words.is_match(&bytes), "{}", file.display());
    }
    // A changed byte, another key, another name.
    let path = world.place.memory("one");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(world.engine.restore(&world.place, &world.key, "one").await, Err(ComputerError::Snapshot(_))));
    for name in ["../one", "", "-a", "absent"] {
        assert!(world.engine.restore(&world.place, &world.key, name).await.is_err(), "{name}");
    }
    world.engine.forget_snapshot(&world.place, &world.key, "one").await.unwrap();
    assert!(!path.exists());
    assert!(
        world.engine.forget_snapshot(&world.place, &world.key, "one").await.is_err(),
        "it is gone from the disk as well"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disks_are_copied_under_a_new_key_and_cannot_be_read_once_destroyed() {
    let world = World::new().await;
    let machine = world.started().await;
    machine.control().write("/home/agent/kept", 0o600, b"kept").await.unwrap();
    machine.control().sync().await.unwrap();
    machine.kill().await.unwrap();
    drop(machine);
    let (copy, other) = (Place::new(world.folder.join("copy")), DiskKey::random().unwrap());
    world.engine.fork_disk(&world.place, &world.key, &copy, &other).await.unwrap();
    assert!(world.engine.start(&copy, &world.key).await.is_err(), "the copy has a key of its own");

    // What is left of the file, where somebody kept a hold of it.
    let (left, place) = (world.folder.join("left"), Place::new(world.folder.join("again")));
    fs::hard_link(world.place.disk(), &left).unwrap();
    world.engine.destroy(&world.place, &world.key).await.unwrap();
    assert!(!world.place.folder().exists());
    fs::create_dir(place.folder()).unwrap();
    fs::rename(&left, place.disk()).unwrap();
    assert!(world.engine.start(&place, &world.key).await.is_err());

    let machine = world.engine.start(&copy, &other).await.unwrap();
    assert_eq!(machine.control().read("/home/agent/kept", 0, 10).await.unwrap(), b"kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_that_were_changed_do_not_start() {
    let world = World::new().await;
    let folder = world.folder.join("image");
    fs::create_dir(&folder).unwrap();
    for name in ["image.json", "kernel", "initrd", "root.erofs"] {
        fs::copy(image().join(name), folder.join(name)).unwrap();
    }
    let engine = Qemu::emulated(launcher(), &folder, identity(), Resources::SHELL);
    world.engine.create(&world.place, &world.key).await.unwrap();
    for name in ["kernel", "initrd", "root.erofs"] {
        let mut bytes = fs::read(folder.join(name)).unwrap();
        let middle = bytes.len() / 2;
        *bytes.get_mut(middle).unwrap() ^= 1;
        fs::write(folder.join(name), &bytes).unwrap();
        let refused = engine.start(&world.place, &world.key).await;
        assert!(matches!(refused, Err(ComputerError::Image(ImageError::Changed(path))) if path.ends_with(name)));
        *bytes.get_mut(middle).unwrap() ^= 1;
        fs::write(folder.join(name), &bytes).unwrap();
    }
}

/// Whether this machine has a KVM that works or one that only opens: what is found is found by booting, and kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kvm_is_believed_only_once_a_guest_has_booted_under_it() {
    let world = World::new().await;
    let cache = world.folder.join("kvm");
    let found = world.engine.clone().probed(&cache).await.grade();
    let kept = fs::read_to_string(&cache).unwrap();
    assert!(kept.ends_with(if found == Grade::Isolated { "\nkvm works\n" } else { "\nkvm does not work\n" }), "{kept}");
    assert_eq!(found.warning().is_none(), found == Grade::Isolated);
    // What was kept counts, under the same kernel and QEMU only.
    let other = if kept.contains("does not") {
        kept.replace("does not work", "works")
    } else {
        kept.replace("works", "does not work")
    };
    fs::write(&cache, &other).unwrap();
    assert_ne!(world.engine.clone().probed(&cache).await.grade(), found);
    fs::write(&cache, format!("another kernel {other}")).unwrap();
    assert_eq!(world.engine.clone().probed(&cache).await.grade(), found);
}
