//! What the account's own server found out about a mail's sender: `Authentication-Results` (RFC 8601).
//!
//! Anybody can write this field. It counts only where the account's own server put it: it names that server, and stands above all that
//! the message came with. Servers put their fields on top (RFC 8601, 5), some of them below their own `Received`: so those above the first
//! `Received` count, else the first below it, as long as no other server's `Received` stands between.

use serde::Serialize;

use crate::address::addresses;
use crate::fields::Fields;

/// Most results that are told of.
const MAX_RESULTS: usize = 20;

/// One method's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// `spf`, `dkim`, `dmarc`, …
    pub method: String,
    /// `pass`, `fail`, `none`, …
    pub result: String,
    /// Properties that were checked: `header.d=example.org`, `smtp.mailfrom=…`.
    pub properties: Vec<String>,
}

impl Checked {
    /// Returns the value of a property: `header.d`.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        let pairs = self.properties.iter().filter_map(|property| property.split_once('='));
        pairs.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches('"'))
    }
}

/// Reads what the servers named by `own` found. `own` are names of servers or domains; a server within one of the domains counts.
#[must_use]
pub fn authentication(fields: &Fields, own: &[String]) -> Vec<Checked> {
    let is_own = |host: &str| {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        own.iter()
            .map(|domain| domain.to_ascii_lowercase())
            .any(|domain| host == domain || host.ends_with(&format!(".{domain}")))
    };
    let (mut out, mut received, mut seen) = (Vec::new(), false, false);
    for (name, value) in fields.iter() {
        let value = fields.line(value);
        match name {
            "received" if received_by(&value).is_none_or(|host| !is_own(&host)) => break,
            // What stands below may have come with the message: one field at most is not.
            "received" if seen => break,
            "received" => received = true,
            "authentication-results" => {
                let value = without_quoted(&without_comments(&value));
                let mut parts = value.split(';');
                let server = parts.next().unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned();
                if is_own(&server) {
                    seen = true;
                    out.extend(parts.filter_map(result));
                    if received {
                        break;
                    }
                }
            }
            _ => {}
        }
        if out.len() >= MAX_RESULTS {
            break;
        }
    }
    out.truncate(MAX_RESULTS);
    out
}

/// Leaves out what stands in quotation marks (RFC 5322, 3.2.4): its sender may have written it.
fn without_quoted(value: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::with_capacity(value.len()), false, false);
    for c in value.chars() {
        match (quoted, escaped, c) {
            (true, true, _) => escaped = false,
            (true, false, '\\') => escaped = true,
            (_, false, '"') => quoted = !quoted,
            (false, ..) => out.push(c),
            (true, ..) => {}
        }
    }
    out
}

/// Tells whether the account's own server found that a message came from the domain of its author: by DMARC, or by a signature or an
/// envelope of that domain or one of the same owner (RFC 7489, 3.1). A message of several authors is nobody's.
#[must_use]
pub fn sender_is_proven(fields: &Fields, own: &[String]) -> bool {
    let from = addresses(fields, "from").all;
    let once = fields.iter().filter(|(name, _)| *name == "from").count() == 1;
    let [author] = from.as_slice() else { return false };
    let Some((_, author)) = author.address.rsplit_once('@').filter(|_| once) else { return false };
    let fits = |domain: Option<&str>| {
        let domain = domain.map(|text| text.rsplit_once('@').map_or(text, |(_, domain)| domain));
        domain.is_some_and(|domain| same_owner(domain, author))
    };
    let checked = authentication(fields, own);
    let of = |method: &'static str| checked.iter().filter(move |one| one.method == method);
    let passed = |one: &&Checked| one.result == "pass";
    if of("dmarc").any(|one| one.result != "none") {
        let about_author = |one: &Checked| one.property("header.from").is_none_or(|domain| fits(Some(domain)));
        return of("dmarc").all(|one| passed(&one) && about_author(one));
    }
    of("dkim").filter(passed).any(|one| fits(one.property("header.d").or_else(|| one.property("header.i"))))
        || of("spf").filter(passed).any(|one| fits(one.property("smtp.mailfrom")))
}

