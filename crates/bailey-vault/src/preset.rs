//! What providers call the things we ask for, and how far each keeps to what was asked.
//!
//! Sources: Google's "IMAP, POP, and SMTP" and OAuth for installed apps; Microsoft's "Authenticate an IMAP, POP or SMTP
//! connection using OAuth". Neither provider could be asked here: the names are theirs, the exchange is the standard's.

use bailey_gate::family::Level;

/// Returns the scopes a level needs, for a kind of account.
pub(crate) fn scopes(issuer: &str, kind: &str, level: Level) -> Vec<String> {
    let names: &[&str] = match (provider(issuer), kind, level) {
        // CalDAV and CardDAV have one scope each ("CalDAV API Developer's Guide", "CardDAV API").
        (Provider::Google, "calendar", _) => &["https://www.googleapis.com/auth/calendar"],
        (Provider::Google, "contacts", _) => &["https://www.googleapis.com/auth/carddav"],
        // Google knows one scope for IMAP and SMTP, and it is all of the mailbox.
        (Provider::Google, ..) => &["https://mail.google.com/"],
        (Provider::Microsoft, _, Level::Read | Level::Draft) => {
            &["https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"]
        }
        (Provider::Microsoft, _, Level::Send | Level::Full) => &[
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
            "offline_access",
        ],
        // No standard names scopes for CalDAV and CardDAV.
        (Provider::Other, "calendar" | "contacts", _) => &["offline_access"],
        (Provider::Other, _, Level::Read) => &["mail.read", "offline_access"],
        (Provider::Other, _, Level::Draft) => &["mail.read", "mail.draft", "offline_access"],
        (Provider::Other, _, Level::Send) => &["mail.read", "mail.send", "offline_access"],
        (Provider::Other, _, Level::Full) => &["mail.full", "offline_access"],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Returns further parts of the sign-in address.
pub(crate) fn extras(issuer: &str) -> &'static [(&'static str, &'static str)] {
    match provider(issuer) {
        // Without `access_type` Google gives no refresh token, and without `prompt` none the second time.
        Provider::Google => &[("access_type", "offline"), ("prompt", "consent")],
        // Asked to consent anew, many organisations want an administrator; `offline_access` suffices.
        Provider::Microsoft => &[("prompt", "select_account")],
        // Some servers quietly leave out the refresh token unless the person is asked.
        Provider::Other => &[("prompt", "consent")],
    }
}

/// Returns the host of the address that the browser is sent back to. Microsoft lets any port through for `localhost` alone,
/// where the other is not entered by hand; the rest go by the address (RFC 8252, 7.3).
pub(crate) fn loopback(issuer: &str) -> &'static str {
    match provider(issuer) {
        Provider::Microsoft => "localhost",
        Provider::Google | Provider::Other => "127.0.0.1",
    }
}

/// Returns the issuer as it is asked: Microsoft's first version knows no scopes, so without a version the second is meant.
pub(crate) fn asked_as(issuer: &str) -> String {
    let issuer = issuer.trim_end_matches('/');
    match (provider(issuer), tenant(issuer)) {
        (Provider::Microsoft, None) if !issuer.trim_start_matches("https://").contains('/') => {
            format!("{issuer}/common/v2.0")
        }
        (Provider::Microsoft, None) => format!("{issuer}/v2.0"),
        _ => issuer.to_owned(),
    }
}

/// Tells whether a server asked for as `asked` may call itself `named`: by the same name (RFC 8414, 3.3); or, at Microsoft, by
/// the tenant's own identifier, or the place where it would stand, where it was asked for by another of the tenant's names.
/// Source: "OpenID Connect on the Microsoft identity platform", which says so of `common`, `organizations`, `consumers`.
pub(crate) fn is_issuer(asked: &str, named: &str) -> bool {
    let (asked, named) = (asked.trim_end_matches('/'), named.trim_end_matches('/'));
    if asked == named {
        return true;
    }
    let (Provider::Microsoft, Some(asked_tenant), Some(named_tenant)) = (provider(asked), tenant(asked), tenant(named))
    else {
        return false;
    };
    let is_named = |text: &str| text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let is_place = |text: &str| text.eq_ignore_ascii_case("{tenantid}");
    let same_host = host(asked) == host(named);
    // A tenant asked for by its identifier has one name, but for large and small letters.
    let fits = if is_named(asked_tenant) {
        asked_tenant.eq_ignore_ascii_case(named_tenant)
    } else {
        is_named(named_tenant) || is_place(named_tenant)
    };
    same_host && fits
}

/// Returns the tenant in `https://HOST/TENANT/v2.0`.
fn tenant(issuer: &str) -> Option<&str> {
    let (_, rest) = issuer.strip_prefix("https://")?.split_once('/')?;
    rest.strip_suffix("/v2.0").filter(|tenant| !tenant.is_empty() && !tenant.contains('/'))
}

fn host(issuer: &str) -> &str {
    issuer.strip_prefix("https://").unwrap_or_default().split('/').next().unwrap_or_default()
}

