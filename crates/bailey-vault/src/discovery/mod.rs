//! Finding the servers of an account from its address: a table of large providers; what the domain itself says ("Mail Autoconfig",
//! RFC 6764); names that servers usually have. Nothing secret is said on the way: a server is greeted over TLS, its certificate is
//! checked, and it is left.

mod autoconfig;
mod providers;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bailey_gate::family::escape::visible;
use bailey_gate::family::text::Address;
use bailey_gate::handoff::SystemEgress;
use hyper::{Method, Uri};
use serde::{Deserialize, Serialize};
use tokio::io::ReadBuf;
use utoipa::ToSchema;

pub use autoconfig::{Offered, read_config};
pub use providers::collection_of_issuer;

use crate::egress::{EgressAuthority, Guarded};
use crate::http::{Form, HttpError};
use crate::net::connect;
use crate::settings::{Security, Server};
use crate::smtp::hello_names;
use crate::starttls::{Protocol, upgrade};
use crate::{Vault, VaultError};

/// How long one server may take to greet, or to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);
/// How long finding mail servers may take in all, and how long finding collections may.
const FOUND_WITHIN: Duration = Duration::from_secs(25);
/// Most steps followed from one address to the next.
const MAX_STEPS: usize = 3;
/// Longest address that is repeated, in characters.
const MAX_URL_CHARS: usize = 300;

/// How something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// In the table of large providers; it was not asked.
    Known,
    /// The domain says so.
    Said,
    /// It has a usual name, and greets.
    Guessed,
}

impl Origin {
    /// Says how, in words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Known => "known beforehand; not asked",
            Self::Said => "the domain says so",
            Self::Guessed => "a usual name that greets",
        }
    }
}

/// A mail server that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundServer {
    /// Where.
    pub server: Server,
    /// How it was found.
    pub origin: Origin,
    /// It does not belong to the domain of the address: the password would go to another's machine.
    pub elsewhere: bool,
    /// Who signs in there, as the domain says.
    pub user: String,
}

/// A server of calendars or address books that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundCollection {
    /// Its address, to be connected as it is: which collections it has is said then.
    pub url: String,
    /// How it was found.
    pub origin: Origin,
    /// It does not belong to the domain of the address: the password would go to another's machine.
    pub elsewhere: bool,
}

/// What was found for an address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// The address, as servers write it.
    pub address: String,
    /// Where mail is read.
    pub imap: Option<FoundServer>,
    /// Where mail is handed in.
    pub submission: Option<FoundServer>,
    /// Where calendars are.
    pub calendars: Option<FoundCollection>,
    /// Where address books are.
    pub contacts: Option<FoundCollection>,
    /// Who vouches for tokens, where the provider wants them.
    pub issuer: Option<String>,
    /// Remarks for the person, and what was tried in vain.
    pub notes: Vec<String>,
}

/// What is asked for an address.
struct Search<'a> {
    vault: &'a Vault,
    authority: EgressAuthority,
    address: &'a Address,
    /// The host that the person named besides.
    at: Option<String>,
}