/// Tells whether two domains are those of one owner: the same, or beneath the same registered name.
fn same_owner(one: &str, other: &str) -> bool {
    let registered = |domain: &str| {
        let domain = domain.trim_end_matches('.').to_ascii_lowercase();
        psl::domain_str(&domain).map_or_else(|| domain.clone(), str::to_owned)
    };
    !one.is_empty() && registered(one) == registered(other)
}

/// Providers that sign with another domain than their addresses and servers have: a server's ending, and the name they sign with.
const SIGN_AS: [(&str, &str); 8] = [
    ("gmail.com", "google.com"),
    ("googlemail.com", "google.com"),
    ("office365.com", "outlook.com"),
    ("yahoo.com", "yahoo.com"),
    ("me.com", "icloud.com"),
    ("fastmail.com", "messagingengine.com"),
    ("web.de", "gmx.net"),
    ("gmx.de", "gmx.net"),
];

/// Names the domains of an account's own servers: that of the server it is read from, and what its provider signs with.
#[must_use]
pub fn own_servers(imap_host: &str) -> Vec<String> {
    let host = imap_host.trim_end_matches('.').to_ascii_lowercase();
    let registered = psl::domain(host.as_bytes()).map(|domain| String::from_utf8_lossy(domain.as_bytes()).into_owned());
    let domain = registered.unwrap_or(host);
    let signs = SIGN_AS.iter().filter(|(ending, _)| *ending == domain).map(|(_, name)| (*name).to_owned());
    let mut all: Vec<String> = signs.collect();
    all.push(domain);
    all
}

/// Returns the server that wrote a `Received`: the name behind `by`. An address without a name is nobody's.
fn received_by(value: &str) -> Option<String> {
    let plain = without_comments(value);
    let mut words = plain.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("by"))?;
    words.next().map(|host| host.trim_end_matches(';').to_owned())
}

fn result(part: &str) -> Option<Checked> {
    let mut words = part.split_whitespace();
    let (method, result) = words.next()?.split_once('=')?;
    let plain = |text: &str| crate::short(&text.to_ascii_lowercase(), 100);
    let method = method.split('/').next().unwrap_or(method);
    let properties =
        words.filter(|word| word.contains('=') && word.contains('.')).take(8).map(|word| crate::short(word, 200));
    Some(Checked { method: plain(method), result: plain(result), properties: properties.collect() })
}

