//! The broker: takes connections of the computer's as a proxy does (RFC 9110, 9.3.6), and sends on what it understood and was let.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;

use crate::ca::Ca;
use crate::host::{Origin, Scheme};
use crate::judge::{Ended, Head, Judge, Network, Record, Ruling, Ticket, Whole};
use crate::passing::{Answer, Counted, Passed, read_whole, whole};
use crate::seal::{Echo, MAX_FORM_BYTES, Slot};
use crate::upstream::{Link, connect};

/// Longest body of a request that waits for a person, in bytes: it is kept, and shown, whole.
pub const MAX_ASKED_BYTES: usize = 8 * 1024 * 1024;
/// Longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Longest path and query, in bytes.
const MAX_TARGET_BYTES: usize = 16 * 1024;
/// Longest wait for the head of a request, and for the computer to greet over TLS.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// Longest wait for the first byte of an answer.
const ANSWER_TIME: Duration = Duration::from_secs(300);

/// Fields that are of one connection alone (RFC 9110, 7.6.1), or that only proxies read.
const OF_CONNECTION: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What came back of a request of the home's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The media type, as the server says it.
    pub kind: String,
    /// Where it leads instead.
    pub location: Option<String>,
    /// The beginning of the body.
    pub body: Vec<u8>,
    /// Whether there was more of it.
    pub more: bool,
}

/// The broker of one home.
pub struct Broker<J, N> {
    judge: Arc<J>,
    network: N,
    ca: Ca,
    trust: Arc<ClientConfig>,
}

impl<J, N> std::fmt::Debug for Broker<J, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Broker(…)")
    }
}

/// A connection to a server, and what drives it.
struct Sender {
    send: SendRequest<Passed>,
    driver: JoinHandle<()>,
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The server that a connection of the computer's last spoke to. Its connection is used again by the next request.
type Kept = Arc<Mutex<Option<(Origin, Sender)>>>;

fn take(kept: &Kept) -> Option<(Origin, Sender)> {
    kept.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// What a connection becomes after `CONNECT`.
enum Next<J: Judge> {
    /// Requests to one server, read.
    Read(OnUpgrade, Origin),
    /// Bytes that nobody reads.
    Opaque(OnUpgrade, Link<J>, Box<Watch<J>>, Origin),
}

/// Makes an answer of the broker's own: what happened, why, and what to do next.
fn told(status: StatusCode, why: &str) -> Response<Passed> {
    let mut answer = Response::new(whole(format!("Bailey did not send this request: {why}.\n")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer.headers_mut().insert("x-bailey", HeaderValue::from_static("not-sent"));
    answer
}

impl<J: Judge, N: Network> Broker<J, N> {
    /// Makes a broker. `trust` says which servers are believed to be who they are.
    #[must_use]
    pub fn new(judge: Arc<J>, network: N, ca: Ca, trust: Arc<ClientConfig>) -> Self {
        Self { judge, network, ca, trust }
    }

    /// Returns the certificate that the computer trusts (DER).
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        self.ca.certificate()
    }

    /// Serves one connection of the computer's until it ends. Whatever comes on it is hostile.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S) {
        let (kept, next): (Kept, Mutex<Option<Next<J>>>) = (Kept::default(), Mutex::new(None));
        let first = service_fn(|request| async {
            Ok::<_, Infallible>(match *request.method() {
                Method::CONNECT => self.connect(request, &next).await,
                _ => self.proxied(request, &kept).await,
            })
        });
        if server().serve_connection(TokioIo::new(stream), first).with_upgrades().await.is_err() {
            return;
        }
        match next.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Next::Read(upgrade, origin)) => self.read(upgrade, origin).await,
            Some(Next::Opaque(upgrade, link, watch, origin)) => self.tunnel(upgrade, link, *watch, &origin).await,
            None => {}
        }
    }

