//! Whether KVM works here: by booting a guest under it, not by opening it. There are machines whose `/dev/kvm` makes guests that never
//! run an instruction.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What the answer was found for: with another kernel or QEMU it is looked for anew.
pub(crate) fn circumstances(program: &Path) -> String {
    let system = rustix::system::uname();
    let changed = std::fs::metadata(program).map_or(0, |about| about.mtime());
    format!("{} {} {changed}", system.release().to_string_lossy(), program.display())
}

/// Returns the answer that was found before, if it was under the same circumstances.
pub(crate) fn remembered(cache: &Path, circumstances: &str) -> Option<bool> {
    let text = std::fs::read_to_string(cache).ok()?;
    match text.trim_end().split_once('\n')? {
        (of, "kvm works") if of == circumstances => Some(true),
        (of, "kvm does not work") if of == circumstances => Some(false),
        _ => None,
    }
}

/// Keeps an answer. Where it cannot be kept it is looked for again.
pub(crate) fn remember(cache: &Path, circumstances: &str, works: bool) {
    let words = if works { "kvm works" } else { "kvm does not work" };
    let _ = std::fs::write(cache, format!("{circumstances}\n{words}\n"));
}

/// Returns the group that may open `/dev/kvm`: none, where there is no such device or only root may.
pub(crate) fn group() -> Option<u32> {
    let about = std::fs::metadata("/dev/kvm").ok()?;
    (about.mode() & 0o060 == 0o060).then(|| about.gid())
}
