//! The person's answer: exactly the digests that were shown, signed by something that is not on the disk.

pub use crate::challenges::{CHALLENGE_MS, ChallengeKey, MAX_REMEMBERED, MAX_WRONG, WRONG_WITHIN_MS};
use sha2::{Digest as _, Sha256};

use crate::codec::{CodecError, Decoder, Encoder};
use crate::event::{Actor, Approval, Client, Event, EventKind, Payload};
use crate::handoff::PauseState;
use crate::ids::{ActionId, Challenge, Digest, HomeId};
use crate::time::Now;

const ANSWER_DOMAIN: &str = "bailey answer";
/// Version of what is signed. An answer in another form is a wrong one.
const ANSWER_VERSION: u8 = 2;

/// Version of an encoded assertion.
const ASSERTION_VERSION: u8 = 1;

/// Longest part of an assertion, in bytes. A credential id has at most 1,023 (WebAuthn Level 3, section 4); the rest is a few
/// hundred.
pub const MAX_ASSERTION_BYTES: usize = 8 * 1_024;

/// Most actions in one answer: more than that nobody reads before saying yes.
pub const MAX_ANSWERED: usize = 50;

/// Names what the person authorises. The signature covers all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Run exactly these actions.
    Approve(Vec<(ActionId, Digest)>),
    /// Let effects leave again after the pause that this epoch began, and after no later one.
    Resume {
        /// The epoch, as the person was told it.
        epoch: u64,
    },
    /// Undo this action.
    Undo(ActionId),
    /// Undo exactly these actions, each by an undo of its own.
    UndoAll(Vec<ActionId>),
    /// Something the home does for the person alone (connect, export, delete), named and bound to its parameters.
    Home {
        /// A stable name.
        what: &'static str,
        /// The encoded parameters; empty where there are none. What is signed is their SHA-256.
        parameters: Vec<u8>,
    },
}

impl Purpose {
    /// Writes the bytes that are signed: domain, version, home, challenge, purpose. `docs/approval-format.md` describes them.
    #[must_use]
    pub fn message(&self, home: &HomeId, challenge: &Challenge) -> Vec<u8> {
        let mut out = Encoder::default();
        out.text(ANSWER_DOMAIN).byte(ANSWER_VERSION).bytes(home.as_bytes()).bytes(challenge.as_bytes());
        match self {
            Self::Approve(shown) => {
                out.byte(1).list(shown, |out, (id, digest)| {
                    out.bytes(id.as_bytes()).bytes(digest.as_bytes());
                });
            }
            Self::Resume { epoch } => {
                out.byte(2).number(*epoch);
            }
            Self::Undo(of) => {
                out.byte(4).bytes(of.as_bytes());
            }
            Self::UndoAll(all) => {
                out.byte(5).list(all, |out, of| {
                    out.bytes(of.as_bytes());
                });
            }
            Self::Home { what, parameters } => {
                out.byte(3).text(what).bytes(&hash_of(parameters));
            }
        }
        out.finish()
    }
}

/// Hashes encoded parameters; 32 zero bytes stand for none.
fn hash_of(parameters: &[u8]) -> [u8; 32] {
    if parameters.is_empty() { [0; 32] } else { Sha256::digest(parameters).into() }
}

/// How a credential of the person signed an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assertion {
    /// By the key that the approval passphrase makes.
    PassphraseKey {
        /// The Ed25519 signature (RFC 8032) over [`Purpose::message`], 64 bytes.
        signature: Vec<u8>,
    },
    /// By a passkey: the parts of an authentication assertion (WebAuthn Level 3, section 5.2.1), as the browser gave them.
    /// Nothing here reads them; its challenge is the SHA-256 of [`Purpose::message`].
    Passkey {
        /// The authenticator's own name for the credential (`rawId`).
        credential_id: Vec<u8>,
        /// `authenticatorData`: relying party, flags, counter.
        authenticator_data: Vec<u8>,
        /// `clientDataJSON`: type, challenge, origin.
        client_data: Vec<u8>,
        /// The signature over both.
        signature: Vec<u8>,
    },
}