/// Returns what the provider does not keep to, so that only Bailey does; empty where it keeps to all of it.
#[must_use]
pub fn kept_by_bailey_alone(issuer: &str, kind: &str, level: Level) -> &'static str {
    match (provider(issuer), level) {
        (Provider::Other, Level::Read | Level::Draft | Level::Send) if kind != "mail" => {
            "no standard has permissions for part of a calendar or an address book, so the limits of this connection are kept by Bailey alone"
        }
        (Provider::Google, Level::Read | Level::Draft | Level::Send) => {
            "Google has one permission for all of a mailbox over IMAP, all calendars and all contacts, so the limits of this connection are kept by Bailey alone"
        }
        (Provider::Microsoft, Level::Read | Level::Draft) => {
            "Microsoft keeps this connection from sending; that it changes nothing is kept by Bailey alone"
        }
        (Provider::Google, Level::Full) | (Provider::Microsoft, Level::Send | Level::Full) | (Provider::Other, _) => "",
    }
}

/// Tells whether ending one token ends every permission that the person gave this client ("Using OAuth 2.0 to access Google APIs", token
/// revocation).
pub(crate) fn ends_all(issuer: &str) -> bool {
    match provider(issuer) {
        Provider::Google => true,
        Provider::Microsoft | Provider::Other => false,
    }
}

/// Tells whether the provider puts a copy of a mail among the sent ones when it is handed in over SMTP.
pub(crate) fn keeps_what_is_sent(issuer: &str) -> bool {
    match provider(issuer) {
        Provider::Google | Provider::Microsoft => true,
        Provider::Other => false,
    }
}

enum Provider {
    Google,
    Microsoft,
    Other,
}

fn provider(issuer: &str) -> Provider {
    match host(issuer) {
        "accounts.google.com" => Provider::Google,
        // Everywhere, and the clouds of the United States' government and of China.
        "login.microsoftonline.com" | "login.microsoftonline.us" | "login.partner.microsoftonline.cn" => {
            Provider::Microsoft
        }
        _ => Provider::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_is_asked_in_its_own_words() {
        let google = scopes("https://accounts.google.com", "mail", Level::Read);
        assert_eq!(google, ["https://mail.google.com/"]);
        assert!(!kept_by_bailey_alone("https://accounts.google.com", "mail", Level::Send).is_empty());
        let microsoft = |level| scopes("https://login.microsoftonline.com/common/v2.0", "mail", level);
        assert!(!microsoft(Level::Draft).iter().any(|scope| scope.contains("SMTP.Send")), "it could send");
        assert!(microsoft(Level::Send).iter().any(|scope| scope.contains("SMTP.Send")));
        for elsewhere in [
            "https://accounts.google.com.evil.example",
            "https://evil.example/accounts.google.com",
            "http://accounts.google.com",
        ] {
            assert_eq!(scopes(elsewhere, "mail", Level::Read), ["mail.read", "offline_access"], "{elsewhere}");
        }
    }

    #[test]
    fn microsofts_tenants_go_by_several_names_and_nobody_else_does() {
        const GUID: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
        let at = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        for asked in ["common", "organizations", "consumers", "contoso.onmicrosoft.com"] {
            assert!(is_issuer(&at(asked), &at("{tenantid}")), "{asked}");
            assert!(is_issuer(&at(asked), &at(GUID)), "{asked}");
            assert!(!is_issuer(&at(asked), &at("evil.example")), "{asked}");
            assert!(!is_issuer(&at(asked), &format!("https://evil.example/{GUID}/v2.0")), "{asked}");
            assert!(!is_issuer(&at(asked), &format!("https://login.microsoftonline.us/{GUID}/v2.0")), "{asked}");
        }
        assert!(is_issuer(&at(GUID), &at(&GUID.to_uppercase())));
        assert!(
            !is_issuer(&at(GUID), &at("{tenantid}"))
                && !is_issuer(&at(GUID), &at("00000000-6c67-4c5b-b112-36a304b66dad"))
        );
        assert!(!is_issuer("https://example.org/common/v2.0", "https://example.org/{tenantid}/v2.0"));
        for (said, asked) in [
            ("https://login.microsoftonline.com", "https://login.microsoftonline.com/common/v2.0"),
            (
                "https://login.microsoftonline.com/organizations/",
                "https://login.microsoftonline.com/organizations/v2.0",
            ),
            ("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/common/v2.0"),
            ("https://accounts.google.com/", "https://accounts.google.com"),
            ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ] {
            assert_eq!(asked_as(said), asked);
        }
    }

    #[test]
    fn calendars_and_contacts_are_asked_for_by_their_own_scopes() {
        let google = |kind| scopes("https://accounts.google.com", kind, Level::Full).join(" ");
        assert_eq!(google("calendar"), "https://www.googleapis.com/auth/calendar");
        assert_eq!(google("contacts"), "https://www.googleapis.com/auth/carddav");
        assert_eq!(scopes("https://example.org", "calendar", Level::Read), ["offline_access"]);
        assert!(kept_by_bailey_alone("https://example.org", "calendar", Level::Read).contains("Bailey alone"));
    }
}
