//! What services over WebDAV (RFC 4918) share: what a collection is, answers about many resources, paths, what a refusal means.

use bailey_vault::{Access, HttpAsk, Vault, VaultError};

/// Tells whether a path lies in a folder, however either of them is escaped.
pub(crate) fn lies_below(path: &str, folder: &str) -> bool {
    let (path, folder) = (unescaped(path), unescaped(folder));
    path.starts_with(&folder) && !path.split(|byte| *byte == b'/').any(|part| part == b"..")
}

/// RFC 3986, 2.1; what is no escape stays as it is.
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

/// Checks that a collection is what it is connected as: `calendar` or `addressbook`.
pub(crate) async fn expect_collection(
    vault: &Vault,
    access: &Access,
    wanted: &str,
    what: &str,
) -> Result<(), VaultError> {
    let settings = vault.settings_of(access)?;
    let path = settings.dav().map(|dav| dav.path.clone()).unwrap_or_default();
    let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:propfind xmlns:D=\"DAV:\"><D:prop><D:resourcetype/></D:prop></D:propfind>";
    let headers = vec![("depth", "0".to_owned()), ("content-type", "application/xml; charset=utf-8".to_owned())];
    let ask = HttpAsk { method: "PROPFIND", path: &path, headers, body: body.into() };
    let answer = vault.until_cut(vault.http(access, ask)).await?;
    if answer.status != 207 {
        return Err(VaultError::Refused(refusal(what, answer.status)));
    }
    let holds = |name: &str| elements(&answer.body).iter().any(|element| element == name);
    if holds(wanted) {
        return Ok(());
    }
    let is = TYPES.iter().find(|(name, _)| holds(name)).map_or("a folder of other things", |(_, is)| is);
    Err(VaultError::Refused(format!(
        "`{path}` is {is} and no {what}; give the address of the {what} itself, which its server's page shows"
    )))
}

/// Lists the local names of all elements; those up to where it cannot be read any more.
fn elements(xml: &[u8]) -> Vec<String> {
    use quick_xml::events::Event;
    let xml = String::from_utf8_lossy(xml);
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut out = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => out.push(element.local_name().as_ref().to_owned()),
            Ok(Event::Eof) | Err(_) => return out,
            Ok(_) => {}
        }
    }
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
            Event::Eof => return Ok(out),
            _ => None,
        };
        if let Some(text) = text {
            match within.last().map(String::as_str) {
                Some("href") => href.push_str(text.trim()),
                Some(name) if name == property => data.push_str(&text),
                _ => {}
            }
        }
    }
}

/// `&amp;` and the like, and characters by number; nothing that a document could define for itself.
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
    fn multistatus_answers() {
        let xml = "<?xml version='1.0'?><multistatus xmlns='DAV:'><response><href>/c/1.ics</href><propstat><prop><C:calendar-data xmlns:C='x'>a &amp; b&#13;</C:calendar-data></prop></propstat></response><response><href>/c/2.ics</href></response></multistatus>";
        let found = multistatus(xml.as_bytes(), "calendar-data").unwrap();
        assert_eq!(found, [("/c/1.ics".to_owned(), "a & b\r".to_owned()), ("/c/2.ics".to_owned(), String::new())]);
        assert!(multistatus(b"<a><b></a>", "b").is_err());
        assert_eq!(multistatus(b"", "b").unwrap(), vec![]);
    }
}
