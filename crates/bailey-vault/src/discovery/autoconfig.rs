//! What a provider says of its mail servers, as mail programs ask for it ("Mail Autoconfig", draft-ietf-mailmaint-autoconfig): read, and
//! believed no further than a name, a port and a way to be secure.

use bailey_gate::family::text::Address;
use quick_xml::events::{BytesStart, Event};

use crate::settings::Server;

/// Longest settings read, in bytes: those of large providers take a tenth.
pub(crate) const MAX_CONFIG_BYTES: usize = 64 * 1024;
/// Most servers taken of one.
const MAX_SERVERS: usize = 16;
/// Longest name of a server (RFC 1035, 2.3.4).
const MAX_NAME_BYTES: usize = 253;
/// Longest name to sign in with that is repeated, in characters.
const MAX_USER_CHARS: usize = 100;

/// A server that a provider names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Tells whether mail is read there; else it is handed in there.
    pub incoming: bool,
    /// Where.
    pub server: Server,
    /// Who signs in.
    pub user: String,
}

/// What one `incomingServer` or `outgoingServer` said so far.
#[derive(Default)]
struct Named {
    incoming: bool,
    host: String,
    port: String,
    socket: String,
    user: String,
}

impl Named {
    /// Begins one that speaks a protocol we do.
    fn begun(start: &BytesStart<'_>, name: &str) -> Option<Self> {
        let kind = start.attributes().flatten().find(|one| one.key.local_name().as_ref() == "type");
        let kind = kind.map(|one| one.value.to_lowercase()).unwrap_or_default();
        match (name, kind.as_str()) {
            ("incomingServer", "imap") => Some(Self { incoming: true, ..Self::default() }),
            ("outgoingServer", "smtp") => Some(Self::default()),
            _ => None,
        }
    }

    fn take(&mut self, field: &str, text: &str) {
        match field {
            "hostname" => self.host.push_str(text),
            "port" => self.port.push_str(text),
            "socketType" => self.socket.push_str(text),
            "username" => self.user.push_str(text),
            _ => {}
        }
    }

    /// Returns the server, where it is one that can be talked to in secret.
    fn server(self, address: &Address) -> Option<Offered> {
        let (local, domain) = address.as_str().rsplit_once('@')?;
        let filled = |text: &str| {
            text.replace("%EMAILADDRESS%", address.as_str())
                .replace("%EMAILLOCALPART%", local)
                .replace("%EMAILDOMAIN%", domain)
        };
        let host = filled(self.host.trim()).to_ascii_lowercase();
        let starttls = match self.socket.trim().to_ascii_uppercase().as_str() {
            "SSL" | "TLS" => false,
            "STARTTLS" => true,
            _ => return None,
        };
        let port = self.port.trim().parse().ok().filter(|port| *port != 0)?;
        let user = filled(self.user.trim()).chars().filter(|c| !c.is_control()).take(MAX_USER_CHARS).collect();
        let server = Server { host, port, tls: !starttls, starttls };
        is_name(&server.host).then_some(Offered { incoming: self.incoming, server, user })
    }
}

/// Tells whether it can be the name of a server (RFC 1123, 2.1).
pub(crate) fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
    };
    host.len() <= MAX_NAME_BYTES && host.split('.').all(label)
}

/// Reads a provider's settings, as far as they can be read: the servers they name, in the order they are named in.
#[must_use]
pub fn read_config(xml: &[u8], address: &Address) -> Vec<Offered> {
    let xml = String::from_utf8_lossy(xml.get(..MAX_CONFIG_BYTES).unwrap_or(xml));
    let mut reader = quick_xml::Reader::from_str(&xml);
    let (mut out, mut now, mut within) = (Vec::new(), None::<Named>, Vec::<String>::new());
    while out.len() < MAX_SERVERS {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.local_name().as_ref().to_owned();
                if now.is_none() {
                    now = Named::begun(&start, &name);
                }
                within.push(name);
            }
            Ok(Event::End(_)) => {
                let ended = within.pop();
                if ended.is_some_and(|name| name.ends_with("Server")) {
                    out.extend(now.take().and_then(|named| named.server(address)));
                }
            }
            Ok(Event::Text(text)) => {
                if let (Some(named), Some(field)) = (&mut now, within.last()) {
                    named.take(field, &text.xml10_content());
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Vec<(bool, String, u16, bool, String)> {
        let address = Address::read("me@example.org").unwrap();
        let each = |one: Offered| (one.incoming, one.server.host, one.server.port, one.server.tls, one.user);
        read_config(xml.as_bytes(), &address).into_iter().map(each).collect()
    }

    #[test]
    fn settings_of_a_provider_name_its_secure_servers_in_order() {
        let server = |tag: &str, kind: &str, host: &str, port: &str, socket: &str| {
            format!(
                "<{tag} type=\"{kind}\"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>\n<username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></{tag}>"
            )
        };
        let servers = [
            server("incomingServer", "pop3", "pop.example.org", "995", "SSL"),
            server("incomingServer", "imap", "imap.%EMAILDOMAIN%", "993", "SSL"),
            server("incomingServer", "imap", "old.example.org", "143", "plain"),
            server("outgoingServer", "smtp", " Smtp.Host.example ", "587", "STARTTLS"),
            server("outgoingServer", "smtp", "no name", "465", "SSL"),
            server("outgoingServer", "smtp", "smtp.example.org", "0", "SSL"),
            server("outgoingServer", "smtp", "smtp.example.org/path", "465", "SSL"),
        ];
        let xml = format!(
            "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><clientConfig version=\"1.1\"><emailProvider id=\"example.org\"><domain>example.org</domain>{}</emailProvider></clientConfig>",
            servers.concat()
        );
        assert_eq!(
            read(&xml),
            [
                (true, "imap.example.org".into(), 993, true, "me@example.org".into()),
                (false, "smtp.host.example".into(), 587, false, "me@example.org".into()),
            ]
        );
        assert_eq!(read(&xml.replace("%EMAILADDRESS%", "%EMAILLOCALPART%"))[0].4, "me");
    }

    #[test]
    fn what_is_no_settings_names_nothing() {
        for xml in [
            "",
            "<html><body>not found",
            "<incomingServer type=\"imap\"><hostname>a</hostname>",
            "\u{0}\u{1}",
            "<a><b></a>",
        ] {
            assert_eq!(read(xml), [], "{xml}");
        }
        let one = "<incomingServer type=\"imap\"><hostname>a</hostname><port>1</port><socketType>SSL</socketType></incomingServer>";
        assert_eq!(read(&one.repeat(100)).len(), MAX_SERVERS);
    }
}
