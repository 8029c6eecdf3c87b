//! Messages that wake a browser of the person's: sealed for that browser (RFC 8291, `aes128gcm` of RFC 8188), and shown to come from this
//! home (VAPID, RFC 8292).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::{KeyError, random};

/// Bytes of a public key as a browser gives it: uncompressed, of the curve P-256 (RFC 8291, section 3.1).
pub const PUBLIC_BYTES: usize = 65;
/// Bytes of the secret that a browser shares (RFC 8291, section 3.2).
pub const AUTH_BYTES: usize = 16;
/// Bytes of the record that holds a whole message (RFC 8291, section 4), as it is announced.
const RECORD_BYTES: u32 = 4_096;
/// Longest message that is sealed, in bytes: what no push service refuses (RFC 8030, section 7.2), less header, mark and tag.
pub const MAX_WORDS: usize = 3_000;
/// The mark that ends the last record (RFC 8188, section 2).
const LAST_RECORD: u8 = 2;

/// Why a message was not sealed or signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The key is none of the curve.
    #[error("the browser's key is not one that messages can be sealed for")]
    Key,
    /// The message is longer than [`MAX_WORDS`].
    #[error("the message is too long")]
    TooLong,
    /// The cryptographic library or the system's randomness failed.
    #[error("the message could not be sealed")]
    Failed,
}

impl From<KeyError> for PushError {
    fn from(_: KeyError) -> Self {
        Self::Failed
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Result<[u8; N], PushError> {
    let mut out = [0; N];
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(info, Length(N)).and_then(|made| made.fill(&mut out)).map_err(|_| PushError::Failed)?;
    Ok(out)
}

/// Tells whether messages can be sealed for a browser's key.
#[must_use]
pub fn is_key(public: &[u8]) -> bool {
    let ours = PrivateKey::generate(&ECDH_P256);
    public.len() == PUBLIC_BYTES
        && ours.is_ok_and(|ours| {
            agreement::agree(&ours, UnparsedPublicKey::new(&ECDH_P256, public), (), |_| Ok(())).is_ok()
        })
}

/// Seals a message for one browser: the body of a request to its push service.
///
/// # Errors
///
/// [`PushError`], where the browser's key is none, or the message is too long.
pub fn seal(public: &[u8], auth: &[u8; AUTH_BYTES], words: &[u8]) -> Result<Vec<u8>, PushError> {
    let ours = PrivateKey::generate(&ECDH_P256).map_err(|_| PushError::Failed)?;
    seal_with(public, auth, &ours, random()?, words)
}

fn seal_with(
    public: &[u8],
    auth: &[u8; AUTH_BYTES],
    ours: &PrivateKey,
    salt: [u8; 16],
    words: &[u8],
) -> Result<Vec<u8>, PushError> {
    if words.len() > MAX_WORDS {
        return Err(PushError::TooLong);
    }
    let own = ours.compute_public_key().map_err(|_| PushError::Failed)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, public);
    let secret: [u8; 32] = agreement::agree(ours, theirs, PushError::Key, |shared| {
        derive(auth, shared, &[b"WebPush: info\0", public, own.as_ref()])
    })?;
    let key: [u8; 16] = derive(&salt, &secret, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = derive(&salt, &secret, &[b"Content-Encoding: nonce\0"])?;
    let mut text = words.to_vec();
    text.push(LAST_RECORD);
    let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| PushError::Failed)?;
    // The key is of this message alone, so its nonce is used once.
    LessSafeKey::new(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text)
        .map_err(|_| PushError::Failed)?;
    let length = u8::try_from(own.as_ref().len()).map_err(|_| PushError::Failed)?;
    Ok([salt.as_slice(), &RECORD_BYTES.to_be_bytes(), &[length], own.as_ref(), &text].concat())
}

/// The key by which push services know this home.
pub struct Sender(EcdsaKeyPair);

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender(…)")
    }
}

impl Sender {
    /// Makes a key, as it is kept: PKCS #8 (RFC 5208).
    ///
    /// # Errors
    ///
    /// [`PushError::Failed`], where the system has no randomness.
    pub fn generate() -> Result<Vec<u8>, PushError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Ok(made.map_err(|_| PushError::Failed)?.as_ref().to_vec())
    }

    /// Reads a key as it is kept.
    ///
    /// # Errors
    ///
    /// [`PushError::Failed`], where it is none.
    pub fn read(kept: &[u8]) -> Result<Self, PushError> {
        let read = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, kept);
        read.map(Self).map_err(|_| PushError::Failed)
    }

    /// Returns the public key, as a browser subscribes with it (`applicationServerKey`): base64 of URLs.
    #[must_use]
    pub fn public(&self) -> String {
        BASE64.encode(self.0.public_key().as_ref())
    }

    /// Returns the `Authorization` of a request to a push service: its origin, whom it may ask about us (`mailto:` or `https:`), and
    /// until when it counts, in seconds since 1970; at most a day from now (RFC 8292, section 2).
    ///
    /// # Errors
    ///
    /// [`PushError::Failed`], where it cannot be signed.
    pub fn authorization(&self, audience: &str, contact: &str, until: i64) -> Result<String, PushError> {
        let part = |json: serde_json::Value| BASE64.encode(json.to_string());
        let head = serde_json::json!({"typ": "JWT", "alg": "ES256"});
        let claims = serde_json::json!({"aud": audience, "exp": until, "sub": contact});
        let text = format!("{}.{}", part(head), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).map_err(|_| PushError::Failed)?;
        Ok(format!("vapid t={text}.{}, k={}", BASE64.encode(signature.as_ref()), self.public()))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as Verifier};

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64.decode(text).unwrap()
    }

    #[test]
    fn a_message_is_sealed_as_in_appendix_a_of_rfc_8291() {
        let public = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let ours =
            PrivateKey::from_private_key(&ECDH_P256, &bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let sealed = seal_with(&public, &auth, &ours, salt, b"When I grow up, I want to be a watermelon").unwrap();
        let wanted = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(BASE64.encode(sealed), wanted);
    }

    #[test]
    fn a_key_that_is_none_and_a_message_too_long_are_refused() {
        assert_eq!(seal(&[4; PUBLIC_BYTES], &[0; AUTH_BYTES], b"x"), Err(PushError::Key));
        assert_eq!(seal(b"", &[0; AUTH_BYTES], b"x"), Err(PushError::Key));
        assert!(!is_key(&[4; PUBLIC_BYTES]) && !is_key(b""));
        let real = PrivateKey::generate(&ECDH_P256).unwrap().compute_public_key().unwrap();
        assert!(is_key(real.as_ref()));
        assert_eq!(seal(real.as_ref(), &[0; AUTH_BYTES], &[0; MAX_WORDS + 1]), Err(PushError::TooLong));
    }

    #[test]
    fn a_senders_word_verifies_by_the_key_it_names() {
        let sender = Sender::read(&Sender::generate().unwrap()).unwrap();
        let said = sender.authorization("https://push.example", "https://bailey.example", 1_800_000_000).unwrap();
        let (token, key) = said.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (text, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(key, sender.public());
        let verifier = Verifier::new(&ECDSA_P256_SHA256_FIXED, bytes(key));
        verifier.verify(text.as_bytes(), &bytes(signature)).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&bytes(text.split_once('.').unwrap().1)).unwrap();
        assert_eq!(claims["aud"], "https://push.example");
        assert!(Sender::read(b"no key").is_err());
    }
}
