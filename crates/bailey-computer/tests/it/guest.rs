//! What a guest does when it is asked.

use bailey_computer::{CallError, EntryKind, How, Piece, Program, Said};

use crate::support::{World, job_until, root, shell, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machine_boots_runs_programs_and_says_how_they_ended() {
    let world = World::new().await;
    let machine = world.started().await;
    let health = machine.control().health().await.unwrap();
    assert!(health.keeps);
    let said = shell(&*machine, "id -un; pwd; echo fault >&2; exit 3").await;
    assert_eq!((text(&said.output).as_str(), text(&said.error).as_str()), ("agent\n/home/agent", "fault"));
    assert_eq!(said.ended.how, How::Status(3));
    assert_eq!(text(&root(&*machine, "id -u").await.output), "0");
    assert_eq!(shell(&*machine, "kill -9 $$").await.ended.how, How::Signal(9));
    let fed = machine.control().run_whole(Program::shell("tr a-z A-Z"), b"hello").await.unwrap();
    assert_eq!(text(&fed.output), "HELLO");
    let away = Program { folder: "/absent".into(), ..Program::shell("true") };
    assert!(
        matches!(machine.control().run_whole(away, b"").await, Err(CallError::Said(why)) if why.contains("/absent"))
    );

    // A program is shown while it runs, and ends with its call.
    let mut call = machine.control().run(Program::shell("echo $$; exec sleep 1000")).await.unwrap();
    let Piece::Said(Said::Output, number) = call.next_piece().await.unwrap() else { panic!("it ended") };
    drop(call);
    let gone =
        format!("while kill -0 {} 2>/dev/null; do read -t 0.05 x <> /dev/zero || true; done; echo gone", text(&number));
    assert_eq!(text(&bash(&*machine, &gone).await), "gone");
}

async fn bash(machine: &dyn bailey_computer::Machine, line: &str) -> Vec<u8> {
    let words = ["/bin/bash", "-c", line].map(str::to_owned).into();
    machine.control().run_whole(Program { words, ..Program::shell("") }, b"").await.unwrap().output
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_end_with_their_limits_and_leave_nothing_behind() {
    let world = World::new().await;
    let machine = world.started().await;
    // One that never ends, and one that leaves a child with its output behind, in a session of its own.
    let late = Program { most_ms: 300, ..Program::shell("while :; do :; done") };
    let late = machine.control().run_whole(late, b"").await.unwrap();
    assert!(late.ended.timed_out && late.ended.how == How::Signal(9) && late.ended.ran_ms >= 300);
    let left = shell(&*machine, "setsid sleep 1000 & echo $!").await;
    let found = shell(&*machine, &format!("kill -0 {} 2>/dev/null && echo there", text(&left.output))).await;
    assert_eq!((left.ended.how, text(&found.output).as_str()), (How::Status(0), ""));
    let much = Program { most_output: 100_000, ..Program::shell("head -c 3000000 /dev/zero; echo end >&2") };
    let much = machine.control().run_whole(much, b"").await.unwrap();
    assert_eq!((much.output.len(), text(&much.error).as_str(), much.ended.cut), (100_000, "end", true));
    // A bomb of processes takes what programs may have, and no more.
    let bomb = Program { most_ms: 3_000, ..Program::shell("bomb() { bomb | bomb & }; bomb; while :; do :; done") };
    let bomb = machine.control().run_whole(bomb, b"").await.unwrap();
    assert!(bomb.ended.timed_out);
    assert_eq!(text(&shell(&*machine, "echo well").await.output), "well");
    // One of memory, too.
    let greedy = shell(&*machine, "perl -e 'my @all; push @all, \"x\" x 1_000_000 while 1'").await;
    assert_ne!(greedy.ended.how, How::Status(0));
    assert_eq!(text(&shell(&*machine, "echo well").await.output), "well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_go_on_by_themselves_and_files_are_written_read_and_listed() {
    let world = World::new().await;
    let machine = world.started().await;
    let control = machine.control();
    shell(&*machine, "mkfifo /tmp/go").await;
    let job = control.start(Program::shell("echo one; echo two >&2; read x < /tmp/go; echo $x; exit 4")).await.unwrap();
    job_until(control, job, |job| job.output > 0 && job.error > 0).await;
    shell(&*machine, "echo three > /tmp/go").await;
    let ended = job_until(control, job, |job| job.ended.is_some()).await;
    assert_eq!((ended.ended.unwrap().how, ended.output), (How::Status(4), 10));
    assert_eq!(control.output(job, Said::Output, 4, 100).await.unwrap(), b"three\n");
    assert_eq!(control.output(job, Said::Error, 0, 2).await.unwrap(), b"tw");
    let second = control.start(Program::shell("sleep 1000 & exec sleep 1000")).await.unwrap();
    assert!(control.poll(second).await.unwrap().ended.is_none());
    control.kill(second).await.unwrap();
    let ended = job_until(control, second, |job| job.ended.is_some()).await;
    assert_eq!(ended.ended.unwrap().how, How::Signal(9));
    assert_eq!(control.jobs().await.unwrap().len(), 2);
    assert!(matches!(control.poll(99).await, Err(CallError::Said(why)) if why.contains("no job 99")));

    let bytes: Vec<u8> = (0..500_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    control.write("/home/agent/a file", 0o640, &bytes).await.unwrap();
    assert_eq!(control.read("/home/agent/a file", 0, 1 << 20).await.unwrap(), bytes);
    assert_eq!(control.read("/home/agent/a file", 499_998, 10).await.unwrap(), bytes[499_998..]);
    let (entries, more) = control.list("/home/agent", None).await.unwrap();
    assert_eq!((entries.len(), entries[0].name.as_str(), entries[0].size, more), (1, "a file", 500_000, false));
    assert_eq!((entries[0].kind, entries[0].mode), (EntryKind::File, 0o640));
    assert_eq!(text(&shell(&*machine, "stat -c %U 'a file'").await.output), "agent");
    for path in ["/dev/zero", "/home/agent", "/absent"] {
        assert!(matches!(control.read(path, 0, 10).await, Err(CallError::Said(_))), "{path}");
    }
}
