//! Mail: tools, preparation, carrying out, undo, and a person's edits.

mod answer;
mod compose;
mod files;
mod imap;
mod invited;
mod keep;
mod known;
mod mark;
pub(crate) mod mime;
mod original;
mod smtp;
mod unsubscribe;

use bailey_gate::family::mail::{
    self, FolderName, FolderRole, Look, MailAction, MessageRef, Moving, PartNumber, Query, SourceUse,
};
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::{Action, Level};
use bailey_gate::ground::Words;
use bailey_gate::handoff::SystemEgress;
use bailey_gate::intent::asking;
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use serde_json::json;

use crate::calendar::zone_name;
use crate::call::{Arguments, BadCall, schema, with_lists};
use crate::context::{Account, HomeContext, PrepareContext};
use crate::dates::days_back;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};
use compose::parse_with;
use imap::Folders;

pub use compose::Edit;
pub(crate) use compose::{Invitation, guests, prepare_invitation};
pub(crate) use files::kept_file;
pub(crate) use invited::prepare_answer;
pub(crate) use smtp::{check_addresses, check_taken, try_submission};

/// Most bytes that are fetched of a mail to be looked at as it came: header and text.
const AS_IT_CAME: usize = 3 * 1024 * 1024;

/// Fetches a mail by a look; the flag tells whether there is more of it.
pub(crate) async fn as_it_came(
    vault: &Vault,
    account: (ConnectionId, u64),
    message: &MessageRef,
) -> Result<(Vec<u8>, bool), VaultError> {
    let access = vault.look(Some(account), SystemEgress::Preparation);
    original::fetch(vault, &access, message, AS_IT_CAME).await
}

/// What models are told of the argument that names files.
const FILES: &str = "files to send along: of the mailbox as ID#PART, the mail's id and the part that mail_read gave; of the person's files by their paths";

/// The kind of connection it needs.
const MAIL: &str = "mail";

/// Mail over IMAP and SMTP.
pub(crate) struct Mail;

