//! Connections to servers: to public addresses alone, each byte written under the home's lock.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::address::is_public;
use crate::host::{Origin, Scheme};
use crate::judge::{Judge, Network};

/// Longest wait for a server to be found, connected to and greeted.
const CONNECT_TIME: Duration = Duration::from_secs(20);

/// A connection whose every write is made under the home's lock.
pub(crate) struct Leaving<J> {
    stream: TcpStream,
    judge: Arc<J>,
}

/// A connection to a server.
pub(crate) enum Link<J> {
    Plain(Leaving<J>),
    Tls(Box<TlsStream<Leaving<J>>>),
}

/// Connects to a server, over TLS where that is how it is spoken to and `inside` does not say that the computer does so itself.
pub(crate) async fn connect<J: Judge, N: Network>(
    judge: &Arc<J>,
    network: &N,
    origin: &Origin,
    trust: Option<&Arc<ClientConfig>>,
) -> Result<Link<J>, String> {
    let connecting = async {
        let stream = reach(judge, network, origin).await?;
        let _ = stream.set_nodelay(true);
        let link = Leaving { stream, judge: Arc::clone(judge) };
        let Some(trust) = trust.filter(|_| origin.scheme == Scheme::Https) else { return Ok(Link::Plain(link)) };
        let name = ServerName::try_from(origin.host.as_str().to_owned()).map_err(|error| error.to_string())?;
        let greeted = TlsConnector::from(Arc::clone(trust)).connect(name, link).await;
        let link = greeted.map_err(|error| format!("`{}` could not be greeted over TLS ({error})", origin.host))?;
        Ok(Link::Tls(Box::new(link)))
    };
    let late = || format!("`{}` did not answer within {} seconds", origin.host, CONNECT_TIME.as_secs());
    tokio::time::timeout(CONNECT_TIME, connecting).await.unwrap_or_else(|_| Err(late()))
}

async fn reach<J: Judge, N: Network>(judge: &Arc<J>, network: &N, origin: &Origin) -> Result<TcpStream, String> {
    let host = &origin.host;
    judge.leave(&mut || ()).map_err(|error| error.to_string())?;
    let addresses = network.resolve(host).await.map_err(|error| format!("`{host}` is not known ({error})"))?;
    // A name that leads into a network of one's own as well is somebody's attempt to get there.
    if let Some(inside) = addresses.iter().find(|address| !is_public(**address)) {
        return Err(format!("`{host}` leads to {inside}, which is no address of the public network"));
    }
    let mut last = format!("`{host}` has no address");
    for address in addresses {
        let mut connecting = pin!(network.connect(SocketAddr::new(address, origin.port)));
        // What begins the connection is begun under the lock, as every write is.
        let connected = poll_fn(|cx| {
            let mut polled = Poll::Pending;
            match judge.leave(&mut || polled = connecting.as_mut().poll(cx)) {
                Ok(()) => polled,
                Err(error) => Poll::Ready(Err(error)),
            }
        });
        match connected.await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = format!("`{host}` cannot be reached ({error})"),
        }
    }
    Err(last)
}

impl<J: Judge> AsyncRead for Leaving<J> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<J: Judge> AsyncWrite for Leaving<J> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, judge } = &mut *self;
        let mut written = Poll::Pending;
        judge.leave(&mut || written = Pin::new(&mut *stream).poll_write(cx, bytes))?;
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, judge } = &mut *self;
        let mut ended = Poll::Ready(Ok(()));
        // Where nothing may leave, the connection ends without a word.
        let _ = judge.leave(&mut || ended = Pin::new(&mut *stream).poll_shutdown(cx));
        ended
    }
}

impl<J: Judge> AsyncRead for Link<J> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(link) => Pin::new(link).poll_read(cx, buffer),
            Self::Tls(link) => Pin::new(link).poll_read(cx, buffer),
        }
    }
}

impl<J: Judge> AsyncWrite for Link<J> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(link) => Pin::new(link).poll_write(cx, bytes),
            Self::Tls(link) => Pin::new(link).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(link) => Pin::new(link).poll_flush(cx),
            Self::Tls(link) => Pin::new(link).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(link) => Pin::new(link).poll_shutdown(cx),
            Self::Tls(link) => Pin::new(link).poll_shutdown(cx),
        }
    }
}
