//! Every control, and how to take it out.

mod computer;
mod daily;
mod dashboard;
mod files;
mod gate;
mod house;
mod interface;
mod outside;
mod processes;
mod room;
mod rules;
mod schedules;
mod telemetry;

use super::Mutation;

/// Returns one for each control that `SECURITY.md` names.
pub(super) fn mutations() -> impl Iterator<Item = &'static Mutation> + Clone {
    [
        gate::GATE,
        rules::RULES,
        schedules::SCHEDULES,
        outside::OUTSIDE,
        house::HOUSE,
        interface::INTERFACE,
        processes::PROCESSES,
        telemetry::TELEMETRY,
        daily::DAILY,
        dashboard::DASHBOARD,
        files::FILES,
        computer::COMPUTER,
        room::ROOM,
    ]
    .into_iter()
    .flatten()
}