impl Vault {
    /// Finds the servers of an address; `at` names the server that is asked in place of the address's domain, as `https://host:port`, or
    /// `http://` on this machine.
    ///
    /// # Errors
    /// It is no address, everything is paused, or `at` is none. That nothing was found is no error.
    pub async fn discover(&self, address: &str, at: Option<&str>) -> Result<Found, VaultError> {
        let address = Address::read(address).map_err(|error| VaultError::Settings(error.to_string()))?;
        if at.is_none()
            && let Some(known) = providers::known(&address)
        {
            return Ok(known);
        }
        let authority = EgressAuthority::System(Arc::clone(&self.lock), SystemEgress::Preparation);
        authority.check().map_err(|why| VaultError::Refused(format!("{why}; nobody was asked")))?;
        let domain = address.domain();
        let named = at.map(|at| place_of(at).map(|host| (at.trim_end_matches('/').to_owned(), host))).transpose()?;
        let (says, own) = match &named {
            Some((base, _)) => (vec![base.clone()], base.clone()),
            None => {
                (vec![format!("https://autoconfig.{domain}"), format!("https://{domain}")], format!("https://{domain}"))
            }
        };
        let search = Search { vault: self, authority, address: &address, at: named.map(|(_, host)| host) };
        let (mail, calendars, contacts) = tokio::join!(
            tokio::time::timeout(FOUND_WITHIN, search.mail(&says)),
            tokio::time::timeout(FOUND_WITHIN, search.collections(&own, "/.well-known/caldav")),
            tokio::time::timeout(FOUND_WITHIN, search.collections(&own, "/.well-known/carddav"))
        );
        let mut found = mail.unwrap_or_else(|_| Found {
            address: address.as_str().into(),
            notes: vec![format!("the mail servers were not found within {} s", FOUND_WITHIN.as_secs())],
            ..Found::default()
        });
        (found.calendars, found.contacts) = (calendars.ok().flatten(), contacts.ok().flatten());
        Ok(found)
    }
}

/// Reads where the person says a server is; gives its host.
fn place_of(at: &str) -> Result<String, VaultError> {
    let bad = || VaultError::Settings(format!("`{}` is no address like https://host", visible(at)));
    let uri: Uri = at.parse().map_err(|_| bad())?;
    let is_place =
        matches!(uri.scheme_str(), Some("https" | "http")) && matches!(uri.path(), "" | "/") && !at.contains('@');
    uri.host().filter(|_| is_place && uri.query().is_none()).map(str::to_owned).ok_or_else(bad)
}

/// Tells whether a host is a domain's own.
fn is_of(host: &str, domain: &str) -> bool {
    host.eq_ignore_ascii_case(domain)
        || host.to_ascii_lowercase().strip_suffix(&domain.to_ascii_lowercase()).is_some_and(|rest| rest.ends_with('.'))
}

/// An answer to a request that shows nothing.
struct Shown {
    status: u16,
    location: Option<String>,
    body: Vec<u8>,
}

