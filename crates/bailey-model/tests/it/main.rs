//! What a request to a model holds, seen from outside.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

mod corpus;
mod requests;
mod screening;
mod streams;
