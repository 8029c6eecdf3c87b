//! Every control, and how to take it out.

use super::Mutation;

/// One for each control that `SECURITY.md` names.
pub const MUTATIONS: &[Mutation] = &[
    Mutation {
        control: "asking before mail",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            r#"permit (principal, action == Action::"mail.draft", resource);"#,
            r#"permit (principal, action in [Action::"mail.draft", Action::"mail.send"], resource);"#,
        )],
        test: "road::a_mail_leaves_only_after_approval_once_and_as_previewed",
    },
    Mutation {
        control: "preview of every receiver",
        edits: &[(
            "crates/bailey-gate/src/preview.rs",
            r#"("Bcc (hidden from the others)", &message.bcc)]"#,
            r#"("Bcc (hidden from the others)", &Vec::new())]"#,
        )],
        test: "bytes::previews_are_safe_to_print",
    },
    Mutation {
        control: "digests of the answer",
        edits: &[(
            "crates/bailey-gate/src/gate/answer.rs",
            "content.filter(|_| row.digest == digest).ok_or(GateError::Changed(id))?",
            "content.filter(|_| row.digest == row.digest || row.digest == digest).ok_or(GateError::Changed(id))?",
        )],
        test: "road::only_the_exact_answer_of_the_person_counts",
    },
    Mutation {
        control: "generation in the digest",
        edits: &[(
            "crates/bailey-gate/src/content.rs",
            r#"        self.encode_binding(&mut out);
        out.text(self.class().name())"#,
            r#"        out.bytes(self.home.as_bytes()).bytes(self.id.as_bytes());
        out.text(self.class().name())"#,
        )],
        test: "bytes::every_bound_part_changes_the_digest",
    },
    Mutation {
        control: "one use of a challenge",
        edits: &[(
            "crates/bailey-gate/src/approval.rs",
            "self.open.remove(&proof.nonce).ok_or(Unproven::Stale)?",
            "self.open.get(&proof.nonce).copied().ok_or(Unproven::Stale)?",
        )],
        test: "road::only_the_exact_answer_of_the_person_counts",
    },
    Mutation {
        control: "approval signature",
        edits: &[(
            "crates/bailey-home/src/opening.rs",
            "bailey_keys::sign::verify(&one.public, message, signature).then_some(true)",
            "(one.public.is_empty() || message.len() + signature.len() > 0).then_some(true)",
        )],
        test: "road::only_the_exact_answer_of_the_person_counts",
    },
    Mutation {
        control: "leave to connect",
        edits: &[(
            "crates/bailey-home/src/api/connections.rs",
            r#"    home.gate.authorise(&Purpose::Home { what: "connect", parameters }, &proof(&body.proof)?, home.clock.now())?;
"#,
            r#"    let _ = (Purpose::Home { what: "connect", parameters }, proof(&body.proof)?);
"#,
        )],
        test: "stops::connecting_needs_the_person",
    },
    Mutation {
        control: "leave to resume",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "        let approval = self.authorise(&Purpose::Resume, proof, now)?;",
            r#"        let anyone = crate::event::Approval {
            credential: proof.credential,
            client: proof.client,
            session: proof.session,
            stepped_up: true,
        };
        let approval = self.authorise(&Purpose::Resume, proof, now).unwrap_or(anyone);"#,
        )],
        test: "stops::pause_stops_what_waits_and_what_is_held_and_survives_a_restart",
    },
    Mutation {
        control: "an edit replaces",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            r#"            self.step(tx, &mut row, State::Superseded, Actor::Client, now, |entry| Event {
                reasons: vec![reason::EDITED.into()],
                payload: Payload::default().text("replaced_by", by.to_string()),
                ..entry
            })?;
"#,
            r#"            let _ = (&mut row, by, reason::EDITED);
