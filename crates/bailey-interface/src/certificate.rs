//! The certificate that the home shows browsers, as its interface tells of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateState {
    /// There is none: no browser is let in by TLS.
    Missing,
    /// Browsers take it.
    Counts,
    /// It ends within a week.
    EndsSoon,
    /// It has ended: browsers refuse it.
    Ended,
}

/// The certificate of the home's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateView {
    /// Origins that it is for.
    pub names: Vec<String>,
    /// Where it comes from: its file, or the directory of the authority that issues it.
    pub source: String,
    /// How it is.
    pub state: CertificateState,
    /// Until when it counts: milliseconds since 1970-01-01T00:00Z.
    #[serde(default)]
    pub until_ms: Option<i64>,
    /// Why there is none, or no newer one; empty where nothing is wrong.
    #[serde(default)]
    pub trouble: String,
}

/// Where the dashboard is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamesView {
    /// Origins of its pages, the one to use first.
    pub origins: Vec<String>,
    /// The certificate, where TLS ends in the home.
    pub certificate: Option<CertificateView>,
    /// Why other machines are not let in yet; empty where they are, or are not meant to be.
    #[serde(default)]
    pub not_public: String,
}

impl CertificateView {
    /// Says how it is, in a sentence.
    #[must_use]
    pub fn says(&self) -> &'static str {
        match self.state {
            CertificateState::Missing => "there is none: no browser is let in by TLS",
            CertificateState::Counts => "it counts",
            CertificateState::EndsSoon => "it ends within a week",
            CertificateState::Ended => "it has ended: browsers refuse it",
        }
    }
}
