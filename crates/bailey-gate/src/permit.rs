//! Permits and claims: values only the gate can make, used by moving them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::family::{Action, ActionKind};
use crate::handoff::EffectToken;
use crate::ids::{ActionId, ConnectionId, Digest};
use crate::state::State;
use crate::verdict::Class;

/// Leave to claim one action. Made by the gate, spent by [`crate::Gate::claim`].
#[derive(Debug)]
#[must_use]
pub struct Permit {
    pub(crate) id: ActionId,
    pub(crate) digest: Digest,
}

impl Permit {
    /// Names the action it is for.
    #[must_use]
    pub const fn action(&self) -> ActionId {
        self.id
    }
}

/// A durable claim: the log says the effect is about to happen. Whoever holds it may carry it out, once.
///
/// The gate makes claims of [`Action`]; [`Claimed::by_family`] makes them claims of one family, so that what carries out mail
/// cannot be given a calendar's.
#[derive(Debug)]
#[must_use]
pub struct Claimed<A = Action> {
    pub(crate) action: A,
    pub(crate) bound: Bound,
    pub(crate) artefact: Vec<u8>,
    pub(crate) token: Arc<EffectToken>,
}

/// Holds what is known of a claim, whatever its family.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) id: ActionId,
    pub(crate) kind: ActionKind,
    pub(crate) class: Class,
    pub(crate) account: Option<(ConnectionId, u64)>,
    pub(crate) digest: Digest,
}

impl<A> Claimed<A> {
    /// Returns which action it is for.
    #[must_use]
    pub const fn id(&self) -> ActionId {
        self.bound.id
    }

    /// Returns what is to be done.
    #[must_use]
    pub const fn action(&self) -> &A {
        &self.action
    }

    /// Returns the kind of action.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        self.bound.kind
    }

    /// Returns how far the effect can be taken back.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.bound.class
    }

    /// Returns the digest that was approved, or judged.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.bound.digest
    }

    /// Returns the bytes that were approved; what leaves is these and no others.
    #[must_use]
    pub fn artefact(&self) -> &[u8] {
        &self.artefact
    }

    /// Returns the account, and the generation of its grant.
    #[must_use]
    pub const fn account(&self) -> Option<(ConnectionId, u64)> {
        self.bound.account
    }

    /// Returns the right to the one hand-off, for the stream that carries it out.
    #[must_use]
    pub fn effect_token(&self) -> Arc<EffectToken> {
        Arc::clone(&self.token)
    }

    /// Ends the claim. "Not executed" is believed only where nothing was handed off; else the outcome is unknown.
    /// A claim that only looks hands nothing off, and has no unknown outcome: what did not come back was not done.
    pub fn settle(self, outcome: Outcome) -> Settled {
        let id = self.bound.id;
        if self.bound.kind.is_read() {
            let result = if outcome.result == Effect::Unknown { Effect::NotExecuted } else { outcome.result };
            return Settled { id, outcome: Outcome { result, ..outcome } };
        }
        let outcome = match outcome.result {
            Effect::NotExecuted if self.token.is_spent() => Outcome { result: Effect::Unknown, ..outcome },
            Effect::Done | Effect::Refused | Effect::Partial | Effect::Unknown if !self.token.is_spent() => {
                Outcome { result: Effect::NotExecuted, ..outcome }
            }
            Effect::Done | Effect::Refused | Effect::Partial | Effect::Unknown | Effect::NotExecuted => outcome,
        };
        Settled { id, outcome }
    }
}

/// Reports what a connector found out about its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The other side confirmed it.
    Done,
    /// The other side refused it after the hand-off.
    Refused,
    /// Some of it happened.
    Partial,
    /// It did not start.
    NotExecuted,
    /// No telling.
    Unknown,
}

impl Effect {
    pub(crate) const fn state(self) -> State {
        match self {
            Self::Done => State::Succeeded,
            Self::Refused => State::Failed,
            Self::Partial => State::Partial,
            Self::NotExecuted => State::NotExecuted,
            Self::Unknown => State::Unknown,
        }
    }
}

/// An effect with the words that explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Says what happened.
    pub result: Effect,
    /// Says what the other side said, or what went wrong; for the person and the log's sealed part.
    pub detail: String,
    /// Keeps what the effect left behind at the other side (a version, say), as its service writes and reads it: an undo is held to
    /// it. Empty where that is not known.
    pub left: Vec<u8>,
}

impl Outcome {
    /// Returns an outcome with its words.
    #[must_use]
    pub fn new(result: Effect, detail: impl Into<String>) -> Self {
        Self { result, detail: detail.into(), left: Vec::new() }
    }
}

/// A claim that has ended, on its way into the log. Made by [`Claimed::settle`] only.
#[derive(Debug)]
#[must_use]
pub struct Settled {
    pub(crate) id: ActionId,
    pub(crate) outcome: Outcome,
}

/// Runs what happens to the world, later: a boxed future, so that the gate needs no runtime.
pub type Execution<'a> = Pin<Box<dyn Future<Output = Settled> + Send + 'a>>;

/// Carries out claims, of one family or of all. Cannot be called without one.
pub trait Connector<A = Action>: Send + Sync {
    /// Carries out the claim and says what came of it.
    fn execute(&self, claimed: Claimed<A>) -> Execution<'_>;
}
