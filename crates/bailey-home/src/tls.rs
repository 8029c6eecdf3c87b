//! TLS that ends in the home: the gateway passes sealed bytes on and holds no key, so it can neither read nor change what a browser
//! and the home say to each other.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bailey_interface::Code;
use bailey_listener::asked::{Host, is_ours, is_plain};
use bailey_listener::{ACCEPT_AGAIN, BY_GATEWAY, Room, Seat, refuse, serve};
use hyper::header::HeaderValue;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::api::failure;
use crate::certificate::Certificates;
use crate::names::{Door, Name};

/// Connections at once.
const MAX_CONNECTIONS: usize = 128;
/// Handshakes at once: each takes a millisecond of a core.
const MAX_HANDSHAKES: usize = 16;
/// How long whoever connected may take to be told apart and to shake hands.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The only protocol that pages are asked by (RFC 7301).
const HTTP: &[u8] = b"http/1.1";
/// The protocol by which an authority makes sure whose a name is (RFC 8737).
pub(crate) const ACME: &[u8] = b"acme-tls/1";

/// First bytes of what the gateway says of who connected (PROXY protocol, version 2, section 2.2), and how it goes on: proxied, a
/// stream over IPv6, 36 bytes of addresses.
const PROXY: [u8; 16] = *b"\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x24";
/// Bytes of those addresses: from, to, and a port each.
const PROXY_BYTES: usize = 36;

/// Who connected, as the gateway says; counts for bounds and for nothing else, since a gateway can say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remote(pub(crate) IpAddr);

/// Reads who connected.
async fn remote(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Remote> {
    let (mut head, mut addresses) = ([0; PROXY.len()], [0; PROXY_BYTES]);
    stream.read_exact(&mut head).await?;
    if head != PROXY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    stream.read_exact(&mut addresses).await?;
    let from: Option<[u8; 16]> = addresses.get(..16).and_then(|from| from.try_into().ok());
    from.map(|from| Remote(IpAddr::V6(Ipv6Addr::from(from)).to_canonical()))
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Returns how TLS is spoken: its newest version only (RFC 8446).
pub(crate) fn config(certificates: &Arc<Certificates>) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(certificates) as Arc<dyn rustls::server::ResolvesServerCert>);
    config.alpn_protocols = vec![HTTP.to_vec(), ACME.to_vec()];
    Ok(config)
}

/// What every connection needs.
struct Shared {
    acceptor: TlsAcceptor,
    router: Router,
    hosts: Vec<Host>,
    handshakes: Semaphore,
}

/// Answers what comes by TLS until `stopped` is done, and then what is under way.
pub(crate) async fn answer_all(
    listener: UnixListener,
    config: ServerConfig,
    names: &[Name],
    router: Router,
    stopped: impl Future<Output = ()>,
) {
    let hosts = names.iter().filter_map(|name| Host::of_origin(name.origin())).collect();
    let handshakes = Semaphore::new(MAX_HANDSHAKES);
    let shared = Arc::new(Shared { acceptor: TlsAcceptor::from(Arc::new(config)), router, hosts, handshakes });
    let room = Room::new(MAX_CONNECTIONS);
    let under_way = GracefulShutdown::new();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, say: it may pass.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        match room.enter() {
            Some(seat) => drop(tokio::spawn(answer_one(Arc::clone(&shared), stream, seat, under_way.watcher()))),
            None => drop(tokio::spawn(refuse(stream))),
        }
    }
    drop(listener);
    under_way.shutdown().await;
}

async fn answer_one(shared: Arc<Shared>, mut stream: UnixStream, seat: Seat, watcher: Watcher) {
    let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, async {
        let remote = remote(&mut stream).await?;
        let _turn = shared.handshakes.acquire().await.map_err(io::Error::other)?;
        Ok::<_, io::Error>((shared.acceptor.accept(stream).await?, remote))
    });
    let Ok(Ok((mut stream, remote))) = shaken.await else { return };
    if stream.get_ref().1.alpn_protocol() == Some(ACME) {
        // The certificate that was shown is all there is to say.
        let _ = tokio::time::timeout(HANDSHAKE_WITHIN, stream.shutdown()).await;
        return;
    }
    let answer = move |request: hyper::Request<hyper::body::Incoming>| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request, remote).await }
    };
    serve(stream, seat, watcher, answer).await;
}

/// Answers one request, if it is for one of our names and says one thing only. What the gateway makes sure of elsewhere is made sure of
/// here: it sees none of this.
async fn answer(shared: &Shared, mut request: hyper::Request<hyper::body::Incoming>, remote: Remote) -> Response {
    if let Err(why) = is_plain(&request) {
        return failure(Code::Malformed, why).into_response();
    }
    if let Err(why) = is_ours(request.method(), request.headers(), &shared.hosts) {
        return failure(Code::NotAuthorised, format!("the request was refused: {why}")).into_response();
    }
    // It comes from another machine, whatever it says itself.
    request.headers_mut().insert(BY_GATEWAY, HeaderValue::from_static("1"));
    request.extensions_mut().insert(Door::Tls);
    request.extensions_mut().insert(remote);
    let answered: Result<Response, Infallible> = shared.router.clone().call(request.map(Body::new)).await;
    let mut answer = answered.unwrap_or_else(|never| match never {});
    // Browsers come by TLS for a year, whatever somebody between says (RFC 6797).
    let always = HeaderValue::from_static("max-age=31536000");
    answer.headers_mut().insert(hyper::header::STRICT_TRANSPORT_SECURITY, always);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_connected_is_read_as_the_gateway_says_it() {
        let mut said = PROXY.to_vec();
        said.extend("::ffff:192.0.2.1".parse::<Ipv6Addr>().unwrap().octets());
        said.extend([0; 20]);
        said.extend(b"sealed");
        let mut stream = &said[..];
        assert_eq!(remote(&mut stream).await.unwrap(), Remote("192.0.2.1".parse().unwrap()));
        assert_eq!(stream, b"sealed");
        assert!(remote(&mut &b"GET / HTTP/1.1\r\nhost: a\r\n\r\n                              "[..]).await.is_err());
        assert!(remote(&mut said.get(..40).unwrap_or_default()).await.is_err());
    }
}
