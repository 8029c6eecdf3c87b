//! What services over WebDAV (RFC 4918) share: what a collection is, answers about many resources, paths, what a refusal means.

use bailey_vault::{Access, HttpAnswer, HttpAsk, Server, Vault, VaultError};

/// Most steps of being sent elsewhere that are followed.
const MAX_STEPS: usize = 4;
/// Most collections named to somebody who gave another's address.
const MAX_NAMED: usize = 10;

/// Tells whether a path lies in a folder, however either of them is escaped.
pub(crate) fn lies_below(path: &str, folder: &str) -> bool {
    let (path, folder) = (unescaped(path), unescaped(folder));
    path.starts_with(&folder) && !path.split(|byte| *byte == b'/').any(|part| part == b"..")
}

/// Tells whether two paths are of one collection, however either of them is escaped.
fn same_place(one: &str, other: &str) -> bool {
    let plain = |path: &str| unescaped(path.trim_end_matches('/'));
    plain(one) == plain(other)
}

/// Decodes percent-encoding (RFC 3986, 2.1); what is no escape stays as it is.
fn unescaped(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *byte == b'%') {
            Some(escaped) => {
                out.push(escaped);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

/// Says what a status without an answer means; `what` is the kind of server.
pub(crate) fn refusal(what: &str, status: u16) -> String {
    match status {
        401 | 403 => {
            format!("the {what} server refused to let us in; the password or the permission may have been taken back")
        }
        404 => format!("the {what} server has no such {what}; check its address"),
        other => format!("the {what} server answered with status {other}"),
    }
}

/// The element names that a collection's type may hold (RFC 4918, 15.9; RFC 4791, 4.2; RFC 6352, 5.2), and what each is.
const TYPES: [(&str, &str); 3] =
    [("calendar", "a calendar"), ("addressbook", "an address book"), ("principal", "an account")];

/// Reads the path of a resource as a server names it: a path, or an address that has to be the same server's. Letters that may not stand
/// in a path are escaped.
///
/// # Errors
/// It lies on another server, or is no path.
pub(crate) fn own_path(href: &str, server: &Server) -> Result<String, String> {
    let href = href.trim();
    let path = match href.split_once("://") {
        None if href.starts_with("//") => return Err(format!("`{}` lies on another server", short(href))),
        None => href,
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let tls = scheme.eq_ignore_ascii_case("https");
            let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
                Some((host, port)) => (host, port.parse().ok()),
                None => (authority, Some(if tls { 443 } else { 80 })),
            };
            let host = host.trim_matches(['[', ']']);
            let same = host.eq_ignore_ascii_case(server.host.trim_matches(['[', ']'])) && port == Some(server.port);
            if !same || tls != server.tls {
                return Err(format!("`{}` lies on another server", short(href)));
            }
            if path.is_empty() { "/" } else { path }
        }
    };
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'!'..=b'~' if !b"\"<>\\^`{|}".contains(&byte) => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    Ok(out)
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// Looks, and follows where the server sends on within itself (RFC 9110, 15.4): other servers would get to see the credential.
///
/// # Errors
/// In words: no answer, or sent to another server.
pub(crate) async fn look(vault: &Vault, access: &Access, ask: HttpAsk<'_>) -> Result<(HttpAnswer, String), String> {
    let settings = vault.settings_of(access).map_err(|error| error.to_string())?;
    let server = settings.dav().map(|dav| dav.server.clone()).ok_or("this connection has no server of this kind")?;
    let mut path = ask.path.to_owned();
    for _ in 0..MAX_STEPS {
        let answer = vault.http(access, HttpAsk { path: &path, ..ask.clone() }).await?;
        match (answer.status, &answer.location) {
            (301 | 302 | 307 | 308, Some(to)) => {
                path = own_path(to, &server).map_err(|why| format!("the server sends on: {why}"))?
            }
            _ => return Ok((answer, path)),
        }
    }
    Err("the server sends on and on".into())
}

/// What a server says of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Resource {
    /// Where.
    pub(crate) href: String,
    /// Its type, as element names.
    pub(crate) types: Vec<String>,
    /// Its name.
    pub(crate) name: String,
    /// Kinds of entries it can hold.
    pub(crate) components: Vec<String>,
    /// The account of whoever asks.
    pub(crate) principal: Option<String>,
    /// Where the calendars, or the address books, of that account lie.
    pub(crate) homes: Vec<String>,
}

