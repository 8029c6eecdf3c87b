//! What a guest does when it is asked.

use bailey_computer::{How, Program};

use crate::support::{World, root, shell, text};

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
}