"#,
        )],
        test: "road::an_edit_asks_again_and_the_old_digest_is_worthless",
    },
    Mutation {
        control: "approvals outlive a crash",
        edits: &[(
            "crates/bailey-home/src/opening.rs",
            r#"    gate.expire(now)?;
    Ok(())"#,
            r#"    gate.expire(now)?;
    gate.ask_again(bailey_gate::reason::PAUSED, now)?;
    Ok(())"#,
        )],
        test: "road::approvals_and_approved_mail_survive_kill_9",
    },
    Mutation {
        control: "what was under way is unknown",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "                let _turned = self.turn(tx, row, State::Unknown, reason::INTERRUPTED, now)?;",
            "                let _turned = self.turn(tx, row, State::NotExecuted, reason::INTERRUPTED, now)?;",
        )],
        test: "road::a_kill_between_hand_off_and_answer_resends_nothing",
    },
    Mutation {
        control: "no answer is no refusal",
        edits: &[(
            "crates/bailey-vault/src/smtp.rs",
            r#"                Outcome::new(Effect::Unknown, format!("the mail server did not confirm: {}", words(&error)))"#,
            r#"                Outcome::new(Effect::Refused, format!("the mail server did not confirm: {}", words(&error)))"#,
        )],
        test: "road::an_ambiguous_outcome_is_handed_to_the_person_and_never_resent",
    },
    Mutation {
        control: "hand-off lock",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            r#"        let now = self.lock();
        if now.valve.mode != Mode::Open {"#,
            r#"        let now = *self.lock();
        if now.valve.mode != Mode::Open {"#,
        )],
        test: "races::a_pause_waits_for_the_write_under_way",
    },
    Mutation {
        control: "epoch of a claim",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "if (now.valve.epoch, now.valve.lease_epoch) != (claim.valve.epoch, claim.valve.lease_epoch) {",
            "if now.valve.lease_epoch != claim.valve.lease_epoch {",
        )],
        test: "life::pause_kills_every_older_claim",
    },
    Mutation {
        control: "pause record",
        edits: &[
            (
                "crates/bailey-gate/src/gate/stop.rs",
                "let recorded = self.record.write(true, valve.epoch);",
                "let recorded = self.record.write(false, valve.epoch);",
            ),
            (
                "crates/bailey-home/src/opening.rs",
                "Recorded::Open { epoch } if says_paused => {",
                "Recorded::Open { epoch } if says_paused && epoch == u64::MAX => {",
            ),
        ],
        test: "stops::pause_stops_what_waits_and_what_is_held_and_survives_a_restart",
    },
    Mutation {
        control: "asking again after a pause",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            r#"        let asked_again = self.ask_again(reason::PAUSED, now)?;
"#,
            r#"        let asked_again = Vec::new();
"#,
        )],
        test: "stops::pause_stops_what_waits_and_what_is_held_and_survives_a_restart",
    },
    Mutation {
        control: "damaged means paused",
        edits: &[(
            "crates/bailey-home/src/opening.rs",
            r#"            (Mode::Paused, log_epoch + 1)
        }
    };"#,
            r#"            (Mode::Open, log_epoch + 1)
        }
    };"#,
        )],
        test: "stops::pausing_needs_no_proof_and_works_when_the_record_is_damaged_at_start",
    },
    Mutation {
        control: "the log's word about pausing",
        edits: &[(
            "crates/bailey-home/src/opening.rs",
            "Recorded::Open { epoch } if says_paused => {",
            "Recorded::Open { epoch } if says_paused && epoch == u64::MAX => {",
        )],
        test: "stops::a_missing_record_or_database_opens_nothing",
    },
    Mutation {
        control: "older epochs do not win",
        edits: &[(
            "crates/bailey-ledger/src/pause.rs",
            "        if epoch < *last {",
            "        if epoch == u64::MAX && epoch < *last {",
        )],
        test: "tests::damaged_means_paused_and_older_epochs_do_not_win",
    },
    Mutation {
        control: "model requests under the lock",
        edits: &[
            (
                "crates/bailey-gate/src/handoff.rs",
                "(Self::Revocation, _) | (_, Mode::Open)",
                "(Self::Revocation | Self::Model, _) | (_, Mode::Open)",
            ),
            (
                "crates/bailey-home/src/tasks.rs",
                "                    if self.gate.lock().valve().mode != Mode::Open {",
                "                    if self.gate.lock().valve().epoch == u64::MAX {",
            ),
        ],
        test: "stops::pause_stops_a_running_task_and_a_mail_between_claim_and_hand_off",
    },
    Mutation {
        control: "grants at the claim",
        edits: &[(
            "crates/bailey-gate/src/gate/mod.rs",
            "                (Some((_, generation)), Some(grant)) => grant.active && grant.generation == *generation,",
            "                (Some(_), Some(grant)) => grant.active || !grant.active,",
        )],
        test: "life::everything_is_checked_again_when_claiming",
    },
    Mutation {
        control: "cut at a revocation",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "        if now.cuts != claim.cuts {",
            "        if now.cuts < claim.cuts {",
        )],
        test: "life::a_revocation_ends_every_older_claim",
    },
    Mutation {
        control: "cut behind a revocation",
        edits: &[(
            "crates/bailey-vault/src/lib.rs",
            "    let ended = end();\n    cut();\n",
            "    let ended = end();\n",
        )],
        test: "tests::what_ends_is_cut_before_and_behind",
    },
    Mutation {
        control: "looking and writing in one step",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "            return Err(Refused::Cut);\n        }\n        Ok(write())",
            "            return Err(Refused::Cut);\n        }\n        drop(now);\n        let _again = self.lock();\n        Ok(write())",
        )],
        test: "tests::looking_and_writing_are_one_step_however_tight_the_race",
    },
    Mutation {
        control: "claims in the log",
        edits: &[(
            "crates/bailey-ledger/src/tx.rs",
            "        self.append(&entry, None)?;\n        let approval = row.approval.as_ref();",
            "        if row.state != State::Claimed {\n            self.append(&entry, None)?;\n        }\n        let approval = row.approval.as_ref();",
        )],
        test: "evidence::the_log_alone_says_where_every_action_stands_and_how_it_got_there",
    },
    Mutation {
        control: "cut at a pause",
        edits: &[(
            "crates/bailey-home/src/api/house.rs",
            "    let report = blocking(move || Ok(gate.pause(Actor::Client, now, || vault.reset()))).await?;",
            "    let report = blocking(move || Ok(gate.pause(Actor::Client, now, || drop(vault)))).await?;",
        )],
        test: "stops::a_pause_cuts_what_is_open_at_once",
    },
    Mutation {
        control: "ending connections before deleting",
        edits: &[(
            "crates/bailey-home/src/api/house.rs",
            "    for row in standing {",
            "    for row in standing.into_iter().take(0) {",
        )],
        test: "accounts::deleting_the_home_ends_its_connections_at_the_provider",
    },
    Mutation {
        control: "level of a connection",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.level < context.needsLevel };",
            "when { context.level < context.needsLevel && context.level > 9 };",
        )],
        test: "tests::each_floor_rule_denies_or_asks_for_more",
    },
    Mutation {
        control: "level in the vault and the rules",
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
        control: "bytes of the message",
        edits: &[(
            "crates/bailey-vault/src/guard.rs",
            "(Some(given), Some(approved)) if given == approved => {",
            "(Some(given), Some(approved)) if given.len() == approved.len() => {",
        )],
        test: "tests::other_bytes_and_other_people_do_not_pass",
    },
    Mutation {
        control: "end of the message",
        edits: &[(
            "crates/bailey-vault/src/guard.rs",
            "Ok(if free > 0 { Step::Pass(count) } else { Step::HandOff(count) })",
            "Ok(Step::Pass(count))",
        )],
        test: "tests::only_the_approved_message_passes_and_its_end_is_the_hand_off",
    },
    Mutation {
        control: "lines that look",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            r#"item == "UID" || item == "FLAGS" || item == "BODY.PEEK[HEADER]" || item.starts_with("BODY.PEEK[]<0.")"#,
            r#"item == "UID" || item == "FLAGS" || item.starts_with("BODY")"#,
        )],
        test: "tests::looking_changes_nothing",
    },
    Mutation {
        control: "one move to one folder",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            r#"command == format!("UID MOVE {} {}", message.uid, quoted(to))"#,
            r#"command.starts_with("UID MOVE ") && !quoted(to).is_empty()"#,
        )],
        test: "tests::moving_moves_one_message_to_one_folder",
    },
    Mutation {
        control: "level of an account",
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
        control: "level of a calendar",
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
        control: "nothing into Sent",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.intoSentOrDrafts }",
            "when { context.intoSentOrDrafts && context.level > 9 }",
        )],
        test: "accounts::nothing_is_moved_into_sent_or_drafts",
    },
    Mutation {
        control: "own folders only",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.amongOwnFolders || context.undo };",
            "when { context.amongOwnFolders || context.level > 0 };",
        )],
        test: "accounts::moving_elsewhere_than_among_own_folders_asks",
    },
    Mutation {
        control: "undo of a move",
        edits: &[(
            "crates/bailey-connectors/src/mail.rs",
            "let (to, about) = (moved.message.folder.clone(), moved.about.clone());",
            "let (to, about) = (moved.to.clone(), moved.about.clone());",
        )],
        test: "accounts::a_trashed_and_a_moved_mail_come_back_as_they_were",
    },
    Mutation {
        control: "undo of an entry",
        edits: &[(
            "crates/bailey-connectors/src/calendar.rs",
            "        (Change::Create { .. }, Some(now)) => Change::Cancel { before: now.entry, etag: now.etag },",
            r#"        (Change::Create { .. }, Some(now)) => {
            Change::Replace { before: now.entry.clone(), etag: now.etag, after: now.entry }
        }"#,
        )],
        test: "calendars::an_entry_is_created_and_the_undo_removes_it",
    },
    Mutation {
        control: "version of an entry",
        edits: &[(
            "crates/bailey-vault/src/dav.rs",
            r#"("if-match", etag.as_str().to_owned())"#,
            r#"("x-if-match", etag.as_str().to_owned())"#,
        )],
        test: "calendars::an_entry_with_guests_asks_and_is_refused_when_it_changed_meanwhile",
    },
    Mutation {
        control: "later changes stay",
        edits: &[(
            "crates/bailey-connectors/src/calendar.rs",
            "            if !left.is_empty() && now.etag.as_str() != left =>",
            "            if !left.is_empty() && now.etag.as_str().is_empty() =>",
        )],
        test: "calendars::a_cancelled_entry_comes_back_and_a_later_change_is_not_trampled",
    },
    Mutation {
        control: "guests ask",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.receivers == 0 };",
                "when { context.receivers >= 0 };",
            ),
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.untrustedRead && context.ungroundedReceivers > 0 }",
                "when { context.untrustedRead && context.ungroundedReceivers > 9 }",
            ),
        ],
        test: "calendars::an_entry_with_guests_asks_and_is_refused_when_it_changed_meanwhile",
    },
    Mutation {
        control: "facts from sent mail",
        edits: &[(
            "crates/bailey-vault/src/mail.rs",
            "    if !author.is_some_and(|author| author.eq_ignore_ascii_case(own)) {",
            "    if author.is_none() && own.is_empty() {",
        )],
        test: "accounts::only_what_the_person_sent_makes_someone_known",
    },
    Mutation {
        control: "warning of strangers",
        edits: &[(
            "crates/bailey-home/src/provenance.rs",
            "if standing.own || standing.known {",
            "if standing.own || !standing.inside || standing.known {",
        )],
        test: "accounts::a_decoy_is_told_apart_from_the_one_the_person_wrote_to",
    },
    Mutation {
        control: "only approvals teach",
        edits: &[(
            "crates/bailey-gate/src/gate/claim.rs",
            "if outcome.result == Effect::Done && row.approval.is_some() {",
            "if outcome.result == Effect::Done {",
        )],
        test: "life::what_runs_by_itself_teaches_nothing",
    },
    Mutation {
        control: "scopes asked for",
        edits: &[(
            "crates/bailey-vault/src/oauth.rs",
            "        if granted.scope.is_some() && !missing.is_empty() {",
            "        if granted.scope.is_none() && !missing.is_empty() {",
        )],
        test: "accounts::unticked_boxes_foreign_answers_and_refusals_connect_nothing",
    },
    Mutation {
        control: "telling until confirmed",
        edits: &[(
            "crates/bailey-vault/src/lib.rs",
            "        if !matches!(told, Revocation::Unconfirmed(_)) {",
            "        if !matches!(told, Revocation::Before) {",
        )],
        test: "accounts::revoking_does_not_wait_for_a_provider_that_is_gone",
    },
    Mutation {
        control: "telling the provider",
        edits: &[(
            "crates/bailey-vault/src/oauth.rs",
            "                let (status, _) = self.ask(Method::POST, &url, SystemEgress::Revocation, body).await?;",
            "                let status = if body.is_empty() || url.is_empty() { 0 } else { 200 };",
        )],
        test: "accounts::signing_in_with_a_browser_connects_renews_and_revokes",
    },
    Mutation {
        control: "renewals stop and revocations do not",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "(Self::Revocation, _) | (_, Mode::Open)",
            "(Self::TokenRefresh, _) | (_, Mode::Open)",
        )],
        test: "accounts::revoking_works_while_everything_is_paused_and_tells_the_provider",
    },
    Mutation {
        control: "TLS or this machine",
        edits: &[(
            "crates/bailey-vault/src/net.rs",
            "        if !server.tls && !address.ip().is_loopback() {",
            "        if !server.tls && address.ip().is_unspecified() {",
        )],
        test: "hijack::a_server_that_cannot_be_reached_loses_nothing",
    },
    Mutation {
        control: "server names in certificates",
        edits: &[(
            "crates/bailey-vault/src/net.rs",
            r#"            .with_root_certificates(roots)
"#,
            r#"            .dangerous()
            .with_custom_certificate_verifier({
                use rustls::client::danger::{HandshakeSignatureValid as Signed, ServerCertVerified, ServerCertVerifier};
                use rustls::{DigitallySignedStruct as Digital, Error, SignatureScheme};
                let _ = roots;
                #[derive(Debug)]
                struct Anyone;
                impl ServerCertVerifier for Anyone {
                    fn verify_server_cert(
                        &self,
                        _: &CertificateDer<'_>,
                        _: &[CertificateDer<'_>],
                        _: &ServerName<'_>,
                        _: &[u8],
                        _: rustls::pki_types::UnixTime,
                    ) -> Result<ServerCertVerified, Error> {
                        Ok(ServerCertVerified::assertion())
                    }
                    fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &Digital) -> Result<Signed, Error> {
                        Ok(Signed::assertion())
                    }
                    fn verify_tls13_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &Digital) -> Result<Signed, Error> {
                        Ok(Signed::assertion())
                    }
                    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
                        let provider = rustls::crypto::aws_lc_rs::default_provider();
                        provider.signature_verification_algorithms.supported_schemes()
                    }
                }
                Arc::new(Anyone)
            })
"#,
        )],
        test: "accounts::wrong_passwords_and_unknown_certificates_connect_nothing",
    },
    Mutation {
        control: "no core files",
        edits: &[(
            "crates/bailey/src/roles.rs",
            "    Ok(rustix::process::setrlimit(rustix::process::Resource::Core, none)?)",
            r#"    let _ = none;
    Ok(())"#,
        )],
        test: "accounts::no_credential_is_on_disk_in_a_prompt_in_the_log_or_in_a_crash",
    },
    Mutation {
        control: "asking whatever a model wants",
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
                "when { context.untrustedRead && context.ungroundedReceivers > 0 }",
                "when { context.untrustedRead && context.ungroundedReceivers > 9 }",
            ),
        ],
        test: "hijack::whatever_a_hijacked_model_wants_nothing_leaves_unasked",
    },
    Mutation {
        control: "one line is one line",
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
        control: "known tools only",
        edits: &[(
            "crates/bailey-connectors/src/lib.rs",
            "        unknown => return Err(BadCall::UnknownTool(unknown.into())),",
            r#"        unknown if unknown.len() > 99 => return Err(BadCall::UnknownTool(unknown.into())),
        unknown => (None, Action::MemoryWrite { note: format!("x{unknown}") }),"#,
        )],
        test: "hijack::tools_that_do_not_exist_change_nothing",
    },
    Mutation {
        control: "limit of wrong answers",
        edits: &[(
            "crates/bailey-gate/src/approval.rs",
            "        if self.wrong.len() >= MAX_WRONG {",
            "        if self.wrong.len() >= 1_000 * MAX_WRONG {",
        )],
        test: "life::guessing_is_logged_and_cut_off",
    },
    Mutation {
        control: "limit of questions",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "            if tx.count_of_task(&task, State::Awaiting)? >= MAX_WAITING_PER_TASK {",
            "            if tx.count_of_task(&task, State::Awaiting)? >= 1_000 * MAX_WAITING_PER_TASK {",
        )],
        test: "hijack::a_flood_of_questions_is_cut_off",
    },
    Mutation {
        control: "what can err",
        edits: &[(
            "crates/bailey-policy/src/lib.rs",
            "            if let Some(why) = check::fault(&json) {",
            "            if let Some(why) = check::fault(&json).filter(|_| name.is_empty()) {",
        )],
        test: "tests::what_can_err_is_refused",
    },
    Mutation {
        control: "approval the right way round",
        edits: &[(
            "crates/bailey-policy/src/check.rs",
            "            Self::With => Self::Against,",
            "            Self::With => Self::With,",
        )],
        test: "tests::approval_only_ever_allows_more",
    },
    Mutation {
        control: "leave to change rules",
        edits: &[(
            "crates/bailey-home/src/api/rules.rs",
            "    home.gate.authorise(&purpose, &proof(&body.proof)?, home.clock.now())?;\n",
            "    let _proof = (purpose, proof(&body.proof)?);\n",
        )],
        test: "rules::a_rule_lets_go_what_it_says_and_only_the_person_can_make_it",
    },
    Mutation {
        control: "rules of an older copy",
        edits: &[(
            "crates/bailey-home/src/opening.rs",
            "    crate::rules::narrow(ledger, Actor::Home, now, valve)?;\n",
            "",
        )],
        test: "rules::an_older_copy_revives_no_rule_that_lets_anything_go",
    },
    Mutation {
        control: "limit of odd questions",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "            && (tx.marks(&task)?.odd >= MAX_ODD_PER_TASK",
            "            && (tx.marks(&task)?.odd >= 1_000 * MAX_ODD_PER_TASK",
        )],
        test: "hijack::a_task_that_keeps_asking_for_what_it_was_not_given_changes_nothing_any_more",
    },
    Mutation {
        control: "links after reading",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.untrustedRead && context.foreignLinks > 0 }",
            "when { context.untrustedRead && context.foreignLinks < 0 }",
        )],
        test: "rehearsal::after_others_words_links_and_strangers_ask_under_every_profile",
    },
    Mutation {
        control: "links in texts",
        edits: &[(
            "crates/bailey-gate/src/ground.rs",
            "trimmed.filter_map(link).map(str::to_owned).collect()",
            "trimmed.filter_map(link).filter(|found| found.is_empty()).map(str::to_owned).collect()",
        )],
        test: "rehearsal::after_others_words_links_and_strangers_ask_under_every_profile",
    },
    Mutation {
        control: "after secrets",
        edits: &[(
            "crates/bailey-gate/src/gate/mod.rs",
            "            confidential_read: marks.brought.confidential,",
            "            confidential_read: marks.brought.confidential && false,",
        )],
        test: "rehearsal::after_secrets_nothing_leaves_unasked",
    },
    Mutation {
        control: "tools nobody described",
        edits: &[(
            "crates/bailey-gate/src/gate/mod.rs",
            "            undescribed: action.is_undescribed(),",
            "            undescribed: false,",
        )],
        test: "rehearsal::tools_nobody_described_critical_ones_and_what_was_not_asked_for_ask",
    },
    Mutation {
        control: "sums",
        edits: &[(
            "crates/bailey-gate/src/gate/mod.rs",
            "            unreadable_amount: amount == Amount::Unreadable,",
            "            unreadable_amount: false,",
        )],
        test: "rehearsal::receivers_and_things_stand_on_the_words_or_the_past_or_ask",
    },
    Mutation {
        control: "escaping",
        edits: &[(
            "crates/bailey-gate/src/family/escape.rs",
            "        if is_deceptive(c) && !keep(c) {",
            r#"        if is_deceptive(c) && !keep(c) && c == '\0' {"#,
        )],
        test: "hijack::what_deceives_the_eye_is_written_out",
    },
    Mutation {
        control: "mass mail is critical",
        edits: &[(
            "crates/bailey-gate/src/family/mod.rs",
            "if message.receivers().count() > MASS_MAIL_RECEIVERS => {",
            "if message.receivers().count() > 100 * MASS_MAIL_RECEIVERS => {",
        )],
        test: "hijack::mass_mail_needs_presence_and_a_crowd_is_listed_whole",
    },
    Mutation {
        control: "presence for what is critical",
        edits: &[(
            "crates/bailey-gate/src/gate/answer.rs",
            "    if question.class == Class::Critical && question.evidence != Evidence::SteppedUp {",
            "    if question.class == Class::Critical && question.evidence == Evidence::None {",
        )],
        test: "life::what_cannot_be_taken_back_never_runs_without_presence",
    },
    Mutation {
        control: "an error is a no",
        edits: &[(
            "crates/bailey-policy/src/lib.rs",
            "        if let Some(error) = response.diagnostics().errors().next() {",
            "        if let Some(error) = response.diagnostics().errors().nth(9) {",
        )],
        test: "tests::an_erring_forbid_denies",
    },
    Mutation {
        control: "hierarchy of actions",
        edits: &[(
            "crates/bailey-policy/src/lib.rs",
            "Entities::from_entities(people, Some(&schema))",
            "Entities::from_entities(people, None)",
        )],
        test: "tests::the_action_hierarchy_is_loaded",
    },
    Mutation {
        control: "private fields of permits",
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
        control: "hashes of payloads",
        edits: &[(
            "crates/bailey-verify/src/lib.rs",
            "        if hex(&Sha256::digest(&bytes)) == *expected {",
            "        if hex(&Sha256::digest(&bytes)).len() == expected.len() {",
        )],
        test: "evidence::the_verifier_tells_damage_apart",
    },
    Mutation {
        control: "the pin",
        edits: &[(
            "crates/bailey-verify/src/lib.rs",
            "    if reading.at_pin != Some(pin.root) {",
            "    if reading.at_pin.is_none() {",
        )],
        test: "evidence::a_rewritten_history_diverges_from_the_pin",
    },
    Mutation {
        control: "accounts of their own",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            r#"    let (user, group) = (Uid::from_raw(identity.user), Gid::from_raw(identity.group));
    rustix::thread::set_no_new_privs(true)?;"#,
            r#"    let (user, group) = (Uid::from_raw(identity.user), Gid::from_raw(identity.group));
    if identity.user > 0 {
        return Ok(());
    }
    rustix::thread::set_no_new_privs(true)?;"#,
        )],
        test: "house::processes_run_under_accounts_of_their_own_where_root_starts_them",
    },
    Mutation {
        control: "a session of their own",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            r#"    rustix::process::setsid()?;
"#,
            r#"    let _ = rustix::process::getpid();
"#,
        )],
        test: "house::home_and_gateway_are_in_no_session_but_their_own_and_gain_no_rights",
    },
    Mutation {
        control: "links are not followed",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            "    let alone = kind == FileType::Directory || (kind == FileType::RegularFile && about.st_nlink == 1);",
            "    let alone = kind == FileType::Directory || kind == FileType::RegularFile;",
        )],
        test: "tests::links_are_not_given",
    },
    Mutation {
        control: "plain small files only",
        edits: &[(
            "crates/bailey-keys/src/home.rs",
            "(rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits()",
            "rustix::fs::OFlags::NOFOLLOW.bits()",
        )],
        test: "house::what_lies_in_the_homes_folder_cannot_hold_up_the_persons_programs",
    },
    Mutation {
        control: "a mark before deleting",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "        fs::symlink_metadata(self.condemned()).is_ok()",
            "        fs::symlink_metadata(self.condemned()).is_ok_and(|about| about.len() == u64::MAX)",
        )],
        test: "house::a_deletion_that_is_interrupted_is_finished_at_the_next_start",
    },
    Mutation {
        control: "origin of requests",
        edits: &[(
            "crates/bailey-gateway/src/lib.rs",
            "    if let Some(origin) = text(header::ORIGIN) {",
            "    if let Some(origin) = text(header::ORIGIN).filter(|origin| origin.is_empty()) {",
        )],
        test: "tests::requests_from_elsewhere_are_refused",
    },
    Mutation {
        control: "loopback only",
        edits: &[(
            "crates/bailey-gateway/src/lib.rs",
            ".filter(|parsed: &SocketAddr| parsed.ip().is_loopback())",
            ".filter(|parsed: &SocketAddr| parsed.port() < u16::MAX)",
        )],
        test: "tests::it_listens_on_loopback_only",
    },
    Mutation {
        control: "the token",
        edits: &[(
            "crates/bailey-home/src/api/mod.rs",
            "given.is_some_and(|token| verify_slices_are_equal(token, home.token.as_bytes()).is_ok());",
            "given.is_some_and(|token| !token.is_empty() || verify_slices_are_equal(token, home.token.as_bytes()).is_ok());",
        )],
        test: "house::the_gateway_lets_in_what_comes_from_this_machine_with_the_token_and_nothing_else",
    },
    Mutation {
        control: "approval over TCP",
        edits: &[(
            "crates/bailey-home/src/opening.rs",
            "bailey_keys::sign::verify(&one.public, message, signature).then_some(true)",
            "(one.public.is_empty() || message.len() + signature.len() > 0).then_some(true)",
        )],
        test: "house::a_mail_cannot_be_approved_over_tcp_with_the_token_alone",
    },
    Mutation {
        control: "Landlock",
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
        control: "the passphrase of a home",
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
        control: "ending with the supervisor",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            r#"    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
"#,
            "",
        )],
        test: "house::a_home_that_is_killed_comes_back_and_nothing_outlives_the_supervisor",
    },
    Mutation {
        control: "destroying the keys",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "        overwrite(&path).map_err(|source| SupervisorError::File { path, source })?;",
            "        let _ = (overwrite as fn(&Path) -> io::Result<()>, path);",
        )],
        test: "house::a_deleted_home_cannot_be_read_again_not_even_from_a_copy_of_its_folder",
    },
    Mutation {
        control: "leave to ask a model",
        edits: &[(
            "crates/bailey-vault/src/model.rs",
            "            None if is_here(base) => Vec::new(),",
            "            None if is_here(base) || !base.is_empty() => Vec::new(),",
        )],
        test: "models::a_model_elsewhere_is_asked_nothing_before_the_person_has_agreed",
    },
    Mutation {
        control: "a key's address",
        edits: &[(
            "crates/bailey-vault/src/model.rs",
            r#"row.kind == "model" && row.account == base"#,
            r#"row.kind == "model""#,
        )],
        test: "models::a_key_goes_to_the_address_it_was_given_for_and_nowhere_else",
    },
    Mutation {
        control: "screening",
        edits: &[(
            "crates/bailey-model/src/tap.rs",
            "    let redactions = screen(&mut ask.messages);",
            "    let redactions = screen(&mut ask.messages.clone());",
        )],
        test: "models::codes_and_links_in_mail_are_kept_back_from_the_model",
    },
    Mutation {
        control: "scope of a task",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.outsideScope }",
            "when { context.outsideScope && context.level > 9 }",
        )],
        test: "accounts::what_no_word_of_the_task_asks_for_asks_even_where_it_can_be_undone",
    },
    Mutation {
        control: "grounding of receivers",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.untrustedRead && context.ungroundedReceivers > 0 }",
            "when { context.untrustedRead && context.ungroundedReceivers > 9 }",
        )],
        test: "models::after_reading_a_mail_to_somebody_nobody_named_says_so",
    },
    Mutation {
        control: "notes after reading",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "when { context.untrustedRead }",
            "when { context.untrustedRead && context.receivers > 9 }",
        )],
        test: "tests::no_grant_lowers_the_floor_under_what_was_read",
    },
    Mutation {
        control: "words bound the plan",
        edits: &[(
            "crates/bailey-agent/src/planned.rs",
            ".filter(|(tool, _)| covers(asked, tool))",
            ".filter(|(tool, _)| covers(asked, tool) || !tool.is_empty())",
        )],
        test: "models::a_small_model_is_led_by_the_persons_words_whatever_it_plans",
    },
    Mutation {
        control: "token budget",
        edits: &[(
            "crates/bailey-agent/src/lib.rs",
            "if self.usage.total() > budget {",
            "if self.usage.total() > budget.saturating_mul(1_000) {",
        )],
        test: "models::a_task_takes_no_more_tokens_than_it_may",
    },
    Mutation {
        control: "longest line of a stream",
        edits: &[(
            "crates/bailey-model/src/sse.rs",
            "                if self.line.len() > MAX_LINE_BYTES {",
            "                if self.line.len() > 1_000 * MAX_LINE_BYTES {",
        )],
        test: "tests::a_line_without_an_end_is_refused",
    },
    Mutation {
        control: "invitations are shown",
        edits: &[(
            "crates/bailey-gate/src/preview.rs",
            r#"                self.item("Invitation", &line);"#,
            "                let _ = line;",
        )],
        test: "calendars::guests_are_invited_by_a_mail_that_asks_and_shows_the_whole_invitation",
    },
    Mutation {
        control: "cutting open connections",
        edits: &[(
            "crates/bailey-vault/src/lib.rs",
            "            _ = resets.changed() => Outcome::new(",
            "            _ = std::future::pending::<()>() => Outcome::new(",
        )],
        test: "stops::a_revocation_cuts_what_is_open_at_once",
    },
    Mutation {
        control: "reading in part",
        edits: &[(
            "crates/bailey-vault/src/mail.rs",
            "text.chars().take(MAX_TEXT_CHARS)",
            "text.chars().take(1_000 * MAX_TEXT_CHARS)",
        )],
        test: "accounts::a_huge_mail_and_odd_encodings_are_read_in_part_and_break_nothing",
    },
    Mutation {
        control: "what is inspected is what is sent",
        edits: &[(
            "crates/bailey-model/src/tap.rs",
            "    recipe.iter().map(piece).collect::<String>().into_bytes()",
            "    recipe.iter().map(piece).collect::<String>().trim_end_matches('}').to_owned().into_bytes()",
        )],
        test: "evidence::the_context_inspector_shows_the_exact_bytes_the_model_got",
    },
    Mutation {
        control: "codes in headers",
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
        control: "database key",
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
        control: "private key files",
        edits: &[("crates/bailey-keys/src/home.rs", "    if mode & 0o077 != 0 {", "    if mode & 0o077 == 0o777 {")],
        test: "evidence::the_home_does_not_open_with_another_key",
    },
    Mutation {
        control: "what a sealed value is",
        edits: &[(
            "crates/bailey-keys/src/seal.rs",
            "self.field.as_bytes(), &self.version.to_be_bytes()]",
            r#"b"", &self.version.to_be_bytes()]"#,
        )],
        test: "tests::opens_only_with_the_same_key_and_context",
    },
    Mutation {
        control: "the mark",
        edits: &[(
            "crates/bailey-ledger/src/store.rs",
            r#"        if agrees {
            return Ok(Opened::Continued);"#,
            r#"        if agrees || mark.is_some() {
            return Ok(Opened::Continued);"#,
        )],
        test: "stops::an_older_database_put_back_revives_nothing",
    },
    Mutation {
        control: "connections of an older copy",
        edits: &[(
            "crates/bailey-home/src/opening.rs",
            r#"        disown(ledger, now, valve)?;
"#,
            r#"        let _ = disown;
"#,
        )],
        test: "stops::an_older_copy_revives_no_grant_and_no_task",
    },
    Mutation {
        control: "bounds of a mail server's answers",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            "            if let Err(why) = this.answers.take(piece.filled(), &mut this.through) {",
            "            this.through.extend_from_slice(piece.filled());\n            if let Err(why) = Ok::<(), &str>(()) {",
        )],
        test: "hostile::a_mail_server_that_means_harm_ends_its_connection_and_not_the_home",
    },
    Mutation {
        control: "answers that cannot be read",
        edits: &[(
            "crates/bailey-vault/src/mail.rs",
            "        Ok(Err(_)) => Err(\"the mail server gave an answer that cannot be read\".into()),",
            "        Ok(Err(why)) => std::panic::resume_unwind(why),",
        )],
        test: "hostile::a_mail_server_that_means_harm_ends_its_connection_and_not_the_home",
    },
    Mutation {
        control: "stack of the mail parser",
        edits: &[(
            "crates/bailey-vault/src/mail.rs",
            "const PARSER_STACK: usize = 128 * 1024 * 1024;",
            "const PARSER_STACK: usize = 2 * 1024 * 1024;",
        )],
        test: "accounts::a_huge_mail_and_odd_encodings_are_read_in_part_and_break_nothing",
    },
    Mutation {
        control: "length of answers to a mail",
        edits: &[(
            "crates/bailey-vault/src/stream.rs",
            "        if self.answered > MAX_REPLIES {",
            "        if self.answered > 100_000 * MAX_REPLIES {",
        )],
        test: "hijack::a_server_that_talks_without_end_is_cut_off",
    },
    Mutation {
        control: "deadlines in two clocks",
        edits: &[(
            "crates/bailey-gate/src/time.rs",
            "        let elapsed = if now.boot_id == self.set.boot_id {",
            "        let elapsed = if now.boot_ms == u64::MAX && now.boot_id == self.set.boot_id {",
        )],
        test: "clocks::a_clock_that_is_set_moves_no_hold_window_and_no_end_of_a_question",
    },
    Mutation {
        control: "likenesses of those known",
        edits: &[("crates/bailey-policy/src/shipped.cedar", "context.lookAlikes > 0", "context.lookAlikes > 999999")],
        test: "rehearsal::a_look_alike_asks_whatever_was_granted",
    },
    Mutation {
        control: "telling of likenesses",
        edits: &[(
            "crates/bailey-home/src/provenance.rs",
            "if let Some(known) = home.ledger.resembles(party)? {",
            "if let Some(known) = home.ledger.resembles(party)?.filter(String::is_empty) {",
        )],
        test: "provenance::a_look_alike_is_pointed_out_with_whom_it_could_be_taken_for",
    },
    Mutation {
        control: "all receivers for going",
        edits: &[(
            "crates/bailey-policy/src/rule/cedar.rs",
            "!context.unreadableReceivers && {}.containsAll(context.{what})",
            "!context.unreadableReceivers && {}.containsAny(context.{what})",
        )],
        test: "conditions::each_condition_of_a_rule_decides",
    },
    Mutation {
        control: "one receiver for stopping",
        edits: &[(
            "crates/bailey-policy/src/rule/cedar.rs",
            "(context.unreadableReceivers || {}.containsAny(context.{what}))",
            "(context.unreadableReceivers || {}.containsAll(context.{what}))",
        )],
        test: "conditions::each_condition_of_a_rule_decides",
    },
    Mutation {
        control: "places that can be read",
        edits: &[(
            "crates/bailey-gate/src/place.rs",
            "!part.is_empty() && !part.chars().all(|c| c == '.') && part.trim() == *part",
            "part.trim() == *part",
        )],
        test: "rehearsal::a_folder_is_a_folder_and_creating_changing_and_deleting_are_three_things",
    },
    Mutation {
        control: "what was spent",
        edits: &[(
            "crates/bailey-gate/src/gate/mod.rs",
            "tx.spent_since(since(days), &content.id)?.saturating_add(sum)",
            "tx.spent_since(since(days), &content.id)?.min(0).saturating_add(sum)",
        )],
        test: "rehearsal::a_budget_is_spent_over_time",
    },
    Mutation {
        control: "taint of notes",
        edits: &[(
            "crates/bailey-gate/src/gate/claim.rs",
            "Action::MemoryRead => tx.notes_bring()?,",
            "Action::MemoryRead => tx.notes_bring().map(|_| Brings::default())?,",
        )],
        test: "provenance::a_note_is_no_more_to_be_trusted_than_what_its_task_had_read",
    },
    Mutation {
        control: "what was read stays read",
        edits: &[(
            "crates/bailey-ledger/src/tx.rs",
            "ON CONFLICT (task) DO UPDATE SET untrusted = max(untrusted, excluded.untrusted),",
            "ON CONFLICT (task) DO UPDATE SET untrusted = excluded.untrusted,",
        )],
        test: "provenance::further_words_widen_a_task_and_what_it_read_stays_read",
    },
    Mutation {
        control: "an offer's own words",
        edits: &[(
            "crates/bailey-home/src/rules/offers.rs",
            "offer.id == wanted && offer.rule.to_string() == change.add",
            "offer.id == wanted",
        )],
        test: "trust::one_no_one_afternoon_and_an_offer_that_was_not_wanted_are_no_habit",
    },
    Mutation {
        control: "offers of habits only",
        edits: &[(
            "crates/bailey-home/src/rules/offers.rs",
            "const MIN_DAYS: usize = 3;",
            "const MIN_DAYS: usize = 1;",
        )],
        test: "trust::one_no_one_afternoon_and_an_offer_that_was_not_wanted_are_no_habit",
    },
    Mutation {
        control: "unused trust lapses",
        edits: &[(
            "crates/bailey-home/src/rules/mod.rs",
            "|rule| old(rule) && !used.contains(&rule.id)",
            "|rule| old(rule) && used.contains(&rule.id) && rule.id.is_empty()",
        )],
        test: "trust::after_two_weeks_of_alike_approvals_a_rule_is_offered_taken_and_lapses_unused",
    },
    Mutation {
        control: "rules that cannot be read",
        edits: &[(
            "crates/bailey-home/src/rules/mod.rs",
            "const ALL_ASKS: &str = \"anything: ask\";",
            "const ALL_ASKS: &str = \"anything: go ahead\";",
        )],
        test: "rules::rules_that_cannot_be_read_make_everything_ask",
    },
    Mutation {
        control: "facts of a decision",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            ".bytes(FACTS, facts.encode())",
            ".bytes(FACTS, Facts::default().encode())",
        )],
        test: "rules::a_rule_is_tried_on_what_was_before_it_is_made",
    },
    Mutation {
        control: "leave to change a group",
        edits: &[(
            "crates/bailey-home/src/api/rules.rs",
            "    home.gate.authorise(&purpose, &proof(&body.proof)?, home.clock.now())?;\n    let changed",
            "    let _ = home.gate.authorise(&purpose, &proof(&body.proof)?, home.clock.now());\n    let changed",
        )],
        test: "rules::a_group_changes_the_rules_that_speak_of_it",
    },
    Mutation {
        control: "receivers of a task",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "context.besideReceivers > 0",
            "context.besideReceivers > 999999",
        )],
        test: "rehearsal::whom_the_words_name_is_whom_the_task_is_for",
    },
    Mutation {
        control: "links however written",
        edits: &[(
            "crates/bailey-gate/src/ground.rs",
            "        if goes_on && is_host(host) {",
            "        if goes_on && is_host(host) && begins == 0 {",
        )],
        test: "tests::links_are_found_however_they_are_written",
    },
    Mutation {
        control: "limit of refusals",
        edits: &[(
            "crates/bailey-gate/src/gate/propose.rs",
            "pub const MAX_REFUSED_PER_TASK: u64 = 4;",
            "pub const MAX_REFUSED_PER_TASK: u64 = 4_000;",
        )],
        test: "rehearsal::a_task_that_is_refused_again_and_again_is_stopped",
    },
    Mutation {
        control: "receivers that cannot be read",
        edits: &[
            (
                "crates/bailey-policy/src/shipped.cedar",
                "when { context.unreadableReceivers }",
                "when { context.unreadableReceivers && context.receivers > 999999 }",
            ),
            (
                "crates/bailey-gate/src/gate/mod.rs",
                "        facts.ungrounded_receivers += unread;",
                "        facts.ungrounded_receivers += unread.min(0);",
            ),
        ],
        test: "calendars::guests_that_cannot_be_read_are_strangers",
    },
    Mutation {
        control: "addresses that are joined",
        edits: &[(
            "crates/bailey-gate/src/family/mod.rs",
            "        value.split([',', ';']).map(one).collect()",
            "        value.rsplit([',', ';']).take(1).map(one).collect()",
        )],
        test: "rehearsal::what_cannot_be_read_goes_nowhere_by_itself",
    },
    Mutation {
        control: "arguments nobody described",
        edits: &[(
            "crates/bailey-gate/src/family/tool.rs",
            "found.map_or_else(|| Role::Sink(Name(UNDESCRIBED.into())), |(_, role)| role.clone())",
            "found.map_or_else(|| if self.manifest.is_some() { Role::Plain } else { Role::Sink(Name(UNDESCRIBED.into())) }, |(_, role)| role.clone())",
        )],
        test: "rehearsal::what_cannot_be_read_goes_nowhere_by_itself",
    },
    Mutation {
        control: "secrets in what is changed",
        edits: &[(
            "crates/bailey-policy/src/shipped.cedar",
            "(context.others > 0 || context.tellsOthers)",
            "(context.others > 0 || context.tellsOthers && context.others > 0)",
        )],
        test: "rehearsal::what_changes_a_thing_may_let_others_have_it",
    },
    Mutation {
        control: "payments without a sum",
        edits: &[(
            "crates/bailey-gate/src/gate/mod.rs",
            "Amount::None if kind == ActionKind::ToolPay => u64::MAX,",
            "Amount::None if kind == ActionKind::ToolPay => 0,",
        )],
        test: "rehearsal::payments_without_a_sum_and_numbers_in_groups",
    },
    Mutation {
        control: "words behind a not",
        edits: &[(
            "crates/bailey-gate/src/scope/mod.rs",
            "            return clause.get(..begins).unwrap_or_default();",
            "            return clause.get(..begins.max(clause.len())).unwrap_or_default();",
        )],
        test: "tests::what_no_word_asks_for_is_not_covered",
    },
    Mutation {
        control: "who is known by a cancellation",
        edits: &[(
            "crates/bailey-gate/src/family/mod.rs",
            "                let guests = writing.guests_after();",
            "                let guests = writing.addresses();",
        )],
        test: "calendars::an_entry_cancelled_makes_nobody_known",
    },
    Mutation {
        control: "depth of policies",
        edits: &[(
            "crates/bailey-policy/src/check.rs",
            "const MAX_BRACKETS: usize = 24;",
            "const MAX_BRACKETS: usize = 240_000;",
        )],
        test: "rules::rules_without_end_end_nothing",
    },
    Mutation {
        control: "Cedar as it was written",
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
];
