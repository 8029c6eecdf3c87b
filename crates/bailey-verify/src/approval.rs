//! Approvals: whether the credential that the log introduced signed what an entry says was approved. The bytes are those of
//! `docs/approval-format.md`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::passkey::{Answer, Passkey};
use crate::{hex, unhex};

/// What came of looking at the approvals whose payloads can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Approvals {
    /// Those signed by the credential that the log introduced, over exactly what the entry says.
    pub checked: u64,
    /// Those of which nothing can be checked: written before credentials, or evidence of their like, were in the log.
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
    key: Key,
}

#[derive(Debug)]
enum Key {
    /// The one that the approval passphrase makes.
    Passphrase(VerifyingKey),
    Passkey(Passkey),
}

/// What is done to the person's browsers only by an answer of theirs, as the payload of the entry names it.
const BY_ANSWER: [&str; 5] = ["link", "session", "passkey ended", "passkeys confirmed", "recovery codes"];

impl Credentials {
    /// Looks at an entry and its payload; tells what is wrong about its approval, where something is.
    pub(crate) fn look(&mut self, header: &Value, payload: &Value) -> Result<(), &'static str> {
        let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
        let by_person = text("actor") == "person";
        match (text("kind"), text("to")) {
            ("authority", _) if payload.get("public_base64").is_some() => {
                // What came by an answer was answered by one that was known before.
                if by_person && payload.get("signed_base64").is_some() {
                    self.check(header, payload)?;
                }
                self.introduce(payload)
            }
            ("authority", _) if by_person && is_answered(payload) => self.check(header, payload),
            ("step", "approved") if by_person => self.check(header, payload),
            ("resuming", _) => self.check(header, payload),
            ("proposed" | "connected" | "rules" | "settings" | "exported", _) if by_person => match version(header) {
                // Only approvals and the ends of pauses held their evidence then.
                Some(1) => {
                    self.found.unchecked += 1;
                    Ok(())
                }
                _ => self.check(header, payload),
            },
            _ => Ok(()),
        }
    }

    fn introduce(&mut self, payload: &Value) -> Result<(), &'static str> {
        let part = |name: &str| payload.get(name).and_then(Value::as_str);
        // Kinds that are not known here may come with later versions.
        if !matches!(part("kind"), Some("passphrase-key" | "passkey")) {
            return Ok(());
        }
        let read = || {
            let public = bytes_of(payload, "public")?;
            let key = match part("kind")? {
                "passphrase-key" => {
                    let key = VerifyingKey::from_bytes(public.as_slice().try_into().ok()?);
                    Key::Passphrase(key.ok()?)
                }
                "passkey" => Key::Passkey(Passkey::read(&public, part("rp")?, bytes_of(payload, "credential_id"))?),
                _ => return None,
            };
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
        let credential = header.get("approver").and_then(|approver| approver.get("credential")?.as_str());
        let by =
            credential.and_then(|id| self.known.get(id)).ok_or("is approved by a credential the log never named")?;
        by.key.check(&signed, &assertion)?;
        says(&signed, &by.home, header, payload).ok_or("has an approval that was signed for something else")?;
        self.found.checked += 1;
        Ok(())
    }
}

impl Key {
    /// Checks that an encoded assertion is of this key, over these bytes.
    fn check(&self, signed: &[u8], assertion: &[u8]) -> Result<(), &'static str> {
        const UNREADABLE: &str = "has a signature that cannot be read";
        match (self, assertion) {
            (Self::Passphrase(key), [1, 1, rest @ ..]) => {
                let signature = Reader(rest).last_bytes().ok_or(UNREADABLE)?;
                let signature = Signature::from_slice(signature).map_err(|_| "has a signature of the wrong length")?;
                key.verify_strict(signed, &signature).map_err(|_| "has an approval whose signature is wrong")
            }
            (Self::Passkey(passkey), [1, 2, rest @ ..]) => {
                let mut from = Reader(rest);
                let mut read = || {
                    Some(Answer {
                        credential_id: from.bytes()?,
                        authenticator_data: from.bytes()?,
                        client_data: from.bytes()?,
                        signature: from.bytes()?,
                    })
                };
                let answer = read().ok_or(UNREADABLE)?;
                if from.0.is_empty() { passkey.check(signed, &answer) } else { Err(UNREADABLE) }
            }
            _ => Err(UNREADABLE),
        }
    }
}

