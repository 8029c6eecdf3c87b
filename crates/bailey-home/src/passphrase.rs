//! The approval passphrase, set anew: by the one that counts, by a passkey, or by a link that either makes, on a terminal. The home is
//! handed the public half of the key it makes, never the passphrase; the one before counts no more then.

use bailey_gate::approval::Authorised;
use bailey_gate::codec::Encoder;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::ledger::StoreError;
use bailey_gate::{HomeId, Nonce};
use bailey_ledger::{CredentialKind, CredentialRow, Ledger, RecordName};

use crate::browsers::Refused;
use crate::home::Home;

/// The kind of record that says which passphrase counts; its owner is the home. Without it, it is the one that the home was made with.
const RECORD: &str = "passphrase";
const POSSESSION_DOMAIN: &str = "bailey new passphrase";
const POSSESSION_VERSION: u8 = 1;

/// The stored half of a new passphrase.
#[derive(Debug, Clone)]
pub(crate) struct NewPassphrase {
    /// The salt of the key that it makes.
    pub(crate) salt: [u8; 16],
    /// The public half of that key.
    pub(crate) public: [u8; 32],
    /// What that key made of [`possession`]: nobody locks themselves out by a key that no passphrase makes.
    pub(crate) signature: Vec<u8>,
}

/// By what a passphrase is set.
pub(crate) enum By<'a> {
    /// The leave of the person, over exactly this key.
    Leave(&'a Authorised),
    /// The token of a link, which counts no more then.
    Link(&'a str),
}

/// Returns what the key of a new passphrase signs, so that it is known to be one (`docs/approval-format.md`).
#[must_use]
pub fn possession(home: &HomeId, salt: &[u8; 16], public: &[u8; 32]) -> Vec<u8> {
    let mut out = Encoder::default();
    out.text(POSSESSION_DOMAIN).byte(POSSESSION_VERSION).bytes(home.as_bytes()).bytes(salt).bytes(public);
    out.finish()
}

/// Returns the passphrase that counts.
pub(crate) fn in_force(ledger: &Ledger) -> Result<Option<CredentialRow>, StoreError> {
    let home = ledger.home();
    let set = ledger.record(RecordName { kind: RECORD, owner: home.as_bytes(), n: 0 })?;
    let mut all = ledger.credentials()?.into_iter().filter(|row| row.kind == CredentialKind::PassphraseKey);
    // INVARIANT: of several, one counts: the one that was set last.
    Ok(match set {
        Some(id) => all.find(|row| row.id.as_slice() == id),
        None => all.next(),
    })
}

impl Home {
    /// Lets a new passphrase count in the place of the one before.
    ///
    /// # Errors
    /// The link does not count, or the key is none that a passphrase made.
    pub(crate) fn set_passphrase(&self, by: &By<'_>, new: &NewPassphrase) -> Result<(), Refused> {
        let (now, home) = (self.clock.now(), self.gate.home());
        let NewPassphrase { salt, public, signature } = new;
        if !bailey_keys::sign::verify(public, &possession(&home, salt, public), signature) {
            return Err(Refused::NoPassphrase);
        }
        if let By::Link(token) = by {
            self.take_link(token, now)?;
        }
        let id: [u8; 16] = bailey_keys::random()?;
        // Introduced in the log, as the first was (`docs/log-format.md`).
        let introduced = Payload::default()
            .text("home", home.to_string())
            .text("credential", Nonce::from_bytes(id).to_string())
            .text("kind", CredentialKind::PassphraseKey.name())
            .text("passphrase", "set")
            .bytes("public", public.to_vec());
        self.ledger.write(|tx| {
            tx.put_passphrase_key(&id, salt, public)?;
            tx.put_record(RecordName { kind: RECORD, owner: home.as_bytes(), n: 0 }, &id)?;
            let pause_state = self.gate.lock().pause_state();
            let entry = match by {
                By::Leave(leave) => leave.entry(EventKind::Authority, now, pause_state, introduced.clone()),
                By::Link(_) => Event {
                    payload: introduced.clone(),
                    ..Event::of_home(EventKind::Authority, Actor::Person, now, pause_state)
                },
            };
            tx.append(&entry, None).map(drop)
        })?;
        self.give_notice("A new approval passphrase was set, and the one before counts no more. If it was not you: end the passkeys that you do not know (`bailey passkey list`), and set another with `bailey passphrase`.");
        self.changed();
        Ok(())
    }
}
