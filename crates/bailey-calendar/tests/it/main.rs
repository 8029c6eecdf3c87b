//! Calendar objects through the crate's own door.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

mod dates;
mod edits;
mod hostile;
mod objects;
mod others;
mod rules;
mod shapes;
