//! Controls of the gate: answers, pauses, claims, deadlines, what a person is shown.

use crate::mutations::Mutation;

pub(super) const GATE: &[Mutation] = &[
    Mutation {
        control: "show/every-recipient",
        edits: &[(
            "crates/bailey-gate/src/family/mail/preview.rs",
            r#"("Bcc (hidden from the others)", &message.bcc)]"#,
            r#"("Bcc (hidden from the others)", &Vec::new())]"#,
        )],
        test: "bytes::previews_are_safe_to_print",
    },
    Mutation {
        control: "approval/shown-digests",
        edits: &[(
            "crates/bailey-gate/src/gate/answer.rs",
            "ruled.filter(|_| bound && row.digest == *digest)",
            "ruled.filter(|_| bound && (row.digest == row.digest || row.digest == *digest))",
        )],
        test: "road::only_the_exact_answer_of_the_person_counts",
    },
    Mutation {
        control: "approval/generation-in-digest",
        edits: &[(
            "crates/bailey-gate/src/content.rs",
            r#"        binding.encode(&mut out);
        out.text(class.name())"#,
            r#"        out.bytes(binding.home.as_bytes()).bytes(binding.id.as_bytes());
        out.text(class.name())"#,
        )],
        test: "bytes::every_bound_part_changes_the_digest",
    },
    Mutation {
        control: "approval/challenge-single-use",
        edits: &[(
            "crates/bailey-gate/src/challenges.rs",
            " && !self.used.contains_key(challenge)",
            " && (!self.used.contains_key(challenge) || asked.boot_ms > 0)",
        )],
        test: "road::only_the_exact_answer_of_the_person_counts",
    },
    Mutation {
        control: "approval/challenges-inexhaustible",
        edits: &[
            (
                "crates/bailey-gate/src/gate/answer.rs",
                "        self.challenges.lock().unwrap_or_else(PoisonError::into_inner).open(random, epoch, now)",
                "        let mut all = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        all.close_after_many(now);
        all.open(random, epoch, now)",
            ),
            (
                "crates/bailey-gate/src/challenges.rs",
                "    fn code(&self, random: &[u8], asked: Asked, now: Now)",
                "    pub(crate) fn close_after_many(&mut self, now: Now) {
        const MANY: usize = 64;
        static ASKED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        if ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % MANY == MANY - 1 {
            self.closed = Some(now.boot_ms);
        }
    }

    fn code(&self, random: &[u8], asked: Asked, now: Now)",
            ),
        ],
        test: "road::however_many_challenges_are_asked_for_the_persons_counts",
    },
    Mutation {
        control: "verify/approval-signature",
        edits: &[(
            "crates/bailey-verify/src/approval.rs",
            r#"key.verify_strict(signed, &signature).map_err(|_| "has an approval whose signature is wrong")"#,
            r#"key.verify_strict(signed, &signature).map_err(|_| "").or(Ok(()))"#,
        )],
        test: "approvals::a_signature_that_is_flipped_missing_or_for_something_else_is_named",
    },
    Mutation {
        control: "verify/passkey-challenge",
        edits: &[(
            "crates/bailey-verify/src/passkey.rs",
            "client.challenge != BASE64URL.encode(Sha256::digest(signed))",
            "client.challenge.len() != BASE64URL.encode(Sha256::digest(signed)).len()",
        )],
        test: "passkeys::an_answer_of_another_page_host_challenge_or_without_the_person_is_no_approval",
    },
    Mutation {
        control: "verify/passkey-page",
        edits: &[(
            "crates/bailey-verify/src/passkey.rs",
            "host_of(&client.origin) != Some(&self.rp)",
            "host_of(&client.origin).is_none()",
        )],
        test: "passkeys::an_answer_of_another_page_host_challenge_or_without_the_person_is_no_approval",
    },
    Mutation {
        control: "verify/passkey-person",
        edits: &[(
            "crates/bailey-verify/src/passkey.rs",
            "flags & (PRESENT | VERIFIED) != PRESENT | VERIFIED",
            "flags & (PRESENT | VERIFIED) == 0",
        )],
        test: "passkeys::an_answer_of_another_page_host_challenge_or_without_the_person_is_no_approval",
    },
    Mutation {
        control: "verify/passkey-host",
        edits: &[(
            "crates/bailey-verify/src/passkey.rs",
            "if host != Sha256::digest(&self.rp).as_slice() {",
            "if host.len() != Sha256::digest(&self.rp).len() {",
        )],
        test: "passkeys::an_answer_of_another_page_host_challenge_or_without_the_person_is_no_approval",
    },
    Mutation {
        control: "verify/passkey-signature",
        edits: &[(
            "crates/bailey-verify/src/passkey.rs",
            "if self.key.made(&message, answer.signature) {",
            "if self.key.made(&message, answer.signature) || !message.is_empty() {",
        )],
        test: "passkeys::a_passkeys_evidence_changed_by_one_bit_is_refused_wherever_it_is",
    },
    Mutation {
        control: "verify/passkey-name",
        edits: &[(
            "crates/bailey-verify/src/passkey.rs",
            "is_some_and(|id| id != answer.credential_id)",
            "is_some_and(|id| id.len() != answer.credential_id.len())",
        )],
        test: "passkeys::a_passkeys_evidence_changed_by_one_bit_is_refused_wherever_it_is",
    },
    Mutation {
        control: "verify/growth-proof",
        edits: &[(
            "crates/bailey-verify/src/grown.rs",
            "end == 0 && of_old == old && of_new == new",
            "end == 0 && of_old.len() == old.len() && of_new == new",
        )],
        test: "grown::a_log_of_another_history_or_key_proves_nothing_of_the_one_that_was_seen",
    },
    Mutation {
        control: "verify/growth-key",
        edits: &[(
            "crates/bailey-verify/src/grown.rs",
            "if new.origin != log || !new.is_signed_by(&key) {",
            "if new.origin != log {",
        )],
        test: "grown::a_log_of_another_history_or_key_proves_nothing_of_the_one_that_was_seen",
    },
    Mutation {
        control: "verify/approval-subject",
        edits: &[(
            "crates/bailey-verify/src/approval.rs",
            "    (said && from.0.is_empty()).then_some(())",
            "    (said || from.0.len() < signed.len()).then_some(())",
        )],
        test: "approvals::a_signature_that_is_flipped_missing_or_for_something_else_is_named",
    },
    Mutation {
        control: "log/signed-bytes-kept",
        edits: &[(
            "crates/bailey-gate/src/gate/answer.rs",
            r#"payload: authorised.shown_in(Payload::default().digest("digest", digest)),"#,
            r#"payload: Payload::default().digest("digest", digest),"#,
        )],
        test: "evidence::an_export_shows_who_approved",
    },
    Mutation {
        control: "log/home-evidence-kept",
        edits: &[(
            "crates/bailey-gate/src/approval.rs",
            "Event { approval: Some(self.approval), payload: self.shown_in(says), ..entry }",
            "Event { approval: Some(self.approval), payload: says, ..entry }",
        )],
        test: "evidence::an_export_shows_who_approved",
    },
    Mutation {
        control: "log/undo-evidence-kept",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            r#"    authorised.shown_in(payload.text("undo_of", of.to_string()))"#,
            r#"    let _ = authorised;
    payload.text("undo_of", of.to_string())"#,
        )],
        test: "evidence::an_export_shows_who_approved",
    },
    Mutation {
        control: "undo/exactly-those",
        edits: &[(
            "crates/bailey-gate/src/approval.rs",
            r#"                out.byte(5).list(all, |out, of| {
                    out.bytes(of.as_bytes());
                });"#,
            r#"                let _ = all;
                out.byte(5);"#,
        )],
        test: "undoing::a_whole_task_is_undone_from_its_page_by_one_touch_for_exactly_what_was_shown",
    },
    Mutation {
        control: "undo/each-once",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "        leave.of.swap_remove(place);\n",
            "        let _ = place;\n",
        )],
        test: "life::leave_to_undo_several_covers_each_of_them_once_and_none_after_a_pause",
    },
    Mutation {
        control: "undo/leave-ends-with-pause",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "            if self.lock.pause_state().epoch != epoch {",
            "            if self.lock.pause_state().epoch < epoch {",
        )],
        test: "life::leave_to_undo_several_covers_each_of_them_once_and_none_after_a_pause",
    },
    Mutation {
        control: "verify/parameters-agree",
        edits: &[(
            "crates/bailey-verify/src/approval.rs",
            "            hash == hash_of(&parameters) && does(header, what, &parameters, payload)?",
            "            hash == hash_of(&parameters) && does(header, what, &parameters, payload).is_some()",
        )],
        test: "approvals::what_the_person_alone_can_do_is_checked_against_what_they_signed",
    },
    Mutation {
        control: "approval/challenge-age",
        edits: &[(
            "crates/bailey-gate/src/challenges.rs",
            "let in_time = now.boot_ms.saturating_sub(asked.boot_ms) < CHALLENGE_MS;",
            "let in_time = now.boot_ms.saturating_sub(asked.boot_ms) < u64::MAX;",
        )],
        test: "life::time_runs_out_for_answers_challenges_and_approvals",
    },
    Mutation {
        control: "approval/challenge-own-run",
        edits: &[(
            "crates/bailey-gate/src/challenges.rs",
            "(code.len() == CODE_BYTES && differs == 0)",
            "(code.len() == CODE_BYTES && (differs == 0 || differs > 0))",
        )],
        test: "tests::a_challenge_is_ours_unaltered_of_this_boot_and_young",
    },
    Mutation {
        control: "resume/epoch-signed",
        edits: &[(
            "crates/bailey-gate/src/approval.rs",
            "                out.byte(2).number(*epoch);",
            "                out.byte(2).number(*epoch * 0);",
        )],
        test: "stops::an_answer_that_ends_a_pause_ends_no_later_one",
    },
    Mutation {
        control: "resume/unseen-pause-stays",
        edits: &[(
            "crates/bailey-gate/src/challenges.rs",
            "Purpose::Resume { epoch } if *epoch > asked.epoch);",
            "Purpose::Resume { epoch } if *epoch < asked.epoch);",
        )],
        test: "stops::an_answer_that_ends_a_pause_ends_no_later_one",
    },
    Mutation {
        control: "resume/last-pause-only",
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
        test: "stops::an_answer_that_ends_a_pause_ends_no_later_one",
    },
    Mutation {
        control: "resume/needs-approval",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "        let authorised = self.authorise(&Purpose::Resume { epoch }, proof, now)?;",
            r#"        let approval = crate::event::Approval {
            credential: proof.credential,
            client: proof.client,
            session: proof.session,
            stepped_up: true,
        };
        let believed = self.authorise(&Purpose::Resume { epoch }, proof, now);
        let (signed, assertion, parameters) = (Vec::new(), Vec::new(), Vec::new());
        let nothing = crate::approval::Authorised { approval, signed, assertion, parameters };
        let authorised = believed.unwrap_or(nothing);"#,
        )],
        test: "stops::pause_stops_what_waits_and_what_is_held_and_survives_a_restart",
    },
    Mutation {
        control: "gate/surroundings-compared",
        edits: &[(
            "crates/bailey-gate/src/gate/weigh.rs",
            "        if view.surroundings() != seen.surroundings || self.policy.version() != weighed.version {",
            "        if self.policy.version() != weighed.version {",
        )],
        test: "looks::claim_judged_before_a_revocation_is_denied",
    },
    Mutation {
        control: "gate/rules-compared",
        edits: &[(
            "crates/bailey-gate/src/gate/weigh.rs",
            "        if view.surroundings() != seen.surroundings || self.policy.version() != weighed.version {",
            "        if view.surroundings() != seen.surroundings {",
        )],
        test: "looks::claim_judged_by_other_rules_is_judged_again",
    },
    Mutation {
        control: "gate/counts-again",
        edits: &[(
            "crates/bailey-gate/src/gate/weigh.rs",
            "        if facts.differing(&seen.facts).into_iter().any(|fact| self.policy.heeds(seen.kind, fact)) {",
            "        if facts.differing(&seen.facts).into_iter().all(|fact| self.policy.heeds(seen.kind, fact) && false) && false {",
        )],
        test: "looks::claim_judged_before_its_task_read_what_others_wrote_is_judged_again",
    },
    Mutation {
        control: "floor/links-in-names",
        edits: &[("crates/bailey-gate/src/family/mail.rs", ".chain(names).chain(files)", "")],
        test: "tests::names_of_people_and_files_are_text_for_others",
    },
    Mutation {
        control: "approval/edit-asks",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "                By::Edit => Some(reason::EDITED),",
            "                By::Edit => Some(reason::EDITED).filter(|_| facts.amount > u64::MAX - 1),",
        )],
        test: "road::an_edit_asks_also_where_a_rule_would_let_it_go",
    },
    Mutation {
        control: "approval/one-outcome",
        edits: &[(
            "crates/bailey-gate/src/gate/mod.rs",
            "        if !from.may_become(to) {",
            "        if !from.may_become(to) && !matches!(to, State::Rejected | State::Superseded) {",
        )],
        test: "devices::of_two_devices_that_answer_at_once_one_counts_and_the_other_is_told",
    },
    Mutation {
        control: "approval/own-home",
        edits: &[
            (
                "crates/bailey-gate/src/challenges.rs",
                "(code.len() == CODE_BYTES && differs == 0)",
                "(code.len() == CODE_BYTES && (differs == 0 || differs > 0))",
            ),
            ("crates/bailey-gate/src/approval.rs", ".bytes(home.as_bytes())", ".bytes(&home.as_bytes()[..0])"),
        ],
        test: "devices::what_lets_into_one_home_lets_into_no_other",
    },
    Mutation {
        control: "approval/edit-supersedes",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            r#"            self.step(tx, &mut row, State::Superseded, Actor::Client, now, |entry| Event {
                reasons: vec![reason::EDITED.into()],
                payload: Payload::default().text("replaced_by", proposal.id.to_string()),
                ..entry
            })
