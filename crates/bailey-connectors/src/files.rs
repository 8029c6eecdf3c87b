//! The home's own files: listing, reading as text, looking for words, writing, moving and trashing. Nothing of it leaves the home.

mod difference;
mod search;

use bailey_gate::family::files::{self, BadPath, Content, FileAction, FilePath, Folder, MAX_CARRIED_BYTES, Seen};
use bailey_gate::family::text::Line;
use bailey_gate::family::{Action, Level};
use bailey_gate::ledger::StoreError;
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, FileRow, MadeBy, Settings, Vault, VaultError, composed};
use serde_json::{Value, json};

use crate::calendar::zone_name;
use crate::call::{Arguments, BadCall, schema};
use crate::context::PrepareContext;
use crate::mail::kept_file;
use crate::mail::mime::describe_file;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};

use difference::difference;

/// Longest file that is read as text, in bytes: what its text is told from has to fit in memory several times over.
const MAX_READ_BYTES: u64 = MAX_CARRIED_BYTES as u64;

/// The home's own files.
pub(crate) struct OwnFiles;

impl Service for OwnFiles {
    type Action = FileAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        vec![
            ToolDefinition {
                name: "file_list",
                kind: files::LIST,
                description: "List a folder of the person's files: its folders, and its files with size and date.",
                parameters: schema(&[("folder", "the folder, like Reports/2026; leave it out for the top")], &[]),
                manifest: json!({ "effect": "read" }),
            },
            ToolDefinition {
                name: "file_read",
                kind: files::READ,
                description: "Read a file of the person's as text: plain text, PDF, office documents, HTML.",
                parameters: schema(
                    &[
                        ("path", "the file, like Reports/march.txt"),
                        ("from", "the character to begin with, where a text is long"),
                    ],
                    &["path"],
                ),
                manifest: json!({ "effect": "read" }),
            },
            ToolDefinition {
                name: "file_search",
                kind: files::SEARCH,
                description: "Look for files of the person's whose name or text holds words.",
                parameters: schema(
                    &[("words", "the words"), ("folder", "where to look; leave it out for all files")],
                    &["words"],
                ),
                manifest: json!({ "effect": "read" }),
            },
            ToolDefinition {
                name: "file_write",
                kind: files::CREATE,
                description: "Write a file of the person's: a new one, or all of one that is there, whose earlier version is \
                              kept. Folders are made as needed. Give either text, or the attachment of a mail.",
                parameters: schema(
                    &[
                        ("path", "the file, like Reports/march.txt"),
                        ("text", "all that the file is to hold"),
                        ("attachment", "in place of text: ID#PART, the mail's id and the part that mail_read gave"),
                    ],
                    &["path"],
                ),
                manifest: json!({ "effect": "write", "content": ["text"], "args": ["attachment"],
                                  "places": { "path": "path" }, "undo": true }),
            },
            ToolDefinition {
                name: "file_move",
                kind: files::MOVE,
                description: "Move or rename a file of the person's, to where none lies.",
                parameters: schema(&[("path", "the file"), ("to", "its new path, with its name")], &["path", "to"]),
                manifest: json!({ "effect": "write", "places": { "path": "path", "to": "path" }, "undo": true }),
            },
            ToolDefinition {
                name: "file_trash",
                kind: files::TRASH,
                description: "Move a file of the person's to the trash.",
                parameters: schema(&[("path", "the file")], &["path"]),
                manifest: json!({ "effect": "write", "places": { "path": "path" }, "undo": true }),
            },
        ]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
        let vault = cx.vault;
        let action = match tool {
            "file_list" => FileAction::List { folder: folder(arguments)? },
            "file_search" => {
                let words = Line::new(arguments.text("words")?.trim());
                let words = words.map_err(|error| BadCall::Bad { name: "words", why: error.to_string() })?;
                FileAction::Search { words, folder: folder(arguments)? }
            }
            "file_read" => {
                let from = arguments.optional("from").map(|from| from.trim().parse::<u64>());
                let bad = |_| BadCall::Bad { name: "from", why: "it is no whole number".into() };
                let from = from.transpose().map_err(bad)?.unwrap_or_default();
                let file = existing(vault, "path", arguments)?;
                let confidential = file.newest.labels.confidential;
                FileAction::Read { path: file.path, seen: file.newest.seen, confidential, from, zone: zone_name(cx) }
            }
            "file_write" => write(arguments, cx).await?,
            "file_move" => {
                let file = existing(vault, "path", arguments)?;
                let to = path("to", arguments)?;
                if let Some(there) = vault.files().at(&to).map_err(lookup)?
                    && there.path != file.path
                {
                    let why = format!("there is a file `{}` already; choose another name", there.path.as_str());
                    return Err(BadCall::Bad { name: "to", why });
                }
                FileAction::Move { path: file.path, seen: file.newest.seen, to }
            }
            "file_trash" => {
                let file = existing(vault, "path", arguments)?;
                FileAction::Trash { path: file.path, seen: file.newest.seen }
            }
            other => return Err(BadCall::UnknownTool(other.into())),
        };
        let action = Action::File(action);
        action.check().map_err(|error| BadCall::of_check("path", &error))?;
        Ok((None, action))
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<FileAction>) -> Outcome {
        let looked = match claimed.action() {
            FileAction::List { folder } => list(vault, folder),
            FileAction::Read { path, seen, from, zone, .. } => read(vault, path, seen, *from, zone),
            FileAction::Search { words, folder } => search::search(vault, words.as_str(), folder),
            FileAction::Change { seen, content, difference: Some(shown), .. } => {
                // What the person saw is what changes: both sides are read again.
                return match between(vault, seen, content) {
                    Ok(Some(now)) if now == *shown => vault.change_file(claimed).await,
                    Ok(_) => Outcome::new(Effect::NotExecuted, "the difference is not the one that was shown"),
                    Err(why) => Outcome::new(Effect::NotExecuted, why.to_string()),
                };
            }
            FileAction::Create { .. }
            | FileAction::Change { .. }
            | FileAction::Move { .. }
            | FileAction::Trash { .. }
            | FileAction::Restore { .. } => return vault.change_file(claimed).await,
        };
        match looked {
            Ok(found) => Outcome::new(Effect::Done, found.to_string()),
            Err(why) => Outcome::new(Effect::NotExecuted, why),
        }
    }

    async fn reconcile(&self, vault: &Vault, id: ActionId, _: Option<(ConnectionId, u64)>, _: &FileAction) -> Lookup {
        match vault.files().has_done(&id) {
            Ok(true) => Some((Found::Yes, "the store of files says that this happened")),
            Ok(false) => Some((Found::No, "the store of files does not know of this")),
            Err(_) => None,
        }
    }

    async fn undo(&self, vault: &Vault, done: Done<'_, FileAction>) -> Result<Made, BadCall> {
        let file = left_behind(vault, &done)?;
        let seen = file.newest.seen;
        let action = match done.action {
            FileAction::Create { .. } => FileAction::Trash { path: file.path, seen },
            FileAction::Change { seen: earlier, .. } => {
                let content = Content::Version(earlier.clone());
                let difference = between(vault, &seen, &content).map_err(lookup)?;
                FileAction::Change { path: file.path, seen, content, difference }
            }
            FileAction::Move { path, .. } => FileAction::Move { path: file.path, seen, to: path.clone() },
            FileAction::Trash { path, .. } => FileAction::Restore { path: path.clone(), seen },
            FileAction::Restore { .. } => return Err(no_undo(files::RESTORE)),
            FileAction::List { .. } => return Err(no_undo(files::LIST)),
            FileAction::Read { .. } => return Err(no_undo(files::READ)),
            FileAction::Search { .. } => return Err(no_undo(files::SEARCH)),
        };
        Ok((None, Action::File(action)))
    }

    fn has_undo(&self, action: &FileAction) -> bool {
        matches!(
            action,
            FileAction::Create { .. } | FileAction::Change { .. } | FileAction::Move { .. } | FileAction::Trash { .. }
        )
    }

    async fn discover(&self, _: &Vault, _: &Access, _: &Settings) -> Result<Discovered, VaultError> {
        Ok(Discovered::default())
    }

    async fn look_again(
        &self,
        _: &Vault,
        _: &Access,
        _: &Settings,
        _: &[u8],
    ) -> Result<Option<Discovered>, VaultError> {
        Ok(None)
    }
}

