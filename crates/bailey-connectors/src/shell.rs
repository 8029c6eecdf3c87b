//! Commands in the agent's own computer. What comes back is whatever lies there: others' words.

use bailey_gate::family::shell::{self, MAX_SECONDS, ShellAction};
use bailey_gate::family::{Action, Family as _};
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::PrepareContext;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};

/// How long a command may take where nothing is said, in seconds.
const USUAL_SECONDS: u64 = 120;

/// Commands in the computer.
pub(crate) struct Shell;

impl Service for Shell {
    type Action = ShellAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        vec![ToolDefinition {
            name: "shell_run",
            kind: shell::RUN,
            description: "Run a command or a script with the shell of your own computer, a Linux machine without a network. Files there \
                          stay between commands. Its programs reach sites through the proxy at http://127.0.0.1:3128, which is in their \
                          environment; the person's rules decide on each request, or the person does, so it may take a while.",
            parameters: schema(
                &[
                    ("command", "the command, or a whole script"),
                    ("seconds", "how long it may take, at most 3600; 120 if nothing is said"),
                ],
                &["command"],
            ),
            manifest: json!({ "effect": "write" }),
        }]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
        if tool != "shell_run" {
            return Err(BadCall::UnknownTool(tool.into()));
        }
        let computer = cx.vault.computer().ok_or_else(|| BadCall::Lookup("this home has no computer".into()))?;
        if let Some(why) = computer.lacks() {
            return Err(BadCall::Lookup(why));
        }
        let seconds = match arguments.optional("seconds") {
            None => USUAL_SECONDS,
            Some(text) => {
                let bad = |_| BadCall::Bad { name: "seconds", why: "it is not a whole number of seconds".into() };
                text.trim().parse::<u64>().map_err(bad)?.clamp(1, MAX_SECONDS)
            }
        };
        let confidential = computer.is_confidential();
        let action = ShellAction::Run { command: arguments.text("command")?, seconds, confidential };
        action.check().map_err(|error| BadCall::of_check("command", &error))?;
        Ok((None, Action::Shell(action)))
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<ShellAction>) -> Outcome {
        match vault.computer() {
            Some(computer) => computer.run(claimed).await,
            None => Outcome::new(Effect::NotExecuted, "this home has no computer"),
        }
    }

    async fn reconcile(&self, _: &Vault, _: ActionId, _: Option<(ConnectionId, u64)>, _: &ShellAction) -> Lookup {
        Some((Found::Yes, "it was begun in the computer, and broken off; whatever it did until then stays there"))
    }

    async fn undo(&self, _: &Vault, _: Done<'_, ShellAction>) -> Result<Made, BadCall> {
        Err(no_undo(shell::RUN))
    }

    fn has_undo(&self, _: &ShellAction) -> bool {
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
