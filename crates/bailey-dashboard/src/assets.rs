//! The files that pages name: one style, one script, one picture of all icons. Their paths hold a hash of their content, so that they can be kept
//! for ever.

use std::fmt::Write as _;
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

/// Where the files are.
const FOLDER: &str = "/assets/";
/// Bytes of the hash that a path holds.
const HASH_BYTES: usize = 8;

/// A file.
pub(crate) struct File {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

impl File {
    fn path(&self) -> String {
        let hash = Sha256::digest(self.bytes);
        let mut path = String::from(FOLDER);
        for byte in hash.iter().take(HASH_BYTES) {
            let _ = write!(path, "{byte:02x}");
        }
        path.push('/');
        path.push_str(self.name);
        path
    }
}

/// A file with its path.
pub(crate) type Kept = LazyLock<(String, File)>;

pub(crate) static STYLE: Kept =
    LazyLock::new(|| kept("dashboard.css", "text/css; charset=utf-8", include_bytes!("../assets/dashboard.css")));
pub(crate) static SCRIPT: Kept =
    LazyLock::new(|| kept("dashboard.js", "text/javascript; charset=utf-8", include_bytes!("../assets/dashboard.js")));
pub(crate) static RECORDS: Kept =
    LazyLock::new(|| kept("records.js", "text/javascript; charset=utf-8", include_bytes!("../assets/records.js")));
pub(crate) static FILES: Kept =
    LazyLock::new(|| kept("files.js", "text/javascript; charset=utf-8", include_bytes!("../assets/files.js")));
pub(crate) static ICONS: Kept =
    LazyLock::new(|| kept("icons.svg", "image/svg+xml", include_bytes!("../assets/icons.svg")));

pub(crate) static NOTIFICATIONS: Kept = LazyLock::new(|| {
    kept("notifications.js", "text/javascript; charset=utf-8", include_bytes!("../assets/notifications.js"))
});
pub(crate) static ICON: Kept =
    LazyLock::new(|| kept("icon-192.png", "image/png", include_bytes!("../assets/icon-192.png")));
pub(crate) static ICON_LARGE: Kept =
    LazyLock::new(|| kept("icon-512.png", "image/png", include_bytes!("../assets/icon-512.png")));
pub(crate) static ICON_MASKABLE: Kept =
    LazyLock::new(|| kept("icon-maskable-512.png", "image/png", include_bytes!("../assets/icon-maskable-512.png")));
/// The service worker, whose path cannot change: a browser that has it looks there whether there is a newer one.
pub const WORKER: (&str, &[u8]) = ("/worker.js", include_bytes!("../assets/worker.js"));

fn kept(name: &'static str, media_type: &'static str, bytes: &'static [u8]) -> (String, File) {
    let file = File { name, media_type, bytes };
    (file.path(), file)
}

/// Returns the path of a file.
pub(crate) fn path(file: &'static Kept) -> &'static str {
    &file.0
}

/// Returns media type and content of the file at a path; nothing where there is none. It never changes at that path.
#[must_use]
pub fn asset(path: &str) -> Option<(&'static str, &'static [u8])> {
    let all: [&'static Kept; 9] =
        [&STYLE, &SCRIPT, &RECORDS, &FILES, &ICONS, &NOTIFICATIONS, &ICON, &ICON_LARGE, &ICON_MASKABLE];
    all.into_iter().find(|kept| kept.0 == path).map(|kept| (kept.1.media_type, kept.1.bytes))
}