/// Reads an answer to `PROPFIND` as far as it can be read.
pub(crate) fn resources(xml: &[u8], home: &str) -> Vec<Resource> {
    use quick_xml::events::Event;
    let xml = String::from_utf8_lossy(xml);
    let mut reader = quick_xml::Reader::from_str(&xml);
    let (mut out, mut one, mut within) = (Vec::new(), Resource::default(), Vec::<String>::new());
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.local_name().as_ref().to_owned();
                if within.last().is_some_and(|outer| outer == "resourcetype") {
                    one.types.push(name.clone());
                }
                if name == "response" {
                    one = Resource::default();
                }
                within.push(name);
            }
            Ok(Event::Empty(element)) => {
                let name = element.local_name().as_ref().to_owned();
                match within.last().map(String::as_str) {
                    Some("resourcetype") => one.types.push(name),
                    Some("supported-calendar-component-set") => {
                        let named = element.attributes().flatten().find(|one| one.key.local_name().as_ref() == "name");
                        one.components.extend(named.map(|named| named.value.to_string().to_uppercase()));
                    }
                    _ => {}
                }
            }
            Ok(Event::End(end)) => {
                if end.local_name().as_ref() == "response" {
                    out.push(std::mem::take(&mut one));
                }
                within.pop();
            }
            Ok(Event::Text(text)) => {
                let text = text.xml10_content().into_owned();
                let outer = within.len().checked_sub(2).and_then(|at| within.get(at)).map(String::as_str);
                match (within.last().map(String::as_str), outer) {
                    (Some("href"), Some("response")) => one.href.push_str(text.trim()),
                    (Some("href"), Some("current-user-principal")) => one.principal = Some(text.trim().to_owned()),
                    (Some("href"), Some(outer)) if outer == home => one.homes.push(text.trim().to_owned()),
                    (Some("displayname"), _) => one.name.push_str(text.trim()),
                    _ => {}
                }
            }
            Ok(Event::Eof) | Err(_) => return out,
            Ok(_) => {}
        }
    }
}

/// Asks about a resource, or about those in it.
async fn ask_about(
    vault: &Vault,
    access: &Access,
    path: &str,
    depth: &str,
    home: &str,
) -> Result<(u16, Vec<Resource>, String), String> {
    let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:propfind xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:A=\"urn:ietf:params:xml:ns:carddav\"><D:prop><D:resourcetype/><D:displayname/><D:current-user-principal/><C:calendar-home-set/><A:addressbook-home-set/><C:supported-calendar-component-set/><C:schedule-outbox-URL/><C:calendar-user-address-set/></D:prop></D:propfind>";
    let headers = vec![("depth", depth.to_owned()), ("content-type", "application/xml; charset=utf-8".to_owned())];
    let (answer, path) = look(vault, access, HttpAsk { method: "PROPFIND", path, headers, body: body.into() }).await?;
    Ok((answer.status, if answer.status == 207 { resources(&answer.body, home) } else { Vec::new() }, path))
}

/// What a server says of itself that tells guests by itself (RFC 6638, 2).
const SCHEDULES: &str = "calendar-auto-schedule";

