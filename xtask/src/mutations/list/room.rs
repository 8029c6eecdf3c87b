//! Controls of the computer as its home has it: its account, its life, and what leaves it.

use crate::mutations::Mutation;

const LIFE: &str = "computer::commands_run_in_a_machine_that_sleeps_when_told_to_and_wakes_as_it_was";
const WAITS: &str = "computer::requests_of_programs_wait_whole_and_what_is_approved_is_what_arrives";
const RULES: &str = "computer::rules_for_sites_let_requests_go_and_a_pause_or_another_rule_cuts_them";
const REQUESTS: &str = "crates/bailey-home/src/computer/requests.rs";

pub(super) const ROOM: &[Mutation] = &[
    Mutation {
        control: "computer/account-of-the-supervisor",
        edits: &[(
            "crates/bailey-computer/src/jail.rs",
            "        order.identity = Some(self.identity);",
            "        order.identity = order.identity.or(Some(Identity { user: self.owner, group: self.owner }));",
        )],
        test: "tests::orders_of_a_home_are_held_to_its_supervisors_bounds",
    },
    Mutation {
        control: "computer/ends-with-home",
        edits: &[
            (
                "crates/bailey-home/src/computer/life.rs",
                "        running.machine.kill().await?;\n        let note",
                "        std::mem::forget(self.running());\n        let note",
            ),
            (
                "crates/bailey-home/src/computer/life.rs",
                "        let _ = running.machine.kill().await;\n        running.carrying.abort();\n        *stage = Stage::found(&self.place);",
                "        *stage = Stage::found(&self.place);",
            ),
        ],
        test: LIFE,
    },
    Mutation {
        control: "computer/destroying-needs-leave",
        edits: &[(
            "crates/bailey-home/src/api/computer.rs",
            "    authorise(&home, purposes::destroy_computer(), &body.proof, caller).await?;",
            "    let _ = (caller, body);",
        )],
        test: LIFE,
    },
    Mutation {
        control: "computer/output-untrusted",
        edits: &[(
            "crates/bailey-gate/src/family/shell.rs",
            "Traits::reaching_nobody(Taint { untrusted: true, confidential: *confidential })",
            "Traits::reaching_nobody(Taint { untrusted: false, confidential: *confidential && false })",
        )],
        test: LIFE,
    },
    Mutation {
        control: "computer/says-its-grade",
        edits: &[(
            "crates/bailey-home/src/computer/mod.rs",
            "            warning: grade.filter(|_| lacking.is_none()).and_then(Grade::warning).unwrap_or_default().to_owned(),",
            "            warning: String::new(),",
        )],
        test: LIFE,
    },
    Mutation {
        control: "egress/rules-name-sites",
        edits: &[(
            "crates/bailey-policy/src/rule/cedar.rs",
            r#"    (lets_go && covers).then(|| format!("!(action in [{kinds}])"))"#,
            r#"    (lets_go && covers && kinds.is_empty()).then(String::new)"#,
        )],
        test: RULES,
    },
    Mutation {
        control: "egress/asks-first",
        edits: &[(
            REQUESTS,
            "                Decision::Ask | Decision::AskWithStepUp => Ruling::Ask,",
            "                Decision::Ask | Decision::AskWithStepUp => Ruling::Go,",
        )],
        test: WAITS,
    },
    Mutation {
        control: "egress/exactly-that-request",
        edits: &[(
            "crates/bailey-egress/src/broker.rs",
            "            body = request.body;",
            "            body = request.body.iter().rev().copied().collect();",
        )],
        test: WAITS,
    },
    Mutation {
        control: "egress/paused",
        edits: &[(
            REQUESTS,
            "        self.lock.system(SystemEgress::Computer, write).map_err(io::Error::other)",
            "        { write(); let _ = (&self.lock, SystemEgress::Computer); Ok(()) }",
        )],
        test: RULES,
    },
    Mutation {
        control: "egress/changed-rule-bites",
        edits: &[(
            REQUESTS,
            "            _ = changes.changed() => {}\n        }\n    }\n\n    fn begun",
            "            () = async { let _ = &mut changes; std::future::pending().await } => {}\n        }\n    }\n\n    fn begun",
        )],
        test: RULES,
    },
    Mutation {
        control: "egress/recorded",
        edits: &[(
            REQUESTS,
            "            if self.to_log.try_send(payload).is_err() {",
            "            if payload.0.is_empty() {",
        )],
        test: WAITS,
    },
    Mutation {
        control: "egress/public-only",
        edits: &[(
            "crates/bailey-egress/src/upstream.rs",
            "addresses.iter().find(|address| !is_public(**address))",
            "addresses.iter().find(|address| !is_public(**address) && address.is_unspecified())",
        )],
        test: WAITS,
    },
    Mutation {
        control: "egress/paths-read-strictly",
        edits: &[(
            "crates/bailey-gate/src/place.rs",
            "    let readable = |part: &&str| !part.is_empty() && !part.chars().all(|c| c == '.') && part.chars().all(plain);\n    // The last part",
            "    let readable = |part: &&str| !part.is_empty() && part.chars().all(plain);\n    // The last part",
        )],
        test: RULES,
    },
];
