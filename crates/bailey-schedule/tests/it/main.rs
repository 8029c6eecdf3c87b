//! What is said about when, what it comes to, and what becomes of it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

mod late;
mod words;
mod year;
