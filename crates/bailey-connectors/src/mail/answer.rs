//! Answering a mail, and passing one on, as mail programs do: who gets it, the subject, the thread, the quoted text, the files.

use bailey_gate::family::mail::{Attachment, MailAction, Message, MessageRef, SenderProof, Source, SourceUse};
use bailey_gate::family::text::{Address, Line, MAX_HEADER_CHARS, Mailbox};
use bailey_gate::family::{Action, Level, rfc5322};
use bailey_gate::handoff::SystemEgress;
use sha2::{Digest as _, Sha256};

use super::compose::{body, message_id, parse_with, recipients, sent_folder};
use super::original::{self, File, Named, Original};
use super::{author, files, reference};
use crate::call::{Arguments, BadCall};
use crate::context::{HomeContext, PrepareContext};
use crate::service::Made;

/// Beginnings of a subject that say that it is an answer, as programs write them in other languages than English.
const ANSWERED: [&str; 12] = ["re", "aw", "antw", "antwort", "ré", "réf", "sv", "odp", "rif", "res", "回复", "答复"];
/// Beginnings that say that it was passed on.
const PASSED_ON: [&str; 8] = ["fwd", "fw", "wg", "tr", "rv", "enc", "i", "转发"];
/// Characters of an address that cannot be written to that are shown.
const MAX_SHOWN_ADDRESS: usize = 200;

/// What a mail is made with beside the one it is made of.
pub(super) struct Making<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) cx: &'a HomeContext,
    pub(super) from: Mailbox,
    pub(super) message: MessageRef,
    pub(super) original: Original,
    pub(super) sender: SenderProof,
}

/// Prepares the answer to a mail, or a mail that passes it on.
pub(super) async fn prepare(used: SourceUse, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let limit = match used {
        SourceUse::Answered => original::TO_ANSWER,
        SourceUse::Forwarded => original::TO_FORWARD,
    };
    let (account, from) = author(cx, arguments, Level::Send)?;
    let message = reference(arguments)?;
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let fetched = original::fetch(cx.vault, &access, &message, limit).await;
    let (bytes, more) = fetched.map_err(|error| BadCall::Lookup(error.to_string()))?;
    if more && used == SourceUse::Forwarded {
        let megabytes = limit / 1024 / 1024;
        return Err(BadCall::Lookup(format!(
            "the mail is larger than {megabytes} MiB, which few servers take; pass on what it says in a mail of its own"
        )));
    }
    let sender = original::sender_of(&bytes, account);
    let original = original::read(bytes).await.map_err(BadCall::Lookup)?;
    let making = Making { arguments, cx, from, message, original, sender };
    let made = match used {
        SourceUse::Answered => making.reply()?,
        SourceUse::Forwarded => making.forward()?,
    };
    let attachments = match used {
        SourceUse::Answered => files::taken(arguments, cx, account).await?,
        SourceUse::Forwarded => made.attachments,
    };
    let made = Message { keep_in: sent_folder(cx.vault, account), attachments, ..made };
    made.check().map_err(|error| BadCall::of_check("id", &error))?;
    Ok((Some(account.connection.0), Action::Mail(MailAction::Send(made))))
}

