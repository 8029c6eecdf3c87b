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
    let file = without_folders_of_the_machine(file);
    let file = file.get(file.len().saturating_sub(MAX_PATH_BYTES)..).unwrap_or_default();
    let line = place.map_or(0, |place| u64::from(place.line()));
    tracing::event!(tracing::Level::ERROR, message = "the program met a fault of its own", file, line);
}

/// Leaves of a path what says where in the source it is: of a library, from its own folder on; of anything else that is whole,
/// the file alone. Folders of the machine that built the program can name who built it.
fn without_folders_of_the_machine(file: &str) -> &str {
    let of_library = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/'));
    match of_library {
        Some((_, rest)) => rest,
        None if file.starts_with("/rustc/") || !file.starts_with('/') => file,
        None => file.rsplit('/').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_folders_of_the_machine as left;

    #[test]
    fn panics_are_placed_without_folders_of_the_machine() {
        assert_eq!(left("/home/ana/.cargo/registry/src/index-1/hyper-1.2/src/a.rs"), "hyper-1.2/src/a.rs");
        assert_eq!(left("/home/ana/bailey/src/a.rs"), "a.rs");
        assert_eq!(left("crates/bailey-home/src/a.rs"), "crates/bailey-home/src/a.rs");
        assert_eq!(left("/rustc/abc/library/core/src/a.rs"), "/rustc/abc/library/core/src/a.rs");
    }
}
