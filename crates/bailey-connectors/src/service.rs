//! What a service is: everything about one app in one place, from its tools to its undo.

use std::future::Future;

use bailey_gate::family::{Action, ActionKind};
use bailey_gate::{ActionId, Claimed, ConnectionId, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use serde_json::Value;

use crate::call::{Arguments, BadCall};
use crate::context::PrepareContext;

/// A tool as it is offered to a model, and what it can do.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDefinition {
    /// Its name.
    pub name: &'static str,
    /// The kind of action it makes.
    pub kind: ActionKind,
    /// Says what it does, for the model.
    pub description: &'static str,
    /// JSON schema of its arguments.
    pub parameters: Value,
    /// Says what each argument can do, in the language of manifests ([`crate::manifest`]).
    pub manifest: Value,
}

/// An action made of a call: the account it acts on, and what is to be done.
pub type Made = (Option<ConnectionId>, Action);

/// What came of looking an unknown outcome up, in words for the person. `None` where it cannot be looked up now.
pub type Lookup = Option<(Found, &'static str)>;

/// Something that was done, as its undo sees it.
#[derive(Debug)]
pub struct Done<'a, A> {
    /// The action's identity.
    pub id: ActionId,
    /// The account it acted on, and the generation of its grant.
    pub account: Option<(ConnectionId, u64)>,
    /// The action that was taken.
    pub action: &'a A,
    /// Bytes that it left behind at the other side ([`Outcome::left`]); empty where they are not known.
    pub left: &'a [u8],
}

/// One app. It sees guarded sessions of the vault, never a credential, and carries nothing out without a claim of its family.
pub trait Service: Send + Sync {
    /// The family of its actions.
    type Action: Send + Sync;

    /// Lists its tools.
    fn tools(&self) -> Vec<ToolDefinition>;

    /// Makes an action of a call of one of its tools. May look at the account for what the action needs; changes nothing.
    fn prepare(
        &self,
        tool: &str,
        arguments: &Arguments,
        cx: &PrepareContext<'_>,
    ) -> impl Future<Output = Result<Made, BadCall>> + Send;

    /// Carries out a claim.
    fn execute(&self, vault: &Vault, claimed: &Claimed<Self::Action>) -> impl Future<Output = Outcome> + Send;

    /// Does what belongs to an effect whose outcome is known, and is not part of it; returns what came of it, in words that are told
    /// with the outcome. It changes nothing about that outcome, and a pause or a revocation leaves it out.
    fn afterwards(
        &self,
        _vault: &Vault,
        _claimed: &Claimed<Self::Action>,
        _outcome: &Outcome,
    ) -> impl Future<Output = Option<String>> + Send {
        async { None }
    }

    /// Looks up whether something happened whose outcome is not known.
    fn reconcile(
        &self,
        vault: &Vault,
        id: ActionId,
        account: Option<(ConnectionId, u64)>,
        action: &Self::Action,
    ) -> impl Future<Output = Lookup> + Send;

    /// Makes the action that undoes another.
    fn undo(&self, vault: &Vault, done: Done<'_, Self::Action>) -> impl Future<Output = Result<Made, BadCall>> + Send;

    /// Tells whether it makes an action that undoes another, as far as that can be told without looking.
    fn has_undo(&self, action: &Self::Action) -> bool;

    /// Looks at an account the person wants to connect: whether it can be used, and what it proves.
    fn discover(
        &self,
        vault: &Vault,
        access: &Access,
        settings: &Settings,
    ) -> impl Future<Output = Result<Discovered, VaultError>> + Send;

    /// Looks again at what a connected account proves of people, since the last look; `None` where nothing can be new. `notes` are those
    /// of the last look ([`Discovered::notes`]).
    fn look_again(
        &self,
        vault: &Vault,
        access: &Access,
        settings: &Settings,
        notes: &[u8],
    ) -> impl Future<Output = Result<Option<Discovered>, VaultError>> + Send;
}

/// Returns what to say of an action that has no undo.
pub(crate) fn no_undo(kind: ActionKind) -> BadCall {
    BadCall::Lookup(format!("{} cannot be undone", kind.name()))
}
