//! One program for every target; `BAILEY_FUZZ_TARGET` names the one to run.

#![no_main]

use std::sync::OnceLock;

use bailey_fuzz::{TARGETS, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

fn target() -> Target {
    let ending = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |about| {
        if !bailey_fuzz::is_contained() {
            ending(about);
        }
    }));
    let name = std::env::var("BAILEY_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target);
    found.unwrap_or_else(|| panic!("there is no target `{name}`"))
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET.get_or_init(target)(bytes));
