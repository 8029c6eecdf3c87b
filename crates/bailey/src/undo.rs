//! `bailey undo --task`: everything of a task that can be undone, each by an undo of its own, by one answer.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use bailey_gate::approval::Purpose;
use bailey_gate::{ActionId, BadId};
use bailey_home::routes;
use bailey_interface::{ProofBody, TaskUndoView, UndoFate, UndoStepView, UndoTaskBody};
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

/// Shows what can be undone, asks for the passphrase, has the home take back and undo, and says what came of each. One answer undoes so many;
/// where there are more, it shows and asks again.
pub(crate) async fn task(client: &Client, id: &str, json: bool) -> Result<(), Trouble> {
    let mut plan: TaskUndoView = client.get(&routes::TASK_UNDO.at(&[id])).await?;
    if plan.broken_off_ms.is_some() {
        writeln!(
            io::stderr(),
            "Undoing this task broke off before, for Bailey ended meanwhile; this is what is left."
        )?;
    }
    let (mut asked, mut again) = (BTreeSet::new(), false);
    loop {
        let take_back = ids(&plan, UndoFate::TakeBack);
        let mut undo = ids(&plan, UndoFate::Undo);
        // What could not be undone is not asked about again and again.
        undo.retain(|id| asked.insert(id.clone()));
        let later = ids(&plan, UndoFate::Later).len();
        let proof = leave(client, &plan, &undo, later, again).await?;
        again = true;
        if proof.is_none() {
            undo.clear();
        }
        if take_back.is_empty() && undo.is_empty() {
            break;
        }
        let went = !undo.is_empty();
        let begun = client.post(&routes::UNDO_TASK.at(&[id]), &UndoTaskBody { take_back, undo, proof }).await?;
        plan = at_rest(client, id, begun).await?;
        if later == 0 || !went {
            break;
        }
    }
    let done = told(&plan);
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

/// Shows what is to be undone, and asks for the passphrase: the evidence for exactly that, or nothing where it is to be left.
async fn leave(
    client: &Client,
    plan: &TaskUndoView,
    undo: &[String],
    later: usize,
    again: bool,
) -> Result<Option<ProofBody>, Trouble> {
    if undo.is_empty() {
        return Ok(None);
    }
    let mut out = io::stderr().lock();
    let shown = plan.steps.iter().map(|step| &step.action).filter(|action| undo.contains(&action.id));
    shown.into_iter().try_for_each(|action| writeln!(out, "{}  {}", action.id, action.headline))?;
    if later > 0 {
        writeln!(out, "One answer undoes at most {}; {later} more come after these.", undo.len())?;
    }
    drop(out);
    let question = format!("Approval passphrase, to undo these ({} action(s)); empty to leave them", undo.len());
    let words = match prompt::passphrase(&question) {
        // Where one line was given and no more, the rest is left.
        Err(error) if again && error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        words => words?,
    };
    if words.chars() == 0 {
        return Ok(None);
    }
    let all = undo.iter().map(|id| id.parse()).collect::<Result<Vec<ActionId>, BadId>>();
    let all = all.map_err(|error| Trouble::Here(error.to_string()))?;
    Ok(Some(client.prove(&Purpose::UndoAll(all), &words).await?))
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
            UndoFate::TakeBack | UndoFate::Undo | UndoFate::Later | UndoFate::UnderWay | UndoFate::Leave => {
                &mut done.left
            }
        };
        let why = match fate {
            UndoFate::TakeBack | UndoFate::Undo | UndoFate::Later if why.is_empty() => "you left it",
            UndoFate::UnderWay if why.is_empty() => "it is being undone",
            _ => why,
        };
        list.push(Said { id: action.id.clone(), headline: action.headline.clone(), why: why.into() });
    }
    done
}
