//! Who may approve: the credentials that the store knows of the person.

use std::sync::{Arc, Mutex, PoisonError};

use bailey_gate::Now;
use bailey_gate::approval::{Assertion, Authority, Disbelief};
use bailey_keys::passkey::{self, Passkey, Wrong};
use bailey_ledger::{Ledger, PasskeyRow};

/// The person's credentials, as the store has them.
pub(crate) struct Credentials {
    /// Where they are kept.
    pub(crate) ledger: Arc<Ledger>,
    /// Whose pages may ask a passkey: scheme, host and port each.
    pub(crate) origins: Vec<String>,
    /// Where is said what the person should know.
    pub(crate) suspicions: Arc<Mutex<Vec<String>>>,
}

/// Returns what a passkey is asked to sign for a message: its SHA-256 (`docs/approval-format.md`).
pub(crate) fn webauthn_challenge(message: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message).as_ref().to_vec()
}

/// Passkeys that are said to be suspicious at once.
const MAX_SUSPICIONS: usize = 16;

impl Credentials {
    /// Tells the person that a passkey's counter went back: whoever copied it uses it as well (WebAuthn, section 6.1.1).
    fn suspect(&self, name: &str) {
        let notice = format!(
            "An answer of the passkey `{name}` was refused: it counts less far than one before, as if there were a copy of it. If you know \
             of none: `bailey passkey list`, then `bailey passkey end`, and make another."
        );
        let mut said = self.suspicions.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() < MAX_SUSPICIONS && !said.contains(&notice) {
            said.push(notice);
        }
    }
}

impl Authority for Credentials {
    fn verify(
        &self,
        credential: &[u8; 16],
        message: &[u8],
        assertion: &Assertion,
        now: Now,
    ) -> Result<bool, Disbelief> {
        match assertion {
            Assertion::PassphraseKey { signature } => {
                let known = crate::passphrase::in_force(&self.ledger).map_err(|_| Disbelief::Wrong)?;
                let one = known.filter(|known| known.id == *credential).ok_or(Disbelief::Wrong)?;
                let public: &[u8; 32] = one.public.as_slice().try_into().map_err(|_| Disbelief::Wrong)?;
                // The passphrase was typed for this very answer, which is what step-up means on a terminal.
                let right = bailey_keys::sign::verify(public, message, signature);
                if right { Ok(true) } else { Err(Disbelief::Wrong) }
            }
            Assertion::Passkey { credential_id, authenticator_data, client_data, signature } => {
                let known = self.ledger.passkeys().map_err(|_| Disbelief::Wrong)?;
                let mut active = known.into_iter().filter(PasskeyRow::is_active).peekable();
                active.peek().ok_or(Disbelief::NoPasskey)?;
                let one = active.find(|one| one.id == *credential && one.raw_id == *credential_id);
                let one = one.ok_or(Disbelief::Wrong)?;
                let kept =
                    Passkey { id: one.raw_id, public: one.public, rp: one.rp, count: one.count, synced: one.synced };
                let origins: Vec<&str> = self.origins.iter().map(String::as_str).collect();
                let challenge = webauthn_challenge(message);
                let count = passkey::verify(&kept, client_data, authenticator_data, signature, &challenge, &origins)
                    .map_err(|wrong| {
                        if matches!(wrong, Wrong::Counter) {
                            self.suspect(&one.name);
                        }
                        Disbelief::Wrong
                    })?;
                // INVARIANT: how far it counts is kept before anything is done on its word.
                let noted = self.ledger.write(|tx| tx.note_passkey_used(credential, count, now.wall_ms));
                // The authenticator made sure who touched it, for this very answer: that is step-up.
                if matches!(noted, Ok(true)) { Ok(true) } else { Err(Disbelief::Wrong) }
            }
        }
    }
}
