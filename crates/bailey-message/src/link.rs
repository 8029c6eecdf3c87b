//! Where a link leads, and whether what is shown of it says something else.

use serde::Serialize;

use crate::address::both_forms;
use crate::params::percent_decoded;

/// Characters of a target that are told; of a longer one its beginning, and the host it leads to.
const MAX_TARGET: usize = 1_000;
/// Characters of a host that are told, from its end: whose it is stands there. Real ones have 253 (RFC 1035, 2.3.4).
const MAX_HOST: usize = 300;
/// How often a target that wraps another is looked into.
const MAX_WRAPPED: usize = 3;

/// A link whose words name another place than it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misleading {
    /// The place that is shown.
    pub shown: String,
    /// The place it leads to.
    pub leads_to: String,
    /// The whole target.
    pub target: String,
}

/// A link as it is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The target, where it says more than the words.
    pub(crate) target: Option<String>,
    pub(crate) misleading: Option<Misleading>,
}

/// Looks at a link: the words that are shown, and where it leads.
pub(crate) fn look(shown: &str, href: &str) -> Told {
    let href: String = href.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let nothing = Told { target: None, misleading: None };
    if href.is_empty() || href.starts_with('#') {
        return nothing;
    }
    let lower = href.to_ascii_lowercase();
    let target = as_told(&href);
    if let Some(rest) = strip(&href, "mailto:") {
        return mail(shown, rest, target);
    }
    if let Some(rest) = strip(&href, "tel:").or_else(|| strip(&href, "sms:")) {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let (said, meant) = (digits(shown), digits(rest));
        let same = !said.is_empty() && (meant.ends_with(said.trim_start_matches('0')) || said == meant);
        return Told { target: (!same).then_some(target), misleading: None };
    }
    if ["javascript:", "data:", "vbscript:", "file:"].iter().any(|scheme| lower.starts_with(scheme)) {
        let leads_to = format!("a {} address", lower.split(':').next().unwrap_or_default());
        let misleading = place_shown(shown).map(|place| Misleading { shown: place, leads_to, target: target.clone() });
        return Told { target: Some(target), misleading };
    }
    let Some(leads) = host(&href) else {
        // Relative: it leads nowhere in a mail.
        return if shown.contains(&href) { nothing } else { Told { target: Some(target), misleading: None } };
    };
    let real = unwrapped(&href);
    let real_host = real.as_deref().and_then(host);
    let misleading = place_shown(shown).and_then(|place| {
        let fits = |host: &str| same_site(&place, host);
        let ok = fits(&leads) || real_host.as_deref().is_some_and(fits);
        let leads_to = real_host.as_deref().unwrap_or(&leads);
        (!ok).then(|| Misleading { shown: place.clone(), leads_to: both_names(leads_to), target: target.clone() })
    });
    let says_it = essence(shown) == essence(&href);
    let mut told = target;
    if let (Some(real), false) = (&real, says_it) {
        told = format!("{} (by way of {})", as_told(real), host_as_told(&leads));
    } else if !says_it && leads.split('.').any(|label| label.starts_with("xn--")) {
        told = format!("{told} ({})", host_as_told(&leads));
    }
    Told { target: (!says_it).then_some(told), misleading }
}

/// Returns a target as it is told: whole, or its beginning with how long it is and where it leads, which no length hides.
fn as_told(url: &str) -> String {
    let plain = crate::invisible::without(url).0;
    let count = plain.chars().count();
    if count <= MAX_TARGET {
        return plain;
    }
    let begins: String = plain.chars().take(MAX_TARGET).collect();
    let mail = strip(url, "mailto:").map(|rest| rest.split('?').next().unwrap_or_default());
    let leads = host(url).or_else(|| Some(mail?.rsplit_once('@')?.1.to_owned()));
    let leads = leads.map(|leads| format!(", and leads to {}", host_as_told(&leads))).unwrap_or_default();
    format!("{begins}… (cut here; it has {count} characters{leads})")
}

/// Returns a host in both its forms, its end where it is longer than hosts are.
fn host_as_told(host: &str) -> String {
    let both = both_names(host);
    let extra = both.chars().count().saturating_sub(MAX_HOST);
    if extra == 0 { both } else { format!("…{}", both.chars().skip(extra).collect::<String>()) }
}

fn strip<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(scheme.len())?;
    begin.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn mail(shown: &str, rest: &str, target: String) -> Told {
    let address = rest.split('?').next().unwrap_or_default();
    let address = String::from_utf8_lossy(&percent_decoded(address)).into_owned();
    let (address, _) = both_forms(address.trim());
    let said: Vec<String> = shown
        .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"'))
        .filter(|word| word.contains('@') && !word.starts_with('@') && !word.ends_with('@'))
        .map(|word| both_forms(strip(word, "mailto:").unwrap_or(word).trim_end_matches(['.', ':'])).0)
        .collect();
    let same = said.iter().any(|word| word.eq_ignore_ascii_case(&address));
    let misleading = said.first().filter(|_| !same && !address.is_empty()).map(|word| Misleading {
        shown: word.clone(),
        leads_to: address.clone(),
        target: target.clone(),
    });
    let more = rest.contains('?');
    Told { target: (!same || more).then_some(target), misleading }
}

