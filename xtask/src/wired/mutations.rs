//! Every control, and how to take it out.

use super::Mutation;

/// One for each control that `SECURITY.md` names.
pub const MUTATIONS: &[Mutation] = &[];
