//! Leaving a mailing list by one request (RFC 8058), to a server that is not the account's: nothing of the account goes with it, it goes
//! to a public address alone, and no redirect is followed.

use bailey_egress::address::is_public;
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
