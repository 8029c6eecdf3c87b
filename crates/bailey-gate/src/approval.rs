//! The person's answer: exactly the digests that were shown, signed by something that is not on the disk.

use std::collections::BTreeMap;

use crate::codec::Encoder;
use crate::event::{Approval, Client};
use crate::ids::{ActionId, Digest, HomeId, Nonce};
use crate::time::{Deadline, Now};

const ANSWER_DOMAIN: &[u8] = b"bailey answer 1\0";

/// How long a challenge may be answered: the time to read a few previews and type a passphrase.
pub const CHALLENGE_MS: u64 = 15 * 60 * 1_000;

/// Challenges open at once. A client needs one; the rest are forgotten ones, oldest dropped first.
pub const MAX_CHALLENGES: usize = 64;

/// Most actions in one answer: more than that nobody reads before saying yes.
pub const MAX_ANSWERED: usize = 50;

/// What the person authorises. The signature covers all of it.
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
    /// Something the home does for the person alone (connect, export, delete), named and bound to its parameters.
    Home {
        /// A stable name.
        what: &'static str,
        /// SHA-256 of the parameters.
        parameters: Digest,
    },
}

impl Purpose {
    /// The bytes that are signed: domain, home, nonce, purpose.
    #[must_use]
    pub fn message(&self, home: &HomeId, nonce: &Nonce) -> Vec<u8> {
        let mut out = Encoder::default();
        out.bytes(ANSWER_DOMAIN).bytes(home.as_bytes()).bytes(nonce.as_bytes());
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
            Self::Home { what, parameters } => {
                out.byte(3).text(what).bytes(parameters.as_bytes());
            }
        }
        out.finish()
    }
}

/// The evidence that comes with an answer.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The challenge it answers.
    pub nonce: Nonce,
    /// Which credential signed.
    pub credential: [u8; 16],
    /// The signature over [`Purpose::message`].
    pub signature: Vec<u8>,
    /// The client program.
    pub client: Client,
    /// The client's session.
    pub session: [u8; 16],
}

/// Checks signatures of the person's credentials. Holds public keys only: whoever reads it cannot approve.
pub trait Authority: Send + Sync {
    /// `Some(stepped_up)` if `signature` over `message` is that of `credential`.
    fn verify(&self, credential: &[u8; 16], message: &[u8], signature: &[u8]) -> Option<bool>;
}

/// Wrong answers in [`WRONG_WITHIN_MS`] after which no answer is looked at any more, until some of them are that old.
pub const MAX_WRONG: usize = 20;
/// See [`MAX_WRONG`]; together with the cost of each guess this leaves a guesser a few thousand a day.
pub const WRONG_WITHIN_MS: u64 = 5 * 60 * 1_000;

/// Why an answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// It was not made with the passphrase.
    Wrong,
    /// It answers no open challenge.
    Stale,
    /// There were too many wrong ones; none is looked at for a while.
    TooMany,
}

/// When a challenge was asked for.
#[derive(Debug)]
struct Asked {
    /// Until when it may be answered.
    until: Deadline,
    /// In which pause epoch. A later one cannot have been meant by whoever answers.
    epoch: u64,
}

/// Open challenges, in memory: a restart closes them all.
#[derive(Debug, Default)]
pub(crate) struct Challenges {
    open: BTreeMap<Nonce, Asked>,
    wrong: Vec<Deadline>,
}

impl Challenges {
    pub(crate) fn open(&mut self, nonce: Nonce, epoch: u64, now: Now) {
        self.open.retain(|_, asked| asked.until.overdue(now).is_none());
        while self.open.len() >= MAX_CHALLENGES {
            let oldest = self.open.iter().min_by_key(|(_, asked)| asked.until.set.boot_ms).map(|(nonce, _)| *nonce);
            oldest.and_then(|nonce| self.open.remove(&nonce));
        }
        self.open.insert(nonce, Asked { until: Deadline::after(now, CHALLENGE_MS), epoch });
    }

    /// Checks a proof and uses its challenge up, whatever the result. Answers to no challenge of ours are not counted: they
    /// prove nothing, and nobody may fill the log with them.
    pub(crate) fn redeem(
        &mut self,
        proof: &Proof,
        purpose: &Purpose,
        home: &HomeId,
        authority: &dyn Authority,
        now: Now,
    ) -> Result<Approval, Unproven> {
        self.wrong.retain(|wrong| wrong.overdue(now).is_none());
        if self.wrong.len() >= MAX_WRONG {
            return Err(Unproven::TooMany);
        }
        let asked = self.open.remove(&proof.nonce).ok_or(Unproven::Stale)?;
        // Nobody has seen a pause that had not come when the question was asked, whatever they were told.
        let unseen = matches!(purpose, Purpose::Resume { epoch } if *epoch > asked.epoch);
        if unseen || asked.until.overdue(now).is_some() {
            return Err(Unproven::Stale);
        }
        let message = purpose.message(home, &proof.nonce);
        let Some(stepped_up) = authority.verify(&proof.credential, &message, &proof.signature) else {
            self.wrong.push(Deadline::after(now, WRONG_WITHIN_MS));
            return Err(Unproven::Wrong);
        };
        Ok(Approval { credential: proof.credential, client: proof.client, session: proof.session, stepped_up })
    }
}
