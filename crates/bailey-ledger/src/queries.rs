//! Every statement that reads actions or log entries, in one place: a test holds each against the plan it is run by.

/// Names statements, and lists them for the test.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)*

        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

/// Rows of actions.
macro_rules! rows {
    ($rest:literal) => {
        concat!(
            "SELECT id, task, state, kind, class, connection, generation, digest, proposed, expires, held, credential, ",
            "session, client, stepped_up, claim_epoch, claim_lease, attempt, undo_of, amount FROM action ",
            $rest
        )
    };
}

queries! {
    /// One action.
    ACTION = rows!("WHERE id = ?1");
    /// Those in a state, oldest first.
    IN_STATE = rows!("WHERE state = ?1 ORDER BY content_seq");
    /// A part of those in a state, oldest first.
    PART_OF_STATE = rows!("WHERE state = ?1 ORDER BY content_seq LIMIT ?3 OFFSET ?2");
    /// The place of an action in the log.
    PLACE = "SELECT content_seq FROM action WHERE id = ?1";
    /// The newest before a place.
    BEFORE = rows!("WHERE content_seq < ?1 ORDER BY content_seq DESC LIMIT ?2");
    /// The newest of a kind before a place.
    OF_KIND_BEFORE = rows!("WHERE kind = ?1 AND content_seq < ?2 ORDER BY content_seq DESC LIMIT ?3");
    /// Those of a task, oldest first.
    OF_TASK = rows!("WHERE task = ?1 ORDER BY content_seq");
    /// The states of those of a task, oldest first.
    STATES_OF_TASK = "SELECT state FROM action WHERE task = ?1 ORDER BY content_seq";
    /// Those of a kind in a state, oldest first.
    OF_KIND_IN_STATE = rows!("WHERE kind = ?1 AND state = ?2 ORDER BY content_seq");
    /// The newest, but the first few.
    NEWEST = rows!(
        "WHERE content_seq <= (SELECT content_seq FROM action ORDER BY content_seq DESC LIMIT 1 OFFSET ?1)
           ORDER BY content_seq DESC LIMIT ?2"
    );
    /// The newest of a kind that undo nothing.
    NEWEST_OF_KIND = "SELECT content_seq FROM action WHERE kind = ?1 AND undo_of IS NULL ORDER BY content_seq DESC LIMIT ?2";
    /// The one whose content lies at a place in the log.
    AT = rows!("WHERE content_seq = ?1");
    /// The newest that the person answered, or went back on.
    ANSWERED = rows!(
        "INDEXED BY action_answered
         WHERE (credential IS NOT NULL OR state IN ('rejected', 'cancelled', 'superseded', 'undoing', 'undone', 'undo-failed'))
           AND undo_of IS NULL AND content_seq >= 0 ORDER BY content_seq DESC LIMIT ?1"
    );
    /// Those that ran without asking since a wall time.
    UNASKED = rows!("INDEXED BY action_unasked WHERE credential IS NULL AND claimed_ms >= ?1");
    /// How many are in a state.
    COUNT_IN_STATE = "SELECT count(*) FROM action WHERE state = ?1";
    /// The place of the newest in a state.
    NEWEST_IN_STATE = "SELECT coalesce(max(content_seq), 0) FROM action WHERE state = ?1";
    /// How many of a task are in a state.
    COUNT_OF_TASK = "SELECT count(*) FROM action WHERE task = ?1 AND state = ?2";
    /// How many of a kind were claimed since a wall time, up to a number.
    COUNT_CLAIMED = "SELECT count(*) FROM (SELECT 1 FROM action WHERE kind = ?1 AND claimed_ms >= ?2 LIMIT ?3)";
    /// When those of a kind were claimed last.
    LATEST_CLAIMS = "SELECT claimed_ms FROM action WHERE kind = ?1 AND claimed_ms IS NOT NULL ORDER BY claimed_ms DESC LIMIT ?2";
    /// By connection, how many of a kind were claimed since three wall times, the earliest first, and when the last was.
    USED = "SELECT connection, sum(claimed_ms >= ?4), sum(claimed_ms >= ?3), max(claimed_ms) FROM action
             WHERE kind = ?1 AND claimed_ms >= ?2 AND connection IS NOT NULL GROUP BY connection";
    /// The sum that those claimed since a wall time spend, but one.
    SPENT = "SELECT total(amount) FROM action WHERE amount > 0 AND claimed_ms >= ?1 AND id <> ?2
               AND state NOT IN ('failed', 'not-executed')";
    /// The taint of the tasks that keep notes.
    NOTES_BRING = "SELECT coalesce(max(untrusted), 0), coalesce(max(confidential), 0) FROM task_mark
             WHERE task IN (SELECT task FROM action INDEXED BY action_noted WHERE kind = 'memory.write' AND state = 'succeeded')";
    /// The sealed content of an action.
    CONTENT = "SELECT event.key_id, event.payload FROM action JOIN event ON event.seq = action.content_seq WHERE action.id = ?1";
    /// Entries from a place on.
    ENTRIES = "SELECT seq, header, key_id, payload FROM event WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    /// Entries between two places.
    EXPORTED = "SELECT seq, header, key_id, payload FROM event WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";
    /// Entries about an action, oldest first.
    ENTRIES_OF = "SELECT seq, header, key_id, payload FROM event WHERE action = ?1 ORDER BY seq";
    /// The newest entry about an action.
    LAST_OF = "SELECT header FROM event WHERE action = ?1 ORDER BY seq DESC LIMIT 1";
    /// The newest entries of a kind, newest first; none of steps and proposals, which are looked up by their action.
    ENTRIES_OF_KIND = "SELECT seq, header, key_id, payload FROM event
             WHERE kind = ?1 AND kind NOT IN ('step', 'proposed') ORDER BY seq DESC LIMIT ?2";
    /// The last word about pausing.
    LAST_CONTROL = "SELECT kind FROM event INDEXED BY event_control WHERE kind IN ('paused', 'resumed') AND seq >= 0
             ORDER BY seq DESC LIMIT 1";
    /// The number of entries.
    SIZE = "SELECT coalesce(max(seq) + 1, 0) FROM event";
    /// Tells whether there is any entry.
    BEGUN = "SELECT EXISTS (SELECT 1 FROM event WHERE seq = 0)";
    /// The newest entry.
    LAST = "SELECT header FROM event ORDER BY seq DESC LIMIT 1";
    /// Leaves of the tree.
    LEAVES = "SELECT header FROM event WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";
    /// The highest key number in use.
    HIGHEST_KEY = "SELECT max((SELECT coalesce(max(key_id), 0) FROM event), (SELECT coalesce(max(key_id), 0) FROM record),
               (SELECT coalesce(max(id), 0) FROM retired_key), (SELECT coalesce(max(key_id), 0) FROM blob))";
    /// Every key number in use; only for the first opening of an older home.
    KEYS_IN_USE = "SELECT key_id FROM event WHERE key_id IS NOT NULL UNION ALL SELECT key_id FROM record
               UNION ALL SELECT key_id FROM blob";
    /// Tasks, newest first.
    TASKS = "SELECT id, state, wall_ms, origin FROM task ORDER BY rowid DESC LIMIT ?1 OFFSET ?2";
    /// One task.
    ONE_TASK = "SELECT id, state, wall_ms, origin FROM task WHERE id = ?1";
    /// Tasks in a state, newest first.
    TASKS_IN_STATE = "SELECT id, state, wall_ms, origin FROM task WHERE state = ?1 ORDER BY rowid DESC";
    /// One connection.
    CONNECTION = "SELECT id, kind, account, level, active, generation FROM connection WHERE id = ?1";
    /// Every connection, oldest first.
    CONNECTIONS = "SELECT id, kind, account, level, active, generation FROM connection ORDER BY rowid";
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::schema::newest;

    /// Those that go along a list in its own order, and end with the part that is asked for, or sort no more than a few.
    const ALONG_A_LIST: &[(&str, &[&str])] = &[
        ("NEWEST", &["SCAN action USING COVERING INDEX action_by_order"]),
        ("COUNT_CLAIMED", &["SCAN (subquery-1)"]),
        ("LAST", &["SCAN event"]),
        ("TASKS", &["SCAN task"]),
        ("CONNECTIONS", &["SCAN connection"]),
        // What was done in the days that are asked for, found by its index, by the few accounts there are.
        ("USED", &["USE TEMP B-TREE FOR GROUP BY"]),
        ("HIGHEST_KEY", &["SCAN CONSTANT ROW"]),
        ("BEGUN", &["SCAN CONSTANT ROW"]),
        (
            "KEYS_IN_USE",
            &[
                "SCAN event USING COVERING INDEX sqlite_autoindex_event_1",
                "SCAN record USING COVERING INDEX sqlite_autoindex_record_1",
                "SCAN blob USING COVERING INDEX sqlite_autoindex_blob_2",
            ],
        ),
    ];

    #[test]
    fn no_query_reads_a_whole_table_or_sorts_one() {
        let db = newest();
        for (name, sql) in ALL {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = rusqlite::params_from_iter(vec![1; plan.parameter_count()]);
            let steps = plan.query_map(values, |row| row.get::<_, String>(3));
            let known = ALONG_A_LIST.iter().find(|(query, _)| query == name).map_or(&[][..], |(_, known)| known);
            for step in steps.unwrap().map(Result::unwrap) {
                let slow = step.starts_with("SCAN") || step.contains("TEMP B-TREE");
                assert!(!slow || known.contains(&step.as_str()), "{name}: {step}");
            }
        }
    }

    /// Every statement about actions and entries stands in this file, or nothing here says anything about it.
    #[test]
    fn no_other_file_reads_actions_or_entries() {
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files = [sources.clone(), sources.join("store")].map(|folder| std::fs::read_dir(folder).unwrap());
        for file in files.into_iter().flatten().map(|file| file.unwrap().path()) {
            let here = file.ends_with("queries.rs") || file.extension().is_none_or(|end| end != "rs");
            let text = if here { String::new() } else { std::fs::read_to_string(&file).unwrap() };
            for table in ["FROM action", "FROM event", "JOIN action", "JOIN event"] {
                let ends =
                    |at: usize| !text[at + table.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                let named = text.match_indices(table).any(|(at, _)| ends(at));
                assert!(!named, "{}: {table}", file.display());
            }
        }
    }
}
