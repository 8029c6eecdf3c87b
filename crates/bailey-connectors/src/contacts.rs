//! Address books over CardDAV (RFC 6352): finding people and reading their cards. What lies there when it is connected is
//! known of the person from then on; what comes later is not, until they approve something to it.

use bailey_gate::family::calendar::Href;
use bailey_gate::family::contacts::{self, ContactsAction};
use bailey_gate::family::text::{Address, Line};
use bailey_gate::family::{Action, Level, Party};
use bailey_gate::{ActionId, Claimed, ConnectionId, Effect, Found, Outcome};
use bailey_vault::{Access, Discovered, HttpAsk, Settings, Vault, VaultError};
use calcard::vcard::{VCard, VCardProperty};
use serde::Serialize;
use serde_json::json;

use crate::call::{Arguments, BadCall, schema};
use crate::context::PrepareContext;
use crate::cut::beginning;
use crate::dav::{expect_collection, lies_below, multistatus, refusal};
use crate::service::{Done, Lookup, Made, Service, ToolDefinition, no_undo};

/// The kind of connection it needs.
const CONTACTS: &str = "contacts";
/// The word for its server.
const WHAT: &str = "address book";
/// People listed by one search. A model that wants others says more words.
const MAX_LISTED: usize = 20;
/// Characters of one field of a card that are told, and fields of one kind.
const MAX_FIELD_CHARS: usize = 500;
const MAX_FIELDS: usize = 20;
/// Longest card read, in bytes: pictures make them long, and are not told.
const MAX_CARD_BYTES: usize = 512 * 1024;
/// Properties a search looks into (RFC 6352, 10.5.1).
const SEARCHED: [&str; 5] = ["FN", "NICKNAME", "EMAIL", "TEL", "ORG"];

/// Address books over CardDAV.
pub(crate) struct Contacts;

impl Service for Contacts {
    type Action = ContactsAction;

    fn tools(&self) -> Vec<ToolDefinition> {
        vec![
            ToolDefinition {
                name: "contacts_find",
                kind: contacts::FIND,
                description: "Look for people in the person's address book: id, name, addresses, numbers.",
                parameters: schema(&[("words", "a name, an address, a number or an organisation")], &["words"]),
                manifest: json!({ "effect": "read" }),
            },
            ToolDefinition {
                name: "contacts_read",
                kind: contacts::READ,
                description: "Read all that a card of the address book says, by its id.",
                parameters: schema(&[("id", "the id that contacts_find gave")], &["id"]),
                manifest: json!({ "effect": "read" }),
            },
        ]
    }

    async fn prepare(&self, tool: &str, arguments: &Arguments, cx: &PrepareContext<'_>) -> Result<Made, BadCall> {
        let account = cx.account(CONTACTS, arguments, Level::Read)?;
        let action = match tool {
            "contacts_find" => {
                let words = Line::new(arguments.text("words")?.trim());
                let words = words.map_err(|error| BadCall::Bad { name: "words", why: error.to_string() })?;
                ContactsAction::Find { words }
            }
            "contacts_read" => {
                let bad = |_| BadCall::Bad { name: "id", why: "it is not an id that contacts_find gave".into() };
                ContactsAction::Read { href: Href::new(arguments.text("id")?.trim()).map_err(bad)? }
            }
            other => return Err(BadCall::UnknownTool(other.into())),
        };
        Ok((Some(account.connection.0), Action::Contacts(action)))
    }

    async fn execute(&self, vault: &Vault, claimed: &Claimed<ContactsAction>) -> Outcome {
        let access = vault.access(claimed, "look");
        let looked = match claimed.action() {
            ContactsAction::Find { words } => find(vault, &access, words.as_str()).await,
            ContactsAction::Read { href } => read(vault, &access, href).await,
        };
        match looked {
            Ok(found) => Outcome::new(Effect::Done, found),
            Err(why) => Outcome::new(Effect::NotExecuted, why),
        }
    }

    async fn reconcile(&self, _: &Vault, _: ActionId, _: Option<(ConnectionId, u64)>, _: &ContactsAction) -> Lookup {
        Some((Found::No, "a look into the address book changes nothing"))
    }

    async fn undo(&self, _: &Vault, done: Done<'_, ContactsAction>) -> Result<Made, BadCall> {
        Err(no_undo(match done.action {
            ContactsAction::Find { .. } => contacts::FIND,
            ContactsAction::Read { .. } => contacts::READ,
        }))
    }

    fn has_undo(&self, _: &ContactsAction) -> bool {
        false
    }

    /// Returns whoever stands in the address book when it is connected is somebody the person knows, under the name they gave
    /// them.
    async fn discover(&self, vault: &Vault, access: &Access, _: &Settings) -> Result<Discovered, VaultError> {
        expect_collection(vault, access, "addressbook", WHAT).await?;
        let cards = vault.until_cut(query(vault, access, "")).await?;
        let known = cards.iter().flat_map(|(_, card)| {
            let name = card.names.first().cloned().unwrap_or_default();
            let addresses = card.emails.iter().filter_map(|email| Address::new(email).ok());
            addresses.map(move |address| (Party::of_address(&address), name.clone()))
        });
        Ok(Discovered { notes: Vec::new(), known: known.collect() })
    }

