//! The home's files.

use crate::mutations::Mutation;

pub(super) const FILES: &[Mutation] = &[
    Mutation {
        control: "files/expected-version",
        edits: &[(
            "crates/bailey-ledger/src/files.rs",
            "Some(file) if file.newest.seen == *seen && file.path == *path => Ok(()),",
            "Some(file) if file.newest.seen.file == seen.file && file.path == *path => Ok(()),",
        )],
        test: "files::a_change_of_a_file_that_was_changed_meanwhile_is_refused_and_asks_anew",
    },
    Mutation {
        control: "files/rules-by-kind",
        edits: &[(
            "crates/bailey-gate/src/family/files.rs",
            "Self::Change { .. } => CHANGE,",
            "Self::Change { .. } => CREATE,",
        )],
        test: "files::a_rule_that_lets_files_be_created_and_none_deleted_holds_against_every_way_of_losing_one",
    },
    Mutation {
        control: "files/never-over",
        edits: &[(
            "crates/bailey-ledger/src/files.rs",
            "if let Some(file) = at_path(self.db, path.as_str())? {",
            "if let Some(file) = at_path(self.db, path.as_str())?.filter(|file| file.path == *path) {",
        )],
        test: "stored_files::nothing_is_written_over_or_moved_over_whatever_its_letters",
    },
    Mutation {
        control: "files/paths-within",
        edits: &[(
            "crates/bailey-gate/src/family/files/path.rs",
            "name if name.chars().all(|c| c == '.') => Err(BadPath::Points),",
            "name if name.chars().all(|c| c == '.') && name.len() > 2 => Err(BadPath::Points),",
        )],
        test: "files::large_files_come_in_pieces_and_what_cannot_be_kept_is_refused_early",
    },
    Mutation {
        control: "files/emptied-destroyed",
        edits: &[(
            "crates/bailey-ledger/src/files.rs",
            "self.release_blobs(BlobOwner { kind: VERSION, owner: &owner(&version) })?;",
            "let _ = owner(&version);",
        )],
        test: "files::an_emptied_trash_is_gone_with_its_keys",
    },
    Mutation {
        control: "files/emptying-needs-leave",
        edits: &[
            (
                "crates/bailey-home/src/api/files.rs",
                "let leave = authorise(&home, purposes::empty_trash(), &body.proof, caller).await?;",
                "let _ = (caller, body);",
            ),
            ("crates/bailey-home/src/api/files.rs", "home.empty_trash(&leave)", "home.empty_trash()"),
            ("crates/bailey-home/src/files.rs", "fn empty_trash(&self, leave: &Authorised)", "fn empty_trash(&self)"),
            (
                "crates/bailey-home/src/files.rs",
                "&leave.entry(EventKind::Files, now, pause_state, payload)",
                "&Event { payload, ..Event::of_home(EventKind::Files, Actor::Client, now, pause_state) }",
            ),
        ],
        test: "files::an_emptied_trash_is_gone_with_its_keys",
    },
    Mutation {
        control: "files/labels-kept",
        edits: &[(
            "crates/bailey-ledger/src/files.rs",
            "MadeBy::Action(id) => (Some(id), self.labels_of(&id)?),",
            "MadeBy::Action(id) => (Some(id), self.labels_of(&id).map(|_| Taint::default())?),",
        )],
        test: "files::a_file_that_a_task_wrote_after_reading_what_others_wrote_is_marked",
    },
    Mutation {
        control: "files/reading-taints",
        edits: &[(
            "crates/bailey-gate/src/family/files.rs",
            "taint: Taint { untrusted: is_read,",
            "taint: Taint { untrusted: is_read && self.seen().is_none(),",
        )],
        test: "files::a_file_that_a_task_wrote_after_reading_what_others_wrote_is_marked",
    },
    Mutation {
        control: "files/inert",
        edits: &[(
            "crates/bailey-home/src/api/files.rs",
            "None => (\"application/octet-stream\", to_keep(path.name())),",
            "None => (\"text/html\", to_keep(path.name())),",
        )],
        test: "files::files_are_put_looked_at_and_brought_back_on_the_page_and_run_nothing",
    },
    Mutation {
        control: "files/handed-off",
        edits: &[(
            "crates/bailey-vault/src/files.rs",
            "token.hand_off(|| Wrote::Some).map_err(|refused| FileRefusal::Stopped(refused.to_string()))?;",
            "let _ = (token, Wrote::Some);",
        )],
        test: "files::files_are_undone_with_their_task_and_pause_stops_the_agent",
    },
];
