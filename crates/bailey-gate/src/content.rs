//! What an approval binds: one action, on one account, at one grant, with its exact bytes.

use sha2::{Digest as _, Sha256};

use crate::codec::{CODEC_VERSION, CodecError, Decoder, Encoder};
use crate::family::Action;
use crate::ids::{ActionId, ConnectionId, Digest, HomeId};
use crate::verdict::Class;

const DIGEST_DOMAIN: &[u8] = b"bailey action digest\0";
const ARTEFACT_DOMAIN: &[u8] = b"bailey artefact\0";

/// A prepared action: everything that decides what its effect will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The home it belongs to.
    pub home: HomeId,
    /// Its identity; a second action with equal words is another action.
    pub id: ActionId,
    /// The account it acts on, where it acts on one, and the generation of its grant when it was prepared.
    pub account: Option<(ConnectionId, u64)>,
    /// What must still hold at the target (an ETag, a UIDVALIDITY and UID); empty where nothing need hold.
    pub precondition: Vec<u8>,
    /// What is to be done.
    pub action: Action,
}

impl Content {
    /// The one encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.byte(CODEC_VERSION);
        self.encode_binding(&mut out);
        out.bytes(&self.precondition);
        self.action.encode(&mut out);
        out.finish()
    }

    fn encode_binding(&self, out: &mut Encoder) {
        out.bytes(self.home.as_bytes()).bytes(self.id.as_bytes());
        out.option(self.account.as_ref(), |out, (connection, generation)| {
            out.bytes(connection.as_bytes()).number(*generation);
        });
    }

    /// Reads an encoding; refuses any that this version would write differently.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut from = Decoder::new(bytes);
        match from.byte()? {
            CODEC_VERSION => {}
            version => return Err(CodecError::UnknownVersion(version)),
        }
        let content = Self {
            home: HomeId::from_bytes(id_bytes(&mut from)?),
            id: ActionId::from_bytes(id_bytes(&mut from)?),
            account: from.option(|from| Ok((ConnectionId::from_bytes(id_bytes(from)?), from.number()?)))?,
            precondition: from.bytes()?.to_vec(),
            action: Action::decode(&mut from)?,
        };
        from.finish()?;
        // INVARIANT: one meaning, one encoding.
        if content.encode() != bytes {
            return Err(CodecError::Malformed("not in canonical form"));
        }
        Ok(content)
    }

    /// How far the effect can be taken back.
    #[must_use]
    pub fn class(&self) -> Class {
        self.action.class()
    }

    /// SHA-256 over domain, codec version, home, action, account, grant generation, class, artefact and precondition.
    ///
    /// The artefact part covers both the typed fields and the bytes rendered from them, so a release that renders
    /// differently asks again instead of sending what nobody saw.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut fields = Encoder::default();
        self.action.encode(&mut fields);
        let mut artefact = Encoder::default();
        artefact.bytes(&fields.finish()).bytes(&self.action.artefact());
        let artefact_hash = Sha256::new().chain_update(ARTEFACT_DOMAIN).chain_update(artefact.finish()).finalize();

        let mut out = Encoder::default();
        out.byte(CODEC_VERSION);
        self.encode_binding(&mut out);
        out.text(self.class().name()).bytes(&artefact_hash).bytes(&self.precondition);
        let digest = Sha256::new().chain_update(DIGEST_DOMAIN).chain_update(out.finish()).finalize();
        Digest::from_bytes(digest.into())
    }
}

fn id_bytes(from: &mut Decoder<'_>) -> Result<[u8; 16], CodecError> {
    from.bytes()?.try_into().map_err(|_| CodecError::Malformed("an identifier"))
}