/// Returns what of an address on the web is the same however it is written.
fn essence(text: &str) -> String {
    let text = text.trim();
    let text = strip(text, "https://").or_else(|| strip(text, "http://")).unwrap_or(text);
    let (host, rest) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
    let host = host.to_ascii_lowercase();
    format!("{}{}", host.strip_prefix("www.").unwrap_or(&host), rest.trim_end_matches('/'))
}

/// Returns the host that a browser would ask (WHATWG URL): behind `//`, and behind the last `@`.
fn host(url: &str) -> Option<String> {
    let url = url.replace('\\', "/");
    let rest = strip(&url, "https:")
        .or_else(|| strip(&url, "http:"))
        .or_else(|| strip(&url, "ftp:"))
        .or_else(|| url.starts_with("//").then_some(url.as_str()))?;
    let rest = rest.trim_start_matches('/');
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or_default() };
    let host = String::from_utf8_lossy(&percent_decoded(host)).into_owned();
    let host = idna::domain_to_ascii(host.trim_end_matches('.')).unwrap_or_else(|_| host.to_ascii_lowercase());
    (!host.is_empty()).then_some(host)
}

fn both_names(host: &str) -> String {
    let (letters, readable) = idna::domain_to_unicode(host);
    if readable.is_ok() && letters != host { format!("{host}, written {letters}") } else { host.to_owned() }
}

/// Endings that are those of files as well as of places: bare, they name no place.
const FILES: [&str; 16] =
    ["zip", "mov", "md", "rs", "py", "sh", "pl", "so", "ps", "app", "me", "it", "in", "is", "do", "cc"];

/// Returns the place that words name, if they name one: an address on the web, or a name of one under a domain that there is.
fn place_shown(shown: &str) -> Option<String> {
    let words = shown.split(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '"' | '\u{201c}' | '\u{201d}' | ',' | '|' | '[' | ']')
    });
    words.take(50).find_map(|word| {
        let word = word.trim_matches(|c: char| {
            matches!(c, '.' | ':' | ';' | '!' | '?' | '\'' | '*' | '\u{2026}' | '\u{bb}' | '\u{203a}' | '\u{2192}')
        });
        if strip(word, "http://").or_else(|| strip(word, "https://")).is_some() {
            return host(word).filter(|host| host.contains('.'));
        }
        if word.contains('@') {
            return None;
        }
        let bare = word.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let name = idna::domain_to_ascii(bare).ok()?;
        let last = name.rsplit('.').next()?;
        let labels = name.split('.').count();
        let starts_so = name.starts_with("www.");
        let plain = name
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        let exists = psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known());
        // `E.g.`, `Ltd.Sales` and `notes.md` name no place.
        let telling = starts_so || word.len() > bare.len() || labels > 2 || !FILES.contains(&last);
        let long_enough = name.split('.').rev().nth(1).is_some_and(|label| label.len() > 1 || starts_so);
        let sure = labels > 1
            && plain
            && telling
            && long_enough
            && (exists || starts_so || word.contains(".example/") || last == "example");
        sure.then_some(name)
    })
}

/// Tells whether two hosts belong to one registered domain, so that one may stand for the other.
fn same_site(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_start_matches("www."), other.trim_start_matches("www."));
    let registered =
        |name: &str| psl::domain(name.as_bytes()).map(|domain| String::from_utf8_lossy(domain.as_bytes()).into_owned());
    one == other || matches!((registered(one), registered(other)), (Some(one), Some(other)) if one == other)
}

/// Returns the target within a target, where a mail system has wrapped it: that of a scanner, or of a search engine's redirect.
fn unwrapped(url: &str) -> Option<String> {
    let mut found: Option<String> = None;
    for _ in 0..MAX_WRAPPED {
        let current = found.as_deref().unwrap_or(url);
        let host = host(current)?;
        let inner = if host.ends_with(".safelinks.protection.outlook.com") {
            parameter(current, "url")
        } else if matches!(host.as_str(), "www.google.com" | "google.com") && current.contains("/url?") {
            parameter(current, "q").or_else(|| parameter(current, "url"))
        } else if host.ends_with("urldefense.com") || host.ends_with("urldefense.proofpoint.com") {
            current
                .split_once("/v3/__")
                .and_then(|(_, rest)| rest.split_once("__;"))
                .map(|(inner, _)| inner.replace("*", ""))
                .or_else(|| {
                    parameter(current, "u").map(|inner| {
                        String::from_utf8_lossy(&percent_decoded(&inner.replace('-', "%").replace('_', "/")))
                            .into_owned()
                    })
                })
        } else if host == "l.facebook.com" || host == "lm.facebook.com" {
            parameter(current, "u")
        } else {
            None
        };
        match inner.filter(|inner| self::host(inner).is_some()) {
            Some(inner) => found = Some(inner),
            None => break,
        }
    }
    found
}

