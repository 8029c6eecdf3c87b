//! What an action stands on, in words: for each recipient, thing and link whether the person named it or dealt with it before, and
//! what its task has let in. The same facts that rules decide by, told one by one.

use bailey_gate::TaskId;
use bailey_gate::content::Content;
use bailey_gate::family::Party;
use bailey_gate::family::escape::visible;
use bailey_gate::ground::{self, Words};
use bailey_gate::intent::asking;
use bailey_gate::ledger::StoreError;
use bailey_interface::Line;

use crate::home::Home;

/// What is told of an action.
#[derive(Debug, Default)]
pub(crate) struct Relationship {
    /// What to look at twice.
    pub(crate) warnings: Vec<String>,
    /// What each thing stands on.
    pub(crate) lines: Vec<Line>,
}

impl Relationship {
    fn line(&mut self, label: &str, value: String) {
        self.lines.push(Line { label: label.into(), value });
    }

    /// Returns somebody who gets something.
    fn party(&mut self, home: &Home, words: &Words, party: &Party) -> Result<(), StoreError> {
        let (standing, name) = (home.ledger.relationship(party)?, visible(&party.value));
        let named = words.hold_party(party);
        let stands = match (standing.own, named, standing.known) {
            (true, _, _) => "it is yours",
            (false, true, true) => "you named it in this task, and dealt with it before",
            (false, true, false) => "you named it in this task",
            (false, false, true) => "you dealt with it before",
            (false, false, false) => "you neither named it in this task nor dealt with it before",
        };
        let inside = if standing.inside && !standing.own { "; inside your organisation" } else { "" };
        self.line("Stands on", format!("{name}: {stands}{inside}"));
        if standing.own || standing.known {
            return Ok(());
        }
        self.warnings.push(format!("As far as Bailey knows, you have never written to `{name}`."));
        if let Some(known) = home.ledger.confusable_with(party)? {
            let known = visible(&known);
            self.warnings.push(format!("`{name}` could be taken for `{known}`, whom you know, and is somebody else."));
        }
        Ok(())
    }
}

/// Returns what an action stands on.
pub(crate) fn of(home: &Home, content: &Content, task: Option<&TaskId>) -> Result<Relationship, StoreError> {
    let words = task.map(|task| home.ledger.task_words(task)).transpose()?.flatten().unwrap_or_default();
    let words = Words::new(&asking(&words));
    let mut out = Relationship::default();
    let traits = content.action.traits();
    for party in &traits.recipients {
        out.party(home, &words, party)?;
    }
    let unread = traits.unreadable_recipients;
    if unread > 0 {
        out.warnings.push(format!("{unread} of those who get something cannot be read; they may be anybody."));
    }
    for target in &traits.targets {
        let named = words.name_target(target);
        let stands = if named { "you named it in this task" } else { "you did not name it in this task" };
        out.line("Stands on", format!("{}: {stands}", visible(target)));
    }
    for link in ground::links(&traits.text_for_others) {
        let shown = visible(&link);
        if words.hold(&link) {
            out.line("Link", format!("{shown}: you wrote it in this task"));
        } else {
            out.line("Link", format!("{shown}: you did not write it"));
            out.warnings.push(format!("The text has a link that you did not write: `{shown}`."));
        }
    }
    let Some(task) = task else { return Ok(out) };
    let marks = home.ledger.task_taint(task)?;
    let read = match (marks.brought.untrusted, marks.brought.confidential) {
        (true, true) => Some("what others wrote, and secrets"),
        (true, false) => Some("what others wrote"),
        (false, true) => Some("secrets"),
        (false, false) => None,
    };
    if let Some(read) = read {
        out.line("The task has read", read.into());
    }
    if marks.off_task > 0 {
        let most = bailey_gate::MAX_OFF_TASK_PER_TASK;
        out.line(
            "Asked beside its words",
            format!("{} of {most}; then the task changes nothing any more", marks.off_task),
        );
    }
    Ok(out)
}
