//! What providers call the things we ask for, and how far each keeps to what was asked.
//!
//! Sources: Google's "IMAP, POP, and SMTP" and OAuth for installed apps; Microsoft's "Authenticate an IMAP, POP or SMTP
//! connection using OAuth". Neither provider could be asked here: the names are theirs, the exchange is the standard's.

use bailey_gate::family::Level;

/// The scopes a level needs.
pub(crate) fn scopes(issuer: &str, level: Level) -> Vec<String> {
    let names: &[&str] = match (provider(issuer), level) {
        // Google knows one scope for IMAP and SMTP, and it is all of the mailbox.
        (Provider::Google, _) => &["https://mail.google.com/"],
        (Provider::Microsoft, Level::Read | Level::Draft) => {
            &["https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"]
        }
        (Provider::Microsoft, Level::Send | Level::Full) => &[
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
            "offline_access",
        ],
        (Provider::Other, Level::Read) => &["mail.read", "offline_access"],
        (Provider::Other, Level::Draft) => &["mail.read", "mail.draft", "offline_access"],
        (Provider::Other, Level::Send) => &["mail.read", "mail.send", "offline_access"],
        (Provider::Other, Level::Full) => &["mail.full", "offline_access"],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Further parts of the sign-in address.
pub(crate) fn extras(issuer: &str) -> &'static [(&'static str, &'static str)] {
    match provider(issuer) {
        // Without it, Google gives no refresh token.
        Provider::Google => &[("access_type", "offline")],
        Provider::Microsoft | Provider::Other => &[],
    }
}

/// What the provider does not keep to, so that only Bailey does; empty where it keeps to all of it.
#[must_use]
pub fn kept_by_bailey_alone(issuer: &str, level: Level) -> &'static str {
    match (provider(issuer), level) {
        (Provider::Google, Level::Read | Level::Draft | Level::Send) => {
            "Google has one permission for all of a mailbox over IMAP, so the limits of this connection are kept by Bailey alone"
        }
        (Provider::Microsoft, Level::Read | Level::Draft) => {
            "Microsoft keeps this connection from sending; that it changes nothing is kept by Bailey alone"
        }
        (Provider::Google, Level::Full) | (Provider::Microsoft, Level::Send | Level::Full) | (Provider::Other, _) => "",
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
    let host = issuer.strip_prefix("https://").unwrap_or_default().split('/').next().unwrap_or_default();
    match host {
        "accounts.google.com" => Provider::Google,
        "login.microsoftonline.com" => Provider::Microsoft,
        _ => Provider::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_is_asked_in_its_own_words() {
        let google = scopes("https://accounts.google.com", Level::Read);
        assert_eq!(google, ["https://mail.google.com/"]);
        assert!(!kept_by_bailey_alone("https://accounts.google.com", Level::Send).is_empty());
        let microsoft = |level| scopes("https://login.microsoftonline.com/common/v2.0", level);
        assert!(!microsoft(Level::Draft).iter().any(|scope| scope.contains("SMTP.Send")), "it could send");
        assert!(microsoft(Level::Send).iter().any(|scope| scope.contains("SMTP.Send")));
        for elsewhere in [
            "https://accounts.google.com.evil.example",
            "https://evil.example/accounts.google.com",
            "http://accounts.google.com",
        ] {
            assert_eq!(scopes(elsewhere, Level::Read), ["mail.read", "offline_access"], "{elsewhere}");
        }
    }
}