    async fn look_again(
        &self,
        vault: &Vault,
        access: &Access,
        settings: &Settings,
        _: &[u8],
    ) -> Result<Option<Discovered>, VaultError> {
        self.discover(vault, access, settings).await.map(Some)
    }
}

/// A card as a model reads it: every field short enough to be one.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Card {
    names: Vec<String>,
    emails: Vec<String>,
    phones: Vec<String>,
    organisations: Vec<String>,
    addresses: Vec<String>,
    birthdays: Vec<String>,
    notes: Vec<String>,
}

/// Reads the text of a card (RFC 6350); `None` where it is none.
fn card(text: &str) -> Option<Card> {
    let parsed = VCard::parse(text.get(..MAX_CARD_BYTES).unwrap_or(text)).ok()?;
    let mut card = Card::default();
    for entry in &parsed.entries {
        let list = match &entry.name {
            VCardProperty::Fn | VCardProperty::Nickname => &mut card.names,
            VCardProperty::Email => &mut card.emails,
            VCardProperty::Tel => &mut card.phones,
            VCardProperty::Org => &mut card.organisations,
            VCardProperty::Adr => &mut card.addresses,
            VCardProperty::Bday => &mut card.birthdays,
            VCardProperty::Note => &mut card.notes,
            _ => continue,
        };
        let parts: Vec<&str> = entry.values.iter().filter_map(|value| value.as_text()).collect();
        let value = beginning(parts.join(", ").trim(), MAX_FIELD_CHARS);
        if !value.is_empty() && list.len() < MAX_FIELDS {
            list.push(value.strip_prefix("tel:").map_or_else(|| value.clone(), str::to_owned));
        }
    }
    Some(card)
}

async fn find(vault: &Vault, access: &Access, words: &str) -> Result<String, String> {
    let found = query(vault, access, words).await?;
    let more = found.len().saturating_sub(MAX_LISTED);
    let people: Vec<_> = found
        .iter()
        .take(MAX_LISTED)
        .map(|(href, card)| {
            json!({
                "id": href, "names": card.names, "emails": card.emails, "phones": card.phones,
                "organisations": card.organisations,
            })
        })
        .collect();
    Ok(json!({ "people": people, "more": more }).to_string())
}

async fn read(vault: &Vault, access: &Access, href: &Href) -> Result<String, String> {
    let settings = vault.settings_of(access).map_err(|error| error.to_string())?;
    if !settings.dav().is_some_and(|dav| lies_below(href.as_str(), &dav.path)) {
        return Err("this is no card of the connected address book".into());
    }
    let ask = HttpAsk { method: "GET", path: href.as_str(), headers: Vec::new(), body: Vec::new() };
    let answer = vault.http(access, ask).await?;
    match answer.status {
        200 => {
            let card = card(&String::from_utf8_lossy(&answer.body)).ok_or("the card cannot be read")?;
            serde_json::to_string(&card).map_err(|error| error.to_string())
        }
        404 | 410 => Err("there is no such card; look for the person again".into()),
        status => Err(refusal(WHAT, status)),
    }
}

/// Asks for the cards that hold words in one of [`SEARCHED`]; for all where there are no words.
async fn query(vault: &Vault, access: &Access, words: &str) -> Result<Vec<(String, Card)>, String> {
    let settings = vault.settings_of(access).map_err(|error| error.to_string())?;
    let path = settings.dav().map(|dav| dav.path.clone()).ok_or("this connection is no address book")?;
    let words = quick_xml::escape::escape(words);
    let one = |name: &&str| {
        format!(
            "<C:prop-filter name=\"{name}\"><C:text-match collation=\"i;unicode-casemap\" match-type=\"contains\">{words}</C:text-match></C:prop-filter>"
        )
    };
    let filter = match words.is_empty() {
        true => "<C:filter/>".to_owned(),
        false => format!("<C:filter test=\"anyof\">{}</C:filter>", SEARCHED.iter().map(one).collect::<String>()),
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><C:addressbook-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\"><D:prop><D:getetag/><C:address-data/></D:prop>{filter}</C:addressbook-query>"
    );
    let headers = vec![("depth", "1".to_owned()), ("content-type", "application/xml; charset=utf-8".to_owned())];
    let ask = HttpAsk { method: "REPORT", path: &path, headers, body: body.into_bytes() };
    let answer = vault.http(access, ask).await?;
    if answer.status != 207 {
        return Err(refusal(WHAT, answer.status));
    }
    let all = multistatus(&answer.body, "address-data")?;
    Ok(all.into_iter().filter_map(|(href, text)| Some((href, card(&text)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_of_every_version_are_read() {
        let old = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ana Ferreira\r\nN:Ferreira;Ana;;;\r\nEMAIL;TYPE=WORK:ana@example.org\r\nTEL;TYPE=CELL:+33 6 12\r\nORG:Example;Plans\r\nNOTE:likes\\, tea\r\nEND:VCARD\r\n";
        let read = card(old).unwrap();
        assert_eq!((read.names, read.emails), (vec!["Ana Ferreira".to_owned()], vec!["ana@example.org".to_owned()]));
        assert_eq!((read.phones, read.notes), (vec!["+33 6 12".to_owned()], vec!["likes, tea".to_owned()]));
        let new = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Bo\r\nTEL;VALUE=uri:tel:+1-555\r\nEND:VCARD\r\n";
        assert_eq!(card(new).unwrap().phones, ["+1-555"]);
        assert_eq!(card("nonsense"), None);
    }
}
