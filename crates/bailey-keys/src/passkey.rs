//! Passkeys: what a browser says of one, checked (WebAuthn Level 3, sections 7.1 and 7.2).
//!
//! Nothing here reads CBOR: browsers give the authenticator data of a new passkey by itself (`getAuthenticatorData()`, section
//! 5.2.1), and the COSE key of each algorithm that is asked for is a fixed prefix and its numbers. A key in another form is
//! refused. Attestation is not looked at, for it is not asked for.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;

/// Longest name that an authenticator may give a credential, in bytes (WebAuthn Level 3, section 4, "Credential ID").
pub const MAX_ID_BYTES: usize = 1_023;

/// The algorithms that are asked for, most wanted first: ES256, Ed25519, RS256 (IANA COSE algorithms).
pub const ALGORITHMS: [i32; 3] = [-7, -8, -257];

/// Flags of authenticator data (WebAuthn Level 3, section 6.1).
const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const HAS_KEY: u8 = 0x40;

/// Prefixes of the numbers in a COSE key (RFC 9052, section 7; RFC 9053, section 7; RFC 8230, section 4), in the canonical
/// order of CTAP2.
const ES256: &[u8] = &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20];
const ES256_Y: &[u8] = &[0x22, 0x58, 0x20];
const EDDSA: &[u8] = &[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20];
const RS256: &[u8] = &[0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x59, 1, 0];
const RS256_E: &[u8] = &[0x21, 0x43];

/// A passkey, as the home keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// The authenticator's own name for it (`rawId`).
    pub id: Vec<u8>,
    /// Its public key: COSE, in one of the forms that [`register`] takes.
    pub public: Vec<u8>,
    /// The relying party: the host of the page it was made on.
    pub rp: String,
    /// How often it signed, where its authenticator counts; else 0.
    pub count: u32,
    /// Tells whether it may be copied to other devices of the person.
    pub synced: bool,
}

/// Why an answer of a passkey does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The client data are no JSON of the described form.
    #[error("the browser's answer cannot be read")]
    Json,
    /// It is the answer to another ceremony.
    #[error("the browser answered another question")]
    Type,
    /// It answers another challenge.
    #[error("the answer is to another challenge; it was given before, or for something else")]
    Challenge,
    /// Another page asked for it.
    #[error("another page asked for it")]
    Origin,
    /// The page was embedded in another.
    #[error("the page that asked was embedded in another")]
    Embedded,
    /// The authenticator data end early.
    #[error("the authenticator's answer is too short")]
    Short,
    /// It is of a passkey for another host.
    #[error("the passkey is for another host")]
    Rp,
    /// Nobody touched it.
    #[error("nobody was present at the authenticator")]
    NotPresent,
    /// Whoever touched it did not show who they are.
    #[error("the authenticator did not make sure who you are; unlock it by fingerprint, face or PIN")]
    NotVerified,
    /// The flags of its backup contradict each other.
    #[error("the authenticator contradicts itself")]
    Backup,
    /// It holds no key, or one in a form that is not taken.
    #[error("the passkey's key is of a kind that was not asked for")]
    NoKey,
    /// Two names are told for it, or one that is too long.
    #[error("the passkey's name is not the one that was told")]
    Id,
    /// The signature is not its own.
    #[error("the signature is not the passkey's")]
    Signature,
    /// It counts back: there may be a copy of it.
    #[error("the passkey counts back, so there may be a copy of it; end it, and make another")]
    Counter,
}

/// The fields of `clientDataJSON` that are looked at (WebAuthn Level 3, section 5.8.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

fn check_client(bytes: &[u8], kind: &str, challenge: &[u8], origins: &[&str]) -> Result<(), Wrong> {
    let said: ClientData = serde_json::from_slice(bytes).map_err(|_| Wrong::Json)?;
    if said.r#type != kind {
        return Err(Wrong::Type);
    }
    if said.challenge != BASE64.encode(challenge) {
        return Err(Wrong::Challenge);
    }
    if !origins.contains(&said.origin.as_str()) {
        return Err(Wrong::Origin);
    }
    if said.cross_origin || said.top_origin.is_some() {
        return Err(Wrong::Embedded);
    }
    Ok(())
}

/// Authenticator data before the key (WebAuthn Level 3, section 6.1).
struct AuthenticatorData<'a> {
    flags: u8,
    count: u32,
    rest: &'a [u8],
}

