//! What the person signs for where the home does something for them alone. Clients and the home make it here both, so that what
//! is signed is what is done. `docs/approval-format.md` describes the bytes, for those who implement it elsewhere.

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::approval::Purpose;
use bailey_gate::codec::Encoder;
use bailey_gate::{ConnectionId, Nonce};
use bailey_interface::{ConfigChange, NotificationPlace, RuleChange, ScheduleAccount, SchedulePlan};

use crate::wire::Settings;

/// Versions of the parameters' encodings.
const CONNECT_VERSION: u8 = 2;
const LEVEL_VERSION: u8 = 1;
const RULES_VERSION: u8 = 1;
const PASSKEY_VERSION: u8 = 1;
const NOTIFY_VERSION: u8 = 1;
const PASSPHRASE_VERSION: u8 = 1;
const SETTINGS_VERSION: u8 = 1;
const SCHEDULE_VERSION: u8 = 1;

/// Connects an account with exactly these settings, at exactly this level.
#[must_use]
pub fn connect(settings: &Settings, level: &str) -> Purpose {
    Purpose::Home { what: "connect", parameters: connect_parameters(settings, level) }
}

/// Changes what a connection may be used for, to exactly this level.
#[must_use]
pub fn change_level(connection: &ConnectionId, level: &str) -> Purpose {
    let mut out = Encoder::default();
    out.text("change level").byte(LEVEL_VERSION).bytes(connection.as_bytes()).text(level);
    Purpose::Home { what: "change level", parameters: out.finish() }
}

/// Changes the rules by exactly this.
#[must_use]
pub fn change_rules(change: &RuleChange) -> Purpose {
    Purpose::Home { what: "change rules", parameters: rule_parameters(change) }
}

/// Changes what the person sets by exactly this.
#[must_use]
pub fn change_settings(change: &ConfigChange) -> Purpose {
    let ConfigChange { set, unset } = change;
    let mut out = Encoder::default();
    out.text("change settings").byte(SETTINGS_VERSION);
    out.list(&set.iter().collect::<Vec<_>>(), |out, (name, value)| {
        out.text(name).text(value);
    });
    out.list(unset, |out, name| {
        out.text(name);
    });
    Purpose::Home { what: "change settings", parameters: out.finish() }
}

/// Makes exactly this schedule, or changes one to it.
#[must_use]
pub fn make_schedule(plan: &SchedulePlan) -> Purpose {
    // Each field is named, so that none can come to be that is not signed.
    let SchedulePlan {
        id,
        generation,
        name,
        when,
        said_ms,
        form,
        zone,
        words,
        late,
        overlap,
        accounts,
        run_tokens,
        month_tokens,
        until_ms,
    } = plan;
    let mut out = Encoder::default();
    out.text("make schedule").byte(SCHEDULE_VERSION);
    out.option(id.as_ref(), |out, id| {
        out.text(id);
    });
    out.number(*generation).text(name).text(when).signed(*said_ms).text(form).text(zone).text(words);
    out.text(late).text(overlap);
    out.list(accounts, |out, ScheduleAccount { connection, level }| {
        out.text(connection).text(level);
    });
    out.number(*run_tokens).number(*month_tokens);
    out.option(until_ms.as_ref(), |out, until| {
        out.signed(*until);
    });
    Purpose::Home { what: "make schedule", parameters: out.finish() }
}

/// Exports the log in plain words.
#[must_use]
pub const fn export_readable() -> Purpose {
    Purpose::Home { what: "export readable log", parameters: Vec::new() }
}

/// Makes a link that lets one browser in.
#[must_use]
pub const fn let_browser_in() -> Purpose {
    Purpose::Home { what: "let browser in", parameters: Vec::new() }
}

/// Begins a session of a browser.
#[must_use]
pub const fn sign_in() -> Purpose {
    Purpose::Home { what: "sign in", parameters: Vec::new() }
}

