//! The way to a model provider, as the model client wants it.

use std::sync::Arc;

use bailey_model::{Body, ModelError, Response, Sending, Transport};
use bailey_vault::{HttpError, ModelAccess, Reply, Vault, retry_after};

/// A provider behind the vault, which knows whom the person agreed to and holds the key.
pub(crate) struct Provider {
    pub(crate) vault: Arc<Vault>,
    pub(crate) base_url: String,
}

/// An answer as it arrives.
struct Arriving(Reply);

fn told(error: HttpError) -> ModelError {
    match error {
        HttpError::Paused => ModelError::Paused,
        error @ (HttpError::Address(_) | HttpError::Broken(_)) => ModelError::Unreachable(error.to_string()),
    }
}

impl Body for Arriving {
    fn chunk(&mut self) -> Sending<'_, Result<Option<Vec<u8>>, ModelError>> {
        Box::pin(async { Ok(self.0.chunk().await.map_err(told)?.map(|bytes| bytes.to_vec())) })
    }
}

impl Transport for Provider {
    fn post(&self, path: &'static str, body: Vec<u8>) -> Sending<'_, Result<Response, ModelError>> {
        Box::pin(async move {
            match self.vault.ask_model(&self.base_url, path, body).await {
                Ok(reply) => {
                    let now = self.vault.now().timestamp().as_second();
                    let after = reply.after.as_deref().and_then(|text| retry_after(text, now));
                    Ok(Response { status: reply.status, events: reply.events, after, body: Box::new(Arriving(reply)) })
                }
                Err(ModelAccess::Http(error)) => Err(told(error)),
                Err(ModelAccess::NotAgreed(base)) => Err(ModelError::NotAgreed(base)),
                Err(ModelAccess::Vault(error)) => Err(ModelError::Unreachable(error.to_string())),
            }
        })
    }
}
