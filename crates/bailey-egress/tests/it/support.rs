//! A server that answers with what it got, a computer's program that speaks through the broker, and a judge that a test holds.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailey_egress::{Broker, Ca, Head, HostName, Judge, Network, Origin, Record, Ruling, Scheme, Slot, Ticket, Whole};
use bailey_gate::handoff::{HandoffLock, Mode, PauseState, SystemEgress};
use base64::Engine as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A request as the server got it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

type Rule = Box<dyn Fn(&Head) -> Ruling + Send + Sync>;

struct State {
    rule: Mutex<Rule>,
    passing: Mutex<Vec<String>>,
    answer: Mutex<Result<(), String>>,
    asked: Mutex<Vec<Whole>>,
    slots: Mutex<Vec<Slot>>,
    records: Mutex<Vec<Record>>,
    names: Mutex<BTreeMap<String, Vec<IpAddr>>>,
    lock: HandoffLock,
    changes: watch::Sender<u64>,
    tried: AtomicUsize,
    connections: AtomicUsize,
    arrived: AtomicU64,
    seen: Mutex<Vec<Seen>>,
    something: Notify,
    ports: Mutex<BTreeMap<u16, SocketAddr>>,
}

/// The judge of a test.
pub(crate) struct Held(Arc<State>);

impl Judge for Held {
    fn judge(&self, head: &Head) -> Ruling {
        (self.0.rule.lock().unwrap())(head)
    }

    fn may_tunnel(&self, origin: &Origin) -> bool {
        self.0.passing.lock().unwrap().contains(&origin.host.to_string())
    }

    async fn ask(&self, request: &Whole) -> Result<Ticket, String> {
        self.0.asked.lock().unwrap().push(request.clone());
        self.0.answer.lock().unwrap().clone().map(|()| Ticket(1))
    }

    fn slots(&self, origin: &Origin) -> Vec<Slot> {
        self.0.slots.lock().unwrap().iter().filter(|slot| slot.origin == *origin).cloned().collect()
    }

    fn leave(&self, write: &mut dyn FnMut()) -> io::Result<()> {
        self.0.lock.system(SystemEgress::Preparation, write).map_err(io::Error::other)
    }

    async fn changed(&self) {
        let _ = self.0.changes.subscribe().changed().await;
    }

    fn record(&self, record: Record) {
        self.0.records.lock().unwrap().push(record);
        self.0.something.notify_waiters();
    }
}

/// The network of a test.
pub(crate) struct Mapped(Arc<State>);

impl Network for Mapped {
    async fn resolve(&self, host: &HostName) -> io::Result<Vec<IpAddr>> {
        let known = self.0.names.lock().unwrap().get(host.as_str()).cloned();
        known.ok_or_else(|| io::Error::other("no such name"))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.0.tried.fetch_add(1, Ordering::SeqCst);
        let place = self.0.ports.lock().unwrap().get(&address.port()).copied();
        TcpStream::connect(place.ok_or_else(|| io::Error::other("nobody listens"))?).await
    }
}

pub(crate) struct World {
    state: Arc<State>,
    broker: Arc<Broker<Held, Mapped>>,
    trust: Arc<ClientConfig>,
}

fn trusting(certificate: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(certificate.to_vec())).unwrap();
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

