//! Controls of what begins by itself.

use super::house::FORGED_LEAVE;
use crate::mutations::Mutation;

pub(super) const SCHEDULES: &[Mutation] = &[
    Mutation {
        control: "schedules/one-outcome",
        edits: &[(
            "crates/bailey-schedule/src/keeper.rs",
            "    step.kept.watermark_ms = newest;",
            "    step.kept.watermark_ms = newest - 1;",
        )],
        test: "year::a_year_in_forty_zones_gives_each_time_one_outcome",
    },
    Mutation {
        control: "schedules/made-with-leave",
        edits: &[
            ("crates/bailey-gate/src/approval.rs", "    /// Adds what was signed and how to the payload", FORGED_LEAVE),
            (
                "crates/bailey-home/src/api/schedules.rs",
                "    let leave = authorise(&home, purposes::make_schedule(&body.plan), &body.proof, caller).await?;\n",
                "    let leave = Authorised::of_nobody(&proof(&body.proof, caller)?);\n",
            ),
        ],
        test: "schedules::nobody_makes_or_changes_a_schedule_without_the_person",
    },
    Mutation {
        control: "schedules/when-as-said",
        edits: &[(
            "crates/bailey-home/src/clockwork/schedules.rs",
            "        if when.form.to_string() != plan.form {",
            "        if plan.form.is_empty() {",
        )],
        test: "schedules::nobody_makes_or_changes_a_schedule_without_the_person",
    },
    Mutation {
        control: "schedules/proposal-critical",
        edits: &[("crates/bailey-gate/src/family/schedule.rs", "        Class::Critical", "        Class::Undoable")],
        test: "schedules::a_model_proposes_a_schedule_and_the_person_alone_makes_it",
    },
    Mutation {
        control: "schedules/pause",
        edits: &[(
            "crates/bailey-home/src/clockwork/mod.rs",
            "        let paused = !open || came.epoch != pause.epoch;",
            "        let paused = !open;",
        )],
        test: "schedules::what_comes_in_a_pause_never_begins_by_itself_and_is_offered_once",
    },
    Mutation {
        control: "schedules/accounts",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.besideSchedule };",
                "when { context.besideSchedule && context.recipients > 900 };",
            ),
            (
                "crates/bailey-home/src/home.rs",
                "                Scope::Beside => {}",
                "                Scope::Beside => kept.push(account),",
            ),
        ],
        test: "schedules::a_schedule_uses_no_account_it_was_not_given_and_no_more_of_one",
    },
    Mutation {
        control: "schedules/floor-rule",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.besideSchedule };",
            "when { context.besideSchedule && context.recipients > 900 };",
        )],
        test: "floor::each_shipped_rule_decides_something_that_comes_out_otherwise_without_it",
    },
    Mutation {
        control: "schedules/budget",
        edits: &[(
            "crates/bailey-home/src/clockwork/mod.rs",
            "used.saturating_add(row.run_tokens) > row.month_tokens",
            "used > row.month_tokens.saturating_mul(1_000_000)",
        )],
        test: "schedules::runs_take_no_more_tokens_than_their_schedule_may",
    },
    Mutation {
        control: "schedules/rollback",
        edits: &[("crates/bailey-home/src/recovery.rs", "    crate::clockwork::stop_all(ledger, now)?;\n", "")],
        test: "schedules::an_older_copy_put_back_comes_up_with_its_schedules_stopped",
    },
];
