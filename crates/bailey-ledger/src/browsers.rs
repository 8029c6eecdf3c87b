//! The person's browsers: passkeys, the sessions they began, and recovery codes.

use bailey_gate::ledger::StoreError;
use rusqlite::{Row as SqlRow, params};

use crate::read::CredentialKind;
use crate::rows::store_error;
use crate::store::Ledger;
use crate::tx::LedgerTx;

/// A passkey, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Its identity, as approvals name it.
    pub id: [u8; 16],
    /// Its authenticator's own name for it (`rawId`).
    pub raw_id: Vec<u8>,
    /// Its COSE key.
    pub public: Vec<u8>,
    /// How often it signed, where its authenticator counts; else 0.
    pub count: u32,
    /// The relying party: the host of the page it was made on.
    pub rp: String,
    /// The person's name for it.
    pub name: String,
    /// Tells whether it may be copied to other devices of the person.
    pub synced: bool,
    /// When it was made: milliseconds since 1970-01-01T00:00Z, as the times below.
    pub made_ms: i64,
    /// When it signed last.
    pub used_ms: Option<i64>,
    /// When it was ended.
    pub ended_ms: Option<i64>,
    /// Tells whether it counts: not after an older copy of the database was put back, until the passphrase says so.
    pub confirmed: bool,
}

impl PasskeyRow {
    /// Tells whether its answers count.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.ended_ms.is_none() && self.confirmed
    }
}

/// A browser that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its identity.
    pub id: [u8; 16],
    /// The SHA-256 of what its browser shows.
    pub secret: [u8; 32],
    /// The passkey that began it.
    pub passkey: [u8; 16],
    /// The browser's name and system.
    pub agent: String,
    /// When it began: milliseconds since 1970-01-01T00:00Z, as the times below.
    pub made_ms: i64,
    /// When it was heard of last; kept to the minute or so.
    pub used_ms: i64,
    /// When it was ended.
    pub ended_ms: Option<i64>,
}

const PASSKEY: &str =
    "SELECT passkey.id, raw_id, public, sign_count, rp, name, synced, made_ms, used_ms, ended_ms, confirmed
     FROM passkey JOIN credential ON credential.id = passkey.id";
const SESSION: &str = "SELECT id, secret, passkey, agent, made_ms, used_ms, ended_ms FROM session";

fn passkey(row: &SqlRow<'_>) -> rusqlite::Result<PasskeyRow> {
    Ok(PasskeyRow {
        id: row.get(0)?,
        raw_id: row.get(1)?,
        public: row.get(2)?,
        count: row.get::<_, Option<u32>>(3)?.unwrap_or_default(),
        rp: row.get(4)?,
        name: row.get(5)?,
        synced: row.get(6)?,
        made_ms: row.get(7)?,
        used_ms: row.get(8)?,
        ended_ms: row.get(9)?,
        confirmed: row.get(10)?,
    })
}

fn session(row: &SqlRow<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: row.get(0)?,
        secret: row.get(1)?,
        passkey: row.get(2)?,
        agent: row.get(3)?,
        made_ms: row.get(4)?,
        used_ms: row.get(5)?,
        ended_ms: row.get(6)?,
    })
}

impl Ledger {
    /// Returns every passkey there is or was, oldest first.
    pub fn passkeys(&self) -> Result<Vec<PasskeyRow>, StoreError> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(&format!("{PASSKEY} ORDER BY passkey.rowid")).map_err(store_error)?;
        query.query_map([], passkey).and_then(Iterator::collect).map_err(store_error)
    }

    /// Returns the sessions that were not ended, oldest first.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        let reader = self.reader();
        let mut query =
            reader.prepare_cached(&format!("{SESSION} WHERE ended_ms IS NULL ORDER BY rowid")).map_err(store_error)?;
        query.query_map([], session).and_then(Iterator::collect).map_err(store_error)
    }

    /// Tells whether a recovery code with this SHA-256 still counts.
    pub fn has_recovery_code(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let count = "SELECT count(*) FROM recovery_code WHERE hash = ?1 AND used_ms IS NULL";
        self.reader().query_row(count, [hash], |row| row.get::<_, u64>(0)).map(|count| count == 1).map_err(store_error)
    }

    /// Counts the recovery codes that were not used.
    pub fn recovery_codes_left(&self) -> Result<u64, StoreError> {
        let count = "SELECT count(*) FROM recovery_code WHERE used_ms IS NULL";
        self.reader().query_row(count, [], |row| row.get(0)).map_err(store_error)
    }
}