impl World {
    /// Starts a server, over TLS and in the clear, that is each of these names, and a broker before it.
    pub(crate) async fn new(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let subject = if names.is_empty() { vec!["nobody.example".to_owned()] } else { names.clone() };
        let shown = rcgen::generate_simple_self_signed(subject).unwrap();
        let key = PrivateKeyDer::try_from(shown.signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![shown.cert.der().clone()], key);
        let public: IpAddr = "93.184.215.14".parse().unwrap();
        let state = Arc::new(State {
            rule: Mutex::new(Box::new(|_| Ruling::Go)),
            passing: Mutex::default(),
            answer: Mutex::new(Err("nobody answered".into())),
            asked: Mutex::default(),
            slots: Mutex::default(),
            records: Mutex::default(),
            names: Mutex::new(names.into_iter().map(|name| (name, vec![public])).collect()),
            lock: HandoffLock::new(PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 }),
            changes: watch::channel(0).0,
            tried: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            arrived: AtomicU64::new(0),
            seen: Mutex::default(),
            something: Notify::new(),
            ports: Mutex::default(),
        });
        for (port, tls) in [(443, Some(TlsAcceptor::from(Arc::new(tls.unwrap())))), (80, None)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            state.ports.lock().unwrap().insert(port, listener.local_addr().unwrap());
            tokio::spawn(listen(listener, tls, Arc::clone(&state)));
        }
        let ca = Ca::open(&Ca::new_key().unwrap(), "Bailey of a test").unwrap();
        let judge = Arc::new(Held(Arc::clone(&state)));
        let broker = Broker::new(judge, Mapped(Arc::clone(&state)), ca, trusting(shown.cert.der()));
        let trust = trusting(broker.certificate());
        Self { state, broker: Arc::new(broker), trust }
    }

    pub(crate) fn rule(&self, rule: impl Fn(&Head) -> Ruling + Send + Sync + 'static) {
        *self.state.rule.lock().unwrap() = Box::new(rule);
        self.state.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn let_pass(&self, host: &str) {
        self.state.passing.lock().unwrap().push(host.to_owned());
    }

    pub(crate) fn let_none_pass(&self) {
        self.state.passing.lock().unwrap().clear();
        self.state.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn answers(&self, answer: Result<(), String>) {
        *self.state.answer.lock().unwrap() = answer;
    }

    pub(crate) fn seal(&self, slot: Slot) {
        self.state.slots.lock().unwrap().push(slot);
    }

    pub(crate) fn names(&self, host: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.state.names.lock().unwrap().insert(host.to_owned(), addresses);
    }

    pub(crate) fn pause(&self, is_heard: bool) {
        self.state.lock.pause();
        if is_heard {
            self.state.changes.send_modify(|count| *count += 1);
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    pub(crate) fn asked(&self) -> Vec<Whole> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.state.records.lock().unwrap().clone()
    }

    pub(crate) fn arrived(&self) -> u64 {
        self.state.arrived.load(Ordering::SeqCst)
    }

    pub(crate) fn tried(&self) -> usize {
        self.state.tried.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Waits until something is so; whatever the server or the broker does is looked at.
    pub(crate) async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let waiting = async {
            loop {
                let mut something = std::pin::pin!(self.state.something.notified());
                something.as_mut().enable();
                if is_so(self) {
                    return;
                }
                something.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it never came");
    }

    /// Waits for the next record, and returns the last.
    pub(crate) async fn recorded(&self) -> Record {
        self.until(|world| world.records().iter().any(|record| record.method != "CONNECT" || record.target.is_empty()))
            .await;
        self.records().pop().unwrap()
    }

    /// A connection to the broker, as a program of the computer has it.
    pub(crate) async fn stream(&self) -> DuplexStream {
        let (here, there) = tokio::io::duplex(64 * 1024);
        let broker = Arc::clone(&self.broker);
        tokio::spawn(async move { broker.serve(there).await });
        here
    }

    /// Says something to the broker, and waits until it has no more to say.
    pub(crate) async fn raw(&self, text: &str) {
        let mut stream = self.stream().await;
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it never ended");
    }

    pub(crate) async fn plain(&self) -> Client {
        client(self.stream().await).await.unwrap()
    }

    /// Asks for a connection to a place; what comes back is that connection.
    async fn connected(&self, place: &str) -> io::Result<DuplexStream> {
        let mut stream = self.stream().await;
        stream.write_all(format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n").as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        if head.starts_with(b"HTTP/1.1 200") { Ok(stream) } else { Err(io::Error::other("refused")) }
    }

    /// Asks for a connection to one name, and greets another over it.
    pub(crate) async fn secured(&self, host: &str, greeted: &str) -> io::Result<Client> {
        self.secured_at(&format!("{host}:443"), greeted).await
    }

    pub(crate) async fn secured_at(&self, place: &str, greeted: &str) -> io::Result<Client> {
        let stream = self.connected(place).await?;
        let name = ServerName::try_from(greeted.to_owned()).unwrap();
        client(TlsConnector::from(Arc::clone(&self.trust)).connect(name, stream).await?).await
    }

    /// Asks for a connection, and says on it what is no TLS.
    pub(crate) async fn opaque(&self, host: &str) -> io::Result<DuplexStream> {
        let mut stream = self.connected(&format!("{host}:80")).await?;
        stream.write_all(b"GET /opaque HTTP/1.1\r\nHost: shop.example\r\n\r\n").await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        if answer.starts_with(b"HTTP/1.1 200") { Ok(stream) } else { Err(io::Error::other("no answer")) }
    }
}

pub(crate) async fn ended(mut stream: DuplexStream) {
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it never ended");
}

pub(crate) fn origin(host: &str) -> Origin {
    Origin::read(Scheme::Https, host).unwrap()
}

pub(crate) fn request(method: &str, target: &str, host: &str, body: &str) -> Request<Body> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    Request::builder().method(method).uri(target).header("host", host).body(body).unwrap()
}

/// A request whose body comes as it is fed.
pub(crate) fn fed(target: &str, host: &str) -> (mpsc::Sender<String>, Request<Body>) {
    let (feed, fed) = mpsc::channel::<String>(1);
    let pieces = futures_util::stream::unfold(fed, |mut fed| async {
        let piece = fed.recv().await?;
        Some((Ok(Frame::data(Bytes::from(piece))), fed))
    });
    let request = Request::builder().method("POST").uri(target).header("host", host);
    (feed, request.body(StreamBody::new(pieces).boxed_unsync()).unwrap())
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The next piece of an answer that still comes.
    pub(crate) async fn piece(answer: &mut Response<Incoming>) -> Option<Bytes> {
        let piece = tokio::time::timeout(PATIENCE, answer.body_mut().frame()).await.expect("it never ended");
        piece?.ok()?.into_data().ok()
    }
}

pub(crate) struct Client(SendRequest<Body>);

async fn client<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> io::Result<Client> {
    let (send, driving) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(driving);
    Ok(Client(send))
}

impl Client {
    pub(crate) async fn begin(&mut self, request: Request<Body>) -> Option<Response<Incoming>> {
        self.0.ready().await.ok()?;
        self.0.send_request(request).await.ok()
    }

    pub(crate) async fn ask(&mut self, request: Request<Body>) -> Option<Answer> {
        let (parts, body) = self.begin(request).await?.into_parts();
        let bytes = body.collect().await.ok()?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some(Answer { status: parts.status, headers: parts.headers, text })
    }
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        state.connections.fetch_add(1, Ordering::SeqCst);
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            match tls {
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        answer_all(stream, state).await;
                    }
                }
                None => answer_all(stream, state).await,
            }
        });
    }
}

