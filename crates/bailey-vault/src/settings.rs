//! What a connection is made of: where, as whom, and the credential, which is kept apart.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What a connection leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Settings {
    /// A mail account.
    Mail(MailSettings),
    /// A calendar.
    Calendar(CalendarSettings),
    /// A provider of models.
    Model(ModelSettings),
}

impl Settings {
    /// The account, as the service names it.
    #[must_use]
    pub fn account(&self) -> &str {
        match self {
            Self::Mail(mail) => &mail.address,
            Self::Calendar(calendar) => &calendar.user,
            Self::Model(model) => model.base_url.trim_end_matches('/'),
        }
    }

    /// What it leads to, in a word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail",
            Self::Calendar(_) => "calendar",
            Self::Model(_) => "model",
        }
    }

    /// Who we are to the authorization server.
    pub(crate) fn client(&self) -> OauthClient {
        let own = match self {
            Self::Mail(mail) => mail.client.clone(),
            Self::Calendar(_) | Self::Model(_) => None,
        };
        own.unwrap_or_else(|| OauthClient { id: "bailey".into(), secret: None })
    }

    /// Who vouches for access tokens, where they are used.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Mail(mail) => mail.issuer.as_deref(),
            Self::Calendar(_) | Self::Model(_) => None,
        }
    }
}

/// A provider of models the person agreed to, and on what terms. Stored sealed; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Where, up to and without `/chat/completions` or `/messages`.
    pub base_url: String,
    /// How the key is shown.
    pub key_header: KeyHeader,
    /// Whether the provider trains on what it is sent, as the person knows it.
    pub training: Training,
    /// How long it keeps what it is sent, in the provider's words; empty if the person did not say.
    #[serde(default)]
    pub retention: String,
    /// Where the terms stand; empty if the person did not say.
    #[serde(default)]
    pub terms: String,
}

/// How a key is shown to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHeader {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// `x-api-key: …`, as Anthropic has it.
    XApiKey,
}

/// Whether a provider trains models on what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Training {
    /// It says that it does not.
    No,
    /// It does.
    Yes,
    /// Not known.
    Unknown,
}

/// One calendar at a CalDAV server. Stored sealed; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarSettings {
    /// Who signs in.
    pub user: String,
    /// Where.
    pub server: Server,
    /// The calendar's path on the server, with a slash at its end.
    pub path: String,
}

/// A mail account. Stored sealed; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// The account's address: the author of what is sent.
    pub address: String,
    /// The author's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where mail is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imap: Option<Server>,
    /// Where mail is handed in, where this connection may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<Server>,
    /// Who vouches for access tokens, where the account uses them: `https://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Who we are to that authorization server; the usual name where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<OauthClient>,
}

/// The name an OAuth client has at an authorization server (RFC 6749, 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthClient {
    /// Its identifier.
    pub id: String,
    /// What some providers give programs on people's machines besides, and call a secret; it keeps none (RFC 8252, 8.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl OauthClient {
    /// As fields of a form.
    pub(crate) fn fields(&self) -> Vec<(&'static str, &str)> {
        let secret = self.secret.as_deref().map(|secret| ("client_secret", secret));
        std::iter::once(("client_id", self.id.as_str())).chain(secret).collect()
    }
}

/// A server to talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS from the first byte (RFC 8314). Without it only this machine can be talked to.
    pub tls: bool,
}

/// What the person gives to sign in with.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// Nothing: a server on this machine that asks for none.
    None,
    /// A password made for this program. Weaker than a token: it has no scope and no end, and only the provider's page
    /// takes it back.
    AppPassword(String),
    /// Tokens of an authorization server.
    Tokens {
        /// For the services.
        access: String,
        /// For new ones.
        refresh: Option<String>,
    },
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}