impl Service for Mail {
    type Action = MailAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        let fields = [
            ("to", "recipients, one to an entry: name@domain, or \"Name\" <name@domain>"),
            ("cc", "recipients of a copy"),
            ("bcc", "recipients of a hidden copy"),
            ("subject", "the subject"),
            ("body", "the text"),
            ("in_reply_to", "Message-ID of the mail this answers"),
            ("files", FILES),
        ];
        let parameters = with_lists(schema(&fields, &["to", "subject", "body"]), &["to", "cc", "bcc", "files"]);
        let reply = [
            ("id", "the id that mail_search gave"),
            ("body", "the text of the answer"),
            ("all", "true to answer everybody it went to; only where the person asks for that"),
            ("quote", "below (usual) or none: whether the mail's text is quoted"),
            ("cc", "further recipients of a copy"),
            ("bcc", "recipients of a hidden copy"),
            ("files", FILES),
        ];
        let forward = [
            ("id", "the id that mail_search gave"),
            ("to", "recipients, one to an entry"),
            ("cc", "recipients of a copy"),
            ("bcc", "recipients of a hidden copy"),
            ("body", "words above the mail"),
            ("files", "which of its files to send along, by name or SHA-256; all if left out"),
        ];
        vec![
            ToolDefinition {
                name: "mail_send",
                kind: mail::SEND,
                description: "Send a mail from the person's account. The person is asked first.",
                parameters: parameters.clone(),
                manifest: json!({
                    "effect": "write", "sinks": { "to": "email", "cc": "email", "bcc": "email" },
                    "places": { "files": "mail" }, "content": ["subject", "body"],
                }),
            },
            ToolDefinition {
                name: "mail_reply",
                kind: mail::SEND,
                description: "Answer one mail by its id: to whom it asks, in its thread, quoted. The person is asked first.",
                parameters: with_lists(schema(&reply, &["id", "body"]), &["cc", "bcc", "files"]),
                manifest: json!({
                    "effect": "write", "sinks": { "cc": "email", "bcc": "email" },
                    "places": { "id": "mail", "files": "mail" }, "content": ["body"],
                }),
            },
            ToolDefinition {
                name: "mail_forward",
                kind: mail::SEND,
                description: "Pass one mail on by its id, with its files. The person is asked first.",
                parameters: with_lists(schema(&forward, &["id", "to"]), &["to", "cc", "bcc", "files"]),
                manifest: json!({
                    "effect": "write", "sinks": { "to": "email", "cc": "email", "bcc": "email" },
                    "places": { "id": "mail" }, "content": ["body"],
                }),
            },
            ToolDefinition {
                name: "mail_answer_invitation",
                kind: mail::SEND,
                description: "Answer an invitation that came by mail, by a mail to whoever invites. The person is asked first.",
                parameters: schema(
                    &[
                        ("id", "the id that mail_search gave"),
                        ("answer", "accept, decline or tentative"),
                        ("note", "a few words to whoever invites"),
                    ],
                    &["id", "answer"],
                ),
                // Which mail it is decides who gets the answer.
                manifest: json!({ "effect": "write", "sinks": { "id": "mail" }, "content": ["note"] }),
            },
            ToolDefinition {
                name: "mail_draft",
                kind: mail::SAVE_DRAFT,
                description: "Put a draft among the drafts of the mailbox, or keep it in the home; nothing is sent.",
                parameters,
                manifest: json!({
                    "effect": "write", "places": { "files": "mail" }, "content": ["subject", "body"], "undo": true,
                }),
            },
            ToolDefinition {
                name: "mail_search",
                kind: mail::SEARCH,
                description: "List mail, newest first: id, from, subject, date, and how many there are.",
                parameters: schema(
                    &[
                        ("folder", "the folder; INBOX if left out"),
                        ("unread", "true for unread mail only"),
                        ("from", "words in the sender"),
                        ("subject", "words in the subject"),
                        ("text", "words anywhere"),
                        ("days", "only the last so many days, or since when: `since Monday`, `last week`"),
                        ("skip", "how many of the newest to pass over, as `next` of the page before says"),
                    ],
                    &[],
                ),
                manifest: json!({ "effect": "read" }),
            },
            ToolDefinition {
                name: "mail_read",
                kind: mail::READ,
                description: "Read one mail by its id.",
                parameters: schema(
                    &[
                        ("id", "the id that mail_search gave"),
                        ("from", "to read on in a long text: the number that `read_on` says"),
                    ],
                    &["id"],
                ),
                manifest: json!({ "effect": "read", "places": { "id": "mail" } }),
            },
            ToolDefinition {
                name: "mail_attachment",
                kind: mail::ATTACHMENT,
                description: "Read the text of a file in a mail: text, tables, HTML, calendars, mails, office documents, PDF, RTF.",
                parameters: schema(
                    &[
                        ("id", "the id that mail_search gave"),
                        ("part", "the part that mail_read gave for the file"),
                        ("from", "to read on in a long text: the number that `read_on` says"),
                    ],
                    &["id", "part"],
                ),
                manifest: json!({ "effect": "read", "places": { "id": "mail" } }),
            },
            ToolDefinition {
                name: "mail_folders",
                kind: mail::FOLDERS,
                description: "List the mail folders.",
                parameters: schema(&[], &[]),
                manifest: json!({ "effect": "read" }),
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
            ToolDefinition {
                name: "mail_archive",
                kind: mail::MOVE,
                description: "Move one mail to the archive.",
                parameters: schema(&[("id", "the id that mail_search gave")], &["id"]),
                manifest: json!({ "effect": "write", "target": { "id": "mail" }, "undo": true }),
            },
            ToolDefinition {
                name: "mail_unsubscribe",
                kind: mail::UNSUBSCRIBE,
                description: "Leave the mailing list that a mail came by, as its header offers it. The person is asked first.",
                parameters: schema(&[("id", "the id that mail_search gave")], &["id"]),
                manifest: json!({ "effect": "write", "sinks": { "id": "site" } }),
            },
            ToolDefinition {
                name: "mail_mark",
                kind: mail::MARK,
                description: "Mark one mail as read, unread, starred or unstarred.",
                parameters: schema(
                    &[("id", "the id that mail_search gave"), ("as", "read, unread, starred or unstarred")],
                    &["id", "as"],
                ),
                manifest: json!({
                    "effect": "write", "target": { "id": "mail" }, "content": ["as"], "undo": true,
                }),
            },
            ToolDefinition {
                name: "mail_label",
                kind: mail::MARK,
                description: "Put a label on one mail, or take it off.",
                parameters: schema(
                    &[
                        ("id", "the id that mail_search gave"),
                        ("label", "one word, as mail_search lists it under labels, or a new one"),
                        ("remove", "true to take it off"),
                    ],
                    &["id", "label"],
                ),
                manifest: json!({
                    "effect": "write", "target": { "id": "mail" }, "content": ["label"], "undo": true,
                }),
            },
        ]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
        let made = match tool {
            "mail_send" | "mail_draft" => compose::prepare_message(tool, arguments, cx).await,
            "mail_reply" => answer::prepare(SourceUse::Answered, arguments, cx).await,
            "mail_forward" => answer::prepare(SourceUse::Forwarded, arguments, cx).await,
            "mail_answer_invitation" => invited::prepare(arguments, cx).await,
            "mail_search" => prepare_search(arguments, cx),
            "mail_read" => prepare_read(arguments, cx),
            "mail_attachment" => prepare_attachment(arguments, cx),
            "mail_mark" | "mail_label" => mark::prepare(tool, arguments, cx).await,
            "mail_unsubscribe" => unsubscribe::prepare(arguments, cx).await,
            "mail_folders" => {
                let account = cx.account(MAIL, arguments, Level::Read)?;
                Ok((Some(account.connection.0), Action::Mail(MailAction::Look(Look::Folders))))
            }
            _ => prepare_move(tool, arguments, cx).await,
        }?;
        check_taken(&made, cx).await?;
        Ok(made)
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<MailAction>) -> Outcome {
        match claimed.action() {
            MailAction::Send(message) => smtp::send(vault, claimed, message).await,
            MailAction::Search { folder, query } => looked(imap::search(vault, claimed, folder, query, 0).await),
            // Proposed before looks named the person's zone.
            MailAction::Read(message) => looked(imap::read(vault, claimed, message, 0, "").await),
            MailAction::Look(look) => looked(match look {
                Look::Folders => imap::folders(vault, claimed).await,
                Look::Search { folder, query, skip } => imap::search(vault, claimed, folder, query, *skip).await,
                Look::Read { message, from, zone } => imap::read(vault, claimed, message, *from, zone).await,
                Look::Attachment { message, part, from, zone } => {
                    imap::attachment(vault, claimed, message, part, *from, zone).await
                }
            }),
            MailAction::Move(moving) | MailAction::Trash(moving) | MailAction::DiscardDraft(moving) => {
                imap::move_one(vault, claimed, moving).await
            }
            MailAction::Mark(marking) => mark::execute(vault, claimed, marking).await,
            MailAction::Unsubscribe(_) => unsubscribe::execute(vault, claimed).await,
            MailAction::SaveDraft(message) => keep::draft(vault, claimed, message).await,
            MailAction::Draft(_) => Outcome::new(Effect::NotExecuted, "a draft has no effect outside the home"),
        }
    }