async fn answer_all<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, state: Arc<State>) {
    let each = service_fn(|request: Request<Incoming>| {
        let state = Arc::clone(&state);
        async move { Ok::<_, io::Error>(answer(request, &state).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), each).await;
}

async fn answer(request: Request<Incoming>, state: &State) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    let target = parts.uri.to_string();
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        bytes.extend_from_slice(&data);
        state.arrived.fetch_add(u64::try_from(data.len()).unwrap(), Ordering::SeqCst);
        state.something.notify_waiters();
    }
    let whole = |text: String| Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (method, headers) = (parts.method.clone(), parts.headers);
    state.seen.lock().unwrap().push(Seen { method, target: target.clone(), headers, body: bytes.clone() });
    state.something.notify_waiters();
    if target == "/login" {
        return Response::new(whole("welcome".into()));
    }
    if target == "/endless" {
        let pieces = futures_util::stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[b'x'; 1_000]))));
        return Response::new(StreamBody::new(pieces).boxed_unsync());
    }
    let secret = text.rsplit_once("password=").map(|(_, secret)| secret.replace('+', " ").replace("%26", "&"));
    let (Some(secret), Some((_, form))) = (secret, target.split_once("echo=")) else {
        return Response::new(whole(format!("{} {target} {text}", parts.method)));
    };
    let mut answer = Response::new(whole(String::new()));
    *answer.body_mut() = match form {
        "base64" => whole(base64::engine::general_purpose::STANDARD.encode(format!("me:{secret}"))),
        "hex" => whole(secret.bytes().map(|byte| format!("{byte:02x}")).collect()),
        "percent" => whole(text),
        "html" => whole(secret.replace('&', "&amp;")),
        "header" => {
            let echoed = hyper::header::HeaderValue::from_str(&secret).unwrap();
            answer.headers_mut().insert("x-you-said", echoed);
            whole(String::new())
        }
        "slowly" => {
            let pieces: Vec<_> = secret.bytes().map(|byte| Ok(Frame::data(Bytes::from(vec![byte])))).collect();
            StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync()
        }
        _ => whole(secret),
    };
    answer
}
