//! The checkpoint of a home's log that this client saw last: kept with the client's own state, not with the home.

use std::fs;
use std::path::PathBuf;

use bailey_interface::Status;
use bailey_verify::Checkpoint;

use crate::client::Trouble;

/// Tells where this client keeps it. Names no folder that is not there.
pub(crate) fn file(home: &str) -> Result<PathBuf, Trouble> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    let folder = state.ok_or_else(|| Trouble::Here("neither XDG_STATE_HOME nor HOME is set".into()))?.join("bailey");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(format!("{}.pin", bailey_home::routes::safe(home).collect::<String>())))
}

/// Says so where the home's log is shorter than this client has seen it. A log that is as long may be another all the same, of
/// which only `bailey log verify` can tell.
pub(crate) fn is_older(status: &Status) -> Option<String> {
    let seen = Checkpoint::parse(&fs::read_to_string(file(&status.home).ok()?).ok()?)?;
    (status.log_entries < seen.size).then(|| {
        format!(
            "the home is older than what this client has seen: its log has {} entries, and had {} when `bailey log verify` looked last. \
             A copy was put back, which knows nothing of what you revoked, refused and sent since: look at `bailey connections` and at \
             your sent mail before you approve anything",
            status.log_entries, seen.size
        )
    })
}
