//! The store through its public doors.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected has to fail, and says where")]

mod blobs;
mod disk;
mod formats;
mod keys;
mod log;
mod readers;
mod search;
mod stored_files;
mod support;
mod writer;
