//! Approvals: whether the credential that the log introduced signed what an entry says was approved. The bytes are those of
//! `docs/approval-format.md`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use crate::{hex, unhex};

/// What came of looking at the approvals whose payloads can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Approvals {
    /// Those signed by the credential that the log introduced, over exactly what the entry says.
    pub checked: u64,
    /// Those of which nothing can be checked: written before credentials were introduced in the log, or by a passkey.
    pub unchecked: u64,
}

/// Credentials by their identity, as entries introduced them, and what came of the approvals behind those.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    known: BTreeMap<String, Introduced>,
    pub(crate) found: Approvals,
}

#[derive(Debug)]
struct Introduced {
    home: [u8; 16],
    key: VerifyingKey,
}

impl Credentials {
    /// Looks at an entry and its payload; tells what is wrong about its approval, where something is.
    pub(crate) fn look(&mut self, header: &Value, payload: &Value) -> Result<(), &'static str> {
        let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
        match (text("kind"), text("to")) {
            ("authority", _) if payload.get("credential").is_some() => self.introduce(payload),
            ("step", "approved") if text("actor") == "person" => self.check(header, payload),
            ("resuming", _) => self.check(header, payload),
            _ => Ok(()),
        }
    }

    fn introduce(&mut self, payload: &Value) -> Result<(), &'static str> {
        let part = |name: &str| payload.get(name).and_then(Value::as_str);
        // Kinds that are not known here may come with later versions.
        if part("kind") != Some("passphrase-key") {
            return Ok(());
        }
        let read = || {
            let key = bytes_of(payload, "public")?;
            let key = VerifyingKey::from_bytes(key.as_slice().try_into().ok()?).ok()?;
            Some((part("credential")?.to_owned(), Introduced { home: unhex(part("home")?)?, key }))
        };
        let (credential, introduced) = read().ok_or("introduces a credential that cannot be read")?;
        self.known.insert(credential, introduced);
        Ok(())
    }

    fn check(&mut self, header: &Value, payload: &Value) -> Result<(), &'static str> {
        // Written before the log introduced any.
        if self.known.is_empty() {
            self.found.unchecked += 1;
            return Ok(());
        }
        let signed = bytes_of(payload, "signed").ok_or("is an approval without what was signed")?;
        let assertion = bytes_of(payload, "assertion").ok_or("is an approval without a signature")?;
        let signature = match assertion.as_slice() {
            [1, 1, rest @ ..] => Reader(rest).last_bytes().ok_or("has a signature that cannot be read")?,
            [1, 2, ..] => {
                self.found.unchecked += 1;
                return Ok(());
            }
            _ => return Err("has a signature that cannot be read"),
        };
        let credential = header.get("approver").and_then(|approver| approver.get("credential")?.as_str());
        let by =
            credential.and_then(|id| self.known.get(id)).ok_or("is approved by a credential the log never named")?;
        let signature = Signature::from_slice(signature).map_err(|_| "has a signature of the wrong length")?;
        by.key.verify_strict(&signed, &signature).map_err(|_| "has an approval whose signature is wrong")?;
        says(&signed, &by.home, header, payload).ok_or("has an approval that was signed for something else")?;
        self.found.checked += 1;
        Ok(())
    }
}

/// Whether the signed bytes are about this home and about what the entry is.
fn says(signed: &[u8], home: &[u8; 16], header: &Value, payload: &Value) -> Option<()> {
    let mut from = Reader(signed);
    let is_ours = from.bytes()? == b"bailey answer" && from.byte()? == 2 && from.bytes()? == home;
    let challenge = from.bytes()?;
    if !is_ours || challenge.len() != 64 {
        return None;
    }
    let said = match from.byte()? {
        1 => {
            let (action, digest) = (header.get("action")?.as_str()?, payload.get("digest")?.as_str()?);
            let mut shown = false;
            for _ in 0..from.number()? {
                let (one, of) = (from.bytes()?, from.bytes()?);
                shown |= hex(one) == action && hex(of) == digest;
            }
            shown
        }
        2 => header.get("kind")?.as_str()? == "resuming" && from.number()? == header.get("epoch")?.as_u64()?,
        _ => false,
    };
    (said && from.0.is_empty()).then_some(())
}

/// Bytes of a payload, which it holds in base64.
fn bytes_of(payload: &Value, name: &str) -> Option<Vec<u8>> {
    BASE64.decode(payload.get(format!("{name}_base64"))?.as_str()?).ok()
}

/// Reads the codec of `docs/approval-format.md`.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*first))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    fn last_bytes(mut self) -> Option<&'a [u8]> {
        let bytes = self.bytes()?;
        self.0.is_empty().then_some(bytes)
    }
}
