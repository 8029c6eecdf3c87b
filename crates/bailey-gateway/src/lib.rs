//! The gateway: the way in over TCP, on this machine only. It checks where a request comes from and passes it to the home.
//!
//! It holds no key, no token and no state. It cannot approve: the home checks the evidence of an approval itself. What browsers
//! show passes through it, though: sessions, and links by which a passkey is made (SECURITY.md, "The dashboard").
//!
//! Invariant of absence: it opens no file. Once it listens, the kernel refuses it every one, where the kernel can.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod hello;
mod sealed;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bailey_listener::asked::{Host, is_ours, is_plain};
use bailey_listener::{ACCEPT_AGAIN, BY_GATEWAY, Room, refuse as refuse_all};
use bailey_telemetry::{Instrument as _, Outcome, Stopwatch, event, metrics, span};
use http_body_util::{LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, UnixStream};

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// It names no address and port.
    #[error("`{0}` is no address and port, such as 127.0.0.1:4747; name one under [gateway] in the configuration")]
    NoAddress(String),
    /// Another machine could reach it.
    #[error("`{0}` is not an address of this machine alone; the gateway listens on loopback only")]
    NotLoopback(String),
    /// The address cannot be listened on.
    #[error("`{address}` cannot be listened on: {source}; name another under [gateway] in the configuration")]
    Busy {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        source: std::io::Error,
    },
    /// Serving failed.
    #[error("the gateway failed: {0}")]
    Failed(#[from] std::io::Error),
}

/// Names and addresses that lead here, beside those of the configuration and the home's own.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Connections at once: more than a home answers programs at once, so that some are left for what it answers at once.
const MAX_CONNECTIONS: usize = 256;

/// Longest body of a request, in bytes: what a home takes. It would break off, and nobody would hear why.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// What a browser is shown while the home does not answer.
const NOT_ANSWERING: &str = include_str!("not_answering.html");

/// What every request needs to know.
#[derive(Debug)]
struct Place {
    /// The home's socket.
    home: PathBuf,
    /// Names and addresses this gateway may be called by.
    hosts: Vec<Host>,
}

/// A gateway that listens.
#[derive(Debug)]
pub struct Gateway {
    listener: TcpListener,
    address: SocketAddr,
    /// Where sealed connections come in, and the hosts they may ask for.
    sealed: Option<(TcpListener, Vec<String>)>,
    names: Vec<Host>,
}

impl Gateway {
    /// Listens; port 0 takes a free one. `names` are origins that the home is reached by as well: of those with TLS, by sealed
    /// connections at `tls_address` where there is one, else from something before this that speaks TLS.
    pub async fn bind(address: &str, names: &[String], tls_address: Option<&str>) -> Result<Self, GatewayError> {
        let (listener, address) = listen(address, true).await?;
        let (secure, plain): (Vec<_>, Vec<_>) =
            names.iter().filter_map(|name| Host::of_origin(name)).partition(|host| matches!(host, Host::Secure(_)));
        let Some(tls_address) = tls_address else {
            return Ok(Self { listener, address, sealed: None, names: [secure, plain].concat() });
        };
        let (sealed, _) = listen(tls_address, false).await?;
        let host_of = |host: &Host| match host {
            Host::Secure(said) => Some(said.split(':').next().unwrap_or_default().to_owned()),
            Host::Plain(_) | Host::Labelled(_) => None,
        };
        let hosts = secure.iter().filter_map(host_of).collect();
        Ok(Self { listener, address, sealed: Some((sealed, hosts)), names: plain })
    }

    /// Tells where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells where sealed connections come in, if anywhere.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.sealed.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// Passes requests to the home behind `socket`, and sealed connections to that behind `tls_socket`, until the process ends.
    pub async fn serve(self, socket: &Path, tls_socket: &Path) -> Result<(), GatewayError> {
        let port = self.address.port();
        let local = HOSTS.map(|name| Host::plain(format!("{name}:{port}")));
        let hosts = local.into_iter().chain([Host::Labelled(port)]).chain(self.names).collect();
        if let Some((listener, hosts)) = self.sealed {
            let tls_socket = tls_socket.to_owned();
            tokio::spawn(async move { sealed::pass_on(listener, hosts, &tls_socket).await });
        }
        let place = Arc::new(Place { home: socket.into(), hosts });
        let room = Room::new(MAX_CONNECTIONS);
        // Never shut down: the process ends with all of it.
        let under_way = GracefulShutdown::new();
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                // Out of descriptors, say: it may pass.
                Err(_) => {
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            let Some(seat) = room.enter() else {
                tokio::spawn(refuse_all(stream));
                continue;
            };
            let place = Arc::clone(&place);
            metrics().gateway_opened();
            let answer = move |request: hyper::Request<hyper::body::Incoming>| answer(Arc::clone(&place), request);
            let serving = bailey_listener::serve(stream, seat, under_way.watcher(), answer);
            tokio::spawn(async move {
                serving.await;
                metrics().gateway_closed();
            });
        }
    }
}

