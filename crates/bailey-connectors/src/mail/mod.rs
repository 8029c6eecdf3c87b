//! Mail: tools, preparation, carrying out, undo, and a person's edits.

mod folder_name;
mod imap;
mod known;
pub(crate) mod mime;
mod smtp;

use bailey_gate::family::mail::{
    self, Attachment, FolderName, FolderRole, INVITATIONS, MailAction, Message, MessageId, MessageRef, Moving, Query,
};
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::{Action, Level};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::{Account, HomeContext, PrepareContext};
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};
use imap::Folders;

/// The kind of connection it needs.
const MAIL: &str = "mail";

/// Mail over IMAP and SMTP.
pub(crate) struct Mail;

impl Service for Mail {
    type Action = MailAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        let fields = [
            ("to", "recipients, separated by commas"),
            ("cc", "recipients of a copy"),
            ("bcc", "recipients of a hidden copy"),
            ("subject", "the subject"),
            ("body", "the text"),
            ("in_reply_to", "Message-ID of the mail this answers"),
        ];
        let parameters = schema(&fields, &["to", "subject", "body"]);
        vec![
            ToolDefinition {
                name: "mail_send",
                kind: mail::SEND,
                description: "Send a mail from the person's account. The person is asked first.",
                parameters: parameters.clone(),
                manifest: json!({
                    "effect": "write", "sinks": { "to": "email", "cc": "email", "bcc": "email" },
                    "content": ["subject", "body"],
                }),
            },
            ToolDefinition {
                name: "mail_draft",
                kind: mail::DRAFT,
                description: "Keep a draft in the home; nothing is sent.",
                parameters,
                manifest: json!({ "effect": "write", "content": ["subject", "body"], "undo": true }),
            },
            ToolDefinition {
                name: "mail_search",
                kind: mail::SEARCH,
                description: "List mail, newest first: id, from, subject, date.",
                parameters: schema(
                    &[
                        ("folder", "the folder; INBOX if left out"),
                        ("unread", "true for unread mail only"),
                        ("from", "words in the sender"),
                        ("subject", "words in the subject"),
                        ("text", "words anywhere"),
                        ("days", "only the last so many days"),
                    ],
                    &[],
                ),
                manifest: json!({ "effect": "read" }),
            },
            ToolDefinition {
                name: "mail_read",
                kind: mail::READ,
                description: "Read one mail by its id.",
                parameters: schema(&[("id", "the id that mail_search gave")], &["id"]),
                manifest: json!({ "effect": "read", "places": { "id": "mail" } }),
            },
            ToolDefinition {
                name: "mail_move",
                kind: mail::MOVE,
                description: "Move one mail to another folder.",
                parameters: schema(
                    &[("id", "the id that mail_search gave"), ("folder", "the folder to move it to")],
                    &["id", "folder"],
                ),
                manifest: json!({
                    "effect": "write", "target": { "id": "mail" }, "places": { "folder": "mailbox" }, "undo": true,
                }),
            },
            ToolDefinition {
                name: "mail_trash",
                kind: mail::TRASH,
                description: "Move one mail to the trash.",
                parameters: schema(&[("id", "the id that mail_search gave")], &["id"]),
                manifest: json!({ "effect": "write", "target": { "id": "mail" }, "undo": true }),
            },
        ]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
        match tool {
            "mail_send" | "mail_draft" => prepare_message(tool, arguments, cx),
            "mail_search" => prepare_search(arguments, cx),
            "mail_read" => prepare_read(arguments, cx),
            _ => prepare_move(tool, arguments, cx).await,
        }
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<MailAction>) -> Outcome {
        match claimed.action() {
            MailAction::Send(message) => smtp::send(vault, claimed, message).await,
            MailAction::Search { folder, query } => looked(imap::search(vault, claimed, folder, query).await),
            MailAction::Read(message) => looked(imap::read(vault, claimed, message).await),
            MailAction::Move(moving) | MailAction::Trash(moving) => imap::move_one(vault, claimed, moving).await,
            MailAction::Draft(_) => Outcome::new(Effect::NotExecuted, "a draft has no effect outside the home"),
        }
    }

    /// A move can be seen at the server; a sent mail leaves no trace there that proves anything, so the person decides.
    async fn reconcile(&self, vault: &Vault, account: Option<(ConnectionId, u64)>, action: &MailAction) -> Lookup {
        let moving = match action {
            MailAction::Move(moving) | MailAction::Trash(moving) => moving,
            MailAction::Send(_) | MailAction::Draft(_) | MailAction::Search { .. } | MailAction::Read(_) => {
                return Some((
                    Found::No,
                    "a mail server keeps no record that can be asked; look in the recipient's answer or your sent mail",
                ));
            }
        };
        match imap::was_moved(vault, account, moving).await {
            Ok(true) => Some((Found::Yes, "the mail is in the folder it was to be moved to")),
            Ok(false) => Some((Found::No, "the mail was not found where it was to be moved to")),
            Err(VaultError::Revoked | VaultError::Unknown(_)) => {
                Some((Found::No, "the account is not connected any more, so it could not be looked up"))
            }
            // Not to be looked up now; it stays unknown and is tried again.
            Err(_) => None,
        }
    }

    /// A moved mail comes back from where it went.
    async fn undo(&self, vault: &Vault, done: Done<'_, MailAction>) -> Result<Made, BadCall> {
        let moved = match done.action {
            MailAction::Move(moved) | MailAction::Trash(moved) => moved,
            MailAction::Send(_) => return Err(no_undo(mail::SEND)),
            MailAction::Draft(_) => return Err(no_undo(mail::DRAFT)),
            MailAction::Search { .. } => return Err(no_undo(mail::SEARCH)),
            MailAction::Read(_) => return Err(no_undo(mail::READ)),
        };
        let access = vault.look(done.account, SystemEgress::Preparation);
        let found = imap::find_by_id(vault, &access, &moved.to, &moved.about.message_id).await;
        let found = found.map_err(|error| BadCall::Lookup(error.to_string()))?;
        let gone =
            || format!("the mail is not in `{}` any more, or cannot be told from others there", moved.to.as_str());
        let message = found.ok_or_else(|| BadCall::Lookup(gone()))?;
        let (to, about) = (moved.message.folder.clone(), moved.about.clone());
        let back = Moving { message, to, role: FolderRole::Ordinary, about };
        Ok((done.account.map(|(connection, _)| connection), Action::Mail(MailAction::Move(back))))
    }

    async fn discover(&self, vault: &Vault, access: &Access, settings: &Settings) -> Result<Discovered, VaultError> {
        let Some(mail) = settings.mail() else { return Ok(Discovered::default()) };
        imap::survey(vault, access, mail).await
    }

    async fn look_again(
        &self,
        vault: &Vault,
        access: &Access,
        settings: &Settings,
        notes: &[u8],
    ) -> Result<Option<Discovered>, VaultError> {
        match settings.mail() {
            Some(mail) => known::look_again(vault, access, mail, notes).await,
            None => Ok(None),
        }
    }
}

