//! What a calendar's server is asked: a span of time, one entry, one write by a claim.

use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Etag, Href, Writing};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, Effect, Outcome};
use bailey_vault::{Access, HttpAnswer, HttpAsk, Vault, VaultError};
use serde_json::json;

use crate::dav::{lies_below, multistatus, refusal};

/// Entries told of at once; a fortnight with more is read in parts.
const MAX_ENTRIES: usize = 100;
/// The word for its server.
const WHAT: &str = "calendar";

/// An entry as it lies on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Its text.
    pub(super) entry: Entry,
    /// Its version.
    pub(super) etag: Etag,
}

pub(super) async fn write(vault: &Vault, claimed: &Claimed<CalendarAction>, writing: &Writing) -> Outcome {
    let guard = match &writing.change {
        Change::Create { .. } => ("if-none-match", "*".to_owned()),
        Change::Replace { etag, .. } | Change::Cancel { etag, .. } => ("if-match", etag.as_str().to_owned()),
    };
    let mut headers = vec![guard];
    if writing.after().is_some() {
        headers.push(("content-type", "text/calendar; charset=utf-8".into()));
    }
    let method = if writing.after().is_some() { "PUT" } else { "DELETE" };
    let ask = HttpAsk { method, path: writing.href.as_str(), headers, body: Vec::new() };
    match vault.http_write(claimed, ask).await {
        Err(why) if claimed.effect_token().is_spent() => {
            Outcome::new(Effect::Unknown, format!("the calendar server did not confirm: {why}"))
        }
        Err(why) => Outcome::new(Effect::NotExecuted, why),
        Ok(HttpAnswer { status: 412, .. }) => Outcome::new(
            Effect::Refused,
            "the entry was changed meanwhile, or something lies at its place; nothing was written",
        ),
        Ok(HttpAnswer { status: 200..=299, etag, .. }) => {
            let left = match etag.and_then(|etag| Etag::new(&etag).ok()) {
                Some(etag) => etag.as_str().as_bytes().to_vec(),
                None => version_left(vault, claimed, writing).await,
            };
            Outcome { left, ..Outcome::new(Effect::Done, "saved") }
        }
        Ok(HttpAnswer { status: 400..=499, .. }) => {
            Outcome::new(Effect::Refused, "the calendar server refused it; nothing was written")
        }
        Ok(HttpAnswer { status, .. }) => {
            Outcome::new(Effect::Unknown, format!("the calendar server answered with status {status}"))
        }
    }
}

/// Asks for the version a write left, where the server did not tell it (RFC 4791, 5.3.4): that of the entry, as long as it says
/// what was written. Nothing where that cannot be told.
async fn version_left(vault: &Vault, claimed: &Claimed<CalendarAction>, writing: &Writing) -> Vec<u8> {
    let Some(after) = writing.after() else { return Vec::new() };
    let access = vault.look(claimed.account(), SystemEgress::Reconciliation);
    match entry(vault, &access, &writing.href).await {
        Ok(Some(now)) if now.entry.says_the_same(after) => now.etag.as_str().as_bytes().to_vec(),
        _ => Vec::new(),
    }
}

pub(super) async fn read_span(
    vault: &Vault,
    claimed: &Claimed<CalendarAction>,
    from: i64,
    until: i64,
) -> Result<String, String> {
    let found = report(vault, &vault.access(claimed, "look"), from, until).await?;
    let more = found.len().saturating_sub(MAX_ENTRIES);
    let entries: Vec<_> = found.iter().take(MAX_ENTRIES).map(|(href, entry)| told(href, entry)).collect();
    Ok(json!({"entries": entries, "more": more}).to_string())
}

/// Reads one entry as it is now.
pub(super) async fn entry(vault: &Vault, access: &Access, href: &Href) -> Result<Option<Stored>, VaultError> {
    let settings = vault.settings_of(access)?;
    if !settings.dav().is_some_and(|dav| lies_below(href.as_str(), &dav.path)) {
        return Err(VaultError::Refused("this is not an entry of the connected calendar".into()));
    }
    let ask = HttpAsk { method: "GET", path: href.as_str(), headers: Vec::new(), body: Vec::new() };
    let answer = vault.until_cut(vault.http(access, ask)).await?;
    match answer.status {
        404 | 410 => Ok(None),
        200 => {
            let unreadable = |_| VaultError::Refused("the entry cannot be read".into());
            let entry = Entry::new(&String::from_utf8_lossy(&answer.body)).map_err(unreadable)?;
            let etag = Etag::new(&answer.etag.unwrap_or_default()).map_err(unreadable)?;
            Ok(Some(Stored { entry, etag }))
        }
        status => Err(VaultError::Refused(refusal(WHAT, status))),
    }
}

async fn report(vault: &Vault, access: &Access, from: i64, until: i64) -> Result<Vec<(String, Entry)>, String> {
    let settings = vault.settings_of(access).map_err(|error| error.to_string())?;
    let path = settings.dav().map(|dav| dav.path.clone()).ok_or("this connection is no calendar")?;
    let (start, end) = (utc(from)?, utc(until)?);
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop><D:getetag/><C:calendar-data><C:expand start=\"{start}\" end=\"{end}\"/></C:calendar-data></D:prop><C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\"><C:time-range start=\"{start}\" end=\"{end}\"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    );
    let headers = vec![("depth", "1".to_owned()), ("content-type", "application/xml; charset=utf-8".to_owned())];
    let ask = HttpAsk { method: "REPORT", path: &path, headers, body: body.into_bytes() };
    let answer = vault.http(access, ask).await?;
    if answer.status != 207 {
        return Err(refusal(WHAT, answer.status));
    }
    entries(&answer.body)
}

fn utc(seconds: i64) -> Result<String, String> {
    let moment = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    Ok(moment.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// An entry as the model reads it.
fn told(href: &str, entry: &Entry) -> serde_json::Value {
    let one = |name: &str| {
        entry.property(name).map(|value| value.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";"))
    };
    json!({
        "id": href,
        "what": one("SUMMARY"),
        "begins": one("DTSTART"),
        "ends": one("DTEND"),
        "where": one("LOCATION"),
        "guests": entry.guests().len(),
    })
}

/// Reads the entries of a multistatus answer; those that cannot be read are left out.
pub fn entries(xml: &[u8]) -> Result<Vec<(String, Entry)>, String> {
    let all = multistatus(xml, "calendar-data")?;
    Ok(all.into_iter().filter_map(|(href, data)| Some((href, Entry::new(&data).ok()?))).collect())
}
