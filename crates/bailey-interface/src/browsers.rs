//! What is said of the person's browsers: links, passkeys, sessions, recovery codes. Bytes of WebAuthn are in base64 (RFC 4648,
//! section 4), unless it is said otherwise.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ProofBody;

/// The request that a passkey gives leave to, as it will be posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// The route, with its parts filled in, such as `/v1/approvals/approve`.
    pub path: String,
    /// The body, without its `proof`.
    #[serde(default)]
    pub body: serde_json::Value,
}

/// A challenge for a passkey (`PublicKeyCredentialRequestOptions`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyChallenge {
    /// The challenge that the answer names, hexadecimal.
    pub challenge: String,
    /// `challenge` of the options, which the passkey signs. SHA-256 of the bytes in `docs/approval-format.md`.
    pub webauthn: String,
    /// `rpId` of the options.
    pub rp: String,
    /// Passkeys that may answer.
    pub passkeys: Vec<PasskeyHint>,
}

/// A passkey that may answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyHint {
    /// How the answer names it, hexadecimal.
    pub credential: String,
    /// Its authenticator's own name for it (`rawId`).
    pub id: String,
}

/// A link that lets one browser in, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkView {
    /// The token, which the page at `/claim` takes after `#`.
    pub token: String,
    /// The whole address for each name of the dashboard, the one to use first.
    pub urls: Vec<String>,
    /// How long it counts, in seconds.
    pub seconds: u64,
}

/// `POST /v1/browsers/options`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    /// The token of the link.
    pub token: String,
}

/// Options for making a passkey (`PublicKeyCredentialCreationOptions`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegistrationOptions {
    /// `challenge` of the options.
    pub challenge: String,
    /// The relying party: the host of the page.
    pub rp: String,
    /// A random name of the account, of no meaning.
    pub user: String,
    /// The account's name, as the browser shows it.
    pub user_name: String,
    /// The algorithms that are taken (IANA COSE algorithms).
    pub algorithms: Vec<i32>,
    /// Passkeys there are, so that none is made twice on a device.
    pub exclude: Vec<String>,
}

/// `POST /v1/browsers/claim`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimBody {
    /// The token of the link.
    pub token: String,
    /// The person's name for this browser.
    pub name: String,
    /// `rawId`.
    pub credential_id: String,
    /// `response.clientDataJSON`.
    pub client_data: String,
    /// The result of `response.getAuthenticatorData()`.
    pub authenticator_data: String,
}

/// `POST /v1/passphrase`: by the evidence over salt and key, or by the token of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PassphraseBody {
    /// The salt of the key that the new passphrase makes, 32 hexadecimal digits.
    pub salt: String,
    /// The public half of that key, 32 bytes in base64 (RFC 8032).
    pub public: String,
    /// That key's signature over its own name, in base64: so that nobody is locked out by another.
    pub signature: String,
    /// The token of a link, where there is no evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofBody>,
}

/// A browser that was let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimedView {
    /// Its session.
    pub session: String,
    /// Recovery codes, if these are the first: shown once.
    pub recovery_codes: Vec<String>,
}

/// `POST /v1/browsers/recover`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverBody {
    /// A recovery code, however it was copied.
    pub code: String,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyView {
    /// Its identity, hexadecimal.
    pub id: String,
    /// The person's name for it.
    pub name: String,
    /// The host it is for.
    pub rp: String,
    /// Tells whether it may be copied to other devices of the person.
    pub synced: bool,
    /// When it was made: milliseconds since 1970-01-01T00:00Z, as the times below.
    pub made_ms: i64,
    /// When it signed last.
    pub used_ms: Option<i64>,
    /// When it was ended.
    pub ended_ms: Option<i64>,
    /// False after an older copy of the home was put back, until the passphrase confirms it.
    pub confirmed: bool,
}

/// A browser's session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Its identity, hexadecimal.
    pub id: String,
    /// The passkey it came by.
    pub passkey: String,
    /// The browser's name and system.
    pub agent: String,
    /// When it began: milliseconds since 1970-01-01T00:00Z, as the time below.
    pub made_ms: i64,
    /// When it was heard of last.
    pub used_ms: i64,
    /// Tells whether it is the one that asks.
    pub is_this: bool,
}

/// Recovery codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodesView {
    /// The codes, where they were made just now.
    pub codes: Vec<String>,
    /// How many still count.
    pub left: u64,
}

/// `POST /v1/passkeys/confirm`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedView {
    /// How many passkeys count again.
    pub passkeys: u64,
}