/// Listens at an address; gives the one that was taken.
async fn listen(said: &str, here_only: bool) -> Result<(TcpListener, SocketAddr), GatewayError> {
    let no_address = |_| GatewayError::NoAddress(said.chars().take(100).collect());
    let address: SocketAddr = said.parse().map_err(no_address)?;
    if here_only && !address.ip().is_loopback() {
        return Err(GatewayError::NotLoopback(address.to_string()));
    }
    let listener = TcpListener::bind(address).await.map_err(|source| GatewayError::Busy { address, source })?;
    let taken = listener.local_addr()?;
    Ok((listener, taken))
}

/// Takes every file away from this process, for good. False where the kernel cannot.
#[must_use]
pub fn renounce_files() -> bool {
    use landlock::{
        ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetStatus,
    };
    let rules =
        Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(AccessFs::from_all(ABI::V5));
    let status = rules.and_then(|rules| rules.create()).and_then(landlock::RulesetCreated::restrict_self);
    status.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

fn refuse(status: StatusCode, code: &str, why: &str) -> Response {
    let body = serde_json::json!({"code": code, "message": why}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Returns the page that says so where the home does not answer. The same bytes each time: there is nothing of anybody in it.
fn not_answering() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ];
    (StatusCode::BAD_GATEWAY, headers, NOT_ANSWERING).into_response()
}

async fn answer(place: Arc<Place>, request: hyper::Request<hyper::body::Incoming>) -> Response {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let span = span!("request", request = COUNT.fetch_add(1, Ordering::Relaxed));
    let answering = async move {
        let took = Stopwatch::start();
        let (outcome, answer) = pass(place, request.map(Body::new)).await;
        let (status, took) = (answer.status().as_u16(), took.elapsed());
        metrics().gateway_request(outcome, took);
        event!(DEBUG, "a request was answered", outcome = outcome.name(), status = status, ms = took);
        answer
    };
    answering.instrument(span).await
}

async fn pass(place: Arc<Place>, request: Request) -> (Outcome, Response) {
    if let Err(why) = is_plain(&request) {
        return (Outcome::Refused, refuse(StatusCode::BAD_REQUEST, "invalid", why));
    }
    if let Err(why) = is_ours(request.method(), request.headers(), &place.hosts) {
        let why = format!("the request was refused: {why}");
        return (Outcome::Refused, refuse(StatusCode::FORBIDDEN, "not-authorised", &why));
    }
    if axum::body::HttpBody::size_hint(request.body()).lower() > MAX_BODY_BYTES as u64 {
        return (Outcome::Refused, Lost::TooLong.told());
    }
    let by_browser = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accepted| accepted.to_str().is_ok_and(|accepted| accepted.contains("text/html")));
    match forward(&place.home, request).await {
        Ok(answer) => (Outcome::Passed, answer),
        Err(lost) => {
            event!(WARN, "a request was not answered by the home", code = lost.code());
            let told = match &lost {
                Lost::NotReached(_) if by_browser => not_answering(),
                _ => lost.told(),
            };
            (Outcome::Unanswered, told)
        }
    }
}

/// Why a request has no answer of the home.
enum Lost {
    /// The home cannot be reached: the request has done nothing.
    NotReached(std::io::Error),
    /// Its sender broke off before its end.
    ByItsSender,
    /// Its body is longer than it may be, which shows only as it arrives.
    TooLong,
    /// The home broke off; it may have done what was asked.
    ByTheHome(hyper::Error),
    /// It asks for nothing a home could have.
    BadTarget,
}