/// Looking has an outcome of its own: what it found, or why it found nothing.
fn looked(result: Result<String, String>) -> Outcome {
    match result {
        Ok(found) => Outcome::new(Effect::Done, found),
        Err(why) => Outcome::new(Effect::NotExecuted, why),
    }
}

/// Returns the mail account a call acts on, its author and its connection.
fn author<'a>(cx: &'a HomeContext, arguments: &Arguments, needed: Level) -> Result<(&'a Account, Mailbox), BadCall> {
    let account = cx.account(MAIL, arguments, needed)?;
    let settings = account.settings.mail().ok_or(BadCall::NotConnected(MAIL))?;
    let address = Address::new(&settings.address).map_err(|error| BadCall::Lookup(error.to_string()))?;
    let name = settings.name.as_ref().and_then(|name| Line::new(name.clone()).ok());
    Ok((account, Mailbox { name, address }))
}

fn folder(name: &'static str, text: &str) -> Result<FolderName, BadCall> {
    let bad = |_| BadCall::Bad { name, why: "it is no folder name of plain letters, digits and signs".into() };
    FolderName::new(text.trim()).map_err(bad)
}

fn prepare_search(arguments: &Arguments, cx: &HomeContext) -> Result<Made, BadCall> {
    let words = |name| arguments.optional(name).map(|text| parse_with(name, || Line::new(text.trim()))).transpose();
    let days = arguments.optional("days").map(|text| parse_with("days", || text.trim().parse::<u32>())).transpose()?;
    let query = Query {
        unread: arguments.flag("unread"),
        from: words("from")?,
        subject: words("subject")?,
        text: words("text")?,
        days,
    };
    let folder = folder("folder", &arguments.optional("folder").unwrap_or_else(|| "INBOX".into()))?;
    let account = cx.account(MAIL, arguments, Level::Read)?;
    Ok((Some(account.connection.0), Action::Mail(MailAction::Search { folder, query })))
}

