//! Gives metrics and the last log lines of a process to whoever asks for them: over a socket of its own, and over loopback TCP where
//! the configuration names an address.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bailey_home::Home;
use bailey_telemetry::{Process, TEXT_FORMAT, metrics, recent};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

/// Connections at once: one who scrapes, one who writes a report, and some to spare. More wait.
const MAX_CONNECTIONS: usize = 8;
/// How long one may take, from its beginning to its end.
const DONE_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait where no connection can be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Where metrics are given.
pub(crate) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Whose.
#[derive(Clone)]
pub(crate) enum Source {
    Home(Arc<Home>),
    Gateway,
}

impl Source {
    async fn metrics(&self) -> String {
        match self {
            Self::Home(home) => home.metrics().await,
            Self::Gateway => metrics().render(Process::Gateway),
        }
    }
}

impl Listener {
    /// Listens on a socket that only this account can open. What lies there is a dead process's: the home's lock is held.
    pub(crate) fn at(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Some(Self::Unix(listener)))
    }

    /// Listens on a loopback address, where one is named; the configuration was checked for that.
    pub(crate) fn on(address: Option<&str>) -> io::Result<Option<Self>> {
        let Some(address) = address else { return Ok(None) };
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Some(Self::Tcp(TcpListener::from_std(listener)?)))
    }

    /// Takes the socket that was given as standard input.
    pub(crate) fn given() -> io::Result<Option<Self>> {
        let listener = std::os::unix::net::UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?);
        // Anything else that was given is no socket.
        listener.local_addr()?;
        listener.set_nonblocking(true)?;
        Ok(Some(Self::Unix(UnixListener::from_std(listener)?)))
    }

    async fn accept(&self) -> io::Result<Box<dyn Connection>> {
        Ok(match self {
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
        })
    }

    const fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Answers until the process ends.
pub(crate) async fn serve(listener: Listener, source: Source) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok(stream) = listener.accept().await else {
            // Out of descriptors, say: it may pass.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let (source, tcp) = (source.clone(), listener.is_tcp());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let source = source.clone();
                async move { Ok::<_, std::convert::Infallible>(answer(&source, tcp, &request).await) }
            });
            let mut server = hyper::server::conn::http1::Builder::new();
            server.timer(TokioTimer::new()).keep_alive(false);
            // However it ends, it has ended.
            let _ = tokio::time::timeout(DONE_WITHIN, server.serve_connection(TokioIo::new(stream), service)).await;
            drop(permit);
        });
    }
}

async fn answer(source: &Source, tcp: bool, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if tcp && !is_for_this_machine(request) {
        return plain(StatusCode::FORBIDDEN, "the request is for another host than this one\n".into());
    }
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            let mut response = plain(StatusCode::OK, source.metrics().await);
            response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(TEXT_FORMAT));
            response
        }
        // Not over TCP, where every account of the machine could ask.
        (&Method::GET, "/events") if !tcp => plain(StatusCode::OK, recent().join("\n")),
        _ => plain(StatusCode::NOT_FOUND, "there are /metrics here\n".into()),
    }
}

/// Tells whether a request names this machine by its address: a page from elsewhere could have its own name lead here.
fn is_for_this_machine(request: &Request<Incoming>) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