/// Tells whether an entry about browsers or notices is of what the person answered for.
fn is_answered(payload: &Value) -> bool {
    let browser = payload.get("browser").and_then(Value::as_str);
    payload.get("signed_base64").is_some() || browser.is_some_and(|what| BY_ANSWER.contains(&what))
}

/// Tells whether the signed bytes are about this home and about what the entry is.
fn says(signed: &[u8], home: &[u8; 16], header: &Value, payload: &Value) -> Option<()> {
    let mut from = Reader(signed);
    let is_ours = from.bytes()? == b"bailey answer" && from.byte()? == 2 && from.bytes()? == home;
    let challenge = from.bytes()?;
    if !is_ours || challenge.len() != 64 {
        return None;
    }
    let kind = header.get("kind")?.as_str()?;
    let said = match from.byte()? {
        1 if kind == "step" => {
            let (action, digest) = (header.get("action")?.as_str()?, payload.get("digest")?.as_str()?);
            let mut shown = false;
            for _ in 0..from.number()? {
                let (one, of) = (from.bytes()?, from.bytes()?);
                shown |= hex(one) == action && hex(of) == digest;
            }
            shown
        }
        2 => kind == "resuming" && from.number()? == header.get("epoch")?.as_u64()?,
        3 => {
            let (what, hash) = (from.bytes()?, from.bytes()?);
            let parameters = bytes_of(payload, "parameters").unwrap_or_default();
            hash == hash_of(&parameters) && does(header, what, &parameters, payload)?
        }
        4 => kind == "proposed" && payload.get("undo_of")?.as_str()? == hex(from.bytes()?),
        5 if kind == "proposed" => {
            let of = payload.get("undo_of")?.as_str()?;
            from.list(Reader::bytes)?.iter().any(|one| hex(one) == of)
        }
        _ => false,
    };
    (said && from.0.is_empty()).then_some(())
}

/// Returns the version of an entry.
pub(crate) fn version(header: &Value) -> Option<u64> {
    header.get("v").and_then(Value::as_u64)
}

/// Returns the hash of encoded parameters, as it is signed.
fn hash_of(parameters: &[u8]) -> [u8; 32] {
    if parameters.is_empty() { [0; 32] } else { Sha256::digest(parameters).into() }
}

/// Tells whether what the person wanted is what an entry says was done.
fn does(header: &Value, what: &[u8], parameters: &[u8], payload: &Value) -> Option<bool> {
    let kind = header.get("kind")?.as_str()?;
    let said = |name: &str| payload.get(name).and_then(Value::as_str);
    Some(match (kind, what) {
        ("connected", b"connect") => {
            let (account, level) = connected(parameters)?;
            said("account")? == account && said("level")? == level
        }
        ("connected", b"change level") => {
            let mut from = Reader(parameters);
            let ours = from.text()? == "change level" && from.byte()? == 1;
            let connection = hex(from.bytes()?) == header.get("connection")?.as_str()?;
            ours && connection && from.text()? == said("level")? && from.0.is_empty()
        }
        ("rules", b"change rules") => changed(parameters, said("added")?, said("removed")?)?,
        ("scheduled", b"make schedule") => scheduled(parameters, payload)?,
        ("settings", b"change settings") => set(parameters)? == (said("set")?.to_owned(), said("unset")?.to_owned()),
        ("authority", b"end passkey") => {
            let mut from = Reader(parameters);
            let ours = from.text()? == "end passkey" && from.byte()? == 1;
            let passkey = hex(from.bytes()?) == said("credential")?;
            ours && passkey && from.0.is_empty() && said("browser")? == "passkey ended"
        }
        ("authority", b"set passphrase") => {
            let mut from = Reader(parameters);
            let ours = from.text()? == "set passphrase" && from.byte()? == 1 && from.bytes()?.len() == 16;
            let key = from.bytes()? == bytes_of(payload, "public")?;
            ours && key && from.0.is_empty() && said("passphrase")? == "set"
        }
        ("authority", b"notify") => {
            let mut from = Reader(parameters);
            let ours = from.text()? == "notify" && from.byte()? == 1;
            ours && from.text()? == said("kind")? && said("notification")? == "added"
        }
        ("authority", _) => {
            let done = match what {
                b"let browser in" => "link",
                b"sign in" => "session",
                b"confirm passkeys" => "passkeys confirmed",
                b"make recovery codes" => "recovery codes",
                _ => return None,
            };
            parameters.is_empty() && said("browser")? == done
        }
        ("exported", b"export readable log") => parameters.is_empty() && said("payloads")? == "readable",
        _ => false,
    })
}