    /// Returns a move can be seen at the server; a sent mail leaves no trace there that proves anything, so the person decides.
    async fn reconcile(
        &self,
        vault: &Vault,
        _: ActionId,
        account: Option<(ConnectionId, u64)>,
        action: &MailAction,
    ) -> Lookup {
        let moving = match action {
            MailAction::Move(moving) | MailAction::Trash(moving) | MailAction::DiscardDraft(moving) => moving,
            MailAction::Mark(marking) => return mark::was_marked(vault, account, marking).await,
            MailAction::SaveDraft(message) => return keep::was_kept(vault, account, message).await,
            MailAction::Unsubscribe(_) => {
                return Some((Found::No, "a list's server cannot be asked; see whether its mail still comes"));
            }
            MailAction::Send(_)
            | MailAction::Draft(_)
            | MailAction::Search { .. }
            | MailAction::Read(_)
            | MailAction::Look(_) => {
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

    /// Returns a moved mail comes back from where it went.
    async fn undo(&self, vault: &Vault, done: Done<'_, MailAction>) -> Result<Made, BadCall> {
        let moved = match done.action {
            MailAction::Move(moved) | MailAction::Trash(moved) | MailAction::DiscardDraft(moved) => moved,
            MailAction::SaveDraft(message) => return keep::discard(vault, done.account, message).await,
            MailAction::Mark(marking) => {
                let back = Action::Mail(MailAction::Mark(marking.undone()));
                return Ok((done.account.map(|(connection, _)| connection), back));
            }
            MailAction::Send(_) => return Err(no_undo(mail::SEND)),
            MailAction::Unsubscribe(_) => return Err(no_undo(mail::UNSUBSCRIBE)),
            MailAction::Draft(_) => return Err(no_undo(mail::DRAFT)),
            MailAction::Search { .. } => return Err(no_undo(mail::SEARCH)),
            MailAction::Read(_) | MailAction::Look(_) => return Err(no_undo(mail::READ)),
        };
        let access = vault.look(done.account, SystemEgress::Preparation);
        let found = imap::find_by_id(vault, &access, &moved.to, &moved.about.message_id).await;
        let found = found.map_err(|error| BadCall::Lookup(error.to_string()))?;
        let gone =
            || format!("the mail is not in `{}` any more, or cannot be told from others there", moved.to.shown());
        let message = found.ok_or_else(|| BadCall::Lookup(gone()))?;
        let (to, about) = (moved.message.folder.clone(), moved.about.clone());
        let back = Moving { message, to, role: FolderRole::Ordinary, about, makes: false };
        Ok((done.account.map(|(connection, _)| connection), Action::Mail(MailAction::Move(back))))
    }

    fn has_undo(&self, action: &MailAction) -> bool {
        match action {
            MailAction::Move(_)
            | MailAction::Trash(_)
            | MailAction::DiscardDraft(_)
            | MailAction::SaveDraft(_)
            | MailAction::Mark(_) => true,
            MailAction::Send(_)
            | MailAction::Unsubscribe(_)
            | MailAction::Draft(_)
            | MailAction::Search { .. }
            | MailAction::Read(_)
            | MailAction::Look(_) => false,
        }
    }

    async fn afterwards(&self, vault: &Vault, claimed: &Claimed<MailAction>, outcome: &Outcome) -> Option<String> {
        keep::copy(vault, claimed, outcome).await
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

/// Makes the outcome of looking: what it found, or why it found nothing.
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
    let address = Address::read(&settings.address).map_err(|error| BadCall::Lookup(error.to_string()))?;
    let name = settings.name.as_ref().and_then(|name| Line::new(name.clone()).ok());
    Ok((account, Mailbox { name, address }))
}

fn folder(name: &'static str, text: &str) -> Result<FolderName, BadCall> {
    let bad = |_| BadCall::Bad { name, why: "it is no name of a folder; `mail_folders` lists those there are".into() };
    FolderName::of_words(text).map_err(bad)
}

fn prepare_search(arguments: &Arguments, cx: &HomeContext) -> Result<Made, BadCall> {
    let words = |name| arguments.optional(name).map(|text| parse_with(name, || Line::new(text.trim()))).transpose();
    let days = days_back("days", arguments, cx)?;
    let query = Query {
        unread: arguments.flag("unread"),
        from: words("from")?,
        subject: words("subject")?,
        text: words("text")?,
        days,
    };
    let folder = folder("folder", &arguments.optional("folder").unwrap_or_else(|| "INBOX".into()))?;
    let account = cx.account(MAIL, arguments, Level::Read)?;
    let action = match count("skip", arguments)? {
        0 => MailAction::Search { folder, query },
        skip => MailAction::Look(Look::Search { folder, query, skip }),
    };
    Ok((Some(account.connection.0), Action::Mail(action)))
}

/// Reads the mail that a call names.
fn reference(arguments: &Arguments) -> Result<MessageRef, BadCall> {
    reference_in("id", &arguments.text("id")?)
}

/// Reads `FOLDER/UIDVALIDITY/UID`, as a search gives it.
fn reference_in(argument: &'static str, text: &str) -> Result<MessageRef, BadCall> {
    let bad = || BadCall::Bad { name: argument, why: "it is not an id that mail_search gave".into() };
    let (rest, uid) = text.trim().rsplit_once('/').ok_or_else(bad)?;
    let (name, validity) = rest.rsplit_once('/').ok_or_else(bad)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| bad());
    Ok(MessageRef { folder: folder(argument, name)?, uid_validity: number(validity)?, uid: number(uid)? })
}

fn prepare_read(arguments: &Arguments, cx: &HomeContext) -> Result<Made, BadCall> {
    let account = cx.account(MAIL, arguments, Level::Read)?;
    let message = reference(arguments)?;
    let look = Look::Read { message, from: count("from", arguments)?, zone: zone_name(cx) };
    Ok((Some(account.connection.0), Action::Mail(MailAction::Look(look))))
}

fn prepare_attachment(arguments: &Arguments, cx: &HomeContext) -> Result<Made, BadCall> {
    let account = cx.account(MAIL, arguments, Level::Read)?;
    let bad =
        || BadCall::Bad { name: "part", why: "it is no number of a part that mail_read gave, like 2 or 1.2".into() };
    let part = PartNumber::new(arguments.text("part")?.trim()).ok_or_else(bad)?;
    let look =
        Look::Attachment { message: reference(arguments)?, part, from: count("from", arguments)?, zone: zone_name(cx) };
    Ok((Some(account.connection.0), Action::Mail(MailAction::Look(look))))
}

/// Returns a number that is 0 where it is left out.
fn count(name: &'static str, arguments: &Arguments) -> Result<u32, BadCall> {
    let number = arguments.optional(name).filter(|text| !text.trim().is_empty());
    number.map_or(Ok(0), |text| parse_with(name, || text.trim().parse::<u32>()))
}

async fn prepare_move(tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
    let account = cx.account(MAIL, arguments, Level::Full)?;
    let folders: Folders = cx.vault.discovered(&account.connection.0).unwrap_or_default();
    let message = reference(arguments)?;
    let named = |name: Option<&str>, what: &str| match name {
        Some(name) => folder("folder", name),
        None => Err(BadCall::Lookup(format!("the mail server names no {what} folder; move the mail with `mail_move`"))),
    };
    let to = match tool {
        "mail_trash" => named(folders.trash.as_deref(), "trash")?,
        "mail_archive" => named(folders.archive.as_deref(), "archive")?,
        _ => folder("folder", &arguments.text("folder")?)?,
    };
    if to == message.folder {
        return Err(BadCall::Bad { name: "folder", why: "the mail is there already".into() });
    }
    let access = cx.vault.look(Some(account.connection), SystemEgress::Preparation);
    let looked = imap::summary_and_folder(cx.vault, &access, &message, &to).await;
    let (about, there) = looked.map_err(|error| BadCall::Lookup(error.to_string()))?;
    let role = folders.role(&to);
    // What has the name of sent mail or of drafts is the gate's to refuse, whether it is there or not.
    let makes = !there && !matches!(role, FolderRole::Sent | FolderRole::Drafts);
    // A folder is made where the person's own words name it, and where mail is moved there by name.
    if makes && (tool != "mail_move" || !names_folder(&cx.words, &to)) {
        return Err(BadCall::Lookup(format!(
            "there is no folder `{}`; `mail_folders` lists those there are. One is made only where the words of the task write out its name",
            to.shown()
        )));
    }
    let role = if makes { FolderRole::Ordinary } else { role };
    let moving = Moving { role, message, to, about, makes };
    let action = if tool == "mail_trash" { MailAction::Trash(moving) } else { MailAction::Move(moving) };
    Ok((Some(account.connection.0), Action::Mail(action)))
}

/// Tells whether the words of a task write out a folder's name: whole, or its last part.
fn names_folder(words: &str, folder: &FolderName) -> bool {
    let (said, shown) = (Words::new(&asking(words)), folder.shown());
    let last = shown.rsplit(['/', '.']).next().unwrap_or(&shown);
    said.hold(&shown) || said.hold(last)
}

#[cfg(test)]
mod tests;
