//! Connections to servers: TLS 1.2 or better with the server's name checked, or in plain to this machine only.

use std::future::{Future as _, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::egress::{EgressAuthority, refused};
use crate::{Security, Server};

/// Whom to believe about a server's name.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Returns the machine's certificate authorities, and those in a PEM text for servers of one's own.
    pub fn new(extra: Option<&[u8]>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        // A machine without authorities still talks to servers named in the extra file; others then fail with a reason.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(pem) = extra {
            let unusable = |why: String| {
                format!("the file named under `certificate_authorities` in the configuration cannot be used: {why}")
            };
            let mut found = 0;
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
                found += 1;
            }
            if found == 0 {
                return Err(unusable("there is no certificate in it".into()));
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

/// A connection to a server.
#[derive(Debug)]
pub(crate) enum Link {
    Plain(TcpStream),
    Tls(Box<TlsStream<Early>>),
}

/// What TLS writes to: while both sides still greet each other, under the lock of whatever opened the connection; after that the
/// lock is taken around each write of the whole.
#[derive(Debug)]
pub(crate) struct Early {
    tcp: TcpStream,
    authority: Option<EgressAuthority>,
}

impl Early {
    fn under<T>(&mut self, work: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let tcp = Pin::new(&mut self.tcp);
        match &self.authority {
            Some(authority) => authority.under(|| work(tcp)).unwrap_or_else(|why| Poll::Ready(Err(refused(why)))),
            None => work(tcp),
        }
    }
}

impl AsyncRead for Early {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Early {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.under(|tcp| tcp.poll_write(cx, buffer))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.under(|tcp| tcp.poll_write_vectored(cx, buffers))
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.under(|tcp| tcp.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.under(|tcp| tcp.poll_shutdown(cx))
    }
}

/// Opens a connection as the server's settings say, where something may leave by `authority`: no name's look-up begins while everything
/// is paused, and no server is greeted.
pub(crate) async fn connect(server: &Server, trust: &Trust, authority: &EgressAuthority) -> Result<Link, String> {
    connect_where(server, trust, authority, |_| true).await
}

/// Does the same for a server whose every address has to pass `may`: which one is taken is not the asker's to choose.
pub(crate) async fn connect_where(
    server: &Server,
    trust: &Trust,
    authority: &EgressAuthority,
    may: impl Fn(IpAddr) -> bool,
) -> Result<Link, String> {
    authority.check().map_err(|why| why.to_string())?;
    let name = format!("{}:{}", server.host, server.port);
    let addresses = tokio::net::lookup_host((server.host.as_str(), server.port))
        .await
        .map_err(|error| format!("the server `{name}` is not known: {error}; check its name"))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    if !addresses.iter().all(|address| may(address.ip())) {
        return Err(format!("`{name}` has an address that is not public; nothing was sent there"));
    }
    let mut last: Option<io::Error> = None;
    for address in addresses {
        if server.security() == Security::None && !address.ip().is_loopback() {
            return Err(format!("`{name}` is another machine and this connection has no TLS; nothing was sent there"));
        }
        match greet(address, authority).await {
            Ok(tcp) => match server.security() {
                Security::Tls => return secure(tcp, server, trust, authority).await,
                // What is said in plain then is `starttls.rs`'s to say.
                Security::Starttls | Security::None => return Ok(Link::Plain(tcp)),
            },
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
    Err(format!("the server `{name}` cannot be reached: {why}"))
}

/// Opens a connection, every step of it under the lock.
async fn greet(address: SocketAddr, authority: &EgressAuthority) -> io::Result<TcpStream> {
    let mut connecting = pin!(TcpStream::connect(address));
    let mut open = |cx: &mut Context<'_>| authority.under(|| connecting.as_mut().poll(cx));
    let tcp = poll_fn(|cx| open(cx).unwrap_or_else(|why| Poll::Ready(Err(refused(why))))).await?;
    // What is written is asked at once: kept back until the last of it is acknowledged (RFC 896), a question waits for nothing.
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// Begins TLS on a connection, with the server's name checked.
pub(crate) async fn secure(
    tcp: TcpStream,
    server: &Server,
    trust: &Trust,
    authority: &EgressAuthority,
) -> Result<Link, String> {
    let name = ServerName::try_from(server.host.clone()).map_err(|_| format!("`{}` is no server name", server.host))?;
    let early = Early { tcp, authority: Some(authority.clone()) };
    let stream = TlsConnector::from(Arc::clone(&trust.0)).connect(name, early).await;
    let mut stream = stream.map_err(|error| {
        format!("no secure connection to `{}:{}`: {error}; nothing was sent there", server.host, server.port)
    })?;
    stream.get_mut().0.authority = None;
    Ok(Link::Tls(Box::new(stream)))
}

impl Link {
    /// Returns the address of this end.
    pub(crate) fn local(&self) -> Option<std::net::IpAddr> {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(stream) => &stream.get_ref().0.tcp,
        };
        tcp.local_addr().ok().map(|address| address.ip())
    }
}

impl AsyncWrite for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buffer),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Link {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}