/// Tells whether a schedule that was signed is the one an entry says was made.
fn scheduled(parameters: &[u8], payload: &Value) -> Option<bool> {
    let said = |name: &str| payload.get(name).and_then(Value::as_str);
    let mut from = Reader(parameters);
    if from.text()? != "make schedule" || from.byte()? != 1 {
        return None;
    }
    let changed = from.option(Reader::text)?;
    from.number()?;
    let (name, when) = (from.text()?, from.text()?);
    from.number()?;
    let (form, zone, words) = (from.text()?, from.text()?, from.text()?);
    let (late, overlap) = (from.text()?, from.text()?);
    let accounts = from.list(|from| Some(format!("{} {}", from.text()?, from.text()?)))?;
    from.number()?;
    from.number()?;
    from.option(Reader::number)?;
    let done = if changed.is_some() { "changed" } else { "made" };
    Some(
        from.0.is_empty()
            && said("schedule")? == done
            && changed.is_none_or(|id| said("id") == Some(id))
            && said("name")? == name
            && said("when")? == when
            && said("form")? == form
            && said("zone")? == zone
            && said("words")? == words
            && said("late")? == late
            && said("overlap")? == overlap
            && said("connections")? == accounts.join("\n"),
    )
}

/// Returns the account and the level of encoded settings, which it reads to their end.
fn connected(parameters: &[u8]) -> Option<(String, String)> {
    let mut from = Reader(parameters);
    if from.text()? != "connect" || from.byte()? != 2 {
        return None;
    }
    let account = match from.byte()? {
        1 => {
            let address = from.text()?;
            from.option(Reader::text)?;
            from.option(Reader::server)?;
            from.option(Reader::server)?;
            from.option(Reader::text)?;
            from.option(|from| from.text().and_then(|_| from.option(Reader::bytes)))?;
            address
        }
        tag @ (2 | 3 | 5 | 6) => {
            let (name, user) = (from.option(Reader::text)?, from.text()?);
            from.server()?;
            from.text()?;
            if tag > 4 {
                from.option(Reader::text)?;
                from.option(|from| from.text().and_then(|_| from.option(Reader::bytes)))?;
            }
            name.unwrap_or(user)
        }
        4 => {
            let base = from.text()?;
            from.byte()?;
            from.byte()?;
            from.text()?;
            from.text()?;
            base.trim_end_matches('/')
        }
        _ => return None,
    };
    let level = from.text()?;
    from.0.is_empty().then(|| (account.to_owned(), level.to_owned()))
}

/// Tells whether a change of rules drops all that it names, and brings none where none was wanted. What words become as
/// rules is not looked at.
fn changed(parameters: &[u8], added: &str, removed: &str) -> Option<bool> {
    let mut from = Reader(parameters);
    if from.text()? != "change rules" || from.byte()? != 1 {
        return None;
    }
    let (words, cedar) = (from.text()?, from.text()?);
    let names = from.list(Reader::text)?;
    let profile = from.option(Reader::text)?;
    from.option(|from| from.list(Reader::text))?;
    let groups = from.list(|from| Some((from.text()?, from.list(Reader::text)?)))?;
    from.option(Reader::text)?;
    let gone =
        names.iter().all(|name| removed.lines().any(|line| line.split_once(": ").is_some_and(|(id, _)| id == *name)));
    let wanted = !words.is_empty() || !cedar.is_empty() || profile.is_some() || !groups.is_empty();
    Some(from.0.is_empty() && gone && (wanted || added.is_empty()))
}

/// Returns what a change of settings sets and unsets, a line for each name.
fn set(parameters: &[u8]) -> Option<(String, String)> {
    let mut from = Reader(parameters);
    if from.text()? != "change settings" || from.byte()? != 1 {
        return None;
    }
    let set = from.list(|from| Some(format!("{} = {}", from.text()?, from.text()?)))?;
    let unset = from.list(Reader::text)?;
    from.0.is_empty().then(|| (set.join("\n"), unset.join("\n")))
}

/// Returns bytes of a payload, which it holds in base64.
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

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        // Each item takes bytes, so what is too many ends with them.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(read(self)?);
        }
        Some(items)
    }

    fn server(&mut self) -> Option<()> {
        self.text()?;
        self.number()?;
        self.byte().map(|_| ())
    }

    fn last_bytes(mut self) -> Option<&'a [u8]> {
        let bytes = self.bytes()?;
        self.0.is_empty().then_some(bytes)
    }
}
