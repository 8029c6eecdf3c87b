//! From what a model or a person wrote to a whole message: recipients, subject, text, a copy's folder, a person's edits.

use bailey_gate::family::addresses::{self, BadAddresses};
use bailey_gate::family::mail::{
    Attachment, FolderName, INVITATIONS, MailAction, Message, MessageId, Source, SourceUse,
};
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::{Action, Level, punycode};
use bailey_gate::handoff::SystemEgress;
use bailey_vault::Vault;
use serde_json::Value;

use super::answer::{each_once, shown};
use super::imap::{self, Folders};
use super::{author, files, original};
use crate::call::{Arguments, BadCall};
use crate::context::{Account, HomeContext, PrepareContext};
use crate::service::Made;

/// What an invitation says.
pub(crate) struct Invitation {
    /// The calendar's text.
    pub(crate) text: String,
    pub(crate) what: String,
    pub(crate) when: String,
    pub(crate) cancel: bool,
}

/// Returns the addresses of the guests that a call names, lower case.
pub(crate) fn guests(arguments: &Arguments) -> Result<Vec<String>, BadCall> {
    let guests = recipients("guests", arguments.value("guests"))?;
    Ok(guests.iter().map(|guest| guest.address.key()).collect())
}

/// Returns a mail that carries an invitation to the guests it names.
pub(crate) fn prepare_invitation(
    arguments: &Arguments,
    cx: &PrepareContext<'_>,
    make: impl FnOnce(&str, &[String]) -> Result<Invitation, BadCall>,
) -> Result<Made, BadCall> {
    let (account, from) = author(cx, arguments, Level::Send)?;
    let keep_in = sent_folder(cx.vault, account);
    let to = recipients("guests", arguments.value("guests"))?;
    let guests: Vec<String> = to.iter().map(|guest| guest.address.to_string()).collect();
    let Invitation { text, what, when, cancel } = make(from.address.as_str(), &guests)?;
    let verb = if cancel { "Called off" } else { "Invitation" };
    let note = arguments.optional("note").map(|note| format!("{}\n\n", body(&note))).unwrap_or_default();
    let [request, call_off, _] = INVITATIONS;
    let file = Attachment {
        name: parse_with("guests", || Line::new("invitation.ics"))?,
        media_type: if cancel { call_off } else { request }.into(),
        bytes: text.into_bytes(),
        taken_from: None,
    };
    let message = Message {
        to,
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: subject(&format!("{verb}: {what}"))?,
        body: format!("{note}{verb}: {what}\n{when}\n"),
        date: cx.seconds,
        offset_minutes: cx.offset_minutes,
        message_id: message_id(&from.address, &cx.unique)?,
        references: Vec::new(),
        in_reply_to: None,
        attachments: vec![file],
        keep_in,
        source: None,
        from,
    };
    message.check().map_err(|error| BadCall::of_check("guests", &error))?;
    Ok((Some(account.connection.0), Action::Mail(MailAction::Send(message))))
}

/// What a message is made of beside the arguments of its call.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// The thread of the mail it answers, oldest first; empty where that mail was not found.
    pub(super) thread: Vec<MessageId>,
    /// That mail, where it was found.
    pub(super) source: Option<Box<Source>>,
    /// The folder for its copy, or for the draft.
    pub(super) keep_in: Option<Box<FolderName>>,
    /// The files of the mailbox that it takes along.
    pub(super) files: Vec<Attachment>,
}

/// Prepares a mail, or a draft: in the mailbox where that has a folder of drafts, else in the home.
pub(super) async fn prepare_message(
    tool: &str,
    arguments: &Arguments,
    cx: &PrepareContext<'_>,
) -> Result<Made, BadCall> {
    let draft = tool == "mail_draft";
    let (account, _) = author(cx, arguments, if draft { Level::Draft } else { Level::Send })?;
    let (thread, source) = match answered(arguments)? {
        Some(parent) => thread_of(cx.vault, account, &parent).await,
        None => (Vec::new(), None),
    };
    let keep_in = if draft { drafts_folder(cx.vault, account) } else { sent_folder(cx.vault, account) };
    // What stays in the home names nothing in the mailbox.
    let source = source.filter(|_| !draft || keep_in.is_some());
    let files = files::taken(arguments, cx, account).await?;
    message_of(tool, arguments, cx, Around { thread, source, keep_in, files })
}

