//! Requests to an authority that issues certificates (ACME, RFC 8555): to its own place only, none while everything is paused.

use std::borrow::Cow;

use bailey_gate::handoff::SystemEgress;
use http_body_util::Full;
use hyper::Uri;
use hyper::body::Bytes;
use hyper::header::USER_AGENT;
use hyper::http::request::Parts;

use crate::Vault;
use crate::http::{Form, HttpError};

/// Longest answer taken of an authority, in bytes: a chain of certificates, many times over.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

impl Vault {
    /// Sends a request to the authority with this directory, and reads its answer whole.
    ///
    /// # Errors
    ///
    /// [`HttpError::Address`] where it is for another host than the directory, or without TLS; [`HttpError::Paused`].
    pub async fn ask_authority(
        &self,
        directory: &str,
        head: &Parts,
        body: Vec<u8>,
    ) -> Result<hyper::Response<Full<Bytes>>, HttpError> {
        let bad = || HttpError::Address(head.uri.to_string().chars().take(200).collect());
        let own: Uri = directory.parse().map_err(|_| bad())?;
        let ours = head.uri.scheme_str() == Some("https") && head.uri.authority() == own.authority();
        let authority = head.uri.authority().filter(|_| ours).ok_or_else(bad)?;
        let client = self.system_client(&format!("https://{authority}"), SystemEgress::Certificate)?;
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let agent = head.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("bailey").to_owned();
        let headers = [("user-agent", Cow::Owned(agent))];
        let mut reply = client.open(head.method.clone(), path, Form::Jose, &headers, body).await?;
        let mut whole = Vec::new();
        while let Some(chunk) = reply.chunk().await? {
            if whole.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(HttpError::Broken("its answer does not end".into()));
            }
            whole.extend_from_slice(&chunk);
        }
        let mut answer = hyper::Response::new(Full::new(Bytes::from(whole)));
        *answer.status_mut() = hyper::StatusCode::from_u16(reply.status).map_err(|_| bad())?;
        *answer.headers_mut() = reply.headers;
        Ok(answer)
    }
}
