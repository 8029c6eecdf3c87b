//! Bugs for the simulator to find: each is put into a copy of the product's source.

use std::time::Instant;

use super::Copy;
use crate::process::command;

/// Runs after which a bug counts as not found.
const MOST_RUNS: u32 = 10_000;

/// A bug in the product's source.
#[derive(Debug)]
pub struct SeededBug {
    /// Says what is wrong.
    pub bug: &'static str,
    /// File, what stands there once, what to put there.
    pub edits: &'static [(&'static str, &'static str, &'static str)],
}

/// Bugs of the kinds that other products have shipped.
pub const SEEDED: &[SeededBug] = &[
    SeededBug {
        bug: "check-then-send: the lock is let go between looking and writing",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "        let now = self.lock();\n        if now.pause_state.mode != Mode::Open {",
            "        let now = *self.lock();\n        if now.pause_state.mode != Mode::Open {",
        )],
    },
    SeededBug {
        bug: "claim after send: the claim is recorded together with the outcome",
        edits: &[
            (
                "crates/bailey-gate/src/gate/claim.rs",
                "        self.step(tx, &mut row, State::Claimed, Actor::Gate, now, |entry| Event {\n            payload: Payload::default().digest(\"digest\", &permit.digest),\n            ..entry\n        })?;\n",
                "        if row.kind.is_local() {\n            self.step(tx, &mut row, State::Claimed, Actor::Gate, now, |entry| entry)?;\n        }\n",
            ),
            (
                "crates/bailey-gate/src/gate/claim.rs",
                "            let to = outcome.result.state();\n",
                "            let to = outcome.result.state();\n            self.step(tx, &mut row, State::Claimed, Actor::Gate, now, |entry| entry)?;\n",
            ),
        ],
    },
    SeededBug {
        bug: "lost epoch: a claim outlives a pause that was ended",
        edits: &[
            (
                "crates/bailey-gate/src/handoff.rs",
                r#"        if (now.pause_state.epoch, now.pause_state.lease_epoch)
            != (claim.pause_state.epoch, claim.pause_state.lease_epoch)
        {"#,
                "if now.pause_state.lease_epoch != claim.pause_state.lease_epoch {",
            ),
            ("crates/bailey-gate/src/handoff.rs", "if now.cuts != claim.cuts {", "if now.cuts < claim.cuts {"),
        ],
    },
    SeededBug {
        bug: "a claim outlives the revocation of its connection",
        edits: &[("crates/bailey-gate/src/handoff.rs", "if now.cuts != claim.cuts {", "if now.cuts < claim.cuts {")],
    },
    SeededBug {
        bug: "double claim: what is claimed can be claimed again",
        edits: &[
            (
                "crates/bailey-gate/src/state.rs",
                "(Claimed, &[Succeeded, Failed, Partial, NotExecuted, Unknown]),",
                "(Claimed, &[Succeeded, Failed, Partial, NotExecuted, Unknown, Claimed]),",
            ),
            (
                "crates/bailey-gate/src/gate/claim.rs",
                "if !matches!(row.state, State::Approved | State::Held) {",
                "if !matches!(row.state, State::Approved | State::Held | State::Claimed) {",
            ),
        ],
    },
    SeededBug {
        bug: "log written after effect: a commit returns before it is durable",
        edits: &[("crates/bailey-keys/src/store.rs", "PRAGMA synchronous = FULL;", "PRAGMA synchronous = OFF;")],
    },
    SeededBug {
        bug: "the pause is kept in memory only",
        edits: &[
            (
                "crates/bailey-gate/src/gate/stop.rs",
                "let recorded = self.record.write(true, pause_state.epoch);",
                "let recorded = Ok(());",
            ),
            (
                "crates/bailey-home/src/recovery.rs",
                "Recorded::Open { epoch } if says_paused => {",
                "Recorded::Open { epoch } if says_paused && epoch > 9 => {",
            ),
        ],
    },
    SeededBug {
        bug: "an answer ends a pause that came after it was asked for",
        edits: &[
            (
                "crates/bailey-gate/src/gate/stop.rs",
                "        if pause_state.epoch != epoch {",
                "        if pause_state.epoch < epoch {",
            ),
            (
                "crates/bailey-gate/src/gate/stop.rs",
                "        self.lock.advance(epoch, Mode::Resuming);",
                "        let epoch = pause_state.epoch;\n        self.lock.advance(epoch, Mode::Resuming);",
            ),
        ],
    },
    SeededBug {
        bug: "a pause that the log could not be told of is never told to it",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            "if paused && !says_paused(&ledger)? =>",
            "if paused && says_paused(&ledger)? && false =>",
        )],
    },
    SeededBug {
        bug: "a pause from outside is taken for none",
        edits: &[
            (
                "crates/bailey-home/src/recovery.rs",
                "            (Mode::Paused, epoch + 1)\n        }\n        Recorded::Unreadable",
                "            (Mode::Open, epoch)\n        }\n        Recorded::Unreadable",
            ),
            (
                "crates/bailey-home/src/recovery.rs",
                "        Recorded::PausedBySupervisor { .. } => Some(Actor::Client),",
                "        Recorded::PausedBySupervisor { .. } => None,",
            ),
        ],
    },
    SeededBug {
        bug: "an older copy is believed about what was approved",
        edits: &[("crates/bailey-home/src/recovery.rs", "        gate.cancel_pending(now)?;\n", "")],
    },
    SeededBug {
        bug: "an approval outlives the pause that came after it",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "        let asked_again = self.revoke_approvals(reason::PAUSED, now)?;\n",
            "        let asked_again = Vec::new();\n",
        )],
    },
    SeededBug {
        bug: "an answer counts twice",
        edits: &[
            (
                "crates/bailey-gate/src/challenges.rs",
                " && !self.used.contains_key(challenge)",
                " && (!self.used.contains_key(challenge) || asked.boot_ms > 0)",
            ),
            (
                "crates/bailey-gate/src/gate/answer.rs",
                "                if row.state != State::Awaiting {\n                    return Err(GateError::WrongState { id: *id, state: row.state });\n                }\n",
                "                if row.state != State::Awaiting {\n                    continue;\n                }\n",
            ),
        ],
    },
    SeededBug {
        bug: "what is approved is not what was shown",
        edits: &[(
            "crates/bailey-gate/src/gate/answer.rs",
            "ruled.filter(|_| bound && row.digest == *digest)",
            "ruled.filter(|_| bound && (row.digest != *digest || row.digest == *digest))",
        )],
    },
    SeededBug {
        bug: "an unknown outcome is tried again",
        edits: &[
            (
                "crates/bailey-gate/src/state.rs",
                "(Claimed, &[Succeeded, Failed, Partial, NotExecuted, Unknown]),",
                "(Claimed, &[Succeeded, Failed, Partial, NotExecuted, Unknown, Approved]),",
            ),
            (
                "crates/bailey-gate/src/gate/stop.rs",
                "let _turned = self.turn(tx, row, State::Unknown, reason::INTERRUPTED, now)?;",
                "let _turned = self.turn(tx, row, State::Approved, reason::INTERRUPTED, now)?;",
            ),
        ],
    },
    SeededBug {
        bug: "the log ends with resuming though a pause came in between",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "            let Some(pause_state) = left_to_do()? else { return Ok(()) };\n            Ok(tx.log(",
            "            let pause_state = self.lock.pause_state();\n            Ok(tx.log(",
        )],
    },
    SeededBug {
        bug: "a claim is in no entry of the log",
        edits: &[(
            "crates/bailey-ledger/src/gate_tx.rs",
            "        self.append(&entry, None)?;\n        let approval = row.approval.as_ref();",
            "        if row.state != State::Claimed {\n            self.append(&entry, None)?;\n        }\n        let approval = row.approval.as_ref();",
        )],
    },
    SeededBug {
        bug: "what was under way at a crash is forgotten",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "            for row in tx.rows_in(&[State::Claimed, State::Reconciling])? {",
            "            for row in tx.rows_in(&[])? {",
        )],
    },
    SeededBug {
        bug: "a clock that was set back makes a deadline endless",
        edits: &[(
            "crates/bailey-gate/src/time.rs",
            "u64::try_from(now.wall_ms.saturating_sub(self.set.wall_ms)).unwrap_or(u64::MAX)",
            "u64::try_from(now.wall_ms.saturating_sub(self.set.wall_ms)).unwrap_or(0)",
        )],
    },
    SeededBug {
        bug: "what was held far too long goes without asking again",
        edits: &[(
            "crates/bailey-gate/src/gate/claim.rs",
            "                Some(late) if late > self.limits.late_ms => {",
            "                Some(late) if late > 1_000_000 * self.limits.late_ms => {",
        )],
    },
    SeededBug {
        bug: "an undo that failed is said to have worked",
        edits: &[(
            "crates/bailey-gate/src/gate/claim.rs",
            "State::Failed | State::NotExecuted | State::Partial => self.follow(tx, &of, State::UndoFailed, now),",
            "State::Failed | State::NotExecuted | State::Partial => self.follow(tx, &of, State::Undone, now),",
        )],
    },
    SeededBug {
        bug: "of an answer with one wrong digest the rest counts",
        edits: &[(
            "crates/bailey-gate/src/gate/answer.rs",
            "                let ruled = ruled.filter(|_| bound && row.digest == *digest).ok_or(GateError::Changed(*id))?;",
            "                if !bound || row.digest != *digest {\n                    continue;\n                }\n                let ruled = ruled.ok_or(GateError::Changed(*id))?;",
        )],
    },
    SeededBug {
        bug: "what was taken back does not move the mark",
        edits: &[(
            "crates/bailey-ledger/src/tx.rs",
            "        self.log.moves_mark |= asked_claim || approved || refused || home;",
            "        self.log.moves_mark |= asked_claim || approved || refused && home || home;",
        )],
    },
];