fn lookup(error: StoreError) -> BadCall {
    BadCall::Lookup(error.to_string())
}

/// Reads a path as models and people write it: from the top, with a stroke before it or without, in any form of Unicode.
fn plain(text: &str) -> String {
    let text = composed(text.trim());
    text.strip_prefix('/').unwrap_or(&text).to_owned()
}

fn path(name: &'static str, arguments: &Arguments) -> Result<FilePath, BadCall> {
    let bad = |why: BadPath| BadCall::Bad { name, why: why.to_string() };
    FilePath::new(&plain(&arguments.text(name)?)).map_err(bad)
}

fn folder(arguments: &Arguments) -> Result<Folder, BadCall> {
    let text = plain(&arguments.optional("folder").unwrap_or_default());
    let bad = |why: BadPath| BadCall::Bad { name: "folder", why: why.to_string() };
    Folder::new(text.trim_end_matches('/').trim_matches('.')).map_err(bad)
}

fn existing(vault: &Vault, name: &'static str, arguments: &Arguments) -> Result<FileRow, BadCall> {
    let path = path(name, arguments)?;
    let missing = || BadCall::Bad {
        name,
        why: format!("there is no file `{}`; look at the folder with file_list", path.as_str()),
    };
    vault.files().at(&path).map_err(lookup)?.ok_or_else(missing)
}

