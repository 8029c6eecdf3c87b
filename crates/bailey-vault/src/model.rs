//! Model providers: whom the person agreed to, their keys, and requests to them.
//!
//! The configuration names an address; it holds no key, and any program of the person's account can write it. So a key
//! is bound to the address it was given for, and another's machine is asked nothing until the person has agreed to it.

use std::borrow::Cow;

use bailey_gate::handoff::SystemEgress;
use bailey_ledger::ConnectionRow;
use hyper::{Method, Uri};

use crate::http::{Form, HttpError, Reply};
use crate::oauth::{Login, login_of};
use crate::settings::{KeyHeader, ModelSettings, Settings, Training};
use crate::{Credential, Vault, VaultError};

/// The version of Anthropic's format, which every request in it names.
const VERSION: (&str, Cow<'static, str>) = ("anthropic-version", Cow::Borrowed("2023-06-01"));
/// Longest list of models taken, in bytes: of a provider of hundreds, many times over.
const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;

/// Why a model was not asked.
#[derive(Debug, thiserror::Error)]
pub enum ModelAccess {
    /// The person has not agreed to this provider.
    #[error("the person has not agreed to the model at `{0}`")]
    NotAgreed(String),
    /// The request did not go through.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The connection cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Tells whether an address is this machine's own, as written: names that would have to be looked up are not.
pub(crate) fn is_here(base: &str) -> bool {
    let Ok(uri) = base.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Vault {
    /// Posts JSON below a provider's base URL, with the key that was given for exactly this address.
    pub async fn ask_model(&self, base: &str, path: &str, body: Vec<u8>) -> Result<Reply, ModelAccess> {
        self.reach_model(base, SystemEgress::Model, Method::POST, path, body).await
    }

    /// Lists the models that a provider offers, as it writes them: JSON, of any shape.
    pub async fn list_models(&self, base: &str) -> Result<(u16, Vec<u8>), ModelAccess> {
        let mut reply = self.reach_model(base, SystemEgress::Preparation, Method::GET, "/models", Vec::new()).await?;
        let mut out = Vec::new();
        while let Some(chunk) = reply.chunk().await? {
            out.extend(chunk);
            if out.len() > MAX_LIST_BYTES {
                return Err(HttpError::Broken("its list of models does not end".into()).into());
            }
        }
        Ok((reply.status, out))
    }

    async fn reach_model(
        &self,
        base: &str,
        egress: SystemEgress,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Reply, ModelAccess> {
        let base = base.trim_end_matches('/');
        let mut headers = match self.model_row(base)? {
            Some(row) => {
                let settings = self.settings(&row.id)?;
                let login = self.login(&row.id, &settings).await?;
                let Some(settings) = settings.model() else { return Err(ModelAccess::NotAgreed(base.into())) };
                key_header(settings, &login)
            }
            None if is_here(base) => Vec::new(),
            None => return Err(ModelAccess::NotAgreed(base.into())),
        };
        if matches!(path, "/messages" | "/models") {
            // Whatever the key: gateways of one's own refuse the format without its version.
            headers.push(VERSION);
        }
        let client = self.system_client(base, egress)?;
        Ok(client.open(method, path, Form::Json, &headers, body).await?)
    }

    fn model_row(&self, base: &str) -> Result<Option<ConnectionRow>, VaultError> {
        let rows = self.ledger.connections()?;
        Ok(rows.into_iter().find(|row| row.grant.active && row.kind == "model" && row.account == base))
    }

    /// Says whether what a provider is sent may train models, as far as the person said; nothing of one they have not agreed to. A
    /// server of this machine trains nothing.
    pub fn model_training(&self, base: &str) -> Result<Option<Training>, VaultError> {
        let base = base.trim_end_matches('/');
        match self.model_row(base)? {
            Some(row) => Ok(self.settings(&row.id)?.model().map(|model| model.training)),
            None => Ok(is_here(base).then_some(Training::No)),
        }
    }

    /// Returns what the person said of a provider they agreed to.
    pub fn model_settings(&self, base: &str) -> Result<Option<ModelSettings>, VaultError> {
        let Some(row) = self.model_row(base.trim_end_matches('/'))? else { return Ok(None) };
        Ok(self.settings(&row.id)?.model().cloned())
    }

    /// Tells whether requests can be made below an address at all: it is well formed, and holds nothing but a place.
    pub fn check_model_address(&self, base: &str) -> Result<(), HttpError> {
        if base.contains(['@', '?', '#']) {
            return Err(HttpError::Address(base.chars().take(200).collect()));
        }
        self.system_client(base, SystemEgress::Model).map(|_| ())
    }

    /// Looks whether a provider takes the key.
    pub async fn look_at_model(&self, settings: &ModelSettings, credential: &Credential) -> Result<(), VaultError> {
        let refused = |why: String| VaultError::Refused(format!("the model's provider cannot be used: {why}"));
        let client = self
            .system_client(&settings.base_url, SystemEgress::Preparation)
            .map_err(|error| refused(error.to_string()))?;
        let mut headers = key_header(settings, &login_of(&Settings::Model(settings.clone()), credential));
        headers.push(VERSION);
        let reply = client.open(Method::GET, "/models", Form::Json, &headers, Vec::new()).await;
        match reply.map_err(|error| refused(error.to_string()))?.status {
            401 | 403 => Err(refused("it did not take the key".into())),
            // Not every server lists its models; that it answered is enough.
            _ => Ok(()),
        }
    }
}

fn key_header(settings: &ModelSettings, login: &Login) -> Vec<(&'static str, Cow<'static, str>)> {
    let Login::Password { password: key, .. } = login else { return Vec::new() };
    match settings.key_header {
        KeyHeader::Bearer => vec![("authorization", format!("Bearer {}", key.as_str()).into())],
        KeyHeader::XApiKey => vec![("x-api-key", key.to_string().into())],
    }
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn only_this_machine_is_here() {
        for here in ["http://localhost:8080/v1", "http://127.0.0.1:1/v1", "http://[::1]:8/v1", "https://127.1.2.3"] {
            assert!(is_here(here), "{here}");
        }
        for there in [
            "https://api.example/v1",
            "http://127.0.0.1.evil.example/v1",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "x",
            "http://localhost@evil.example/v1",
        ] {
            assert!(!is_here(there), "{there}");
        }
    }
}
