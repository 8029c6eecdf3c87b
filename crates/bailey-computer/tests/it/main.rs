//! Real machines, emulated, out of the real image: `cargo xtask image --small` makes it. One runs at a time.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has to fail, and says where")]

mod guest;
mod jail;
mod lifecycle;
mod outside;
mod support;
