//! `bailey undo --task`: everything of a task that can be undone, each by an undo of its own, by one answer.

use std::io::{self, Write as _};

use bailey_gate::approval::Purpose;
use bailey_gate::{ActionId, BadId};
use bailey_home::routes;
use bailey_interface::{TaskUndoView, UndoFate, UndoStepView, UndoTaskBody};
use serde::Serialize;

use crate::client::{Client, Trouble};
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

fn ids(plan: &TaskUndoView, fate: UndoFate) -> Vec<String> {
    plan.steps.iter().filter(|step| step.fate == fate).map(|step| step.action.id.clone()).collect()
}

/// Shows what can be undone, asks for the passphrase once, has the home take back and undo, and says what came of each.
pub(crate) async fn task(client: &Client, id: &str, json: bool) -> Result<(), Trouble> {
    let plan: TaskUndoView = client.get(&routes::TASK_UNDO.at(&[id])).await?;
    let (take_back, mut undo) = (ids(&plan, UndoFate::TakeBack), ids(&plan, UndoFate::Undo));
    let mut proof = None;
    if !undo.is_empty() {
        let mut out = io::stderr().lock();
        let shown = plan.steps.iter().filter(|step| step.fate == UndoFate::Undo);
        shown.map(|step| &step.action).try_for_each(|action| writeln!(out, "{}  {}", action.id, action.headline))?;
        drop(out);
        let words = prompt::passphrase(&format!(
            "Approval passphrase, to undo these ({} action(s)); empty to leave them",
            undo.len()
        ))?;
        if words.chars() == 0 {
            undo.clear();
        } else {
            let all = undo.iter().map(|id| id.parse()).collect::<Result<Vec<ActionId>, BadId>>();
            let all = all.map_err(|error| Trouble::Here(error.to_string()))?;
            proof = Some(client.prove(&Purpose::UndoAll(all), &words).await?);
        }
    }
    let after = if take_back.is_empty() && undo.is_empty() {
        plan
    } else {
        let body = UndoTaskBody { take_back, undo, proof };
        let begun = client.post(&routes::UNDO_TASK.at(&[id]), &body).await?;
        at_rest(client, id, begun).await?
    };
    let done = told(&after);
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

/// Waits until the home has undone what it could. It goes on also where nobody waits.
async fn at_rest(client: &Client, id: &str, mut view: TaskUndoView) -> Result<TaskUndoView, Trouble> {
    let mut seen: u64 = client.get(&routes::CHANGES.here()).await?;
    while view.running {
        view = client.get(&routes::TASK_UNDO.at(&[id])).await?;
        if view.running {
            seen = client.get(&routes::CHANGES.here().with("after", seen)).await?;
        }
    }
    Ok(view)
}

fn told(view: &TaskUndoView) -> Done {
    let mut done = Done::default();
    for UndoStepView { action, fate, why } in &view.steps {
        let list = match fate {
            UndoFate::TakenBack => &mut done.taken_back,
            UndoFate::Undone => &mut done.undone,
            UndoFate::TakeBack | UndoFate::Undo | UndoFate::UnderWay | UndoFate::Leave => &mut done.left,
        };
        let why = match fate {
            UndoFate::TakeBack | UndoFate::Undo if why.is_empty() => "you left it",
            UndoFate::UnderWay if why.is_empty() => "it is being undone",
            _ => why,
        };
        list.push(Said { id: action.id.clone(), headline: action.headline.clone(), why: why.into() });
    }
    done
}