/// Lets a new approval passphrase count: exactly the one whose key this is.
#[must_use]
pub fn set_passphrase(salt: &[u8; 16], public: &[u8; 32]) -> Purpose {
    let mut out = Encoder::default();
    out.text("set passphrase").byte(PASSPHRASE_VERSION).bytes(salt).bytes(public);
    Purpose::Home { what: "set passphrase", parameters: out.finish() }
}

/// Ends exactly this passkey.
#[must_use]
pub fn end_passkey(id: &Nonce) -> Purpose {
    let mut out = Encoder::default();
    out.text("end passkey").byte(PASSKEY_VERSION).bytes(id.as_bytes());
    Purpose::Home { what: "end passkey", parameters: out.finish() }
}

/// Lets the passkeys that stand count again, after an older copy of the home was put back.
#[must_use]
pub const fn confirm_passkeys() -> Purpose {
    Purpose::Home { what: "confirm passkeys", parameters: Vec::new() }
}

/// Makes new recovery codes.
#[must_use]
pub const fn recovery_codes() -> Purpose {
    Purpose::Home { what: "make recovery codes", parameters: Vec::new() }
}

/// Tells exactly this place from now on that something waits. The log keeps its hash: who knows the address may write there.
#[must_use]
pub fn notify(place: &NotificationPlace) -> Purpose {
    let mut all = Encoder::default();
    all.text("bailey notification").text(place.address());
    if let NotificationPlace::Browser { public, auth, .. } = place {
        all.text(public).text(auth);
    }
    let mut out = Encoder::default();
    let hash = digest(&SHA256, &all.finish());
    out.text("notify").byte(NOTIFY_VERSION).text(place.kind()).bytes(hash.as_ref());
    Purpose::Home { what: "notify", parameters: out.finish() }
}

/// Removes all that lies in the trash of files.
#[must_use]
pub const fn empty_trash() -> Purpose {
    Purpose::Home { what: "empty trash", parameters: Vec::new() }
}

/// Destroys the agent's computer.
#[must_use]
pub const fn destroy_computer() -> Purpose {
    Purpose::Home { what: "destroy computer", parameters: Vec::new() }
}

/// Deletes the home.
#[must_use]
pub const fn delete_home() -> Purpose {
    Purpose::Home { what: "delete home", parameters: Vec::new() }
}

fn connect_parameters(settings: &Settings, level: &str) -> Vec<u8> {
    let mut out = Encoder::default();
    out.text("connect").byte(CONNECT_VERSION);
    settings.encode(&mut out);
    out.text(level);
    out.finish()
}

fn rule_parameters(change: &RuleChange) -> Vec<u8> {
    // Each field is named, so that none can come to be that is not signed.
    let RuleChange { add, cedar, remove, profile, organisation, groups, suggestion } = change;
    let texts = |out: &mut Encoder, texts: &Vec<String>| {
        out.list(texts, |out, text| {
            out.text(text);
        });
    };
    let text = |out: &mut Encoder, text: &String| {
        out.text(text);
    };
    let mut out = Encoder::default();
    out.text("change rules").byte(RULES_VERSION).text(add).text(cedar);
    texts(&mut out, remove);
    out.option(profile.as_ref(), text).option(organisation.as_ref(), texts);
    out.list(&groups.iter().collect::<Vec<_>>(), |out, (name, members)| texts(out.text(name), members));
    out.option(suggestion.as_ref(), text);
    out.finish()
}

#[cfg(test)]
mod tests {
    use bailey_gate::approval::Assertion;
    use bailey_gate::{ActionId, Challenge, Digest, HomeId};

    use super::*;
    use crate::wire::{DavSettings, KeyHeader, MailSettings, ModelSettings, OauthClient, Server, Training};

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Holds a vector against the page, whose lines may be broken anywhere.
    #[track_caller]
    fn told(name: &str, bytes: &[u8]) {
        let page = include_str!("../../../docs/approval-format.md");
        let (_, rest) = page.split_once(&format!("`{name}`\n\n```\n")).unwrap_or_default();
        let vector: String = rest.split("```").next().unwrap_or_default().split_whitespace().collect();
        assert_eq!(vector, hex(bytes), "docs/approval-format.md, `{name}`");
    }

