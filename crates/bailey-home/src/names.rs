//! The names that browsers open the dashboard by, and the doors they come in by. Read from the configuration and from the home's
//! key, never from a request.

use std::net::{IpAddr, SocketAddr};

use bailey_keys::HomeKey;
use serde::Deserialize;

use crate::config::GatewayConfig;
use crate::layout::LayoutError;

/// Bytes of the label that is this home's alone.
const LABEL_BYTES: usize = 16;

/// One name: an origin without a path (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Name {
    origin: String,
    host: String,
    authority: String,
    secure: bool,
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(said: String) -> Result<Self, String> {
        let why = |why: &str| format!("`{}` in `names` {why}", said.chars().take(100).collect::<String>());
        let (secure, rest) = match (said.strip_prefix("https://"), said.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(why("does not begin with https://")),
        };
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => {
                let parsed = port.parse::<u16>().ok().filter(|parsed| *parsed != 0 && parsed.to_string() == port);
                (host, Some(parsed.ok_or_else(|| why("has no port that is one"))?))
            }
            None => (rest, None),
        };
        let label = |label: &str| {
            let inside = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
        };
        if host.len() > 253 || !host.split('.').all(label) {
            return Err(why("is no name in small letters with nothing behind it, such as https://bailey.example.org"));
        }
        // Browsers take what ends in a number for an address (URL Standard, "ends in a number").
        let numeric = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if host.parse::<IpAddr>().is_ok() || numeric {
            return Err(why("is an address; passkeys work on names only"));
        }
        let local = host == "localhost" || host.ends_with(".localhost");
        if !secure && !local {
            return Err(why(
                "is reached without TLS; that is for names of this machine alone, which end in `localhost`",
            ));
        }
        let usual = if secure { 443 } else { 80 };
        let authority = match port.filter(|port| *port != usual) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let origin = format!("{}://{authority}", if secure { "https" } else { "http" });
        Ok(Self { host: host.to_owned(), origin, authority, secure })
    }
}

impl Name {
    /// Returns scheme, host and port, as browsers write them.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns host and port, as requests name them.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Tells whether it is reached by TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }
}

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// The home's own socket, or the gateway on this machine.
    Plain,
    /// TLS that ended in this home: nobody between saw or changed it.
    Tls,
}

/// The names of a home.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    plain: Vec<Name>,
    tls: Vec<Name>,
    /// All of their origins, the one to use first.
    origins: Vec<String>,
}

impl Names {
    /// Reads the names of a home. Its own on this machine holds a label that nobody can guess, so that no other program of the machine
    /// shares its cookies (RFC 6265, section 8.5, knows no ports), and no other home its passkeys.
    pub(crate) fn of(key: &HomeKey, gateway: &GatewayConfig) -> Result<Self, LayoutError> {
        let derived = key.derive("name on this machine 1")?;
        let label: String = derived.expose().iter().take(LABEL_BYTES).map(|byte| format!("{byte:02x}")).collect();
        let port = gateway.listen.parse::<SocketAddr>().map(|address| address.port()).unwrap_or(0);
        let own = Name::try_from(format!("http://b-{label}.localhost:{port}")).ok();
        let (secure, local): (Vec<Name>, Vec<Name>) = gateway.names.iter().cloned().partition(Name::is_secure);
        let origins = secure.iter().chain(&local).chain(&own).map(|name| name.origin.clone()).collect();
        let (tls, before) = if gateway.tls_listen.is_some() { (secure, Vec::new()) } else { (Vec::new(), secure) };
        let plain = before.into_iter().chain(local).chain(own).collect();
        Ok(Self { plain, tls, origins })
    }

    /// Returns the origins whose pages are the dashboard's, the one to use first.
    pub(crate) fn origins(&self) -> &[String] {
        &self.origins
    }

    /// Returns the names that count for what comes in by a door.
    pub(crate) fn at(&self, door: Door) -> &[Name] {
        match door {
            Door::Plain => &self.plain,
            Door::Tls => &self.tls,
        }
    }

    /// Tells whether a page of this origin can come in by a door.
    pub(crate) fn has_origin(&self, door: Door, origin: &str) -> bool {
        self.at(door).iter().any(|name| name.origin == origin)
    }

    /// Tells whether a passkey of this host can have begun what comes in by a door.
    pub(crate) fn has_host(&self, door: Door, host: &str) -> bool {
        self.at(door).iter().any(|name| name.host == host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(said: &str) -> Result<Name, String> {
        Name::try_from(said.to_owned())
    }

    #[test]
    fn a_name_is_an_origin_and_nothing_more() {
        for (said, origin, authority) in [
            ("https://bailey.example.org", "https://bailey.example.org", "bailey.example.org"),
            ("https://bailey.example.org:443", "https://bailey.example.org", "bailey.example.org"),
            ("https://bailey.example.org:8443", "https://bailey.example.org:8443", "bailey.example.org:8443"),
            ("http://bailey.localhost:7447", "http://bailey.localhost:7447", "bailey.localhost:7447"),
        ] {
            let name = name(said).unwrap();
            assert_eq!((name.origin(), name.authority()), (origin, authority), "{said}");
        }
        for bad in [
            "bailey.example.org",
            "http://bailey.example.org",
            "https://bailey.example.org/",
            "https://Bailey.example.org",
            "https://10.0.0.1",
            "https://0x7f.1",
            "https://[::1]",
            "https://bailey.example.org:0",
            "https://bailey.example.org:0443",
            "https://me@bailey.example.org",
            "https://*.example.org",
            "https://",
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_tls_count_at_no_other_door() {
        let key = HomeKey::take_over(&mut [7; 48].as_slice()).unwrap();
        let mut gateway =
            GatewayConfig { names: vec![name("https://bailey.example.org").unwrap()], ..GatewayConfig::default() };
        let behind = Names::of(&key, &gateway).unwrap();
        assert!(
            behind.has_origin(Door::Plain, "https://bailey.example.org"),
            "something before the gateway speaks TLS"
        );
        gateway.tls_listen = Some("0.0.0.0:443".into());
        let names = Names::of(&key, &gateway).unwrap();
        assert!(names.has_origin(Door::Tls, "https://bailey.example.org"));
        assert!(!names.has_origin(Door::Plain, "https://bailey.example.org"));
        assert!(!names.has_host(Door::Plain, "bailey.example.org"));
        let own = names.origins().get(1).unwrap().clone();
        assert!(own.starts_with("http://b-") && own.ends_with(".localhost:7447") && own.len() == 56, "{own}");
        assert!(names.has_origin(Door::Plain, &own) && !names.has_origin(Door::Tls, &own));
        let other = HomeKey::take_over(&mut [8; 48].as_slice()).unwrap();
        assert!(!Names::of(&other, &gateway).unwrap().origins().contains(&own), "another home has another name");
    }
}
