//! Where a request comes from, as far as it says: for the gateway, and for a home that speaks TLS itself.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};

/// Hexadecimal digits of the label by which a home of this machine is told from another.
const LABEL_DIGITS: usize = 32;

/// A host that leads here, with its port where that is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// One that is reached without TLS.
    Plain(String),
    /// One whose pages come by TLS, from here or from something before here.
    Secure(String),
    /// `b-LABEL.localhost` with this port, whatever the label: the home knows its own, and no browser leaves this machine for such a
    /// name (RFC 6761, section 6.3).
    Labelled(u16),
}

impl Host {
    /// Returns one that is reached without TLS.
    #[must_use]
    pub const fn plain(authority: String) -> Self {
        Self::Plain(authority)
    }

    /// Returns one that an origin names, such as `https://bailey.example.org`.
    #[must_use]
    pub fn of_origin(origin: &str) -> Option<Self> {
        let secure = origin.strip_prefix("https://").map(|host| Self::Secure(host.to_owned()));
        secure.or_else(|| origin.strip_prefix("http://").map(|host| Self::Plain(host.to_owned())))
    }

    fn is(&self, said: &str) -> bool {
        match self {
            Self::Plain(host) | Self::Secure(host) => host.eq_ignore_ascii_case(said),
            Self::Labelled(port) => {
                let label = said.strip_suffix(&format!(".localhost:{port}")).and_then(|rest| rest.strip_prefix("b-"));
                let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                label.is_some_and(|label| label.len() == LABEL_DIGITS && label.bytes().all(is_digit))
            }
        }
    }

    const fn scheme(&self) -> &'static str {
        match self {
            Self::Plain(_) | Self::Labelled(_) => "http://",
            Self::Secure(_) => "https://",
        }
    }
}

/// Tells whether a request was made for one of these hosts, by a program or by a page of its own: a page from elsewhere can make a
/// browser send requests here, and a name that was pointed at this machine (DNS rebinding) makes it look like its own.
///
/// A link that somebody follows may come from anywhere: it opens a page, which changes nothing, and the page it was on does not see it.
pub fn is_ours(method: &Method, headers: &HeaderMap, hosts: &[Host]) -> Result<(), &'static str> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("\u{fffd}"));
    let host = text(header::HOST).ok_or("it does not say which host it is for")?;
    let known = hosts.iter().find(|known| known.is(host));
    let known = known.filter(|_| headers.get_all(header::HOST).iter().count() == 1);
    let known = known.ok_or("it is for another host than this one")?;
    if let Some(origin) = text(header::ORIGIN) {
        let same = origin.strip_prefix(known.scheme()).is_some_and(|origin| origin.eq_ignore_ascii_case(host));
        if !same {
            return Err("a page from elsewhere made it");
        }
    }
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) if *method == Method::GET && follows_a_link(headers) => Ok(()),
        Some(_) => Err("a page from elsewhere made it"),
    }
}