/// `FOLDER/UIDVALIDITY/UID`, as a search gives it.
fn reference(arguments: &Arguments) -> Result<MessageRef, BadCall> {
    let text = arguments.text("id")?;
    let bad = || BadCall::Bad { name: "id", why: "it is not an id that mail_search gave".into() };
    let (rest, uid) = text.trim().rsplit_once('/').ok_or_else(bad)?;
    let (name, validity) = rest.rsplit_once('/').ok_or_else(bad)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| bad());
    Ok(MessageRef { folder: folder("id", name)?, uid_validity: number(validity)?, uid: number(uid)? })
}

fn prepare_read(arguments: &Arguments, cx: &HomeContext) -> Result<Made, BadCall> {
    let account = cx.account(MAIL, arguments, Level::Read)?;
    Ok((Some(account.connection.0), Action::Mail(MailAction::Read(reference(arguments)?))))
}

async fn prepare_move(tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let account = cx.account(MAIL, arguments, Level::Full)?;
    let folders: Folders = cx.vault.discovered(&account.connection.0).unwrap_or_default();
    let message = reference(arguments)?;
    let to = if tool == "mail_trash" {
        let trash = folders.trash.as_deref();
        folder("folder", trash.ok_or_else(|| BadCall::Lookup("the mail server names no trash folder".into()))?)?
    } else {
        folder("folder", &arguments.text("folder")?)?
    };
    if to == message.folder {
        return Err(BadCall::Bad { name: "folder", why: "the mail is there already".into() });
    }
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let looked = imap::summary(cx.vault, &access, &message).await;
    let about = looked.map_err(|error| BadCall::Lookup(error.to_string()))?;
    let moving = Moving { role: folders.role(&to), message, to, about };
    let action = if tool == "mail_trash" { MailAction::Trash(moving) } else { MailAction::Move(moving) };
    Ok((Some(account.connection.0), Action::Mail(action)))
}

/// What an invitation says.
pub(crate) struct Invitation {
    /// The calendar's text.
    pub(crate) text: String,
    pub(crate) what: String,
    pub(crate) when: String,
    pub(crate) cancel: bool,
}

/// A mail that carries an invitation to the guests it names.
pub(crate) fn prepare_invitation(
    arguments: &Arguments,
    cx: &HomeContext,
    make: impl FnOnce(&str, &[String]) -> Result<Invitation, BadCall>,
) -> Result<Made, BadCall> {
    let (account, from) = author(cx, arguments, Level::Send)?;
    let to = mailboxes("guests", &arguments.list("guests"))?;
    let guests: Vec<String> = to.iter().map(|guest| guest.address.to_string()).collect();
    let Invitation { text, what, when, cancel } = make(from.address.as_str(), &guests)?;
    let verb = if cancel { "Called off" } else { "Invitation" };
    let note = arguments.optional("note").map(|note| format!("{}\n\n", body(&note))).unwrap_or_default();
    let [request, call_off] = INVITATIONS;
    let file = Attachment {
        name: parse_with("guests", || Line::new("invitation.ics"))?,
        media_type: if cancel { call_off } else { request }.into(),
        bytes: text.into_bytes(),
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
        from,
    };
    message.check().map_err(|error| BadCall::Bad { name: "guests", why: error.to_string() })?;
    Ok((Some(account.connection.0), Action::Mail(MailAction::Send(message))))
}

fn prepare_message(tool: &str, arguments: &Arguments, cx: &HomeContext) -> Result<Made, BadCall> {
    let (account, from) = author(cx, arguments, if tool == "mail_draft" { Level::Draft } else { Level::Send })?;
    let in_reply_to = arguments
        .optional("in_reply_to")
        .map(|text| parse_with("in_reply_to", || MessageId::new(text.trim())))
        .transpose()?;
    let message = Message {
        to: mailboxes("to", &arguments.list("to"))?,
        cc: mailboxes("cc", &arguments.list("cc"))?,
        bcc: mailboxes("bcc", &arguments.list("bcc"))?,
        subject: subject(&arguments.text("subject")?)?,
        body: body(&arguments.text("body")?),
        date: cx.seconds,
        offset_minutes: cx.offset_minutes,
        message_id: message_id(&from.address, &cx.unique)?,
        references: in_reply_to.iter().cloned().collect(),
        in_reply_to,
        attachments: Vec::new(),
        from,
    };
    message.check().map_err(|error| BadCall::Bad { name: "to", why: error.to_string() })?;
    let action = if tool == "mail_draft" { MailAction::Draft(message) } else { MailAction::Send(message) };
    Ok((Some(account.connection.0), Action::Mail(action)))
}

fn parse_with<T, E: std::fmt::Display>(name: &'static str, parse: impl FnOnce() -> Result<T, E>) -> Result<T, BadCall> {
    parse().map_err(|error| BadCall::Bad { name, why: error.to_string() })
}

fn subject(text: &str) -> Result<Line, BadCall> {
    parse_with("subject", || Line::new(text.trim()))
}

