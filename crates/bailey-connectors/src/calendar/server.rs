//! What a calendar's server is asked: a span of time, one entry, one write by a claim.

use bailey_calendar::busy::Hours;
use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Etag, Href, Look, Sought, Writing};
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, Effect, Outcome};
use bailey_vault::{Access, HttpAnswer, HttpAsk, Vault, VaultError};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::tell::{self, Found, Whose};
use crate::dav::{lies_below, look, multistatus, own_path, refusal};

/// The word for its server.
const WHAT: &str = "calendar";
/// Hours asked for beyond a span on either side: servers read whole days, and times without a zone, on a clock of their own.
const MARGIN: i64 = 26;
/// Most entries fetched one by one, because a list cannot carry their letters.
const MAX_FETCHED: usize = 20;
/// What stands for a letter that a list could not carry.
const LOST: char = '\u{fffd}';

/// An entry as it lies on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Its bytes.
    pub(super) entry: Entry,
    /// Its version.
    pub(super) etag: Etag,
}

pub(super) async fn write(vault: &Vault, claimed: &Claimed<CalendarAction>, writing: &Writing) -> Outcome {
    let guard = match &writing.change {
        Change::Create { .. } => Some(("if-none-match", "*".to_owned())),
        Change::Replace { etag, .. } | Change::Cancel { etag, .. } if etag.is_none() => None,
        Change::Replace { etag, .. } | Change::Cancel { etag, .. } => Some(("if-match", etag.as_str().to_owned())),
    };
    // Where the server gives no version, what it says now stands for one.
    if guard.is_none()
        && let Err(why) = unchanged(vault, claimed, writing).await
    {
        return Outcome::new(Effect::NotExecuted, why);
    }
    let mut headers: Vec<_> = guard.into_iter().collect();
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
        Ok(HttpAnswer { status: 412, .. }) => {
            let as_it_was = unchanged(vault, claimed, writing).await.is_ok() && writing.before().is_some();
            let why = if as_it_was {
                "the calendar server refused the version it gave itself, though the entry is as it was; a program between may change versions. Nothing was written"
            } else {
                "the entry was changed meanwhile, or something lies at its place; nothing was written"
            };
            Outcome::new(Effect::Refused, why)
        }
        Ok(HttpAnswer { status: 200..=299, etag, .. }) => {
            let told = Etag::of_answer(etag.as_deref());
            let left = if told.is_none() { version_left(vault, claimed, writing).await } else { told.as_str().into() };
            Outcome { left, ..Outcome::new(Effect::Done, "saved") }
        }
        Ok(HttpAnswer { status: 300..=399, .. }) => Outcome::new(
            Effect::Refused,
            "the calendar has moved to another address; connect it anew there. Nothing was written",
        ),
        Ok(HttpAnswer { status: status @ 400..=499, .. }) => Outcome::new(
            Effect::Refused,
            format!("the calendar server refused it (status {status}); nothing was written"),
        ),
        Ok(HttpAnswer { status, .. }) => {
            Outcome::new(Effect::Unknown, format!("the calendar server answered with status {status}"))
        }
    }
}

/// What a server notes beside somebody it could not tell (RFC 6638, 3.2.9; RFC 5546, 3.6).
const NOT_TOLD: [&str; 2] = ["3.", "5."];
/// Most of them that are named.
const MAX_NOT_TOLD: usize = 10;

/// Says whom a calendar's server has told of a write, as far as it notes that.
pub(super) async fn told_by_server(vault: &Vault, access: &Access, writing: &Writing) -> String {
    let now = match writing.after() {
        Some(_) => entry(vault, access, &writing.href).await.ok().flatten(),
        None => None,
    };
    let lines = now.map(|now| now.entry.guests()).unwrap_or_default();
    let missed = lines.iter().filter_map(|line| {
        let status = line.split_once(";SCHEDULE-STATUS=")?.1.trim_start_matches('"');
        let address = line.rsplit_once(':')?.1;
        NOT_TOLD
            .iter()
            .any(|not| status.starts_with(not))
            .then(|| address.chars().filter(|c| !c.is_control()).collect())
    });
    let missed: Vec<String> = missed.take(MAX_NOT_TOLD).collect();
    match missed.is_empty() {
        true => "the calendar's server tells them, so no mail is needed".into(),
        false => format!(
            "the calendar's server tells the others, and says that it could not tell {}; write to them",
            missed.join(", ")
        ),
    }
}

