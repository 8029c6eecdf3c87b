//! What the person sees before saying yes: a pure function of the bytes they approve, whole, with nothing cut short.

use std::fmt;

use crate::content::Content;
use crate::family::calendar::{CalendarAction, Change, Entry, Writing};
use crate::family::escape::{visible, visible_lines};
use crate::family::mail::{Attachment, FolderName, MailAction, Message, MessageRef, Moving, Query};
use crate::family::rfc5322;
use crate::family::text::Mailbox;
use crate::family::tool::{Role, ToolUse};
use crate::family::{Action, ActionKind};
use crate::ids::{ActionId, Digest};
use sha2::{Digest as _, Sha256};

/// One labelled line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What the value is.
    pub label: &'static str,
    /// The value, safe to print on one line.
    pub value: String,
}

/// A preview: safe to print, complete, bound to its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Which action.
    pub id: ActionId,
    /// What it does.
    pub kind: ActionKind,
    /// What an approval of this preview binds.
    pub digest: Digest,
    /// One sentence: what will happen.
    pub headline: String,
    /// The fields.
    pub items: Vec<Item>,
    /// The text, safe to print on several lines.
    pub body: String,
    /// What to look at twice.
    pub warnings: Vec<String>,
}

impl Preview {
    /// Makes the preview of a prepared action.
    #[must_use]
    pub fn of(content: &Content) -> Self {
        let mut preview = Self {
            id: content.id,
            kind: content.action.kind(),
            digest: content.digest(),
            headline: String::new(),
            items: Vec::new(),
            body: String::new(),
            warnings: Vec::new(),
        };
        match &content.action {
            Action::Mail(MailAction::Draft(message)) => preview.mail("Keep a draft", message),
            Action::Mail(MailAction::Send(message)) => preview.mail("Send a mail", message),
            Action::Mail(MailAction::Search { folder, query }) => preview.search(folder, query),
            Action::Mail(MailAction::Read(message)) => {
                preview.headline = "Read a mail".into();
                preview.place(message);
            }
            Action::Mail(MailAction::Move(moving)) => preview.moving("Move a mail", moving),
            Action::Mail(MailAction::Trash(moving)) => preview.moving("Move a mail to the trash", moving),
            Action::Calendar(CalendarAction::Read { from, until }) => {
                preview.headline = "Look at the calendar".into();
                preview.item("From", &rfc5322::date(*from, 0));
                preview.item("Until", &rfc5322::date(*until, 0));
            }
            Action::Calendar(CalendarAction::Write(writing)) => preview.calendar(writing),
            Action::Reply { words } => preview.words("Tell you", words),
            Action::MemoryWrite { note } => preview.words("Remember for later tasks", note),
            Action::MemoryRead => preview.headline = "Look at the notes".into(),
            Action::MemoryForget { note } => {
                preview.headline = "Forget a note".into();
                preview.item("Note", &note.to_string());
            }
            Action::Tool(call) => preview.tool(call),
        }
        preview
    }

    fn words(&mut self, headline: &str, words: &str) {
        self.headline = headline.into();
        self.body = visible_lines(words);
    }

    /// Every argument, and what the manifest says it can do.
    fn tool(&mut self, call: &ToolUse) {
        self.headline = match (&call.manifest, self.kind) {
            (None, _) => "Use a tool that nobody has described",
            (Some(_), ActionKind::ToolRead) => "Look something up with a tool",
            (Some(_), ActionKind::ToolFetch) => "Fetch something with a tool",
            (Some(_), ActionKind::ToolPay) => "Spend money with a tool",
            (Some(_), ActionKind::ToolSend) => "Let others have something, with a tool",
            (Some(_), ActionKind::ToolRemove) => "Remove something with a tool",
            (Some(_), ActionKind::ToolChange) => "Change or remove something with a tool",
            (Some(_), _) => "Write something with a tool",
        }
        .into();
        self.item("Tool", call.tool.as_str());
        self.item("Of", call.server.as_str());
        for (name, value) in &call.arguments {
            let label = match call.role_of(name) {
                Role::Plain => "With",
                Role::Sink(_) => "Goes to",
                Role::Target(_) => "Changes",
                Role::Content => "Others will read",
                Role::Amount => "Spends",
                Role::Place(_) => "Where",
                Role::Method => "By the method",
            };
            self.item(label, &format!("{} = {}", name.as_str(), value.literal()));
        }
        if call.manifest.is_none() {
            self.warnings.push("Nobody has described this tool, so every value may decide who gets something.".into());
        }
    }