impl Making<'_> {
    /// Makes the answer: to where the mail asks for it, to its sender where it asks for nothing, or to all it went to.
    pub(super) fn reply(self) -> Result<Message, BadCall> {
        if self.original.is_repeated {
            let why = "that mail says more than once who wrote it or who is to be answered, so it is not clear who would get the answer; write to them with `mail_send`";
            return Err(BadCall::Lookup(why.into()));
        }
        let own = |one: &Mailbox| is_own(&self.own(), &one.address.key());
        let senders = written_to(&self.original.from)?;
        let asked = written_to(&self.original.reply_to)?;
        let all = self.arguments.flag("all");
        let elsewhere = !asked.is_empty() && asked.iter().any(|one| !senders.contains(one));
        let by_oneself = !senders.is_empty() && senders.iter().all(own);
        let mut to = match (by_oneself, asked.is_empty()) {
            // Who answers their own mail goes on writing to whom they wrote to.
            (true, _) => written_to(&self.original.to)?,
            (false, true) => senders,
            (false, false) => asked,
        };
        let mut cc = Vec::new();
        if all {
            to.extend(written_to(&self.original.to)?);
            cc.extend(written_to(&self.original.cc)?);
            to.retain(|one| !own(one));
        }
        cc.retain(|one| !own(one));
        cc.extend(recipients("cc", self.arguments.value("cc"))?);
        let bcc = recipients("bcc", self.arguments.value("bcc"))?;
        let (to, cc, bcc) = each_once(to, cc, bcc);
        if to.is_empty() {
            let why = "that mail names nobody who can be answered; write to them with `mail_send`".into();
            return Err(BadCall::Lookup(why));
        }
        let text = body(&self.arguments.text("body")?);
        let quote = match self.arguments.optional("quote").as_deref().map(str::trim) {
            None | Some("below" | "true" | "yes") => self.original.quoted(),
            Some("none" | "false" | "no") => String::new(),
            Some(_) => return Err(BadCall::Bad { name: "quote", why: "write `below` or `none`".into() }),
        };
        // Anybody can write a mail in the person's own name: who gets the answer is then pointed out like any other place.
        let elsewhere_to: &[Named] = match (by_oneself, elsewhere) {
            (true, _) => &self.original.to,
            (false, true) => &self.original.reply_to,
            (false, false) => &[],
        };
        let source = self.source(SourceUse::Answered, elsewhere_to);
        Ok(Message {
            to,
            cc,
            bcc,
            subject: subject("Re: ", &ANSWERED, &self.original.subject)?,
            body: if quote.is_empty() { text } else { format!("{}\n\n{quote}", text.trim_end()) },
            in_reply_to: self.original.message_id.clone(),
            references: self.original.thread(),
            source: Some(Box::new(source)),
            ..self.empty()?
        })
    }

    /// Makes a mail that passes another on: its text below one's own, and its files.
    pub(super) fn forward(self) -> Result<Message, BadCall> {
        let to = recipients("to", self.arguments.value("to"))?;
        let cc = recipients("cc", self.arguments.value("cc"))?;
        let bcc = recipients("bcc", self.arguments.value("bcc"))?;
        let (to, cc, bcc) = each_once(to, cc, bcc);
        if to.is_empty() {
            return Err(BadCall::Missing("to"));
        }
        let note = self.arguments.optional("body").map(|note| format!("{}\n\n", body(&note).trim_end()));
        let files = self.files()?;
        Ok(Message {
            to,
            cc,
            bcc,
            subject: subject("Fwd: ", &PASSED_ON, &self.original.subject)?,
            body: format!("{}{}", note.unwrap_or_default(), self.original.passed_on()),
            // What is passed on begins a thread of its own, and still says where it came from.
            references: self.original.thread(),
            attachments: files,
            source: Some(Box::new(self.source(SourceUse::Forwarded, &[]))),
            ..self.empty()?
        })
    }

    pub(super) fn source(&self, used: SourceUse, asked: &[Named]) -> Source {
        let (from, reply_to) = (shown(&self.original.from), shown(asked));
        Source { used, message: self.message.clone(), from, reply_to, sender: self.sender }
    }

    /// Returns the addresses of all accounts of the person, in the form addresses are compared in.
    pub(super) fn own(&self) -> Vec<String> {
        let accounts = self.cx.accounts.iter().filter_map(|account| account.settings.mail());
        let others = accounts.filter_map(|mail| Address::read(&mail.address).ok()).map(|address| address.key());
        std::iter::once(self.from.address.key()).chain(others).collect()
    }

    pub(super) fn empty(&self) -> Result<Message, BadCall> {
        Ok(Message {
            from: self.from.clone(),
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: parse_with("id", || Line::new(""))?,
            body: String::new(),
            date: self.cx.seconds,
            offset_minutes: self.cx.offset_minutes,
            message_id: message_id(&self.from.address, &self.cx.unique)?,
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
            keep_in: None,
            source: None,
        })
    }

    /// Returns the files to pass on: all, or those that are named by name or SHA-256.
    fn files(&self) -> Result<Vec<Attachment>, BadCall> {
        let one = |(at, file): (usize, &File)| files::attachment(at, &file.name, &file.media_type, file.bytes.clone());
        let all: Vec<Attachment> = self.original.files.iter().enumerate().map(one).collect::<Result<_, _>>()?;
        let Some(wanted) = self.arguments.value("files") else { return Ok(all) };
        let wanted: Vec<String> = match wanted {
            serde_json::Value::String(text) if text.trim().is_empty() || text.trim() == "none" => Vec::new(),
            serde_json::Value::String(text) => vec![text.clone()],
            serde_json::Value::Array(items) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => return Err(BadCall::Bad { name: "files", why: "it is no list of names".into() }),
        };
        let find = |name: &String| {
            let name = name.trim();
            let mut found =
                all.iter().filter(|file| file.name.as_str() == name || hash(&file.bytes).eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (Some(file), None) => Ok(file.clone()),
                (Some(_), Some(_)) => Err("several files have this name; name it by its SHA-256".to_owned()),
                (None, _) => {
                    let names =
                        all.iter().map(|file| format!("`{}`", file.name.as_str())).collect::<Vec<_>>().join(", ");
                    Err(format!(
                        "the mail has no file of this name; it has: {}",
                        if names.is_empty() { "none" } else { &names }
                    ))
                }
            }
        };
        wanted.iter().map(find).collect::<Result<_, _>>().map_err(|why| BadCall::Bad { name: "files", why })
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns everybody of a field, or an error where one of them cannot be written to: nobody is left out unseen.
fn written_to(all: &[Named]) -> Result<Vec<Mailbox>, BadCall> {
    let one = |one: &Named| {
        one.mailbox().ok_or_else(|| {
            let shown: String = bailey_gate::family::escape::visible(&one.address).chars().take(MAX_SHOWN_ADDRESS).collect();
            BadCall::Lookup(format!("that mail names `{shown}`, which is no address that can be written to; name the recipients yourself with `mail_send`"))
        })
    };
    all.iter().map(one).collect()
}

/// Tells whether an address is one of the person's own, or one of those below it (`me+shop@…`, RFC 5233); all in lower case.
fn is_own(own: &[String], address: &str) -> bool {
    let above = address.split_once('@').and_then(|(local, domain)| {
        let (base, _) = local.split_once('+')?;
        Some(format!("{base}@{domain}"))
    });
    own.iter().any(|one| one == address || above.as_ref() == Some(one))
}

/// Returns everybody once, where they are named first; addresses that differ in case alone are one.
pub(super) fn each_once(
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
    bcc: Vec<Mailbox>,
) -> (Vec<Mailbox>, Vec<Mailbox>, Vec<Mailbox>) {
    let mut seen = std::collections::BTreeSet::new();
    let mut once =
        |list: Vec<Mailbox>| list.into_iter().filter(|one| seen.insert(one.address.key())).collect::<Vec<_>>();
    (once(to), once(cc), once(bcc))
}

pub(super) fn shown(all: &[Named]) -> String {
    all.iter().map(Named::shown).collect::<Vec<_>>().join(", ")
}

/// Returns a subject that says once what was made of the mail.
pub(super) fn subject(prefix: &str, known: &[&str], subject: &str) -> Result<Line, BadCall> {
    let plain: String =
        subject.chars().map(|c| if c.is_control() || "\u{2028}\u{2029}".contains(c) { ' ' } else { c }).collect();
    let mut rest = plain.trim();
    while let Some(behind) = without_prefix(rest, known) {
        rest = behind;
    }
    let whole: String = format!("{prefix}{rest}").chars().take(MAX_HEADER_CHARS).collect();
    parse_with("id", || Line::new(whole.trim_end().to_owned()))
}

/// Returns what stands behind `Re:`, `AW :`, `Re[2]:` or `SV(3):`; `None` where the subject begins otherwise.
fn without_prefix<'a>(subject: &'a str, known: &[&str]) -> Option<&'a str> {
    let (before, behind) = subject.split_once([':', '\u{ff1a}'])?;
    let word = before.trim_end();
    let word = match word.split_once(['[', '(']) {
        Some((word, count)) => {
            let count = count.strip_suffix([']', ')'])?;
            if !count.chars().all(|c| c.is_ascii_digit()) || count.is_empty() {
                return None;
            }
            word.trim_end()
        }
        None => word,
    };
    known.contains(&word.to_lowercase().as_str()).then(|| behind.trim_start())
}

