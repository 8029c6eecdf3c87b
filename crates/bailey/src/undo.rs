//! `bailey undo --task`: everything of a task that can be undone, each by an undo of its own.

use std::io::{self, Write as _};

use bailey_gate::approval::Purpose;
use bailey_gate::{ActionId, BadId};
use bailey_home::routes;
use bailey_interface::{ActionView, IdsBody, ProvenBody, TaskView};
use serde::Serialize;

use crate::client::{Client, Trouble};
use crate::commands::undone;
use crate::{prompt, show};

/// What became of a task's actions.
#[derive(Debug, Default, Serialize)]
struct Done {
    /// Taken back before they happened.
    taken_back: Vec<Said>,
    /// Undone.
    undone: Vec<Said>,
    /// Not undone, and why.
    left: Vec<Said>,
}

/// An action, and what is to be said of it.
#[derive(Debug, Serialize)]
struct Said {
    id: String,
    headline: String,
    why: String,
}

fn said(action: &ActionView, why: impl Into<String>) -> Said {
    Said { id: action.id.clone(), headline: action.headline.clone(), why: why.into() }
}

/// Takes back what waits, undoes what can be undone, the newest first, and says what is left. The passphrase is asked for once; each
/// undo is signed and decided by itself.
pub(crate) async fn task(client: &Client, id: &str, json: bool) -> Result<(), Trouble> {
    let task: TaskView = client.get(&routes::TASK.at(&[id])).await?;
    let (mut done, mut to_undo) = (Done::default(), Vec::new());
    for action in task.actions.iter().rev() {
        match action.state.as_str() {
            "awaiting" | "approved" | "held" => {
                let () = client.post(&routes::CANCEL.here(), &IdsBody { ids: vec![action.id.clone()] }).await?;
                done.taken_back.push(said(action, ""));
            }
            _ if action.can_undo => to_undo.push(action),
            "succeeded" | "partial" if !is_look(action) => done.left.push(said(action, &action.reversal)),
            "unknown" | "reconciling" | "needs-person" | "claimed" => {
                done.left.push(said(action, "it is not known yet whether it happened; see `bailey show`"));
            }
            _ => {}
        }
    }
    if !to_undo.is_empty() {
        let mut out = io::stderr().lock();
        to_undo.iter().try_for_each(|action| writeln!(out, "{}  {}", action.id, action.headline))?;
        drop(out);
        let words = prompt::passphrase(&format!(
            "Approval passphrase, to undo these ({} action(s)); empty to leave them",
            to_undo.len()
        ))?;
        for action in to_undo {
            if words.chars() == 0 {
                done.left.push(said(action, "you left it"));
                continue;
            }
            let of: ActionId = action.id.parse().map_err(|error: BadId| Trouble::Here(error.to_string()))?;
            let proof = client.prove(&Purpose::Undo(of), &words).await?;
            match client.post::<_, ActionView>(&routes::UNDO.at(&[&action.id]), &ProvenBody { proof }).await {
                Ok(undo) => match undone(client, undo).await? {
                    undo if undo.state == "succeeded" => done.undone.push(said(action, "")),
                    undo => done.left.push(said(action, undo.outcome.unwrap_or(undo.state))),
                },
                // A wrong passphrase is wrong for all of them.
                Err(trouble) if trouble.exit_code() == NOT_AUTHORISED => return Err(trouble),
                Err(trouble) => done.left.push(said(action, trouble.to_string())),
            }
        }
    }
    show::print(json, &done, |out| {
        for (what, list) in [("taken back", &done.taken_back), ("undone", &done.undone), ("NOT undone", &done.left)] {
            for one in list {
                let why = if one.why.is_empty() { String::new() } else { format!(": {}", one.why) };
                writeln!(out, "{what}: {}  {}{why}", one.id, one.headline)?;
            }
        }
        if done.taken_back.is_empty() && done.undone.is_empty() && done.left.is_empty() {
            writeln!(out, "There is nothing to undo in this task.")?;
        }
        Ok(())
    })?;
    if done.left.is_empty() { Ok(()) } else { Err(Trouble::Printed(1)) }
}

/// The exit code of an answer that did not count.
const NOT_AUTHORISED: u8 = 4;

/// Tells whether an action only looked, or only talked to the person: then there is nothing to undo.
fn is_look(action: &ActionView) -> bool {
    bailey_gate::family::ActionKind::from_name(&action.kind)
        .is_some_and(|kind| kind.is_read() || kind == bailey_gate::family::home::REPLY)
}