impl LedgerTx<'_> {
    fn change(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, StoreError> {
        self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map_err(store_error)
    }

    /// Keeps a new passkey.
    pub fn put_passkey(&mut self, row: &PasskeyRow) -> Result<(), StoreError> {
        self.change(
            "INSERT INTO credential (id, kind, public, raw_id, sign_count) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![row.id, CredentialKind::Passkey.name(), row.public, row.raw_id, row.count],
        )?;
        self.change(
            "INSERT INTO passkey (id, rp, name, synced, made_ms, used_ms, ended_ms, confirmed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![row.id, row.rp, row.name, row.synced, row.made_ms, row.used_ms, row.ended_ms, row.confirmed],
        )
        .map(|_| ())
    }

    /// Notes that a passkey signed, and how far it counts. False if it ended, or counted as far, meanwhile.
    pub fn note_passkey_used(&mut self, id: &[u8; 16], count: u32, now_ms: i64) -> Result<bool, StoreError> {
        let counted = self.change(
            "UPDATE credential SET sign_count = ?2 WHERE id = ?1 AND (?2 = 0 AND sign_count = 0 OR sign_count < ?2)",
            params![id, count],
        )?;
        let used = self.change(
            "UPDATE passkey SET used_ms = ?2 WHERE id = ?1 AND ended_ms IS NULL AND confirmed = 1",
            params![id, now_ms],
        )?;
        Ok(counted == 1 && used == 1)
    }

    /// Ends a passkey, and the sessions it began. False if there is none that stands.
    pub fn end_passkey(&mut self, id: &[u8; 16], now_ms: i64) -> Result<bool, StoreError> {
        self.change("UPDATE session SET ended_ms = ?2 WHERE passkey = ?1 AND ended_ms IS NULL", params![id, now_ms])?;
        let ended = "UPDATE passkey SET ended_ms = ?2 WHERE id = ?1 AND ended_ms IS NULL";
        Ok(self.change(ended, params![id, now_ms])? == 1)
    }

    /// Lets no passkey count until it is confirmed, and ends every session and recovery code: what was ended since may be back.
    pub fn doubt_passkeys(&mut self, now_ms: i64) -> Result<(), StoreError> {
        self.change("UPDATE passkey SET confirmed = 0", [])?;
        self.change("DELETE FROM recovery_code", [])?;
        self.end_sessions(now_ms)
    }

    /// Lets a passkey count again. False if there is none that stands.
    pub fn confirm_passkey(&mut self, id: &[u8; 16]) -> Result<bool, StoreError> {
        Ok(self.change("UPDATE passkey SET confirmed = 1 WHERE id = ?1 AND ended_ms IS NULL", [id])? == 1)
    }

    /// Tells whether a passkey stands, and counts.
    pub fn passkey_stands(&mut self, id: &[u8; 16]) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM passkey WHERE id = ?1 AND ended_ms IS NULL AND confirmed = 1";
        self.db.query_row(sql, [id], |row| row.get::<_, u64>(0)).map(|count| count == 1).map_err(store_error)
    }

    /// Keeps a new session. False, and it is not kept, if its passkey does not stand any more.
    pub fn put_session(&mut self, row: &SessionRow) -> Result<bool, StoreError> {
        if !self.passkey_stands(&row.passkey)? {
            return Ok(false);
        }
        self.change(
            "INSERT INTO session (id, secret, passkey, agent, made_ms, used_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![row.id, row.secret, row.passkey, row.agent, row.made_ms, row.used_ms],
        )
        .map(|_| true)
    }

    /// Notes that a session was heard of.
    pub fn note_session_used(&mut self, id: &[u8; 16], now_ms: i64) -> Result<(), StoreError> {
        self.change("UPDATE session SET used_ms = ?2 WHERE id = ?1", params![id, now_ms]).map(|_| ())
    }

    /// Ends a session. False if there is none that stands.
    pub fn end_session(&mut self, id: &[u8; 16], now_ms: i64) -> Result<bool, StoreError> {
        let ended = "UPDATE session SET ended_ms = ?2 WHERE id = ?1 AND ended_ms IS NULL";
        Ok(self.change(ended, params![id, now_ms])? == 1)
    }

    /// Ends every session.
    pub fn end_sessions(&mut self, now_ms: i64) -> Result<(), StoreError> {
        self.change("UPDATE session SET ended_ms = ?1 WHERE ended_ms IS NULL", [now_ms]).map(|_| ())
    }

    /// Keeps the SHA-256 of each recovery code; those before count no more.
    pub fn put_recovery_codes(&mut self, hashes: &[[u8; 32]], now_ms: i64) -> Result<(), StoreError> {
        self.change("DELETE FROM recovery_code", [])?;
        hashes.iter().try_for_each(|hash| {
            self.change("INSERT INTO recovery_code (hash, made_ms) VALUES (?1, ?2)", params![hash, now_ms]).map(|_| ())
        })
    }

    /// Uses up a recovery code. False if there is none with this SHA-256, or it was used.
    pub fn use_recovery_code(&mut self, hash: &[u8; 32], now_ms: i64) -> Result<bool, StoreError> {
        let used = "UPDATE recovery_code SET used_ms = ?2 WHERE hash = ?1 AND used_ms IS NULL";
        Ok(self.change(used, params![hash, now_ms])? == 1)
    }
}