impl Original {
    fn when(&self) -> String {
        self.date.map_or_else(|| "an unknown date".into(), |(seconds, minutes)| rfc5322::date(seconds, minutes))
    }

    /// Returns the text as an answer quotes it: who wrote it and when, and each line behind a mark (RFC 3676, 4.5). What
    /// stands below the mark of a signature is left out.
    fn quoted(&self) -> String {
        let lines = self.text.trim_end().split('\n').take_while(|line| *line != "-- ");
        let lines: Vec<String> = lines.map(quoted_line).collect();
        let lines = lines.join("\n");
        let lines = lines.trim_end_matches(['\n', '>', ' ']);
        if lines.is_empty() {
            return String::new();
        }
        format!("On {}, {} wrote:\n{lines}\n", self.when(), shown(&self.from))
    }

    /// Returns the text as it is passed on: what its header says, and all of it.
    fn passed_on(&self) -> String {
        let mut out = String::from("---------- Forwarded message ----------\n");
        let subject = self.subject.split_whitespace().collect::<Vec<_>>().join(" ");
        for (name, value) in [
            ("From", shown(&self.from)),
            ("Date", self.when()),
            ("Subject", subject),
            ("To", shown(&self.to)),
            ("Cc", shown(&self.cc)),
        ] {
            if !value.is_empty() {
                out.push_str(&format!("{name}: {value}\n"));
            }
        }
        out.push('\n');
        out.push_str(self.text.trim_end());
        out.push('\n');
        out
    }
}

fn quoted_line(line: &str) -> String {
    let line = line.trim_end();
    match line.chars().next() {
        None => ">".into(),
        Some('>') => format!(">{line}"),
        Some(_) => format!("> {line}"),
    }
}