/// Finds out whether a calendar's server tells guests and whoever invites by itself: the addresses by which it knows the person, lower case,
/// if it does. It has to say so, and to give the person a place to send from (RFC 6638, 2.1.1 and 2.4.1).
///
/// # Errors
/// In words: no answer.
pub(crate) async fn scheduling(vault: &Vault, access: &Access) -> Result<Option<Vec<String>>, String> {
    let settings = vault.settings_of(access).map_err(|error| error.to_string())?;
    let dav = settings.dav().ok_or("this connection has no server of this kind")?;
    let options = HttpAsk { method: "OPTIONS", path: &dav.path, headers: Vec::new(), body: Vec::new() };
    let (answer, _) = look(vault, access, options).await?;
    if !(200..300).contains(&answer.status) || !answer.able.iter().any(|word| word == SCHEDULES) {
        return Ok(None);
    }
    let (_, found, _) = ask_about(vault, access, &dav.path, "0", OUTBOX).await?;
    let Some(principal) = found.into_iter().find_map(|one| one.principal) else { return Ok(None) };
    let principal = own_path(&principal, &dav.server)?;
    let of =
        |(_, found, _): (u16, Vec<Resource>, String)| found.into_iter().flat_map(|one| one.homes).collect::<Vec<_>>();
    if of(ask_about(vault, access, &principal, "0", OUTBOX).await?).is_empty() {
        return Ok(None);
    }
    let addresses = of(ask_about(vault, access, &principal, "0", OWN_ADDRESSES).await?);
    let addresses = addresses.iter().map(|one| one.to_lowercase());
    Ok(Some(addresses.filter_map(|one| one.strip_prefix("mailto:").map(str::to_owned)).collect()))
}

/// Where a person's invitations leave from, and by what addresses a server knows them.
const OUTBOX: &str = "schedule-outbox-URL";
const OWN_ADDRESSES: &str = "calendar-user-address-set";

/// Checks that a collection is what it is connected as: `calendar` or `addressbook`. Where it is not, says what it is, and which there are.
pub(crate) async fn expect_collection(
    vault: &Vault,
    access: &Access,
    wanted: &str,
    what: &str,
) -> Result<(), VaultError> {
    let settings = vault.settings_of(access)?;
    let path = settings.dav().map(|dav| dav.path.clone()).unwrap_or_default();
    let home = if wanted == "calendar" { "calendar-home-set" } else { "addressbook-home-set" };
    let (status, mut found, at) = vault.until_cut(ask_about(vault, access, &path, "0", home)).await?;
    // Some servers tell of what lies within as well.
    if let Some(server) = settings.dav().map(|dav| &dav.server).filter(|_| found.len() > 1) {
        let itself = |one: &Resource| own_path(&one.href, server).is_ok_and(|href| same_place(&href, &at));
        found.retain(itself);
    }
    let well_known = path == "/" || path.starts_with("/.well-known/");
    if status != 207 && !(well_known && matches!(status, 404 | 405)) {
        return Err(VaultError::Refused(refusal(what, status)));
    }
    let holds = |name: &str| found.iter().any(|one| one.types.iter().any(|element| element == name));
    let holds_entries =
        found.iter().all(|one| one.components.is_empty() || one.components.iter().any(|it| it == "VEVENT"));
    if holds(wanted) && same_place(&at, &path) {
        return match wanted == "calendar" && !holds_entries {
            false => Ok(()),
            true => Err(VaultError::Refused(format!("`{path}` is a list of tasks and no calendar of entries"))),
        };
    }
    let is = match holds(wanted) {
        true => format!("`{path}` has moved to `{}`, which is the {what}", short(&at)),
        false => {
            let is = TYPES.iter().find(|(name, _)| holds(name)).map_or("a folder of other things", |(_, is)| is);
            format!("`{path}` is {is} and no {what}")
        }
    };
    let there = vault.until_cut(collections(vault, access, &found, &at, (wanted, home))).await?;
    let next = if there.is_empty() {
        format!("give the address of the {what} itself, which its server's page shows")
    } else {
        format!("give one of these addresses: {}", there.join(", "))
    };
    Err(VaultError::Refused(format!("{is}; {next}")))
}

