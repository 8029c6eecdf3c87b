//! Controls of the processes, their accounts and the folders of a home.

use crate::mutations::Mutation;

pub(super) const PROCESSES: &[Mutation] = &[
    Mutation {
        control: "vault/no-core-files",
        edits: &[(
            "crates/bailey/src/roles.rs",
            "    Ok(rustix::process::setrlimit(rustix::process::Resource::Core, none)?)",
            r#"    let _ = none;
    Ok(())"#,
        )],
        test: "accounts::no_credential_is_on_disk_in_a_prompt_in_the_log_or_in_a_crash",
    },
    Mutation {
        control: "process/own-accounts",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            r#"    let (user, group) = (Uid::from_raw(identity.user), Gid::from_raw(identity.group));
    rustix::thread::set_thread_groups(&[])?;"#,
            r#"    let (user, group) = (Uid::from_raw(identity.user), Gid::from_raw(identity.group));
    if identity.user > 0 {
        return Ok(());
    }
    rustix::thread::set_thread_groups(&[])?;"#,
        )],
        test: "house::processes_run_under_accounts_of_their_own_where_root_starts_them",
    },
    Mutation {
        control: "process/own-session",
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
        control: "process/no-new-privileges",
        edits: &[(
            "crates/bailey/src/roles.rs",
            "    bailey_supervisor::gain_no_rights()?;",
            "    let _: fn() -> io::Result<()> = bailey_supervisor::gain_no_rights;",
        )],
        test: "house::an_ordinary_accounts_home_gains_no_rights_either",
    },
    Mutation {
        control: "folder/no-write-through-link",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "    remove_if_there(&fresh)?;\n    OpenOptions::new().write(true).create_new(true)",
            "    OpenOptions::new().write(true).create(true).truncate(true)",
        )],
        test: "house::the_gateways_address_is_written_through_no_link",
    },
    Mutation {
        control: "folder/links-not-given",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            "    let alone = kind == FileType::Directory || (kind == FileType::RegularFile && about.st_nlink == 1);",
            "    let alone = kind == FileType::Directory || kind == FileType::RegularFile;",
        )],
        test: "tests::links_are_not_given",
    },
    Mutation {
        control: "delete/marked-first",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "        fs::symlink_metadata(self.deletion_marker()).is_ok()",
            "        fs::symlink_metadata(self.deletion_marker()).is_ok_and(|about| about.len() == u64::MAX)",
        )],
        test: "house::a_deletion_that_is_interrupted_is_finished_at_the_next_start",
    },
    Mutation {
        control: "process/ends-with-supervisor",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            r#"    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
"#,
            "",
        )],
        test: "house::a_home_that_is_killed_comes_back_and_nothing_outlives_the_supervisor",
    },
    Mutation {
        control: "delete/keys-destroyed",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "        overwrite(&path).map_err(|source| SupervisorError::File { path, source })?;",
            "        let _ = (overwrite as fn(&Path) -> io::Result<()>, path);",
        )],
        test: "house::a_deleted_home_cannot_be_read_again_not_even_from_a_copy_of_its_folder",
    },
    Mutation {
        control: "pause/ends-hung-home",
        edits: &[(
            "crates/bailey-supervisor/src/watch.rs",
            "                        home.pause(client, control).await;\n                        Next::Again",
            "                        let _ = home.note_pause().await;\n                        client.paused(true, &[]).await;\n                        Next::Ended(home.ended().await)",
        )],
        test: "stops::a_home_that_hangs_is_ended_by_a_pause_and_comes_up_paused",
    },
    Mutation {
        control: "pause/noted-for-next-start",
        edits: &[("crates/bailey-supervisor/src/child.rs", "        trouble.extend(self.note_pause().await);\n", "")],
        test: "stops::a_pause_finds_a_home_that_cannot_start_or_does_not_run",
    },
    Mutation {
        control: "pause/locked-home",
        edits: &[(
            "crates/bailey-supervisor/src/watch.rs",
            "                    let trouble: Vec<String> = home.note_pause().await.into_iter().collect();\n",
            "                    let trouble: Vec<String> = Vec::new();\n",
        )],
        test: "stops::a_locked_home_is_paused_before_it_is_unlocked",
    },
    Mutation {
        control: "pause/at-rest",
        edits: &[(
            "crates/bailey/src/pause.rs",
            "match place.pause_at_rest(bailey_home::mark_paused_by_supervisor) {",
            "match Ok::<Option<String>, SupervisorError>(None) {",
        )],
        test: "stops::a_pause_finds_a_home_that_cannot_start_or_does_not_run",
    },
    Mutation {
        control: "watchdog/home",
        edits: &[(
            "crates/bailey-supervisor/src/watch.rs",
            "        silent = if now == heard { silent + 1 } else { 0 };\n",
            "        silent = if now == heard { silent } else { 0 };\n",
        )],
        test: "stops::a_home_that_hangs_is_started_anew",
    },
    Mutation {
        control: "pause/no-mark-through-link",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            ".custom_flags(NO_LINKS | NO_WAITING).open(&path) {\n            Ok(file) => match",
            ".custom_flags(NO_WAITING).open(&path) {\n            Ok(file) => match",
        )],
        test: "tests::a_pause_is_marked_through_no_link_and_waits_for_no_pipe",
    },
    Mutation {
        control: "pause/while-stopping",
        edits: &[(
            "crates/bailey-supervisor/src/watch.rs",
            "                            client = control.next_pause() => Some(client),\n",
            "                            client = control.next_pause() => {\n                                client.paused(true, &[]).await;\n                                None\n                            }\n",
        )],
        test: "stops::a_pause_while_it_is_being_stopped_holds_for_the_next_start",
    },
    Mutation {
        control: "stdio/non-blocking",
        edits: &[(
            "crates/bailey-supervisor/src/stdio.rs",
            "    if lines(stream).try_send(Line::Write(line)).is_err() {\n",
            "    let (written, reached) = channel();\n    let _ = lines(stream).send(Line::Write(line));\n    let _ = lines(stream).send(Line::Reached(written));\n    if reached.recv().is_err() {\n",
        )],
        test: "stops::whoever_does_not_read_what_it_says_keeps_no_pause_waiting",
    },
    Mutation {
        control: "process/one-of-two-copies",
        edits: &[("crates/bailey-supervisor/src/watch.rs", "    let _alone = identities.take(identity)?;\n", "")],
        test: "house::of_two_copies_of_a_home_one_runs",
    },
    Mutation {
        control: "pause/moved-home-still-runs",
        edits: &[
            (
                "crates/bailey-supervisor/src/root.rs",
                "= runs_somewhere(identity) {",
                "= runs_somewhere(identity).filter(|_| false) {",
            ),
            (
                "crates/bailey-supervisor/src/root.rs",
                "            Ok(true) => Err(SupervisorError::Running(self.0.clone())),",
                "            Ok(true) => Ok(()),",
            ),
        ],
        test: "stops::a_home_that_runs_is_not_taken_for_one_at_rest",
    },
    Mutation {
        control: "pause/hard-linked-record",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "marked.or_else(|error| self.drop_record(&path).map_err(|_| error));",
            "marked.or_else(|error| Err(self.drop_record(Path::new(\"\")).map_or_else(|_| error, |()| io::ErrorKind::Other.into())));",
        )],
        test: "stops::a_record_with_a_second_name_is_paused_too",
    },
    Mutation {
        control: "watchdog/gateway",
        edits: &[(
            "crates/bailey-supervisor/src/child.rs",
            "            () = watchdog(Arc::clone(&gateway.heartbeats), gateway.start.launch.silent) => {",
            "            () = async { std::future::pending::<()>().await; watchdog(Arc::clone(&gateway.heartbeats), gateway.start.launch.silent).await } => {",
        )],
        test: "stops::a_gateway_that_hangs_is_started_anew",
    },
    Mutation {
        control: "folder/depth-given",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            "    if kind == FileType::Directory && depth > 0 {",
            "    let depth = depth.max(1);\n    if kind == FileType::Directory {",
        )],
        test: "tests::folders_without_end_hold_up_nothing",
    },
    Mutation {
        control: "folder/depth-removed",
        edits: &[("crates/bailey-supervisor/src/root.rs", "const AT_ONCE: u32 = 8;", "const AT_ONCE: u32 = 8_000;")],
        test: "tests::folders_without_end_hold_up_nothing",
    },
    Mutation {
        control: "process/leftovers-ended",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            "        self.home().into_iter().chain(self.computer()).for_each(end_all_of);\n",
            "",
        )],
        test: "house::what_is_left_of_a_home_does_not_keep_it_from_starting",
    },
    Mutation {
        control: "folder/removal-follows-no-link",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;\n    Ok(openat",
            "    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;\n    Ok(openat",
        )],
        test: "tests::what_is_put_in_the_place_of_a_folder_is_not_entered",
    },
    Mutation {
        control: "process/copy-of-other-account",
        edits: &[(
            "crates/bailey-supervisor/src/identity.rs",
            "= runs_beside(home, folder.as_deref()) {",
            "= runs_beside(home, folder.as_deref()).filter(|_| false) {",
        )],
        test: "house::a_copy_that_another_account_runs_is_seen",
    },
    Mutation {
        control: "pause/no-home-no-pause",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "        let identity = self.identity()?;\n        if let",
            "        let Ok(identity) = self.identity() else { return Ok(None) };\n        if let",
        )],
        test: "stops::what_is_no_home_is_not_paused",
    },
    Mutation {
        control: "delete/mark-last",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            r#" || name == c".." || Some(name) == kept {"#,
            r#" || name == c".." || (false && Some(name) == kept) {"#,
        )],
        test: "tests::what_says_that_a_home_is_destroyed_outlives_the_rest",
    },
    Mutation {
        control: "delete/folders-as-keys",
        edits: &[(
            "crates/bailey-supervisor/src/root.rs",
            "rest.\n        Ok(about) if about.is_dir() => return Ok(()),",
            "rest.\n        Ok(about) if about.is_dir() => return fs::remove_file(path),",
        )],
        test: "house::a_deletion_goes_on_whatever_lies_in_its_way_and_takes_no_new_home_along",
    },
];