fn parameter(url: &str, wanted: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    let value = query.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == wanted))?.1;
    Some(String::from_utf8_lossy(&percent_decoded(value)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_shows_another_place_is_pointed_out() {
        for (shown, href, place, leads) in [
            ("http://good.example/account", "http://evil.example/x", "good.example", "evil.example"),
            ("www.mybank.com", "https://mybank.com.evil.net/login", "www.mybank.com", "mybank.com.evil.net"),
            ("Go to paypal.com now", "https://paypa1.com/", "paypal.com", "paypa1.com"),
            ("https://good.example", "https://good.example@evil.example/", "good.example", "evil.example"),
            ("https://good.example", "https:\\\\evil.example\\x", "good.example", "evil.example"),
            ("https://good.example", "//evil.example", "good.example", "evil.example"),
            ("ana@example.org", "mailto:eve@evil.example", "ana@example.org", "eve@evil.example"),
            ("victim.github.io", "https://evil.github.io/", "victim.github.io", "evil.github.io"),
            ("bbc.co.uk/news", "https://evil.co.uk/", "bbc.co.uk", "evil.co.uk"),
            ("https://good.example/", "javascript:alert(1)", "good.example", "a javascript address"),
            (
                "https://good.example/",
                "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example%2F&data=1",
                "good.example",
                "evil.example",
            ),
        ] {
            let misleading = look(shown, href).misleading;
            let misleading = misleading.unwrap_or_else(|| panic!("{shown} {href}"));
            assert_eq!((misleading.shown.as_str(), misleading.leads_to.as_str()), (place, leads), "{shown}");
        }
        let lookalike = look("https://аррӏе.com", "https://evil.example").misleading.unwrap();
        assert!(lookalike.shown.starts_with("xn--"), "{lookalike:?}");
    }

    #[test]
    fn nothing_is_said_where_nothing_is_wrong() {
        for (shown, href) in [
            ("ana@example.org", "mailto:ana@example.org"),
            ("Ana <ana@example.org>", "mailto:Ana@example.org?subject=x"),
            ("Write to us", "mailto:info@example.org"),
            ("https://example.org/", "https://example.org"),
            ("example.org", "http://www.example.org/"),
            ("shop.example.com/offer", "https://click.shop.example.com/t/123"),
            ("www.example.com", "https://links.example.com/abc"),
            ("Read more", "https://tracker.example.net/x"),
            ("notes.md", "https://drive.example.net/1"),
            ("Report.pdf", "https://drive.example.net/1"),
            ("e.g. this", "https://a.example.net/"),
            ("Version 1.2.3", "https://a.example.net/"),
            ("Node.js guide", "https://nodejs.example/"),
            ("good.example", "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fgood.example%2F"),
            ("https://good.example/x", "https://urldefense.com/v3/__https://good.example/x__;!!abc!def$"),
            ("https://good.example/x", "https://www.google.com/url?q=https%3A%2F%2Fgood.example%2Fx&source=gmail"),
            ("+49 30 123456", "tel:+4930123456"),
            ("Top", "#top"),
            ("https://exämple.org", "https://xn--exmple-cua.org/"),
        ] {
            assert_eq!(look(shown, href).misleading, None, "{shown} {href}");
        }
    }

    #[test]
    fn a_target_of_any_length_is_told_with_the_host_it_leads_to() {
        let long = "a".repeat(5_000);
        for href in [
            format!("https://evil.example/{long}"),
            format!("https://good.example.{long}@evil.example/"),
            format!("https://{long}:x@evil.example"),
            format!("https://{}evil.example/x", "a.".repeat(3_000)),
            format!("mailto:{long}@evil.example"),
            format!("https://www.google.com/url?q=https%3A%2F%2Fgood.example{long}%40evil.example%2F"),
        ] {
            let told = look("Open", &href).target.unwrap();
            assert!(told.contains("(cut here; it has ") && told.contains("evil.example"), "{told}");
            assert!(told.chars().count() < 2_000 && told.starts_with(&href[..6]), "{told}");
        }
        let told = look("Open", &format!("data:text/html,{long}")).target.unwrap();
        assert!(told.ends_with("(cut here; it has 5015 characters)"), "{told}");
        let short = format!("https://good.example/{}", "a".repeat(900));
        assert_eq!(look("Open", &short).target, Some(short));
    }

    #[test]
    fn the_target_is_told_where_it_says_more() {
        for (shown, href, target) in [
            ("https://example.org/", "https://example.org", None),
            ("ana@example.org", "mailto:ana@example.org", None),
            ("Read more", "https://example.org/a", Some("https://example.org/a")),
            ("Write", "mailto:a@example.org", Some("mailto:a@example.org")),
            ("Call", "tel:123", Some("tel:123")),
            ("Top", "#top", None),
            ("x", "", None),
        ] {
            assert_eq!(look(shown, href).target.as_deref(), target, "{shown}");
        }
        let told =
            look("Open", "https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fgood.example%2Fdoc&data=1")
                .target;
        assert_eq!(
            told.as_deref(),
            Some("https://good.example/doc (by way of nam02.safelinks.protection.outlook.com)")
        );
    }
}
