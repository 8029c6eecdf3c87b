//! Controls of the rules, and of the facts they decide by.

use crate::mutations::Mutation;

pub(super) const RULES: &[Mutation] = &[
    Mutation {
        control: "mail/asks-first",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            r#"permit (principal, action == Action::"mail.draft", resource);"#,
            r#"permit (principal, action in [Action::"mail.draft", Action::"mail.send"], resource);"#,
        )],
        test: "road::a_mail_leaves_only_after_approval_once_and_as_previewed",
    },
    Mutation {
        control: "level/floor-rule",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.level < context.needsLevel };",
            "when { context.level < context.needsLevel && context.level > 9 };",
        )],
        test: "tests::each_floor_rule_denies_or_asks_for_more",
    },
    Mutation {
        control: "level/vault-and-floor",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.level < context.needsLevel };",
                "when { context.level < context.needsLevel && context.level > 9 };",
            ),
            (
                "crates/bailey-vault/src/lib.rs",
                "        if row.grant.level < needed {",
                "        if row.grant.level < needed && needed < Level::Read {",
            ),
        ],
        test: "stops::a_connection_made_for_less_cannot_send_even_when_told_to",
    },
    Mutation {
        control: "level/mail-account",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.level < context.needsLevel };",
                "when { context.level < context.needsLevel && context.level > 9 };",
            ),
            (
                "crates/bailey-vault/src/lib.rs",
                "        if row.grant.level < needed {",
                "        if row.grant.level < needed && needed < Level::Read {",
            ),
        ],
        test: "accounts::a_read_only_account_moves_and_sends_nothing_even_when_told_to",
    },
    Mutation {
        control: "level/calendar",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.level < context.needsLevel };",
                "when { context.level < context.needsLevel && context.level > 9 };",
            ),
            (
                "crates/bailey-vault/src/lib.rs",
                "        if row.grant.level < needed {",
                "        if row.grant.level < needed && needed < Level::Read {",
            ),
        ],
        test: "calendars::a_calendar_connected_for_less_is_not_written",
    },
    Mutation {
        control: "mail/not-into-sent",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.intoSentOrDrafts }",
            "when { context.intoSentOrDrafts && context.level > 9 }",
        )],
        test: "accounts::nothing_is_moved_into_sent_or_drafts",
    },
    Mutation {
        control: "mail/own-folders-only",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.amongOwnFolders || context.undo };",
            "when { context.amongOwnFolders || context.level > 0 };",
        )],
        test: "accounts::moving_elsewhere_than_among_own_folders_asks",
    },
    Mutation {
        control: "calendar/guests-ask",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.recipients == 0 };",
                "when { context.recipients >= 0 };",
            ),
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.untrustedRead && context.ungroundedRecipients > 0 }",
                "when { context.untrustedRead && context.ungroundedRecipients > 9 }",
            ),
        ],
        test: "calendars::an_entry_with_guests_asks_and_is_refused_when_it_changed_meanwhile",
    },
    Mutation {
        control: "gate/hijacked-model-asks",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                r#"permit (principal, action == Action::"mail.draft", resource);"#,
                r#"permit (principal, action in [Action::"mail.draft", Action::"mail.send"], resource);"#,
            ),
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.outsideScope }",
                "when { context.outsideScope && context.level > 9 }",
            ),
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.untrustedRead && context.ungroundedRecipients > 0 }",
                "when { context.untrustedRead && context.ungroundedRecipients > 9 }",
            ),
        ],
        test: "hijack::whatever_a_hijacked_model_wants_nothing_leaves_unasked",
    },
    Mutation {
        control: "mail/one-line-headers",
        edits: &[(
            "crates/bailey-gate/src/family/text.rs",
            r#"        if text.chars().any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}') {
            return Err(BadText::Control);
        }
        if text.chars().count() > MAX_HEADER_CHARS {"#,
            r#"        if text.chars().any(|c| c == '\u{2028}' || c == '\u{2029}') {
            return Err(BadText::Control);
        }
        if text.chars().count() > MAX_HEADER_CHARS {"#,
        )],
        test: "hijack::header_injection_never_becomes_a_mail",
    },
    Mutation {
        control: "rules/erring-refused",
        edits: &[(
            "crates/bailey-policy/src/lib.rs",
            "            if let Some(why) = check::fault(&json) {",
            "            if let Some(why) = check::fault(&json).filter(|_| name.is_empty()) {",
        )],
        test: "tests::what_can_err_is_refused",
    },
    Mutation {
        control: "policy/approval-monotone",
        edits: &[(
            "crates/bailey-policy/src/check.rs",
            "            Self::With => Self::Against,",
            "            Self::With => Self::With,",
        )],
        test: "tests::approval_only_ever_allows_more",
    },
    Mutation {
        control: "floor/link-after-reading",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.untrustedRead && context.foreignLinks > 0 }",
            "when { context.untrustedRead && context.foreignLinks < 0 }",
        )],
        test: "decide::after_others_words_links_and_strangers_ask_under_every_profile",
    },
    Mutation {
        control: "floor/unnamed-files",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.unnamedFiles > 0 && context.others > 0 }",
            "when { context.unnamedFiles < 0 && context.others > 0 }",
        )],
        test: "writing::a_file_of_the_mailbox_that_the_words_do_not_name_asks_under_any_rule",
    },
    Mutation {
        control: "floor/file-names",
        edits: &[(
            "crates/bailey-gate/src/ground.rs",
            "ending.is_some() && self.name_target(name)",
            "ending.is_some() || self.name_target(name)",
        )],
        test: "tests::a_file_stands_on_words_by_its_whole_name_with_its_ending",
    },
    Mutation {
        control: "floor/links-found",
        edits: &[(
            "crates/bailey-gate/src/ground.rs",
            "trimmed.filter_map(link).map(str::to_owned).collect()",
            "trimmed.filter_map(link).filter(|found| found.is_empty()).map(str::to_owned).collect()",
        )],
        test: "decide::after_others_words_links_and_strangers_ask_under_every_profile",
    },
    Mutation {
        control: "floor/after-secrets",
        edits: &[(
            "crates/bailey-gate/src/gate/facts.rs",
            "confidential: brought.confidential,",
            "confidential: brought.confidential && false,",
        )],
        test: "decide::after_secrets_nothing_leaves_unasked",
    },
    Mutation {
        control: "floor/undescribed-tool",
        edits: &[(
            "crates/bailey-gate/src/gate/facts.rs",
            "            undescribed: traits.undescribed,",
            "            undescribed: false,",
        )],
        test: "decide::tools_nobody_described_critical_ones_and_what_was_not_asked_for_ask",
    },
    Mutation {
        control: "floor/unreadable-amount",
        edits: &[(
            "crates/bailey-gate/src/gate/facts.rs",
            "            unreadable_amount: traits.amount == Amount::Unreadable,",
            "            unreadable_amount: false,",
        )],
        test: "decide::recipients_and_things_stand_on_the_words_or_the_past_or_ask",
    },
    Mutation {
        control: "show/escaped",
        edits: &[(
            "crates/bailey-gate/src/family/escape.rs",
            "        if written_out && !keep(c) {",
            r#"        if written_out && !keep(c) && c == '\0' {"#,
        )],
        test: "hijack::what_deceives_the_eye_is_written_out",
    },
    Mutation {
        control: "show/blanks-and-private-use",
        edits: &[(
            "crates/bailey-gate/src/family/escape.rs",
            r"| '\u{2800}' | '\u{3000}' | '\u{3164}'",
            r"| '\u{3164}'",
        )],
        test: "tests::every_character_is_shown_as_itself_or_written_out",
    },
    Mutation {
        control: "show/mark-piles",
        edits: &[(
            "crates/bailey-gate/src/family/escape.rs",
            "const MAX_MARKS: usize = 4;",
            "const MAX_MARKS: usize = 40;",
        )],
        test: "tests::letters_are_shown_with_their_marks_and_piles_of_marks_are_not",
    },
    Mutation {
        control: "mail/mass-mail-critical",
        edits: &[(
            "crates/bailey-gate/src/family/mail.rs",
            "if message.recipients().count() > MASS_MAIL_RECIPIENTS => Class::Critical,",
            "if message.recipients().count() > 100 * MASS_MAIL_RECIPIENTS => Class::Critical,",
        )],
        test: "hijack::mass_mail_needs_presence_and_a_crowd_is_listed_whole",
    },
    Mutation {
        control: "policy/error-denies",
        edits: &[(
            "crates/bailey-policy/src/lib.rs",
            "        if let Some(error) = response.diagnostics().errors().next() {",
            "        if let Some(error) = response.diagnostics().errors().nth(9) {",
        )],
        test: "tests::an_erring_forbid_denies",
    },
    Mutation {
        control: "policy/action-hierarchy",
        edits: &[(
            "crates/bailey-policy/src/lib.rs",
            "Entities::from_entities(people, Some(&schema))",
            "Entities::from_entities(people, None)",
        )],
        test: "tests::the_action_hierarchy_is_loaded",
    },
    Mutation {
        control: "policy/none-left-out",
        edits: &[(
            "crates/bailey-policy/src/heeds.rs",
            "name == kind.name() || name == kind.group().name() || name == family_group(kind.family())",
            "name == kind.name() || name == family_group(kind.family())",
        )],
        test: "chance::answers_are_those_of_all_rules_over_all_facts",
    },
    Mutation {
        control: "floor/off-task",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.outsideScope }",
            "when { context.outsideScope && context.level > 9 }",
        )],
        test: "accounts::what_no_word_of_the_task_asks_for_asks_even_where_it_can_be_undone",
    },
    Mutation {
        control: "floor/unnamed-after-reading",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.untrustedRead && context.ungroundedRecipients > 0 }",
            "when { context.untrustedRead && context.ungroundedRecipients > 9 }",
        )],
        test: "models::after_reading_a_mail_to_somebody_nobody_named_says_so",
    },
    Mutation {
        control: "floor/notes-after-reading",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.untrustedRead }",
            "when { context.untrustedRead && context.recipients > 9 }",
        )],
        test: "tests::no_grant_lowers_the_floor_under_what_was_read",
    },
    Mutation {
        control: "known/look-alikes-ask",
        edits: &[("crates/bailey-policy/src/shipped.cedar", "context.lookAlikes > 0", "context.lookAlikes > 999999")],
        test: "decide::a_look_alike_asks_whatever_was_granted",
    },
    Mutation {
        control: "rules/all-for-going",
        edits: &[(
            "crates/bailey-policy/src/rule/cedar.rs",
            "!context.unreadableRecipients && {}.containsAll(context.{what})",
            "!context.unreadableRecipients && {}.containsAny(context.{what})",
        )],
        test: "conditions::each_condition_of_a_rule_decides",
    },
    Mutation {
        control: "rules/one-for-stopping",
        edits: &[(
            "crates/bailey-policy/src/rule/cedar.rs",
            "(context.unreadableRecipients || {}.containsAny(context.{what}))",
            "(context.unreadableRecipients || {}.containsAll(context.{what}))",
        )],
        test: "conditions::each_condition_of_a_rule_decides",
    },
    Mutation {
        control: "rules/unreadable-place-stops",
        edits: &[(
            "crates/bailey-gate/src/place.rs",
            "!part.is_empty() && !part.chars().all(|c| c == '.') && part.trim() == *part",
            "part.trim() == *part",
        )],
        test: "decide::a_folder_is_a_folder_and_creating_changing_and_deleting_are_three_things",
    },
    Mutation {
        control: "rules/budget-counts",
        edits: &[(
            "crates/bailey-gate/src/gate/facts.rs",
            "view.spent_since(ago(days * DAY_MS), id)?.saturating_add(sum)",
            "view.spent_since(ago(days * DAY_MS), id)?.min(0).saturating_add(sum)",
        )],
        test: "decide::a_budget_is_spent_over_time",
    },
    Mutation {
        control: "rules/facts-kept",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            ".bytes(FACTS, facts.encode())",
            ".bytes(FACTS, Facts::default().encode())",
        )],
        test: "rules::a_rule_is_tried_on_what_was_before_it_is_made",
    },
    Mutation {
        control: "floor/off-task-recipients",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "context.offTaskRecipients > 0",
            "context.offTaskRecipients > 999999",
        )],
        test: "decide::whom_the_words_name_is_whom_the_task_is_for",
    },
    Mutation {
        control: "floor/link-forms",
        edits: &[(
            "crates/bailey-gate/src/ground.rs",
            "        if goes_on && is_host(host) {",
            "        if goes_on && is_host(host) && begins == 0 {",
        )],
        test: "tests::links_are_found_however_they_are_written",
    },
    Mutation {
        control: "floor/unreadable-recipient",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.unreadableRecipients }",
                "when { context.unreadableRecipients && context.recipients > 999999 }",
            ),
            (
                "crates/bailey-gate/src/gate/facts.rs",
                "unknown: unread, ungrounded: unread,",
                "unknown: unread, ungrounded: unread.min(0),",
            ),
        ],
        test: "calendars::guests_that_cannot_be_read_are_strangers",
    },
    Mutation {
        control: "floor/joined-addresses",
        edits: &[(
            "crates/bailey-gate/src/family/party.rs",
            "all.iter().map(|mailbox| Self::of_address(&mailbox.address))",
            "all.iter().rev().take(1).map(|mailbox| Self::of_address(&mailbox.address))",
        )],
        test: "decide::what_cannot_be_read_goes_nowhere_by_itself",
    },
    Mutation {
        control: "floor/undescribed-arguments",
        edits: &[(
            "crates/bailey-gate/src/family/tool.rs",
            "found.map_or_else(|| Role::Sink(Name(UNDESCRIBED.into())), |(_, role)| role.clone())",
            "found.map_or_else(|| if self.manifest.is_some() { Role::Plain } else { Role::Sink(Name(UNDESCRIBED.into())) }, |(_, role)| role.clone())",
        )],
        test: "decide::what_cannot_be_read_goes_nowhere_by_itself",
    },
    Mutation {
        control: "floor/secrets-in-changes",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "(context.others > 0 || context.tellsOthers)",
            "(context.others > 0 || context.tellsOthers && context.others > 0)",
        )],
        test: "decide::what_changes_a_thing_may_let_others_have_it",
    },
    Mutation {
        control: "floor/payment-without-amount",
        edits: &[(
            "crates/bailey-gate/src/family/tool.rs",
            "Amount::None if kind == PAY => Amount::Unsaid,",
            "Amount::None if kind == PAY => Amount::None,",
        )],
        test: "decide::payments_without_a_sum_and_numbers_in_groups",
    },
    Mutation {
        control: "intent/negation",
        edits: &[(
            "crates/bailey-gate/src/intent/mod.rs",
            "            return clause.get(..end).unwrap_or_default();",
            "            return clause.get(..end.max(clause.len())).unwrap_or_default();",
        )],
        test: "tests::what_no_word_asks_for_is_not_covered",
    },
    Mutation {
        control: "known/cancelling-teaches-nothing",
        edits: &[(
            "crates/bailey-gate/src/family/calendar.rs",
            "            learns: writing.map(|writing| parties(writing.guests_after())).unwrap_or_default(),",
            "            learns: writing.map(|writing| parties(writing.addresses())).unwrap_or_default(),",
        )],
        test: "calendars::an_entry_cancelled_makes_nobody_known",
    },
    Mutation {
        control: "rules/nesting-bound",
        edits: &[(
            "crates/bailey-policy/src/check.rs",
            "const MAX_BRACKETS: usize = 24;",
            "const MAX_BRACKETS: usize = 240_000;",
        )],
        test: "rules::rules_without_end_end_nothing",
    },
];