/// Checks that an entry says what it said when the write was prepared.
async fn unchanged(vault: &Vault, claimed: &Claimed<CalendarAction>, writing: &Writing) -> Result<(), String> {
    let access = vault.access(claimed, "write");
    let now = entry(vault, &access, &writing.href).await.map_err(|error| error.to_string())?;
    match (now, writing.before()) {
        (Some(now), Some(before)) if now.entry.says_the_same(before) => Ok(()),
        (None, None) => Ok(()),
        _ => Err("the entry was changed meanwhile; nothing was written".into()),
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

/// Looks at a span of one calendar or several, and tells what was sought.
pub(super) async fn read(vault: &Vault, claimed: &Claimed<CalendarAction>, wanted: &Look) -> Result<String, String> {
    let moment = |seconds| Timestamp::from_second(seconds).map_err(|error| error.to_string());
    let span = (moment(wanted.from)?, moment(wanted.until)?);
    let (mut found, mut read, mut failed) = (Vec::new(), 0, None);
    for access in vault.calendars(claimed) {
        match entries_of(vault, &access, span).await {
            Ok(entries) => {
                read += 1;
                found.extend(entries);
            }
            Err(why) => {
                let settings = vault.settings_of(&access).map_err(|error| error.to_string())?;
                let (calendar, href) = (settings.account().to_owned(), String::new());
                found.push(Found { calendar, href, bytes: Err(format!("the calendar could not be read: {why}")) });
                failed = failed.or(Some(why));
            }
        }
    }
    // One of several that does not answer is said, and no reason to say nothing of the others.
    if let Some(why) = failed.filter(|_| read == 0) {
        return Err(why);
    }
    let home = bailey_calendar::zone::by_name(&wanted.zone).unwrap_or(TimeZone::UTC);
    let whose = Whose { span, home: &home, me: &wanted.me };
    let told = match wanted.wanted {
        Sought::Entries => tell::entries(&found, &whose),
        Sought::Free { minutes, from, until, weekends } => {
            let time = |minute: u16| {
                let (hour, minute) =
                    (i8::try_from(minute / 60 % 24).unwrap_or(0), i8::try_from(minute % 60).unwrap_or(0));
                Time::new(hour, minute, 0, 0).unwrap_or(Time::midnight())
            };
            tell::free_times(&found, &whose, minutes, Hours { from: time(from), until: time(until), weekends })
        }
    };
    Ok(told.to_string())
}

/// Reads one entry as it is now.
pub(super) async fn entry(vault: &Vault, access: &Access, href: &Href) -> Result<Option<Stored>, VaultError> {
    let settings = vault.settings_of(access)?;
    if !settings.dav().is_some_and(|dav| lies_below(href.as_str(), &dav.path)) {
        return Err(VaultError::Refused("this is not an entry of the connected calendar".into()));
    }
    let ask = HttpAsk { method: "GET", path: href.as_str(), headers: Vec::new(), body: Vec::new() };
    let (answer, _) = vault.until_cut(look(vault, access, ask)).await?;
    match answer.status {
        404 | 410 => Ok(None),
        200 => {
            let unreadable = |why| VaultError::Refused(format!("the entry cannot be read: {why}"));
            let entry = Entry::as_it_lies(answer.body).map_err(unreadable)?;
            let mut etag = Etag::of_answer(answer.etag.as_deref());
            if etag.is_none() {
                etag = vault.until_cut(listed_version(vault, access, href)).await?;
            }
            Ok(Some(Stored { entry, etag }))
        }
        status => Err(VaultError::Refused(refusal(WHAT, status))),
    }
}

/// Returns the version as the server lists it: some do not tell it with the entry.
async fn listed_version(vault: &Vault, access: &Access, href: &Href) -> Result<Etag, String> {
    let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:propfind xmlns:D=\"DAV:\"><D:prop><D:getetag/></D:prop></D:propfind>";
    let headers = vec![("depth", "0".to_owned()), ("content-type", "application/xml; charset=utf-8".to_owned())];
    let (answer, _) =
        look(vault, access, HttpAsk { method: "PROPFIND", path: href.as_str(), headers, body: body.into() }).await?;
    let listed =
        if answer.status == 207 { multistatus(&answer.body, "getetag").unwrap_or_default() } else { Vec::new() };
    Ok(Etag::of_answer(listed.first().map(|(_, etag)| etag.as_str())))
}

/// Asks a calendar for what happens in a span. Entries come whole: they are expanded here, whatever the server can do.
async fn entries_of(vault: &Vault, access: &Access, span: (Timestamp, Timestamp)) -> Result<Vec<Found>, String> {
    let settings = vault.settings_of(access).map_err(|error| error.to_string())?;
    let dav = settings.dav().ok_or("this connection is no calendar")?;
    let margin = SignedDuration::from_hours(MARGIN);
    let start = utc(span.0.checked_sub(margin).unwrap_or(span.0));
    let end = utc(span.1.checked_add(margin).unwrap_or(span.1));
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\"><C:time-range start=\"{start}\" end=\"{end}\"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    );
    let headers = vec![("depth", "1".to_owned()), ("content-type", "application/xml; charset=utf-8".to_owned())];
    let ask = HttpAsk { method: "REPORT", path: &dav.path, headers, body: body.into_bytes() };
    let (answer, at) = look(vault, access, ask).await?;
    if answer.status != 207 {
        return Err(refusal(WHAT, answer.status));
    }
    let mut out = Vec::new();
    let mut fetched = 0;
    for (href, data) in multistatus(&answer.body, "calendar-data")? {
        let calendar = settings.account().to_owned();
        let Ok(path) = own_path(&href, &dav.server) else {
            out.push(Found { calendar, href, bytes: Err("it lies on another server".into()) });
            continue;
        };
        // The folder itself is among the answers of some servers.
        if data.trim().is_empty() && (path.ends_with('/') || !lies_below(&path, &at)) {
            continue;
        }
        let mut bytes = if data.trim().is_empty() {
            Err("the server did not give it".to_owned())
        } else {
            Ok(data.clone().into_bytes())
        };
        if (data.contains(LOST) || bytes.is_err()) && fetched < MAX_FETCHED {
            fetched += 1;
            let one = HttpAsk { method: "GET", path: &path, headers: Vec::new(), body: Vec::new() };
            if let Ok((HttpAnswer { status: 200, body, .. }, _)) = look(vault, access, one).await {
                bytes = Ok(body);
            }
        }
        out.push(Found { calendar, href: path, bytes });
    }
    Ok(out)
}

fn utc(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Reads the entries of a multistatus answer: place and text; those that are no entries are left out.
pub fn entries(xml: &[u8]) -> Result<Vec<(String, Entry)>, String> {
    let all = multistatus(xml, "calendar-data")?;
    Ok(all.into_iter().filter_map(|(href, data)| Some((href, Entry::as_it_lies(data.into_bytes()).ok()?))).collect())
}
