//! Challenges: what ties an answer of the person to one question, and to one moment.
//!
//! A challenge carries what the gate has to know of it, under a code that only the gate of this run can make. So as many may be
//! open as anybody asks for: none is kept, none is dropped for another, and whoever floods the home with questions takes no
//! room from the person's. What is kept are those that were used, until they are too old to count anyway.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::approval::{Assertion, Authorised, Authority, Disbelief, Proof, Purpose};
use crate::codec::Encoder;
use crate::event::{Approval, Client};
use crate::ids::{Challenge, HomeId, Nonce};
use crate::time::{Deadline, Now};

/// How long a challenge may be answered: the time to read a few previews and type a passphrase.
pub const CHALLENGE_MS: u64 = 15 * 60 * 1_000;

/// Used challenges that are remembered at once. Each took a right answer, or one of the few wrong ones there may be: the person
/// does not get there. Beyond it the oldest is forgotten, and whatever was asked no later than that counts no more.
pub const MAX_REMEMBERED: usize = 4_096;

/// Wrong answers of one kind of client in [`WRONG_WITHIN_MS`] after which no answer from there is looked at any more, until some
/// of them are that old. Answers from elsewhere count all the same: who guesses with a program keeps nobody from a terminal.
pub const MAX_WRONG: usize = 20;
/// See [`MAX_WRONG`]; together with the cost of each guess this leaves a guesser a few thousand a day.
pub const WRONG_WITHIN_MS: u64 = 5 * 60 * 1_000;

const CHALLENGE_DOMAIN: &str = "bailey challenge 1";
/// Bytes of the code at the end of a challenge.
const CODE_BYTES: usize = 32;

/// Why an answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// It was not made with the passphrase.
    Wrong,
    /// It answers no open challenge.
    Stale,
    /// There were too many wrong ones; none is looked at for a while.
    TooMany,
    /// It is of a passkey, and there is none.
    NoPasskey,
}

/// Holds what a challenge says of itself.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// Milliseconds since boot at which it was asked for.
    boot_ms: u64,
    /// In which pause epoch. A later one cannot have been meant by whoever answers.
    epoch: u64,
}

/// Makes challenges and takes each once. A restart has another key, so it closes all that are open.
#[derive(Debug)]
pub(crate) struct Challenges {
    key: ChallengeKey,
    used: BTreeMap<Challenge, u64>,
    /// Marks the time since boot up to which nothing asked counts any more, in milliseconds.
    closed: Option<u64>,
    /// Where wrong answers came from, and until when each counts. Bounded: [`MAX_WRONG`] for each kind of client.
    wrong: BTreeMap<Client, Vec<Deadline>>,
}

/// The secret that the challenges of one run are made with: 32 random bytes.
pub struct ChallengeKey([u8; 32]);

impl ChallengeKey {
    /// Takes bytes that the caller drew at random, for this run alone.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Makes an authentication code: HMAC-SHA-256 (RFC 2104).
    fn code(&self, message: &[u8]) -> [u8; CODE_BYTES] {
        const BLOCK: usize = 64;
        let padded = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(self.0).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
        Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
    }
}

impl std::fmt::Debug for ChallengeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChallengeKey(…)")
    }
}

impl Challenges {
    pub(crate) const fn new(key: ChallengeKey) -> Self {
        Self { key, used: BTreeMap::new(), closed: None, wrong: BTreeMap::new() }
    }

    /// Makes the challenge of sixteen fresh random bytes: those bytes, when and in which epoch it was asked for, and a code.
    pub(crate) fn open(&self, random: &Nonce, epoch: u64, now: Now) -> Challenge {
        let code = self.code(random.as_bytes(), Asked { boot_ms: now.boot_ms, epoch }, now);
        let parts = [random.as_bytes().as_slice(), &now.boot_ms.to_be_bytes(), &epoch.to_be_bytes(), &code];
        let mut bytes = [0; 64];
        bytes.iter_mut().zip(parts.into_iter().flatten()).for_each(|(byte, part)| *byte = *part);
        Challenge::from_bytes(bytes)
    }

    fn code(&self, random: &[u8], asked: Asked, now: Now) -> [u8; CODE_BYTES] {
        let mut out = Encoder::default();
        out.text(CHALLENGE_DOMAIN).bytes(&now.boot_id).bytes(random).number(asked.boot_ms).number(asked.epoch);
        self.key.code(&out.finish())
    }

    /// Reads a challenge that this gate made in this boot; of any other there is nothing to read.
    fn read(&self, challenge: &Challenge, now: Now) -> Option<Asked> {
        let (random, rest) = challenge.as_bytes().split_first_chunk::<16>()?;
        let (boot_ms, rest) = rest.split_first_chunk()?;
        let (epoch, code) = rest.split_first_chunk()?;
        let asked = Asked { boot_ms: u64::from_be_bytes(*boot_ms), epoch: u64::from_be_bytes(*epoch) };
        let wanted = self.code(random, asked, now);
        // Every byte is looked at, so that the time it takes tells nothing of where they differ.
        let differs = wanted.iter().zip(code).fold(0, |differs, (one, other)| differs | (one ^ other));
        (code.len() == CODE_BYTES && differs == 0).then_some(asked)
    }

    /// Tells whether a challenge may still be answered.
    fn is_open(&self, challenge: &Challenge, asked: Asked, now: Now) -> bool {
        let in_time = now.boot_ms.saturating_sub(asked.boot_ms) < CHALLENGE_MS;
        in_time && self.closed.is_none_or(|closed| asked.boot_ms > closed) && !self.used.contains_key(challenge)
    }