    /// Takes a request for a connection to a server.
    async fn connect(&self, mut request: Request<Incoming>, next: &Mutex<Option<Next<J>>>) -> Response<Passed> {
        let named = request.uri().authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
        let origin = match Origin::read(Scheme::Https, &named) {
            Ok(origin) => origin,
            Err(why) => return self.refuse(&named, &Method::CONNECT, "", why.to_string()),
        };
        let upgrade = hyper::upgrade::on(&mut request);
        let becomes = if self.judge.may_tunnel(&origin) {
            let head = Head {
                origin: origin.clone(),
                method: Method::CONNECT,
                target: String::new(),
                headers: HeaderMap::new(),
            };
            let watch = Watch::new(&self.judge, head, Kept::default());
            match connect(&self.judge, &self.network, &origin, None).await {
                Ok(link) => Next::Opaque(upgrade, link, Box::new(watch), origin),
                Err(why) => {
                    let answer = told(StatusCode::BAD_GATEWAY, &why);
                    watch.end_with(Ended::Failed(why));
                    return answer;
                }
            }
        } else {
            Next::Read(upgrade, origin)
        };
        *next.lock().unwrap_or_else(PoisonError::into_inner) = Some(becomes);
        Response::new(whole(""))
    }

    /// Passes bytes on that nobody reads, to a server that the person named.
    async fn tunnel(&self, upgrade: OnUpgrade, mut link: Link<J>, mut watch: Watch<J>, origin: &Origin) {
        let Ok(Ok(inside)) = timeout(HEAD_TIME, upgrade).await else { return };
        let mut inside = TokioIo::new(inside);
        let cut = async {
            loop {
                std::future::poll_fn(|cx| watch.poll_changed(cx)).await;
                if self.judge.leave(&mut || ()).is_err() || !self.judge.may_tunnel(origin) {
                    return;
                }
            }
        };
        let ended = tokio::select! {
            copied = copy_bidirectional(&mut inside, &mut link) => copied.map_err(|error| error.to_string()),
            () = cut => Err("it was cut: everything is paused, or the server is no longer one of those that pass unread".into()),
        };
        match ended {
            Ok((up, down)) => {
                watch.up.store(up, Ordering::Relaxed);
                watch.down.store(down, Ordering::Relaxed);
                watch.end_with(Ended::Answered(StatusCode::OK.as_u16()));
            }
            Err(why) => watch.end_with(Ended::Failed(why)),
        }
        let _ = inside.shutdown().await;
    }

    /// Reads the requests of a connection that the computer believes to be one with a server.
    async fn read(&self, upgrade: OnUpgrade, origin: Origin) {
        let greeting = async {
            let inside = TokioIo::new(upgrade.await.map_err(|error| error.to_string())?);
            let start =
                LazyConfigAcceptor::new(Acceptor::default(), inside).await.map_err(|error| error.to_string())?;
            let greeted = start.client_hello().server_name().map(str::to_ascii_lowercase);
            if greeted.as_deref() != Some(origin.host.as_str()) {
                return Err(format!(
                    "the name it greets, `{}`, is not the one it asked to be connected to",
                    greeted.unwrap_or_default()
                ));
            }
            let config = self.ca.server(&origin.host).map_err(|error| error.to_string())?;
            start.into_stream(config).await.map_err(|error| error.to_string())
        };
        let greeted = timeout(HEAD_TIME, greeting).await.unwrap_or_else(|_| Err("it never greeted".into()));
        let stream = match greeted {
            Ok(stream) => stream,
            Err(why) => {
                self.refuse(&origin.to_string(), &Method::CONNECT, "", why);
                return;
            }
        };
        let kept = Kept::default();
        let each = service_fn(|request: Request<Incoming>| async {
            // What the name of the connection does not say is not asked for on it (RFC 9110, 7.2).
            let named = match request.uri().authority() {
                Some(authority) if request.uri().scheme_str() == Some("https") => Some(authority.as_str().to_owned()),
                Some(_) => None,
                None => Some(origin.authority()),
            };
            let same = |text: &str| Origin::read(Scheme::Https, text).as_ref() == Ok(&origin);
            Ok::<_, Infallible>(
                match named.filter(|text| same(text)).and_then(|_| host_of(&request)).filter(|host| same(host)) {
                    Some(_) => self.forward(origin.clone(), request, &kept).await,
                    None => {
                        let why = "the server it names is not the one that the connection is to";
                        self.refuse(&origin.to_string(), request.method(), request.uri().path(), why.into())
                    }
                },
            )
        });
        let _ = server().serve_connection(TokioIo::new(stream), each).await;
    }

