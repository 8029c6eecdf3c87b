//! Places where the person is told that something waits for them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A place, by the service that wakes the person's devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NotificationPlace {
    /// A browser, as it subscribed (Push API, w3.org/TR/push-api). Its bytes are in base64 of URLs, without padding.
    Browser {
        /// Where its push service takes messages.
        endpoint: String,
        /// Its key (`p256dh`).
        public: String,
        /// Its secret (`auth`).
        auth: String,
    },
    /// A topic of an ntfy server, such as `https://ntfy.sh/my-topic`.
    Ntfy {
        /// The whole address of the topic.
        url: String,
    },
    /// A Gotify server.
    Gotify {
        /// Its address, up to what stands before `/message`.
        url: String,
    },
    /// A connected mail account: it sends to itself.
    Mail {
        /// Its address.
        address: String,
    },
}

impl NotificationPlace {
    /// Returns the kind's name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Browser { .. } => "browser",
            Self::Ntfy { .. } => "ntfy",
            Self::Gotify { .. } => "gotify",
            Self::Mail { .. } => "mail",
        }
    }

    /// Returns the address that notices go to.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Browser { endpoint: address, .. }
            | Self::Ntfy { url: address }
            | Self::Gotify { url: address }
            | Self::Mail { address } => address,
        }
    }
}

/// A place that is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationView {
    /// The place's identity, hexadecimal.
    pub id: String,
    /// `browser`, `ntfy`, `gotify` or `mail`.
    pub kind: String,
    /// The browser, the server's host, or the mail account.
    pub name: String,
    /// The host that notices go through.
    pub host: String,
    /// When it was added: milliseconds since 1970-01-01T00:00Z.
    pub made_ms: i64,
    /// When the last notice was taken, since the home was opened.
    pub sent_ms: Option<i64>,
    /// Why the last one was not.
    pub trouble: Option<String>,
}

/// The places that are told, and what a browser subscribes with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationsView {
    /// The key by which push services know this home (`applicationServerKey`), in base64 of URLs.
    pub key: String,
    /// The places, oldest first.
    pub places: Vec<NotificationView>,
}