impl Search<'_> {
    /// Tells whether a host is neither the domain's nor the one that the person named.
    fn is_elsewhere(&self, host: &str) -> bool {
        !is_of(host, self.address.domain()) && self.at.as_ref().is_none_or(|at| !host.eq_ignore_ascii_case(at))
    }

    async fn ask(&self, method: Method, base: &str, path: &str) -> Result<Shown, HttpError> {
        let client = self.vault.system_client(base, SystemEgress::Preparation)?;
        let asking = async {
            let mut reply = client.open(method, path, Form::Json, &[], Vec::new()).await?;
            let mut body = Vec::new();
            while let Some(chunk) = reply.chunk().await? {
                body.extend(chunk);
                if body.len() > autoconfig::MAX_CONFIG_BYTES {
                    return Err(HttpError::Broken("its answer is too long".into()));
                }
            }
            Ok(Shown { status: reply.status, location: reply.location.take(), body })
        };
        let answered = tokio::time::timeout(ANSWER_WITHIN, asking).await;
        answered.unwrap_or_else(|_| Err(HttpError::Broken("it did not answer in time".into())))
    }

    /// Returns where a server sends on to, as base and path: over TLS, or on the same server.
    fn onward(base: &str, location: &str) -> Option<(String, String)> {
        if location.starts_with('/') && !location.starts_with("//") {
            return Some((base.to_owned(), location.to_owned()));
        }
        let uri: Uri = location.parse().ok()?;
        let to = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
        let path = uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str).to_owned();
        (to.starts_with("https://") || to == base).then_some((to, path)).filter(|(to, _)| !to.contains('@'))
    }

    /// Asks for what a domain says of its mail servers. It is followed within the domain and no further.
    async fn said(&self, base: &str, path: &str) -> Vec<Offered> {
        let (mut base, mut path) = (base.to_owned(), path.to_owned());
        for _ in 0..MAX_STEPS {
            match self.ask(Method::GET, &base, &path).await {
                Ok(Shown { status: 200, body, .. }) => return read_config(&body, self.address),
                Ok(Shown { status: 301 | 302 | 303 | 307 | 308, location: Some(to), .. }) => {
                    let next = Self::onward(&base, &to).filter(|(to, _)| {
                        to.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !self.is_elsewhere(host)))
                    });
                    let Some(next) = next else { return Vec::new() };
                    (base, path) = next;
                }
                Ok(_) | Err(_) => return Vec::new(),
            }
        }
        Vec::new()
    }

    async fn mail(&self, says: &[String]) -> Found {
        let mut found = Found { address: self.address.as_str().into(), ..Found::default() };
        let mut offered = Vec::new();
        for base in says {
            for path in ["/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"] {
                if offered.is_empty() {
                    offered = self.said(base, path).await;
                }
            }
        }
        let offers = |incoming: bool| {
            let all = offered.iter().filter(move |one| one.incoming == incoming).cloned();
            all.map(|one| (one.server, Origin::Said, one.user)).collect::<Vec<_>>()
        };
        let ((imap, mut notes), (submission, more)) =
            tokio::join!(self.first(true, offers(true)), self.first(false, offers(false)));
        notes.extend(more);
        (found.imap, found.submission, found.notes) = (imap, submission, notes);
        let other = |one: &&FoundServer| !one.user.is_empty() && one.user != found.address;
        if let Some(user) = found.imap.iter().chain(&found.submission).find(other).map(|one| visible(&one.user)) {
            found.notes.push(format!(
                "the provider wants `{user}` as the name to sign in with; Bailey signs in with the whole address, which may not do"
            ));
        }
        found
    }

    /// Lists servers of usual names.
    fn guesses(&self, incoming: bool) -> Vec<Server> {
        let domain = self.address.domain();
        let hosts = match (&self.at, incoming) {
            (Some(at), _) => vec![at.clone()],
            (None, true) => vec![format!("imap.{domain}"), format!("mail.{domain}")],
            (None, false) => vec![format!("smtp.{domain}"), format!("mail.{domain}")],
        };
        let ports: &[(u16, bool)] = if incoming { &[(993, false)] } else { &[(465, false), (587, true)] };
        let server = |host: &String, (port, starttls): (u16, bool)| Server {
            host: host.clone(),
            port,
            tls: !starttls,
            starttls,
        };
        hosts.iter().flat_map(|host| ports.iter().map(move |port| server(host, *port))).collect()
    }

    /// Returns the first server that greets as it has to, of those that were offered and those of usual names; and what was offered in
    /// vain.
    async fn first(
        &self,
        incoming: bool,
        offered: Vec<(Server, Origin, String)>,
    ) -> (Option<FoundServer>, Vec<String>) {
        let guessed = self.guesses(incoming).into_iter().map(|server| (server, Origin::Guessed, String::new()));
        let mut notes = Vec::new();
        for (server, origin, user) in offered.into_iter().chain(guessed) {
            let elsewhere = self.is_elsewhere(&server.host);
            if elsewhere {
                // Told, and not greeted: a domain names no machine of others to be asked.
                return (Some(FoundServer { server, origin, elsewhere, user }), notes);
            }
            let greeted = tokio::time::timeout(ANSWER_WITHIN, self.greets(&server, incoming)).await;
            match greeted.unwrap_or_else(|_| Err("it did not greet in time".into())) {
                Ok(()) => {
                    return (Some(FoundServer { server, origin, elsewhere, user }), notes);
                }
                Err(why) if origin == Origin::Said => {
                    notes.push(visible(&format!("`{}:{}` was named and does not do: {why}", server.host, server.port)));
                }
                Err(_) => {}
            }
        }
        (None, notes)
    }

    /// Checks that a server shows a certificate for its name, and speaks the protocol. Says nothing but what that takes.
    async fn greets(&self, server: &Server, incoming: bool) -> Result<(), String> {
        let link = connect(server, &self.vault.trust, &self.authority).await?;
        match server.security() {
            Security::None => Err("it has no TLS".into()),
            Security::Starttls => {
                let names = hello_names(self.address.as_str(), link.local());
                let protocol = if incoming { Protocol::Imap } else { Protocol::Smtp(&names) };
                upgrade(link, server, &self.vault.trust, &self.authority, protocol).await.map(|_| ())
            }
            Security::Tls => {
                let mut stream = Guarded::new(link, self.authority.clone());
                let begins: &[u8] = if incoming { b"* OK" } else { b"220" };
                let mut bytes = [0; 4];
                let mut held = ReadBuf::new(&mut bytes);
                while held.filled().len() < begins.len() {
                    let before = held.filled().len();
                    poll_fn(|cx| stream.read(cx, &mut held)).await.map_err(|error| crate::words(&error))?;
                    if held.filled().len() == before {
                        return Err("it broke off".into());
                    }
                }
                if held.filled().starts_with(begins) { Ok(()) } else { Err("it does not greet as it should".into()) }
            }
        }
    }

    /// Asks where the collections of a domain are (RFC 6764, 5 and 6). It is followed within the domain; where it sends on elsewhere,
    /// that is told, and nobody is asked there.
    async fn collections(&self, base: &str, path: &str) -> Option<FoundCollection> {
        let (mut base, mut path, mut moved) = (base.to_owned(), path.to_owned(), false);
        for _ in 0..MAX_STEPS {
            let at = if moved { path.trim_end_matches('/') } else { "" };
            let url: String = visible(&format!("{base}{at}/")).chars().take(MAX_URL_CHARS).collect();
            let host = base.parse::<Uri>().ok()?.host()?.to_owned();
            let elsewhere = self.is_elsewhere(&host);
            if elsewhere {
                return Some(FoundCollection { url, origin: Origin::Said, elsewhere });
            }
            let method = Method::from_bytes(b"PROPFIND").ok()?;
            let shown = self.ask(method, &base, &path).await.ok()?;
            match (shown.status, shown.location) {
                (207 | 401, _) => return Some(FoundCollection { url, origin: Origin::Said, elsewhere }),
                (301 | 302 | 303 | 307 | 308, Some(to)) => {
                    (base, path) = Self::onward(&base, &to)?;
                    moved = true;
                }
                _ => return None,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_domains_own_or_it_is_not() {
        for (host, own) in [
            ("example.org", true),
            ("mail.example.org", true),
            ("Mail.Example.ORG", true),
            ("evilexample.org", false),
            ("example.org.evil.example", false),
            ("", false),
        ] {
            assert_eq!(is_of(host, "example.org"), own, "{host}");
        }
    }

    #[test]
    fn a_server_sends_on_over_tls_or_within_itself() {
        let to = |to: &str| Search::onward("https://a.example", to);
        let pair = |base: &str, path: &str| Some((base.to_owned(), path.to_owned()));
        assert_eq!(to("/dav/"), pair("https://a.example", "/dav/"));
        assert_eq!(to("https://b.example/x?y"), pair("https://b.example", "/x?y"));
        for none in ["http://b.example/", "//b.example/", "ftp://b.example/", "x", "", "https://me@b.example/"] {
            assert_eq!(to(none), None, "{none}");
        }
        for bad in
            ["example.org", "ftp://a.example", "https://a.example/path", "https://a@b.example", "https://a.example?q"]
        {
            assert!(place_of(bad).is_err(), "{bad}");
        }
        assert_eq!(place_of("https://a.example:8443/").unwrap(), "a.example");
    }
}