impl Lost {
    const fn code(&self) -> &'static str {
        match self {
            Self::NotReached(_) => "not-reached",
            Self::TooLong => "too-long",
            Self::ByItsSender => "sender-upstream-closed",
            Self::ByTheHome(_) => "home-upstream-closed",
            Self::BadTarget => "bad-target",
        }
    }

    fn told(&self) -> Response {
        match self {
            Self::NotReached(why) => refuse(
                StatusCode::BAD_GATEWAY,
                "not-running",
                &format!(
                    "the home does not answer ({why}); it may be locked (`bailey unlock`), or starting, or cannot start (`bailey doctor` says why)"
                ),
            ),
            Self::TooLong => {
                let why = format!("the request's body is longer than {} MiB", MAX_BODY_BYTES / 1_024 / 1_024);
                refuse(StatusCode::PAYLOAD_TOO_LARGE, "too-long", &why)
            }
            Self::ByItsSender => refuse(StatusCode::BAD_REQUEST, "invalid", "the request broke off before its end"),
            Self::ByTheHome(why) => refuse(
                StatusCode::BAD_GATEWAY,
                "upstream-closed",
                &format!(
                    "the home broke off before it had answered ({why}); what was asked may be done or not: look \
                     before you ask for it again"
                ),
            ),
            Self::BadTarget => refuse(StatusCode::BAD_REQUEST, "invalid", "the request asks for what has no path"),
        }
    }
}

impl From<hyper::Error> for Lost {
    fn from(error: hyper::Error) -> Self {
        // What could not be read of the request's body is its sender's doing.
        match error.is_user() {
            true if is_too_long(&error) => Self::TooLong,
            true => Self::ByItsSender,
            false => Self::ByTheHome(error),
        }
    }
}

/// Tells whether a body ended for its length.
fn is_too_long(error: &hyper::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.is::<LengthLimitError>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Returns one request over the home's socket, and its answer as it arrives.
async fn forward(home: &Path, mut request: Request) -> Result<Response, Lost> {
    let stream = UnixStream::connect(home).await.map_err(Lost::NotReached)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    *request.uri_mut() = target.parse().map_err(|_| Lost::BadTarget)?;
    // These belong to one connection (RFC 9110, 7.6.1), and this is another.
    for name in [header::CONNECTION, header::UPGRADE, header::TE, header::TRAILER, header::TRANSFER_ENCODING] {
        request.headers_mut().remove(name);
    }
    // Whatever the request said of that itself.
    request.headers_mut().insert(BY_GATEWAY, HeaderValue::from_static("1"));
    let request = request.map(|body| Body::new(Limited::new(body, MAX_BODY_BYTES)));
    let answer = sender.send_request(request).await?;
    Ok(answer.map(Body::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn a_gateway_can_open_no_file() {
        // In a thread of its own: what is given up is given up for good.
        let tried = std::thread::spawn(|| (renounce_files(), std::fs::read("/proc/self/status").is_ok()));
        let (confined, opened) = tried.join().unwrap();
        // A kernel without Landlock says so, and the gateway with it.
        assert_ne!(confined, opened);
    }

    /// Returns what a gateway before `socket` answers one request, as it comes.
    async fn answered(socket: &Path) -> String {
        let gateway = Gateway::bind("127.0.0.1:0", &[], None).await.unwrap();
        let address = gateway.address();
        let serving = tokio::spawn({
            let socket = socket.to_owned();
            async move { gateway.serve(&socket, &socket).await }
        });
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("POST /v1/pause HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        serving.abort();
        answer
    }

    #[tokio::test]
    async fn it_tells_a_home_that_is_not_there_from_one_that_broke_off() {
        let socket = std::env::temp_dir().join(format!("bailey-test-gateway-{}", std::process::id()));
        let nobody = answered(&socket).await;
        assert!(nobody.starts_with("HTTP/1.1 502") && nobody.contains("\"not-running\""), "{nobody}");

        // A double of a home: it reads a request and goes away.
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let gone = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_buf(&mut Vec::new()).await.unwrap()
        });
        let broken = answered(&socket).await;
        assert!(gone.await.unwrap() > 0);
        assert!(broken.starts_with("HTTP/1.1 502") && broken.contains("\"upstream-closed\""), "{broken}");
        assert!(broken.contains("may be done or not"), "{broken}");
        std::fs::remove_file(&socket).unwrap();
    }

    #[tokio::test]
    async fn it_listens_on_loopback_only() {
        for elsewhere in ["0.0.0.0:0", "[::]:0", "10.0.0.1:0"] {
            assert!(
                matches!(Gateway::bind(elsewhere, &[], None).await, Err(GatewayError::NotLoopback(_))),
                "{elsewhere}"
            );
        }
        for unclear in ["localhost:0", "127.0.0.1:99999", "nonsense"] {
            assert!(matches!(Gateway::bind(unclear, &[], None).await, Err(GatewayError::NoAddress(_))), "{unclear}");
        }
        assert!(Gateway::bind("127.0.0.1:0", &[], None).await.unwrap().address().port() > 0);
    }
}
