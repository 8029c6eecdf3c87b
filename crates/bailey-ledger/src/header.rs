//! The header of a log entry: one line of JSON that is the leaf of the hash tree, byte for byte.
//!
//! It holds codes, counters and random identities only. No free text, no addresses, no unsalted digests: whoever reads
//! headers learns when things happened and how they were decided, and nothing of what they said.
//! The format is described in `docs/log-format.md`, which `bailey-verify` implements on its own.

use bailey_gate::event::{Event, Field, Payload};
use serde::Serialize;

use crate::checkpoint::hex;
use crate::tree::hash;

/// Version of the header format. From 2 on every entry of the person's holds the evidence of it.
pub const VERSION: u32 = 2;
const COMMITMENT_DOMAIN: &[u8] = b"bailey payload 1\0";

/// Binds a header to its payload without revealing it.
#[derive(Debug, Serialize)]
pub(crate) struct Sealed {
    /// SHA-256 over domain, 128-bit salt and plain payload.
    pub(crate) commitment: String,
    /// SHA-256 of the sealed bytes, so that a flipped bit shows without the key.
    pub(crate) sealed: String,
    /// The sealed length, rounded up to a power of two.
    pub(crate) bucket: u64,
}

/// How the log's identity comes about; in the first entry only.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Genesis {
    /// Random, hexadecimal.
    pub(crate) nonce: String,
    /// The public key of checkpoints, hexadecimal.
    pub(crate) key: String,
}

#[derive(Debug, Serialize)]
struct Approver {
    credential: String,
    client: &'static str,
    session: String,
    stepped_up: bool,
}

#[derive(Debug, Serialize)]
struct Header<'a> {
    v: u32,
    log: &'a str,
    seq: u64,
    wall_ms: i64,
    boot_ms: u64,
    boot: String,
    incarnation: &'a str,
    epoch: u64,
    lease: u64,
    kind: &'static str,
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    genesis: Option<&'a Genesis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approver: Option<Approver>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    reasons: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Sealed>,
}

/// Where in the log an entry stands.
pub(crate) struct Place<'a> {
    pub(crate) log: &'a str,
    pub(crate) seq: u64,
    pub(crate) incarnation: &'a str,
    pub(crate) genesis: Option<&'a Genesis>,
}

/// Returns the header line of an entry.
pub(crate) fn line(place: &Place<'_>, event: &Event, payload: Option<&Sealed>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Header {
        v: VERSION,
        log: place.log,
        seq: place.seq,
        wall_ms: event.at.wall_ms,
        boot_ms: event.at.boot_ms,
        boot: hex(&event.at.boot_id),
        incarnation: place.incarnation,
        epoch: event.epoch,
        lease: event.lease_epoch,
        kind: event.kind.name(),
        actor: event.actor.name(),
        genesis: place.genesis,
        approver: event.approval.map(|approval| Approver {
            credential: hex(&approval.credential),
            client: approval.client.name(),
            session: hex(&approval.session),
            stepped_up: approval.stepped_up,
        }),
        task: event.task.map(|id| id.to_string()),
        action: event.action.map(|id| id.to_string()),
        attempt: event.action.map(|_| event.attempt),
        connection: event.account.map(|(id, _)| id.to_string()),
        generation: event.account.map(|(_, generation)| generation),
        tool: event.tool.map(bailey_gate::family::ActionKind::name),
        class: event.class.map(bailey_gate::Class::name),
        decision: event.decision.map(bailey_gate::Decision::name),
        reasons: &event.reasons,
        from: event.from.map(bailey_gate::State::name),
        to: event.to.map(bailey_gate::State::name),
        payload,
    })
}

/// Returns the commitment to a plain payload under its salt.
#[must_use]
pub fn commitment(salt: &[u8; 16], plain: &[u8]) -> String {
    hex(&hash(&[COMMITMENT_DOMAIN, salt, plain]))
}

/// Returns a payload as JSON: texts as they are, bytes in base64 under a name that ends in `_base64`.
pub(crate) fn payload_json(payload: &Payload) -> String {
    use base64::Engine as _;
    let fields = payload.0.iter().map(|(name, field)| match field {
        Field::Text(text) => ((*name).to_owned(), serde_json::Value::from(text.as_str())),
        Field::Bytes(bytes) => {
            (format!("{name}_base64"), base64::engine::general_purpose::STANDARD.encode(bytes).into())
        }
    });
    serde_json::Value::Object(fields.collect()).to_string()
}

/// Returns one bytes field of a payload's JSON.
pub fn payload_bytes(json: &[u8], name: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    let text = value.get(format!("{name}_base64"))?.as_str()?;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
