//! What runs inside the agent's computer. One static program, in four parts:
//!
//! | started as | it is |
//! |---|---|
//! | `/init` of the initrd, process 1 | [`init::mount_root`]: modules, mounts, the root made of image and disk |
//! | `guest init` of that root, process 1 | [`init::watch`]: starts the daemon, reaps what nobody waits for, ends the machine with it |
//! | `guest daemon` | [`daemon`]: answers the host on the control port, and carries connections over the egress port |
//! | `guest program …` | [`group::enter`]: joins a control group, gives up rights, and becomes the program |
//!
//! A resident browser is to be a fifth, started by the daemon as a job of its own and spoken to in a stream of the control port.
//!
//! Invariant of absence: the host relies on nothing in here. Root in the guest may replace all of it.

mod clock;
mod daemon;
mod files;
mod forward;
mod group;
mod init;
mod jobs;
mod program;

use std::process::ExitCode;

/// Where the program lies in the root it makes: in memory, so that no disk can change it.
pub(crate) const OWN_PATH: &str = "/run/bailey/guest";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let first = std::process::id() == 1;
    let done = match words.as_slice() {
        ["init"] if first => init::watch(),
        _ if first => init::mount_root(),
        ["daemon"] => daemon::run(),
        ["in-root", root, program, arguments @ ..] => init::run_in_root(root, program, arguments),
        ["program", group, account, words @ ..] => group::enter(group, account, words),
        _ => Err("this is the agent's computer's own program; there is nothing to call it for".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bailey-guest: {why}");
            if first {
                // Process 1 that returns is a kernel panic; this ends the machine in order.
                init::end_machine();
            }
            ExitCode::from(127)
        }
    }
}
