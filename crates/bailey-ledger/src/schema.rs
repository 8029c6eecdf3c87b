//! The database schema, and the way from older ones: literal text, so that no change of today's tables rewrites the past.

use bailey_gate::family::ActionKind;
use rusqlite::Connection;

/// Steps from an empty database to the current schema; step `n` leads to `user_version` `n + 1`. Only ever appended to: homes
/// were made by them as they stand.
pub(crate) const MIGRATIONS: [&str; 12] = [
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
    include_str!("migrations/0007.sql"),
    include_str!("migrations/0008.sql"),
    include_str!("migrations/0009.sql"),
    include_str!("migrations/0010.sql"),
    include_str!("migrations/0011.sql"),
    include_str!("migrations/0012.sql"),
];

/// The format of the database that this program writes.
pub const DATABASE_FORMAT: usize = MIGRATIONS.len();

/// The first format that lists the keys to destroy: homes before it left those of replaced records behind.
pub(crate) const RETIRES_KEYS: usize = 5;

/// Takes one step, all of it or nothing.
///
/// A step that makes a table anew removes the old one, and with foreign keys enforced that counts each row that refers to
/// another of the same table as broken, whatever comes after it; so they are checked once, at its end
/// (sqlite.org/lang_altertable.html, section 7).
pub(crate) fn take_step(db: &mut Connection, index: usize, sql: &str) -> rusqlite::Result<()> {
    db.pragma_update(None, "foreign_keys", false)?;
    let taken = in_one(db, index, sql);
    db.pragma_update(None, "foreign_keys", true)?;
    taken
}

fn in_one(db: &mut Connection, index: usize, sql: &str) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    tx.execute_batch(sql)?;
    let broken: u64 = tx.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if broken > 0 {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY),
            Some(format!("{broken} rows refer to others that are not there; put the last backup back")),
        ));
    }
    tx.pragma_update(None, "user_version", index + 1)?;
    tx.commit()
}

/// Makes sure that every kind of action there is can be stored.
pub(crate) fn put_kinds(db: &mut Connection) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    {
        let mut put = tx.prepare("INSERT INTO kind (name) VALUES (?1) ON CONFLICT DO NOTHING")?;
        for kind in ActionKind::all() {
            put.execute([kind.name()])?;
        }
    }
    tx.commit()
}

/// Returns an empty database of the newest format.
#[cfg(test)]
pub(crate) fn newest() -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    for (index, step) in MIGRATIONS.iter().enumerate() {
        take_step(&mut db, index, step).unwrap();
    }
    put_kinds(&mut db).unwrap();
    db
}

#[cfg(test)]
mod tests {
    use bailey_gate::family::Level;
    use bailey_gate::{Class, State, TRANSITIONS};

    use super::*;
    use crate::tree::hash;

    /// SHA-256 of each step. A step that is in a release is never changed; a new one is added here.
    const FROZEN: [&str; 12] = [
        "e172be4e59442c999430327a2183eb751ee275ca351a2d5ba0387cbc67c16798",
        "afe9e97e84d8b90276c4b02cfcfb38bd3d0b7dd755283f52d947163041c4568c",
        "2d77a8578446e655d360a0a78a982bc78dbcec084779a76dbae89f7272eccdb2",
        "7128face57a51ec229ca781b12c135cb493faa8052a7d5b33fc583776c911530",
        "ae6689e24a312a6decac6bf680e78cc2a5e521a7c2c70e38c340e179171ef2c3",
        "732da0dcf349e98442b6ad7145b8adf12227c96e6cbc6ce8f5c190334aff7246",
        "cabc3c83ebf643c4c3a4e080cfbb7553a6876cef3de0ce46a46a30d63e26d10b",
        "0f4c36077da24f034cdde1709ee9e96167f8ba6ae4e467c28b35003c0c31771d",
        "137eb1f63742306aba8bac4c2ff1a60ca38d0a3c396df8d6804b99b1df90fea8",
        "8039e994a5eab6e2bb77be3e8ac72ed1a8a8bf2e24af2da92532f4479d5216d4",
        "aae865d989be8e9dcd5abed733b24bb1d6f984e9909c297bd4a235c95d8693d7",
        "dfd8ce62c7d033fbfb47235c00e0efaa60bb6e21a8fb072efc912f5bd67f63ed",
    ];

    fn table(db: &Connection, name: &str) -> String {
        db.query_row("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1", [name], |row| row.get(0))
            .unwrap()
    }

    fn quoted(names: impl Iterator<Item = String>) -> String {
        names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn migrations_are_what_they_were() {
        let hashes = MIGRATIONS.map(|step| crate::checkpoint::hex(&hash(&[step.as_bytes()])));
        assert_eq!(hashes, FROZEN, "homes were made by these steps; add one instead of changing one");
    }

    #[test]
    fn the_newest_schema_allows_what_the_gate_allows() {
        let action = table(&newest(), "action");
        let past_claim = quoted(State::ALL.iter().filter(|state| state.is_past_claim()).map(|s| s.name().to_owned()));
        let steps =
            TRANSITIONS.iter().flat_map(|(from, to)| to.iter().map(move |to| format!("{}>{}", from.name(), to.name())));
        for wanted in [
            format!("CHECK (state IN ({}))", quoted(State::ALL.iter().map(|state| state.name().to_owned()))),
            format!("CHECK (class IN ({}))", quoted(Class::ALL.iter().map(|class| class.name().to_owned()))),
            format!("CHECK (previous IS NULL OR previous || '>' || state IN ({}))", quoted(steps)),
            format!("CHECK (state NOT IN ({past_claim}) OR (claim_epoch IS NOT NULL"),
            format!("CHECK (NOT (class = 'critical' AND state IN ({past_claim}) AND coalesce(stepped_up, 0) = 0))"),
        ] {
            assert!(action.contains(&wanted), "the schema wants a new step, for it does not hold: {wanted}");
        }
        let levels = quoted(Level::ALL.iter().map(|level| level.name().to_owned()));
        let connection = table(&newest(), "connection");
        assert!(connection.contains(&format!("CHECK (level IN ({levels}))")), "{connection}");
    }

    #[test]
    fn every_kind_is_stored_and_no_other() {
        let db = newest();
        let mut query = db.prepare("SELECT name FROM kind").unwrap();
        let kinds = query.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<Vec<String>>>();
        let mut wanted: Vec<String> = ActionKind::all().map(|kind| kind.name().to_owned()).collect();
        wanted.sort();
        assert_eq!(kinds, Ok(wanted));
        assert!(table(&db, "action").contains("REFERENCES kind (name)"));
    }
}