    /// Remembers that a challenge is used up.
    fn use_up(&mut self, challenge: Challenge, asked: Asked, now: Now) {
        self.used.retain(|_, boot_ms| now.boot_ms.saturating_sub(*boot_ms) < CHALLENGE_MS);
        while self.used.len() >= MAX_REMEMBERED {
            let oldest = self.used.iter().min_by_key(|(_, boot_ms)| **boot_ms).map(|(one, boot_ms)| (*one, *boot_ms));
            let Some((oldest, boot_ms)) = oldest else { break };
            self.used.remove(&oldest);
            self.closed = self.closed.max(Some(boot_ms));
        }
        self.used.insert(challenge, asked.boot_ms);
    }

    /// Checks a proof and uses its challenge up, be it right or wrong. Answers to no open challenge of ours are not counted:
    /// they prove nothing, and nobody may fill the log with them. Nor are those of passkeys where there is none.
    pub(crate) fn redeem(
        &mut self,
        proof: &Proof,
        purpose: &Purpose,
        home: &HomeId,
        authority: &dyn Authority,
        now: Now,
    ) -> Result<Authorised, Unproven> {
        let wrong = self.wrong.entry(proof.client).or_default();
        wrong.retain(|wrong| wrong.overdue(now).is_none());
        // Of a passkey's signature nobody guesses anything, so wrong ones are not counted, and those of others keep none out.
        let is_passkey = matches!(proof.assertion, Assertion::Passkey { .. });
        if wrong.len() >= MAX_WRONG && !is_passkey {
            return Err(Unproven::TooMany);
        }
        let asked = self.read(&proof.challenge, now).ok_or(Unproven::Stale)?;
        // Nobody has seen a pause that had not come when the question was asked, whatever they were told.
        let unseen = matches!(purpose, Purpose::Resume { epoch } if *epoch > asked.epoch);
        if unseen || !self.is_open(&proof.challenge, asked, now) {
            return Err(Unproven::Stale);
        }
        let message = purpose.message(home, &proof.challenge);
        let believed = authority.verify(&proof.credential, &message, &proof.assertion, now);
        if believed == Err(Disbelief::NoPasskey) {
            return Err(Unproven::NoPasskey);
        }
        self.use_up(proof.challenge, asked, now);
        if is_passkey && believed.is_err() {
            return Err(Unproven::Stale);
        }
        let stepped_up = believed.map_err(|_| {
            self.wrong.entry(proof.client).or_default().push(Deadline::after(now, WRONG_WITHIN_MS));
            Unproven::Wrong
        })?;
        let approval =
            Approval { credential: proof.credential, client: proof.client, session: proof.session, stepped_up };
        let parameters = match purpose {
            Purpose::Home { parameters, .. } => parameters.clone(),
            Purpose::Approve(_) | Purpose::Resume { .. } | Purpose::Undo(_) | Purpose::UndoAll(_) => Vec::new(),
        };
        Ok(Authorised { approval, signed: message, assertion: proof.assertion.encode(), parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot_ms: u64) -> Now {
        Now { wall_ms: 0, boot_ms, boot_id: [9; 16] }
    }

    /// Returns a numbered one, so that no two are the same.
    fn random(number: u64) -> Nonce {
        Nonce::from_bytes(u128::from(number).to_be_bytes())
    }

    /// RFC 4231, test case 1, whose key of 20 bytes is the same as one padded to 32 with zeros.
    #[test]
    fn the_code_is_hmac_sha_256() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let code = ChallengeKey(key).code(b"Hi There").map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(code, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }

    #[test]
    fn a_challenge_is_ours_unaltered_of_this_boot_and_young() {
        let ours = Challenges::new(ChallengeKey([1; 32]));
        let one = ours.open(&random(1), 5, at(100));
        let open = |challenges: &Challenges, one: &Challenge, now: Now| {
            challenges.read(one, now).is_some_and(|asked| challenges.is_open(one, asked, now))
        };
        assert!(open(&ours, &one, at(100)) && open(&ours, &one, at(99 + CHALLENGE_MS)));
        assert!(!open(&ours, &one, at(100 + CHALLENGE_MS)), "old");
        assert!(!open(&ours, &one, Now { boot_id: [8; 16], ..at(100) }), "of another boot");
        assert!(!open(&Challenges::new(ChallengeKey([2; 32])), &one, at(100)), "of another run");
        for place in 0..64 {
            let mut bytes = *one.as_bytes();
            bytes[place] ^= 1;
            assert!(!open(&ours, &Challenge::from_bytes(bytes), at(100)), "byte {place}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_nothing_counts_twice() {
        let mut ours = Challenges::new(ChallengeKey([1; 32]));
        let waiting = ours.open(&random(0), 0, at(1));
        let mut all = Vec::new();
        for number in 0..2 * MAX_REMEMBERED as u64 {
            let one = ours.open(&random(number), 0, at(10 + number));
            let asked = ours.read(&one, at(10 + number)).unwrap();
            assert!(ours.is_open(&one, asked, at(10 + number)), "a fresh one counts, however many there were");
            ours.use_up(one, asked, at(10 + number));
            all.push((one, asked));
        }
        assert!(ours.used.len() <= MAX_REMEMBERED);
        let now = at(10 + 2 * MAX_REMEMBERED as u64);
        assert!(all.iter().all(|(one, asked)| !ours.is_open(one, *asked, now)), "used or forgotten, none counts again");
        let asked = ours.read(&waiting, now).unwrap();
        assert!(!ours.is_open(&waiting, asked, now), "older than what is forgotten");
    }
}
