//! Who asks: a program or the command line by a token, a browser by its session, or nobody known.
//!
//! A browser sends its cookie with whatever any page makes it send, so a session counts only where the browser says that a page of
//! the dashboard asked (Fetch Metadata, w3.org/TR/fetch-metadata; RFC 6454).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use bailey_gate::event::Client;

use super::{Caller, Code, Failure, failure};
use crate::home::Home;
use crate::layout::token_of;
use crate::names::Door;

/// The cookie of a session over plain HTTP on this machine, and over TLS (RFC 6265bis, section 4.1.3.2).
const COOKIE: &str = "bailey";
const SECURE_COOKIE: &str = "__Host-bailey";
/// How long a browser keeps it, in seconds: as long as a session may last.
const COOKIE_SECONDS: u64 = 90 * 24 * 60 * 60;

/// The client that asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asker {
    /// A client of the person's.
    Known(Caller),
    /// Nobody who is known.
    Nobody,
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"))
}

/// Tells who asks.
///
/// # Errors
///
/// [`Code::NotAuthorised`] where a session is shown and the request was not made by a page of the dashboard, or a token as well.
pub(super) fn asker(home: &Home, method: &Method, headers: &HeaderMap, door: Door) -> Result<Asker, Failure> {
    let shown = cookie(headers, is_secure(home, headers, door));
    if headers.contains_key(header::AUTHORIZATION) {
        if shown.is_some() {
            return Err(failure(
                Code::NotAuthorised,
                "the request shows a token and a session; a program shows no cookie",
            ));
        }
        return Ok(by_token(home, headers).map_or(Asker::Nobody, Asker::Known));
    }
    let now = home.clock.now();
    let Some((row, notes)) = shown.and_then(|shown| {
        home.browsers.session(shown, now, by_hand(method, headers), |rp| home.names.has_host(door, rp))
    }) else {
        return Ok(Asker::Nobody);
    };
    is_by_the_dashboard(home, method, headers)?;
    if notes {
        home.note_session(row.id, now);
    }
    Ok(Asker::Known(Caller { client: Client::Dashboard, session: Some(row.id) }))
}

/// Makes sure that a page of the dashboard made a request, and not one from elsewhere. One that only reads a page may come from
/// anywhere, as a link that somebody follows does: it changes nothing, and whoever sent it cannot see the answer.
pub(super) fn is_by_the_dashboard(home: &Home, method: &Method, headers: &HeaderMap) -> Result<(), Failure> {
    let site = text(headers, "sec-fetch-site");
    let right = if *method == Method::GET || *method == Method::HEAD {
        let follows_a_link =
            text(headers, "sec-fetch-mode") == Some("navigate") && text(headers, "sec-fetch-dest") == Some("document");
        matches!(site, Some("same-origin" | "none")) || follows_a_link
    } else {
        let origin = text(headers, header::ORIGIN);
        site == Some("same-origin") && origin.is_some_and(|origin| home.origins().iter().any(|known| known == origin))
    };
    if right {
        return Ok(());
    }
    let why = "a browser's session counts for pages of the dashboard alone, and this request does not come from one; use a browser of \
               the last years, at the address that `bailey dashboard` shows";
    Err(failure(Code::NotAuthorised, why))
}

/// Tells whether a request shows that the person is there: what they did, not what a page asks by itself.
pub(super) fn is_by_hand(caller: Caller, method: &Method, headers: &HeaderMap) -> bool {
    caller.session.is_none() || by_hand(method, headers)
}

/// Tells whether somebody did something that a browser asks for: what a page asks by itself neither shows that they are there nor keeps
/// their session.
fn by_hand(method: &Method, headers: &HeaderMap) -> bool {
    *method != Method::GET || text(headers, "sec-fetch-user") == Some("?1")
}

/// Takes the origin out of a request that no page of ours can have made by this door: a gateway that was taken over can write any.
pub(super) fn drop_foreign_origin(home: &Home, headers: &mut HeaderMap, door: Door) {
    let foreign = text(headers, header::ORIGIN).is_some_and(|origin| !home.names.has_origin(door, origin));
    if foreign {
        headers.remove(header::ORIGIN);
    }
}

/// Tells whether the page a request comes from was reached by TLS, which ended here or before the gateway.
fn is_secure(home: &Home, headers: &HeaderMap, door: Door) -> bool {
    let host = text(headers, header::HOST).unwrap_or_default();
    let ours = home.names.at(door).iter().find(|name| name.authority().eq_ignore_ascii_case(host));
    ours.is_some_and(crate::names::Name::is_secure)
}

/// Returns what a browser shows of its session.
fn cookie(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let name_of_ours = if secure { SECURE_COOKIE } else { COOKIE };
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == name_of_ours);
    ours.next().map(|(_, value)| value)
}

/// Returns the kind of client whose token a request shows. A terminal's counts at the home's own socket alone: who has the
/// home's token, and no more, can make it, but not come from there.
fn by_token(home: &Home, headers: &HeaderMap) -> Option<Caller> {
    let given = headers.get(header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")?;
    let by_gateway = headers.contains_key(bailey_listener::BY_GATEWAY);
    let is_of = |client: &Client| {
        if by_gateway && *client == Client::CommandLine {
            return false;
        }
        let token = token_of(*client, &home.token);
        token.is_some_and(|token| verify_slices_are_equal(given, token.as_bytes()).is_ok())
    };
    Client::ALL.into_iter().find(is_of).map(|client| Caller { client, session: None })
}

/// Tells whether a browser asks for a page.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    text(headers, header::ACCEPT).is_some_and(|accepted| accepted.contains("text/html"))
}

/// Returns the origin of the page that made a request, where it is one of the dashboard's.
pub(super) fn origin(home: &Home, headers: &HeaderMap) -> Option<String> {
    let said = text(headers, header::ORIGIN)?;
    home.origins().iter().find(|known| *known == said).cloned()
}

/// Returns the origin that a page was asked for at, where it is one of the dashboard's, and its first otherwise.
pub(super) fn shown_origin(home: &Home, headers: &HeaderMap) -> String {
    let host = text(headers, header::HOST).unwrap_or_default();
    let all = home.origins();
    let at = all.iter().find(|origin| origin.split_once("://").is_some_and(|(_, of)| of == host));
    at.or_else(|| all.first()).cloned().unwrap_or_default()
}

/// Returns which browser asks, as far as it says: name and system, as people know them.
pub(super) fn agent(headers: &HeaderMap) -> String {
    // Browsers name those they are taken for as well; the first of these that stands there is the one.
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("HeadlessChrome/", "Chrome without a window"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Mac OS X", "Mac"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ];
    let said = text(headers, header::USER_AGENT).unwrap_or_default();
    let known =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| said.contains(mark)).map(|(_, name)| *name);
    match (known(&BROWSERS), known(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => said.to_owned(),
    }
}

/// Returns the header that gives a browser its session, or takes it away: out of reach of scripts, and of requests that other
/// sites make, but for links that are followed.
pub(super) fn set_cookie(origin: &str, secret: Option<&str>) -> Option<HeaderValue> {
    let (name, secure) = if origin.starts_with("https://") { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
    let (value, age) = secret.map_or(("", 0), |secret| (secret, COOKIE_SECONDS));
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")).ok()
}
