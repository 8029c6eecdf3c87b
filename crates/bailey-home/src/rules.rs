//! Rules in words, for whoever writes them: read, printed, and shown as the Cedar they are.

pub use bailey_policy::rule::{BadRule, Rule, parse};
pub use bailey_policy::{CedarPolicy, PolicyError, Profile};
