//! Renders what the person sees of a mail before saying yes: every recipient, every header that leaves, the whole text.

use super::{Attachment, FolderName, Message, MessageRef, Moving, Query, SenderProof, Source, SourceUse, TakenFrom};
use crate::family::escape::{visible, visible_lines};
use crate::family::rfc5322;
use crate::family::text::Mailbox;
use crate::preview::Preview;

pub(super) fn search(out: &mut Preview, folder: &FolderName, query: &Query) {
    out.headline = "Look for mail".into();
    out.item("Folder", &folder.shown());
    if query.unread {
        out.item("Only", "unread");
    }
    for (label, words) in
        [("From contains", &query.from), ("Subject contains", &query.subject), ("Contains", &query.text)]
    {
        if let Some(words) = words {
            out.item(label, words.as_str());
        }
    }
    if let Some(days) = query.days {
        out.item("Last days", &days.to_string());
    }
}

pub(super) fn place(out: &mut Preview, message: &MessageRef) {
    out.item("Folder", &message.folder.shown());
    out.item("Number", &format!("{} of {}", message.uid, message.uid_validity));
}

pub(super) fn moving(out: &mut Preview, headline: &str, moving: &Moving) {
    out.headline = headline.into();
    out.item("From (as the mail says)", &moving.about.from);
    out.item("Subject", &moving.about.subject);
    place(out, &moving.message);
    out.item("To folder", &moving.to.shown());
    if moving.makes {
        out.item("Makes the folder", "it is not there yet");
    }
}

pub(super) fn message(out: &mut Preview, verb: &str, message: &Message) {
    let count = message.recipients().count();
    out.headline = format!("{verb} to {count} {}", if count == 1 { "recipient" } else { "recipients" });
    recipient(out, "From", &message.from);
    for (label, list) in [("To", &message.to), ("Cc", &message.cc), ("Bcc (hidden from the others)", &message.bcc)] {
        for mailbox in list {
            recipient(out, label, mailbox);
        }
    }
    out.item("Subject", message.subject.as_str());
    out.item("Date", &rfc5322::date(message.date, message.offset_minutes));
    if let Some(mail) = &message.source {
        source(out, mail);
    }
    if let Some(parent) = &message.in_reply_to {
        out.item("Answers", parent.as_str());
    }
    for id in &message.references {
        out.item("Thread", id.as_str());
    }
    out.item("Message-ID", message.message_id.as_str());
    if let Some(folder) = &message.keep_in {
        out.item("Copy kept in folder", folder.as_str());
    }
    for file in &message.attachments {
        out.item("Attachment", &describe(file));
        if let Some(taken) = &file.taken_from {
            taken_from(out, taken);
        }
        for line in file.invitation().unwrap_or_default() {
            out.item("Invitation", &line);
        }
    }
    out.body = visible_lines(&message.body);
    if out.body != message.body {
        out.warnings
            .push("The text holds invisible or control characters; they are written out as \\u{…} here.".into());
    }
}

/// Shows a mailbox with both forms of its domain, where it has two, and warns of a name that looks like another address.
fn recipient(out: &mut Preview, label: &'static str, mailbox: &Mailbox) {
    let letters = mailbox.address.letters();
    let both = letters.as_ref().map_or_else(String::new, |letters| format!(" (written {letters})"));
    out.item(label, &format!("{mailbox}{both}"));
    if mailbox.address.is_beyond_ascii() {
        out.warnings.push(format!(
            "The address `{}` has letters beyond plain ones before the @; some look like others.",
            mailbox.address
        ));
    }
    if let Some(name) = mailbox.name.as_ref().filter(|_| mailbox.is_deceptive()) {
        out.warnings.push(format!(
            "The name `{}` looks like an address, but the mail goes to `{}`.",
            visible(name.as_str()),
            mailbox.address
        ));
    }
}

/// Says which mail it was made of, and where an answer goes if that is not the sender.
fn source(out: &mut Preview, source: &Source) {
    let label = match source.used {
        SourceUse::Answered => "Answers the mail from (as it says)",
        SourceUse::Forwarded => "Passes on the mail from (as it says)",
    };
    out.item(label, &source.from);
    match source.sender {
        SenderProof::NotLooked => {}
        SenderProof::Unproven => out.item("Its sender", "not proven: your own mail server found nothing that shows it"),
        SenderProof::Proven => out.item("Its sender", "proven by your own mail server, as far as the domain goes"),
    }
    place(out, &source.message);
    if !source.reply_to.is_empty() {
        out.item("It asks for answers to", &source.reply_to);
        out.warnings.push(format!(
            "The mail asks for answers to `{}`, which is not its sender `{}`.",
            visible(&source.reply_to),
            visible(&source.from)
        ));
    }
}

/// Says which mail or file a file was taken from.
fn taken_from(out: &mut Preview, taken: &TakenFrom) {
    match taken {
        TakenFrom::Mail { message, part, from, own } => {
            let sent = "Taken from a mail you sent, as";
            out.item(if *own { sent } else { "Taken from the mail from (as it says)" }, from);
            place(out, message);
            out.item("Part", part.as_str());
        }
        TakenFrom::File { path, version, own } => {
            let by = if *own { "Taken from your file" } else { "Taken from a file that the agent wrote" };
            out.item(by, path.as_str());
            out.item("Version", &version.to_string());
        }
    }
}

fn describe(file: &Attachment) -> String {
    format!("{} ({}, {} bytes, sha256 {})", file.name.as_str(), file.media_type, file.bytes.len(), file.digest())
}
