//! What a connection is made of: where, as whom, and the credential, which is kept apart.

use serde::{Deserialize, Serialize};

/// A mail account. Stored sealed; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// The account's address: the author of what is sent.
    pub address: String,
    /// The author's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where mail is handed in, where this connection may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<Server>,
}

/// A server to talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}
