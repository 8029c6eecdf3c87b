//! What an action stands on, in words: for each recipient, thing and link whether the person named it or dealt with it before, and
//! what its task has let in. The same facts that rules decide by, told one by one.

use bailey_connectors::Services;
use bailey_gate::content::Content;
use bailey_gate::family::escape::visible;
use bailey_gate::family::mail::{Attachment, MailAction, Message};
use bailey_gate::family::text::{Address, Mailbox};
use bailey_gate::family::{Action, Party};
use bailey_gate::ground::{self, Words};
use bailey_gate::intent::asking;
use bailey_gate::ledger::StoreError;
use bailey_gate::{Class, TaskId};
use bailey_interface::{AttachmentView, Line, RecipientView};

use crate::home::Home;

/// What is told of an action.
#[derive(Debug, Default)]
pub(crate) struct Relationship {
    /// Everyone who gets something, in the order of the preview.
    pub(crate) recipients: Vec<RecipientView>,
    /// Warnings: where to look twice.
    pub(crate) warnings: Vec<String>,
    /// Says what each thing stands on.
    pub(crate) lines: Vec<Line>,
}

impl Relationship {
    fn line(&mut self, label: &str, value: String) {
        self.lines.push(Line { label: label.into(), value });
    }

    /// Tells of somebody who gets something: how, and as which mailbox, where it is a mail.
    fn party(
        &mut self,
        home: &Home,
        words: &Words,
        party: &Party,
        (role, mailbox): (&str, Option<&Mailbox>),
    ) -> Result<(), StoreError> {
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
        let stranger = !standing.own && !standing.known;
        let look_alike = if stranger { home.ledger.confusable_with(party)? } else { None };
        let address = mailbox.map(|mailbox| &mailbox.address);
        let shown = mailbox.and_then(|mailbox| mailbox.name.as_ref());
        let recipient = RecipientView {
            role: role.into(),
            kind: party.kind.clone(),
            address: address.map_or(name, |address| visible(address.as_str())),
            letters: address.and_then(Address::letters).map(|letters| visible(&letters)).unwrap_or_default(),
            name: shown.map(|name| visible(name.as_str())).unwrap_or_default(),
            standing: format!("{stands}{inside}"),
            stranger,
            look_alike: look_alike.map(|known| visible(&known)).unwrap_or_default(),
        };
        self.warnings.extend(recipient.warnings());
        self.recipients.push(recipient);
        Ok(())
    }
}

/// Returns the mailboxes of a mail with the part of each, in the order of its recipients; nothing for all else.
fn parts(action: &Action) -> Box<dyn Iterator<Item = (&'static str, Option<&Mailbox>)> + '_> {
    let Action::Mail(MailAction::Send(message)) = action else { return Box::new(std::iter::empty()) };
    let Message { to, cc, bcc, .. } = message;
    let lists = [("to", to), ("cc", cc), ("bcc", bcc)].into_iter();
    Box::new(lists.flat_map(|(role, list)| list.iter().map(move |mailbox| (role, Some(mailbox)))))
}

/// Returns the files an action carries.
pub(crate) fn attachments(action: &Action) -> Vec<AttachmentView> {
    let Action::Mail(MailAction::Send(message) | MailAction::Draft(message) | MailAction::SaveDraft(message)) = action
    else {
        return Vec::new();
    };
    let view = |file: &Attachment| AttachmentView {
        name: visible(file.name.as_str()),
        media_type: visible(&file.media_type),
        bytes: file.bytes.len() as u64,
        sha256: file.digest().to_string(),
    };
    message.attachments.iter().map(view).collect()
}

/// Tells how far an action can be taken back once it is approved.
pub(crate) fn reversal(content: &Content, hold_seconds: u64) -> String {
    let action = &content.action;
    if action.kind().is_read() {
        return "Changes nothing.".into();
    }
    if Services::has_undo(content) {
        return "Can be undone.".into();
    }
    match action.class() {
        Class::Held | Class::Critical if hold_seconds > 0 => {
            let (long, unit) = if hold_seconds < 120 { (hold_seconds, "s") } else { (hold_seconds / 60, "min") };
            format!("Can be taken back for {long} {unit} after you approve it, not later.")
        }
        Class::Compensable => "Cannot be undone; it can be made good by another action.".into(),
        Class::Undoable if action.kind().is_local() => "Stays in your home; nothing leaves.".into(),
        Class::Undoable | Class::Held | Class::Critical => "Cannot be undone.".into(),
    }
}

/// Returns what an action stands on.
pub(crate) fn of(home: &Home, content: &Content, task: Option<&TaskId>) -> Result<Relationship, StoreError> {
    let words = task.map(|task| home.ledger.task_words(task)).transpose()?.flatten().unwrap_or_default();
    let words = Words::new(&asking(&words));
    let mut out = Relationship::default();
    let traits = content.action.traits();
    let mut parts = parts(&content.action);
    for party in &traits.recipients {
        out.party(home, &words, party, parts.next().unwrap_or(("gets", None)))?;
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