    /// Takes a request in the clear, as a proxy gets it: with the whole address.
    async fn proxied(&self, request: Request<Incoming>, kept: &Kept) -> Response<Passed> {
        let uri = request.uri();
        let named = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
        let read = match uri.scheme_str() {
            Some("http") => Origin::read(Scheme::Http, &named).map_err(|why| why.to_string()),
            _ => Err("it has no whole address that begins with `http://`".to_owned()),
        };
        let hosts_agree = |origin: &Origin| {
            host_of(&request).is_some_and(|host| Origin::read(Scheme::Http, &host).as_ref() == Ok(origin))
        };
        match read {
            Ok(origin) if hosts_agree(&origin) => self.forward(origin, request, kept).await,
            Ok(_) => {
                let why = "the header `host` names another server than the address";
                self.refuse(&named, request.method(), uri.path(), why.into())
            }
            Err(why) => self.refuse(&named, request.method(), uri.path(), why),
        }
    }

    fn refuse(&self, place: &str, method: &Method, target: &str, why: String) -> Response<Passed> {
        let answer = told(StatusCode::FORBIDDEN, &why);
        let (place, method) = (place.to_owned(), method.to_string());
        let target = target.chars().take(MAX_TARGET_BYTES).collect();
        self.judge.begun();
        self.judge.record(Record { place, method, target, bytes: (0, 0), asked: None, ended: Ended::Refused(why) });
        answer
    }