/// Plants each bug whose name holds one of `only`, or all, and lets the simulator look for it.
pub fn run(only: &[&str]) -> Result<(), String> {
    let copy = Copy::refresh()?;
    let mut missed = Vec::new();
    let chosen = SEEDED.iter().filter(|one| only.is_empty() || only.iter().any(|word| one.bug.contains(word)));
    let mut looked = 0;
    for one in chosen {
        looked += 1;
        let found = copy.with(one.edits, |copy| {
            let built = copy.cargo().args(["build", "--quiet", "-p", "bailey-sim", "--locked"]).output();
            match built {
                Ok(output) if output.status.success() => look(copy),
                Ok(output) => Err(format!("{}: {}", one.bug, String::from_utf8_lossy(&output.stderr))),
                Err(error) => Err(error.to_string()),
            }
        })?;
        match found {
            Some((runs, seconds, words)) => println!("found after {runs} runs ({seconds} s): {}\n    {words}", one.bug),
            None => {
                println!("NOT FOUND in {MOST_RUNS} runs: {}", one.bug);
                missed.push(one.bug);
            }
        }
    }
    if looked == 0 {
        return Err(format!("no seeded bug is called anything with {}", only.join(" or ")));
    }
    if missed.is_empty() { Ok(()) } else { Err(format!("the simulator missed: {}", missed.join("; "))) }
}

/// Runs until the first finding: how many runs that took, how long, and what it says.
fn look(copy: &Copy) -> Result<Option<(u64, u64, String)>, String> {
    #[expect(clippy::disallowed_methods, reason = "how long it took is shown to the developer")]
    let started = Instant::now();
    let output = command(copy.program("bailey-sim"))
        .args(["--runs", &MOST_RUNS.to_string(), "--first"])
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = text.lines().find(|line| line.starts_with("seed ")).unwrap_or_default().to_owned();
    let runs = text.lines().last().and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or(0);
    Ok(Some((runs, started.elapsed().as_secs(), words)))
}