/// Makes the message of a call.
pub(super) fn message_of(tool: &str, arguments: &Arguments, cx: &HomeContext, around: Around) -> Result<Made, BadCall> {
    let draft = tool == "mail_draft";
    let (account, from) = author(cx, arguments, if draft { Level::Draft } else { Level::Send })?;
    let in_reply_to = answered(arguments)?;
    let references = if around.thread.is_empty() { in_reply_to.iter().cloned().collect() } else { around.thread };
    let lists = (
        recipients("to", arguments.value("to"))?,
        recipients("cc", arguments.value("cc"))?,
        recipients("bcc", arguments.value("bcc"))?,
    );
    let (to, cc, bcc) = each_once(lists.0, lists.1, lists.2);
    let message = Message {
        to,
        cc,
        bcc,
        subject: subject(&arguments.text("subject")?)?,
        body: body(&arguments.text("body")?),
        date: cx.seconds,
        offset_minutes: cx.offset_minutes,
        message_id: message_id(&from.address, &cx.unique)?,
        references,
        in_reply_to,
        attachments: around.files,
        keep_in: around.keep_in,
        source: around.source,
        from,
    };
    message.check().map_err(|error| BadCall::of_check("to", &error))?;
    let action = match (draft, &message.keep_in) {
        (false, _) => MailAction::Send(message),
        (true, Some(_)) => MailAction::SaveDraft(message),
        (true, None) => MailAction::Draft(message),
    };
    Ok((Some(account.connection.0), Action::Mail(action)))
}

/// Returns the Message-ID that a call says it answers, in angle brackets or without them.
fn answered(arguments: &Arguments) -> Result<Option<MessageId>, BadCall> {
    let read = |text: String| {
        let text = text.trim();
        let whole = if text.contains(['<', '>']) { text.to_owned() } else { format!("<{text}>") };
        parse_with("in_reply_to", || MessageId::new(&whole))
    };
    arguments.optional("in_reply_to").map(read).transpose()
}

/// Looks for the mail that is answered where people keep what they answer, for the thread it belongs to and who sent it. What is not
/// found leaves the answer with the one mail it names.
async fn thread_of(vault: &Vault, account: &Account, parent: &MessageId) -> (Vec<MessageId>, Option<Box<Source>>) {
    if account.settings.mail().is_none_or(|mail| mail.imap.is_none()) {
        return (Vec::new(), None);
    }
    let folders: Folders = vault.discovered(&account.connection.0).unwrap_or_default();
    let named = [Some("INBOX".to_owned()), folders.archive, folders.sent];
    let access = vault.look(Some(account.connection), SystemEgress::Preparation);
    for folder in named.into_iter().flatten().filter_map(|name| FolderName::new(&name).ok()) {
        let Ok(Some(found)) = imap::find_by_id(vault, &access, &folder, parent.as_str()).await else { continue };
        let Ok((bytes, _)) = original::fetch(vault, &access, &found, original::HEADER).await else { continue };
        let sender = original::sender_of(&bytes, account);
        if let Ok(mail) = original::read(bytes).await {
            let (used, from) = (SourceUse::Answered, shown(&mail.from));
            let source = Source { used, message: found, from, reply_to: String::new(), sender };
            return (mail.thread(), Some(Box::new(source)));
        }
    }
    (Vec::new(), None)
}

/// Returns the folder that a copy of what is sent goes to: that of the role Sent, unless the provider puts one there itself.
pub(super) fn sent_folder(vault: &Vault, account: &Account) -> Option<Box<FolderName>> {
    let mail = account.settings.mail()?;
    let folders: Folders = vault.discovered(&account.connection.0).unwrap_or_default();
    let sent = folders.sent.filter(|_| mail.imap.is_some() && !mail.keeps_what_is_sent())?;
    FolderName::new(&sent).ok().map(Box::new)
}

/// Returns the folder of drafts, where the mailbox has one.
fn drafts_folder(vault: &Vault, account: &Account) -> Option<Box<FolderName>> {
    let mail = account.settings.mail()?;
    let folders: Folders = vault.discovered(&account.connection.0).unwrap_or_default();
    folders.drafts.filter(|_| mail.imap.is_some()).and_then(|name| FolderName::new(&name).ok()).map(Box::new)
}

pub(super) fn parse_with<T, E: std::fmt::Display>(
    name: &'static str,
    parse: impl FnOnce() -> Result<T, E>,
) -> Result<T, BadCall> {
    parse().map_err(|error| BadCall::Bad { name, why: error.to_string() })
}

pub(super) fn subject(text: &str) -> Result<Line, BadCall> {
    parse_with("subject", || Line::new(text.trim()))
}

