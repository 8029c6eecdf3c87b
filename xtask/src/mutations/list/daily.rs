//! What is set in daily life, and browsers that come back from a provider.

use crate::mutations::Mutation;

pub(super) const DAILY: &[Mutation] = &[
    Mutation {
        control: "settings/widening-needs-leave",
        edits: &[(
            "crates/bailey-home/src/daily.rs",
            "if leave.is_none() && !narrows(",
            "if leave.is_none() && kept.len() > KEYS.len() && !narrows(",
        )],
        test: "daily::settings_change_at_once_with_leave_where_they_widen_and_outlive_a_restart",
    },
    Mutation {
        control: "settings/signed-as-changed",
        edits: &[("crates/bailey-home/src/purposes.rs", "out.text(name).text(value);", "out.text(name).text(\"\");")],
        test: "daily::settings_change_at_once_with_leave_where_they_widen_and_outlive_a_restart",
    },
    Mutation {
        control: "oauth/back-own-session",
        edits: &[(
            "crates/bailey-home/src/api/connections.rs",
            "if caller.session != Some(session) {",
            "if caller.session.is_none() && session.is_empty() {",
        )],
        test: "daily::a_browser_signs_in_at_a_provider_and_comes_back_to_the_page_that_asked_and_no_other",
    },
];