/// Finds the collections of the account, from what is known of a resource of its server (RFC 6764, 6; RFC 4791, 6.2.1).
async fn collections(
    vault: &Vault,
    access: &Access,
    found: &[Resource],
    at: &str,
    (wanted, home): (&str, &str),
) -> Result<Vec<String>, String> {
    let settings = vault.settings_of(access).map_err(|error| error.to_string())?;
    let server = settings.dav().map(|dav| dav.server.clone()).ok_or("this connection has no server of this kind")?;
    let of = |all: &[Resource]| {
        let homes: Vec<String> = all.iter().flat_map(|one| one.homes.clone()).collect();
        (all.iter().find_map(|one| one.principal.clone()), homes)
    };
    let (mut principal, mut homes) = of(found);
    if principal.is_none() && homes.is_empty() {
        let place = if wanted == "calendar" { "/.well-known/caldav" } else { "/.well-known/carddav" };
        if let Ok((_, there, _)) = ask_about(vault, access, place, "0", home).await {
            (principal, homes) = of(&there);
        }
    }
    let mut out = Vec::new();
    if let Some(principal) = principal.filter(|_| homes.is_empty()) {
        match own_path(&principal, &server) {
            Ok(path) => homes = of(&ask_about(vault, access, &path, "0", home).await?.1).1,
            Err(_) => out.push(format!("`{}`", short(&principal))),
        }
    }
    // A server may keep accounts on others: those are the person's to connect, and nothing is asked there.
    out.extend(
        homes.iter().filter(|place| own_path(place, &server).is_err()).map(|place| format!("`{}`", short(place))),
    );
    out.truncate(MAX_NAMED);
    if !out.is_empty() {
        return Ok(out);
    }
    // What was given may be the home itself.
    homes.push(at.to_owned());
    for home_path in homes {
        let Ok(path) = own_path(&home_path, &server) else { continue };
        let Ok((_, all, _)) = ask_about(vault, access, &path, "1", home).await else { continue };
        for one in all.iter().filter(|one| one.types.iter().any(|element| element == wanted)) {
            let entries = one.components.is_empty() || one.components.iter().any(|it| it == "VEVENT");
            let Ok(path) = own_path(&one.href, &server) else { continue };
            let scheme = if server.tls { "https" } else { "http" };
            let name =
                if one.name.is_empty() { String::new() } else { format!(" (\u{201c}{}\u{201d})", short(&one.name)) };
            let shown = format!("`{scheme}://{}:{}{path}`{name}", server.host, server.port);
            if entries && !out.contains(&shown) && out.len() < MAX_NAMED {
                out.push(shown);
            }
        }
        if !out.is_empty() {
            break;
        }
    }
    Ok(out)
}

/// Reads a multistatus answer (RFC 4918, 13): of each response its path and the text of one property.
pub(crate) fn multistatus(xml: &[u8], property: &str) -> Result<Vec<(String, String)>, String> {
    use quick_xml::events::Event;
    let broken = |error: &dyn std::fmt::Display| format!("the server's answer cannot be read: {error}");
    let xml = String::from_utf8_lossy(xml);
    let mut reader = quick_xml::Reader::from_str(&xml);
    let (mut href, mut data, mut within) = (String::new(), String::new(), Vec::<String>::new());
    let mut out = Vec::new();
    loop {
        let text = match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(start) => {
                within.push(start.local_name().as_ref().to_owned());
                if within.last().is_some_and(|name| name == "response") {
                    (href, data) = (String::new(), String::new());
                }
                None
            }
            Event::End(end) => {
                if end.local_name().as_ref() == "response" {
                    out.push((std::mem::take(&mut href), std::mem::take(&mut data)));
                }
                within.pop();
                None
            }
            Event::Text(text) => Some(text.xml10_content().into_owned()),
            Event::CData(text) => Some(text.xml10_content().into_owned()),
            Event::GeneralRef(reference) => Some(resolve(&reference)),
            Event::Eof if within.is_empty() => return Ok(out),
            Event::Eof => return Err("the server's answer broke off before its end; ask again".into()),
            _ => None,
        };
        if let Some(text) = text {
            match within.last().map(String::as_str) {
                Some("href") => href.push_str(text.trim()),
                // RFC 6578, 3.6; RFC 5323, 5.17: there is more than it gave.
                Some("status") if text.split_whitespace().nth(1) == Some("507") => {
                    return Err(
                        "the server gave only a part of what there is; ask for less, such as a shorter time".into()
                    );
                }
                Some(name) if name == property => data.push_str(&text),
                _ => {}
            }
        }
    }
}

