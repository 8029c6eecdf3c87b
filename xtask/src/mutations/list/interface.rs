//! Controls of the interface: who is answered, whoever else asks; what the person's word changes; what is put back.

use crate::mutations::Mutation;

pub(super) const INTERFACE: &[Mutation] = &[
    Mutation {
        control: "api/body-timeout",
        edits: &[(
            "crates/bailey-home/src/api/mod.rs",
            "tokio::time::timeout(BODY_WITHIN, whole",
            "tokio::time::timeout(BODY_WITHIN * 1_000, whole",
        )],
        test: "interface::who_says_nothing_is_cut_off",
    },
    Mutation {
        control: "api/head-timeout",
        edits: &[(
            "crates/bailey-listener/src/lib.rs",
            ".header_read_timeout(HEAD_WITHIN)",
            ".header_read_timeout(HEAD_WITHIN * 1_000)",
        )],
        test: "interface::who_says_nothing_is_cut_off",
    },
    Mutation {
        control: "api/unread-answers",
        edits: &[(
            "crates/bailey-listener/src/lib.rs",
            "stream.set_timeout(Some(READ_WITHIN));",
            "stream.set_timeout(Some(READ_WITHIN * 60));",
        )],
        test: "house::who_reads_nothing_is_cut_off",
    },
    Mutation {
        control: "api/idle-makes-room",
        edits: &[(
            "crates/bailey-listener/src/room.rs",
            "            let (_, longest) = idle?;",
            "            let (_, longest) = idle.filter(|_| false)?;",
        )],
        test: "interface::idle_connections_keep_nobody_from_what_is_urgent",
    },
    Mutation {
        control: "api/places-per-kind",
        edits: &[(
            "crates/bailey-home/src/api/places.rs",
            "            Urgency::Waits => &kind.waiting,",
            "            Urgency::Waits => &kind.prompt,",
        )],
        test: "interface::streams_without_end_keep_nobody_from_what_is_urgent",
    },
    Mutation {
        control: "api/place-until-read",
        edits: &[(
            "crates/bailey-home/src/api/places.rs",
            "            Urgency::Prompt => response,",
            "            Urgency::Prompt | Urgency::Waits => response,",
        )],
        test: "interface::streams_without_end_keep_nobody_from_what_is_urgent",
    },
    Mutation {
        control: "approval/limit-per-client",
        edits: &[
            (
                "crates/bailey-gate/src/challenges.rs",
                "        let wrong = self.wrong.entry(proof.client).or_default();",
                "        let wrong = self.wrong.entry(Client::Program).or_default();",
            ),
            (
                "crates/bailey-gate/src/challenges.rs",
                "self.wrong.entry(proof.client).or_default().push(",
                "self.wrong.entry(Client::Program).or_default().push(",
            ),
        ],
        test: "interface::who_guesses_over_the_gateway_keeps_nobody_from_answering",
    },
    Mutation {
        control: "approval/terminal-at-socket",
        edits: &[(
            "crates/bailey-home/src/api/access.rs",
            "        if by_gateway && *client == Client::CommandLine {",
            "        if by_gateway && *client == Client::Dashboard {",
        )],
        test: "interface::who_guesses_over_the_gateway_keeps_nobody_from_answering",
    },
    Mutation {
        control: "resolve/own-word-only",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "            if corrects && !is_the_persons_word(&tx.view().last_reasons(id)?) {",
            "            if corrects && !is_the_persons_word(&[reason::PERSON_SAYS.to_owned()]) {",
        )],
        test: "life::what_is_known_is_not_corrected",
    },
    Mutation {
        control: "resolve/both-logged",
        edits: &[(
            "crates/bailey-gate/src/gate/stop.rs",
            "            let why = if corrects { reason::PERSON_CORRECTS } else { reason::PERSON_SAYS };",
            "            let why = if corrects { reason::FOUND } else { reason::PERSON_SAYS };",
        )],
        test: "life::an_answer_is_corrected_by_the_person_kept_in_the_log_and_sends_nothing",
    },
    Mutation {
        control: "restore/starts-paused",
        edits: &[(
            "crates/bailey-supervisor/src/restore.rs",
            "        Self::new(&fresh).mark_paused(mark)?;",
            "        let _ = mark;",
        )],
        test: "restore::restore_of_what_is_as_new_asks_again",
    },
    Mutation {
        control: "restore/replaced-kept",
        edits: &[(
            "crates/bailey-supervisor/src/restore.rs",
            "                rename(&path, &kept.join(part))?;",
            "                remove_folder(&path).or_else(|_| remove_file(&path))?;",
        )],
        test: "restore::restore_keeps_what_was_there_starts_paused_and_sends_nothing",
    },
    Mutation {
        control: "restore/not-while-running",
        edits: &[
            (
                "crates/bailey-supervisor/src/restore.rs",
                "        let _lock = self.lock()?;",
                "        let _lock = self.lock();",
            ),
            (
                "crates/bailey-supervisor/src/restore.rs",
                "            if runs_somewhere(identity).is_some() {",
                "            if runs_somewhere(identity).is_some_and(|_| false) {",
            ),
            (
                "crates/bailey-supervisor/src/restore.rs",
                "        self.home_runs()?;",
                "        let _ = self.home_runs();",
            ),
        ],
        test: "restore::restore_does_nothing_while_a_home_runs_or_where_the_backup_is_none",
    },
    Mutation {
        control: "restore/looked-through",
        edits: &[(
            "crates/bailey/src/restore.rs",
            r#"    Layout::new(folder).look(&key).map_err(|error| format!("the backup cannot be used: {error}"))"#,
            r#"    let _ = (Layout::new(folder), key);
    Ok(())"#,
        )],
        test: "restore::restore_does_nothing_while_a_home_runs_or_where_the_backup_is_none",
    },
];
