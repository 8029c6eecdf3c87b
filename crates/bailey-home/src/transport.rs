//! The way to a model provider, as the model client wants it.

use bailey_model::{ModelError, Response, Sending, Transport};
use bailey_vault::{HttpError, SystemClient};

/// A provider behind the vault's client.
pub(crate) struct Provider(pub(crate) SystemClient);

impl Transport for Provider {
    fn post(&self, path: &'static str, body: Vec<u8>) -> Sending<'_, Result<Response, ModelError>> {
        Box::pin(async move {
            match self.0.post(path, body).await {
                Ok((status, body)) => Ok(Response { status, body }),
                Err(HttpError::Paused) => Err(ModelError::Paused),
                Err(error @ (HttpError::Address(_) | HttpError::Broken(_))) => {
                    Err(ModelError::Unreachable(error.to_string()))
                }
            }
        })
    }
}