/// Resolves `&amp;` and the like, and characters by number; nothing that a document could define for itself.
fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match reference.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_a_folder() {
        assert!(lies_below("/me%40x/c/1.ics", "/me@x/c/") && lies_below("/me@x/c/1.ics", "/me%40x/c/"));
        for bad in ["/me@x/d/1.ics", "/me@x/c", "/me@x/c/../d/1.ics", "/me@x/c/%2e%2e/d/1.ics", "/"] {
            assert!(!lies_below(bad, "/me@x/c/"), "{bad}");
        }
    }

    #[test]
    fn places_on_the_own_server_are_told_from_others() {
        let server = Server { host: "cal.example".into(), port: 443, tls: true, starttls: false };
        for (href, path) in [
            ("/c/1.ics", "/c/1.ics"),
            ("https://cal.example/c/1.ics", "/c/1.ics"),
            ("https://CAL.example:443/c/ü 1.ics", "/c/%C3%BC%201.ics"),
            ("https://cal.example", "/"),
        ] {
            assert_eq!(own_path(href, &server).as_deref(), Ok(path));
        }
        for href in [
            "//evil.example/c",
            "http://cal.example/c",
            "https://evil.example/c",
            "https://cal.example:8443/c",
            "https://cal.example@evil.example/c",
            "https://cal.example.evil.example/c",
            "ftp://cal.example/c",
        ] {
            assert!(own_path(href, &server).is_err(), "{href}");
        }
        let other = Server { host: "127.0.0.1".into(), port: 5232, tls: false, starttls: false };
        assert_eq!(own_path("http://127.0.0.1:5232/c/", &other).as_deref(), Ok("/c/"));
    }

    #[test]
    fn multistatus_answers() {
        let xml = "<?xml version='1.0'?><multistatus xmlns='DAV:'><response><href>/c/1.ics</href><propstat><prop><C:calendar-data xmlns:C='x'>a &amp; b&#13;</C:calendar-data></prop></propstat></response><response><href>/c/2.ics</href></response></multistatus>";
        let found = multistatus(xml.as_bytes(), "calendar-data").unwrap();
        assert_eq!(found, [("/c/1.ics".to_owned(), "a & b\r".to_owned()), ("/c/2.ics".to_owned(), String::new())]);
        assert!(multistatus(b"<a><b></a>", "b").is_err());
        for length in 0..xml.len() {
            let cut = multistatus(&xml.as_bytes()[..length], "calendar-data");
            assert!(cut.map_or(true, |found| found.is_empty()), "{length}: what breaks off is not the whole");
        }
        let part = "<multistatus xmlns='DAV:'><response><href>/c/1.ics</href><propstat><prop><a>b</a></prop><status>HTTP/1.1 200 OK</status></propstat></response><response><href>/c/</href><status>HTTP/1.1 507 Insufficient Storage</status></response></multistatus>";
        assert!(multistatus(part.as_bytes(), "a").unwrap_err().contains("only a part"));
        assert_eq!(multistatus(b"", "b").unwrap(), vec![]);
    }
}
