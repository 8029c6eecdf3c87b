//! Steps in the browser of the agent's own computer. What a page shows is its author's words; what a step would send is decided request by
//! request on the way out.

use bailey_gate::family::web::{self, Step, WebAction};
use bailey_gate::family::{Action, Family as _};
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::PrepareContext;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};

/// Where downloads are put, where no other place is named.
const DOWNLOADS: &str = "/home/agent";

/// The browser of the computer.
pub(crate) struct Web;

impl Service for Web {
    type Action = WebAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        let tab = ("tab", "the tab's number, as a page was told with");
        let element = ("element", "the number in brackets before it");
        let tool = |name, kind, description, parameters| ToolDefinition {
            name,
            kind,
            description,
            parameters,
            manifest: json!({ "effect": "write" }),
        };
        vec![
            tool(
                "web_open",
                web::OPEN,
                "Open a page in the browser of your own computer, and get what it shows: text behind `|`, and what can be worked with as \
                 `[number] role \"name\"`. The person's rules decide on each request it makes, or the person does.",
                schema(
                    &[("address", "https://…"), ("tab", "an open tab to use; leave it out for a new one")],
                    &["address"],
                ),
            ),
            ToolDefinition {
                manifest: json!({ "effect": "read" }),
                ..tool(
                    "web_read",
                    web::READ,
                    "Get what an open page shows now, or more of a long one.",
                    schema(&[tab, ("from", "how many items to leave out first, where there is more")], &["tab"]),
                )
            },
            tool(
                "web_click",
                web::CLICK,
                "Press an element of an open page, and get what it shows then.",
                schema(&[tab, element], &["tab", "element"]),
            ),
            tool(
                "web_type",
                web::TYPE,
                "Put text into a field of an open page, in place of what is there; or choose from a list.",
                schema(
                    &[
                        tab,
                        element,
                        ("text", "the text"),
                        ("choice", "in place of text: the words of the choice from a list"),
                    ],
                    &["tab", "element"],
                ),
            ),
            tool(
                "web_submit",
                web::SUBMIT,
                "Send the form that an element of an open page is in.",
                schema(&[tab, element], &["tab", "element"]),
            ),
            tool(
                "web_upload",
                web::UPLOAD,
                "Put a file of your own computer into a file field of an open page. It is sent when the form is.",
                schema(&[tab, element, ("path", "the file, like /home/agent/prices.csv")], &["tab", "element", "path"]),
            ),
            tool(
                "web_download",
                web::DOWNLOAD,
                "Keep a download that a page told of as a file of your own computer.",
                schema(
                    &[tab, ("download", "its number"), ("path", "where to keep it, like /home/agent/prices.csv")],
                    &["tab", "download", "path"],
                ),
            ),
        ]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
        let computer = cx.vault.computer().ok_or_else(|| BadCall::Lookup("this home has no computer".into()))?;
        if let Some(why) = computer.lacks().or_else(|| computer.lacks_browser()) {
            return Err(BadCall::Lookup(why));
        }
        let step = step(tool, arguments)?;
        let action = WebAction { step, confidential: computer.is_confidential() };
        let field = match action.step {
            Step::Open { .. } => "address",
            Step::Type { .. } => "text",
            Step::Upload { .. } | Step::Download { .. } => "path",
            Step::Read { .. } | Step::Click { .. } | Step::Submit { .. } => "tab",
        };
        action.check().map_err(|error| BadCall::of_check(field, &error))?;
        Ok((None, Action::Web(action)))
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<WebAction>) -> Outcome {
        match vault.computer() {
            Some(computer) => computer.browse(claimed).await,
            None => Outcome::new(Effect::NotExecuted, "this home has no computer"),
        }
    }

    async fn reconcile(&self, _: &Vault, _: ActionId, _: Option<(ConnectionId, u64)>, action: &WebAction) -> Lookup {
        Some(match action.step {
            Step::Read { .. } => (Found::No, "a look at a page changes nothing"),
            _ => (Found::Yes, "it was begun in the computer's browser, and broken off; read the page again"),
        })
    }

    async fn undo(&self, _: &Vault, done: Done<'_, WebAction>) -> Result<Made, BadCall> {
        Err(no_undo(done.action.kind()))
    }

    fn has_undo(&self, _: &WebAction) -> bool {
        false
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

/// Reads a step as models write it.
fn step(tool: &str, arguments: &Arguments) -> Result<Step, BadCall> {
    let tab = || number("tab", arguments);
    let element = || number("element", arguments);
    Ok(match tool {
        "web_open" => {
            let tab = arguments.optional("tab").map(|_| tab()).transpose()?;
            Step::Open { tab, address: arguments.text("address")?.trim().to_owned() }
        }
        "web_read" => {
            let from = arguments.optional("from").map(|_| number("from", arguments)).transpose()?;
            Step::Read { tab: tab()?, from: from.unwrap_or_default() }
        }
        "web_click" => Step::Click { tab: tab()?, element: element()? },
        "web_type" => match (arguments.optional("text"), arguments.optional("choice")) {
            (Some(_), Some(_)) => {
                return Err(BadCall::Bad { name: "text", why: "give either text or a choice, not both".into() });
            }
            (text, None) => {
                Step::Type { tab: tab()?, element: element()?, text: text.unwrap_or_default(), chooses: false }
            }
            (None, Some(text)) => Step::Type { tab: tab()?, element: element()?, text, chooses: true },
        },
        "web_submit" => Step::Submit { tab: tab()?, element: element()? },
        "web_upload" => Step::Upload { tab: tab()?, element: element()?, path: path(arguments)? },
        "web_download" => {
            Step::Download { tab: tab()?, download: number("download", arguments)?, path: path(arguments)? }
        }
        other => return Err(BadCall::UnknownTool(other.into())),
    })
}

/// Reads a number, in brackets or without: so it stands before an element.
fn number(name: &'static str, arguments: &Arguments) -> Result<u32, BadCall> {
    let text = arguments.text(name)?;
    let bad = |_| BadCall::Bad { name, why: "it is no whole number".into() };
    text.trim().trim_matches(['[', ']']).parse().map_err(bad)
}

/// Reads the path of a file in the computer; one that begins nowhere begins in the agent's own folder.
fn path(arguments: &Arguments) -> Result<String, BadCall> {
    let text = arguments.text("path")?;
    let text = text.trim();
    Ok(if text.starts_with('/') { text.to_owned() } else { format!("{DOWNLOADS}/{text}") })
}
