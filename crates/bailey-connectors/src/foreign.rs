//! Tools of other people's servers. No such server is connected yet: the gate decides about their calls for programs that
//! carry them out themselves.

use bailey_gate::family::tool::ToolUse;
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};

use crate::call::{Arguments, BadCall};
use crate::context::PrepareContext;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition};

/// Tools of others.
pub(crate) struct ForeignTools;

impl Service for ForeignTools {
    type Action = ToolUse;

    fn tools(&self) -> Vec<ToolDefinition> {
        Vec::new()
    }

    async fn prepare(&self, tool: &str, _: &Arguments, _: &PrepareContext<'_>) -> Result<Made, BadCall> {
        Err(BadCall::UnknownTool(tool.into()))
    }

    async fn execute(&self, _: &Vault, _: &Claimed<ToolUse>) -> Outcome {
        Outcome::new(Effect::NotExecuted, "no server of tools is connected")
    }

    async fn reconcile(&self, _: &Vault, _: ActionId, _: Option<(ConnectionId, u64)>, _: &ToolUse) -> Lookup {
        Some((Found::No, "only whoever runs the tool can tell; ask there"))
    }

    async fn undo(&self, _: &Vault, _: Done<'_, ToolUse>) -> Result<Made, BadCall> {
        Err(BadCall::Lookup("a tool of somebody else's is undone by a tool of theirs, if at all".into()))
    }

    fn has_undo(&self, _: &ToolUse) -> bool {
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
