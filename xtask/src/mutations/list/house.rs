//! Controls of the house: keys, the log, the ways in, what a home does when it opens.

use crate::mutations::Mutation;

/// A leave that nobody gave, which no other crate can make.
pub(super) const FORGED_LEAVE: &str = r"    /// Makes one of nobody.
    #[must_use]
    pub fn of_nobody(proof: &Proof) -> Self {
        let Proof { credential, client, session, .. } = *proof;
        let approval = Approval { credential, client, session, stepped_up: true };
        Self { approval, signed: Vec::new(), assertion: Vec::new(), parameters: Vec::new() }
    }

    /// Adds what was signed and how to the payload";

pub(super) const HOUSE: &[Mutation] = &[
    Mutation {
        control: "approval/signature",
        edits: &[(
            "crates/bailey-home/src/authority.rs",
            "let right = bailey_keys::sign::verify(public, message, signature);",
            "let right = public.is_empty() || message.len() + signature.len() > 0;",
        )],
        test: "road::only_the_exact_answer_of_the_person_counts",
    },
    Mutation {
        control: "connect/needs-approval",
        edits: &[
            ("crates/bailey-gate/src/approval.rs", "    /// Adds what was signed and how to the payload", FORGED_LEAVE),
            (
                "crates/bailey-home/src/api/connections.rs",
                "    let leave = authorise(home, purposes::connect(&body.settings, &body.level), &body.proof, caller).await?;\n",
                "    let leave = Authorised::of_nobody(&proof(&body.proof, caller)?);\n",
            ),
        ],
        test: "stops::connecting_needs_the_person",
    },
    Mutation {
        control: "approval/survives-crash",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            r#"    gate.expire(now)?;
"#,
            r#"    gate.expire(now)?;
    gate.revoke_approvals(bailey_gate::reason::PAUSED, now)?;
"#,
        )],
        test: "road::approvals_and_approved_mail_survive_kill_9",
    },
    Mutation {
        control: "pause/damaged-means-paused",
        edits: &[
            (
                "crates/bailey-home/src/recovery.rs",
                r#"            (Mode::Paused, log_epoch + 1)
        }
    };"#,
                r#"            (Mode::Open, log_epoch + 1)
        }
    };"#,
            ),
            // It is also written down as a pause, which is one.
            (
                "crates/bailey-home/src/recovery.rs",
                "        Recorded::Unreadable => Some(Actor::Home),",
                "        Recorded::Unreadable => None,",
            ),
        ],
        test: "stops::pausing_needs_no_proof_and_works_when_the_record_is_damaged_at_start",
    },
    Mutation {
        control: "pause/log-says-paused",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            "Recorded::Open { epoch } if says_paused => {",
            "Recorded::Open { epoch } if says_paused && epoch == u64::MAX => {",
        )],
        test: "stops::a_missing_record_or_database_opens_nothing",
    },
    Mutation {
        control: "pause/older-epoch-loses",
        edits: &[(
            "crates/bailey-ledger/src/pause.rs",
            "        if epoch < *last {",
            "        if epoch == u64::MAX && epoch < *last {",
        )],
        test: "tests::damaged_means_paused_and_older_epochs_do_not_win",
    },
    Mutation {
        control: "log/claims-logged",
        edits: &[(
            "crates/bailey-ledger/src/gate_tx.rs",
            "        self.append(&entry, None)?;\n        let approval = row.approval.as_ref();",
            "        if row.state != State::Claimed {\n            self.append(&entry, None)?;\n        }\n        let approval = row.approval.as_ref();",
        )],
        test: "evidence::the_log_alone_says_where_every_action_stands_and_how_it_got_there",
    },
    Mutation {
        control: "pause/cuts-open-connections",
        edits: &[(
            "crates/bailey-home/src/api/house.rs",
            "    let report = blocking(move || Ok(gate.pause(Actor::Client, now, || vault.reset()))).await?;",
            "    let report = blocking(move || Ok(gate.pause(Actor::Client, now, || drop(vault)))).await?;",
        )],
        test: "stops::a_pause_cuts_what_is_open_at_once",
    },
    Mutation {
        control: "delete/connections-ended",
        edits: &[(
            "crates/bailey-home/src/api/house.rs",
            "    for row in standing {",
            "    for row in standing.into_iter().take(0) {",
        )],
        test: "accounts::deleting_the_home_ends_its_connections_at_the_provider",
    },
    Mutation {
        control: "known/strangers-shown",
        edits: &[(
            "crates/bailey-home/src/provenance.rs",
            "let stranger = !standing.own && !standing.known;",
            "let stranger = standing.inside && !standing.own && !standing.known;",
        )],
        test: "accounts::a_decoy_is_told_apart_from_the_one_the_person_wrote_to",
    },
    Mutation {
        control: "rules/change-needs-approval",
        edits: &[
            ("crates/bailey-gate/src/approval.rs", "    /// Adds what was signed and how to the payload", FORGED_LEAVE),
            (
                "crates/bailey-home/src/api/rules.rs",
                "    let leave = authorise(&home, purposes::change_rules(&body.change), &body.proof, caller).await?;\n",
                "    let leave = Authorised::of_nobody(&proof(&body.proof, caller)?);\n",
            ),
        ],
        test: "rules::a_rule_lets_go_what_it_says_and_only_the_person_can_make_it",
    },
    Mutation {
        control: "rollback/rules-dropped",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            "    crate::rules::narrow(ledger, Actor::Home, now, pause_state)?;\n",
            "",
        )],
        test: "rules::an_older_copy_revives_no_rule_that_lets_anything_go",
    },
    Mutation {
        control: "store/replaced-keys-destroyed",
        edits: &[(
            "crates/bailey-ledger/src/tx.rs",
            "            self.retire(key)?;\n        }\n        Ok(key)",
            "            let _ = key;\n        }\n        Ok(key)",
        )],
        test: "keys::replacing_or_removing_a_record_destroys_its_key",
    },
    Mutation {
        control: "store/destroyed-keys-overwritten",
        edits: &[(
            "crates/bailey-keys/src/store.rs",
            "         PRAGMA secure_delete = ON;",
            "         PRAGMA secure_delete = OFF;",
        )],
        test: "tests::nothing_of_a_destroyed_key_is_left_in_the_file",
    },
    Mutation {
        control: "store/destroyed-keys-forgotten",
        edits: &[("crates/bailey-keys/src/store.rs", "        self.opened().forget(ids);\n", "")],
        test: "tests::key_that_was_fetched_is_gone_once_it_is_destroyed",
    },
    Mutation {
        control: "log/consistency-from-entries",
        edits: &[("crates/bailey-ledger/src/consistency.rs", "root: hash((0, to))?", "root: Hash::default()")],
        test: "log::a_rewritten_entry_shows_in_the_proof",
    },
    Mutation {
        control: "log/browser-checks-proof",
        edits: &[(
            "crates/bailey-dashboard/assets/records.js",
            "|| !await grew(pinned.size, bytes(pinned.root), to, bytes(root), proof.map(bytes)))",
            ")",
        )],
        test: "records::a_browser_sees_that_the_log_only_grew_and_that_an_older_copy_was_put_back",
    },
    Mutation {
        control: "log/no-formula",
        edits: &[("crates/bailey-home/src/table.rs", "if is_formula { \"'\" }", "if is_formula { \"\" }")],
        test: "tests::a_cell_is_never_a_formula",
    },
    Mutation {
        control: "search/another-key",
        edits: &[(
            "crates/bailey-ledger/src/search.rs",
            "    keys.destroy_database_key(KEY).map_err(key_error)?;\n",
            "",
        )],
        test: "search::an_index_begun_anew_leaves_no_copy_that_opens",
    },
    Mutation {
        control: "search/not-restored",
        edits: &[(
            "crates/bailey-supervisor/src/restore.rs",
            "if entry.file_name().as_encoded_bytes().starts_with(SEARCH_INDEX) {",
            "if entry.file_name().is_empty() {",
        )],
        test: "records::a_search_index_that_is_missing_or_damaged_is_made_anew_and_no_backup_brings_it",
    },
    Mutation {
        control: "log/exports-logged",
        edits: &[(
            "crates/bailey-home/src/api/log.rs",
            "        ledger.write(|tx| tx.append(&entry, None).map(|_| ()))?;\n",
            "        let _ = entry;\n",
        )],
        test: "evidence::an_export_is_in_the_log_and_takes_the_place_of_no_file",
    },
    Mutation {
        control: "verify/payload-hashes",
        edits: &[(
            "crates/bailey-verify/src/lib.rs",
            "        if hex(&Sha256::digest(&bytes)) == *expected {",
            "        if hex(&Sha256::digest(&bytes)).len() == expected.len() {",
        )],
        test: "evidence::the_verifier_tells_damage_apart",
    },
    Mutation {
        control: "verify/pin",
        edits: &[(
            "crates/bailey-verify/src/lib.rs",
            "    if reading.at_pin != Some(pin.root) {",
            "    if reading.at_pin.is_none() {",
        )],
        test: "evidence::a_rewritten_history_diverges_from_the_pin",
    },
    Mutation {
        control: "folder/plain-small-files",
        edits: &[(
            "crates/bailey-keys/src/home.rs",
            "(rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits()",
            "rustix::fs::OFlags::NOFOLLOW.bits()",
        )],
        test: "house::what_lies_in_the_homes_folder_cannot_hold_up_the_persons_programs",
    },
    Mutation {
        control: "gateway/origin",
        edits: &[(
            "crates/bailey-listener/src/asked.rs",
            "    if let Some(origin) = text(header::ORIGIN) {",
            "    if let Some(origin) = text(header::ORIGIN).filter(|origin| origin.is_empty()) {",
        )],
        test: "tests::requests_from_elsewhere_are_refused",
    },
    Mutation {
        control: "gateway/one-meaning",
        edits: &[(
            "crates/bailey-gateway/src/lib.rs",
            "    if let Err(why) = is_plain(&request) {",
            "    if let Err(why) = is_plain(&request).or(Ok::<(), &str>(())) {",
        )],
        test: "house::the_target_and_every_line_of_a_request_count",
    },
    Mutation {
        control: "gateway/loopback-only",
        edits: &[(
            "crates/bailey-gateway/src/lib.rs",
            "if here_only && !address.ip().is_loopback() {",
            "if here_only && address.port() == u16::MAX {",
        )],
        test: "tests::it_listens_on_loopback_only",
    },
    Mutation {
        control: "gateway/token",
        edits: &[(
            "crates/bailey-home/src/api/access.rs",
            "token.is_some_and(|token| verify_slices_are_equal(given, token.as_bytes()).is_ok())",
            "token.is_some_and(|token| !given.is_empty() || verify_slices_are_equal(given, token.as_bytes()).is_ok())",
        )],
        test: "house::the_gateway_lets_in_what_comes_from_this_machine_with_the_token_and_nothing_else",
    },
    Mutation {
        control: "approval/token-is-not-enough",
        edits: &[(
            "crates/bailey-home/src/authority.rs",
            "let right = bailey_keys::sign::verify(public, message, signature);",
            "let right = public.is_empty() || message.len() + signature.len() > 0;",
        )],
        test: "house::a_mail_cannot_be_approved_over_tcp_with_the_token_alone",
    },
    Mutation {
        control: "gateway/landlock",
        edits: &[(
            "crates/bailey-gateway/src/lib.rs",
            r#".and_then(landlock::RulesetCreated::restrict_self);
    status.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)"#,
            r#";
    let _ = RulesetStatus::NotEnforced;
    status.is_ok()"#,
        )],
        test: "tests::a_gateway_can_open_no_file",
    },
    Mutation {
        control: "process/locked-until-passphrase",
        edits: &[
            (
                "crates/bailey-keys/src/root.rs",
                "Ok((RootKind::Passphrase { salt: BASE64.encode(salt) }, Self(passphrase.stretch(&salt)?)))",
                "Ok((RootKind::Passphrase { salt: BASE64.encode(salt) }, Self(Key::from_bytes([passphrase.chars().min(1) as u8; 32]))))",
            ),
            (
                "crates/bailey-keys/src/root.rs",
                "        Ok(Self(passphrase.stretch(&salt)?))",
                "        Ok(Self(Key::from_bytes([passphrase.chars().min(salt.len()).min(1) as u8; 32])))",
            ),
        ],
        test: "house::a_locked_home_waits_for_its_passphrase",
    },
    Mutation {
        control: "log/headers-codes-only",
        edits: &[
            (
                "crates/bailey-ledger/src/header.rs",
                "    tool: Option<&'static str>,",
                r#"    tool: Option<&'static str>,
    words: &'static str,"#,
            ),
            (
                "crates/bailey-ledger/src/header.rs",
                "        class: event.class.map(",
                r#"        words: "some words",
        class: event.class.map("#,
            ),
        ],
        test: "evidence::headers_hold_codes_only",
    },
    Mutation {
        control: "store/database-key",
        edits: &[
            (
                "crates/bailey-keys/src/store.rs",
                r#"    keyed?;
"#,
                r#"    let _ = keyed;
"#,
            ),
            (
                "crates/bailey-keys/src/store.rs",
                "let keyed = db.execute_batch(&pragma);",
                "let keyed: Result<(), rusqlite::Error> = Ok(());",
            ),
        ],
        test: "evidence::nothing_on_disk_is_readable_without_the_key",
    },
    Mutation {
        control: "store/key-file-mode",
        edits: &[("crates/bailey-keys/src/home.rs", "    if mode & 0o077 != 0 {", "    if mode & 0o077 == 0o777 {")],
        test: "evidence::the_home_does_not_open_with_another_key",
    },
    Mutation {
        control: "store/sealed-context",
        edits: &[(
            "crates/bailey-keys/src/seal.rs",
            "self.field.as_bytes(), &self.version.to_be_bytes()]",
            r#"b"", &self.version.to_be_bytes()]"#,
        )],
        test: "tests::opens_only_with_the_same_key_and_context",
    },
    Mutation {
        control: "rollback/high-water-mark",
        edits: &[(
            "crates/bailey-ledger/src/store/open.rs",
            r#"        if agrees && witnessed {
            self.same_run"#,
            r#"        if (agrees || mark.is_some()) && (witnessed || witness.is_some()) {
            self.same_run"#,
        )],
        test: "stops::an_older_database_put_back_revives_nothing",
    },
    Mutation {
        control: "rollback/witness",
        edits: &[(
            "crates/bailey-ledger/src/store/open.rs",
            "witness.as_ref().map_or(Ok(true), |witness| writer.agrees_with(witness))?;",
            "witness.as_ref().map_or(Ok(true), |witness| writer.agrees_with(witness).map(|_| true))?;",
        )],
        test: "stops::a_whole_folder_put_back_sends_nothing_again",
    },
    Mutation {
        control: "rollback/other-run-asks-again",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            "    if !ledger.is_same_run() {",
            "    if !ledger.is_same_run() && now.wall_ms == 0 {",
        )],
        test: "stops::a_whole_folder_put_back_sends_nothing_again",
    },
    Mutation {
        control: "store/damaged-is-not-old",
        edits: &[(
            "crates/bailey-ledger/src/store/open.rs",
            "        if damaged && witnessed {",
            "        if damaged && witnessed && now.wall_ms == 0 {",
        )],
        test: "stops::a_damaged_mark_pauses_and_takes_nothing_back",
    },
    Mutation {
        control: "store/mark-checksum",
        edits: &[(
            "crates/bailey-ledger/src/mark.rs",
            "(sum == checksum(line)).then_some(line)",
            "(sum.len() == checksum(line).len()).then_some(line)",
        )],
        test: "stops::a_damaged_mark_pauses_and_takes_nothing_back",
    },
    Mutation {
        control: "store/damaged-wal-kept",
        edits: &[(
            "crates/bailey-ledger/src/store/open.rs",
            "        Ok(true) => set_aside(&path, now).map(Some),",
            "        Ok(true) => Ok(Some(path.clone()).filter(|_| now.wall_ms == 0 && set_aside(&path, now).is_ok())),",
        )],
        test: "stops::a_damaged_write_ahead_log_is_kept_before_anything_is_written_over_it",
    },
    Mutation {
        control: "revoke/unreadable-credential",
        edits: &[(
            "crates/bailey-vault/src/lib.rs",
            "let outbox = outbox.unwrap_or_else(|_| UNREADABLE.to_vec());",
            "let outbox = outbox.or_else(|why| if UNREADABLE.is_empty() { Ok(Vec::new()) } else { Err(why) })?;",
        )],
        test: "stops::a_connection_whose_credential_cannot_be_read_is_revoked_all_the_same",
    },
    Mutation {
        control: "rollback/connections-ended",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            r#"        disown(ledger, now, pause_state)?;
"#,
            r#"        let _ = disown;
"#,
        )],
        test: "stops::an_older_copy_revives_no_grant_and_no_task",
    },
    Mutation {
        control: "known/look-alikes-shown",
        edits: &[(
            "crates/bailey-home/src/provenance.rs",
            "if stranger { home.ledger.confusable_with(party)? } else { None };",
            "if stranger { home.ledger.confusable_with(party)?.filter(String::is_empty) } else { None };",
        )],
        test: "provenance::a_look_alike_is_pointed_out_with_whom_it_could_be_taken_for",
    },
    Mutation {
        control: "taint/only-grows",
        edits: &[(
            "crates/bailey-ledger/src/gate_tx.rs",
            "ON CONFLICT (task) DO UPDATE SET untrusted = max(untrusted, excluded.untrusted),",
            "ON CONFLICT (task) DO UPDATE SET untrusted = excluded.untrusted,",
        )],
        test: "provenance::further_words_widen_a_task_and_what_it_read_stays_read",
    },
    Mutation {
        control: "suggestions/verbatim",
        edits: &[(
            "crates/bailey-home/src/rules/suggestions.rs",
            "suggestion.id == wanted && suggestion.rule.to_string() == change.add",
            "suggestion.id == wanted",
        )],
        test: "trust::one_no_one_afternoon_and_an_offer_that_was_not_wanted_are_no_habit",
    },
    Mutation {
        control: "suggestions/habits-only",
        edits: &[(
            "crates/bailey-home/src/rules/suggestions.rs",
            "const MIN_DAYS: usize = 3;",
            "const MIN_DAYS: usize = 1;",
        )],
        test: "trust::one_no_one_afternoon_and_an_offer_that_was_not_wanted_are_no_habit",
    },
    Mutation {
        control: "suggestions/unused-lapses",
        edits: &[(
            "crates/bailey-home/src/rules/mod.rs",
            "|rule| old(rule) && !used.contains(&rule.id)",
            "|rule| old(rule) && used.contains(&rule.id) && rule.id.is_empty()",
        )],
        test: "trust::after_two_weeks_of_alike_approvals_a_rule_is_offered_taken_and_lapses_unused",
    },
    Mutation {
        control: "rules/unreadable-means-ask",
        edits: &[(
            "crates/bailey-home/src/rules/mod.rs",
            "const ALL_ASKS: &str = \"anything: ask\";",
            "const ALL_ASKS: &str = \"anything: go ahead\";",
        )],
        test: "rules::rules_that_cannot_be_read_make_everything_ask",
    },
    Mutation {
        control: "rules/group-needs-approval",
        edits: &[
            ("crates/bailey-gate/src/approval.rs", "    /// Adds what was signed and how to the payload", FORGED_LEAVE),
            (
                "crates/bailey-home/src/api/rules.rs",
                "    let leave = authorise(&home, purposes::change_rules(&body.change), &body.proof, caller).await?;\n",
                "    let leave = authorise(&home, purposes::change_rules(&body.change), &body.proof, caller).await;\n    let leave = leave.or_else(|_| proof(&body.proof, caller).map(|given| Authorised::of_nobody(&given)))?;\n",
            ),
        ],
        test: "rules::a_group_changes_the_rules_that_speak_of_it",
    },
    Mutation {
        control: "rules/cedar-verbatim",
        edits: &[
            (
                "crates/bailey-home/src/rules/mod.rs",
                "if !in_words || !said.groups()",
                "if in_words && rule.id.is_empty() || !said.groups()",
            ),
            (
                "crates/bailey-home/src/rules/mod.rs",
                "parse(&rule.words).map(<[Rule; 1]>::try_from)",
                r#"parse(rule.words.trim_start_matches("(in Cedar)")).map(<[Rule; 1]>::try_from)"#,
            ),
        ],
        test: "rules::cedar_is_shown_and_kept_as_it_was_written",
    },
    Mutation {
        control: "pause/unrecorded-survives-restart",
        edits: &[
            (
                "crates/bailey-home/src/recovery.rs",
                "        Recorded::PausedBySupervisor { .. } => Some(Actor::Client),\n        Recorded::Unreadable => Some(Actor::Home),",
                "        Recorded::PausedBySupervisor { .. } => None,\n        Recorded::Unreadable => None,",
            ),
            // Either of the two does: the log then knows of a later epoch than the record.
            (
                "crates/bailey-home/src/recovery.rs",
                "        Recorded::Open { epoch } if epoch < log_epoch => {",
                "        Recorded::Open { epoch } if epoch < log_epoch && log_epoch == u64::MAX => {",
            ),
        ],
        test: "stops::a_pause_that_could_not_be_marked_is_written_down_by_the_home_that_comes_up",
    },
    Mutation {
        control: "pause/always-logged",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            "if paused && !says_paused(&ledger)? =>",
            "if paused && says_paused(&ledger)? && false =>",
        )],
        test: "stops::every_pause_is_in_the_log_and_no_older_record_takes_it_back",
    },
    Mutation {
        control: "pause/older-record-loses",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            "        Recorded::Open { epoch } if epoch < log_epoch => {",
            "        Recorded::Open { epoch } if epoch < log_epoch && log_epoch == u64::MAX => {",
        )],
        test: "stops::every_pause_is_in_the_log_and_no_older_record_takes_it_back",
    },
    Mutation {
        control: "delete/no-new-home",
        edits: &[(
            "crates/bailey-home/src/layout.rs",
            "if fs::symlink_metadata(self.deletion_marker()).is_ok() {",
            "if fs::symlink_metadata(self.deletion_marker()).is_ok_and(|_| false) {",
        )],
        test: "house::a_deletion_goes_on_whatever_lies_in_its_way_and_takes_no_new_home_along",
    },
];