    fn search(&mut self, folder: &FolderName, query: &Query) {
        self.headline = "Look for mail".into();
        self.item("Folder", folder.as_str());
        if query.unread {
            self.item("Only", "unread");
        }
        for (label, words) in
            [("From contains", &query.from), ("Subject contains", &query.subject), ("Contains", &query.text)]
        {
            if let Some(words) = words {
                self.item(label, words.as_str());
            }
        }
        if let Some(days) = query.days {
            self.item("Last days", &days.to_string());
        }
    }

    /// All lines of the entry; of a changed one, every line that goes and every line that comes.
    fn calendar(&mut self, writing: &Writing) {
        let guests = writing.guests();
        self.headline = match writing.change {
            Change::Create { .. } => "Add a calendar entry",
            Change::Replace { .. } => "Change a calendar entry",
            Change::Cancel { .. } => "Remove a calendar entry",
        }
        .into();
        let lines = |entry: Option<&Entry>| entry.map(Entry::lines).unwrap_or_default();
        let (before, after) = (lines(writing.before()), lines(writing.after()));
        for (label, name) in [("What", "SUMMARY"), ("Begins", "DTSTART"), ("Ends", "DTEND"), ("Where", "LOCATION")] {
            if let Some(value) = writing.after().or(writing.before()).and_then(|entry| entry.property(name)) {
                self.item(label, &value);
            }
        }
        self.item("Place", writing.href.as_str());
        let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
        let came = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
        self.body = visible_lines(&gone.chain(came).collect::<Vec<_>>().join("\n"));
        if guests > 0 {
            self.warnings.push("The entry has guests; the calendar server may tell them.".into());
        }
    }

    fn place(&mut self, message: &MessageRef) {
        self.item("Folder", message.folder.as_str());
        self.item("Number", &format!("{} of {}", message.uid, message.uid_validity));
    }

    fn moving(&mut self, headline: &str, moving: &Moving) {
        self.headline = headline.into();
        self.item("From (as the mail says)", &moving.about.from);
        self.item("Subject", &moving.about.subject);
        self.place(&moving.message);
        self.item("To folder", moving.to.as_str());
    }

    fn item(&mut self, label: &'static str, value: &str) {
        self.items.push(Item { label, value: visible(value) });
    }

    fn mail(&mut self, verb: &str, message: &Message) {
        let count = message.receivers().count();
        self.headline = format!("{verb} to {count} {}", if count == 1 { "receiver" } else { "receivers" });
        self.item("From", &message.from.to_string());
        for (label, list) in [("To", &message.to), ("Cc", &message.cc), ("Bcc (hidden from the others)", &message.bcc)]
        {
            for mailbox in list {
                self.item(label, &mailbox.to_string());
                self.warn_of_name(mailbox);
            }
        }
        self.item("Subject", message.subject.as_str());
        self.item("Date", &rfc5322::date(message.date, message.offset_minutes));
        if let Some(parent) = &message.in_reply_to {
            self.item("Answers", parent.as_str());
        }
        for id in &message.references {
            self.item("Thread", id.as_str());
        }
        self.item("Message-ID", message.message_id.as_str());
        for file in &message.attachments {
            self.item("Attachment", &describe(file));
            for line in file.invitation().unwrap_or_default() {
                self.item("Invitation", &line);
            }
        }
        self.body = visible_lines(&message.body);
        if self.body != message.body {
            self.warnings
                .push("The text holds invisible or control characters; they are written out as \\u{…} here.".into());
        }
    }

    /// A display name that looks like an address, but another one, is the oldest trick there is.
    fn warn_of_name(&mut self, mailbox: &Mailbox) {
        let Some(name) = &mailbox.name else { return };
        if looks_like_an_address(name.as_str()) && !name.as_str().eq_ignore_ascii_case(mailbox.address.as_str()) {
            self.warnings.push(format!(
                "The name `{}` looks like an address, but the mail goes to `{}`.",
                visible(name.as_str()),
                mailbox.address
            ));
        }
    }
}

/// An at sign in any of its disguises.
fn looks_like_an_address(name: &str) -> bool {
    name.contains(['@', '\u{ff20}', '\u{fe6b}'])
        || name.to_ascii_lowercase().contains("(at)")
        || name.to_ascii_lowercase().contains("[at]")
}

fn describe(file: &Attachment) -> String {
    let hash = Digest::from_bytes(Sha256::digest(&file.bytes).into());
    format!("{} ({}, {} bytes, sha256 {hash})", file.name.as_str(), file.media_type, file.bytes.len())
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        for item in &self.items {
            writeln!(f, "  {}: {}", item.label, item.value)?;
        }
        if !self.body.is_empty() {
            writeln!(f)?;
            for line in self.body.split('\n') {
                writeln!(f, "  | {line}")?;
            }
        }
        for warning in &self.warnings {
            writeln!(f, "  ! {warning}")?;
        }
        write!(f, "  digest {}", self.digest)
    }
}
