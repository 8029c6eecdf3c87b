//! What pages are made of, whatever the views hold: read as a browser reads them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

mod html;
mod pages;
mod rendering;
mod views;
