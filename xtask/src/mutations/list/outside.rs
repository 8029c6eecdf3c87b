//! Controls where the outside is met: the vault, connectors, models and the agent.

use crate::mutations::Mutation;

pub(super) const OUTSIDE: &[Mutation] = &[
    Mutation {
        control: "gate/no-answer-is-unknown",
        edits: &[(
            "crates/bailey-connectors/src/mail/smtp.rs",
            r#"Outcome::new(Effect::Unknown, format!("the mail server did not confirm: {why}"))"#,
            r#"Outcome::new(Effect::Refused, format!("the mail server did not confirm: {why}"))"#,
        )],
        test: "road::an_ambiguous_outcome_is_handed_to_the_person_and_never_resent",
    },
    Mutation {
        control: "revoke/cuts-after-commit",
        edits: &[(
            "crates/bailey-vault/src/lib.rs",
            "    let ended = end();\n    cut();\n",
            "    let ended = end();\n",
        )],
        test: "tests::what_ends_is_cut_before_and_behind",
    },
    Mutation {
        control: "smtp/approved-bytes-only",
        edits: &[(
            "crates/bailey-vault/src/smtp_guard.rs",
            "(Some(given), Some(approved)) if given == approved => {",
            "(Some(given), Some(approved)) if given.len() == approved.len() => {",
        )],
        test: "tests::other_bytes_and_other_people_do_not_pass",
    },
    Mutation {
        control: "smtp/end-is-hand-off",
        edits: &[(
            "crates/bailey-vault/src/smtp_guard.rs",
            "Ok(if free > 0 { Step::Pass(count) } else { Step::HandOff(count) })",
            "Ok(Step::Pass(count))",
        )],
        test: "tests::only_the_approved_message_passes_and_its_end_is_the_hand_off",
    },
    Mutation {
        control: "mail/unclear-recipients",
        edits: &[(
            "crates/bailey-gate/src/family/addresses.rs",
            "(Ok(_), Some(address)) if item.is_bare() => {",
            "(Ok(_), Some(address)) if item.is_bare() && address.is_empty() => {",
        )],
        test: "tests::recipients_that_are_not_clear_are_refused_with_how_to_write_them",
    },
    Mutation {
        control: "mail/quoted-names",
        edits: &[(
            "crates/bailey-gate/src/family/rfc5322.rs",
            "            format!(\"\\\"{}\\\" <{}>\", name.as_str()",
            "            format!(\"{} <{}>\", name.as_str()",
        )],
        test: "writing::a_display_name_changes_nobodys_recipient",
    },
    Mutation {
        control: "imap/kept-bytes-only",
        edits: &[(
            "crates/bailey-vault/src/imap_keep.rs",
            "if count == 0 || in_part || buffer.get(..count) != rest.get(..count) {",
            "if count == 0 || in_part {",
        )],
        test: "tests::keeping_writes_exactly_the_message_once_and_its_end_by_itself",
    },
    Mutation {
        control: "imap/kept-folder",
        edits: &[(
            "crates/bailey-vault/src/imap_keep.rs",
            "self.state == State::Ahead && command == line(flag)",
            "self.state == State::Ahead && command.get(..7) == line(flag).get(..7)",
        )],
        test: "tests::keeping_announces_one_message_for_one_folder",
    },
    Mutation {
        control: "smtp/starttls-or-nothing",
        edits: &[(
            "crates/bailey-vault/src/starttls.rs",
            r#"        if !hello.1.iter().any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
            return Err(NOT_OFFERED.into());
        }"#,
            r#"        if !hello.1.iter().any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
            self.say("AUTH PLAIN AA==\r\n").await?;
            return Err(NOT_OFFERED.into());
        }"#,
        )],
        test: "submission::a_server_that_offers_no_starttls_is_told_no_password",
    },
    Mutation {
        control: "smtp/nothing-before-tls",
        edits: &[(
            "crates/bailey-vault/src/starttls.rs",
            "        if self.held.is_empty() {",
            "        if self.held.len() < MAX_ANSWERS {",
        )],
        test: "submission::a_server_that_offers_no_starttls_is_told_no_password",
    },
    Mutation {
        control: "smtp/trial-sends-nothing",
        edits: &[("crates/bailey-vault/src/smtp_guard.rs", "if !self.sends {", "if !self.sends && line.is_empty() {")],
        test: "tests::trying_an_account_out_signs_in_and_sends_nothing",
    },
    Mutation {
        control: "smtp/later-before-hand-off",
        edits: &[(
            "crates/bailey-connectors/src/mail/smtp.rs",
            "Ok(Ok(reply)) if !spent && reply.is_later() && !last => return Tried::Later(reply.to_string()),",
            "Ok(Ok(reply)) if reply.is_later() && !last => return Tried::Later(reply.to_string()),",
        )],
        test: "submission::a_mail_that_was_handed_off_is_never_sent_again_whatever_the_server_says",
    },
    Mutation {
        control: "undo/unchanged-draft",
        edits: &[(
            "crates/bailey-connectors/src/mail/keep.rs",
            "    if more || bytes != ours {",
            "    if bytes.is_empty() {",
        )],
        test: "writing::a_draft_that_was_changed_stays_where_it_is",
    },
    Mutation {
        control: "imap/read-only-lines",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            r#"item.strip_prefix("BODY.PEEK[").is_some_and(is_piece)"#,
            r#"item.starts_with("BODY")"#,
        )],
        test: "tests::looking_changes_nothing",
    },
    Mutation {
        control: "mail/files-shown",
        edits: &[(
            "crates/bailey-gate/src/family/mail/preview.rs",
            "            taken_from(out, taken);\n",
            "            let _ = taken;\n",
        )],
        test: "writing::files_of_the_mailbox_are_sent_along_as_they_were_shown",
    },
    Mutation {
        control: "mail/foreign-files",
        edits: &[(
            "crates/bailey-gate/src/family/mail/message.rs",
            "map_or(passed_on, |taken| !taken.is_own())",
            "map_or(passed_on, |taken| passed_on && !taken.is_own())",
        )],
        test: "writing::files_of_the_mailbox_are_sent_along_as_they_were_shown",
    },
    Mutation {
        control: "mail/own-files-by-others",
        edits: &[(
            "crates/bailey-connectors/src/mail/files.rs",
            "== FolderRole::Sent && !is_ours(header)",
            "== FolderRole::Sent",
        )],
        test: "tests::own_files_are_those_of_mail_that_the_person_sent_without_bailey",
    },
    Mutation {
        control: "unsubscribe/public-only",
        edits: &[(
            "crates/bailey-vault/src/net.rs",
            "    if !addresses.iter().all(|address| may(address.ip())) {",
            "    if addresses.is_empty() && !addresses.iter().all(|address| may(address.ip())) {",
        )],
        test: "tests::a_server_of_a_private_network_is_told_nothing",
    },
    Mutation {
        control: "unsubscribe/approved-request",
        edits: &[(
            "crates/bailey-vault/src/one_click.rs",
            "line: format!(\"POST {target} HTTP/1.1\"), body: body.to_vec()",
            "line: format!(\"POST {host} HTTP/1.1\"), body: body.to_vec()",
        )],
        test: "tests::a_list_is_told_once_in_fixed_words_and_no_redirect_is_followed",
    },
    Mutation {
        control: "unsubscribe/signed-only",
        edits: &[(
            "crates/bailey-message/src/unsubscribe.rs",
            "(meant.peek().is_some() && meant.all(covers)).then_some(domain)",
            "meant.peek().is_some().then_some(domain)",
        )],
        test: "tests::one_click_counts_where_a_valid_signature_covers_it",
    },
    Mutation {
        control: "mail/own-results-only",
        edits: &[(
            "crates/bailey-message/src/authentication.rs",
            "                    if received {\n",
            "                    if received && out.is_empty() {\n",
        )],
        test: "tests::what_a_sender_writes_in_the_name_of_the_own_server_does_not_count_beside_it",
    },
    Mutation {
        control: "mail/aligned-only",
        edits: &[(
            "crates/bailey-message/src/authentication.rs",
            "    !one.is_empty() && registered(one) == registered(other)\n",
            "    !one.is_empty() && !registered(one).is_empty() && !registered(other).is_empty()\n",
        )],
        test: "tests::a_sender_is_proven_by_what_the_own_server_found_of_their_domain",
    },
    Mutation {
        control: "mail/answers-know-senders",
        edits: &[(
            "crates/bailey-connectors/src/mail/original.rs",
            "if sender_is_proven(&Fields::split(bytes).0, &own) {",
            "if sender_is_proven(&Fields::split(bytes).0, &own) || !own.is_empty() {",
        )],
        test: "writing::an_answer_to_a_sender_nobody_proved_is_told_from_others",
    },
    Mutation {
        control: "imap/one-mark",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            "        Errand::Mark(marking) if command == marking.command() => Line::Effect,",
            "        Errand::Mark(_) if command.starts_with(\"UID STORE\") => Line::Effect,",
        )],
        test: "streams::one_mark_of_one_message_is_set_in_its_own_folder",
    },
    Mutation {
        control: "imap/one-move",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            r#"command == format!("UID MOVE {} {}", message.uid, to.quoted())"#,
            r#"command.starts_with("UID MOVE ") && !to.quoted().is_empty()"#,
        )],
        test: "tests::moving_moves_one_message_to_one_folder",
    },
    Mutation {
        control: "imap/removes-what-was-copied",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            r#"command == format!("UID EXPUNGE {}", message.uid)"#,
            r#"command.starts_with("UID EXPUNGE ")"#,
        )],
        test: "tests::what_was_copied_alone_can_be_removed",
    },
    Mutation {
        control: "undo/mail-move",
        edits: &[(
            "crates/bailey-connectors/src/mail/mod.rs",
            "let (to, about) = (moved.message.folder.clone(), moved.about.clone());",
            "let (to, about) = (moved.to.clone(), moved.about.clone());",
        )],
        test: "accounts::a_trashed_and_a_moved_mail_come_back_as_they_were",
    },
    Mutation {
        control: "undo/calendar-entry",
        edits: &[(
            "crates/bailey-connectors/src/calendar/mod.rs",
            "        (Change::Create { .. }, Some(now)) => Change::Cancel { before: now.entry, etag: now.etag },",
            r#"        (Change::Create { .. }, Some(now)) => {
            Change::Replace { before: now.entry.clone(), etag: now.etag, after: now.entry }
        }"#,
        )],
        test: "calendars::an_entry_is_created_and_the_undo_removes_it",
    },
    Mutation {
        control: "calendar/version-checked",
        edits: &[(
            "crates/bailey-connectors/src/calendar/server.rs",
            r#"("if-match", etag.as_str().to_owned())"#,
            r#"("x-if-match", etag.as_str().to_owned())"#,
        )],
        test: "calendars::an_entry_with_guests_asks_and_is_refused_when_it_changed_meanwhile",
    },
    Mutation {
        control: "calendar/series-by-words",
        edits: &[(
            "crates/bailey-gate/src/intent/reach.rs",
            "part.reach <= self.meant(part.verb, &part.what)",
            "part.reach <= self.meant(part.verb, &part.what).max(Reach::All)",
        )],
        test: "series::more_of_a_series_than_the_words_mean_asks_and_says_how_much",
    },
    Mutation {
        control: "calendar/result-as-meant",
        edits: &[(
            "crates/bailey-calendar/src/edit/dates.rs",
            "(meant, comes) => return Err(self.otherwise(meant.map(|(meant, _)| meant), comes)),",
            "(meant, comes) => drop(self.otherwise(meant.map(|(meant, _)| meant), comes)),",
        )],
        test: "tests::dates_that_would_come_out_otherwise_than_meant_are_refused_in_words",
    },
    Mutation {
        control: "calendar/organizer-elsewhere",
        edits: &[(
            "crates/bailey-connectors/src/mail/invited.rs",
            "let elsewhere = if is_sender {",
            "let elsewhere = if is_sender || !to.address.as_str().is_empty() {",
        )],
        test: "writing::an_answer_to_an_invitation_says_where_it_goes_to_another_than_its_sender",
    },
    Mutation {
        control: "undo/later-changes-stay",
        edits: &[(
            "crates/bailey-connectors/src/calendar/mod.rs",
            "if !as_left(&now, after) =>",
            "if !as_left(&now, after) && now.etag.as_str().is_empty() =>",
        )],
        test: "calendars::a_cancelled_entry_comes_back_and_a_later_change_is_not_trampled",
    },
    Mutation {
        control: "known/own-mail",
        edits: &[("crates/bailey-connectors/src/mail/known.rs", ".filter(|header| !is_ours(header));", ";")],
        test: "accounts::whom_the_person_wrote_to_since_is_known_and_mail_of_our_own_proves_nothing",
    },
    Mutation {
        control: "known/sent-mail-only",
        edits: &[(
            "crates/bailey-connectors/src/mail/mime.rs",
            "    if !author.is_some_and(|author| author.eq_ignore_ascii_case(own)) {",
            "    if author.is_none() && own.is_empty() {",
        )],
        test: "accounts::only_what_the_person_sent_makes_someone_known",
    },
    Mutation {
        control: "oauth/scopes-as-asked",
        edits: &[(
            "crates/bailey-vault/src/oauth.rs",
            "        if granted.scopes.is_some() && !missing.is_empty() {",
            "        if granted.scopes.is_none() && !missing.is_empty() {",
        )],
        test: "accounts::unticked_boxes_foreign_answers_and_refusals_connect_nothing",
    },
    Mutation {
        control: "revoke/told-until-confirmed",
        edits: &[(
            "crates/bailey-vault/src/lib.rs",
            "        if !matches!(told, Revocation::Unconfirmed(_)) {",
            "        if !matches!(told, Revocation::Before) {",
        )],
        test: "accounts::revoking_does_not_wait_for_a_provider_that_is_gone",
    },
    Mutation {
        control: "revoke/provider-told",
        edits: &[(
            "crates/bailey-vault/src/oauth.rs",
            "                let status = self.ask(Method::POST, &url, SystemEgress::Revocation, body).await?.status;",
            "                let status = if body.is_empty() || url.is_empty() { 0 } else { 200 };",
        )],
        test: "accounts::signing_in_with_a_browser_connects_renews_and_revokes",
    },
    Mutation {
        control: "net/tls-or-loopback",
        edits: &[(
            "crates/bailey-vault/src/net.rs",
            "        if server.security() == Security::None && !address.ip().is_loopback() {",
            "        if server.security() == Security::None && address.ip().is_unspecified() {",
        )],
        test: "hijack::a_server_that_cannot_be_reached_loses_nothing",
    },
    Mutation {
        control: "net/certificate-names",
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
        control: "tools/known-only",
        edits: &[(
            "crates/bailey-connectors/src/lib.rs",
            "            Err(BadCall::UnknownTool(tool.into()))",
            r#"            if tool.len() > 99 {
                return Err(BadCall::UnknownTool(tool.into()));
            }
            let action = bailey_gate::family::home::HomeAction::MemoryWrite { note: format!("x{tool}") };
            Ok(Prepared { account: None, action: Action::Home(action), why })"#,
        )],
        test: "hijack::tools_that_do_not_exist_change_nothing",
    },
    Mutation {
        control: "model/remote-needs-approval",
        edits: &[(
            "crates/bailey-vault/src/model.rs",
            "            None if is_here(base) => Vec::new(),",
            "            None if is_here(base) || !base.is_empty() => Vec::new(),",
        )],
        test: "models::a_model_elsewhere_is_asked_nothing_before_the_person_has_agreed",
    },
    Mutation {
        control: "model/key-bound-to-address",
        edits: &[(
            "crates/bailey-vault/src/model.rs",
            r#"row.kind == "model" && row.account == base"#,
            r#"row.kind == "model""#,
        )],
        test: "models::a_key_goes_to_the_address_it_was_given_for_and_nowhere_else",
    },
    Mutation {
        control: "screening/secrets-kept-back",
        edits: &[(
            "crates/bailey-model/src/tap.rs",
            "    let redactions = screen(&mut ask.messages);",
            "    let redactions = screen(&mut ask.messages.clone());",
        )],
        test: "models::codes_and_links_in_mail_are_kept_back_from_the_model",
    },
    Mutation {
        control: "model/fallback-no-more-open",
        edits: &[(
            "crates/bailey-home/src/asking.rs",
            "if openness(of_other) <= openness(of_first) => Some(other),",
            "if openness(of_other) <= openness(of_first) => Some(other),\n            (Some(_), None) => Some(other),",
        )],
        test: "capable::another_model_answers_where_the_first_cannot_be_reached_and_the_person_is_told",
    },
    Mutation {
        control: "model/cost-bound",
        edits: &[(
            "crates/bailey-home/src/spending.rs",
            "(first.task_limit, first.month_limit)",
            "(first.task_limit.filter(|_| false), first.month_limit.filter(|_| false))",
        )],
        test: "capable::a_task_or_a_month_that_would_cost_too_much_stops_with_words",
    },
    Mutation {
        control: "screening/before-cutting",
        edits: &[(
            "crates/bailey-model/src/tap.rs",
            "    crate::providers::keep_own_thoughts(&mut ask.messages, model.name());",
            "    crate::providers::keep_own_thoughts(&mut ask.messages, model.name());\n    crate::fit::fit(&mut ask.messages, model.traits().context_bytes);",
        )],
        test: "screening::a_secret_that_a_page_would_cut_is_kept_back_from_both_pages",
    },
    Mutation {
        control: "screening/before-telling",
        edits: &[
            ("crates/bailey-connectors/src/cut.rs", "    screened(text).chars()", "    text.chars()"),
            ("crates/bailey-connectors/src/cut.rs", "&screened(&told.to_string())", "&told.to_string()"),
        ],
        test: "reading::a_secret_that_a_tool_would_cut_is_kept_back_whole",
    },
    Mutation {
        control: "screening/words-not-encoding",
        edits: &[(
            "crates/bailey-model/src/screen/mod.rs",
            "    let literals = json::literals(text);",
            "    let literals: Option<Vec<Literal>> = None;",
        )],
        test: "tests::what_is_found_is_cut_out_of_a_json_text_and_the_rest_keeps_its_bytes",
    },
    Mutation {
        control: "model/plan-bound-by-words",
        edits: &[(
            "crates/bailey-agent/src/planned.rs",
            ".filter(|(tool, _)| covers(asked, tool))",
            ".filter(|(tool, _)| covers(asked, tool) || !tool.is_empty())",
        )],
        test: "models::a_small_model_is_led_by_the_persons_words_whatever_it_plans",
    },
    Mutation {
        control: "model/token-budget",
        edits: &[(
            "crates/bailey-agent/src/lib.rs",
            "if self.usage.total() > budget {",
            "if self.usage.total() > budget.saturating_mul(1_000) {",
        )],
        test: "models::a_task_takes_no_more_tokens_than_it_may",
    },
    Mutation {
        control: "model/stream-line-length",
        edits: &[(
            "crates/bailey-model/src/sse.rs",
            "                if self.line.len() > MAX_LINE_BYTES {",
            "                if self.line.len() > 1_000 * MAX_LINE_BYTES {",
        )],
        test: "tests::a_line_without_an_end_is_refused",
    },
    Mutation {
        control: "revoke/cuts-open-connections",
        edits: &[(
            "crates/bailey-connectors/src/lib.rs",
            "        _ = resets.changed() => Outcome::new(",
            "        _ = std::future::pending::<()>() => Outcome::new(",
        )],
        test: "stops::a_revocation_cuts_what_is_open_at_once",
    },
    Mutation {
        control: "mail/read-in-part",
        edits: &[(
            "crates/bailey-connectors/src/mail/mime.rs",
            ".skip(from).take(MAX_TEXT_CHARS)",
            ".skip(from).take(1_000 * MAX_TEXT_CHARS)",
        )],
        test: "tests::a_long_text_is_told_in_pieces_that_make_the_whole",
    },
    Mutation {
        control: "context/exact-bytes",
        edits: &[(
            "crates/bailey-model/src/tap.rs",
            "    recipe.iter().map(piece).collect::<String>().into_bytes()",
            "    recipe.iter().map(piece).collect::<String>().trim_end_matches('}').to_owned().into_bytes()",
        )],
        test: "evidence::the_context_inspector_shows_the_exact_bytes_the_model_got",
    },
    Mutation {
        control: "imap/answer-bounds",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            "            if let Err(why) = this.answers.take(piece.filled(), &mut this.through) {",
            "            this.through.extend_from_slice(piece.filled());\n            if let Err(why) = Ok::<(), &str>(()) {",
        )],
        test: "hostile::a_mail_server_that_means_harm_ends_its_connection_and_not_the_home",
    },
    Mutation {
        control: "imap/unreadable-answers",
        edits: &[(
            "crates/bailey-connectors/src/mail/imap.rs",
            "        Ok(Err(_)) => Err(\"the mail server gave an answer that cannot be read\".into()),",
            "        Ok(Err(why)) => std::panic::resume_unwind(why),",
        )],
        test: "hostile::a_mail_server_that_means_harm_ends_its_connection_and_not_the_home",
    },
    Mutation {
        control: "mail/header-length",
        edits: &[
            (
                "crates/bailey-message/src/fields.rs",
                "const MAX_FIELD: usize = 16 * 1024;",
                "const MAX_FIELD: usize = 16 * 1024 * 1024;",
            ),
            (
                "crates/bailey-message/src/fields.rs",
                "const MAX_HEADER: usize = 64 * 1024;",
                "const MAX_HEADER: usize = 64 * 1024 * 1024;",
            ),
        ],
        test: "tests::a_header_without_end_is_cut",
    },
    Mutation {
        control: "mail/attachment-count",
        edits: &[(
            "crates/bailey-message/src/read.rs",
            "const MAX_FILES: usize = 50;",
            "const MAX_FILES: usize = 50_000;",
        )],
        test: "accounts::a_huge_mail_and_odd_encodings_are_read_in_part_and_break_nothing",
    },
    Mutation {
        control: "mail/nesting-depth",
        edits: &[
            (
                "crates/bailey-message/src/mime.rs",
                "const MAX_DEPTH: usize = 32;",
                "const MAX_DEPTH: usize = 1_000_000;",
            ),
            (
                "crates/bailey-message/src/mime.rs",
                "const MAX_PARTS: usize = 10_000;",
                "const MAX_PARTS: usize = 1_000_000;",
            ),
        ],
        test: "tests::depth_and_number_have_an_end",
    },
    Mutation {
        control: "smtp/answer-length",
        edits: &[(
            "crates/bailey-vault/src/stream.rs",
            "        if self.answered > MAX_REPLIES || ",
            "        if self.answered > 100_000 * MAX_REPLIES || ",
        )],
        test: "hijack::a_server_that_talks_without_end_is_cut_off",
    },
    Mutation {
        control: "http/looks-only",
        edits: &[(
            "crates/bailey-vault/src/http_guard.rs",
            "return if may_be_look(&begins) {",
            "return if may_be_look(&begins) || !begins.is_empty() {",
        )],
        test: "tests::looks_over_http_use_methods_that_change_nothing",
    },
    Mutation {
        control: "smtp/answer-lines",
        edits: &[
            (
                "crates/bailey-vault/src/stream.rs",
                "self.lines > MAX_REPLY_LINES",
                "self.lines > 100_000 * MAX_REPLY_LINES",
            ),
            (
                "crates/bailey-vault/src/stream.rs",
                "const MAX_REPLIES: usize = 128 * 1024;",
                "const MAX_REPLIES: usize = 128 * 1024 * 1024 * 1024;",
            ),
        ],
        test: "hostile::an_answer_to_a_mail_that_has_no_end_is_no_answer",
    },
    Mutation {
        control: "pause/stops-new-connections",
        edits: &[
            (
                "crates/bailey-vault/src/net.rs",
                "    authority.check().map_err(|why| why.to_string())?;\n    let name",
                "    let name",
            ),
            (
                "crates/bailey-vault/src/net.rs",
                "        match greet(address, authority).await {",
                "        match TcpStream::connect(address).await {",
            ),
        ],
        test: "stops::while_everything_is_paused_no_server_is_greeted",
    },
    Mutation {
        control: "imap/own-folder-only",
        edits: &[(
            "crates/bailey-vault/src/imap_guard.rs",
            "Errand::Move { to, makes: true, .. }\n            if [",
            "Errand::Move { to, .. }\n            if [",
        )],
        test: "tests::a_move_makes_its_own_folder_alone_and_only_where_it_says_so",
    },
    Mutation {
        control: "mail/folder-by-words",
        edits: &[(
            "crates/bailey-connectors/src/mail/mod.rs",
            "if makes && (tool != \"mail_move\" || !names_folder(&cx.words, &to)) {",
            "if makes && tool != \"mail_move\" {",
        )],
        test: "accounts::a_mail_is_moved_to_a_folder_that_is_made_where_the_words_name_it",
    },
    Mutation {
        control: "calendar/one-of-very-many",
        edits: &[(
            "crates/bailey-calendar/src/edit/dates.rs",
            "        meaning.only_one_differs(before, after)?;\n",
            "        meaning.only_one_differs(before, after).ok();\n",
        )],
        test: "dates::dates_of_one_of_very_many_are_worked_out_and_all_others_stay",
    },
    Mutation {
        control: "calendar/invite-by-words",
        edits: &[(
            "crates/bailey-gate/src/intent/mod.rs",
            "            // To move an entry is to ask nobody to come.\n            self.invite",
            "            self.invite || self.change",
        )],
        test: "tests::to_invite_is_asked_for_by_no_other_verb",
    },
    Mutation {
        control: "calendar/told-once",
        edits: &[(
            "crates/bailey-connectors/src/dav.rs",
            "if !(200..300).contains(&answer.status) || !answer.able.iter().any(|word| word == SCHEDULES) {",
            "if answer.status > 0 {",
        )],
        test: "scheduling::a_server_that_tells_guests_invites_them_and_no_mail_leaves",
    },
    Mutation {
        control: "calendar/no-second-answer",
        edits: &[(
            "crates/bailey-connectors/src/calendar/mod.rs",
            "    if own_addresses(cx, account).await?.is_some() {\n",
            "    if own_addresses(cx, account).await?.is_none() {\n",
        )],
        test: "scheduling::an_answer_at_a_server_that_tells_reaches_whoever_invites_and_no_mail_leaves",
    },
];
