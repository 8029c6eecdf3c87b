//! Sealing: AES-256-GCM-SIV (RFC 8452), because restored snapshots can repeat nonces and this mode survives that.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::KeyError;
use crate::secret::{Key, random};

/// What a sealed value is: bound to it as associated data, so that no value passes for another.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Whose it is.
    pub home: &'a [u8; 16],
    /// Names what it belongs to (a connection, a key number).
    pub owner: &'a [u8],
    /// Names the field of it.
    pub field: &'static str,
    /// The version of the value.
    pub version: u64,
}

impl Context<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        for part in
            [b"bailey seal 1".as_slice(), self.home, self.owner, self.field.as_bytes(), &self.version.to_be_bytes()]
        {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(part);
        }
        out
    }
}

fn cipher(key: &Key) -> Result<LessSafeKey, KeyError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key.expose())?))
}

/// Seals `plain`; the result is the nonce, the ciphertext and its tag.
pub fn seal(key: &Key, context: &Context<'_>, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
    let nonce: [u8; NONCE_LEN] = random()?;
    let mut body = plain.to_vec();
    let aad = Aad::from(context.bytes());
    cipher(key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body)?;
    let mut out = nonce.to_vec();
    out.append(&mut body);
    Ok(out)
}

/// Opens what [`seal`] made with the same key and context; anything else is [`KeyError::Wrong`].
pub fn open(key: &Key, context: &Context<'_>, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(KeyError::Wrong)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::Wrong)?;
    let mut body = body.to_vec();
    let plain =
        cipher(key)?.open_in_place(nonce, Aad::from(context.bytes()), &mut body).map_err(|_| KeyError::Wrong)?;
    Ok(plain.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_the_same_key_and_context() {
        let key = Key::random().unwrap();
        let context = Context { home: &[1; 16], owner: b"c", field: "token", version: 1 };
        let sealed = seal(&key, &context, b"secret").unwrap();
        assert_eq!(open(&key, &context, &sealed).unwrap(), b"secret");
        let others = [
            Context { home: &[2; 16], ..context },
            Context { owner: b"d", ..context },
            Context { field: "refresh", ..context },
            Context { version: 2, ..context },
        ];
        for other in others {
            assert!(matches!(open(&key, &other, &sealed), Err(KeyError::Wrong)), "{other:?}");
        }
        assert!(matches!(open(&Key::random().unwrap(), &context, &sealed), Err(KeyError::Wrong)));
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(matches!(open(&key, &context, &flipped), Err(KeyError::Wrong)), "byte {at}");
        }
        assert!(open(&key, &context, b"").is_err());
    }
}
