//! Notices that something waits for the person, sent to a service that wakes their devices.

use std::borrow::Cow;

use bailey_gate::handoff::SystemEgress;
use hyper::{Method, Uri};

use crate::Vault;
use crate::http::{Form, HttpError};
use crate::model::is_here;

/// Longest address of a place, in bytes.
const MAX_ADDRESS: usize = 2_048;

/// Where notices go: over TLS, or on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    origin: String,
    path: String,
}

impl Place {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`HttpError::Address`], where it is none, holds a login, or would go in the clear to another machine.
    pub fn parse(address: &str) -> Result<Self, HttpError> {
        let bad = || HttpError::Address(address.chars().take(200).collect());
        let uri: Uri = address.parse().map_err(|_| bad())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(bad()) };
        let is_safe = match scheme {
            "https" => true,
            "http" => is_here(address),
            _ => false,
        };
        if !is_safe || address.len() > MAX_ADDRESS || authority.as_str().contains('@') || address.contains('#') {
            return Err(bad());
        }
        let path = uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str);
        Ok(Self { origin: format!("{scheme}://{authority}"), path: path.to_owned() })
    }

    /// Returns the origin (RFC 6454).
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns host and port, as the address has them.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Returns path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// What a place is sent.
#[derive(Debug)]
pub struct Notice {
    /// Headers beside those that every request has. Their values are secrets.
    pub headers: Vec<(&'static str, String)>,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Tells whether the body is JSON.
    pub json: bool,
}

impl Vault {
    /// Sends a notice; returns the status of the answer (RFC 9110, section 15). Redirects are not followed.
    ///
    /// # Errors
    ///
    /// [`HttpError`], where it could not be sent, or everything is paused.
    pub async fn notify(&self, place: &Place, path: &str, notice: Notice) -> Result<u16, HttpError> {
        let client = self.system_client(place.origin(), SystemEgress::Notification)?;
        let headers: Vec<_> = notice.headers.into_iter().map(|(name, value)| (name, Cow::Owned(value))).collect();
        let form = if notice.json { Form::Json } else { Form::Octets };
        let reply = client.open(Method::POST, path, form, &headers, notice.body).await?;
        Ok(reply.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_over_tls_or_on_this_machine_and_holds_no_login() {
        for good in ["https://ntfy.example/topic", "https://push.example/w/?token=a%2bb", "http://127.0.0.1:8080/t"] {
            let place = Place::parse(good).unwrap();
            assert_eq!(format!("{}{}", place.origin(), place.path()), good);
        }
        let long = format!("https://ntfy.example/{}", "a".repeat(MAX_ADDRESS));
        for bad in [
            "http://ntfy.example/topic",
            "http://localhost.example/",
            "https://me:secret@ntfy.example/",
            "ftp://ntfy.example/",
            "file:///etc/passwd",
            "ntfy.example/topic",
            "https://",
            "",
            "https://ntfy.example/ topic",
            &long,
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }
}
