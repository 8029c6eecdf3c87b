//! Bodies that are made of the vault's and the services' own types. All others are in `bailey-interface`.

use bailey_interface::{NotificationPlace, ProofBody};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use bailey_connectors::Edit;
pub use bailey_vault::{
    DavSettings, Found, FoundCollection, FoundServer, KeyHeader, MailSettings, ModelSettings, OauthClient, Origin,
    Server, Settings, Training,
};

use crate::wire_secret::Password;

/// Whose servers are to be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscoverBody {
    /// The address.
    pub address: String,
    /// The server that is asked in place of the address's domain: `https://host:port`, or `http://` on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// `POST /v1/connections`: with an app password, or nothing to sign in with. `POST /v1/sign-ins`: with tokens.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectBody {
    /// The account.
    pub settings: Settings,
    /// `read-only`, `draft`, `send` or `full`.
    #[schema(pattern = "^(read-only|draft|send|full)$")]
    pub level: String,
    /// An app password, where one is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub password: Option<Password>,
    /// The connection of the same account in whose place this one comes: it is ended once this one was tried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Where the browser comes back to; to the dashboard's name where a browser asks, to this machine where a program does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<BackTo>,
    /// The evidence.
    pub proof: ProofBody,
}

/// `POST /v1/notifications`
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifyBody {
    /// Where notices go.
    pub place: NotificationPlace,
    /// The secret its server wants to be shown: an access token of ntfy, an application's token of Gotify. Empty is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub password: Option<Password>,
    /// The evidence.
    pub proof: ProofBody,
}

/// Where a browser comes back to from a provider's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BackTo {
    /// To the dashboard's own name, at `/oauth/back`.
    Dashboard,
    /// To a port of the machine that the home runs on.
    ThisMachine,
}
