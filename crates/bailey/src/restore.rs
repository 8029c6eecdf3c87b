//! `bailey restore`: puts a backup of a home in place.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bailey_home::Layout;
use bailey_supervisor::{Place, SupervisorError};
use serde::Serialize;

use crate::client::Trouble;
use crate::show;

/// What was done.
#[derive(Debug, Serialize)]
struct Restored {
    home: String,
    /// Where what was there is kept.
    replaced: Option<PathBuf>,
}

/// Puts the home of a folder in place.
pub(crate) fn run(layout: &Layout, backup: &Path, json: bool) -> Result<(), Trouble> {
    let info = Layout::new(backup).info().map_err(|error| Trouble::Here(error.to_string()))?;
    let place = Place::new(layout.root());
    writeln!(
        io::stderr(),
        "Putting home {} of `{}` in place of what is in `{}`, which is kept. Nothing may run meanwhile.",
        info.home,
        backup.display(),
        layout.root().display()
    )?;
    let restored = place.restore(backup, bailey_home::mark_paused_by_supervisor, looked_through);
    let replaced = restored.map_err(|error| match error {
        SupervisorError::Halfway(_) => Trouble::Here(error.to_string()),
        other => Trouble::Here(format!("{other}; nothing of the home was changed")),
    })?;
    let done = Restored { home: info.home, replaced };
    Ok(show::print(json, &done, |out| {
        writeln!(out, "Home {} is in place, and starts paused.", done.home)?;
        if let Some(folder) = &done.replaced {
            writeln!(out, "What was there is kept in `{}`; remove it when you need it no more.", folder.display())?;
        }
        writeln!(
            out,
            "Nothing that was approved or held in it leaves by itself: it asks again. Where this machine has seen the home newer than \
             it is now, that is taken back instead, connections are ended, and rules that let something go are dropped."
        )?;
        writeln!(
            out,
            "It knows nothing of what you revoked, refused and sent since. Next: `bailey serve`; look at `bailey log list`, \
             `bailey passkey list` (none counts until `bailey passkey confirm`), `bailey connections` and your sent mail; then `bailey resume`."
        )
    })?)
}

/// Notes in the copy that its passkeys need the passphrase first, and looks through it before it is put in place. What a passphrase locks cannot be looked at.
fn looked_through(folder: &Path) -> Result<(), String> {
    Layout::new(folder).doubt_browsers().map_err(|error| error.to_string())?;
    let place = Place::new(folder);
    let Some(root) = place.root_key(None).map_err(|error| error.to_string())? else { return Ok(()) };
    let key = place.unwrap(&root).map_err(|error| error.to_string())?;
    Layout::new(folder).look(&key).map_err(|error| format!("the backup cannot be used: {error}"))
}
