//! Panics, logged by where they happened: their words may quote what was read.

use std::panic::PanicHookInfo;

/// Longest path of a source file that is logged, in bytes.
const MAX_PATH_BYTES: usize = 120;

/// Replaces the hook of the process, which would print the words of a panic.
pub(crate) fn take_over() {
    std::panic::set_hook(Box::new(log));
}

fn log(info: &PanicHookInfo<'_>) {
    let place = info.location();
    // A path that the compiler wrote down; cut to its file, which is what says where.
    let file = place.map_or("", |place| place.file());
    let file = file.get(file.len().saturating_sub(MAX_PATH_BYTES)..).unwrap_or_default();
    let line = place.map_or(0, |place| u64::from(place.line()));
    tracing::event!(tracing::Level::ERROR, message = "the program met a fault of its own", file, line);
}
