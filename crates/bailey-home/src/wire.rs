//! Bodies that are made of the vault's and the services' own types. All others are in `bailey-interface`.

use bailey_interface::{ProofBody, RuleChange, Shown};
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

/// What the person is asked to leave to, as the request that does it says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PurposeBody {
    /// `POST /v1/approvals/approve`
    Approve {
        /// Exactly what was shown.
        shown: Vec<Shown>,
    },
    /// `POST /v1/resume`
    Resume {
        /// The epoch of the pause.
        epoch: u64,
    },
    /// `POST /v1/actions/{id}/undo`
    Undo {
        /// The action.
        id: String,
    },
    /// `POST /v1/connections`, `POST /v1/sign-ins`
    Connect {
        /// The account.
        settings: Box<Settings>,
        /// `read-only`, `draft`, `send` or `full`.
        level: String,
    },
    /// `POST /v1/connections/{id}/level`
    ChangeLevel {
        /// The connection.
        id: String,
        /// `read-only`, `draft`, `send` or `full`.
        level: String,
    },
    /// `POST /v1/rules`
    ChangeRules {
        /// The change.
        change: Box<RuleChange>,
    },
    /// `POST /v1/log/export-readable`
    ExportReadable,
    /// `POST /v1/home/delete`
    DeleteHome,
    /// `POST /v1/browsers/link`
    LetBrowserIn,
    /// `POST /v1/passkeys/{id}/end`
    EndPasskey {
        /// The passkey.
        id: String,
    },
    /// `POST /v1/passkeys/confirm`
    ConfirmPasskeys,
    /// `POST /v1/recovery-codes`
    RecoveryCodes,
    /// `POST /v1/sessions`
    SignIn,
}
