//! Requests to sites: those that programs of the agent's computer wait with, and the agent's own. All of them leave by the same broker.

use bailey_gate::family::http::{self, By, HttpRequest};
use bailey_gate::family::{Action, Family as _, Taint};
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, Settings, Vault, VaultError};
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::PrepareContext;
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};

/// Requests to sites.
pub(crate) struct Http;

/// Reads an address into its site, and path and query; what stands behind a `#` is nobody's but a browser's.
fn read(address: &str) -> Result<(String, String), BadCall> {
    let bad = |why: &str| BadCall::Bad { name: "url", why: why.into() };
    let address = address.trim().split('#').next().unwrap_or_default();
    let (scheme, rest) = address.split_once("://").ok_or_else(|| bad("it does not begin with https:// or http://"))?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(at);
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    Ok((format!("{}://{}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase()), target))
}

impl Service for Http {
    type Action = HttpRequest;

    fn tools(&self) -> Vec<ToolDefinition> {
        vec![
            ToolDefinition {
                name: "http_get",
                kind: http::GET,
                description: "Ask a site for one page or file by its address, and get what it answers as text. The person's rules decide \
                              on it, or the person does.",
                parameters: schema(&[("url", "the whole address, beginning with https://")], &["url"]),
                manifest: json!({ "effect": "fetch", "places": { "url": "url" } }),
            },
            ToolDefinition {
                name: "http_post",
                kind: http::POST,
                description: "Send a body to a site by the method POST, and get what it answers as text. The person's rules decide on \
                              it, or the person does.",
                parameters: schema(
                    &[
                        ("url", "the whole address, beginning with https://"),
                        ("body", "what is sent"),
                        ("content_type", "its media type; application/json if nothing is said"),
                    ],
                    &["url", "body"],
                ),
                manifest: json!({ "effect": "write", "sinks": { "url": "url" }, "content": ["body"] }),
            },
        ]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, _: &PrepareContext<'_>) -> Result<Made, BadCall> {
        let (method, body) = match tool {
            "http_get" => ("GET", Vec::new()),
            "http_post" => ("POST", arguments.text("body")?.into_bytes()),
            other => return Err(BadCall::UnknownTool(other.into())),
        };
        let (origin, target) = read(&arguments.text("url")?)?;
        let host = origin.split_once("://").map_or("", |(_, host)| host).to_owned();
        let mut fields = vec![
            ("host".to_owned(), host.into_bytes()),
            ("user-agent".to_owned(), b"bailey".to_vec()),
            ("accept-encoding".to_owned(), b"identity".to_vec()),
        ];
        if method == "POST" {
            let kind = arguments.optional("content_type").unwrap_or_else(|| "application/json".into());
            fields.push(("content-type".into(), kind.into_bytes()));
            fields.push(("content-length".into(), body.len().to_string().into_bytes()));
        }
        let (by, behind) = (By::Agent, Taint::default());
        let request = HttpRequest { by, method: method.into(), origin, target, fields, body, behind };
        request.check().map_err(|error| BadCall::of_check("url", &error))?;
        Ok((None, Action::Http(request)))
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<HttpRequest>) -> Outcome {
        match vault.computer() {
            Some(computer) => computer.request(claimed).await,
            None => Outcome::new(Effect::NotExecuted, "this home sends no requests"),
        }
    }

    async fn reconcile(&self, _: &Vault, _: ActionId, _: Option<(ConnectionId, u64)>, request: &HttpRequest) -> Lookup {
        if request.is_look() {
            return Some((Found::Yes, "the site may have been asked; what it answered is lost"));
        }
        Some((Found::No, "only the site can tell whether it got this; look there"))
    }

    async fn undo(&self, _: &Vault, done: Done<'_, HttpRequest>) -> Result<Made, BadCall> {
        Err(no_undo(done.action.kind()))
    }

    fn has_undo(&self, _: &HttpRequest) -> bool {
        false
    }

    async fn discover(&self, _: &Vault, _: &Access, _: &Settings) -> Result<Discovered, VaultError> {
        Ok(Discovered::default())
    }

    async fn look_again(
        &self,
        _: &Vault,
        _: &Access,
        _: &Settings,
        _: &[u8],
    ) -> Result<Option<Discovered>, VaultError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_into_site_and_path() {
        let read = |address: &str| read(address).unwrap();
        let pair = |site: &str, path: &str| (site.to_owned(), path.to_owned());
        assert_eq!(read("https://Example.org"), pair("https://example.org", "/"));
        assert_eq!(read("HTTP://example.org:8080/a?b=/c#d"), pair("http://example.org:8080", "/a?b=/c"));
        assert_eq!(read("https://example.org?q=1"), pair("https://example.org", "/?q=1"));
        assert!(super::read("example.org/a").is_err());
    }
}
