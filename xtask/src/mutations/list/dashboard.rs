//! The dashboard: who is let in, what a session and a passkey may, what a card asks for.

use crate::mutations::Mutation;

pub(super) const DASHBOARD: &[Mutation] = &[
    Mutation {
        control: "notify/exact-place",
        edits: &[(
            "crates/bailey-home/src/purposes.rs",
            "all.text(\"bailey notification\").text(place.address());",
            "all.text(\"bailey notification\");",
        )],
        test: "notifications::a_place_is_added_by_the_person_alone_exactly_as_they_said_it",
    },
    Mutation {
        control: "notify/secure-place",
        edits: &[("crates/bailey-vault/src/notify.rs", "\"http\" => is_here(address),", "\"http\" => true,")],
        test: "notifications::a_place_is_added_by_the_person_alone_exactly_as_they_said_it",
    },
    Mutation {
        control: "notify/sealed",
        edits: &[(
            "crates/bailey-home/src/notifications.rs",
            "push::seal(public, auth, words.as_bytes())?",
            "{ let _ = (public, auth); words.into_bytes() }",
        )],
        test: "notifications::a_browser_is_woken_by_words_that_only_it_can_read",
    },
    Mutation {
        control: "notify/paused",
        edits: &[(
            "crates/bailey-gate/src/handoff.rs",
            "(Self::Revocation, _) | (_, Mode::Open)",
            "(Self::Revocation | Self::Notification, _) | (_, Mode::Open)",
        )],
        test: "notifications::a_pause_lets_no_notice_leave",
    },
    Mutation {
        control: "notify/turned-away",
        edits: &[(
            "crates/bailey-home/src/notifications.rs",
            "kept.passkey.as_ref().is_some_and(|passkey| !stands(passkey))",
            "kept.passkey.as_ref().is_some_and(|passkey| !stands(passkey) && waiting > u64::MAX - 1)",
        )],
        test: "notifications::a_browser_that_was_turned_away_or_whose_subscription_is_over_is_told_no_more",
    },
    Mutation {
        control: "notify/mail-own-account",
        edits: &[(
            "crates/bailey-home/src/notifications.rs",
            "row.kind == \"mail\" && row.account == address && ",
            "row.kind == \"mail\" && (row.account == address || row.grant.active) && ",
        )],
        test: "notifications::a_mail_account_tells_its_own_address_and_nobody_else_how_many_actions_wait",
    },
    Mutation {
        control: "notify/mail-may-send",
        edits: &[
            (
                "crates/bailey-home/src/notifications.rs",
                "row.account == address && row.grant.level >= Level::Send",
                "row.account == address && row.grant.level >= Level::Read",
            ),
            (
                "crates/bailey-vault/src/session.rs",
                "wanted: \"send\", needed: Level::Send, authority",
                "wanted: \"send\", needed: Level::Read, authority",
            ),
        ],
        test: "notifications::a_mail_account_tells_its_own_address_and_nobody_else_how_many_actions_wait",
    },
    Mutation {
        control: "passphrase/one-counts",
        edits: &[(
            "crates/bailey-home/src/passphrase.rs",
            "Some(id) => all.find(|row| row.id.as_slice() == id),",
            "Some(id) => all.find(|row| row.id.as_slice() != id),",
        )],
        test: "passphrases::a_new_passphrase_is_set_by_the_one_before_or_a_code_and_the_one_before_counts_no_more",
    },
    Mutation {
        control: "passphrase/link-once",
        edits: &[(
            "crates/bailey-home/src/passphrase.rs",
            "self.take_link(token, now)?;",
            "let _ = self.take_link(token, now);",
        )],
        test: "passphrases::a_new_passphrase_is_set_by_the_one_before_or_a_code_and_the_one_before_counts_no_more",
    },
    Mutation {
        control: "passphrase/exact-key",
        edits: &[(
            "crates/bailey-home/src/purposes.rs",
            "out.text(\"set passphrase\").byte(PASSPHRASE_VERSION).bytes(salt).bytes(public);",
            "let _ = (salt, public); out.text(\"set passphrase\").byte(PASSPHRASE_VERSION);",
        )],
        test: "denials::a_session_or_a_token_alone_does_nothing_that_needs_the_person_nor_does_a_touch_for_something_else",
    },
    Mutation {
        control: "browser/link-once",
        edits: &[(
            "crates/bailey-home/src/browsers.rs",
            "self.browsers.links().remove(&hash(token.as_bytes()));",
            "self.browsers.links().get(&hash(token.as_bytes())).cloned();",
        )],
        test: "browsers::a_link_that_was_used_or_never_made_lets_nobody_in",
    },
    Mutation {
        control: "browser/link-by-the-person",
        edits: &[(
            "crates/bailey-home/src/api/browsers.rs",
            "authorise(&home, purposes::let_browser_in(), ",
            "authorise(&home, purposes::sign_in(), ",
        )],
        test: "browsers::a_link_that_was_used_or_never_made_lets_nobody_in",
    },
    Mutation {
        control: "session/own-pages",
        edits: &[("crates/bailey-home/src/api/access.rs", "    is_by_the_dashboard(home, method, headers)?;\n", "")],
        test: "denials::nothing_answers_a_browser_without_its_session_or_from_another_page",
    },
    Mutation {
        control: "session/own-door",
        edits: &[(
            "crates/bailey-home/src/browsers.rs",
            "if !is_alive(row, now.wall_ms) || !is_host(rp) {",
            "if !is_alive(row, now.wall_ms) || (rp.is_empty() && !is_host(rp)) {",
        )],
        test: "names::a_session_counts_at_the_door_it_was_made_at_and_at_no_other",
    },
    Mutation {
        control: "tls/own-door",
        edits: &[(
            "crates/bailey-home/src/api/access.rs",
            "origin| !home.names.has_origin(door, origin));",
            "origin| origin.is_empty() && !home.names.has_origin(door, origin));",
        )],
        test: "names::a_gateway_that_was_taken_over_reads_changes_and_keeps_nothing_of_what_comes_by_tls",
    },
    Mutation {
        control: "tls/own-names",
        edits: &[(
            "crates/bailey-home/src/tls.rs",
            "    if let Err(why) = is_ours(request.method(), request.headers(), &shared.hosts) {",
            "    if let Err(why) = is_ours(request.method(), request.headers(), &shared.hosts).or(Ok::<(), &str>(())) {",
        )],
        test: "names::a_session_counts_at_the_door_it_was_made_at_and_at_no_other",
    },
    Mutation {
        control: "tls/public-needs-passkey",
        edits: &[(
            "crates/bailey-home/src/certificate.rs",
            "        if !self.is_public {",
            "        if !self.is_public || !self.origins().is_empty() {",
        )],
        test: "names::other_machines_are_let_in_with_a_name_a_certificate_and_a_passkey_only",
    },
    Mutation {
        control: "names/own-label",
        edits: &[(
            "crates/bailey-home/src/names.rs",
            "let derived = key.derive(\"name on this machine 1\")?;",
            "let derived = key.derive(\"name on this machine 1\").map(|_| bailey_keys::Key::from_bytes([7; 32]))?;",
        )],
        test: "names::each_home_has_a_name_of_its_own_on_this_machine",
    },
    Mutation {
        control: "session/no-token-beside",
        edits: &[(
            "crates/bailey-home/src/api/access.rs",
            "        if shown.is_some() {",
            "        if shown.is_some() && home.token.is_empty() {",
        )],
        test: "denials::nothing_answers_a_browser_without_its_session_or_from_another_page",
    },
    Mutation {
        control: "passkey/type",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "    if said.r#type != kind {",
            "    if said.r#type.len() > kind.len() + 8 {",
        )],
        test: "tests::an_answer_that_is_not_of_this_page_or_person_does_not_count",
    },
    Mutation {
        control: "passkey/challenge",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "    if said.challenge != BASE64.encode(challenge) {",
            "    if said.challenge.len() > 8 * challenge.len() {",
        )],
        test: "tests::an_answer_of_each_algorithm_counts_for_its_own_challenge_alone",
    },
    Mutation {
        control: "passkey/origin",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "    if !origins.contains(&said.origin.as_str()) {",
            "    if origins.is_empty() {",
        )],
        test: "tests::an_answer_that_is_not_of_this_page_or_person_does_not_count",
    },
    Mutation {
        control: "passkey/embedded",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "    if said.cross_origin || said.top_origin.is_some() {",
            "    if said.cross_origin && said.top_origin.is_some() {",
        )],
        test: "tests::an_answer_that_is_not_of_this_page_or_person_does_not_count",
    },
    Mutation {
        control: "passkey/host",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "    if rp_hash != digest(&SHA256, rp.as_bytes()).as_ref() {",
            "    if rp_hash.is_empty() || rp.is_empty() {",
        )],
        test: "tests::an_answer_that_is_not_of_this_page_or_person_does_not_count",
    },
    Mutation {
        control: "passkey/present",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "    if flags & USER_PRESENT == 0 {",
            "    if flags & USER_PRESENT == 0 && rp.is_empty() {",
        )],
        test: "tests::an_answer_that_is_not_of_this_page_or_person_does_not_count",
    },
    Mutation {
        control: "passkey/verified",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "    if flags & USER_VERIFIED == 0 {",
            "    if flags & USER_VERIFIED == 0 && rp.is_empty() {",
        )],
        test: "tests::an_answer_that_is_not_of_this_page_or_person_does_not_count",
    },
    Mutation {
        control: "passkey/signature",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "    good.map_err(|_| Wrong::Signature)?;\n",
            "    let _ = good;\n",
        )],
        test: "tests::an_answer_of_each_algorithm_counts_for_its_own_challenge_alone",
    },
    Mutation {
        control: "passkey/counts-on",
        edits: &[(
            "crates/bailey-keys/src/passkey.rs",
            "(said.count != 0 || passkey.count != 0) && said.count <= passkey.count",
            "said.count == u32::MAX && passkey.count == u32::MAX",
        )],
        test: "tests::an_answer_that_is_not_of_this_page_or_person_does_not_count",
    },
    Mutation {
        control: "passkey/ends-sessions",
        edits: &[(
            "crates/bailey-home/src/browsers.rs",
            "self.browsers.forget(|row| row.passkey == id);",
            "self.browsers.forget(|row| row.id == id);",
        )],
        test: "browsers::an_ended_passkey_ends_its_sessions_and_approves_nothing",
    },
    Mutation {
        control: "passkey/doubted-in-a-copy",
        edits: &[(
            "crates/bailey-home/src/recovery.rs",
            "    ledger.write(|tx| tx.doubt_passkeys(now.wall_ms)).map_err(GateError::from)?;\n    crate::rules::narrow",
            "    crate::rules::narrow",
        )],
        test: "browsers::an_older_copy_revives_no_passkey_and_no_session",
    },
    Mutation {
        control: "passkey/doubted-after-restore",
        edits: &[(
            "crates/bailey-home/src/layout.rs",
            "note.write(BrowsersLeft::Doubt).map_err(",
            "note.write(BrowsersLeft::Nothing).map_err(",
        )],
        test: "devices::passkeys_of_a_backup_put_back_count_only_once_the_passphrase_confirms_them",
    },
    Mutation {
        control: "passkey/count-told",
        edits: &[(
            "crates/bailey-home/src/authority.rs",
            "if matches!(wrong, Wrong::Counter) {",
            "if matches!(wrong, Wrong::Counter) && one.name.is_empty() {",
        )],
        test: "devices::a_passkey_that_counts_back_is_refused_and_told_of",
    },
    Mutation {
        control: "api/strangers-own-places",
        edits: &[(
            "crates/bailey-home/src/api/mod.rs",
            "match places.stranger().await {",
            "match places.take(Client::Dashboard, path.as_deref(), method.as_str()).ok() {",
        )],
        test: "devices::strangers_who_ask_without_end_keep_nobody_out_who_is_signed_in",
    },
    Mutation {
        control: "session/end-noted",
        edits: &[(
            "crates/bailey-home/src/browsers.rs",
            "if failed && self.browsers.note.write(BrowsersLeft::EndSessions).is_err() {",
            "if failed && self.browsers.note.write(BrowsersLeft::Nothing).is_err() {",
        )],
        test: "devices::ending_a_session_on_a_full_disk_holds_also_after_the_next_start",
    },
    Mutation {
        control: "presence/by-hand",
        edits: &[(
            "crates/bailey-home/src/api/access.rs",
            "    *method != Method::GET || text(headers, \"sec-fetch-user\") == Some(\"?1\")",
            "    *method != Method::GET || text(headers, \"sec-fetch-site\").is_some()",
        )],
        test: "devices::an_open_dashboard_by_itself_is_nobody_being_there",
    },
    Mutation {
        control: "session/idle-bound",
        edits: &[(
            "crates/bailey-home/src/browsers.rs",
            "(-AHEAD_MS..IDLE_MS).contains(&idle)",
            "(-AHEAD_MS..AGE_MS).contains(&idle)",
        )],
        test: "devices::a_session_ends_when_nobody_has_used_it_for_two_weeks_whatever_its_page_asks",
    },
    Mutation {
        control: "gateway/fixed-page",
        edits: &[(
            "crates/bailey-gateway/src/lib.rs",
            "Lost::NotReached(_) if by_browser => not_answering(),",
            "Lost::NotReached(_) if by_browser && lost.code().is_empty() => not_answering(),",
        )],
        test: "devices::while_the_home_does_not_answer_a_browser_is_shown_one_page_that_says_so",
    },
    Mutation {
        control: "search/anew-on-erasure",
        edits: &[(
            "crates/bailey-home/src/search.rs",
            "entry.seq >= begun_behind && is_erasure(entry)",
            "entry.seq >= begun_behind && is_erasure(entry) && begun_behind > 0",
        )],
        test: "records::a_search_index_is_made_anew_once_something_was_erased_and_copies_of_it_open_no_more",
    },
    Mutation {
        control: "log/certificate-issued",
        edits: &[(
            "crates/bailey-home/src/acme.rs",
            "        tx.append(&entry, None).map(drop)\n",
            "        if entry.payload == Payload::default() { tx.append(&entry, None).map(drop) } else { Ok(()) }\n",
        )],
        test: "names::a_certificate_is_issued_by_an_authority_and_kept_sealed",
    },
    Mutation {
        control: "card/stranger-ticked",
        edits: &[(
            "crates/bailey-dashboard/src/card.rs",
            "input type=\"checkbox\" required form=",
            "input type=\"checkbox\" form=",
        )],
        test: "rendering::a_stranger_is_ticked_on_that_very_line_before_anything_is_approved",
    },
    Mutation {
        control: "note/own-label",
        edits: &[("crates/bailey-agent/src/free.rs", "    Message::Noted(format!(", "    Message::Person(format!(")],
        test: "tests::a_note_on_a_refusal_is_told_behind_all_results_as_a_note",
    },
    Mutation {
        control: "mail/inert",
        edits: &[(
            "crates/bailey-message/src/inert.rs",
            "(_, \"src\" | \"href\" | \"cite\" | \"background\" | \"srcset\") => None,",
            "",
        )],
        test: "tests::what_acts_or_asks_for_something_is_taken_out",
    },
    Mutation {
        control: "card/still-after-moving",
        edits: &[("crates/bailey-dashboard/assets/dashboard.js", "still = Date.now() + 1_500;", "still = 0;")],
        test: "cards::what_approves_takes_no_touch_while_it_moves",
    },
];
