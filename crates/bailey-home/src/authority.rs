//! Who may approve: the credentials that the store knows of the person.

use std::sync::Arc;

use bailey_gate::approval::{Assertion, Authority, Disbelief};
use bailey_ledger::{CredentialKind, Ledger};

/// The person's credentials, as the store has them.
pub(crate) struct Credentials(pub(crate) Arc<Ledger>);

impl Authority for Credentials {
    fn verify(&self, credential: &[u8; 16], message: &[u8], assertion: &Assertion) -> Result<bool, Disbelief> {
        let known = self.0.credentials().map_err(|_| Disbelief::Wrong)?;
        match assertion {
            Assertion::PassphraseKey { signature } => {
                let one = known.iter().find(|known| known.id == *credential);
                let one = one.filter(|known| known.kind == CredentialKind::PassphraseKey).ok_or(Disbelief::Wrong)?;
                let public: &[u8; 32] = one.public.as_slice().try_into().map_err(|_| Disbelief::Wrong)?;
                // The passphrase was typed for this very answer, which is what step-up means on a terminal.
                let right = bailey_keys::sign::verify(public, message, signature);
                if right { Ok(true) } else { Err(Disbelief::Wrong) }
            }
            // None can be enrolled yet; whoever adds that checks the assertion here.
            Assertion::Passkey { .. } => Err(Disbelief::NoPasskey),
        }
    }
}