    fn server() -> Server {
        Server { host: "imap.example.org".into(), port: 993, tls: true, starttls: false }
    }

    #[test]
    fn the_vectors_of_the_page_are_what_is_signed() {
        let mail = Settings::Mail(MailSettings {
            address: "me@example.org".into(),
            name: Some("Me".into()),
            imap: Some(server()),
            submission: None,
            issuer: Some("https://example.org".into()),
            client: Some(OauthClient { id: "bailey".into(), secret: None }),
        });
        told("mail", &connect_parameters(&mail, "draft"));
        let Settings::Mail(plain) = mail else { panic!("it is mail") };
        let client = Some(OauthClient { id: "bailey".into(), secret: Some("s3cret".into()) });
        told("secret", &connect_parameters(&Settings::Mail(MailSettings { client, ..plain }), "draft"));
        let (issuer, client) = (None, None);
        let dav = DavSettings { name: None, user: "me".into(), server: server(), path: "/c/".into(), issuer, client };
        told("calendar", &connect_parameters(&Settings::Calendar(dav.clone()), "full"));
        told("contacts", &connect_parameters(&Settings::Contacts(dav.clone()), "read-only"));
        let client = Some(OauthClient { id: "bailey".into(), secret: None });
        let signed_in = DavSettings { issuer: Some("https://example.org".into()), client, ..dav };
        told("calendar with tokens", &connect_parameters(&Settings::Calendar(signed_in), "full"));
        let model = Settings::Model(ModelSettings {
            base_url: "https://example.org/v1".into(),
            key_header: KeyHeader::XApiKey,
            training: Training::Unknown,
            retention: String::new(),
            terms: "none".into(),
        });
        told("model", &connect_parameters(&model, "read-only"));
        let change = RuleChange {
            add: "mail: go ahead".into(),
            remove: vec!["a".into(), "b".into()],
            organisation: Some(vec!["example.org".into()]),
            groups: [("team".to_owned(), vec!["ana@example.org".to_owned()])].into(),
            ..RuleChange::default()
        };
        told("rules", &rule_parameters(&change));
        let level = change_level(&ConnectionId::from_bytes([6; 16]), "send");
        let Purpose::Home { parameters, .. } = level else { panic!("it is the home's") };
        told("level", &parameters);
        let ending = end_passkey(&Nonce::from_bytes([6; 16]));
        let Purpose::Home { parameters, .. } = ending else { panic!("it is the home's") };
        told("end passkey", &parameters);
        let change = ConfigChange {
            set: [("home.hold_seconds".to_owned(), "60".to_owned())].into(),
            unset: vec!["home.time_zone".into()],
        };
        let Purpose::Home { parameters, .. } = change_settings(&change) else { panic!("it is the home's") };
        told("settings", &parameters);
    }

    #[test]
    fn the_messages_of_the_page_are_what_is_signed() {
        let home = HomeId::from_bytes([1; 16]);
        let challenge = Challenge::from_bytes([2; 64]);
        let shown = vec![(ActionId::from_bytes([3; 16]), Digest::from_bytes([4; 32]))];
        told("approve", &Purpose::Approve(shown).message(&home, &challenge));
        told("resume", &Purpose::Resume { epoch: 7 }.message(&home, &challenge));
        told("undo", &Purpose::Undo(ActionId::from_bytes([3; 16])).message(&home, &challenge));
        let all = vec![ActionId::from_bytes([3; 16]), ActionId::from_bytes([4; 16])];
        told("undo all", &Purpose::UndoAll(all).message(&home, &challenge));
        let rules = change_rules(&RuleChange { add: "mail: go ahead".into(), ..RuleChange::default() });
        told("home", &rules.message(&home, &challenge));
        told("passphrase-key", &Assertion::PassphraseKey { signature: vec![5; 64] }.encode());
        let passkey = Assertion::Passkey {
            credential_id: vec![6; 2],
            authenticator_data: vec![7; 3],
            client_data: b"{}".to_vec(),
            signature: vec![8; 4],
        };
        told("passkey", &passkey.encode());
    }
}