"#,
            r#"            let _ = (&mut row, reason::EDITED);
            Ok(())
"#,
        )],
        test: "road::an_edit_asks_again_and_the_old_digest_is_worthless",
    },
    Mutation {
        control: "gate/interrupted-is-unknown",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "                let _turned = self.turn(tx, row, State::Unknown, reason::INTERRUPTED, now)?;",
            "                let _turned = self.turn(tx, row, State::NotExecuted, reason::INTERRUPTED, now)?;",
        )],
        test: "road::a_kill_between_hand_off_and_answer_resends_nothing",
    },
    Mutation {
        control: "pause/hand-off-lock",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            r#"        let now = self.lock();
        if now.pause_state.mode != Mode::Open {"#,
            r#"        let now = *self.lock();
        if now.pause_state.mode != Mode::Open {"#,
        )],
        test: "races::a_pause_waits_for_the_write_under_way",
    },
    Mutation {
        control: "pause/claim-epoch",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            r#"        if (now.pause_state.epoch, now.pause_state.lease_epoch)
            != (claim.pause_state.epoch, claim.pause_state.lease_epoch)
        {"#,
            "if now.pause_state.lease_epoch != claim.pause_state.lease_epoch {",
        )],
        test: "life::pause_kills_every_older_claim",
    },
    Mutation {
        control: "pause/recorded",
        edits: &[
            (
                "crates/bailey-gate/src/gate/stop.rs",
                "let recorded = self.record.write(true, pause_state.epoch);",
                "let recorded = self.record.write(false, pause_state.epoch);",
            ),
            (
                "crates/bailey-home/src/recovery.rs",
                "Recorded::Open { epoch } if says_paused => {",
                "Recorded::Open { epoch } if says_paused && epoch == u64::MAX => {",
            ),
        ],
        test: "stops::pause_stops_what_waits_and_what_is_held_and_survives_a_restart",
    },
    Mutation {
        control: "pause/resume-asks-again",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            r#"        let asked_again = self.revoke_approvals(reason::PAUSED, now)?;
"#,
            r#"        let asked_again = Vec::new();
"#,
        )],
        test: "stops::pause_stops_what_waits_and_what_is_held_and_survives_a_restart",
    },
    Mutation {
        control: "pause/stops-model-requests",
        edits: &[
            (
                "crates/bailey-gate/src/handoff.rs",
                "(Self::Revocation, _) | (_, Mode::Open)",
                "(Self::Revocation | Self::Model, _) | (_, Mode::Open)",
            ),
            (
                "crates/bailey-home/src/tasks.rs",
                "                    if self.gate.lock().pause_state().mode != Mode::Open {",
                "                    if self.gate.lock().pause_state().epoch == u64::MAX {",
            ),
        ],
        test: "stops::pause_stops_a_running_task_and_a_mail_between_claim_and_hand_off",
    },
    Mutation {
        control: "revoke/checked-at-claim",
        edits: &[(
            "crates/bailey-gate/src/gate/facts.rs",
            "                (Some((_, generation)), Some(grant)) => grant.active && grant.generation == *generation,",
            "                (Some(_), Some(grant)) => grant.active || !grant.active,",
        )],
        test: "life::everything_is_checked_again_when_claiming",
    },
    Mutation {
        control: "revoke/invalidates-claims",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "        if now.cuts != claim.cuts {",
            "        if now.cuts < claim.cuts {",
        )],
        test: "life::a_revocation_ends_every_older_claim",
    },
    Mutation {
        control: "pause/check-and-write-atomic",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "            return Err(Refused::Cut);\n        }\n        Ok(write())",
            "            return Err(Refused::Cut);\n        }\n        drop(now);\n        let _again = self.lock();\n        Ok(write())",
        )],
        test: "tests::looking_and_writing_are_one_step_however_tight_the_race",
    },
    Mutation {
        control: "known/approvals-teach",
        edits: &[
            (
                "crates/bailey-gate/src/gate/claim.rs",
                "            && self.look(|view| Ok(view.row(id)?))?.is_some_and(|row| row.approval.is_some());",
                "            && self.look(|view| Ok(view.row(id)?))?.is_some();",
            ),
            (
                "crates/bailey-gate/src/gate/claim.rs",
                "            if bound && row.approval.is_some() {",
                "            if bound {",
            ),
        ],
        test: "life::what_runs_by_itself_teaches_nothing",
    },
    Mutation {
        control: "revoke/works-while-paused",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "(Self::Revocation, _) | (_, Mode::Open)",
            "(Self::TokenRefresh, _) | (_, Mode::Open)",
        )],
        test: "accounts::revoking_works_while_everything_is_paused_and_tells_the_provider",
    },
    Mutation {
        control: "approval/guess-limit",
        edits: &[(
            "crates/bailey-gate/src/challenges.rs",
            "        if wrong.len() >= MAX_WRONG && !is_passkey {",
            "        if wrong.len() >= 1_000 * MAX_WRONG && !is_passkey {",
        )],
        test: "life::guessing_is_logged_and_cut_off",
    },
    Mutation {
        control: "gate/question-limit",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "            if tx.view().count_of_task(&task, State::Awaiting)? >= MAX_WAITING_PER_TASK {",
            "            if tx.view().count_of_task(&task, State::Awaiting)? >= 1_000 * MAX_WAITING_PER_TASK {",
        )],
        test: "hijack::a_flood_of_questions_is_cut_off",
    },
    Mutation {
        control: "gate/off-task-limit",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "            && (tx.view().marks(&task)?.off_task >= MAX_OFF_TASK_PER_TASK",
            "            && (tx.view().marks(&task)?.off_task >= 1_000 * MAX_OFF_TASK_PER_TASK",
        )],
        test: "hijack::a_task_that_keeps_asking_for_what_it_was_not_given_changes_nothing_any_more",
    },
    Mutation {
        control: "gate/critical-needs-presence",
        edits: &[(
            "crates/bailey-gate/src/gate/answer.rs",
            "    if question.class == Class::Critical && question.evidence != Evidence::SteppedUp {",
            "    if question.class == Class::Critical && question.evidence == Evidence::None {",
        )],
        test: "life::what_cannot_be_taken_back_never_runs_without_presence",
    },
    Mutation {
        control: "gate/permits-private",
        edits: &[(
            "crates/bailey-gate/src/permit.rs",
            r#"pub struct Permit {
    pub(crate) id: ActionId,
    pub(crate) digest: Digest,
}"#,
            r#"pub struct Permit {
    /// x
    pub id: ActionId,
    /// x
    pub digest: Digest,
}"#,
        )],
        test: "main::forbidden_code_does_not_compile",
    },
    Mutation {
        control: "calendar/each-decides",
        edits: &[(
            "crates/bailey-gate/src/gate/weigh.rs",
            "let also = content.action.also().iter();",
            "let also = content.action.also().iter().take(0);",
        )],
        test: "series::a_look_at_several_calendars_asks_where_one_of_them_asks",
    },
    Mutation {
        control: "calendar/invitation-shown",
        edits: &[(
            "crates/bailey-gate/src/family/mail/preview.rs",
            r#"            out.item("Invitation", &line);"#,
            "            let _ = line;",
        )],
        test: "calendars::guests_are_invited_by_a_mail_that_asks_and_shows_the_whole_invitation",
    },
    Mutation {
        control: "calendar/answer-shown",
        edits: &[(
            "crates/bailey-gate/src/family/mail/message.rs",
            "Some(text.replace(\"\\r\\n \", \"\").split",
            "Some(text.replace(\"METHOD:REPLY\", \"\").replace(\"\\r\\n \", \"\").split",
        )],
        test: "writing::an_invitation_in_a_mail_is_answered_by_a_mail_that_asks_and_shows_the_whole_answer",
    },
    Mutation {
        control: "time/two-clocks",
        edits: &[(
            "crates/bailey-gate/src/time.rs",
            "        let elapsed = if now.boot_id == self.set.boot_id {",
            "        let elapsed = if now.boot_ms == u64::MAX && now.boot_id == self.set.boot_id {",
        )],
        test: "clocks::a_clock_that_is_set_moves_no_hold_window_and_no_end_of_a_question",
    },
    Mutation {
        control: "taint/notes",
        edits: &[(
            "crates/bailey-gate/src/gate/claim.rs",
            "Arriving::AsNotes => tx.view().notes_taint()?,",
            "Arriving::AsNotes => tx.view().notes_taint().map(|_| Taint::default())?,",
        )],
        test: "provenance::a_note_is_no_more_to_be_trusted_than_what_its_task_had_read",
    },
    Mutation {
        control: "gate/refusal-limit",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "pub const MAX_REFUSED_PER_TASK: u64 = 4;",
            "pub const MAX_REFUSED_PER_TASK: u64 = 4_000;",
        )],
        test: "decide::a_task_that_is_refused_again_and_again_is_stopped",
    },
];