fn read_authenticator<'a>(bytes: &'a [u8], rp: &str) -> Result<AuthenticatorData<'a>, Wrong> {
    let (rp_hash, rest) = bytes.split_at_checked(32).ok_or(Wrong::Short)?;
    let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or(Wrong::Short)?;
    let (count, rest) = rest.split_first_chunk::<4>().ok_or(Wrong::Short)?;
    if rp_hash != digest(&SHA256, rp.as_bytes()).as_ref() {
        return Err(Wrong::Rp);
    }
    if flags & USER_PRESENT == 0 {
        return Err(Wrong::NotPresent);
    }
    if flags & USER_VERIFIED == 0 {
        return Err(Wrong::NotVerified);
    }
    if flags & (BACKUP_ELIGIBLE | BACKED_UP) == BACKED_UP {
        return Err(Wrong::Backup);
    }
    Ok(AuthenticatorData { flags, count: u32::from_be_bytes(*count), rest })
}

/// A public key, as its COSE form says.
enum PublicKey<'a> {
    /// An uncompressed point of P-256 (SEC 1, section 2.3.3).
    Es256([u8; 65]),
    /// RFC 8032.
    Ed25519(&'a [u8]),
    /// Modulus and exponent (RFC 8017).
    Rs256 { n: &'a [u8], e: &'a [u8] },
}

/// Reads a COSE key; gives what follows it as well.
fn read_key(bytes: &[u8]) -> Option<(PublicKey<'_>, &[u8])> {
    if let Some(rest) = bytes.strip_prefix(ES256) {
        let (x, rest) = rest.split_at_checked(32)?;
        let (y, rest) = rest.strip_prefix(ES256_Y)?.split_at_checked(32)?;
        let mut point = [4; 65];
        let numbers = x.iter().chain(y);
        point.iter_mut().skip(1).zip(numbers).for_each(|(to, from)| *to = *from);
        return Some((PublicKey::Es256(point), rest));
    }
    if let Some(rest) = bytes.strip_prefix(EDDSA) {
        let (key, rest) = rest.split_at_checked(32)?;
        return Some((PublicKey::Ed25519(key), rest));
    }
    let (n, rest) = bytes.strip_prefix(RS256)?.split_at_checked(256)?;
    let (e, rest) = rest.strip_prefix(RS256_E)?.split_at_checked(3)?;
    Some((PublicKey::Rs256 { n, e }, rest))
}

