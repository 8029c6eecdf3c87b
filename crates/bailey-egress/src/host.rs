//! Names of servers, read strictly: what two programs could read as two places is no name here.

use std::fmt;

/// Longest name and longest label of one, in bytes (RFC 1035, 2.3.4).
const MAX_HOST_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;
/// The ports of a scheme.
pub(crate) const HTTP_PORT: u16 = 80;
pub(crate) const HTTPS_PORT: u16 = 443;

/// Why a text names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It holds a name or a password before the host.
    #[error("it names an account before the host, which hides where it leads; leave out everything up to the `@`")]
    Account,
    /// It is an address, in whatever form.
    #[error("it is an address of a machine and not a name; use the server's name")]
    Address,
    /// It ends with a point.
    #[error("its name ends with a point, under which rules would not know it; leave out the point")]
    Point,
    /// Its port is none.
    #[error("its port is no number from 1 to 65535")]
    Port,
    /// It is no name of the public network.
    #[error("it is no name of a public server: letters, digits and hyphens, with points between, such as example.org")]
    Name,
}

/// The name of a public server: lower case letters, digits and hyphens, in at least two labels (RFC 1123, 2.1). Names in other
/// scripts come as browsers send them (`xn--…`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// Reads a name.
    ///
    /// # Errors
    /// Says why it is none. An address in any of its forms (`2130706433`, `0x7f.1`, `[::1]`) is none.
    pub fn read(text: &str) -> Result<Self, BadName> {
        if text.contains('@') {
            return Err(BadName::Account);
        }
        if text.starts_with('[') || text.contains(':') {
            return Err(BadName::Address);
        }
        if text.ends_with('.') {
            return Err(BadName::Point);
        }
        // What ends in a number is read as an address by browsers (WHATWG URL, "ends in a number").
        let top = text.rsplit('.').next().unwrap_or_default();
        if top.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(BadName::Address);
        }
        let name = text.to_ascii_lowercase();
        let label = |label: &str| {
            (1..=MAX_LABEL_BYTES).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        };
        let is_name = name.len() <= MAX_HOST_BYTES && name.contains('.') && name.split('.').all(label);
        is_name.then_some(Self(name)).ok_or(BadName::Name)
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// Returns its name, as addresses begin with it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Returns the port that is meant where none is named.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Http => HTTP_PORT,
            Self::Https => HTTPS_PORT,
        }
    }
}

/// A server and its port, spoken to in one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// How.
    pub scheme: Scheme,
    /// Whose name.
    pub host: HostName,
    /// Which port.
    pub port: u16,
}

impl Origin {
    /// Reads `HOST` or `HOST:PORT`.
    ///
    /// # Errors
    /// Says why it names no server.
    pub fn read(scheme: Scheme, text: &str) -> Result<Self, BadName> {
        let (host, port) = match text.rsplit_once(':') {
            // An address of the newer kind has colons of its own.
            Some((host, _)) if host.contains(':') => return Err(BadName::Address),
            Some((host, port)) => {
                let digits = !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()) && !port.starts_with('0');
                (host, digits.then(|| port.parse().ok()).flatten().ok_or(BadName::Port)?)
            }
            None => (text, scheme.port()),
        };
        Ok(Self { scheme, host: HostName::read(host)?, port })
    }

    /// Returns what the header `host` says of it: the port only where it is another than usual.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.port() { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_could_mean_another_place_are_refused() {
        for (text, why) in [
            ("good.example@evil.example", BadName::Account),
            ("good.example:80@evil.example", BadName::Port),
            ("[::1]", BadName::Address),
            ("[::ffff:127.0.0.1]:80", BadName::Address),
            ("::1", BadName::Address),
            ("127.0.0.1", BadName::Address),
            ("2130706433", BadName::Address),
            ("0x7f.1", BadName::Address),
            ("0177.0.0.1", BadName::Address),
            ("example.0x1", BadName::Address),
            ("example.org.", BadName::Point),
            ("example.org.:443", BadName::Point),
            ("example.org:", BadName::Port),
            ("example.org:0", BadName::Port),
            ("example.org:080", BadName::Port),
            ("example.org:65536", BadName::Port),
            ("example.org:+80", BadName::Port),
            ("localhost", BadName::Name),
            ("", BadName::Name),
            ("exa mple.org", BadName::Name),
            ("exa\u{430}mple.org", BadName::Name),
            ("example..org", BadName::Name),
            ("-a.example", BadName::Name),
            ("a_b.example", BadName::Name),
            ("example.org/path", BadName::Name),
            ("example.org\\path", BadName::Name),
            ("example.org%2e", BadName::Name),
        ] {
            assert_eq!(Origin::read(Scheme::Https, text), Err(why), "{text}");
        }
        assert_eq!(HostName::read(&format!("{}.example", "a".repeat(64))), Err(BadName::Name));
        let origin = Origin::read(Scheme::Https, "WWW.Example.org:8443").unwrap();
        assert_eq!(origin.to_string(), "https://www.example.org:8443");
        assert_eq!(Origin::read(Scheme::Http, "xn--exmple-cua.org:80").unwrap().authority(), "xn--exmple-cua.org");
    }

    proptest! {
        #[test]
        fn names_that_are_read_read_back_as_themselves(text in "[a-zA-Z0-9.:@\\[\\]_%/ -]{0,40}") {
            if let Ok(origin) = Origin::read(Scheme::Https, &text) {
                prop_assert_eq!(Origin::read(Scheme::Https, &origin.authority()), Ok(origin.clone()));
                prop_assert!(origin.host.as_str().parse::<std::net::IpAddr>().is_err());
            }
        }
    }
}
