//! Answers of passkeys (WebAuthn Level 3, section 7.2), by what a log holds of them. Written beside `bailey-keys::passkey`, over other
//! libraries: two have to be wrong before a false answer counts with both.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ed25519_dalek::Signature;
use num_bigint::BigUint;
use p256::ecdsa::signature::Verifier as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Bits of the flags of authenticator data (WebAuthn Level 3, section 6.1): present, verified, may be backed up, is backed up.
const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const MAY_BE_BACKED_UP: u8 = 1 << 3;
const IS_BACKED_UP: u8 = 1 << 4;

/// What stands before the numbers of a COSE key of each algorithm, in the canonical order of CTAP2 (RFC 9053, section 7; RFC 8230, section
/// 4): the map, `kty`, `alg`, the curve where there is one, and the head of the first number.
const COSE_ES256: &[u8] = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20";
const COSE_ES256_Y: &[u8] = b"\x22\x58\x20";
const COSE_EDDSA: &[u8] = b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20";
const COSE_RS256: &[u8] = b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00";
const COSE_RS256_E: &[u8] = b"\x21\x43";

/// The ASN.1 head of a SHA-256 in an RSA signature (RFC 8017, section 9.2, note 1).
const DIGEST_INFO_SHA256: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
/// Bytes of the modulus of an RSA key that is taken.
const RSA_BYTES: usize = 256;

/// A passkey, as an entry introduced it.
#[derive(Debug)]
pub(crate) struct Passkey {
    /// The host of the page it was made on.
    rp: String,
    /// The authenticator's own name for it, where the entry says it.
    credential_id: Option<Vec<u8>>,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Es256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Rs256 { n: BigUint, e: BigUint },
}

/// An answer of a passkey, as an entry holds it.
pub(crate) struct Answer<'a> {
    pub(crate) credential_id: &'a [u8],
    pub(crate) authenticator_data: &'a [u8],
    pub(crate) client_data: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// What a browser says of the page that asked (WebAuthn Level 3, section 5.8.1).
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<String>,
}

impl Passkey {
    /// Reads a COSE key in one of the forms that homes ask for.
    pub(crate) fn read(public: &[u8], rp: &str, credential_id: Option<Vec<u8>>) -> Option<Self> {
        let key = if let Some(rest) = public.strip_prefix(COSE_ES256) {
            let (x, rest) = rest.split_at_checked(32)?;
            let y = rest.strip_prefix(COSE_ES256_Y)?;
            let point = [&[4], x, y].concat();
            Key::Es256(p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?)
        } else if let Some(key) = public.strip_prefix(COSE_EDDSA) {
            Key::Ed25519(ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()?)
        } else {
            let (n, rest) = public.strip_prefix(COSE_RS256)?.split_at_checked(RSA_BYTES)?;
            let e: &[u8; 3] = rest.strip_prefix(COSE_RS256_E)?.try_into().ok()?;
            Key::Rs256 { n: BigUint::from_bytes_be(n), e: BigUint::from_bytes_be(e) }
        };
        Some(Self { rp: rp.to_owned(), credential_id, key })
    }

    /// Checks that this passkey answered the challenge of these bytes, on an unembedded page of its host, with the person present and
    /// verified.
    pub(crate) fn check(&self, signed: &[u8], answer: &Answer<'_>) -> Result<(), &'static str> {
        if self.credential_id.as_deref().is_some_and(|id| id != answer.credential_id) {
            return Err("has an approval by a passkey of another name");
        }
        let client: ClientData = serde_json::from_slice(answer.client_data)
            .map_err(|_| "has an approval by a passkey whose client data cannot be read")?;
        if client.ceremony != "webauthn.get" || client.challenge != BASE64URL.encode(Sha256::digest(signed)) {
            return Err("has an approval by a passkey that was given for something else");
        }
        if client.cross_origin || client.top_origin.is_some() || host_of(&client.origin) != Some(&self.rp) {
            return Err("has an approval by a passkey that another page asked for");
        }
        self.check_authenticator(answer.authenticator_data)?;
        let message = [answer.authenticator_data, &Sha256::digest(answer.client_data)].concat();
        if self.key.made(&message, answer.signature) { Ok(()) } else { Err("has an approval whose signature is wrong") }
    }

    fn check_authenticator(&self, data: &[u8]) -> Result<(), &'static str> {
        let read = || {
            let (host, rest) = data.split_at_checked(32)?;
            // Four bytes of the count follow, and whatever extensions say.
            rest.get(4).map(|_| (host, rest.first().copied().unwrap_or_default()))
        };
        let (host, flags) = read().ok_or("has an approval by a passkey that is cut short")?;
        if host != Sha256::digest(&self.rp).as_slice() {
            return Err("has an approval by a passkey for another host");
        }
        let is_backed_up_as_it_may_be = flags & IS_BACKED_UP == 0 || flags & MAY_BE_BACKED_UP != 0;
        if flags & (PRESENT | VERIFIED) != PRESENT | VERIFIED || !is_backed_up_as_it_may_be {
            return Err("has an approval by a passkey without the person present and verified");
        }
        Ok(())
    }
}

impl Key {
    /// Tells whether this key made the signature over the message.
    fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Ed25519(key) => {
                Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
            Self::Rs256 { n, e } => {
                // RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2.2). All of it is public, so how long it takes tells nothing.
                let number = BigUint::from_bytes_be(signature);
                signature.len() == RSA_BYTES && number < *n && number.modpow(e, n) == padded(message)
            }
        }
    }
}

/// Returns what an RSA key signs of a message (EMSA-PKCS1-v1_5: RFC 8017, section 9.2).
fn padded(message: &[u8]) -> BigUint {
    let hash = Sha256::digest(message);
    let padding = vec![0xff; RSA_BYTES - 3 - DIGEST_INFO_SHA256.len() - hash.len()];
    BigUint::from_bytes_be(&[&[0, 1], padding.as_slice(), &[0], &DIGEST_INFO_SHA256, &hash].concat())
}

/// Returns the host of an origin: it has a scheme, and may have a port (RFC 6454, section 6.2).
fn host_of(origin: &str) -> Option<&str> {
    let (_, authority) = origin.split_once("://")?;
    Some(authority.split_once(':').map_or(authority, |(host, _)| host))
}