    /// Judges one request, and sends it on where it may go.
    async fn forward(&self, origin: Origin, request: Request<Incoming>, kept: &Kept) -> Response<Passed> {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let is_upgrade = parts.headers.contains_key(header::UPGRADE);
        let headers = sent(&parts.headers, &origin);
        let head = Head { origin, method: parts.method, target, headers };
        let mut watch = Watch::new(&self.judge, head, Arc::clone(kept));
        if is_upgrade {
            return watch.refuse(
                StatusCode::FORBIDDEN,
                "it would become something else than HTTP, which nobody could read".into(),
            );
        }
        if watch.head.target.len() > MAX_TARGET_BYTES {
            let why = format!("its address is longer than {MAX_TARGET_BYTES} bytes");
            return watch.refuse(StatusCode::URI_TOO_LONG, why);
        }
        if let Err(error) = self.judge.leave(&mut || ()) {
            return watch.refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string());
        }
        let slots = self.judge.slots(&watch.head.origin);
        let slot = slots.iter().find(|slot| slot.is_for(&watch.head.origin, &watch.head.method, watch.head.path()));
        let ruling = self.judge.judge(&watch.head);
        let body = match (ruling, slot) {
            (Ruling::Refuse(why), _) => return watch.refuse(StatusCode::FORBIDDEN, why),
            (Ruling::Go, None) => Counted { body, bytes: Arc::clone(&watch.up) }.boxed_unsync(),
            (ruling, slot) => {
                let most = if slot.is_some() { MAX_FORM_BYTES } else { MAX_ASKED_BYTES };
                match self.prepared(&mut watch, ruling, slot, body, most).await {
                    Ok(body) => body,
                    Err((status, why)) => return watch.refuse(status, why),
                }
            }
        };
        let echo = Echo::of(slots.iter().map(|slot| slot.secret.as_str()));
        self.send(watch, body, echo).await
    }

    /// Reads a request whole, asks about it where it has to be asked about, and puts the sealed secret in its place.
    async fn prepared(
        &self,
        watch: &mut Watch<J>,
        ruling: Ruling,
        slot: Option<&Slot>,
        body: Incoming,
        most: usize,
    ) -> Result<Passed, (StatusCode, String)> {
        let too_long =
            || (StatusCode::PAYLOAD_TOO_LARGE, format!("its body breaks off, or is longer than {most} bytes"));
        let mut body = read_whole(body, most).await.ok_or_else(too_long)?;
        if ruling == Ruling::Ask {
            let request = Whole { head: watch.head.clone(), body };
            let answer = self.judge.ask(&request).await;
            watch.asked = Some(answer.map_err(|why| (StatusCode::FORBIDDEN, why))?);
            body = request.body;
        }
        if let Some(slot) = slot {
            body = slot.fill(&mut watch.head.headers, body).map_err(|why| (StatusCode::FORBIDDEN, why.to_string()))?;
        }
        watch.up.store(u64::try_from(body.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if watch.head.headers.contains_key(header::CONTENT_LENGTH) {
            watch.head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        Ok(whole(body))
    }

    /// Sends a request of the home's own, which was decided on already, and returns the beginning of what came back. It follows nothing
    /// that leads elsewhere.
    ///
    /// # Errors
    /// It was not sent, or no whole answer came; says why.
    pub async fn fetch(&self, request: Whole, ticket: Ticket, most: usize) -> Result<Fetched, String> {
        let Whole { head, body } = request;
        let mut watch = Watch::new(&self.judge, head, Kept::default());
        watch.asked = Some(ticket);
        watch.up.store(u64::try_from(body.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let answer = self.send(watch, whole(body), None).await;
        let (parts, mut coming) = answer.into_parts();
        let is_ours = parts.headers.contains_key("x-bailey");
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (kind, location) = (text(header::CONTENT_TYPE).unwrap_or_default(), text(header::LOCATION));
        let (mut body, mut more) = (Vec::new(), false);
        while let Some(frame) = coming.frame().await {
            let data = frame.map_err(|error| error.to_string())?.into_data().unwrap_or_default();
            let room = most.saturating_sub(body.len());
            body.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
            if data.len() > room {
                more = true;
                break;
            }
        }
        if is_ours {
            return Err(String::from_utf8_lossy(&body).trim().to_owned());
        }
        Ok(Fetched { status: parts.status.as_u16(), kind, location, body, more })
    }

    async fn send(&self, mut watch: Watch<J>, body: Passed, echo: Option<Echo>) -> Response<Passed> {
        let mut request = Request::new(body);
        *request.method_mut() = watch.head.method.clone();
        *request.version_mut() = Version::HTTP_11;
        let Ok(target) = watch.head.target.parse::<Uri>() else {
            return watch.refuse(StatusCode::BAD_REQUEST, "its path cannot be read".into());
        };
        *request.uri_mut() = target;
        *request.headers_mut() = watch.head.headers.clone();
        if echo.is_some() {
            // What is compressed cannot be held against secrets.
            request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let mut sender = match self.sender(&watch.kept, &watch.head.origin).await {
            Ok(sender) => sender,
            Err(why) => return watch.fail(&why),
        };
        let answering = timeout(ANSWER_TIME, sender.send.send_request(request));
        let answered = tokio::select! {
            answered = answering => match answered {
                Ok(answered) => answered.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer began within {} seconds", ANSWER_TIME.as_secs())),
            },
            why = watch.cut() => Err(why),
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(why) => return watch.fail(&why),
        };
        watch.status = answer.status().as_u16();
        *watch.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((watch.head.origin.clone(), sender));
        answered_with(answer, watch, echo)
    }

    /// Returns a connection to the server of a request: the one that was used last, where it is to the same.
    async fn sender(&self, kept: &Kept, origin: &Origin) -> Result<Sender, String> {
        if let Some((_, mut sender)) = take(kept).filter(|(known, _)| known == origin)
            && sender.send.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let link = connect(&self.judge, &self.network, origin, Some(&self.trust)).await?;
        let (send, driving) =
            hyper::client::conn::http1::handshake(TokioIo::new(link)).await.map_err(|error| error.to_string())?;
        let driver = tokio::spawn(async {
            let _ = driving.await;
        });
        Ok(Sender { send, driver })
    }
}

fn answered_with<J: Judge>(answer: Response<Incoming>, watch: Watch<J>, echo: Option<Echo>) -> Response<Passed> {
    let (mut parts, body) = answer.into_parts();
    if let Some(echo) = &echo {
        let is_encoded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
        if parts.headers.get(header::CONTENT_ENCODING).is_some_and(is_encoded) {
            return watch
                .fail("the answer is compressed, so it cannot be held against the sealed secret, and is kept back");
        }
        if parts.headers.values().any(|value| echo.is_in(value.as_bytes())) {
            return watch.fail("the answer held a sealed secret, and is kept back");
        }
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    parts.headers = of_the_message(&parts.headers).collect();
    parts.version = Version::HTTP_11;
    if body.is_end_stream() {
        watch.end_with(Ended::Answered(parts.status.as_u16()));
        return Response::from_parts(parts, whole(""));
    }
    Response::from_parts(parts, Answer { body, echo, watch, ended: false }.boxed_unsync())
}

/// Returns how the computer's connections are read.
fn server() -> hyper::server::conn::http1::Builder {
    let mut server = hyper::server::conn::http1::Builder::new();
    server.max_buf_size(MAX_HEAD_BYTES).timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    server
}

/// Returns the one server that the header `host` names.
fn host_of(request: &Request<Incoming>) -> Option<String> {
    let mut named = request.headers().get_all(header::HOST).iter();
    match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok().map(str::to_owned),
        _ => None,
    }
}

/// Returns the fields that a header `connection` says are of the connection alone.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect()
}

/// Returns the fields that are not of the connection alone.
fn of_the_message(headers: &HeaderMap) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let named = named_by_connection(headers);
    let stays = move |name: &HeaderName| !OF_CONNECTION.contains(&name.as_str()) && !named.contains(name);
    headers.iter().filter(move |(name, _)| stays(name)).map(|(name, value)| (name.clone(), value.clone()))
}

/// Returns the fields of a request that are sent on.
fn sent(headers: &HeaderMap, origin: &Origin) -> HeaderMap {
    let mut out = HeaderMap::new();
    if let Ok(host) = HeaderValue::from_str(&origin.authority()) {
        out.insert(header::HOST, host);
    }
    out.extend(of_the_message(headers).filter(|(name, _)| name != header::HOST && name != header::EXPECT));
    out
}

type Change = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A request under way: whether it may go on, and what is recorded of it.
pub(crate) struct Watch<J: Judge> {
    judge: Arc<J>,
    head: Head,
    asked: Option<Ticket>,
    up: Arc<AtomicU64>,
    pub(crate) down: AtomicU64,
    status: u16,
    change: Change,
    kept: Kept,
    is_recorded: bool,
}

fn change_of<J: Judge>(judge: &Arc<J>) -> Change {
    let judge = Arc::clone(judge);
    Box::pin(async move { judge.changed().await })
}

impl<J: Judge> Watch<J> {
    /// Begins to watch; before the request is judged, so that no change falls between.
    fn new(judge: &Arc<J>, head: Head, kept: Kept) -> Self {
        judge.begun();
        let mut change = change_of(judge);
        // What changes from here on is heard of, though nobody waits for it yet.
        if change.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            change = change_of(judge);
        }
        Self {
            judge: Arc::clone(judge),
            head,
            asked: None,
            up: Arc::default(),
            down: AtomicU64::new(0),
            status: 0,
            change,
            kept,
            is_recorded: false,
        }
    }

    /// Waits for a change of the rules or a pause.
    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.change.as_mut().poll(cx);
        if polled.is_ready() {
            self.change = change_of(&self.judge);
        }
        polled
    }

    /// Waits for what ends the request, and says what; the connection to the server ends with it.
    pub(crate) fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<String> {
        while self.poll_changed(cx).is_ready() {
            let why = match self.judge.leave(&mut || ()) {
                Err(error) => Some(error.to_string()),
                Ok(()) if self.asked.is_some() || self.judge.judge(&self.head) == Ruling::Go => None,
                Ok(()) => Some("the rules changed, and no longer let it go".into()),
            };
            if let Some(why) = why {
                drop(take(&self.kept));
                return Poll::Ready(why);
            }
        }
        Poll::Pending
    }

    async fn cut(&mut self) -> String {
        std::future::poll_fn(|cx| self.poll_cut(cx)).await
    }

    /// Records how it ended, once.
    pub(crate) fn end(&mut self, ended: Ended) {
        if std::mem::replace(&mut self.is_recorded, true) {
            return;
        }
        self.judge.record(Record {
            place: self.head.origin.to_string(),
            method: self.head.method.to_string(),
            target: self.head.target.chars().take(MAX_TARGET_BYTES).collect(),
            bytes: (self.up.load(Ordering::Relaxed), self.down.load(Ordering::Relaxed)),
            asked: self.asked,
            ended,
        });
    }

    fn end_with(mut self, ended: Ended) {
        self.end(ended);
    }

    /// Records that the whole answer came.
    pub(crate) fn answered(&mut self) {
        self.end(Ended::Answered(self.status));
    }

    fn refuse(mut self, status: StatusCode, why: String) -> Response<Passed> {
        let answer = told(status, &why);
        self.end(Ended::Refused(why));
        answer
    }

    /// Tells the computer, and the record, that no answer came of what may have been sent.
    fn fail(mut self, why: &str) -> Response<Passed> {
        drop(take(&self.kept));
        let mut answer = Response::new(whole(format!("Bailey has no answer to this request: {why}.\n")));
        *answer.status_mut() = StatusCode::BAD_GATEWAY;
        answer.headers_mut().insert("x-bailey", HeaderValue::from_static("no-answer"));
        self.end(Ended::Failed(why.to_owned()));
        answer
    }
}

impl<J: Judge> Drop for Watch<J> {
    fn drop(&mut self) {
        self.end(Ended::Failed("the computer gave it up".into()));
    }
}