/// Line breaks of every kind become `\n`.
fn body(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

/// Makes one of ours, which says nothing about the machine or the time: random, under the author's domain.
/// [`known::is_ours`] tells it from others'.
fn message_id(author: &Address, unique: &[u8; 16]) -> Result<MessageId, BadCall> {
    let left: String = unique.iter().map(|byte| format!("{byte:02x}")).collect();
    parse_with("message_id", || MessageId::new(&format!("<{left}@{}>", author.domain())))
}

fn mailboxes(name: &'static str, items: &[String]) -> Result<Vec<Mailbox>, BadCall> {
    items.iter().map(|item| mailbox(name, item)).collect()
}

/// `address`, or `Name <address>`.
fn mailbox(name: &'static str, text: &str) -> Result<Mailbox, BadCall> {
    let (shown, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((shown, address)) => (shown.trim().trim_matches('"').trim(), address),
        None => ("", text),
    };
    let address = parse_with(name, || Address::new(address.trim()))?;
    let shown = if shown.is_empty() { None } else { Some(parse_with(name, || Line::new(shown))?) };
    Ok(Mailbox { name: shown, address })
}

/// What a person changes in a waiting mail; what is absent stays.
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
}

impl Edit {
    /// The edited mail, with an identity and date of its own: it is another action.
    pub fn apply(&self, message: &Message, cx: &HomeContext) -> Result<Message, BadCall> {
        let list = |name, edited: &Option<Vec<String>>, old: &Vec<Mailbox>| match edited {
            None => Ok(old.clone()),
            Some(items) => mailboxes(name, items),
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
        edited.check().map_err(|error| BadCall::Bad { name: "to", why: error.to_string() })?;
        Ok(edited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> HomeContext {
        let settings = serde_json::json!({"kind": "mail", "address": "me@example.org"});
        let account = Account {
            connection: (ConnectionId::from_bytes([1; 16]), 1),
            level: Level::Full,
            settings: serde_json::from_value(settings).unwrap(),
            is_default: false,
        };
        HomeContext {
            accounts: vec![account],
            words: String::new(),
            zone: jiff::tz::TimeZone::UTC,
            seconds: 0,
            offset_minutes: 60,
            unique: [7; 16],
        }
    }

    fn send(arguments: &str) -> Result<Message, BadCall> {
        match prepare_message("mail_send", &Arguments::parse(arguments)?, &context())?.1 {
            Action::Mail(MailAction::Send(message)) => Ok(message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_models_write_becomes_a_message() {
        let mail =
            send(r#"{"to":"Ana Doe <ana@example.org>; bo@example.org","subject":" Hi ","body":"a\r\nb"}"#).unwrap();
        assert_eq!(mail.to.len(), 2);
        assert_eq!(mail.to[0].to_string(), "Ana Doe <ana@example.org>");
        assert_eq!((mail.subject.as_str(), mail.body.as_str()), ("Hi", "a\nb"));
        assert_eq!(mail.message_id.as_str(), "<07070707070707070707070707070707@example.org>");
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for (arguments, name) in [
            (r#"{"subject":"s","body":"b"}"#, "to"),
            (r#"{"to":"ana","subject":"s","body":"b"}"#, "to"),
            (r#"{"to":"a@x.org","subject":"s\r\nBcc: e@evil.org","body":"b"}"#, "subject"),
            (r#"{"to":"a@x.org","subject":"s","body":"b","bcc":"e@evil.org\r\nX: y"}"#, "bcc"),
            (r#"{"to":"a@x.org","subject":"s","body":"b","in_reply_to":"<a b@c>"}"#, "in_reply_to"),
        ] {
            match send(arguments) {
                Err(BadCall::Bad { name: found, .. }) => assert_eq!(found, name, "{arguments}"),
                other => panic!("{arguments}: {other:?}"),
            }
        }
        assert_eq!(send(r#"{"to":"a@x.org","body":"b"}"#), Err(BadCall::Missing("subject")));
    }

    #[test]
    fn ids_and_folders_are_read_strictly() {
        let read =
            |id: &str| prepare_read(&Arguments::parse(&serde_json::json!({"id": id}).to_string()).unwrap(), &context());
        assert!(read("INBOX/12/7").is_ok());
        assert!(read("A folder/with/parts/12/7").is_ok());
        for bad in [
            "",
            "7",
            "INBOX/7",
            "INBOX/x/7",
            "INBOX/12/7,8",
            "INBOX/12/*",
            "IN\"BOX/12/7",
            "IN\r\nBOX/12/7",
            "INBOX*/12/7",
            "INBOX/12/99999999999",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
