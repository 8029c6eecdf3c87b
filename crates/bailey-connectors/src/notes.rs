//! Notes for later tasks, and words to the person: what happens in the home itself.

use bailey_gate::family::home::{self, HomeAction};
use bailey_gate::family::{Action, ActionKind};
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::PrepareContext;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};

/// Notes. Keeping and forgetting one happens in the claiming commit; looking at them is done by the home, which has them.
pub(crate) struct Notes;

impl Service for Notes {
    type Action = HomeAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        vec![
            ToolDefinition {
                name: "memory_write",
                kind: home::MEMORY_WRITE,
                description: "Keep a note for later tasks. The person is asked first.",
                parameters: schema(&[("note", "what to remember")], &["note"]),
                manifest: json!({ "effect": "write", "content": ["note"], "undo": true }),
            },
            ToolDefinition {
                name: "memory_read",
                kind: home::MEMORY_READ,
                description: "Look at the notes kept in earlier tasks.",
                parameters: schema(&[], &[]),
                manifest: json!({ "effect": "read" }),
            },
        ]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, _: &PrepareContext<'_>) -> Result<Made, BadCall> {
        let action = match tool {
            "memory_write" => HomeAction::MemoryWrite { note: arguments.text("note")? },
            "memory_read" => HomeAction::MemoryRead,
            unknown => return Err(BadCall::UnknownTool(unknown.into())),
        };
        Ok((None, Action::Home(action)))
    }

    async fn execute(&self, _: &Vault, _: &Claimed<HomeAction>) -> Outcome {
        Outcome::new(Effect::NotExecuted, "it has no effect outside the home")
    }

    async fn reconcile(&self, _: &Vault, _: ActionId, _: Option<(ConnectionId, u64)>, _: &HomeAction) -> Lookup {
        Some((Found::No, "it lies in the home alone, and the home does not know"))
    }

    async fn undo(&self, _: &Vault, done: Done<'_, HomeAction>) -> Result<Made, BadCall> {
        let kind: ActionKind = match done.action {
            HomeAction::MemoryWrite { .. } => {
                return Ok((None, Action::Home(HomeAction::MemoryForget { note: done.id })));
            }
            HomeAction::Reply { .. } => home::REPLY,
            HomeAction::MemoryRead => home::MEMORY_READ,
            HomeAction::MemoryForget { .. } => home::MEMORY_FORGET,
        };
        Err(no_undo(kind))
    }

    fn has_undo(&self, action: &HomeAction) -> bool {
        matches!(action, HomeAction::MemoryWrite { .. })
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
