//! What everything else is measured against: the disk, plain SQLite, a plain hash.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::bench::{Times, now};

/// Appends of 4 KiB, each followed by `fdatasync(2)`: the least a durable commit can cost.
pub fn flushes(folder: &Path, count: usize) -> io::Result<Times> {
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("flushes"))?;
    Times::of(count, |_| {
        file.write_all(&[7; 4_096])?;
        file.sync_data()
    })
}

/// Measures one-row commits of plain SQLite in the same mode: write-ahead log, `synchronous=FULL`, no encryption.
pub fn plain_commits(folder: &Path, count: usize) -> rusqlite::Result<Times> {
    let db = Connection::open(folder.join("plain.db"))?;
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (n INTEGER, words TEXT)")?;
    Times::of(count, |index| db.execute("INSERT INTO t VALUES (?1, ?2)", (index as i64, "x".repeat(400))).map(|_| ()))
}

/// Returns bytes hashed each second by SHA-256, as the verifier's library does it.
pub fn hashing(bytes: &[u8]) -> f64 {
    let started = now();
    let hash = Sha256::digest(bytes);
    let seconds = started.elapsed().as_secs_f64();
    std::hint::black_box(hash);
    bytes.len() as f64 / seconds.max(1e-9)
}
