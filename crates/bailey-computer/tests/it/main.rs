//! Real machines, emulated, out of the real images: `cargo xtask image --small` and `--browser` make them. One runs at a time.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has to fail, and says where")]

mod browser;
mod guest;
mod jail;
mod lifecycle;
mod outside;
mod support;
mod web;
