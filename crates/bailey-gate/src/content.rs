//! Binds what an approval is for: one action, on one account, at one grant, with its exact bytes.

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
    /// Names what must still hold at the target (an ETag, a UIDVALIDITY and UID); empty where nothing need hold.
    pub precondition: Vec<u8>,
    /// Says what is to be done.
    pub action: Action,
}

impl Content {
    /// Writes the one encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.binding(), &fields_of(&self.action))
    }

    fn binding(&self) -> Binding<'_> {
        Binding { home: self.home, id: self.id, account: self.account, precondition: &self.precondition }
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

    /// Tells how far the effect can be taken back.
    #[must_use]
    pub fn class(&self) -> Class {
        self.action.class()
    }

    /// Computes the digest; see `EncodedAction::digest`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        EncodedAction::of(&self.action).digest(&self.binding(), self.class())
    }
}

/// Names what an action is bound to.
struct Binding<'a> {
    home: HomeId,
    id: ActionId,
    account: Option<(ConnectionId, u64)>,
    precondition: &'a [u8],
}

impl Binding<'_> {
    fn encode(&self, out: &mut Encoder) {
        out.bytes(self.home.as_bytes()).bytes(self.id.as_bytes());
        out.option(self.account.as_ref(), |out, (connection, generation)| {
            out.bytes(connection.as_bytes()).number(*generation);
        });
    }
}

fn fields_of(action: &Action) -> Vec<u8> {
    let mut fields = Encoder::default();
    action.encode(&mut fields);
    fields.finish()
}

fn encode(binding: &Binding<'_>, fields: &[u8]) -> Vec<u8> {
    let mut out = Encoder::default();
    out.byte(CODEC_VERSION);
    binding.encode(&mut out);
    out.bytes(binding.precondition);
    let mut bytes = out.finish();
    bytes.extend_from_slice(fields);
    bytes
}

/// An action encoded and rendered, each once, before any transaction begins.
#[derive(Clone)]
pub(crate) struct EncodedAction {
    fields: Vec<u8>,
    artefact: Vec<u8>,
}

impl EncodedAction {
    pub(crate) fn of(action: &Action) -> Self {
        Self { fields: fields_of(action), artefact: action.artefact() }
    }

    /// Computes SHA-256 over domain, codec version, home, action, account, grant generation, class, artefact and precondition.
    ///
    /// The artefact part covers both the typed fields and the bytes rendered from them, so a release that renders
    /// differently asks again instead of sending what nobody saw.
    fn digest(&self, binding: &Binding<'_>, class: Class) -> Digest {
        let mut artefact = Encoder::default();
        artefact.bytes(&self.fields).bytes(&self.artefact);
        let artefact_hash = Sha256::new().chain_update(ARTEFACT_DOMAIN).chain_update(artefact.finish()).finalize();

        let mut out = Encoder::default();
        out.byte(CODEC_VERSION);
        binding.encode(&mut out);
        out.text(class.name()).bytes(&artefact_hash).bytes(binding.precondition);
        let digest = Sha256::new().chain_update(DIGEST_DOMAIN).chain_update(out.finish()).finalize();
        Digest::from_bytes(digest.into())
    }

    /// Checks that what was written reads back as the same action: nothing is asked about that could not be read to be done.
    pub(crate) fn reads_back_as(&self, action: &Action) -> Result<(), CodecError> {
        let mut from = Decoder::new(&self.fields);
        let read = Action::decode(&mut from)?;
        from.finish()?;
        if read == *action { Ok(()) } else { Err(CodecError::Malformed("it does not read back as it was written")) }
    }
}

/// A content with what is derived of it: its encoding, the bytes that would leave, and its digest, each computed once.
pub(crate) struct BoundContent {
    pub(crate) content: Content,
    pub(crate) encoded: Vec<u8>,
    pub(crate) artefact: Vec<u8>,
    pub(crate) digest: Digest,
}

impl BoundContent {
    pub(crate) fn new(content: Content, action: EncodedAction) -> Self {
        let (binding, class) = (content.binding(), content.class());
        let (encoded, digest) = (encode(&binding, &action.fields), action.digest(&binding, class));
        Self { content, encoded, artefact: action.artefact, digest }
    }

    /// Reads an encoding, as [`Content::decode`] does.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        let content = Content::decode(bytes)?;
        let action = EncodedAction::of(&content.action);
        Ok(Self::new(content, action))
    }
}

fn id_bytes(from: &mut Decoder<'_>) -> Result<[u8; 16], CodecError> {
    from.bytes()?.try_into().map_err(|_| CodecError::Malformed("an identifier"))
}