async fn write(arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<FileAction, BadCall> {
    let path = path("path", arguments)?;
    let content = match (arguments.value("text").and_then(Value::as_str), arguments.value("attachment")) {
        (Some(_), Some(_)) => {
            return Err(BadCall::Bad { name: "text", why: "give either text or an attachment, not both".into() });
        }
        (Some(text), None) => Content::Bytes { bytes: text.as_bytes().to_vec(), source: None },
        (None, Some(wanted)) => {
            let account = cx.account("mail", arguments, Level::Read)?;
            let (bytes, source) = kept_file(wanted, cx, account).await?;
            Content::Bytes { bytes, source: Some(source) }
        }
        (None, None) => return Err(BadCall::Missing("text")),
    };
    let Some(there) = cx.vault.files().at(&path).map_err(lookup)? else {
        return Ok(FileAction::Create { path, content });
    };
    let seen = there.newest.seen;
    let difference = between(cx.vault, &seen, &content).map_err(lookup)?;
    Ok(FileAction::Change { path: there.path, seen, content, difference })
}

/// Returns the difference between a version and what is to come; nothing where one of them is no text, or is long.
fn between(vault: &Vault, seen: &Seen, content: &Content) -> Result<Option<String>, StoreError> {
    let files = vault.files();
    let Some(before) = files.content(seen, difference::MAX_TEXT_BYTES)? else { return Ok(None) };
    Ok(match content {
        Content::Bytes { bytes, .. } => difference(&before, bytes),
        Content::Version(earlier) => {
            let after = files.content(earlier, difference::MAX_TEXT_BYTES)?;
            after.and_then(|after| difference(&before, &after))
        }
    })
}

/// Returns the file that an action left behind, where nothing happened to it since.
fn left_behind(vault: &Vault, done: &Done<'_, FileAction>) -> Result<FileRow, BadCall> {
    let since =
        || BadCall::Lookup("the file was changed, moved or removed since, so this cannot be undone any more".into());
    let (file, version) = done.left.split_at_checked(16).ok_or_else(since)?;
    let file: [u8; 16] = file.try_into().map_err(|_| since())?;
    let version = version.try_into().map(u64::from_be_bytes).map_err(|_| since())?;
    let row = vault.files().one(&file).map_err(lookup)?.ok_or_else(since)?;
    let lies = match done.action {
        FileAction::Create { path, .. } | FileAction::Change { path, .. } | FileAction::Restore { path, .. } => {
            row.trashed_ms.is_none() && row.path == *path
        }
        FileAction::Move { to, .. } => row.trashed_ms.is_none() && row.path == *to,
        FileAction::Trash { .. } => row.trashed_ms.is_some(),
        FileAction::List { .. } | FileAction::Read { .. } | FileAction::Search { .. } => true,
    };
    if lies && row.newest.seen.version == version { Ok(row) } else { Err(since()) }
}

fn told(file: &FileRow) -> Value {
    let newest = &file.newest;
    let changed =
        jiff::Timestamp::from_millisecond(newest.made_ms).map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let by = match newest.by {
        MadeBy::Person => "the person",
        MadeBy::Action(_) => "Bailey",
    };
    json!({ "path": file.path.as_str(), "bytes": newest.seen.size, "version": newest.seen.version,
            "changed": changed.unwrap_or_default(), "by": by })
}

fn list(vault: &Vault, folder: &Folder) -> Result<Value, String> {
    let found = vault.files().folder(folder).map_err(|error| error.to_string())?;
    let found = found.ok_or_else(|| format!("there is no folder `{}`; look at the one above it", folder.as_str()))?;
    let files: Vec<Value> = found.files.iter().map(told).collect();
    Ok(json!({ "folders": found.folders, "files": files, "more": found.more }))
}

fn read(vault: &Vault, path: &FilePath, seen: &Seen, from: u64, zone: &str) -> Result<Value, String> {
    let content = vault.files().content(seen, MAX_READ_BYTES).map_err(|error| error.to_string())?;
    let mut value = match content {
        Some(bytes) => {
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            let home = bailey_calendar::zone::by_name(zone);
            describe_file(&bytes, "", Some(path.name()), None, from, home.as_ref())
        }
        None if seen.size > MAX_READ_BYTES => {
            json!({ "no_text": format!("it has more than {} MB, which is not read as text", MAX_READ_BYTES / 1_000_000) })
        }
        None => return Err(format!("`{}` is not there any more; look at its folder", path.as_str())),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("path".into(), json!(path.as_str()));
        fields.insert("bytes".into(), json!(seen.size));
        fields.insert("version".into(), json!(seen.version));
    }
    Ok(value)
}
