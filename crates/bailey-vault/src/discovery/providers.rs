//! Large providers, whose servers are known beforehand: nobody has to be asked. From the providers' own help pages, 2026-11; none of
//! them could be asked here.

use bailey_gate::family::text::Address;

use super::{Found, FoundCollection, FoundServer, Origin};
use crate::settings::Server;

/// How a server is made secure.
#[derive(Clone, Copy)]
enum By {
    Tls,
    Starttls,
}

/// A provider.
struct Provider {
    /// Its domains; one that ends in a dot stands for every domain that begins so.
    domains: &'static [&'static str],
    imap: (&'static str, u16),
    submission: (&'static str, u16, By),
    /// Where its calendars are; `ADDRESS` stands for the person's.
    calendars: &'static str,
    /// Where its address books are.
    contacts: &'static str,
    /// Who vouches for tokens, where no password will do.
    issuer: Option<&'static str>,
    /// A remark that the person should see.
    note: &'static str,
}

const APP_PASSWORD: &str = "it takes an app password, which you make on its page of security settings";
const OWN_CLIENT: &str = "it takes no password: register a client there and sign in with --oauth and --client-id";

const PROVIDERS: &[Provider] = &[
    Provider {
        domains: &["gmail.com", "googlemail.com"],
        imap: ("imap.gmail.com", 993),
        submission: ("smtp.gmail.com", 465, By::Tls),
        calendars: "https://apidata.googleusercontent.com/caldav/v2/ADDRESS/events/",
        contacts: "https://www.googleapis.com/carddav/v1/principals/ADDRESS/lists/default/",
        issuer: Some("https://accounts.google.com"),
        note: "mail takes an app password or a browser (--oauth, --client-id); calendars and address books take a browser alone",
    },
    Provider {
        domains: &["outlook.", "hotmail.", "live.", "msn.com"],
        imap: ("outlook.office365.com", 993),
        submission: ("smtp-mail.outlook.com", 587, By::Starttls),
        calendars: "",
        contacts: "",
        issuer: Some("https://login.microsoftonline.com/common/v2.0"),
        note: OWN_CLIENT,
    },
    Provider {
        domains: &["icloud.com", "me.com", "mac.com"],
        imap: ("imap.mail.me.com", 993),
        submission: ("smtp.mail.me.com", 587, By::Starttls),
        calendars: "https://caldav.icloud.com/",
        contacts: "https://contacts.icloud.com/",
        issuer: None,
        note: APP_PASSWORD,
    },
    Provider {
        domains: &["yahoo.", "ymail.com", "rocketmail.com"],
        imap: ("imap.mail.yahoo.com", 993),
        submission: ("smtp.mail.yahoo.com", 465, By::Tls),
        calendars: "https://caldav.calendar.yahoo.com/",
        contacts: "https://carddav.address.yahoo.com/",
        issuer: None,
        note: APP_PASSWORD,
    },
    Provider {
        domains: &["aol.com"],
        imap: ("imap.aol.com", 993),
        submission: ("smtp.aol.com", 465, By::Tls),
        calendars: "",
        contacts: "",
        issuer: None,
        note: APP_PASSWORD,
    },
    Provider {
        domains: &["fastmail.com", "fastmail.fm"],
        imap: ("imap.fastmail.com", 993),
        submission: ("smtp.fastmail.com", 465, By::Tls),
        calendars: "https://caldav.fastmail.com/",
        contacts: "https://carddav.fastmail.com/",
        issuer: None,
        note: APP_PASSWORD,
    },
    Provider {
        domains: &["gmx.net", "gmx.de", "gmx.at", "gmx.ch"],
        imap: ("imap.gmx.net", 993),
        submission: ("mail.gmx.net", 465, By::Tls),
        calendars: "https://caldav.gmx.net/",
        contacts: "https://carddav.gmx.net/",
        issuer: None,
        note: "other programs have to be let in first, on its page of settings",
    },
    Provider {
        domains: &["gmx.com"],
        imap: ("imap.gmx.com", 993),
        submission: ("mail.gmx.com", 465, By::Tls),
        calendars: "",
        contacts: "",
        issuer: None,
        note: "other programs have to be let in first, on its page of settings",
    },
    Provider {
        domains: &["web.de"],
        imap: ("imap.web.de", 993),
        submission: ("smtp.web.de", 587, By::Starttls),
        calendars: "https://caldav.web.de/",
        contacts: "https://carddav.web.de/",
        issuer: None,
        note: "other programs have to be let in first, on its page of settings",
    },
    Provider {
        domains: &["mailbox.org"],
        imap: ("imap.mailbox.org", 993),
        submission: ("smtp.mailbox.org", 465, By::Tls),
        calendars: "https://dav.mailbox.org/caldav/",
        contacts: "https://dav.mailbox.org/carddav/",
        issuer: None,
        note: "",
    },
    Provider {
        domains: &["posteo.de", "posteo.net", "posteo.org"],
        imap: ("posteo.de", 993),
        submission: ("posteo.de", 465, By::Tls),
        calendars: "https://posteo.de:8443/",
        contacts: "https://posteo.de:8843/",
        issuer: None,
        note: "",
    },
    Provider {
        domains: &["t-online.de"],
        imap: ("secureimap.t-online.de", 993),
        submission: ("securesmtp.t-online.de", 465, By::Tls),
        calendars: "",
        contacts: "",
        issuer: None,
        note: "it takes a password for mail programs, which you make in its settings",
    },
    Provider {
        domains: &["orange.fr", "wanadoo.fr"],
        imap: ("imap.orange.fr", 993),
        submission: ("smtp.orange.fr", 465, By::Tls),
        calendars: "",
        contacts: "",
        issuer: None,
        note: "",
    },
];

fn is_of(provider: &Provider, domain: &str) -> bool {
    let is = |known: &&str| match known.strip_suffix('.') {
        // `yahoo.de` and `yahoo.co.uk`, and nobody's `yahoo.evil.example`.
        Some(begins) => domain.strip_prefix(begins).and_then(|rest| rest.strip_prefix('.')).is_some_and(is_ending),
        None => *known == domain,
    };
    provider.domains.iter().any(is)
}

/// Tells whether it is what a country's or the general domains end in.
fn is_ending(rest: &str) -> bool {
    matches!(rest, "com" | "net" | "org")
        || (rest.len() == 2 && rest.bytes().all(|byte| byte.is_ascii_lowercase()))
        || rest.strip_prefix("co.").or_else(|| rest.strip_prefix("com.")).is_some_and(|rest| rest.len() == 2)
}

/// Returns the servers of a provider that is known.
pub(super) fn known(address: &Address) -> Option<Found> {
    let domain = address.domain();
    let provider = PROVIDERS.iter().find(|provider| is_of(provider, domain))?;
    let server = |host: &str, port, by| {
        let starttls = matches!(by, By::Starttls);
        let server = Server { host: host.into(), port, tls: !starttls, starttls };
        Some(FoundServer { server, origin: Origin::Known, elsewhere: false, user: address.as_str().into() })
    };
    let collection = |url: &str| {
        let url = url.replace("ADDRESS", address.as_str());
        (!url.is_empty()).then_some(FoundCollection { url, origin: Origin::Known, elsewhere: false })
    };
    let (submission, port, by) = provider.submission;
    Some(Found {
        address: address.as_str().into(),
        imap: server(provider.imap.0, provider.imap.1, By::Tls),
        submission: server(submission, port, by),
        calendars: collection(provider.calendars),
        contacts: collection(provider.contacts),
        issuer: provider.issuer.map(str::to_owned),
        notes: (!provider.note.is_empty()).then(|| provider.note.to_owned()).into_iter().collect(),
    })
}

/// Returns where the calendars (`contacts` false) or address books of an account are at the provider that an issuer belongs to; nothing
/// where that is not known. Addresses of one's own domain have their account there, too.
#[must_use]
pub fn collection_of_issuer(issuer: &str, contacts: bool, account: &str) -> Option<FoundCollection> {
    let account = Address::read(account).ok()?;
    let provider = PROVIDERS.iter().find(|provider| provider.issuer == Some(issuer.trim_end_matches('/')))?;
    let url = if contacts { provider.contacts } else { provider.calendars };
    let url = url.replace("ADDRESS", account.as_str());
    (!url.is_empty()).then_some(FoundCollection { url, origin: Origin::Known, elsewhere: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imap_of(address: &str) -> Option<String> {
        known(&Address::read(address).unwrap()).and_then(|found| found.imap).map(|found| found.server.host)
    }

    #[test]
    fn providers_are_known_by_their_own_domains_and_by_no_others() {
        for (address, imap) in [
            ("me@gmail.com", Some("imap.gmail.com")),
            ("me@yahoo.co.uk", Some("imap.mail.yahoo.com")),
            ("me@hotmail.fr", Some("outlook.office365.com")),
            ("me@yahoo.evil.example", None),
            ("me@yahoo.com.example", None),
            ("me@evil-gmail.com", None),
            ("me@gmail.com.example", None),
            ("me@example.org", None),
        ] {
            assert_eq!(imap_of(address).as_deref(), imap, "{address}");
        }
        let found = known(&Address::read("me@gmail.com").unwrap()).unwrap();
        assert_eq!(
            found.calendars.unwrap().url,
            "https://apidata.googleusercontent.com/caldav/v2/me@gmail.com/events/"
        );
    }

    #[test]
    fn a_collection_is_known_by_the_provider_that_vouches_for_an_address_of_ones_own_domain() {
        let at = |issuer: &str, contacts| {
            collection_of_issuer(issuer, contacts, "me@example.org").map(|found| found.url).unwrap_or_default()
        };
        assert_eq!(
            at("https://accounts.google.com/", false),
            "https://apidata.googleusercontent.com/caldav/v2/me@example.org/events/"
        );
        assert!(at("https://accounts.google.com", true).ends_with("/principals/me@example.org/lists/default/"));
        assert_eq!(at("https://login.microsoftonline.com/common/v2.0", false), "", "it has none over CalDAV");
        assert_eq!(at("https://accounts.google.com.evil.example", false), "");
        assert_eq!(collection_of_issuer("https://accounts.google.com", false, "me"), None, "that is no address");
    }

    #[test]
    fn every_known_server_is_secure_and_every_address_ends_as_a_collection_has_to() {
        for provider in PROVIDERS {
            let domain = provider.domains.first().unwrap();
            let domain = if domain.ends_with('.') { format!("{domain}com") } else { (*domain).to_owned() };
            let found = known(&Address::read(&format!("me@{domain}")).unwrap()).unwrap();
            for one in [found.imap, found.submission].into_iter().flatten() {
                assert!(one.server.tls != one.server.starttls && super::super::autoconfig::is_name(&one.server.host));
            }
            for one in [found.calendars, found.contacts].into_iter().flatten() {
                assert!(one.url.starts_with("https://") && one.url.ends_with('/'), "{}", one.url);
            }
        }
    }
}
