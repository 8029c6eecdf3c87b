//! Leaving a mailing list by one request (RFC 8058), to a server that is not the account's: nothing of the account goes with it, it goes
//! to a public address alone, and no redirect is followed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bailey_gate::Claimed;
use bailey_gate::family::mail::MailAction;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;

use crate::egress::EgressAuthority;
use crate::http_guard::{HttpStream, Request};
use crate::net::{Link, connect_where};
use crate::settings::Server;
use crate::{Vault, words};

/// The port of https.
const HTTPS_PORT: u16 = 443;

impl Vault {
    /// Makes the one request of a claim that leaves a mailing list; returns the status of its answer.
    ///
    /// # Errors
    /// The grant does not stand, the server is not a public one or cannot be reached, or no answer came.
    pub async fn one_click(&self, claimed: &Claimed<MailAction>) -> Result<u16, String> {
        let MailAction::Unsubscribe(leaving) = claimed.action() else {
            return Err("this action leaves no list".into());
        };
        let access = self.access(claimed, "unsubscribe");
        self.settings_of(&access).map_err(|error| error.to_string())?;
        let (host, target) = (leaving.address.host(), leaving.address.target());
        let server = Server { host: host.to_owned(), port: HTTPS_PORT, tls: true, starttls: false };
        self.in_http_time(async {
            let link = connect_where(&server, &self.trust, access.authority(), is_public).await?;
            post(link, access.authority().clone(), host, target, claimed.artefact()).await
        })
        .await
    }
}

/// Posts the approved words, once.
async fn post(link: Link, authority: EgressAuthority, host: &str, target: &str, body: &[u8]) -> Result<u16, String> {
    let request = Request::Write { line: format!("POST {target} HTTP/1.1"), body: body.to_vec() };
    let stream = HttpStream::new(link, authority, request);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| words(&error))?;
    let request = hyper::Request::builder()
        .method("POST")
        .uri(target)
        .header("host", host)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("connection", "close")
        .body(Full::new(Bytes::copy_from_slice(body)))
        .map_err(|error| error.to_string())?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|error| words(&error))?;
        Ok(answer.status().as_u16())
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection may end before the answer is read; what it left behind is still there.
        _ = connection => answer.await,
    }
}

/// Tells whether an address is one of the public network, as far as the registries say (RFC 6890 and its registries): none of this
/// machine, of a network of one's own, of a provider's inside, or of documents.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

const fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || matches!((a, b), (100, 64..=127) | (198, 18..=19))
        || matches!((a, b, c), (192, 0, 0) | (192, 88, 99)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [a, b, ..] = segments;
    // What stands for an address of the older kind is judged as that (RFC 4291, 2.5.5.2; RFC 6052, 2.1).
    let embedded = address.to_ipv4_mapped().or_else(|| match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    });
    match embedded {
        Some(address) => is_public_v4(address),
        // Global unicast, without those that lead elsewhere (6to4, Teredo, ORCHID) and those of documents.
        None => a & 0xe000 == 0x2000 && a != 0x2002 && a != 0x3fff && !(a == 0x2001 && (b < 0x200 || b == 0xdb8)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bailey_gate::handoff::{HandoffLock, Mode, PauseState, SystemEgress};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::net::Trust;

    fn authority() -> EgressAuthority {
        let lock = Arc::new(HandoffLock::new(PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 }));
        EgressAuthority::System(lock, SystemEgress::Preparation)
    }

    #[test]
    fn addresses_that_are_not_of_the_public_network_are_known() {
        for public in ["93.184.215.14", "8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
            "2002:a00:1::",
            "2001::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fec0::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[tokio::test]
    async fn a_server_of_a_private_network_is_told_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server { host: "localhost".into(), port, tls: true, starttls: false };
        let trust = Trust::new(None).unwrap();
        // Who was greeted all the same would wait for an answer that nobody gives.
        let patience = std::time::Duration::from_secs(10);
        let refused = tokio::time::timeout(patience, connect_where(&server, &trust, &authority(), is_public)).await;
        let refused = refused.expect("nobody is greeted").unwrap_err();
        assert!(refused.contains("not public"), "{refused}");
        let silence = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
        assert!(silence.is_err(), "nobody connected");
    }

    /// The double answers with a redirect to itself; a second request would be seen.
    #[tokio::test]
    async fn a_list_is_told_once_in_fixed_words_and_no_redirect_is_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let double = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"One-Click") {
                assert!(stream.read_buf(&mut heard).await.unwrap() > 0);
            }
            let again = format!("HTTP/1.1 302 Found\r\nLocation: http://{here}/other\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(again.as_bytes()).await.unwrap();
            stream.read_to_end(&mut heard).await.unwrap();
            let second = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
            (String::from_utf8(heard).unwrap(), second.is_ok())
        });
        let link = Link::Plain(TcpStream::connect(here).await.unwrap());
        let status = post(link, authority(), "news.example", "/u?id=1", b"List-Unsubscribe=One-Click").await;
        assert_eq!(status, Ok(302));
        let (heard, again) = double.await.unwrap();
        assert!(!again);
        let wanted = "POST /u?id=1 HTTP/1.1\r\nhost: news.example\r\ncontent-type: application/x-www-form-urlencoded\r\nconnection: close\r\ncontent-length: 26\r\n\r\nList-Unsubscribe=One-Click";
        assert_eq!(heard, wanted);
    }
}
