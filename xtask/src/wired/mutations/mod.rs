//! Every control, and how to take it out.

mod gate;
mod house;
mod outside;

use super::Mutation;

/// One for each control that `SECURITY.md` names.
pub(super) fn mutations() -> impl Iterator<Item = &'static Mutation> + Clone {
    [gate::GATE, outside::OUTSIDE, house::HOUSE].into_iter().flatten()
}