fn without_comments(value: &str) -> String {
    let mut depth = 0_u32;
    let (mut quoted, mut escaped) = (false, false);
    value
        .chars()
        .filter(|c| {
            let was_escaped = escaped;
            escaped = *c == '\\' && !was_escaped;
            if was_escaped {
                return depth == 0;
            }
            match c {
                '"' if depth == 0 => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted && depth > 0 => {
                    depth -= 1;
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Vec<String> {
        let own = ["mx.home.example".to_owned(), "provider.example".to_owned()];
        let found = authentication(&Fields::split(format!("{header}\r\n\r\n").as_bytes()).0, &own);
        found
            .into_iter()
            .map(|one| format!("{}={} {}", one.method, one.result, one.properties.join(" ")).trim_end().to_owned())
            .collect()
    }

    const OURS: &str = "Authentication-Results: mx.home.example (a comment; spf=fail);\r\n spf=pass smtp.mailfrom=ana@example.org;\r\n dkim=pass header.d=example.org; dmarc=pass header.from=example.org";

    #[test]
    fn what_the_own_server_found_counts() {
        assert_eq!(
            of(OURS),
            [
                "spf=pass smtp.mailfrom=ana@example.org",
                "dkim=pass header.d=example.org",
                "dmarc=pass header.from=example.org"
            ]
        );
        assert_eq!(
            of(&format!("Received: from x by mx.home.example; today\r\n{OURS}\r\nReceived: from y by evil.example"))
                .len(),
            3
        );
        assert_eq!(of("Authentication-Results: a.provider.example; spf=none"), ["spf=none"]);
        assert_eq!(of("Authentication-Results: mx.home.example; none"), Vec::<String>::new());
    }

    #[test]
    fn a_sender_is_proven_by_what_the_own_server_found_of_their_domain() {
        let own = ["mx.home.example".to_owned()];
        let proven = |found: &str, from: &str| {
            let header = format!("Authentication-Results: mx.home.example; {found}\r\nFrom: {from}\r\n\r\n");
            sender_is_proven(&Fields::split(header.as_bytes()).0, &own)
        };
        let ana = "Ana <ana@corp.example.org>";
        for found in [
            "dmarc=pass header.from=corp.example.org",
            "spf=fail; dkim=fail; dmarc=pass (p=none) header.from=corp.example.org",
            "dkim=pass header.d=example.org",
            "dkim=fail header.d=example.org; dkim=pass header.i=@mail.example.org",
            "spf=pass smtp.mailfrom=bounce@mail.example.org",
            "dmarc=none header.from=corp.example.org; dkim=pass header.d=corp.example.org",
        ] {
            assert!(proven(found, ana), "{found}");
        }
        for found in [
            "none",
            "dmarc=fail header.from=corp.example.org; dkim=pass header.d=example.org",
            "dmarc=pass header.from=other.example.net",
            "dkim=pass header.d=mailer.example.net",
            "dkim=pass header.d=org",
            "spf=pass smtp.mailfrom=eve@evil.example.net",
            "spf=softfail smtp.mailfrom=ana@example.org",
            "dkim=pass",
        ] {
            assert!(!proven(found, ana), "{found}");
        }
        for from in ["ana@example.org, eve@example.org", "Ana", "ana@example.org\r\nFrom: eve@example.org", "<>"] {
            assert!(!proven("dkim=pass header.d=example.org", from), "{from}");
        }
    }

    #[test]
    fn own_servers_are_those_of_the_provider() {
        assert_eq!(own_servers("imap.gmail.com"), ["google.com", "gmail.com"]);
        assert_eq!(own_servers("mail.example.co.uk"), ["example.co.uk"]);
        assert_eq!(own_servers("localhost"), ["localhost"]);
    }

    #[test]
    fn what_a_sender_writes_in_the_name_of_the_own_server_does_not_count_beside_it() {
        let forged = "Authentication-Results: mx.home.example; dmarc=pass header.from=bank.example";
        let ours = "Authentication-Results: mx.home.example; dmarc=fail header.from=bank.example";
        let received = "Received: from x by mx.home.example; today";
        let fails = ["dmarc=fail header.from=bank.example"];
        assert_eq!(of(&format!("{received}\r\n{ours}\r\n{forged}")), fails);
        assert_eq!(of(&format!("{ours}\r\n{received}\r\n{forged}")), fails);
        // A server that writes two fields writes both above.
        let spf = "Authentication-Results: mx.home.example; spf=none";
        assert_eq!(of(&format!("{ours}\r\n{spf}\r\n{received}\r\n{forged}")), [fails[0], "spf=none"]);
        assert_eq!(of(&format!("{received}\r\n{ours}\r\n{received}\r\n{forged}")), fails);
    }

    #[test]
    fn what_others_wrote_does_not() {
        assert_eq!(of("Authentication-Results: evil.example; spf=pass"), Vec::<String>::new());
        assert_eq!(of("Authentication-Results: notmx.home.example.evil.net; spf=pass"), Vec::<String>::new());
        // Under a Received of somebody else, whatever it calls itself.
        assert_eq!(of(&format!("Received: from x by relay.evil.example; today\r\n{OURS}")), Vec::<String>::new());
        assert_eq!(of(&format!("Received: from x\r\n{OURS}")), Vec::<String>::new());
        assert_eq!(
            of(&format!("Received: from a (by mx.home.example) by evil.example\r\n{OURS}")),
            Vec::<String>::new()
        );
    }
}