/// Returns the new passkey that a browser tells of.
///
/// `id` is `rawId`, `client` is `clientDataJSON`, `authenticator` what `getAuthenticatorData()` gives; `challenge` are the bytes that
/// were asked with, `rp` the host of the page, and `origins` the pages that may have asked.
///
/// # Errors
///
/// Whatever of WebAuthn Level 3, section 7.1, does not hold.
pub fn register(
    id: &[u8],
    client: &[u8],
    authenticator: &[u8],
    challenge: &[u8],
    rp: &str,
    origins: &[&str],
) -> Result<Passkey, Wrong> {
    check_client(client, "webauthn.create", challenge, origins)?;
    let said = read_authenticator(authenticator, rp)?;
    if said.flags & HAS_KEY == 0 {
        return Err(Wrong::NoKey);
    }
    let (_aaguid, rest) = said.rest.split_at_checked(16).ok_or(Wrong::Short)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(Wrong::Short)?;
    let (given, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(Wrong::Short)?;
    if given != id || id.is_empty() || id.len() > MAX_ID_BYTES {
        return Err(Wrong::Id);
    }
    let (_, after) = read_key(rest).ok_or(Wrong::NoKey)?;
    let public = rest.strip_suffix(after).unwrap_or(rest).to_vec();
    let synced = said.flags & BACKUP_ELIGIBLE != 0;
    Ok(Passkey { id: id.to_vec(), public, rp: rp.into(), count: said.count, synced })
}

/// Checks that a passkey answered exactly this challenge, with the person present and verified; gives its new count.
///
/// # Errors
///
/// Whatever of WebAuthn Level 3, section 7.2, does not hold.
pub fn verify(
    passkey: &Passkey,
    client: &[u8],
    authenticator: &[u8],
    signature: &[u8],
    challenge: &[u8],
    origins: &[&str],
) -> Result<u32, Wrong> {
    check_client(client, "webauthn.get", challenge, origins)?;
    let said = read_authenticator(authenticator, &passkey.rp)?;
    let message = [authenticator, digest(&SHA256, client).as_ref()].concat();
    let (key, _) = read_key(&passkey.public).ok_or(Wrong::NoKey)?;
    let good = match key {
        PublicKey::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&message, signature),
        PublicKey::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(&message, signature),
        PublicKey::Rs256 { n, e } => {
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, &message, signature)
        }
    };
    good.map_err(|_| Wrong::Signature)?;
    // A key that was copied off its stick shows itself by counting back. Synced ones always say 0.
    if (said.count != 0 || passkey.count != 0) && said.count <= passkey.count {
        return Err(Wrong::Counter);
    }
    Ok(said.count)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    };

    use super::*;

    const ORIGIN: &str = "http://bailey.localhost:7447";
    const RP: &str = "bailey.localhost";
    const BOTH: u8 = USER_PRESENT | USER_VERIFIED;
    const ALL_FLAGS: u8 = BOTH | HAS_KEY;

    type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

    /// An authenticator of the tests: a double of a device, which holds one key.
    struct Device {
        public: Vec<u8>,
        sign: Sign,
    }

    impl Device {
        fn all() -> [Self; 3] {
            [Self::es256(), Self::ed25519(), Self::rs256()]
        }

        fn es256() -> Self {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
            let point = key.public_key().as_ref().to_vec();
            let public = [ES256, &point[1..33], ES256_Y, &point[33..]].concat();
            let sign: Sign =
                Box::new(move |message| key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec());
            Self { public, sign }
        }

        fn ed25519() -> Self {
            let key = Ed25519KeyPair::generate().unwrap();
            let public = [EDDSA, key.public_key().as_ref()].concat();
            Self { public, sign: Box::new(move |message| key.sign(message).as_ref().to_vec()) }
        }

        fn rs256() -> Self {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            // A SubjectPublicKeyInfo (RFC 8017, A.1.1) ends with the modulus, and the exponent behind its tag and length.
            let der = key.public_key().as_ref().to_vec();
            let e_at = der.len() - 3;
            let public = [RS256, &der[e_at - 2 - 256..e_at - 2], RS256_E, &der[e_at..]].concat();
            let sign: Sign = Box::new(move |message| {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            });
            Self { public, sign }
        }

        fn registered(&self) -> Passkey {
            let data = [data(RP, ALL_FLAGS, 0), key_part(b"name", &self.public)].concat();
            let client = client("webauthn.create", b"challenge", ORIGIN);
            register(b"name", &client, &data, b"challenge", RP, &[ORIGIN]).unwrap()
        }

        fn answer(&self, client: &[u8], data: &[u8]) -> Vec<u8> {
            (self.sign)(&[data, digest(&SHA256, client).as_ref()].concat())
        }
    }

    fn client(kind: &str, challenge: &[u8], origin: &str) -> Vec<u8> {
        let challenge = BASE64.encode(challenge);
        let said = serde_json::json!({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false});
        said.to_string().into()
    }

    fn data(rp: &str, flags: u8, count: u32) -> Vec<u8> {
        [digest(&SHA256, rp.as_bytes()).as_ref(), &[flags], &count.to_be_bytes()].concat()
    }

    fn key_part(id: &[u8], public: &[u8]) -> Vec<u8> {
        let length = u16::try_from(id.len()).unwrap().to_be_bytes();
        [&[0; 16], length.as_slice(), id, public].concat()
    }

    #[test]
    fn an_answer_of_each_algorithm_counts_for_its_own_challenge_alone() {
        for device in Device::all() {
            let passkey = device.registered();
            let (client, data) = (client("webauthn.get", b"this", ORIGIN), data(RP, BOTH, 0));
            let signature = device.answer(&client, &data);
            let check = |challenge: &[u8]| verify(&passkey, &client, &data, &signature, challenge, &[ORIGIN]);
            assert_eq!(check(b"this"), Ok(0));
            assert_eq!(check(b"that"), Err(Wrong::Challenge));
            let mut flipped = signature.clone();
            *flipped.last_mut().unwrap() ^= 1;
            assert_eq!(verify(&passkey, &client, &data, &flipped, b"this", &[ORIGIN]), Err(Wrong::Signature));
            let other = Device::es256().registered();
            assert_eq!(verify(&other, &client, &data, &signature, b"this", &[ORIGIN]), Err(Wrong::Signature));
        }
    }

    /// Returns a vector of the page.
    fn vector(name: &str) -> Vec<u8> {
        let page = include_str!("../../../docs/approval-format.md");
        let (_, rest) = page.split_once(&format!("`{name}`\n\n```\n")).unwrap();
        let digits: String = rest.split("```").next().unwrap().split_whitespace().collect();
        (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_answers_of_the_page_count_for_the_message_that_approves() {
        let challenge = digest(&SHA256, &vector("approve"));
        for name in ["ES256", "Ed25519", "RS256"] {
            let public = vector(&format!("{name} key"));
            assert!(read_key(&public).is_some_and(|(_, rest)| rest.is_empty()), "{name}");
            let assertion = vector(&format!("{name} assertion"));
            let (mut rest, mut parts) = (&assertion[2..], Vec::new());
            while let Some((length, more)) = rest.split_first_chunk() {
                let (part, more) = more.split_at(usize::try_from(u64::from_be_bytes(*length)).unwrap());
                parts.push(part);
                rest = more;
            }
            let passkey = Passkey { id: parts[0].to_vec(), public, rp: RP.into(), count: 0, synced: false };
            let checked = verify(&passkey, parts[2], parts[1], parts[3], challenge.as_ref(), &[ORIGIN]);
            assert_eq!(checked, Ok(0), "{name}");
        }
    }

    #[test]
    fn an_answer_that_is_not_of_this_page_or_person_does_not_count() {
        let device = Device::es256();
        let passkey = Passkey { count: 5, ..device.registered() };
        let with = |client: &[u8], data: &[u8]| {
            verify(&passkey, client, data, &device.answer(client, data), b"this", &[ORIGIN])
        };
        let good = client("webauthn.get", b"this", ORIGIN);
        assert_eq!(with(&good, &data(RP, BOTH, 6)), Ok(6));
        for (client, data, wrong) in [
            (client("webauthn.create", b"this", ORIGIN), data(RP, BOTH, 6), Wrong::Type),
            (client("webauthn.get", b"this", "https://evil.example"), data(RP, BOTH, 6), Wrong::Origin),
            (b"[]".to_vec(), data(RP, BOTH, 6), Wrong::Json),
            (good.clone(), data("evil.example", BOTH, 6), Wrong::Rp),
            (good.clone(), data(RP, USER_VERIFIED, 6), Wrong::NotPresent),
            (good.clone(), data(RP, USER_PRESENT, 6), Wrong::NotVerified),
            (good.clone(), data(RP, BOTH | BACKED_UP, 6), Wrong::Backup),
            (good.clone(), data(RP, BOTH, 5), Wrong::Counter),
            (good.clone(), data(RP, BOTH, 0), Wrong::Counter),
            (good.clone(), vec![0; 36], Wrong::Short),
        ] {
            assert_eq!(with(&client, &data), Err(wrong));
        }
        for embedded in ["\"crossOrigin\":true", "\"crossOrigin\":false,\"topOrigin\":\"https://evil.example\""] {
            let text = String::from_utf8(good.clone()).unwrap().replace("\"crossOrigin\":false", embedded);
            assert_eq!(with(text.as_bytes(), &data(RP, BOTH, 6)), Err(Wrong::Embedded));
        }
    }

    #[test]
    fn a_new_passkey_is_taken_in_the_forms_that_were_asked_for_and_in_no_other() {
        let device = Device::es256();
        let good = client("webauthn.create", b"challenge", ORIGIN);
        let taken =
            |id: &[u8], data: &[u8]| register(id, &good, data, b"challenge", RP, &[ORIGIN]).map(|made| made.public);
        let with_key = |flags, id: &[u8], public: &[u8]| [data(RP, flags, 0), key_part(id, public)].concat();
        // Extensions may follow the key.
        let extended = [with_key(ALL_FLAGS | 0x80, b"name", &device.public), vec![0xa0]].concat();
        assert_eq!(taken(b"name", &extended), Ok(device.public.clone()));
        assert_eq!(taken(b"other", &extended), Err(Wrong::Id));
        assert_eq!(taken(b"", &with_key(ALL_FLAGS, b"", &device.public)), Err(Wrong::Id));
        let long = vec![7; MAX_ID_BYTES + 1];
        assert_eq!(taken(&long, &with_key(ALL_FLAGS, &long, &device.public)), Err(Wrong::Id));
        assert_eq!(taken(b"name", &with_key(BOTH, b"name", &device.public)), Err(Wrong::NoKey));
        let unverified = ALL_FLAGS & !USER_VERIFIED;
        assert_eq!(taken(b"name", &with_key(unverified, b"name", &device.public)), Err(Wrong::NotVerified));
        let mut p384 = device.public.clone();
        p384[6] = 2;
        assert_eq!(taken(b"name", &with_key(ALL_FLAGS, b"name", &p384)), Err(Wrong::NoKey));
        for length in 0..extended.len() - 1 {
            assert!(taken(b"name", &extended[..length]).is_err(), "{length} bytes");
        }
    }
}