impl Assertion {
    /// Encodes it as it is kept with the approval; see `docs/approval-format.md`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.byte(ASSERTION_VERSION);
        match self {
            Self::PassphraseKey { signature } => {
                out.byte(1).bytes(signature);
            }
            Self::Passkey { credential_id, authenticator_data, client_data, signature } => {
                out.byte(2).bytes(credential_id).bytes(authenticator_data).bytes(client_data).bytes(signature);
            }
        }
        out.finish()
    }

    /// Reads what [`Assertion::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut from = Decoder::new(bytes);
        match from.byte()? {
            ASSERTION_VERSION => {}
            other => return Err(CodecError::UnknownVersion(other)),
        }
        let part = |from: &mut Decoder<'_>| match from.bytes()? {
            long if long.len() > MAX_ASSERTION_BYTES => Err(CodecError::TooLong),
            part => Ok(part.to_vec()),
        };
        let assertion = match from.byte()? {
            1 => Self::PassphraseKey { signature: part(&mut from)? },
            2 => Self::Passkey {
                credential_id: part(&mut from)?,
                authenticator_data: part(&mut from)?,
                client_data: part(&mut from)?,
                signature: part(&mut from)?,
            },
            tag => return Err(CodecError::UnknownTag(tag)),
        };
        from.finish()?;
        Ok(assertion)
    }
}

/// The person's answer to one challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The challenge it answers.
    pub challenge: Challenge,
    /// Names the credential that signed.
    pub credential: [u8; 16],
    /// How it signed [`Purpose::message`].
    pub assertion: Assertion,
    /// The client program.
    pub client: Client,
    /// The client's session.
    pub session: [u8; 16],
}

/// An answer that counted, with what shows later, from the log alone, that it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorised {
    /// Who approved, for the header.
    pub approval: Approval,
    /// The bytes that were signed: [`Purpose::message`].
    pub(crate) signed: Vec<u8>,
    /// How, encoded.
    pub(crate) assertion: Vec<u8>,
    /// The parameters of [`Purpose::Home`], which the signed bytes hold as a hash; else empty.
    pub(crate) parameters: Vec<u8>,
}

impl Authorised {
    /// Adds what was signed and how to the payload of the entry that it is about; sealed with it, and erased with it.
    #[must_use]
    pub fn shown_in(&self, payload: Payload) -> Payload {
        let payload = payload.bytes("signed", self.signed.clone()).bytes("assertion", self.assertion.clone());
        if self.parameters.is_empty() { payload } else { payload.bytes("parameters", self.parameters.clone()) }
    }

    /// Makes the entry of what the person did by this answer: who it was is in its header, and the evidence in its payload, beside
    /// what the entry says.
    #[must_use]
    pub fn entry(&self, kind: EventKind, at: Now, pause_state: PauseState, says: Payload) -> Event {
        let entry = Event::of_home(kind, Actor::Person, at, pause_state);
        Event { approval: Some(self.approval), payload: self.shown_in(says), ..entry }
    }
}

/// Why an assertion is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disbelief {
    /// It was not made by that credential over that message.
    Wrong,
    /// No passkey is enrolled, so none can have made it.
    NoPasskey,
}

/// Checks assertions of the person's credentials. Holds public keys only: whoever reads it cannot approve.
pub trait Authority: Send + Sync {
    /// Gives whether the person proved presence for this very answer (step-up), if `credential` made `assertion` over
    /// `message`, now.
    fn verify(&self, credential: &[u8; 16], message: &[u8], assertion: &Assertion, now: Now)
    -> Result<bool, Disbelief>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passkey(credential_id: usize) -> Assertion {
        Assertion::Passkey {
            credential_id: vec![1; credential_id],
            authenticator_data: vec![2; 37],
            client_data: b"{}".to_vec(),
            signature: vec![],
        }
    }

    #[test]
    fn an_assertion_reads_back_as_it_was_and_in_no_other_form() {
        for assertion in
            [Assertion::PassphraseKey { signature: vec![7; 64] }, passkey(16), passkey(MAX_ASSERTION_BYTES)]
        {
            let bytes = assertion.encode();
            assert_eq!(Assertion::decode(&bytes), Ok(assertion));
            assert_eq!(Assertion::decode(&bytes[..bytes.len() - 1]), Err(CodecError::Short));
            assert_eq!(Assertion::decode(&[bytes.as_slice(), &[0]].concat()), Err(CodecError::Trailing));
        }
        assert_eq!(Assertion::decode(&passkey(MAX_ASSERTION_BYTES + 1).encode()), Err(CodecError::TooLong));
        assert_eq!(Assertion::decode(&[2, 1]), Err(CodecError::UnknownVersion(2)));
        assert_eq!(Assertion::decode(&[1, 3]), Err(CodecError::UnknownTag(3)));
    }
}