/// Returns the line breaks of every kind become `\n`.
pub(super) fn body(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

/// Ours says nothing about the machine or the time: random, under the author's domain.
pub(super) fn message_id(author: &Address, unique: &[u8; 16]) -> Result<MessageId, BadCall> {
    let left: String = unique.iter().map(|byte| format!("{byte:02x}")).collect();
    parse_with("message_id", || MessageId::new(&format!("<{left}@{}>", author.domain())))
}

/// Puts a domain into the form mail travels in, as the standard maps names (UTS 46): the gate compares what this makes, and needs no
/// tables for it.
fn to_ascii(domain: &str) -> Option<String> {
    idna::domain_to_ascii_strict(domain).ok().filter(|_| !punycode::mixes_scripts(domain))
}

/// Returns a recipient whose name and address were read apart already.
pub(super) fn known_address(name: &str, address: &str) -> Result<Mailbox, BadAddresses> {
    addresses::named(name, address, &to_ascii)
}

/// Recipients as a model wrote them: a list of texts or of objects with `name` and `address`, each one recipient; or one text, by the
/// grammar of mail. Nothing is left out that is not understood.
pub(super) fn recipients(name: &'static str, value: Option<&Value>) -> Result<Vec<Mailbox>, BadCall> {
    let bad = |why: String| BadCall::Bad { name, why };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            // Small models write a list as a text.
            Ok(list @ Value::Array(_)) => recipients(name, Some(&list)),
            _ => addresses::list(text, &to_ascii).map_err(|why| bad(why.to_string())),
        },
        Some(Value::Array(items)) => {
            let written = items.iter().filter(|item| item.as_str().is_none_or(|text| !text.trim().is_empty()));
            written.map(|item| recipient(item).map_err(bad)).collect()
        }
        Some(one @ Value::Object(_)) => Ok(vec![recipient(one).map_err(bad)?]),
        Some(Value::Bool(_) | Value::Number(_)) => Err(bad("it is no list of e-mail addresses".into())),
    }
}

/// Returns one entry of a list.
fn recipient(item: &Value) -> Result<Mailbox, String> {
    let field = |name: &str| item.get(name).and_then(Value::as_str);
    match item {
        Value::String(text) => addresses::one(text, &to_ascii).map_err(|why| why.to_string()),
        Value::Object(_) => {
            let address = field("address").or_else(|| field("email"));
            let address = address.ok_or("an entry of the list has no `address`; write it as name@domain")?;
            known_address(field("name").unwrap_or_default(), address).map_err(|why| why.to_string())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("an entry of the list is no e-mail address; write it as name@domain".into())
        }
    }
}

/// What a person changes in a waiting mail, or in a waiting entry of a calendar; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// All primary recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<String>>,
    /// All recipients of a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cc: Option<Vec<String>>,
    /// All recipients of a hidden copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bcc: Option<Vec<String>>,
    /// The subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The title, of an entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// When it begins, as `2026-12-05 15:00` or in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<String>,
    /// When it ends; empty: it takes as long as now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// Where it is; empty: nowhere that is said.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

impl Edit {
    /// Returns what is said of an entry, by name.
    fn of_entry(&self) -> std::collections::BTreeMap<&'static str, String> {
        let Self { what, begins, ends, place, notes, .. } = self;
        let all = [("what", what), ("begins", begins), ("ends", ends), ("where", place), ("notes", notes)];
        all.into_iter().filter_map(|(name, said)| Some((name, said.clone()?))).collect()
    }

    fn of_mail(&self) -> Option<&'static str> {
        let lists = [("to", &self.to), ("cc", &self.cc), ("bcc", &self.bcc)];
        let texts = [("subject", &self.subject), ("body", &self.body)];
        let said = lists.iter().filter(|(_, list)| list.is_some()).map(|(name, _)| *name);
        said.chain(texts.iter().filter(|(_, text)| text.is_some()).map(|(name, _)| *name)).next()
    }

    /// Returns the edited entry: it is another action.
    pub(crate) fn apply_to_entry(
        &self,
        writing: &bailey_gate::family::calendar::Writing,
        cx: &HomeContext,
    ) -> Result<bailey_gate::family::calendar::Writing, BadCall> {
        match self.of_mail() {
            Some(name) => Err(BadCall::Bad { name, why: "an entry of a calendar has none".into() }),
            None => crate::calendar::edited::edited(writing, &self.of_entry(), cx),
        }
    }

    /// Returns the edited mail, with an identity and date of its own: it is another action.
    pub(crate) fn apply(&self, message: &Message, cx: &HomeContext) -> Result<Message, BadCall> {
        if let Some(name) = self.of_entry().keys().next() {
            return Err(BadCall::Bad { name, why: "a mail has none".into() });
        }
        let list = |name, edited: &Option<Vec<String>>, old: &Vec<Mailbox>| match edited {
            None => Ok(old.clone()),
            Some(items) => {
                let one = |item: &String| addresses::one(item, &to_ascii);
                let items = items.iter().filter(|item| !item.trim().is_empty());
                items.map(one).collect::<Result<_, _>>().map_err(|why| BadCall::Bad { name, why: why.to_string() })
            }
        };
        let edited = Message {
            to: list("to", &self.to, &message.to)?,
            cc: list("cc", &self.cc, &message.cc)?,
            bcc: list("bcc", &self.bcc, &message.bcc)?,
            subject: self.subject.as_deref().map_or_else(|| Ok(message.subject.clone()), subject)?,
            body: self.body.as_deref().map_or_else(|| message.body.clone(), body),
            date: cx.seconds,
            offset_minutes: cx.offset_minutes,
            message_id: message_id(&message.from.address, &cx.unique)?,
            ..message.clone()
        };
        edited.check().map_err(|error| BadCall::of_check("to", &error))?;
        Ok(edited)
    }
}
