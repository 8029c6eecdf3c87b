//! Bodies that are made of the vault's and the services' own types. All others are in `bailey-interface`.

use bailey_interface::ProofBody;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use bailey_connectors::Edit;
pub use bailey_vault::{DavSettings, KeyHeader, MailSettings, ModelSettings, OauthClient, Server, Settings, Training};

use crate::wire_secret::Password;

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
    /// The evidence.
    pub proof: ProofBody,
}