/// Tells whether a browser opens a page in a window of its own, as when somebody follows a link (Fetch Metadata, section 2).
fn follows_a_link(headers: &HeaderMap) -> bool {
    let says = |name, value: &str| headers.get(name).is_some_and(|said| said.as_bytes() == value.as_bytes());
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

/// Tells whether a request says one thing only about how long it is, whom it is for and where it comes from. One that says
/// two is read in one way here and perhaps in another elsewhere; nobody means well by that.
pub fn is_plain<B>(request: &Request<B>) -> Result<(), &'static str> {
    let headers = request.headers();
    // RFC 9112, 6.1.
    if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].iter().all(|name| headers.contains_key(name)) {
        return Err("the request says in two ways how long it is");
    }
    for (name, why) in [
        // RFC 9112, 3.2.
        (header::HOST, "the request says twice which host it is for"),
        // RFC 6454, 7.3.
        (header::ORIGIN, "the request says twice which page it comes from"),
        (HeaderName::from_static("sec-fetch-site"), "the request says twice where it comes from"),
    ] {
        if headers.get_all(name).iter().count() > 1 {
            return Err(why);
        }
    }
    // A target may name the host as well, and then counts for more than the header (RFC 9112, 3.2.2).
    let host = headers.get(header::HOST).map_or(&b""[..], HeaderValue::as_bytes);
    let named = request.uri().authority().is_none_or(|named| named.as_str().as_bytes().eq_ignore_ascii_case(host));
    let schemed = request.uri().scheme_str().is_none_or(|scheme| scheme == "http");
    if !named || !schemed {
        return Err("the target of the request names another host than its header");
    }
    if request.uri().path().starts_with('/') { Ok(()) } else { Err("the request asks for what has no path") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_from_elsewhere_are_refused() {
        let hosts = ["127.0.0.1:7", "localhost:7"].map(|host| Host::plain(host.to_owned()));
        let asked = |method: &Method, pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().unwrap());
            }
            is_ours(method, &headers, &hosts).is_ok()
        };
        let ours = |pairs: &[(&'static str, &str)]| asked(&Method::POST, pairs);
        let link = [("host", "127.0.0.1:7"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        let page = [link.as_slice(), &[("sec-fetch-dest", "document")]].concat();
        assert!(asked(&Method::GET, &page), "a link that somebody follows");
        for (method, bad) in [
            (Method::POST, page),
            (Method::GET, link.to_vec()),
            (Method::GET, [link.as_slice(), &[("sec-fetch-dest", "iframe")]].concat()),
        ] {
            assert!(!asked(&method, &bad), "{method} {bad:?}");
        }
        assert!(ours(&[("host", "127.0.0.1:7")]));
        assert!(ours(&[("host", "LOCALHOST:7"), ("origin", "http://localhost:7"), ("sec-fetch-site", "same-origin")]));
        for bad in [
            &[][..],
            &[("host", "evil.example:7")],
            &[("host", "127.0.0.1:8")],
            &[("host", "127.0.0.1")],
            &[("host", "127.0.0.1:7"), ("host", "evil.example")],
            &[("host", "127.0.0.1:7"), ("origin", "https://evil.example")],
            &[("host", "127.0.0.1:7"), ("origin", "null")],
            &[("host", "127.0.0.1:7"), ("origin", "http://localhost:7")],
            &[("host", "127.0.0.1:7"), ("sec-fetch-site", "cross-site")],
            &[("host", "127.0.0.1:7"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(!ours(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_request_that_says_two_things_is_refused() {
        let plain = |target: &str, more: &[(&'static str, &str)]| {
            let mut request = Request::new(());
            *request.uri_mut() = target.parse().unwrap();
            request.headers_mut().append("host", "127.0.0.1:7".parse().unwrap());
            for (name, value) in more {
                request.headers_mut().append(*name, value.parse().unwrap());
            }
            is_plain(&request).is_ok()
        };
        let origin = ("origin", "http://127.0.0.1:7");
        assert!(plain("/v1/status", &[]) && plain("http://127.0.0.1:7/v1/status?a=b", &[origin]));
        for target in
            ["http://evil.example/v1/status", "http://me@127.0.0.1:7/", "https://127.0.0.1:7/", "evil.example:443", "*"]
        {
            assert!(!plain(target, &[]), "{target}");
        }
        for more in [
            [origin, ("origin", "https://evil.example")],
            [origin, origin],
            [("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
            [("content-length", "1"), ("transfer-encoding", "chunked")],
            [("host", "127.0.0.1:7"), ("accept", "*/*")],
        ] {
            assert!(!plain("/v1/status", &more), "{more:?}");
        }
    }

    #[test]
    fn a_page_is_taken_for_ours_by_its_own_scheme_only() {
        let hosts = [Host::of_origin("https://bailey.example.org").unwrap(), Host::Labelled(7)];
        let asked = |host: &str, origin: &str| {
            let mut headers = HeaderMap::new();
            headers.append(header::HOST, host.parse().unwrap());
            headers.append(header::ORIGIN, origin.parse().unwrap());
            is_ours(&Method::POST, &headers, &hosts).is_ok()
        };
        let label = format!("b-{}.localhost:7", "0a".repeat(16));
        assert!(asked("bailey.example.org", "https://bailey.example.org"));
        assert!(asked(&label, &format!("http://{label}")));
        assert!(!asked("bailey.example.org", "http://bailey.example.org"));
        assert!(!asked(&label, &format!("https://{label}")));
        for other in ["b-.localhost:7", "b-0a.localhost:7", "bailey.localhost:7"] {
            assert!(!asked(other, &format!("http://{other}")), "{other}");
        }
    }
}
