//! The gate through its public door, over a ledger in memory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to fail, and says where"
)]

mod bytes;
mod double;
mod life;
mod looks;
mod races;
mod recipients;

/// What must not compile: making permits and claims, using them twice, acting without one.
#[test]
fn forbidden_code_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/forbidden/*.rs");
}
